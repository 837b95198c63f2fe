"""What the common state forgets: the closure's error against larger chains, all histories, and long random paths."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from conditional_load import days_of, floor_by_day_kw, loads_along, random_path
from drawn_game import calm, drawn, even, peaks, windy
from scenarios import small_economy, small_tariff, solved

from meanwatt.agents.household.decision_problem import OneDay
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.model.mean_field.closure import _links, closure_error_kw
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.leader.drawn_states import drawn_states
from meanwatt.model.mean_field.leader.mixed_tariff import extended_economy, extended_tariff
from meanwatt.model.mean_field.population.flow import stationary_flow
from meanwatt.model.scenario.weather import CommonStates

DAYS = 4000
BATCHES = 40


def error_kw(found: Equilibrium) -> float:
    return found.closure_error_kw


def load_in_larger_chain(found: Equilibrium, backward: Floats, smaller: Ints) -> Floats:
    """Load (n, h) where the same policies meet a chain that remembers more, each state n known by its smaller one."""
    economy, load = found.economy, np.zeros((len(smaller), found.economy.slots))
    for household, policy in zip(economy.types, found.policies, strict=True):
        lifted = replace(
            policy,
            probability=policy.probability[smaller],
            net_load_kw=policy.net_load_kw[smaller],
            use_kw=policy.use_kw[smaller],
            split=None,
        )
        flow = stationary_flow(lifted, economy.shock_kernel, economy.shock_probability, backward)
        load += household.share * (flow.frequency * lifted.net_load_kw).sum(axis=(2, 3))
    return load


def spread_kw(found: Equilibrium, probability: Floats, backward: Floats, smaller: Ints) -> float:
    off = load_in_larger_chain(found, backward, smaller) - found.net_load_kw[smaller]
    return float(np.sqrt(probability @ (off**2).mean(axis=1)))


def weather_alone(memory: int) -> tuple[Equilibrium, CommonStates, Ints]:
    """An equilibrium under weather only, the chain that remembers one day more, and its states' smaller ones."""
    economy, longer = windy(memory), windy(memory + 1).common
    found = solve_equilibrium(economy, small_tariff(economy), certify=False)
    number = {tuple(h): c for c, h in enumerate(economy.common.histories.tolist())}
    return found, longer, np.array([number[tuple(h[1:])] for h in longer.histories.tolist()])


@pytest.mark.parametrize("memory", [0, 1])
def test_under_weather_alone_it_is_what_one_more_remembered_day_type_tells(memory: int) -> None:
    found, longer, smaller = weather_alone(memory)
    expected = spread_kw(found, longer.probability, longer.backward, smaller)
    assert expected > 1e-4
    assert error_kw(found) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("past_draws", [0, 1, 2])
def test_under_draws_alone_it_is_what_one_more_remembered_draw_tells(past_draws: int) -> None:
    found = drawn(past_draws)
    longer = drawn_states(calm().common, even(calm(), 2), past_draws=past_draws + 1)
    now = drawn_states(calm().common, even(calm(), 2), past_draws=past_draws)
    number = {tuple(e): n for n, e in enumerate(now.element.tolist())}
    smaller = np.array([number[tuple(e[1:])] for e in longer.element.tolist()])
    expected = spread_kw(found, longer.probability, longer.backward, smaller)
    assert expected > 1e-4
    assert error_kw(found) == pytest.approx(expected, rel=1e-6)


def test_under_weather_and_draws_it_is_what_yesterdays_day_type_and_draw_tell_together() -> None:
    found = drawn(weather=True)
    longer = drawn_states(windy(1).common, even(windy(1), 2), past_draws=1)
    smaller = 2 * windy(1).common.today[longer.weather] + longer.today
    expected = spread_kw(found, longer.probability, longer.backward, smaller)
    assert error_kw(found) == pytest.approx(expected, rel=1e-6)
    assert expected > error_kw(drawn(1, weather=True)) > 0


