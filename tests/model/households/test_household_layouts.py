"""Household data in the layouts that people share, and in drawn formats: what was written is what is read."""

import tracemalloc
from pathlib import Path
from typing import Any

import household_files as files
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanwatt.model.billing.meter_format import FormatTable, MeterFileError
from meanwatt.model.billing.meter_intervals import Intervals
from meanwatt.model.households.homes import HomeColumns
from meanwatt.model.households.layouts import LAYOUTS, layout_text, read_layout
from meanwatt.model.households.survey import Survey, survey_households
from meanwatt.model.households.zone_clock import transitions, wall_minutes


class Kept:
    """Keeps what it is told to write."""

    def __init__(self) -> None:
        self.parts: list[Intervals] = []

    def write(self, part: Intervals, homes: HomeColumns) -> None:
        """Keep a part."""
        self.parts.append(part)

    def of(self, name: str, field: str = "load_kwh") -> tuple[np.ndarray, np.ndarray]:
        """Minutes and energy of a home."""
        for part in self.parts:
            if name in part.names:
                mine = part.code == part.names.index(name)
                return part.minute[mine], getattr(part, field)[mine]
        raise AssertionError(name)


def read(paths: Path | list[Path], form: FormatTable, **beside: Any) -> tuple[Kept, Survey]:
    kept = Kept()
    found = survey_households(paths if isinstance(paths, list) else [paths], form, writer=kept, **beside)
    return kept, found


def layout(name: str, **changes: Any) -> FormatTable:
    form = read_layout(name).format
    assert form is not None
    return FormatTable.model_validate(form.model_dump() | changes)


def same(kept: Kept, data: files.Truth, use: np.ndarray, prefix: str = "", suffix: str = "") -> None:
    """Every home has every interval, at its instant, with its energy."""
    for k, name in enumerate(data.names):
        minute, kwh = kept.of(f"{prefix}{name}{suffix}")
        assert minute.tolist() == data.instants.tolist()
        assert kwh == pytest.approx(use[k], abs=2e-6)


SPRING: dict[str, Any] = {"first": "2013-03-20", "months": 1, "homes": 3}
AUTUMN: dict[str, Any] = {"first": "2013-10-15", "months": 1, "homes": 3}


@pytest.mark.parametrize("span", [SPRING, AUTUMN])
@pytest.mark.parametrize("label", ["end", "start"])
def test_london_is_read_as_it_was_written(span: dict[str, Any], label: str, tmp_path: Path) -> None:
    data = files.truth(**span)
    kept, found = read(files.london(tmp_path / "m.csv", data, label=label), layout("london", label=label))
    same(kept, data, data.use, "MAC")
    assert found.homes.groups == data.groups
    assert not found.intake.bad


@pytest.mark.parametrize("span", [SPRING, AUTUMN])
@pytest.mark.parametrize("separator", [" ", ","])
def test_the_irish_days_of_46_and_50_half_hours_are_whole(span: dict[str, Any], separator: str, tmp_path: Path) -> None:
    data = files.truth("Europe/Dublin", **span)
    kept, found = read(files.cer(tmp_path / "File1.txt", data, separator=separator), layout("cer"))
    same(kept, data, data.use)
    assert not found.intake.bad


@pytest.mark.parametrize("date", ["slashed", "dashed"])
def test_ausgrid_adds_its_channels_and_loses_only_the_hour_that_comes_twice(date: str, tmp_path: Path) -> None:
    data = files.truth("Australia/Sydney", first="2012-09-20", months=8, homes=2, solar_every=1)
    kept, found = read(files.ausgrid(tmp_path / "m.csv", data, date=date), layout("ausgrid"))
    lost = pd.Series(data.local).duplicated().to_numpy()
    assert lost.sum() == 2
    for k, name in enumerate(data.names):
        minute, kwh = kept.of(name)
        assert minute.tolist() == data.instants[~lost].tolist()
        assert kwh == pytest.approx((data.use + data.controlled)[k][~lost], abs=2e-6)
        assert kept.of(name, "generation_kwh")[1] == pytest.approx(data.solar[k][~lost], abs=2e-6)
        assert kept.of(name, "controlled_kwh")[1] == pytest.approx(data.controlled[k][~lost], abs=2e-6)
    assert found.homes.installed_kw.tolist() == data.installed_kw.tolist()
    assert not found.intake.bad  # columns of the hour that the clock skips hold nothing


