"""A progress bar with time left, in a terminal and in a notebook."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def progress_bar(console: Any) -> Any:
    """Bar of rich's on one of its consoles; it vanishes when done."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, transient=True)


@contextmanager
def shown_progress(title: str, *, shown: bool | None = None) -> Iterator[Callable[[str, float | None], None]]:
    """Show where a computation stands.

    Parameters
    ----------
    title
        What is done, before anything is told.
    shown
        Whether there is a bar; by default in a notebook and in a terminal.

    Yields
    ------
    callable
        Takes a text and the share done in [0, 1], or None where nobody knows it.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if not (shown if shown is not None else console.is_jupyter or console.is_terminal):
        yield _say_nothing
        return
    with progress_bar(console) as bar:
        task = bar.add_task(title, total=None)

        def tell(text: str, fraction: float | None = None) -> None:
            bar.update(task, description=text, completed=fraction or 0.0, total=None if fraction is None else 1.0)

        yield tell


def _say_nothing(text: str, fraction: float | None = None) -> None:
    pass
