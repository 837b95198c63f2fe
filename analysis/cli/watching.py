"""Progress on standard error while a long command runs, and the request to stop it."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from meanwatt.analysis.cli.interrupt import Stop, stop_on_ctrl_c

if TYPE_CHECKING:
    from meanwatt.model.progress.watch import Progress, Watch


class _Display(Protocol):
    """Where progress is shown."""

    def show(self, text: str, fraction: float | None) -> None:
        """Show what is being done and, where that is known, the share done in [0, 1]."""

    def new_stage(self, text: str) -> None:
        """Start another part of the work."""


class _Bar:
    """A bar in a terminal; time left is counted anew in every stage."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._task = bar.add_task("starting", total=None)

    def show(self, text: str, fraction: float | None) -> None:
        total = None if fraction is None else 1.0
        self._bar.update(self._task, description=text, completed=fraction or 0.0, total=total)

    def new_stage(self, text: str) -> None:
        self._bar.remove_task(self._task)
        self._task = self._bar.add_task(text, total=None)


class Work:
    """What a computation may tell and ask while it runs.

    Attributes
    ----------
    cancelled : Stop
        Answers True once the user pressed Ctrl-C.
    """

    def __init__(self, stop: Stop, display: _Display | None) -> None:
        self.cancelled = stop
        self._display = display

    @property
    def watch(self) -> "Watch":
        """The same for a solver, counting from zero."""
        from meanwatt.model.progress.watch import Watch

        return Watch(progress=self.progress, cancelled=self.cancelled)

    def progress(self, report: "Progress") -> None:
        """Show where a solver stands."""
        self.show(report.text, report.fraction)

    def show(self, text: str, fraction: float | None) -> None:
        """Show what is being done and, where that is known, the share done in [0, 1]."""
        if self._display is not None:
            self._display.show(text, fraction)

    def new_stage(self, text: str) -> None:
        """Start another part of the work: time left is counted anew."""
        if self._display is not None:
            self._display.new_stage(text)


@contextmanager
def watched(*, quiet: bool) -> Iterator[Work]:
    """Watch a long computation: with a bar in a terminal, else with a line every ten seconds.

    Parameters
    ----------
    quiet
        No progress, whatever standard error is.
    """
    with ExitStack() as stack:
        stop = stack.enter_context(stop_on_ctrl_c())
        display: _Display | None = None
        if not quiet and sys.stderr.isatty():
            from rich.console import Console

            from meanwatt.analysis.progress_bar import progress_bar

            display = _Bar(stack.enter_context(progress_bar(Console(stderr=True))))
        elif not quiet:
            from meanwatt.model.progress.heartbeat import Heartbeat

            display = stack.enter_context(Heartbeat())
        yield Work(stop, display)
