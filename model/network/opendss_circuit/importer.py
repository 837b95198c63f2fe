"""A feeder from a circuit of OpenDSS: its positive-sequence equivalent with loads at constant power."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from meanwatt.model.network.library.branch import BranchKind
from meanwatt.model.network.opendss_circuit import equivalent
from meanwatt.model.network.opendss_circuit.banks import join_banks
from meanwatt.model.network.opendss_circuit.child import read_circuit
from meanwatt.model.network.opendss_circuit.circuit import Element, read_buses
from meanwatt.model.network.opendss_circuit.notes import say_notes
from meanwatt.model.network.opendss_circuit.parts import CircuitParts
from meanwatt.model.network.opendss_circuit.readers import READERS, nameplate, read_other
from meanwatt.model.network.pandapower_net.elements import TwoPort
from meanwatt.model.network.pandapower_net.feeder_build import FeederBuild
from meanwatt.model.network.pandapower_net.importer import LARGE_KW, ImportedFeeder
from meanwatt.model.network.pandapower_net.places import point
from meanwatt.model.network.pandapower_net.report import NAMED, Report
from meanwatt.model.network.pandapower_net.transformers import TapRule
from meanwatt.model.scenario.files import FileError


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
    circuit = CircuitParts(read_buses(content["buses"], angle), report, content["load_multiplier"])
    if not all(kv > 0 for kv in circuit.kv.values()):
        raise FileError("has buses without a nominal voltage; give all of them with set voltagebases=[...]")
    for element in elements:
        if not element.enabled:
            report.not_in_service[element.table] += 1
        else:
            _read(circuit, element)
    join_banks(circuit)
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
    feeder = replace(feeder, position=build.positions(_places(circuit, content["buses"])))
    _say_islands(circuit, supplied, dropped_kw)
    state = build.state(feeder)
    say_notes(content, elements, report)
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


def _places(circuit: CircuitParts, entries: list[Mapping[str, Any]]) -> dict[int, tuple[float, float]]:
    """Places by number of the bus, of those that `Buscoords` gave one; what is no point is said."""
    places, bad = dict[int, tuple[float, float]](), list[str]()
    for entry in entries:
        if "place" in entry:
            place = point(entry["place"])
            if place is None:
                bad.append(entry["name"])
            else:
                places[circuit.place[entry["name"]]] = place
    if bad:
        names = ", ".join(bad[:NAMED]) + (f" and {len(bad) - NAMED} more" if len(bad) > NAMED else "")
        circuit.report.note(
            f"bus {names}: the place is no point with two numbers; a map puts the bus between its neighbours."
        )
    return places


def _read(circuit: CircuitParts, element: Element) -> None:
    try:
        READERS.get(element.table, read_other)(circuit, element)
    except (ArithmeticError, np.linalg.LinAlgError):
        raise FileError(f"{element} has admittances that no two-port holds; mend its impedances") from None


def _source(circuit: CircuitParts, source: Element) -> tuple[int, float]:
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


def _say_other_sources(circuit: CircuitParts, sources: list[Element], supplied: set[int]) -> None:
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


def _report_rows(circuit: CircuitParts, supplied: set[int]) -> float:
    """Count every element that is read; the load that no source feeds. [kW]"""
    dropped_kw = 0.0
    for element, bus, how in circuit.pending:
        if bus not in supplied:
            circuit.report.not_supplied[element.table] += 1
            if element.table == "Load":
                dropped_kw += nameplate(circuit, element).real
        elif how:
            circuit.report.approximate(element, how)
        else:
            circuit.report.take(element)
    return dropped_kw


def _say_islands(circuit: CircuitParts, supplied: set[int], dropped_kw: float) -> None:
    left = [bus for number, bus in circuit.names.items() if number not in supplied and number not in circuit.stars]
    circuit.report.taken["Bus"] += len(circuit.names) - len(circuit.stars) - len(left)
    circuit.report.not_supplied["Bus"] += len(left)
    if left:
        names = ", ".join(left[:NAMED]) + (f" and {len(left) - NAMED} more" if len(left) > NAMED else "")
        circuit.report.note(
            f"{len(left)} buses ({names}) are not fed by the source and left out, with {dropped_kw:g} kW of load."
        )
