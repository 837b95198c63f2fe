"""``meanwatt bill``: the statement, the JSON, the files, and one line for whatever cannot be billed."""

import json
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference_house import LOAD_KWH, SOLAR_KWH
from repository import ROOT

from meanwatt.analysis.cli import main

CASES: dict[str, Any] = json.loads((ROOT / "tests" / "bills_by_pysam.json").read_text(encoding="utf-8"))["cases"]
KEYS = ["annual_usd", "monthly_usd", "demand_usd", "fixed_usd", "energy_usd", "export_credit_usd", "minimum_usd"]
KEYS += ["tax_usd", "credit_carried_usd", "peak_kw", "messages"]
PARTS = ("energy_usd", "demand_usd", "fixed_usd", "minimum_usd", "discount_usd", "tax_usd", "export_credit_usd")


def column(heading: str, values: Any) -> str:
    return "\n".join([heading, *(repr(float(value)) for value in values)]) + "\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the reference house, and a tariff by its name in PySAM's bills."""
    monkeypatch.chdir(tmp_path)
    Path("load.csv").write_text(column("kwh", LOAD_KWH), encoding="utf-8")
    Path("solar.csv").write_text(column("kwh", SOLAR_KWH), encoding="utf-8")
    for name, case in CASES.items():
        Path(f"{name}.json").write_text(json.dumps(case["tariff"]), encoding="utf-8")
    return tmp_path


