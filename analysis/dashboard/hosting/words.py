"""What the page of hosting capacity says."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from meanwatt.analysis.dashboard.hosting.choice import Choice
from meanwatt.analysis.hosting.panels import TITLES, Panel

TITLE: Final = "Hosting capacity"
SENTENCE: Final = "How much solar fits on a feeder, and what does the tariff have to do with it?"
BEGIN: Final = "Go on"
BEGINNING: Final = "Building the feeder"
WAITING: Final = "The homes' equilibrium is solved at every level of adoption; then owners are placed on the feeder."
FAILED: Final = "The feeder could not be swept."
DESIGN_TITLE: Final = "And under the tariff that the commission would post?"
DESIGN_OFFER: Final = (
    "The commission's tariff for this scenario is searched for first, as on the page Leader, then swept in the same"
    " placements: a few minutes. Its objective knows no feeder."
)
DESIGN_LABEL: Final = "Add the designed tariff"
OPTIONS: Final = {
    "feeder": {
        "scenario": "the scenario's own",
        "lv_rural": "rural low voltage, 99 homes",
        "lv_semiurban": "suburban low voltage",
        "lv_four_wire": "four-wire low voltage",
        "baran_wu_33": "33 buses, 12.66 kV",
        "textbook_line_5": "5-bus line",
    },
    "sweep": {"solar": "solar", "cars": "electric vehicles"},
    "batteries": {"town": "as the scenario has them", "none": "none at all", "both": "with and without"},
    "inverters": {
        "plain": "as the scenario says",
        "volt-watt": "with volt-watt",
        "volt-var": "with volt-var",
        "both": "with volt-watt and volt-var",
    },
    "incomes": {
        "scenario": "as the scenario says",
        "mixed": "anywhere",
        "far": "far from the source",
        "near": "near it",
        "clustered": "in neighbourhoods",
    },
}
"""What a visitor chooses from."""
LABELS: Final = {
    "feeder": ("Feeder", "read-feeder"),
    "sweep": ("What spreads", "adoption"),
    "batteries": ("Batteries", ""),
    "inverters": ("Inverters", "volt-watt"),
    "incomes": ("The rich live", ""),
    "placements": ("Placements", "placement"),
    "step": ("Levels", "adoption"),
}
"""Label of every choice, and where the help explains it."""


def number_label(key: str, count: int) -> str:
    """A choice of a number."""
    return f"{count} at random" if key == "placements" else f"every {count} %"


def verdict(result: Mapping[str, Any]) -> str:
    """The answer in one sentence: where half of the placements have broken a limit."""
    if all(row["first_violation"]["any"]["p50"] is None for row in result["tariffs"]):
        return "Under no tariff do half of the placements break a limit, whatever the level."
    parts = [f"{row['tariff']} {_level(row['first_violation']['any']['p50'])}" for row in result["tariffs"]]
    return f"Half of the placements have broken a limit at: {'; '.join(parts)}."


def reading(result: Mapping[str, Any], plan_kinds: Sequence[str]) -> str:
    """Read the first violations, tariff by tariff, and compare them placement by placement."""
    said = [_row(row, result) for row in result["tariffs"]]
    first = result["tariffs"][0]["tariff"]
    for row in result["tariffs"][1:]:
        beside = row["beside_first_tariff"]["any"]
        said.append(
            f"{_capital(row['tariff'])} holds more than {first} in {beside['later']} of {result['placements']}"
            f" placements, less in {beside['earlier']}."
        )
    broken = [TITLES[kind] for kind in plan_kinds]
    said.append(f"What is broken: {', '.join(broken)}." if broken else "No limit is broken anywhere.")
    return " ".join(said)


def panel_caption(panel: Panel, levels: Sequence[float]) -> str:
    """Read a panel: its lines at the last level that is known."""
    known = [place for place in range(len(levels)) if all(line.values[place] is not None for line in panel.lines)]
    if not known:
        return "No level is known yet."
    last = known[-1]
    values = [_written(panel, line.values[last]) for line in panel.lines]
    parts = "; ".join(f"{line.name} {value}" for line, value in zip(panel.lines, values, strict=True))
    what = (
        "the middle placement reaches"
        if panel.limit is not None
        else f"the share of placements with {TITLES[panel.key]} is"
    )
    return f"At {100 * levels[last]:g} % adoption {what}: {parts}."


def file_name(choice: Choice, ending: str) -> str:
    """Name of a file to take home."""
    return f"meanwatt-{choice.scenario}-{choice.feeder}-hosting.{ending}".replace("_", "-")


def _row(row: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    found, none = row["first_violation"]["any"], row["placements_without_violation"]["any"]
    if none == result["placements"]:
        return f"Under {row['tariff']} no placement breaks a limit at any level looked at."
    start = f"Under {row['tariff']} 5 % of the placements have broken a limit at {_level(found['p5'])}"
    middle = f"half of them at {_level(found['p50'])}" if found["p50"] is not None else "half of them at no level"
    never = f"; {none} of {result['placements']} never do" if none else ""
    return f"{start}, {middle}{never}."


def _level(value: float | None) -> str:
    return "no level" if value is None else f"{100 * value:g} %"


def _written(panel: Panel, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.4f} pu" if panel.limit is not None else f"{value:.0f} %"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
