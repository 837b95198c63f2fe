"""Bills against PySAM's, against a biller in plain loops, and against the laws that every bill obeys."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from drawn_ratebooks import book_of, drawn_readings, drawn_record
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_biller import NAMES, plain_bill
from reference_house import LOAD_KWH, SOLAR_KWH
from repository import ROOT

from meanwatt.agents.tariff.ratebook.bill import PARTS, Bill, Terms, bill_customers
from meanwatt.agents.tariff.ratebook.billing_calendar import BillingCalendar, reference_year
from meanwatt.agents.tariff.ratebook.compiled import compile_ratebook
from meanwatt.agents.tariff.ratebook.convention import SAM, TARIFF_BOOK
from meanwatt.agents.tariff.ratebook.ratebook import Metering, Per, PeriodicCharge, Ratebook, Tax, TaxBase, TierScope
from meanwatt.model.billing.ratebook_table import RatebookTable
from meanwatt.model.billing.urdb_reader import table_of_record

PYSAM: dict[str, Any] = json.loads((ROOT / "tests" / "bills_by_pysam.json").read_text(encoding="utf-8"))["cases"]
PRINTED = 5.1e-7
"""Half a unit of the last digit of the bills that PySAM's are kept with. [USD]"""
SEEDS = st.integers(0, 10**6)
ROUNDING = 1e-9
"""Sums of some ten thousand products of at most 1e3 USD in double precision. [USD]"""


@cache
def year(per_hour: int = 1) -> BillingCalendar:
    return reference_year(per_hour)


def billed(book: Ratebook, load: Any, solar: Any, rule: str, **terms: Any) -> Bill:
    load = np.atleast_2d(load)
    solar = None if solar is None else np.atleast_2d(solar)
    per_hour = load.shape[1] // 8760
    return bill_customers(compile_ratebook(book, year(per_hour)), load, solar, Terms(metering=Metering(rule), **terms))


def book_by_pysam(record: dict[str, Any]) -> Ratebook:
    table, _ = table_of_record(record)
    return RatebookTable.model_validate(table).ratebook("fixture")


@pytest.mark.parametrize("name", PYSAM)
@pytest.mark.parametrize("convention", [TARIFF_BOOK, SAM])
def test_the_year_of_the_reference_house_costs_what_pysam_says(name: str, convention: Any) -> None:
    case = PYSAM[name]
    book = book_by_pysam(case["tariff"])
    solar = SOLAR_KWH if case["solar"] else None
    found = billed(book, LOAD_KWH, solar, case["metering"], convention=convention)
    assert found.annual_usd[0] == pytest.approx(case["annual"], abs=PRINTED)
    assert found.demand_usd.sum() == case["demand"]
    without = billed(book, LOAD_KWH, None, case["metering"], convention=convention)
    assert without.annual_usd[0] == pytest.approx(case["annual_without"], abs=PRINTED)
    if convention is SAM or not any(charge.per is Per.DAY for charge in book.fixed):
        assert found.monthly_usd[0] == pytest.approx(case["monthly"], abs=PRINTED)


@pytest.mark.parametrize("rule", NAMES)
def test_bills_are_those_of_plain_loops(rule: str) -> None:
    for number in range(9):
        _as_in_plain_loops(seed=number, rule=rule, tiers=1 + number % 3)


def _as_in_plain_loops(seed: int, rule: str, tiers: int) -> None:
    rng = np.random.default_rng(seed)
    record = drawn_record(rng, tiers=tiers, negative=rng.random() < 0.3 and rule != "net_metering_dollars")
    per_hour = int(rng.choice([1, 2]))
    load, solar = drawn_readings(rng, 1, per_hour)
    expires = seed % 3 == 2
    found = billed(book_of(record), load, solar, rule, credit_expires=expires)
    expected = plain_bill(record, load[0].tolist(), solar[0].tolist(), rule, per_hour, expires)
    assert found.monthly_usd[0] == pytest.approx(expected, abs=ROUNDING)


