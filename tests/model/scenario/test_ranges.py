"""Ranges: every number of a file has one; what lies outside is one line, and so is what numbers come to together."""

import math
import re
from collections.abc import Iterator
from typing import Literal, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.study.plan_file import StudyFile
from meanwatt.model.mean_field.solvers.revenue_recovery import balancing_fixed_charge
from meanwatt.model.progress import machine
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.limits import policy_bytes
from meanwatt.model.scenario.loading import Scenario, ScenarioError, load_scenario, presets
from meanwatt.model.scenario.ranges import Range, written
from meanwatt.model.scenario.weather import common_states

NUMBER = re.compile(r"\b(int|float)\b")


def numbers(table: type[BaseModel], place: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every field of a table, and of the tables in it, that holds numbers."""
    for name, field in table.model_fields.items():
        inside = [kind for kind in (field.annotation, *get_args(field.annotation)) if isinstance(kind, type)]
        tables = [kind for kind in inside if issubclass(kind, BaseModel)]
        if tables:
            yield from numbers(tables[0], f"{place}{name}.")
        elif get_origin(field.annotation) is not Literal and NUMBER.search(f"{field.annotation} {field.metadata}"):
            yield f"{place}{name}", field


CHECKED_ELSEWHERE = {"day_type_kernel", "shock.kernel", "one_day.charge", "calendar.weather_kernel", "households"}
"""Probabilities, whose rows must sum to one; numbers of households, which must differ."""


@pytest.mark.parametrize("table", [Scenario, StudyFile])
def test_every_number_of_a_file_has_a_range(table: type[BaseModel]) -> None:
    found = dict(numbers(table))
    assert len(found) >= {Scenario: 45, StudyFile: 3}[table]
    for place, field in found.items():
        has_range = any(isinstance(mark, Range) for mark in field.metadata)
        assert has_range or place in CHECKED_ELSEWHERE, place


@given(st.floats(allow_nan=False), st.floats(1e-9, 1e9), st.booleans())
def test_a_range_holds_its_bounds_and_what_lies_between(value: float, high: float, zero: bool) -> None:
    allowed = Range(high / 2, high, or_zero=zero)
    assert allowed.holds(value) == (high / 2 <= value <= high or (zero and value == 0))
    assert not allowed.holds(math.nan)
    assert allowed.holds(high)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_a_number_in_a_message_is_the_one_that_came(value: float) -> None:
    if abs(value) < 2**63:
        assert float(written(value)) == pytest.approx(float(value), rel=1e-5, abs=1e-300)
    assert len(written(value)) <= 24


OUTSIDE = {
    "battery.capacity_kwh=1e-310": "battery.capacity_kwh is 1e-310; give a number from 0.001 to 1000000 kWh",
    "load.use_kwh_per_day=1e160": "load.use_kwh_per_day is 1e+160; give a number from 0.001 to 1000000 kWh/day",
    "load.use_kwh_per_day=1e20": "load.use_kwh_per_day is 1e+20; give a number from 0.001 to 1000000 kWh/day",
    "pv_scale=1e160": "pv_scale is 1e+160; give 0, or a number from 1e-06 to 1000",
    "day_types.clear.pv_factor=1e160": ("day_types.clear.pv_factor is 1e+160; give 0, or a number from 1e-06 to 1000"),
    "day_types.clear.load_factor=1e160": (
        "day_types.clear.load_factor is 1e+160; give 0, or a number from 1e-06 to 1000"
    ),
    "income_groups.low.pv_kw=1e160": "income_groups.low.pv_kw is 1e+160; give 0, or a number from 0.001 to 1000000 kW",
    "income_groups.low.use_factor=1e160": ("income_groups.low.use_factor is 1e+160; give a number from 0.001 to 1000"),
    "temperature_usd=1e-310": "temperature_usd is 1e-310; give 0, or a number from 1e-06 to 100000 USD",
    "elasticity=1e-310": "elasticity is 1e-310; give 0, or a number from 1e-06 to 100",
    "load.shape=[1,1e9]": "load.shape: entry 1 is 1000000000; give 0, or a number from 1e-06 to 1000000",
    "tariff.energy_usd_per_kwh={peak=1e9,day=0,overnight=0}": (
        "tariffs.filed.energy_usd_per_kwh: peak is 1000000000; give a number from -100000 to 100000 USD/kWh"
    ),
    "tariff.fixed_charge_usd_per_day={low=1e9,middle=0,high=0}": (
        "tariffs.filed.fixed_charge_usd_per_day: low is 1000000000; give a number from -10000000 to 10000000 USD/day"
    ),
    "shock.kernel=[[1e-300,1,0],[1,0,0],[1,0,0]]": (
        "shock.kernel row 0.8: entry 0 is 1e-300; give 0, or a number from 1e-09 to 1"
    ),
    f"battery_levels=1{'0' * 400}": "battery_levels is a number of 1329 bits; give a whole number from 2 to 1001",
    "battery.capacity_kwh=1e6": (
        "battery.capacity_kwh is 1e+06, 2.108e+05 times what the battery can charge in a slot (4.74 kWh);"
        " give at most 1000 times, or a larger battery.power_limit_kw"
    ),
}


@pytest.mark.parametrize("override", OUTSIDE)
def test_a_number_outside_its_range_is_told_with_the_range(override: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario("oahu", overrides=[override])
    assert str(caught.value) == f"scenario oahu: {OUTSIDE[override]}"


TOGETHER: dict[tuple[str, ...], str] = {
    ("load.use_kwh_per_day=1e6", "income_groups.low.use_factor=1000"): (
        r"load.use_kwh_per_day, .* come to a load of 8\.57e\+07 kW a household; give 0, or a number from 1e-09 to"
    ),
    ("pv_scale=1000", "income_groups.low.pv_kw=1e6"): "pv_kw, pv_scale, .* come to a solar output of 6e\\+08 kW",
    ("supply.coefficients=[0,0,0,1]", "load.use_kwh_per_day=1e5"): "supply comes to 3.*USD/kWh at 1.* kW a household",
    ("battery_levels=1001", "slots_per_day=96", "battery.power_limit_kw=1000", "shock.levels=[" + "1," * 99 + "1]"): (
        "shock.kernel is 3 x 3 numbers; give 100 x 100"
    ),
    ("shock.levels=[" + "1," * 100 + "1]",): "shock.levels has 101 entries; give a whole number from 1 to 100 entries",
}


@pytest.mark.parametrize("overrides", TOGETHER)
def test_numbers_that_come_to_too_much_together_are_told_with_their_keys(overrides: tuple[str, ...]) -> None:
    with pytest.raises(ScenarioError, match=TOGETHER[overrides]):
        load_scenario("textbook", overrides=overrides)


@pytest.mark.parametrize("name", presets())
def test_a_scenario_a_thousand_times_larger_or_smaller_is_one_still(name: str) -> None:
    base = load_scenario(name)
    for factor in (1e-3, 1e3):
        groups = {f"income_groups.{key}.pv_kw": g.pv_kw * factor for key, g in base.income_groups.items()}
        use = {"load.use_kwh_per_day": base.load.use_kwh_per_day * factor}
        supply = {
            "supply.coefficients": [0.1, 0.1 / factor],
            "supply.clamp_below_kw": None,
            "supply.kind": "polynomial",
        }
        others = dict.fromkeys(
            ("supply.clamp_below_kw", "supply.net_load_kw", "supply.usd_per_kwh", "supply.floor_usd_per_kwh")
        )
        battery = {f"battery.{key}": getattr(base.battery, key) * factor for key in ("capacity_kwh", "power_limit_kw")}
        emissions = {"supply.emissions_t_per_mwh": 0.4}
        rest = {f"day_types.{key}.rest_load_kw": 0.0 for key in base.day_types}
        scaled = load_scenario(base, overrides=groups | use | supply | others | battery | emissions | rest)
        assert scaled.load.use_kwh_per_day == base.load.use_kwh_per_day * factor
        assert scaled.battery.capacity_kwh == base.battery.capacity_kwh * factor


def test_prices_in_another_currency_are_prices_still() -> None:
    rupiah = 16_000  # for a dollar
    base = load_scenario("textbook")
    assert base.supply.coefficients is not None
    load_scenario(
        base,
        overrides={
            "supply.coefficients": [rupiah * c for c in base.supply.coefficients],
            "reference_price_usd_per_kwh": rupiah * base.reference_price_usd_per_kwh,
            "temperature_usd": rupiah * base.temperature_usd,
            "tariff.energy_usd_per_kwh": rupiah * 0.139,
            "income_groups.high.income_usd_per_year": rupiah * 120_000.0,
            "carbon.usd_per_t": rupiah * 50.0,
        },
    )


def test_a_game_too_large_for_any_machine_is_refused_before_anything_is_made() -> None:
    shocks = ",".join(["1.0"] * 100)
    row = ",".join(["0.01"] * 100)
    with pytest.raises(ScenarioError, match=r"battery_levels is 1001: .* have 3\.85e\+10 probabilities, more than"):
        load_scenario(
            "textbook",
            overrides=[
                "slots_per_day=96",
                "battery_levels=1001",
                "battery.power_limit_kw=1000",
                f"shock.levels=[{shocks}]",
                f"shock.kernel=[{','.join([f'[{row}]'] * 100)}]",
            ],
        )


def test_a_game_too_large_for_this_machine_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = load_scenario("textbook", overrides=["battery_levels=401", "slots_per_day=48"])
    needed = policy_bytes(scenario)
    assert needed > machine.SMALL
    monkeypatch.setattr(machine, "free_bytes", lambda: needed / 2)
    with pytest.raises(ValueError, match=r"^the policies take about .* GB, .* GB are free; give fewer battery_levels"):
        build_economy(scenario)
    monkeypatch.setattr(machine, "free_bytes", lambda: needed * 2)
    build_economy(scenario)


def test_this_machine_has_memory() -> None:
    assert 1e6 < machine.free_bytes() < 1e15


def test_day_types_whose_histories_are_too_many_are_refused() -> None:
    names = [f"type{k}" for k in range(60)]
    with pytest.raises(ValueError, match="memory is 2: the remembered day types make 3600 common states or more"):
        common_states(names, [[1 / 60] * 60] * 60, 2)
    assert common_states(names, [[float(b == (a + 1) % 60) for b in range(60)] for a in range(60)], 2).count == 60


NOBODY_PAYS = ["income_groups.low.share=0", "income_groups.high.share=0.6666666667"]


def test_fixed_charges_that_only_a_group_without_households_pays_are_refused() -> None:
    shape = "tariff.fixed_charge_shape={low=1,middle=0,high=0}"
    with pytest.raises(ScenarioError, match=r"fixed_charge_shape is \[1.0, 0.0, 0.0\], positive only where .* share 0"):
        load_scenario("textbook", overrides=[*NOBODY_PAYS, "tariff.recovery=fixed", shape])
    # of another recovery nobody asks for the shape
    scenario = load_scenario("textbook", overrides=[*NOBODY_PAYS, shape])
    assert scenario.tariffs["flat"].recovery == "volumetric"
    economy, posted = build_economy(scenario), build_tariff(scenario)
    with pytest.raises(ValueError, match=r"tariff flat: fixed_charge_shape is .* positive only for groups without"):
        balancing_fixed_charge(economy, posted, 1.0)
    assert isinstance(posted, Tariff)
