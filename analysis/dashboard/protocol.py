"""What the controller asks of an engine, so that another one can stand in for it."""

from collections.abc import Callable
from typing import Any, Protocol

from analysis.dashboard.settings import Settings
from analysis.dashboard.view import Frame, Notice, Work


class Rest(Exception):  # noqa: N818 - not an error
    """Raised by an engine that will not step any further, with the reason in words."""


class Engine(Protocol):
    """What the controller needs of an engine. Only ``solve`` and ``refine`` are called without its lock held."""

    def preview(self, settings: Settings) -> None:
        """Show what is known of settings before they are solved."""

    def solve(
        self, settings: Settings, *, progress: Callable[[Work], None], cancelled: Callable[[], bool]
    ) -> Any | None:
        """Solve; None if cancelled; ValueError in one line if a setting is not allowed. Changes nothing."""

    def adopt(self, solution: Any) -> tuple[Notice, ...]:
        """Put a solution in force, at day 0, and say what there is to say of it."""

    def refine(self, solution: Any, *, cancelled: Callable[[], bool]) -> bool:
        """Compute what can come later; whether the frame changed."""

    def step(self) -> None:
        """Simulate one day."""

    def reset(self) -> None:
        """Go back to day 0 of the solution in force."""

    def frame(self) -> Frame:
        """Day to show."""

    def csv(self) -> str:
        """History so far, its parameters in front."""

    def close(self) -> None:
        """Let go of everything."""
