"""A study's own behaviours are programs: they run only from a directory that the user names, never by the file alone.

Whoever reads a study from a stranger must not run the stranger's code. So a class is taken from a file below the
directory given as ``--allow-code``; its hash belongs to the study, so that results of other code are never mixed in.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from meanwatt.analysis.study.plan_file import StudyError

if TYPE_CHECKING:
    from meanwatt.model.market.behaviour_spec import BehaviourSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A file that a study may run.

    Attributes
    ----------
    file
        Where it lies, links followed.
    sha256
        Hash of its content.
    """

    file: str
    sha256: str

    @classmethod
    def of(cls, file: Path) -> Self:
        """The file as it is now."""
        return cls(file=str(file), sha256=hashlib.sha256(file.read_bytes()).hexdigest())


def read_code(behaviour: str, study: Path, allowed: str | Path | None) -> dict[str, Code]:
    """Find the files of code that a study's behaviour names, by the name it gives them, and check their classes.

    Parameters
    ----------
    behaviour
        As the study says it; files are seen from the study's.
    allowed
        The directory whose code may run; None for no code at all.

    Raises
    ------
    StudyError
        In one line, before anything runs: code is named but not allowed, lies elsewhere, or is no file.
    ValueError
        In one line, if the behaviour cannot be read.
    """
    from meanwatt.model.market.behaviour_spec import read_behaviour  # with it comes all of Mesa
    from meanwatt.model.market.own_code import import_class

    found: dict[str, Code] = {}

    def load(place: str, rest: Sequence[str]) -> Any:
        if allowed is None:
            raise StudyError(
                f"behaviour {place} is a program, which a study does not run by itself; if you trust it, add"
                " --allow-code DIR, the directory that holds it"
            )
        if not place.endswith(".py"):
            raise StudyError(f"behaviour {place} is a module; name its file, e.g. mine.py:ClassName")
        file, below = (study.parent / place).resolve(), Path(allowed).resolve()
        if not file.is_relative_to(below):
            raise StudyError(
                f"behaviour {place} lies in {file.parent}, not below --allow-code {allowed}; move it there"
            )
        if not file.is_file():
            raise StudyError(f"behaviour {place}: file not found")
        found[place] = Code.of(file)
        return import_class(str(file), rest)

    read_behaviour(behaviour, load=load)
    return found


def behaviour_of(text: str, code: Mapping[str, Code]) -> "tuple[BehaviourSpec, ...]":
    """Read a behaviour whose code was allowed, where a task runs.

    Raises
    ------
    ValueError
        In one line, if a file is not what it was when the study began, or is not allowed.
    """
    from meanwatt.model.market.behaviour_spec import read_behaviour
    from meanwatt.model.market.own_code import import_class

    def load(place: str, rest: Sequence[str]) -> Any:
        if place not in code:
            raise StudyError(f"behaviour {place} is a program that was not allowed")
        wanted = code[place]
        if not Path(wanted.file).is_file() or Code.of(Path(wanted.file)) != wanted:
            raise StudyError(f"behaviour {place}: {wanted.file} here is not the file that the study began with")
        return import_class(wanted.file, rest)

    return read_behaviour(text, load=load)
