"""Why a key number differs between two tariffs: one sentence for each, from what both of them were computed of."""

from collections.abc import Callable

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.dashboard.compare.money import books
from meanwatt.analysis.dashboard.compare.words import higher, more
from meanwatt.analysis.dashboard.shared.compared import Compared
from meanwatt.analysis.dashboard.shared.figures import group_label, number
from meanwatt.analysis.dashboard.shared.hours import hour
from meanwatt.analysis.dashboard.shared.rounding import largest_remainder
from meanwatt.analysis.dashboard.shared.solution import Solution
from meanwatt.model.scenario.economy import DAYS_PER_MONTH

CENTS_PER_MONTH = 100 * DAYS_PER_MONTH


def why(entry: Compared[Solution], a: Solution, b: Solution) -> str:
    """One sentence about a key number; empty where there is nothing to explain."""
    tell = _TOLD.get(entry.figure.key)
    return "" if tell is None or not entry.difference else tell(entry, a, b)


def _efficiency(entry: Compared[Solution], a: Solution, b: Solution) -> str:
    """What homes give up and what the town saves; the parts sum to the change of the gap as printed."""
    parts = []
    for side in (a, b):
        m = side.metrics
        use, wear = m.utility_usd_per_household_day, m.wear_usd_per_household_day
        parts.append(np.array([-use, use - wear - m.welfare_usd_per_household_day, wear]))
    moved = CENTS_PER_MONTH * (parts[1] - parts[0])
    assert entry.difference is not None
    use, cost, wear = largest_remainder(moved.tolist(), entry.difference)
    return (
        f"From A to B, per home and month: the benefit of electricity use is {higher(-use)}, the cost of energy, carbon"
        f" and network {higher(cost)}, battery wear {higher(wear)}."
    )


def _gap(_: Compared[Solution], a: Solution, b: Solution) -> str:
    """Who carries the most and who the least of their income."""
    first, second = ({g: v for g, v in s.metrics.burden.items() if v is not None} for s in (a, b))
    ends = dict.fromkeys(pick(second, key=lambda name: second[name]) for pick in (max, min))
    said = [
        f"{_homes(g)} pay {_percent(first[g])} of their income under A, {_percent(second[g])} under B" for g in ends
    ]
    return f"{'; '.join([said[0], *(text[0].lower() + text[1:] for text in said[1:])])}."


def _suits(_: Compared[Solution], a: Solution, b: Solution) -> str:
    """What part of all income and of all bills the poorest group has."""
    economy = a.equilibrium.economy
    income = economy.group_share * economy.group_income_usd_per_year
    poorest = int(economy.group_income_usd_per_year.argmin())
    paid = [s.bill_usd_per_month * economy.group_share for s in (a, b)]
    share_a, share_b = (_percent(float(bill[poorest] / bill.sum())) for bill in paid)
    return (
        f"{_homes(economy.groups[poorest])} have {_percent(float(income[poorest] / income.sum()))} of all income and"
        f" pay {share_a} of all bills under A, {share_b} under B."
    )


def _imv(_: Compared[Solution], a: Solution, b: Solution) -> str:
    """At which hour the mean price moves most differently."""
    moves = [100 * np.diff(_mean(s, s.equilibrium.wholesale_usd_per_kwh)) for s in (a, b)]
    slot = int(np.abs(moves[1] - moves[0]).argmax())
    at = hour(slot + 1, a.equilibrium.economy.slot_hours)
    first, second = (_cents_moved(float(move[slot])) for move in moves)
    return f"Into {at} the wholesale price {first} under A and {second} under B."


def _peak(_: Compared[Solution], a: Solution, b: Solution) -> str:
    """When the highest load comes, and how high it and the mean are."""
    first, second = (_highest(s) for s in (a, b))
    return f"The highest load is {first} under A, {second} under B."


def _volts(_: Compared[Solution], a: Solution, b: Solution) -> str:
    """Where and when the lowest voltage is."""
    first, second = (_lowest_bus(s) for s in (a, b))
    return f"It is lowest at {first} under A, {second} under B."


def _surplus(_: Compared[Solution], a: Solution, b: Solution) -> str:
    first, second = books(a), books(b)
    paid, energy = more(second.revenue - first.revenue), more(second.energy - first.energy)
    return f"From A to B homes pay {paid} a month and the energy that the utility buys costs {energy}."


def _curtailed(_: Compared[Solution], a: Solution, b: Solution) -> str:
    """When inverters hold back most."""
    held = [_mean(s, s.equilibrium.curtailed_kw) for s in (a, b)]
    slot = int(np.maximum(*held).argmax())
    first, second = (number(float(values[slot]), 3) for values in held)
    at = hour(slot, a.equilibrium.economy.slot_hours)
    return f"Most is held back at {at}: {first} kW a home under A, {second} under B."


def _highest(solution: Solution) -> str:
    """The highest load, its hour and day, and the mean."""
    equilibrium = solution.equilibrium
    common = equilibrium.economy.common
    load = np.where(common.probability[:, None] > 0, equilibrium.net_load_kw, -np.inf)
    state, slot = np.unravel_index(int(load.argmax()), load.shape)
    day = common.day_types[common.today[state]].replace("_", " ")
    at = hour(int(slot), equilibrium.economy.slot_hours)
    mean = float(_mean(solution, equilibrium.net_load_kw).mean())
    return f"{load[state, slot]:.2f} kW a home at {at} of a {day} day (mean {number(mean, 2)} kW)"


def _lowest_bus(solution: Solution) -> str:
    _, slot, bus = np.unravel_index(int(np.nanargmin(solution.voltage_pu)), solution.voltage_pu.shape)
    at = hour(int(slot), solution.equilibrium.economy.slot_hours)
    return f"bus {solution.feeder.buses[int(bus)]} at {at}"


def _mean(solution: Solution, values: Floats) -> Floats:
    """Mean over the weather of numbers (c, h). (h,)"""
    return np.asarray(solution.equilibrium.economy.common.probability @ values)


def _homes(group: str) -> str:
    return f"{group_label(group).replace(' ', '-')} homes"


def _percent(share: float) -> str:
    return f"{number(100 * share, 2)} %"


def _cents_moved(cents: float) -> str:
    amount = f"{abs(cents):.2f}"
    return "stays" if float(amount) == 0 else f"{'rises' if cents > 0 else 'falls'} by {amount} ¢"


_TOLD: dict[str, Callable[[Compared[Solution], Solution, Solution], str]] = {
    "efficiency": _efficiency,
    "gap": _gap,
    "suits": _suits,
    "imv": _imv,
    "peak": _peak,
    "volts": _volts,
    "surplus": _surplus,
    "curtailed": _curtailed,
}
