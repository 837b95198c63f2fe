"""The figure of adoption: who owns solar and storage, and what recovers the cost, over the years."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.analysis.adoption.adoption import Adoption
from meanwatt.analysis.figures.inline import BLUE, GREEN, INK, ORANGE, VERMILION
from meanwatt.model.mean_field.equilibrium import Outcome

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE: Final = (10.0, 4.2)
COLORS: Final = (BLUE, VERMILION, GREEN, ORANGE, INK)


def adoption_figure(done: Adoption) -> "Figure":
    """Draw shares by income group (left), and the adder, fixed charge or surplus (right), over the years."""
    from meanwatt.analysis.figures.shown import ShownFigure

    figure = ShownFigure(figsize=SIZE, layout="constrained")
    left, right = figure.subplots(1, 2)
    draw_shares(done, left)
    draw_recovery(done, right)
    return figure


def draw_shares(done: Adoption, panel: Any) -> None:
    """Share of each income group with solar (solid), a home battery (dashed), a rate class that it chose (dotted)."""
    homes = done.homes
    shares = np.array([one.share for one in done.path])
    for group, name in enumerate(homes.economy.groups):
        color = COLORS[group % len(COLORS)]
        panel.plot(100 * shares[:, group, homes.solar].sum(axis=1), color=color, linewidth=2, label=f"{name}, solar")
        battery = 100 * shares[:, group, homes.storage].sum(axis=1)
        if battery.any():
            panel.plot(battery, color=color, linestyle="--", label=f"{name}, battery")
        if homes.chosen.any():
            opted = 100 * shares[:, group, homes.chosen].sum(axis=1)
            panel.plot(opted, color=color, linestyle=":", linewidth=2, label=f"{name}, rate class")
    _finish(done, panel, "homes of an income group that own it [%]")
    panel.set_ylim(bottom=0)
    panel.legend(frameon=False, fontsize=8, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.16))


def draw_recovery(done: Adoption, panel: Any) -> None:
    """What balances the utility's books, or how they stand where nothing does."""
    known = [one for one in done.path if one.outcome is Outcome.CONVERGED]
    recovery = done.path[0].recovery
    if recovery is Recovery.VOLUMETRIC:
        panel.plot([one.adder_usd_per_kwh for one in known], color=INK, linewidth=2, label="adder on every kWh")
        title = "volumetric adder [USD/kWh]"
    elif recovery is Recovery.FIXED:
        for place, name in enumerate(done.homes.economy.groups):
            charges = [(one.fixed_charge_usd_per_day or {}).get(name) for one in known]
            style = ("-", "--", "-.", ":")[place % 4]  # they may lie on each other
            panel.plot(charges, color=COLORS[place % len(COLORS)], linewidth=2, linestyle=style, label=name)
        title = "fixed charge [USD/day]"
    else:
        surplus = [one.surplus_usd_per_household_day for one in known]
        panel.plot(surplus, color=INK, linewidth=2, label="revenue less cost")
        title = "utility's surplus [USD per household-day]"
    _finish(done, panel, title)


def _finish(done: Adoption, panel: Any, title: str) -> None:
    from matplotlib.ticker import MaxNLocator

    if done.path and done.path[-1].outcome is Outcome.NO_ADEQUATE_TARIFF:
        panel.axvline(len(done.path) - 1, color=VERMILION, linestyle=":", label="no tariff covers the cost")
    panel.set_title(title, loc="left", fontsize=10)
    panel.set_xlabel("year")
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(axis="y", alpha=0.25)
    panel.legend(frameon=False, fontsize=8)
