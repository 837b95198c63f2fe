"""Affine variational inequalities over simplices: solved by hand, and judged by their own definition at random."""

from itertools import pairwise

import numpy as np
import pytest

from meanwatt.model.mean_field.zero_temperature.complementarity import solve_on_simplices


def gap(constant: np.ndarray, matrix: np.ndarray, first: np.ndarray, point: np.ndarray) -> float:
    """Largest excess of F on a column in use over the least of its simplex."""
    value = constant + matrix @ point
    excess = 0.0
    for begin, end in pairwise(first):
        used = point[begin:end] > 1e-12
        excess = max(excess, float(value[begin:end][used].max() - value[begin:end].min()))
    return excess


def test_matching_pennies_are_mixed_in_halves() -> None:
    wins = np.array([[1.0, -1.0], [-1.0, 1.0]])
    nothing = np.zeros((2, 2))
    matrix = np.block([[nothing, wins], [-wins.T, nothing]])
    found = solve_on_simplices(np.zeros(4), matrix, np.array([0, 2, 4]))
    assert found == pytest.approx(np.full(4, 0.5), abs=1e-12)


def test_where_a_column_is_better_whatever_the_others_do_it_has_all_the_weight() -> None:
    matrix = np.array([[0.1, 0.0, -0.1], [0.0, 0.2, 0.0], [0.1, 0.1, 0.1]])
    found = solve_on_simplices(np.array([1.0, 5.0, 2.0]), matrix, np.array([0, 3]))
    assert found == pytest.approx([1.0, 0.0, 0.0])


def test_rising_costs_are_shared_so_that_they_are_equal() -> None:
    """Three routes with cost c + slope · flow: the Wardrop equilibrium by hand, one route left empty."""
    found = solve_on_simplices(np.array([1.0, 2.0, 9.0]), np.diag([2.0, 1.0, 1.0]), np.array([0, 3]))
    assert found == pytest.approx([2 / 3, 1 / 3, 0.0])


@pytest.mark.parametrize("seed", range(40))
def test_a_solution_satisfies_its_definition_whether_or_not_the_matrix_is_monotone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first = np.concatenate([[0], np.cumsum(rng.integers(1, 15, rng.integers(1, 5)))])
    size = first[-1]
    half = rng.normal(size=(size, 3))
    matrix = half @ half.T if seed % 2 else rng.normal(size=(size, size))
    constant = rng.normal(size=size) * (0.01 if seed % 3 else 1.0)
    found = solve_on_simplices(constant, matrix, first)
    assert found is not None
    assert found.min() >= 0
    assert np.add.reduceat(found, first[:-1]) == pytest.approx(np.ones(first.size - 1))
    assert gap(constant, matrix, first, found) <= 1e-8 * max(1.0, float(np.abs(matrix).max()))


def test_a_constant_added_to_all_moves_nothing() -> None:
    rng = np.random.default_rng(5)
    half = rng.normal(size=(9, 9))
    matrix, constant, first = half @ half.T, rng.normal(size=9), np.array([0, 4, 9])
    base = solve_on_simplices(constant, matrix, first)
    moved = solve_on_simplices(constant - 7.0, matrix + 3.0, first)
    assert base is not None
    assert moved == pytest.approx(base, abs=1e-9)
