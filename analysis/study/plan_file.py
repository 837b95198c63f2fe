"""What a study's TOML file may say; every mistake is one line."""

import functools
import itertools
import math
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from meanwatt.model.scenario import ranges
from meanwatt.model.scenario.file_errors import one_line
from meanwatt.model.scenario.files import FileError, read_toml
from meanwatt.model.scenario.loading import REPLACED_WHOLE
from meanwatt.model.scenario.marks import CheckedLater, Form
from meanwatt.model.scenario.one_line import OneLineError
from meanwatt.model.scenario.tariff_file import Table
from meanwatt.model.scenario.values import finite, show

MOST_TASKS: Final = 1_000_000
"""More tasks than this are a slip of the keyboard."""

Number = int | float
Axis = tuple[Any, ...]


class StudyError(OneLineError):
    """A study that cannot be run, in one line."""


def _flat(table: object, inside: str = "", *, values: Container[str] = ()) -> object:
    """Nested tables as one table of dotted keys: ``tariff.recovery = …`` may be written with or without quotes.

    A table under one of the names ``values`` (rates by period, discounts by income group) is one value.
    """
    if not isinstance(table, dict):
        return table
    found: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{inside}{key}"
        nested = isinstance(value, dict) and name.rpartition(".")[2] not in values
        inner = _flat(value, f"{name}.", values=values) if nested else {name: value}
        assert isinstance(inner, dict)
        found |= inner
    return found


_settings = functools.partial(_flat, values=REPLACED_WHOLE)


def _values(table: object) -> object:
    """Dotted key → tuple of at least one value, all different."""
    flat = _flat(table)
    if not isinstance(flat, dict):
        return flat
    for key, values in flat.items():
        if not isinstance(values, list) or not values:
            raise ValueError(f"grid.{key} is {show(values)}; give a list of at least one value, e.g. [0.1, 0.2]")
        if len({repr(value) for value in values}) < len(values):
            raise ValueError(f"grid.{key} is {show(values)}; give every value once")
    return {key: tuple(values) for key, values in flat.items()}


def _ranges(table: object) -> object:
    """Dotted key → (low, high) or (low, high, "log")."""
    flat = _flat(table)
    if not isinstance(flat, dict):
        return flat
    for key, bounds in flat.items():
        place = f"latin_hypercube.range.{key}"
        if not isinstance(bounds, list) or len(bounds) not in (2, 3) or (len(bounds) == 3 and bounds[2] != "log"):
            raise ValueError(f'{place} is {show(bounds)}; give [low, high] or [low, high, "log"]')
        low, high = (finite(bound, place) for bound in bounds[:2])
        if not low < high:
            raise ValueError(f"{place} is {show(bounds)}; give a low bound below the high one")
        if len(bounds) == 3 and low <= 0:
            raise ValueError(f"{place} is {show(bounds)}; a logarithmic range begins above 0")
    return {key: tuple(bounds) for key, bounds in flat.items()}


def _sizes(value: object) -> object:
    """Numbers of households, all different."""
    if not isinstance(value, list):
        return value
    for number in value:
        if isinstance(number, bool) or not isinstance(number, int) or not ranges.HOUSEHOLDS.holds(number):
            raise ValueError(f"households is {show(value)}; give {ranges.HOUSEHOLDS.wanted()} each, e.g. [100, 1000]")
    if len(set(value)) < len(value):
        raise ValueError(f"households is {show(value)}; give every number once")
    return tuple(value)


class LatinHypercubeTable(Table):
    """``[latin_hypercube]``: points that fill a box, every range cut into as many equal parts as there are points."""

    points: Annotated[int, ranges.STUDY_POINTS]
    """Number of points."""
    range: Annotated[
        dict[str, Axis], BeforeValidator(_ranges), Form('a table: scenario key → [low, high] or [low, high, "log"]')
    ] = Field(min_length=1)
    """Scenario key → its range."""


