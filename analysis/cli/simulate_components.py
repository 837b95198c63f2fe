"""The part of ``meanwatt simulate`` about the equilibrium lived by, and about components of its tariff."""

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meanwatt.agents.tariff.tariff import Tariff
    from meanwatt.analysis.cli.inputs import Inputs
    from meanwatt.analysis.simulation.simulation import Simulation
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


def solve_lived(inputs: "Inputs", *, asked: bool, watch: "Watch") -> SolvedMarket:
    """Solve the equilibrium that a market lives by, if it needs one.

    Parameters
    ----------
    asked
        Whether somebody follows it, or a leader begins with it.
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
        composed = solve_composed(economy, tariff, certify=False, watch=watch)
        found = market_equilibrium(composed)
        tariff, more = found.tariff, component_messages(composed)
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


def components_json(done: "Simulation", economy: "Economy") -> dict[str, Any]:
    """What the components of the tariff came to, billed and expected; nothing where it has none."""
    if not done.components:
        return {}
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
