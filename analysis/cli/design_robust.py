"""``meanwatt design --robust``: its option, its search, and what it says."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from meanwatt.analysis.cli.design_methods import Choices

if TYPE_CHECKING:
    from meanwatt.analysis.design.design import Search
    from meanwatt.analysis.report.page import Table
    from meanwatt.model.scenario.economy import Economy

Robust = Annotated[
    str | None,
    typer.Option(
        "--robust",
        metavar="FILE",
        help="Design for variants of the scenario at once: a TOML file of overrides with weights, worst case or CVaR.",
    ),
]


def require_alone(path: str | None, choices: Choices) -> None:
    """Refuse a method that knows one scenario alone; ``ValueError`` in one line."""
    if path is None:
        return
    if choices.method != "commitment":
        raise ValueError(
            f"--robust searches with full knowledge of every variant, and --method {choices.method} does not; give"
            " --method commitment, or leave it out"
        )
    if choices.anneal:
        raise ValueError(
            "--anneal cools the households of one scenario, and --robust has several; leave one of them out"
        )


def robust_choice(path: str | None, economy: "Economy", search: "Search", choices: Choices) -> "Search":
    """The search over the variants in a file; the search as it is without a file; ``ValueError`` in one line."""
    if path is None:
        return search
    from meanwatt.analysis.design.robust.robust_design import robust_search
    from meanwatt.analysis.design.robust.robust_journal import RobustJournal
    from meanwatt.model.network.located_economy import build_located_economy
    from meanwatt.model.scenario.variants_file import load_variants

    file = load_variants(path)
    for scenario in file.scenarios(economy.scenario):  # before anything is solved
        build_located_economy(scenario)
    if choices.journal is not None:
        RobustJournal.check(choices.journal, resume=choices.resume)
    return robust_search(file, choices.evaluations, journal=choices.journal, resume=choices.resume)


def robust_tables_shown(robust: dict[str, Any] | None, unit: str, *, is_money: bool) -> "list[Table]":
    """The variants and the regret table for people; nothing of another design."""
    if robust is None or not robust["tariffs"]:
        return []
    from meanwatt.analysis.cli.show import figure
    from meanwatt.analysis.report.page import Table

    digits, short = 4 if is_money else 6, unit.replace(" per ", "/")
    designed, names = robust["tariffs"][-1], [one["name"] for one in robust["variants"]]
    called = _called(robust)
    variants = Table(
        title=f"Variants: objective, {short}",
        heads=("variant", "weight", "its own commitment", "robust", "lost", "counts with"),
        rows=[
            (
                one["name"],
                figure(one["weight"], 3),
                figure(one["objective"], digits),
                figure(designed["objective"][place], digits),
                figure(designed["regret"][place], digits),
                figure(robust["tail"][place], 3),
            )
            for place, one in enumerate(robust["variants"])
        ],
    )
    regret = Table(
        title=f"Regret: what each variant's own commitment gets more, and the {called} of the objective, {short}",
        heads=("tariff", *names, "largest", called),
        rows=[
            (
                row["tariff"],
                *(figure(lost, digits) for lost in row["regret"]),
                figure(row["largest_regret"], digits),
                figure(row["measure"], digits),
            )
            for row in robust["tariffs"]
        ],
    )
    return [variants, regret]


def _called(robust: dict[str, Any]) -> str:
    from meanwatt.analysis.design.robust.robust_design import measure_name

    return measure_name(robust["alpha"])
