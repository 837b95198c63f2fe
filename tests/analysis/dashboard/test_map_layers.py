"""What colours the feeder's map is what the market's day was by phase, with limits of its own."""

import json

import numpy as np
import pytest

from meanwatt.analysis.dashboard.market.engine import Engine
from meanwatt.analysis.dashboard.market.map_layers import day_of_voltage, phase_layers, voltage_scale
from meanwatt.analysis.dashboard.shared.own_scenarios import give
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solution import solve
from meanwatt.model.network.power_flow import VoltageLimits
from meanwatt.model.scenario.loading import load_scenario

LIMITS = VoltageLimits.ANSI_C84_1


def layers(voltage_pu: np.ndarray, unbalance_percent: np.ndarray) -> dict:
    return json.loads(json.dumps(phase_layers(voltage_pu, unbalance_percent, LIMITS, 0), allow_nan=False))


def test_every_layer_has_its_values_and_its_worst_hour() -> None:
    rng = np.random.default_rng(1)
    voltage, unbalance = rng.uniform(0.97, 1.02, (24, 5, 3)), rng.uniform(0, 1.5, (24, 5))
    voltage[7, 2, 1], unbalance[19, 4] = 1.09, 2.6
    found = layers(voltage, unbalance)
    assert list(found) == ["a", "b", "c", "unbalance"]
    for place, name in enumerate("abc"):
        np.testing.assert_allclose(found[name]["values"], voltage[:, :, place], atol=5e-5)
        assert found[name]["limits"] == [0.95, 1.05]
        assert found[name]["domain"][0] <= voltage.min() < voltage.max() <= found[name]["domain"][1]
    assert found["b"]["worst_slot"] == 7
    assert found["unbalance"]["worst_slot"] == 19
    assert found["unbalance"]["limits"] == [0, 2]
    assert found["unbalance"]["domain"][1] >= 2.6
    assert 2.0 not in found["unbalance"]["ticks"]  # the limit stands there


def test_hours_without_a_state_are_strict_json() -> None:
    voltage, unbalance = np.ones((24, 5, 3)), np.zeros((24, 5))
    voltage[3], unbalance[3] = np.nan, np.nan
    found = layers(voltage, unbalance)
    assert found["a"]["values"][3] == [0] * 5
    assert found["a"]["worst_slot"] == 3
    assert layers(np.full((24, 5, 3), np.nan), np.full((24, 5), np.nan)) == {}


def test_the_scale_holds_limits_that_the_voltages_reach() -> None:
    scale = voltage_scale(np.array([0.99, 1.08]), LIMITS)
    assert scale["domain"] == [0.94, 1.09]
    assert 1.05 not in scale["ticks"]
    assert day_of_voltage(np.array([[1.0, 1.0], [1.0, 0.96]]), LIMITS, 0)["worst_slot"] == 1


def test_the_frame_of_a_scenario_by_phase_has_layers_from_the_first_day_on() -> None:
    changes = {"feeder.name": "lv_four_wire", "feeder.phases": "one"}
    scenario = load_scenario("textbook", overrides=changes, tariff="filed")
    give([scenario.model_copy(update={"name": "one_phase"})])
    engine = Engine()
    try:
        settings = Settings(scenario="one_phase", tariff="filed", households=24)
        engine.preview(settings)
        solution = solve(settings)
        assert solution is not None
        engine.adopt(solution)
        assert "phases" not in json.loads(engine.frame().voltage)
        engine.step()
        shown = json.loads(engine.frame().voltage)
        history = engine._history
        assert history.phase_voltage_pu is not None
        np.testing.assert_allclose(shown["phases"]["c"]["values"], history.phase_voltage_pu[:, :, 2], atol=5e-5)
        np.testing.assert_allclose(shown["phases"]["unbalance"]["values"], history.unbalance_percent, atol=5e-5)
        engine.reset()
        assert "phases" not in json.loads(engine.frame().voltage)
    finally:
        engine.close()
        give([])


@pytest.mark.parametrize("top", [0.2, 1.9, 5.3])
def test_the_scale_of_unbalance_begins_at_zero_and_ends_above(top: float) -> None:
    found = layers(np.ones((2, 3, 3)), np.full((2, 3), top))["unbalance"]
    assert found["domain"][0] == 0
    assert found["domain"][1] >= top
