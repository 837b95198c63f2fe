"""The continuum at rest under a tariff: what a solve finds, and what follows from it."""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.rates import Rates
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.model.mean_field.certificates import exploitability_usd_per_day
from meanwatt.model.mean_field.closure import closure_error_kw
from meanwatt.model.mean_field.derivatives.population_sensitivity import RecoverySlope
from meanwatt.model.mean_field.envelope_outcome import EnvelopeOutcome, envelope_outcomes
from meanwatt.model.mean_field.equilibrium_outcome import Outcome
from meanwatt.model.mean_field.population.population_response import PopulationResponse
from meanwatt.model.mean_field.solution_messages import (
    curtailed_kw,
    curtailed_kwh_per_day,
    solution_messages,
    unmet_trip_kwh_per_day,
)
from meanwatt.model.scenario.branches import branch_messages
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.envelopes import envelope_messages
from meanwatt.model.scenario.messages import Messages, joined, scenario_messages, unpaid_messages, waiting_messages

SURPLUS_USD_PER_DAY = 1e-6
"""A surplus of the utility that is rounding. [USD per household-day]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
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
    recovery_slope
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
    recovery_slope: RecoverySlope | None
    fixed_charge_usd_per_day: Floats
    surplus_usd_per_household_day: float
    answer: PopulationResponse

    @property
    def converged(self) -> bool:
        """Whether the prices answer themselves within tolerance; true also where no tariff is adequate."""
        return self.outcome in (Outcome.CONVERGED, Outcome.NO_ADEQUATE_TARIFF)

    @property
    def messages(self) -> Messages:
        """What is not as asked, a sentence each: capped, rounded, approximated, skipped."""
        about_solution = solution_messages(self.economy, self.tariff, self.answer)
        unpaid = unpaid_messages(self.tariff, self.economy.types)
        branches = branch_messages(self.economy.scenario, self.economy.types)
        envelopes = envelope_messages(self.economy.scenario, self.economy.types)
        known = scenario_messages(self.economy.scenario)
        waiting = waiting_messages(self.tariff)
        return joined(known, branches, envelopes, unpaid, waiting, about_solution, self._idle_adder())

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
    def envelopes(self) -> tuple[EnvelopeOutcome, ...]:
        """What operating envelopes do to each income group under them; works it out at each call."""
        return envelope_outcomes(self.economy, self.tariff, self.answer)

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

    def class_adder_usd_per_kwh(self, place: int) -> float:
        """Adder on what a rate class pays; 0 where it keeps its posted rates among others. [USD/kWh]"""
        return self.adder_usd_per_kwh if self.tariff.bears_adder(place) else 0.0

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
