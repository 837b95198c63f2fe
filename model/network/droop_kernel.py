"""The compiled search for the fixed point of power flow and inverter curves: Newton's method on the tree.

Every load is replaced by its tangent, a current that is linear in the voltage of its bus, with the slopes of the curves
in it. A tree of such loads is solved exactly from its ends to the source and back, 2 × 2 numbers a bus, so a step costs
as much as three or four sweeps. Slots are computed side by side as in `meanwatt.model.network.sweep_kernel`.
"""

import math
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.compiled import compiled
from meanwatt.model.network.sweep_kernel import LANES, sweep_lanes
from meanwatt.model.network.sweep_slots import begin_at, take_group, write_group, write_highest

APPROACH_SWEEPS: Final = 4
"""Sweeps at full output before the first step."""
CHANGE_PU: Final = 1e-11
"""Largest change of a voltage in the last step; a step squares the error where no curve changes its piece. [pu]"""
_BEYOND_PU: Final = 1e-7


@compiled(error_model="numpy")
def curve_powers(  # complexipy: ignore
    at: Any, scale: Any, w: Any, table: Any, curve: Any, available: Any, drawn: Any
) -> None:
    """What inverters take off what they feed in at given voltages, and how fast it grows.

    Parameters
    ----------
    at : (row,) int
        Place of each row of inverters.
    scale : (place,)
        Voltage of a bus per voltage in the tree's units.
    w : (node + 1, 6, lane)
        Voltages in the tree's units, as of `sweep_lanes`.
    table, curve
        See `droop_slots`.
    available : (row, lane)
        What each row can feed in. [MW]
    drawn : (4, place, lane)
        Active and reactive power drawn more than without the curves, and their slopes per voltage in the tree's
        units; written. [MW, Mvar]
    """
    drawn[:] = 0.0
    v1, v2, p1, by_rated = curve[0], curve[1], curve[2], curve[3] > 0.0
    w1, w2, w3, w4, q1, q4, kva_per_kw = curve[4], curve[5], curve[6], curve[7], curve[8], curve[9], curve[10]
    for i in range(at.size):
        k = at[i]
        rated, floor = table[0, i], table[1, i]
        fall = (p1 - floor) / (v2 - v1)
        for m in range(LANES):
            v = scale[k] * math.sqrt(w[k, 0, m] * w[k, 0, m] + w[k, 1, m] * w[k, 1, m])
            a = available[i, m]
            reference = rated if by_rated else a
            limit = reference * max(p1 - fall * max(v - v1, 0.0), floor)
            acts = limit < a
            drawn[0, k, m] += a - limit if acts else 0.0
            drawn[2, k, m] += scale[k] * reference * fall if acts and v1 < v and v < v2 else 0.0
            part = a / rated if rated > 0.0 else 0.0
            able = 0.0 if part < curve[11] else min(part / curve[12], 1.0)
            kva = rated * kva_per_kw * able
            low = min(max((w2 - v) / (w2 - w1), 0.0), 1.0)
            high = min(max((v - w3) / (w4 - w3), 0.0), 1.0)
            drawn[1, k, m] -= kva * (q1 * low - q4 * high)
            drawn[3, k, m] += scale[k] * kva * q1 / (w2 - w1) if w1 < v and v < w2 else 0.0
            drawn[3, k, m] += scale[k] * kva * q4 / (w4 - w3) if w3 < v and v < w4 else 0.0


@compiled(error_model="numpy")
def tangents(tree: Any, drawn: Any, w: Any, h: Any, slope: Any) -> None:
    """Current of each bus as h + K u, linear in its voltage; h (2, place, lane) and K (4, place, lane) are written."""
    for k in range(len(h[0])):
        cr, ci, yr, yi = tree[4, k], tree[5, k], tree[2, k], tree[3, k]
        a, b = tree[8, k], tree[9, k]
        for m in range(LANES):
            x, y = w[k, 0, m], w[k, 1, m]
            g = 1.0 / (x * x + y * y)
            by_size = math.sqrt(g)
            power = w[k, 4, m] + a * drawn[0, k, m] - b * drawn[1, k, m]
            other = w[k, 5, m] + a * drawn[1, k, m] + b * drawn[0, k, m]
            grow = a * drawn[2, k, m] - b * drawn[3, k, m]
            shift = a * drawn[3, k, m] + b * drawn[2, k, m]
            ir, ii = (power * x + other * y) * g, (power * y - other * x) * g
            dr = g * by_size * (grow * x + shift * y) - 2 * g * ir
            di = g * by_size * (grow * y - shift * x) - 2 * g * ii
            fr, fi = (cr * x - ci * y) * by_size, (cr * y + ci * x) * by_size
            k0 = g * power + dr * x + yr + cr * by_size - fr * x * g
            k1 = g * other + dr * y - yi - ci * by_size - fr * y * g
            k2 = -g * other + di * x + yi + ci * by_size - fi * x * g
            k3 = g * power + di * y + yr + cr * by_size - fi * y * g
            slope[0, k, m], slope[1, k, m], slope[2, k, m], slope[3, k, m] = k0, k1, k2, k3
            h[0, k, m] = ir + fr + yr * x - yi * y - k0 * x - k1 * y
            h[1, k, m] = ii + fi + yr * y + yi * x - k2 * x - k3 * y


