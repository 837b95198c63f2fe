"""The reference of the files keeps its word: every key has a row, and what a row says is what the loader does."""

import json
import re
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from repository import ROOT

from meanwatt.analysis.cli import main
from meanwatt.analysis.reference.attribute_docstrings import attribute_docstrings
from meanwatt.analysis.reference.file_keys import FILES, NAME, FileKey, file_keys
from meanwatt.analysis.study import plan
from meanwatt.analysis.study.plan_file import StudyError, load_study
from meanwatt.model.billing.meter_format import MeterFormat
from meanwatt.model.billing.ratebook_table import RatebookTable
from meanwatt.model.billing.tariff_gallery import gallery_text
from meanwatt.model.scenario.calendar_file import CalendarTable
from meanwatt.model.scenario.feeder_file import FeederError, read_feeder_file
from meanwatt.model.scenario.file_errors import one_line
from meanwatt.model.scenario.loading import ScenarioError, load_scenario, load_tariff, preset_text, presets
from meanwatt.model.tabular.game_file import GameFileError, game_text, games, load_game

ROWS = [(file, key) for file in FILES for key in file_keys(file)]
NUMERIC = [(file, key) for file, key in ROWS if key.range is not None]
UNITS = {
    "kw_per_kw": "kW/kW",
    "usd_per_kwh": "USD/kWh",
    "usd_per_kw": "USD/kW",
    "kwh_per_day": "kWh/day",
    "usd_per_day": "USD/day",
    "usd_per_month": "USD/month",
    "usd_per_year": "USD/yr",
    "usd_per_t": "USD/t",
    "t_per_mwh": "t/MWh",
    "_kwh": "kWh",
    "_kw": "kW",
    "_usd": "USD per slot",
}
"""The unit that the end of a name says, the longest end first."""


def named(row: tuple[str, FileKey]) -> str:
    return f"{row[0]}:{row[1].key}"


def schema_keys(schema: type[BaseModel]) -> set[str]:
    """Dotted keys of a file as pydantic's own JSON schema has them; those of a scenario's tariffs left out."""
    whole = schema.model_json_schema()
    found = set()

    def walk(table: dict[str, Any], inside: str) -> None:
        for name, entry in table.get("properties", {}).items():
            found.add(f"{inside}{name}")
            if f"{inside}{name}" == "tariffs":
                continue
            for part in (entry, *entry.get("anyOf", ()), *entry.get("allOf", ())):
                walk(resolved(part), f"{inside}{name}.")
                walk(resolved(part.get("items", {})), f"{inside}{name}.")
                by_name = part.get("additionalProperties")
                if isinstance(by_name, dict):
                    walk(resolved(by_name), f"{inside}{name}.{NAME}.")

    def resolved(part: dict[str, Any]) -> dict[str, Any]:
        place = part.get("$ref", "").rpartition("/")[2]
        return whole["$defs"][place] if place else part

    walk(whole, "")
    return found


@pytest.mark.parametrize("file", FILES)
def test_every_key_of_a_schema_has_one_row(file: str) -> None:
    keys = [key.key for key in file_keys(file)]
    assert len(keys) == len(set(keys)) >= 10
    assert set(keys) == schema_keys(FILES[file]) | ({"extends"} if file == "scenario" else set())


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_every_row_says_what_is_allowed_what_holds_without_it_and_what_it_means(row: tuple[str, FileKey]) -> None:
    _, key = row
    assert key.allowed
    assert "{}" not in key.allowed
    assert key.required == (key.default == "")
    assert re.fullmatch(r"[A-Z`].{5,}[.)]", key.meaning), key.meaning
    assert "[" not in key.meaning.replace("[supply]", "").replace("[0, 1)", "")
    end = next((unit for end, unit in UNITS.items() if key.name.endswith(end)), "")
    if end and key.range is not None:
        assert key.unit == end
    if key.range is not None and key.range.unit:  # the docstring may say more than the error message: h after midnight
        assert f"{key.unit} ".startswith(f"{key.range.unit} ")


