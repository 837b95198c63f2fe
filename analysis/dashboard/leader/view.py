"""What the page of the leader shows at one instant, as frozen text: the page is a pure function of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from meanwatt.analysis.dashboard.leader import words
from meanwatt.analysis.dashboard.leader.binding import held, parameters
from meanwatt.analysis.dashboard.leader.choice import CAP, CONCEPTS, EVALUATIONS, MOST_EVALUATIONS, Choice
from meanwatt.analysis.dashboard.leader.numbers import ANCHORS, Measured, key_numbers
from meanwatt.analysis.dashboard.leader.sighted import Picked, Posted, Sighted, shown
from meanwatt.analysis.dashboard.shared.choices import scenario_options, tariff_titles
from meanwatt.analysis.dashboard.shared.compared import Compared
from meanwatt.analysis.dashboard.shared.day_chart import Explained, axis_ends, chart_line, chart_panel, day_chart
from meanwatt.analysis.dashboard.shared.figures import ANCHORS as SHARED_ANCHORS
from meanwatt.analysis.dashboard.shared.figures import group_label, number
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.mean_day import MeanDay, mean_day
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.settings import LANDING_TARIFF
from meanwatt.analysis.dashboard.shared.solution import Benchmark
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.design.design import design_messages
from meanwatt.analysis.leader.registry import find, names
from meanwatt.analysis.metrics.undefined import undefined_messages
from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.model.scenario.economy import DAYS_PER_MONTH
from meanwatt.model.scenario.messages import Messages, joined
from meanwatt.model.scenario.ranges import POSITIVE_PRICE, WEIGHT

NOTE = "Point at an hour, or tap it, to read it here."
SLIDER_STEPS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures, as JSON for the components: search chart, number table, two day charts, and the tariff's terms."""

    search: str
    numbers: str
    rates: str
    load: str
    terms: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All that is on the page.

    Attributes
    ----------
    number
        Rises with every view; an older view never replaces a newer one.
    bar, notices
        JSON for the components of the same names.
    figures
        None before the tariff in force is solved, and after a failure.
    waiting
        Whether there are no figures yet, but will be.
    done
        Whether there is a tariff to take home.
    surface
        JSON of the Pareto surface, or of what asks for it; empty where there is none to ask for.
    """

    number: int
    bar: str
    notices: str
    figures: Figures | None
    waiting: bool
    done: bool
    surface: str


def bar_json(choice: Choice, work: Work | None, seen: Sighted | None) -> str:
    """JSON of the bar with the choices."""
    ended = seen is not None and seen.design is not None and not seen.stopped
    return to_json(
        {
            "title": words.TITLE,
            "sentence": words.sentence(choice),
            "choices": [
                {"key": "scenario", "label": "Scenario", "value": choice.scenario, "options": scenario_options()},
                {
                    "key": "leader",
                    "label": "Leader",
                    "help": help_link("leader"),
                    "value": choice.leader,
                    "options": [{"value": name, "label": words.leader_label(find(name).called)} for name in names()],
                },
                {
                    "key": "concept",
                    "label": "Concept",
                    "help": help_link("commitment"),
                    "value": choice.concept,
                    "options": [{"value": name, "label": name} for name in CONCEPTS],
                },
            ],
            "weights": [*_weights(choice), *_cap(choice)],
            "evaluations": {
                "key": EVALUATIONS,
                "label": "Tariffs a start" if choice.commits else "Rounds",
                "help": help_link("read-search" if choice.commits else "commitment"),
                "value": choice.tariffs,
                "low": 1,
                "high": MOST_EVALUATIONS,
            },
            "work": None if work is None else {"text": work.text, "fraction": round(work.fraction, 3)},
            "searching": choice.run and work is not None,
            "search": work is None and not ended,
            "verdict": words.UNASKED if not choice.run else "" if seen is None else words.verdict(seen, choice),
        }
    )


def _weights(choice: Choice) -> list[dict[str, Any]]:
    """Sliders of the weights; one beyond the end of its slider moves the end."""
    made = []
    for name in choice.objective.weights:
        label, unit, end = words.weight_label(name)
        value = choice.weight(name)
        high = max(end, value)
        made.append(
            {
                "key": name,
                "label": label,
                "unit": unit,
                "help": help_link("weights"),
                "value": value,
                "low": 0,
                "high": high,
                "most": WEIGHT.high,
                "step": end / SLIDER_STEPS,
            }
        )
    return made


def _cap(choice: Choice) -> list[dict[str, Any]]:
    cap = choice.cap_usd_per_kwh
    if cap is None:
        return []
    end = round(2 * choice.settings.preset().reference_price_usd_per_kwh, 2)
    return [
        {
            "key": CAP,
            "label": "Price cap",
            "unit": "$/kWh",
            "help": help_link("price-cap"),
            "value": round(cap, 6),
            "low": 0.01,
            "high": max(end, cap),
            "most": POSITIVE_PRICE.high,
            "step": 0.01,
        }
    ]


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
    title = tariff_titles(choice.settings.preset())[LANDING_TARIFF]
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
