"""The tables of a network that pandapower 2 or 3 has saved as JSON.

The file is an object whose ``_object`` holds tables and numbers by name. A table is an object with ``_class``
"DataFrame" whose ``_object`` is a text: again JSON, with ``columns``, ``index`` and ``data`` (``orient`` "split").
Names of modules and classes in the file are compared with nothing but these words, and never imported. Learnt from
files that pandapower 2.14.10 and 3.5.6 wrote.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeGuard

from meanwatt.model.scenario.files import FileError, read_text

MOST_BYTES: Final = 256 * 2**20
"""Largest network that is read: SimBench's with a year of profiles take 20 MB. [bytes]"""
MOST_ROWS: Final = 100_000
"""Most rows of a table that is read."""
LARGEST: Final = 1e12
"""Largest number of a row; a reactance of a million megohm is a slip."""
WANTED: Final = "a network saved by pandapower as JSON"
ADVICE: Final = "save the network with pandapower.to_json(net, FILE)"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table."""

    table: str
    index: int
    values: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.table} {self.index}"

    def has(self, key: str) -> bool:
        """Whether there is a value at all."""
        value = self.values.get(key)
        return value is not None and not (isinstance(value, float) and math.isnan(value))

    def number(self, key: str, default: float | None = None) -> float:
        """A finite number; the default where there is none."""
        if not self.has(key):
            if default is None:
                raise FileError(f"{self} has no {key}; give a number")
            return default
        value = self.values[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST:
            raise FileError(f"{self} has {key} {_shown(value)}; give a number")
        return float(value)

    def positive(self, key: str, default: float | None = None) -> float:
        """A number above 0."""
        value = self.number(key, default)
        if value <= 0:
            raise FileError(f"{self} has {key} {value:g}; give a positive number")
        return value

    def whole(self, key: str) -> int:
        """A whole number, as of a bus."""
        value = self.number(key)
        if value != int(value):
            raise FileError(f"{self} has {key} {value:g}; give a whole number")
        return int(value)

    def flag(self, key: str, default: bool = True) -> bool:
        """Yes or no."""
        value = self.values[key] if self.has(key) else default
        if value not in (True, False):
            raise FileError(f"{self} has {key} {_shown(value)}; give true or false")
        return bool(value)

    def word(self, key: str) -> str:
        """A text; empty where there is none."""
        return str(self.values[key]) if self.has(key) else ""


class Net:
    """A network as its file says it.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    FileError
        In one line without the file's name, if it holds no network of pandapower 2 or 3.
    """

    def __init__(self, path: Path) -> None:
        content = _parsed(read_text(path, WANTED, MOST_BYTES), "the file")
        entries = content.get("_object", content) if isinstance(content, dict) else None
        if isinstance(entries, str):
            entries = _parsed(entries, "_object")
        if not isinstance(entries, dict) or not {"bus", "ext_grid"} <= entries.keys():
            raise FileError(f"holds no tables bus and ext_grid; {ADVICE}")
        self._entries: dict[str, Any] = entries
        self._tables: dict[str, list[Row]] = {}
        self._columns: dict[str, frozenset[str]] = {}
        version = str(self._entries.get("format_version") or self._entries.get("version") or "2")
        if version.partition(".")[0] in ("0", "1"):
            raise FileError(f"was saved by pandapower {version[:20]}; open it in pandapower 2 or 3 and save it again")
        self.f_hz = self._scalar("f_hz", 50.0)
        name = self._entries.get("name")
        self.name = name if isinstance(name, str) else ""

    def __iter__(self) -> Iterator[str]:
        """Names of the tables of elements that have rows; results and what belongs to no element are left out."""
        for name, entry in self._entries.items():
            if not name.startswith(("res_", "_")) and name not in BESIDE and _is_table(entry) and self.rows(name):
                yield name

    def rows(self, name: str) -> list[Row]:
        """Rows of a table in the order of the file; none where there is no such table."""
        if name not in self._tables:
            entry = self._entries.get(name)
            self._tables[name], self._columns[name] = _rows(name, entry) if _is_table(entry) else ([], frozenset[str]())
        return self._tables[name]

    def has_column(self, name: str, column: str) -> bool:
        """Whether a table has a column."""
        self.rows(name)
        return column in self._columns[name]

    def _scalar(self, name: str, default: float) -> float:
        value = self._entries.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise FileError(f"{name} is {_shown(value)}; give a positive number")
        return float(value)


BESIDE: Final = frozenset(
    {
        "bus_geodata", "line_geodata", "bus_dc_geodata", "line_dc_geodata", "measurement", "pwl_cost", "poly_cost",
        "characteristic", "trafo_characteristic_table", "shunt_characteristic_table", "q_capability_characteristic",
        "q_capability_curve_table", "loadcases", "profiles", "studycases", "substation", "bus_voltage_levels", "group",
        "nodes", "coordinates", "station_transformers", "user_pf_options", "OPF_converged",
    }
)  # fmt: skip
"""Tables that hold no element of the network."""


def _is_table(entry: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(entry, dict) and entry.get("_class") == "DataFrame"


def _rows(name: str, entry: dict[str, Any]) -> tuple[list[Row], frozenset[str]]:
    content = entry.get("_object")
    table = _parsed(content, f"table {name}") if isinstance(content, str) else content
    if entry.get("orient", "split") != "split" or not isinstance(table, dict):
        raise FileError(f"table {name} is not in the layout 'split'; {ADVICE}")
    columns, index, data = (table.get(part) for part in ("columns", "index", "data"))
    if not (isinstance(columns, list) and isinstance(index, list) and isinstance(data, list)):
        raise FileError(f"table {name} lacks columns, index or data; {ADVICE}")
    if len(data) > MOST_ROWS:
        raise FileError(f"table {name} has {len(data)} rows; at most {MOST_ROWS} are read")
    if len(index) != len(data) or any(not isinstance(row, list) or len(row) != len(columns) for row in data):
        raise FileError(f"table {name} has rows of differing length; {ADVICE}")
    names = [str(column) for column in columns]
    if any(isinstance(number, bool) or not isinstance(number, int) for number in index):
        raise FileError(f"table {name} has an index that is no whole number; {ADVICE}")
    if len(set(index)) < len(index):
        raise FileError(f"table {name} has an index twice; {ADVICE}")
    rows = [Row(name, number, dict(zip(names, row, strict=True))) for number, row in zip(index, data, strict=True)]
    return rows, frozenset(names)


def _parsed(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise FileError(f"{place} has lists or objects inside one another too deep; {ADVICE}") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise FileError(f"{place} is not valid JSON: {error.msg} in {where}; {ADVICE}") from None
    except ValueError as error:  # Python reads no whole number of more than some thousand digits
        raise FileError(f"{place} is not valid JSON: {str(error).partition(';')[0]}; {ADVICE}") from None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
