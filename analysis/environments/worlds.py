"""Where the leader's tariffs are posted, round by round: the continuum of households, or finite markets."""

from collections.abc import Callable
from typing import Final, Protocol

from agents.meter import MeterReading
from agents.tariff import Tariff
from analysis.learning.environment import MarketEnvironment, MeanFieldEnvironment
from model.mean_field.equilibrium import Equilibrium


class World(Protocol):
    """Where tariffs are posted, round by round."""

    def in_force(self) -> MeterReading:
        """What the meters read under the tariff in force, before the first round."""

    def begin(self, key: int) -> None:
        """Begin again, with draws of another key."""

    def post(self, tariff: Tariff) -> MeterReading | None:
        """Post a tariff for a round; None if households come to no equilibrium under it."""


class Continuum:
    """The mean field at each tariff's equilibrium; a round has no length."""

    def __init__(self, in_force: Equilibrium, households: int, days: int) -> None:
        self._environment = MeanFieldEnvironment(in_force)

    def in_force(self) -> MeterReading:
        """Expected meters."""
        return self._environment.in_force()

    def begin(self, key: int) -> None:
        """Nothing is drawn."""

    def post(self, tariff: Tariff) -> MeterReading | None:
        """Solve the equilibrium and read its expected meters."""
        return self._environment.post(tariff, 1).reading


class FiniteMarkets:
    """A market for each round, whose households have settled at the equilibrium of the tariff posted.

    The tariff in force was metered for a year in a market of its own, the same for every key.
    """

    def __init__(self, in_force: Equilibrium, households: int, days: int) -> None:
        self._in_force, self._households, self._days = in_force, households, days
        self.begin(0)

    def in_force(self) -> MeterReading:
        """Meters of a year."""
        environment = MarketEnvironment(self._in_force, households=self._households, days=self._days, seed=0)
        return environment.in_force()

    def begin(self, key: int) -> None:
        """Take other markets."""
        self._environment = MarketEnvironment(self._in_force, households=self._households, days=self._days, seed=key)
        self._round = 0

    def post(self, tariff: Tariff) -> MeterReading | None:
        """Let households settle, then simulate the days of a round and meter them."""
        self._round += 1
        return self._environment.post(tariff, self._round).reading


WORLDS: Final[dict[str, Callable[[Equilibrium, int, int], World]]] = {
    "mean_field": Continuum,
    "market": FiniteMarkets,
}
"""Worlds by name: called with the equilibrium in force, households, and days of a round."""
