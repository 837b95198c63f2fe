"""Figures of a validation study, one panel each, legible on a phone and from the last row of a lecture hall.

Lines differ in colour (Okabe, Ito), dashes and markers.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from meanwatt.analysis.figures.inline import BLUE, GREEN, INK, ORANGE, VERMILION
from meanwatt.analysis.validation.result import Validation
from meanwatt.analysis.validation.scaling import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE: Final = (5.4, 4.1)
TEXT: Final = 13


def figures(checks: Validation) -> dict[str, tuple["Figure", str]]:
    """Name → figure and what it shows, in one sentence for those who cannot see it."""
    found = {"load": _load(checks)}
    if checks.wasserstein is not None:
        found["state"] = _state(checks)
    if checks.exploit is not None:
        found["exploitability"] = _exploitability(checks)
        if len(checks.exploit.cooled) > 1:
            found["temperature"] = _temperature(checks)
    if checks.learners is not None:
        found["emergence"] = _emergence(checks)
    if checks.leader is not None:
        found["leader"] = _leader(checks)
    if checks.grid is not None:
        found["grid"] = _grid(checks)
    if checks.memory:
        found["memory"] = _memory(checks)
    return found


def _panel(xlabel: str, ylabel: str) -> tuple["Figure", Any]:
    from meanwatt.analysis.figures.shown import ShownFigure

    figure = ShownFigure(figsize=SIZE, layout="constrained")
    panel: Any = figure.subplots()
    figure.patch.set_alpha(0)
    panel.patch.set_alpha(0)
    panel.set_xlabel(xlabel, fontsize=TEXT, color=INK)
    panel.set_ylabel(ylabel, fontsize=TEXT, color=INK)
    panel.tick_params(labelsize=TEXT - 1, color=INK, labelcolor=INK, which="both")
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color(INK)
    panel.grid(alpha=0.25, color=INK, linewidth=0.6)
    return figure, panel


def _finish(panel: "Axes", **options: Any) -> None:
    panel.legend(fontsize=TEXT - 1, frameon=False, labelcolor=INK, **options)


def _loglog(panel: Any, numbers: Sequence[float]) -> None:
    from matplotlib.ticker import FixedLocator, LogLocator, NullFormatter, NullLocator, StrMethodFormatter

    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.xaxis.set_minor_formatter(NullFormatter())
    if max(numbers) <= 30 * min(numbers):
        panel.xaxis.set_major_locator(FixedLocator(sorted(set(numbers))))
        panel.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        panel.xaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_minor_formatter(NullFormatter())
    panel.yaxis.set_major_locator(LogLocator(numticks=7))


def _bars(
    panel: Any, numbers: Sequence[float], found: Sequence[Interval], *, label: str, color: str, marker: str = "o"
) -> None:
    value = np.array([one.value for one in found], dtype=float)
    low = np.array([one.value if one.low is None else one.low for one in found], dtype=float)
    high = np.array([one.value if one.high is None else one.high for one in found], dtype=float)
    error = np.maximum(np.array([value - low, high - value]), 0.0)
    panel.errorbar(
        numbers, value, yerr=error, fmt=marker, color=color, ecolor=color, markersize=7, capsize=4, label=label
    )


def _load(checks: Validation) -> tuple["Figure", str]:
    figure, panel = _panel("households N", "RMS error of the net load, kW")
    _bars(panel, checks.households, checks.load.rms, label="measured, 95 %", color=BLUE)
    panel.plot(checks.households, checks.expected_scatter_kw, color=VERMILION, lw=2, label="independent households")
    rounding = np.array(checks.composition_error_kw)
    shown = rounding > 1e-3 * np.array(checks.expected_scatter_kw)
    if shown.any():
        numbers = np.array(checks.households)[shown]
        panel.plot(numbers, rounding[shown], color=GREEN, ls=":", marker="s", lw=2, label="rounding of the types")
    _loglog(panel, checks.households)
    _finish(panel)
    slope = checks.scatter.slope.value
    text = "" if slope is None else f" Without rounding it falls as N to the power {slope:.3f}."
    return figure, f"Error of the net load over the number of households, beside what independence predicts.{text}"


def _state(checks: Validation) -> tuple["Figure", str]:
    assert checks.wasserstein is not None
    figure, panel = _panel("households N", "Wasserstein-1 distance, kWh")
    _bars(panel, checks.wasserstein_households, checks.wasserstein.mean, label="measured, 95 %", color=BLUE)
    expected = [value for value in checks.expected_wasserstein_kwh if value is not None]
    panel.plot(checks.wasserstein_households, expected, color=VERMILION, lw=2, label="independent households")
    _loglog(panel, checks.households)
    _finish(panel)
    return figure, "Distance between the states of charge at midnight and the mean-field law, over households."


def _exploitability(checks: Validation) -> tuple["Figure", str]:
    found = checks.exploit
    assert found is not None
    figure, panel = _panel("households N", "|εₙ − ε∞|, USD/household-day")
    curves = (
        ("own supply curve", found.tail, found.tail_error, BLUE, "o", "-", -1.0),
        ("kink at the peak load", found.kinked, found.kinked_error, ORANGE, "s", "--", -0.5),
    )
    for label, numbers, errors, color, marker, dashes, law in curves:
        size = np.abs(np.array(errors))
        if (size > 0).all():
            panel.plot(numbers, size, color=color, marker=marker, ls="none", ms=8, label=label)
            guide = size[-1] * (np.array(numbers) / numbers[-1]) ** law
            panel.plot(numbers, guide, color=color, ls=dashes, lw=2, label=f"N to the power {law:g}")
    _loglog(panel, [*found.tail, *found.kinked])
    _finish(panel)
    return figure, (
        f"Distance of the exploitability to its limit under tariff {found.tariff}: it falls as 1/N on the scenario's"
        " supply curve, and about as the root of 1/N where the curve has a kink at the peak load."
    )


def _temperature(checks: Validation) -> tuple["Figure", str]:
    found = checks.exploit
    assert found is not None
    figure, panel = _panel("temperature η, USD", "USD/household-day")
    value = np.array([np.nan if one is None else one for one in found.cooled])
    panel.plot(found.temperature_usd, found.bound, color=VERMILION, ls="--", lw=2, label="bound η·T·Σ w ln|A|")
    panel.plot(found.temperature_usd, value, color=BLUE, marker="o", ms=7, lw=2, label="ε∞")
    _loglog(panel, found.temperature_usd)
    _finish(panel)
    return figure, "Exploitability in the continuum and its bound, both vanishing with the temperature."


def _emergence(checks: Validation) -> tuple["Figure", str]:
    found = checks.learners
    assert found is not None
    figure, panel = _panel("day", "RMS distance to equilibrium, USD/kWh")
    days = np.arange(found.days)
    panel.plot(days, found.price_error, color=ORANGE, lw=1.4, label="prices that learners make")
    panel.plot(days, found.given_error, color=GREEN, ls=":", lw=1.8, label="prices of given households")
    panel.plot(days, found.belief_error, color=BLUE, ls="--", lw=2.4, label="beliefs of learners")
    panel.set_yscale("log")
    _finish(panel)
    return figure, (
        f"Beliefs and realised prices of {found.households:,} learners over {found.days} days, beside the prices of"
        " households that are given the equilibrium."
    )


def _leader(checks: Validation) -> tuple["Figure", str]:
    found = checks.leader
    assert found is not None
    figure, panel = _panel("USD per household-day", "")
    names = [f"loss, N = {count:,}" for count in found.households]
    place = np.arange(len(names))
    value = np.array([one.value for one in found.loss], dtype=float)
    low, high = (
        np.array([getattr(one, end) if one.low is not None else one.value for one in found.loss], dtype=float)
        for end in ("low", "high")
    )
    panel.errorbar(
        value, place, xerr=np.maximum([value - low, high - value], 0.0), fmt="o", color=BLUE, ms=8, capsize=5, lw=2
    )
    panel.plot(found.gain, len(names), marker="D", color=VERMILION, ms=9, ls="none")
    panel.axvline(0.0, color=INK, lw=1)
    for at, loss in zip(place, value, strict=True):
        panel.annotate(f"{loss:.1g}", (loss, at), (10, 8), textcoords="offset points", fontsize=TEXT - 1, color=INK)
    panel.set_yticks([*place, len(names)], [*names, "gain over the\ntariff in force"])
    panel.set_ylim(len(names) + 0.5, -0.5)
    panel.locator_params(axis="x", nbins=5)
    return figure, "The leader's loss in markets of N households, with 95 % intervals, beside its gain from designing."


def _grid(checks: Validation) -> tuple["Figure", str]:
    assert checks.grid is not None
    figure, panel = _panel("households N", "RMS error over that at the smallest N")
    curves: tuple[tuple[str, str, npt.NDArray[np.float64]], ...] = tuple(
        (name, color, np.array([one.value for one in getattr(checks.grid, field).rms], dtype=float))
        for name, field, color in (
            ("voltages", "voltage", BLUE),
            ("highest loading", "loading", ORANGE),
            ("losses", "loss", GREEN),
        )
    )
    for (name, color, value), marker, dashes in zip(curves, "osD", ("-", "--", ":"), strict=True):
        if value[0] > 0:
            panel.plot(checks.households, value / value[0], color=color, marker=marker, ls=dashes, lw=2, label=name)
    numbers = np.array(checks.households, dtype=float)
    panel.plot(numbers, (numbers / numbers[0]) ** -0.5, color=INK, lw=1, label="N to the power −0.5")
    _loglog(panel, checks.households)
    _finish(panel)
    return figure, "Errors of voltages, highest loading and losses of the market's feeder, all falling with N."


def _memory(checks: Validation) -> tuple["Figure", str]:
    figure, panel = _panel("households N", "√N · RMS, kW")
    root = np.sqrt(np.array(checks.households, dtype=float))
    styles = ((BLUE, "o", "-"), (ORANGE, "s", "--"), (GREEN, "D", ":"))
    for m, (color, marker, dashes) in zip(checks.memory, styles, strict=False):
        value = np.array([one.value for one in m.scatter.rms], dtype=float)
        panel.plot(
            checks.households, root * value, color=color, marker=marker, ls=dashes, lw=2, label=f"m = {m.memory}"
        )
    expected = np.array(checks.memory[-1].expected_kw)
    panel.plot(checks.households, root * expected, color=INK, lw=1, label="independent")
    panel.set_xscale("log")
    panel.set_ylim(bottom=0)
    _finish(panel)
    return figure, "The net load error times the root of N: flat where the memory suffices, rising above a floor."
