"""The meters of a simulated market as a file: a row for each household and interval, for ``impacts --meters``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.market_centre import MarketCentre
from meanwatt.model.market.meter_year import HOURS, WallClock, clock_messages, wall_clock
from meanwatt.model.progress.machine import require_room
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.messages import Messages

FILE: Final = "meters.parquet"
FORMAT: Final = "meters_format.toml"
TOGETHER: Final = 64
"""Households whose rows are written at once."""
LAYOUT: Final = """\
# The layout of meters.parquet: meanwatt impacts A B --meters meters.parquet --format meters_format.toml
[format]
customer = "household"
time = "start"
label = "start"
minutes = {minutes}
unit = "kWh"
net = "net_kwh"
stamps = "offset"
zone = "{zone}"
begin = "{year}-01"
income = "income"
technology = "technology"
income_usd_per_year = "income_usd_per_year"
"""


class MeterRecorder:
    """Keeps the meters of every day.

    Parameters
    ----------
    economy
        Whose market it is.
    households, days
        How many.

    Raises
    ------
    ValueError
        In one line, if they do not fit into memory, or the scenario's time zone does not fit its slots.
    """

    def __init__(self, economy: Economy, households: int, days: int) -> None:
        require_room(4.0 * households * days * economy.slots, f"the meters of {counted(days, 'day')}", "fewer of them")
        self._economy, self._days = economy, 0
        self._net_kwh: npt.NDArray[np.float32] = np.zeros((households, days * economy.slots), dtype=np.float32)
        calendar = economy.scenario.calendar
        self._year = None if calendar is None else calendar.year
        self._zone = None if calendar is None else calendar.time_zone
        self._clock: WallClock | None = None
        if self._year is not None and self._zone is not None:
            self._clock = wall_clock(self._year, self._zone, economy.slots)

    def add(self, market: MarketCentre) -> None:
        """Read the meters of the day that is settled."""
        assert isinstance(market, ProsumerMarket)
        slots = self._economy.slots
        self._net_kwh[:, self._days * slots : (self._days + 1) * slots] = market.population.energy_kwh
        self._days += 1

    @property
    def whole_year(self) -> bool:
        """Whether the days are exactly those of a calendar year in a time zone, so that they have stamps."""
        return self._clock is not None and self._days * self._economy.slots == 1 + int(self._clock.source.max())

    @property
    def messages(self) -> Messages:
        """What is to be said of the clock."""
        if self._clock is None or self._year is None or self._zone is None:
            return ()
        if not self.whole_year:
            return (f"The meters are {counted(self._days, 'day')}, no whole year: they are written without stamps.",)
        return clock_messages(self._clock, self._year, self._zone, self._economy.slots)

    def write(self, folder: Path, counts: Sequence[int]) -> list[Path]:
        """Write the meters of so many households of each type, and their layout where they have stamps.

        Returns
        -------
        list
            The files.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        types = self._economy.types
        of_type = np.repeat(np.arange(len(types)), counts)
        clock = self._clock if self.whole_year else None
        rows = self._days * self._economy.slots if clock is None else len(clock.source)
        when: dict[str, Any] = {"interval": pa.array(np.arange(rows))}
        if clock is not None:
            when = {"start": pa.array(clock.starts).cast(pa.timestamp("s", tz="UTC"))}
        files, writer = [folder / FILE], None
        for first in range(0, len(of_type), TOGETHER):
            ids = np.arange(first, min(first + TOGETHER, len(of_type)))
            net = self._net_kwh[ids, : self._days * self._economy.slots]
            net = net if clock is None else clock.read(net)
            own = [types[k] for k in of_type[ids]]
            repeated = {
                "household": ids,
                "income": np.array([one.income_group for one in own]),
                "technology": np.array([one.technology for one in own]),
                "income_usd_per_year": np.array([one.income_usd_per_year for one in own]),
            }
            ((name, stamps),) = when.items()
            table = pa.table(
                {
                    **{key: pa.array(np.repeat(values, rows)) for key, values in repeated.items()},
                    name: pa.concat_arrays([stamps] * len(ids)),
                    "net_kwh": pa.array(net.ravel()),
                }
            )
            writer = writer or pq.ParquetWriter(files[0], table.schema, compression="zstd")
            writer.write_table(table)
        if writer is not None:
            writer.close()
        if clock is not None:
            minutes = 60 * HOURS // self._economy.slots
            text = LAYOUT.format(minutes=minutes, zone=self._zone, year=self._year)
            files.append(folder / FORMAT)
            files[1].write_text(text, encoding="utf-8")
        return files
