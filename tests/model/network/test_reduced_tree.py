"""Buses that draw nothing are left out of the sweeps and come back exactly."""

import dataclasses

import networkx as nx
import numpy as np
import pytest

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.network.feeder import Feeder, feeder_from_graph
from meanwatt.model.network.power_flow import Method, PowerFlow
from meanwatt.model.network.radial_tree import radial_tree
from meanwatt.model.network.reduced_tree import reduced_tree


def sparse(seed: int, buses: int = 40) -> Feeder:
    """A tree drawn at random in which a fifth of the buses draw power, in an order unlike the tree's."""
    rng = np.random.default_rng(seed)
    names = [f"b{number}" for number in rng.permutation(buses)]
    graph = nx.Graph()
    for bus in sorted(names):
        graph.add_node(bus, nominal_kv=0.4, customers=int(rng.random() < 0.2))
    graph.nodes[names[0]].update(source_voltage_pu=1.0, customers=0)
    graph.nodes[names[-1]].update(customers=1)
    for number in range(1, buses):
        before = int(rng.integers(max(0, number - 4), number))
        r, x = rng.uniform(0.001, 0.01, 2)
        graph.add_edge(names[before], names[number], r_ohm=float(r), x_ohm=float(x), rating_a=200.0)
    return feeder_from_graph(graph, peak_reference_kw=3.0)


def drawn(feeder: Feeder, seed: int, slots: int = 6) -> tuple[Floats, Floats]:
    share = np.random.default_rng(seed).uniform(-1, 1, (slots, 1))
    return share * feeder.p_kw, np.abs(share) * feeder.q_kvar


@pytest.mark.parametrize("seed", range(4))
def test_buses_left_out_have_the_voltages_and_lines_the_currents_of_the_referee(seed: int) -> None:
    feeder = sparse(seed)
    ours, referee = (PowerFlow(feeder, method=method).solve(*drawn(feeder, seed)) for method in Method)
    for name in ("voltage_pu", "voltage_angle_rad"):
        np.testing.assert_allclose(getattr(ours, name), getattr(referee, name), rtol=0, atol=1e-10)
    np.testing.assert_allclose(ours.line_current_a, referee.line_current_a, rtol=1e-7, atol=1e-6)
    np.testing.assert_allclose(ours.loss_kw, referee.loss_kw, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_a_slot_that_draws_where_nobody_lives_is_swept_through_all_buses(seed: int) -> None:
    """Its neighbours keep their bits, and what is drawn moves the voltage there."""
    feeder = sparse(seed)
    p_kw, q_kvar = drawn(feeder, seed)
    before = PowerFlow(feeder).solve(p_kw, q_kvar)
    empty = next(b for b in range(len(feeder.buses)) if not feeder.customers[b] and feeder.buses[b] != feeder.source)
    p_kw[2, empty] = 5.0
    ours, referee = (PowerFlow(feeder, method=method).solve(p_kw, q_kvar) for method in Method)
    np.testing.assert_allclose(ours.voltage_pu, referee.voltage_pu, rtol=0, atol=1e-10)
    assert ours.voltage_pu[2, empty] < before.voltage_pu[2, empty] - 1e-6
    others = np.arange(len(p_kw)) != 2
    np.testing.assert_array_equal(ours.voltage_pu[others], before.voltage_pu[others])
    np.testing.assert_array_equal(ours.line_loading[others], before.line_loading[others])


@pytest.mark.parametrize("seed", range(4))
def test_kept_are_the_source_what_draws_and_the_forks_between(seed: int) -> None:
    """Against plain sets: a fork is where the ways from two buses that draw to the source meet."""
    feeder = sparse(seed)
    tree = radial_tree(feeder)
    draws = (feeder.customers > 0)[tree.bus]
    ways: list[list[int]] = []
    for place in np.flatnonzero(draws).tolist():
        way = [place]
        while way[-1]:
            way.append(int(tree.before[way[-1]]))
        ways.append(way[::-1])
    wanted = {0, *np.flatnonzero(draws).tolist()}
    for one in ways:
        for other in ways:
            wanted.add([a for a, b in zip(one, other, strict=False) if a == b][-1])
    found = reduced_tree(tree, draws)
    assert set(found.kept.tolist()) == wanted
    for node, place in enumerate(found.kept.tolist()):
        way = [place]
        while way[-1] not in (0, found.kept[found.before[node]]):
            way.append(int(tree.before[way[-1]]))
        assert found.z_pu[node] == pytest.approx(tree.z_pu[way[:-1] if len(way) > 1 else way].sum(), rel=1e-14)


def test_a_shunt_keeps_its_bus() -> None:
    feeder = sparse(0)
    tree = radial_tree(dataclasses.replace(feeder, line_b_us=np.full(len(feeder.line_from), 1.0)))
    assert len(reduced_tree(tree, np.zeros(len(tree.bus), dtype=bool)).kept) == len(feeder.buses)
