"""Which network a scenario names while it is read: one of ours, or one in a file of its own."""

from pathlib import Path
from typing import Any, Final

from meanwatt.model.scenario.feeder_file import read_feeder_file
from meanwatt.model.scenario.files import TomlTable

FEEDER: Final = "feeder"
"""Key of the table."""


def from_folder(table: TomlTable, folder: Path) -> None:
    """Take the feeder file that a scenario's table names from the folder of the scenario's file."""
    feeder = table.get(FEEDER)
    if isinstance(feeder, dict) and isinstance(feeder.get("file"), str):
        feeder["file"] = str((folder / feeder["file"]).absolute())


def without_network(base: TomlTable, change: TomlTable) -> TomlTable:
    """A scenario's table without the network in whose place one that extends it names another."""
    old, new = base.get(FEEDER), change.get(FEEDER)
    if not (isinstance(old, dict) and isinstance(new, dict) and ("name" in new or "file" in new)):
        return base
    return {**base, FEEDER: {key: value for key, value in old.items() if key not in ("name", "file", "sha256")}}


def set_network(feeder: dict[str, Any], key: str) -> None:
    """After one key of the table has been set by itself: a file stands in the place of a name, and the reverse."""
    if key == "file":
        feeder["name"] = feeder["sha256"] = None
        if isinstance(feeder["file"], str):
            feeder["file"] = str(Path(feeder["file"]).absolute())
    elif key == "name":
        feeder["file"] = feeder["sha256"] = None


def with_digest(table: TomlTable) -> TomlTable:
    """The same table with the digest of its feeder's file, which is read and checked; ``ValueError`` in one line."""
    feeder = table.get(FEEDER)
    if not isinstance(feeder, dict) or not isinstance(feeder.get("file"), str) or feeder.get("name") is not None:
        return table
    digest = read_feeder_file(feeder["file"])[1]
    if feeder.get("sha256") not in (None, digest):
        raise ValueError(
            f"feeder.sha256 is not that of {feeder['file']}, which begins with {digest[:8]}; mend it or leave it out"
        )
    return {**table, FEEDER: {**feeder, "sha256": digest}}
