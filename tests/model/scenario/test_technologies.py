"""What households own: shares, arrays, and what is refused of electric vehicles."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenarios import WITH_VEHICLES

from meanwatt.agents.household.electric_vehicle import ElectricVehicle
from meanwatt.model.scenario.economy import build_economy
from meanwatt.model.scenario.loading import ScenarioError, load_scenario
from meanwatt.model.scenario.messages import scenario_messages
from meanwatt.model.scenario.technologies import TECHNOLOGIES, technology_shares

SHARE = st.floats(0.0, 1.0).map(lambda share: 0.0 if share < 1e-6 else share)


@settings(max_examples=50)
@given(SHARE, SHARE, SHARE, SHARE)
def test_shares_of_technologies_are_those_that_the_group_owns(
    pv: float, storage: float, alone: float, ev: float
) -> None:
    given = {"pv_share": pv, "storage_share_of_pv": storage, "battery_only_share": alone, "ev_share": ev}
    scenario = load_scenario("textbook", overrides={f"income_groups.low.{key}": value for key, value in given.items()})
    share = technology_shares(scenario, scenario.income_groups["low"])
    assert list(share) == [technology.name for technology in TECHNOLOGIES]
    assert sum(share.values()) == pytest.approx(1.0, abs=1e-12)
    solar = {technology.name for technology in TECHNOLOGIES if technology.solar}
    assert sum(share[name] for name in solar) == pytest.approx(pv, abs=1e-12)
    assert share["pv_battery"] + share["battery"] == pytest.approx(pv * storage + (1 - pv) * alone, abs=1e-12)
    without = 1 - share["pv_battery"] - share["battery"]
    assert share["ev"] + share["pv_ev"] == pytest.approx(ev * without, abs=1e-12)


def test_an_owner_of_a_vehicle_has_the_load_and_the_roof_of_its_group() -> None:
    economy = build_economy(load_scenario("oahu", overrides=WITH_VEHICLES))
    by_name = {household.name: household for household in economy.types}
    vehicle = by_name["high/pv_ev"].battery
    assert isinstance(vehicle, ElectricVehicle)
    assert (vehicle.trip_kwh, vehicle.departure_hour, vehicle.return_hour) == (9.0, 8.0, 18.0)
    assert (by_name["high/pv_ev"].pv_kw == by_name["high/pv"].pv_kw).all()
    assert (by_name["high/ev"].reference_kw == by_name["high/none"].reference_kw).all()
    assert not by_name["high/ev"].pv_kw.any()


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"ev.departure_hour": 8.5}, "ev.departure_hour is 8.5, within a slot of 1 h; give a multiple of it below 24"),
        ({"ev.return_hour": 24}, "ev.return_hour is 24; give a number from 0 to 23.99 h"),
        ({"ev.return_hour": 8}, "ev.return_hour is 8, as ev.departure_hour; give another hour"),
        (
            {"ev.trip_kwh": 70},
            "ev.trip_kwh is 70, more than ev.capacity_kwh (60 kWh); give at most that",
        ),
        (
            {"ev.levels": 8},
            "ev.levels is 8: a level is 8.57 kWh, more than the battery can charge in a slot (6.75 kWh); give 10 or"
            " more",
        ),
        (
            {"one_day.charge": "empty"},
            "one_day is given, and income_groups own electric vehicles (ev_share), whose trips follow one another;"
            " leave out one_day, or set ev_share_scale = 0",
        ),
        ({"income_groups.low.ev_share": 1.2}, "income_groups.low.ev_share is 1.2; give 0, or a number from 1e-09 to 1"),
        ({"ev.vehicle_to_grid": 3}, "ev.vehicle_to_grid is 3; give true or false"),
        ({"ev.trip": 3}, "unknown key 'ev.trip'; did you mean 'ev.trip_kwh'?"),
    ],
)
def test_a_vehicle_that_the_model_cannot_hold_is_refused_in_one_line(
    overrides: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ScenarioError) as refused:
        load_scenario("textbook", overrides={**WITH_VEHICLES, **overrides})
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_nobody_minds_the_vehicle_that_nobody_owns() -> None:
    assert load_scenario("textbook", overrides={"ev.levels": 8, "ev.departure_hour": 8.5}).ev.levels == 8


def test_power_lost_to_the_levels_and_capped_shares_are_said() -> None:
    scenario = load_scenario("textbook", overrides={**WITH_VEHICLES, "ev.levels": 12, "ev_share_scale": 3.0})
    assert scenario_messages(scenario) == (
        "ev_share_scale = 3: the share with an electric vehicle among those without a battery is capped at 1 in income"
        " group high.",
        "ev.levels = 12: charging reaches 5.81 of 7.2 kW; 10 levels would reach 7.11 kW.",
    )
    both = load_scenario("textbook", overrides={**WITH_VEHICLES, "ev.vehicle_to_grid": True})
    assert scenario_messages(both) == (
        "ev.levels = 28: charging reaches 7.11 of 7.2 kW and discharging 6.25 of 7.2 kW; 64 levels would reach 7.11 and"
        " 7.15 kW.",
    )
