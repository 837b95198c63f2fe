"""What a visitor can set, as one frozen record."""

import functools
from dataclasses import dataclass, replace

from meanwatt.model.scenario.loading import Scenario, load_scenario, presets
from meanwatt.model.scenario.nearest import unknown

Value = float | str
"""What one parameter may hold."""

LANDING_SCENARIO = "oahu"
LANDING_TARIFF = "filed"
"""Every preset has it: the rates on file today, which a visitor compares everything with."""
HOUSEHOLDS = (10, 20_000)
"""Fewest and most simulated homes; above the upper number prosumers are no longer registered one by one."""
SEEDS = (0, 2**31 - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that a run of the page depends on.

    Attributes
    ----------
    scenario
        Name of a preset.
    tariff
        Name of one of its tariffs.
    households, seed
        Size of the finite market and the key of its random numbers.
    changes
        Dotted key and value of everything changed from the preset, sorted by key: the language of ``--set``.
    """

    scenario: str = LANDING_SCENARIO
    tariff: str = LANDING_TARIFF
    households: int = 1000
    seed: int = 0
    changes: tuple[tuple[str, Value], ...] = ()

    def __post_init__(self) -> None:
        """Check names and ranges; never a path, for the address is written by anybody."""
        if self.scenario not in _known():
            raise ValueError(unknown("scenario", self.scenario, presets()))
        for name, (low, high) in (("households", HOUSEHOLDS), ("seed", SEEDS)):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} is {getattr(self, name)}; give a whole number from {low} to {high}")
        object.__setattr__(self, "changes", tuple(sorted(dict(self.changes).items())))

    def get(self, key: str, default: Value) -> Value:
        """Value in force of one dotted key."""
        return dict(self.changes).get(key, default)

    def with_change(self, key: str, value: Value, default: Value) -> "Settings":
        """Copy with one key set; a value equal to the preset's is no change."""
        changes = dict(self.changes)
        changes.pop(key, None)
        if value != default:
            changes[key] = value
        return replace(self, changes=tuple(changes.items()))

    @property
    def market_only(self) -> "Settings":
        """The part that the equilibrium does not depend on, put back to its defaults."""
        return replace(self, households=Settings().households, seed=Settings().seed)

    @property
    def town(self) -> "Settings":
        """The part that the first best depends on: the scenario without any tariff."""
        changes = tuple((key, value) for key, value in self.changes if not key.startswith("tariff."))
        return replace(self.market_only, tariff=LANDING_TARIFF, changes=changes)

    def preset(self) -> Scenario:
        """The scenario with this tariff selected and nothing changed; ValueError if it has no such tariff."""
        return _preset(self.scenario, self.tariff)

    def load(self) -> Scenario:
        """The scenario with every change made; ValueError in one line if a change is not allowed."""
        return load_scenario(self.preset(), overrides=dict(self.changes))


@functools.cache
def _known() -> frozenset[str]:
    """Names of the presets, whose folder is looked at once: settings are made many times a second."""
    return frozenset(presets())


@functools.lru_cache
def scenario_titles() -> tuple[tuple[str, str], ...]:
    """Name and title of every preset."""
    return tuple((name, load_scenario(name).title or name) for name in presets())


@functools.lru_cache(maxsize=64)
def _preset(name: str, tariff: str) -> Scenario:
    """A preset with a tariff selected. Files are read once: a scenario is frozen."""
    scenario = load_scenario(name)
    if tariff not in scenario.tariffs:
        raise ValueError(unknown("tariff", tariff, scenario.tariffs))
    return load_scenario(scenario, tariff=tariff)
