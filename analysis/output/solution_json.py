"""A solved equilibrium as the object that ``solve --json`` prints, and as tables."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.compile_time import compile_seconds
from meanwatt.analysis.metrics.efficiency import price_of_anarchy
from meanwatt.analysis.metrics.equity import (
    DAYS_PER_YEAR,
    bill_alignment_usd_per_day,
    burden,
    lorenz_curve,
    own_marginal_cost_usd_per_day,
)
from meanwatt.analysis.metrics.metrics import Metrics, mean_field_metrics
from meanwatt.analysis.metrics.residual_allotment import Allotter
from meanwatt.analysis.metrics.undefined import undefined_messages
from meanwatt.analysis.output.envelopes_json import envelopes_json, place_keys
from meanwatt.analysis.output.rate_classes import (
    class_adder_usd_per_kwh,
    class_fixed_charge_usd_per_day,
    class_names,
    rate_class_rows,
)
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome
from meanwatt.model.mean_field.first_best import FirstBest, solve_first_best
from meanwatt.model.mean_field.population.population_response import standing_revenue_usd_per_day
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.envelopes import limits_load
from meanwatt.model.scenario.messages import Messages, joined
from meanwatt.model.scenario.tariff_file import charge_names

ALLOTTER = Allotter.PER_CUSTOMER
"""How the network's cost is allotted where a bill is set against what its household costs."""


def equilibrium_metrics(equilibrium: Equilibrium, first_best: FirstBest | None = None) -> Metrics:
    """Metrics of the continuum at an equilibrium; the efficiency gap needs the first best of the same economy."""
    answer = equilibrium.answer
    return mean_field_metrics(
        equilibrium.economy,
        wholesale_usd_per_kwh=equilibrium.wholesale_usd_per_kwh,
        net_load_kw=equilibrium.net_load_kw,
        bill_usd_per_day=equilibrium.bill_usd_per_day,
        utility_usd_per_day=answer.utility_usd_per_day,
        wear_usd_per_day=answer.wear_usd_per_day,
        first_best_welfare=None if first_best is None else first_best.welfare_usd_per_household_day,
    )


def find_first_best(economy: Economy, watch: Watch | None = None) -> tuple[FirstBest | None, str]:
    """First best of an economy and a sentence about it; None where the planner's problem is refused.

    Raises
    ------
    Cancelled
        If the watch's owner asked to stop.
    """
    try:
        found = solve_first_best(economy, watch=watch)
    except ValueError as error:
        return None, f"No first best: {error}."
    gap = found.duality_gap_usd
    if not found.converged:
        return (
            found,
            f"The first best is known to {gap:.1e} USD per household-day only; the gap may be too large by it.",
        )
    return found, f"The first best is known to {gap:.1e} USD per household-day."


def first_best_messages(found: FirstBest | None, sentence: str) -> Messages:
    """The sentence of `find_first_best` where the first best is missing or not exact enough."""
    return () if found is not None and found.converged else (sentence,)


def metrics_json(metrics: Metrics, first_best: FirstBest | None) -> dict[str, Any]:
    """Metrics under their own names, with the price of anarchy; undefined ones are None."""
    welfare = metrics.welfare_usd_per_household_day
    anarchy = None if first_best is None else price_of_anarchy(welfare, first_best.welfare_usd_per_household_day)
    return {**metrics.to_json(), "price_of_anarchy": anarchy}


