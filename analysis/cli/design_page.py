"""What ``meanwatt design`` prints for people."""

from typing import TYPE_CHECKING, Any

from meanwatt.analysis.cli.design_robust import robust_tables_shown
from meanwatt.analysis.cli.leader_options import books_sentence
from meanwatt.analysis.leader.registry import find
from meanwatt.model.scenario.counted import counted

if TYPE_CHECKING:
    from meanwatt.analysis.design.design import Design
    from meanwatt.analysis.leader.objective import Objective
    from meanwatt.analysis.pareto.surface import Surface
    from meanwatt.analysis.report.page import Table


def print_design(result: dict[str, Any]) -> None:
    """Print the result for people."""
    from meanwatt.analysis.cli.show import say, table

    say(f"{result['scenario']}, {result['leader']}: {result['message']} ({result['seconds']:.1f} s)\n")
    if result["tariff"] is None:
        return
    if result["learning"] is not None:
        _learning_line(result["learning"], result["books"], find(result["leader"]))
    for one in design_tables(result):
        table(one.title, one.heads, one.rows)


def design_tables(result: dict[str, Any]) -> "list[Table]":
    """The result for people; ``result`` has a tariff."""
    from meanwatt.analysis.cli.show import figure, percent
    from meanwatt.analysis.report.page import Table

    before, after = result["baseline"]["metrics"], result["metrics"]
    objective = find(result["leader"])
    digits = 3 if objective.is_money else 5
    found = Table(
        title="The tariff",
        heads=("parameter", "value"),
        rows=[
            *((f"window {name}", one["hours"]) for name, one in _windows(result).items()),
            *((name, figure(value, 4)) for name, value in result["parameters"].items()),
            *((f"fixed charge, {name}, USD/day", figure(v)) for name, v in result["fixed_charge_usd_per_day"].items()),
        ],
    )
    against = Table(
        title="Against the tariff in force",
        heads=("", result["baseline"]["tariff"], "designed", "unit"),
        rows=[
            (
                "objective",
                *(figure(value, digits) for value in (result["baseline"]["objective"], result["objective"])),
                objective.unit.replace(" per ", "/"),
            ),
            *(
                (label, figure(before[key], digits), figure(after[key], digits), unit)
                for label, key, digits, unit in (
                    ("welfare", "welfare_usd_per_household_day", 3, "USD/household-day"),
                    ("gap to first best", "efficiency_gap_usd_per_household_day", 4, "USD/household-day"),
                    ("utility's surplus", "surplus_usd_per_household_day", 3, "USD/household-day"),
                    ("price volatility (IMV)", "imv", 4, "USD/kWh per slot"),
                    ("Suits index", "suits", 3, ""),
                )
            ),
            ("burden gap", percent(before["burden_gap"]), percent(after["burden_gap"]), "of income"),
        ],
    )
    robust = robust_tables_shown(result["robust"], objective.unit, is_money=objective.is_money)
    return [found, against, *_class_table(result), *robust, *_cold_table(result["cold"], objective)]


def _class_table(result: dict[str, Any]) -> "list[Table]":
    """What the households of each rate class pay, where there are some before or after."""
    from meanwatt.analysis.cli.show import figure, percent
    from meanwatt.analysis.report.page import Table

    rows = result["rate_classes"] if len(result["rate_classes"]) > 1 else result["bills_by_class_in_force"]
    if len(rows) < 2:
        return []
    return [
        Table(
            title="Mean bill of each rate class, USD a year",
            heads=("rate class", "share", "in force", "designed"),
            rows=[
                (
                    row["name"],
                    percent(row["share"], 1),
                    figure(row["bill_in_force_usd_per_year"], 1),
                    figure(row["bill_usd_per_year"], 1),
                )
                for row in rows
            ],
        )
    ]


def _windows(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Windows found in a user's family, if it has some."""
    found: dict[str, dict[str, Any]] | None = (result["family"] or {}).get("windows")
    return found or {}


def design_report(result: dict[str, Any], done: "Design", surface: "Surface | None", manifest: dict[str, Any]) -> str:
    """The result as a web page; ``done`` has found a tariff."""
    from meanwatt.analysis.cli.design_pareto import pareto_picture, pareto_tables
    from meanwatt.analysis.design.robust.regret_figure import regret_pictures
    from meanwatt.analysis.design.window_figure import window_pictures
    from meanwatt.analysis.figures.results import design_figure
    from meanwatt.analysis.report.page import Picture, report_page

    found = None if done.commitment is None else done.commitment.equilibrium
    before_and_after = Picture(
        name="design",
        title="Before and after",
        text="Mean net load of a household (left) and import rate (right), expected over the weather: at the tariff in"
        " force, dashed, and at the one found.",
        figure=design_figure(done.baseline, found),
    )
    objective = find(result["leader"])
    placed = window_pictures(done.commitment, objective.unit, is_money=objective.is_money)
    lost = regret_pictures(done.commitment, objective.unit, is_money=objective.is_money)
    drawn = [] if surface is None else [pareto_picture(surface, result["scenario"])]
    return report_page(
        kind=f"Tariff design, leader {result['leader']}, method {result['method']}",
        title=f"{result['scenario']}, against {result['baseline']['tariff']}",
        result=result,
        reached=result["outcome"] == "converged",
        tables=[*design_tables(result), *([] if surface is None else pareto_tables(result["pareto"]))],
        pictures=[before_and_after, *placed, *lost, *drawn],
        manifest=manifest,
    )


def _cold_table(cold: dict[str, Any] | None, objective: "Objective") -> "list[Table]":
    """The objective of every tariff at the scenario's temperature and cold, if they were compared."""
    from meanwatt.analysis.cli.show import figure
    from meanwatt.analysis.report.page import Table

    if cold is None:
        return []
    digits = 4 if objective.is_money else 5
    compared = Table(
        title=f"Objective, {objective.unit}, at temperature {cold['temperature_usd']:g} USD and among cold households",
        heads=("tariff", "at its own", "cold", "cold at, USD", "found"),
        rows=[
            (
                row["tariff"] if row["same_as"] is None else f"{row['tariff']} (as {row['same_as']})",
                figure(row["objective"], digits),
                figure(row["cold_objective"], digits),
                "–" if row["cold_temperature_usd"] is None else f"{row['cold_temperature_usd']:.3g}",
                str(row["cold_way"]),
            )
            for row in cold["tariffs"]
        ],
    )
    return [compared]


def _learning_line(learning: dict[str, Any], books: dict[str, Any], objective: "Objective") -> None:
    from meanwatt.analysis.cli.show import figure, say
    from meanwatt.analysis.metrics.equity import DAYS_PER_YEAR

    where = "the mean field"
    if learning["environment"] == "market":
        where = f"markets of {counted(learning['households'], 'household')} and {counted(learning['days'], 'day')}"
    lost = learning[f"regret_{objective.key}"]
    days = learning["metered_days"]
    say(
        f"Learned from the meters of {where}, seed {learning['seed']}: {days:,} metered days"
        f" ({days / DAYS_PER_YEAR:.1f} years)."
    )
    if lost is not None:
        say(f"Regret against the commitment: {figure(lost, 4)} {objective.unit.replace(' per ', '/')}.")
    if books["shortfall_usd_per_household_day"] is not None:
        say(books_sentence(books))
    say("")
