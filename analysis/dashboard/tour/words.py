"""All that the tour says, in the order in which it says it, and what it does at each place."""

from dataclasses import dataclass
from typing import Final

ADDRESS: Final = "/#tour"
"""Where a tour begins. What follows # is read by the page alone, and taken off the address at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One caption of the tour.

    Attributes
    ----------
    text
        What is seen.
    seconds
        How long it stands, from the moment at which it can be seen.
    page
        Route of the page.
    look
        CSS selector of what the caption speaks of: it is waited for, scrolled to and framed.
    press
        Selector of a button that is pressed first; empty for none.
    calm
        Selector of what is pressed instead where a visitor prefers no motion.
    """

    text: str
    seconds: float
    page: str = "/"
    look: str = ".mw-play:not([disabled])"
    press: str = ""
    calm: str = ""


CHART: Final = ".mw-charts .mw-card"
STEPS: Final = (
    Step(
        text="A thousand homes answer tonight's price of electricity; every day is simulated, home by home. The solid"
        " line is what they draw; the dashed one is what theory expects of very many homes.",
        seconds=20,
        look=CHART,
        press='.mw-play[aria-pressed="false"]:not([disabled])',
        calm=".mw-step-day:not([disabled])",
    ),
    Step(
        text="You are the regulator. One click changes one thing, what exported solar power earns, and the same"
        " network cost is still recovered. The homes change their plans, and with them the price.",
        seconds=22,
        look=".mw-call",
        press=".mw-call",
    ),
    Step(
        text="Who pays? Each bar is the share of income that goes into the electricity bill of a group of homes; the"
        " mark beside it is what it was before.",
        seconds=20,
        look='[aria-label^="Burden"]',
    ),
    Step(
        text="The page Compare puts two tariffs side by side: what every group of homes pays, and where the money"
        " goes.",
        seconds=22,
        page="/compare",
        look=".mw-payers",
    ),
    Step(
        text="Eight lessons for a classroom: predict first, then see what the program computes. On the page Class"
        " market every student is one of the homes.",
        seconds=20,
        page="/lessons",
        look=".mw-lesson-list",
    ),
    Step(
        text="Back at the market: move a slider, press Apply, and read what became of the bills. It is your turn.",
        seconds=14,
        look=".mw-play",
    ),
)

HOW_TO_END: Final = "Any key or click ends the tour."
LONGEST_WAIT_SECONDS: Final = 90.0
"""A place that does not appear by then is passed over."""
