"""Arms of a pilot are parts of one market: the same households, one price, a tariff for each."""

import numpy as np
import pytest
from scenarios import preset_tariff, solved

from meanwatt.model.market.arms import MarketArms
from meanwatt.model.market.market import ProsumerMarket

NAMES = ("flat", "tou", "rtp")


def arms(behaviour: str = "qlearning", households: int = 90, apart: bool = False) -> MarketArms:
    return MarketArms(
        solved("textbook", "filed"), arms=3, households=households, behaviour=behaviour, rng=7, apart=apart
    )


@pytest.mark.parametrize("behaviour", ["qlearning", "belief", "equilibrium"])
def test_arms_under_one_tariff_are_the_undivided_market_bit_for_bit(behaviour: str) -> None:
    divided = arms(behaviour)
    whole = ProsumerMarket(
        divided.markets[0].economy,
        policies=solved("textbook", "filed"),
        households=90,
        behaviour=behaviour,
        rng=7,
        power_flow=False,
    )
    for _ in range(4):
        divided.step()
        whole.step()
    price = whole.history.stacked("wholesale_usd_per_kwh")
    for market in divided.markets:
        assert np.array_equal(market.history.stacked("wholesale_usd_per_kwh"), price)
    assert divided.households == 90
    bills = np.sort(np.concatenate([market.population.bill_usd for market in divided.markets]))
    assert np.array_equal(bills, np.sort(whole.population.bill_usd))


def test_every_arm_is_billed_by_its_own_tariff_at_one_price() -> None:
    pilot, tariffs = arms(), [preset_tariff("textbook", name) for name in NAMES]
    pilot.post(tariffs)
    pilot.step()
    readings = pilot.meter()
    assert [reading.tariff.name for reading in readings] == list(NAMES)
    for reading in readings[1:]:
        assert np.array_equal(reading.wholesale_usd_per_kwh, readings[0].wholesale_usd_per_kwh)
    economy = pilot.markets[0].economy
    weight = [market.households / pilot.households for market in pilot.markets]
    load = sum(w * reading.net_load_kw[0] for w, reading in zip(weight, readings, strict=True))
    expected = economy.supply.price(load + economy.rest_load_kw[0])
    assert readings[0].wholesale_usd_per_kwh[0] == pytest.approx(expected, abs=1e-12)
    assert np.ptp(readings[0].import_usd_per_kwh) < np.ptp(readings[1].import_usd_per_kwh)


def test_arms_apart_have_all_the_households_and_a_price_of_their_own() -> None:
    pilot = arms(apart=True)
    pilot.post([preset_tariff("textbook", name) for name in NAMES])
    for _ in range(3):
        pilot.step()
    assert [market.households for market in pilot.markets] == [90, 90, 90]
    first, second, third = (reading.wholesale_usd_per_kwh for reading in pilot.meter())
    assert not np.array_equal(first, second)
    assert not np.array_equal(second, third)


def test_a_copy_of_arms_lives_the_same_days() -> None:
    pilot = arms()
    pilot.step()
    twin = pilot.copied()
    for one in (pilot, twin):
        one.post([preset_tariff("textbook", name) for name in NAMES])
        one.step()
    for market, other in zip(pilot.markets, twin.markets, strict=True):
        assert market.day_digest == other.day_digest
        assert np.array_equal(market.population.bill_usd, other.population.bill_usd)


def test_one_arm_and_arms_without_an_income_group_are_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match=r"^a pilot compares tariffs, and 1 arm came; give a menu of at least 2$"):
        MarketArms(solved("textbook", "filed"), arms=1, households=90, behaviour="belief", rng=0)
    with pytest.raises(
        ValueError,
        match=r"^7 households for 3 arms is too few: arm 1 has none of income group \w+; give more households or a "
        r"shorter menu$",
    ):
        arms(households=7)
