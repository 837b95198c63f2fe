"""Volt-watt in the finite market: meters, sums, bills and the feeder agree, and without it nothing changes."""

import copy
import hashlib
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from meanwatt.model.market.history import DayRecord
from meanwatt.model.market.home_day import Morning, home_day
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.network.power_flow import PowerFlow
from meanwatt.model.scenario.economy import Economy, build_economy
from meanwatt.model.scenario.loading import load_scenario

SUNNY = {"feeder.name": "lv_rural", "pv_share_scale": 3.0, "pv_scale": 3.0}
"""So much sun on a feeder of 99 homes that its end passes 1.06 pu."""
WATT = {"feeder.volt_watt.enabled": True}


def economy(**changes: Any) -> Economy:
    return build_economy(load_scenario("textbook", overrides={**SUNNY, **changes}, tariff="filed"))


def market(where: Economy, **settings: Any) -> ProsumerMarket:
    return ProsumerMarket(where, **{"households": 99, "behaviour": "passive", "rng": 3} | settings)


def lived(where: Economy, days: int = 1, **settings: Any) -> ProsumerMarket:
    made = market(where, **settings)
    for _ in range(days):
        made.step()
    return made


@pytest.fixture(scope="module")
def without() -> Iterator[ProsumerMarket]:
    made = lived(economy())
    yield made
    made.close()


@pytest.fixture(scope="module")
def acting() -> Iterator[ProsumerMarket]:
    made = lived(economy(**WATT))
    yield made
    made.close()


def grid(record: DayRecord) -> Any:
    assert record.grid is not None
    return record.grid


def test_meters_show_what_is_held_back_and_nothing_else(acting: ProsumerMarket, without: ProsumerMarket) -> None:
    people, held = acting.population, acting.held_kwh
    assert held is not None
    kinds = people.type_index
    expected = without.population.energy_kwh + held[kinds, people.bus].astype(np.float32)
    assert np.array_equal(people.energy_kwh, expected)
    solar = np.array([t.pv_installed_kw > 0 for t in acting.household_types])
    assert held[solar].max() > 1
    assert (held >= 0).all()
    assert not held[~solar].any()
    assert np.array_equal(people.level, without.population.level)


def test_what_inverters_hold_back_is_not_taken_for_what_homes_curtail(acting: ProsumerMarket) -> None:
    assert acting.power_flow is not None
    held = acting.power_flow.held_by_bus_kw
    assert held is not None
    assert held.max() > 1
    assert acting.power_flow.curtailed_by_bus_kw is not None
    assert not acting.power_flow.curtailed_by_bus_kw.any()


def test_the_sums_of_the_day_are_those_of_the_meters(acting: ProsumerMarket, without: ProsumerMarket) -> None:
    record, plain = acting.history[0], without.history[0]
    hours = acting.slot_hours
    mean = acting.population.energy_kwh.mean(axis=0, dtype=np.float64) / hours
    assert record.net_load_kw == pytest.approx(mean, abs=1e-9)
    held = grid(record).inverters.held_kw
    assert record.net_load_kw - plain.net_load_kw == pytest.approx(held, abs=1e-6)
    assert record.curtailed_kw - plain.curtailed_kw == pytest.approx(held, abs=1e-6)
    assert record.use_kw == pytest.approx(plain.use_kw, abs=1e-6)
    assert grid(record).net_load_kw.sum(axis=1) == pytest.approx(mean * acting.feeder.customers.sum(), abs=1e-3)


def test_every_inverter_stands_on_its_curve_at_the_voltage_of_a_plain_power_flow(acting: ProsumerMarket) -> None:
    """The oracle: a power flow of the day's net loads, and the curve written out home by home."""
    state, held, scale = grid(acting.history[0]), acting.held_kwh, 1.0
    assert held is not None
    c = acting.history[0].common_state
    for kind, household in enumerate(acting.household_types):
        floor = 0.0 if household.technology == "pv_battery" else 0.2
        for bus in np.flatnonzero(acting.population.customers_at[kind]):
            for slot in range(acting.economy.slots):
                sun = household.pv_kw[c, slot]
                part = 1 - (1 - floor) * (state.voltage_pu[slot, bus] - 1.06) / 0.04
                limit = household.pv_installed_kw * min(max(part, floor), 1.0)
                output = sun - held[kind, bus, slot] / acting.slot_hours
                assert output == pytest.approx(min(sun, limit), abs=1e-5 * scale)


