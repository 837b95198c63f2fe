"""The rate classes of an equilibrium as rows and arrays; where one tariff holds for all, that is the only class."""

from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.tariff.rates import Rates
from meanwatt.analysis.metrics.equity import DAYS_PER_YEAR
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.scenario.rate_classes import DEFAULT


def class_names(equilibrium: Equilibrium) -> tuple[str, ...]:
    """Names of the rate classes, the default one first."""
    return tuple(one.name for one in equilibrium.tariff.classes) or (DEFAULT,)


def class_of_type(equilibrium: Equilibrium) -> Ints:
    """Place of each household type's rate class. (θ,)"""
    places = [equilibrium.tariff.class_index(household) for household in equilibrium.economy.types]
    return np.array(places, dtype=np.int64)


def type_rates(equilibrium: Equilibrium) -> Rates:
    """Import and export rate of each household type, by its class and after its discount. (θ, c, h) [USD/kWh]"""
    own = [equilibrium.tariff.own_rates(equilibrium.rates, household) for household in equilibrium.economy.types]
    return Rates(
        import_usd_per_kwh=np.array([rates.import_usd_per_kwh for rates in own]),
        export_usd_per_kwh=np.array([rates.export_usd_per_kwh for rates in own]),
    )


def class_adder_usd_per_kwh(equilibrium: Equilibrium, place: int) -> float:
    """Volumetric adder on what a rate class pays; 0 where it keeps its posted rates among others. [USD/kWh]"""
    return equilibrium.class_adder_usd_per_kwh(place)


def class_fixed_charge_usd_per_day(equilibrium: Equilibrium, place: int) -> dict[str, float]:
    """Fixed charge of a rate class by income group. [USD/day]"""
    groups = equilibrium.economy.groups
    own: Floats = equilibrium.fixed_charge_usd_per_day[place * len(groups) : (place + 1) * len(groups)]
    return dict(zip(groups, own.tolist(), strict=True))


def class_bills_usd_per_year(equilibrium: Equilibrium, classes: Ints) -> Floats:
    """Mean bill of the households in each rate class, whose place by household type is given. (class,) [USD/yr]"""
    share = equilibrium.economy.type_share
    paid = np.bincount(classes, weights=share * equilibrium.bill_usd_per_day)
    return np.asarray(DAYS_PER_YEAR * paid / np.bincount(classes, weights=share))


def rate_class_rows(equilibrium: Equilibrium) -> list[dict[str, Any]]:
    """One row per rate class: name, tariff, share of the households, rates (c, h) before discounts, adder, charges."""
    places, rates = class_of_type(equilibrium), equilibrium.rates
    rows = zip(class_names(equilibrium), equilibrium.tariff.class_tariffs, rates.by_class or (rates,), strict=True)
    return [
        {
            "name": name,
            "tariff": tariff.name,
            "share": float(equilibrium.economy.type_share[places == place].sum()),
            "import_usd_per_kwh": own.import_usd_per_kwh,
            "export_usd_per_kwh": own.export_usd_per_kwh,
            "adder_usd_per_kwh": class_adder_usd_per_kwh(equilibrium, place),
            "fixed_charge_usd_per_day": class_fixed_charge_usd_per_day(equilibrium, place),
        }
        for place, (name, tariff, own) in enumerate(rows)
    ]
