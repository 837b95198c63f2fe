"""What the page of finite markets says."""

from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING

from meanwatt.analysis.dashboard.finite.choice import DAYS, Choice
from meanwatt.analysis.dashboard.finite.drawn import Drawn
from meanwatt.analysis.dashboard.shared.figures import number

if TYPE_CHECKING:
    from meanwatt.analysis.validation.exploitability import Exploitability
    from meanwatt.analysis.validation.scaling import Interval

TITLE = "Finite markets and the mean field"
SENTENCE = "How many homes does it take until a town behaves like an endless one?"
BEGIN = "Draw the markets"
WAITING = "The tariff is being solved; then markets of every size are drawn."
MARKS = {"pass": "✓", "fail": "✗", "undecided": "?", "not applicable": "–"}
NOTE = (
    f"Every dot is one market, drawn for {DAYS} days: how far its mean net load is from the mean field's (root mean"
    " square over hours and days). The line is what homes that draw their lots independently would show: it follows"
    " from the mean field alone, and nothing is fitted. Among few homes it bends: kinds of homes come in whole"
    " numbers."
)
GAIN_NOTE = (
    "What one home of N gains by leaving the mean field's plan for its own best reply, computed exactly: ε"
    " of the N-player game. The dashed line is where endlessly many homes end: it is the price of choosing with"
    " a temperature."
)


def load_caption(drawn: Drawn) -> str:
    """Read the errors: those of the smallest and of the largest markets drawn."""
    there = [(n, median(errors)) for n, errors in zip(drawn.households, drawn.errors_kw, strict=True) if errors]
    if not there:
        return "No market is drawn yet."
    parts = [
        f"{count:,} homes are {number(1000 * error, 0)} W a home from the mean field"
        f" ({number(100 * error / drawn.mean_load_kw, 1)} % of the mean load)"
        for count, error in dict.fromkeys((there[0], there[-1]))
    ]
    slope = "" if drawn.study is None else _slope(drawn.study.scatter.slope)
    return f"{'; '.join(parts)}.{slope}"


def _slope(slope: "Interval") -> str:
    if slope.value is None:
        return ""
    fewer = 10 ** abs(slope.value)
    word = "falls" if slope.value < 0 else "rises"
    return (
        f" The sampling error in it {word} by a factor of {number(fewer, 1)} with ten times the homes; the √N law"
        " says 3.2."
    )


def gain_caption(households: Sequence[int], found: "Exploitability") -> str:
    """Read the gains of a home that deviates."""
    if not found.coupled:
        return "No rate of this tariff follows the wholesale price: a home gains the same in a town of any size."
    return (
        f"A home that deviates gains {number(100 * found.values[0], 2)} cents a day in a market of"
        f" {households[0]:,} homes and {number(100 * found.values[-1], 2)} cents a day in one of {households[-1]:,}."
    )


def markets_label(count: int) -> str:
    """A choice of markets of each size."""
    return f"{count} of each size"


def file_name(choice: Choice, ending: str) -> str:
    """Name of a file to take home."""
    return f"meanwatt-{choice.scenario}-{choice.tariff}-finite.{ending}"
