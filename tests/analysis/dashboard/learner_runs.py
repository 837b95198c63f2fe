"""Markets of learners that several tests read, each simulated once in a session."""

from functools import cache

from meanwatt.analysis.dashboard.learners.choice import Choice
from meanwatt.analysis.dashboard.learners.run import Run
from meanwatt.analysis.dashboard.learners.simulating import Simulated, target_of

HOMES = 200


@cache
def lived(choice: Choice) -> Run:
    """All days of a choice."""
    target = target_of(choice.settings, progress=lambda _: None, cancelled=lambda: False)
    assert target is not None
    market = Simulated(choice, target)
    try:
        return market.live(show=lambda _: None, cancelled=lambda: False)
    finally:
        market.close()
