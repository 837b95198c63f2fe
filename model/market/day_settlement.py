"""The evening of a market's day: feeder, wholesale price, bills and the record of what households drew."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.tariff.rates import Rates
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.agents.utility import Account, Utility
from meanwatt.model.market.billing import Settled
from meanwatt.model.market.day_kernel import DaySums, mean_load_kw
from meanwatt.model.market.grid import MarketGrid
from meanwatt.model.market.grid_day import GridDay
from meanwatt.model.market.history import DayRecord
from meanwatt.model.market.physics import mean_kw, stored_kwh, use_kwh
from meanwatt.model.market.population import Census
from meanwatt.model.scenario.economy import Economy


class Bill(Protocol):
    """What bills every household for the day; arguments as of ``meanwatt.model.market.billing.settle``."""

    def __call__(
        self, *, import_usd_per_kwh: Floats, export_usd_per_kwh: Floats, standing_charge_usd: Floats
    ) -> Settled:
        """Return their sums."""


def own_rates(posted: Rates, tariff: Tariff, types: Sequence[HouseholdType]) -> list[Rates]:
    """Posted rates as each household type pays them, by its rate class and after its group's discount."""
    return [tariff.own_rates(posted, household) for household in types]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DayStart:
    """What a day began with.

    Attributes
    ----------
    day, common_state
        Its number, and its common state.
    level_before : (type,) int
        Sum of the levels of each type's batteries in the morning.
    last_price_usd_per_kwh : (1,) or (0,)
        Price of the slot before midnight; empty on the first day. [USD/kWh]
    """

    day: int
    common_state: int
    level_before: Ints
    last_price_usd_per_kwh: Floats


def settle_day(
    economy: Economy,
    census: Census,
    utility: Utility,
    sums: DaySums,
    start: DayStart,
    *,
    market_load_kw: Floats,
    grid: MarketGrid | GridDay | None,
    bill: Bill,
) -> DayRecord:
    """Carry a day's sums through feeder, wholesale market and bills; every household's bill grows.

    Parameters
    ----------
    sums
        What households drew, by class, bus and slot.
    start
        What the day began with.
    market_load_kw : (slot,)
        Mean net load that the price answers to, households of other parts of the market included. [kW]
    grid
        The feeder, or its day where that is solved already; None to leave it out.
    bill
        Bills the households.
    """
    households, hours, c = census.households, economy.slot_hours, start.common_state
    class_net_load_kw = mean_kw(sums.energy_kwh, census.class_count.ravel(), hours)
    sums = sums.by_type(len(economy.types))
    use = use_kwh(sums, economy.types, census.customers_at, c, hours)
    net_load_kw = mean_load_kw(sums.energy_quanta.sum(axis=(0, 1)), households, hours)
    carried = grid
    if isinstance(grid, MarketGrid):
        carried = grid.solve(sums.energy_kwh.sum(axis=0).T / hours, use.sum(axis=0).T / hours)
    assert not isinstance(carried, MarketGrid)
    wholesale = np.asarray(economy.supply.price(market_load_kw + economy.rest_load_kw[c]))
    posted = utility.rates(int(economy.common.today[c]), wholesale)
    by_type = own_rates(posted, utility.tariff, economy.types)
    settled = bill(
        import_usd_per_kwh=np.array([own.import_usd_per_kwh[0] for own in by_type]),
        export_usd_per_kwh=np.array([own.export_usd_per_kwh[0] for own in by_type]),
        standing_charge_usd=utility.standing_usd_per_day(economy.types),
    )
    return DayRecord(
        day=start.day,
        common_state=c,
        day_type=economy.common.day_types[economy.common.today[c]],
        net_load_kw=net_load_kw,
        use_kw=use.sum(axis=(0, 1)) / (households * hours),
        curtailed_kw=sums.curtailed_kwh.sum(axis=(0, 1)) / (households * hours),
        stored_kwh=stored_kwh(sums, economy.types, start.level_before).sum(axis=0) / households,
        wholesale_usd_per_kwh=wholesale,
        import_usd_per_kwh=posted.import_usd_per_kwh[0],
        export_usd_per_kwh=posted.export_usd_per_kwh[0],
        class_bill_usd=settled.bill_usd,
        class_imported_kwh=settled.imported_kwh,
        class_exported_kwh=settled.exported_kwh,
        class_net_load_kw=class_net_load_kw.reshape(*census.class_count.shape, -1),
        type_net_load_kw=mean_kw(sums.energy_kwh, census.count, hours),
        account=Account(
            revenue_usd=float(settled.bill_usd.sum()),
            energy_cost_usd=float(wholesale @ net_load_kw) * hours * households,
            network_cost_usd=economy.fixed_cost_usd_per_day * households,
            loss_cost_usd=float(wholesale @ carried.bought_kwh) if carried else 0.0,
        ),
        imv_usd_per_kwh=float(np.abs(np.diff(np.concatenate([start.last_price_usd_per_kwh, wholesale]))).mean()),
        grid=carried,
    )
