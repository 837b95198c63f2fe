"""One simulated market against the continuum: net load, states of charge, and the feeder.

A market of N households rounds the types' shares to whole households. That error is part of the net load's and matters
below some thirty households: it falls as 1/N. It is reported beside it, and so is the scatter about the load that the
rounded shares would have in the continuum, which falls as N^(−1/2) from the first household on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np

from meanwatt.agents.household.battery import Battery
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.analysis.validation.grid import GridError, MeanFieldGrid
from meanwatt.analysis.validation.phase_grid import MeanFieldPhases, PhaseError
from meanwatt.model.market.apportionment import largest_remainder
from meanwatt.model.market.market import UnregisteredMarket
from meanwatt.model.market.population import Population
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.scenario.economy import Economy


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
    grid
        Mean square errors of the feeder's state; None in a market without power flow.
    phases
        The same by phase; None where homes draw from all phases alike.
    class_scatter_kw2
        ``scatter_kw2`` of the households of each rate class alone, per household of it, nan of a class without any;
        empty where one tariff holds for all. (class,) [kW²]
    """

    mean_square_kw2: float
    scatter_kw2: float
    wasserstein_soc_kwh: float | None
    grid: GridError | None = None
    phases: PhaseError | None = None
    class_scatter_kw2: tuple[float, ...] = ()


def replicate(
    equilibrium: Equilibrium, households: int, key: tuple[int, int], days: int, *, power_flow: bool = False
) -> Replication:
    """Simulate one market and measure how far it strays from the continuum: a pure function of its arguments."""
    market = UnregisteredMarket(
        equilibrium.economy, households=households, policies=equilibrium, rng=key, power_flow=power_flow
    )
    continuum = _CONTINUUM.get(equilibrium)
    if continuum is None:
        continuum = _CONTINUUM.setdefault(equilibrium, _Continuum(equilibrium))
    law = continuum.law
    grid = continuum.grid(equilibrium) if power_flow else None
    phases = continuum.phases(equilibrium) if market.phases is not None else None
    own_load_kw = np.tensordot(market.population.count / households, equilibrium.type_net_load_kw, axes=1)
    weight = class_weights(equilibrium, market.population.count)
    squares, scatter, by_class, distances, on_feeder, by_phase = [], [], [], [], [], []
    try:
        for _ in range(days):
            market.step()
            record = market.last_record
            c = record.common_state
            squares.append(np.mean((record.net_load_kw - equilibrium.net_load_kw[c]) ** 2))
            scatter.append(np.mean((record.net_load_kw - own_load_kw[c]) ** 2))
            apart = np.nan_to_num(record.type_net_load_kw) - equilibrium.type_net_load_kw[:, c]
            by_class.append(((weight @ apart) ** 2).mean(axis=1))
            if law is not None:
                distances.append(_distance_kwh(continuum.owners, market.population, law[c]))
            if grid is not None and record.grid is not None:
                on_feeder.append(grid.error(record.grid, c))
                if phases is not None and record.grid.phases is not None:
                    by_phase.append(phases.error(record.grid.phases, c))
    finally:
        market.close()
    return Replication(
        mean_square_kw2=float(np.mean(squares)),
        scatter_kw2=float(np.mean(scatter)),
        wasserstein_soc_kwh=mean_of_known(distances),
        grid=GridError.mean(on_feeder) if on_feeder else None,
        phases=PhaseError.mean(by_phase) if by_phase else None,
        class_scatter_kw2=tuple(np.mean(by_class, axis=0).tolist()),
    )


def class_weights(equilibrium: Equilibrium, count: Ints) -> Floats:
    """Share of each type among the households of every rate class, nan of a class without any. (class, θ)

    Without rows where one tariff holds for all.
    """
    tariff, types = equilibrium.tariff, equilibrium.economy.types
    inside = np.zeros((len(tariff.classes), len(types)))
    if tariff.classes:
        inside[[tariff.class_index(one) for one in types], np.arange(len(types))] = count
    total = inside.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(inside, total, out=np.full_like(inside, np.nan), where=total > 0))


