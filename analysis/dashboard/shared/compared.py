"""A number of two sides as it is printed: A, B, their difference, and whether it is for the better."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from meanwatt.analysis.dashboard.shared.figures import number
from meanwatt.model.scenario.economy import DAYS_PER_MONTH

Aim = Literal["less", "more", "zero"]
Kind = Literal["good", "bad", "same", ""]
UNDEFINED = "–"


Side = TypeVar("Side", contravariant=True)
"""What a number is read off; a number of anything with metrics is one of a solution, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure(Generic[Side]):
    """One key number.

    Attributes
    ----------
    key, label, unit
        Its name, for programs and for people.
    digits
        Decimals printed.
    aim
        Which way is better.
    better, worse
        What is said of B against A.
    value
        Reads it off one side; None where it is undefined.
    """

    key: str
    label: str
    unit: str
    digits: int
    aim: Aim
    value: Callable[[Side], float | None]
    better: str = "better"
    worse: str = "worse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared(Generic[Side]):
    """One key number of A and of B, in units of the last digit printed; None where it is undefined.

    Attributes
    ----------
    figure
        What it is.
    a, b
        Values.
    difference
        ``b − a`` where both are known; of the efficiency gap known before them, from the welfare.
    """

    figure: Figure[Side]
    a: int | None
    b: int | None
    difference: int | None

    @property
    def kind(self) -> Kind:
        """Whether B is better, worse or the same; empty where that is unknown."""
        if self.difference is None:
            return ""
        gain = self.difference
        if self.figure.aim == "less":
            gain = -self.difference
        elif self.figure.aim == "zero":
            gain = abs(self.a or 0) - abs(self.b or 0)
        return "good" if gain > 0 else "bad" if gain < 0 else "same"

    @property
    def verdict(self) -> str:
        """The same in words."""
        return {"good": self.figure.better, "bad": self.figure.worse, "same": "the same", "": ""}[self.kind]

    @property
    def arrow(self) -> str:
        """Which way the number moves from A to B; empty where it stays."""
        return "" if not self.difference else "▲" if self.difference > 0 else "▼"

    def written(self, units: int | None, *, signed: bool = False) -> str:
        """A value, or with ``signed`` a difference, as printed."""
        if units is None:
            return UNDEFINED
        text = number(abs(units) / 10**self.figure.digits, self.figure.digits)
        return ("−" if units < 0 else "+" if signed and units > 0 else "") + text


def compared(figure: Figure[Side], a: Side, b: Side) -> Compared[Side]:
    """Set a number of A and of B side by side."""
    return compared_values(figure, figure.value(a), figure.value(b))


def compared_values(figure: Figure[Side], a: float | None, b: float | None) -> Compared[Side]:
    """The same of values read off already."""
    first, second = (_units(figure, value) for value in (a, b))
    difference = None if first is None or second is None else second - first
    return Compared(figure=figure, a=first, b=second, difference=difference)


def compared_gaps(figure: Figure[Side], a: Side, b: Side, best: float | None) -> Compared[Side]:
    """Efficiency gaps, of a figure that gives minus the welfare of a month.

    Parameters
    ----------
    best
        Welfare of the first best; without one the difference alone is known, which is that of the welfares.
        [USD per household-day]
    """
    lost_a, lost_b = (figure.value(side) or 0.0 for side in (a, b))
    if best is None:
        return Compared(figure=figure, a=None, b=None, difference=_units(figure, lost_b - lost_a))
    gaps = (max(lost + DAYS_PER_MONTH * best, 0.0) for lost in (lost_a, lost_b))
    return compared_values(figure, *gaps)


def _units(figure: Figure[Side], value: float | None) -> int | None:
    """Value in units of the last digit printed."""
    return None if value is None else round(value * 10**figure.digits)
