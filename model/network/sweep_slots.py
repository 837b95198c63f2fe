"""The compiled batch of radial power flows: what sweeps find, written slot by slot."""

import math
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.compiled import compiled
from meanwatt.model.network.sweep_kernel import LANES, sweep_lanes

_SMALL_TANGENT: Final = 0.25


@compiled(error_model="numpy")
def angles(ur: Any, ui: Any, out: Any) -> None:
    """Angles of complex numbers, (lane,): a short series where they are small. [rad]"""
    for m in range(LANES):
        t = ui[m] / ur[m]
        s = t * t
        series = 1 / 21 - s * (1 / 23 - s * (1 / 25 - s / 27))
        series = 1 / 13 - s * (1 / 15 - s * (1 / 17 - s * (1 / 19 - s * series)))
        series = 1 / 5 - s * (1 / 7 - s * (1 / 9 - s * (1 / 11 - s * series)))
        out[m] = t * (1.0 - s * (1 / 3 - s * series))
    for m in range(LANES):
        if not abs(ui[m]) < _SMALL_TANGENT * ur[m]:
            out[m] = math.atan2(ui[m], ur[m])


@compiled(error_model="numpy")
def write_voltages(first: int, slots: int, bus: Any, alpha: Any, v: Any, work: Any, found: Any, voltage: Any) -> None:
    """Write magnitudes and angles of a group, (2, slot, bus), and which slots were found, (slot,).

    ``v`` holds the voltages in the tree's units (2, place, lane), and afterwards those of the buses.
    """
    count = v.shape[1]
    angle = np.empty(LANES)
    for k in range(count):
        a, b = alpha[0, k], alpha[1, k]
        for m in range(LANES):
            x, y = v[0, k, m], v[1, k, m]
            v[0, k, m], v[1, k, m] = a * x - b * y, a * y + b * x
        angles(v[0, k], v[1, k], angle)
        for m in range(LANES):
            work[1, m] = math.sqrt(v[0, k, m] * v[0, k, m] + v[1, k, m] * v[1, k, m])
            if not 0.0 < work[1, m] < math.inf:
                work[0, m] = -1.0
        for m in range(slots):
            voltage[0, first + m, bus[k]] = work[1, m]
            voltage[1, first + m, bus[k]] = angle[m]
    for m in range(slots):
        found[first + m] = work[0, m] > 0.0


@compiled(error_model="numpy")
def write_elements(  # noqa: PLR0913 - compiled
    first: int, slots: int, ends: Any, table: Any, v: Any, j: Any, work: Any, sums: Any, current: Any, loading: Any
) -> None:
    """Write what flows in a group's elements.

    Parameters
    ----------
    ends : (2, element) int
        Places away from and towards the source.
    table : (14, element)
        See `meanwatt.model.network.sweep.element_table`.
    v : (2, place, lane)
        Voltages of the buses. [pu]
    j : (2, place, lane)
        Currents of the edges, in the tree's units.
    sums : (3, slot)
        Losses, and active and reactive power out of the source into elements; written. [pu]
    current : (slot, element)
        The larger of the currents at the two ends; written. [pu]
    loading : (slot, element)
        The larger of the two ends' currents (or powers) over their ratings; written.
    """
    total = np.zeros((5, LANES))
    for e in range(ends.shape[1]):
        c, t = ends[0, e], ends[1, e]
        wr, wi, sr, si, ratio, r = table[0, e], table[1, e], table[2, e], table[3, e], table[4, e], table[5, e]
        pr, pi, cr, ci = table[6, e], table[7, e], table[8, e], table[9, e]
        near, far, by_power, leaves = table[10, e], table[11, e], table[12, e], table[13, e]
        for m in range(LANES):
            xr = wr * j[0, c, m] - wi * j[1, c, m] + sr * v[0, t, m] - si * v[1, t, m]
            xi = wr * j[1, c, m] + wi * j[0, c, m] + sr * v[1, t, m] + si * v[0, t, m]
            nr = ratio * xr + pr * v[0, t, m] - pi * v[1, t, m]
            ni = ratio * xi + pr * v[1, t, m] + pi * v[0, t, m]
            fr = xr - (cr * v[0, c, m] - ci * v[1, c, m])
            fi = xi - (cr * v[1, c, m] + ci * v[0, c, m])
            before = v[0, t, m] * v[0, t, m] + v[1, t, m] * v[1, t, m]
            after = v[0, c, m] * v[0, c, m] + v[1, c, m] * v[1, c, m]
            total[0, m] += r * (xr * xr + xi * xi) + pr * before + cr * after
            total[1, m] += leaves * (v[0, t, m] * nr + v[1, t, m] * ni)
            total[2, m] += leaves * (v[1, t, m] * nr - v[0, t, m] * ni)
            start, end = nr * nr + ni * ni, fr * fr + fi * fi
            total[3, m] = math.sqrt(start if start > end else end)
            start *= near * near * (before if by_power > 0.0 else 1.0)
            end *= far * far * (after if by_power > 0.0 else 1.0)
            total[4, m] = math.sqrt(start if start > end else end)
        for m in range(slots):
            current[first + m, e] = total[3, m]
            loading[first + m, e] = total[4, m]
    for m in range(slots):
        sums[0, first + m], sums[1, first + m], sums[2, first + m] = total[0, m], total[1, m], total[2, m]


@compiled(error_model="numpy", thorough=True)
def sweep_slots(  # noqa: PLR0913 - compiled
    p_mw: Any, q_mvar: Any, bus: Any, before: Any, tree: Any, ends: Any, table: Any, source_pu: float, out: Any
) -> None:
    """Solve all slots, group by group.

    Parameters
    ----------
    p_mw, q_mvar : (slot, bus)
        Power drawn. [MW, Mvar]
    bus : (place,) int
        Position of each place's bus.
    tree : (10, place)
        As of `sweep_lanes`, then α and the factor of the power drawn, each real and imaginary.
    out
        (found, voltage, sums, current, loading), as of `write_voltages` and `write_elements`; written.
    """
    found, voltage, sums, current, loading = out
    slots, count = p_mw.shape
    p, q, work = np.empty((count, LANES)), np.empty((count, LANES)), np.empty((3, LANES))
    u, j = np.empty((2, count, LANES)), np.empty((2, count, LANES))
    for first in range(0, slots, LANES):
        here = min(LANES, slots - first)
        for k in range(count):
            a, b = tree[8, k], tree[9, k]
            for m in range(LANES):
                s = first + (m if m < here else 0)  # lanes left over repeat the first slot
                x, y = p_mw[s, bus[k]], q_mvar[s, bus[k]]
                p[k, m], q[k, m] = a * x - b * y, a * y + b * x
                u[0, k, m], u[1, k, m] = source_pu, 0.0
        sweep_lanes(before, tree, p, q, u, j, work, -1)
        write_voltages(first, here, bus, tree[6:8], u, work, found, voltage)
        write_elements(first, here, ends, table, u, j, work, sums, current, loading)