def solution_json(
    equilibrium: Equilibrium,
    *,
    exploitability: float | None,
    first_best: FirstBest | None,
    first_best_message: str,
    messages: Messages,
    seconds: float,
    given: Mapping[str, Any],
) -> dict[str, Any]:
    """The object that ``solve --json`` prints.

    Parameters
    ----------
    exploitability
        Of the equilibrium; None where it was not asked for. [USD per household-day]
    first_best, first_best_message
        As `find_first_best` gives them.
    messages
        What was skipped, beside the equilibrium's own messages.
    seconds
        Time the command took, of which this process compiled kernels for ``compile_seconds``. [s]
    given
        Settings as the user gave them.

    Returns
    -------
    dict
        Of rate classes, rates, adder and fixed charges at the top are the default one's; ``rate_classes`` has a row for
        each. Arrays are numpy; `meanwatt.analysis.output.strict_json.dumps` writes them. ``converged`` is True for that
        outcome alone.
    """
    economy, tariff = equilibrium.economy, equilibrium.tariff
    common, metrics = economy.common, equilibrium_metrics(equilibrium, first_best)
    return {
        "scenario": economy.scenario.name,
        "tariff": tariff.name,
        "outcome": equilibrium.outcome,
        "message": equilibrium.message,
        "messages": joined(equilibrium.messages, messages, undefined_messages(metrics, of_bills=("lorenz",))),
        "converged": equilibrium.outcome is Outcome.CONVERGED,
        "iterations": equilibrium.iterations,
        "seconds": seconds,
        "compile_seconds": compile_seconds(),
        "residual_usd_per_kwh": equilibrium.residual_usd_per_kwh,
        "exploitability_usd_per_household_day": exploitability,
        "softmax_bound_usd_per_household_day": equilibrium.softmax_bound_usd_per_household_day,
        "contraction": equilibrium.contraction,
        "uniqueness": equilibrium.uniqueness,
        "wholesale_usd_per_kwh": equilibrium.wholesale_usd_per_kwh,
        "import_usd_per_kwh": equilibrium.rates.import_usd_per_kwh,
        "export_usd_per_kwh": equilibrium.rates.export_usd_per_kwh,
        "net_load_kw": equilibrium.net_load_kw,
        "closure_error_kw": equilibrium.closure_error_kw,
        "curtailed_kw": equilibrium.curtailed_kw,
        "curtailed_kwh_per_household_day": equilibrium.curtailed_kwh_per_household_day,
        "unmet_trip_kwh_per_household_day": equilibrium.unmet_trip_kwh_per_household_day,
        **envelopes_json(equilibrium.envelopes),
        "adder_usd_per_kwh": class_adder_usd_per_kwh(equilibrium, 0),
        "fixed_charge_usd_per_day": class_fixed_charge_usd_per_day(equilibrium, 0),
        "rate_classes": rate_class_rows(equilibrium),
        **standing_revenue(equilibrium),
        "groups": group_rows(equilibrium),
        "bill_alignment_allotter": ALLOTTER,
        "lorenz": lorenz_json(equilibrium),
        "metrics": metrics_json(metrics, first_best),
        "first_best": {
            "welfare_usd_per_household_day": None if first_best is None else first_best.welfare_usd_per_household_day,
            "duality_gap_usd_per_household_day": None if first_best is None else first_best.duality_gap_usd,
            "curtailed_kwh_per_household_day": None
            if first_best is None
            else first_best.curtailed_kwh_per_household_day,
            "converged": first_best is not None and first_best.converged,
            "message": first_best_message,
        },
        "common_states": [
            {"day_types": list(label), "probability": chance}
            for label, chance in zip(common.labels(), common.probability.tolist(), strict=True)
        ],
        "settings": dict(given),
    }


