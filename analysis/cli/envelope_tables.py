"""What operating envelopes do, as tables for people, and household types by where they stand."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meanwatt.analysis.report.page import Table


def envelope_tables(envelopes: list[dict[str, Any]]) -> "list[Table]":
    """A table of the envelopes of a result, by income group; none without envelopes."""
    from meanwatt.analysis.cli.show import figure, percent
    from meanwatt.analysis.report.page import Table

    if not envelopes:
        return []
    heads = ("envelope, income", "share", "curtailed", "of solar", "held back", "export binds", "import", "beyond")
    rows = [
        (
            f"{one['name']}, {group['income']}",
            percent(group["share"], 1),
            figure(group["curtailed_kwh_per_household_day"]),
            percent(group["curtailed_share_of_solar"]),
            figure(group["held_back_kwh_per_household_day"]),
            figure(group["export_binding_hours_per_day"]),
            figure(group["import_binding_hours_per_day"]),
            figure(group["violation_kwh_per_household_day"]),
        )
        for one in envelopes
        for group in one["groups"]
    ]
    return [Table(title="Operating envelopes: kWh, and hours a day, of a household under them", heads=heads, rows=rows)]


def standing(row: dict[str, Any]) -> str:
    """Where the household type of a row stands: on a branch, under an envelope; empty where a scenario has neither."""
    return (f" on {row['branch']}" if "branch" in row else "") + (
        f" under {row['envelope']}" if row.get("envelope") else ""
    )


def type_names(groups: list[dict[str, Any]]) -> list[str]:
    """Names of household types; those that only a rate class that homes choose tells apart have it in theirs."""
    names = [(f"{row['income']} / {row['technology']}", standing(row)) for row in groups]
    return [
        f"{home} in {row['rate_class']}{place}" if names.count((home, place)) > 1 else f"{home}{place}"
        for (home, place), row in zip(names, groups, strict=True)
    ]
