"""What a run says of its inverters, losses and transformer adds up to what its days were."""

from typing import Any

import numpy as np
import pytest

from meanwatt.analysis.cli.simulate_tables import result_tables
from meanwatt.analysis.metrics.transformer_ageing import Thermal, transformer_ageing
from meanwatt.analysis.notebook.simulated import SimulatedMarket, compare
from meanwatt.analysis.output.strict_json import dumps
from meanwatt.analysis.simulation.history_tables import history_tables
from meanwatt.analysis.simulation.inverter_report import roof_days, without_volt_watt_kw
from meanwatt.analysis.simulation.simulation import Simulation, simulate
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.network.located_economy import build_located_economy
from meanwatt.model.scenario.economy import Economy, build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

SUNNY = {
    "feeder.name": "lv_rural",
    "pv_share_scale": 3.0,
    "pv_scale": 3.0,
    "battery_share_scale": 0.0,
    "tariff.recovery": "posted",
}
DAYS, HOMES = 2, 99


def economy(**changes: Any) -> Economy:
    return build_economy(load_scenario("textbook", overrides={**SUNNY, **changes}, tariff="filed"))


def run(where: Economy, equilibrium: Equilibrium | None = None) -> Simulation:
    return simulate(
        where,
        build_tariff(where.scenario),
        equilibrium=equilibrium,
        behaviour="passive",
        households=HOMES,
        days=DAYS,
        seed=5,
    )


@pytest.fixture(scope="module")
def solved() -> Equilibrium:
    where = economy(**{"feeder.volt_watt.enabled": True, "feeder.losses_bought": True})
    return solve_equilibrium(where, build_tariff(where.scenario), certify=False)


@pytest.fixture(scope="module")
def acting(solved: Equilibrium) -> Simulation:
    return run(solved.economy, solved)


@pytest.fixture(scope="module")
def without() -> Simulation:
    return run(economy())


def test_without_curves_nothing_is_said_of_inverters_and_losses_cost_nothing(without: Simulation) -> None:
    assert without.inverters is None
    assert without.losses is not None
    assert without.losses["usd_per_household_day"] is None
    assert "roof_days" not in history_tables(without.history)
    assert "volt_watt_kw" not in without.history.slots


def test_the_report_adds_up_to_the_days(acting: Simulation, without: Simulation) -> None:
    found, households = acting.inverters, HOMES
    assert found is not None
    assert without.curtailed_kwh_per_household_day is not None
    assert acting.curtailed_kwh_per_household_day is not None
    more = acting.curtailed_kwh_per_household_day - without.curtailed_kwh_per_household_day
    total = found["curtailed_kwh_per_household_day"]
    assert total > 0.1
    assert total == pytest.approx(more, abs=1e-6)
    for rows, count in (("curtailed_kwh_by_bus", "households_with_solar"), ("curtailed_kwh_by_type", "households")):
        assert sum(row["kwh_per_household_day"] * row[count] for row in found[rows]) / households == pytest.approx(
            total
        )
        assert all(0 <= row["share_of_solar"] < 1 for row in found[rows])
    most = found["most_curtailed_household"]
    assert most["kwh_per_day"] >= max(row["kwh_per_household_day"] for row in found["curtailed_kwh_by_bus"])
    assert 0 < found["hours_curtailed"] < 24 * DAYS
    assert found["hours_without_fixed_point"] == 0
    assert found["residual_pu"] <= 1e-9
    assert found["starts_differ_pu"] < 1e-8
    assert found["volt_watt"] == {
        "v1_pu": 1.06,
        "v2_pu": 1.1,
        "p1": 1.0,
        "p2": 0.2,
        "p2_storage": 0.0,
        "reference": "rated",
    }
    assert found["volt_var"] is None
    dumps(found)


def test_homes_are_told_apart_in_a_table_that_adds_up(acting: Simulation) -> None:
    table = roof_days(acting.history)
    assert set(table["day"]) == set(range(DAYS))
    assert (table["volt_watt_kwh"] <= table["available_kwh"]).all()
    assert acting.inverters is not None
    by_bus = {row["bus"]: row for row in acting.inverters["curtailed_kwh_by_bus"]}
    assert set(table["bus"]) == set(by_bus)
    one_home = table.groupby("bus")["technology"].nunique() == 1
    bus = next(name for name in by_bus if one_home[name] and by_bus[name]["households_with_solar"] == 1)
    mean = table[table["bus"] == bus]["volt_watt_kwh"].sum() / DAYS
    assert mean == pytest.approx(by_bus[bus]["kwh_per_household_day"])
    assert "roof_days" in history_tables(acting.history)


