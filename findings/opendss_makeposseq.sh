#!/usr/bin/env bash
# OpenDSSDirect.py 0.9.4 (DSS C-API 0.14.5): `MakePosSeq` makes another circuit of a balanced one, and says nothing.
#
# The command "converts" a three-phase circuit into its positive-sequence equivalent. The circuits here are balanced, so
# that both must have the same losses. They do for a line, a load, a generator. They do not where
#
# 1. a line is open: afterwards it is closed, and feeds what it had cut off;
# 2. a line is given in other units of length than its line code: the length is taken as if in the code's units, so that
#    a mile counts as a kilometre, and 200 m as 200 km;
# 3. there is a PV system: it feeds in 40 kW, its inverter's rating, instead of the 30 kW of its panels.
# A line of one phase keeps its impedance while a third of its load goes through it: a third of its losses and drop.
#
# Seen (losses in kW, of all phases and after MakePosSeq):
#   plain 1.414 1.414 | open line 1.414 2.722 | 0.2 mi of a code per km 4.489 3.257 | one phase 1.564 1.463
#   power from the source with a PV system, kW: 30.35, then 20.15
# Exit status 0 while this is so, 1 when it changes.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check opendssdirect.py==0.9.4 numpy==2.2.6
"$place/env/bin/python" - <<'PY'
import sys

import opendssdirect as dss

BASE = """clear
new circuit.c basekv=.4 pu=1 bus1=a mvasc3=100000 mvasc1=100000
new linecode.k nphases=3 r1=.3 x1=.1 r0=1 x0=.3 c1=0 c0=0 units=km
new line.l bus1=a bus2=b linecode=k length=.2 units=km
new load.d bus1=b kv=.4 kw=60 kvar=0 vminpu=0"""
END = "set voltagebases=[.4]\ncalcvoltagebases\nset tolerance=1e-9\nsolve"
CASES = {
    "plain": "",
    "open line": "new line.o bus1=b bus2=c linecode=k length=.1 units=km\nnew load.o bus1=c kv=.4 kw=20 vminpu=0\n"
    "open line.o 1",
    "0.2 mi of a code per km": "new line.m bus1=a bus2=c linecode=k length=.2 units=mi\n"
    "new load.m bus1=c kv=.4 kw=60 vminpu=0",
    "one phase": "new line.m bus1=a.1 bus2=c.1 phases=1 r1=.3 x1=.1 r0=.3 x0=.1 c1=0 c0=0 length=.2 units=km\n"
    "new load.m bus1=c.1 phases=1 kv=.23 kw=10 vminpu=0",
    "PV system": "new pvsystem.p bus1=b kv=.4 kva=40 pmpp=30 irradiance=1",
}


def solved():
    dss.Solution.Solve()
    assert dss.Solution.Converged()
    return dss.Circuit.LineLosses()[0], -dss.Circuit.TotalPower()[0]


seen = {}
for name, more in CASES.items():
    for command in "\n".join((BASE, more, END)).splitlines():
        dss.Text.Command(command)
    whole = solved()
    dss.Text.Command("makeposseq")
    seen[name] = (*whole, *solved())
    print(f"{name}: losses {whole[0]:.3f} kW, then {seen[name][2]:.3f}; from the source {whole[1]:.2f} kW, then {seen[name][3]:.2f}")
differs = {name: abs(after / before - 1) > 0.01 for name, (before, _, after, _) in seen.items()}
same = differs == {"plain": False, "open line": True, "0.2 mi of a code per km": True, "one phase": True, "PV system": True}
sys.exit(0 if same and abs(seen["PV system"][3] - 20.15) < 0.01 else 1)
PY
