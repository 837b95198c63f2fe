"""The quick elementary functions and the entropy rule of one slot against plain numpy."""

import numba
import numpy as np
import pytest

from meanwatt.agents.household.soft_slot import SAFE_EXPONENT, UNREACHABLE_USD, padded, soft_slot
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.elementary import LOWEST, quick_exp, quick_log

UNIT = np.finfo(float).eps


@numba.njit
def exponentials(x: Floats) -> Floats:
    out = np.empty_like(x)
    for i in range(x.size):
        out[i] = quick_exp(x[i])
    return out


@numba.njit
def logarithms(x: Floats) -> Floats:
    out = np.empty_like(x)
    for i in range(x.size):
        out[i] = quick_log(x[i])
    return out


def test_the_exponential_is_good_to_two_units_in_the_last_place() -> None:
    x = np.concatenate([np.random.default_rng(0).uniform(LOWEST, 700.0, 50_000), [0.0, LOWEST, 0.5 * np.log(2)]])
    assert np.abs(exponentials(x) / np.exp(x) - 1).max() <= 2 * UNIT
    assert exponentials(np.zeros(1))[0] == 1.0


def test_the_exponential_of_anything_lower_is_exactly_zero() -> None:
    assert not exponentials(np.array([np.nextafter(LOWEST, -np.inf), -1e4, UNREACHABLE_USD, -1e305])).any()


def test_the_logarithm_is_good_to_two_units_in_the_last_place_also_next_to_one() -> None:
    draws = np.random.default_rng(1)
    x = np.concatenate([np.exp(draws.uniform(-700, 700, 50_000)), draws.uniform(0.5, 2.0, 50_000), [2.3e-308]])
    assert (np.abs(logarithms(x) - np.log(x)) <= 2 * UNIT * np.abs(np.log(x))).all()
    assert logarithms(np.ones(1))[0] == 0.0


def rule(reward: Floats, ahead: Floats, lowest: int, temperature: float, policy: bool) -> tuple[Floats, Floats]:
    """One call of the kernel with scratch of its own."""
    (shocks, count), levels = reward.shape, ahead.shape[1]
    width = padded(levels)
    rows = np.full((shocks, width), UNREACHABLE_USD)
    rows[:, :levels] = ahead
    weight = np.exp((reward - reward.max(axis=1, keepdims=True)) / temperature)
    value = np.full((shocks, levels), np.nan)
    chance = np.full((levels, shocks, count) if policy else (0, 0, 0), np.nan)
    scratch = np.zeros(width + count), np.empty(count), np.empty(width)
    soft_slot(reward, weight, lowest, 0, count, rows, temperature, *scratch, value, chance)
    return value, chance


@pytest.mark.parametrize("temperature", [0.5, 0.02, 0.004, 0.0005])  # the exponents' range is safe, tilted safe, plain
@pytest.mark.parametrize(("levels", "lowest", "count"), [(1, 0, 1), (2, -1, 2), (7, -2, 4), (16, -3, 9), (21, -20, 41)])
def test_values_and_chances_are_those_of_the_log_sum_exp(
    levels: int, lowest: int, count: int, temperature: float
) -> None:
    draws = np.random.default_rng(levels)
    reward = draws.uniform(-1.0, 0.0, (2, count))
    ahead = 0.3 * np.arange(levels) + draws.uniform(0.0, 0.2, (2, levels))
    value, chance = rule(reward, ahead, lowest, temperature, True)
    rounding = UNIT * (1.0 + ahead.max())  # of a sum, in USD
    for z in range(2):
        for e in range(levels):
            there = e + lowest + np.arange(count)
            stays = (there >= 0) & (there < levels)
            worth = np.where(stays, reward[z] + ahead[z, np.clip(there, 0, levels - 1)], -np.inf)
            odds = np.exp((worth - worth.max()) / temperature)
            assert value[z, e] == pytest.approx(worth.max() + temperature * np.log(odds.sum()), abs=10 * rounding)
            assert not chance[e, z, ~stays].any()
            np.testing.assert_allclose(
                chance[e, z], odds / odds.sum(), atol=1e-300, rtol=10 * (rounding / temperature + UNIT)
            )
    np.testing.assert_allclose(chance.sum(axis=2), 1.0, rtol=1e-14)
    assert np.array_equal(value, rule(reward, ahead, lowest, temperature, False)[0])


def test_the_cases_above_cover_all_three_ways_to_compute() -> None:
    draws = np.random.default_rng(21)
    reward = draws.uniform(-1.0, 0.0, (2, 41))
    ahead = 0.3 * np.arange(21) + draws.uniform(0.0, 0.2, (2, 21))
    slope = (ahead[:, -1:] - ahead[:, :1]) / 20
    tilted, residue = reward + slope * np.arange(-20, 21), ahead - slope * np.arange(21)
    plain = np.ptp(reward, axis=1) + np.ptp(ahead, axis=1)
    levelled = np.ptp(tilted, axis=1) + np.ptp(residue, axis=1)
    assert (plain <= SAFE_EXPONENT * 0.02).all()
    assert (plain > SAFE_EXPONENT * 0.004).all()
    assert (levelled > SAFE_EXPONENT * 0.0005).all()
