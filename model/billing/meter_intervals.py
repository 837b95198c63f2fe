"""Readings of whole customers, a few at a time: an interval once, its channels side by side, in kWh."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.bill import CHUNK
from meanwatt.model.billing.meter_format import FormatTable, MeterFileError
from meanwatt.model.billing.meter_rows import LINE, Intake, TextForm, meter_rows
from meanwatt.model.billing.meter_stamps import OFFSET, interval_starts
from meanwatt.model.scenario.ranges import READING

VALUE: Final = "reading"
"""Column of a wide file's readings, once they stand below one another."""
FILE: Final = "file"
"""Column of the customer where every file is one."""
MOST_ROWS: Final = 2_000_000
"""Rows of one customer: ten years of quarter-hours in four channels."""
READINGS_AT_ONCE: Final = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Intervals:
    """Readings of some customers, by customer and time; nan where a channel has none.

    Attributes
    ----------
    names
        The customers.
    first
        The first row of each, for what is said of the customer beside the readings.
    code : (interval,)
        Place of the customer in ``names``.
    minute : (interval,)
        Start of the interval. [minutes since 1970 in UTC]
    load_kwh : (interval,)
        What is used; drawn less fed in where only that is read. [kWh]
    generation_kwh, controlled_kwh, vehicle_kwh, net_kwh : (interval,) or None
        None where the file has no such channel; the second and third are parts of the load. [kWh]
    channel_kwh : (customer, channel) or None
        Sum of each channel that is used, where channels are rows. [kWh]
    """

    __repr__ = short_repr

    names: tuple[str, ...]
    first: pd.DataFrame
    code: Ints
    minute: Ints
    load_kwh: Floats
    generation_kwh: Floats | None = None
    controlled_kwh: Floats | None = None
    vehicle_kwh: Floats | None = None
    net_kwh: Floats | None = None
    channel_kwh: Floats | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """Intervals that readings may stand for: those that begin at ``phase`` and whole steps from it, in a span.

    Attributes
    ----------
    phase, begin, end
        [minutes since 1970 in UTC]
    """

    phase: int
    begin: int
    end: int


