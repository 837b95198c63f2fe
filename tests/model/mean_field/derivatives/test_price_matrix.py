"""The derivative of the net load made state by state: the same matrix as all at once, and when it pays."""

from dataclasses import replace

import numpy as np
import pytest
from scenarios import small_battery, small_economy, small_tariff

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.mean_field.derivatives import population_sensitivity as sensitivity
from meanwatt.model.mean_field.derivatives.population_sensitivity import dense_pays, matrix_pays, net_load_slope
from meanwatt.model.mean_field.derivatives.price_matrix import fewer_directions
from meanwatt.model.mean_field.population.population_response import population_response
from meanwatt.model.progress.watch import Cancelled, Watch

ROUNDING = 1e-11
"""Of the largest entry; midnight systems of small games are well conditioned."""


def slopes(monkeypatch: pytest.MonkeyPatch, seed: int = 1, **scenario: object) -> tuple[Floats, Floats]:
    """The derivative at random prices by all directions at once, and state by state."""
    economy = small_economy(temperature_usd=0.05, seed=seed, **scenario)
    tariff = small_tariff(economy, discount=np.array([0.2, 0.0]), export_pass_through=0.6)
    prices = np.random.default_rng(seed).uniform(0.05, 0.3, economy.rest_load_kw.shape)
    found = population_response(economy, tariff, prices, 0.0)
    both = []
    for pays in (False, True):
        monkeypatch.setattr(sensitivity, "state_by_state_pays", lambda economy, pays=pays: pays)
        both.append(net_load_slope(economy, tariff, found))
    return both[0], both[1]


@pytest.mark.parametrize("memory", [0, 1])
@pytest.mark.parametrize("discount", [1.0, 0.8])
@pytest.mark.parametrize("rule", ["entropy", "boltzmann"])
def test_state_by_state_the_matrix_is_that_of_all_directions_at_once(
    monkeypatch: pytest.MonkeyPatch, rule: str, discount: float, memory: int
) -> None:
    at_once, by_state = slopes(monkeypatch, value_rule=rule, discount_per_day=discount, memory=memory)
    assert np.abs(by_state - at_once).max() < ROUNDING * np.abs(at_once).max()


def test_many_states_of_few_levels_are_swept_one_by_one() -> None:
    """Slots + 2 × shocks × levels directions in each state, against states × slots in all, there and back twice."""
    assert fewer_directions(27, 48, 36)
    assert not fewer_directions(1, 24, 41)


def test_states_with_the_same_morning_ahead_count_once() -> None:
    """With a memory there are more common states than rows of their kernel; only these make the midnight system."""
    economy = small_economy(memory=1)
    states = len(economy.rest_load_kw)
    mornings = len(np.unique(economy.common.kernel, axis=0))
    assert mornings < states
    levels = 1_200 // (mornings * len(economy.shock_levels))
    owner = next(household for household in economy.types if household.battery is not None)
    large = replace(economy, types=(replace(owner, battery=small_battery(levels)),))
    slots = 2 * levels * len(economy.shock_levels)
    large = replace(large, rest_load_kw=np.zeros((states, slots)))
    assert not dense_pays(large, states * slots)
    assert matrix_pays(large, states * slots)
    assert not matrix_pays(large, states * slots - 1)


def test_it_stops_when_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    economy = small_economy(temperature_usd=0.05)
    tariff = small_tariff(economy)
    found = population_response(economy, tariff, np.full(economy.rest_load_kw.shape, 0.2), 0.0)
    monkeypatch.setattr(sensitivity, "state_by_state_pays", lambda economy: True)
    watch = Watch(cancelled=lambda: True)
    with pytest.raises(Cancelled):
        net_load_slope(economy, tariff, found, check=watch.check)
