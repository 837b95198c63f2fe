"""What a visitor compares, and how it is written in an address."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.analysis.dashboard.compare.edits import FILE, PARTS, Edits, read_part, written_parts
from meanwatt.analysis.dashboard.shared.query import read_parts
from meanwatt.analysis.dashboard.shared.settings import LANDING_SCENARIO, Settings, landing_tariff
from meanwatt.analysis.design.same_tariffs import plain_names
from meanwatt.model.scenario.economy import build_tariff
from meanwatt.model.scenario.nearest import unknown

KEYS = ("scenario", "a", "b")
UNEDITED = Edits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Two tariffs of one scenario. The defaults recover the whole cost, so that they differ in the price alone.

    Attributes
    ----------
    scenario
        Name of a preset, or of a scenario that the server was started with.
    a, b
        Names of two of its tariffs; they may be the same.
    edits_a, edits_b
        What is changed in either, or read from a file in its place.
    """

    scenario: str = LANDING_SCENARIO
    a: str = "flat"
    b: str = "rtp"
    edits_a: Edits = UNEDITED
    edits_b: Edits = UNEDITED

    def __post_init__(self) -> None:
        """Check names and edits; ValueError in one line."""
        for settings in self.sides:
            settings.single()
            if settings.changes:
                build_tariff(settings.load())

    @property
    def sides(self) -> tuple[Settings, Settings]:
        """Settings of A and of B."""
        a, b = (
            Settings(scenario=self.scenario, tariff=name, own=edits.own, changes=edits.changes)
            for name, edits in ((self.a, self.edits_a), (self.b, self.edits_b))
        )
        return a, b

    def name_of(self, side: str) -> str:
        """Name of the tariff that a side begins with."""
        return self.a if side == "a" else self.b

    def edits_of(self, side: str) -> Edits:
        """What is changed in it."""
        return self.edits_a if side == "a" else self.edits_b

    def named(self, side: str, name: str) -> "Choice":
        """One of the scenario's tariffs on a side, as it is; ValueError in one line if there is none of this name."""
        return replace(self, **{side: name, f"edits_{side}": UNEDITED})  # type: ignore[arg-type]

    def edited(self, side: str, edits: Edits) -> "Choice":
        """Other edits on a side; ValueError in one line if they are not allowed."""
        return replace(self, **{f"edits_{side}": edits})  # type: ignore[arg-type]

    def balanced(self, sides: Iterable[str]) -> "Choice":
        """With recovery ``fixed`` on these sides: the fixed charge covers what the rates leave of the cost."""
        groups, choice = tuple(self.sides[0].preset().income_groups), self
        for side in sides:
            edits = self.edits_of(side).with_values(PARTS["recovery"], [str(Recovery.FIXED)], groups)
            choice = choice.edited(side, edits)
        return choice

    def swapped(self) -> "Choice":
        """B against A."""
        return replace(self, a=self.b, b=self.a, edits_a=self.edits_b, edits_b=self.edits_a)


def query(choice: Choice) -> str:
    """Write a choice as the query of an address: what differs from the defaults, and every edit."""
    plain = _opened(choice.scenario)
    written = {} if choice.scenario == LANDING_SCENARIO else {"scenario": choice.scenario}
    preset = Settings(scenario=choice.scenario, tariff=choice.a).preset()
    for side in KEYS[1:]:
        if choice.name_of(side) != plain.name_of(side):
            written[side] = choice.name_of(side)
        parts = written_parts(choice.edits_of(side), preset)
        written |= {f"{side}.{part}": text for part, text in parts.items()}
    return urlencode(written, safe="*")


def moved_to(choice: Choice, scenario: str) -> str:
    """Query of the same choice in another scenario; what does not fit there is told when it is read."""
    parts = {key: text for key, text in parse_qsl(query(choice)) if key != "scenario"}
    return urlencode(parts if scenario == LANDING_SCENARIO else {"scenario": scenario, **parts}, safe="*")


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
    edits = [f"{side}.{part}" for side in KEYS[1:] for part in (FILE, *PARTS)]
    return read_parts(text, Choice(), _changed, first=(*KEYS, *edits))  # the scenario decides which tariffs there are


def _changed(choice: Choice, key: str, text: str) -> Choice:
    """A choice with one key of the address set."""
    side, dot, part = key.partition(".")
    if dot and side in KEYS[1:]:
        settings = choice.sides[KEYS.index(side) - 1]
        return choice.edited(side, read_part(choice.edits_of(side), side, part, text, settings.preset()))
    if key not in KEYS:
        raise ValueError(unknown("parameter", key, KEYS))
    return _opened(text) if key == "scenario" else choice.named(key, text)


def _opened(scenario: str) -> Choice:
    """What a scenario opens with: the default pair, or the tariff that it selects where it has none of that name."""
    plain = Choice()
    if scenario == plain.scenario:
        return plain
    kept = plain_names(Settings(scenario=scenario, tariff=landing_tariff(scenario)).preset())
    a, b = (name if name in kept else landing_tariff(scenario) for name in (plain.a, plain.b))
    return Choice(scenario=scenario, a=a, b=b)
