"""Checks of the finite market against the continuum: net load, states of charge, and what a deviator could gain.

The aggregate check takes the root mean square of L^N − L_mf(c) over slots, days and replications, where c is the
common state of the realised day types and L_mf the net load of the continuum with its exact shares. A market of N
households rounds the types' shares to whole households. That error is part of the RMS and matters below some thirty
households: it falls as 1/N. It is reported beside the RMS, and so is the scatter about the load that the rounded
shares would have in the continuum, which falls as N^(−1/2) from the first household on.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import numpy as np

from agents.arrays import Floats
from analysis.deviation import finite_exploitability_usd_per_day
from analysis.scaling import Scaling, power_slope, scaling
from model.economy import Economy
from model.market.market import ProsumerMarket
from model.market.population import Population, largest_remainder
from model.mean_field.equilibrium import Equilibrium
from model.mean_field.watch import Cancelled

CONNECT_SECONDS: Final = 10
OVERHEAD_HOUSEHOLDS: Final = 5_000
"""A day of the market takes about as long as this many households more; for the estimate of the time left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replication:
    """One simulated market against the continuum.

    Attributes
    ----------
    mean_square_kw2
        Mean square of L^N − L_mf over days and slots. [kW²]
    scatter_kw2
        The same with L_mf at the market's own, rounded shares. [kW²]
    wasserstein_soc_kwh
        Mean over midnights of the Wasserstein-1 distance between the states of charge of the households with a battery
        and the mean-field law; None if there is no such household. [kWh]
    """

    mean_square_kw2: float
    scatter_kw2: float
    wasserstein_soc_kwh: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Validation:
    """The checks for several numbers of households; entries are by number of households.

    Attributes
    ----------
    households
        Numbers N, ascending.
    load : Scaling
        RMS of the net load error [kW], its slope and floor.
    scatter : Scaling
        The same without the error of rounding the types.
    wasserstein_soc_kwh
        Mean over replications; None without batteries.
    exploitability_usd_per_household_day
        Exact ε_N; None where the supply curve is not affine.
    exploitability_slope
        Of |ε_N − ε_∞| over N; None where the sign of the difference changes.
    composition_error_kw
        RMS error of the mean-field load with the shares rounded to whole households.
    """

    households: tuple[int, ...]
    load: Scaling
    scatter: Scaling
    wasserstein_soc_kwh: tuple[float | None, ...]
    exploitability_usd_per_household_day: tuple[float | None, ...]
    exploitability_slope: float | None
    composition_error_kw: tuple[float, ...]


Tell = Callable[[str, float], None]
"""Takes what is being done and the share done."""


