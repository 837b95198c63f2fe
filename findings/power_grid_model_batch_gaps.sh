#!/usr/bin/env bash
# power-grid-model 1.12.110: two gaps in a batch of loads that look like results.
#
# 1. A scenario without a solution keeps whatever its rows held in memory: not NaN, no flag in the output; with
#    continue_on_batch_error only `model.batch_error.failed_scenarios` tells. A mean or a minimum over the batch takes
#    the numbers as voltages.
# 2. NaN in an update means "not updated": a gap in a load profile silently becomes the base load of the input data.
#
# Seen (the numbers of the failed rows differ from run to run):
#   voltage at 10 kW 0.993705, failed rows 6.9e-310 (once 2.0e-234), failed_scenarios [1, …, 8]
#   a gap in the profile solves as the base load: 0.993705 = 0.993705, batch_error None
# Exit status 0 while this is so, 1 when it changes.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check power-grid-model==1.12.110 numpy==2.2.6
"$place/env/bin/python" - <<'PY'
import sys

import numpy as np
from power_grid_model import CalculationMethod, ComponentType, DatasetType, LoadGenType, PowerGridModel, initialize_array


def table(component, **columns):
    rows = initialize_array(DatasetType.input, component, len(columns["id"]))
    for name, values in columns.items():
        rows[name] = values
    return rows


BASE_W = 10e3  # one load at the end of a low-voltage line
model = PowerGridModel(
    {
        ComponentType.node: table(ComponentType.node, id=[1, 2], u_rated=[400.0, 400.0]),
        ComponentType.line: table(
            ComponentType.line, id=[3], from_node=[1], to_node=[2], from_status=[1], to_status=[1],
            r1=[0.1], x1=[0.05], c1=[0.0], tan1=[0.0],
        ),
        ComponentType.source: table(ComponentType.source, id=[4], node=[1], status=[1], u_ref=[1.0], sk=[1e18]),
        ComponentType.sym_load: table(
            ComponentType.sym_load, id=[5], node=[2], status=[1], type=[int(LoadGenType.const_power)],
            p_specified=[BASE_W], q_specified=[0.0],
        ),
    }
)


def voltages(loads_w):
    update = initialize_array(DatasetType.update, ComponentType.sym_load, (len(loads_w), 1))
    update["id"] = 5
    update["p_specified"] = np.array(loads_w)[:, None]
    result = model.calculate_power_flow(
        update_data={ComponentType.sym_load: update},
        continue_on_batch_error=True,
        calculation_method=CalculationMethod.newton_raphson,
        output_component_types=[ComponentType.node],
    )
    return result[ComponentType.node]["u_pu"][:, 1], model.batch_error


# more than the line can carry (400 V squared over 4 R is 400 kW): no voltage solves it
pu, error = voltages([BASE_W, *[900e3] * 8, BASE_W])
failed = pu[1:9]
print(f"voltage at 10 kW {pu[0]:.6f}, failed rows {failed}, failed_scenarios {error.failed_scenarios.tolist()}")
silent = not np.isnan(failed).all() and error.failed_scenarios.tolist() == list(range(1, 9))

pu, error = voltages([BASE_W, np.nan, 2 * BASE_W])
print(f"a gap in the profile solves as the base load: {pu[1]:.6f} = {pu[0]:.6f}, batch_error {error}")
filled = pu[1] == pu[0] != pu[2] and error is None

sys.exit(0 if silent and filled else 1)
PY
