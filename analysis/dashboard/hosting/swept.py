"""What a sweep has found so far."""

from dataclasses import dataclass

from meanwatt.analysis.hosting.sweep import Cell, HostingPlan


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Swept:
    """A sweep so far.

    Attributes
    ----------
    plan
        What is swept.
    cells
        Tariffs and levels that have been looked at.
    """

    plan: HostingPlan
    cells: tuple[Cell, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing is left to look at."""
        return len(self.cells) == len(self.plan.cells)
