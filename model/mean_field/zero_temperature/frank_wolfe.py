"""The exact equilibrium at temperature 0, ties included, by fully corrective Frank–Wolfe.

Under Theorem U's conditions with a given adder the equilibrium is the saddle point of

    D(λ, m) = Σ_{c,h} p_c Δ [s*(λ) − λ·rest] + Σ_θ (w_θ/κ_θ) Σ_k m_θk ⟨f_θk, r_θ(λ)⟩,

convex in the price λ and linear in the mixture m, where a *column* f_θk[c, h, z, j] is the frequency of shocks and
moves under one policy, r_θ the reward at best use and κ_θ the slope of the type's import rate in λ. Every round

* clears the market for the present mixture: min over λ, one scalar equation λ = s(rest + L(λ)) a slot;
* lets every type answer λ by its best plan, which becomes a column;
* re-optimises the mixture of all columns by Newton steps on a product of simplices.

The duality gap at the clearing price is Σ_θ (w_θ/κ_θ) (best gain − gain of the mixture), zero where the exploitability
Σ_θ w_θ (best gain − gain of the mixture) is, by which the rounds are judged. No step size and no temperature enters, so
there is no softmax bias, and a tie is split as the market needs it (Lacoste-Julien, Jaggi, *On the global linear
convergence of Frank–Wolfe optimization variants*, NeurIPS 2015).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from meanwatt.agents.household.best_response import Response
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.population.flow import Flow
from meanwatt.model.mean_field.population.game import Game, held_types, potential_failures
from meanwatt.model.mean_field.population.population_response import PopulationResponse, decision_problem, summed
from meanwatt.model.mean_field.population.ties import tie_slots
from meanwatt.model.mean_field.population.type_stack import stack_types, terms_of
from meanwatt.model.mean_field.zero_temperature.column_pool import Columns, clear_mixture, reoptimise
from meanwatt.model.mean_field.zero_temperature.market_clearing import Cleared, start_at
from meanwatt.model.mean_field.zero_temperature.single_day_plans import SingleDayPlans
from meanwatt.model.mean_field.zero_temperature.stationary_plans import EndlessPlans
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy

GAP_USD_PER_DAY = 1e-10
"""Exploitability at which the equilibrium counts as exact. [USD per household-day]"""
ROUND_LIMIT = 500


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExactSolution:
    """An equilibrium at temperature 0.

    Attributes
    ----------
    answer
        The continuum's answer; policies are the mixtures of best plans that clear the market.
    gap_usd_per_day
        Exploitability at the prices found. [USD per household-day]
    rounds
        Best responses of the population.
    converged
        Whether the gap met the tolerance.
    """

    answer: PopulationResponse
    gap_usd_per_day: float
    rounds: int
    converged: bool


class Plans(Protocol):
    """Everybody's best plans at the prices of the day, in a pool of columns."""

    columns: Columns

    def answer(self, here: Cleared) -> float:
        """Add everybody's best plan as a column; return the gap of the mixtures to it. [USD per household-day]"""

    def policies(self, here: Cleared) -> list[tuple[Response, Flow]]:
        """The mixtures as policies: each plan followed as often as its households are in a state."""


def solve_exact(
    economy: Economy,
    tariff: Tariff,
    adder_usd_per_kwh: float,
    wholesale_usd_per_kwh: Floats,
    *,
    watch: Watch,
    gap_usd_per_day: float = GAP_USD_PER_DAY,
    start: PopulationResponse | None = None,
    slow: Callable[[list[float]], bool] = lambda gaps: False,
) -> ExactSolution:
    """Find the equilibrium at temperature 0 of a game with a potential.

    Parameters
    ----------
    wholesale_usd_per_kwh : (c, h)
        Prices of the first round.
    gap_usd_per_day
        Exploitability at which to stop.
    start
        Policies to begin with, for days without end; without it everybody's best plan at the first prices.
    slow
        Whether to stop, from the exploitability of every round.

    Raises
    ------
    ValueError
        If the game has no potential: a condition of Theorem U fails.
    """
    failed = potential_failures(economy, tariff)
    if held_types(economy, tariff):
        failed.append("some rate classes do not follow the wholesale price; solve_prices finds their load first")
    if failed:
        raise ValueError(
            f"tariff {tariff.name}: the exact solver needs a potential: {failed[0]}; give solver 'mixed_plans', or a"
            " temperature above 0"
        )
    horizon = decision_problem(economy, temperature_usd=0.0)
    jumps = tie_slots(economy, tariff, adder_usd_per_kwh) is not None
    types, terms = stack_types(economy, jumps=jumps), terms_of(economy, tariff, adder_usd_per_kwh)
    single = economy.one_day is not None or economy.held is not None
    plans: Plans = (
        SingleDayPlans(economy, horizon, types) if single else EndlessPlans(economy, horizon, types, check=watch.check)
    )
    here = start_at(types, terms, wholesale_usd_per_kwh, jumps=jumps)
    if start is not None and isinstance(plans, EndlessPlans):
        plans.adopt(start)
    else:
        plans.answer(here)
        watch.tick()
    value = clear_mixture(types, terms, plans.columns, here)
    rounds, moved, gaps = 1, None, list[float]()
    while True:
        gap = plans.answer(here)
        rounds += 1
        watch.tick(moved)
        gaps.append(gap)
        if gap <= gap_usd_per_day or rounds >= ROUND_LIMIT or slow(gaps):
            break
        before = here.price.copy()
        value = reoptimise(types, terms, plans.columns, here, value, gap)
        moved = float(np.abs(here.price - before).max())
    responses, flows = zip(*plans.policies(here), strict=True)
    posted = Game(economy, tariff).posted_rates(here.price, adder_usd_per_kwh)
    return ExactSolution(
        answer=summed(economy, tariff, here.price, adder_usd_per_kwh, posted, responses, flows),
        gap_usd_per_day=max(gap, 0.0),
        rounds=rounds,
        converged=gap <= gap_usd_per_day,
    )
