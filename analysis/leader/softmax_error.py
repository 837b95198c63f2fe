"""What a softmax leader before softmax households loses to the best tariff before exact ones, bounded end to end.

For one tariff on all days, drawn once from softmax(J_η/η_L) over a net of n members, and J_0 the objective at η = 0,

    J*_0 − E J_0(â) ≤ net + sup(J_0 − J_η) + sup(J_η − J_0) + min(η_L ln n, range·((n − n*)/n*)·exp(−gap/η_L)).

Each term may be taken where it is met: J*_0 is at most the largest J_η + followers + net of a member, and E J_0(â) at
least E(J_η − followers)(â). Net and followers' terms are proved (theory G8) for J = welfare − stability·IMV where
imports and exports have one rate, κ > 0 and 0 < σ_min ≤ s' ≤ σ. With ε the households' exploitability, at most
η·T·Σ w ln|A|, the norm of Theorem S (G7) and d = √(2σε/κ),

    |W_η − W_0| ≤ ε + G(‖m‖, d/σ_min),    W_0(a') − W_0(a) ≤ G(‖m(a)‖, ‖δ‖/(κ' σ_min)),

with G(m, x) the most that m·y − ½σ_min y² takes for y ≤ x, and m the rate less the social marginal cost: what a
tariff's rates are wrong by is what its loads' errors cost.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.mean_field.leader.tariff_continuity import (
    SAME_SPREAD_USD_PER_KWH,
    OutcomeShift,
    SupplySlopes,
    day_norm,
    load_box,
    outcome_shift,
    rate_shift,
    slopes_nearby,
)
from meanwatt.model.mean_field.population.game import kept_shares, pass_through_shares, potential_failures
from meanwatt.model.scenario.economy import Economy

DAY_HOURS = 24.0
TIED = 1e-9
"""Objectives this close count as equal. [USD per household-day]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdShift:
    """How far the equilibrium at η is from that at 0 at most, in the norm √(Σ p_c Δ x²).

    Attributes
    ----------
    wholesale_usd_per_kwh, load_kw
        ‖λ_η − λ_0‖ [USD/kWh √h] and ‖L_η − L_0‖ [kW √h].
    """

    wholesale_usd_per_kwh: float
    load_kw: float


def require_one_rate(found: Equilibrium) -> None:
    """Refuse what the bounds do not hold for: Theorem U, one rate for both directions, the same for everybody.

    Raises
    ------
    ValueError
        If imports and exports have two rates, the tariff has rate classes, a discount or no given adder, or the
        equilibrium need not be unique.
    """
    rates, tariff = found.rates, found.tariff
    if tariff.classes:
        raise ValueError(f"tariff {tariff.name} has rate classes; the bound needs one tariff for all")
    spread = float(np.abs(rates.import_usd_per_kwh - rates.export_usd_per_kwh).max())
    if spread > SAME_SPREAD_USD_PER_KWH:
        raise ValueError(f"import and export rate differ by {spread:.2g} USD/kWh; the bound needs one rate for both")
    if tariff.recovery is Recovery.VOLUMETRIC or tariff.discount.any():
        raise ValueError("the bound needs a given adder and no discounts; give recovery fixed or posted")
    if failed := potential_failures(found.economy, tariff):
        raise ValueError(f"tariff {tariff.name}: {failed[0]}; the bound needs Theorem U")


def price_error(found: Equilibrium) -> float:
    """‖m‖, what the rate of a tariff exceeds the social marginal cost by, where carbon costs the same at all loads.

    Where it does not, what it may differ by is added. [USD/kWh √h]

    Raises
    ------
    ValueError
        As `require_one_rate`.
    """
    require_one_rate(found)
    economy = found.economy
    load_kw = found.net_load_kw + economy.rest_load_kw
    carbon = economy.carbon_usd_per_t * economy.supply.marginal_emissions_t_per_kwh(load_kw)
    error = found.rates.import_usd_per_kwh - found.wholesale_usd_per_kwh - carbon
    return float(day_norm(economy, error)) + _carbon_spread(economy)


def _carbon_spread(economy: Economy) -> float:
    """How much the marginal cost of carbon can differ between loads that households can have. [USD/kWh √h]"""
    low, high = (bound + economy.rest_load_kw for bound in load_box(economy))
    breaks = economy.supply.breaks_kw
    met = np.concatenate([[low.min(), high.max()], breaks[(breaks > low.min()) & (breaks < high.max())]])
    emitted = economy.supply.marginal_emissions_t_per_kwh(met)
    return float(economy.carbon_usd_per_t * np.ptp(emitted)) * math.sqrt(DAY_HOURS)


