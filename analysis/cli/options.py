"""Options that several commands share, and how their texts are read.

Numbers arrive as text and are read here, so that a mistake gets one line in the words of this program.
"""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.ranges import WEIGHT, Range

Scenario = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="Name of a preset, or a scenario's TOML file.", show_default=False)
]
Tariff = Annotated[
    str | None,
    typer.Option(metavar="NAME|FILE", help="One of the scenario's tariffs, or a tariff's TOML file."),
]
TariffOrClass = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE|CLASS=NAME",
        help="One of the scenario's tariffs, or a tariff's TOML file, for everybody; CLASS=NAME: for one rate class.",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="Change one value of the scenario, e.g. memory=1; may be repeated."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Out = Annotated[str | None, typer.Option(metavar="DIR", help="Write the result, its tables and a manifest there.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the journal DIR.journal.jsonl.")]
Scheduler = Annotated[str | None, typer.Option(metavar="ADDR", help="Address of a running dask scheduler.")]
Threads = Annotated[str, typer.Option(metavar="K", help="Threads; results do not depend on it.")]
Seed = Annotated[str, typer.Option(metavar="S", help="Key of all random draws.")]


def require_out(*, resume: bool, out: str | None) -> None:
    """Raise ``ValueError``, in one line, where a run is to go on and nothing says which one."""
    if resume and out is None:
        raise ValueError(
            "--resume needs the --out DIR of the run to go on with; its journal lies beside that directory"
        )


def whole_number(option: str, text: str, allowed: Range, *, example: int) -> int:
    """Read a whole number.

    Raises
    ------
    ValueError
        In one line that names the option, if the text is none, or it lies outside the range.
    """
    found = re.fullmatch(r"\s*([+-]?\d{1,30})\s*", text, flags=re.ASCII)
    if not found or not allowed.holds(int(found[1])):
        raise ValueError(f"{option} is {_shown(text)}; give {allowed.wanted()}, e.g. {example}")
    return int(found[1])


def whole_numbers(option: str, text: str, allowed: Range, *, example: str) -> tuple[int, ...]:
    """Read whole numbers between commas in ascending order; ``ValueError`` in one line, also if one comes twice."""
    numbers = [
        whole_number(f"{option} (entry {place})", part, allowed, example=int(example.split(",")[0]))
        for place, part in enumerate(text.split(","), start=1)
        if part.strip() or "," not in text
    ]
    if not numbers:
        raise ValueError(f"{option} is {_shown(text)}; give whole numbers between commas, e.g. {example}")
    twice = [number for number in numbers if numbers.count(number) > 1]
    if twice:
        raise ValueError(f"{option} is {_shown(text)}: {twice[0]} comes twice; give every number once")
    return tuple(sorted(numbers))


def number(option: str, text: str, allowed: Range, *, example: float) -> float:
    """Read a number; ``ValueError`` in one line if it is none, or lies outside the range."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not allowed.holds(value):
        raise ValueError(f"{option} is {_shown(text)}; give {allowed.wanted()}, e.g. {example:g}")
    return value


def numbers(option: str, text: str, allowed: Range, *, example: str) -> tuple[float, ...]:
    """Read numbers between commas, in the order given; ``ValueError`` in one line, also if one comes twice."""
    first = float(example.split(",")[0])
    found = [
        number(f"{option} (entry {place})", part, allowed, example=first)
        for place, part in enumerate(text.split(","), start=1)
    ]
    twice = [value for value in found if found.count(value) > 1]
    if twice:
        raise ValueError(f"{option} is {_shown(text)}: {twice[0]:g} comes twice; give every number once")
    return tuple(found)


def one_of(option: str, text: str, valid: Sequence[str]) -> str:
    """Read one of several words; ``ValueError`` in one line with the nearest one."""
    if text not in valid:
        raise ValueError(unknown(option, text, valid))
    return text


def weights(option: str, text: str, valid: Iterable[str]) -> dict[str, float]:
    """Read ``"equity=1,stability=0"``: non-negative numbers by name; ``ValueError`` in one line."""
    names, found = tuple(valid), {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise ValueError(f"{option} is {_shown(text)}; give {','.join(f'{known}=1' for known in names)}")
        if name not in names:
            raise ValueError(f"{option}: {unknown('weight', name, names)}")
        if name in found:
            raise ValueError(f"{option} gives {name} twice; give it once")
        found[name] = number(f"{option}: {name}", value, WEIGHT, example=1)
    return found


def _shown(text: str, limit: int = 60) -> str:
    """One-line picture of what was typed."""
    picture = repr(text)
    return picture if len(picture) <= limit else f"{picture[: limit - 1]}…"
