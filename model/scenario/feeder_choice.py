"""Which network a scenario names while it is read: one of ours, or one in a file of its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from meanwatt.model.scenario.feeder_file import read_feeder_file
from meanwatt.model.scenario.files import TomlTable
from meanwatt.model.scenario.residents_file import residents_digest
from meanwatt.model.scenario.residents_table import MIXED

FEEDER: Final = "feeder"
"""Key of the table."""
RESIDENTS: Final = "residents"
"""Key of the table in it that says who lives where."""


def from_folder(table: TomlTable, folder: Path) -> None:
    """Take the files that a scenario's table of the feeder names from the folder of the scenario's file."""
    feeder = table.get(FEEDER)
    residents = feeder.get(RESIDENTS) if isinstance(feeder, dict) else None
    for named in (feeder, residents):
        if isinstance(named, dict) and isinstance(named.get("file"), str):
            named["file"] = str((folder / named["file"]).absolute())


def without_network(base: TomlTable, change: TomlTable) -> TomlTable:
    """A scenario's table without the network, or the residents, in whose place one that extends it names others."""
    old, new = base.get(FEEDER), change.get(FEEDER)
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return base
    if "name" in new or "file" in new:
        old = {key: value for key, value in old.items() if key not in ("name", "file", "sha256")}
    theirs, own = old.get(RESIDENTS), new.get(RESIDENTS)
    if isinstance(theirs, dict) and isinstance(own, dict):
        replaced = ("file", "sha256", *(("incomes", "adoption") if "file" in own else ()))
        if own.keys() & {"file", "incomes", "adoption"}:
            old = {**old, RESIDENTS: {key: value for key, value in theirs.items() if key not in replaced}}
    return {**base, FEEDER: old}


def set_beside(table: Any, parts: Sequence[str]) -> None:
    """After a key has been set by itself, in the table it lies in: make way for a network or residents in a file."""
    if parts[0] == FEEDER and len(parts) == 2:
        _set_network(table, parts[1])
    elif list(parts[:2]) == [FEEDER, RESIDENTS] and len(parts) == 3:
        _set_residents(table, parts[2])


def _set_network(feeder: dict[str, Any], key: str) -> None:
    """After one key of the table has been set by itself: a file stands in the place of a name, and the reverse."""
    if key == "file":
        feeder["name"] = feeder["sha256"] = None
        if isinstance(feeder["file"], str):
            feeder["file"] = str(Path(feeder["file"]).absolute())
    elif key == "name":
        feeder["file"] = feeder["sha256"] = None


def _set_residents(residents: dict[str, Any], key: str) -> None:
    """After one key of the table of residents has been set by itself: a file stands in the place of a pattern."""
    if key == "file":
        residents |= {"incomes": MIXED, "adoption": MIXED, "sha256": None}
        if isinstance(residents["file"], str):
            residents["file"] = str(Path(residents["file"]).absolute())
    elif key in ("incomes", "adoption"):
        residents["file"] = residents["sha256"] = None


def with_digest(table: TomlTable) -> TomlTable:
    """The same table with the digests of its feeder's files, which are read; ``ValueError`` in one line."""
    feeder = table.get(FEEDER)
    if not isinstance(feeder, dict):
        return table
    feeder = dict(feeder)
    if isinstance(feeder.get("file"), str) and feeder.get("name") is None:
        feeder["sha256"] = _checked(feeder, FEEDER, read_feeder_file(feeder["file"])[1])
    residents = feeder.get(RESIDENTS)
    if isinstance(residents, dict) and isinstance(residents.get("file"), str):
        digest = residents_digest(residents["file"])
        feeder[RESIDENTS] = {**residents, "sha256": _checked(residents, f"{FEEDER}.{RESIDENTS}", digest)}
    return {**table, FEEDER: feeder}


def _checked(table: TomlTable, key: str, digest: str) -> str:
    """The digest of a table's file; ``ValueError`` if the table states another."""
    if table.get("sha256") not in (None, digest):
        raise ValueError(
            f"{key}.sha256 is not that of {table['file']}, which begins with {digest[:8]}; mend it or leave it out"
        )
    return digest
