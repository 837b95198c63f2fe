"""Where to draw each bus of a feeder: a tidy tree, in time proportional to the number of buses."""

import math
from typing import Literal

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.network.library.radial import Feeder


def tidy_tree(feeder: Feeder, *, along: Literal["depth", "impedance"] = "depth") -> Floats:
    """Lay the feeder out from left to right, the longest way of every branching drawn straight on.

    Parameters
    ----------
    feeder
        The feeder to draw.
    along
        What x measures from the source: ``depth``, the number of edges, or ``impedance``, the sum of their absolute
        series impedances. [pu on 1 MVA]

    Returns
    -------
    (bus, 2) float
        x and y. Every leaf has a row y = 0, 1, 2, ... of its own; a bus shares the row of its deepest descendant, so
        no two buses fall on one point and no two edges cross.

    Raises
    ------
    ValueError
        If ``along`` is neither of the two.
    """
    if along not in ("depth", "impedance"):
        raise ValueError(f"along is '{along}'; give 'depth' or 'impedance'")
    step = np.ones(len(feeder.buses)) if along == "depth" else _edge_impedance_pu(feeder)
    source = feeder.index(feeder.source)
    children: list[list[int]] = [[] for _ in feeder.buses]
    for bus, parent in enumerate(feeder.parent.tolist()):
        if parent >= 0:
            children[parent].append(bus)
    order = [source]  # grows while it is read: parents come before their children
    for bus in order:
        order.extend(children[bus])
    place = np.zeros((len(order), 2))
    height = np.zeros(len(order), dtype=np.int64)  # edges down to the deepest descendant
    for bus in order[1:]:
        place[bus, 0] = place[feeder.parent[bus], 0] + step[bus]
    for bus in reversed(order[1:]):
        height[feeder.parent[bus]] = max(height[feeder.parent[bus]], height[bus] + 1)
    row, waiting = -1, [(source, True)]
    while waiting:
        bus, opens_row = waiting.pop()
        row += opens_row
        place[bus, 1] = row
        deepest_last = sorted(children[bus], key=lambda child: int(height[child]))
        waiting += [(child, child != deepest_last[-1]) for child in deepest_last]
    return place


def _edge_impedance_pu(feeder: Feeder) -> Floats:
    """Give (bus,) the absolute impedance of the edge towards the source. [pu on 1 MVA]"""
    impedance = np.zeros(len(feeder.buses))
    ohm = np.hypot(feeder.line_r_ohm, feeder.line_x_ohm)
    impedance[feeder.line_to] = ohm / feeder.nominal_kv[feeder.line_to] ** 2
    for unit in feeder.transformers:
        impedance[unit.to_bus] = unit.uk * 1000 / unit.kva
    for branch in feeder.branches:
        far = branch.to_bus if feeder.parent[branch.to_bus] == branch.from_bus else branch.from_bus
        impedance[far] = math.hypot(branch.r_ohm, branch.x_ohm) / feeder.nominal_kv[branch.to_bus] ** 2
    return impedance
