"""A tariff whose books are balanced in equal parts, to compare it with tariffs that recover cost to the cent."""

from dataclasses import replace

from meanwatt.model.mean_field.equilibrium import Equilibrium


def balanced(found: Equilibrium) -> Equilibrium:
    """An equilibrium with the utility's surplus returned, or its shortfall charged, to every household alike.

    Fixed charges move nobody, so prices, loads and welfare stay; bills and burdens change.
    """
    charge = found.fixed_charge_usd_per_day - found.surplus_usd_per_household_day
    return replace(found, fixed_charge_usd_per_day=charge, surplus_usd_per_household_day=0.0)
