"""The caption of the tour, which also plays it."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

from dataclasses import asdict

import solara

from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.tour.words import ADDRESS, HOW_TO_END, LONGEST_WAIT_SECONDS, STEPS


@solara.component_vue("vue/tour_caption.vue")
def TourCaption(payload: str) -> None:
    """Plays the tour if the address asks for it, until its end, a key or a click."""


@solara.component
def Tour() -> None:
    """The tour of all pages; nothing of it is seen unless it plays."""
    TourCaption(
        payload=to_json(
            {
                "hash": ADDRESS.removeprefix("/"),
                "steps": [asdict(step) for step in STEPS],
                "how": HOW_TO_END,
                "patience": LONGEST_WAIT_SECONDS,
            }
        )
    )
