"""Forward flow of the households' law over levels and shocks, and its stationary day.

The law μ[c, h, e, z] is conditional on the common state: it sums to one for each (c, h), and is taken before the move
of slot h. At midnight μ'[c'] = Σ_c P(c|c')·end(c) with the backward chain P(c|c').
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.household.day_operator import JOINT_LIMIT
from meanwatt.agents.household.decision_problem import DecisionProblem
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.numerics.arrays import Floats, Ints, as_input, require_shape
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.mean_field.population.midnight_law import law_by_rows, long_run_midnight, stationary_midnight

LAW_TOLERANCE = 1e-13
"""Estimated distance to the stationary law at which iterating stops unless told (total variation per common state)."""
ROUNDING = 1e-15
"""A change of the law this small is rounding."""
LAZY = 0.5
"""Share of the old law kept where plain days go round in circles."""
CELLS_AT_ONCE = 200_000_000
"""Entries of a policy × days of one call of a kernel, at most about a second, between two questions whether to stop."""
NEGLIGIBLE_PROBABILITY = 1e-30
"""Moves less probable than this, far below the rounding of any law, are not looked at."""
FAST_DAYS = 40
"""Days to iterate, plainly and then lazily, before the linear system is solved instead."""
KRYLOV_DAYS = 60
"""Days between restarts of GMRES, which comes between the two in larger games,"""
RESTARTS = 4
"""and restarts that are worth it."""
SLOW_SHARE = 0.03
"""Share of the tolerance that its change over a day must meet: what is left decays slowly."""
LOOKS, UNSETTLED = 8, 100.0
"""Days between looks at whether plain days will settle, and the multiple of the tolerance by which they may miss it,"""
MOST_ROWS, MOST_STARTS = 1_200, 256
"""where the system over rows is at most so large, and a day's operators (shocks × levels),"""
EXACT_CHANGE = 1e-14
"""and what the law of that system may change over a day."""
CHEAP_JOINT = 200
"""Up to this size of a law at midnight the linear system costs less than GMRES."""
SWEEP_LIMIT = 400
"""Lazy days after which iterating gives up."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flow:
    """The stationary day of one household type under its policy.

    Attributes
    ----------
    law : (c, h, e, z)
        Law before the move of each slot; sums to one over (e, z).
    frequency : (c, h, z, j)
        Joint frequency of shock and move; sums to one over (z, j).
    defect
        Estimated distance of the midnight law to the stationary one; at most the tolerance where it converged.
    """

    __repr__ = short_repr

    law: Floats
    frequency: Floats
    defect: float


def moves_taken(probability: Floats) -> Ints:
    """First move that is ever taken and the first beyond the last one (c, h, e, z, 2): cold plans take one or two."""
    taken = np.empty((*probability.shape[:-1], 2), dtype=np.int64)
    _find_moves_taken(as_input(probability), taken)
    return taken


@compiled
def _find_moves_taken(probability: Floats, taken: Ints) -> None:
    states, slots, levels, shocks, count = probability.shape
    for c in range(states):
        for h in range(slots):
            for e in range(levels):
                for z in range(shocks):
                    first, beyond = 0, count
                    while first < count and probability[c, h, e, z, first] < NEGLIGIBLE_PROBABILITY:
                        first += 1
                    while beyond > first and probability[c, h, e, z, beyond - 1] < NEGLIGIBLE_PROBABILITY:
                        beyond -= 1
                    taken[c, h, e, z, 0], taken[c, h, e, z, 1] = first, beyond


@compiled
def _push_slot(  # complexipy: ignore
    mass: Floats, probability: Floats, taken: Ints, moves: Ints, shock_kernel: Floats, moved: Floats, out: Floats
) -> None:
    """Move mass[e, z] by probability[e, z, j] and draw the next shock; ``moved`` (z, e) is scratch.

    Only moves that stay on the grid are looked at, whatever the policy says.
    """
    levels, shocks = mass.shape
    lowest = moves[0]
    consecutive = moves[-1] - lowest == moves.size - 1  # as a battery's are
    for z in range(shocks):
        for e in range(levels):
            moved[z, e] = 0.0
    for e in range(levels):
        for z in range(shocks):
            m = mass[e, z]
            if m != 0.0:
                if consecutive:
                    to = e + lowest
                    first, beyond = max(taken[e, z, 0], -to, 0), max(min(taken[e, z, 1], levels - to), 0)
                    for j in range(np.uint64(first), np.uint64(beyond)):  # unsigned, it becomes vector instructions
                        moved[z, np.uint64(to + j)] += m * probability[e, z, j]
                    continue
                for j in range(taken[e, z, 0], taken[e, z, 1]):
                    after = np.uint64(e + moves[j])  # below 0 it is huge: one comparison for both ends
                    if after < np.uint64(levels):
                        moved[z, after] += m * probability[e, z, j]
    for e in range(levels):
        for y in range(shocks):
            total = 0.0
            for z in range(shocks):
                total += moved[z, e] * shock_kernel[z, y]
            out[e, y] = total


@compiled
def push_day(
    midnight: Floats,
    probability: Floats,
    taken: Ints,
    moves: Ints,
    shock_kernel: Floats,
    backward: Floats,
    law: Floats,
    after: Floats,
) -> None:
    """Push a law at midnight[c, e, z] through one day; fill law[c, h, e, z] and the next midnight's after[c, e, z]."""
    states, slots, levels, shocks = law.shape
    moved = np.empty((shocks, levels))
    end = np.empty((states, levels, shocks))
    for c in range(states):
        for e in range(levels):
            for z in range(shocks):
                law[c, 0, e, z] = midnight[c, e, z]
        for h in range(slots):
            target = end[c] if h == slots - 1 else law[c, h + 1]
            _push_slot(law[c, h], probability[c, h], taken[c, h], moves, shock_kernel, moved, target)
    for d in range(states):
        for e in range(levels):
            for z in range(shocks):
                total = 0.0
                for c in range(states):
                    total += backward[d, c] * end[c, e, z]
                after[d, e, z] = total


