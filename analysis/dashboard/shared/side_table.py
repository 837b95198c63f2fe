"""A table beside a page's figures that is computed when its button is pressed."""

from collections.abc import Sequence
from typing import Any

import solara

from meanwatt.analysis.dashboard.shared.components import Event
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.solved import Work


@solara.component_vue("vue/side_table.vue")
def SideTable(payload: str, event_ask: Event | None = None, event_halt: Event | None = None) -> None:  # noqa: N802
    """Draw a `side_board`, as JSON."""


def side_board(key: str, title: str, anchor: str, *, offer: str, label: str) -> dict[str, Any]:
    """What `SideTable` reads before anything is computed; see `under_way` and `filled`.

    Parameters
    ----------
    key, title
        Its name, for programs and for people.
    anchor
        Where the help explains it.
    offer, label
        What is said above the button, and on it.
    """
    return {
        "key": key,
        "title": title,
        "help": help_link(anchor),
        "offer": offer,
        "label": label,
        "work": None,
        "ask": True,
        "heads": [],
        "rows": [],
        "caption": "",
        "messages": [],
    }


def under_way(board: dict[str, Any], work: Work | None) -> dict[str, Any]:
    """The same while it is being computed; unchanged without work."""
    if work is None:
        return board
    return {**board, "ask": False, "work": {"text": work.text, "fraction": round(work.fraction, 3)}}


def filled(
    board: dict[str, Any],
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    caption: str,
    messages: Sequence[str] = (),
) -> dict[str, Any]:
    """The same with what was found; the first cell of a row is its name."""
    return {
        **board,
        "ask": False,
        "heads": list(heads),
        "rows": [list(row) for row in rows],
        "caption": caption,
        "messages": list(messages),
    }
