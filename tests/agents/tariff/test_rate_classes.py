"""Tariffs side by side: who pays what, and which of them can balance one utility."""

from dataclasses import replace

import numpy as np
import pytest
from rate_class_worlds import BUYERS, STORING, in_classes, posted
from scenarios import small_economy

from meanwatt.agents.tariff.components.access_charge import AccessCharge
from meanwatt.agents.tariff.rate_classes import require_one_tariff, with_classes, with_classes_of
from meanwatt.agents.tariff.tariff import FIXED_CHARGE, ExportRule, Recovery, rates

ECONOMY = small_economy()
FLAT = posted(ECONOMY, name="flat", pass_through=0.0, discount=np.array([0.2, 0.0]), recovery=Recovery.VOLUMETRIC)
LIVE = posted(ECONOMY, name="live", pass_through=0.5, export_rule=ExportRule.NET_METERING, recovery=Recovery.VOLUMETRIC)
TODAY = ECONOMY.common.today
PRICE = np.random.default_rng(0).uniform(0.05, 0.3, (3, 3))


def test_every_customer_pays_the_rates_of_its_class_and_keeps_its_groups_discount() -> None:
    tariff = in_classes((FLAT, BUYERS), (LIVE, STORING))
    together = rates(tariff, TODAY, PRICE, 0.07)
    for household in ECONOMY.types:
        alone = FLAT if household.technology == "none" else LIVE
        expected = alone.for_group(rates(alone, TODAY, PRICE, 0.07), household.group)
        own = tariff.own_rates(together, household)
        assert np.array_equal(own.import_usd_per_kwh, expected.import_usd_per_kwh)
        assert np.array_equal(own.export_usd_per_kwh, expected.export_usd_per_kwh)
        assert tariff.of(household) is alone


def test_a_class_that_keeps_its_posted_rates_bears_no_adder() -> None:
    kept = replace(FLAT, recovery=Recovery.POSTED)
    tariff = in_classes((kept, BUYERS), (LIVE, STORING))
    assert tariff.recovery is Recovery.VOLUMETRIC
    before, after = (rates(tariff, TODAY, PRICE, adder) for adder in (0.0, 0.07))
    assert np.array_equal(before.import_usd_per_kwh, after.import_usd_per_kwh)
    assert np.allclose(after.by_class[1].import_usd_per_kwh - before.by_class[1].import_usd_per_kwh, 0.07, atol=1e-15)


def test_charges_are_those_of_the_class() -> None:
    charged = replace(LIVE, standing_charges=(AccessCharge(usd_per_household_day=0.4),))
    tariff = in_classes((FLAT, BUYERS), (charged, STORING))
    parts = tariff.standing_parts_usd_per_day(np.array([0.1, 0.2, 0.3, 0.5]), ECONOMY.types)
    who = [(household.technology, household.group) for household in ECONOMY.types]
    assert who == [("none", 0), ("pv_battery", 0), ("none", 1), ("pv_battery", 1)]
    assert parts[FIXED_CHARGE].tolist() == [0.1, 0.3, 0.2, 0.5]
    assert parts["access_charge"].tolist() == [0.0, 0.4, 0.0, 0.4]


def test_the_level_that_balances_is_shaped_class_by_class_and_leaves_posted_charges_alone() -> None:
    shaped = replace(FLAT, recovery=Recovery.FIXED, fixed_charge_shape=np.array([1.0, 3.0]))
    kept = replace(LIVE, recovery=Recovery.POSTED, fixed_charge_usd_per_day=np.array([0.2, 0.6]))
    tariff = in_classes((kept, STORING), (shaped, BUYERS))
    assert tariff.payer_shape.tolist() == [0.0, 0.0, 1.0, 3.0]
    assert tariff.held_charge_usd_per_day.tolist() == [0.2, 0.6, 0.0, 0.0]


def test_tariffs_that_no_utility_could_have_side_by_side_are_refused_in_one_line() -> None:
    for message, pairs in (
        ("one rule balances the utility", ((FLAT, BUYERS), (replace(LIVE, recovery=Recovery.FIXED), STORING))),
        ("technology none of income group number 0 has another class", ((FLAT, BUYERS), (LIVE, BUYERS[:1]))),
        ("is not of the size of flat", ((FLAT, BUYERS), (posted(small_economy(slots=4)), STORING))),
    ):
        with pytest.raises(ValueError, match=message) as caught:
            in_classes(*pairs)
        assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="there is no rate class; give at least one"):
        with_classes([])


def test_a_tariff_with_classes_cannot_be_changed_as_if_it_had_none() -> None:
    tariff = in_classes((FLAT, BUYERS), (LIVE, STORING))
    with pytest.raises(ValueError, match="is no longer its class class0; change the class's tariff"):
        replace(tariff, pass_through=0.3)
    with pytest.raises(ValueError, match="ask for the rates of a customer"):
        tariff.for_group(rates(tariff, TODAY, PRICE, 0.0), 0)
    with pytest.raises(ValueError, match="a search knows no rate classes, and there are class0, class1; put everybody"):
        require_one_tariff(tariff, "a search")
    with pytest.raises(ValueError, match="no rate class holds households with technology pv_battery"):
        in_classes((FLAT, BUYERS)).of(ECONOMY.types[1])


def test_classes_that_nobody_is_in_are_left_out_and_do_not_balance_the_utility() -> None:
    kept = replace(FLAT, name="kept", recovery=Recovery.POSTED)
    tariff = in_classes((kept, [BUYERS[0]]), (LIVE, [BUYERS[1]]), (kept, STORING))
    buyers = [own for own in ECONOMY.types if own.technology == "none"]
    storing = [own for own in ECONOMY.types if own.technology != "none"]
    assert with_classes_of(tariff, ECONOMY.types) is tariff
    assert with_classes_of(FLAT, storing) is FLAT
    assert with_classes_of(tariff, storing) is kept
    two = with_classes_of(tariff, buyers)
    assert [one.name for one in two.classes] == ["class0", "class1"]
    assert two.recovery is Recovery.VOLUMETRIC
    left = with_classes_of(tariff, [own for own in ECONOMY.types if own.group == 0])
    assert [one.name for one in left.classes] == ["class0", "class2"]
    assert left.recovery is Recovery.POSTED
