"""Where to draw each bus of a feeder whose file says where it stands."""

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.network.library.radial import Feeder

FLATTEST = 0.05
"""Least height over width, and width over height, of a map: a street drawn as a line is still seen."""


def whole_positions(feeder: Feeder) -> Floats | None:
    """Where every bus stands, (bus, 2) as of ``Feeder.position``; None where nothing is known.

    A bus whose place is unknown, such as a star point, is put between its neighbours away from the source that have
    one; without such neighbours, where the one towards the source is.
    """
    if feeder.position is None:
        return None
    place = np.array(feeder.position)
    order = [feeder.index(feeder.source)]  # grows while it is read: parents come before their children
    children: list[list[int]] = [[] for _ in feeder.buses]
    for bus, parent in enumerate(feeder.parent.tolist()):
        if parent >= 0:
            children[parent].append(bus)
    for bus in order:
        order.extend(children[bus])
    for bus in reversed(order):
        known = [child for child in children[bus] if not np.isnan(place[child, 0])]
        if np.isnan(place[bus, 0]) and known:
            place[bus] = place[known].mean(axis=0)
    for bus in order[1:]:
        if np.isnan(place[bus, 0]):
            place[bus] = place[feeder.parent[bus]]
    return place


def in_degrees(position: Floats) -> bool:
    """Whether places (bus, 2) can be longitudes and latitudes."""
    return bool((np.abs(position) <= (180.0, 90.0)).all())


def map_places(feeder: Feeder) -> tuple[Floats, float] | None:
    """Lay a feeder out as it lies in the land.

    Returns
    -------
    tuple of (bus, 2) float and float, or None
        x to the east and y to the south, both from 0 to 1, and the map's width over its height; None where the feeder
        does not say where at least half of its buses stand, or says the same of all.
    """
    place = whole_positions(feeder)
    if place is None or feeder.position is None or np.isnan(feeder.position[:, 0]).mean() > 0.5:
        return None
    if in_degrees(place):
        place = place * (np.cos(np.radians(place[:, 1].mean())), 1.0)
    low, size = place.min(axis=0), np.ptp(place, axis=0)
    if size.max() == 0:
        return None
    size = np.maximum(size, FLATTEST * size.max())
    middle = (low + place.max(axis=0)) / 2
    share = 0.5 + (place - middle) / size
    return np.column_stack([share[:, 0], 1 - share[:, 1]]), float(size[0] / size[1])
