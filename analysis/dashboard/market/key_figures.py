"""The key figures of the market page: the mean field's, the market's so far, and how they moved from the baseline."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from meanwatt.analysis.dashboard.market.baseline import Baseline
from meanwatt.analysis.dashboard.market.history import History
from meanwatt.analysis.dashboard.market.noise import day_to_day_noise
from meanwatt.analysis.dashboard.shared.compared import Aim, Compared, Figure, compared_values
from meanwatt.analysis.dashboard.shared.figures import ANCHORS, FIGURES, number, recovered
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.solution import Benchmark, Solution
from meanwatt.analysis.metrics.equity import burden_gap
from meanwatt.analysis.metrics.stability import peak_to_average, realised_imv
from meanwatt.model.scenario.economy import DAYS_PER_MONTH

SEEN_KW = 5e-5
"""Curtailed solar output from here on is a number on the page. [kW per home]"""

NO_CLEAR_CHANGE = "no clear change"
"""Of a number that moves by less than the market's own days of one weather differ."""
AS_FAR = "as far from 0"
"""Of a number that is best at zero and has passed over it, and is neither better nor worse."""


def _figure(
    key: str,
    digits: int,
    value: Callable[[Solution], float | None],
    aim: Aim = "less",
    words: tuple[str, str] = ("better", "worse"),
) -> Figure[Solution]:
    label, unit, _ = FIGURES[key]
    return Figure(key=key, label=label, unit=unit, digits=digits, aim=aim, value=value, better=words[0], worse=words[1])


EFFICIENCY = _figure("efficiency", 3, lambda solution: -solution.metrics.welfare_usd_per_household_day)
"""The efficiency gap, but for the welfare of the first best."""
NUMBERS = (
    _figure("gap", 2, lambda solution: 100 * solution.metrics.burden_gap),
    _figure("imv", 4, lambda solution: solution.metrics.imv),
    _figure("peak", 2, lambda solution: solution.metrics.peak_to_average),
    _figure(
        "surplus",
        2,
        lambda solution: solution.metrics.surplus_usd_per_household_day,
        "zero",
        ("nearer 0", "further from 0"),
    ),
    _figure("volts", 3, lambda solution: float(np.nanmin(solution.voltage_pu)), "more"),
)
"""The key numbers that a solution holds, in the order of the page; the efficiency gap goes before them."""
SIX = (EFFICIENCY, *NUMBERS)
"""What every tariff has."""
CURTAILED = _figure("curtailed", 2, lambda solution: solution.equilibrium.curtailed_kwh_per_household_day)


def curtails(solution: Solution) -> bool:
    """Whether the homes curtail in any weather; where the mean field does not, no home of the market does."""
    return bool(solution.expected.curtailed_kw.max() >= SEEN_KW)


def efficiency_gap(welfare: float, benchmark: Benchmark | None) -> float | None:
    """Welfare lost against the first best; None where that is not known. [USD per household-day]"""
    best = None if benchmark is None else benchmark.welfare_usd_per_household_day
    return None if best is None else max(best - welfare, 0.0)


def key_numbers(
    now: Solution, benchmark: Benchmark | None, before: Solution | None = None
) -> tuple[Compared[Solution], ...]:
    """Key numbers of the mean field, ``a`` before and ``b`` now.

    Parameters
    ----------
    benchmark
        The first best of the town; None while it is not known.
    before
        What they are told against; None if nothing.
    """
    shown = (*NUMBERS, CURTAILED) if curtails(now) else NUMBERS
    rest = (
        compared_values(figure, None if before is None else figure.value(before), figure.value(now)) for figure in shown
    )
    return (_efficiency(now, benchmark, before), *rest)


