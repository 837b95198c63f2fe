"""Menus for a leader who learns in a running market, and what the mean field makes of their tariffs.

The learner is never shown the worth of a tariff in the mean field. It judges the learner: regret is the worth of the
best tariff of the menu, to which a leader with full knowledge would commit, less that of the tariff posted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.tariff.rate_classes import called
from meanwatt.agents.tariff.tariff import Recovery, Tariff, rates
from meanwatt.analysis.design.same_tariffs import plain_names, same_numbers, twins
from meanwatt.analysis.leader.leader_spec import LeaderSpec, default_price_cap_usd_per_kwh
from meanwatt.analysis.learning.environment import expected_reading
from meanwatt.analysis.learning.meter import PENALTY_PER_SALES, MeteredObjective
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.leader.epsilon_net import epsilon_net
from meanwatt.model.mean_field.leader.mixed_tariff import require_mixable, tariff_by_day_type
from meanwatt.model.mean_field.leader.softmax_bound import TIED_USD
from meanwatt.model.mean_field.leader.softmax_leader import Information, leader_states
from meanwatt.model.mean_field.leader.tariff_family import TariffFamily, starting_points
from meanwatt.model.progress.watch import Cancelled, Progress, Watch
from meanwatt.model.scenario.economy import Economy, build_tariff
from meanwatt.model.scenario.messages import Messages

LARGEST: Final = 256
"""Tariffs of a menu, by day type combined, whose equilibria are solved at most."""
CAP_TOLERANCE_USD_PER_KWH: Final = 1e-9
_NET: Final = ("energy_usd_per_kwh", "tou_spread")
_POINTS: Final = {False: (4, 3), True: (3, 2)}
"""Points of the net along both, by whether its tariffs are combined by day type."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Menu:
    """Tariffs on offer, by state of the leader combined, and the equilibrium of every combination.

    Attributes
    ----------
    economy, aims
        Where, and for whom.
    tariffs
        The elements.
    state : (c,) int
        State of the leader in each common state.
    combined : dict
        The tariff of each combination of elements, (element of state 0, …).
    equilibria : dict
        Its mean-field equilibrium.
    worth_usd : (a,) * s
        The leader's objective there, less the penalty for rates above the cap. [USD per household-day]
    left_out : dict
        Name of each tariff that is not on the usual menu because another one is the same, and that one's name.
    labels
        What the elements are called, where not by their own names.
    """

    economy: Economy
    aims: LeaderSpec
    tariffs: tuple[Tariff, ...]
    state: Ints
    combined: dict[tuple[int, ...], Tariff]
    equilibria: dict[tuple[int, ...], Equilibrium]
    worth_usd: Floats
    left_out: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of the elements."""
        return list(self.labels) or [called(tariff) for tariff in self.tariffs]

    @property
    def best(self) -> tuple[int, ...]:
        """The combination that a leader with full knowledge commits to."""
        return tuple(int(k) for k in np.unravel_index(int(self.worth_usd.argmax()), self.worth_usd.shape))

    @property
    def messages(self) -> Messages:
        """Which tariffs are one under two names, a sentence each."""
        told = [
            f"{name} is left out of the usual menu: it is the same tariff as {twin}."
            for name, twin in self.left_out.items()
        ]
        names = self.names
        for place, tariff in enumerate(self.tariffs):
            twin = next((names[k] for k in range(place) if same_numbers(tariff, self.tariffs[k])), None)
            if twin is not None:
                told.append(
                    f"{names[place]} is the same tariff as {twin}: both are on the menu, and only chance and the days"
                    " on which they are posted can tell them apart."
                )
        return tuple(told)

    def metered(self, in_force: Equilibrium) -> Floats:
        """What a metered objective is at each element in the mean field, after the tariff in force. (a,)

        Its differences are not those of the worth: no meter tells the entropy of choices from a benefit.
        """
        by_type = bool(in_force.tariff.classes)
        objective = MeteredObjective(self.economy, self.aims, expected_reading(in_force))
        lived = [self.equilibria[(k,) * self.worth_usd.ndim] for k in range(len(self.tariffs))]
        return np.array([objective.estimate(expected_reading(found, by_type=by_type)).score for found in lived])

    def regret_usd(self, choice: Sequence[int] | Ints) -> float:
        """Worth of the best combination less that of another. [USD per household-day]"""
        lost = float(self.worth_usd.max() - self.worth_usd[tuple(int(k) for k in choice)])
        return lost if lost > TIED_USD else 0.0

    def compose(self, choice: Ints) -> Tariff:
        """The tariff of a combination, the same object each time."""
        return self.combined[tuple(int(k) for k in choice)]


def default_menu(
    economy: Economy, aims: LeaderSpec, in_force: Tariff | None = None, *, by_day_type: bool = False
) -> tuple[Tariff, ...]:
    """The scenario's own tariffs that recover cost, for a leader who must; posted ones below the cap, for a utility.

    Rate classes in force that recover cost come last. The utility's menu, and any whose tariffs are to be combined by
    day type, is a net over the mean energy charge and the spread between hours; its standing charges beside the fixed
    one are those of the tariff in force.

    Raises
    ------
    ValueError
        If nothing is left of it.
    """
    recovers = aims.recovery is Recovery.FIXED
    if recovers and not by_day_type:
        named = [build_tariff(economy.scenario, name) for name in plain_names(economy.scenario)]
        if in_force is not None and in_force.classes:
            named.append(in_force)
        return _distinct([tariff for tariff in named if tariff.recovery is not Recovery.POSTED])
    family = aims.usual_family(economy, in_force)
    start = starting_points(family, economy)[0]
    cap = aims.price_cap_usd_per_kwh or default_price_cap_usd_per_kwh(economy)
    varied = [family.free.index(name) for name in _NET]
    high = family.high[varied].copy()
    high[0] = min(high[0], cap)
    net = epsilon_net(family.low[varied], high, _POINTS[by_day_type])
    kept = []
    for place in net.parameters:
        parameters = start.copy()
        parameters[varied] = place
        tariff = replace(family.tariff(parameters), name=_words(family, parameters, varied))
        if recovers or _highest_rate(economy, tariff) <= cap + CAP_TOLERANCE_USD_PER_KWH:
            kept.append(tariff)
    return _distinct(kept)


def usual_menu(
    aims: LeaderSpec, in_force: Equilibrium, *, by_day_type: bool = False, watch: Watch | None = None
) -> Menu:
    """Solve the equilibria of `default_menu`; see `solve_menu`. Of tariffs that are the same it holds the first."""
    economy = in_force.economy
    tariffs = default_menu(economy, aims, in_force.tariff, by_day_type=by_day_type)
    menu = solve_menu(aims, tariffs, in_force, by_day_type=by_day_type, watch=watch)
    same = {name: twin for name, twin in twins(economy.scenario).items() if twin in menu.names}
    return replace(menu, left_out=same)


def solve_menu(
    aims: LeaderSpec,
    tariffs: Sequence[Tariff],
    in_force: Equilibrium,
    *,
    names: tuple[str, ...] = (),
    by_day_type: bool = False,
    watch: Watch | None = None,
) -> Menu:
    """Solve the equilibrium of every tariff that the leader may post.

    Parameters
    ----------
    in_force
        Equilibrium at the tariff in force, which solves start from.
    names
        What the tariffs are called; by default by their own names.
    by_day_type
        Whether the leader may post another element on each day type.
    watch
        As for `solve_equilibrium`; ``fraction`` counts tariffs.

    Raises
    ------
    ValueError
        In one line, if the menu is empty, too large, cannot be combined, or a tariff comes to no equilibrium.
    Cancelled
        If asked to stop.
    """
    if not tariffs:
        raise ValueError("the menu is empty; give at least one tariff")
    economy = in_force.economy
    state = leader_states(economy, Information.DAY_TYPE if by_day_type else Information.NOTHING)
    states = int(state.max()) + 1
    if states > 1:
        require_mixable(tariffs)
    count = len(tariffs) ** states
    if count > LARGEST:
        raise ValueError(
            f"{len(tariffs)} tariffs for each of {states} day types make {count:,} combinations, allowed are {LARGEST};"
            " give a shorter menu"
        )
    watch = watch or Watch()
    combined, equilibria = {}, {}
    worth = np.empty((len(tariffs),) * states)
    for number, choice in enumerate(product(range(len(tariffs)), repeat=states)):
        elements = np.array(choice)[state]
        tariff = tariffs[choice[0]] if len(set(choice)) == 1 else tariff_by_day_type(economy, tariffs, elements)
        if watch.progress is not None:
            watch.progress(Progress(stage=f"menu: {tariff.name}", evaluations=number, fraction=number / count))
        found = solve_equilibrium(economy, tariff, start=in_force, certify=False, watch=watch.silent())
        if found.outcome is Outcome.CANCELLED:
            raise Cancelled
        if found.outcome is not Outcome.CONVERGED:
            raise ValueError(f"tariff {tariff.name} cannot be on the menu: {found.message}")
        combined[choice], equilibria[choice] = tariff, found
        worth[choice] = _worth_usd(aims, found)
    if not np.isfinite(worth).any():
        raise ValueError(f"no tariff of the menu has an objective: {aims.undefined(found) or 'none is feasible'}")
    return Menu(
        economy=economy,
        aims=aims,
        tariffs=tuple(tariffs),
        state=state,
        combined=combined,
        equilibria=equilibria,
        worth_usd=worth,
        labels=names,
    )


def _worth_usd(aims: LeaderSpec, found: Equilibrium) -> float:
    """The objective, less what a metered score would be docked for rates above the cap."""
    violation = aims.violation()
    excess = 0.0 if violation is None else max(float(violation(found).max()), 0.0)
    if excess <= CAP_TOLERANCE_USD_PER_KWH:
        return float(aims.objective()(found))
    reading = expected_reading(found)
    sales = reading.slot_hours * float(reading.weight @ reading.imported_kw.sum(axis=(1, 2)))
    return float(aims.objective()(found)) - PENALTY_PER_SALES * sales * excess


def _highest_rate(economy: Economy, tariff: Tariff) -> float:
    """Highest import rate of a tariff without pass-through. [USD/kWh]"""
    today = economy.common.today
    flat = rates(tariff, today, np.zeros((len(today), economy.slots)), 0.0)
    return float(flat.import_usd_per_kwh.max())


def _words(family: TariffFamily, parameters: Floats, varied: Sequence[int]) -> str:
    chosen = family.describe(parameters)
    energy, spread = (chosen[family.free[k]] for k in varied)
    return f"{100 * energy:.1f} ct, spread {spread:.2f}"


def _distinct(tariffs: Sequence[Tariff]) -> tuple[Tariff, ...]:
    """Tariffs without those that differ in nothing but their name from an earlier one."""
    kept: list[Tariff] = []
    for tariff in tariffs:
        if not any(same_numbers(tariff, other) for other in kept):
            kept.append(tariff)
    if not kept:
        raise ValueError("no tariff is left for the menu; give a menu of your own")
    return tuple(kept)
