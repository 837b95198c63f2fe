"""The option ``--year`` of commands whose market lives the days of a calendar year."""

from calendar import isleap
from typing import TYPE_CHECKING, Annotated

import typer

from meanwatt.analysis.cli.options import whole_number
from meanwatt.model.scenario.ranges import CALENDAR_YEAR, DAYS

if TYPE_CHECKING:
    from meanwatt.model.scenario.schema import Scenario

Year = Annotated[
    str | None,
    typer.Option(metavar="YYYY", help="Calendar year to live, from 1 January on; the scenario must have a calendar."),
]


def asked_year(text: str | None) -> int | None:
    """The calendar year to live, if there is one; ``ValueError`` in one line."""
    return None if text is None else whole_number("--year", text, CALENDAR_YEAR, example=2027)


def asked_days(text: str | None, year: int | None, default: int) -> int:
    """How many days: as asked, or those of the calendar year, or the default."""
    if text is not None:
        return whole_number("--days", text, DAYS, example=default)
    return default if year is None else 365 + isleap(year)


def days_after(year: int | None, days: int) -> tuple[str, ...]:
    """Say that days after a calendar year are not its own."""
    if year is None or days <= 365 + isleap(year):
        return ()
    return (f"--days {days}: those after 31 December {year} are drawn, as often as in the years of the calendar.",)


def dates(scenario: "Scenario", days: int) -> list[str] | None:
    """Date of each day of a calendar year; None of the days after it, and without one."""
    from meanwatt.model.scenario.calendar_days import days_of

    if scenario.calendar is None or scenario.calendar.year is None:
        return None
    year = scenario.calendar.year
    return [str(date) for date in days_of(year, year)[:days]]


def stamps(dates_known: list[str] | None, day: int, slots: int, slot_hours: float) -> tuple[str, ...]:
    """Clock time at which every slot of a day begins; empty of days after the year, none at all without dates."""
    if dates_known is None:
        return ()
    if day >= len(dates_known):
        return ("",) * slots
    minutes = [round(60 * slot_hours * slot) for slot in range(slots)]
    return tuple(f"{dates_known[day]} {minute // 60:02d}:{minute % 60:02d}" for minute in minutes)
