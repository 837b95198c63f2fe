"""The household types of a scenario: income groups times technologies, at its own shares or at others."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.model.scenario.day_profiles import day_profiles
from meanwatt.model.scenario.rate_classes import opted_in
from meanwatt.model.scenario.schema import Scenario
from meanwatt.model.scenario.technologies import TECHNOLOGIES, technology_shares
from meanwatt.model.scenario.weather import CommonStates


def household_types(
    scenario: Scenario,
    common: CommonStates,
    shares: Sequence[Mapping[str, float]] | None = None,
    opted: Sequence[Mapping[str, float]] | None = None,
) -> tuple[HouseholdType, ...]:
    """Household types of positive share, by income group, then as in ``TECHNOLOGIES``; shares sum to one.

    Where a rate class may be chosen those who did follow, as a type of their own, those who did not.

    Parameters
    ----------
    common
        The scenario's weather chain.
    shares
        For each income group, the share of it that owns each technology; those not named nobody owns. The scenario's
        own without it.
    opted
        For each income group, the part of the owners of each technology that chose the rate class open to them.
    """
    choices = opted_in(scenario)
    profiles = day_profiles(scenario)
    load_kw, pv_factor = profiles.group_load_kw[:, common.today], profiles.pv_factor[common.today]
    total = sum(group.share for group in scenario.income_groups.values())
    types = []
    for index, (name, group) in enumerate(scenario.income_groups.items()):
        own = technology_shares(scenario, group) if shares is None else shares[index]
        for technology in TECHNOLOGIES:
            part = own.get(technology.name, 0.0)
            if part * group.share == 0:
                continue
            chosen, chose = choices.get((technology.name, index), ("", 0.0))
            if opted is not None and chosen:
                chose = opted[index].get(technology.name, 0.0)
            multiplier = group.use_factor * (scenario.load.adopter_multiplier if technology.solar else 1.0)
            installed_kw = group.pv_kw * scenario.pv_scale if technology.solar else 0.0
            household = HouseholdType(
                income_group=name,
                group=index,
                technology=technology.name,
                share=part * group.share / total,
                income_usd_per_year=group.income_usd_per_year,
                reference_kw=multiplier * load_kw[index],
                pv_kw=installed_kw * profiles.clear_day * pv_factor,
                battery=technology.storage(scenario) if technology.storage else None,
                elasticity=scenario.elasticity,
                flexibility=scenario.flexibility,
                reference_price_usd_per_kwh=scenario.reference_price_usd_per_kwh,
                curtailable=scenario.pv.curtailable,
                pv_installed_kw=installed_kw,
            )
            divided = (("", 1 - chose), (chosen, chose))
            types += [replace(household, share=w * household.share, rate_class=name) for name, w in divided if w > 0]
    return tuple(types)