def test_the_distance_from_the_mean_field_is_told_with_and_without_it(acting: Simulation, solved: Equilibrium) -> None:
    found = acting.inverters
    assert found is not None
    states = [record.common_state for record in acting.history]
    gap = acting.history.stacked("net_load_kw") - solved.net_load_kw[states]
    told = found["net_load_distance_kw"]
    assert told["with_volt_watt"] == pytest.approx(np.sqrt((gap**2).mean()))
    assert told["without_volt_watt"] < told["with_volt_watt"]
    market = SimulatedMarket(equilibrium=solved, simulation=acting, households=HOMES)
    compared = compare(market, solved)
    assert compared.net_load_error_kw == pytest.approx(told["with_volt_watt"])
    assert compared.net_load_error_without_volt_watt_kw == pytest.approx(told["without_volt_watt"])
    assert ("if volt-watt held nobody back", f"{told['without_volt_watt']:.4f} kW per household") in compared.rows()


def test_load_without_volt_watt_is_that_of_the_run_without_it(acting: Simulation, without: Simulation) -> None:
    assert without_volt_watt_kw(acting.history) == pytest.approx(without.history.stacked("net_load_kw"), abs=1e-6)


def test_losses_bought_are_a_cost_of_supply_and_of_the_utility(solved: Equilibrium) -> None:
    plain = run(economy(**{"feeder.volt_watt.enabled": True}))
    buys = run(solved.economy)
    assert plain.metrics is not None
    assert buys.metrics is not None
    assert buys.losses is not None
    cost = buys.losses["usd_per_household_day"]
    assert cost < -0.01  # at noon the price is below zero, and so much sun loses much
    assert buys.metrics.supply_cost_usd_per_household_day - plain.metrics.supply_cost_usd_per_household_day == (
        pytest.approx(cost)
    )
    assert plain.metrics.surplus_usd_per_household_day - buys.metrics.surplus_usd_per_household_day == (
        pytest.approx(cost)
    )
    assert plain.metrics.welfare_usd_per_household_day - buys.metrics.welfare_usd_per_household_day == (
        pytest.approx(cost)
    )
    assert buys.day_digest == plain.day_digest


def test_the_transformer_ages_as_its_loading_has_it(acting: Simulation) -> None:
    loading = np.concatenate([record.grid.transformer_loading for record in acting.history if record.grid])
    assert acting.ageing == transformer_ageing(loading, 1.0, Thermal())
    hot = run(economy(**{"feeder.ageing.ambient_celsius": 26.0}))
    cool = run(economy())
    assert hot.ageing is not None
    assert cool.ageing is not None
    assert hot.ageing.relative_ageing == pytest.approx(2 * cool.ageing.relative_ageing)


def test_the_tables_print_the_curve_and_who_loses_most(acting: Simulation) -> None:
    assert acting.metrics is not None
    assert acting.feeder is not None
    assert acting.losses is not None
    assert acting.ageing is not None
    result = {
        "metrics": acting.metrics.to_json(),
        "feeder": acting.feeder.to_json(),
        "inverters": acting.inverters,
        "losses": acting.losses,
        "transformer_ageing": acting.ageing.to_json(),
        "behaviours": acting.behaviours,
        "curtailed_kwh_per_household_day": acting.curtailed_kwh_per_household_day,
        "unmet_trip_kwh_per_household_day": 0.0,
    }
    overall, inverters = result_tables(result)
    names = [row[0] for row in inverters.rows]
    assert {"held back", "who loses most", "net load, nobody held back", "volt-watt"} <= set(names)
    assert ("volt-watt", "(1.06, 1) (1.1, 0.2)", "pu, of rated power; 0 with a battery") in inverters.rows
    assert {"losses bought", "transformer, ageing", "line overloaded"} <= {row[0] for row in overall.rows}


def test_household_types_on_branches_are_told_apart() -> None:
    changes = {**SUNNY, "feeder.volt_watt.enabled": True, "feeder.branches.far": "1-08"}
    found = run(build_located_economy(load_scenario("textbook", overrides=changes, tariff="filed")))
    assert found.inverters is not None
    names = [(one["income"], one["technology"], one["branch"]) for one in found.inverters["curtailed_kwh_by_type"]]
    assert len(set(names)) == len(names)
    assert {branch for *_, branch in names} == {"rest", "far"}
