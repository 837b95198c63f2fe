"""Inverters that answer to their own voltage: the fixed point, against closed forms, plain loops and scipy."""

from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, root

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.network import droop
from meanwatt.model.network.droop import solve_droop, starts_differ_pu
from meanwatt.model.network.feeder import Feeder, build_feeder, feeder_from_graph
from meanwatt.model.network.fixed_point import TOLERANCE_PU, Start
from meanwatt.model.network.inverter_curves import InverterControl, Inverters, Reference, VoltVar, VoltWatt
from meanwatt.model.network.power_flow import Method, PowerFlow

REFERENCE = {
    0.06: ([12.0, 10.7041, 8.9409, 7.8430, 7.3165], 46.8045),
    0.12: ([11.6660, 8.3387, 6.2391, 5.0091, 4.4415], 35.6943),
}
"""Output of five homes of 12 kW on a line of so many ohm a section, kW: found with other engines beforehand."""
KV = 0.4
WATT = InverterControl(volt_watt=VoltWatt())


def line(r_ohm: list[float], x_ohm: list[float], *, source_pu: float = 1.04) -> Feeder:
    """Homes in a row, 400 V."""
    graph = nx.Graph()
    graph.add_node("0", nominal_kv=KV, source_voltage_pu=source_pu)
    for number, (r, x) in enumerate(zip(r_ohm, x_ohm, strict=True), start=1):
        graph.add_node(str(number), nominal_kv=KV, p_kw=1.0, q_kvar=0.0, customers=1)
        graph.add_edge(str(number - 1), str(number), r_ohm=r, x_ohm=x)
    return feeder_from_graph(graph)


def five(r_ohm: float) -> Feeder:
    """The line of the reference."""
    return line([r_ohm] * 5, [0.02] * 5)


def roofs(available_kw: Floats, *, rated_kw: float = 12.0, can_charge: Any = False) -> Inverters:
    """Solar at every home of a line, (slot, home)."""
    homes = available_kw.shape[1]
    return Inverters(
        bus=np.arange(1, homes + 1),
        rated_kw=np.full(homes, rated_kw),
        available_kw=available_kw,
        can_charge=np.full(homes, can_charge),
    )


def drawn(units: Inverters, load_kw: float = 1.0) -> tuple[Floats, Floats]:
    """Net load at full output, one kW of load at each home, and no reactive power."""
    p_kw = np.hstack([np.zeros((len(units.available_kw), 1)), load_kw - units.available_kw])
    return p_kw, np.zeros_like(p_kw)


def swept(feeder: Feeder, p_kw: Floats, q_kvar: Floats) -> Floats:
    """Voltages of a line by plain backward and forward sweeps. [pu]"""
    z = (feeder.line_r_ohm + 1j * feeder.line_x_ohm) / KV**2
    voltage = np.full(len(p_kw), feeder.source_voltage_pu, dtype=complex)
    for _ in range(300):
        current = np.conj((p_kw + 1j * q_kvar) / 1e3 / voltage)
        for k in range(1, len(voltage)):
            voltage[k] = voltage[k - 1] - z[k - 1] * current[k:].sum()
    return np.abs(voltage)


@pytest.mark.parametrize("r_ohm", REFERENCE)
@pytest.mark.parametrize("start", Start)
def test_the_reference_line_is_met_from_either_start(r_ohm: float, start: Start) -> None:
    units = roofs(np.full((1, 5), 12.0))
    found = solve_droop(PowerFlow(five(r_ohm)), *drawn(units), units, WATT, start=start)
    each, total = REFERENCE[r_ohm]
    assert found.solved.all()
    assert found.output_kw[0] == pytest.approx(each, abs=1e-4)
    assert found.output_kw.sum() == pytest.approx(total, abs=1e-4)


def test_plain_iteration_goes_round_in_a_circle_where_the_search_ends() -> None:
    feeder, units = five(0.12), roofs(np.full((1, 5), 12.0))
    flow, totals, voltage = PowerFlow(feeder), [], np.full(5, 1.04)
    p_kw, q_kvar = drawn(units)
    for _ in range(60):
        output = 12.0 * np.clip(1 - 0.8 * (voltage - 1.06) / 0.04, 0.2, 1.0)
        totals.append(output.sum())
        voltage = flow.solve(p_kw + np.hstack([[0.0], 12.0 - output]), q_kvar).voltage_pu[0, 1:]
    assert sorted(totals[-2:]) == pytest.approx([17.573, 60.0], abs=1e-3)  # as docs/how_to/volt_watt.md has it
    assert totals[-1] == pytest.approx(totals[-3], abs=1e-3)
    assert solve_droop(flow, p_kw, q_kvar, units, WATT).solved.all()


