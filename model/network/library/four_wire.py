"""A four-wire low-voltage feeder whose homes are each on one phase, known which."""

from typing import Final

import networkx as nx

from meanwatt.model.network.library.low_voltage import MAIN_150, SPUR_50, Station, Street, low_voltage

NEUTRAL_SECTION: Final = 0.5
"""Section of the neutral over that of a phase conductor."""
STREET_PHASES: Final = ("abc", "aabaacaaba")
"""Phases of the homes of the two streets, in order; the pattern begins again at its end."""


def lv_four_wire(home_kw: float) -> nx.Graph:
    """Build the four-wire feeder: 24 homes on two streets behind 160 kVA, each on one phase. All numbers are choices.

    The current of a home comes back in the neutral alone, so the zero-sequence impedance of a cable is that of a phase
    and three times that of the neutral: of half the section, r0 = 7 r1 and, at equal reactance, x0 = 4 x1. The homes of
    the first street were connected in turn, those of the second mostly to the wire at hand: 12 homes are on phase a, 7
    on b, 5 on c. The transformer is Dyn5, with a zero-sequence reactance of .95 of the positive one.

    Returns
    -------
    networkx.Graph
        Attributes as ``meanwatt.model.network.feeder.feeder_from_graph`` reads them.
    """
    station = Station(source_voltage_pu=1.02, source_kv=10.0, kva=160.0, uk=0.04, pk_kw=2.35)
    streets = (
        Street(homes=14, first_m=60.0, spacing_m=30.0, spur_every=4),
        Street(homes=10, first_m=60.0, spacing_m=40.0, spur_every=0),
    )
    graph = low_voltage("lv_four_wire", station, streets, home_kw=home_kw, main=MAIN_150, spur=SPUR_50)
    for _, _, data in graph.edges(data=True):
        if "kva" not in data:
            data["r0_ohm"] = data["r_ohm"] * (1 + 3 / NEUTRAL_SECTION)
            data["x0_ohm"] = data["x_ohm"] * 4
    ohm = 0.4**2 * 1e3 / station.kva
    r = station.pk_kw / station.kva
    data = graph.edges["grid", "station"]
    data["vector_group"], data["r0_ohm"] = "Dyn5", r * ohm
    data["x0_ohm"] = 0.95 * (station.uk**2 - r**2) ** 0.5 * ohm
    for number, pattern in enumerate(STREET_PHASES, start=1):
        homes = [bus for bus in graph if bus.startswith(f"{number}-")]
        for place, bus in enumerate(homes):
            phase = pattern[place % len(pattern)]
            graph.nodes[bus]["phase_customers"] = tuple(int(phase == name) for name in "abc")
    return graph
