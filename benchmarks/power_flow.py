"""A year of power flows beside pandapower's and lightsim2grid's time series, and what inverter curves cost.

One run, the same nets and loads for all, one thread each, processor time. The peers have an environment of their own,
which is made with venv and pip if it is not there:

    uv run python benchmarks/power_flow.py --peer-env DIR
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from meanwatt.analysis.year_flow.loads_file import BLOCK_ROWS
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.network.droop import solve_droop
from meanwatt.model.network.feeder import Feeder, build_feeder
from meanwatt.model.network.fixed_point import TOLERANCE_PU
from meanwatt.model.network.inverter_curves import InverterControl, Inverters, VoltWatt
from meanwatt.model.network.pandapower_net.importer import import_pandapower
from meanwatt.model.network.pandapower_net.transformers import TapRule
from meanwatt.model.network.power_flow import Method, PowerFlow
from meanwatt.model.scenario.economy import build_economy
from meanwatt.model.scenario.loading import load_scenario

PEERS: Final = ("pandapower==3.5.6", "lightsim2grid==1.2.0", "numba==0.68.1", "numpy==2.4.6", "pandas==2.3.3")
NETS: Final = {"case33bw": 2000.0, "european_lv": 200.0}
"""How many times pandapower is wanted to take."""
WANTED: Final = {"lightsim2grid": 5.0, "volt-watt": 4.0, "day": 2.0}
YEAR: Final = 8760
SAME_PU: Final = 1e-6
REPEATS: Final = 3
SIDE_BY_SIDE: Final = 20
"""Rounds in which power flows with and without volt-watt take turns, a few runs each."""


def fastest(task: Callable[[], Any]) -> tuple[float, Any]:
    """Least processor seconds of several runs, and what came of the last."""
    seconds, found = [], None
    for _ in range(REPEATS):
        began = time.process_time()
        found = task()
        seconds.append(time.process_time() - began)
    return min(seconds), found


def peer_python(folder: Path) -> Path:
    """Interpreter of the peers' environment, which is made if need be."""
    python = (folder / "bin" / "python").absolute()
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        print(f"installing {' '.join(PEERS)} into {folder}", file=sys.stderr)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
    return python


def ask_peer(python: Path, task: str, net: str, folder: Path, number: int) -> str:
    """Let the peers' script do a task; what it prints."""
    script = Path(__file__).with_name("power_flow_peer.py")
    command = [python, "-W", "ignore", script, task, net, folder, str(number)]
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    answer = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **threads})
    return answer.stdout


def year_of(feeder: Feeder, p_kw: Any, q_kvar: Any, method: Method) -> tuple[float, Any]:
    """Seconds a slot of a year in blocks, all results included, and the voltages."""
    flow = PowerFlow(feeder, method=method)
    flow.solve(p_kw[:BLOCK_ROWS], q_kvar[:BLOCK_ROWS])

    def whole() -> Any:
        blocks = range(0, len(p_kw), BLOCK_ROWS)
        return [flow.solve(p_kw[at : at + BLOCK_ROWS], q_kvar[at : at + BLOCK_ROWS]).voltage_pu for at in blocks]

    seconds, voltage = fastest(whole)
    return seconds / len(p_kw), np.concatenate(voltage)


