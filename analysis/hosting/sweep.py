"""The sweep: at every level of adoption the households' equilibrium, and under it the feeder, placement by placement.

The whole population adopts, not the feeder's homes alone: prices, adders and what batteries do are those of the level.
Homes draw the mean of their type over shocks and states of charge, in every common state that occurs.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.analysis.hosting.adoption import Swept, present_shares, require_adoptable, scenario_at
from meanwatt.analysis.hosting.placements import MOST_HOMES, Homes, Incomes, place_homes, type_counts
from meanwatt.analysis.hosting.stress import MEASURES, worst_state
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.network.feeder import Feeder
from meanwatt.model.network.library.layout import tidy_tree
from meanwatt.model.network.power_flow import PowerFlow, VoltageLimits
from meanwatt.model.progress.watch import Progress, Watch
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.schema import Scenario

SOLVING: Final = 0.3
"""Share of the time of a level that its equilibrium is taken to need, for the progress shown."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HostingPlan:
    """What is swept.

    Attributes
    ----------
    feeder
        Whose limits are looked at.
    scenarios
        One for each tariff, by the name to show: the same but for the tariff selected.
    levels
        Of adoption, ascending from 0.
    placements
        How many random placements.
    key
        The run's 64-bit key.
    swept
        The technology that is adopted.
    incomes
        Where income groups live.
    threads
        For power flows; results do not depend on it.
    """

    __repr__ = short_repr

    feeder: Feeder
    scenarios: dict[str, Scenario]
    levels: tuple[float, ...]
    placements: int
    key: int
    swept: Swept = Swept.SOLAR
    incomes: Incomes = Incomes.MIXED
    threads: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be swept, in one line."""
        homes = int(self.feeder.customers.sum())
        if homes > MOST_HOMES:
            raise ValueError(
                f"feeder {self.feeder.name} has {homes} customers; homes are placed one by one, give a feeder of at"
                f" most {MOST_HOMES}"
            )
        for scenario in self.scenarios.values():
            require_adoptable(scenario, self.swept)

    @property
    def scenario(self) -> Scenario:
        """Any of the scenarios, for what they have in common."""
        return next(iter(self.scenarios.values()))

    @property
    def limits(self) -> VoltageLimits:
        """The voltage band."""
        return VoltageLimits(self.scenario.feeder.limits)

    @property
    def cells(self) -> list[tuple[str, int]]:
        """Tariffs and levels, in the order of the sweep: level by level, so that a run broken off compares them."""
        return [(name, level) for level in range(len(self.levels)) for name in self.scenarios]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cell:
    """One tariff at one level of adoption.

    Attributes
    ----------
    outcome, message
        How the equilibrium's solve ended.
    measured
        Worst state of the feeder by name of ``MEASURES``, (placement,) each; empty without an equilibrium.
    """

    __repr__ = short_repr

    tariff: str
    level: int
    outcome: Outcome
    message: str
    measured: dict[str, Floats]

    @property
    def known(self) -> bool:
        """Whether there is an equilibrium to judge the feeder by."""
        return bool(self.measured)


class Neighbourhood:
    """The homes of every placement, and a power flow for every thread."""

    def __init__(self, plan: HostingPlan) -> None:
        self._plan = plan
        self._own = threading.local()

    @cached_property
    def placements(self) -> list[Homes]:
        """All placements."""
        plan = self._plan
        share = present_shares(plan.scenario, plan.swept)[0]
        income = [group.income_usd_per_year for group in plan.scenario.income_groups.values()]
        poorest_first = np.argsort(income, kind="stable")
        away = tidy_tree(plan.feeder, along="impedance")[:, 0]
        place_of = {Incomes.MIXED: None, Incomes.FAR: away, Incomes.NEAR: -away}[plan.incomes]
        drawn = [
            place_homes(plan.feeder.customers, share[poorest_first], plan.key, number, place_of=place_of)
            for number in range(plan.placements)
        ]
        return [replace(homes, group=poorest_first[homes.group]) for homes in drawn]

    def measure(self, found: Equilibrium, placement: int) -> list[float]:
        """The worst state of the feeder in one placement under an equilibrium, in the order of ``MEASURES``."""
        if not hasattr(self._own, "flow"):
            self._own.flow = PowerFlow(self._plan.feeder)
        use_kw, net_load_kw = mean_loads(found)
        economy = found.economy
        buses = len(self._plan.feeder.buses)
        count = type_counts(self.placements[placement], economy.scenario, economy.types, buses)
        worst = worst_state(self._own.flow, use_kw @ count, net_load_kw @ count)
        return [getattr(worst, name) for name in MEASURES]


def sweep(plan: HostingPlan, done: Sequence[Cell] = (), watch: Watch | None = None) -> Iterator[Cell]:
    """Sweep adoption under every tariff; one cell after the other, in the order of the plan.

    Parameters
    ----------
    plan
        What is swept.
    done
        Cells that are known already: the first ones of the plan. They are not computed and not given again.
    watch
        Told how far the sweep is; raises ``Cancelled`` where it is asked to stop.
    """
    watch = watch or Watch()
    homes, cells = Neighbourhood(plan), plan.cells
    for number in range(len(done), len(cells)):
        name, level = cells[number]
        text = f"{name}, adoption {plan.levels[level]:.0%}"

        def told(share: float, *, text: str = text, number: int = number) -> None:
            watch.report(text, (number + share) / len(cells))

        told(0.0)
        found = _equilibrium(plan, name, plan.levels[level], watch, told)
        measured = _measured(plan, homes, found, watch, told) if found.outcome is Outcome.CONVERGED else {}
        yield Cell(tariff=name, level=level, outcome=found.outcome, message=found.message, measured=measured)


def mean_loads(found: Equilibrium) -> tuple[Floats, Floats]:
    """Mean use and net load of each type in every slot of the common states that occur, (slot, type) both. [kW]

    Slots that are alike for all types come once: they would give the same power flow.
    """
    occurs = found.economy.common.probability > 0
    use = np.stack(
        [
            (flow.frequency * response.outcome.use_kw).sum(axis=(2, 3))
            for flow, response in zip(found.answer.flows, found.answer.responses, strict=True)
        ]
    )
    rows = np.concatenate([one[:, occurs].reshape(len(use), -1).T for one in (use, found.type_net_load_kw)], axis=1)
    rows = np.unique(rows, axis=0)
    return rows[:, : len(use)], rows[:, len(use) :]


def _equilibrium(
    plan: HostingPlan, tariff: str, adoption: float, watch: Watch, told: Callable[[float], None]
) -> Equilibrium:
    """The households' equilibrium at a level of adoption, from scratch: it does not depend on what came before."""
    scenario = scenario_at(plan.scenarios[tariff], plan.swept, adoption)

    def progress(report: Progress) -> None:
        told(SOLVING * (report.fraction or 0.0))

    inner = Watch(progress=progress, cancelled=watch.cancelled)
    found = solve_equilibrium(build_economy(scenario), build_tariff(scenario), certify=False, watch=inner)
    watch.check()
    return found


def _measured(
    plan: HostingPlan, homes: Neighbourhood, found: Equilibrium, watch: Watch, told: Callable[[float], None]
) -> dict[str, Floats]:
    """The worst state of the feeder in every placement, by name of ``MEASURES``."""
    rows: list[list[float]] = []
    for row in _in_threads(lambda placement: homes.measure(found, placement), plan.placements, plan.threads):
        rows.append(row)
        told(SOLVING + (1 - SOLVING) * len(rows) / plan.placements)
        watch.check()
    return dict(zip(MEASURES, np.array(rows).T, strict=True))


def _in_threads(task: Callable[[int], list[float]], count: int, threads: int) -> Iterator[list[float]]:
    """Results of a task for 0, 1, …, in that order; what waits is dropped where the consumer stops."""
    if threads == 1:
        yield from map(task, range(count))
        return
    pool = ThreadPoolExecutor(threads)
    try:
        yield from pool.map(task, range(count))
    finally:
        pool.shutdown(cancel_futures=True)
