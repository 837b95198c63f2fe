"""The compiled batch of radial power flows: what sweeps find, written slot by slot."""

import math
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.compiled import compiled
from meanwatt.model.network.sweep_kernel import LANES, sweep_lanes

TILE: Final = 16
"""Buses or lines whose results are kept until they are written slot by slot: neighbours in memory."""
_SMALL_TANGENT: Final = 0.25


@compiled(error_model="numpy")
def polar(x: Any, y: Any, size: Any, angle: Any) -> None:
    """Magnitudes and angles of complex numbers, (lane,): of small angles by a short series. [rad]"""
    wide = 0
    for m in range(LANES):
        a, b = x[m], y[m]
        t = b / a
        s = t * t
        series = 1 / 21 - s * (1 / 23 - s * (1 / 25 - s / 27))
        series = 1 / 13 - s * (1 / 15 - s * (1 / 17 - s * (1 / 19 - s * series)))
        series = 1 / 5 - s * (1 / 7 - s * (1 / 9 - s * (1 / 11 - s * series)))
        angle[m] = t * (1.0 - s * (1 / 3 - s * series))
        size[m] = math.sqrt(a * a + b * b)
        wide += 0 if abs(b) < _SMALL_TANGENT * a else 1
    if wide:
        for m in range(LANES):
            if not abs(y[m]) < _SMALL_TANGENT * x[m]:
                angle[m] = math.atan2(y[m], x[m])


@compiled(error_model="numpy")
def write_tile(row: Any, slots: int, columns: Any, tile: Any, wide: int, result: Any) -> None:
    """Write the first rows of a tile (column, lane) into columns of a result (slot, column), -1 for nowhere."""
    for m in range(slots):
        s = row[m]
        for i in range(wide):
            if columns[i] >= 0:
                result[s, columns[i]] = tile[i, m]


@compiled(error_model="numpy")
def write_voltages(  # complexipy: ignore
    row: Any, slots: int, places: Any, w: Any, v: Any, work: Any, out: Any
) -> None:
    """Write magnitudes and angles of a group, and which slots were found.

    Parameters
    ----------
    row : (lane,) int
        Slots of the lanes; the first ``slots`` of them are written.
    places
        ``where`` and ``along``, as of `meanwatt.model.network.sweep_network.network_of`.
    w : (node + 1, 6, lane)
        As of `sweep_lanes`; zero in the last row.
    v : (2, seen, lane)
        Voltages of the buses that elements ask for; written. [pu]
    work : (3, lane)
        As of `sweep_lanes`.
    out
        As of `sweep_slots`.
    """
    where, along = places
    found, voltage, lowest = out[0], out[1], out[6]
    sizes, turns, room = np.empty((TILE, LANES)), np.empty((TILE, LANES)), np.empty((2, LANES))
    low, sound = np.full(LANES, np.inf), np.ones(LANES)
    x, y, count = room[0], room[1], where.shape[1]
    for k in range(count):
        flow, seen, size, angle = where[2, k], where[3, k], sizes[k % TILE], turns[k % TILE]
        own, below = w[where[1, k]], w[flow]
        zr, zi, a, b = along[0, k], along[1, k], along[2, k], along[3, k]
        if zr != 0.0 or zi != 0.0:
            for m in range(LANES):
                jr, ji = below[2, m], below[3, m]
                x[m], y[m] = own[0, m] - (zr * jr - zi * ji), own[1, m] - (zr * ji + zi * jr)
        else:
            for m in range(LANES):
                x[m], y[m] = own[0, m], own[1, m]
        for m in range(LANES):
            ur, ui = x[m], y[m]
            square = ur * ur + ui * ui
            low[m] = low[m] if low[m] <= square else square
            x[m], y[m] = a * ur - b * ui, a * ui + b * ur
        polar(x, y, size, angle)
        for m in range(LANES):
            sound[m] = sound[m] if size[m] > 0.0 and size[m] < math.inf else 0.0
        if seen >= 0:
            for m in range(LANES):
                v[0, seen, m], v[1, seen, m] = x[m], y[m]
        if k % TILE == TILE - 1 or k == count - 1:
            first, wide = k - k % TILE, k % TILE + 1
            write_tile(row, slots, where[0, first:], sizes, wide, voltage)
            write_tile(row, slots, where[0, first:], turns, wide, out[7])
    for m in range(slots):
        found[row[m]] = work[0, m] > 0.0 and sound[m] > 0.0
        lowest[1, row[m]] = low[m]


