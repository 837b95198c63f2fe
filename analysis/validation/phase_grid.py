"""The finite market's feeder by phase against that of the mean field, whose homes are on the same phases."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Self

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.metrics.bus_loads import bus_loads
from meanwatt.model.market.grid_day import PhaseDay
from meanwatt.model.market.grid_phases import zero_sequence_rule
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.network.feeder_file import scenario_feeder
from meanwatt.model.network.phase_flow import PhaseFlow
from meanwatt.model.network.phase_homes import customers_by_phase


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseError:
    """Mean square errors of a market's feeder by phase against the mean field's, over the slots that both solve.

    Attributes
    ----------
    voltage_pu2
        Of the phase voltages, over slots, buses and phases. [pu²]
    unbalance_percent2
        Of the unbalance, over slots and buses. [%²]
    unsolved
        Share of slots in which one of the two has no state.
    """

    voltage_pu2: float
    unbalance_percent2: float
    unsolved: float

    @classmethod
    def mean(cls, errors: Sequence[Self]) -> Self:
        """Mean over days, each by its solved slots."""
        rows = np.array([astuple(error) for error in errors])
        weight = 1.0 - rows[:, 2]
        if weight.sum() == 0:
            return cls(voltage_pu2=np.nan, unbalance_percent2=np.nan, unsolved=1.0)
        voltage, unbalance = weight @ np.where(weight[:, None] > 0, rows[:, :2], 0.0) / weight.sum()
        return cls(voltage_pu2=float(voltage), unbalance_percent2=float(unbalance), unsolved=float(rows[:, 2].mean()))


class MeanFieldPhases:
    """The feeder by phase in each common state when every customer is the mean-field average.

    Parameters
    ----------
    equilibrium
        The continuum; its scenario has ``feeder.phases = "one"``.

    Attributes
    ----------
    voltage_pu : (c, slot, bus, phase)
        Voltage. [pu]
    unbalance_percent : (c, slot, bus)
        Negative over positive sequence. [%]
    """

    def __init__(self, equilibrium: Equilibrium) -> None:
        economy = equilibrium.economy
        table = economy.scenario.feeder
        feeder = scenario_feeder(table, peak_reference_kw=economy.peak_reference_kw)
        homes = customers_by_phase(feeder, table.phase_seed)
        share = (homes[:, :3] + homes[:, 3:] / 3) / np.maximum(homes.sum(axis=1, keepdims=True), 1)
        flow = PhaseFlow(feeder, zero_sequence_rule(table))
        found = [
            flow.solve(net_load[..., None] * share, (use * feeder.kvar_per_kw)[..., None] * share)
            for use, net_load in zip(*bus_loads(equilibrium, feeder), strict=True)
        ]
        self.voltage_pu: Floats = np.array([one.voltage_pu for one in found])
        self.unbalance_percent: Floats = np.array([one.unbalance_percent for one in found])

    def error(self, day: PhaseDay, common_state: int) -> PhaseError:
        """Mean square errors of one day of a market."""
        voltage = day.voltage_pu - self.voltage_pu[common_state]
        unbalance = day.unbalance_percent - self.unbalance_percent[common_state]
        known = np.isfinite(voltage).all(axis=(1, 2))
        if not known.any():
            return PhaseError(voltage_pu2=np.nan, unbalance_percent2=np.nan, unsolved=1.0)
        return PhaseError(
            voltage_pu2=float(np.mean(voltage[known] ** 2)),
            unbalance_percent2=float(np.mean(unbalance[known] ** 2)),
            unsolved=float(1.0 - known.mean()),
        )
