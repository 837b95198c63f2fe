"""The positive-sequence equivalent of an element: a two-port between scalars in place of one between conductors.

A bus has one voltage v, phase to ground; its nodes have v times their phasors. A bus draws 3 v i*, spread over the
phases. An element on n of the three phases carries all that its side draws, so 3 i / n in each: its equivalent has the
same losses and the same mean voltage drop. For three phases it is the positive sequence of textbooks, Z_s − Z_m; a line
of one phase counts with three times its impedance, and half as much again makes one of two. (The engine's own command
``MakePosSeq`` keeps the impedance of either, closes what is open, and forgets the units of a length.)
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from meanwatt.model.network.library.branch import BranchKind
from meanwatt.model.network.opendss_circuit.circuit import Bus, Complexes, Element
from meanwatt.model.network.pandapower_net.elements import TwoPort
from meanwatt.model.scenario.files import FileError

UNEVEN: Final = 1e-6
"""Relative difference of the phases' impedances above which they are said to differ."""
PHASES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalent:
    """What an element is in a positive sequence.

    Attributes
    ----------
    ports
        Two-ports between places: the numbers of buses, or of a star point of its own.
    at
        Admittance to ground at a place. [S]
    phases
        How many of the three phases it is on.
    uneven
        Whether its phases differ.
    """

    ports: tuple[TwoPort, ...] = ()
    at: tuple[tuple[int, complex], ...] = ()
    phases: int = PHASES
    uneven: bool = False


def turns_of(element: Element, buses: Mapping[str, Bus], bus: str) -> Complexes:
    """Phasors of an element's conductors at a bus, those elsewhere 0."""
    return np.array(
        [
            buses[bus].turns.get(node, 0j) if element.bus_of(terminal, conductor) == bus else 0j
            for terminal, nodes in enumerate(element.nodes)
            for conductor, node in enumerate(nodes)
        ]
    )


def reduced(element: Element, buses: Mapping[str, Bus]) -> Complexes:
    """Admittance between the voltages of the buses of an element. [S]"""
    frame = np.array([turns_of(element, buses, bus) for bus in element.sites])
    return np.asarray(frame.conj() @ element.admittance @ frame.T / PHASES)


def shunt(element: Element, buses: Mapping[str, Bus], place: Mapping[str, int]) -> Equivalent:
    """An element between one bus and the ground, or between the phases of a bus."""
    size = abs(turns_of(element, buses, element.sites[0]))
    return Equivalent(
        at=((place[element.sites[0]], complex(reduced(element, buses)[0, 0])),),
        phases=min(_count(element, buses), PHASES),
        uneven=_is_uneven(element.admittance[np.ix_(size > 0, size > 0)][: element.phases, : element.phases]),
    )


def series(element: Element, buses: Mapping[str, Bus], place: Mapping[str, int], kind: BranchKind) -> Equivalent:
    """A line, or anything else whose conductors go from one bus to another."""
    size = len(element.nodes[0])
    near, far = (turns_of(element, buses, bus) for bus in element.sites)
    near, far = near[:size], far[size:]
    opened = _opened(element, size)
    live = (abs(near) > 0) & (abs(far) > 0)
    through = np.flatnonzero(live & ~opened[0] & ~opened[1])
    ends = [place[bus] for bus in element.sites]
    y = element.admittance
    if not len(through):
        sides = (near, far)
        at = [
            (ends[end], complex(turns.conj() @ y[part, part] @ turns / PHASES))
            for end, (turns, part) in enumerate(zip(sides, (slice(0, size), slice(size, None)), strict=True))
            if not opened[end].all()
        ]
        return Equivalent(at=tuple(at), phases=min(int(live.sum()), PHASES))
    across = -y[np.ix_(through, size + through)]
    ohm = np.linalg.inv(across)
    n, turns = len(through), near[through]
    z = complex(turns.conj() @ ohm @ turns) * PHASES / n**2
    y_from, y_to = (
        complex(turns.conj() @ (y[np.ix_(rows, rows)] - across) @ turns) / PHASES for rows in (through, size + through)
    )
    rated = element.values.get("normal_amps", 0.0) * n / PHASES
    rating = rated if rated > 0 else math.inf
    port = TwoPort(
        kind=kind,
        name=str(element),
        from_bus=ends[0],
        to_bus=ends[1],
        z_ohm=z,
        y_from=_tidy(y_from, z),
        y_to=_tidy(y_to, z),
        rating_from_a=rating,
        rating_to_a=rating,
    )
    uneven = n < int(live.sum()) or (n == PHASES and _is_uneven(ohm))
    return Equivalent(ports=(port,), phases=min(n, PHASES), uneven=uneven)


