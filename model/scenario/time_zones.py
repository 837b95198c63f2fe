"""Names of the time zones that the machine knows."""

from functools import cache
from zoneinfo import available_timezones


@cache
def time_zones() -> frozenset[str]:
    """All of them; to find them means to look into every file of the database, 20 ms, so once in a process."""
    return frozenset(available_timezones())
