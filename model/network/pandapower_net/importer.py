"""A feeder from a network that pandapower has saved as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from meanwatt.model.network.library.radial import Feeder
from meanwatt.model.network.pandapower_net.by_phase import PhaseState
from meanwatt.model.network.pandapower_net.characteristics import shared_positions
from meanwatt.model.network.pandapower_net.engine_notes import say_shares, say_tables, say_taps
from meanwatt.model.network.pandapower_net.feeder_build import FeederBuild, FeederState
from meanwatt.model.network.pandapower_net.injections import Injections
from meanwatt.model.network.pandapower_net.net_json import Net, Row
from meanwatt.model.network.pandapower_net.places import told_places
from meanwatt.model.network.pandapower_net.report import NAMED, Report
from meanwatt.model.network.pandapower_net.topology import Topology
from meanwatt.model.network.pandapower_net.transformers import TapRule
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
    if rule is TapRule.FILE:
        say_taps(net, found.state, found.report, lambda: _imported(net, path.stem, TapRule.APPLY).state)
        say_shares(net, found.report)
        say_tables(net, found.report)
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
