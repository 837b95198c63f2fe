"""What prices leave open at temperature 0 of each household type's bill, and so of the burden gap.

At given prices a best answer has one worth V and one utility U, but storage plans that tie may differ in wear and in
the bill: bill = U − wear − V. With wear taken k times, V(k) is a maximum of functions affine in k, hence convex, and
the wear of best answers fills the interval [−V'(1⁺), −V'(1⁻)] (Danskin). Difference quotients bound it from outside,
so two more best responses give the range of each type's bill. Where the load is unique, revenue and mean bill are, too.

References
----------
J. M. Danskin, *The Theory of Max-Min and its Application to Weapons Allocation Problems*, Springer, 1967.
"""

from dataclasses import dataclass, replace
from itertools import permutations
from typing import Final

import numpy as np
from scipy.optimize import linprog

from meanwatt.agents.household.best_response import respond
from meanwatt.agents.household.slot_outcome import SlotOutcome, slot_outcome
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.analysis.leader.softmax_error import require_one_rate
from meanwatt.analysis.metrics.equity import DAYS_PER_YEAR
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.mean_field.population.game import Game
from meanwatt.model.mean_field.population.population_response import decision_problem

STEP: Final = 1e-3
"""Change of the wear as a share of it; large beside what rounding of prices does to the worth of plans that tie."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Range:
    """A lower and an upper bound, arrays or numbers of one shape and unit."""

    __repr__ = short_repr

    low: Floats
    high: Floats


def wear_range(found: Equilibrium) -> Range:
    """Least and most wear of exact best answers to an equilibrium's prices. (θ,) [USD/day]

    Of an electric vehicle what its trips lack counts as wear.

    Raises
    ------
    ValueError
        If the discount is below 1, or the game is of one day: best answers are of days without end.
    """
    economy = found.economy
    if economy.scenario.discount_per_day < 1 or economy.one_day is not None or economy.held is not None:
        raise ValueError("the range of wear is of days without end; give discount_per_day = 1 and leave out one_day")
    game, view = Game(economy, found.tariff), decision_problem(economy, temperature_usd=0.0)
    posted = game.posted_rates(found.wholesale_usd_per_kwh, found.adder_usd_per_kwh)
    low, high = np.zeros(len(economy.types)), np.zeros(len(economy.types))
    for type_index, household in enumerate(economy.types):
        if household.battery is None:
            continue
        brought = slot_outcome(household, game.own_rates(posted, type_index), economy.shock_levels, economy.slot_hours)

        def worth(factor: float, levels: int = household.levels, outcome: SlotOutcome = brought) -> float:
            best = respond(replace(outcome, wear_usd=factor * outcome.wear_usd), levels, view)
            return best.gain_usd_per_day

        here = worth(1.0)
        low[type_index] = max((here - worth(1 + STEP)) / STEP, 0.0)
        high[type_index] = (worth(1 - STEP) - here) / STEP
    return Range(low=low, high=high)


def burden_gap_range(found: Equilibrium) -> Range:
    """Least and largest burden gap of all exact equilibria with the prices and the load of one at temperature 0. [-]

    Wear moves bills among types, one for one, within `wear_range`; their mean stays. Bounds are outer: they may not be
    reached where the load asks for more than that.

    Raises
    ------
    ValueError
        If the temperature is above 0, as for `wear_range`, and as for `require_one_rate`: under two rates plans that
        tie may differ in use as well, and under discounts the mean of all bills is open, too.
    """
    economy = found.economy
    if economy.scenario.temperature_usd > 0:
        raise ValueError(
            f"temperature_usd is {economy.scenario.temperature_usd:g}; the bill is open at temperature 0 only"
        )
    require_one_rate(found)
    wear, own = wear_range(found), found.answer.wear_usd_per_day
    group = np.array([household.group for household in economy.types])
    share = economy.type_share
    income = economy.group_share * economy.group_income_usd_per_year
    shift = np.zeros((len(economy.groups), len(share)))
    shift[group, np.arange(len(share))] = DAYS_PER_YEAR * share / income[group]
    burden = shift @ found.bill_usd_per_day
    least, most = np.minimum(own - wear.high, 0.0), np.maximum(own - wear.low, 0.0)  # what a bill may differ by
    present = np.flatnonzero(economy.group_share > 0)
    pairs = [(burden[g] - burden[k], shift[g] - shift[k]) for g, k in permutations(present.tolist(), 2)]
    bounds = list(zip(least.tolist(), most.tolist(), strict=True))
    highest = 0.0
    for gap, slope in pairs:
        highest = max(highest, gap - _minimum(-slope, share, bounds))
    if not pairs:
        return Range(low=np.array(0.0), high=np.array(0.0))
    ahead = linprog(
        np.append(np.zeros(len(share)), 1.0),
        A_ub=np.array([np.append(slope, -1.0) for _, slope in pairs]),
        b_ub=np.array([-gap for gap, _ in pairs]),
        A_eq=np.append(share, 0.0)[None],
        b_eq=[0.0],
        bounds=[*bounds, (0.0, None)],
        method="highs",
    )
    return Range(low=np.array(ahead.fun), high=np.array(highest))


def _minimum(slope: Floats, share: Floats, bounds: list[tuple[float, float]]) -> float:
    """The least of a linear function of what bills differ by, their mean unchanged."""
    return float(linprog(slope, A_eq=share[None], b_eq=[0.0], bounds=bounds, method="highs").fun)
