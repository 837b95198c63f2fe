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
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.household.backward_induction import ROUNDING_USD, DayProblem, iterate_days, sweep_day
from meanwatt.agents.household.day_operator import (
    JOINT_LIMIT,
    closed_groups,
    day_operators,
    group_weights,
    joint_operator,
    move_kernel,
)
from meanwatt.agents.household.decision_problem import DecisionProblem, ValueRule
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.household.slot_outcome import SlotOutcome, slot_outcome
from meanwatt.agents.household.soft_slot import by_level
from meanwatt.agents.household.split import Ties
from meanwatt.agents.household.storage import Choice, every_move
from meanwatt.agents.numerics.anderson import accelerate
from meanwatt.agents.numerics.arrays import Floats, as_input, require_finite
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.rates import Rates

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
CELLS_AT_ONCE = 200_000_000
"""Values × moves × days of one call of a kernel, about a second, between two questions whether to stop."""
NOTHING = np.empty((0, 0, 0, 0, 0))
"""Stands for the policy in sweeps that need only values."""
NO_ANCHOR = as_input(NOTHING)


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

    __repr__ = short_repr

    policy: PolicyTable
    outcome: SlotOutcome
    value_usd: Floats
    gain_usd_per_day: float
    span_usd: float
    days: int
    converged: bool


def value_tolerance_usd(temperature_usd: float, accuracy: float = 1e-9) -> float:
    """Accuracy of the values at which probabilities are good to about ``accuracy``, as far as rounding lets them."""
    return max(accuracy * temperature_usd, 2e-13)


def best_response(
    household: HouseholdType,
    rates: Rates,
    problem: DecisionProblem,
    *,
    start: Response | None = None,
    tolerance_usd: float | None = None,
    check: Callable[[], None] = lambda: None,
    ties: Ties | None = None,
    anchor: Floats | None = None,
) -> Response:
    """Best response of a household type to rates it takes as given.

    Parameters
    ----------
    household
        The type; its discount is already in ``rates``.
    rates
        Import and export rate per common state and slot. [USD/kWh]
    problem
        Chances ahead, temperature, discount and value rule.
    start
        A response to similar rates, from which the iteration starts.
    tolerance_usd
        Span at which to stop; by default ``value_tolerance_usd(temperature)``. [USD]
    check
        Called every second or so, from the thread that computes; may raise to stop.
    ties
        How households part where plans tie; without it all follow the first of the best.
    anchor : (c, h, e, z, j), optional
        A policy from which departures cost the temperature times their relative entropy, in place of the entropy of
        the policy itself; under the entropy rule.

    Returns
    -------
    Response
        With ``converged`` False if the day limit came first.

    Raises
    ------
    ValueError
        If a rate, or what a slot brings at the rates, is not finite.
    """
    for name in ("import_usd_per_kwh", "export_usd_per_kwh"):
        require_finite(name, getattr(rates, name))
    outcome = slot_outcome(household, rates, problem.shock_levels, problem.slot_hours, ties)
    return respond(
        outcome, household.levels, problem, start=start, tolerance_usd=tolerance_usd, check=check, anchor=anchor
    )


def respond(
    outcome: SlotOutcome,
    levels: int,
    problem: DecisionProblem,
    *,
    start: Response | None = None,
    tolerance_usd: float | None = None,
    check: Callable[[], None] = lambda: None,
    anchor: Floats | None = None,
) -> Response:
    """Best response when each move's consequences are already known; arguments as in ``best_response``."""
    reward = outcome.valued_usd
    if not np.isfinite(reward.sum()):
        raise ValueError(
            "what a slot brings is not finite at these prices and loads; give numbers nearer to those of the presets"
        )
    states, slots, shocks, count = reward.shape
    temperature, delta = problem.temperature_usd, problem.discount_per_day
    tolerance = value_tolerance_usd(temperature) if tolerance_usd is None else tolerance_usd
    soft = problem.value_rule is ValueRule.ENTROPY and temperature > 0 and count > 1  # of one move both rules agree
    value = np.empty((states, slots, shocks, levels))
    probability = np.empty((states, slots, levels, shocks, count))
    if problem.one_day is not None:
        worth = problem.one_day.midnight_usd(levels, outcome.level_kwh)
        midnight = np.broadcast_to(worth, (states, shocks, levels))
    elif start is not None and start.value_usd.shape == value.shape:
        midnight = np.ascontiguousarray(start.value_usd[:, 0] - start.value_usd[:, 0, :, :1])
    else:
        midnight = np.zeros((states, shocks, levels))
    choice = outcome.choice or every_move(slots, count)
    weight = _weights(reward, choice, temperature) if temperature > 0 else np.zeros_like(reward)
    day = DayProblem(
        reward=as_input(reward),
        weight=as_input(weight),
        moves=as_input(outcome.moves),
        common_kernel=as_input(problem.common_kernel),
        shock_kernel=as_input(problem.shock_kernel),
        bounds=as_input(choice.bounds),
        given=as_input(choice.given),
        discount=delta ** (1 / slots),
        temperature=temperature,
        soft=soft,
        anchor=NO_ANCHOR if anchor is None else as_input(by_level(anchor)),
    )
    if problem.one_day is not None:
        sweep_day(day, np.array(midnight, order="C"), value, probability)
        law = problem.one_day.start(levels, problem.shock_probability)
        gain = float(problem.common_probability @ (value[:, 0].transpose(0, 2, 1) * law).sum(axis=(1, 2)))
        return _response(outcome, value, probability, gain=gain, span=0.0, days=1, converged=True)
    if levels == 1 and delta == 1:  # nothing to compare: the sweep that fills the policy is all
        check()
        days, converged = 1, True
    else:
        days, converged = _iterate(day, midnight, tolerance, PLAIN_DAYS, 0.0, value, check)
    if not converged and soft and midnight.size <= CHEAP_JOINT:
        more, converged = _iterate_policies(day, problem, midnight, tolerance, value, probability, check)
        days += more
    elif not converged:

        def next_midnight(flat: Floats) -> Floats:
            check()
            sweep_day(day, flat.reshape(midnight.shape), value, NOTHING)
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
            rest = (problem, midnight, tolerance, value, probability, check)
            more, converged = _iterate_policies(day, *rest)
            days += more
    if not converged:  # kinks or cycles defeat the acceleration; lazy days break cycles and only take longer
        more, converged = _iterate(day, midnight, tolerance, DAY_LIMIT, 0.5, value, check)
        days += more
    if delta < 1:
        midnight += common_part(value[:, 0] - midnight, problem, slots)[:, :, None]
    sweep_day(day, midnight, value, probability)
    change = value[:, 0] - delta * midnight
    chance = problem.common_probability[:, None] * problem.shock_probability
    return _response(
        outcome,
        value,
        probability,
        gain=float((chance * change[:, :, 0]).sum()),
        span=float((chance * np.ptp(value[:, 0] - midnight, axis=2)).sum()),
        days=int(days),
        converged=bool(converged),
    )


