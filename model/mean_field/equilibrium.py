"""The followers' mean-field equilibrium at a posted tariff, with its certificates.

A fixed point in the small vector (λ[c, h], α): prices → best responses → flow → net load → prices. The game is
aggregative, so no transition matrix over joint states is ever built.
"""

import time
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.rate_classes import require_plain
from meanwatt.agents.tariff.tariff import Rates, Recovery, Tariff
from meanwatt.model.mean_field.certificates import (
    OBSERVED,
    agreement,
    contraction,
    exploitability_usd_per_day,
    smooth,
    softmax_bound_usd_per_day,
    uniqueness,
)
from meanwatt.model.mean_field.closure import closure_error_kw
from meanwatt.model.mean_field.derivatives.population_sensitivity import (
    BooksSlope,
    books_slope,
    dense_pays,
    net_load_slope,
)
from meanwatt.model.mean_field.population.game import couples
from meanwatt.model.mean_field.population.population_response import (
    COARSEST,
    Answer,
    answer,
    posted_charge_usd_per_day,
    same_types,
    surplus_usd_per_day,
)
from meanwatt.model.mean_field.solution_messages import (
    curtailed_kw,
    curtailed_kwh_per_day,
    solution_messages,
    unmet_trip_kwh_per_day,
)
from meanwatt.model.mean_field.solvers.methods import AUTO, SolverMethod, method_named
from meanwatt.model.mean_field.solvers.price_fixed_point import first_guess, solve_prices
from meanwatt.model.mean_field.solvers.price_search import PriceSolution
from meanwatt.model.mean_field.solvers.revenue_recovery import Recovered, balancing_fixed_charge, smallest_adder
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.messages import Messages, joined, scenario_messages, unpaid_messages

TOLERANCE_USD_PER_KWH = 1e-9
"""Largest residual accepted unless told."""
SURPLUS_USD_PER_DAY = 1e-6
"""A surplus of the utility that is rounding. [USD per household-day]"""


