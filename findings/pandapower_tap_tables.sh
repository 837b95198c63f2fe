#!/usr/bin/env bash
# pandapower 3.5.6: transformers that share a table of taps all stand at the last one's position.
#
# With `tap_dependency_table`, a transformer's ratio and impedance come from the rows of `trafo_characteristic_table`
# that its `id_characteristic_table` names, by its `tap_pos`. Two transformers of one type name the same rows. The values
# are looked up by the number of the table alone: of two positions the last overwrites the first.
#
# Seen (voltages in pu behind two equal transformers with equal loads, each on its own):
#   at 2: .94595, at -2: 1.04687; both in one network, at 2 and -2: .94595 and .94595, in either order
# Exit status 0 while this is so, 1 when it changes.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check pandapower==3.5.6 "pandas<3" numpy==2.2.6
"$place/env/bin/python" -W ignore - <<'PY'
import logging
import sys

import pandapower as pp
import pandas as pd

logging.disable(logging.CRITICAL)


def voltages(*positions):
    net = pp.create_empty_network()
    grid = pp.create_bus(net, 20.0)
    pp.create_ext_grid(net, grid)
    for _ in positions:
        bus = pp.create_bus(net, 0.4)
        pp.create_transformer(net, grid, bus, "0.25 MVA 20/0.4 kV")
        pp.create_load(net, bus, 0.1)
    net.trafo["tap_pos"], net.trafo["tap_side"] = list(positions), "hv"
    net.trafo["tap_dependency_table"] = True
    net.trafo["id_characteristic_table"] = pd.Series(0, index=net.trafo.index, dtype="Int64")
    net["trafo_characteristic_table"] = pd.DataFrame(
        {
            "id_characteristic": 0, "step": step, "voltage_ratio": 1 + 0.025 * step, "angle_deg": 0.0,
            "vk_percent": 6.0, "vkr_percent": 1.44,
        }
        for step in (-2, -1, 0, 1, 2)
    )
    pp.runpp(net)
    return [round(float(v), 5) for v in net.res_bus.vm_pu[1:]]


alone = voltages(2) + voltages(-2)
together = [voltages(2, -2), voltages(-2, 2)]
print(f"each alone, at 2 and -2: {alone}; in one network: {together[0]}, in the other order: {together[1]}")
sys.exit(0 if alone[1] - alone[0] > 0.05 and all(max(pair) - min(pair) < 1e-4 for pair in together) else 1)
PY
