"""A feeder from a circuit of OpenDSS: its positive-sequence equivalent with loads at constant power."""

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from meanwatt.model.network.library.branch import BranchKind
from meanwatt.model.network.opendss_circuit import equivalent
from meanwatt.model.network.opendss_circuit.child import read_circuit
from meanwatt.model.network.opendss_circuit.circuit import Bus, Element, read_buses
from meanwatt.model.network.opendss_circuit.equivalent import PHASES, Equivalent
from meanwatt.model.network.pandapower_net.elements import TwoPort
from meanwatt.model.network.pandapower_net.importer import LARGE_KW, FeederBuild, ImportedFeeder
from meanwatt.model.network.pandapower_net.injections import BusLoad
from meanwatt.model.network.pandapower_net.report import NAMED, Report
from meanwatt.model.network.pandapower_net.topology import Stub
from meanwatt.model.network.pandapower_net.transformers import TapRule
from meanwatt.model.scenario.files import FileError

MEASURING: Final = ("Monitor", "EnergyMeter", "Sensor")
"""Classes that change nothing."""
HOLDING: Final = ("RegControl", "CapControl", "SwtControl", "Relay", "Recloser", "Fuse")
"""Controls whose elements stay as the file leaves them."""
SERIES: Final = {"Line": BranchKind.LINE, "Reactor": BranchKind.IMPEDANCE, "Capacitor": BranchKind.IMPEDANCE,
                 "Fault": BranchKind.IMPEDANCE}  # fmt: skip
"""Classes whose conductors go from bus to bus, and what they are in a feeder."""
MODELS: Final = {
    2: "constant impedance", 3: "reactive power by the square of the voltage", 4: "powers of the voltage (CVR)",
    5: "constant current", 6: "fixed reactive power", 7: "fixed reactance", 8: "a mixture (ZIPV)",
}  # fmt: skip
"""What the engine's models of loads other than constant power are."""
FEW: Final = "on one or two phases: spread over three, with the same losses and mean voltage drop"
NEUTRAL: Final = "at a neutral, where a positive sequence has no current"
UNEVEN: Final = "its phases differ: their mean counts, and the voltages of the phases are not told here"


