"""What the tests read off the page."""

import io

import numpy as np
from PIL import Image


def day(page) -> int:
    """Day in the top bar."""
    return int(page.get_attribute(".mw-clock", "data-day"))


def until_day(page, number: int) -> None:
    """Wait until every part of the page shows this day."""
    for part in (".mw-clock", ".mw-day", ".mw-map", ".mw-metrics"):
        page.wait_for_selector(f'{part}[data-day="{number}"]')


def line(page, series: str = "tonight", panel: str = "load") -> str:
    """Path of one line of the day chart; empty if it is not drawn."""
    found = page.locator(f'.mw-panel-{panel} path[data-series="{series}"]')
    return found.get_attribute("d") if found.count() else ""


def figures(page) -> dict[str, str]:
    """Text of every key figure."""
    return {card.get_attribute("data-key"): card.inner_text() for card in page.locator(".mw-metric").all()}


def colours(page, selector: str) -> int:
    """Number of different colours in the picture of an element."""
    picture = Image.open(io.BytesIO(page.locator(selector).first.screenshot())).convert("RGB")
    return len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0))


def set_range(page, name: str, value: str) -> None:
    """Move a slider and let go of it."""
    page.locator(f'input[name="{name}"]').fill(value)


def in_force(page) -> None:
    """Wait until the form has nothing to apply and nothing under way, with the settings of the address.

    The address changes with the top bar, which the page may hear of before the form.
    """
    page.wait_for_function(
        """() => {
            const foot = document.querySelector(".mw-form-foot");
            const here = foot.dataset.query === location.search.slice(1);
            return here && foot.innerText.includes("What you see is in force.");
        }"""
    )
