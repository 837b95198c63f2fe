"""What the panels of a game's responses share: which runs are drawn, what they are called, and the unit square."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.tabular.solution import GameSolution, TemperatureRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLDER: Final = 2
"""Places from the warmer to the colder of the two temperatures drawn."""
FIRST_ROUNDS: Final = 12
"""TemperatureRun that are drawn, where they do not come to a cycle."""
TITLE, LABEL, TICK = 20, 16, 13


def drawn_runs(runs: Sequence[TemperatureRun]) -> list[TemperatureRun]:
    """The coldest run whose maps contract as far as was found, and a colder one."""
    ordered = sorted(runs, key=lambda one: -one.temperature)
    last = len(ordered) - 1
    contract = [k for k, one in enumerate(ordered) if one.lipschitz.product_measured < 1.0]
    warm = max(0, min(contract[-1] if contract else 0, last - COLDER))
    return [ordered[k] for k in dict.fromkeys((warm, min(warm + COLDER, last)))]


def shown_policies(one: TemperatureRun) -> Floats:
    """The leader's policies of the first rounds, or of one cycle. (point, state, leader action)"""
    run = one.run
    return run.policies[-run.period - 1 :] if run.period else run.policies[:FIRST_ROUNDS]


def run_label(one: TemperatureRun) -> str:
    """Name of the line through `shown_policies`."""
    return f"{'cycle' if one.run.period else 'iteration'}, η = {one.temperature:g}"


def in_state(solution: GameSolution, state: int) -> str:
    """Where a player is, as a part of a title; nothing in a game of one state."""
    return f" in {solution.named.states[state]}" if len(solution.named.states) > 1 else ""


def frame_unit_square(panel: "Axes") -> None:
    """Give a panel of probabilities its axes."""
    panel.set_xlim(-0.03, 1.03)
    panel.set_ylim(-0.03, 1.03)
    panel.set_xticks(np.linspace(0, 1, 6))
    panel.set_yticks(np.linspace(0, 1, 6))
    panel.tick_params(labelsize=TICK)
    panel.spines[["top", "right"]].set_visible(False)
