"""The report of a study: its effects as a figure and as a table."""

from typing import TYPE_CHECKING, Any

from meanwatt.analysis.output.strict_json import plain

if TYPE_CHECKING:
    import pandas as pd

    from meanwatt.analysis.report.page import Picture, Table
    from meanwatt.analysis.study.effects import Layout

ROWS = 60
"""Most rows of the table on the page; all of them are in the study's own table."""


def study_report(result: dict[str, Any], table: "pd.DataFrame", title: str, keys: tuple[str, ...]) -> str:
    """Write the page of a study all of whose tasks are done.

    Parameters
    ----------
    result
        The command's JSON object.
    table
        Its rows.
    title
        What the study calls itself.
    keys
        Scenario keys that it varies.
    """
    from meanwatt.analysis.report.page import report_page
    from meanwatt.analysis.study.effects import layout_of, numbers_of, solved_rows

    rows = solved_rows(table)
    layout = layout_of(rows, keys) if numbers_of(rows) else None
    return report_page(
        kind=f"Study, measure {result['measure']}",
        title=title,
        result=plain(result),
        reached=result["outcome"] == "complete" and not result["refused"] and not result["failed"],
        tables=[_outcomes(table), *([] if layout is None else [_effects(rows, layout)])],
        pictures=[] if layout is None else [_picture(rows, layout)],
        manifest={"settings": result["settings"]},
    )


def _picture(rows: "pd.DataFrame", layout: "Layout") -> "Picture":
    from meanwatt.analysis.report.page import Picture
    from meanwatt.analysis.study.figure import study_figure

    return Picture(name="effects", title="Effects", text=_caption(rows, layout), figure=study_figure(rows, layout))


def _caption(rows: "pd.DataFrame", layout: "Layout") -> str:
    lines = f", a line for each value of {layout.lines}" if layout.lines else ""
    together = [*layout.pooled, *(["replications"] if rows["replication"].max() > 0 else [])]
    pooled = f" Means over {' and '.join(together)}; bars from the lowest to the highest value." if together else ""
    return f"What was measured along {layout.along}{lines}.{pooled}"


def _outcomes(table: "pd.DataFrame") -> "Table":
    from meanwatt.analysis.report.page import Table

    counts = table["outcome"].value_counts()
    rows = [(str(outcome), f"{count:,}") for outcome, count in counts.items()]
    return Table(title="How the rows ended", heads=("outcome", "rows"), rows=rows)


def _effects(rows: "pd.DataFrame", layout: "Layout") -> "Table":
    """Means of all numbers at every place, at most `ROWS` places."""
    from meanwatt.analysis.report.page import Table
    from meanwatt.analysis.study.effects import NUMBERS, effects, numbers_of, shown

    names = numbers_of(rows)
    found: dict[tuple[str, Any], dict[str, str]] = {}
    for name in names:
        for one in effects(rows, layout, name).itertuples():
            found.setdefault((str(one.line), one.at), {})[name] = f"{one.mean:.4g}"
    kept = list(found.items())[:ROWS]
    left = f" (the first {ROWS} of {len(found):,} places; all rows are in results.parquet)" if len(found) > ROWS else ""
    return Table(
        title=f"Means{left}",
        heads=(layout.along, *([layout.lines] if layout.lines else []), *(NUMBERS[name] for name in names)),
        rows=[
            (shown(at), *([line] if layout.lines else []), *(cells.get(name, "–") for name in names))
            for (line, at), cells in kept
        ],
    )
