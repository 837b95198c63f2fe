"""Best response of one household type by backward induction over the periodic day.

With discount δ per day, temperature η and feasible moves j,

    Q[c,h,e,z,j] = r[c,h,z,j] + δ^(1/T) E[V(next slot)],

    entropy:    V = η log Σ_j exp(Q/η),   π = softmax(Q/η)
    boltzmann:  V = max_j Q,              π = softmax(Q/η)
    η = 0:      V = max_j Q,              π = argmax, ties split equally

Weather and shocks (c, z) go their own way whatever the household does, so only the differences of V along the levels
matter for what it does. The iteration keeps W[c,z,e] = V[c,z,e] − V[c,z,0] at midnight and repeats the day until the
change of V is the same at all levels, for each (c, z): relative value iteration (Puterman, *Markov Decision
Processes*, 1994, section 8.5) with MacQueen's span rule applied per exogenous state. Slow weather (seasons) then costs
nothing. That change, averaged over (c, z), is the reward per day; at δ < 1 the part of V that is common to all levels
follows from a linear system in (c, z). Where the day mixes slowly (idle batteries, cold policies), soft policy
iteration takes over: Newton's method on the midnight values, whose derivative is the policy's own day operator
(Puterman and Brumelle 1979). Anderson acceleration serves best moves, and comes first where that operator is large.

In the exponential domain the entropy rule is a convolution along the levels: exp(Q/η) = A[j]·Y[e + j] with
A = exp(r/η), Y = exp(δ^(1/T) E V/η), so a slot takes as many exponentials as there are levels, not levels × moves.
Where the range of Q/η could underflow, the mean slope of the value along the levels moves from Y to A, which cancels
most of both; where that is not enough, the kernels fall back to the plain log-sum-exp.
"""

from dataclasses import dataclass

import numba
import numpy as np

from agents.anderson import accelerate
from agents.arrays import Floats, Ints
from agents.day_operator import JOINT_LIMIT, day_operators, joint_operator, move_kernel
from agents.household import HouseholdType
from agents.outlook import Outlook, ValueRule
from agents.policy import PolicyTable
from agents.slot_outcome import SlotOutcome, slot_outcome
from agents.tariff import Rates

