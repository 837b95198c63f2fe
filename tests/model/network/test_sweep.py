"""Our sweeps against their referee, power-grid-model, on feeders with everything that a feeder may hold."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.network.feeder import FEEDERS, Feeder, build_feeder, feeder_from_graph
from meanwatt.model.network.library.branch import Branch, BranchKind, FixedLoad
from meanwatt.model.network.library.radial import Transformer
from meanwatt.model.network.power_flow import Method, PowerFlow, PowerFlowResult
from meanwatt.model.network.radial_tree import radial_tree
from meanwatt.model.network.sweep import Sweep
from meanwatt.model.network.sweep_kernel import LANES
from meanwatt.model.network.sweep_slots import draws_elsewhere, sweep_slots

AGREE_PU = 1e-10  # the source that stands for a rigid one yields by 5e-12 pu under 5 MVA


def grown(seed: int, buses: int = 14, *, unlike: bool = False) -> Feeder:
    """A tree drawn at random with parallel lines, transformers both ways round, two-ports and loads of every kind.

    ``unlike`` lays transformers of other ratios and angles side by side.
    """
    rng = np.random.default_rng(seed)
    kv = np.where(np.arange(buses) < 3, 10.0, 0.4)
    lines: list[tuple[int, int, float, float, float, float]] = []
    units: list[Transformer] = []
    branches: list[Branch] = []
    for bus in range(1, buses):
        before = int(rng.integers(0, bus) if bus < 3 else rng.integers(2, bus))
        base = kv[bus] ** 2
        r, x = rng.uniform(0.01, 0.1, 2) * base
        if kv[before] != kv[bus]:
            for _ in range(2 if unlike else 1):
                turns = float(rng.uniform(0.97, 1.03))
                units.append(
                    Transformer(from_bus=before, to_bus=bus, kva=630.0, uk=0.05, pk_kw=float(rng.uniform(4, 9)),
                                turns=turns, p0_kw=1.0, i0=0.01)
                )  # fmt: skip
            continue
        if rng.random() < 0.4:
            ends = (before, bus) if rng.random() < 0.5 else (bus, before)
            for _ in range(int(rng.integers(1, 3))):
                shunt = rng.uniform(0, 2000, 4) / base
                branches.append(
                    Branch(kind=BranchKind.TRANSFORMER, from_bus=ends[0], to_bus=ends[1], r_ohm=float(r),
                           x_ohm=float(x), turns=float(rng.uniform(0.95, 1.05)), g_from_us=float(shunt[0]),
                           b_from_us=-float(shunt[1]), g_to_us=float(shunt[2]), b_to_us=float(shunt[3]),
                           rating_from_a=400.0, rating_to_a=300.0)
                )  # fmt: skip
        parallel = int(rng.integers(1, 3)) if not branches or branches[-1].to_bus != bus else 0
        lines += [(before, bus, float(r), float(x), float(rng.uniform(0, 500) / base), 300.0)] * parallel
    joined = {frozenset(line[:2]) for line in lines} | {frozenset((b.from_bus, b.to_bus)) for b in branches}
    joined |= {frozenset((u.from_bus, u.to_bus)) for u in units}
    assert len(joined) == buses - 1
    column = [np.array(values) for values in zip(*lines, strict=True)] if lines else [np.zeros(0)] * 6
    swing = rng.uniform(-8, 8, (6, buses))
    return Feeder(
        name="grown", buses=tuple(map(str, range(buses))), source="0", source_voltage_pu=1.02, nominal_kv=kv,
        p_kw=np.full(buses, 4.0), q_kvar=np.full(buses, 1.0), customers=np.ones(buses, dtype=np.int64),
        line_from=column[0].astype(np.int64), line_to=column[1].astype(np.int64), line_r_ohm=column[2],
        line_x_ohm=column[3], line_b_us=column[4], line_rating_a=column[5], transformers=tuple(units),
        branches=tuple(branches),
        fixed=FixedLoad(**dict(zip(
            ("p_kw", "q_kvar", "current_kw", "current_kvar", "shunt_kw", "shunt_kvar"), swing, strict=True
        ))),
    )  # fmt: skip


def power(feeder: Feeder, seed: int, slots: int = 5) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    p_kw, q_kvar = rng.uniform(-2, 2, (2, slots, 1)) * np.stack([feeder.p_kw, feeder.q_kvar])[:, None]
    return p_kw, q_kvar


def both(feeder: Feeder, p_kw: Floats, q_kvar: Floats) -> tuple[PowerFlowResult, PowerFlowResult]:
    ours, referee = (PowerFlow(feeder, method=method).solve(p_kw, q_kvar) for method in Method)
    return ours, referee


def assert_same(ours: PowerFlowResult, referee: PowerFlowResult, size_kw: float) -> None:
    """Every array of the two results agrees, powers and currents in proportion to what flows."""
    np.testing.assert_array_equal(ours.converged, referee.converged)
    for name in ("voltage_pu", "voltage_angle_rad"):
        np.testing.assert_allclose(getattr(ours, name), getattr(referee, name), rtol=0, atol=AGREE_PU, err_msg=name)
    for name in ("loss_kw", "source_p_kw", "source_q_kvar"):
        wanted = getattr(referee, name)
        np.testing.assert_allclose(getattr(ours, name), wanted, rtol=1e-8, atol=1e-8 * size_kw, err_msg=name)
    np.testing.assert_allclose(ours.line_current_a, referee.line_current_a, rtol=1e-7, atol=1e-6)
    np.testing.assert_allclose(ours.line_loading, referee.line_loading, rtol=1e-7, atol=1e-8)
    assert (ours.transformer_loading is None) == (referee.transformer_loading is None)
    if ours.transformer_loading is not None and referee.transformer_loading is not None:
        np.testing.assert_allclose(ours.transformer_loading, referee.transformer_loading, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", FEEDERS)
def test_sweeps_agree_with_power_grid_model_on_the_feeders_that_come_with_the_model(name: str) -> None:
    feeder = build_feeder(name, peak_reference_kw=1.4)
    rng = np.random.default_rng(1)
    p_kw, q_kvar = feeder.p_kw * rng.uniform(-2, 1.5, (50, 1)), feeder.q_kvar * rng.uniform(0, 1.5, (50, 1))
    ours, referee = both(feeder, p_kw, q_kvar)
    assert ours.converged.all()
    assert_same(ours, referee, float(feeder.p_kw.sum()))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_sweeps_agree_with_power_grid_model_on_any_feeder(seed: int) -> None:
    feeder = grown(seed)
    ours, referee = both(feeder, *power(feeder, seed))
    assert ours.converged.all()
    assert_same(ours, referee, 100.0)


@pytest.mark.parametrize("seed", range(8))
def test_transformers_of_unlike_ratios_and_angles_lie_parallel(seed: int) -> None:
    """The sum of their two-ports turns the voltage a little, and what circulates between them heats both."""
    feeder = grown(seed, unlike=True)
    assert np.abs(radial_tree(feeder).alpha.imag).max() > 1e-5
    ours, referee = both(feeder, *power(feeder, seed))
    assert_same(ours, referee, 100.0)
    alone = PowerFlow(feeder).solve(0 * feeder.p_kw[None], 0 * feeder.q_kvar[None])
    assert alone.loss_kw[0] > 1.0


def test_the_order_of_buses_and_the_place_of_the_source_do_not_matter() -> None:
    graph = nx.relabel_nodes(build_feeder("lv_rural", peak_reference_kw=1.4).graph, str)
    shuffled = nx.Graph()
    nodes = list(graph.nodes(data=True))
    order = np.random.default_rng(2).permutation(len(nodes))
    shuffled.add_nodes_from(nodes[place] for place in order)
    shuffled.add_edges_from((b, a, data) for a, b, data in graph.edges(data=True))
    one, other = feeder_from_graph(graph), feeder_from_graph(shuffled)
    assert one.buses != other.buses
    first, second = (PowerFlow(each).solve(each.p_kw[None], each.q_kvar[None]) for each in (one, other))
    there = [other.index(bus) for bus in one.buses]
    np.testing.assert_allclose(first.voltage_pu[0], second.voltage_pu[0, there], rtol=0, atol=1e-13)


@pytest.mark.parametrize("slots", [1, LANES - 1, LANES, LANES + 1, 3 * LANES + 5])
def test_the_bits_of_a_slot_do_not_depend_on_the_slots_beside_it(slots: int) -> None:
    """Light, heavy, exporting and collapsing slots in one group of lanes, and every one alone."""
    feeder = grown(3)
    scale = np.random.default_rng(slots).choice([0.0, 0.1, 1.0, 5.0, -5.0, 300.0], (slots, 1))
    p_kw, q_kvar = scale * feeder.p_kw, scale * feeder.q_kvar
    flow = PowerFlow(feeder)
    together = flow.solve(p_kw, q_kvar)
    for slot in range(slots):
        alone = flow.solve(p_kw[slot : slot + 1], q_kvar[slot : slot + 1])
        for name in together.__slots__:
            np.testing.assert_array_equal(getattr(together, name)[slot], getattr(alone, name)[0], err_msg=name)


def test_what_sweeps_cannot_solve_is_left_to_the_referee_and_named() -> None:
    """Beyond collapse neither finds a state; close to it sweeps are slow, and Newton's method goes on."""
    graph = nx.Graph()
    graph.add_node("grid", nominal_kv=0.4, source_voltage_pu=1.0)
    graph.add_node("home", nominal_kv=0.4, customers=1)
    graph.add_edge("grid", "home", r_ohm=0.16, x_ohm=0.0)  # 1 pu on 1 MVA: collapse at 250 kW
    feeder = feeder_from_graph(graph, peak_reference_kw=1.0)
    p_kw = np.array([[0.0, kw] for kw in (100.0, 249.0, 251.0)])
    swept = Sweep(feeder).solve(p_kw, 0 * p_kw)
    assert swept.found.tolist() == [True, False, False]
    found = PowerFlow(feeder).solve(p_kw, 0 * p_kw)
    assert found.converged.tolist() == [True, True, False]
    upper = [np.sqrt(0.5 - kw / 1e3 + np.sqrt((0.5 - kw / 1e3) ** 2 - (kw / 1e3) ** 2)) for kw in (100.0, 249.0)]
    np.testing.assert_allclose(found.voltage_pu[:2, 1], upper, rtol=0, atol=1e-9)
    assert np.isnan(found.voltage_pu[2]).all()
    assert "slots 2 of 3" in found.message


def test_powers_in_any_order_of_memory_are_the_same_bits_from_the_same_compiled_code() -> None:
    feeder, rng = grown(1), np.random.default_rng(2)
    p_kw, q_kvar = rng.uniform(0, 5, (2, 6, len(feeder.buses)))
    sweep = Sweep(feeder)
    plain = sweep.solve(p_kw, q_kvar)
    kernels = (sweep_slots.dispatcher, draws_elsewhere.dispatcher)
    compiled = [len(kernel.signatures) for kernel in kernels]
    frozen = p_kw.copy()
    frozen.setflags(write=False)
    columns = np.asfortranarray(p_kw)
    for other, reactive in (
        (columns, np.asfortranarray(q_kvar)),
        (frozen, q_kvar),
        (np.repeat(p_kw, 2, 1)[:, ::2], q_kvar),
    ):
        found = sweep.solve(other, reactive)
        for name in ("found", "voltage_pu", "angle_rad", "loss_mw", "current_a", "line_loading"):
            assert np.array_equal(getattr(found, name), getattr(plain, name)), name
    assert [len(kernel.signatures) for kernel in kernels] == compiled
