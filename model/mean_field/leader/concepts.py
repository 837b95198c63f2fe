"""Two other things a leader may do than commit: decide day by day, and answer demand that it takes as frozen.

* ``feedback``: the leader cannot bind itself. On any one day it may post another tariff, the households answer on the
  same day, and yesterday's law and the value of tomorrow are held; at rest no day's deviation pays. It is the
  time-consistent (Markov) leader, who neglects that a tariff, once expected, also moves the days before it.
* ``alternating``: the leader answers the households' present loads as if they were frozen, the households answer the
  tariff, and so on: a Nash-type iteration, in which the leader never sees that demand responds. It is kept as a
  documented failure mode: it may go round in circles, and where it rests it leaves on the table what a commitment is
  worth. Both are detected and said.

Neither is the Stackelberg leader of `meanwatt.model.mean_field.leader.commitment`, with which the docs compare them.
"""

import time
from dataclasses import replace

import numpy as np
from scipy.optimize import minimize

from meanwatt.agents.household.decision_problem import HeldDay
from meanwatt.agents.household.slot_outcome import mean_payment_usd
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.leader.commitment import Commitment, commit
from meanwatt.model.mean_field.leader.leader_problem import (
    FEASIBLE,
    UNIT,
    LeaderProblem,
    Objective,
    Trial,
    Tried,
    trial_of,
)
from meanwatt.model.mean_field.leader.tariff_family import starting_points
from meanwatt.model.mean_field.population.game import Game
from meanwatt.model.mean_field.population.population_response import (
    decision_problem,
    own_decision_problem,
    surplus_usd_per_day,
)
from meanwatt.model.mean_field.population.worth_left import worth_left_usd
from meanwatt.model.mean_field.solvers.revenue_recovery import balancing_fixed_charge
from meanwatt.model.progress.watch import Cancelled, Progress, Watch
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.economy import Economy

ROUNDS = 30
AT_REST = 1e-3
"""Change of the parameters, as a share of their ranges, that counts as rest."""
PROFIT_USD = 1e-5
"""Gain of a day's deviation that counts as none. [USD per household-day]"""
EVALUATIONS_PER_ROUND = 120
FROZEN_STEPS = 100
FROZEN_SEARCHES = 10
"""Searches from the best tariff so far: one alone may stop early at a kink, where an export credit meets its cap."""


class _Rounds:
    """The path of a leader that revises its tariff round by round."""

    def __init__(self, problem: LeaderProblem, name: str, watch: Watch, tried: Tried | None) -> None:
        self.problem, self.family, self.name, self.watch, self.tried = problem, problem.family, name, watch, tried
        self.evaluator = problem.evaluator(watch, holds=1)

    @property
    def trials(self) -> list[Trial]:
        """The tariffs posted so far."""
        return [trial_of(evaluation) for evaluation in self.evaluator.trials]

    def post(self, parameters: Floats) -> Equilibrium:
        """Post a tariff, let the households settle, and record what it brings the leader."""
        evaluation, found = self.evaluator.post(parameters)
        self.evaluator.start = found  # households go on from where they are, settled or not
        posted = len(self.evaluator.trials)
        if self.tried is not None:
            self.tried(trial_of(evaluation), found)
        if self.watch.progress is not None:
            stage = f"{self.name}, round {posted}, objective {evaluation.values[0]:.4f}"
            self.watch.progress(Progress(stage=stage, evaluations=posted, fraction=min(1.0, posted / (ROUNDS + 1))))
        return found

    def earlier(self, parameters: Floats) -> int | None:
        """How many rounds ago these parameters were posted, if they were."""
        for ago, old in enumerate(reversed(self.evaluator.trials), start=1):
            if np.abs(self.family.unit(parameters) - self.family.unit(old.parameters)).max() <= AT_REST:
                return ago
        return None

    def result(self, began: float, outcome: Outcome, message: str) -> Commitment:
        """The last tariff posted."""
        trials = self.trials
        parameters = trials[-1].parameters
        tariff = self.family.tariff(parameters)
        return Commitment(
            tariff=tariff,
            equilibrium=solve_equilibrium(self.problem.economy, tariff, start=self.evaluator.start),
            objective=trials[-1].objective,
            parameters=self.family.describe(parameters),
            trials=tuple(trials),
            seconds=time.perf_counter() - began,
            outcome=outcome,
            message=message,
        )


