"""The metrics of an equilibrium or of a simulated market, gathered from `efficiency`, `equity` and `stability`."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, Ints, require_shape
from meanwatt.analysis.metrics import efficiency, equity, stability
from meanwatt.analysis.metrics.averages import numbers, shares
from meanwatt.model.scenario.economy import Economy

HIGH_BURDEN = 0.06
"""Share of income above which an energy burden is usually called high."""
SEVERE_BURDEN = 0.10
"""Share of income above which it is called severe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """One set of metrics. An undefined one is None; none is ever nan or infinite.

    Attributes
    ----------
    welfare_usd_per_household_day
        Utility − wear − supply cost − fixed cost − carbon; payments cancel.
    efficiency_gap_usd_per_household_day
        First-best welfare less welfare; None without a first best.
    utility_usd_per_household_day, wear_usd_per_household_day
        Utility of electricity use against the reference use, and battery wear.
    supply_cost_usd_per_household_day
        S(L + rest) − S(rest), and feeder losses where the utility buys them.
    carbon_usd_per_household_day, fixed_cost_usd_per_household_day
        Emissions at the social cost of carbon, and network cost K.
    surplus_usd_per_household_day
        Net bills − energy bought at the wholesale price − K; negative is a shortfall.
    burden
        Net bills over income by income group; None for a group without households.
    burden_gap, burden_std
        Largest less smallest group burden, and their share-weighted standard deviation.
    suits
        Suits index over income groups; negative is regressive. None if the mean bill is ≤ 0.
    gini
        Gini coefficient of the bills. None if the mean bill is ≤ 0; may exceed 1 with negative bills.
    share_above_6_percent, share_above_10_percent
        Share of households whose net bill exceeds that part of their income.
    imv, imv_log
        Incremental mean volatility of the wholesale price [USD/kWh] and of its logarithm; the latter None if any
        price is ≤ 0, both None for a series of one slot.
    mean_wholesale_usd_per_kwh
        Mean wholesale price over time.
    peak_to_average, load_factor
        Peak over mean load and its reciprocal; None if the mean load is ≤ 0.
    maximal_ramp_kw_per_hour
        Fastest change of the mean household's load, up or down; None for a series of one slot.
    """

    welfare_usd_per_household_day: float
    efficiency_gap_usd_per_household_day: float | None
    utility_usd_per_household_day: float
    wear_usd_per_household_day: float
    supply_cost_usd_per_household_day: float
    carbon_usd_per_household_day: float
    fixed_cost_usd_per_household_day: float
    surplus_usd_per_household_day: float
    burden: Mapping[str, float | None]
    burden_gap: float
    burden_std: float
    suits: float | None
    gini: float | None
    share_above_6_percent: float
    share_above_10_percent: float
    imv: float | None
    imv_log: float | None
    mean_wholesale_usd_per_kwh: float
    peak_to_average: float | None
    load_factor: float | None
    maximal_ramp_kw_per_hour: float | None

    def __post_init__(self) -> None:
        """Refuse what strict JSON cannot hold."""
        flat = {f"burden.{group}": value for group, value in self.burden.items()}
        flat |= {name: getattr(self, name) for name in self.__slots__ if name != "burden"}
        for name, value in flat.items():
            if value is not None and not math.isfinite(value):
                raise ValueError(f"metric {name} is {value}; give a finite number, or None where it is undefined")

    def to_json(self) -> dict[str, float | dict[str, float | None] | None]:
        """Every attribute under its own name, ready for strict JSON."""
        return asdict(self)


