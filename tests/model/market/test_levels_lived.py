"""The levels of all batteries over a day are those that the kernel's sums, the columns and single walks say."""

import numpy as np
import pytest
from scenarios import WITH_VEHICLES

from meanwatt.model.market.home_day import Morning, home_day
from meanwatt.model.market.levels_lived import levels_lived
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

HOMES = 400


@pytest.mark.parametrize(
    ("name", "tariff", "overrides"),
    [("oahu", "filed", {}), ("textbook", "rtp", WITH_VEHICLES), ("textbook", "rtp", {})],
)
def test_levels_are_to_the_last_one_those_of_the_market(name: str, tariff: str, overrides: dict) -> None:
    scenario = load_scenario(name, tariff=tariff, overrides=overrides)
    economy = build_economy(scenario)
    found = solve_equilibrium(economy, build_tariff(scenario), tolerance_usd_per_kwh=1e-5, certify=False)
    behaviour = {"equilibrium": 0.7, "passive": 0.3}
    market = ProsumerMarket(economy, households=HOMES, policies=found, behaviour=behaviour, rng=8, power_flow=False)
    for _ in range(2):
        morning = Morning.of(market.population)
        market.step()
        stored, people = np.zeros(economy.slots), market.population
        for kind, own in enumerate(market.household_types):
            levels = levels_lived(market, morning, kind)
            ids = range(*people.of_type(kind).indices(people.households))
            assert np.array_equal(levels[-1], people.level[people.of_type(kind)])
            assert levels.shape == (economy.slots, len(ids))
            for place in {0, len(ids) - 1} if len(ids) else set():
                assert np.array_equal(levels[:, place], home_day(market, morning, ids[place]).level[1:])
            stored += (own.battery.level_kwh if own.battery else 0.0) * levels.sum(axis=1)
        assert stored / HOMES == pytest.approx(market.history[-1].stored_kwh, abs=1e-12)
    market.close()
