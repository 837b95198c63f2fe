"""An imported network has the voltages, losses and loadings that pandapower's own power flow finds, feature by feature.

Runs with pandapower 2.14 and 3.x; what only one of them knows is skipped with the other.
"""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from meanwatt.model.network.feeder_file import feeder_of_table, table_of_feeder
from meanwatt.model.network.pandapower_net.importer import import_pandapower
from meanwatt.model.network.pandapower_net.transformers import TapRule
from meanwatt.model.network.power_flow import solve_power_flow
from meanwatt.model.scenario.feeder_file import read_feeder_file, write_feeder_file

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pandapower = pytest.importorskip(
        "pandapower", reason="pandapower is not installed: `uv sync --group oracles --no-group dev`"
    )
    from pandapower import networks

pytestmark = pytest.mark.filterwarnings("ignore")  # pandapower's own

THREE = int(pandapower.__version__.split(".")[0]) >= 3
NAYY = "NAYY 4x150 SE"


def village() -> Any:
    """Three 400 V buses in a row behind a transformer, the middle one with a spur."""
    net = pandapower.create_empty_network(f_hz=50.0)
    for kv in (20.0, 0.4, 0.4, 0.4, 0.4):
        pandapower.create_bus(net, vn_kv=kv)
    pandapower.create_ext_grid(net, 0, vm_pu=1.01, s_sc_max_mva=80.0, rx_max=0.3, s_sc_min_mva=50.0, rx_min=0.3)
    pandapower.create_transformer(net, 0, 1, "0.25 MVA 20/0.4 kV")
    for a, b, km in ((1, 2, 0.2), (2, 3, 0.3), (2, 4, 0.25)):
        pandapower.create_line(net, a, b, km, NAYY)
    for bus, mw in ((2, 0.03), (3, 0.05), (4, 0.02)):
        pandapower.create_load(net, bus, p_mw=mw, q_mvar=0.3 * mw)
    return net


def assert_same(net: Any, folder: Path, rule: TapRule = TapRule.FILE) -> None:
    pandapower.runpp(net, tolerance_mva=1e-11, max_iteration=50)
    file = folder / "net.json"
    pandapower.to_json(net, str(file))
    found = import_pandapower(file, rule)
    state, voltage = found.state, net.res_bus.vm_pu.dropna()
    assert found.buses == len(voltage)
    np.testing.assert_allclose(state.min_voltage_pu, voltage.min(), rtol=0, atol=1e-9)
    np.testing.assert_allclose(state.max_voltage_pu, voltage.max(), rtol=0, atol=1e-9)
    loss_kw = 1e3 * sum(net[table].pl_mw.sum() for table in ("res_line", "res_trafo", "res_trafo3w"))
    np.testing.assert_allclose(state.loss_kw, loss_kw, rtol=1e-7, atol=1e-7)
    loading = [*net.res_trafo.loading_percent.dropna(), *net.res_trafo3w.loading_percent.dropna()]
    if loading:
        assert state.max_transformer_loading is not None
        np.testing.assert_allclose(100 * state.max_transformer_loading, max(loading), rtol=1e-7)
    rated = net.line.max_i_ka > 0
    loading = [*net.res_line.loading_percent[rated].dropna()] if len(net.line) else []
    if loading:
        assert state.max_line_loading is not None
        np.testing.assert_allclose(100 * state.max_line_loading, max(loading), rtol=1e-7)
    file = folder / "ours.toml"
    write_feeder_file(file, table_of_feeder(found.feeder))
    again = feeder_of_table(read_feeder_file(file)[0])
    one, two = (solve_power_flow(feeder, feeder.p_kw[None], feeder.q_kvar[None]) for feeder in (found.feeder, again))
    np.testing.assert_array_equal(one.voltage_pu, two.voltage_pu)


NETS: dict[str, Callable[[], Any]] = {
    "baran_wu": networks.case33bw,
    "cigre_lv": networks.create_cigre_network_lv,
    "cigre_mv": networks.create_cigre_network_mv,
    "cigre_mv_with_der": lambda: networks.create_cigre_network_mv(with_der="pv_wind"),
    "kerber_dorf": networks.create_kerber_dorfnetz,
    "kerber_landnetz": networks.create_kerber_landnetz_kabel_1,
    "ieee_european_lv": networks.ieee_european_lv_asymmetric,
}


