"""What the compare page shows at one instant, as frozen text: the page is a pure function of it."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from meanwatt.analysis.dashboard.compare import words
from meanwatt.analysis.dashboard.compare.bill_parts import Bill, bills
from meanwatt.analysis.dashboard.compare.choice import Choice
from meanwatt.analysis.dashboard.compare.explained import why
from meanwatt.analysis.dashboard.compare.filed import gallery_offers
from meanwatt.analysis.dashboard.compare.form import form_json
from meanwatt.analysis.dashboard.compare.mean_day import mean_day_chart
from meanwatt.analysis.dashboard.compare.money import Books, Payer, books, payers
from meanwatt.analysis.dashboard.compare.numbers import key_numbers
from meanwatt.analysis.dashboard.compare.sides import (
    SIDES,
    file_name,
    market_link,
    scenario_toml,
    side_differences,
    side_summary,
    side_title,
    side_titles,
    side_toml,
)
from meanwatt.analysis.dashboard.shared.bill_parts import EXPORTS, cents, part_label, technology_label
from meanwatt.analysis.dashboard.shared.choices import scenario_options, tariff_options
from meanwatt.analysis.dashboard.shared.compared import Compared
from meanwatt.analysis.dashboard.shared.figures import ANCHORS, group_label, number, recovered
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.mean_day import mean_wholesale_by_hour
from meanwatt.analysis.dashboard.shared.own_tariff import MOST_BYTES
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solution import Benchmark, Solution
from meanwatt.analysis.dashboard.shared.solved import Work

NOTHING_LEFT_OUT: Final[Mapping[str, tuple[str, str]]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of a comparison, as JSON for the components of the same names.

    Attributes
    ----------
    numbers, payers, day, terms, bills
        Key numbers, who pays whom, the mean day, how the terms differ, and what bills are made of.
    wholesale_usd_per_kwh
        Wholesale price of either mean day by the hour. (24,) each [USD/kWh]
    recovery, equal_recovery, unbalanced
        Sentence about cost recovery, whether it is equal, and the sides whose utility is not left with nothing.
    """

    numbers: str
    payers: str
    day: str
    terms: str
    bills: str
    wholesale_usd_per_kwh: tuple[tuple[float, ...], ...]
    recovery: str
    equal_recovery: bool
    unbalanced: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All that is on the page.

    Attributes
    ----------
    number
        Rises with every view; an older view never replaces a newer one.
    bar, notices
        JSON for the components of the same names.
    cards, forms
        JSON of both sides' cards and forms; a form is empty while it is closed.
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
    cards: tuple[str, ...]
    forms: tuple[str, ...]
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
    options = tariff_options(Settings(scenario=choice.scenario, tariff=choice.a).preset())
    return to_json(
        {
            "title": words.TITLE,
            "sentence": words.SENTENCE,
            "scenario": choice.scenario,
            "scenarios": scenario_options(),
            "sides": [
                {
                    "key": key,
                    "name": key.upper(),
                    "tariff": "" if choice.edits_of(key) else choice.name_of(key),
                    "tariffs": [
                        *([{"value": "", "label": side_title(choice, key)}] if choice.edits_of(key) else []),
                        *options,
                    ],
                }
                for key in SIDES
            ],
            "work": None if work is None else {"text": work.text, "fraction": round(work.fraction, 3)},
            "recovery": written.recovery if written else "",
            "unequal": work is None and written is not None and not written.equal_recovery,
        }
    )


def cards_json(
    choice: Choice,
    opened: frozenset[str],
    problems: Mapping[str, str],
    left_out: Mapping[str, tuple[str, str]] = NOTHING_LEFT_OUT,
) -> tuple[str, ...]:
    """Write what either side's tariff posts.

    Parameters
    ----------
    opened
        Sides whose forms are open.
    problems
        What was wrong with a side's file.
    left_out
        A side's tariff as it was read, and what it leaves out of one as filed; told while the side has that tariff.
    """
    return tuple(
        to_json(
            {
                **_card(choice, side),
                "open": side in opened,
                "problem": problems.get(side, ""),
                "left_out": _told(choice, side, left_out.get(side, ("", ""))),
            }
        )
        for side in SIDES
    )


def _told(choice: Choice, side: str, left_out: tuple[str, str]) -> str:
    own, said = left_out
    return said if own and choice.edits_of(side).own == own else ""


