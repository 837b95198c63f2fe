"""Changes of bills between two tariffs: how they are distributed, who wins and loses, and what it does to equity."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints, read_only, require_finite, require_shape
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.analysis.metrics.equity import DAYS_PER_YEAR, burden, gini, lorenz_curve, share_above, suits_index
from meanwatt.analysis.metrics.metrics import HIGH_BURDEN, SEVERE_BURDEN

UNCHANGED_USD: Final = 0.005
"""A bill whose change over the year is smaller is neither won nor lost: it is no whole cent. [USD/yr]"""
PERCENT: Final = (5, 10, 20)
"""Changes, in percent of the bill before, whose shares are told."""
DECILES: Final = 10
PERCENTILES: Final = (5, 25, 50, 75, 95)
LORENZ_POINTS: Final = 21
"""Points of a Lorenz curve, at even shares of the customers."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Customers:
    """Who is billed. All weigh alike.

    Parameters
    ----------
    incomes, technologies
        Names of the income groups and of what customers own.
    income_index, technology_index : (customer,)
        Which of these each customer has.
    income_usd_per_year : (customer,) or None
        Income; None where it is not known. [USD/yr]
    bought_kwh_per_year : (customer,)
        What the meter sold under the tariff in force. [kWh/yr]

    Raises
    ------
    ValueError
        If shapes disagree, or a number is not finite.
    """

    __repr__ = short_repr

    incomes: tuple[str, ...]
    technologies: tuple[str, ...]
    income_index: Ints
    technology_index: Ints
    income_usd_per_year: Floats | None
    bought_kwh_per_year: Floats

    def __post_init__(self) -> None:
        """Check, and keep read-only copies."""
        shape = self.bought_kwh_per_year.shape
        object.__setattr__(self, "bought_kwh_per_year", read_only(self.bought_kwh_per_year))
        require_finite("bought_kwh_per_year", self.bought_kwh_per_year)
        for name in ("income_index", "technology_index", "income_usd_per_year"):
            values = getattr(self, name)
            if values is not None:
                require_shape(name, values, shape, "(customer,)")

    @property
    def count(self) -> int:
        """How many."""
        return len(self.bought_kwh_per_year)

    @property
    def decile(self) -> Ints:
        """Tenth of the customers by what they buy, 1 to 10; those who buy alike are in one. (customer,)"""
        return decile_of(self.bought_kwh_per_year)


def decile_of(values: Floats) -> Ints:
    """Tenth, 1 to 10, that each value is in: one more than the inner deciles below it."""
    edges = np.quantile(values, np.arange(1, DECILES) / DECILES)
    return np.asarray(1 + np.searchsorted(edges, values, side="left"))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BillChanges:
    """Bills of the same customers under two tariffs, net of what feeding in earns.

    Parameters
    ----------
    before_usd_per_year, after_usd_per_year : (customer,)
        Under the tariff in force, A, and under the new one, B. [USD/yr]
    """

    __repr__ = short_repr

    customers: Customers
    before_usd_per_year: Floats
    after_usd_per_year: Floats

    def __post_init__(self) -> None:
        """Check, and keep read-only copies."""
        for name in ("before_usd_per_year", "after_usd_per_year"):
            values = read_only(getattr(self, name))
            require_shape(name, values, (self.customers.count,), "(customer,)")
            require_finite(name, values)
            object.__setattr__(self, name, values)

    @property
    def change_usd_per_year(self) -> Floats:
        """After less before; negative is a gain. (customer,) [USD/yr]"""
        return np.asarray(self.after_usd_per_year - self.before_usd_per_year)

    @property
    def wins(self) -> Bools:
        """Who pays less. (customer,)"""
        return np.asarray(self.change_usd_per_year <= -UNCHANGED_USD)

    @property
    def loses(self) -> Bools:
        """Who pays more. (customer,)"""
        return np.asarray(self.change_usd_per_year >= UNCHANGED_USD)

    @property
    def has_percentage(self) -> Bools:
        """Whose bill before is above 0, so that its change is a share of it. (customer,)"""
        return np.asarray(self.before_usd_per_year > 0)


def changes_json(found: BillChanges) -> dict[str, Any]:
    """The distribution of changes, groups, revenue, Lorenz curves, Gini, Suits, and burdens that cross a line.

    Keys without a suffix are of the tariff B where a quantity has one value for each tariff, as ``suits`` and
    ``suits_a``. Revenue is the sum of all customers' bills over a year.
    """
    customers, before, after = found.customers, found.before_usd_per_year, found.after_usd_per_year
    change = found.change_usd_per_year
    return {
        "customers": customers.count,
        "change_usd_per_year": {
            "mean": float(change.mean()),
            **{f"p{p}": float(value) for p, value in zip(PERCENTILES, np.percentile(change, PERCENTILES), strict=True)},
            "least": float(change.min()),
            "most": float(change.max()),
        },
        "winners_share": float(found.wins.mean()),
        "losers_share": float(found.loses.mean()),
        "above": [_above(found, percent) for percent in PERCENT],
        "without_percentage_share": float(1 - found.has_percentage.mean()),
        "revenue": {"a": float(before.sum()), "b": float(after.sum())},
        "groups": _groups(found, by_income=True, by_technology=True, by_decile=True),
        "by_income_and_technology": _groups(found, by_income=True, by_technology=True),
        "by_income": _groups(found, by_income=True),
        "by_technology": _groups(found, by_technology=True),
        "by_usage_decile": _groups(found, by_decile=True),
        "lorenz": _lorenz(before, after),
        "gini": gini(after),
        "gini_a": gini(before),
        "suits": _suits(customers, after),
        "suits_a": _suits(customers, before),
        "burden": [_burden(found, line) for line in (HIGH_BURDEN, SEVERE_BURDEN)],
    }


