"""A figure as the bytes of a file, equal for equal figures."""

import io
from typing import TYPE_CHECKING, Literal

from meanwatt.analysis.figures.glyphs import with_all_glyphs
from meanwatt.analysis.figures.own_settings import own_settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def image(figure: "Figure", form: Literal["svg", "png"], *, dpi: float = 100) -> bytes:
    """A figure as a file's bytes; equal for equal figures."""
    content = io.BytesIO()
    with own_settings({"svg.hashsalt": "meanwatt", "svg.fonttype": "path"}), with_all_glyphs(figure):
        metadata = {"Date": None} if form == "svg" else {}
        figure.savefig(content, format=form, dpi=dpi, metadata=metadata)
    return content.getvalue()
