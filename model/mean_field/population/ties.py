"""Prices at which households of one type part between two plans: where that can be, and how the shares are found.

Where exports earn more than imports cost, or sun may be curtailed, a household's best plan changes at once as rates
pass a tie, and so the load jumps in the price. The equilibrium price may rest in such a jump: all households that tie
are indifferent, and the shares in which they part are those that clear the market.

The shares are found by the proximal point method (Rockafellar, *Monotone operators and the proximal point algorithm*,
SIAM J. Control Optim. 14, 1976) with the entropy as distance: with shares μ known, plans are chosen by a logit around
them, μ'ₖ ∝ μₖ exp(worthₖ/τ), which makes the load a smooth function of the price, and the value a convex one; the
prices are solved with that; the shares found take the place of those known. Where they answer themselves every two
plans in use are worth exactly the same at any τ, so that no smoothing is left in the solution. What plans forgo is
measured, and decides when to stop.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

import numpy as np

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.slot_outcome import plan_reward_usd
from meanwatt.agents.household.split import Ties
from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.agents.tariff.rates import Rates
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.population.game import Game
from meanwatt.model.mean_field.population.load_reach import price_range
from meanwatt.model.mean_field.population.population_response import PopulationResponse
from meanwatt.model.scenario.economy import Economy

WIDE_USD = 3e-3
"""Temperature at which shares nobody knows are first looked for. [USD per hour]"""
NEARBY_USD = 1e-5
"""The same beside a solution. [USD per hour]"""
FINEST_USD = 3e-7
"""Below this, rounding of the worth of plans would be seen in the shares. [USD per hour]"""
SHARPEST, GENTLEST = 0.02, 0.7
"""Factors between temperatures: shares that moved much make it fall slowly, so that prices stay in the jump."""
TOO_NEAR = 0.97
"""Temperatures this near to one that was solved are not tried."""
STAGE_LIMIT = 40
SETTLED_USD_PER_DAY = 1e-11
"""What may be forgone by plans that are not the best, mean over the population. [USD per household-day]"""
ROUNDING_USD_PER_KWH = 1e-12
LOOSE = 1e-3
"""Accuracy of prices on the way, as a share of the temperature."""


class Solved(Protocol):
    """Prices that answer themselves, or the best that was found."""

    @property
    def answer(self) -> PopulationResponse:
        """The continuum's answer to the prices."""

    @property
    def residual_usd_per_kwh(self) -> float:
        """What the prices miss. [USD/kWh]"""

    @property
    def converged(self) -> bool:
        """Whether that is within tolerance."""


def tie_slots(economy: Economy, tariff: Tariff, adder_usd_per_kwh: float) -> tuple[Bools, ...] | None:
    """Slots (c, h) of each type in which the price may rest at a tie of plans; None where nobody's can."""
    game = Game(economy, tariff)
    ends = [game.posted_rates(price, adder_usd_per_kwh) for price in price_range(economy)]
    found = tuple(
        _ties(household, [game.own_rates(end, type_index) for end in ends])
        for type_index, household in enumerate(economy.types)
    )
    return found if any(where.any() for where in found) else None


def _ties(household: HouseholdType, ends: Sequence[Rates]) -> Bools:
    """Where two plans of a type may be worth the same at some price between two ends."""
    bought, sold = (np.array([getattr(end, f"{name}_usd_per_kwh") for end in ends]) for name in ("import", "export"))
    follows = (bought[0] != bought[1]) | (sold[0] != sold[1])
    dearer = (sold > bought + ROUNDING_USD_PER_KWH).any(axis=0)
    sides = (household.pv_kw > 0) | (household.battery is not None)

    def passes_zero(rate: Floats) -> Bools:
        return np.asarray((rate[0] <= 0) & (rate[1] >= 0) & (rate[0] < rate[1]))

    worthless = (passes_zero(bought) | passes_zero(sold)) & (household.pv_kw > 0) & household.curtailable
    return np.asarray(follows & ((dearer & sides) | worthless))


