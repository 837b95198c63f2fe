"""The best-response maps of a game: what each player answers the other, exact and softened."""

import textwrap
from typing import TYPE_CHECKING, Any, Final

from meanwatt.analysis.tabular.action_panel import draw_actions
from meanwatt.analysis.tabular.drawn import LABEL, TICK, TITLE, drawn_runs
from meanwatt.analysis.tabular.response_slices import NO_MOVE, Pair, answering_pairs
from meanwatt.analysis.tabular.solution import GameSolution
from meanwatt.analysis.tabular.square_panel import draw_square

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANELS: Final = 2
"""Pairs of states that are drawn: those between which responses move most."""


def responses_figure(solution: GameSolution) -> "Figure":
    """Draw what each answers the other, one column a pair of states between which somebody answers.

    Where both have two actions, both maps share a square: each answers the other where they cross. Else a panel shows
    one player's probabilities of its actions, or their colours over a triangle of the other's three. In other states
    play is held.
    """
    from matplotlib.figure import Figure

    named = solution.named
    square = len(named.leader_actions) == len(named.follower_actions) == 2
    every = pairs_that_answer(solution)
    pairs = every[:PANELS]
    figure = Figure(figsize=(10.5 if len(pairs) < 2 else 15, 7.0 if square else 9.6), layout="constrained")
    panels: Any = figure.subplots(1 if square else 2, max(1, len(pairs)), squeeze=False)
    for column, pair in enumerate(pairs):
        if square:
            draw_square(panels[0, column], solution, pair)
            continue
        for panel, moves, leads in (
            (panels[0, column], pair.by_leader, False),
            (panels[1, column], pair.by_follower, True),
        ):
            if moves > NO_MOVE:
                draw_actions(panel, solution, pair, leads=leads)
            else:
                panel.set_axis_off()
    if not pairs:
        for panel in panels.ravel():
            panel.set_axis_off()
        panels[0, 0].annotate("nobody's choice depends on the other", (0.5, 0.5), ha="center", fontsize=LABEL)
    found = {
        label: handle
        for panel in panels.ravel()
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    soft = "" if square else f", η = {drawn_runs(solution.runs)[-1].temperature:g}"
    title = f"{named.title}: what each answers the other{soft}"
    figure.suptitle(textwrap.fill(title, 55 if len(pairs) < 2 else 80), fontsize=TITLE)
    if len(named.states) > 1 and pairs:
        figure.supxlabel(_elsewhere(len(pairs), len(every), square=square), fontsize=TICK)
    figure.legend(list(found.values()), list(found), loc="outside right center", fontsize=TICK, frameon=False)
    return figure


def _elsewhere(drawn: int, count: int, *, square: bool) -> str:
    """What is held in other states, and whether all pairs are drawn."""
    held = (
        "exact as under commitment, softmax as where the iteration ended" if square else "as where the iteration ended"
    )
    text = f"Play in other states is held: {held}."
    return f"{text} {drawn} of {count} pairs of states are drawn." if count > drawn else text


def pairs_that_answer(solution: GameSolution) -> list[Pair]:
    """Pairs of states between which somebody answers, those first where responses move most."""
    last = drawn_runs(solution.runs)[-1]
    return answering_pairs(solution.named.game, last.run.leader_policy, last.run.follower_policy, last.temperature)
