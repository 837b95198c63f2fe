"""A year of readings of each customer, a few customers at a time, from rows that come batch by batch."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.bill import CHUNK
from meanwatt.agents.tariff.ratebook.billing_calendar import BillingCalendar
from meanwatt.model.billing.local_calendar import Clock, calendar_of
from meanwatt.model.billing.meter_format import OWN_OFFSET, FormatTable, MeterFileError
from meanwatt.model.billing.meter_rows import LINE, Intake, meter_rows
from meanwatt.model.billing.readings import Readings
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.ranges import READING

ALL: Final = "all"
"""Income group where the file names none."""
NOT_GIVEN: Final = "not given"
"""Income group, or what is owned, where the file has a column of it and the customer's cell is empty."""
SOLAR, NO_SOLAR = "solar", "none"
"""What a customer owns where the file does not say."""
_PLAIN: Final = r"\d{4}-\d\d-\d\d(?:[T ]\d\d(?::\d\d(?::\d\d(?:\.\d{1,9})?)?)?)?"
"""A stamp without an offset."""
_WITH_OFFSET: Final = _PLAIN + r"(?:Z|[+-]\d\d(?::?\d\d)?)"
_UNIX_TO_MINUTES: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeterYears:
    """Readings of some customers over the twelve months.

    Attributes
    ----------
    names
        Their names, as the file has them.
    load_kwh : (customer, interval)
        What is used; of net readings what is drawn. [kWh]
    generation_kwh : (customer, interval) or None
        What is generated; of net readings what is fed in. None where the file has neither. [kWh]
    incomes, technologies
        Of each customer.
    income_usd_per_year : (customer,) or None
        [USD/yr]
    """

    __repr__ = short_repr

    names: tuple[str, ...]
    load_kwh: Floats
    generation_kwh: Floats | None
    incomes: tuple[str, ...]
    technologies: tuple[str, ...]
    income_usd_per_year: Floats | None


class YearGrid:
    """The intervals of the twelve months.

    Parameters
    ----------
    form
        Names the first month, the zone and the length of an interval.

    Attributes
    ----------
    first
        Start of the first interval. [minutes since 1970 in UTC]
    intervals
        How many.
    """

    def __init__(self, form: FormatTable) -> None:
        year, month = (int(part) for part in form.begin.split("-"))
        zone = ZoneInfo(form.zone)
        begin = datetime(year, month, 1, tzinfo=zone).astimezone(UTC)
        end = datetime(year + 1, month, 1, tzinfo=zone).astimezone(UTC)
        self._form = form
        self._begin = begin
        self.first = int(begin.timestamp()) // _UNIX_TO_MINUTES
        self.intervals = int((end - begin).total_seconds()) // (_UNIX_TO_MINUTES * form.minutes)

    def calendar(self, holidays: tuple[str, ...]) -> BillingCalendar:
        """Month, day, hour and kind of day of each interval on the customers' clock."""
        step = timedelta(minutes=self._form.minutes)
        grid = Readings(
            label="[format]",
            values=np.zeros(self.intervals),
            stamps=tuple(self._begin + place * step for place in range(self.intervals)),
        )
        return calendar_of(grid, Clock(zone=self._form.zone), holidays)[0]


def meter_years(path: Path, form: FormatTable, intake: Intake) -> Iterator[tuple[MeterYears, float]]:
    """Yield customers whose readings are whole, with the share of the file that is read.

    Memory holds the customers of one batch, however long the file is; so the rows of a customer stand together.

    Raises
    ------
    MeterFileError
        In one line: the file cannot be read, lacks a column, or a customer comes again after others.
    """
    grid, seen = YearGrid(form), set[str]()
    kept: pd.DataFrame | None = None
    most = 4 * grid.intervals + 100_000
    for batch, share in meter_rows(path, form.columns, intake):
        rows = batch if kept is None else pd.concat([kept, batch], ignore_index=True)
        name = rows[form.customer]
        last = (name != name.iloc[-1]).to_numpy()[::-1].argmax() if len(name) else 0
        whole = len(rows) - int(last) if last else 0
        kept = rows.iloc[whole:]
        if len(kept) > most:
            raise MeterFileError(f"--meters {path}: customer {name.iloc[-1]} has more than {most} rows; check customer")
        for part, names in _parts(path, rows.iloc[:whole], form, intake, seen):
            found = _years(part, names, grid, form, intake)
            if found is not None:
                yield found, share
    if kept is not None:
        for part, names in _parts(path, kept, form, intake, seen):
            found = _years(part, names, grid, form, intake)
            if found is not None:
                yield found, 1.0


