"""Equity metrics: burden, Lorenz, Gini, Suits and bill alignment."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.integrate import trapezoid

from meanwatt.analysis.metrics.averages import shares
from meanwatt.analysis.metrics.equity import (
    bill_alignment_usd_per_day,
    burden,
    burden_gap,
    burden_standard_deviation,
    gini,
    group_burden,
    lorenz_curve,
    own_marginal_cost_usd_per_day,
    share_above,
    suits_index,
)
from meanwatt.analysis.metrics.residual_allotment import Allotter

positive_bill = st.floats(0.01, 100.0)
any_bill = st.floats(-100.0, 100.0)
weight = st.floats(0.01, 10.0)
income = st.floats(1e3, 1e6)


def lists(*elements: st.SearchStrategy[float], smallest: int = 1) -> st.SearchStrategy[list[tuple[float, ...]]]:
    """Lists of tuples, one a household."""
    return st.lists(st.tuples(*elements), min_size=smallest, max_size=25)


def columns(rows: list[tuple[float, ...]]) -> list[np.ndarray]:
    return [np.array(column) for column in zip(*rows, strict=True)]


def gini_by_all_pairs(bill: np.ndarray, share: np.ndarray) -> float:
    """The definition: mean absolute difference over twice the mean."""
    share = share / share.sum()
    difference = np.abs(bill[:, None] - bill[None, :])
    return float(share @ difference @ share / (2 * share @ bill))


# --- Gini and Lorenz ------------------------------------------------------------------------------------------------


@given(positive_bill, st.lists(weight, min_size=1, max_size=20))
def test_gini_is_exactly_zero_when_all_pay_the_same(bill: float, weights: list[float]) -> None:
    assert gini(np.full(len(weights), bill), weights) == 0.0


@given(lists(any_bill, weight))
def test_gini_equals_the_mean_absolute_difference_of_all_pairs(rows: list[tuple[float, ...]]) -> None:
    bill, weights = columns(rows)
    assume(weights @ bill > max(1e-6, 1e-3 * (weights @ np.abs(bill))))
    # the mean carries the rounding of a sum of 25 terms of either sign, 1000 times larger than itself at most
    assert gini(bill, weights) == pytest.approx(gini_by_all_pairs(bill, weights), rel=1e-10, abs=1e-13)


@given(lists(positive_bill, weight), st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_gini_ignores_the_unit_of_money_and_the_scale_of_weights(
    rows: list[tuple[float, ...]], money: float, people: float
) -> None:
    bill, weights = columns(rows)
    assert gini(money * bill, people * weights) == pytest.approx(gini(bill, weights), rel=1e-9, abs=1e-12)


@given(lists(positive_bill, st.integers(1, 4)))
def test_gini_of_weights_equals_gini_of_as_many_copies(rows: list[tuple[float, ...]]) -> None:
    bill, copies = columns(rows)
    assert gini(bill, copies) == pytest.approx(gini(np.repeat(bill, copies)), rel=1e-10, abs=1e-12)


@given(st.lists(positive_bill, min_size=1, max_size=20), st.integers(2, 5))
def test_gini_ignores_how_often_the_population_is_replicated(bill: list[float], times: int) -> None:
    assert gini(np.tile(bill, times)) == pytest.approx(gini(bill), rel=1e-10, abs=1e-12)


@given(lists(positive_bill, weight), st.randoms(use_true_random=False))
def test_gini_ignores_the_order_of_households(rows: list[tuple[float, ...]], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    (bill, weights), (bill2, weights2) = columns(rows), columns(shuffled)
    assert gini(bill2, weights2) == pytest.approx(gini(bill, weights), rel=1e-10, abs=1e-12)


@given(st.lists(positive_bill, min_size=2, max_size=20), st.floats(0.05, 0.45))
def test_a_transfer_from_the_largest_to_the_smallest_bill_lowers_gini(bill: list[float], part: float) -> None:
    after = np.array(bill)
    low, high = int(after.argmin()), int(after.argmax())
    move = part * (after[high] - after[low])
    assume(move > 1e-3)
    after[high] -= move
    after[low] += move
    assert gini(after) < gini(bill)  # type: ignore[operator]


@given(st.lists(st.one_of(st.just(0.0), positive_bill), min_size=1, max_size=20))
def test_gini_of_bills_that_are_not_negative_lies_between_zero_and_one_less_one_share(bill: list[float]) -> None:
    assume(sum(bill) > 0)
    assert 0 <= gini(bill) <= 1 - 1 / len(bill) + 1e-12  # type: ignore[operator]


def test_gini_of_two_bills_by_hand() -> None:
    # pairs |1-3| twice: 4 / (2 · 2² · mean 2) = 1/4
    assert gini([3.0, 1.0]) == pytest.approx(0.25, rel=1e-15)


def test_gini_exceeds_one_with_negative_bills() -> None:
    # |-3 - 4| twice: 14 / (2 · 2² · mean 1/2) = 3.5
    assert gini([-3.0, 4.0]) == pytest.approx(3.5, rel=1e-15)


@pytest.mark.parametrize("bill", [[0.0, 0.0], [-1.0, 0.5], [-2.0], [0.1, 0.2, -0.3]])
def test_gini_lorenz_and_suits_are_undefined_without_a_positive_mean_bill(bill: list[float]) -> None:
    # 0.1 + 0.2 - 0.3 is 5.6e-17 in floating point: rounding, not a bill to divide by
    assert gini(bill) is None
    assert lorenz_curve(bill) is None
    assert suits_index(bill, np.arange(1.0, len(bill) + 1)) is None


def test_gini_of_two_hundred_thousand_households_needs_no_matrix() -> None:
    # exponential bills have Gini 1/2, standard error 1/sqrt(12 n) = 6.5e-4
    bill = np.random.default_rng(1).exponential(size=200_000)
    assert gini(bill) == pytest.approx(0.5, abs=4 / np.sqrt(12 * len(bill)))


@given(lists(any_bill, weight))
def test_gini_is_one_less_twice_the_area_below_the_lorenz_curve(rows: list[tuple[float, ...]]) -> None:
    bill, weights = columns(rows)
    assume(weights @ bill > max(1e-6, 1e-3 * (weights @ np.abs(bill))))
    curve = lorenz_curve(bill, weights)
    assert curve is not None
    area = trapezoid(curve.bill_share, curve.population_share)
    assert gini(bill, weights) == pytest.approx(1 - 2 * area, rel=1e-9, abs=1e-12)


@given(lists(positive_bill, weight))
def test_lorenz_curve_rises_ever_faster_from_corner_to_corner(rows: list[tuple[float, ...]]) -> None:
    bill, weights = columns(rows)
    curve = lorenz_curve(bill, weights)
    assert curve is not None
    assert (curve.population_share[0], curve.bill_share[0]) == (0, 0)
    assert (curve.population_share[-1], curve.bill_share[-1]) == (1, 1)
    slope = np.diff(curve.bill_share) / np.diff(curve.population_share)
    assert (np.diff(slope) >= -1e-9 * slope.max()).all()
    assert (curve.bill_share <= curve.population_share + 1e-12).all()


def test_lorenz_curve_refuses_to_be_written_to() -> None:
    curve = lorenz_curve([1.0, 2.0])
    assert curve is not None
    with pytest.raises(ValueError, match="read-only"):
        curve.bill_share[0] = 1.0


# --- Suits ----------------------------------------------------------------------------------------------------------


@given(lists(income, weight), st.floats(0.001, 0.2))
def test_suits_is_zero_when_bills_are_proportional_to_income(rows: list[tuple[float, ...]], part: float) -> None:
    incomes, weights = columns(rows)
    assert suits_index(part * incomes / 365, incomes, weights) == pytest.approx(0, abs=1e-12)


@given(lists(st.one_of(st.just(0.0), positive_bill), income, weight))
def test_suits_lies_between_minus_one_and_one_when_no_bill_is_negative(rows: list[tuple[float, ...]]) -> None:
    bill, incomes, weights = columns(rows)
    assume(bill.sum() > 1e-6)
    assert -1 - 1e-12 <= suits_index(bill, incomes, weights) <= 1  # type: ignore[operator]


def test_suits_of_an_equal_bill_by_hand() -> None:
    # incomes 20, 60, 120: x = .1 .4 1;  y = 1/3 2/3 1;
    # area = .1·(1/3)/2 + .3·(1/3 + 2/3)/2 + .6·(2/3 + 1)/2 = 2/3;  S = 1 - 4/3
    assert suits_index([2.0, 2.0, 2.0], [20e3, 60e3, 120e3]) == pytest.approx(-1 / 3, rel=1e-14)


def test_suits_of_weighted_groups_by_hand() -> None:
    # weights .75 and .25 at incomes 1 and 5: x = .375 1;  bills 1 and 9: y = .25 1
    # area = .375·.25/2 + .625·1.25/2 = .4375;  S = .125, progressive
    assert suits_index([9.0, 1.0], [5.0, 1.0], [0.25, 0.75]) == pytest.approx(0.125, rel=1e-14)


def test_suits_reaches_its_ends_when_one_household_pays_all() -> None:
    # the poorest of two with income share x1 pays all: area = x1/2 + (1 - x1), S = x1 - 1; the richest: S = x1
    assert suits_index([1.0, 0.0], [1.0, 999.0]) == pytest.approx(-0.999, rel=1e-12)
    assert suits_index([0.0, 1.0], [999.0, 1000.0]) == pytest.approx(999 / 1999, rel=1e-12)


@given(lists(positive_bill, income, weight, smallest=2))
def test_suits_is_that_of_income_groups_whatever_the_order_within_a_group(rows: list[tuple[float, ...]]) -> None:
    bill, incomes, weights = columns(rows)
    incomes = np.where(np.arange(len(bill)) % 2, 90e3, 30e3)
    share = weights / weights.sum()
    low = incomes == 30e3
    x = (share @ np.where(low, incomes, 0)) / (share @ incomes)
    y = (share @ np.where(low, bill, 0)) / (share @ bill)
    # area = x y / 2 + (1 - x)(1 + y)/2, so S = 1 - 2 area = x - y
    assert suits_index(bill, incomes, weights) == pytest.approx(x - y, abs=1e-12)
    assert suits_index(bill[::-1], incomes[::-1], weights[::-1]) == pytest.approx(x - y, abs=1e-12)


# incomes are scaled exactly: rounding might merge neighbours into one group
@given(lists(positive_bill, income, weight), st.floats(0.1, 10), st.sampled_from([0.25, 2.0, 1024.0]))
def test_suits_ignores_the_units_of_money(rows: list[tuple[float, ...]], of_bills: float, of_incomes: float) -> None:
    bill, incomes, weights = columns(rows)
    scaled = suits_index(of_bills * bill, of_incomes * incomes, weights)
    assert scaled == pytest.approx(suits_index(bill, incomes, weights), abs=1e-11)


# --- Burden ---------------------------------------------------------------------------------------------------------


def test_group_burden_is_the_ratio_of_sums_by_hand() -> None:
    # low: (1·2 + 3·4) USD/day · 365 over (1·20e3 + 3·10e3) USD/yr = 14 · 365 / 50e3;  high: 5 · 365 / 100e3
    burdens = group_burden([2.0, 4.0, 5.0], [20e3, 10e3, 100e3], [0, 0, 2], 3, [1.0, 3.0, 4.0])
    assert burdens[1] is None
    assert burdens[::2] == pytest.approx((14 * 365 / 50e3, 5 * 365 / 100e3), rel=1e-14)
    assert burden_gap(burdens) == pytest.approx(14 * 365 / 50e3 - 5 * 365 / 100e3, rel=1e-14)


@given(lists(any_bill, income, weight, st.integers(0, 3)))
def test_group_burdens_average_to_the_burden_of_everybody(rows: list[tuple[float, ...]]) -> None:
    bill, incomes, weights, group = columns(rows)
    burdens = group_burden(bill, incomes, group, 4, weights)
    earned = np.bincount(group, weights=weights * incomes, minlength=4)
    paid = sum(b * e for b, e in zip(burdens, earned, strict=True) if b is not None)
    assert paid == pytest.approx(365 * weights @ bill, rel=1e-9, abs=1e-9 * 365 * weights @ np.abs(bill) + 1e-300)
    assert [b is None for b in burdens] == [g not in group for g in range(4)]


def test_gap_and_deviation_are_zero_when_every_group_pays_the_same_part() -> None:
    burdens = group_burden([2.0, 6.0], [20e3, 60e3], [0, 1], 2)
    assert burden_gap(burdens) == 0
    assert burden_standard_deviation(burdens, [0.3, 0.7]) == 0


def test_deviation_of_two_groups_by_hand() -> None:
    # mean .25·.08 + .75·.04 = .05; variance .25·.03² + .75·.01² = .0003
    assert burden_standard_deviation([0.08, None, 0.04], [0.5, 9.0, 1.5]) == pytest.approx(np.sqrt(3e-4), rel=1e-12)


@given(lists(st.floats(-1, 1), weight))
def test_deviation_is_at_most_half_the_gap(rows: list[tuple[float, ...]]) -> None:
    burdens, weights = columns(rows)
    gap = burden_gap(burdens.tolist())
    assert 0 <= burden_standard_deviation(burdens.tolist(), weights) <= gap / 2 + 1e-12


def test_share_above_counts_households_strictly_above() -> None:
    burdens = burden([1.0, 2.0, 3.0, -1.0], [365.0, 36_500.0, 365 * 50.0, 365.0])
    assert burdens.tolist() == pytest.approx([1.0, 0.02, 0.06, -1.0])
    assert share_above([0.05, 0.06, 0.07], 0.06, [1.0, 1.0, 2.0]) == 0.5
    assert share_above([0.2] * 7, 0.1) == 1.0


@given(lists(st.floats(-0.1, 0.3), weight), st.floats(0, 0.2), st.floats(0, 0.2))
def test_fewer_households_are_above_a_higher_threshold(rows: list[tuple[float, ...]], a: float, b: float) -> None:
    burdens, weights = columns(rows)
    assert 0 <= share_above(burdens, max(a, b), weights) <= share_above(burdens, min(a, b), weights) <= 1


# --- Bill alignment -------------------------------------------------------------------------------------------------


@given(
    lists(any_bill, any_bill, st.floats(0, 50), weight),
    st.floats(-10, 10),
    st.sampled_from(Allotter),
)
def test_bill_alignment_averages_to_the_surplus(
    rows: list[tuple[float, ...]], residual: float, allotter: Allotter
) -> None:
    bill, cost, energy, weights = columns(rows)
    assume(energy.sum() > 1e-3)
    assume(allotter is not Allotter.EQUI_PROPORTIONAL or weights @ cost > 1e-3)
    per_kwh = energy if allotter is Allotter.PER_KWH else None
    aligned = bill_alignment_usd_per_day(
        bill, cost, residual, allotter=allotter, allotment_kwh_per_day=per_kwh, weights=weights
    )
    assert aligned is not None
    share = weights / weights.sum()
    assert share @ aligned == pytest.approx(share @ (bill - cost) - residual, abs=1e-9)


def test_bill_alignment_by_hand_and_that_the_allotter_matters() -> None:
    bill, cost, energy = [5.0, 2.0], [3.0, -1.0], [12.0, 4.0]
    # residual 2 a customer: 5-3-2, 2+1-2;  by energy 2·12/8 = 3 and 2·4/8 = 1
    each = bill_alignment_usd_per_day(bill, cost, 2.0, allotter="per_customer")
    by_energy = bill_alignment_usd_per_day(bill, cost, 2.0, allotter="per_kwh", allotment_kwh_per_day=energy)
    assert each is not None
    assert by_energy is not None
    assert each.tolist() == [0.0, 1.0]
    assert by_energy.tolist() == [-1.0, 2.0]


def test_bill_alignment_is_zero_for_everybody_under_marginal_prices_with_an_equal_charge() -> None:
    load = np.random.default_rng(3).normal(size=(5, 2, 24))
    price = np.random.default_rng(4).uniform(0.05, 0.3, size=(2, 24))
    cost = own_marginal_cost_usd_per_day(load, price, slot_hours=1.0, probability=[0.3, 0.7])
    aligned = bill_alignment_usd_per_day(cost + 1.5, cost, 1.5, allotter="per_customer")
    assert aligned == pytest.approx(np.zeros(5), abs=1e-12)


def test_own_marginal_cost_by_hand() -> None:
    # half-hour slots: .5 · (2·.1 + (-1)·.3) = -.05 at weight 1/4;  .5 · (1·.2 + 1·.4) = .3 at weight 3/4
    cost = own_marginal_cost_usd_per_day(
        [[[2.0, -1.0], [1.0, 1.0]]], [[0.1, 0.3], [0.2, 0.4]], slot_hours=0.5, probability=[0.25, 0.75]
    )
    assert cost == pytest.approx([0.25 * -0.05 + 0.75 * 0.3], rel=1e-14)


def test_bill_alignment_is_undefined_when_the_residual_has_no_energy_to_follow() -> None:
    assert bill_alignment_usd_per_day([1.0], [0.0], 2.0, allotter="per_kwh", allotment_kwh_per_day=[0.0]) is None


# --- Errors ---------------------------------------------------------------------------------------------------------


def test_a_wrong_allotter_is_answered_with_the_right_ones() -> None:
    with pytest.raises(ValueError, match="allotter is 'per_kw'; allowed are per_customer, per_kwh"):
        bill_alignment_usd_per_day([1.0], [0.0], 1.0, allotter="per_kw")


def test_an_allotment_that_does_not_fit_the_allotter_is_refused() -> None:
    with pytest.raises(ValueError, match="allotment_kwh_per_day is missing; allotter 'per_kwh' needs an energy"):
        bill_alignment_usd_per_day([1.0], [0.0], 1.0, allotter="per_kwh")
    with pytest.raises(ValueError, match="given with allotter 'per_customer'; leave it out"):
        bill_alignment_usd_per_day([1.0], [0.0], 1.0, allotter="per_customer", allotment_kwh_per_day=[1.0])
    with pytest.raises(ValueError, match=r"allotment_kwh_per_day is -2\.0 at index 1; give energies of 0 or more"):
        bill_alignment_usd_per_day([1.0, 1], [0.0, 0], 1.0, allotter="per_kwh", allotment_kwh_per_day=[1.0, -2.0])


def test_bad_bills_incomes_groups_and_weights_are_named_with_their_place() -> None:
    with pytest.raises(ValueError, match=r"bill_usd_per_day is nan at index \[1\]; give finite numbers"):
        gini([1.0, float("nan")])
    with pytest.raises(ValueError, match=r"bill_usd_per_day has shape \(0,\) and holds nothing"):
        gini([])
    with pytest.raises(ValueError, match=r"bill_usd_per_day has shape \(1, 1\); give axes \(entry,\)"):
        gini([[1.0]])
    with pytest.raises(ValueError, match=r"income_usd_per_year is 0\.0 at index 1; give positive incomes"):
        suits_index([1.0, 1.0], [10.0, 0.0])
    with pytest.raises(ValueError, match="group is 2 at index 0; give indices from 0 to 1"):
        group_burden([1.0], [10.0], [2], 2)
    with pytest.raises(ValueError, match=r"weights is -1\.0 at index 1; give weights of 0 or more"):
        gini([1.0, 1.0], [2.0, -1.0])
    with pytest.raises(ValueError, match="weights sum to 0; give at least one positive weight"):
        gini([1.0, 1.0], [0.0, 0.0])
    with pytest.raises(ValueError, match=r"weights has shape \(1,\); give \(2,\)"):
        gini([1.0, 1.0], [1.0])
    with pytest.raises(ValueError, match="burdens hold no group with households"):
        burden_gap([None])


@given(st.lists(weight, min_size=1, max_size=30))
def test_shares_sum_to_one_and_keep_proportions(weights: list[float]) -> None:
    share = shares(weights, len(weights))
    assert share.sum() == pytest.approx(1, rel=1e-14)
    assert share * sum(weights) == pytest.approx(np.array(weights), rel=1e-12)
    assert shares(None, 4).tolist() == [0.25] * 4
