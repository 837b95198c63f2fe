"""pandapower, an independent Newton-Raphson, finds the same state of every feeder."""

import warnings
from typing import Any

import networkx as nx
import numpy as np
import pytest

from meanwatt.model.network.droop import solve_droop
from meanwatt.model.network.feeder import FEEDERS, Feeder, build_feeder, feeder_from_graph
from meanwatt.model.network.inverter_curves import InverterControl, Inverters, VoltWatt
from meanwatt.model.network.power_flow import PowerFlow, PowerFlowResult, solve_power_flow

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pandapower = pytest.importorskip(
        "pandapower", reason="pandapower is not installed: `uv sync --group oracles --no-group dev`"
    )
    from pandapower import networks

pytestmark = pytest.mark.filterwarnings("ignore")  # pandapower's own; ours are errors in tests/model

# pandapower stops when the power mismatch is below its tolerance of 1e-8 kVA at every bus. Through the feeder's series
# impedance, less than 1 pu on 1 MVA from the source to any bus, that is worth less than 33 * 1e-11 pu of voltage.
VOLTAGE_PU = 1e-9
POWER_KW = 1e-5


def pandapower_net(feeder: Feeder) -> Any:
    """Write our feeder as a pandapower net, bus i with index i."""
    net = pandapower.create_empty_network(f_hz=50.0)
    for kv in feeder.nominal_kv:
        pandapower.create_bus(net, vn_kv=float(kv))
    pandapower.create_ext_grid(net, feeder.index(feeder.source), vm_pu=feeder.source_voltage_pu)
    for line, (a, b) in enumerate(zip(feeder.line_from, feeder.line_to, strict=True)):
        pandapower.create_line_from_parameters(
            net,
            int(a),
            int(b),
            length_km=1.0,
            r_ohm_per_km=feeder.line_r_ohm[line],
            x_ohm_per_km=feeder.line_x_ohm[line],
            c_nf_per_km=feeder.line_b_us[line] * 1e3 / (2 * np.pi * 50.0),
            max_i_ka=feeder.line_rating_a[line] / 1e3,
        )
    for unit in feeder.transformers:
        pandapower.create_transformer_from_parameters(
            net,
            unit.from_bus,
            unit.to_bus,
            sn_mva=unit.kva / 1e3,
            vn_hv_kv=feeder.nominal_kv[unit.from_bus] * unit.turns,
            vn_lv_kv=feeder.nominal_kv[unit.to_bus],
            vk_percent=100 * unit.uk,
            vkr_percent=100 * unit.pk_kw / unit.kva,
            pfe_kw=unit.p0_kw,
            i0_percent=100 * unit.i0,
            shift_degree=0.0,
        )
    for bus in range(len(feeder.buses)):
        pandapower.create_load(net, bus, p_mw=0.0)
    return net


def assert_same_state(feeder: Feeder, result: PowerFlowResult, slot: int, net: Any) -> None:
    pandapower.runpp(net, algorithm="nr", tolerance_mva=1e-11, trafo_model="pi", trafo_loading="power", numba=False)
    np.testing.assert_allclose(result.voltage_pu[slot], net.res_bus.vm_pu, rtol=0, atol=VOLTAGE_PU)
    degrees = np.degrees(result.voltage_angle_rad[slot])
    np.testing.assert_allclose(degrees, net.res_bus.va_degree, rtol=0, atol=np.degrees(VOLTAGE_PU))
    loss_kw = 1e3 * (net.res_line.pl_mw.sum() + net.res_trafo.pl_mw.sum())
    np.testing.assert_allclose(result.loss_kw[slot], loss_kw, rtol=0, atol=POWER_KW)
    np.testing.assert_allclose(result.source_p_kw[slot], 1e3 * net.res_ext_grid.p_mw[0], rtol=0, atol=POWER_KW)
    np.testing.assert_allclose(result.source_q_kvar[slot], 1e3 * net.res_ext_grid.q_mvar[0], rtol=0, atol=POWER_KW)
    np.testing.assert_allclose(result.line_loading[slot], net.res_line.loading_percent / 100, rtol=0, atol=1e-6)
    if feeder.transformers:
        assert result.transformer_loading is not None
        worst = net.res_trafo.loading_percent.max() / 100
        np.testing.assert_allclose(result.transformer_loading[slot], worst, rtol=0, atol=1e-6)


