"""The part of a solution's JSON object that a tariff's components change or add."""

from typing import Any

import numpy as np

from meanwatt.agents.tariff.components.component import DAYS_PER_MONTH
from meanwatt.agents.tariff.components.tiers import Tiers
from meanwatt.analysis.output.envelopes_json import place_keys
from meanwatt.analysis.output.rate_classes import (
    class_adder_usd_per_kwh,
    class_fixed_charge_usd_per_day,
    class_names,
    rate_class_rows,
)
from meanwatt.analysis.output.solution_json import solution_tables
from meanwatt.model.mean_field.components.amounts import component_of
from meanwatt.model.mean_field.components.component_messages import (
    APPROXIMATIONS,
    approximation_key,
    component_messages,
)
from meanwatt.model.mean_field.components.settled import base_equilibrium
from meanwatt.model.mean_field.components.solving import Composed
from meanwatt.model.scenario.messages import joined

AT_LIMIT = 1e-4
"""An expected month this near to a limit, relative to it, ends there."""


def with_components(result: dict[str, Any], composed: Composed) -> dict[str, Any]:
    """A solution's JSON object as the tariff posts it, with what its components come to.

    Parameters
    ----------
    result
        Of ``solution_json`` for the equilibrium that households see, a rate class for each type.

    Returns
    -------
    dict
        Rates, adder, charges and rate classes are those posted; bills and metrics hold the components. Added:
        ``components``, ``component_residual_usd_per_kwh`` and ``component_residual_usd_per_day``, in every group
        ``<component>_usd_per_day``, and ``<component>_revenue_usd_per_household_day``.
    """
    base, amounts = base_equilibrium(composed), composed.amounts
    share = composed.economy.type_share
    names = class_names(base)
    groups = []
    for k, (row, household) in enumerate(zip(result["groups"], composed.economy.types, strict=True)):
        own = {f"{name}_usd_per_day": float(paid[k]) for name, paid in amounts.usd_per_day.items()}
        kept = {key: value for key, value in row.items() if key != "components_usd_per_day"}
        groups.append({**kept, "rate_class": names[base.tariff.class_index(household)], **own})
    gone = "components_revenue_usd_per_household_day"
    return {
        **{key: value for key, value in result.items() if key != gone},
        "tariff": composed.posted.name,
        "messages": joined(result["messages"], component_messages(composed)),
        "import_usd_per_kwh": base.rates.import_usd_per_kwh,
        "export_usd_per_kwh": base.rates.export_usd_per_kwh,
        "adder_usd_per_kwh": class_adder_usd_per_kwh(base, 0),
        "fixed_charge_usd_per_day": class_fixed_charge_usd_per_day(base, 0),
        "rate_classes": rate_class_rows(base),
        **{f"{name}_revenue_usd_per_household_day": float(share @ paid) for name, paid in amounts.usd_per_day.items()},
        "groups": groups,
        "component_residual_usd_per_kwh": composed.residual_usd_per_kwh,
        "component_residual_usd_per_day": composed.residual_usd_per_day,
        "components": component_rows(composed),
    }


def tables_with_components(result: dict[str, Any], composed: Composed) -> dict[str, dict[str, Any]]:
    """Tables of an equilibrium under components: rates as posted, and types with their whole bills."""
    rows = result["groups"]
    types = {name: [row[name] for row in rows] for name in rows[0]}
    return {**solution_tables(base_equilibrium(composed)), "types": types}


def component_rows(composed: Composed) -> list[dict[str, Any]]:
    """A row for each component of each rate class's tariff: its keys, what is approximated, and who meets it how."""
    return [
        {
            "component": component.name,
            "tariff": own.name,
            **component.to_table(),
            "approximation": APPROXIMATIONS[approximation_key(component)],
            "households": [
                _household(composed, component.name, k)
                for k, household in enumerate(composed.economy.types)
                if composed.posted.class_index(household) == place
            ],
        }
        for place, own in enumerate(composed.posted.class_tariffs)
        for component in own.components
    ]


def _household(composed: Composed, name: str, type_index: int) -> dict[str, Any]:
    """What a component is to one household type."""
    household, amounts = composed.economy.types[type_index], composed.amounts
    row: dict[str, Any] = {
        "income": household.income_group,
        "technology": household.technology,
        **place_keys(household, composed.economy.types),
        "usd_per_month": float(amounts.usd_per_day[name][type_index]) * DAYS_PER_MONTH,
    }
    tiers, peak = component_of(composed.posted.of(household), Tiers), amounts.peaks[type_index]
    if name == "tiers" and tiers is not None:
        row["seasons"] = [_season(composed, tiers, type_index, s) for s in range(len(composed.seasons.names))]
    if name == "demand_charge" and peak is not None:
        row["expected_peak_kw"] = peak.expected_kw + float(amounts.spread_kw[type_index])
        row["unseen_share"] = float(composed.peak_missed[type_index])
        steps = composed.equilibrium.policies[type_index].peak
        if steps is not None:
            weight = (
                composed.equilibrium.answer.flows[type_index].frequency
                * composed.economy.common.probability[:, None, None, None]
            )
            row["peak_on_grid_kw"] = float((weight * steps.raised_kw).sum())
            row["demand_levels_kw"] = steps.levels_kw
        if composed.seen.peak_adder_usd_per_kwh:
            row["perceived_adder_usd_per_kwh"] = composed.seen.peak_adder_usd_per_kwh[type_index]
    if name == "discount_funding":
        row["surcharge_usd_per_kwh"] = composed.seen.surcharge_usd_per_kwh
    return row


def _season(composed: Composed, tiers: Tiers, type_index: int, season: int) -> dict[str, Any]:
    """The expected month of a type in a season, the tier it ends in, counted from 1, and the adder perceived."""
    month = float(composed.amounts.month_kwh[type_index, season])
    limits = np.array(tiers.limits_kwh_per_month)
    return {
        "season": composed.seasons.names[season],
        "month_kwh": month,
        "tier": int(np.searchsorted(limits * (1 + AT_LIMIT), month, side="left")) + 1,
        "at_limit": bool((np.abs(month - limits) <= AT_LIMIT * limits).any()),
        "perceived_adder_usd_per_kwh": float(composed.seen.adder_usd_per_kwh[type_index, season]),
    }
