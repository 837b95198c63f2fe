"""One household's last day, read off the market's columns: what its meter said, what stood behind it, its bill.

The meter readings and the bill are the market's own. Between two midnights the columns keep no state of charge: the
household is led through its slots again, on the same draws and tables, and the readings say whether it is the same way.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.rates import Rates
from meanwatt.model.market.day_settlement import own_rates
from meanwatt.model.market.history import DayRecord
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.population import Population
from meanwatt.model.market.strategy_replay import Walk

ENERGY, WHOLESALE, ADDER, EXPORTS = "energy", "wholesale", "adder", "exports"
"""Names of the parts of a bill that depend on use; the others have those of the standing charges."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Morning:
    """Where every household stands before the first slot of a day. (household,) each

    Attributes
    ----------
    level, shock
        As in `meanwatt.model.market.population.Population`, whose columns the day overwrites.
    """

    __repr__ = short_repr

    level: npt.NDArray[np.int16]
    shock: npt.NDArray[np.int8]

    @classmethod
    def of(cls, population: Population) -> "Morning":
        """Keep what stands in the columns now."""
        return cls(level=population.level.copy(), shock=population.shock.copy())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HomeDay:
    """One household's day. Arrays are (slot,) unless said.

    Attributes
    ----------
    household, day, common_state
        Its id, the number of the day, and the day's common state.
    type
        What it has in common with others of its type.
    level : (slot + 1,) int
        State of charge before each slot, and after the last. [levels]
    shock, move : int
        State of its load shock, and change of the level.
    net_load_kw
        What the meter read; negative when exporting. [kW]
    reference_kw
        What it would use at the reference price, its load shock included. [kW]
    use_kw, battery_kw, solar_kw, curtailed_kw
        Electricity used, drawn by the battery (negative where it gives), solar output, and what of it is not used, for
        its price or by volt-watt. Net load is use plus battery less the solar output used, but for the meter's single
        precision. [kW]
    import_usd_per_kwh, export_usd_per_kwh
        What it pays for a kWh, and what a kWh sold earns, at the realised price, its discount applied. [USD/kWh]
    parts_usd
        Its bill by name: the energy charge, the wholesale price passed on and the adder on what is bought, what exports
        earn (negative), and every standing charge. [USD]
    bill_usd
        Its bill for the day, to the bit what the market added to its account. [USD]
    """

    __repr__ = short_repr

    household: int
    day: int
    common_state: int
    type: HouseholdType
    level: Ints
    shock: Ints
    move: Ints
    net_load_kw: Floats
    reference_kw: Floats
    use_kw: Floats
    battery_kw: Floats
    solar_kw: Floats
    curtailed_kw: Floats
    import_usd_per_kwh: Floats
    export_usd_per_kwh: Floats
    parts_usd: dict[str, float]
    bill_usd: float

    @property
    def stored_kwh(self) -> Floats:
        """Energy in the battery at the end of each slot. [kWh]"""
        step = self.type.battery.level_kwh if self.type.battery else 0.0
        return np.asarray(self.level[1:] * step)


