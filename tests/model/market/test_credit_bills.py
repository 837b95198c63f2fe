"""Credits that wait in a market: a home's year is what ``meanwatt bill`` makes of its meter, and no dollar is lost."""

import re
import tomllib
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.components.component import DAYS_PER_MONTH
from meanwatt.agents.tariff.ratebook.bill import Bill, Terms, bill_customers
from meanwatt.agents.tariff.ratebook.compiled import compile_ratebook
from meanwatt.analysis.cli.entry import main
from meanwatt.analysis.simulation.bill_rules import bill_rules
from meanwatt.analysis.simulation.credit_report import credit_messages, credits_json
from meanwatt.analysis.simulation.simulation import Simulation, simulate
from meanwatt.model.billing.local_calendar import Clock, calendar_of
from meanwatt.model.billing.ratebook_source import ratebook_of_text
from meanwatt.model.billing.readings import Readings
from meanwatt.model.market.statement import MonthStatement, statement_columns
from meanwatt.model.mean_field.components.settled import market_equilibrium
from meanwatt.model.mean_field.components.solving import solve_composed
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.scenario.economy import Economy, build_economy, build_rate_classes, build_tariff, tariff_of_table
from meanwatt.model.scenario.loading import Scenario, load_scenario
from meanwatt.model.scenario.tariff_file import TariffTable

YEAR, LIVED, HOMES = 2027, 375, 24
EXACT = 1e-9
"""Sums of some hundred products in double precision, in another order. [USD], [kWh]"""
RATES = {
    "summer": {"peak": 0.31, "rest": 0.17},
    "winter": {"peak": 0.26, "rest": 0.14},
}
SELL = 0.05
TERMS = {
    "dollars_lost": 'metering = "net_billing_carryover", true_up_month = 4, credit_expires = true',
    "kwh": 'rule = "net_metering", metering = "net_metering", true_up_month = 12, year_end_usd_per_kwh = 0.03',
    "dollars_paid": 'rule = "net_metering", metering = "net_metering_dollars", true_up_month = 9',
}
"""Rate class → how its credits wait."""
CLASS = {"dollars_lost": "default"}
"""Name of the class that everybody is in whom no other holds."""
GROUPS = dict(zip(TERMS, ("low", "middle", "high"), strict=True))


def tariff_text(name: str, export: str) -> str:
    """A tariff with a peak on weekdays, dearer in summer."""
    lines = [f"{season} = {{ peak = {one['peak']}, rest = {one['rest']} }}" for season, one in RATES.items()]
    ends = [f"{season} = {one['rest']}" for season, one in RATES.items()]
    return "\n".join([
        f'[tariffs.{name}]\nrecovery = "posted"\nperiods = {{ peak = ["17-21"], rest = ["21-17"] }}',
        f"fixed_charge_usd_per_day = 0.4\nexport = {{ usd_per_kwh = {SELL}, {export} }}",
        f"[tariffs.{name}.energy_usd_per_kwh.weekday]", *lines, f"[tariffs.{name}.energy_usd_per_kwh.weekend]", *ends,
    ])  # fmt: skip