@compiled(error_model="numpy")
def write_lines(row: Any, slots: int, lines: Any, w: Any, v: Any, total: Any, out: Any) -> None:
    """Write what flows in a group's lines without charging; losses and what leaves the source are added to ``total``.

    Parameters
    ----------
    lines
        ``ends`` (3, line) int: node of the edge's current, and columns of current and loading. ``table`` (6, line):
        current per edge's current, resistance, ampere per pu, rating [A], whether it leaves the source.
    """
    ends, table = lines
    current, loading = out[3], out[4]
    amperes, shares, count = np.empty((TILE, LANES)), np.empty((TILE, LANES)), ends.shape[1]
    for e in range(count):
        wr, wi, r, ampere, rating = table[0, e], table[1, e], table[2, e], table[3, e], table[4, e]
        edge, size, share = w[ends[0, e]], amperes[e % TILE], shares[e % TILE]
        for m in range(LANES):
            xr, xi = wr * edge[2, m] - wi * edge[3, m], wr * edge[3, m] + wi * edge[2, m]
            square = xr * xr + xi * xi
            total[0, m] += r * square
            size[m] = math.sqrt(square) * ampere
            share[m] = size[m] / rating
        if table[5, e] > 0.0:
            for m in range(LANES):
                xr, xi = wr * edge[2, m] - wi * edge[3, m], wr * edge[3, m] + wi * edge[2, m]
                total[1, m] += v[0, 0, m] * xr + v[1, 0, m] * xi
                total[2, m] += v[1, 0, m] * xr - v[0, 0, m] * xi
        if e % TILE == TILE - 1 or e == count - 1:
            first, wide = e - e % TILE, e % TILE + 1
            write_tile(row, slots, ends[1, first:], amperes, wide, current)
            write_tile(row, slots, ends[2, first:], shares, wide, loading)


@compiled(error_model="numpy")
def write_two_ports(row: Any, slots: int, elements: Any, w: Any, v: Any, total: Any, out: Any) -> None:
    """Write what flows in all other elements of a group.

    Parameters
    ----------
    elements
        ``ends`` (5, element) int: the two ends among the voltages ``v``, node of the edge's current, columns of current
        and loading, -1 where it has none. ``table`` (16, element): see `meanwatt.model.network.sweep_network`.
        ``transformer`` (element,) bool.
    """
    ends, table, transformer = elements
    current, loading, heaviest = out[3], out[4], out[5]
    amperes, shares, most, count = np.empty((TILE, LANES)), np.empty((TILE, LANES)), np.zeros(LANES), ends.shape[1]
    for e in range(count):
        c, t, flow, size, share = ends[0, e], ends[1, e], ends[2, e], amperes[e % TILE], shares[e % TILE]
        wr, wi, sr, si, ratio, r = table[0, e], table[1, e], table[2, e], table[3, e], table[4, e], table[5, e]
        pr, pi, cr, ci = table[6, e], table[7, e], table[8, e], table[9, e]
        near, far, by_power, leaves, ampere = table[10, e], table[11, e], table[12, e], table[13, e], table[14, e]
        edge = w[flow]
        for m in range(LANES):
            xr = wr * edge[2, m] - wi * edge[3, m] + sr * v[0, t, m] - si * v[1, t, m]
            xi = wr * edge[3, m] + wi * edge[2, m] + sr * v[1, t, m] + si * v[0, t, m]
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
            size[m] = ampere * math.sqrt(start if start > end else end)
            start *= near * near * (before if by_power > 0.0 else 1.0)
            end *= far * far * (after if by_power > 0.0 else 1.0)
            share[m] = size[m] / table[15, e] if ends[3, e] >= 0 else math.sqrt(start if start > end else end)
        if transformer[e]:
            for m in range(LANES):
                most[m] = most[m] if most[m] >= share[m] else share[m]
        if e % TILE == TILE - 1 or e == count - 1:
            first, wide = e - e % TILE, e % TILE + 1
            write_tile(row, slots, ends[3, first:], amperes, wide, current)
            write_tile(row, slots, ends[4, first:], shares, wide, loading)
    for m in range(slots):
        heaviest[row[m]] = most[m]


@compiled(error_model="numpy")
def write_group(row: Any, slots: int, network: Any, w: Any, v: Any, work: Any, out: Any) -> None:
    """Write everything that a power flow gives of a group of slots; arguments as above."""
    write_voltages(row, slots, network[3], w, v, work, out)
    total = np.zeros((3, LANES))
    write_lines(row, slots, network[4], w, v, total, out)
    write_two_ports(row, slots, network[5], w, v, total, out)
    sums = out[2]
    for m in range(slots):
        sums[0, row[m]], sums[1, row[m]], sums[2, row[m]] = total[0, m], total[1, m], total[2, m]


