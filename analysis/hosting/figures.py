"""The figure of a sweep: share of placements in violation against adoption, and the worst voltage, by tariff."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from meanwatt.analysis.figures.inline import BLUE, GREEN, INK, ORANGE, VERMILION
from meanwatt.analysis.hosting.adoption import Swept
from meanwatt.analysis.hosting.first_violation import violation_share
from meanwatt.analysis.hosting.judged import HostedTariff
from meanwatt.analysis.hosting.stress import KINDS
from meanwatt.analysis.hosting.sweep import HostingPlan

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKS: Final = (
    (VERMILION, "s", "--"),
    (BLUE, "o", "-"),
    (GREEN, "^", "-."),
    (ORANGE, "D", ":"),
    (INK, "v", "-"),
)
"""Colour, mark and stroke of each tariff, so that they are told apart without colours, too."""
TITLES: Final = {
    "overvoltage": "voltage too high",
    "undervoltage": "voltage too low",
    "line": "a line above its rating",
    "transformer": "a transformer above its rating",
    "no_state": "no state of the feeder",
}


def hosting_figure(plan: HostingPlan, judged: Sequence[HostedTariff]) -> "Figure":
    """Draw a panel for each kind of violation that occurs, and for what is expected first; and one for the voltage."""
    from meanwatt.analysis.figures.shown import ShownFigure

    expected = "overvoltage" if plan.swept is Swept.SOLAR else "undervoltage"
    drawn = [one for one, *_ in _lines(judged)]
    kinds = [kind for kind in KINDS if kind == expected or any(np.nansum(one.broken[kind]) for one in drawn)]
    count = len(kinds) + 1
    columns = 2 if count in (2, 4) else 3
    rows = -(-count // columns)
    figure = ShownFigure(figsize=(4.6 * columns, 3.5 * rows), layout="constrained")
    panels: Any = figure.subplots(rows, columns, squeeze=False)
    percent = 100 * np.array(plan.levels)
    for panel, kind in zip(panels.flat, kinds, strict=False):
        _draw_share(panel, percent, kind, judged)
    _draw_voltage(panels.flat[len(kinds)], percent, plan, judged)
    for panel in panels.flat[count:]:
        panel.set_visible(False)
    for panel in panels.flat[max(count - columns, 0) : count]:
        panel.set_xlabel("homes with solar [%]" if plan.swept is Swept.SOLAR else "adoption of electric vehicles [%]")
    panels.flat[0].legend(frameon=False, fontsize=8)
    return figure


def _draw_share(panel: Any, percent: Any, kind: str, judged: Sequence[HostedTariff]) -> None:
    for one, label, look in _lines(judged):
        share = [np.nan if value is None else 100 * value for value in violation_share(one.broken[kind])]
        panel.plot(percent, share, **look, label=label)
    panel.set_title(f"placements with {TITLES[kind]} [%]", loc="left", fontsize=10)
    panel.set_ylim(-4, 104)
    _bare(panel)


def _draw_voltage(panel: Any, percent: Any, plan: HostingPlan, judged: Sequence[HostedTariff]) -> None:
    solar = plan.swept is Swept.SOLAR
    limit = plan.limits.high_pu if solar else plan.limits.low_pu
    for one, _, look in _lines(judged):
        voltage = one.table["max_voltage_pu" if solar else "min_voltage_pu"]
        middle = np.median(voltage, axis=1)
        panel.plot(percent, middle, **look)
        if len(judged) <= 2:
            lowest, highest = voltage.min(axis=1), voltage.max(axis=1)
            panel.fill_between(percent, lowest, highest, color=look["color"], alpha=0.15, linewidth=0)
    panel.axhline(limit, color=INK, linewidth=1, linestyle=(0, (1, 1)))
    panel.annotate("limit", (percent[0], limit), xytext=(2, 3), textcoords="offset points", fontsize=8, color=INK)
    title = f"{'highest' if solar else 'lowest'} voltage, median over placements [pu]"
    panel.set_title(title, loc="left", fontsize=10)
    _bare(panel)


def _lines(judged: Sequence[HostedTariff]) -> list[tuple[HostedTariff, str, dict[str, Any]]]:
    """What is drawn, with its label and look: with inverters' curves dashed, and without solid, where there are any."""
    drawn = []
    for one, (color, mark, stroke) in zip(judged, MARKS * 4, strict=False):
        look = {"color": color, "marker": mark, "markersize": 4, "linestyle": stroke}
        if one.with_curves is None:
            drawn.append((one, one.tariff, look))
            continue
        drawn.append((one, f"{one.tariff}, without", look | {"linestyle": "-"}))
        dashed = look | {"linestyle": "--", "markerfacecolor": "white"}
        drawn.append((one.with_curves, f"{one.tariff}, with curves", dashed))
    return drawn


def _bare(panel: Any) -> None:
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(axis="y", alpha=0.25)
