"""One day backward: compiled sweeps of a household type's values and policy from midnight to midnight.

In the exponential domain the entropy rule is a convolution along the levels: exp(Q/η) = A[j]·Y[e + j] with
A = exp(r/η), Y = exp(δ^(1/T) E V/η), so a slot takes as many exponentials as there are levels, not levels × moves.
Where the range of Q/η could underflow, the mean slope of the value along the levels moves from Y to A, which cancels
most of both; where that is not enough, the kernels fall back to the plain log-sum-exp.
"""

import numba
import numpy as np

from agents.arrays import Floats, Ints
from agents.day_operator import mix_shocks

SAFE_EXPONENT = 600.0
"""Largest range of Q/η that the exponential domain can hold in float64 without underflow (exp(−745) is 0)."""
ROUNDING_USD = 2e-14
"""A span of the change this small is rounding. [USD]"""
TIE_USD = 1e-12
"""Moves whose values differ by less are ties at η = 0. [USD]"""


@numba.njit(cache=True, nogil=True)
def _soft_values(
    reward: Floats,
    weight: Floats,
    moves: Ints,
    ahead: Floats,
    temperature: float,
    future: Floats,
    tilted: Floats,
    out: Floats,
) -> None:
    """out[e] = η log Σ_j exp((r[j] + ahead[e + j])/η) for one (c, h, z), given weight = exp((r − max r)/η).

    On return the chance of move j at level e is proportional to tilted[j]·future[e + j]; where the exponential domain
    is not safe even after taking the value's mean slope along the levels out of both, future[0] is −1.
    """
    levels = ahead.size
    slope = 0.0
    top_reward, top_ahead = reward.max(), ahead.max()
    tilted[:] = weight
    if top_reward - reward.min() + top_ahead - ahead.min() > SAFE_EXPONENT * temperature:
        slope = (ahead[levels - 1] - ahead[0]) / (levels - 1)
        top_reward, low_reward, top_ahead, low_ahead = -np.inf, np.inf, -np.inf, np.inf
        for j in range(moves.size):
            tilted[j] = reward[j] + slope * moves[j]
            top_reward, low_reward = max(top_reward, tilted[j]), min(low_reward, tilted[j])
        for e in range(levels):
            residue = ahead[e] - slope * e
            top_ahead, low_ahead = max(top_ahead, residue), min(low_ahead, residue)
        if top_reward - low_reward + top_ahead - low_ahead > SAFE_EXPONENT * temperature:
            future[0] = -1.0
            _plain_soft_values(reward, moves, ahead, temperature, out)
            return
        for j in range(moves.size):
            tilted[j] = np.exp((tilted[j] - top_reward) / temperature)
    for e in range(levels):
        future[e] = np.exp((ahead[e] - slope * e - top_ahead) / temperature)
        out[e] = 0.0
    for j in range(moves.size):
        step = moves[j]
        a = tilted[j]
        for e in range(max(0, -step), min(levels, levels - step)):
            out[e] += a * future[e + step]
    for e in range(levels):
        out[e] = temperature * np.log(out[e]) + top_reward + top_ahead + slope * e


@numba.njit(cache=True, nogil=True)
def _plain_soft_values(reward: Floats, moves: Ints, ahead: Floats, temperature: float, out: Floats) -> None:
    """The same by the log-sum-exp of every level, levels × moves exponentials."""
    levels = ahead.size
    for e in range(levels):
        best = -np.inf
        for j in range(moves.size):
            if 0 <= e + moves[j] < levels:
                best = max(best, reward[j] + ahead[e + moves[j]])
        total = 0.0
        for j in range(moves.size):
            if 0 <= e + moves[j] < levels:
                total += np.exp((reward[j] + ahead[e + moves[j]] - best) / temperature)
        out[e] = best + temperature * np.log(total)


@numba.njit(cache=True, nogil=True)
def _hard_values(reward: Floats, moves: Ints, ahead: Floats, out: Floats) -> None:
    """out[e] = max_j r[j] + ahead[e + j] for one (c, h, z)."""
    levels = ahead.size
    out[:] = -np.inf
    for j in range(moves.size):
        step = moves[j]
        r = reward[j]
        for e in range(max(0, -step), min(levels, levels - step)):
            out[e] = max(out[e], r + ahead[e + step])


@numba.njit(cache=True, nogil=True)
def _choose(reward: Floats, moves: Ints, ahead: Floats, temperature: float, e: int, chance: Floats) -> None:
    """chance[j] = softmax of Q/η at level e, or the argmax with ties split at η = 0."""
    levels = ahead.size
    best = -np.inf
    for j in range(moves.size):
        if 0 <= e + moves[j] < levels:
            best = max(best, reward[j] + ahead[e + moves[j]])
    total = 0.0
    for j in range(moves.size):
        chance[j] = 0.0
        if 0 <= e + moves[j] < levels:
            loss = reward[j] + ahead[e + moves[j]] - best
            if temperature > 0.0:
                chance[j] = np.exp(loss / temperature)
            elif loss >= -TIE_USD:
                chance[j] = 1.0
        total += chance[j]
    for j in range(moves.size):
        chance[j] /= total


