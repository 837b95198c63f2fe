"""A measured market whose households live on worker processes of this machine."""

from typing import Any

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.randomness import Key, key_from, seed_of
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.metrics.utility_meter import Enjoyed
from meanwatt.analysis.simulation.part_processes import Asked, PartProcesses
from meanwatt.model.market.behaviour_spec import Given, read_behaviour
from meanwatt.model.market.divided_market import DividedMarket, require_divisible
from meanwatt.model.market.setup import find_economy, find_equilibrium
from meanwatt.model.market.statement import MonthStatement
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.messages import Messages


class MarketInParts:
    """Measures a market whose households live on worker processes of this machine.

    Parameters
    ----------
    economy, tariff, equilibrium, behaviour, households, seed, threads, power_flow
        As of ``meanwatt.analysis.simulation.simulation.simulate``.
    workers
        Number of processes.
    cancelled
        Asked every moment while they work.
    statements
        Whether every household's months are kept.

    Raises
    ------
    ValueError
        In one line, if the arguments make no market, or one that cannot be divided so.
    """

    def __init__(
        self,
        economy: Economy,
        tariff: Tariff,
        *,
        equilibrium: Equilibrium | None,
        behaviour: Given,
        households: int,
        seed: Key,
        threads: int,
        power_flow: bool,
        workers: int,
        cancelled: Asked | None,
        statements: bool = False,
    ) -> None:
        ways = read_behaviour(behaviour)
        require_divisible(ways, economy, households, workers)
        economy, tariff = find_economy(economy, tariff if equilibrium is None else None, equilibrium)
        equilibrium = find_equilibrium(economy, tariff, equilibrium, ways)
        key = seed_of(key_from(seed))
        settings: dict[str, Any] = {
            "tariff": None if equilibrium else tariff,
            "households": households,
            "policies": equilibrium,
            "behaviour": ways,
            "rng": key,
            "threads": threads,
        }
        self._parts = PartProcesses(economy, settings, workers, cancelled=cancelled, statements=statements)
        self.market = DividedMarket(
            economy,
            tariff,
            equilibrium=equilibrium,
            households=households,
            ways=ways,
            key=key,
            parts=self._parts,
            power_flow=power_flow,
        )

    @property
    def messages(self) -> Messages:
        """Workers that were lost, a sentence each."""
        return tuple(self._parts.messages)

    def start(self) -> None:
        """Start the workers; each makes its part."""
        self._parts.start()

    def before(self) -> None:
        """Nothing: every part remembers by itself."""

    def after(self) -> Enjoyed:
        """Utility and wear of the day that is over."""
        return self._parts.measured().enjoyed(self.market.economy)

    def bill_usd(self) -> Floats:
        """Bills since the beginning, in the order of ids, (household,). [USD]"""
        return self._parts.bills_usd()

    def statement(self) -> MonthStatement:
        """State the month so far, and begin another; only where statements are kept."""
        return self._parts.statement()

    def close(self) -> None:
        """End the workers; the market's records stay readable."""
        self._parts.close()
        self.market.close()
