"""A leader who fits a response matrix to its meters and posts what is best by it, near what it has posted.

It begins with rates drawn at random, one tariff more than there are free parameters, spread by a Latin hypercube. From
then on a round is one step of a trust-region method (A. R. Conn, N. I. M. Gould, Ph. L. Toint, *Trust-Region Methods*,
2000): a `MeterForecast` is fitted around the best tariff so far, nearer tariffs counting more; the tariff with the best
score by the forecast within a box around it is posted, with its rates shaken a little, so that the matrix keeps
learning. The box widens after a success and narrows after a failure, and opens again where it has closed.
"""

from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

import numpy as np

from meanwatt.agents.leader.meter import MeterReading
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.analysis.learning.books import balanced
from meanwatt.analysis.learning.meter import MeteredObjective
from meanwatt.analysis.learning.meter_forecast import MeteredDays, MeterForecast, metered_days
from meanwatt.model.mean_field.leader.parameter_family import ParameterFamily
from meanwatt.model.scenario.economy import Economy


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PublicKnowledge:
    """What a leader knows beside its meters.

    Attributes
    ----------
    economy
        Read for what is public alone, see `meanwatt.analysis.leader.metered_change.MeteredChange`, and the calendar.
    family
        The tariffs it may post.
    objective
        What it makes of a reading.
    in_force
        The reading of the tariff in force.
    """

    economy: Economy
    family: ParameterFamily
    objective: MeteredObjective
    in_force: MeterReading

    @property
    def today(self) -> Ints:
        """Day type of each common state. (c,) int"""
        return self.economy.common.today

    def score(self, reading: MeterReading) -> float:
        """What a learner would be told of a reading, at the level that balances the books."""
        return self.objective.estimate(balanced(self.economy, self.in_force, reading)).score


@runtime_checkable
class MeterLearner(Protocol):
    """A learner that reads the meters, and not their score alone."""

    def begin(self, public: PublicKnowledge) -> None:
        """Learn, before the first trial, what is public."""

    def read(self, days: MeteredDays | None) -> None:
        """Read the meters of the tariff asked last, before its value is told; None where nothing was metered."""


class ResponseMatrixLearner:
    """Learner that fits how load by slot answers to rates by slot, and optimises on it.

    Parameters
    ----------
    parameters
        Free parameters of the family.
    evaluations
        Not used: it learns as long as it is asked.
    seed
        Of the draws.

    Attributes
    ----------
    radius
        Half the side of the box that the next tariff lies in, as a share of each parameter's range.
    forecast
        The last one fitted; None before.
    """

    FIRST_RADIUS: Final = 0.5
    SMALLEST: Final = 2e-3
    WIDER: Final = 1.6
    NARROWER: Final = 0.6
    SHAKE: Final = 0.05
    """Standard deviation of what a proposal is shaken by, in radii."""
    NEAR: Final = 2.0
    """Tariffs at this many radii count by e^(−1/2)."""
    FIRST_SAMPLES: Final = 48
    LATER_SAMPLES: Final = 16
    """Tariffs forecast at first, and in each of the rounds that close in on the best of them."""
    ROUNDS: Final = 6
    CLOSER: Final = 0.55
    """Width of what is sampled in a round, as a share of that of the one before."""

    def __init__(self, parameters: int, evaluations: int, seed: int) -> None:
        self.radius = self.FIRST_RADIUS
        self.forecast: MeterForecast | None = None
        from scipy.stats import qmc  # slow to import

        self._rng = np.random.default_rng(seed)
        draws = np.random.default_rng((seed, 1))
        self._first = qmc.LatinHypercube(parameters, rng=draws).random(parameters + 1)
        self._public: PublicKnowledge | None = None
        self._places: list[Floats] = []
        self._told: list[float] = []
        self._days: list[MeteredDays | None] = []
        self._read: MeteredDays | None = None
        self._asked: Floats | None = None

    def begin(self, public: PublicKnowledge) -> None:
        """Learn, before the first trial, what is public."""
        self._public = public

    def read(self, days: MeteredDays | None) -> None:
        """Read the meters of the tariff asked last."""
        self._read = days

    def ask(self) -> Floats:
        """Propose rates at random at first, then what is best by the forecast, shaken."""
        if self._asked is None:
            self._asked = self._next()
        return self._asked.copy()

    def tell(self, parameters: Floats, value: float) -> None:
        """Learn a value, and widen or narrow the box."""
        better = not self._told or value > max(self._told)
        if len(self._places) >= len(self._first):
            self.radius = min(self.FIRST_RADIUS, self.radius * (self.WIDER if better else self.NARROWER))
            if self.radius < self.SMALLEST:
                self.radius = self.FIRST_RADIUS
        self._places.append(np.array(parameters))
        self._told.append(value)
        self._days.append(self._read)
        self._read = self._asked = None

    def _next(self) -> Floats:
        done = len(self._places)
        if done < len(self._first):
            return np.asarray(self._first[done])
        centre = self._places[int(np.argmax(self._told))]
        self.forecast = self._fit(centre)
        shaken = self.SHAKE * self.radius * self._rng.standard_normal(len(centre))
        if self.forecast is None or self._public is None:
            return np.clip(centre + self.radius * self._rng.uniform(-1, 1, len(centre)), 0.0, 1.0)
        return np.clip(self._best(centre, self.forecast, self._public) + shaken, 0.0, 1.0)

    def _fit(self, centre: Floats) -> MeterForecast | None:
        """The forecast around the best tariff; None where its meters were not read."""
        public, around = self._public, self._days[int(np.argmax(self._told))]
        if public is None or around is None:
            return None
        known = [(place, days) for place, days in zip(self._places, self._days, strict=True) if days is not None]
        far = np.array([np.abs(place - centre).max() for place, _ in known]) / (self.NEAR * self.radius)
        others = [days for _, days in known]
        states = len(public.economy.common.probability)
        first = metered_days(public.in_force, states)  # the tariff in force was metered, too, and longest
        weight = np.append(np.exp(-0.5 * far**2), np.exp(-0.5))
        return MeterForecast(public.today, public.in_force, around, [*others, first], weight)

    def _best(self, centre: Floats, forecast: MeterForecast, public: PublicKnowledge) -> Floats:
        """The tariff in the box with the best score by the forecast, by samples that close in on it."""
        low, high = np.maximum(centre - self.radius, 0.0), np.minimum(centre + self.radius, 1.0)
        best, worth = centre, self._score(centre, forecast, public)
        width = self.radius
        for number in range(self.ROUNDS + 1):
            count = self.FIRST_SAMPLES if number == 0 else self.LATER_SAMPLES
            samples = np.clip(best + width * self._rng.uniform(-1.5, 1.5, (count, len(centre))), low, high)
            if number:  # most change a few parameters alone
                kept = self._rng.random(samples.shape) < 0.5
                samples = np.where(kept, best, samples)
            scores = [self._score(one, forecast, public) for one in samples]
            if max(scores) > worth:
                best, worth = samples[int(np.argmax(scores))], max(scores)
            width *= self.CLOSER
        return best

    @staticmethod
    def _score(unit: Floats, forecast: MeterForecast, public: PublicKnowledge) -> float:
        return public.score(forecast.reading(public.family.tariff(public.family.at(unit))))