@compiled(error_model="numpy")
def solve_tangents(before: Any, tree: Any, h: Any, slope: Any, w: Any, change: Any, done: Any) -> None:
    """Solve the tree with linear loads; the voltages of lanes that are not done are replaced."""
    for k in range(len(before) - 1, 0, -1):
        towards, r, x = before[k], tree[0, k], tree[1, k]
        for m in range(LANES):
            k0, k1, k2, k3 = slope[0, k, m], slope[1, k, m], slope[2, k, m], slope[3, k, m]
            a0, a1 = 1.0 + k0 * r + k1 * x, k1 * r - k0 * x
            a2, a3 = k2 * r + k3 * x, 1.0 + k3 * r - k2 * x
            inverse = 1.0 / (a0 * a3 - a1 * a2)
            a0, a1, a2, a3 = a3 * inverse, -a1 * inverse, -a2 * inverse, a0 * inverse
            hr, hi = h[0, k, m], h[1, k, m]
            h[0, k, m], h[1, k, m] = a0 * hr + a1 * hi, a2 * hr + a3 * hi
            slope[0, k, m], slope[1, k, m] = a0 * k0 + a1 * k2, a0 * k1 + a1 * k3
            slope[2, k, m], slope[3, k, m] = a2 * k0 + a3 * k2, a2 * k1 + a3 * k3
        for m in range(LANES):
            h[0, towards, m] += h[0, k, m]
            h[1, towards, m] += h[1, k, m]
        for i in range(4):
            for m in range(LANES):
                slope[i, towards, m] += slope[i, k, m]
    change[:] = 0.0
    for k in range(1, len(before)):
        towards, r, x = before[k], tree[0, k], tree[1, k]
        for m in range(LANES):
            ur, ui = w[towards, 0, m], w[towards, 1, m]
            jr = h[0, k, m] + slope[0, k, m] * ur + slope[1, k, m] * ui
            ji = h[1, k, m] + slope[2, k, m] * ur + slope[3, k, m] * ui
            nr, ni = ur - (r * jr - x * ji), ui - (r * ji + x * jr)
            moved = abs(nr - w[k, 0, m]) + abs(ni - w[k, 1, m])
            change[m] = moved if not moved <= change[m] else change[m]
            keep = done[m] != 0.0
            w[k, 0, m] = w[k, 0, m] if keep else nr
            w[k, 1, m] = w[k, 1, m] if keep else ni


@compiled(error_model="numpy")
def clip_voltages(at: Any, scale: Any, w: Any, corner: Any, exactly: bool) -> None:
    """Bring voltages above a row's corner, (row, lane), just beyond it; all of them if ``exactly``. [pu]"""
    for i in range(at.size):
        k = at[i]
        for m in range(LANES):
            v = scale[k] * math.sqrt(w[k, 0, m] * w[k, 0, m] + w[k, 1, m] * w[k, 1, m])
            wanted = corner[i, m] + _BEYOND_PU
            if exactly or not v <= wanted:
                w[k, 0, m] *= wanted / v
                w[k, 1, m] *= wanted / v


@compiled(error_model="numpy")
def judge_steps(change: Any, solved: Any) -> bool:
    """Mark the lanes that the last step solved, 1, or lost, -1; whether any is left."""
    left = 0
    for m in range(LANES):
        if solved[m] == 0.0:
            solved[m] = 1.0 if change[m] <= CHANGE_PU else 0.0 if change[m] < 1e3 else -1.0
            left += solved[m] == 0.0
    return left > 0