SCENARIO = "\n".join([
    'extends = "textbook"\ntitle = "Credits that wait"\ndefault_tariff = "dollars_lost"\nbattery_levels = 4',
    *(f"income_groups.{group}.pv_share = 0.9\nincome_groups.{group}.pv_kw = 14" for group in GROUPS.values()),
    f'[calendar]\nholidays = ["07-05", "12-24"]\nyear = {YEAR}',
    '[calendar.seasons]\nsummer = ["apr-sep"]\nwinter = ["oct-mar"]\n[calendar.days.weekend]\nload_factor = 1.1',
    "[calendar.weather.plain]\npv_factor = { summer = 1.3, winter = 0.7 }",
    *(tariff_text(name, export) for name, export in TERMS.items()),
    *(f'[rate_classes.{name}]\ntariff = "{name}"\nincome_groups = ["{group}"]'
      for name, group in GROUPS.items() if name not in CLASS),
])  # fmt: skip
FILED = "\n".join([
    'kind = "ratebook"\nholidays = ["07-05", "12-24"]\ntrue_up_month = {true_up}\nyear_end_usd_per_kwh = {year_end}',
    "[energy.weekday]",
    *(f'{months} = {{{{ {season}_rest = ["0-17", "21-24"], {season}_peak = ["17-21"] }}}}'
      for season, months in (("winter", "1-3"), ("summer", "4-9"), ("winter", "10-12"))),
    "[energy.weekend]",
    *(f'{months} = {{{{ {season}_rest = ["0-24"] }}}}'
      for season, months in (("winter", "1-3"), ("summer", "4-9"), ("winter", "10-12"))),
    *(f"[energy.periods.{season}_{name}]\ntiers = [{{{{ usd_per_kwh = {rate}, sell_usd_per_kwh = {SELL} }}}}]"
      for season, one in RATES.items() for name, rate in one.items()),
    '[fixed.daily]\nusd = 0.4\nper = "day"',
])  # fmt: skip


class Lived:
    """A run with its statements and every meter."""

    def __init__(self, economy: Economy, tariff: Any, days: int, **settings: Any) -> None:
        self.months: list[MonthStatement] = []
        self.meters: list[Floats] = []
        self.market: Any = None
        given = {"equilibrium": None, "behaviour": "passive", "households": HOMES, "seed": 4} | settings
        self.done: Simulation = simulate(
            economy, tariff, days=days, power_flow=False, statements=self._take, each_day=self._read, **given
        )

    def _take(self, statement: MonthStatement, market: Any) -> None:
        self.months.append(statement)
        self.market = market

    def _read(self, market: Any) -> None:
        self.meters.append(market.population.energy_kwh.astype(float))

    def rows(self, type_index: int) -> slice:
        """Households of a type."""
        return self.market.population.of_type(type_index)

    def column(self, type_index: int, name: str) -> Floats:
        """A counter or a part of the bills of a type. (household, month)"""
        each = [month.types[type_index] for month in self.months]
        return np.stack([one.counters.get(name, one.parts_usd.get(name)) for one in each], axis=1)


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    file = tmp_path_factory.mktemp("waits") / "waits.toml"
    file.write_text(SCENARIO, encoding="utf-8")
    return load_scenario(str(file))


@pytest.fixture(scope="module")
def year(scenario: Scenario) -> Lived:
    """A calendar year and ten days after it."""
    return Lived(build_economy(scenario), build_rate_classes(scenario, components=True), LIVED)


def types_of(lived: Lived, name: str) -> list[int]:
    """Household types of a rate class that have homes."""
    there = lived.market.population.count > 0
    group = GROUPS[name]
    return [k for k, one in enumerate(lived.market.household_types) if one.income_group == group and there[k]]


def filed_bill(name: str, net_kwh: Floats) -> Bill:
    """What ``meanwatt bill`` makes of rows of a year's net kWh under the class's tariff as filed."""
    table = TariffTable.model_validate(load_terms(name))
    rule = table.export.credit_rule()
    assert rule is not None
    text = FILED.format(true_up=rule.true_up_month, year_end=rule.year_end_usd_per_kwh)
    book = ratebook_of_text("filed.toml", text).book
    readings = Readings(label="the year", values=np.zeros(net_kwh.shape[1]), stamps=None)
    calendar = calendar_of(readings, Clock(year=YEAR), book.holidays)[0]
    terms = Terms(metering=rule.metering, credit_expires=rule.credit_expires)
    return bill_customers(compile_ratebook(book, calendar), np.maximum(net_kwh, 0.0), np.maximum(-net_kwh, 0.0), terms)


@cache
def load_terms(name: str) -> dict[str, Any]:
    return tomllib.loads(tariff_text(name, TERMS[name]))["tariffs"][name]