def feedback(
    problem: LeaderProblem,
    *,
    start: Floats | None = None,
    rounds: int = ROUNDS,
    tried: Tried | None = None,
    watch: Watch | None = None,
) -> Commitment:
    """Revise the tariff day by day, the same-day reaction anticipated and all else held, until no deviation pays.

    A day's objective is the leader's of that day's equilibrium plus, for the society that the objective speaks of,
    what its end is worth to the households at their own values of tomorrow. ``tried`` is told of every tariff posted.

    Raises
    ------
    ValueError
        At temperature 0, where a day's reaction jumps, at a discount below 1, if the objective is no money, or if no
        tariff is feasible.
    """
    if problem.unit != UNIT:
        raise ValueError(
            f"feedback adds what a day leaves behind, in {UNIT}, to an objective in {problem.unit};"
            " search by commitment"
        )
    economy, family = problem.economy, problem.family
    temperature, discount = economy.scenario.temperature_usd, economy.scenario.discount_per_day
    if temperature == 0 or discount < 1:
        raise ValueError(
            f"temperature_usd is {temperature:g} and discount_per_day {discount:g};"
            " feedback needs a temperature above 0 and a discount of 1"
        )
    began = time.perf_counter()
    play = _Rounds(problem, "feedback", watch or Watch(), tried)
    parameters = starting_points(problem.family, problem.economy)[0] if start is None else start
    outcome, message = Outcome.ROUND_LIMIT, f"Feedback still revises its tariff after {counted(rounds, 'round')}."
    try:
        found = play.post(parameters)
        for _ in range(rounds):
            day = replace(problem, economy=held_day(found), objective=_with_worth_left(problem.objective))
            best = _best_day(play, day, parameters)
            held = day.objective(solve_equilibrium(day.economy, family.tariff(parameters), certify=False))
            following = np.array(list(best.parameters.values()))
            moved = float(np.abs(family.unit(following) - family.unit(parameters)).max())
            allowed = play.trials[-1].violation <= FEASIBLE  # else back under the cap, whatever that costs
            if moved <= AT_REST or (allowed and best.objective - held <= PROFIT_USD):
                outcome = Outcome.CONVERGED
                message = f"At rest after {counted(len(play.trials), 'round')}: no deviation on any one day pays."
                break
            ago = play.earlier(following)
            again = ago is not None and ago > 1
            parameters = 0.5 * (parameters + following) if again else following  # half-way breaks a cycle
            found = play.post(parameters)
    except Cancelled:
        if not play.evaluator.trials:
            raise
        outcome, message = Outcome.CANCELLED, "Cancelled; the tariff is the last one posted."
    return play.result(began, outcome, message)


def _best_day(play: _Rounds, day: LeaderProblem, parameters: Floats) -> Commitment:
    """Best tariff of a single day, from the present one; ``Cancelled`` if asked to stop."""
    try:
        best = commit(
            day,
            evaluations_per_start=EVALUATIONS_PER_ROUND,
            starts=[parameters],
            gradients=False,  # what a day leaves behind depends on the law, which no tangent moves
            watch=play.watch.silent(),
        )
    except ValueError:
        if play.watch.stopped:  # before the first tariff was tried
            raise Cancelled from None
        raise
    if best.outcome is Outcome.CANCELLED:
        raise Cancelled
    return best


def held_day(found: Equilibrium) -> Economy:
    """The game of one day in a stationary equilibrium: evening laws and tomorrow's values of every type are held."""
    held = tuple(
        HeldDay(start_law=flow.law[:, 0], tomorrow_usd=response.value_usd[:, 0])
        for response, flow in zip(found.answer.responses, found.answer.flows, strict=True)
    )
    return replace(found.economy, held=held)


def _with_worth_left(objective: Objective) -> Objective:
    """The objective of a single day with what its end is worth to the households, counted for all types."""

    def judge(found: Equilibrium) -> float:
        horizon = decision_problem(found.economy)
        left = sum(
            household.share
            * worth_left_usd(
                flow,
                response.policy,
                own_decision_problem(found.economy, horizon, type_index),
                response.outcome.level_kwh,
            )
            for type_index, (household, response, flow) in enumerate(
                zip(found.economy.types, found.answer.responses, found.answer.flows, strict=True)
            )
        )
        return objective(found) + left

    return judge


