"""Households that learn, written in plain numpy, end at the prices of the solver: fictitious play and mirror descent.

Both work on the potential of Theorem U at temperature 0. Where the population's time average forgoes g by not answering
its own prices best, the potential is within g of its least, and with affine supply of slope b prices are within
√(2 b g/(p Δ)) of the equilibrium's. So each test needs no more than the gap that the dynamics themselves report:

* fictitious play (Brown 1951; for mean-field games Perrin et al. 2020): everybody answers the average of all days so
  far, a Frank–Wolfe method with step 1/(day + 1), whose gap falls like 1/k up to a logarithm;
* online mirror descent (Perolat et al. 2022): values add up, policies are their softmax; the gap of the average falls
  like 1/√k with a step like 1/√k.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from scenarios import WEATHER, small_economy, small_tariff
from scipy import sparse
from scipy.optimize import linprog

from meanwatt.agents.household.decision_problem import OneDay
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.scenario.economy import Economy

STEEPNESS = 0.3
NEAR_USD_PER_KWH = 3e-3
"""Prices come closer than the bound, for which the whole gap may fall on one slot of the rarest day."""
CHARGE = np.array([0.4, 0.3, 0.2, 0.1])


def single_day(salvage: float = 0.1, **changes: object) -> Economy:
    """Three kinds of days of six slots, batteries of four levels, most of them low at the start."""
    economy = small_economy(slots=6, temperature_usd=0.0, steepness=STEEPNESS, battery_share=0.7, **changes)
    return replace(economy, one_day=OneDay(charge_law=CHARGE, salvage_usd_per_kwh=salvage))


def endless(**changes: object) -> Economy:
    return small_economy(slots=3, temperature_usd=0.0, steepness=STEEPNESS, battery_share=0.7, **changes)


def billed(economy: Economy, pass_through: float = 1.0) -> Tariff:
    """Exports earn three cents less than imports cost."""
    shape = (3, economy.slots)
    return small_tariff(
        economy,
        pass_through=pass_through,
        export_pass_through=pass_through,
        energy_usd_per_kwh=np.full(shape, 0.05),
        export_usd_per_kwh=np.full(shape, 0.02),
    )


@dataclass
class Done:
    """What one household type does on average: bought and sold by weather and slot, and the rest of its reward.

    ``own_usd`` is utility and salvage less wear, per day.
    """

    bought_kw: Floats
    sold_kw: Floats
    own_usd: float

    def mixed(self, other: "Done", step: float) -> "Done":
        """A step of the way to another day."""
        return Done(
            *((1 - step) * getattr(self, n) + step * getattr(other, n) for n in ("bought_kw", "sold_kw", "own_usd"))
        )


class Learner:
    """One household type at given prices: what moves bring, and what follows from how often they are made."""

    def __init__(self, economy: Economy, tariff: Tariff, household: HouseholdType, price: Floats) -> None:
        self.economy, self.household = economy, household
        battery, hours = household.battery, economy.slot_hours
        levels, step_kwh = 1, 0.0
        self.move = np.zeros(1, dtype=int)
        power_kw = np.zeros(1)
        if battery is not None:
            levels, step_kwh = battery.levels, battery.capacity_kwh / (battery.levels - 1)
            every = np.arange(1 - levels, levels)
            grid_kw = np.where(every > 0, every / battery.charge_efficiency, every * battery.discharge_efficiency)
            grid_kw = grid_kw * step_kwh / hours
            self.move = every[np.abs(grid_kw) <= battery.power_limit_kw + 1e-12]
            power_kw = grid_kw[np.abs(grid_kw) <= battery.power_limit_kw + 1e-12]
        self.levels = levels
        c, h = np.indices(price.shape)
        self.bought = (tariff.energy_usd_per_kwh + tariff.pass_through * price)[c, h][:, :, None, None]
        self.sold = (tariff.export_usd_per_kwh + tariff.export_pass_through * price)[c, h][:, :, None, None]
        wanted = household.reference_kw[:, :, None, None] * economy.shock_levels[:, None]
        free = household.pv_kw[:, :, None, None] - power_kw
        p0, epsilon, f = household.reference_price_usd_per_kwh, household.elasticity, household.flexibility

        def use(rate: Floats) -> Floats:
            return wanted * np.clip(1 + epsilon * (1 - rate / p0), 1 - f, 1 + f)

        q = np.where(use(self.bought) > free, use(self.bought), np.where(use(self.sold) < free, use(self.sold), free))
        self.net = q - free
        self.own = np.zeros_like(q)
        if epsilon > 0:
            self.own = hours * p0 * ((q - wanted) - (q - wanted) ** 2 / (2 * epsilon * wanted))
        if battery is not None:
            self.own = self.own - battery.wear_usd_per_kwh * step_kwh * np.abs(self.move)
        self.reward = self.own - hours * (self.bought * np.maximum(self.net, 0) + self.sold * np.minimum(self.net, 0))
        one_day = economy.one_day
        salvage = 0.0 if one_day is None else one_day.salvage_usd_per_kwh
        self.salvage = salvage * step_kwh * np.arange(levels)
        self.start = one_day.charge_law if one_day is not None and levels > 1 else np.full(levels, 1 / levels)

    def land(self, e: int) -> tuple[Floats, Floats]:
        """Moves that stay on the grid from a level, and where they lead."""
        stays = np.flatnonzero((e + self.move >= 0) & (e + self.move < self.levels))
        return stays, e + self.move[stays]

    def act(self, policy: Floats) -> Done:
        """Push a policy [c, h, e, z, j] through the single day."""
        economy = self.economy
        states, slots, levels, shocks, _ = policy.shape
        frequency = np.zeros(self.net.shape)
        law = np.broadcast_to(np.outer(self.start, economy.shock_probability), (states, levels, shocks))
        for h in range(slots):
            after = np.zeros((states, levels, shocks))
            for e in range(levels):
                for j, there in zip(*self.land(e), strict=True):
                    mass = law[:, e] * policy[:, h, e, :, j]
                    frequency[:, h, :, j] += mass
                    after[:, there] += mass @ economy.shock_kernel
            law = after
        left = np.einsum("c,cez,e->", economy.common.probability, law, self.salvage)
        return self.done(frequency, float(left))

    def done(self, frequency: Floats, left_usd: float = 0.0) -> Done:
        """What comes of moves this frequent [c, h, z, j], and of what is left at the end."""
        chance = self.economy.common.probability[:, None, None, None]
        return Done(
            bought_kw=(frequency * np.maximum(self.net, 0)).sum(axis=(2, 3)),
            sold_kw=(frequency * np.maximum(-self.net, 0)).sum(axis=(2, 3)),
            own_usd=float((chance * frequency * self.own).sum()) + left_usd,
        )

    def values(self, policy: Floats | None) -> Floats:
        """Q [c, h, e, z, j] over the single day, −inf off the grid, of a policy or (None) of the best moves."""
        states, slots, shocks, count = self.net.shape
        q = np.full((states, slots, self.levels, shocks, count), -np.inf)
        after = np.broadcast_to(self.salvage[:, None], (states, self.levels, shocks))
        for h in range(slots - 1, -1, -1):
            ahead = after @ self.economy.shock_kernel.T
            for e in range(self.levels):
                for j, there in zip(*self.land(e), strict=True):
                    q[:, h, e, :, j] = self.reward[:, h, :, j] + ahead[:, there]
            chosen = np.where(q[:, h] > -np.inf, q[:, h], 0.0)
            after = q[:, h].max(axis=-1) if policy is None else (policy[:, h] * chosen).sum(axis=-1)
        return q

    def best_of_a_day(self) -> Done:
        """Best moves, ties split equally."""
        q = self.values(None)
        best = q >= q.max(axis=-1, keepdims=True) - 1e-12
        return self.act(best / best.sum(axis=-1, keepdims=True))

    def best_for_ever(self) -> Done:
        """The best stationary plan: a linear program over the frequencies of weather, slot, level, shock and move."""
        chance = self.economy.common.probability
        places, balance = conservation(self.economy, self.household)
        right = np.append(np.zeros(balance.shape[0] - 1), 1.0)
        cost = [-self.reward[c, h, z, j] for c, h, _, z, j, _ in places]
        solution = linprog(cost, A_eq=balance, b_eq=right, method="highs")
        assert solution.status == 0
        frequency = np.zeros(self.net.shape)
        for (c, h, _, z, j, _), mass in zip(places, solution.x, strict=True):
            frequency[c, h, z, j] += mass / chance[c]
        return self.done(frequency)


@cache
def conservation(economy: Economy, household: HouseholdType) -> tuple[list[tuple[int, ...]], sparse.csr_array]:
    """Places (c, h, e, z, j, e') of a plan, and what they must obey: who enters a state leaves it, and all are one."""
    anywhere = Learner(economy, billed(economy), household, np.zeros_like(economy.rest_load_kw))
    states, slots, shocks, _ = anywhere.net.shape
    places = [
        (c, h, e, z, int(j), int(there))
        for c, h, e, z in np.ndindex(states, slots, anywhere.levels, shocks)
        for j, there in zip(*anywhere.land(e), strict=True)
    ]
    size = states * slots * anywhere.levels * shocks
    row = np.arange(size).reshape(states, slots, anywhere.levels, shocks)
    balance = np.zeros((size + 1, len(places)))
    for k, (c, h, e, z, _, there) in enumerate(places):
        balance[row[c, h, e, z], k] += 1
        for d, y in np.ndindex(states, shocks):
            turns = economy.common.kernel[c, d] if h == slots - 1 else float(c == d)
            balance[row[d, (h + 1) % slots, there, y], k] -= turns * economy.shock_kernel[z, y]
        balance[size, k] = h == 0
    return places, sparse.csr_array(balance)


class Population:
    """All types at the time average of what they did."""

    def __init__(self, economy: Economy, tariff: Tariff) -> None:
        self.economy, self.tariff = economy, tariff
        self.average: list[Done] = []
        self.days = 0

    def learners(self, price: Floats) -> list[Learner]:
        """All types at a price."""
        return [Learner(self.economy, self.tariff, household, price) for household in self.economy.types]

    def price(self, done: list[Done]) -> Floats:
        """Wholesale price (c, h) that this brings about."""
        pairs = zip(self.economy.types, done, strict=True)
        load_kw = self.economy.rest_load_kw + sum(t.share * (d.bought_kw - d.sold_kw) for t, d in pairs)
        return 0.05 + STEEPNESS * load_kw

    def gain(self, price: Floats, done: list[Done]) -> float:
        """Expected reward per day at given prices."""
        weight = self.economy.common.probability[:, None] * self.economy.slot_hours
        bought = self.tariff.energy_usd_per_kwh + self.tariff.pass_through * price
        sold = self.tariff.export_usd_per_kwh + self.tariff.export_pass_through * price
        return sum(
            t.share * (d.own_usd - float((weight * (bought * d.bought_kw - sold * d.sold_kw)).sum()))
            for t, d in zip(self.economy.types, done, strict=True)
        )

    def remember(self, done: list[Done]) -> None:
        """Let a day enter the average."""
        self.days += 1
        if self.days == 1:
            self.average = done
        else:
            self.average = [a.mixed(d, 1 / self.days) for a, d in zip(self.average, done, strict=True)]

    def best(self, price: Floats) -> list[Done]:
        """Everybody's best answer to a price."""
        endless_days = self.economy.one_day is None
        return [who.best_for_ever() if endless_days else who.best_of_a_day() for who in self.learners(price)]

    def gap(self) -> float:
        """What the average forgoes at its own prices. [USD per household-day]"""
        price = self.price(self.average)
        return self.gain(price, self.best(price)) - self.gain(price, self.average)

    def away(self) -> float:
        """Distance of the average's prices from the solver's. [USD/kWh]"""
        found = solve_equilibrium(self.economy, self.tariff, certify=False)
        assert found.converged
        assert found.uniqueness == "unique by Theorem U"
        return float(np.abs(self.price(self.average) - found.wholesale_usd_per_kwh).max())

    def allowed(self, gap: float) -> float:
        """Distance that a gap allows; the potential is measured in wholesale money, the gap in rates."""
        rarest = self.economy.common.probability.min() * self.economy.slot_hours
        return float((2 * STEEPNESS * gap / (self.tariff.pass_through * rarest)) ** 0.5)


def fictitious_play(economy: Economy, tariff: Tariff, days: tuple[int, ...]) -> tuple[Population, list[float]]:
    """Everybody answers the average so far; the gaps after so many days."""
    crowd, gaps = Population(economy, tariff), []
    price = np.full(economy.rest_load_kw.shape, 0.2)
    for day in range(1, max(days) + 1):
        crowd.remember(crowd.best(price))
        price = crowd.price(crowd.average)
        if day in days:
            gaps.append(crowd.gap())
    return crowd, gaps


@pytest.mark.parametrize("pass_through", [1.0, 0.5])
@pytest.mark.parametrize("elasticity", [0.0, 0.3])
def test_fictitious_play_of_a_single_day_reaches_the_prices_of_the_solver(
    elasticity: float, pass_through: float
) -> None:
    economy = single_day(elasticity=elasticity)
    crowd, gaps = fictitious_play(economy, billed(economy, pass_through), (10, 30, 90))
    assert min(gaps) > 0
    assert gaps[1] < gaps[0] / 2
    assert gaps[2] < gaps[1] / 2
    assert crowd.away() <= min(crowd.allowed(gaps[-1]), NEAR_USD_PER_KWH)


@pytest.mark.parametrize("elasticity", [0.0, 0.3])
def test_fictitious_play_of_days_without_end_does_too(elasticity: float) -> None:
    economy = endless(elasticity=elasticity, weather=WEATHER)
    crowd, gaps = fictitious_play(economy, billed(economy), (5, 15, 45))
    assert min(gaps) > 0
    assert gaps[1] < gaps[0] / 2
    assert gaps[2] < gaps[1] / 2
    assert crowd.away() <= min(crowd.allowed(gaps[-1]), NEAR_USD_PER_KWH)


def mirror_descent(economy: Economy, tariff: Tariff, days: tuple[int, ...]) -> tuple[Population, list[float]]:
    """Values of the present policy add up, weighed by a step that shrinks like 1/√day; the gaps after so many days."""
    crowd, gaps = Population(economy, tariff), []
    price = np.full(economy.rest_load_kw.shape, 0.2)
    who = crowd.learners(price)
    scores = [np.where(w.values(None) > -np.inf, 0.0, -np.inf) for w in who]
    for day in range(1, max(days) + 1):
        policies = []
        for score in scores:
            weight = np.exp(score - score.max(axis=-1, keepdims=True))
            policies.append(weight / weight.sum(axis=-1, keepdims=True))
        today = [w.act(p) for w, p in zip(who, policies, strict=True)]
        crowd.remember(today)
        if day in days:
            gaps.append(crowd.gap())
        price = crowd.price(today)
        rate = 20 / day**0.5
        who = crowd.learners(price)
        scores = [s + rate * w.values(p) for s, w, p in zip(scores, who, policies, strict=True)]
    return crowd, gaps


@pytest.mark.parametrize("elasticity", [0.0, 0.3])
def test_mirror_descent_reaches_the_prices_of_the_solver(elasticity: float) -> None:
    economy = single_day(elasticity=elasticity)
    crowd, gaps = mirror_descent(economy, billed(economy), (20, 200))
    assert 0 < gaps[1] < gaps[0] / 10**0.5
    assert crowd.away() <= min(crowd.allowed(gaps[-1]), NEAR_USD_PER_KWH)
