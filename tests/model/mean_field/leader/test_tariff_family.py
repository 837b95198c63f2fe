"""The leader's tariff family spans what it says, within its bounds."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenarios import preset_economy, preset_tariff

from meanwatt.agents.tariff.tariff import ExportRule, Recovery
from meanwatt.model.mean_field.leader.tariff_family import PARAMETERS, TariffFamily, starting_points, tariff_family

FIXED = tariff_family(preset_economy("textbook"), Recovery.FIXED)
POSTED = tariff_family(preset_economy("textbook"), Recovery.POSTED)
units = st.lists(st.floats(0, 1), min_size=5, max_size=5).map(np.array)


def member(family: TariffFamily, **chosen: float) -> object:
    return family.tariff(np.array([chosen.get(name, 0.0) for name in family.free]))


def test_what_balances_the_books_is_found_and_the_rest_is_free() -> None:
    assert FIXED.free == tuple(name for name in PARAMETERS if name != "fixed_charge_usd_per_day")
    assert POSTED.free == tuple(name for name in PARAMETERS if name != "fixed_charge_income_slope")


@given(st.sampled_from([FIXED, POSTED]), units)
def test_every_member_is_the_formula_written_out(family: TariffFamily, unit: np.ndarray) -> None:
    parameters = family.low + unit * (family.high - family.low)
    chosen = {**dict.fromkeys(PARAMETERS, 0.0), **dict(zip(family.free, parameters.tolist(), strict=True))}
    tariff = family.tariff(parameters)
    tou = preset_tariff("textbook", "tou").energy_usd_per_kwh[0]
    mean_income = (20_000 + 60_000 + 120_000) / 3
    for h in range(24):
        relative = 1 + chosen["tou_spread"] * (tou[h] / tou.mean() - 1)
        assert tariff.energy_usd_per_kwh[0, h] == pytest.approx(chosen["energy_usd_per_kwh"] * relative, abs=1e-12)
        assert tariff.export_usd_per_kwh[0, h] == chosen["export_credit_usd_per_kwh"]
    assert tariff.pass_through == tariff.export_pass_through == chosen["pass_through"]
    for i, income in enumerate((20_000, 60_000, 120_000)):
        factor = max(1 + chosen["fixed_charge_income_slope"] * (income / mean_income - 1), 0)
        assert tariff.fixed_charge_shape[i] == pytest.approx(factor, abs=1e-7)
        assert tariff.fixed_charge_usd_per_day[i] == pytest.approx(
            chosen["fixed_charge_usd_per_day"] * factor, abs=1e-7
        )
    assert tariff.export_rule is ExportRule.NET_BILLING
    assert tariff.recovery is family.recovery
    assert not tariff.discount.any()
    assert family.describe(parameters) == dict(zip(family.free, parameters.tolist(), strict=True))


@given(st.sampled_from([FIXED, POSTED]), units, st.floats(0.1, 5))
def test_what_lies_outside_the_bounds_is_brought_to_them(family: TariffFamily, unit: np.ndarray, by: float) -> None:
    for corner, outside in ((family.low, family.low - by * unit), (family.high, family.high + by * unit)):
        assert (family.tariff(outside).energy_usd_per_kwh == family.tariff(corner).energy_usd_per_kwh).all()
        assert family.describe(outside) == family.describe(corner)


@given(st.sampled_from([FIXED, POSTED]), units)
def test_the_spread_leaves_the_mean_energy_charge_alone(family: TariffFamily, unit: np.ndarray) -> None:
    parameters = family.low + unit * (family.high - family.low)
    charge = family.describe(parameters)["energy_usd_per_kwh"]
    assert family.tariff(parameters).energy_usd_per_kwh.mean(axis=1) == pytest.approx([charge])


@given(st.floats(0, 1))
def test_income_slopes_leave_the_mean_fixed_charge_alone(slope: float) -> None:
    economy = preset_economy("textbook")
    shape = member(FIXED, fixed_charge_income_slope=slope).fixed_charge_shape
    assert economy.group_share @ shape == pytest.approx(1)
    assert (np.diff(shape) >= 0).all(), "groups come by rising income"


def test_slope_zero_is_equal_and_slope_one_is_proportional_to_income() -> None:
    economy = preset_economy("oahu")
    family = tariff_family(economy, Recovery.FIXED)
    assert member(family, fixed_charge_income_slope=0.0).fixed_charge_shape == pytest.approx(np.ones(3))
    proportional = member(family, fixed_charge_income_slope=1.0).fixed_charge_shape
    assert proportional / economy.group_income_usd_per_year == pytest.approx(
        np.full(3, 1 / (economy.group_share @ economy.group_income_usd_per_year))
    )


def test_the_pattern_has_mean_one_on_every_day_type(monkeypatch: pytest.MonkeyPatch) -> None:
    economy = preset_economy("textbook")
    tou = preset_tariff("textbook", "tou")
    hot = np.vstack([tou.energy_usd_per_kwh, 3 * tou.energy_usd_per_kwh[:, ::-1]])
    dear_when_hot = replace(tou, energy_usd_per_kwh=hot, export_usd_per_kwh=np.zeros_like(hot))
    monkeypatch.setattr(
        "meanwatt.model.mean_field.leader.tariff_family.build_tariff", lambda scenario, name, **how: dear_when_hot
    )
    pattern = tariff_family(economy, Recovery.FIXED).pattern
    assert pattern.mean(axis=1) == pytest.approx(np.ones(2))
    assert pattern[1] == pytest.approx(pattern[0, ::-1])


def test_bounds_are_those_of_the_scenario() -> None:
    economy = preset_economy("textbook")
    assert (FIXED.low == 0).all()
    assert dict(zip(FIXED.free, FIXED.high, strict=True)) == {
        "energy_usd_per_kwh": 2 * 0.185,
        "tou_spread": 1.5,
        "export_credit_usd_per_kwh": 0.185,
        "pass_through": 1.0,
        "fixed_charge_income_slope": 1.0,
    }
    assert POSTED.high[POSTED.free.index("fixed_charge_usd_per_day")] == economy.fixed_cost_usd_per_day


@pytest.mark.parametrize("preset", ["textbook", "oahu", "california", "stress"])
@pytest.mark.parametrize("recovery", [Recovery.FIXED, Recovery.POSTED])
def test_searches_begin_within_bounds_at_flat_time_of_use_and_real_time(preset: str, recovery: Recovery) -> None:
    economy = preset_economy(preset)
    family = tariff_family(economy, recovery)
    flat, tou, real_time = (family.describe(point) for point in starting_points(family, economy))
    for point in starting_points(family, economy):
        assert (point >= family.low).all()
        assert (point <= family.high).all()
    assert flat["tou_spread"] == flat["pass_through"] == 0 < tou["tou_spread"]
    assert real_time["pass_through"] == 1
    carbon = economy.carbon_usd_per_t * float(economy.supply.emissions_t_per_kwh[0])
    assert real_time["energy_usd_per_kwh"] == real_time["export_credit_usd_per_kwh"] == pytest.approx(carbon)


def test_fewer_free_parameters_leave_the_others_at_zero() -> None:
    narrow = replace(
        FIXED, free=("energy_usd_per_kwh", "pass_through"), low=np.array([0.1, 0.2]), high=np.array([0.3, 0.4])
    )
    tariff = narrow.tariff(np.array([0.2, 0.9]))
    assert tariff.energy_usd_per_kwh == pytest.approx(np.full((1, 24), 0.2))
    assert tariff.pass_through == 0.4
    assert not tariff.export_usd_per_kwh.any()
    assert tariff.fixed_charge_shape == pytest.approx(np.ones(3))


# Day types of their own


def apart(recovery: Recovery = Recovery.FIXED) -> TariffFamily:
    return tariff_family(preset_economy("oahu"), recovery, by_day_type=True)


DAYS = ("clear", "partly", "cloudy")


@pytest.mark.parametrize("recovery", [Recovery.FIXED, Recovery.POSTED])
def test_energy_spread_and_export_credit_get_a_parameter_for_every_kind_of_day(recovery: Recovery) -> None:
    alike, family = tariff_family(preset_economy("oahu"), recovery), apart(recovery)
    assert family.free[:9] == tuple(f"{name}.{day}" for name in PARAMETERS[:3] for day in DAYS)
    assert family.free[9:] == alike.free[3:]
    for name, low, high in zip(family.free, family.low, family.high, strict=True):
        place = alike.free.index(name.split(".")[0])
        assert (low, high) == (alike.low[place], alike.high[place])


def test_with_a_single_kind_of_day_there_is_nothing_to_tell_apart() -> None:
    family = tariff_family(preset_economy("textbook"), Recovery.FIXED, by_day_type=True)
    assert family.free == FIXED.free


@given(st.lists(st.floats(0, 1), min_size=5, max_size=5).map(np.array))
def test_days_alike_are_the_family_without_days(unit: np.ndarray) -> None:
    alike, family = tariff_family(preset_economy("oahu"), Recovery.FIXED), apart()
    chosen = alike.low + unit * (alike.high - alike.low)
    one = alike.tariff(chosen)
    other = family.tariff(np.concatenate([np.repeat(chosen[:3], 3), chosen[3:]]))
    assert (other.energy_usd_per_kwh == np.broadcast_to(one.energy_usd_per_kwh, (3, 24))).all()
    assert (other.export_usd_per_kwh == np.broadcast_to(one.export_usd_per_kwh, (3, 24))).all()
    assert other.pass_through == one.pass_through
    assert (other.fixed_charge_shape == one.fixed_charge_shape).all()


@given(st.lists(st.floats(0, 1), min_size=11, max_size=11).map(np.array))
def test_every_kind_of_day_has_its_own_charge_spread_and_credit_and_no_other(unit: np.ndarray) -> None:
    family = apart()
    chosen = family.describe(family.low + unit * (family.high - family.low))
    tariff = family.tariff(np.array(list(chosen.values())))
    tou = preset_tariff("oahu", "tou").energy_usd_per_kwh
    tou = np.broadcast_to(tou, (3, 24))
    for d, day in enumerate(DAYS):
        for h in range(24):
            relative = 1 + chosen[f"tou_spread.{day}"] * (tou[d, h] / tou[d].mean() - 1)
            charge = chosen[f"energy_usd_per_kwh.{day}"] * relative
            assert tariff.energy_usd_per_kwh[d, h] == pytest.approx(charge, abs=1e-12)
            assert tariff.export_usd_per_kwh[d, h] == chosen[f"export_credit_usd_per_kwh.{day}"]


def test_searches_by_day_type_begin_with_all_days_alike() -> None:
    economy = preset_economy("oahu")
    alike, family = tariff_family(economy, Recovery.FIXED), apart()
    for one, other in zip(starting_points(alike, economy), starting_points(family, economy), strict=True):
        assert other.tolist() == [*np.repeat(one[:3], 3), *one[3:]]


@pytest.mark.parametrize("recovery", list(Recovery)[:2])
def test_the_unit_cube_and_the_parameters_are_two_names_of_the_same_tariff(recovery: Recovery) -> None:
    family = tariff_family(preset_economy("textbook"), recovery)
    unit = np.linspace(0.1, 0.9, len(family.free))
    assert family.unit(family.at(unit)) == pytest.approx(unit, rel=1e-14)
    assert family.at(np.full(len(unit), 2.0)) == pytest.approx(family.high)
    assert family.at(np.full(len(unit), -1.0)) == pytest.approx(family.low)
    tight = replace(family, high=family.low)
    assert tight.unit(family.low).tolist() == [0.0] * len(unit)
