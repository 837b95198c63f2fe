"""The softmax leader: a menu of tariffs, the worth Q_L(s, a) of each in each state, and the policy softmax(Q_L/η).

Q_L(s, a) is a *commitment* value: the leader's average objective in the followers' equilibrium where the policy is
kept, except that state s gets tariff a for good, and everybody knows it. At η = 0 a settled policy is a coordinate-wise
optimum of the committing leader over the menu. States are updated one after the other, each answering the others'
newest rows, so that at η = 0 the objective never falls.

At midnight the leader draws one tariff from π(· | s), seen by everybody
(`meanwatt.model.mean_field.leader.mixed_tariff`), and remembered as the weather is. Its state s is nothing at all,
today's day type, or the common state of the weather: one tariff for all days, critical-peak pricing, or more.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.softmax import softmax
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.leader.annealing import Stage, Step
from meanwatt.model.mean_field.leader.drawn_states import LARGEST, drawn_states
from meanwatt.model.mean_field.leader.epsilon_net import EpsilonNet
from meanwatt.model.mean_field.leader.mixed_tariff import extended_economy, extended_tariff, require_mixable
from meanwatt.model.mean_field.leader.softmax_bound import PureOptimum, SoftmaxLeader, tied
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.messages import Messages

NEGLIGIBLE = 1e-9
"""Tariffs less likely than this are left out of the followers' game."""
SETTLED = 1e-6
"""Largest move of a row of the policy, in the 1-norm, that counts as none."""
SWEEPS = 30
"""Sweeps over the leader's states at one temperature."""
TABLE = 1024
"""Pure policies compared by brute force at most."""
WORTH_A_LOOK = 0.1
"""Tariffs at least this likely, relative to the likeliest of a state, are looked at more closely when ε is halved."""


class Information(StrEnum):
    """What the leader's choice may depend on."""

    NOTHING = "nothing"
    DAY_TYPE = "day_type"
    HISTORY = "history"


class Continuation(StrEnum):
    """Which policy the other states keep while one state's tariff is tried."""

    POLICY = "policy"
    """The softmax policy itself."""
    GREEDY = "greedy"
    """Its likeliest tariffs: far fewer states to solve, and the same as the temperature falls."""


def leader_states(economy: Economy, information: Information) -> Ints:
    """State of the leader in each common state, numbered from zero. (c,)"""
    common = economy.common
    seen = {
        Information.NOTHING: np.zeros(common.count, dtype=np.int64),
        Information.DAY_TYPE: common.today,
        Information.HISTORY: np.arange(common.count),
    }
    return np.asarray(np.unique(seen[information], return_inverse=True)[1], dtype=np.int64)


