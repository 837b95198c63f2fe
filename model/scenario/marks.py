"""What an annotation says of a key beside its type, for the reference of the files and dotted keys."""

from dataclasses import dataclass
from enum import Enum

from meanwatt.model.scenario.ranges import Range


@dataclass(frozen=True, slots=True)
class Form:
    """How a value is written, with ``{}`` in the place of what one number may be."""

    text: str


@dataclass(frozen=True, slots=True)
class Entries:
    """How many entries a table or list may have; `meanwatt.model.scenario.limits` checks it."""

    allowed: Range


@dataclass(frozen=True, slots=True)
class CheckedLater:
    """The range of numbers that are checked where more is known of their place than in their table."""

    allowed: Range


@dataclass(frozen=True, slots=True)
class AddedLater:
    """A key that studies and journals of earlier versions do not know.

    While it has its default it is left out of what identifies them
    (`meanwatt.model.scenario.identity.identifying_table`), so that they can be resumed.
    """


class Names(Enum):
    """What the entries of a table are named by."""

    INCOME_GROUPS = "income group"
    TECHNOLOGIES = "technology"
    PERIODS_OR_DAYS = "period, day type, season or class"


@dataclass(frozen=True, slots=True)
class ByName:
    """A value for all that may be a table by name instead; a dotted key may set one entry of it."""

    names: Names
