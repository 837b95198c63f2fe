"""A feeder is a tree of buses with sound numbers, or an error that says which bus to mend."""

import pickle
import re
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanwatt.model.network.feeder import FEEDERS, Feeder, build_feeder, feeder_from_graph
from meanwatt.model.network.library.baran_wu import baran_wu_33
from meanwatt.model.network.library.layout import tidy_tree
from meanwatt.model.network.library.phase_data import PhaseData
from meanwatt.model.network.library.textbook import textbook_line_5

unhurried = settings(deadline=None)  # the machine may be busy
positive = st.floats(0.01, 10.0)


@st.composite
def radial_graphs(draw: st.DrawFn) -> nx.Graph:
    """Any tree of 2 to 12 buses, the source anywhere, here and there a transformer."""
    count = draw(st.integers(2, 12))
    graph = nx.Graph(name="random")
    graph.add_node("b0", nominal_kv=10.0, p_kw=draw(positive), customers=1)
    for i in range(1, count):
        other = f"b{draw(st.integers(0, i - 1))}"
        transforms = draw(st.booleans())
        kv = draw(st.sampled_from([0.4, 4.16, 20.0])) if transforms else graph.nodes[other]["nominal_kv"]
        graph.add_node(f"b{i}", nominal_kv=kv, p_kw=draw(positive), q_kvar=draw(positive), customers=i)
        if transforms:
            graph.add_edge(
                other, f"b{i}", kva=100 * draw(positive), uk=0.06, pk_kw=0.01, turns=draw(positive), p0_kw=0.01, i0=0.1
            )
        else:
            graph.add_edge(other, f"b{i}", r_ohm=draw(positive), x_ohm=draw(positive), rating_a=100 * draw(positive))
    graph.nodes[f"b{draw(st.integers(0, count - 1))}"]["source_voltage_pu"] = draw(st.floats(0.9, 1.1))
    return graph


def assert_same_phases(one: PhaseData | None, other: PhaseData | None) -> None:
    assert (one is None) == (other is None)
    for field in fields(PhaseData) if one is not None else ():
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), err_msg=field.name)


def assert_same(one: Feeder, other: Feeder) -> None:
    for field in fields(Feeder):
        if field.name != "phases":
            np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), err_msg=field.name)
    assert_same_phases(one.phases, other.phases)


@unhurried
@given(radial_graphs())
def test_a_feeder_survives_the_way_to_a_graph_and_back(graph: nx.Graph) -> None:
    feeder = feeder_from_graph(graph)
    back = feeder.graph
    for node, data in graph.nodes(data=True):
        assert data.items() <= back.nodes[node].items()
    for a, b, data in graph.edges(data=True):
        assert data.items() <= back.edges[a, b].items()
    assert len(back.edges) == len(graph.edges)
    again = feeder_from_graph(back)
    assert nx.utils.graphs_equal(again.graph, back)
    np.testing.assert_array_equal(again.parent, feeder.parent)


@pytest.mark.parametrize("name", FEEDERS)
def test_a_feeder_survives_pickling_and_is_built_the_same_every_time(name: str) -> None:
    feeder = build_feeder(name, peak_reference_kw=1.3)
    assert_same(pickle.loads(pickle.dumps(feeder)), feeder)
    assert_same(build_feeder(name, peak_reference_kw=1.3), feeder)
    assert_same(feeder_from_graph(feeder.graph), feeder)


@unhurried
@given(radial_graphs())
def test_from_every_bus_the_parents_lead_to_the_source(graph: nx.Graph) -> None:
    feeder = feeder_from_graph(graph)
    for start in range(len(feeder.buses)):
        bus, steps = start, 0
        while feeder.parent[bus] >= 0:
            bus, steps = int(feeder.parent[bus]), steps + 1
        assert feeder.buses[bus] == feeder.source
        assert steps == nx.shortest_path_length(graph, feeder.buses[start], feeder.source)


@unhurried
@given(radial_graphs(), st.randoms(use_true_random=False))
def test_it_does_not_matter_which_end_of_an_edge_is_named_first(graph: nx.Graph, random: Any) -> None:
    turned = nx.DiGraph(**graph.graph)
    turned.add_nodes_from(graph.nodes(data=True))
    turned.add_edges_from(
        (*((a, b) if random.random() < 0.5 else (b, a)), data) for a, b, data in graph.edges(data=True)
    )
    feeder = feeder_from_graph(turned)
    assert nx.utils.graphs_equal(feeder.graph, feeder_from_graph(graph).graph)
    np.testing.assert_array_equal(feeder.parent[feeder.line_to], feeder.line_from)
    for unit in feeder.transformers:
        assert feeder.parent[unit.to_bus] == unit.from_bus


