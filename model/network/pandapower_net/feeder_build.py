"""The buses, two-ports and loads of a network made one feeder, and its state at the loads of the file."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.network.library.branch import Branch, BranchKind, FixedLoad
from meanwatt.model.network.library.radial import Feeder
from meanwatt.model.network.pandapower_net.by_phase import PhaseState, phase_data, phase_state, zero_ports
from meanwatt.model.network.pandapower_net.elements import TwoPort
from meanwatt.model.network.pandapower_net.injections import BusLoad
from meanwatt.model.network.pandapower_net.net_json import Net
from meanwatt.model.network.pandapower_net.report import Report
from meanwatt.model.network.pandapower_net.topology import Stub
from meanwatt.model.network.pandapower_net.transformers import TapRule
from meanwatt.model.network.power_flow import solve_power_flow
from meanwatt.model.scenario.files import FileError


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
