"""Systems that turn out singular are answered by least squares, all others exactly."""

import numpy as np
import pytest

from meanwatt.agents.numerics.linear_systems import inverse, solved

SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])


def test_a_regular_system_is_solved_exactly() -> None:
    rng = np.random.default_rng(0)
    system, right = rng.standard_normal((5, 5)), rng.standard_normal((5, 2))
    assert system @ solved(system, right) == pytest.approx(right, abs=1e-12)
    assert inverse(system) @ system == pytest.approx(np.eye(5), abs=1e-12)


def test_of_a_singular_system_the_shortest_among_the_nearest_answers_is_taken() -> None:
    right = np.array([1.0, 0.0])
    nearest = np.array([1.0, 2.0]) / 25  # of (1, 2)·t with t = (1·1 + 2·0)/25
    assert solved(SINGULAR, right) == pytest.approx(nearest, abs=1e-14)
    assert inverse(SINGULAR) @ right == pytest.approx(nearest, abs=1e-14)


def test_in_a_stack_one_singular_matrix_leaves_the_others_exact() -> None:
    stack = np.array([np.diag([2.0, 4.0]), SINGULAR])
    found = inverse(stack)
    assert found[0] == pytest.approx(np.diag([0.5, 0.25]), abs=1e-14)
    assert SINGULAR @ found[1] @ SINGULAR == pytest.approx(SINGULAR, abs=1e-13)
