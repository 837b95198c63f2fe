"""The bulk file of OpenEI's database, and mixtures of it with the interface, are billed as the interface's record."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_ratebooks import drawn_readings, drawn_record
from hypothesis import given, settings
from hypothesis import strategies as st

from meanwatt.agents.tariff.ratebook.bill import Terms, bill_customers
from meanwatt.agents.tariff.ratebook.billing_calendar import reference_year
from meanwatt.agents.tariff.ratebook.compiled import compile_ratebook
from meanwatt.agents.tariff.ratebook.ratebook import Metering
from meanwatt.model.billing.ratebook_source import RatebookError, load_ratebook, write_ratebook
from meanwatt.model.billing.urdb_spellings import as_interface

BULK = {
    "energyratestructure": "energyRateStrux",
    "energyweekdayschedule": "energyWeekdaySched",
    "energyweekendschedule": "energyWeekendSched",
    "demandratestructure": "demandRateStrux",
    "demandweekdayschedule": "demandWeekdaySched",
    "demandweekendschedule": "demandWeekendSched",
    "flatdemandstructure": "flatDemandStrux",
    "flatdemandmonths": "flatDemandMonths",
    "fixedchargefirstmeter": "fixedChargeFirstMeter",
    "fixedchargeunits": "fixedChargeUnits",
    "fueladjustmentsmonthly": "fuelAdjustmentsMonthly",
    "mincharge": "minCharge",
    "minchargeunits": "minChargeUnits",
    "lookbackpercent": "lookbackPercent",
    "lookbackrange": "lookbackRange",
    "lookbackmonths": "lookbackMonths",
    "demandwindow": "demandWindow",
    "name": "rateName",
    "dgrules": "dgRules",
}


def api_record(seed: int) -> dict[str, Any]:
    """A random record of the interface with every kind of charge."""
    record = drawn_record(np.random.default_rng(seed), tiers=2, negative=True)
    fixed = record.pop("fixed")
    record |= {
        "fueladjustmentsmonthly": record.pop("fuel"),
        "fixedchargefirstmeter": fixed[0],
        "fixedchargeunits": f"$/{fixed[1]}",
    }
    record |= {"name": "Residential", "dgrules": "Net Metering", "lookbackpercent": 0.8, "lookbackmonths": [1, 0] * 6}
    if "minimum" in record:
        record |= {"mincharge": record.pop("minimum"), "minchargeunits": "$/month"}
    return record


def bulk(record: Mapping[str, Any]) -> dict[str, Any]:
    """The same record as the bulk file of the database writes it."""
    found = {
        "_id": {"$oid": "539f6a23ec4f024411ec8bf9"},
        "utilityName": "A Utility",
        "effectiveDate": {"$date": "2024-10-01T00:00:00Z"},
    }
    for name, value in record.items():
        spelt = BULK[name]
        if spelt.endswith("Strux"):
            value = [{spelt.replace("Strux", "Tiers"): tiers} for tiers in value]
        found[spelt] = value
    return found


def bills(record: Mapping[str, Any], folder: Path) -> Any:
    path = folder / "tariff.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    compiled = compile_ratebook(load_ratebook(path).book, reference_year())
    load, solar = drawn_readings(np.random.default_rng(3), 2)
    return [bill_customers(compiled, load, solar, Terms(metering=rule)).monthly_usd.tolist() for rule in Metering]


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6))
def test_a_record_of_the_bulk_file_costs_what_the_interfaces_does(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("spelt")
    record = api_record(seed)
    assert bills(bulk(record), folder) == bills(record, folder)


def test_periods_that_are_objects_are_read_under_the_interfaces_names_too(tmp_path: Path) -> None:
    record = api_record(1)
    mixed = record | {"energyratestructure": [{"energyRateTiers": tiers} for tiers in record["energyratestructure"]]}
    assert bills(mixed, tmp_path) == bills(record, tmp_path)


def test_what_is_read_under_another_name_is_said_and_the_interfaces_own_record_is_left_alone(tmp_path: Path) -> None:
    record = api_record(2)
    assert as_interface(record) == (record, ())
    (tmp_path / "one.json").write_text(json.dumps(record | {"lookbackPercent": record.pop("lookbackpercent")}))
    assert load_ratebook(tmp_path / "one.json").messages[0] == (
        "Fields are read under the names of OpenEI's interface: lookbackPercent as lookbackpercent."
    )


def test_identifier_and_dates_of_the_bulk_file_are_kept_as_the_interface_writes_them(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(bulk(api_record(3)) | {"endDate": {"$date": "next year"}}))
    write_ratebook(tmp_path / "two.json", load_ratebook(tmp_path / "one.json").table)
    found = json.loads((tmp_path / "two.json").read_text(encoding="utf-8"))
    assert found["label"] == "539f6a23ec4f024411ec8bf9"
    assert found["utility"] == "A Utility"
    assert found["startdate"] == 1727740800  # 1 October 2024, 00:00 UTC
    assert found["enddate"] == "next year"


def test_one_field_in_two_spellings_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(api_record(4) | {"energyWeekdaySched": [[0] * 24] * 12}))
    with pytest.raises(RatebookError) as refused:
        load_ratebook(tmp_path / "one.json")
    assert str(refused.value) == (
        f"tariff {tmp_path / 'one.json'}: 'energyweekdayschedule' and 'energyWeekdaySched' are one field in two "
        "spellings; give one of them"
    )
