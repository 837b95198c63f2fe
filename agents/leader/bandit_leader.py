"""Policy iteration on a menu: action values learned from what its elements brought, and a softmax policy that follows.

In every state the learner first tries each element once, in random order. From then on a round is one step of a policy
iteration: an element is drawn from the policy π and posted, its value Q moves towards what the meters said of it, and
the policy moves towards the softmax of the values,

    Q(a) ← Q(a) + n(a)^(−0.6) · (told − Q(a)),   π ← π + n^(−0.7) · (softmax(Q/η) − π),   η = (best Q − median Q) / √n,

n(a) being the rounds in which a was posted and n those since all were tried. Three things follow from the form. Recent
rounds weigh more than old ones, which were metered when households had learned less. Values move by longer steps than
the policy, so that what is evaluated stands nearly still meanwhile (two time scales). And nothing needs a unit or a
horizon: the first draw is open between the better half of the menu, and the target's chance of an element that is worse
by a fixed gap falls like exp(−√n).

References
----------
S. Kakade, J. Langford, *Approximately optimal approximate reinforcement learning* (2002): policies that move by a step.
V. S. Borkar, *Stochastic approximation with two time scales*, Systems & Control Letters 29 (1997).
R. S. Sutton, A. G. Barto, *Reinforcement Learning* (2018), sections 2.5 (recency weights) and 2.8 (softmax).
"""

from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.randomness import child, uniform
from meanwatt.agents.numerics.softmax import softmax

VALUE_EXPONENT: Final = 0.6
"""A value's step falls like the rounds behind it to this power; 1 would be the plain average."""
POLICY_EXPONENT: Final = 0.7
"""The policy's step falls like the rounds to this power: faster than the values'."""
NEGLIGIBLE_PROBABILITY: Final = 1e-300
"""Chances below this are none: numbers this small have lost their digits."""


class MenuLearner:
    """Learns what the elements of a menu are worth in each of its states by posting them.

    Parameters
    ----------
    states, elements
        Number of states that choose for themselves, and of elements on the menu.
    stream
        Where its draws come from, see ``meanwatt.agents.numerics.randomness``; draw number round · states + state
        serves one choice.

    Attributes
    ----------
    value_usd : (s, a)
        Q, the mean of the values told, recent days weighing more; nan where none was told.
    days : (s, a) int
        Days behind it.
    """

    def __init__(self, states: int, elements: int, *, stream: int) -> None:
        self.value_usd: Floats = np.full((states, elements), np.nan)
        self.days: Ints = np.zeros((states, elements), dtype=np.int64)
        self._told: Ints = np.zeros((states, elements), dtype=np.int64)
        self._policy: Floats = np.full((states, elements), 1.0 / elements)
        self._stream = stream

    def temperature_usd(self) -> Floats:
        """Temperature that the policy moves towards; inf while an element is untried, and is chosen. (s,)"""
        spread = np.max(self.value_usd, axis=1) - np.median(self.value_usd, axis=1)  # nan while one is untried
        return np.where(np.isnan(spread), np.inf, spread / np.sqrt(self._rounds()))

    def policy(self) -> Floats:
        """Chance of each element in the next round. (s, a), rows sum to one"""
        untried = np.isnan(self.value_usd)
        some = untried.any(axis=1, keepdims=True)
        return np.where(some, untried / np.maximum(untried.sum(axis=1, keepdims=True), 1), self._policy)

    def choose(self, round_number: int) -> Ints:
        """Draw an element for each state. (s,)"""
        states = len(self.value_usd)
        chosen = np.empty(states, dtype=np.int64)
        for s, chance in enumerate(self.policy()):
            line = np.cumsum(np.where(chance > NEGLIGIBLE_PROBABILITY, chance, 0.0))
            point = uniform(child(self._stream, round_number * states + s)) * line[-1]
            chosen[s] = np.searchsorted(line, point, side="right")
        return chosen

    def update(self, state: int, element: int, value_usd: float, days: int) -> None:
        """Take in what an element brought in a state, on average over some days of a round.

        Raises
        ------
        ValueError
            If the value is not finite, or there were no days.
        """
        if not (np.isfinite(value_usd) and days >= 1):
            raise ValueError(f"told {value_usd} over {days} days; give a finite value over at least one day")
        self.days[state, element] += days
        self._told[state, element] += 1
        before = 0.0 if np.isnan(self.value_usd[state, element]) else self.value_usd[state, element]
        step = (days / self.days[state, element]) ** VALUE_EXPONENT
        self.value_usd[state, element] = before + step * (value_usd - before)
        if not np.isnan(self.value_usd[state]).any():
            better = softmax(self.value_usd[state], float(self.temperature_usd()[state]))
            self._policy[state] += self._rounds()[state] ** -POLICY_EXPONENT * (better - self._policy[state])

    def _rounds(self) -> Floats:
        """Rounds since every element was tried, the last of those trials counted; 1 before. (s,)"""
        return np.asarray(np.maximum(self._told.sum(axis=1) - self._told.shape[1] + 1.0, 1.0))
