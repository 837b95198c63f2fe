#!/usr/bin/env bash
# pandapower 2.14.10 and 3.5.6: a tap at the star point of a three-winding transformer without `tap_step_degree`.
#
# create_transformer3w_from_parameters leaves tap_step_degree empty unless told, and the same call without
# tap_at_star_point=True counts an empty one as 0 degrees. At the star point it does not: version 2 moves the voltage
# the wrong way, version 3 not at all, without a word. With 0 written out both count the tap.
#
# Seen, tap 2 of 2.5 % at the medium-voltage side (voltage there in pu; empty, then 0 written out):
# at the terminals 1.0500, 1.0500 in both versions; at the star point .9523, 1.0526 by 2.14.10 and 1.0000, 1.0500 by
# 3.5.6.
# Exit status 0 while this is so, 1 when it changes.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
for version in 2.14.10 3.5.6; do
    python3 -m venv "$place/$version"
    "$place/$version/bin/pip" install --quiet --disable-pip-version-check "pandapower==$version" 'pandas<3'
    "$place/$version/bin/python" - <<'PY'
import sys
import warnings

warnings.simplefilter("ignore")
import pandapower

CHANGER = {"tap_changer_type": "Ratio"} if pandapower.__version__ >= "3" else {}
EXPECTED = {
    "2.14.10": [[1.05, 1.05], [0.9523, 1.0526]],
    "3.5.6": [[1.05, 1.05], [1.0, 1.05]],
}


def medium_voltage_pu(at_star_point, **degrees):
    net = pandapower.create_empty_network()
    high, medium, low = (pandapower.create_bus(net, kv) for kv in (110.0, 20.0, 10.0))
    pandapower.create_ext_grid(net, high)
    pandapower.create_transformer3w_from_parameters(
        net, high, medium, low, 110.0, 20.0, 10.0, 40.0, 25.0, 15.0, 10.0, 11.0, 12.0, 0.3, 0.3, 0.3, 10.0, 0.1,
        tap_side="mv", tap_neutral=0, tap_step_percent=2.5, tap_pos=2, tap_at_star_point=at_star_point,
        **degrees, **CHANGER,
    )
    pandapower.create_load(net, medium, p_mw=0.001)
    pandapower.runpp(net, numba=False)
    return round(float(net.res_bus.vm_pu.loc[medium]), 4)


seen = [[medium_voltage_pu(star), medium_voltage_pu(star, tap_step_degree=0.0)] for star in (False, True)]
print(pandapower.__version__, "terminals (empty, 0):", seen[0], "star point (empty, 0):", seen[1])
sys.exit(0 if seen == EXPECTED[pandapower.__version__] else 1)
PY
done
