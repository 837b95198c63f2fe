"""What a visitor compares, and how it is written in an address."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from meanwatt.analysis.dashboard.shared.query import read_parts
from meanwatt.analysis.dashboard.shared.settings import LANDING_SCENARIO, Settings
from meanwatt.model.scenario.nearest import unknown

KEYS = ("scenario", "a", "b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Two tariffs of one scenario. The defaults recover the whole cost, so that they differ in the price alone.

    Attributes
    ----------
    scenario
        Name of a preset.
    a, b
        Names of two of its tariffs; they may be the same.
    """

    scenario: str = LANDING_SCENARIO
    a: str = "flat"
    b: str = "rtp"

    def __post_init__(self) -> None:
        """Check the names; ValueError in one line with the nearest one."""
        for settings in self.sides:
            settings.preset()

    @property
    def sides(self) -> tuple[Settings, Settings]:
        """Settings of A and of B."""
        return Settings(scenario=self.scenario, tariff=self.a), Settings(scenario=self.scenario, tariff=self.b)

    def swapped(self) -> "Choice":
        """B against A."""
        return replace(self, a=self.b, b=self.a)


def query(choice: Choice) -> str:
    """Write a choice as the query of an address: what differs from the defaults."""
    plain = Choice()
    return urlencode({key: getattr(choice, key) for key in KEYS if getattr(choice, key) != getattr(plain, key)})


def from_query(text: str) -> tuple[Choice, tuple[str, ...]]:
    """Read a choice from an address and list, in words, what could not be used.

    Parameters
    ----------
    text
        Query with or without the question mark.

    Returns
    -------
    Choice, tuple of str
        What could be read, defaults for the rest; one sentence for every part that was left out.
    """
    return read_parts(text, Choice(), _changed, first=KEYS[:1])  # the scenario decides which tariffs there are


def _changed(choice: Choice, key: str, text: str) -> Choice:
    """A choice with one key of the address set."""
    if key not in KEYS:
        raise ValueError(unknown("parameter", key, KEYS))
    return replace(choice, **{key: text})
