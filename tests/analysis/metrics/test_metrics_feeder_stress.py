"""Stress on the feeder, from the arrays of a power flow."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanwatt.analysis.metrics.feeder_stress import feeder_stress
from meanwatt.model.network.power_flow import VoltageLimits

VOLTAGE = np.array([[1.00, 0.94], [1.06, 0.93], [1.05, 0.95]])
NAN = float("nan")


def test_every_number_by_hand() -> None:
    stress = feeder_stress(
        voltage_pu=VOLTAGE,
        loss_kw=[2.0, 4.0, 6.0],
        hours=[1.0, 0.5, 2.0],
        transformer_loading=[1.2, 1.0, 0.3],
        line_loading=[[0.1, 0.2], [1.5, 1.6], [0.4, 1.1]],
        curtailed_kw=[0.0, 1.0, 2.0],
    )
    assert stress.to_json() == {
        "hours": 3.5,
        "hours_unsolved": 0.0,
        "voltage_min_pu": 0.93,
        "voltage_max_pu": 1.06,
        "hours_below_limit": 1.5,
        "hours_above_limit": 0.5,
        "hours_outside_limits": 1.5,  # slot 1 breaks both limits and counts once; 1.05 and .95 are inside
        "bus_hours_outside_limits": 2.0,  # 1 bus for 1 h, 2 buses for half an hour
        "transformer_loading_max": 1.2,
        "hours_transformer_overloaded": 1.0,  # a loading of exactly 1 is the rating
        "line_loading_max": 1.6,
        "hours_line_overloaded": 2.5,
        "loss_kwh": 16.0,
        "curtailed_kwh": 4.5,
    }


def test_wider_limits_are_broken_less() -> None:
    strict = feeder_stress(voltage_pu=VOLTAGE, loss_kw=[0.0] * 3, hours=1.0)
    wide = feeder_stress(voltage_pu=VOLTAGE, loss_kw=[0.0] * 3, hours=1.0, limits=VoltageLimits.EN_50160)
    assert strict.hours_outside_limits == 2.0
    assert wide.hours_outside_limits == 0.0


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 6))
def test_time_outside_lies_between_the_longer_side_and_the_sum_of_both(seed: int, slots: int, buses: int) -> None:
    rng = np.random.default_rng(seed)
    stress = feeder_stress(
        voltage_pu=rng.normal(1.0, 0.05, size=(slots, buses)),
        loss_kw=np.zeros(slots),
        hours=rng.uniform(0, 2, size=slots),
    )
    below, above, outside = stress.hours_below_limit, stress.hours_above_limit, stress.hours_outside_limits
    assert max(below, above) - 1e-12 <= outside <= below + above + 1e-12
    assert outside - 1e-12 <= stress.bus_hours_outside_limits <= buses * outside + 1e-9


def test_equipment_a_feeder_lacks_is_undefined() -> None:
    bare = feeder_stress(voltage_pu=[[1.0]], loss_kw=[0.0], hours=1.0, line_loading=np.zeros((1, 0)))
    assert bare.transformer_loading_max is None
    assert bare.hours_transformer_overloaded is None
    assert bare.line_loading_max is None
    assert bare.hours_line_overloaded is None
    assert bare.curtailed_kwh == 0


def test_slots_without_a_solution_are_counted_and_not_read() -> None:
    stress = feeder_stress(
        voltage_pu=[[1.0], [NAN], [1.02]],
        loss_kw=[1.0, NAN, 2.0],
        hours=[1.0, 3.0, 1.0],
        converged=[True, False, True],
        transformer_loading=[0.5, NAN, 0.6],
        line_loading=[[0.5], [NAN], [0.7]],
    )
    assert (stress.hours, stress.hours_unsolved) == (5.0, 3.0)
    assert (stress.voltage_min_pu, stress.voltage_max_pu, stress.loss_kwh) == (1.0, 1.02, 3.0)
    assert (stress.transformer_loading_max, stress.line_loading_max) == (0.6, 0.7)


def test_a_feeder_that_never_solves_has_hours_and_no_extremes() -> None:
    stress = feeder_stress(
        voltage_pu=[[NAN]], loss_kw=[NAN], hours=2.0, converged=[False], line_loading=[[NAN]]
    ).to_json()
    assert stress["hours_unsolved"] == 2.0
    assert stress["voltage_min_pu"] is None
    assert stress["voltage_max_pu"] is None
    assert stress["line_loading_max"] is None
    assert all(value is None or math.isfinite(value) for value in stress.values())


def test_bad_arrays_are_named_with_their_place() -> None:
    with pytest.raises(ValueError, match=r"voltage_pu is nan at index \[1, 0\]; give finite numbers"):
        feeder_stress(voltage_pu=[[1.0], [NAN]], loss_kw=[0.0, 0.0], hours=1.0)
    with pytest.raises(ValueError, match=r"voltage_pu has shape \(1, 1\); give 2 rows, one a slot of loss_kw"):
        feeder_stress(voltage_pu=[[1.0]], loss_kw=[0.0, 0.0], hours=1.0)
    with pytest.raises(ValueError, match=r"hours is -1\.0 in slot 0, column 0; give numbers of 0 or more"):
        feeder_stress(voltage_pu=[[1.0]], loss_kw=[0.0], hours=-1.0)
    with pytest.raises(ValueError, match=r"line_loading is -0\.5 in slot 0, column 1"):
        feeder_stress(voltage_pu=[[1.0]], loss_kw=[0.0], hours=1.0, line_loading=[[0.5, -0.5]])
    with pytest.raises(ValueError, match=r"loss_kw has shape \(1, 1\); give one number a slot"):
        feeder_stress(voltage_pu=[[1.0]], loss_kw=[[0.0]], hours=1.0)
    with pytest.raises(ValueError, match=r"curtailed_kw has shape \(2,\); give \(1,\)"):
        feeder_stress(voltage_pu=[[1.0]], loss_kw=[0.0], hours=1.0, curtailed_kw=[0.0, 1.0])
    with pytest.raises(ValueError, match=r"converged has shape \(2,\); give \(1,\)"):
        feeder_stress(voltage_pu=[[1.0]], loss_kw=[0.0], hours=1.0, converged=[True, True])
