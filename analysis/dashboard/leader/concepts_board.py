"""The concepts side by side, as the component `concepts` and a chart of rates read them."""

from collections.abc import Sequence
from typing import Any, Final

from meanwatt.analysis.dashboard.leader import side_words, words
from meanwatt.analysis.dashboard.leader.choice import Choice
from meanwatt.analysis.dashboard.leader.concepts import UNASKED, Concept, Concepts, under
from meanwatt.analysis.dashboard.leader.numbers import ANCHORS, Measured, key_numbers
from meanwatt.analysis.dashboard.leader.sighted import Sighted
from meanwatt.analysis.dashboard.shared.compared import UNDEFINED, Compared
from meanwatt.analysis.dashboard.shared.day_chart import Explained, axis_ends, chart_line, chart_panel, day_chart
from meanwatt.analysis.dashboard.shared.figures import ANCHORS as SHARED_ANCHORS
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.mean_day import mean_day
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.solution import Benchmark
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.model.mean_field.equilibrium import Outcome

TITLE: Final = "What the leader counts on: three concepts"
OFFER: Final = (
    "Commitment, feedback and alternating are searched for one after the other, for the leader and the weights above:"
    " seconds on the textbook island, minutes elsewhere."
)
STYLES: Final = {"commitment": "a", "feedback": "feedback", "alternating": "alternating"}
"""Of their lines."""
WAITS: Final = "…"
"""What stands for a number that is still being computed."""


def concepts_json(choice: Choice, found: Concepts | None, benchmark: Benchmark | None, work: Work | None) -> str:
    """JSON of the table and how each ended, or of the button that asks for it."""
    concepts = UNASKED if found is None else found
    seen = [one for one in concepts if one.seen is not None and one.seen.best is not None]
    whole = all(one.refused or (one.seen is not None and not one.seen.stopped) for one in concepts)
    return to_json(
        {
            "title": TITLE,
            "help": help_link("read-leader-concepts"),
            "offer": OFFER,
            "work": None if work is None else {"text": work.text, "fraction": round(work.fraction, 3)},
            "ask": work is None and not whole,
            "again": found is not None,
            "heads": [words.IN_FORCE, *(one.name for one in concepts)],
            "rows": _rows(concepts, seen, benchmark) if seen else [],
            "ends": [_end(choice, one) for one in concepts if one.refused or one.seen is not None],
            "caption": side_words.concepts_caption([(one.name, one.seen) for one in seen if one.seen is not None])
            if seen
            else "",
        }
    )


def _rows(concepts: Concepts, seen: Sequence[Concept], benchmark: Benchmark | None) -> list[dict[str, Any]]:
    """Key numbers, a column for each concept after that of the tariff in force."""
    columns = {one.name: key_numbers(one.seen, benchmark) for one in seen if one.seen is not None}
    first = columns[seen[0].name]

    def written(entry: Compared[Measured], units: int | None) -> str:
        return WAITS if benchmark is None and entry.figure.key == "efficiency" else entry.written(units)

    rows = [
        {
            "key": entry.figure.key,
            "label": entry.figure.label,
            "unit": entry.figure.unit,
            "help": help_link({**SHARED_ANCHORS, **ANCHORS}[entry.figure.key]),
            "values": [
                written(entry, entry.a),
                *(
                    written(columns[one.name][place], columns[one.name][place].b)
                    if one.name in columns
                    else UNDEFINED
                    if one.refused
                    else ""
                    for one in concepts
                ),
            ],
        }
        for place, entry in enumerate(first)
    ]
    tried = {
        "key": "tried",
        "label": "Tariffs tried",
        "unit": "or rounds",
        "help": help_link("read-search"),
        "values": [
            "",
            *(
                "" if one.seen is None else str(len(one.seen.steps)) if one.seen.steps else UNDEFINED
                for one in concepts
            ),
        ],
    }
    return [*rows, tried]


def _end(choice: Choice, one: Concept) -> dict[str, str]:
    """How a concept ended, in words."""
    if one.seen is None:
        return {"name": one.name, "mark": "none", "kind": "same", "text": one.refused}
    seen = one.seen
    mark, kind = side_words.ending_mark(
        None if seen.design is None else seen.design.outcome is Outcome.CONVERGED,
        stopped=seen.design is None or seen.stopped,
    )
    return {
        "name": one.name,
        "mark": mark,
        "kind": kind,
        "text": f"{side_words.doing(one.name)} {words.verdict(seen, under(choice, one.name))}",
    }


def concept_rates_json(found: Concepts | None) -> str:
    """JSON of a day chart of the rates under every concept and in force; empty while there are none."""
    drawn: list[tuple[str, Sighted]] = [
        (one.name, one.seen) for one in found or () if one.seen is not None and one.seen.best is not None
    ]
    if not drawn:
        return ""
    there = drawn[0][1].in_force
    days = {"in force": ("b", mean_day(there))}
    days |= {name: (STYLES[name], mean_day(seen.best.equilibrium)) for name, seen in drawn if seen.best is not None}
    panels = []
    for key, title, attribute, height in (
        ("import", "Import rate", "import_usd_per_kwh", 150),
        ("export", "Export credit", "export_usd_per_kwh", 100),
    ):
        values = [getattr(day, attribute) for _, day in days.values()]
        panel = chart_panel(key, title, "$/kWh", height, 3, axis_ends(0 * values[0], *values))
        panel["lines"] = [
            {**chart_line(name, style, getattr(day, attribute)), "step": True} for name, (style, day) in days.items()
        ]
        panels.append(panel)
    return to_json(
        day_chart(
            there.economy,
            [(style, name) for name, (style, _) in days.items()],
            panels,
            title="Rates under the three concepts, mean of all weathers",
            note="Point at an hour, or tap it, to read it here.",
            caption=side_words.concept_rates_caption(
                [(name, day.import_usd_per_kwh) for name, (_, day) in days.items()]
            ),
            explained=Explained({"": "read-rates"}),
        )
    )