def mean_field_metrics(
    economy: Economy,
    *,
    wholesale_usd_per_kwh: npt.ArrayLike,
    net_load_kw: npt.ArrayLike,
    bill_usd_per_day: npt.ArrayLike,
    utility_usd_per_day: npt.ArrayLike,
    wear_usd_per_day: npt.ArrayLike,
    first_best_welfare: float | None = None,
) -> Metrics:
    """Metrics of a continuum of households, in expectation over weather and shocks.

    Parameters
    ----------
    economy
        Shares, incomes, supply, costs and the common chain.
    wholesale_usd_per_kwh : (c, h) float
        Wholesale price λ. [USD/kWh]
    net_load_kw : (c, h) float
        Net load L of the mean household. [kW]
    bill_usd_per_day : (θ,) float
        Expected net bill of each household type, fixed charge included. [USD/day]
    utility_usd_per_day, wear_usd_per_day : (θ,) float
        Expected utility of use and battery wear of each type. [USD/day]
    first_best_welfare : float, optional
        Welfare of the first best. [USD per household-day]

    Raises
    ------
    ValueError
        If a shape does not fit the economy or a number is not finite.

    Notes
    -----
    Gini and the shares above 6 % and 10 % treat all households of a type as paying its expected bill.
    """
    price, load = _day_arrays(wholesale_usd_per_kwh, net_load_kw, economy.rest_load_kw)
    common = economy.common
    share = economy.type_share
    utility, wear = (
        float(share @ _entries(name, values, len(share), "(household type,)"))
        for name, values in (("utility_usd_per_day", utility_usd_per_day), ("wear_usd_per_day", wear_usd_per_day))
    )
    bill = _entries("bill_usd_per_day", bill_usd_per_day, len(share), "(household type,)")
    return _gather(
        economy,
        _Days(price, load, economy.rest_load_kw, common.probability),
        _Bills(bill, np.arange(len(share)), share),
        _Steps(
            imv=stability.expected_imv(price, common.probability, common.kernel),
            imv_log=stability.expected_imv_log(price, common.probability, common.kernel),
            ramp_kw_per_hour=stability.expected_maximal_ramp_kw_per_hour(
                load, common.probability, common.kernel, slot_hours=economy.slot_hours
            ),
        ),
        utility=utility,
        wear=wear,
        first_best_welfare=first_best_welfare,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MarketDays:
    """What a finite market's system went through, a row a day.

    Attributes
    ----------
    wholesale_usd_per_kwh : (day, h) float
        Realised wholesale price. [USD/kWh]
    net_load_kw : (day, h) float
        Realised net load per household. [kW]
    rest_load_kw : (day, h) float
        Load of the rest of the system per household on those days. [kW]
    """

    wholesale_usd_per_kwh: npt.ArrayLike
    net_load_kw: npt.ArrayLike
    rest_load_kw: npt.ArrayLike


def market_metrics(
    economy: Economy,
    days: MarketDays,
    *,
    household_type: npt.ArrayLike,
    bill_usd_per_day: npt.ArrayLike,
    utility_usd_per_household_day: float,
    wear_usd_per_household_day: float,
    first_best_welfare: float | None = None,
    loss_cost_usd_per_household_day: float = 0.0,
) -> Metrics:
    """Metrics of a finite market over the days it was simulated, all households and days alike.

    Parameters
    ----------
    economy
        Incomes, supply and costs.
    days
        Prices and loads.
    household_type : (household,) int
        Index into ``economy.types`` of each household.
    bill_usd_per_day : (household,) float
        Mean net bill of each household over the days, fixed charge included. [USD/day]
    utility_usd_per_household_day, wear_usd_per_household_day
        Mean utility of use and battery wear. [USD per household-day]
    first_best_welfare : float, optional
        Welfare of the first best. [USD per household-day]
    loss_cost_usd_per_household_day
        Feeder losses that the utility buys; a part of the supply cost. [USD per household-day]

    Raises
    ------
    ValueError
        If a shape does not fit, an index is unknown or a number is not finite.

    Notes
    -----
    Burdens set a bill of the days simulated against a year's income: over few days they carry the weather of those
    days, and the shares above 6 % and 10 % its spread.
    """
    price, load = _day_arrays(days.wholesale_usd_per_kwh, days.net_load_kw, days.rest_load_kw)
    index = np.asarray(household_type, dtype=np.int64)
    if index.ndim != 1 or index.size == 0:
        raise ValueError(f"household_type has shape {index.shape}; give one index a household, axes (household,)")
    outside = (index < 0) | (index >= len(economy.types))
    if outside.any():
        place = int(np.argmax(outside))
        raise ValueError(
            f"household_type is {index[place]} at index {place}; give indices from 0 to {len(economy.types) - 1}"
        )
    rest = numbers("rest_load_kw", days.rest_load_kw, "(day, slot)")
    bill = _entries("bill_usd_per_day", bill_usd_per_day, len(index), "(household,)")
    return _gather(
        economy,
        _Days(price, load, rest, shares(None, len(price))),
        _Bills(bill, index, shares(None, len(index))),
        _Steps(
            imv=stability.realised_imv(price),
            imv_log=stability.realised_imv_log(price),
            ramp_kw_per_hour=stability.realised_maximal_ramp_kw_per_hour(load, slot_hours=economy.slot_hours),
        ),
        utility=float(utility_usd_per_household_day),
        wear=float(wear_usd_per_household_day),
        first_best_welfare=first_best_welfare,
        loss_cost=float(loss_cost_usd_per_household_day),
    )


class _Days(NamedTuple):
    """Price, mean net load and load of the rest (row, slot), and the probability of each row."""

    price: Floats
    load: Floats
    rest: Floats
    probability: Floats


class _Bills(NamedTuple):
    """Bills (entry,), the household type of each entry and its weight."""

    usd_per_day: Floats
    household_type: Ints
    weights: Floats


class _Steps(NamedTuple):
    """How price and load change from slot to slot; None where they cannot."""

    imv: float | None
    imv_log: float | None
    ramp_kw_per_hour: float | None


def _gather(
    economy: Economy,
    days: _Days,
    bills: _Bills,
    steps: _Steps,
    *,
    utility: float,
    wear: float,
    first_best_welfare: float | None,
    loss_cost: float = 0.0,
) -> Metrics:
    """Metrics of weighted days and weighted bills."""
    price, load, rest, probability = days
    bill, household_type, weights = bills
    slot_hours, supply = economy.slot_hours, economy.supply
    supply_cost = efficiency.supply_cost_usd_per_household_day(
        supply, load, rest, slot_hours=slot_hours, probability=probability
    )
    supply_cost += loss_cost
    carbon = efficiency.carbon_usd_per_household_day(
        supply, load, rest, carbon_usd_per_t=economy.carbon_usd_per_t, slot_hours=slot_hours, probability=probability
    )
    purchase = efficiency.energy_purchase_usd_per_household_day(
        price, load, slot_hours=slot_hours, probability=probability
    )
    fixed_cost = economy.fixed_cost_usd_per_day
    welfare = efficiency.welfare_usd_per_household_day(utility, wear, supply_cost, fixed_cost, carbon)

    income = np.array([household.income_usd_per_year for household in economy.types])[household_type]
    group = np.array([household.group for household in economy.types])[household_type]
    groups = len(economy.groups)
    burdens = equity.group_burden(bill, income, group, groups, weights)
    own_burden = equity.burden(bill, income)
    return Metrics(
        welfare_usd_per_household_day=welfare,
        efficiency_gap_usd_per_household_day=efficiency.efficiency_gap_usd_per_household_day(
            welfare, first_best_welfare
        ),
        utility_usd_per_household_day=utility,
        wear_usd_per_household_day=wear,
        supply_cost_usd_per_household_day=supply_cost,
        carbon_usd_per_household_day=carbon,
        fixed_cost_usd_per_household_day=fixed_cost,
        surplus_usd_per_household_day=efficiency.surplus_usd_per_household_day(
            float(weights @ bill), purchase + loss_cost, fixed_cost
        ),
        burden=dict(zip(economy.groups, burdens, strict=True)),
        burden_gap=equity.burden_gap(burdens),
        burden_std=equity.burden_standard_deviation(burdens, np.bincount(group, weights=weights, minlength=groups)),
        suits=equity.suits_index(bill, income, weights),
        gini=equity.gini(bill, weights),
        share_above_6_percent=equity.share_above(own_burden, HIGH_BURDEN, weights),
        share_above_10_percent=equity.share_above(own_burden, SEVERE_BURDEN, weights),
        imv=steps.imv,
        imv_log=steps.imv_log,
        mean_wholesale_usd_per_kwh=stability.mean_wholesale_usd_per_kwh(price, probability),
        peak_to_average=stability.peak_to_average(load, probability),
        load_factor=stability.load_factor(load, probability),
        maximal_ramp_kw_per_hour=steps.ramp_kw_per_hour,
    )


def _day_arrays(
    wholesale_usd_per_kwh: npt.ArrayLike, net_load_kw: npt.ArrayLike, rest_load_kw: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """Price and load, checked against the shape of the rest-of-system load."""
    shape = np.shape(rest_load_kw)
    price = numbers("wholesale_usd_per_kwh", wholesale_usd_per_kwh, "(row, slot)")
    load = numbers("net_load_kw", net_load_kw, "(row, slot)")
    require_shape("wholesale_usd_per_kwh", price, shape, "(row, slot)")
    require_shape("net_load_kw", load, shape, "(row, slot)")
    return price, load


def _entries(name: str, values: npt.ArrayLike, size: int, axes: str) -> Floats:
    """One finite number for each type or household."""
    array = numbers(name, values, axes)
    require_shape(name, array, (size,), axes)
    return array
