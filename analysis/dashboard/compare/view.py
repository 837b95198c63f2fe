"""What the compare page shows at one instant, as frozen text: the page is a pure function of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from meanwatt.analysis.dashboard.compare import words
from meanwatt.analysis.dashboard.compare.choice import Choice
from meanwatt.analysis.dashboard.compare.mean_day import mean_day_chart
from meanwatt.analysis.dashboard.compare.money import Books, Payer, books, payers
from meanwatt.analysis.dashboard.compare.numbers import key_numbers
from meanwatt.analysis.dashboard.shared.choices import scenario_options, tariff_options, tariff_titles
from meanwatt.analysis.dashboard.shared.compared import Compared
from meanwatt.analysis.dashboard.shared.figures import ANCHORS, group_label, number, recovered
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.solution import Benchmark, Solution
from meanwatt.analysis.dashboard.shared.solved import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of a comparison, as JSON for the components of the same names.

    Attributes
    ----------
    numbers, payers, day
        Key numbers, who pays whom, and the mean day.
    recovery, equal_recovery
        Sentence about cost recovery, and whether it is equal.
    """

    numbers: str
    payers: str
    day: str
    recovery: str
    equal_recovery: bool


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
        None before anything is solved, and after a solve that failed.
    waiting
        Whether there are no figures yet, but will be.
    stale
        Whether the figures are of the choice before.
    """

    number: int
    bar: str
    notices: str
    figures: Figures | None
    waiting: bool
    stale: bool


def bar_json(choice: Choice, work: Work | None, written: Figures | None) -> str:
    """JSON of the bar with the choices.

    Parameters
    ----------
    work
        The solves under way.
    written
        Figures of the choice, or of the one before while there is work.
    """
    options = tariff_options(choice.sides[0].preset())
    return to_json(
        {
            "title": words.TITLE,
            "sentence": words.SENTENCE,
            "scenario": choice.scenario,
            "scenarios": scenario_options(),
            "sides": [
                {"key": key, "name": key.upper(), "tariff": getattr(choice, key), "tariffs": options}
                for key in ("a", "b")
            ],
            "work": None if work is None else {"text": work.text, "fraction": round(work.fraction, 3)},
            "recovery": written.recovery if written else "",
            "unequal": work is None and written is not None and not written.equal_recovery,
        }
    )


def figures(choice: Choice, a: Solution, b: Solution, benchmark: Benchmark | None) -> Figures:
    """Write the figures of two solved tariffs; without the first best the efficiency gap is still being computed."""
    compared, rows = key_numbers(a, b, benchmark), payers(a, b)
    sides = books(a), books(b)
    titles = tariff_titles(choice.sides[0].preset())
    chart = mean_day_chart(a, b, caption=words.day_caption(a, b), names=(titles[choice.a], titles[choice.b]))
    return Figures(
        numbers=to_json(_numbers(compared, a, b, benchmark)),
        payers=to_json(_payers(rows, *sides)),
        day=to_json(chart),
        recovery=words.recovery_sentence(*sides),
        equal_recovery=sides[0].surplus == sides[1].surplus,
    )


def _numbers(
    compared: Sequence[Compared[Solution]], a: Solution, b: Solution, benchmark: Benchmark | None
) -> dict[str, Any]:
    computing = benchmark is None
    rows = [
        {
            "key": entry.figure.key,
            "label": entry.figure.label,
            "help": help_link(ANCHORS[entry.figure.key]),
            "unit": entry.figure.unit,
            "a": "…" if computing and entry.figure.key == "efficiency" else entry.written(entry.a),
            "b": "…" if computing and entry.figure.key == "efficiency" else entry.written(entry.b),
            "difference": entry.written(entry.difference, signed=True),
            "arrow": entry.arrow,
            "kind": entry.kind,
            "verdict": entry.verdict,
        }
        for entry in compared
    ]
    said = (
        ("cost-recovery", "Cost recovery", recovered(a), recovered(b)),
        ("equilibrium", "Outcome", words.OUTCOMES[a.equilibrium.outcome], words.OUTCOMES[b.equilibrium.outcome]),
    )
    return {
        "title": "Key numbers, per home",
        "sides": [{"name": name, "style": name.lower()} for name in "AB"],
        "moved": "B − A",
        "rows": rows,
        "words": [
            {"key": anchor, "label": label, "help": help_link(anchor), "a": first, "b": second}
            for anchor, label, first, second in said
        ],
        "help": help_link("read-key-numbers"),
        "caption": words.numbers_caption(compared),
    }


def _payers(rows: Sequence[Payer], a: Books, b: Books) -> dict[str, Any]:
    widest = max(1, *(abs(row.difference) for row in rows))
    groups = [
        {
            "name": group_label(group),
            "rows": [
                {
                    "name": words.technology_label(row.technology),
                    "share": number(100 * row.share, 1),
                    "a": words.cents(row.a),
                    "b": words.cents(row.b),
                    "difference": words.cents(row.difference, signed=True),
                    "bar": round(row.difference / widest, 4),
                    "adds": words.cents(row.adds, signed=True),
                }
                for row in rows
                if row.group == group
            ],
        }
        for group in dict.fromkeys(row.group for row in rows)
    ]
    lines = (
        ("revenue", "All homes: the utility's revenue", a.revenue, b.revenue),
        ("energy", "− cost of energy", a.energy, b.energy),
        ("network", "− cost of the network", a.network, b.network),
        ("surplus", "= utility's surplus", a.surplus, b.surplus),
    )
    return {
        "title": "Who pays whom",
        "help": help_link("read-payers"),
        "note": "Bills in $ a month. The last column weighs each change by the share of homes.",
        "groups": groups,
        "books": [
            {
                "key": key,
                "name": name,
                "a": words.cents(first),
                "b": words.cents(second),
                "difference": words.cents(second - first, signed=True),
            }
            for key, name, first, second in lines
        ],
        "caption": words.payers_caption(rows, a, b),
    }
