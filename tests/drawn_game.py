"""A small island whose leader draws one of two tariffs every midnight, each with a chance of a half."""

from functools import cache

import numpy as np
from scenarios import small_economy, small_tariff

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.leader.mixed_tariff import extended_economy, extended_tariff
from meanwatt.model.scenario.economy import Economy

ONE_KIND_OF_DAY = np.ones((1, 1))


@cache
def calm(memory: int = 0) -> Economy:
    """One day type; nine households in ten have a battery."""
    return small_economy(temperature_usd=0.01, battery_share=0.9, weather=ONE_KIND_OF_DAY, memory=memory)


@cache
def windy(memory: int = 0) -> Economy:
    """The same with three day types."""
    return small_economy(temperature_usd=0.01, battery_share=0.9, memory=memory)


def peaks(economy: Economy, *usd_per_kwh: float) -> list[Tariff]:
    """Half of the wholesale price and five cents, and a peak price on the last slot."""
    flat = np.full((len(economy.common.day_types), economy.slots), 0.05)
    menu = []
    for price in usd_per_kwh:
        energy = flat.copy()
        energy[:, -1] += price
        menu.append(
            small_tariff(
                economy,
                name=f"peak {price:g}",
                energy_usd_per_kwh=energy,
                export_usd_per_kwh=energy,
                pass_through=0.5,
                export_pass_through=0.5,
                recovery=Recovery.FIXED,
            )
        )
    return menu


def even(economy: Economy, tariffs: int) -> Floats:
    """All tariffs alike in every common state. (c, menu)"""
    return np.full((economy.common.count, tariffs), 1 / tariffs)


@cache
def drawn(memory: int = 0, *, weather: bool = False) -> Equilibrium:
    """The followers' equilibrium under draws that the scenario's memory counts."""
    economy = (windy if weather else calm)(memory)
    menu = peaks(economy, 0.0, 0.1)
    policy = even(economy, 2)
    return solve_equilibrium(
        extended_economy(economy, menu, policy), extended_tariff(economy, menu, policy), certify=False
    )
