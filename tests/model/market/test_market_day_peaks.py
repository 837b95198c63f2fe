"""A finite market whose homes carry the day's largest import in their state, beside the continuum and plain loops."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scenarios import preset_economy

from meanwatt.analysis.metrics.utility_meter import UtilityMeter
from meanwatt.model.market import peak_kernel
from meanwatt.model.market.component_bills import ComponentBills
from meanwatt.model.market.day_kernel import QUANTUM_KWH, quanta, run_day
from meanwatt.model.market.home_day import Morning, home_day
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.peak_tables import peak_tables
from meanwatt.model.market.strategy_replay import require_no_largest_import
from meanwatt.model.mean_field.components.settled import market_equilibrium
from meanwatt.model.mean_field.components.solving import Composed, solve_composed
from meanwatt.model.scenario.economy import build_economy, build_rate_classes, build_tariff
from meanwatt.model.scenario.loading import load_scenario

COARSE = ("battery_levels=4",)
SET = (
    "tariff.demand_charge.usd_per_kw_day=0.2",
    "tariff.demand_charge.window=['14-22']",
    "tariff.demand_charge.demand_levels=6",
)
HOUSEHOLDS, DAYS = 600, 35


@cache
def composed(decision: str) -> Composed:
    given = [*COARSE, *SET, f"tariff.demand_charge.decision={decision}"]
    scenario = load_scenario("textbook", tariff="rtp", overrides=given)
    return solve_composed(
        preset_economy("textbook", *COARSE), build_rate_classes(scenario, components=True), certify=False
    )


def market_of(found: Composed, **changes: object) -> ProsumerMarket:
    settings = {"households": HOUSEHOLDS, "rng": (7, 2), "power_flow": False}
    return ProsumerMarket(policies=market_equilibrium(found), scenario=found.economy, **{**settings, **changes})


@cache
def lived() -> tuple[ProsumerMarket, ComponentBills, np.ndarray, np.ndarray]:
    """A market and its bills, and what the meters of all days read."""
    found = composed("state")
    market = market_of(found)
    bills, meters, enjoyed = ComponentBills(found, market), [], []
    meter = UtilityMeter(market)
    for _ in range(DAYS):
        meter.before()
        market.step()
        bills.after_day()
        enjoyed.append(meter.after().utility_usd / HOUSEHOLDS)
        meters.append(market.population.energy_kwh.astype(float))
    bills.bill()
    return market, bills, np.array(meters), np.array(enjoyed)


def test_every_home_pays_the_largest_import_of_each_of_its_own_days() -> None:
    market, bills, meters, _ = lived()
    hours = market.slot_hours
    for home in range(0, HOUSEHOLDS, 37):
        owed = 0.0
        for day in range(DAYS):
            owed += 0.2 * max(max(meters[day, home, h], 0.0) / hours for h in range(14, 22))
        assert bills.charged_usd["demand_charge"][home] == pytest.approx(owed, rel=1e-12)
    assert set(bills.month_counters) == {"demand_kw_days"}


def test_many_homes_pay_what_the_continuum_expects_within_their_own_noise() -> None:
    """Homes are independent given the weather, of which there is one here: means stray by deviations over √N."""
    market, bills, meters, enjoyed = lived()
    found, people = composed("state"), market.population
    for k, household in enumerate(found.economy.types):
        here = people.of_type(k)
        paid = bills.charged_usd["demand_charge"][here] / DAYS
        noise = max(paid.std() / np.sqrt(len(paid)), 1e-6)
        assert abs(paid.mean() - found.amounts.usd_per_day["demand_charge"][k]) < 4.5 * noise
        load = meters[:, here] / market.slot_hours
        by_home = load.mean(axis=0)
        gap = by_home.mean(axis=0) - found.equilibrium.type_net_load_kw[k, 0]
        spread = by_home.std(axis=0) / np.sqrt(len(paid)) + 1e-6
        assert (np.abs(gap) < 5.5 * spread).all(), household.name
    use = float(found.economy.type_share @ found.equilibrium.answer.utility_usd_per_day)
    assert enjoyed.mean() == pytest.approx(use, abs=5 * enjoyed.std() / np.sqrt(DAYS) + 1e-3)


def test_a_home_never_keeps_its_largest_import_over_midnight_and_sums_are_those_of_its_meters() -> None:
    market = market_of(composed("state"), households=80)
    market.step()
    people = market.population
    assert people.shock.max() < len(market.economy.shock_levels)
    total = quanta(people.energy_kwh).sum() * QUANTUM_KWH / (80 * market.slot_hours)
    assert market.history[-1].net_load_kw.sum() == pytest.approx(total, rel=1e-14)
    assert peak_kernel.QUANTA_PER_KWH == 1 / QUANTUM_KWH


def test_homes_that_carry_nothing_live_the_same_day_to_the_bit_beside_those_who_do() -> None:
    """The kernel of largest imports is that of plain days where there is one level of them."""
    plain = market_of(composed("ignored"), households=80)
    twin = market_of(composed("ignored"), households=80)
    for day in range(3):
        tables = plain.tables_of(plain.coming_state)
        kept = replace(tables, peaks=peak_tables(plain.behaviour.policies, 0))
        sums, same = run_day(plain.population, tables, day), run_day(twin.population, kept, day)
        np.testing.assert_array_equal(plain.population.energy_kwh, twin.population.energy_kwh)
        np.testing.assert_array_equal(plain.population.level, twin.population.level)
        np.testing.assert_array_equal(plain.population.shock, twin.population.shock)
        for name in ("energy_quanta", "charged", "discharged", "curtailed_quanta"):
            np.testing.assert_array_equal(getattr(sums, name), getattr(same, name))


def test_who_decides_for_itself_knows_no_largest_import_and_that_is_said_in_one_line() -> None:
    policy = market_of(composed("state"), households=80).behaviour.policies[0]
    with pytest.raises(ValueError, match=r"household 3 carries the day's largest import .* give .* ignored"):
        require_no_largest_import(policy, 3)
    require_no_largest_import(replace(policy, peak=None), 3)


def test_an_adder_balances_the_books_where_the_largest_import_is_in_the_state() -> None:
    """No slope of the books is known there: the adder is found without."""
    charge = ("usd_per_kw_day=0.1", "demand_levels=4", "decision=state")
    changes = ["battery_share_scale=0", *(f"tariff.demand_charge.{one}" for one in charge)]
    scenario = load_scenario("textbook", overrides=changes, tariff="flat")
    found = solve_composed(build_economy(scenario), build_tariff(scenario, components=True), certify=False).equilibrium
    assert found.adder_usd_per_kwh > 0
    assert found.surplus_usd_per_household_day == pytest.approx(0.0, abs=1e-6)


def test_every_homes_day_is_replayed_to_the_bit_of_its_meter_with_its_largest_import_in_its_state() -> None:
    market = market_of(composed("state"), households=80)
    for _ in range(2):
        morning = Morning.of(market.population)
        market.step()
        for household in range(80):
            day = home_day(market, morning, household)  # refuses readings that are not the meter's, to the bit
            assert day.net_load_kw == pytest.approx(
                day.use_kw + day.battery_kw - day.solar_kw + day.curtailed_kw, abs=1e-5
            )
            assert day.level[-1] == market.population.level[household]
