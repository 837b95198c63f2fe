"""How far prices and loads can move when the tariff does: bounds that need no equilibrium at the other tariff.

With ‖x‖² = Σ p_c Δ x² over common states and slots, and 0 < σ_min ≤ s' ≤ σ between the least and the largest load that
households can have:

* where the spread r⁺ − r⁻ stays and the posted rate moves by δ at given prices, ‖ΔL‖ ≤ ‖δ‖/(κ σ_min) and
  ‖Δλ‖ ≤ √(σ/σ_min)·‖δ‖/κ, at every temperature, 0 included (Theorem S, theory G7);
* along any parameter a at a temperature above 0, ‖dλ/da‖ ≤ σ·‖∂L/∂a‖, the response of loads at given prices.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.mean_field.leader.equilibrium_tangent import load_response
from meanwatt.model.mean_field.population.game import Game, potential_failures
from meanwatt.model.scenario.economy import Economy

SAME_SPREAD_USD_PER_KWH = 1e-12
"""Change of r⁺ − r⁻ that is rounding. [USD/kWh]"""


WIDENINGS = 40
"""Balls tried around an equilibrium at most,"""
WIDER = 1.05
"""and how much wider than wanted the next one is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplySlopes:
    """The least and the largest slope σ_min, σ of the supply curve at loads that households can have.

    Attributes
    ----------
    least, most
        [USD/kWh per kW]
    """

    least: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeShift:
    """Bounds on how far an equilibrium moves, in the norm √(Σ p_c Δ x²).

    Attributes
    ----------
    load_kw
        ‖ΔL‖. [kW √h]
    wholesale_usd_per_kwh
        ‖Δλ‖. [USD/kWh √h]
    """

    load_kw: float
    wholesale_usd_per_kwh: float


def load_box(economy: Economy) -> tuple[Floats, Floats]:
    """The least and the largest mean net load that households can have, whatever they pay. (c, h) each [kW]"""
    low, high = np.zeros_like(economy.rest_load_kw), np.zeros_like(economy.rest_load_kw)
    for household in economy.types:
        day = household.storage_day(economy.slot_hours)
        swing = household.flexibility * household.reference_kw
        power = np.concatenate([day.power_kw, np.zeros((len(day.power_kw), 1))], axis=1)
        low += household.share * (household.reference_kw - swing - household.pv_kw + power.min(axis=1))
        high += household.share * (household.reference_kw + swing + power.max(axis=1))
    return low, high


def supply_slopes(economy: Economy, load_kw: Floats | None = None, reach: float = np.inf) -> SupplySlopes:
    """Slopes of the supply curve over the box of loads, or as far as some of them are from given ones.

    Parameters
    ----------
    load_kw, reach
        Mean net load (c, h) [kW], and the largest distance to it in the norm √(Σ p_c Δ x²). [kW √h]

    Returns
    -------
    SupplySlopes
        ``least`` is 0 where the curve is flat somewhere, ``most`` infinite where it jumps.
    """
    low, high = load_box(economy)
    if load_kw is not None:
        apart = reach / np.sqrt(economy.common.probability[:, None] * economy.slot_hours)
        low, high = np.maximum(low, load_kw - apart), np.minimum(high, load_kw + apart)
    supply = economy.supply
    least, most = np.inf, 0.0
    for bottom, top in zip(
        (low + economy.rest_load_kw).ravel().tolist(), (high + economy.rest_load_kw).ravel().tolist(), strict=True
    ):
        inside = supply.breaks_kw[(supply.breaks_kw > bottom) & (supply.breaks_kw < top)]
        edges = np.concatenate([[bottom], inside, [top]])
        for left, right in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            slopes = _extremes(supply.slope_rows[np.searchsorted(supply.breaks_kw, left, side="right")], left, right)
            least, most = min(least, slopes[0]), max(most, slopes[1])
        for place in inside.tolist():
            piece = int(np.searchsorted(supply.breaks_kw, place, side="right"))
            below, above = (np.polynomial.polynomial.polyval(place, supply.coefficients[k]) for k in (piece - 1, piece))
            if above - below > 1e-12 * max(1.0, abs(below)):
                most = np.inf
    return SupplySlopes(least=max(float(least), 0.0), most=float(most))


