"""Tables by which a transformer's tap or a shunt's step has values of its own.

Such a row names its entries by ``id_characteristic_table``; the one with its own position counts. Two transformers may
share a table at different positions: each takes its own entry, where pandapower 3.5.6 gives both the last one's.
"""

from typing import Final

from meanwatt.model.network.pandapower_net.net_json import Net, Row
from meanwatt.model.scenario.files import FileError

FLAGS: Final = {"trafo": "tap_dependency_table", "trafo3w": "tap_dependency_table", "shunt": "step_dependency_table"}
"""Column that says whether a row of a table has such entries."""
POSITIONS: Final = {"trafo": "tap_pos", "trafo3w": "tap_pos", "shunt": "step"}
"""Column with the position."""
TABLES: Final = {
    "trafo": "trafo_characteristic_table",
    "trafo3w": "trafo_characteristic_table",
    "shunt": "shunt_characteristic_table",
}
"""Table with the entries."""


def has_entries(row: Row) -> bool:
    """Whether a row takes values from a table by its position."""
    return row.flag(FLAGS[row.table], default=False)


def entry(net: Net, row: Row) -> Row | None:
    """The values at a row's position; None if it has none, or the table lacks its position.

    Raises
    ------
    FileError
        If a row says that it has entries but not which.
    """
    if not has_entries(row):
        return None
    if not row.has("id_characteristic_table"):
        flag = FLAGS[row.table]
        raise FileError(f"{row} has {flag} true but no id_characteristic_table; give one, or set {flag} to false")
    if not row.has(POSITIONS[row.table]):
        return None
    place = (row.number("id_characteristic_table"), row.number(POSITIONS[row.table]))
    for one in net.rows(TABLES[row.table]):
        if (one.number("id_characteristic"), one.number("step")) == place:
            return one
    return None


def shared_positions(net: Net) -> str:
    """Name the transformers that share a table at different positions; empty without such."""
    by_table: dict[tuple[str, float], dict[float, list[str]]] = {}
    for name in ("trafo", "trafo3w"):
        for row in net.rows(name):
            if has_entries(row) and row.has("id_characteristic_table") and row.has("tap_pos"):
                there = by_table.setdefault((name, row.number("id_characteristic_table")), {})
                there.setdefault(row.number("tap_pos"), []).append(str(row))
    clashing = [
        ", ".join(one for group in rows.values() for one in group) for rows in by_table.values() if len(rows) > 1
    ]
    return "; ".join(clashing)


def lacks_entry(net: Net, row: Row) -> str:
    """What to say of a row whose table lacks its position; empty otherwise."""
    if not has_entries(row) or entry(net, row) is not None:
        return ""
    position = POSITIONS[row.table]
    return f"its table lacks its {position}, so the values of the row itself stand"
