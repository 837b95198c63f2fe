"""What a learner's recommendations are worth by the days metered, as the component `metered_chart` reads it."""

from typing import Any, Final

from meanwatt.analysis.dashboard.leader import side_words
from meanwatt.analysis.dashboard.leader.metering import METHODS, NEAR, Metered
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.solved import Work

TITLE: Final = "Learned from meters only"
OFFER: Final = (
    "A leader that knows no household posts tariffs, reads the meters, and learns which is best. How long does it take"
    " to come near one that knows them all? 150 tariffs are metered: seconds on the textbook island, minutes elsewhere."
)


def metered_json(method: str, found: Metered | None, work: Work | None) -> str:
    """JSON of the chart, and of the button that asks for it.

    Parameters
    ----------
    method
        The one chosen last.
    """
    chart: dict[str, Any] | None = None
    if found is not None and found.gain is not None:
        chart = {
            "days": [found.trial_days * number for number in range(1, len(found.recommended) + 1)],
            "shares": [None if share is None else round(100 * share, 2) for share in found.shares],
            "last": found.trial_days * found.asked,
            "near": round(100 * (1 - NEAR)),
        }
    return to_json(
        {
            "title": TITLE,
            "help": help_link("read-metered"),
            "offer": OFFER,
            "methods": [{"value": name, "label": side_words.METHODS.get(name, name)} for name in METHODS],
            "method": method,
            "work": None if work is None else {"text": work.text, "fraction": round(work.fraction, 3)},
            "chart": chart,
            "caption": "" if found is None else side_words.metered_caption(found),
        }
    )
