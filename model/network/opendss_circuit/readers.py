"""What each class of elements of a circuit is in a feeder."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from meanwatt.model.network.library.branch import BranchKind
from meanwatt.model.network.library.radial import LEAST_IMPEDANCE_PU
from meanwatt.model.network.opendss_circuit import equivalent
from meanwatt.model.network.opendss_circuit.circuit import Element
from meanwatt.model.network.opendss_circuit.equivalent import PHASES, Equivalent
from meanwatt.model.network.opendss_circuit.parts import CircuitParts
from meanwatt.model.network.pandapower_net.elements import TwoPort
from meanwatt.model.network.pandapower_net.injections import BusLoad
from meanwatt.model.network.pandapower_net.topology import Stub
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

SHORT: Final = "has hardly any impedance, so it has the least that a feeder's line may have"
SHORTEST: Final = 1.001
"""How far above that least, against rounding."""


def _series_or_shunt(circuit: CircuitParts, element: Element) -> None:
    if len(element.sites) == 1:
        found = equivalent.shunt(element, circuit.buses, circuit.place)
    else:
        found = equivalent.series(element, circuit.buses, circuit.place, SERIES[element.table])
    ports = tuple(_not_too_short(circuit, port) for port in found.ports)
    _add(circuit, element, replace(found, ports=ports), SHORT if ports != found.ports else "")


def _not_too_short(circuit: CircuitParts, port: TwoPort) -> TwoPort:
    """The same, of the least impedance that a feeder's line may have: a switch of a circuit has about none."""
    least = SHORTEST * LEAST_IMPEDANCE_PU * circuit.kv[port.to_bus] ** 2
    size = abs(port.z_ohm)
    return port if size >= least else replace(port, z_ohm=port.z_ohm * (least / size) if size else complex(least))


def _transformer(circuit: CircuitParts, element: Element) -> None:
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


def _add(circuit: CircuitParts, element: Element, found: Equivalent, also: str = "") -> None:
    circuit.edges.extend(found.ports)
    for bus, siemens in found.at:
        if element.table in ("Line", "Transformer", "AutoTrans"):
            kind = BranchKind.LINE if element.table == "Line" else BranchKind.TRANSFORMER
            circuit.stubs.append(Stub(kind=kind, bus=bus, siemens=siemens))
        else:
            power = siemens.conjugate() * circuit.kv[bus] ** 2 * 1e3
            circuit.at.setdefault(bus, BusLoad()).shunt += power
    how = FEW if found.phases < PHASES else UNEVEN if found.uneven else ""
    circuit.say(element, how if found.phases else NEUTRAL, also)


def _load(circuit: CircuitParts, element: Element) -> None:
    found, there = element.values["power_kw"], circuit.at.setdefault(circuit.place[element.sites[0]], BusLoad())
    power = complex(*found) if found and any(found) else nameplate(circuit, element)
    if power.real > 0:
        there.customers += element.values["customers"]
        there.drawn += power
    else:
        there.power += power
    model = MODELS.get(element.values["model"], "")
    circuit.say(element, f"{model} in the file, constant power here" if model else "", _few(element))


def _generator(circuit: CircuitParts, element: Element) -> None:
    if element.table == "Generator" and element.values["model"] == 3:
        circuit.report.refuse(element, "it holds a voltage, which a feeder's generators do not")
        return
    power = _power(circuit, element)
    if power is None:
        return
    circuit.at.setdefault(circuit.place[element.sites[0]], BusLoad()).power += power
    model = element.values["model"] not in (1, 7) if element.table == "Generator" else element.values["model"] != 1
    circuit.say(element, "varies with the voltage in the file, constant power here" if model else "", _few(element))


def _power(circuit: CircuitParts, element: Element) -> complex | None:
    """What it draws at constant power as the engine has it; None, and refused, where the engine has no state."""
    found = element.values["power_kw"]
    if found is None:
        circuit.report.refuse(element, "OpenDSS finds no state, so what it feeds in is not known")
        return None
    return complex(*found)


def nameplate(circuit: CircuitParts, load: Element) -> complex:
    """Power of a load as its element says it, times the multiplier of all that are not fixed. [kW, kvar]"""
    return complex(*load.values["base_kw"]) * (1.0 if load.values["fixed"] else circuit.load_multiplier)


def _few(element: Element) -> str:
    return FEW if element.phases < PHASES else ""


def _storage(circuit: CircuitParts, element: Element) -> None:
    circuit.report.refuse(element, "storage is set aside; households have batteries of their own")


def _nothing(circuit: CircuitParts, element: Element) -> None:
    """A source is told where it is found to be the one that feeds."""


def read_other(circuit: CircuitParts, element: Element) -> None:
    """Say of an element of no other class here that it is held as it is, or left out."""
    if element.table in MEASURING:
        circuit.report.refuse(element, "it only measures")
    elif element.table in HOLDING:
        circuit.report.approximate(element, "is a control: what it controls is held as the file leaves it")
    elif element.table.endswith(("Control", "Controller", "Dispatcher")):
        circuit.report.refuse(element, "is a control; a scenario's inverters and batteries answer by its own keys")
    else:
        circuit.report.refuse(element, "a feeder holds no such element")


READERS: Final[dict[str, Callable[[CircuitParts, Element], None]]] = {
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
