"""Readings and their clock: real years with 23 and 25 hours a day, leap years, and one line for whatever is wrong."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from meanwatt.agents.tariff.ratebook.billing_calendar import reference_year
from meanwatt.model.billing.local_calendar import Clock, calendar_of
from meanwatt.model.billing.readings import Readings, ReadingsError, read_energy, read_rates

PACIFIC = "America/Los_Angeles"


def stamped(first: datetime, step: timedelta, rows: int, zone: str, *, naive: bool = True) -> list[str]:
    """What a clock on the wall shows at the start of each interval."""
    start = first.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    walls = [(start + row * step).astimezone(ZoneInfo(zone)) for row in range(rows)]
    return [f"{wall:%Y-%m-%d %H:%M}" if naive else wall.isoformat() for wall in walls]


def file_of(folder: Path, text: str) -> Path:
    (folder / "load.csv").write_text(text, encoding="utf-8")
    return folder / "load.csv"


def readings(folder: Path, stamps: list[str], heading: str = "start,kwh") -> Readings:
    lines = [f"{stamp},1.0" for stamp in stamps]
    return read_energy("--load", file_of(folder, "\n".join([heading, *lines]) + "\n"))


HOUR = timedelta(hours=1)


def test_a_year_in_a_time_zone_has_a_day_of_23_hours_and_one_of_25(tmp_path: Path) -> None:
    stamps = stamped(datetime(2023, 1, 1), HOUR, 8760, PACIFIC)
    calendar, said = calendar_of(readings(tmp_path, stamps), Clock(zone=PACIFIC), ())
    hours = np.bincount(calendar.day)
    assert sorted(set(hours.tolist())) == [23, 24, 25]
    assert hours[31 + 28 + 11] == 23  # 12 March
    assert hours[303 + 5] == 25  # 5 November
    assert said == ()
    assert calendar.days.tolist() == reference_year().days.tolist()
    sunday = datetime(2023, 1, 1).weekday()
    assert calendar.weekend[:24].all() == (sunday >= 5)
    wall = [datetime.strptime(stamp, "%Y-%m-%d %H:%M") for stamp in stamps]
    assert calendar.hour.tolist() == [stamp.hour for stamp in wall]
    assert calendar.month.tolist() == [stamp.month - 1 for stamp in wall]


def test_the_same_instants_are_read_from_a_clock_with_offsets_in_utc_and_without_stamps(tmp_path: Path) -> None:
    step = timedelta(minutes=30)
    rows = 2 * 8784
    local = stamped(datetime(2024, 1, 1), step, rows, PACIFIC)
    offsets = stamped(datetime(2024, 1, 1), step, rows, PACIFIC, naive=False)
    start = datetime(2024, 1, 1, 8, tzinfo=UTC)
    utc = [(start + row * step).isoformat().replace("+00:00", "Z") for row in range(rows)]
    found = [calendar_of(readings(tmp_path, stamps), Clock(zone=PACIFIC), ())[0] for stamps in (local, offsets, utc)]
    found.append(calendar_of(readings(tmp_path, offsets), Clock(), ())[0])
    bare = read_energy("--load", file_of(tmp_path, "kwh\n" + "1\n" * rows))
    found.append(calendar_of(bare, Clock(year=2024, zone=PACIFIC), ())[0])
    for other in found:
        for name in ("month", "day", "hour", "weekend", "number", "days"):
            assert np.array_equal(getattr(other, name), getattr(found[0], name)), name
        assert (other.days_of_year, other.interval_hours) == (366, 0.5)


def test_without_stamps_and_year_the_year_begins_on_a_monday(tmp_path: Path) -> None:
    bare = read_energy("--load", file_of(tmp_path, "kwh\n" + "0.25\n" * 4 * 8760))
    found, said = calendar_of(bare, Clock(), ())
    expected = reference_year(4)
    for name in ("month", "day", "hour", "weekend"):
        assert np.array_equal(getattr(found, name), getattr(expected, name))
    assert said == ()
    real, said = calendar_of(bare, Clock(year=2026), ("01-01", "2026-11-26", "2027-07-04"))
    assert said[0].startswith("The rows are the year 2026 without clock changes")
    free = np.flatnonzero(real.weekend[:: 4 * 24]) + 1
    assert {1, 3, 4, 330} <= set(free.tolist())  # New Year, the first weekend, Thanksgiving
    assert len(free) == 52 * 2 + 2


def test_months_may_begin_anywhere_and_be_few(tmp_path: Path) -> None:
    stamps = stamped(datetime(2022, 7, 1), HOUR, 8760, PACIFIC)
    calendar, _ = calendar_of(readings(tmp_path, stamps), Clock(zone=PACIFIC), ())
    assert calendar.number.tolist() == [6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5]
    march = stamped(datetime(2023, 3, 1), HOUR, 31 * 24 - 1, PACIFIC)
    calendar, said = calendar_of(readings(tmp_path, march), Clock(zone=PACIFIC), ())
    assert (calendar.number.tolist(), calendar.days.tolist()) == ([2], [31.0])
    assert said == ("The readings are of March to March; other months are not billed.",)


def standard(rows: int) -> list[str]:
    """Stamps of a logger that never changes its clock."""
    return [f"{datetime(2023, 1, 1) + row * HOUR:%Y-%m-%d %H:%M}" for row in range(rows)]


def test_clocks_that_are_not_what_is_said_are_one_line(tmp_path: Path) -> None:
    good = stamped(datetime(2023, 1, 1), HOUR, 8760, PACIFIC)
    twice = [*good[:100], good[99], *good[100:]]
    gap = [*good[:100], *good[101:]]
    for stamps, clock, line in (
        (good, Clock(), "have no time zone; give one, such as --tz America/Los_Angeles"),
        (
            standard(8760),
            Clock(zone=PACIFIC),
            "line 1684 is 2023-03-12 02:00 where 2023-03-12 03:00 was due in America/Los_Angeles",
        ),
        (twice, Clock(zone=PACIFIC), "line 102 is 2023-01-05 03:00 where 2023-01-05 04:00 was due"),
        (gap, Clock(zone=PACIFIC), "line 102 is 2023-01-05 05:00 where 2023-01-05 04:00 was due"),
        (good[5:], Clock(zone=PACIFIC), "holds 2023-01-01 05:00 to 2024-01-01 00:00 on the local clock"),
        (good[:30], Clock(zone=PACIFIC), "give one to twelve whole months"),
        (good[:1], Clock(zone=PACIFIC), "holds one reading; give whole months"),
        (good, Clock(zone=PACIFIC, minutes=15), "the first rows are 60 minutes apart; --resolution is 15"),
        (good, Clock(zone=PACIFIC, year=2022), "holds 2023-01-01 to 2023-12-31; --year is 2022"),
        (good[::2], Clock(zone=PACIFIC), "intervals of 120 minutes; give 60 or a part of it"),
        (good, Clock(zone="Pacific"), "unknown --tz 'Pacific'"),
    ):
        with pytest.raises(ReadingsError) as caught:
            calendar_of(readings(tmp_path, stamps), clock, ())
        assert line in str(caught.value)
        assert "\n" not in str(caught.value)


def test_leap_years_without_a_year_are_one_line(tmp_path: Path) -> None:
    bare = read_energy("--load", file_of(tmp_path, "kwh\n" + "1\n" * 8784))
    with pytest.raises(ReadingsError, match=r"8784 are a leap year: give --year, such as --year 2024"):
        calendar_of(bare, Clock(), ())


BROKEN: dict[str, str] = {
    "": "is empty; give a heading kwh, and a number a line",
    "kwh\n": "holds a heading and no readings",
    "1.0\n2.0\n": "line 1 is '1.0'; begin with a heading, kwh, and perhaps a column start",
    "kw\n1\n": "column 'kw' is not in kWh; give kWh of each interval, in a column kwh",
    "Wh\n1\n": "column 'wh' is not in kWh",
    "start;kwh\n2023-01-01;1,5\n": "line 1 has semicolons and no comma; save the file with commas between cells",
    "start\tkwh\n2023-01-01\t1\n": "line 1 has tabs and no comma",
    "kwhh\n1\n": "unknown column 'kwhh'; did you mean 'kwh'?",
    "kwh,kwh\n1,2\n": "line 1 has 2 columns of numbers; give one, kwh",
    "start,time,kwh\n1,1,1\n": "columns 'start' and 'time' both hold times; give one",
    "interval_end,kwh\n2023-01-01,1\n": "column 'interval_end' holds ends of intervals; give their starts",
    "kwh\n1\nx\n": "line 3: kwh is 'x'; give a number from -1000000000 to 1000000000 kWh",
    "kwh\n1\n\n2\n": "line 3 has 0 cells; give 1, as line 1 has",
    "kwh\nnan\n": "line 2: kwh is 'nan'; give a number",
    "kwh\n1_0\n": "line 2: kwh is '1_0'; give a number",
    "kwh\n1,5\n": "line 2 has 2 cells; give 1, as line 1 has",
    "start,kwh\n1/7/2012,1\n": "line 2: start is '1/7/2012'; give a time such as",
    "start,kwh\n2023-01-01,1\n2023-01-01T01:00Z,1\n": "line 3 has a time zone, and line 2 not so; give all or none",
    'kwh\n"1\n': "not valid CSV: unexpected end of data",
    "kwh\n1\0\n": "kwh is '1\\x00'",
}


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_a_file_that_holds_no_readings_is_one_line(text: str, tmp_path: Path) -> None:
    file = file_of(tmp_path, text)
    with pytest.raises(ReadingsError) as caught:
        read_energy("--load", file)
    assert str(caught.value).startswith(f"--load {file}: ")
    assert BROKEN[text] in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("heading", ["kwh", "kWh", " KWH ", "load_kwh", '"Energy (kWh)"'])
def test_a_column_of_kwh_is_found_by_its_name(heading: str, tmp_path: Path) -> None:
    found = read_energy("--load", file_of(tmp_path, f"{heading}\n1\n2.5e-1\n"))
    assert found.values.tolist() == [1.0, 0.25]


def test_a_date_and_a_time_in_two_columns_are_a_stamp_and_ends_say_nothing_more(tmp_path: Path) -> None:
    text = "Date,Start Time,End Time,Usage (kWh)\n2023-01-01,00:00,00:30,1\n2023-01-01,00:30,01:00,2\n"
    found = read_energy("--load", file_of(tmp_path, text))
    assert found.stamps == (datetime(2023, 1, 1), datetime(2023, 1, 1, 0, 30))
    assert found.values.tolist() == [1, 2]


def test_rates_come_in_usd_per_kwh(tmp_path: Path) -> None:
    found: Any = read_rates("--export-rate", file_of(tmp_path, "start,usd_per_kwh\n2023-01-01T00:00Z,-0.01\n"))
    assert found.values.tolist() == [-0.01]
    with pytest.raises(ReadingsError, match="column 'usd_per_mwh' is not in USD/kWh"):
        read_rates("--export-rate", file_of(tmp_path, "usd_per_mwh\n10\n"))
