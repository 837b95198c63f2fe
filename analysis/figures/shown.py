"""A figure that a notebook shows without pyplot having been imported. Imported where something is drawn: it is slow."""

import base64
import io

from matplotlib.figure import Figure


class ShownFigure(Figure):
    """matplotlib's, with a picture of itself for notebooks; `savefig` writes it to a file."""

    def _repr_html_(self) -> str:
        content = io.BytesIO()
        self.savefig(content, format="svg")
        return f"<img src='data:image/svg+xml;base64,{base64.b64encode(content.getvalue()).decode()}'>"
