"""Temperature 0: everybody's best plan for days without end: each type's best response and its stationary flow."""

from dataclasses import replace

import numpy as np

from agents.best_response import Response, respond
from agents.outlook import Outlook
from agents.policy import PolicyTable
from model.economy import Economy
from model.mean_field.clearing import Cleared, TypeStack, expected_gain, outcome_of
from model.mean_field.flow import Flow, household_flow
from model.mean_field.mixture import ROOM_PER_TYPE, add_column, empty_columns, enlarged, free_unused, next_free


class EndlessPlans:
    """Stationary plans of days without end."""

    def __init__(self, economy: Economy, horizon: Outlook, types: TypeStack) -> None:
        self.economy, self.horizon, self.types = economy, horizon, types
        shape = (*economy.rest_load_kw.shape, types.shock_levels.size, types.moves.shape[1])
        room = ROOM_PER_TYPE * len(economy.types)
        self.columns = empty_columns(room, shape)
        self.plans: list[tuple[Response, Flow] | None] = [None] * room
        self.last: list[tuple[Response, Flow] | None] = [None] * len(economy.types)

    def answer(self, here: Cleared) -> float:
        """As promised by ``Plans``."""
        while free_unused(self.columns) < len(self.economy.types):
            self.columns = enlarged(self.columns)
            self.plans += [None] * len(self.plans)
        gap, place = 0.0, 0
        for kind, household in enumerate(self.economy.types):
            last = self.last[kind]
            if household.battery is None and last is not None:
                continue  # a household without a battery has but one plan
            outcome = outcome_of(household, kind, here, self.horizon.slot_hours)
            response = respond(outcome, household.levels, self.horizon, start=last[0] if last else None)
            midnight = last[1].law[:, 0] if last else None
            flow = household_flow(response.policy, self.horizon, self.economy.common.backward, midnight)
            place = next_free(self.columns, place)
            self.plans[place] = self.last[kind] = (response, flow)
            frequency = self.columns.frequency[place]
            frequency[...] = 0.0
            frequency[..., : flow.frequency.shape[-1]] = flow.frequency
            if last is None:
                gap = np.inf
            else:
                lead = expected_gain(self.types, here.reward_usd[kind], frequency - here.frequency[kind])
                gap += household.share * lead
            add_column(self.columns, place, kind, 0.0, last is None)
        return gap

    def policies(self, here: Cleared) -> list[tuple[Response, Flow]]:
        """As promised by ``Plans``; where a mixture never is, its last plan counts."""
        found = []
        for kind, household in enumerate(self.economy.types):
            outcome = outcome_of(household, kind, here, self.horizon.slot_hours)
            last = self.last[kind]
            assert last is not None
            response = last[0]
            if household.battery is None:  # it planned once only, at other prices
                response = respond(outcome, household.levels, self.horizon)
            law, done = np.zeros(last[1].law.shape), np.zeros(response.policy.probability.shape)
            for place in np.flatnonzero((self.columns.kind == kind) & (self.columns.mixture > 0)):
                plan = self.plans[place]
                assert plan is not None
                part = self.columns.mixture[place] * plan[1].law
                law += part
                done += part[..., None] * plan[0].policy.probability
            met = law[..., None] > 0
            probability = np.where(met, done / np.where(met, law[..., None], 1.0), response.policy.probability)
            probability /= probability.sum(axis=-1, keepdims=True)
            policy = PolicyTable(
                moves=outcome.moves, probability=probability, net_load_kw=outcome.net_load_kw, use_kw=outcome.use_kw
            )
            frequency = here.frequency[kind, ..., : outcome.moves.size]
            flow = Flow(law=law, frequency=frequency, defect=0.0)
            found.append((replace(response, policy=policy, outcome=outcome), flow))
        return found
