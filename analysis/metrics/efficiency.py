"""Efficiency: what a day costs society, what it is worth, and how far that is from the best.

All amounts are USD per household and day, an average over the population. Arrays are (row, slot): rows are common
states with their probabilities in the mean field, and simulated days (``probability`` None, all alike) in a finite
market. Net loads are kW per household, positive when bought from the grid.
"""

import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, require_shape
from meanwatt.analysis.metrics.averages import numbers, shares
from meanwatt.model.scenario.supply import SupplyCurve


def per_day(rate_per_hour: npt.ArrayLike, *, slot_hours: float, probability: npt.ArrayLike | None = None) -> float:
    """Expected total over a day of a rate per hour.

    Parameters
    ----------
    rate_per_hour : (row, slot) float
        A rate, e.g. USD per hour or kW.
    slot_hours
        Length of a slot. [h]
    probability : (row,) float, optional
        Weights of the rows; None weighs all alike.
    """
    rate = numbers("rate_per_hour", rate_per_hour, "(row, slot)")
    if not slot_hours > 0:
        raise ValueError(f"slot_hours is {slot_hours}; give a positive number, e.g. 24 / slots")
    return slot_hours * float(shares(probability, len(rate), name="probability") @ rate.sum(axis=1))


def supply_cost_usd_per_household_day(
    supply: SupplyCurve,
    net_load_kw: npt.ArrayLike,
    rest_load_kw: npt.ArrayLike,
    *,
    slot_hours: float,
    probability: npt.ArrayLike | None = None,
) -> float:
    """Cost of generating what the households draw, S(L + rest) − S(rest). [USD per household-day]

    Parameters
    ----------
    supply
        The wholesale curve; S is the integral of its marginal cost. Pass the private curve: carbon is counted apart.
    net_load_kw : (row, slot) float
        Net load of the mean household L; negative when it feeds in. [kW]
    rest_load_kw : (row, slot) float
        Load of the rest of the system. [kW per household]
    slot_hours, probability
        As in `per_day`.

    Returns
    -------
    float
        Positive where serving the households costs fuel; negative where their feed-in saves some.
    """
    load, rest = _loads(net_load_kw, rest_load_kw)
    return per_day(supply.cost(load + rest) - supply.cost(rest), slot_hours=slot_hours, probability=probability)


def carbon_usd_per_household_day(
    supply: SupplyCurve,
    net_load_kw: npt.ArrayLike,
    rest_load_kw: npt.ArrayLike,
    *,
    carbon_usd_per_t: float,
    slot_hours: float,
    probability: npt.ArrayLike | None = None,
) -> float:
    """Social cost of the emissions that the households cause, E(L + rest) − E(rest) priced. [USD per household-day]

    Parameters are those of `supply_cost_usd_per_household_day`; ``carbon_usd_per_t`` is the social cost of carbon.
    """
    load, rest = _loads(net_load_kw, rest_load_kw)
    rate = supply.emissions_t(load + rest) - supply.emissions_t(rest)
    return carbon_usd_per_t * per_day(rate, slot_hours=slot_hours, probability=probability)


def energy_purchase_usd_per_household_day(
    wholesale_usd_per_kwh: npt.ArrayLike,
    net_load_kw: npt.ArrayLike,
    *,
    slot_hours: float,
    probability: npt.ArrayLike | None = None,
) -> float:
    """What the utility pays for its households' energy at the wholesale price, E Σ_h Δ λ L. [USD per household-day]

    At a rising supply curve this exceeds the supply cost by the generators' rent.
    """
    price = numbers("wholesale_usd_per_kwh", wholesale_usd_per_kwh, "(row, slot)")
    load = numbers("net_load_kw", net_load_kw, "(row, slot)")
    require_shape("net_load_kw", load, price.shape, "(row, slot)")
    return per_day(price * load, slot_hours=slot_hours, probability=probability)


def surplus_usd_per_household_day(revenue: float, energy_purchase: float, fixed_cost: float) -> float:
    """Revenue less the cost to recover; negative is a shortfall. [USD per household-day]

    Parameters
    ----------
    revenue
        Net bills, fixed charges included and export credits taken off.
    energy_purchase
        As in `energy_purchase_usd_per_household_day`.
    fixed_cost
        Network cost K.
    """
    return revenue - energy_purchase - fixed_cost


def welfare_usd_per_household_day(
    utility: float, wear: float, supply_cost: float, fixed_cost: float, carbon: float
) -> float:
    """Welfare W = utility of use − wear − supply cost − K − carbon. [USD per household-day]

    Payments cancel: what a household pays, the utility or a generator receives. Utility is zero at the reference use,
    so W is usually negative and only differences carry meaning.

    Parameters
    ----------
    utility
        Mean utility of electricity use relative to the reference use.
    wear
        Mean battery wear, ≥ 0.
    supply_cost, carbon
        As in `supply_cost_usd_per_household_day` and `carbon_usd_per_household_day`.
    fixed_cost
        Network cost K.
    """
    return utility - wear - supply_cost - fixed_cost - carbon


def efficiency_gap_usd_per_household_day(welfare: float, first_best_welfare: float | None) -> float | None:
    """Welfare lost against the first best; ≥ 0 up to solver tolerance; None without one. [USD per household-day]"""
    return None if first_best_welfare is None else first_best_welfare - welfare


def price_of_anarchy(welfare: float, first_best_welfare: float) -> float | None:
    """Social cost −W over that of the first best; ≥ 1 up to solver tolerance; None where the latter is ≤ 0. [-]"""
    return -welfare / -first_best_welfare if first_best_welfare < 0 else None


def _loads(net_load_kw: npt.ArrayLike, rest_load_kw: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Both loads, checked to have the same (row, slot) shape."""
    load = numbers("net_load_kw", net_load_kw, "(row, slot)")
    rest = numbers("rest_load_kw", rest_load_kw, "(row, slot)")
    require_shape("rest_load_kw", rest, load.shape, "(row, slot)")
    return load, rest