@pytest.mark.parametrize("name", TERMS)
def test_a_homes_year_under_the_rule_is_the_bill_of_its_meter_as_filed(year: Lived, name: str) -> None:
    net = np.concatenate(year.meters[:365], axis=1)
    for k in types_of(year, name):
        billed = filed_bill(name, net[year.rows(k)])
        total = np.stack([month.types[k].total_usd for month in year.months], axis=1)
        assert total[:, :12] == pytest.approx(billed.monthly_usd, abs=EXACT)
        assert year.column(k, "energy")[:, :12] == pytest.approx(billed.energy_usd, abs=EXACT)
        assert year.column(k, "export_credit")[:, :12] == pytest.approx(billed.export_credit_usd, abs=EXACT)
        waits = "credit_carried_kwh" if name == "kwh" else "credit_carried_usd"
        assert year.column(k, waits)[:, :12] == pytest.approx(getattr(billed, waits), abs=EXACT)
        if name == "kwh":
            assert year.column(k, "surplus_kwh")[:, :12] == pytest.approx(billed.surplus_kwh, abs=EXACT)
    assert billed.export_credit_usd.any() if name != "kwh" else billed.surplus_kwh.any(), "something waits, and ends"


@pytest.mark.parametrize("name", TERMS)
def test_every_credit_earned_is_used_paid_out_lost_or_held(year: Lived, name: str) -> None:
    unit = "kwh" if name == "kwh" else "usd"
    ends = ("surplus_kwh",) if name == "kwh" else ("credit_paid_out_usd", "credit_forfeited_usd")
    ended = 0.0
    for k in types_of(year, name):
        held = year.column(k, f"credit_carried_{unit}")
        before = np.concatenate([np.zeros((len(held), 1)), held[:, :-1]], axis=1)
        gone = sum(year.column(k, one) for one in (f"credit_used_{unit}", *ends))
        assert before + year.column(k, f"credit_earned_{unit}") == pytest.approx(gone + held, abs=EXACT)
        ended += float(sum(year.column(k, one) for one in ends).sum())
    assert ended > 1
    (told,) = [one for one in credits_json(year.done.credits) if one["class"] == CLASS.get(name, name)]
    flows = told[f"credit_earned_{unit}_per_household_year"] * told["households"] * LIVED / 365
    left = told[f"credit_used_{unit}_per_household_year"] + sum(told[f"{one}_per_household_year"] for one in ends)
    held_at_end = told[f"credit_carried_{unit}_per_household"] * told["households"]
    assert flows == pytest.approx(left * told["households"] * LIVED / 365 + held_at_end, rel=1e-12)
    assert (told["true_ups"], told["liability_usd"] > 0) == (1, True)


def test_the_bills_of_every_month_are_the_utilitys_revenue_of_it(year: Lived) -> None:
    revenue = [record.account.revenue_usd for record in year.done.history]
    for month in year.months:
        days = slice(month.first_day, month.first_day + month.days)
        assert float(month.total_usd.sum()) == pytest.approx(sum(revenue[days]), abs=1e-7)
    bills = year.market.population.bill_usd
    assert float(bills.sum()) == pytest.approx(year.market.utility.account.revenue_usd, abs=1e-7)
    assert np.sum([month.total_usd for month in year.months], axis=0) == pytest.approx(bills, abs=EXACT)


def test_credits_go_on_waiting_over_a_years_end_and_a_part_of_a_month_trues_up_nothing(year: Lived) -> None:
    assert [(month.month, month.days) for month in year.months[-2:]] == [(12, 31), (13, 10)]
    k = types_of(year, "dollars_lost")[-1]
    held, used = year.column(k, "credit_carried_usd"), year.column(k, "credit_used_usd")
    earned = year.column(k, "credit_earned_usd")
    assert held[:, 11].max() > 0
    assert held[:, 12] == pytest.approx(held[:, 11] - used[:, 12] + earned[:, 12], abs=EXACT)
    said = "\n".join(year.done.messages)
    assert "the run ends within a month, whose 10 days are settled as they stand, without a true-up." in said
    assert "households decide, and expected bills are told, as if every slot's credit counted at once at" in said
    forfeited = next(one for one in credits_json(year.done.credits) if one["class"] == CLASS["dollars_lost"])
    assert f"and {forfeited['credit_forfeited_usd_per_household_year']:.2f} forfeited at the true-up" in said
    assert f"a liability of {forfeited['liability_usd']:.2f} USD in all" in said


