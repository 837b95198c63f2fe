"""The supply curve against numerical integration, and as a curve that never falls."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from meanwatt.model.scenario.supply import SupplyCurve


def millionths(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers with six decimals: an integral over less than that teaches nothing and upsets the integrator."""
    return st.floats(low, high).map(lambda number: round(number, 6))


loads_kw = millionths(-5, 5)


@st.composite
def polynomials(draw: st.DrawFn) -> SupplyCurve:
    """A line, parabola or cubic that rises above its clamp, which is its steepest descent's end or later."""
    clamp = draw(millionths(-2, 2))
    # slope a + b (x - clamp) + c (x - clamp)², all non-negative: rises to the right of the clamp
    a, b, c = (draw(millionths(0, 1)) for _ in range(3))
    value = draw(millionths(-0.5, 0.5))
    shifted = np.polynomial.Polynomial([value, a, b / 2, c / 3])
    coefficients = shifted(np.polynomial.Polynomial([-clamp, 1])).coef
    return SupplyCurve.polynomial(coefficients, clamp_below_kw=clamp, emissions_t_per_kwh=draw(millionths(0, 1e-3)))


@st.composite
def merit_orders(draw: st.DrawFn) -> SupplyCurve:
    """A piecewise-linear merit order of two to six nodes with its own emissions in every segment."""
    count = draw(st.integers(2, 6))
    steps = draw(st.lists(millionths(0.05, 1), min_size=count, max_size=count))
    rises = draw(st.lists(millionths(0, 0.5), min_size=count, max_size=count))
    tonnes = draw(st.lists(millionths(0, 1e-3), min_size=count - 1, max_size=count - 1))
    nodes = np.cumsum(steps) + draw(millionths(-3, 1))
    return SupplyCurve.piecewise_linear(nodes, np.cumsum(rises) - 0.2, emissions_t_per_kwh=tonnes)


curves = st.one_of(polynomials(), merit_orders())


def integral(function: object, curve: SupplyCurve, load_kw: float) -> float:
    """Numerical integral from 0, told where the kinks are."""
    low, high = min(0.0, load_kw), max(0.0, load_kw)
    kinks = [place for place in curve.breaks_kw if low < place < high]
    value, _ = quad(function, low, high, points=kinks or None, epsabs=1e-12, epsrel=1e-12)
    return value if load_kw >= 0 else -value


@settings(deadline=None)
@given(curves, loads_kw)
def test_cost_is_the_integral_of_the_price_below_the_clamp_too(curve: SupplyCurve, load_kw: float) -> None:
    assert float(curve.cost(load_kw)) == pytest.approx(integral(curve.price, curve, load_kw), abs=1e-9)


@settings(deadline=None)
@given(curves, loads_kw)
def test_emissions_are_the_integral_of_the_marginal_ones(curve: SupplyCurve, load_kw: float) -> None:
    exact = integral(curve.marginal_emissions_t_per_kwh, curve, load_kw)
    assert float(curve.emissions_t(load_kw)) == pytest.approx(exact, abs=1e-11)


