"""What a visitor has billed, and how it is written in an address."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import PurePath
from typing import Final
from urllib.parse import urlencode

from meanwatt.agents.tariff.ratebook.ratebook import Metering
from meanwatt.analysis.dashboard.shared.query import read_parts
from meanwatt.analysis.dashboard.shared.settings import LANDING_SCENARIO, Settings, opening_tariff
from meanwatt.analysis.dashboard.shared.town import town_of
from meanwatt.model.billing.local_calendar import SAM_YEAR, Clock, read_zone
from meanwatt.model.billing.tariff_gallery import gallery
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.ranges import YEAR

FILES: Final = {"tariff_file": ("json", "toml"), "load": ("csv",), "solar": ("csv",), "wholesale": ("csv",)}
"""Parts of a choice that name a file which a visitor opens, and the endings of its name. No address opens a file."""
OF_TARIFF: Final = ("territory", "discount", "export", "metering")
"""What a customer chooses of a tariff, and leaves behind with it."""
LANDING_HOME: Final = "middle/pv_battery"
LONGEST: Final = 80
"""Letters of a name that are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A home and a tariff.

    Attributes
    ----------
    scenario, home
        Name of a preset, and of one of its household types; empty: one of middle income with solar and
        a battery, if there is.
    lived
        What the homes of the scenario live under: one of its tariffs, or its rate classes; empty: what is in force.
    tariff
        Name of one of the gallery.
    tariff_file, load, solar, wholesale
        Names of files that are open in its visitor's tab: a tariff and readings in the place of those named above, and
        prices for a tariff that follows the wholesale market.
    territory, discount, export, metering
        As the options of ``meanwatt bill``; empty: the tariff's own, or its first.
    year, tz
        Of readings from a file, likewise.
    """

    scenario: str = LANDING_SCENARIO
    home: str = ""
    lived: str = ""
    tariff: str = "heco_shift_and_save"
    tariff_file: str = ""
    load: str = ""
    solar: str = ""
    wholesale: str = ""
    territory: str = ""
    discount: str = ""
    export: str = ""
    metering: str = ""
    year: str = ""
    tz: str = ""

    @property
    def settings(self) -> Settings:
        """What the homes of the scenario live under."""
        return Settings(scenario=self.scenario, tariff=self.lived or opening_tariff(self.scenario))

    @property
    def home_name(self) -> str:
        """The household type that is billed where no readings are open."""
        names = home_names(self.scenario, self.lived)
        return self.home or (LANDING_HOME if LANDING_HOME in names else names[0])

    @property
    def tariff_name(self) -> str:
        """The tariff, as it is named in what is said."""
        return self.tariff_file or self.tariff

    @property
    def clock(self) -> Clock:
        """What is said of the time of readings from a file."""
        year = int(self.year) if self.year and self.year != SAM_YEAR else self.year or None
        return Clock(year=year, zone=self.tz or None)

    def with_part(self, key: str, text: str) -> "Choice":
        """A copy with one part set as a visitor, or an address, writes it; ValueError in one line."""
        if key not in KEYS:
            raise ValueError(unknown("parameter", key[:LONGEST], KEYS))
        if len(text) > LONGEST or not text.isprintable():
            raise ValueError(f"{key} is {text[:40]!r}; give at most {LONGEST} letters in one line")
        if text:
            _CHECKS.get(key, _any)(self, text)
        return replace(self, **{key: text or getattr(Choice(), key)})


KEYS: Final = ("scenario", "lived", *(one.name for one in fields(Choice) if one.name not in ("scenario", "lived")))


@functools.lru_cache(maxsize=64)
def home_names(scenario: str, lived: str = "") -> tuple[str, ...]:
    """Household types of a scenario that somebody is of, under one of its tariffs or its rate classes."""
    economy = town_of(Choice(scenario=scenario, lived=lived).settings.load())
    return tuple(one.name for one in economy.types if one.share > 0)


Check = Callable[[Choice, str], None]
"""Refuses what a part may not be, by a ValueError in one line."""


def _any(_: Choice, text: str) -> None:
    """Nothing is known of it before the tariff is read."""


def _scenario(_: Choice, text: str) -> None:
    Settings(scenario=text)


def _home(choice: Choice, text: str) -> None:
    names = home_names(choice.scenario, choice.lived)
    if text not in names:
        raise ValueError(unknown("home", text, names))


def _lived(choice: Choice, text: str) -> None:
    replace(choice, lived=text).settings.preset()


def _tariff(_: Choice, text: str) -> None:
    if text not in gallery():
        raise ValueError(unknown("tariff", text, gallery()))


def _metering(_: Choice, text: str) -> None:
    rules = [rule.value for rule in Metering]
    if text not in rules:
        raise ValueError(unknown("metering", text, rules))


def _year(_: Choice, text: str) -> None:
    if text != SAM_YEAR and not (text.isascii() and text.isdigit() and YEAR.holds(float(text))):
        raise ValueError(f"year is {text!r}; give {YEAR.wanted()}, or {SAM_YEAR}")


def _tz(_: Choice, text: str) -> None:
    read_zone(text)


def _file(endings: tuple[str, ...]) -> Check:
    """Check a file's name, which must end in one of these; ValueError in one line."""

    def check(_: Choice, text: str) -> None:
        if PurePath(text).name != text or PurePath(text).suffix.lower().lstrip(".") not in endings:
            listed = " or ".join(f".{one}" for one in endings)
            raise ValueError(f"{text!r} is no name of a file here; open one that ends in {listed}")

    return check


_CHECKS: Final[Mapping[str, Check]] = {
    "scenario": _scenario,
    "lived": _lived,
    "home": _home,
    "tariff": _tariff,
    "metering": _metering,
    "year": _year,
    "tz": _tz,
    **{key: _file(endings) for key, endings in FILES.items()},
}


def moved(choice: Choice, key: str, text: str) -> dict[str, str]:
    """Parts that change with one that a visitor chooses: what belonged to the old scenario or tariff is left behind."""
    if key in ("scenario", "lived"):
        there = _homes_or_none(text) if key == "scenario" else _homes_or_none(choice.scenario, text)
        parts = {key: text} if choice.home in there else {key: text, "home": ""}
        return parts if key == "lived" else {**parts, "lived": ""}
    if key in ("tariff", "tariff_file"):
        return {**dict.fromkeys((*OF_TARIFF, "wholesale"), ""), "tariff_file": "", key: text}
    if key == "load" and not text:
        return {key: "", "solar": "", "year": "", "tz": ""}
    return {key: text}


def _homes_or_none(scenario: str, lived: str = "") -> tuple[str, ...]:
    try:
        return home_names(scenario, lived)
    except ValueError:
        return ()


def query(choice: Choice, asked: Mapping[str, str] | None = None) -> str:
    """Write a choice as the query of an address: what differs from the defaults, with parts asked for in their place.

    What is asked for need not be allowed: who reads the address says so.
    """
    plain = Choice()
    parts = {key: getattr(choice, key) for key in KEYS} | dict(asked or {})
    return urlencode({key: value for key, value in parts.items() if value and value != getattr(plain, key, "")})


def from_query(text: str) -> tuple[Choice, tuple[str, ...]]:
    """Read a choice from an address and list, in words, what could not be used; see `read_parts`."""
    return read_parts(text, Choice(), Choice.with_part, first=KEYS)  # the scenario decides which homes there are
