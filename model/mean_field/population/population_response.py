"""How the continuum answers given prices: responses, flows, net load, bills, revenue and cost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from meanwatt.agents.household.best_response import Response, best_response, value_tolerance_usd
from meanwatt.agents.household.decision_problem import DecisionProblem, ValueRule
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.peak_response import peak_response
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.rates import Rates
from meanwatt.agents.tariff.tariff import FIXED_CHARGE, ExportRule, Recovery, Tariff
from meanwatt.model.mean_field.population.flow import LAW_TOLERANCE, Flow, household_flow
from meanwatt.model.mean_field.population.game import Game
from meanwatt.model.mean_field.population.peak_flow import peak_flow
from meanwatt.model.mean_field.population.threads import for_each_type
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy

EXACT = 1e-9
"""Accuracy of probabilities where nobody asks for another."""
LAW_SHARE = 1e-2
"""Accuracy of a single probability of the law, as a share of the accuracy of net loads: a load sums over many."""


COARSE = 1e-3
"""Accuracy of an answer on the way, per USD/kWh of the residual before it,"""
COARSEST = 1e-4
"""the worst that is ever asked for,"""
COARSEST_TIED = 1e-7
"""the worst near ties, where the potential decides which way to go,"""
FINEST = 0.1
"""and that of a solution, per USD/kWh of the residual accepted."""


def decision_problem(economy: Economy, *, temperature_usd: float | None = None) -> DecisionProblem:
    """The households' outlook in a scenario, at its temperature or at the one given."""
    scenario = economy.scenario
    return DecisionProblem(
        common_kernel=economy.common.kernel,
        common_probability=economy.common.probability,
        shock_levels=economy.shock_levels,
        shock_kernel=economy.shock_kernel,
        shock_probability=economy.shock_probability,
        slot_hours=economy.slot_hours,
        temperature_usd=scenario.temperature_usd if temperature_usd is None else temperature_usd,
        discount_per_day=scenario.discount_per_day,
        value_rule=ValueRule(scenario.value_rule) if economy.anchors is None else ValueRule.ENTROPY,
        one_day=economy.one_day,
    )


def own_decision_problem(economy: Economy, horizon: DecisionProblem, type_index: int) -> DecisionProblem:
    """The outlook of one household type: its own held day, where the economy holds one."""
    return horizon if economy.held is None else replace(horizon, one_day=economy.held[type_index])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PopulationResponse:
    """The continuum's answer to a wholesale price and an adder. Money is per household-day, fixed charges excluded.

    Attributes
    ----------
    wholesale_usd_per_kwh : (c, h)
        The prices answered.
    adder_usd_per_kwh
        The volumetric adder answered.
    rates : Rates
        Import and export rate before discounts.
    responses, flows
        Per household type.
    type_net_load_kw : (θ, c, h)
        Mean net load of each type. [kW]
    payment_usd_per_day, utility_usd_per_day, wear_usd_per_day : (θ,)
        Expected per day under p_c. [USD/day]
    net_load_kw : (c, h)
        Population mean. [kW]
    billed_kwh_per_day
        Energy that the adder is charged on, weighted by 1 − discount: imports, less exports under net metering.
    envelopes
        What operating envelopes do, where it is known already, as it must be of an answer whose rates are no longer
        those decided by; None where it is to be worked out.
    """

    __repr__ = short_repr

    wholesale_usd_per_kwh: Floats
    adder_usd_per_kwh: float
    rates: Rates
    responses: tuple[Response, ...]
    flows: tuple[Flow, ...]
    type_net_load_kw: Floats
    payment_usd_per_day: Floats
    utility_usd_per_day: Floats
    wear_usd_per_day: Floats
    net_load_kw: Floats
    billed_kwh_per_day: float
    envelopes: tuple[Any, ...] | None = None


