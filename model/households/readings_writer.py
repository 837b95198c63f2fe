"""Write surveyed readings as a file of our own, part by part, in bounded memory."""

import json
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

import numpy as np

from meanwatt.model.billing.meter_format import FormatTable
from meanwatt.model.billing.meter_intervals import Intervals
from meanwatt.model.billing.readings_file import CUSTOMER, KEY
from meanwatt.model.households.homes import HomeColumns

USE, NET, GENERATION, VEHICLE = "use_kwh", "net_kwh", "generation_kwh", "vehicle_kwh"
_LOSSLESS: Final = "zstd"


class ReadingsWriter:
    """Writes readings: customer, start of the interval as an instant, kWh, and the home's group and income.

    Parameters
    ----------
    path
        Parquet file to write.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: Any = None

    def __enter__(self) -> Self:
        """Write parts until the end."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def write(self, part: Intervals, homes: HomeColumns) -> None:
        """Write the readings of some homes."""
        import pyarrow as pa
        from pyarrow.parquet import ParquetWriter

        names = pa.DictionaryArray.from_arrays(pa.array(part.code, pa.int32()), pa.array(part.names, pa.string()))
        groups = pa.DictionaryArray.from_arrays(pa.array(part.code, pa.int32()), pa.array(homes.groups, pa.string()))
        columns: dict[str, Any] = {
            CUSTOMER: names.cast(pa.string()),
            "start": pa.array(part.minute * 60_000_000, pa.timestamp("us", "UTC")),
        }
        if part.net_kwh is None:
            columns[USE] = part.load_kwh
        else:
            columns[NET] = part.net_kwh
        channels = {GENERATION: part.generation_kwh, VEHICLE: part.vehicle_kwh}
        columns |= {name: values for name, values in channels.items() if values is not None}
        columns["income"] = groups.cast(pa.string())
        income = homes.income_usd_per_year[part.code]
        columns["income_usd_per_year"] = pa.array(np.where(np.isfinite(income), income, np.nan), from_pandas=True)
        table = pa.table(columns)
        if self._file is None:
            self._file = ParquetWriter(self._path, table.schema, compression=_LOSSLESS)
        self._file.write_table(table)

    def say_format(self, form: FormatTable, homes: HomeColumns) -> str | None:
        """Write into the file how it is laid out; return the first of its twelve months, None where it has none."""
        begin = first_month(homes, form.zone)
        table: dict[str, Any] = {
            "customer": CUSTOMER,
            "time": "start",
            "label": "start",
            "minutes": form.minutes,
            "unit": "kWh",
            "stamps": "offset",
            "zone": form.zone,
            "income": "income",
            "net" if "net" in form.roles else "use": NET if "net" in form.roles else USE,
        }
        channels = {"generation": GENERATION, "vehicle": VEHICLE}
        table |= {role: name for role, name in channels.items() if role in form.roles}
        if np.isfinite(homes.income_usd_per_year[~homes.vacant]).all():
            table["income_usd_per_year"] = "income_usd_per_year"
        if begin is not None:
            table["begin"] = begin
        assert self._file is not None
        self._file.add_key_value_metadata({KEY: json.dumps({"format": table}).encode()})
        return begin


def first_month(homes: HomeColumns, zone: str) -> str | None:
    """First of the twelve whole months that most homes have readings of, the latest such; None if no home has them."""
    clock = ZoneInfo(zone)
    years = [datetime.fromtimestamp(60 * int(one), clock).year for one in (homes.first.min(), homes.end.max())]
    best, found = 0, None
    for number in range(years[0] * 12, (years[1] + 1) * 12):
        year, month = number // 12, number % 12 + 1
        begin, end = (datetime(one, month, 1, tzinfo=clock).timestamp() / 60 for one in (year, year + 1))
        whole = int(((homes.first <= begin) & (homes.end >= end)).sum())
        if whole and whole >= best:
            best, found = whole, f"{year:04d}-{month:02d}"
    return found
