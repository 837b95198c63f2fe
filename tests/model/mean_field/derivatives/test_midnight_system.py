"""Midnight over distinct rows of the common kernel solves the same equations as midnight over all states."""

import numpy as np
import pytest

from meanwatt.agents.household.day_operator import day_operators, joint_operator
from meanwatt.model.mean_field.derivatives.midnight_system import MidnightSystem

SLOTS, LEVELS = 6, 4
KERNELS = {
    "a memory of one day": np.kron(np.eye(3), np.ones((3, 1)))[[0, 3, 6, 1, 4, 7, 2, 5, 8]]
    @ np.kron(np.eye(3), [[0.2, 0.5, 0.3]]),
    "no two rows alike": np.array([[0.1, 0.9], [0.6, 0.4]]),
    "one state": np.array([[1.0]]),
}
SHOCKS = {
    "mixing": np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]]),
    "a cycle that returns in whole days": np.roll(np.eye(3), 1, axis=1),
}


def operators(common: np.ndarray, shock: np.ndarray, per_slot: float) -> np.ndarray:
    """Day operators of random moves, the same for every seed of the kernel's shape."""
    draw = np.random.default_rng(len(common)).random((len(common), SLOTS, len(shock), LEVELS, LEVELS))
    return day_operators(draw / draw.sum(axis=-1, keepdims=True), shock, per_slot)


@pytest.mark.parametrize("common", KERNELS.values(), ids=KERNELS)
@pytest.mark.parametrize("shock", SHOCKS.values(), ids=SHOCKS)
@pytest.mark.parametrize("per_slot", [1.0, 0.9])
def test_values_and_laws_solve_the_equations_of_all_states(
    common: np.ndarray, shock: np.ndarray, per_slot: float
) -> None:
    days = operators(common, shock, per_slot)
    joint = joint_operator(common, days)
    states, size, _ = days.shape
    system = MidnightSystem(common, shock, SLOTS, days, constants=per_slot == 1.0)
    assert len(system.system) == len(np.unique(common, axis=0)) * size

    # What a fixed policy earns less its gain: a right side that the constants of no closed group can change.
    reward = np.random.default_rng(1).normal(size=(states * size, 2))
    right = reward - joint @ reward if per_slot == 1.0 else reward
    morning = system.morning_values(right.reshape(states, size, 2))
    value = np.einsum("cxy,cyd->cxd", days, morning).reshape(-1, 2) + right
    np.testing.assert_allclose(value - joint @ value, right, atol=1e-11)
    np.testing.assert_allclose(np.tensordot(common, value.reshape(states, size, 2), axes=1), morning, atol=1e-9)

    pushed = reward - (joint.T @ reward if per_slot == 1.0 else 0.0)
    law = system.midnight_laws(pushed.reshape(states, size, 2)).reshape(-1, 2)
    np.testing.assert_allclose(law - joint.T @ law, pushed, atol=1e-11)


def test_without_a_shortcut_the_answer_is_that_of_the_dense_system() -> None:
    common, shock = KERNELS["a memory of one day"], SHOCKS["mixing"]
    days = operators(common, shock, 0.9)
    states, size, _ = days.shape
    joint = joint_operator(common, days)
    right = np.random.default_rng(2).normal(size=(states * size, 3))
    system = MidnightSystem(common, shock, SLOTS, days, constants=False)
    value = np.linalg.solve(np.eye(states * size) - joint, right).reshape(states, size, 3)
    np.testing.assert_allclose(
        system.morning_values(right.reshape(states, size, 3)), np.tensordot(common, value, axes=1)
    )
    law = np.linalg.solve(np.eye(states * size) - joint.T, right).reshape(states, size, 3)
    np.testing.assert_allclose(system.midnight_laws(right.reshape(states, size, 3)), law)