class Outcome(StrEnum):
    """How a solve ended."""

    CONVERGED = "converged"
    ROUND_LIMIT = "round_limit"
    NO_ADEQUATE_TARIFF = "no_revenue_adequate_tariff"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Equilibrium:
    """The continuum at rest under a tariff. Money is expected under p_c; axes as in `meanwatt.agents.numerics.arrays`.

    Attributes
    ----------
    outcome, message
        How the solve ended: the code, and the sentence.
    iterations
        Evaluations of the population.
    residual_usd_per_kwh
        max |s(L + rest) − λ|, and under volumetric recovery |surplus| per billed kWh. [USD/kWh]
    softmax_bound_usd_per_household_day
        A-posteriori bound on the exploitability.
    contraction
        Spectral radius of the undamped price map.
    uniqueness
        "unique by Theorem U", or "observed only", why, and how far random starts agree.
    net_load_slope : (c·h, c·h)
        Derivative ∂L/∂λ at the solution, which a solve nearby starts from; None for many prices, and where no
        certificates were asked for. [kW per USD/kWh]
    books_slope
        The same with the derivatives of surplus and in the adder, under volumetric recovery.
    wholesale_usd_per_kwh : (c, h)
        Marginal cost λ. [USD/kWh]
    rates : Rates
        Import and export rate (c, h) before discounts. [USD/kWh]
    adder_usd_per_kwh
        Volumetric adder α. [USD/kWh]
    fixed_charge_usd_per_day : (payer,)
        Fixed charge F after discount by income group, of one rate class after the other; negative is a dividend.
        [USD/day]
    net_load_kw : (c, h)
        Population mean net load per household. [kW]
    type_net_load_kw : (θ, c, h)
        Mean net load of each type. [kW]
    policies, laws
        Per type: the policy table, and the law (c, h, e, z) before the move of each slot.
    bill_usd_per_day : (θ,)
        Net bill with all standing charges. [USD/day]
    surplus_usd_per_household_day
        Revenue less cost of energy and network. [USD per household-day]
    """

    __repr__ = short_repr

    economy: Economy
    tariff: Tariff
    outcome: Outcome
    message: str
    iterations: int
    seconds: float
    residual_usd_per_kwh: float
    softmax_bound_usd_per_household_day: float
    contraction: float | None
    uniqueness: str
    net_load_slope: Floats | None
    books_slope: BooksSlope | None
    fixed_charge_usd_per_day: Floats
    surplus_usd_per_household_day: float
    answer: Answer

    @property
    def converged(self) -> bool:
        """Whether the prices answer themselves within tolerance; true also where no tariff is adequate."""
        return self.outcome in (Outcome.CONVERGED, Outcome.NO_ADEQUATE_TARIFF)

    @property
    def messages(self) -> Messages:
        """What is not as asked, a sentence each: capped, rounded, approximated, skipped."""
        about_solution = solution_messages(self.economy, self.tariff, self.answer)
        unpaid = unpaid_messages(self.tariff, self.economy.types)
        return joined(scenario_messages(self.economy.scenario), unpaid, about_solution, self._idle_adder())

    def _idle_adder(self) -> Messages:
        """That rates and charges earn more than the cost before any adder, which cannot be negative."""
        surplus = self.surplus_usd_per_household_day
        balanced = self.tariff.recovery is not Recovery.VOLUMETRIC or self.adder_usd_per_kwh > 0
        if balanced or self.outcome is not Outcome.CONVERGED or surplus <= SURPLUS_USD_PER_DAY:
            return ()
        return (
            f"tariff.recovery = volumetric: without an adder, which is never below 0, revenue exceeds cost by"
            f" {surplus:.3g} USD per household-day; the utility keeps it.",
        )

    @property
    def curtailed_kw(self) -> Floats:
        """Solar output that inverters hold back, population mean. (c, h) [kW]"""
        return curtailed_kw(self.economy, self.answer)

    @property
    def curtailed_kwh_per_household_day(self) -> float:
        """The same over an expected day; exactly 0 where all is used. [kWh]"""
        return curtailed_kwh_per_day(self.economy, self.answer)

    @property
    def unmet_trip_kwh_per_household_day(self) -> float:
        """Energy that trips of electric vehicles need and do not get, expected; 0 where they lack nothing. [kWh]"""
        return unmet_trip_kwh_per_day(self.economy, self.answer)

    @property
    def at_first_root(self) -> bool:
        """Whether the adder is above 0 and the smallest that balances revenue and cost."""
        volumetric = self.tariff.recovery is Recovery.VOLUMETRIC
        return volumetric and self.outcome is Outcome.CONVERGED and self.adder_usd_per_kwh > 0

    @property
    def exploitability_usd_per_household_day(self) -> float:
        """What the mean household could gain by the hard best response; costs one at each call. [USD/day]"""
        return exploitability_usd_per_day(self.economy, self.tariff, self.answer)

    @property
    def closure_error_kw(self) -> float:
        """What one more remembered day would tell about the load, RMS; pushes each state's day once a call. [kW]"""
        return closure_error_kw(self.economy, self.answer)

    @property
    def wholesale_usd_per_kwh(self) -> Floats:
        """Wholesale price λ. (c, h) [USD/kWh]"""
        return self.answer.wholesale_usd_per_kwh

    @property
    def rates(self) -> Rates:
        """Import and export rate before discounts."""
        return self.answer.rates

    @property
    def adder_usd_per_kwh(self) -> float:
        """Volumetric adder α. [USD/kWh]"""
        return self.answer.adder_usd_per_kwh

    @property
    def net_load_kw(self) -> Floats:
        """Population mean net load. (c, h) [kW]"""
        return self.answer.net_load_kw

    @property
    def type_net_load_kw(self) -> Floats:
        """Mean net load of each type. (θ, c, h) [kW]"""
        return self.answer.type_net_load_kw

    @property
    def policies(self) -> tuple[PolicyTable, ...]:
        """Policy table of each type."""
        return tuple(r.policy for r in self.answer.responses)

    @property
    def laws(self) -> tuple[Floats, ...]:
        """Law (c, h, e, z) of each type before the move of each slot."""
        return tuple(f.law for f in self.answer.flows)

    @property
    def bill_usd_per_day(self) -> Floats:
        """Expected net bill of each type, standing charges included. (θ,) [USD/day]"""
        charge = self.tariff.standing_usd_per_day(self.fixed_charge_usd_per_day, self.economy.types)
        return np.asarray(self.answer.payment_usd_per_day + charge)

    @property
    def standing_parts_usd_per_day(self) -> dict[str, Floats]:
        """What each type pays whatever it uses, by name of the charge, the fixed charge first. (θ,) each [USD/day]"""
        return self.tariff.standing_parts_usd_per_day(self.fixed_charge_usd_per_day, self.economy.types)


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
    books: BooksSlope | None = None
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
                    books = books_slope(economy, tariff, found)
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
    outcome = _outcome(was_cancelled, recovered, residual, tolerance_usd_per_kwh)
    return Equilibrium(
        economy=economy,
        tariff=tariff,
        outcome=outcome,
        message=_sentence(outcome, residual, surplus, tariff, recovered.prices, watch.evaluations, solved, method),
        iterations=watch.evaluations,
        seconds=time.perf_counter() - began,
        residual_usd_per_kwh=residual,
        softmax_bound_usd_per_household_day=softmax_bound_usd_per_day(economy),
        contraction=radius,
        uniqueness=certainty,
        net_load_slope=slope,
        books_slope=books,
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
            books=start.books_slope if start else None,
            method=method,
        )
    prices = solve_prices(economy, tariff, 0.0, tolerance=tolerance, watch=watch, start=before, method=method)
    return Recovered(
        prices=prices, surplus_usd_per_day=surplus_usd_per_day(economy, tariff, prices.answer), adequate=True
    )