def leaves(table: dict[str, Any], known: set[str], inside: str = "") -> Iterator[str]:
    """Dotted keys that a file gives, ``NAME`` in the place of its own names."""
    for name, value in table.items():
        key = f"{inside}{name}"
        yield key
        if not isinstance(value, dict):
            continue
        if any(row.startswith(f"{key}.{NAME}.") for row in known):
            for entry in value.values():
                yield from leaves(entry, known, f"{key}.{NAME}.")
        elif any(row.startswith(f"{key}.") for row in known):
            yield from leaves(value, known, f"{key}.")


@pytest.mark.parametrize("preset", presets())
def test_every_key_that_a_preset_gives_is_in_the_reference(preset: str) -> None:
    table = tomllib.loads(preset_text(preset))
    known = {key.key for key in file_keys("scenario")} | {f"tariffs.{NAME}.{key.key}" for key in file_keys("tariff")}
    used = set(leaves(table, known))
    assert len(used) > 10
    assert used <= known


@pytest.mark.parametrize("name", games())
def test_every_key_that_a_built_in_game_gives_is_in_the_reference(name: str) -> None:
    known = {key.key for key in file_keys("game")}
    table = tomllib.loads(game_text(name))
    assert set(leaves(table, known)) <= known


def test_every_key_of_the_study_in_the_documents_is_in_the_reference() -> None:
    table = tomllib.loads((ROOT / "docs" / "examples" / "study.toml").read_text(encoding="utf-8"))
    known = {key.key for key in file_keys("study")}
    assert set(leaves(table, known)) <= known


def outside(key: FileKey) -> st.SearchStrategy[float]:
    """Numbers that a key's range does not hold, near and far."""
    allowed = key.range
    assert allowed is not None
    if key.key.endswith("kernel"):  # what is no probability at all is told with its row, before the range is asked
        return st.floats(0, allowed.low, exclude_min=True, exclude_max=True)
    if allowed.whole:
        least, most = int(allowed.low), int(allowed.high)
        return st.integers(most + 1, most * 10) | st.integers(least - 10, least - 1)
    sides = st.floats(allowed.high, 1e300, exclude_min=True) | st.floats(-1e300, allowed.low, exclude_max=True)
    return sides.filter(lambda number: not allowed.holds(number))


def just_outside(key: FileKey) -> list[float]:
    """The numbers nearest to a key's range that it does not hold, and some that are far from it."""
    allowed = key.range
    assert allowed is not None
    if key.key.endswith("kernel"):
        return []
    low, high = allowed.low, allowed.high
    if allowed.whole:
        near: list[float] = [int(low) - 1, int(high) + 1, int(high) * 10]
    else:
        near = [float(np.nextafter(low, -np.inf)), float(np.nextafter(high, np.inf)), -1e300, 1e300]
    zero = 0.0 if allowed.or_zero else None
    return [number for number in near if not low <= number <= high and number != zero]


def as_value(key: FileKey, number: float) -> object:
    """A value of the form that a key wants, with the number in it."""
    if key.allowed.startswith("a list of rows"):
        return [[number, 0.5, 0.5 - number], *[[1 / 3] * 3] * 2]
    return [number, number + 1] if key.allowed.startswith("a list") else number


NAMED_TABLES = {
    "income_groups": "low",
    "day_types": "clear",
    "calendar.days": "weekend",
    "calendar.weather": "clear",
    "rate_classes": "offer",
}
"""An entry of each table by name, of the preset or of this calendar."""
CALENDAR = {
    "calendar": CalendarTable.model_validate(
        {
            "days": {"weekend": {}},
            "weather": {"clear": {}, "partly": {}, "cloudy": {}},
            "weather_kernel": [[0.5, 0.25, 0.25]] * 3,
        }
    ).model_dump()
}
"""What a preset does not have, written out."""
CHOSEN = {"rate_classes": {"offer": {"tariff": "tou", "opt_in_share": 0.2}}}
"""The same of a class."""
BESIDE = {"calendar": CALENDAR, "rate_classes": CHOSEN}
"""What stands beside a key, by the table that it is in."""


