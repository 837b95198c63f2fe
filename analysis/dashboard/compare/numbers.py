"""The key numbers of two tariffs side by side: A, B, their difference as printed, and whether it is for the better."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from meanwatt.analysis.dashboard.compare.money import books
from meanwatt.analysis.dashboard.shared.figures import FIGURES, number
from meanwatt.analysis.dashboard.shared.solution import Benchmark, Solution
from meanwatt.model.scenario.economy import DAYS_PER_MONTH

Aim = Literal["less", "more", "zero"]
Kind = Literal["good", "bad", "same", ""]
UNDEFINED = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
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
        Reads it off a solution; None where it is undefined.
    """

    key: str
    label: str
    unit: str
    digits: int
    aim: Aim
    value: Callable[[Solution], float | None]
    better: str = "better"
    worse: str = "worse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
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

    figure: Figure
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


def _curtailed_kwh(solution: Solution) -> float:
    return DAYS_PER_MONTH * solution.equilibrium.curtailed_kwh_per_household_day


NUMBERS = (
    Figure(
        key="gap",
        label=FIGURES["gap"][0],
        unit=FIGURES["gap"][1],
        digits=2,
        aim="less",
        value=lambda solution: 100 * solution.metrics.burden_gap,
    ),
    Figure(
        key="suits",
        label="Suits index",
        unit="−1 to 1",
        digits=3,
        aim="more",
        value=lambda solution: solution.metrics.suits,
        better="less regressive",
        worse="more regressive",
    ),
    Figure(
        key="imv",
        label=FIGURES["imv"][0],
        unit=FIGURES["imv"][1],
        digits=4,
        aim="less",
        value=lambda solution: solution.metrics.imv,
    ),
    Figure(
        key="peak",
        label=FIGURES["peak"][0],
        unit=FIGURES["peak"][1],
        digits=2,
        aim="less",
        value=lambda solution: solution.metrics.peak_to_average,
    ),
    Figure(
        key="volts",
        label=FIGURES["volts"][0],
        unit=FIGURES["volts"][1],
        digits=3,
        aim="more",
        value=lambda solution: float(np.nanmin(solution.voltage_pu)),
    ),
    Figure(
        key="surplus",
        label=FIGURES["surplus"][0],
        unit="$ a month",
        digits=2,
        aim="zero",
        value=lambda solution: books(solution).surplus / 100,
        better="nearer 0",
        worse="further from 0",
    ),
    Figure(
        key="curtailed",
        label=FIGURES["curtailed"][0],
        unit="kWh a month",
        digits=1,
        aim="less",
        value=_curtailed_kwh,
    ),
)
"""The key numbers that a solution holds, in the order of the page; the efficiency gap goes before them."""

EFFICIENCY = Figure(
    key="efficiency",
    label=FIGURES["efficiency"][0],
    unit="$ a month",
    digits=2,
    aim="less",
    value=lambda solution: -DAYS_PER_MONTH * solution.metrics.welfare_usd_per_household_day,
)
"""The efficiency gap, but for the welfare of the first best."""


def key_numbers(a: Solution, b: Solution, benchmark: Benchmark | None) -> tuple[Compared, ...]:
    """Set the key numbers side by side.

    Parameters
    ----------
    benchmark
        The first best of the town; None while it is not known.
    """
    return (_efficiency(a, b, benchmark), *(_compared(figure, figure.value(a), figure.value(b)) for figure in NUMBERS))


def _compared(figure: Figure, a: float | None, b: float | None) -> Compared:
    first, second = (_units(figure, value) for value in (a, b))
    difference = None if first is None or second is None else second - first
    return Compared(figure=figure, a=first, b=second, difference=difference)


def _efficiency(a: Solution, b: Solution, benchmark: Benchmark | None) -> Compared:
    """The efficiency gaps; without a first best only their difference, which is that of the welfares."""
    lost_a, lost_b = (EFFICIENCY.value(solution) or 0.0 for solution in (a, b))
    best = None if benchmark is None else benchmark.welfare_usd_per_household_day
    if best is None:
        return Compared(figure=EFFICIENCY, a=None, b=None, difference=_units(EFFICIENCY, lost_b - lost_a))
    gaps = (max(lost + DAYS_PER_MONTH * best, 0.0) for lost in (lost_a, lost_b))
    return _compared(EFFICIENCY, *gaps)


def _units(figure: Figure, value: float | None) -> int | None:
    """Value in units of the last digit printed."""
    return None if value is None else round(value * 10**figure.digits)