@compiled
def push_days(  # noqa: PLR0913
    midnight: Floats,
    probability: Floats,
    taken: Ints,
    moves: Ints,
    shock_kernel: Floats,
    backward: Floats,
    limit: int,
    tolerance: float,
    laziness: float,
    previous: float,
    law: Floats,
) -> tuple[float, float]:
    """Iterate the day from midnight[c, e, z]; fill law[c, h, e, z].

    Returns the distance to the stationary law, and the last change, with which, as ``previous``, the iteration goes on
    where it stopped; infinity begins one.

    ``laziness`` is the share of the old law kept at each step: it leaves the stationary law alone and breaks cycles.
    The stopping rule extrapolates the geometric decay of the change, so slow mixing cannot pass for convergence.
    """
    states, _, levels, shocks = law.shape
    after = np.empty((states, levels, shocks))
    distance = np.inf
    for day in range(limit + 1):
        push_day(midnight, probability, taken, moves, shock_kernel, backward, law, after)
        if distance <= tolerance or day == limit:
            break  # the law just filled belongs to the midnight that met the tolerance
        change = 0.0
        for d in range(states):
            whole = 0.0
            for e in range(levels):
                for z in range(shocks):
                    total = after[d, e, z]
                    change = max(change, abs(total - midnight[d, e, z]))
                    midnight[d, e, z] = (1.0 - laziness) * total + laziness * midnight[d, e, z]
                    whole += midnight[d, e, z]
            for e in range(levels):
                for z in range(shocks):
                    midnight[d, e, z] /= whole
        rate = min(change / previous, 0.999999) if previous < np.inf else 0.999999
        previous = change
        distance = 0.0 if change <= ROUNDING else change * rate / (1.0 - rate)
    return distance, previous


def _read(policy: PolicyTable, shock_kernel: Floats, backward: Floats) -> tuple[Floats, Ints, Ints, Floats, Floats]:
    """What `push_days` reads of a day beside the law."""
    probability = policy.probability
    moves = as_input(policy.moves)
    return as_input(probability), moves_taken(probability), moves, as_input(shock_kernel), as_input(backward)


