"""The edges of a map: one from every bus towards the source, whatever lies parallel there."""

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.network.feeder import Feeder
from meanwatt.model.network.library.branch import BranchKind
from meanwatt.model.network.power_flow import PowerFlowResult


def map_edges(feeder: Feeder) -> list[tuple[int, int]]:
    """Pairs of buses, the one towards the source first, in the order of the buses."""
    return [(parent, bus) for bus, parent in enumerate(feeder.parent.tolist()) if parent >= 0]


def edge_loading(feeder: Feeder, found: PowerFlowResult) -> Floats:
    """Loading of every edge of the map, (slot, edge); 1 is the rating.

    Of parallel lines the most loaded one counts. nan without a state, where no rating is known, and for transformers
    of a feeder that has several, of which a power flow gives the largest loading alone.
    """
    return loading_of(feeder, found.line_loading, found.transformer_loading)


def loading_of(feeder: Feeder, line_loading: Floats, transformer_loading: Floats | None) -> Floats:
    """The same from its parts, as of `PowerFlowResult`."""
    edges = {far: place for place, (_, far) in enumerate(map_edges(feeder))}
    loading = np.full((len(line_loading), len(edges)), np.nan)
    lines = list(zip(feeder.line_from.tolist(), feeder.line_to.tolist(), strict=True))
    lines += [(feeder.branches[k].from_bus, feeder.branches[k].to_bus) for k in feeder.line_branches.tolist()]
    for line, ((a, b), rated) in enumerate(zip(lines, feeder.rated_lines, strict=True)):
        if rated:
            edge = edges[b if feeder.parent[b] == a else a]
            loading[:, edge] = np.fmax(loading[:, edge], line_loading[:, line])
    units = [(unit.from_bus, unit.to_bus) for unit in feeder.transformers]
    units += [(one.from_bus, one.to_bus) for one in feeder.branches if one.kind is BranchKind.TRANSFORMER]
    if len(units) == 1 and transformer_loading is not None:
        a, b = units[0]
        edge = edges[b if feeder.parent[b] == a else a]
        loading[:, edge] = np.fmax(loading[:, edge], transformer_loading)
    return loading
