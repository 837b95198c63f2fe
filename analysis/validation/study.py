"""All checks of the finite market against the continuum, for several numbers of households.

The aggregate check takes the root mean square of L^N − L_mf(c) over slots, days and replications, where c is the
common state of the realised day types and L_mf the net load of the continuum with its exact shares.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.validation.by_class import class_loads
from meanwatt.analysis.validation.criteria import CHECKS, judge
from meanwatt.analysis.validation.expected import effective_households, expected_scatter_kw2, expected_wasserstein_kwh
from meanwatt.analysis.validation.exploitability import exploitability
from meanwatt.analysis.validation.leader import leader_loss
from meanwatt.analysis.validation.learners import check_learners
from meanwatt.analysis.validation.replication import Replication, composition_error_kw, mean_of_known
from meanwatt.analysis.validation.result import GridCheck, MemoryFloor, PhaseCheck, Validation
from meanwatt.analysis.validation.runs import Results, Runner, Task, runner
from meanwatt.analysis.validation.sample import Sample
from meanwatt.analysis.validation.scaling import Interval, Scaling, falling, pooled_ratio, root, scaling
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.network.located_economy import build_located_economy
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.loading import load_scenario

LEADER_HOUSEHOLDS: Final = (100, 1000)
"""Sizes of the markets in which the leader's best tariff is searched."""
LEADER_REPLICATIONS: Final = 6
"""Most markets in which each of its tariffs is tried."""
LEARNER_HOUSEHOLDS: Final = 1000
LEARNER_REPLICATIONS: Final = 5
LEARNER_DAYS: Final = 4
"""Learners live this many times as long as the other markets."""
HOUSEHOLD_DAYS_PER_SECOND: Final = 7e6
"""For the estimate of the time left."""

Rows = list[list[Replication]]
"""Replications by number of households."""


def validate(
    equilibrium: Equilibrium,
    sample: Sample,
    *,
    checks: Collection[str] = CHECKS,
    memory: Sequence[int] = (),
    scheduler: str | None = None,
    run: Runner | None = None,
    watch: Watch | None = None,
) -> Validation:
    """Run the checks.

    Parameters
    ----------
    equilibrium
        What the households play, and what the market is compared with.
    sample
        Markets to simulate. The checks of emergence and of the leader have sizes of their own.
    checks
        Which of `meanwatt.analysis.validation.criteria.CHECKS`; net load and states of charge are measured in any case.
    memory
        Closures to measure the floor of the net load's error with, besides.
    scheduler
        Address of a running dask scheduler; without it replications run here, in processes where that pays. Results
        are equal.
    run
        How to run the replications, in place of that choice.
    watch
        Progress, and a request to stop.

    Raises
    ------
    Cancelled
        If asked to stop.
    ValueError
        If the scheduler cannot be reached.
    """
    watch = watch or Watch()
    sample = replace(sample, households=tuple(sorted(set(sample.households))))
    others = [m for m in dict.fromkeys(memory) if m != equilibrium.economy.scenario.memory]
    law_of = {equilibrium.economy.scenario.memory: 0, **{m: law for law, m in enumerate(others, start=1)}}
    tasks = _tasks(sample, len(law_of), power_flow="grid" in checks)
    run = runner(scheduler, tasks) if run is None else run
    progress = _Progress(watch, _weights(equilibrium, tasks, checks, sample))
    worlds = [equilibrium, *(_with_memory(equilibrium, m, watch) for m in others)]
    by_law = _by_law(sample, tasks, run(worlds, tasks, watch.cancelled), progress)
    singles = _single_checks(equilibrium, sample, checks, progress)
    result = _measured(equilibrium, sample, by_law[0])
    result = replace(
        result,
        grid=_grid(sample, by_law[0]) if "grid" in checks else None,
        phases=_phases(sample, by_law[0]) if "grid" in checks else None,
        memory=tuple(_memory_floor(m, worlds[law_of[m]], sample, by_law[law_of[m]]) for m in dict.fromkeys(memory)),
        **singles,
    )
    progress("end", "done", 1.0)
    return replace(result, findings=judge(result, checks))


def _tasks(sample: Sample, laws: int, *, power_flow: bool) -> list[Task]:
    """Every market of a sample, under each of the equilibria; a feeder carries those of the first alone."""
    return [
        Task(law=law, households=count, key=(sample.seed, r), days=sample.days, power_flow=power_flow and law == 0)
        for law in range(laws)
        for count in sample.households
        for r in range(sample.replications)
    ]


