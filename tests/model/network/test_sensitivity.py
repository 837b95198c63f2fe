"""Voltages answer to power as the linear branch flow equations say: against differences of the AC power flow."""

import networkx as nx
import numpy as np
import pytest

from meanwatt.model.network.feeder import Feeder, build_feeder, feeder_from_graph
from meanwatt.model.network.power_flow import PowerFlow
from meanwatt.model.network.sensitivity import voltage_sensitivity


def stepped() -> Feeder:
    """A transformer off its nominal ratio, and a branching line behind it."""
    graph = nx.Graph()
    graph.add_node("grid", nominal_kv=20.0, source_voltage_pu=1.02)
    graph.add_node("bar", nominal_kv=0.4)
    graph.add_edge("grid", "bar", kva=250.0, uk=0.04, pk_kw=3.0, turns=0.96)
    for name, before in (("a", "bar"), ("b", "a"), ("c", "a"), ("d", "c")):
        graph.add_node(name, nominal_kv=0.4, p_kw=5.0, customers=2)
        graph.add_edge(name, before, r_ohm=0.03, x_ohm=0.02)
    return feeder_from_graph(graph)


@pytest.mark.parametrize("feeder", [stepped(), build_feeder("lv_rural", peak_reference_kw=1.5)], ids=lambda f: f.name)
def test_sensitivities_are_near_the_differences_of_the_power_flow(feeder: Feeder) -> None:
    """The power flow holds losses, which the linear equations leave out: within 5 % at a light load."""
    count, flow = len(feeder.buses), PowerFlow(feeder)
    places = np.flatnonzero(feeder.customers)[:: max(int((feeder.customers > 0).sum()) // 4, 1)]
    p_kw = np.tile(feeder.p_kw * 0.2, (1 + 2 * len(places), 1))
    q_kvar = np.zeros((1 + 2 * len(places), count))
    p_kw[1 + np.arange(len(places)), places] -= 0.1
    q_kvar[1 + len(places) + np.arange(len(places)), places] -= 0.1
    voltage = flow.solve(p_kw, q_kvar).voltage_pu[:, places]
    per_kw, per_kvar = voltage_sensitivity(feeder, places).pu_per_kw(voltage[:1])
    largest = per_kw.max()
    seen = (voltage[1:] - voltage[0]).T / 0.1
    assert per_kw[0] == pytest.approx(seen[:, : len(places)], rel=0.05, abs=0.02 * largest)
    assert per_kvar[0] == pytest.approx(seen[:, len(places) :], rel=0.05, abs=0.02 * largest)


def test_it_is_symmetric_and_positive_where_two_paths_meet() -> None:
    """Shared paths make a positive definite matrix, on which uniqueness of the fixed point rests."""
    feeder = build_feeder("lv_semiurban", peak_reference_kw=1.5)
    found = voltage_sensitivity(feeder, np.flatnonzero(feeder.customers)[:20])
    assert np.array_equal(found.r_pu, found.r_pu.T)
    assert np.linalg.eigvalsh(found.r_pu).min() > 0
    assert (found.r_pu > 0).all()
