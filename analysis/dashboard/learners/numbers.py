"""The key numbers of learners, beside the same market at the equilibrium and, of a changed herd, beside the herd."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from meanwatt.analysis.dashboard.learners import words
from meanwatt.analysis.dashboard.learners.run import Run
from meanwatt.analysis.dashboard.learners.sums import CENTS_PER_USD, least, mean, mean_of, sums_of
from meanwatt.analysis.dashboard.shared.figures import number
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.emergence.day_by_day import LearnersDay, MarketDay, last_days


class Row(NamedTuple):
    """One key number of a market's days.

    Attributes
    ----------
    key, label, unit, anchor
        Its name, for programs and for people, and where it is explained.
    digits
        Decimals printed.
    value
        Reads it off the days of a market: the last ones, and all of them.
    """

    key: str
    label: str
    unit: str
    anchor: str
    digits: int
    value: Callable[[Sequence[MarketDay], Sequence[MarketDay]], float]


ROWS: Final = (
    Row(
        "error",
        "Price error",
        words.CENTS,
        "price-error",
        2,
        lambda last, _: CENTS_PER_USD * mean_of(last, "price_error_usd_per_kwh"),
    ),
    Row(
        "move",
        "Price move, day to day",
        words.CENTS,
        "price-move",
        2,
        lambda last, _: CENTS_PER_USD * mean_of(last, "price_move_usd_per_kwh"),
    ),
    Row(
        "imv",
        "Price swing, hour to hour (IMV)",
        words.CENTS,
        "imv",
        2,
        lambda last, _: CENTS_PER_USD * mean_of(last, "imv_usd_per_kwh"),
    ),
    Row("peak", "Highest load of a day", "kW/home", "net-load", 2, lambda last, _: mean_of(last, "net_load_peak_kw")),
    Row(
        "hours",
        "Hours outside voltage limits, all days",
        "h × buses",
        "read-learners-volts",
        0,
        lambda _, days: math.fsum(day.figure("hours_outside_limits") for day in days),
    ),
    Row("volts", "Lowest voltage, all days", "pu", "pu", 3, lambda _, days: least(days, "min_voltage_pu")),
    Row(
        "bill",
        "Mean bill",
        "$/home·day",
        "learner-bill",
        3,
        lambda last, _: mean_of(last, "bill_usd_per_household_day"),
    ),
)


def table(run: Run, herd: Run | None) -> dict[str, Any]:
    """Key numbers, a column for each market."""
    columns = [_halves(run.days, "learners"), _halves(run.days, "floor")]
    heads = ["This market", "All follow the equilibrium"]
    beliefs = [_belief(run.days), math.nan]
    if herd is not None:
        columns.append(_halves(herd.days, "learners"))
        heads.append("The herd")
        beliefs.append(_belief(herd.days))
    rows = [
        _written(
            "belief", "Belief error", words.CENTS, "belief-error", [number(_known(value), 2) for value in beliefs]
        ),
        *(
            _written(
                row.key,
                row.label,
                row.unit,
                row.anchor,
                [number(_known(row.value(*one)), row.digits) for one in columns],
            )
            for row in ROWS
        ),
        *_bills(run, len(heads) - 1),
    ]
    return {
        "title": "Key numbers",
        "help": help_link("read-learners-numbers"),
        "heads": heads,
        "rows": rows,
        "caption": words.table_caption(sums_of(run), run),
        "messages": list(run.messages),
    }


def _halves(days: Sequence[LearnersDay], side: str) -> tuple[list[MarketDay], list[MarketDay]]:
    """The last days of one of the two markets, and all."""
    return [getattr(day, side) for day in last_days(days)], [getattr(day, side) for day in days]


def _belief(days: Sequence[LearnersDay]) -> float:
    """Mean belief error over the last days. [cents/kWh]"""
    return CENTS_PER_USD * mean(day.belief_error_usd_per_kwh for day in last_days(days))


def _bills(run: Run, others: int) -> list[dict[str, Any]]:
    """Mean bill of each behaviour where there are several; every kind of home has the same share in all of them."""
    last = last_days(run.days)
    names = last[-1].bill_usd_per_household_day
    if len(names) < 2:
        return []
    return [
        _written(
            f"bill-{name}",
            words.bill_label(name),
            "$/home·day",
            "learner-bill",
            [number(mean(day.bill_usd_per_household_day[name] for day in last), 3), *[""] * others],
        )
        for name in names
    ]


def _written(key: str, label: str, unit: str, anchor: str, values: list[str]) -> dict[str, Any]:
    return {"key": key, "label": label, "unit": unit, "help": help_link(anchor), "values": values}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
