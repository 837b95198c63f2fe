"""Which market of learners a visitor watches, and how it is written in an address."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlencode

from meanwatt.agents.behaviour.belief import BeliefSettings
from meanwatt.agents.behaviour.q_learning import QSettings
from meanwatt.analysis.dashboard.learners.mixture import Mixture, behaviour_text, mixture, read_mixture, written
from meanwatt.analysis.dashboard.shared.query import read_parts
from meanwatt.analysis.dashboard.shared.settings import SEEDS, Settings
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.ranges import Range

HOUSEHOLDS: Final = Range(100, 20_000, "homes", whole=True)
DAYS: Final = Range(2, 720, "days", whole=True)
SEED: Final = Range(*SEEDS, whole=True)
TURNS: Final = Range(1, 28, whole=True)
"""Cohorts, and days between two answers."""
TEMPERATURE: Final = Range(1e-4, 1, "USD", or_zero=True)
BATTERIES: Final = Range(0, 4, "times today's")
SCENARIO_KEYS: Final = MappingProxyType({"temperature_usd": TEMPERATURE, "battery_share_scale": BATTERIES})
"""Keys of the scenario that can be changed on the page, as ``--set`` names them; None leaves the preset's."""
YES_NO: Final = ("yes", "no")
WANTED: Final = MappingProxyType({"first_step": "a number above 0 and at most 1"})
COUNTS: Final = MappingProxyType(
    {"households": HOUSEHOLDS, "days": DAYS, "seed": SEED, "cohorts": TURNS, "stagger": TURNS}
)
SPREADS: Final = ("belief_spread", "step_spread")
Q_KEYS: Final = MappingProxyType(
    {f"q_{name}": name for name in ("first_step", "exploration", "settle_days", "power", "shock", "start")}
)
"""Settings of Q-learners, as an address and as `meanwatt.agents.behaviour.q_learning.QSettings` names them."""
KEYS: Final = (
    "scenario",
    "tariff",
    *SCENARIO_KEYS,
    "households",
    "days",
    "seed",
    "mix",
    "first_step",
    "cohorts",
    "stagger",
    "belief_spread",
    "step_spread",
    *Q_KEYS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A market of learners.

    Attributes
    ----------
    scenario, tariff
        Name of a preset, and of one of its tariffs. The defaults solve in a blink, and rates follow the price.
    temperature_usd, battery_share_scale
        Of the scenario; None for the preset's. [USD per slot]
    households, days, seed
        Size of the market and key of its draws.
    mix
        How the households decide.
    first_step, cohorts, stagger, belief_spread, step_spread
        Of belief learners, see `meanwatt.agents.behaviour.belief.BeliefSettings`.
    q
        Settings of Q-learners; the size of their tables is the server's.
    """

    scenario: str = "textbook"
    tariff: str = "rtp"
    temperature_usd: float | None = None
    battery_share_scale: float | None = None
    households: int = 1000
    days: int = 28
    seed: int = 0
    mix: Mixture = (("belief", 100),)
    first_step: float = 0.5
    cohorts: int = 1
    stagger: int = 1
    belief_spread: float = 0.0
    step_spread: float = 0.0
    q: QSettings = QSettings()  # noqa: RUF009 - frozen

    def __post_init__(self) -> None:
        """Check names and ranges; ValueError in one line."""
        preset = Settings(scenario=self.scenario, tariff=self.tariff).single()
        for name, allowed in (*COUNTS.items(), *SCENARIO_KEYS.items()):
            allowed.require(getattr(self, name), name)
        for name in SCENARIO_KEYS:
            if getattr(self, name) == getattr(preset, name):
                object.__setattr__(self, name, None)  # the preset's own value is no change
        object.__setattr__(self, "mix", mixture(dict(self.mix)))
        self.belief  # noqa: B018 - checks the first step

    @property
    def belief(self) -> BeliefSettings:
        """Settings of the belief learners."""
        return BeliefSettings(
            first_step=self.first_step,
            cohorts=self.cohorts,
            stagger=self.stagger,
            belief_spread=self.belief_spread,
            step_spread=self.step_spread,
        )

    @property
    def settings(self) -> Settings:
        """What the equilibrium depends on, and the key."""
        changes = tuple((key, value) for key in SCENARIO_KEYS if (value := getattr(self, key)) is not None)
        return Settings(scenario=self.scenario, tariff=self.tariff, seed=self.seed, changes=changes)

    @property
    def behaviour(self) -> str:
        """How the households decide, as ``--behaviour`` has it."""
        return behaviour_text(self.mix, self.belief, self.q)

    @property
    def command(self) -> str:
        """What gives the same days on the command line."""
        changed = "".join(f" --set {key}={value:.10g}" for key, value in self.settings.changes)
        return (
            f"meanwatt simulate {self.scenario} --tariff {self.tariff}{changed} --households {self.households}"
            f" --days {self.days} --seed {self.seed} --behaviour {self.behaviour}"
        )

    def in_force(self, key: str) -> float:
        """Value of a key of the scenario, the preset's where nothing is changed."""
        value = getattr(self, key)
        preset = Settings(scenario=self.scenario, tariff=self.tariff).preset()
        return float(getattr(preset, key) if value is None else value)

    def with_part(self, key: str, text: str) -> "Choice":
        """A copy with one part set as a visitor, or an address, writes it; ValueError in one line."""
        if key not in KEYS:
            raise ValueError(unknown("parameter", key, KEYS))
        if key in Q_KEYS:
            return replace(self, q=replace(self.q, **{Q_KEYS[key]: _q_value(key, text)}))
        read: Callable[[str, str], Any] = _READ.get(key, lambda _, word: word)
        part: dict[str, Any] = {key: read(key, text)}
        return replace(self, **part)


def _whole(key: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > len(str(SEEDS[1])):
        raise ValueError(f"{key} is {text[:40]!r}; give {COUNTS[key].wanted()}")
    return int(text)


def _number(key: str, text: str) -> float | None:
    if not text and key in SCENARIO_KEYS:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        wanted = SCENARIO_KEYS[key].wanted() if key in SCENARIO_KEYS else WANTED.get(key, "a number, e.g. 0.5")
        raise ValueError(f"{key} is {text[:40]!r}; give {wanted}")
    return value


def _q_value(key: str, text: str) -> Any:
    """A setting of Q-learners: yes or no, a word, or a number."""
    kind = type(getattr(QSettings(), Q_KEYS[key]))
    if kind is str:
        return text[:40]
    if kind is bool:
        if text not in YES_NO:
            raise ValueError(f"{key} is {text[:40]!r}; give yes or no")
        return text == YES_NO[0]
    return _number(key, text)


_READ: Final[dict[str, Callable[[str, str], Any]]] = {
    **dict.fromkeys(COUNTS, _whole),
    **dict.fromkeys((*SCENARIO_KEYS, "first_step", *SPREADS), _number),
    "mix": lambda _, text: read_mixture(text),
}


def query(choice: Choice, **asked: str) -> str:
    """Write a choice as the query of an address: what differs from the defaults, with parts asked for in their place.

    What is asked for need not be allowed: who reads the address says so.
    """
    plain = _parts(Choice())
    parts = {**_parts(choice), **asked}
    return urlencode({key: value for key, value in parts.items() if value != plain[key]}, safe=":,")


def _parts(choice: Choice) -> dict[str, str]:
    """Every part as an address has it."""
    parts = {key: getattr(choice, key) for key in KEYS if key not in Q_KEYS}
    parts |= {key: getattr(choice.q, name) for key, name in Q_KEYS.items()}
    return {
        key: written(value)
        if key == "mix"
        else ""
        if value is None
        else YES_NO[0 if value else 1]
        if isinstance(value, bool)
        else f"{value:.10g}"
        if isinstance(value, float)
        else str(value)
        for key, value in parts.items()
    }


def from_query(text: str) -> tuple[Choice, tuple[str, ...]]:
    """Read a choice from an address and list, in words, what could not be used; see `read_parts`."""
    return read_parts(text, Choice(), Choice.with_part, first=KEYS[:1])  # the scenario decides which tariffs there are
