"""A figure that a notebook shows without pyplot having been imported. Imported where something is drawn: it is slow."""

import base64
import html
import io

from matplotlib.figure import Figure


class ShownFigure(Figure):
    """matplotlib's, with a picture of itself for notebooks; `savefig` writes it to a file."""

    def _repr_html_(self) -> str:
        return picture(self)


def picture(figure: Figure, description: str = "") -> str:
    """An ``<img>`` element that holds a figure whole, with a description for those who cannot see it."""
    content = io.BytesIO()
    figure.savefig(content, format="svg")
    data = base64.b64encode(content.getvalue()).decode()
    return f"<img alt='{html.escape(description)}' src='data:image/svg+xml;base64,{data}'>"
