"""A radial AC feeder as arrays, checked once."""

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import networkx as nx
import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints, read_only, require_finite, require_shape
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.network.library.branch import Branch, BranchKind, FixedLoad
from meanwatt.model.network.library.phase_data import PhaseData
from meanwatt.model.network.library.phase_keys import bus_keys, line_keys, transformer_keys

POWER_FACTOR = 0.95
"""Power factor (lagging) of consumption at a bus that gives no reactive reference load."""

KVAR_PER_KW = math.tan(math.acos(POWER_FACTOR))
"""Reactive power of that consumption. [kvar per kW]"""

LEAST_IMPEDANCE_PU = 1e-8
"""Least impedance of a line, on 1 MVA: below it, rounding keeps the power flow from converging."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformer:
    """A two-winding transformer, an edge of the feeder.

    Parameters
    ----------
    from_bus, to_bus
        Positions of its two buses in ``Feeder.buses``; the feeder turns it so that ``from_bus`` faces the source.
    kva
        Rated power. [kVA]
    uk
        Short-circuit voltage, a fraction of rated voltage (0.04 for 4 %), on the base of the ``to_bus`` side.
    pk_kw
        Copper losses at rated current. [kW]
    turns
        Ratio of the winding facing the source to that bus's nominal voltage; above 1 lowers the voltage beyond.
    p0_kw
        Iron losses. [kW]
    i0
        No-load current, a fraction of rated current; at least ``p0_kw / kva``.

    Notes
    -----
    The vector group's phase shift is left out: it changes no magnitude, current or loss of a radial feeder.
    """

    from_bus: int
    to_bus: int
    kva: float
    uk: float
    pk_kw: float
    turns: float = 1.0
    p0_kw: float = 0.0
    i0: float = 0.0

    def __post_init__(self) -> None:
        """Check every parameter once; the comparisons are false for nan."""
        if not 0 < self.kva < math.inf:
            raise ValueError(f"transformer kva is {self.kva}; give a positive number")
        if not 0 < self.uk < 1:
            raise ValueError(f"transformer uk is {self.uk}; give a fraction in (0, 1), e.g. 0.04 for 4 %")
        if not 0 <= self.pk_kw <= self.uk * self.kva:
            at_most = f"{self.uk * self.kva:g}"
            raise ValueError(
                f"transformer pk_kw is {self.pk_kw}; give a number in [0, uk * kva], here at most {at_most}"
            )
        if not 0 < self.turns < math.inf:
            raise ValueError(f"transformer turns is {self.turns}; give a positive number, 1 for nominal")
        if not 0 <= self.p0_kw / self.kva <= self.i0 < 1:
            raise ValueError(
                f"transformer i0 is {self.i0} and p0_kw {self.p0_kw}; give p0_kw >= 0 and i0 in [p0_kw / kva, 1)"
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Feeder:
    """A radial feeder as arrays. Axes: (bus,) in the order of ``buses``, (line,).

    Lines and transformers may be given either way round; the feeder keeps them turned away from the source.

    Parameters
    ----------
    name
        What to call it.
    buses
        Bus names, each once.
    source, source_voltage_pu
        The bus held at a fixed voltage, angle zero, and that voltage. [pu]
    nominal_kv
        (bus,) Nominal line-to-line voltage. [kV]
    p_kw, q_kvar
        (bus,) Reference load, non-negative. A bus with reactive but no active load is refused, for reactive power
        follows the customers' use. [kW, kvar]
    customers
        (bus,) Number of metered customers, at least one in all.
    line_from, line_to
        (line,) Positions of the two buses.
    line_r_ohm, line_x_ohm
        (line,) Series impedance, both non-negative, together at least 1e-8 pu on 1 MVA. [ohm]
    line_b_us
        (line,) Charging susceptance of the whole line. [µS]
    line_rating_a
        (line,) Current the line may carry; infinite if unknown, its loading is then 0. [A]
    transformers
        Any number of them, usually none or one.
    branches
        Two-ports beside them, as of imported feeders; they may lie parallel to one another and to lines.
    fixed
        Loads and generators that belong to no customer; none by default.
    phases
        What is known of its phases, which only an asymmetric power flow reads; nothing by default.
    position
        (bus, 2) Where each bus stands: longitude and latitude in degrees, or x and y of any plane; nan where that is
        unknown, None where nothing is known. No equation reads it, maps do.

    Raises
    ------
    ValueError
        If a shape or a number is wrong, or the feeder has an island or a loop; the message names the buses.
    """

    __repr__ = short_repr

    name: str
    buses: tuple[str, ...]
    source: str
    source_voltage_pu: float
    nominal_kv: Floats
    p_kw: Floats
    q_kvar: Floats
    customers: Ints
    line_from: Ints
    line_to: Ints
    line_r_ohm: Floats
    line_x_ohm: Floats
    line_b_us: Floats
    line_rating_a: Floats
    transformers: tuple[Transformer, ...] = ()
    branches: tuple[Branch, ...] = ()
    fixed: FixedLoad | None = None
    phases: PhaseData | None = None
    position: Floats | None = None
    parent: Ints = field(init=False)
    """(bus,) The neighbour towards the source, -1 at the source."""

    def __post_init__(self) -> None:
        """Keep checked, read-only copies, every edge turned away from the source."""
        count = len(self.buses)
        twice = sorted({bus for bus in self.buses if self.buses.count(bus) > 1}) if len(set(self.buses)) < count else []
        if twice:
            raise ValueError(f"bus '{twice[0]}' is there twice; give every bus its own name")
        self.index(self.source)
        if not 0 < self.source_voltage_pu < math.inf:
            raise ValueError(f"source_voltage_pu is {self.source_voltage_pu}; give a positive number, e.g. 1.0")
        for name in ("nominal_kv", "p_kw", "q_kvar", "customers"):
            self._keep(name, (count,), "(bus,)")
        for name in ("line_from", "line_to", "line_r_ohm", "line_x_ohm", "line_b_us", "line_rating_a"):
            self._keep(name, (len(self.line_from),), "(line,)")
        if self.fixed is not None:
            require_shape("fixed load", self.fixed.p_kw, (count,), "(bus,)")
        if self.position is not None:
            self._keep_position(count)
        self._check_buses()
        parent = _parents(self.buses, self.index(self.source), self._edges())
        self._turn_away_from_source(parent)
        self._check_lines()
        if self.phases is not None:
            self.phases.require_fits(
                self.buses,
                customers=self.customers,
                lines=len(self.line_from),
                transformers=len(self.transformers),
                branches=len(self.branches),
            )

    def _keep(self, name: str, shape: tuple[int, ...], axes: str) -> None:
        values = np.asarray(getattr(self, name))
        require_shape(name, values, shape, axes)
        if name != "line_rating_a":
            require_finite(name, values)
        whole = name in ("customers", "line_from", "line_to")
        if whole and not np.array_equal(values, np.rint(values)):
            raise ValueError(f"{name} holds {values[values != np.rint(values)][0]}; give whole numbers")
        object.__setattr__(self, name, _read_only_ints(values) if whole else read_only(values))

    def _keep_position(self, count: int) -> None:
        position = np.asarray(self.position, dtype=float)
        require_shape("position", position, (count, 2), "(bus, 2)")
        if np.isinf(position).any() or (np.isnan(position[:, 0]) != np.isnan(position[:, 1])).any():
            raise ValueError("position holds half a place or an infinite one; give x and y, or nan for both")
        object.__setattr__(self, "position", None if np.isnan(position).all() else read_only(position))

    def _check_buses(self) -> None:
        for name, wrong, allowed in (
            ("nominal_kv", self.nominal_kv <= 0, "a positive voltage"),
            ("p_kw", self.p_kw < 0, "consumption >= 0; generation comes in with the net load"),
            ("q_kvar", self.q_kvar < 0, "consumption >= 0"),
            ("customers", self.customers < 0, "a number >= 0"),
        ):
            if wrong.any():
                bus = int(np.argmax(wrong))
                raise ValueError(f"bus '{self.buses[bus]}' has {name} {getattr(self, name)[bus]:g}; give {allowed}")
        lone = (self.p_kw == 0) & (self.q_kvar > 0)
        if lone.any():
            bus = int(np.argmax(lone))
            raise ValueError(
                f"bus '{self.buses[bus]}' has q_kvar {self.q_kvar[bus]:g} but p_kw 0;"
                " give both, for reactive power follows the customers' use"
            )
        if not self.customers.any():
            raise ValueError(
                f"feeder '{self.name}' has no customers; give a bus customers >= 1 or a smaller peak_reference_kw"
            )
        ends = [bus for edge in self._edges() for bus in edge]
        strange = [end for end in ends if not 0 <= end < len(self.buses)]
        if strange:
            raise ValueError(f"a line or transformer ends at unknown bus {strange[0]}; give 0 to {len(self.buses) - 1}")

    def _check_lines(self) -> None:
        if np.isnan(self.line_rating_a).any() or not (self.line_rating_a > 0).all():
            line = int(np.argmin(self.line_rating_a > 0))
            raise ValueError(
                f"line {self.line_names[line]} has rating_a {self.line_rating_a[line]:g};"
                " give a positive current, inf if unknown"
            )
        least_ohm = LEAST_IMPEDANCE_PU * self.nominal_kv[self.line_to] ** 2
        too_small = np.hypot(self.line_r_ohm, self.line_x_ohm) < least_ohm
        impedance_wrong = (self.line_r_ohm < 0) | (self.line_x_ohm < 0) | too_small
        if impedance_wrong.any():
            line = int(np.argmax(impedance_wrong))
            raise ValueError(
                f"line {self.line_names[line]} has r_ohm {self.line_r_ohm[line]:g} and x_ohm {self.line_x_ohm[line]:g};"
                f" give numbers >= 0, together at least {least_ohm[line]:.1g}, or make its two buses one"
            )
        if (self.line_b_us < 0).any():
            line = int(np.argmax(self.line_b_us < 0))
            raise ValueError(f"line {self.line_names[line]} has b_us {self.line_b_us[line]:g}; give a number >= 0")
        kv_from, kv_to = self.nominal_kv[self.line_from], self.nominal_kv[self.line_to]
        if (kv_from != kv_to).any():
            line = int(np.argmax(kv_from != kv_to))
            raise ValueError(
                f"line {self.line_names[line]} joins {kv_from[line]:g} kV and {kv_to[line]:g} kV;"
                " give that edge a transformer's kva, uk and pk_kw"
            )

    def _edges(self) -> list[tuple[int, int]]:
        lines = list(zip(self.line_from.tolist(), self.line_to.tolist(), strict=True))
        units = [(unit.from_bus, unit.to_bus) for unit in self.transformers]
        return lines + units + [(branch.from_bus, branch.to_bus) for branch in self.branches]

    def _turn_away_from_source(self, parent: list[int]) -> None:
        ends = [(a, b) if parent[b] == a else (b, a) for a, b in self._edges()]
        lines = np.array(ends[: len(self.line_from)], dtype=np.int64).reshape(-1, 2)
        units = zip(self.transformers, ends[len(self.line_from) :], strict=False)  # branches lie either way round
        object.__setattr__(self, "line_from", _read_only_ints(lines[:, 0]))
        object.__setattr__(self, "line_to", _read_only_ints(lines[:, 1]))
        object.__setattr__(self, "transformers", tuple(replace(unit, from_bus=a, to_bus=b) for unit, (a, b) in units))
        object.__setattr__(self, "parent", _read_only_ints(parent))

    def index(self, bus: str) -> int:
        """Give the position of a bus, or a ``ValueError`` naming the nearest bus there is."""
        if bus not in self.buses:
            raise ValueError(f"feeder '{self.name}' has no bus '{bus}'; did you mean '{nearest(bus, self.buses)}'?")
        return self.buses.index(bus)

    @property
    def line_names(self) -> tuple[str, ...]:
        """(line,) Each line as ``from-to``, away from the source; those that are branches last."""
        pairs = list(zip(self.line_from.tolist(), self.line_to.tolist(), strict=True))
        for place in self.line_branches.tolist():
            a, b = self.branches[place].from_bus, self.branches[place].to_bus
            pairs.append((a, b) if self.parent[b] == a else (b, a))
        return tuple(f"{self.buses[a]}-{self.buses[b]}" for a, b in pairs)

    @property
    def line_branches(self) -> Ints:
        """Positions in ``branches`` of those that stand for lines."""
        return np.flatnonzero([branch.kind is BranchKind.LINE for branch in self.branches])

    @property
    def rated_lines(self) -> Bools:
        """(line,) Whether a line's rated current is known, in the order of ``line_names``."""
        beside = [self.branches[place] for place in self.line_branches.tolist()]
        known = [math.isfinite(min(branch.rating_from_a, branch.rating_to_a)) for branch in beside]
        return np.concatenate([np.isfinite(self.line_rating_a), np.array(known, dtype=bool)])

    @property
    def has_transformer(self) -> bool:
        """Whether a transformer, plain or as a branch, is in it, whose loading a power flow then gives."""
        return bool(self.transformers) or any(branch.kind is BranchKind.TRANSFORMER for branch in self.branches)

    @property
    def kvar_per_kw(self) -> Floats:
        """(bus,) Reactive power per kW of use: the reference load's ratio, power factor .95 where there is none."""
        ratio = np.full(len(self.buses), KVAR_PER_KW)
        np.divide(self.q_kvar, self.p_kw, out=ratio, where=self.p_kw > 0)
        return ratio

    @property
    def graph(self) -> nx.Graph:
        """A fresh graph of the feeder, in the form ``feeder_from_graph`` reads: change it and build another.

        ``ValueError`` for a feeder with more than such a graph holds: two-ports, fixed loads or parallel lines.
        """
        edges = self._edges()
        if self.branches or self.fixed or len({frozenset(edge) for edge in edges}) < len(edges):
            raise ValueError(f"feeder '{self.name}' has branches, fixed loads or parallel lines, which no graph holds")
        graph = nx.Graph(name=self.name)
        columns = ("nominal_kv", "p_kw", "q_kvar")
        for place, bus in enumerate(self.buses):
            values = {name: float(getattr(self, name)[place]) for name in columns}
            where = position_keys(self.position, place)
            graph.add_node(bus, **values, **where, customers=int(self.customers[place]), **bus_keys(self.phases, place))
        graph.nodes[self.source]["source_voltage_pu"] = self.source_voltage_pu
        for line, (a, b) in enumerate(zip(self.line_from, self.line_to, strict=True)):
            graph.add_edge(
                self.buses[a],
                self.buses[b],
                r_ohm=float(self.line_r_ohm[line]),
                x_ohm=float(self.line_x_ohm[line]),
                b_us=float(self.line_b_us[line]),
                rating_a=float(self.line_rating_a[line]),
                **line_keys(self.phases, line),
            )
        for place, unit in enumerate(self.transformers):
            names = ("kva", "uk", "pk_kw", "turns", "p0_kw", "i0")
            values = {name: getattr(unit, name) for name in names} | transformer_keys(self.phases, place)
            graph.add_edge(self.buses[unit.from_bus], self.buses[unit.to_bus], **values)
        return graph