def home_day(market: ProsumerMarket, morning: Morning, household: int) -> HomeDay:
    """Read a household's last day.

    Parameters
    ----------
    market
        Its last day is settled.
    morning
        What its columns said before that day.
    household
        Id.

    Raises
    ------
    ValueError
        In one line, if there is no such household or no day yet, or if it did not follow its policy: it then decided
        for itself, and only it knows how.
    """
    people = market.population
    if not 0 <= household < people.households:
        raise ValueError(f"household is {household}; give an id from 0 to {people.households - 1}")
    if not market.day:
        raise ValueError("no day has been simulated yet; call step() first")
    record = market.history[-1]
    type_index, tables = people.type_of(household), market.tables_lived
    own = market.household_types[type_index]
    walk = Walk(
        people,
        household,
        market.policies_lived[people.class_of(household)],
        tables,
        record.day,
        record.common_state,
        at=(int(morning.level[household]), int(morning.shock[household])),
    )
    level, shock, move = [walk.level], [], []
    read = np.zeros(tables.slots, dtype=np.float32)
    for slot in range(tables.slots):
        shock.append(walk.shock)
        move.append(walk.planned_move)
        read[slot] = walk.take(move[-1])
        level.append(walk.level)
    energy = people.energy_kwh[household]
    held = np.zeros(tables.slots)
    if market.held_kwh is not None:
        held = market.held_kwh[type_index, people.bus[household]]
    if not np.array_equal(read + held.astype(np.float32), energy):
        raise ValueError(f"household {household} did not follow its policy on day {record.day}; ask its strategy")
    slots, storage = np.arange(tables.slots), own.storage_day(market.slot_hours)
    rates = _rates(market, record)[type_index]
    standing = market.utility.standing_usd_per_day(market.household_types)[type_index]
    return HomeDay(
        household=household,
        day=record.day,
        common_state=record.common_state,
        type=own,
        level=np.array(level),
        shock=np.array(shock),
        move=np.array(move),
        net_load_kw=np.asarray(energy / market.slot_hours, dtype=np.float64),
        reference_kw=own.reference_kw[record.common_state] * market.economy.shock_levels[shock],
        use_kw=walk.columns.use_kw[slots, walk.rows, walk.taken],
        battery_kw=storage.power_kw[slots, np.array(move) + storage.still],
        solar_kw=own.pv_kw[record.common_state],
        curtailed_kw=walk.columns.curtailed_kw[slots, walk.rows, walk.taken] + held / market.slot_hours,
        import_usd_per_kwh=rates[0],
        export_usd_per_kwh=rates[1],
        parts_usd=_parts(market, record, type_index, energy.astype(np.float64), rates),
        bill_usd=_bill(energy.astype(np.float64), rates, float(standing)),
    )


def _rates(market: ProsumerMarket, record: DayRecord) -> list[tuple[Floats, Floats]]:
    """Import and export rate (slot,) on each type's bills of a day."""
    posted = Rates(
        import_usd_per_kwh=record.import_usd_per_kwh[None], export_usd_per_kwh=record.export_usd_per_kwh[None]
    )
    if market.utility.tariff.classes:  # the record has those of the first class alone
        posted = market.utility.rates(
            int(market.economy.common.today[record.common_state]), record.wholesale_usd_per_kwh
        )
    by_type = own_rates(posted, market.utility.tariff, market.household_types)
    return [(own.import_usd_per_kwh[0], own.export_usd_per_kwh[0]) for own in by_type]


def _bill(energy_kwh: Floats, rates: tuple[Floats, Floats], standing_usd: float) -> float:
    """A day's bill, added up in the order of `meanwatt.model.market.billing.settle`, hence to the bit the same."""
    total = standing_usd
    for payment in (energy_kwh * np.where(energy_kwh > 0, *rates)).tolist():
        total += payment
    return total


def _parts(
    market: ProsumerMarket, record: DayRecord, type_index: int, energy_kwh: Floats, rates: tuple[Floats, Floats]
) -> dict[str, float]:
    """The bill in parts; of the import rate τ + κλ + α, less the discount, each term by itself."""
    tariff, types = market.utility.tariff, market.household_types
    place = tariff.class_index(types[type_index])
    own, adder = tariff.class_tariffs[place], market.utility.adder_usd_per_kwh if tariff.bears_adder(place) else 0.0
    bought = np.maximum(energy_kwh, 0.0) * (1 - float(own.discount[types[type_index].group]))
    posted = own.energy_usd_per_kwh[market.economy.common.today[record.common_state]]
    standing = tariff.standing_parts_usd_per_day(market.utility.fixed_charge_usd_per_day, types)
    return {
        ENERGY: float(bought @ posted),
        WHOLESALE: float(own.pass_through * (bought @ record.wholesale_usd_per_kwh)),
        ADDER: float(adder * bought.sum()),
        EXPORTS: float(np.minimum(energy_kwh, 0.0) @ rates[1]),
        **{name: float(charges[type_index]) for name, charges in standing.items()},
    }
