"""A shock that is a cycle as long as a part of the day is no chance at all: three types of households in its place."""

from dataclasses import replace

import numpy as np
import pytest
from scenarios import small_economy, small_tariff

from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.loading import load_scenario

LEVELS = np.array([0.6, 1.0, 1.4])
CYCLE = np.roll(np.eye(3), 1, axis=1)


def with_cycle(economy: Economy) -> Economy:
    return replace(economy, shock_levels=LEVELS, shock_kernel=CYCLE, shock_probability=np.full(3, 1 / 3))


def with_three_types(economy: Economy) -> Economy:
    """Every type cut into the three groups that the cycle makes, each with its own certain load."""
    slots = np.arange(economy.slots)
    types = tuple(
        replace(
            household,
            share=household.share / 3,
            reference_kw=household.reference_kw * LEVELS[(first + slots) % 3],
        )
        for household in economy.types
        for first in range(3)
    )
    one = np.ones(1)
    return replace(economy, types=types, shock_levels=one, shock_kernel=one[None], shock_probability=one)


@pytest.mark.parametrize("recovery", [Recovery.POSTED, Recovery.VOLUMETRIC])
@pytest.mark.parametrize(
    ("temperature", "discount", "rule"),
    [
        (0.05, 1.0, "entropy"),
        (0.005, 1.0, "entropy"),
        (0.02, 1.0, "boltzmann"),
        (0.02, 0.8, "entropy"),
        (0.0, 1.0, "entropy"),
    ],
)
def test_a_cycle_of_shocks_is_solved_as_the_three_certain_types_that_it_is(
    temperature: float, discount: float, rule: str, recovery: Recovery
) -> None:
    settings = {"temperature_usd": temperature, "discount_per_day": discount, "value_rule": rule}
    economy = small_economy(slots=3, **settings)
    tariff = small_tariff(economy, recovery=recovery)
    cycle = solve_equilibrium(with_cycle(economy), tariff)
    types = solve_equilibrium(with_three_types(economy), tariff)
    assert cycle.converged
    assert types.converged
    assert cycle.wholesale_usd_per_kwh == pytest.approx(types.wholesale_usd_per_kwh, abs=1e-8)
    assert cycle.adder_usd_per_kwh == pytest.approx(types.adder_usd_per_kwh, abs=1e-8)
    assert cycle.exploitability_usd_per_household_day == pytest.approx(
        types.exploitability_usd_per_household_day, abs=1e-7
    )
    if temperature > 0:
        assert cycle.contraction == pytest.approx(types.contraction, abs=1e-6)
    if temperature > 0 or recovery is Recovery.POSTED:
        assert cycle.net_load_kw == pytest.approx(types.net_load_kw, abs=1e-6)


@pytest.mark.parametrize("temperature", [0.02, 0.0])
def test_a_market_draws_as_many_households_for_each_group_as_the_shocks_law_says(temperature: float) -> None:
    scenario = load_scenario(
        "textbook",
        tariff="rtp",
        overrides={
            "temperature_usd": temperature,
            "shock.levels": LEVELS.tolist(),
            "shock.kernel": CYCLE.tolist(),
        },
    )
    market = ProsumerMarket(scenario, households=3000, rng=7)
    first = np.bincount(market.population.shock, minlength=3)
    assert np.abs(first - 1000).max() <= 4 * np.sqrt(3000 * 2 / 9)
    market.step()
    assert (np.bincount(market.population.shock, minlength=3) == first).all()  # 24 slots later each is where it was
    market.close()
