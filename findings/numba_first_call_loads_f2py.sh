#!/usr/bin/env bash
# numba 0.68.1 with numpy 2.4.6 and scipy 1.17.1: the first compiled function of any kind, x + 1 too, imports scipy.linalg
# if scipy is installed, and with it numpy.f2py, the translator of Fortran: numba asks on the way whether there is a BLAS,
# and the array layer that scipy.linalg imports touches every name of numpy, the lazily loaded ones included.
#
# Importing numba alone loads neither. A program that keeps its compiled code and only loads it pays all the same, at every
# start. Without scipy the same function compiles and runs, and numpy.f2py is not loaded.
# Exit status 0 while this is so, 1 when it changes.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cat > "$place/look.py" <<'PY'
import sys

import numba

before = [name for name in ("scipy.linalg", "numpy.f2py") if name in sys.modules]
assert numba.njit(lambda x: x + 1)(1) == 2
after = [name for name in ("scipy.linalg", "numpy.f2py") if name in sys.modules]
print(f"after importing numba {before}, after compiling x + 1 {after}")
sys.exit((before, after) != ([], sys.argv[1].split()))
PY
for wanted in "" "scipy.linalg numpy.f2py"; do
    python3 -m venv --clear "$place/env"
    "$place/env/bin/pip" install --quiet --disable-pip-version-check numba==0.68.1 numpy==2.4.6 \
        ${wanted:+scipy==1.17.1}
    "$place/env/bin/python" "$place/look.py" "$wanted"
done
