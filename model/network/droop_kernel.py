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
from meanwatt.model.network.sweep_slots import write_elements, write_voltages

APPROACH_SWEEPS: Final = 4
"""Sweeps at full output before the first step."""
CHANGE_PU: Final = 1e-11
"""Largest change of a voltage in the last step; a step squares the error where no curve changes its piece. [pu]"""
_BEYOND_PU: Final = 1e-7


@compiled(error_model="numpy")
def curve_powers(  # complexipy: ignore
    at: Any, scale: Any, u: Any, table: Any, curve: Any, available: Any, drawn: Any
) -> None:
    """What inverters take off what they feed in at given voltages, and how fast it grows.

    Parameters
    ----------
    at : (row,) int
        Place of each row of inverters.
    scale : (place,)
        Voltage of a bus per voltage in the tree's units.
    u : (2, place, lane)
        Voltages in the tree's units.
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
            v = scale[k] * math.sqrt(u[0, k, m] * u[0, k, m] + u[1, k, m] * u[1, k, m])
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
def tangents(tree: Any, p: Any, q: Any, drawn: Any, u: Any, h: Any, slope: Any) -> None:
    """Current of each bus as h + K u, linear in its voltage; h (2, place, lane) and K (4, place, lane) are written."""
    for k in range(len(p)):
        cr, ci, yr, yi = tree[4, k], tree[5, k], tree[2, k], tree[3, k]
        a, b = tree[8, k], tree[9, k]
        for m in range(LANES):
            x, y = u[0, k, m], u[1, k, m]
            g = 1.0 / (x * x + y * y)
            w = math.sqrt(g)
            power = p[k, m] + a * drawn[0, k, m] - b * drawn[1, k, m]
            other = q[k, m] + a * drawn[1, k, m] + b * drawn[0, k, m]
            grow = a * drawn[2, k, m] - b * drawn[3, k, m]
            shift = a * drawn[3, k, m] + b * drawn[2, k, m]
            ir, ii = (power * x + other * y) * g, (power * y - other * x) * g
            dr = g * w * (grow * x + shift * y) - 2 * g * ir
            di = g * w * (grow * y - shift * x) - 2 * g * ii
            fr, fi = (cr * x - ci * y) * w, (cr * y + ci * x) * w
            k0 = g * power + dr * x + yr + cr * w - fr * x * g
            k1 = g * other + dr * y - yi - ci * w - fr * y * g
            k2 = -g * other + di * x + yi + ci * w - fi * x * g
            k3 = g * power + di * y + yr + cr * w - fi * y * g
            slope[0, k, m], slope[1, k, m], slope[2, k, m], slope[3, k, m] = k0, k1, k2, k3
            h[0, k, m] = ir + fr + yr * x - yi * y - k0 * x - k1 * y
            h[1, k, m] = ii + fi + yr * y + yi * x - k2 * x - k3 * y


@compiled(error_model="numpy")
def solve_tangents(before: Any, tree: Any, h: Any, slope: Any, u: Any, change: Any, done: Any) -> None:
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
            ur, ui = u[0, towards, m], u[1, towards, m]
            jr = h[0, k, m] + slope[0, k, m] * ur + slope[1, k, m] * ui
            ji = h[1, k, m] + slope[2, k, m] * ur + slope[3, k, m] * ui
            nr, ni = ur - (r * jr - x * ji), ui - (r * ji + x * jr)
            moved = abs(nr - u[0, k, m]) + abs(ni - u[1, k, m])
            change[m] = moved if not moved <= change[m] else change[m]
            keep = done[m] != 0.0
            u[0, k, m] = u[0, k, m] if keep else nr
            u[1, k, m] = u[1, k, m] if keep else ni


@compiled(error_model="numpy")
def clip_voltages(at: Any, scale: Any, u: Any, corner: Any, exactly: bool) -> None:
    """Bring voltages above a row's corner, (row, lane), just beyond it; all of them if ``exactly``. [pu]"""
    for i in range(at.size):
        k = at[i]
        for m in range(LANES):
            v = scale[k] * math.sqrt(u[0, k, m] * u[0, k, m] + u[1, k, m] * u[1, k, m])
            wanted = corner[i, m] + _BEYOND_PU
            if exactly or not v <= wanted:
                u[0, k, m] *= wanted / v
                u[1, k, m] *= wanted / v


