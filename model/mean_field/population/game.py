"""The households' game under a posted tariff: what rates they pay, and what price their load brings about."""

from dataclasses import dataclass

from meanwatt.agents.household.decision_problem import ValueRule
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import ExportRule, Rates, Tariff, rates
from meanwatt.model.scenario.economy import Economy


@dataclass(frozen=True, slots=True, eq=False)
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
        """Whether any rate depends on the wholesale price."""
        return couples(self.tariff)

    @property
    def has_potential(self) -> bool:
        """Whether Theorem U's conditions hold, the adder given: the game has a convex potential."""
        return not potential_failures(self.economy, self.tariff)

    def posted_rates(self, wholesale_usd_per_kwh: Floats, adder_usd_per_kwh: float) -> Rates:
        """Rates (c, h) at a wholesale price (c, h) and an adder, before discounts. [USD/kWh]"""
        return rates(self.tariff, self.economy.common.today, wholesale_usd_per_kwh, adder_usd_per_kwh)

    def own_rates(self, posted: Rates, type_index: int) -> Rates:
        """Posted rates as a household type pays them, its group's discount applied. [USD/kWh]"""
        return self.tariff.for_group(posted, self.economy.types[type_index].group)

    def marginal_cost(self, load_kw: Floats) -> Floats:
        """Wholesale price s(x) at a load x of the whole system (c, h). [USD/kWh]"""
        return self.economy.supply.price(load_kw)

    def marginal_cost_slope(self, load_kw: Floats) -> Floats:
        """Slope s'(x) of the same. (c, h) [USD/kWh per kW]"""
        return self.economy.supply.slope(load_kw)


def couples(tariff: Tariff) -> bool:
    """Tell whether any rate depends on the wholesale price."""
    by_export = tariff.export_rule is ExportRule.NET_BILLING and tariff.export_pass_through > 0
    return tariff.pass_through > 0 or by_export


def potential_failures(economy: Economy, tariff: Tariff) -> list[str]:
    """Conditions of Theorem U that a game with a given adder misses, in words; none: it has a convex potential."""
    scenario = economy.scenario
    failed = []
    if scenario.discount_per_day != 1.0:
        failed.append("the discount is below 1")
    if ValueRule(scenario.value_rule) is not ValueRule.ENTROPY and scenario.temperature_usd > 0:
        failed.append("the value rule is not entropy")
    if not couples(tariff):
        return failed
    if tariff.export_rule is ExportRule.NET_BILLING and tariff.export_pass_through != tariff.pass_through:
        failed.append("export and import pass through different shares of the wholesale price")
    if tariff.export_rule is ExportRule.NONE:
        failed.append("exports earn nothing while imports follow the wholesale price")
    if tariff.discount.any():
        failed.append("a group discount applies to the wholesale price")
    return failed
