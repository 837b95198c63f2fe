#!/usr/bin/env bash
# Solara 1.64.1 with Matplotlib 3.11.2: inside a Solara server, matplotlib.rc_context puts nothing back.
#
# Solara gives every visitor settings of his own: once its server is imported beside Matplotlib, rcParams keeps its
# entries in a dictionary by visitor, no longer in itself. rc_context of Matplotlib 3.11 ends with
# rcParams._update_raw, which writes into rcParams itself (dict.update), where nobody looks any more. So what a `with`
# block sets stays for ever, here the way in which SVG files hold letters. Without Solara the same lines put everything
# back.
# Exit status 0 while this is so, 1 when it changes.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check solara-server==1.64.1 solara-ui==1.64.1 \
  starlette uvicorn matplotlib==3.11.2
cat >"$place/settings.py" <<'PYTHON'
import sys

import matplotlib

if sys.argv[1] == "server":
    import solara.server.app
    from solara.server import patch

    patch.patch_heavy_imports()  # what the server does once Matplotlib is loaded
with matplotlib.rc_context({"svg.fonttype": "none"}):
    pass
print(matplotlib.rcParams["svg.fonttype"])
PYTHON
alone=$("$place/env/bin/python" "$place/settings.py" alone)
server=$("$place/env/bin/python" "$place/settings.py" server)
echo "matplotlib 3.11.2: svg.fonttype after the block: $alone; with solara 1.64.1's server: $server"
[ "$alone" = path ] && [ "$server" = none ]
