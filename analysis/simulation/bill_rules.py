"""What households decide by, beside what a market bills them for, part by part of their bills."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from meanwatt.agents.tariff.components.component import Component
from meanwatt.agents.tariff.credit_rule import CreditRule
from meanwatt.agents.tariff.ratebook.ratebook import Metering
from meanwatt.agents.tariff.tariff import ExportRule, Tariff
from meanwatt.model.mean_field.components.component_messages import approximation_key

EXPORTS: Final = {
    ExportRule.NET_METERING: (
        "their import rate of the slot, at the prices that they expect",
        "each slot's export at the import rate of that slot; a month's bill may be below 0, no kWh and no credit waits",
    ),
    ExportRule.NET_BILLING: (
        "the export rate of the slot, at the prices that they expect",
        "each slot's export at the rate posted and the price that came; a month's bill may be below 0, no credit waits",
    ),
    ExportRule.NONE: ("nothing: exports earn nothing", "nothing"),
}
"""What households decide by, and what is billed, of exports."""
WAITING: Final = {
    Metering.NET_BILLING_CARRYOVER: (
        "each slot's export at its rate and the price that came, as dollars that pay energy charges from the next month"
        " on"
    ),
    Metering.NET_METERING: (
        "kWh are netted within each period of the home's own month, and a surplus waits in kWh for the next month"
    ),
    Metering.NET_METERING_DOLLARS: (
        "kWh are netted within each period of the home's own month, and a surplus earns the posted rate, as dollars"
        " that pay energy charges"
    ),
}
"""What is billed of exports where credits wait."""
COMPONENTS: Final = {
    "tiers/marginal": (
        "the adder of the tier in which the expected month of their type ends",
        "every kWh of the home's own month by the tier that it falls into",
    ),
    "tiers/average": (
        "the average adder of the expected month of their type",
        "every kWh of the home's own month by the tier that it falls into",
    ),
    "demand_charge/ignored": ("nothing", "the largest import of the home's own month in the window"),
    "demand_charge/ex_ante": (
        "an adder by day type, slot and own shock, by the chance that these hold the month's largest import",
        "the largest import of the home's own month in the window",
    ),
    "demand_charge/state": (
        "the charge itself, with the day's largest import so far as a part of their state, rounded to a grid",
        "the largest import of each of the home's own days in the window",
    ),
    "demand_charge/ignored by the day": ("nothing", "the largest import of each of the home's own days in the window"),
    "minimum_bill": ("nothing", "what the home's own month falls short of it by, all other parts and credits counted"),
    "subscription": (
        "nothing: the contract does not depend on use",
        "the contracted load at the posted rate less the home's own rate, at the price that came",
    ),
    "discount_funding": (
        "a surcharge on every kWh, or nothing where it is a sum",
        "the surcharge of the equilibrium on the home's own kWh, or its sum",
    ),
}
"""The same of components."""


def bill_rules(
    tariff: Tariff, components: dict[str, tuple[Component, ...]], unaware: Sequence[str] = ()
) -> list[dict[str, str]]:
    """Part by part of the bills of every rate class: what households decide by, and what is billed.

    Parameters
    ----------
    tariff
        What a market is billed by.
    components
        Components by the name of the class, or of the one tariff.
    unaware
        Behaviours that see nothing of components.
    """
    apart = f" (behaviour {', '.join(unaware)}: nothing)" if unaware else ""
    classes = [(one.name, one.tariff) for one in tariff.classes] or [(tariff.name, tariff)]
    return [
        {"class": name, "part": part, "households_decide_by": decision, "billed": bill}
        for name, own in classes
        for part, decision, bill in _rules(own, components.get(name, ()), apart)
    ]


def _rules(own: Tariff, components: tuple[Component, ...], apart: str) -> Iterator[tuple[str, str, str]]:
    prices = "at the prices that they expect"
    if own.pass_through:
        prices += ", those of the equilibrium on a day of its kind where they follow it"
    yield (
        "imports",
        f"the import rate of the slot after discount, {prices}",
        "each slot's import at the rate posted and the price that came, after discount",
    )
    decision, billed = EXPORTS[own.export_rule]
    yield "export_credit", decision, billed if own.credit_rule is None else _waiting(own.credit_rule)
    for name in ("fixed_charge", *(one.name for one in own.standing_charges)):
        yield name, "nothing: it does not depend on use", "the charge of every day"
    for one in components:
        decision, bill = COMPONENTS[approximation_key(one)]
        yield one.name, decision if decision.startswith("nothing") else decision + apart, bill


def _waiting(rule: CreditRule) -> str:
    """What is billed of exports whose credits wait, and how these end."""
    if rule.metering is Metering.NET_METERING:
        ends = f"earns {rule.year_end_usd_per_kwh:g} USD a kWh" if rule.year_end_usd_per_kwh else "is lost"
    else:
        ends = "is lost" if rule.credit_expires else "is paid out"
    return f"{WAITING[rule.metering]}; what is left at the end of month {rule.true_up_month} {ends}"


def composed_parts(composed: Any) -> dict[str, tuple[Component, ...]]:
    """Components by the name of their class, or of the one tariff; none without an equilibrium that has some."""
    if composed is None:
        return {}
    posted: Tariff = composed.posted
    if posted.classes:
        return {one.name: one.tariff.components for one in posted.classes}
    return {composed.base_tariff.name: posted.components}
