"""Discounts, export rates by the hour and wholesale prices: by hand, and by laws that hold for any readings."""

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from drawn_ratebooks import drawn_readings
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from meanwatt.agents.tariff.ratebook.bill import Bill, Terms, bill_customers
from meanwatt.agents.tariff.ratebook.billing_calendar import reference_year
from meanwatt.agents.tariff.ratebook.compiled import compile_ratebook
from meanwatt.agents.tariff.ratebook.meter import MANY
from meanwatt.agents.tariff.ratebook.ratebook import Metering, Ratebook
from meanwatt.model.billing.ratebook_table import RatebookTable
from meanwatt.model.scenario.file_errors import one_line

DAY = {"1-12": {"off": ["0-16", "21-24"], "peak": ["16-21"]}}
PLAIN: dict[str, Any] = {
    "kind": "ratebook",
    "energy": {
        "weekday": DAY,
        "periods": {
            "off": {"tiers": [{"usd_per_kwh": 0.2, "sell_usd_per_kwh": 0.05}]},
            "peak": {"tiers": [{"usd_per_kwh": 0.5, "sell_usd_per_kwh": 0.2}]},
        },
    },
    "fixed": {"base": {"usd": 1.0, "per": "day"}},
}
CALENDAR = reference_year()
BY_INTERVAL = [rule for rule in Metering if not rule.nets_by_month]


def book(**parts: Any) -> Ratebook:
    return RatebookTable.model_validate({**deepcopy(PLAIN), **parts}).ratebook("drawn")


def billed(one: Ratebook, load: Any, solar: Any = None, rule: Metering = Metering.NET_BILLING, **terms: Any) -> Bill:
    return bill_customers(compile_ratebook(one, CALENDAR), load, solar, Terms(metering=rule, **terms))


def readings(seed: int, customers: int = 2) -> Any:
    return drawn_readings(np.random.default_rng(seed), customers)


@settings(max_examples=10)
@given(seed=st.integers(0, 10**6), share=st.floats(0, 1), rule=st.sampled_from(list(Metering)))
def test_a_discount_takes_its_share_of_energy_charges_and_leaves_the_rest(
    seed: int, share: float, rule: Metering
) -> None:
    load, solar = readings(seed)
    plain = billed(book(), load, solar, rule)
    less = billed(book(discount="low", discounts={"low": {"share": share}}), load, solar, rule)
    assert less.discount_usd == pytest.approx(-share * np.maximum(plain.energy_usd, 0.0), abs=1e-9)
    assert less.monthly_usd - less.discount_usd == pytest.approx(plain.monthly_usd, abs=1e-9)


def test_a_discount_spares_exempt_components_takes_fixed_charges_if_so_asked_and_replaces_them() -> None:
    load = np.ones((1, 8760))
    energy, kwh = 365 * (19 * 0.2 + 5 * 0.5), 8760
    discounts = {
        "exempt": {"share": 0.5, "exempt_usd_per_kwh": {"fund": 0.01, "bond": 0.02}},
        "all": {"share": 0.5, "on": "charges"},
        "own": {"share": 0.5, "on": "charges", "fixed": {"base": 0.25}},
        "more": {"share": 0.5, "exempt_usd_per_kwh": {"fund": 9.0}},
    }
    expected = {
        "exempt": energy + 365 - 0.5 * (energy - 0.03 * kwh),
        "all": 0.5 * (energy + 365),
        "own": 0.5 * (energy + 0.25 * 365),
        "more": energy + 365,  # nothing is left to discount, and nothing is added
    }
    for name, usd in expected.items():
        assert billed(book(discount=name, discounts=discounts), load).annual_usd[0] == pytest.approx(usd), name
    assert billed(book(discounts=discounts), load).annual_usd[0] == pytest.approx(energy + 365)


def test_a_tax_on_charges_is_on_what_the_discount_leaves() -> None:
    load = np.ones((1, 8760))
    taxed = {"city": {"share": 0.1, "on": "charges"}}
    found = billed(book(taxes=taxed, discount="low", discounts={"low": {"share": 0.5}}), load)
    assert found.tax_usd.sum() == pytest.approx(0.1 * (0.5 * found.energy_usd.sum() + 365))


