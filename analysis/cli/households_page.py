"""What ``meanwatt import households`` prints for people, and its report."""

from typing import TYPE_CHECKING, Any

from meanwatt.analysis.cli.show import figure, percent
from meanwatt.analysis.report.page import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meanwatt.model.households.survey import Survey


def household_tables_shown(result: "Mapping[str, Any]") -> list[Table]:
    """Checks, and groups."""
    return [
        Table(
            title="Checks of the format against the file",
            heads=("check", "result", "seen", "mend"),
            rows=[(one["name"].replace("_", " "), one["status"], one["seen"], one["mend"]) for one in result["checks"]],
        ),
        Table(
            title="Groups",
            heads=(
                "group",
                "homes",
                "with solar",
                "kWh a year",
                "5 % below",
                "median",
                "95 % below",
                "peak hour",
            ),
            rows=[_group_row(one) for one in result["groups"]],
        ),
    ]


def _group_row(group: "Mapping[str, Any]") -> tuple[str, ...]:
    spread = group["kwh_per_year"] or {}
    shape = [value if value is not None else 0.0 for value in group["mean_kw"]]
    homes = max(group["homes"], 1)
    return (
        group["name"],
        str(group["homes"]),
        percent(group["with_solar"] / homes, 0),
        *(figure(spread.get(key), 0) for key in ("mean", "p5", "p50", "p95")),
        f"{shape.index(max(shape))} h",
    )


def say_households(result: "Mapping[str, Any]") -> None:
    """Print the result for people."""
    from meanwatt.analysis.cli.show import say, say_notes, table

    say(f"{result['file']}: {result['message']}\n")
    for check in result["checks"]:
        mend = f" Mend: {check['mend']}" if check["mend"] else ""
        say(f"{check['status']:<6}{check['name'].replace('_', ' ')}: {check['seen']}{mend}")
    say("")
    groups = household_tables_shown(result)[1]
    table(groups.title, groups.heads, groups.rows)
    for line in result["readings"]["bad_rows_listed"]:
        say(f"Left out: {line}")
    say_notes(result["messages"])


def households_report(result: "Mapping[str, Any]", manifest: "Mapping[str, Any]", survey: "Survey") -> str:
    """The page of a result directory."""
    from meanwatt.analysis.households.figures import shapes_figure
    from meanwatt.analysis.report.page import Picture, report_page

    return report_page(
        kind="Household data",
        title=", ".join(manifest["files"]),
        result=result,
        reached=not result["wrong"],
        tables=household_tables_shown(result),
        pictures=[
            Picture(
                name="shapes",
                title="The mean day of each group",
                text="Line: mean use of the group's homes. Band: from what 10 % of them stay below to what 90 % stay"
                " below, hour by hour. Dashed: mean generation of the homes with solar.",
                figure=shapes_figure(survey),
            )
        ],
        manifest=manifest,
    )
