"""What the page of the leader says of what is computed beside the search."""

from collections.abc import Mapping, Sequence

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.dashboard.leader.choice import Choice
from meanwatt.analysis.dashboard.leader.metering import Metered
from meanwatt.analysis.dashboard.leader.sighted import Sighted
from meanwatt.analysis.dashboard.leader.words import CONCEPTS, objective_digits, written
from meanwatt.analysis.dashboard.shared.figures import number, usd
from meanwatt.analysis.dashboard.shared.words import listed
from meanwatt.analysis.metrics.equity import DAYS_PER_YEAR
from meanwatt.model.scenario.counted import counted

METHODS = {
    "softmax": "Menu with softmax",
    "policy_iteration": "Policy iteration on a menu",
    "cma": "Evolution strategy (CMA-ES)",
    "optuna": "Tree-structured estimator (Optuna)",
    "response_matrix": "Response matrix by slot",
}
"""Names of learners for people."""


def doing(concept: str) -> str:
    """What a leader does under a concept, as a sentence."""
    text = CONCEPTS[concept]
    return f"{text[0].upper()}{text[1:]}."


def ending_mark(converged: bool | None, *, stopped: bool) -> tuple[str, str]:
    """A word for how a search ended, and how good that is."""
    if stopped:
        return "stopped", "same"
    return ("converged", "good") if converged else ("not converged", "bad")


def concepts_caption(seen: Sequence[tuple[str, Sighted]]) -> str:
    """Read the objectives of several concepts: which is worth most, and what the others lack."""
    worth = {name: one.best.objective for name, one in seen if one.best is not None}
    some = seen[0][1]
    unit, digits = some.aims.definition.unit, objective_digits(some)
    best = max(worth, key=lambda name: worth[name])
    top = round(worth[best], digits)
    lacks = [
        f"{name} is worth {number(top - round(value, digits), digits)} less"
        if round(value, digits) < top
        else f"{name} is worth as much"
        for name, value in worth.items()
        if name != best
    ]
    told = f"{best.capitalize()} is worth most to the leader, {number(top, digits)} {unit}"
    return f"{told}; {', '.join(lacks)}." if lacks else f"{told}."


def concept_rates_caption(rates: Sequence[tuple[str, Floats]]) -> str:
    """Read the rates of several tariffs: the mean and the range of each."""
    told = []
    for name, values in rates:
        low, high = (usd(float(end), 3) for end in (values.min(), values.max()))
        told.append(f"{name} {low} at every hour" if low == high else f"{name} {low} to {high}")
    return f"A bought kWh costs: {'; '.join(told)}."


def parts_caption(parts: Mapping[str, float], mean: float, pass_through: float) -> str:
    """Read what a bought kWh is made of, over the mean day."""
    told = [f"{usd(parts['posted'], 3)} are posted"]
    if parts["wholesale"]:
        told.append(f"{usd(parts['wholesale'], 3)} come from the wholesale price, of which {pass_through:.0%} pass")
    else:
        told.append("nothing follows the wholesale price")
    if parts["adder"]:
        told.append(f"{usd(parts['adder'], 3)} are the adder that recovers the cost")
    return f"Of the mean {usd(mean, 3)} that a bought kWh costs, {listed(told)}."


def cold_name(name: str, titles: Mapping[str, str], *, designed: str) -> str:
    """A tariff among those compared cold, for people."""
    return "The tariff found" if name == designed else titles.get(name, name[0].upper() + name[1:])


def cold_caption(gain: float | None, cold_gain: float | None, seen: Sighted) -> str:
    """Read what the tariff found gains over the one in force, warm and cold."""
    if gain is None or cold_gain is None:
        return "What the tariff found gains is undefined here, at its own temperature or cold."
    unit = seen.aims.definition.unit
    return (
        f"Over the tariff in force the one found gains {written(gain, seen)} {unit}, and"
        f" {written(cold_gain, seen)} among cold households."
    )


def metered_caption(found: Metered) -> str:
    """Say what a learner's recommendation is worth, and since when it is near the commitment."""
    days = found.trial_days * len(found.recommended)
    years = f"{days:,} metered days ({number(days / DAYS_PER_YEAR, 1)} years)"
    if found.gain is None:
        return f"After {years}: the commitment gains nothing over the tariff in force to compare a learner with."
    share = found.shares[-1]
    if share is None:
        return f"After {years} no tariff has met the cap yet."
    told = f"After {years} the tariff recommended brings {100 * share:.0f} % of the commitment's gain".replace("-", "−")
    if found.near_from is None:
        so_far = "it is not" if found.whole else "so far it is not"
        return f"{told}; {so_far} within 5 %. Meters do not show everything that the leader wants."
    since = found.near_from * found.trial_days
    ends = "stays" if found.whole else "has stayed"
    return f"{told}; from day {since:,} on it {ends} within 5 %."


def given_up(seen: Sighted | None, choice: Choice, others: Sequence[str]) -> str:
    """Say what another choice gave up: the search as far as it was, and what was computed beside it."""
    parts = list(others)
    if seen is not None:
        tried = "tariff" if choice.commits else "round"
        parts.insert(0, f"the search (after {counted(len(seen.steps), tried)})")
    told = listed(parts)
    verb = "were" if len(parts) > 1 else "was"
    return f"{told[0].upper()}{told[1:]} {verb} given up, because you chose something else."
