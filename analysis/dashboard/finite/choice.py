"""What a visitor has drawn, and how it is written in an address."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from meanwatt.analysis.dashboard.shared.query import read_parts
from meanwatt.analysis.dashboard.shared.settings import LANDING_SCENARIO, SEEDS, Settings
from meanwatt.model.scenario.nearest import unknown

KEYS = ("scenario", "tariff", "markets", "seed")
SIZES = (10, 30, 100, 300, 1000, 3000)
"""Numbers of homes."""
MARKETS = (5, 10, 20, 40)
"""Markets of each size that a visitor can choose."""
DAYS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Markets of every size under one tariff.

    Attributes
    ----------
    scenario, tariff
        Name of a preset, and of one of its tariffs. The default's rates follow the wholesale price, so that one home
        among few moves what it pays.
    markets, seed
        Markets of each size, and the key of their draws.
    """

    scenario: str = LANDING_SCENARIO
    tariff: str = "rtp"
    markets: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        """Check names and ranges; ValueError in one line."""
        self.settings.single()
        if self.markets not in MARKETS:
            offered = ", ".join(str(count) for count in MARKETS)
            raise ValueError(f"markets is {self.markets}; give one of {offered}")

    @property
    def settings(self) -> Settings:
        """The same for the solve."""
        return Settings(scenario=self.scenario, tariff=self.tariff, seed=self.seed)

    def with_part(self, key: str, text: str) -> "Choice":
        """A copy with one part set as a visitor, or an address, writes it; ValueError in one line."""
        if key not in KEYS:
            raise ValueError(unknown("parameter", key, KEYS))
        if key == "scenario":
            return replace(self, scenario=text)
        if key == "tariff":
            return replace(self, tariff=text)
        if not text.isascii() or not text.isdigit() or len(text) > len(str(SEEDS[1])):
            raise ValueError(f"{key} is {text[:40]!r}; give a whole number, e.g. {getattr(Choice(), key)}")
        return replace(self, markets=int(text)) if key == "markets" else replace(self, seed=int(text))


def query(choice: Choice, **asked: str) -> str:
    """Write a choice as the query of an address: what differs from the defaults, with parts asked for in their place.

    What is asked for need not be allowed: who reads the address says so.
    """
    plain = Choice()
    parts = {key: getattr(choice, key) for key in KEYS if getattr(choice, key) != getattr(plain, key)}
    return urlencode(
        {key: value for key, value in {**parts, **asked}.items() if str(value) != str(getattr(plain, key))}
    )


def from_query(text: str) -> tuple[Choice, tuple[str, ...]]:
    """Read a choice from an address and list, in words, what could not be used; see `read_parts`."""
    return read_parts(text, Choice(), Choice.with_part, first=KEYS[:1])  # the scenario decides which tariffs there are
