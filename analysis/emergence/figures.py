"""What learners come to: errors and exploitability day by day, and the last days' prices hour by hour."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.emergence.emergence import Emergence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS: Final = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
TARGET, NOISE = "#000000", "#777777"
PANELS: Final = (
    ("belief_error_usd_per_kwh", "belief error [USD/kWh]"),
    ("price_error_usd_per_kwh", "realised-price error [USD/kWh]"),
    ("exploitability_usd_per_household_day", "exploitability [USD/household-day]"),
)
SMOOTH_DAYS: Final = 7
NEGLIGIBLE_USD: Final = 1e-6
"""An exploitability this small is none, and has no place on a logarithmic axis."""
REALISED, BELIEVED = "#d55e00", "#0072b2"
SHOWN_DAYS: Final = 10
"""Days whose prices are drawn hour by hour."""


def emergence_figure(runs: Sequence[Emergence], title: str) -> "Figure":
    """Draw belief error, realised-price error and exploitability of populations over days, on logarithmic axes.

    Faint lines are days, strong ones root mean squares of a week. The dashed grey line is the noise of a market of the
    same size that plays the equilibrium; the dashed black one the exploitability of the equilibrium.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 6.4))
    panels: Any = figure.subplots(1, len(PANELS))
    for panel, (name, label) in zip(panels, PANELS, strict=True):
        for run, colour in zip(runs, COLOURS * len(runs), strict=False):
            _line(panel, getattr(run, name), colour, run.behaviour)
        panel.set_yscale("log")
        panel.set_xlabel("day", fontsize=16)
        panel.set_title(label, fontsize=16, loc="left")
        panel.tick_params(labelsize=13)
        panel.spines[["top", "right"]].set_visible(False)
    if runs:
        noise = runs[0].floor_error_usd_per_kwh
        panels[1].plot(np.arange(len(noise)), _smooth(noise), color=NOISE, linestyle="--", linewidth=2)
        panels[1].annotate(
            "noise of this market size",
            (1, 0),
            xycoords="axes fraction",
            xytext=(-4, 6),
            textcoords="offset points",
            ha="right",
            color=NOISE,
            fontsize=13,
        )
        limit = runs[0].limit_usd_per_household_day
        if limit > NEGLIGIBLE_USD:
            panels[2].axhline(limit, color=TARGET, linestyle="--", linewidth=2)
        panels[2].annotate(
            "the equilibrium itself" if limit > NEGLIGIBLE_USD else "the equilibrium itself: 0",
            (1, limit) if limit > NEGLIGIBLE_USD else (1, 0),
            xycoords=("axes fraction", "data" if limit > NEGLIGIBLE_USD else "axes fraction"),
            xytext=(-4, 6),
            textcoords="offset points",
            ha="right",
            fontsize=13,
        )
        for panel, (name, _) in zip(panels, PANELS, strict=True):
            if not any(np.isfinite(getattr(run, name)).any() for run in runs):
                panel.annotate(
                    "nobody believes anything", (0.5, 0.5), xycoords="axes fraction", ha="center", fontsize=14
                )
    handles, labels = panels[1].get_legend_handles_labels()
    figure.suptitle(title, fontsize=20, y=0.985)
    figure.legend(handles, labels, loc="lower center", ncols=min(3, max(1, len(runs))), fontsize=14, frameon=False)
    figure.subplots_adjust(left=0.06, right=0.985, top=0.84, bottom=0.2 + 0.045 * ((len(runs) - 1) // 3), wspace=0.22)
    return figure


def last_days_figure(runs: Sequence[Emergence], title: str) -> "Figure":
    """Draw the realised prices of each population's last days by the hour, beside its belief and the equilibrium.

    The days drawn are the last ones in the last day's common state.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 5.8))
    panels: Any = np.atleast_1d(figure.subplots(1, max(1, len(runs)), sharey=True))
    for panel, run in zip(panels, runs, strict=False):
        c = run.common_state[-1]
        days = np.flatnonzero(run.common_state == c)[-SHOWN_DAYS:]
        hours = np.linspace(0, 24, run.wholesale_usd_per_kwh.shape[1] + 1)
        for k, day in enumerate(days):
            label = f"realised on the last {len(days)} days" if k == 0 else None
            _hourly(panel, hours, run.wholesale_usd_per_kwh[day], REALISED, 1.4, label=label, alpha=0.55)
        if np.isfinite(run.believed_usd_per_kwh[days[-1]]).all():
            _hourly(panel, hours, run.believed_usd_per_kwh[days[-1]], BELIEVED, 3.5, label="believed")
        target = run.target.wholesale_usd_per_kwh[int(c)]
        _hourly(panel, hours, target, TARGET, 2.5, label="equilibrium", linestyle=":")
        panel.set_title(run.behaviour, fontsize=15)
        panel.set_xlabel("hour", fontsize=16)
        panel.set_xlim(0, 24)
        panel.set_xticks(range(0, 25, 6))
        panel.tick_params(labelsize=13)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("wholesale price [USD/kWh]", fontsize=16)
    found = {
        label: handle for panel in panels for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    figure.suptitle(title, fontsize=20, y=0.985)
    figure.legend(list(found.values()), list(found), loc="lower center", ncols=3, fontsize=14, frameon=False)
    figure.subplots_adjust(left=0.065, right=0.985, top=0.84, bottom=0.22, wspace=0.08)
    return figure


def _line(panel: Any, values: Floats, colour: str, label: str) -> None:
    days = np.flatnonzero(np.isfinite(values))
    if not days.size:
        panel.plot([], [], color=colour, linewidth=3, label=label)
        return
    if days.size < len(values):
        panel.plot(days, values[days], color=colour, linewidth=3, marker="o", markersize=5, label=label)
        return
    panel.plot(days, values, color=colour, linewidth=0.8, alpha=0.35)
    panel.plot(days, _smooth(values), color=colour, linewidth=3, label=label)


def _hourly(panel: Any, hours: Floats, values: Floats, colour: str, width: float, **style: Any) -> None:
    """Draw a price of each slot as steps over the whole day."""
    panel.step(hours, np.append(values, values[-1]), where="post", color=colour, linewidth=width, **style)


def _smooth(values: Floats) -> Floats:
    """Root mean square over the week up to each day."""
    squares = np.cumsum(np.concatenate([[0.0], values**2]))
    last = np.arange(1, len(values) + 1)
    first = np.maximum(last - SMOOTH_DAYS, 0)
    return np.asarray(np.sqrt((squares[last] - squares[first]) / (last - first)))
