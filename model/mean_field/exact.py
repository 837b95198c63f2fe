"""The exact equilibrium at temperature 0, ties included, by fully corrective Frank–Wolfe.

Under Theorem U's conditions with a given adder the equilibrium is the saddle point of

    D(λ, m) = Σ_{c,h} p_c Δ [s*(λ) − λ·rest] + (1/κ) Σ_θ w_θ Σ_k m_θk ⟨f_θk, r_θ(λ)⟩,

convex in the price λ and linear in the mixture m, where a *column* f_θk[c, h, z, j] is the frequency of shocks and
moves under one policy and r_θ the reward at best use. Every round

* clears the market for the present mixture: min over λ, one scalar equation λ = s(rest + L(λ)) a slot;
* lets every type answer λ by its best plan, which becomes a column;
* re-optimises the mixture of all columns by Newton steps on a product of simplices.

The duality gap Σ_θ w_θ (best gain − gain of the mixture) at the clearing price *is* the exploitability. No step size
and no temperature enters, so there is no softmax bias, and a tie is split as the market needs it (Lacoste-Julien,
Jaggi, *On the global linear convergence of Frank–Wolfe optimization variants*, NeurIPS 2015).
"""

from dataclasses import dataclass, replace

import numpy as np

from agents.arrays import Floats
from agents.best_response import Response, respond
from agents.household import HouseholdType
from agents.outlook import OneDay, Outlook
from agents.policy import PolicyTable
from agents.slot_outcome import SlotOutcome, slot_outcome
from agents.tariff import Rates, Tariff, rates
from model.economy import Economy
from model.mean_field.answer import Answer, outlook, summed
from model.mean_field.flow import Flow, household_flow
from model.mean_field.price_slope import rate_slopes
from model.mean_field.sensitivity import use_slopes
from model.mean_field.simplex import simplex_step
from model.mean_field.watch import Watch

GAP_USD_PER_DAY = 1e-10
"""Exploitability at which the equilibrium counts as exact. [USD per household-day]"""
ROUND_LIMIT = 500
UNUSED_WEIGHT = 1e-12
"""Columns with less weight in the mixture are dropped."""
NEWTON_LIMIT = 20
CLEARING_LIMIT = 80
PAIR_SHARE = 1e-3
"""The master problem is solved to this share of the present gap."""
SHORTEST_STEP = 1e-4
PRICE_TOLERANCE = 1e-14
ROUNDING_USD = 1e-13
"""Changes of the dual value this small are rounding. [USD per household-day]"""
BEYOND_USD_PER_KWH = 1e9
"""Beyond any price. [USD/kWh]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExactSolution:
    """An equilibrium at temperature 0.

    Attributes
    ----------
    answer
        The continuum's answer; policies are the mixtures of best plans that clear the market.
    gap_usd_per_day
        Exploitability at the prices found. [USD per household-day]
    rounds
        Best responses of the population.
    converged
        Whether the gap met the tolerance.
    """

    answer: Answer
    gap_usd_per_day: float
    rounds: int
    converged: bool


@dataclass(slots=True, eq=False)
class _Fleet:
    """One household type with its columns: frequencies (k, c, h, z, j), what it takes to restore them, and weights."""

    household: HouseholdType
    discount: float
    columns: Floats
    plans: list[tuple[Response, Flow]]
    mixture: Floats
    last: Response | None = None

    def add(self, response: Response, flow: Flow) -> None:
        """Append a plan, drop the unused."""
        keep = self.mixture > UNUSED_WEIGHT
        if not keep.all():
            self.columns = self.columns[keep]
            self.plans = [plan for plan, kept in zip(self.plans, keep, strict=True) if kept]
            self.mixture = self.mixture[keep] / self.mixture[keep].sum()
        self.columns = np.concatenate([self.columns, flow.frequency[None]])
        self.plans.append((response, flow))
        self.mixture = np.append(self.mixture, 0.0 if len(self.mixture) else 1.0)


@dataclass(slots=True, eq=False)
class _Cleared:
    """A mixture with its clearing price: the dual value, what moves bring there, and the columns' loads and gains."""

    wholesale: Floats
    posted: Rates
    outcomes: list[SlotOutcome]
    value: float
    bend: Floats