@given(curves, loads_kw, loads_kw)
def test_the_price_never_falls_with_load(curve: SupplyCurve, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert curve.price(low) <= curve.price(high) + 1e-12


@given(curves, loads_kw, loads_kw)
def test_every_price_is_a_tangent_below_the_cost(curve: SupplyCurve, here: float, there: float) -> None:
    # convexity: S(y) ≥ S(x) + s(x)(y − x)
    tangent = curve.cost(here) + curve.price(here) * (there - here)
    assert curve.cost(there) >= tangent - 1e-9


@given(curves, loads_kw)
def test_the_slope_is_the_derivative_of_the_price(curve: SupplyCurve, load_kw: float) -> None:
    step = 1e-6
    assume(all(abs(load_kw - place) > 2 * step for place in curve.breaks_kw))
    difference = (curve.price(load_kw + step) - curve.price(load_kw - step)) / (2 * step)
    # central differences: truncation s'''/6 · step² ≤ 1e-12, rounding 1e-16 · |s| / step ≤ 2e-8 at |s| ≤ 200
    assert curve.slope(load_kw) == pytest.approx(float(difference), abs=1e-6)


@given(merit_orders())
def test_a_merit_order_passes_through_its_nodes_and_holds_its_ends(curve: SupplyCurve) -> None:
    nodes = curve.breaks_kw
    prices = curve.price(nodes)
    middle = (nodes[:-1] + nodes[1:]) / 2
    assert curve.price(middle) == pytest.approx((prices[:-1] + prices[1:]) / 2, abs=1e-9)
    assert curve.price(nodes - 1e-9) == pytest.approx(prices, abs=1e-6)  # continuous
    assert curve.price(nodes[0] - 7) == pytest.approx(prices[0], abs=1e-12)
    assert curve.price(nodes[-1] + 7) == pytest.approx(prices[-1], abs=1e-12)


@given(curves, st.floats(0, 300), loads_kw)
def test_a_carbon_price_adds_its_share_to_every_price_and_cost(
    curve: SupplyCurve, usd_per_t: float, load_kw: float
) -> None:
    try:
        social = curve.shifted_by_carbon(usd_per_t)
    except ValueError:  # a dirty segment before a clean one: the next test
        assume(False)
    added = usd_per_t * curve.marginal_emissions_t_per_kwh(load_kw)
    assert social.price(load_kw) == pytest.approx(float(curve.price(load_kw) + added), abs=1e-12)
    total = curve.cost(load_kw) + usd_per_t * curve.emissions_t(load_kw)
    assert social.cost(load_kw) == pytest.approx(float(total), abs=1e-9)
    assert social.emissions_t(load_kw) == curve.emissions_t(load_kw)


def test_carbon_that_turns_the_merit_order_round_is_refused() -> None:
    coal_then_gas = SupplyCurve.piecewise_linear([0, 1, 2], [0.05, 0.06, 0.07], emissions_t_per_kwh=[1e-3, 4e-4])
    assert coal_then_gas.shifted_by_carbon(0).price(1.5) == coal_then_gas.price(1.5)
    with pytest.raises(ValueError, match=r"^with carbon at 100 USD/t the supply curve falls with load near 1 kW"):
        coal_then_gas.shifted_by_carbon(100)


def test_a_curve_may_jump_up_where_a_dirtier_segment_starts() -> None:
    curve = SupplyCurve.piecewise_linear([0, 1, 2], [0.05, 0.06, 0.07], emissions_t_per_kwh=[0, 1e-3])
    social = curve.shifted_by_carbon(100)
    assert social.price([0.999999999, 1.0]) == pytest.approx([0.06, 0.16], abs=1e-8)
    assert not social.is_affine


def test_oahu_by_hand() -> None:
    curve = SupplyCurve.polynomial([0.1365, 0.0277, 0.1245], clamp_below_kw=-0.111, emissions_t_per_kwh=7.8e-4)
    assert curve.price([0.0, 1.0]) == pytest.approx([0.1365, 0.2887], abs=1e-15)
    assert curve.cost(1.0) == pytest.approx(0.1365 + 0.0277 / 2 + 0.1245 / 3, abs=1e-15)
    at_clamp = 0.1365 - 0.0277 * 0.111 + 0.1245 * 0.111**2
    assert curve.price([-0.111, -3.0]) == pytest.approx([at_clamp, at_clamp], abs=1e-15)
    below = curve.cost(-2.0) - curve.cost(-1.0)  # one kW at the held price
    assert below == pytest.approx(-at_clamp, abs=1e-14)
    assert curve.emissions_t([-1.0, 2.0]) == pytest.approx([-7.8e-4, 15.6e-4], abs=1e-15)


def test_a_floor_holds_the_price_where_the_curve_would_go_below_it() -> None:
    curve = SupplyCurve.polynomial([-0.017, 0.181], floor_usd_per_kwh=0.0)
    assert curve.breaks_kw == pytest.approx([0.017 / 0.181])
    load_kw = np.linspace(-2, 2, 401)
    assert curve.price(load_kw) == pytest.approx(np.maximum(0, -0.017 + 0.181 * load_kw), abs=1e-15)
    assert curve.cost(-1.0) == 0.0


def test_a_floor_under_a_parabola_holds_up_to_its_rising_branch() -> None:
    # x² = 0.25 at -0.5 and 0.5; the branch on the left falls, so the price is held up to 0.5
    curve = SupplyCurve.polynomial([0.0, 0.0, 1.0], floor_usd_per_kwh=0.25)
    assert curve.price([-2.0, 0.0, 0.5, 1.0]) == pytest.approx([0.25, 0.25, 0.25, 1.0], abs=1e-15)


def test_any_shape_comes_back_in_the_same_shape() -> None:
    curve = SupplyCurve.piecewise_linear([0, 1], [0.1, 0.2])
    for shape in [(), (3,), (2, 3), (2, 3, 4)]:
        for method in (curve.price, curve.slope, curve.cost, curve.emissions_t, curve.marginal_emissions_t_per_kwh):
            assert np.shape(method(np.full(shape, 0.5))) == shape


def test_which_curves_are_affine_and_which_rise_strictly() -> None:
    line = SupplyCurve.polynomial([0.05, 0.10])
    clamped = SupplyCurve.polynomial([0.05, 0.10], clamp_below_kw=0.0)
    constant = SupplyCurve.polynomial([0.05])
    cubic = SupplyCurve.polynomial([0, 0, 0, 1.0])
    order = SupplyCurve.piecewise_linear([0, 1, 2], [0.1, 0.2, 0.2])
    assert [curve.is_affine for curve in (line, clamped, constant, cubic, order)] == [True, False, True, False, False]
    strict = [curve.is_strictly_increasing for curve in (line, clamped, constant, cubic, order)]
    assert strict == [True, False, False, True, False]
    assert clamped.rises_strictly_between(0, 5)
    assert order.rises_strictly_between(0, 1)
    assert not order.rises_strictly_between(0, 1.5)
    assert not clamped.rises_strictly_between(-1, 5)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=4), st.floats(-2, 2))
