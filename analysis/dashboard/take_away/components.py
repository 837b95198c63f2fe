"""What every page has beside its navigation: the dialog of things to take away."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

import functools
from collections.abc import Mapping
from typing import Any, Final

import solara

from meanwatt.analysis.dashboard.shared.components import Event
from meanwatt.analysis.dashboard.shared.csv_text import release
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.take_away.described import Describe, Described
from meanwatt.analysis.dashboard.take_away.files import SCRIPTS

LONGEST: Final = 20_000
"""Characters of a query that are read."""


@functools.lru_cache
def code() -> str:
    """The scripts as one text."""
    return "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS)


@solara.component_vue("vue/take_away.vue")
def TakeAwayDialog(payload: str, code: str, event_asked: Event | None = None) -> None:
    """The dialog; it asks what the page shows when it is opened."""


@solara.component
def TakeAway(described: Mapping[str, tuple[str, Describe | None]]) -> None:
    """Answer what a page shows.

    Parameters
    ----------
    described
        Title of every page, and what reads its settings, by route.
    """
    told, set_told = solara.use_state(to_json({"path": "", "search": ""}))

    def asked(message: Mapping[str, Any]) -> None:
        set_told(answer(described, message))

    TakeAwayDialog(payload=told, code=code(), event_asked=asked)


def answer(described: Mapping[str, tuple[str, Describe | None]], asked: Mapping[str, Any]) -> str:
    """JSON of what is said of the page at an address."""
    path, search, day = str(asked.get("path", "")), str(asked.get("search", ""))[:LONGEST], asked.get("day", 0)
    title, describe = described.get(path.rstrip("/") or "/", ("Meanwatt", None))
    played = day if type(day) is int and day > 0 else 0
    said = Described() if describe is None else describe(search, played)
    return to_json(
        {
            "path": path,
            "search": search,
            "day": played,
            "page": title,
            "version": release(),
            "settings": [list(pair) for pair in said.settings],
            "python": said.python,
            "why": said.why,
        }
    )