@compiled(error_model="numpy")
def use_drawn(row: Any, here: int, power: Any, bus: Any, tree: Any, drawn: Any, w: Any, used: Any) -> None:
    """Add what inverters do not feed in to a group's powers, and to what is drawn, (2, slot, bus)."""
    for k in range(len(bus)):
        a, b = tree[8, k], tree[9, k]
        for m in range(LANES):
            x, y = drawn[0, k, m], drawn[1, k, m]
            w[k, 4, m] += a * x - b * y
            w[k, 5, m] += a * y + b * x
        for m in range(here):
            used[0, row[m], bus[k]] += drawn[0, k, m]
            used[1, row[m], bus[k]] += drawn[1, k, m]


@compiled(error_model="numpy", thorough=True)
def droop_slots(
    given: Any,
    rows: Any,
    network: Any,
    source_pu: float,
    curve: Any,
    most_steps: int,
    exactly: bool,
    out: Any,
) -> None:
    """Solve power flow and curves of some slots, group by group.

    Parameters
    ----------
    given
        (slots (some,) int, powers as of `meanwatt.model.network.sweep_slots.take_group`), drawn with all inverters at
        what is available.
    rows
        (node (row,), table (2, row): rated power and lowest part of it, available (slot, row), corner (slot, row)):
        rows of inverters in the order of nodes. [MW, pu]
    network
        As of `meanwatt.model.network.sweep_network.network_of`; every row of inverters at a node.
    curve : (13,)
        See `meanwatt.model.network.droop_sweep.curve_numbers`.
    most_steps
        Newton steps after which a slot is given up.
    exactly
        Whether all voltages begin at the corners; else only those above.
    out
        (that of ``sweep_slots``, the voltages that the curves went by (slot, bus), written at nodes, what was drawn (2,
        slot, bus), to which what inverters do not feed in is added). [pu, MW, Mvar]
    """
    slots, power = given
    at, row_table, available, corner = rows
    bus, links, tree = network[0], network[1], network[2]
    found, gone_by, used = out
    count = len(bus)
    w, work, change = np.zeros((count + 1, 6, LANES)), np.empty((3, LANES)), np.empty(LANES)
    drawn = np.zeros((4, count, LANES))
    h, slope = np.empty((2, count, LANES)), np.empty((4, count, LANES))
    able, limit = np.empty((at.size, LANES)), np.empty((at.size, LANES))
    v, row = np.empty((2, network[6], LANES)), np.empty(LANES, dtype=np.int64)
    flows = np.empty((count, 2, LANES))
    scale = np.sqrt(tree[6] * tree[6] + tree[7] * tree[7])
    solved = np.empty(LANES)
    for first in range(0, len(slots), LANES):
        here = min(LANES, len(slots) - first)
        for m in range(LANES):
            row[m] = slots[first + (m if m < here else 0)]  # lanes left over repeat the first slot
        take_group(row, power, bus, tree, w)
        begin_at(source_pu, w)
        for i in range(at.size):
            for m in range(LANES):
                able[i, m], limit[i, m] = available[row[m], i], corner[row[m], i]
        sweep_lanes(links, tree, w, work, APPROACH_SWEEPS)
        clip_voltages(at, scale, w, limit, exactly)
        solved[:] = 0.0
        for _ in range(most_steps):
            curve_powers(at, scale, w, row_table, curve, able, drawn)
            tangents(tree, drawn, w, h, slope)
            solve_tangents(links[0], tree, h, slope, w, change, solved)
            if not judge_steps(change, solved):
                break
        curve_powers(at, scale, w, row_table, curve, able, drawn)
        use_drawn(row, here, power, bus, tree, drawn, w, used)
        for k in range(count):
            for m in range(here):
                v_pu = scale[k] * math.sqrt(w[k, 0, m] * w[k, 0, m] + w[k, 1, m] * w[k, 1, m])
                gone_by[row[m], bus[k]] = v_pu
        begin_at(source_pu, w)  # what a power flow without curves begins with: the same bits
        sweep_lanes(links, tree, w, work, -1)
        for m in range(LANES):
            work[0, m] = work[0, m] if solved[m] > 0.0 else -1.0
        write_highest(row, here, network, source_pu, w, flows, found[6][0])
        write_group(row, here, network, w, v, work, found)
