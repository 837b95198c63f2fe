"""Equity: how the net bills lie on the households and on their incomes.

An entry is a household type with its population share as weight (mean field) or a household (``weights`` None, all
alike: finite market). Bills are net of export credits and include fixed charges; a negative bill is money received.

References
----------
.. [1] Y. Chen, M. Tanaka, R. Takashima, "Energy Expenditure Incidence in the Presence of Prosumers: Can a Fixed Charge
   Lead Us to the Promised Land?", IEEE Transactions on Power Systems 37(2), 1591–1600, 2022.
.. [2] D. B. Suits, "Measurement of Tax Progressivity", American Economic Review 67(4), 747–752, 1977.
.. [3] C. Simeone, P. Gagnon, P. Cappers, A. Satchwell, "The Bill Alignment Test: Identifying Trade-Offs with
   Residential Rate Design Options", Utilities Policy, 101539, 2023.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, Ints, read_only, require_shape
from meanwatt.analysis.metrics.averages import numbers, positive_mean, shares
from meanwatt.analysis.metrics.efficiency import per_day
from meanwatt.analysis.metrics.residual_allotment import Allotter, allotted_residual_usd_per_day

DAYS_PER_YEAR = 365.0
"""Turns USD per day into USD per year wherever a bill meets a yearly income."""


def burden(bill_usd_per_day: npt.ArrayLike, income_usd_per_year: npt.ArrayLike) -> Floats:
    """Share of income that goes to the net bill, 365 · bill / income, of every entry. Shape (entry,). [-]

    Negative for a household that its exports pay for. A bill observed over a few days is taken as typical of the year.
    """
    bill, income = _bills_and_incomes(bill_usd_per_day, income_usd_per_year)
    return np.asarray(DAYS_PER_YEAR * bill / income)


def group_burden(
    bill_usd_per_day: npt.ArrayLike,
    income_usd_per_year: npt.ArrayLike,
    group: Ints | Sequence[int],
    groups: int,
    weights: npt.ArrayLike | None = None,
) -> tuple[float | None, ...]:
    """Energy expenditure incidence EEI_g = Σ net bills / Σ income over the households of each group [1]_. [-]

    Parameters
    ----------
    bill_usd_per_day : (entry,) float
        Net bill. [USD/day]
    income_usd_per_year : (entry,) float
        Income, positive. [USD/yr]
    group : (entry,) int
        Index of the entry's income group, 0 to ``groups`` − 1.
    groups
        Number of groups.
    weights : (entry,) float, optional
        Population shares; None weighs all alike.

    Returns
    -------
    (group,) tuple of float or None
        The ratio of sums, not the mean of ratios; None for a group without households.
    """
    bill, income = _bills_and_incomes(bill_usd_per_day, income_usd_per_year)
    index = _group_index(group, groups, len(bill))
    share = shares(weights, len(bill))
    paid = np.bincount(index, weights=share * bill, minlength=groups)
    earned = np.bincount(index, weights=share * income, minlength=groups)
    return tuple(DAYS_PER_YEAR * float(p) / float(e) if e > 0 else None for p, e in zip(paid, earned, strict=True))


def burden_gap(burdens: Sequence[float | None]) -> float:
    """Largest less smallest group burden, ≥ 0, over the groups that have households. [-]

    Zero means that every income group pays the same share of its income.
    """
    present = [value for value in burdens if value is not None]
    if not present:
        raise ValueError("burdens hold no group with households; give at least one number")
    return max(present) - min(present)


def burden_standard_deviation(burdens: Sequence[float | None], group_share: npt.ArrayLike) -> float:
    """Standard deviation of the group burdens weighted by the groups' population shares, ≥ 0. [-]

    Parameters
    ----------
    burdens : (group,) float or None
        As from `group_burden`; a None is left out.
    group_share : (group,) float
        Population share of each group.
    """
    share = np.asarray(group_share, dtype=np.float64)
    require_shape("group_share", share, (len(burdens),), "(income group,)")
    value = numbers("burdens", [value for value in burdens if value is not None], "(income group,)")
    weight = shares(share[[value is not None for value in burdens]], len(value), name="group_share")
    return float(np.sqrt(weight @ (value - weight @ value) ** 2))


def share_above(burdens: npt.ArrayLike, threshold: float, weights: npt.ArrayLike | None = None) -> float:
    """Share of the population whose own burden exceeds ``threshold``, in [0, 1].

    Above 6 % a household's energy burden is usually called high, above 10 % severe.

    Parameters
    ----------
    burdens : (entry,) float
        As from `burden`. [-]
    threshold
        A fraction of income, e.g. 0.06; a burden equal to it does not count.
    weights : (entry,) float, optional
        Population shares; None weighs all alike.
    """
    value = numbers("burdens", burdens, "(entry,)")
    share = shares(weights, len(value))
    # two sums of the same shape: exactly 1 when all are above, whatever the rounding
    return float(np.where(value > threshold, share, 0.0).sum() / share.sum())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LorenzCurve:
    """Who pays how much of all bills, from the smallest bill to the largest.

    Attributes
    ----------
    population_share : (point,) float
        Cumulative share of households, from 0 to 1.
    bill_share : (point,) float
        Share of all bills that they pay, from 0 to 1; below zero while the bills so far are negative on balance.
    """

    population_share: Floats
    bill_share: Floats

    def __post_init__(self) -> None:
        """Keep read-only copies."""
        object.__setattr__(self, "population_share", read_only(self.population_share))
        object.__setattr__(self, "bill_share", read_only(self.bill_share))


def lorenz_curve(bill_usd_per_day: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> LorenzCurve | None:
    """Lorenz curve of the bills, or None if the mean bill is ≤ 0. It has one point more than there are entries."""
    bill = numbers("bill_usd_per_day", bill_usd_per_day, "(entry,)")
    share = shares(weights, len(bill))
    if positive_mean(bill, share) is None:
        return None
    order = np.argsort(bill, kind="stable")
    return LorenzCurve(
        population_share=_cumulative_share(share[order]), bill_share=_cumulative_share((share * bill)[order])
    )


def gini(bill_usd_per_day: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> float | None:
    """Gini coefficient of the bills, G = Σ_ij w_i w_j |b_i − b_j| / (2 (Σ w)² b̄), in O(n log n).

    Parameters
    ----------
    bill_usd_per_day : (entry,) float
        Net bill. [USD/day]
    weights : (entry,) float, optional
        Population shares; None weighs all alike.

    Returns
    -------
    float or None
        0 when all pay the same; below 1 with bills ≥ 0, possibly above 1 with negative bills; None if the mean bill
        is ≤ 0.

    Notes
    -----
    With bills sorted, Σ_{i<j} w_i w_j (b_j − b_i) = Σ_k (b_{k+1} − b_k) C_k (1 − C_k), C the cumulative weight: the
    gap between neighbours counts once for every pair it separates. No term is negative, so nothing cancels.
    """
    bill = numbers("bill_usd_per_day", bill_usd_per_day, "(entry,)")
    share = shares(weights, len(bill))
    mean = positive_mean(bill, share)
    if mean is None:
        return None
    order = np.argsort(bill, kind="stable")
    below = np.cumsum(share[order])[:-1]
    return float(np.diff(bill[order]) @ (below * np.maximum(1.0 - below, 0.0))) / mean


def suits_index(
    bill_usd_per_day: npt.ArrayLike, income_usd_per_year: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> float | None:
    """Suits index of the bills, S = 1 − 2 ∫ y dx by trapezoids [2]_; negative is regressive.

    x is the cumulative share of income and y that of bills over the income groups by rising income. Entries of equal
    income are one group, so the order among them is immaterial.

    Parameters
    ----------
    bill_usd_per_day : (entry,) float
        Net bill. [USD/day]
    income_usd_per_year : (entry,) float
        Income, positive. [USD/yr]
    weights : (entry,) float, optional
        Population shares; None weighs all alike.

    Returns
    -------
    float or None
        0 when bills are proportional to income; between −1 and 1 with bills ≥ 0; None if the mean bill is ≤ 0.
    """
    bill, income = _bills_and_incomes(bill_usd_per_day, income_usd_per_year)
    share = shares(weights, len(bill))
    if positive_mean(bill, share) is None:
        return None
    _, rank = np.unique(income, return_inverse=True)
    x = _cumulative_share(np.bincount(rank, weights=share * income))
    y = _cumulative_share(np.bincount(rank, weights=share * bill))
    return 1.0 - 2.0 * float(np.trapezoid(y, x))


def own_marginal_cost_usd_per_day(
    net_load_kw: npt.ArrayLike,
    wholesale_usd_per_kwh: npt.ArrayLike,
    *,
    slot_hours: float,
    probability: npt.ArrayLike | None = None,
) -> Floats:
    """What each entry's own net load costs at the wholesale price, E Σ_h Δ λ n. Shape (entry,). [USD/day]

    Parameters
    ----------
    net_load_kw : (entry, row, slot) float
        Net load of each entry, positive when bought. Rows are common states or days. [kW]
    wholesale_usd_per_kwh : (row, slot) float
        Wholesale price λ. [USD/kWh]
    slot_hours
        Length of a slot. [h]
    probability : (row,) float, optional
        Weights of the rows; None weighs all alike.
    """
    load = numbers("net_load_kw", net_load_kw, "(entry, row, slot)")
    price = numbers("wholesale_usd_per_kwh", wholesale_usd_per_kwh, "(row, slot)")
    require_shape("wholesale_usd_per_kwh", price, load.shape[1:], "(row, slot)")
    return np.array([per_day(price * own, slot_hours=slot_hours, probability=probability) for own in load])


def bill_alignment_usd_per_day(
    bill_usd_per_day: npt.ArrayLike,
    own_marginal_cost_usd_per_day: npt.ArrayLike,
    residual_usd_per_household_day: float,
    *,
    allotter: Allotter | str,
    allotment_kwh_per_day: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
) -> Floats | None:
    """Bill less own marginal cost less allotted residual of every entry [3]_. Shape (entry,). [USD/day]

    Positive: the household pays for others. Negative: others pay for it. Its weighted mean is the utility's surplus
    if the residual is all cost that marginal prices do not recover (in this model the network cost K).

    Parameters
    ----------
    bill_usd_per_day : (entry,) float
        Net bill. [USD/day]
    own_marginal_cost_usd_per_day : (entry,) float
        Net load priced at the wholesale price (`own_marginal_cost_usd_per_day`). [USD/day]
    residual_usd_per_household_day
        Residual cost to allot, on average. [USD per household-day]
    allotter
        One of `meanwatt.analysis.metrics.residual_allotment.Allotter`; the outcome depends on it, so state it beside
        the number.
    allotment_kwh_per_day : (entry,) float, optional
        With ``per_kwh`` only: the energy that the residual follows, ≥ 0, e.g. energy imported. [kWh/day]
    weights : (entry,) float, optional
        Population shares; None weighs all alike.

    Returns
    -------
    (entry,) float or None
        None if what the residual follows is, on average, not above zero.

    Raises
    ------
    ValueError
        If the allotter is unknown, or if ``per_kwh`` comes without energies or with negative ones.
    """
    bill = numbers("bill_usd_per_day", bill_usd_per_day, "(entry,)")
    cost = numbers("own_marginal_cost_usd_per_day", own_marginal_cost_usd_per_day, "(entry,)")
    require_shape("own_marginal_cost_usd_per_day", cost, bill.shape, "(entry,)")
    allotted = allotted_residual_usd_per_day(
        residual_usd_per_household_day,
        allotter=allotter,
        own_marginal_cost_usd_per_day=cost,
        allotment_kwh_per_day=allotment_kwh_per_day,
        weights=weights,
    )
    return None if allotted is None else np.asarray(bill - cost - allotted)


def _bills_and_incomes(bill_usd_per_day: npt.ArrayLike, income_usd_per_year: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Both as (entry,) arrays; ValueError if an income is not positive."""
    bill = numbers("bill_usd_per_day", bill_usd_per_day, "(entry,)")
    income = numbers("income_usd_per_year", income_usd_per_year, "(entry,)")
    require_shape("income_usd_per_year", income, bill.shape, "(entry,)")
    if (income <= 0).any():
        place = int(np.argmax(income <= 0))
        raise ValueError(f"income_usd_per_year is {income[place]} at index {place}; give positive incomes")
    return bill, income


def _group_index(group: Ints | Sequence[int], groups: int, entries: int) -> Ints:
    """Group indices as an (entry,) int array; ValueError if one is outside 0 to ``groups`` − 1."""
    index = np.asarray(group, dtype=np.int64)
    require_shape("group", index, (entries,), "(entry,)")
    outside = (index < 0) | (index >= groups)
    if outside.any():
        place = int(np.argmax(outside))
        raise ValueError(f"group is {index[place]} at index {place}; give indices from 0 to {groups - 1}")
    return index


def _cumulative_share(parts: npt.NDArray[np.generic]) -> Floats:
    """Running sum over its total, from exactly 0 to exactly 1. Shape (part + 1,)."""
    running = np.concatenate([[0.0], np.cumsum(parts, dtype=np.float64)])
    return np.asarray(running / running[-1])
