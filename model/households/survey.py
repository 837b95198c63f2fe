"""Read the files of household data once, a few homes at a time, and keep what checks and a scenario are made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.billing.meter_format import MINUTES_PER_DAY, FormatTable, MeterFileError
from meanwatt.model.billing.meter_intervals import MOST_ROWS, Grid, Intervals, customer_rows, read_intervals
from meanwatt.model.billing.meter_rows import Intake, column_names, fitted
from meanwatt.model.households.chance import Chance
from meanwatt.model.households.day_sums import DaySums, DayTable
from meanwatt.model.households.homes import HomeColumns, home_columns, read_homes
from meanwatt.model.households.hourly import by_hour
from meanwatt.model.households.tallies import Tallies
from meanwatt.model.households.zone_clock import transitions

OPTION: Final = "households"
"""What stands before a file's name in messages."""
BEGIN: Final = 1
END: Final = MINUTES_PER_DAY * 365 * 129
"""Until 2098, in minutes since 1970: what a stamp may say."""
MOST_GROUPS: Final = 50


class Writer(Protocol):
    """Takes the readings of each part."""

    def write(self, part: Intervals, homes: HomeColumns) -> None:
        """Write the readings of some homes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Survey:
    """What is kept of household data.

    Attributes
    ----------
    form
        The format that was read by, without optional columns that no file has.
    homes
        What is kept of each home, part by part.
    days
        Sums by group, date and hour over the homes that are not vacant.
    tallies, chance, intake
        See there.
    unread
        Columns of the first file that are not read.
    missing
        Optional keys of the format whose column is not there.
    """

    __repr__ = short_repr

    form: FormatTable
    homes: HomeColumns
    days: DayTable
    tallies: Tallies
    chance: Chance
    intake: Intake
    unread: tuple[str, ...]
    missing: tuple[str, ...]


def survey_households(
    files: Sequence[Path],
    layout: FormatTable,
    *,
    homes_file: Path | None = None,
    writer: Writer | None = None,
    told: Callable[[str, float], None] = lambda *_: None,
    check: Callable[[], None] = lambda: None,
) -> Survey:
    """Read files of one format.

    Parameters
    ----------
    homes_file
        A file with a row for each home, as in ``layout.homes``.
    told
        Told how many homes are read, and the share of the files that is.
    check
        Called between parts; whoever wants it to stop raises ``Cancelled``.

    Raises
    ------
    MeterFileError
        In one line: a file cannot be read, or holds nothing that can be used.
    """
    if homes_file is not None and layout.homes is None:
        raise MeterFileError("--homes: the format has no table homes, which names the columns of that file")
    beside = {} if homes_file is None or layout.homes is None else read_homes(homes_file, layout.homes)
    form = fitted(files[0], layout, OPTION)
    intake, tallies, chance, days = Intake(option=OPTION), Tallies(), Chance(), DaySums()
    parts: list[HomeColumns] = []
    seen: set[str] = set()
    groups: set[str] = set()
    phase = int(-transitions(form.zone)[1][-1]) % form.minutes
    grid = Grid(phase, BEGIN, END)
    count = 0
    for number, file in enumerate(files):
        if number and fitted(file, layout, OPTION) != form:
            raise MeterFileError(f"{OPTION} {file}: has other columns than {files[0]}; import them one by one")
        before = intake.rows
        intake.rows = 0
        for rows, names, share in customer_rows(file, form, intake, seen, MOST_ROWS):
            check()
            part = read_intervals(rows, names, form, intake, grid)
            if not len(part.code):
                continue
            hours = by_hour(part, form.minutes, form.zone)
            homes = home_columns(part, hours, form, beside)
            groups |= set(homes.groups)
            if len(groups) > MOST_GROUPS:
                raise MeterFileError(
                    f"column {form.income!r} holds more than {MOST_GROUPS} different names, such as"
                    f" {homes.groups[-1]!r}; give one that names groups"
                )
            tallies.add(part, homes, form)
            days.add(hours, list(homes.groups), homes.solar, ~homes.vacant)
            chance.add(hours, ~homes.vacant)
            if writer is not None:
                writer.write(part, homes)
            parts.append(homes)
            count += len(names)
            told(f"{count} homes read", (number + share) / len(files))
        intake.rows += before
    if not parts:
        why = next(iter(intake.listed), "no row with a reading")
        raise MeterFileError(f"{OPTION} {files[0]}: no home has a reading that can be used; the first fault: {why}")
    names = column_names(files[0], form, OPTION)
    return Survey(
        form=form,
        homes=_joined(parts),
        days=days.table(),
        tallies=tallies,
        chance=chance,
        intake=intake,
        unread=tuple(name for name in names if name not in form.columns),
        missing=tuple(key for key in layout.optional if getattr(layout, key) and not getattr(form, key)),
    )


def _joined(parts: Sequence[HomeColumns]) -> HomeColumns:
    """The homes of all parts, one below the other."""

    def of(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts])

    arrays = {name: of(name) for name in HomeColumns.__slots__ if name not in ("names", "groups")}
    return HomeColumns(
        names=tuple(name for part in parts for name in part.names),
        groups=tuple(name for part in parts for name in part.groups),
        **arrays,
    )
