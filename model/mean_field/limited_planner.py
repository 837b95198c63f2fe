"""Households within operating envelopes in the planner's problem (``meanwatt.model.mean_field.first_best``).

A limit holds for every household by itself, so a mean battery power is not enough: what a move brings in a slot depends
on the household's sun and shock. A plan of such a type is how often each move is made, m(c,h,z,j). At a price λ that
buys and sells alike use and sun within the limits are best in closed form (`meanwatt.agents.household.envelope`), and
the mean net load Σ m n(λ) falls with λ. The least cost over use and sun is jointly convex in m and the battery power of
everybody else; by the envelope theorem its slope in m is the household's own cost λ n − U at the price that clears.

What no use and no sun keeps within the limits counts `BARRED_USD` and more, as in the household's eyes. The optimum is
hence among the plans that miss the limits by as little as can be.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from meanwatt.agents.household.best_response import Response, respond
from meanwatt.agents.household.decision_problem import DecisionProblem
from meanwatt.agents.household.demand import wanted_slope_kw, wanted_use_kw
from meanwatt.agents.household.envelope import fill_limited_outcome
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.slot_outcome import slot_outcome
from meanwatt.agents.numerics.arrays import Floats, Ints, as_input
from meanwatt.agents.tariff.rates import Rates
from meanwatt.model.mean_field.population.flow import stationary_flow
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy

DARK_USD_PER_KWH = -1e-12
"""A price so little below zero that only what is curtailed differs from zero. [USD/kWh]"""
AT_WANTED_KW = 1e-12
"""Use so near to what is wanted at a price answers it. [kW]"""


class Brought(NamedTuple):
    """What moves bring at a price: net load, use, its worth, what is barred. (c·h, z, j) [kW, kW, USD/h, USD]"""

    net_kw: Floats
    use_kw: Floats
    worth_usd_per_hour: Floats
    barred_usd: Floats


class LimitedType:
    """One household type under an envelope, as the planner sees it. Slots of all common states are in one row, (c·h,).

    Attributes
    ----------
    size
        Entries of a plan m(c,h,z,j), row by row.
    """

    def __init__(self, economy: Economy, household: HouseholdType, horizon: DecisionProblem) -> None:
        """Lay out loads, sun, moves and limits."""
        assert household.envelope is not None
        self.economy, self.household, self.horizon = economy, household, horizon
        day = household.storage_day(economy.slot_hours)
        states, slots = household.reference_kw.shape
        self.reference_kw, self.pv_kw = household.reference_kw.ravel(), household.pv_kw.ravel()
        self.limits_kw = household.envelope.limits_kw.reshape(2, -1)
        power = np.broadcast_to(day.power_kw, (slots, day.moves.size))
        self.battery_kw = np.tile(power, (states, 1))
        self.shape = (states * slots, economy.shock_levels.size, day.moves.size)
        self.size = int(np.prod(self.shape))
        self.demand = (
            float(household.elasticity),
            float(household.flexibility),
            float(household.reference_price_usd_per_kwh),
        )
        self.started: Response | None = None
        chance = np.repeat(economy.common.probability, slots)
        self.barred_usd = self.brought(np.zeros(states * slots)).barred_usd * chance[:, None, None]

    def plan(self, mass: Floats, index: Ints | slice = slice(None)) -> Floats:
        """Rows of a plan as (…, c·h, z, j), times the share of the type."""
        return self.household.share * mass.reshape(*mass.shape[:-1], *self.shape)[..., index, :, :]

    def brought(self, price: Floats, index: Ints | slice = slice(None)) -> Brought:
        """What moves bring where the price buys and sells alike, in the slots of ``index``."""
        shape = (1, price.size, *self.shape[1:])
        use, net, worth, payment, barred = np.empty((5, *shape))
        rate = as_input(price[None])
        fill_limited_outcome(
            as_input(self.reference_kw[None, index]),
            as_input(self.pv_kw[None, index]),
            as_input(self.economy.shock_levels),
            as_input(self.battery_kw[index]),
            rate,
            rate,
            self.demand,
            float(self.economy.slot_hours),
            bool(self.household.curtailable),
            as_input(self.limits_kw[:, None, index]),
            use,
            net,
            worth,
            payment,
            barred,
        )
        return Brought(net[0], use[0], worth[0] / self.economy.slot_hours, barred[0])

    def answering(self, price: Floats, index: Ints | slice = slice(None)) -> Floats:
        """Derivative of the net load of moves in the price, ≤ 0. (c·h, z, j) [kW per USD/kWh]

        That of use where it is what the price makes wanted; none where a limit holds it elsewhere.
        """
        elasticity, flexibility, reference_price = self.demand
        terms = {"elasticity": elasticity, "flexibility": flexibility, "reference_price": reference_price}
        reference = self.reference_kw[index, None] * self.economy.shock_levels
        rates = price[:, None]
        found = self.brought(price, index)
        wanted = wanted_use_kw(reference, rates, **terms)[..., None]
        imports, exports = self.limits_kw[:, index, None, None]
        free = (np.abs(found.use_kw - wanted) <= AT_WANTED_KW) & (found.net_kw < imports) & (found.net_kw > -exports)
        return np.where(free, wanted_slope_kw(reference, rates, **terms)[..., None], 0.0)

    def curtailed_kw(self, found: Brought) -> Floats:
        """Sun that moves do not use. (c·h, z, j) [kW]"""
        return self.pv_kw[:, None, None] - self.battery_kw[:, None, :] + found.net_kw - found.use_kw

    def best_plan(self, price: Floats, watch: Watch) -> tuple[Floats, float]:
        """The plan that costs least at a price, flat, and its wear times the share. [USD per day]"""
        shape = self.household.reference_kw.shape
        rate = price.reshape(shape)
        rates = Rates(import_usd_per_kwh=rate, export_usd_per_kwh=rate)
        outcome = slot_outcome(self.household, rates, self.economy.shock_levels, self.economy.slot_hours)
        levels = 1 if self.household.battery is None else self.household.battery.levels
        self.started = respond(outcome, levels, self.horizon, start=self.started, check=watch.check)
        flow = stationary_flow(
            self.started.policy,
            self.horizon.shock_kernel,
            self.horizon.shock_probability,
            self.economy.common.backward,
            check=watch.check,
        )
        weight = self.economy.common.probability[:, None, None, None] * flow.frequency
        return flow.frequency.ravel(), self.household.share * outcome.mean_cost_usd(weight)


class LimitedTypes:
    """All household types under envelopes; a plan of all of them is their plans after each other."""

    def __init__(self, economy: Economy, horizon: DecisionProblem) -> None:
        """Take those with an envelope."""
        self.types = [LimitedType(economy, one, horizon) for one in economy.types if one.envelope is not None]
        self.ends = np.cumsum([one.size for one in self.types]).tolist()

    def parts(self, plan: Floats) -> Sequence[tuple[LimitedType, Floats]]:
        """Each type with its part of plans (…, size)."""
        starts = [0, *self.ends][: len(self.ends)]
        return [(one, plan[..., a:b]) for one, a, b in zip(self.types, starts, self.ends, strict=True)]

    def load_kw(self, plan: Floats, price: Floats, index: Ints | slice = slice(None)) -> Floats:
        """Mean net load of plans, each one's share counted. (…, c·h) [kW]"""
        total = np.zeros((*plan.shape[:-1], price.size))
        for one, mass in self.parts(plan):
            total += np.einsum("...szj,szj->...s", one.plan(mass, index), one.brought(price, index).net_kw)
        return total

    def slope_kw(self, plan: Floats, price: Floats) -> Floats:
        """Derivative of the mean net load of a plan in the price, ≤ 0. (c·h,) [kW per USD/kWh]"""
        return np.asarray(
            sum((one.plan(mass) * one.answering(price)).sum(axis=(1, 2)) for one, mass in self.parts(plan))
        )

    def load_and_worth(self, plan: Floats, price: Floats) -> tuple[Floats, Floats]:
        """Mean net load of plans and what their use is worth. (…, c·h) [kW], [USD/h]"""
        load, worth = np.zeros((2, *plan.shape[:-1], price.size))
        for one, mass in self.parts(plan):
            found, part = one.brought(price), one.plan(mass)
            load += np.einsum("...szj,szj->...s", part, found.net_kw)
            worth += np.einsum("...szj,szj->...s", part, found.worth_usd_per_hour)
        return load, worth

    def curtailed_kw(self, plan: Floats, price: Floats) -> Floats:
        """Mean of the sun that a plan does not use. (c·h,) [kW]"""
        total = np.zeros(price.size)
        for one, mass in self.parts(plan):
            total += (one.plan(mass) * one.curtailed_kw(one.brought(price))).sum(axis=(1, 2))
        return total

    def barred_usd(self, plan: Floats) -> float:
        """What a plan counts beyond limits. [USD per day]"""
        return float(sum((one.plan(mass) * one.barred_usd).sum() for one, mass in self.parts(plan)))

    def best_plan(self, price: Floats, watch: Watch) -> tuple[Floats, float]:
        """The plans that cost least at a price, flat; their wear, and what they count beyond limits. [USD per day]"""
        if not self.types:
            return np.zeros(0), 0.0
        found = [one.best_plan(price, watch) for one in self.types]
        plan = np.concatenate([mass for mass, _ in found])
        return plan, sum(wear for _, wear in found) + self.barred_usd(plan)