@numba.njit(cache=True, nogil=True)
def _spread(tilted: Floats, future: Floats, moves: Ints, e: int, chance: Floats) -> None:
    """chance[j] ∝ tilted[j]·future[e + j] over the moves, ascending, that stay on the grid."""
    first, last = 0, moves.size
    while e + moves[first] < 0:
        first += 1
    while e + moves[last - 1] >= future.size:
        last -= 1
    chance[:first] = 0.0
    chance[last:] = 0.0
    total = 0.0
    for j in range(first, last):
        chance[j] = tilted[j] * future[e + moves[j]]
        total += chance[j]
    share = 1.0 / total
    for j in range(first, last):
        chance[j] *= share


@numba.njit(cache=True, nogil=True)
def sweep_day(
    reward: Floats,
    weight: Floats,
    moves: Ints,
    common_kernel: Floats,
    shock_kernel: Floats,
    midnight: Floats,
    discount: float,
    temperature: float,
    soft: bool,
    value: Floats,
    probability: Floats,
) -> None:
    """Fill value[c, h, z, e] backward from midnight[c, z, e], the value with which the next day starts.

    ``discount`` is per slot; ``weight`` is exp((r − max r)/η); ``soft`` chooses the entropy rule, else values are
    maxima. Where ``probability`` (c, h, e, z, j) is not empty the policy is filled in, too.
    """
    states, slots, shocks, count = reward.shape
    levels = midnight.shape[2]
    tomorrow = np.empty((shocks, levels))
    ahead = np.empty((shocks, levels))
    future = np.empty(levels)
    tilted = np.empty(count)
    for c in range(states):
        tomorrow[:] = 0.0
        for d in range(states):
            chance = common_kernel[c, d]
            if chance > 0.0:
                for z in range(shocks):
                    for e in range(levels):
                        tomorrow[z, e] += chance * midnight[d, z, e]
        for back in range(slots):
            h = slots - 1 - back
            mix_shocks(shock_kernel, tomorrow if back == 0 else value[c, h + 1], discount, ahead)
            for z in range(shocks):
                future[0] = -1.0
                if soft:
                    arrays = (reward[c, h, z], weight[c, h, z], moves, ahead[z])
                    _soft_values(*arrays, temperature, future, tilted, value[c, h, z])
                else:
                    _hard_values(reward[c, h, z], moves, ahead[z], value[c, h, z])
                if probability.size:
                    for e in range(levels):
                        chances = probability[c, h, e, z]
                        if future[0] < 0.0:
                            _choose(reward[c, h, z], moves, ahead[z], temperature, e, chances)
                        else:
                            _spread(tilted, future, moves, e, chances)


@numba.njit(cache=True, nogil=True)
def iterate_days(
    reward: Floats,
    weight: Floats,
    moves: Ints,
    common_kernel: Floats,
    shock_kernel: Floats,
    midnight: Floats,
    discount: float,
    temperature: float,
    soft: bool,
    tolerance: float,
    limit: int,
    laziness: float,
    value: Floats,
) -> tuple[int, bool]:
    """Repeat the day until its values change alike at all levels; return (days, whether within tolerance).

    ``midnight`` holds the start and, on return, the differences to level 0 that the last sweep started from. The
    stopping rule extrapolates the geometric decay of the span of the change. ``laziness`` is the share of the old
    values kept (Schweitzer's transformation): it breaks cycles of several days.
    """
    states, _, shocks, levels = value.shape
    nothing = np.empty((0, 0, 0, 0, 0))
    previous, days = np.inf, 0
    while days < limit:
        days += 1
        sweep_day(
            reward, weight, moves, common_kernel, shock_kernel, midnight, discount, temperature, soft, value, nothing
        )
        widest = 0.0
        for c in range(states):
            for z in range(shocks):
                low, high = np.inf, -np.inf
                for e in range(levels):
                    change = value[c, 0, z, e] - midnight[c, z, e]
                    low, high = min(low, change), max(high, change)
                widest = max(widest, high - low)
        rate = min(widest / previous, 0.9999) if previous < np.inf else 0.9999
        previous = widest
        if widest * max(rate / (1.0 - rate), 1.0) <= tolerance or widest <= ROUNDING_USD:
            return days, True
        for c in range(states):
            for z in range(shocks):
                for e in range(levels):
                    fresh = value[c, 0, z, e] - value[c, 0, z, 0]
                    midnight[c, z, e] = (1.0 - laziness) * fresh + laziness * midnight[c, z, e]
    return days, False
