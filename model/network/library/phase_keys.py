"""Keys about phases that files and graphs of feeders share, from the arrays of a feeder and from a graph."""

import math
from typing import Any, Final

import networkx as nx
import numpy as np

from meanwatt.model.network.library.phase_data import PhaseData, VectorGroup, ZeroPort

SHUNTS: Final = {
    "g_from_us": "g0_from_us",
    "b_from_us": "b0_from_us",
    "g_to_us": "g0_to_us",
    "b_to_us": "b0_to_us",
}
"""Key for every shunt of an edge in the zero sequence."""


def bus_keys(phases: PhaseData | None, bus: int) -> dict[str, Any]:
    """Keys of one bus."""
    if phases is None:
        return {}
    keys: dict[str, Any] = {"three_phase_customers": int(phases.three_phase[bus])}
    if phases.customers[bus].any():
        keys["phase_customers"] = tuple(float(count) for count in phases.customers[bus])
    for key, values in (("phase_fixed_kw", phases.fixed_kw), ("phase_fixed_kvar", phases.fixed_kvar)):
        if values[bus].any():
            keys[key] = tuple(values[bus].tolist())
    return keys


def line_keys(phases: PhaseData | None, line: int) -> dict[str, Any]:
    """Keys of one line."""
    if phases is None:
        return {}
    values = {"r0_ohm": phases.line_r0_ohm, "x0_ohm": phases.line_x0_ohm, "b0_us": phases.line_b0_us}
    return {key: float(value[line]) for key, value in values.items() if not np.isnan(value[line])}


def transformer_keys(phases: PhaseData | None, place: int) -> dict[str, Any]:
    """Keys of one transformer."""
    return _port_keys(phases.transformers[place]) if phases else {}


def branch_keys(phases: PhaseData | None, place: int) -> dict[str, Any]:
    """Keys of one branch."""
    port = phases.branches[place] if phases else None
    return _port_keys(port) | ({key: getattr(port, name) for name, key in SHUNTS.items()} if port else {})


def zero_port(place: str, keys: dict[str, Any]) -> ZeroPort | None:
    """Read the zero sequence of an edge from its keys; None where they say nothing.

    Raises
    ------
    ValueError
        In one line that begins with ``place``, if half of an impedance is given, or the vector group is none.
    """
    group, r_ohm, x_ohm = (keys.get(key) for key in ("vector_group", "r0_ohm", "x0_ohm"))
    if group is None and r_ohm is None and x_ohm is None:
        return None
    if (r_ohm is None) != (x_ohm is None) or r_ohm == x_ohm == 0:
        raise ValueError(f"{place} has r0_ohm {r_ohm} and x0_ohm {x_ohm}; give both, not both 0, or neither")
    try:
        return ZeroPort(
            group=None if group is None else VectorGroup.read(str(group)),
            r_ohm=number(r_ohm),
            x_ohm=number(x_ohm),
            **{name: float(keys.get(key, 0.0)) for name, key in SHUNTS.items()},
        )
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None


def graph_phases(graph: nx.Graph) -> PhaseData | None:
    """Read what a feeder's graph says of phases, lines and transformers in its order; None if it says nothing.

    Nodes: ``phase_customers`` (three counts), ``three_phase_customers``. Lines: ``r0_ohm``, ``x0_ohm``, ``b0_us``.
    Transformers: ``vector_group``, ``r0_ohm``, ``x0_ohm``.

    Raises
    ------
    ValueError
        In one line, as for ``zero_port``.
    """
    lines = [(a, b, data) for a, b, data in graph.edges(data=True) if "kva" not in data]
    units = [(a, b, data) for a, b, data in graph.edges(data=True) if "kva" in data]
    ports = [zero_port(f"edge '{a}'-'{b}'", data) for a, b, data in lines]
    found = PhaseData(
        line_r0_ohm=np.array([port.r_ohm if port else math.nan for port in ports]),
        line_x0_ohm=np.array([port.x_ohm if port else math.nan for port in ports]),
        line_b0_us=np.array([number(data.get("b0_us")) for _, _, data in lines]),
        transformers=tuple(zero_port(f"edge '{a}'-'{b}'", data) for a, b, data in units),
        branches=(),
        customers=np.array([data.get("phase_customers", (0, 0, 0)) for _, data in graph.nodes(data=True)]),
        three_phase=np.array([data.get("three_phase_customers", 0) for _, data in graph.nodes(data=True)]),
        fixed_kw=np.zeros((len(graph), 3)),
        fixed_kvar=np.zeros((len(graph), 3)),
    )
    return found if found.says_something else None


def number(value: float | None) -> float:
    """A number; nan where there is none."""
    return math.nan if value is None else float(value)


def _port_keys(port: ZeroPort | None) -> dict[str, Any]:
    if port is None:
        return {}
    known = {"r0_ohm": port.r_ohm, "x0_ohm": port.x_ohm} if port.known else {}
    return ({"vector_group": port.group.name} if port.group else {}) | known
