"""Temperature 0: everybody's best plan for days without end: each type's best response and its stationary flow.

With a discount δ = β^T < 1 a best plan is best from every state on, and not on the average of its own days. What it
misses by is measured with the values V of a best response to the price of the day,

    Σ_h E_f[V_h − r_h − β V_{h+1}] = (1 − β) Σ_h ⟨μ_h, V_h⟩ − ⟨f, r⟩ ≥ 0,

0 exactly for plans that are best wherever they go; μ is a plan's stationary law and f its frequency of moves. So a
column is worth −(1 − β) Σ_h ⟨μ_h, V_h⟩ beside its rewards, and the best columns are worth 0. At δ = 1 that is nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from meanwatt.agents.household.best_response import Response, respond, value_tolerance_usd
from meanwatt.agents.household.decision_problem import DecisionProblem
from meanwatt.agents.household.storage import Choice
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.mean_field.population.flow import Flow, household_flow
from meanwatt.model.mean_field.population.population_response import PopulationResponse
from meanwatt.model.mean_field.population.type_stack import TypeStack
from meanwatt.model.mean_field.zero_temperature.column_pool import (
    FREE,
    ROOM_PER_TYPE,
    add_column,
    empty_columns,
    enlarged,
    free_unused,
    next_free,
)
from meanwatt.model.mean_field.zero_temperature.market_clearing import Cleared, expected_gain, outcome_of
from meanwatt.model.scenario.economy import Economy

COARSE = 1e-3
"""Accuracy of best responses, as a share of the last gap,"""
TRUSTED = 30.0
"""and the multiple of that accuracy down to which a gap is believed."""
SAME_USD = 1e-13
"""A plan that earns no more than this above one in the pool is in the pool. [USD/day]"""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """One plan in the pool: its law (c, h, e, z), and the moves that it takes, packed to bits.

    One that was mixed elsewhere has its probabilities (c, h, e, z, j) in place of the bits. A law that was not found
    quite stationary, by ``defect`` as in `Flow`, may make the plan seem better by as much as ``doubt_usd``. [USD/day]
    """

    law: Floats
    taken: np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None
    mixed: Floats | None = None
    doubt_usd: float = 0.0
    defect: float = 0.0

    def probability(self, shape: tuple[int, ...], choice: Choice | None) -> Floats:
        """The policy (c, h, e, z, j): best moves, ties split equally; given ones where nature draws."""
        if self.mixed is not None or self.taken is None:
            assert self.mixed is not None
            return self.mixed
        taken = np.unpackbits(self.taken, count=int(np.prod(shape))).reshape(shape)
        probability = np.asarray(taken / taken.sum(axis=-1, keepdims=True))
        if choice is not None:
            choice.impose(probability)
        return probability


class EndlessPlans:
    """Stationary plans of days without end.

    ``patient`` keeps plans without weight in the pool, until told to forget them; ``check`` is called every second or
    so and may raise to stop.
    """

    def __init__(
        self,
        economy: Economy,
        horizon: DecisionProblem,
        types: TypeStack,
        *,
        patient: bool = False,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self.economy, self.horizon, self.types, self.patient = economy, horizon, types, patient
        self.check = check
        shape = (*economy.rest_load_kw.shape, types.shock_levels.size, types.moves.shape[1])
        room = ROOM_PER_TYPE * len(economy.types)
        self.columns = empty_columns(room, shape)
        self.plans: list[Plan | None] = [None] * room
        self.last: list[tuple[Response, Flow] | None] = [None] * len(economy.types)
        per_slot = horizon.discount_per_day ** (1 / economy.slots)
        self.interest = 1.0 - per_slot
        self.gap = np.inf

    def adopt(self, found: PopulationResponse) -> None:
        """Begin with everybody's policy in an answer as their only plan."""
        self._make_room()
        for type_index, (response, flow) in enumerate(zip(found.responses, found.flows, strict=True)):
            place = next_free(self.columns, 0)
            self._fill(place, flow)
            self.plans[place] = Plan(flow.law, None, response.policy.probability, *_left(flow, response))
            add_column(self.columns, place, type_index, self._worth(flow.law, response), True)
            self.last[type_index] = (response, flow)

    def _make_room(self) -> None:
        """See that every type finds a free place."""
        while self._free() < len(self.economy.types):
            self.columns = enlarged(self.columns)
            self.plans += [None] * len(self.plans)

    def _fill(self, place: int, flow: Flow) -> Floats:
        """Fill in the frequencies of a place, zero where the type has no move."""
        frequency: Floats = self.columns.frequency[place]
        frequency[...] = 0.0
        frequency[..., : flow.frequency.shape[-1]] = flow.frequency
        return frequency

    def answer(self, here: Cleared) -> float:
        """As promised by ``Plans``; plans are no better than the last gap asks for, until the gap is as small."""
        rough = COARSE * self.gap if self.gap < np.inf else None
        self.gap = self._answer(here, rough)
        if rough is not None and self.gap <= TRUSTED * rough:
            self.gap = self._answer(here, None)
        return self.gap

    def _answer(self, here: Cleared, tolerance_usd: float | None) -> float:
        """The answer with values of this accuracy, the finest by default."""
        self._make_room()
        gap, place = 0.0, 0
        for type_index, household in enumerate(self.economy.types):
            last = self.last[type_index]
            if household.battery is None and last is not None:
                continue  # a household without a battery has but one plan
            outcome = outcome_of(household, type_index, here, self.horizon.slot_hours)
            response = respond(
                outcome,
                household.levels,
                self.horizon,
                start=last[0] if last else None,
                check=self.check,
                tolerance_usd=None if tolerance_usd is None else max(tolerance_usd, value_tolerance_usd(0.0)),
            )
            midnight = last[1].law[:, 0] if last else None
            backward = self.economy.common.backward
            flow = household_flow(response.policy, self.horizon, backward, midnight, check=self.check)
            self.last[type_index] = (response, flow)
            place = next_free(self.columns, place)
            frequency = self._fill(place, flow)
            worth = self._worth(flow.law, response)
            gain = float(expected_gain(self.types, here.reward_usd[type_index], frequency)) + worth
            if last is None:
                gap = np.inf
            else:
                in_pool, mixed = self._revalued(type_index, here, response)
                gap += household.share * max(gain - mixed, 0.0)
                if self.patient and gain <= in_pool + SAME_USD:
                    continue
            taken = np.packbits(response.policy.probability > 0)
            self.plans[place] = Plan(flow.law, taken, None, *_left(flow, response))
            add_column(self.columns, place, type_index, worth, last is None)
        return gap

    def _free(self) -> int:
        """How many places are free; a pool that is not patient forgets what has no weight."""
        if self.patient:
            return int((self.columns.type_index == FREE).sum())
        return int(free_unused(self.columns))

    def _worth(self, law: Floats, response: Response) -> float:
        """Worth of a plan beside its rewards, by the values of a best response. [USD/day]"""
        if self.interest == 0.0:
            return 0.0
        by_state: Floats = np.einsum("chez,chze->c", law, response.value_usd)
        return float(-self.interest * (self.types.chance @ by_state))

    def _revalued(self, type_index: int, here: Cleared, response: Response) -> tuple[float, float]:
        """Bring the worth of a type's plans up to date; gain of the best of them, and of their mixture. [USD/day]"""
        best, mixed = -np.inf, 0.0
        for place in np.flatnonzero(self.columns.type_index == type_index):
            plan, weight = self.plans[place], self.columns.mixture[place]
            assert plan is not None
            if self.interest:
                self.columns.worth_usd[place] = self._worth(plan.law, response)
            if self.patient or weight > 0:
                gain = expected_gain(self.types, here.reward_usd[type_index], self.columns.frequency[place])
                gain += self.columns.worth_usd[place]
                best, mixed = max(best, gain), mixed + weight * (gain - plan.doubt_usd)
        return best, mixed

    def policies(self, here: Cleared) -> list[tuple[Response, Flow]]:
        """As promised by ``Plans``; where a mixture never is, its last plan counts."""
        found = []
        for type_index, household in enumerate(self.economy.types):
            outcome = outcome_of(household, type_index, here, self.horizon.slot_hours)
            last = self.last[type_index]
            assert last is not None
            response = last[0]
            if household.battery is None:  # it planned once only, at other prices
                response = respond(outcome, household.levels, self.horizon)
            law, done, defect = np.zeros(last[1].law.shape), np.zeros(response.policy.probability.shape), 0.0
            for place in np.flatnonzero((self.columns.type_index == type_index) & (self.columns.mixture > 0)):
                plan = self.plans[place]
                assert plan is not None
                part = self.columns.mixture[place] * plan.law
                law += part
                defect += float(self.columns.mixture[place]) * plan.defect
                done += part[..., None] * plan.probability(done.shape, outcome.choice)
            met = law[..., None] > 0
            probability = np.where(met, done / np.where(met, law[..., None], 1.0), response.policy.probability)
            probability /= probability.sum(axis=-1, keepdims=True)
            policy = outcome.followed(probability)
            frequency = here.frequency[type_index, ..., : outcome.moves.size]
            flow = Flow(law=law, frequency=frequency, defect=defect)
            found.append((replace(response, policy=policy, outcome=outcome), flow))
        return found


def _left(flow: Flow, response: Response) -> tuple[float, float]:
    """By how much a law that is not quite stationary may better a plan's gain [USD/day], and its defect."""
    return flow.defect * float(np.ptp(response.value_usd)), flow.defect
