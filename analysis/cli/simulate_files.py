"""Files that ``meanwatt simulate --out`` writes while the days go by: statements, and meters if they are asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from meanwatt.analysis.output.meter_file import MeterRecorder
    from meanwatt.analysis.output.statement_file import StatementFile
    from meanwatt.model.market.market_centre import MarketCentre
    from meanwatt.model.market.statement import MonthStatement
    from meanwatt.model.mean_field.components.solving import Composed
    from meanwatt.model.scenario.economy import Economy
    from meanwatt.model.scenario.messages import Messages


def require_meters(asked: bool, out: str | None, processes: int) -> None:
    """Raise ``ValueError`` in one line unless every meter can be written, where that is asked for."""
    if asked and out is None:
        raise ValueError("--meters needs --out DIR, where they are written")
    if asked and processes:
        raise ValueError("--meters and --workers are both given; meters lie in several processes, leave --workers out")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GrowingFiles:
    """Statements and meters while the days go by; None where they are not kept."""

    statements: "StatementFile | None"
    recorder: "MeterRecorder | None"

    @property
    def write(self) -> "Callable[[MonthStatement, MarketCentre], None] | None":
        """Takes in a month of statements."""
        return None if self.statements is None else self.statements.write

    @property
    def read(self) -> "Callable[[MarketCentre], None] | None":
        """Takes in a day of meters."""
        return None if self.recorder is None else self.recorder.add

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