@pytest.mark.parametrize("first", ["2018-03-05", "2018-10-20"])
def test_pecan_street_makes_use_of_grid_and_solar_and_kwh_of_kw(first: str, tmp_path: Path) -> None:
    data = files.truth("America/Chicago", 15, first=first, months=1, groups=("all",), homes=2, solar_every=2)
    kept, found = read(files.pecan(tmp_path / "m.csv", data), layout("pecan"))
    same(kept, data, data.use)
    assert kept.of(data.names[0], "generation_kwh")[1] == pytest.approx(data.solar[0], abs=2e-6)
    assert found.homes.solar.tolist() == [True, False]
    assert found.unread == ("air1",)


def test_resstock_is_in_eastern_time_wherever_the_homes_are_and_its_solar_is_below_0(tmp_path: Path) -> None:
    data = files.truth("America/Los_Angeles", 15, first="2018-03-05", months=1, homes=3, solar_every=3)
    paths, homes = files.resstock(tmp_path / "rs", data)
    kept, found = read(paths, layout("resstock", zone="America/Los_Angeles"), homes_file=homes)
    same(kept, data, data.use, suffix="-0")
    assert kept.of(f"{data.names[0]}-0", "generation_kwh")[1] == pytest.approx(data.solar[0], abs=1e-9)
    assert dict(zip(data.groups, found.homes.groups, strict=True)) == {
        "Affluent": "high",
        "Comfortable": "middle",
        "Adversity": "low",
    }


def test_null_cells_are_no_readings_and_no_faults(tmp_path: Path) -> None:
    data = files.truth(first="2013-01-01", months=1, homes=1)
    path = files.london(tmp_path / "m.csv", data)
    lines = path.read_text().splitlines()
    lines[5] = lines[5].replace(lines[5].split(",")[3], "Null")
    lines.insert(5, "MAC1000,Std,2013-01-01 01:13:41.0000000,Null,ACORN-A,Affluent")  # as in the data, off the grid
    path.write_text("\n".join(lines))
    _, found = read(path, layout("london"))
    assert (found.intake.empty, sum(found.intake.bad.values())) == (2, 0)
    assert found.tallies.intervals["missing"] == 1