def _efficiency(now: Solution, benchmark: Benchmark | None, before: Solution | None) -> Compared[Solution]:
    """The efficiency gap. It moves against a tariff of the same town only: another town has another first best.

    Without the first best the difference is known all the same: it is that of the welfares.
    """
    welfare = now.metrics.welfare_usd_per_household_day
    gap = efficiency_gap(welfare, benchmark)
    if before is None or before.settings.town != now.settings.town:
        return compared_values(EFFICIENCY, None, gap)
    before_welfare = before.metrics.welfare_usd_per_household_day
    if gap is None:
        return replace(compared_values(EFFICIENCY, 0.0, before_welfare - welfare), a=None, b=None)
    return compared_values(EFFICIENCY, efficiency_gap(before_welfare, benchmark), gap)


def metrics_board(
    solution: Solution, history: History, before: Baseline | None, benchmark: Benchmark | None
) -> dict[str, Any]:
    """Write the key figures for the component `metrics`."""
    told = None if before is None else before.apart_from(solution)
    beside = _so_far(solution, history, benchmark)
    numbers = key_numbers(solution, benchmark, told)
    word = "" if before is None or told is None else before.word
    noise = day_to_day_noise(solution, history) if word else {}
    items = [
        {
            **item(
                entry.figure.key,
                *FIGURES[entry.figure.key],
                value=entry.written(entry.b),
                beside=beside.get(entry.figure.key, ""),
            ),
            "move": move(entry, word, noise.get(entry.figure.key)),
        }
        for entry in numbers
    ]
    return {"day": len(history), "items": items}


def move(entry: Compared[Solution], word: str, noise: float | None = None) -> dict[str, str] | None:
    """How a key number moved from the baseline, and whether that is better; None where that is unknown.

    Parameters
    ----------
    word
        What the baseline is called; empty if there is none.
    noise
        How much this number differs between days of the finite market, in its unit; None if that is not known. A move
        below it is no clear change.
    """
    if not word or not entry.kind:
        return None
    same = not entry.difference
    difference = "" if same else entry.written(entry.difference, signed=True)
    unclear = not same and noise is not None and abs(entry.difference or 0) < noise * 10**entry.figure.digits
    verdict = NO_CLEAR_CHANGE if unclear else AS_FAR if entry.kind == "same" and not same else entry.verdict
    way = {"": "unchanged", "▲": f"up {difference}", "▼": f"down {difference}"}[entry.arrow]
    judged = "" if same else f", {verdict},"
    less = (
        "" if not unclear else f": a day of this market differs from the next by {number(noise, entry.figure.digits)}"
    )
    against = "the pinned tariff" if word == "pinned" else "the tariff before"
    return {
        "arrow": entry.arrow,
        "difference": difference,
        "verdict": verdict,
        "kind": "same" if unclear else entry.kind,
        "heard": f"{way}{judged} against {against}{less}",
    }


def item(key: str, label: str, unit: str, text: str = "", *, value: str, beside: str = "") -> dict[str, Any]:
    """One card of the key figures."""
    more = help_link(ANCHORS[key]) if key in ANCHORS else ""
    return {
        "key": key,
        "label": label,
        "value": value,
        "unit": unit,
        "help": text,
        "beside": beside,
        "more": more,
        "move": None,
    }


def _so_far(solution: Solution, history: History, benchmark: Benchmark | None) -> dict[str, str]:
    """What stands small below each number: the market's own, so far or tonight."""
    lost = efficiency_gap(solution.metrics.welfare_usd_per_household_day, benchmark)
    said = {"surplus": recovered(solution), "efficiency": "" if benchmark else "being computed"}
    if lost is not None:
        said["efficiency"] = f"${number(DAYS_PER_MONTH * lost, 2)} a month"
    if not len(history):
        return said
    economy = solution.equilibrium.economy
    price, load = np.array(history.wholesale_usd_per_kwh), np.array(history.net_load_kw)
    gap = burden_gap(history.burdens(economy.group_income_usd_per_year))
    curtailed = float(history.curtailed_kw[-1].sum()) * economy.slot_hours
    return said | {
        "gap": f"so far {number(100 * gap, 2)}",
        "imv": f"so far {number(realised_imv(price), 4)}",
        "peak": f"so far {number(peak_to_average(load), 2)}",
        "volts": f"tonight {number(history.lowest_pu[-1], 3)}",
        "curtailed": f"tonight {number(curtailed, 2)}",
    }
