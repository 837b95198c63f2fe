#!/usr/bin/env bash
# hatchling 1.31.0: a link to a folder, in a folder that comes earlier in the alphabet, leaves the folder out of the source
# distribution although `include` names it: the walk follows links and takes every folder once, under the name that it
# meets first (pypa/hatch#1197).
#
# Nothing warns; a wheel built from that source distribution lacks the package. `only-include` walks the named folders alone.
# Exit status 0 while this is so, 1 when it changes.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check hatchling==1.31.0
mkdir -p "$place/project/rooms" "$place/project/links"
touch "$place/project/rooms/__init__.py"
ln -s ../rooms "$place/project/links/rooms"
cd "$place/project"
for given in "include /rooms" "only-include rooms"; do
    read -r option name <<<"$given"
    cat >pyproject.toml <<TOML
[build-system]
requires = ["hatchling==1.31.0"]
build-backend = "hatchling.build"
[project]
name = "house"
version = "1"
[tool.hatch.build.targets.sdist]
$option = ["$name"]
TOML
    "$place/env/bin/python" -m hatchling build --target sdist >/dev/null 2>&1
    found=$(tar --list --gzip --file dist/house-1.tar.gz | grep --count /rooms/ || true)
    echo "$option = [\"$name\"]: files of the package in the source distribution: $found"
    case "$option $found" in "include 0" | "only-include 1") ;; *) exit 1 ;; esac
done
