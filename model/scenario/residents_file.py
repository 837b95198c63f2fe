"""Homes by bus, income group and technology in a CSV file: what ``feeder.residents.file`` of a scenario names."""

import csv
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from meanwatt.model.scenario.files import FileError, read_text
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.one_line import OneLineError
from meanwatt.model.scenario.tables import SUM_TOLERANCE
from meanwatt.model.scenario.technologies import TECHNOLOGIES
from meanwatt.model.scenario.values import show

MOST_BYTES: Final = 16 * 2**20
"""Largest file that is read. [bytes]"""
MOST_HOMES: Final = 1e9
"""Most homes of a row."""
WANTED: Final = "a CSV file with the columns bus, income_group and technologies"
BUS, GROUP, HOMES = "bus", "income_group", "homes"
KNOWN: Final = tuple(technology.name for technology in TECHNOLOGIES)


class ResidentsError(OneLineError):
    """A file of residents that cannot be used, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentsRow:
    """Homes of an income group at a bus.

    Attributes
    ----------
    bus, income_group
        As the feeder and the scenario name them.
    homes
        How many; need not be whole.
    by_technology
        How many of them own each technology; None where the file leaves that to the scenario.
    """

    bus: str
    income_group: str
    homes: float
    by_technology: dict[str, float] | None


def residents_digest(path: str | Path) -> str:
    """SHA-256 of a file of residents; ``ResidentsError`` in one line if it cannot be read."""
    return hashlib.sha256(_text(path).encode()).hexdigest()


def read_residents(path: str | Path) -> tuple[ResidentsRow, ...]:
    """Read a file of residents.

    The heading names ``bus``, ``income_group`` and technologies, of which there are counts; or besides ``homes``, and
    then technologies are shares of them that sum to one, or left out where the scenario's shares hold everywhere.

    Raises
    ------
    ResidentsError
        In one line that names the file, the line, the value and what is allowed. Whether its buses and income groups
        exist is checked where feeder and scenario are known.
    """
    rows = list(csv.reader(_text(path).splitlines()))
    try:
        return _rows(rows)
    except ValueError as error:
        raise ResidentsError(f"residents {path}: {error}") from None


def _text(path: str | Path) -> str:
    try:
        return read_text(Path(path), WANTED, MOST_BYTES).removeprefix("\ufeff")
    except FileError as error:
        raise ResidentsError(f"residents {path}: {error}") from None


def _rows(lines: Sequence[Sequence[str]]) -> tuple[ResidentsRow, ...]:
    heading = [name.strip() for name in lines[0]] if lines else []
    for name in (BUS, GROUP):
        if name not in heading:
            raise ValueError(f"no column {name} in the heading {show(','.join(heading))}; give {WANTED}")
    technologies = [name for name in heading if name not in (BUS, GROUP, HOMES)]
    for name in technologies:
        if name not in KNOWN:
            raise ValueError(f"column {unknown('technology', name, KNOWN)}")
    if len(set(heading)) < len(heading):
        raise ValueError(f"a column comes twice in the heading {show(','.join(heading))}; give every column once")
    if not technologies and HOMES not in heading:
        raise ValueError(f"neither homes nor technologies ({', '.join(KNOWN)}) are columns; give one of them")
    found: dict[tuple[str, str], ResidentsRow] = {}
    for number, cells in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(heading):
            raise ValueError(f"line {number} has {len(cells)} cells; give {len(heading)}, as the heading has")
        row = _row(dict(zip(heading, (cell.strip() for cell in cells), strict=True)), technologies, number)
        if (row.bus, row.income_group) in found:
            raise ValueError(
                f"line {number}: bus {row.bus} and income group {row.income_group} come twice; give them in one line"
            )
        found[row.bus, row.income_group] = row
    if not any(row.homes for row in found.values()):
        raise ValueError("there is no home in it; give lines with homes")
    return tuple(found.values())


def _row(cells: dict[str, str], technologies: Sequence[str], number: int) -> ResidentsRow:
    """One line as numbers."""
    given = {name: _number(cells[name], name, number) for name in technologies}
    homes = _number(cells[HOMES], HOMES, number) if HOMES in cells else math.fsum(given.values())
    if HOMES in cells and technologies:
        total = math.fsum(given.values())
        if abs(total - 1) > SUM_TOLERANCE:
            raise ValueError(
                f"line {number}: shares of technologies sum to {total:.6g}; beside homes give shares that sum to 1"
            )
        given = {name: homes * share / total for name, share in given.items()}
    return ResidentsRow(
        bus=cells[BUS], income_group=cells[GROUP], homes=homes, by_technology=given if technologies else None
    )


def _number(text: str, name: str, number: int) -> float:
    """A number of homes or a share; an empty cell is none."""
    try:
        value = float(text) if text else 0.0
    except ValueError:
        value = math.nan
    if not 0 <= value <= MOST_HOMES:
        raise ValueError(f"line {number}: {name} is {show(text)}; give a number from 0 to {MOST_HOMES:.0g}")
    return value
