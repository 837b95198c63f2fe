"""Tabular Stackelberg Markov games: arrays in, exact stationary equilibria out.

A leader and a follower act in every state of a finite chain; both see the state. Two concepts, named and never mixed:

* ``commitment``: the leader fixes a stationary policy for ever, the follower answers it by an optimal policy;
* ``feedback``: in every state the leader moves first *today* only, and both take tomorrow's values as given.

They differ wherever a promise is worth making and, once it has worked, worth breaking.

References
----------
V. Conitzer, T. Sandholm, "Computing the optimal strategy to commit to", EC 2006, doi 10.1145/1134707.1134717,
section 3: one linear programme per follower action. The setting of stationary policies in a Markov game follows
J. He, A. L. Liu, Y. Chen, "Learning in Stackelberg Markov games", arXiv 2509.16296.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

import numpy as np
from scipy.optimize import linprog

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.scenario.counted import counted
from meanwatt.model.tabular.tabular_game import StackelbergGame, checked_policy, evaluate, least_tie

MAX_POLICIES = 20_000
"""Deterministic leader policies that ``commitment_equilibrium`` is ready to enumerate."""
PERIODS = 64
"""Longest cycle looked for."""
RECURS = 1e-6
"""A sequence cycles once it returns to an earlier point within this share of its last step."""


class Ties(StrEnum):
    """How a follower with several best actions chooses: as the leader likes best, or least."""

    STRONG = "strong"
    WEAK = "weak"


class Concept(StrEnum):
    """What the leader can promise: a policy for ever, or an action today."""

    COMMITMENT = "commitment"
    FEEDBACK = "feedback"


class GameOutcome(StrEnum):
    """How a solve ended."""

    EXACT = "exact"
    CONVERGED = "converged"
    CYCLE = "cycle"
    ROUND_LIMIT = "round_limit"
    BEST_FOUND = "best_found"
    """Worth less than a bound on all by more than the tolerance."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Response:
    """The follower's exact answer to a leader policy; values are discounted sums from each state.

    Attributes
    ----------
    policy : (state, follower action)
        A deterministic best response, ties broken as asked.
    best : (state, follower action)
        All optimal actions; any policy on them is a best response.
    leader_value, follower_value : (state,)
        What both earn from each state on.
    regret
        Follower's optimal value less its value, in the worst state; within the tolerance of ties.
    """

    __repr__ = short_repr

    policy: Floats
    best: Bools
    leader_value: Floats
    follower_value: Floats
    regret: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StackelbergEquilibrium:
    """A stationary equilibrium and how it was found.

    Attributes
    ----------
    leader_policy : (state, leader action)
    follower_policy : (state, follower action)
    residual
        Follower's regret under commitment by enumeration; else the largest change of a value by one more round.
    rounds
        Leader policies compared, rounds of value iteration, or boxes of a branch and bound.
    bound
        No policy of the kind searched is worth more to the leader under the law of the first state; None where it is
        not computed.
    """

    __repr__ = short_repr

    game: StackelbergGame
    concept: Concept
    ties: Ties
    leader_policy: Floats
    follower_policy: Floats
    residual: float
    rounds: int
    outcome: GameOutcome
    message: str
    bound: float | None = None

    @property
    def leader_value(self) -> Floats:
        """Leader's discounted sum from each state on, by a linear solve. (state,)"""
        return evaluate(self.game, self.leader_policy, self.follower_policy)[0]

    @property
    def follower_value(self) -> Floats:
        """Follower's discounted sum from each state on. (state,)"""
        return evaluate(self.game, self.leader_policy, self.follower_policy)[1]

    @property
    def leader_objective(self) -> float:
        """Leader's value under the law of the first state."""
        return float(self.game.start_law @ self.leader_value)


def best_response(game: StackelbergGame, leader_policy: Floats, *, ties: Ties = Ties.STRONG) -> Response:
    """Solve the follower's decision problem against a leader policy exactly, by policy iteration.

    Ties are broken in every state at once: among the follower's optimal actions a second decision problem maximises
    (``strong``) or minimises (``weak``) the leader's value.
    """
    x = checked_policy("leader_policy", leader_policy, game.reward_leader.shape[:2])
    kernel = np.einsum("sabt,sa->sbt", game.kernel, x)
    reward = np.einsum("sab,sa->sb", game.reward_follower, x)
    free = np.ones(reward.shape, dtype=bool)
    worth = optimal_action_values(reward, kernel, game.discount_follower, free)
    best = worth >= worth.max(axis=1, keepdims=True) - least_tie(game.reward_follower, game.discount_follower)
    choice, optimum = worth.argmax(axis=1), worth.max(axis=1)
    if best.sum() > len(best):
        side = 1.0 if ties is Ties.STRONG else -1.0
        reward = side * np.einsum("sab,sa->sb", game.reward_leader, x)
        worth = optimal_action_values(reward, kernel, game.discount_leader, best)
        choice = np.where(best, worth, -np.inf).argmax(axis=1)
    policy = np.eye(best.shape[1])[choice]
    leader, follower = evaluate(game, x, policy)
    regret = float((optimum - follower).max())
    return Response(policy=policy, best=best, leader_value=leader, follower_value=follower, regret=regret)