def test_baran_and_wu_have_33_buses_32_lines_and_their_published_load() -> None:
    feeder = build_feeder("baran_wu_33", peak_reference_kw=1.0)
    assert (len(feeder.buses), len(feeder.line_from)) == (33, 32)
    assert (feeder.p_kw.sum(), feeder.q_kvar.sum()) == (3715.0, 2300.0)
    # leaves of the published drawing
    assert {feeder.buses[i] for i in set(range(33)) - set(feeder.parent.tolist())} == {"18", "22", "25", "33"}


@unhurried
@given(st.floats(0.2, 5.0))
def test_the_customers_of_a_bus_are_its_load_over_the_peak_of_one(peak_kw: float) -> None:
    for name in FEEDERS:
        feeder = build_feeder(name, peak_reference_kw=peak_kw)
        np.testing.assert_array_equal(feeder.customers, np.rint(feeder.p_kw / peak_kw))


@pytest.mark.parametrize(("name", "homes"), [("lv_rural", 99), ("lv_semiurban", 41), ("lv_four_wire", 24)])
@pytest.mark.parametrize("peak_kw", [0.4, 1.0, 2.5])
def test_a_low_voltage_feeder_has_its_homes_whatever_they_draw(name: str, homes: int, peak_kw: float) -> None:
    feeder = build_feeder(name, peak_reference_kw=peak_kw)
    assert feeder.customers.sum() == homes
    assert feeder.customers.max() == 1


def test_reactive_power_follows_the_data_and_else_a_power_factor_of_95_percent() -> None:
    classic = build_feeder("baran_wu_33", peak_reference_kw=1.0)
    np.testing.assert_allclose(classic.kvar_per_kw * classic.p_kw, classic.q_kvar, rtol=1e-15)
    assert classic.kvar_per_kw[classic.index("30")] == 3.0  # 600 kvar at 200 kW
    for name in ("textbook_line_5", "lv_rural", "lv_semiurban"):
        ratio = build_feeder(name, peak_reference_kw=1.0).kvar_per_kw
        np.testing.assert_allclose(1 / np.hypot(1, ratio), 0.95, rtol=1e-14)


def test_no_array_of_a_feeder_can_be_written_to() -> None:
    feeder = build_feeder("lv_rural", peak_reference_kw=1.0)
    arrays = [getattr(feeder, field.name) for field in fields(Feeder)]
    for array in [array for array in arrays if isinstance(array, np.ndarray)]:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_changing_the_graph_afterwards_does_not_change_the_feeder() -> None:
    graph = textbook_line_5()
    feeder = feeder_from_graph(graph, peak_reference_kw=1.0)
    graph.nodes["farm"]["p_kw"] = 9999.0
    feeder.graph.nodes["farm"]["p_kw"] = 9999.0
    assert feeder.p_kw[feeder.index("farm")] == 250.0


