"""All lessons, in the order in which they are taught: one more is a module and a line here."""

from meanwatt.analysis.lessons import (
    death_spiral,
    fixed_charge,
    herding,
    leader,
    market_size,
    net_metering,
    second_peak,
    storage,
)
from meanwatt.analysis.lessons.lesson import Lesson
from meanwatt.model.scenario.nearest import unknown

LESSONS: tuple[Lesson, ...] = (
    death_spiral.LESSON,
    net_metering.LESSON,
    fixed_charge.LESSON,
    storage.LESSON,
    second_peak.LESSON,
    herding.LESSON,
    market_size.LESSON,
    leader.LESSON,
)


def find(key: str) -> Lesson:
    """Find a lesson by its key; ValueError in one line with the nearest one if there is none."""
    for lesson in LESSONS:
        if lesson.key == key:
            return lesson
    raise ValueError(unknown("lesson", key, [lesson.key for lesson in LESSONS]))