def test_the_state_is_that_of_the_plain_power_flow_at_the_loads_recorded(acting: ProsumerMarket) -> None:
    record = acting.history[0]
    feeder = acting.feeder
    use = np.zeros((acting.economy.slots, len(feeder.buses)))
    for kind, household in enumerate(acting.household_types):
        sun = household.pv_kw[record.common_state][:, None]
        count = acting.population.customers_at[kind]
        use += count * sun - acting.held_kwh[kind].T / acting.slot_hours  # type: ignore[index]
    use += (
        np.array(
            [
                np.bincount(acting.population.bus, acting.population.energy_kwh[:, h], len(feeder.buses))
                for h in range(acting.economy.slots)
            ]
        )
        / acting.slot_hours
    )
    found = PowerFlow(feeder).solve(grid(record).net_load_kw, use * feeder.kvar_per_kw)
    assert grid(record).voltage_pu == pytest.approx(found.voltage_pu, abs=1e-7)
    assert grid(record).inverters.fixed_point.all()
    assert grid(record).inverters.residual_pu.max() <= 1e-9
    assert grid(record).inverters.starts_differ_pu.max() < 1e-8


def test_voltages_are_lower_with_it_and_who_sits_at_the_end_loses_most(
    acting: ProsumerMarket, without: ProsumerMarket
) -> None:
    assert acting.today["max_voltage_pu"] < without.today["max_voltage_pu"] - 0.005
    found, feeder = grid(acting.history[0]).inverters, acting.feeder
    kind = int(np.argmax(found.held_kwh.sum(axis=1)))
    homes = np.flatnonzero(acting.population.customers_at[kind])
    far = dict.fromkeys(homes.tolist(), 0)
    for bus in far:
        at = bus
        while at >= 0:
            at, far[bus] = int(feeder.parent[at]), far[bus] + 1
    nearest, farthest = min(far, key=far.__getitem__), max(far, key=far.__getitem__)
    assert found.held_kwh[kind, farthest] > found.held_kwh[kind, nearest]


def test_bills_are_those_of_the_meters(acting: ProsumerMarket) -> None:
    record = acting.history[0]
    types = acting.household_types
    standing = acting.utility.standing_usd_per_day(types)
    for kind, household in enumerate(types):
        rows = acting.population.of_type(kind)
        energy = acting.population.energy_kwh[rows].astype(np.float64)
        discount = 1 - acting.utility.tariff.discount[household.group]
        bought, sold = record.import_usd_per_kwh * discount, record.export_usd_per_kwh
        if acting.utility.tariff.export_rule == "net_metering":
            sold = bought
        expected = (energy * np.where(energy > 0, bought, sold)).sum(axis=1) + standing[kind]
        assert acting.population.bill_usd[rows] == pytest.approx(expected, abs=1e-9)


def test_a_home_is_told_what_was_held_back(acting: ProsumerMarket) -> None:
    made = market(acting.economy)
    morning = Morning.of(made.population)
    made.step()
    people, held = made.population, made.held_kwh
    assert held is not None
    worst = int(np.argmax(held.sum(axis=2)[people.type_index, people.bus]))
    day = home_day(made, morning, worst)
    own = held[people.type_index[worst], people.bus[worst]]
    assert own.sum() > 1
    assert day.curtailed_kw == pytest.approx(own / made.slot_hours, abs=1e-12)
    assert day.net_load_kw == pytest.approx(day.use_kw + day.battery_kw - day.solar_kw + day.curtailed_kw, abs=1e-5)
    assert day.bill_usd == pytest.approx(made.population.bill_usd[worst], abs=1e-12)
    made.close()


