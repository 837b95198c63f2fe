"""What the page of the challenge shows at one instant, as frozen text: the page is a pure function of it."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.challenge.attempt import Attempt, outcome
from meanwatt.analysis.challenge.drawing import HOURS, MOST_PARTS, Drawing, limits, posted_drawing
from meanwatt.analysis.challenge.scale import Scale, not_dominated
from meanwatt.analysis.dashboard.challenge import words
from meanwatt.analysis.dashboard.challenge.board_card import board_card
from meanwatt.analysis.dashboard.challenge.choice import Choice, query
from meanwatt.analysis.dashboard.challenge.computing import Advice
from meanwatt.analysis.dashboard.challenge.figure import rates_chart
from meanwatt.analysis.dashboard.challenge.seat import Seat
from meanwatt.analysis.dashboard.challenge.tries import Try, key_of
from meanwatt.analysis.dashboard.shared.choices import scenario_options
from meanwatt.analysis.dashboard.shared.figures import group_label
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.model.scenario.economy import build_economy, build_tariff

ROUTE = "/challenge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is computed so far: the scale, the attempt at hand, a hint for it, the program's own tariff."""

    scale: Scale | None = None
    made: Attempt | None = None
    advice: Advice | None = None
    computed: Attempt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All that is on the page.

    Attributes
    ----------
    number
        Rises with every view; an older view never replaces a newer one.
    bar, notices, drawing, scores, board, tries
        JSON for the components.
    figure
        JSON of the chart of the program's own tariff; empty unless it is shown.
    """

    number: int
    bar: str
    notices: str
    drawing: str
    scores: str
    board: str
    tries: str
    figure: str


def address(choice: Choice) -> str:
    """Where a choice is found."""
    written = query(choice)
    return f"{ROUTE}?{written}" if written else ROUTE


def view_of(
    number: int,
    choice: Choice,
    found: Found,
    tries: tuple[Sequence[Try], bool],
    work: Work | None,
    notices: str,
    *,
    seat: Seat,
    stopped: bool,
) -> View:
    """Write a view.

    Parameters
    ----------
    tries
        The attempts in this scenario, and whether those that the browser kept are among them.
    work
        The computation under way.
    seat
        The visitor's place at a board.
    stopped
        Whether the visitor stopped it.
    """
    made, _ = tries
    best = _best(found.scale, made)
    return View(
        number=number,
        bar=to_json(_bar(choice, work, stopped)),
        notices=notices,
        drawing=to_json(_drawing(choice, found, len(made))),
        scores=to_json(_scores(choice, found, len(made), working=work is not None)),
        board=to_json(board_card(choice, found.scale, seat)),
        tries=to_json(_tries(choice, found, *tries)),
        figure=_figure(choice, found, best),
    )


def _bar(choice: Choice, work: Work | None, stopped: bool) -> dict[str, Any]:
    return {
        "title": words.TITLE,
        "sentence": words.SENTENCE,
        "scenario": choice.scenario,
        "scenarios": scenario_options(),
        "work": None if work is None else {"text": work.text, "fraction": round(work.fraction, 3)},
        "stopped": stopped,
    }


def _drawing(choice: Choice, found: Found, count: int) -> dict[str, Any]:
    """The tariff to begin with: what was submitted, or what comes nearest to the filed tariff."""
    preset = choice.preset()
    allowed = limits(preset)
    shown = choice.drawing or _filed(choice.scenario)
    charges = [""] * len(allowed.groups)
    if found.made is not None:
        charges = [words.charge(charge) for charge in found.made.charges_usd_per_month]
    price = _wholesale(found)
    return {
        "title": words.TARIFF,
        "help": help_link(words.HELP),
        "recovery": words.RECOVERY,
        "scenario": choice.scenario,
        "high": round(100 * allowed.rate_usd_per_kwh),
        "most": MOST_PARTS,
        "groups": [
            {"label": group_label(group), "charge": charge}
            for group, charge in zip(allowed.groups, charges, strict=True)
        ],
        "scored": choice.drawing is not None and found.made is not None,
        **_drawn(shown),
        "start": _drawn(_filed(choice.scenario)),
        "start_label": "Nearest to the filed tariff",
        "digits": 1,
        "wholesale": None if price is None else _cents(price),
        "next": f"Try {count + 1}",
    }


def _drawn(drawing: Drawing) -> dict[str, Any]:
    return {
        "rates": _cents(drawing.rates_usd_per_kwh),
        "export": round(100 * drawing.export_share),
        "net_metering": drawing.net_metering,
        "parts": list(drawing.parts),
    }


def _scores(choice: Choice, found: Found, count: int, *, working: bool) -> dict[str, Any]:
    scale, made = found.scale, found.made
    return {
        "title": words.SCORES,
        "help": help_link(words.HELP),
        "rows": [_row(axis, scale, made) for axis in range(len(words.AXES))],
        "mean": "" if scale is None or made is None else words.score(scale.mean(made.criteria)),
        "before": "" if made is not None else words.BEFORE,
        "scale": words.SCALE,
        "hint": "" if found.advice is None else words.hint(found.advice.hint),
        "wait": ""
        if found.advice is not None or (working and count >= words.TRIES_BEFORE_HINT)
        else words.until_hint(count),
        "shown": choice.computed,
        "toggle": "Hide the computed tariff" if choice.computed else "Show the computed tariff",
        "ready": scale is not None,
    }


def _row(axis: int, scale: Scale | None, made: Attempt | None) -> dict[str, Any]:
    """One score, what it measures, and where 0 and 100 lie."""
    row = {
        "name": words.AXES[axis],
        "measure": words.MEASURES[axis],
        "help": help_link(words.ANCHORS[axis]),
        "score": "",
        "share": 0.0,
        "said": "",
        "ends": "",
    }
    if scale is not None:
        row["ends"] = words.ends(axis, float(scale.zero[axis]), float(scale.best[axis]))
        if made is not None:
            value = float(scale.scores(made.criteria)[axis])
            row["score"], row["said"] = words.score(value), words.measured(axis, float(made.criteria[axis]))
            row["share"] = round(float(np.clip(np.nan_to_num(value) / 100, 0.0, 1.0)), 3)
    return row


def _tries(choice: Choice, found: Found, tries: Sequence[Try], known: bool) -> dict[str, Any]:
    scale = found.scale
    kept = not_dominated([one.point for one in tries])
    high = max((max(one.choice.rates_usd_per_kwh) for one in tries), default=1.0) or 1.0
    rows = []
    for one, best in zip(tries, kept.tolist(), strict=True):
        scores = [float("nan")] * len(words.AXES) if scale is None else scale.scores(one.point).tolist()
        rows.append(
            {
                "name": one.name,
                "href": address(replace(one.choice, computed=choice.computed, board=choice.board)),
                "here": choice.drawing is not None and key_of(one.choice) == key_of(choice),
                "bars": [round(rate / high, 3) for rate in one.choice.rates_usd_per_kwh],
                "scores": [words.score(score) for score in scores],
                "mean": "" if scale is None else words.score(scale.mean(one.point)),
                "kept": best and len(tries) > 1,
            }
        )
    return {
        "title": words.TRIES,
        "axes": list(words.AXES),
        "rows": rows,
        "note": words.NOT_BEATEN if any(row["kept"] for row in rows) else "",
        "scenario": choice.scenario,
        "known": known,
        "store": [one.to_json() for one in tries],
    }


def _figure(choice: Choice, found: Found, best: Try | None) -> str:
    """The rates of the program's own tariff beside those of the visitor's best try, or of the filed tariff."""
    scale, computed = found.scale, found.computed
    if not choice.computed or scale is None or computed is None:
        return ""
    beside = (best.name, best.choice.drawing) if best else ("the filed tariff", _filed(choice.scenario))
    caption = words.computed_caption(scale, computed.criteria, best.point if best else None, best.name if best else "")
    assert beside[1] is not None
    return to_json(rates_chart(computed, scale.filed.economy, beside[0], beside[1], caption))


def _best(scale: Scale | None, tries: Sequence[Try]) -> Try | None:
    """The attempt with the highest mean."""
    return None if scale is None or not tries else max(tries, key=lambda one: scale.mean(one.point))


def _cents(usd: Sequence[float] | Floats) -> list[float]:
    return [round(100 * float(value), 1) for value in usd]


def _wholesale(found: Found) -> Floats | None:
    """Wholesale price of the mean day by the hour under the attempt, or the filed tariff. (24,) [USD/kWh]"""
    if found.scale is None:
        return None
    filed = found.scale.filed
    mean = found.made.wholesale_usd_per_kwh if found.made else outcome(filed, found.scale).wholesale_usd_per_kwh
    return np.asarray(mean[np.arange(HOURS) * filed.economy.slots // HOURS])


@functools.lru_cache(maxsize=16)
def _filed(scenario: str) -> Drawing:
    """What comes nearest to the filed tariff."""
    economy = build_economy(Choice(scenario=scenario).preset())
    return posted_drawing(economy, build_tariff(economy.scenario))
