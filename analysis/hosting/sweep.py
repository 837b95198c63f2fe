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

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.analysis.hosting.adoption import Swept, present_shares, require_adoptable, scenario_at, tariff_among
from meanwatt.analysis.hosting.placements import (
    MOST_HOMES,
    Homes,
    Incomes,
    place_homes,
    place_listed_homes,
    type_counts,
)
from meanwatt.analysis.hosting.stress import (
    CURVED_MEASURES,
    ENVELOPE_MEASURES,
    MEASURES,
    PHASED_MEASURES,
    worst_by_phase,
    worst_state,
    worst_state_with_curves,
)
from meanwatt.analysis.metrics.bus_loads import type_use_kw
from meanwatt.model.market.grid_phases import zero_sequence_rule
from meanwatt.model.market.market_inverters import inverter_control, roofs_of
from meanwatt.model.mean_field.envelope_outcome import curtailed_kwh_by_type
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.network.feeder import Feeder
from meanwatt.model.network.inverter_curves import InverterControl
from meanwatt.model.network.located_economy import build_located_economy
from meanwatt.model.network.phase_flow import PhaseFlow
from meanwatt.model.network.phase_homes import customers_by_phase, phase_share
from meanwatt.model.network.power_flow import PowerFlow, VoltageLimits
from meanwatt.model.network.residents import Residents, place_along, place_residents, places_of_buses
from meanwatt.model.progress.watch import Progress, Watch
from meanwatt.model.scenario.economy import build_economy
from meanwatt.model.scenario.residents_table import MIXED
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
        One for each tariff, by the name to show: the same but for the tariffs and rate classes in force.
    levels
        Of adoption, ascending from 0.
    placements
        How many random placements.
    key
        The run's 64-bit key.
    swept
        The technology that is adopted.
    incomes
        Where income groups live, in the place of what the scenario's ``feeder.residents`` says.
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
    incomes: Incomes | None = None
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
        if self.homes_by_phase is not None:
            PhaseFlow(self.feeder, zero_sequence_rule(self.scenario.feeder))

    @property
    def scenario(self) -> Scenario:
        """Any of the scenarios, for what they have in common."""
        return next(iter(self.scenarios.values()))

    @property
    def residence(self) -> str:
        """Where income groups live: a pattern, or ``file`` for where the scenario's file says."""
        table = self.scenario.feeder.residents
        if self.incomes is not None:
            return self.incomes.value
        return table.incomes if table.file is None else "file"

    @property
    def limits(self) -> VoltageLimits:
        """The voltage band."""
        return VoltageLimits(self.scenario.feeder.limits)

    @property
    def control(self) -> InverterControl | None:
        """The inverters' curves; None where the scenario asks for none."""
        return inverter_control(self.scenario.feeder)

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of what is measured: without the curves, and with them where there are any."""
        curved = () if self.control is None else CURVED_MEASURES
        phased = () if self.homes_by_phase is None else PHASED_MEASURES
        return (*MEASURES, *curved, *phased, *(ENVELOPE_MEASURES if self.scenario.feeder.envelopes else ()))

    @property
    def homes_by_phase(self) -> Ints | None:
        """Homes of every bus on phase a, b, c and on all three, (bus, 4); None where they draw from all alike."""
        table = self.scenario.feeder
        return customers_by_phase(self.feeder, table.phase_seed) if table.phases == "one" else None

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
        Worst state of the feeder by name of the plan's ``measures``, (placement,) each; empty without an equilibrium.
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


def residents_listed(plan: HostingPlan) -> tuple[Residents, tuple[HouseholdType, ...]]:
    """Where the scenario's household types of today live by its file, and these types."""
    types = build_economy(plan.scenario, on_branches=True).types
    return place_residents(plan.scenario, types, plan.feeder), types


