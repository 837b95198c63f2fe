"""Power flow by phase on the IEEE European low-voltage feeder: ``uv run python benchmarks/phases.py NET.json``.

NET.json is the copy that pandapower brings, saved by pandapower itself:
``python -c "import pandapower as p; p.to_json(p.networks.ieee_european_lv_asymmetric(), 'NET.json')"``. One process and
thread: a day of 24 slots, balanced and by phase, and pandapower's own ``runpp_3ph`` where it is installed.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from meanwatt.model.network.pandapower_net.importer import import_pandapower
from meanwatt.model.network.phase_flow import PhaseFlow
from meanwatt.model.network.power_flow import PowerFlow


def least_seconds(work: Any, repeats: int = 5) -> float:
    """Least time of a few runs. [s]"""
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("net", type=Path)
    parser.add_argument("--slots", type=int, default=24)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    feeder = import_pandapower(given.net, phases=True).feeder
    assert feeder.phases is not None
    shape = np.random.default_rng(0).uniform(0.2, 1.0, (given.slots, len(feeder.buses)))
    p_kw, q_kvar = feeder.p_kw * shape, feeder.q_kvar * shape
    share = feeder.phases.customers / np.maximum(feeder.phases.customers.sum(axis=1), 1)[:, None]
    by_phase = [values[..., None] * share for values in (p_kw, q_kvar)]
    balanced, flow = PowerFlow(feeder, slots=given.slots), PhaseFlow(feeder)
    found = flow.solve(*by_phase)
    result: dict[str, Any] = {
        "buses": len(feeder.buses),
        "homes": int(feeder.customers.sum()),
        "slots": given.slots,
        "converged": bool(found.converged.all()),
        "largest_unbalance_percent": float(np.nanmax(found.unbalance_percent)),
        "balanced_ms_a_slot": 1e3 * least_seconds(lambda: balanced.solve(p_kw, q_kvar)) / given.slots,
        "by_phase_ms_a_slot": 1e3 * least_seconds(lambda: flow.solve(*by_phase)) / given.slots,
        "make_ready_ms": 1e3 * least_seconds(lambda: PhaseFlow(feeder), repeats=3),
    }
    try:
        import pandapower
    except ImportError:
        result["runpp_3ph_ms_a_slot"] = None
    else:
        net = pandapower.from_json(str(given.net))
        pandapower.runpp_3ph(net)
        result["runpp_3ph_ms_a_slot"] = 1e3 * least_seconds(lambda: pandapower.runpp_3ph(net), repeats=3)
    if given.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}")


if __name__ == "__main__":
    main()