# Each way to spoil the textbook line, and the one line that says so.
SPOILT: list[tuple[Callable[[nx.Graph], Any], str]] = [
    (
        lambda g: g.add_edge("school", "farm", r_ohm=1, x_ohm=1),
        "the feeder has a loop: village - school - farm - village; open one edge of it, for a feeder is radial",
    ),
    (
        lambda g: g.add_edge("mill", "mill", r_ohm=1, x_ohm=1),
        "the feeder has a loop: mill - mill; open one edge of it, for a feeder is radial",
    ),
    (
        lambda g: g.remove_edge("school", "village"),
        "no path from the source 'substation' to village, farm; join the island or drop it",
    ),
    (
        lambda g: g.add_nodes_from([f"hut{i}" for i in range(12)], nominal_kv=4.16),
        "no path from the source 'substation' to hut0, hut1, hut2, hut3, hut4, hut5, hut6, hut7 and 4 more;"
        " join the island or drop it",
    ),
    (
        lambda g: g.nodes["substation"].pop("source_voltage_pu"),
        "number of buses with source_voltage_pu: none; give it to exactly one bus, the source",
    ),
    (
        lambda g: g.nodes["farm"].update(source_voltage_pu=1.0),
        "number of buses with source_voltage_pu: 2 (substation, farm); give it to exactly one bus, the source",
    ),
    (
        lambda g: g.nodes["substation"].update(source_voltage_pu=0.0),
        "source_voltage_pu is 0.0; give a positive number, e.g. 1.0",
    ),
    (
        lambda g: g.add_edge("farm", "scool", r_ohm=1, x_ohm=1),
        "bus 'scool' has no nominal_kv; give it one, or mend the edge that names it: did you mean 'school'?",
    ),
    (
        lambda g: g.nodes["mill"].update(nominal_kv=-1.0),
        "bus 'mill' has nominal_kv -1; give a positive voltage",
    ),
    (
        lambda g: g.nodes["mill"].update(p_kw=-3.0),
        "bus 'mill' has p_kw -3; give consumption >= 0; generation comes in with the net load",
    ),
    (lambda g: g.nodes["mill"].update(q_kvar=-3.0), "bus 'mill' has q_kvar -3; give consumption >= 0"),
    (
        lambda g: g.nodes["mill"].update(p_kw=0.0, q_kvar=5.0),
        "bus 'mill' has q_kvar 5 but p_kw 0; give both, for reactive power follows the customers' use",
    ),
    (lambda g: g.nodes["mill"].update(p_kw="much"), "bus 'mill' has p_kw 'much'; give a number"),
    (lambda g: g.nodes["mill"].update(p_kw=float("nan")), "bus 'mill' has p_kw nan; give a number"),
    (lambda g: g.nodes["mill"].update(customers=-1), "bus 'mill' has customers -1; give a number >= 0"),
    (lambda g: g.nodes["mill"].update(customers=1.5), "customers holds 1.5; give whole numbers"),
    (
        lambda g: [g.nodes[bus].update(customers=0) for bus in g],
        "feeder 'textbook_line_5' has no customers; give a bus customers >= 1 or a smaller peak_reference_kw",
    ),
    (
        lambda g: g.edges["mill", "school"].update(r_ohm=0.0, x_ohm=0.0),
        "line mill-school has r_ohm 0 and x_ohm 0; give numbers >= 0, together at least 2e-07,"
        " or make its two buses one",
    ),
    (
        lambda g: g.edges["mill", "school"].update(r_ohm=-0.2),
        "line mill-school has r_ohm -0.2 and x_ohm 0.2; give numbers >= 0, together at least 2e-07,"
        " or make its two buses one",
    ),
    (lambda g: g.edges["mill", "school"].update(b_us=-1), "line mill-school has b_us -1; give a number >= 0"),
    (
        lambda g: g.edges["mill", "school"].update(rating_a=0),
        "line mill-school has rating_a 0; give a positive current, inf if unknown",
    ),
    (
        lambda g: g.edges["mill", "school"].update(rating_a=float("nan")),
        "edge 'mill'-'school' has rating_a nan; give a number",
    ),
    (
        lambda g: g.edges["mill", "school"].pop("x_ohm"),
        "edge 'mill'-'school' has no x_ohm; give x_ohm=<number>",
    ),
    (
        lambda g: g.nodes["farm"].update(nominal_kv=0.4),
        "line village-farm joins 4.16 kV and 0.4 kV; give that edge a transformer's kva, uk and pk_kw",
    ),
    (lambda g: g.edges["village", "farm"].update(kva=100), "edge 'village'-'farm' has no uk; give uk=<number>"),
    (
        lambda g: g.edges["village", "farm"].update(kva=0, uk=0.04, pk_kw=1),
        "edge 'village'-'farm': transformer kva is 0.0; give a positive number",
    ),
    (
        lambda g: g.edges["village", "farm"].update(kva=100, uk=4.0, pk_kw=1),
        "edge 'village'-'farm': transformer uk is 4.0; give a fraction in (0, 1), e.g. 0.04 for 4 %",
    ),
    (
        lambda g: g.edges["village", "farm"].update(kva=100, uk=0.04, pk_kw=5),
        "edge 'village'-'farm': transformer pk_kw is 5.0; give a number in [0, uk * kva], here at most 4",
    ),
    (
        lambda g: g.edges["village", "farm"].update(kva=100, uk=0.04, pk_kw=1, turns=0),
        "edge 'village'-'farm': transformer turns is 0.0; give a positive number, 1 for nominal",
    ),
    (
        lambda g: g.edges["village", "farm"].update(kva=100, uk=0.04, pk_kw=1, p0_kw=1),
        "edge 'village'-'farm': transformer i0 is 0.0 and p0_kw 1.0; give p0_kw >= 0 and i0 in [p0_kw / kva, 1)",
    ),
]


@pytest.mark.parametrize(("spoil", "message"), SPOILT, ids=[message[:40] for _, message in SPOILT])
def test_what_is_wrong_with_a_feeder_is_said_in_one_line(spoil: Callable[[nx.Graph], Any], message: str) -> None:
    graph = textbook_line_5()
    spoil(graph)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        feeder_from_graph(graph, peak_reference_kw=1.0)