@settings(max_examples=25)
@given(seed=SEEDS, rule=st.sampled_from(NAMES), tiers=st.integers(1, 3))
def test_a_bill_is_the_sum_of_its_parts_and_customers_are_billed_by_themselves(
    seed: int, rule: str, tiers: int
) -> None:
    rng = np.random.default_rng(seed)
    record = drawn_record(rng, tiers=tiers, negative=True)
    taxes = (
        Tax(name="energy", usd_per_kwh=0.0003),
        Tax(name="city", share=0.07, on=TaxBase(rng.choice(["charges", "bill"]))),
    )
    book = replace(book_of(record), taxes=taxes)
    load, solar = drawn_readings(rng, 3)
    found = billed(book, load, solar, rule)
    parts = np.sum([getattr(found, name).sum(axis=1) for name in PARTS], axis=0)
    assert parts == pytest.approx(found.annual_usd, abs=ROUNDING)
    alone = billed(book, load[1], solar[1], rule)
    assert alone.monthly_usd[0] == pytest.approx(found.monthly_usd[1], abs=ROUNDING)


@settings(max_examples=25)
@given(seed=SEEDS, rule=st.sampled_from(NAMES), tiers=st.integers(1, 3), first=st.integers(1, 11))
def test_a_year_split_at_a_months_end_with_what_is_carried_costs_the_same(
    seed: int, rule: str, tiers: int, first: int
) -> None:
    rng = np.random.default_rng(seed)
    record = drawn_record(rng, tiers=tiers)
    annual = PeriodicCharge(name="annual", usd=float(rng.uniform(0, 3000)), per=Per.YEAR)
    book = replace(book_of(record), true_up_month=int(rng.integers(1, 13)), year_end_usd_per_kwh=0.03)
    book = replace(book, minimum=(*book.minimum, annual))
    load, solar = drawn_readings(rng, 2)
    whole = billed(book, load, solar, rule)
    calendar, terms = year(), Terms(metering=Metering(rule))
    cut = int(np.searchsorted(calendar.month, first))
    begun = bill_customers(compile_ratebook(book, calendar.part(0, first)), load[:, :cut], solar[:, :cut], terms)
    ended = bill_customers(
        compile_ratebook(book, calendar.part(first, 12)), load[:, cut:], solar[:, cut:], terms, begun.carried
    )
    both = np.concatenate([begun.monthly_usd, ended.monthly_usd], axis=1)
    assert both == pytest.approx(whole.monthly_usd, abs=ROUNDING)


@settings(max_examples=15)
@given(seed=SEEDS, rule=st.sampled_from(NAMES))
def test_hours_of_a_period_change_places_within_a_month_and_nothing_changes_without_tiers(seed: int, rule: str) -> None:
    rng = np.random.default_rng(seed)
    record = drawn_record(rng, tiers=1)
    book = book_of({name: value for name, value in record.items() if "demand" not in name})
    load, solar = drawn_readings(rng, 1)
    compiled = compile_ratebook(book, year())
    place = np.arange(8760)
    for month in range(12):
        for period in range(len(book.energy.names)):
            alike = np.flatnonzero((year().month == month) & (compiled.energy.period == period))
            place[alike] = rng.permutation(alike)
    moved = billed(book, load[:, place], solar[:, place], rule)
    assert moved.monthly_usd == pytest.approx(billed(book, load, solar, rule).monthly_usd, abs=ROUNDING)


@settings(max_examples=15)
@given(seed=SEEDS, rule=st.sampled_from(NAMES), tiers=st.integers(1, 3))
def test_without_export_credit_and_negative_rates_nobody_is_paid(seed: int, rule: str, tiers: int) -> None:
    rng = np.random.default_rng(seed)
    record = drawn_record(rng, tiers=tiers)
    for period in record["energyratestructure"]:
        for tier in period:
            tier["sell"] = 0.0
    load, solar = drawn_readings(rng, 2)
    found = billed(book_of(record), load, solar, rule)
    assert found.export_credit_usd == pytest.approx(np.zeros((2, 12)), abs=ROUNDING)
    assert found.monthly_usd.min() >= -ROUNDING


@settings(max_examples=15)
@given(seed=SEEDS, more=st.floats(0, 3), carries=st.booleans())
def test_more_solar_never_raises_a_bill_under_net_billing_at_constant_rates(
    seed: int, more: float, carries: bool
) -> None:
    rng = np.random.default_rng(seed)
    record = drawn_record(rng, tiers=1)
    record["energyratestructure"] = [[{"rate": 0.3, "sell": float(rng.uniform(0, 0.3))}]] * 4
    record.pop("minimum", None)
    load, solar = drawn_readings(rng, 1)
    book = book_of(record)
    rule = "net_billing_carryover" if carries else "net_billing"
    before, after = (billed(book, load, scale * solar, rule).annual_usd[0] for scale in (1.0, 1.0 + more))
    assert after <= before + ROUNDING


