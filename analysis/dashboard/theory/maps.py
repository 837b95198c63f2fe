"""The best-response maps as the components draw them: the squares and triangles of ``meanwatt game``'s figure."""

from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.theory import words
from meanwatt.analysis.dashboard.theory.choice import CONCEPTS, Choice
from meanwatt.analysis.tabular.action_panel import OWN_ACTIONS, side_of
from meanwatt.analysis.tabular.response_figure import PANELS, pairs_that_answer
from meanwatt.analysis.tabular.response_slices import NO_MOVE, ExactLine, Pair, exact_line, soft_line
from meanwatt.analysis.tabular.solution import GameSolution
from meanwatt.analysis.tabular.square_panel import SHORT_WAY, answer_path, cobweb, held_policies, indifferent
from meanwatt.analysis.tabular.triangle_panel import CORNERS, PALE, SIDE, answers, triangle_cells
from meanwatt.model.tabular.softmax_games import ResponseMap, follower_map, leader_map

DIGITS: Final = 4
"""Of a probability that is drawn."""


def response_maps(choice: Choice, found: GameSolution) -> dict[str, Any]:
    """What each answers the other, a panel a pair of states, or in a game of three actions one a player and pair."""
    named = found.named
    square = len(named.leader_actions) == len(named.follower_actions) == 2
    every = pairs_that_answer(found)
    pairs = every[:PANELS]
    if square:
        panels = [_square(choice, found, pair) for pair in pairs]
    else:
        panels = [
            _triangle(found, pair, leads=leads)
            for pair in pairs
            for leads, moves in ((False, pair.by_leader), (True, pair.by_follower))
            if moves > NO_MOVE
        ]
    note = ""
    if len(named.states) > 1 and pairs:
        note = "Play in other states is held" + (
            ": exact as under commitment, softmax as where taking turns ended." if square else " as where it ended."
        )
        if len(every) > len(pairs):
            note += f" {len(pairs)} of {len(every)} pairs of states are drawn."
    at = found.runs[0]
    return {
        "title": "What each answers the other",
        "help": help_link("read-response-maps"),
        "kind": "square" if square else "triangle",
        "names": [named.leader, named.follower],
        "temperature": words.said(at.temperature),
        "chosen": words.LABELS[choice.concept],
        "cycle": at.run.period,
        "taken": len(at.run.residuals) if at.converged else 0,
        "panels": panels,
        "caption": words.maps_caption(found, len(panels)),
        "note": note,
    }


def _square(choice: Choice, found: GameSolution, pair: Pair) -> dict[str, Any]:
    named, at = found.named, found.runs[0]
    r, s = pair.leader_state, pair.follower_state
    x, y = held_policies(found)
    lines: list[dict[str, Any]] = []
    if named.follower_matters[s]:
        exact = exact_line(follower_map(named.game, 1.0), x, r, s)
        soft = _soft(follower_map(named.game, at.temperature), at.run.leader_policy, r, s)
        lines.append({"who": "follower", "exact": _exact(exact), "any": _stretches(exact), "soft": soft})
    if named.leader_matters[r]:
        exact = exact_line(leader_map(named.game, 1.0), y, s, r)
        soft = _soft(leader_map(named.game, at.temperature), at.run.follower_policy, s, r)
        lines.append({"who": "leader", "exact": _exact(exact), "any": _stretches(exact), "soft": soft})
    web = cobweb(found, at, pair)
    run = at.run
    return {
        "title": _where(found, pair),
        "x_title": f"{named.leader}: probability of {named.leader_actions[0]}",
        "y_title": f"{named.follower}: probability of {named.follower_actions[0]}",
        "lines": lines,
        "path": _pairs(web) if np.ptp(web, axis=0).max() > SHORT_WAY else [],
        "marks": _marks(choice, found, pair),
        "meet": [_short(run.leader_policy[r, 0]), _short(run.follower_policy[s, 0])] if at.converged else None,
    }


def _where(found: GameSolution, pair: Pair) -> str:
    named = found.named
    if len(named.states) == 1:
        return ""
    lead, follow = named.states[pair.leader_state], named.states[pair.follower_state]
    return f"in {lead}" if lead == follow else f"{named.leader} in {lead}, {named.follower} in {follow}"


def _exact(line: ExactLine) -> list[list[float | None]]:
    """Corners of an exact response: the other's probability, and the answer; null where anything is an answer."""
    along, answer = answer_path(line)
    seen = np.where(np.isnan(answer), -1.0, answer)
    kept = np.ones(len(seen), dtype=np.bool_)
    kept[1:-1] = (seen[1:-1] != seen[:-2]) | (seen[1:-1] != seen[2:])
    return [[_short(p), None if np.isnan(q) else _short(q)] for p, q in zip(along[kept], answer[kept], strict=True)]


def _stretches(line: ExactLine) -> list[list[float]]:
    """Where along the other's probability any answer is best: from, to."""
    tied = indifferent(line)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], tied, [False]]).astype(int)))
    return [
        [_short(line.probability[start]), _short(line.probability[end - 1])]
        for start, end in zip(edges[::2], edges[1::2], strict=True)
    ]


def _soft(response: ResponseMap, policy: Floats, state: int, own: int) -> list[list[float]]:
    p, soft = soft_line(response, policy, state, own)
    return _pairs(np.stack([p, soft[:, 0]], axis=1)[::2])


def _marks(choice: Choice, found: GameSolution, pair: Pair) -> list[dict[str, Any]]:
    """Where the concepts lie; the one chosen last, on top."""
    marks = []
    for name in sorted(CONCEPTS, key=lambda name: name == choice.concept):
        one = found.concepts[name].equilibrium
        if one is not None:
            marks.append(
                {
                    "name": words.exact_label(name, found.concepts[name]),
                    "at": [
                        _short(one.leader_policy[pair.leader_state, 0]),
                        _short(one.follower_policy[pair.follower_state, 0]),
                    ],
                    "chosen": name == choice.concept,
                }
            )
    return marks


def _triangle(found: GameSolution, pair: Pair, *, leads: bool) -> dict[str, Any]:
    side = side_of(found, pair, leads=leads)
    colours = np.array([[int(c[k : k + 2], 16) for k in (1, 3, 5)] for c in OWN_ACTIONS])
    shares = answers(side.response, side.held, (side.state, side.own), triangle_cells())
    mixed = 255 - PALE * (255 - shares @ colours[: len(side.actions)])
    states = found.named.states
    at = [f" in {states[place]}" if len(states) > 1 else "" for place in (side.own, side.state)]
    return {
        "title": f"{side.who}{at[0]}, answering {side.whom}{at[1]}",
        "side": SIDE,
        "cells": "".join(f"{r:02x}{g:02x}{b:02x}" for r, g, b in np.rint(mixed).astype(int).tolist()),
        "corners": list(side.other),
        "actions": [{"name": name, "colour": colour} for name, colour in zip(side.actions, OWN_ACTIONS, strict=False)],
        "path": _pairs(side.path @ CORNERS),
    }


def _pairs(points: Floats) -> list[list[float]]:
    return [[_short(x), _short(y)] for x, y in points]


def _short(value: float) -> float:
    return round(float(value), DIGITS)