class _Market:
    """The saddle-point problem of one tariff."""

    def __init__(self, economy: Economy, tariff: Tariff, adder: float, horizon: Outlook) -> None:
        self.economy, self.tariff, self.adder, self.horizon = economy, tariff, adder, horizon
        self.weight = economy.common.probability[:, None] * economy.slot_hours
        shocks = economy.shock_probability
        states, slots = economy.rest_load_kw.shape
        self.fleets = []
        for household in economy.types:
            idle = np.empty((0, states, slots, shocks.size, 1))
            fleet = _Fleet(household, float(tariff.discount[household.group]), idle, [], np.empty(0))
            self.fleets.append(fleet)

    def posted(self, wholesale: Floats) -> Rates:
        """Rates at a wholesale price."""
        return rates(self.tariff, self.economy.common.today, wholesale, self.adder)

    def outcomes(self, posted: Rates) -> list[SlotOutcome]:
        """What moves bring every type."""
        economy = self.economy
        return [
            slot_outcome(f.household, posted.for_discount(f.discount), economy.shock_levels, economy.slot_hours)
            for f in self.fleets
        ]

    def clear(self, before: _Cleared) -> _Cleared:
        """Price at which the mixtures' use and supply meet, by Newton's method inside a bracket; and all that follows.

        λ − s(rest + L(λ)) rises with λ, for use falls with its price; at a jump of s the root is in the jump. The
        search starts from another mixture's price and outcomes.
        """
        economy = self.economy
        price, posted, outcomes = before.wholesale, before.posted, before.outcomes
        frequencies = [np.tensordot(f.mixture, f.columns, axes=1) for f in self.fleets]
        low, high = (np.full(price.shape, end) for end in (-BEYOND_USD_PER_KWH, BEYOND_USD_PER_KWH))
        for _ in range(CLEARING_LIMIT):
            load_kw = economy.rest_load_kw.copy()
            falls = np.zeros_like(load_kw)
            slopes = rate_slopes(self.tariff, posted)
            for fleet, frequency, brought in zip(self.fleets, frequencies, outcomes, strict=True):
                load_kw += fleet.household.share * (frequency * brought.net_load_kw).sum(axis=(2, 3))
                if fleet.household.elasticity == 0:
                    continue
                own = posted.for_discount(fleet.discount)
                for slope, by_rate in zip(slopes, use_slopes(fleet.household, own, brought, self.horizon), strict=True):
                    falls += fleet.household.share * slope * (frequency * by_rate).sum(axis=(2, 3))
            excess = price - economy.supply.price(load_kw)
            steepness = economy.supply.slope(load_kw)
            if np.abs(excess).max() <= PRICE_TOLERANCE:
                break
            low, high = np.where(excess < 0, price, low), np.where(excess > 0, price, high)
            newton = price - excess / (1 - steepness * falls)
            following = np.where((newton >= low) & (newton <= high), newton, 0.5 * (low + high))
            if (following == price).all() or (high - low <= 4 * np.spacing(np.abs(price))).all():
                break
            price = following
            posted = self.posted(price)
            outcomes = self.outcomes(posted)
        value = self._dual_value(price, load_kw, frequencies, outcomes)
        return _Cleared(price, posted, outcomes, value, steepness / (1 - steepness * falls))

    def _dual_value(
        self, price: Floats, load_kw: Floats, frequencies: list[Floats], outcomes: list[SlotOutcome]
    ) -> float:
        """D at a clearing price. [USD per household-day]"""
        economy = self.economy
        energy = price * (load_kw - economy.rest_load_kw) - economy.supply.cost(load_kw)
        value = float((self.weight * energy).sum())
        for fleet, frequency, brought in zip(self.fleets, frequencies, outcomes, strict=True):
            gain = self._gain(frequency[None], fleet, brought)[0]
            value += fleet.household.share * gain / self.tariff.pass_through
        return value

    def _gain(self, columns: Floats, fleet: _Fleet, brought: SlotOutcome) -> Floats:
        """Reward per day of each column, salvage less what was stored at the start included. (k,) [USD/day]"""
        chance = self.economy.common.probability
        reward = brought.reward_usd
        if isinstance(self.horizon.one_day, OneDay):
            reward = reward + self.horizon.one_day.salvage_usd_per_kwh * brought.level_kwh * brought.moves
        return np.asarray((columns.reshape(len(columns), -1)) @ (chance[:, None, None, None] * reward).ravel())

    def reoptimise(self, here: _Cleared, gap: float) -> _Cleared:
        """Best mixture of all columns, by Newton steps on the product of simplices with backtracking."""
        kappa = self.tariff.pass_through
        first = np.cumsum([0, *(len(f.mixture) for f in self.fleets)])
        for attempt in range(NEWTON_LIMIT):
            gains, loads = [], []
            for fleet, brought in zip(self.fleets, here.outcomes, strict=True):
                share = fleet.household.share
                gains.append(share * self._gain(fleet.columns, fleet, brought) / kappa)
                loads.append(
                    share * (fleet.columns * brought.net_load_kw).sum(axis=(3, 4)).reshape(len(fleet.mixture), -1)
                )
            gradient, load = -np.concatenate(gains), np.concatenate(loads)
            hessian = (load * (self.weight * here.bend).ravel()) @ load.T
            mixture = np.concatenate([f.mixture for f in self.fleets])
            step = simplex_step(hessian, gradient, mixture, first, PAIR_SHARE * gap)
            promised = float(gradient @ step)
            if promised > -ROUNDING_USD:  # too small to be seen in the value: trust the quadratic model
                if attempt == 0:
                    self._mix(mixture + step, first)
                    here = self.clear(here)
                break
            length = 1.0
            while True:
                self._mix(mixture + length * step, first)
                there = self.clear(here)
                if there.value >= here.value - 1e-4 * length * promised - ROUNDING_USD:
                    break
                length *= 0.5
                if length < SHORTEST_STEP:
                    self._mix(mixture, first)
                    return self.clear(here)
            here = there
        return here

    def _mix(self, mixture: Floats, first: Floats) -> None:
        for k, fleet in enumerate(self.fleets):
            part = np.maximum(mixture[first[k] : first[k + 1]], 0.0)
            fleet.mixture = part / part.sum()

    def answer_prices(self, posted: Rates, outcomes: list[SlotOutcome]) -> float:
        """Add everybody's best plan as a column; return the gap of the mixtures to it. [USD per household-day]"""
        gap = 0.0
        for fleet, brought in zip(self.fleets, outcomes, strict=True):
            household = fleet.household
            if household.battery is None and len(fleet.mixture):
                continue
            response = respond(brought, household.levels, self.horizon, start=fleet.last)
            start = fleet.plans[-1][1].law[:, 0] if fleet.plans else None
            flow = household_flow(response.policy, self.horizon, self.economy.common.backward, start)
            fleet.last = response
            if len(fleet.mixture):
                mixed = np.tensordot(fleet.mixture, fleet.columns, axes=1)
                lead = self._gain((flow.frequency - mixed)[None], fleet, brought)[0]
                gap += household.share * float(lead)
            else:
                fleet.columns = np.empty((0, *flow.frequency.shape))
                gap = np.inf
            fleet.add(response, flow)
        return gap


