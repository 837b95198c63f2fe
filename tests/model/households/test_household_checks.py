"""Each check catches the wrong convention it is for, names the mend, and says nothing against a right one."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import household_files as files
import numpy as np
import pytest
from repository import ROOT

from meanwatt.model.billing.meter_format import FormatTable
from meanwatt.model.households.checks import Check, run_checks
from meanwatt.model.households.layouts import LAYOUTS, read_layout
from meanwatt.model.households.sun import after_solar_noon, sun_elevation
from meanwatt.model.households.survey import survey_households

Case = Callable[[Path], tuple[Path | list[Path], FormatTable]]


def layout(name: str, **changes: Any) -> FormatTable:
    form = read_layout(name).format
    assert form is not None
    return FormatTable.model_validate(form.model_dump() | changes)


def checks_of(made: tuple[Path | list[Path], FormatTable]) -> dict[str, Check]:
    paths, form = made
    found = survey_households(paths if isinstance(paths, list) else [paths], form)
    return {check.name: check for check in run_checks(found)}


@cache
def british(first: str = "2013-01-01", months: int = 1, homes: int = 3) -> files.Truth:
    return files.truth(first=first, months=months, homes=homes)


@cache
def australian(first: str = "2012-11-01", months: int = 1) -> files.Truth:
    return files.truth(
        "Australia/Sydney", first=first, months=months, groups=("all",), homes=2, solar_every=1, kwh_per_year=4500
    )


@cache
def texan(first: str = "2018-04-01") -> files.Truth:
    return files.truth(
        "America/Chicago", 15, first=first, months=1, groups=("all",), homes=2, solar_every=1, kwh_per_year=9000
    )


def moved(data: files.Truth, intervals: int) -> np.ndarray:
    """Solar so many intervals later."""
    return np.roll(data.solar, intervals, axis=1)


def edited(path: Path, change: Callable[[list[str]], list[str]]) -> Path:
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
    return path


def another(line: str) -> str:
    parts = line.split(",")
    parts[3] = "9.5"
    return ",".join(parts)


def total_beside_parts(folder: Path) -> tuple[Path, FormatTable]:
    """The channel GG holds the sum of the other two, and is taken for use."""
    data = australian()
    path = files.ausgrid(folder / "m.csv", data, solar=data.use + data.controlled)
    return path, layout("ausgrid", channels={"GC": "use", "CL": "controlled", "GG": "use"})


def with_net_use(folder: Path) -> tuple[list[Path], FormatTable]:
    """ResStock's total holds what is drawn from the grid, not below 0."""
    data = files.truth("America/New_York", 15, first="2018-06-01", months=1, homes=2, solar_every=1, kwh_per_year=9000)
    paths, _ = files.resstock(folder / "rs", replace(data, use=np.maximum(data.use - data.solar, 0)))
    return paths, layout("resstock")


def as_text(data: files.Truth, folder: Path, **how: Any) -> Path:
    return files.london(folder / "m.csv", data, **how)


