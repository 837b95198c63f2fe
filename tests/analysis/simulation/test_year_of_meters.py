"""A calendar year of a market's meters, on a wall clock with 23 and 25 hours, billed by the market and by ``bill``."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.cli.entry import main
from meanwatt.model.billing.customer import Asked, bill_customer
from meanwatt.model.billing.local_calendar import Clock
from meanwatt.model.market.meter_year import clock_messages, wall_clock

ZONE = "America/Los_Angeles"
SCENARIO = """
extends = "textbook"
title = "Textbook with weekends"
default_tariff = "weekly"
battery_levels = 4

[calendar]
holidays = ["07-04", "12-25"]
time_zone = "America/Los_Angeles"
[calendar.days.weekend]
load_factor = 1.1

[tariffs.weekly]
title = "A peak on weekdays"
recovery = "posted"
periods = { peak = ["17-21"], rest = ["21-17"] }
fixed_charge_usd_per_day = 0.4
energy_usd_per_kwh = { weekend = 0.2, weekday = { peak = 0.45, rest = 0.2 } }
export = { usd_per_kwh = 0.05 }
"""
FILED = """
kind = "ratebook"
title = "The same as filed"
as_of = "2028-01-01"
source = "made up"
status = "seen"
metering = "net_billing"
holidays = ["07-04", "12-25"]
[energy.weekday]
1-12 = { rest = ["0-17", "21-24"], peak = ["17-21"] }
[energy.weekend]
1-12 = { rest = ["0-24"] }
[energy.periods.rest]
tiers = [{ usd_per_kwh = 0.2, sell_usd_per_kwh = 0.05 }]
[energy.periods.peak]
tiers = [{ usd_per_kwh = 0.45, sell_usd_per_kwh = 0.05 }]
[fixed.daily]
usd = 0.4
per = "day"
"""
HOMES = 10
PRINTED = 1e-6
"""Meters are read in single precision: 9,000 readings of at most 4 kWh, rounded anew where two are added. [USD]"""


@pytest.fixture(scope="module")
def leap_year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of 2028, with statements and meters."""
    folder = tmp_path_factory.mktemp("leap")
    (folder / "weeks.toml").write_text(SCENARIO, encoding="utf-8")
    (folder / "filed.toml").write_text(FILED, encoding="utf-8")
    command = f"simulate {folder}/weeks.toml --households {HOMES} --year 2028 --meters --json --out {folder}/run"
    assert main(command.split()) == 0
    return folder


def meters_of(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "run" / "meters.parquet")


def statements_of(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "run" / "statements.parquet")


def test_the_years_meters_have_a_day_of_23_and_one_of_25_hours_and_the_leap_day(leap_year: Path) -> None:
    own = meters_of(leap_year).query("household == 0")
    hours = own["start"].dt.tz_convert(ZONE).dt.date.astype(str).value_counts()
    assert hours[hours != 24].to_dict() == {"2028-03-12": 23, "2028-11-05": 25}
    assert len(own) == 366 * 24
    assert hours["2028-02-29"] == 24
    said = json.loads((leap_year / "run" / "simulate.json").read_text(encoding="utf-8"))["messages"]
    assert any("lives the 366 days of that year from 1 January on" in one for one in said)
    assert any("2028-03-12 the hour that the clock leaves out is read with the next one" in one for one in said)


def test_no_kwh_is_lost_or_made_by_the_clock(leap_year: Path) -> None:
    meters, statements = meters_of(leap_year), statements_of(leap_year)
    net = meters.groupby("household")["net_kwh"].apply(lambda values: values.astype(float).sum())
    stated = statements.groupby("household")[["imported_kwh", "exported_kwh"]].sum()
    assert net.to_numpy() == pytest.approx((stated["imported_kwh"] - stated["exported_kwh"]).to_numpy(), abs=1e-4)


