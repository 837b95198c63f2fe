"""Days of a market of learners that a page shows, as they have come so far."""

from dataclasses import dataclass

from meanwatt.analysis.dashboard.learners.choice import Choice
from meanwatt.analysis.emergence.day_by_day import LearnersDay
from meanwatt.model.mean_field.equilibrium import Equilibrium


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """Days of learners beside the equilibrium.

    Attributes
    ----------
    choice
        What was asked for.
    target
        The equilibrium.
    days
        Those lived so far.
    messages
        What is not as asked, a sentence each.
    """

    choice: Choice
    target: Equilibrium
    days: tuple[LearnersDay, ...] = ()
    messages: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether all days that were asked for have been lived."""
        return len(self.days) >= self.choice.days
