"""The weather chain: laws of Markov chains, not pinned numbers."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanwatt.model.scenario.loading import load_scenario
from meanwatt.model.scenario.weather import checked_kernel, common_states, stationary_law


@st.composite
def kernels(draw: st.DrawFn, zeros: bool = True) -> np.ndarray:
    """Kernels of 1 to 5 states; with ``zeros`` most entries may vanish, but state 0 can be reached from everywhere."""
    size = draw(st.integers(1, 5))
    smallest = 0.0 if zeros else 0.05
    entry = st.one_of(st.just(smallest), st.floats(0.05, 1.0))
    weight = np.array(draw(st.lists(st.lists(entry, min_size=size, max_size=size), min_size=size, max_size=size)))
    weight[:, 0] = np.maximum(weight[:, 0], 0.05)
    return weight / weight.sum(axis=1, keepdims=True)


def names(kernel: np.ndarray) -> list[str]:
    return [f"day {row}" for row in range(len(kernel))]


@given(kernels())
def test_the_stationary_law_is_left_unchanged_by_its_kernel(kernel: np.ndarray) -> None:
    law = stationary_law(kernel)
    assert law.sum() == pytest.approx(1, abs=1e-12)
    assert (law >= 0).all()
    assert law @ kernel == pytest.approx(law, abs=1e-12)


@settings(deadline=None)
@given(kernels())
def test_the_stationary_law_is_the_long_run_of_a_lazy_chain(kernel: np.ndarray) -> None:
    # half staying put kills periodicity and leaves the law alone; state 0 is hit with at least 1/42 a step
    lazy = np.linalg.matrix_power((kernel + np.eye(len(kernel))) / 2, 5000)
    assert lazy == pytest.approx(np.tile(stationary_law(kernel), (len(kernel), 1)), abs=1e-9)


def test_a_periodic_chain_has_a_law_too() -> None:
    assert stationary_law([[0, 1], [1, 0]]) == pytest.approx([0.5, 0.5], abs=1e-15)


def test_a_chain_solved_by_hand() -> None:
    # balance of flows between the two states: p0 * 0.3 = p1 * 0.1, hence 1/4 and 3/4
    assert stationary_law([[0.7, 0.3], [0.1, 0.9]]) == pytest.approx([0.25, 0.75], abs=1e-15)


def test_states_left_for_ever_have_probability_exactly_zero() -> None:
    law = stationary_law([[0.5, 0.3, 0.2], [0.0, 0.6, 0.4], [0.0, 0.2, 0.8]])
    assert law[0] == 0.0
    assert law[1:] == pytest.approx([1 / 3, 2 / 3], abs=1e-15)


@given(kernels(), st.integers(0, 2))
def test_common_states_are_a_stationary_chain(kernel: np.ndarray, memory: int) -> None:
    states = common_states(names(kernel), kernel, memory)
    assert (states.probability > 0).all()
    assert states.probability.sum() == pytest.approx(1, abs=1e-12)
    assert states.kernel.sum(axis=1) == pytest.approx(np.ones(states.count), abs=1e-12)
    assert states.backward.sum(axis=1) == pytest.approx(np.ones(states.count), abs=1e-12)
    assert states.probability @ states.kernel == pytest.approx(states.probability, abs=1e-12)


@given(kernels(), st.integers(0, 2))
def test_forward_and_backward_describe_the_same_pairs_of_days(kernel: np.ndarray, memory: int) -> None:
    states = common_states(names(kernel), kernel, memory)
    forward = states.probability[:, None] * states.kernel  # p_c P(c'|c)
    backward = states.probability[:, None] * states.backward  # p_c' P(c|c')
    assert forward == pytest.approx(backward.T, abs=1e-12)


@given(kernels(), st.integers(0, 2))
def test_a_history_has_the_probability_of_its_path(kernel: np.ndarray, memory: int) -> None:
    states = common_states(names(kernel), kernel, memory)
    law = stationary_law(kernel)
    for history, probability in zip(states.histories, states.probability, strict=True):
        path = law[history[0]] * np.prod([kernel[a, b] for a, b in itertools.pairwise(history)])
        assert probability == pytest.approx(path, rel=1e-9, abs=1e-15)
    possible = {tuple(row) for row in np.argwhere(np.ones((len(kernel),) * (memory + 1)))}
    left_out = possible - {tuple(row) for row in states.histories}
    for history in left_out:
        assert law[history[0]] * np.prod([kernel[a, b] for a, b in itertools.pairwise(history)]) == 0


@given(kernels(), st.integers(1, 2))
def test_what_is_remembered_does_not_change_today_or_tomorrow(kernel: np.ndarray, memory: int) -> None:
    states = common_states(names(kernel), kernel, memory)
    today = np.bincount(states.today, weights=states.probability, minlength=len(kernel))
    assert today == pytest.approx(stationary_law(kernel), abs=1e-12)
    for state in range(states.count):
        tomorrow = np.bincount(states.today, weights=states.kernel[state], minlength=len(kernel))
        assert tomorrow == pytest.approx(kernel[states.today[state]], abs=1e-12)


@given(kernels(zeros=False), st.integers(0, 2))
def test_a_state_moves_only_to_states_that_share_its_younger_days(kernel: np.ndarray, memory: int) -> None:
    states = common_states(names(kernel), kernel, memory)
    assert states.count == len(kernel) ** (memory + 1)
    for old, new in np.argwhere(states.kernel > 0):
        assert (states.histories[old, 1:] == states.histories[new, :-1]).all()


def test_transient_day_types_are_left_out_of_the_common_states() -> None:
    states = common_states(["once", "wet", "dry"], [[0.5, 0.3, 0.2], [0.0, 0.6, 0.4], [0.0, 0.2, 0.8]], 1)
    assert states.labels() == (("wet", "wet"), ("wet", "dry"), ("dry", "wet"), ("dry", "dry"))
    assert states.day_types == ("once", "wet", "dry")
    assert set(states.today.tolist()) == {1, 2}


def test_impossible_histories_are_left_out() -> None:
    states = common_states(["a", "b"], [[0.0, 1.0], [0.5, 0.5]], 1)
    assert states.labels() == (("a", "b"), ("b", "a"), ("b", "b"))
    # p(a) = 1/3, p(b) = 2/3, and a is always followed by b
    assert states.probability == pytest.approx([1 / 3] * 3, abs=1e-15)


def test_arrays_refuse_to_be_written_to() -> None:
    states = common_states(["a"], [[1.0]], 2)
    for name in ("histories", "today", "kernel", "backward", "probability"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(states, name)[0] = 0


def test_californian_seasons_last_half_a_year_each_and_about_182_days() -> None:
    scenario = load_scenario("california")
    states = common_states(tuple(scenario.day_types), scenario.day_type_kernel, 0)
    summer = np.array([season == "summer" for season in scenario.seasons])
    assert states.probability[summer].sum() == pytest.approx(0.5, abs=1e-9)
    leaving = states.kernel[np.ix_(summer, ~summer)].sum(axis=1)
    assert 1 / leaving == pytest.approx([182] * 3, abs=1e-4)


@pytest.mark.parametrize(
    ("kernel", "memory", "message"),
    [
        ([[1.0, 0.0], [0.0, 1.0]], 0, "day_type_kernel falls apart into groups of states that never meet"),
        ([[0.5, 0.5], [0.5, 0.5]], 3, "memory is 3; give 0, 1 or 2"),
        ([[0.5, 0.6], [0.5, 0.5]], 0, "day_type_kernel row a sums to 1.1; give probabilities that sum to 1"),
        ([[1.5, -0.5], [0.5, 0.5]], 0, "day_type_kernel row a holds 1.5; give probabilities between 0 and 1"),
        ([[np.nan, 1.0], [0.5, 0.5]], 0, "day_type_kernel row a holds nan; give probabilities between 0 and 1"),
        ([[1.0]], 0, "day_type_kernel has shape 1 x 1; give 2 x 2 numbers, one row for each state"),
        (1.0, 0, "day_type_kernel has shape one number; give 2 x 2 numbers, one row for each state"),
    ],
)
def test_what_is_no_weather_is_refused_in_words(kernel: object, memory: int, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        common_states(["a", "b"], kernel, memory)  # type: ignore[arg-type]
    assert str(caught.value).startswith(message)


def test_rows_written_with_six_decimals_are_rescaled_to_one() -> None:
    rows = checked_kernel([[0.333333, 0.666667], [0.3333335, 0.6666666]], key="kernel")
    assert rows.sum(axis=1) == pytest.approx([1, 1], abs=1e-15)
