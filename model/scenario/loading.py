"""Scenarios by name, path or object, overridden and validated, with errors in one line."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from meanwatt.model.scenario.calendar_file import with_calendar
from meanwatt.model.scenario.feeder_choice import with_digest
from meanwatt.model.scenario.file_errors import EXTENDS, one_line
from meanwatt.model.scenario.files import TomlTable
from meanwatt.model.scenario.overrides import override_table, parse_overrides, tariff_with
from meanwatt.model.scenario.reading import (
    PRESETS,
    REPLACED_WHOLE,
    ScenarioError,
    checked_tariff,
    load_tariff,
    preset_text,
    presets,
    read_table,
    tariff_of_text,
)
from meanwatt.model.scenario.schema import Scenario
from meanwatt.model.scenario.tariff_file import TariffTable

__all__ = [
    "PRESETS",
    "REPLACED_WHOLE",
    "Scenario",
    "ScenarioError",
    "TariffTable",
    "checked_tariff",
    "load_scenario",
    "load_tariff",
    "preset_text",
    "presets",
    "tariff_of_text",
    "tariff_with",
    "with_tariff",
]


def load_scenario(
    source: str | Path | Scenario,
    *,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    tariff: str | Path | None = None,
) -> Scenario:
    """Read, override and validate a scenario.

    Parameters
    ----------
    source : str, Path or Scenario
        Name of a preset, path of a TOML file, or a scenario to change.
    overrides : sequence of str, or mapping
        ``"dotted.key=value"`` with a TOML value (a bare word is a string), or dotted key → Python value. Keys under
        ``tariff`` act on the tariff in force, all others on the scenario.
    tariff : str or Path, optional
        Name of one of the scenario's tariffs, or a TOML file with one, for everybody: rate classes are set aside.
        ``CLASS=TARIFF`` changes one rate class alone. Without it the scenario's ``default_tariff`` and rate classes.

    Returns
    -------
    Scenario
        Frozen; its ``selected_tariff`` is the one asked for.

    Raises
    ------
    ScenarioError
        A ValueError in one line that names the scenario, the key, the value and what is allowed.

    Examples
    --------
    >>> load_scenario("textbook", overrides=["memory=1", "tariff.recovery=fixed"]).tariffs["flat"].recovery
    'fixed'
    """
    if isinstance(source, Scenario):
        label, scenario = f"scenario {source.name}", source
    else:
        label = f"scenario {source}"
        if isinstance(source, str) and source in presets():
            scenario = _preset(source, preset_text(source)).model_copy(deep=True)
        else:
            scenario = _validated(read_table(source, label), label)
    changes = parse_overrides(overrides, label)
    if tariff is None and not changes:
        return scenario

    table = scenario.model_dump()
    override_table(table, changes, tariff, label)
    return _validated(table, label)


def with_tariff(scenario: Scenario, name: str, table: TariffTable) -> Scenario:
    """Copy of a scenario with a tariff under a name, in the place of one so called, in force for everybody.

    Raises
    ------
    ScenarioError
        In one line, if the tariff does not fit the scenario's periods, day types and income groups.
    """
    whole = scenario.model_dump()
    whole["tariffs"][name] = table.model_dump()
    whole["default_tariff"] = name
    whole["rate_classes_in_force"] = scenario.rate_classes_in_force and not scenario.rate_classes
    return _validated(whole, f"scenario {scenario.name}")


@lru_cache(maxsize=16)
def _preset(name: str, text: str) -> Scenario:
    """A built-in scenario, which is read and validated once as long as its file holds the same text."""
    label = f"scenario {name}"
    return _validated(read_table(name, label), label)


def _validated(table: TomlTable, label: str) -> Scenario:
    slots = table.get("slots_per_day")
    try:
        table = with_calendar(table, slots if slots in (24, 48, 96) else 24)
    except ValidationError as error:
        raise ScenarioError(f"{label}: {one_line(error, Scenario)}") from None
    except ValueError as error:
        raise ScenarioError(f"{label}: {error}") from None
    try:
        table = with_digest(table)
    except ValueError as error:
        raise ScenarioError(f"{label}: {error}") from None
    try:
        return Scenario.model_validate(table)
    except ValidationError as error:
        raise ScenarioError(f"{label}: {one_line(error, Scenario, also=(EXTENDS,))}") from None
