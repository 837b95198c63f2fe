"""Transformers of a pandapower network as two-ports: taps, the T model, and three windings as a star.

The equations are those of pandapower's documentation of `trafo` and `trafo3w`
(https://pandapower.readthedocs.io/en/latest/elements.html), with its default T model, checked against what 2.14.10 and
3.5.6 compute. Phase shifts turn all voltages behind a transformer and change no magnitude of a radial feeder.
"""

import cmath
import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from meanwatt.model.network.library.branch import BranchKind
from meanwatt.model.network.pandapower_net.characteristics import entry, has_entries
from meanwatt.model.network.pandapower_net.elements import TwoPort
from meanwatt.model.network.pandapower_net.net_json import Net, Row
from meanwatt.model.scenario.files import FileError


class TapRule(StrEnum):
    """Which tap positions count."""

    FILE = "file"
    """Those that pandapower counts: in files of version 3 only where ``tap_changer_type`` is given."""
    APPLY = "apply"
    """All that are given."""
    IGNORE = "ignore"
    """None: every changer at its neutral position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Winding:
    """A pair of windings: rated power [MVA] and voltages [kV] with the tap, and its losses."""

    sn_mva: float
    vn_hv_kv: float
    vn_lv_kv: float
    tapped_hv_kv: float
    tapped_lv_kv: float
    vk_percent: float
    vkr_percent: float
    pfe_kw: float
    i0_percent: float
    parallel: float = 1.0
    r_share_hv: float = 0.5
    x_share_hv: float = 0.5


def two_port(pair: Winding, name: str, hv_bus: int, lv_bus: int, *, df: float = 1.0) -> TwoPort:
    """The T model of a pair of windings as a two-port, by the star-delta transformation.

    Rated currents are those of the untapped windings, times ``df``.
    """
    base = pair.tapped_lv_kv**2
    z_abs = pair.vk_percent / 100 / pair.sn_mva * base
    r = pair.vkr_percent / 100 / pair.sn_mva * base
    if abs(r) > abs(z_abs) or z_abs == 0:
        raise FileError(
            f"{name} has vk_percent {pair.vk_percent:g} and vkr_percent {pair.vkr_percent:g};"
            " give a vk_percent above 0 and at least vkr_percent"
        )
    z = complex(r, math.copysign(math.sqrt(z_abs**2 - r**2), z_abs)) / pair.parallel
    no_load, iron = pair.i0_percent / 100 * pair.sn_mva, pair.pfe_kw / 1e3
    y = complex(iron, -math.sqrt(max(no_load**2 - iron**2, 0.0))) / base * pair.parallel
    ratio = pair.tapped_hv_kv / pair.tapped_lv_kv
    za = complex(z.real * pair.r_share_hv, z.imag * pair.x_share_hv)
    zb = z - za
    bend = 1 + za * zb * y / z  # of the star's delta: za + zb + za * zb * y = z * bend
    rated_a = 1e3 * pair.sn_mva * df * pair.parallel / math.sqrt(3)
    return TwoPort(
        kind=BranchKind.TRANSFORMER,
        name=name,
        from_bus=hv_bus,
        to_bus=lv_bus,
        z_ohm=z * bend,
        y_from=zb * y / (z * bend) / ratio**2,
        y_to=za * y / (z * bend),
        ratio=ratio,
        rating_from_a=rated_a / pair.vn_hv_kv,
        rating_to_a=rated_a / pair.vn_lv_kv,
    )


def trafo(net: Net, row: Row, rule: TapRule) -> TwoPort:
    """A two-winding transformer."""
    tapped, tabled = tapped_kv(net, row, rule), tap_entry(net, row, rule)
    pair = Winding(
        sn_mva=row.positive("sn_mva"),
        vn_hv_kv=row.positive("vn_hv_kv"),
        vn_lv_kv=row.positive("vn_lv_kv"),
        tapped_hv_kv=tapped["hv"],
        tapped_lv_kv=tapped["lv"],
        vk_percent=(tabled or row).number("vk_percent"),
        vkr_percent=(tabled or row).number("vkr_percent"),
        pfe_kw=row.number("pfe_kw", 0.0),
        i0_percent=row.number("i0_percent", 0.0),
        parallel=row.positive("parallel", 1.0),
        r_share_hv=row.number("leakage_resistance_ratio_hv", 0.5),
        x_share_hv=row.number("leakage_reactance_ratio_hv", 0.5),
    )
    return two_port(pair, str(row), row.whole("hv_bus"), row.whole("lv_bus"), df=row.positive("df", 1.0))


def tapped_kv(net: Net, row: Row, rule: TapRule) -> dict[str, float]:
    """Rated voltages of a two-winding transformer with its taps, by side, hv and lv. [kV]"""
    tapped = {"hv": row.positive("vn_hv_kv"), "lv": row.positive("vn_lv_kv")}
    for changer in ("", "2"):
        side = row.word(f"tap{changer}_side")
        if side in tapped:
            tapped[side] *= tap_factor(net, row, rule, changer)
    return tapped


def tap_entry(net: Net, row: Row, rule: TapRule) -> Row | None:
    """Entry of the table of taps that a transformer's ratio and impedances come from, where it has one that counts."""
    return None if rule is TapRule.IGNORE else entry(net, row)


