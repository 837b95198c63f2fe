"""Transformer ageing by IEC 60076-7, against its steady states, a plain loop and scipy's integrator."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from meanwatt.analysis.metrics.transformer_ageing import Thermal, transformer_ageing

RATED = Thermal()


def plainly(loading: list[float], slot_hours: float, thermal: Thermal, step_s: float) -> tuple[float, float]:
    """Loss of life [h] and highest hot spot [°C] by small steps of Euler, straight from the guide's equations."""
    dt = step_s / 60
    oil = thermal.top_oil_rise_kelvin * ((1 + thermal.loss_ratio * loading[0] ** 2) / (1 + thermal.loss_ratio)) ** 0.8
    spot = thermal.hot_spot_rise_kelvin * loading[0] ** 1.6
    lost, hottest = 0.0, -math.inf
    for load in loading:
        oil_end = thermal.top_oil_rise_kelvin * ((1 + thermal.loss_ratio * load**2) / (1 + thermal.loss_ratio)) ** 0.8
        spot_end = thermal.hot_spot_rise_kelvin * load**1.6
        for _ in range(round(slot_hours * 60 / dt)):
            hot = thermal.ambient_celsius + oil + spot
            hottest = max(hottest, hot)
            lost += 2 ** ((hot - 98) / 6) * dt / 60
            oil += dt * (oil_end - oil) / thermal.oil_minutes
            spot += dt * (spot_end - spot) / (2 * thermal.winding_minutes)
    return lost, hottest


def test_rated_load_in_air_of_20_degrees_is_the_ageing_it_was_built_for() -> None:
    """20 + 55 + 23 = 98 °C, where the rate is one by definition."""
    found = transformer_ageing(np.ones(48), 0.5, RATED)
    assert found is not None
    assert found.hot_spot_max_celsius == pytest.approx(98, abs=1e-12)
    assert found.top_oil_max_celsius == pytest.approx(75, abs=1e-12)
    assert found.loss_of_life_hours == pytest.approx(24, rel=1e-12)
    assert found.relative_ageing == pytest.approx(1, rel=1e-12)
    assert found.hours_above_140_celsius == 0


@pytest.mark.parametrize(("ambient", "rate"), [(26.0, 2.0), (14.0, 0.5), (32.0, 4.0)])
def test_six_degrees_more_double_the_ageing(ambient: float, rate: float) -> None:
    found = transformer_ageing(np.ones(24), 1.0, Thermal(ambient_celsius=ambient))
    assert found is not None
    assert found.relative_ageing == pytest.approx(rate, rel=1e-12)


def test_upgraded_paper_ages_at_rate_one_at_110_degrees() -> None:
    found = transformer_ageing(np.ones(24), 1.0, Thermal(ambient_celsius=32.0, upgraded_paper=True))
    assert found is not None
    assert found.relative_ageing == pytest.approx(1, rel=1e-12)


def test_a_day_ages_as_in_a_plain_loop_of_one_second() -> None:
    day = [*[0.3] * 6, *[0.7] * 4, 0.2, 0.1, 0.4, 0.9, 1.2, 1.2, 1.35, 1.4, 1.4, 1.1, 0.9, 0.7, 0.5, 0.4]
    found = transformer_ageing(day, 1.0, RATED)
    lost, hottest = plainly(day, 1.0, RATED, 1.0)
    assert found is not None
    assert found.loss_of_life_hours == pytest.approx(lost, rel=2e-3)
    assert found.hot_spot_max_celsius == pytest.approx(hottest, abs=0.05)


def test_temperatures_are_those_of_a_differential_equation_solver() -> None:
    thermal = Thermal(ambient_celsius=10.0, oil_minutes=150.0, winding_minutes=7.0, loss_ratio=8.0)
    day = np.array([0.5, 1.5, 0.2, 1.8, 1.0])

    def rise(minute: float, state: np.ndarray) -> list[float]:
        load = day[min(int(minute // 30), 4)]
        oil = 55 * ((1 + 8 * load**2) / 9) ** 0.8
        rate = 2 ** ((10 + state[0] + state[1] - 98) / 6)
        return [(oil - state[0]) / 150, (23 * load**1.6 - state[1]) / 14, rate / 60]

    state = np.array([55 * ((1 + 8 * 0.25) / 9) ** 0.8, 23 * 0.5**1.6, 0.0])
    for slot in range(5):  # the loading jumps between slots
        ends = 30.0 * slot, 30.0 * slot + 30 - 1e-9
        state = solve_ivp(rise, ends, state, rtol=1e-10, atol=1e-12).y[:, -1]
    found = transformer_ageing(day, 0.5, thermal)
    assert found is not None
    assert found.loss_of_life_hours == pytest.approx(state[2], rel=2e-5)


@given(st.lists(st.floats(0, 1.5), min_size=1, max_size=30), st.floats(0.01, 0.5))
def test_more_load_never_ages_less_and_nothing_is_hotter_than_the_steady_state_of_the_highest(
    loading: list[float], more: float
) -> None:
    less, heavier = transformer_ageing(loading, 1.0, RATED), transformer_ageing(np.array(loading) + more, 1.0, RATED)
    top = transformer_ageing([max(loading)], 1.0, RATED)
    assert less is not None
    assert heavier is not None
    assert top is not None
    assert heavier.loss_of_life_hours > less.loss_of_life_hours
    assert less.hot_spot_max_celsius <= top.hot_spot_max_celsius + 1e-9


def test_a_short_peak_ages_less_than_a_lasting_one() -> None:
    short, lasting = (transformer_ageing([0.5] * 5 + [1.5] * hours, 1.0, RATED) for hours in (1, 6))
    assert short is not None
    assert lasting is not None
    assert short.hot_spot_max_celsius < lasting.hot_spot_max_celsius - 10


def test_hours_beyond_the_guide_are_counted() -> None:
    found = transformer_ageing([2.0] * 10, 1.0, RATED)
    assert found is not None
    assert found.hours_above_140_celsius == pytest.approx(10)
    hottest = 20 + 55 * (21 / 6) ** 0.8 + 23 * 2**1.6
    assert found.hot_spot_max_celsius == pytest.approx(hottest)
    assert f"{hottest:.0f}" == "240"
    assert found.messages == (
        "transformer_ageing: the hottest spot was above 140 °C for 10 h (up to 240 °C), where IEC 60076-7 gives no"
        " ageing rate; loss_of_life_hours and relative_ageing only say that it is overloaded.",
    )
    cool = transformer_ageing([1.0] * 10, 1.0, RATED)
    assert cool is not None
    assert cool.messages == ()


def test_nothing_ages_without_a_slot_and_a_negative_load_is_refused() -> None:
    assert transformer_ageing([], 1.0, RATED) is None
    with pytest.raises(ValueError, match=r"^loading is -0\.5 in slot 1; give numbers of 0 or more$"):
        transformer_ageing([0.5, -0.5], 1.0, RATED)
