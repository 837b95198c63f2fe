"""What the page shows at one instant, as frozen text: the page is a pure function of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from meanwatt.analysis.dashboard.market.class_boards import NO_CLASSES, ClassBoards
from meanwatt.analysis.dashboard.market.comparison import comparison
from meanwatt.analysis.dashboard.market.crossing import compare_label, compare_link
from meanwatt.analysis.dashboard.market.knob import Knob
from meanwatt.analysis.dashboard.market.knobs import divided, knobs, without_effect
from meanwatt.analysis.dashboard.shared.choices import every_option, scenario_options
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.notices import Notice
from meanwatt.analysis.dashboard.shared.own_tariff import MOST_BYTES
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.settings import HOUSEHOLDS, SEEDS, Settings, Value, opening_tariff
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.model.scenario.counted import counted

SPEEDS = (0.5, 1, 2, 5, 10, 20)
"""Days a second that a visitor can choose."""
QUICK_SECONDS = 0.15
"""A solve that takes less can follow a slider."""
SLACK = 2
"""A page that follows sliders stops to do so when solves take so many times longer."""
ENERGY = "energy_usd_per_kwh"
ADDER_HELP = "plus the adder that recovers the cost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One day of the page, as JSON for its components.

    Attributes
    ----------
    day
        Days simulated so far; 0 before the first.
    day_type
        Today's weather; empty before the first day.
    chart, network, voltage, burden, metrics, baseline
        What the components `day_chart`, `feeder_map` (two), `burden_bars`, `metrics` and `baseline` show.
    classes
        Who pays whom by rate class, and what bills with components are made of.
    homes, home, home_chart
        What `homes`, `home_card` and a second `day_chart` show; the last two are empty while no home is followed, the
        chart also before its first day.
    """

    day: int
    day_type: str
    chart: str
    network: str
    voltage: str
    burden: str
    metrics: str
    baseline: str
    classes: ClassBoards = NO_CLASSES
    homes: str = "{}"
    home: str = ""
    home_chart: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All that is on the page.

    Attributes
    ----------
    number
        Rises with every view; an older view never replaces a newer one.
    bar, form, notices, tray
        JSON for the components of the same names.
    frame
        The day.
    stale
        Whether the frame is of the settings before, while those shown are solved.
    """

    number: int
    bar: str
    form: str
    notices: str
    tray: str
    frame: Frame
    stale: bool = False


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
    refused
        Key, text and what is wrong with it, of every value typed that is not allowed.
    undoable
        Whether there is something before what is in force.
    compared
        What was in force before the highlighted comparison, while that is shown.
    at_once
        Whether changes act at once, as the visitor chose; None lets the pace decide.
    pace
        What a solve takes here, from the last ones; None if that is not known yet. [s]
    quick
        Whether that is quick enough to follow a slider.
    dragging, behind
        Whether a slider is held that acts at once, and whether it is ahead of what is shown.
    edits
        Edits heard from the page so far: until it reads its own number, what it was told last is older than its fields.
    """

    base: Settings
    draft: Settings
    ready: bool = False
    playing: bool = False
    speed: float = 2
    work: Work | None = None
    notices: tuple[Notice, ...] = ()
    refused: tuple[tuple[str, str, str], ...] = ()
    undoable: bool = False
    compared: Settings | None = None
    at_once: bool | None = None
    pace: float | None = None
    quick: bool = False
    dragging: bool = False
    behind: bool = False
    edits: int = 0

    @property
    def stale(self) -> bool:
        """Whether the figures shown are those of other settings than the ones shown beside them."""
        return (self.work is not None or self.behind) and self.ready

    @property
    def live(self) -> bool:
        """Whether changes act at once: as the visitor chose, or else where solves are quick."""
        return self.quick if self.at_once is None else self.at_once

    def at_pace(self, pace: float | None) -> "Stage":
        """The same once the last solves took so long; what was quick stays so until it is clearly slow."""
        most = QUICK_SECONDS * (SLACK if self.quick else 1)
        return replace(self, pace=pace, quick=pace is not None and pace < most)


def bar_json(stage: Stage, frame: Frame, query: str) -> str:
    """JSON of the top bar."""
    homes = f"{stage.base.households:,}"
    return to_json(
        {
            "sentence": f"{homes} homes answer tonight's price. Solid is tonight, dashed is the mean field.",
            "scenario": stage.base.scenario,
            "scenarios": scenario_options(),
            "ready": stage.ready,
            "playing": stage.playing,
            "speed": stage.speed,
            "speeds": SPEEDS,
            "call": _call(stage),
            "day": frame.day,
            "day_type": frame.day_type,
            "query": None if stage.dragging else query,
        }
    )


