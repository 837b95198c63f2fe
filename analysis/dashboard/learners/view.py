"""What the page of learners shows at one instant, as frozen text: the page is a pure function of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from meanwatt.agents.behaviour.q_learning import STARTS
from meanwatt.analysis.dashboard.learners import figures, words
from meanwatt.analysis.dashboard.learners.choice import (
    COUNTS,
    DAYS,
    Q_KEYS,
    SCENARIO_KEYS,
    SPREADS,
    YES_NO,
    Choice,
    query,
)
from meanwatt.analysis.dashboard.learners.mixture import PARTS
from meanwatt.analysis.dashboard.learners.numbers import table
from meanwatt.analysis.dashboard.learners.presets import CHANGES, HERD, change_of, herd_of, is_herd
from meanwatt.analysis.dashboard.learners.run import Run
from meanwatt.analysis.dashboard.learners.sums import sums_of
from meanwatt.analysis.dashboard.shared.choices import scenario_options, tariff_options
from meanwatt.analysis.dashboard.shared.figures import number
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.page_view import PageView
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.settings import Settings, scenario_names
from meanwatt.analysis.dashboard.shared.solved import Work

ROUTE: Final = "/learners"

Known = Callable[[Choice], Run | None]
"""Looks up a run that is whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures, as JSON for the components."""

    errors: str
    hours: str
    load: str
    volts: str
    numbers: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View(PageView):
    """All that is on the page.

    Attributes
    ----------
    form, herd
        JSON for the components of the same names.
    figures
        None before the first day, and after a failure.
    old
        Whether the figures are of what was asked for before.
    waiting
        Whether there are no figures yet, but will be.
    done
        Whether there is a result to take home.
    """

    form: str
    herd: str
    figures: Figures | None
    old: bool
    waiting: bool
    done: bool


def address(choice: Choice) -> str:
    """Where a choice is found."""
    asked = query(choice)
    return f"{ROUTE}?{asked}" if asked else ROUTE


def bar_json(choice: Choice, work: Work | None, run: Run | None) -> str:
    """JSON of the bar: what is under way, or what became of it."""
    here = run if run is not None and run.choice == choice and run.days else None
    more = min(2 * choice.days, int(DAYS.high))
    idle = work is None
    return to_json(
        {
            "title": words.TITLE,
            "sentence": words.SENTENCE,
            "help": help_link("read-learners"),
            "work": None if idle else {"text": work.text, "fraction": round(work.fraction, 3)},  # type: ignore[union-attr]
            "verdict": words.verdict(here, sums_of(here)) if here else words.IDLE,
            "ended": sums_of(here).ended if here else "",
            "again": words.go_on_label(more - choice.days)
            if idle and here and here.whole and more > choice.days
            else "",
            "again_href": address(replace(choice, days=more)),
            "finish": (words.finish_label(here) if here else "Simulate") if idle and not (here and here.whole) else "",
        }
    )


def form_json(choice: Choice) -> str:
    """JSON of the form; it changes with the choice alone, for fields in hand must not be taken away."""
    return to_json(
        {
            "applied": _applied(choice),
            "scenarios": scenario_options(),
            "tariffs": {
                one["value"]: tariff_options(Settings(scenario=one["value"]).preset()) for one in scenario_options()
            },
            "counts": {name: {"low": allowed.low, "high": allowed.high} for name, allowed in COUNTS.items()},
            "reals": {
                name: {"high": allowed.high, "presets": {one: _preset_value(one, name) for one in scenario_names()}}
                for name, allowed in SCENARIO_KEYS.items()
            },
            "behaviours": [
                {"key": name, "label": label, "help": help_link(f"behaviour-{name.replace('_', '-')}")}
                for name, label in words.BEHAVIOURS.items()
            ],
            "parts": list(PARTS),
            "scaled": words.SCALED,
            "help": {
                name: help_link(anchor)
                for name, anchor in (
                    ("tariff", "tariff"),
                    ("temperature_usd", "temperature"),
                    ("first_step", "first-step"),
                    ("cohorts", "cohorts"),
                    ("stagger", "stagger"),
                )
            },
            "more": {
                "belief": [_field(name, words.SETTINGS[name]) for name in SPREADS],
                "qlearning": [_field(name, words.SETTINGS[name]) for name in Q_KEYS],
            },
            "changed": words.CHANGED,
            "in_force": words.IN_FORCE,
        }
    )


def _applied(choice: Choice) -> dict[str, Any]:
    """What the fields hold, as text; parts of the mixture as numbers."""
    return {
        "mix": dict(choice.mix),
        "scenario": choice.scenario,
        "tariff": choice.tariff,
        **{name: str(getattr(choice, name)) for name in COUNTS},
        **{name: f"{choice.in_force(name):.10g}" for name in SCENARIO_KEYS},
        "first_step": f"{choice.first_step:.10g}",
        **{name: f"{getattr(choice, name):.10g}" for name in SPREADS},
        **{key: _text(getattr(choice.q, name)) for key, name in Q_KEYS.items()},
    }


def _text(value: float | str) -> str:
    """A setting as its field holds it."""
    if isinstance(value, bool):
        return YES_NO[0 if value else 1]
    return value if isinstance(value, str) else f"{value:.10g}"


def _field(key: str, said: tuple[str, float, float]) -> dict[str, Any]:
    """A field of the form: numbers have ends, words a list to choose from."""
    label, low, high = said
    options = {"q_shock": YES_NO, "q_start": STARTS}.get(key, ())
    return {
        "key": key,
        "label": label,
        "help": help_link(key.replace("_", "-")),
        "low": low,
        "high": high,
        "options": [{"value": one, "label": words.OPTIONS.get(one, one)} for one in options],
    }


def _preset_value(scenario: str, key: str) -> str:
    """What a preset has under a key, as a field shows it."""
    return f"{getattr(Settings(scenario=scenario).preset(), key):.10g}"


def herd_json(choice: Choice, run: Run | None, known: Known) -> str:
    """JSON of the panel of the herd: what each change changes, and price moves before and after where known."""
    mine = change_of(choice)
    inside = is_herd(choice) or mine is not None
    herd = herd_of(choice) if inside else HERD
    before = _found(herd, run, known)
    rows = []
    for change in CHANGES:
        changed = change.of(herd)
        after = _found(changed, run, known)
        both = before is not None and after is not None and before.days and after.days
        rows.append(
            {
                "key": change.key,
                "label": change.label,
                "text": change.text,
                "cures": change.cures,
                "href": address(changed),
                "here": mine is change,
                "before": number(sums_of(before).move, 2) if before and both else "",
                "after": number(sums_of(after).move, 2) if after and both else "",
                "read": words.change_caption(change, sums_of(before), sums_of(after))
                if before and after and both
                else "",
            }
        )
    return to_json(
        {
            "title": words.HERD_TITLE,
            "help": help_link("read-learners-herd"),
            "text": words.HERD_TEXT,
            "label": words.HERD,
            "href": address(herd),
            "here": is_herd(choice),
            "inside": inside,
            "move": number(sums_of(before).move, 2) if before and before.days else "",
            "floor": number(sums_of(before).floor_move, 2) if before and before.days else "",
            "unit": words.CENTS,
            "rows": rows,
        }
    )


def _found(choice: Choice, run: Run | None, known: Known) -> Run | None:
    """The run of a choice: the one at hand once it is whole, or one that is known."""
    return run if run is not None and run.choice == choice and run.whole else known(choice)


def figures_of(run: Run, herd: Run | None) -> Figures:
    """Write the figures of a run that has a day, beside the herd that it is a change of."""
    return Figures(
        errors=to_json(figures.errors(run, herd)),
        hours=to_json(figures.hours(run)),
        load=to_json(figures.load(run)),
        volts=to_json(figures.volts(run, herd)),
        numbers=to_json(table(run, herd)),
    )
