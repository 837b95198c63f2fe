"""What one worker of a study does at a time; light to import."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meanwatt.analysis.study.code import Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What one worker does at a time.

    Attributes
    ----------
    number
        Place in the study.
    identity
        Hash of all that decides the result: scenario, size, key, what is measured.
    point
        Number of the scenario point.
    scenario_json
        The point's scenario as JSON of all its tables.
    measure, households, replication, seed, days, behaviour
        As in the study's file; the number of households is None where none are simulated.
    code
        Files that ``behaviour`` names, by their names there.
    """

    number: int
    identity: str
    point: int
    scenario_json: str
    measure: str
    households: int | None
    replication: int | None
    seed: int
    days: int
    behaviour: str
    code: "dict[str, Code]" = field(default_factory=dict)
