"""Readings of many customers from one file: conventions, bad rows, and memory that does not grow with the file."""

import tracemalloc
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanwatt.model.billing import meter_rows
from meanwatt.model.billing.meter_format import FormatTable, MeterFileError, read_meter_format
from meanwatt.model.billing.meter_rows import Intake
from meanwatt.model.billing.meter_years import YearGrid, meter_years

BASE: dict[str, Any] = {
    "customer": "id",
    "time": "when",
    "label": "start",
    "minutes": 60,
    "unit": "kWh",
    "zone": "America/Los_Angeles",
    "stamps": "offset",
    "begin": "2027-01",
    "use": "kwh",
}


def layout(**changes: Any) -> FormatTable:
    return FormatTable.model_validate({name: value for name, value in {**BASE, **changes}.items() if value is not None})


def year(minutes: int = 60, zone: str = "America/Los_Angeles", begin: str = "2027-01") -> pd.DatetimeIndex:
    start = pd.Timestamp(f"{begin}-01", tz=zone)
    return pd.date_range(start, start + pd.DateOffset(years=1), freq=f"{minutes}min", inclusive="left")


def table(customers: int = 2, minutes: int = 60, seed: int = 0) -> pd.DataFrame:
    """Rows as in `BASE`, every customer with a year: a test's own to change."""
    return made(customers, minutes, seed).copy()


@cache
def made(customers: int, minutes: int, seed: int) -> pd.DataFrame:
    when = year(minutes).strftime("%Y-%m-%dT%H:%M%z")
    rng = np.random.default_rng(seed)
    parts = [
        pd.DataFrame({"id": f"c{k:03d}", "when": when, "kwh": rng.uniform(0, 2, len(when)).round(3)})
        for k in range(customers)
    ]
    return pd.concat(parts, ignore_index=True)


def write(path: Path, rows: pd.DataFrame) -> Path:
    rows.to_csv(path, index=False) if path.suffix == ".csv" else rows.to_parquet(path, index=False)
    return path


def read(path: Path, form: FormatTable) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], Intake]:
    """Load and generation by customer, and what came of the rows."""
    intake, load, fed = Intake(), {}, {}
    for part, _ in meter_years(path, form, intake):
        for place, name in enumerate(part.names):
            load[name] = part.load_kwh[place]
            if part.generation_kwh is not None:
                fed[name] = part.generation_kwh[place]
    return load, fed, intake


def by_name(rows: pd.DataFrame, column: str = "kwh") -> dict[str, np.ndarray]:
    return {str(name): part[column].to_numpy() for name, part in rows.groupby("id")}


def same(found: dict[str, np.ndarray], due: dict[str, np.ndarray]) -> None:
    assert found.keys() == due.keys()
    for name, values in due.items():
        assert found[name] == pytest.approx(values, abs=1e-12)


def wall(rows: pd.DataFrame, shift_minutes: int = 0) -> pd.Series:
    """The stamps as the wall clock shows them, without an offset."""
    local = pd.to_datetime(rows["when"], format="ISO8601", utc=True) + pd.Timedelta(minutes=shift_minutes)
    return local.dt.tz_convert("America/Los_Angeles").dt.strftime("%Y-%m-%d %H:%M:%S.0000000")


def utc(rows: pd.DataFrame) -> pd.Series:
    return pd.to_datetime(rows["when"], format="ISO8601", utc=True)


CONVENTIONS: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], dict[str, Any]]] = {
    "wall clock with its 23 and 25 hours": (
        lambda rows: rows.assign(when=wall(rows)),
        {"stamps": "America/Los_Angeles"},
    ),
    "wall clock, ends of intervals": (
        lambda rows: rows.assign(when=wall(rows, 60)),
        {"stamps": "America/Los_Angeles", "label": "end"},
    ),
    "UTC without an offset": (
        lambda rows: rows.assign(when=utc(rows).dt.strftime("%Y-%m-%d %H:%M")),
        {"stamps": "UTC"},
    ),
    "standard time all year": (
        lambda rows: rows.assign(when=utc(rows).dt.tz_convert("Etc/GMT+8").dt.strftime("%Y-%m-%d %H:%M")),
        {"stamps": "Etc/GMT+8"},
    ),
    "Wh": (lambda rows: rows.assign(kwh=1000 * rows["kwh"]), {"unit": "Wh"}),
    "watts": (lambda rows: rows.assign(kwh=1000 * rows["kwh"]), {"unit": "W"}),
    "rows of a customer in another order": (
        lambda rows: rows.sample(frac=1, random_state=1).sort_values("id", kind="stable"),
        {},
    ),
}


