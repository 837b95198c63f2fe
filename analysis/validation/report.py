"""The report of a validation study: one web page that holds all it needs."""

from typing import Any

from meanwatt.analysis.figures.inline import inline_svg
from meanwatt.analysis.report.page import manifest_text, template_of
from meanwatt.analysis.validation.figures import figures
from meanwatt.analysis.validation.result import Validation
from meanwatt.analysis.validation.scaling import Interval
from meanwatt.analysis.validation.verdict import Status, verdict

ROUNDING = 1e-14
"""Numbers this small are rounding errors of a zero."""
TITLES = {
    "load": "Net load",
    "state": "State of charge",
    "exploitability": "What one household gains by deviating",
    "temperature": "Exploitability as the temperature falls",
    "emergence": "Households that learn",
    "leader": "The leader's tariff in the market",
    "grid": "The feeder",
    "memory": "Memory and floor",
}
CHECK_TITLES = {
    "aggregate": "1 Aggregate",
    "state": "2 State",
    "exploitability": "3 Exploitability",
    "emergence": "4 Emergence",
    "leader": "5 Leader",
    "grid": "6 Grid",
}


def report_html(checks: Validation, result: dict[str, Any], manifest: dict[str, Any]) -> str:
    """Write the page.

    Parameters
    ----------
    result
        The JSON object of the command; its scenario, tariff, message and settings are shown.
    manifest
        What the run was: settings, seed and scenario; versions are added.
    """
    from markupsafe import Markup

    drawn = figures(checks)
    template = template_of("meanwatt.analysis.validation", "report.html.j2", filters={"figure": _figure, "ends": _ends})
    status, sentence = verdict(checks.findings)
    return template.render(
        checks=checks,
        result=result,
        status=status,
        verdict=sentence,
        check_titles=CHECK_TITLES,
        marks={Status.PASS: "✓", Status.FAIL: "✗", Status.UNDECIDED: "?", Status.NOT_APPLICABLE: "–"},
        figures=[
            {"name": name, "title": TITLES[name], "svg": Markup(inline_svg(figure, name, text)), "text": text}
            for name, (figure, text) in drawn.items()
        ],
        rows=_rows(checks),
        manifest=manifest_text(manifest),
    )


def _rows(checks: Validation) -> list[dict[str, Any]]:
    """One row per number of households."""
    distance = (
        {}
        if checks.wasserstein is None
        else dict(zip(checks.wasserstein_households, checks.wasserstein.mean, strict=True))
    )
    return [
        {
            "households": count,
            "rms": checks.load.rms[k],
            "expected": checks.expected_scatter_kw[k],
            "rounding": checks.composition_error_kw[k],
            "distance": distance.get(count, Interval(value=checks.wasserstein_soc_kwh[k])),
            "expected_distance": checks.expected_wasserstein_kwh[k],
            "gain": checks.exploitability_usd_per_household_day[k],
            "voltage": None if checks.grid is None else checks.grid.voltage.rms[k],
        }
        for k, count in enumerate(checks.households)
    ]


def _figure(value: float | None, digits: int = 4) -> str:
    """A number to so many significant digits, a dash where it is undefined."""
    if value is None:
        return "–"
    if abs(value) < ROUNDING:
        return "0"
    return f"{value:.{digits}g}" if abs(value) < 1e5 else f"{value:,.0f}"


def _ends(found: Interval, digits: int = 3) -> str:
    """The ends of an interval; nothing where there are none."""
    if found.low is None or found.high is None:
        return ""
    return f"{_figure(found.low, digits)} to {_figure(found.high, digits)}"
