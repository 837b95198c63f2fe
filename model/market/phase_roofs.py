"""The solar inverters of a market whose homes are on one phase each, and their volt-var curve there."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.model.market.grid import SAME_PU, named_slots
from meanwatt.model.market.grid_day import PhaseDay, PhaseInverterDay
from meanwatt.model.market.market_inverters import Roofs, roofs_of
from meanwatt.model.network.inverter_curves import Inverters, VoltVar
from meanwatt.model.network.phase_droop import phase_starts_differ_pu, solve_phase_droop
from meanwatt.model.network.phase_flow import PhaseFlow, PhaseFlowResult


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhaseRoofs:
    """Rows of alike inverters by phase: one for every type with solar, bus and connection that it has there.

    Attributes
    ----------
    roofs
        The rows by type and bus.
    row, connection : (part,) int
        Row of each part, and its phase as of `meanwatt.model.network.phase_droop`.
    share : (part,)
        Part of a row's homes that are so connected.
    """

    roofs: Roofs
    row: Ints
    connection: Ints
    share: Floats

    def units(self, rows: Inverters) -> Inverters:
        """The parts of rows as a power flow by phase takes them."""
        return Inverters(
            bus=rows.bus[self.row],
            rated_kw=rows.rated_kw[self.row] * self.share,
            available_kw=rows.available_kw[:, self.row] * self.share,
            can_charge=rows.can_charge[self.row],
        )


def phase_roofs(types: Sequence[HouseholdType], homes: Ints) -> PhaseRoofs:
    """Gather the inverters of homes, of which ``homes`` counts (type, bus, connection)."""
    roofs = roofs_of(types, homes.sum(axis=2))
    at = homes[roofs.type_index, roofs.bus]  # (row, connection)
    row, connection = np.nonzero(at)
    return PhaseRoofs(roofs=roofs, row=row, connection=connection, share=at[row, connection] / roofs.homes[row])


def solve_with_volt_var(
    flow: PhaseFlow, p_kw: Floats, q_kvar: Floats, units: Inverters, connection: Ints, curve: VoltVar
) -> tuple[PhaseFlowResult, PhaseInverterDay]:
    """Solve the slots of a day by phase with the curve; the state has no slots in which the two do not agree.

    Arguments as of `meanwatt.model.network.phase_droop.solve_phase_droop`.
    """
    given = flow, p_kw, q_kvar, units, connection, curve
    found = solve_phase_droop(*given)
    day = PhaseInverterDay(
        fed_in_kvar=np.where(found.solved, found.fed_in_kvar.sum(axis=1), np.nan),
        residual_pu=found.residual_pu,
        starts_differ_pu=phase_starts_differ_pu(*given, found),
        fixed_point=found.solved,
    )
    return found.only_solved(), day


def volt_var_messages(days: Iterable[tuple[int, PhaseDay]], slot_hours: float) -> Iterator[str]:
    """Say where the curve and the phases' voltages were not brought to agree, or agree in more than one way."""
    known = [(day, found.inverters) for day, found in days if found.inverters is not None]

    def places(chosen: Iterable[tuple[int, Bools]]) -> list[str]:
        return [f"day {day} slot {slot}" for day, slots in chosen for slot in np.flatnonzero(slots).tolist()]

    if apart := places((day, ~one.fixed_point & ~np.isnan(one.residual_pu)) for day, one in known):
        yield (
            f"feeder.volt_var by phase: curve and voltages do not agree in {len(apart) * slot_hours:g} hours"
            f" ({named_slots(apart)}); phase voltages and unbalance leave them out."
        )
    if several := places((day, ~(one.starts_differ_pu <= SAME_PU) & one.fixed_point) for day, one in known):
        yield (
            f"feeder.volt_var by phase: in {len(several) * slot_hours:g} hours ({named_slots(several)}) another start"
            " ends elsewhere, so there the answer may not be the only one."
        )