def alternating(
    problem: LeaderProblem,
    *,
    start: Floats | None = None,
    rounds: int = ROUNDS,
    tried: Tried | None = None,
    watch: Watch | None = None,
) -> Commitment:
    """Let the leader answer frozen loads and the households the tariff, in turns, until they rest or go in circles.

    ``tried`` is told of every tariff posted.

    Raises
    ------
    ValueError
        If the tariff in turn is not feasible and none that the search tried is.
    """
    began = time.perf_counter()
    play = _Rounds(problem, "alternating", watch or Watch(), tried)
    parameters = starting_points(problem.family, problem.economy)[0] if start is None else start
    outcome = Outcome.ROUND_LIMIT
    message = f"Alternation neither rests nor repeats within {counted(rounds, 'round')}."
    promised = np.inf  # of the tariff posted last, not of the one that would follow
    try:
        found = play.post(parameters)
        for _ in range(rounds):
            parameters, hoped = _answer_frozen(play, found, parameters)
            ago = play.earlier(parameters)
            if ago == 1:
                outcome = Outcome.CONVERGED
                message = (
                    f"Alternation rests after {counted(len(play.trials), 'round')}, where leader and households answer"
                    " each other; this is no commitment: the leader never counts on demand to respond."
                )
                break
            if ago is not None:
                low = min(trial.objective for trial in play.trials[-ago:])
                high = max(trial.objective for trial in play.trials[-ago:])
                message = (
                    f"Alternation goes round in a cycle of {ago} tariffs for ever: each is best against the loads of"
                    f" the one before; the leader's objective swings between {low:.4f} and {high:.4f}"
                    f" {problem.unit}. Search by commitment."
                )
                break
            found, promised = play.post(parameters), hoped
    except Cancelled:
        if not play.evaluator.trials:
            raise
        outcome, message = Outcome.CANCELLED, "Cancelled; the tariff is the last one posted."
    if outcome is not Outcome.CANCELLED and np.isfinite(promised):
        kept = play.trials[-1].objective
        message += f" Of the last tariff posted the leader expected {promised:.4f} and got {kept:.4f}."
    return play.result(began, outcome, message)


def frozen(found: Equilibrium, tariff: Tariff) -> Equilibrium:
    """What the leader believes of another tariff if nobody moves: the same loads at its rates and charges."""
    economy, old = found.economy, found.answer
    game = Game(economy, tariff)
    posted = game.posted_rates(old.wholesale_usd_per_kwh, old.adder_usd_per_kwh)
    payment = np.empty(len(economy.types))
    for type_index, (response, flow) in enumerate(zip(old.responses, old.flows, strict=True)):
        paid = mean_payment_usd(response.outcome, game.own_rates(posted, type_index), economy.slot_hours)
        weight = flow.frequency * economy.common.probability[:, None, None, None]
        payment[type_index] = (weight * paid).sum()
    answer = replace(old, rates=posted, payment_usd_per_day=payment)
    surplus = surplus_usd_per_day(economy, tariff, answer)
    charge = tariff.fixed_charge_usd_per_day
    if tariff.recovery is Recovery.FIXED:
        charge, surplus = balancing_fixed_charge(economy, tariff, surplus), 0.0
    return replace(
        found,
        tariff=tariff,
        answer=answer,
        fixed_charge_usd_per_day=charge,
        surplus_usd_per_household_day=surplus,
    )


def _answer_frozen(play: _Rounds, found: Equilibrium, parameters: Floats) -> tuple[Floats, float]:
    """Best tariff of the family against frozen loads, from the present one, and what the leader expects of it."""
    family, problem = play.family, play.problem

    def believed(unit: Floats) -> Equilibrium:
        return frozen(found, family.tariff(family.at(unit)))

    def excess(unit: Floats) -> Floats:
        return problem.violations(believed(unit))

    here = family.unit(parameters)
    stay = problem.objective(believed(here)) if excess(here).max() <= FEASIBLE else -np.inf
    best, promised = here, stay

    def loss(unit: Floats) -> float:
        nonlocal best, promised
        value = problem.objective(believed(unit))
        if value > promised and excess(unit).max() <= FEASIBLE:
            best, promised = np.clip(unit, 0.0, 1.0), value
        return -value

    capped = () if problem.violation is None else {"type": "ineq", "fun": lambda unit: -excess(unit)}
    for _ in range(FROZEN_SEARCHES):
        before = promised
        minimize(
            loss,
            best,
            method="SLSQP",
            bounds=[(0.0, 1.0 if room else 0.0) for room in family.high > family.low],
            constraints=capped,
            options={"maxiter": FROZEN_STEPS, "ftol": 1e-9},
        )
        if promised <= before + PROFIT_USD:
            break
    if promised == -np.inf:
        raise ValueError(problem.nowhere_feasible)
    if promised <= stay + PROFIT_USD:
        return parameters, stay  # nothing better: stay
    return family.at(best), promised
