"""Usual practice against the equilibrium as the object that ``practice --json`` prints, as tables and as figures."""

from typing import TYPE_CHECKING, Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.compile_time import compile_seconds
from meanwatt.agents.tariff.rate_classes import called
from meanwatt.analysis.design.design import tariff_table
from meanwatt.analysis.design.family_result import family_json
from meanwatt.analysis.metrics.equity import DAYS_PER_YEAR, burden
from meanwatt.analysis.output.envelopes_json import envelopes_json, place_keys
from meanwatt.analysis.output.solution_json import equilibrium_metrics, group_rows, metrics_json, solution_tables
from meanwatt.analysis.practice.filing import Filing, Predicted, posted_balance
from meanwatt.analysis.practice.practice import Practice
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.mean_field.population.population_response import posted_charge_usd_per_day
from meanwatt.model.scenario.rate_classes import DEFAULT

if TYPE_CHECKING:
    from meanwatt.agents.tariff.tariff import Tariff
    from meanwatt.model.scenario.economy import Economy

TITLES = {
    "filed": "Filed by usual practice",
    "commitment": "Committed to for welfare, in the windows of usual practice",
}


def practice_json(done: Practice) -> dict[str, Any]:
    """The object that ``practice --json`` prints; parts that were not reached are None."""
    return {
        "scenario": done.in_force.economy.scenario.name,
        "tariff": called(done.in_force.tariff),
        "outcome": done.outcome,
        "message": done.message,
        "messages": done.messages,
        "windows_of": done.windows.taken_from,
        "family": family_json(done.families, done.commitment),
        "in_force": _equilibrium_json(done.in_force),
        "filed": None if done.filing is None else _filed_json(done, done.filing),
        "equilibrium": None if done.equilibrium is None else _posted_json(done.equilibrium),
        "commitment": _commitment_json(done),
        **envelopes_json(() if done.equilibrium is None else done.equilibrium.envelopes),
        "error": _error_json(done),
        "welfare_lost_usd_per_household_day": done.welfare_lost_usd_per_household_day,
        "seconds": done.seconds,
        "compile_seconds": compile_seconds(),
    }


def revenue_usd_per_household_day(found: Equilibrium) -> float:
    """Net bills with all standing charges, population mean. [USD per household-day]"""
    return float(found.economy.type_share @ found.bill_usd_per_day)


def predicted_groups(economy: "Economy", tariff: "Tariff", predicted: Predicted) -> list[dict[str, Any]]:
    """One row per household type: what it is predicted to pay a year, and how much of its income that is."""
    classes = [one.name for one in tariff.classes] or [DEFAULT]
    burdens = burden(predicted.bill_usd_per_day, [one.income_usd_per_year for one in economy.types])
    rows = zip(economy.types, (DAYS_PER_YEAR * predicted.bill_usd_per_day).tolist(), burdens.tolist(), strict=True)
    return [
        {
            "income": one.income_group,
            "technology": one.technology,
            **place_keys(one, economy.types),
            "rate_class": classes[tariff.class_index(one)],
            "share": one.share,
            "bill_usd_per_year": bill,
            "burden": part,
        }
        for one, bill, part in rows
    ]


def practice_tables(done: Practice) -> dict[str, dict[str, Any]]:
    """Tables of a result directory: loads by (common state, slot), bills by type, rates by window."""
    assert done.filing is not None
    slots = {k: v for k, v in solution_tables(done.in_force)["slots"].items() if k not in ("curtailed_kw",)}
    loads = {"predicted": done.filing.predicted.net_load_kw}
    bills = {"predicted": done.filing.predicted.bill_usd_per_day}
    rates = {"filed": done.filing.rates_usd_per_kwh}
    if done.equilibrium is not None:
        loads["equilibrium"] = done.equilibrium.net_load_kw
        bills["equilibrium"] = done.equilibrium.bill_usd_per_day
    if done.commitment is not None and done.committed_usd_per_kwh is not None:
        loads["commitment"] = done.commitment.equilibrium.net_load_kw
        bills["commitment"] = done.commitment.equilibrium.bill_usd_per_day
        rates["commitment"] = done.committed_usd_per_kwh
    economy = done.in_force.economy
    types = economy.types
    return {
        "slots": slots | {f"{name}_net_load_kw": load.ravel() for name, load in loads.items()},
        "types": {
            "income": [one.income_group for one in types],
            "technology": [one.technology for one in types],
            **{key: [place_keys(one, economy.types)[key] for one in types] for key in place_keys(types[0], types)},
            "share": [one.share for one in types],
            **{f"{name}_bill_usd_per_year": DAYS_PER_YEAR * bill for name, bill in bills.items()},
        },
        "windows": {
            "window": list(done.windows.names),
            "imports_kwh_per_household_day": done.filing.imports_kwh_per_day,
            **{f"{name}_usd_per_kwh": rate for name, rate in rates.items()},
        },
    }


def _peak(load_kw: Floats, economy: "Economy") -> float:
    """Largest mean net load of all common states that occur. [kW]"""
    return float(load_kw[economy.common.probability > 0].max())


def _windows(done: Practice, rates: Floats) -> list[dict[str, Any]]:
    return [{"name": name, "usd_per_kwh": rate} for name, rate in zip(done.windows.names, rates.tolist(), strict=True)]


