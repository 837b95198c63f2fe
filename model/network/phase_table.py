"""What a feeder file says of phases, as the arrays of a feeder."""

import math
from typing import Any

import numpy as np

from meanwatt.model.network.library.phase_data import PhaseData
from meanwatt.model.network.library.phase_keys import number, zero_port
from meanwatt.model.scenario.feeder_file import BusTable, EdgeTable, FeederFile


def phase_data_of(table: FeederFile) -> PhaseData | None:
    """Read what a file says of phases; None if it says nothing.

    Raises
    ------
    ValueError
        In one line, if half of an impedance is given, a vector group is none, or customers by phase are not counted.
    """
    lines = [(line, zero_port(_place(line), _dump(line))) for line in table.lines]
    found = PhaseData(
        line_r0_ohm=np.array([port.r_ohm if port else math.nan for _, port in lines]),
        line_x0_ohm=np.array([port.x_ohm if port else math.nan for _, port in lines]),
        line_b0_us=np.array([number(line.b0_us) for line, _ in lines]),
        transformers=tuple(zero_port(_place(unit), _dump(unit)) for unit in table.transformers),
        branches=tuple(zero_port(_place(unit), _dump(unit)) for unit in table.branches),
        customers=np.array([_customers(bus) for bus in table.buses]),
        three_phase=np.array([bus.three_phase_customers for bus in table.buses]),
        fixed_kw=np.array([bus.phase_fixed_kw or (0.0, 0.0, 0.0) for bus in table.buses]),
        fixed_kvar=np.array([bus.phase_fixed_kvar or (0.0, 0.0, 0.0) for bus in table.buses]),
    )
    return found if found.says_something else None


def _dump(edge: EdgeTable) -> dict[str, Any]:
    return edge.model_dump(exclude_none=True)


def _place(edge: EdgeTable) -> str:
    return f"edge '{edge.from_bus}'-'{edge.to_bus}'"


def _customers(bus: BusTable) -> tuple[float, ...]:
    if bus.customers is None and (bus.phase_customers is not None or bus.three_phase_customers):
        raise ValueError(f"bus '{bus.name}' has customers by phase but no customers; give customers=<number>")
    return bus.phase_customers or (0.0, 0.0, 0.0)
