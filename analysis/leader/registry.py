"""The objectives that there are: the modules of one folder, found by listing it and loaded when asked for."""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Final

from meanwatt.model.scenario.nearest import unknown

if TYPE_CHECKING:
    from meanwatt.analysis.leader.objective import Objective

FOLDER: Final = "meanwatt.analysis.leader.objectives"
FIRST: Final = ("commission", "utility")
"""Who comes first in lists: those who post tariffs in practice. The others follow by name."""
DEFAULT: Final = FIRST[0]
"""Who leads where nobody is named."""


def names() -> tuple[str, ...]:
    """Names of all objectives; none is loaded."""
    found = {module.name for module in iter_modules(import_module(FOLDER).__path__)}
    return tuple(sorted(found, key=lambda name: (name not in FIRST, FIRST.index(name) if name in FIRST else name)))


def find(name: str) -> "Objective":
    """The objective of a name.

    Raises
    ------
    ValueError
        In one line, if there is none, or its module defines none.
    """
    from meanwatt.analysis.leader.objective import Objective  # arrays: who only asks for names needs none

    if name not in names():
        raise ValueError(unknown("leader", name, names()))
    objective = getattr(import_module(f"{FOLDER}.{name}"), "OBJECTIVE", None)
    if not isinstance(objective, Objective):
        raise ValueError(f"leader {name}: its module defines no OBJECTIVE; give it an Objective of that name")
    return objective


def those(have: Callable[["Objective"], bool]) -> tuple[str, ...]:
    """Names of the objectives that have a property."""
    return tuple(name for name in names() if have(find(name)))


def belong(what: str, have: Callable[["Objective"], bool], verb: str = "belongs") -> str:
    """Say whose an option is: ``--pareto belongs to the commission; give --leader commission``."""
    owners = those(have)
    called = " or ".join(find(name).called for name in owners)
    return f"{what} {verb} to {called}; give --leader {' or '.join(owners)}"
