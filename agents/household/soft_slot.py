"""The entropy rule in one slot, for all shocks and levels at once: values, and the policy where it is wanted.

In the exponential domain the rule is a convolution along the levels: exp(Q/η) = A[j]·Y[e + j] with A = exp(r/η) and
Y = exp(δ^(1/T) E V/η), so a slot takes as many exponentials as there are levels, not levels × moves, and everything is
plain arithmetic on rows that a processor takes several numbers at a time. Where the range of Q/η could underflow, the
mean slope of the value along the levels moves from Y to A, which cancels most of both; where that is not enough, the
plain log-sum-exp does it.
"""

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.agents.numerics.elementary import quick_exp, quick_log

SAFE_EXPONENT = 600.0
"""Largest range of Q/η that the exponential domain can hold in float64 without underflow (exp(−745) is 0)."""
FAR_BEHIND = -60.0
"""Exponents below this count for nothing."""
UNREACHABLE_USD = -1e300
"""What fills the padding of values: its exponential is 0. [USD]"""
LANES = 8
"""Rows are padded to a multiple of this, the numbers that a processor takes at once."""


@compiled
def padded(levels: int) -> int:
    """Length of a row of ``levels`` numbers with its padding."""
    return (levels + LANES - 1) // LANES * LANES


@compiled(fastmath={"nnan", "nsz"})
def _extent(row: Floats, length: int) -> tuple[float, float]:
    """Least and largest of the first numbers of a row, none of them nan."""
    low, high = row[0], row[0]
    for k in range(1, length):
        low, high = min(low, row[k]), max(high, row[k])
    return low, high


@compiled(error_model="numpy")
def soft_slot(  # noqa: C901, PLR0913  # complexipy: ignore
    reward: Floats,
    weight: Floats,
    lowest: int,
    first: int,
    beyond: int,
    ahead: Floats,
    temperature: float,
    future: Floats,
    tilted: Floats,
    total: Floats,
    value: Floats,
    probability: Floats,
) -> None:
    """value[z, e] = η log Σ_j exp((r[z, j] + ahead[z, e + m_j])/η), over moves m_j = lowest + j that stay on the grid.

    They are numbered from ``first`` to the one before ``beyond``; ``weight`` is exp((r − max r)/η), the maximum being
    over these. ``ahead`` has padded rows that end in ``UNREACHABLE_USD``. Where ``probability`` (e, z, j) is not empty
    it becomes the softmax. Scratch: ``tilted`` (j,), ``total`` (padded,), and ``future`` (padded + moves,), which is
    zero outside the levels and stays so.
    """
    shocks, levels = value.shape
    count, width = beyond - first, total.size
    below = -lowest
    cold = 1.0 / temperature
    best = np.empty(width)
    open_to = tilted[first:beyond]
    for z in range(shocks):
        low_reward, top_reward = _extent(reward[z, first:], count)
        low_ahead, top_ahead = _extent(ahead[z], levels)
        slope = 0.0
        if top_reward - low_reward + top_ahead - low_ahead <= SAFE_EXPONENT * temperature:
            chances = weight[z, first:beyond]
            for k in range(count):
                open_to[k] = chances[k]
            for e in range(width):
                future[below + e] = quick_exp((ahead[z, e] - top_ahead) * cold)
        else:
            slope = (ahead[z, levels - 1] - ahead[z, 0]) / (levels - 1)
            for j in range(first, beyond):
                tilted[j] = reward[z, j] + slope * (lowest + j)
            for e in range(width):
                total[e] = ahead[z, e] - slope * e
            low_reward, top_reward = _extent(tilted[first:], count)
            low_ahead, top_ahead = _extent(total, levels)
            if top_reward - low_reward + top_ahead - low_ahead > SAFE_EXPONENT * temperature:
                _plain_soft(
                    reward[z], lowest, first, beyond, ahead[z], temperature, z, best, total, value[z], probability
                )
                continue
            for k in range(count):
                open_to[k] = quick_exp((open_to[k] - top_reward) * cold)
            for e in range(width):
                future[below + e] = quick_exp((total[e] - top_ahead) * cold)
        for e in range(width):
            total[e] = 0.0
        whole = beyond - count % 4
        for j in range(first, whole, 4):  # four at a time, so that the sums are fetched and stored less often
            a, b, c, d = tilted[j], tilted[j + 1], tilted[j + 2], tilted[j + 3]
            row = future[j : j + width + 3]
            for e in range(width):
                total[e] += (a * row[e] + b * row[e + 1]) + (c * row[e + 2] + d * row[e + 3])
        for j in range(whole, beyond):
            a = tilted[j]
            row = future[j : j + width]
            for e in range(width):
                total[e] += a * row[e]
        top = top_reward + top_ahead
        for e in range(levels):
            value[z, e] = top + slope * e + temperature * quick_log(total[e])
        if probability.size:
            for e in range(levels):
                share = 1.0 / total[e]
                row, chosen = future[e + first : e + beyond], probability[e, z, first:beyond]
                for k in range(count):  # from 0 over slices it becomes vector instructions
                    chosen[k] = open_to[k] * row[k] * share
                for j in range(first):
                    probability[e, z, j] = 0.0
                for j in range(beyond, probability.shape[2]):
                    probability[e, z, j] = 0.0


