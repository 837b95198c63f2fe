"""The option that names a user's family of tariffs, and what goes with it."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from meanwatt.analysis.cli.design_methods import Choices

if TYPE_CHECKING:
    from meanwatt.analysis.design.design import Search
    from meanwatt.analysis.leader.leader_spec import LeaderSpec
    from meanwatt.model.mean_field.leader.own_family import OwnFamilies
    from meanwatt.model.scenario.economy import Economy

Family = Annotated[
    str | None,
    typer.Option(
        "--family", metavar="FILE", help="What the leader may choose: a TOML file of free and fixed keys and windows."
    ),
]


def read_families(path: str | None, economy: "Economy") -> "OwnFamilies | None":
    """The family in a file, over the tariff in force; None without a file, ``ValueError`` in one line."""
    if path is None:
        return None
    from meanwatt.model.mean_field.leader.own_family import own_families
    from meanwatt.model.scenario.family_file import load_family

    return own_families(economy, load_family(path))


def require_one_place(families: "OwnFamilies | None", choices: Choices, *, pareto: bool, robust: bool = False) -> None:
    """Refuse windows that may lie in several places where something is asked for that searches none."""
    if families is None or families.is_single:
        return
    wanted = {f"--method {choices.method}": choices.method != "commitment", "--anneal": choices.anneal}
    for option, given in {**wanted, "--pareto": pareto, "--robust": robust}.items():
        if given:
            raise ValueError(
                f"{option} takes windows that have one place, and {families.file.label} has"
                f" {len(families.combinations.allowed)} combinations; give each window one start and one width, or"
                f" leave {option} out"
            )


def with_family(
    families: "OwnFamilies | None", aims: "LeaderSpec", search: "Search", choices: Choices, *, robust: bool = False
) -> "tuple[LeaderSpec, Search]":
    """LeaderSpec over a user's family, and the search that goes over its windows where the method is such.

    Raises
    ------
    ValueError
        In one line, if that search is to go on from a journal that is not there, or would lose the one that is.
    """
    if families is None:
        return aims, search
    from meanwatt.analysis.design.design import family_search

    aims = replace(aims, own_family=families.first)
    if robust or choices.method != "commitment" or choices.anneal:
        return aims, search
    if choices.journal is None:
        return aims, family_search(families, choices.evaluations)
    from meanwatt.analysis.learning.window_journal import WindowJournal, window_journal

    WindowJournal.check(choices.journal, resume=choices.resume)
    opened = window_journal(choices.journal, families, choices.evaluations, resume=choices.resume)
    return aims, family_search(families, choices.evaluations, journal=opened)
