"""A result as a notebook shows it: a small table and one figure, without anything from elsewhere."""

import html
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def as_html(rows: Iterable[tuple[str, str]], figure: "Figure | None", description: str) -> str:
    """Table of names and values, and below it the figure with a description for those who cannot see it."""
    cells = "".join(
        f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
        f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
        for name, value in rows
    )
    table = f"<table>{cells}</table>"
    if figure is None:
        return table
    from meanwatt.analysis.figures.shown import picture

    return table + picture(figure, description)