SAFE_EXPONENT = 600.0
"""Largest range of Q/η that the exponential domain can hold in float64 without underflow (exp(−745) is 0)."""
PLAIN_DAYS = 12
"""Sweeps over the day after which plain iteration hands over to a faster one."""
CHEAP_JOINT = 200
"""Up to this size of the midnight values a step of policy iteration costs about as much as a sweep."""
PATIENCE = 20
"""Accelerated sweeps without much progress after which policy iteration takes over."""
POLICY_STEPS = 40
"""Steps of policy iteration before lazy iteration takes over; it settles in a handful."""
FAST_DAYS = 300
"""Sweeps accelerated by Anderson's method before lazy iteration takes over."""
DAY_LIMIT = 5_000
"""Lazy sweeps after which the iteration gives up."""
SLOW_SHARE = 0.03
"""Share of the tolerance that the change must meet once decay is known to be slow."""
NOTHING = np.empty((0, 0, 0, 0, 0))
"""Stands for the policy in sweeps that need only values."""
ROUNDING_USD = 2e-14
"""A span of the change this small is rounding. [USD]"""
TIE_USD = 1e-12
"""Moves whose values differ by less are ties at η = 0. [USD]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Response:
    """A best response and how it ended.

    Attributes
    ----------
    policy : PolicyTable
        What to do in every state.
    outcome : SlotOutcome
        What each move brings, at the rates planned with.
    value_usd : (c, h, z, e)
        Value at the start of each slot; at δ = 1 up to a function of (c, z), which no policy can change. [USD]
    gain_usd_per_day
        Average reward per day, under the entropy rule inclusive of the entropy; at δ < 1 the average of (1 − δ)·V
        at midnight over (c, z), at level 0; in a single day the expected reward with salvage. [USD/day]
    span_usd
        Width of the bounds on the gain when the iteration stopped. [USD]
    days
        Sweeps over the day it took.
    converged
        Whether the values met the tolerance.
    """

    policy: PolicyTable
    outcome: SlotOutcome
    value_usd: Floats
    gain_usd_per_day: float
    span_usd: float
    days: int
    converged: bool


def value_tolerance_usd(temperature_usd: float) -> float:
    """Accuracy of the values at which probabilities are good to about 1e-9."""
    return max(1e-9 * temperature_usd, 2e-13)


@numba.njit(cache=True, nogil=True)
def _expect_shock(shock_kernel: Floats, after: Floats, scale: float, out: Floats) -> None:
    """out[z, e] = scale · Σ_z' P[z, z'] after[z', e]."""
    shocks, levels = after.shape
    for z in range(shocks):
        for e in range(levels):
            out[z, e] = 0.0
        for y in range(shocks):
            chance = scale * shock_kernel[z, y]
            for e in range(levels):
                out[z, e] += chance * after[y, e]


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
            _expect_shock(shock_kernel, tomorrow if back == 0 else value[c, h + 1], discount, ahead)
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


def best_response(
    household: HouseholdType,
    rates: Rates,
    outlook: Outlook,
    *,
    start: Response | None = None,
    tolerance_usd: float | None = None,
) -> Response:
    """Best response of a household type to rates it takes as given.

    Parameters
    ----------
    household
        The type; its discount is already in ``rates``.
    rates
        Import and export rate per common state and slot, export ≤ import. [USD/kWh]
    outlook
        Chances ahead, temperature, discount and value rule.
    start
        A response to similar rates, from which the iteration starts.
    tolerance_usd
        Span at which to stop; by default ``value_tolerance_usd(temperature)``. [USD]

    Returns
    -------
    Response
        With ``converged`` False if the day limit came first.
    """
    outcome = slot_outcome(household, rates, outlook.shock_levels, outlook.slot_hours)
    return respond(outcome, household.levels, outlook, start=start, tolerance_usd=tolerance_usd)


def respond(
    outcome: SlotOutcome,
    levels: int,
    outlook: Outlook,
    *,
    start: Response | None = None,
    tolerance_usd: float | None = None,
) -> Response:
    """Best response when each move's consequences are already known; arguments as in ``best_response``."""
    reward = outcome.reward_usd
    states, slots, shocks, count = reward.shape
    temperature, delta = outlook.temperature_usd, outlook.discount_per_day
    tolerance = value_tolerance_usd(temperature) if tolerance_usd is None else tolerance_usd
    soft = outlook.value_rule is ValueRule.ENTROPY and temperature > 0
    value = np.empty((states, slots, shocks, levels))
    probability = np.empty((states, slots, levels, shocks, count))
    if outlook.one_day is not None:
        worth = outlook.one_day.midnight_usd(levels, outcome.level_kwh)
        midnight = np.broadcast_to(worth, (states, shocks, levels))
    elif start is not None and start.value_usd.shape == value.shape:
        midnight = start.value_usd[:, 0] - start.value_usd[:, 0, :, :1]
    else:
        midnight = np.zeros((states, shocks, levels))
    if temperature > 0:
        weight = np.exp((reward - reward.max(axis=-1, keepdims=True)) / temperature)
    else:
        weight = np.zeros_like(reward)
    arrays = (reward, weight, outcome.moves, outlook.common_kernel, outlook.shock_kernel)
    numbers = (delta ** (1 / slots), temperature, soft)
    if outlook.one_day is not None:
        sweep_day(*arrays, np.ascontiguousarray(midnight), *numbers, value, probability)
        law = outlook.one_day.start(levels, outlook.shock_probability)
        gain = float(outlook.common_probability @ (value[:, 0].transpose(0, 2, 1) * law).sum(axis=(1, 2)))
        return _response(outcome, value, probability, gain=gain, span=0.0, days=1, converged=True)
    days, converged = iterate_days(*arrays, midnight, *numbers, tolerance, PLAIN_DAYS, 0.0, value)
    if not converged and soft and midnight.size <= CHEAP_JOINT:
        more, converged = _iterate_policies(arrays, numbers, outlook, midnight, tolerance, value, probability)
        days += more
    elif not converged:

        def next_midnight(flat: Floats) -> Floats:
            sweep_day(*arrays, flat.reshape(midnight.shape), *numbers, value, NOTHING)
            return (value[:, 0] - value[:, 0, :, :1]).ravel()

        settled = accelerate(
            next_midnight,
            midnight.ravel(),
            tolerance=max(SLOW_SHARE * tolerance, ROUNDING_USD),
            limit=FAST_DAYS,
            patience=PATIENCE if soft else None,
        )
        midnight, converged = settled.point.reshape(midnight.shape), settled.converged
        days += settled.evaluations
        if not converged and soft and midnight.size <= JOINT_LIMIT:
            more, converged = _iterate_policies(arrays, numbers, outlook, midnight, tolerance, value, probability)
            days += more
    if not converged:  # kinks or cycles defeat the acceleration; lazy days break cycles and only take longer
        more, converged = iterate_days(*arrays, midnight, *numbers, tolerance, DAY_LIMIT, 0.5, value)
        days += more
    if delta < 1:
        midnight += _common_part(value[:, 0] - midnight, outlook, slots)[:, :, None]
    sweep_day(*arrays, midnight, *numbers, value, probability)
    change = value[:, 0] - delta * midnight
    chance = outlook.common_probability[:, None] * outlook.shock_probability
    return _response(
        outcome,
        value,
        probability,
        gain=float((chance * change[:, :, 0]).sum()),
        span=float((chance * np.ptp(value[:, 0] - midnight, axis=2)).sum()),
        days=int(days),
        converged=bool(converged),
    )


def _response(
    outcome: SlotOutcome, value: Floats, probability: Floats, *, gain: float, span: float, days: int, converged: bool
) -> Response:
    """Put the result together."""
    return Response(
        policy=PolicyTable(
            moves=outcome.moves, probability=probability, net_load_kw=outcome.net_load_kw, use_kw=outcome.use_kw
        ),
        outcome=outcome,
        value_usd=value,
        gain_usd_per_day=gain,
        span_usd=span,
        days=days,
        converged=converged,
    )


def _iterate_policies(
    arrays: tuple[Floats, Floats, Ints, Floats, Floats],
    numbers: tuple[float, float, bool],
    outlook: Outlook,
    midnight: Floats,
    tolerance: float,
    value: Floats,
    probability: Floats,
) -> tuple[int, bool]:
    """Newton's method on the midnight values, in place; return (sweeps, whether within tolerance).

    Ends when a step no longer moves the values along the levels, or cannot any more: then the change of the values
    over a day is within tolerance and what is left is rounding.
    """
    last_step = np.inf
    for sweep in range(1, POLICY_STEPS + 1):
        sweep_day(*arrays, midnight, *numbers, value, probability)
        operators = day_operators(move_kernel(probability, arrays[2]), outlook.shock_kernel, numbers[0])
        system = np.eye(midnight.size) - joint_operator(outlook.common_kernel, operators)
        if outlook.discount_per_day == 1.0:
            system += 1.0 / midnight.size  # fixes the constant that no policy can change
        change = value[:, 0] - midnight
        step = np.linalg.solve(system, change.ravel()).reshape(midnight.shape)
        width, drift = float(np.ptp(step, axis=2).max()), float(np.ptp(change, axis=2).max())
        if width >= last_step and drift <= tolerance:
            return sweep, True
        midnight += step
        midnight -= midnight[:, :, :1].copy()
        if width <= tolerance or drift <= ROUNDING_USD:
            return sweep, True
        last_step = width
    return POLICY_STEPS, False


def _common_part(change: Floats, outlook: Outlook, slots: int) -> Floats:
    """Value φ(c, z) at midnight common to all levels, at δ < 1: φ = d + δ E[φ(c', z')], d being the day's change."""
    day_kernel = np.kron(outlook.common_kernel, np.linalg.matrix_power(outlook.shock_kernel, slots))
    system = np.eye(len(day_kernel)) - outlook.discount_per_day * day_kernel
    middle = 0.5 * (change.min(axis=2) + change.max(axis=2))
    return np.asarray(np.linalg.solve(system, middle.ravel()).reshape(middle.shape))
