"""A tariff as filed in the words of a scenario: what households decide by against what they are billed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_biller import plain_bill
from ratebook_records import FLAT, TIERED, write_record
from scenarios import preset_economy

from meanwatt.agents.tariff.ratebook.bill import Terms, bill_customers
from meanwatt.agents.tariff.ratebook.billing_calendar import reference_year
from meanwatt.agents.tariff.ratebook.compiled import compile_ratebook
from meanwatt.agents.tariff.ratebook.ratebook import Metering
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.billing.ratebook_source import Choices, load_ratebook, ratebook_of_text
from meanwatt.model.billing.scenario_tariff import ScenarioTariff, scenario_tariff
from meanwatt.model.scenario.economy import Economy, build_economy, tariff_of_table
from meanwatt.model.scenario.loading import load_scenario

ROWS = [["s" if 5 <= month < 9 else "w"] * 24 for month in range(12)]
BOOK = f"""kind = "ratebook"
title = "Two seasons"
metering = "net_billing"
[energy]
weekday = {ROWS}
weekend = {[["e"] * 24] * 12}
[energy.periods.w]
tiers = [{{ usd_per_kwh = 0.10, sell_usd_per_kwh = 0.02 }}]
[energy.periods.s]
tiers = [{{ usd_per_kwh = 0.40, sell_usd_per_kwh = 0.05 }}]
[energy.periods.e]
tiers = [{{ usd_per_kwh = 0.25, sell_usd_per_kwh = 0.03 }}]
"""
SEASONS = """extends = "textbook"
battery_levels = 5
[calendar]
first_year = 2019
last_year = 2024
[calendar.seasons]
summer = ["jun-sep"]
winter = ["oct-may"]
"""


def said(text: str, economy: Economy, **choices: str) -> ScenarioTariff:
    return scenario_tariff(ratebook_of_text("book.toml", text, Choices(**choices)), economy)


def arrays(found: ScenarioTariff, economy: Economy) -> Tariff:
    return tariff_of_table(economy.scenario, "book", found.table)


def mean_year_kwh(economy: Economy) -> np.ndarray:
    """The mean household's load before solar on every hour of a year whose days are all alike."""
    assert len(economy.scenario.day_types) == 1
    return np.tile(economy.mean_reference_kw[0], 365)


@pytest.fixture(scope="module")
def one_day() -> Economy:
    """The textbook town: one day type, no calendar."""
    return preset_economy("textbook", "battery_levels=5")


@pytest.fixture(scope="module")
def seasons(tmp_path_factory: pytest.TempPathFactory) -> Economy:
    """The same with a calendar of two seasons, weekdays and weekends."""
    file = tmp_path_factory.mktemp("seasons") / "town.toml"
    file.write_text(SEASONS)
    return build_economy(load_scenario(file))


@settings(max_examples=6, deadline=None)
@given(
    st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3),
    st.floats(0, 40),
    st.floats(0, 0.2),
    st.floats(0, 0.1),
)
def test_the_mean_household_pays_by_the_hour_what_it_is_billed_by_the_month(
    rates: list[float], fixed: float, tax: float, fuel: float
) -> None:
    """Where every month is alike, rates, fuel, taxes and fixed charges together are the exact bill."""
    one_day = preset_economy("textbook", "battery_levels=5")
    hours = ["n"] * 8 + ["d"] * 9 + ["e"] * 7
    text = (
        'kind = "ratebook"\nmetering = "net_billing"\n'
        f"fuel_usd_per_kwh = {fuel!r}\n[fixed.customer]\nusd = {fixed!r}\nper = 'month'\n"
        f"[taxes.city]\nshare = {tax!r}\non = 'charges'\nusd_per_kwh = 0.003\n[energy]\nweekday = {[hours] * 12}\n"
        + "".join(
            f"[energy.periods.{name}]\ntiers = [{{ usd_per_kwh = {rate!r} }}]\n"
            for name, rate in zip("nde", rates, strict=True)
        )
    )
    tariff = arrays(said(text, one_day), one_day)
    kwh = one_day.mean_reference_kw[0]
    by_hour = 365 * (float(kwh @ tariff.energy_usd_per_kwh[0]) + float(tariff.fixed_charge_usd_per_day[0]))
    plain = [(rate + fuel) * (1 + tax) + 0.003 for rate in rates]
    billed = 365 * sum(plain["nde".index(name)] * use for name, use in zip(hours, kwh, strict=True))
    assert by_hour == pytest.approx(billed + 12 * fixed * (1 + tax), rel=1e-6, abs=1e-5)


