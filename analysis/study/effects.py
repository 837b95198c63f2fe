"""What a study shows: how the numbers that it measured move with what was varied."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from meanwatt.analysis.study.measure import FAILED, REFUSED

NUMBERS: Final = {
    "welfare_usd_per_household_day": "welfare [USD per household-day]",
    "burden_gap": "burden gap, lowest less highest income",
    "imv": "incremental mean volatility, IMV [USD/kWh]",
    "peak_to_average": "peak to average of net load",
    "rms_net_load_kw": "distance to the mean field, net load [kW]",
    "wasserstein_soc_kwh": "distance to the mean field, state of charge [kWh]",
}
"""Columns that are drawn, of those that a study has, and what they are called."""
LINES: Final = 6
"""Most values of a key that are told apart by lines."""
HOUSEHOLDS: Final = "households"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a study's rows are laid out for the eye.

    Attributes
    ----------
    along
        Column along the axis.
    lines
        Column whose values are lines of their own; None if there is one line.
    pooled
        Columns that vary as well, and that a point takes together.
    """

    along: str
    lines: str | None
    pooled: tuple[str, ...]


def solved_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Rows with numbers: neither refused nor failed."""
    return table[~table["outcome"].isin([REFUSED, FAILED])]


def numbers_of(table: pd.DataFrame) -> tuple[str, ...]:
    """Columns of `NUMBERS` that a table holds numbers in."""
    return tuple(name for name in NUMBERS if name in table and table[name].notna().any())


def layout_of(table: pd.DataFrame, keys: Sequence[str]) -> Layout:
    """Choose axis and lines: the axis is the key of numbers with most values, lines the next one with few values.

    Parameters
    ----------
    table
        Rows of a study.
    keys
        Scenario keys that it varies; the number of households is one more where it varies.
    """
    counts = {key: table[key].nunique() for key in (*keys, HOUSEHOLDS, "point")}
    still = HOUSEHOLDS if counts[HOUSEHOLDS] else "point"
    varied = [key for key in (*keys, HOUSEHOLDS) if counts[key] > 1] or [*keys, still][:1]
    along = max(varied, key=lambda key: (pd.api.types.is_numeric_dtype(table[key]), counts[key]))
    others = [key for key in varied if key != along]
    few = [key for key in others if counts[key] <= LINES]
    lines = min(few, key=lambda key: (pd.api.types.is_numeric_dtype(table[key]), counts[key])) if few else None
    return Layout(along=along, lines=lines, pooled=tuple(key for key in others if key != lines))


def effects(table: pd.DataFrame, layout: Layout, number: str) -> pd.DataFrame:
    """Mean, lowest and highest value of one number at every place of the axis, line by line.

    Returns
    -------
    DataFrame
        Columns ``line`` (text; empty if there is one line), ``at``, ``mean``, ``low``, ``high``, ``rows``; places where
        the number is undefined are left out.
    """
    known = table[table[number].notna()]
    lines = known[layout.lines].map(shown) if layout.lines else pd.Series("", index=known.index)
    grouped = known.groupby([lines.rename("line"), known[layout.along].rename("at")], sort=False)[number]
    found = grouped.agg(["mean", "min", "max", "count"]).reset_index()
    found.columns = pd.Index(["line", "at", "mean", "low", "high", "rows"])
    if not pd.api.types.is_numeric_dtype(table[layout.along]):  # in the order of the study's file
        order = {value: place for place, value in enumerate(table[layout.along].unique())}
        return found.sort_values(
            ["line", "at"], key=lambda column: column.map(order) if column.name == "at" else column
        )
    return found.sort_values(["line", "at"])


def shown(value: Any) -> str:
    """A value of a key as it is written in a table."""
    if isinstance(value, float | np.floating):
        return f"{value:g}"
    return f"{value:,}" if isinstance(value, int | np.integer) and not isinstance(value, bool) else str(value)
