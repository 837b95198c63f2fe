"""Tariffs as filed go from OpenEI's words to ours and back, lose nothing, and mistakes in them are one line."""

import json
import tomllib
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_ratebooks import drawn_readings, drawn_record
from hypothesis import given, settings
from hypothesis import strategies as st
from repository import ROOT

from meanwatt.agents.tariff.ratebook.bill import Terms, bill_customers
from meanwatt.agents.tariff.ratebook.billing_calendar import reference_year
from meanwatt.agents.tariff.ratebook.compiled import compile_ratebook
from meanwatt.agents.tariff.ratebook.ratebook import Metering, Ratebook
from meanwatt.model.billing.ratebook_source import RatebookError, load_ratebook, write_ratebook
from meanwatt.model.billing.schedules import as_spans, read_schedule

EXAMPLE = ROOT / "docs" / "examples" / "ratebook.toml"
FLAT = {"energyweekdayschedule": [[0] * 24] * 12, "energyweekendschedule": [[0] * 24] * 12}
PLAIN = {"energyratestructure": [[{"rate": 0.3, "unit": "kWh"}]], **FLAT}


def cost(book: Ratebook) -> Any:
    load, solar = drawn_readings(np.random.default_rng(3), 1)
    compiled = compile_ratebook(book, reference_year())
    return [bill_customers(compiled, load, solar, Terms(metering=rule)).monthly_usd.tolist() for rule in Metering]


