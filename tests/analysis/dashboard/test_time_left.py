"""Time left is told from the share that is done, anew in every part, and not before it means something."""

import pytest

from meanwatt.analysis.dashboard.shared.time_left import TimeLeft


class Clock:
    """Stands where the test puts it."""

    at = 100.0


@pytest.mark.parametrize(
    ("passed", "share", "said"),
    [
        (0.5, 0.5, ""),  # too soon
        (10.0, 0.01, ""),  # too little
        (10.0, 1.0, ""),
        (10.0, 0.5, ", about 10 s left"),
        (10.0, 0.25, ", about 30 s left"),
        (9.0, 0.25, ", about 30 s left"),  # 27 s, rounded up
        (2.0, 0.9, ", about 5 s left"),
        (20.0, 0.1, ", about 3 min left"),
        (7200.0, 0.5, ", about 120 min left"),
    ],
)
def test_the_rest_takes_as_long_as_the_pace_so_far_says(passed: float, share: float, said: str) -> None:
    clock = Clock()
    left = TimeLeft(lambda: clock.at)
    assert left.said("draw", 0.0) == ""
    clock.at += passed
    assert left.said("draw", share) == said


def test_another_part_an_unknown_share_and_one_that_falls_begin_anew() -> None:
    clock = Clock()
    left = TimeLeft(lambda: clock.at)
    left.said("draw", 0.0)
    clock.at += 10
    assert left.said("deviate", 0.5) == ""
    clock.at += 10
    assert left.said("deviate", 0.75) == ", about 10 s left"
    assert left.said("deviate", None) == ""
    clock.at += 10
    assert left.said("deviate", 0.5) == ", about 10 s left"
    assert left.said("deviate", 0.2) == ""
    clock.at += 10
    assert left.said("deviate", 0.6) == ", about 10 s left"
