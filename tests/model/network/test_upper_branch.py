"""A power flow is never taken from the lower branch of solutions: against the closed form of one line."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanwatt.model.network.feeder import FEEDERS, Feeder, build_feeder, feeder_from_graph
from meanwatt.model.network.power_flow import Method, PowerFlow
from meanwatt.model.network.upper_branch import UpperBranch

KV = 0.4
EASY = 0.6  # .6 to the power of 80 sweeps is 2e-18
SHARES = st.just(0.0) | st.floats(1e-9, 0.3)  # a reactance of 1e-308 ohm is lost in the solver


def one_line(r_ohm: float, x_ohm: float, *, source_pu: float = 1.0) -> Feeder:
    graph = nx.Graph()
    graph.add_node("grid", nominal_kv=KV, source_voltage_pu=source_pu)
    graph.add_node("home", nominal_kv=KV, customers=1)
    graph.add_edge("grid", "home", r_ohm=r_ohm, x_ohm=x_ohm)
    return feeder_from_graph(graph, peak_reference_kw=1.0)


def both_pu(fed_in_kw: float, drawn_kvar: float, r_ohm: float, x_ohm: float, source_pu: float) -> tuple[float, float]:
    """Upper and lower solution, V² = h ± √(h² − |z|²|s|²); nan where there is none. [pu]"""
    r, x, p, q = r_ohm / KV**2, x_ohm / KV**2, fed_in_kw / 1e3, drawn_kvar / 1e3
    half = source_pu**2 / 2 + r * p - x * q
    square = half**2 - (r**2 + x**2) * (p**2 + q**2)
    if square < 0:
        return np.nan, np.nan
    spread = np.sqrt(square)
    return float(np.sqrt(half + spread)), float(np.sqrt(half - spread))


@settings(deadline=None)
@given(st.floats(0.2, 3.0), SHARES, st.floats(0.95, 1.05), st.floats(1.0, 500.0), SHARES)
def test_of_the_two_solutions_the_upper_one_is_found_or_none(
    r_ohm: float, x_part: float, source_pu: float, fed_in_kw: float, q_part: float
) -> None:
    x_ohm, kvar = x_part * r_ohm, q_part * fed_in_kw
    upper, lower = both_pu(fed_in_kw, kvar, r_ohm, x_ohm, source_pu)
    feeder = one_line(r_ohm, x_ohm, source_pu=source_pu)
    for method in Method:
        flow = PowerFlow(feeder, slots=1, method=method)
        found = flow.solve(np.array([[0.0, -fed_in_kw]]), np.array([[0.0, kvar]]))
        if np.isnan(upper):
            assert not found.converged[0]
        elif upper - lower < 1e-3:
            return  # the brink of collapse
        elif found.converged[0]:
            assert found.voltage_pu[0, 1] == pytest.approx(upper, abs=1e-8)
        else:
            assert np.isnan(found.voltage_pu[0, 1])
            assert r_ohm / KV**2 * fed_in_kw / 1e3 > 0.5  # so far from service that nothing in service is refused
            # sweeps shrink the error by |z||s|/V², the lower voltage over the upper: never slow enough to be given up
            assert method is Method.NEWTON_RAPHSON or lower / upper > EASY


def test_a_voltage_that_looks_sound_is_refused_and_its_neighbours_keep_their_bits() -> None:
    """200 kW over 1.5 ohm: 1.956 or .961 pu; Newton's method ends on the latter, sweeps on the former."""
    upper_pu, lower_pu = both_pu(200.0, 0.0, 1.5, 0.1, 1.0)
    assert (upper_pu, lower_pu) == pytest.approx((1.9564, 0.9605), abs=1e-4)
    swept = PowerFlow(one_line(1.5, 0.1)).solve(np.array([[0.0, -200.0]]), np.zeros((1, 2)))
    assert swept.voltage_pu[0, 1] == pytest.approx(upper_pu, abs=1e-12)
    flow = PowerFlow(one_line(1.5, 0.1), method=Method.NEWTON_RAPHSON)
    p_kw = np.array([[0.0, -20.0], [0.0, -200.0], [0.0, 20.0]])
    found = flow.solve(p_kw, np.zeros((3, 2)))
    assert found.converged.tolist() == [True, False, True]
    assert np.isnan(found.voltage_pu[1]).all()
    assert np.isnan(found.line_current_a[1]).all()
    assert np.isnan(found.loss_kw[1])
    assert "no state found in slots 1 of 3" in found.message
    alone = flow.solve(p_kw[::2], np.zeros((2, 2)))
    assert np.array_equal(found.voltage_pu[::2], alone.voltage_pu)
    for slot, fed_in_kw in ((0, 20.0), (2, -20.0)):
        assert found.voltage_pu[slot, 1] == pytest.approx(both_pu(fed_in_kw, 0.0, 1.5, 0.1, 1.0)[0], abs=1e-9)


def test_the_boundary_on_one_line_is_halfway_between_the_squares_of_the_solutions() -> None:
    for fed_in_kw, kvar in ((150.0, 0.0), (90.0, 30.0)):
        upper, lower = both_pu(fed_in_kw, kvar, 1.2, 0.3, 1.03)
        boundary = np.sqrt((upper**2 + lower**2) / 2)
        told = UpperBranch(one_line(1.2, 0.3, source_pu=1.03))
        voltage = np.array([[1.03, v] for v in (upper, boundary * (1 + 1e-9), boundary * (1 - 1e-9), lower, np.nan)])
        powers = (np.array([[0.0, each / 1e3]] * 5) for each in (-fed_in_kw, kvar))
        assert told.holds(voltage, *powers).tolist() == [True, True, False, False, True]


@pytest.mark.parametrize("name", FEEDERS)
def test_nothing_in_service_is_refused(name: str) -> None:
    """From heavy load to much export, every slot that the solver solves stands, with voltages on the way up."""
    feeder = build_feeder(name, peak_reference_kw=1.4)
    factor = np.linspace(1.5, -3.0, 24)[:, None]
    found = PowerFlow(feeder).solve(factor * feeder.p_kw, np.maximum(factor, 0) * feeder.q_kvar)
    assert found.converged.all()
    assert (np.diff(found.voltage_pu.max(axis=1)) >= -1e-9).all()


def test_a_transformer_s_ratio_and_the_position_of_the_source_are_known() -> None:
    graph = nx.Graph()
    graph.add_node("home", nominal_kv=KV, customers=1)
    graph.add_node("bar", nominal_kv=KV)
    graph.add_node("grid", nominal_kv=20.0, source_voltage_pu=1.0)
    graph.add_edge("grid", "bar", kva=400.0, uk=0.04, pk_kw=4.0, turns=1.8)  # .56 pu behind it, and in service
    graph.add_edge("bar", "home", r_ohm=0.5, x_ohm=0.05)
    feeder = feeder_from_graph(graph, peak_reference_kw=1.0)
    p_kw = np.zeros((2, 3))
    p_kw[:, feeder.index("home")] = -20.0, -400.0
    swept, found = (PowerFlow(feeder, method=method).solve(p_kw, np.zeros((2, 3))) for method in Method)
    assert swept.converged.all()
    assert swept.voltage_pu[1].max() > 1.0  # where Newton's method ends on the lower branch
    assert found.converged.tolist() == [True, False]
    assert 0.55 < found.voltage_pu[0, feeder.index("home")] < 0.7
