"""How much a solve certifies of its answer, each part a step of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.output.solution_json import find_first_best, first_best_messages
from meanwatt.model.mean_field.certificates import exploitability_usd_per_day
from meanwatt.model.mean_field.components.solving import Composed, solve_composed
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.first_best import FirstBest
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.messages import Messages

STARTS = 5
"""Random starts that vouch for an equilibrium which no theorem makes unique."""
ANSWER_NEEDS = ("exploitability_usd_per_household_day", "contraction")
"""Keys that cost a few evaluations of the population,"""
FIRST_BEST_NEEDS = (
    "first_best.welfare_usd_per_household_day",
    "first_best.duality_gap_usd_per_household_day",
    "first_best.curtailed_kwh_per_household_day",
    "metrics.efficiency_gap_usd_per_household_day",
    "metrics.price_of_anarchy",
)
"""and those that cost a problem of their own."""


class Certify(StrEnum):
    """What is done once the prices are found."""

    NONE = "none"
    """Nothing: the answer alone."""
    QUICK = "quick"
    """Exploitability and contraction."""
    FULL = "full"
    """These, random starts where no theorem makes the equilibrium unique, and the first best."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Certified:
    """An equilibrium and what is certified of it; None stands for what was skipped, cancelled or refused.

    Attributes
    ----------
    composed
        Where the tariff has components: what households see of them, at whose equilibrium the others are.
    exploitability_usd_per_household_day
        What the mean household could gain. [USD/day]
    first_best, first_best_message
        As `find_first_best` gives them.
    messages
        What was skipped or not reached.
    cancelled
        Whether somebody asked to stop before all was done.
    """

    equilibrium: Equilibrium
    composed: Composed | None = None
    exploitability_usd_per_household_day: float | None
    first_best: FirstBest | None
    first_best_message: str
    messages: Messages
    cancelled: bool


def solve_certified(
    economy: Economy,
    tariff: Tariff,
    certify: Certify = Certify.FULL,
    *,
    solver: str = "auto",
    option: str = "certify=",
    watch: Watch | None = None,
    new_stage: Callable[[str], None] = lambda stage: None,
) -> Certified:
    """Solve the equilibrium, then certify it as far as asked.

    Parameters
    ----------
    certify
        How far.
    solver
        Name of the method, as in `solve_equilibrium`.
    option
        How messages write the choice: this and the level.
    watch
        As for `solve_equilibrium`, over every step.
    new_stage
        Called with the name of a step as it begins.
    """
    watch = watch or Watch()
    starts = STARTS if certify is Certify.FULL else 0
    how: dict[str, Any] = {"certify": certify is not Certify.NONE, "starts": starts, "solver": solver, "watch": watch}
    composed = solve_composed(economy, tariff, **how) if tariff.has_components else None
    found = composed.equilibrium if composed else solve_equilibrium(economy, tariff, **how)
    forgone: float | None = None
    best: FirstBest | None = None
    sentence = f"No first best: skipped by {option}{certify}."
    stopped = found.outcome is Outcome.CANCELLED
    try:
        if not stopped and certify is not Certify.NONE:
            new_stage("certificates: exploitability")
            forgone = exploitability_usd_per_day(found.economy, found.tariff, found.answer, watch.check)
        if not stopped and certify is Certify.FULL:
            new_stage("first best")
            best, sentence = find_first_best(economy, watch.fresh())
    except Cancelled:
        stopped = True
    if stopped and certify is Certify.FULL:
        sentence = "No first best: cancelled before it was found."
    return Certified(
        equilibrium=found,
        composed=composed,
        exploitability_usd_per_household_day=forgone,
        first_best=best,
        first_best_message=sentence,
        messages=first_best_messages(best, sentence) if certify is Certify.FULL else skipped(certify, option),
        cancelled=stopped,
    )


def skipped(certify: Certify, option: str) -> Messages:
    """The sentence about the keys that a way of certifying leaves null."""
    if certify is Certify.FULL:
        return ()
    keys = FIRST_BEST_NEEDS if certify is Certify.QUICK else (*ANSWER_NEEDS, *FIRST_BEST_NEEDS)
    return (
        f"{option}{certify}: {', '.join(keys)} are null, and no random start was solved;"
        f" give {option}full for all of them.",
    )
