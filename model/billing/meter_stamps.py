"""When each reading's interval begins: stamps, dates or numbers of days as a file writes them, as instants."""

import re
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from meanwatt.agents.numerics.arrays import Bools, Ints
from meanwatt.model.billing.meter_format import MINUTES_PER_DAY, OWN_OFFSET, FormatTable
from meanwatt.model.billing.meter_rows import Intake

OFFSET: Final = "interval of the day"
"""Column of a batch of a wide file's readings: place of the interval in its day, from 0 on."""
UNIX_TO_MINUTES: Final = 60
_PLAIN: Final = r"\d{4}-\d\d-\d\d(?:[T ]\d\d(?::\d\d(?::\d\d(?:\.\d{1,9})?)?)?)?"
"""A stamp without an offset."""
_WITH_OFFSET: Final = _PLAIN + r"(?:Z|[+-]\d\d(?::?\d\d)?)"
_NUMBERS: Final = r"(\d{1,2})[/.\-](\d{1,2}|[A-Za-z]{3})[/.\-](\d{4}|\d\d)(?:[T ]+(\d{1,2}):(\d\d)(?::00(?:\.0+)?)?)?"
"""A stamp that begins with day or month."""
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NO_TIME: Final = 'no time such as "2026-01-31 23:00"'


def interval_starts(rows: pd.DataFrame, code: Ints, form: FormatTable, intake: Intake) -> tuple[Ints, Bools]:
    """Minutes since 1970 in UTC at which the interval of each reading begins, and which readings have one.

    Parameters
    ----------
    rows
        One for each reading, in the order of the file.
    code : (row,)
        Number of the customer, and of the channel: an hour that comes twice is told by its order within these.
    intake
        Is told what cannot be used.
    """
    if form.shape == "long" and form.stamp_form == "iso":
        minute, usable = _stamps(rows, code, form, intake)
        return minute - (form.minutes if form.label == "end" else 0), usable
    day, offset, usable = _days(rows, form, intake)
    if form.within_day == "elapsed":
        return _midnights(day, form) + offset, usable
    read = pd.Series(pd.to_datetime((day * MINUTES_PER_DAY + offset) * UNIX_TO_MINUTES, unit="s"))
    found, never = _localized(read.where(usable), code, form)
    intake.refuse(rows, never & ~_skipped(rows), f"the clock of {form.stamps} never shows this time", form.time)
    ends = form.shape == "long" and form.stamp_form != "day_slot" and form.label == "end"
    return _since_1970(found)[0] - (form.minutes if ends else 0), usable & ~never


def _skipped(rows: pd.DataFrame) -> Bools:
    """Readings of a wide file that say nothing: an hour that the clock skips has columns, as every other one."""
    if OFFSET not in rows:
        return np.zeros(len(rows), dtype=bool)
    value = pd.to_numeric(rows["reading"], errors="coerce").fillna(0.0)
    return np.asarray(value == 0)


def _stamps(rows: pd.DataFrame, code: Ints, form: FormatTable, intake: Intake) -> tuple[Ints, Bools]:
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
    intake.refuse(rows, unread, _NO_TIME, form.time)
    usable = ~wrong & ~unread
    if not own:
        read = read.dt.tz_localize(None)  # changes a Parquet column of instants only, all of whose stamps are refused
        read, never = _localized(read, code, form)
        never = never & usable
        intake.refuse(rows, never, f"the clock of {form.stamps} never shows this time", form.time)
        usable &= ~never
    minute, odd = _since_1970(read)
    odd = odd & usable
    intake.refuse(rows, odd, "no whole minute", form.time)
    return minute, usable & ~odd


def _localized(read: "pd.Series[Any]", code: Ints, form: FormatTable) -> tuple["pd.Series[Any]", Bools]:
    """Times of a clock on the wall as instants, and which ones that clock never shows."""
    if form.stamps == OWN_OFFSET:
        raise AssertionError("stamps with an offset are instants")
    twice = pd.DataFrame({"customer": code, "time": read}).duplicated().to_numpy()
    found = read.dt.tz_localize(form.stamps, ambiguous=~twice, nonexistent="NaT")
    return found, np.asarray(read.notna() & found.isna())