@pytest.mark.parametrize("home", [0, HOMES - 2, HOMES - 1])
def test_a_homes_statements_are_the_bills_of_its_meter(leap_year: Path, home: int) -> None:
    own = meters_of(leap_year).query("household == @home")
    stamps = own["start"].dt.tz_convert(ZONE).map(lambda at: at.isoformat())
    net = own["net_kwh"].to_numpy().astype(float)
    files = {}
    for name, kwh in (("load", np.maximum(net, 0.0)), ("generation", np.maximum(-net, 0.0))):
        files[name] = str(leap_year / f"{name}{home}.csv")
        pd.DataFrame({"start": stamps, "kwh": kwh}).to_csv(files[name], index=False)
    billed = bill_customer(Asked(tariff=str(leap_year / "filed.toml"), clock=Clock(zone=ZONE), **files))
    stated = statements_of(leap_year).query("household == @home")
    assert billed.bill.monthly_usd[0] == pytest.approx(stated["total_usd"].to_numpy(), abs=PRINTED)
    assert billed.bill.fixed_usd[0] == pytest.approx(stated["fixed_charge_usd"].to_numpy(), abs=PRINTED)
    assert billed.bill.export_credit_usd[0] == pytest.approx(stated["export_credit_usd"].to_numpy(), abs=PRINTED)
    assert stated["calendar_month"].tolist() == [f"2028-{month:02}" for month in range(1, 13)]
    assert stated["days"].tolist() == [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    other = np.array([month != 3 for month in range(1, 13)])  # whose hour of two may be the highest
    assert billed.bill.peak_kw[0][other] == pytest.approx(stated["peak_kw"].to_numpy()[other], abs=PRINTED)


def test_impacts_reads_the_meters_by_the_layout_that_is_written_beside_them(
    leap_year: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, filed = leap_year / "run", leap_year / "filed.toml"
    command = f"impacts {filed} {filed} --meters {run}/meters.parquet --format {run}/meters_format.toml --json"
    capsys.readouterr()
    assert main(command.split()) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["customers"] == HOMES
    assert found["revenue"]["a"] == pytest.approx(float(statements_of(leap_year)["total_usd"].sum()), abs=1e-3)


def _read(clock: Any, energy: Floats) -> Floats:
    return np.asarray(clock.read(energy.astype(np.float32)))


def test_the_clock_of_half_hours_and_of_a_zone_without_changes() -> None:
    halves = wall_clock(2027, ZONE, 48)
    assert len(halves.source) == 365 * 48
    assert len(halves.skipped) == 2
    assert (halves.share < 1).sum() == 4
    energy = np.random.default_rng(3).integers(0, 9, (2, 365 * 48)).astype(float)
    assert _read(halves, energy).sum() == energy.sum()
    still = wall_clock(2027, "Pacific/Honolulu", 24)
    assert np.array_equal(still.source, np.arange(8760))
    assert clock_messages(still, 2027, "Pacific/Honolulu", 24) == ()


def test_a_clock_that_no_slots_hold_and_a_zone_that_is_none_are_refused_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="whose clock changes by a part of a slot of 120 minutes"):
        wall_clock(2027, ZONE, 12)
    file = tmp_path / "wrong.toml"
    file.write_text(SCENARIO.replace("America/Los_Angeles", "America/Los_Angles"), encoding="utf-8")
    assert main(["simulate", str(file), "--year", "2028"]) == 2
    said = capsys.readouterr().err
    assert "calendar.time_zone: unknown time zone" in said
    assert "America/Los_Angeles" in said
    assert said.count("\n") == 1
    assert main(["simulate", "textbook", "--meters"]) == 2
    assert "--meters needs --out DIR, where they are written" in capsys.readouterr().err


def test_the_result_tells_sums_and_what_is_decided_by_beside_what_is_billed(leap_year: Path) -> None:
    result = json.loads((leap_year / "run" / "simulate.json").read_text(encoding="utf-8"))
    stated, told = statements_of(leap_year), result["statements"]
    assert (told["file"], told["rows"], told["months"]) == ("statements.parquet", 12 * HOMES, 12)
    assert set(told["periods"]) == {"peak", "rest"}
    for name in ("imported_kwh_peak", "energy_usd", "export_credit_usd", "fixed_charge_usd", "total_usd"):
        assert told["sums"][name] == pytest.approx(float(stated[name].sum()), abs=1e-6)
    days = pd.read_parquet(leap_year / "run" / "type_days.parquet")
    assert told["sums"]["total_usd"] == pytest.approx(float(days["bill_usd"].sum()), abs=1e-6)
    rules = {row["part"]: row for row in result["bill_rules"]}
    assert list(rules) == ["imports", "export_credit", "fixed_charge"]
    assert all(row["class"] == "weekly" for row in result["bill_rules"])
    assert rules["fixed_charge"]["households_decide_by"].startswith("nothing")
    report = (leap_year / "run" / "report.html").read_text(encoding="utf-8")
    assert "What households decide by, and what they are billed for" in report
    manifest = json.loads((leap_year / "run" / "manifest.json").read_text(encoding="utf-8"))
    for name in ("statements.parquet", "meters.parquet", "meters_format.toml"):
        assert manifest["sha256"][name] == hashlib.sha256((leap_year / "run" / name).read_bytes()).hexdigest()
    assert not [path for path in leap_year.iterdir() if "statements" in path.name]
