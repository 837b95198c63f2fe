"""Monthly statements as one Parquet file that grows month by month: a row for each household and month."""

import shutil
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.market.credit_sums import STOCKS
from meanwatt.model.market.market_centre import MarketCentre
from meanwatt.model.market.statement import USE_PARTS, MonthStatement, statement_columns

FILE: Final = "statements.parquet"
ROWS: Final = 131_072
"""Rows that are turned into a table at once."""


class StatementFile:
    """Writes every household's months, beside a result's directory, which the file is moved to.

    What is left of it goes with this object, or with the process.

    Parameters
    ----------
    directory
        Where the result goes to; free.
    components
        Names of the tariff's components.
    several
        Whether several tariffs may be posted: charges that the first one has not are in a column ``other_usd``.

    Attributes
    ----------
    path
        Of the file, which is there once a month is written.
    months
        How many are written.
    sums
        Column → sum over all rows of the kWh and USD, but for what waits at a month's end. [kWh], [USD]
    """

    def __init__(self, directory: str | Path, components: Sequence[str], *, several: bool = False) -> None:
        above = Path(directory).absolute().parent
        while not above.exists():
            above = above.parent
        scratch = Path(tempfile.mkdtemp(prefix=f".{Path(directory).name}-statements-", dir=above))
        weakref.finalize(self, shutil.rmtree, scratch, ignore_errors=True)
        self.path = scratch / FILE
        self.months = self.rows = 0
        self.sums: dict[str, float] = {}
        self.periods: tuple[str, ...] = ()
        self._components, self._several = tuple(components), several
        self._names: tuple[str, ...] = ()
        self._writer: Any = None

    def write(self, statement: MonthStatement, market: MarketCentre) -> None:
        """Append a month."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        calendar = market.economy.scenario.calendar
        tariff = market.utility.tariff
        year = calendar.year if calendar is not None else None
        if not self._names:
            self._names = (*USE_PARTS, *_standing(tariff), *self._components)
        columns = statement_columns(statement, market.household_types, tariff, self._names, year)
        if self._several:
            columns["other_usd"] = columns["total_usd"] - sum(columns[f"{name}_usd"] for name in self._names)
        for name, values in columns.items():
            if name not in STOCKS and (name.endswith(("_usd", "_kwh")) or "_kwh_" in name):
                self.sums[name] = self.sums.get(name, 0.0) + float(np.nansum(values))
        rows = len(columns["household"])
        for first in range(0, rows, ROWS):
            part = {name: pa.array(values[first : first + ROWS]) for name, values in columns.items()}
            table = pa.table(part)
            if self._writer is None:
                self._writer = pq.ParquetWriter(self.path, table.schema, compression="zstd")
            self._writer.write_table(table)
        self.months, self.rows, self.periods = self.months + 1, self.rows + rows, statement.periods

    def close(self) -> None:
        """End the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _standing(tariff: Tariff) -> list[str]:
    """Names of the standing charges of all classes."""
    return list(tariff.standing_parts_usd_per_day(tariff.payer_charge_usd_per_day, ()))
