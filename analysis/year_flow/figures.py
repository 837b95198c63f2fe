"""The figure of a series of power flows: voltages by day and hour, and how long they and the loadings last."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.figures.inline import BLUE, GREEN, INK, VERMILION
from meanwatt.analysis.year_flow.slots_solved import SolvedSlots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_POINTS: Final = 1000
"""Points of a duration curve that are drawn."""


def flow_figure(done: SolvedSlots, slot_hours: float) -> "Figure":
    """Draw the lowest and highest voltage of every slot as a map of days and hours, and duration curves.

    Without whole days, duration curves alone. Slots without a state are blank.
    """
    from meanwatt.analysis.figures.shown import ShownFigure

    by_day = by_hour(done.slot["min_voltage_pu"], slot_hours) is not None
    loading = ~np.isnan(done.slot["max_line_loading"]).all() or ~np.isnan(done.slot["max_transformer_loading"]).all()
    figure = ShownFigure(figsize=(9.4, 6.4 if by_day else 3.4), layout="constrained")
    panels: Any = figure.subplots(2 if by_day else 1, 2, squeeze=False)
    if by_day:
        for panel, which in zip(panels[0], ("lowest", "highest"), strict=True):
            values = by_hour(done.slot["min_voltage_pu" if which == "lowest" else "max_voltage_pu"], slot_hours)
            _draw_map(figure, panel, values, f"{which} voltage [pu]")
    _draw_voltages(panels[-1][0], done)
    if loading:
        _draw_loadings(panels[-1][1], done)
    else:
        panels[-1][1].set_visible(False)
    return figure


def by_hour(values: Floats, slot_hours: float) -> Floats | None:
    """A column as (slot of the day, day), the last day filled up with nan; None where slots make no days."""
    per_day = round(24 / slot_hours)
    if abs(per_day * slot_hours - 24) > 1e-9 or per_day < 2 or len(values) < 2 * per_day:
        return None
    days = -(-len(values) // per_day)
    whole = np.full(days * per_day, np.nan)
    whole[: len(values)] = values
    return whole.reshape(days, per_day).T


def _draw_map(figure: Any, panel: Any, values: Floats | None, title: str) -> None:
    assert values is not None
    drawn = panel.imshow(
        values,
        aspect="auto",
        origin="lower",
        cmap="cividis",
        extent=(0, values.shape[1], 0, 24),
        interpolation="nearest",
        rasterized=True,
    )
    figure.colorbar(drawn, ax=panel, shrink=0.9)
    panel.set_title(title, loc="left", fontsize=10)
    panel.set_xlabel("day")
    panel.set_ylabel("hour of the day")
    panel.set_yticks(range(0, 25, 6))


def _draw_voltages(panel: Any, done: SolvedSlots) -> None:
    for column, color, stroke, label in (
        ("max_voltage_pu", VERMILION, "-", "highest of any bus"),
        ("min_voltage_pu", BLUE, "--", "lowest of any bus"),
    ):
        _draw_duration(panel, done.slot[column], color, stroke, label)
    for limit in (done.limits.low_pu, done.limits.high_pu):
        panel.axhline(limit, color=INK, linewidth=1, linestyle=(0, (1, 1)))
    panel.set_title("voltage, sorted [pu]", loc="left", fontsize=10)
    _finish(panel)


def _draw_loadings(panel: Any, done: SolvedSlots) -> None:
    for column, color, stroke, label in (
        ("max_line_loading", GREEN, "-", "most loaded line"),
        ("max_transformer_loading", INK, "--", "most loaded transformer"),
    ):
        _draw_duration(panel, 100 * done.slot[column], color, stroke, label)
    panel.axhline(100, color=INK, linewidth=1, linestyle=(0, (1, 1)))
    panel.set_title("loading, sorted [% of rating]", loc="left", fontsize=10)
    _finish(panel)


def _draw_duration(panel: Any, values: Floats, color: str, stroke: str, label: str) -> None:
    known = np.sort(values[~np.isnan(values)])[::-1]
    if not known.size:
        return
    place = np.unique(np.linspace(0, known.size - 1, min(known.size, MOST_POINTS)).round().astype(int))
    panel.plot(100 * (place + 0.5) / known.size, known[place], color=color, linestyle=stroke, label=label)


def _finish(panel: Any) -> None:
    panel.set_xlabel("share of the slots solved [%]")
    panel.spines[["top", "right"]].set_visible(False)
    if panel.get_legend_handles_labels()[1]:
        panel.legend(frameon=False, fontsize=8)