def _shift(softness: float, passed: float, slopes: SupplySlopes) -> ColdShift:
    """D = √(2σb/κ), and d/σ_min."""
    if softness == 0:
        return ColdShift(wholesale_usd_per_kwh=0.0, load_kw=0.0)
    if not (passed > 0 and slopes.least > 0):
        return ColdShift(wholesale_usd_per_kwh=math.inf, load_kw=math.inf)
    shift = math.sqrt(2 * slopes.most * softness / passed)
    return ColdShift(wholesale_usd_per_kwh=shift, load_kw=shift / slopes.least)


def softness_usd(found: Equilibrium) -> float:
    """What households forgo, which bounds how far they are from exact ones; costs a best response. [USD/day]"""
    return max(found.exploitability_usd_per_household_day, 0.0)


def cold_shift(found: Equilibrium, softness: float) -> ColdShift:
    """Bound on how far the equilibrium at η is from that at 0 (theory C6); infinite where nothing bounds it.

    The least κ_θ of all types counts, after their discounts and by their rate classes. Without Theorem U, or where an
    adder balances the books, nothing does.

    Parameters
    ----------
    softness
        `softness_usd` of the equilibrium, or more, such as `softmax_bound_usd_per_day`. [USD/day]
    """
    economy, tariff = found.economy, found.tariff
    if potential_failures(economy, tariff) or tariff.recovery is Recovery.VOLUMETRIC:
        return ColdShift(wholesale_usd_per_kwh=math.inf, load_kw=math.inf)
    passed = float((kept_shares(economy, tariff) * pass_through_shares(economy, tariff)).min())
    slopes = slopes_nearby(found, lambda slopes: _shift(softness, passed, slopes).load_kw)
    return _shift(softness, passed, slopes)


def followers_bound(found: Equilibrium, softness: float, *, stability: float = 0.0) -> float:
    """Bound on |J_η − J_0| at one tariff, for J = welfare − stability·IMV. [USD per household-day]

    Parameters
    ----------
    found
        The equilibrium at η.
    softness
        As for `cold_shift`.
    stability
        Weight of IMV. [USD per household-day per USD/kWh]
    """
    shift = cold_shift(found, softness)
    if shift.load_kw in (0.0, math.inf):
        return shift.load_kw
    colder = (1 - found.tariff.pass_through) * shift.wholesale_usd_per_kwh  # ‖m‖ at 0 differs by at most this
    wrong = price_error(found) + colder + _carbon_spread(found.economy)
    volatility = stability * volatility_shift(shift.wholesale_usd_per_kwh)
    least = shift.wholesale_usd_per_kwh / shift.load_kw
    return softness + _welfare(wrong, shift.load_kw, least) + volatility


def _welfare(wrong: float, reach: float, least: float) -> float:
    """The most that welfare gains where loads move by ``reach``: ‖m‖x − ½σ_min x², supply cost being convex. [USD]"""
    moved = min(reach, wrong / least)
    return wrong * moved - least * moved**2 / 2


def _cell(found: Equilibrium, others: Sequence[Tariff], softness: float) -> tuple[ColdShift, OutcomeShift, float]:
    """How far the equilibrium is from that at 0, that from those under the tariffs between ``others``, and σ_min."""
    passed = found.tariff.pass_through
    least = min(passed, *(other.pass_through for other in others))
    moves = [
        (float(day_norm(found.economy, rate_shift(found, other))), abs(other.pass_through - passed)) for other in others
    ]

    def reached(slopes: SupplySlopes) -> tuple[ColdShift, OutcomeShift]:
        colder = _shift(softness, passed, slopes)
        if not math.isfinite(colder.load_kw):
            return colder, OutcomeShift(load_kw=math.inf, wholesale_usd_per_kwh=math.inf)
        furthest = max(rate + share * colder.wholesale_usd_per_kwh for rate, share in moves)
        return colder, outcome_shift(furthest, least, slopes)

    slopes = slopes_nearby(found, lambda slopes: sum(one.load_kw for one in reached(slopes)))
    return *reached(slopes), slopes.least


def net_bound(found: Equilibrium, others: Sequence[Tariff], softness: float, *, stability: float = 0.0) -> float:
    """Bound on J_0(a') − J_0(a) for any tariff a' between ``others``, for J = welfare − stability·IMV.

    Parameters
    ----------
    found
        The equilibrium at a, at any temperature.
    others
        Corners of the cell around it: rates are affine in each parameter of the family, so the furthest is a corner.
    softness
        As for `cold_shift`.

    Returns
    -------
    float
        At least 0. [USD per household-day]
    """
    colder, moved, least = _cell(found, others, softness)
    if not math.isfinite(moved.load_kw):
        return math.inf
    wrong = price_error(found) + (1 - found.tariff.pass_through) * colder.wholesale_usd_per_kwh
    if colder.load_kw > 0:
        wrong += _carbon_spread(found.economy)
    return _welfare(wrong, moved.load_kw, least) + stability * volatility_shift(moved.wholesale_usd_per_kwh)


