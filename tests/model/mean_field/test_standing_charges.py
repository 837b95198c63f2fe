"""Charges that do not depend on use (theorem A2): bills and recovery see them, behaviour does not."""

from dataclasses import replace

import numpy as np
import pytest
from scenarios import preset_economy, preset_tariff, solved

from meanwatt.agents.tariff.components.access_charge import AccessCharge
from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.analysis.metrics.equity import DAYS_PER_YEAR
from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.mean_field.leader.mixed_tariff import require_mixable

COARSE = "battery_levels=5"
PER_KW, BY_TECHNOLOGY = 0.05, {"pv": 0.1, "pv_battery": 0.2}
CHARGED = (
    f"tariff.access_charge.usd_per_pv_kw_day={PER_KW}",
    "tariff.access_charge.usd_per_household_day={pv=0.1, pv_battery=0.2}",
)
ROOF_KW = 4.0


def pair(tariff: str, recovery: str) -> tuple[Equilibrium, Equilibrium]:
    """The same tariff without and with the charge."""
    posted = f"tariff.recovery={recovery}"
    return solved("textbook", tariff, COARSE, posted), solved("textbook", tariff, COARSE, posted, *CHARGED)


def by_hand(found: Equilibrium) -> np.ndarray:
    """Access charge of every type in plain words. (θ,) [USD/day]"""
    charge = {"pv": ROOF_KW * PER_KW + 0.1, "pv_battery": ROOF_KW * PER_KW + 0.2}
    return np.array([charge.get(household.technology, 0.0) for household in found.economy.types])


@pytest.mark.parametrize("tariff", ["rtp", "filed"])
@pytest.mark.parametrize("recovery", ["posted", "fixed"])
def test_the_charge_changes_no_bit_of_behaviour(tariff: str, recovery: str) -> None:
    without, charged = pair(tariff, recovery)
    for name in ("wholesale_usd_per_kwh", "net_load_kw", "type_net_load_kw"):
        assert getattr(without, name).tobytes() == getattr(charged, name).tobytes(), name
    for one, other in zip(without.answer.responses, charged.answer.responses, strict=True):
        assert one.policy.probability.tobytes() == other.policy.probability.tobytes()
        assert one.policy.net_load_kw.tobytes() == other.policy.net_load_kw.tobytes()
    for one, other in zip(without.laws, charged.laws, strict=True):
        assert one.tobytes() == other.tobytes()
    assert (without.iterations, without.residual_usd_per_kwh) == (charged.iterations, charged.residual_usd_per_kwh)


def test_posted_the_charge_is_on_the_bill_and_in_the_surplus() -> None:
    without, charged = pair("tou", "posted")
    paid = by_hand(charged)
    np.testing.assert_allclose(charged.bill_usd_per_day, without.bill_usd_per_day + paid, atol=1e-13)
    revenue = float(charged.economy.type_share @ paid)
    assert revenue > 0.05
    assert charged.surplus_usd_per_household_day == pytest.approx(
        without.surplus_usd_per_household_day + revenue, abs=1e-13
    )
    metrics = equilibrium_metrics(charged)
    assert metrics.surplus_usd_per_household_day == pytest.approx(charged.surplus_usd_per_household_day, abs=1e-12)
    assert metrics.welfare_usd_per_household_day == equilibrium_metrics(without).welfare_usd_per_household_day


def test_under_fixed_recovery_the_level_of_the_fixed_charge_balances_what_is_left() -> None:
    without, charged = pair("tou", "fixed")
    revenue = float(charged.economy.type_share @ by_hand(charged))
    assert charged.surplus_usd_per_household_day == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(  # its shape is even
        charged.fixed_charge_usd_per_day, without.fixed_charge_usd_per_day - revenue, atol=1e-12
    )
    np.testing.assert_allclose(
        charged.bill_usd_per_day, without.bill_usd_per_day + by_hand(charged) - revenue, atol=1e-12
    )


def test_under_volumetric_recovery_the_adder_is_smaller_and_balances() -> None:
    without, charged = pair("tou", "volumetric")
    assert 0 < charged.adder_usd_per_kwh < without.adder_usd_per_kwh
    assert charged.surplus_usd_per_household_day == pytest.approx(0.0, abs=1e-7)
    assert equilibrium_metrics(charged).surplus_usd_per_household_day == pytest.approx(0.0, abs=1e-7)


def test_the_burden_of_a_group_is_that_of_its_bills() -> None:
    without, charged = pair("tou", "posted")
    before, after = equilibrium_metrics(without).burden, equilibrium_metrics(charged).burden
    economy, paid = charged.economy, by_hand(charged)
    for g, name in enumerate(economy.groups):
        kinds = [k for k, household in enumerate(economy.types) if household.group == g]
        share = np.array([economy.types[k].share for k in kinds])
        mean = float(share @ paid[kinds] / share.sum())
        expected = before[name] + DAYS_PER_YEAR * mean / economy.group_income_usd_per_year[g]
        assert after[name] == pytest.approx(expected, abs=1e-15)
    assert after["low"] == before["low"], "nobody there has a roof"


def test_a_charge_that_nobody_pays_is_said() -> None:
    dark = solved("textbook", "tou", COARSE, "pv_share_scale=0", "tariff.access_charge.usd_per_pv_kw_day=0.05")
    sentence = "tariff.access_charge: no household of the scenario pays it, for none has what it is charged on."
    assert sentence in dark.messages
    assert sentence not in pair("tou", "posted")[1].messages


def test_tariffs_of_other_charges_are_not_mixed() -> None:
    tou = replace(preset_tariff("textbook", "tou"), recovery=Recovery.FIXED)
    charged = replace(tou, name="charged", standing_charges=(AccessCharge(usd_per_pv_kw_day=0.05),))
    with pytest.raises(
        ValueError, match=r"tariffs tou and charged differ in standing_charges, \(\) and \(AccessCharge"
    ):
        require_mixable([tou, charged])
    require_mixable([charged, charged])
    assert len(preset_economy("textbook").types) > 3


def test_an_adder_that_would_be_negative_is_left_out_and_the_surplus_is_said() -> None:
    found = solved("textbook", "flat", "tariff.access_charge.usd_per_pv_kw_day=5")
    surplus = found.surplus_usd_per_household_day
    assert found.adder_usd_per_kwh == 0
    assert surplus > 1
    assert found.messages[-1] == (
        f"tariff.recovery = volumetric: without an adder, which is never below 0, revenue exceeds cost by {surplus:.3g}"
        " USD per household-day; the utility keeps it."
    )
    assert not any("adder" in sentence for sentence in solved("textbook", "flat").messages)