def refusal(file: str, key: str, value: object, folder: Path) -> str:
    """The line with which a file is refused that gives a key this value."""
    if file == "scenario":
        place = key
        for table, name in NAMED_TABLES.items():
            place = place.replace(f"{table}.NAME", f"{table}.{name}")
        with pytest.raises(ScenarioError) as caught:
            load_scenario("oahu", overrides=BESIDE.get(key.partition(".")[0], {}) | {place: value})
        return str(caught.value)
    if file == "game":
        return game_refusal(key, value, folder)
    if file == "ratebook":
        return ratebook_refusal(key, value)
    if file == "feeder":
        return feeder_refusal(key, value, folder)
    if file == "meters":
        return meters_refusal(key, value)
    needed = {
        "tariff": {"recovery": "posted", "energy_usd_per_kwh": 0.1},
        "study": {"scenario": "oahu", "measure": "simulate", "households": [100]},
    }[file] | {key: value}
    path = folder / "file.toml"
    path.write_text("".join(f"{name} = {json.dumps(entry)}\n" for name, entry in needed.items()), encoding="utf-8")
    with pytest.raises((ScenarioError, StudyError)) as caught:
        load_tariff(path) if file == "tariff" else load_study(path)
    return str(caught.value)


METERS = {"customer": "h", "time": "t", "use": "u", "label": "start", "minutes": 60, "unit": "kWh"}
"""Columns and conventions of a file of readings."""


def meters_refusal(key: str, value: object) -> str:
    """The same of a format of readings."""
    name = key.rpartition(".")[2]
    form = METERS | {"zone": "UTC", "stamps": "UTC", name: {"low": value} if name == "incomes" else value}
    with pytest.raises(ValidationError) as caught:
        MeterFormat.model_validate({"format": form})
    return one_line(caught.value, MeterFormat)


RATEBOOK = (ROOT / "docs" / "examples" / "ratebook.toml").read_text(encoding="utf-8")
"""A tariff as filed with one of everything, but for a wholesale price, which excludes tiers."""
DYNAMIC = tomllib.loads(gallery_text("octopus_agile"))
"""One that follows a wholesale price."""


@cache
def ratebook() -> dict[str, Any]:
    """The example as a table, not to be changed."""
    return tomllib.loads(RATEBOOK)


def ratebook_refusal(key: str, value: object) -> str:
    """The same of a tariff as filed, in the first of the tables that the user names."""
    inner: Any = (table := deepcopy(ratebook()))
    for part in key.split(".")[:-1]:
        inner = next(iter(inner.values())) if part == NAME else inner.setdefault(part, {})
        inner = inner[-1] if isinstance(inner, list) else inner
    name = key.rpartition(".")[2]
    inner[name] = {"coast": value} if name in ("kwh_per_day", "exempt_usd_per_kwh", "fixed") else value
    with pytest.raises(ValidationError) as caught:
        RatebookTable.model_validate(table)
    return one_line(caught.value, RatebookTable)


FEEDER = """
kind = "feeder"
source = "a"
[[buses]]
name = "a"
nominal_kv = 20.0
[[lines]]
from_bus = "a"
to_bus = "b"
r_ohm = 0.1
x_ohm = 0.1
[[transformers]]
from_bus = "b"
to_bus = "c"
kva = 100.0
uk = 0.04
pk_kw = 1.0
[[branches]]
kind = "impedance"
from_bus = "c"
to_bus = "d"
r_ohm = 0.1
x_ohm = 0.1
"""
"""A feeder with one of each of its tables."""