def test_bad_rows_are_counted_and_listed_with_their_lines_and_the_others_are_read(tmp_path: Path) -> None:
    data = files.truth("Australia/Sydney", first="2012-07-01", months=1, homes=1)
    path = files.ausgrid(tmp_path / "m.csv", data)
    lines = path.read_text().splitlines()
    lines[4] = lines[4].replace("GC", "XX")
    lines[6] = lines[6].replace("/07/", "/17/")
    lines[8] = lines[8] + ",1,2"
    path.write_text("\n".join(lines))
    kept, found = read(path, layout("ausgrid"))
    assert found.intake.bad == {
        "another number of cells than the heading": 1,
        "no channel of the format (GC, CL, GG)": 1,
        'no date such as "31/01/2026" or "31-Jan-26"': 1,
    }
    assert {line.partition(":")[0] for line in found.intake.listed} == {"line 5", "line 7", "line 9"}
    assert len(kept.of(data.names[0])[0]) == len(data.start) - 3 * 48


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_whatever_the_convention_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    draw = data.draw
    minutes = draw(st.sampled_from([60, 30, 15]))
    zone = draw(st.sampled_from(["America/Los_Angeles", "Europe/Berlin", "Australia/Adelaide", "Asia/Kolkata"]))
    clock = draw(st.sampled_from(["UTC", "Etc/GMT+5", zone, "offset"]))
    begin = pd.Timestamp(draw(st.sampled_from(["2026-03-07", "2026-03-28", "2026-10-04", "2026-10-31"])), tz=zone)
    start = pd.date_range(begin, begin + pd.Timedelta(days=3), freq=f"{minutes}min", inclusive="left")
    label, unit = draw(st.sampled_from(["start", "end"])), draw(st.sampled_from(["kWh", "Wh", "kW", "W"]))
    role, sign = draw(st.sampled_from(["use", "net"])), draw(st.sampled_from(["drawn_positive", "fed_in_positive"]))
    separator, mark = draw(st.sampled_from([("comma", ","), ("semicolon", ";"), ("tab", "\t")]))
    with_solar = draw(st.booleans())
    kwh = np.random.default_rng(draw(st.integers(0, 99))).integers(0, 4000, len(start)) / 1000
    solar = np.round(kwh[::-1] * 2, 3)
    per_unit = {"kWh": 1.0, "Wh": 1e-3, "kW": minutes / 60, "W": minutes / 6e4}[unit]
    reading = kwh if role == "use" else kwh - (solar if with_solar else 1.0)
    written = reading / per_unit * (-1 if role == "net" and sign == "fed_in_positive" else 1)
    stamp = start + pd.Timedelta(minutes=minutes if label == "end" else 0)
    said = (
        stamp.strftime("%Y-%m-%d %H:%M%z") if clock == "offset" else stamp.tz_convert(clock).strftime("%d/%m/%Y %H:%M")
    )
    heading = ["h", "t", "r", *(["s"] if with_solar else [])]
    rows = [heading] + [
        ["a b", when, f"{one:.12g}", *([f"{-sun / per_unit:.12g}"] if with_solar else [])]
        for when, one, sun in zip(said, written, solar, strict=True)
    ]
    path = tmp_path_factory.mktemp("drawn") / "m.csv"
    path.write_text("\n".join(["a title", *(mark.join(row) for row in rows)]) + "\n")
    form = FormatTable.model_validate(
        {
            "customer": "h",
            "time": "t",
            role: "r",
            "label": label,
            "unit": unit,
            "minutes": minutes,
            "zone": zone,
            "stamps": clock,
            "sign": sign,
            "separator": separator,
            "skip_lines": 1,
            "stamp_form": "iso" if clock == "offset" else "day_month_year",
            **({"generation": "s", "generation_sign": "negative"} if with_solar else {}),
        }
    )
    kept, found = read(path, form)
    minute, load = kept.of("a b")
    assert minute.tolist() == (start.tz_convert("UTC").as_unit("s").asi8 // 60).tolist()
    assert load == pytest.approx(kwh if role == "use" or with_solar else kwh - 1.0, abs=1e-9)
    if with_solar:
        assert kept.of("a b", "generation_kwh")[1] == pytest.approx(solar, abs=1e-9)
    assert not found.intake.bad


def test_memory_holds_a_few_homes_and_not_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meanwatt.model.billing.meter_rows.BLOCK_BYTES", 2**14)
    peaks = []
    for homes in (2, 6):
        data = files.truth(first="2013-01-01", months=1, homes=homes)
        path = files.london(tmp_path / f"{homes}.csv", data)
        del data
        tracemalloc.start()
        survey_households([path], layout("london"))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_is_a_file_that_a_user_can_change(name: str, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(layout_text(name), encoding="utf-8")
    assert read_layout(str(own)) == read_layout(name)


@pytest.mark.parametrize("zone", ["Europe/London", "Africa/Casablanca", "Australia/Lord_Howe", "Asia/Kolkata"])
def test_the_clock_on_the_wall_is_that_of_zoneinfo(zone: str) -> None:
    minute = np.arange(26_000_000, 29_000_000, 137)
    walls = pd.to_datetime(minute * 60, unit="s", utc=True).tz_convert(zone).tz_localize(None)
    assert wall_minutes(minute, zone).tolist() == (walls.as_unit("s").asi8 // 60).tolist()
    assert (np.diff(transitions(zone)[0]) > 0).all()


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a day has too few minutes": ({"intervals": [str(k) for k in range(49)]}, "intervals has 49 columns; a day has 48"),
    "two meanings of one column": ({"intervals": ["0:30", "date"]}, "column 'date' is named twice"),
    "no channel of use": ({"channels": {"GC": "generation"}}, "channels: none of them is use or net"),
    "use and net": ({"channels": {"GC": "use", "GG": "net"}}, "channels: use and net are both there"),
    "half a place": ({"latitude": None}, "give latitude and longitude both, or none"),
    "a band that falls": ({"expected_kwh_per_year": [2.0, 1.0]}, "give two numbers, the lower first"),
    "channels without a column": ({"channel": None}, "give channel and channels both, or none"),
    "a wide file with a column of use": ({"use": "kwh"}, 'use is a column of shape = "long"'),
    "any separator with a heading in the file": ({"separator": "any"}, 'separator = "any" needs a heading'),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_format_that_contradicts_itself_is_refused(name: str) -> None:
    changes, line = REFUSED[name]
    with pytest.raises(ValueError, match=line.replace("(", r"\(")):
        layout("ausgrid", **changes)


def test_a_home_that_comes_again_and_a_file_without_readings_are_one_line(tmp_path: Path) -> None:
    data = files.truth(first="2013-01-01", months=1, homes=2)
    path = files.london(tmp_path / "m.csv", data)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[1]]))
    with pytest.raises(MeterFileError, match="customer MAC1000 comes again after others; sort the rows by customer"):
        read(path, layout("london"))
    path.write_text("\n".join([lines[0], lines[1].replace(lines[1].split(",")[3], "x")]))
    with pytest.raises(
        MeterFileError, match=r"no home has a reading that can be used; the first fault: line 2: .*no number"
    ):
        read(path, layout("london"))
