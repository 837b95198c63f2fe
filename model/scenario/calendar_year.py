"""A calendar year in a market: which common states each of its days may have."""

import numpy as np

from meanwatt.agents.numerics.arrays import Bools
from meanwatt.model.scenario.calendar_days import days_of
from meanwatt.model.scenario.economy import Economy


def states_of_days(economy: Economy) -> Bools:
    """Tell which common states a day of the scenario's calendar year may be in: those of its season and class.

    The weather is left open. Given the state of the day before, it comes by its own kernel.

    Returns
    -------
    (day, c) bool
        No rows if the scenario runs no calendar year.

    Raises
    ------
    ValueError
        In one line, if two days of the year follow one another as none do in the years that the calendar counts.
    """
    calendar, common = economy.scenario.calendar, economy.common
    if calendar is None or calendar.year is None:
        return np.zeros((0, common.count), dtype=np.bool_)
    kinds = calendar.year_kinds()
    allowed = (common.today // len(calendar.skies))[None, :] == kinds[:, None]
    goes_on = (common.kernel > 0).astype(float)
    reached = allowed[0]
    for day in range(1, len(kinds)):
        dead = reached & ~(goes_on @ allowed[day] > 0)
        if dead.any() or not reached.any():
            names = [
                "_".join(part for part in calendar.sorted().kinds[kind] if part) for kind in kinds[day - 1 : day + 1]
            ]
            raise ValueError(
                f"scenario {economy.scenario.name}: calendar.year is {calendar.year}, in which {names[1]} follows"
                f" {names[0]} on {days_of(calendar.year, calendar.year)[day]}, as never in {calendar.first_year} to"
                f" {calendar.last_year}; count more years"
            )
        reached = (reached.astype(float) @ goes_on > 0) & allowed[day]
    return np.asarray(allowed)
