"""What a learner's run leaves behind, as JSON and as columns of a table."""

from typing import Any

from meanwatt.analysis.leader.objective import Objective
from meanwatt.analysis.learning.campaign import Learned


def learning_json(learned: Learned, regret: float | None, objective: Objective) -> dict[str, Any]:
    """The object ``learning`` of ``design --json``; values in the unit of the objective, lists by trial.

    Parameters
    ----------
    regret
        As from `meanwatt.analysis.learning.curves.regret`; None where the commitment was not searched for.
    objective
        What was metered; its ``key`` ends the names of numbers in its unit.
    """
    settings, tried = learned.settings, learned.tried
    chosen = tried[learned.recommended[-1]]
    return {
        "environment": settings["environment"],
        "households": settings.get("households"),
        "days": settings.get("days"),
        "seed": settings["learner_seed"],
        "metered_days": learned.metered_days,
        "recommended_trial": chosen.trial,
        "metered_objective_is": objective.metered_as,
        "metered_objective": chosen.metered,
        "metered_half_width": chosen.half_width,
        f"regret_{objective.key}": regret,
        "curve": {
            "metered_objective": [one.metered for one in tried],
            "objective": [one.objective for one in tried],
            "recommended_objective": list(learned.recommended_objective),
        },
    }


def books_json(learned: Learned) -> dict[str, Any]:
    """The object ``books`` of ``design --json``: who balanced them, and how far they were out."""
    return learned.balance.to_json(learned.books)


def trial_columns(learned: Learned) -> dict[str, list[float | None]]:
    """What is known of every trial beside its parameters, objective and violation."""
    kept = [one.books for one in learned.tried if one.books is not None]
    balance = {"balance_usd_per_household": [one["balance_usd"] for one in kept]} if kept else {}
    return balance | {
        "told": [one.told for one in learned.tried],
        "metered_objective": [one.metered for one in learned.tried],
        "metered_half_width": [one.half_width for one in learned.tried],
        "metered_violation": [one.metered_violation for one in learned.tried],
        "recommended_objective": list(learned.recommended_objective),
    }