@compiled(error_model="numpy")
def take_group(first: int, here: int, power: Any, bus: Any, tree: Any, p: Any, q: Any) -> None:
    """Powers of a group of slots, (place, lane); lanes left over repeat the first slot."""
    p_mw, q_mvar = power
    for k in range(len(p)):
        a, b = tree[8, k], tree[9, k]
        for m in range(LANES):
            s = first + (m if m < here else 0)
            x, y = p_mw[s, bus[k]], q_mvar[s, bus[k]]
            p[k, m], q[k, m] = a * x - b * y, a * y + b * x


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
def use_drawn(  # noqa: PLR0913 - compiled
    first: int, here: int, power: Any, bus: Any, tree: Any, drawn: Any, p: Any, q: Any, used: Any
) -> None:
    """Add what inverters do not feed in to a group's powers, and write what is drawn then, (2, slot, bus)."""
    p_mw, q_mvar = power
    for k in range(len(p)):
        a, b = tree[8, k], tree[9, k]
        for m in range(LANES):
            x, y = drawn[0, k, m], drawn[1, k, m]
            p[k, m] += a * x - b * y
            q[k, m] += a * y + b * x
        for m in range(here):
            used[0, first + m, bus[k]] = p_mw[first + m, bus[k]] + drawn[0, k, m]
            used[1, first + m, bus[k]] = q_mvar[first + m, bus[k]] + drawn[1, k, m]


@compiled(error_model="numpy", thorough=True)
def droop_slots(
    power: Any,
    rows: Any,
    network: Any,
    source_pu: float,
    curve: Any,
    most_steps: int,
    exactly: bool,
    out: Any,
) -> None:
    """Solve power flow and curves of all slots, group by group.

    Parameters
    ----------
    power
        (p_mw, q_mvar) (slot, bus), drawn with all inverters at what is available.
    rows
        (place (row,), table (2, row): rated power and lowest part of it, available (slot, row), corner (slot, row)):
        rows of inverters in the order of places. [MW, pu]
    network
        (bus, before, tree, ends, table), as of `meanwatt.model.network.sweep_slots.sweep_slots`.
    curve : (13,)
        See `meanwatt.model.network.droop_sweep.curve_numbers`.
    most_steps
        Newton steps after which a slot is given up.
    exactly
        Whether all voltages begin at the corners; else only those above.
    out
        As of ``sweep_slots``, then the voltages that the curves went by (slot, bus) and what was drawn (2, slot, bus);
        written.
    """
    at, row_table, available, corner = rows
    bus, before, tree, ends, table = network
    found, voltage, sums, current, loading, gone_by, used = out
    slots, count = power[0].shape
    p, q, work, change = np.empty((count, LANES)), np.empty((count, LANES)), np.empty((3, LANES)), np.empty(LANES)
    u, j, drawn = np.empty((2, count, LANES)), np.empty((2, count, LANES)), np.zeros((4, count, LANES))
    h, slope = np.empty((2, count, LANES)), np.empty((4, count, LANES))
    able, limit = np.empty((at.size, LANES)), np.empty((at.size, LANES))
    scale = np.sqrt(tree[6] * tree[6] + tree[7] * tree[7])
    solved = np.empty(LANES)
    for first in range(0, slots, LANES):
        here = min(LANES, slots - first)
        take_group(first, here, power, bus, tree, p, q)
        u[0], u[1] = source_pu, 0.0
        for i in range(at.size):
            for m in range(LANES):
                s = first + (m if m < here else 0)
                able[i, m], limit[i, m] = available[s, i], corner[s, i]
        sweep_lanes(before, tree, p, q, u, j, work, APPROACH_SWEEPS)
        clip_voltages(at, scale, u, limit, exactly)
        solved[:] = 0.0
        for _ in range(most_steps):
            curve_powers(at, scale, u, row_table, curve, able, drawn)
            tangents(tree, p, q, drawn, u, h, slope)
            solve_tangents(before, tree, h, slope, u, change, solved)
            if not judge_steps(change, solved):
                break
        curve_powers(at, scale, u, row_table, curve, able, drawn)
        use_drawn(first, here, power, bus, tree, drawn, p, q, used)
        for k in range(count):
            for m in range(here):
                v = scale[k] * math.sqrt(u[0, k, m] * u[0, k, m] + u[1, k, m] * u[1, k, m])
                gone_by[first + m, bus[k]] = v
        u[0], u[1] = source_pu, 0.0  # what a power flow without curves begins with: the same bits
        sweep_lanes(before, tree, p, q, u, j, work, -1)
        for m in range(LANES):
            work[0, m] = work[0, m] if solved[m] > 0.0 else -1.0
        write_voltages(first, here, bus, tree[6:8], u, work, found, voltage)
        write_elements(first, here, ends, table, u, j, work, sums, current, loading)