def test_kwh_paid_out_above_the_import_rate_are_not_told_as_forfeited(year: Lived) -> None:
    row = next(one for one in year.done.credits if one.name == "kwh")
    assert "USD, at the import rate, forfeited;" in credit_messages([row])[0]
    dear = replace(row, flows={**row.flows, "credit_paid_out_usd": 9.0, "credit_forfeited_usd": -4.0})
    said = f"{dear.per_year(9.0):.2f} USD were paid out ({dear.per_year(4.0):.2f} above the import rate);"
    assert said in credit_messages([dear])[0]


def test_a_run_of_less_than_a_month_lets_all_that_it_earns_wait(scenario: Scenario, year: Lived) -> None:
    economy, tariff = build_economy(scenario), build_rate_classes(scenario, components=True)
    short, two = (Lived(economy, tariff, 9, threads=threads) for threads in (1, 2))
    k = types_of(short, "dollars_lost")[-1]
    assert short.column(k, "credit_used_usd").sum() == 0
    assert short.column(k, "credit_carried_usd") == pytest.approx(short.column(k, "credit_earned_usd"))
    assert "month 12 does not end within 9 days, and nothing is paid out or lost." in "\n".join(short.done.messages)
    assert short.done.day_digest == year.done.day_digest[:9]
    names = ["energy", "export_credit", "fixed_charge"]
    one, other = (statement_columns(run.months[0], economy.types, tariff, names, YEAR) for run in (short, two))
    for name, column in one.items():
        assert np.array_equal(column, other[name], equal_nan=column.dtype == float), name


def test_a_rule_changes_no_meter_and_without_one_bills_are_bit_for_bit_those_of_slots(scenario: Scenario) -> None:
    economy = build_economy(scenario)
    table = load_terms("dollars_lost")
    plain = {"rule": "net_billing", "usd_per_kwh": SELL}
    runs = []
    for export in (plain, {**plain, "metering": "net_billing"}, table["export"]):
        tariff = tariff_of_table(economy.scenario, "one", TariffTable.model_validate({**table, "export": export}))
        runs.append(Lived(economy, tariff, 33))
    first, named, waits = runs
    assert first.done.day_digest == named.done.day_digest == waits.done.day_digest
    assert np.array_equal(first.market.population.bill_usd, named.market.population.bill_usd)
    assert first.done.credits == named.done.credits == ()
    assert all("export.metering" not in one for one in named.done.messages)
    assert not any(one.counters for month in named.months for one in month.types)
    above = waits.market.population.bill_usd.sum() - first.market.population.bill_usd.sum()
    (told,) = credits_json(waits.done.credits)
    assert told["above_slotwise_usd_per_household_year"] * HOMES * 33 / 365 == pytest.approx(above)
    assert above == pytest.approx(told["liability_usd"])


MONTHLY = (
    "tariff.tiers.limits_kwh_per_month=[100, 420]",
    "tariff.tiers.adders_usd_per_kwh=[-0.01, 0.05, 0.1]",
    "tariff.minimum_bill.usd_per_month=20",
)