def _parts(
    path: Path, rows: pd.DataFrame, form: FormatTable, intake: Intake, seen: set[str]
) -> Iterator[tuple[pd.DataFrame, list[str]]]:
    """Rows and names of a few customers at a time, all of whose rows are here."""
    nobody = (rows[form.customer].isna() | (rows[form.customer] == "")).to_numpy()
    intake.refuse(rows, nobody, "no customer is named", form.customer)
    rows = rows[~nobody].reset_index(drop=True)
    if not len(rows):
        return
    customer = rows[form.customer]
    starts = np.flatnonzero((customer != customer.shift()).to_numpy())
    names = [str(one) for one in customer.iloc[starts]]
    for place, name in zip(starts.tolist(), names, strict=True):
        if name in seen:
            raise MeterFileError(
                f"--meters {path}: {intake.word} {rows[LINE].iloc[place]}: customer {name} comes again after others;"
                " sort the rows by customer"
            )
        seen.add(name)
    for first in range(0, len(starts), CHUNK):
        last = first + CHUNK
        end = int(starts[last]) if last < len(starts) else len(rows)
        yield rows.iloc[int(starts[first]) : end].reset_index(drop=True), names[first:last]


def _years(
    rows: pd.DataFrame, names: list[str], grid: YearGrid, form: FormatTable, intake: Intake
) -> MeterYears | None:
    """Readings of customers, in order, each of whom has some rows; None if none is billed."""
    customer = rows[form.customer]
    code = np.cumsum((customer != customer.shift()).to_numpy()) - 1
    minute, usable = _minutes(rows, code, form, intake)
    steps, off = np.divmod(minute - grid.first, form.minutes)
    if form.label == "end":
        steps = steps - 1
    wrong = usable & (off != 0)
    intake.refuse(rows, wrong, f"no interval of {form.minutes} min begins or ends there", form.time)
    usable &= ~wrong
    outside = usable & ((steps < 0) | (steps >= grid.intervals))
    intake.outside += int(outside.sum())
    usable &= ~outside
    reading, usable = _readings(rows, form, intake, usable)
    generation = None
    if form.generation is not None:
        generation, usable = _generation(rows, form, intake, usable)
    place = code * grid.intervals + steps
    table = np.full(len(names) * grid.intervals, np.nan)
    kept = np.flatnonzero(usable)
    table[place[kept[::-1]]] = reading[kept[::-1]]  # where two rows stand for one interval the first holds
    other = np.zeros_like(table)
    if generation is not None:
        other[place[kept[::-1]]] = generation[kept[::-1]]
    clash = np.zeros(len(rows), dtype=bool)
    clash[kept] = (table[place[kept]] != reading[kept]) | (
        False if generation is None else other[place[kept]] != generation[kept]
    )
    intake.refuse(rows, clash, "another row of the customer has another reading of this interval", form.time)
    intake.repeated += len(kept) - int(clash.sum()) - int((~np.isnan(table)).sum())
    load = table.reshape(len(names), grid.intervals)
    first = np.searchsorted(code, np.arange(len(names)))
    income = _incomes(rows, first, form)
    whole = _are_whole(load, names, income, form, intake)
    if not whole.any():
        return None
    gaps = np.isnan(load[whole])
    intake.gaps += int(gaps.sum())
    load = np.where(gaps, 0.0, load[whole])
    fed = other.reshape(len(names), grid.intervals)[whole] if generation is not None else None
    if form.net is not None:
        load, fed = np.maximum(load, 0.0), np.maximum(-load, 0.0)
    chosen = np.flatnonzero(whole)
    owned = np.where(np.zeros(len(load), bool) if fed is None else (fed > 0).any(axis=1), SOLAR, NO_SOLAR)
    return MeterYears(
        names=tuple(names[one] for one in chosen),
        load_kwh=load,
        generation_kwh=fed,
        incomes=_labels(rows, first, form.income, chosen, np.full(len(load), ALL)),
        technologies=_labels(rows, first, form.technology, chosen, owned),
        income_usd_per_year=None if income is None else income[whole],
    )


