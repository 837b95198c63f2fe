"""A Pareto surface as the object ``pareto`` of ``design --json``, and as the columns of a table."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.pareto.surface import Surface
from meanwatt.analysis.pareto.survey import CRITERIA, EvaluatedTariff


def named(criteria: Floats) -> dict[str, float | None]:
    """Criteria under their names; undefined ones are None."""
    return {name: None if np.isnan(value) else value for name, value in zip(CRITERIA, criteria.tolist(), strict=True)}


def pareto_json(surface: Surface) -> dict[str, Any]:
    """The object ``pareto``: units are those of the same names in ``metrics``, parameters those of the family.

    ``filed`` is the tariff in force, ``tariffs`` has it and the others by name. ``knee`` is the entry of ``points``
    with its distance from the plane through the optima; ``verdict`` is in words what ``contests`` has by rival.
    """

    def judged(one: EvaluatedTariff) -> dict[str, Any]:
        return {"parameters": surface.family.describe(one.parameters), **named(one.criteria)}

    knee = surface.knee
    return {
        "outcome": surface.outcome,
        "evaluations": len(surface.trials),
        "seconds": surface.seconds,
        "points": [judged(one) for one in surface.front],
        "optima": None
        if surface.optima is None
        else {name: named(row) for name, row in zip(CRITERIA, surface.optima, strict=True)},
        "knee": None if knee is None else {**judged(surface.front[knee]), "distance": surface.knee_distance},
        "filed": {"tariff": surface.in_force, **named(surface.tariffs[surface.in_force])},
        "tariffs": {name: named(criteria) for name, criteria in surface.tariffs.items()},
        "objectives": {name: dict(worth) for name, worth in surface.objectives.items()},
        "verdict": " ".join(found.sentence for found in surface.verdicts.values()) or None,
        "contests": {
            name: {
                "beaten": found.beaten,
                "tariff": judged(found.best),
                "change": named(found.change),
                "relative_change": named(found.relative_change),
                "stopped_by": found.stops,
                "least_excess_with_the_others_held": named(found.least_excess),
            }
            for name, found in surface.verdicts.items()
        },
    }


def pareto_columns(surface: Surface) -> Mapping[str, Any]:
    """One row per tariff tried: parameters, criteria, whether it is on the front, and whether it is the knee."""
    front = {id(one) for one in surface.front}
    knee = None if surface.knee is None else surface.front[surface.knee]
    trials = surface.trials
    columns: dict[str, Any] = {
        name: [float(one.parameters[place]) for one in trials] for place, name in enumerate(surface.family.free)
    }
    columns |= {name: [float(one.criteria[place]) for one in trials] for place, name in enumerate(CRITERIA)}
    return columns | {
        "on_front": [id(one) in front for one in trials],
        "knee": [one is knee for one in trials],
    }