def _since_1970(read: "pd.Series[Any]") -> tuple[Ints, Bools]:
    """Whole minutes since 1970 in UTC, 0 where there is no time, and which times are within a minute."""
    since = (read - pd.Timestamp(0, tz="UTC")).dt.total_seconds().fillna(0.0).to_numpy()
    return np.asarray(since // UNIX_TO_MINUTES, dtype=np.int64), np.asarray(since % UNIX_TO_MINUTES != 0)


def _days(rows: pd.DataFrame, form: FormatTable, intake: Intake) -> tuple[Ints, Ints, Bools]:
    """Days since 1970 of each reading, minutes after midnight, and which ones can be used."""
    cells = rows[form.time]
    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        cells = cells.dt.strftime("%Y-%m-%d")
    place, said = pd.factorize(cells.astype(str))
    read = [_read(text, form) for text in said]
    day, minutes = (np.array([one[part] for one in read], dtype=np.int64)[place] for part in (0, 1))
    usable = day >= 0
    wanted = {"day_slot": "no number such as 19501, day 195 and interval 1", "iso": 'no date such as "2026-01-31"'}
    told = ~usable & (rows[OFFSET] == 0).to_numpy() if OFFSET in rows else ~usable
    intake.refuse(rows, told, wanted.get(form.stamp_form, 'no date such as "31/01/2026" or "31-Jan-26"'), form.time)
    if OFFSET in rows:
        minutes = minutes + form.minutes * rows[OFFSET].to_numpy(np.int64)
    return np.where(usable, day, 0), minutes, usable


def _read(text: str, form: FormatTable) -> tuple[int, int]:
    """Days since 1970 and minutes after midnight that a text says; a day of -1 where it says none."""
    try:
        return _numbered(text, form) if form.stamp_form == "day_slot" else _dated(text, form)
    except ValueError:
        return -1, 0


def _numbered(text: str, form: FormatTable) -> tuple[int, int]:
    if not re.fullmatch(r"\d{3,7}(?:\.0)?", text):
        raise ValueError
    day, slot = divmod(int(float(text)), 100)
    if not 1 <= slot <= 2 + MINUTES_PER_DAY // form.minutes + 60 // form.minutes or not day:
        raise ValueError
    return _since(date.fromisoformat(form.day_one)) + day - 1, (slot - 1) * form.minutes


def _dated(text: str, form: FormatTable) -> tuple[int, int]:
    if form.stamp_form == "iso":
        return _since(date.fromisoformat(text[:10])), 0
    found = re.fullmatch(_NUMBERS, text)
    if found is None:
        raise ValueError
    first, second, year = found[1], found[2], int(found[3])
    day, month = (first, second) if form.stamp_form == "day_month_year" else (second, first)
    number = _MONTHS.index(month.lower()) + 1 if month.isalpha() else int(month)
    hour, minute = int(found[4] or 0), int(found[5] or 0)
    if hour > 23 or minute > 59:
        raise ValueError
    return _since(date(year + 2000 if year < 100 else year, number, int(day))), 60 * hour + minute


def _since(day: date) -> int:
    if not 1970 <= day.year < 2100:
        raise ValueError
    return day.toordinal() - date(1970, 1, 1).toordinal()


def _midnights(day: Ints, form: FormatTable) -> Ints:
    """Minutes since 1970 in UTC of the midnights at which days begin."""
    days, place = np.unique(day, return_inverse=True)
    zone = ZoneInfo(form.stamps)
    walls = pd.to_datetime(days * MINUTES_PER_DAY * UNIX_TO_MINUTES, unit="s")
    found = [int(wall.to_pydatetime().replace(tzinfo=zone).timestamp()) // UNIX_TO_MINUTES for wall in walls]
    return np.array(found, dtype=np.int64)[place]
