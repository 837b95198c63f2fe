"""The grid-access charge by hand, and the standing charges of a tariff."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scenarios import small_economy, small_tariff

from meanwatt.agents.tariff.components.access_charge import AccessCharge


@dataclass(frozen=True)
class Home:
    """A customer in three numbers."""

    group: int = 0
    technology: str = "none"
    pv_installed_kw: float = 0.0


def test_homes_pay_by_kw_of_solar_and_by_technology() -> None:
    charge = AccessCharge(usd_per_pv_kw_day=0.05, usd_per_household_day={"pv": 0.1, "battery": -0.02})
    for home, paid in (
        (Home(), 0.0),
        (Home(technology="pv", pv_installed_kw=4.0), 0.05 * 4 + 0.1),
        (Home(technology="pv_battery", pv_installed_kw=6.5), 0.05 * 6.5),
        (Home(technology="battery"), -0.02),
    ):
        assert charge.usd_per_day(home) == pytest.approx(paid, abs=1e-15)
    assert AccessCharge(usd_per_household_day=0.3).usd_per_day(Home(technology="battery")) == 0.3


def test_a_number_that_is_none_is_refused_in_one_line() -> None:
    for settings, sentence in (
        ({"usd_per_pv_kw_day": float("nan")}, r"access_charge\.usd_per_pv_kw_day is nan; give a finite number"),
        ({"usd_per_household_day": float("inf")}, r"access_charge\.usd_per_household_day is inf; give a finite"),
        ({"usd_per_household_day": {"pv": float("nan")}}, r"access_charge\.usd_per_household_day\.pv is nan; give"),
    ):
        with pytest.raises(ValueError, match=sentence):
            AccessCharge(**settings)


def test_standing_charges_are_the_fixed_charge_and_the_others_by_name() -> None:
    tariff = small_tariff(small_economy(), standing_charges=(AccessCharge(usd_per_pv_kw_day=0.1),))
    homes = [Home(group=1), Home(group=0, technology="pv", pv_installed_kw=3.0)]
    parts = tariff.standing_parts_usd_per_day(np.array([0.2, 0.7]), homes)
    assert list(parts) == ["fixed_charge", "access_charge"]
    assert parts["fixed_charge"].tolist() == [0.7, 0.2]
    np.testing.assert_allclose(parts["access_charge"], [0.0, 0.3])
    np.testing.assert_allclose(tariff.standing_usd_per_day(np.array([0.2, 0.7]), homes), [0.7, 0.5])
    without = replace(tariff, standing_charges=())
    assert without.standing_usd_per_day(np.array([0.2, 0.7]), homes).tolist() == [0.7, 0.2]


def test_two_charges_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="tariff small: the standing charge access_charge comes twice; give every"):
        small_tariff(small_economy(), standing_charges=(AccessCharge(), AccessCharge(usd_per_pv_kw_day=1.0)))
