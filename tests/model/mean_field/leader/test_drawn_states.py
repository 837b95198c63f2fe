"""The chain of day types and draws: its law, what it remembers, and where it stops remembering."""

from collections import defaultdict
from itertools import pairwise, product

import numpy as np
import pytest
from drawn_game import calm, even, peaks, windy
from scenarios import WEATHER

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.mean_field.leader.drawn_states import LARGEST, DrawnStates, drawn_states
from meanwatt.model.mean_field.leader.mixed_tariff import extended_economy, extended_tariff
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.weather import CommonStates, common_states, stationary_law

GAPS = np.array([[0.5, 0.4, 0.1], [0.0, 0.6, 0.4], [0.7, 0.3, 0.0]])
"""Some days never follow one another."""


def weather(memory: int, kernel: Floats = WEATHER) -> CommonStates:
    return common_states(("sunny", "cloudy", "hot"), kernel, memory)


def random_policy(common: CommonStates, tariffs: int, seed: int) -> Floats:
    """Every row its own; in some, some tariffs are never drawn."""
    rng = np.random.default_rng(seed)
    policy = rng.dirichlet(np.ones(tariffs), common.count)
    policy[rng.random(policy.shape) < 0.2] = 0.0
    policy[policy.sum(axis=1) == 0, 0] = 1.0
    return np.asarray(policy / policy.sum(axis=1, keepdims=True))


def paths(common: CommonStates, kernel: Floats, policy: Floats, draws: int) -> dict[tuple[int, ...], float]:
    """Law of (c, draws of the last days, today's last), by every path of day types and draws there is."""
    law, number = stationary_law(kernel), {tuple(h): c for c, h in enumerate(common.histories.tolist())}
    days, found = common.memory + draws, defaultdict(float)
    for types in product(range(len(law)), repeat=days):
        chance = law[types[0]] * np.prod([kernel[a, b] for a, b in pairwise(types)])
        if chance == 0:
            continue
        seen = [number[types[k : k + common.memory + 1]] for k in range(draws)]
        for elements in product(range(policy.shape[1]), repeat=draws):
            found[seen[-1], *elements] += chance * np.prod([policy[c, a] for c, a in zip(seen, elements, strict=True)])
    return {state: chance for state, chance in found.items() if chance > 0}


def named(states: DrawnStates) -> list[tuple[int, ...]]:
    return [(c, *elements) for c, elements in zip(states.weather.tolist(), states.element.tolist(), strict=True)]


@pytest.mark.parametrize("kernel", [WEATHER, GAPS], ids=["all follow all", "gaps"])
@pytest.mark.parametrize(("memory", "past_draws"), [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 1)])
def test_the_law_and_the_kernel_are_those_of_all_paths(memory: int, past_draws: int, kernel: Floats) -> None:
    common = weather(memory, kernel)
    policy = random_policy(common, 2, seed=memory + past_draws)
    states = drawn_states(common, policy, past_draws=past_draws)
    law = paths(common, kernel, policy, past_draws + 1)
    assert named(states) == sorted(law), "every state that comes, and no other"
    assert states.probability == pytest.approx([law[state] for state in named(states)], abs=1e-14)
    for i, (c, *elements) in enumerate(named(states)):
        for k, (d, *later) in enumerate(named(states)):
            chance = common.kernel[c, d] * policy[d, later[-1]] if later[:-1] == elements[1:] else 0.0
            assert states.kernel[i, k] == pytest.approx(chance, abs=1e-14)
    joint = states.probability[:, None] * states.kernel
    assert joint.sum(axis=0) == pytest.approx(states.probability, abs=1e-14), "stationary"
    assert states.backward == pytest.approx(joint.T / joint.sum(axis=0)[:, None], abs=1e-14), "Bayes"


