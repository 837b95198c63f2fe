"""Small worlds in which not everybody has the same tariff."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from scenarios import small_tariff

from meanwatt.agents.tariff.rate_classes import with_classes
from meanwatt.agents.tariff.tariff import ExportRule, RateClass, Tariff
from meanwatt.model.scenario.economy import Economy

Member = tuple[str, int]


def in_classes(*pairs: tuple[Tariff, Sequence[Member]]) -> Tariff:
    """Tariffs side by side, each for its members, the default class's first."""
    return with_classes(
        [
            RateClass(name=f"class{place}", tariff=tariff, members=frozenset(members))
            for place, (tariff, members) in enumerate(pairs)
        ]
    )


BUYERS: Final = (("none", 0), ("none", 1))
STORING: Final = (("pv_battery", 0), ("pv_battery", 1))
"""The household types of `scenarios.small_economy`: technology and place of the income group."""


def posted(economy: Economy, **changes: object) -> Tariff:
    """A time-of-use price and a share of the wholesale price; exports earn as much of that and two cents."""
    shape = (len(economy.common.day_types), economy.slots)
    settings = {
        "energy_usd_per_kwh": np.linspace(0.04, 0.1, economy.slots) + np.zeros(shape),
        "export_usd_per_kwh": np.full(shape, 0.02),
    }
    return small_tariff(economy, **{**settings, **changes})


def two_shares(economy: Economy) -> Tariff:
    """Buyers follow a third of the wholesale price, those who store four fifths of it, the poor at a discount."""
    buyers = posted(economy, name="buyers", pass_through=0.3, export_pass_through=0.0)
    storing = posted(
        economy,
        name="storing",
        pass_through=0.8,
        export_rule=ExportRule.NET_METERING,
        discount=np.array([0.25, 0.0]),
    )
    return in_classes((buyers, BUYERS), (storing, STORING))


def by_group(economy: Economy) -> Tariff:
    """The rich have half of the wholesale price under net billing, the poor all of it."""
    half = posted(economy, name="half", pass_through=0.5, export_pass_through=0.5)
    whole = posted(economy, name="whole")
    return in_classes(
        (whole, [("none", 0), ("pv_battery", 0)]),
        (half, [("none", 1), ("pv_battery", 1)]),
    )


def one_held(economy: Economy) -> Tariff:
    """Buyers, who have a flat price, and those who store, who have all of the wholesale price."""
    flat = posted(economy, name="flat", pass_through=0.0, export_pass_through=0.0)
    return in_classes((flat, BUYERS), (posted(economy, name="whole"), STORING))


def storing_held(economy: Economy) -> Tariff:
    """Those who store have posted rates, the others all of the wholesale price."""
    flat = posted(economy, name="flat", pass_through=0.0, export_pass_through=0.0)
    return in_classes((posted(economy, name="whole"), BUYERS), (flat, STORING))


WORLDS: Final = {
    "two shares of the price": two_shares,
    "a class for each income group": by_group,
    "a flat price beside a real-time one": one_held,
    "a flat price for those who store": storing_held,
}
"""How to make the tariffs of each of them for a small economy; Theorem U holds in all."""
