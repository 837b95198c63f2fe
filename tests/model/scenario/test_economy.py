"""A scenario as arrays: nothing is lost or invented on the way from the file."""

import copy
import pickle

import numpy as np
import pytest

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import ExportRule, Recovery
from meanwatt.model.scenario.economy import Economy, build_economy, build_tariff
from meanwatt.model.scenario.loading import ScenarioError, load_scenario, presets
from meanwatt.model.scenario.technologies import TECHNOLOGIES

TECHNOLOGY_NAMES = [technology.name for technology in TECHNOLOGIES]


def economy_of(name: str, *overrides: str) -> Economy:
    return build_economy(load_scenario(name, overrides=overrides))


def mean_kwh_per_day(economy: Economy, kw: Floats) -> float:
    """Expected energy of a day under the stationary weather."""
    return float(economy.common.probability @ kw.sum(axis=1)) * economy.slot_hours


@pytest.mark.parametrize("name", presets())
@pytest.mark.parametrize("overrides", [[], ["pv_share_scale=9"], ["battery_share_scale=9", "pv_share_scale=0.5"]])
def test_types_divide_the_population_and_each_income_group(name: str, overrides: list[str]) -> None:
    economy = economy_of(name, *overrides)
    assert economy.type_share.sum() == pytest.approx(1, abs=1e-14)
    assert (economy.type_share > 0).all()
    by_group = np.bincount([household.group for household in economy.types], weights=economy.type_share)
    assert by_group == pytest.approx(economy.group_share, abs=1e-14)


@pytest.mark.parametrize("name", presets())
def test_types_come_by_income_group_then_by_technology(name: str) -> None:
    economy = economy_of(name, "income_groups.low.battery_only_share=0.1")
    order = [(household.group, TECHNOLOGY_NAMES.index(household.technology)) for household in economy.types]
    assert order == sorted(order)
    assert len(order) == len(set(order))
    assert [economy.groups[household.group] for household in economy.types] == [h.income_group for h in economy.types]


@pytest.mark.parametrize("name", presets())
def test_households_without_pv_use_the_stated_mean(name: str) -> None:
    economy = economy_of(name, "pv_share_scale=0")
    scenario = economy.scenario
    assert {household.technology for household in economy.types} == {"none"}
    groups = scenario.income_groups.values()
    mean_factor = sum(group.share * group.use_factor for group in groups)
    assert mean_factor == pytest.approx(1, abs=0.01)
    kwh = mean_kwh_per_day(economy, economy.mean_reference_kw)
    assert kwh == pytest.approx(scenario.load.use_kwh_per_day * mean_factor, rel=1e-12)
    assert kwh == pytest.approx(scenario.load.use_kwh_per_day, rel=0.01)


@pytest.mark.parametrize("name", presets())
def test_only_owners_of_pv_use_the_multiple_and_have_output(name: str) -> None:
    economy = economy_of(name, "income_groups.low.battery_only_share=0.1", "load.adopter_multiplier=1.5")
    for household in economy.types:
        group = economy.scenario.income_groups[household.income_group]
        multiplier = 1.5 if household.technology.startswith("pv") else 1.0
        expected = economy.scenario.load.use_kwh_per_day * group.use_factor * multiplier
        assert mean_kwh_per_day(economy, household.reference_kw) == pytest.approx(expected, rel=1e-9)
        assert household.pv_kw.any() == household.technology.startswith("pv")
        assert (household.battery is not None) == household.technology.endswith("battery")


@pytest.mark.parametrize(("name", "kwh_per_kw_year"), [("oahu", 1530), ("california", 1562), ("textbook", 4.2 * 365)])
def test_a_year_of_solar_yields_what_the_location_yields(name: str, kwh_per_kw_year: float) -> None:
    economy = economy_of(name)
    for household in economy.types:
        if household.pv_kw.any():
            installed_kw = economy.scenario.income_groups[household.income_group].pv_kw
            yearly = 365 * mean_kwh_per_day(economy, household.pv_kw) / installed_kw
            # the sources round their 24 numbers to three digits: half a thousandth in about 0.4 kW
            assert yearly == pytest.approx(kwh_per_kw_year, rel=2e-3)


