"""Bills of many customers, whose days are added up pattern by pattern, against plain loops and against each alone."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from drawn_ratebooks import book_of, drawn_readings, drawn_record
from plain_biller import NAMES, plain_bill

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.ratebook.bill import PARTS, Terms, bill_customers
from meanwatt.agents.tariff.ratebook.billing_calendar import BillingCalendar, reference_year
from meanwatt.agents.tariff.ratebook.compiled import compile_ratebook
from meanwatt.agents.tariff.ratebook.meter import MANY
from meanwatt.agents.tariff.ratebook.ratebook import Metering
from meanwatt.model.billing.local_calendar import Clock, calendar_of
from meanwatt.model.billing.readings import Readings

ROUNDING = 1e-9
"""Sums of some ten thousand products of at most 1e3 USD in double precision, in another order. [USD]"""


def drawn(seed: int, customers: int, per_hour: int = 1) -> tuple[dict[str, Any], Floats, Floats]:
    """A tariff whose sell rates are alike in all tiers, so that what is drawn alone climbs in the order of time."""
    rng = np.random.default_rng(seed)
    record = drawn_record(rng, tiers=1 + seed % 3, negative=seed % 2 == 0)
    for tiers in record["energyratestructure"]:
        for tier in tiers:
            tier["sell"] = tiers[0]["sell"]
    load, solar = drawn_readings(rng, customers, per_hour)
    return record, load * rng.uniform(0.1, 3.0, (customers, 1)), solar


def wall_clock(year: int) -> BillingCalendar:
    """A year of California's wall clock: a day of 23 hours, one of 25, and the leap day if it has one."""
    rows = 24 * (365 + (year % 4 == 0))
    grid = Readings(label="a year", values=np.zeros(rows), stamps=None)
    return calendar_of(grid, Clock(year=year, zone="America/Los_Angeles"), ("07-04",))[0]


@pytest.mark.parametrize("rule", NAMES)
def test_many_customers_pay_what_plain_loops_charge_each(rule: str) -> None:
    for seed in range(3):
        per_hour = 1 + seed % 2
        record, load, solar = drawn(seed, MANY, per_hour)
        found = bill_customers(
            compile_ratebook(book_of(record), reference_year(per_hour)), load, solar, Terms(metering=Metering(rule))
        )
        for row in (0, MANY - 1):
            expected = plain_bill(record, load[row].tolist(), solar[row].tolist(), rule, per_hour)
            assert found.monthly_usd[row] == pytest.approx(expected, abs=ROUNDING)


@pytest.mark.parametrize("year", [2027, 2028])
def test_on_the_wall_clock_many_are_billed_as_each_alone(year: int) -> None:
    calendar = wall_clock(year)
    for seed in range(2, 8):
        record, load, solar = drawn(seed, MANY)
        hours = np.arange(calendar.intervals) % 8760
        load, solar = load[:, hours], solar[:, hours]
        compiled = compile_ratebook(book_of(record), calendar)
        for rule in Metering:
            for generation in (solar, None):
                many = bill_customers(compiled, load, generation, Terms(metering=rule))
                own = None if generation is None else generation[5:6]
                alone = bill_customers(compiled, load[5:6], own, Terms(metering=rule))
                for name in (*PARTS, "peak_kw", "drawn_kwh", "fed_kwh", "kwh"):
                    assert getattr(many, name)[5] == pytest.approx(getattr(alone, name)[0], abs=ROUNDING), name


def test_a_ladder_takes_every_kwh_once_wherever_its_limits_lie() -> None:
    """Limits at 0, at the kWh of a whole day, above the month, alike or apart by period."""
    rng = np.random.default_rng(4)
    record, load, _ = drawn(5, MANY)
    book = book_of(record)
    load[0] = 0.5  # the first day ends at 12 kWh exactly
    load[1] = 0.0
    for first, second in ((0.0, 12.0), (12.0, 12.0), (12.0, 24.0), (1e6, 2e6), (7.3, 300.0)):
        limit = np.full_like(book.energy.limit, np.inf)
        limit[:, 0], limit[:, 1] = first, second
        limit[-1, 1] += float(rng.integers(0, 2))
        tiered = replace(book, energy=replace(book.energy, limit=limit))
        compiled = compile_ratebook(tiered, reference_year())
        many = bill_customers(compiled, load, None, Terms(metering=Metering.NET_BILLING))
        assert many.kwh.sum(axis=3).sum(axis=2) == pytest.approx(many.drawn_kwh, abs=ROUNDING)
        for row in range(3):
            alone = bill_customers(compiled, load[row : row + 1], None, Terms(metering=Metering.NET_BILLING))
            assert many.kwh[row] == pytest.approx(alone.kwh[0], abs=ROUNDING)


def test_single_precision_is_billed_as_the_same_numbers_in_double() -> None:
    """Sums run in double, whatever the readings are: those of a year of hours in single are off by some 1e-4 kWh."""
    record, load, solar = drawn(2, MANY, 4)
    compiled = compile_ratebook(book_of(record), reference_year(4))
    single = load.astype(np.float32), solar.astype(np.float32)
    for rule in Metering:
        for generation in (True, False):
            given, same = (
                (load, made if generation else None) for load, made in (single, [np.float64(x) for x in single])
            )
            found, expected = (bill_customers(compiled, *kwh, Terms(metering=rule)) for kwh in (given, same))
            for name in (*PARTS, "peak_kw", "kwh"):
                np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


def test_of_many_customers_a_load_below_0_and_a_number_that_is_none_are_named() -> None:
    record, load, solar = drawn(1, MANY)
    compiled = compile_ratebook(book_of(record), reference_year())
    terms = Terms(metering=Metering.NET_BILLING)
    for wrong, said in ((-0.25, "load_kwh is -0.25 at its lowest"), (np.nan, "load_kwh"), (np.inf, "load_kwh")):
        for generation in (solar, None):
            bad = load.copy()
            bad[7, 5000] = wrong
            with pytest.raises(ValueError, match=said):
                bill_customers(compiled, bad, generation, terms)