WRONG: dict[str, tuple[str, str, Case]] = {
    "rows that contradict each other": (
        "duplicates",
        "whether the customer's column tells meters apart",
        lambda to: (
            edited(
                as_text(british(), to),
                lambda lines: [
                    one for line in lines for one in ((line, another(line)) if "MAC1000" in line else (line,))
                ],
            ),
            layout("london"),
        ),
    ),
    "minutes twice as long": (
        "interval",
        "Give minutes",
        lambda to: (as_text(british(), to), layout("london", minutes=60)),
    ),
    "minutes half as long": (
        "interval",
        "minutes = 30",
        lambda to: (as_text(british(), to), layout("london", minutes=15)),
    ),
    "ends taken for starts": (
        "whole_days",
        'label = "end"',
        lambda to: (as_text(british(), to), layout("london", label="start")),
    ),
    "starts taken for ends": (
        "whole_days",
        'label = "start"',
        lambda to: (as_text(british(), to, label="start"), layout("london", label="end")),
    ),
    "UTC taken for the clock on the wall": (
        "clock_changes",
        'stamps = "UTC"',
        lambda to: (as_text(british("2013-03-20"), to), layout("london", stamps="Europe/London")),
    ),
    "the clock on the wall taken for UTC": (
        "clock_changes",
        'stamps = "Europe/London"',
        lambda to: (as_text(british("2013-03-20"), to, clock="Europe/London"), layout("london")),
    ),
    "half-hours on the wall taken for those since midnight": (
        "clock_changes",
        'within_day = "wall"',
        lambda to: (
            files.cer(to / "m.txt", files.truth("Europe/Dublin", first="2009-10-15", months=1, homes=2), slots="wall"),
            layout("cer"),
        ),
    ),
    "generation one interval late": (
        "solar_noon",
        "Shift the clock of the stamps by an interval",
        lambda to: (files.ausgrid(to / "m.csv", australian(), solar=moved(australian(), 1)), layout("ausgrid")),
    ),
    "starts taken for ends, with solar": (
        "solar_noon",
        'label = "start"',
        lambda to: (files.pecan(to / "m.csv", texan()), layout("pecan", label="end")),
    ),
    "standard time taken for summer time": (
        "solar_noon",
        "Summer and winter differ by the hour of the clock change",
        lambda to: (
            files.ausgrid(to / "m.csv", australian("2012-09-10", 2), clock="Etc/GMT-10"),
            layout("ausgrid"),
        ),
    ),
    "another time zone": (
        "solar_noon",
        "is off by some",
        lambda to: (files.ausgrid(to / "m.csv", australian(), clock="Australia/Perth"), layout("ausgrid")),
    ),
    "generation at night": (
        "solar_at_night",
        "The clock of the stamps, or the column",
        lambda to: (files.ausgrid(to / "m.csv", australian(), solar=moved(australian(), 24)), layout("ausgrid")),
    ),
    "a thousand times too much": (
        "unit",
        "multiplied by 0.001",
        lambda to: (as_text(british(), to, unit=1000), layout("london")),
    ),
    "twice too little": (
        "unit",
        "multiplied by 2",
        lambda to: (as_text(british("2013-06-01"), to, unit=0.5), layout("london")),
    ),
    "four times too much": (
        "unit",
        "multiplied by 0.25",
        lambda to: (as_text(british(), to, unit=4), layout("london")),
    ),
    "kWh taken for kW": (
        "unit",
        "unit of the column",
        lambda to: (as_text(british(), to), layout("london", unit="kW")),
    ),
    "installed in watts": (
        "solar_unit",
        "column of what is installed",
        lambda to: (
            files.ausgrid(to / "m.csv", replace(australian(), installed_kw=1000 * australian().installed_kw)),
            layout("ausgrid"),
        ),
    ),
    "net readings of the other sign": (
        "sign",
        'sign = "fed_in_positive"',
        lambda to: (files.pecan(to / "m.csv", texan(), sign=-1), layout("pecan")),
    ),
    "net readings of the other sign, alone": (
        "sign",
        'sign = "fed_in_positive"',
        lambda to: (files.pecan(to / "m.csv", texan(), sign=-1), layout("pecan", generation=None, optional=())),
    ),
    "generation of the other sign": (
        "sign",
        'generation_sign = "negative"',
        lambda to: (files.resstock(to / "rs", texan())[0], layout("resstock", generation_sign="positive")),
    ),
    "states of a register": (
        "register",
        "Subtract each reading",
        lambda to: (as_text(replace(british(), use=100 + british().use.cumsum(axis=1)), to), layout("london")),
    ),
    "net taken for use": (
        "gross_or_net",
        "net = ",
        lambda to: (files.pecan(to / "m.csv", texan()), layout("pecan", net=None, use="grid")),
    ),
    "what is drawn taken for use": ("gross_or_net", "column of the use", with_net_use),
    "use taken for net": (
        "gross_or_net",
        "use = ",
        lambda to: (files.pecan(to / "m.csv", replace(texan(), use=texan().use + texan().solar)), layout("pecan")),
    ),
    "a total beside its parts": ("channels", '"ignore"', total_beside_parts),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_convention_is_caught_and_its_mend_is_named(name: str, tmp_path: Path) -> None:
    check, mend, case = WRONG[name]
    found = checks_of(case(tmp_path))
    assert found[check].status == "wrong", [(one.name, one.seen) for one in found.values() if one.status != "ok"]
    assert mend in found[check].mend


def lost_rows(lines: list[str]) -> list[str]:
    return [line for number, line in enumerate(lines) if number % 50 != 7]


LOOKED: dict[str, tuple[str, str, Case]] = {
    "rows that come twice": (
        "duplicates",
        "say again what another row says",
        lambda to: (edited(as_text(british(), to), lambda lines: [*lines[:9], lines[8], *lines[9:]]), layout("london")),
    ),
    "rows that are lost": (
        "gaps",
        "are missing (2.0",
        lambda to: (edited(as_text(british(), to), lost_rows), layout("london")),
    ),
    "a wide file in autumn": (
        "clock_changes",
        "second time is missing",
        lambda to: (files.ausgrid(to / "m.csv", australian("2013-03-20")), layout("ausgrid")),
    ),
    "a meter that stands still": (
        "stuck",
        "1 home have the same reading",
        lambda to: (
            as_text(
                replace(
                    british(),
                    use=np.vstack([british().use[:2], np.where(np.arange(1488) < 60, 0.25, british().use[2:])]),
                ),
                to,
            ),
            layout("london"),
        ),
    ),
    "an empty home": (
        "vacant",
        "1 home use nothing",
        lambda to: (as_text(replace(british(), use=british().use * [[0], [1], [1]]), to), layout("london")),
    ),
    "columns of parts": ("channels", "air1", lambda to: (files.pecan(to / "m.csv", texan()), layout("pecan"))),
    "a month of the year": ("year", "Only 1 month", lambda to: (as_text(british(), to), layout("london"))),
}


@pytest.mark.parametrize("name", LOOKED)
def test_what_is_worth_a_look_is_told(name: str, tmp_path: Path) -> None:
    check, seen, case = LOOKED[name]
    found = checks_of(case(tmp_path))
    assert found[check].status == "look"
    assert seen in found[check].seen
    assert [one.name for one in found.values() if one.status == "wrong"] == []


RIGHT: dict[str, Case] = {
    "london": lambda to: (as_text(british("2013-03-20", 8, 2), to), layout("london")),
    "ausgrid": lambda to: (files.ausgrid(to / "m.csv", australian("2012-09-10", 2)), layout("ausgrid")),
    "pecan": lambda to: (files.pecan(to / "m.csv", texan("2018-10-15")), layout("pecan")),
    "resstock": lambda to: (
        files.resstock(to / "rs", texan("2018-03-05"))[0],
        layout("resstock", zone="America/Chicago"),
    ),
    "cer": lambda to: (
        files.cer(to / "m.txt", files.truth("Europe/Dublin", first="2009-10-15", months=1, homes=2)),
        layout("cer"),
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_nothing_is_said_against_a_right_convention(name: str, tmp_path: Path) -> None:
    found = checks_of(RIGHT[name](tmp_path))
    assert {one.name: one.seen for one in found.values() if one.status == "wrong"} == {}
    assert found["clock_changes"].status == ("none" if name == "ausgrid" else "ok")


def test_the_sun_stands_where_almanacs_say() -> None:
    """Equation of time of 11 February and 3 November, and heights at the solstice, known to everybody."""
    noon = np.array([np.datetime64("2026-02-11T12:00"), np.datetime64("2026-11-03T12:00")]).astype("datetime64[m]")
    after = after_solar_noon(noon.astype(np.int64), 0.0)
    assert after == pytest.approx([-14.2, 16.4], abs=0.2)
    solstice = np.array([np.datetime64("2026-06-21T12:02")]).astype("datetime64[m]").astype(np.int64)
    assert sun_elevation(solstice, 51.5, 0.0) == pytest.approx([90 - 51.5 + 23.44], abs=0.05)
    assert sun_elevation(solstice - 720, 51.5, 0.0) == pytest.approx([-(90 - 51.5) + 23.44], abs=0.05)


def test_the_guide_names_every_check_and_every_layout_and_its_example_is_one(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how_to" / "import_households.md").read_text(encoding="utf-8")
    named = {name for row in page.splitlines() for name in re.findall(r"`(\w+)`", row.partition(" | ")[0])}
    assert set(checks_of((as_text(british(), tmp_path), layout("london")))) | set(LAYOUTS) <= named
    assert read_layout(str(ROOT / "docs" / "examples" / "homes.toml")).format is not None
