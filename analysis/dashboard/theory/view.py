"""What the theory lab shows at one instant, as frozen text: the page is a pure function of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.page_view import PageView
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.dashboard.theory import words
from meanwatt.analysis.dashboard.theory.choice import CONCEPTS, DISCOUNT, TEMPERATURE, Choice
from meanwatt.analysis.dashboard.theory.maps import response_maps
from meanwatt.analysis.tabular.played import played
from meanwatt.analysis.tabular.softmax_error import SoftmaxErrors
from meanwatt.analysis.tabular.solution import GameSolution
from meanwatt.model.scenario.ranges import Range
from meanwatt.model.tabular.game_file import games, load_game

MOST_ROUNDS: Final = 60
"""Rounds of the iteration that are drawn."""
NEAREST: Final = 1e-12
"""Distance below which the iteration is at rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures, as JSON for the components; the errors are empty where the game is too large for them."""

    maps: str
    contraction: str
    errors: str
    values: str
    table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View(PageView):
    """All that is on the page.

    Attributes
    ----------
    figures
        None before the game is solved, and after a failure.
    old
        Whether the figures are still those of the choice before.
    """

    figures: Figures | None
    old: bool


def bar_json(choice: Choice, work: Work | None, found: GameSolution | None) -> str:
    """JSON of the bar with the choices."""
    named = choice.named
    return to_json(
        {
            "title": words.TITLE,
            "sentence": words.SENTENCE,
            "choices": [
                {
                    "key": "game",
                    "label": "Game",
                    "help": help_link("stackelberg-game"),
                    "value": choice.game,
                    "options": words.titles({name: load_game(name).title for name in games()}),
                },
                {
                    "key": "concept",
                    "label": "Concept",
                    "help": help_link("read-concepts"),
                    "value": choice.concept,
                    "options": words.titles({name: words.LABELS[name] for name in CONCEPTS}),
                },
            ],
            "fields": [
                _field("discount", "Discount", "", named.game.discount_leader, DISCOUNT, "game-discount"),
                _field("temperature", "Temperature η", named.unit, choice.temperature, TEMPERATURE, "game-temperature"),
            ],
            "about": words.settings_line(named),
            "work": None if work is None else {"text": work.text, "fraction": round(work.fraction, 3)},
            "verdict": "" if found is None else words.verdict(choice, found),
        }
    )


def _field(key: str, label: str, unit: str, value: float, allowed: Range, anchor: str) -> dict[str, Any]:
    return {
        "key": key,
        "label": label,
        "unit": unit,
        "help": help_link(anchor),
        "value": value,
        "low": allowed.low,
        "high": allowed.high,
        "step": 0.01,
        "log": key == "temperature",
    }


def figures(choice: Choice, found: GameSolution) -> Figures:
    """Write what was solved; the errors have no curve yet."""
    return Figures(
        maps=to_json(response_maps(choice, found)),
        contraction=to_json(_contraction(found)),
        errors=errors_json(choice, found, None),
        values=to_json(_values(found)),
        table=to_json(_table(choice, found)),
    )


def _contraction(found: GameSolution) -> dict[str, Any]:
    """Distance to the fixed point by round beside Banach's bounds; the steps where there is no fixed point."""
    at = found.runs[0]
    constants, lines = at.lipschitz, []
    if at.converged:
        lines.append(_line("distance to the fixed point", "a", at.run.errors(), NEAREST, dots=True))
    else:
        lines.append(_line("step of a round", "b", at.run.residuals, NEAREST, dots=True))
    for name, product, style in (
        ("at most, proven", constants.product_bound, "bound-a"),
        ("by the largest factor found, no proof", constants.product_measured, "bound-b"),
    ):
        bounds = at.error_bounds(product)
        if bounds is not None and len(lines) < 2 and product > 0:
            lines.append(_line(f"{name}: factor {words.said(product)}", style, bounds, NEAREST))
    rounds = min(MOST_ROUNDS, max(len(line["values"]) for line in lines) - 1)
    for line in lines:
        line["values"] = line["values"][: rounds + 1]
    return {
        "key": "contraction",
        "title": "Taking turns: how near after each round",
        "help": help_link("read-contraction"),
        "unit": "distance of policies",
        "x_title": "round",
        "x_log": False,
        "x": list(range(rounds + 1)),
        "lines": lines,
        "marks": [],
        "caption": words.contraction_caption(found),
    }


