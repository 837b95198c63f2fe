"""A student's plan: what is read, and which move comes closest to a wish."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanwatt.agents.behaviour.protocol import Situation
from meanwatt.analysis.classroom.home_plan import PlannedHome, Wish, move_for, read_plan, written


def situation(moves: list[int], net_load_kw: list[float], planned: int = 0) -> Situation:
    return Situation(
        day=0,
        common_state=0,
        slot=1,
        level=2,
        shock=0,
        moves=np.array(moves),
        net_load_kw=np.array(net_load_kw),
        planned_move=planned,
    )


@st.composite
def situations(draw) -> Situation:
    """Moves around 0 whose net load rises with them, as charging draws power."""
    low, high = draw(st.integers(-5, 0)), draw(st.integers(0, 5))
    moves = list(range(low, high + 1))
    rise = draw(st.lists(st.floats(0.05, 2.0), min_size=len(moves), max_size=len(moves)))
    start = draw(st.floats(-6.0, 3.0))
    return situation(moves, (start + np.cumsum(rise)).tolist())


@given(situations(), st.sampled_from(Wish))
def test_every_wish_becomes_an_open_move_of_its_own_direction(here: Situation, wish: Wish) -> None:
    move = move_for(wish, here)
    assert move in here.moves
    if wish in (Wish.SUN, Wish.CHARGE):
        assert move >= 0
    elif wish in (Wish.COVER, Wish.SELL):
        assert move <= 0
    else:
        assert move == 0


@given(situations())
def test_sun_is_stored_without_buying_and_use_is_covered_without_selling_and_both_as_far_as_can_be(
    here: Situation,
) -> None:
    load = dict(zip(here.moves.tolist(), here.net_load_kw.tolist(), strict=True))
    sun, cover = move_for(Wish.SUN, here), move_for(Wish.COVER, here)
    assert sun == 0 or load[sun] <= 0
    assert all(load[more] > 0 for more in load if more > sun)
    assert cover == 0 or load[cover] >= 0
    assert all(load[more] < 0 for more in load if more < cover)


def test_where_resting_is_not_open_the_smallest_move_is_made() -> None:
    assert move_for(Wish.REST, situation([2, 3], [0.5, 1.0])) == 2
    assert move_for(Wish.SELL, situation([2, 3], [0.5, 1.0])) == 2
    assert move_for(Wish.CHARGE, situation([-3, -1], [-0.5, 0.2])) == -1


def test_a_home_without_a_plan_does_what_the_policy_does() -> None:
    assert PlannedHome(None).move(situation([-1, 0, 1], [-1.0, 0.0, 1.0], planned=-1)) == -1
    assert PlannedHome(read_plan("rcr", 3)).move(situation([-1, 0, 1], [-1.0, 0.0, 1.0], planned=-1)) == 1


@given(st.lists(st.sampled_from(Wish), min_size=24, max_size=24))
def test_a_plan_is_read_as_it_was_written(wishes: list[Wish]) -> None:
    assert read_plan(written(tuple(wishes)), 24) == tuple(wishes)


@pytest.mark.parametrize("given_plan", ["", "r" * 23, "r" * 25, "x" * 24, None, 7, ["r"] * 24, "r" * 100_000])
def test_what_is_no_plan_is_refused_in_one_short_line(given_plan: object) -> None:
    with pytest.raises(ValueError, match="give 24 letters, one for each slot: r rest, s store sun") as refused:
        read_plan(given_plan, 24)
    assert len(str(refused.value)) < 200
