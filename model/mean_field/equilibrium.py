"""The followers' mean-field equilibrium at a posted tariff, with its certificates.

A fixed point in the small vector (λ[c, h], α): prices → best responses → flow → net load → prices. The game is
aggregative, so no transition matrix over joint states is ever built.
"""

import time

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.rate_classes import require_plain
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.model.mean_field.certificates import (
    OBSERVED,
    agreement,
    contraction,
    smooth,
    softmax_bound_usd_per_day,
    uniqueness,
)
from meanwatt.model.mean_field.derivatives.population_sensitivity import (
    RecoverySlope,
    dense_pays,
    net_load_slope,
    recovery_slope,
)
from meanwatt.model.mean_field.equilibrium_outcome import Outcome, outcome_of, outcome_sentence
from meanwatt.model.mean_field.equilibrium_state import Equilibrium
from meanwatt.model.mean_field.population.game import couples
from meanwatt.model.mean_field.population.population_response import (
    COARSEST,
    population_response,
    posted_charge_usd_per_day,
    same_types,
    surplus_usd_per_day,
)
from meanwatt.model.mean_field.solvers.methods import SolverMethod, method_named
from meanwatt.model.mean_field.solvers.price_fixed_point import first_guess, solve_prices
from meanwatt.model.mean_field.solvers.price_search import PriceSolution
from meanwatt.model.mean_field.solvers.revenue_recovery import Recovered, balancing_fixed_charge, smallest_adder
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.economy import Economy

__all__ = ["TOLERANCE_USD_PER_KWH", "Equilibrium", "Outcome", "solve_equilibrium"]

TOLERANCE_USD_PER_KWH = 1e-9
"""Largest residual accepted unless told."""


def solve_equilibrium(
    economy: Economy,
    tariff: Tariff,
    *,
    tolerance_usd_per_kwh: float = TOLERANCE_USD_PER_KWH,
    start: Equilibrium | None = None,
    certify: bool = True,
    starts: int = 0,
    solver: str = "auto",
    watch: Watch | None = None,
) -> Equilibrium:
    """Solve the followers' equilibrium at a tariff.

    Parameters
    ----------
    economy
        The scenario as arrays.
    tariff
        What the leader posts.
    tolerance_usd_per_kwh
        Largest residual accepted as converged. [USD/kWh]
    start
        A solution of a similar problem to start from; one of other household types or another grid is set aside.
    certify
        Whether to spend evaluations on the contraction factor; a search over tariffs need not.
    starts
        Random starts from which to solve again, where no theorem makes the equilibrium unique and ``certify``.
    solver
        Name of the method, one of `meanwatt.model.mean_field.solvers.methods.METHODS`.
    watch
        Told after every evaluation of the population, and asked about every second, from several threads, whether to
        stop, which ends the solve with outcome ``cancelled``.

    Returns
    -------
    Equilibrium
        Always: with outcome ``round_limit`` if the residual stayed above tolerance, ``no_revenue_adequate_tariff``
        (at the adder with the smallest shortfall) if no adder up to the cap balances revenue.

    Raises
    ------
    ValueError
        If there is no such method, it does not apply to the game, or the tariff has components.
    """
    require_plain(tariff, "this equilibrium")
    began = time.perf_counter()
    method = method_named(solver)
    watch = (watch or Watch()).fresh()
    start = start if start is not None and same_types(start.answer, economy) else None
    before = _solution_of(start, economy) if start else None
    radius: float | None = None
    slope: Floats | None = None
    books: RecoverySlope | None = None
    certainty = uniqueness(economy, tariff)
    solved = was_cancelled = False
    try:
        recovered = _recover(economy, tariff, tolerance_usd_per_kwh, watch, start, before, method)
        solved = True
        if certify:
            watch.stage = "certificates: contraction"
            found = recovered.prices.answer
            if couples(economy, tariff) and smooth(economy, found) and dense_pays(economy):
                if tariff.recovery is Recovery.VOLUMETRIC:
                    books = recovery_slope(economy, tariff, found)
                    slope = books.load_by_price
                else:
                    slope = net_load_slope(economy, tariff, found, check=watch.check)
                watch.tick()
            radius = contraction(economy, tariff, found, watch, slope)
            if starts and certainty.startswith(OBSERVED) and couples(economy, tariff) and recovered.prices.converged:
                certainty += f"; {agreement(economy, tariff, found, watch, starts)}"
    except Cancelled:
        was_cancelled = True
        if not solved:
            recovered = _where_it_stood(economy, tariff, before)
    found = recovered.prices.answer
    surplus = recovered.surplus_usd_per_day
    charge = tariff.payer_charge_usd_per_day
    residual = recovered.prices.residual_usd_per_kwh
    if tariff.recovery is Recovery.FIXED:
        charge = balancing_fixed_charge(economy, tariff, surplus)
        held = tariff.held_charge_usd_per_day if tariff.classes else 0.0
        surplus += posted_charge_usd_per_day(economy, tariff, charge - held)
    elif tariff.recovery is Recovery.VOLUMETRIC and recovered.adequate and found.adder_usd_per_kwh > 0:
        residual = max(residual, abs(surplus) / found.billed_kwh_per_day)
    outcome = outcome_of(was_cancelled, recovered, residual, tolerance_usd_per_kwh)
    return Equilibrium(
        economy=economy,
        tariff=tariff,
        outcome=outcome,
        message=outcome_sentence(
            outcome, residual, surplus, tariff, recovered.prices, watch.evaluations, solved, method
        ),
        iterations=watch.evaluations,
        seconds=time.perf_counter() - began,
        residual_usd_per_kwh=residual,
        softmax_bound_usd_per_household_day=softmax_bound_usd_per_day(economy),
        contraction=radius,
        uniqueness=certainty,
        net_load_slope=slope,
        recovery_slope=books,
        fixed_charge_usd_per_day=charge,
        surplus_usd_per_household_day=surplus,
        answer=found,
    )