@settings(max_examples=20)
@given(seed=SEEDS, rule=st.sampled_from(NAMES), tiers=st.integers(1, 3), scope=st.sampled_from(TierScope))
def test_tiers_share_out_the_kwh_that_are_billed_and_lose_none(
    seed: int, rule: str, tiers: int, scope: TierScope
) -> None:
    rng = np.random.default_rng(seed)
    record = drawn_record(rng, tiers=tiers)
    book = book_of(record)
    book = replace(book, energy=replace(book.energy, tier_scope=scope))
    load, solar = drawn_readings(rng, 2)
    found = billed(book, load, solar, rule)
    assert (found.kwh >= -ROUNDING).all()
    total = found.kwh.sum(axis=(2, 3))
    if not Metering(rule).nets_by_month:
        assert total == pytest.approx(found.drawn_kwh, abs=1e-9)
    else:
        assert (total <= found.drawn_kwh + 1e-9).all()
    if scope is TierScope.MONTH and tiers > 1 and not Metering(rule).nets_by_month:
        lowest = np.minimum(total, book.energy.limit[0, 0])
        assert found.kwh[..., 0].sum(axis=2) == pytest.approx(lowest, abs=1e-9)


def test_two_hundred_kwh_sold_off_peak_do_not_pay_for_two_hundred_bought_at_peak() -> None:
    """Net metering nets within each period only, and what is left on 31 December is lost."""
    hour = np.arange(8760) % 24
    record = {
        "energyratestructure": [[{"rate": 0.1}], [{"rate": 0.5}]],
        "energyweekdayschedule": [[int(16 <= clock < 21) for clock in range(24)]] * 12,
        "energyweekendschedule": [[int(16 <= clock < 21) for clock in range(24)]] * 12,
    }
    january = np.arange(8760) < 744
    load = np.where(january & (hour == 18), 200 / 31, 0.0)
    solar = np.where(january & (hour == 12), 200 / 31, 0.0)
    found = billed(book_of(record), load, solar, "net_metering")
    assert found.annual_usd[0] == pytest.approx(100, abs=ROUNDING)
    assert found.credit_carried_kwh[0, :11] == pytest.approx(np.full(11, 200), abs=ROUNDING)
    assert found.surplus_kwh[0, 11] == pytest.approx(200, abs=ROUNDING)


def test_a_minimum_is_held_against_charges_in_books_and_added_to_what_is_left_in_sam() -> None:
    """A month of charges of 30 and credits of 75 USD with a minimum of 20."""
    flat = {"energyweekdayschedule": [[0] * 24] * 12, "energyweekendschedule": [[0] * 24] * 12}
    record = {"energyratestructure": [[{"rate": 0.3, "sell": 0.75}]], **flat, "minimum": 20.0}
    days = np.repeat(
        (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31),
        np.array((31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)) * 24,
    )
    hour = np.arange(8760) % 24
    load, solar = np.where(hour == 1, 100 / days, 0.0), np.where(hour == 12, 100 / days, 0.0)
    book = book_of(record)
    assert billed(book, load, solar, "net_billing").monthly_usd[0] == pytest.approx(np.full(12, -45), abs=ROUNDING)
    by_sam = billed(book, load, solar, "net_billing", convention=SAM)
    assert by_sam.monthly_usd[0] == pytest.approx(np.full(12, -25), abs=ROUNDING)
    assert by_sam.minimum_usd[0] == pytest.approx(np.full(12, 20), abs=ROUNDING)


def test_use_above_a_last_tier_that_ends_is_paid_under_every_rule() -> None:
    """PySAM credits a flat load of 1 kW at .20 USD with a last tier of 500 kWh with 62,518 USD a year."""
    flat = {"energyweekdayschedule": [[0] * 24] * 12, "energyweekendschedule": [[0] * 24] * 12}
    book = book_of({"energyratestructure": [[{"rate": 0.2, "max": 500.0}]], **flat})
    for rule in NAMES:
        for convention in (TARIFF_BOOK, SAM):
            found = billed(book, np.ones(8760), None, rule, convention=convention)
            assert found.annual_usd[0] == pytest.approx(0.2 * 8760, abs=ROUNDING)
