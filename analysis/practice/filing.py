"""The tariff that usual practice files, and the response that it predicts: loads and prices are frozen.

A rate case takes last year's loads and prices as they are. The rate of a window is the marginal cost of what was sold
in it, the fixed charge is what is then still missing, and customers are expected to move along one own-price
elasticity. Batteries keep doing what they did, and so does the wholesale price.
"""

from dataclasses import dataclass, replace

import numpy as np

from meanwatt.agents.household.envelope import Envelope
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.rate_classes import with_each_class
from meanwatt.agents.tariff.rates import payment_usd
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.analysis.practice.windows import Windows
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.mean_field.population.game import Game
from meanwatt.model.mean_field.population.population_response import (
    energy_cost_usd_per_day,
    posted_charge_usd_per_day,
    standing_revenue_usd_per_day,
)
from meanwatt.model.mean_field.solvers.revenue_recovery import balancing_fixed_charge
from meanwatt.model.scenario.economy import Economy

NAME = "practice"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predicted:
    """What households do and pay by the prediction; wholesale prices are those of the tariff in force.

    Attributes
    ----------
    type_net_load_kw : (θ, c, h)
        Mean net load of each type. [kW]
    net_load_kw : (c, h)
        Population mean. [kW]
    bill_usd_per_day : (θ,)
        Net bill with all standing charges. [USD/day]
    revenue_usd_per_household_day, surplus_usd_per_household_day
        Net bills, and what they exceed the cost of energy at frozen prices and of the network by.
    floored
        Whether the step would have taken some use below 0, where it was stopped.
    """

    __repr__ = short_repr

    type_net_load_kw: Floats
    net_load_kw: Floats
    bill_usd_per_day: Floats
    revenue_usd_per_household_day: float
    surplus_usd_per_household_day: float
    floored: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Filing:
    """A tariff by usual practice.

    Attributes
    ----------
    tariff
        As it is filed: rates by window and the fixed charges posted.
    rates_usd_per_kwh : (window,)
        Its energy charges. [USD/kWh]
    imports_kwh_per_day : (window,)
        What meters sold in each window at the tariff in force, expected over a day. [kWh per household-day]
    frozen
        What the tariff brings if nobody moves.
    predicted
        What it brings if use moves by one step of the elasticity.
    """

    __repr__ = short_repr

    tariff: Tariff
    rates_usd_per_kwh: Floats
    imports_kwh_per_day: Floats
    frozen: Predicted
    predicted: Predicted


def file_tariff(in_force: Equilibrium, windows: Windows, base: Tariff | None = None) -> Filing:
    """File the tariff that usual practice makes of the loads and prices of the tariff in force.

    A window's rate is the social marginal cost s + carbon of the frozen loads, weighted by what meters sold in each of
    its slots (the plain mean where they sold nothing); each rate class has windows and rates of its own. The fixed
    charge covers what the frozen revenue of all then lacks, in the proportions of the tariffs in force: those of posted
    charges, or of ``fixed_charge_shape`` where one posts none. Export credit, discounts, other standing charges and
    components stay; nothing of the wholesale price is passed through.

    Parameters
    ----------
    base
        What stays is as here; by default as in force.
    """
    base = in_force.tariff if base is None else base
    economy = in_force.economy
    imports = class_imports_kw(in_force)
    cost = social_marginal_cost(in_force)
    window = np.stack([of_class[economy.common.today] for of_class in windows.of_class])
    weight = economy.common.probability[:, None] * economy.slot_hours
    sold, rates = np.zeros(len(windows.names)), np.zeros(len(windows.names))
    for k in range(len(windows.names)):
        inside = np.where(window == k, weight, 0.0)
        sold[k] = (inside * imports).sum()
        by = inside * imports if sold[k] > 0 else inside
        rates[k] = (by * cost).sum() / by.sum() if by.any() else cost.mean()
    if windows.given_usd_per_kwh is not None:
        rates = np.where(np.isnan(windows.given_usd_per_kwh), rates, windows.given_usd_per_kwh)
    by_charge = all(_charges_stand(own) for own in base.class_tariffs)

    def filed(place: int, own: Tariff) -> Tariff:
        return replace(
            own,
            name=NAME,
            energy_usd_per_kwh=rates[windows.of_class[place]],
            pass_through=0.0,
            recovery=Recovery.POSTED,
            fixed_charge_usd_per_day=np.zeros(len(economy.groups)),
            fixed_charge_shape=own.fixed_charge_usd_per_day if by_charge else own.fixed_charge_shape,
        )

    tariff = with_each_class(base, filed)
    short = predict(in_force, tariff, elasticity=0.0)
    charges = posted_balance(economy, tariff, short.surplus_usd_per_household_day)
    posted = with_each_class(tariff, lambda place, own: replace(own, fixed_charge_usd_per_day=charges[place]))
    return Filing(
        tariff=posted,
        rates_usd_per_kwh=rates,
        imports_kwh_per_day=sold,
        frozen=predict(in_force, posted, elasticity=0.0),
        predicted=predict(in_force, posted),
    )


def social_marginal_cost(found: Equilibrium) -> Floats:
    """Marginal cost of the system at an equilibrium's loads, carbon included. (c, h) [USD/kWh]"""
    supply, load = found.economy.supply, found.net_load_kw + found.economy.rest_load_kw
    return np.asarray(supply.price(load) + found.economy.carbon_usd_per_t * supply.marginal_emissions_t_per_kwh(load))


