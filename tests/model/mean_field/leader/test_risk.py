"""CVaR over variants: a linear program, its ends, and what every coherent measure obeys."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from meanwatt.model.mean_field.leader.robust.risk import Risk

NUMBERS = st.floats(-10, 10, allow_subnormal=False)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Risk, np.ndarray]:
    count = draw(st.integers(1, 6))
    weight = np.array(draw(st.lists(st.floats(0.01, 1), min_size=count, max_size=count)))
    objective = np.array(draw(st.lists(NUMBERS, min_size=count, max_size=count)))
    return Risk(weight=weight / weight.sum(), alpha=draw(st.floats(0, 1))), objective


@given(cases())
def test_it_is_the_least_mean_under_weights_that_no_variant_exceeds(case: tuple[Risk, np.ndarray]) -> None:
    """The dual of Rockafellar and Uryasev, solved as a linear program."""
    risk, objective = case
    if risk.alpha > 1 - 1e-6:
        return  # the quotient overflows; the worst case has its own test
    dual = linprog(
        objective,
        A_eq=np.ones((1, len(objective))),
        b_eq=[1.0],
        bounds=[(0, w / (1 - risk.alpha)) for w in risk.weight],
    )
    assert risk.value(objective) == pytest.approx(dual.fun, abs=1e-7)
    tail = risk.tail(objective)
    assert tail.sum() == pytest.approx(1)
    assert (tail <= risk.weight / (1 - risk.alpha) + 1e-12).all()


@given(cases())
def test_it_falls_from_the_mean_to_the_worst_case(case: tuple[Risk, np.ndarray]) -> None:
    risk, objective = case
    ends = [Risk(weight=risk.weight, alpha=alpha).value(objective) for alpha in (0.0, risk.alpha, 1.0)]
    assert ends[0] == pytest.approx(float(risk.weight @ objective))
    assert ends[2] == objective.min()
    assert ends[0] >= ends[1] - 1e-9
    assert ends[1] >= ends[2] - 1e-9


@given(cases(), st.floats(0, 5), st.floats(-5, 5))
def test_it_scales_shifts_and_is_concave(case: tuple[Risk, np.ndarray], scale: float, shift: float) -> None:
    risk, objective = case
    value = risk.value(objective)
    assert risk.value(scale * objective + shift) == pytest.approx(scale * value + shift, abs=1e-9)
    other = objective[::-1]
    assert risk.value(objective + other) >= value + risk.value(other) - 1e-9


def test_a_variant_at_the_edge_counts_in_part() -> None:
    """Shares .5, .3, .2 and the worst half: .2 and .3; the worst three tenths: .2 and a third of .3."""
    objective, weight = np.array([3.0, 1.0, -2.0]), np.array([0.5, 0.3, 0.2])
    assert Risk(weight=weight, alpha=0.5).value(objective) == pytest.approx((0.2 * -2 + 0.3 * 1) / 0.5)
    partly = Risk(weight=weight, alpha=0.7)
    assert partly.tail(objective) == pytest.approx([0, 1 / 3, 2 / 3])
    assert partly.threshold(objective) == 1.0
    assert not partly.is_worst
    assert Risk(weight=weight, alpha=0.8).is_worst


def test_an_undefined_variant_counts_only_where_it_is_in_the_tail() -> None:
    objective, weight = np.array([1.0, -np.inf]), np.array([0.5, 0.5])
    assert Risk(weight=weight, alpha=0.0).value(objective) == -np.inf
    assert Risk(weight=weight, alpha=1.0).value(objective[:1].repeat(2)) == 1.0
