"""Monthly statements of a market's homes, under rate classes with every component, as in plain loops."""

import pickle
from functools import cache
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scenarios import solved

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.randomness import key_from, seed_of
from meanwatt.agents.tariff.components.component import DAYS_PER_MONTH
from meanwatt.analysis.simulation.part_host import PartHost
from meanwatt.analysis.simulation.simulation import Simulation, simulate
from meanwatt.model.market.behaviour_spec import read_behaviour
from meanwatt.model.market.divided_market import PastDay
from meanwatt.model.market.statement import MonthStatement, periods_of, statement_columns
from meanwatt.model.mean_field.components.settled import market_equilibrium
from meanwatt.model.mean_field.components.solving import Composed, solve_composed
from meanwatt.model.scenario.economy import build_economy, build_rate_classes
from meanwatt.model.scenario.loading import load_scenario

TWO_CLASSES = """
extends = "textbook"
title = "Two classes, each with every component"
default_tariff = "plain"
battery_levels = 4

[tariffs.plain]
recovery = "volumetric"
energy_usd_per_kwh = { peak = 0.09, rest = 0.04 }
periods = { peak = ["17-21"], rest = ["21-17"] }
pass_through = 1.0
export = { pass_through = 1.0, usd_per_kwh = 0.02 }
discount = { low = 0.2, middle = 0, high = 0 }
access_charge = { usd_per_household_day = 0.1 }
tiers = { limits_kwh_per_month = [300, 420], adders_usd_per_kwh = [-0.01, 0.05, 0.1] }
demand_charge = { usd_per_kw_month = 4, window = ["16-22"] }
minimum_bill = { usd_per_month = 45 }
subscription = { usd_per_kwh = 0.15, contracted_share = 0.5 }
discount_funding = { by = "per_kwh" }

[tariffs.roof]
recovery = "volumetric"
energy_usd_per_kwh = { day = 0.08, night = 0.06 }
periods = { day = ["8-20"], night = ["20-8"] }
pass_through = 0.5
export = { rule = "net_metering" }
discount = { low = 0, middle = 0.1, high = 0 }
tiers = { limits_kwh_per_month = [150], adders_usd_per_kwh = [0.0, 0.07] }
demand_charge = { usd_per_kw_month = 3, window = ["0-24"] }
minimum_bill = { usd_per_month = 20 }
subscription = { usd_per_kwh = 0.12, contracted_share = 0.3 }
discount_funding = { by = "per_kwh" }

[rate_classes.solar]
tariff = "roof"
technologies = ["pv", "pv_battery"]
"""
LIMITS = {"plain": (300.0, 420.0), "roof": (150.0,)}
ADDERS = {"plain": (-0.01, 0.05, 0.1), "roof": (0.0, 0.07)}
DEMAND = {"plain": (4.0, range(16, 22)), "roof": (3.0, range(24))}
LEAST = {"plain": 45.0, "roof": 20.0}
CONTRACT = {"plain": (0.15, 0.5), "roof": (0.12, 0.3)}
DAYS, HOUSEHOLDS = 40, 60
ROUNDING = 1e-9
"""Sums of a thousand products of some USD in double precision, in another order. [USD]"""


@cache
def two_classes(folder: Path) -> Composed:
    (folder / "two.toml").write_text(TWO_CLASSES, encoding="utf-8")
    scenario = load_scenario(str(folder / "two.toml"))
    return solve_composed(build_economy(scenario), build_rate_classes(scenario, components=True), certify=False)


class Lived:
    """A run with its statements."""

    def __init__(self, economy: Any, **settings: Any) -> None:
        self.months: list[MonthStatement] = []
        self.market: Any = None
        self.done: Simulation = simulate(
            economy, power_flow=False, statements=self._take, behaviour="equilibrium", **settings
        )

    def _take(self, statement: MonthStatement, market: Any) -> None:
        self.months.append(statement)
        self.market = market

    @property
    def total_usd(self) -> Floats:
        """Bills of all months. (household,)"""
        return np.sum([month.total_usd for month in self.months], axis=0)


