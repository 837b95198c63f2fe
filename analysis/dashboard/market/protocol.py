"""What the controller asks of an engine, so that another one can stand in for it."""

from collections.abc import Callable
from typing import Any, Protocol

from meanwatt.analysis.dashboard.market.address import Look
from meanwatt.analysis.dashboard.market.tried import Tried
from meanwatt.analysis.dashboard.market.view import Frame
from meanwatt.analysis.dashboard.shared.notices import Notice, failure, sentence
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solved import Work


class EngineStopped(Exception):  # noqa: N818 - not an error
    """Raised by an engine that will not step any further, with the reason in words."""


class Engine(Protocol):
    """What the controller needs of an engine; without its lock only what may take long is called.

    That is ``solve``, ``try_out``, ``measure`` and ``refine``.
    """

    def preview(self, settings: Settings) -> None:
        """Show what is known of settings before they are solved."""

    def solve(
        self,
        settings: Settings,
        *,
        near: Any | None = None,
        progress: Callable[[Work], None],
        cancelled: Callable[[], bool],
    ) -> Any | None:
        """Solve, perhaps from a solution nearby; None if cancelled; ValueError in one line if a setting is not allowed.

        Changes nothing.
        """

    def try_out(self, settings: Settings, *, near: Any, cancelled: Callable[[], bool]) -> Any | None:
        """Solve for a moment, as ``solve``; nobody else is to find the solution."""

    def measure(self, solution: Any, *, cancelled: Callable[[], bool]) -> None:
        """Find out what a solve takes around a solution, if that is not known."""

    def seconds(self) -> float | None:
        """What a solve takes here, from the last ones; None if that is not known."""

    def adopt(self, solution: Any, *, against: Any | None = None) -> tuple[Notice, ...]:
        """Put a solution in force, at day 0, and say what there is to say of it, also against another one."""

    def pin(self) -> None:
        """Tell every change from now on against what is in force, or no longer if that is so already."""

    def tried(self, solution: Any) -> Tried:
        """What is kept of a solution in the list of tariffs tried."""

    def best_welfare(self, town: Settings) -> float | None:
        """Welfare of a town's first best, where it is known. [USD per household-day]"""

    def refine(self, solution: Any, *, cancelled: Callable[[], bool]) -> bool:
        """Compute what can come later; whether the frame changed."""

    def step(self) -> None:
        """Simulate one day."""

    def reset(self) -> None:
        """Go back to day 0 of the solution in force."""

    def frame(self) -> Frame:
        """Day to show."""

    def look(self, bus: int | None, household: int | None) -> None:
        """Show the homes of a bus, and follow one of them; what is not there is not looked at."""

    def looking(self) -> Look:
        """Bus and household that are looked at, None for what is not."""

    def csv(self) -> str:
        """History so far, its parameters in front."""

    def geojson(self) -> str:
        """The feeder with what the map shows of the latest day, as GeoJSON; empty before the first solution."""

    def close(self) -> None:
        """Let go of everything."""


def told(about: str, title: str, error: Exception) -> Notice:
    """An unforeseen error as a sentence; the engine's own rest is a warning."""
    if isinstance(error, EngineStopped):
        return Notice(about=about, kind="warn", title=title, text=sentence(error))
    return failure(about, title, error)
