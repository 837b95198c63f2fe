"""The page of the gallery: for each phenomenon expectation, figure, claims and verdict."""

from collections.abc import Mapping, Sequence
from typing import Any

from meanwatt.analysis.phenomena.gallery import Shown
from meanwatt.analysis.phenomena.phenomenon import Verdict

MARKS = {
    Verdict.AS_EXPECTED: ("pass", "✓"),
    Verdict.IN_PART: ("undecided", "◐"),
    Verdict.OTHERWISE: ("fail", "✗"),
    Verdict.NOT_DETERMINED: ("none", "?"),
}
"""Class and sign of a verdict."""


def gallery_page(result: Mapping[str, Any], shown: Sequence[Shown], manifest: Mapping[str, Any]) -> str:
    """Write the page; it needs nothing from elsewhere.

    Parameters
    ----------
    result
        The command's JSON object.
    shown
        What it was made from.
    manifest
        Settings; versions are added.
    """
    from markupsafe import Markup

    from meanwatt.analysis.figures.inline import inline_svg
    from meanwatt.analysis.phenomena.figure import panel_figure
    from meanwatt.analysis.report.page import manifest_text, template_of

    return template_of("meanwatt.analysis.phenomena", "gallery.html.j2").render(
        message=result["message"],
        notes=result["messages"],
        rows=[
            {
                **row,
                "mark": MARKS[one.verdict][0],
                "sign": MARKS[one.verdict][1],
                "expected_bounds": [] if one.finding is None else [claim.expected for claim in one.finding.claims],
                "svg": None
                if one.finding is None
                else Markup(inline_svg(panel_figure(one.finding.panel), row["key"], one.finding.reading)),
            }
            for row, one in zip(result["phenomena"], shown, strict=True)
        ],
        manifest=manifest_text(manifest),
    )
