"""Small worlds in which income groups pay different shares of the wholesale price, and Theorem U holds all the same."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
from scenarios import small_economy, small_tariff

from meanwatt.agents.tariff.tariff import ExportRule, Tariff
from meanwatt.model.scenario.economy import Economy

MORE: Final = 3.0
"""Factor on reference demand that keeps use above what a battery gives."""


def _posted(economy: Economy, **changes: object) -> Tariff:
    """Four fifths of the wholesale price and five cents; exports earn what is given."""
    shape = (len(economy.common.day_types), economy.slots)
    settings = {
        "pass_through": 0.8,
        "energy_usd_per_kwh": np.full(shape, 0.05),
        "export_usd_per_kwh": np.full(shape, 0.02),
    }
    return small_tariff(economy, **{**settings, **changes})


def _net_metered(economy: Economy) -> tuple[Economy, Tariff]:
    return economy, _posted(economy, export_rule=ExportRule.NET_METERING, discount=np.array([0.4, 0.1]))


def _one_discount(economy: Economy) -> tuple[Economy, Tariff]:
    return economy, _posted(economy, discount=np.array([0.25, 0.25]), export_pass_through=0.6)


def _cut(economy: Economy) -> tuple[Economy, Tariff]:
    """The import rate after discount, which no price makes negative, cuts what exports would earn in some slots."""
    tariff = _one_discount(economy)[1]
    energy = np.full(tariff.energy_usd_per_kwh.shape, 0.3)
    credit = np.linspace(0.15, 0.3, economy.slots) + np.zeros(energy.shape)
    return economy, replace(tariff, energy_usd_per_kwh=energy, export_usd_per_kwh=credit, capped_at_import=True)


def _only_buyers_discounted(economy: Economy) -> tuple[Economy, Tariff]:
    """The low group, which pays less, has neither sun nor batteries."""
    low = tuple(replace(t, share=0.5) for t in economy.types if t.group == 0 and not t.battery)
    types = (*low, *(t for t in economy.types if t.group))
    return replace(economy, types=types), _posted(economy, discount=np.array([0.35, 0.0]), export_pass_through=0.8)


def _buyers(economy: Economy) -> Economy:
    """Everybody uses more than their battery gives, and has no sun."""
    types = (replace(t, pv_kw=np.zeros(t.pv_kw.shape), reference_kw=MORE * t.reference_kw) for t in economy.types)
    return replace(economy, types=tuple(types))


def _nobody_exports(economy: Economy) -> tuple[Economy, Tariff]:
    return _buyers(economy), _posted(economy, discount=np.array([0.3, 0.0]), export_pass_through=0.1)


def _nothing_for_exports(economy: Economy) -> tuple[Economy, Tariff]:
    return _buyers(economy), _posted(economy, discount=np.array([0.3, 0.0]), export_rule=ExportRule.NONE)


DISCOUNTED: Final[dict[str, Callable[[Economy], tuple[Economy, Tariff]]]] = {
    "net metering, two discounts": _net_metered,
    "exports follow the price after the discount": _one_discount,
    "exports cut at the discounted rate": _cut,
    "discounted are those who never export": _only_buyers_discounted,
    "nobody exports, whatever it earned": _nobody_exports,
    "nobody exports, which earns nothing": _nothing_for_exports,
}
"""How to make each of them of a small economy."""


def discounted(name: str, **scenario: object) -> tuple[Economy, Tariff]:
    """The world of that name; arguments as of `small_economy`."""
    return DISCOUNTED[name](small_economy(**scenario))
