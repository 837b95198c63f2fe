"""Who posts the tariff of a running market: asked at midnight, told in the evening what the meters saw."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from meanwatt.agents.leader.bandit_leader import MenuLearner
from meanwatt.agents.leader.meter import MeterReading, joined
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.randomness import Key, Purpose, key_from, stream
from meanwatt.agents.tariff.tariff import Tariff


@runtime_checkable
class Leader(Protocol):
    """What a market asks of whoever posts its tariff.

    A tariff that is posted again must be the same object: what households make of it is worked out once for each.
    """

    def post(self, day: int, common_state: int) -> Tariff:
        """Today's tariff, from what is known at midnight: the number of the day, and its weather."""

    def learn(self, reading: MeterReading) -> None:
        """Take in the day that is over, a reading of one row."""


Score = Callable[[MeterReading], float | None]
"""What meters say of a tariff, to be maximised; None where they say nothing. [USD per household-day]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Round:
    """Days under one tariff, and what the leader made of them.

    Attributes
    ----------
    number, first_day, days
        Which round, from 0; its first day, and how many.
    temperature_usd : (s,)
        Temperature of the draw; inf while something was untried.
    choice : (s,) int
        Element of the menu posted in each of the leader's states.
    metered_usd : (s,)
        What its meters said of it; nan in a state that no day was in. [USD per household-day]
    value_usd : (s, a)
        Q after the round.
    """

    number: int
    first_day: int
    days: int
    temperature_usd: Floats
    choice: Ints
    metered_usd: Floats
    value_usd: Floats


class LearningLeader:
    """A leader who knows no household's objective and learns its menu by posting it.

    For every round of days it draws an element of the menu, in each of its states where the tariff may depend on the
    weather, by the annealed softmax of `MenuLearner`. After the round it scores what the meters read in each state.

    Parameters
    ----------
    menu
        The tariffs on offer.
    score
        What the meters say of a tariff.
    round_days
        Days for which a tariff stays: 1 for daily rounds, 30 for monthly ones.
    state : (c,) int
        State of the leader in each common state, from 0; by default there is one for all.
    compose
        Makes the tariff of a round from the element of each state, (s,); needed where there are several states.
    rng
        Key of the draws, as of `meanwatt.agents.numerics.randomness.key_from`.

    Attributes
    ----------
    learner : MenuLearner
        Action values.
    rounds : list of Round
        Those that are over.
    posted : list of int
        Element of the menu posted on each day.

    Raises
    ------
    ValueError
        If the menu is empty, a round has no day, or states come without ``compose``.
    """

    def __init__(
        self,
        menu: Sequence[Tariff],
        score: Score,
        *,
        round_days: int = 30,
        state: Ints | None = None,
        compose: Callable[[Ints], Tariff] | None = None,
        rng: Key = 0,
    ) -> None:
        if not menu:
            raise ValueError("the menu is empty; give at least one tariff")
        if not (isinstance(round_days, int) and round_days >= 1):
            raise ValueError(f"round_days is {round_days!r}; give a whole number of at least 1, e.g. 30")
        self.state = None if state is None else np.asarray(state, dtype=np.int64)
        states = 1 if self.state is None else int(self.state.max()) + 1
        if states > 1 and compose is None:
            raise ValueError(f"the leader has {states} states but no compose; give what makes one tariff of them")
        self.menu = tuple(menu)
        self.round_days = round_days
        self.learner = MenuLearner(states, len(self.menu), stream=stream(key_from(rng), Purpose.LEADER))
        self.rounds: list[Round] = []
        self.posted: list[int] = []
        self._score = score
        self._compose = compose if states > 1 else None
        self._made: dict[bytes, Tariff] = {}
        self._choice: Ints = np.zeros(states, dtype=np.int64)
        self._temperature_usd: Floats = np.full(states, np.inf)
        self._readings: list[MeterReading] = []

    def post(self, day: int, common_state: int) -> Tariff:
        """Draw the round's tariff on its first day, and keep it on the others."""
        if not self._readings:
            self._temperature_usd = self.learner.temperature_usd()
            self._choice = self.learner.choose(len(self.rounds))
        self.posted.append(int(self._choice[self._state(common_state)]))
        if self._compose is None:
            return self.menu[int(self._choice[0])]
        key = self._choice.tobytes()
        if key not in self._made:
            self._made[key] = self._compose(self._choice)
        return self._made[key]

    def learn(self, reading: MeterReading) -> None:
        """Keep the day's reading; after the last day of the round, score them and learn."""
        self._readings.append(reading)
        if len(self._readings) < self.round_days:
            return
        days = joined(self._readings)
        state = np.array([self._state(int(c)) for c in days.common_state])
        metered = np.full(len(self._choice), np.nan)
        for s in np.unique(state):
            rows = np.flatnonzero(state == s)
            found = self._score(days.rows(rows))
            if found is not None:
                metered[s] = found
                self.learner.update(int(s), int(self._choice[s]), found, len(rows))
        self.rounds.append(
            Round(
                number=len(self.rounds),
                first_day=len(self.posted) - self.round_days,
                days=self.round_days,
                temperature_usd=self._temperature_usd,
                choice=self._choice,
                metered_usd=metered,
                value_usd=self.learner.value_usd.copy(),
            )
        )
        self._readings = []

    def _state(self, common_state: int) -> int:
        return 0 if self.state is None else int(self.state[common_state])
