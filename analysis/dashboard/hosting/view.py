"""What the page of hosting capacity shows at one instant, as frozen text: the page is a pure function of it."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from meanwatt.analysis.dashboard.hosting import words
from meanwatt.analysis.dashboard.hosting.choice import BESIDE, NAMES, NUMBERS, Choice
from meanwatt.analysis.dashboard.hosting.swept import Swept
from meanwatt.analysis.dashboard.shared.choices import every_option, scenario_options, tariff_options
from meanwatt.analysis.dashboard.shared.class_tariffs import class_choice
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.page_view import PageView
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.settings import SEEDS, scenario_of
from meanwatt.analysis.dashboard.shared.side_table import filled, side_board
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.hosting.judged import judge
from meanwatt.analysis.hosting.panels import VOLTAGE, Panel, PanelLine, adoption_title, hosting_panels
from meanwatt.analysis.hosting.report import hosting_json
from meanwatt.analysis.hosting.shown_tables import hosting_tables_shown
from meanwatt.analysis.hosting.sweep import Cell, HostingPlan

COLOURS = 6
"""Looks of tariffs; see ``mw-line-t0`` in the style."""
MORE = ("inverters", "incomes", "placements", "step")
"""Choices that are folded: on a phone the figure is to be in view."""
BY_LEVEL = ("Placements with any violation", "Highest voltage", "Lowest voltage")
"""Tables of the command that the charts have already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures, as JSON for the components: charts of `curve_chart`, tables of `side_table`, and the verdict."""

    charts: tuple[str, ...]
    tables: tuple[str, ...]
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View(PageView):
    """All that is on the page.

    Attributes
    ----------
    figures
        None before the first level is known, and after a failure.
    waiting
        Whether there are no figures yet, but will be.
    done
        Whether there is a result to take home.
    offer
        JSON of what offers the designed tariff; empty where it is swept, or something still is.
    """

    figures: Figures | None
    waiting: bool
    done: bool
    offer: str


def bar_json(choice: Choice, work: Work | None, figures: Figures | None, *, whole: bool) -> str:
    """JSON of the bar with the choices."""
    picks = [_pick("scenario", "Scenario", "", choice.scenario, scenario_options())]
    picks.append(_pick(BESIDE, "Tariff beside it", "read-hosting-beside", choice.tariffs[-1], _beside(choice)))
    for key, (label, anchor) in words.LABELS.items():
        if key in NUMBERS:
            options = [{"value": str(count), "label": words.number_label(key, count)} for count in NUMBERS[key]]
        else:
            options = [{"value": name, "label": text} for name, text in words.OPTIONS[key].items()]
            assert key == "feeder" or tuple(words.OPTIONS[key]) == NAMES[key]
        picks.append(_pick(key, label, anchor, str(getattr(choice, key)), options))
    return to_json(
        {
            "title": words.TITLE,
            "sentence": words.SENTENCE,
            "choices": [pick for pick in picks if pick["key"] not in MORE],
            "more": [pick | {"usual": str(getattr(Choice(), pick["key"]))} for pick in picks if pick["key"] in MORE],
            "seed": {"value": choice.seed, "low": SEEDS[0], "high": SEEDS[1], "help": help_link("seed")},
            "work": None if work is None else {"text": work.text, "fraction": round(work.fraction, 3)},
            "stopped": work is None and not whole,
            "begin": words.BEGIN,
            "verdict": figures.verdict if figures is not None and whole else "",
        }
    )


def _beside(choice: Choice) -> list[dict[str, str]]:
    """Tariffs that may be swept beside the one in force: those of rates alone, and rate classes."""
    classes = class_choice(scenario_of(choice.scenario))
    offered = [one for one in every_option(choice.settings) if one["value"] == classes]
    return [*tariff_options(choice.settings.preset()), *offered]


def offer_json() -> str:
    """JSON of what offers the designed tariff."""
    board = side_board("designed", words.DESIGN_TITLE, "commitment", offer=words.DESIGN_OFFER, label=words.DESIGN_LABEL)
    return to_json(board)


def figures(swept: Swept) -> Figures:
    """Write what is known."""
    plan = swept.plan
    panels = hosting_panels(plan, judge(plan, swept.cells))
    even, cells = _alike(swept)
    result = hosting_json(even, cells)
    kinds = [one.key for one in hosting_panels(even, judge(even, cells)) if one.key != VOLTAGE and _occurs(one)]
    return Figures(
        charts=tuple(to_json(_chart(panel, plan.levels, adoption_title(plan))) for panel in _ordered(panels)),
        tables=tuple(map(to_json, _tables(result, words.reading(result, kinds)))),
        verdict=words.verdict(result),
    )


def _alike(swept: Swept) -> tuple[HostingPlan, tuple[Cell, ...]]:
    """The sweep as far as every tariff has come: who was looked at further would seem to break limits earlier."""
    counted = Counter(cell.tariff for cell in swept.cells)
    levels = max(min(counted[name] for name in swept.plan.scenarios), 1)
    plan = replace(swept.plan, levels=swept.plan.levels[:levels])
    return plan, tuple(cell for cell in swept.cells if cell.level < levels)


def _pick(key: str, label: str, anchor: str, value: str, options: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    found = {"key": key, "label": label, "value": value, "options": list(options)}
    return found | ({"help": help_link(anchor)} if anchor else {})


def _ordered(panels: Sequence[Panel]) -> list[Panel]:
    """What is expected first, the voltage beside it, then what else is broken."""
    return [panels[0], panels[-1], *panels[1:-1]]


def _occurs(panel: Panel) -> bool:
    return any(value for line in panel.lines for value in line.values if value is not None)


def _chart(panel: Panel, levels: Sequence[float], across: str) -> dict[str, Any]:
    percent = panel.limit is None
    return {
        "key": panel.key,
        "title": panel.title[:1].upper() + panel.title[1:],
        "help": help_link("read-hosting-voltage" if panel.key == VOLTAGE else "first-violation"),
        "unit": panel.unit,
        "lines": [_line(line) for line in panel.lines],
        "unseen": [],
        "axis": [0, 100] if percent else _voltage_axis(panel),
        "limit": panel.limit,
        "marks": [],
        "x": [round(100 * level, 6) for level in levels],
        "x_title": f"{across} (%)",
        "x_digits": 0,
        "digits": 0 if percent else 4,
        "caption": words.panel_caption(panel, levels),
    }


def _line(line: PanelLine) -> dict[str, Any]:
    own = f"t{line.tariff % COLOURS}"
    stroke = {None: "", False: " mw-line-whole", True: " mw-line-broken"}[line.curves]
    return {"name": line.name, "style": own + stroke, "dot": own, "values": list(line.values)}


def _voltage_axis(panel: Panel) -> list[float]:
    """Ends of the axis: all that is shown, and the limit, in whole hundredths."""
    seen = [value for line in panel.lines for value in line.values if value is not None]
    seen += [] if panel.limit is None else [panel.limit]
    low, high = min(seen), max(seen)
    return [math.floor(100 * low - 0.2) / 100, math.ceil(100 * high + 0.2) / 100]


def _tables(result: dict[str, Any], caption: str) -> list[dict[str, Any]]:
    boards: list[dict[str, Any]] = []
    for place, one in enumerate(hosting_tables_shown(result)):
        if one.title.startswith(BY_LEVEL):
            continue
        board = side_board(f"hosting-{place}", one.title, "first-violation", offer="", label="")
        messages = result["messages"] if not boards else []
        boards.append(filled(board, one.heads, one.rows, caption="" if boards else caption, messages=messages))
    return boards
