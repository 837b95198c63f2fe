"""Our own file of many customers' readings: Parquet that says in itself how it is laid out.

``meanwatt import households --readings`` writes it; ``impacts --meters`` and ``bill --load`` read it without a format.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.model.billing.meter_format import MeterFileError, MeterFormat, checked_meter_format
from meanwatt.model.billing.readings import Readings, ReadingsError
from meanwatt.model.scenario.files import FileError, require_regular
from meanwatt.model.scenario.nearest import unknown

KEY: Final = b"meanwatt.format"
"""Where the Parquet file's own metadata hold the format, as JSON."""
CUSTOMER: Final = "customer"
MOST_TEXT: Final = 100_000


def format_within(path: Path) -> MeterFormat | None:
    """The format that a Parquet file of ours says of itself; None where there is none.

    Raises
    ------
    MeterFileError
        In one line, if it says one that cannot be used.
    """
    from pyarrow import ArrowException
    from pyarrow.parquet import read_metadata

    if path.suffix.lower() != ".parquet":
        return None
    try:
        require_regular(path)
        text = (read_metadata(path).metadata or {}).get(KEY)
    except (FileError, ArrowException, OSError):  # told by whoever reads the rows
        return None
    if text is None:
        return None
    return checked_meter_format(lambda: _table(text), f"the format within {path}")


def _table(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text[:MOST_TEXT])
    except (ValueError, RecursionError):
        raise ValueError("is no JSON") from None
    if not isinstance(found, dict):
        raise ValueError("is no table")
    return found


def format_of(path: Path, chosen: MeterFormat | None) -> MeterFormat:
    """The format of a meter file: that of ``--format``, or the file's own with the choices of ``--format``.

    Raises
    ------
    MeterFileError
        In one line, if neither says how the file is laid out.
    """
    if chosen is not None and chosen.format is not None:
        return chosen
    own = format_within(path)
    if own is None and chosen is None:
        raise MeterFileError("--meters needs --format FILE.toml, which says how the file is laid out")
    if own is None:
        raise MeterFileError("--meters needs a table [format] in the file of --format; see docs/how_to/impacts.md")
    return own if chosen is None else chosen.model_copy(update={"format": own.format})


def customer_readings(path: str, name: str | None) -> tuple[Readings, Readings | None, str]:
    """Read one customer's load and generation over the twelve months of the file.

    Parameters
    ----------
    name
        The customer.

    Returns
    -------
    load, generation
        At instants in UTC; no generation where there is none above 0. [kWh]
    zone
        Time zone that the customers live in.

    Raises
    ------
    ReadingsError
        In one line: the file is none of ours, or has no such customer.
    """
    from pyarrow import ArrowException

    label = f"--load {path}"
    try:
        layout = format_within(Path(path))
        if layout is None or layout.format is None:
            raise FileError(
                "says nothing of its format; give a CSV file, or one that meanwatt import households --readings wrote"
            )
        if name is None:
            raise FileError("holds many customers; name one with --customer")
        columns = _rows_of(Path(path), name)
    except (FileError, ArrowException, OSError, KeyError) as error:
        raise ReadingsError(f"{label}: {str(error).partition(chr(10))[0]}") from None
    form = layout.format
    minute = columns["start"]
    order = np.argsort(minute, kind="stable")
    if form.begin is not None:
        order = order[_within_year(minute[order], form.begin, form.zone)]
    if not len(order):
        raise ReadingsError(f"{label}: customer {name} has no reading in the twelve months from {form.begin} on")
    stamps = tuple(datetime.fromtimestamp(60 * int(one), UTC) for one in minute[order])
    reading, generation = (None if form.use is None else columns[form.use]), None
    if form.generation is not None:
        generation = columns[form.generation]
    if reading is None:
        net = columns[form.net or ""]
        reading = net + generation if generation is not None else np.maximum(net, 0.0)
        generation = generation if generation is not None else np.maximum(-net, 0.0)
    if generation is not None and not (generation > 0).any():
        generation = None
    made = [
        None if values is None else Readings(label=f"{label} ({name})", values=values[order], stamps=stamps)
        for values in (reading, generation)
    ]
    assert made[0] is not None
    return made[0], made[1], form.zone


def _rows_of(path: Path, name: str) -> dict[str, Any]:
    """Columns of one customer: start [minutes since 1970 in UTC], and the others as numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(path, filters=[(CUSTOMER, "=", name)])
    if not table.num_rows:
        with pq.ParquetFile(path) as file:
            known = {
                one for batch in file.iter_batches(columns=[CUSTOMER]) for one in pc.unique(batch.column(0)).to_pylist()
            }
        raise FileError(unknown("customer", name, sorted(str(one) for one in known)))
    found: dict[str, Any] = {
        "start": table["start"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy() // 60_000_000
    }
    for column in table.column_names:
        if pa.types.is_floating(table[column].type):
            found[column] = _numbers(table[column])
    return found


def _numbers(column: Any) -> Floats:
    return np.asarray(np.nan_to_num(np.asarray(column.to_numpy(), dtype=float)))


def _within_year(minute: Ints, begin: str, zone: str) -> Any:
    """Which minutes lie in the twelve months."""
    from zoneinfo import ZoneInfo

    year, month = (int(part) for part in begin.split("-"))
    first, end = (int(datetime(one, month, 1, tzinfo=ZoneInfo(zone)).timestamp()) // 60 for one in (year, year + 1))
    return (minute >= first) & (minute < end)