def there_and_back(record: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A record as JSON, as our TOML, and as JSON again."""
    (folder / "one.json").write_text(json.dumps(record), encoding="utf-8")
    write_ratebook(folder / "two.toml", load_ratebook(folder / "one.json").table)
    write_ratebook(folder / "three.json", load_ratebook(folder / "two.toml").table)
    found = json.loads((folder / "three.json").read_text(encoding="utf-8"))
    assert cost(load_ratebook(folder / "one.json").book) == cost(load_ratebook(folder / "two.toml").book)
    assert isinstance(found, dict)
    return found


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), tiers=st.integers(1, 3))
def test_a_record_comes_back_as_it_was(seed: int, tiers: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    rng = np.random.default_rng(seed)
    record = drawn_record(rng, tiers=tiers, negative=True)
    fixed, fuel = record.pop("fixed"), record.pop("fuel")
    record |= {"fixedchargefirstmeter": fixed[0], "fixedchargeunits": f"${'/'}{fixed[1]}"}
    record |= {
        "fueladjustmentsmonthly": fuel,
        "name": "Résidentiel 😀",
        "label": "5a3",
        "eiaid": 14328,
        "approved": True,
    }
    record |= {"enddate": None, "revisions": [1, None, 2.5], "dgrules": "Net Billing Hourly"}
    if "minimum" in record:
        record |= {"mincharge": record.pop("minimum"), "minchargeunits": "$/month"}
    if rng.random() < 0.5:
        record |= {"lookbackpercent": 0.8, "lookbackrange": 6, "demandwindow": 15}
    if rng.random() < 0.5:
        record["energyratestructure"] = [
            [{**tier, "adj": 0.01, "unit": " KWH  daily"} for tier in period]
            for period in record["energyratestructure"]
        ]
    if rng.random() < 0.5:
        record["energyratestructure"][0][-1]["max"] = 1e38
        record["fixedchargeunits"] = record["fixedchargeunits"].replace("/", " / ").upper()
    assert there_and_back(record, tmp_path_factory.mktemp("record")) == record


def test_our_example_comes_back_and_costs_the_same(tmp_path: Path) -> None:
    write_ratebook(tmp_path / "one.json", load_ratebook(EXAMPLE).table)
    write_ratebook(tmp_path / "two.toml", load_ratebook(tmp_path / "one.json").table)
    ours, again = (tomllib.loads(path.read_text(encoding="utf-8")) for path in (EXAMPLE, tmp_path / "two.toml"))
    for table in (ours, again):
        table.pop("true_up_month", None)  # December, which is what holds without it
        for key in ("tier_scope", "tier_period"):
            table["energy"].pop(key, None)
    assert again == ours
    assert cost(load_ratebook(tmp_path / "one.json").book) == cost(load_ratebook(EXAMPLE).book)
    record = json.loads((tmp_path / "one.json").read_text(encoding="utf-8"))
    assert set(record["extensions"]["meanwatt"]) >= {"baseline", "taxes", "holidays", "fixed", "demand", "energy"}


def test_an_edited_file_is_written_as_it_was_edited(tmp_path: Path) -> None:
    """What a record said in other words does not outlive a change."""
    odd = {**PLAIN, "energyratestructure": [[{"rate": 0.3, "unit": "KWH"}]]}
    (tmp_path / "one.json").write_text(json.dumps(odd), encoding="utf-8")
    write_ratebook(tmp_path / "two.toml", load_ratebook(tmp_path / "one.json").table)
    text = (tmp_path / "two.toml").read_text(encoding="utf-8")
    (tmp_path / "two.toml").write_text(text.replace("usd_per_kwh = 0.3 ", "usd_per_kwh = 0.4 "), encoding="utf-8")
    write_ratebook(tmp_path / "three.json", load_ratebook(tmp_path / "two.toml").table)
    record = json.loads((tmp_path / "three.json").read_text(encoding="utf-8"))
    assert record["energyratestructure"] == [[{"rate": 0.4, "unit": "kWh"}]]


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=24, max_size=24), min_size=12, max_size=12))
def test_spans_of_hours_say_what_a_matrix_says(rows: list[list[str]]) -> None:
    read = read_schedule(rows, "weekday", "abc")
    assert read_schedule(as_spans(read), "weekday", "abc") == read


def changed(**fields: Any) -> dict[str, Any]:
    return {**deepcopy(PLAIN), **fields}


def with_tier(**fields: Any) -> dict[str, Any]:
    return changed(energyratestructure=[[{"rate": 0.3, "unit": "kWh", **fields}]])


def test_blocks_per_kw_with_steps_come_back(tmp_path: Path) -> None:
    units = [("kWh/kW", 200), ("kWh", 300), ("kWh", None), ("kWh/kW", None), ("kWh", 2000), ("kWh", None)]
    tiers = [
        {"rate": 0.1 * place, "unit": unit} | ({} if end is None else {"max": end})
        for place, (unit, end) in enumerate(units)
    ]
    assert there_and_back(changed(energyratestructure=[tiers]), tmp_path)["energyratestructure"] == [tiers]


REFUSED: dict[str, Any] = {
    "unknown unit 'kWh dayly'; did you mean 'kWh daily'?": with_tier(unit="kWh dayly"),
    "period 0: tier 0: rate is 'x'; give a number": with_tier(rate="x"),
    "period 0: tier 0: unknown field 'maximum'; did you mean 'max'?": with_tier(maximum=5),
    "period 0: tier 0: rate is 1000000; give a number from -100000 to 100000 USD/kWh": with_tier(rate=1e6),
    "period 0: tier 0 has no max; only the last tier has none": changed(
        energyratestructure=[[{"rate": 0.1}, {"rate": 0.2}]]
    ),
    "period 0: tier 1: max is 5, of the tier below 9; let them rise": changed(
        energyratestructure=[[{"rate": 0.1, "max": 9}, {"rate": 0.2, "max": 5}]]
    ),
    "tiers per kW come after one in kWh; begin with the tier per kW that has": changed(
        energyratestructure=[[{"rate": 0.1, "max": 9, "unit": "kWh"}, {"rate": 0.2, "unit": "kWh/kW"}]]
    ),
    "energyratestructure is None; give a list of periods": FLAT,
    "energyweekdayschedule is missing; give 12 rows of 24": {"energyratestructure": [[{"rate": 0.1}]]},
    "energyweekendschedule: row 3 is": changed(energyweekendschedule=[[0] * 24] * 3 + [[0] * 23] * 9),
    "energyweekdayschedule: row 0: entry 1 is 1; give a period from 0 to 0": changed(
        energyweekdayschedule=[[0, 1] * 12] * 12
    ),
    "unknown dgrules 'Net Meterng'; did you mean 'Net Metering'?": changed(dgrules="Net Meterng"),
    "fixedchargefirstmeter is 5 and fixedchargeunits is missing": changed(fixedchargefirstmeter=5),
    "unknown fixedchargeunits '$/fortnight'; did you mean": changed(
        fixedchargefirstmeter=5, fixedchargeunits="$/fortnight"
    ),
    "unknown field 'fixedchargefirstmetre'; did you mean 'fixedchargefirstmeter'?": changed(fixedchargefirstmetre=5),
    "unknown field 'standbycharge', which may change the bill": changed(standbycharge=5),
    "fueladjustmentsmonthly is [0.1]; give a list of 12 numbers": changed(fueladjustmentsmonthly=[0.1]),
    "flatdemandmonths is missing": changed(flatdemandstructure=[[{"rate": 1}]]),
    "flatdemandunit is 'kVA'; this program bills demand in kW": changed(
        flatdemandstructure=[[{"rate": 1}]], flatdemandmonths=[0] * 12, flatdemandunit="kVA"
    ),
    "lookbackpercent is 80; give a number from 0 to 1": changed(lookbackpercent=80),
    "items holds 2 tariffs; give a file with one of them": {"items": [PLAIN, PLAIN]},
    "is 5; give an object of OpenEI's Utility Rate Database": 5,
    "extensions is 5; give an object": changed(extensions=5),
    "unknown key 'tier_scop'": changed(extensions={"meanwatt": {"tier_scop": 1}}),
    "energy.tier_scope is 'day'; give month or period": changed(
        extensions={"meanwatt": {"energy": {"tier_scope": "day"}}}
    ),
    "taxes.city has a share and no on": changed(extensions={"meanwatt": {"taxes": {"city": {"share": 0.1}}}}),
    "holidays holds '7-4'; give days as": changed(extensions={"meanwatt": {"holidays": ["7-4"]}}),
}


@pytest.mark.parametrize("line", REFUSED)
def test_a_mistake_in_a_record_is_one_line(line: str, tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    file.write_text(json.dumps(REFUSED[line]), encoding="utf-8")
    with pytest.raises(RatebookError) as caught:
        load_ratebook(file)
    said = str(caught.value)
    assert said.startswith(f"tariff {file}: ")
    assert line in said
    assert "\n" not in said


BROKEN = {
    '{"extensions": {"rate": 1, "rate": 2}}': "'rate' comes twice in one object; give it once",
    '{"a": NaN}': "not valid JSON: NaN is no number; give finite numbers",
    '{"a": ': "not valid JSON: Expecting value in line 1, column 7",
    "[" * 100_000: "too deep",
    '{"a": "\\ud800"}': "holds half a letter",
    "1" + "0" * 5000: "not valid JSON: Exceeds the limit",
}


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_json_is_one_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text(text, encoding="utf-8")
    with pytest.raises(RatebookError, match=BROKEN[text]):
        load_ratebook(tmp_path / "record.json")


MISTAKES = {
    ('"1-5, 10-12" = { off = ["0-16", "21-24"], peak', '"1-5" = { off = ["0-16", "21-24"], peak'): (
        "energy.weekday gives nothing for month 10; give every month from 1 to 12"
    ),
    ('6-9 = { summer_off = ["0-16"', '5-9 = { summer_off = ["0-16"'): "energy.weekday gives month 5 twice",
    ('peak = ["16-21"] }\n6-9', 'peak = ["16-20"] }\n6-9'): "periods leave a gap at 20:00",
    (
        'peak = ["16-21"] }\n6-9',
        'paek = ["16-21"] }\n6-9',
    ): "energy.weekday: unknown period 'paek'; did you mean 'peak'?",
    ('["0-16", "21-24"], peak', '["0-15:30", "21-24"], peak = ["15:30-16"], peak'): "not valid TOML",
    ('kind = "ratebook"', 'kind = "rates"'): 'holds no kind = "ratebook"',
    ('unit = "kWh daily"', 'unit = "kWh weekly"'): "energy.unit: unknown unit 'kWh weekly'; did you mean",
    (", limit = 11 },\n  { usd_per_kwh = 0.37", " },\n  { usd_per_kwh = 0.37"): "tiers: entry 0 has no limit",
    (
        "sell_usd_per_kwh = 0.12 }",
        "sel_usd_per_kwh = 0.12 }",
    ): "did you mean 'energy.periods.peak.tiers.1.sell_usd_per_kwh'?",
    ('territory = "coast"', 'territory = "cost"'): "baseline: unknown territory 'cost'; did you mean 'coast'?",
    ('months = ["any", ', 'months = ["all", '): "demand.whole_month.weekday: unknown period 'all'",
}


@pytest.mark.parametrize("change", MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_in_our_file_is_one_line(change: tuple[str, str], tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert change[0] in text
    (tmp_path / "mine.toml").write_text(text.replace(*change, 1), encoding="utf-8")
    with pytest.raises(RatebookError) as caught:
        load_ratebook(tmp_path / "mine.toml")
    assert MISTAKES[change] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_a_record_says_and_nobody_bills_is_told(tmp_path: Path) -> None:
    record = changed(coincidentratestructure=[[{"rate": 3}]], utilitycolour="green")
    (tmp_path / "record.json").write_text(json.dumps(record), encoding="utf-8")
    said = load_ratebook(tmp_path / "record.json").messages
    assert any(sentence.startswith("coincidentratestructure (the charge at the system's peak") for sentence in said)
    assert "Fields that this program does not know are kept and change no bill: utilitycolour." in said
