"""A feeder's reduced tree and its elements in the arrays that the compiled sweeps read."""

from typing import Any

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.model.network.library.radial import Feeder
from meanwatt.model.network.radial_tree import Complexes, RadialTree, amperes_to_pu
from meanwatt.model.network.reduced_tree import ReducedTree, reduced_tree

Network = tuple[Any, ...]
"""What `network_of` makes."""


def network_of(feeder: Feeder, tree: RadialTree, draws: Bools) -> Network:
    """Write a tree without the places that do not draw.

    Parameters
    ----------
    draws : (place,) bool
        Where power may be drawn.

    Returns
    -------
    tuple
        Bus of each node (node,); links as of `meanwatt.model.network.sweep_kernel.sweep_lanes`; ``tree`` (10, node):
        impedance, shunt, load at constant current, ratio α and factor of the power drawn, each real and imaginary;
        (``where`` (4, place): bus, anchor, node whose current lowers the voltage, number among the voltages that
        elements ask for or -1; ``along`` (4, place): impedance beyond the anchor, α); lines without charging (``ends``
        (3, line), ``table`` (6, line)); all other elements (``ends`` (5, element), ``table`` (16, element), whether it
        is a transformer); how many voltages elements ask for.
    """
    reduced = reduced_tree(tree, draws)
    kept = reduced.kept
    columns = (reduced.z_pu, *(part[kept] for part in (tree.shunt_pu, tree.current, tree.alpha, tree.turn)))
    plain = _plain_lines(feeder, tree)
    of = tree.elements
    seen = np.full(len(tree.bus), -1, dtype=np.int64)
    asked = np.unique(np.concatenate([np.zeros(1, dtype=np.int64), of.child[~plain], of.parent[~plain]]))
    seen[asked] = np.arange(len(asked))
    return (
        tree.bus[kept],
        _links(reduced.before),
        _parts(*columns),
        (np.array([tree.bus, reduced.anchor, reduced.lowered, seen]), _parts(reduced.beyond_pu, tree.alpha)),
        _lines(feeder, tree, reduced, np.flatnonzero(plain)),
        _two_ports(feeder, tree, reduced, np.flatnonzero(~plain), seen),
        len(asked),
    )


def _links(before: Ints) -> tuple[Ints, Ints, Ints]:
    """Node before each, and its children but the one that follows it."""
    nodes = np.arange(len(before))
    apart = nodes[1:][before[1:] != nodes[:-1]]
    order = np.argsort(before[apart], kind="stable")
    start = np.searchsorted(before[apart][order], np.arange(len(before) + 1))
    return before, start, apart[order]


def _parts(*columns: Complexes) -> Floats:
    return np.array([part for column in columns for part in (column.real, column.imag)])


def _plain_lines(feeder: Feeder, tree: RadialTree) -> Bools:
    """Elements that are lines of equal current at both ends."""
    of = tree.elements
    plain = (of.parent_shunt_pu == 0) & (of.child_shunt_pu == 0) & (tree.stray == 0) & (of.ratio == 1)
    plain[len(feeder.line_from) :] = False
    return np.asarray(plain)


def _lines(feeder: Feeder, tree: RadialTree, reduced: ReducedTree, rows: Ints) -> tuple[Ints, Floats]:
    of, weight = tree.elements, tree.weight[rows]
    ends = np.array([reduced.flow[of.child[rows]], rows, rows])
    ampere = 1.0 / amperes_to_pu(feeder.nominal_kv[feeder.line_to])[rows]
    table: list[npt.ArrayLike] = [weight.real, weight.imag, of.z_pu[rows].real, ampere]
    table += [feeder.line_rating_a[rows], of.parent[rows] == 0]
    return ends, np.array(table, dtype=float)


def _two_ports(
    feeder: Feeder, tree: RadialTree, reduced: ReducedTree, rows: Ints, seen: Ints
) -> tuple[Ints, Floats, Bools]:
    """Elements of every kind.

    The table's rows: current per edge's current and per voltage before it, ratio, resistance, shunts towards and away
    from the source, what a current there is multiplied with for the loading, whether by apparent power, whether it
    leaves the source, ampere per pu, rating of a line. [A]
    """
    of, lines = tree.elements, len(feeder.line_from)
    column, other = np.full((2, len(of.child)), -1, dtype=np.int64)
    column[:lines] = other[:lines] = np.arange(lines)
    beside = lines + len(feeder.transformers) + feeder.line_branches
    other[beside] = lines + np.arange(len(beside))
    ends = np.array([seen[of.child], seen[of.parent], reduced.flow[of.child], column, other])[:, rows]
    ampere, rating = np.ones((2, len(of.child)))
    ampere[:lines] = 1.0 / amperes_to_pu(feeder.nominal_kv[feeder.line_to])
    rating[:lines] = feeder.line_rating_a
    table: list[npt.ArrayLike] = [part for each in (tree.weight, tree.stray) for part in (each.real, each.imag)]
    table += [of.ratio, of.z_pu.real]
    table += [of.parent_shunt_pu.real, of.parent_shunt_pu.imag, of.child_shunt_pu.real, of.child_shunt_pu.imag]
    table += [1.0 / of.parent_rating_pu, 1.0 / of.child_rating_pu, of.by_power, of.parent == 0, ampere, rating]
    chosen = np.ascontiguousarray(np.array(table, dtype=float)[:, rows])
    return np.ascontiguousarray(ends), chosen, of.transformer[rows]