def population_response(
    economy: Economy,
    tariff: Tariff,
    wholesale_usd_per_kwh: Floats,
    adder_usd_per_kwh: float,
    *,
    start: PopulationResponse | None = None,
    temperature_usd: float | None = None,
    accuracy: float = EXACT,
    check: Callable[[], None] = lambda: None,
) -> PopulationResponse:
    """Let every household type respond to the prices, and let the laws flow.

    Parameters
    ----------
    start
        An answer to similar prices; values and laws start from it. One of other household types is set aside.
    temperature_usd
        Another temperature than the scenario's (continuation, or 0 for exact best responses). [USD]
    accuracy
        Error of the probabilities of moves, about that of net loads in kW, that is good enough far from a solution;
        a rough answer takes fewer days.
    check
        Called every second or so, from several threads; may raise to stop.
    """
    horizon = decision_problem(economy, temperature_usd=temperature_usd)
    tolerance_usd = value_tolerance_usd(horizon.temperature_usd, accuracy)
    law_tolerance = LAW_TOLERANCE if accuracy <= EXACT else LAW_SHARE * accuracy
    game = Game(economy, tariff)
    posted = game.posted_rates(wholesale_usd_per_kwh, adder_usd_per_kwh)
    start = start if start is not None and same_types(start, economy) else None

    def settle(k: int) -> tuple[Response, Flow]:
        household, own = economy.types[k], game.own_rates(posted, k)
        view = own_decision_problem(economy, horizon, k)
        before = start.responses[k] if start else None
        ties = economy.ties[k] if economy.ties else None
        anchor = economy.anchors[k] if economy.anchors else None
        midnight = start.flows[k].law[:, 0] if start else None
        if household.day_peak is not None:
            response = peak_response(household, own, view, start=before, tolerance_usd=tolerance_usd, check=check)
            back = economy.common.backward
            return response, peak_flow(response.policy, view, back, midnight, law_tolerance, check)
        response = best_response(
            household, own, view, start=before, tolerance_usd=tolerance_usd, check=check, ties=ties, anchor=anchor
        )
        return response, household_flow(response.policy, view, economy.common.backward, midnight, law_tolerance, check)

    settled = for_each_type(economy, settle)
    responses, flows = zip(*settled, strict=True)
    return summed(economy, tariff, wholesale_usd_per_kwh, adder_usd_per_kwh, posted, responses, flows)


def same_types(found: PopulationResponse, economy: Economy) -> bool:
    """Whether an answer is that of as many types, each on as many levels, in the same slots, states and shocks."""
    shape, shocks = economy.rest_load_kw.shape, economy.shock_levels.size
    wanted = [(*shape, household.levels, shocks * _ranks(household)) for household in economy.types]
    return [flow.law.shape for flow in found.flows] == wanted


def _ranks(household: HouseholdType) -> int:
    """Levels of the day's largest import in a household's state; 1 where it carries none."""
    return 1 if household.day_peak is None else household.day_peak.levels_kw.size


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PopulationOracle:
    """The continuum as a search for prices asks it: answers no more accurate than the search needs where it is.

    Attributes
    ----------
    game
        Whom to ask.
    tolerance
        Residual at which the search stops; an answer below it is as accurate as that takes. [USD/kWh]
    watch
        Counts the answers.
    temperature_usd
        Another temperature than the scenario's. [USD]
    residual_of
        What an answer misses a solution by; `price_gap` by default. [USD/kWh]
    """

    game: Game
    tolerance: float
    watch: Watch
    temperature_usd: float | None = None
    residual_of: Callable[[PopulationResponse], float] | None = None

    def respond(
        self,
        wholesale_usd_per_kwh: Floats,
        adder_usd_per_kwh: float,
        *,
        start: PopulationResponse | None = None,
        before: float = np.inf,
    ) -> tuple[PopulationResponse, float]:
        """Answer prices; return what it misses a solution by [USD/kWh], too.

        Parameters
        ----------
        start
            As for `answer`.
        before
            Residual of the prices that led here. [USD/kWh]
        """
        economy, finest = self.game.economy, finest_accuracy(self.tolerance)
        rough = max(finest, min(COARSE * before, COARSEST if economy.ties is None else COARSEST_TIED))
        while True:
            found = population_response(
                economy,
                self.game.tariff,
                wholesale_usd_per_kwh,
                adder_usd_per_kwh,
                start=start,
                temperature_usd=self.temperature_usd,
                accuracy=rough,
                check=self.watch.check,
            )
            residual = price_gap(economy, found) if self.residual_of is None else self.residual_of(found)
            self.watch.tick(residual)
            if residual > self.tolerance or rough <= finest:
                return found, residual
            start, rough = found, finest


def finest_accuracy(tolerance: float) -> float:
    """Accuracy that a solution within a tolerance [USD/kWh] needs: its own noise must not exceed the tolerance."""
    return max(min(EXACT, tolerance), FINEST * tolerance)


def price_gap(economy: Economy, found: PopulationResponse) -> float:
    """Residual max |s(L + rest) − λ| of an answer. [USD/kWh]"""
    return float(np.abs(induced_wholesale(economy, found.net_load_kw) - found.wholesale_usd_per_kwh).max())


