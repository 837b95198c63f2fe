"""What a visitor has drawn, and how it is written in an address."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from meanwatt.analysis.challenge.drawing import Drawing, limits, require
from meanwatt.analysis.classroom.admission import CODE_LENGTH, read_code
from meanwatt.analysis.dashboard.shared.query import read_parts
from meanwatt.analysis.dashboard.shared.settings import LANDING_TARIFF, Settings
from meanwatt.model.scenario.loading import Scenario
from meanwatt.model.scenario.nearest import unknown

KEYS = ("scenario", "board", "rates", "export", "parts", "computed")
NET_METERING = "net_metering"
LANDING = "textbook"
"""The scenario whose scale is computed in seconds."""
LONGEST = 2000
"""Characters of one part of an address that are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A place on the page.

    Attributes
    ----------
    scenario
        Name of a preset.
    rates_usd_per_kwh
        Rates of the 24 hours that were submitted; empty before anything is. [USD/kWh]
    export_share, net_metering
        What exports earn, see `Drawing`.
    parts
        Parts of the fixed charge; empty: equal.
    computed
        Whether the program's own tariff is shown.
    board
        Code of the board that the visitor plays on; empty if he plays alone.
    """

    scenario: str = LANDING
    rates_usd_per_kwh: tuple[float, ...] = ()
    export_share: float = 0.0
    net_metering: bool = False
    parts: tuple[float, ...] = ()
    computed: bool = False
    board: str = ""

    def __post_init__(self) -> None:
        """Check names and ranges; ValueError in one line."""
        drawn = self.drawing
        preset = self.preset()
        if preset.feeder.branches:
            raise ValueError(
                f"scenario {self.scenario} has feeder.branches ({', '.join(preset.feeder.branches)}), and what is drawn"
                " here holds for the whole feeder; the pages Market and Compare hold branches"
            )
        if drawn is not None:
            require(drawn, limits(preset))

    def preset(self) -> Scenario:
        """The scenario."""
        return Settings(scenario=self.scenario, tariff=LANDING_TARIFF).single()

    @property
    def drawing(self) -> Drawing | None:
        """What was submitted."""
        if not self.rates_usd_per_kwh:
            return None
        return Drawing(
            rates_usd_per_kwh=self.rates_usd_per_kwh,
            export_share=self.export_share,
            net_metering=self.net_metering,
            parts=self.parts or (1.0,) * len(limits(self.preset()).groups),
        )

    def with_part(self, key: str, text: str) -> "Choice":
        """A copy with one part set as an address writes it; ValueError in one line."""
        if key not in KEYS:
            raise ValueError(unknown("parameter", key, KEYS))
        if key == "scenario":
            return replace(self, scenario=text)
        if key == "board":
            code = read_code(text)
            if code is None:
                raise ValueError(f"board is {text[:40]!r}; give the {CODE_LENGTH} letters of a board")
            return replace(self, board=code)
        if key == "rates":
            return replace(self, rates_usd_per_kwh=tuple(round(rate / 100, 3) for rate in _numbers(key, text)))
        if key == "parts":
            return replace(self, parts=tuple(round(part, 1) for part in _numbers(key, text)))
        if key == "computed":
            if text not in ("0", "1"):
                raise ValueError(f"{key} is {text[:40]!r}; give 1, or leave it out")
            return replace(self, computed=text == "1")
        if text == NET_METERING:
            return replace(self, net_metering=True)
        percent = _numbers(key, text)
        if len(percent) != 1:
            raise ValueError(f"export is {text[:40]!r}; give a percentage, e.g. 50, or {NET_METERING}")
        return replace(self, export_share=round(percent[0] / 100, 2), net_metering=False)


def choice_of(scenario: str, drawing: Drawing, *, computed: bool = False) -> Choice:
    """The place where a drawing is submitted; ValueError in one line if it lies outside the limits."""
    return Choice(
        scenario=scenario,
        rates_usd_per_kwh=drawing.rates_usd_per_kwh,
        export_share=drawing.export_share,
        net_metering=drawing.net_metering,
        parts=drawing.parts,
        computed=computed,
    )


def query(choice: Choice) -> str:
    """Write a choice as the query of an address: what differs from the defaults."""
    parts: dict[str, str] = {} if choice.scenario == LANDING else {"scenario": choice.scenario}
    if choice.board:
        parts["board"] = choice.board
    drawing = choice.drawing
    if drawing is not None:
        parts["rates"] = _written(100 * rate for rate in drawing.rates_usd_per_kwh)
        parts["export"] = NET_METERING if drawing.net_metering else _written([100 * drawing.export_share])
        parts["parts"] = _written(drawing.parts)
    if choice.computed:
        parts["computed"] = "1"
    return urlencode(parts)


def from_query(text: str) -> tuple[Choice, tuple[str, ...]]:
    """Read a choice from an address and list, in words, what could not be used; see `read_parts`."""
    return read_parts(text, Choice(), Choice.with_part, first=("scenario", "board", "parts", "export", "rates"))


def _numbers(key: str, text: str) -> Sequence[float]:
    """Numbers joined by low lines."""
    try:
        return [float(part) for part in text[:LONGEST].split("_")]
    except ValueError:
        raise ValueError(f"{key} is {text[:40]!r}; give numbers joined by _, such as 8_8_16") from None


def _written(values: Iterable[float]) -> str:
    return "_".join(f"{value:.1f}".removesuffix(".0") for value in values)
