"""The months that a market bills: those of the calendar year it lives, else 30 or 31 days so that twelve make 365."""

import numpy as np

from meanwatt.agents.tariff.components.component import DAYS_PER_MONTH
from meanwatt.model.scenario.calendar_days import days_of


def ends_month(day: int, year: int | None) -> bool:
    """Whether a day, counted from 0, is the last of its month.

    Parameters
    ----------
    year
        Calendar year that begins on day 0; None for months of 30 or 31 days, and after its end.
    """
    if year is not None:
        dates = days_of(year, year)
        if day < len(dates):
            month, after = (date.astype("datetime64[M]") for date in (dates[day], dates[day] + 1))
            return bool(month != after)
    return int((day + 1) / DAYS_PER_MONTH) > int(day / DAYS_PER_MONTH)


def month_of_year(day: int, year: int | None) -> str | None:
    """Month of a day of a calendar year, as in 2027-03; None after its end, and without one."""
    if year is None:
        return None
    dates = days_of(year, year)
    return str(np.datetime_as_string(dates[day], unit="M")) if day < len(dates) else None
