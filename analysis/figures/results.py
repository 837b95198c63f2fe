"""Figures of results: a solved tariff, a simulated market, the market beside its mean field, a design."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.rate_classes import called
from meanwatt.analysis.figures.inline import BLUE, GREEN, INK, ORANGE, VERMILION
from meanwatt.model.market.history import History
from meanwatt.model.mean_field.equilibrium import Equilibrium

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE: Final = (10.0, 3.6)
FEW: Final = 4
"""Common states that each have a line of their own."""


def day_panels() -> tuple["Figure", Any]:
    """Two panels side by side over the hours of a day."""
    from meanwatt.analysis.figures.shown import ShownFigure

    figure = ShownFigure(figsize=SIZE, layout="constrained")
    panels: Any = figure.subplots(1, 2)
    for panel in panels:
        panel.spines[["top", "right"]].set_visible(False)
        panel.set_xlabel("hour of the day")
        panel.set_xticks(range(0, 25, 6))
        panel.grid(axis="y", alpha=0.25)
    return figure, panels


def _hours(slots: int) -> Floats:
    return np.arange(slots) * 24.0 / slots


def draw_steps(panel: Any, values: Floats, **how: Any) -> None:
    """Draw a value that holds during each slot."""
    hours = _hours(values.size)
    panel.step(np.append(hours, 24.0), np.append(values, values[-1]), where="post", **how)


def solution_figure(equilibrium: Equilibrium) -> "Figure":
    """Draw net load by common state (left) and the rates expected over them (right)."""
    figure, (left, right) = day_panels()
    common = equilibrium.economy.common
    chance = common.probability
    mean = chance @ equilibrium.net_load_kw
    if 1 < common.count <= FEW:
        for label, load in zip(common.labels(), equilibrium.net_load_kw, strict=True):
            draw_steps(left, load, label=" > ".join(label), linewidth=1)
    elif common.count > FEW:
        low, high = equilibrium.net_load_kw.min(axis=0), equilibrium.net_load_kw.max(axis=0)
        left.fill_between(
            np.append(_hours(low.size), 24.0),
            np.append(low, low[-1]),
            np.append(high, high[-1]),
            step="post",
            alpha=0.2,
            color=BLUE,
            label="over all weather",
        )
    draw_steps(left, mean, color=INK, linewidth=2, label="mean")
    left.set_title("net load [kW per household]", loc="left")
    rates = equilibrium.rates
    for values, name, how in (
        (rates.import_usd_per_kwh, "import rate", {"color": VERMILION, "linewidth": 2.5}),
        (equilibrium.wholesale_usd_per_kwh, "wholesale price", {"color": BLUE}),
        (rates.export_usd_per_kwh, "export credit", {"color": GREEN, "linestyle": "--"}),  # often on another line
    ):
        draw_steps(right, chance @ np.broadcast_to(values, equilibrium.net_load_kw.shape), label=name, **how)
    right.set_title("rates [USD/kWh]", loc="left")
    for panel in (left, right):
        if panel.get_legend_handles_labels()[0]:
            panel.legend(frameon=False, fontsize=8)
    return figure


def market_figure(history: History) -> "Figure":
    """Draw net load (left) and wholesale price (right) of every day, and their means."""
    figure, panels = day_panels()
    for panel, name, title in zip(
        panels,
        ("net_load_kw", "wholesale_usd_per_kwh"),
        ("net load [kW per household]", "wholesale price [USD/kWh]"),
        strict=True,
    ):
        panel.set_title(title, loc="left")
        if len(history):
            days = history.stacked(name)
            for day in days:
                draw_steps(panel, day, color=ORANGE, alpha=max(0.1, 1 / len(days)), linewidth=1)
            draw_steps(panel, days.mean(axis=0), color=INK, linewidth=2, label="mean of all days")
            panel.legend(frameon=False, fontsize=8)
    return figure


def comparison_figure(net_load_kw: Floats, expected_kw: Floats, spread_kw: Floats, households: int) -> "Figure":
    """Draw the mean day of market and mean field (left), and each day's distance beside what sampling makes (right).

    Parameters
    ----------
    net_load_kw, expected_kw, spread_kw : (day, h)
        Of the market, of the mean field, and the standard deviation that the sample makes. [kW per household]
    households
        Of the market.
    """
    figure, (left, right) = day_panels()
    from matplotlib.ticker import MaxNLocator

    days = len(net_load_kw)
    expected = expected_kw.mean(axis=0)
    half = 2 * np.sqrt((spread_kw**2).mean(axis=0))
    low, high = expected - half, expected + half
    left.fill_between(
        np.append(_hours(low.size), 24.0),
        np.append(low, low[-1]),
        np.append(high, high[-1]),
        step="post",
        color=BLUE,
        alpha=0.2,
        label="where 95 of 100 days of the sample are",
    )
    draw_steps(left, net_load_kw.mean(axis=0), color=VERMILION, linewidth=2.5, label="market")
    draw_steps(left, expected, color=BLUE, linestyle="--", label="mean field")
    left.set_title("net load, mean day [kW per household]", loc="left")
    left.legend(frameon=False, fontsize=8)
    error = np.sqrt(((net_load_kw - expected_kw) ** 2).mean(axis=1))
    by_sampling = np.sqrt((spread_kw**2).mean(axis=1))
    right.plot(np.arange(1, days + 1), error, "o", color=VERMILION, markersize=4, label="distance of each day")
    right.plot(np.arange(1, days + 1), by_sampling, color=BLUE, linestyle="--", label="what sampling makes of it")
    right.set_ylim(bottom=0)
    right.set_xlabel("day")
    right.xaxis.set_major_locator(MaxNLocator(integer=True))
    right.set_title(f"distance to the mean field, {households:,} homes [kW]", loc="left")
    right.legend(frameon=False, fontsize=8)
    return figure


def design_figure(before: Equilibrium, after: Equilibrium | None) -> "Figure":
    """Draw net load (left) and import rate (right), expected over the weather, before and after.

    Each rate class has a rate of its own, the later ones drawn thinner.
    """
    figure, (left, right) = day_panels()
    for found, name, how, width in (
        (before, f"before: {called(before.tariff)}", {"color": INK, "linestyle": "--"}, 1.5),
        (after, "after: the tariff found", {"color": VERMILION}, 2.0),
    ):
        if found is not None:
            chance = found.economy.common.probability
            draw_steps(left, chance @ found.net_load_kw, label=name, linewidth=width, **how)
            of_class = [f", {one.name}" for one in found.tariff.classes] or [""]
            for place, (rates, whose) in enumerate(zip(found.rates.of_classes, of_class, strict=True)):
                rate = np.broadcast_to(rates.import_usd_per_kwh, found.net_load_kw.shape)
                draw_steps(right, chance @ rate, label=f"{name}{whose}", linewidth=width / (1 + place), **how)
    left.set_title("net load [kW per household]", loc="left")
    right.set_title("import rate [USD/kWh]", loc="left")
    for panel in (left, right):
        panel.legend(frameon=False, fontsize=8)
    return figure