@pytest.mark.parametrize(
    "export",
    [
        ("tariff.export.metering=net_billing_carryover", "tariff.export.true_up_month=2", "tariff.recovery=posted"),
        ("tariff.export.rule=net_metering", "tariff.export.metering=net_metering", "tariff.recovery=posted",
         "tariff.pass_through=0"),
        ("tariff.export.rule=net_metering", "tariff.export.metering=net_metering_dollars", "tariff.recovery=posted",
         "tariff.pass_through=0", "tariff.export.pass_through=0",
         "tariff.export.true_up_month=2", "tariff.export.usd_per_kwh=0.02"),
    ],
)  # fmt: skip
def test_tiers_are_paid_by_credits_and_a_minimum_bill_is_not(export: tuple[str, ...]) -> None:
    overrides = ["battery_levels=4", "income_groups.high.pv_kw=22", *export, *MONTHLY]
    loaded = load_scenario(
        "textbook", tariff="tou" if "tariff.pass_through=0" in export else "rtp", overrides=overrides
    )
    found = solve_composed(build_economy(loaded), build_rate_classes(loaded, components=True), certify=False)
    settled = market_equilibrium(found)
    lived = Lived(found.economy, settled.tariff, 66, equilibrium=settled, composed=found)
    assert lived.market.utility.account.revenue_usd == pytest.approx(lived.market.population.bill_usd.sum(), abs=1e-7)
    prices = lived.done.history.stacked("wholesale_usd_per_kwh")
    waited = 0.0
    for k, household in enumerate(found.economy.types):
        for rank, home in enumerate(range(*lived.rows(k).indices(HOMES))[:2]):
            expected = plain_months(found, [day[home] for day in lived.meters], prices)
            got = [one.types[k].total_usd[rank] for one in lived.months]
            assert got == pytest.approx([one + 0.0 for one in expected["total"]], abs=EXACT), household.name
            waited += expected["waits"]
    assert waited > 0


def plain_months(found: Any, meters: list[Floats], prices: Floats) -> dict[str, Any]:
    """Three months of a home, slot by slot, from the words of the tariff: nobody has a discount."""
    own, adder = found.posted, found.equilibrium.adder_usd_per_kwh
    fixed = float(found.equilibrium.fixed_charge_usd_per_day[0])
    rule = own.credit_rule
    waiting_usd, waiting_kwh, totals, waits = 0.0, dict[float, float](), [], 0.0
    for number, (first, last) in enumerate(((0, 31), (31, 61), (61, 66)), 1):
        charge, earned, kwh, net = 0.0, 0.0, 0.0, dict[float, float]()
        for day in range(first, last):
            for h in range(24):
                rate = float(own.energy_usd_per_kwh[0, h])
                bought, sold = max(meters[day][h], 0.0), max(-meters[day][h], 0.0)
                net[rate] = net.get(rate, 0.0) + meters[day][h]
                if rule.metering == "net_billing_carryover":
                    charge += bought * (rate + adder + own.pass_through * prices[day][h])
                    earned += sold * (own.export_usd_per_kwh[0, h] + own.export_pass_through * prices[day][h])
                    kwh += bought
        if rule.metering != "net_billing_carryover":
            for rate in net:
                left = net[rate] - waiting_kwh.get(rate, 0.0)
                charge, kwh = charge + max(left, 0.0) * (rate + adder), kwh + max(left, 0.0)
                if rule.metering == "net_metering":
                    waiting_kwh[rate] = max(-left, 0.0)
                else:
                    earned += 0.02 * max(-left, 0.0)
        months = (last - first) / DAYS_PER_MONTH
        charge += -0.01 * kwh + 0.06 * max(kwh - 100 * months, 0) + 0.05 * max(kwh - 420 * months, 0)
        pool = waiting_usd + (earned if rule.metering == "net_metering_dollars" else 0.0)
        used = min(pool, charge)
        waiting_usd += earned - used
        bill = max(charge - used + fixed * (last - first), 20 * months)
        if number == rule.true_up_month and last - first > 20:
            bill, waiting_usd = bill - waiting_usd, 0.0
        totals.append(bill)
        waits += waiting_usd + sum(waiting_kwh.values())
    return {"total": totals, "waits": waits}


def test_netted_kwh_bear_the_adder_and_the_discount_of_their_home() -> None:
    export = ("tariff.export.rule=net_metering", "tariff.export.metering=net_metering")
    overrides = ["battery_levels=4", *export, "tariff.discount={low=0, middle=0.2, high=0.1}"]
    loaded = load_scenario("textbook", tariff="tou", overrides=overrides)
    found = solve_equilibrium(build_economy(loaded), build_tariff(loaded, components=True), certify=False)
    lived = Lived(found.economy, found.tariff, 31, equilibrium=found)
    net = np.sum(lived.meters, axis=0)
    (month,), energy = lived.months, found.tariff.energy_usd_per_kwh[0]
    assert found.adder_usd_per_kwh > 0
    for k, household in enumerate(found.economy.types):
        kept, home = 1 - (0, 0.2, 0.1)[household.group], net[lived.rows(k)]
        billed = np.stack([np.maximum(home[:, energy == rate].sum(axis=1), 0.0) for rate in set(energy)], axis=1)
        parts = month.types[k].parts_usd
        assert parts["energy"] == pytest.approx(kept * billed @ np.array(list(set(energy))), abs=EXACT)
        assert parts["adder"] == pytest.approx(kept * found.adder_usd_per_kwh * billed.sum(axis=1), abs=EXACT)
    assert float(month.total_usd.sum()) == pytest.approx(lived.market.utility.account.revenue_usd, abs=1e-7)


