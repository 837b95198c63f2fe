"""The meters of a market's last day, as the utility reads them."""

from typing import Any

import numpy as np

from meanwatt.agents.leader.meter import MeterReading
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.compiled import compiled
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
    rates: Rates,
    by_type: bool = False,
) -> MeterReading:
    """Read the meters at the end of a day: a reading of one row.

    Parameters
    ----------
    people
        The households, their meters still showing the day.
    record
        The day.
    tariff, fixed_charge_usd_per_day
        What was posted, and the fixed charge of each payer. (payer,) [USD/day]
    rates
        The rates of the day, before discounts. (1, slot)
    by_type
        Whether accounts are household types, as `reading_of` has it.
    """
    account, accounts = accounts_of(economy, by_type=by_type)
    imported_kwh, exported_kwh = registers_kwh(people, account, accounts)
    return reading_of(
        economy,
        tariff,
        fixed_charge_usd_per_day,
        common_state=np.array([record.common_state]),
        weight=np.ones(1),
        rates=rates,
        by_type=by_type,
        imported_kw=imported_kwh[None] / (people.households * economy.slot_hours),
        exported_kw=exported_kwh[None] / (people.households * economy.slot_hours),
        wholesale_usd_per_kwh=record.wholesale_usd_per_kwh[None],
        volatility_usd_per_kwh=np.array([record.imv_usd_per_kwh]),
        type_share=people.count / people.households,
        account_share=np.bincount(account, weights=people.count, minlength=accounts) / people.households,
    )


@compiled
def add_bought(energy_kwh: Any, bought_kwh: Floats) -> None:
    """Add what each household's meter bought on a day, slot after slot, to its column. (household,) [kWh]"""
    for household in range(bought_kwh.size):
        total = 0.0
        for h in range(energy_kwh.shape[1]):
            total += max(np.float64(energy_kwh[household, h]), 0.0)
        bought_kwh[household] += total


def accounts_of(economy: Economy, *, by_type: bool) -> tuple[Ints, int]:
    """The account of each household type, (type,) int, and how many there are: income groups, or types themselves."""
    if by_type:
        return np.arange(len(economy.types)), len(economy.types)
    return np.array([household.group for household in economy.types]), len(economy.groups)


def registers_kwh(people: Population, account: Ints, accounts: int) -> tuple[Floats, Floats]:
    """Import and export register of each account, summed over its households. (account, slot) each [kWh]

    Parameters
    ----------
    account : (type,) int
        That of each household type.
    """
    imported, exported = np.zeros((2, accounts, people.energy_kwh.shape[1]))
    for type_index, own in enumerate(account):
        meter_kwh = people.energy_kwh[people.of_type(type_index)]
        bought_kwh = np.maximum(meter_kwh, 0.0).sum(axis=0, dtype=np.float64)
        imported[own] += bought_kwh
        exported[own] += bought_kwh - meter_kwh.sum(axis=0, dtype=np.float64)
    return imported, np.maximum(exported, 0.0)


def reading_of(
    economy: Economy,
    tariff: Tariff,
    fixed_charge_usd_per_day: Floats,
    *,
    rates: Rates,
    type_share: Floats,
    by_type: bool = False,
    **metered: Any,
) -> MeterReading:
    """A reading from registers and prices, with what the utility knows of its own tariff and network.

    Parameters
    ----------
    rates
        Import and export rate before discounts. (row, slot)
    type_share : (type,)
        Share of each household type among the customers.
    by_type
        Whether every household type is an account of its own: where rate classes are in force, a tariff before or
        after which the same meters are read. Else accounts are income groups.
    fixed_charge_usd_per_day : (payer,)
        What is billed to each income group of every rate class. [USD/day]
    metered
        All other fields of `MeterReading` that have rows, and ``account_share``.

    Raises
    ------
    ValueError
        If the tariff has rate classes and accounts are income groups, where a group alone has no rates.
    """
    types = economy.types
    own = [tariff.own_rates(rates, one) for one in types] if by_type else _by_group(tariff, rates)
    charge = fixed_charge_usd_per_day[[tariff.payer(one) for one in types]] if by_type else fixed_charge_usd_per_day
    load_kw = (metered["imported_kw"] - metered["exported_kw"]).sum(axis=1)
    rest_kw: Floats = economy.rest_load_kw[metered["common_state"]]
    return MeterReading(
        tariff=tariff,
        import_usd_per_kwh=np.stack([one.import_usd_per_kwh for one in own], axis=1),
        export_usd_per_kwh=np.stack([one.export_usd_per_kwh for one in own], axis=1),
        marginal_emissions_t_per_kwh=economy.supply.marginal_emissions_t_per_kwh(load_kw + rest_kw),
        fixed_charge_usd_per_day=charge,
        other_standing_usd_per_household_day=_other_charges(economy, tariff, type_share, by_type=by_type),
        customers=types if by_type else (),
        network_cost_usd_per_day=economy.fixed_cost_usd_per_day,
        slot_hours=economy.slot_hours,
        **metered,
    )


def _by_group(tariff: Tariff, posted: Rates) -> list[Rates]:
    """Rates as each income group pays them."""
    return [tariff.for_group(posted, group) for group in range(len(tariff.discount))]


def _other_charges(economy: Economy, tariff: Tariff, type_share: Floats, *, by_type: bool) -> Floats:
    """Charges beside the fixed one that do not depend on use, by account, over all households. (account,) [USD/day]"""
    charge = [sum(one.usd_per_day(home) for one in tariff.of(home).standing_charges) for home in economy.types]
    account, accounts = accounts_of(economy, by_type=by_type)
    paid = np.bincount(account, weights=type_share * np.array(charge, dtype=float), minlength=accounts)
    return np.asarray(paid, dtype=float)
