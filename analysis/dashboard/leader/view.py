"""What the page of the leader shows at one instant, as frozen text: the page is a pure function of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from meanwatt.analysis.dashboard.leader import words
from meanwatt.analysis.dashboard.leader.binding import held, parameters
from meanwatt.analysis.dashboard.leader.choice import Choice
from meanwatt.analysis.dashboard.leader.numbers import ANCHORS, Measured, key_numbers
from meanwatt.analysis.dashboard.leader.rate_parts import rate_parts_board
from meanwatt.analysis.dashboard.leader.sighted import Picked, Posted, Sighted, shown
from meanwatt.analysis.dashboard.leader.take_home import compare_link, market_link
from meanwatt.analysis.dashboard.shared.choices import tariff_titles
from meanwatt.analysis.dashboard.shared.compared import Compared
from meanwatt.analysis.dashboard.shared.day_chart import Explained, axis_ends, chart_line, chart_panel, day_chart
from meanwatt.analysis.dashboard.shared.figures import ANCHORS as SHARED_ANCHORS
from meanwatt.analysis.dashboard.shared.figures import group_label, number
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.mean_day import MeanDay, mean_day
from meanwatt.analysis.dashboard.shared.page_view import PageView
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.solution import Benchmark
from meanwatt.analysis.design.design import design_messages
from meanwatt.analysis.metrics.undefined import undefined_messages
from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.model.scenario.economy import DAYS_PER_MONTH
from meanwatt.model.scenario.messages import Messages, joined

NOTE = "Point at an hour, or tap it, to read it here."


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures, as JSON for components: search chart, number table, two day charts, parts of rates, terms."""

    search: str
    numbers: str
    rates: str
    load: str
    parts: str
    terms: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is computed when asked for, as JSON for the components; empty where there is none to ask for.

    Attributes
    ----------
    concepts, rates
        Three concepts: their numbers, and a day chart of their rates.
    cold
        The objective among cold households.
    metered
        A leader that learns from meters.
    """

    concepts: str = ""
    rates: str = ""
    cold: str = ""
    metered: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class View(PageView):
    """All that is on the page.

    Attributes
    ----------
    figures
        None before the tariff in force is solved, and after a failure.
    waiting
        Whether there are no figures yet, but will be.
    done
        Whether there is a tariff to take home.
    surface, beside
        JSON of the Pareto surface, and of what else is computed when asked for; empty where there is none to ask for.
    """

    figures: Figures | None
    waiting: bool
    done: bool
    surface: str
    beside: Beside


def figures(choice: Choice, seen: Sighted, benchmark: Benchmark | None, picked: Picked | None = None) -> Figures:
    """Write what has been seen; without the first best the efficiency gap is still being computed.

    Parameters
    ----------
    picked
        A tariff of the Pareto surface that all figures but that of the search show in the place of the one found.
    """
    looked_at = shown(seen, picked)
    called = words.FOUND if picked is None else words.PICKED
    before = mean_day(seen.in_force)
    after = None if looked_at.best is None else mean_day(looked_at.best.equilibrium)
    slot_hours = seen.in_force.economy.slot_hours
    name = "picked from the surface" if picked else "best found" if choice.commits else "posted last"
    found = [("a", name)] if after is not None else []
    preset = choice.settings.preset()
    title = tariff_titles(preset)[preset.selected_tariff]
    return Figures(
        search=to_json(_search(choice, seen)),
        numbers=to_json(_numbers(key_numbers(looked_at, benchmark), looked_at, benchmark, called)),
        rates=to_json(
            day_chart(
                seen.in_force.economy,
                [*found, ("b", f"in force: {title}")],
                [
                    _panel("import", "Import rate", "$/kWh", "import_usd_per_kwh", before, after, called),
                    _panel("export", "Export credit", "$/kWh", "export_usd_per_kwh", before, after, called),
                ],
                title="Rates by the hour, mean of all weathers",
                note=NOTE,
                caption=words.rates_caption(before, after, slot_hours, called),
                explained=Explained({"": "read-rates"}),
            )
        ),
        load=to_json(
            day_chart(
                seen.in_force.economy,
                [*found, ("b", "in force")],
                [_panel("load", "Net load", "kW per home", "net_load_kw", before, after, called)],
                title="Net load of the mean day",
                note=NOTE,
                caption=words.load_caption(before, after, slot_hours),
                explained=Explained({"": "read-mean-day"}),
            )
        ),
        parts=to_json(
            rate_parts_board(seen.in_force, f"tariff {words.IN_FORCE}")
            if looked_at.best is None
            else rate_parts_board(looked_at.best.equilibrium, f"tariff {called}")
        ),
        terms="" if looked_at.best is None else to_json(_terms(choice, seen, looked_at.best, picked)),
    )


def _panel(
    key: str, title: str, unit: str, name: str, before: MeanDay, after: MeanDay | None, called: str
) -> dict[str, Any]:
    days = {"in force": ("b", before)} | ({} if after is None else {called: ("a", after)})
    values = [getattr(day, name) for _, day in days.values()]
    panel = chart_panel(
        key, title, unit, 180 if key == "load" else 130 if key == "import" else 90, 3, axis_ends(np.zeros(1), *values)
    )
    panel["lines"] = [
        {**chart_line(label, style, getattr(day, name)), "step": key != "load"} for label, (style, day) in days.items()
    ]
    return panel


def _search(choice: Choice, seen: Sighted) -> dict[str, Any]:
    return {
        "title": "The search",
        "help": help_link("read-search"),
        "unit": seen.aims.definition.unit,
        "counted": "tariffs tried" if choice.commits else "rounds",
        "commits": choice.commits,
        "caption": words.search_caption(seen, commits=choice.commits),
        "steps": [[step.objective, step.allowed] for step in seen.steps],
        "in_force": seen.in_force_objective,
        "digits": words.objective_digits(seen),
    }


def _numbers(
    rows: Sequence[Compared[Measured]], seen: Sighted, benchmark: Benchmark | None, called: str
) -> dict[str, Any]:
    found = seen.best is not None
    waits = benchmark is None and found

    def written(entry: Compared[Measured], units: int | None) -> str:
        return "…" if waits and entry.figure.key == "efficiency" else entry.written(units)

    return {
        "title": "Key numbers, per home",
        "sides": [{"name": words.IN_FORCE, "style": "b"}, {"name": called, "style": "a"}],
        "moved": "change",
        "rows": [
            {
                "key": entry.figure.key,
                "label": entry.figure.label,
                "help": help_link({**SHARED_ANCHORS, **ANCHORS}[entry.figure.key]),
                "unit": entry.figure.unit,
                "a": written(entry, entry.a),
                "b": written(entry, entry.b) if found else "",
                "difference": entry.written(entry.difference, signed=True) if found else "",
                "arrow": entry.arrow if found else "",
                "kind": entry.kind if found else "",
                "verdict": entry.verdict if found else "",
            }
            for entry in rows
        ],
        "words": [],
        "help": help_link("read-before-after"),
        "caption": words.numbers_caption(rows, called, found=found),
    }


def _terms(choice: Choice, seen: Sighted, posted: Posted, picked: Picked | None) -> dict[str, Any]:
    free = parameters(seen, posted)
    economy = posted.equilibrium.economy
    rows = []
    for one in free:
        label, unit, digits = words.parameter_label(one.name)
        ends = [number(end, digits) for end in (one.low, one.high)]
        rows.append(
            {
                "name": one.name,
                "label": label,
                "help": words.parameter_help(one.name),
                "unit": unit,
                "value": number(one.value, digits),
                "range": f"{ends[0]} to {ends[1]}",
                "at": one.at,
                "word": words.bound_word(one),
            }
        )
    charges = zip(economy.groups, posted.equilibrium.fixed_charge_usd_per_day.tolist(), strict=True)
    return {
        "title": "The tariff picked" if picked else "The tariff found" if choice.commits else "The tariff posted last",
        "help": help_link("read-terms"),
        "rows": rows,
        "charge_help": help_link("fixed-charge"),
        "charges": [
            {"name": group_label(name), "value": number(DAYS_PER_MONTH * charge, 2)} for name, charge in charges
        ],
        "compare": compare_link(choice, seen, posted),
        "market": market_link(choice, posted),
        "binding": list(words.binding(free, held(seen, posted), choice)),
        "messages": [] if picked else [words.said(text) for text in messages(seen)],
    }


def messages(seen: Sighted) -> Messages:
    """What the search says at its end, as ``meanwatt design`` does; cold households are not asked here."""
    done = seen.design
    if done is None:
        return ()
    found = done.baseline if done.commitment is None else done.commitment.equilibrium
    return joined(
        (done.message,),
        found.messages,
        design_messages(done, seen.aims),
        undefined_messages(equilibrium_metrics(found)),
    )
