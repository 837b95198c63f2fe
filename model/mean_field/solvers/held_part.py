"""Households whose rates do not follow the wholesale price, beside others whose rates do.

At a given adder the load of the former is one and the same at every price. So they are answered once, their mean load
L₀[c, h] joins that of the rest of the system, and the prices are those of the latter alone: the game of Theorem U for
rate classes, F(λ) = Σ p_c Δ [s*(λ) − λ·(rest + L₀)] + Σ_{κ_θ>0} (w_θ/κ_θ) V_θ(λ).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.population.game import Game
from meanwatt.model.mean_field.population.population_response import (
    PopulationResponse,
    finest_accuracy,
    population_response,
    price_gap,
    summed,
)
from meanwatt.model.mean_field.solvers.price_search import PriceSolution
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy


def solve_beside(
    economy: Economy,
    tariff: Tariff,
    adder_usd_per_kwh: float,
    held: Sequence[int],
    solve: Callable[[Economy, PriceSolution | None], PriceSolution],
    *,
    tolerance: float,
    watch: Watch,
    start: PriceSolution | None = None,
) -> PriceSolution:
    """Find the prices of an economy in which the load of some types is the same at every price.

    Parameters
    ----------
    held
        Places of these types.
    solve
        Finds the prices of the others' economy, from a solution of theirs.
    tolerance
        Largest residual accepted. [USD/kWh]
    start
        A solution at a similar tariff.
    """
    others = [k for k in range(len(economy.types)) if k not in held]
    apart, part = economy_of(economy, held), economy_of(economy, others)
    known = start.answer if start is not None and len(start.answer.responses) == len(economy.types) else None
    once = population_response(
        apart,
        tariff,
        np.zeros(economy.rest_load_kw.shape),
        adder_usd_per_kwh,
        start=None if known is None else answer_of(apart, tariff, known, held),
        accuracy=finest_accuracy(tolerance),
        check=watch.check,
    )
    watch.tick()
    part = replace(part, rest_load_kw=part.rest_load_kw + once.net_load_kw)
    before = None if start is None or known is None else replace(start, answer=answer_of(part, tariff, known, others))
    found = solve(part, before)
    both = [*zip(held, once.responses, once.flows, strict=True)]
    both += zip(others, found.answer.responses, found.answer.flows, strict=True)
    _, responses, flows = zip(*sorted(both, key=lambda row: row[0]), strict=True)
    price = found.answer.wholesale_usd_per_kwh
    posted = Game(economy, tariff).posted_rates(price, adder_usd_per_kwh)
    whole = summed(economy, tariff, price, adder_usd_per_kwh, posted, responses, flows)
    return replace(found, answer=whole, residual_usd_per_kwh=price_gap(economy, whole))


def economy_of(economy: Economy, places: Sequence[int]) -> Economy:
    """The economy with some of its household types alone, their shares of the population as they are."""
    return replace(
        economy,
        types=tuple(economy.types[k] for k in places),
        held=None if economy.held is None else tuple(economy.held[k] for k in places),
        ties=None if economy.ties is None else tuple(economy.ties[k] for k in places),
        anchors=None if economy.anchors is None else tuple(economy.anchors[k] for k in places),
    )


def answer_of(economy: Economy, tariff: Tariff, found: PopulationResponse, places: Sequence[int]) -> PopulationResponse:
    """The part of an answer that is some types'."""
    return summed(
        economy,
        tariff,
        found.wholesale_usd_per_kwh,
        found.adder_usd_per_kwh,
        found.rates,
        [found.responses[k] for k in places],
        [found.flows[k] for k in places],
    )
