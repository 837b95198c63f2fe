"""Every tariff of the gallery is whole, says where it is from, and bills a plain house as arithmetic does."""

import json
import math
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from repository import ROOT

from meanwatt.agents.tariff.ratebook.bill import Bill, Terms, bill_customers
from meanwatt.agents.tariff.ratebook.billing_calendar import reference_year
from meanwatt.agents.tariff.ratebook.compiled import compile_ratebook
from meanwatt.agents.tariff.ratebook.ratebook import Metering
from meanwatt.model.billing.ratebook_source import Choices, RatebookError, load_ratebook, write_ratebook
from meanwatt.model.billing.ratebook_table import RatebookTable
from meanwatt.model.billing.tariff_gallery import GALLERY, GalleryError, gallery, gallery_file, gallery_text

HOUR = np.arange(8760) % 24
NOON = ((HOUR >= 10) & (HOUR < 14)).astype(float)
"""1 from 10 to 14 o'clock, 0 otherwise."""


def billed(name: str, solar_kw: float = 0.0, wholesale: float | None = None, **chosen: str) -> Bill:
    """The year, from a Monday on, of a house that uses 1 kW at all hours and generates from 10 to 14 o'clock."""
    book = load_ratebook(name, Choices(**chosen)).book
    terms = Terms(
        metering=book.metering or Metering.NET_BILLING,
        credit_expires=book.credit_expires,
        wholesale_usd_per_kwh=None if wholesale is None else np.full(8760, wholesale),
    )
    solar = solar_kw * NOON[None] if solar_kw else None
    return bill_customers(compile_ratebook(book, reference_year()), np.ones((1, 8760)), solar, terms)


def test_the_gallery_holds_the_tariffs_that_the_documents_name() -> None:
    assert gallery() == (
        "aps_r3",
        "heco_r",
        "heco_shift_and_save",
        "octopus_agile",
        "ofgem_cap",
        "pge_e1",
        "pge_e_elec",
        "pge_e_elec_2025",
        "pge_e_tou_c",
        "sce_tou_d_prime",
    )


def numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [number for entry in value.values() for number in numbers(entry)]
    if isinstance(value, list):
        return [number for entry in value for number in numbers(entry)]
    return [float(value)] if isinstance(value, int | float) else []


@pytest.mark.parametrize("name", gallery())
def test_a_tariff_says_when_where_and_what_is_not_certain_of_keys_that_it_has(name: str) -> None:
    raw = tomllib.loads(gallery_text(name))
    assert raw["as_of"] >= "2019"
    assert len(raw["source"]) > 10
    assert raw["status"] == ("uncertain" if raw.get("uncertain") else "seen")
    found = numbers(raw)
    assert len(found) > 1
    assert all(math.isfinite(number) for number in found)
    for key in raw.get("uncertain", {}):
        inner: Any = raw
        if key in RatebookTable.model_fields:  # of something that is left out as a whole
            continue
        for part in key.split("."):
            assert part in inner, key
            inner = inner[part]


@pytest.mark.parametrize("name", gallery())
def test_every_period_of_a_tariff_is_in_force_at_some_hour_and_every_hour_has_one(name: str) -> None:
    book = load_ratebook(name).book
    for charge in (book.energy, *book.demand):
        shown = {*charge.schedule.weekday.ravel().tolist(), *charge.schedule.weekend.ravel().tolist()}
        assert shown == set(range(len(charge.names)))
        assert charge.schedule.weekday.shape == charge.schedule.weekend.shape == (12, 24)


@pytest.mark.parametrize("name", gallery())
def test_a_tariff_comes_back_from_openeis_form_as_it_was(name: str, tmp_path: Path) -> None:
    read = load_ratebook(name)
    write_ratebook(tmp_path / "one.json", read.table)
    write_ratebook(tmp_path / "two.toml", load_ratebook(tmp_path / "one.json").table)
    ours, again = (
        tomllib.loads(path.read_text(encoding="utf-8")) for path in (GALLERY / f"{name}.toml", tmp_path / "two.toml")
    )
    for table in (ours, again):
        energy = table["energy"]
        if energy.get("weekend") == energy["weekday"]:
            del energy["weekend"]
    assert again.pop("urdb", {}) == {}
    assert again == ours
    record = json.loads((tmp_path / "one.json").read_text(encoding="utf-8"))
    assert set(record["extensions"]["meanwatt"]) >= {"as_of", "source", "status"}


