"""What the page shows at one instant, as frozen text: the page is a pure function of it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from analysis.dashboard.knobs import Knob, Value, knobs
from analysis.dashboard.settings import HOUSEHOLDS, SEEDS, Settings, scenario_titles
from model.scenario import Scenario

SPEEDS = (0.5, 1, 2, 5, 10, 20)
"""Days a second that a visitor can choose."""
CALL = {"tariff.export.rule": "net_metering", "tariff.recovery": "volumetric"}
"""The variant on the highlighted button: solar earns the full retail price, and every kWh bought pays the network."""


def to_json(value: object) -> str:
    """Strict, compact JSON: the form in which a component gets its data."""
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One day of the page, as JSON for its components.

    Attributes
    ----------
    day
        Days simulated so far; 0 before the first.
    day_type
        Today's weather; empty before the first day.
    chart, network, voltage, burden, metrics
        What the components `day_chart`, `feeder_map` (two), `burden_bars` and `metrics` show.
    """

    day: int
    day_type: str
    chart: str
    network: str
    voltage: str
    burden: str
    metrics: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A sentence above the page.

    Attributes
    ----------
    about
        What it speaks of; a newer notice about the same takes its place.
    kind
        How bad it is, which is said in the title too.
    title, text
        Words.
    """

    about: str
    kind: Literal["bad", "warn", "good"]
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A computation under way: what, and the share done (an estimate that only rises)."""

    text: str
    fraction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All that is on the page.

    Attributes
    ----------
    number
        Rises with every view; an older view never replaces a newer one.
    bar, form, notices
        JSON for the components of the same names.
    frame
        The day.
    """

    number: int
    bar: str
    form: str
    notices: str
    frame: Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What the controller knows, from which a view is written.

    Attributes
    ----------
    base
        Settings in force, or being solved.
    draft
        Settings as edited and not applied.
    ready
        Whether a market stands that can be stepped.
    playing, speed
        Whether days follow one another, and how many a second.
    work
        The solve under way.
    notices
        Sentences above the page.
    """

    base: Settings
    draft: Settings
    ready: bool = False
    playing: bool = False
    speed: float = 2
    work: Work | None = None
    notices: tuple[Notice, ...] = ()


def bar_json(stage: Stage, frame: Frame, query: str) -> str:
    """JSON of the top bar."""
    homes = f"{stage.base.households:,}"
    return to_json(
        {
            "sentence": f"{homes} homes answer tonight's price. Solid is tonight, dashed is the mean field.",
            "scenario": stage.base.scenario,
            "scenarios": [{"value": name, "label": title} for name, title in scenario_titles()],
            "ready": stage.ready,
            "playing": stage.playing,
            "speed": stage.speed,
            "speeds": SPEEDS,
            "call": call(stage.base),
            "day": frame.day,
            "day_type": frame.day_type,
            "query": query,
        }
    )


def form_json(stage: Stage) -> str:
    """JSON of the tariff form."""
    preset = stage.base.preset()
    offered = knobs(preset)
    count = sum(stage.draft.get(k.key, k.default) != stage.base.get(k.key, k.default) for k in offered)
    count += (stage.draft.households != stage.base.households) + (stage.draft.seed != stage.base.seed)
    work = stage.work
    changed = stage.base.changes or stage.base.tariff != Settings().tariff
    return to_json(
        {
            "title": "Be the regulator",
            "tariff": preset.selected_tariff,
            "tariffs": _tariff_options(preset),
            "parts": [*_parts(offered, stage), {"title": "The sample", "fields": _sample(stage)}],
            "changes": "" if not count else f"{count} change{'s' if count > 1 else ''} not applied.",
            "work": None
            if work is None
            else {"text": work.text, "fraction": round(work.fraction, 3), "stoppable": stage.ready},
            "can_restore": bool(changed),
        }
    )


def notices_json(notices: Iterable[Notice]) -> str:
    """JSON of the sentences above the page."""
    return to_json(
        [{"kind": n.kind, "title": n.title, "text": n.text, "about": n.about, "closable": True} for n in notices]
    )


def sentence(said: object) -> str:
    """Make a sentence of an error or a message; the first letter stays, for it may begin the name of a key."""
    text = str(said).strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


def with_notice(notices: Sequence[Notice], new: Notice) -> tuple[Notice, ...]:
    """Notices with a new one in the place of those about the same."""
    return (*(notice for notice in notices if notice.about != new.about), new)


def call_settings(base: Settings) -> Settings:
    """Settings of the highlighted variant of the tariff in force; if that is in force, of the tariff as it comes."""
    undo = is_call(base)
    for key, default in _call_defaults(base).items():
        base = base.with_change(key, default if undo else CALL[key], default)
    return base


def is_call(settings: Settings) -> bool:
    """Whether the highlighted variant is in force."""
    return all(settings.get(key, default) == CALL[key] for key, default in _call_defaults(settings).items())


def call(base: Settings) -> dict[str, str]:
    """Words of the highlighted button."""
    if is_call(base):
        return {"label": "Undo: solar no longer earns the full price", "text": ""}
    return {
        "label": "What if solar earned the full price?",
        "text": "Net metering for all. Watch the low-income bill.",
    }


def _call_defaults(settings: Settings) -> dict[str, Value]:
    """What the tariff has, before any change, for the keys of the variant."""
    return {knob.key: knob.default for knob in knobs(settings.preset()) if knob.key in CALL}


def _tariff_options(preset: Scenario) -> list[dict[str, str]]:
    return [
        {"value": name, "label": f"{table.title or name}{f' ({table.as_of})' if table.as_of else ''}"}
        for name, table in preset.tariffs.items()
    ]


def _parts(offered: Iterable[Knob], stage: Stage) -> list[dict[str, Any]]:
    parts: dict[str, list[dict[str, Any]]] = {}
    for knob in offered:
        applied = stage.base.get(knob.key, knob.default)
        parts.setdefault(knob.part, []).append(
            {
                "key": knob.key,
                "kind": knob.kind,
                "label": knob.label,
                "unit": knob.unit,
                "help": knob.help,
                "low": knob.low,
                "high": knob.high,
                "step": knob.step,
                "digits": knob.digits,
                "options": [{"value": value, "label": label} for value, label in knob.options],
                "value": stage.draft.get(knob.key, knob.default),
                "applied": applied,
                "applied_text": knob.show(applied),
            }
        )
    return [{"title": title, "fields": fields} for title, fields in parts.items()]


def _sample(stage: Stage) -> list[dict[str, Any]]:
    rows = (("households", "Homes", HOUSEHOLDS), ("seed", "Seed of the draws", SEEDS))
    return [
        {
            "key": key,
            "kind": "number",
            "label": label,
            "low": low,
            "high": high,
            "step": 1,
            "value": getattr(stage.draft, key),
            "applied": getattr(stage.base, key),
            "applied_text": str(getattr(stage.base, key)),
        }
        for key, label, (low, high) in rows
    ]