S = TypeVar("S", bound=Solved)


def settle_ties(
    economy: Economy,
    tariff: Tariff,
    where: Sequence[Bools],
    solve: Callable[[Economy, float, S | None], S],
    *,
    tolerance: float,
    start: PopulationResponse | None = None,
) -> S:
    """Find the prices and the shares in which households part at ties.

    Parameters
    ----------
    where
        As from `tie_slots`.
    solve
        Finds the prices of an economy whose ties are smoothed, to a tolerance [USD/kWh], from the last solution.
    tolerance
        Largest residual accepted. [USD/kWh]
    start
        An answer to a similar tariff.
    """
    shares = shares_of(start, economy)
    unknown = all(share is None for share in shares)
    temperature = economy.slot_hours * (WIDE_USD if unknown else NEARBY_USD)
    best: S | None = None
    before = temperature
    for _ in range(STAGE_LIMIT):
        ties = tuple(
            Ties(where=here, before=share, temperature_usd=temperature)
            for here, share in zip(where, shares, strict=True)
        )
        found = solve(replace(economy, ties=ties), max(tolerance, LOOSE * temperature / economy.slot_hours), best)
        if not found.converged and best is not None:  # too far from the last solution
            temperature = (temperature * before) ** 0.5
            if temperature > TOO_NEAR * before:
                break
            continue
        best, before = found, temperature
        if not found.converged:
            break
        if forgone_by_plans_usd_per_day(economy, tariff, found.answer) <= SETTLED_USD_PER_DAY:
            if found.residual_usd_per_kwh <= tolerance:
                break
            moved = 0.0
        else:
            moved = _moved(economy, found.answer, ties)
        shares = shares_of(found.answer, economy)
        temperature = max(economy.slot_hours * FINEST_USD, temperature * float(np.clip(2 * moved, SHARPEST, GENTLEST)))
    assert best is not None
    return best


def shares_of(found: PopulationResponse | None, economy: Economy) -> list[Floats | None]:
    """Shares of plans in an answer, by type; None where it has none."""
    if found is None or len(found.responses) != len(economy.types):
        return [None] * len(economy.types)
    splits = [response.outcome.split for response in found.responses]
    return [None if split is None or split.temperature_usd == 0 else split.share for split in splits]


def parts_somewhere(found: PopulationResponse) -> bool:
    """Whether households of any type part, in a slot and at a move that occur."""
    return any(
        response.outcome.split is not None and bool((response.outcome.split.parts & (flow.frequency > 0)).any())
        for response, flow in zip(found.responses, found.flows, strict=True)
    )


def forgone_by_plans_usd_per_day(
    economy: Economy, tariff: Tariff, found: PopulationResponse, posted: Rates | None = None
) -> float:
    """What households forgo by plans that are not best, at an answer's rates or at others. [USD per household-day]"""
    posted = found.rates if posted is None else posted
    total = 0.0
    for household, response, flow in zip(economy.types, found.responses, found.flows, strict=True):
        split = response.outcome.split
        if split is not None:
            own = tariff.own_rates(posted, household)
            worth = plan_reward_usd(household, own, split, economy.shock_levels, economy.slot_hours)
            lost = worth.max(axis=-1) - split.mean(worth)
            weight = flow.frequency * economy.common.probability[:, None, None, None]
            total += household.share * float((weight * lost).sum())
    return total


def _moved(economy: Economy, found: PopulationResponse, ties: Sequence[Ties]) -> float:
    """Largest change of a share that matters."""
    largest = 0.0
    for response, flow, tie in zip(found.responses, found.flows, ties, strict=True):
        split = response.outcome.split
        if split is not None and tie.before is not None and tie.before.shape == split.share.shape:
            change = np.abs(split.share - tie.before).max(axis=-1)
            largest = max(largest, float((change * (flow.frequency > 1e-9) * split.parts).max()))
        elif split is not None:
            largest = 1.0
    return largest
