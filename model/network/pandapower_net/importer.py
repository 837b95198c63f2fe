"""A feeder from a network that pandapower has saved as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.network.library.branch import Branch, BranchKind, FixedLoad
from meanwatt.model.network.library.radial import Feeder
from meanwatt.model.network.pandapower_net.by_phase import PhaseState, phase_data, phase_state, zero_ports
from meanwatt.model.network.pandapower_net.characteristics import shared_positions
from meanwatt.model.network.pandapower_net.elements import TwoPort
from meanwatt.model.network.pandapower_net.injections import BusLoad, Injections
from meanwatt.model.network.pandapower_net.net_json import Net, Row
from meanwatt.model.network.pandapower_net.places import told_places
from meanwatt.model.network.pandapower_net.report import NAMED, Report
from meanwatt.model.network.pandapower_net.topology import Stub, Topology
from meanwatt.model.network.pandapower_net.transformers import TapRule, ignored_taps
from meanwatt.model.network.power_flow import solve_power_flow
from meanwatt.model.scenario.files import FileError

READ: Final = frozenset(
    {
        "bus", "switch", "line", "impedance", "trafo", "trafo3w", "ext_grid", "load", "asymmetric_load", "sgen",
        "asymmetric_sgen", "motor", "ward", "shunt", "storage",
    }
)  # fmt: skip
"""Tables of elements that an import reads; every other with rows in service is refused."""
LARGE_KW: Final = 40.0
"""Peak per customer above which a load is hardly one household. [kW]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeederState:
    """A feeder at the loads of its file; nan where the power flow finds no state.

    Attributes
    ----------
    min_voltage_pu, max_voltage_pu
        Over all buses. [pu]
    loss_kw
        Active losses of lines and transformers. [kW]
    max_transformer_loading
        Highest current of a transformer over its rated one; None without transformers.
    max_line_loading
        Highest current of a line over its rated one; None without rated lines.
    """

    min_voltage_pu: float
    max_voltage_pu: float
    loss_kw: float
    max_transformer_loading: float | None
    max_line_loading: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFeeder:
    """A network as a feeder.

    Attributes
    ----------
    feeder
        For a market: customers at constant power.
    buses
        Number of buses of the network that are supplied; closed switches make some of them one.
    state
        At the loads of the file.
    report
        What became of every row.
    by_phase
        The state by phase, where that was asked for.
    engine
        What the program that the file belongs to finds itself, where it was run; else None.
    """

    feeder: Feeder
    buses: int
    state: FeederState
    report: Report
    by_phase: PhaseState | None = None
    engine: Mapping[str, Any] | None = None


def import_pandapower(path: Path, rule: TapRule = TapRule.FILE, *, phases: bool = False) -> ImportedFeeder:
    """Read a network saved by pandapower 2 or 3.

    Parameters
    ----------
    path
        The JSON file.
    rule
        Which tap positions count.
    phases
        Whether to keep what the file says by phase: asymmetric loads, and zero sequences.

    Raises
    ------
    FileError, ValueError
        In one line without the file's name, if there is no network, no source or no customer, or if it is meshed.
    """
    net = Net(path)
    found = _imported(net, path.stem, rule, phases=phases)
    ignored = [row for table in ("trafo", "trafo3w") for row in net.rows(table) if ignored_taps(net, row)]
    if rule is TapRule.FILE and ignored:
        other = _imported(net, path.stem, TapRule.APPLY).state
        names = ", ".join(map(str, ignored[:NAMED])) + (" and more" if len(ignored) > NAMED else "")
        found.report.note(
            f"{names}: tap_pos is off neutral but pandapower does not count it, for tap_changer_type is empty"
            " or, at a star point, tap_step_degree;"
            f" with --tap apply voltages go from {other.min_voltage_pu:.4f} to {other.max_voltage_pu:.4f} pu"
            f" instead of {found.state.min_voltage_pu:.4f} to {found.state.max_voltage_pu:.4f} pu."
        )
    return found


