"""Figures as parts of a web page: SVG that takes the page's colours, and needs nothing from elsewhere.

A figure is drawn in a few marker colours, which become custom properties of the page, so that the same drawing serves
a light and a dark page. Text stays text: it is found by a search and set in the page's own font.
"""

import html
import io
import re
from typing import TYPE_CHECKING, Final

from meanwatt.analysis.figures.glyphs import with_all_glyphs
from meanwatt.analysis.figures.own_settings import own_settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE: Final = "#0072b2"
ORANGE: Final = "#e69f00"
GREEN: Final = "#009e73"
VERMILION: Final = "#d55e00"
INK: Final = "#1a1b1c"

BLACK: Final = "#000000"

PROPERTIES: Final = {
    BLUE: "--blue",
    ORANGE: "--orange",
    GREEN: "--green",
    VERMILION: "--vermilion",
    INK: "--ink",
    BLACK: "--ink",  # what axes and letters are drawn in unless told
}
"""Custom properties of the page by the colour a figure is drawn in."""


def inline_svg(figure: "Figure", name: str, description: str) -> str:
    """Turn a figure into an ``<svg>`` element with its own name space of ids and a description.

    Parameters
    ----------
    name
        Prefix of all ids; unique on the page.
    description
        What the figure shows, for those who cannot see it.
    """
    content = io.StringIO()
    with own_settings({"svg.fonttype": "none", "svg.hashsalt": name}), with_all_glyphs(figure):
        figure.savefig(content, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = content.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text).replace("xlink:href", "href")
    text = re.sub(r'\sid="([^"]+)"', rf' id="{name}-\1"', text)
    text = re.sub(r'(href="|url\()#', rf"\1#{name}-", text)
    for color, variable in PROPERTIES.items():
        text = re.sub(re.escape(color), f"var({variable})", text, flags=re.IGNORECASE)
    text = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", text)
    text = re.sub(
        r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1), count=1
    )
    label = html.escape(description)
    return text.replace("<svg", f'<svg role="img" aria-label="{label}"', 1).strip()
