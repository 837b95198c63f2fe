"""Sentences about components: what the decision problem, and the bill of the expected month, approximate."""

from collections.abc import Iterator

import numpy as np

from meanwatt.agents.tariff.components.demand_charge import DemandCharge, DemandView
from meanwatt.agents.tariff.components.discount_funding import DiscountFunding
from meanwatt.agents.tariff.components.minimum_bill import MinimumBill
from meanwatt.agents.tariff.components.subscription import Subscription
from meanwatt.agents.tariff.components.tiers import Tiers
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.components.amounts import component_of
from meanwatt.model.mean_field.components.solving import Composed
from meanwatt.model.scenario.messages import Messages

EXACT = "simulate bills every home's own months"

APPROXIMATIONS = {
    "tiers/marginal": (
        "households act on the adder of the tier in which the expected month of their type ends, given the season"
        f" (perception = marginal); that month is billed here, {EXACT}."
    ),
    "tiers/average": (
        "households act on the average adder of the expected month of their type, given the season (perception ="
        f" average); that month is billed here, {EXACT}, and Theorem U does not apply."
    ),
    "demand_charge/ignored": (
        "households do not see it when they decide (decision = ignored); the expected largest import of a month is"
        f" billed here, {EXACT}."
    ),
    "demand_charge/ex_ante": (
        "households act on an adder by day type, slot and own shock, by the chance that these hold the month's largest"
        " import (decision = ex_ante), imports averaged over the stored energy; the expected largest import of a"
        f" month is billed here, {EXACT}."
    ),
    "demand_charge/state": (
        "households decide with the day's largest import so far as a part of their state, on a grid of demand_levels"
        " levels between which it is rounded with the right mean (decision = state); the expected largest import of a"
        " day is billed here, simulate bills every home's own days."
    ),
    "demand_charge/ignored by the day": (
        "households do not see it when they decide (decision = ignored); the expected largest import of a day is billed"
        " here, simulate bills every home's own days."
    ),
    "minimum_bill": (
        f"households do not see it when they decide; the expected month of their type is raised to it here, {EXACT}."
    ),
    "subscription": "households decide by the rates alone, as the contracted load is given beforehand; this is exact.",
    "discount_funding": (
        "what discounts take off the expected bills is charged to all customers; a market keeps the surcharge or sum of"
        " the equilibrium."
    ),
}
"""What is approximated in what households decide, and in bills, by component and its choice."""


def approximation_key(component: object) -> str:
    """Key of `APPROXIMATIONS` for a component."""
    if isinstance(component, Tiers):
        return f"tiers/{component.perception.value}"
    if isinstance(component, DemandCharge):
        unseen_day = component.by_day and component.decision is DemandView.IGNORED
        return f"demand_charge/{component.decision.value}{' by the day' if unseen_day else ''}"
    return str(getattr(component, "name", ""))


def component_messages(composed: Composed) -> Messages:
    """What is not exact, or comes to nothing, component by component."""
    return tuple(dict.fromkeys([*approximations(composed.posted), *_idle(composed)]))


def approximations(tariff: Tariff) -> Messages:
    """What the decision problem and the bill approximate of a tariff's components, a sentence each."""
    return tuple(
        f"tariff.{component.name}: {APPROXIMATIONS[approximation_key(component)]}"
        for own in tariff.class_tariffs
        for component in own.components
    )


def _idle(composed: Composed) -> Iterator[str]:
    """Components that come to nothing for everybody."""
    for kind in (Tiers, DemandCharge, MinimumBill, Subscription, DiscountFunding):
        if any(component_of(one, kind) for one in composed.posted.class_tariffs):
            paid = composed.amounts.usd_per_day.get(kind.name)
            if paid is not None and not np.any(paid):
                yield f"tariff.{kind.name}: no household pays anything for it."
