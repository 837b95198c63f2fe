"""Transformers of one phase each, as of regulators, made one."""

import math
from dataclasses import replace

import numpy as np

from meanwatt.model.network.opendss_circuit.circuit import Element
from meanwatt.model.network.opendss_circuit.equivalent import turns_of
from meanwatt.model.network.opendss_circuit.parts import CircuitParts
from meanwatt.model.network.pandapower_net.elements import TwoPort


def join_banks(circuit: CircuitParts) -> None:
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


def _bank(circuit: CircuitParts, bank: list[tuple[Element, TwoPort]]) -> TwoPort:
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


def _phases(circuit: CircuitParts, element: Element) -> set[int]:
    """Angles of the conductors of an element at its first bus, in steps of 30 degrees."""
    turns = turns_of(element, circuit.buses, element.sites[0])
    return {round(math.degrees(float(np.angle(turn))) / 30) % 12 for turn in turns if abs(turn) > 0}
