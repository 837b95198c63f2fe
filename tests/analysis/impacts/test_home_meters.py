"""A year of one home's meter: a home of the market, the same in a market of any size, billed as the command bills."""

import re

import numpy as np
import pytest

from meanwatt.analysis.impacts.home_meters import HomeMeters, bill_home, home_meters
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario


@pytest.fixture(scope="module")
def found() -> Equilibrium:
    scenario = load_scenario("textbook", tariff="filed")
    return solve_equilibrium(build_economy(scenario), build_tariff(scenario), certify=False)


@pytest.fixture(scope="module")
def meters(found: Equilibrium) -> HomeMeters:
    return home_meters(found)


def test_a_home_is_the_first_of_its_type_in_a_market_of_any_size(found: Equilibrium, meters: HomeMeters) -> None:
    market = ProsumerMarket(found.economy, policies=found, power_flow=False, households=700, rng=0)
    first = [market.population.first[place] for place, one in enumerate(found.economy.types) if one.share > 0]
    for day in range(3):
        market.step()
        hours = slice(24 * day, 24 * day + 24)
        np.testing.assert_array_equal(meters.net_kwh[:, hours], market.population.energy_kwh[first])
    market.close()
    assert meters.names == tuple(one.name for one in found.economy.types if one.share > 0)
    assert meters.net_kwh.shape[1] == 8760


def test_what_is_drawn_less_what_is_fed_in_is_the_meter_and_who_has_no_sun_feeds_nothing(meters: HomeMeters) -> None:
    for name, net in zip(meters.names, meters.net_kwh, strict=True):
        drawn, fed = meters.readings(name)
        assert (fed is None) == name.endswith("/none")
        feeds = np.zeros(len(net)) if fed is None else fed.values
        assert (drawn.values * feeds == 0).all()
        np.testing.assert_array_equal(drawn.values - feeds, net)


def test_a_bill_is_the_energy_times_its_rate_under_one_price_all_year(meters: HomeMeters) -> None:
    found = bill_home(meters, "low/none", tariff="heco_r")
    kwh = meters.readings("low/none")[0].values.sum()
    (rate,) = set(found.book.energy.rate_usd_per_kwh[:, 0].tolist())
    assert found.bill.energy_usd.sum() == pytest.approx(kwh * rate, rel=1e-12)
    assert "The home's days are drawn" in found.messages[-1]


def test_what_a_net_meter_cannot_tell_and_homes_that_are_not_there_are_refused_in_one_line(meters: HomeMeters) -> None:
    said = "metering buy_all_sell_all needs what is used and what is generated, and the home middle/pv has a meter"
    with pytest.raises(ValueError, match=re.escape(said)):
        bill_home(meters, "middle/pv", tariff="pge_e_elec", metering="buy_all_sell_all")
    with pytest.raises(ValueError, match=re.escape("unknown home 'middle/pw'; did you mean 'middle/pv'?")):
        meters.readings("middle/pw")


def test_it_stops_when_it_is_asked_to(found: Equilibrium) -> None:
    days: list[str] = []
    with pytest.raises(Cancelled):
        home_meters(found, watch=Watch(cancelled=lambda: len(days) == 2), told=lambda text, _: days.append(text))
    assert days == ["day 1 of 365", "day 2 of 365"]
