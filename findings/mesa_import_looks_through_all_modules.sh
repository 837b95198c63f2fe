#!/usr/bin/env bash
# Mesa 3.3.1: what `import mesa` costs grows with the number of modules that the process has loaded before.
#
# At import, mesa.mesa_logging asks inspect.stack() and inspect.getouterframes() who imports it. For every frame of the
# stack, the import system's own included, inspect looks for the module of a file among all of sys.modules. Seen: from 0.1
# s of processor time of Mesa's own at the start of a process to more than 1 s behind Numba, SciPy and Solara, on one
# machine. Counted here, so that the clock does not matter: Python function calls during the import, behind 0 and behind
# 1,500 further modules. Import Mesa first.
# Exit status 0 while this is so, 1 when it changes.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check mesa==3.3.1 numpy==2.4.6 pandas==3.1.1 scipy==1.17.0
cat >"$place/count.py" <<'PYTHON'
import cProfile
import pstats
import sys
import types

import numpy, pandas, scipy.spatial, tqdm  # what Mesa imports, so that only its own part is counted

for number in range(int(sys.argv[1])):
    module = types.ModuleType(f"other_{number}")
    module.__file__ = f"/nowhere/other_{number}.py"
    sys.modules[module.__name__] = module
profile = cProfile.Profile()
profile.enable()
import mesa  # noqa: E402

profile.disable()
print(pstats.Stats(profile).total_calls)
PYTHON
"$place/env/bin/python" "$place/count.py" 0 >/dev/null # so that bytecode is there
few=$("$place/env/bin/python" "$place/count.py" 0)
many=$("$place/env/bin/python" "$place/count.py" 1500)
echo "mesa 3.3.1: $few function calls to import it behind its own dependencies, $many behind 1,500 modules more"
[ "$((many - few))" -gt 100000 ]
