"""The gallery: every phenomenon in turn, each with its finding."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from meanwatt.analysis.phenomena.catalogue import PHENOMENA
from meanwatt.analysis.phenomena.phenomenon import Finding, Phenomenon, Verdict
from meanwatt.analysis.phenomena.town import Towns
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.nearest import unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A phenomenon and what the model finds of it.

    Attributes
    ----------
    finding
        None where a case could not be solved; ``message`` then says which and why.
    seconds
        That it took.
    """

    phenomenon: Phenomenon
    finding: Finding | None
    message: str
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """Of the finding; without one nothing is determined."""
        return Verdict.NOT_DETERMINED if self.finding is None else self.finding.verdict


def chosen(keys: Sequence[str]) -> tuple[Phenomenon, ...]:
    """Phenomena by key in the gallery's order, all for none; ``ValueError`` in one line for a key that is none."""
    known = [one.key for one in PHENOMENA]
    for key in keys:
        if key not in known:
            raise ValueError(f"--only: {unknown('phenomenon', key, known)}")
    return tuple(one for one in PHENOMENA if not keys or one.key in keys)


def run_gallery(phenomena: Sequence[Phenomenon], watch: Watch) -> Iterator[Shown]:
    """Find one after another; ``Cancelled`` if asked to stop."""
    towns = Towns(watch)
    for place, one in enumerate(phenomena):
        watch.report(f"{one.key} ({place + 1} of {len(phenomena)})", place / len(phenomena))
        began = time.perf_counter()
        try:
            finding, message = one.find(towns), ""
        except ValueError as error:
            finding, message = None, str(error)
        yield Shown(phenomenon=one, finding=finding, message=message, seconds=time.perf_counter() - began)


def gallery_json(shown: Sequence[Shown], asked: int) -> dict[str, Any]:
    """The object that the command prints; ``asked`` is how many were to be shown."""
    counts = {verdict.value: sum(one.verdict is verdict for one in shown) for verdict in Verdict}
    return {
        "study": "gallery",
        "outcome": "complete" if len(shown) == asked else "cancelled",
        "message": _message(counts, len(shown), asked),
        "messages": [f"{one.phenomenon.key}: {one.message}" for one in shown if one.message],
        "verdicts": counts,
        "phenomena": [_row(one) for one in shown],
    }


def _message(counts: dict[str, int], done: int, asked: int) -> str:
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    left = "" if done == asked else f" Stopped after {done} of {asked}."
    return f"{done} phenomena: {told or 'none looked at'}.{left}"


def _row(one: Shown) -> dict[str, Any]:
    phenomenon, finding = one.phenomenon, one.finding
    told = one.verdict in (Verdict.IN_PART, Verdict.OTHERWISE)
    return {
        "key": phenomenon.key,
        "title": phenomenon.title,
        "expected": phenomenon.expected,
        "setting": phenomenon.setting,
        "sources": list(phenomenon.sources),
        "verdict": one.verdict.value,
        "why": phenomenon.why if told and phenomenon.why else None,
        "reading": None if finding is None else finding.reading,
        "claims": []
        if finding is None
        else [
            {
                "text": claim.text,
                "value": claim.value,
                "unit": claim.unit,
                "above": claim.above,
                "below": claim.below,
                "holds": claim.holds,
            }
            for claim in finding.claims
        ],
        "figure": None
        if finding is None
        else {
            "x_title": finding.panel.x_title,
            "y_title": finding.panel.y_title,
            "x": list(finding.panel.x),
            "lines": {name: list(values) for name, values in finding.panel.lines.items()},
        },
        "seconds": one.seconds,
    }