@dataclass(slots=True)
class _Circuit:
    """Buses by number, and what of a circuit is between and at them; the form that a feeder is built from."""

    buses: dict[str, Bus]
    report: Report
    load_multiplier: float
    place: dict[str, int] = field(default_factory=dict)
    kv: dict[int, float] = field(default_factory=dict)
    stars: set[int] = field(default_factory=set)
    edges: list[TwoPort] = field(default_factory=list)
    stubs: list[Stub] = field(default_factory=list)
    at: dict[int, BusLoad] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    pending: list[tuple[Element, int, str]] = field(default_factory=list)
    units: dict[frozenset[int], list[tuple[Element, TwoPort]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Number the buses."""
        for number, bus in enumerate(self.buses.values()):
            self.place[bus.name], self.kv[number], self.names[number] = number, bus.kv, bus.name

    def root(self, bus: int) -> int:
        """Itself: the engine has no switch without impedance."""
        return bus

    def members(self) -> dict[int, list[int]]:
        """Every bus by itself."""
        return {bus: [bus] for bus in self.kv}

    def new(self, kv: float, name: str) -> int:
        """One more place that is no bus of the circuit."""
        number = len(self.kv)
        self.kv[number], self.names[number] = kv, name
        self.stars.add(number)
        return number

    def say(self, element: Element, *how: str) -> None:
        """Remember how an element is taken, and where it is."""
        self.pending.append((element, self.place[element.sites[0]], "; ".join(filter(None, how))))

    def supplied(self, source: int) -> set[int]:
        """Places with a path to one."""
        beside: dict[int, list[int]] = {}
        for edge in self.edges:
            beside.setdefault(edge.from_bus, []).append(edge.to_bus)
            beside.setdefault(edge.to_bus, []).append(edge.from_bus)
        found, waiting = {source}, deque([source])
        while waiting:
            for bus in beside.get(waiting.popleft(), []):
                if bus not in found:
                    found.add(bus)
                    waiting.append(bus)
        return found


def import_opendss(path: Path, allowed: str | Path | None, rule: TapRule = TapRule.FILE) -> ImportedFeeder:
    """Run a circuit of OpenDSS in a child process and take its positive sequence.

    Parameters
    ----------
    path
        The ``.dss`` file. It is a program.
    allowed
        The directory whose programs may run; None for no program at all.
    rule
        Taps as the file leaves them (``file`` and ``apply``), or all at 1 (``ignore``).

    Raises
    ------
    FileError, ValueError
        In one line without the file's name: the file may not run, the package is missing, the child was stopped or
        failed, or the circuit is no feeder.
    """
    return feeder_of_circuit(read_circuit(path, allowed, "ignore" if rule is TapRule.IGNORE else "file"))


def feeder_of_circuit(content: Mapping[str, Any]) -> ImportedFeeder:
    """Make a feeder of what the child process has written; errors as of `import_opendss`."""
    elements = [Element.of(entry) for entry in content["elements"]]
    report = Report()
    sources = [element for element in elements if element.enabled and element.table == "Vsource"]
    if not sources:
        raise FileError("has no Vsource that is enabled; a feeder needs one source")
    angle = math.radians(sources[0].values["source"]["angle"])
    circuit = _Circuit(read_buses(content["buses"], angle), report, content["load_multiplier"])
    if not all(kv > 0 for kv in circuit.kv.values()):
        raise FileError("has buses without a nominal voltage; give all of them with set voltagebases=[...]")
    for element in elements:
        if not element.enabled:
            report.not_in_service[element.table] += 1
        else:
            READERS.get(element.table, _other)(circuit, element)
    _join_banks(circuit)
    grid, voltage = _source(circuit, sources[0])
    supplied = circuit.supplied(grid)
    _say_other_sources(circuit, sources, supplied)
    dropped_kw = _report_rows(circuit, supplied)
    if not any(at.customers for bus, at in circuit.at.items() if bus in supplied):
        raise FileError("has no enabled Load above 0 kW that the source feeds; a feeder needs customers")
    build = FeederBuild(
        circuit.names, circuit, supplied, {bus: at for bus, at in circuit.at.items() if bus in supplied}
    )
    feeder = build.feeder(content["name"], grid, voltage)
    _say_islands(circuit, supplied, dropped_kw)
    state = build.state(feeder)
    _say_rest(content, elements, report)
    homes = int(feeder.customers.sum())
    if feeder.p_kw.sum() / homes > LARGE_KW:
        report.note(
            f"A customer draws {feeder.p_kw.sum() / homes:.0f} kW at its peak, more than a household: take the"
            " customers out of the file that is written, and a scenario counts households by their own peak load."
        )
    if np.isnan(state.min_voltage_pu):
        report.note("No state found at the loads of the file: the feeder cannot carry them (voltage collapse).")
    engine = {"version": content["version"], **content["solution"]}
    return ImportedFeeder(feeder=feeder, buses=build.supplied_buses, state=state, report=report, engine=engine)


def _source(circuit: _Circuit, source: Element) -> tuple[int, float]:
    """The source as an ideal one behind its impedance: its place, and its voltage at the bus's nominal one. [pu]"""
    bus = source.sites[0]
    kv = circuit.buses[bus].kv
    given = source.values["source"]
    own_kv = given["basekv"] * given["pu"]
    own_kv *= math.sqrt(3.0) / (2 * math.sin(math.pi / source.phases)) if source.phases > 1 else math.sqrt(3.0)
    ideal = circuit.new(kv, f"source of {bus}")
    y = complex(equivalent.reduced(source, circuit.buses)[0, 0])
    circuit.edges.append(
        TwoPort(
            kind=BranchKind.IMPEDANCE,
            name=str(source),
            from_bus=ideal,
            to_bus=circuit.place[bus],
            z_ohm=1 / y,
        )
    )
    return ideal, own_kv / kv


def _series_or_shunt(circuit: _Circuit, element: Element) -> None:
    if len(element.sites) == 1:
        found = equivalent.shunt(element, circuit.buses, circuit.place)
    else:
        found = equivalent.series(element, circuit.buses, circuit.place, SERIES[element.table])
    _add(circuit, element, found)


def _transformer(circuit: _Circuit, element: Element) -> None:
    sites = element.sites
    if len(sites) == 1:
        raise FileError(f"{element} joins bus {sites[0]} to itself; give it a second bus")
    star = circuit.new(circuit.kv[circuit.place[sites[0]]], f"star of {element}") if len(sites) == PHASES else -1
    found = equivalent.transformer(element, circuit.buses, circuit.place, star)
    if len(found.ports) == 1:
        port = found.ports[0]
        circuit.units.setdefault(frozenset((port.from_bus, port.to_bus)), []).append((element, port))
        found = replace(found, ports=())
    _add(circuit, element, found)


def _add(circuit: _Circuit, element: Element, found: Equivalent) -> None:
    circuit.edges.extend(found.ports)
    for bus, siemens in found.at:
        if element.table in ("Line", "Transformer", "AutoTrans"):
            kind = BranchKind.LINE if element.table == "Line" else BranchKind.TRANSFORMER
            circuit.stubs.append(Stub(kind=kind, bus=bus, siemens=siemens))
        else:
            power = siemens.conjugate() * circuit.kv[bus] ** 2 * 1e3
            circuit.at.setdefault(bus, BusLoad()).shunt += power
    how = FEW if found.phases < PHASES else UNEVEN if found.uneven else ""
    circuit.say(element, how if found.phases else NEUTRAL)


def _join_banks(circuit: _Circuit) -> None:
    """Make one transformer of units on differing phases, which side by side would let currents circulate."""
    for units in circuit.units.values():
        banks: list[list[tuple[Element, TwoPort]]] = []
        for element, port in units:
            for bank in banks:
                if not any(_phases(circuit, element) & _phases(circuit, other) for other, _ in bank):
                    bank.append((element, port))
                    break
            else:
                banks.append([(element, port)])
        circuit.edges.extend(_bank(circuit, bank) for bank in banks)


def _bank(circuit: _Circuit, bank: list[tuple[Element, TwoPort]]) -> TwoPort:
    ports = [port for _, port in bank]
    if len(bank) == 1:
        return ports[0]
    first = ports[0]
    turned = [port if port.from_bus == first.from_bus else _turned(port) for port in ports]
    ratios = [port.ratio for port in turned]
    if max(ratios) > min(ratios) * (1 + 1e-9):
        names = ", ".join(str(element) for element, _ in bank)
        circuit.report.note(
            f"{names}: one transformer in each phase, with ratios {min(ratios):.5g} to {max(ratios):.5g}; their mean"
            " counts."
        )
    return replace(
        first,
        z_ohm=1 / sum(1 / port.z_ohm for port in turned),
        y_from=sum((port.y_from for port in turned), 0j),
        y_to=sum((port.y_to for port in turned), 0j),
        ratio=sum(ratios) / len(ratios),
        rating_from_a=sum(port.rating_from_a for port in turned),
        rating_to_a=sum(port.rating_to_a for port in turned),
    )


def _turned(port: TwoPort) -> TwoPort:
    """The same two-port, seen from its other end."""
    return replace(
        port,
        from_bus=port.to_bus,
        to_bus=port.from_bus,
        z_ohm=port.z_ohm * port.ratio**2,
        ratio=1 / port.ratio,
        y_from=port.y_to,
        y_to=port.y_from,
        rating_from_a=port.rating_to_a,
        rating_to_a=port.rating_from_a,
    )


def _phases(circuit: _Circuit, element: Element) -> set[int]:
    """Angles of the conductors of an element at its first bus, in steps of 30 degrees."""
    turns = equivalent.turns_of(element, circuit.buses, element.sites[0])
    return {round(math.degrees(float(np.angle(turn))) / 30) % 12 for turn in turns if abs(turn) > 0}


def _load(circuit: _Circuit, element: Element) -> None:
    found, there = element.values["power_kw"], circuit.at.setdefault(circuit.place[element.sites[0]], BusLoad())
    power = complex(*found) if found and any(found) else _nameplate(circuit, element)
    if power.real > 0:
        there.customers += element.values["customers"]
        there.drawn += power
    else:
        there.power += power
    model = MODELS.get(element.values["model"], "")
    circuit.say(element, f"{model} in the file, constant power here" if model else "", _few(element))


def _generator(circuit: _Circuit, element: Element) -> None:
    if element.table == "Generator" and element.values["model"] == 3:
        circuit.report.refuse(element, "it holds a voltage, which a feeder's generators do not")
        return
    power = _power(circuit, element)
    if power is None:
        return
    circuit.at.setdefault(circuit.place[element.sites[0]], BusLoad()).power += power
    model = element.values["model"] not in (1, 7) if element.table == "Generator" else element.values["model"] != 1
    circuit.say(element, "varies with the voltage in the file, constant power here" if model else "", _few(element))


def _power(circuit: _Circuit, element: Element) -> complex | None:
    """What it draws at constant power as the engine has it; None, and refused, where the engine has no state."""
    found = element.values["power_kw"]
    if found is None:
        circuit.report.refuse(element, "OpenDSS finds no state, so what it feeds in is not known")
        return None
    return complex(*found)


def _nameplate(circuit: _Circuit, load: Element) -> complex:
    """Power of a load as its element says it, times the multiplier of all that are not fixed. [kW, kvar]"""
    return complex(*load.values["base_kw"]) * (1.0 if load.values["fixed"] else circuit.load_multiplier)


def _few(element: Element) -> str:
    return FEW if element.phases < PHASES else ""


def _storage(circuit: _Circuit, element: Element) -> None:
    circuit.report.refuse(element, "storage is set aside; households have batteries of their own")


def _nothing(circuit: _Circuit, element: Element) -> None:
    """A source is told where it is found to be the one that feeds."""


def _other(circuit: _Circuit, element: Element) -> None:
    if element.table in MEASURING:
        circuit.report.refuse(element, "it only measures")
    elif element.table in HOLDING:
        circuit.report.approximate(element, "is a control: what it controls is held as the file leaves it")
    elif element.table.endswith(("Control", "Controller", "Dispatcher")):
        circuit.report.refuse(element, "is a control; a scenario's inverters and batteries answer by its own keys")
    else:
        circuit.report.refuse(element, "a feeder holds no such element")


READERS: Final[dict[str, Callable[[_Circuit, Element], None]]] = {
    **dict.fromkeys(SERIES, _series_or_shunt),
    "Transformer": _transformer,
    "AutoTrans": _transformer,
    "Load": _load,
    "Generator": _generator,
    "PVSystem": _generator,
    "Storage": _storage,
    "Vsource": _nothing,
}
"""What reads the elements of a class."""


def _say_other_sources(circuit: _Circuit, sources: list[Element], supplied: set[int]) -> None:
    circuit.report.take(sources[0])
    for source in sources[1:]:
        bus = source.sites[0]
        if circuit.place[bus] in supplied:
            raise FileError(
                f"has two sources, {sources[0]} at bus {sources[0].sites[0]} and {source} at bus {bus};"
                " disable one of them"
            )
        circuit.report.not_supplied["Vsource"] += 1
        circuit.report.note(
            f"{source} feeds buses of its own, which are left out: a feeder has one source. To take them instead,"
            f" disable {sources[0]}."
        )


def _report_rows(circuit: _Circuit, supplied: set[int]) -> float:
    """Count every element that is read; the load that no source feeds. [kW]"""
    dropped_kw = 0.0
    for element, bus, how in circuit.pending:
        if bus not in supplied:
            circuit.report.not_supplied[element.table] += 1
            if element.table == "Load":
                dropped_kw += _nameplate(circuit, element).real
        elif how:
            circuit.report.approximate(element, how)
        else:
            circuit.report.take(element)
    return dropped_kw


def _say_islands(circuit: _Circuit, supplied: set[int], dropped_kw: float) -> None:
    left = [bus for number, bus in circuit.names.items() if number not in supplied and number not in circuit.stars]
    circuit.report.taken["Bus"] += len(circuit.names) - len(circuit.stars) - len(left)
    circuit.report.not_supplied["Bus"] += len(left)
    if left:
        names = ", ".join(left[:NAMED]) + (f" and {len(left) - NAMED} more" if len(left) > NAMED else "")
        circuit.report.note(
            f"{len(left)} buses ({names}) are not fed by the source and left out, with {dropped_kw:g} kW of load."
        )


def _say_rest(content: Mapping[str, Any], elements: list[Element], report: Report) -> None:
    """Say what no single element tells: limits, ratings, load shapes, and the engine's own answers."""
    running = [element for element in elements if element.enabled]
    loads = [element for element in running if element.table == "Load"]
    limited = [load for load in loads if load.values["model"] == 1 and load.values["limits_pu"][0] > 0]
    if limited:
        low = max(load.values["limits_pu"][0] for load in limited)
        report.note(
            f"Loads are constant power at any voltage: OpenDSS makes impedances of {len(limited)} of them below vminpu"
            f" (up to {low:g} pu) and above vmaxpu."
        )
    if any({"daily", "yearly", "duty"} & load.values["given"].keys() for load in loads):
        report.note("Load shapes are not read: a scenario's households bring their own days.")
    unrated = sum(element.table == "Line" and not element.values["rated"] for element in running)
    if unrated:
        report.note(f"{unrated} lines have no normamps; they are rated 400 A, as OpenDSS takes them.")
    if content["bases_made"]:
        report.note("The file sets no voltagebases; nominal voltages are those of its source and transformers.")
    if any(element.table in ("RegControl", "CapControl") for element in running):
        report.note("Taps and capacitors are as the file leaves them: a solve in it lets its controls act, then.")
    report.note(f"OpenDSS itself, loads at constant power: {_said(content['solution'])} over all phases.")


def _said(solution: Mapping[str, Any]) -> str:
    if not solution["converged"] or solution["min_voltage_pu"] is None:
        return "no state"
    return (
        f"{solution['min_voltage_pu']:.4f} to {solution['max_voltage_pu']:.4f} pu and losses of"
        f" {solution['loss_kw']:.4g} kW"
    )
