"""A market that lives on from tariff to tariff: batteries, weather and what households believe carry over."""

from typing import Any

from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.leader.meter import MeterReading, joined
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.learning.environment import DAYS_IN_FORCE, Environment, Posted, metered_reading
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium


class RunningMarketEnvironment(Environment):
    """One market that lives on from tariff to tariff.

    The tariff in force was metered for ``DAYS_IN_FORCE`` days in a market of its own, the same for every key.

    Parameters
    ----------
    in_force
        Equilibrium at the tariff in force.
    households, days, behaviour
        Size of the market, days of a trial, and how households decide.
    """

    def __init__(self, in_force: Equilibrium, *, households: int, days: int, behaviour: Any) -> None:
        self._in_force = in_force
        self.households, self.days, self.behaviour = households, days, behaviour
        self._office = _Office(in_force.tariff)
        self._market: ProsumerMarket | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """Name and size."""
        return {"environment": "running_market", "households": self.households, "days": self.days}

    @property
    def trial_days(self) -> int:
        """Those of a round."""
        return self.days

    @property
    def market(self) -> ProsumerMarket | None:
        """The market since `begin`."""
        return self._market

    def in_force(self) -> MeterReading:
        """Meters of the days before."""
        key = (0, DAYS_IN_FORCE)
        return metered_reading(self._in_force, households=self.households, days=DAYS_IN_FORCE, key=key)

    def begin(self, key: int) -> None:
        """Make a new market."""
        self.close()
        self._office = _Office(self._in_force.tariff)
        self._market = ProsumerMarket(
            self._in_force.economy,
            households=self.households,
            policies=self._in_force,
            behaviour=self.behaviour,
            rng=key,
            power_flow=False,
            leader=self._office,
        )

    def post(self, tariff: Tariff | Offer, trial: int) -> Posted:
        """Simulate the days of a trial under the tariff."""
        market = self._market
        assert market is not None
        assert market.terms is not None
        try:
            market.terms.of(tariff)
        except ValueError:  # the market has not moved
            return Posted(reading=None, truth=None)
        self._office.tariff, self._office.readings = tariff, []
        for _ in range(self.days):
            market.step()
        return Posted(reading=joined(self._office.readings), truth=None)

    def close(self) -> None:
        """Let go of the market."""
        if self._market is not None:
            self._market.close()


class _Office:
    """The market's leader: posts what it is told and keeps what it reads."""

    def __init__(self, tariff: Tariff) -> None:
        self.tariff: Tariff | Offer = tariff
        self.readings: list[MeterReading] = []

    def post(self, day: int, common_state: int) -> Tariff | Offer:
        """The tariff of the round."""
        return self.tariff

    def learn(self, reading: MeterReading) -> None:
        """Keep the day's reading."""
        self.readings.append(reading)