def _imported(net: Net, name: str, rule: TapRule, *, phases: bool = False) -> ImportedFeeder:
    report = Report()
    topology = Topology(net, rule, report)
    source = _source(net, topology, report)
    source_bus = topology.bus_of(source)
    supplied = topology.supplied(source_bus)
    _require_one_source(net, topology, source, supplied)
    topology.take(supplied)
    shared = shared_positions(net)
    if shared and rule is not TapRule.IGNORE:
        report.note(
            f"{shared}: share a table of taps, and each stands at its own position; pandapower 3.5.6 puts all of them"
            " at the last one's."
        )
    loads = Injections(net, topology, report, supplied, by_phase=phases)
    for table in net:
        for row in net.rows(table) if table not in READ else ():
            if row is not source and ("in_service" not in row.values or row.flag("in_service")):
                report.refuse(row, "a feeder holds no such element")
    names = {row.index: row.word("name").strip() for row in net.rows("bus")}
    build = FeederBuild(names, topology, supplied, loads.at)
    _say_islands(net, topology, source, supplied, loads, report)
    feeder = build.feeder(net.name or name, source_bus, source.number("vm_pu", 1.0))
    feeder = replace(feeder, position=build.positions(told_places(net, report)))
    joined = sum(len(buses) - 1 for root, buses in topology.members().items() if root in supplied)
    if joined:
        report.note(f"Closed switches make {joined} of the buses one with another.")
    homes = int(feeder.customers.sum())
    if feeder.p_kw.sum() / homes > LARGE_KW:
        report.note(
            f"A customer draws {feeder.p_kw.sum() / homes:.0f} kW at its peak, more than a household: take the"
            " customers out of the file that is written, and a scenario counts households by their own peak load."
        )
    state = build.state(feeder)
    if np.isnan(state.min_voltage_pu):
        report.note("No state found at the loads of the file: the feeder cannot carry them (voltage collapse).")
    by_phase = None
    if phases:
        feeder = build.with_phases(net, feeder, rule, report)
        by_phase = build.state_by_phase(feeder)
        if np.isnan(by_phase.min_phase_voltage_pu) and not np.isnan(state.min_voltage_pu):
            report.note("No state found by phase at the loads of the file (voltage collapse of a phase).")
    return ImportedFeeder(feeder=feeder, buses=build.supplied_buses, state=state, report=report, by_phase=by_phase)


def _sources(net: Net, topology: Topology) -> list[Row]:
    """Rows in service that hold a voltage: external grids, then generators that are the slack."""
    return [
        *(row for row in net.rows("ext_grid") if row.flag("in_service") and topology.bus_of(row) in topology.kv),
        *(
            row
            for row in net.rows("gen")
            if row.flag("in_service") and row.flag("slack", default=False) and topology.bus_of(row) in topology.kv
        ),
    ]


def _source(net: Net, topology: Topology, report: Report) -> Row:
    """The first of them."""
    sources = _sources(net, topology)
    if not sources:
        raise FileError("has no ext_grid in service; a feeder needs one source")
    report.take(sources[0])
    return sources[0]


def _require_one_source(net: Net, topology: Topology, source: Row, supplied: set[int]) -> None:
    for row in net.rows("ext_grid"):
        bus = topology.bus_of(row)
        if row is source or not row.flag("in_service") or bus not in topology.kv:
            continue
        if topology.root(bus) in supplied:
            raise FileError(
                f"has two sources, {source} at bus {source.whole('bus')} and {row} at bus {bus};"
                " set in_service of one to false"
            )


def _say_islands(
    net: Net, topology: Topology, source: Row, supplied: set[int], loads: Injections, report: Report
) -> None:
    """Say which buses are left out: those of another source's feeder, and those that none feeds."""
    left = [bus for bus in topology.kv if topology.root(bus) not in supplied and bus not in topology.stars]
    report.not_supplied["bus"] += len(left)
    report.taken["bus"] += len(topology.kv) - len(topology.stars) - len(left)
    dark, count = left, len(left)
    for row in _sources(net, topology):
        bus = topology.bus_of(row)
        if topology.root(bus) in supplied:
            continue
        fed = topology.supplied(bus)
        own, dark = (
            [one for one in dark if topology.root(one) in fed],
            [one for one in dark if topology.root(one) not in fed],
        )
        report.not_supplied[row.table] += 1
        if own:
            report.note(
                f"{row} at bus {bus} feeds {len(own)} buses of its own, which are left out: a feeder has one source."
                f" To take them instead, set in_service of {source} to false."
            )
    drawn = f", with {loads.dropped_kw:g} kW of load."
    if dark:
        names = ", ".join(map(str, dark[:NAMED])) + (f" and {len(dark) - NAMED} more" if len(dark) > NAMED else "")
        end = drawn if len(dark) == count else "."
        report.note(f"{len(dark)} buses ({names}) are fed by no source and left out{end}")
    if len(dark) < count:
        report.note(f"{count} buses are left out in all{drawn}")