def _push(
    midnight: Floats,
    arrays: tuple[Floats, Ints, Ints, Floats, Floats],
    limit: int,
    tolerance: float,
    laziness: float,
    law: Floats,
    check: Callable[[], None],
    looks: int = 0,
) -> float:
    """`push_days` in calls of bounded length; return the distance to the stationary law.

    With ``looks``, days between two looks, it ends before the limit where the law will not settle within it.
    """
    at_once = max(CELLS_AT_ONCE // arrays[0].size, 1)
    at_once = min(at_once, looks) if looks else at_once
    days, distance, previous = 0, np.inf, np.inf
    while days < limit and distance > tolerance:
        check()
        part, before = min(at_once, limit - days), previous
        distance, previous = push_days(midnight, *arrays, part, tolerance, laziness, previous, law)
        days += part
        if looks and before < np.inf:
            at_the_end = previous * (previous / before) ** ((limit - days) / part)
            if at_the_end > UNSETTLED * tolerance:
                break
    return distance


def _krylov(
    midnight: Floats,
    arrays: tuple[Floats, Ints, Ints, Floats, Floats],
    tolerance: float,
    law: Floats,
    check: Callable[[], None],
) -> Floats:
    """A law at midnight (c, e, z) nearer to the stationary one, by GMRES on the change over a day.

    The system is singular but has solutions; what is added to the law lies in the span of such changes, which hold the
    mass of groups that never mix, as days do.
    """
    from scipy.sparse.linalg import LinearOperator, gmres  # slow to import, seldom needed

    def change(flat: Floats) -> Floats:
        check()
        after = np.empty_like(midnight)
        push_day(np.ascontiguousarray(flat).reshape(midnight.shape), *arrays, law, after)
        return flat - after.ravel()

    size = midnight.size
    step, _ = gmres(
        LinearOperator((size, size), matvec=change, dtype=np.float64),
        -change(midnight.ravel()),
        rtol=0.0,
        atol=max(SLOW_SHARE * tolerance, ROUNDING),
        restart=KRYLOV_DAYS,
        maxiter=RESTARTS,
    )
    found = np.maximum(midnight + step.reshape(midnight.shape), 0.0)
    return np.asarray(found / found.sum(axis=(1, 2), keepdims=True))


def _frequency(law: Floats, probability: Floats) -> Floats:
    """Joint frequency (c, h, z, j) of shock and move, summed over the levels."""
    states, slots, _, shocks, count = probability.shape
    frequency = np.zeros((states, slots, shocks, count))
    _add_up_moves(law, as_input(probability), frequency)
    return frequency


@compiled
def _add_up_moves(law: Floats, probability: Floats, frequency: Floats) -> None:
    states, slots, levels, shocks, count = probability.shape
    for c in range(states):
        for h in range(slots):
            for e in range(levels):
                for z in range(shocks):
                    mass = law[c, h, e, z]
                    for j in range(count):
                        frequency[c, h, z, j] += mass * probability[c, h, e, z, j]


def require_law(law: Floats) -> None:
    """Raise ``ValueError`` unless a law is finite; a policy with one probability that is not leaves none that is."""
    if not np.isfinite(law.sum()):
        raise ValueError("a policy holds a probability that is not finite; give numbers nearer to those of the presets")


def household_flow(
    policy: PolicyTable,
    horizon: DecisionProblem,
    backward: Floats,
    start: Floats | None = None,
    tolerance: float = LAW_TOLERANCE,
    check: Callable[[], None] = lambda: None,
) -> Flow:
    """The day of a policy in a game: the single one from its given start, else the stationary one.

    Arguments as in `stationary_flow`.
    """
    if horizon.one_day is None:
        return stationary_flow(
            policy, horizon.shock_kernel, horizon.shock_probability, backward, start, tolerance, check
        )
    states, slots, levels, shocks, _ = policy.probability.shape
    law = np.empty((states, slots, levels, shocks))
    midnight = np.broadcast_to(horizon.one_day.start(levels, horizon.shock_probability), (states, levels, shocks))
    arrays = _read(policy, horizon.shock_kernel, backward)
    push_days(np.array(midnight, order="C"), *arrays, 0, LAW_TOLERANCE, 0.0, np.inf, law)
    require_law(law)
    return Flow(law=law, frequency=_frequency(law, policy.probability), defect=0.0)


def stationary_flow(
    policy: PolicyTable,
    shock_kernel: Floats,
    shock_probability: Floats,
    backward: Floats,
    start: Floats | None = None,
    tolerance: float = LAW_TOLERANCE,
    check: Callable[[], None] = lambda: None,
) -> Flow:
    """Stationary day of a policy.

    Iterates the day; where that mixes slowly (cold policies, weather that lasts) the change over a day is solved for by
    GMRES, or the linear system of the midnight law; where households never mix the law is what the start comes to.

    Parameters
    ----------
    policy
        Probability (c, h, e, z, j) of every move.
    shock_kernel : (z, z')
        Acts after every slot.
    shock_probability : (z,)
        Its stationary law.
    backward : (c', c)
        Chance P(c|c') that yesterday was c.
    start : (c, e, z), optional
        A law at midnight to start from; by default uniform over levels.
    tolerance
        Estimated distance of the midnight law to the stationary one at which to stop.
    check
        Called every second or so; may raise to stop.
    """
    probability = policy.probability
    states, slots, levels, shocks, count = probability.shape
    if count == 1:
        law = np.full((states, slots, levels, shocks), shock_probability / levels)
        frequency = np.full((states, slots, shocks, 1), shock_probability[:, None])
        return Flow(law=law, frequency=frequency, defect=0.0)
    law = np.empty((states, slots, levels, shocks))
    if start is None:
        midnight = np.ascontiguousarray(np.broadcast_to(shock_probability / levels, (states, levels, shocks)))
    else:
        require_shape("the law to start from", start, (states, levels, shocks), "(common state, level, shock)")
        midnight = np.array(start, order="C")
    arrays = _read(policy, shock_kernel, backward)
    by_rows = midnight.size > CHEAP_JOINT and levels * shocks <= MOST_STARTS
    defect = _push(midnight, arrays, FAST_DAYS, tolerance, 0.0, law, check, LOOKS if by_rows else 0)
    found = law_by_rows(*arrays, MOST_ROWS) if defect > tolerance and by_rows else None
    if found is not None:
        midnight = found
        _, change = push_days(midnight, *arrays, 1, tolerance, 0.0, np.inf, law)
        if change <= max(SLOW_SHARE * tolerance, EXACT_CHANGE):
            defect = change
    if defect > tolerance:
        if midnight.size > CHEAP_JOINT:
            midnight = _krylov(midnight, arrays, tolerance, law, check)
        defect = _push(midnight, arrays, FAST_DAYS, tolerance, LAZY, law, check)
    if defect > tolerance and midnight.size <= JOINT_LIMIT:
        solved = stationary_midnight(policy, shock_kernel, shock_probability, backward)
        if solved is not None and solved[1] <= tolerance:
            midnight, defect = solved
            push_days(midnight.copy(), *arrays, 0, tolerance, 0.0, np.inf, law)
    if defect > tolerance and midnight.size <= JOINT_LIMIT:
        kept, left = long_run_midnight(policy, shock_kernel, backward, midnight)
        if left <= max(tolerance, ROUNDING * midnight.size):
            midnight, defect = kept, left
            push_days(midnight.copy(), *arrays, 0, tolerance, 0.0, np.inf, law)
    if defect > max(tolerance, ROUNDING * midnight.size):
        defect = _push(midnight.copy(), arrays, SWEEP_LIMIT, tolerance, LAZY, law, check)
    require_law(law)
    frequency = _frequency(law, probability)
    return Flow(law=law, frequency=frequency, defect=float(defect))
