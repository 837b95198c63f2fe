"""From a study's file to its tasks: scenario points, numbers of households, replications."""

import hashlib
import itertools
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from meanwatt.analysis.output.strict_json import dumps
from meanwatt.analysis.study.code import Code, read_code
from meanwatt.analysis.study.plan_file import StudyError, StudyFile, load_study
from meanwatt.analysis.study.task import Task
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.files import is_file
from meanwatt.model.scenario.identity import identifying_table
from meanwatt.model.scenario.loading import Scenario, load_scenario, presets
from meanwatt.model.scenario.messages import Messages, scenario_messages

DAYS: Final = 28
"""Days of a market where the study does not say."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """A study ready to run.

    Attributes
    ----------
    name
        Name of the file without its ending.
    file : StudyFile
        What the file says.
    points : tuple of dict
        What is changed at each point, by scenario key.
    scenarios_sha256
        Hash of the scenarios at all points, see `meanwatt.model.scenario.identity.identifying_table`.
    tasks : tuple of Task
        In the order in which they are started.
    code : dict
        Files that the study's behaviour names, by their names there.
    messages
        What is not as asked at some point, a sentence each.
    """

    name: str
    file: StudyFile
    points: tuple[Mapping[str, Any], ...]
    scenarios_sha256: str
    tasks: tuple[Task, ...]
    code: Mapping[str, Code]
    messages: Messages

    @property
    def keys(self) -> tuple[str, ...]:
        """Scenario keys that vary."""
        return tuple(self.points[0])


def plan_study(path: str | Path, *, allow_code: str | Path | None = None) -> Plan:
    """Read a study and lay out its tasks.

    Parameters
    ----------
    path
        Its TOML file.
    allow_code
        Directory whose Python files the study's behaviour may name; by default it may name none.

    Raises
    ------
    ValueError
        In one line: the file is no study, a point is no scenario, or code is named that may not run.
    """
    file = load_study(path)
    label = f"study {path}"
    source = file.scenario if file.scenario in presets() else _beside(path, file.scenario)
    code = _code(file, path, allow_code, label)
    programs = {"code": [one.sha256 for one in code.values()]} if code else {}
    points = tuple(scenario_points(file, _base(source, file, label)))
    tasks: list[Task] = []
    told: Counter[str] = Counter()
    scenarios = hashlib.sha256()
    for number, point in enumerate(points):
        scenario = _scenario_at(source, file, point, number, label)
        told.update(scenario_messages(scenario))
        text, known = dumps(scenario.model_dump(mode="json")), dumps(identifying_table(scenario))
        scenarios.update(known.encode("ascii"))
        for households, replication in itertools.product(
            file.households or (None,), range(file.replications or 1) if file.households else (None,)
        ):
            settings: dict[str, Any] = {
                "scenario_json": text,
                "measure": file.measure,
                "households": households,
                "replication": replication,
                "seed": file.seed,
                "days": file.days or DAYS,
                "behaviour": file.behaviour or "equilibrium",
            }
            decides = {**settings, "scenario_json": known, **programs}
            identity = hashlib.sha256(dumps(decides).encode("ascii")).hexdigest()[:32]
            tasks.append(Task(number=len(tasks), identity=identity, point=number, code=code, **settings))
    _require_different(tasks, points, label)
    messages = tuple(
        sentence if count == len(points) else f"{sentence[:-1]} ({count} of {counted(len(points), 'point')})."
        for sentence, count in told.items()
    )
    return Plan(
        name=Path(path).stem,
        file=file,
        points=points,
        scenarios_sha256=scenarios.hexdigest(),
        tasks=tuple(tasks),
        code=code,
        messages=messages,
    )


def scenario_points(file: StudyFile, base: Scenario) -> Iterator[dict[str, Any]]:
    """Yield the changes at every point: all combinations of the grid, each with all points of the hypercube."""
    cube = latin_hypercube(file, base)
    for values in itertools.product(*file.grid.values()):
        chosen = dict(zip(file.grid, values, strict=True))
        for point in cube:
            yield chosen | point


def latin_hypercube(file: StudyFile, base: Scenario) -> list[dict[str, Any]]:
    """Points of the study's Latin hypercube, one without changes where there is none.

    A key that the scenario holds as a whole number gets whole numbers.

    References
    ----------
    M. D. McKay, R. J. Beckman, W. J. Conover, "A comparison of three methods for selecting values of input variables
    in the analysis of output from a computer code", Technometrics 21(2), 1979, doi 10.1080/00401706.1979.10489755.
    """
    table = file.latin_hypercube
    if table is None:
        return [{}]
    from scipy.stats import qmc  # slow to import

    own = np.random.SeedSequence(file.seed, spawn_key=(zlib.crc32(b"latin hypercube"),))
    unit = qmc.LatinHypercube(d=len(table.range), rng=np.random.default_rng(own)).random(table.points)
    columns: dict[str, list[Any]] = {}
    known = base.model_dump()
    for (key, (low, high, *logarithmic)), u in zip(table.range.items(), unit.T, strict=True):
        values = low * (high / low) ** u if logarithmic else low + (high - low) * u
        columns[key] = np.rint(values).astype(int).tolist() if _is_whole(known, key) else values.tolist()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _beside(study: str | Path, name: str) -> str:
    """A file seen from the study's, or else the name as it is."""
    file = Path(study).parent / name
    return str(file) if name.endswith(".toml") or is_file(file) else name