def _minutes(rows: pd.DataFrame, code: Ints, form: FormatTable, intake: Intake) -> tuple[Ints, Bools]:
    """Minutes since 1970 in UTC of each stamp, and which stamps can be used."""
    cells, own = rows[form.time], form.stamps == OWN_OFFSET
    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        aware = np.full(len(cells), isinstance(cells.dtype, pd.DatetimeTZDtype))
        plain = ~aware
    else:
        cells = cells.astype(str)
        aware, plain = (cells.str.fullmatch(one).to_numpy() for one in (_WITH_OFFSET, _PLAIN))
    right, wrong = (aware, plain) if own else (plain, aware)
    intake.refuse(
        rows,
        wrong,
        'the stamp has no offset, and stamps = "offset"' if own else "the stamp has an offset, and stamps names a zone",
        form.time,
    )
    read = pd.to_datetime(cells.where(right), format="ISO8601", errors="coerce", utc=own)
    unread = ~wrong & read.isna().to_numpy()
    intake.refuse(rows, unread, 'no time such as "2026-01-31 23:00"', form.time)
    usable = ~wrong & ~unread
    if not own:
        read = read.dt.tz_localize(None)  # changes a Parquet column of instants only, all of whose stamps are refused
        twice = pd.DataFrame({"customer": code, "time": read}).duplicated().to_numpy()
        read = read.dt.tz_localize(form.stamps, ambiguous=~twice, nonexistent="NaT")
        never = usable & read.isna().to_numpy()
        intake.refuse(rows, never, f"the clock of {form.stamps} never shows this time", form.time)
        usable &= ~never
    since = (read - pd.Timestamp(0, tz="UTC")).dt.total_seconds().fillna(0.0).to_numpy()
    odd = usable & (since % _UNIX_TO_MINUTES != 0)
    intake.refuse(rows, odd, "no whole minute", form.time)
    return np.asarray(since // _UNIX_TO_MINUTES, dtype=np.int64), usable & ~odd


def _numbers(cells: pd.Series) -> Floats:
    """Cells as numbers, nan where they are none."""
    return np.asarray(pd.to_numeric(cells, errors="coerce"), dtype=np.float64)


def _readings(rows: pd.DataFrame, form: FormatTable, intake: Intake, usable: Bools) -> tuple[Floats, Bools]:
    """Energy of each row in kWh, and which rows can be used."""
    column = form.use or form.net or ""
    kwh = _numbers(rows[column]) * form.kwh_per_unit
    wrong = usable & ~(np.abs(kwh) <= READING.high)
    intake.refuse(rows, wrong, "no number", column)
    usable = usable & ~wrong
    if form.use is not None:
        below = usable & (kwh < 0)
        intake.refuse(rows, below, "what is used is at least 0", column)
        usable = usable & ~below
    return kwh, usable


def _generation(rows: pd.DataFrame, form: FormatTable, intake: Intake, usable: Bools) -> tuple[Floats, Bools]:
    """Energy generated in kWh, 0 where the cell is empty; below 0 it is an inverter's own use."""
    assert form.generation is not None
    cells = rows[form.generation]
    empty = (cells.isna() | (cells == "")).to_numpy()
    kwh = np.where(empty, 0.0, _numbers(cells) * form.kwh_per_unit)
    wrong = usable & ~(np.abs(kwh) <= READING.high)
    intake.refuse(rows, wrong, "no number", form.generation)
    return kwh, usable & ~wrong


def _incomes(rows: pd.DataFrame, first: Ints, form: FormatTable) -> Floats | None:
    """Income in each customer's first row, nan where there is none. [USD/yr]"""
    if form.income_usd_per_year is None:
        return None
    income = _numbers(rows[form.income_usd_per_year].iloc[first])
    return np.where(np.isfinite(income) & (income > 0), income, np.nan)


def _labels(
    rows: pd.DataFrame, first: Ints, column: str | None, chosen: Ints, otherwise: np.ndarray
) -> tuple[str, ...]:
    """What each customer's first row says, `NOT_GIVEN` where it says nothing."""
    if column is None:
        return tuple(otherwise.tolist())
    said = rows[column].iloc[first[chosen]]
    return tuple(
        NOT_GIVEN if nothing or one == "" else str(one) for one, nothing in zip(said, said.isna(), strict=True)
    )


def _are_whole(load: Floats, names: list[str], income: Floats | None, form: FormatTable, intake: Intake) -> Bools:
    """Which customers are billed; the others are counted."""
    missing = np.isnan(load).sum(axis=1)
    whole = np.ones(len(names), dtype=bool)
    for place, name in enumerate(names):
        gaps = int(missing[place])
        if gaps == load.shape[1]:
            whole[place] = False
            intake.leave_out(name, "no reading in the twelve months", "no reading in the twelve months")
        elif gaps and form.missing == "leave_out":
            whole[place] = False
            intake.leave_out(name, "readings are missing", f"{counted(gaps, 'reading')} missing")
        elif income is not None and np.isnan(income[place]):
            whole[place] = False
            intake.leave_out(name, "no income above 0", "no income above 0")
    return whole
