"""Residuals allotted in three ways, who pays for a shift with frozen and adjusting allotments, and default rates."""

import numpy as np
import pytest
from family_files import BARE
from hypothesis import assume, given
from hypothesis import strategies as st
from scenarios import preset_economy, solved

from meanwatt.analysis.metrics.default_rate import ClassDemand, NoRate, default_rate
from meanwatt.analysis.metrics.residual_allotment import (
    Allotter,
    Loads,
    allotted_residual_usd_per_day,
    shift_incidence,
)

POSITIVE = st.floats(0.1, 20)
ROWS = st.lists(st.tuples(POSITIVE, POSITIVE, POSITIVE), min_size=1, max_size=6)


def allot(rows: list[tuple[float, float, float]], allotter: Allotter, residual: float) -> tuple[np.ndarray, np.ndarray]:
    """Allotments, and the weights of the entries; rows are marginal cost, energy, weight."""
    cost, energy, weight = np.array(rows).T
    found = allotted_residual_usd_per_day(
        residual,
        allotter=allotter,
        own_marginal_cost_usd_per_day=cost,
        allotment_kwh_per_day=energy if allotter is Allotter.PER_KWH else None,
        weights=weight,
    )
    assert found is not None
    return found, weight / weight.sum()


@given(ROWS, st.sampled_from(Allotter), st.floats(-5, 5))
def test_allotments_add_up_to_the_residual(rows: list, allotter: Allotter, residual: float) -> None:
    found, share = allot(rows, allotter, residual)
    assert share @ found == pytest.approx(residual, abs=1e-9)


@given(ROWS, st.floats(0.1, 5))
def test_each_follows_what_it_is_named_for(rows: list, residual: float) -> None:
    cost, energy, _ = np.array(rows).T
    assert np.ptp(allot(rows, Allotter.PER_CUSTOMER, residual)[0]) == 0
    for allotter, followed in ((Allotter.PER_KWH, energy), (Allotter.EQUI_PROPORTIONAL, cost)):
        ratio = allot(rows, allotter, residual)[0] / followed
        assert ratio == pytest.approx(ratio[0])


def test_without_what_it_follows_nothing_is_allotted() -> None:
    costs = {"own_marginal_cost_usd_per_day": [1.0, -1.0]}
    assert allotted_residual_usd_per_day(2.0, allotter="equi_proportional", **costs) is None
    assert allotted_residual_usd_per_day(2.0, allotter="per_customer", **costs).tolist() == [2.0, 2.0]
    with pytest.raises(ValueError, match="given with allotter 'equi_proportional'; leave it out"):
        allotted_residual_usd_per_day(2.0, allotter="equi_proportional", **costs, allotment_kwh_per_day=[1.0, 1.0])
    with pytest.raises(ValueError, match="allowed are per_customer, per_kwh, equi_proportional"):
        allotted_residual_usd_per_day(2.0, allotter="per kWh", **costs)


@given(ROWS, ROWS, st.sampled_from(Allotter), st.floats(0, 5))
def test_adjusting_allotments_move_the_residual_about_and_no_money(
    before: list, after: list, allotter: Allotter, residual: float
) -> None:
    size = min(len(before), len(after))
    old, new = np.array(before[:size]), np.array(after[:size])
    found = shift_incidence(
        *(Loads(own_marginal_cost_usd_per_day=one[:, 0], imported_kwh_per_day=one[:, 1]) for one in (old, new)),
        residual,
        allotter=allotter,
        weights=old[:, 2],
    )
    assert found is not None
    assert found.frozen == pytest.approx(new[:, 0] - old[:, 0])
    assert old[:, 2] @ (found.adjusting - found.frozen) == pytest.approx(0.0, abs=1e-8)
    if allotter is Allotter.PER_CUSTOMER:
        assert found.adjusting == pytest.approx(found.frozen)


def test_the_sign_of_who_pays_depends_on_what_adjusts() -> None:
    """By hand: one home moves 4 of 10 kWh behind the meter, prices fall by a tenth; residual 2 a home, per kWh.

    Frozen, the other home saves a tenth of its 1 USD. Adjusting, it bears 2·10/8 instead of 2: it pays 0.4 more.
    """
    before = Loads(own_marginal_cost_usd_per_day=np.array([1.0, 1.0]), imported_kwh_per_day=np.array([10.0, 10.0]))
    after = Loads(own_marginal_cost_usd_per_day=np.array([0.54, 0.9]), imported_kwh_per_day=np.array([6.0, 10.0]))
    found = shift_incidence(before, after, 2.0, allotter="per_kwh")
    assert found is not None
    assert found.frozen == pytest.approx([-0.46, -0.1])
    assert found.adjusting == pytest.approx([-0.96, 0.4])
    assert found.sign_differs.tolist() == [0.0, 1.0]


CLASS = {
    "reference_kwh_per_day": 14.0,
    "reference_price_usd_per_kwh": 0.185,
    "elasticity": 0.1,
    "flexibility": 0.5,
    "marginal_cost_usd_per_kwh": 0.1,
    "residual_usd_per_day": 1.0,
    "fixed_charge_usd_per_day": 0.0,
}


