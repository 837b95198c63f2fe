"""How a criterion ended, and the verdict in words."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from meanwatt.analysis.validation.scaling import Interval
from meanwatt.model.scenario.counted import counted


class Status(StrEnum):
    """How a criterion ended."""

    PASS = "pass"
    FAIL = "fail"
    UNDECIDED = "undecided"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A judged criterion."""

    key: str
    check: str
    title: str
    criterion: str
    why: str
    status: Status
    sentence: str


def verdict(findings: Collection[Finding]) -> tuple[Status, str]:
    """All criteria in one word and one sentence."""
    by = {status: [f for f in findings if f.status is status] for status in Status}
    judged = len(findings) - len(by[Status.NOT_APPLICABLE])
    criteria = counted(judged, "criterion", "criteria")
    if by[Status.FAIL]:
        names = ", ".join(f.title for f in by[Status.FAIL])
        return Status.FAIL, f"Not validated: {len(by[Status.FAIL])} of {criteria} failed ({names})."
    if by[Status.UNDECIDED] or not judged:
        names = ", ".join(f.title for f in by[Status.UNDECIDED]) or "nothing was judged"
        return (
            Status.UNDECIDED,
            f"Not decided: none of {criteria} failed, but {counted(len(by[Status.UNDECIDED]), 'needs', 'need')} more"
            f" replications or days to tell ({names}).",
        )
    if judged == 1:
        return Status.PASS, "Validated: the one criterion that applies passed."
    return Status.PASS, f"Validated: all {criteria} that apply passed."


def within(interval: Interval, low: float, high: float) -> Status:
    """Whether an interval lies inside [low, high], outside, or across an end."""
    if interval.low is None or interval.high is None:
        return Status.NOT_APPLICABLE
    if low <= interval.low and interval.high <= high:
        return Status.PASS
    return Status.FAIL if interval.high < low or interval.low > high else Status.UNDECIDED


def shown(interval: Interval, digits: int = 3) -> str:
    """An estimate with its interval in words."""
    if interval.value is None:
        return "undefined"
    text = f"{interval.value:.{digits}f}"
    if interval.low is None or interval.high is None:
        return text
    return f"{text} (95 %: {interval.low:.{digits}f} to {interval.high:.{digits}f})"