def slopes_nearby(found: Equilibrium, reach_of: Callable[[SupplySlopes], float]) -> SupplySlopes:
    """Slopes of supply at all loads that a continuous move from an equilibrium can reach.

    A move that stays within ``reach_of(slopes)`` of where it began, as long as it meets these slopes only, never leaves
    the ball of that radius on which they are taken.

    Returns
    -------
    SupplySlopes
        Those of the smallest such ball that is found; of all loads where there is none.
    """
    everywhere = supply_slopes(found.economy)
    here = supply_slopes(found.economy, found.net_load_kw, 0.0)
    reach = reach_of(here)
    for _ in range(WIDENINGS):
        if not np.isfinite(reach):
            break
        within = supply_slopes(found.economy, found.net_load_kw, reach)
        wanted = reach_of(within)
        if wanted <= reach:
            return within
        reach = WIDER * wanted
    return everywhere


def _extremes(row: Floats, left: float, right: float) -> tuple[float, float]:
    """The least and the largest value of a slope c1 + 2 c2 x + 3 c3 x² between two loads."""
    points = [left, right]
    if row[2] != 0 and left < -row[1] / (2 * row[2]) < right:
        points.append(-row[1] / (2 * row[2]))
    values = np.polynomial.polynomial.polyval(np.array(points), row)
    return float(values.min()), float(values.max())


def day_norm(economy: Economy, values: Floats) -> Floats:
    """√(Σ p_c Δ x²) over the last two axes, those of common state and slot."""
    weight = economy.common.probability[:, None] * economy.slot_hours
    return np.asarray(np.sqrt((weight * values**2).sum(axis=(-2, -1))))


def _require_unique(economy: Economy, tariff: Tariff) -> None:
    """Refuse a tariff at which Theorem U says nothing of the equilibrium."""
    failed = potential_failures(economy, tariff)
    failed += ["an adder that balances the books"] if tariff.recovery is Recovery.VOLUMETRIC else []
    if failed:
        raise ValueError(f"tariff {tariff.name}: {failed[0]}; give one of Theorem U's")


def rate_shift(found: Equilibrium, other: Tariff) -> Floats:
    """What another tariff adds to the posted rates at the prices of an equilibrium. (c, h) [USD/kWh]

    Raises
    ------
    ValueError
        If the spread between import and export rate changes, either tariff has no unique equilibrium, or not everybody
        pays the rates posted: under rate classes and discounts.
    """
    economy = found.economy
    for tariff in (found.tariff, other):
        _require_unique(economy, tariff)
        if tariff.classes or any(one.discount.any() for one in tariff.class_tariffs):
            parts = "rate classes" if tariff.classes else "a group discount"
            raise ValueError(f"tariff {tariff.name}: {parts}; give one that everybody pays alike")
    before = found.rates
    after = Game(economy, other).posted_rates(found.wholesale_usd_per_kwh, found.adder_usd_per_kwh)
    spread = after.import_usd_per_kwh - after.export_usd_per_kwh
    changed = np.abs(spread - (before.import_usd_per_kwh - before.export_usd_per_kwh)).max()
    if changed > SAME_SPREAD_USD_PER_KWH:
        raise ValueError(
            f"the spread of import and export rate changes by {changed:.2g} USD/kWh; give one that keeps it"
        )
    return after.import_usd_per_kwh - before.import_usd_per_kwh


def outcome_shift(shift_norm: float, pass_through: float, slopes: SupplySlopes) -> OutcomeShift:
    """How far prices and loads move at most where the posted rate moves by ‖δ‖ at given prices and the spread stays.

    Parameters
    ----------
    shift_norm
        ‖δ‖ at the prices of one of the two equilibria. [USD/kWh √h]
    pass_through
        κ of the tariff at the *other*, above 0.
    """
    if not (pass_through > 0 and slopes.least > 0):
        return OutcomeShift(load_kw=np.inf, wholesale_usd_per_kwh=np.inf)
    return OutcomeShift(
        load_kw=shift_norm / (pass_through * slopes.least),
        wholesale_usd_per_kwh=float(np.sqrt(slopes.most / slopes.least)) * shift_norm / pass_through,
    )


def price_slope_bound(found: Equilibrium, tariff_at: Callable[[Floats], Tariff], unit: Floats) -> Floats:
    """Bound σ·‖∂L/∂a‖ on ‖dλ/da‖ along each parameter of the tariff, in unit coordinates. (p,) [USD/kWh √h]

    Parameters
    ----------
    found
        The equilibrium at ``tariff_at(unit)``, where Theorem U holds, at a temperature above 0.

    Raises
    ------
    ValueError
        If Theorem U does not hold there, or an adder balances the books, which would move along.
    """
    _require_unique(found.economy, found.tariff)
    return supply_slopes(found.economy).most * day_norm(found.economy, load_response(found, tariff_at, unit))
