"""What of a pandapower network is connected: switches, buses out of service, parallel rows, islands."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import networkx as nx

from meanwatt.model.network.library.branch import BranchKind
from meanwatt.model.network.library.radial import LEAST_IMPEDANCE_PU
from meanwatt.model.network.pandapower_net import elements
from meanwatt.model.network.pandapower_net.characteristics import lacks_entry
from meanwatt.model.network.pandapower_net.elements import TwoPort
from meanwatt.model.network.pandapower_net.net_json import Net, Row
from meanwatt.model.network.pandapower_net.report import Report
from meanwatt.model.network.pandapower_net.transformers import SIDES, TapRule, trafo, trafo3w
from meanwatt.model.scenario.files import FileError

SWITCHED: Final = {"l": "line", "t": "trafo", "t3": "trafo3w"}
"""What a switch sits at, beside the bus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stub:
    """A branch with one open end, as what is left of it at the other: an admittance to ground. [S]"""

    kind: BranchKind
    bus: int
    siemens: complex


@dataclass(slots=True)
class Topology:
    """Buses and the two-ports between them.

    Attributes
    ----------
    kv
        Nominal voltage of every bus in service, star points of three-winding transformers included. [kV]
    stars
        Buses that are such star points.
    edges, stubs
        Two-ports in service that are closed at both ends, and at one.
    """

    net: Net
    rule: TapRule
    report: Report
    kv: dict[int, float] = field(default_factory=dict)
    stars: set[int] = field(default_factory=set)
    edges: list[TwoPort] = field(default_factory=list)
    stubs: list[Stub] = field(default_factory=list)
    _known: set[int] = field(default_factory=set)
    _open: dict[tuple[str, int], set[int]] = field(default_factory=dict)
    _one: nx.utils.UnionFind = field(default_factory=nx.utils.UnionFind)
    _whole: list[tuple[Row, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read buses, switches and branches."""
        for row in self.net.rows("bus"):
            self._known.add(row.index)
            if self._in_service(row):
                self.kv[row.index] = row.positive("vn_kv")
        self._read_switches()
        for row in self._rows_in_service("line"):
            self._add_line(row)
        for row in self._rows_in_service("impedance"):
            self._add_impedance(row)
        for row in self._rows_in_service("trafo"):
            buses = [self.bus_of(row, f"{side}_bus") for side in ("hv", "lv")]
            if all(bus in self.kv for bus in buses):
                self._add(trafo(self.net, row, self.rule), self._open_ends(row), None)
                self._take_transformer(row)
        for row in self._rows_in_service("trafo3w"):
            self._add_star(row)

    def root(self, bus: int) -> int:
        """The bus that stands for all that closed switches make one with this."""
        return int(self._one[bus])

    def bus_of(self, row: Row, key: str = "bus") -> int:
        """Bus that a row names; ``FileError`` if the network has none of this number."""
        bus = row.whole(key)
        if bus not in self._known:
            raise FileError(f"{row} has {key} {bus}, and there is no such bus; mend the table {row.table}")
        return bus

    def members(self) -> dict[int, list[int]]:
        """Buses in service of every root, in the order of the file."""
        found: dict[int, list[int]] = {}
        for bus in self.kv:
            found.setdefault(self.root(bus), []).append(bus)
        return found

    def supplied(self, source: int) -> set[int]:
        """Roots of all buses with a path to the source."""
        beside: dict[int, list[int]] = {}
        for edge in self.edges:
            a, b = self.root(edge.from_bus), self.root(edge.to_bus)
            beside.setdefault(a, []).append(b)
            beside.setdefault(b, []).append(a)
        found, waiting = {self.root(source)}, deque([self.root(source)])
        while waiting:
            for bus in beside.get(waiting.popleft(), []):
                if bus not in found:
                    found.add(bus)
                    waiting.append(bus)
        return found

    def take(self, supplied: set[int]) -> None:
        """Tell the report which branches that are read as they stand a source feeds, and which not."""
        for row, bus in self._whole:
            if self.root(bus) in supplied:
                self.report.take(row)
            else:
                self.report.not_supplied[row.table] += 1

    def _in_service(self, row: Row) -> bool:
        if row.flag("in_service"):
            return True
        self.report.not_in_service[row.table] += 1
        return False

    def _rows_in_service(self, table: str) -> Iterator[Row]:
        return (row for row in self.net.rows(table) if self._in_service(row))

    def _read_switches(self) -> None:
        for row in self.net.rows("switch"):
            bus, element, kind = self.bus_of(row), row.whole("element"), row.word("et")
            closed = row.flag("closed")
            if kind == "b":
                self.bus_of(row, "element")
                if closed and bus in self.kv and element in self.kv:
                    self._close(row, bus, element)
            elif kind not in SWITCHED:
                raise FileError(f"{row} has et {kind!r}; give b, l, t or t3")
            elif not closed:
                self._open.setdefault((SWITCHED[kind], element), set()).add(bus)
            self.report.take(row)

    def _close(self, row: Row, bus: int, element: int) -> None:
        edge = elements.switch(row) if row.number("z_ohm", 0.0) > 0 else None
        if edge is None or abs(edge.z_ohm) < LEAST_IMPEDANCE_PU * self.kv[element] ** 2:
            self._one.union(bus, element)
        else:
            self.edges.append(edge)

    def _open_ends(self, row: Row) -> set[int]:
        return self._open.get((row.table, row.index), set())

    def _add_line(self, row: Row) -> None:
        ends = [self.bus_of(row, "from_bus"), self.bus_of(row, "to_bus")]
        opened = self._open_ends(row) | {bus for bus in ends if bus not in self.kv}
        kv_from, kv_to = (self.kv.get(bus, 0.0) for bus in ends)
        edge = elements.line(row, kv_from or kv_to or 1.0, kv_to or kv_from or 1.0, self.net.f_hz)
        if abs(edge.z_ohm) < LEAST_IMPEDANCE_PU * (kv_to or kv_from or 1.0) ** 2 and not opened:
            self._one.union(*ends)
            self.report.approximate(row, "has hardly any impedance, so its two buses are one")
            return
        self._add(edge, opened, row)

    def _add_impedance(self, row: Row) -> None:
        ends = [self.bus_of(row, "from_bus"), self.bus_of(row, "to_bus")]
        if not all(bus in self.kv for bus in ends):
            return
        edge = elements.impedance(row, *(self.kv[bus] for bus in ends))
        if edge is None:
            self.report.refuse(row, "it differs by direction")
        else:
            self._add(edge, set(), row)

    def _add_star(self, row: Row) -> None:
        star = max(self._known) + 1 + len(self.stars)
        hv_bus = self.bus_of(row, "hv_bus")
        buses = {side: self.bus_of(row, f"{side}_bus") for side in SIDES}
        legs = trafo3w(self.net, row, self.rule, star)
        self.stars.add(star)
        self.kv[star] = self.kv.get(hv_bus, row.positive("vn_hv_kv"))
        opened = self._open_ends(row)
        for side, leg in legs.items():
            if buses[side] in self.kv:
                self._add(leg, {buses[side]} & opened, None)
        self._take_transformer(row)

    def _take_transformer(self, row: Row) -> None:
        lacking = lacks_entry(self.net, row)
        if lacking or row.flag("tap_dependent_impedance", default=False):
            self.report.approximate(
                row, lacking or "has impedances by tap as splines, which are not read: its own stand"
            )
        else:
            self._whole.append((row, self.bus_of(row, "hv_bus")))

    def _add(self, edge: TwoPort, opened: set[int], row: Row | None) -> None:
        """Add a two-port, or what is left of it at the closed end."""
        closed = [bus for bus in (edge.from_bus, edge.to_bus) if bus not in opened]
        if len(closed) == 2 and self.root(closed[0]) == self.root(closed[1]):
            self._add_shorted(edge, row)
            return
        if len(closed) == 2:
            self.edges.append(edge)
        elif len(closed) == 1:
            self.stubs.append(Stub(kind=edge.kind, bus=closed[0], siemens=edge.seen_from(closed[0])))
        if row is not None:
            self._whole.append((row, (closed or [edge.from_bus])[0]))

    def _add_shorted(self, edge: TwoPort, row: Row | None) -> None:
        if edge.kind is BranchKind.TRANSFORMER:
            raise FileError(f"{edge.name} joins two buses that closed switches make one; open a switch")
        self.stubs.append(Stub(kind=edge.kind, bus=edge.from_bus, siemens=edge.y_from + edge.y_to))
        if row is not None:
            self.report.approximate(row, "is bridged by closed switches; only its charging is left")
