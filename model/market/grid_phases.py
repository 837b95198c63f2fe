"""The feeder of the finite market by phase: it follows from the day's loads, and nobody's energy answers to it."""

from collections.abc import Iterable

import numpy as np

from meanwatt.agents.numerics.arrays import Bools
from meanwatt.agents.numerics.randomness import key_from
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.market.bus_placement import homes_at
from meanwatt.model.market.day_kernel import DaySums
from meanwatt.model.market.grid import named_slots
from meanwatt.model.market.grid_day import PhaseDay
from meanwatt.model.market.market_inverters import inverter_control
from meanwatt.model.market.phase_roofs import phase_roofs, solve_with_volt_var, volt_var_messages
from meanwatt.model.market.physics import use_kwh
from meanwatt.model.market.population import Census
from meanwatt.model.network.library.radial import Feeder
from meanwatt.model.network.phase_flow import PhaseFlow
from meanwatt.model.network.phase_homes import customers_by_phase, homes_messages
from meanwatt.model.network.residents import Residents
from meanwatt.model.network.zero_sequence import ZeroSequenceRule, complete_zero_sequence
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.messages import Messages
from meanwatt.model.scenario.tables import FeederTable


def zero_sequence_rule(table: FeederTable) -> ZeroSequenceRule:
    """Read what a scenario takes for lines without zero-sequence data."""
    return ZeroSequenceRule(r0_per_r1=table.r0_per_r1, x0_per_x1=table.x0_per_x1)


class MarketPhases:
    """A market's homes on the phases of their buses, and the power flow that they make.

    Customers of a bus stand in a row, phase by phase, and simulated households spread over them as they spread over the
    buses: where a bus is one home, all that stand for it are on its phase. What the households of a type draw at a bus
    is divided among phases as they are.

    Parameters
    ----------
    economy
        The economy; its scenario's ``[feeder]`` has the keys.
    feeder
        The feeder.
    residents
        Where the household types live on it.
    census
        The market's households.
    key
        The whole number that repeats the run.

    Attributes
    ----------
    customers : (bus, 4) int
        The feeder's customers on phase a, b, c, and on all three.

    Raises
    ------
    ValueError
        In one line, if the feeder has no low voltage, or a current on one phase no way back.
    """

    __repr__ = short_repr

    def __init__(self, economy: Economy, feeder: Feeder, residents: Residents, census: Census, key: int) -> None:
        self._economy, self._table = economy, economy.scenario.feeder
        self.customers = customers_by_phase(feeder, self._table.phase_seed)
        self._flow = PhaseFlow(feeder, zero_sequence_rule(self._table))
        self._households = census.households
        placed = residents.customers(feeder)
        homes = homes_at(placed, self.customers, key=key_from(key), count=census.count, first_rank=census.first_rank)
        self._homes = homes.sum(axis=2)
        by_phase = homes[:, :, :3] + homes[:, :, 3:] / 3
        self._share = by_phase / np.maximum(self._homes, 1)[:, :, None]  # (type, bus, phase)
        control = inverter_control(self._table)
        self._curve = control.volt_var if control else None
        self._roofs = phase_roofs(economy.types, homes) if self._curve else None
        self._elsewhere = elsewhere_messages(feeder, self._homes.any(axis=0))

    def day(self, sums: DaySums, common_state: int) -> PhaseDay:
        """Solve all slots of a day by phase, from what households drew by class, bus and slot."""
        economy, feeder = self._economy, self._flow.feeder
        by_type = sums.by_type(len(economy.types))
        use = use_kwh(by_type, economy.types, self._homes, common_state, economy.slot_hours)
        scale = float(feeder.customers.sum()) / (self._households * economy.slot_hours)
        p_kw, use_kw = (scale * np.einsum("tbh,tbp->hbp", values, self._share) for values in (by_type.energy_kwh, use))
        q_kvar, inverters = use_kw * feeder.kvar_per_kw[:, None], None
        if self._curve is None or self._roofs is None:
            found = self._flow.solve(p_kw, q_kvar)
        else:
            roofs, hours = self._roofs.roofs, economy.slot_hours
            fed_in_kwh = roofs.available_kwh(economy.types, by_type.curtailed_kwh, common_state, hours)
            units = self._roofs.units(roofs.units(fed_in_kwh, hours, scale * hours))
            given = self._flow, p_kw, q_kvar, units, self._roofs.connection, self._curve
            found, inverters = solve_with_volt_var(*given)
        loading = found.transformer_loading
        return PhaseDay(
            net_load_kw=p_kw,
            solved=found.converged,
            voltage_pu=found.voltage_pu,
            unbalance_percent=found.unbalance_percent,
            loss_kw=found.loss_kw,
            transformer_loading=np.full(len(p_kw), np.nan) if loading is None else loading,
            inverters=inverters,
        )

    @property
    def messages(self) -> Messages:
        """What is drawn, assumed or coarse, a sentence each."""
        customers = int(self.customers.sum())
        coarse = (
            f"feeder.phases: {self._households} simulated households stand for {customers} homes, so phases are less"
            " even than those of all homes."
        )
        return (
            *assumed_messages(self._economy, self._flow.feeder),
            *self._elsewhere,
            *((coarse,) if self._households < customers else ()),
        )


def elsewhere_messages(feeder: Feeder, lived_at: Bools) -> Messages:
    """Say at which buses (bus,) homes live though the feeder has no customers there, whose phases nobody knows."""
    empty = lived_at & (feeder.customers == 0)
    if not empty.any():
        return ()
    places = [feeder.buses[bus] for bus in np.flatnonzero(empty).tolist()]
    return (
        f"feeder.phases: homes at {named_slots(places)}, where the feeder has no customers, draw from all phases"
        " alike.",
    )


def assumed_messages(economy: Economy, feeder: Feeder) -> Messages:
    """Say whose phase is drawn, and what zero sequence is assumed, of a feeder whose homes are on one phase each.

    Raises
    ------
    ValueError
        As for ``MarketPhases``.
    """
    table = economy.scenario.feeder
    if table.phases != "one":
        return ()
    rule, homes = zero_sequence_rule(table), customers_by_phase(feeder, table.phase_seed)
    return (
        *homes_messages(feeder, homes, table.phase_seed),
        *complete_zero_sequence(feeder, rule).messages(rule),
    )


def unsolved_by_phase(days: Iterable[tuple[int, PhaseDay]], slot_hours: float) -> Messages:
    """Say in which hours the power flow by phase found no state, or none that agrees with inverters' curve."""
    found = list(days)
    agreed = tuple(volt_var_messages(found, slot_hours))
    places = [f"day {day} slot {slot}" for day, one in found for slot in np.flatnonzero(_stateless(one)).tolist()]
    if not places:
        return agreed
    return (
        *agreed,
        f"Power flow by phase: no state found in {len(places) * slot_hours:g} hours ({named_slots(places)}): a phase"
        " cannot carry such load or export (voltage collapse); phase voltages and unbalance leave them out.",
    )


def _stateless(day: PhaseDay) -> Bools:
    """Slots without a power flow; those whose state does not agree with a curve have another message."""
    return ~day.solved if day.inverters is None else np.isnan(day.inverters.residual_pu)