def group_rows(equilibrium: Equilibrium) -> list[dict[str, Any]]:
    """One row per household type: who they are, what they pay a year, how much of their income that is, and of what.

    ``<charge>_usd_per_day`` is the part of the bill that does not depend on use, charge by charge. The bill's alignment
    is what it exceeds the type's own marginal cost and an equal share of the network's cost by: positive pays for
    others.
    """
    rows = []
    parts, classes = standing_parts(equilibrium), class_names(equilibrium)
    economy, bills = equilibrium.economy, equilibrium.bill_usd_per_day
    own_cost = own_marginal_cost_usd_per_day(
        equilibrium.type_net_load_kw,
        equilibrium.wholesale_usd_per_kwh,
        slot_hours=economy.slot_hours,
        probability=economy.common.probability,
    )
    aligned = bill_alignment_usd_per_day(bills, own_cost, economy.fixed_cost_usd_per_day, allotter=ALLOTTER)
    assert aligned is not None
    burdens = burden(bills, [household.income_usd_per_year for household in economy.types])
    for type_index, (household, bill) in enumerate(zip(economy.types, bills.tolist(), strict=True)):
        yearly = DAYS_PER_YEAR * bill
        rows.append(
            {
                "income": household.income_group,
                "technology": household.technology,
                **place_keys(household, economy.types),
                "rate_class": classes[equilibrium.tariff.class_index(household)],
                "share": household.share,
                "discount": float(equilibrium.tariff.of(household).discount[household.group]),
                "bill_usd_per_year": yearly,
                "burden": float(burdens[type_index]),
                "own_marginal_cost_usd_per_year": DAYS_PER_YEAR * float(own_cost[type_index]),
                "bill_alignment_usd_per_year": DAYS_PER_YEAR * float(aligned[type_index]),
                **{f"{name}_usd_per_day": float(paid[type_index]) for name, paid in parts.items()},
            }
        )
    return rows


def lorenz_json(equilibrium: Equilibrium) -> dict[str, Floats] | None:
    """Lorenz curve of the bills over household types, from the smallest to the largest; None if their mean is ≤ 0."""
    curve = lorenz_curve(equilibrium.bill_usd_per_day, equilibrium.economy.type_share)
    return None if curve is None else {"population_share": curve.population_share, "bill_share": curve.bill_share}


def standing_parts(equilibrium: Equilibrium) -> dict[str, Floats]:
    """What each household type pays whatever it uses, by name of every charge there is, 0 if not posted. (θ,) each"""
    paid = equilibrium.standing_parts_usd_per_day
    return paid | {name: np.zeros(len(equilibrium.economy.types)) for name in charge_names() if name not in paid}


def standing_revenue(equilibrium: Equilibrium) -> dict[str, float]:
    """Revenue of every charge beside the fixed one that does not depend on use. [USD per household-day]"""
    paid = standing_revenue_usd_per_day(equilibrium.economy, equilibrium.tariff)
    return {
        f"{name}_revenue_usd_per_household_day": revenue
        for name, revenue in {**dict.fromkeys(charge_names(), 0.0), **paid}.items()
    }


def solution_tables(equilibrium: Equilibrium) -> dict[str, dict[str, Any]]:
    """Tables of an equilibrium: ``slots`` by (common state, slot), ``types``, and ``type_slots`` by all three."""
    economy = equilibrium.economy
    labels = [" > ".join(label) for label in economy.common.labels()]
    state, slot = (index.ravel() for index in np.indices(equilibrium.net_load_kw.shape))
    type_index, type_state, type_slot = (index.ravel() for index in np.indices(equilibrium.type_net_load_kw.shape))
    rows = group_rows(equilibrium)
    return {
        "slots": {
            "common_state": state,
            "day_types": [labels[c] for c in state],
            "probability": economy.common.probability[state],
            "slot": slot,
            "wholesale_usd_per_kwh": equilibrium.wholesale_usd_per_kwh.ravel(),
            "import_usd_per_kwh": equilibrium.rates.import_usd_per_kwh.ravel(),
            "export_usd_per_kwh": equilibrium.rates.export_usd_per_kwh.ravel(),
            "net_load_kw": equilibrium.net_load_kw.ravel(),
            "curtailed_kw": equilibrium.curtailed_kw.ravel(),
            "rest_load_kw": economy.rest_load_kw.ravel(),
        },
        "types": {name: [row[name] for row in rows] for name in rows[0]},
        "type_slots": {
            "income": [economy.types[k].income_group for k in type_index],
            "technology": [economy.types[k].technology for k in type_index],
            **({"branch": [economy.types[k].branch for k in type_index]} if economy.scenario.feeder.branches else {}),
            **({"envelope": [economy.types[k].place[1] for k in type_index]} if limits_load(economy.types) else {}),
            "common_state": type_state,
            "slot": type_slot,
            "net_load_kw": equilibrium.type_net_load_kw.ravel(),
        },
    }
