"""Adoption as the object that ``adoption --json`` prints, and as tables of a result directory."""

from collections.abc import Callable
from typing import Any

import numpy as np

from meanwatt.agents.numerics.compile_time import compile_seconds
from meanwatt.analysis.adoption.adoption import Adoption
from meanwatt.analysis.adoption.fixed_point import FixedPoint
from meanwatt.analysis.adoption.market import Standing

WORTH = ("capital_usd", "saving_usd_per_year", "npv_usd", "payback_years")


def adoption_json(done: Adoption) -> dict[str, Any]:
    """The object that ``adoption --json`` prints.

    Arrays are ``[year][income][technology]``, named by ``income_groups`` and ``technologies``; shares are those of the
    income group. What a technology costs and saves is that of year 0 under the tariff posted; ``today`` has the same
    under the tariff in force before. What a group cannot own, and what never pays back, is None.
    """
    homes, walked = done.homes, done.path
    first = walked[0] if walked else None
    return {
        "scenario": homes.economy.scenario.name,
        "tariff": done.posted.name,
        "outcome": done.outcome,
        "message": done.message,
        "messages": done.messages,
        "income_groups": homes.economy.groups,
        "technologies": list(homes.names),
        "years": list(range(len(walked))),
        "share": [one.share for one in walked],
        "solar_share": [homes.solar_share(one.share) for one in walked],
        "storage_share": [homes.storage_share(one.share) for one in walked],
        "adder_usd_per_kwh": [one.adder_usd_per_kwh for one in walked],
        "fixed_charge_usd_per_day": [one.fixed_charge_usd_per_day for one in walked],
        "surplus_usd_per_household_day": [one.surplus_usd_per_household_day for one in walked],
        "opt_in": _opt_in_json(done),
        "leader": None if done.aims is None else {"name": done.aims.leader, "weights": dict(done.aims.weights)},
        "parameters": None if done.aims is None else [one.parameters for one in walked],
        "peak_kw": [one.peak_kw for one in walked],
        "limit_curtailed_kwh_per_household_day": _curtailed_json(done),
        "bill_usd_per_year": [one.bill_usd_per_year for one in walked],
        "burden": [one.burden for one in walked],
        **_worth_json(first),
        "today": {"tariff": done.before.name, **_worth_json(done.today)},
        "fixed_point": _points_json(done),
        "seconds": done.seconds,
        "compile_seconds": compile_seconds(),
    }


def adoption_tables(done: Adoption) -> dict[str, dict[str, Any]]:
    """Tables of a result directory: ``shares`` by year, income and technology, ``years``, and ``worth`` in year 0."""
    homes, walked = done.homes, done.path
    names = list(homes.names)
    first = walked[0]

    def column(of: Callable[[Standing], float | None]) -> list[float]:
        return [float("nan") if (value := of(one)) is None else value for one in walked]

    year, group, technology = np.indices((len(walked), *homes.today.shape)).reshape(3, -1).tolist()
    tables: dict[str, dict[str, Any]] = {
        "shares": {
            "year": year,
            "income": [homes.economy.groups[g] for g in group],
            "technology": [names[k] for k in technology],
            "share": np.ravel([one.share for one in walked]),
        },
        "years": {
            "year": list(range(len(walked))),
            "solar_share": column(lambda one: homes.solar_share(one.share)),
            "storage_share": column(lambda one: homes.storage_share(one.share)),
            "adder_usd_per_kwh": column(lambda one: one.adder_usd_per_kwh),
            "surplus_usd_per_household_day": column(lambda one: one.surplus_usd_per_household_day),
            "peak_kw": column(lambda one: one.peak_kw),
            **(
                {"limit_curtailed_kwh_per_household_day": column(lambda one: one.limit_curtailed_kwh)}
                if homes.envelope
                else {}
            ),
            **({"opted_in_share": column(lambda one: homes.opted_share(one.share))} if homes.chosen.any() else {}),
        },
    }
    if first.worth is not None:
        group, technology = np.indices(homes.today.shape).reshape(2, -1).tolist()
        tables["worth"] = {
            "income": [homes.economy.groups[g] for g in group],
            "technology": [names[k] for k in technology],
            **{name: getattr(first.worth, name).ravel() for name in WORTH},
        }
    return tables


def _curtailed_json(done: Adoption) -> list[float | None] | None:
    """What homes curtail to keep their envelope's export limit, year by year; None without an envelope."""
    return None if done.homes.envelope is None else [one.limit_curtailed_kwh for one in done.path]


def _worth_json(standing: Standing | None) -> dict[str, Any]:
    """What technologies cost and save. (income, technology) each"""
    worth = None if standing is None else standing.worth
    return {name: None if worth is None else getattr(worth, name) for name in WORTH}


def _opt_in_json(done: Adoption) -> dict[str, Any] | None:
    """Who chose a rate class, year by year, and what that saves in year 0; None where nobody may choose.

    ``share`` is that of all homes, ``by_income_group`` that of each group; savings are (income, technology) beside the
    same technology without the class, None where it is not open.
    """
    homes = done.homes
    if not homes.chosen.any():
        return None
    worth = done.path[0].worth if done.path else None
    saving = None
    if worth is not None:
        saving = worth.saving_usd_per_year[:, homes.chosen] - worth.saving_usd_per_year[:, ~homes.chosen]
    return {
        "share": [homes.opted_share(one.share) for one in done.path],
        "by_income_group": [one.share[:, homes.chosen].sum(axis=1) for one in done.path],
        "technologies": list(homes.names[: homes.apart]),
        "saving_usd_per_year": saving,
    }


def _points_json(done: Adoption) -> dict[str, Any]:
    apart = done.apart
    return {
        "starts": [_point_json(done, point) for point in done.points],
        "largest_difference": apart,
        "one_point": None if apart is None else apart <= done.apart_limit,
    }


def _point_json(done: Adoption, point: FixedPoint) -> dict[str, Any]:
    homes, found = done.homes, point.standing
    return {
        "start": point.start,
        "way": point.way,
        "outcome": point.outcome,
        "message": point.message,
        "equilibria": point.rounds,
        "feedback": point.feedback,
        "residual": point.residual,
        "share": None if found is None else found.share,
        "solar_share": None if found is None else homes.solar_share(found.share),
        "storage_share": None if found is None else homes.storage_share(found.share),
        "opted_in_share": None if found is None or not homes.chosen.any() else homes.opted_share(found.share),
        "adder_usd_per_kwh": None if found is None else found.adder_usd_per_kwh,
        "fixed_charge_usd_per_day": None if found is None else found.fixed_charge_usd_per_day,
        "surplus_usd_per_household_day": None if found is None else found.surplus_usd_per_household_day,
    }
