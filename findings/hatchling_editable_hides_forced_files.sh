#!/usr/bin/env bash
# hatchling 1.31.0: a folder that `force-include` puts inside a package is importable from the wheel, and not from an
# editable install of the same project. The editable wheel holds a copy of the folder and a .pth file; Python finds the
# package through the .pth, where the folder is missing, so the copy beside it is never looked at.
#
# Nothing warns: building and installing succeed. `sources` with `dev-mode-dirs` builds the same wheel and leaves no copy.
# Exit status 0 while this is so, 1 when it changes.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
mkdir -p "$place/project/house" "$place/project/rooms"
touch "$place/project/house/__init__.py"
echo 'SIZE = 1' >"$place/project/rooms/__init__.py"
cat >"$place/project/pyproject.toml" <<'TOML'
[build-system]
requires = ["hatchling==1.31.0"]
build-backend = "hatchling.build"
[project]
name = "house"
version = "1"
[tool.hatch.build.targets.wheel]
packages = ["house"]
[tool.hatch.build.targets.wheel.force-include]
"rooms" = "house/rooms"
TOML
ended() { "$place/env/bin/python" -I -c 'import house.rooms; print(house.rooms.SIZE)' >/dev/null 2>&1 && echo works || echo fails; }
for how in "" --editable; do
    python3 -m venv --clear "$place/env"
    "$place/env/bin/pip" install --quiet --disable-pip-version-check $how "$place/project"
    copies=$(find "$place/env" -path "*site-packages/house/rooms/__init__.py" | wc -l)
    echo "${how:-wheel}: import house.rooms $(ended), copies in site-packages: $copies"
    case "$how $(ended) $copies" in " works 1" | "--editable fails 1") ;; *) exit 1 ;; esac
done