def forms_json(choice: Choice, opened: frozenset[str], written: Figures | None) -> tuple[str, ...]:
    """Write the forms that are open, with the wholesale prices of their tariffs where these are ``written``."""
    prices = written.wholesale_usd_per_kwh if written else (None, None)
    return tuple(
        _form(choice, side, price) if side in opened else "" for side, price in zip(SIDES, prices, strict=True)
    )


@functools.lru_cache(maxsize=64)
def _card(choice: Choice, side: str) -> dict[str, Any]:
    return {
        "side": side,
        "name": side.upper(),
        "title": side_title(choice, side),
        "summary": side_summary(choice, side),
        "edited": bool(choice.edits_of(side).changes),
        "start": f"Undo all edits of {side.upper()}",
        "help": help_link("draw-tariff"),
        "market": market_link(choice, side),
        "most": MOST_BYTES,
        "gallery": [{"name": name, "title": title} for name, title in gallery_offers()],
        "toml": side_toml(choice, side),
        "file": file_name(choice, side),
    }


@functools.lru_cache(maxsize=64)
def _form(choice: Choice, side: str, price: tuple[float, ...] | None) -> str:
    return to_json(form_json(choice, side, None if price is None else np.asarray(price)))


def figures(choice: Choice, a: Solution, b: Solution, benchmark: Benchmark | None) -> Figures:
    """Write the figures of two solved tariffs; without the first best the efficiency gap is still being computed."""
    compared, rows = key_numbers(a, b, benchmark), payers(a, b)
    sides = books(a), books(b)
    chart = mean_day_chart(a, b, caption=words.day_caption(a, b), names=side_titles(choice))
    terms = {
        "title": words.TERMS,
        "help": help_link("compared-terms"),
        "said": side_differences(choice),
        "toml": scenario_toml(choice),
        "file": f"meanwatt-{choice.scenario}-a-b.toml",
    }
    return Figures(
        numbers=to_json(_numbers(compared, a, b, benchmark)),
        payers=to_json(_payers(rows, *sides)),
        day=to_json(chart),
        terms=to_json(terms),
        bills=to_json(_bills(bills(a), bills(b))),
        wholesale_usd_per_kwh=tuple(tuple(mean_wholesale_by_hour(side.equilibrium).tolist()) for side in (a, b)),
        recovery=words.recovery_sentence(*sides),
        equal_recovery=sides[0].surplus == sides[1].surplus,
        unbalanced=tuple(side for side, book in zip(SIDES, sides, strict=True) if book.surplus),
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
            "why": why(entry, a, b),
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
                    "name": technology_label(row.technology),
                    "share": number(100 * row.share, 1),
                    "a": cents(row.a),
                    "b": cents(row.b),
                    "difference": cents(row.difference, signed=True),
                    "bar": round(row.difference / widest, 4),
                    "adds": cents(row.adds, signed=True),
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
                "a": cents(first),
                "b": cents(second),
                "difference": cents(second - first, signed=True),
            }
            for key, name, first, second in lines
        ],
        "caption": words.payers_caption(rows, a, b),
    }


def _bills(a: Sequence[Bill], b: Sequence[Bill]) -> dict[str, Any]:
    """Every kind of home, its bill under A and under B; a part that nobody pays has no column."""
    names = dict.fromkeys(name for bill in (*a, *b) for name in bill.parts)
    paid = (name for name in names if any(bill.parts.get(name) for bill in (*a, *b)))
    kept = sorted(paid, key=lambda name: name == EXPORTS)  # stable: what is credited comes last
    groups = [
        {
            "name": group_label(group),
            "rows": [
                {"name": technology_label(first.technology), "sides": _two_bills(first, second, kept)}
                for first, second in zip(a, b, strict=True)
                if first.group == group
            ],
        }
        for group in dict.fromkeys(bill.group for bill in a)
    ]
    return {
        "title": words.BILLS,
        "help": help_link("read-bills"),
        "note": words.BILLS_NOTE,
        "parts": [part_label(name) for name in kept],
        "groups": groups,
        "caption": words.bills_caption(a, b),
    }


def _two_bills(a: Bill, b: Bill, kept: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "style": name.lower(),
            "amounts": [cents(bill.parts.get(part, 0)) for part in kept],
            "total": cents(bill.total),
        }
        for name, bill in (("A", a), ("B", b))
    ]
