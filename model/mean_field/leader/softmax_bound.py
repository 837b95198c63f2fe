"""A softmax policy over a menu beside the best pure policy: the exact error, its three parts, and their bound.

With J(k) the leader's objective where tariff k_s is posted in state s for good, J* = max J(k), π the policy with
π_s = softmax(Q_s/η), J(π) its objective with a new draw every midnight, and U_s uniform over the best by Q_s:

    J* − J(π) = [J* − E_U J(k)]  +  [E_U J(k) − E_π J(k)]  −  [J(π) − E_π J(k)]
                coordination        softmax                    mixing

* *Coordination*: what choosing state by state costs; 0 where the coordinate-wise optimum is the best of all.
* *Softmax* ≤ ½·Σ_s range_s·‖π_s − U_s‖₁, range_s being the most that state s's tariff can change J, the others' held:
  change one state after the other from U_s to π_s. And ‖π_s − U_s‖₁ ≤ 2((n − n*)/n*)·exp(−gap_s/η).
* *Mixing*: what followers who face a new draw every midnight bring the leader beyond one draw for ever.

Our own bound, a theorem given Q; the idea of a softmax leader on a net: He, Liu, Chen, *Learning in Stackelberg Markov
Games* (arXiv 2509.16296).
"""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.softmax import softmax, softmax_distance_bound
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome
from meanwatt.model.mean_field.leader.annealing import Step
from meanwatt.model.mean_field.leader.epsilon_net import EpsilonNet
from meanwatt.model.scenario.messages import Messages

TIED_USD = 1e-8
"""Worths this close count as equal: it is about what the accuracy of an equilibrium allows. [USD per household-day]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PureOptimum:
    """The best of all policies that never draw, by brute force.

    Attributes
    ----------
    choice : (s,) int
        Tariff posted in each state of the leader.
    table : (menu,) * s
        The objective of every pure policy; −inf where undefined.
    """

    choice: Ints
    table: Floats

    @property
    def objective(self) -> float:
        """The leader's objective at the optimum, J*."""
        return float(self.table[tuple(self.choice)])

    @property
    def ranges(self) -> Floats:
        """The most that the tariff of each state can change the objective, the others held, where defined. (s,)"""
        defined = np.isfinite(self.table)
        high, low = np.where(defined, self.table, -np.inf), np.where(defined, self.table, np.inf)
        return np.array([(high.max(axis=s) - low.min(axis=s)).max() for s in range(self.table.ndim)])

    def expected(self, policy: Floats) -> float:
        """Objective of drawing a pure policy once and for ever, from independent rows (s, a)."""
        chance = np.ones(())
        for row in policy:
            chance = np.multiply.outer(chance, row)
        likely = chance > 0
        return float(chance[likely] @ self.table[likely])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SoftmaxLeader:
    """The leader's softmax policy over a menu, the followers' equilibrium under it, and its distance to the best.

    Attributes
    ----------
    menu, net
        The tariffs, and the net whose members they are, if they come from one.
    state : (c,) int
        State s of the leader in each common state.
    temperature_usd
        Last temperature η. [USD per household-day]
    worth_usd : (s, a)
        Q_L; −inf where undefined. [USD per household-day]
    policy : (s, a)
        softmax(Q_L/η); rows sum to one.
    equilibrium, objective
        The followers' equilibrium under the policy, over states (c, a) and remembered draws, and the leader's objective
        J(π) there.
    past_draws
        Draws remembered besides today's: the scenario's memory, or fewer.
    closure_error_kw
        What the draws and day types that are forgotten leave open, measured at one more day: no part of `bound_usd`,
        and a lower bound. [kW]
    optimum
        The best pure policy of the menu; None if there are too many to compare or the search was cancelled.
    steps
        One for each stage that was finished.
    evaluations
        Equilibria solved.
    outcome, message
        How it ended: ``round_limit`` if the policy of the last stage still moves.
    messages
        What is not as asked, a sentence each: fewer draws remembered than days.
    """

    menu: tuple[Tariff, ...]
    net: EpsilonNet | None
    state: Ints
    temperature_usd: float
    worth_usd: Floats
    policy: Floats
    equilibrium: Equilibrium
    objective: float
    past_draws: int
    closure_error_kw: float
    optimum: PureOptimum | None
    steps: tuple[Step, ...]
    evaluations: int
    seconds: float
    outcome: Outcome
    message: str
    messages: Messages

    @property
    def common_states(self) -> int:
        """Common states of the followers' game: weather, today's tariff, and remembered draws."""
        return self.equilibrium.economy.common.count

    @property
    def choice(self) -> Ints:
        """The likeliest tariff in each common state. (c,)"""
        return np.asarray(self.policy.argmax(axis=1)[self.state])

    @property
    def distance_bound(self) -> Floats:
        """Bound on ‖π_s − U_s‖₁, at most 2. (s,)"""
        return np.minimum(softmax_distance_bound(tied(self.worth_usd), self.temperature_usd), 2.0)

    @property
    def error_usd(self) -> float | None:
        """J* − J(π); negative where drawing beats every pure policy. [USD per household-day]"""
        return None if self.optimum is None else self.optimum.objective - self.objective

    @property
    def coordination_usd(self) -> float | None:
        """J* − E_U J(k) ≥ 0. [USD per household-day]"""
        if self.optimum is None:
            return None
        return self.optimum.objective - self.optimum.expected(softmax(tied(self.worth_usd), 0.0))

    @property
    def mixing_usd(self) -> float | None:
        """J(π) − E_π J(k). [USD per household-day]"""
        return None if self.optimum is None else self.objective - self.optimum.expected(self.policy)

    @property
    def softmax_bound_usd(self) -> float | None:
        """Bound ½·Σ_s range_s·2((n − n*)/n*)·exp(−gap_s/η) on E_U J(k) − E_π J(k). [USD per household-day]"""
        return None if self.optimum is None else float(self.optimum.ranges @ self.distance_bound) / 2

    @property
    def bound_usd(self) -> float | None:
        """Bound on `error_usd`: coordination, the softmax bound, and mixing where it costs. [USD per household-day]"""
        coordination, drawn, mixing = self.coordination_usd, self.softmax_bound_usd, self.mixing_usd
        if coordination is None or drawn is None or mixing is None:
            return None
        return coordination + drawn + max(-mixing, 0.0)


def tied(worth_usd: Floats) -> Floats:
    """Worths (s, a) with those within ``TIED_USD`` of their row's best raised to it."""
    best = worth_usd.max(axis=-1, keepdims=True)
    return np.where(worth_usd >= best - TIED_USD, best, worth_usd)
