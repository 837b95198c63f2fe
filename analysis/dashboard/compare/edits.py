"""What a visitor changes in a tariff of the scenario, part by part, and how an address writes it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from meanwatt.agents.tariff.tariff import ExportRule, Recovery
from meanwatt.analysis.dashboard.shared.own_tariff import packed, unpacked
from meanwatt.analysis.dashboard.shared.settings import Value
from meanwatt.model.scenario.loading import Scenario
from meanwatt.model.scenario.nearest import unknown

HOURS: Final = 24
FILE: Final = "file"
"""Part of an address that holds a whole tariff, as read from a file."""
LONGEST: Final = 2000
"""Letters of one part of an address that are read; a file's part has a bound of its own."""
DIGITS: Final = 6
"""Decimals of a number in the units of a file; an address and the page hold no more."""
Changes = tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """What one side of the comparison changes in the tariff that it is named after.

    Attributes
    ----------
    own
        A tariff read from a file, in the place of the named one, see `meanwatt.analysis.dashboard.shared.settings`.
    changes
        Dotted key and value of everything changed in it, sorted by key.
    """

    own: str = ""
    changes: Changes = ()

    def __bool__(self) -> bool:
        """Whether anything is changed."""
        return bool(self.own or self.changes)

    def with_values(self, part: "Part", values: Sequence[Value], groups: Sequence[str]) -> "Edits":
        """A copy with the values of one part."""
        kept = dict(self.changes) | dict(zip(part.keys(groups), values, strict=True))
        return replace(self, changes=tuple(sorted(kept.items())))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing that can be changed in a tariff.

    Attributes
    ----------
    key
        Dotted key of a tariff's file; numbers by income group lie below it.
    unit
        Of its numbers on the page and in an address.
    factor
        What one of them is in the unit of the file.
    low, high
        Range, in the unit of the page.
    hourly, by_group
        Whether there is a number for every hour, or for every income group.
    words
        The words allowed; empty: numbers.
    """

    key: str
    unit: str = ""
    factor: float = 1.0
    low: float = 0.0
    high: float = 1.0
    hourly: bool = False
    by_group: bool = False
    words: tuple[str, ...] = ()

    def keys(self, groups: Sequence[str]) -> tuple[str, ...]:
        """Dotted keys of its values."""
        return tuple(f"{self.key}.{group}" for group in groups) if self.by_group else (self.key,)

    def read(self, name: str, text: str, groups: Sequence[str]) -> tuple[Value, ...]:
        """Values from what an address says; ValueError in one line, in which the part is called ``name``."""
        if self.words:
            if text not in self.words:
                raise ValueError(unknown(name, text[:60], self.words))
            return (text,)
        numbers = self.checked(name, _numbers(name, text), groups)
        return (tuple(numbers),) if self.hourly else tuple(numbers)

    def checked(self, name: str, numbers: Sequence[float], groups: Sequence[str]) -> list[float]:
        """Numbers of the page in the unit of the file; ValueError in one line if there are too few, or one is out."""
        count, places = (
            (HOURS, "hours") if self.hourly else (len(groups), "income groups") if self.by_group else (1, "")
        )
        if len(numbers) != count:
            given = f"{len(numbers)} {places or 'numbers'}"
            raise ValueError(f"{name} is given for {given}; give {'it for ' if places else ''}{count}")
        for value in numbers:
            if not self.low <= value <= self.high:  # also of nan
                raise ValueError(f"{name} holds {value:g}; give {self.low:g} to {self.high:g} {self.unit}".rstrip())
        return [self.in_file(value) for value in numbers]

    def in_file(self, value: float) -> float:
        """A number of the page in the unit of the file."""
        return round(value * self.factor, DIGITS) + 0.0

    def on_page(self, value: float) -> float:
        """A number of the file in the unit of the page."""
        return round(value / self.factor, DIGITS) + 0.0

    def write(self, values: Sequence[Value]) -> str:
        """The same as an address says it, equal neighbours together: ``17*9_52*4`` for nine hours, then four."""
        if self.words:
            return str(values[0])
        numbers = values[0] if self.hourly else values
        assert not isinstance(numbers, str | float)
        written = [f"{self.on_page(float(number)):.10g}" for number in numbers]  # type: ignore[arg-type]
        runs: list[tuple[str, int]] = []
        for text in written:
            runs = [*runs[:-1], (text, runs[-1][1] + 1)] if runs and runs[-1][0] == text else [*runs, (text, 1)]
        return "_".join(text if times == 1 else f"{text}*{times}" for text, times in runs)


PARTS: Final = {
    "rates": Part(key="tariff.energy_usd_per_kwh", unit="¢/kWh", factor=0.01, high=1000.0, hourly=True),
    "pass": Part(key="tariff.pass_through", unit="%", factor=0.01, high=100.0),
    "rule": Part(key="tariff.export.rule", words=tuple(map(str, ExportRule))),
    "credit": Part(key="tariff.export.usd_per_kwh", unit="¢/kWh", factor=0.01, high=1000.0, hourly=True),
    "credit_pass": Part(key="tariff.export.pass_through", unit="%", factor=0.01, high=100.0),
    "recovery": Part(key="tariff.recovery", words=tuple(map(str, Recovery))),
    "fixed": Part(key="tariff.fixed_charge_usd_per_day", unit="$/day", low=-100.0, high=100.0, by_group=True),
    "shape": Part(key="tariff.fixed_charge_shape", high=1000.0, by_group=True),
    "discount": Part(key="tariff.discount", unit="%", factor=0.01, high=99.0, by_group=True),
    "access": Part(key="tariff.access_charge.usd_per_pv_kw_day", unit="$/day", high=100.0),
}
"""What can be changed, by the name that an address gives it."""


def read_part(edits: Edits, side: str, part: str, text: str, scenario: Scenario) -> Edits:
    """Edits with one part set as an address writes it; ValueError in one line."""
    name = f"{side}.{part}"
    if part == FILE:
        try:
            return replace(edits, own=unpacked(text))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    if part not in PARTS:
        raise ValueError(unknown("parameter", name[:60], [f"{side}.{known}" for known in (*PARTS, FILE)]))
    groups = tuple(scenario.income_groups)
    return edits.with_values(PARTS[part], PARTS[part].read(name, text, groups), groups)


def written_parts(edits: Edits, scenario: Scenario) -> dict[str, str]:
    """Part of an address and its text, of everything changed."""
    changes, groups = dict(edits.changes), tuple(scenario.income_groups)
    parts = {FILE: packed(edits.own)} if edits.own else {}
    for name, part in PARTS.items():
        keys = part.keys(groups)
        if keys[0] in changes:
            parts[name] = part.write([changes[key] for key in keys])
    return parts


def _numbers(name: str, text: str) -> list[float]:
    """Numbers joined by low lines, each perhaps so many times."""
    wrong = ValueError(f"{name} is {text[:40]!r}; give numbers joined by _, such as 8*9_16*4_8*11")
    found: list[float] = []
    if len(text) > LONGEST:
        raise wrong
    for piece in text.split("_"):
        number, star, times = piece.partition("*")
        if star and not (times.isascii() and times.isdigit() and len(times) <= 2 and int(times) > 0):
            raise wrong
        try:
            found += [float(number)] * (int(times) if star else 1)
        except ValueError:
            raise wrong from None
    if len(found) > LONGEST or not all(map(math.isfinite, found)):
        raise wrong
    return found