def test_tiers_are_averaged_at_the_mean_households_month(one_day: Economy, tmp_path: Path) -> None:
    """On the whole a plain biller's year of the mean household, the day's shape being the same in every month."""
    file = load_ratebook(write_record(tmp_path / "tiers.json", TIERED))
    found = scenario_tariff(file, one_day, Metering.NET_BILLING)
    tariff, load = arrays(found, one_day), mean_year_kwh(one_day)
    billed = sum(plain_bill(TIERED, load.tolist(), [0.0] * 8760, "net_billing"))
    by_hour = 365 * float(tariff.energy_usd_per_kwh[0] @ one_day.mean_reference_kw[0]) + 365 * 0.4
    assert by_hour == pytest.approx(billed, rel=5e-3)  # months of 28 to 31 days end on the second tier at other shares
    first = scenario_tariff(load_ratebook(write_record(tmp_path / "flat.json", FLAT)), one_day, Metering.NET_BILLING)
    assert first.table.energy_usd_per_kwh == 0.2
    assert any(sentence.startswith("Tiers are averaged at the mean household's") for sentence in found.messages)
    assert first.messages == ()


def test_a_day_type_has_the_rates_of_its_own_months_and_days(seasons: Economy) -> None:
    found = said(BOOK, seasons)
    tariff, names = arrays(found, seasons), list(seasons.scenario.day_types)
    rate = {name: float(tariff.energy_usd_per_kwh[place, 12]) for place, name in enumerate(names)}
    sold = {name: float(tariff.export_usd_per_kwh[place, 12]) for place, name in enumerate(names)}
    for name in names:
        assert rate[name] == pytest.approx(0.25 if "weekend" in name else 0.4 if "summer" in name else 0.1)
        assert sold[name] == pytest.approx(0.03 if "weekend" in name else 0.05 if "summer" in name else 0.02)
    assert found.messages == ()


def test_without_a_calendar_every_day_is_the_mean_of_the_year(one_day: Economy) -> None:
    found = said(BOOK, one_day)
    summer = 122 / 365
    mean = 5 / 7 * (0.4 * summer + 0.1 * (1 - summer)) + 2 / 7 * 0.25
    assert found.table.energy_usd_per_kwh == pytest.approx(mean, abs=1e-9)
    assert found.messages == (
        "The scenario has no calendar, and the tariff's months or days of the week differ by up to 0.3000 USD a kWh:"
        " every day type has their mean.",
    )


def test_the_gallerys_evening_rates_are_those_of_the_scenarios_own_tariff() -> None:
    """Shift and Save is on file in oahu, whose author wrote it by hand."""
    oahu = preset_economy("oahu")
    found = arrays(scenario_tariff(load_ratebook("heco_shift_and_save"), oahu), oahu)
    own = tariff_of_table(oahu.scenario, "filed", oahu.scenario.tariffs["filed"])
    np.testing.assert_allclose(found.energy_usd_per_kwh, own.energy_usd_per_kwh, atol=1e-9)
    np.testing.assert_allclose(found.export_usd_per_kwh, own.export_usd_per_kwh, atol=1e-9)


MORE = {
    "[demand.peak]\nmonths = ['p', 'p', 'p', 'p', 'p', 'p', 'p', 'p', 'p', 'p', 'p', 'p']\n[demand.peak.periods.p]\n"
    "tiers = [{ usd_per_kw = 9.0 }]\n": "Demand charge peak is in no rate by the kWh: nobody decides by it.",
    "[minimum.least]\nusd = 20.0\nper = 'month'\n": "Its minimum charge is left out: nobody decides by it.",
    "[baseline]\ncredit_usd_per_kwh = 0.05\nkwh_per_day = { X = 9.0 }\n": (
        "Its baseline credit goes by territory, and none is given: there is no credit in the rates."
    ),
    "[taxes.state]\nshare = 0.1\non = 'bill'\n": "A tax on the bill after credits is taken on what is bought.",
}


@pytest.mark.parametrize("text", MORE)
def test_what_is_in_no_rate_is_named(text: str, seasons: Economy) -> None:
    assert MORE[text] in said(BOOK + text, seasons).messages


def test_a_baseline_credit_is_spread_over_the_kwh(one_day: Economy) -> None:
    use = one_day.mean_use_kwh_per_day
    text = BOOK + f"[baseline]\ncredit_usd_per_kwh = 0.08\nkwh_per_day = {{ X = {use / 2!r} }}\n"
    less = said(text, one_day, territory="X").table.energy_usd_per_kwh
    assert less == pytest.approx(said(BOOK, one_day).table.energy_usd_per_kwh - 0.04, abs=1e-8)


