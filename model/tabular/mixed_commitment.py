"""The best stationary policy to commit to, lotteries included: the best found, and a bound on all, by branch and bound.

What is searched is where the follower's values may lie, one dimension a state, whatever the number of actions, and
what it answers. A box of values is bounded by ``PromiseRelaxation``; what its solution suggests is brought to a local
optimum and judged by the follower's exact best response. Finding the best is NP-hard (Letchford and others, AAAI 2012),
so the search may end at its limit, with a bound that holds all the same.

References
----------
Y. Vorobeychik, S. Singh, "Computing Stackelberg equilibria in discounted stochastic games", AAAI 2012: the problem as a
nonlinear programme over the leader's mixtures with the follower's actions as whole numbers.
V. Bucarey López, E. Della Vecchia, A. Jean-Marie, F. Ordóñez, "Stationary strong Stackelberg equilibrium in discounted
stochastic games", IEEE Trans. Automatic Control 68, 2023, doi 10.1109/TAC.2022.3220512: where one policy is the best
from every first state, which it need not be; here the law of the first state is given.
"""

import heapq
from collections.abc import Callable, Sequence
from itertools import count, product
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.model.scenario.counted import counted
from meanwatt.model.tabular.promise_ascent import ascend
from meanwatt.model.tabular.promise_relaxation import ROUNDING, Box, PromiseRelaxation, Relaxed
from meanwatt.model.tabular.stackelberg_games import (
    Concept,
    GameOutcome,
    Response,
    StackelbergEquilibrium,
    Ties,
    best_response,
    optimal_action_values,
)
from meanwatt.model.tabular.tabular_game import StackelbergGame, least_tie

GAP: Final = 1e-6
"""Between value and bound, in the unit of the rewards, up to which the value is called exact."""
NODES, WORK = 2_000, 5e7
"""Most boxes, and most boxes times columns squared of a programme, by default: some ten seconds."""
PURE: Final = 300
"""Pure policies that are tried first, where there are no more of them."""
ASCENTS, EVERY = 3, 10
"""Local searches with one and the same answer of the follower: at first, and then one in so many boxes."""
SPLIT: Final = 1e-6
"""Share of visits with a second answer from which the search divides by answer."""
THIN: Final = 1e-8
"""Width of a box that is not divided further; its bound stands."""
ROUNDS: Final = 2_000
"""Of value iteration for the least that the follower may be held to."""


def mixed_commitment(
    game: StackelbergGame,
    *,
    tolerance: float = GAP,
    max_nodes: int | None = None,
    start: Sequence[Floats] = (),
    cancelled: Callable[[], bool] | None = None,
) -> StackelbergEquilibrium:
    """Find the stationary policy, lotteries included, that the leader does best to commit to, ties in its favour.

    Worth is the leader's value under ``game.start_law``.

    Parameters
    ----------
    tolerance
        Gap between value and bound at which the search ends, in the unit of the rewards; never below rounding,
        1e-9 times the largest reward over 1 − discount.
    max_nodes
        Boxes to search; without it some ten seconds' worth.
    start : sequence of (state, leader action)
        Policies to begin with, so that the value is no less than theirs.
    cancelled
        Asked before every box.

    Returns
    -------
    StackelbergEquilibrium
        Its ``bound`` is one on all stationary promises; ``outcome`` is ``exact`` where the value is within the
        tolerance of it, else ``best_found``. ``residual`` is what the follower forgoes, at most 1e-9 times its largest
        reward, and the bound holds for all policies it forgoes so little by.
    """
    unit = (np.abs(game.reward_leader).max() or 1.0, np.abs(game.reward_follower).max() or 1.0)
    scaled = StackelbergGame(
        reward_leader=game.reward_leader / unit[0],
        reward_follower=game.reward_follower / unit[1],
        kernel=game.kernel,
        discount_leader=game.discount_leader,
        discount_follower=game.discount_follower,
        start=game.start,
    )
    enough = max(tolerance / unit[0], least_tie(scaled.reward_leader, game.discount_leader))
    search = _Search(scaled, enough)
    if max_nodes is None:
        max_nodes = max(1, min(NODES, int(WORK / search.relaxation.columns**2)))
    for policy in start:
        search.offer(policy)
    search.run(max_nodes, cancelled or (lambda: False))
    response, policy = best_response(game, search.policy), search.policy
    value, bound = float(game.start_law @ response.leader_value), search.bound * unit[0]
    gap = max(bound - value, 0.0)
    exact = gap <= enough * unit[0] * (1.0 + 1e-6)
    forgoes = f"the follower forgoes {max(response.regret, 0.0):.0e}"
    boxes = counted(search.nodes, "box", "boxes")
    if exact:
        message = f"Exact: no stationary promise is worth more than {bound:.9g}; {boxes}; {forgoes}."
    else:
        message = (
            f"Best found: worth {value:.9g}, and no stationary promise more than {bound:.9g}; stopped after"
            f" {boxes}; {forgoes}."
        )
    return StackelbergEquilibrium(
        game=game,
        concept=Concept.COMMITMENT,
        ties=Ties.STRONG,
        leader_policy=policy,
        follower_policy=response.policy,
        residual=response.regret,
        rounds=search.nodes,
        outcome=GameOutcome.EXACT if exact else GameOutcome.BEST_FOUND,
        message=message,
        bound=max(bound, value),
    )


