"""A check of a convention: what it is called, how it ended, what was seen, how to mend it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from meanwatt.model.households.survey import Survey

Status = Literal["ok", "look", "wrong", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One convention, and what the file says of it.

    Attributes
    ----------
    name
        Of the check.
    status
        ``ok``, ``look``, ``wrong`` or ``none``.
    seen
        What was found, a sentence.
    mend
        What to change in the format; empty where nothing is to be changed.
    """

    name: str
    status: Status
    seen: str
    mend: str = ""

    def to_json(self) -> dict[str, Any]:
        """The check for JSON."""
        return asdict(self)


Checker = Callable[[Survey], Check]


def share_of(part: float, whole: float) -> float:
    """A part of a whole; 0 of nothing."""
    return part / whole if whole else 0.0


def refused(survey: Survey, end: str) -> int:
    """Rows refused for a reason that ends so."""
    return sum(count for reason, count in survey.intake.bad.items() if reason.endswith(end))
