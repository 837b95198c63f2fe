"""A linear programme above every promise whose follower earns values in a box.

With the follower's values v held, what a promise may be is linear: in state s the mixtures that action b answers are a
polytope, and choosing b and one of them in every state is a decision problem of the leader, one linear programme in
discounted visits. In a box of v the products of visits and v are variables of their own between their bounds, and the
balance of visits is multiplied through by v as well (McCormick; Sherali, Adams). Left out is only that v is the same
wherever it appears; the smaller the box, the less that is.

References
----------
G. P. McCormick, "Computability of global solutions to factorable nonconvex programs", Math. Programming 10, 1976.
H. D. Sherali, W. P. Adams, A Reformulation-Linearization Technique for Solving Discrete and Continuous Nonconvex
Problems, Kluwer 1999.
A. Neumaier, O. Shcherbina, "Safe bounds in linear and mixed-integer linear programming", Math. Programming 99, 2004.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.model.tabular.tabular_game import StackelbergGame

ROUNDING: Final = 1e-9
"""What the follower may forgo and still be said to answer best, relative to its largest reward: each row allows it."""
TINY: Final = 5e-9
"""Coefficients below this are allowed for and left out, as the solver would leave out those below 1e-9."""
SOLVED, INFEASIBLE = 0, 2
ATTEMPTS: Final[tuple[dict[str, Any], ...]] = (
    {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    {"presolve": False},
    {},
)
"""Options of HiGHS, tried in turn where it gives up; the bound holds by any of them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Box:
    """Where the follower's values are looked for, and what it may answer.

    Attributes
    ----------
    low, high : (state,)
        Bounds of the follower's value from each state.
    allowed : (state, follower action)
        At least one a state.
    """

    low: Floats
    high: Floats
    allowed: Bools


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Relaxed:
    """Solution of the relaxation in a box.

    Attributes
    ----------
    bound
        No promise in the box is worth more to the leader; −inf where there is none.
    visits : (state, follower action, leader action)
        Discounted visits; empty where the solver has none to give.
    place : (state,)
        The follower's values as shares of the box.
    spread : (state,)
        How far the copies of a value are from it, weighted by visits; all 0: the relaxation is exact.
    """

    bound: float
    visits: Floats
    place: Floats
    spread: Floats