def optimal_action_values(reward: Floats, kernel: Floats, discount: float, allowed: Bools) -> Floats:
    """Action values Q of a decision problem with some actions allowed, optimal from every state, by policy iteration.

    Parameters
    ----------
    reward : (state, action)
    kernel : (state, action, next state)
    discount
        In [0, 1).
    allowed : (state, action)
        At least one action a state; the values of the others are returned too, for one deviation.
    """
    states = np.arange(len(reward))
    enough = 1e-13 * np.abs(reward).max() / (1.0 - discount)  # a smaller gain may be rounding, and would cycle
    choice = np.where(allowed, reward, -np.inf).argmax(axis=1)
    while True:
        system = np.eye(len(reward)) - discount * kernel[states, choice]
        worth = reward + discount * kernel @ np.linalg.solve(system, reward[states, choice])
        better = np.where(allowed, worth, -np.inf).argmax(axis=1)
        gains = worth[states, better] > worth[states, choice] + enough
        if not gains.any():
            return np.asarray(worth)
        choice = np.where(gains, better, choice)


def commitment_equilibrium(
    game: StackelbergGame, *, ties: Ties = Ties.STRONG, max_policies: int = MAX_POLICIES
) -> StackelbergEquilibrium:
    """Find the stationary policy that the leader does best to commit to.

    Where the follower answers for today alone (``StackelbergGame.separates``) and ties are strong, mixed policies are
    searched too, exactly: the leader solves a decision problem whose actions are mixtures, by one linear programme per
    state and follower action. Elsewhere the deterministic policies are enumerated; the message then says that mixing
    might earn more. Under weak ties the supremum over mixed policies need not be attained, so they are left out.

    Raises
    ------
    ValueError
        If there are more than ``max_policies`` deterministic policies to enumerate.
    """
    if game.separates and ties is Ties.STRONG:
        return _solve_by_stage(game, Concept.COMMITMENT, ties, True, 1e-10, 10_000)
    states, actions, _ = game.reward_leader.shape
    if actions**states > max_policies:
        raise ValueError(
            f"commitment would enumerate {actions}**{states} = {actions**states} leader policies, the limit is"
            f" {max_policies}; merge states or actions, raise max_policies, or solve feedback_equilibrium"
        )
    law, enough = game.start_law, least_tie(game.reward_leader, game.discount_leader)
    best: tuple[float, Floats, Response] | None = None
    for choice in product(range(actions), repeat=states):
        policy = np.eye(actions)[list(choice)]
        response = best_response(game, policy, ties=ties)
        objective = float(law @ response.leader_value)
        if best is None or objective > best[0] + enough:
            best = objective, policy, response
    assert best is not None
    remedy = "ties are weak, so mixed policies were left out" if game.separates else "a mixed one might earn more"
    return StackelbergEquilibrium(
        game=game,
        concept=Concept.COMMITMENT,
        ties=ties,
        leader_policy=best[1],
        follower_policy=best[2].policy,
        residual=best[2].regret,
        rounds=actions**states,
        outcome=GameOutcome.EXACT,
        message=f"Exact: the best of {actions**states} deterministic leader policies; {remedy}.",
    )


def feedback_equilibrium(
    game: StackelbergGame,
    *,
    mixed: bool = False,
    ties: Ties = Ties.STRONG,
    tolerance: float = 1e-10,
    max_rounds: int = 10_000,
) -> StackelbergEquilibrium:
    """Find a stage-by-stage stationary equilibrium by value iteration on the pair of action values.

    Each round solves, in every state, the one-shot game of today's rewards plus discounted values: the follower
    answers the leader's action, or its mixture with ``mixed``. The two values do not contract together: a game may
    have no such equilibrium in pure actions, and the rounds then cycle.

    Parameters
    ----------
    tolerance
        Largest change of a value by one more round, relative to the largest reward over 1 − discount.
    """
    if mixed and ties is Ties.WEAK:
        raise ValueError("ties is weak with mixed=True; the best mixture need not exist, take ties=Ties.STRONG")
    return _solve_by_stage(game, Concept.FEEDBACK, ties, mixed, tolerance, max_rounds)


def recurrence(earlier: Sequence[Floats], point: Floats) -> int:
    """Period of the cycle that ``point`` closes, ≥ 2, or 0: it is back at an earlier point while still moving."""
    step = float(np.abs(point - earlier[-1]).max())
    for period in range(2, len(earlier) + 1):
        if np.abs(point - earlier[-period]).max() <= RECURS * step:
            return period
    return 0


