"""The form in which a side's tariff is edited: what it begins with, and what a visitor sends back."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.challenge.drawing import limits
from meanwatt.analysis.dashboard.compare.choice import Choice
from meanwatt.analysis.dashboard.compare.edits import PARTS, Edits
from meanwatt.analysis.dashboard.compare.sides import common_of, side_scenario
from meanwatt.analysis.dashboard.compare.terms import hourly
from meanwatt.analysis.dashboard.market.knobs import EXPORT_RULE, RECOVERY
from meanwatt.analysis.dashboard.shared.figures import group_label
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.settings import Value
from meanwatt.model.scenario.economy import build_tariff
from meanwatt.model.scenario.loading import Scenario

DIGITS: Final = 4
"""Decimals of a number of the form, in the units of the page."""
Shown = dict[str, list[Any]]
"""Part of a tariff and its values in the units of the page."""


def shown(scenario: Scenario) -> Shown:
    """Every part of the selected tariff as the form shows it; rates and credit are those of the mean day."""
    tariff, common = build_tariff(scenario), common_of(scenario)
    values: dict[str, Sequence[Any] | Floats] = {
        "rates": hourly(tariff.energy_usd_per_kwh, common),
        "pass": [tariff.pass_through],
        "rule": [str(tariff.export_rule)],
        "credit": hourly(tariff.export_usd_per_kwh, common),
        "credit_pass": [tariff.export_pass_through],
        "recovery": [str(tariff.recovery)],
        "fixed": tariff.fixed_charge_usd_per_day,
        "shape": tariff.fixed_charge_shape,
        "discount": tariff.discount,
        "access": [scenario.tariffs[scenario.selected_tariff].access_charge.usd_per_pv_kw_day],
    }
    return {
        name: list(row) if part.words else [round(part.on_page(float(value)), DIGITS) for value in row]
        for (name, part), row in zip(PARTS.items(), (values[name] for name in PARTS), strict=True)
    }


def sent(choice: Choice, side: str, message: Mapping[str, Any]) -> Choice:
    """The choice with what a visitor sent for a side; what is as the tariff has it stays out of the address.

    Raises
    ------
    ValueError
        In one line, if a value is missing or out of range.
    """
    start = choice.edited(side, Edits(own=choice.edits_of(side).own))
    scenario = side_scenario(start, side)
    begun, groups, edits = shown(scenario), tuple(scenario.income_groups), start.edits_of(side)
    now, before = shown(side_scenario(choice, side)), dict(choice.edits_of(side).changes)
    for name, part in PARTS.items():
        values = _values(name, message.get(name), words=bool(part.words))
        if values == now[name] and part.keys(groups)[0] in before:  # as it was, with all its digits
            edits = edits.with_values(part, [before[key] for key in part.keys(groups)], groups)
            continue
        if values == begun[name]:
            continue
        edits = edits.with_values(part, _read(name, values, groups), groups)
    return start.edited(side, edits)


def _read(name: str, values: list[Any], groups: Sequence[str]) -> Sequence[Value]:
    """Values of a part in the units of a file; ValueError in one line if they are not allowed."""
    part = PARTS[name]
    if part.words:
        return part.read(name, values[0], groups)
    numbers = part.checked(name, values, groups)
    return (tuple(numbers),) if part.hourly else numbers


def _values(name: str, given: object, *, words: bool) -> list[Any]:
    """What came for a part, if it is a list of the right kind; ValueError in one line."""
    kinds = str if words else int | float
    if not isinstance(given, list) or not given or not all(isinstance(value, kinds) for value in given):
        raise ValueError(f"{name} is not given as it should be; give a list of {'words' if words else 'numbers'}")
    return given


def form_json(choice: Choice, side: str, wholesale_usd_per_kwh: Floats | None) -> dict[str, Any]:
    """The form of a side, for the component that draws tariffs.

    Parameters
    ----------
    wholesale_usd_per_kwh
        Wholesale price of the side's mean day by the hour; None before it is solved. (24,) [USD/kWh]
    """
    scenario = side_scenario(choice, side)
    start = side_scenario(choice.edited(side, replace(choice.edits_of(side), changes=())), side)
    now, begun = shown(scenario), shown(start)
    groups = [group_label(group) for group in scenario.income_groups]
    highest = max(100 * limits(scenario).rate_usd_per_kwh, *now["rates"], *begun["rates"], *now["credit"])
    return {
        "side": side,
        "title": f"Edit tariff {side.upper()}",
        "help": help_link("draw-tariff"),
        "scenario": choice.scenario,
        "high": 10 * math.ceil(round(highest / 10, 6)),
        "digits": 2,
        **now,
        "fields": _fields(groups),
        "notes": _notes(start),
        "wholesale": None
        if wholesale_usd_per_kwh is None
        else [round(100 * float(price), 2) for price in wholesale_usd_per_kwh],
    }


def _fields(groups: Sequence[str]) -> list[dict[str, Any]]:
    """Everything beside the lines, in the order of the form; ``only`` says when a field has an effect."""
    not_fixed = {"part": "recovery", "values": ["volumetric", "posted"]}
    billing = {"part": "rule", "values": ["net_billing"]}
    fields = [
        _words("recovery", "Network cost is recovered", RECOVERY),
        _number("pass", "Part of the wholesale price in the rate", None),
        _words("rule", "An exported kWh earns", EXPORT_RULE),
        _number("credit_pass", "Part of the wholesale price in the credit", billing),
    ]
    for part, label, only in (
        ("fixed", "Fixed charge", not_fixed),
        ("shape", "Parts of the fixed charge", {"part": "recovery", "values": ["fixed"]}),
        ("discount", "Discount on the rate", None),
    ):
        for place, group in enumerate(groups):
            fields.append(_number(part, f"{label}: {group.lower()}", only, place))
    return [*fields, _number("access", "Grid access, for each kW of solar", None)]


def _words(part: str, label: str, options: Mapping[str, str]) -> dict[str, Any]:
    choices = [{"value": value, "label": text} for value, text in options.items()]
    return {"part": part, "place": 0, "label": label, "options": choices, "unit": "", "only": None}


def _number(part: str, label: str, only: Mapping[str, Any] | None, place: int = 0) -> dict[str, Any]:
    of = PARTS[part]
    return {
        "part": part,
        "place": place,
        "label": label,
        "options": None,
        "unit": of.unit,
        "low": of.low,
        "high": of.high,
        "only": only,
    }


def _notes(scenario: Scenario) -> list[str]:
    """What the form does not show of the tariff that it begins with, and what drawing does to it."""
    tariff = build_tariff(scenario)
    notes = []
    for name, rate in (("rates", tariff.energy_usd_per_kwh), ("credit", tariff.export_usd_per_kwh)):
        hours = rate.reshape(len(rate), 24, -1)
        if np.ptp(hours, axis=2).any() or np.ptp(rate, axis=0).any():
            what = "The rates differ" if name == "rates" else "The credit differs"
            notes.append(f"{what} between kinds of days; once drawn, the mean day holds on all of them.")
    if tariff.classes:
        notes.append("Adders by branch stay as they are; the rates shown are those of the rest of the feeder.")
    if any(charge.name != "access_charge" for charge in tariff.standing_charges) or _is_charged_by_home(scenario):
        notes.append("Charges beside those shown here stay as they are.")
    return notes


def _is_charged_by_home(scenario: Scenario) -> bool:
    """Whether the access charge has a part for each home, too."""
    each = scenario.tariffs[scenario.selected_tariff].access_charge.usd_per_household_day
    return any(each.values()) if isinstance(each, Mapping) else bool(each)