def midnight_levels(equilibrium: Equilibrium) -> Floats | None:
    """Law of the state of charge at the end of the day in each common state, over all households with a battery.

    Returns
    -------
    (c, level) float, or None
        Rows sum to one; None without batteries. Of several makes, that of most households counts.
    """
    by_type = midnight_levels_by_type(equilibrium)
    share = equilibrium.economy.type_share
    owners = sum(share[type_index] for type_index in by_type)
    return (
        sum((share[type_index] / owners * law for type_index, law in by_type.items()), np.zeros(()))
        if by_type
        else None
    )


def midnight_levels_by_type(equilibrium: Equilibrium) -> dict[int, Floats]:
    """Law (c, level) of the state of charge at the end of the day, by the number of each type with a battery."""
    found = {}
    kinds = zip(equilibrium.economy.types, equilibrium.policies, equilibrium.laws, strict=True)
    checked = checked_storage(equilibrium.economy)
    for type_index, (household, policy, law) in enumerate(kinds):
        if household.battery is None or household.battery != checked:
            continue
        chance = (law[:, -1, :, :, None] * policy.probability[:, -1]).sum(axis=2)
        after = np.zeros(chance.shape[:2])
        for j, move in enumerate(policy.moves.tolist()):
            stay = slice(max(0, -move), min(household.levels, household.levels - move))
            after[:, stay.start + move : stay.stop + move] += chance[:, stay, j]
        found[type_index] = after
    return found


def checked_storage(economy: Economy) -> Battery | None:
    """The make of battery, at home or in a vehicle, of which states of charge are compared: that of most households."""
    share: dict[Battery, float] = {}
    for household in economy.types:
        if household.battery is not None:
            share[household.battery] = share.get(household.battery, 0.0) + household.share
    return max(share, key=lambda make: share[make]) if share else None


def composition_error_kw(equilibrium: Equilibrium, households: int) -> float:
    """RMS over common states and slots of the mean-field load with whole households less that with exact shares."""
    economy = equilibrium.economy
    share = economy.type_share
    rounded = largest_remainder(share, households) / households
    error_kw = np.tensordot(rounded - share, equilibrium.type_net_load_kw, axes=1)
    return float(np.sqrt(economy.common.probability @ (error_kw**2).mean(axis=1)))


def mean_of_known(values: Sequence[float | None]) -> float | None:
    """Mean of what is not None; None if nothing is."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


class _Continuum:
    """What every market is compared with, worked out once for an equilibrium; the feeder only if it is asked for."""

    def __init__(self, equilibrium: Equilibrium) -> None:
        economy = equilibrium.economy
        checked = checked_storage(economy)
        self.law = midnight_levels(equilibrium)
        self.owners = {
            type_index: household.battery
            for type_index, household in enumerate(economy.types)
            if household.battery is not None and household.battery == checked
        }
        self._grid: MeanFieldGrid | None = None
        self._phases: MeanFieldPhases | None = None

    def grid(self, equilibrium: Equilibrium) -> MeanFieldGrid:
        """The feeder under the mean field."""
        if self._grid is None:
            self._grid = MeanFieldGrid(equilibrium)
        return self._grid

    def phases(self, equilibrium: Equilibrium) -> MeanFieldPhases:
        """The same by phase."""
        if self._phases is None:
            self._phases = MeanFieldPhases(equilibrium)
        return self._phases


_CONTINUUM: Final[WeakKeyDictionary[Equilibrium, _Continuum]] = WeakKeyDictionary()


def _distance_kwh(owners: Mapping[int, Battery], people: Population, law: Floats) -> float | None:
    """Wasserstein-1 distance between the batteries' levels now and a law (level,): ΔE Σ |F_N − F|.

    Parameters
    ----------
    owners
        The make of battery that is compared, by the number of each type that has it.
    """
    counts = np.zeros(len(law))
    level_kwh = 0.0
    for type_index, battery in owners.items():
        counts += people.count[type_index] * people.level_law(type_index, battery.levels)
        level_kwh = battery.level_kwh
    if counts.sum() == 0:
        return None
    return float(level_kwh * np.abs(np.cumsum(counts / counts.sum() - law)).sum())
