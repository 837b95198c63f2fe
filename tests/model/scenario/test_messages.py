"""Sentences about what is not done as asked, and the battery power that a grid of levels holds."""

import numpy as np
import pytest

from meanwatt.agents.household.battery import (
    Battery,
    attainable_kw,
    grid_power_kw,
    keeps_power,
    moves,
    nearest_levels,
    reached_kw,
)
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.scenario.loading import load_scenario
from meanwatt.model.scenario.messages import joined, rounding_messages, scenario_messages

MOST = 1001


def battery(levels: int, capacity_kwh: float = 10.0, power_limit_kw: float = 5.0, round_trip: float = 0.9) -> Battery:
    one_way = round_trip**0.5
    return Battery(
        capacity_kwh=capacity_kwh,
        power_limit_kw=power_limit_kw,
        charge_efficiency=one_way,
        discharge_efficiency=one_way,
        wear_usd_per_kwh=0.0,
        levels=levels,
    )


def share_kept(levels: int, hours: float, **of: float) -> float:
    """Smaller share of the attainable power among the moves themselves, charging and discharging."""
    one = battery(levels, **of)
    power = grid_power_kw(one, moves(one, hours), hours)
    charge = min(one.power_limit_kw, one.capacity_kwh / one.charge_efficiency / hours)
    discharge = min(one.power_limit_kw, one.capacity_kwh * one.discharge_efficiency / hours)
    return float(min(power[-1] / charge, -power[0] / discharge))


@pytest.mark.parametrize("hours", [1.0, 0.5, 0.25])
@pytest.mark.parametrize("of", [{}, {"capacity_kwh": 13.5}, {"capacity_kwh": 2.0}, {"round_trip": 0.8}])
def test_the_nearest_levels_are_the_nearest_that_keep_98_percent_of_the_power_either_way(
    hours: float, of: dict[str, float]
) -> None:
    good = [levels for levels in range(2, 400) if share_kept(levels, hours, **of) >= 0.98]
    for levels in (5, 21, 22, 60):
        found = nearest_levels(battery(levels, **of), hours, most=MOST)
        assert found in good
        assert abs(found - levels) == min(abs(other - levels) for other in good)
        assert keeps_power(battery(levels, **of), hours) == (levels in good)


def test_the_power_reached_never_exceeds_what_limit_and_capacity_allow() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        one = battery(int(rng.integers(2, 120)), *rng.uniform([0.5, 0.2, 0.5], [20.0, 10.0, 1.0]))
        hours = float(rng.choice([0.25, 0.5, 1.0]))
        for reached, attainable in zip(reached_kw(one, hours), attainable_kw(one, hours), strict=True):
            assert 0 <= reached <= attainable * (1 + 1e-8)
            assert attainable <= one.power_limit_kw


def test_a_battery_that_a_slot_empties_loses_no_power_to_its_levels() -> None:
    assert keeps_power(battery(2, capacity_kwh=2.0), 1.0)


def test_levels_are_obeyed_and_the_power_they_lose_is_said_with_the_remedy() -> None:
    scenario = load_scenario("textbook", overrides={"battery_levels": 21, "slots_per_day": 48})
    assert scenario.battery_levels == 21
    assert scenario_messages(scenario) == (
        "battery_levels = 21: charging reaches 4.22 of 5 kW and discharging 4.74 of 5 kW;"
        " 39 levels would reach 4.99 and 4.99 kW.",
    )
    assert scenario_messages(load_scenario(scenario, overrides={"battery_levels": 39})) == ()


def test_where_no_number_of_levels_keeps_the_power_that_is_said() -> None:
    weak = load_scenario("textbook", overrides={"battery.power_limit_kw": 0.05, "battery_levels": 400})
    (said,) = scenario_messages(weak)
    assert said.endswith("no number of levels up to 1001 does better than 98 %.")


def test_levels_are_not_spoken_of_where_nobody_has_a_battery() -> None:
    nobody = {"battery_levels": 8, "battery_share_scale": 0.0}
    assert scenario_messages(load_scenario("textbook", overrides=nobody)) == ()


def test_shares_that_would_exceed_everybody_are_capped_and_said_by_income_group() -> None:
    table = {"income_groups.high.pv_share": 0.6, "income_groups.low.pv_share": 0.5, "battery_share_scale": 0.0}
    assert scenario_messages(load_scenario("textbook", overrides={**table, "pv_share_scale": 2.0})) == (
        "pv_share_scale = 2: the share with PV is capped at 1 in income group high.",
    )


def test_a_market_too_small_for_a_type_or_a_behaviour_says_who_is_missing() -> None:
    count = np.array([9, 1, 0, 0])
    assert rounding_messages(("a", "b", "c", "c"), (0.9, 0.06, 0.03, 0.03), count) == (
        "households = 10: rounded to whole households, nobody is c (3 %); give more of them.",
    )
    assert rounding_messages(("a", "b"), (0.5, 0.5), np.array([1, 1])) == ()
    market = ProsumerMarket(
        load_scenario("textbook", overrides={"battery_share_scale": 0.0}),
        households=5,
        behaviour={"passive": 0.99, "self_consumption": 0.01},
        rng=0,
        power_flow=False,
    )
    try:
        types, ways = market.messages
        assert types.startswith("households = 5: rounded to whole households, nobody is ")
        assert "middle/pv (10 %)" in types
        assert ways.endswith("nobody is self_consumption (1 %); give more of them.")
    finally:
        market.close()


def test_every_sentence_is_said_once_in_the_order_of_its_first_appearance() -> None:
    assert joined(["b", "a"], (), ["a", "c"]) == ("b", "a", "c")
