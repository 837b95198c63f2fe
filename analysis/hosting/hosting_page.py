"""The page of a sweep, ``report.html``: what ``meanwatt hosting`` writes, and what the app hands out."""

from collections.abc import Mapping, Sequence
from typing import Any

from meanwatt.analysis.hosting.figures import hosting_figure
from meanwatt.analysis.hosting.judged import judge
from meanwatt.analysis.hosting.shown_tables import hosting_tables_shown
from meanwatt.analysis.hosting.sweep import Cell, HostingPlan
from meanwatt.analysis.report.page import Picture, report_page


def hosting_page(
    result: Mapping[str, Any], plan: HostingPlan, cells: Sequence[Cell], manifest: Mapping[str, Any]
) -> str:
    """Write the page of a sweep; it needs nothing from elsewhere.

    Parameters
    ----------
    result
        As of `meanwatt.analysis.hosting.report.hosting_json`, with seed and seconds.
    plan, cells
        What was swept.
    manifest
        Settings, seed and scenario.
    """
    picture = Picture(
        name="hosting",
        title="Violations against adoption",
        text="Share of placements that break a limit at each level of adoption, by tariff, and the highest voltage of"
        " any bus in any slot of any weather, median over placements."
        + ("" if plan.control is None else " Dashed: with the inverters' curves in force."),
        figure=hosting_figure(plan, judge(plan, cells)),
    )
    return report_page(
        kind="Hosting capacity of a feeder",
        title=f"{result['feeder']}, scenario {result['scenario']}",
        result=result,
        reached=result["outcome"] == "converged",
        tables=hosting_tables_shown(dict(result)),
        pictures=[picture],
        manifest=manifest,
    )
