"""A power flow by phase obeys Kirchhoff's laws, is the balanced one where loads are, and ends on no lower branch."""

import math
import pickle
from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from saved_net import save, village

from meanwatt.model.network.feeder import FEEDERS, Feeder, build_feeder, feeder_from_graph
from meanwatt.model.network.library.phase_data import VectorGroup
from meanwatt.model.network.pandapower_net.importer import import_pandapower
from meanwatt.model.network.phase_flow import PhaseFlow
from meanwatt.model.network.power_flow import PowerFlow
from meanwatt.model.network.unbalance import TURN, sequences, unbalance_percent
from meanwatt.model.network.zero_sequence import ZeroSequenceRule

# Newton's method stops when no voltage moved by more than 1e-10 pu; its last step leaves rounding.
VOLTAGE_PU = 1e-9
POWER_KW = 1e-6


def uneven(feeder: Feeder, seed: int, slots: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Loads and generation that differ from phase to phase, (slot, bus, phase)."""
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.ones(3), size=(slots, len(feeder.buses)))
    p_kw = feeder.p_kw[:, None] * share * rng.uniform(-1.5, 1.5, share.shape)
    q_kvar = feeder.q_kvar[:, None] * share * rng.uniform(0, 1.5, share.shape)
    return p_kw, q_kvar


def feeders(folder: Path) -> list[Feeder]:
    """Those that come with the model, and one with two-ports, shunts and a generator."""
    tables = village()
    tables["shunt"] = [{"bus": 3, "p_mw": 0.001, "q_mvar": -0.02, "vn_kv": None, "step": 1, "in_service": True}]
    tables["sgen"] = [{"bus": 4, "p_mw": 0.01, "q_mvar": 0.0, "scaling": 1.0, "in_service": True}]
    imported = import_pandapower(save(folder, tables)).feeder
    return [*(build_feeder(name, peak_reference_kw=1.4) for name in FEEDERS), imported]


def test_alike_phases_make_the_balanced_power_flow(tmp_path: Path) -> None:
    for feeder in feeders(tmp_path):
        p_kw, q_kvar = (values.sum(axis=2) for values in uneven(feeder, 0))
        one = PowerFlow(feeder).solve(p_kw, q_kvar)
        three = PhaseFlow(feeder).solve(*(np.repeat(values[:, :, None] / 3, 3, axis=2) for values in (p_kw, q_kvar)))
        np.testing.assert_allclose(
            three.voltage_pu, np.repeat(one.voltage_pu[..., None], 3, 2), rtol=0, atol=VOLTAGE_PU
        )
        np.testing.assert_allclose(three.unbalance_percent, 0, rtol=0, atol=100 * VOLTAGE_PU)
        np.testing.assert_allclose(three.loss_kw, one.loss_kw, rtol=0, atol=POWER_KW)
        np.testing.assert_allclose(three.source_p_kw.sum(axis=1), one.source_p_kw, rtol=0, atol=POWER_KW)
        np.testing.assert_allclose(three.source_q_kvar.sum(axis=1), one.source_q_kvar, rtol=0, atol=POWER_KW)
        rated = np.isfinite(feeder.line_rating_a)
        ours = three.line_loading[:, : len(rated)][:, rated]
        np.testing.assert_allclose(ours, one.line_loading[:, rated], rtol=1e-7)
        if one.transformer_loading is not None:
            assert three.transformer_loading is not None
            np.testing.assert_allclose(three.transformer_loading, one.transformer_loading, rtol=1e-7)


@pytest.mark.parametrize("turn", [1, 2])
def test_turning_all_phases_turns_the_voltages_and_changes_nothing_else(turn: int, tmp_path: Path) -> None:
    for feeder in feeders(tmp_path):
        flow, loads = PhaseFlow(feeder), uneven(feeder, 1)
        one, two = flow.solve(*loads), flow.solve(*(np.roll(values, turn, axis=2) for values in loads))
        np.testing.assert_allclose(two.voltage_pu, np.roll(one.voltage_pu, turn, axis=2), rtol=0, atol=VOLTAGE_PU)
        np.testing.assert_allclose(two.unbalance_percent, one.unbalance_percent, rtol=0, atol=100 * VOLTAGE_PU)
        np.testing.assert_allclose(two.loss_kw, one.loss_kw, rtol=0, atol=POWER_KW)


def test_what_the_source_feeds_in_is_drawn_or_lost(tmp_path: Path) -> None:
    for feeder in feeders(tmp_path)[:-1]:  # the last has loads that vary with the voltage
        p_kw, q_kvar = uneven(feeder, 2)
        found = PhaseFlow(feeder).solve(p_kw, q_kvar)
        np.testing.assert_allclose(found.source_p_kw.sum(axis=1), p_kw.sum(axis=(1, 2)) + found.loss_kw, atol=POWER_KW)
        assert (found.loss_kw > 0).all()


def swept(feeder: Feeder, flow: PhaseFlow, p_kw: np.ndarray, q_kvar: np.ndarray) -> np.ndarray:
    """Phase voltages of a feeder behind one Dyn transformer by a plain backward-forward sweep, (bus, phase)."""
    (unit,), (port,) = feeder.transformers, flow.zero.transformers
    ohm = feeder.nominal_kv[unit.to_bus] ** 2 * 1e3 / unit.kva
    z1 = complex(unit.pk_kw / unit.kva, math.sqrt(unit.uk**2 - (unit.pk_kw / unit.kva) ** 2)) * ohm

    def matrix(one: complex, zero: complex) -> np.ndarray:
        return np.eye(3) * one + np.full((3, 3), (zero - one) / 3)

    series = {unit.to_bus: matrix(z1, complex(port.r_ohm, port.x_ohm))}
    for line, bus in enumerate(feeder.line_to.tolist()):
        one = complex(feeder.line_r_ohm[line], feeder.line_x_ohm[line])
        series[bus] = matrix(one, complex(flow.zero.line_r0_ohm[line], flow.zero.line_x0_ohm[line]))
    order = [bus for bus in nx.bfs_tree(nx.Graph(list(enumerate(feeder.parent.tolist()))[1:]), 0) if bus != 0]
    behind = feeder.source_voltage_pu / unit.turns * feeder.nominal_kv[unit.to_bus] * 1e3 / math.sqrt(3)
    volt = np.tile(behind * TURN ** -np.arange(3), (len(feeder.buses), 1))
    for _ in range(60):
        current = np.conj((p_kw + 1j * q_kvar) * 1e3 / volt)
        for bus in reversed(order):
            if feeder.parent[bus] != 0:
                current[feeder.parent[bus]] += current[bus]
        for bus in order:
            before = volt[feeder.parent[bus]] if feeder.parent[bus] != 0 else behind * TURN ** -np.arange(3)
            volt[bus] = before - series[bus] @ current[bus]
    return np.abs(volt[1:]) / (feeder.nominal_kv[1:, None] * 1e3 / math.sqrt(3))


@pytest.mark.parametrize("name", ["lv_four_wire", "lv_semiurban"])
def test_a_plain_sweep_in_phases_finds_the_same_voltages(name: str) -> None:
    feeder = build_feeder(name, peak_reference_kw=3.0)
    flow = PhaseFlow(feeder)
    p_kw, q_kvar = uneven(feeder, 3, slots=3)
    found = flow.solve(p_kw, q_kvar)
    for slot in range(3):
        expected = swept(feeder, flow, p_kw[slot], q_kvar[slot])
        np.testing.assert_allclose(found.voltage_pu[slot, 1:], expected, rtol=0, atol=VOLTAGE_PU)


def street(r_ohm: float = 0.5, x_ohm: float = 0.05, **zero: float) -> Feeder:
    """One home at the end of one line."""
    graph = nx.Graph()
    graph.add_node("grid", nominal_kv=0.4, source_voltage_pu=1.0)
    graph.add_node("home", nominal_kv=0.4, p_kw=1.0, customers=1)
    graph.add_edge("grid", "home", r_ohm=r_ohm, x_ohm=x_ohm, **zero)
    return feeder_from_graph(graph)


def on_phase_a(p_kw: float) -> np.ndarray:
    drawn = np.zeros((1, 2, 3))
    drawn[0, 1, 0] = p_kw
    return drawn


@pytest.mark.parametrize("p_kw", [3.0, 10.0, -8.0])
def test_a_home_on_one_phase_sees_the_loop_of_phase_and_neutral(p_kw: float) -> None:
    """Four equal wires: z0 = 4 z1, so the loop (2 z1 + z0) / 3 is twice the phase; V² = h + √(h² − |z s|²) by hand.

    The other two phases are shifted by the drop along the neutral, (z0 − z1) / 3 I.
    """
    z, s = 2 * complex(0.5, 0.05), p_kw * 1e3
    volt = 400 / math.sqrt(3)
    h = volt**2 / 2 - z.real * s
    expected = math.sqrt(h + math.sqrt(h**2 - abs(z * s) ** 2))
    found = PhaseFlow(street()).solve(on_phase_a(p_kw), np.zeros((1, 2, 3)))
    assert found.voltage_pu[0, 1, 0] * volt == pytest.approx(expected, rel=VOLTAGE_PU)
    current = s / expected  # in phase with the voltage of a
    angle = found.voltage_angle_rad[0, 1, 0]
    shift = complex(0.5, 0.05) * current * np.exp(1j * angle)
    others = [abs(volt * TURN**-place - shift) for place in (1, 2)]
    assert (found.voltage_pu[0, 1, 1:] * volt).tolist() == pytest.approx(others, rel=VOLTAGE_PU)
    assert found.loss_kw[0] == pytest.approx(z.real * current**2 / 1e3, rel=1e-7)


def test_a_thicker_neutral_helps() -> None:
    """Zero-sequence data of the feeder count, and the rule only where there are none."""
    drawn, none = on_phase_a(8.0), np.zeros((1, 2, 3))
    thin, thick = street(r0_ohm=3.5, x0_ohm=0.2), street(r0_ohm=0.6, x0_ohm=0.2)
    low, high = (PhaseFlow(feeder).solve(drawn, none).voltage_pu[0, 1, 0] for feeder in (thin, thick))
    assert low < high
    rule = ZeroSequenceRule(r0_per_r1=1.0, x0_per_x1=1.0)
    assert PhaseFlow(thin, rule).solve(drawn, none).voltage_pu[0, 1, 0] == low
    assert not PhaseFlow(thin, rule).zero.messages(rule)
    alone = PhaseFlow(street(), rule)
    np.testing.assert_allclose(alone.solve(drawn, none).voltage_pu[0, 1, 1:], 1.0, atol=VOLTAGE_PU)  # nothing is shared
    assert "1 of 1 lines have no zero-sequence data; r0 = 1 r1" in alone.zero.messages(rule)[0]


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0.05, 2.0),
    st.floats(0.0, 0.5, allow_subnormal=False),
    st.floats(0.01, 0.98),
    st.sampled_from([-1, 1]),
)
def test_a_slot_has_the_upper_voltage_or_no_state(r_ohm: float, x_ohm: float, brink: float, sign: int) -> None:
    """Newton's method ends on the lower branch where much is fed in on one phase; such a slot has no state."""
    z = 2 * complex(r_ohm, x_ohm)
    volt = 400 / math.sqrt(3)
    heaviest = volt**2 / 2 / (abs(z) + z.real)  # where a load's two solutions meet
    most = min(40 * heaviest, volt**2 / 2 / max(abs(z) - z.real, 1e-9))  # and of what is fed in
    s = brink * heaviest if sign > 0 else -brink * most
    h = volt**2 / 2 - z.real * s
    upper = math.sqrt(h + math.sqrt(h**2 - abs(z * s) ** 2))
    found = PhaseFlow(street(r_ohm, x_ohm)).solve(on_phase_a(s / 1e3), np.zeros((1, 2, 3)))
    if found.converged[0]:
        assert found.voltage_pu[0, 1, 0] * volt == pytest.approx(upper, rel=1e-6)
    else:
        assert np.isnan(found.voltage_pu).all()
        assert np.isnan(found.loss_kw).all()
    if sign > 0 or -s * abs(z) < 0.2 * volt**2:
        assert found.converged[0]


def test_newton_does_end_on_the_lower_branch_and_the_slot_has_no_state() -> None:
    flow = PhaseFlow(street())
    drawn = np.repeat(on_phase_a(1.0), 3, axis=0) * np.array([-20.0, -100.0, -2.0])[:, None, None]
    found = flow.solve(drawn, np.zeros_like(drawn))
    assert found.converged.tolist() == [True, False, True]
    alone = flow.solve(drawn[2:], np.zeros((1, 2, 3)))
    np.testing.assert_array_equal(found.voltage_pu[2], alone.voltage_pu[0])


def test_a_phase_without_load_that_collapses_beside_an_export_is_no_state() -> None:
    """144 kW on one phase: Newton's method ends at 1e-20 pu on the two idle ones, which no error tells."""
    found = PhaseFlow(street(1.5, 0.5)).solve(on_phase_a(-143.786), np.zeros((1, 2, 3)))
    assert not found.converged[0]
    assert np.isnan(found.unbalance_percent).all()


def behind(group: str | None, **zero: float) -> Feeder:
    """A home behind a transformer and a line."""
    graph = nx.Graph()
    graph.add_node("grid", nominal_kv=10.0, source_voltage_pu=1.0)
    graph.add_node("station", nominal_kv=0.4)
    graph.add_node("home", nominal_kv=0.4, p_kw=1.0, customers=1)
    keys = zero if group is None else {"vector_group": group, **zero}
    graph.add_edge("grid", "station", kva=100.0, uk=0.04, pk_kw=2.0, **keys)
    graph.add_edge("station", "home", r_ohm=0.1, x_ohm=0.03)
    return feeder_from_graph(graph)


@pytest.mark.parametrize("group", ["Dyn11", "Dyn5", "Yzn5", "YNyn0", "YNyn6"])
def test_the_voltage_behind_a_transformer_is_that_of_its_loop(group: str) -> None:
    """(2 z1 + z0) / 3 of transformer and line together, whatever the windings, where they have a way back."""
    ohm = 0.4**2 * 1e3 / 100
    z1 = complex(0.02, math.sqrt(0.04**2 - 0.02**2)) * ohm
    z0 = complex(0.05, 0.02)
    z = (2 * z1 + z0) / 3 + 2 * complex(0.1, 0.03)
    s, volt = 9e3, 400 / math.sqrt(3)
    h = volt**2 / 2 - z.real * s
    expected = math.sqrt(h + math.sqrt(h**2 - abs(z * s) ** 2))
    drawn = np.zeros((1, 3, 3))
    drawn[0, 2, 1] = s / 1e3
    found = PhaseFlow(behind(group, r0_ohm=z0.real, x0_ohm=z0.imag)).solve(drawn, np.zeros((1, 3, 3)))
    assert found.voltage_pu[0, 2, 1] * volt == pytest.approx(expected, rel=VOLTAGE_PU)
    assert found.loss_kw[0] == pytest.approx(z.real * (s / expected) ** 2 / 1e3, rel=1e-7)


def test_a_home_behind_a_delta_loads_two_phases_of_the_source() -> None:
    drawn = np.zeros((1, 3, 3))
    drawn[0, 2, 0] = 9.0
    delta = PhaseFlow(behind("Dyn11")).solve(drawn, np.zeros((1, 3, 3))).source_p_kw[0]
    star = PhaseFlow(behind("YNyn0")).solve(drawn, np.zeros((1, 3, 3))).source_p_kw[0]
    assert sorted(np.round(delta, 6)) == pytest.approx([0.0, *sorted(delta)[1:]], abs=1e-6)
    assert min(sorted(delta)[1:]) > 4
    assert np.round(star, 6).tolist() == pytest.approx([star[0], 0.0, 0.0], abs=1e-6)
    assert star[0] > 9


def test_a_missing_vector_group_is_assumed_and_told() -> None:
    flow = PhaseFlow(behind(None))
    assert flow.zero.transformers[0].group == VectorGroup.read("Dyn11")
    assert any("1 transformers give no vector group" in said for said in flow.zero.messages(flow.rule))


@pytest.mark.parametrize("group", ["Dd0", "Yy0", "Yyn0", "YNd5"])
def test_a_home_without_a_neutral_is_refused(group: str) -> None:
    with pytest.raises(ValueError, match=r"bus 'home' has customers but no neutral: .*; give its vector group"):
        PhaseFlow(behind(group))


def test_where_nobody_lives_no_neutral_is_needed() -> None:
    """Between a 110 kV YNd5 and a Dyn11 the zero sequence has no way back, and no current."""
    graph = behind("Dyn11").graph
    graph.nodes["grid"].pop("source_voltage_pu")
    graph.add_node("hub", nominal_kv=110.0, source_voltage_pu=1.0)
    graph.add_edge("hub", "grid", kva=25_000.0, uk=0.1, pk_kw=100.0, vector_group="YNd5")
    feeder = feeder_from_graph(graph)
    drawn = np.zeros((1, 4, 3))
    drawn[0, feeder.buses.index("home"), 0] = 9.0
    found = PhaseFlow(feeder).solve(drawn, np.zeros((1, 4, 3)))
    at = feeder.buses.index("grid")
    parts = sequences(found.voltage_pu[0, at], found.voltage_angle_rad[0, at])
    assert abs(parts[0]) < VOLTAGE_PU
    assert found.source_p_kw.sum() == pytest.approx(9.0 + found.loss_kw[0], abs=POWER_KW)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Dyn", "vector_group is 'Dyn'; give the windings and the clock, as Dyn11, Yzn5 or YNyn0"),
        ("Dyn12", "vector_group is 'Dyn12'; give"),
        ("Dyn0", "vector_group is 'Dyn0'; between such windings the clock is odd, as in Dyn11"),
        ("YNyn5", "vector_group is 'YNyn5'; between such windings the clock is even, as in YNyn0"),
    ],
)
def test_a_vector_group_that_cannot_be_built_is_refused(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        VectorGroup.read(name)


def test_the_unbalance_factor_is_negative_over_positive_sequence() -> None:
    """IEC 61000-4-30: from the three phasors of a positive sequence of 1 and a negative one of .03."""
    phase = np.arange(3)
    phasors = 0.2 + TURN ** (-phase) + 0.03 * TURN**phase
    assert unbalance_percent(np.abs(phasors), np.angle(phasors)) == pytest.approx(3.0, rel=1e-12)
    np.testing.assert_allclose(sequences(np.abs(phasors), np.angle(phasors)), [0.2, 1, 0.03], atol=1e-12)


def test_losses_of_uneven_phases_are_larger_than_of_even_ones() -> None:
    feeder = build_feeder("lv_four_wire", peak_reference_kw=2.0)
    assert feeder.phases is not None
    flow = PhaseFlow(feeder)
    one = feeder.phases.customers * 2.0
    even = np.repeat(one.sum(axis=1)[:, None] / 3, 3, axis=1)
    found = flow.solve(np.array([one, even]), np.zeros((2, *one.shape)))
    assert found.loss_kw[0] > 1.2 * found.loss_kw[1]
    assert found.voltage_pu[0].min() < found.voltage_pu[1].min()
    assert found.unbalance_percent[0].max() > 0.1


def test_a_power_flow_by_phase_is_pickled_as_its_feeder() -> None:
    feeder = build_feeder("lv_four_wire", peak_reference_kw=2.0)
    flow = PhaseFlow(feeder, ZeroSequenceRule(r0_per_r1=2.0))
    loads = uneven(feeder, 5)
    again = pickle.loads(pickle.dumps(flow))
    np.testing.assert_array_equal(again.solve(*loads).voltage_pu, flow.solve(*loads).voltage_pu)
    assert again.rule == flow.rule


@pytest.mark.parametrize(
    ("p_kw", "said"),
    [
        (np.zeros((1, 2)), r"p_kw has shape \(1, 2\); give \(slots, 2, 3\)"),
        (np.zeros((0, 2, 3)), "at least one slot"),
        (np.full((1, 2, 3), np.nan), "p_kw"),
    ],
)
def test_loads_of_another_shape_or_not_finite_are_refused(p_kw: np.ndarray, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PhaseFlow(street()).solve(p_kw, np.zeros((1, 2, 3)))


def test_more_customers_by_phase_than_there_are_is_refused() -> None:
    feeder = build_feeder("lv_four_wire", peak_reference_kw=2.0)
    with pytest.raises(ValueError, match="bus '1-04' has 0 customers but more of them by phase"):
        replace(feeder, customers=np.where(np.arange(26) == 5, 0, feeder.customers))
