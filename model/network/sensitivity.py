"""How voltages of a radial feeder answer to power, to first order.

The linear branch flow equations of a tree, V_i² = V_0² + 2 Σ_j (R_ij p_j + X_ij q_j), where R_ij is the resistance that
the paths from the source to i and to j share (M. E. Baran, F. F. Wu, "Optimal capacitor placement on radial
distribution systems", IEEE Transactions on Power Delivery 4(1), 1989, doi 10.1109/61.19265). Losses are left out, so
the answer is right to a few percent: enough to steer a search, not to end it.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.model.network.library.radial import Feeder

REMEMBERED: Final = 8
"""Feeders, or sets of their buses, whose sensitivities are kept."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sensitivity:
    """Shared path impedances of some buses, referred to the source.

    Attributes
    ----------
    r_pu, x_pu : (bus, bus)
        Resistance and reactance that two paths share, on 1 MVA. [pu]
    turns : (bus,)
        Product of the transformers' ratios on the way from the source: what divides the voltage there.
    """

    r_pu: Floats
    x_pu: Floats
    turns: Floats

    def pu_per_kw(self, voltage_pu: Floats) -> tuple[Floats, Floats]:
        """Voltage per active power [pu/kW] and per reactive power [pu/kvar] fed in, (slot, bus, bus).

        ``voltage_pu`` is (slot, bus).
        """
        scale = 1.0 / (1e3 * self.turns**2 * voltage_pu)[:, :, None]
        return self.r_pu * scale, self.x_pu * scale


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PathImpedances:
    """The tree of a feeder; a branch has the number of its bus away from the source.

    Attributes
    ----------
    parent : (bus,) int
        The bus before each.
    order : (bus,) int
        Buses, each after the one before it; the source first.
    z_pu : (bus,) complex
        Series impedance of each branch, on 1 MVA, referred to the source. [pu]
    turns : (bus,)
        As of `Sensitivity`.
    """

    parent: Ints
    order: Ints
    z_pu: npt.NDArray[np.complex128]
    turns: Floats


def voltage_sensitivity(feeder: Feeder, buses: Ints) -> Sensitivity:
    """Add up the impedances of a feeder's paths to some of its buses; the last few answers are remembered.

    Parameters
    ----------
    buses : (bus,) int
        Positions of the buses.
    """
    return _sensitivity(feeder, tuple(buses.tolist()))


@lru_cache(maxsize=REMEMBERED)
def _sensitivity(feeder: Feeder, places: tuple[int, ...]) -> Sensitivity:
    """Do so; a feeder never changes, and is known by its identity."""
    return _shared(path_impedances(feeder), feeder.index(feeder.source), np.array(places, dtype=np.int64))


def path_impedances(feeder: Feeder) -> PathImpedances:
    """Read the series impedances of a feeder's branches, referred to the source."""
    count = len(feeder.buses)
    admittance, turns, beside = np.zeros(count, dtype=complex), np.ones(count), np.ones(count)
    for a, b, r_ohm, x_ohm in zip(feeder.line_from, feeder.line_to, feeder.line_r_ohm, feeder.line_x_ohm, strict=True):
        child = int(b) if feeder.parent[b] == a else int(a)
        admittance[child] += feeder.nominal_kv[child] ** 2 / complex(r_ohm, x_ohm)
    for unit in feeder.transformers:
        r = unit.pk_kw / unit.kva
        admittance[unit.to_bus] += unit.kva / 1e3 / complex(r, np.sqrt(max(unit.uk**2 - r**2, 0.0)))
        turns[unit.to_bus] = beside[unit.to_bus] = unit.turns
    for branch in feeder.branches:
        away = feeder.parent[branch.to_bus] == branch.from_bus
        child = branch.to_bus if away else branch.from_bus
        admittance[child] += feeder.nominal_kv[branch.to_bus] ** 2 / complex(branch.r_ohm, branch.x_ohm)
        turns[child] = branch.turns if away else 1.0 / branch.turns
        beside[child] = branch.turns if away else 1.0
    order = outwards(feeder)
    product, referred = np.ones(count), np.zeros(count)
    for bus in order[1:].tolist():
        before = feeder.parent[bus]
        referred[bus] = product[before] * beside[bus]
        product[bus] = product[before] * turns[bus]
    z = np.zeros(count, dtype=complex)
    np.divide(1.0, admittance, out=z, where=admittance != 0)
    z *= referred**2
    return PathImpedances(parent=feeder.parent, order=order, z_pu=z, turns=product)


def outwards(feeder: Feeder) -> Ints:
    """Buses, each after the one before it on the way from the source, and a branch to its end before the next."""
    source = feeder.index(feeder.source)
    children: list[list[int]] = [[] for _ in feeder.buses]
    for bus, before in enumerate(feeder.parent.tolist()):
        if bus != source:
            children[before].append(bus)
    order, ahead = [], [source]
    while ahead:
        order.append(ahead.pop())
        ahead.extend(reversed(children[order[-1]]))
    return np.array(order, dtype=np.int64)


def _shared(paths: PathImpedances, source: int, buses: Ints) -> Sensitivity:
    """Sums over the common part of all pairs of paths; an edge has the number of its bus away from the source."""
    on_path = np.zeros((len(buses), len(paths.parent)))
    for row, bus in enumerate(buses.tolist()):
        while bus != source:
            on_path[row, bus] = 1.0
            bus = int(paths.parent[bus])
    shared = (on_path * paths.z_pu) @ on_path.T
    return Sensitivity(r_pu=shared.real, x_pu=shared.imag, turns=paths.turns[buses])