# What a house of 1 kW pays in a year of 365 days, written out. June to September are 122 days, 86 of them weekdays
# where 1 January is a Monday; May to October are 184 with 132 weekdays, the other months 181 with 129.
PGE_BASE = 0.79343 * 365
E_ELEC_SUMMER = 122 * (5 * 0.55214 + 4 * 0.39026 + 15 * 0.33358)
E_ELEC_WINTER = 243 * (5 * 0.32063 + 4 * 0.29854 + 15 * 0.28468)
E_ELEC = E_ELEC_SUMMER + E_ELEC_WINTER
E_TOU_C = 122 * (5 * 0.5224 + 19 * 0.3994) + 243 * (5 * 0.39757 + 19 * 0.36757) - 0.0814 * 9.8 * 365
E_1 = 8760 * 0.40702 - 0.08141 * 9.8 * 365
E_ELEC_2025 = 122 * (5 * 0.6043 + 4 * 0.44242 + 15 * 0.38574) + 243 * (5 * 0.37279 + 4 * 0.3507 + 15 * 0.33684)
SUMMER_OFF_AND_WINTER = 122 * 19 * 0.2632 + 243 * (5 * 0.5334 + 19 * 0.2449)
BY_HAND: dict[str, tuple[dict[str, str], float]] = {
    "pge_e1": ({}, E_1 + PGE_BASE),
    "pge_e1 CARE": ({"discount": "CARE"}, 0.65 * E_1 + 0.19713 * 365),
    "pge_e1 FERA": ({"discount": "FERA"}, 0.82 * E_1 + 0.39688 * 365),
    "pge_e_tou_c": ({}, E_TOU_C + PGE_BASE),
    "pge_e_tou_c CARE": ({"discount": "CARE"}, 0.65 * E_TOU_C + 0.19713 * 365),
    "pge_e_elec": ({}, E_ELEC + PGE_BASE),
    "pge_e_elec CARE": ({"discount": "CARE"}, 0.65 * E_ELEC + 0.19713 * 365),
    "pge_e_elec_2025": ({}, E_ELEC_2025 + 15 * 12),
    "pge_e_elec_2025 CARE": ({"discount": "CARE"}, 0.65 * (E_ELEC_2025 + 15 * 12)),
    "sce_tou_d_prime": ({}, 5 * (86 * 0.5637 + 36 * 0.3813) + SUMMER_OFF_AND_WINTER + 16 * 12),
    "heco_r": ({}, 8760 * 0.38138 + 11.5 * 12),
    "heco_shift_and_save": ({}, 365 * (8 * 0.17 + 4 * 0.52 + 12 * 0.35) + 11.5 * 12),
    "aps_r3": (
        {},
        8760 * 0.06972 + 3 * (132 * (0.1411 - 0.06972) + 129 * (0.10407 - 0.06972)) + 6 * (19.6 + 13.7) + 0.3998 * 365,
    ),
    "ofgem_cap": ({}, 8760 * 0.2635 + 0.5368 * 365),
}


@pytest.mark.parametrize("case", BY_HAND)
def test_a_house_of_one_kw_pays_what_arithmetic_says(case: str) -> None:
    chosen, usd = BY_HAND[case]
    assert billed(case.split()[0], **chosen).annual_usd[0] == pytest.approx(usd, abs=1e-8)


def test_every_tariff_has_a_bill_written_out() -> None:
    assert {case.split()[0] for case in BY_HAND} | {"octopus_agile"} == set(gallery())


@pytest.mark.parametrize(("wholesale", "off", "peak"), [(0.10, 0.22, 0.34), (0.15, 0.33, 0.35), (-0.05, -0.11, 0.01)])
def test_a_dynamic_price_is_a_multiple_of_wholesale_and_more_in_the_evening_up_to_its_cap(
    wholesale: float, off: float, peak: float
) -> None:
    assert billed("octopus_agile", wholesale=wholesale).annual_usd[0] == pytest.approx(365 * (21 * off + 3 * peak))


def test_five_hundred_kwh_cost_what_was_published() -> None:
    """202.19 USD in Schedule R, of which all but the remembered customer charge is energy."""
    book = load_ratebook("heco_r").book
    load = np.full((1, 8760), 500 / 744)
    bill = bill_customers(compile_ratebook(book, reference_year()), load, None, Terms(metering=Metering.NET_BILLING))
    assert bill.monthly_usd[0, 0] == pytest.approx(202.19, abs=0.005)


