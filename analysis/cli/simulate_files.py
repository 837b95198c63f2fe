"""Files that ``meanwatt simulate --out`` writes while the days go by: statements, and meters if they are asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from meanwatt.analysis.feeder_map.day_map import DayMap
    from meanwatt.analysis.output.meter_file import MeterRecorder
    from meanwatt.analysis.output.statement_file import StatementFile
    from meanwatt.model.market.market_centre import MarketCentre
    from meanwatt.model.market.statement import MonthStatement
    from meanwatt.model.mean_field.components.solving import Composed
    from meanwatt.model.network.feeder import Feeder
    from meanwatt.model.scenario.economy import Economy
    from meanwatt.model.scenario.messages import Messages


def require_meters(asked: bool, out: str | None, processes: int) -> None:
    """Raise ``ValueError`` in one line unless every meter can be written, where that is asked for."""
    if asked and out is None:
        raise ValueError("--meters needs --out DIR, where they are written")
    if asked and processes:
        raise ValueError("--meters and --workers are both given; meters lie in several processes, leave --workers out")


def require_map(file: str | None) -> None:
    """Raise ``ValueError`` in one line unless a map can be written, where one is asked for."""
    if file is not None:
        from meanwatt.analysis.output.result_files import require_free_file

        require_free_file("--geojson", file)


@dataclass(slots=True, eq=False)
class DayMapFile:
    """The map of a market's last day; it is written when the run has ended.

    Attributes
    ----------
    file
        Where to.
    found, day_type, days
        What the latest day shows, which one it was, and how many there have been.
    """

    file: str
    found: "DayMap | None" = None
    feeder: "Feeder | None" = None
    day_type: str = ""
    days: int = field(default=0)

    def add(self, market: "MarketCentre") -> None:
        """Take in a day."""
        from meanwatt.analysis.feeder_map.day_map import map_of_day

        record, grid = market.history[-1], market.power_flow
        self.days += 1
        if record.grid is not None and grid is not None:
            self.feeder, self.day_type = market.feeder, record.day_type
            self.found = map_of_day(market.feeder, record.grid, grid)

    def write(self, economy: "Economy") -> None:
        """Write the file, where a day was lived."""
        from meanwatt.analysis.feeder_map.day_map import day_geojson
        from meanwatt.analysis.output.result_files import staged_file
        from meanwatt.analysis.output.strict_json import dumps

        if self.found is None or self.feeder is None:
            return
        about = {
            "scenario": economy.scenario.name,
            "day": self.days,
            "day_type": self.day_type,
            "slot_hours": economy.slot_hours,
        }
        with staged_file(self.file) as stage:
            stage.write_text(dumps(day_geojson(self.feeder, self.found, about)) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GrowingFiles:
    """Statements, meters and a map while the days go by; None where they are not kept."""

    statements: "StatementFile | None"
    recorder: "MeterRecorder | None"
    map: DayMapFile | None = None

    @property
    def write(self) -> "Callable[[MonthStatement, MarketCentre], None] | None":
        """Takes in a month of statements."""
        return None if self.statements is None else self.statements.write

    @property
    def reads(self) -> "Callable[[MarketCentre], None] | None":
        """Takes in a day of meters, and its map."""
        asked = [one.add for one in (self.recorder, self.map) if one is not None]
        if not asked:
            return None

        def read(market: "MarketCentre") -> None:
            for add in asked:
                add(market)

        return read

    def end_map(self, economy: "Economy") -> None:
        """Write the map, if one is asked for."""
        if self.map is not None:
            self.map.write(economy)

    @property
    def messages(self) -> "Messages":
        """What is to be said of the meters."""
        return () if self.recorder is None else self.recorder.messages

    def statements_json(self) -> dict[str, Any] | None:
        """What the file of statements holds; None where none are kept."""
        kept = self.statements
        if kept is None:
            return None
        return {
            "file": kept.path.name if kept.months else None,
            "rows": kept.rows,
            "months": kept.months,
            "periods": list(kept.periods),
            "sums": kept.sums,
        }

    def end(self, households: Sequence[int]) -> "dict[str, Path]":
        """End the files of so many households of each type; return them by name."""
        if self.statements is None:
            return {}
        self.statements.close()
        if not self.statements.months:
            return {}
        files = [self.statements.path]
        if self.recorder is not None:
            files += self.recorder.write(self.statements.path.parent, households)
        return {path.name: path for path in files}


def growing_files(
    out: str | None,
    economy: "Economy",
    size: dict[str, int],
    composed: "Composed | None",
    *,
    several: bool,
    meters: bool,
) -> GrowingFiles:
    """Begin the files of a result.

    Parameters
    ----------
    out
        Directory of the result; None for no files.
    several
        Whether several tariffs may be posted.
    meters
        Whether every meter is asked for.
    """
    if out is None:
        return GrowingFiles(statements=None, recorder=None)
    from meanwatt.analysis.output.meter_file import MeterRecorder
    from meanwatt.analysis.output.statement_file import StatementFile

    components = [] if composed is None else list(composed.amounts.usd_per_day)
    recorder = MeterRecorder(economy, size["households"], size["days"]) if meters else None
    return GrowingFiles(statements=StatementFile(out, components, several=several), recorder=recorder)