@compiled(error_model="numpy")
def take_group(row: Any, power: Any, bus: Any, tree: Any, w: Any) -> None:
    """Powers of a group of slots into ``w`` (node + 1, 6, lane) [pu].

    ``power`` is (p_kw (slot, bus), q_kvar, what is fixed (2, bus)).
    """
    p_kw, q_kvar, fixed = power
    for k in range(len(bus)):
        a, b, at, own = tree[8, k], tree[9, k], bus[k], w[k]
        for m in range(LANES):
            own[4, m], own[5, m] = p_kw[row[m], at], q_kvar[row[m], at]
        more, other = fixed[0, at], fixed[1, at]
        for m in range(LANES):
            x, y = (own[4, m] + more) / 1e3, (own[5, m] + other) / 1e3
            own[4, m], own[5, m] = a * x - b * y, a * y + b * x


@compiled(error_model="numpy")
def write_highest(  # complexipy: ignore
    row: Any, slots: int, network: Any, source_pu: float, w: Any, flows: Any, high: Any
) -> None:
    """Write the highest square of a voltage by the linear branch flow equations, (slot,). [pu²]

    ``flows`` (node, 2, lane) and ``w`` as of `sweep_lanes`; of ``flows`` nothing is kept.
    """
    before, tree = network[1][0], network[2]
    lifts = 0
    for k in range(len(before)):
        lifts |= (tree[0, k] < 0.0) | (tree[1, k] < 0.0)
        own = w[k]
        for m in range(LANES):
            lifts |= (own[4, m] < 0.0) | (own[5, m] < 0.0)
    top = np.full(LANES, source_pu * source_pu)
    if lifts:
        for k in range(len(before)):
            own, flow = w[k], flows[k]
            for m in range(LANES):
                flow[0, m], flow[1, m] = own[4, m], own[5, m]
        for k in range(len(before) - 1, 0, -1):
            near, flow = flows[before[k]], flows[k]
            for m in range(LANES):
                near[0, m] += flow[0, m]
                near[1, m] += flow[1, m]
        for m in range(LANES):
            flows[0, 0, m] = top[m]
        for k in range(1, len(before)):
            near, flow, r, x = flows[before[k]], flows[k], tree[0, k], tree[1, k]
            for m in range(LANES):
                square = near[0, m] - 2.0 * (r * flow[0, m] + x * flow[1, m])
                flow[0, m] = square
                top[m] = top[m] if square <= top[m] else square
    for m in range(slots):
        high[row[m]] = top[m]


@compiled(error_model="numpy")
def begin_at(source_pu: float, w: Any) -> None:
    """Set all voltages to the source's."""
    for k in range(len(w) - 1):
        for m in range(LANES):
            w[k, 0, m], w[k, 1, m] = source_pu, 0.0


@compiled(error_model="numpy")
def draws_elsewhere(p_kw: Any, q_kvar: Any, idle: Any, elsewhere: Any) -> None:
    """Whether a slot draws power at a bus that is idle, (slot,): ``idle`` is 1 there and 0 elsewhere, (bus,)."""
    for s in range(len(p_kw)):
        some = 0
        for b in range(len(idle)):
            some |= (p_kw[s, b] * idle[b] != 0.0) | (q_kvar[s, b] * idle[b] != 0.0)
        elsewhere[s] = some != 0


@compiled(error_model="numpy", thorough=True)
def sweep_slots(slots: Any, power: Any, network: Any, source_pu: float, out: Any) -> None:
    """Solve some slots, group by group.

    Parameters
    ----------
    slots : (some,) int
        Which.
    power
        As of `take_group`.
    network
        As of `meanwatt.model.network.sweep_network.network_of`.
    out
        found (slot,), voltage (slot, bus), sums (3, slot), current (slot, line) [A], loading (slot, line), highest
        loading of a transformer (slot,), highest square of a voltage by the linear branch flow equations and
        lowest one found, in the tree's units [pu²] (2, slot), angle (slot, bus); written.
    """
    bus, links, tree = network[0], network[1], network[2]
    w, work = np.zeros((len(bus) + 1, 6, LANES)), np.empty((3, LANES))
    v, row = np.empty((2, network[6], LANES)), np.empty(LANES, dtype=np.int64)
    flows = np.empty((len(bus), 2, LANES))
    for first in range(0, len(slots), LANES):
        here = min(LANES, len(slots) - first)
        for m in range(LANES):
            row[m] = slots[first + (m if m < here else 0)]  # lanes left over repeat the first slot
        take_group(row, power, bus, tree, w)
        begin_at(source_pu, w)
        sweep_lanes(links, tree, w, work, -1)
        write_highest(row, here, network, source_pu, w, flows, out[6][0])
        write_group(row, here, network, w, v, work, out)
