"""Feeders by name, or from anybody's networkx graph."""

import math
from collections.abc import Mapping
from typing import Any

import networkx as nx
import numpy as np

from meanwatt.model.network.library.baran_wu import baran_wu_33
from meanwatt.model.network.library.four_wire import lv_four_wire
from meanwatt.model.network.library.low_voltage import lv_rural, lv_semiurban
from meanwatt.model.network.library.phase_keys import graph_phases
from meanwatt.model.network.library.radial import KVAR_PER_KW, Feeder, Transformer, nearest
from meanwatt.model.network.library.textbook import textbook_line_5
from meanwatt.model.scenario.nearest import unknown

__all__ = ["FEEDERS", "Feeder", "Transformer", "build_feeder", "feeder_from_graph"]

FEEDERS = ("baran_wu_33", "textbook_line_5", "lv_rural", "lv_semiurban", "lv_four_wire")
"""Names that ``build_feeder`` knows."""


def build_feeder(name: str, *, peak_reference_kw: float) -> Feeder:
    """Build one of the feeders that come with the model.

    Parameters
    ----------
    name
        ``baran_wu_33``, ``textbook_line_5``, ``lv_rural``, ``lv_semiurban`` or ``lv_four_wire``.
    peak_reference_kw
        Largest population-mean reference load of the scenario. A bus has ``round(bus kW / peak_reference_kw)``
        customers; the low-voltage feeders fix their homes and draw this much at each. [kW per household]

    Raises
    ------
    ValueError
        If there is no such feeder (the message names the nearest), or the peak is not a positive number.
    """
    peak_reference_kw = _checked_peak(peak_reference_kw)
    match name:
        case "baran_wu_33":
            graph = baran_wu_33()
        case "textbook_line_5":
            graph = textbook_line_5()
        case "lv_rural":
            graph = lv_rural(peak_reference_kw)
        case "lv_semiurban":
            graph = lv_semiurban(peak_reference_kw)
        case "lv_four_wire":
            graph = lv_four_wire(peak_reference_kw)
        case _:
            raise ValueError(unknown("feeder", name, FEEDERS))
    largest_kw = max(float(data.get("p_kw", 0.0)) for _, data in graph.nodes(data=True))
    if not np.rint(largest_kw / peak_reference_kw) >= 1:
        raise ValueError(
            f"feeder.name is '{name}', whose buses carry up to {largest_kw:g} kW, too little for one household of"
            f" {peak_reference_kw:.4g} kW; give another feeder or a smaller load.use_kwh_per_day"
        )
    return feeder_from_graph(graph, peak_reference_kw=peak_reference_kw)


