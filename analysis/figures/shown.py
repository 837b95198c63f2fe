"""A figure that a notebook shows without pyplot having been imported. Imported where something is drawn: it is slow."""

import base64
import html
import io
from typing import Any

from matplotlib.figure import Figure

from meanwatt.analysis.figures.glyphs import with_all_glyphs


class ShownFigure(Figure):
    """matplotlib's, with a picture of itself for notebooks; `savefig` writes it to a file."""

    def savefig(self, *args: Any, **kwargs: Any) -> None:
        """Write it to a file, as matplotlib does."""
        with with_all_glyphs(self):
            super().savefig(*args, **kwargs)

    def _repr_html_(self) -> str:
        return picture(self)


def picture(figure: Figure, description: str = "") -> str:
    """An ``<img>`` element that holds a figure whole, with a description for those who cannot see it."""
    content = io.BytesIO()
    with with_all_glyphs(figure):
        Figure.savefig(figure, content, format="svg")
    data = base64.b64encode(content.getvalue()).decode()
    return f"<img alt='{html.escape(description)}' src='data:image/svg+xml;base64,{data}'>"
