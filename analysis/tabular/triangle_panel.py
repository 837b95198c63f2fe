"""A response to a player of three actions: a triangle of that player's lotteries, coloured by what is answered."""

from typing import TYPE_CHECKING, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.figures.inline import INK
from meanwatt.model.tabular.softmax_games import ResponseMap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CORNERS: Final = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(0.75)]])
SIDE: Final = 30
"""Cells along a side of the triangle."""
PALE: Final = 0.75
"""Share of the colours; the rest is white, so that the path stands out."""


def draw_triangle(
    panel: "Axes",
    response: ResponseMap,
    held: Floats,
    states: tuple[int, int],
    colours: Floats,
    path: Floats,
    label: str,
) -> None:
    """Draw the response in a state over the other's lotteries in a state, and a path of such lotteries.

    Parameters
    ----------
    held : (state, other's action)
        The other's policy in other states.
    states
        The other's state, and one's own.
    colours : (own action, 3)
        Red, green, blue; a mixed response is drawn in the mean of its actions' colours.
    path : (point, other's action)
        Drawn on top, in order.
    label
        Of the path.
    """
    from matplotlib.collections import PolyCollection

    cells = triangle_cells()
    mean = answers(response, held, states, cells) @ colours[: response.reward.shape[2]]
    mean = 1.0 - PALE * (1.0 - mean)
    panel.add_collection(PolyCollection(list(cells @ CORNERS), facecolors=mean, edgecolors=mean, linewidths=0.6))
    panel.plot(*(path @ CORNERS).T, "o-", color=INK, linewidth=2, markersize=6, label=label)
    panel.set_xlim(-0.12, 1.12)
    panel.set_ylim(-0.12, 1.0)
    panel.set_aspect("equal")
    panel.set_axis_off()


def answers(response: ResponseMap, held: Floats, states: tuple[int, int], cells: Floats) -> Floats:
    """Answer the lottery amid each cell; see ``draw_triangle``, ``triangle_cells``. (cell, own action)"""
    state, own = states
    policies = np.repeat(held[None], len(cells), axis=0)
    policies[:, state] = cells.mean(axis=1)
    return np.stack([response(policy)[own] for policy in policies])


def triangle_cells() -> Floats:
    """Small triangles that fill the large one, by the shares of its corners. (cell, corner of the cell, share)"""
    cells = []
    for i in range(SIDE):
        for j in range(SIDE - i):
            low, right, up = (i, j), (i + 1, j), (i, j + 1)
            cells.append((low, right, up))
            if i + j < SIDE - 1:
                cells.append((right, (i + 1, j + 1), up))
    shares = np.array(cells, dtype=np.float64) / SIDE
    return np.concatenate([1.0 - shares.sum(axis=2, keepdims=True), shares], axis=2)
