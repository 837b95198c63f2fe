"""The solar inverters of a finite market, which answer to the voltage of their bus."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.household.electric_vehicle import ElectricVehicle
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.model.network.inverter_curves import InverterControl, Inverters, Reference, VoltVar, VoltWatt
from meanwatt.model.scenario.messages import Messages
from meanwatt.model.scenario.tables import FeederTable


def inverter_control(table: FeederTable) -> InverterControl | None:
    """Read the curves in force of a scenario's ``[feeder]``; None where there are none."""
    watt, var = table.volt_watt, table.volt_var
    if not (watt.enabled or var.enabled):
        return None
    return InverterControl(
        volt_watt=VoltWatt(
            v1_pu=watt.v1_pu,
            v2_pu=watt.v2_pu,
            p1=watt.p1,
            p2=watt.p2,
            p2_storage=watt.p2_storage,
            reference=Reference(watt.reference),
        )
        if watt.enabled
        else None,
        volt_var=VoltVar(
            v1_pu=var.v1_pu,
            v2_pu=var.v2_pu,
            v3_pu=var.v3_pu,
            v4_pu=var.v4_pu,
            q1=var.q1,
            q4=var.q4,
            kva_per_kw=var.apparent_power_ratio,
        )
        if var.enabled
        else None,
    )


def without_feeder_messages(table: FeederTable) -> Messages:
    """What of a scenario's ``[feeder]`` is not in force in a market without a power flow."""
    asked = {
        "volt_watt.enabled": table.volt_watt.enabled,
        "volt_var.enabled": table.volt_var.enabled,
        "losses_bought": table.losses_bought,
    }
    by_phase = ('feeder.phases = "one": not in force here, for this market runs without a power flow.',)
    return (
        *(
            f"feeder.{key} = true: not in force here, for this market runs without a power flow."
            for key, given in asked.items()
            if given
        ),
        *(by_phase if table.phases == "one" else ()),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Roofs:
    """Rows of alike inverters: one for every type with solar at every bus where it lives.

    Attributes
    ----------
    type_index, bus : (row,) int
        Which type, and at which bus.
    homes : (row,)
        Simulated households.
    rated_kw : (row,)
        Installed power of one of them. [kW]
    can_charge : (row,) bool
        Whether there is a home battery.
    shape
        Number of types and of buses.
    """

    type_index: Ints
    bus: Ints
    homes: Ints
    rated_kw: Floats
    can_charge: Bools
    shape: tuple[int, int]

    def units(self, available_kwh: Floats, slot_hours: float, scale: float) -> Inverters:
        """The rows as a power flow takes them.

        Parameters
        ----------
        available_kwh : (slot, row)
            What all simulated households of a row have to feed in. [kWh]
        scale
            How many customers a simulated household stands for.
        """
        return Inverters(
            bus=self.bus,
            rated_kw=self.rated_kw * self.homes * scale,
            available_kw=available_kwh * (scale / slot_hours),
            can_charge=self.can_charge,
        )

    def available_kwh(
        self, types: Sequence[HouseholdType], curtailed_kwh: Floats, common_state: int, slot_hours: float
    ) -> Floats:
        """Solar output less what is not used for its price, sums over the households of a row. (slot, row) [kWh]

        Parameters
        ----------
        curtailed_kwh : (type, bus, slot)
            Curtailed for its price. [kWh]
        """
        spilt = curtailed_kwh[self.type_index, self.bus]
        sun_kw = np.array([types[kind].pv_kw[common_state] for kind in self.type_index.tolist()])
        sun_kwh = slot_hours * sun_kw.reshape(spilt.shape)  # also where no home has solar
        return np.maximum(sun_kwh * self.homes[:, None] - spilt, 0.0).T


def roofs_of(types: Sequence[HouseholdType], customers_at: Ints) -> Roofs:
    """Gather the inverters of a market's households, of which ``customers_at`` counts (type, bus)."""
    solar = np.array([household.pv_installed_kw > 0 for household in types])
    kind, bus = np.nonzero(customers_at * solar[:, None])
    rated = np.array([household.pv_installed_kw for household in types])
    battery = np.array([bool(t.battery) and not isinstance(t.battery, ElectricVehicle) for t in types])
    return Roofs(
        type_index=kind,
        bus=bus,
        homes=customers_at[kind, bus],
        rated_kw=rated[kind],
        can_charge=battery[kind],
        shape=(len(types), customers_at.shape[1]),
    )