# 3 kW from 10 to 14 o'clock: 2 kWh are fed in at each of these hours, and 20 are bought a day.
NOON_NBT = 0.042 + 0.041 + 0.040 + 0.038
FED = {
    "pge_e_elec net_billing": -365 * 2 * NOON_NBT,
    "pge_e_elec buy_all_sell_all": -365 * 3 * NOON_NBT,
    "pge_e_elec none": 0.0,
    "pge_e1 net_billing": -365 * 2 * NOON_NBT,
    "heco_r customer_grid_supply_plus": -365 * 8 * 0.1008,
    "heco_r smart_export": 0.0,
    "aps_r3 resource_comparison_proxy": -365 * 8 * 0.07,
    # a credit of a month pays energy from the next one on, and that of December expires at the true-up
    "heco_shift_and_save smart_renewable_energy": -(365 - 31) * 8 * 0.135,
}


@pytest.mark.parametrize("case", FED)
def test_what_is_fed_in_earns_what_arithmetic_says(case: str) -> None:
    name, export = case.split()
    bill = billed(name, 3.0, export=export)
    assert bill.export_credit_usd.sum() == pytest.approx(FED[case], abs=1e-8)
    bought = 24 if export == "buy_all_sell_all" else 20
    assert bill.drawn_kwh.sum() == pytest.approx(365 * bought)


def test_under_net_metering_a_surplus_earns_the_retail_rate_less_non_bypassable_charges() -> None:
    """6 kW: 24 kWh against the 15 of off-peak hours leave 9 a day; 4 and 5 are bought in the other periods."""
    bill = billed("pge_e_elec", 6.0, export="net_metering")
    summer, winter = 5 * 0.55214 + 4 * 0.39026, 5 * 0.32063 + 4 * 0.29854
    credit = 122 * 9 * (0.33358 - 0.025) + 243 * 9 * (0.28468 - 0.025)
    assert bill.energy_usd.sum() == pytest.approx(122 * summer + 243 * winter)
    assert summer > 9 * (0.33358 - 0.025)
    assert winter > 9 * (0.28468 - 0.025)  # so that no month leaves a credit
    assert -bill.export_credit_usd.sum() == pytest.approx(credit)


def test_without_a_choice_a_tariff_takes_the_terms_that_it_names() -> None:
    assert billed("pge_e_elec", 3.0).annual_usd == billed("pge_e_elec", 3.0, export="net_billing").annual_usd
    assert billed("pge_e_elec", 3.0, export="none").annual_usd[0] > billed("pge_e_elec", 3.0).annual_usd[0]


def test_what_is_not_there_to_choose_is_one_line_with_the_nearest_name() -> None:
    for name, chosen, line in (
        ("pge_e1", {"discount": "care"}, "tariff pge_e1: unknown discount 'care'; did you mean 'CARE'?"),
        (
            "pge_e1",
            {"export": "netmetering"},
            "tariff pge_e1: unknown export 'netmetering'; did you mean 'net_metering'?",
        ),
        ("pge_e1", {"territory": "Y"}, "tariff pge_e1: baseline: unknown territory 'Y'; give one of X"),
        ("heco_r", {"discount": "CARE"}, "tariff heco_r: has no discounts; leave --discount out"),
        ("ofgem_cap", {"export": "none"}, "tariff ofgem_cap: has no exports; leave --export out"),
        ("heco_r", {"territory": "X"}, "tariff heco_r: has no baseline; leave --territory out"),
    ):
        with pytest.raises(RatebookError) as caught:
            load_ratebook(name, Choices(**chosen))
        assert str(caught.value) == line
    with pytest.raises(GalleryError) as unknown:
        gallery_file("pge_e2")
    assert str(unknown.value) == "unknown tariff 'pge_e2'; did you mean 'pge_e1'?"


def test_a_file_of_a_gallerys_name_is_read_where_it_is_written_as_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = gallery_text("ofgem_cap").replace("0.2635", "0.5")
    Path("pge_e1").write_text(text, encoding="utf-8")
    Path("pge_e1.toml").write_text(text, encoding="utf-8")
    assert load_ratebook("pge_e1").book.currency == "USD"
    for path in ("pge_e1.toml", "./pge_e1.toml", Path("pge_e1.toml")):
        assert load_ratebook(path).book.energy.rate_usd_per_kwh.tolist() == [[0.5]]
    with pytest.raises(RatebookError, match=r"^tariff \./pge_e1: ends in 'nothing'; give a file that ends in"):
        load_ratebook("./pge_e1")
    with pytest.raises(
        ValueError, match=r"did you mean 'pge_e1'\? A file is named with its ending, \.toml or \.json\.$"
    ):
        load_ratebook("pge_e3")


def test_the_tariffs_travel_with_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    build = project["tool"]["hatch"]["build"]["targets"]
    folder = GALLERY.relative_to(ROOT)
    assert folder.parts[0] in build["wheel"]["only-include"]
    assert folder.parts[0] in build["sdist"]["only-include"]
    assert not any("exclude" in build[target] for target in ("wheel", "sdist"))