def test_curves_that_never_act_leave_every_meter_as_it_is_to_the_bit(without: ProsumerMarket) -> None:
    idle = lived(economy(**WATT, **{"feeder.volt_watt.v1_pu": 1.3, "feeder.volt_watt.v2_pu": 1.4}))
    assert idle.day_digest == without.day_digest
    assert np.array_equal(idle.population.bill_usd, without.population.bill_usd)
    assert np.array_equal(grid(idle.history[0]).voltage_pu, grid(without.history[0]).voltage_pu)
    idle.close()


def test_the_digest_is_that_of_the_meters_and_threads_change_nothing(acting: ProsumerMarket) -> None:
    assert acting.day_digest == [hashlib.sha256(acting.population.energy_kwh.astype("<f4").tobytes()).hexdigest()]
    one, three = (lived(acting.economy, households=11_000, threads=threads) for threads in (1, 3))
    assert one.held_kwh is not None
    assert one.held_kwh.any()
    assert three.day_digest == one.day_digest
    for made in (one, three):
        made.close()


def test_a_market_goes_on_from_a_copy_as_it_would_have(acting: ProsumerMarket) -> None:
    made = lived(acting.economy)
    other = pickle.loads(pickle.dumps(made))
    twin = copy.deepcopy(made)
    for one in (made, other, twin):
        one.step()
    assert made.day_digest == other.day_digest == twin.day_digest
    for one in (made, other, twin):
        one.close()


def test_volt_var_lowers_the_voltage_and_leaves_the_meters_alone(without: ProsumerMarket) -> None:
    var = lived(economy(**{"feeder.volt_var.enabled": True}))
    found = grid(var.history[0]).inverters
    assert var.day_digest == without.day_digest
    assert var.today["max_voltage_pu"] < without.today["max_voltage_pu"] - 1e-3
    assert found.fed_in_kvar.min() < -1
    assert not found.held_kwh.any()
    var.close()


def test_losses_are_bought_at_the_wholesale_price_where_the_utility_buys_them(without: ProsumerMarket) -> None:
    buys = lived(economy(**{"feeder.losses_bought": True}))
    record = buys.history[0]
    share = buys.households / buys.feeder.customers.sum()
    expected = float(record.wholesale_usd_per_kwh @ grid(record).loss_kw) * buys.slot_hours * share
    assert record.account.loss_cost_usd == pytest.approx(expected, rel=1e-12)
    plain = without.history[0].account
    assert plain.loss_cost_usd == 0
    assert record.account.surplus_usd == pytest.approx(plain.surplus_usd - expected, rel=1e-9)
    assert buys.day_digest == without.day_digest
    buys.close()


def test_a_market_without_a_power_flow_says_that_curves_are_not_in_force(without: ProsumerMarket) -> None:
    plain = lived(economy(**WATT), power_flow=False)
    said = "feeder.volt_watt.enabled = true: not in force here, for this market runs without a power flow."
    assert said in plain.messages
    assert plain.day_digest == without.day_digest
    plain.close()


def test_a_feeder_where_nobody_has_solar_is_as_without_curves_to_the_bit() -> None:
    both = {**WATT, "feeder.volt_var.enabled": True}
    plain, dark = (lived(economy(pv_share_scale=0.0, **curves)) for curves in ({}, both))
    assert dark.day_digest == plain.day_digest
    found = grid(dark.history[0]).inverters
    assert not found.held_kwh.any()
    assert not found.held_kw.any()
    for one in (plain, dark):
        one.close()


def test_a_feeder_whose_curves_have_no_answer_says_so_and_holds_nobody_back() -> None:
    """A search allowed one power flow never gets there: the hours are named, and meters are as without the curves."""
    from meanwatt.model.network import droop

    with pytest.MonkeyPatch.context() as patch:
        for most in ("MOST_FLOWS", "MOST_STEPS"):
            patch.setattr(droop, most, 1)
        stuck = lived(economy(**WATT))
    record = grid(stuck.history[0])
    apart = ~record.inverters.fixed_point
    assert apart.any()
    assert np.isnan(record.voltage_pu[apart]).all()
    assert not record.solved[apart].any()
    assert not record.inverters.held_kw[apart].any()
    assert any("curves and voltages do not agree in" in said for said in stuck.messages)
    stuck.close()
