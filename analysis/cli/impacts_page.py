"""What ``meanwatt impacts`` prints for people, and its report."""

from typing import TYPE_CHECKING, Any

from meanwatt.analysis.cli.show import figure, percent
from meanwatt.analysis.report.page import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meanwatt.analysis.impacts.bill_changes import BillChanges

HEADS = {"without_response": "without", "with_response": "with"}
"""What stands above the two distributions."""


def impact_tables_shown(result: "Mapping[str, Any]") -> list[Table]:
    """The tables; none where nothing was billed."""
    parts = {head: result[name] for name, head in HEADS.items() if result[name] is not None}
    if not parts:
        return []
    return [
        *_response_table(result["response"]),
        _summary(parts),
        _group_table("By income and technology", parts, "by_income_and_technology", ("income", "technology")),
        _group_table(
            "By tenth of the customers, by what they buy under A", parts, "by_usage_decile", ("usage_decile",)
        ),
    ]


def _summary(parts: "Mapping[str, Any]") -> Table:
    one = next(iter(parts.values()))
    rows: list[tuple[str, Sequence[str], str]] = [
        (
            f"change of the bill, {name}",
            [figure(part["change_usd_per_year"][key], 2) for part in parts.values()],
            "USD a year",
        )
        for name, key in (
            ("mean", "mean"),
            ("5 % pay less than", "p5"),
            ("median", "p50"),
            ("5 % pay more than", "p95"),
        )
    ]
    rows += [
        ("pay less", [percent(part["winners_share"], 1) for part in parts.values()], "of customers"),
        ("pay more", [percent(part["losers_share"], 1) for part in parts.values()], "of customers"),
    ]
    for place, row in enumerate(one["above"]):
        for word, key in (("rises", "rises_share"), ("falls", "falls_share")):
            shown = [percent(part["above"][place][key], 1) for part in parts.values()]
            rows.append((f"bill {word} by more than {row['percent']} %", shown, "of customers"))
    rows += [
        ("revenue under A", [figure(part["revenue"]["a"], 0) for part in parts.values()], "USD a year"),
        ("revenue under B", [figure(part["revenue"]["b"], 0) for part in parts.values()], "USD a year"),
        ("Gini index of bills, A", [figure(part["gini_a"]) for part in parts.values()], ""),
        ("Gini index of bills, B", [figure(part["gini"]) for part in parts.values()], ""),
        ("Suits index, A", [figure(part["suits_a"]) for part in parts.values()], "negative is regressive"),
        ("Suits index, B", [figure(part["suits"]) for part in parts.values()], "negative is regressive"),
    ]
    for place, row in enumerate(one["burden"]):
        for word, key in (("comes above", "crosses_up_share"), ("comes below", "crosses_down_share")):
            shown = [percent(part["burden"][place][key], 1) for part in parts.values()]
            rows.append((f"bill {word} {percent(row['burden'], 0)} of income", shown, "of customers"))
    return Table(
        title="Bills from A to B, without a response" + (" and with it" if len(parts) > 1 else ""),
        heads=("", *parts, "unit"),
        rows=[(name, *shown, unit) for name, shown, unit in rows],
    )


def _response_table(response: "Mapping[str, Any] | None") -> list[Table]:
    """What the response does; none where there is no response to tell of."""
    if response is None:
        return []
    largest = max(response["groups"], key=lambda row: abs(row["mean_change_usd_per_year"]))
    return [
        Table(
            title="What the response changes: with it less without it",
            heads=("", "value", "unit"),
            rows=[
                ("mean bill", figure(response["mean_usd_per_year"], 2), "USD a year"),
                ("root mean square over customers", figure(response["rms_usd_per_year"], 2), "USD a year"),
                (
                    f"most in a group: {largest['income']} / {largest['technology']}",
                    figure(largest["mean_change_usd_per_year"], 2),
                    "USD a year",
                ),
                ("from losing to winning, or back", percent(response["turned_share"], 1), "of customers"),
            ],
        )
    ]


def _group_table(title: str, parts: "Mapping[str, Any]", key: str, by: "Sequence[str]") -> Table:
    one = next(iter(parts.values()))
    return Table(
        title=f"{title}: mean change in USD a year, and who pays less",
        heads=(" / ".join(name.replace("_", " ") for name in by), "customers", "bill under A", *_two(parts)),
        rows=[
            (
                " / ".join(str(row[name]) for name in by),
                str(row["customers"]),
                figure(row["mean_bill_a_usd_per_year"], 1),
                *(
                    shown
                    for part in parts.values()
                    for shown in (
                        figure(part[key][place]["mean_change_usd_per_year"], 1),
                        percent(part[key][place]["winners_share"], 0),
                    )
                ),
            )
            for place, row in enumerate(one[key])
        ],
    )


def _two(parts: "Mapping[str, Any]") -> list[str]:
    return [head for name in parts for head in (name, "pay less")]


def say_impacts(result: "Mapping[str, Any]") -> None:
    """Print the result for people."""
    from meanwatt.analysis.cli.show import say, say_notes, table

    say(f"From {result['a']} to {result['b']}: {result['message']} ({result['seconds']:.1f} s)\n")
    for one in impact_tables_shown(result):
        table(one.title, one.heads, one.rows)
    rows = result.get("meters", {})
    for line in (*rows.get("bad_rows_listed", ()), *rows.get("customers_left_out_listed", ())):
        say(f"Left out: {line}")
    say_notes(result["messages"])


def impacts_report(
    result: "Mapping[str, Any]",
    manifest: "Mapping[str, Any]",
    without: "BillChanges | None",
    with_response: "BillChanges | None",
) -> str:
    """The page of a result directory."""
    from meanwatt.analysis.impacts.figures import impacts_figure
    from meanwatt.analysis.report.page import Picture, report_page

    pictures = []
    if without is not None or with_response is not None:
        pictures.append(
            Picture(
                name="impacts",
                title="Who pays more, who pays less",
                text="Left: share of the customers by how their bill changes. Right: the change of single customers"
                " against what they buy under the tariff in force. Below 0 a customer pays less under B.",
                figure=impacts_figure(without, with_response),
            )
        )
    return report_page(
        kind="Changes of bills",
        title=f"{result['customers_of']}, from {result['a']} to {result['b']}",
        result=result,
        reached=result["outcome"] == "converged",
        tables=impact_tables_shown(result),
        pictures=pictures,
        manifest=manifest,
    )
