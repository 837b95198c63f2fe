"""A household as a Mesa agent: a row number that reads the population's columns."""

from typing import Any, Protocol

import mesa
import numpy as np

from meanwatt.agents.behaviour.cohorts import Cohort
from meanwatt.agents.behaviour.protocol import Strategy
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats


class Columns(Protocol):
    """The columns a prosumer reads, one entry per household id."""

    bus: Any
    level: Any
    shock: Any
    energy_kwh: Any
    bill_usd: Any

    def type_of(self, household: int) -> int:
        """Index of the household's type."""

    def class_of(self, household: int) -> int:
        """Index of its class: type · cohorts + cohort."""


class World(Protocol):
    """All that a prosumer may know of the market around it."""

    population: Columns
    cohorts: tuple[Cohort, ...]
    strategies: dict[int, Strategy]
    household_types: tuple[HouseholdType, ...]
    bus_names: tuple[str, ...]
    slot_hours: float


class Prosumer(mesa.Agent):  # type: ignore[misc]
    """One household.

    It holds no state of its own: every property looks up the market's columns, so ten thousand prosumers cost nothing
    while the compiled day runs.

    Parameters
    ----------
    model
        The market.
    household
        Its id, from 0.
    """

    def __init__(self, model: Any, household: int) -> None:
        super().__init__(model)
        self.household = household

    @property
    def type(self) -> HouseholdType:
        """What it has in common with households of its type."""
        world: World = self.model
        return world.household_types[world.population.type_of(self.household)]

    @property
    def strategy(self) -> Strategy | None:
        """What decides for it; None follows the market's behaviour in the compiled day."""
        world: World = self.model
        return world.strategies.get(self.household)

    @strategy.setter
    def strategy(self, strategy: Strategy | None) -> None:
        world: World = self.model
        if strategy is None:
            world.strategies.pop(self.household, None)
        else:
            world.strategies[self.household] = strategy

    @property
    def behaviour(self) -> str:
        """Name of the behaviour of its cohort."""
        world: World = self.model
        return world.cohorts[world.population.class_of(self.household) % len(world.cohorts)].name

    @property
    def income_group(self) -> str:
        """Name of its income group."""
        return self.type.income_group

    @property
    def technology(self) -> str:
        """What stands behind its meter: none, pv, pv_battery or battery."""
        return self.type.technology

    @property
    def bus(self) -> str:
        """Name of the feeder bus it is connected to."""
        world: World = self.model
        return world.bus_names[int(world.population.bus[self.household])]

    @property
    def level(self) -> int:
        """State of charge in levels; 0 without a battery."""
        return int(self.model.population.level[self.household])

    @property
    def shock(self) -> int:
        """State of its load shock."""
        return int(self.model.population.shock[self.household])

    @property
    def stored_kwh(self) -> float:
        """Energy in the battery. [kWh]"""
        battery = self.type.battery
        return self.level * battery.level_kwh if battery else 0.0

    @property
    def net_load_kw(self) -> Floats:
        """Net load of the last day, (slot,); negative when exporting. [kW]"""
        world: World = self.model
        return np.asarray(world.population.energy_kwh[self.household] / world.slot_hours, dtype=np.float64)

    @property
    def net_energy_kwh(self) -> float:
        """Net energy of the last day. [kWh]"""
        return float(self.model.population.energy_kwh[self.household].sum(dtype=np.float64))

    @property
    def bill_usd_to_date(self) -> float:
        """All bills so far, standing charges included. [USD]"""
        return float(self.model.population.bill_usd[self.household])
