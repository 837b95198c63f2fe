#!/usr/bin/env bash
# pandapower 2.14.10 and 3.5.6: loads at one bus share one mean of their ZIP shares, not weighted by their power.
#
# A load may be partly of constant impedance. Where several loads stand at a bus, the power flow gives all of them the
# plain mean of their shares, whatever they draw: a load of no power that is added beside one of constant impedance
# halves its share, and the voltage falls. The table of results then applies each load its own share, so that loads
# and losses no longer add up to what the source delivers.
#
# Seen, 60 kW of constant impedance at the end of a 400 V line (voltage in pu; what the tables lack in kW of what the
# source delivers), the same in both versions: alone .9299, 0; beside three loads of 0 kW .9212, 6.8; beside a static
# generator of 20 kW .9522, 1.9, for its power varies, too; two loads of 30 kW, one of them of constant power, .9243, 0:
# equal powers, whose plain mean is the right one.
# Exit status 0 while this is so, 1 when it changes.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
for version in 2.14.10 3.5.6; do
    python3 -m venv "$place/$version"
    "$place/$version/bin/pip" install --quiet --disable-pip-version-check "pandapower==$version" 'pandas<3'
    "$place/$version/bin/python" - <<'PY'
import inspect
import sys
import warnings

warnings.simplefilter("ignore")
import pandapower

KEYS = set(inspect.signature(pandapower.create_load).parameters)
Z = ("const_z_percent",) if "const_z_percent" in KEYS else ("const_z_p_percent", "const_z_q_percent")


def solved(*loads, generator_kw=0):
    """Voltage at the loads, and what the source delivers beyond loads and losses of the tables. [pu, kW]"""
    net = pandapower.create_empty_network()
    source, end = pandapower.create_bus(net, 0.4), pandapower.create_bus(net, 0.4)
    pandapower.create_ext_grid(net, source)
    pandapower.create_line_from_parameters(net, source, end, 1.0, 0.2, 0.08, 0, 0.3)
    for kw, constant_impedance_percent in loads:
        pandapower.create_load(net, end, kw / 1e3, **dict.fromkeys(Z, constant_impedance_percent))
    if generator_kw:
        pandapower.create_sgen(net, end, generator_kw / 1e3)
    pandapower.runpp(net, numba=False)
    lacks = net.res_ext_grid.p_mw.sum() - net.res_line.pl_mw.sum() - net.res_load.p_mw.sum()
    lacks += net.res_sgen.p_mw.sum()
    return round(float(net.res_bus.vm_pu.loc[end]), 4), round(1e3 * float(lacks), 1) + 0.0


seen = [
    solved((60, 100)),
    solved((60, 100), (0, 0), (0, 0), (0, 0)),
    solved((60, 100), generator_kw=20),
    solved((30, 100), (30, 0)),
]
print(pandapower.__version__, seen)
sys.exit(0 if seen == [(0.9299, 0.0), (0.9212, 6.8), (0.9522, 1.9), (0.9243, 0.0)] else 1)
PY
done
