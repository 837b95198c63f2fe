"""A tariff at a glance: an SVG of 12 months by 24 hours, coloured by what a kWh costs."""

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.billing.local_calendar import MONTH_NAMES

DEAREST: Final = 0.65
"""Price of the darkest colour, one scale for all tariffs. [USD/kWh]"""
COLOURS: Final = ((0.0, (255, 250, 214)), (0.5, (244, 135, 62)), (1.0, (110, 0, 44)))
"""Share of that price → red, green, blue; between them straight lines."""
CELL_WIDTH, CELL_HEIGHT, LEFT, TOP = 20, 16, 44, 4
WIDTH: Final = LEFT + 24 * CELL_WIDTH + 12
HEIGHT: Final = TOP + 12 * CELL_HEIGHT + 40
NARROWEST, LOWEST = 3, 2
"""Hours and months of a field that has room for its price."""
LEAST_CONTRAST: Final = 4.5


def tariff_picture(usd_per_kwh: Sequence[Sequence[float]], title: str, currency: str = "USD") -> str:
    """An SVG that stands by itself or within a page, whose colour of letters it takes.

    Parameters
    ----------
    usd_per_kwh : (month, hour)
        What a kWh costs. [USD/kWh, or another currency's]
    title
        Read out in the picture's place.
    """
    fields = "".join(_field(*field, currency) for field in _fields(np.array(usd_per_kwh)))
    months = "".join(
        f'<text x="{LEFT - 5}" y="{TOP + month * CELL_HEIGHT + 12}" text-anchor="end">{name[:3]}</text>'
        for month, name in enumerate(MONTH_NAMES)
    )
    below = TOP + 12 * CELL_HEIGHT + 15
    hours = "".join(
        f'<text x="{LEFT + hour * CELL_WIDTH}" y="{below}" text-anchor="middle">{hour}</text>'
        for hour in range(0, 25, 3)
    )
    foot = f'<text x="{LEFT + 12 * CELL_WIDTH}" y="{below + 16}" text-anchor="middle">hour of the day</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' aria-label="{escape(title)}"'
        f' style="max-width:{WIDTH}px;width:100%" font-family="sans-serif" font-size="13" fill="currentColor">'
        f"<title>{escape(title)}</title>{fields}{months}{hours}{foot}</svg>\n"
    )


def _fields(rates: Floats) -> list[tuple[int, int, int, int, float]]:
    """Rectangles of one price: first month and the one after the last, first hour and the one after the last, price."""
    found, month = [], 0
    while month < len(rates):
        end = month + 1
        while end < len(rates) and (rates[end] == rates[month]).all():
            end += 1
        row = rates[month]
        cuts = [0, *(np.flatnonzero(np.diff(row)) + 1).tolist(), len(row)]
        found += [(month, end, first, last, float(row[first])) for first, last in pairwise(cuts)]
        month = end
    return found


def _field(month: int, end: int, first: int, last: int, rate: float, currency: str) -> str:
    x, y = LEFT + first * CELL_WIDTH, TOP + month * CELL_HEIGHT
    width, height = (last - first) * CELL_WIDTH, (end - month) * CELL_HEIGHT
    colour = colour_of(rate)
    names = " to ".join(dict.fromkeys((MONTH_NAMES[month], MONTH_NAMES[end - 1])))
    text = ""
    if last - first >= NARROWEST and end - month >= LOWEST:
        text = (
            f'<text x="{x + width / 2:g}" y="{y + height / 2 + 4:g}" text-anchor="middle" fill="{ink_on(colour)}">'
            f"{rate:.3f}</text>"
        )
    return (
        f'<g><title>{names}, {first} to {last} h: {rate:g} {escape(currency)}/kWh</title><rect x="{x}" y="{y}"'
        f' width="{width}" height="{height}" fill="{_hex(colour)}" stroke="#777" stroke-width="0.5"/>{text}</g>'
    )


def colour_of(rate: float) -> tuple[int, int, int]:
    """Red, green and blue of a price."""
    share = min(max(rate / DEAREST, 0.0), 1.0)
    stops = [stop for stop, _ in COLOURS]
    red, green, blue = (round(float(np.interp(share, stops, [rgb[part] for _, rgb in COLOURS]))) for part in range(3))
    return red, green, blue


def ink_on(colour: tuple[int, int, int]) -> str:
    """The colour of letters that can be read on another one: black or white, whichever stands out more."""
    return "#000" if contrast(colour, (0, 0, 0)) >= contrast(colour, (255, 255, 255)) else "#fff"


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """Contrast of two colours as the Web Content Accessibility Guidelines 2.2 define it, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: tuple[int, int, int]) -> float:
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (c / 255 for c in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _hex(colour: tuple[int, int, int]) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)
