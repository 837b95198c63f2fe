"""Equations with a derivative, solved from one nearby by products alone, against the dense solve."""

import numpy as np
import pytest

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.mean_field.derivatives.nearby_slope import ACCURACY, corrected, solve_load_nearby

SIZE, SIDES = 30, 4
RNG = np.random.default_rng(3)


def slope_of(asked: list[int], slope: Floats, prices: Floats) -> Floats:
    """The product with a matrix, which counts the prices it was asked."""
    asked.append(prices.shape[1])
    return slope @ prices


def world() -> tuple[Floats, Floats, Floats]:
    """A derivative that falls in its own price, the supply curve's slope, and right sides."""
    root = RNG.normal(size=(SIZE, SIZE)) / SIZE
    return -(root @ root.T + np.eye(SIZE)), RNG.random((SIZE, 1)), RNG.normal(size=(SIZE, SIDES))


@pytest.mark.parametrize("far", [0.0, 1e-3, 0.1])
def test_products_from_a_derivative_nearby_solve_what_the_matrix_solves(far: float) -> None:
    slope, steepness, right = world()
    asked: list[int] = []
    nearby = slope + far * RNG.normal(size=slope.shape) / SIZE
    found = solve_load_nearby(lambda prices: slope_of(asked, slope, prices), steepness, right, nearby)
    assert found is not None
    system = np.eye(SIZE) - slope * steepness.T
    # |x| <= |A⁻¹| |r|, and the matrix here is the identity and a positive one: no eigenvalue is below 1
    worst = 10 * ACCURACY * np.abs(right).max() * SIZE**0.5
    np.testing.assert_allclose(found.load_kw, np.linalg.solve(system, right), atol=worst)
    assert sum(asked) < SIZE


def test_right_sides_that_are_zero_or_the_same_change_nothing() -> None:
    slope, steepness, right = world()
    right[:, 1], right[:, 2] = 0.0, right[:, 0]
    found = solve_load_nearby(lambda prices: slope @ prices, steepness, right, slope + 0.01)
    assert found is not None
    assert not found.load_kw[:, 1].any()
    np.testing.assert_allclose(
        found.load_kw, np.linalg.solve(np.eye(SIZE) - slope * steepness.T, right), atol=1e-6 * np.abs(right).max()
    )


def test_without_any_right_side_nothing_is_asked() -> None:
    slope, steepness, right = world()
    asked: list[int] = []
    found = solve_load_nearby(lambda prices: slope_of(asked, slope, prices), steepness, 0 * right, slope)
    assert found is not None
    assert not found.load_kw.any()
    assert not asked


def test_a_derivative_that_is_not_near_is_given_up() -> None:
    slope, steepness, right = world()
    assert solve_load_nearby(lambda prices: 40 * slope @ prices, steepness, right[:, :1], 0 * slope) is None


def test_what_was_looked_at_is_known_exactly_and_the_rest_is_kept() -> None:
    slope, _, _ = world()
    prices = RNG.normal(size=(SIZE, 3))
    better = corrected(0 * slope, prices, slope @ prices)
    np.testing.assert_allclose(better @ prices, slope @ prices, atol=1e-12)
    across = RNG.normal(size=(SIZE, 1))
    across -= prices @ np.linalg.lstsq(prices, across)[0]
    np.testing.assert_allclose(better @ across, 0.0, atol=1e-12)
