"""One parameter that the page offers: its key, its range and its words."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from meanwatt.analysis.dashboard.shared.settings import Value

MOST_DIGITS = 5
"""Decimals of a number that lies between the steps of its slider, as rates on file do."""
MOST_RATES = 8
"""A tariff with more posted rates than this, one for every hour say, is shown but not edited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """One parameter on the page.

    Attributes
    ----------
    key
        Dotted key of the scenario, as in ``--set``.
    part, label, unit, help
        Words around it.
    default
        The preset's value.
    low, high, step
        Range of a number.
    options
        Value and words of each choice; empty for a number.
    whose
        The rate classes that it is for, where there are several tariffs.
    """

    key: str
    part: str
    label: str
    default: Value
    unit: str = ""
    help: str = ""
    low: float = 0.0
    high: float = 1.0
    step: float = 0.01
    options: tuple[tuple[str, str], ...] = ()
    whose: str = ""

    @property
    def full_label(self) -> str:
        """Its label, with whom it is for, as it is said away from its part of the page."""
        return f"{self.label} ({self.whose})" if self.whose else self.label

    @property
    def kind(self) -> Literal["range", "select"]:
        """How it is shown."""
        return "select" if self.options else "range"

    @property
    def digits(self) -> int:
        """Decimals worth showing."""
        return max(0, math.ceil(-math.log10(self.step) - 1e-9))

    def read(self, text: str) -> Value:
        """Value from what a browser or an address sends; ValueError in one line if it is not allowed."""
        if self.options:
            if text not in dict(self.options):
                raise ValueError(f"{self.key} is {text!r}; give one of {', '.join(dict(self.options))}")
            return text
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not self.low <= value <= self.high:
            raise ValueError(f"{self.key} is {text!r}; give a number from {self.low:g} to {self.high:g}")
        return value

    def show(self, value: Value) -> str:
        """Value in words, with its unit."""
        if self.options:
            return dict(self.options)[str(value)]
        assert not isinstance(value, tuple)
        number = float(value)
        digits = next(
            (d for d in range(self.digits, MOST_DIGITS) if abs(number - round(number, d)) < 1e-9), MOST_DIGITS
        )
        return f"{number:.{digits}f} {self.unit}".strip()


def posted_rates(
    key: str, form: object, part: str, label: str, unit: str = "$/kWh", high: float = 1.0
) -> Iterator[Knob]:
    """One knob for every posted number of a rate, as long as they are few."""
    leaves = list(_leaves(key, form, ()))
    if len(leaves) > MOST_RATES:
        return
    for leaf, names, value in leaves:
        yield Knob(
            key=leaf,
            part=part,
            label=": ".join((label, ", ".join(names))) if names else label,
            default=value,
            unit=unit,
            high=max(high, math.ceil(2 * value)),
            step=0.005,
        )


def _leaves(key: str, form: object, names: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...], float]]:
    """Dotted key, names and value of each number of a table; lists are left out whole."""
    if isinstance(form, int | float):
        yield key, names, float(form)
    elif isinstance(form, Mapping):
        for name, entry in form.items():
            yield from _leaves(f"{key}.{name}", entry, (*names, str(name)))