def tap_factor(net: Net, row: Row, rule: TapRule, changer: str = "") -> float:
    """What a tap changer multiplies the voltage of its winding with; one with a table does by that alone."""
    if changer or not has_entries(row):
        return abs(1 + tap_step(net, row, rule, changer))
    tabled = tap_entry(net, row, rule)
    return 1.0 if tabled is None else tabled.positive("voltage_ratio")


def tap_step(net: Net, row: Row, rule: TapRule, changer: str = "") -> complex:
    """Voltage that a tap changer adds to its winding, relative to it; 0 if it is ideal, neutral or does not count."""
    if rule is TapRule.IGNORE or (rule is TapRule.FILE and not _counts(net, row, changer)):
        return 0j
    return 0j if _is_ideal(net, row, changer) else _given_step(row, changer)


def ignored_taps(net: Net, row: Row) -> bool:
    """Whether a tap that is off neutral does not count by the file's own rule."""
    return any(
        row.word(f"tap{changer}_side") and _given_step(row, changer) != 0 and not _counts(net, row, changer)
        for changer in ("", "2")
    )


def _given_step(row: Row, changer: str) -> complex:
    if not row.has(f"tap{changer}_pos") or not row.has(f"tap{changer}_step_percent"):
        return 0j
    steps = row.number(f"tap{changer}_pos") - row.number(f"tap{changer}_neutral", 0.0)
    angle = math.radians(row.number(f"tap{changer}_step_degree", 0.0))
    return cmath.rect(row.number(f"tap{changer}_step_percent") / 100 * steps, angle)


def turned_tap(net: Net, row: Row) -> bool:
    """Whether pandapower 2 counts a tap the wrong way: off neutral, at the star point, and without an angle."""
    if net.has_column(row.table, "tap_changer_type") or not row.flag("tap_at_star_point", default=False):
        return False
    return not row.has("tap_step_degree") and bool(row.word("tap_side")) and tap_step(net, row, TapRule.FILE) != 0


def _counts(net: Net, row: Row, changer: str) -> bool:
    """Whether pandapower counts a changer: not without a neutral position, which makes its step no number there.

    Version 3 loses one at the star point without an angle as well, as of 3.5.6.
    """
    if not row.has(f"tap{changer}_neutral") and not (not changer and has_entries(row)):
        return False
    if net.has_column(row.table, "tap_changer_type"):
        if row.flag("tap_at_star_point", default=False) and not row.has("tap_step_degree"):
            return False
        named = row.word(f"tap{changer}_changer_type") in ("Ratio", "Symmetrical", "Ideal")
        return named or (not changer and has_entries(row))
    return True  # version 2 counts every changer