def summed(
    economy: Economy,
    tariff: Tariff,
    wholesale_usd_per_kwh: Floats,
    adder_usd_per_kwh: float,
    posted: Rates,
    responses: Sequence[Response],
    flows: Sequence[Flow],
) -> PopulationResponse:
    """Put together what all types do: net loads, money and billed energy."""
    share = economy.type_share
    net_load = np.empty((len(economy.types), *wholesale_usd_per_kwh.shape))
    payment, utility, wear = (np.empty(len(economy.types)) for _ in range(3))
    billed_kwh = 0.0
    for k, (household, response, flow) in enumerate(zip(economy.types, responses, flows, strict=True)):
        weight = flow.frequency * economy.common.probability[:, None, None, None]
        brought = response.outcome
        net_load[k] = (flow.frequency * brought.net_load_kw).sum(axis=(2, 3))
        payment[k] = (weight * brought.payment_usd).sum()
        utility[k] = (weight * brought.utility_usd).sum()
        wear[k] = brought.mean_cost_usd(weight)
        if tariff.bears_adder(tariff.class_index(household)):
            net_metered = tariff.of(household).export_rule is ExportRule.NET_METERING
            imported_kw = brought.net_load_kw if net_metered else brought.imported_kw
            charged = household.share * tariff.kept_share(household)
            billed_kwh += charged * economy.slot_hours * float((weight * imported_kw).sum())
    return PopulationResponse(
        wholesale_usd_per_kwh=wholesale_usd_per_kwh,
        adder_usd_per_kwh=adder_usd_per_kwh,
        rates=posted,
        responses=tuple(responses),
        flows=tuple(flows),
        type_net_load_kw=net_load,
        payment_usd_per_day=payment,
        utility_usd_per_day=utility,
        wear_usd_per_day=wear,
        net_load_kw=np.tensordot(share, net_load, axes=1),
        billed_kwh_per_day=billed_kwh,
    )


def induced_wholesale(economy: Economy, net_load_kw: Floats) -> Floats:
    """Marginal cost at a mean net load (c, h): λ = s(L + rest). [USD/kWh]"""
    return np.asarray(economy.supply.price(net_load_kw + economy.rest_load_kw))


def energy_cost_usd_per_day(economy: Economy, net_load_kw: Floats, wholesale_usd_per_kwh: Floats) -> float:
    """Energy bought at the wholesale price, expected under p_c. [USD per household-day]"""
    by_state = (wholesale_usd_per_kwh * net_load_kw).sum(axis=1) * economy.slot_hours
    return float(economy.common.probability @ by_state)


def posted_charge_usd_per_day(economy: Economy, tariff: Tariff, fixed_charge_usd_per_day: Floats) -> float:
    """Mean over the population of fixed charges (payer,). [USD per household-day]"""
    return float(sum(t.share * fixed_charge_usd_per_day[tariff.payer(t)] for t in economy.types))


def standing_revenue_usd_per_day(economy: Economy, tariff: Tariff) -> dict[str, float]:
    """Mean of each charge that does not depend on use, beside the fixed charge, by name. [USD per household-day]"""
    paid = tariff.standing_parts_usd_per_day(tariff.payer_charge_usd_per_day, economy.types)
    share = [household.share for household in economy.types]
    return {
        name: sum(part * own for part, own in zip(share, by_type.tolist(), strict=True))
        for name, by_type in paid.items()
        if name != FIXED_CHARGE
    }


def surplus_usd_per_day(economy: Economy, tariff: Tariff, found: PopulationResponse) -> float:
    """Revenue, with all standing charges, less the cost of energy and network. [USD per household-day]

    Under recovery ``fixed`` the posted fixed charges are left out, but of classes that keep them: their level is what
    closes the gap.
    """
    share = np.array([t.share for t in economy.types])
    revenue = float(share @ found.payment_usd_per_day)
    if tariff.classes or tariff.recovery is not Recovery.FIXED:
        revenue += posted_charge_usd_per_day(economy, tariff, tariff.held_charge_usd_per_day)
    if any(one.standing_charges for one in tariff.class_tariffs):
        revenue += sum(standing_revenue_usd_per_day(economy, tariff).values())
    cost = energy_cost_usd_per_day(economy, found.net_load_kw, found.wholesale_usd_per_kwh)
    return revenue - cost - economy.fixed_cost_usd_per_day
