"""A policy table is checked for being a policy."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanwatt.agents.household.policy_table import PolicyTable

MOVES = np.array([-1, 0, 1, 2])


def table_of(seed: int = 0) -> PolicyTable:
    """Random policy over four levels: two weathers, two slots, two shocks, moves from −1 to 2."""
    rng = np.random.default_rng(seed)
    probability = rng.uniform(0.1, 1.0, (2, 2, 4, 2, 4))
    for e in range(4):
        for j, m in enumerate(MOVES):
            if not 0 <= e + m < 4:
                probability[:, :, e, :, j] = 0
    load_kw = rng.normal(size=(2, 2, 2, 4))
    return PolicyTable(
        moves=MOVES,
        probability=probability / probability.sum(axis=-1, keepdims=True),
        net_load_kw=load_kw,
        use_kw=np.abs(load_kw),
    )


@given(st.integers(0, 2**32 - 1))
def test_a_policy_passes(seed: int) -> None:
    table_of(seed).check()


def broken(place: tuple[int, ...], usd: float) -> PolicyTable:
    table = table_of()
    probability = table.probability.copy()
    probability[place] = usd
    return replace(table, probability=probability)


@pytest.mark.parametrize("chance", [float("nan"), -1e-12, float("inf")])
def test_a_probability_that_is_none_is_refused(chance: float) -> None:
    with pytest.raises(ValueError) as error:
        broken((1, 0, 2, 1, 1), chance).check()
    assert str(error.value) == "policy holds a probability that is negative or not finite; solve again"


def test_rows_that_miss_one_are_refused_with_the_size_of_the_miss() -> None:
    table = table_of()
    probability = table.probability.copy()
    probability[1, 1, 2, 0, 1] += 1e-6
    with pytest.raises(ValueError) as error:
        replace(table, probability=probability).check()
    assert str(error.value) == "policy rows sum to one only within 1.0e-06; normalise them"


@pytest.mark.parametrize(("level", "move"), [(0, 0), (3, 2), (2, 3)])
def test_a_move_off_the_grid_is_refused_however_unlikely(level: int, move: int) -> None:
    with pytest.raises(ValueError) as error:
        broken((0, 1, level, 1, move), 1e-12).check()
    assert str(error.value) == "policy moves off the grid of levels; set infeasible moves to probability 0"
