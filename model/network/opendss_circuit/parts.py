"""The buses of a circuit by number, and what is between and at them: the form that a feeder is built from."""

from collections import deque
from dataclasses import dataclass, field

from meanwatt.model.network.opendss_circuit.circuit import Bus, Element
from meanwatt.model.network.pandapower_net.elements import TwoPort
from meanwatt.model.network.pandapower_net.injections import BusLoad
from meanwatt.model.network.pandapower_net.report import Report
from meanwatt.model.network.pandapower_net.topology import Stub


@dataclass(slots=True)
class CircuitParts:
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