def test_two_nodes_that_read_the_same_are_refused() -> None:
    graph = baran_wu_33()
    graph.add_node(33, nominal_kv=12.66)
    graph.add_edge("33", 33, r_ohm=1, x_ohm=1)
    with pytest.raises(ValueError, match=r"^bus '33' is there twice; give every bus its own name$"):
        feeder_from_graph(graph, peak_reference_kw=1.0)


def test_customers_must_be_given_or_follow_from_the_peak() -> None:
    with pytest.raises(ValueError, match=r"^bus 'mill' has no customers; give customers=<number>$"):
        feeder_from_graph(textbook_line_5())
    with pytest.raises(ValueError, match=r"^peak_reference_kw is 0; give a positive number, kW per household$"):
        build_feeder("lv_rural", peak_reference_kw=0)
    with pytest.raises(ValueError, match=r"^feeder.name is 'textbook_line_5', whose .* smaller load.use_kwh_per_day$"):
        build_feeder("textbook_line_5", peak_reference_kw=1e6)


def test_an_unknown_name_meets_the_nearest_known_one() -> None:
    with pytest.raises(ValueError, match=r"^unknown feeder 'lv_rual'; did you mean 'lv_rural'\?$"):
        build_feeder("lv_rual", peak_reference_kw=1.0)
    with pytest.raises(ValueError, match=r"^feeder 'textbook_line_5' has no bus 'barn'; did you mean 'farm'\?$"):
        build_feeder("textbook_line_5", peak_reference_kw=1.0).index("barn")


def test_arrays_given_directly_are_checked_too() -> None:
    feeder = build_feeder("textbook_line_5", peak_reference_kw=1.0)
    given_arrays = {field.name: getattr(feeder, field.name) for field in fields(Feeder) if field.init}
    with pytest.raises(ValueError, match=r"^p_kw has shape \(4,\); give \(5,\), axes \(bus,\)$"):
        Feeder(**given_arrays | {"p_kw": np.ones(4)})
    with pytest.raises(ValueError, match=r"^a line or transformer ends at unknown bus 5; give 0 to 4$"):
        Feeder(**given_arrays | {"line_to": np.array([1, 2, 3, 5])})


@unhurried
@given(radial_graphs(), st.sampled_from(["depth", "impedance"]))
def test_a_tidy_tree_gives_every_leaf_a_row_and_crosses_no_edges(graph: nx.Graph, along: Any) -> None:
    feeder = feeder_from_graph(graph)
    x, y = tidy_tree(feeder, along=along).T
    parent, source = feeder.parent, feeder.index(feeder.source)
    leaves = sorted(set(range(len(x))) - set(parent.tolist()))
    assert sorted(y[leaves].tolist()) == list(range(len(leaves)))
    assert (x[source], y[source]) == (0, 0)
    rest = np.flatnonzero(parent >= 0)
    assert (x[rest] > x[parent[rest]]).all()
    tree = nx.DiGraph((parent[bus], bus) for bus in rest)
    depth = nx.shortest_path_length(tree, source)
    for bus in rest:  # drawn down first, then right: free way down, free way right, and the longest straight on
        near = parent[bus]
        between = (y > y[near]) & (y < y[bus])
        assert (x[between] > x[near]).all()
        deepest = max(depth[other] for other in nx.descendants(tree, bus) | {bus})
        assert any(depth[other] == deepest for other in nx.descendants(tree, bus) | {bus} if y[other] == y[bus])
        on_the_row = (y == y[bus]) & (x > x[near]) & (x < x[bus])
        assert not on_the_row.any()


def test_a_tidy_tree_has_no_limit_to_its_depth_and_names_its_two_kinds() -> None:
    line = nx.path_graph(5000)
    nx.set_node_attributes(line, {node: {"nominal_kv": 10.0, "customers": 1} for node in line})
    nx.set_edge_attributes(line, {edge: {"r_ohm": 1e-3, "x_ohm": 0.0} for edge in line.edges})
    line.nodes[0]["source_voltage_pu"] = 1.0
    feeder = feeder_from_graph(line)
    np.testing.assert_array_equal(tidy_tree(feeder)[:, 0], np.arange(5000))
    np.testing.assert_allclose(tidy_tree(feeder, along="impedance")[-1, 0], 4999 * 1e-3 / 10.0**2, rtol=1e-9)
    with pytest.raises(ValueError, match=r"^along is 'force'; give 'depth' or 'impedance'$"):
        tidy_tree(feeder, along="force")  # type: ignore[arg-type]
