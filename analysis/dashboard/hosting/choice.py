"""What a visitor sweeps, and how it is written in an address."""

from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from meanwatt.analysis.dashboard.shared.class_tariffs import require_one_tariff
from meanwatt.analysis.dashboard.shared.query import read_parts
from meanwatt.analysis.dashboard.shared.settings import SEEDS, Settings, landing_tariff, own_tariff_of
from meanwatt.analysis.design.same_tariffs import plain_names
from meanwatt.model.network.feeder import FEEDERS
from meanwatt.model.scenario.loading import Scenario
from meanwatt.model.scenario.nearest import unknown

OWN_FEEDER: Final = "scenario"
"""The feeder that the scenario names."""
BATTERIES: Final = ("town", "none", "both")
INVERTERS: Final = {
    "plain": (),
    "volt-watt": ("volt_watt",),
    "volt-var": ("volt_var",),
    "both": ("volt_watt", "volt_var"),
}
"""Tables of ``[feeder]`` whose curves are enabled; with ``plain`` the scenario's own rules hold."""
NAMES: Final[dict[str, tuple[str, ...]]] = {
    "sweep": ("solar", "cars"),
    "batteries": BATTERIES,
    "inverters": tuple(INVERTERS),
    "incomes": ("scenario", "mixed", "far", "near", "clustered"),
}
"""Parts that are one of a few names."""
NUMBERS: Final[dict[str, tuple[int, ...]]] = {"placements": (10, 20, 50, 100), "step": (5, 10, 20, 25)}
"""Parts that are one of a few whole numbers: placements, and percent from one level of adoption to the next."""
DESIGNED: Final = "designed"
BESIDE: Final = "beside"
KEYS: Final = ("scenario", BESIDE, "feeder", *NAMES, *NUMBERS, "seed", DESIGNED)
WITHOUT: Final = ", no batteries"
"""Ending of the name of a tariff in a town without batteries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A sweep of adoption: the arguments of ``meanwatt hosting``.

    Attributes
    ----------
    beside
        Name of another of its tariffs, or what its rate classes are chosen by, that is swept beside the tariff in
        force; empty: ``flat``, or else the rates on file.
    scenario, feeder
        Name of a scenario, and of the feeder whose limits are looked at; ``scenario`` for its own.
    sweep
        What spreads: ``solar`` or ``cars``.
    batteries
        Those of the scenario (``town``), ``none``, or ``both`` beside each other.
    inverters
        Which curves inverters answer to their voltage by; a key of `INVERTERS`.
    incomes
        Where income groups live; ``scenario`` for what it says.
    placements, step, seed
        Random placements, percent from one level to the next, and the key of the draws.
    designed
        Whether the tariff that the commission would post is looked at, too.
    """

    scenario: str = "stress"
    beside: str = ""
    feeder: str = "lv_rural"
    sweep: str = "solar"
    batteries: str = "town"
    inverters: str = "plain"
    incomes: str = "scenario"
    placements: int = 20
    step: int = 10
    seed: int = 0
    designed: bool = False

    def __post_init__(self) -> None:
        """Check names and ranges; ValueError in one line."""
        self.settings.single()
        if self.beside:
            self.under(self.beside)
        if self.feeder not in (OWN_FEEDER, *FEEDERS):
            raise ValueError(unknown("feeder", self.feeder, (OWN_FEEDER, *FEEDERS)))
        for key, names in NAMES.items():
            if getattr(self, key) not in names:
                raise ValueError(f"{key} is {getattr(self, key)[:40]!r}; give one of {', '.join(names)}")
        for key, numbers in NUMBERS.items():
            if getattr(self, key) not in numbers:
                raise ValueError(f"{key} is {getattr(self, key)}; give one of {', '.join(map(str, numbers))}")

    @property
    def settings(self) -> Settings:
        """The scenario with the tariff in force."""
        return Settings(scenario=self.scenario, tariff=own_tariff_of(self.scenario), seed=self.seed)

    def under(self, tariff: str) -> Scenario:
        """The scenario under one of its tariffs, or its rate classes; ValueError for one with components.

        Homes on rate classes are swept, each on its own class's rates.
        """
        scenario = replace(self.settings, tariff=tariff).preset()
        if not scenario.has_rate_classes:
            require_one_tariff(scenario, tariff)
        return scenario

    @property
    def filed(self) -> str:
        """Name of the tariff that the others are compared with."""
        return self.settings.tariff

    @property
    def tariffs(self) -> tuple[str, ...]:
        """Names of the scenario's tariffs that are swept, the one in force first."""
        kept = plain_names(self.settings.preset())
        usual = (name for name in ("flat", landing_tariff(self.scenario)) if name in kept and name != self.filed)
        return tuple(dict.fromkeys((self.filed, self.beside or next(usual, self.filed))))

    @property
    def with_batteries(self) -> tuple[bool, ...]:
        """Which towns are swept: with batteries, without, or both."""
        return {"town": (True,), "none": (False,), "both": (True, False)}[self.batteries]

    @property
    def changes(self) -> dict[str, Any]:
        """What is set in the scenario, by dotted key; see ``--set``."""
        own = {} if self.feeder == OWN_FEEDER else {"feeder.name": self.feeder}
        curves = {f"feeder.{table}.enabled": True for table in INVERTERS[self.inverters]}
        where = {} if self.incomes == "scenario" else {"feeder.residents.incomes": self.incomes}
        return {**own, **curves, **where}

    def with_part(self, key: str, text: str) -> "Choice":
        """A copy with one part set as a visitor, or an address, writes it; ValueError in one line."""
        if key not in KEYS:
            raise ValueError(unknown("parameter", key, KEYS))
        if key == DESIGNED:
            if text not in ("", "1"):
                raise ValueError(f"{key} is {text[:40]!r}; give 1, or leave it out")
            return replace(self, designed=text == "1")
        if key in (*NUMBERS, "seed"):
            if not text.isascii() or not text.isdigit() or len(text) > len(str(SEEDS[1])):
                raise ValueError(f"{key} is {text[:40]!r}; give a whole number, e.g. {getattr(Choice(), key)}")
            return replace(self, **{key: int(text)})  # type: ignore[arg-type]
        return replace(self, **{key: text})  # type: ignore[arg-type]


def query(choice: Choice, **asked: str) -> str:
    """Write a choice as the query of an address: what differs from the defaults, with parts asked for in their place.

    What is asked for need not be allowed: who reads the address says so.
    """
    plain = _written(Choice())
    return urlencode({key: text for key, text in {**_written(choice), **asked}.items() if text != plain[key]})


def from_query(text: str) -> tuple[Choice, tuple[str, ...]]:
    """Read a choice from an address and list, in words, what could not be used; see `read_parts`."""
    return read_parts(text, Choice(), Choice.with_part, first=KEYS[:1])


def _written(choice: Choice) -> dict[str, str]:
    """Every part as an address has it."""
    return {key: str(getattr(choice, key)) for key in KEYS[:-1]} | {DESIGNED: "1" if choice.designed else ""}
