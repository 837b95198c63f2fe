"""Where homes are on one phase each, a phase breaks a limit first, which the balanced power flow does not see."""

import json

import numpy as np
import pytest

from meanwatt.analysis.cli import main
from meanwatt.analysis.hosting.judged import judge
from meanwatt.analysis.hosting.report import hosting_json, hosting_tables
from meanwatt.analysis.hosting.stress import PHASED_MEASURES, worst_by_phase, worst_state
from meanwatt.analysis.hosting.sweep import Cell, HostingPlan, sweep
from meanwatt.model.network.feeder import build_feeder
from meanwatt.model.network.phase_flow import PhaseFlow
from meanwatt.model.network.power_flow import PowerFlow
from meanwatt.model.scenario.loading import load_scenario

ADOPTERS = {"pv_share_scale": 3.0, "pv_scale": 4.0}


def plan(**keys: object) -> HostingPlan:
    overrides = {"feeder.name": "lv_four_wire", "feeder.phases": "one", **ADOPTERS, "battery_levels": 5, **keys}
    scenario = load_scenario("textbook", overrides=overrides, tariff="filed")
    return HostingPlan(
        feeder=build_feeder(str(scenario.feeder.name), peak_reference_kw=1.4),
        scenarios={"filed": scenario},
        levels=(0.0, 0.5, 1.0),
        placements=2,
        key=5,
    )


@pytest.fixture(scope="module")
def swept() -> tuple[HostingPlan, list[Cell]]:
    given = plan()
    return given, list(sweep(given))


def test_a_phase_is_at_least_as_high_as_all_three_together(swept: tuple[HostingPlan, list[Cell]]) -> None:
    given, cells = swept
    (one,) = judge(given, cells)
    assert one.by_phase is not None
    assert (one.by_phase.table["max_voltage_pu"] >= one.table["max_voltage_pu"] - 1e-9).all()
    assert (one.by_phase.table["max_voltage_pu"][-1] > one.table["max_voltage_pu"][-1] + 0.01).all()
    assert (one.by_phase.first["overvoltage"] <= one.first["overvoltage"]).all()
    assert (one.table["unbalance_percent"][-1] > one.table["unbalance_percent"][0]).all()


def test_json_and_tables_hold_both(swept: tuple[HostingPlan, list[Cell]]) -> None:
    given, cells = swept
    said = hosting_json(given, cells)
    found = said["phases"]
    assert found["homes_by_phase"] == {"a": 12, "b": 7, "c": 5, "abc": 0}
    assert found["first_violation_balanced"] == said["first_violation"]
    (row,) = found["tariffs"]
    assert len(row["unbalance_percent"]["p50"]) == 3
    beside = row["beside_balanced"]["any"]
    assert beside["later"] == 0
    tables = hosting_tables(given, cells)
    assert set(PHASED_MEASURES) <= set(tables["states"])
    assert len(tables["first_violation"]["any_by_phase"]) == 2


def test_alike_phases_have_none_of_it() -> None:
    given = plan(**{"feeder.phases": "three"})
    assert given.homes_by_phase is None
    assert not set(PHASED_MEASURES) & set(given.measures)


def test_homes_spread_evenly_make_the_balanced_extremes() -> None:
    """A third of every bus on each phase."""
    feeder = build_feeder("lv_semiurban", peak_reference_kw=1.4)
    use = np.repeat(feeder.p_kw[None], 2, axis=0)
    net = use * np.array([[1.0], [-4.0]])
    phases, uneven = worst_by_phase(PhaseFlow(feeder), use, net, np.full((len(feeder.buses), 3), 1 / 3))
    balanced = worst_state(PowerFlow(feeder), use, net)
    for name in ("max_voltage_pu", "min_voltage_pu", "line_loading", "transformer_loading", "unsolved_slots"):
        assert getattr(phases, name) == pytest.approx(getattr(balanced, name), abs=1e-9)
    assert uneven == pytest.approx(0, abs=1e-7)


def test_a_feeder_of_medium_voltage_is_refused_before_any_work(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hosting", "textbook_line_5", "stress", "--set", "feeder.phases=one"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "give a low-voltage feeder (up to 1 kV)" in said.err
    assert said.err.count("\n") == 1


def test_what_is_drawn_is_in_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    command = "hosting lv_semiurban textbook --tariff filed --placements 1 --step 1 --json --set battery_levels=5"
    settings = " ".join(f"--set {key}={value}" for key, value in {**ADOPTERS, "feeder.phases": "one"}.items())
    assert main([*command.split(), *settings.split()]) == 0
    said = json.loads(capsys.readouterr().out)
    assert any("the phase of 41 of 41 homes is not in the feeder's data and drawn" in one for one in said["messages"])
    assert any("41 of 41 lines have no zero-sequence data" in one for one in said["messages"])
    assert sum(said["phases"]["homes_by_phase"].values()) == 41
