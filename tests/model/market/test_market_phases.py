"""Homes on one phase: the market is the same to the last bit, and its feeder by phase carries what it draws."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from meanwatt.analysis.cli.simulate_tables import result_tables
from meanwatt.analysis.hosting.phases_report import phases_messages
from meanwatt.analysis.hosting.sweep import HostingPlan
from meanwatt.analysis.simulation.history_tables import history_tables
from meanwatt.analysis.simulation.run_summary import market_phases
from meanwatt.analysis.validation.messages import phase_messages
from meanwatt.model.market.bus_placement import homes_at
from meanwatt.model.market.history import phase_days
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.partitioned_market import Feeders, market_load_kw
from meanwatt.model.network import phase_droop
from meanwatt.model.network.feeder import build_feeder
from meanwatt.model.network.phase_flow import PhaseFlow
from meanwatt.model.network.phase_homes import customers_by_phase, homes_messages
from meanwatt.model.network.power_flow import VoltageLimits, hours_outside
from meanwatt.model.scenario.economy import build_economy
from meanwatt.model.scenario.identity import identifying_table
from meanwatt.model.scenario.loading import Scenario, load_scenario


def scenario(**keys: Any) -> Scenario:
    given = {"name": "lv_four_wire", "phases": "one"} | keys
    return load_scenario("textbook", overrides={f"feeder.{key}": value for key, value in given.items()})


@cache
def market(households: int = 24, days: int = 2, behaviour: str = "passive", **keys: Any) -> ProsumerMarket:
    found = ProsumerMarket(scenario(**keys), households=households, rng=3, behaviour=behaviour)
    for _ in range(days):
        found.step()
    return found


@pytest.mark.parametrize("curve", ["losses_bought", "volt_watt.enabled", "volt_var.enabled"])
def test_prices_bills_and_meters_are_those_of_alike_phases(curve: str) -> None:
    one, three = (market(phases=phases, **{curve: True}) for phases in ("one", "three"))
    assert one.day_digest == three.day_digest
    np.testing.assert_array_equal(one.population.bill_usd, three.population.bill_usd)
    for ours, theirs in zip(one.history, three.history, strict=True):
        assert ours.grid is not None
        assert theirs.grid is not None
        assert theirs.grid.phases is None
        np.testing.assert_array_equal(ours.grid.voltage_pu, theirs.grid.voltage_pu)
        np.testing.assert_array_equal(ours.wholesale_usd_per_kwh, theirs.wholesale_usd_per_kwh)


@pytest.mark.parametrize("households", [10, 24, 300])
@pytest.mark.parametrize("name", ["lv_four_wire", "lv_semiurban"])
def test_phases_carry_together_what_the_bus_carries(name: str, households: int) -> None:
    for record in market(households, name=name).history:
        assert record.grid is not None
        by_phase = record.grid.phases
        assert by_phase is not None
        np.testing.assert_allclose(by_phase.net_load_kw.sum(axis=2), record.grid.net_load_kw, atol=1e-9)


@pytest.mark.parametrize("keys", [{"residents.incomes": "far"}, {"branches.end": "2-08"}], ids=str)
def test_phases_carry_what_the_bus_carries_wherever_households_live(keys: dict[str, str]) -> None:
    """Homes dealt to buses by who lives where are on the phases of those buses."""
    for households in (24, 99):
        found = market(households, name="lv_four_wire", **keys, **{"volt_watt.enabled": True})
        for record in found.history:
            assert record.grid is not None
            by_phase = record.grid.phases
            assert by_phase is not None
            np.testing.assert_allclose(by_phase.net_load_kw.sum(axis=2), record.grid.net_load_kw, atol=1e-9)
            assert not by_phase.net_load_kw[:, found.feeder.phases.customers == 0].any()  # type: ignore[union-attr]


def test_homes_that_a_file_puts_where_no_customer_is_draw_from_all_phases(tmp_path: Path) -> None:
    rows = "\n".join(f"station,{group},4" for group in ("low", "middle", "high"))
    homes = tmp_path / "homes.csv"
    homes.write_text(f"bus,income_group,homes\n{rows}\n1-01,low,2\n")
    found = market(24, name="lv_four_wire", **{"residents.file": str(homes)})
    at = found.feeder.index("station")
    for record in found.history:
        assert record.grid is not None
        assert record.grid.phases is not None
        by_phase, all_kw = record.grid.phases.net_load_kw, record.grid.net_load_kw
        np.testing.assert_allclose(by_phase[:, at], np.repeat(all_kw[:, [at]] / 3, 3, axis=1), atol=1e-9)
        np.testing.assert_allclose(by_phase.sum(axis=2), all_kw, atol=1e-9)
    said = "feeder.phases: homes at station, where the feeder has no customers, draw from all phases alike."
    assert said in found.messages
    assert said in phase_messages(found.economy, ("grid",))
    scenario = found.economy.scenario
    plan = HostingPlan(feeder=found.feeder, scenarios={"a": scenario}, levels=(0.0, 1.0), placements=1, key=1)
    assert said in tuple(phases_messages(plan))


@pytest.mark.parametrize("households", [1, 30, 97])
def test_parts_of_a_market_by_residents_have_its_homes_by_phase(households: int) -> None:
    share = np.array([[0.2, 0.5, 0.3], [0.0, 1.0, 0.0]])
    parts = np.array([[1, 1, 0, 0], [0, 2, 1, 1], [0, 0, 0, 0]])
    whole = homes_at(share, parts, key=9, count=np.array([households, 20]), first_rank=np.zeros(2, dtype=int))
    cut = households // 3
    two = [
        homes_at(share, parts, key=9, count=np.array(count), first_rank=np.array(first))
        for count, first in (((cut, 5), (0, 0)), ((households - cut, 15), (cut, 5)))
    ]
    np.testing.assert_array_equal(two[0] + two[1], whole)
    assert not whole[:, :2][:, parts[:2] == 0].any()
    assert np.abs(whole[1, 1] - [0, 10, 5, 5]).max() <= 1
    np.testing.assert_array_equal(whole[0, 2], [0, 0, 0, whole[0, 2].sum()])


def test_the_home_of_a_bus_is_on_the_phase_that_its_feeder_says() -> None:
    found = market(240)
    feeder = found.feeder
    assert feeder.phases is not None
    elsewhere = feeder.phases.customers == 0
    for _, day in phase_days(found.history):
        assert not day.net_load_kw[:, elsewhere].any()
        assert np.abs(day.net_load_kw[:, ~elsewhere]).max() > 0


def test_homes_of_unknown_phase_are_drawn_by_the_seed_each_alike() -> None:
    """99 homes, a third each: 33 ± 4 standard deviations of 4.7; the draw of a bus does not depend on the others."""
    feeder = build_feeder("lv_rural", peak_reference_kw=1.4)
    one, two = (customers_by_phase(feeder, seed) for seed in (0, 1))
    assert (one != two).any()
    np.testing.assert_array_equal(one, customers_by_phase(feeder, 0))
    total = np.sum([customers_by_phase(feeder, seed) for seed in range(30)], axis=(0, 1))
    assert total[3] == 0
    assert np.abs(total[:3] - 990).max() < 4 * np.sqrt(2970 * 2 / 9)
    smaller = build_feeder("lv_semiurban", peak_reference_kw=1.4)
    np.testing.assert_array_equal(customers_by_phase(smaller, 0)[2:10], one[2:10])
    assert "the phase of 99 of 99 homes is not in the feeder's data and drawn" in homes_messages(feeder, one, 0)[0]
    four = build_feeder("lv_four_wire", peak_reference_kw=1.4)
    assert customers_by_phase(four, 5).sum(axis=0).tolist() == [12, 7, 5, 0]
    assert homes_messages(four, customers_by_phase(four, 5), 5) == ()


def test_what_is_assumed_drawn_or_coarse_is_said() -> None:
    said = " ".join(market(50, days=0, name="lv_rural", r0_per_r1=3.0, phase_seed=2).messages)
    assert (
        "feeder.phases: the phase of 99 of 99 homes is not in the feeder's data and drawn (feeder.phase_seed = 2)"
        in said
    )
    assert "99 of 99 lines have no zero-sequence data; r0 = 3 r1 and x0 = 4 x1 are taken" in said
    assert "1 transformers give no vector group or no zero-sequence impedance; Dyn11" in said
    assert "50 simulated households stand for 99 homes, so phases are less even" in said
    assert not any("phases" in one for one in market(24, days=0).messages)
    without = ProsumerMarket(scenario(), households=10, behaviour="passive", power_flow=False)
    assert 'feeder.phases = "one": not in force here, for this market runs without a power flow.' in without.messages


@pytest.mark.parametrize("name", ["textbook_line_5", "baran_wu_33"])
def test_homes_on_medium_voltage_are_not_on_one_phase(name: str) -> None:
    with pytest.raises(
        ValueError, match=r"^feeder.phases is \"one\" but bus '.*' has customers at .* kV; give a low-voltage"
    ):
        market(24, days=0, name=name)


def test_a_divided_market_has_the_phases_of_the_whole() -> None:
    economy = build_economy(scenario())
    whole = ProsumerMarket(economy, households=97, rng=(5, 2), behaviour="passive")
    parts = Feeders(economy, households=97, feeders=3, first=0, last=3, behaviour="passive", rng=(5, 2))
    whole.step()
    parts.settle(market_load_kw([parts.live()], 97, economy.slot_hours))
    share = np.sum([one.households for one in parts.markets])
    assert share == 97
    ((_, day),) = phase_days(whole.history)
    theirs = [next(phase_days(one.history))[1].net_load_kw * one.households for one in parts.markets]
    np.testing.assert_allclose(np.sum(theirs, axis=0) / 97, day.net_load_kw, atol=1e-9)


def test_slots_without_a_state_by_phase_are_named_and_in_no_sum() -> None:
    """A cable of forty times the reactance: a phase cannot carry what three alike can."""
    found = market(24, days=1, x0_per_x1=4.0, name="lv_semiurban", r0_per_r1=100.0)
    economy = found.economy
    stress = market_phases(found)
    assert stress is not None
    ((_, day),) = phase_days(found.history)
    assert np.isnan(day.voltage_pu[~day.solved]).all()
    assert stress.hours_unsolved == (~day.solved).sum() * economy.slot_hours
    if not day.solved.all():
        assert any("Power flow by phase: no state found" in said for said in found.messages)


def test_the_summary_is_that_of_the_slots() -> None:
    found = market(24, days=3)
    stress = market_phases(found)
    assert stress is not None
    days = [day for _, day in phase_days(found.history)]
    voltage = np.concatenate([day.voltage_pu for day in days])
    unbalance = np.concatenate([day.unbalance_percent for day in days])
    assert (stress.voltage_min_pu, stress.voltage_max_pu) == (voltage.min(), voltage.max())
    assert stress.unbalance_max_percent == unbalance.max()
    assert stress.most_uneven_bus == found.bus_names[int(unbalance.max(axis=0).argmax())]
    for place, name in enumerate("abc"):
        outside = hours_outside(voltage[:, :, place], VoltageLimits.ANSI_C84_1, found.slot_hours)
        assert stress.bus_hours_outside_limits[name] == outside.sum()
    assert stress.homes_by_phase == {"a": 12, "b": 7, "c": 5, "abc": 0}
    assert stress.hours == 72
    assert stress.loss_kwh > sum(record.grid.loss_kw.sum() for record in found.history if record.grid)
    assert np.sort(unbalance, axis=0)[68].max() <= stress.unbalance_95_percent <= unbalance.max()


def sunny(**keys: Any) -> ProsumerMarket:
    """A market whose roofs raise voltages above where volt-var begins."""
    more = {f"feeder.{key}": value for key, value in ({"name": "lv_four_wire", "phases": "one"} | keys).items()}
    asked = load_scenario("oahu", overrides=more | {"pv_share_scale": 3.0, "pv_scale": 2.0, "battery_share_scale": 0.0})
    found = ProsumerMarket(asked, households=24, rng=3, behaviour="passive")
    found.step()
    return found


def test_inverters_answer_to_the_voltage_of_their_own_phase() -> None:
    """Reactive power is drawn where a phase is high; energy, bills and prices do not change."""
    plain, curved = sunny(), sunny(**{"volt_var.enabled": True})
    assert plain.day_digest == curved.day_digest
    ((_, without),), ((_, found),) = phase_days(plain.history), phase_days(curved.history)
    assert without.inverters is None
    inverters = found.inverters
    assert inverters is not None
    assert inverters.fixed_point.all()
    assert inverters.residual_pu.max() <= 1e-9
    assert inverters.starts_differ_pu.max() < 1e-8
    np.testing.assert_array_equal(found.net_load_kw, without.net_load_kw)
    acts = inverters.fed_in_kvar < -0.1
    assert acts.any()
    high = without.voltage_pu.max(axis=(1, 2))
    assert (found.voltage_pu.max(axis=(1, 2))[acts & (high > 1.03)] < high[acts & (high > 1.03)]).all()
    np.testing.assert_array_equal(found.voltage_pu[:4], without.voltage_pu[:4])  # at night nobody can
    stress = market_phases(curved)
    assert stress is not None
    assert stress.volt_var is not None
    assert stress.volt_var.most_kvar_drawn == -inverters.fed_in_kvar.min()
    assert stress.volt_var.hours_without_fixed_point == 0.0
    assert stress.to_json()["volt_var"]["residual_pu"] == inverters.residual_pu.max()
    from meanwatt.analysis.cli.simulate_tables import _phases

    drawn = f"{stress.volt_var.most_kvar_drawn:.2f}"
    assert ("drawn by volt-var", drawn, "kvar at most") in _phases(stress.to_json()).rows


def test_hours_in_which_curve_and_phases_do_not_agree_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phase_droop, "MOST_FLOWS", 1)
    found = sunny(**{"volt_var.enabled": True})
    ((_, day),) = phase_days(found.history)
    assert day.inverters is not None
    apart = ~day.inverters.fixed_point
    assert apart.any()
    assert np.isnan(day.voltage_pu[apart]).all()
    said = f"feeder.volt_var by phase: curve and voltages do not agree in {apart.sum() * found.slot_hours:g} hours"
    assert any(one.startswith(said) for one in found.messages)
    assert not any("Power flow by phase: no state" in one for one in found.messages)


def test_tables_hold_voltage_and_unbalance_of_every_phase() -> None:
    found = market(24)
    tables = history_tables(found.history)
    days = [day for _, day in phase_days(found.history)]
    for place, name in enumerate("abc"):
        column = tables["bus_slots"][f"voltage_{name}_pu"]
        np.testing.assert_array_equal(column, np.array([day.voltage_pu[..., place] for day in days]).ravel())
    np.testing.assert_array_equal(tables["bus_slots"]["unbalance_percent"][:26], days[0].unbalance_percent[0])
    assert tables["slots"]["max_unbalance_percent"][0] == days[0].unbalance_percent[0].max()
    plain = history_tables(market(24, phases="three").history)
    assert not any("phase" in name or "unbalance" in name for table in plain.values() for name in table)


def test_people_see_a_table_by_phase() -> None:
    found = market_phases(market(24))
    assert found is not None
    from meanwatt.analysis.cli.simulate_tables import _phases

    rows = {row[0]: row[1:] for row in _phases(found.to_json()).rows}
    assert rows["homes"] == ("12 on a, 7 on b, 5 on c", "")
    assert rows["lowest phase voltage"] == (f"{found.voltage_min_pu:.4f}", f"pu, at bus {found.min_bus}")
    assert result_tables({"metrics": None}) == []


def test_studies_of_earlier_versions_have_the_same_identity() -> None:
    """Keys that say nothing are not in what identifies a scenario."""
    table = identifying_table(load_scenario("textbook"))["feeder"]
    assert not {"phases", "phase_seed", "r0_per_r1", "x0_per_x1"} & set(table)


def test_a_market_by_phase_is_the_power_flow_of_its_homes() -> None:
    """What the phases of one day are, by a power flow of our own from the day's loads."""
    found = market(24, days=1)
    ((_, day),) = phase_days(found.history)
    record = found.history[0]
    assert record.grid is not None
    feeder = found.feeder
    flow = PhaseFlow(feeder)
    assert feeder.phases is not None
    p_kw = record.grid.net_load_kw[..., None] * feeder.phases.customers
    q_kvar = p_kw * feeder.kvar_per_kw[:, None]  # nobody here has solar or a battery
    if all(t.pv_installed_kw == 0 and not t.battery for t in found.household_types):
        np.testing.assert_allclose(flow.solve(p_kw, q_kvar).voltage_pu, day.voltage_pu, atol=1e-9)
    else:
        assert np.abs(flow.solve(p_kw, 0 * q_kvar).voltage_pu - day.voltage_pu).max() < 0.05