def test_a_polynomial_is_accepted_exactly_when_it_does_not_fall_above_its_clamp(
    coefficients: list[float], clamp: float
) -> None:
    coefficients = [0.0 if abs(value) < 1e-3 else value for value in coefficients]
    slope = np.polynomial.Polynomial(coefficients).deriv()
    places = np.concatenate([clamp + np.linspace(0, 20, 4001), clamp + np.geomspace(20, 1e5, 400)])
    steepest_fall = float(slope(places).min())
    assume(abs(steepest_fall) > 1e-4 or len(coefficients) == 1)  # on the edge, a grid cannot tell
    try:
        SupplyCurve.polynomial(coefficients, clamp_below_kw=clamp)
        accepted = True
    except ValueError:
        accepted = False
    assert accepted == (steepest_fall > -1e-9)


def build(kind: str, **arguments: object) -> SupplyCurve:
    made = SupplyCurve.polynomial if kind == "polynomial" else SupplyCurve.piecewise_linear
    return made(**arguments)  # type: ignore[operator, no-any-return]


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("polynomial", {"coefficients": [1, -1]}, "supply curve falls with load near 0 kW; give a curve that never"),
        ("polynomial", {"coefficients": []}, "coefficients have shape (0,); give one to four numbers"),
        ("polynomial", {"coefficients": [1, 2, 3, 4, 5]}, "coefficients have shape (5,); give one to four numbers"),
        ("polynomial", {"coefficients": [np.nan]}, "coefficients hold a number that is not finite"),
        (
            "polynomial",
            {"coefficients": [1, 1], "clamp_below_kw": 0.0, "floor_usd_per_kwh": 0.0},
            "clamp_below_kw and floor_usd_per_kwh are both given; give one of them",
        ),
        (
            "polynomial",
            {"coefficients": [1, 0, 1], "floor_usd_per_kwh": 0.5},
            "floor_usd_per_kwh is 0.5, a price the curve never has",
        ),
        ("polynomial", {"coefficients": [1], "emissions_t_per_kwh": -0.001}, "emissions are -1 t/MWh; give 0 or more"),
        (
            "piecewise",
            {"net_load_kw": [0, 1], "usd_per_kwh": [0.2, 0.1]},
            "supply curve falls with load near 0 kW",
        ),
        (
            "piecewise",
            {"net_load_kw": [0, 0], "usd_per_kwh": [0.1, 0.2]},
            "net_load_kw is [0.0, 0.0]; give it strictly ascending",
        ),
        (
            "piecewise",
            {"net_load_kw": [0, 1], "usd_per_kwh": [0.1]},
            "supply curve has 2 net_load_kw and 1 usd_per_kwh; give the same number of both, two or more",
        ),
        (
            "piecewise",
            {"net_load_kw": [0, 1, 2], "usd_per_kwh": [0.1, 0.2, 0.3], "emissions_t_per_kwh": [1, 2, 3]},
            "emissions have 3 numbers; give one, or 2, one for each segment",
        ),
        (
            "piecewise",
            {"net_load_kw": [0, np.inf], "usd_per_kwh": [0.1, 0.2]},
            "supply curve holds a node that is not finite; give finite numbers",
        ),
    ],
)
def test_what_is_no_supply_curve_is_refused_in_words(kind: str, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        build(kind, **arguments)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("curve", "near"),
    [
        ({"coefficients": [0.1, -0.2, 0.1], "clamp_below_kw": 0.0}, "0 kW"),  # falls from the clamp to the vertex at 1
        ({"coefficients": [0.1, 0.2, -0.1], "clamp_below_kw": 0.0}, "1 kW"),  # falls from the vertex at 1 on
        ({"coefficients": [0.1, 0.0, 0.1]}, "0 kW"),  # falls left of the vertex at 0
        # slope 3 (x - 1)(x - 3) = 9 - 12 x + 3 x²: falls between 1 and 3, most at 2
        ({"coefficients": [0.0, 9.0, -6.0, 1.0], "clamp_below_kw": 0.0}, "2 kW"),
    ],
)
def test_the_fall_is_named_where_it_happens(curve: dict[str, object], near: str) -> None:
    with pytest.raises(ValueError) as caught:
        build("polynomial", **curve)
    assert f"falls with load near {near}" in str(caught.value)


def test_a_curve_may_be_clamped_exactly_at_its_vertex() -> None:
    coefficients = [0.1365, 0.0277, 0.1245]
    curve = SupplyCurve.polynomial(coefficients, clamp_below_kw=-0.0277 / (2 * 0.1245))
    assert curve.slope(curve.breaks_kw) == pytest.approx([0.0], abs=1e-12)
