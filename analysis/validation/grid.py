"""The feeder of the finite market against the feeder under the mean field's injections.

In the mean field every customer draws what the average household draws, at every bus alike; where a scenario says who
lives where, the average of its type. A simulated household stands for customers/N real ones, so both feeders carry the
same energy up to chance, rounding of the types and the households' places on the buses.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Self

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.metrics.bus_loads import bus_loads
from meanwatt.model.market.grid_day import GridDay
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.network.feeder_file import scenario_feeder
from meanwatt.model.network.power_flow import PowerFlow, bus_power


@dataclass(frozen=True, slots=True, kw_only=True)
class GridError:
    """Mean square errors of a market's feeder against the mean field's, over the slots that both solve.

    Attributes
    ----------
    voltage_pu2
        Of the voltages, over slots and buses. [pu²]
    loading2
        Of the highest loading, of a line or a transformer, over slots. [-]
    loss_kw2
        Of the losses, over slots. [kW²]
    unsolved
        Share of slots in which one of the two feeders has no state.
    """

    voltage_pu2: float
    loading2: float
    loss_kw2: float
    unsolved: float

    @classmethod
    def mean(cls, errors: Sequence[Self]) -> Self:
        """Mean over days."""
        rows = np.array([astuple(error) for error in errors])
        weight = 1.0 - rows[:, 3]
        if weight.sum() == 0:
            return cls(voltage_pu2=np.nan, loading2=np.nan, loss_kw2=np.nan, unsolved=1.0)
        squares = weight @ np.where(weight[:, None] > 0, rows[:, :3], 0.0) / weight.sum()
        return cls(
            voltage_pu2=float(squares[0]),
            loading2=float(squares[1]),
            loss_kw2=float(squares[2]),
            unsolved=float(rows[:, 3].mean()),
        )


class MeanFieldGrid:
    """The feeder's state in each common state when every customer is the mean-field average.

    Parameters
    ----------
    equilibrium
        The continuum.

    Attributes
    ----------
    voltage_pu : (c, slot, bus)
        Voltage. [pu]
    loading, loss_kw : (c, slot)
        Highest loading of a line or a transformer, and losses [kW].
    """

    def __init__(self, equilibrium: Equilibrium) -> None:
        economy = equilibrium.economy
        feeder = scenario_feeder(economy.scenario.feeder, peak_reference_kw=economy.peak_reference_kw)
        flow = PowerFlow(feeder, slots=economy.slots)
        use_kw, net_load_kw = bus_loads(equilibrium, feeder)
        voltage, loading, loss = [], [], []
        for c in range(len(economy.common.probability)):
            found = flow.solve(*bus_power(feeder, use_kw[c], net_load_kw[c]))
            voltage.append(found.voltage_pu.copy())
            loading.append(_highest(found.line_loading.max(axis=1, initial=0.0), found.transformer_loading))
            loss.append(found.loss_kw.copy())
        self.voltage_pu, self.loading, self.loss_kw = np.array(voltage), np.array(loading), np.array(loss)

    def error(self, day: GridDay, common_state: int) -> GridError:
        """Mean square errors of one day of a market."""
        voltage = day.voltage_pu - self.voltage_pu[common_state]
        known = np.isfinite(voltage).all(axis=1)
        if not known.any():
            return GridError(voltage_pu2=np.nan, loading2=np.nan, loss_kw2=np.nan, unsolved=1.0)
        unit = day.transformer_loading
        loading = _highest(day.line_loading, None if np.isnan(unit).all() else unit) - self.loading[common_state]
        loss = day.loss_kw - self.loss_kw[common_state]
        return GridError(
            voltage_pu2=float(np.mean(voltage[known] ** 2)),
            loading2=float(np.mean(loading[known] ** 2)),
            loss_kw2=float(np.mean(loss[known] ** 2)),
            unsolved=float(1.0 - known.mean()),
        )


def _highest(line: Floats, transformer: Floats | None) -> Floats:
    return line if transformer is None else np.fmax(line, transformer)