@pytest.mark.parametrize(("memory", "weather"), [(0, False), (1, False), (0, True)])
def test_the_floor_builds_up_from_nothing_by_the_closures_error_on_the_second_day(memory: int, weather: bool) -> None:
    """The oracle carries second moments of the law through all histories."""
    found = drawn(memory, weather=weather)
    floor = floor_by_day_kw(found, 30)
    assert floor[0] == pytest.approx(0.0, abs=1e-9)
    assert floor[1] == pytest.approx(error_kw(found), rel=1e-6)
    assert (np.diff(floor) > -1e-9).all()
    assert floor[-1] == pytest.approx(floor[-2], rel=1e-6), "all that matters of the past has come"
    assert error_kw(found) < floor[-1] < 1.1 * error_kw(found), "and most of it is yesterday"


def batches(values: Floats) -> tuple[float, float]:
    """Mean of a series and its standard error, from means of long stretches."""
    means = values[: len(values) // BATCHES * BATCHES].reshape(BATCHES, -1).mean(axis=1)
    return float(means.mean()), float(means.std(ddof=1) / np.sqrt(BATCHES))


@pytest.mark.parametrize("weather", [False, True], ids=["one day type", "three day types"])
def test_along_a_long_path_the_load_strays_less_from_the_closure_the_more_draws_are_remembered(weather: bool) -> None:
    """The law pushed along 4,000 random days; conditional means and the mean square within 4.5 standard errors."""
    strayed = []
    for past_draws in (0, 1) if weather else (0, 1, 2):
        found = drawn(past_draws, weather=weather)
        common = found.economy.common
        path = random_path(common.kernel, common.probability, DAYS, seed=past_draws)
        off = loads_along(days_of(found), path) - found.net_load_kw[path]
        for c in range(common.count):
            for h in range(found.economy.slots):
                mean, error = batches(np.where(path == c, off[:, h], 0.0))
                assert abs(mean) <= 4.5 * error + 1e-12
        mean, error = batches((off**2).mean(axis=1))
        assert mean == pytest.approx(floor_by_day_kw(found, 30)[-1] ** 2, abs=4.5 * error)
        strayed.append(np.sqrt(mean))
    assert all(more < 0.5 * less for less, more in pairwise(strayed))


def test_where_nothing_is_common_or_nothing_is_stored_nothing_is_forgotten() -> None:
    assert error_kw(solved("textbook", "flat")) == 0.0
    bare = small_economy(battery_share=0.0)
    assert error_kw(solve_equilibrium(bare, small_tariff(bare), certify=False)) == 0.0
    menu = peaks(calm(), 0.1, 0.1)
    alike = extended_economy(calm(), menu, even(calm(), 2))
    found = solve_equilibrium(alike, extended_tariff(calm(), menu, even(calm(), 2)), certify=False)
    assert error_kw(found) == pytest.approx(0.0, abs=1e-9), "a draw between namesakes"
    single = replace(drawn().economy, one_day=OneDay(charge_law=np.full(4, 0.25)))
    assert closure_error_kw(single, drawn().answer) == 0.0, "days that do not hang together"


@pytest.mark.parametrize(
    ("tariff", "changes"),
    [("filed", ("income_groups.high.ev_share=0.5",)), ("rtp", ("temperature_usd=0",))],
    ids=["vehicles on the road", "best moves"],
)
def test_days_linked_by_the_closure_give_back_the_equilibriums_law_and_load(
    tariff: str, changes: tuple[str, ...]
) -> None:
    """Midnight as the mean of yesterdays' ends, and the load of what that midnight holds."""
    found = solved("oahu", tariff, "battery_levels=5", "memory=0", *changes)
    economy = found.economy
    moving = [k for k, policy in enumerate(found.policies) if policy.moves.size > 1]
    assert moving
    for k in moving:
        end, load_kw = _links(found.policies[k], found.laws[k][:, -1], economy.shock_kernel)
        midnight = np.einsum("cd,dez->cez", economy.common.backward, end)
        assert midnight == pytest.approx(found.laws[k][:, 0], abs=1e-12)
        assert np.einsum("cez,cezh->ch", midnight, load_kw) == pytest.approx(found.type_net_load_kw[k], abs=1e-12)