def customer_rows(
    path: Path, form: FormatTable, intake: Intake, seen: set[str], most_rows: int = MOST_ROWS
) -> Iterator[tuple[pd.DataFrame, list[str], float]]:
    """Yield rows and names of a few customers, all of whose rows are there, with the share of the file that is read.

    Memory holds the customers of one batch, however long the file is; so the rows of a customer stand together.

    Raises
    ------
    MeterFileError
        In one line: the file cannot be read, lacks a column, or a customer comes again after others.
    """
    kept: pd.DataFrame | None = None
    column = form.customer or FILE
    size = max(1, CHUNK // max(len(form.intervals), 1))
    for batch, share in meter_rows(path, form.columns, intake, TextForm.of(form)):
        if form.customer is None:
            batch[FILE] = path.stem
        rows = batch if kept is None else pd.concat([kept, batch], ignore_index=True)
        name = rows[column]
        last = (name != name.iloc[-1]).to_numpy()[::-1].argmax() if len(name) else 0
        whole = len(rows) - int(last) if last else 0
        kept = rows.iloc[whole:]
        if len(kept) > most_rows:
            raise MeterFileError(
                f"{intake.option} {path}: customer {name.iloc[-1]} has more than {most_rows} rows; check customer"
            )
        for part, names in _parts(path, rows.iloc[:whole], column, intake, seen, size):
            yield part, names, share
    if kept is not None:
        for part, names in _parts(path, kept, column, intake, seen, size):
            yield part, names, 1.0


def _parts(
    path: Path, rows: pd.DataFrame, column: str, intake: Intake, seen: set[str], size: int
) -> Iterator[tuple[pd.DataFrame, list[str]]]:
    """Rows and names of a few customers at a time, all of whose rows are here."""
    nobody = (rows[column].isna() | (rows[column] == "")).to_numpy()
    intake.refuse(rows, nobody, "no customer is named", column)
    rows = rows[~nobody].reset_index(drop=True)
    if not len(rows):
        return
    customer = rows[column]
    starts = np.flatnonzero((customer != customer.shift()).to_numpy())
    names = [str(one) for one in customer.iloc[starts]]
    for place, name in zip(starts.tolist(), names, strict=True):
        if name in seen:
            raise MeterFileError(
                f"{intake.option} {path}: {intake.word} {rows[LINE].iloc[place]}: customer {name} comes again after"
                " others; sort the rows by customer"
            )
        seen.add(name)
    ends = np.append(starts[1:], len(rows))
    first = 0
    while first < len(starts):
        within = np.searchsorted(ends, starts[first] + READINGS_AT_ONCE, side="right")
        last = max(first + 1, min(first + size, int(within)))
        yield rows.iloc[int(starts[first]) : int(ends[last - 1])].reset_index(drop=True), names[first:last]
        first = last


def read_intervals(rows: pd.DataFrame, names: list[str], form: FormatTable, intake: Intake, grid: Grid) -> Intervals:
    """Read the intervals of customers, in order, each of whom has some rows; the intake is told what is left out."""
    customer = rows[form.customer or FILE]
    of_row = np.cumsum((customer != customer.shift()).to_numpy()) - 1
    first = rows.iloc[np.searchsorted(of_row, np.arange(len(names)))].reset_index(drop=True)
    channel, roles = _channels(rows, form, intake)
    rows, code, channel = _stacked(rows, of_row, channel, form)
    told = ~_no_reading(rows, form)
    intake.empty += int((~told).sum())
    rows, code, channel = rows[told].reset_index(drop=True), code[told], channel[told]
    minute, usable = interval_starts(rows, code * len(roles) + channel, form, intake)
    usable &= channel >= 0
    wrong = usable & ((minute - grid.phase) % form.minutes != 0)
    intake.refuse(rows, wrong, f"no interval of {form.minutes} min begins or ends there", form.time)
    usable &= ~wrong
    outside = usable & ((minute < grid.begin) | (minute >= grid.end))
    intake.outside += int(outside.sum())
    usable &= ~outside
    values, usable = _values(rows, form, intake, usable)
    kept = np.flatnonzero(usable)
    key = (code[kept] * len(roles) + channel[kept]) * (2 * READINGS_SPAN) + minute[kept]
    _, place, inverse = np.unique(key, return_index=True, return_inverse=True)
    table = np.stack([values[name][kept] for name in values]) if len(kept) else np.empty((len(values), 0))
    clash = np.zeros(len(rows), dtype=bool)
    clash[kept] = ~_equal(table, table[:, place][:, inverse]).all(axis=0)
    intake.refuse(rows, clash, "another row of the customer has another reading of this interval", form.time)
    intake.repeated += len(kept) - int(clash.sum()) - len(place)
    one = kept[place]  # where two rows stand for one interval the first holds
    found = {name: entry[one] for name, entry in values.items()}
    if form.channel is not None:
        return _side_by_side(names, first, code[one], minute[one], channel[one], found[VALUE], form)
    return _intervals(names, first, code[one], minute[one], found, form)


READINGS_SPAN: Final = 2**27
"""More minutes than there are from 1970 to 2100."""


def _equal(one: Floats, other: Floats) -> Bools:
    return np.asarray((one == other) | (np.isnan(one) & np.isnan(other)))


def _stacked(rows: pd.DataFrame, of_row: Ints, channel: Ints, form: FormatTable) -> tuple[pd.DataFrame, Ints, Ints]:
    """The readings of a wide file below one another, in the order of the file; rows of a long one as they are."""
    if form.shape == "long":
        return rows, of_row, channel
    count, wide = len(form.intervals), len(rows)
    cells = rows[list(form.intervals)].to_numpy(dtype=object).ravel()
    others = [name for name in rows.columns if name not in form.intervals]
    stacked = rows[others].loc[np.repeat(np.arange(wide), count)].reset_index(drop=True)
    stacked[VALUE] = cells
    stacked[OFFSET] = np.tile(np.arange(count), wide)
    return stacked, np.repeat(of_row, count), np.repeat(channel, count)


def _channels(rows: pd.DataFrame, form: FormatTable, intake: Intake) -> tuple[Ints, list[str]]:
    """Channel of each reading, -1 where it is none that is read, and what each of them holds."""
    if form.channel is None:
        return np.zeros(len(rows), dtype=np.int64), [""]
    names = list(form.channels)
    place, said = pd.factorize(rows[form.channel].astype(str))
    number = np.array([names.index(one) if one in names else -1 for one in said], dtype=np.int64)
    channel = np.where(place >= 0, number[np.maximum(place, 0)], -1)
    known = ", ".join(names)
    intake.refuse(rows, channel < 0, f"no channel of the format ({known})", form.channel)
    roles: list[str] = list(form.channels.values())
    ignored = np.array([role == "ignore" for role in roles])
    return np.where((channel >= 0) & ~ignored[np.maximum(channel, 0)], channel, -1), roles


def numbers(cells: "pd.Series[Any]") -> Floats:
    """Cells as numbers, nan where they are none."""
    return np.asarray(pd.to_numeric(cells, errors="coerce"), dtype=np.float64)


def _column(form: FormatTable) -> str:
    return VALUE if form.shape == "wide" else form.use or form.net or ""


def _no_reading(rows: pd.DataFrame, form: FormatTable) -> Bools:
    """Which readings say that there is none; nothing else of such a row is looked at."""
    cells = rows[_column(form)]
    none = cells.isin(form.no_reading).to_numpy() if form.no_reading else np.zeros(len(rows), dtype=bool)
    return np.asarray(none | (cells.isna() | (cells == "")).to_numpy() if form.shape == "wide" else none)


def _values(rows: pd.DataFrame, form: FormatTable, intake: Intake, usable: Bools) -> tuple[dict[str, Floats], Bools]:
    """Energy of each reading in kWh, by what it is, and which rows can be used."""
    column = _column(form)
    kwh = numbers(rows[column]) * form.kwh_per_unit
    wrong = usable & ~(np.abs(kwh) <= READING.high)
    intake.refuse(rows, wrong, "no number", column)
    usable = usable & ~wrong
    if "use" in form.roles and form.channel is None:
        below = usable & (kwh < 0)
        intake.refuse(rows, below, "what is used is at least 0", column)
        usable = usable & ~below
    found = {VALUE: kwh}
    for name in ("generation", "vehicle"):
        if getattr(form, name) is not None:
            found[name], usable = _beside(rows, getattr(form, name), form, intake, usable)
    return found, usable


def _beside(rows: pd.DataFrame, column: str, form: FormatTable, intake: Intake, usable: Bools) -> tuple[Floats, Bools]:
    """Energy of a column beside the use in kWh, 0 where the cell is empty; below 0 it is an inverter's own use."""
    cells = rows[column]
    empty = (cells.isna() | (cells == "") | cells.isin(form.no_reading)).to_numpy()
    kwh = np.where(empty, 0.0, numbers(cells) * form.kwh_per_unit)
    wrong = usable & ~(np.abs(kwh) <= READING.high)
    intake.refuse(rows, wrong, "no number", column)
    return kwh, usable & ~wrong


def _intervals(
    names: list[str], first: pd.DataFrame, code: Ints, minute: Ints, found: dict[str, Floats], form: FormatTable
) -> Intervals:
    """Readings whose channels are columns, or that have one."""
    reading, generation = found[VALUE], found.get("generation")
    if generation is not None:
        generation = _signed(generation, form)
    net = None
    if "net" in form.roles:
        reading = net = reading if form.sign == "drawn_positive" else -reading
        if generation is not None:
            reading = reading + generation
    return Intervals(
        names=tuple(names),
        first=first,
        code=code,
        minute=minute,
        load_kwh=reading,
        generation_kwh=generation,
        vehicle_kwh=found.get("vehicle"),
        net_kwh=net,
    )


def _signed(generation: Floats, form: FormatTable) -> Floats:
    return generation if form.generation_sign == "positive" else 0.0 - generation


def _side_by_side(
    names: list[str],
    first: pd.DataFrame,
    code: Ints,
    minute: Ints,
    channel: Ints,
    values: Floats,
    form: FormatTable,
) -> Intervals:
    """Readings whose channels are rows: the channels of an interval added up by what they hold."""
    key, place = np.unique(code * (2 * READINGS_SPAN) + minute, return_inverse=True)
    roles = np.array(list(form.channels.values()))
    role = roles[channel]
    used = np.bincount(code * len(roles) + channel, weights=values, minlength=len(names) * len(roles)).astype(float)

    def of(name: str, absent: float) -> Floats:
        mine = role == name
        total: Floats = np.bincount(place[mine], weights=values[mine], minlength=len(key)).astype(float)
        return np.where(np.bincount(place[mine], minlength=len(key)) > 0, total, absent)

    whole = form.roles
    controlled = of("controlled", 0.0) if "controlled" in whole else None
    generation = _signed(of("generation", 0.0), form) if "generation" in whole else None
    net = None
    if "net" in whole:
        net = of("net", np.nan) * (1 if form.sign == "drawn_positive" else -1)
        load = net if generation is None else net + generation
    else:
        load = of("use", np.nan) + (0.0 if controlled is None else controlled)
    kept = ~np.isnan(load)
    return Intervals(
        names=tuple(names),
        first=first,
        code=(key // (2 * READINGS_SPAN))[kept],
        minute=(key % (2 * READINGS_SPAN))[kept],
        load_kwh=load[kept],
        generation_kwh=None if generation is None else generation[kept],
        controlled_kwh=None if controlled is None else controlled[kept],
        net_kwh=None if net is None else net[kept],
        channel_kwh=used.reshape(len(names), -1)[:, np.isin(roles, ("use", "controlled", "net"))],
    )
