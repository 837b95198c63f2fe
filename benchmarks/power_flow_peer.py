"""A year of power flows with pandapower and lightsim2grid, in an environment of their own. Imports nothing of ours.

    python power_flow_peer.py make NET FOLDER SLOTS            # the net and its loads, for everybody
    python power_flow_peer.py run NET FOLDER PANDAPOWER_STEPS  # prints one JSON object

NET is ``case33bw`` or ``european_lv`` (the IEEE European low voltage feeder of 906 buses that pandapower carries, at
the evening peak, its phases summed up). FOLDER holds ``net.json`` and ``loads.npz``: active and reactive power (slot,
load).
"""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandapower
import pandas as pd
from pandapower import networks
from pandapower.control import ConstControl
from pandapower.timeseries import DFData, OutputWriter, run_timeseries

TOLERANCE_MVA = 1e-9
"""Of pandapower; at its default, 1e-8, voltages of 900 buses under small loads are 1e-6 pu off."""
SETTLE_STEPS = 3
"""Steps of pandapower before its clock starts: they compile."""


def make(name: str, folder: Path, slots: int) -> None:
    """Write the net and its loads."""
    net = networks.case33bw() if name == "case33bw" else networks.ieee_european_lv_asymmetric("on_peak_566")
    for _, row in net.asymmetric_load.iterrows():
        drawn = {
            "p_mw": row.p_a_mw + row.p_b_mw + row.p_c_mw,
            "q_mvar": row.q_a_mvar + row.q_b_mvar + row.q_c_mvar,
        }
        pandapower.create_load(net, row.bus, **drawn)
    net.asymmetric_load = net.asymmetric_load.iloc[:0]
    net.bus["name"] = [f"bus{index}" for index in net.bus.index]
    share = np.random.default_rng(1).uniform(0.2, 1.2, (slots, len(net.load)))
    p_mw, q_mvar = share * net.load.p_mw.to_numpy(), share * net.load.q_mvar.to_numpy()
    pandapower.to_json(net, str(folder / "net.json"))
    np.savez(
        folder / "loads.npz", p_mw=p_mw, q_mvar=q_mvar, bus=net.load.bus.to_numpy(), buses=net.bus.index.to_numpy()
    )


def by_pandapower(
    net: pandapower.pandapowerNet, p_mw: np.ndarray, q_mvar: np.ndarray, steps: int
) -> tuple[float, np.ndarray]:
    """Processor seconds a step, and voltages (step, bus)."""
    names = list(net.load.index)
    for variable, values in (("p_mw", p_mw), ("q_mvar", q_mvar)):
        source = DFData(pd.DataFrame(values[:steps], columns=names))
        ConstControl(net, "load", variable, element_index=names, profile_name=names, data_source=source)
    wanted = [("res_bus", "vm_pu"), ("res_line", "loading_percent")]
    OutputWriter(net, time_steps=range(steps), output_path=None, log_variables=wanted)
    run_timeseries(net, time_steps=range(SETTLE_STEPS), numba=True, verbose=False)
    writer = OutputWriter(net, time_steps=range(steps), output_path=None, log_variables=wanted)
    began = time.process_time()
    run_timeseries(net, time_steps=range(steps), numba=True, verbose=False, tolerance_mva=TOLERANCE_MVA)
    seconds = (time.process_time() - began) / steps
    table = next(values for key, values in writer.output.items() if "vm_pu" in str(key))
    return seconds, np.asarray(table, dtype=float)


def by_lightsim2grid(
    net: pandapower.pandapowerNet, p_mw: np.ndarray, q_mvar: np.ndarray
) -> tuple[float, float, np.ndarray]:
    """Processor seconds a step, for voltages alone and with the currents of branches; and voltages (step, bus)."""
    from lightsim2grid.network import init_from_pandapower
    from lightsim2grid.timeSerie import TimeSeriesCPP

    pandapower.runpp(net)
    model = init_from_pandapower(net)
    series = TimeSeriesCPP(model)
    steps, buses = len(p_mw), len(net.bus)
    generation = np.zeros((steps, len(model.get_generators())))
    static = np.zeros((steps, len(model.get_static_generators())))
    start = np.full(buses, net.ext_grid.vm_pu.iloc[0], dtype=complex)
    seconds, whole = [], []
    for _ in range(2):
        began = time.process_time()
        status = series.compute_Vs(generation, static, p_mw, q_mvar, start, 20, 1e-8)
        seconds.append((time.process_time() - began) / steps)
        if status != 1:
            raise RuntimeError("lightsim2grid did not solve every step")
        series.compute_flows()
        whole.append((time.process_time() - began) / steps)
    return min(seconds), min(whole), np.abs(series.get_voltages())


def run(folder: Path, steps: int) -> dict:
    """Run both; their voltages go into the folder."""
    net = pandapower.from_json(str(folder / "net.json"))
    loads = np.load(folder / "loads.npz")
    p_mw, q_mvar = np.ascontiguousarray(loads["p_mw"]), np.ascontiguousarray(loads["q_mvar"])
    found = {name: version(name) for name in ("pandapower", "lightsim2grid", "numba", "numpy")}
    voltages, whole, voltage = by_lightsim2grid(net, p_mw, q_mvar)
    found["lightsim2grid_seconds"], found["lightsim2grid_with_currents_seconds"] = voltages, whole
    np.save(folder / "lightsim2grid.npy", voltage)
    seconds, voltage = by_pandapower(net, p_mw, q_mvar, steps)
    found["pandapower_seconds"], found["pandapower_steps"] = seconds, steps
    np.save(folder / "pandapower.npy", voltage)
    return found


if __name__ == "__main__":
    task, net_name, place, number = sys.argv[1:]
    if task == "make":
        make(net_name, Path(place), int(number))
    else:
        sys.stdout.write(json.dumps(run(Path(place), int(number))) + "\n")
