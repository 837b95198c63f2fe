"""The meters of a market's last day, as the utility reads them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.leader.meter import MeterReading
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.agents.tariff.rate_classes import require_one_tariff
from meanwatt.agents.tariff.rates import Rates
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.market.history import DayRecord
from meanwatt.model.market.population import Population
from meanwatt.model.scenario.economy import Economy


def day_reading(
    economy: Economy,
    people: Population,
    record: DayRecord,
    *,
    tariff: Tariff,
    fixed_charge_usd_per_day: Floats,
) -> MeterReading:
    """Read the meters at the end of a day: a reading of one row.

    Parameters
    ----------
    people
        The households, their meters still showing the day.
    record
        The day.
    tariff, fixed_charge_usd_per_day
        What was posted, and the fixed charge of each group. (group,) [USD/day]
    """
    groups = len(economy.groups)
    imported_kwh, exported_kwh = registers_kwh(people, economy.types, groups)
    own = np.array([household.group for household in economy.types])
    return reading_of(
        economy,
        tariff,
        fixed_charge_usd_per_day,
        common_state=np.array([record.common_state]),
        weight=np.ones(1),
        rates=Rates(
            import_usd_per_kwh=record.import_usd_per_kwh[None], export_usd_per_kwh=record.export_usd_per_kwh[None]
        ),
        imported_kw=imported_kwh[None] / (people.households * economy.slot_hours),
        exported_kw=exported_kwh[None] / (people.households * economy.slot_hours),
        wholesale_usd_per_kwh=record.wholesale_usd_per_kwh[None],
        volatility_usd_per_kwh=np.array([record.imv_usd_per_kwh]),
        type_share=people.count / people.households,
        group_share=np.bincount(own, weights=people.count, minlength=groups) / people.households,
    )


@compiled
def add_bought(energy_kwh: Any, bought_kwh: Floats) -> None:
    """Add what each household's meter bought on a day, slot after slot, to its column. (household,) [kWh]"""
    for household in range(bought_kwh.size):
        total = 0.0
        for h in range(energy_kwh.shape[1]):
            total += max(np.float64(energy_kwh[household, h]), 0.0)
        bought_kwh[household] += total


def registers_kwh(people: Population, types: Sequence[HouseholdType], groups: int) -> tuple[Floats, Floats]:
    """Import and export register of each group, summed over its households. (group, slot) each [kWh]"""
    imported, exported = np.zeros((2, groups, people.energy_kwh.shape[1]))
    for type_index, household in enumerate(types):
        meter_kwh = people.energy_kwh[people.of_type(type_index)]
        bought_kwh = np.maximum(meter_kwh, 0.0).sum(axis=0, dtype=np.float64)
        imported[household.group] += bought_kwh
        exported[household.group] += bought_kwh - meter_kwh.sum(axis=0, dtype=np.float64)
    return imported, np.maximum(exported, 0.0)


def reading_of(
    economy: Economy,
    tariff: Tariff,
    fixed_charge_usd_per_day: Floats,
    *,
    rates: Rates,
    type_share: Floats,
    **metered: Any,
) -> MeterReading:
    """A reading from registers and prices, with what the utility knows of its own tariff and network.

    Parameters
    ----------
    rates
        Import and export rate before discounts. (row, slot)
    type_share : (type,)
        Share of each household type among the customers.
    metered
        All other fields of `MeterReading` that have rows, and ``group_share``.
    """
    require_one_tariff(tariff, "a meter reading by income group")
    by_group = [tariff.for_group(rates, group) for group in range(len(tariff.discount))]
    load_kw = (metered["imported_kw"] - metered["exported_kw"]).sum(axis=1)
    rest_kw: Floats = economy.rest_load_kw[metered["common_state"]]
    return MeterReading(
        tariff=tariff,
        import_usd_per_kwh=np.stack([own.import_usd_per_kwh for own in by_group], axis=1),
        export_usd_per_kwh=np.stack([own.export_usd_per_kwh for own in by_group], axis=1),
        marginal_emissions_t_per_kwh=economy.supply.marginal_emissions_t_per_kwh(load_kw + rest_kw),
        fixed_charge_usd_per_day=fixed_charge_usd_per_day,
        other_standing_usd_per_household_day=_other_charges(economy, tariff, type_share),
        network_cost_usd_per_day=economy.fixed_cost_usd_per_day,
        slot_hours=economy.slot_hours,
        **metered,
    )


def _other_charges(economy: Economy, tariff: Tariff, type_share: Floats) -> Floats:
    """Charges beside the fixed one that do not depend on use, by group, over all households. (group,) [USD/day]"""
    charge = [sum(one.usd_per_day(household) for one in tariff.standing_charges) for household in economy.types]
    group, groups = [household.group for household in economy.types], len(economy.groups)
    paid = np.bincount(group, weights=type_share * np.array(charge, dtype=float), minlength=groups)
    return np.asarray(paid, dtype=float)
