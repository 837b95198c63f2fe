"""First best: the planner's optimum, and the efficiency gap of any tariff to it.

The planner minimises supply cost + wear − utility of use + carbon over all household policies at temperature 0 and
δ = 1. By the welfare theorem that is marginal-cost pricing r⁺ = r⁻ = λ + carbon. At those rates the use of every
household follows from the price alone, q = D(λ), whatever its battery does, and batteries of one make are
interchangeable, so the planner's problem is convex in the mean battery power B[c, h] of each make:

    minimise  Ψ(B) + wear(B),   Ψ(B) = min_q Σ p_c Δ [S(q − pv + B + rest) − U(q)],   ∂Ψ/∂B = p_c Δ λ.

It is solved by fully corrective Frank–Wolfe (Lacoste-Julien, Jaggi, *On the global linear convergence of Frank–Wolfe
optimization variants*, NeurIPS 2015): every best response at the current price adds a column, and the mixture of all
columns is re-optimised. The duality gap ⟨λ, B − B_best⟩ + wear − wear_best bounds the distance to the optimum, and no
temperature or step size enters. Households within operating envelopes have more to a plan, see
``meanwatt.model.mean_field.limited_planner``, and the same holds.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from meanwatt.agents.household.battery import Battery
from meanwatt.agents.household.best_response import Response
from meanwatt.agents.household.demand import utility_usd_per_hour, wanted_slope_kw, wanted_use_kw
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.mean_field.battery_plan import battery_makes, best_battery_plan, idle_cost_usd, planner_horizon
from meanwatt.model.mean_field.limited_planner import DARK_USD_PER_KWH, LimitedTypes
from meanwatt.model.mean_field.population.population_response import decision_problem
from meanwatt.model.mean_field.zero_temperature.simplex_qp import simplex_step
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy

GAP_USD_PER_DAY = 1e-5
"""Duality gap at which the optimum counts as found. [USD per household-day]"""
COLUMN_LIMIT = 400
UNUSED_WEIGHT = 1e-9
"""Columns with less weight in the mixture are dropped."""
NEWTON_LIMIT = 12
PROMISE_USD = 1e-14
"""A Newton step that promises less is not taken. [USD per household-day]"""
PAIR_TOLERANCE = 1e-9
"""Difference of two columns' slopes that counts as none. [USD per household-day]"""
SHORTEST_STEP = 1e-3
ROUNDING_USD = 1e-14
PRICE_TOLERANCE = 2e-14
HALVINGS = 60
FAR_USD_PER_KWH = 1e6
"""A price at which all use is the least, and below zero the most. [USD/kWh]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FirstBest:
    """The planner's optimum. Money in USD per household-day.

    Attributes
    ----------
    welfare_usd_per_household_day
        Upper bound on attainable welfare: the best plan found plus ``duality_gap_usd``.
    duality_gap_usd
        How far the best plan found may be from the optimum.
    wholesale_usd_per_kwh : (c, h)
        Private marginal cost s(x) at the optimum, carbon excluded. [USD/kWh]
    net_load_kw, curtailed_kw : (c, h)
        Mean net load at the optimum, and the solar output that is not used there. [kW]
    curtailed_kwh_per_household_day
        The same over an expected day; exactly 0 where all is used. [kWh]
    social_cost_usd_per_household_day
        Supply + wear + carbon + network − utility at the best plan found.
    columns
        Best responses computed.
    converged
        Whether the gap met ``GAP_USD_PER_DAY``.
    """

    __repr__ = short_repr

    welfare_usd_per_household_day: float
    duality_gap_usd: float
    wholesale_usd_per_kwh: Floats
    net_load_kw: Floats
    curtailed_kw: Floats
    curtailed_kwh_per_household_day: float
    social_cost_usd_per_household_day: float
    columns: int
    converged: bool


class _Demand:
    """Mean use and utility of the whole population at a price that buys and sells alike. Vectors over (c, h)."""

    def __init__(self, economy: Economy) -> None:
        """Add up the reference demand of all types that answer prices alike."""
        self.reference_kw: dict[tuple[float, float, float], Floats] = {}
        for household in economy.types:
            demand = (household.elasticity, household.flexibility, household.reference_price_usd_per_kwh)
            mean_kw = household.share * household.reference_kw.ravel()  # shocks have mean one
            self.reference_kw[demand] = self.reference_kw.get(demand, 0.0) + mean_kw

    def use_kw(self, price: Floats, index: Ints | slice = slice(None)) -> Floats:
        """Mean use at each price, at the places ``index`` of the flattened (c, h). [kW]"""
        total = np.zeros_like(price)
        for (elasticity, flexibility, reference_price), reference_kw in self.reference_kw.items():
            total += wanted_use_kw(
                reference_kw[index],
                price,
                elasticity=elasticity,
                flexibility=flexibility,
                reference_price=reference_price,
            )
        return total

    def slope_kw(self, price: Floats) -> Floats:
        """Derivative of the mean use in the price, ≤ 0. [kW per USD/kWh]"""
        total = np.zeros_like(price)
        for (elasticity, flexibility, reference_price), reference_kw in self.reference_kw.items():
            terms = {"elasticity": elasticity, "flexibility": flexibility, "reference_price": reference_price}
            total += wanted_slope_kw(reference_kw, price, **terms)
        return total

    def utility_usd_per_hour(self, price: Floats) -> Floats:
        """Mean utility of that use. [USD/h]"""
        total = np.zeros_like(price)
        for (elasticity, flexibility, reference_price), reference_kw in self.reference_kw.items():
            terms = {"elasticity": elasticity, "reference_price": reference_price}
            use = wanted_use_kw(reference_kw, price, flexibility=flexibility, **terms)
            total += utility_usd_per_hour(use, reference_kw, **terms)
        return total

    def range_kw(self) -> tuple[Floats, Floats]:
        """Least and most use at any price."""
        items = self.reference_kw.items()
        least = sum((1 - flexibility) * kw for (_, flexibility, _), kw in items)
        most = sum((1 + flexibility) * kw for (_, flexibility, _), kw in items)
        return np.asarray(least), np.asarray(most)


class _Planner:
    """The convex cost Ψ of a plan, and the price that clears it.

    A plan is the mean battery power (c·h) of households without an envelope, and after it what
    `meanwatt.model.mean_field.limited_planner` has of the others.
    """

    def __init__(self, economy: Economy) -> None:
        """Price carbon into the supply curve; refuse one that falls."""
        self.economy = economy
        self.social = economy.supply.shifted_by_carbon(economy.carbon_usd_per_t)
        self.free = replace(economy, types=tuple(one for one in economy.types if one.envelope is None))
        self.limited = LimitedTypes(
            economy, replace(decision_problem(economy, temperature_usd=0.0), discount_per_day=1.0)
        )
        self.rest_kw = economy.rest_load_kw.ravel()
        dark = np.zeros(economy.rest_load_kw.shape)
        self.demand = _Demand(self.free)
        solar_kw = np.asarray(sum((t.share * t.pv_kw for t in self.free.types), dark)).ravel()
        self.spare_kw = np.asarray(sum((t.share * t.pv_kw * t.curtailable for t in self.free.types), dark)).ravel()
        self.base_kw = self.rest_kw - solar_kw
        chance = np.repeat(economy.common.probability, economy.slots)
        self.weight = chance * economy.slot_hours
        self.last_price = self.social.price(self.demand.range_kw()[0] + self.base_kw)

    def _split(self, plan: Floats) -> tuple[Floats, Floats]:
        """Battery power (…, c·h) and the plans of limited types of a plan (…, size)."""
        return plan[..., : self.weight.size], plan[..., self.weight.size :]

    def spare_of(self, plan: Floats) -> Floats:
        """Sun that is curtailed where the price falls below zero. (c·h) [kW]"""
        if not self.limited.types:
            return self.spare_kw
        mass, zero = self._split(plan)[1], np.zeros(self.weight.size)
        return self.spare_kw + self.limited.load_kw(mass, zero + DARK_USD_PER_KWH) - self.limited.load_kw(mass, zero)

    def price(self, plan: Floats) -> Floats:
        """Social price at which use, sun and batteries meet supply, λ = s(D(λ) + B − p + rest). [USD/kWh]

        Sun is curtailed where the price would be below zero: all that can be, or as much as brings it to zero.
        """
        battery_kw, mass = self._split(plan)
        price = self._price_at(self.base_kw + battery_kw, mass, dark=False)
        if not ((price < 0) & (self.spare_kw > 0)).any() and not (self.limited.types and (price < 0).any()):
            return price
        dark = self._price_at(self.base_kw + battery_kw + self.spare_kw, mass, dark=True)
        return np.where(price >= 0, price, np.minimum(dark, 0.0))

    def load_kw(self, plan: Floats, price: Floats) -> tuple[Floats, Floats]:
        """Load of the whole system at the price that clears it, and the sun curtailed for it. [kW]"""
        battery_kw, mass = self._split(plan)
        bright, spare = self.demand.use_kw(price) + self.base_kw + battery_kw, self.spare_of(plan)
        if self.limited.types:
            bright = bright + self.limited.load_kw(mass, np.maximum(price, 0.0))
            below = self.demand.use_kw(price) + self.base_kw + battery_kw + self.spare_kw
            dark = np.where(
                price < 0, below + self.limited.load_kw(mass, np.minimum(price, DARK_USD_PER_KWH)), bright + spare
            )
        else:
            dark = bright + spare
        load, spilt = np.where(price < 0, dark, bright), np.where(price < 0, self.spare_kw, 0.0)
        rests = (price == 0) & (spare > 0)
        if rests.any():
            low = bright[rests]
            high = np.where(self.social.price(low) < 0, dark[rests], low)
            for _ in range(HALVINGS):
                middle = 0.5 * (low + high)
                falls = self.social.price(middle) < 0
                low, high = np.where(falls, middle, low), np.where(falls, high, middle)
            load[rests], spilt[rests] = high, high - bright[rests]
        if self.limited.types:
            spilt = spilt + self.limited.curtailed_kw(mass, price)
        return load, spilt

    def _limited_kw(self, mass: Floats, price: Floats, index: Ints | slice, *, dark: bool) -> Floats | float:
        """Net load of limited types, with their sun or, below a price of zero, without. [kW]"""
        if not self.limited.types:
            return 0.0
        seen = np.minimum(price, DARK_USD_PER_KWH) if dark else np.maximum(price, 0.0)
        return self.limited.load_kw(mass, seen, index)

    def _slope_kw(self, mass: Floats, price: Floats) -> Floats:
        """Derivative of all use in the price, ≤ 0. [kW per USD/kWh]"""
        slope = self.demand.slope_kw(price)
        return slope + self.limited.slope_kw(mass, price) if self.limited.types else slope

    def _price_at(self, shift: Floats, mass: Floats, *, dark: bool) -> Floats:
        """Social price λ = s(D(λ) + shift). [USD/kWh]

        Newton's method from the last price; where a kink defeats it, a bracketing root finder.
        """
        price, every = self.last_price, slice(None)
        for _ in range(NEWTON_LIMIT):
            load_kw = self.demand.use_kw(price) + shift + self._limited_kw(mass, price, every, dark=dark)
            excess = price - self.social.price(load_kw)
            if np.abs(excess).max() <= PRICE_TOLERANCE:
                self.last_price = price
                return price
            price = price - excess / (1 - self.social.slope(load_kw) * self._slope_kw(mass, price))
        self.last_price = self._bracketed_price(shift, mass, dark=dark)
        return self.last_price

    def _bracketed_price(self, shift: Floats, mass: Floats, *, dark: bool) -> Floats:
        """The same price, slowly and surely."""
        from scipy.optimize.elementwise import find_root  # slow to import, seldom needed

        least, most = self.demand.range_kw()
        if self.limited.types:
            far = np.full(self.weight.size, FAR_USD_PER_KWH)
            least = least + self._limited_kw(mass, far, slice(None), dark=dark)
            most = most + self._limited_kw(mass, -far, slice(None), dark=dark)

        def excess(price: Floats, offset: Floats, index: Ints) -> Floats:
            load_kw = self.demand.use_kw(price, index) + offset + self._limited_kw(mass, price, index, dark=dark)
            return np.asarray(price - self.social.price(load_kw))

        bracket = (self.social.price(least + shift) - 1e-6, self.social.price(most + shift) + 1e-6)
        tolerances = {"xatol": PRICE_TOLERANCE, "xrtol": PRICE_TOLERANCE}
        return np.asarray(find_root(excess, bracket, args=(shift, np.arange(shift.size)), tolerances=tolerances).x)

    def cost(self, plan: Floats) -> tuple[float, Floats]:
        """Ψ, supply and carbon less utility, in USD per household-day, and the price."""
        price = self.price(plan)
        load_kw, _ = self.load_kw(plan, price)
        rate = self.social.cost(load_kw) - self.social.cost(self.rest_kw) - self.demand.utility_usd_per_hour(price)
        if self.limited.types:
            rate = rate - self.limited.load_and_worth(self._split(plan)[1], price)[1]
        return float(self.weight @ rate), price

    def linear(self, plans: Floats, price: Floats) -> tuple[Floats, Floats]:
        """Slope of Ψ along plans (…, size): their load at a price (…, c·h) [kW], and their cost there [USD per day]."""
        battery_kw, mass = self._split(plans)
        if not self.limited.types:
            return battery_kw, np.asarray(battery_kw @ (self.weight * price))
        load_kw, worth = self.limited.load_and_worth(mass, price)
        load_kw = battery_kw + load_kw
        return load_kw, load_kw @ (self.weight * price) - worth @ self.weight

    def curvature(self, plan: Floats, price: Floats) -> Floats:
        """Derivative of the price in the load of a plan, ∂λ/∂B = s'/(1 − s' D') ≥ 0. [USD/kWh per kW]"""
        steepness = self.social.slope(self.load_kw(plan, price)[0])
        rests = (price == 0) & (self.spare_of(plan) > 0)
        return np.where(rests, 0.0, steepness / (1 - steepness * self._slope_kw(self._split(plan)[1], price)))


