"""What an allotter sees of the household types of an equilibrium, and the demand of a class of them as a line."""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.analysis.metrics.default_rate import ClassDemand
from meanwatt.analysis.metrics.equity import own_marginal_cost_usd_per_day
from meanwatt.analysis.metrics.residual_allotment import Allotter, Loads, allotted_residual_usd_per_day
from meanwatt.analysis.output.rate_classes import type_rates
from meanwatt.model.mean_field.equilibrium import Equilibrium


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Customers:
    """Household types at an equilibrium, (θ,) each.

    Attributes
    ----------
    share
        Of the population.
    loads
        Own marginal cost and energy bought.
    import_usd_per_kwh
        Mean import rate after discount over what is bought, without a tariff's components; over the hours where
        nothing is. [USD/kWh]
    wholesale_usd_per_kwh
        Mean marginal cost of what is bought; over the hours where nothing is. [USD/kWh]
    standing_usd_per_day
        Charges that do not depend on use. [USD/day]
    bill_usd_per_day
        The net bill. [USD/day]
    """

    __repr__ = short_repr

    share: Floats
    loads: Loads
    import_usd_per_kwh: Floats
    wholesale_usd_per_kwh: Floats
    standing_usd_per_day: Floats
    bill_usd_per_day: Floats


def customers_of(found: Equilibrium) -> Customers:
    """See the types of an equilibrium as an allotter does."""
    economy = found.economy
    chance = economy.slot_hours * economy.common.probability[:, None]
    bought = np.array(
        [
            chance * (flow.frequency * response.outcome.imported_kw).sum(axis=(2, 3))
            for response, flow in zip(found.answer.responses, found.answer.flows, strict=True)
        ]
    )
    cost = own_marginal_cost_usd_per_day(
        found.type_net_load_kw,
        found.wholesale_usd_per_kwh,
        slot_hours=economy.slot_hours,
        probability=economy.common.probability,
    )
    kwh = bought.sum(axis=(1, 2))
    weight = np.where(kwh[:, None, None] > 0, bought, chance)
    total = weight.sum(axis=(1, 2))
    return Customers(
        share=economy.type_share,
        loads=Loads(own_marginal_cost_usd_per_day=cost, imported_kwh_per_day=kwh),
        import_usd_per_kwh=(weight * type_rates(found).import_usd_per_kwh).sum(axis=(1, 2)) / total,
        wholesale_usd_per_kwh=(weight * found.wholesale_usd_per_kwh).sum(axis=(1, 2)) / total,
        standing_usd_per_day=found.tariff.standing_usd_per_day(found.fixed_charge_usd_per_day, economy.types),
        bill_usd_per_day=found.bill_usd_per_day,
    )


def allotments(loads: Loads, residual_usd_per_household_day: float, share: Floats) -> dict[Allotter, Floats | None]:
    """The residual of every entry by every allotter; None where what it follows is not above zero. [USD/day]"""
    return {
        allotter: allotted_residual_usd_per_day(
            residual_usd_per_household_day,
            allotter=allotter,
            own_marginal_cost_usd_per_day=loads.own_marginal_cost_usd_per_day,
            allotment_kwh_per_day=loads.imported_kwh_per_day if allotter is Allotter.PER_KWH else None,
            weights=share,
        )
        for allotter in Allotter
    }


def demand_of(found: Equilibrium, customers: Customers, members: Bools, residual_usd_per_day: Floats) -> ClassDemand:
    """Demand and cost of a class: the line through what its members buy at the mean rate they pay.

    A member's use at the reference price is what makes its own line go through that point; lines add up to a line.
    Exports are credited at marginal cost, so that they pay for themselves.

    Parameters
    ----------
    members : (θ,) bool
        Who is in the class.
    residual_usd_per_day : (θ,)
        Allotted to each type. [USD/day]
    """
    types = [one for one, inside in zip(found.economy.types, members, strict=True) if inside]
    share = customers.share[members] / customers.share[members].sum()
    elasticity, flexibility, price = (
        np.array([getattr(one, name) for one in types])
        for name in ("elasticity", "flexibility", "reference_price_usd_per_kwh")
    )
    kwh = customers.loads.imported_kwh_per_day[members]
    answered = np.clip(
        1 + elasticity * (1 - customers.import_usd_per_kwh[members] / price), 1 - flexibility, 1 + flexibility
    )
    base = np.divide(kwh, answered, out=np.zeros_like(kwh), where=answered > 0)
    weight = share * base if base.any() else share
    by_use = share * kwh if kwh.any() else share
    return ClassDemand(
        reference_kwh_per_day=float(share @ base),
        reference_price_usd_per_kwh=float(np.average(price, weights=weight)),
        elasticity=float(np.average(elasticity, weights=weight)),
        flexibility=float(np.average(flexibility, weights=weight)),
        marginal_cost_usd_per_kwh=float(np.average(customers.wholesale_usd_per_kwh[members], weights=by_use)),
        residual_usd_per_day=float(share @ residual_usd_per_day[members]),
        fixed_charge_usd_per_day=float(share @ customers.standing_usd_per_day[members]),
    )
