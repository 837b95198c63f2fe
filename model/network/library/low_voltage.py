"""Synthetic low-voltage feeders: homes along cables behind one distribution transformer.

Nothing here is copied from a data set. A feeder is grown from a handful of parameters, chosen so that it behaves as a
European rural or suburban network does; the tests check the table of voltages against PV adoption.
"""

from dataclasses import dataclass

import networkx as nx

ALUMINIUM_OHM_MM2_PER_KM = 31.0
"""Resistance of one kilometre of one square millimetre of aluminium at about 45 °C."""

CABLE_X_OHM_PER_KM = 0.08
"""Reactance of a four-core low-voltage cable; it hardly depends on the cross-section."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cable:
    """A four-core aluminium cable: cross-section of a conductor and the current it may carry for long."""

    section_mm2: float
    rating_a: float


MAIN_150 = Cable(section_mm2=150.0, rating_a=270.0)
SPUR_50 = Cable(section_mm2=50.0, rating_a=140.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """One outgoing cable of the transformer station and the homes along it.

    Parameters
    ----------
    homes
        Homes on the street, spurs included.
    first_m, spacing_m
        Cable from the station to the first home, and between neighbours. [m]
    spur_every, spur_homes
        Every ``spur_every``-th home on the main cable starts a side street of ``spur_homes`` homes; 0 for none.
    """

    homes: int
    first_m: float
    spacing_m: float
    spur_every: int = 3
    spur_homes: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """The medium-voltage source and the transformer; units as in ``meanwatt.model.network.feeder.Transformer``."""

    source_voltage_pu: float
    source_kv: float
    kva: float
    uk: float
    pk_kw: float
    turns: float = 1.0


def low_voltage(
    name: str, station: Station, streets: tuple[Street, ...], *, home_kw: float, main: Cable, spur: Cable
) -> nx.Graph:
    """Grow a 0.4 kV feeder, one bus per home, always the same for the same parameters.

    Parameters
    ----------
    name
        Name of the feeder.
    station, streets
        Transformer station and its outgoing cables.
    home_kw
        Reference load of one home at the population's peak. [kW]
    main, spur
        Cable of the streets and of their side streets.

    Returns
    -------
    networkx.Graph
        Attributes as ``meanwatt.model.network.feeder.feeder_from_graph`` reads them. Buses: ``grid``, ``station``, then
        ``1-01``, ``1-02`` along street 1 and ``1-03a``, ``1-03b`` along the side street at its third home, and so on.
    """
    graph = nx.Graph(name=name)
    graph.add_node("grid", nominal_kv=station.source_kv, customers=0, source_voltage_pu=station.source_voltage_pu)
    graph.add_node("station", nominal_kv=0.4, customers=0)
    graph.add_edge("grid", "station", kva=station.kva, uk=station.uk, pk_kw=station.pk_kw, turns=station.turns)

    def add_home(bus: str, neighbour: str, cable: Cable, length_m: float) -> None:
        graph.add_node(bus, nominal_kv=0.4, customers=1, p_kw=home_kw)
        r_ohm = ALUMINIUM_OHM_MM2_PER_KM / cable.section_mm2 * length_m / 1000
        x_ohm = CABLE_X_OHM_PER_KM * length_m / 1000
        graph.add_edge(neighbour, bus, r_ohm=r_ohm, x_ohm=x_ohm, rating_a=cable.rating_a)

    for number, street in enumerate(streets, start=1):
        left, post, neighbour = street.homes, 0, "station"
        while left:
            post += 1
            bus = f"{number}-{post:02d}"
            add_home(bus, neighbour, main, street.spacing_m if post > 1 else street.first_m)
            neighbour, left = bus, left - 1
            side = min(street.spur_homes, left) if street.spur_every and post % street.spur_every == 0 else 0
            corner = bus
            for letter in "abcdefghijklmnopqrstuvwxyz"[:side]:
                add_home(bus + letter, corner, spur, street.spacing_m)
                corner, left = bus + letter, left - 1
    return graph


def lv_rural(home_kw: float) -> nx.Graph:
    """Build the rural feeder: 99 homes on four long streets behind 250 kVA, its source held at 1.025 pu.

    In the style of European rural benchmark networks of that size; all its numbers are choices. At noon, with 0.5 kW of
    use a home and 6 kW of panels at 85 % per adopter, placed at random, the highest voltage (mean over placements)
    and the transformer's loading are:

    ======== ======= ======= ======= ======= ======= =======
    adopters 0 %     20 %    40 %    60 %    80 %    100 %
    voltage  1.025   1.035   1.055   1.073   1.092   1.111
    loading  21 %    22 %    61 %    99 %    138 %   177 %
    ======== ======= ======= ======= ======= ======= =======
    """
    station = Station(source_voltage_pu=1.025, source_kv=20.0, kva=250.0, uk=0.04, pk_kw=3.25)
    streets = (
        Street(homes=34, first_m=75.0, spacing_m=30.0),
        Street(homes=27, first_m=65.0, spacing_m=30.0),
        Street(homes=22, first_m=55.0, spacing_m=30.0),
        Street(homes=16, first_m=55.0, spacing_m=30.0),
    )
    return low_voltage("lv_rural", station, streets, home_kw=home_kw, main=MAIN_150, spur=SPUR_50)


def lv_semiurban(home_kw: float) -> nx.Graph:
    """Build the suburban feeder: 41 customers on four short streets behind 400 kVA, its source held at 1.025 pu.

    A stiff network: even if every home sells 4.6 kW at noon, voltages stay below 1.05 pu and the transformer at half
    its rating. All its numbers are choices.
    """
    station = Station(source_voltage_pu=1.025, source_kv=20.0, kva=400.0, uk=0.04, pk_kw=4.6)
    streets = (
        Street(homes=14, first_m=30.0, spacing_m=18.0),
        Street(homes=11, first_m=30.0, spacing_m=18.0),
        Street(homes=9, first_m=25.0, spacing_m=18.0),
        Street(homes=7, first_m=25.0, spacing_m=18.0),
    )
    return low_voltage("lv_semiurban", station, streets, home_kw=home_kw, main=MAIN_150, spur=SPUR_50)
