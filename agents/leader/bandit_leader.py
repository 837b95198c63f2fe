"""Action values of a menu, learned from what its elements brought, and an annealed softmax over them.

In every state the learner first tries each element once, in random order. From then on it draws from softmax(Q/η), Q
being the plain average of all values told. After n further rounds

    η = (best Q − median Q) / √n,

so that it needs no unit and no horizon: the first draw is open between the better half of the menu, and the chance of
an element that is worse by a fixed gap falls like exp(−√n).

References
----------
R. S. Sutton, A. G. Barto, *Reinforcement Learning* (2018), sections 2.4 (incremental averages) and 2.8 (softmax).
"""

from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.randomness import child, uniform
from meanwatt.agents.numerics.softmax import softmax

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
        Q, the average of the values told, every day alike; nan where none was told.
    days : (s, a) int
        Days behind it.
    """

    def __init__(self, states: int, elements: int, *, stream: int) -> None:
        self.value_usd: Floats = np.full((states, elements), np.nan)
        self.days: Ints = np.zeros((states, elements), dtype=np.int64)
        self._told: Ints = np.zeros((states, elements), dtype=np.int64)
        self._stream = stream

    def temperature_usd(self) -> Floats:
        """Temperature of the next choice; inf while an element is untried, when the choice is among those. (s,)"""
        rounds = self._told.sum(axis=1) - self._told.shape[1] + 1
        spread = np.max(self.value_usd, axis=1) - np.median(self.value_usd, axis=1)  # nan while one is untried
        return np.where(np.isnan(spread), np.inf, spread / np.sqrt(np.maximum(rounds, 1)))

    def policy(self) -> Floats:
        """Chance of each element in the next round. (s, a), rows sum to one"""
        chances = []
        for values, temperature in zip(self.value_usd, self.temperature_usd(), strict=True):
            untried = np.isnan(values)
            chances.append(untried / untried.sum() if untried.any() else softmax(values, float(temperature)))
        return np.array(chances)

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
        self.value_usd[state, element] = before + days / self.days[state, element] * (value_usd - before)