class StudyFile(Table):
    """A study as its file says it."""

    title: str = ""
    """Name for people."""
    scenario: str
    """Name of a preset, or the path of a TOML file, seen from the study's file."""
    tariff: str | None = None
    """Tariff in force, by name or file, unless the grid says it."""
    measure: Literal["solve", "simulate", "validate"]
    """What a task measures."""
    households: Annotated[
        tuple[int, ...], BeforeValidator(_sizes), CheckedLater(ranges.HOUSEHOLDS), Form("a list, each {}")
    ] = ()
    """Numbers N of simulated households."""
    replications: Annotated[int | None, ranges.REPLICATIONS] = None
    """Markets of each point and size, 1 where it is left out; replication r has the key (seed, r)."""
    days: Annotated[int | None, ranges.DAYS] = None
    """Days of each market, 28 where it is left out."""
    behaviour: str | None = None
    """How households decide, for ``simulate``: as ``--behaviour`` takes it, ``equilibrium`` where it is left out."""
    seed: Annotated[int, ranges.SEED] = 0
    """Key of all draws."""
    set: Annotated[dict[str, Any], BeforeValidator(_settings), Form("a table: scenario key → value")] = Field(
        default_factory=dict
    )
    """Scenario key → value, for all points."""
    grid: Annotated[
        dict[str, Axis], BeforeValidator(_values), Form("a table: scenario key → list of values, all different")
    ] = Field(default_factory=dict)
    """Scenario key → values; all combinations are points."""
    latin_hypercube: LatinHypercubeTable | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        """Raise ValueError unless the keys make one study."""
        self._check_market()
        ranges = self.latin_hypercube.range if self.latin_hypercube else {}
        for one, other in itertools.combinations(
            (("set", self.set), ("grid", self.grid), ("latin_hypercube.range", ranges)), 2
        ):
            for key, second in itertools.product(one[1], other[1]):
                if f"{key}.".startswith(f"{second}.") or f"{second}.".startswith(f"{key}."):
                    raise ValueError(f"{one[0]}.{key} and {other[0]}.{second} are both given; give one of them")
        if self.tariff is not None and "tariff" in self.grid:
            raise ValueError("tariff and grid.tariff are both given; give one of them")
        if self.tasks > MOST_TASKS:
            raise ValueError(f"the study has {self.tasks:,} tasks; give at most {MOST_TASKS:,}")
        return self

    def _check_market(self) -> None:
        """Raise ValueError unless what describes a finite market is there where one is simulated, and only there."""
        if self.measure == "solve":
            for key in ("replications", "days", "behaviour", "households"):
                if getattr(self, key):
                    raise ValueError(f"{key} is given, but measure solve has no finite market; leave {key} out")
            return
        if not self.households:
            raise ValueError(f"households is missing; measure {self.measure} wants a list, e.g. [100, 1000]")
        if self.measure == "validate" and self.behaviour is not None:
            raise ValueError("behaviour is given, but measure validate plays the equilibrium; leave behaviour out")

    @property
    def points(self) -> int:
        """Number of scenario points."""
        cube = self.latin_hypercube.points if self.latin_hypercube else 1
        return math.prod(len(values) for values in self.grid.values()) * cube

    @property
    def tasks(self) -> int:
        """Number of tasks."""
        return self.points * max(len(self.households), 1) * (self.replications or 1)


def load_study(path: str | Path) -> StudyFile:
    """Read a study from its TOML file.

    Raises
    ------
    ValueError
        In one line: the file is missing, is not TOML, or does not hold a study.
    """
    label = f"study {path}"
    try:
        table: Mapping[str, Any] = read_toml(Path(path))
    except FileError as error:
        raise StudyError(f"{label}: {error}") from None
    try:
        return StudyFile.model_validate(table)
    except ValidationError as error:
        raise StudyError(f"{label}: {one_line(error, StudyFile)}") from None
