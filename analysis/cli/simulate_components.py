"""The part of ``meanwatt simulate`` about the equilibrium lived by, components of its tariff and credits that wait."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meanwatt.agents.tariff.tariff import Tariff
    from meanwatt.analysis.cli.inputs import Inputs
    from meanwatt.analysis.simulation.simulation import Simulation
    from meanwatt.model.market.behaviour_spec import BehaviourSpec
    from meanwatt.model.mean_field.components.solving import Composed
    from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome
    from meanwatt.model.progress.watch import Watch
    from meanwatt.model.scenario.economy import Economy
    from meanwatt.model.scenario.messages import Messages


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SolvedMarket:
    """What a market lives by.

    Attributes
    ----------
    tariff
        Billed day by day.
    found
        The equilibrium, where one is needed.
    composed
        The components under which it is one, where the tariff has any.
    outcome, message, messages
        How the solve ended, and what is not as asked.
    """

    tariff: "Tariff"
    found: "Equilibrium | None"
    composed: "Composed | None"
    outcome: "Outcome"
    message: str
    messages: "Messages"


def unaware_behaviours(ways: "Sequence[BehaviourSpec]") -> tuple[str, ...]:
    """Names of the behaviours that decide by rates alone: all but the equilibrium's."""
    return tuple(way.name for way in ways if way.kind != "equilibrium")


def solve_lived(inputs: "Inputs", *, asked: bool, unaware: Sequence[str], watch: "Watch") -> SolvedMarket:
    """Solve the equilibrium that a market lives by, if it needs one.

    Parameters
    ----------
    asked
        Whether somebody follows it, or a leader begins with it.
    unaware
        Behaviours that decide by rates alone, whatever the tariff's components.

    Raises
    ------
    ValueError
        In one line, if such a one meets a charge on the day's maximum that is a part of households' state.
    """
    from meanwatt.agents.tariff.tariff import Recovery
    from meanwatt.model.mean_field.components.component_messages import component_messages
    from meanwatt.model.mean_field.components.settled import market_equilibrium
    from meanwatt.model.mean_field.components.solving import solve_composed
    from meanwatt.model.mean_field.equilibrium import Outcome, solve_equilibrium

    economy, tariff = inputs.economy, inputs.tariff
    composed: Composed | None = None
    more: Messages = ()
    if tariff.has_components:
        _require_stateless(tariff, unaware)
        composed = solve_composed(economy, tariff, certify=False, watch=watch)
        found = market_equilibrium(composed)
        tariff, more = found.tariff, _about_components(component_messages(composed), composed, asked, unaware)
    elif asked or tariff.recovery is not Recovery.POSTED:
        found = solve_equilibrium(economy, tariff, certify=False, watch=watch)
    else:
        return SolvedMarket(
            tariff=tariff, found=None, composed=None, outcome=Outcome.CONVERGED, message="", messages=()
        )
    return SolvedMarket(
        tariff=tariff,
        found=found,
        composed=composed,
        outcome=found.outcome,
        message=found.message,
        messages=(*found.messages, *more),
    )


def _require_stateless(tariff: "Tariff", unaware: Sequence[str]) -> None:
    """Raise ``ValueError`` where the day's largest import is to be a part of the state of homes that know no such."""
    from meanwatt.agents.tariff.components.demand_charge import DemandCharge, DemandView
    from meanwatt.model.mean_field.components.amounts import component_of

    for own in tariff.class_tariffs if unaware else ():
        charge = component_of(own, DemandCharge)
        if charge is not None and charge.decision is DemandView.STATE:
            raise ValueError(
                f"tariff {own.name} has demand_charge.decision state, and behaviour {unaware[0]} has no such state;"
                " give demand_charge.decision=ignored, or behaviour equilibrium alone"
            )


def _about_components(told: "Messages", composed: "Composed", asked: bool, unaware: Sequence[str]) -> "Messages":
    """What is said of components: what followers of the equilibrium approximate if there are any, and who sees none."""
    from meanwatt.model.mean_field.components.component_messages import approximations

    if not unaware:
        return told
    followed = told if asked else tuple(text for text in told if text not in approximations(composed.posted))
    names = dict.fromkeys(part.name for own in composed.posted.class_tariffs for part in own.components)
    return (
        *followed,
        f"homes of behaviour {', '.join(unaware)} decide by the rates of the slot and see nothing of"
        f" {', '.join(names)}; every home's own months are billed, adder, charges and surcharges being those of the"
        " equilibrium.",
    )


def components_json(done: "Simulation", economy: "Economy") -> dict[str, Any]:
    """What the components of the tariff came to, billed and expected; nothing where it has none."""
    if not done.components:
        return {}
    from meanwatt.analysis.output.envelopes_json import place_keys

    share = economy.type_share
    return {
        "components": [
            {
                "component": row.component,
                "billed_usd_per_household_day": row.billed_mean_usd(share),
                "expected_usd_per_household_day": float(share @ row.expected_usd),
                "households": [
                    {
                        "income": one.income_group,
                        "technology": one.technology,
                        **place_keys(one, economy.types),
                        "billed_usd_per_day": None if isnan(billed) else float(billed),
                        "expected_usd_per_day": float(expected),
                    }
                    for one, billed, expected in zip(economy.types, row.billed_usd, row.expected_usd, strict=True)
                ],
            }
            for row in done.components
        ]
    }


def component_rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Rows of the tariff's components: what was billed, and what the expected month would have been."""
    from meanwatt.analysis.cli.show import figure

    return [
        (
            f"{row['component'].replace('_', ' ')}, billed",
            figure(row["billed_usd_per_household_day"], 4),
            f"USD per household-day, expected {figure(row['expected_usd_per_household_day'], 4)}",
        )
        for row in result.get("components", [])
    ]


def credit_rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Rows of credits that wait for later months, class by class: what was lost, and what bills came to above."""
    from meanwatt.analysis.cli.show import figure

    rows = [row for row in result.get("credits", []) if row["households"]]
    unit = "USD per household-year"
    return [
        (f"{what}, {row['class']}", figure(row[key], 2), unit)
        for row in rows
        for what, key in (
            ("credits forfeited", "credit_forfeited_usd_per_household_year"),
            ("bills above those by slot", "above_slotwise_usd_per_household_year"),
        )
    ]