def assert_same_day(feeder: Feeder, seed: int) -> None:
    rng = np.random.default_rng(seed)
    p_kw = feeder.p_kw * rng.uniform(-2, 1.5, (6, len(feeder.buses)))
    q_kvar = feeder.q_kvar * rng.uniform(0, 1.5, p_kw.shape)
    result = solve_power_flow(feeder, p_kw, q_kvar)
    net = pandapower_net(feeder)
    for slot in range(len(p_kw)):
        net.load["p_mw"], net.load["q_mvar"] = p_kw[slot] / 1e3, q_kvar[slot] / 1e3
        assert_same_state(feeder, result, slot, net)


@pytest.mark.parametrize("name", FEEDERS)
def test_pandapower_finds_the_same_state_of_every_feeder(name: str) -> None:
    assert_same_day(build_feeder(name, peak_reference_kw=1.4), seed=0)


def test_pandapower_agrees_on_charging_iron_losses_and_off_nominal_turns() -> None:
    graph = build_feeder("lv_rural", peak_reference_kw=1.4).graph
    for _, _, data in graph.edges(data=True):
        data.update({"turns": 0.975, "p0_kw": 0.4, "i0": 0.012} if "kva" in data else {"b_us": 120.0})
    assert_same_day(feeder_from_graph(graph), seed=1)


def test_our_copy_of_baran_and_wu_is_the_one_pandapower_has() -> None:
    feeder = build_feeder("baran_wu_33", peak_reference_kw=1.0)
    net = networks.case33bw()
    closed = net.line[net.line.in_service]
    theirs = {
        (int(a) + 1, int(b) + 1): (r, x)
        for a, b, r, x in zip(closed.from_bus, closed.to_bus, closed.r_ohm_per_km, closed.x_ohm_per_km, strict=True)
    }
    ours = {
        (int(feeder.buses[a]), int(feeder.buses[b])): (r, x)
        for a, b, r, x in zip(feeder.line_from, feeder.line_to, feeder.line_r_ohm, feeder.line_x_ohm, strict=True)
    }
    assert theirs.keys() == ours.keys()
    for ends, impedance in ours.items():  # theirs went through per unit and back, printed to so many digits
        np.testing.assert_allclose(impedance, theirs[ends], rtol=1e-6, err_msg=str(ends))
    loads = dict(zip(net.load.bus + 1, zip(net.load.p_mw * 1e3, net.load.q_mvar * 1e3, strict=True), strict=True))
    for bus, p_kw, q_kvar in zip(feeder.buses[1:], feeder.p_kw[1:], feeder.q_kvar[1:], strict=True):
        np.testing.assert_allclose((p_kw, q_kvar), loads[int(bus)], rtol=1e-9)


@pytest.mark.parametrize("r_ohm", [0.06, 0.12])
def test_pandapower_puts_every_inverter_on_its_curve(r_ohm: float) -> None:
    """At what our search lets five roofs feed in, pandapower's voltages ask for just that."""
    graph = nx.Graph()
    graph.add_node("0", nominal_kv=0.4, source_voltage_pu=1.04)
    for number in range(1, 6):
        graph.add_node(str(number), nominal_kv=0.4, p_kw=1.0, q_kvar=0.0, customers=1)
        graph.add_edge(str(number - 1), str(number), r_ohm=r_ohm, x_ohm=0.02, rating_a=500.0)
    feeder = feeder_from_graph(graph)
    p_kw, q_kvar = np.array([[0.0, *[1.0 - 12.0] * 5]]), np.zeros((1, 6))
    units = Inverters(
        bus=np.arange(1, 6),
        rated_kw=np.full(5, 12.0),
        available_kw=np.full((1, 5), 12.0),
        can_charge=np.zeros(5, dtype=bool),
    )
    found = solve_droop(PowerFlow(feeder), p_kw, q_kvar, units, InverterControl(volt_watt=VoltWatt()))
    net = pandapower_net(feeder)
    net.load.loc[:, "p_mw"] = np.array([0.0, *(1.0 - found.output_kw[0])]) / 1e3
    pandapower.runpp(net, tolerance_mva=1e-11, numba=False)
    voltage = net.res_bus.vm_pu.to_numpy()[1:]
    assert found.state.voltage_pu[0, 1:] == pytest.approx(voltage, abs=VOLTAGE_PU)
    asked = 12 * np.clip(1 - 0.8 * (voltage - 1.06) / 0.04, 0.2, 1.0)
    assert found.output_kw[0] == pytest.approx(asked, abs=1e-6)