def two_bus_pu(power_kw: float, reactive_kvar: float, r_ohm: float, x_ohm: float, source_pu: float) -> float:
    """Voltage at the end of one line that power is fed into: the larger root of its equation in V². [pu]"""
    r, x, p, q = r_ohm / KV**2, x_ohm / KV**2, power_kw / 1e3, reactive_kvar / 1e3
    half = source_pu**2 / 2 + r * p + x * q
    return float(np.sqrt(half + np.sqrt(half**2 - (r**2 + x**2) * (p**2 + q**2))))


@pytest.mark.parametrize(
    ("r_ohm", "sun_kw", "reference"), [(0.5, 12.0, "rated"), (0.9, 9.0, "rated"), (0.9, 9.0, "available")]
)
def test_one_roof_stands_where_brentq_finds_the_curve_cut(r_ohm: float, sun_kw: float, reference: str) -> None:
    base = 12.0 if reference == "rated" else sun_kw

    def gap(output_kw: float) -> float:
        voltage = two_bus_pu(output_kw - 1, 0.0, r_ohm, 0.1, 1.04)
        return min(sun_kw, base * float(np.clip(1 - 0.8 * (voltage - 1.06) / 0.04, 0.2, 1))) - output_kw

    expected = brentq(gap, 0.0, sun_kw, xtol=1e-13)
    units = roofs(np.array([[sun_kw]]))
    control = InverterControl(volt_watt=VoltWatt(reference=Reference(reference)))
    found = solve_droop(PowerFlow(line([r_ohm], [0.1])), *drawn(units), units, control)
    assert 0.2 * base < expected < sun_kw
    assert found.output_kw[0, 0] == pytest.approx(expected, abs=1e-6)


def test_reactive_power_of_one_roof_stands_where_scipy_finds_the_curve_cut() -> None:
    def gap(kvar: Floats) -> Floats:
        voltage = two_bus_pu(5.0, float(kvar[0]), 0.3, 0.3, 1.04)
        share = np.interp(voltage, [0.92, 0.98, 1.02, 1.08], [0.44, 0, 0, -0.44])
        return np.asarray(12 * 1.12 * share - kvar)

    expected = float(root(gap, [-1.0], tol=1e-13).x[0])
    units = roofs(np.array([[6.0]]))
    found = solve_droop(PowerFlow(line([0.3], [0.3])), *drawn(units), units, InverterControl(volt_var=VoltVar()))
    assert -12 * 1.12 * 0.44 < expected < -0.5
    assert found.solved.all()
    assert found.output_kw[0, 0] == 6.0
    assert found.fed_in_kvar[0, 0] == pytest.approx(expected, abs=1e-6)


@settings(max_examples=25)
@given(st.integers(2, 7), st.integers(0, 10_000), st.booleans(), st.sampled_from([0.04, 0.01, 0.001]))
def test_what_is_found_is_a_fixed_point_of_plain_sweeps_and_the_only_one(
    homes: int, seed: int, var: bool, width_pu: float
) -> None:
    rng = np.random.default_rng(seed)
    feeder = line(list(rng.uniform(0.02, 0.15, homes)), list(rng.uniform(0.005, 0.08, homes)))
    sun = rng.uniform(0.0, 14.0, (3, homes))
    units, curve = roofs(sun, can_charge=rng.random(homes) < 0.5), VoltWatt(v2_pu=1.06 + width_pu)
    control = InverterControl(volt_watt=curve, volt_var=VoltVar() if var else None)
    flow, power = PowerFlow(feeder), drawn(units)
    found = solve_droop(flow, *power, units, control)
    assert found.solved.all()
    assert (found.residual_pu <= TOLERANCE_PU).all()
    for slot in range(3):
        p_kw, q_kvar = power[0][slot].copy(), -np.append(0.0, found.fed_in_kvar[slot])
        p_kw[1:] += sun[slot] - found.output_kw[slot]
        voltage = swept(feeder, p_kw, q_kvar)[1:]
        floor = np.where(units.can_charge, 0.0, 0.2)
        part = np.clip(1 - (1 - floor) * (voltage - 1.06) / width_pu, floor, 1)
        steepest = 12.0 / width_pu
        assert found.output_kw[slot] == pytest.approx(np.minimum(sun[slot], 12 * part), abs=2e-8 * steepest)
    assert starts_differ_pu(flow, *power, units, control, found) == pytest.approx(0.0, abs=1e-8)


