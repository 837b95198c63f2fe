"""``meanwatt import households``: what is written, what other commands make of it, and one line for the rest."""

import json
import shlex
from pathlib import Path
from typing import Any

import household_files as files
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meanwatt.analysis.cli import main
from meanwatt.model.households.layouts import layout_text

FLAT = """
kind = "ratebook"
title = "Flat"
[energy.weekday]
1-12 = { all = ["0-24"] }
[energy.periods.all]
tiers = [{ usd_per_kwh = 0.25 }]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    files.london(tmp_path / "m.csv", files.truth(homes=2, months=1))
    for name in ("layout.toml", "old.parquet"):
        (tmp_path / name).touch()
    return tmp_path


def ran(line: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(shlex.split(line)) == 0, capsys.readouterr().err
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_one_pass_writes_a_scenario_a_report_and_readings_that_bill_and_impacts_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    data = files.truth(homes=3, minutes=60, months=13, first="2013-01-01")
    Path("hours.toml").write_text(layout_text("london").replace("minutes = 30", "minutes = 60"))
    files.london(tmp_path / "m.csv", data)
    said = ran(
        "import households m.csv --format ./hours.toml --to mine.toml --readings r.parquet --out run --json", capsys
    )
    assert (said["homes"], said["wrong"], said["begin"]) == (3, [], "2013-02")
    assert said["message"] == "a scenario of 3 homes; no check contradicts the format"
    assert [one["name"] for one in said["checks"]][:3] == ["duplicates", "gaps", "interval"]
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "households.json",
        "homes.parquet",
        "shapes.parquet",
        "report.html",
        "manifest.json",
    }
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "The mean day of each group" in page
    assert "Checks of the format against the file" in page
    shapes = pd.read_parquet(tmp_path / "run" / "shapes.parquet")
    assert (shapes["p10_kw"] <= shapes["p90_kw"]).all()

    solved = ran("solve mine.toml --certify none --set battery_levels=20 --json", capsys)
    assert solved["outcome"] == "converged"

    inside = (data.local >= pd.Timestamp("2013-02-01")) & (data.local < pd.Timestamp("2014-02-01"))
    kwh = data.use[:, inside].sum(axis=1)
    (tmp_path / "flat.toml").write_text(FLAT)
    billed = ran("bill flat.toml --load r.parquet --customer MAC1001 --tz Europe/London --json", capsys)
    assert billed["annual_usd"] == pytest.approx(0.25 * kwh[1], abs=1e-6)
    own = ran("bill flat.toml --load r.parquet --customer MAC1001 --json", capsys)
    assert (own["monthly_usd"], own["settings"]["clock"]["zone"]) == (billed["monthly_usd"], None)
    assert (
        "The clock is that of Europe/London, where the customers of r.parquet live; --tz takes another."
        in (own["messages"])
    )
    changes = ran("impacts flat.toml flat.toml --meters r.parquet --json", capsys)
    assert changes["customers"] == 3
    assert changes["revenue"]["a"] == pytest.approx(0.25 * kwh.sum(), abs=1e-5)
    assert changes["meters"]["bad_rows"] == 0


def test_net_readings_with_solar_are_billed_as_load_less_generation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    texas = files.truth("America/Chicago", 60, first="2018-01-01", groups=("all",), homes=1, solar_every=1)
    path = files.pecan(tmp_path / "m.csv", texas)
    Path("own.toml").write_text(layout_text("pecan").replace("minutes = 15", "minutes = 60"))
    ran(f"import households {path.name} --format ./own.toml --to mine.toml --readings r.parquet --json", capsys)
    Path("flat.toml").write_text(FLAT)
    line = "bill flat.toml --load r.parquet --customer 1000 --tz America/Chicago --metering net_billing --json"
    drawn = np.maximum(texas.use - texas.solar, 0).sum()
    assert ran(line, capsys)["annual_usd"] == pytest.approx(0.25 * drawn, abs=1e-4)
    Path("choice.toml").write_text('[a]\nmetering = "net_billing"\n[b]\nmetering = "net_billing"\n')
    line = "impacts flat.toml flat.toml --meters r.parquet --format choice.toml --json"
    assert ran(line, capsys)["revenue"]["a"] == pytest.approx(0.25 * drawn, abs=1e-4)


def test_people_read_checks_groups_and_notes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split("import households m.csv --format london --label start --to mine.toml")) == 0
    said = capsys.readouterr().out
    assert "Note: No home is in a group of the format's incomes Adversity; groups are Affluent, Comfortable." in said
    assert said.startswith("mine.toml: a scenario of 2 homes; the file contradicts the format: whole days\n")
    assert 'wrong whole days: 2 of 2 homes begin and end one interval after midnight. Mend: label = "end"' in said
    assert "Note: Check whole_days: 2 of 2 homes" in said


REFUSED = {
    "m.csv --to a.toml": "--format is missing; give london, ausgrid, pecan, resstock, cer or a file that ends in .toml",
    "m.csv --to a.json --format london": "--to is 'a.json'; give a file name that ends in .toml, for a scenario",
    "m.csv --to a.toml --format londn": "--format: unknown layout 'londn'; did you mean 'london'?",
    "m.csv --to a.toml --format none.toml": "--format none.toml: file not found; give the path of a TOML file",
    "m.csv --to no/a.toml --format london": "--to no/a.toml: its directory does not exist",
    "none.csv --to a.toml --format london": "households none.csv: file not found; give the path of a CSV or Parquet",
    "m.csv --to a.toml --format ausgrid": "households m.csv: unknown column 'Customer'",
    "m.csv --to a.toml --format london --label middle": "unknown --label 'middle'; give one of start, end",
    "m.csv --to a.toml --format london --zone Europe/Lundon": "--format london: format.zone: unknown time zone",
    "m.csv --to a.toml --format cer --label end": "--label: intervals of cer stand in the order of the day; leave it",
    "m.csv --to a.toml --format london --readings r.csv": (
        "--readings is 'r.csv'; give a file name that ends in .parquet"
    ),
    "m.csv --to a.toml --format london --homes m.csv": "--homes: the format has no table homes",
    "m.csv --to a.toml --format london --base oaho": "--base oaho: unknown preset 'oaho'; did you mean 'oahu'?",
    "m.csv --to a.toml --format london --tap file": "--tap is 'file', which only import feeder takes; leave it out",
    "m.csv m.csv --to a.toml --format london": "households m.csv: line 2: customer MAC1000 comes again after others",
    "m.csv --to layout.toml --format layout.toml": "--to layout.toml: is the file of --format; give another name",
    "m.csv --to layout.toml --format ./layout.toml": "--to layout.toml: is the file of --format; give another name",
    "layout.toml --to layout.toml --format london": "--to layout.toml: is a file that is read; give another name",
    "m.csv --to a.toml --format london --homes old.parquet --readings ./old.parquet": (
        "--readings ./old.parquet: is the file of --homes; give another name"
    ),
    "m.csv --to a.toml --format london --out .": "--out .: holds m.csv, which is read; give another directory",
    "m.csv --to a.toml --format cer": "households m.csv: line 1 is",
    "--to a.toml --format london": "missing argument 'FILE...'",
}


@pytest.mark.parametrize("arguments", REFUSED)
def test_what_cannot_be_imported_is_one_line_and_nothing_is_written(
    arguments: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(folder.iterdir())
    assert main(["import", "households", *shlex.split(arguments)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"meanwatt: {REFUSED[arguments]}")
    assert said.err.count("\n") == 1
    assert sorted(folder.iterdir()) == before


ELSEWHERE = {
    "import tariff m.csv --to a.toml --format london": "--format is for import households; leave it out",
    "import feeder m.csv m.csv --to a.toml": "FILE: 2 files are given; give one feeder at a time",
    "bill flat.toml --load m.csv --customer A": "--customer is for --load FILE.parquet, a file of many",
    "bill flat.toml --load other.parquet": "--load other.parquet: says nothing of its format; give a CSV file",
    "bill flat.toml --load r.parquet": "--load r.parquet: holds many customers; name one with --customer",
    "bill flat.toml --load r.parquet --customer MAC100": "--load r.parquet: unknown customer 'MAC100'; did you mean",
    "bill flat.toml --load r.parquet --customer MAC1000 --generation m.csv": (
        "--generation is beside --load FILE.csv; r.parquet holds what is generated, too"
    ),
    "impacts flat.toml flat.toml --meters other.parquet": "--meters needs --format FILE.toml",
    "impacts flat.toml flat.toml --meters r.parquet": "the format has no begin; give the first of the twelve months",
}


@pytest.mark.parametrize("line", ELSEWHERE)
def test_where_a_file_of_ours_or_an_option_does_not_fit_one_line_says_so(
    line: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "flat.toml").write_text(FLAT)
    pd.DataFrame({"kwh": [1.0]}).to_parquet(folder / "other.parquet")
    ran("import households m.csv --format london --to mine.toml --readings r.parquet --json", capsys)
    assert main(shlex.split(line)) == 2
    assert capsys.readouterr().err.startswith(f"meanwatt: {ELSEWHERE[line]}")


def test_stopped_it_writes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meanwatt.analysis.cli.interrupt.Stop.__call__", lambda self: True)
    before = sorted(folder.iterdir())
    line = "import households m.csv --format london --to a.toml --readings r.parquet --out run"
    assert main(shlex.split(line)) == 2
    assert capsys.readouterr().err.endswith("stopped before the end of the files; nothing is written\n")
    assert sorted(folder.iterdir()) == before


JUNK = [b"", b"\0", b"\n", b"\r", b",,", b"1e999", b"nan", b"99999", b"-", b'"', b"2099-12-31 23:59"]


def short(name: str) -> bytes:
    """A small file of a layout."""
    kept: dict[str, bytes] = {
        "london": b"LCLid,stdorToU,DateTime,KWH/hh (per half hour) ,Acorn,Acorn_grouped\n"
        + b"".join(b"A,Std,2013-01-%02d %02d:30:00.0000000,0.2,,x\n" % (1 + k // 24, k % 24) for k in range(60)),
        "ausgrid": b"t\nCustomer,Generator Capacity,Postcode,Consumption Category,date,"
        + ",".join(f"{(k + 1) // 2 % 24}:{'30' if k % 2 == 0 else '00'}" for k in range(48)).encode()
        + b",Q\n"
        + b"".join(
            b"1,2.5,2000,%s,%d/07/2012,%s,\n" % (c, d, b",".join([b"0.3"] * 48)) for d in (1, 2) for c in (b"GC", b"GG")
        ),
        "pecan": b"dataid,local_15min,grid,solar\n"
        + b"".join(b"7,2018-03-0%d %02d:15:00-06,0.4,\n" % (1 + k // 24, k % 24) for k in range(60)),
        "cer": b"".join(b"9 %d%02d 0.3\n" % (200 + k // 48, 1 + k % 48) for k in range(110)),
    }
    return kept[name]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_bytes_bring_anything_but_a_scenario_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str], data: Any
) -> None:
    name = data.draw(st.sampled_from(["london", "ausgrid", "pecan", "cer"]))
    text = bytearray(short(name))
    for _ in range(data.draw(st.integers(1, 3))):
        place, cut = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 40))
        junk = st.sampled_from(
            [b"", b"\0", b"\n", b"\r", b",,", b"1e999", b"nan", b"99999", b"-", b'"', b"2099-12-31 23:59"]
        )
        text[place : place + cut] = data.draw(junk | st.binary(max_size=6))
    folder = tmp_path_factory.mktemp("fuzz")
    path = folder / ("m.txt" if name == "cer" else "m.csv")
    path.write_bytes(bytes(text))
    status = main(["import", "households", str(path), "--format", name, "--to", str(folder / "a.toml"), "--json"])
    said = capsys.readouterr()
    written = {one.name for one in folder.iterdir()} - {path.name}
    if status == 2:
        assert (said.out, said.err.count("\n"), written) == ("", 1, set())
    else:
        assert (status, said.err, written) == (0, "", {"a.toml"})


STRANGE: list[Any] = [
    "",
    "kwh",
    7,
    -1,
    1e300,
    True,
    [],
    [1.0],
    {},
    {"a": "use"},
    "Mars/Base",
    "2026-13",
    "1850-01-01",
    "\u2028",
]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_format_brings_anything_but_a_scenario_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str], data: Any
) -> None:
    import tomllib

    from meanwatt.model.billing.meter_format import FormatTable
    from meanwatt.model.scenario.toml_text import toml_text

    name = data.draw(st.sampled_from(["london", "ausgrid", "pecan", "cer"]))
    table = tomllib.loads(layout_text(name))
    for key in data.draw(st.lists(st.sampled_from(sorted(FormatTable.model_fields)), min_size=1, max_size=2)):
        table["format"][key] = data.draw(st.sampled_from([*STRANGE, *map(str, table["format"].values())]))
    folder = tmp_path_factory.mktemp("formats")
    path = folder / ("m.txt" if name == "cer" else "m.csv")
    path.write_bytes(short(name))
    (folder / "own.toml").write_text(toml_text(table), encoding="utf-8")
    own = str(folder / "own.toml")
    status = main(["import", "households", str(path), "--format", own, "--to", str(folder / "a.toml"), "--json"])
    said = capsys.readouterr()
    if status == 2:
        assert (said.out, said.err.count("\n"), (folder / "a.toml").exists()) == ("", 1, False)
    else:
        assert (status, said.err, (folder / "a.toml").exists()) == (0, "", True)
