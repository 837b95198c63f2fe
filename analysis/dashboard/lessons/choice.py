"""Which lesson a visitor is at, and how it is written in an address."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from meanwatt.analysis.dashboard.shared.query import read_parts
from meanwatt.analysis.lessons.catalogue import find
from meanwatt.analysis.lessons.lesson import Lesson
from meanwatt.model.scenario.nearest import unknown

KEYS = ("lesson", "shown", "teacher")
IGNORED = ("scenario",)
"""Part of the links of the navigation; a lesson has a town of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A place on the page.

    Attributes
    ----------
    lesson
        Key of a lesson; empty for the list of all.
    shown
        Whether the answer is shown.
    teacher
        Whether the teacher's notes are open.
    """

    lesson: str = ""
    shown: bool = False
    teacher: bool = False

    def __post_init__(self) -> None:
        """Check the key; ValueError in one line with the nearest one."""
        if self.lesson:
            find(self.lesson)

    @property
    def found(self) -> Lesson | None:
        """The lesson; None for the list."""
        return find(self.lesson) if self.lesson else None


def query(choice: Choice) -> str:
    """Write a choice as the query of an address: what differs from the defaults."""
    parts = {"lesson": choice.lesson, "shown": int(choice.shown), "teacher": int(choice.teacher)}
    return urlencode({key: value for key, value in parts.items() if value})


def from_query(text: str) -> tuple[Choice, tuple[str, ...]]:
    """Read a choice from an address and list, in words, what could not be used; see `read_parts`."""
    return read_parts(text, Choice(), _changed, first=KEYS[:1])


def _changed(choice: Choice, key: str, text: str) -> Choice:
    """A choice with one key of the address set."""
    if key in IGNORED:
        return choice
    if key not in KEYS:
        raise ValueError(unknown("parameter", key, KEYS))
    if key == "lesson":
        return replace(choice, lesson=text)
    if text not in ("0", "1"):
        raise ValueError(f"{key} is {text[:40]!r}; give 1, or leave it out")
    return replace(choice, shown=text == "1") if key == "shown" else replace(choice, teacher=text == "1")