@pytest.mark.parametrize("name", CONVENTIONS)
def test_every_convention_gives_the_same_year(name: str, tmp_path: Path) -> None:
    rows = table()
    change, form = CONVENTIONS[name]
    load, _, intake = read(write(tmp_path / "m.csv", change(rows)), layout(**form))
    same(load, by_name(rows))
    assert list(intake.messages()) == []
    assert intake.rows == len(rows)


def test_quarter_hours_in_kw_are_a_quarter_of_that_in_kwh(tmp_path: Path) -> None:
    rows = table(1, 15)
    load, _, _ = read(write(tmp_path / "m.csv", rows), layout(minutes=15, unit="kW"))
    assert load["c000"] == pytest.approx(rows["kwh"].to_numpy() / 4)
    assert len(load["c000"]) == YearGrid(layout(minutes=15)).intervals == 365 * 96


def test_a_parquet_file_gives_what_a_csv_file_gives(tmp_path: Path) -> None:
    rows = table()
    same(read(write(tmp_path / "m.parquet", rows), layout())[0], by_name(rows))
    typed = rows.assign(when=utc(rows), id=rows["id"].str[1:].astype(int))
    load, _, intake = read(write(tmp_path / "typed.parquet", typed), layout())
    assert load["0"] == pytest.approx(by_name(rows)["c000"])
    assert list(intake.messages()) == []
    naive = rows.assign(when=utc(rows).dt.tz_localize(None))
    same(read(write(tmp_path / "naive.parquet", naive), layout(stamps="UTC"))[0], by_name(rows))