def feeder_refusal(key: str, value: object, folder: Path) -> str:
    """The same of a feeder, in the only row of the table."""
    table = tomllib.loads(FEEDER)
    *inside, name = key.split(".")
    (table[inside[0]][0] if inside else table)[name] = value
    (folder / "feeder.json").write_text(json.dumps(table), encoding="utf-8")
    with pytest.raises(FeederError) as caught:
        read_feeder_file(folder / "feeder.json")
    return str(caught.value)


def test_every_key_that_the_example_of_a_ratebook_gives_is_in_the_reference() -> None:
    known = {key.key for key in file_keys("ratebook")}
    used = {key for key in leaves(tomllib.loads(RATEBOOK), known) if not re.search(r"(weekday|weekend)\.", key)}
    assert len(used) > 30
    assert used <= known


def game_refusal(key: str, number: object, folder: Path) -> str:
    """The same of a game: a discount, or one reward of its only stage or of a state."""
    stage = f"[reward.stay]\nup = [{number if key == 'reward' else 1.0}, 0]\n"
    state = f"[states.here]\nnext = 'here'\n[states.here.reward.stay]\nup = [{number}, 0]\n"
    path = folder / "file.toml"
    text = state if key.startswith("states") else stage
    path.write_text(f"discount = {number if key == 'discount' else 0.5}\n{text}", encoding="utf-8")
    with pytest.raises(GameFileError) as caught:
        load_game(path)
    return str(caught.value)


@pytest.mark.parametrize("row", NUMERIC, ids=named)
def test_a_number_outside_the_printed_range_is_refused_with_that_range(
    row: tuple[str, FileKey], tmp_path: Path
) -> None:
    file, key = row
    assert key.range is not None
    assert key.range.bounds() in key.allowed

    def refused(number: float) -> None:
        line = refusal(file, key.key, as_value(key, number), tmp_path)
        assert "\n" not in line
        assert key.name in line
        assert key.range.wanted() in line

    for number in just_outside(key):
        refused(number)
    settings(max_examples=4)(given(outside(key))(refused))()


LIMITED = [key for file, key in ROWS if key.entries is not None and file != "game"]
PIECEWISE = {"supply.kind": "piecewise", "supply.coefficients": None, "supply.clamp_below_kw": None}


@pytest.mark.parametrize("key", LIMITED, ids=lambda key: key.key)
def test_more_entries_than_the_printed_number_are_refused_with_it(key: FileKey) -> None:
    assert key.entries is not None
    many = int(key.entries.high) + 1
    value: object = [float(number + 1) for number in range(many)]
    if key.key == "calendar.weather":
        value = {f"name{number}": {} for number in range(many)}
        with pytest.raises(ScenarioError) as caught:
            load_scenario("oahu", overrides={"calendar": {"weather": value}})
        assert f"{key.key} has {many} entries; give {key.allowed.rpartition('; ')[2]}" in str(caught.value)
        return
    if key.heading:
        there = load_scenario("oahu").model_dump()[key.key]
        some = next(iter(there.values()), {"tariff": "flat", "technologies": ["pv"]})  # the preset has no rate class
        value = there | {f"name{number}": some for number in range(many)}
    others = {**PIECEWISE, "supply.usd_per_kwh": value} if key.table == "supply" else {}
    with pytest.raises(ScenarioError) as caught:
        load_scenario("oahu", overrides={key.key: value, **others})
    assert f"{key.key} has " in str(caught.value)
    assert key.allowed.rpartition("; ")[2] in str(caught.value)


def test_more_states_of_a_game_than_the_printed_number_are_refused_with_it(tmp_path: Path) -> None:
    (key,) = (key for file, key in ROWS if file == "game" and key.entries is not None)
    assert key.entries is not None
    path = tmp_path / "file.toml"
    states = "".join(f"[states.s{number}]\nnext = 's0'\n" for number in range(int(key.entries.high) + 1))
    path.write_text(f"discount = 0.5\n{states}", encoding="utf-8")
    with pytest.raises(GameFileError, match=f"states has 9 entries; give {key.allowed.rpartition('; ')[2]}$"):
        load_game(path)