def _is_ideal(net: Net, row: Row, changer: str) -> bool:
    if net.has_column(row.table, "tap_changer_type"):
        return row.word(f"tap{changer}_changer_type") == "Ideal"
    return row.flag(f"tap{changer}_phase_shifter", default=False)


SIDES: Final = ("hv", "mv", "lv")
"""Windings of a three-winding transformer."""


def trafo3w(net: Net, row: Row, rule: TapRule, star_bus: int) -> dict[str, TwoPort]:
    """A three-winding transformer as three two-ports that meet in a bus of their own, by side."""
    sn = [row.positive(f"sn_{side}_mva") for side in SIDES]
    kv = [row.positive(f"vn_{side}_kv") for side in SIDES]
    vk, vkr = _star(row, tap_entry(net, row, rule) or row, sn)
    loss_side = row.word("loss_side") or "hv"
    step, at_star = tap_step(net, row, rule), row.flag("tap_at_star_point", default=False)
    factor = tap_factor(net, row, rule)
    three = net.has_column(row.table, "tap_changer_type")
    back = -step if rule is TapRule.FILE and turned_tap(net, row) else step
    inverted = 1 / factor if three else abs(1 - back)  # towards the star; version 2 has the step's first order
    ports = {}
    for place, side in enumerate(SIDES):
        own, star = (1.0, inverted) if at_star else (factor, 1.0)
        if row.word("tap_side") != side:
            own = star = 1.0
        hv_kv, lv_kv = (own, star) if side == "hv" else (star, own)
        pair = Winding(
            sn_mva=sn[place],
            vn_hv_kv=kv[0],
            vn_lv_kv=kv[place],
            tapped_hv_kv=kv[0] * hv_kv,
            tapped_lv_kv=kv[place] * lv_kv,
            vk_percent=vk[place],
            vkr_percent=vkr[place],
            pfe_kw=row.number("pfe_kw", 0.0) if side == loss_side else 0.0,
            i0_percent=row.number("i0_percent", 0.0) if side == loss_side else 0.0,
        )
        bus = row.whole(f"{side}_bus")
        ends = (bus, star_bus) if side == "hv" else (star_bus, bus)
        port = two_port(pair, f"{row} {side}", *ends)
        ports[side] = _rated_outside(port, side)
    return ports


def _rated_outside(port: TwoPort, side: str) -> TwoPort:
    """Only the current at the terminal counts, none at the star."""
    return replace(port, rating_to_a=math.inf) if side == "hv" else replace(port, rating_from_a=math.inf)


def _star(row: Row, values: Row, sn: list[float]) -> tuple[list[float], list[float]]:
    """Short-circuit voltages of the three legs, each on its own rated power. [%]"""
    pairs = (min(sn[0], sn[1]), min(sn[1], sn[2]), min(sn[0], sn[2]))
    vk = [values.number(f"vk_{side}_percent") * sn[0] / base for side, base in zip(SIDES, pairs, strict=True)]
    vkr = [values.number(f"vkr_{side}_percent") * sn[0] / base for side, base in zip(SIDES, pairs, strict=True)]
    if any(abs(r) > abs(z) for r, z in zip(vkr, vk, strict=True)):
        raise FileError(f"{row} has a vkr_percent above its vk_percent; give at most vk_percent")
    vki = [math.sqrt(z**2 - r**2) for z, r in zip(vk, vkr, strict=True)]
    r_leg, x_leg = _delta_to_star(vkr, sn), _delta_to_star(vki, sn)
    return [math.copysign(math.hypot(x, r), x) for x, r in zip(x_leg, r_leg, strict=True)], r_leg


def _delta_to_star(pairs: list[float], sn: list[float]) -> list[float]:
    hv_mv, mv_lv, hv_lv = pairs
    legs = (hv_mv + hv_lv - mv_lv, mv_lv + hv_mv - hv_lv, hv_lv + mv_lv - hv_mv)
    return [leg / 2 * own / sn[0] for leg, own in zip(legs, sn, strict=True)]