class PromiseRelaxation:
    """The relaxation of one game, whose rewards are of order 1.

    Columns, of one block: visits z[s, b, a], then their products with the share of the box of each value,
    q[t, s, b, a] = z·ν[t]. Where a state may go without visits there is a second block with one visit to every state,
    as what is promised there still threatens. The last columns are ν[t]. Where the game separates there is no v at all.
    """

    def __init__(self, game: StackelbergGame) -> None:
        states, actions, replies = game.reward_leader.shape
        self.game = game
        self.shape = (states, replies, actions)
        self.size = states * replies * actions
        self.values = 0 if game.separates else states
        self.blocks = 2 if self.values and (game.start_law <= 0.0).any() else 1
        self.columns = self.blocks * self.size * (1 + self.values) + self.values
        self._reward = game.reward_leader.swapaxes(1, 2)  # follower's action before the leader's, here and below
        self._earned = game.reward_follower.swapaxes(1, 2)
        self._kernel = game.discount_follower * game.kernel.swapaxes(1, 2)
        self._balance, self._inflow = self._balances()
        self._products = self._product_rows()

    def solve(self, box: Box) -> Relaxed:
        """Bound what a promise in the box is worth to the leader."""
        cost = np.zeros(self.columns)
        cost[: self.size] = -self._reward.ravel()
        below = sparse.vstack([self._products, sparse.csr_array(self._value_rows(box))])
        least, found = _minimum(cost, below, self._balance, self._inflow, self._limits(box))
        if found is None:
            empty = np.zeros(0)
            return Relaxed(bound=-least, visits=empty, place=empty, spread=empty)
        place = found[self.columns - self.values :]
        blocks = found[: self.columns - self.values].reshape(self.blocks, 1 + self.values, self.size)
        apart = np.abs(blocks[:, 1:] - blocks[:, :1] * place[:, None]).sum(axis=(0, 2))
        return Relaxed(
            bound=-least,
            visits=blocks[0, 0].reshape(self.shape),
            place=place,
            spread=apart * (box.high - box.low)[: self.values],
        )

    def _balances(self) -> tuple[Any, Floats]:
        """Balance of visits, and of visits times each share; one visit to every state in the second block."""
        states, replies, actions = self.shape
        each = np.repeat(np.eye(states), replies * actions, axis=1)
        led = self.game.kernel.swapaxes(1, 2).reshape(self.size, states).T
        parts = ((each - self.game.discount_leader * led, self.game.start_law), (each, np.ones(states)))
        blocks, shares, inflows = [], [], []
        for matrix, inflow in parts[: self.blocks]:
            blocks.append(sparse.kron(sparse.eye_array(1 + self.values), matrix))
            shares.append(sparse.kron(sparse.eye_array(1 + self.values).tocsr()[:, 1:], -inflow[:, None]))
            inflows += [inflow, np.zeros(self.values * states)]
        return sparse.csr_array(sparse.hstack([sparse.block_diag(blocks), sparse.vstack(shares)])), np.concatenate(
            inflows
        )

    def _product_rows(self) -> Any:
        """Rows of q ≤ z."""
        alike = sparse.kron(np.ones((self.values, 1)), sparse.eye_array(self.size))
        block = sparse.hstack([-alike, sparse.eye_array(self.values * self.size)])
        rows = sparse.block_diag([block] * self.blocks)
        return sparse.csr_array(sparse.hstack([rows, sparse.csr_array((rows.shape[0], self.values))]))

    def _value_rows(self, box: Box) -> Floats:
        """That action b earns v where it is the answer, and no other action more: (row, column), each ≤ 0."""
        states, replies, _ = self.shape
        width = (box.high - box.low)[: self.values]
        worth = self._earned + (self._kernel @ box.low if self.values else 0.0)  # (state, follower action, leader's)
        moved = self._kernel[..., : self.values] * width  # (…, next)
        own = moved - (np.eye(states) * width)[:, None, None] if self.values else moved
        more = worth[:, None] - worth[:, :, None]  # (state, b, other, leader action): other − b
        more_moved = moved[:, None] - moved[:, :, None]
        others = ~np.eye(replies, dtype=np.bool_)
        s, b = (index.ravel() for index in np.indices((states, replies)))
        rows = []
        if self.values:
            at = worth[s, b] - box.low[s, None]
            rows += [self._rows(s, b, at, own[s, b]), self._rows(s, b, -at, -own[s, b])]
        s, b, other = (index[:, others].ravel() for index in np.indices((states, replies, replies)))
        rows.append(self._rows(s, b, more[s, b, other], more_moved[s, b, other]))
        return np.concatenate(rows)

    def _rows(self, s: Any, b: Any, worth: Floats, moved: Floats) -> Floats:
        """Σ_a z·worth + Σ_a,t q[t]·moved[t] ≤ 0 in each block, tiny coefficients and rounding allowed for.

        Parameters
        ----------
        s, b : (row,)
        worth : (row, leader action)
        moved : (row, leader action, value)
        """
        tiny = np.abs(moved) <= TINY
        least = worth - ROUNDING + np.minimum(moved * tiny, 0.0).sum(axis=-1)
        states, replies, actions = self.shape
        block = np.zeros((len(s), 1 + self.values, states, replies, actions))
        rows = np.arange(len(s))
        block[rows, 0, s, b] = least
        block[rows, 1:, s, b] = (moved * ~tiny).swapaxes(1, 2)
        whole = np.zeros((self.blocks, len(s), self.columns))
        span = (1 + self.values) * self.size
        for k in range(self.blocks):
            whole[k, :, k * span : (k + 1) * span] = block.reshape(len(s), span)
        return whole.reshape(-1, self.columns)

    def _limits(self, box: Box) -> Floats:
        """Largest value of every variable; the least is 0. (column,)"""
        allowed = np.repeat(box.allowed.ravel(), self.shape[2]).astype(np.float64)
        most = (1.0 / (1.0 - self.game.discount_leader), 1.0)
        blocks = [np.tile(allowed * one, 1 + self.values) for one in most[: self.blocks]]
        return np.concatenate([*blocks, np.ones(self.values)])


def _minimum(cost: Floats, below: Any, balance: Any, inflow: Floats, limits: Floats) -> tuple[float, Floats | None]:
    """Minimise over 0 ≤ x ≤ limits, ``below`` @ x ≤ 0, ``balance`` @ x = inflow: a safe bound from below, and x.

    The bound is that of weak duality, which holds for any multipliers of the right sign, so the solver's tolerances
    cannot make it wrong. It is ∞ where there is no x.
    """
    some = below.shape[0] > 0
    for options in ATTEMPTS:
        found: Any = linprog(
            cost,
            A_ub=below if some else None,
            b_ub=np.zeros(below.shape[0]) if some else None,
            A_eq=balance,
            b_eq=inflow,
            bounds=np.stack([np.zeros(len(cost)), limits], axis=1),
            method="highs",
            options=options,
        )
        if found.status in (SOLVED, INFEASIBLE):
            break
    if found.status == INFEASIBLE:
        return np.inf, None
    if found.status != SOLVED:
        return float(np.minimum(cost, 0.0) @ limits), None
    reduced = cost - balance.T @ found.eqlin.marginals
    if some:
        reduced = reduced - below.T @ np.minimum(found.ineqlin.marginals, 0.0)
    return float(inflow @ found.eqlin.marginals + np.minimum(reduced, 0.0) @ limits), found.x
