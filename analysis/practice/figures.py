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
    names = [f", {one.name}" for one in done.filing.tariff.classes] or [""]
    for place, (name, of_class) in enumerate(zip(names, done.windows.of_class, strict=True)):
        window, thin = of_class[common.today], 1 / (1 + place)
        filed = mean @ done.filing.rates_usd_per_kwh[window]
        draw_steps(right, filed, label=f"filed{name}", color=BLUE, linestyle="--", linewidth=1.5 * thin)
        if done.committed_usd_per_kwh is not None:
            best = mean @ done.committed_usd_per_kwh[window]
            draw_steps(right, best, label=f"committed{name}", color=VERMILION, linewidth=2 * thin)
    left.set_title("net load [kW per household]", loc="left")
    right.set_title("energy charge [USD/kWh]", loc="left")
    for panel in (left, right):
        panel.legend(frameon=False, fontsize=8)
