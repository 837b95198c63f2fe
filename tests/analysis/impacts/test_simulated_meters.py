"""Tariffs as filed on simulated meters, beside a biller in plain loops."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from plain_biller import plain_bill
from ratebook_records import FLAT, TIERED, write_record
from scenarios import preset_economy, preset_tariff, solved

from meanwatt.analysis.impacts.simulated_meters import simulated_meters
from meanwatt.model.billing.meter_format import ChoiceTable
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

SMALL = "battery_levels=5"
SIZE = {"households": 12, "rng": 3, "threads": 1}
CHOSEN = ChoiceTable(metering="net_billing"), ChoiceTable(metering="net_billing_carryover")


@cache
def net_kwh() -> np.ndarray:
    """A year of the meters, day after day. (household, interval)"""
    market = ProsumerMarket(
        preset_economy("textbook", SMALL),
        policies=solved("textbook", "flat", SMALL),
        power_flow=False,
        households=12,
        rng=3,
    )
    days = []
    for _ in range(365):
        market.step()
        days.append(market.population.energy_kwh.copy())
    market.close()
    return np.concatenate(days, axis=1).astype(float)


def test_every_bill_is_that_of_a_biller_in_plain_loops(tmp_path: Path) -> None:
    filed = write_record(tmp_path / "a.json", FLAT), write_record(tmp_path / "b.json", TIERED)
    found = simulated_meters(
        preset_economy("textbook", SMALL), preset_tariff("textbook", "flat", SMALL), filed, CHOSEN, SIZE
    )
    changes = found.changes
    assert changes is not None
    for home in (0, 5, 11):
        net = net_kwh()[home]
        load, sun = np.maximum(net, 0).tolist(), np.maximum(-net, 0).tolist()
        assert changes.before_usd_per_year[home] == pytest.approx(sum(plain_bill(FLAT, load, sun, "net_billing")))
        due = sum(plain_bill(TIERED, load, sun, "net_billing_carryover"))
        assert changes.after_usd_per_year[home] == pytest.approx(due)
        assert changes.customers.bought_kwh_per_year[home] == pytest.approx(sum(load))
    assert net_kwh().min() < 0, "some feed in"
    assert any(sentence.startswith("The days of the year are drawn") for sentence in found.messages)


def test_a_calendar_year_has_its_own_days(tmp_path: Path) -> None:
    """Charges by the day: 366 of them in 2024."""
    file = tmp_path / "weeks.toml"
    file.write_text(
        'extends = "textbook"\nbattery_levels = 5\n[calendar]\nfirst_year = 2019\nlast_year = 2024\nyear = 2024\n'
        "[calendar.weather.sunny]\npv_factor = 1.0\n"
    )
    scenario = load_scenario(file)
    filed = tuple(
        write_record(tmp_path / f"{name}.json", {**FLAT, "fixed": (usd, "day")})
        for name, usd in (("a", 0.1), ("b", 0.6))
    )
    found = simulated_meters(
        build_economy(scenario), build_tariff(scenario, "flat"), (filed[0], filed[1]), (CHOSEN[0], CHOSEN[0]), SIZE
    )
    assert found.changes is not None
    assert found.changes.change_usd_per_year == pytest.approx(np.full(12, 183.0))
    assert not any(sentence.startswith("The days of the year are drawn") for sentence in found.messages)


def test_without_an_equilibrium_nobody_is_billed(tmp_path: Path) -> None:
    filed = (write_record(tmp_path / "a.json", FLAT),) * 2
    short = preset_tariff("textbook", "flat", "tariff.adder_cap_usd_per_kwh=0.01")
    found = simulated_meters(preset_economy("textbook", SMALL), short, filed, CHOSEN, SIZE)
    assert found.in_force.outcome is Outcome.NO_ADEQUATE_TARIFF
    assert found.changes is None


def test_who_stops_it_is_heard(tmp_path: Path) -> None:
    filed = (write_record(tmp_path / "a.json", FLAT),) * 2
    lived: list[str] = []
    with pytest.raises(Cancelled):
        simulated_meters(
            preset_economy("textbook", SMALL),
            preset_tariff("textbook", "flat", SMALL),
            filed,
            CHOSEN,
            SIZE,
            watch=Watch(cancelled=lambda: len(lived) > 1),
            told=lambda text, _: lived.append(text),
        )
    assert lived == ["day 1 of 365", "day 2 of 365"]