def transformer(element: Element, buses: Mapping[str, Bus], place: Mapping[str, int], star: int) -> Equivalent:
    """A transformer of two or three windings, or with the halves of a winding at one bus."""
    sites = element.sites
    y = reduced(element, buses)
    opened = [
        all(all(flags) for bus, flags in zip(element.buses, element.opened, strict=True) if bus == site)
        for site in sites
    ]
    phases = min(_count(element, buses), PHASES)
    if any(opened):
        at = [(place[site], complex(y[i, i])) for i, site in enumerate(sites) if not opened[i]]
        if len(at) > 1:
            raise FileError(f"{element} has three windings and an open terminal; close it or disable the transformer")
        return Equivalent(at=tuple(at), phases=phases)
    volts = [_winding_volts(element, buses, site) for site in sites]
    rated = [_rated_a(element, site, volt) for site, volt in zip(sites, volts, strict=True)]
    some = any(any(flags) for flags in element.opened)
    if len(sites) == 2:
        ratio = volts[0] / volts[1]
        across = -(y[0, 1] + y[1, 0]) / 2 * ratio
        port = TwoPort(
            kind=BranchKind.TRANSFORMER,
            name=str(element),
            from_bus=place[sites[0]],
            to_bus=place[sites[1]],
            z_ohm=complex(1 / across),
            y_from=complex(y[0, 0] - across / ratio**2),
            y_to=complex(y[1, 1] - across),
            ratio=ratio,
            rating_from_a=rated[0],
            rating_to_a=rated[1],
        )
        return Equivalent(ports=(port,), phases=phases, uneven=some)
    if len(sites) != PHASES:
        raise FileError(f"{element} joins {len(sites)} buses; a feeder holds transformers between two or three")
    return Equivalent(
        ports=_star(element, y, volts, rated, [place[site] for site in sites], star), phases=phases, uneven=some
    )


def _star(
    element: Element, y: Complexes, volts: list[float], rated: list[float], ends: list[int], star: int
) -> tuple[TwoPort, ...]:
    """Three windings as three two-ports to a star point at the first winding's voltage."""
    ratio = np.array(volts) / volts[0]
    seen = y * np.outer(ratio, ratio)
    delta = -(seen + seen.T) / 2
    a, b, c = complex(delta[0, 1]), complex(delta[1, 2]), complex(delta[0, 2])
    twice = a * b + b * c + c * a
    leak = seen.sum(axis=1)
    return tuple(
        TwoPort(
            kind=BranchKind.TRANSFORMER,
            name=f"{element} winding {winding + 1}",
            from_bus=ends[winding],
            to_bus=star,
            z_ohm=opposite / twice,
            y_from=complex(leak[winding]) / float(ratio[winding]) ** 2,
            ratio=float(ratio[winding]),
            rating_from_a=rated[winding],
        )
        for winding, opposite in enumerate((b, c, a))
    )


def _winding_volts(element: Element, buses: Mapping[str, Bus], site: str) -> float:
    """Tapped voltage of the winding at a bus, as the bus's voltage between phase and ground. [V]"""
    if element.table == "AutoTrans":  # its series winding lies between two buses
        return buses[site].volt or 1.0
    winding = element.buses.index(site)
    kv = element.values["windings"]["kv"][winding] * element.values["windings"]["tap"][winding]
    if not kv > 0:
        raise FileError(f"{element} has a winding of {kv:g} kV with its tap; give kv and tap above 0")
    if element.phases > 1:
        return float(1e3 * kv / math.sqrt(3.0))
    turns = [buses[site].turns.get(node, 0j) for node in element.nodes[winding]]
    span = abs(turns[0] - (turns[1] if len(turns) > 1 else 0j))
    return float(1e3 * kv / (span or 1.0))


def _rated_a(element: Element, site: str, volts: float) -> float:
    """Rated current of the windings at a bus, spread over three phases. [A]"""
    windings = element.values["windings"]
    here = [winding for winding, bus in enumerate(element.buses) if bus == site]
    tap = 1.0 if element.table == "AutoTrans" else windings["tap"][here[0]]
    return float(1e3 * max(windings["kva"][winding] for winding in here) / (PHASES * volts / tap))


def _count(element: Element, buses: Mapping[str, Bus]) -> int:
    """How many phases an element is on: the most at one of its terminals."""
    return max(
        sum(abs(buses[bus].turns.get(node, 0j)) > 0 for node in set(nodes))
        for bus, nodes in zip(element.buses, element.nodes, strict=True)
    )


def _opened(element: Element, size: int) -> list[np.ndarray]:
    """For both ends, which conductors are open."""
    flags = [np.zeros(size, dtype=bool) for _ in element.opened]
    for end, opened in zip(flags, element.opened, strict=True):
        end[: len(opened)] = opened
    return flags


def _is_uneven(matrix: np.ndarray) -> bool:
    if matrix.shape != (PHASES, PHASES):
        return False
    own, beside = matrix.diagonal(), matrix[~np.eye(PHASES, dtype=bool)]
    spread = max(abs(own - own.mean()).max(), abs(beside - beside.mean()).max())
    return bool(spread > UNEVEN * abs(own.mean() - beside.mean()))


def _tidy(y: complex, z: complex) -> complex:
    """An admittance without what rounding leaves of it: the difference of numbers of the size of 1 / z."""
    noise = 1e-13 / abs(z)
    return complex(y.real if abs(y.real) > noise else 0.0, y.imag if abs(y.imag) > noise else 0.0)