@pytest.mark.parametrize("name", presets())
@pytest.mark.parametrize("slots", [48, 96])
def test_finer_slots_carry_the_same_energy_hour_by_hour(name: str, slots: int) -> None:
    hourly, fine = economy_of(name), economy_of(name, f"slots_per_day={slots}")
    assert fine.slot_hours == 24 / slots
    for one, other in zip(hourly.types, fine.types, strict=True):
        for coarse_kw, fine_kw in ((one.reference_kw, other.reference_kw), (one.pv_kw, other.pv_kw)):
            within_hour = fine_kw.reshape(len(fine_kw), 24, slots // 24)
            assert within_hour == pytest.approx(np.repeat(coarse_kw[:, :, None], slots // 24, axis=2), rel=1e-12)
    for tariff in fine.scenario.tariffs:
        coarse_rate = build_tariff(hourly.scenario, tariff).energy_usd_per_kwh
        assert (build_tariff(fine.scenario, tariff).energy_usd_per_kwh == np.repeat(coarse_rate, slots // 24, 1)).all()


@pytest.mark.parametrize("memory", [0, 1, 2])
def test_what_happens_today_depends_on_today_only(memory: int) -> None:
    economy = economy_of("oahu", f"memory={memory}", "day_types.cloudy.rest_load_kw=0.3")
    assert economy.rest_load_kw.shape == (3 ** (memory + 1), 24)
    for kw in (economy.rest_load_kw, economy.types[-1].pv_kw, economy.types[-1].reference_kw):
        for day_type in range(3):
            rows = kw[economy.common.today == day_type]
            assert (rows == rows[0]).all()
    cloudy = economy.common.today == 2
    assert (economy.rest_load_kw[cloudy] == 0.3).all()
    assert (economy.rest_load_kw[~cloudy] == 0).all()


def test_scales_multiply_sizes_and_shares_and_stop_at_everybody() -> None:
    def share(economy: Economy, group: str, ending: str) -> float:
        return sum(h.share for h in economy.types if h.income_group == group and h.technology.endswith(ending))

    base, larger = economy_of("oahu"), economy_of("oahu", "pv_scale=1.5")
    assert larger.types[1].pv_kw == pytest.approx(1.5 * base.types[1].pv_kw, rel=1e-12)
    assert (larger.type_share == base.type_share).all()

    more = economy_of("oahu", "pv_share_scale=2")
    assert share(more, "middle", "none") == pytest.approx(0.40 * (1 - 2 * 0.24), rel=1e-12)
    everybody = economy_of("oahu", "pv_share_scale=3")
    assert share(everybody, "high", "none") == 0  # 3 × 0.44 is capped at 1
    assert share(everybody, "low", "none") == pytest.approx(0.30 * 0.70, rel=1e-12)

    stored = economy_of("oahu", "battery_share_scale=2", "income_groups.low.battery_only_share=0.2")
    assert share(stored, "low", "pv_battery") == pytest.approx(0.30 * 0.10 * 0.70, rel=1e-12)
    alone = sum(h.share for h in stored.types if h.technology == "battery")
    assert alone == pytest.approx(0.30 * 0.90 * 0.40, rel=1e-12)
    assert not any(h.battery for h in economy_of("oahu", "battery_share_scale=0").types)


def test_the_battery_loses_its_round_trip_half_on_either_way() -> None:
    battery = next(household.battery for household in economy_of("california").types if household.battery)
    assert battery.charge_efficiency == battery.discharge_efficiency
    assert battery.charge_efficiency * battery.discharge_efficiency == pytest.approx(0.9, rel=1e-15)
    assert (battery.capacity_kwh, battery.power_limit_kw, battery.wear_usd_per_kwh, battery.levels) == (
        13.5,
        5,
        0.03,
        27,
    )


@pytest.mark.parametrize("name", presets())
def test_household_shocks_have_mean_one(name: str) -> None:
    economy = economy_of(name)
    assert economy.shock_probability @ economy.shock_kernel == pytest.approx(economy.shock_probability, abs=1e-14)
    assert economy.shock_probability @ economy.shock_levels == pytest.approx(1, abs=1e-12)


def test_a_month_is_a_twelfth_of_365_days() -> None:
    assert economy_of("textbook").fixed_cost_usd_per_day == pytest.approx(30 * 12 / 365, rel=1e-15)


def test_the_textbook_peak_is_one_kilowatt() -> None:
    # 20 hours at 0.5 kW and four at 1 kW make 14 kWh
    assert economy_of("textbook").peak_reference_kw == pytest.approx(1, rel=1e-12)
    assert economy_of("textbook").mean_reference_kw[0, 3] == pytest.approx(0.5, rel=1e-12)


def test_an_economy_survives_pickling_for_other_processes() -> None:
    economy = economy_of("california")
    again = pickle.loads(pickle.dumps(economy))
    assert again.scenario == economy.scenario
    assert (again.types[3].pv_kw == economy.types[3].pv_kw).all()
    assert copy.copy(economy).peak_reference_kw == economy.peak_reference_kw


def test_arrays_refuse_to_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        economy_of("textbook").rest_load_kw[0, 0] = 1


def test_the_filed_tariff_of_oahu_follows_the_clock() -> None:
    tariff = build_tariff(load_scenario("oahu"))
    day, peak, night = [0.17] * 8, [0.52] * 4, [0.35]
    assert tariff.energy_usd_per_kwh.tolist() == [night * 9 + day + peak + night * 3] * 3
    assert tariff.export_usd_per_kwh[1, [8, 9, 16, 17, 20, 21]].tolist() == [0.189, 0.135, 0.135, 0.329, 0.329, 0.189]
    assert (tariff.recovery, tariff.export_rule) == (Recovery.POSTED, ExportRule.NET_BILLING)
    assert 365 / 12 * tariff.fixed_charge_usd_per_day == pytest.approx([12] * 3, abs=0.005)


def test_the_filed_tariff_of_california_follows_season_clock_and_income() -> None:
    scenario = load_scenario("california")
    tariff = build_tariff(scenario)
    for row, season in enumerate(scenario.seasons):
        expected = [0.33358, 0.39026, 0.55214, 0.39026] if season == "summer" else [0.28468, 0.29854, 0.32063, 0.29854]
        assert tariff.energy_usd_per_kwh[row, [14, 15, 16, 21]].tolist() == expected
    assert tariff.discount.tolist() == [0.35, 0, 0]
    monthly = 365 / 12 * tariff.fixed_charge_usd_per_day
    assert monthly == pytest.approx([6.00, 12.08, 24.15], abs=0.02)
    # mean over all hours 9.68 cents, as the source states
    assert tariff.export_usd_per_kwh.mean() == pytest.approx(0.0968, abs=5e-4)


def test_a_tariff_may_name_seasons_and_single_day_types_together() -> None:
    energy = "{summer = 0.1, winter = {peak = 0.5, part = 0.3, off = 0.2}, winter_cloudy = 0.9}"
    scenario = load_scenario("california", overrides=[f"tariff.energy_usd_per_kwh = {energy}"])
    rates = build_tariff(scenario).energy_usd_per_kwh
    assert (rates[:3] == 0.1).all()
    assert rates[3, [0, 15, 16]].tolist() == [0.2, 0.3, 0.5]
    assert (rates[5] == 0.9).all()


def test_a_period_may_start_at_half_past() -> None:
    overrides = [
        "slots_per_day=48",
        'tariff.periods = {day = ["9:30-17"], peak = ["17-21"], overnight = ["21-24", "0-9:30"]}',
    ]
    rates = build_tariff(load_scenario("oahu", overrides=overrides)).energy_usd_per_kwh
    assert rates[0, [18, 19, 33, 34, 47]].tolist() == [0.35, 0.17, 0.17, 0.52, 0.35]


def test_an_unknown_tariff_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(ScenarioError) as caught:
        build_tariff(load_scenario("oahu"), "income_graded")
    assert str(caught.value) == "scenario oahu: unknown tariff 'income_graded'; did you mean 'income_graduated'?"
