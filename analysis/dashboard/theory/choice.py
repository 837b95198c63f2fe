"""What a visitor looks at in the theory lab, and how it is written in an address."""

from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from meanwatt.analysis.dashboard.shared.query import read_number, read_parts
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.ranges import Range
from meanwatt.model.tabular.game_file import games, load_game
from meanwatt.model.tabular.named_game import NamedGame

KEYS: Final[tuple[str, ...]] = ("game", "concept", "discount", "temperature")
IGNORED: Final = ("scenario",)
"""Part of the links of the navigation; a game has no scenario."""
CONCEPTS: Final = ("commitment", "commitment_mixed", "feedback", "feedback_mixed")
"""Concepts of ``meanwatt game``, as its page orders them."""
DISCOUNT: Final = Range(0, 0.99)
"""Weights of the next period that a visitor can choose: nearer to 1 a game is no longer solved at once."""
TEMPERATURE: Final = Range(0.01, 10)
"""Softmax temperatures that a visitor can choose, in the unit of the rewards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One game, one concept of it, and how warm both players are.

    Attributes
    ----------
    game
        Name of a built-in game.
    concept
        Whose policies the table shows, one of `CONCEPTS`.
    discount
        Weight of the next period in the place of the game's own; None for that.
    temperature
        Of both players' softmax responses.
    """

    game: str = games()[0]
    concept: str = "commitment_mixed"
    discount: float | None = None
    temperature: float = 0.6

    def __post_init__(self) -> None:
        """Check names and ranges; ValueError in one line."""
        if self.game not in games():
            raise ValueError(unknown("game", self.game, games()))
        if self.concept not in CONCEPTS:
            raise ValueError(unknown("concept", self.concept, CONCEPTS))
        if self.discount is not None:
            DISCOUNT.require(self.discount, "discount")
            if self.discount == load_game(self.game).game.discount_leader:
                object.__setattr__(self, "discount", None)
        TEMPERATURE.require(self.temperature, "temperature")

    @property
    def named(self) -> NamedGame:
        """The game with the discount in force: the leader's, and the follower's where the file gives both the same."""
        found = load_game(self.game)
        if self.discount is None:
            return found
        alike = found.game.discount_follower == found.game.discount_leader
        follower = self.discount if alike else found.game.discount_follower
        game = replace(found.game, discount_leader=self.discount, discount_follower=follower)
        return replace(found, game=game)

    def with_part(self, key: str, text: str) -> "Choice":
        """A copy with one part set as a visitor, or an address, writes it; ValueError in one line."""
        if key in IGNORED:
            return self
        if key not in KEYS:
            raise ValueError(unknown("parameter", key, KEYS))
        if key == "game":
            return replace(self, game=text, discount=None)
        if key == "concept":
            return replace(self, concept=text)
        value = read_number(key, text, example=0.5)
        return replace(self, discount=value) if key == "discount" else replace(self, temperature=value)


def query(choice: Choice, **asked: str) -> str:
    """Write a choice as the query of an address: what differs from the defaults, with parts asked for in their place.

    What is asked for need not be allowed: who reads the address says so. A discount goes with its game.
    """
    plain = Choice()
    parts = {key: _text(getattr(choice, key)) for key in KEYS if getattr(choice, key) != getattr(plain, key)}
    if asked.get("game", choice.game) != choice.game:
        parts.pop("discount", None)
    usual = {key: _text(getattr(plain, key)) for key in KEYS}
    wanted: dict[str, str] = {**parts, **asked}
    return urlencode({key: wanted[key] for key in KEYS if key in wanted and wanted[key] != usual[key]})


def _text(value: object) -> str:
    """A number without needless digits, and with all that are needed."""
    if not isinstance(value, float):
        return str(value)
    short = f"{value:.12g}"
    return short if float(short) == value else repr(value)


def from_query(text: str) -> tuple[Choice, tuple[str, ...]]:
    """Read a choice from an address and list, in words, what could not be used; see `read_parts`."""
    return read_parts(text, Choice(), Choice.with_part, first=KEYS[:1])  # the game decides what its discount is
