"""Forward flow of the law of households that carry the day's largest import in their state.

As `meanwatt.model.mean_field.population.flow`, but a move also moves the largest import so far, up to a level of its
grid or the next, by chance; at midnight it begins anew at 0.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from meanwatt.agents.household.decision_problem import DecisionProblem
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.numerics.arrays import Bools, Floats, Ints, as_input
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.model.mean_field.population.flow import (
    FAST_DAYS,
    LAW_TOLERANCE,
    LAZY,
    ROUNDING,
    SWEEP_LIMIT,
    Flow,
    require_law,
)


@compiled
def push_peak_day(  # noqa: C901, PLR0913  # complexipy: ignore
    midnight: Floats,
    probability: Floats,
    lower: Any,
    upper: Floats,
    moves: Ints,
    shock_kernel: Floats,
    backward: Floats,
    law: Floats,
    after: Floats,
) -> None:
    """Push a law at midnight[c, e, z], nothing imported yet, through a day.

    Fills law[c, h, e, z·l] and the next midnight's after[c, e, z]. What ``probability`` (c, h, e, z·l, j) lacks to one
    is lost.
    """
    states, slots, levels, both = law.shape
    shocks = shock_kernel.shape[0]
    ranks, count = both // shocks, moves.size
    moved = np.empty((shocks, ranks, levels))
    end = np.zeros((states, levels, shocks))
    for c in range(states):
        for e in range(levels):
            for z in range(shocks):
                for rank in range(ranks):
                    law[c, 0, e, z * ranks + rank] = midnight[c, e, z] if rank == 0 else 0.0
        for h in range(slots):
            for z in range(shocks):
                for rank in range(ranks):
                    for e in range(levels):
                        moved[z, rank, e] = 0.0
            for e in range(levels):
                for k in range(both):
                    mass, z, row = law[c, h, e, k], k // ranks, e * both + k
                    if mass == 0.0:
                        continue
                    for j in range(count):
                        part = mass * probability[c, h, e, k, j]
                        if part > 0.0:
                            to, at, up = e + moves[j], lower[c, h, row, j], upper[c, h, row, j]
                            moved[z, at, to] += part * (1.0 - up)
                            if up > 0.0:
                                moved[z, at + 1, to] += part * up
            for e in range(levels):
                for y in range(shocks):
                    for rank in range(ranks):
                        total = 0.0
                        for z in range(shocks):
                            total += moved[z, rank, e] * shock_kernel[z, y]
                        if h < slots - 1:
                            law[c, h + 1, e, y * ranks + rank] = total
                        else:
                            end[c, e, y] += total
    for d in range(states):
        for e in range(levels):
            for z in range(shocks):
                total = 0.0
                for c in range(states):
                    total += backward[d, c] * end[c, e, z]
                after[d, e, z] = total


def peak_flow(
    policy: PolicyTable,
    horizon: DecisionProblem,
    backward: Floats,
    start: Floats | None = None,
    tolerance: float = LAW_TOLERANCE,
    check: Callable[[], None] = lambda: None,
) -> Flow:
    """The stationary day of a policy that carries the largest import; arguments as of `stationary_flow`.

    Returns
    -------
    Flow
        With law (c, h, e, z·l) and frequency (c, h, row, j).
    """
    push, (states, slots, levels, both, _) = _Push(policy, horizon.shock_kernel, backward), policy.probability.shape
    shocks = len(horizon.shock_kernel)
    law = np.empty((states, slots, levels, both))
    if start is None:
        midnight = np.ascontiguousarray(np.broadcast_to(horizon.shock_probability / levels, (states, levels, shocks)))
    else:
        midnight = np.ascontiguousarray(start.reshape(states, levels, shocks, -1).sum(axis=-1))
    defect, previous = np.inf, np.inf
    for number in range(FAST_DAYS + SWEEP_LIMIT + 1):
        check()
        after = push(midnight, law)
        if defect <= tolerance or number == FAST_DAYS + SWEEP_LIMIT:
            break  # the law just filled belongs to the midnight that met the tolerance
        change = float(np.abs(after - midnight).max())
        laziness = 0.0 if number < FAST_DAYS else LAZY
        midnight = (1.0 - laziness) * after + laziness * midnight
        midnight /= midnight.sum(axis=(1, 2), keepdims=True)
        rate = min(change / previous, 0.999999) if previous < np.inf else 0.999999
        previous = change
        defect = 0.0 if change <= ROUNDING else change * rate / (1.0 - rate)
    require_law(law)
    return Flow(
        law=law,
        frequency=policy.frequency(law),
        defect=float(defect),
    )


class _Push:
    """A policy's day, pushed forward."""

    def __init__(
        self, policy: PolicyTable, shock_kernel: Floats, backward: Floats, allowed: Bools | None = None
    ) -> None:
        assert policy.peak is not None
        probability = policy.probability
        if allowed is not None:
            probability = probability * allowed.reshape(probability.shape)
        lower: npt.NDArray[Any] = policy.peak.lower
        self._arrays = (
            as_input(probability),
            as_input(lower),
            as_input(policy.peak.upper),
            as_input(policy.moves),
            as_input(shock_kernel),
            as_input(backward),
        )

    def __call__(self, midnight: Floats, law: Floats) -> Floats:
        """Fill the law of the day, and return the next midnight's. (c, e, z)"""
        after = np.empty_like(midnight)
        push_peak_day(midnight, *self._arrays, law, after)
        return after


def left_at_night(
    policy: PolicyTable, law: Floats, allowed: Bools, shock_kernel: Floats, backward: Floats, chance: Floats
) -> float:
    """Part of a law (c, h, e, z·l) that is left of a day in which only some moves (c, h, row, j) are allowed."""
    assert policy.peak is not None
    midnight = np.ascontiguousarray(policy.peak.by_shock(law[:, 0]))
    after = _Push(policy, shock_kernel, backward, allowed)(midnight, np.empty_like(law))
    return float(chance @ after.sum(axis=(1, 2)))


def peak_links(policy: PolicyTable, last: Floats, shock_kernel: Floats) -> tuple[Floats, Floats]:
    """How days hang together, as `meanwatt.model.mean_field.closure` asks for it.

    Parameters
    ----------
    last : (c, e, z·l)
        Law before the move of the last slot.

    Returns
    -------
    end : (c, e, z)
        Law after that move and the shock's next draw.
    load_kw : (c, e, z, h)
        Mean net load in each slot of a household that begins the day at (e, z).
    """
    states, slots, levels, both, _ = policy.probability.shape
    assert policy.peak is not None
    shocks, ranks = len(shock_kernel), policy.peak.count
    end, load_kw = np.zeros((states, levels, shocks)), np.empty((states, levels, shocks, slots))
    for e in range(levels):
        for z in range(shocks):
            begun = np.zeros((states, levels, shocks))
            begun[:, e, z] = 1.0
            law = np.empty((states, slots, levels, both))
            _Push(policy, shock_kernel, np.eye(states))(begun, law)
            load_kw[:, e, z] = (policy.frequency(law) * policy.net_load_kw).sum(axis=(2, 3))
    done = (last[..., None] * policy.probability[:, -1]).reshape(states, levels, shocks, ranks, -1).sum(axis=3)
    for j, move in enumerate(policy.moves.tolist()):
        low, high = max(0, -move), min(levels, levels - move)
        end[:, low + move : high + move] += done[:, low:high, :, j]
    return end @ shock_kernel, load_kw
