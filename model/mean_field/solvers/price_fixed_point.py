"""Equilibrium wholesale prices of the followers at a given tariff and adder; `price_search` has the iterations."""

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.population.game import Game, couples, held_types
from meanwatt.model.mean_field.population.population_response import (
    PopulationResponse,
    finest_accuracy,
    induced_wholesale,
    population_response,
)
from meanwatt.model.mean_field.population.ties import parts_somewhere, settle_ties, tie_slots
from meanwatt.model.mean_field.solvers.held_part import solve_beside
from meanwatt.model.mean_field.solvers.methods import AUTO, SolverMethod, method_named
from meanwatt.model.mean_field.solvers.price_search import PriceSearch, PriceSolution
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy


def solve_prices(
    economy: Economy,
    tariff: Tariff,
    adder_usd_per_kwh: float,
    *,
    tolerance: float,
    watch: Watch,
    start: PriceSolution | None = None,
    load_start_kw: Floats | None = None,
    method: SolverMethod = AUTO,
) -> PriceSolution:
    """Find λ = s(L(λ) + rest), the adder held.

    A solution nearby is improved by Newton's method with its own derivative, in large games with none. Otherwise many
    prices are first tried by Anderson acceleration, which needs no derivative; where that is slow, and for few prices
    at once, by Newton's method with continuation: the game is solved warm, where households spread over their options,
    and cooled down step by step, each solution being the next one's start. So are large games, whose derivative is only
    multiplied with. Where somebody carries the day's largest import in his state prices are only accelerated. At
    temperature 0 the mixture of plans that clears the market is found: with a potential its saddle point, without one
    the solution of a variational inequality.

    Parameters
    ----------
    tolerance
        Largest residual accepted. [USD/kWh]
    start
        A solution at a similar tariff on the same grid.
    load_start_kw : (c, h), optional
        System load per household whose prices to start from; by default that of reference demand. [kW]
    method
        How to look for the prices. All but ``auto`` leave out the search for shares at ties.

    Raises
    ------
    ValueError
        If the method does not apply to the game.
    """
    if load_start_kw is None:
        known = start is not None and start.answer.net_load_kw.shape == economy.rest_load_kw.shape
        net_load_kw = start.answer.net_load_kw if start is not None and known else reference_net_load_kw(economy)
        load_start_kw = net_load_kw + economy.rest_load_kw
    held = held_types(economy, tariff)
    if held:

        def solve_part(part: Economy, before: PriceSolution | None) -> PriceSolution:
            return solve_prices(
                part,
                tariff,
                adder_usd_per_kwh,
                tolerance=tolerance,
                watch=watch,
                start=before,
                load_start_kw=load_start_kw,
                method=method,
            )

        return solve_beside(
            economy, tariff, adder_usd_per_kwh, held, solve_part, tolerance=tolerance, watch=watch, start=start
        )
    if not couples(economy, tariff):
        wholesale = economy.supply.price(load_start_kw)
        found = population_response(
            economy,
            tariff,
            wholesale,
            adder_usd_per_kwh,
            start=start.answer if start else None,
            accuracy=finest_accuracy(tolerance),
            check=watch.check,
        )
        watch.tick(0.0)
        return PriceSolution(
            answer=with_wholesale(Game(economy, tariff), found, induced_wholesale(economy, found.net_load_kw)),
            residual_usd_per_kwh=0.0,
            converged=True,
        )

    def solve(tied: Economy, accuracy: float, last: PriceSolution | None) -> PriceSolution:
        search = PriceSearch(tied, tariff, adder_usd_per_kwh, accuracy, watch)
        return search.nearby(last) if last is not None else method.run(search, load_start_kw, start)

    if method is AUTO and any(household.day_peak for household in economy.types):  # no derivative is known there
        method = method_named("anderson")
    cold = economy.scenario.temperature_usd == 0  # mixtures of plans find the shares themselves
    where = None if cold or method is not AUTO else tie_slots(economy, tariff, adder_usd_per_kwh)
    if where is None:
        search = PriceSearch(economy, tariff, adder_usd_per_kwh, tolerance, watch)
        return method.run(search, load_start_kw, start)
    plain: PriceSolution | None = None
    if start is None or not parts_somewhere(start.answer):  # prices seldom rest where they could
        search = PriceSearch(economy, tariff, adder_usd_per_kwh, tolerance, watch, brief=True)
        plain = method.run(search, load_start_kw, start)
        if plain.converged:
            return plain
    before = start.answer if start else None
    settled = settle_ties(economy, tariff, where, solve, tolerance=tolerance, start=before)
    ends = [settled] if plain is None or settled.residual_usd_per_kwh <= tolerance else [settled, plain]
    return min(ends, key=lambda solution: solution.residual_usd_per_kwh)


def reference_net_load_kw(economy: Economy) -> Floats:
    """Net load if everybody used their reference demand and batteries stood still. (c, h) [kW]"""
    return np.asarray(sum(t.share * (t.reference_kw - t.pv_kw) for t in economy.types))


def first_guess(economy: Economy) -> Floats:
    """Prices at the reference net load. (c, h) [USD/kWh]"""
    return induced_wholesale(economy, reference_net_load_kw(economy))


def with_wholesale(game: Game, found: PopulationResponse, wholesale_usd_per_kwh: Floats) -> PopulationResponse:
    """The same answer beside the prices it induces, where no rate that anybody pays or earns depends on them."""
    fields = {name: getattr(found, name) for name in PopulationResponse.__slots__}
    fields["wholesale_usd_per_kwh"] = wholesale_usd_per_kwh
    fields["rates"] = game.posted_rates(wholesale_usd_per_kwh, found.adder_usd_per_kwh)
    return PopulationResponse(**fields)
