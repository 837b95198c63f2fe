"""What an import of household data tells, as the object that ``--json`` prints and as tables of a result directory."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.model.households.check import Check
from meanwatt.model.households.made_scenario import MadeScenario
from meanwatt.model.households.survey import Survey

BAND: Final = (0.1, 0.5, 0.9)
"""Quantiles over homes that are told of each hour."""
YEAR: Final = {"p5": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}


def households_json(survey: Survey, checks: Sequence[Check], made: MadeScenario) -> dict[str, Any]:
    """Homes, groups, checks, what came of the rows, and what the scenario says."""
    homes, lived = survey.homes, ~survey.homes.vacant
    wrong = [check.name for check in checks if check.status == "wrong"]
    return {
        "homes": len(homes.names),
        "vacant": int(homes.vacant.sum()),
        "with_solar": int((homes.solar & lived).sum()),
        "from": _when(int(homes.first.min())),
        "to": _when(int(homes.end.max())),
        "minutes": survey.form.minutes,
        "kwh_per_year": _spread(homes.kwh_per_year[lived]),
        "generation_kwh_per_year": _spread(homes.generation_kwh_per_year[lived & homes.solar]),
        "groups": [_group(survey, name, made.table["income_groups"].get(name)) for name in survey.days.groups],
        "checks": [check.to_json() for check in checks],
        "wrong": wrong,
        "columns_not_read": list(survey.unread),
        "keys_without_column": list(survey.missing),
        "readings": survey.intake.to_json(),
        "measured": dict(made.measured),
    }


def _when(minute: int) -> str:
    return str(np.datetime64(minute, "m")) + "Z"


def _spread(values: Floats) -> dict[str, float] | None:
    if not len(values):
        return None
    return {"mean": float(values.mean())} | {name: float(np.quantile(values, at)) for name, at in YEAR.items()}


def homes_of(survey: Survey, group: str) -> Bools:
    """Which homes are of a group and not vacant. (home,)"""
    return np.array([name == group for name in survey.homes.groups]) & ~survey.homes.vacant


def band_kw(survey: Survey, group: str) -> tuple[Floats, Floats]:
    """Mean day of a group's homes, each counting the same, and quantiles over them. (hour,), (quantile, hour) [kW]"""
    mean_kw = survey.homes.mean_kw[homes_of(survey, group)]
    whole = mean_kw[np.isfinite(mean_kw).all(axis=1)]
    if not len(whole):
        return np.full(24, np.nan), np.full((len(BAND), 24), np.nan)
    return whole.mean(axis=0), np.quantile(whole, BAND, axis=0)


def _group(survey: Survey, name: str, table: Mapping[str, Any] | None) -> dict[str, Any]:
    mine = homes_of(survey, name)
    mean, band = band_kw(survey, name)
    return {
        "name": name,
        "homes": int(mine.sum()),
        "with_solar": int((mine & survey.homes.solar).sum()),
        "kwh_per_year": _spread(survey.homes.kwh_per_year[mine]),
        "mean_kw": _plain(mean),
        **{f"p{round(100 * at)}_kw": _plain(values) for at, values in zip(BAND, band, strict=True)},
        "in_scenario": None if table is None else dict(table),
    }


def _plain(values: Floats) -> list[float | None]:
    return [float(one) if np.isfinite(one) else None for one in values]


def household_tables(survey: Survey) -> dict[str, dict[str, Any]]:
    """A row for each home, and the mean day of each group."""
    homes = survey.homes
    days = {"group": [], "hour": [], "mean_kw": [], "p10_kw": [], "p50_kw": [], "p90_kw": []}  # type: dict[str, list[Any]]
    for name in survey.days.groups:
        mean, band = band_kw(survey, name)
        days["group"] += [name] * 24
        days["hour"] += list(range(24))
        for key, values in zip(("mean_kw", "p10_kw", "p50_kw", "p90_kw"), (mean, *band), strict=True):
            days[key] += values.tolist()
    return {
        "homes": {
            "customer": list(homes.names),
            "group": list(homes.groups),
            "from_minute": homes.first,
            "to_minute": homes.end,
            "intervals": homes.read,
            "kwh_per_year": homes.kwh_per_year,
            "generation_kwh_per_year": homes.generation_kwh_per_year,
            "peak_kw": homes.peak_kw,
            "installed_kw": homes.installed_kw,
            "solar": homes.solar,
            "vacant": homes.vacant,
        },
        "shapes": days,
    }
