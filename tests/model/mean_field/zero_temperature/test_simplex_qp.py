"""The quadratic program on simplices: its optimality conditions hold, and another optimiser finds nothing better."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, minimize

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.model.mean_field.zero_temperature.simplex_qp import simplex_step

TOLERANCE = 1e-9


def random_problem(seed: int, sizes: tuple[int, ...], rank: int) -> tuple[Floats, Floats, Floats, Ints]:
    """Hessian, gradient, a point on simplices of given sizes, and where each begins.

    The Hessian is a multiple of a projector: of the given rank, and as well conditioned as that allows.
    """
    rng = np.random.default_rng(seed)
    total = sum(sizes)
    factor = np.linalg.qr(rng.normal(size=(total, min(rank, total))))[0] * 10 ** rng.uniform(-2, 1)
    parts = []
    for size in sizes:
        part = rng.dirichlet(np.full(size, 0.5)) * (rng.random(size) < 0.6)
        parts.append(part / part.sum() if part.any() else np.eye(size)[0])
    return factor @ factor.T, rng.normal(size=total), np.concatenate(parts), np.cumsum([0, *sizes])


def value(hessian: Floats, gradient: Floats, step: Floats) -> float:
    return float(gradient @ step + 0.5 * step @ hessian @ step)


PROBLEMS = {
    "seed": st.integers(0, 10_000),
    "sizes": st.lists(st.integers(1, 8), min_size=1, max_size=4).map(tuple),
    "rank": st.integers(0, 12),
}


@settings(max_examples=200)
@given(**PROBLEMS)
def test_weight_stays_on_every_simplex_and_only_on_columns_of_the_least_slope(
    seed: int, sizes: tuple[int, ...], rank: int
) -> None:
    hessian, gradient, mixture, first = random_problem(seed, sizes, rank)
    step = simplex_step(hessian, gradient, mixture, first, TOLERANCE)
    point, slope = mixture + step, gradient + hessian @ step
    for start, end in pairwise(first):
        assert point[start:end].sum() == pytest.approx(1.0, abs=1e-12)
        assert point[start:end].min() >= -1e-15
        used = point[start:end] > 1e-12
        # rounding of the slope kept up to date over thousands of moves comes on top of the tolerance
        assert slope[start:end][used].max() - slope[start:end].min() <= TOLERANCE + 1e-10 * np.abs(hessian).max()


@settings(max_examples=100)
@given(**PROBLEMS)
def test_the_same_holds_where_the_hessian_is_badly_conditioned(seed: int, sizes: tuple[int, ...], rank: int) -> None:
    _, gradient, mixture, first = random_problem(seed, sizes, rank)
    factor = np.random.default_rng(seed).normal(size=(gradient.size, rank)) * np.logspace(-3, 2, rank)
    hessian = factor @ factor.T
    step = simplex_step(hessian, gradient, mixture, first, TOLERANCE)
    assert np.add.reduceat(mixture + step, first[:-1]) == pytest.approx(1.0, abs=1e-11)
    assert (mixture + step).min() >= -1e-15
    point, slope = mixture + step, gradient + hessian @ step
    for start, end in pairwise(first):
        used = point[start:end] > 1e-12
        assert slope[start:end][used].max() - slope[start:end].min() <= TOLERANCE + 1e-10 * np.abs(hessian).max(
            initial=1
        )
    # each pair of columns saves at least what it promises; less than the tolerance it never promises
    assert value(hessian, gradient, step) <= 1e-12
    assert gradient @ step <= 1e-12, "hence downhill from where it starts"


@settings(max_examples=25)
@given(**PROBLEMS)
def test_sequential_quadratic_programming_finds_nothing_better(seed: int, sizes: tuple[int, ...], rank: int) -> None:
    hessian, gradient, mixture, first = random_problem(seed, sizes, rank)
    step = simplex_step(hessian, gradient, mixture, first, TOLERANCE)
    sums = np.repeat(np.eye(len(sizes)), sizes, axis=1)
    other = minimize(
        lambda point: value(hessian, gradient, point - mixture),
        mixture,
        jac=lambda point: gradient + hessian @ (point - mixture),
        bounds=[(0, 1)] * first[-1],
        constraints=[LinearConstraint(sums, 1.0, 1.0)],
        method="SLSQP",
        options={"ftol": 1e-13, "maxiter": 500},
    )
    # the slopes of a simplex bound what it could still save; those of all simplices add up
    mine = value(hessian, gradient, step)
    assert mine <= other.fun + len(sizes) * TOLERANCE
    assert mine == pytest.approx(other.fun, abs=1e-5 * max(1.0, abs(mine))), "SLSQP is a good deal less exact"


def test_without_curvature_all_weight_goes_to_the_best_column_of_each_simplex() -> None:
    gradient = np.array([3.0, 1.0, 2.0, -1.0, -5.0])
    mixture = np.array([0.5, 0.0, 0.5, 1.0, 0.0])
    step = simplex_step(np.zeros((5, 5)), gradient, mixture, np.array([0, 3, 5]), TOLERANCE)
    assert (mixture + step).tolist() == [0, 1, 0, 0, 1]


def test_two_columns_by_hand() -> None:
    # x in [0, 1] minimises x² − x from x = 0: H = 2 along (1, −1), which diag(1, 1) gives
    step = simplex_step(np.eye(2), np.array([-1.0, 0.0]), np.array([0.0, 1.0]), np.array([0, 2]), TOLERANCE)
    assert step == pytest.approx([0.5, -0.5])


def test_at_the_optimum_nothing_moves() -> None:
    hessian, gradient, mixture, first = random_problem(3, (4, 6), 10)
    there = mixture + simplex_step(hessian, gradient, mixture, first, TOLERANCE)
    slope = gradient + hessian @ (there - mixture)
    assert (simplex_step(hessian, slope, there, first, 2 * TOLERANCE) == 0).all()
    assert value(hessian, gradient, there - mixture) < 0


def test_a_single_column_cannot_move() -> None:
    step = simplex_step(np.ones((1, 1)), np.array([7.0]), np.array([1.0]), np.array([0, 1]), TOLERANCE)
    assert step.tolist() == [0.0]
