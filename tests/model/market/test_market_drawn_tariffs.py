"""A finite market under a tariff drawn every midnight: what it strays from the continuum, by what is remembered."""

from functools import cache

import numpy as np
import pytest
from conditional_load import days_of, floor_by_day_kw, loads_along
from drawn_game import drawn

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.analysis.validation.expected import expected_scatter_kw2
from meanwatt.model.market.apportionment import largest_remainder
from meanwatt.model.market.market import ProsumerMarket

HOUSEHOLDS = 4_000
DAYS = 60
MARKETS = 4


@cache
def market(memory: int, seed: int) -> tuple[Ints, Floats]:
    """Common states (day,) of a market and its mean net load (day, h)."""
    found = drawn(memory)
    one = ProsumerMarket(found.economy, households=HOUSEHOLDS, policies=found, rng=(0, seed), power_flow=False)
    for _ in range(DAYS):
        one.step()
    records = [one.history[day] for day in range(DAYS)]
    one.close()
    return np.array([r.common_state for r in records]), np.array([r.net_load_kw for r in records])


def off_the_closure_kw(memory: int, seed: int) -> Floats:
    path, load_kw = market(memory, seed)
    return np.asarray(load_kw - drawn(memory).net_load_kw[path])


def test_shares_come_out_whole() -> None:
    share = drawn().economy.type_share
    assert largest_remainder(share, HOUSEHOLDS) == pytest.approx(share * HOUSEHOLDS, abs=1e-6)


@pytest.mark.parametrize("memory", [0, 1, 2])
def test_given_all_draws_the_households_scatter_as_independent_ones_do(memory: int) -> None:
    """What is left, once the continuum's own load along these draws is taken off, is a mean of N variables."""
    found = drawn(memory)
    square = []
    for seed in range(MARKETS):
        path, load_kw = market(memory, seed)
        square.append(np.mean((load_kw - loads_along(days_of(found), path)) ** 2, axis=1))
    of_days = np.concatenate(square)
    error = of_days.std(ddof=1) / np.sqrt(len(of_days) / 3)  # states of charge last for a day or two
    assert np.mean(square) == pytest.approx(expected_scatter_kw2(found, HOUSEHOLDS), abs=4.5 * error)


@pytest.mark.parametrize("memory", [0, 1, 2])
def test_the_markets_floor_is_what_the_law_says_day_by_day(memory: int) -> None:
    """E(L^N − L[c])² = a²/N + f²: on day 0 without f, then with that of all draws so far."""
    found = drawn(memory)
    predicted = expected_scatter_kw2(found, HOUSEHOLDS) + floor_by_day_kw(found, DAYS) ** 2
    square = np.array([np.mean(off_the_closure_kw(memory, seed) ** 2, axis=1) for seed in range(MARKETS)])
    assert square[:, 0].max() < 4 * predicted[0], "chance alone: a mean of squares over three slots"
    later = square[:, 1:]
    error = later.std(ddof=1) / np.sqrt(later.size / 3)
    assert later.mean() == pytest.approx(predicted[1:].mean(), abs=4.5 * error)


def test_the_floor_falls_when_memory_counts_draws() -> None:
    """Mean squares over those of independent households: 1 where nothing is seen of a floor."""
    ratios = []
    for memory in (0, 1, 2):
        square = np.mean([np.mean(off_the_closure_kw(memory, seed) ** 2) for seed in range(MARKETS)])
        ratios.append(square / expected_scatter_kw2(drawn(memory), HOUSEHOLDS))
    floors = np.sqrt(np.maximum(np.array(ratios) - 1, 0))
    assert floors[1] < floors[0] / 4
    assert floors[2] < floors[1] / 2
    assert ratios[2] < 2 < ratios[1]
