"""Anderson acceleration finds fixed points that plain iteration finds slowly or not at all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanwatt.agents.numerics.anderson import accelerate


def rotated_map(seed: int, eigenvalues: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A symmetric matrix with these eigenvalues, and a random offset."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(eigenvalues.size, eigenvalues.size)))[0]
    return basis @ np.diag(eigenvalues) @ basis.T, rng.normal(size=eigenvalues.size)


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.lists(st.floats(-12, 0.9), min_size=2, max_size=7).map(lambda row: np.array(row)))
def test_a_linear_map_is_solved_in_a_few_more_steps_than_it_has_dimensions(seed: int, eigenvalues: np.ndarray) -> None:
    # eigenvalues down to −12: plain iteration explodes, as prices do when storage herds
    matrix, offset = rotated_map(seed, eigenvalues)
    found = accelerate(lambda x: matrix @ x + offset, np.zeros(offset.size), tolerance=1e-9, limit=80)
    exact = np.linalg.solve(np.eye(offset.size) - matrix, offset)
    assert found.converged
    assert found.point == pytest.approx(exact, abs=1e-9 / 0.1 * offset.size)


def test_fewer_evaluations_than_plain_iteration_where_that_is_slow() -> None:
    matrix, offset = rotated_map(0, np.array([0.99, 0.95, 0.5, 0.1, -0.3]))
    found = accelerate(lambda x: matrix @ x + offset, np.zeros(5), tolerance=1e-9, limit=1000)
    assert found.converged
    assert found.evaluations < 30  # plain iteration shrinks the gap by .99 a step: 2,000 steps


def test_a_kinked_and_steep_map_is_solved() -> None:
    # x = clip(3 − 8x, 0, 1) has its only fixed point at 1/3; plain iteration jumps between 0 and 1 for ever
    found = accelerate(lambda x: np.clip(3 - 8 * x, 0, 1), np.array([0.9]), tolerance=1e-10, limit=200)
    assert found.converged
    assert found.point == pytest.approx([1 / 3])


def test_what_is_returned_belongs_together_and_every_evaluation_is_reported() -> None:
    matrix, offset = rotated_map(3, np.array([-3.0, 0.5, 0.7]))
    heard: list[tuple[int, float]] = []
    asked: list[np.ndarray] = []

    def function(x: np.ndarray) -> np.ndarray:
        asked.append(x.copy())
        return matrix @ x + offset

    found = accelerate(function, np.ones(3), tolerance=1e-10, limit=100, report=lambda *seen: heard.append(seen))
    assert (asked[0] == 1).all()
    assert found.residual == np.abs(matrix @ found.point + offset - found.point).max() <= 1e-10
    assert [count for count, _ in heard] == list(range(1, found.evaluations + 1))
    assert [gap for _, gap in heard] == [np.abs(matrix @ x + offset - x).max() for x in asked]


def test_a_map_without_a_fixed_point_ends_at_the_limit_with_the_best_point_seen() -> None:
    asked: list[np.ndarray] = []

    def function(x: np.ndarray) -> np.ndarray:
        asked.append(x)
        return x + 1 + x**2  # the gap 1 + x² is least, 1, at 0

    found = accelerate(function, np.array([2.0]), tolerance=1e-9, limit=60)
    assert not found.converged
    assert found.evaluations == len(asked) == 60
    assert found.residual == min(1 + float(x[0]) ** 2 for x in asked)
    assert found.residual == 1 + float(found.point[0]) ** 2


def test_a_start_at_the_fixed_point_takes_one_evaluation() -> None:
    found = accelerate(np.cos, np.array([0.7390851332151607]), tolerance=1e-12, limit=10)
    assert (found.evaluations, found.converged) == (1, True)


def test_a_point_where_the_map_is_undefined_is_stepped_back_from() -> None:
    # √ is undefined below 0; the first full step from 5 leads there
    def function(x: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return 1.9 - 1.2 * np.sqrt(x)

    found = accelerate(function, np.array([5.0]), tolerance=1e-10, limit=200)
    assert found.converged
    assert function(found.point) == pytest.approx(found.point)


def test_the_reporter_may_stop_the_search() -> None:
    def report(count: int, _: float) -> None:
        if count == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        accelerate(lambda x: x + 1, np.zeros(2), tolerance=1e-9, limit=10, report=report)