def optimal_mixture(leader_reward: Floats, follower_reward: Floats) -> tuple[Floats, int]:
    """Best mixed commitment in a one-shot game, and the follower's action, ties broken for the leader.

    For each follower action: the mixture the leader likes best among those it answers; then the best of these
    (Conitzer, Sandholm 2006, multiple linear programmes).

    Parameters
    ----------
    leader_reward, follower_reward : (leader action, follower action)

    Returns
    -------
    ((leader action,) float, int)
    """
    scale = np.ptp(follower_reward) or 1.0
    mixtures: list[tuple[float, Floats, int]] = []
    for action in range(follower_reward.shape[1]):
        found = linprog(
            -leader_reward[:, action],
            A_ub=(follower_reward - follower_reward[:, [action]]).T / scale,
            b_ub=np.zeros(follower_reward.shape[1]),
            A_eq=np.ones((1, len(leader_reward))),
            b_eq=[1.0],
            options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
        )
        if found.status == 0:  # else no mixture makes this action a best answer
            mixture = np.maximum(found.x, 0.0)
            mixture /= mixture.sum()
            mixtures.append((float(mixture @ leader_reward[:, action]), mixture, action))
    _, mixture, action = max(mixtures, key=lambda candidate: candidate[0])
    return mixture, action


def _solve_by_stage(
    game: StackelbergGame, concept: Concept, ties: Ties, mixed: bool, tolerance: float, max_rounds: int
) -> StackelbergEquilibrium:
    """Value iteration on the pair of values; ends by a linear solve whose values the stage games reproduce."""
    rewards, discounts = (game.reward_leader, game.reward_follower), (game.discount_leader, game.discount_follower)
    enough = tolerance * max(np.abs(r).max() / (1.0 - d) for r, d in zip(rewards, discounts, strict=True))
    values = np.zeros((2, len(game.kernel)))
    earlier: deque[Floats] = deque(maxlen=PERIODS)
    policies, outcome, residual, period, rounds = None, GameOutcome.ROUND_LIMIT, np.inf, 0, 0
    while rounds < max_rounds:
        rounds, before = rounds + 1, policies
        earlier.append(values)
        policies, values = _stage(game, values, ties, mixed)
        residual = float(np.abs(values - earlier[-1]).max())
        if residual <= enough or (before and all(np.allclose(a, b) for a, b in zip(before, policies, strict=True))):
            exact = np.stack(evaluate(game, *policies))
            gap = float(np.abs(_stage(game, exact, ties, mixed)[1] - exact).max())
            if gap <= enough:
                outcome, residual = GameOutcome.CONVERGED, gap
                break
        period = recurrence(earlier, values)
        if period:
            outcome = GameOutcome.CYCLE
            break
    if policies is None:
        raise ValueError(f"max_rounds is {max_rounds}; give at least 1")
    kind = "mixed commitments" if mixed else "actions"
    if concept is Concept.COMMITMENT:
        kind += ", the best of all as the game separates by state,"
    after = counted(rounds, "round")
    message = {
        GameOutcome.CONVERGED: f"Converged: {kind} by state repeat their own values within {residual:.1e} after"
        f" {after}.",
        GameOutcome.CYCLE: f"Cycle of period {period}: no stage-by-stage equilibrium in {kind} was reached; the figures"
        " are the last round's and no equilibrium; try mixed=True or commitment_equilibrium.",
    }.get(
        outcome,
        f"Not converged: values still move by {residual:.1e} after {after}; raise max_rounds.",
    )
    return StackelbergEquilibrium(
        game=game,
        concept=concept,
        ties=ties,
        leader_policy=policies[0],
        follower_policy=policies[1],
        residual=residual,
        rounds=rounds,
        outcome=outcome,
        message=message,
    )


def _stage(game: StackelbergGame, values: Floats, ties: Ties, mixed: bool) -> tuple[tuple[Floats, Floats], Floats]:
    """Solve today's game in every state: policies of both, and their values (player, state)."""
    leader = game.reward_leader + game.discount_leader * game.kernel @ values[0]
    follower = game.reward_follower + game.discount_follower * game.kernel @ values[1]
    states = np.arange(len(leader))
    if mixed:
        pairs = [optimal_mixture(own, other) for own, other in zip(leader, follower, strict=True)]
        x, reply = np.stack([mixture for mixture, _ in pairs]), np.array([action for _, action in pairs])
        worth = np.stack([np.einsum("sa,sa->s", x, q[states, :, reply]) for q in (leader, follower)])
    else:
        tied = follower >= follower.max(axis=2, keepdims=True) - least_tie(game.reward_follower, game.discount_follower)
        answers = np.where(tied, leader if ties is Ties.STRONG else -leader, -np.inf).argmax(axis=2)
        gained = np.take_along_axis(leader, answers[:, :, None], axis=2)[:, :, 0]
        enough = least_tie(game.reward_leader, game.discount_leader)
        choice = (gained >= gained.max(axis=1, keepdims=True) - enough).argmax(axis=1)  # the first of equals
        x, reply = np.eye(leader.shape[1])[choice], answers[states, choice]
        worth = np.stack([q[states, choice, reply] for q in (leader, follower)])
    return (x, np.eye(leader.shape[2])[reply]), worth
