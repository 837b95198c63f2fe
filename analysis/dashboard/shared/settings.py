"""What a visitor can set, as one frozen record."""

import functools
from dataclasses import dataclass, replace

from meanwatt.analysis.dashboard.shared.class_tariffs import class_choice, in_classes, require_one_tariff
from meanwatt.analysis.dashboard.shared.own_scenarios import own_scenarios
from meanwatt.analysis.dashboard.shared.own_tariff import OWN_TARIFF, read_tariff
from meanwatt.analysis.design.same_tariffs import plain_names
from meanwatt.model.scenario.loading import Scenario, load_scenario, presets, with_tariff
from meanwatt.model.scenario.nearest import unknown

Value = float | str | tuple[float, ...]
"""What one parameter may hold; a list has a number for every hour."""

LANDING_SCENARIO = "oahu"
LANDING_TARIFF = "filed"
"""Every preset has it: the rates on file today, which a visitor compares everything with."""
HOUSEHOLDS = (10, 100_000)
"""Fewest and most simulated homes: a day of the most takes about as long as a frame, and 12 MB a visitor."""
SEEDS = (0, 2**31 - 1)
OF_TARIFF = ("tariff.", "tariffs.")
"""Beginnings of the keys of tariffs: the one in force, and one by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that a run of the page depends on.

    Attributes
    ----------
    scenario
        Name of a preset, or of a scenario that the server was started with.
    tariff
        Name of one of its tariffs, or what its rate classes are chosen by
        (`meanwatt.analysis.dashboard.shared.class_tariffs.class_choice`); of a scenario of one's own that has no
        ``filed`` the default is the one it selects.
    own
        A tariff that is none of the scenario's, in the place of the named one, as
        `meanwatt.analysis.dashboard.shared.own_tariff.toml_of` writes it; empty: the named one.
    households, seed
        Size of the finite market and the key of its random numbers.
    changes
        Dotted key and value of everything changed from the preset, sorted by key: the language of ``--set``.
    """

    scenario: str = LANDING_SCENARIO
    tariff: str = LANDING_TARIFF
    own: str = ""
    households: int = 1000
    seed: int = 0
    changes: tuple[tuple[str, Value], ...] = ()

    def __post_init__(self) -> None:
        """Check names and ranges; never a path, for the address is written by anybody."""
        if self.scenario not in scenario_names():
            raise ValueError(unknown("scenario", self.scenario, scenario_names()))
        for name, (low, high) in (("households", HOUSEHOLDS), ("seed", SEEDS)):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} is {getattr(self, name)}; give a whole number from {low} to {high}")
        object.__setattr__(self, "changes", tuple(sorted(dict(self.changes).items())))
        if self.tariff == LANDING_TARIFF and self.scenario in own_scenarios():
            object.__setattr__(self, "tariff", landing_tariff(self.scenario))

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
        changes = tuple((key, value) for key, value in self.changes if not key.startswith(OF_TARIFF))
        return replace(self.market_only, tariff=landing_tariff(self.scenario), own="", changes=changes)

    def preset(self) -> Scenario:
        """The scenario with this tariff selected and nothing changed; ValueError if it has no such tariff."""
        return _preset(scenario_of(self.scenario), self.tariff, self.own)

    def single(self) -> Scenario:
        """The same for a page that knows one tariff of rates alone; ValueError in one line that names the way back."""
        scenario = self.preset()
        require_one_tariff(scenario, OWN_TARIFF if self.own else self.tariff)
        return scenario

    def load(self) -> Scenario:
        """The scenario with every change made; ValueError in one line if a change is not allowed."""
        return load_scenario(self.preset(), overrides=dict(self.changes))


@functools.cache
def _presets() -> tuple[str, ...]:
    """Names of the presets, whose folder is looked at once: settings are made many times a second."""
    return presets()


def scenario_names() -> tuple[str, ...]:
    """Names of every scenario that can be chosen: the presets, then those that the server was started with."""
    return (*_presets(), *own_scenarios())


def scenario_titles() -> tuple[tuple[str, str], ...]:
    """Name and title of every scenario that can be chosen."""
    return tuple((name, scenario_of(name).title or name) for name in scenario_names())


def landing_tariff(scenario: str) -> str:
    """Tariff of a scenario that others are compared with: the rates on file, or its own choice if it has none.

    A tariff without components, where there is one. ValueError in one line if there is no such scenario.
    """
    loaded = scenario_of(scenario)
    kept = plain_names(loaded)
    known = (name for name in (LANDING_TARIFF, loaded.selected_tariff, *kept) if name in kept)
    return next(known, loaded.selected_tariff)


def own_tariff_of(scenario: str) -> str:
    """Tariff that a page which knows one tariff of rates alone begins with: of a file's scenario its own choice.

    ValueError in one line if there is no such scenario.
    """
    chosen = scenario_of(scenario).selected_tariff
    plain = scenario in own_scenarios() and chosen in plain_names(scenario_of(scenario))
    return chosen if plain else landing_tariff(scenario)


def opening_tariff(scenario: str) -> str:
    """What the page Market opens a scenario with: what is in force in a file, rate classes included."""
    own = own_scenarios().get(scenario)
    return LANDING_TARIFF if own is None else class_choice(own) or own.selected_tariff


def scenario_of(name: str) -> Scenario:
    """A scenario by its name, and nothing by its path."""
    given = own_scenarios()
    return given[name] if name in given else _read(name)


@functools.lru_cache
def _read(name: str) -> Scenario:
    """A preset. Files are read once: a scenario is frozen."""
    if name not in presets():
        raise ValueError(unknown("scenario", name, scenario_names()))
    return load_scenario(name)


def _preset(scenario: Scenario, tariff: str, own: str) -> Scenario:
    """A scenario with a tariff, or its rate classes, in force."""
    classes = class_choice(scenario)
    if tariff not in scenario.tariffs and tariff != (classes or None):
        raise ValueError(unknown("tariff", tariff, [*scenario.tariffs, *([classes] if classes else [])]))
    return _selected(_Same(scenario), tariff, own)


class _Same:
    """A scenario as a key: itself, whatever it holds."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.scenario is self.scenario

    def __hash__(self) -> int:
        return id(self.scenario)


@functools.lru_cache(maxsize=64)
def _selected(same: _Same, tariff: str, own: str) -> Scenario:
    if own:
        return with_tariff(same.scenario, OWN_TARIFF, read_tariff(own))
    if tariff not in same.scenario.tariffs:
        return in_classes(same.scenario)
    return load_scenario(same.scenario, tariff=tariff)
