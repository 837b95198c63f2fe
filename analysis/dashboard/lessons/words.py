"""What the page of lessons says."""

from collections.abc import Mapping

from meanwatt.analysis.dashboard.shared.figures import number
from meanwatt.analysis.lessons.catalogue import LESSONS
from meanwatt.analysis.lessons.lesson import Expected, Guess

TITLE = "Lessons"
SENTENCE = "Predict first, then see what the program computes. Every lesson changes one thing."
ALL = "All lessons"
LIST = "Eight lessons of 10 to 15 minutes"
PREDICTED = "predicted"
THINGS = "Things to try, a minute each"
WAITING = "The lesson is being computed."
BEFORE = "Make your prediction; then the rest is drawn."
NOTES = "For teachers: talking points, what comes out, sources"
POINTS = "Talking points"
EXPECTED = "What comes out"
SIDES = "Both sides"
SOURCES = "Sources"


def place(number_of: int, length: int) -> str:
    """Which lesson it is, and how long it takes."""
    return f"Lesson {number_of} of {len(LESSONS)}, {minutes(length)}"


def minutes(length: int) -> str:
    """How long a lesson takes."""
    return f"{length} minutes"


def measured(value: float, question: Guess) -> str:
    """A number that was found, with its unit."""
    return _amount(value, question.digits, f"{question.prefix} {question.unit}".strip())


def expected(one: Expected, numbers: Mapping[str, float] | None) -> str:
    """A reading for the teacher: what was computed here, and between what it lies."""
    low = _amount(one.low, _digits(one.low), "$" if one.unit.startswith("$") else "")
    high = _amount(one.high, _digits(one.high), one.unit)
    span = f"expected: {high if one.low == one.high else f'{low} to {high}'}"
    if numbers is None or one.name not in numbers:
        return f"{one.text}; {span}."
    return f"{one.text}: {_amount(numbers[one.name], one.digits, one.unit)} ({span})."


def _amount(value: float, digits: int, unit: str) -> str:
    """A number with its unit, the sign of a currency in front."""
    sign = "−" if value < 0 and float(f"{value:.{digits}f}") != 0 else ""
    size = number(abs(value), digits)
    return f"{sign}${size}{unit[1:]}" if unit.startswith("$") else f"{sign}{size} {unit}".strip()


def _digits(value: float) -> int:
    """Decimals that a bound was written with."""
    return next((count for count in range(3) if abs(value - round(value, count)) < 1e-9), 3)
