"""A radial feeder as a sweep reads it: per unit, in the order of the tree, transformers' ratios taken out.

Every line, transformer and branch is an ideal transformer at the bus before it, a series impedance behind that, and a
shunt at either end. Elements that lie parallel on one edge are added up, exactly also where their ratios differ.
Dividing the voltage of a bus by the product α of the ratios on its way from the source, and multiplying currents by it,
leaves a tree of plain series impedances. The base is 1 MVA and each bus's nominal voltage.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.model.network.library.branch import Branch, BranchKind, FixedLoad
from meanwatt.model.network.library.radial import Feeder, Transformer
from meanwatt.model.network.sensitivity import outwards

Complexes = npt.NDArray[np.complex128]

_W_PER_BASE: Final = 1e6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Elements:
    """Lines, then transformers, then branches. Axis (element,).

    Attributes
    ----------
    child, parent : int
        Positions of the two buses, away from the source and towards it.
    ratio
        Ratio of the ideal transformer: voltage behind it over voltage at the parent.
    z_pu : complex
        Series impedance, seen from the child.
    parent_shunt_pu, child_shunt_pu : complex
        Admittances to ground at the ends.
    parent_rating_pu, child_rating_pu
        What 1 of loading is at either end: currents, or apparent power for a plain transformer.
    by_power : bool
        Whether the loading is by apparent power.
    transformer : bool
        Whether it is a transformer.
    """

    child: Ints
    parent: Ints
    ratio: Floats
    z_pu: Complexes
    parent_shunt_pu: Complexes
    child_shunt_pu: Complexes
    parent_rating_pu: Floats
    child_rating_pu: Floats
    by_power: Bools
    transformer: Bools


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RadialTree:
    """The tree; its arrays (place,) are in the order of a walk from the source, each bus after the one before it.

    Attributes
    ----------
    bus : int
        Position of the bus in ``Feeder.buses``.
    before : int
        Place of the bus before; 0 at the source.
    alpha : complex
        Product of the ratios on the way from the source.
    z_pu : complex
        Impedance of the edge to the bus before, divided by α².
    shunt_pu : complex
        All admittance to ground at the bus, times α².
    current : complex
        Load at constant current: multiplies V/|V|. [pu]
    turn : complex
        Factor of the power drawn: 1, but for parallel transformers of unlike ratios and angles.
    elements : Elements
        Their buses are places here.
    weight : (element,) complex
        Current of an element per current of its edge, which is in the tree's units.
    stray : (element,) complex
        Current of an element per voltage of its parent: what circulates between unlike ratios.
    """

    bus: Ints
    before: Ints
    alpha: Complexes
    z_pu: Complexes
    shunt_pu: Complexes
    current: Complexes
    turn: Complexes
    elements: Elements
    weight: Complexes
    stray: Complexes


def radial_tree(feeder: Feeder) -> RadialTree:
    """Read a feeder."""
    order = outwards(feeder)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    before = place[feeder.parent[order]]
    before[0] = 0
    elements = _elements(feeder, place)
    count = len(order)
    admittance, pull = np.zeros(count, dtype=complex), np.zeros(count, dtype=complex)
    series = 1.0 / elements.z_pu
    np.add.at(admittance, elements.child, series)
    np.add.at(pull, elements.child, series * elements.ratio)
    ratio, z = np.ones(count, dtype=complex), np.zeros(count, dtype=complex)
    ratio[1:], z[1:] = pull[1:] / admittance[1:], 1.0 / admittance[1:]
    lone = np.bincount(elements.child, minlength=count)[elements.child] == 1
    ratio[elements.child[lone]], z[elements.child[lone]] = elements.ratio[lone], elements.z_pu[lone]
    alpha = np.ones(count, dtype=complex)
    for at in range(1, count):
        alpha[at] = alpha[before[at]] * ratio[at]
    unlike = elements.ratio - ratio[elements.child]
    fixed = feeder.fixed or FixedLoad.none(count)
    shunt = (fixed.shunt_kw - 1j * fixed.shunt_kvar)[order] / 1e3
    np.add.at(shunt, elements.child, elements.child_shunt_pu)
    np.add.at(shunt, elements.parent, elements.parent_shunt_pu + series * unlike**2)
    drawn = (fixed.current_kw + 1j * fixed.current_kvar)[order] / 1e3
    return RadialTree(
        bus=order,
        before=before,
        alpha=alpha,
        z_pu=z / alpha**2,
        shunt_pu=shunt * alpha**2,
        current=np.conj(drawn) * alpha**2 / np.abs(alpha),
        turn=(alpha.conj() / alpha).astype(complex),
        elements=elements,
        weight=series * z[elements.child] / alpha[elements.child],
        stray=series * unlike,
    )


@dataclass(frozen=True, slots=True)
class _Element:
    """One row of `Elements`, between two positions of ``Feeder.buses``."""

    child: int
    parent: int
    ratio: float
    z_pu: complex
    parent_shunt_pu: complex
    child_shunt_pu: complex
    parent_rating_pu: float
    child_rating_pu: float
    by_power: bool
    transformer: bool


def _elements(feeder: Feeder, place: Ints) -> Elements:
    rows = list(_rows(feeder))
    column = {name: [getattr(row, name) for row in rows] for name in _Element.__slots__}
    return Elements(
        child=place[np.array(column["child"], dtype=np.int64)],
        parent=place[np.array(column["parent"], dtype=np.int64)],
        ratio=np.array(column["ratio"], dtype=float),
        z_pu=np.array(column["z_pu"], dtype=complex),
        parent_shunt_pu=np.array(column["parent_shunt_pu"], dtype=complex),
        child_shunt_pu=np.array(column["child_shunt_pu"], dtype=complex),
        parent_rating_pu=np.array(column["parent_rating_pu"], dtype=float),
        child_rating_pu=np.array(column["child_rating_pu"], dtype=float),
        by_power=np.array(column["by_power"], dtype=bool),
        transformer=np.array(column["transformer"], dtype=bool),
    )


def _rows(feeder: Feeder) -> Iterator[_Element]:
    ampere_pu = amperes_to_pu(feeder.nominal_kv[feeder.line_to])
    for line in range(len(feeder.line_from)):
        near, far = int(feeder.line_from[line]), int(feeder.line_to[line])
        kv2 = feeder.nominal_kv[far] ** 2
        half = 0.5e-6j * feeder.line_b_us[line] * kv2
        rating = float(feeder.line_rating_a[line] * ampere_pu[line])
        z = complex(feeder.line_r_ohm[line], feeder.line_x_ohm[line]) / kv2
        yield _Element(far, near, 1.0, z, half, half, rating, rating, by_power=False, transformer=False)
    for unit in feeder.transformers:
        yield _transformer(unit)
    for branch in feeder.branches:
        yield _branch(branch, feeder)


def _transformer(unit: Transformer) -> _Element:
    size = unit.kva / 1e3
    r, iron = unit.pk_kw / unit.kva, unit.p0_kw / unit.kva
    z = complex(r, np.sqrt(max(unit.uk**2 - r**2, 0.0))) / size
    half = complex(iron, -np.sqrt(max(unit.i0**2 - iron**2, 0.0))) * size / 2
    ends = (half / unit.turns**2, half, size, size)
    return _Element(unit.to_bus, unit.from_bus, 1.0 / unit.turns, z, *ends, by_power=True, transformer=True)


def _branch(branch: Branch, feeder: Feeder) -> _Element:
    ends = (branch.from_bus, branch.to_bus)
    kv = feeder.nominal_kv[[*ends]]
    z = complex(branch.r_ohm, branch.x_ohm) / kv[1] ** 2
    near = complex(branch.g_from_us, branch.b_from_us) * 1e-6 * kv[0] ** 2
    far = complex(branch.g_to_us, branch.b_to_us) * 1e-6 * kv[1] ** 2
    base = amperes_to_pu(kv)
    ratings = (branch.rating_from_a * float(base[0]), branch.rating_to_a * float(base[1]))
    unit = branch.kind is BranchKind.TRANSFORMER
    away = feeder.parent[branch.to_bus] == branch.from_bus
    ratio, z = (1.0 / branch.turns, z) if away else (branch.turns, z * branch.turns**2)
    if not away:
        ends, near, far, ratings = ends[::-1], far, near, ratings[::-1]
    return _Element(ends[1], ends[0], ratio, z, near, far, *ratings, by_power=False, transformer=unit)


def amperes_to_pu(nominal_kv: Floats) -> Floats:
    """Per-unit current of one ampere at a nominal line-to-line voltage, elementwise."""
    return np.asarray(np.sqrt(3.0) * nominal_kv * 1e3 / _W_PER_BASE)