def _charges(economy: "Economy", charge: Floats) -> dict[str, float]:
    """Fixed charge of the default class by income group, of charges of all classes (payer,)."""
    return dict(zip(economy.groups, charge.ravel()[: len(economy.groups)].tolist(), strict=True))


def _class_rows(economy: "Economy", tariff: "Tariff", charge: Floats, title: str) -> list[dict[str, Any]]:
    """Tariff of every rate class as a file writes it, and its fixed charges, which are given for all payers."""
    names = [one.name for one in tariff.classes] or [DEFAULT]
    charges = charge.reshape(len(names), -1)
    return [
        {
            "name": name,
            "tariff_table": tariff_table(own, economy) | {"title": title},
            "fixed_charge_usd_per_day": _charges(economy, paid),
        }
        for name, own, paid in zip(names, tariff.class_tariffs, charges, strict=True)
    ]


def _equilibrium_json(found: Equilibrium) -> dict[str, Any]:
    metrics = equilibrium_metrics(found)
    return {
        "tariff": called(found.tariff),
        "outcome": found.outcome,
        "message": found.message,
        "peak_kw": _peak(found.net_load_kw, found.economy),
        "net_load_kw": found.net_load_kw,
        "wholesale_usd_per_kwh": found.wholesale_usd_per_kwh,
        "revenue_usd_per_household_day": revenue_usd_per_household_day(found),
        "surplus_usd_per_household_day": found.surplus_usd_per_household_day,
        "welfare_usd_per_household_day": metrics.welfare_usd_per_household_day,
        "fixed_charge_usd_per_day": _charges(found.economy, found.fixed_charge_usd_per_day),
        "groups": group_rows(found),
        "metrics": metrics_json(metrics, None),
    }


def _posted_json(found: Equilibrium) -> dict[str, Any]:
    """The equilibrium under charges as filed, and the fixed charge that would balance its books."""
    without = found.surplus_usd_per_household_day - posted_charge_usd_per_day(
        found.economy, found.tariff, found.fixed_charge_usd_per_day
    )
    balanced = posted_balance(found.economy, found.tariff, without)
    return {**_equilibrium_json(found), "balanced_fixed_charge_usd_per_day": _charges(found.economy, balanced)}


def _filed_json(done: Practice, filing: Filing) -> dict[str, Any]:
    economy, predicted = done.in_force.economy, filing.predicted
    rows = zip(_windows(done, filing.rates_usd_per_kwh), filing.imports_kwh_per_day.tolist(), strict=True)
    return {
        "tariff": tariff_table(filing.tariff, economy) | {"title": TITLES["filed"]},
        "windows": [{**row, "imports_kwh_per_household_day": sold} for row, sold in rows],
        "fixed_charge_usd_per_day": _charges(economy, filing.tariff.payer_charge_usd_per_day),
        "rate_classes": _class_rows(economy, filing.tariff, filing.tariff.payer_charge_usd_per_day, TITLES["filed"]),
        "frozen_revenue_usd_per_household_day": filing.frozen.revenue_usd_per_household_day,
        "predicted": {
            "peak_kw": _peak(predicted.net_load_kw, economy),
            "net_load_kw": predicted.net_load_kw,
            "revenue_usd_per_household_day": predicted.revenue_usd_per_household_day,
            "surplus_usd_per_household_day": predicted.surplus_usd_per_household_day,
            "groups": predicted_groups(economy, filing.tariff, predicted),
        },
    }


def _commitment_json(done: Practice) -> dict[str, Any] | None:
    found, rates = done.commitment, done.committed_usd_per_kwh
    if found is None or rates is None:
        return None
    return {
        **_equilibrium_json(found.equilibrium),
        "outcome": found.outcome,
        "message": found.message,
        "tariff": tariff_table(found.tariff, found.equilibrium.economy) | {"title": TITLES["commitment"]},
        "rate_classes": _class_rows(
            found.equilibrium.economy, found.tariff, found.equilibrium.fixed_charge_usd_per_day, TITLES["commitment"]
        ),
        "windows": _windows(done, rates),
        "evaluations": len(found.trials),
    }


def _error_json(done: Practice) -> dict[str, Any] | None:
    """Predicted less what happens in the equilibrium under the filed tariff."""
    if done.filing is None or done.equilibrium is None or not done.equilibrium.converged:
        return None
    said, found = done.filing.predicted, done.equilibrium
    economy = found.economy
    apart = said.net_load_kw - found.net_load_kw
    bills = DAYS_PER_YEAR * (said.bill_usd_per_day - found.bill_usd_per_day)
    return {
        "peak_kw": _peak(said.net_load_kw, economy) - _peak(found.net_load_kw, economy),
        "net_load_rms_kw": float(np.sqrt(economy.common.probability @ (apart**2).mean(axis=1))),
        "revenue_usd_per_household_day": said.revenue_usd_per_household_day - revenue_usd_per_household_day(found),
        "surplus_usd_per_household_day": said.surplus_usd_per_household_day - found.surplus_usd_per_household_day,
        "groups": [
            {
                "income": one.income_group,
                "technology": one.technology,
                **place_keys(one, economy.types),
                "share": one.share,
                "bill_usd_per_year": bill,
            }
            for one, bill in zip(economy.types, bills.tolist(), strict=True)
        ],
    }