def form_json(stage: Stage, query: str) -> str:
    """JSON of the tariff form."""
    preset = stage.base.preset()
    offered = knobs(preset)
    count = sum(stage.draft.get(k.key, k.default) != stage.base.get(k.key, k.default) for k in offered)
    count += (stage.draft.households != stage.base.households) + (stage.draft.seed != stage.base.seed)
    work = stage.work
    changed = stage.base.changes or stage.base.own or stage.base.tariff != opening_tariff(stage.base.scenario)
    return to_json(
        {
            "title": "Be the regulator",
            "query": query,
            "tariff": preset.selected_tariff if stage.base.own else stage.base.tariff,
            "tariffs": every_option(stage.base),
            "most_bytes": MOST_BYTES,
            "compare": compare_link(stage.base),
            "compare_label": compare_label(stage.base),
            "parts": [*_parts(offered, stage), {"title": "The sample", "fields": _sample(stage)}],
            "live": stage.live,
            "rule": rule(stage),
            "rule_help": help_link("act-at-once"),
            "dragging": stage.dragging,
            "changes": "" if not count or stage.dragging else f"{counted(count, 'change')} not applied.",
            "refused": bool(stage.refused),
            "edits": stage.edits,
            "work": None
            if work is None
            else {"text": work.text, "fraction": round(work.fraction, 3), "stoppable": stage.ready},
            "can_undo": bool(count or stage.refused or stage.undoable),
            "can_restore": bool(changed),
        }
    )


def rule(stage: Stage) -> str:
    """When changes of the form act, and why so."""
    takes = "" if stage.pace is None else f"a solve takes {_seconds(stage.pace)}"
    if stage.live:
        return f"Also while you drag{f': {takes}' if takes else ''}. Apply is not needed."
    if stage.at_once is not None:
        return "Changes wait for Apply, as you chose."
    return f"Changes wait for Apply: {takes}." if takes else "Changes wait for Apply until a solve is timed."


def _seconds(pace: float) -> str:
    """A time to one digit that counts, and not below a hundredth of a second."""
    return f"{max(pace, 0.01):.{2 if pace < 0.095 else 1}f} s"


def _call(stage: Stage) -> dict[str, str]:
    """Words of the highlighted button."""
    if stage.compared is not None:
        alone = stage.compared == comparison(stage.compared).reference
        text = comparison(stage.compared).back if alone else "How the cost is recovered goes back, too."
        return {"label": "Back to the tariff before", "text": text}
    offered = comparison(stage.base)
    return {"label": offered.label, "text": offered.text}


def _parts(offered: Sequence[Knob], stage: Stage) -> list[dict[str, Any]]:
    parts: dict[str, list[dict[str, Any]]] = {}
    idle = without_effect(offered, stage.draft)
    refused = _refused(stage)
    now = {knob.key: stage.draft.get(knob.key, knob.default) for knob in offered}
    for knob in offered:
        applied = stage.base.get(knob.key, knob.default)
        parts.setdefault(knob.part, []).append(
            {
                "key": knob.key,
                "kind": knob.kind,
                "label": knob.label,
                "unit": knob.unit,
                "help": knob.help or _adder_help(knob.key, now),
                "low": knob.low,
                "high": knob.high,
                "step": knob.step,
                "digits": knob.digits,
                "options": [{"value": value, "label": label} for value, label in knob.options],
                "value": stage.draft.get(knob.key, knob.default),
                "default": knob.default,
                "applied": applied,
                "applied_text": knob.show(applied),
                "idle": idle.get(knob.key, ""),
                "problem": refused.get(knob.key, ("", ""))[1],
            }
        )
    return [{"title": title, "fields": fields} for title, fields in parts.items()]


def _adder_help(key: str, now: Mapping[str, Value]) -> str:
    """What is said below an energy charge that is not all of the price."""
    tariff, part = divided(key)
    return ADDER_HELP if part.startswith(ENERGY) and now[f"{tariff}.recovery"] == "volumetric" else ""


def _refused(stage: Stage) -> dict[str, tuple[str, str]]:
    """By key: text that is not allowed, and why."""
    return {key: (text, problem) for key, text, problem in stage.refused}


def _sample(stage: Stage) -> list[dict[str, Any]]:
    rows = (("households", "Homes", HOUSEHOLDS), ("seed", "Seed of the draws", SEEDS))
    refused = _refused(stage)
    return [
        {
            "key": key,
            "kind": "number",
            "label": label,
            "low": low,
            "high": high,
            "step": 1,
            "value": refused[key][0] if key in refused else getattr(stage.draft, key),
            "applied": getattr(stage.base, key),
            "applied_text": str(getattr(stage.base, key)),
            "idle": "",
            "problem": refused[key][1] if key in refused else "",
        }
        for key, label, (low, high) in rows
    ]