def best_prices_apart(
    cold: Sequence[Equilibrium], objectives: Floats, cells: Sequence[Sequence[Tariff]], *, stability: float = 0.0
) -> tuple[Ints, float]:
    """How far the prices of any two best tariffs of a box can be from each other: a certificate of their outcome.

    Parameters
    ----------
    cold
        Equilibria at temperature 0 at the members of a net.
    objectives : (member,)
        Their J_0 = welfare − stability·IMV. [USD per household-day]
    cells
        Corners of each member's cell; the cells cover the box.

    Returns
    -------
    tuple
        Members in whose cells a best tariff may lie (kept,) int, and the bound on ‖λ − λ'‖ [USD/kWh √h].
    """
    soft = [softness_usd(one) for one in cold]
    gains = np.array([net_bound(*given, stability=stability) for given in zip(cold, cells, soft, strict=True)])
    kept = np.flatnonzero(objectives + gains >= objectives.max())
    reach = [_cell(cold[k], cells[k], soft[k])[1].wholesale_usd_per_kwh for k in kept.tolist()]
    prices = [cold[k].wholesale_usd_per_kwh for k in kept.tolist()]
    apart = max(
        float(day_norm(cold[0].economy, prices[i] - prices[j])) + reach[i] + reach[j]
        for i in range(len(kept))
        for j in range(i + 1)
    )
    return kept, apart


def volatility_shift(shift: float) -> float:
    """The most that IMV moves with prices: two ends a step, and a mean of |Δλ| is at most ‖Δλ‖/√24. [USD/kWh]"""
    return 2 * shift / math.sqrt(DAY_HOURS)


def leader_bound(values: Floats, temperature_usd: float) -> float:
    """Bound on max J − E J(â) for â drawn from softmax(J/η_L): the smaller of two. [USD per household-day]"""
    best = float(values.max())
    ties = int((values >= best - TIED).sum())
    if temperature_usd == 0 or ties == len(values):
        return 0.0 if temperature_usd == 0 else TIED
    gap = best - float(values[values < best - TIED].max())
    others = (len(values) - ties) / ties
    reach = float(np.ptp(values)) * others * math.exp(-gap / temperature_usd)
    return min(temperature_usd * math.log(len(values)), reach)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SoftmaxError:
    """The error of a softmax leader end to end, its bound, and the bound's parts. [USD per household-day]

    Attributes
    ----------
    error
        J*_0 − E J_0(â), J*_0 being the best known.
    net, followers, leader
        Parts of the bound with the worst member for each: keeping to the net, both followers' terms, drawing.
    met
        The bound with each term taken where it is met.
    largest
        The range of J_0 over all that is known, beyond which a bound is vacuous.
    """

    __repr__ = short_repr

    error: float
    net: float
    followers: float
    leader: float
    met: float
    largest: float

    @property
    def bound(self) -> float:
        """The smaller of ``met`` and the sum of the parts."""
        return min(self.met, self.net + self.followers + self.leader)

    @property
    def vacuous(self) -> bool:
        """Whether the bound exceeds the whole range of the objective."""
        return self.bound > self.largest


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Member:
    """A member of a net, as a leader knows it, and as it is among cold households.

    Attributes
    ----------
    warm, warm_objective
        Equilibrium and objective at η.
    cold_objective
        The objective at η = 0.
    followers, net
        `followers_bound`, and `net_bound` to the corners of its cell.
    """

    warm: Equilibrium
    warm_objective: float
    cold_objective: float
    followers: float
    net: float


def softmax_error(members: Sequence[Member], temperature_usd: float, best_known: float) -> SoftmaxError:
    """Put error and bound together.

    Parameters
    ----------
    members
        All members of a net, whose cells cover the box.
    temperature_usd
        The leader's η_L.
    best_known
        The best objective at η = 0 that is known of the box, from below J*_0.
    """
    warm = np.array([one.warm_objective for one in members])
    cold = np.array([one.cold_objective for one in members])
    best = max(best_known, float(cold.max()))
    if temperature_usd == 0:
        chance = (warm >= warm.max() - TIED).astype(float)
    else:
        chance = np.exp((warm - warm.max()) / temperature_usd)
    chance /= chance.sum()
    followers = max(one.followers for one in members)
    each, cells = np.array([one.followers for one in members]), np.array([one.net for one in members])
    met = math.inf
    if np.isfinite(each).all() and np.isfinite(cells).all():
        met = float((warm + each + cells).max() - chance @ (warm - each))
    return SoftmaxError(
        error=best - float(chance @ cold),
        net=max(one.net for one in members),
        followers=2 * followers,
        leader=leader_bound(warm, temperature_usd),
        met=met,
        largest=best - float(cold.min()),
    )