@dataclass(slots=True)
class _Columns:
    """Plans found so far (column, size), the wear (column,) of each, and their mixture."""

    plans: Floats
    wear_usd: Floats
    mixture: Floats = field(default_factory=lambda: np.ones(1))

    def add(self, plan: Floats, wear: float) -> None:
        """Append a plan, drop the unused."""
        keep = self.mixture > UNUSED_WEIGHT
        self.plans = np.vstack([self.plans[keep], plan])
        self.wear_usd = np.append(self.wear_usd[keep], wear)
        self.mixture = np.append(self.mixture[keep] / self.mixture[keep].sum(), 0.0)

    def cost(self, planner: _Planner, mixture: Floats) -> tuple[float, Floats]:
        """Cost of a mixture and the price there."""
        cost, price = planner.cost(mixture @ self.plans)
        return cost + float(mixture @ self.wear_usd), price

    def reoptimise(self, planner: _Planner) -> None:
        """Best mixture of all plans, by Newton steps on the simplex with backtracking.

        The loop of ``zero_temperature.column_pool.reoptimise`` with other tolerances. That one is compiled whole: to
        clear its market once from Python takes longer than all its steps. This one asks a planner who is not compiled.
        """
        cost, price = self.cost(planner, self.mixture)
        for _ in range(NEWTON_LIMIT):
            load_kw, slope = planner.linear(self.plans, price)
            gradient = slope + self.wear_usd
            bend = planner.curvature(self.mixture @ self.plans, price)
            hessian = (load_kw * (planner.weight * bend)) @ load_kw.T
            every = np.array([0, len(self.mixture)])
            step = simplex_step(hessian, gradient, self.mixture, every, PAIR_TOLERANCE)
            promised = float(gradient @ step)
            if promised > -PROMISE_USD:
                return
            length = 1.0
            while True:
                trial = self.mixture + length * step
                trial_cost, trial_price = self.cost(planner, trial)
                if trial_cost <= cost + 1e-4 * length * promised + ROUNDING_USD:
                    break
                length *= 0.5
                if length < SHORTEST_STEP:
                    return
            self.mixture, cost, price = trial, trial_cost, trial_price


