"""Who lives where on the feeder: ``[feeder.residents]``."""

from typing import Annotated, Final, Literal, Self

from pydantic import model_validator

from meanwatt.model.scenario.ranges import Range
from meanwatt.model.scenario.tariff_file import Table

NEIGHBOURHOODS: Final = Range(0, 2**53, whole=True)
"""A seed that a file can hold."""
MIXED: Final = "mixed"
"""Anywhere alike."""
PATTERNS: Final = (MIXED, "far", "near", "clustered")
"""Where income groups, or owners of solar, may live."""

Pattern = Literal["mixed", "far", "near", "clustered"]


class ResidentsTable(Table):
    """``[feeder.residents]``: who lives where. How many there are of every household type stays the scenario's."""

    incomes: Pattern = "mixed"
    """Where the rich live: mixed (anywhere), far from the source by impedance, near it, or clustered: along a walk
    through the feeder branch by branch, which is drawn."""
    adoption: Pattern = "mixed"
    """Where in the place of an income group its owners of solar live, in the same words."""
    seed: Annotated[int, NEIGHBOURHOODS] = 0
    """Seed of the walk of clustered; another one gives other neighbourhoods, in every run the same."""
    file: str | None = None
    """Instead: a CSV file of homes by bus, income group and technology, relative to the scenario's file."""
    sha256: str | None = None
    """SHA-256 of that file; written when the scenario is read, and then checked."""

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if self.file is not None and not (self.incomes == self.adoption == MIXED):
            raise ValueError("file and a pattern (incomes, adoption) are both given; leave one out")
        if self.sha256 is not None and self.file is None:
            raise ValueError("sha256 is given without a file; leave it out")
        return self

    @property
    def is_mixed(self) -> bool:
        """Whether everybody lives anywhere."""
        return self.file is None and self.incomes == self.adoption == MIXED
