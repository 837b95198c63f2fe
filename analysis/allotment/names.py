"""What the homes of an allotment are called: what tells them apart, and what a shift of load turns them into."""

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.analysis.allotment.moves import Entry
from meanwatt.analysis.output.rate_classes import class_names, class_of_type
from meanwatt.model.mean_field.equilibrium import Equilibrium


def home_names(entries: tuple[Entry, ...], before: Equilibrium, after: Equilibrium | None) -> list[str]:
    """Income, technology and branch of every entry, its rate class where only that tells it apart, and its changes."""
    last = before if after is None else after
    sides = [(before.economy.types[one.before], last.economy.types[one.after]) for one in entries]
    homes = [_home(*side) for side in sides]
    places = [_place(*side) for side in sides]
    of_before, of_last = _wholes_of(before), _wholes_of(last)
    names = []
    for entry, home, place in zip(entries, homes, places, strict=True):
        apart = sum(pair == (home, place) for pair in zip(homes, places, strict=True)) > 1
        own = f" in {_turned(of_before[entry.before], of_last[entry.after])}" if apart else ""
        names.append(f"{home}{own}{place}")
    return names


def classes_of(found: Equilibrium) -> list[str]:
    """Name of each household type's rate class. (θ,)"""
    names = class_names(found)
    return [names[place] for place in class_of_type(found).tolist()]


def _wholes_of(found: Equilibrium) -> list[str]:
    """Name of each household type's rate class, without the branch that adders make a class of its own. (θ,)"""
    types = found.economy.types
    return [name.removesuffix(f" on {one.branch}") for name, one in zip(classes_of(found), types, strict=True)]


def _home(old: HouseholdType, new: HouseholdType) -> str:
    return f"{old.income_group} / {_turned(old.technology, new.technology)}"


def _place(old: HouseholdType, new: HouseholdType) -> str:
    return f" on {_turned(old.branch, new.branch)}" if old.branch or new.branch else ""


def _turned(old: str, new: str) -> str:
    return old if old == new else f"{old} → {new}"
