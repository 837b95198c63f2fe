"""What the page of the leader says."""

from collections.abc import Sequence
from typing import Any

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.dashboard.leader.binding import Held, Parameter
from meanwatt.analysis.dashboard.leader.choice import Choice
from meanwatt.analysis.dashboard.leader.sighted import Sighted
from meanwatt.analysis.dashboard.shared.compared import Compared
from meanwatt.analysis.dashboard.shared.figures import number, usd
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.hours import hour
from meanwatt.analysis.dashboard.shared.mean_day import MeanDay
from meanwatt.analysis.dashboard.shared.words import listed
from meanwatt.model.scenario.counted import counted

FOUND_BY_LEADER = "Found by the leader"
TITLE = "The leader's tariff"
WAITING = "The tariff in force is being solved."
UNASKED = "Press “Search”: the leader then tries one tariff after the other, and you see each."
NOTHING_NEW = (
    "Nothing is changed.",
    "The same search ends at the same tariff. Change a weight, the number of tariffs, the leader or the scenario.",
)
"""Title and text of what is said when a search that converged is asked for once more."""
OPENS_ON = (
    "This page opens on the textbook island, whatever town you come from: a search there takes seconds, elsewhere"
    " minutes. Choose yours under Scenario."
)
IN_FORCE, FOUND, PICKED = "in force", "found", "picked"
CONCEPTS = {
    "commitment": "it posts one tariff for ever",
    "feedback": "it may post another tariff every day",
    "alternating": "it answers the last loads as if nobody moved",
}
"""What a leader does under each concept."""
WEIGHTS = {
    "equity": ("Equity", "$/home·day per 100 % of burden gap", 10.0),
    "stability": ("Stability", "$/home·day per $/kWh of price swing", 20.0),
    "burden_gap_limit": ("Limit on the burden gap", "share of income", 0.1),
    "imv_limit": ("Limit on the price swing", "$/kWh", 0.05),
}
"""Name, unit and end of the slider of a weight; others have their own name and `SLIDER_END`."""
SLIDER_END = 10.0
PARAMETERS = {
    "energy_usd_per_kwh": ("Energy charge, mean of the day", "$/kWh", 3),
    "tou_spread": ("Time-of-use spread", "× that of the scenario's tou", 2),
    "export_credit_usd_per_kwh": ("Export credit", "$/kWh", 3),
    "pass_through": ("Pass-through of the wholesale price", "", 2),
    "fixed_charge_usd_per_day": ("Fixed charge, mean of homes", "$/day", 2),
    "fixed_charge_income_slope": ("Fixed charge rising with income", "0 equal, 1 in proportion", 2),
}
"""Name, unit and decimals of each parameter of the family."""


PARAMETER_ANCHORS = {
    "energy_usd_per_kwh": "tariff",
    "tou_spread": "time-of-use",
    "export_credit_usd_per_kwh": "net-billing",
    "pass_through": "pass-through",
    "fixed_charge_usd_per_day": "fixed-charge",
    "fixed_charge_income_slope": "fixed-charge",
}
"""Where the help page explains each of them."""


def weight_label(name: str) -> tuple[str, str, float]:
    """Name, unit and end of the slider of a weight."""
    return WEIGHTS.get(name, (name.replace("_", " ").capitalize(), "", SLIDER_END))


def sentence(choice: Choice) -> str:
    """Who leads, and what it wants."""
    called, maximises = choice.objective.called, choice.objective.maximises
    return f"{called[0].upper()}{called[1:]} maximises {maximises}; {CONCEPTS[choice.concept]}."


def leader_label(called: str) -> str:
    """A leader in a list of names."""
    bare = called.removeprefix("the ")
    return bare[0].upper() + bare[1:]


def objective_digits(seen: Sighted) -> int:
    """Decimals of the leader's objective that matter."""
    return 4 if seen.aims.definition.is_money else 5


def written(value: float | None, seen: Sighted) -> str:
    """An objective, with the digits that matter."""
    return number(value, objective_digits(seen))


def working(seen: Sighted, choice: Choice) -> str:
    """Where a search stands."""
    tried = f"{counted(len(seen.steps), 'tariff')} tried" if choice.commits else counted(len(seen.steps), "round")
    if seen.best is None:
        return f"{tried}; none yet that may be posted" if seen.steps else f"{tried}; the search begins"
    which = "best objective" if choice.commits else "objective of the tariff posted last"
    return f"{tried}; {which} {written(seen.best.objective, seen)}"


def verdict(seen: Sighted, choice: Choice) -> str:
    """How a search ended that is no longer under way."""
    if seen.best is None:
        return "Stopped before a tariff was found."
    if seen.design is not None and not seen.stopped:
        return said(seen.design.message)
    if choice.commits:
        tried, which = counted(len(seen.steps), "tariff"), "the best so far"
    else:
        tried, which = counted(len(seen.steps), "round"), "the tariff posted last"
    return f"Stopped after {tried}: what you see is {which}, not where the search ends."


def said(message: str) -> str:
    """A sentence of the search with true minus signs."""
    return message.replace(" -", " −").replace("(-", "(−")


