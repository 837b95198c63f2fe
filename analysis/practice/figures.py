"""Figures of usual practice: load predicted beside the equilibrium's, rates filed beside those committed to."""

from typing import TYPE_CHECKING, Any

from meanwatt.analysis.figures.inline import BLUE, INK, VERMILION
from meanwatt.analysis.figures.results import day_panels, draw_steps
from meanwatt.analysis.practice.practice import Practice

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def practice_figure(done: Practice) -> "Figure":
    """Draw net load (left) and energy charge (right), expected over the weather."""
    figure, (left, right) = day_panels()
    draw_practice(done, left, right)
    return figure


def draw_practice(done: Practice, left: Any, right: Any) -> None:
    """The same on panels given."""
    assert done.filing is not None
    common = done.in_force.economy.common
    mean = common.probability
    draw_steps(left, mean @ done.in_force.net_load_kw, label="in force, frozen", color=INK, linestyle=":")
    draw_steps(left, mean @ done.filing.predicted.net_load_kw, label="predicted", color=BLUE, linestyle="--")
    if done.equilibrium is not None:
        draw_steps(left, mean @ done.equilibrium.net_load_kw, label="equilibrium", color=VERMILION, linewidth=2)
    window = done.windows.of_slot[common.today]
    draw_steps(right, mean @ done.filing.rates_usd_per_kwh[window], label="filed", color=BLUE, linestyle="--")
    if done.committed_usd_per_kwh is not None:
        draw_steps(right, mean @ done.committed_usd_per_kwh[window], label="committed", color=VERMILION, linewidth=2)
    left.set_title("net load [kW per household]", loc="left")
    right.set_title("energy charge [USD/kWh]", loc="left")
    for panel in (left, right):
        panel.legend(frameon=False, fontsize=8)
