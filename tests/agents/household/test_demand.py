"""Flexible demand: the closed form is the best use, at every pair of rates."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from meanwatt.agents.household.demand import best_use_kw, utility_usd_per_hour, wanted_slope_kw, wanted_use_kw
from meanwatt.agents.tariff.rates import payment_usd

elasticities = st.floats(0.01, 2)
flexibilities = st.floats(0, 1)
reference_prices = st.floats(0.05, 0.6)
references_kw = st.floats(0.01, 5)
rates = st.floats(-0.3, 2)


def wanted(reference_kw: float, price: float, elasticity: float, flexibility: float, reference_price: float) -> float:
    return float(
        wanted_use_kw(
            np.array(reference_kw),
            np.array(price),
            elasticity=elasticity,
            flexibility=flexibility,
            reference_price=reference_price,
        )
    )


def utility(use_kw: np.ndarray, reference_kw: float, elasticity: float, reference_price: float) -> np.ndarray:
    return utility_usd_per_hour(use_kw, np.array(reference_kw), elasticity=elasticity, reference_price=reference_price)


@given(references_kw, rates, rates, st.floats(-6, 6), elasticities, flexibilities, reference_prices)
def test_no_use_within_reach_beats_the_best_use(
    reference_kw: float,
    one_rate: float,
    other_rate: float,
    free_kw: float,
    elasticity: float,
    flexibility: float,
    reference_price: float,
) -> None:
    bought, sold = max(one_rate, other_rate), min(one_rate, other_rate)
    terms = (elasticity, flexibility, reference_price)
    best_kw = best_use_kw(
        np.array(free_kw),
        np.array(wanted(reference_kw, bought, *terms)),
        np.array(wanted(reference_kw, sold, *terms)),
    )

    def worth(use_kw: np.ndarray) -> np.ndarray:
        enjoyed = utility(use_kw, reference_kw, elasticity, reference_price)
        return enjoyed - payment_usd(use_kw - free_kw, np.array(bought), np.array(sold), 1.0)

    grid_kw = np.linspace(reference_kw * (1 - flexibility), reference_kw * (1 + flexibility), 2001)
    assert grid_kw[0] - 1e-12 <= best_kw <= grid_kw[-1] + 1e-12
    assert float(worth(best_kw)) >= worth(grid_kw).max() - 1e-9


@given(references_kw, rates, elasticities, reference_prices)
def test_marginal_utility_equals_the_price_at_the_wanted_use(
    reference_kw: float, price: float, elasticity: float, reference_price: float
) -> None:
    use_kw = wanted(reference_kw, price, elasticity, 1.0, reference_price)
    assume(1e-6 < use_kw < 2 * reference_kw - 1e-6)
    step_kw = 1e-3 * reference_kw  # utility is quadratic: the central difference is exact but for rounding
    up, down = utility(np.array([use_kw + step_kw, use_kw - step_kw]), reference_kw, elasticity, reference_price)
    assert (up - down) / (2 * step_kw) == pytest.approx(price, abs=1e-8)


@given(references_kw, elasticities, reference_prices, st.floats(0, 10))
def test_utility_is_zero_at_the_reference_and_below_its_tangent_elsewhere(
    reference_kw: float, elasticity: float, reference_price: float, use_kw: float
) -> None:
    at_reference, elsewhere = utility(np.array([reference_kw, use_kw]), reference_kw, elasticity, reference_price)
    assert at_reference == 0
    assert elsewhere <= reference_price * (use_kw - reference_kw) + 1e-9


def test_utility_by_hand() -> None:
    # p0 [(q − q0) − (q − q0)² / (2 ε q0)] = .2 [.5 − .25 / (2 · .5 · 2)] = .2 · .375 = .075 USD/h
    assert utility(np.array(2.5), 2.0, 0.5, 0.2) == pytest.approx(0.075)


@given(references_kw, elasticities, flexibilities, reference_prices)
def test_the_reference_is_wanted_at_the_reference_price(
    reference_kw: float, elasticity: float, flexibility: float, reference_price: float
) -> None:
    assert wanted(reference_kw, reference_price, elasticity, flexibility, reference_price) == reference_kw


@given(references_kw, rates, rates, elasticities, flexibilities, reference_prices)
def test_a_higher_price_never_raises_the_wanted_use_and_flexibility_bounds_it(
    reference_kw: float, one: float, other: float, elasticity: float, flexibility: float, reference_price: float
) -> None:
    dear, cheap = (
        wanted(reference_kw, price, elasticity, flexibility, reference_price)
        for price in (max(one, other), min(one, other))
    )
    assert dear <= cheap
    assert dear >= reference_kw * (1 - flexibility)
    assert cheap <= reference_kw * (1 + flexibility)


def test_small_price_changes_move_use_by_the_elasticity() -> None:
    # 1 % above p0 with ε = .1 lowers use by .1 %
    assert wanted(2.0, 0.202, 0.1, 0.5, 0.2) == pytest.approx(2.0 * 0.999)


def test_a_prohibitive_price_meets_the_lower_bound_and_a_gift_the_upper_one() -> None:
    assert wanted(2.0, 100.0, 0.1, 0.4, 0.2) == pytest.approx(1.2)
    assert wanted(2.0, -100.0, 0.1, 0.4, 0.2) == pytest.approx(2.8)


@given(references_kw, rates, st.floats(0, 5))
def test_inelastic_demand_is_the_reference_whatever_the_price_and_has_no_utility(
    reference_kw: float, price: float, use_kw: float
) -> None:
    assert wanted(reference_kw, price, 0.0, 0.5, 0.2) == reference_kw
    assert (utility(np.array([reference_kw, use_kw]), reference_kw, 0.0, 0.2) == 0).all()


@given(rates, rates, st.floats(-3, 3), elasticities)
def test_without_a_reference_nothing_is_used_and_nothing_enjoyed(
    one: float, other: float, free_kw: float, elasticity: float
) -> None:
    buying = wanted(0.0, max(one, other), elasticity, 0.5, 0.2)
    selling = wanted(0.0, min(one, other), elasticity, 0.5, 0.2)
    use_kw = best_use_kw(np.array(free_kw), np.array(buying), np.array(selling))
    assert use_kw == 0
    assert utility(use_kw, 0.0, elasticity, 0.2) == 0


def test_the_three_cases_of_the_best_use() -> None:
    # buys beyond its own 1 kW, uses exactly its own 2.5 kW, sells what exceeds 3 kW
    free_kw = np.array([1.0, 2.5, 4.0])
    assert best_use_kw(free_kw, np.array(2.0), np.array(3.0)).tolist() == [2.0, 2.5, 3.0]


def test_arrays_broadcast_and_zero_references_among_them_do_no_harm() -> None:
    reference_kw = np.array([[0.0], [1.0], [2.0]])
    use_kw = wanted_use_kw(
        reference_kw, np.array([0.1, 0.2, 0.3, 0.4]), elasticity=0.5, flexibility=0.5, reference_price=0.2
    )
    enjoyed = utility_usd_per_hour(use_kw, reference_kw, elasticity=0.5, reference_price=0.2)
    assert use_kw.shape == enjoyed.shape == (3, 4)
    for k, q0 in enumerate((1.0, 2.0), start=1):
        for i, price in enumerate((0.1, 0.2, 0.3, 0.4)):
            q = q0 * min(max(1 + 0.5 * (1 - price / 0.2), 0.5), 1.5)
            assert use_kw[k, i] == pytest.approx(q)
            assert enjoyed[k, i] == pytest.approx(0.2 * ((q - q0) - (q - q0) ** 2 / (2 * 0.5 * q0)))
    assert (use_kw[0] == 0).all()
    assert (enjoyed[0] == 0).all()


@given(references_kw, rates, elasticities, flexibilities, reference_prices)
def test_the_slope_of_use_is_its_difference_quotient_away_from_the_kinks(
    reference_kw: float, price: float, elasticity: float, flexibility: float, reference_price: float
) -> None:
    step = 1e-6
    change = abs(elasticity * (1 - price / reference_price))
    assume(abs(change - flexibility) > 2 * step * elasticity / reference_price)
    terms = (elasticity, flexibility, reference_price)
    after, before = (wanted(reference_kw, price + d, *terms) for d in (step, -step))
    slope = wanted_slope_kw(
        reference_kw, price, elasticity=elasticity, flexibility=flexibility, reference_price=reference_price
    )
    assert slope == pytest.approx((after - before) / (2 * step), abs=1e-7)
