"""A feeder as GeoJSON (RFC 7946): a point for every bus, a line for every edge, what was found as properties."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.feeder_map.edges import map_edges
from meanwatt.model.network.feeder import Feeder
from meanwatt.model.network.library.geography import in_degrees, whole_positions

NOWHERE: Final = "none: the feeder's file says of no bus where it stands"
DEGREES: Final = "longitude and latitude in degrees"
PLANE: Final = "x and y of the feeder's file, which are no degrees"
DIGITS: Final = 6


def feeder_geojson(
    feeder: Feeder,
    *,
    buses: Mapping[str, Floats],
    edges: Mapping[str, Floats],
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """Write a feeder and what was found on it.

    Parameters
    ----------
    buses, edges : name → (bus,) or (bus, slot), and (edge,) or (edge, slot)
        Properties, with their units in the names; edges in the order of `map_edges`. nan becomes null.
    about
        What the file is of: members of the collection beside ``features``.

    Returns
    -------
    dict
        A ``FeatureCollection``. Where the feeder does not say where its buses stand, geometries are null and
        ``coordinates`` says so; a bus whose own place is unknown has ``"placed": "between its neighbours"``.
    """
    place = whole_positions(feeder)
    said = NOWHERE if place is None else DEGREES if in_degrees(place) else PLANE
    known = None if feeder.position is None else ~np.isnan(feeder.position[:, 0])
    features = []
    for bus, name in enumerate(feeder.buses):
        own: dict[str, Any] = {"bus": name, "customers": int(feeder.customers[bus])}
        if name == feeder.source:
            own["source"] = True
        if known is not None and not known[bus]:
            own["placed"] = "between its neighbours"
        geometry = None if place is None else {"type": "Point", "coordinates": place[bus].tolist()}
        features.append(_feature(geometry, own | _values(buses, bus)))
    for edge, (a, b) in enumerate(map_edges(feeder)):
        geometry = None if place is None else {"type": "LineString", "coordinates": place[[a, b]].tolist()}
        ends = {"from_bus": feeder.buses[a], "to_bus": feeder.buses[b]}
        features.append(_feature(geometry, ends | _values(edges, edge)))
    return {"type": "FeatureCollection", **about, "feeder": feeder.name, "coordinates": said, "features": features}


def _feature(geometry: dict[str, Any] | None, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _values(columns: Mapping[str, Floats], place: int) -> dict[str, Any]:
    return {name: _plain(values[place]) for name, values in columns.items()}


def _plain(value: Any) -> Any:
    """A number, or a list of them; None for nan."""
    if np.ndim(value):
        return [_plain(one) for one in value]
    return None if np.isnan(value) else round(float(value), DIGITS)
