"""A market that herds, and what is changed in it with one click: what cures the herd, and what makes it worse."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from meanwatt.analysis.dashboard.learners.choice import Choice

HERD: Final = Choice(battery_share_scale=2.0, temperature_usd=0.002, first_step=1.0, cohorts=7)
"""Nearly greedy homes, 30 % of them with a battery, who all move their belief the whole way at first.

The seven cohorts answer on the same day and so are one; they are there to be staggered. With twice the batteries of
today every home with sun has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that is changed in the herd.

    Attributes
    ----------
    key
        Its name in addresses of tests and in the page.
    label, text
        On the button, and what it changes.
    cures
        Whether it calms the herd.
    part
        The one attribute of the choice, and its value.
    """

    key: str
    label: str
    text: str
    cures: bool
    part: Mapping[str, Any]

    def of(self, herd: Choice) -> Choice:
        """The herd with this change."""
        return replace(herd, **self.part)


def _instead(name: str, value: float, called: str, why: str, unit: str = "") -> dict[str, Any]:
    """Text and part of a change of one number of the herd."""
    text = f"{called} {value:g}{unit} instead of {getattr(HERD, name):g}: {why}"
    return {"text": text, "part": MappingProxyType({name: value})}


CHANGES: Final = (
    Change(
        key="step",
        label="Smaller steps",
        cures=True,
        **_instead("first_step", 0.1, "First step", "a home moves its belief a tenth of the way to today's prices."),
    ),
    Change(
        key="turns",
        label="Answer in turns",
        cures=True,
        **_instead("stagger", 7, "Stagger", "one home in seven makes a new plan each day, the others keep theirs."),
    ),
    Change(
        key="half",
        label="Tell half of them",
        text="Half of the homes are told the equilibrium's prices and follow them; the other half learn as before.",
        cures=True,
        part=MappingProxyType({"mix": (("equilibrium", 50), ("belief", 50))}),
    ),
    Change(
        key="soft",
        label="Softer choices",
        cures=True,
        **_instead(
            "temperature_usd", 0.02, "Temperature", "a home spreads over hours that are nearly as cheap.", " USD"
        ),
    ),
    Change(
        key="greedy",
        label="Worse: greedy",
        cures=False,
        **_instead(
            "temperature_usd",
            0.0,
            "Temperature",
            "a home takes the cheapest hour, however little cheaper it is.",
            " USD",
        ),
    ),
)
"""Each changes one thing of the herd."""


def herd_of(choice: Choice) -> Choice:
    """The herd with the size, days and seed of a choice."""
    return replace(HERD, households=choice.households, days=choice.days, seed=choice.seed)


def change_of(choice: Choice) -> Change | None:
    """Which change of the herd a choice is; None if it is the herd itself, or something else."""
    herd = herd_of(choice)
    return next((change for change in CHANGES if change.of(herd) == choice), None)


def is_herd(choice: Choice) -> bool:
    """Whether a choice is the herd, at any size, for any days and any draws."""
    return choice == herd_of(choice)