def _solution_of(start: Equilibrium, economy: Economy) -> PriceSolution:
    """A solution to start from, with the derivative of Newton's system if it is known."""
    slope = start.net_load_slope
    if slope is not None:
        load_kw = start.net_load_kw + start.economy.rest_load_kw
        slope = np.eye(len(slope)) - slope * economy.supply.slope(load_kw).ravel()
    return PriceSolution(answer=start.answer, residual_usd_per_kwh=0.0, converged=True, slope=slope)


def _recover(
    economy: Economy,
    tariff: Tariff,
    tolerance: float,
    watch: Watch,
    start: Equilibrium | None,
    before: PriceSolution | None,
    method: SolverMethod,
) -> Recovered:
    """Prices at the adder that the tariff's recovery rule asks for."""
    if tariff.recovery is Recovery.VOLUMETRIC:
        return smallest_adder(
            economy,
            tariff,
            tolerance=tolerance,
            watch=watch,
            start=before,
            first_root=start is not None and start.at_first_root,
            books=start.recovery_slope if start else None,
            method=method,
        )
    prices = solve_prices(economy, tariff, 0.0, tolerance=tolerance, watch=watch, start=before, method=method)
    return Recovered(
        prices=prices, surplus_usd_per_day=surplus_usd_per_day(economy, tariff, prices.answer), adequate=True
    )


def _where_it_stood(economy: Economy, tariff: Tariff, before: PriceSolution | None) -> Recovered:
    """After a cancellation: the start, or the answer to the first guess of prices."""
    if before is None:
        found = population_response(economy, tariff, first_guess(economy), 0.0, accuracy=COARSEST)
        before = PriceSolution(answer=found, residual_usd_per_kwh=np.inf, converged=False)
    return Recovered(
        prices=before, surplus_usd_per_day=surplus_usd_per_day(economy, tariff, before.answer), adequate=True
    )