@pytest.mark.parametrize("block", [30_000, 10**7])
def test_how_much_is_read_at_once_changes_nothing(block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = table(3)
    monkeypatch.setattr(meter_rows, "BLOCK_BYTES", block)
    monkeypatch.setattr("meanwatt.model.billing.meter_intervals.CHUNK", 2)
    same(read(write(tmp_path / "m.csv", rows), layout())[0], by_name(rows))


def test_net_readings_are_parted_into_drawn_and_fed_in(tmp_path: Path) -> None:
    rows = table(1).assign(kwh=lambda rows: rows["kwh"] - 1)
    load, fed, _ = read(write(tmp_path / "m.csv", rows), layout(use=None, net="kwh"))
    assert load["c000"] - fed["c000"] == pytest.approx(rows["kwh"].to_numpy())
    assert (load["c000"] * fed["c000"] == 0).all()


def test_an_empty_cell_of_generation_is_nothing_generated(tmp_path: Path) -> None:
    rows = table(1).assign(pv=lambda rows: np.where(np.arange(len(rows)) % 24 == 12, 1.5, np.nan))
    _, fed, intake = read(write(tmp_path / "m.csv", rows), layout(generation="pv"))
    assert fed["c000"] == pytest.approx(rows["pv"].fillna(0).to_numpy())
    assert list(intake.messages()) == []


BAD: dict[str, tuple[int, dict[str, str], str]] = {
    "a word for a number": (5, {"kwh": "Null"}, "line 7: kwh is 'Null': no number"),
    "no number at all": (6, {"kwh": ""}, "line 8: kwh is '': no number"),
    "below nothing": (7, {"kwh": "-1"}, "line 9: kwh is '-1': what is used is at least 0"),
    "beyond any meter": (7, {"kwh": "1e300"}, "line 9: kwh is '1e300': no number"),
    "no time": (8, {"when": "noon"}, "line 10: when is 'noon': no time such as"),
    "no offset": (8, {"when": "2027-01-01 08:00"}, "line 10: when is '2027-01-01 08:00': the stamp has no offset, and"),
    "no day": (8, {"when": "2027-02-30T00:00-0800"}, "line 10: when is '2027-02-30T00:00-0800': no time such as"),
    "between": (9, {"when": "2027-01-01T09:30-0800"}, "line 11: when is '2027-01-01T09:30-0800': no interval of 60"),
    "nobody": (10, {"id": ""}, "line 12: id is '': no customer is named"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_is_counted_listed_and_its_customer_told_apart(name: str, tmp_path: Path) -> None:
    rows = table().astype(str)
    place, cells, line = BAD[name]
    for column, value in cells.items():
        rows.loc[place, column] = value
    load, _, intake = read(write(tmp_path / "m.csv", rows), layout())
    assert sum(intake.bad.values()) == 1
    assert intake.listed[0].startswith(line)
    assert load.keys() == {"c001"}
    assert intake.customers_listed == ["customer c000: 1 reading missing"]
    load, _, intake = read(tmp_path / "m.csv", layout(missing="zero"))
    assert load["c000"][place] == 0
    assert intake.gaps == 1
    assert "1 interval without a reading are 0 kWh (missing)." in intake.messages()


def test_lines_of_another_length_are_skipped_and_counted_where_they_stand(tmp_path: Path) -> None:
    file = write(tmp_path / "m.csv", table(1))
    lines = file.read_text().splitlines()
    lines[4:4] = ["c000,2027-01-01", "", "c000,1,2,3"]
    lines[20] = lines[20].replace(",0.", ",x").replace(",1.", ",x")
    file.write_text("\n".join(lines) + "\n")
    _, _, intake = read(file, layout())
    assert [one.partition(":")[0] for one in intake.listed] == ["line 5", "line 7", "line 21"]
    assert sum(intake.bad.values()) == 3


def test_rows_that_come_twice_are_used_once_and_a_contradiction_is_bad(tmp_path: Path) -> None:
    rows = table(1)
    again = pd.concat([rows, rows.iloc[[3, 4]], rows.iloc[[5]].assign(kwh=9.0)])
    load, _, intake = read(write(tmp_path / "m.csv", again), layout())
    same(load, by_name(rows))
    assert intake.repeated == 2
    assert sum(intake.bad.values()) == 1
    assert "another row of the customer has another reading" in intake.listed[0]


def test_rows_of_other_years_are_counted(tmp_path: Path) -> None:
    rows = table(1)
    load, _, intake = read(write(tmp_path / "m.csv", rows), layout(begin="2027-02"))
    assert load == {}
    assert intake.outside == 31 * 24
    assert intake.customers_listed == ["customer c000: 744 readings missing"]


def test_an_hour_that_the_clock_skips_is_bad(tmp_path: Path) -> None:
    rows = table(1)
    rows = rows.assign(when=wall(rows))
    rows.loc[0, "when"] = "2027-03-14 02:00:00"
    _, _, intake = read(write(tmp_path / "m.csv", rows), layout(stamps="America/Los_Angeles"))
    assert "the clock of America/Los_Angeles never shows this time" in intake.listed[0]


def test_memory_holds_a_batch_and_not_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter_rows, "BLOCK_BYTES", 2**15)  # of which pyarrow reads 32 ahead
    peaks = []
    for customers in (3, 6):
        file = write(tmp_path / f"{customers}.csv", table(customers))
        tracemalloc.start()
        assert sum(len(part.names) for part, _ in meter_years(file, layout(), Intake())) == customers
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.4 * peaks[0]  # a file twice as long


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (table(1).rename(columns={"kwh": "kWh"}), "unknown column 'kwh'; did you mean 'kWh'?"),
        (
            pd.concat([table(1), table(2).iloc[8760:], table(1)]),
            "customer c000 comes again after others; sort the rows",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(rows: pd.DataFrame, line: str, tmp_path: Path) -> None:
    with pytest.raises(MeterFileError) as refused:
        read(write(tmp_path / "m.csv", rows), layout())
    assert line in str(refused.value)
    assert str(refused.value).startswith(f"--meters {tmp_path / 'm.csv'}: ")


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("m.csv", b"", "begins with no heading"),
        ("m.csv", b"id,when,kwh\nc,\xff,1\n", "not UTF-8 text near byte 14; save the file as UTF-8"),
        ("m.csv", b"id,when,kwh,kwh\n", "column 'kwh' comes twice"),
        ("m.csv", b"id;when;kwh\nc;2027-01-01;1,5\n", "line 1 has semicolons and no comma; save the file with commas"),
        ("m.csv", b"id\twhen\tkwh\n", "line 1 has tabs and no comma"),
        ("m.csv", b"id,when,kwh\rc,2027-01-01,1\r", "has lines that end in CR alone; save it with line ends LF"),
        ("m.csv", b"id,when," + b"k" * 200_000, "line 1 is no heading .field larger than field limit"),
        ("m.parquet", b"nothing", "Parquet"),
        ("m.xlsx", b"", "ends in '.xlsx'; give a file that ends in .csv or .parquet"),
    ],
)
def test_what_is_no_table_is_one_line(name: str, content: bytes, line: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(MeterFileError, match=line) as refused:
        read(file, layout())
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("column", "cell", "kind"),
    [("kwh", True, "bool"), ("kwh", [1.0], "list<element: double>"), ("id", [1.0], "list<"), ("kwh", b"1.0", "binary")],
)
def test_a_parquet_column_of_another_kind_is_one_line(column: str, cell: Any, kind: str, tmp_path: Path) -> None:
    rows = table(1).head(6)
    rows[column] = pd.Series([cell] * len(rows))
    with pytest.raises(MeterFileError) as refused:
        read(write(tmp_path / "m.parquet", rows), layout())
    assert f"m.parquet: column '{column}' holds {kind}" in str(refused.value)
    assert str(refused.value).endswith("; give a column of texts, numbers or times")


@pytest.mark.parametrize("stamps", ["UTC", "America/Los_Angeles"])
def test_parquet_instants_beside_a_named_zone_are_bad_rows_as_offsets_in_a_text_are(
    stamps: str, tmp_path: Path
) -> None:
    rows = table(1)
    for name, stamped in (("m.parquet", rows.assign(when=utc(rows))), ("m.csv", rows)):
        _, _, intake = read(write(tmp_path / name, stamped), layout(stamps=stamps))
        assert intake.bad == {"the stamp has an offset, and stamps names a zone": len(rows)}
    naive = rows.assign(when=utc(rows).dt.tz_localize(None))
    _, _, intake = read(write(tmp_path / "naive.parquet", naive), layout())
    assert intake.bad == {'the stamp has no offset, and stamps = "offset"': len(rows)}


def test_a_bad_cell_of_a_number_column_is_listed_as_people_write_it(tmp_path: Path) -> None:
    rows = table(1)
    rows.loc[3, "kwh"] = np.inf
    _, _, intake = read(write(tmp_path / "m.parquet", rows), layout())
    assert intake.listed == ["row 4: kwh is inf: no number"]


@pytest.mark.parametrize("name", ["m.csv", "m.parquet"])
def test_a_customer_without_a_group_is_of_the_group_not_given(name: str, tmp_path: Path) -> None:
    rows = table(2)
    rows["group"] = np.where(rows["id"] == "c000", "low", None)
    path = write(tmp_path / name, rows)
    groups = [group for part, _ in meter_years(path, layout(income="group"), Intake()) for group in part.incomes]
    assert groups == ["low", "not given"]


TEXT = table(1).head(6).to_csv(index=False).encode()


@settings(max_examples=25)
@given(st.data())
def test_no_bytes_bring_anything_but_a_result_or_one_line(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    file = tmp_path_factory.getbasetemp() / "fuzz.csv"
    place, cut = data.draw(st.integers(0, len(TEXT))), data.draw(st.integers(0, 9))
    file.write_bytes(TEXT[:place] + data.draw(st.binary(max_size=12)) + TEXT[place + cut :])
    form = layout(stamps=data.draw(st.sampled_from(["offset", "UTC", "America/Los_Angeles"])))
    refused = ""
    try:
        _, _, intake = read(file, form)
        assert sum(intake.bad.values()) <= intake.rows
    except MeterFileError as error:
        refused = str(error)
    assert "\n" not in refused


FORMATS = {
    'customer = "id"\n': "key 'format.time' is missing",
    'customer = "id"\ntime = "t"\nlabel = "middle"\n': "label",
    'zone = "America/Los_Angles"\n': "unknown time zone 'America/Los_Angles'; did you mean 'America/Los_Angeles'?",
    'begin = "2027"\n': "begin is '2027'; give the first of the twelve months",
    "minutes = 7\n": "minutes",
    'net = "kwh"\n': "give one of the keys use and net",
    'generation = "kwh"\n': "column 'kwh' is named twice",
    'cutsomer = "id"\n': "cutsomer",
}


@pytest.mark.parametrize("change", FORMATS)
def test_a_format_that_cannot_be_used_is_one_line(change: str, tmp_path: Path) -> None:
    keys = {key for key in BASE if not any(line.startswith(f"{key} =") for line in change.splitlines())}
    keys = set() if change.startswith("customer") else keys
    values = "".join(
        f"{key} = {value}\n" if isinstance(value, int) else f'{key} = "{value}"\n'
        for key, value in BASE.items()
        if key in keys
    )
    file = tmp_path / "f.toml"
    file.write_text(f"[format]\n{values}{change}")
    with pytest.raises(MeterFileError) as refused:
        read_meter_format(file)
    assert str(refused.value).startswith(f"--format {file}: ")
    assert FORMATS[change] in str(refused.value)