@pytest.mark.parametrize("rule", BY_INTERVAL)
@pytest.mark.parametrize("customers", [2, MANY])
def test_export_rates_by_the_hour_are_those_given_interval_by_interval(rule: Metering, customers: int) -> None:
    rng = np.random.default_rng(4)
    weekday, weekend = rng.uniform(0, 0.5, (2, 12, 24))
    load, solar = readings(4, customers)
    terms = {"metering": "net_billing", "usd_per_kwh": weekday.tolist(), "weekend_usd_per_kwh": weekend.tolist()}
    found = billed(book(export="hourly", exports={"hourly": terms}), load, solar, rule)
    hour = np.arange(8760) % 24
    series = np.where(CALENDAR.weekend, weekend[CALENDAR.month, hour], weekday[CALENDAR.month, hour])
    given_ = billed(book(), load, solar, rule, export_usd_per_kwh=series)
    assert found.monthly_usd == pytest.approx(given_.monthly_usd, abs=1e-9)
    flat = billed(book(export="hourly", exports={"hourly": terms}), load, solar, rule, export_usd_per_kwh=0 * series)
    assert flat.export_credit_usd.sum() == 0  # what is given with the terms goes before the tariff's own


@pytest.mark.parametrize("rule", list(Metering))
def test_one_export_rate_or_retail_less_a_margin_are_sell_rates(rule: Metering) -> None:
    load, solar = readings(6)
    for terms, sell in (
        ({"usd_per_kwh": 0.11}, (0.11, 0.11)),
        ({"below_retail_usd_per_kwh": 0.03}, (0.17, 0.47)),
        ({}, (0.05, 0.2)),
    ):
        found = book(export="one", exports={"one": {"metering": "net_metering", **terms}})
        assert found.metering is Metering.NET_METERING
        plain = deepcopy(PLAIN["energy"])
        for rate, period in zip(sell, plain["periods"].values(), strict=True):
            period["tiers"][0]["sell_usd_per_kwh"] = rate
        other = billed(book(energy=plain), load, solar, rule)
        assert billed(found, load, solar, rule).monthly_usd == pytest.approx(other.monthly_usd, abs=1e-9)


@settings(max_examples=10)
@given(seed=st.integers(0, 10**6), rule=st.sampled_from(BY_INTERVAL), copies=st.sampled_from([2, MANY]))
def test_a_wholesale_price_bills_each_interval_at_its_price(seed: int, rule: Metering, copies: int) -> None:
    rng = np.random.default_rng(seed)
    load, solar = readings(seed, copies)
    wholesale = rng.normal(0.1, 0.1, 8760)
    follows = book(wholesale={"multiplier": 2.2, "cap_usd_per_kwh": 0.6})
    found = billed(follows, load, solar, rule, wholesale_usd_per_kwh=wholesale)
    peak = (np.arange(8760) % 24 >= 16) & (np.arange(8760) % 24 < 21)
    price = np.minimum(2.2 * wholesale + np.where(peak, 0.5, 0.2), 0.6)
    drawn = load if rule is Metering.BUY_ALL_SELL_ALL else np.maximum(load - solar, 0.0)
    assert found.energy_usd.sum(axis=1) == pytest.approx((drawn * price).sum(axis=1), abs=1e-7)
    plain = billed(book(), load, solar, rule)
    if rule is not Metering.NET_BILLING_CARRYOVER:  # where credits wait for charges to pay
        assert found.export_credit_usd == pytest.approx(plain.export_credit_usd, abs=1e-9)


def test_what_has_no_meaning_over_a_netted_month_is_refused() -> None:
    load, solar = readings(1)
    hourly = book(export="h", exports={"h": {"metering": "net_billing", "usd_per_kwh": [0.1] * 24}})
    with pytest.raises(ValueError, match="metering net_metering nets kWh over the month: an export rate by interval"):
        billed(hourly, load, solar, Metering.NET_METERING)
    follows = book(wholesale={"multiplier": 1.0})
    with pytest.raises(ValueError, match="nets kWh over the month, and the tariff follows a wholesale price; take"):
        billed(follows, load, solar, Metering.NET_METERING, wholesale_usd_per_kwh=np.zeros(8760))
    with pytest.raises(ValueError, match="the tariff follows a wholesale price; give wholesale_usd_per_kwh"):
        billed(follows, load, solar)
    without = billed(follows, load, None, Metering.NET_METERING, wholesale_usd_per_kwh=np.zeros(8760))
    assert without.energy_usd == pytest.approx(billed(book(), load).energy_usd)  # nothing to net


