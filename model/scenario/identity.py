"""What identifies a scenario in studies and journals that a later version may resume."""

from collections.abc import Mapping
from typing import Any

from meanwatt.model.scenario.marks import AddedLater
from meanwatt.model.scenario.tariff_file import ChargeTable, Table


def identifying_table(table: Table) -> dict[str, Any]:
    """Dump a table as plain values, without keys added later that have their defaults.

    Those are the keys marked `AddedLater`, and charges that charge nothing. So a hash of the dump stays what it was
    before the key existed, and what the dump leaves out is what reading it gives back.

    Parameters
    ----------
    table
        A scenario, or another table of a file.

    Returns
    -------
    dict
        Key → value as in ``table.model_dump(mode="json")``, in the same order.
    """
    return _without_additions(table, table.model_dump(mode="json"))


def _without_additions(table: Table, dumped: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of a table as they were dumped, in every table below it, too."""
    return {key: _entry(getattr(table, key), dumped[key]) for key in dumped if not _is_absent(table, key)}


def _entry(value: Any, dumped: Any) -> Any:
    if isinstance(value, Table):
        return _without_additions(value, dumped)
    if isinstance(value, Mapping) and any(isinstance(entry, Table) for entry in value.values()):
        return {key: _entry(entry, dumped[key]) for key, entry in value.items()}
    if isinstance(value, tuple) and value and all(isinstance(entry, Table) for entry in value):
        return [_entry(entry, row) for entry, row in zip(value, dumped, strict=True)]
    return dumped


def _is_absent(table: Table, key: str) -> bool:
    """Whether a key came later and says nothing."""
    field, value = type(table).model_fields[key], getattr(table, key)
    later = isinstance(value, ChargeTable) or any(isinstance(mark, AddedLater) for mark in field.metadata)
    return later and bool(value == field.get_default(call_default_factory=True))
