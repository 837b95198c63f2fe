"""How long solves take on this machine, by which the page decides whether a slider acts while it is dragged."""

import statistics
from collections import deque

from meanwatt.analysis.dashboard.market.knobs import knobs
from meanwatt.analysis.dashboard.shared.settings import OF_TARIFF, Settings

LAST = 3
"""Solves that count."""
LONG_SECONDS = 1.0
"""A trial that takes this long is given up: it is not quick."""


class Pace:
    """The times of the last solves. They are written on one thread and read on another, each in one step."""

    def __init__(self) -> None:
        """Nothing is timed yet."""
        self._last: deque[float] = deque(maxlen=LAST)

    def add(self, seconds: float) -> None:
        """Take note of one more solve. [s]"""
        self._last.append(seconds)

    @property
    def seconds(self) -> float | None:
        """Typical time of the last solves, and no less than half of the very last; None before the first. [s]"""
        last = tuple(self._last)
        return max(statistics.median(last), last[-1] / 2) if last else None


def neighbour(settings: Settings) -> Settings:
    """Settings one step of a slider away: the first number of the tariff that can be moved."""
    offered = [knob for knob in knobs(settings.preset()) if not knob.options and knob.key.startswith(OF_TARIFF)]
    knob = offered[0]
    value = settings.get(knob.key, knob.default)
    assert isinstance(value, float | int)
    step = -knob.step if value + knob.step > knob.high else knob.step
    return settings.with_change(knob.key, value + step, knob.default)