def _weights(reward: Floats, choice: Choice, temperature: float) -> Floats:
    """exp((r − max r)/η) of moves (c, h, z, j), over those chosen among; 0 for the others."""
    if not choice.given.size:
        return np.asarray(np.exp((reward - reward.max(axis=-1, keepdims=True)) / temperature))
    number = np.arange(reward.shape[-1])
    among = ((number >= choice.bounds[:, :1]) & (number < choice.bounds[:, 1:]))[None, :, None, :]
    top = np.where(among, reward, -np.inf).max(axis=-1, keepdims=True)
    return np.exp(np.where(among, reward - np.where(np.isfinite(top), top, 0.0), -np.inf) / temperature)


def _response(
    outcome: SlotOutcome, value: Floats, probability: Floats, *, gain: float, span: float, days: int, converged: bool
) -> Response:
    """Put the result together."""
    return Response(
        policy=outcome.followed(probability),
        outcome=outcome,
        value_usd=value,
        gain_usd_per_day=gain,
        span_usd=span,
        days=days,
        converged=converged,
    )


def _iterate(
    day: DayProblem,
    midnight: Floats,
    tolerance: float,
    limit: int,
    laziness: float,
    value: Floats,
    check: Callable[[], None],
) -> tuple[int, bool]:
    """`iterate_days` in calls of bounded length; return (days, whether within tolerance)."""
    at_once = max(CELLS_AT_ONCE // (value.size * day.moves.size), 1)
    days, previous = 0, np.inf
    while days < limit:
        check()
        part = min(at_once, limit - days)
        more, converged, previous = iterate_days(*day, midnight, tolerance, part, laziness, previous, value, NOTHING)
        days += more
        if converged:
            return days, True
    return days, False


def _iterate_policies(
    day: DayProblem,
    problem: DecisionProblem,
    midnight: Floats,
    tolerance: float,
    value: Floats,
    probability: Floats,
    check: Callable[[], None],
) -> tuple[int, bool]:
    """Newton's method on the midnight values, in place; return (sweeps, whether within tolerance).

    Ends when a step no longer moves the values along the levels, or cannot any more: then the change of the values
    over a day is within tolerance and what is left is rounding.
    """
    last_step = np.inf
    constant: Floats | float = 0.0
    if problem.discount_per_day == 1.0:  # fixes the constants that no policy can change
        groups = closed_groups(problem.common_kernel, problem.shock_kernel, value.shape[1])
        constant = group_weights(groups, midnight.shape[2], np.ones(midnight.size))
    for sweep in range(1, POLICY_STEPS + 1):
        check()
        sweep_day(day, midnight, value, probability)
        operators = day_operators(move_kernel(probability, day.moves), problem.shock_kernel, day.discount)
        system = np.eye(midnight.size) - joint_operator(problem.common_kernel, operators) + constant
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


def common_part(change: Floats, problem: DecisionProblem, slots: int) -> Floats:
    """Value φ(c, z) at midnight common to all levels, at δ < 1: φ = d + δ E[φ(c', z')], d being the day's change."""
    day_kernel = np.kron(problem.common_kernel, np.linalg.matrix_power(problem.shock_kernel, slots))
    system = np.eye(len(day_kernel)) - problem.discount_per_day * day_kernel
    middle = 0.5 * (change.min(axis=2) + change.max(axis=2))
    return np.asarray(np.linalg.solve(system, middle.ravel()).reshape(middle.shape))
