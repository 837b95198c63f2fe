"""The Pareto surface as its chart reads it: efficiency against equity, stability by size."""

from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.dashboard.leader.sighted import Picked, Sighted
from meanwatt.analysis.dashboard.leader.surfacing import Drawn
from meanwatt.analysis.dashboard.leader.words import parameter_label, said
from meanwatt.analysis.dashboard.shared.figures import number
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.pareto.survey import criteria_of
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.economy import DAYS_PER_MONTH

OFFER = (
    "What do efficiency, equity and stability cost each other? Some 150 to 200 tariffs are tried: seconds on the"
    " textbook island, minutes elsewhere."
)
REACH = 2.5
"""End of the efficiency axis over the larger gap of the tariffs in force and found: dearer ones are in the table."""
DIGITS = (2, 2, 4)
"""Decimals printed of the criteria in the units of the page; tariffs that are printed alike are drawn once."""


def surface_json(seen: Sighted, welfare: float, work: Work | None, drawn: Drawn | None, picked: Picked | None) -> str:
    """JSON of the chart, or of the button that asks for it.

    Parameters
    ----------
    welfare
        Of the first best. [USD per household-day]
    work
        The computation under way.
    """
    in_force = _shown(criteria_of(seen.in_force, welfare))
    found = None if seen.best is None else _shown(criteria_of(seen.best.equilibrium, welfare))
    board: dict[str, Any] = {
        "title": "The Pareto surface",
        "help": help_link("read-surface"),
        "offer": OFFER,
        "work": None if work is None else {"text": work.text, "fraction": round(work.fraction, 3)},
        "chart": None,
        "picked": picked is not None,
    }
    if drawn is not None and work is None:
        board["chart"] = _chart(drawn, in_force, found, picked)
    return to_json(board)


def _shown(criteria: Floats) -> Floats:
    """Criteria in the units of the page: $ a month, % of income, $/kWh."""
    return np.asarray(criteria * np.array([DAYS_PER_MONTH, 100.0, 1.0]))


def _chart(drawn: Drawn, in_force: Floats, found: Floats | None, picked: Picked | None) -> dict[str, Any]:
    surface = drawn.surface
    places = _apart(drawn)
    criteria = [_shown(surface.front[place].criteria) for place in places]
    end = REACH * max(float(in_force[0]), 0.0 if found is None else float(found[0]))
    inside = [float(row[2]) for row in criteria if row[0] <= end] or [float(in_force[2])]
    low, high = min(inside), max(inside)
    points = [
        {
            "place": place,
            "x": float(row[0]),
            "y": float(row[1]),
            "size": float(np.clip((row[2] - low) / max(high - low, 1e-9), 0.0, 1.0)),
            "knee": place == surface.knee,
            "picked": picked is not None and picked.place == place,
            "cells": _cells(row),
            "text": f"{_sentence(row)} {_parameters(drawn, place)}",
        }
        for place, row in zip(places, criteria, strict=True)
    ]
    beyond = sum(float(row[0]) > end for row in criteria)
    stopped = surface.outcome is Outcome.CANCELLED
    return {
        "points": points,
        "end": end,
        "in_force": {"x": float(in_force[0]), "y": float(in_force[1]), "text": f"In force. {_sentence(in_force)}"},
        "found": None
        if found is None
        else {"x": float(found[0]), "y": float(found[1]), "text": f"Found. {_sentence(found)}"},
        "swings": [number(value, DIGITS[2]) for value in (low, high)],
        "caption": _caption(drawn, len(points), stopped=stopped),
        "note": ""
        if not beyond
        else f"{counted(beyond, 'tariff')} of larger efficiency gap beyond the right edge: see the table.",
        "stopped": stopped,
    }


def _apart(drawn: Drawn) -> list[int]:
    """Places on the front of tariffs that are not printed alike; the knee stays."""
    front, kept = drawn.surface.front, dict[tuple[str, ...], int]()
    knee = drawn.surface.knee
    for place in ([] if knee is None else [knee]) + list(range(len(front))):
        kept.setdefault(tuple(_cells(_shown(front[place].criteria))), place)
    return sorted(kept.values())


def _cells(row: Floats) -> list[str]:
    return [number(float(value), digits) for value, digits in zip(row, DIGITS, strict=True)]


def _sentence(row: Floats) -> str:
    gap, burden, swing = _cells(row)
    return f"Efficiency gap ${gap} a month, burden gap {burden} %, price swing {swing} $/kWh."


def _parameters(drawn: Drawn, place: int) -> str:
    told, surface = [], drawn.surface
    for name, value in surface.family.describe(surface.front[place].parameters).items():
        label, _, digits = parameter_label(name)
        told.append(f"{label[0].lower()}{label[1:]} {number(value, digits)}")
    text = "; ".join(told)
    return f"{text[:1].upper()}{text[1:]}."


def _caption(drawn: Drawn, count: int, *, stopped: bool) -> str:
    """Read the surface: how many tariffs, and whether one beats the tariff in force."""
    surface = drawn.surface
    unbeaten = (
        f"Of {counted(len(surface.trials), 'tariff')} tried no other one beats {len(surface.front)} on all three, which"
        f" are {counted(count, 'dot')} where those printed alike are one."
    )
    if stopped:
        return f"Stopped on the way. {unbeaten}"
    verdict = " ".join(one.sentence for one in surface.verdicts.values())
    return f"{unbeaten} {said(verdict)}"
