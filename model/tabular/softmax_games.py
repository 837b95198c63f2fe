"""Alternating softmax responses in a tabular game: the iteration, how strongly it contracts, and how far it errs.

Each player has a response map: given the other's stationary policy it solves its own decision problem with an entropy
bonus, V = η log Σ exp(Q/η), π = softmax(Q/η), η its temperature. Write h_F for the follower's map and h_L for the
leader's. The iteration π_L ← h_L(h_F(π_L)) contracts if the product of their Lipschitz constants is below 1, in the
norm ‖π‖ = max over states of Σ_a |π(a|s)|.

Its fixed point is *not* the equilibrium of commitment: the leader answers a follower whom it takes as frozen, so what
is found is a softened Nash equilibrium, and the leader may earn less than by committing. Both are worth comparing.
"""

from collections import deque
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.special import logsumexp, xlogy

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.softmax import softmax
from meanwatt.model.scenario.counted import counted
from meanwatt.model.tabular.stackelberg_games import PERIODS, GameOutcome, optimal_action_values, recurrence
from meanwatt.model.tabular.tabular_game import StackelbergGame, checked_policy, evaluate

NEWTON_ROUNDS = 200
MAX_ACTIONS = 12
"""Own actions up to which the norm of a derivative is exact: 2^(actions − 1) sign patterns a state."""
SMALLEST_STEP = 1.0 / 64.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResponseMap:
    """One player's softmax response to the other's policy; call it with that policy.

    Attributes
    ----------
    reward : (state, other's action, own action)
    kernel : (state, other's action, own action, next state)
    discount
        In [0, 1).
    temperature
        In the unit of the discounted rewards, above 0.
    """

    reward: Floats
    kernel: Floats
    discount: float
    temperature: float

    def __post_init__(self) -> None:
        """Check the temperature; the arrays come from a checked game."""
        if not 0.0 < self.temperature < np.inf:
            raise ValueError(f"temperature is {self.temperature}; give a finite number > 0, or use best_response for 0")

    def __call__(self, other: Floats) -> Floats:
        """Respond to a policy (state, other's action) by a policy (state, own action)."""
        return softmax(self._action_values(other), self.temperature)

    def derivative(self, other: Floats) -> Floats:
        """Derivative of the response. (state, own action, other's state, other's action)

        Of Q = R(π) + δ P(π) V by the implicit function theorem: dV = (I − δP)⁻¹ E_own[G dπ], G = r + δ k V being what
        a pair of actions is worth.
        """
        worth = self._action_values(other)
        own = softmax(worth, self.temperature)
        value = self.temperature * logsumexp(worth / self.temperature, axis=1)
        pair = self.reward + self.discount * self.kernel @ value
        eye = np.eye(len(value))
        step = np.einsum("sabt,sa->sbt", self.kernel, other)
        system = eye - self.discount * np.einsum("sbt,sb->st", step, own)
        moved_value = np.einsum("st,tr,tab,tb->sra", np.linalg.inv(system), eye, pair, own)
        moved = np.einsum("sr,sab->sbra", eye, pair) + self.discount * np.einsum("sbt,tra->sbra", step, moved_value)
        mean = np.einsum("sb,sbra->sra", own, moved)
        return np.asarray(own[:, :, None, None] * (moved - mean[:, None]) / self.temperature)

    def local_lipschitz(self, other: Floats) -> float:
        """Norm of the derivative on directions that keep probabilities: the local Lipschitz constant, exact.

        Directions are zero-sum with Σ|d| ≤ 1 in each state, hulls of (e_a − e_a')/2. With the signs of the output
        fixed, the norm is linear in them and separates over the other's states; all sign patterns are tried.
        """
        derivative = self.derivative(other)
        actions = derivative.shape[1]
        if actions > MAX_ACTIONS:
            raise ValueError(f"a player has {actions} actions; the exact norm takes up to {MAX_ACTIONS}, merge some")
        signs = np.array([(1.0, *rest) for rest in product((1.0, -1.0), repeat=actions - 1)])
        pushed = np.einsum("nb,sbra->nsra", signs, derivative)
        return float((0.5 * np.ptp(pushed, axis=3)).sum(axis=2).max())

    def lipschitz_bound(self) -> float:
        """A proven bound on the Lipschitz constant over all policies; inversely proportional to the temperature.

        ‖dπ‖ ≤ span(dQ)/(2η) in each state. For a zero-sum direction d with Σ|d| ≤ 1, span(dQ) has two parts: the
        mixed differences of G over two actions of each player, halved; and δ·τ·span(dV), τ the largest total
        variation between rows of the kernel for two own actions, with |dV| ≤ max_b span_a G/(2(1 − δ)). Up to a
        constant V lies between the least and the largest reward over 1 − δ, so span(V) ≤ span(r)/(1 − δ).
        """
        span = float(np.ptp(self.reward)) / (1.0 - self.discount)
        by_other = self.reward[:, :, None] - self.reward[:, None, :]
        kernel_by_other = self.kernel[:, :, None] - self.kernel[:, None, :]
        push = np.abs(by_other) + 0.5 * self.discount * span * np.abs(kernel_by_other).sum(axis=-1)
        mixed = np.abs(by_other[..., :, None] - by_other[..., None, :])
        kernel_mixed = kernel_by_other[..., :, None, :] - kernel_by_other[..., None, :, :]
        mixed += 0.5 * self.discount * span * np.abs(kernel_mixed).sum(axis=-1)
        variation = 0.5 * np.abs(self.kernel[:, :, :, None] - self.kernel[:, :, None]).sum(axis=-1).max()
        through_value = self.discount * variation * float(push.max()) / (1.0 - self.discount)
        return float(0.5 * mixed.max() + through_value) / (2.0 * self.temperature)

    def regret(self, own: Floats, other: Floats) -> float:
        """Forgone by ``own`` against ``other``, in the worst state, without the entropy bonus.

        At most ``regret_bound`` for a softmax response: the bonus is all it can have gained instead.
        """
        kernel, reward = np.einsum("sabt,sa->sbt", self.kernel, other), np.einsum("sab,sa->sb", self.reward, other)
        best = optimal_action_values(reward, kernel, self.discount, np.ones(reward.shape, dtype=bool)).max(axis=1)
        system = np.eye(len(best)) - self.discount * np.einsum("sbt,sb->st", kernel, own)
        return float((best - np.linalg.solve(system, (reward * own).sum(axis=1))).max())

    def regret_bound(self) -> float:
        """Largest regret that a softmax response can have, η·log(actions)/(1 − δ)."""
        return float(self.temperature * np.log(self.reward.shape[2]) / (1.0 - self.discount))

    def _action_values(self, other: Floats) -> Floats:
        """Entropy-regularised action values (state, own action), by Newton's method (soft policy iteration).

        Taking the softmax of a policy's action values, entropy included, improves it in every state.
        """
        other = checked_policy("policy", other, self.reward.shape[:2])
        kernel, reward = np.einsum("sabt,sa->sbt", self.kernel, other), np.einsum("sab,sa->sb", self.reward, other)
        enough = 1e-13 * (np.abs(self.reward).max() + self.temperature) / (1.0 - self.discount)
        worth = reward
        for _ in range(NEWTON_ROUNDS):
            own = softmax(worth, self.temperature)
            gain = (own * reward - self.temperature * xlogy(own, own)).sum(axis=1)
            system = np.eye(len(own)) - self.discount * np.einsum("sbt,sb->st", kernel, own)
            before, worth = worth, reward + self.discount * kernel @ np.linalg.solve(system, gain)
            if np.abs(worth - before).max() <= enough:
                break
        return np.asarray(worth)


