"""Who pays whom by rate class, and what bills are made of where a tariff has components: tables that add up."""

from typing import Any, Final, NamedTuple

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.analysis.dashboard.market.class_lines import class_rates
from meanwatt.analysis.dashboard.shared.bill_parts import CENTS_PER_MONTH, cents, mean_by, traded_kwh
from meanwatt.analysis.dashboard.shared.figures import usd
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.parts_board import class_label, has_classes, parts_board, says_board
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.solution import Solution
from meanwatt.analysis.dashboard.shared.words import listed
from meanwatt.analysis.output.rate_classes import class_fixed_charge_usd_per_day, class_names, class_of_type
from meanwatt.model.scenario.economy import DAYS_PER_MONTH

RATES: Final = "Rate classes: who pays whom"
SAME_CENTS: Final = 0.5
"""Prices closer than this are printed as one. [¢/kWh]"""


class ClassBoards(NamedTuple):
    """JSON of the tables, for the components `Statement` and `BillMessages`; empty where there is nothing to say."""

    rates: str = ""
    parts: str = ""
    says: str = ""


NO_CLASSES: Final = ClassBoards()


def class_boards(solution: Solution) -> ClassBoards:
    """Write the tables of a solution: nothing where one tariff of rates and fixed charges holds for all."""
    classes = has_classes(solution)
    if not classes and solution.composed is None:
        return NO_CLASSES
    says = says_board(solution)
    return ClassBoards(
        rates=to_json(rates_board(solution)) if classes else "",
        parts=to_json(parts_board(solution)),
        says="" if says is None else to_json(says),
    )


def rates_board(solution: Solution) -> dict[str, Any]:
    """A column for each rate class: its rates, its mean bill, and what of that is left for the network."""
    equilibrium = solution.equilibrium
    economy = equilibrium.economy
    place, share = class_of_type(equilibrium), economy.type_share
    homes = np.bincount(place, weights=share)
    bill, energy = equilibrium.bill_usd_per_day, energy_usd_per_day(solution)
    bills, network = (np.round(CENTS_PER_MONTH * values).astype(int) for values in _means(place, share, bill, energy))
    whole = [round(CENTS_PER_MONTH * float(share @ values)) for values in (bill, bill - energy)]
    names = [class_label(name, k) for k, name in enumerate(class_names(equilibrium))]
    rates = class_rates(solution)
    every = range(len(names))
    return {
        "title": RATES,
        "help": help_link("read-classes"),
        "key": "classes",
        "kept": 0,
        "heads": ["Means of a home", *(name.capitalize() for name in names), "All"],
        "rows": [
            ["Homes", *(f"{100 * part:.0f} %" for part in homes), "100 %"],
            ["A kWh costs, ¢", *(_cents(own.pay) for own in rates), ""],
            ["One sold earns, ¢", *("–" if own.earn is None else _cents(own.earn) for own in rates), ""],
            ["Fixed, $ a month", *(_fixed(solution, k) for k in every), ""],
            ["Bill, $ a month", *(cents(int(one)) for one in bills), cents(whole[0])],
            [
                "− its energy, wholesale",
                *(cents(int(bills[k] - network[k])) for k in every),
                cents(whole[0] - whole[1]),
            ],
        ],
        "foot": ["= left for the network", *(cents(int(one)) for one in network), cents(whole[1])],
        "caption": _caption(solution, names, network / 100),
    }


def _means(place: Ints, share: Floats, bill: Floats, energy: Floats) -> tuple[Floats, Floats]:
    """Mean bill of every class, and what its energy leaves of it. (class,) each [USD/day]"""
    return mean_by(place.tolist(), share, bill), mean_by(place.tolist(), share, bill - energy)


def energy_usd_per_day(solution: Solution) -> Floats:
    """What the net load of a home of each type costs at the wholesale price. (θ,) [USD/day]"""
    price = solution.equilibrium.wholesale_usd_per_kwh
    return np.array([((b - s) * price).sum() for b, s in zip(*traded_kwh(solution), strict=True)])


def _cents(rate: Floats) -> str:
    low, high = 100 * float(rate.min()), 100 * float(rate.max())
    return f"{low:.1f}" if high - low < SAME_CENTS else f"{low:.0f} to {high:.0f}".replace("-", "−")


def _fixed(solution: Solution, place: int) -> str:
    """The fixed charge of a class, or the range of its income groups. [USD/month]"""
    charges = [DAYS_PER_MONTH * one for one in class_fixed_charge_usd_per_day(solution.equilibrium, place).values()]
    ends = dict.fromkeys(f"{end:.2f}".replace("-", "−") for end in (min(charges), max(charges)))
    return " to ".join(ends)


def _caption(solution: Solution, names: list[str], network_usd: Floats) -> str:
    """Read what each class leaves for the network beside what that costs a home, and say who is on which tariff."""
    economy = solution.equilibrium.economy
    titles = {name: table.title for name, table in economy.scenario.tariffs.items()}
    tariffs = [titles.get(one.name) or one.name for one in solution.equilibrium.tariff.class_tariffs]
    left = listed([f"{usd(float(paid), 2)} by {name}" for name, paid in zip(names, network_usd, strict=True)])
    on = "; ".join(f"{name} on {title}" for name, title in zip(names, tariffs, strict=True))
    cost = usd(DAYS_PER_MONTH * economy.fixed_cost_usd_per_day, 2)
    return f"The network costs {cost} a home and month, for which is left {left}. {on[0].upper()}{on[1:]}."