def test_a_steeper_curve_lets_less_through() -> None:
    flow, units = PowerFlow(five(0.06)), roofs(np.full((1, 5), 12.0))
    totals = []
    for end in (1.16, 1.12, 1.10, 1.08, 1.07, 1.065, 1.061):
        found = solve_droop(flow, *drawn(units), units, InverterControl(volt_watt=VoltWatt(v2_pu=end, p2=0.0)))
        assert found.solved.all()
        totals.append(found.output_kw.sum())
    assert (np.diff(totals) < 0).all()


@pytest.mark.parametrize("part", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("reference", Reference)
def test_a_flat_curve_is_a_limit_whatever_the_voltage(part: float, reference: Reference) -> None:
    flat = VoltWatt(p1=part, p2=part, p2_storage=part, reference=reference)
    units = roofs(np.array([[0.0] * 5, [3.0] * 5, [12.0] * 5]))
    limit = part * (12.0 if reference is Reference.RATED else units.available_kw)
    for start in Start:
        found = solve_droop(PowerFlow(five(0.06)), *drawn(units), units, InverterControl(volt_watt=flat), start=start)
        assert found.solved.all()
        assert found.output_kw == pytest.approx(np.minimum(units.available_kw, limit), abs=1e-12)


def test_the_farther_from_the_source_the_less_of_the_sun_is_left() -> None:
    units = roofs(np.full((1, 5), 12.0))
    found = solve_droop(PowerFlow(five(0.06)), *drawn(units), units, WATT)
    assert (np.diff(found.output_kw[0]) < 0).all()


def test_below_the_knee_nothing_happens_and_the_power_flow_is_the_plain_one_to_the_bit() -> None:
    flow, units = PowerFlow(five(0.06)), roofs(np.array([[2.0] * 5, [1.5] * 5, [0.0] * 5]))
    plain = flow.solve(*drawn(units))
    found = solve_droop(flow, *drawn(units), units, WATT)
    assert plain.voltage_pu.max() < 1.06
    assert found.flows == 1
    assert found.solved.all()
    assert np.array_equal(found.output_kw, units.available_kw)
    assert np.array_equal(found.state.voltage_pu, plain.voltage_pu)
    assert np.array_equal(found.state.loss_kw, plain.loss_kw)


def test_slots_do_not_disturb_one_another() -> None:
    rng = np.random.default_rng(4)
    flow, sun = PowerFlow(five(0.12)), rng.uniform(0, 12, (6, 5))
    together = solve_droop(flow, *drawn(roofs(sun)), roofs(sun), WATT)
    for slot in range(6):
        alone = solve_droop(flow, *drawn(roofs(sun[[slot]])), roofs(sun[[slot]]), WATT)
        assert together.output_kw[slot] == pytest.approx(alone.output_kw[0], abs=1e-7)


def test_a_unit_that_can_charge_may_be_held_back_to_nothing() -> None:
    sun = np.full((1, 3), 60.0)
    flow = PowerFlow(line([0.4] * 3, [0.1] * 3, source_pu=1.14))
    for can_charge, floor in ((False, 0.2), (True, 0.0)):
        units = roofs(sun, rated_kw=60.0, can_charge=can_charge)
        found = solve_droop(flow, *drawn(units), units, WATT)
        assert found.solved.all()
        assert found.output_kw[0, -1] == pytest.approx(60 * floor, abs=1e-9)


def test_a_search_that_is_broken_off_never_says_that_it_is_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    units = roofs(np.array([[12.0] * 5, [1.0] * 5]))
    monkeypatch.setattr(droop, "MOST_FLOWS", 2)
    monkeypatch.setattr(droop, "MOST_STEPS", 2)
    found = solve_droop(PowerFlow(five(0.12)), *drawn(units), units, WATT)
    assert found.solved.tolist() == [False, True]
    assert found.residual_pu[0] > TOLERANCE_PU
    assert found.state.converged.all()


@pytest.mark.parametrize("control", [WATT, InverterControl(volt_watt=VoltWatt(), volt_var=VoltVar())])
def test_newton_on_the_tree_and_the_search_find_the_same(control: InverterControl) -> None:
    """Units of several sizes and kinds at one bus, some that can charge, from both starts; and what is not solved."""
    rng, feeder = np.random.default_rng(6), build_feeder("lv_rural", peak_reference_kw=1.4)
    bus = np.repeat(np.flatnonzero(feeder.p_kw > 0), 2)
    rated = rng.uniform(2, 12, len(bus))
    sun = rng.uniform(0, 1, (20, 1)) * rated * rng.uniform(0.8, 1, (20, len(bus)))
    units = Inverters(bus=bus, rated_kw=rated, available_kw=sun, can_charge=rng.random(len(bus)) < 0.5)
    use = feeder.p_kw * rng.uniform(0, 1, (20, 1))
    p_kw, q_kvar = use.copy(), use * feeder.kvar_per_kw
    np.add.at(p_kw.T, bus, -sun.T)
    p_kw[3], q_kvar[3] = 1e4 * feeder.p_kw, 1e4 * feeder.q_kvar
    flow, referee = (PowerFlow(feeder, method=method) for method in Method)
    for start in Start:
        tree = droop._on_the_tree(flow, p_kw, q_kvar, units, control, start)
        search = solve_droop(referee, p_kw, q_kvar, units, control, start=start)
        wanted = np.arange(20) != 3
        assert np.array_equal(tree.solved, wanted)
        assert np.array_equal(search.solved, wanted)
        np.testing.assert_allclose(tree.output_kw[wanted], search.output_kw[wanted], rtol=0, atol=1e-5)
        np.testing.assert_allclose(tree.fed_in_kvar[wanted], search.fed_in_kvar[wanted], rtol=0, atol=1e-5)
        np.testing.assert_allclose(tree.state.voltage_pu, search.state.voltage_pu, rtol=0, atol=3e-9)
        assert tree.residual_pu[wanted].max() < 1e-12
        assert (tree.output_kw < sun).any()
        drawn_kw, drawn_kvar = p_kw.copy(), q_kvar.copy()
        np.add.at(drawn_kw.T, bus, (sun - tree.output_kw).T)
        np.add.at(drawn_kvar.T, bus, -tree.fed_in_kvar.T)
        plain = flow.solve(drawn_kw[wanted], drawn_kvar[wanted])
        for name in ("voltage_pu", "loss_kw", "source_p_kw", "source_q_kvar", "line_loading", "transformer_loading"):
            np.testing.assert_allclose(
                getattr(tree.state, name)[wanted], getattr(plain, name), rtol=1e-9, atol=1e-9, err_msg=name
            )


def test_where_no_curve_acts_the_state_is_that_of_a_plain_power_flow_to_the_bit() -> None:
    units = roofs(np.array([[1.0] * 5, [0.5] * 5]))
    flow, power = PowerFlow(five(0.06)), drawn(units)
    found, plain = solve_droop(flow, *power, units, WATT), flow.solve(*power)
    assert np.array_equal(found.output_kw, units.available_kw)
    for name in plain.__slots__:
        assert np.array_equal(getattr(found.state, name), getattr(plain, name)), name


def test_a_step_that_makes_it_worse_is_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Newton's slopes are planted a tenth of what they are: full steps overshoot, and the search still ends right."""
    units, flow = roofs(np.full((1, 5), 12.0)), PowerFlow(five(0.12), method=Method.NEWTON_RAPHSON)
    curves = droop.limited_kw

    def flatter(*arguments: Any) -> tuple[Floats, Floats]:
        output, fall = curves(*arguments)
        return output, fall * 0.05

    monkeypatch.setattr(droop, "limited_kw", flatter)
    found = solve_droop(flow, *drawn(units), units, WATT)
    assert found.solved.all()
    assert found.output_kw.sum() == pytest.approx(REFERENCE[0.12][1], abs=1e-3)


def test_load_that_the_line_cannot_carry_leaves_its_slot_unsolved_and_the_others_as_they_are() -> None:
    units = roofs(np.array([[12.0] * 5, [12.0] * 5]))
    p_kw, q_kvar = drawn(units)
    p_kw[0] += 400.0
    found = solve_droop(PowerFlow(five(0.06)), p_kw, q_kvar, units, WATT)
    assert found.solved.tolist() == [False, True]
    assert np.isnan(found.residual_pu[0])
    assert np.isnan(found.state.voltage_pu[0]).all()
    assert found.output_kw[1].sum() == pytest.approx(REFERENCE[0.06][1], abs=1e-4)


def test_export_that_collapses_the_line_is_held_back_to_a_state_that_exists() -> None:
    units = roofs(np.full((1, 5), 400.0), rated_kw=400.0)
    flow = PowerFlow(line([0.06] * 5, [0.06] * 5))
    assert not flow.solve(*drawn(units)).converged.any()
    found = solve_droop(flow, *drawn(units), units, InverterControl(volt_watt=VoltWatt(p2=0.0)))
    assert found.solved.all()
    assert 1.06 < found.state.voltage_pu[0, 1:].min() <= found.state.voltage_pu.max() < 1.10


@pytest.mark.parametrize("method", Method)
def test_a_power_flow_that_ended_on_the_lower_branch_is_not_taken_for_an_answer(method: Method) -> None:
    """Newton's method ends at .28 pu with 1 MW on a line of 400 V, where no curve acts; sweeps end on the upper one."""
    units = roofs(np.full((1, 5), 200.0), rated_kw=200.0)
    flow = PowerFlow(line([0.3] * 5, [0.02] * 5), method=method)
    plain = flow.solve(*drawn(units))
    assert plain.converged.all() == (method is Method.SWEEP)
    assert not (plain.voltage_pu < 1).any()
    found = solve_droop(flow, *drawn(units), units, InverterControl(volt_watt=VoltWatt(p2=0.0)))
    assert found.solved.all()
    assert found.state.voltage_pu.min() > 1.03
    assert found.output_kw.max() < 50


@pytest.mark.parametrize("method", Method)
def test_a_lower_branch_that_looks_sound_is_not_taken_either(method: Method) -> None:
    """200 kW over 1.5 ohm: V² = h ± √(h² − |z|²|s|²) is 1.956 or .961 pu, and Newton's method ends on the latter."""
    feeder, units = line([1.5], [0.1], source_pu=1.0), roofs(np.array([[200.0]]), rated_kw=200.0)
    flow, power = PowerFlow(feeder, method=method), drawn(units, load_kw=0.0)
    upper_pu = two_bus_pu(200.0, 0.0, 1.5, 0.1, 1.0)
    assert upper_pu == pytest.approx(1.9564, abs=1e-4)
    plain = flow.solve(*power)
    if method is Method.SWEEP:
        assert plain.voltage_pu[0, 1] == pytest.approx(upper_pu, abs=1e-12)
    else:
        assert not plain.converged.any()
    found = solve_droop(flow, *power, units, WATT)
    assert found.solved.tolist() == [True]
    assert found.output_kw[0, 0] == pytest.approx(40.0, abs=1e-9)
    assert found.state.voltage_pu[0, 1] == pytest.approx(two_bus_pu(40.0, 0.0, 1.5, 0.1, 1.0), abs=1e-9)


def test_a_line_that_has_no_answer_is_given_up_with_its_residual() -> None:
    """So much reactance that voltages fall with power: at the floor the curve asks for more, and more has no state."""
    units = roofs(np.full((1, 5), 120.0), rated_kw=120.0)
    found = solve_droop(PowerFlow(line([0.06] * 5, [0.3] * 5)), *drawn(units), units, WATT)
    assert found.solved.tolist() == [False]
    assert found.residual_pu[0] > 0.01


def test_voltages_behind_transformers_and_on_branches_are_steered_right() -> None:
    graph = nx.Graph()
    graph.add_node("grid", nominal_kv=20.0, source_voltage_pu=1.05)
    graph.add_node("bar", nominal_kv=KV)
    graph.add_edge("grid", "bar", kva=250.0, uk=0.04, pk_kw=3.0, p0_kw=0.4, i0=0.01, turns=0.985)
    for number in range(1, 5):
        graph.add_node(str(number), nominal_kv=KV, p_kw=5.0, customers=5)
        graph.add_edge("bar" if number == 1 else str(number - 1), str(number), r_ohm=0.03, x_ohm=0.01)
    feeder = feeder_from_graph(graph)
    sun = np.full((1, 4), 50.0)
    units = Inverters(bus=np.arange(2, 6), rated_kw=np.full(4, 50.0), available_kw=sun, can_charge=np.zeros(4, bool))
    p_kw = np.array([[0.0, 0.0, -45, -45, -45, -45]])
    found = solve_droop(PowerFlow(feeder), p_kw, np.zeros((1, 6)), units, WATT)
    assert found.solved.all()
    assert found.flows <= 8
    share = np.clip(1 - 0.8 * (found.state.voltage_pu[0, 2:] - 1.06) / 0.04, 0.2, 1)
    assert found.output_kw[0] == pytest.approx(50 * share, abs=1e-5)
    assert found.output_kw[0, -1] < 40


def test_availability_of_another_shape_is_refused() -> None:
    units = roofs(np.full((2, 5), 12.0))
    p_kw, q_kvar = drawn(units)
    with pytest.raises(ValueError, match=r"available_kw has shape \(2, 5\)"):
        solve_droop(PowerFlow(five(0.06)), p_kw[:1], q_kvar[:1], units, WATT)