def difference_json(without: BillChanges, with_response: BillChanges) -> dict[str, Any]:
    """What the response does to the changes: those with it less those without it, customer by customer."""
    gap = with_response.change_usd_per_year - without.change_usd_per_year
    turned = (without.wins & with_response.loses) | (without.loses & with_response.wins)
    other = (without.wins != with_response.wins) | (without.loses != with_response.loses)
    return {
        "mean_usd_per_year": float(gap.mean()),
        "rms_usd_per_year": float(np.sqrt((gap**2).mean())),
        **{
            f"p{p}_usd_per_year": float(value)
            for p, value in zip(PERCENTILES, np.percentile(gap, PERCENTILES), strict=True)
        },
        "turned_share": float(turned.mean()),
        "other_side_share": float(other.mean()),
        "winners_share": float(with_response.wins.mean() - without.wins.mean()),
        "revenue": float(with_response.after_usd_per_year.sum() - without.after_usd_per_year.sum()),
        "groups": [
            {"income": one["income"], "technology": one["technology"], "customers": one["customers"]}
            | {"mean_change_usd_per_year": other["mean_change_usd_per_year"] - one["mean_change_usd_per_year"]}
            for one, other in zip(
                _groups(without, by_income=True, by_technology=True),
                _groups(with_response, by_income=True, by_technology=True),
                strict=True,
            )
        ],
    }


def _above(found: BillChanges, percent: int) -> dict[str, Any]:
    """Share of all customers whose bill rises, and falls, by more than a percentage of the bill before."""
    line = percent / 100 * found.before_usd_per_year
    change, counts = found.change_usd_per_year, found.has_percentage
    return {
        "percent": percent,
        "rises_share": float((counts & (change > line)).mean()),
        "falls_share": float((counts & (change < -line)).mean()),
    }


def _groups(
    found: BillChanges, *, by_income: bool = False, by_technology: bool = False, by_decile: bool = False
) -> list[dict[str, Any]]:
    """A row for each group that has customers; None where a group is not told apart by something."""
    customers = found.customers
    nothing = np.zeros(customers.count, dtype=np.int64)
    parts = (
        customers.income_index if by_income else nothing,
        customers.technology_index if by_technology else nothing,
        customers.decile if by_decile else nothing,
    )
    kinds = (len(customers.incomes), len(customers.technologies), DECILES + 1)
    cell = np.ravel_multi_index(parts, kinds)
    cells = int(np.prod(kinds))
    count = np.bincount(cell, minlength=cells)
    sums = {
        name: np.bincount(cell, weights=values.astype(float), minlength=cells)
        for name, values in (
            ("change", found.change_usd_per_year),
            ("before", found.before_usd_per_year),
            ("after", found.after_usd_per_year),
            ("bought", customers.bought_kwh_per_year),
            ("wins", found.wins),
            ("loses", found.loses),
        )
    }
    rows = []
    for place in np.flatnonzero(count).tolist():
        income, technology, decile = (int(part) for part in np.unravel_index(place, kinds))
        mean = {name: float(values[place]) / int(count[place]) for name, values in sums.items()}
        rows.append(
            {
                "income": customers.incomes[income] if by_income else None,
                "technology": customers.technologies[technology] if by_technology else None,
                "usage_decile": decile if by_decile else None,
                "customers": int(count[place]),
                "mean_bought_kwh_per_year": mean["bought"],
                "mean_bill_a_usd_per_year": mean["before"],
                "mean_bill_b_usd_per_year": mean["after"],
                "mean_change_usd_per_year": mean["change"],
                "winners_share": mean["wins"],
                "losers_share": mean["loses"],
            }
        )
    return rows


def _lorenz(before: Floats, after: Floats) -> list[dict[str, Any]]:
    """Share of all bills that a share of the customers pays, from the smallest bill to the largest."""
    at = np.linspace(0.0, 1.0, LORENZ_POINTS)
    rows = [_curve(before, at), _curve(after, at)]
    return [
        {"population_share": float(x), "bill_share_a": a, "bill_share_b": b} for x, a, b in zip(at, *rows, strict=True)
    ]


def _curve(bills: Floats, at: Floats) -> Sequence[float | None]:
    curve = lorenz_curve(bills)
    if curve is None:
        return [None] * len(at)
    shares: list[float | None] = np.interp(at, curve.population_share, curve.bill_share).tolist()
    return shares


def _suits(customers: Customers, bills: Floats) -> float | None:
    if customers.income_usd_per_year is None:
        return None
    return suits_index(bills, customers.income_usd_per_year)


def _burden(found: BillChanges, line: float) -> dict[str, Any]:
    """Shares of the customers whose bill is above a part of their income, and who come to cross that line."""
    row: dict[str, Any] = {"burden": line}
    income = found.customers.income_usd_per_year
    if income is None:
        return row | dict.fromkeys(("share_a", "share_b", "crosses_up_share", "crosses_down_share"))
    before, after = (
        burden(bills / DAYS_PER_YEAR, income) for bills in (found.before_usd_per_year, found.after_usd_per_year)
    )
    was, is_now = before > line, after > line
    return row | {
        "share_a": share_above(before, line),
        "share_b": share_above(after, line),
        "crosses_up_share": float((~was & is_now).mean()),
        "crosses_down_share": float((was & ~is_now).mean()),
    }
