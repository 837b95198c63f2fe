"""The record of every tariff tried, see `meanwatt.analysis.output.run_journal`: no kill loses one."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Final

from meanwatt.analysis.output.run_journal import RunJournal

FOR_SOME: Final = ("books", "days")
"""What only some learners have on record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A tariff tried. Money is USD per household-day.

    Attributes
    ----------
    trial
        1, 2, …
    unit
        Its free parameters, each as a share of its range.
    told
        What the learner was told, finite.
    metered, half_width
        Metered objective, and half the bracket of the part of it that is estimated; None without an equilibrium, or
        where the objective is undefined.
    metered_violation
        Highest import rate charged less the cap. [USD/kWh]
    objective, violation
        Objective and violation of the mean field at the tariff: to judge the learner, never told to it.
    books
        The leader's books after the trial, see `meanwatt.analysis.learning.books.MeteredBooks.entry`; None where it
        keeps none, and then not in the file.
    days
        The meters by kind of day, for a learner that reads them, see
        `meanwatt.analysis.learning.meter_forecast.MeteredDays.to_json`; None for others, and then not in the file.
    """

    trial: int
    unit: tuple[float, ...]
    told: float
    metered: float | None
    half_width: float | None
    metered_violation: float | None
    objective: float | None
    violation: float
    books: dict[str, Any] | None = None
    days: dict[str, Any] | None = None


class Journal(RunJournal[Tried]):
    """The journal of a learner: a line for every trial."""

    called: ClassVar[str] = "trial"

    def entry_of(self, part: Tried) -> Mapping[str, Any]:
        """What is written of a trial."""
        entry = asdict(part)
        for name in FOR_SOME:
            if entry[name] is None:
                del entry[name]
        return entry

    def part_of(self, entry: dict[str, Any], number: int) -> Tried | None:
        """The trial that an entry is of."""
        names = {one.name for one in fields(Tried)}
        if set(entry) | set(FOR_SOME) != names or entry["trial"] != number or not isinstance(entry["unit"], list):
            return None
        return Tried(**{**entry, "unit": tuple(entry["unit"])})