def _by_law(sample: Sample, tasks: Sequence[Task], results: Results, progress: "_Progress") -> list[Rows]:
    """Wait for the results; the replications of every size, under each equilibrium."""
    found: dict[Task, Replication] = {}
    work, done = sum(task.work for task in tasks), 0.0
    for task, one in results:
        found[task] = one
        done += task.work
        progress("markets", f"{len(found)} of {counted(len(tasks), 'market')}", min(done / work, 1.0))
    return [
        [[found[task] for task in tasks if (task.law, task.households) == (law, count)] for count in sample.households]
        for law in range(1 + max(task.law for task in tasks))
    ]


def _single_checks(
    equilibrium: Equilibrium, sample: Sample, checks: Collection[str], progress: "_Progress"
) -> dict[str, Any]:
    """Checks that simulate markets of their own or none, by field of a ``Validation``."""
    found: dict[str, Any] = {}
    if "exploitability" in checks:
        found["exploit"] = exploitability(equilibrium, sample.households, watch=progress.of("exploitability"))
    if "emergence" in checks:
        found["learners"] = check_learners(
            equilibrium,
            households=LEARNER_HOUSEHOLDS,
            replications=min(sample.replications, LEARNER_REPLICATIONS),
            seed=sample.seed,
            days=LEARNER_DAYS * sample.days,
            watch=progress.of("emergence"),
        )
    if "leader" in checks:
        few = min(sample.replications, LEADER_REPLICATIONS)
        with suppress(ValueError):  # no tariff of the family has an equilibrium: nothing to compare
            found["leader"] = leader_loss(
                equilibrium,
                replace(sample, households=LEADER_HOUSEHOLDS, replications=few),
                watch=progress.of("leader"),
            )
    return found


def _measured(equilibrium: Equilibrium, sample: Sample, rows: Rows) -> Validation:
    """What the markets show against the continuum: net load and states of charge."""
    sizes, seed = tuple(sample.households), sample.seed
    expected = np.array([expected_scatter_kw2(equilibrium, count) for count in sizes])
    measured = np.array([[r.scatter_kw2 for r in row] for row in rows])
    known = [k for k, row in enumerate(rows) if all(r.wasserstein_soc_kwh is not None for r in row)]
    distance = np.array([[r.wasserstein_soc_kwh for r in rows[k]] for k in known], dtype=float)
    apart = tuple(expected_wasserstein_kwh(equilibrium, sizes[k]) for k in known)
    theory = np.array(apart, dtype=float)
    return Validation(
        households=sizes,
        replications=sample.replications,
        days=sample.days,
        day_types=len(equilibrium.economy.common.day_types),
        mean_load_kw=float(equilibrium.economy.common.probability @ np.abs(equilibrium.net_load_kw).mean(axis=1)),
        load=_scaling(_numbers(sizes), rows, "mean_square_kw2", seed),
        scatter=_scaling(_effective(equilibrium, sizes), rows, "scatter_kw2", seed),
        expected_scatter_kw=tuple(np.sqrt(expected).tolist()),
        load_ratio=root(pooled_ratio(measured, expected, seed=seed)),
        wasserstein_soc_kwh=tuple(mean_of_known([r.wasserstein_soc_kwh for r in row]) for row in rows),
        wasserstein=falling(1.0 / theory**2, distance, seed=seed) if known else None,
        wasserstein_households=tuple(sizes[k] for k in known),
        expected_wasserstein_kwh=tuple(apart[known.index(k)] if k in known else None for k in range(len(sizes))),
        wasserstein_ratio=pooled_ratio(distance, theory, seed=seed) if known else Interval(value=None),
        composition_error_kw=tuple(composition_error_kw(equilibrium, count) for count in sizes),
        by_replication=_columns(sizes, rows),
        classes=class_loads(equilibrium, sizes, rows, seed),
    )


def _numbers(sizes: Sequence[int]) -> Floats:
    return np.array(sizes, dtype=np.float64)


def _effective(equilibrium: Equilibrium, sizes: Sequence[int]) -> Floats:
    return np.array([effective_households(equilibrium, count) for count in sizes])


def _scaling(numbers: Floats, rows: Rows, name: str, seed: int) -> Scaling:
    return scaling(numbers, np.array([[getattr(r, name) for r in row] for row in rows]), seed=seed)


def _grid(sample: Sample, rows: Rows) -> GridCheck | None:
    """None where a market found no state of its feeder in any slot."""
    errors = [[r.grid for r in row if r.grid is not None and np.isfinite(r.grid.voltage_pu2)] for row in rows]
    if any(len(known) < len(row) for known, row in zip(errors, rows, strict=True)):
        return None

    def fitted(name: str) -> Scaling:
        squares = np.array([[getattr(e, name) for e in row] for row in errors])
        return scaling(_numbers(sample.households), squares, seed=sample.seed)

    return GridCheck(
        voltage=fitted("voltage_pu2"),
        loading=fitted("loading2"),
        loss=fitted("loss_kw2"),
        unsolved=float(np.mean([e.unsolved for row in errors for e in row])),
    )