def test_the_rate_is_the_adder_that_the_solver_finds_where_supply_is_flat() -> None:
    """A class by itself on a constant marginal cost: volumetric recovery, solved by the equilibrium."""
    own = (*BARE, "supply.coefficients=[0.1]", "tariff.energy_usd_per_kwh=0.0", "tariff.recovery=volumetric")
    found = solved("textbook", "flat", *own)
    economy = preset_economy("textbook", *own[:-2])
    demand = ClassDemand(
        **CLASS
        | {
            "reference_kwh_per_day": float(economy.mean_reference_kw.sum()),
            "residual_usd_per_day": economy.fixed_cost_usd_per_day,
            "fixed_charge_usd_per_day": float(economy.group_share @ found.fixed_charge_usd_per_day),
        }
    )
    rate = default_rate(demand).usd_per_kwh
    assert rate == pytest.approx(float(found.rates.import_usd_per_kwh[0, 0]), abs=1e-6)


@given(
    st.floats(0.5, 40),
    st.floats(0.0, 1.5),
    st.floats(0.05, 1.0),
    st.floats(0.0, 0.3),
    st.floats(0.0, 4.0),
    st.floats(0.0, 1.0),
)
def test_it_pays_the_cost_and_none_lower_does(
    base: float, elasticity: float, flexibility: float, cost: float, residual: float, fixed: float
) -> None:
    assume(elasticity == 0 or elasticity > 1e-3)
    demand = ClassDemand(
        reference_kwh_per_day=base,
        reference_price_usd_per_kwh=0.2,
        elasticity=elasticity,
        flexibility=flexibility,
        marginal_cost_usd_per_kwh=cost,
        residual_usd_per_day=residual,
        fixed_charge_usd_per_day=fixed,
    )
    found = default_rate(demand)
    if found.usd_per_kwh is None:
        assert found.largest_margin_usd_per_day < found.missing_usd_per_day + 1e-6
        grid = np.linspace(-1, 2, 400)
        assert max(map(demand.margin_usd_per_day, grid)) < found.missing_usd_per_day + 1e-6
        return
    assert demand.margin_usd_per_day(found.usd_per_kwh) == pytest.approx(found.missing_usd_per_day, abs=1e-6)
    if residual >= fixed and found.usd_per_kwh > cost + 1e-6:
        below = np.linspace(cost, found.usd_per_kwh - 1e-6, 50)
        assert max(map(demand.margin_usd_per_day, below)) <= found.missing_usd_per_day + 1e-6


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"reference_kwh_per_day": 0.0}, NoRate.NO_SALES),
        ({"elasticity": 1.0, "flexibility": 1.0, "residual_usd_per_day": 2.0}, NoRate.ABOVE_PEAK),
        ({"residual_usd_per_day": 40.0}, NoRate.ABOVE_CAP),
    ],
)
def test_where_there_is_no_rate_it_says_why(change: dict, reason: NoRate) -> None:
    found = default_rate(ClassDemand(**CLASS | change))
    assert (found.usd_per_kwh, found.reason) == (None, reason)
    assert found.largest_margin_usd_per_day < found.missing_usd_per_day


def test_a_class_that_pays_by_its_fixed_charge_needs_no_more_than_marginal_cost() -> None:
    paid = CLASS | {"fixed_charge_usd_per_day": 1.0}
    assert default_rate(ClassDemand(**paid)).usd_per_kwh == pytest.approx(0.1)
    assert default_rate(ClassDemand(**paid | {"reference_kwh_per_day": 0.0})).usd_per_kwh == 0.1
    less = default_rate(ClassDemand(**CLASS | {"fixed_charge_usd_per_day": 1.5})).usd_per_kwh
    assert less is not None
    assert less < 0.1


@pytest.mark.parametrize("elasticity", [1e-12, 1e-10, 1e-8])
@pytest.mark.parametrize("fixed", [0.0, 2.0])
def test_a_class_that_hardly_answers_has_the_rate_of_one_that_does_not(elasticity: float, fixed: float) -> None:
    paid = CLASS | {"fixed_charge_usd_per_day": fixed}
    rigid = default_rate(ClassDemand(**paid | {"elasticity": 0.0})).usd_per_kwh
    found = default_rate(ClassDemand(**paid | {"elasticity": elasticity}))
    assert found.reason is None
    assert found.usd_per_kwh == pytest.approx(rigid, abs=10 * elasticity + 1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reference_price_usd_per_kwh": 0.0}, "reference_price_usd_per_kwh is 0.0; give a price above 0"),
        ({"reference_kwh_per_day": -1.0}, "reference_kwh_per_day is -1.0; give 0 or more"),
        ({"elasticity": float("nan")}, "elasticity is nan; give a finite number"),
        ({"flexibility": 1.5}, "flexibility is 1.5; give a number from 0 to 1"),
    ],
)
def test_a_class_that_cannot_be_is_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        ClassDemand(**CLASS | change)
    with pytest.raises(ValueError, match=r"^cap_usd_per_kwh is nan; give a finite number$"):
        default_rate(ClassDemand(**CLASS), float("nan"))


def test_loads_of_other_entries_and_a_residual_that_is_none_are_refused() -> None:
    two, three = (
        Loads(own_marginal_cost_usd_per_day=one, imported_kwh_per_day=one) for one in (np.ones(2), np.ones(3))
    )
    with pytest.raises(ValueError, match=r"after.own_marginal_cost_usd_per_day has shape \(3,\); give \(2,\)"):
        shift_incidence(two, three, 1.0, allotter=Allotter.PER_CUSTOMER)
    with pytest.raises(ValueError, match=r"^residual_usd_per_household_day is nan; give a finite number$"):
        shift_incidence(two, two, float("nan"), allotter=Allotter.PER_CUSTOMER)