def bill(arguments: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["bill", *shlex.split(arguments), "--json"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.count("\n") == 1
    found = json.loads(said.out, parse_constant=lambda name: pytest.fail(f"{name} is no strict JSON"))
    assert isinstance(found, dict)
    return found


def refused(arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["bill", *shlex.split(arguments)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err.removeprefix("meanwatt: ").strip()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("convention", ["tariff_book", "sam"])
def test_the_json_has_pysams_bill_and_parts_that_sum_to_it(
    name: str, convention: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = CASES[name]
    solar = "--generation solar.csv" if case["solar"] else ""
    rule = f"--metering {case['metering']} --convention {convention}"
    found = bill(f"{name}.json --load load.csv {solar} {rule}", capsys)
    assert set(found) >= set(KEYS)
    assert found["annual_usd"] == pytest.approx(case["annual"], abs=1e-6)
    assert sum(found[part] for part in PARTS) == pytest.approx(found["annual_usd"], abs=1e-9)
    assert sum(found["monthly_usd"]) == pytest.approx(found["annual_usd"], abs=1e-9)
    by_month = np.sum([found["months"][part] for part in PARTS], axis=0)
    assert found["monthly_usd"] == pytest.approx(by_month.tolist(), abs=1e-9)
    assert found["export_credit_usd"] <= 0
    assert len(found["peak_kw"]) == len(found["credit_carried_usd"]) == 12
    assert max(found["peak_kw"]) <= LOAD_KWH.max()


def test_quarter_hours_of_even_power_cost_what_their_hours_cost(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "quarters.csv").write_text(column("kwh", np.repeat(LOAD_KWH / 4, 4)), encoding="utf-8")
    name = "pge_eelec_net_billing"
    hourly = bill(f"{name}.json --load load.csv --metering net_billing", capsys)
    quarters = bill(f"{name}.json --load quarters.csv --metering net_billing --resolution 15", capsys)
    assert quarters["annual_usd"] == pytest.approx(hourly["annual_usd"], abs=1e-9)
    assert quarters["peak_kw"] == pytest.approx(hourly["peak_kw"], abs=1e-12)
    assert quarters["resolution_minutes"] == 15


def test_an_export_rate_by_the_hour_takes_the_place_of_sell_rates(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rate = np.linspace(0.01, 0.2, 8760)
    (folder / "rate.csv").write_text(column("usd_per_kwh", rate), encoding="utf-8")
    both = "heco_tou_net_billing.json --load load.csv --generation solar.csv --metering"
    found = bill(f"{both} net_billing --export-rate rate.csv", capsys)
    fed = np.maximum(SOLAR_KWH - LOAD_KWH, 0.0)
    assert found["export_credit_usd"] == pytest.approx(-float(fed @ rate), abs=1e-9)
    line = refused(f"{both} net_metering --export-rate rate.csv", capsys)
    assert line.startswith("--export-rate with --metering net_metering: kWh are netted over the month")


def test_credits_that_expire_are_told_and_those_that_do_not_are_paid_in_december(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = CASES["heco_tou_net_billing"]["tariff"]
    dear = [[{**tier, "sell": 2.0} for tier in period] for period in record["energyratestructure"]]
    (folder / "dear.json").write_text(json.dumps({**record, "energyratestructure": dear}), encoding="utf-8")
    both = "dear.json --load load.csv --generation solar.csv --metering net_billing_carryover"
    kept, lost = bill(both, capsys), bill(f"{both} --credit-expires", capsys)
    assert kept["monthly_usd"][:11] == lost["monthly_usd"][:11]
    difference = lost["annual_usd"] - kept["annual_usd"]
    assert difference > 100
    assert f"Credits of {difference:.2f} USD are left at the true-up in month 12 and expire." in lost["messages"]
    assert kept["credit_carried_usd"][11] == 0


def test_differences_to_sam_that_matter_are_told_with_what_they_come_to(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = {**CASES["heco_tou_net_billing"]["tariff"], "mincharge": 120, "minchargeunits": "$/month"}
    record |= {"fueladjustmentsmonthly": [0.02] * 12, "fixedchargefirstmeter": 0.5, "fixedchargeunits": "$/day"}
    (folder / "minimum.json").write_text(json.dumps(record), encoding="utf-8")
    both = "minimum.json --load load.csv --generation solar.csv --metering net_billing"
    ours = bill(both, capsys)
    by_sam = bill(f"{both} --convention sam", capsys)
    told = [sentence for sentence in ours["messages"] if sentence.startswith("SAM's months differ by up to ")]
    assert len(told) == 2
    assert ", its whole bill does not: charges by day or year" in told[0]
    assert ": minimum charge: what the charges" in told[1]
    assert by_sam["minimum_usd"] > ours["minimum_usd"]
    fuel = (
        f"Fuel adjustments come to {0.02 * sum(ours['drawn_kwh']):.2f} USD; SAM drops them, and this is not reproduced."
    )
    assert fuel in ours["messages"]
    assert fuel in by_sam["messages"]


def test_what_is_bought_by_period_and_tier_sums_to_the_energy_charges(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example = ROOT / "docs" / "examples" / "ratebook.toml"
    found = bill(f"{example} --load load.csv --generation solar.csv --territory valley", capsys)
    assert sum(row["usd"] for row in found["energy"]) == pytest.approx(found["energy_usd"], abs=1e-9)
    assert [row["period"] for row in found["energy"]][-2:] == ["fuel adjustment", "baseline credit"]
    assert sum(row["kwh"] for row in found["energy"][:-2]) == pytest.approx(sum(found["drawn_kwh"]), abs=1e-9)


def test_march_has_an_hour_less_in_a_zone_and_its_weekend_is_its_own(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = datetime(2023, 3, 1, 8, tzinfo=UTC)  # midnight in California, then in standard time
    rows = "".join(f"{(start + timedelta(hours=row)).isoformat()},1\n" for row in range(31 * 24 - 1))
    (folder / "march.csv").write_text(f"start,kwh\n{rows}", encoding="utf-8")
    found = bill("flat_nem_kwh.json --load march.csv --tz America/Los_Angeles", capsys)
    assert found["energy_usd"] == pytest.approx(743 * 0.3, abs=1e-9)
    assert found["fixed_usd"] == 10
    billed = [month for month, usd in enumerate(found["monthly_usd"], start=1) if usd is not None]
    assert billed == [3]
    assert "The readings are of March to March; other months are not billed." in found["messages"]


def test_people_get_a_statement_by_month(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = "heco_tou_net_billing.json --load load.csv --generation solar.csv --metering net_billing"
    assert main(["bill", *shlex.split(both)]) == 0
    said = capsys.readouterr().out
    for word in ("Jan", "Dec", "all", "kWh bought", "kWh sold", "1406.80", "period_1", "To pay over"):
        assert word in said
    assert "Note: Metering net_billing: load and generation are netted in each interval" in said
    assert "demand" not in said


def test_out_keeps_the_bill_whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = bill("flat_nem_kwh.json --load load.csv --generation solar.csv --metering net_metering --out kept", capsys)
    assert json.loads((folder / "kept" / "bill.json").read_text(encoding="utf-8")) == found
    assert {path.name for path in (folder / "kept").iterdir()} == {
        "bill.json",
        "manifest.json",
        "months.parquet",
        "energy.parquet",
    }


LOAD = "heco_tou_net_billing.json --load load.csv"
REFUSED = {
    "heco_tou_net_billing.json --load none.csv": "--load none.csv: file not found; give the path of a CSV file",
    "none.json --load load.csv": "tariff none.json: file not found; give the path of a tariff as filed",
    "load.csv --load load.csv": "tariff load.csv: ends in '.csv'; give a file that ends in .json or .toml",
    f"{LOAD} --generation solar.csv": "--generation needs --metering; give one of net_billing, net_billing_carryover",
    f"{LOAD} --metering netmetering": "unknown --metering 'netmetering'; did you mean 'net_metering'?",
    f"{LOAD} --convention SAM": "unknown --convention 'SAM'; did you mean 'sam'?",
    f"{LOAD} --year 20": "--year is '20'; give a whole number from 1900 to 2200, e.g. 2026",
    f"{LOAD} --year 2024": "--load load.csv: 8760 rows; a year of 366 days has 8784 hours, or a multiple such as 35136",
    f"{LOAD} --resolution 15": "--load load.csv: 8760 rows; a year of 365 days has 35040 of 15 min",
    f"{LOAD} --resolution 7": "--resolution: intervals of 7 minutes; give 60 or a part of it, such as 15",
    f"{LOAD} --tz Europe/Paris": "--tz needs time stamps, or --year YYYY; without either the year has no clock changes",
    f"{LOAD} --year 2026 --tz Europe/Pariss": "unknown --tz 'Europe/Pariss'; did you mean 'Europe/Paris'?",
    f"{LOAD} --territory X": "tariff heco_tou_net_billing.json: has no baseline; leave --territory out",
}


@pytest.mark.parametrize("arguments", REFUSED)
def test_what_cannot_be_billed_is_one_line(arguments: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(arguments, capsys).startswith(REFUSED[arguments])