def errors_json(choice: Choice, found: GameSolution, curve: GameSolution | None) -> str:
    """JSON of the softmax errors: the curves, if there are any yet, and where the temperature at hand is."""
    errors = found.errors
    if errors is None:
        return ""
    wide = errors if curve is None or curve.errors is None else curve.errors
    order = np.argsort(wide.temperatures)
    named = found.named
    styles = ("a", "bound-a", "b", "bound-b")
    names = (
        "the leader commits, answers are soft",
        "at most, committing",
        "both soften, in turn",
        "at most, in turn",
    )
    lines = [
        _line(name, style, row[order], words.LEAST, dots=not style.startswith("bound"))
        for name, style, row in zip(names, styles, _columns(wide), strict=True)
    ]
    here = [
        {"y": float(row[0]), "style": style}
        for style, row in zip(styles, _columns(errors), strict=True)
        if np.isfinite(row[0]) and row[0] >= words.LEAST
    ]
    return to_json(
        {
            "key": "errors",
            "title": "What softmax leaves the leader short of the best promise",
            "help": help_link("read-softmax-errors"),
            "unit": named.unit or "value",
            "x_title": f"temperature η{f' [{named.unit}]' if named.unit else ''}",
            "x_log": True,
            "x": wide.temperatures[order].tolist(),
            "ends": [TEMPERATURE.low, TEMPERATURE.high],
            "lines": lines,
            "marks": [{"x": choice.temperature, "text": f"η = {words.said(choice.temperature)}", "dots": here}],
            "caption": words.errors_caption(found, errors, drawn=curve is not None),
        }
    )


def _columns(errors: SoftmaxErrors) -> tuple[Floats, Floats, Floats, Floats]:
    return errors.promise, errors.promise_bound, errors.turns, errors.turns_bound


def _line(name: str, style: str, values: Floats, least: float, *, dots: bool = False) -> dict[str, Any]:
    """A line whose values below the axis are left out."""
    return {
        "name": name,
        "style": style,
        "dots": dots,
        "values": [value if np.isfinite(value) and value >= least else None for value in values.tolist()],
    }


def _values(found: GameSolution) -> dict[str, Any]:
    """What the concepts are worth to both."""
    named, at = found.named, found.runs[0]
    pairs = [
        (words.exact_label(name, found.concepts[name]), [one.leader_objective, words.follower_gets(found, one)])
        for name in CONCEPTS
        if (one := found.concepts[name].equilibrium) is not None
    ]
    gets = None
    if at.converged:
        law = named.game.start_law
        gets = float(law @ at.run.leader_value)
        pairs.append(("Softmax in turn", [gets, float(law @ at.run.follower_value)]))
    return {
        "title": "What the concepts are worth",
        "help": help_link("read-concepts"),
        "unit": f"{named.unit or 'value'}, discounted, from the first state on",
        "names": [named.leader, named.follower],
        "styles": "ba",  # the leader as in the maps
        "unseen": [],
        "axis": _ends([value for _, values in pairs for value in values]),
        "rows": [{"name": name, "values": values} for name, values in pairs],
        "row_title": "Concept",
        "digits": 3,
        "caption": words.values_caption(found, gets),
    }


def _ends(values: Sequence[float]) -> list[float]:
    low, high = min(0.0, *values), max(0.0, *values)
    return [low, high] if high > low else [low, low + 1.0]


def _table(choice: Choice, found: GameSolution) -> dict[str, Any]:
    """Policies and values of the concept chosen, and of the softmax responses below it."""
    named, concept = found.named, found.concepts[choice.concept]
    parts = []
    one = concept.equilibrium
    if one is not None:
        name = words.exact_label(choice.concept, concept)
        parts.append((name, one.leader_policy, one.follower_policy, one.leader_value, one.follower_value))
    at = found.runs[0]
    if at.converged:
        run = at.run
        name = f"Softmax in turn, η = {words.said(at.temperature)}"
        parts.append((name, run.leader_policy, run.follower_policy, run.leader_value, run.follower_value))
    rows = [
        {"concept": name, "cells": [state, leads, answers, f"{own:.3f}", f"{other:.3f}"]}
        for name, lead, follow, lead_value, follow_value in parts
        for state, leads, answers, own, other in zip(
            named.states,
            played(named.leader_actions, lead, named.leader_matters),
            played(named.follower_actions, follow, named.follower_matters),
            lead_value.tolist(),
            follow_value.tolist(),
            strict=True,
        )
    ]
    for row in rows:
        row["cells"] = [cell.replace("-", "−") if k > 2 else cell for k, cell in enumerate(row["cells"])]
    return {
        "title": "The solved game",
        "help": help_link("read-solved-game"),
        "heads": [
            "State",
            f"Play: {named.leader}",
            f"Play: {named.follower}",
            f"Value: {named.leader}",
            f"Value: {named.follower}",
        ],
        "rows": rows,
        "caption": words.verdict(choice, found),
        "notes": words.notes(choice, found),
    }