@pytest.mark.parametrize(
    ("file", "table"),
    [
        ("game", tomllib.loads(game_text("battery"))),
        ("scenario", tomllib.loads(preset_text("textbook")) | CALENDAR),
        ("tariff", tomllib.loads(preset_text("oahu"))["tariffs"]["tou"]),
        ("ratebook", tomllib.loads(RATEBOOK)),
        ("feeder", tomllib.loads(FEEDER)),
    ],
)
def test_the_printed_default_is_what_holds_where_a_key_is_left_out(file: str, table: dict[str, Any]) -> None:
    asked = 0
    for key in file_keys(file):
        if key.required or key.heading or key.default in ("none", "the name of the file"):
            continue
        found = []
        for value in (None, json.loads(key.default)):
            changed = deepcopy(DYNAMIC if key.table == "wholesale" else table)
            inner = changed
            for part in key.table.split(".") if key.table else ():
                inner = next(iter(inner.values())) if part == NAME else inner.setdefault(part, {})
                inner = inner[-1] if isinstance(inner, list) else inner
            inner.pop(key.name, None)
            if value is not None:
                inner[key.name] = value
            found.append(FILES[file].model_validate(changed))
        assert found[0] == found[1], key.key
        asked += 1
    assert asked >= (4 if file == "game" else 8)


def test_defaults_that_the_schema_does_not_hold_are_those_of_the_program(tmp_path: Path) -> None:
    (tmp_path / "my island.toml").write_text('extends = "textbook"\n', encoding="utf-8")
    assert load_scenario(tmp_path / "my island.toml").name == "my_island"
    texts = {key.key: key.meaning for key in file_keys("study")}
    assert f" {plan.DAYS} where it is left out" in texts["days"]
    file = tmp_path / "study.toml"
    file.write_text('scenario = "textbook"\nmeasure = "simulate"\nhouseholds = [10]\n', encoding="utf-8")
    (task,) = plan.plan_study(file).tasks  # one replication
    assert (task.days, task.behaviour) == (plan.DAYS, "equilibrium")


def test_the_command_prints_every_key_for_people_and_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenarios", "--keys"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert all(key.heading in said.out and f"{key.name} " in said.out for _, key in ROWS if not key.heading)
    assert all(key.heading in said.out for _, key in ROWS)
    assert main(["scenarios", "--keys", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["messages"] == []
    printed = {(file, row["key"]): row for file, rows in found["files"].items() for row in rows}
    assert set(printed) == {(file, key.key) for file, key in ROWS}
    capacity = printed["scenario", "battery.capacity_kwh"]
    assert capacity == {
        "key": "battery.capacity_kwh",
        "unit": "kWh",
        "allowed": "a number from 0.001 to 1000000",
        "low": 0.001,
        "high": 1000000.0,
        "or_zero": False,
        "required": True,
        "default": None,
        "meaning": "Usable energy.",
    }


def test_the_command_prints_one_thing_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenarios", "--keys", "--show", "oahu"]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "meanwatt: --show and --keys are both given; give one of them\n")


class Base:
    """Fields with and without a text."""

    first: int
    """One."""
    second: int = 2
    third: int
    """Three,
    in two lines."""


class Below(Base):
    """One of them anew."""

    second: int
    """Two."""
    first: int
    """Another one."""


def test_the_texts_below_fields_are_read_with_those_of_bases() -> None:
    assert attribute_docstrings(Base) == {"first": "One.", "third": "Three, in two lines."}
    assert attribute_docstrings(Below) == {"first": "Another one.", "second": "Two.", "third": "Three, in two lines."}
    assert attribute_docstrings(int) == {}