def follower_map(game: StackelbergGame, temperature: float) -> ResponseMap:
    """Follower's response h_F: leader policy → follower policy."""
    return ResponseMap(
        reward=game.reward_follower, kernel=game.kernel, discount=game.discount_follower, temperature=temperature
    )


def leader_map(game: StackelbergGame, temperature: float) -> ResponseMap:
    """Leader's response h_L to a follower policy that it takes as frozen."""
    return ResponseMap(
        reward=game.reward_leader.swapaxes(1, 2),
        kernel=game.kernel.swapaxes(1, 2),
        discount=game.discount_leader,
        temperature=temperature,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SoftmaxRun:
    """The iteration π_L ← h_L(h_F(π_L)), from its start to where it ended.

    Attributes
    ----------
    policies : (round + 1, state, leader action)
        Leader policies in order.
    follower_policy : (state, follower action)
        Response to the last of them.
    residuals : (round,)
        Norm of each step, max over states of Σ_a |Δπ_L(a|s)|.
    period
        Of the cycle, or 0.
    leader_value, follower_value : (state,)
        Discounted sums under the last policies, without entropy.
    leader_regret, follower_regret
        What each forgoes against the other's last policy; below its bound at a fixed point.
    """

    policies: Floats
    follower_policy: Floats
    residuals: Floats
    period: int
    leader_value: Floats
    follower_value: Floats
    leader_regret: float
    follower_regret: float
    leader_regret_bound: float
    follower_regret_bound: float
    outcome: GameOutcome
    message: str

    @property
    def leader_policy(self) -> Floats:
        """Last leader policy. (state, leader action)"""
        return np.asarray(self.policies[-1])

    def errors(self) -> Floats:
        """Distance of every leader policy to the last. (round + 1,)"""
        return np.asarray(np.abs(self.policies - self.policies[-1]).sum(axis=2).max(axis=1))

    def error_bounds(self, product: float) -> Floats:
        """Bound product^k/(1 − product)·(first step) on the distance to the fixed point after k rounds. (round + 1,)

        Parameters
        ----------
        product
            Product of the two Lipschitz constants, in [0, 1): proven, or measured and then only as good as that.
        """
        if not 0.0 <= product < 1.0:
            raise ValueError(f"product is {product:g}; the bound needs one in [0, 1): raise the temperatures")
        return np.asarray(product ** np.arange(len(self.policies)) / (1.0 - product) * self.residuals[0])


def iterate_softmax(
    game: StackelbergGame,
    *,
    leader_temperature: float,
    follower_temperature: float,
    start: Floats | None = None,
    tolerance: float = 1e-12,
    max_rounds: int = 2_000,
) -> SoftmaxRun:
    """Let leader and follower respond in turn until the leader's policy repeats, cycles, or the rounds are spent.

    Parameters
    ----------
    start : (state, leader action), optional
        First leader policy; uniform without it.
    tolerance
        Norm of the step that counts as none.
    """
    if max_rounds < 1:
        raise ValueError(f"max_rounds is {max_rounds}; give at least 1")
    lead, follow = leader_map(game, leader_temperature), follower_map(game, follower_temperature)
    shape = game.reward_leader.shape[:2]
    policies = [np.full(shape, 1.0 / shape[1]) if start is None else checked_policy("start", start, shape)]
    earlier: deque[Floats] = deque(maxlen=PERIODS)
    residuals: list[float] = []
    outcome, period = GameOutcome.ROUND_LIMIT, 0
    while len(residuals) < max_rounds:
        earlier.append(policies[-1])
        policies.append(lead(follow(policies[-1])))
        residuals.append(float(np.abs(policies[-1] - policies[-2]).sum(axis=1).max()))
        if residuals[-1] <= tolerance:
            outcome = GameOutcome.CONVERGED
            break
        period = recurrence(earlier, policies[-1])
        if period:
            outcome = GameOutcome.CYCLE
            break
    x = policies[-1]
    y = follow(x)
    leader_value, follower_value = evaluate(game, x, y)
    after = f"after {counted(len(residuals), 'round')}"
    message = {
        GameOutcome.CONVERGED: f"Converged: the leader's policy answers itself within {residuals[-1]:.1e} {after}.",
        GameOutcome.CYCLE: f"Cycle of period {period} {after}, steps of {residuals[-1]:.2g}; raise a temperature.",
    }.get(outcome, f"Not converged: steps of {residuals[-1]:.1e} {after}; raise max_rounds or a temperature.")
    return SoftmaxRun(
        policies=np.stack(policies),
        follower_policy=y,
        residuals=np.array(residuals),
        period=period,
        leader_value=leader_value,
        follower_value=follower_value,
        leader_regret=lead.regret(x, y),
        follower_regret=follow.regret(y, x),
        leader_regret_bound=lead.regret_bound(),
        follower_regret_bound=follow.regret_bound(),
        outcome=outcome,
        message=message,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lipschitz:
    """Lipschitz constants of both response maps: the largest local one found, and what is proven.

    ``measured`` values are attained at some policy, so the true constants lie between them and the bounds.
    """

    leader_measured: float
    follower_measured: float
    leader_bound: float
    follower_bound: float

    @property
    def product_measured(self) -> float:
        """d_L·d_F as measured: at least 1 proves nothing by itself; below 1 suggests a contraction."""
        return self.leader_measured * self.follower_measured

    @property
    def product_bound(self) -> float:
        """d_L·d_F as proven: below 1 the iteration contracts from every start to one fixed point."""
        return self.leader_bound * self.follower_bound


def lipschitz(
    game: StackelbergGame,
    rng: np.random.Generator,
    *,
    leader_temperature: float,
    follower_temperature: float,
    samples: int = 40,
    least_gain: float = 0.0,
) -> Lipschitz:
    """Measure and bound the Lipschitz constants of both response maps; see ``steepest`` for the search."""
    lead, follow = leader_map(game, leader_temperature), follower_map(game, follower_temperature)
    return Lipschitz(
        leader_measured=steepest(lead, rng, samples=samples, least_gain=least_gain)[0],
        follower_measured=steepest(follow, rng, samples=samples, least_gain=least_gain)[0],
        leader_bound=lead.lipschitz_bound(),
        follower_bound=follow.lipschitz_bound(),
    )


def steepest(
    response: ResponseMap, rng: np.random.Generator, *, samples: int = 40, least_gain: float = 0.0
) -> tuple[float, Floats]:
    """Largest local Lipschitz constant found, and the policy (state, other's action) where.

    Dirichlet samples with weights from 0.1 (near the corners) to 3, then from the best of them a pattern search that
    moves one state's probabilities towards a corner, or away, by ever smaller steps.

    Parameters
    ----------
    least_gain
        Share by which a move must raise the constant to be made; without any, the search may creep for minutes.
    """
    states, actions = response.reward.shape[:2]
    points = [np.full((states, actions), 1.0 / actions)]
    points += [rng.dirichlet(np.full(actions, weight), size=states) for weight in np.geomspace(0.1, 3.0, samples)]
    best, point = max(((response.local_lipschitz(p), p) for p in points), key=lambda found: found[0])
    step = 0.5
    while step >= SMALLEST_STEP:
        improved = False
        for state, action, towards in product(range(states), range(actions), (True, False)):
            trial = point.copy()
            corner = np.eye(actions)[action]
            trial[state] += step * (corner - trial[state]) if towards else -step * point[state, action] * corner
            trial[state] /= trial[state].sum() or 1.0
            if trial[state].sum() > 0 and (slope := response.local_lipschitz(trial)) > best * (1.0 + least_gain):
                best, point, improved = slope, trial, True
        if not improved:
            step /= 2
    return best, point


def contractive_temperature(game: StackelbergGame, product: float = 0.5) -> float:
    """Return the common temperature at which the proven product of Lipschitz constants equals ``product``.

    Both bounds fall as 1/temperature, so every game contracts at a temperature that is high enough.
    """
    if not product > 0.0:
        raise ValueError(f"product is {product}; give a number > 0, below 1 for a contraction")
    unit = leader_map(game, 1.0).lipschitz_bound() * follower_map(game, 1.0).lipschitz_bound()
    return float(np.sqrt(unit / product))