def _where_it_stood(economy: Economy, tariff: Tariff, before: PriceSolution | None) -> Recovered:
    """After a cancellation: the start, or the answer to the first guess of prices."""
    if before is None:
        found = answer(economy, tariff, first_guess(economy), 0.0, accuracy=COARSEST)
        before = PriceSolution(answer=found, residual_usd_per_kwh=np.inf, converged=False)
    return Recovered(
        prices=before, surplus_usd_per_day=surplus_usd_per_day(economy, tariff, before.answer), adequate=True
    )


def _outcome(was_cancelled: bool, recovered: Recovered, residual: float, tolerance: float) -> Outcome:
    if was_cancelled:
        return Outcome.CANCELLED
    if residual > tolerance:
        return Outcome.ROUND_LIMIT
    return Outcome.CONVERGED if recovered.adequate else Outcome.NO_ADEQUATE_TARIFF


def _sentence(
    outcome: Outcome,
    residual: float,
    surplus: float,
    tariff: Tariff,
    prices: PriceSolution,
    evaluations: int,
    solved: bool,
    method: SolverMethod,
) -> str:
    """Put the outcome in words a reader can act on."""
    after = counted(evaluations, "evaluation")
    if outcome is Outcome.CONVERGED:
        return f"Converged: prices answer themselves within {residual:.1e} USD/kWh after {after}."
    if outcome is Outcome.ROUND_LIMIT:
        tried = f" Tried: {prices.tried}." if prices.tried else ""
        alone = "" if method is AUTO else f"{method.name} was asked for by itself: give solver {AUTO.name}, or "
        return (
            f"Not converged: prices still move by {residual:.1e} USD/kWh after {after};"
            f" {alone}raise temperature_usd or lower the pass-through.{tried}"
        )
    if outcome is Outcome.CANCELLED and solved:
        return f"Cancelled after {after}: the prices are found, their certificates are not complete."
    if outcome is Outcome.CANCELLED:
        return f"Cancelled after {after}; the figures are those of the starting point."
    return (
        f"No revenue-adequate tariff: up to an adder of {tariff.adder_cap_usd_per_kwh:g} USD/kWh revenue never covers"
        f" cost; the smallest shortfall found is {-surplus:.3f} USD per household-day at an adder of"
        f" {prices.answer.adder_usd_per_kwh:.3f} USD/kWh. Raise the fixed charge, or credit exports below the retail"
        " rate."
    )