@pytest.mark.parametrize(
    ("export", "more", "said"),
    [
        ({"rule": "none", "metering": "net_billing_carryover"}, {},
         "export.metering is net_billing_carryover, and export.rule none earns no credit that could wait"),
        ({"metering": "net_metering"}, {}, "export.rule is net_billing, by which households would decide; give rule"),
        ({"rule": "net_metering", "metering": "net_metering"}, {"pass_through": 0.5},
         "pass_through 0.5 gives every slot a price of its own; give metering net_billing_carryover, or"),
        ({"rule": "net_metering", "metering": "net_metering_dollars", "pass_through": 0.25}, {},
         "export.pass_through 0.25 gives every slot's surplus a price of its own"),
        ({"rule": "net_metering", "metering": "net_metering", "credit_expires": True}, {},
         "export.credit_expires is true, and under export.metering net_metering kWh wait, no dollars"),
        ({"metering": "net_billing_carryover", "year_end_usd_per_kwh": 0.02}, {},
         "export.year_end_usd_per_kwh is 0.02, and under export.metering net_billing_carryover dollars wait, no kWh"),
        ({"true_up_month": 4}, {}, "export.true_up_month is 4, and under export.metering net_billing nothing waits"),
        ({"metering": "net_billing_carryover", "true_up_month": 13}, {}, "true_up_month"),
        ({"metering": "buy_all_sell_all"}, {}, "metering"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused_in_a_line(
    scenario: Scenario, export: dict[str, Any], more: dict[str, Any], said: str
) -> None:
    table = {"recovery": "posted", "energy_usd_per_kwh": 0.2, "export": export, **more}
    with pytest.raises(ValueError, match=re.escape(said)):
        tariff_of_table(scenario, "wrong", TariffTable.model_validate(table))


def test_who_cannot_hold_a_month_says_so(capsys: pytest.CaptureFixture[str], year: Lived) -> None:
    command = "simulate textbook --households 9 --days 2 --set tariff.export.metering=net_billing_carryover --workers 2"
    assert main(command.split()) == 2
    said = capsys.readouterr().err
    assert "tariff flat has export.metering net_billing_carryover, which only solve" in said
    assert "and simulate without --leader and --workers, can hold" in said
    assert said.count("\n") == 1
    economy, tariff = year.market.economy, year.market.utility.tariff
    with pytest.raises(ValueError, match="and workers are given; such months are settled in one process under one tar"):
        Lived(economy, tariff, 2, workers=2)


def test_what_is_decided_by_stands_beside_what_waits(scenario: Scenario) -> None:
    tariff = build_rate_classes(scenario, components=True)
    told = {row["class"]: row["billed"] for row in bill_rules(tariff, {}) if row["part"] == "export_credit"}
    assert told[CLASS["dollars_lost"]].endswith("from the next month on; what is left at the end of month 4 is lost")
    assert told["dollars_paid"].endswith("pay energy charges; what is left at the end of month 9 is paid out")
    assert told["kwh"].endswith("a surplus waits in kWh for the next month; what is left at the end of month 12 earns"
                                " 0.03 USD a kWh")  # fmt: skip
    alone = build_tariff(scenario, "kwh", components=True)
    assert alone.credit_rule is not None
    ends = {"true_up_month": 12, "year_end_usd_per_kwh": 0.03}
    assert alone.credit_rule.to_table() == {"metering": "net_metering", **ends}
