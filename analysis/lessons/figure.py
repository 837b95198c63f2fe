"""What a lesson draws, as plain numbers. What is ``later`` is drawn once the prediction is made."""

from dataclasses import dataclass
from typing import Literal

from meanwatt.model.scenario.economy import Economy

Style = Literal["a", "b", "plain"]
"""Of a line or a bar: the base, what it is compared with, and a third one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a figure; None where it has no value."""

    name: str
    style: Style
    values: tuple[float | None, ...]
    later: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place on the horizontal axis with a word to it."""

    x: float
    text: str
    later: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """Lines over numbers.

    Attributes
    ----------
    title, x_title, x_unit, unit
        Heading; name and unit of the horizontal axis; unit of the vertical one, with its name.
    x
        Ascending.
    lines, marks
        What is drawn.
    x_digits, digits
        Decimals worth showing.
    """

    title: str
    x_title: str
    x_unit: str
    unit: str
    x: tuple[float, ...]
    lines: tuple[Line, ...]
    marks: tuple[Mark, ...] = ()
    x_digits: int = 0
    digits: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two bars beside each other: without and with the change."""

    name: str
    a: float
    b: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Pairs of bars; the second of each comes later.

    Attributes
    ----------
    title, unit
        Heading and unit, with its name.
    names
        What the first and the second bar stand for.
    pairs
        From top to bottom.
    digits
        Decimals worth showing.
    """

    title: str
    unit: str
    names: tuple[str, str]
    pairs: tuple[Pair, ...]
    digits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLines:
    """Lines over the hours of a day.

    Attributes
    ----------
    economy
        Whose slots they are.
    title, unit
        Heading and unit.
    lines
        A value for each slot.
    """

    economy: Economy
    title: str
    unit: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dots:
    """Measurements and a line over numbers of homes, both axes in steps of ten.

    Attributes
    ----------
    title, unit, dot, line
        Heading, unit, and what a dot and the line are.
    sizes
        Numbers of homes, ascending.
    measured
        Dots of each size.
    law
        The line.
    known
        How many of the sizes are drawn before the prediction.
    """

    title: str
    unit: str
    dot: str
    line: str
    sizes: tuple[int, ...]
    measured: tuple[tuple[float, ...], ...]
    law: tuple[float, ...]
    known: int


Figure = Curves | Bars | DayLines | Dots
