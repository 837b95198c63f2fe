"""Volt-var by phase: the fixed point of curve and phase voltages, against dense equations and the balanced answer."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from scipy.optimize import root

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.model.network import phase_droop
from meanwatt.model.network.droop import solve_droop
from meanwatt.model.network.feeder import Feeder, build_feeder, feeder_from_graph
from meanwatt.model.network.fixed_point import TOLERANCE_PU, Start
from meanwatt.model.network.inverter_curves import InverterControl, Inverters, VoltVar
from meanwatt.model.network.phase_droop import THREE_PHASES, phase_starts_differ_pu, solve_phase_droop
from meanwatt.model.network.phase_flow import PhaseFlow
from meanwatt.model.network.power_flow import PowerFlow
from meanwatt.model.network.unbalance import TURN

KV, SOURCE_PU = 0.4, 1.03
LINES = ((complex(0.08, 0.05), complex(0.3, 0.16)), (complex(0.12, 0.06), complex(0.5, 0.2)))
"""Positive and zero sequence of two sections in a row. [ohm]"""
SHARES = np.vstack([np.eye(3), np.full((1, 3), 1 / 3)])


def two_sections() -> Feeder:
    """Three buses: a source and two homes behind one another."""
    graph = nx.Graph()
    graph.add_node("grid", nominal_kv=KV, source_voltage_pu=SOURCE_PU)
    for number, (one, zero) in enumerate(LINES, start=1):
        graph.add_node(str(number), nominal_kv=KV, p_kw=1.0, q_kvar=0.0, customers=1)
        ohm = {"r_ohm": one.real, "x_ohm": one.imag, "r0_ohm": zero.real, "x0_ohm": zero.imag}
        graph.add_edge("grid" if number == 1 else str(number - 1), str(number), **ohm)
    return feeder_from_graph(graph)


def dense_kvar(p_kw: Floats, rated_kw: float, bus: list[int], connection: list[int], curve: VoltVar) -> Floats:
    """What each inverter feeds in, from Kirchhoff's and the curve's equations in one vector; nothing of ours in it."""
    volt = KV * 1e3 / np.sqrt(3)
    source = SOURCE_PU * volt * TURN ** -np.arange(3)
    series = [np.eye(3) * one + (zero - one) / 3 for one, zero in LINES]
    points, shares = [curve.v1_pu, curve.v2_pu, curve.v3_pu, curve.v4_pu], [curve.q1, 0.0, 0.0, -curve.q4]

    def kvar(size: Floats) -> Floats:
        own = [
            np.mean(size[b - 1]) if c == THREE_PHASES else size[b - 1][c] for b, c in zip(bus, connection, strict=True)
        ]
        return rated_kw * curve.kva_per_kw * np.interp(np.array(own) / volt, points, shares)

    def gap(unknown: Floats) -> Floats:
        v = (unknown[:6] + 1j * unknown[6:]).reshape(2, 3) * volt
        q = np.zeros((2, 3))
        for b, c, fed in zip(bus, connection, kvar(np.abs(v)), strict=True):
            q[b - 1] -= SHARES[c] * fed
        current = np.conj((p_kw + 1j * q) * 1e3 / v)
        wrong = np.array([source - series[0] @ current.sum(axis=0) - v[0], v[0] - series[1] @ current[1] - v[1]]) / volt
        return np.concatenate([wrong.real.ravel(), wrong.imag.ravel()])

    flat = np.tile(source / volt, 2)
    found = root(gap, np.concatenate([flat.real, flat.imag]), tol=1e-14, options={"maxfev": 10_000})
    assert np.abs(found.fun).max() < 1e-12
    v = (found.x[:6] + 1j * found.x[6:]).reshape(2, 3) * volt
    return kvar(np.abs(v))


@pytest.mark.parametrize("start", Start)
@pytest.mark.parametrize("load_kw", [9.0, -7.0])
def test_three_buses_stand_where_dense_equations_find_them(load_kw: float, start: Start) -> None:
    """Under load phases are low and reactive power is fed in; under sun they are high; one home is on all three."""
    bus, connection, rated = [1, 2, 2, 2], [1, 0, 2, THREE_PHASES], 10.0
    p_kw = np.zeros((1, 3, 3))
    for number, (b, c) in enumerate(zip(bus, connection, strict=True)):
        p_kw[0, b] += (load_kw * (1 + 0.3 * number)) * SHARES[c]
    units = Inverters(
        bus=np.array(bus), rated_kw=np.full(4, rated), available_kw=np.full((1, 4), 7.0), can_charge=np.zeros(4, bool)
    )
    curve = VoltVar()
    flow = PhaseFlow(two_sections())
    found = solve_phase_droop(flow, p_kw, np.zeros_like(p_kw), units, np.array(connection), curve, start=start)
    expected = dense_kvar(p_kw[0, 1:], rated, bus, connection, curve)
    assert found.solved.all()
    assert (np.sign(expected) == np.sign(load_kw)).any()
    np.testing.assert_allclose(found.fed_in_kvar[0], expected, rtol=0, atol=1e-6)


def homes(name: str, seed: int, slots: int = 6) -> tuple[PhaseFlow, Floats, Floats, Inverters, Ints]:
    """Every home of a feeder with sun of its own, on one phase or on all; a kW of use each."""
    feeder, rng = build_feeder(name, peak_reference_kw=3.0), np.random.default_rng(seed)
    bus = np.flatnonzero(feeder.customers > 0)
    connection, sun = rng.integers(0, 4, len(bus)), rng.uniform(0.0, 8.0, (slots, len(bus)))
    sun[0] = 0.0
    units = Inverters(
        bus=bus, rated_kw=np.full(len(bus), 8.0), available_kw=sun, can_charge=np.zeros(len(bus), dtype=bool)
    )
    p_kw = np.zeros((slots, len(feeder.buses), 3))
    p_kw[:, bus] = (1.0 - sun)[:, :, None] * SHARES[connection]
    return PhaseFlow(feeder), p_kw, np.zeros_like(p_kw), units, connection


@pytest.mark.parametrize("name", ["lv_four_wire", "lv_rural"])
def test_alike_phases_have_the_balanced_answer(name: str) -> None:
    flow, p_kw, q_kvar, units, _ = homes(name, 1)
    three = np.full(len(units.bus), THREE_PHASES)
    alike = np.repeat(p_kw.sum(axis=2, keepdims=True) / 3, 3, axis=2)
    found = solve_phase_droop(flow, alike, q_kvar, units, three, VoltVar())
    balanced = solve_droop(
        PowerFlow(flow.feeder), alike.sum(axis=2), q_kvar.sum(axis=2), units, InverterControl(volt_var=VoltVar())
    )
    assert found.solved.all()
    assert (found.fed_in_kvar < 0).any()
    np.testing.assert_allclose(found.state.voltage_pu, np.repeat(balanced.state.voltage_pu[..., None], 3, 2), atol=1e-8)
    np.testing.assert_allclose(found.fed_in_kvar, balanced.fed_in_kvar, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["lv_four_wire", "lv_rural"])
def test_what_is_found_is_a_power_flow_at_the_curve_and_the_same_from_both_starts(name: str) -> None:
    flow, p_kw, q_kvar, units, connection = homes(name, 2)
    curve = VoltVar()
    found = solve_phase_droop(flow, p_kw, q_kvar, units, connection, curve)
    assert (found.residual_pu <= TOLERANCE_PU).all()
    differ = phase_starts_differ_pu(flow, p_kw, q_kvar, units, connection, curve, found)
    assert differ == pytest.approx(0.0, abs=1e-8)
    given = q_kvar.copy()
    given[:, units.bus] -= found.fed_in_kvar[:, :, None] * SHARES[connection]
    state = flow.solve(p_kw, given)
    np.testing.assert_allclose(state.voltage_pu, found.state.voltage_pu, rtol=0, atol=1e-12)
    own = np.einsum("srp,rp->sr", state.voltage_pu[:, units.bus], SHARES[connection])
    able = np.where(units.available_kw < 0.05 * 8, 0.0, np.minimum(units.available_kw / (0.2 * 8), 1.0))
    asked = 8 * 1.12 * able * np.interp(own, [0.92, 0.98, 1.02, 1.08], [0.44, 0, 0, -0.44])
    np.testing.assert_allclose(found.fed_in_kvar, asked, rtol=0, atol=1e-6)
    plain = flow.solve(p_kw, q_kvar)
    assert np.array_equal(found.state.voltage_pu[0], plain.voltage_pu[0])  # a night in which nobody can answer
    assert not found.fed_in_kvar[0].any()


def test_a_steeper_curve_brings_the_highest_phase_further_down() -> None:
    flow, p_kw, q_kvar, units, connection = homes("lv_rural", 3, slots=3)
    highest = [flow.solve(p_kw, q_kvar).voltage_pu.max(axis=(1, 2))]
    for width in (0.2, 0.1, 0.05, 0.02):
        found = solve_phase_droop(flow, p_kw, q_kvar, units, connection, VoltVar(v4_pu=1.02 + width))
        assert found.solved.all()
        highest.append(found.state.voltage_pu.max(axis=(1, 2)))
    assert (np.diff(highest, axis=0)[:, 1:] < 0).all()


def test_a_search_that_is_broken_off_is_not_solved_and_in_no_state(monkeypatch: pytest.MonkeyPatch) -> None:
    flow, p_kw, q_kvar, units, connection = homes("lv_four_wire", 4, slots=2)
    monkeypatch.setattr(phase_droop, "MOST_FLOWS", 2)
    found = solve_phase_droop(flow, p_kw, q_kvar, units, connection, VoltVar())
    assert found.solved.tolist() == [True, False]
    assert found.residual_pu[1] > TOLERANCE_PU
    assert np.isfinite(found.only_solved().voltage_pu[0]).all()
    assert np.isnan(found.only_solved().voltage_pu[1]).all()
    assert found.only_solved().converged.tolist() == [True, False]


def test_load_that_a_phase_cannot_carry_leaves_its_slot_without_a_state() -> None:
    flow, p_kw, q_kvar, units, connection = homes("lv_rural", 5, slots=2)
    p_kw[0, units.bus[-1], 0] = 4000.0
    units = replace(units, available_kw=np.full_like(units.available_kw, 8.0))
    found = solve_phase_droop(flow, p_kw, q_kvar, units, connection, VoltVar())
    assert found.solved.tolist() == [False, True]
    assert np.isnan(found.residual_pu[0])
