"""A network of pandapower written as a circuit of OpenDSS is imported with the state that pandapower finds."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from written_circuit import run_here

from meanwatt.model.network.opendss_circuit.importer import feeder_of_circuit
from meanwatt.model.network.pandapower_net.importer import import_pandapower

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pandapower = pytest.importorskip(
        "pandapower", reason="pandapower is not installed: `uv sync --group oracles --no-group dev`"
    )
    from pandapower import networks

pytestmark = pytest.mark.filterwarnings("ignore")  # pandapower's own


def circuit_of(net: Any) -> str:
    """The network as a circuit: lines with their charging, transformers without iron, loads at constant power."""
    grid = net.ext_grid.iloc[0]
    kv = net.bus.vn_kv
    text = [
        "clear",
        "set defaultbasefrequency=50",
        f"new circuit.net basekv={kv[grid.bus]!r} pu={grid.vm_pu!r} bus1=b{grid.bus} mvasc3=1e9 mvasc1=1e9",
    ]
    for index, row in net.line[net.line.in_service].iterrows():
        r, x = (float(row[f"{part}_ohm_per_km"]) * row.length_km / row.parallel for part in "rx")
        c = float(row.c_nf_per_km) * row.length_km * row.parallel
        amps = 1e3 * row.max_i_ka * row.df * row.parallel
        text.append(
            f"new line.l{index} bus1=b{row.from_bus} bus2=b{row.to_bus} r1={r!r} x1={x!r} r0={r!r} x0={x!r} c1={c!r}"
            f" c0={c!r} length=1 normamps={amps!r} basefreq=50"
        )
    for index, row in net.trafo[net.trafo.in_service].iterrows():
        r = float(row.vkr_percent)
        x = (float(row.vk_percent) ** 2 - r**2) ** 0.5
        text.append(
            f"new transformer.t{index} buses=(b{row.hv_bus} b{row.lv_bus}) conns=(delta wye) kvs=({row.vn_hv_kv!r}"
            f" {row.vn_lv_kv!r}) kvas=({1e3 * row.sn_mva!r} {1e3 * row.sn_mva!r}) xhl={x!r} %rs=({r / 2!r} {r / 2!r})"
            " ppm_antifloat=0"
        )
    for index, row in net.load[net.load.in_service].iterrows():
        p, q = 1e3 * row.scaling * row.p_mw, 1e3 * row.scaling * row.q_mvar
        text.append(f"new load.d{index} bus1=b{row.bus} kv={kv[row.bus]!r} kw={p!r} kvar={q!r}")
    bases = " ".join(repr(float(one)) for one in sorted(set(kv)))
    return "\n".join([*text, f"set voltagebases=[{bases}]", "calcvoltagebases", ""]).replace("np.float64", "")


def without_iron(net: Any) -> Any:
    net.trafo["pfe_kw"] = net.trafo["i0_percent"] = 0.0
    net.trafo["tap_pos"] = net.trafo["tap_neutral"]
    return net


NETS: dict[str, Callable[[], Any]] = {
    "baran_wu": networks.case33bw,
    "kerber_landnetz": lambda: without_iron(networks.create_kerber_landnetz_freileitung_1()),
    "kerber_dorf": lambda: without_iron(networks.create_kerber_dorfnetz()),
    "extreme_vorstadt": lambda: without_iron(networks.kb_extrem_vorstadtnetz_1()),
}


@pytest.mark.parametrize("name", NETS)
def test_one_network_in_two_languages_is_one_feeder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    net = NETS[name]()
    pandapower.runpp(net, tolerance_mva=1e-11, max_iteration=50)
    found = feeder_of_circuit(run_here(tmp_path, circuit_of(net)))
    state, voltage = found.state, net.res_bus.vm_pu.dropna()
    assert found.buses == len(voltage)
    np.testing.assert_allclose(state.min_voltage_pu, voltage.min(), rtol=0, atol=1e-8)
    np.testing.assert_allclose(state.max_voltage_pu, voltage.max(), rtol=0, atol=1e-8)
    loss_kw = 1e3 * sum(net[table].pl_mw.sum() for table in ("res_line", "res_trafo"))
    np.testing.assert_allclose(state.loss_kw, loss_kw, rtol=1e-6)
    if len(net.trafo):
        loading = net.res_trafo.loading_percent.max() / 100
        np.testing.assert_allclose(state.max_transformer_loading, loading, rtol=1e-6)
    np.testing.assert_allclose(state.max_line_loading, net.res_line.loading_percent.max() / 100, rtol=1e-6)
    pandapower.to_json(net, str(tmp_path / "net.json"))
    assert found.feeder.customers.sum() == import_pandapower(tmp_path / "net.json").feeder.customers.sum()
