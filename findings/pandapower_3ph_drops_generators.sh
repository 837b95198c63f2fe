#!/usr/bin/env bash
# pandapower 3.5.6: runpp_3ph leaves out generators without a type, in silence, and lists their power as a result.
#
# The power flow by phase sums loads and static generators whose column `type` is "wye" or "delta". create_sgen gives no
# type by default, and users write what it is ("PV"), so 20 kW of sun behind a street count in runpp and not in runpp_3ph.
# res_sgen_3ph says 20 kW all the same.
#
# Seen, 20 kW fed in where 10 kW are drawn: the source feeds in -10 kW by runpp, +10 kW by runpp_3ph, and -10 kW by
# runpp_3ph with type="wye" (and the losses).
# Exit status 0 while this is so, 1 when it changes.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check pandapower==3.5.6 'pandas<3'
"$place/env/bin/python" - <<'PY'
import sys
import warnings

warnings.simplefilter("ignore")
import pandapower


def fed_in_kw(solve, **values):
    net = pandapower.create_empty_network(f_hz=50.0)
    for _ in range(2):
        pandapower.create_bus(net, vn_kv=0.4)
    pandapower.create_ext_grid(net, 0, s_sc_max_mva=1e4, rx_max=0.1)
    net.ext_grid["x0x_max"], net.ext_grid["r0x0_max"] = 1.0, 0.1
    pandapower.create_line_from_parameters(
        net, 0, 1, 0.1, r_ohm_per_km=0.2, x_ohm_per_km=0.08, c_nf_per_km=0.0, max_i_ka=0.3,
        r0_ohm_per_km=0.8, x0_ohm_per_km=0.32, c0_nf_per_km=0.0,
    )
    pandapower.create_load(net, 1, p_mw=0.010)
    pandapower.create_sgen(net, 1, p_mw=0.020, **values)
    solve(net)
    if solve is pandapower.runpp:
        return 1e3 * float(net.res_ext_grid.p_mw.iloc[0]), 1e3 * float(net.res_sgen.p_mw.iloc[0])
    phases = net.res_ext_grid_3ph[["p_a_mw", "p_b_mw", "p_c_mw"]].to_numpy().sum()
    return 1e3 * float(phases), 1e3 * float(net.res_sgen_3ph.p_mw.iloc[0])


seen = []
for name, solve, values in (
    ("runpp", pandapower.runpp, {}),
    ("runpp_3ph", pandapower.runpp_3ph, {}),
    ("runpp_3ph, type wye", pandapower.runpp_3ph, {"type": "wye"}),
):
    source, listed = fed_in_kw(solve, **values)
    print(f"{name}: source {source:.2f} kW, generator listed with {listed:.1f} kW")
    seen.append((round(source), round(listed)))
sys.exit(0 if seen == [(-10, 20), (10, 20), (-10, 20)] else 1)
PY
