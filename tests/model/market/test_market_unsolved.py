"""Hours in which the feeder has no state: counted, named, and left out of every sum and extreme."""

import math
from collections.abc import Iterator

import numpy as np
import pytest

from meanwatt.analysis.simulation.simulation import Simulation, simulate
from meanwatt.model.market.history import SUMMARY
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import Scenario, load_scenario

DAYS = 2


def sunny(pv_scale: float) -> Scenario:
    """So much sun that the feeder collapses around noon, no state of it being left; nobody has a battery."""
    changes = {"pv_scale": pv_scale, "battery_share_scale": 0.0}
    return load_scenario("textbook", overrides=changes, tariff="filed")


@pytest.fixture(scope="module")
def market() -> Iterator[ProsumerMarket]:
    made = ProsumerMarket(sunny(80.0), households=50, behaviour="passive", rng=0)
    for _ in range(DAYS):
        made.step()
    yield made
    made.close()


@pytest.fixture(scope="module")
def run() -> Simulation:
    scenario = sunny(80.0)
    economy, tariff = build_economy(scenario), build_tariff(scenario)
    return simulate(economy, tariff, equilibrium=None, behaviour="passive", households=50, days=DAYS, seed=0)


def test_a_slot_without_a_state_is_marked_and_undefined_in_every_figure(market: ProsumerMarket) -> None:
    assert market.power_flow is not None
    assert market.power_flow.result is not None
    last = market.history[-1].grid
    assert last is not None
    assert (last.solved == market.power_flow.result.converged).all()
    for record in market.history:
        assert record.grid is not None
        unsolved = ~record.grid.solved
        assert 0 < unsolved.sum() < 24
        assert (np.isnan(record.grid.voltage_pu) == unsolved[:, None]).all()
        for figure in (record.grid.loss_kw, record.grid.line_loading):
            assert (np.isnan(figure) == unsolved).all()


def test_the_day_in_numbers_is_that_of_the_hours_solved_and_says_how_many_are_not(market: ProsumerMarket) -> None:
    grid = market.history[-1].grid
    assert grid is not None
    assert set(market.today) == set(SUMMARY)
    assert 0 < market.today["hours_unsolved"] == grid.hours_unsolved == float((~grid.solved).sum())
    assert market.today["min_voltage_pu"] == np.nanmin(grid.voltage_pu)
    assert market.today["max_voltage_pu"] == np.nanmax(grid.voltage_pu)
    assert market.today["loss_mean_kw"] == pytest.approx(np.nanmean(grid.loss_kw), rel=1e-12)
    assert all(math.isfinite(value) for value in market.today.values())
    assert market.history.days["hours_unsolved"].tolist() == [
        record.grid.hours_unsolved for record in market.history if record.grid
    ]


def test_the_message_names_the_hours_and_what_is_left_out(market: ProsumerMarket) -> None:
    places = [
        f"day {record.day} slot {slot}"
        for record in market.history
        if record.grid
        for slot in np.flatnonzero(~record.grid.solved)
    ]
    (said,) = market.messages
    assert len(places) > 6
    assert said == (
        f"Power flow: no state found in {len(places)} of 48 hours ({', '.join(places[:6])} and {len(places) - 6} more):"
        " the feeder cannot carry such load or export (voltage collapse); voltages, loadings and losses are those of"
        f" the other {48 - len(places)} hours."
    )


def test_sums_of_a_run_are_those_of_its_solved_hours_and_are_marked(run: Simulation) -> None:
    grids = [record.grid for record in run.history if record.grid]
    stress = run.feeder
    assert stress is not None
    assert stress.hours == 24 * DAYS
    assert stress.hours_unsolved == sum(grid.hours_unsolved for grid in grids) > 0
    assert stress.loss_kwh == pytest.approx(sum(np.nansum(grid.loss_kw) for grid in grids), rel=1e-12)
    assert stress.voltage_min_pu == min(np.nanmin(grid.voltage_pu) for grid in grids)
    assert run.messages[0].startswith("Power flow: ")
    assert all(" null" in said for said in run.messages[1:]), "what the mean load below zero leaves undefined"


def test_a_market_whose_every_hour_is_solved_has_nothing_to_say() -> None:
    calm = ProsumerMarket(sunny(1.0), households=50, behaviour="passive", rng=0)
    calm.step()
    assert calm.today["hours_unsolved"] == 0
    assert calm.messages == ()
    calm.close()


def test_a_day_without_any_state_has_hours_and_no_voltages() -> None:
    dark = load_scenario("textbook", tariff="filed")
    market = ProsumerMarket(dark, households=50, behaviour="passive", rng=0)
    assert market.power_flow is not None
    market.power_flow.customers_per_household *= 1_000  # a feeder for a thousandth of the load
    market.step()
    assert market.today["hours_unsolved"] == 24
    assert all(math.isnan(market.today[name]) for name in ("min_voltage_pu", "max_voltage_pu", "loss_mean_kw"))
    assert market.messages[-1].endswith("voltages, loadings and losses are unknown.")
    market.close()
