"""Changes of bills as the object that ``impacts --json`` prints, as tables of a result directory, and for people."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from meanwatt.agents.numerics.compile_time import compile_seconds
from meanwatt.analysis.impacts.bill_changes import BillChanges, changes_json, difference_json
from meanwatt.analysis.impacts.population import PopulationImpacts
from meanwatt.analysis.impacts.simulated_meters import SimulatedMeters
from meanwatt.analysis.output.solution_json import equilibrium_metrics

LIFTED = ("customers", "change_usd_per_year", "winners_share", "groups", "revenue", "lorenz", "suits")
"""Keys that stand at the top, too: with the response where there is one."""


def population_json(done: PopulationImpacts) -> dict[str, Any]:
    """The object that ``impacts --json`` prints of a simulated population; parts that were not reached are None."""
    without = with_response = None
    if done.without_response is not None and done.frozen is not None:
        surplus = done.frozen.surplus_usd_per_household_day
        without = changes_json(done.without_response) | {
            "adder_usd_per_kwh": done.frozen.offer.adder_usd_per_kwh,
            "fixed_charge_usd_per_day": _charges(done, done.frozen.offer.fixed_charge_usd_per_day),
            "surplus_usd_per_household_day": _pair(done.in_force.surplus_usd_per_household_day, surplus),
        }
    if done.with_response is not None and done.new is not None:
        pair = done.in_force, done.new
        with_response = changes_json(done.with_response) | {
            "adder_usd_per_kwh": done.new.adder_usd_per_kwh,
            "fixed_charge_usd_per_day": _charges(done, done.new.fixed_charge_usd_per_day),
            "surplus_usd_per_household_day": _pair(*(one.surplus_usd_per_household_day for one in pair)),
            "welfare_usd_per_household_day": _pair(
                *(equilibrium_metrics(one).welfare_usd_per_household_day for one in pair)
            ),
        }
    return impacts_json(without, with_response, _difference(done.without_response, done.with_response)) | {
        "scenario": done.in_force.economy.scenario.name,
        "outcome": done.outcome,
        "message": done.message,
        "messages": done.messages,
        "days": done.days,
        "seconds": done.seconds,
        "compile_seconds": compile_seconds(),
    }


def simulated_json(done: SimulatedMeters) -> dict[str, Any]:
    """The same for two tariffs as filed on simulated meters."""
    force = done.in_force
    without, with_response = (
        None if found is None else changes_json(found) for found in (done.without_response, done.with_response)
    )
    return impacts_json(without, with_response, _difference(done.without_response, done.with_response)) | {
        "scenario": force.economy.scenario.name,
        "tariff": force.tariff.name,
        "titles": {"a": done.billers[0].file.book.title, "b": done.billers[1].file.book.title},
        "currency": done.billers[0].file.book.currency,
        "outcome": done.outcome,
        "message": _simulated_message(done),
        "messages": done.messages,
    }


def _simulated_message(done: SimulatedMeters) -> str:
    one, other = done.without_response, done.with_response
    if one is None or (other is None and done.new is not None):
        last = done.new or done.in_force
        return f"Under tariff {last.tariff.name}: {last.message}"
    count = len(one.before_usd_per_year)
    if other is None:
        return f"{count} simulated households billed under both tariffs, without a response."
    return (
        f"{count} simulated households billed under both tariffs: the mean bill changes by"
        f" {one.change_usd_per_year.mean():+.2f} {done.billers[0].file.book.currency} a year without a response and by"
        f" {other.change_usd_per_year.mean():+.2f} with it."
    )


def impacts_json(
    without: Mapping[str, Any] | None, with_response: Mapping[str, Any] | None, difference: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Both distributions, and at the top the one with the response where there is one."""
    shown = with_response or without or {}
    said = None if not shown else "with_response" if with_response else "without_response"
    return {
        **{name: shown.get(name) for name in LIFTED},
        "shown": said,
        "without_response": without,
        "with_response": with_response,
        "response": difference,
    }


def _difference(without: BillChanges | None, with_response: BillChanges | None) -> dict[str, Any] | None:
    return None if without is None or with_response is None else difference_json(without, with_response)


def _pair(a: float, b: float) -> dict[str, float]:
    return {"a": a, "b": b}


def _charges(done: PopulationImpacts, charge: Any) -> dict[str, float]:
    return dict(zip(done.in_force.economy.groups, charge.tolist(), strict=True))


def impact_tables(
    without: BillChanges | None, with_response: BillChanges | None, names: Mapping[str, Any] | None = None
) -> dict[str, dict[str, Any]]:
    """Tables of a result directory: a row for each customer, and one for each group.

    Parameters
    ----------
    names
        Further columns of the customers, (customer,) each, to begin with.
    """
    one = without if without is not None else with_response
    if one is None:
        return {}
    who = one.customers
    customers: dict[str, Any] = {
        **(names or {}),
        "income": np.array(who.incomes)[who.income_index],
        "technology": np.array(who.technologies)[who.technology_index],
        "usage_decile": who.decile,
        "bought_kwh_per_year": who.bought_kwh_per_year,
        "bill_a_usd_per_year": one.before_usd_per_year,
    }
    if who.income_usd_per_year is not None:
        customers["income_usd_per_year"] = who.income_usd_per_year
    groups: dict[str, Any] = {}
    for label, found in (("without_response", without), ("with_response", with_response)):
        if found is None:
            continue
        customers[f"{label}_bill_b_usd_per_year"] = found.after_usd_per_year
        customers[f"{label}_change_usd_per_year"] = found.change_usd_per_year
        rows = changes_json(found)["groups"]
        for key in rows[0]:
            shared = key in ("income", "technology", "usage_decile", "customers", "mean_bought_kwh_per_year")
            groups[key if shared else f"{label}_{key}"] = [row[key] for row in rows]
    return {"customers": customers, "groups": groups}