def validate(
    equilibrium: Equilibrium,
    *,
    households: Sequence[int],
    replications: int,
    seed: int,
    days: int = 28,
    scheduler: str | None = None,
    told: Tell | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Validation:
    """Run the checks.

    Parameters
    ----------
    equilibrium
        What the households play, and what the market is compared with.
    households
        Numbers N.
    replications
        Markets of each size; replication r has the key (seed, r) whatever its size.
    days
        Days of each market.
    scheduler
        Address of a running dask scheduler; without it replications run one after the other here. Results are equal.
    told, cancelled
        Progress, and a request to stop.

    Raises
    ------
    Cancelled
        If asked to stop.
    ValueError
        If the scheduler cannot be reached.
    """
    sizes = tuple(sorted(set(households)))
    tasks = [(count, (seed, r)) for count in sizes for r in range(replications)]
    run = _run_here if scheduler is None else _run_on(scheduler)
    found: dict[tuple[int, tuple[int, int]], Replication] = {}
    work = float(sum(count + OVERHEAD_HOUSEHOLDS for count, _ in tasks))
    done = 0.0
    for task, result in run(equilibrium, tasks, days, cancelled):
        found[task] = result
        done += (task[0] + OVERHEAD_HOUSEHOLDS) / work
        if told is not None:
            told(f"{len(found)} of {len(tasks)} markets", min(done, 1.0))
    by_size = [[found[count, (seed, r)] for r in range(replications)] for count in sizes]
    numbers = np.array(sizes, dtype=np.float64)
    exploitability = _exploitability(equilibrium, sizes, cancelled)

    def fitted(name: str) -> Scaling:
        return scaling(numbers, np.array([[getattr(r, name) for r in row] for row in by_size]), seed=seed)

    return Validation(
        households=sizes,
        load=fitted("mean_square_kw2"),
        scatter=fitted("scatter_kw2"),
        wasserstein_soc_kwh=tuple(_mean([r.wasserstein_soc_kwh for r in row]) for row in by_size),
        exploitability_usd_per_household_day=exploitability or (None,) * len(sizes),
        exploitability_slope=_exploitability_slope(equilibrium, numbers, exploitability),
        composition_error_kw=tuple(composition_error_kw(equilibrium, count) for count in sizes),
    )


def replicate(equilibrium: Equilibrium, households: int, key: tuple[int, int], days: int) -> Replication:
    """Simulate one market without a feeder and measure how far it strays from the continuum."""
    market = ProsumerMarket(equilibrium.economy, households=households, policies=equilibrium, rng=key, power_flow=False)
    law = midnight_levels(equilibrium)
    own_load_kw = np.tensordot(market.population.count / households, equilibrium.type_net_load_kw, axes=1)
    squares, scatter, distances = [], [], []
    try:
        for _ in range(days):
            market.step()
            record = market.history[-1]
            c = record.common_state
            squares.append(np.mean((record.net_load_kw - equilibrium.net_load_kw[c]) ** 2))
            scatter.append(np.mean((record.net_load_kw - own_load_kw[c]) ** 2))
            if law is not None:
                distances.append(_distance_kwh(equilibrium.economy, market.population, law[c]))
    finally:
        market.close()
    return Replication(
        mean_square_kw2=float(np.mean(squares)),
        scatter_kw2=float(np.mean(scatter)),
        wasserstein_soc_kwh=_mean(distances),
    )


def midnight_levels(equilibrium: Equilibrium) -> Floats | None:
    """Law of the state of charge at the end of the day in each common state, over all households with a battery.

    Returns
    -------
    (c, level) float, or None
        Rows sum to one; None without batteries. All batteries of a scenario are of one make.
    """
    total: Floats | None = None
    owners = 0.0
    for household, policy, law in zip(equilibrium.economy.types, equilibrium.policies, equilibrium.laws, strict=True):
        if household.battery is None:
            continue
        chance = (law[:, -1, :, :, None] * policy.probability[:, -1]).sum(axis=2)
        after = np.zeros(chance.shape[:2])
        for j, move in enumerate(policy.moves.tolist()):
            stay = slice(max(0, -move), min(household.levels, household.levels - move))
            after[:, stay.start + move : stay.stop + move] += chance[:, stay, j]
        total = household.share * after if total is None else total + household.share * after
        owners += household.share
    return None if total is None else total / owners


def composition_error_kw(equilibrium: Equilibrium, households: int) -> float:
    """RMS over common states and slots of the mean-field load with whole households less that with exact shares."""
    economy = equilibrium.economy
    share = economy.type_share
    rounded = largest_remainder(share, households) / households
    error_kw = np.tensordot(rounded - share, equilibrium.type_net_load_kw, axes=1)
    return float(np.sqrt(economy.common.probability @ (error_kw**2).mean(axis=1)))


def _distance_kwh(economy: Economy, people: Population, law: Floats) -> float | None:
    """Wasserstein-1 distance between the batteries' levels now and a law (level,): ΔE Σ |F_N − F|."""
    counts = np.zeros(len(law))
    level_kwh = 0.0
    for kind, household in enumerate(economy.types):
        if household.battery is not None:
            counts += people.count[kind] * people.level_law(kind, household.levels)
            level_kwh = household.battery.level_kwh
    if counts.sum() == 0:
        return None
    return float(level_kwh * np.abs(np.cumsum(counts / counts.sum() - law)).sum())


def _exploitability(
    equilibrium: Equilibrium, sizes: Sequence[int], cancelled: Callable[[], bool] | None
) -> tuple[float | None, ...] | None:
    """ε_N for every size; None where the supply curve is not affine."""
    if not equilibrium.economy.supply.is_affine:
        return None
    values = []
    for count in sizes:
        if cancelled is not None and cancelled():
            raise Cancelled
        values.append(finite_exploitability_usd_per_day(equilibrium, count))
    return tuple(values)


def _exploitability_slope(
    equilibrium: Equilibrium, households: Floats, values: tuple[float | None, ...] | None
) -> float | None:
    """Slope of |ε_N − ε_∞|, both by the same computation; differences of rounding size do not count."""
    if values is None:
        return None
    limit = finite_exploitability_usd_per_day(equilibrium, np.inf)
    error = np.array(values, dtype=np.float64) - limit
    error[np.abs(error) < 1e-12] = 0.0
    return power_slope(households, error)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


Task = tuple[int, tuple[int, int]]
Results = Iterator[tuple[Task, Replication]]


def _run_here(
    equilibrium: Equilibrium, tasks: Sequence[Task], days: int, cancelled: Callable[[], bool] | None
) -> Results:
    for count, key in tasks:
        if cancelled is not None and cancelled():
            raise Cancelled
        yield (count, key), replicate(equilibrium, count, key, days)


def _run_on(address: str) -> Callable[..., Results]:
    """Run on the workers of a dask scheduler; the equilibrium travels to each of them once."""
    distributed: Any = import_module("dask.distributed")
    _require_scheduler(address)

    def run(
        equilibrium: Equilibrium, tasks: Sequence[Task], days: int, cancelled: Callable[[], bool] | None
    ) -> Results:
        with distributed.Client(address) as client:
            if not client.nthreads():
                raise ValueError(f"--scheduler {address}: has no workers; start some with dask worker {address}")
            there = client.scatter(equilibrium, broadcast=True)
            futures: dict[Any, Task] = {
                client.submit(replicate, there, count, key, days, pure=False): (count, key) for count, key in tasks
            }
            for future in distributed.as_completed(list(futures)):
                if cancelled is not None and cancelled():
                    client.cancel(list(futures))
                    raise Cancelled
                yield futures[future], future.result()

    return run


def _require_scheduler(address: str) -> None:
    """Raise ``ValueError`` unless somebody listens there; a client that fails to connect lingers for long."""
    core: Any = import_module("distributed.core")

    async def knock() -> None:
        comm = await core.connect(address, timeout=CONNECT_SECONDS)
        await comm.close()

    try:
        asyncio.run(knock())
    except (OSError, ValueError) as error:
        raise ValueError(
            f"--scheduler {address}: cannot be reached ({error}); start one with dask scheduler,"
            " and give its address, e.g. tcp://localhost:8786"
        ) from None
