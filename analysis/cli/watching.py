"""Progress on standard error while a long command runs, and the request to stop it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from analysis.cli.interrupt import Stop, stop_on_ctrl_c

if TYPE_CHECKING:
    from model.mean_field.watch import Progress


class Work:
    """What a computation may tell and ask while it runs.

    Attributes
    ----------
    cancelled : Stop
        Answers True once the user pressed Ctrl-C.
    """

    def __init__(self, stop: Stop, bar: Any | None) -> None:
        self.cancelled = stop
        self._bar = bar
        self._task = None if bar is None else bar.add_task("starting", total=None)

    def progress(self, report: "Progress") -> None:
        """Show where a solver stands."""
        text = report.stage
        if report.residual_usd_per_kwh:
            text = f"{text}, residual {report.residual_usd_per_kwh:.0e} USD/kWh"
        self.show(text, report.fraction)

    def show(self, text: str, fraction: float | None) -> None:
        """Show what is being done and, where that is known, the share done in [0, 1]."""
        if self._bar is None:
            return
        total = None if fraction is None else 1.0
        self._bar.update(self._task, description=text, completed=fraction or 0.0, total=total)

    def new_stage(self, text: str) -> None:
        """Start another part of the work: time left is counted anew."""
        if self._bar is not None:
            self._bar.remove_task(self._task)
            self._task = self._bar.add_task(text, total=None)


@contextmanager
def watched(*, quiet: bool) -> Iterator[Work]:
    """Watch a long computation.

    Parameters
    ----------
    quiet
        No progress, whatever standard error is; without a terminal there is none either.
    """
    with stop_on_ctrl_c() as stop:
        if quiet or not sys.stderr.isatty():
            yield Work(stop, None)
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            yield Work(stop, bar)