class Neighbourhood:
    """The homes of every placement, and a power flow for every thread."""

    def __init__(self, plan: HostingPlan) -> None:
        self._plan = plan
        self._own = threading.local()
        homes = plan.homes_by_phase
        self._share = None if homes is None else phase_share(homes)
        self._places = places_of_buses(plan.scenario, plan.feeder)

    @cached_property
    def placements(self) -> list[Homes]:
        """All placements."""
        plan = self._plan
        share = present_shares(plan.scenario, plan.swept)[0]
        if plan.residence == "file":
            return self._listed(share)
        table = plan.scenario.feeder.residents
        income = [group.income_usd_per_year for group in plan.scenario.income_groups.values()]
        poorest_first = np.argsort(income, kind="stable")
        place_of, sunny_of = (
            None if pattern == MIXED else place_along(plan.feeder, table, pattern)
            for pattern in (plan.residence, table.adoption)
        )
        drawn = [
            place_homes(
                plan.feeder.customers,
                share[poorest_first],
                plan.key,
                number,
                place_of=place_of,
                sunny_of=sunny_of,
            )
            for number in range(plan.placements)
        ]
        return [replace(homes, group=poorest_first[homes.group]) for homes in drawn]

    def _listed(self, share: Floats) -> list[Homes]:
        """Placements of homes that live where the scenario's file says."""
        plan = self._plan
        residents, types = residents_listed(plan)
        at = np.zeros((2, len(share), len(plan.feeder.buses)))  # of all homes, and of those with solar
        for own, row in zip(types, residents.share, strict=True):
            at[:, own.group] += np.outer([1.0, own.pv_installed_kw > 0], own.share * row)
        solar = np.divide(at[1], at[0], out=np.zeros_like(at[1]), where=at[0] > 0)
        homes = int(plan.feeder.customers.sum())
        return [place_listed_homes(at[0], solar, share, homes, plan.key, number) for number in range(plan.placements)]

    def measure(self, found: Equilibrium, placement: int, curtailed: Floats | None) -> list[float]:
        """What is measured in one placement under an equilibrium, in the order of the plan's ``measures``.

        ``curtailed`` (2, type) is what a home of each type curtails a day, at its limit and for its price. [kWh]
        """
        if not hasattr(self._own, "flow"):
            self._own.flow = PowerFlow(self._plan.feeder)
        use_kw, net_load_kw = mean_loads(found)
        economy = found.economy
        buses = len(self._plan.feeder.buses)
        count = type_counts(self.placements[placement], economy.scenario, economy.types, buses, self._places)
        worst = worst_state(self._own.flow, use_kw @ count, net_load_kw @ count)
        row = [getattr(worst, name) for name in MEASURES]
        if self._plan.control is not None:
            row += self._with_curves(found, count, self._plan.control)
        if self._share is not None:
            if not hasattr(self._own, "by_phase"):
                rule = zero_sequence_rule(self._plan.scenario.feeder)
                self._own.by_phase = PhaseFlow(self._plan.feeder, rule)
            phases, uneven = worst_by_phase(self._own.by_phase, use_kw @ count, net_load_kw @ count, self._share)
            row += [*(getattr(phases, name) for name in MEASURES), uneven]
        if curtailed is not None:
            row += (curtailed @ count.sum(axis=1) / count.sum()).tolist()
        return row

    def _with_curves(self, found: Equilibrium, count: Floats, control: InverterControl) -> list[float]:
        """The same with inverters' curves in force, in the order of ``CURVED_MEASURES``."""
        economy, loads = found.economy, solar_loads(found)
        roofs = roofs_of(economy.types, count.astype(np.int64))
        units = roofs.units(loads.sun_kw[:, roofs.type_index] * roofs.homes, 1.0, 1.0)
        worst, held_kw = worst_state_with_curves(
            self._own.flow, loads.use_kw @ count, loads.net_load_kw @ count, units, control
        )
        held_kwh = float(loads.hours_per_day @ held_kw)
        return [*(getattr(worst, name) for name in MEASURES), held_kwh / float(count.sum())]


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
    occurs, use = found.economy.common.probability > 0, type_use_kw(found)
    rows = np.concatenate([one[:, occurs].reshape(len(use), -1).T for one in (use, found.type_net_load_kw)], axis=1)
    rows = np.unique(rows, axis=0)
    return rows[:, : len(use)], rows[:, len(use) :]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SolarLoads:
    """Loads and sun of every slot of the common states that occur.

    Attributes
    ----------
    use_kw, net_load_kw, sun_kw : (slot, type)
        Mean use, net load, and solar output less what is not used for its price. [kW]
    hours_per_day : (slot,)
        How long such a slot lasts in an expected day. [h]
    """

    use_kw: Floats
    net_load_kw: Floats
    sun_kw: Floats
    hours_per_day: Floats


def solar_loads(found: Equilibrium) -> SolarLoads:
    """Mean loads of each type with what its panels feed in; slots that are alike for all types come once."""
    economy, use = found.economy, type_use_kw(found)
    sun = np.stack([household.pv_kw for household in economy.types])
    for own, flow, response in zip(sun, found.answer.flows, found.answer.responses, strict=True):
        if response.outcome.curtailed_kw is not None:
            own -= (flow.frequency * response.outcome.curtailed_kw).sum(axis=(2, 3))
    occurs = economy.common.probability > 0
    parts = (use, found.type_net_load_kw, np.maximum(sun, 0.0))
    rows = np.concatenate([one[:, occurs].reshape(len(use), -1).T for one in parts], axis=1)
    rows, place = np.unique(rows, axis=0, return_inverse=True)
    hours = np.repeat(economy.common.probability[occurs] * economy.slot_hours, use.shape[2])
    use_kw, net_load_kw, sun_kw = np.split(rows, 3, axis=1)
    return SolarLoads(
        use_kw=use_kw,
        net_load_kw=net_load_kw,
        sun_kw=sun_kw,
        hours_per_day=np.asarray(np.bincount(place.ravel(), weights=hours, minlength=len(rows)), dtype=float),
    )


def _equilibrium(
    plan: HostingPlan, tariff: str, adoption: float, watch: Watch, told: Callable[[float], None]
) -> Equilibrium:
    """The households' equilibrium at a level of adoption, from scratch: it does not depend on what came before."""
    posted = plan.scenarios[tariff]
    economy = build_located_economy(scenario_at(posted, plan.swept, adoption))

    def progress(report: Progress) -> None:
        told(SOLVING * (report.fraction or 0.0))

    inner = Watch(progress=progress, cancelled=watch.cancelled)
    found = solve_equilibrium(economy, tariff_among(posted, economy.types), certify=False, watch=inner)
    watch.check()
    return found


def _measured(
    plan: HostingPlan, homes: Neighbourhood, found: Equilibrium, watch: Watch, told: Callable[[float], None]
) -> dict[str, Floats]:
    """The worst state of the feeder in every placement, by name of the plan's ``measures``."""
    rows: list[list[float]] = []
    curtailed = None
    if plan.scenario.feeder.envelopes:
        curtailed = curtailed_kwh_by_type(found.economy, found.tariff, found.answer)
    for row in _in_threads(lambda placement: homes.measure(found, placement, curtailed), plan.placements, plan.threads):
        rows.append(row)
        told(SOLVING + (1 - SOLVING) * len(rows) / plan.placements)
        watch.check()
    return dict(zip(plan.measures, np.array(rows).T, strict=True))


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