def test_under_two_classes_with_every_component_each_home_pays_what_plain_loops_bill(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = two_classes(tmp_path_factory.mktemp("two"))
    settled = market_equilibrium(found)
    meters = _reading_meters(monkeypatch)
    lived = Lived(found.economy, tariff=settled.tariff, equilibrium=settled, composed=found, households=HOUSEHOLDS,
                  days=DAYS, seed=3)  # fmt: skip
    market, prices = lived.market, lived.done.history.stacked("wholesale_usd_per_kwh")
    for home in range(0, HOUSEHOLDS, 3):
        type_index = market.population.type_of(home)
        rank = home - int(market.population.first[type_index])
        for statement, (first, last) in zip(lived.months, ((0, 31), (31, DAYS)), strict=True):
            own = statement.types[type_index]
            expected = _plain(found, type_index, [day[home] for day in meters[first:last]], prices[first:last])
            parts = {name: values[rank] for name, values in own.parts_usd.items()}
            got = {name: parts[name] for name in expected if name in parts}
            assert got == pytest.approx({name: expected[name] for name in got}, abs=ROUNDING)
            assert sum(parts.values()) == pytest.approx(expected["total"], abs=ROUNDING)
            assert own.counters["billed_kwh"][rank] == pytest.approx(expected["billed_kwh"], abs=1e-6)
            assert own.counters["demand_kw"][rank] == expected["demand_kw"]
    assert {row.component for row in lived.done.components} == {
        "tiers", "demand_charge", "minimum_bill", "subscription", "discount_funding"
    }  # fmt: skip
    assert lived.total_usd == pytest.approx(market.population.bill_usd, abs=ROUNDING)
    assert float(lived.total_usd.sum()) == pytest.approx(market.utility.account.revenue_usd, abs=1e-6)


def _reading_meters(monkeypatch: pytest.MonkeyPatch) -> list[Floats]:
    """Every day's meters of the markets that are made from now on, as they are settled. (household, slot) each"""
    from meanwatt.model.market.market import ProsumerMarket

    kept: list[Floats] = []
    settle = ProsumerMarket.settle

    def settling(market: Any, net_load_kw: Floats) -> None:
        settle(market, net_load_kw)
        kept.append(market.population.energy_kwh.astype(float))

    monkeypatch.setattr(ProsumerMarket, "settle", settling)
    return kept


def _plain(found: Composed, type_index: int, meters: list[Floats], prices: Floats) -> dict[str, float]:
    """A month's bill of a home, slot by slot, from the words of its tariff."""
    household, equilibrium = found.economy.types[type_index], found.equilibrium
    own = found.base_tariff.of(household)
    net, name = own.name == "roof", own.name
    kept = 1 - float(own.discount[household.group])
    window = DEMAND[name][1]
    energy_usd = credit = wholesale = kwh = peak = contract = 0.0
    for day, price in zip(meters, prices, strict=True):
        for h in range(24):
            posted = float(own.energy_usd_per_kwh[0, h]) + equilibrium.adder_usd_per_kwh
            rate = kept * (posted + own.pass_through * price[h])
            bought, sold = max(day[h], 0.0), max(-day[h], 0.0)
            energy_usd += bought * kept * posted
            wholesale += bought * kept * own.pass_through * price[h]
            credit -= sold * (rate if net else 0.02 + price[h])
            kwh += bought - sold if net else bought
            peak = max(peak, bought) if h in window else peak
            usd, share = CONTRACT[name]
            contract += (usd - rate) * share * max(household.reference_kw[0, h] - household.pv_kw[0, h], 0.0)
    months = len(meters) / DAYS_PER_MONTH
    limits, adders = LIMITS[name], ADDERS[name]
    tiers = adders[0] * kwh
    for limit, before, after in zip(limits, adders, adders[1:], strict=False):
        tiers += (after - before) * max(kwh - limit * months, 0.0)
    parts = {
        "energy": energy_usd,
        "wholesale": wholesale,
        "export_credit": credit,
        "tiers": tiers,
        "demand_charge": DEMAND[name][0] * months * peak,
        "subscription": contract,
        "discount_funding": found.seen.surcharge_usd_per_kwh * kwh,
        "access_charge": 0.0 if net else 0.1 * len(meters),
    }
    before = sum(parts.values())
    minimum = max(LEAST[name] * months - before, 0.0)
    return {**parts, "minimum_bill": minimum, "total": before + minimum, "billed_kwh": kwh, "demand_kw": peak}


def test_statements_are_the_same_for_any_threads_and_workers_and_change_no_meter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = solved("textbook", "tou", "battery_levels=4")
    size = {"tariff": found.tariff, "equilibrium": found, "households": 90, "days": 33, "seed": 8}
    one = Lived(found.economy, **size)
    monkeypatch.setattr("meanwatt.model.market.month_ledger.ONE_THREAD_BELOW", 4)
    others = [Lived(found.economy, **size, threads=2), Lived(found.economy, **size, workers=2)]
    without = simulate(found.economy, found.tariff, equilibrium=found, behaviour="equilibrium", households=90, days=33,
                       seed=8, power_flow=False)  # fmt: skip
    assert one.done.day_digest == without.day_digest
    assert one.done.history.stacked("class_bill_usd").sum() == pytest.approx(one.total_usd.sum(), abs=1e-6)
    for other in others:
        assert other.done.day_digest == one.done.day_digest
        for mine, theirs in zip(one.months, other.months, strict=True):
            assert (mine.month, mine.first_day, mine.days) == (theirs.month, theirs.first_day, theirs.days)
            mine_table, their_table = (
                statement_columns(each, found.economy.types, found.tariff, ["energy", "export_credit"], None)
                for each in (mine, theirs)
            )
            for name, values in mine_table.items():
                assert np.array_equal(values, their_table[name]), name


def test_energy_of_periods_is_that_of_their_slots_and_sums_to_what_the_meter_read() -> None:
    found = solved("textbook", "tou", "battery_levels=4")
    assert found.tariff.periods, "the tariff has periods"
    assert set(periods_of(found.tariff)) == set(found.tariff.periods)
    lived = Lived(found.economy, tariff=found.tariff, equilibrium=found, households=30, days=5, seed=1)
    (month,) = lived.months
    imported = sum(record.imported_kwh.sum() for record in lived.done.history)
    exported = sum(record.exported_kwh.sum() for record in lived.done.history)
    assert sum(one.imported_kwh.sum() for one in month.types) == pytest.approx(imported, abs=1e-6)
    assert sum(one.exported_kwh.sum() for one in month.types) == pytest.approx(exported, abs=1e-6)
    highest = max(float(one.peak_kw.max()) for one in month.types)
    assert highest >= float(np.nanmax([record.type_net_load_kw for record in lived.done.history]))


def test_a_part_that_is_lived_anew_states_the_month_it_stood_in() -> None:
    """As after the loss of a worker: months that were stated before are not stated again."""
    found = solved("textbook", "tou", "battery_levels=4")
    lived = Lived(found.economy, tariff=found.tariff, equilibrium=found, households=20, days=36, seed=8)
    settings = {"economy": found.economy, "tariff": None, "policies": found, "households": 20, "threads": 1}
    settings |= {"behaviour": read_behaviour("equilibrium"), "rng": seed_of(key_from(8))}
    host = PartHost(Pipe()[0])
    host.open(pickle.dumps(settings), (0, 1), statements=True)
    host.replay([PastDay(net_load_kw=record.net_load_kw) for record in lived.done.history])
    again, first = host.statement(), lived.months[1]
    assert (again.month, again.first_day, again.days) == (first.month, first.first_day, first.days) == (2, 31, 5)
    assert np.array_equal(again.total_usd, first.total_usd)
