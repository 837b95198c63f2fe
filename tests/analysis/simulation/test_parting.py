"""What is measured of households of one type that part between two plans: means of values, not values of means."""

from dataclasses import replace

import numpy as np
import pytest
from scenarios import WEATHER, real_time, small_economy, small_tariff, toy

from meanwatt.agents.behaviour.protocol import Situation
from meanwatt.analysis.learning.environment import expected_reading, metered_reading
from meanwatt.analysis.metrics.utility_meter import UtilityMeter
from meanwatt.analysis.simulation.expectation import expect
from meanwatt.analysis.validation.expected import type_variance_kw2
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.induced_play import follow
from meanwatt.model.mean_field.leader.concepts import frozen
from meanwatt.model.scenario.supply import SupplyCurve

LOAD_KW = 0.125
"""Bought or sold by a household of the toy: its demand at a price of 0.15 to buy is as far from its sun as at 0.25."""
BUYING = 0.94


@pytest.fixture(scope="module")
def parted() -> Equilibrium:
    """Credits ten cents above imports: of households with as much sun as load 94 % buy and 6 % sell."""
    economy = toy(0.02, rest_kw=-0.11)
    return solve_equilibrium(economy, real_time(economy, credit=0.1))


@pytest.fixture(scope="module")
def mixed() -> Equilibrium:
    """Households with and without batteries, sun curtailed and credits above imports, three kinds of weather."""
    economy = replace(small_economy(temperature_usd=0.02), supply=SupplyCurve.polynomial([-0.1, 0.2]))
    credit = np.full((len(WEATHER), economy.slots), 0.2)
    return solve_equilibrium(economy, small_tariff(economy, export_usd_per_kwh=credit), certify=False)


def parts_with_batteries(found: Equilibrium) -> bool:
    """Whether owners of batteries part somewhere, so that moves and plans mix."""
    owners = zip(found.economy.types, found.policies, strict=True)
    return any(home.battery and policy.split and policy.split.parts.any() for home, policy in owners)


def test_the_meters_read_what_some_buy_and_others_sell(parted: Equilibrium) -> None:
    reading = expected_reading(parted)
    group = parted.economy.types[0].group
    assert reading.imported_kw[0, group] == pytest.approx(BUYING * LOAD_KW, abs=1e-7)
    assert reading.exported_kw[0, group] == pytest.approx((1 - BUYING) * LOAD_KW, abs=1e-7)


def test_the_revenue_that_is_metered_is_that_of_the_equilibrium(mixed: Equilibrium) -> None:
    assert parts_with_batteries(mixed)
    economy, reading = mixed.economy, expected_reading(mixed)
    revenue = float(economy.common.probability @ reading.bill_usd_per_day.sum(axis=1))
    paid = float(economy.type_share @ mixed.bill_usd_per_day)
    assert revenue == pytest.approx(paid, abs=1e-9)


def test_a_market_meters_what_the_continuum_does(parted: Equilibrium) -> None:
    """A register of 2,000 homes that buy or not is a binomial mean; 24 hours and 20 days of it, within 5 deviations."""
    expected, seen = expected_reading(parted), metered_reading(parted, households=2000, days=20, key=(1, 2))
    group = parted.economy.types[0].group
    allowed = 5 * LOAD_KW * np.sqrt(BUYING * (1 - BUYING) / (2000 * 20 * parted.economy.slots))
    for name in ("imported_kw", "exported_kw"):
        mean = getattr(seen, name)[:, group].mean()
        assert mean == pytest.approx(getattr(expected, name)[:, group].mean(), abs=allowed)


def test_frozen_loads_pay_under_their_own_tariff_what_they_paid(mixed: Equilibrium, parted: Equilibrium) -> None:
    for found in (mixed, parted):
        again = frozen(found, found.tariff).answer.payment_usd_per_day
        assert again == pytest.approx(found.answer.payment_usd_per_day, abs=1e-9)


def test_frozen_loads_are_charged_plan_by_plan_under_another_tariff(parted: Equilibrium) -> None:
    """At 30 cents to buy and 5 to sell, of 24 hours of 0.125 kW bought by some and sold by others."""
    shape = parted.tariff.energy_usd_per_kwh.shape
    other = replace(
        parted.tariff,
        energy_usd_per_kwh=np.full(shape, 0.3),
        export_usd_per_kwh=np.full(shape, 0.05),
        pass_through=0.0,
        export_pass_through=0.0,
    )
    paid = frozen(parted, other).answer.payment_usd_per_day
    assert paid == pytest.approx(24 * LOAD_KW * (0.3 * BUYING - 0.05 * (1 - BUYING)), abs=1e-6)


def test_those_who_follow_tables_with_plans_forgo_no_more_than_the_equilibrium_says(
    mixed: Equilibrium, parted: Equilibrium
) -> None:
    for found in (mixed, parted):
        followed = follow(found.economy, found.tariff, found.adder_usd_per_kwh, [found.policies], np.ones(1))
        assert followed.exploitability_usd_per_household_day == pytest.approx(
            found.exploitability_usd_per_household_day, abs=1e-8
        )


def test_households_that_part_scatter_although_nothing_else_is_drawn(parted: Equilibrium) -> None:
    variance = 4 * BUYING * (1 - BUYING) * LOAD_KW**2
    assert type_variance_kw2(parted) == pytest.approx(variance, abs=1e-6)
    assert expect(parted).spread_kw == pytest.approx(np.sqrt(variance), abs=1e-5)


class StandsStill:
    """Leaves its battery as it is."""

    def move(self, situation: Situation) -> int:
        """No move."""
        return 0


@pytest.mark.parametrize("own_way", [False, True])
def test_the_utility_that_is_metered_is_that_of_the_use_of_each_plan(parted: Equilibrium, own_way: bool) -> None:
    """Use is the meter's reading and the sun; U(q) = p0 [(q − q0) − (q − q0)² / (2 ε q0)]."""
    market = ProsumerMarket(parted.economy, policies=parted, households=200, power_flow=False, rng=1)
    if own_way:
        market.strategies.update(dict.fromkeys(range(0, 200, 2), StandsStill()))
    home = parted.economy.types[0]
    meter = UtilityMeter(market)
    for _ in range(3):
        meter.before()
        market.step()
        away_kw = market.population.energy_kwh / market.slot_hours  # sun and reference demand are the same
        utility = home.reference_price_usd_per_kwh * (away_kw - away_kw**2 / (2 * home.elasticity))
        assert meter.after().utility_usd == pytest.approx(market.slot_hours * float(utility.sum()), abs=1e-4)
    meter.close()
    market.close()


def test_a_market_with_batteries_enjoys_what_the_continuum_does(mixed: Equilibrium) -> None:
    """Within the scatter of 4,000 households over 40 days, and of the weather, which is taken as it came."""
    market = ProsumerMarket(mixed.economy, policies=mixed, households=4000, power_flow=False, rng=1)
    meter = UtilityMeter(market)
    seen: list[float] = []
    expected: list[float] = []
    by_state = np.zeros(len(mixed.economy.common.probability))
    for home, response, flow in zip(mixed.economy.types, mixed.answer.responses, mixed.answer.flows, strict=True):
        by_state += home.share * (flow.frequency * response.outcome.utility_usd).sum(axis=(1, 2, 3))
    for _ in range(40):
        meter.before()
        market.step()
        seen.append(meter.after().utility_usd / market.households)
        expected.append(by_state[market.common_state])
    assert np.mean(seen) == pytest.approx(np.mean(expected), abs=0.01 * np.abs(expected).mean())
    meter.close()
    market.close()
