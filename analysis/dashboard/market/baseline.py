"""What the page tells its changes against: the mean field before the last change, or one that its visitor pinned."""

from dataclasses import dataclass
from typing import Any, Literal

from meanwatt.analysis.dashboard.market.naming import full_name, short_name
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.solution import Solution

NONE_YET = "Change the tariff: every figure then shows what it was before."

Word = Literal["before", "pinned"]
BASELINE_LINE: dict[str, str] = {"before": "mean field before", "pinned": "mean field, pinned"}
"""What a legend calls the marks."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Baseline:
    """A solution that others are told against.

    Attributes
    ----------
    solution
        Its mean field, which is known without a single home.
    pinned
        Whether it stays until it is unpinned; else it is what was before the last change.
    """

    solution: Solution
    pinned: bool

    @property
    def word(self) -> Word:
        """What its marks are called."""
        return "pinned" if self.pinned else "before"

    def apart_from(self, other: Solution) -> Solution | None:
        """The solution, if the other one is of another tariff or town: the mean field does not know the sample."""
        return None if self.solution.settings.market_only == other.settings.market_only else self.solution


def baseline_board(baseline: Baseline | None, now: Solution | None) -> dict[str, Any]:
    """Say what changes are told against, for the component `baseline`.

    Parameters
    ----------
    now
        What is in force; None before anything is solved.
    """
    board = {"help": help_link("baseline"), "ready": now is not None, "pinned": False, "word": "", "full": ""}
    if baseline is None or now is None:
        return {**board, "text": NONE_YET}
    settings = baseline.solution.settings
    here = baseline.apart_from(now) is None
    return {
        **board,
        "pinned": baseline.pinned,
        "word": baseline.word,
        "text": f"{short_name(settings)}{' (in force now)' if here else ''}",
        "full": full_name(settings),
    }