@compiled(error_model="numpy", fastmath={"nnan", "nsz"})
def _plain_soft(  # noqa: PLR0913
    reward: Floats,
    lowest: int,
    first: int,
    beyond: int,
    ahead: Floats,
    temperature: float,
    z: int,
    best: Floats,
    total: Floats,
    value: Floats,
    probability: Floats,
) -> None:
    """The same for shock z by the log-sum-exp of every level, levels × moves exponentials.

    ``best`` and ``total`` (padded,) are scratch.
    """
    levels, count, width = value.size, reward.size, total.size
    cold = 1.0 / temperature
    reach = np.empty(width + count)
    for k in range(width + count):
        reach[k] = UNREACHABLE_USD
    for e in range(levels):
        reach[e - lowest] = ahead[e]
    for e in range(width):
        best[e], total[e] = UNREACHABLE_USD, 0.0
    for j in range(first, beyond):
        row = reach[j : j + width]
        for e in range(width):
            best[e] = max(best[e], reward[j] + row[e])
    for j in range(first, beyond):
        row = reach[j : j + width]
        for e in range(width):
            total[e] += quick_exp((reward[j] + row[e] - best[e]) * cold)
    for e in range(levels):
        value[e] = best[e] + temperature * quick_log(total[e])
    if probability.size:
        for e in range(levels):
            share, top = 1.0 / total[e], best[e]
            row, chosen = reach[e + first : e + beyond], probability[e, z, first:beyond]
            worth = reward[first:beyond]
            for k in range(chosen.size):
                chosen[k] = quick_exp((worth[k] + row[k] - top) * cold) * share
            for j in range(first):
                probability[e, z, j] = 0.0
            for j in range(beyond, count):
                probability[e, z, j] = 0.0


def by_level(anchor: Floats) -> Floats:
    """An anchor (c, h, e, z, j) as `anchored_slot` reads it: (c, h, z, j, e), rows of levels padded with zeros."""
    states, slots, levels, shocks, count = anchor.shape
    rows = np.zeros((states, slots, shocks, count, padded(levels)))
    rows[..., :levels] = anchor.transpose(0, 1, 3, 4, 2)
    return rows


@compiled(error_model="numpy", fastmath={"nnan", "nsz"})
def anchored_slot(  # noqa: PLR0913  # complexipy: ignore
    reward: Floats,
    lowest: int,
    first: int,
    beyond: int,
    ahead: Floats,
    temperature: float,
    anchor: Floats,
    value: Floats,
    probability: Floats,
) -> None:
    """value[z, e] = η log Σ_j anchor[z, j, e] exp((r[z, j] + ahead[z, e + m_j])/η), other arguments as in `soft_slot`.

    Moves whose ``anchor`` is 0 are not made; at least one of every level must be above 0.
    """
    shocks, levels = value.shape
    count, width = reward.shape[1], anchor.shape[2]
    cold = 1.0 / temperature
    reach, best, total = np.empty(width + count), np.empty(width), np.empty(width)
    for k in range(width + count):
        reach[k] = UNREACHABLE_USD
    for z in range(shocks):
        for e in range(levels):
            reach[e - lowest] = ahead[z, e]
        for e in range(width):
            best[e], total[e] = UNREACHABLE_USD, 0.0
        for j in range(first, beyond):
            row, held, earned = reach[j : j + width], anchor[z, j], reward[z, j]
            for e in range(width):
                worth = earned + row[e]
                best[e] = max(best[e], worth if held[e] > 0.0 else UNREACHABLE_USD)
        for j in range(first, beyond):
            row, held, earned = reach[j : j + width], anchor[z, j], reward[z, j]
            for e in range(width):
                total[e] += held[e] * quick_exp(min((earned + row[e] - best[e]) * cold, 0.0))
        for e in range(levels):
            value[z, e] = best[e] + temperature * quick_log(total[e])
        if not probability.size:
            continue
        for e in range(levels):
            share, chosen = 1.0 / total[e], probability[e, z]
            for j in range(chosen.size):
                chosen[j] = 0.0
            for j in range(first, beyond):
                behind = (reward[z, j] + reach[e + j] - best[e]) * cold
                if behind > FAR_BEHIND:  # cold, few moves are worth an exponential
                    chosen[j] = anchor[z, j, e] * quick_exp(min(behind, 0.0)) * share
