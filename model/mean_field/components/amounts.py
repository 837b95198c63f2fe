"""What the components of a tariff come to at an answer of the continuum, type by type."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.components.component import Component
from meanwatt.agents.tariff.components.demand_charge import DemandCharge
from meanwatt.agents.tariff.components.discount_funding import DiscountFunding, FundedBy
from meanwatt.agents.tariff.components.minimum_bill import MinimumBill
from meanwatt.agents.tariff.components.subscription import Subscription
from meanwatt.agents.tariff.components.tiers import Tiers
from meanwatt.agents.tariff.rates import Rates
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.components.home_peak import expected_peak_kw
from meanwatt.model.mean_field.components.month_peak import MonthPeak, mean_import_kw, month_peak
from meanwatt.model.mean_field.components.months import Seasons, billed_kw, months_of, paid_usd, per_day
from meanwatt.model.mean_field.components.perceived import Perceived
from meanwatt.model.mean_field.population.population_response import PopulationResponse
from meanwatt.model.scenario.economy import Economy

Kind = TypeVar("Kind", bound=Component)


def component_of(tariff: Tariff, kind: type[Kind]) -> Kind | None:
    """A tariff's component of a kind, if it has one."""
    return next((one for one in tariff.components if isinstance(one, kind)), None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Amounts:
    """What components come to, expected.

    Attributes
    ----------
    month_kwh : (θ, season)
        Expected month of billed energy given the season. [kWh]
    peaks : (θ,)
        The month's largest import of each type with a demand charge, the stored energy averaged; None of the others.
    spread_kw : (θ,)
        What the stored energy adds to it. [kW]
    usd_per_day : by component, (θ,)
        What every type pays for each component, brought by adders or not. [USD/day]
    beyond_usd_per_day : by component, (θ,)
        The part that adders do not bring. [USD/day]
    discounts_usd_per_household_day
        What discounts take off the bills, mean over the population.
    funded_kwh_per_household_day
        What a surcharge that funds them is charged on.
    """

    __repr__ = short_repr

    month_kwh: Floats
    peaks: tuple[MonthPeak | None, ...]
    spread_kw: Floats
    usd_per_day: Mapping[str, Floats]
    beyond_usd_per_day: Mapping[str, Floats]
    discounts_usd_per_household_day: float
    funded_kwh_per_household_day: float


def amounts_at(
    economy: Economy,
    tariff: Tariff,
    seasons: Seasons,
    found: PopulationResponse,
    base_rates: Rates,
    seen: Perceived,
    fixed_usd_per_day: Floats,
    spread_kw: Floats,
) -> Amounts:
    """Work out every component at an answer.

    Parameters
    ----------
    tariff
        As posted, with its components.
    base_rates
        Rates of the tariff without components, at the answer's prices and adder.
    seen
        What households answered.
    fixed_usd_per_day : (θ,)
        Standing charges of each type beside components, which a minimum bill counts. [USD/day]
    spread_kw : (θ,)
        What the stored energy, averaged in ``peaks``, adds to the month's largest import. [kW]
    """
    own = [tariff.of(household) for household in economy.types]
    billed = billed_kw(economy, tariff, found)
    by_day = billed.sum(axis=2) * economy.slot_hours
    month, mean_kwh = months_of(economy, seasons, by_day), by_day @ economy.common.probability
    discounts = _discounts_usd(economy, tariff, base_rates, billed)
    peaks = tuple(
        _peak(economy, found, k, one) if one else None
        for k, one in enumerate(component_of(own_tariff, DemandCharge) for own_tariff in own)
    )
    pay = {
        **_tiers_usd(own, seasons, month),
        **_demand_usd(own, peaks, spread_kw),
        **_contracts_usd(economy, tariff, base_rates, own),
        **_funding_usd(own, discounts, seen.surcharge_usd_per_kwh * mean_kwh),
    }
    beyond = {name: paid - _brought(name, economy, seasons, found, seen, month, mean_kwh) for name, paid in pay.items()}
    others = fixed_usd_per_day + sum(beyond.values(), np.zeros(len(own)))
    raised = _minimum_usd(own, seasons, months_of(economy, seasons, paid_usd(economy, found) + others[:, None]))
    return Amounts(
        month_kwh=month,
        peaks=peaks,
        spread_kw=spread_kw,
        usd_per_day={**pay, **raised},
        beyond_usd_per_day={**beyond, **raised},
        discounts_usd_per_household_day=discounts,
        funded_kwh_per_household_day=float(economy.type_share @ mean_kwh),
    )


def _peak(economy: Economy, found: PopulationResponse, type_index: int, charge: DemandCharge) -> MonthPeak:
    """The largest import that a type is charged for; all of it where its state holds the day's."""
    policy = found.responses[type_index].policy
    if policy.peak is None:
        return month_peak(economy, mean_import_kw(found, type_index), charge.counted, charge.period_days)
    expected = expected_peak_kw(economy, policy, found.flows[type_index].law, charge.counted, charge.period_days)
    return MonthPeak(expected_kw=expected, holds=np.zeros((*economy.rest_load_kw.shape, economy.shock_levels.size)))


def _tiers_usd(own: Sequence[Tariff], seasons: Seasons, month_kwh: Floats) -> dict[str, Floats]:
    """The tier bills of the expected months. [USD/day]"""
    tiers = [component_of(one, Tiers) for one in own]
    if not any(tiers):
        return {}
    cost = [one.cost_usd(row) if one else 0.0 * row for one, row in zip(tiers, month_kwh, strict=True)]
    return {Tiers.name: per_day(seasons, np.array(cost))}


def _demand_usd(own: Sequence[Tariff], peaks: Sequence[MonthPeak | None], spread_kw: Floats) -> dict[str, Floats]:
    """Demand charges on the expected peaks. [USD/day]"""
    demands = [component_of(one, DemandCharge) for one in own]
    if not any(demands):
        return {}
    daily = [
        one.usd_per_kw * (peak.expected_kw + more) / one.period_days if one and peak else 0.0
        for one, peak, more in zip(demands, peaks, spread_kw.tolist(), strict=True)
    ]
    return {DemandCharge.name: np.array(daily)}


def _contracts_usd(economy: Economy, tariff: Tariff, base_rates: Rates, own: Sequence[Tariff]) -> dict[str, Floats]:
    """What subscriptions add. [USD/day]"""
    contracts = [component_of(one, Subscription) for one in own]
    if not any(contracts):
        return {}
    chance = economy.common.probability
    added = [
        float(chance @ subscription_usd(economy, tariff, base_rates, k, one)) if one else 0.0
        for k, one in enumerate(contracts)
    ]
    return {Subscription.name: np.array(added)}


def _funding_usd(own: Sequence[Tariff], discounts: float, surcharges: Floats) -> dict[str, Floats]:
    """What each type pays for the discounts. [USD/day]"""
    funding = component_of(own[0], DiscountFunding)
    if funding is None:
        return {}
    paid = surcharges if funding.by is FundedBy.PER_KWH else np.full(len(own), discounts)
    return {DiscountFunding.name: paid}


def _minimum_usd(own: Sequence[Tariff], seasons: Seasons, month_usd: Floats) -> dict[str, Floats]:
    """What the bills of expected months are raised by. [USD/day]"""
    minimums = [component_of(one, MinimumBill) for one in own]
    if not any(minimums):
        return {}
    added = [one.added_usd(row) if one else 0.0 * row for one, row in zip(minimums, month_usd, strict=True)]
    return {MinimumBill.name: per_day(seasons, np.array(added))}


def _brought(
    name: str,
    economy: Economy,
    seasons: Seasons,
    found: PopulationResponse,
    seen: Perceived,
    month_kwh: Floats,
    mean_kwh: Floats,
) -> Floats:
    """What the adders of a component bring. (θ,) [USD/day]"""
    if name == Tiers.name:
        return per_day(seasons, seen.adder_usd_per_kwh * month_kwh)
    if name == DemandCharge.name:
        return _brought_by_peak_adders(economy, found, seen)
    if name == DiscountFunding.name:
        return np.asarray(seen.surcharge_usd_per_kwh * mean_kwh)
    return np.zeros(len(mean_kwh))


def subscription_usd(economy: Economy, tariff: Tariff, base_rates: Rates, type_index: int, one: Subscription) -> Floats:
    """What a contract adds to a day of a household type in each common state. (c,) [USD/day]"""
    household = economy.types[type_index]
    contracted = one.contracted_kw(household.reference_kw - household.pv_kw)
    rate = tariff.own_rates(base_rates, household).import_usd_per_kwh
    return one.by_state_usd(contracted, rate, economy.common.today, economy.slot_hours)


def _brought_by_peak_adders(economy: Economy, found: PopulationResponse, seen: Perceived) -> Floats:
    """What the adders of a demand charge bring. (θ,) [USD/day]"""
    if not seen.peak_adder_usd_per_kwh:
        return np.zeros(len(economy.types))
    chance = economy.common.probability[:, None, None]
    brought = []
    for k, adder in enumerate(seen.peak_adder_usd_per_kwh):
        flow, outcome = found.flows[k], found.responses[k].outcome
        imported = (flow.frequency * outcome.imported_kw).sum(axis=3)
        brought.append(float((chance * imported * adder).sum()) * economy.slot_hours)
    return np.array(brought)


def _discounts_usd(economy: Economy, tariff: Tariff, base_rates: Rates, billed: Floats) -> float:
    """What discounts take off the bills. [USD per household-day]"""
    total = 0.0
    for k, household in enumerate(economy.types):
        kept = tariff.kept_share(household)
        rate = tariff.own_rates(base_rates, household).import_usd_per_kwh / kept
        paid_less = (1 - kept) * (rate * billed[k]).sum(axis=1)
        total += household.share * float(economy.common.probability @ paid_less) * economy.slot_hours
    return total
