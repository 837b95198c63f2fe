"""Charges that no other engine bills, by hand: daily tiers, ratchets, windows, baselines, taxes, holidays."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from drawn_ratebooks import book_of, drawn_readings, drawn_record

from meanwatt.agents.tariff.ratebook.bill import PARTS, Bill, Terms, bill_customers
from meanwatt.agents.tariff.ratebook.billing_calendar import MONTH_DAYS, reference_year
from meanwatt.agents.tariff.ratebook.compiled import compile_ratebook
from meanwatt.agents.tariff.ratebook.convention import SAM, TARIFF_BOOK
from meanwatt.agents.tariff.ratebook.meter import MANY
from meanwatt.agents.tariff.ratebook.ratebook import (
    Baseline,
    Metering,
    Per,
    PeriodicCharge,
    Ratchet,
    Schedule,
    Tax,
    TaxBase,
    TierPeriod,
    TierScope,
)
from meanwatt.agents.tariff.ratebook.settlement import surplus_periods
from meanwatt.model.billing.ratebook_table import RatebookTable
from meanwatt.model.billing.urdb_reader import table_of_record

FLAT: dict[str, Any] = {"energyweekdayschedule": [[0] * 24] * 12, "energyweekendschedule": [[0] * 24] * 12}
DAYS = np.array(MONTH_DAYS)
HOUR = np.arange(8760) % 24
MONTH = np.repeat(np.arange(12), DAYS * 24)


def billed(book: Any, load: Any, solar: Any = None, rule: str = "net_billing", per_hour: int = 1) -> Bill:
    compiled = compile_ratebook(book, reference_year(per_hour))
    solar = None if solar is None else np.atleast_2d(solar)
    return bill_customers(compiled, np.atleast_2d(load), solar, Terms(metering=Metering(rule)))


@pytest.mark.parametrize("scope", TierScope)
@pytest.mark.parametrize("period", TierPeriod)
@pytest.mark.parametrize("unit", ["kWh", "kWh daily", "kWh/kW"])
def test_many_customers_are_billed_as_each_by_itself(scope: TierScope, period: TierPeriod, unit: str) -> None:
    """Compiled kernels bill many, arrays a few."""
    rng = np.random.default_rng(5)
    record = drawn_record(rng, tiers=3)
    for tiers in record["energyratestructure"]:
        for tier, end in zip(tiers, (5.0, 11.0), strict=False):
            tier["max"] = end
    book = book_of(record)
    book = replace(book, energy=replace(book.energy, tier_scope=scope, tier_period=period, unit=unit_of(unit)))
    load, solar = drawn_readings(rng, MANY)
    solar[0] -= 0.2  # an inverter that draws
    for rule in ("net_billing", "buy_all_sell_all"):
        together = billed(book, load, solar, rule)
        for row in (0, MANY - 1):
            alone = billed(book, load[row], solar[row], rule)
            for name in (*PARTS, "peak_kw", "drawn_kwh", "fed_kwh"):
                assert getattr(together, name)[row] == pytest.approx(getattr(alone, name)[0], abs=1e-9), name
    without = billed(book, load, None)
    assert without.monthly_usd[1] == pytest.approx(billed(book, load[1], None).monthly_usd[0], abs=1e-9)


def test_customers_are_billed_a_few_at_a_time_with_what_each_carries(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(8)
    book = book_of(drawn_record(rng, tiers=2))
    load, solar = drawn_readings(rng, 5)
    calendar, terms = reference_year(), Terms(metering=Metering.NET_BILLING_CARRYOVER)
    cut = int(np.searchsorted(calendar.month, 6))
    halves = [
        (compile_ratebook(book, calendar.part(0, 6)), load[:, :cut], solar[:, :cut]),
        (compile_ratebook(book, calendar.part(6, 12)), load[:, cut:], solar[:, cut:]),
    ]
    found = []
    for chunk in (256, 2):
        monkeypatch.setattr("meanwatt.agents.tariff.ratebook.bill.CHUNK", chunk)
        first = bill_customers(*halves[0], terms)
        found.append(bill_customers(*halves[1], terms, first.carried).monthly_usd)
    assert found[1] == pytest.approx(found[0], abs=1e-12)
    assert found[0].shape == (5, 6)


def unit_of(text: str) -> Any:
    from meanwatt.model.billing.tier_units import read_unit

    return read_unit(text)


def test_a_daily_block_begins_anew_each_day_and_a_monthly_one_of_as_many_kwh_does_not() -> None:
    """Every other day 20 kWh: half of it is above a daily block of 10 kWh, nearly none above a monthly one."""
    record = {"energyratestructure": [[{"rate": 0.1, "max": 10.0}, {"rate": 1.0}]], **FLAT}
    load = np.where((np.arange(8760) // 24) % 2 == 0, 20 / 24, 0.0)
    book = book_of(record)
    by_day = replace(book, energy=replace(book.energy, tier_period=TierPeriod.DAY))
    every_other = np.array([((month == MONTH) & (load > 0)).sum() / 24 for month in range(12)])
    assert billed(by_day, load).energy_usd[0] == pytest.approx(every_other * (1.0 + 10.0), abs=1e-9)
    by_month = replace(book, energy=replace(book.energy, unit=unit_of("kWh daily")))
    above = np.maximum(every_other * 20 - DAYS * 10, 0.0)
    assert billed(by_month, load).energy_usd[0] == pytest.approx((every_other * 20 - above) * 0.1 + above, abs=1e-9)
    with pytest.raises(
        ValueError, match="metering net_metering nets kWh over the month, and the tariff has tiers by the"
    ):
        billed(by_day, load, load, "net_metering")
    for rule in Metering:  # without generation all are one
        assert billed(by_day, load, None, rule).energy_usd[0] == pytest.approx(every_other * 11.0, abs=1e-9)


def test_steps_in_kwh_end_with_their_block_per_kw() -> None:
    """A peak of 2 kW: the block of 150 kWh/kW ends at 300 kWh, its steps are 100 and 200 kWh, the rest is above."""
    tiers = [("kWh/kW", 150), ("kWh", 100), ("kWh", None), ("kWh/kW", None), ("kWh", None)]
    record = {
        "energyratestructure": [
            [
                {"rate": 10.0**-place, "unit": unit} | ({} if end is None else {"max": end})
                for place, (unit, end) in enumerate(tiers)
            ]
        ],
        **FLAT,
    }
    book = RatebookTable.model_validate(table_of_record(record)[0]).ratebook("blocks")
    load = np.where(np.diff(MONTH, prepend=-1) != 0, 2.0, 1.0)
    used = DAYS * 24 + 1
    expected = 100 * 1e-1 + 200 * 1e-2 + (used - 300) * 1e-4
    for copies in (1, MANY):
        found = billed(book, np.tile(load, (copies, 1)))
        assert found.energy_usd[-1] == pytest.approx(expected, abs=1e-9)
    assert found.kwh[0, 0, 0, [0, 3]].tolist() == [0.0, 0.0]


def test_a_ladder_for_each_period_is_not_one_for_all() -> None:
    day = {name: [[int(clock >= 12) for clock in range(24)]] * 12 for name in FLAT}
    record = {"energyratestructure": [[{"rate": 0.1, "max": 300.0}, {"rate": 1.0}]] * 2, **day}
    book = book_of(record)
    load = np.full(8760, 300.0 / 365)
    own = replace(book, energy=replace(book.energy, tier_scope=TierScope.PERIOD))
    half = DAYS * 24 * 300.0 / 365 / 2
    assert billed(own, load).energy_usd[0] == pytest.approx(
        2 * (0.1 * np.minimum(half, 300) + np.maximum(half - 300, 0)), abs=1e-9
    )
    assert billed(book, load).energy_usd[0] == pytest.approx(
        0.1 * np.minimum(2 * half, 300) + np.maximum(2 * half - 300, 0), abs=1e-9
    )


def test_a_ratchet_bills_four_fifths_of_the_peak_of_the_months_it_remembers() -> None:
    record = {
        "energyratestructure": [[{"rate": 0.0}]],
        **FLAT,
        "flatdemandstructure": [[{"rate": 1.0}]],
        "flatdemandmonths": [0] * 12,
    }
    peaks = np.array([1.0, 9, 1, 1, 1, 1, 8, 1, 1, 1, 1, 1])
    load = np.where(np.diff(MONTH, prepend=-1) != 0, peaks[MONTH], 0.5)
    book = book_of(record)

    def demand(**settings: Any) -> Any:
        ratchet = Ratchet(share=np.full(12, 0.8), **settings)
        return billed(replace(book, demand=(replace(book.demand[0], ratchet=ratchet),)), load).demand_usd[0]

    assert demand() == pytest.approx([1, 9, 7.2, 7.2, 7.2, 7.2, 8, 7.2, 7.2, 7.2, 7.2, 7.2])
    assert demand(months=2) == pytest.approx([1, 9, 7.2, 7.2, 1, 1, 8, 6.4, 6.4, 1, 1, 1])
    summer = tuple(5 <= month < 9 for month in range(12))
    assert demand(counted=summer) == pytest.approx([1, 9, 1, 1, 1, 1, 8, 6.4, 6.4, 6.4, 6.4, 6.4])


def test_a_demand_window_averages_quarters_of_an_hour() -> None:
    record = {
        "energyratestructure": [[{"rate": 0.0}]],
        **FLAT,
        "demandratestructure": [[{"rate": 1.0}]],
        "demandweekdayschedule": [[0] * 24] * 12,
        "demandweekendschedule": [[0] * 24] * 12,
    }
    load = np.zeros(4 * 8760)
    load[::96] = 1.0  # 1 kWh in the first quarter of an hour of each day
    book = book_of(record)
    for window, kw in ((None, 4.0), (15, 4.0), (30, 2.0), (60, 1.0)):
        timed = replace(book, demand=(replace(book.demand[0], window_minutes=window),))
        assert billed(timed, load, per_hour=4).demand_usd[0] == pytest.approx(np.full(12, kw), abs=1e-12)
        together = billed(timed, np.tile(load, (MANY, 1)), per_hour=4)
        assert together.demand_usd[-1] == pytest.approx(np.full(12, kw), abs=1e-12)


def test_a_baseline_takes_its_credit_off_the_first_kwh_of_each_month() -> None:
    record = {"energyratestructure": [[{"rate": 0.3}]], **FLAT}
    allowances = {"coast": np.full(12, 9.8), "valley": np.arange(12.0)}
    load = np.full(8760, 0.3)
    used = DAYS * 24 * 0.3
    for territory, allowance in allowances.items():
        book = replace(
            book_of(record), baseline=Baseline(credit_usd_per_kwh=0.08, kwh_per_day=allowances, territory=territory)
        )
        expected = 0.3 * used - 0.08 * np.minimum(used, allowance * DAYS)
        assert billed(book, load).energy_usd[0] == pytest.approx(expected, abs=1e-9)


def test_taxes_are_on_kwh_on_charges_or_on_the_bill() -> None:
    record = {"energyratestructure": [[{"rate": 0.3, "sell": 0.2}]], **FLAT, "fixed": (5.0, "month")}
    load, solar = np.where(HOUR < 12, 1.0, 0.0), np.where(HOUR >= 12, 0.5, 0.0)
    charges = 0.3 * DAYS * 12 + 5
    credit = 0.2 * DAYS * 12 * 0.5
    for tax, expected in (
        (Tax(name="energy", usd_per_kwh=0.001), 0.001 * DAYS * 12),
        (Tax(name="city", share=0.1), 0.1 * charges),
        (Tax(name="sales", share=0.1, on=TaxBase.BILL), 0.1 * (charges - credit)),
    ):
        found = billed(replace(book_of(record), taxes=(tax,)), load, solar)
        assert found.tax_usd[0] == pytest.approx(expected, abs=1e-9)


def test_an_annual_minimum_is_settled_in_december() -> None:
    record = {"energyratestructure": [[{"rate": 0.1}]], **FLAT}
    least = PeriodicCharge(name="least", usd=100.0, per=Per.YEAR)
    found = billed(replace(book_of(record), minimum=(least,)), np.full(8760, 0.1))
    assert found.minimum_usd[0, :11] == pytest.approx(np.zeros(11))
    assert found.annual_usd[0] == pytest.approx(100.0, abs=1e-9)


def test_holidays_have_the_weekends_schedule() -> None:
    calendar = reference_year()
    free = replace(calendar, weekend=calendar.weekend | (calendar.day == 2))
    record = {
        "energyratestructure": [[{"rate": 1.0}], [{"rate": 0.0}]],
        "energyweekdayschedule": [[0] * 24] * 12,
        "energyweekendschedule": [[1] * 24] * 12,
    }
    book, terms = book_of(record), Terms(metering=Metering.NET_BILLING)
    usual, less = (
        bill_customers(compile_ratebook(book, one), np.ones((1, 8760)), None, terms) for one in (calendar, free)
    )
    assert usual.annual_usd[0] - less.annual_usd[0] == pytest.approx(24.0, abs=1e-9)


def test_readings_that_cannot_be_are_refused() -> None:
    record = {"energyratestructure": [[{"rate": 0.1}]], **FLAT}
    book = book_of(record)
    for load, solar, line in (
        (np.ones(8759), None, r"load_kwh has shape \(1, 8759\); give \(customer, interval\) with 8760 intervals"),
        (np.ones(8760), np.ones((2, 8760)), r"generation_kwh has shape \(2, 8760\)"),
        (np.where(HOUR == 3, np.nan, 1.0), None, r"load_kwh is nan at index \[0, 3\]; give finite numbers"),
        (np.ones(8760), np.where(HOUR == 3, np.inf, 1.0), r"generation_kwh is inf at index \[0, 3\]"),
        (np.where(HOUR == 3, -1.0, 1.0), None, "load_kwh is -1 at its lowest; give numbers >= 0"),
    ):
        for copies in (1, MANY):
            many = np.tile(np.atleast_2d(load), (copies, 1))
            with pytest.raises(ValueError, match=line.replace(r"\(1,", rf"\({copies},")):
                billed(book, many, solar if solar is None or len(solar) == 2 else np.tile(solar, (copies, 1)))


def test_kwh_left_at_the_true_up_earn_the_year_end_rate_on_the_net_of_all_periods() -> None:
    """In January 100 kWh over at noon and 60 short at night, in February 30 short; 1 USD for each of the 10 left."""
    day = {name: [[int(clock >= 12) for clock in range(24)]] * 12 for name in FLAT}
    record = {"energyratestructure": [[{"rate": 0.0}], [{"rate": 0.0}]], **day}
    short = np.array([60.0, 30, *[0] * 10])
    load = np.where(HOUR == 3, (short / DAYS)[MONTH], 0.0)
    solar = np.where((HOUR == 12) & (MONTH == 0), 100 / 31, 0.0)
    book = replace(book_of(record), year_end_usd_per_kwh=1.0)
    assert billed(book, load, solar, "net_metering").export_credit_usd[0, 11] == pytest.approx(-10, abs=1e-9)
    early = replace(book, true_up_month=1)
    found = billed(early, load, solar, "net_metering")
    assert found.export_credit_usd[0] == pytest.approx([-40, *[0] * 11], abs=1e-9)
    assert found.credit_carried_kwh[0] == pytest.approx(np.zeros(12), abs=1e-9)


def test_a_surplus_stays_in_its_period_and_where_that_ends_goes_to_the_one_at_its_hour() -> None:
    """Winter has off 0, part 1 (15 and 21 to 24 h) and peak 2, summer 3, 4 and 5 at the same hours."""
    winter = [0] * 15 + [1] + [2] * 5 + [1] * 3
    rows = np.array([[place + 3 * (5 <= month < 9) for place in winter] for month in range(12)])
    schedule = Schedule(weekday=rows, weekend=rows)
    same, june = {0: 0, 1: 1, 2: 2}, {0: 3, 1: 4, 2: 5}
    assert surplus_periods(schedule, 0, 1, TARIFF_BOOK) == same
    assert surplus_periods(schedule, 4, 5, TARIFF_BOOK) == june
    assert surplus_periods(schedule, 0, 1, SAM) == {0: 0, 2: 2}  # nothing at 0, 5, 11 and 17 h has the part peak
    assert surplus_periods(schedule, 4, 5, SAM) == {0: 3, 2: 5}
    moved = rows.copy()
    moved[1] = [2] * 15 + [1] + [0] * 5 + [1] * 3
    swapped = Schedule(weekday=moved, weekend=moved)
    assert surplus_periods(swapped, 0, 1, TARIFF_BOOK) == same
    assert surplus_periods(swapped, 0, 1, SAM) == {0: 2, 2: 0}
