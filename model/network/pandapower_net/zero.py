"""The zero sequence of lines and transformers of a pandapower network, as its ``runpp_3ph`` has it.

The equations are those of pandapower's documentation of unbalanced power flow
(https://pandapower.readthedocs.io/en/latest/elements.html), checked against what 3.5.6 computes.
"""

import math
import re
from typing import Final

from meanwatt.model.network.library.phase_data import VectorGroup, ZeroPort
from meanwatt.model.network.pandapower_net.net_json import Row

ZIGZAG: Final = 1.1547
"""Factor of a star-zigzag transformer's admittance to ground in pandapower, 2/√3."""

_WINDINGS: Final = re.compile(r"(D|YN|Y|ZN|Z)(d|yn|y|zn|z)")


def line_zero(row: Row, f_hz: float, charging: complex) -> ZeroPort:
    """A line's zero sequence; its impedance is nan where the row has none, its charging then as given. [S, half]"""
    km, parallel = row.number("length_km"), row.number("parallel", 1.0)
    half = charging
    if row.has("c0_nf_per_km"):
        half = 1j * math.pi * f_hz * row.number("c0_nf_per_km") * 1e-9 * km * parallel
    z = complex(math.nan, math.nan)
    if row.has("r0_ohm_per_km") and row.has("x0_ohm_per_km"):
        z = complex(row.number("r0_ohm_per_km"), row.number("x0_ohm_per_km")) * km / parallel
    if z == 0:
        z = complex(math.nan, math.nan)
    return ZeroPort(
        r_ohm=z.real,
        x_ohm=z.imag,
        g_from_us=1e6 * half.real,
        b_from_us=1e6 * half.imag,
        g_to_us=1e6 * half.real,
        b_to_us=1e6 * half.imag,
    )


def trafo_zero(row: Row, tapped_lv_kv: float, ratio: float) -> ZeroPort | None:
    """A two-winding transformer's zero sequence; None where the row names no vector group that can be built.

    Parameters
    ----------
    tapped_lv_kv
        Rated voltage of the low side, its tap counted. [kV]
    ratio
        Voltage of the high side over that of the low side.
    """
    group = _group(row)
    if group is None:
        return None
    if not (row.number("vk0_percent", 0.0) > 0 and row.has("vkr0_percent")):
        return ZeroPort(group=group)
    base = tapped_lv_kv**2 / row.positive("sn_mva") / 100 / row.positive("parallel", 1.0)
    size, r = row.number("vk0_percent") * base, row.number("vkr0_percent") * base
    z = complex(r, math.sqrt(max(size**2 - r**2, 0.0)))
    share, ratio_m = row.number("si0_hv_partial", 0.5), row.number("mag0_percent", math.nan) / 100
    if not 0 < share < 1 or not ratio_m > 0:
        return ZeroPort(group=group, r_ohm=z.real, x_ohm=z.imag)
    rx = row.number("mag0_rx", 0.0)
    high, low = share * z, (1 - share) * z
    iron = size * ratio_m / math.hypot(rx, 1.0) * complex(rx, 1.0)
    star = high * low + low * iron + iron * high
    return _delta(group, star / iron, star / low, star / high, ratio)


def _delta(group: VectorGroup, through: complex, at_high: complex, at_low: complex, ratio: float) -> ZeroPort:
    """The T model as a delta of impedances seen from the low side. [ohm]"""
    if group.passes_zero_sequence:
        y_from, y_to = 1 / at_high / ratio**2, 1 / at_low
        return ZeroPort(
            group=group,
            r_ohm=through.real,
            x_ohm=through.imag,
            g_from_us=1e6 * y_from.real,
            b_from_us=1e6 * y_from.imag,
            g_to_us=1e6 * y_to.real,
            b_to_us=1e6 * y_to.imag,
        )
    y = 1 / through + 1 / at_low
    if group.low == "ZN" and group.high == "Y":
        y = ZIGZAG * (1 / (through + at_high) + 1 / at_low)
    z = 1 / y
    return ZeroPort(group=group, r_ohm=z.real, x_ohm=z.imag)


def _group(row: Row) -> VectorGroup | None:
    """The vector group: the clock as named, else of ``shift_degree``, else the usual one."""
    name = row.word("vector_group").strip()
    windings = _WINDINGS.match(name)
    if windings is None:
        return None
    letters = windings.group()
    clock = round(row.number("shift_degree", 0.0) / 30) % 12
    for tried in (name, f"{letters}{clock}", f"{letters}11", f"{letters}0"):
        try:
            return VectorGroup.read(tried)
        except ValueError:
            continue
    return None
