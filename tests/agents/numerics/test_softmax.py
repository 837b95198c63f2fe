"""Softmax is a choice: probabilities that follow the values, and within the stated bound of the exact choice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanwatt.agents.numerics.softmax import softmax, softmax_distance_bound

# whole numbers, so that ties and gaps are exact
rows = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=6)
temperatures = st.floats(0.01, 100.0)


@given(rows, temperatures, st.floats(-1e3, 1e3))
def test_better_actions_are_likelier_and_a_common_shift_changes_nothing(
    values: list[float], temperature: float, shift: float
) -> None:
    chance = softmax(values, temperature)
    assert chance.sum() == pytest.approx(1.0, abs=1e-12)
    order = np.argsort(values)
    assert (np.diff(chance[order]) >= 0).all()
    # adding the shift rounds a value by up to 1e3·2⁻⁵³, which the temperature divides
    assert softmax(np.array(values) + shift, temperature) == pytest.approx(chance, abs=1e-12 / temperature)


def test_odds_are_the_exponential_of_the_difference_over_the_temperature() -> None:
    chance = softmax([[3.0, 1.0], [0.0, 0.0]], 2.0)
    assert chance[0, 0] / chance[0, 1] == pytest.approx(np.e)
    assert chance[1] == pytest.approx([0.5, 0.5])


@given(rows, temperatures)
def test_the_distance_to_the_exact_choice_keeps_within_the_bound(values: list[float], temperature: float) -> None:
    distance = np.abs(softmax(values, temperature) - softmax(values, 0.0)).sum()
    assert distance <= softmax_distance_bound(values, temperature) + 1e-12


def test_the_bound_is_reached_to_first_order_when_all_others_are_second_best() -> None:
    # 2 best of 5, gap 1, η = 1/20: distance 2·3e/(2 + 3e) with e = exp(−20); the bound is 3e
    values, temperature = [1.0, 0.0, 1.0, 0.0, 0.0], 0.05
    bound = softmax_distance_bound(values, temperature)
    assert bound == pytest.approx(3 * np.exp(-20.0), rel=1e-12)
    distance = np.abs(softmax(values, temperature) - softmax(values, 0.0)).sum()
    assert distance == pytest.approx(bound, rel=1e-6)


def test_temperature_zero_is_uniform_over_the_best_and_at_distance_zero() -> None:
    values = [[2.0, 7.0, 7.0], [0.0, -np.inf, -1.0]]
    assert softmax(values, 0.0).tolist() == [[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]]
    assert softmax_distance_bound(values, 0.0).tolist() == [0.0, 0.0]


def test_a_forbidden_action_is_as_if_absent() -> None:
    assert softmax([1.0, -np.inf, 2.0], 0.7)[[0, 2]] == pytest.approx(softmax([1.0, 2.0], 0.7))
    assert softmax_distance_bound([1.0, -np.inf, 2.0], 0.7) == softmax_distance_bound([1.0, 2.0], 0.7)


def test_huge_values_and_tiny_temperatures_do_not_overflow() -> None:
    assert softmax([1e300, -1e300], 1e-300).tolist() == [1.0, 0.0]
    assert softmax_distance_bound([1e300, -1e300], 1e-300) == 0.0
    assert softmax_distance_bound([4.0, 4.0], 1e-3) == 0.0


@pytest.mark.parametrize(
    ("values", "temperature", "said"),
    [
        ([1.0], -1.0, "temperature is -1.0; give a finite number >= 0"),
        ([1.0], float("nan"), "temperature is nan; give a finite number >= 0"),
        ([], 1.0, r"values has shape \(0,\); give \(..., action\) with at least one action"),
        ([[1.0, float("nan")]], 1.0, r"values is nan at index \[0, 1\]; give finite numbers, or -inf to forbid"),
        ([[0.0], [-np.inf]], 1.0, r"values is -inf for every action at index \[1\]; leave at least one"),
    ],
)
def test_errors_say_what_came_and_how_to_mend_it(values: list[float], temperature: float, said: str) -> None:
    with pytest.raises(ValueError, match=said) as raised:
        softmax(values, temperature)
    assert "\n" not in str(raised.value)