def feeder_from_graph(graph: nx.Graph, *, peak_reference_kw: float | None = None) -> Feeder:
    """Read a feeder from a networkx graph, attribute by attribute.

    Parameters
    ----------
    graph
        Nodes: ``nominal_kv``; optional ``p_kw`` (0), ``q_kvar`` (power factor .95), ``customers`` and, on exactly one
        node, ``source_voltage_pu``; ``x`` and ``y`` if it is known where it stands.
        Lines: ``r_ohm``, ``x_ohm``; optional ``rating_a`` (inf), ``b_us`` (0).
        Transformers, known by ``kva``: ``uk``, ``pk_kw``; optional ``turns`` (1), ``p0_kw`` (0), ``i0`` (0).
        Graph: optional ``name``. Of phases, as `meanwatt.model.network.library.phase_keys.graph_phases` reads them:
        ``phase_customers``, ``three_phase_customers``, ``r0_ohm``, ``x0_ohm``, ``vector_group``.
        Node names become strings, other attributes are ignored.
    peak_reference_kw
        Where a node with load has no ``customers``: that many kW of it make one. [kW]

    Raises
    ------
    ValueError
        If an attribute is missing or wrong, or the graph is not one radial feeder with one source.
    """
    peak = None if peak_reference_kw is None else _checked_peak(peak_reference_kw)
    sources = [node for node, data in graph.nodes(data=True) if "source_voltage_pu" in data]
    if len(sources) != 1:
        found = f"{len(sources)} ({', '.join(map(str, sources[:4]))})" if sources else "none"
        raise ValueError(f"number of buses with source_voltage_pu: {found}; give it to exactly one bus, the source")
    position = {node: i for i, node in enumerate(graph.nodes)}
    bus = _buses(graph, peak)
    line: dict[str, list[float]] = {"r_ohm": [], "x_ohm": [], "b_us": [], "rating_a": []}
    ends: list[tuple[int, int]] = []
    transformers = []
    for a, b, data in graph.edges(data=True):
        place = f"edge '{a}'-'{b}'"
        if "kva" in data:
            defaults = {"kva": None, "uk": None, "pk_kw": None, "turns": 1.0, "p0_kw": 0.0, "i0": 0.0}
            values = {key: _number(data, key, place, default) for key, default in defaults.items()}
            try:
                transformers.append(Transformer(from_bus=position[a], to_bus=position[b], **values))
            except ValueError as error:
                raise ValueError(f"{place}: {error}") from None
        else:
            ends.append((position[a], position[b]))
            for key, default in {"r_ohm": None, "x_ohm": None, "b_us": 0.0, "rating_a": math.inf}.items():
                line[key].append(_number(data, key, place, default))
    return Feeder(
        name=str(graph.graph.get("name") or "feeder"),
        buses=tuple(map(str, graph.nodes)),
        source=str(sources[0]),
        source_voltage_pu=_number(graph.nodes[sources[0]], "source_voltage_pu", f"bus '{sources[0]}'"),
        line_from=np.array([a for a, _ in ends], dtype=np.int64),
        line_to=np.array([b for _, b in ends], dtype=np.int64),
        transformers=tuple(transformers),
        nominal_kv=np.array(bus["nominal_kv"]),
        p_kw=np.array(bus["p_kw"]),
        q_kvar=np.array(bus["q_kvar"]),
        customers=np.array(bus["customers"]),
        line_r_ohm=np.array(line["r_ohm"], dtype=float),
        line_x_ohm=np.array(line["x_ohm"], dtype=float),
        line_b_us=np.array(line["b_us"], dtype=float),
        line_rating_a=np.array(line["rating_a"], dtype=float),
        phases=graph_phases(graph),
        position=_positions(graph),
    )


def _buses(graph: nx.Graph, peak: float | None) -> dict[str, list[float]]:
    """Attributes of all buses by name, each in the order of the nodes; ``peak`` kW make a customer."""
    bus: dict[str, list[float]] = {"nominal_kv": [], "p_kw": [], "q_kvar": [], "customers": []}
    for node, data in graph.nodes(data=True):
        place = f"bus '{node}'"
        p_kw = _number(data, "p_kw", place, 0.0)
        if "nominal_kv" not in data:  # networkx makes a node of any name that an edge mentions
            others = [str(other) for other, known in graph.nodes(data=True) if "nominal_kv" in known]
            hint = f": did you mean '{nearest(str(node), others)}'?" if others else ""
            raise ValueError(f"{place} has no nominal_kv; give it one, or mend the edge that names it{hint}")
        bus["nominal_kv"].append(_number(data, "nominal_kv", place))
        bus["p_kw"].append(p_kw)
        bus["q_kvar"].append(_number(data, "q_kvar", place, p_kw * KVAR_PER_KW))
        homes = 0.0 if p_kw == 0 else None if peak is None else float(np.rint(p_kw / peak))
        bus["customers"].append(_number(data, "customers", place, homes))
    return bus


def _positions(graph: nx.Graph) -> Any:
    """Where the nodes stand, (bus, 2); nan where that is not said."""
    nodes = graph.nodes(data=True)
    return np.array(
        [[_number(data, key, f"bus '{node}'") if key in data else math.nan for key in "xy"] for node, data in nodes]
    )


def _number(data: Mapping[str, Any], key: str, place: str, default: float | None = None) -> float:
    value = data.get(key, default)
    if value is None:
        raise ValueError(f"{place} has no {key}; give {key}=<number>")
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if math.isnan(number) or (math.isinf(number) and default != math.inf):
        raise ValueError(f"{place} has {key} {value!r}; give a number")
    return number


def _checked_peak(peak_reference_kw: float) -> float:
    if not 0 < peak_reference_kw < math.inf:
        raise ValueError(f"peak_reference_kw is {peak_reference_kw}; give a positive number, kW per household")
    return float(peak_reference_kw)
