"""Electric vehicles in the finite market: it samples the continuum, and nobody moves on the road."""

import numpy as np
import pytest
from scenarios import WITH_VEHICLES

from meanwatt.agents.behaviour.protocol import Situation
from meanwatt.analysis.metrics.utility_meter import UtilityMeter
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

ROAD = np.arange(9, 18)
"""Slots on the road, the departure's left out."""


@pytest.fixture(scope="module")
def found() -> Equilibrium:
    scenario = load_scenario("textbook", overrides={**WITH_VEHICLES, "ev.trip_kwh": 9.7, "ev.unmet_usd_per_kwh": 0.12})
    return solve_equilibrium(build_economy(scenario), build_tariff(scenario, "rtp"), certify=False)


def test_load_wear_and_unmet_trips_are_the_continuums_up_to_sampling(found: Equilibrium) -> None:
    """20,000 households over five days; within five standard errors, taken from the spread over parts of the market."""
    market = ProsumerMarket(found.economy, policies=found, households=20_000, rng=3, power_flow=False)
    meter = UtilityMeter(market)
    lacking, wear = [], []
    for _ in range(5):
        meter.before()
        market.step()
        enjoyed = meter.after()
        lacking.append(enjoyed.unmet_trip_kwh / market.households)
        wear.append(enjoyed.wear_usd / market.households)
    meter.close()
    load_kw = market.history.stacked("net_load_kw").mean(axis=0)
    assert load_kw == pytest.approx(found.net_load_kw[0], abs=5 * 2.0 / np.sqrt(20_000))
    assert np.mean(lacking) == pytest.approx(found.unmet_trip_kwh_per_household_day, rel=0.03)
    shares = found.economy.type_share
    assert np.mean(wear) == pytest.approx(float(shares @ found.answer.wear_usd_per_day), rel=0.03)


@pytest.mark.parametrize("behaviour", ["equilibrium", "belief", "qlearning", "passive", "price_threshold"])
def test_no_vehicle_charges_on_the_road_and_its_use_is_metered_as_without_one(
    found: Equilibrium, behaviour: str
) -> None:
    """On the road the meter shows use less sun: that of the same income without a storage, whatever the way to decide.

    Use answers the expected rates alone, so homes of one income group and shock have the same there.
    """
    market = ProsumerMarket(found.economy, policies=found, households=600, rng=5, behaviour=behaviour, power_flow=False)
    for _ in range(3):
        before = [market.prosumer(i).level for i in range(600)]
        market.step()
        for kind in (k for k, home in enumerate(market.household_types) if home.technology == "ev"):
            rows = market.population.of_type(kind)
            twin = market.population.of_type(
                next(
                    k
                    for k, home in enumerate(market.household_types)
                    if home.technology == "none" and home.group == market.household_types[kind].group
                )
            )
            own, others = (set(market.population.energy_kwh[r][:, ROAD].ravel().tolist()) for r in (rows, twin))
            assert own <= others
    if behaviour in ("passive", "price_threshold"):  # they are full long before they leave
        levels = [market.prosumer(i).level for i in range(600) if market.prosumer(i).technology == "ev"]
        assert min(levels) > 0
        assert len(before) == 600


def test_a_strategy_chooses_at_home_and_is_driven_on_the_road(found: Equilibrium) -> None:
    seen: list[Situation] = []

    class Charger:
        def move(self, situation: Situation) -> int:
            seen.append(situation)
            return int(situation.moves[-1])

    market = ProsumerMarket(found.economy, policies=found, households=200, rng=5, power_flow=False)
    owner = next(i for i in range(200) if market.prosumer(i).technology == "ev")
    market.strategies[owner] = Charger()
    meter = UtilityMeter(market)
    meter.before()
    market.step()
    enjoyed = meter.after()
    meter.close()
    assert [len(situation.moves) > 1 for situation in seen[8:18]] == [False] * 10
    assert all(situation.moves.tolist() == [situation.planned_move] for situation in seen[8:18])
    at_home = [situation for situation in seen if not 8 <= situation.slot < 18]
    assert all(situation.moves[0] == 0 for situation in at_home)
    assert max(situation.level for situation in seen) > seen[8].level + int(seen[8].moves[0])
    assert enjoyed.unmet_trip_kwh >= 0