def _parents(buses: tuple[str, ...], source: int, edges: list[tuple[int, int]]) -> list[int]:
    """Give each bus its neighbour towards the source, or say where the loop or the island is."""
    tree = nx.Graph()
    tree.add_nodes_from(range(len(buses)))
    joined = nx.utils.UnionFind(range(len(buses)))
    for a, b in edges:
        if tree.has_edge(a, b):  # parallel
            continue
        if joined[a] == joined[b]:  # this edge closes a loop with the path already there
            loop = [*nx.shortest_path(tree, a, b), a]
            names = " - ".join(buses[bus] for bus in loop)
            raise ValueError(f"the feeder has a loop: {names}; open one edge of it, for a feeder is radial")
        joined.union(a, b)
        tree.add_edge(a, b)
    parent = [-1] * len(buses)
    for near, far in nx.bfs_edges(tree, source):
        parent[far] = near
    island = [bus for i, bus in enumerate(buses) if parent[i] < 0 and i != source]
    if island:
        more = f" and {len(island) - 8} more" if len(island) > 8 else ""
        raise ValueError(
            f"no path from the source '{buses[source]}' to {', '.join(island[:8])}{more}; join the island or drop it"
        )
    return parent


def position_keys(position: Floats | None, bus: int) -> dict[str, Any]:
    """Keys ``x`` and ``y`` of one bus in files and graphs; none where its place is unknown."""
    if position is None or np.isnan(position[bus]).any():
        return {}
    return {"x": float(position[bus, 0]), "y": float(position[bus, 1])}


def nearest(name: str, names: Sequence[str]) -> str:
    """Give the one of ``names`` that looks most like ``name``, for error messages."""
    return difflib.get_close_matches(name, names, n=1, cutoff=0.0)[0]


def _read_only_ints(values: Any) -> Ints:
    array = np.array(values, dtype=np.int64)
    array.setflags(write=False)
    return array
