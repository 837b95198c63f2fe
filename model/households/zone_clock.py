"""The clock on the wall of a time zone, for arrays of instants."""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

from meanwatt.agents.numerics.arrays import Ints
from meanwatt.model.billing.meter_format import OWN_OFFSET

FIRST_YEAR, LAST_YEAR = 1970, 2100


@cache
def transitions(zone: str) -> tuple[Ints, Ints]:
    """Instants at which a zone's offset changes, and the offset from each on, the first being that of 1970.

    Returns
    -------
    tuple
        Instants [minutes since 1970 in UTC] and offsets [minutes east of UTC], of one length.
    """
    clock = ZoneInfo(zone)

    def offset(minute: int) -> int:
        when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
        shift = when.astimezone(clock).utcoffset()
        return 0 if shift is None else round(shift.total_seconds() / 60)

    at, offsets = [0], [offset(0)]
    days = (datetime(LAST_YEAR, 1, 1) - datetime(FIRST_YEAR, 1, 1)).days
    for day in range(0, days, 7):
        low, high = 1440 * day, 1440 * (day + 7)
        if offset(high) == offsets[-1]:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == offsets[-1] else (low, middle)
        at.append(high)
        offsets.append(offset(high))
    return np.array(at, dtype=np.int64), np.array(offsets, dtype=np.int64)


def wall_minutes(minute: Ints, zone: str) -> Ints:
    """What the clock on the wall shows: minutes since 1970-01-01 00:00 of that clock."""
    if zone == OWN_OFFSET:
        return minute
    at, offsets = transitions(zone)
    if len(at) == 1:
        return np.asarray(minute + offsets[0])
    return np.asarray(minute + offsets[np.searchsorted(at, minute, side="right") - 1])
