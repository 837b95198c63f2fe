"""What expected bills are made of, as a table that adds up: by rate class, or else by technology."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from meanwatt.agents.tariff.components.minimum_bill import MinimumBill
from meanwatt.analysis.dashboard.shared.bill_parts import (
    CENTS_PER_MONTH,
    COMPONENTS,
    EXPORTS,
    Billable,
    cents,
    in_cents,
    part_label,
    parts_usd_per_day,
    technology_label,
)
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.output.rate_classes import class_names, class_of_type
from meanwatt.model.mean_field.components.component_messages import component_messages

PARTS: Final = "What the bills are made of"
SAYS: Final = "What these bills approximate"
MEANS: Final = "Means of the mean field, before any home is simulated; every column adds up."
MINIMUM: Final = "Minimum bill"
OTHERS: Final = "others"
"""What the class of those whom no other class names is called."""


def has_classes(found: Billable) -> bool:
    """Whether homes are in several rate classes; prices that differ by branch alone make none."""
    return found.equilibrium.economy.scenario.has_rate_classes


def class_label(name: str, place: int) -> str:
    """A rate class in words."""
    return name.replace("_", " ") if place else OTHERS


def parts_board(found: Billable, title: str = PARTS, caption: str = MEANS, home: str = "") -> dict[str, Any]:
    """A row for each part of the mean bill, a column for each rate class, or technology where there is but one.

    Parameters
    ----------
    home
        Name of a household type that has a column of its own before the others, beside the mean of all homes where
        there is but one class.
    """
    equilibrium = found.equilibrium
    share = equilibrium.economy.type_share
    exact = parts_usd_per_day(found)
    columns, totals = list[dict[str, int]](), list[int]()
    heads, places = _columns(found, home)
    for place in places:
        weight = share * place
        means = {name: CENTS_PER_MONTH * float(weight @ paid / weight.sum()) for name, paid in exact.items()}
        totals.append(round(CENTS_PER_MONTH * float(weight @ equilibrium.bill_usd_per_day / weight.sum())))
        columns.append(in_cents(means, totals[-1]))
    kept = sorted((name for name in exact if any(c[name] for c in columns)), key=lambda name: name == EXPORTS)
    return {
        "title": title,
        "help": help_link("read-classes"),
        "key": "parts",
        "kept": 0,
        "heads": ["$ a month and home", *heads],
        "rows": [[part_label(name), *(cents(column[name]) for column in columns)] for name in kept],
        "foot": ["Bill", *(cents(total) for total in totals)],
        "caption": caption,
    }


def _columns(found: Billable, home: str) -> tuple[list[str], Sequence[Any]]:
    """Heads of the columns, and whether each household type is in each."""
    equilibrium = found.equilibrium
    types = equilibrium.economy.types
    own = [np.array([one.name == home for one in types])] if home else []
    first = ["This home"] if home else []
    if has_classes(found):
        names = [class_label(name, place).capitalize() for place, name in enumerate(class_names(equilibrium))]
        place = class_of_type(equilibrium)
        return [*first, *names], [*own, *(place == k for k in range(len(names)))]
    if home:
        return [*first, "All homes"], [*own, np.ones(len(types))]
    technologies = list(dict.fromkeys(one.technology for one in types))
    heads = [technology_label(name).capitalize() for name in technologies]
    return heads, [np.array([one.technology == name for one in types]) for name in technologies]


def says_board(found: Billable) -> dict[str, Any] | None:
    """What bills with components approximate, for the component `BillMessages`; None where there is nothing to say."""
    says = () if found.composed is None else component_messages(found.composed)
    return {"title": SAYS, "texts": [on_page(text) for text in says]} if says else None


def on_page(text: str) -> str:
    """A sentence of the solver, in which the command that bills home by home is what it is on the page."""
    key, _, said = text.partition(": ")
    whose = key.removeprefix("tariff.")
    name = MINIMUM if whose == MinimumBill.name else COMPONENTS.get(whose, whose)
    return f"{name}: {said.replace('simulate bills', 'the days of the page Market bill')}"