def predict(in_force: Equilibrium, filed: Tariff, *, elasticity: float | None = None) -> Predicted:
    """Predict loads and bills under a filed tariff from those of the tariff in force.

    Where a household buys, its use moves by −ε·use·Δr⁺/p0, where it sells by −ε·use·Δr⁻/p0, never below 0; nothing
    else moves, and nobody is moved beyond the limits of an operating envelope. Rates are the household's own, after its
    discount. Of the tariff's components households are expected to pay what they pay in force.

    Parameters
    ----------
    elasticity
        Own-price elasticity ε as a positive number; each type's own without it.
    """
    economy, frozen = in_force.economy, in_force.answer
    new = Game(economy, filed).posted_rates(frozen.wholesale_usd_per_kwh, 0.0)
    weight = economy.common.probability[:, None, None, None]
    net_load = np.empty_like(in_force.type_net_load_kw)
    paid = np.empty(len(economy.types))
    floored = False
    for k, (household, response, flow) in enumerate(zip(economy.types, frozen.responses, frozen.flows, strict=True)):
        plans, by = response.outcome.plans, household.elasticity if elasticity is None else elasticity
        before = in_force.tariff.own_rates(frozen.rates, household)
        after = filed.own_rates(new, household)
        buying, selling = after.import_usd_per_kwh, after.export_usd_per_kwh
        bought, sold = (
            (one - other)[:, :, None, None, None] / household.reference_price_usd_per_kwh
            for one, other in ((buying, before.import_usd_per_kwh), (selling, before.export_usd_per_kwh))
        )
        net = plans.net_load_kw
        relative = -by * np.where(net > 0, bought, np.where(net < 0, sold, 0.0))
        used = (flow.frequency[..., None] * plans.share > 0) & (plans.use_kw > 0)
        floored |= bool((relative[used] < -1.0).any())
        moved = net + plans.use_kw * np.maximum(relative, -1.0)
        if household.envelope is not None:
            moved = within_limits(household.envelope, net, moved)
        payment = payment_usd(
            moved, buying[:, :, None, None, None], selling[:, :, None, None, None], economy.slot_hours
        )
        net_load[k] = (flow.frequency * plans.mean(moved)).sum(axis=(2, 3))
        paid[k] = (weight * flow.frequency * plans.mean(payment)).sum()
    mean = np.tensordot(economy.type_share, net_load, axes=1)
    if filed.has_components:
        paid += components_usd_per_day(in_force)
    revenue = float(economy.type_share @ paid) + posted_charge_usd_per_day(
        economy, filed, filed.payer_charge_usd_per_day
    )
    revenue += sum(standing_revenue_usd_per_day(economy, filed).values())
    cost = energy_cost_usd_per_day(economy, mean, frozen.wholesale_usd_per_kwh) + economy.fixed_cost_usd_per_day
    return Predicted(
        type_net_load_kw=net_load,
        net_load_kw=mean,
        bill_usd_per_day=paid + filed.standing_usd_per_day(filed.payer_charge_usd_per_day, economy.types),
        revenue_usd_per_household_day=revenue,
        surplus_usd_per_household_day=revenue - cost,
        floored=floored,
    )


def within_limits(envelope: Envelope, before_kw: Floats, moved_kw: Floats) -> Floats:
    """Net load moved as far as limits allow, and no further beyond one than it was before. (c, h, …) [kW]"""
    imports, exports = (limit[:, :, None, None, None] for limit in envelope.limits_kw)
    return np.asarray(np.clip(moved_kw, np.minimum(before_kw, -exports), np.maximum(before_kw, imports)))


def components_usd_per_day(found: Equilibrium) -> Floats:
    """What a tariff's components come to for every household type: its bill less energy and standing charges. (θ,)"""
    posted = found.tariff.standing_usd_per_day(found.fixed_charge_usd_per_day, found.economy.types)
    hours, chance = found.economy.slot_hours, found.economy.common.probability
    energy = []
    for household, response, flow in zip(found.economy.types, found.answer.responses, found.answer.flows, strict=True):
        own, plans = found.tariff.own_rates(found.rates, household), response.outcome.plans
        paid = payment_usd(
            plans.net_load_kw,
            own.import_usd_per_kwh[:, :, None, None, None],
            own.export_usd_per_kwh[:, :, None, None, None],
            hours,
        )
        energy.append(chance @ (flow.frequency * plans.mean(paid)).sum(axis=(1, 2, 3)))
    return np.asarray(found.bill_usd_per_day - posted - np.array(energy))


def imports_kw(found: Equilibrium) -> Floats:
    """What meters sell, population mean. (c, h) [kW]"""
    return np.asarray(class_imports_kw(found).sum(axis=0))


def class_imports_kw(found: Equilibrium) -> Floats:
    """What meters of each rate class sell, over the households of all. (class, c, h) [kW]"""
    tariff, answer = found.tariff, found.answer
    sold = np.zeros((len(tariff.class_tariffs), *answer.net_load_kw.shape))
    for one, response, flow in zip(found.economy.types, answer.responses, answer.flows, strict=True):
        drawn = (flow.frequency * response.outcome.imported_kw).sum(axis=(2, 3))
        sold[tariff.class_index(one)] += one.share * drawn
    return sold


def posted_balance(economy: Economy, tariff: Tariff, surplus_without: float) -> Floats:
    """Fixed charges by rate class whose level closes the gap where all of them are posted. (class, group) [USD/day]"""
    balanced = with_each_class(tariff, lambda _, own: replace(own, recovery=Recovery.FIXED))
    return balancing_fixed_charge(economy, balanced, surplus_without).reshape(-1, len(economy.groups))


def _charges_stand(base: Tariff) -> bool:
    """Whether a tariff's posted charges tell the proportions between income groups."""
    posted = base.fixed_charge_usd_per_day
    return bool(base.recovery is not Recovery.FIXED and (posted >= 0).all() and posted.any())
