"""What the derivative of one household type's day is made of, before anybody says in which direction it is taken."""

import numpy as np

from meanwatt.agents.household.best_response import Response
from meanwatt.agents.household.decision_problem import DecisionProblem, ValueRule
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.model.mean_field.population.flow import Flow

Sums = tuple[Floats, Floats, Floats, Floats, Floats, Floats, Floats]
"""Reward, mass that chooses and mass that landed, landed reward, seen and landed seen, own slot."""


class LinearDay:
    """What the derivative of one type's day is made of, its battery's moves included. Axes (…, c, h, z, e).

    Attributes
    ----------
    law : (c, h, z, e)
        Mass before the move.
    choosing, landing : (c, h, z, e)
        Mass that chooses its move, before and after it; where nature draws, 0: nobody answers a change there.
    reward, landed_reward : (2, c, h, z, e)
        Mean slope of the reward in the import and the export rate before the move, and its sum by where moves land.
    seen, landed_seen : (o, c, h, z, e)
        The same of the observables.
    own : (2, o, c, h)
        How an observable moves with the rates of its own slot, values and laws held.
    plan : (c, h, e, z, j)
        The policy that values follow: the softmax, or the greedy move under ``boltzmann``.
    """

    def __init__(
        self,
        response: Response,
        flow: Flow,
        horizon: DecisionProblem,
        seen: Floats,
        slope_import: Floats,
        slope_export: Floats,
    ) -> None:
        self.horizon, self.policy = horizon, response.policy
        policy = response.policy
        net_kw = response.outcome.net_load_kw
        imported_kw = response.outcome.imported_kw
        per_rate = -horizon.slot_hours * np.stack([imported_kw, net_kw - imported_kw])
        self.law = self.choosing = np.ascontiguousarray(flow.law.transpose(0, 1, 3, 2))
        if policy.choice is not None and policy.choice.given.size:
            self.choosing = self.law * policy.choice.chosen[:, None, None]
        both = np.concatenate([per_rate, seen])
        expected = _expected(policy.probability, both)
        self.reward, self.seen = expected[:2], expected[2:]
        self.landing, landed = _landed(policy.probability, policy.moves, self.choosing, both)
        self.landed_reward, self.landed_seen = landed[:2], landed[2:]
        self.soft = horizon.value_rule is ValueRule.ENTROPY
        if self.soft:
            self.plan, self.plan_reward = policy.probability, self.reward
        else:
            self.plan = greedy_moves(policy)
            self.plan_reward = _expected(self.plan, per_rate)
        weight, chosen = flow.frequency, flow.frequency
        if self.choosing is not self.law:
            chosen = np.einsum("chze,chezj->chzj", self.choosing, policy.probability)
        self.own = np.stack(
            [
                # a change of the own slot's reward moves what is seen with it, over the temperature
                np.einsum("chzj,ochzj->och", weight, slope)
                + np.einsum("chzj,ochzj->och", chosen * rewarded, seen) / horizon.temperature_usd
                for slope, rewarded in ((slope_import, per_rate[0]), (slope_export, per_rate[1]))
            ]
        )
        self.per_slot = horizon.discount_per_day ** (1 / self.law.shape[1])

    def of_states(self, part: slice) -> tuple[Floats, Sums]:
        """Some common states and the first observable alone, as the sweeps of a day read them.

        Returns
        -------
        Floats (2, c, h, z, e), tuple
            ``plan_reward`` of `backward_days`, and what `forward_days` takes from ``reward`` to ``own``.
        """
        reward, plan_reward, landed_reward, seen, landed_seen = (
            np.ascontiguousarray(array[:, part])
            for array in (self.reward, self.plan_reward, self.landed_reward, self.seen[:1], self.landed_seen[:1])
        )
        own = np.ascontiguousarray(self.own[:, :1, part])
        return plan_reward, (reward, self.choosing[part], self.landing[part], landed_reward, seen, landed_seen, own)


def greedy_moves(policy: PolicyTable) -> Floats:
    """The policy (c, h, e, z, j) that takes the most probable open move, ties split equally; nature draws as before."""
    allowed, probability = policy.open_moves[:, :, None], policy.probability
    best = np.where(allowed, probability, -1.0).max(axis=-1, keepdims=True)
    chosen = (probability >= best) & allowed
    greedy = np.asarray(chosen / chosen.sum(axis=-1, keepdims=True))
    if policy.choice is not None:
        policy.choice.impose(greedy)
    return greedy


def _expected(probability: Floats, seen: Floats) -> Floats:
    """Mean (o, c, h, z, e) of what is seen of the move, before the move."""
    states, slots, levels, shocks, _ = probability.shape
    found = np.empty((len(seen), states, slots, shocks, levels))
    _expect(probability, np.ascontiguousarray(seen), found)
    return found


def _landed(probability: Floats, moves: Ints, law: Floats, seen: Floats) -> tuple[Floats, Floats]:
    """Mass (c, h, z, e') after the move, and what was seen on the way there (o, c, h, z, e')."""
    states, slots, levels, shocks, _ = probability.shape
    mass = np.zeros((states, slots, shocks, levels))
    total = np.zeros((len(seen), states, slots, shocks, levels))
    _land(probability, moves, law, seen, mass, total)
    return mass, total


@compiled
def _expect(probability: Floats, seen: Floats, found: Floats) -> None:
    """Add up Σ_j P[c, h, e, z, j] seen[o, c, h, z, j] in found[o, c, h, z, e]."""
    states, slots, levels, shocks, count = probability.shape
    for c in range(states):
        for h in range(slots):
            for e in range(levels):
                for z in range(shocks):
                    for o in range(len(seen)):
                        total = 0.0
                        for j in range(count):
                            total += probability[c, h, e, z, j] * seen[o, c, h, z, j]
                        found[o, c, h, z, e] = total


@compiled
def _land(  # complexipy: ignore
    probability: Floats, moves: Ints, law: Floats, seen: Floats, mass: Floats, total: Floats
) -> None:
    states, slots, levels, shocks, count = probability.shape
    for c in range(states):
        for h in range(slots):
            for e in range(levels):
                for z in range(shocks):
                    for j in range(count):
                        p = law[c, h, z, e] * probability[c, h, e, z, j]
                        if p > 0.0:
                            mass[c, h, z, e + moves[j]] += p
                            for o in range(len(seen)):
                                total[o, c, h, z, e + moves[j]] += p * seen[o, c, h, z, j]