@pytest.mark.parametrize(
    ("change", "rule", "line"),
    [
        (("title =", 'currency = "GBP"\ntitle ='), None, "is in GBP, and scenarios are in USD; write its rates in USD"),
        (("", ""), Metering.BUY_ALL_SELL_ALL, "metering buy_all_sell_all has a meter of its own for generation, which"),
        (("[energy]\n", "[wholesale]\nmultiplier = 2.2\n[energy]\n"), None, "follows the wholesale price 2.2-fold"),
    ],
)
def test_what_a_scenario_has_no_words_for_is_one_line(
    change: tuple[str, str], rule: Metering | None, line: str, one_day: Economy
) -> None:
    text = BOOK.replace(*change, 1) if change[0] else BOOK
    with pytest.raises(ValueError, match="^" + line) as refusal:
        scenario_tariff(ratebook_of_text("book.toml", text), one_day, rule)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("metering", "table", "begins"),
    [
        ("net_metering", {"rule": "net_metering"}, "Metering net_metering nets kWh over the month"),
        ("net_metering_dollars", {"rule": "net_metering"}, "Metering net_metering_dollars nets kWh over the month"),
        ("net_billing_carryover", {"rule": "net_billing"}, "Credits that wait for later months, or are lost"),
    ],
)
def test_rules_of_metering_are_said_as_near_as_the_scenario_can(
    metering: str, table: dict[str, Any], begins: str, seasons: Economy
) -> None:
    found = said(BOOK.replace("net_billing", metering, 1), seasons)
    assert found.table.export.rule == table["rule"]
    assert any(sentence.startswith(begins) for sentence in found.messages)


ALIKE = f"""kind = "ratebook"
metering = "net_billing"
discount = "care"
[taxes.city]
share = 0.1
on = "charges"
[discounts.care]
share = 0.3
on = "energy"
exempt_usd_per_kwh = {{ wildfire = 0.10 }}
[energy]
weekday = {[["n"] * 8 + ["d"] * 16] * 12}
[energy.periods.n]
tiers = [{{ usd_per_kwh = 0.05 }}]
[energy.periods.d]
tiers = [{{ usd_per_kwh = 0.40 }}]
"""


def test_a_discount_is_of_the_months_charges_also_where_an_hours_rate_is_below_what_is_exempt(one_day: Economy) -> None:
    tariff, kwh = arrays(said(ALIKE, one_day), one_day), one_day.mean_reference_kw[0]
    plain = [0.05] * 8 + [0.40] * 16
    energy = sum(rate * use for rate, use in zip(plain, kwh, strict=True))
    billed = 1.1 * (energy - 0.3 * (energy - 0.10 * sum(kwh)))
    assert float(kwh @ tariff.energy_usd_per_kwh[0]) == pytest.approx(billed, abs=1e-7)
    assert tariff.energy_usd_per_kwh[0, 0] == pytest.approx(1.1 * (0.05 + 0.3 * 0.05))
    cheap = arrays(said(ALIKE.replace("0.40", "0.06"), one_day), one_day)
    assert cheap.energy_usd_per_kwh[0, 0] == pytest.approx(1.1 * 0.05)  # all of the month is below: nothing comes off


def test_discount_and_taxes_are_of_the_wholesale_price_too(one_day: Economy) -> None:
    """What a cent more of the wholesale price adds to an exact bill is what the scenario's tariff passes on."""
    text = ALIKE + "[wholesale]\nmultiplier = 0.9\n"
    found, load = said(text, one_day), mean_year_kwh(one_day)[None]
    compiled = compile_ratebook(ratebook_of_text("book.toml", text).book, reference_year())
    low, high = (
        bill_customers(
            compiled, load, None, Terms(metering=Metering.NET_BILLING, wholesale_usd_per_kwh=np.full(8760, price))
        ).annual_usd[0]
        for price in (0.1, 0.2)
    )
    assert found.table.pass_through == pytest.approx((high - low) / (0.1 * load.sum()), rel=1e-9)
    assert "It passes on 0.693 of the wholesale price, after discount and with taxes." in found.messages
    more = said(text.replace("share = 0.1", "share = 0.9"), one_day)
    assert more.table.pass_through == 1
    assert any(one.startswith("With its taxes it follows the wholesale price 1.197-fold") for one in more.messages)


def test_sell_rates_of_the_first_tier_are_named(one_day: Economy) -> None:
    tiers = BOOK.replace("sell_usd_per_kwh = 0.05 }", "sell_usd_per_kwh = 0.05, limit = 9 }, { usd_per_kwh = 0.5 }")
    line = "Its sell rates have tiers: every kWh fed in earns that of the first."
    assert line in said(tiers, one_day).messages
    assert line not in said(BOOK, one_day).messages


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        (
            BOOK.replace("0.40", "99999.0") + "[taxes.t]\nusd_per_kwh = 9.0\n",
            None,
            "comes to rates no scenario has",
        ),
        (
            BOOK + f"[exports.hours]\nmetering = 'net_billing'\nusd_per_kwh = {[0.05] * 12 + [0.06] * 12}\n",
            Metering.NET_METERING,
            "metering net_metering nets kWh over the month, and export hours has rates by the hour; give metering",
        ),
    ],
)
def test_rates_and_rules_that_contradict_the_scenario_are_one_line(
    text: str, rule: Metering | None, line: str, seasons: Economy
) -> None:
    file = ratebook_of_text("book.toml", text, Choices(export="hours" if "exports" in text else None))
    with pytest.raises(ValueError, match="^" + line) as refusal:
        scenario_tariff(file, seasons, rule)
    assert "\n" not in str(refusal.value)