@pytest.mark.parametrize("name", NETS)
def test_a_well_known_network_has_the_state_that_pandapower_finds(name: str, tmp_path: Path) -> None:
    assert_same(NETS[name](), tmp_path)


@pytest.mark.parametrize("code", ["1-LV-rural1--0-sw", "1-LV-rural2--0-sw", "1-LV-rural2--1-sw", "1-LV-semiurb4--0-sw"])
def test_a_network_of_simbench_has_the_state_that_pandapower_finds(code: str, tmp_path: Path) -> None:
    simbench = pytest.importorskip("simbench", reason="simbench is not installed")
    assert_same(simbench.get_simbench_net(code), tmp_path)


FEATURES: dict[str, Callable[[Any], Any]] = {}


def feature(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    FEATURES[change.__name__] = change
    return change


@feature
def nothing_more(net: Any) -> None:
    del net


@feature
def bus_out_of_service(net: Any) -> None:
    net.bus.loc[3, "in_service"] = False
    net.line["c_nf_per_km"] = 40_000.0  # what stays is a charged stub


@feature
def line_out_of_service(net: Any) -> None:
    net.line.loc[1, "in_service"] = False


@feature
def load_out_of_service(net: Any) -> None:
    net.load.loc[1, "in_service"] = False


@feature
def open_line_switch_leaves_a_charged_stub(net: Any) -> None:
    net.line["c_nf_per_km"] = 40_000.0
    pandapower.create_switch(net, 3, 1, et="l", closed=False)
    pandapower.create_switch(net, 2, 2, et="l", closed=True)


@feature
def open_line_switches_at_both_ends(net: Any) -> None:
    pandapower.create_switch(net, 3, 1, et="l", closed=False)
    pandapower.create_switch(net, 2, 1, et="l", closed=False)


@feature
def ring_that_an_open_switch_opens(net: Any) -> None:
    pandapower.create_line(net, 3, 4, 0.1, NAYY)
    pandapower.create_switch(net, 4, 3, et="l", closed=False)


@feature
def open_transformer_switch_leaves_its_losses(net: Any) -> None:
    pandapower.create_transformer(net, 0, 1, "0.4 MVA 20/0.4 kV")
    pandapower.create_switch(net, 1, 1, et="t", closed=False)


@feature
def open_transformer_switch_on_the_high_side(net: Any) -> None:
    pandapower.create_transformer(net, 0, 1, "0.4 MVA 20/0.4 kV")
    pandapower.create_switch(net, 0, 1, et="t", closed=False)


@feature
def closed_switch_between_buses(net: Any) -> None:
    bus = pandapower.create_bus(net, vn_kv=0.4)
    pandapower.create_switch(net, 3, bus, et="b", closed=True)
    pandapower.create_load(net, bus, p_mw=0.01)


@feature
def switch_between_buses_with_impedance(net: Any) -> None:
    bus = pandapower.create_bus(net, vn_kv=0.4)
    pandapower.create_switch(net, 3, bus, et="b", closed=True, z_ohm=0.02)
    pandapower.create_load(net, bus, p_mw=0.01)


@feature
def open_switch_between_buses_is_an_island(net: Any) -> None:
    bus = pandapower.create_bus(net, vn_kv=0.4)
    pandapower.create_switch(net, 3, bus, et="b", closed=False)
    pandapower.create_load(net, bus, p_mw=0.01)


@feature
def parallel_lines_in_one_row(net: Any) -> None:
    net.line.loc[0, "parallel"] = 3


@feature
def parallel_lines_in_two_rows(net: Any) -> None:
    pandapower.create_line(net, 2, 1, 0.3, "NAYY 4x50 SE")


@feature
def parallel_transformers_in_one_row(net: Any) -> None:
    net.trafo.loc[0, "parallel"] = 2


@feature
def unlike_parallel_transformers(net: Any) -> None:
    pandapower.create_transformer(net, 0, 1, "0.4 MVA 20/0.4 kV")
    if THREE:
        net.trafo["tap_changer_type"] = "Ratio"
    net.trafo.loc[1, "tap_pos"] = 2


@feature
def scaling(net: Any) -> None:
    net.load.loc[1, "scaling"] = 1.7
    pandapower.create_sgen(net, 4, p_mw=0.02, q_mvar=0.004, scaling=0.6)


@feature
def derated_transformer(net: Any) -> None:
    net.trafo.loc[0, "df"] = 0.8


@feature
def vector_group(net: Any) -> None:
    net.trafo.loc[0, "shift_degree"] = 30.0


def tapped(net: Any, kind: str, **values: Any) -> None:
    if THREE:
        net.trafo["tap_changer_type"] = kind
    elif kind == "Ideal":
        net.trafo["tap_phase_shifter"] = True
    for key, value in values.items():
        net.trafo.loc[0, key] = value


@feature
def tap_on_the_high_side(net: Any) -> None:
    tapped(net, "Ratio", tap_pos=2)


@feature
def tap_on_the_low_side(net: Any) -> None:
    tapped(net, "Ratio", tap_side="lv", tap_pos=-1)


@feature
def tap_at_an_angle(net: Any) -> None:
    tapped(net, "Ratio", tap_pos=-2, tap_step_degree=60.0)


@feature
def ideal_phase_shifter(net: Any) -> None:
    tapped(net, "Ideal", tap_pos=2, tap_step_percent=0.0, tap_step_degree=5.0)


@feature
def tap_without_a_type(net: Any) -> None:
    if not THREE:
        pytest.skip("version 2 counts every tap")
    tapped(net, "", tap_pos=2)
    net.trafo["tap_changer_type"] = None


@feature
def transformer_off_the_nominal_voltage(net: Any) -> None:
    net.trafo.loc[0, "vn_hv_kv"] = 20.8
    net.trafo.loc[0, "vn_lv_kv"] = 0.42


@feature
def transformer_whose_iron_losses_exceed_its_no_load_current(net: Any) -> None:
    net.trafo.loc[0, "pfe_kw"] = 4.0
    net.trafo.loc[0, "i0_percent"] = 0.5


@feature
def uneven_leakage(net: Any) -> None:
    if not THREE:
        pytest.skip("version 3 has it")
    net.trafo["leakage_resistance_ratio_hv"] = 0.2
    net.trafo["leakage_reactance_ratio_hv"] = 0.7
    net.trafo["i0_percent"] = 5.0


@feature
def shunt(net: Any) -> None:
    pandapower.create_shunt(net, 3, q_mvar=-0.02, p_mw=0.001, vn_kv=0.42, step=2)


@feature
def generator_that_feeds_in(net: Any) -> None:
    pandapower.create_sgen(net, 3, p_mw=0.12, q_mvar=-0.01)


@feature
def asymmetric_load_and_generator(net: Any) -> None:
    pandapower.create_asymmetric_load(net, 3, p_a_mw=0.01, p_b_mw=0.02, q_a_mvar=0.004, scaling=0.9)
    pandapower.create_asymmetric_sgen(net, 4, p_c_mw=0.015)


@feature
def load_that_varies_with_the_voltage(net: Any) -> None:
    if THREE:
        net.load.loc[1, ["const_z_p_percent", "const_z_q_percent", "const_i_p_percent"]] = (40.0, 70.0, 25.0)
    else:
        net.load.loc[1, ["const_z_percent", "const_i_percent"]] = (40.0, 25.0)


@feature
def leading_load(net: Any) -> None:
    net.load.loc[1, "q_mvar"] = -0.02


@feature
def leaking_line(net: Any) -> None:
    net.line["g_us_per_km"] = 900.0


@feature
def sixty_hertz(net: Any) -> None:
    net.f_hz = 60.0
    net.line["c_nf_per_km"] = 40_000.0


@feature
def impedance(net: Any) -> None:
    bus = pandapower.create_bus(net, vn_kv=0.4)
    pandapower.create_impedance(net, 3, bus, rft_pu=0.01, xft_pu=0.02, sn_mva=0.1)
    pandapower.create_load(net, bus, p_mw=0.01)


@feature
def ward_and_motor(net: Any) -> None:
    pandapower.create_ward(net, 3, ps_mw=0.01, qs_mvar=0.002, pz_mw=0.004, qz_mvar=0.001)
    pandapower.create_motor(net, 4, pn_mech_mw=0.01, cos_phi=0.8, efficiency_percent=90.0, loading_percent=70.0)


@feature
def source_behind_a_high_voltage_transformer(net: Any) -> None:
    bus = pandapower.create_bus(net, vn_kv=110.0)
    pandapower.create_transformer(net, bus, 0, "25 MVA 110/20 kV")
    net.ext_grid.loc[0, "bus"] = bus


def with_three_windings(net: Any, **values: Any) -> None:
    high, middle = pandapower.create_bus(net, vn_kv=110.0), pandapower.create_bus(net, vn_kv=10.0)
    pandapower.create_transformer3w(net, high, 0, middle, "63/25/38 MVA 110/20/10 kV")
    net.ext_grid.loc[0, "bus"] = high
    pandapower.create_load(net, middle, p_mw=11.0, q_mvar=5.0)
    pandapower.create_load(net, 0, p_mw=17.0, q_mvar=4.0)
    net.trafo3w["i0_percent"] = 1.5
    if THREE:
        net.trafo3w["tap_changer_type"] = "Ratio"
    for key, value in values.items():
        net.trafo3w[key] = value


@feature
def three_windings(net: Any) -> None:
    with_three_windings(net)


@feature
def three_windings_with_a_tap(net: Any) -> None:
    with_three_windings(net, tap_pos=-4)


@feature
def three_windings_with_a_tap_on_the_middle(net: Any) -> None:
    with_three_windings(net, tap_pos=3, tap_side="mv")


@feature
def three_windings_with_a_tap_at_the_star(net: Any) -> None:
    with_three_windings(net, tap_pos=3, tap_side="lv", tap_at_star_point=True, tap_step_degree=20.0)


@feature
def three_windings_with_a_tap_at_the_star_without_an_angle(net: Any) -> None:
    if not THREE:
        pytest.skip("version 2 counts it the wrong way round, version 3 does not when it reads such a file")
    with_three_windings(net, tap_pos=3, tap_side="hv", tap_at_star_point=True, tap_step_degree=float("nan"))


@feature
def three_windings_with_an_open_switch(net: Any) -> None:
    with_three_windings(net)
    pandapower.create_switch(net, 6, 0, et="t3", closed=False)


def with_table(net: Any, table: str, entries: list[dict[str, float]]) -> None:
    """Give all rows of a table of transformers or shunts the entries of one table of positions."""
    if not THREE:
        pytest.skip("version 3 has tables by position")
    import pandas as pd

    flag, name = (
        ("step_dependency_table", "shunt_characteristic_table")
        if table == "shunt"
        else ("tap_dependency_table", "trafo_characteristic_table")
    )
    net[table][flag] = True
    net[table]["id_characteristic_table"] = pd.Series(0, index=net[table].index, dtype="Int64")
    net[name] = pd.DataFrame([{"id_characteristic": 0} | entry for entry in entries])


TAPS = [
    {
        "step": step,
        "voltage_ratio": 1 + 0.03 * step,
        "angle_deg": 5.0 * step,
        "vk_percent": 6 - step,
        "vkr_percent": 1.4,
    }
    for step in (0, 1, 2)
]


@feature
def table_of_taps_on_the_high_side(net: Any) -> None:
    net.trafo["tap_pos"], net.trafo["tap_side"] = 2, "hv"
    with_table(net, "trafo", TAPS)


@feature
def table_of_taps_on_the_low_side(net: Any) -> None:
    net.trafo["tap_pos"], net.trafo["tap_side"], net.trafo["tap_changer_type"] = 1, "lv", "Tabular"
    with_table(net, "trafo", TAPS)


@feature
def table_of_steps_of_a_shunt(net: Any) -> None:
    pandapower.create_shunt(net, 3, q_mvar=-9.0, p_mw=0.0, vn_kv=0.42, step=2, max_step=3)
    with_table(net, "shunt", [{"step": step, "q_mvar": -0.01 * step**2, "p_mw": 0.001} for step in (1, 2, 3)])


TAPS_OF_THREE = [
    {"step": step, "voltage_ratio": 1 + 0.02 * step, "angle_deg": 0.0}
    | {f"vk_{side}_percent": 10.5 - step for side in ("hv", "mv", "lv")}
    | {f"vkr_{side}_percent": 0.3 for side in ("hv", "mv", "lv")}
    for step in (0, 1, 2)
]


@feature
def three_windings_with_a_table_of_taps(net: Any) -> None:
    with_three_windings(net, tap_pos=2, tap_side="mv")
    with_table(net, "trafo3w", TAPS_OF_THREE)


@feature
def three_windings_with_a_table_of_taps_at_the_star(net: Any) -> None:
    with_three_windings(net, tap_pos=2, tap_side="hv", tap_at_star_point=True, tap_step_degree=0.0)
    with_table(net, "trafo3w", TAPS_OF_THREE)


@feature
def symmetrical_phase_shifter(net: Any) -> None:
    tapped(net, "Symmetrical", tap_pos=2, tap_step_percent=3.0, tap_step_degree=90.0)


@feature
def ideal_phase_shifter_in_percent(net: Any) -> None:
    tapped(net, "Ideal", tap_pos=2, tap_step_percent=3.0, tap_step_degree=0.0)


@feature
def table_named_without_being_used(net: Any) -> None:
    if not THREE:
        pytest.skip("version 3 has it")
    tapped(net, "Tabular", tap_pos=2)


@feature
def two_tap_changers(net: Any) -> None:
    if not THREE:
        pytest.skip("version 3 has it")
    tapped(net, "Ratio", tap_pos=2)
    for key, value in {
        "tap2_changer_type": "Ratio", "tap2_pos": -1, "tap2_neutral": 0, "tap2_side": "lv", "tap2_step_percent": 2.0,
        "tap2_step_degree": 0.0, "tap2_min": -2, "tap2_max": 2,
    }.items():  # fmt: skip
        net.trafo[key] = value


SECOND: dict[str, dict[str, Any]] = {
    "on the same side": {"tap2_side": "hv"},
    "on the other side": {},
    "away from its neutral": {"tap2_neutral": 1, "tap2_pos": 2},
    "symmetrical and turned": {"tap2_changer_type": "Symmetrical", "tap2_step_degree": 60.0},
    "turned on the same side": {"tap2_side": "hv", "tap2_step_degree": 90.0},
    "ideal, by angle": {"tap2_changer_type": "Ideal", "tap2_step_degree": 5.0, "tap2_step_percent": np.nan},
    "ideal, in percent": {"tap2_changer_type": "Ideal"},
    "without a type": {"tap2_changer_type": None},
    "without a neutral": {"tap2_neutral": np.nan},
    "without an angle": {"tap2_step_degree": np.nan},
    "where the first stands": {"tap_pos": 0},
    "without a first": {"tap_changer_type": None, "tap_pos": np.nan, "tap_side": None},
    "with the first at the star point": {"tap_at_star_point": True},
}
"""Second tap changers, as they differ from a plain one on the low side."""


@pytest.mark.skipif(not THREE, reason="version 3 has them")
@pytest.mark.parametrize("which", SECOND)
def test_a_second_tap_changer_counts_as_in_pandapower(which: str, tmp_path: Path) -> None:
    net = village()
    tapped(net, "Ratio", tap_pos=2)
    two_tap_changers(net)
    for key, value in SECOND[which].items():
        net.trafo[key] = value
    assert_same(net, tmp_path)


@pytest.mark.skipif(not THREE, reason="version 3 has them")
def test_a_second_tap_changer_beside_a_table_of_taps_counts_as_in_pandapower(tmp_path: Path) -> None:
    net = village()
    two_tap_changers(net)
    with_table(net, "trafo", TAPS)
    assert_same(net, tmp_path)


@pytest.mark.parametrize("name", FEATURES)
def test_every_feature_counts_as_in_pandapower(name: str, tmp_path: Path) -> None:
    net = village()
    FEATURES[name](net)
    assert_same(net, tmp_path)


def test_a_tap_can_be_applied_and_ignored(tmp_path: Path) -> None:
    net = village()
    tapped(net, "Ratio", tap_pos=2)
    pandapower.to_json(net, str(tmp_path / "with.json"))
    net.trafo["tap_pos"] = 0
    pandapower.to_json(net, str(tmp_path / "without.json"))
    with_tap, without = tmp_path / "with.json", tmp_path / "without.json"
    assert import_pandapower(with_tap, TapRule.IGNORE).state == import_pandapower(without).state
    assert import_pandapower(with_tap, TapRule.APPLY).state == import_pandapower(with_tap).state
    if THREE:
        net.trafo["tap_pos"], net.trafo["tap_changer_type"] = 2, None
        pandapower.to_json(net, str(tmp_path / "without_type.json"))
        typeless = tmp_path / "without_type.json"
        assert import_pandapower(typeless, TapRule.APPLY).state == import_pandapower(with_tap).state
        assert import_pandapower(typeless).state == import_pandapower(without).state
        assert any("tap_pos" in said for said in import_pandapower(typeless).report.messages)