def _is_whole(known: Mapping[str, Any], key: str) -> bool:
    value: Any = known
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return isinstance(value, int) and not isinstance(value, bool)


def _code(file: StudyFile, path: str | Path, allow_code: str | Path | None, label: str) -> dict[str, Code]:
    """The files of code that the study names and may run; none where it names a behaviour of ours."""
    try:
        return {} if file.behaviour is None else read_code(file.behaviour, Path(path), allow_code)
    except ValueError as error:
        raise StudyError(f"{label}: {error}") from None


def _base(source: str, file: StudyFile, label: str) -> Scenario:
    """The scenario before any change."""
    try:
        return load_scenario(source, tariff=file.tariff)
    except ValueError as error:
        raise StudyError(f"{label}: {error}") from None


def _scenario_at(source: str, file: StudyFile, point: Mapping[str, Any], number: int, label: str) -> Scenario:
    tariff = point.get("tariff", file.set.get("tariff", file.tariff))
    try:
        changes = {**_entries(file.set, source, tariff), **point}
        changes.pop("tariff", None)
        scenario = load_scenario(source, overrides=changes, tariff=tariff)
    except ValueError as error:
        raise StudyError(f"{label}: point {number}: {error}") from None
    if scenario.one_day is not None and file.measure != "solve":
        raise StudyError(f"{label}: point {number}: is a game of one_day, a market goes on; leave out one_day")
    return scenario


def _entries(settings: Mapping[str, Any], source: str, tariff: str | None) -> dict[str, Any]:
    """The settings, tables of values cut into the entries that they change where the scenario has such a table.

    As where a file extends another: a table that brings new names replaces the old one whole.
    """
    if not any(isinstance(value, dict) for value in settings.values()):
        return dict(settings)
    scenario = load_scenario(source, tariff=tariff)
    known = scenario.model_dump()
    known["tariff"] = known["tariffs"][scenario.selected_tariff]
    found: dict[str, Any] = {}
    for key, value in settings.items():
        inner: Any = known
        for part in key.split("."):
            inner = inner.get(part) if isinstance(inner, Mapping) else None
        found |= _cut(key, value, inner)
    return found


def _cut(key: str, value: Any, old: Any) -> dict[str, Any]:
    """A value under its key, or the entries of a table that all have one in the old table."""
    if not (isinstance(value, dict) and isinstance(old, dict) and value.keys() <= old.keys()):
        return {key: value}
    if any("." in name for name in old):  # of which no dotted key can be made
        return {key: {**old, **value}}
    return {place: leaf for name in value for place, leaf in _cut(f"{key}.{name}", value[name], old[name]).items()}


def _require_different(tasks: list[Task], points: tuple[Mapping[str, Any], ...], label: str) -> None:
    """Raise ``ValueError`` if two points are the same scenario: their results could not be told apart."""
    seen: dict[str, Task] = {}
    for task in tasks:
        other = seen.setdefault(task.identity, task)
        if other is not task:
            raise StudyError(
                f"{label}: points {other.point} and {task.point} are the same scenario"
                f" ({dumps(points[task.point])}); give every point once"
            )