NET = {"metering": "net_metering"}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a charge that is not there": (
        {"discounts": {"low": {"share": 0.1, "fixed": {"bace": 1.0}}}},
        "discounts.low.fixed: unknown fixed charge 'bace'; did you mean 'base'?",
    ),
    "a share above 1": (
        {"discounts": {"low": {"share": 35}}},
        "discounts.low.share is 35; give a number from 0 to 1",
    ),
    "an export not there": ({"export": "nem", "exports": {"net": NET}}, "unknown export 'nem'; did you mean 'net'?"),
    "two rates": (
        {"exports": {"net": {**NET, "usd_per_kwh": 0.1, "below_retail_usd_per_kwh": 0.1}}},
        "exports.net gives usd_per_kwh and below_retail_usd_per_kwh; give one of them",
    ),
    "a weekend alone": (
        {"exports": {"net": {**NET, "weekend_usd_per_kwh": 0.1}}},
        "exports.net gives weekend_usd_per_kwh and no usd_per_kwh; add it",
    ),
    "hours of a netted month": (
        {"exports": {"net": {**NET, "usd_per_kwh": [0.1] * 24}}},
        "exports.net: metering net_metering nets kWh over the month, and rates by hour have no meaning; give one"
        " number, or take net_billing, net_billing_carryover or buy_all_sell_all",
    ),
    "too few hours": (
        {"exports": {"net": {**NET, "usd_per_kwh": [0.1] * 23}}},
        "exports.net.usd_per_kwh: has 23 entries; give one number, 24, one an hour, or 12 lists of 24, one a month",
    ),
    "a month with too few hours": (
        {"exports": {"net": {**NET, "usd_per_kwh": [[0.1] * 24] * 11 + [[0.1] * 2]}}},
        "exports.net.usd_per_kwh: entry 11 is [0.1, 0.1]; give 24 numbers, one an hour",
    ),
    "no number": (
        {"exports": {"net": {**NET, "usd_per_kwh": [float("nan")] * 24}}},
        "exports.net.usd_per_kwh: entry 0 is nan; give a finite number",
    ),
    "no date": ({"as_of": "2026-02-30"}, "as_of is '2026-02-30'; give a day, month or year in quotes"),
    "no currency": ({"currency": "Euro"}, "currency is 'Euro'; give three capitals, such as \"USD\""),
    "a doubt without its status": (
        {"uncertain": {"fixed.base": "remembered"}},
        'status is None, and uncertain has 1 key; write status = "uncertain" where it has any, and "seen" or nothing',
    ),
    "a status without a doubt": ({"status": "uncertain"}, "status is 'uncertain', and uncertain has 0 keys; write"),
    "a doubt without a reason": ({"uncertain": {"fixed.base": ""}}, "uncertain is "),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_mistake_in_the_terms_is_one_line(case: str) -> None:
    parts, line = REFUSED[case]
    with pytest.raises(ValidationError) as caught:
        RatebookTable.model_validate({**deepcopy(PLAIN), **parts})
    said = one_line(caught.value, RatebookTable)
    assert said.startswith(line)
    assert "\n" not in said


def test_tiers_and_a_wholesale_price_are_one_line() -> None:
    energy = deepcopy(PLAIN["energy"])
    energy["periods"]["off"]["tiers"] = [{"usd_per_kwh": 0.2, "limit": 100.0}, {"usd_per_kwh": 0.3}]
    with pytest.raises(ValidationError, match="wholesale: the energy charges have tiers, which a wholesale price has"):
        RatebookTable.model_validate({**deepcopy(PLAIN), "energy": energy, "wholesale": {"multiplier": 1.0}})