def follower_range(game: StackelbergGame) -> tuple[Floats, Floats]:
    """Bounds of the follower's value from each state, whatever is promised. (state,), (state,)

    From below what it can be held to if the leader saw its pure action, by value iteration from below; from above what
    both could bring about together.
    """
    states, actions, replies = game.reward_follower.shape
    low = np.full(states, game.reward_follower.min() / (1.0 - game.discount_follower))
    for _ in range(ROUNDS):
        before = low
        low = (game.reward_follower + game.discount_follower * game.kernel @ low).min(axis=1).max(axis=1)
        if np.abs(low - before).max() <= THIN * (1.0 - game.discount_follower):
            break
    high = optimal_action_values(
        game.reward_follower.reshape(states, actions * replies),
        game.kernel.reshape(states, actions * replies, states),
        game.discount_follower,
        np.ones((states, actions * replies), dtype=np.bool_),
    ).max(axis=1)
    slack = least_tie(game.reward_follower, game.discount_follower)
    low, high = low - slack, high + slack
    return low, np.maximum(low, high)


class _Search:
    """Boxes still to be searched, the best promise found, and the largest bound of what was left."""

    def __init__(self, game: StackelbergGame, enough: float) -> None:
        self.game, self.enough = game, enough
        self.relaxation = PromiseRelaxation(game)
        states, actions, _ = game.reward_leader.shape
        self.policy = np.full((states, actions), 1.0 / actions)
        self.worth, self.left, self.nodes = -np.inf, -np.inf, 0
        self.heap: list[tuple[float, int, Box, Relaxed]] = []
        self.ascents: dict[bytes, int] = {}
        self.order = count()
        self.offer(self.policy)
        if actions**states <= PURE:
            for choice in product(range(actions), repeat=states):
                self.offer(np.eye(actions)[list(choice)])

    @property
    def bound(self) -> float:
        """No promise is worth more."""
        waiting = -self.heap[0][0] if self.heap else -np.inf
        return max(self.worth, self.left, waiting)

    def offer(self, policy: Floats) -> None:
        """Keep a promise if it is worth more than the best so far, and its answer is one."""
        response: Response = best_response(self.game, policy)
        worth = float(self.game.start_law @ response.leader_value)
        if worth > self.worth and (response.regret <= ROUNDING or self.worth == -np.inf):
            self.policy, self.worth = policy, worth

    def run(self, max_nodes: int, cancelled: Callable[[], bool]) -> None:
        """Search boxes, the most promising first, until none can hold anything better or the limit is reached."""
        low, high = follower_range(self.game)
        replies = self.game.reward_follower.shape[2]
        self._bound_box(Box(low=low, high=high, allowed=np.ones((len(low), replies), dtype=np.bool_)), np.inf)
        while self.heap and self.nodes < max_nodes and not cancelled():
            upper, _, box, relaxed = heapq.heappop(self.heap)
            parts = self._divide(box, relaxed) if -upper > self.worth + self.enough else []
            if not parts:
                self.left = max(self.left, -upper)
            for part in parts:
                self._bound_box(part, -upper)

    def _bound_box(self, box: Box, above: float) -> None:
        """Bound a box, try what its relaxation suggests, and keep it if it may hold something better."""
        self.nodes += 1
        relaxed = self.relaxation.solve(box)
        bound = min(relaxed.bound, above)
        if bound > self.worth + self.enough and relaxed.visits.size:
            self._ascend(relaxed)
        if bound > self.worth + self.enough:
            heapq.heappush(self.heap, (-bound, next(self.order), box, relaxed))
        else:
            self.left = max(self.left, bound)

    def _ascend(self, relaxed: Relaxed) -> None:
        answer: Ints = relaxed.visits.sum(axis=2).argmax(axis=1)
        key = answer.tobytes()
        self.ascents[key] = self.ascents.get(key, 0) + 1
        if self.ascents[key] <= ASCENTS or self.ascents[key] % EVERY == 0:
            weight = relaxed.visits[np.arange(len(answer)), answer] + 1e-12
            self.offer(ascend(self.game, weight / weight.sum(axis=1, keepdims=True), answer))

    def _divide(self, box: Box, relaxed: Relaxed) -> list[Box]:
        """Two boxes that cover one; none where it is too small to be divided.

        By the answer in the state where the relaxation is most of two minds, else by the value whose copies are
        farthest apart, near where the relaxation has it.
        """
        if relaxed.visits.size:
            mass = relaxed.visits.sum(axis=2)
            other = mass.sum(axis=1) - mass.max(axis=1)
            s = int(other.argmax())
            if other[s] > SPLIT * mass.sum():
                chosen = np.zeros_like(box.allowed)
                chosen[s, mass[s].argmax()] = True
                rest = box.allowed & ~chosen
                chosen[np.arange(len(mass)) != s] = True
                return [Box(low=box.low, high=box.high, allowed=box.allowed & part) for part in (chosen, rest)]
        width = box.high - box.low
        if not self.relaxation.values or width.max() <= THIN:
            return []
        spread = relaxed.spread if relaxed.spread.size else np.zeros(len(width))
        t = int(np.where(width > THIN, spread + 1e-9 * width, -1.0).argmax())
        share = np.clip(0.75 * relaxed.place[t] + 0.125, 0.15, 0.85) if relaxed.place.size else 0.5
        middle = np.where(np.arange(len(width)) == t, box.low + share * width, np.nan)
        return [
            Box(low=box.low, high=np.where(np.isnan(middle), box.high, middle), allowed=box.allowed),
            Box(low=np.where(np.isnan(middle), box.low, middle), high=box.high, allowed=box.allowed),
        ]
