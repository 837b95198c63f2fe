"""The households' game under a posted tariff: what rates they pay, and what price their load brings about."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from meanwatt.agents.household.decision_problem import ValueRule
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.rates import Rates
from meanwatt.agents.tariff.tariff import ExportRule, Tariff, rates
from meanwatt.model.mean_field.population.load_reach import may_export, price_range
from meanwatt.model.scenario.economy import Economy

ROUNDING: Final = 1e-12
"""Shares of the wholesale price this near to each other are the same, and one this near to 0 is none."""


@dataclass(frozen=True, eq=False)
class Game:
    """Households of an economy under a tariff.

    With λ the wholesale price and α the volumetric adder, they answer the rates of (λ, α), and their load brings about
    the price s(L + rest).

    Attributes
    ----------
    economy
        Who plays, and the supply curve s.
    tariff
        What is posted.
    """

    economy: Economy
    tariff: Tariff

    @property
    def couples(self) -> bool:
        """Whether any rate at which somebody buys or sells depends on the wholesale price."""
        return couples(self.economy, self.tariff)

    @cached_property
    def has_potential(self) -> bool:
        """Whether Theorem U's conditions hold, the adder given, and everybody's load counts in the convex potential.

        The load of `held_types` is part of it as a constant: `meanwatt.model.mean_field.solvers.held_part`.
        """
        return not potential_failures(self.economy, self.tariff) and not held_types(self.economy, self.tariff)

    def posted_rates(self, wholesale_usd_per_kwh: Floats, adder_usd_per_kwh: float) -> Rates:
        """Rates (c, h) at a wholesale price (c, h) and an adder, before discounts. [USD/kWh]"""
        return rates(self.tariff, self.economy.common.today, wholesale_usd_per_kwh, adder_usd_per_kwh)

    def own_rates(self, posted: Rates, type_index: int) -> Rates:
        """Posted rates as a household type pays them, by its rate class and its group's discount. [USD/kWh]"""
        return self.tariff.own_rates(posted, self.economy.types[type_index])

    def marginal_cost(self, load_kw: Floats) -> Floats:
        """Wholesale price s(x) at a load x of the whole system (c, h). [USD/kWh]"""
        return self.economy.supply.price(load_kw)

    def marginal_cost_slope(self, load_kw: Floats) -> Floats:
        """Slope s'(x) of the same. (c, h) [USD/kWh per kW]"""
        return self.economy.supply.slope(load_kw)


def couples(economy: Economy, tariff: Tariff) -> bool:
    """Tell whether any rate at which somebody buys or sells depends on the wholesale price."""
    return any(follows_wholesale(economy, tariff, household) for household in economy.types)


def follows_wholesale(economy: Economy, tariff: Tariff, household: HouseholdType) -> bool:
    """Tell whether any rate at which a household type buys or sells depends on the wholesale price."""
    own = tariff.of(household)
    return own.pass_through > ROUNDING or (_credit_follows(own) and may_export(economy, household))


def held_types(economy: Economy, tariff: Tariff) -> list[int]:
    """Places of the types whose rates do not follow the wholesale price, beside rate classes whose rates do."""
    if not tariff.classes or not couples(economy, tariff):
        return []
    return [k for k, household in enumerate(economy.types) if not follows_wholesale(economy, tariff, household)]


def _credit_follows(tariff: Tariff) -> bool:
    """Tell whether the export credit of one class by itself depends on the wholesale price."""
    return tariff.export_rule is ExportRule.NET_BILLING and tariff.export_pass_through > ROUNDING


def kept_shares(economy: Economy, tariff: Tariff) -> Floats:
    """Part 1 − d_θ of its class's import rate that each type pays. (θ,)"""
    return np.array([tariff.kept_share(household) for household in economy.types])


def pass_through_shares(economy: Economy, tariff: Tariff) -> Floats:
    """Share κ of the wholesale price in each type's import rate before its discount. (θ,)

    After it the rate moves with the price by κ_θ = (1 − d_θ)κ.
    """
    return np.array([tariff.of(household).pass_through for household in economy.types], dtype=float)


def potential_failures(economy: Economy, tariff: Tariff) -> list[str]:
    """Conditions of Theorem U that a game with a given adder misses, in words; none: it has a convex potential."""
    scenario = economy.scenario
    failed = []
    if scenario.discount_per_day != 1.0:
        failed.append("the discount is below 1")
    if ValueRule(scenario.value_rule) is not ValueRule.ENTROPY and scenario.temperature_usd > 0:
        failed.append("the value rule is not entropy")
    if couples(economy, tariff):
        failed += _export_failures(economy, tariff)
    return failed


def _export_failures(economy: Economy, tariff: Tariff) -> list[str]:
    """Why what somebody exports is not priced by the wholesale price as what they import."""
    failed: list[str] = []
    for tariff_of_class, exporters in _exporters_by_class(economy, tariff):
        failed += _class_export_failures(economy, tariff_of_class, exporters)
    return list(dict.fromkeys(failed))


def _class_export_failures(economy: Economy, tariff: Tariff, exporters: Sequence[HouseholdType]) -> list[str]:
    """The same of one rate class, whose exporters these are."""
    if tariff.export_rule is ExportRule.NET_METERING or not (tariff.pass_through > ROUNDING or _credit_follows(tariff)):
        return []
    if tariff.export_rule is ExportRule.NONE:
        return ["exports earn nothing while imports follow the wholesale price"] if exporters else []
    passed = tariff.export_pass_through
    own = {t.income_group: (1 - float(tariff.discount[t.group])) * tariff.pass_through for t in exporters}
    off = [group for group, slope in own.items() if abs(slope - passed) > ROUNDING]
    if not off:
        return _cap_failures(economy, tariff, exporters)
    if all(slope == tariff.pass_through for slope in own.values()):
        return ["export and import pass through different shares of the wholesale price"]
    return [
        f"exports of income group {group} pass through {passed:g} of the wholesale price, imports after its discount"
        f" {own[group]:g}"
        for group in off
    ]


def _cap_failures(economy: Economy, tariff: Tariff, exporters: Sequence[HouseholdType]) -> list[str]:
    """Where the posted import rate is negative, a discounted group's is less so, and the cap is not its own."""
    if not tariff.capped_at_import or not any(tariff.discount[household.group] for household in exporters):
        return []
    lowest = tariff.energy_usd_per_kwh[economy.common.today] + tariff.pass_through * price_range(economy)[0]
    return ["a cap on discounted exports may meet a negative import rate"] if (lowest < 0).any() else []


def _exporters_by_class(economy: Economy, tariff: Tariff) -> list[tuple[Tariff, list[HouseholdType]]]:
    """The tariff of every rate class, and the household types in it that can send energy to the grid."""
    found: list[tuple[Tariff, list[HouseholdType]]] = [(own, []) for own in tariff.class_tariffs]
    for household in economy.types:
        if may_export(economy, household):
            found[tariff.class_index(household)][1].append(household)
    return found
