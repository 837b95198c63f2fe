"""The rates of every rate class, as lines of the day's figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.analysis.dashboard.shared.day_chart import chart_line
from meanwatt.analysis.dashboard.shared.parts_board import class_label, has_classes
from meanwatt.analysis.dashboard.shared.solution import Solution
from meanwatt.analysis.dashboard.shared.words import listed
from meanwatt.analysis.output.rate_classes import class_names, class_of_type

SAME_RATE_USD_PER_KWH: Final = 5e-4
"""Rates closer than this are one line to the eye. [USD/kWh]"""
LINES: Final = 6
"""Styles of lines that tell classes apart."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassRates:
    """The rates of one rate class before discounts. (c, h) each [USD/kWh]

    Attributes
    ----------
    name
        The class in words; empty where one tariff holds for all.
    pay, earn
        What a kWh costs, and what one sold earns; the latter is None where nobody of the class can sell.
    """

    __repr__ = short_repr

    name: str
    pay: Floats
    earn: Floats | None


def class_rates(solution: Solution) -> list[ClassRates]:
    """Rates of every class, the default one's first."""
    equilibrium = solution.equilibrium
    sells = {
        int(place)
        for place, household in zip(class_of_type(equilibrium), equilibrium.economy.types, strict=True)
        if household.pv_installed_kw > 0 or household.battery is not None
    }
    if not has_classes(solution):
        rates = equilibrium.rates
        return [ClassRates(name="", pay=rates.import_usd_per_kwh, earn=rates.export_usd_per_kwh)]
    return [
        ClassRates(
            name=class_label(name, place),
            pay=own.import_usd_per_kwh,
            earn=own.export_usd_per_kwh if place in sells else None,
        )
        for place, (name, own) in enumerate(zip(class_names(equilibrium), equilibrium.rates.of_classes, strict=True))
    ]


def class_lines(classes: Sequence[ClassRates], state: int) -> list[dict[str, Any]]:
    """What every class pays, labelled where it is furthest from what the others pay, and what it earns.

    Classes that pay the same have one label, at the first of them.
    """
    pays = np.array([one.pay[state] for one in classes])
    same = [[k for k in range(len(pays)) if np.abs(pays[k] - row).max() < SAME_RATE_USD_PER_KWH] for row in pays]
    taken: set[int] = set()
    found = []
    for place, one in enumerate(classes):
        others = np.delete(pays, same[place], axis=0)
        apart = np.abs(others - pays[place]).min(axis=0) if len(others) else np.zeros(pays.shape[1])
        free = [slot for slot in np.argsort(-apart, kind="stable").tolist() if slot not in taken]
        slot = free[0]
        taken |= set(range(slot - 3, slot + 4))
        above = bool((pays[place, slot] >= others[:, slot]).all())
        line = chart_line(f"{one.name} pay", f"t{place % LINES}", pays[place])
        said = f"{listed([classes[k].name for k in same[place]])} pay" if same[place][0] == place else ""
        label = {"label": said, "label_slot": slot, "label_above": above}
        found.append({**line, "step": True, **label})
        if one.earn is not None:
            found.append({**chart_line(f"{one.name} earn", "sell", one.earn[state]), "step": True, "label": ""})
    return found