def _phases(sample: Sample, rows: Rows) -> PhaseCheck | None:
    """None where homes draw from all phases alike, or a market found no state by phase in any slot."""
    errors = [[r.phases for r in row if r.phases is not None and np.isfinite(r.phases.voltage_pu2)] for row in rows]
    if any(len(known) < len(row) for known, row in zip(errors, rows, strict=True)):
        return None

    def fitted(name: str) -> Scaling:
        squares = np.array([[getattr(e, name) for e in row] for row in errors])
        return scaling(_numbers(sample.households), squares, seed=sample.seed)

    return PhaseCheck(
        voltage=fitted("voltage_pu2"),
        unbalance=fitted("unbalance_percent2"),
        unsolved=float(np.mean([e.unsolved for row in errors for e in row])),
    )


def _memory_floor(memory: int, world: Equilibrium, sample: Sample, rows: Rows) -> MemoryFloor:
    sizes, seed = sample.households, sample.seed
    expected = np.array([expected_scatter_kw2(world, count) for count in sizes])
    largest = np.array([[r.scatter_kw2 for r in rows[-1]]])
    return MemoryFloor(
        memory=memory,
        common_states=len(world.economy.common.probability),
        scatter=_scaling(_effective(world, sizes), rows, "scatter_kw2", seed),
        expected_kw=tuple(np.sqrt(expected).tolist()),
        ratio=root(pooled_ratio(largest, expected[-1:], seed=seed)),
        closure_error_kw=world.closure_error_kw,
    )


def _with_memory(equilibrium: Equilibrium, memory: int, watch: Watch) -> Equilibrium:
    """The equilibrium of the same scenario and tariff with another memory."""
    economy = build_located_economy(load_scenario(equilibrium.economy.scenario, overrides={"memory": memory}))
    found = solve_equilibrium(economy, equilibrium.tariff, certify=False, watch=watch.silent())
    watch.check()
    return found


def _columns(sizes: Sequence[int], rows: Rows) -> dict[str, list[Any]]:
    """Every market simulated, a row each."""
    pairs = [(count, r, one) for count, row in zip(sizes, rows, strict=True) for r, one in enumerate(row)]
    return {
        "households": [count for count, _, _ in pairs],
        "replication": [r for _, r, _ in pairs],
        "mean_square_kw2": [one.mean_square_kw2 for *_, one in pairs],
        "scatter_kw2": [one.scatter_kw2 for *_, one in pairs],
        "wasserstein_soc_kwh": [one.wasserstein_soc_kwh for *_, one in pairs],
        **{
            name: [None if one.grid is None else getattr(one.grid, name) for *_, one in pairs]
            for name in ("voltage_pu2", "loading2", "loss_kw2", "unsolved")
        },
    }


def _weights(
    equilibrium: Equilibrium, tasks: Sequence[Task], checks: Collection[str], sample: Sample
) -> dict[str, float]:
    """Rough seconds of each part of the work."""
    replications, days = sample.replications, sample.days
    cells = float(equilibrium.net_load_kw.size * len(equilibrium.economy.types))
    seconds = {
        "markets": sum(task.work for task in tasks) / HOUSEHOLD_DAYS_PER_SECOND,
        "exploitability": 1.0 + 4e-3 * cells,
        "emergence": 0.003 * min(replications, LEARNER_REPLICATIONS) * LEARNER_DAYS * days,
        "leader": 4.0 + 0.04 * cells + 0.02 * min(replications, LEADER_REPLICATIONS) * days,
    }
    return {name: value for name, value in seconds.items() if name == "markets" or name in checks}


class _Progress:
    """One share done for all parts of the work, which never falls."""

    def __init__(self, watch: Watch, weights: dict[str, float]) -> None:
        self._watch, self._weights = watch, weights
        self._last = 0.0

    def __call__(self, part: str, text: str, share: float) -> None:
        names, total = list(self._weights), sum(self._weights.values())
        before = names.index(part) if part in names else len(names)
        done = sum(self._weights[name] for name in names[:before]) + self._weights.get(part, 0.0) * share
        self._last = max(self._last, min(done / total, 1.0))
        self._watch.report(text, self._last)

    def of(self, part: str) -> Watch:
        """Watch over one part of the work."""
        return Watch(
            progress=lambda report: self(part, report.stage, report.fraction or 0.0), cancelled=self._watch.cancelled
        )