def solve_exact(
    economy: Economy,
    tariff: Tariff,
    adder_usd_per_kwh: float,
    wholesale_usd_per_kwh: Floats,
    *,
    watch: Watch,
    gap_usd_per_day: float = GAP_USD_PER_DAY,
) -> ExactSolution:
    """Find the equilibrium at temperature 0 of a game with a potential.

    Parameters
    ----------
    wholesale_usd_per_kwh : (c, h)
        Prices of the first round.
    gap_usd_per_day
        Exploitability at which to stop.
    """
    horizon = outlook(economy, temperature_usd=0.0)
    market = _Market(economy, tariff, adder_usd_per_kwh, horizon)
    posted = market.posted(wholesale_usd_per_kwh)
    outcomes = market.outcomes(posted)
    market.answer_prices(posted, outcomes)
    watch.tick()
    flat = np.zeros_like(wholesale_usd_per_kwh)
    here = market.clear(_Cleared(wholesale_usd_per_kwh, posted, outcomes, value=-np.inf, bend=flat))
    rounds, moved = 1, None
    while True:
        gap = market.answer_prices(here.posted, here.outcomes)
        rounds += 1
        watch.tick(moved)
        if gap <= gap_usd_per_day or rounds >= ROUND_LIMIT:
            break
        there = market.reoptimise(here, gap)
        moved, here = float(np.abs(there.wholesale - here.wholesale).max()), there
    return ExactSolution(
        answer=_answer(market, here),
        gap_usd_per_day=max(gap, 0.0),
        rounds=rounds,
        converged=gap <= gap_usd_per_day,
    )


def _answer(market: _Market, here: _Cleared) -> Answer:
    """The mixtures as policies: each plan followed as often as its households are in a state."""
    responses, flows = [], []
    for fleet, brought in zip(market.fleets, here.outcomes, strict=True):
        last = fleet.last
        if last is None or fleet.household.battery is None:  # without a battery a household answered once only
            last = respond(brought, fleet.household.levels, market.horizon)
        used = [(m, plan) for m, plan in zip(fleet.mixture, fleet.plans, strict=True) if m > 0]
        law = np.asarray(sum(m * flow.law for m, (_, flow) in used))
        done = sum(m * flow.law[..., None] * r.policy.probability for m, (r, flow) in used)
        there = law[..., None] > 0
        probability = np.where(there, done / np.where(there, law[..., None], 1.0), last.policy.probability)
        probability /= probability.sum(axis=-1, keepdims=True)
        policy = PolicyTable(
            moves=brought.moves, probability=probability, net_load_kw=brought.net_load_kw, use_kw=brought.use_kw
        )
        responses.append(replace(last, policy=policy, outcome=brought))
        frequency = np.tensordot(fleet.mixture, fleet.columns, axes=1)
        flows.append(Flow(law=law, frequency=frequency, defect=0.0))
    return summed(market.economy, market.tariff, here.wholesale, market.adder, here.posted, responses, flows)