def solve_first_best(economy: Economy, *, watch: Watch | None = None) -> FirstBest:
    """Find the planner's optimum.

    Raises
    ------
    ValueError
        If marginal cost plus carbon falls with load anywhere: the problem is then not convex. Or if there is but one
        day, whose planner would have to weigh what is left in the batteries.
    """
    if economy.one_day is not None:
        raise ValueError("the planner's optimum is that of days without end; leave out one_day")
    watch = watch or Watch()
    watch.stage = "first best"
    planner = _Planner(economy)
    makes, horizon = battery_makes(planner.free), planner_horizon(economy)
    idle_usd = sum(share * idle_cost_usd(economy, make) for make, share in makes.items())
    first, worn = planner.limited.best_plan(planner.last_price, watch)
    columns = _Columns(
        plans=np.concatenate([np.zeros(planner.weight.size), first])[None], wear_usd=np.full(1, idle_usd + worn)
    )
    responses: dict[Battery, Response] = {}
    gap, spent = np.inf, 0
    for spent in range(COLUMN_LIMIT):  # noqa: B007 - reported below
        plan = columns.mixture @ columns.plans
        wear = float(columns.mixture @ columns.wear_usd)
        price = planner.price(plan)
        best_power, best_wear = np.zeros_like(price), 0.0
        for battery, share in makes.items():
            start = responses.get(battery)
            power, cost, responses[battery] = best_battery_plan(economy, battery, horizon, price, start, watch)
            best_power += share * power
            best_wear += share * cost
        best_limited, worn = planner.limited.best_plan(price, watch)
        best = np.concatenate([best_power, best_limited])
        best_wear += worn
        gap = float(planner.linear(plan - best, price)[1]) + wear - best_wear
        watch.tick(fraction=None)
        if gap <= GAP_USD_PER_DAY:
            break
        columns.add(best, best_wear)
        columns.reoptimise(planner)
    plan = columns.mixture @ columns.plans
    cost, price = planner.cost(plan)
    cost += float(columns.mixture @ columns.wear_usd) + economy.fixed_cost_usd_per_day
    cost -= planner.limited.barred_usd(plan[planner.weight.size :])
    load_kw, spilt_kw = planner.load_kw(plan, price)
    net_load = load_kw - planner.rest_kw
    shape = economy.rest_load_kw.shape
    return FirstBest(
        welfare_usd_per_household_day=-cost + max(gap, 0.0),
        duality_gap_usd=max(gap, 0.0),
        wholesale_usd_per_kwh=economy.supply.price(net_load + planner.rest_kw).reshape(shape),
        net_load_kw=net_load.reshape(shape),
        curtailed_kw=spilt_kw.reshape(shape),
        curtailed_kwh_per_household_day=float(planner.weight @ spilt_kw),
        social_cost_usd_per_household_day=cost,
        columns=spent,
        converged=gap <= GAP_USD_PER_DAY,
    )
