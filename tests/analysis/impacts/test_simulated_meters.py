"""Tariffs as filed on simulated meters, beside a biller in plain loops."""

from contextlib import closing
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from plain_biller import plain_bill
from ratebook_records import FLAT, TIERED, write_record
from scenarios import preset_economy, preset_tariff

from meanwatt.analysis.impacts.simulated_meters import SimulatedMeters, simulated_meters
from meanwatt.model.billing.meter_format import ChoiceTable
from meanwatt.model.billing.ratebook_source import ratebook_of_text
from meanwatt.model.billing.scenario_tariff import scenario_tariff
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.economy import build_economy, build_tariff, tariff_of_table
from meanwatt.model.scenario.loading import load_scenario

SMALL = "battery_levels=5"
SIZE = {"households": 12, "rng": 3, "threads": 1}
CHOSEN = ChoiceTable(metering="net_billing"), ChoiceTable(metering="net_billing_carryover")


@cache
def net_kwh(key: str) -> np.ndarray:
    """A year of the meters under a tariff, day after day. (household, interval)"""
    economy = preset_economy("textbook", SMALL)
    file = ratebook_of_text("book.toml", BOOKS[key])
    tariff = tariff_of_table(economy.scenario, "book", scenario_tariff(file, economy).table)
    found = solve_equilibrium(economy, tariff, certify=False)
    with closing(ProsumerMarket(economy, policies=found, power_flow=False, households=12, rng=3)) as market:
        days = []
        for _ in range(365):
            market.step()
            days.append(market.population.energy_kwh.copy())
    return np.concatenate(days, axis=1).astype(float)


def book(flat: float, evening: float) -> str:
    """A tariff of two rates; what is fed in earns five cents."""
    hours = ["flat"] * 17 + ["evening"] * 4 + ["flat"] * 3
    return (
        f'kind = "ratebook"\nmetering = "net_billing"\n[energy]\nweekday = {[hours] * 12}\n'
        f"[energy.periods.flat]\ntiers = [{{ usd_per_kwh = {flat}, sell_usd_per_kwh = 0.05 }}]\n"
        f"[energy.periods.evening]\ntiers = [{{ usd_per_kwh = {evening}, sell_usd_per_kwh = 0.05 }}]\n"
    )


BOOKS = {"a": book(0.2, 0.2), "b": book(0.15, 0.45)}


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> SimulatedMeters:
    """From one rate all day to a dear evening."""
    folder = tmp_path_factory.mktemp("books")
    for name, text in BOOKS.items():
        (folder / f"{name}.toml").write_text(text)
    filed = str(folder / "a.toml"), str(folder / "b.toml")
    economy, own = preset_economy("textbook", SMALL), preset_tariff("textbook", "flat", SMALL)
    return simulated_meters(economy, own, filed, (ChoiceTable(), ChoiceTable()), SIZE)


def test_without_a_response_the_meters_under_a_are_billed_by_both_and_with_it_those_under_b_by_b(
    answered: SimulatedMeters,
) -> None:
    """In plain sums over the hours: two rates, and five cents for what is fed in."""
    frozen, full = answered.without_response, answered.with_response
    assert frozen is not None
    assert full is not None
    evening = np.tile([0.0] * 17 + [1.0] * 4 + [0.0] * 3, 365)

    def due(net: np.ndarray, low: float, high: float) -> np.ndarray:
        rate = low + (high - low) * evening
        return np.asarray((np.maximum(net, 0) * rate - np.maximum(-net, 0) * 0.05).sum(axis=1))

    before, after = net_kwh("a"), net_kwh("b")
    assert before.min() < 0, "some feed in"
    for found in (frozen, full):
        np.testing.assert_allclose(found.before_usd_per_year, due(before, 0.2, 0.2), rtol=1e-5)
        np.testing.assert_allclose(found.customers.bought_kwh_per_year, np.maximum(before, 0).sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(frozen.after_usd_per_year, due(before, 0.15, 0.45), rtol=1e-5)
    np.testing.assert_allclose(full.after_usd_per_year, due(after, 0.15, 0.45), rtol=1e-5)
    assert any(sentence.startswith("The days of the year are drawn") for sentence in answered.messages)


def test_the_response_moves_use_out_of_the_dear_evening() -> None:
    evening = np.tile([False] * 17 + [True] * 4 + [False] * 3, 365)
    before, after = (np.maximum(net_kwh(key), 0) for key in "ab")
    assert (after[:, evening].sum(axis=1) < before[:, evening].sum(axis=1)).all()
    assert after[:, ~evening].sum() > before[:, ~evening].sum()


def test_every_bill_is_that_of_a_biller_in_plain_loops(tmp_path: Path) -> None:
    filed = (write_record(tmp_path / "b.json", TIERED),) * 2
    found = simulated_meters(
        preset_economy("textbook", SMALL), preset_tariff("textbook", "flat", SMALL), filed, (CHOSEN[1], CHOSEN[0]), SIZE
    )
    assert found.in_force.tariff.name == "b"
    changes = found.without_response
    assert changes is not None
    economy = preset_economy("textbook", SMALL)
    with closing(ProsumerMarket(economy, policies=found.in_force, power_flow=False, households=12, rng=3)) as market:
        days = []
        for _ in range(365):
            market.step()
            days.append(market.population.energy_kwh.copy())
    year = np.concatenate(days, axis=1).astype(float)
    for home in (0, 5, 11):
        load, sun = np.maximum(year[home], 0).tolist(), np.maximum(-year[home], 0).tolist()
        for rule, bills in (
            ("net_billing_carryover", changes.before_usd_per_year),
            ("net_billing", changes.after_usd_per_year),
        ):
            assert bills[home] == pytest.approx(sum(plain_bill(TIERED, load, sun, rule)))


def test_from_a_tariff_to_itself_nothing_changes(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text(BOOKS["a"])
    lived: list[str] = []
    found = simulated_meters(
        preset_economy("textbook", SMALL),
        preset_tariff("textbook", "flat", SMALL),
        (str(file), str(file)),
        (ChoiceTable(), ChoiceTable()),
        SIZE,
        told=lambda text, _: lived.append(text),
    )
    assert found.with_response is not None
    assert not found.with_response.change_usd_per_year.any()
    assert found.messages[0] == "A and B are the same tariff: nothing changes."
    assert lived[-1] == "day 365 of 365 under a"
    assert len(lived) == 365


def test_what_the_scenario_cannot_say_is_billed_without_a_response(tmp_path: Path) -> None:
    """British money: bills are exact, and the households live under the scenario's own tariff."""
    file = tmp_path / "pounds.toml"
    file.write_text('currency = "GBP"\n' + BOOKS["b"])
    found = simulated_meters(
        preset_economy("textbook", SMALL),
        preset_tariff("textbook", "flat", SMALL),
        (str(file), str(file)),
        (ChoiceTable(), ChoiceTable()),
        SIZE,
    )
    assert (found.in_force.tariff.name, found.new, found.with_response) == ("flat", None, None)
    assert found.without_response is not None
    assert found.messages[0] == (
        "Only the bills without a response are told, of the meters under the scenario's own tariff flat."
    )
    why = "Tariff A is in GBP, and scenarios are in USD; write its rates in USD first: its households cannot answer it."
    assert why in found.messages


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
    assert found.without_response is not None
    assert found.without_response.change_usd_per_year == pytest.approx(np.full(12, 183.0))
    assert not any(sentence.startswith("The days of the year are drawn") for sentence in found.messages)


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
    assert lived == ["day 1 of 365 under a", "day 2 of 365 under a"]
