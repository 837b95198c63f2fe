"""Lines, impedances and switches of a pandapower network as two-ports between its buses.

The equations are those of pandapower's documentation of its elements
(https://pandapower.readthedocs.io/en/latest/elements.html), checked against what 2.14.10 and 3.5.6 compute.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

from meanwatt.model.network.library.branch import BranchKind
from meanwatt.model.network.pandapower_net.net_json import Row

SWITCH_R_PER_Z: Final = 2 / math.sqrt(5)
"""A closed switch with ``z_ohm`` has twice as much resistance as reactance, as by default in pandapower."""
SWITCH_X_PER_Z: Final = 1 / math.sqrt(5)


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoPort:
    """An edge between two buses of the network: ideal transformer, series impedance, a shunt at either end.

    Attributes
    ----------
    kind, name
        What it is, and which row.
    from_bus, to_bus
        Buses of the network.
    z_ohm
        Series impedance, seen from ``to_bus``. [ohm]
    y_from, y_to
        Admittances to ground at the ends, on the side of the buses. [S]
    ratio
        Voltage at ``from_bus`` over that at ``to_bus`` of the ideal transformer.
    rating_from_a, rating_to_a
        Rated currents. [A]
    """

    kind: BranchKind
    name: str
    from_bus: int
    to_bus: int
    z_ohm: complex
    y_from: complex = 0j
    y_to: complex = 0j
    ratio: float = 1.0
    rating_from_a: float = math.inf
    rating_to_a: float = math.inf

    def seen_from(self, bus: int) -> complex:
        """Admittance at one end while the other is open. [S]"""
        if bus == self.from_bus:
            return self.y_from + _behind(self.z_ohm, self.y_to) / self.ratio**2
        return self.y_to + _behind(self.z_ohm, self.y_from * self.ratio**2)


def _behind(z_ohm: complex, y: complex) -> complex:
    """Admittance of an impedance in series with an admittance. [S]"""
    return y / (1 + z_ohm * y)


def line(row: Row, kv_from: float, kv_to: float, f_hz: float) -> TwoPort:
    """A line between buses of these nominal voltages; where they differ, an ideal transformer is thought between."""
    km, parallel = row.positive("length_km"), row.positive("parallel", 1.0)
    z = complex(row.number("r_ohm_per_km"), row.number("x_ohm_per_km")) * km / parallel
    siemens_per_km = complex(
        row.number("g_us_per_km", 0.0) * 1e-6, 2 * math.pi * f_hz * row.number("c_nf_per_km", 0.0) * 1e-9
    )
    half = siemens_per_km * km * parallel / 2
    rated = row.number("max_i_ka", 0.0) * 1e3 * row.number("df", 1.0) * parallel
    rating = rated if rated > 0 else math.inf
    ratio = kv_from / kv_to
    return TwoPort(
        kind=BranchKind.LINE,
        name=str(row),
        from_bus=row.whole("from_bus"),
        to_bus=row.whole("to_bus"),
        z_ohm=z / ratio**2,
        y_from=half,
        y_to=half * ratio**2,
        ratio=ratio,
        rating_from_a=rating,
        rating_to_a=rating * ratio if ratio != 1 else rating,
    )


def impedance(row: Row, kv_from: float, kv_to: float) -> TwoPort | None:
    """An element ``impedance``; None where it differs by direction, which no passive two-port does."""
    z = complex(row.number("rft_pu"), row.number("xft_pu"))
    if z != complex(row.number("rtf_pu"), row.number("xtf_pu")):
        return None
    base = kv_to**2 / row.positive("sn_mva")
    ends = [complex(row.number(f"g{end}_pu", 0.0), row.number(f"b{end}_pu", 0.0)) for end in "ft"]
    ratio = kv_from / kv_to
    return TwoPort(
        kind=BranchKind.IMPEDANCE,
        name=str(row),
        from_bus=row.whole("from_bus"),
        to_bus=row.whole("to_bus"),
        z_ohm=z * base,
        y_from=ends[0] / base / ratio**2,
        y_to=ends[1] / base,
        ratio=ratio,
    )


def switch(row: Row) -> TwoPort:
    """A closed switch between two buses that has an impedance."""
    z = row.number("z_ohm")
    return TwoPort(
        kind=BranchKind.IMPEDANCE,
        name=str(row),
        from_bus=row.whole("bus"),
        to_bus=row.whole("element"),
        z_ohm=complex(z * SWITCH_R_PER_Z, z * SWITCH_X_PER_Z),
    )


def moved(edge: TwoPort, from_bus: int, to_bus: int) -> TwoPort:
    """The same two-port between other buses."""
    return replace(edge, from_bus=from_bus, to_bus=to_bus)