def one_net(name: str, python: Path, steps: int) -> dict[str, Any]:
    """A year on one net, ours beside the peers'."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        ask_peer(python, "make", name, folder, YEAR)
        loads = np.load(folder / "loads.npz")
        feeder = import_pandapower(folder / "net.json", TapRule.FILE).feeder
        place = [feeder.index(f"bus{bus}") for bus in loads["bus"].tolist()]
        p_kw, q_kvar = np.zeros((2, YEAR, len(feeder.buses)))
        np.add.at(p_kw.T, place, 1e3 * loads["p_mw"].T)
        np.add.at(q_kvar.T, place, 1e3 * loads["q_mvar"].T)
        peer = json.loads(ask_peer(python, "run", name, folder, steps))
        shown = [feeder.index(f"bus{bus}") for bus in loads["buses"].tolist()]
        ours, voltage = year_of(feeder, p_kw, q_kvar, Method.SWEEP)
        referee, other = year_of(feeder, p_kw[:BLOCK_ROWS], q_kvar[:BLOCK_ROWS], Method.NEWTON_RAPHSON)
        apart = {
            "power-grid-model": float(np.abs(voltage[:BLOCK_ROWS] - other).max()),
            "lightsim2grid": float(np.abs(voltage[:, shown] - np.load(folder / "lightsim2grid.npy")).max()),
            "pandapower": float(np.abs(voltage[:steps, shown] - np.load(folder / "pandapower.npy")).max()),
        }
    return {
        "net": name,
        "buses": len(feeder.buses),
        "seconds": {
            "meanwatt": ours,
            "power-grid-model": referee,
            "lightsim2grid": peer["lightsim2grid_seconds"],
            "lightsim2grid, currents": peer["lightsim2grid_with_currents_seconds"],
            "pandapower": peer["pandapower_seconds"],
        },
        "apart_pu": apart,
        "wanted": {"pandapower": NETS[name], "lightsim2grid": WANTED["lightsim2grid"]},
        "versions": {key: peer[key] for key in ("pandapower", "lightsim2grid", "numba", "numpy")},
    }


def volt_watt() -> dict[str, Any]:
    """Power flows with and without volt-watt where the sun is strong: one group of inverters at every bus with load."""
    feeder, rng, slots = build_feeder("baran_wu_33", peak_reference_kw=1.4), np.random.default_rng(0), BLOCK_ROWS
    bus = np.flatnonzero(feeder.p_kw > 0)
    rated = 4 * feeder.p_kw[bus]
    sun = rng.uniform(0, 1, (slots, 1)) * rated
    use = feeder.p_kw * rng.uniform(0.2, 1, (slots, 1))
    p_kw, q_kvar = use.copy(), use * feeder.kvar_per_kw
    p_kw[:, bus] -= sun
    units = Inverters(bus=bus, rated_kw=rated, available_kw=sun, can_charge=np.zeros(len(bus), dtype=bool))
    flow, control = PowerFlow(feeder), InverterControl(volt_watt=VoltWatt())
    solve_droop(flow, p_kw, q_kvar, units, control)
    turns = [(lambda: flow.solve(p_kw, q_kvar)), (lambda: solve_droop(flow, p_kw, q_kvar, units, control))]
    rounds = [[fastest(turn) for turn in turns] for _ in range(SIDE_BY_SIDE)]  # milliseconds: one after the other
    without, seconds = (min(one[k][0] for one in rounds) for k in range(2))
    found = rounds[-1][1][1]
    assert found.solved.all()
    return {
        "without": without / slots,
        "with": seconds / slots,
        "ratio": seconds / without,
        "residual_pu": float(found.residual_pu.max()),
        "slots_that_act": float((found.output_kw < sun).any(axis=1).mean()),
    }


def market_day(households: int, days: int) -> dict[str, Any]:
    """Days of a market with volt-watt and without, in turns."""
    markets = []
    for enabled in (False, True):
        changes = {"feeder.name": "baran_wu_33", "pv_share_scale": 3.0, "pv_scale": 6.0}
        changes |= {"feeder.volt_watt.enabled": enabled}
        economy = build_economy(load_scenario("oahu", overrides=changes, tariff="filed"))
        markets.append(ProsumerMarket(economy, households=households, behaviour="passive", rng=3))
    seconds = np.zeros((days + 1, 2))
    for day in range(days + 1):
        for number, market in enumerate(markets):
            began = time.process_time()
            market.step()
            seconds[day, number] = time.process_time() - began
    lived = seconds[1:]  # the first day compiles
    held = [record.grid.inverters.held_kw for record in markets[1].history if record.grid and record.grid.inverters]
    for market in markets:
        market.close()
    return {
        "households": households,
        "median": np.median(lived, axis=0).tolist(),
        "ratio": float(np.median(lived[:, 1]) / np.median(lived[:, 0])),
        "days_that_hold_back": int(sum(bool(day.any()) for day in held[1:])),
        "days": days,
    }


def report(found: dict[str, Any]) -> None:
    """Print everything for people."""
    print(f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}, {found['nets'][0]['versions']}")
    for net in found["nets"]:
        print(
            f"\n{net['net']}, {net['buses']} buses, {YEAR:,} slots: µs of processor time a slot, over ours, apart in pu"
        )
        ours = net["seconds"]["meanwatt"]
        for name, seconds in net["seconds"].items():
            wanted = f"  wanted {net['wanted'][name]:,.0f} ×" if name in net["wanted"] else ""
            apart = f"{net['apart_pu'][name]:.0e}" if name in net["apart_pu"] else ""
            print(f"  {name:24} {1e6 * seconds:10,.2f} {seconds / ours:10,.1f} ×  {apart:>6}{wanted}")
    droop, day = found["volt_watt"], found["day"]
    print(
        f"\nvolt-watt on 33 buses: {1e6 * droop['with']:.2f} µs a slot, {1e6 * droop['without']:.2f} without:"
        f" {droop['ratio']:.2f} ×, wanted {WANTED['volt-watt']:g}; residual {droop['residual_pu']:.0e} pu,"
        f" it acts in {droop['slots_that_act']:.0%} of the slots"
    )
    print(
        f"a day of {day['households']:,} households on 33 buses: {1e3 * day['median'][1]:.1f} ms with volt-watt,"
        f" {1e3 * day['median'][0]:.1f} without: {day['ratio']:.2f} ×, wanted {WANTED['day']:g};"
        f" it held back on {day['days_that_hold_back']} of {day['days']} days"
    )


def main() -> int:
    """Measure, print, and say by the exit status whether all agree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-env", type=Path, required=True, help="environment of pandapower and lightsim2grid")
    parser.add_argument("--steps", type=int, default=200, help="steps of pandapower, which takes a minute for a year")
    parser.add_argument("--households", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    python = peer_python(given.peer_env)
    found = {
        "nets": [one_net(name, python, given.steps) for name in NETS],
        "volt_watt": volt_watt(),
        "day": market_day(given.households, given.days),
    }
    if given.json:
        print(json.dumps(found))
    else:
        report(found)
    apart = max(value for net in found["nets"] for value in net["apart_pu"].values())
    return 0 if apart <= SAME_PU and found["volt_watt"]["residual_pu"] <= TOLERANCE_PU else 1


if __name__ == "__main__":
    sys.exit(main())