def search_caption(seen: Sighted, *, commits: bool) -> str:
    """Read the search: the best so far, beside the tariff in force."""
    if seen.best is None:
        return "No tariff is found yet." if seen.steps else "No tariff is tried yet."
    unit, best, before = seen.aims.definition.unit, seen.best.objective, seen.in_force_objective
    tried = counted(len(seen.steps), "tariff" if commits else "round")
    which = "the best is worth" if commits else "the tariff posted is worth"
    if before is None:
        return f"After {tried} {which} {written(best, seen)} {unit}; in force the objective is undefined."
    digits = objective_digits(seen)
    gain = round(best, digits) - round(before, digits)  # of the numbers as printed here and in the table
    way = "more" if gain >= 0 else "less"
    return (
        f"After {tried} {which} {written(best, seen)} {unit} to the leader, {written(abs(gain), seen)} {way} than the"
        f" tariff in force."
    )


def rates_caption(before: MeanDay, after: MeanDay | None, slot_hours: float, called: str) -> str:
    """Read the rates at the dearest and the cheapest hour."""
    day = before if after is None else after
    name = IN_FORCE if after is None else called
    dear, cheap = int(day.import_usd_per_kwh.argmax()), int(day.import_usd_per_kwh.argmin())
    credit = usd(float(day.export_usd_per_kwh.mean()), 3)
    if float(day.import_usd_per_kwh.max() - day.import_usd_per_kwh.min()) < 5e-4:
        told = f"Under the tariff {name} a kWh costs {usd(float(day.import_usd_per_kwh.mean()), 3)} at every hour"
    else:
        told = (
            f"Under the tariff {name} a kWh is dearest at {hour(dear, slot_hours)},"
            f" {usd(float(day.import_usd_per_kwh[dear]), 3)}, and cheapest at {hour(cheap, slot_hours)},"
            f" {usd(float(day.import_usd_per_kwh[cheap]), 3)}"
        )
    return f"{told}; an exported one earns {credit} on average.{_from(before, after)}"


def _from(before: MeanDay, after: MeanDay | None) -> str:
    if after is None:
        return ""
    mean = [usd(float(day.import_usd_per_kwh.mean()), 3) for day in (before, after)]
    return f" The mean of the day goes from {mean[0]} to {mean[1]}."


def load_caption(before: MeanDay, after: MeanDay | None, slot_hours: float) -> str:
    """Read the load at its peak."""
    peak = _peak(before.net_load_kw, slot_hours)
    if after is None:
        return f"In force the mean home draws most {peak}."
    if peak == _peak(after.net_load_kw, slot_hours):
        return f"The highest load of the mean home stays {peak}."
    return f"The highest load of the mean home goes from {peak} to {_peak(after.net_load_kw, slot_hours)}."


def _peak(load_kw: Floats, slot_hours: float) -> str:
    slot = int(load_kw.argmax())
    return f"{number(float(load_kw[slot]), 2)} kW at {hour(slot, slot_hours)}"


def numbers_caption(rows: Sequence[Compared[Any]], called: str, *, found: bool) -> str:
    """Read the key numbers: on which the tariff found is better and on which worse."""
    if not found:
        return "Nothing is found yet: these are the numbers of the tariff in force."
    named = {kind: [_label(row) for row in rows[1:] if row.kind == kind] for kind in ("good", "bad")}
    if not named["good"] and not named["bad"]:
        return f"The tariff {called} has the numbers of the one in force."
    return f"The tariff {called} is better on {listed(named['good'])} and worse on {listed(named['bad'])}."


def _label(row: Compared[Any]) -> str:
    label = row.figure.label
    return label[0].lower() + label[1:]


def parameter_label(name: str) -> tuple[str, str, int]:
    """Name, unit and decimals of a parameter, which may be of one kind of day."""
    kind, _, day = name.partition(".")
    label, unit, digits = PARAMETERS.get(kind, (kind.replace("_", " "), "", 3))
    return f"{label}, {day} days" if day else label, unit, digits


def parameter_help(name: str) -> str:
    """Where a parameter is explained; empty if nowhere."""
    anchor = PARAMETER_ANCHORS.get(name.partition(".")[0])
    return "" if anchor is None else help_link(anchor)


def bound_word(parameter: Parameter) -> str:
    """Whether a parameter is at a bound."""
    return {"low": "at its lowest", "high": "at its highest", "": "between"}[parameter.at]


def binding(parameters: Sequence[Parameter], held: Held, choice: Choice) -> tuple[str, ...]:
    """What binds, a sentence each."""
    bound = [parameter_label(one.name)[0].lower() for one in parameters if one.at]
    told = []
    if bound:
        verb = "is" if len(bound) == 1 else "are"
        told.append(f"At a bound of the family {verb}: {'; '.join(bound)}.")
    else:
        told.append("No parameter is at a bound of the family.")
    if held.hours_at_cap is not None:
        cap = f"{choice.cap_usd_per_kwh:.4g}"
        if held.hours_at_cap:
            told.append(
                f"The price cap of ${cap} binds in {held.hours_at_cap:.3g} hours of the day: there the leader"
                " would charge more."
            )
        else:
            told.append(f"The price cap of ${cap} does not bind at any hour.")
    if held.recovers_cost:
        told.append("Cost recovery binds: the fixed charge is what makes bills cover energy and network, no more.")
    else:
        told.append("Nothing makes bills cover the cost: the leader keeps what is left.")
    if held.capped_hours:
        told.append(
            f"In {held.capped_hours:.3g} hours of the day an exported kWh earns as much as a bought one costs,"
            " and may not earn more."
        )
    return tuple(told)


def file_name(choice: Choice, ending: str) -> str:
    """Name of a file to take home."""
    return f"meanwatt-{choice.scenario}-{choice.leader}-{choice.concept}.{ending}"
