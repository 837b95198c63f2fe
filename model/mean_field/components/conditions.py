"""What a tariff with components must keep to, and what is known of uniqueness under it."""

from meanwatt.agents.tariff.components.demand_charge import DemandCharge, DemandView
from meanwatt.agents.tariff.components.discount_funding import DiscountFunding, FundedBy
from meanwatt.agents.tariff.components.tiers import Perception, Tiers
from meanwatt.agents.tariff.tariff import ExportRule, Tariff
from meanwatt.model.mean_field.certificates import OBSERVED
from meanwatt.model.mean_field.components.amounts import component_of
from meanwatt.model.mean_field.components.perceived import without_components
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.mean_field.population.game import ROUNDING, Game, couples
from meanwatt.model.mean_field.population.load_reach import may_export
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.envelopes import limits_load


def require_held(economy: Economy, tariff: Tariff) -> None:
    """Raise ``ValueError``, in one line, where components cannot be solved with what stands beside them."""
    funding = [component_of(one, DiscountFunding) for one in tariff.class_tariffs]
    if len({one.by if one else None for one in funding}) > 1:
        raise ValueError(
            "discount_funding differs between rate classes, but all customers pay it; give the same to every tariff"
        )
    for one in tariff.class_tariffs:
        moves_rates = component_of(one, Tiers) or component_of(one, DiscountFunding)
        if moves_rates and one.capped_at_import:
            raise ValueError(
                f"tariff {one.name} has {moves_rates.name} and export.capped_at_import = true, and what caps the credit"
                " would differ from home to home; give false"
            )
        demand = component_of(one, DemandCharge)
        if demand is not None and demand.decision is DemandView.EX_ANTE and economy.scenario.temperature_usd == 0:
            raise ValueError(
                "demand_charge.decision = ex_ante needs a temperature: at 0 all move at once; give temperature_usd > 0"
            )
        cold = economy.scenario.temperature_usd == 0 and couples(economy, without_components(tariff))
        if demand is not None and demand.decision is DemandView.STATE and cold:
            raise ValueError(
                "demand_charge.decision = state needs a temperature where the price acts on rates: at 0 all move at"
                " once; give temperature_usd > 0, or pass_through and export.pass_through = 0"
            )
        if demand is not None and demand.decision is DemandView.STATE and limits_load(economy.types):
            raise ValueError(
                "demand_charge.decision = state carries the day's largest import through plans without limits, and the"
                " scenario has feeder.envelopes; give ex_ante or ignored, or leave out the envelopes"
            )
    if economy.one_day is not None:
        raise ValueError(f"tariff {tariff.name} has components by the month, and one_day is a single day; leave it out")


def known_of_uniqueness(economy: Economy, tariff: Tariff, found: Equilibrium) -> str:
    """What is known of uniqueness once adders are not given but answer households: theorem C12."""
    certainty = found.uniqueness
    if certainty.startswith(OBSERVED):
        return certainty
    reasons = (
        ["a kWh of the first tier costs less than one fed in earns"] if _earns_more(economy, tariff, found) else []
    )
    for one in tariff.class_tariffs:
        tiers, funding = component_of(one, Tiers), component_of(one, DiscountFunding)
        demand = component_of(one, DemandCharge)
        if demand is not None and demand.decision is DemandView.EX_ANTE:
            reasons.append("the adders of a demand charge are not given")
        if tiers is not None and tiers.perception is Perception.AVERAGE:
            reasons.append("tiers are perceived on average")
        if funding is not None and funding.by is FundedBy.PER_KWH:
            reasons.append("the surcharge that funds discounts is not given")
    return f"{OBSERVED}: {'; '.join(dict.fromkeys(reasons))}" if reasons else certainty


def _earns_more(economy: Economy, tariff: Tariff, found: Equilibrium) -> bool:
    """Whether somebody's first tier is cheaper than what it earns for what it feeds in."""
    base = without_components(tariff)
    rates = Game(economy, base).posted_rates(found.wholesale_usd_per_kwh, found.adder_usd_per_kwh)
    for household in economy.types:
        tiers, own = component_of(tariff.of(household), Tiers), base.own_rates(rates, household)
        if tiers is None or base.of(household).export_rule is ExportRule.NET_METERING:
            continue
        first = own.import_usd_per_kwh + tiers.adders_usd_per_kwh[0]
        if may_export(economy, household) and (first < own.export_usd_per_kwh - ROUNDING).any():
            return True
    return False
