"""pandapower's ``runpp_3ph``, an independent solver in symmetrical components, finds the same phase voltages.

It takes the source's short-circuit data for an impedance in the negative and zero sequence alone; here they are made
so large that nothing of it is left, but for the European feeder, which is also compared as it comes.
"""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from meanwatt.model.network.feeder import build_feeder
from meanwatt.model.network.feeder_file import feeder_of_table, table_of_feeder
from meanwatt.model.network.pandapower_net.importer import import_pandapower
from meanwatt.model.network.phase_flow import PhaseFlow
from meanwatt.model.network.zero_sequence import ZeroSequenceRule
from meanwatt.model.scenario.feeder_file import read_feeder_file, write_feeder_file

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pandapower = pytest.importorskip(
        "pandapower", reason="pandapower is not installed: `uv sync --group oracles --no-group dev`"
    )
    from pandapower import networks

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # pandapower's own
    pytest.mark.skipif(int(pandapower.__version__.split(".")[0]) < 3, reason="other names of zero sequences"),
]

# runpp_3ph stops when currents of two iterations differ by less than 1e-8 of one MVA at nominal voltage; through less
# than 10 pu on 1 MVA that is worth 1e-7 pu.
VOLTAGE_PU = 1e-7
EUROPEAN_PU = 5e-6
"""Its 906 buses stand centimetres apart, so its matrix is ill-conditioned, and runpp_3ph stops earlier."""
STIFF_MVA = 1e9


def assert_same(net: Any, folder: Path, *, voltage_pu: float = VOLTAGE_PU, loading: float = 1e-5) -> None:
    """The state of the import, and the feeder that its file holds, are what runpp_3ph finds."""
    pandapower.runpp_3ph(net, tolerance_mva=1e-10, max_iteration=200)
    file = folder / "net.json"
    pandapower.to_json(net, str(file))
    found = import_pandapower(file, phases=True)
    assert found.by_phase is not None
    theirs = net.res_bus_3ph.dropna()
    voltage = theirs[["vm_a_pu", "vm_b_pu", "vm_c_pu"]].to_numpy()
    state = found.by_phase
    assert state.min_phase_voltage_pu == pytest.approx(voltage.min(), abs=voltage_pu)
    assert state.max_phase_voltage_pu == pytest.approx(voltage.max(), abs=voltage_pu)
    assert state.max_unbalance_percent == pytest.approx(theirs.unbalance_percent.max(), abs=200 * voltage_pu)
    if len(net.trafo):
        ours = state.max_transformer_loading
        assert ours == pytest.approx(net.res_trafo_3ph.loading_percent.max() / 100, abs=loading)
    kept = folder / "kept.toml"
    write_feeder_file(kept, table_of_feeder(found.feeder))
    again, phases = feeder_of_table(read_feeder_file(kept)[0]), found.feeder.phases
    assert again.phases is not None
    assert phases is not None
    np.testing.assert_array_equal(again.phases.customers, phases.customers)
    drawn = np.repeat(again.p_kw[:, None] / 3, 3, axis=1)[None]
    one, two = (PhaseFlow(feeder).solve(drawn, drawn / 5) for feeder in (found.feeder, again))
    np.testing.assert_array_equal(one.voltage_pu, two.voltage_pu)


