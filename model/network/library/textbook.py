"""A five-bus line small enough to solve by hand."""

import networkx as nx


def textbook_line_5() -> nx.Graph:
    """Build the textbook line: four equal 4.16 kV sections, 250 kW at each of the four buses.

    Every number is a choice made for round arithmetic. With 1 MW in all at power factor .95, the approximate voltage
    drop to the far end is 0.2 ohm x (1 + .3287) x 250 kW x (4 + 3 + 2 + 1) / (4.16 kV)^2 = 3.8 %: just inside the
    ±5 % limits, so a little more load, or much sun, is seen at once.

    Returns
    -------
    networkx.Graph
        Attributes as ``meanwatt.model.network.feeder.feeder_from_graph`` reads them.
    """
    graph = nx.Graph(name="textbook_line_5")
    graph.add_node("substation", nominal_kv=4.16, p_kw=0.0, source_voltage_pu=1.0)
    previous = "substation"
    for bus in ("mill", "school", "village", "farm"):
        graph.add_node(bus, nominal_kv=4.16, p_kw=250.0)
        graph.add_edge(previous, bus, r_ohm=0.2, x_ohm=0.2, rating_a=200.0)
        previous = bus
    return graph
