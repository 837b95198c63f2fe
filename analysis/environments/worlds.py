"""Where the leader's tariffs are posted, round by round: the continuum of households, or one running market."""

from collections.abc import Callable
from typing import Any, Final, Protocol

from meanwatt.agents.leader.meter import MeterReading, joined
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.learning.environment import DAYS_IN_FORCE, MeanFieldEnvironment, metered_reading
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium


class World(Protocol):
    """Where tariffs are posted, round by round."""

    @property
    def market(self) -> ProsumerMarket | None:
        """The market, where there is one."""

    def in_force(self) -> MeterReading:
        """What the meters read under the tariff in force, before the first round."""

    def begin(self, key: int) -> None:
        """Begin again, with draws of another key."""

    def post(self, tariff: Tariff) -> MeterReading | None:
        """Post a tariff for a round; None if households come to no equilibrium under it."""

    def close(self) -> None:
        """Let go of everything."""


class Continuum:
    """The mean field at each tariff's equilibrium; a round has no length."""

    def __init__(self, in_force: Equilibrium, households: int, days: int, behaviour: Any) -> None:
        self._environment = MeanFieldEnvironment(in_force)
        self.market: ProsumerMarket | None = None

    def in_force(self) -> MeterReading:
        """Expected meters."""
        return self._environment.in_force()

    def begin(self, key: int) -> None:
        """Nothing is drawn."""

    def post(self, tariff: Tariff) -> MeterReading | None:
        """Solve the equilibrium and read its expected meters."""
        return self._environment.post(tariff, 1).reading

    def close(self) -> None:
        """Nothing to let go of."""


class RunningMarket:
    """One market that lives on from tariff to tariff.

    The tariff in force was metered for a year in a market of its own, the same for every key.
    """

    def __init__(self, in_force: Equilibrium, households: int, days: int, behaviour: Any) -> None:
        self._in_force, self._households, self._days, self._behaviour = in_force, households, days, behaviour
        self._office = _Office(in_force.tariff)
        self.market: ProsumerMarket | None = None

    def in_force(self) -> MeterReading:
        """Meters of a year."""
        return metered_reading(self._in_force, households=self._households, days=DAYS_IN_FORCE, key=(0, DAYS_IN_FORCE))

    def begin(self, key: int) -> None:
        """Make a new market."""
        self.close()
        self._office = _Office(self._in_force.tariff)
        self.market = ProsumerMarket(
            self._in_force.economy,
            households=self._households,
            policies=self._in_force,
            behaviour=self._behaviour,
            rng=key,
            power_flow=False,
            leader=self._office,
        )

    def post(self, tariff: Tariff) -> MeterReading | None:
        """Simulate the days of a round under the tariff."""
        market = self.market
        assert market is not None
        assert market.terms is not None
        try:
            market.terms.of(tariff)
        except ValueError:  # the market has not moved
            return None
        self._office.tariff, self._office.readings = tariff, []
        for _ in range(self._days):
            market.step()
        return joined(self._office.readings)

    def close(self) -> None:
        """Let go of the market."""
        if self.market is not None:
            self.market.close()


class _Office:
    """The market's leader: posts what it is told and keeps what it reads."""

    def __init__(self, tariff: Tariff) -> None:
        self.tariff = tariff
        self.readings: list[MeterReading] = []

    def post(self, day: int, common_state: int) -> Tariff:
        """The tariff of the round."""
        return self.tariff

    def learn(self, reading: MeterReading) -> None:
        """Keep the day's reading."""
        self.readings.append(reading)


WORLDS: Final[dict[str, Callable[[Equilibrium, int, int, Any], World]]] = {
    "mean_field": Continuum,
    "market": RunningMarket,
}
"""Worlds by name: called with the equilibrium in force, households, days of a round and behaviour."""