class Connected(Protocol):
    """Buses and two-ports of a network of whatever kind, as `Topology` has them."""

    kv: dict[int, float]
    stars: set[int]
    edges: list[TwoPort]
    stubs: list[Stub]

    def root(self, bus: int) -> int:
        """The bus that stands for all that are one with this."""

    def members(self) -> dict[int, list[int]]:
        """Buses of every root."""


class FeederBuild:
    """The parts of a network that make one feeder."""

    def __init__(
        self, names: Mapping[int, str], topology: Connected, supplied: set[int], loads: Mapping[int, BusLoad]
    ) -> None:
        self._topology = topology
        members = {root: buses for root, buses in topology.members().items() if root in supplied}
        self._roots = list(members)
        self._members = list(members.values())
        self._position = {root: place for place, root in enumerate(self._roots)}
        self._loads = [loads.get(root, BusLoad()) for root in self._roots]
        self._names = _names(names, [buses[0] for buses in members.values()], topology.stars)
        self._kv = np.array([topology.kv[buses[0]] for buses in members.values()])
        self._star = np.array([buses[0] in topology.stars for buses in members.values()], dtype=bool)
        self._edges = [edge for edge in topology.edges if topology.root(edge.from_bus) in supplied]
        self._stubs = [stub for stub in topology.stubs if topology.root(stub.bus) in supplied]
        self.supplied_buses = sum(len(buses) for buses in members.values()) - int(self._star.sum())

    def feeder(self, name: str, source_bus: int, source_voltage_pu: float) -> Feeder:
        """The feeder of a market."""
        if not any(load.customers for load in self._loads):
            raise FileError("has no load in service with p_mw above 0 that a source feeds; a feeder needs customers")
        lines = [edge for edge in self._edges if self._is_plain(edge)]
        half = [self._ends(edge) for edge in lines]
        drawn = np.array([load.drawn for load in self._loads])
        return Feeder(
            name=name,
            buses=self._names,
            source=self._names[self._position[self._topology.root(source_bus)]],
            source_voltage_pu=source_voltage_pu,
            nominal_kv=self._kv,
            p_kw=drawn.real,
            q_kvar=np.maximum(drawn.imag, 0.0),
            customers=np.array([load.customers for load in self._loads]),
            line_from=np.array([a for a, _ in half], dtype=np.int64),
            line_to=np.array([b for _, b in half], dtype=np.int64),
            line_r_ohm=np.array([edge.z_ohm.real for edge in lines]),
            line_x_ohm=np.array([edge.z_ohm.imag for edge in lines]),
            line_b_us=np.array([2e6 * edge.y_from.imag for edge in lines]),
            line_rating_a=np.array([edge.rating_from_a for edge in lines]),
            branches=tuple(self._branch(edge) for edge in self._edges if not self._is_plain(edge)),
            fixed=self._fixed(1j * np.minimum(drawn.imag, 0.0)),
        )

    def positions(self, places: Mapping[int, tuple[float, float]]) -> Floats:
        """Where the buses of the feeder stand, (bus, 2): of buses that are one, the first whose place is known."""
        nowhere = (np.nan, np.nan)
        return np.array([next((places[bus] for bus in own if bus in places), nowhere) for own in self._members])

    def with_phases(self, net: Net, feeder: Feeder, rule: TapRule, report: Report) -> Feeder:
        """The feeder with what the file says of its phases."""
        zeros = zero_ports(net, self._edges, rule, report)
        plain = [edge for edge in self._edges if self._is_plain(edge)]
        others = [edge for edge in self._edges if not self._is_plain(edge)]
        return replace(feeder, phases=phase_data(zeros, plain, others, self._loads))

    def state_by_phase(self, feeder: Feeder) -> PhaseState:
        """The feeder by phase at the loads of the file."""
        there, rest = self._at_file_loads(feeder)
        uneven = np.array([load.drawn_by_phase for load in self._loads])
        return phase_state(there, uneven + ((rest - uneven.sum(axis=1)) / 3)[:, None])

    def _at_file_loads(self, feeder: Feeder) -> tuple[Feeder, Any]:
        """The feeder with loads that vary with the voltage as the file says, and what is drawn at constant power."""
        current = np.array([load.drawn_current for load in self._loads])
        shunt = np.array([load.drawn_shunt for load in self._loads])
        drawn = np.array([load.drawn for load in self._loads])
        return replace(feeder, fixed=self._fixed(1j * 0 * drawn, current, shunt)), drawn - current - shunt

    def state(self, feeder: Feeder) -> FeederState:
        """The feeder at the loads of the file, where loads vary with the voltage as the file says."""
        there, rest = self._at_file_loads(feeder)
        result = solve_power_flow(there, rest.real[None], rest.imag[None])
        voltage = result.voltage_pu[0]
        loss = float(result.loss_kw[0]) - self._loss_of_impedances_kw(voltage, result.voltage_angle_rad[0])
        loss += sum(
            1e3 * stub.siemens.real * (voltage[place] * self._kv[place]) ** 2
            for stub in self._stubs
            for place in [self._place(stub.bus)]
        )
        loading, rated = result.transformer_loading, there.rated_lines
        return FeederState(
            min_voltage_pu=float(voltage[~self._star].min()),
            max_voltage_pu=float(voltage[~self._star].max()),
            loss_kw=loss,
            max_transformer_loading=None if loading is None else float(loading[0]),
            max_line_loading=float(result.line_loading[0, rated].max()) if rated.any() else None,
        )

    def _loss_of_impedances_kw(self, voltage_pu: Floats, angle: Floats) -> float:
        """Losses of switches and impedances, which count as neither lines nor transformers."""
        volt = voltage_pu * np.exp(1j * angle) * self._kv
        loss = 0.0
        for edge in self._edges:
            if edge.kind is BranchKind.IMPEDANCE:
                a, b = self._ends(edge)
                through = abs((volt[a] / edge.ratio - volt[b]) / edge.z_ohm) ** 2 * edge.z_ohm.real
                ends = edge.y_from.real * abs(volt[a]) ** 2 + edge.y_to.real * abs(volt[b]) ** 2
                loss += 1e3 * float(through + ends)
        return loss

    def _place(self, bus: int) -> int:
        return self._position[self._topology.root(bus)]

    def _ends(self, edge: TwoPort) -> tuple[int, int]:
        return self._place(edge.from_bus), self._place(edge.to_bus)

    def _turns(self, edge: TwoPort) -> float:
        a, b = self._ends(edge)
        return edge.ratio / float(self._kv[a] / self._kv[b])

    def _is_plain(self, edge: TwoPort) -> bool:
        """Whether a feeder's plain line holds it: no leakage, the same voltage at both ends."""
        a, b = self._ends(edge)
        return (
            edge.kind is BranchKind.LINE
            and edge.ratio == 1
            and self._kv[a] == self._kv[b]
            and edge.y_from.real == 0
            and edge.y_from.imag >= 0
            and edge.z_ohm.real >= 0
            and edge.z_ohm.imag >= 0
        )

    def _branch(self, edge: TwoPort) -> Branch:
        a, b = self._ends(edge)
        return Branch(
            kind=edge.kind,
            from_bus=a,
            to_bus=b,
            r_ohm=edge.z_ohm.real,
            x_ohm=edge.z_ohm.imag,
            turns=self._turns(edge),
            g_from_us=1e6 * edge.y_from.real,
            b_from_us=1e6 * edge.y_from.imag,
            g_to_us=1e6 * edge.y_to.real,
            b_to_us=1e6 * edge.y_to.imag,
            rating_from_a=edge.rating_from_a,
            rating_to_a=edge.rating_to_a,
        )

    def _fixed(self, power: Any, current: Any = 0.0, shunt: Any = 0.0) -> FixedLoad | None:
        power = power + np.array([load.power for load in self._loads])
        current = current + np.array([load.current for load in self._loads])
        shunt = shunt + np.array([load.shunt for load in self._loads])
        for stub in self._stubs:
            place = self._place(stub.bus)
            shunt[place] += np.conj(stub.siemens) * 1e3 * self._kv[place] ** 2
        found = FixedLoad(
            p_kw=power.real,
            q_kvar=power.imag,
            current_kw=current.real,
            current_kvar=current.imag,
            shunt_kw=shunt.real,
            shunt_kvar=shunt.imag,
        )
        return found or None


def _names(given: Mapping[int, str], buses: list[int], stars: set[int]) -> tuple[str, ...]:
    """A name of its own for every bus: the file's, with the number where it is there twice."""
    taken: dict[str, int] = {}
    for bus in buses:
        taken[given.get(bus, "")] = taken.get(given.get(bus, ""), 0) + 1
    names = []
    for bus in buses:
        name = given.get(bus, "")
        if bus in stars and not name:
            names.append(f"star {bus}")
        elif not name:
            names.append(f"bus {bus}")
        else:
            names.append(name if taken[name] == 1 else f"{name} ({bus})")
    while len(set(names)) < len(names):  # a name that looks like one made here
        names = [f"{name} [{bus}]" for name, bus in zip(names, buses, strict=True)]
    return tuple(names)
