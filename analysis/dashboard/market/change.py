"""What one solved tariff changed against another, in words whose numbers add up as printed."""

import numpy as np

from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.analysis.dashboard.market.knobs import knobs
from meanwatt.analysis.dashboard.shared.figures import usd
from meanwatt.analysis.dashboard.shared.notices import Notice
from meanwatt.analysis.dashboard.shared.solution import Solution
from meanwatt.model.scenario.economy import DAYS_PER_MONTH

NOTICED_USD_PER_MONTH = 0.5
"""A dearer bill of the poorest group from which the change is called a warning. [USD/month]"""


def change(before: Solution, after: Solution, *, pinned: bool = False, seen: Solution | None = None) -> Notice:
    """Say which numbers a new tariff moved in the mean field: every group's bill, and the utility's books.

    Differences are those of the amounts as printed, to the cent.

    Parameters
    ----------
    pinned
        Whether the tariff before is one that the visitor pinned, not what was in force just before.
    seen
        What was in force just before, if the change is told against another one.
    """
    economy = after.equilibrium.economy
    order = np.argsort(economy.group_income_usd_per_year)
    old, new = (np.round(solution.bill_usd_per_month, 2) for solution in (before, after))
    parts = [
        f"{economy.groups[index].replace('_', ' ').capitalize()}-income bill: {moved(old[index], new[index])}"
        for index in order
    ]
    parts[0] += " a month"
    lost, left = (round(DAYS_PER_MONTH * s.metrics.surplus_usd_per_household_day, 2) for s in (before, after))
    if lost == left:
        parts.append("The utility's books do not change")
    else:
        parts.append(f"Utility's surplus: {moved(lost, left)} per home a month")
    if seen is not None and seen.settings.market_only != before.settings.market_only:
        parts.append(_seen(seen, int(order[0])))
    worse = new[order[0]] - old[order[0]] > NOTICED_USD_PER_MONTH
    return Notice(
        about="change",
        kind="warn" if worse else "good",
        title=_title(before, after, pinned),
        text=f"{'. '.join(parts)}.",
    )


def _seen(seen: Solution, poorest: int) -> str:
    """Say that the bills on the page just before were those of another tariff."""
    group = seen.equilibrium.economy.groups[poorest].replace("_", " ")
    return (
        f"Just before, other charges were in force, under which {group}-income homes paid"
        f" {usd(float(np.round(seen.bill_usd_per_month[poorest], 2)), 2)}: the comparison leaves them out"
    )


def _title(before: Solution, after: Solution, pinned: bool) -> str:
    """Name the factor, if only one differs."""
    since = " from the pinned tariff" if pinned else ""
    preset = after.settings.preset()
    offered = {knob.key: knob for knob in knobs(preset)}
    differing = [
        key
        for key in {**dict(before.settings.changes), **dict(after.settings.changes)}
        if before.settings.get(key, "") != after.settings.get(key, "")
    ]
    if _posted(before) != _posted(after) or len(differing) != 1 or differing[0] not in offered:
        return f"What changed{since}, in the mean field:"
    knob = offered[differing[0]]
    old, new = (knob.show(solution.settings.get(knob.key, knob.default)) for solution in (before, after))
    fixed = after.equilibrium.tariff.recovery is Recovery.FIXED
    equal = ", the network cost recovered as a fixed charge in both" if fixed else ""
    return f"What changed{since} with “{knob.full_label}: {old} → {new}” alone{equal}:"


def _posted(solution: Solution) -> tuple[str, str]:
    """The tariff that is changed from."""
    return solution.settings.tariff, solution.settings.own


def moved(old: float, new: float) -> str:
    """Old and new amount, and their difference."""
    difference = round(new - old, 2)
    sign = "+" if difference > 0 else "±" if difference == 0 else ""
    return f"{usd(old, 2)} → {usd(new, 2)} ({sign}{usd(difference, 2)})"