def softmax_leader(
    economy: Economy,
    menu: Sequence[Tariff] | EpsilonNet,
    objective: Callable[[Equilibrium], float],
    *,
    schedule: Sequence[Stage],
    tariff_of: Callable[[Floats], Tariff] | None = None,
    information: Information = Information.DAY_TYPE,
    continuation: Continuation = Continuation.POLICY,
    watch: Watch | None = None,
) -> SoftmaxLeader:
    """Find the softmax policy over a menu of tariffs, along a schedule of temperatures and covering radii.

    Parameters
    ----------
    menu
        Tariffs that differ in charges and export credits only, recovery ``fixed`` or ``posted``; or a net.
    objective
        What the leader maximises, in the unit of the temperatures. It is handed equilibria of extended economies, one
        common state for each (c, a). −inf where it is undefined: what makes it so alone is never posted.
    schedule
        Stages in order, e.g. of `annealing`; each starts from the policy of the one before. Only a net can be halved.
    tariff_of
        The tariff of a member of the net, e.g. ``TariffFamily.tariff``.
    information
        What the tariff may depend on.
    continuation
        Which policy the other states keep while Q_L is computed.
    watch
        As for `solve_equilibrium`; ``evaluations`` counts equilibria, ``fraction`` stages.

    Raises
    ------
    ValueError
        If the menu is empty, cannot be mixed or cannot be halved, the schedule is empty, a temperature is negative, or
        no tariff of some state has a defined objective.
    Cancelled
        If asked to stop before the first sweep was done; later, the policy of the last sweep is returned.
    """
    began = time.perf_counter()
    net = menu if isinstance(menu, EpsilonNet) else None
    _require_schedule(schedule, net, tariff_of)
    watch = (watch or Watch()).fresh()
    search = _Search(economy, objective, leader_states(economy, information), continuation, watch)
    steps: list[Step] = []
    optimum: PureOptimum | None = None
    try:
        for number, stage in enumerate(schedule):
            search.fraction = number / len(schedule)
            if stage.halve and net is not None:
                likeliest = search.policy.max(axis=1, keepdims=True)
                net = net.halved(np.flatnonzero((search.policy >= WORTH_A_LOOK * likeliest).any(axis=0)))
            if number == 0 or stage.halve:
                search.offer(_tariffs(menu, net, tariff_of), net, stage.temperature_usd)
            radius = f"ε {net.epsilon:.3g}, " if net is not None else ""
            watch.stage = f"softmax leader, {radius}temperature {stage.temperature_usd:.3g} USD"
            steps.append(search.settle(stage.temperature_usd))
        watch.stage = "best pure policy of the menu"
        optimum = search.best_pure()
        outcome = Outcome.CONVERGED if steps[-1].change <= SETTLED else Outcome.ROUND_LIMIT
    except Cancelled:
        if search.found is None:
            raise
        outcome = Outcome.CANCELLED
    found = search.found
    assert found is not None
    past_draws = drawn_states(economy.common, search.drawn(found.policy)).past_draws
    return SoftmaxLeader(
        menu=found.menu,
        net=found.net,
        state=search.state,
        temperature_usd=found.temperature_usd,
        worth_usd=found.worth_usd,
        policy=found.policy,
        equilibrium=found.equilibrium,
        objective=found.objective,
        past_draws=past_draws,
        closure_error_kw=found.closure_error_kw,
        optimum=optimum,
        steps=tuple(steps),
        evaluations=watch.evaluations,
        seconds=time.perf_counter() - began,
        outcome=outcome,
        message=_sentence(outcome, found, steps, watch.evaluations),
        messages=_closure_messages(economy.common.memory, past_draws, found.closure_error_kw),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Found:
    """What a sweep ended with."""

    menu: tuple[Tariff, ...]
    net: EpsilonNet | None
    temperature_usd: float
    worth_usd: Floats
    policy: Floats
    equilibrium: Equilibrium
    objective: float
    closure_error_kw: float


class _Search:
    """The menu on offer, the policy as it stands, and every objective computed so far."""

    def __init__(
        self,
        economy: Economy,
        objective: Callable[[Equilibrium], float],
        state: Ints,
        continuation: Continuation,
        watch: Watch,
    ) -> None:
        self.economy, self.objective, self.state, self.continuation, self.watch = (
            economy,
            objective,
            state,
            continuation,
            watch,
        )
        self.states = int(state.max()) + 1
        self.menu: tuple[Tariff, ...] = ()
        self.net: EpsilonNet | None = None
        self.policy: Floats = np.empty((self.states, 0))
        self.fraction = 0.0
        self.found: _Found | None = None
        self._known: dict[bytes, float] = {}
        self._warm: dict[bytes, Equilibrium] = {}

    def offer(self, menu: tuple[Tariff, ...], net: EpsilonNet | None, temperature_usd: float) -> None:
        """Put a menu on the table.

        The first policy is the softmax over tariffs posted on all days alike; later, each member takes over the chance
        of the old one next to it.
        """
        require_mixable(menu)
        before, self._known = self.net, {}
        self.menu, self.net = menu, net
        if before is None or net is None:
            alike = np.array([self.worth(np.tile(one, (self.states, 1))) for one in np.eye(len(menu))])
            if np.isneginf(alike).all():
                raise ValueError(
                    "no tariff of the menu has a defined objective when posted on all days; widen the menu"
                )
            self.policy = np.tile(softmax(tied(alike), temperature_usd), (self.states, 1))
        else:
            nearest = np.abs(net.share[:, None] - before.share).max(axis=2).argmin(axis=1)
            taken = self.policy[:, nearest]
            self.policy = taken / taken.sum(axis=1, keepdims=True)

    def drawn(self, policy: Floats) -> Floats:
        """Chance (c, a) of each tariff in each common state under a policy (s, a), negligible ones left out."""
        likely = np.where(policy >= NEGLIGIBLE, policy, 0.0)
        return np.asarray((likely / likely.sum(axis=1, keepdims=True))[self.state])

    def solve(self, policy: Floats) -> Equilibrium:
        """The followers' equilibrium under a policy (s, a), warm from the last one over as many states."""
        drawn = self.drawn(policy)
        extended = extended_economy(self.economy, self.menu, drawn)
        grid = np.append(np.count_nonzero(drawn, axis=1), extended.common.count).tobytes()
        found = solve_equilibrium(
            extended,
            extended_tariff(self.economy, self.menu, drawn),
            start=self._warm.get(grid),
            certify=False,
            watch=self.watch.silent(),
        )
        if found.outcome is Outcome.CANCELLED:
            raise Cancelled
        if found.outcome is Outcome.CONVERGED:
            self._warm.pop(grid, None)
            self._warm[grid] = found
            if len(self._warm) > 2 * (self.states + 1):
                del self._warm[next(iter(self._warm))]
        self.watch.tick(found.residual_usd_per_kwh, self.fraction)
        return found

    def judged(self, found: Equilibrium) -> float:
        """The leader's objective, −inf where the followers' equilibrium was not found."""
        return float(self.objective(found)) if found.outcome is Outcome.CONVERGED else -np.inf

    def worth(self, policy: Floats) -> float:
        """The leader's objective under a policy (s, a), computed once."""
        key = policy.tobytes()
        if key not in self._known:
            self._known[key] = self.judged(self.solve(policy))
        return self._known[key]

    def settle(self, temperature_usd: float) -> Step:
        """Sweep over the leader's states until the policy answers itself."""
        elements = np.eye(len(self.menu))
        worth = np.empty((self.states, len(self.menu)))
        change, sweeps = np.inf, 0
        while change > SETTLED and sweeps < SWEEPS:
            change = 0.0
            for s in range(self.states):
                others = (
                    self.policy if self.continuation is Continuation.POLICY else elements[self.policy.argmax(axis=1)]
                )
                for a, only in enumerate(elements):
                    tried = others.copy()
                    tried[s] = only
                    worth[s, a] = self.worth(tried)
                if np.isneginf(worth[s]).all():
                    raise ValueError(
                        f"no tariff of the menu has a defined objective in state {s} of the leader; widen the menu"
                    )
                row = softmax(tied(worth[s]), temperature_usd)
                change = max(change, float(np.abs(row - self.policy[s]).sum()))
                self.policy[s] = row
            sweeps += 1
            equilibrium = self.solve(self.policy)
            self.found = _Found(
                menu=self.menu,
                net=self.net,
                temperature_usd=temperature_usd,
                worth_usd=worth.copy(),
                policy=self.policy.copy(),
                equilibrium=equilibrium,
                objective=self.judged(equilibrium),
                closure_error_kw=equilibrium.closure_error_kw,
            )
        assert self.found is not None
        return Step(
            epsilon=None if self.net is None else self.net.epsilon,
            temperature_usd=temperature_usd,
            worth_usd=self.found.worth_usd,
            policy=self.found.policy,
            objective=self.found.objective,
            closure_error_kw=self.found.closure_error_kw,
            sweeps=sweeps,
            change=change,
            evaluations=self.watch.evaluations,
        )

    def best_pure(self) -> PureOptimum | None:
        """Compare all pure policies of the menu, if they are not too many."""
        shape = (len(self.menu),) * self.states
        if len(self.menu) ** self.states > TABLE:
            return None
        elements = np.eye(len(self.menu))
        worth = [self.worth(elements[list(k)]) for k in product(range(len(self.menu)), repeat=self.states)]
        table = np.array(worth).reshape(shape)
        return PureOptimum(choice=np.array(np.unravel_index(int(table.argmax()), shape)), table=table)


def _tariffs(
    menu: Sequence[Tariff] | EpsilonNet, net: EpsilonNet | None, tariff_of: Callable[[Floats], Tariff] | None
) -> tuple[Tariff, ...]:
    """The tariffs on offer: those of a net's members, or the menu itself."""
    if net is not None and tariff_of is not None:
        return tuple(tariff_of(parameters) for parameters in net.parameters)
    assert not isinstance(menu, EpsilonNet)
    return tuple(menu)


def _require_schedule(
    schedule: Sequence[Stage], net: EpsilonNet | None, tariff_of: Callable[[Floats], Tariff] | None
) -> None:
    """Refuse a schedule that the menu cannot follow."""
    if not schedule:
        raise ValueError("the schedule is empty; give at least one stage, e.g. of annealing(0.1, 0.001, 5)")
    if net is None and any(stage.halve for stage in schedule):
        raise ValueError("a menu of tariffs cannot be halved; give a net with tariff_of, or stages without halving")
    if net is not None and tariff_of is None:
        raise ValueError("a net has no tariffs of its own; give tariff_of, e.g. TariffFamily.tariff")


def _closure_messages(memory: int, past_draws: int, closure_error: float) -> Messages:
    """That fewer draws are remembered than days, and what that leaves open."""
    if past_draws >= memory:
        return ()
    return (
        f"memory = {memory}: past draws are remembered while they make no more than {LARGEST} common states, here of"
        f" {past_draws} of {memory} days; what is forgotten moves the load by {closure_error:.2g} kW (RMS), measured at"
        " one more day.",
    )


def _sentence(outcome: Outcome, found: _Found, steps: Sequence[Step], evaluations: int) -> str:
    where = (
        f"objective {found.objective:.4f} USD per household-day over {counted(len(found.menu), 'tariff')} at"
        f" temperature {found.temperature_usd:.3g} USD after {evaluations} equilibria"
    )
    if outcome is Outcome.CONVERGED:
        return f"Converged: {where}; the policy answers itself."
    if outcome is Outcome.CANCELLED:
        return f"Cancelled: {where}."
    return (
        f"Not settled: {where}, but the policy still moves by {steps[-1].change:.1e};"
        " raise the last temperature or cool in smaller steps."
    )