def by_bus(net: Any, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Voltages of all buses and phases, ours and theirs."""
    pandapower.runpp_3ph(net, tolerance_mva=1e-10, max_iteration=200)
    file = folder / "net.json"
    pandapower.to_json(net, str(file))
    feeder = import_pandapower(file, phases=True).feeder
    p_kw, q_kvar = np.zeros((2, len(feeder.buses), 3))
    load = net.asymmetric_load
    for place, phase in enumerate("abc"):
        np.add.at(p_kw[:, place], load.bus, load[f"p_{phase}_mw"] * 1e3)
        np.add.at(q_kvar[:, place], load.bus, load[f"q_{phase}_mvar"] * 1e3)
    found = PhaseFlow(feeder).solve(p_kw[None], q_kvar[None])
    return found.voltage_pu[0], net.res_bus_3ph[["vm_a_pu", "vm_b_pu", "vm_c_pu"]].to_numpy()


def test_every_phase_of_the_european_feeder_has_the_voltage_that_pandapower_finds(tmp_path: Path) -> None:
    """906 buses, 55 homes on one phase each, as it comes: its source is stiff enough for 1e-5 pu."""
    net = networks.ieee_european_lv_asymmetric()
    ours, theirs = by_bus(net, tmp_path)
    assert ours.shape == (907, 3)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)
    net.ext_grid["s_sc_max_mva"] = STIFF_MVA
    ours, theirs = by_bus(net, tmp_path)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=EUROPEAN_PU)


@pytest.mark.parametrize("scenario", ["on_peak_566", "off_peak_1", "off_peak_1440"])
def test_the_import_of_the_european_feeder_has_the_state_that_pandapower_finds(scenario: str, tmp_path: Path) -> None:
    net = networks.ieee_european_lv_asymmetric(scenario)
    net.ext_grid["s_sc_max_mva"] = STIFF_MVA
    assert_same(net, tmp_path, voltage_pu=EUROPEAN_PU)


def village(group: str = "Dyn") -> Any:
    """Three 400 V buses in a row behind a transformer, the middle one with a spur; loads differ by phase."""
    net = pandapower.create_empty_network(f_hz=50.0)
    for kv in (20.0, 0.4, 0.4, 0.4, 0.4):
        pandapower.create_bus(net, vn_kv=kv)
    pandapower.create_ext_grid(net, 0, vm_pu=1.01, s_sc_max_mva=STIFF_MVA, rx_max=0.1)
    net.ext_grid["x0x_max"], net.ext_grid["r0x0_max"] = 1.0, 0.1
    pandapower.create_transformer_from_parameters(
        net,
        0,
        1,
        sn_mva=0.25,
        vn_hv_kv=20.0,
        vn_lv_kv=0.4,
        vkr_percent=1.44,
        vk_percent=6.0,
        pfe_kw=0.8,
        i0_percent=0.32,
        shift_degree=0.0 if group == "YNyn" else 150.0,
        vector_group=group,
        vk0_percent=5.4,
        vkr0_percent=1.3,
        mag0_percent=100.0,
        mag0_rx=0.3,
        si0_hv_partial=0.9,
        tap_side="hv",
        tap_neutral=0,
        tap_pos=0,
        tap_step_percent=2.5,
        tap_changer_type="Ratio",
    )
    for a, b, km in ((1, 2, 0.2), (2, 3, 0.3), (2, 4, 0.25)):
        pandapower.create_line_from_parameters(
            net,
            a,
            b,
            km,
            r_ohm_per_km=0.208,
            x_ohm_per_km=0.08,
            c_nf_per_km=261.0,
            max_i_ka=0.27,
            r0_ohm_per_km=0.832,
            x0_ohm_per_km=0.25,
            c0_nf_per_km=120.0,
        )
    asymmetric(net, 2, (0.012, 0.0, 0.003))
    asymmetric(net, 3, (0.002, 0.018, 0.0))
    asymmetric(net, 4, (0.0, 0.0, 0.009))
    pandapower.create_load(net, 3, p_mw=0.01, q_mvar=0.003)
    return net


def asymmetric(net: Any, bus: int, p_mw: tuple[float, float, float], **values: Any) -> None:
    a, b, c = p_mw
    pandapower.create_asymmetric_load(
        net, bus, p_a_mw=a, p_b_mw=b, p_c_mw=c, q_a_mvar=0.3 * a, q_b_mvar=0.2 * b, q_c_mvar=0.1 * c, **values
    )


FEATURES: dict[str, Callable[[Any], Any]] = {}


def feature(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    FEATURES[change.__name__] = change
    return change


@feature
def nothing_more(net: Any) -> None:
    del net


@feature
def tap_on_the_high_side(net: Any) -> None:
    net.trafo.loc[0, "tap_pos"] = 2


@feature
def tap_on_the_low_side(net: Any) -> None:
    net.trafo.loc[0, "tap_pos"], net.trafo.loc[0, "tap_side"] = -2, "lv"


@feature
def rated_voltage_off_nominal(net: Any) -> None:
    net.trafo.loc[0, "vn_lv_kv"] = 0.416


@feature
def parallel_transformers_in_one_row(net: Any) -> None:
    net.trafo.loc[0, "parallel"] = 2


@feature
def parallel_lines_in_one_row(net: Any) -> None:
    net.line.loc[0, "parallel"] = 3


@feature
def line_out_of_service(net: Any) -> None:
    net.line.loc[1, "in_service"] = False


@feature
def much_charging(net: Any) -> None:
    net.line["c_nf_per_km"], net.line["c0_nf_per_km"] = 40_000.0, 15_000.0


@feature
def scaled_loads(net: Any) -> None:
    net.asymmetric_load.loc[0, "scaling"] = 1.7


@feature
def generation_on_one_phase(net: Any) -> None:
    pandapower.create_asymmetric_sgen(net, 4, p_a_mw=0.0, p_b_mw=0.03, p_c_mw=0.0, q_b_mvar=0.004)
    pandapower.create_sgen(net, 3, p_mw=0.02, type="wye")  # runpp_3ph leaves one without a type out


@feature
def closed_switch_between_buses(net: Any) -> None:
    bus = pandapower.create_bus(net, vn_kv=0.4)
    pandapower.create_switch(net, 3, bus, et="b", closed=True)
    asymmetric(net, bus, (0.0, 0.004, 0.0))


@feature
def medium_voltage_between_source_and_transformer(net: Any) -> None:
    bus = pandapower.create_bus(net, vn_kv=20.0)
    net.ext_grid["bus"] = bus
    pandapower.create_line_from_parameters(
        net,
        bus,
        0,
        8.0,
        r_ohm_per_km=0.3,
        x_ohm_per_km=0.35,
        c_nf_per_km=10.0,
        max_i_ka=0.3,
        r0_ohm_per_km=0.5,
        x0_ohm_per_km=1.4,
        c0_nf_per_km=5.0,
    )


@pytest.mark.parametrize("group", ["Dyn", "YNyn"])
@pytest.mark.parametrize("name", FEATURES)
def test_every_feature_counts_as_in_pandapower(name: str, group: str, tmp_path: Path) -> None:
    net = village(group)
    FEATURES[name](net)
    assert_same(net, tmp_path)


def test_a_load_between_phases_is_that_of_balanced_voltages(tmp_path: Path) -> None:
    """There it is solved exactly; ours is off by what the voltages are uneven."""
    net = village()
    asymmetric(net, 3, (0.004, 0.0, 0.0), type="delta")
    assert_same(net, tmp_path, voltage_pu=1e-3, loading=5e-3)


def test_missing_zero_sequences_are_what_the_rule_says(tmp_path: Path) -> None:
    net = village()
    file = tmp_path / "net.json"
    net.line["r0_ohm_per_km"] = net.line["x0_ohm_per_km"] = np.nan
    net.line["c0_nf_per_km"] = np.nan
    pandapower.to_json(net, str(file))
    found = import_pandapower(file, phases=True)
    assert found.report.approximated == {"line": 3}
    net.line["r0_ohm_per_km"], net.line["x0_ohm_per_km"] = 4 * net.line.r_ohm_per_km, 4 * net.line.x_ohm_per_km
    net.line["c0_nf_per_km"] = net.line.c_nf_per_km
    pandapower.runpp_3ph(net, tolerance_mva=1e-10, max_iteration=200)
    voltage = net.res_bus_3ph[["vm_a_pu", "vm_b_pu", "vm_c_pu"]].to_numpy()
    assert found.by_phase is not None
    assert found.by_phase.min_phase_voltage_pu == pytest.approx(voltage.min(), abs=VOLTAGE_PU)


@pytest.mark.parametrize("name", ["lv_rural", "lv_semiurban", "lv_four_wire"])
def test_pandapower_finds_the_same_phase_voltages_of_every_low_voltage_feeder(name: str) -> None:
    feeder = build_feeder(name, peak_reference_kw=1.4)
    flow = PhaseFlow(feeder, ZeroSequenceRule())
    rng = np.random.default_rng(7)
    phase = rng.integers(3, size=len(feeder.buses))
    p_kw = np.zeros((3, len(feeder.buses), 3))
    p_kw[:, np.arange(len(phase)), phase] = feeder.p_kw * rng.uniform(-3, 1.5, (3, len(phase)))
    found = flow.solve(p_kw, 0.2 * np.abs(p_kw))
    net = pandapower.create_empty_network(f_hz=50.0)
    for kv in feeder.nominal_kv:
        pandapower.create_bus(net, vn_kv=float(kv))
    pandapower.create_ext_grid(net, 0, vm_pu=feeder.source_voltage_pu, s_sc_max_mva=STIFF_MVA, rx_max=0.1)
    net.ext_grid["x0x_max"], net.ext_grid["r0x0_max"] = 1.0, 0.1
    (unit,), (port,) = feeder.transformers, flow.zero.transformers
    ohm = feeder.nominal_kv[unit.to_bus] ** 2 * 1e3 / unit.kva
    pandapower.create_transformer_from_parameters(
        net,
        unit.from_bus,
        unit.to_bus,
        sn_mva=unit.kva / 1e3,
        vn_hv_kv=feeder.nominal_kv[0],
        vn_lv_kv=0.4,
        vk_percent=100 * unit.uk,
        vkr_percent=100 * unit.pk_kw / unit.kva,
        pfe_kw=0.0,
        i0_percent=0.0,
        shift_degree=150.0,
        vector_group="Dyn",
        vk0_percent=100 * abs(complex(port.r_ohm, port.x_ohm)) / ohm,
        vkr0_percent=100 * port.r_ohm / ohm,
        mag0_percent=1e9,  # no iron
        mag0_rx=0.0,
        si0_hv_partial=0.5,
    )
    for line, (a, b) in enumerate(zip(feeder.line_from.tolist(), feeder.line_to.tolist(), strict=True)):
        pandapower.create_line_from_parameters(
            net,
            a,
            b,
            1.0,
            r_ohm_per_km=feeder.line_r_ohm[line],
            x_ohm_per_km=feeder.line_x_ohm[line],
            c_nf_per_km=0.0,
            max_i_ka=1.0,
            r0_ohm_per_km=flow.zero.line_r0_ohm[line],
            x0_ohm_per_km=flow.zero.line_x0_ohm[line],
            c0_nf_per_km=0.0,
        )
    for bus in range(len(feeder.buses)):
        pandapower.create_asymmetric_load(net, bus)
    for slot in range(3):
        for place, name_of in enumerate("abc"):
            net.asymmetric_load[f"p_{name_of}_mw"] = p_kw[slot, :, place] / 1e3
            net.asymmetric_load[f"q_{name_of}_mvar"] = 0.2 * np.abs(p_kw[slot, :, place]) / 1e3
        pandapower.runpp_3ph(net, tolerance_mva=1e-10, max_iteration=200)
        theirs = net.res_bus_3ph
        voltage = theirs[["vm_a_pu", "vm_b_pu", "vm_c_pu"]].to_numpy()
        np.testing.assert_allclose(found.voltage_pu[slot], voltage, rtol=0, atol=VOLTAGE_PU)
        np.testing.assert_allclose(
            found.unbalance_percent[slot], theirs.unbalance_percent, rtol=0, atol=200 * VOLTAGE_PU
        )
