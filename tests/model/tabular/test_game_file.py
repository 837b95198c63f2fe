"""Games as TOML files: what they mean as arrays, the way back, and what is wrong with one in a line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanwatt.model.tabular.game_file import GameFileError, game_text, games, load_game
from meanwatt.model.tabular.game_table import game_table
from meanwatt.model.tabular.named_game import NamedGame
from meanwatt.model.tabular.tabular_game import StackelbergGame, random_game

ARRAYS = ("reward_leader", "reward_follower", "kernel", "discount_leader", "discount_follower", "start_law")


def toml(table: dict[str, Any]) -> str:
    """A table as TOML, written without the code that reads it: inline tables, every key in quotes."""

    def value(entry: Any) -> str:
        if isinstance(entry, dict):
            return "{ " + ", ".join(f"{json.dumps(key)} = {value(inner)}" for key, inner in entry.items()) + " }"
        return json.dumps(entry)

    return "".join(f"{json.dumps(key)} = {value(entry)}\n" for key, entry in table.items())


def loaded(text: str, tmp_path: Path) -> NamedGame:
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return load_game(file)


def same(one: StackelbergGame, other: StackelbergGame) -> None:
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=0, atol=1e-15, err_msg=name)


# --- what a file means -------------------------------------------------------------------------------------------


def test_a_file_is_the_arrays_that_a_student_would_fill_by_hand() -> None:
    """Grid defection: state 0 on the grid, state 1 gone for good; the utility charges high or low, homes stay or leave.

    A day on the grid costs 4 (high) or 2 (low), paid to the utility; leaving costs 25 once and nothing after.
    """
    leader, follower, kernel = np.zeros((2, 2, 2)), np.zeros((2, 2, 2)), np.zeros((2, 2, 2, 2))
    leader[0, :, 0] = [4.0, 2.0]
    follower[0] = [[-4.0, -25.0], [-2.0, -25.0]]
    kernel[0, :, 0, 0] = kernel[0, :, 1, 1] = kernel[1, :, :, 1] = 1.0
    named = load_game("defection")
    assert (named.states, named.leader_actions, named.follower_actions) == (
        ("grid", "gone"),
        ("high", "low"),
        ("stay", "leave"),
    )
    assert (named.leader, named.follower, named.unit) == ("utility", "home", "USD")
    np.testing.assert_array_equal(named.game.reward_leader, leader)
    np.testing.assert_array_equal(named.game.reward_follower, follower)
    np.testing.assert_array_equal(named.game.kernel, kernel)
    assert named.game.start_law.tolist() == [1.0, 0.0]
    assert (named.game.discount_leader, named.game.discount_follower) == (0.9, 0.9)
    assert named.leader_matters.tolist() == named.follower_matters.tolist() == [True, False]


def test_a_game_of_two_by_two_takes_fewer_than_ten_lines() -> None:
    text = game_text("pennies")
    assert text.count("\n") < 10
    named = load_game("pennies")
    assert named.states == ("stage",)
    np.testing.assert_array_equal(named.game.reward_leader, [np.eye(2)])
    np.testing.assert_array_equal(named.game.reward_follower, [1 - np.eye(2)])
    assert named.game.kernel.tolist() == [[[[1.0], [1.0]], [[1.0], [1.0]]]]


REWARDS = "reward.up = { left = [1, 2], right = [3, 4] }\nreward.down = { left = [5, 6], right = [7, 8] }\n"
STATES = f"discount = 0.5\n[states.a]\n{REWARDS}next = NEXT\n[states.b]\nnext = 'b'\n"


@pytest.mark.parametrize(
    ("given_next", "to_b"),
    [
        ("'b'", [[1, 1], [1, 1]]),
        ("{ a = 0.75, b = 0.25 }", [[0.25, 0.25], [0.25, 0.25]]),
        ("{ b = 1 }", [[1, 1], [1, 1]]),
        ("{ up = 'a', down = 'b' }", [[0, 0], [1, 1]]),
        ("{ right = 'b', left = { a = 0.5, b = 0.5 } }", [[0.5, 1], [0.5, 1]]),
        ("{ up = 'a', down = { left = 'a', right = 'b' } }", [[0, 0], [0, 1]]),
        ("{ left = 'a', right = { up = { b = 0.1, a = 0.9 }, down = 'b' } }", [[0, 0.1], [0, 1]]),
    ],
)
def test_where_a_state_leads_to_may_hang_on_either_action_on_both_or_on_none(
    given_next: str, to_b: list[list[float]], tmp_path: Path
) -> None:
    game = loaded(STATES.replace("NEXT", given_next), tmp_path).game
    np.testing.assert_array_equal(game.kernel[0, :, :, 1], to_b)
    np.testing.assert_array_equal(game.kernel[0, :, :, 0], 1 - np.array(to_b))
    np.testing.assert_array_equal(game.reward_leader[0], [[1, 3], [5, 7]])
    np.testing.assert_array_equal(game.reward_follower, [[[2, 4], [6, 8]], np.zeros((2, 2))])
    assert game.start_law.tolist() == [0.5, 0.5]


def test_players_may_look_ahead_unequally_and_the_first_state_be_drawn(tmp_path: Path) -> None:
    text = "start = { b = 0.2, a = 0.8 }\ndiscount = { follower = 0, leader = 0.9 }\n" + STATES.split("\n", 1)[1]
    game = loaded(text.replace("NEXT", "'b'"), tmp_path).game
    assert (game.discount_leader, game.discount_follower) == (0.9, 0.0)
    assert game.start_law.tolist() == [0.8, 0.2]


def test_thirds_written_with_seven_digits_are_thirds_that_sum_to_one(tmp_path: Path) -> None:
    game = loaded(STATES.replace("NEXT", "{ a = 0.3333333, b = 0.6666666 }"), tmp_path).game
    assert game.kernel[0].sum(axis=-1) == pytest.approx(1.0, abs=1e-15)
    assert game.kernel[0, 0, 0] == pytest.approx([1 / 3, 2 / 3], abs=1e-7)


# --- the way back ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", games())
def test_a_built_in_game_is_its_own_file_and_its_own_table(name: str, tmp_path: Path) -> None:
    named = load_game(name)
    same(loaded(game_text(name), tmp_path).game, named.game)
    again = loaded(toml(game_table(named)), tmp_path)
    same(again.game, named.game)
    assert (again.title, again.states, again.leader_actions) == (named.title, named.states, named.leader_actions)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.sampled_from([0, 1, 2, 3])
)
def test_any_game_comes_back_from_the_file_that_says_it(
    tmp_path_factory: pytest.TempPathFactory, seed: int, states: int, actions: int, replies: int, moved_by: int
) -> None:
    rng = np.random.default_rng(seed)
    game = random_game(rng, states=states, leader_actions=actions, follower_actions=replies, discount=0.8)
    kernel = game.kernel
    if moved_by in (0, 1):
        kernel = kernel[:, :, :1]
    if moved_by in (0, 2):
        kernel = kernel[:, :1]
    game = StackelbergGame(
        reward_leader=game.reward_leader,
        reward_follower=game.reward_follower,
        kernel=np.broadcast_to(kernel, game.kernel.shape),
        discount_leader=0.8,
        discount_follower=float(rng.uniform(0, 0.9)),
        start=rng.dirichlet(np.ones(states)),
    )
    named = NamedGame(
        name="mine",
        title="Mine",
        leader="one",
        follower="two",
        unit="",
        states=tuple("stuv"[:states]),
        leader_actions=tuple("abc"[:actions]),
        follower_actions=tuple("xyz"[:replies]),
        game=game,
    )
    same(loaded(toml(game_table(named)), tmp_path_factory.mktemp("game")).game, game)


# --- errors ------------------------------------------------------------------------------------------------------

STAGE = f"discount = 0\n{REWARDS}"


def two(change: str, to: str) -> str:
    text = STATES.replace("NEXT", "'b'")
    assert change in text
    return text.replace(change, to)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("discunt = 0\n" + REWARDS, "unknown key 'discunt'; did you mean 'discount'? (and 1 more)"),
        (REWARDS, "key 'discount' is missing; add it"),
        (
            "extends = 'pennies'\n" + STAGE,
            "unknown key 'extends'; give one of title, leader, follower, unit, discount, start, reward, states",
        ),
        (STAGE.replace("= 0", "= 1", 1), "discount is 1; give a number from 0 to 0.9999"),
        (STAGE.replace("= 0", "= 'high'", 1), "discount is 'high'; give a number"),
        (STAGE.replace("= 0", "= { leder = 0.9 }", 1), "discount: unknown player 'leder'; did you mean 'leader'?"),
        (
            STAGE.replace("= 0", "= { leader = 0.9 }", 1),
            "discount: nothing for the follower; give a number, or one for leader and follower each",
        ),
        (STAGE.replace("= 0", "= { leader = 0.9, follower = 2 }", 1), "discount: follower is 2; give a number from 0"),
        (
            "discount = 0\n",
            "no state has rewards; give one some, e.g. reward.high = { stay = [4, -4], leave = [0, -25] }",
        ),
        (STAGE.replace("[7, 8]", "7"), "reward.down.right is 7; give [what the leader gets, what the follower gets]"),
        (STAGE.replace("[7, 8]", "[7]"), "reward.down.right is [7]; give [what the leader gets, what the follower"),
        (STAGE.replace("[7, 8]", "[7, 'x']"), "reward.down.right: entry 1 is 'x'; give a number"),
        (STAGE.replace("[7, 8]", "[7, nan]"), "reward.down.right: entry 1 is nan; give a finite number"),
        (STAGE.replace("[7, 8]", "[2e6, 8]"), "reward.down.right: entry 0 is 2000000; give a number from -1000000 to"),
        (
            STAGE.replace("left = [5", "lft = [5"),
            "reward.down: unknown follower action 'lft'; did you mean 'left'?",
        ),
        (
            STAGE.replace("left = [5, 6], ", ""),
            "reward.down gives nothing for follower action left; give every action an entry",
        ),
        (
            STAGE.replace("{ left = [5, 6], right = [7, 8] }", "[5, 6]"),
            "reward.down is [5, 6]; give a table follower ac",
        ),
        (STAGE.replace("up", '"a{b}"'), "action 'a{b}' is no short name; give up to 24 letters, digits, spaces, dots"),
        (STAGE + f"leader = '{'u' * 25}'\n", f"leader '{'u' * 25}' is no short name; give up to 24 letters"),
        (STAGE + "leader = 7\n", "leader is 7; give a text in quotes"),
        (STAGE + "[states.a]\nnext = 'a'\n", "reward and states are both given; a game of several states has its rew"),
        (two("next = 'b'\n[", "["), "key 'states.a.next' is missing; add it"),
        (two("= 'b'\n[", "= 'c'\n["), "states.a.next: unknown state 'c'; give one of a, b"),
        (two("= 'b'\n[", "= 3\n["), "states.a.next is 3; give a state's name, a table state = probability, or a table"),
        (two("= 'b'\n[", "= { a = 0.5, b = 0.4 }\n["), "states.a.next sums to 0.9; give probabilities that sum to 1"),
        (two("= 'b'\n[", "= { a = 1.5, b = -0.5 }\n["), "states.a.next.a is 1.5; give a number from 0 to 1"),
        (two("= 'b'\n[", "= { a = 'x' }\n["), "states.a.next.a is 'x'; give a number"),
        (two("= 'b'\n[", "= { up = 'a' }\n["), "states.a.next gives nothing for leader action down; give every action"),
        (two("= 'b'\n[", "= { up = 'a', b = 1 }\n["), "states.a.next mixes a leader action, up, with a state, b; give"),
        (
            two("= 'b'\n[", "= { upp = 'a', down = 'a' }\n["),
            "states.a.next: unknown state or action 'upp'; did you mean 'up'?",
        ),
        (
            two("= 'b'\n[", "= { up = { up = 'a' }, down = 'a' }\n["),
            "states.a.next.up: unknown state or action 'up'; give one of a, b, left, right",
        ),
        (
            STATES.replace("left", "up").replace("right", "down").replace("NEXT", "{ up = 'a', down = 'b' }"),
            "states.a.next names 'up', an action of both players; give their actions different names",
        ),
        (
            two("[states.b]", "[states.b]\nreward.upp = {}"),
            "states.b.reward: unknown leader action 'upp'; did you mean",
        ),
        (two("states.a", "states.up"), "'up' is a state and an action; rename one of them"),
        (two("states.a]", "states.a]\nrewards = 1"), "unknown key 'states.a.rewards'; did you mean 'states.a.reward'?"),
        ("start = 'c'\n" + two("= 'b'\n[", "= 'b'\n["), "start: unknown state 'c'; give one of a, b"),
        (
            "start = 4\n" + two("= 'b'\n[", "= 'b'\n["),
            "start is 4; give a state's name, or a table state = probability",
        ),
        ("start = { a = 0.2 }\n" + two("= 'b'\n[", "= 'b'\n["), "start sums to 0.2; give probabilities that sum to 1"),
        (STAGE.replace("[7, 8]", "[7, 8"), "not valid TOML: "),
    ],
)
def test_a_mistake_is_one_line_that_names_place_value_and_remedy(text: str, line: str, tmp_path: Path) -> None:
    with pytest.raises(GameFileError) as raised:
        loaded(text, tmp_path)
    said = str(raised.value)
    assert "\n" not in said
    assert said.removeprefix(f"game {tmp_path / 'mine.toml'}: ").startswith(line)


def test_a_game_is_refused_where_it_no_longer_fits_on_a_page(tmp_path: Path) -> None:
    row = ", ".join(f"r{k} = [0, 1]" for k in range(7))
    with pytest.raises(GameFileError, match=r"reward has 7 actions of the follower; give from 1 to 6 actions"):
        loaded(f"discount = 0\nreward.a = {{ {row} }}\n", tmp_path)
    states = "".join(f"[states.s{k}]\nnext = 's{k}'\n" for k in range(9))
    with pytest.raises(GameFileError, match=r"states has 9 entries; give from 1 to 8 states"):
        loaded(f"discount = 0\n{states}", tmp_path)


def test_an_unknown_game_gets_the_nearest_name_and_a_missing_file_is_said_to_be_one() -> None:
    with pytest.raises(GameFileError) as raised:
        load_game("defecton")
    assert str(raised.value) == (
        "game defecton: unknown game 'defecton'; did you mean 'defection'? (or give the path of a TOML file)"
    )
    with pytest.raises(GameFileError, match=r"^game nowhere/mine.toml: file not found; give the path of a TOML file$"):
        load_game("nowhere/mine.toml")
    with pytest.raises(GameFileError, match=r"^unknown game 'penny'; did you mean 'pennies'\?$"):
        game_text("penny")