@pytest.mark.parametrize("memory", [0, 1, 2])
def test_today_and_each_remembered_draw_keep_the_product_law(memory: int) -> None:
    common = weather(memory)
    row = np.array([0.2, 0.8])
    policy = random_policy(common, 2, seed=7)
    states = drawn_states(common, policy, past_draws=1)
    today = np.zeros(policy.shape)
    np.add.at(today, (states.weather, states.today), states.probability)
    assert today == pytest.approx(common.probability[:, None] * policy, abs=1e-14), "whatever is remembered"
    blind = drawn_states(common, np.tile(row, (common.count, 1)), past_draws=2)
    product_law = common.probability[blind.weather] * row[blind.element].prod(axis=1)
    assert blind.probability == pytest.approx(product_law, abs=1e-14), "draws that know no weather are independent"


@pytest.mark.parametrize(
    ("economy", "tariffs", "past_draws", "states"),
    [
        (calm(0), 2, 0, 2),
        (calm(1), 2, 1, 4),
        (calm(2), 2, 2, 8),
        (calm(2), 4, 2, 64),
        (calm(2), 5, 1, 25),
        (calm(1), 9, 0, 9),
        (calm(2), 80, 0, 80),
        (windy(0), 5, 0, 15),
        (windy(1), 2, 1, 36),
        (windy(1), 3, 0, 27),
        (windy(2), 2, 0, 54),
    ],
)
def test_memory_counts_draws_as_long_as_they_make_no_more_than_64_states(
    economy: Economy, tariffs: int, past_draws: int, states: int
) -> None:
    found = drawn_states(economy.common, even(economy, tariffs))
    assert LARGEST == 64
    assert (found.past_draws, found.count) == (past_draws, states)
    assert drawn_states(economy.common, even(economy, tariffs), past_draws=past_draws).count == states
    menu = peaks(economy, *np.linspace(0, 0.1, tariffs))
    extended = extended_economy(economy, menu, even(economy, tariffs))
    assert extended.common.count == states == len(set(extended.common.labels()))
    assert extended_tariff(economy, menu, even(economy, tariffs)).energy_usd_per_kwh.shape == (states, economy.slots)


MANY = np.random.default_rng(0).dirichlet(np.ones(5), 5)
"""Five day types, of which a memory of 2 makes 125 states."""


@pytest.mark.parametrize("memory", [0, 1, 2])
@pytest.mark.parametrize("kernel", [WEATHER, MANY], ids=["three day types", "five day types"])
def test_where_nothing_is_drawn_the_chain_is_the_weather_to_the_last_bit(kernel: Floats, memory: int) -> None:
    common = common_states([f"type{k}" for k in range(len(kernel))], kernel, memory)
    for policy in (np.ones((common.count, 1)), np.eye(len(kernel))[common.today]):
        found = drawn_states(common, policy)
        assert found.past_draws == memory
        for name in ("kernel", "backward", "probability"):
            assert (getattr(found, name) == getattr(common, name)).all(), name


def test_states_of_a_day_and_of_the_days_before_are_told_apart_by_name() -> None:
    economy = calm(1)
    labels = extended_economy(economy, peaks(economy, 0.0, 0.1), even(economy, 2)).common.labels()
    assert [name for (name,) in labels] == [
        "type0 > type0 · peak 0 #1 after #1",
        "type0 > type0 · peak 0.1 #2 after #1",
        "type0 > type0 · peak 0 #1 after #2",
        "type0 > type0 · peak 0.1 #2 after #2",
    ]


def test_without_memory_the_past_is_averaged_over_as_before() -> None:
    """Today's states alone, in the order and with the numbers of a plain product."""
    economy = windy(0)
    policy = random_policy(economy.common, 2, seed=3)
    c, a = np.nonzero(policy)
    found = drawn_states(economy.common, policy)
    chance = policy[c, a]
    assert (found.weather == c).all()
    assert (found.today == a).all()
    assert (found.kernel == economy.common.kernel[np.ix_(c, c)] * chance).all()
    assert (found.backward == economy.common.backward[np.ix_(c, c)] * chance).all()
    assert (found.probability == economy.common.probability[c] * chance).all()
