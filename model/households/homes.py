"""What is kept of each home: a few numbers, however long its readings are."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.billing.meter_format import FormatTable, HomesTable, MeterFileError
from meanwatt.model.billing.meter_intervals import Intervals, numbers
from meanwatt.model.billing.meter_rows import Intake, meter_rows
from meanwatt.model.billing.meter_years import ALL, NOT_GIVEN, labels
from meanwatt.model.households.hourly import Hours

HOURS_PER_YEAR: Final = 8766.0
THIRDS: Final = ("low", "middle", "high")
"""Income groups where only incomes are known."""
SOLAR_KW: Final = 0.05
"""Mean power of an interval that a home with solar reaches."""
SOLAR_KWH_PER_YEAR: Final = 50.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HomeColumns:
    """Homes of a part of a file, a row each.

    Attributes
    ----------
    names, groups
        Of each home.
    income_usd_per_year, installed_kw : (home,)
        nan where they are not known. [USD/yr, kW]
    first, end : (home,)
        Start of the first interval, end of the last one. [minutes since 1970 in UTC]
    read : (home,)
        Intervals that are read.
    kwh_per_year, generation_kwh_per_year, controlled_kwh_per_year, vehicle_kwh_per_year : (home,)
        Mean power times a year of 8,766 hours.
    peak_kw, peak_generation_kw, least_kw : (home,)
        Largest mean power of an interval used and generated, and smallest used; of net readings drawn less fed in.
    mean_kw : (home, hour)
        Mean day of the use.
    solar, vacant : (home,)
        Whether it has solar; whether nobody lives there.
    """

    __repr__ = short_repr

    names: tuple[str, ...]
    groups: tuple[str, ...]
    income_usd_per_year: Floats
    installed_kw: Floats
    first: Ints
    end: Ints
    read: Ints
    kwh_per_year: Floats
    generation_kwh_per_year: Floats
    controlled_kwh_per_year: Floats
    vehicle_kwh_per_year: Floats
    peak_kw: Floats
    peak_generation_kw: Floats
    least_kw: Floats
    mean_kw: Floats
    solar: Bools
    vacant: Bools


def home_columns(
    part: Intervals, hours: Hours, form: FormatTable, told: Mapping[str, Mapping[str, Any]]
) -> HomeColumns:
    """Sum up homes, all of whose readings are in one part.

    Parameters
    ----------
    told
        What a second file says of homes, by name.
    """
    count, code = len(part.names), part.code
    step_hours = form.minutes / 60
    read = np.bincount(code, minlength=count)
    kw = part.load_kwh / step_hours
    generation = np.zeros_like(kw) if part.generation_kwh is None else part.generation_kwh / step_hours
    total = np.maximum(read, 1)
    generated = np.bincount(code, generation, minlength=count) / total * HOURS_PER_YEAR
    parts = [
        np.zeros(count)
        if channel is None
        else np.bincount(code, channel / step_hours, minlength=count) / total * HOURS_PER_YEAR
        for channel in (part.controlled_kwh, part.vehicle_kwh)
    ]
    peak, most, least = (np.full(count, start) for start in (-np.inf, -np.inf, np.inf))
    first, end = np.full(count, np.iinfo(np.int64).max), np.full(count, -1)
    np.maximum.at(peak, code, kw)
    np.maximum.at(most, code, generation)
    np.minimum.at(least, code, kw if part.net_kwh is None else part.net_kwh / step_hours)
    np.minimum.at(first, code, part.minute)
    np.maximum.at(end, code, part.minute + form.minutes)
    cell = hours.code * 24 + hours.hour
    used = np.bincount(cell, hours.sums[:, 1], minlength=count * 24).reshape(count, 24)
    lived = np.bincount(cell, hours.sums[:, 0], minlength=count * 24).reshape(count, 24)
    every = np.arange(count)
    nan = np.full(count, np.nan)
    incomes = nan if form.income_usd_per_year is None else numbers(part.first[form.income_usd_per_year])
    installed = nan if form.installed_kw is None else numbers(part.first[form.installed_kw])
    groups = list(labels(part.first, form.income, every, np.full(count, ALL)))
    incomes, installed = incomes.copy(), installed.copy()
    for place, name in enumerate(part.names):
        row = told.get(name) or told.get(name.partition("-")[0]) or {}
        groups[place] = row.get("income", groups[place])
        incomes[place] = row.get("income_usd_per_year", incomes[place])
        installed[place] = row.get("installed_kw", installed[place])
    feeds_in = part.generation_kwh is None and part.net_kwh is not None
    solar = (least < -SOLAR_KW) if feeds_in else (most > SOLAR_KW) & (generated > SOLAR_KWH_PER_YEAR)
    return HomeColumns(
        names=part.names,
        groups=tuple(groups),
        income_usd_per_year=incomes,
        installed_kw=installed,
        first=first,
        end=end,
        read=read,
        kwh_per_year=np.bincount(code, kw, minlength=count) / total * HOURS_PER_YEAR,
        generation_kwh_per_year=generated,
        controlled_kwh_per_year=parts[0],
        vehicle_kwh_per_year=parts[1],
        peak_kw=peak,
        peak_generation_kw=most,
        least_kw=least,
        mean_kw=used / np.where(lived > 0, lived, np.nan),
        solar=solar,
        vacant=(read == 0) | (peak <= 0) | (incomes == 0),
    )


def read_homes(path: Path, form: HomesTable) -> dict[str, dict[str, Any]]:
    """Read what a second file says of homes, by name; ``MeterFileError`` in one line."""
    intake, found = Intake(option="--homes"), dict[str, dict[str, Any]]()
    for rows, _ in meter_rows(path, form.columns, intake):
        names = rows[form.customer].astype(str)
        columns: dict[str, list[Any]] = {}
        if form.income is not None:
            said = rows[form.income].fillna("").astype(str)
            columns["income"] = [one or NOT_GIVEN for one in said]
        for key in ("income_usd_per_year", "installed_kw"):
            column = getattr(form, key)
            if column is not None:
                columns[key] = numbers(rows[column]).tolist()
        for place, name in enumerate(names):
            found[name] = {key: values[place] for key, values in columns.items()}
    if not found:
        raise MeterFileError(f"--homes {path}: holds no home; give a row for each customer")
    if form.income is None and form.income_usd_per_year is not None:
        _by_thirds(found)
    return found


def _by_thirds(homes: dict[str, dict[str, Any]]) -> None:
    """Name income groups where the file names none: the lowest, middle and highest third of incomes above 0."""
    incomes = np.array([row["income_usd_per_year"] for row in homes.values()])
    known = incomes[incomes > 0]
    bounds = np.quantile(known, [1 / 3, 2 / 3]) if len(known) else np.zeros(2)
    for row, income in zip(homes.values(), incomes.tolist(), strict=True):
        row["income"] = THIRDS[int(np.searchsorted(bounds, income))] if income > 0 else NOT_GIVEN
