"""Who posts the tariff of a running market: asked at midnight, told in the evening what the meters saw."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from meanwatt.agents.behaviour.offer import Offer
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

    def post(self, day: int, common_state: int) -> Tariff | Offer:
        """Today's tariff, from what is known at midnight: the number of the day, and its weather.

        A tariff alone has the adder and the fixed charges of its equilibrium; an offer says its own.
        """

    def learn(self, reading: MeterReading) -> None:
        """Take in the day that is over, a reading of one row."""


class Books(Protocol):
    """What balances revenue and cost of a leader who sets the level of its tariffs itself."""

    @property
    def balance_usd(self) -> float:
        """Revenue less cost of all days booked. [USD per household]"""

    def offer(self, tariff: Tariff, days: int) -> Offer:
        """Set adder and fixed charges for a round of days, before anything of it is metered."""

    def close(self, reading: MeterReading, days: int) -> MeterReading:
        """Book a round that was metered; return what its meters show at the level that is to be scored."""


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
    offer
        What was posted, with the level that the leader's own books set; None without books.
    balance_usd
        Where the books stood after the round; None without. [USD per household]
    class_bill_usd_per_day
        Mean bill that the meters of each rate class posted came to, by its name; empty where one tariff held for all.
        [USD per household-day]
    """

    number: int
    first_day: int
    days: int
    temperature_usd: Floats
    choice: Ints
    metered_usd: Floats
    value_usd: Floats
    offer: Offer | None = None
    balance_usd: float | None = None
    class_bill_usd_per_day: Mapping[str, float] = field(default_factory=dict)


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
    books
        What sets adder and fixed charges of each round; without, the market takes those of the tariff's equilibrium.

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
        books: Books | None = None,
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
        self.books = books
        self._score = score
        self._compose = compose if states > 1 else None
        self._made: dict[bytes, Tariff] = {}
        self._choice: Ints = np.zeros(states, dtype=np.int64)
        self._temperature_usd: Floats = np.full(states, np.inf)
        self._readings: list[MeterReading] = []
        self._offer: Offer | None = None

    def post(self, day: int, common_state: int) -> Tariff | Offer:
        """Draw the round's tariff on its first day, and keep it on the others."""
        if not self._readings:
            self._temperature_usd = self.learner.temperature_usd()
            self._choice = self.learner.choose(len(self.rounds))
            self._offer = None if self.books is None else self.books.offer(self._chosen(), self.round_days)
        self.posted.append(int(self._choice[self._state(common_state)]))
        return self._offer or self._chosen()

    def _chosen(self) -> Tariff:
        """The tariff of the round."""
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
        names = [one.name for one in days.tariff.classes]
        billed = dict(zip(names, days.class_bill_usd_per_day.tolist(), strict=True)) if names else {}
        if self.books is not None:
            days = self.books.close(days, self.round_days)
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
                offer=self._offer,
                balance_usd=None if self.books is None else self.books.balance_usd,
                class_bill_usd_per_day=billed,
            )
        )
        self._readings = []

    def _state(self, common_state: int) -> int:
        return 0 if self.state is None else int(self.state[common_state])
