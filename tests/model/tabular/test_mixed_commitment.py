"""The best promise, lotteries included: no promise tried by hand beats its bound, and its answer is a best response."""

from itertools import count, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.tabular.game_file import games, load_game
from meanwatt.model.tabular.mixed_commitment import GAP, follower_range, mixed_commitment
from meanwatt.model.tabular.stackelberg_games import (
    Concept,
    GameOutcome,
    StackelbergEquilibrium,
    commitment_equilibrium,
    optimal_mixture,
)
from meanwatt.model.tabular.tabular_game import StackelbergGame, evaluate, random_game

seeds = st.integers(0, 2**32 - 1)
VERIFIED = 1e-9
"""What the follower may forgo; rewards are of order 1 here."""
GRID = 40


def drawn(seed: int, states: int = 2, actions: tuple[int, int] = (2, 2), discount: float = 0.8) -> StackelbergGame:
    """A game whose players look ahead unequally; where the seed is odd the first state is known."""
    rng = np.random.default_rng(seed)
    game = random_game(rng, states=states, leader_actions=actions[0], follower_actions=actions[1], discount=discount)
    start = np.eye(states)[0] if seed % 2 else rng.dirichlet(np.ones(states))
    return altered(game, discount_leader=float(rng.uniform(0.3, discount)), start=start)


def altered(game: StackelbergGame, **changes: Any) -> StackelbergGame:
    names = ("reward_leader", "reward_follower", "kernel", "discount_leader", "discount_follower", "start")
    return StackelbergGame(**{name: changes.get(name, getattr(game, name)) for name in names})


def values(game: StackelbergGame, promises: Floats, reply: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Values of both under many promises and one pure answer, by plain linear algebra. (promise, state)"""
    each = np.arange(len(reply))
    kernel = game.kernel[each, :, reply]
    step = np.einsum("nsa,sat->nst", promises, kernel)
    found = []
    for reward, discount in (
        (game.reward_leader, game.discount_leader),
        (game.reward_follower, game.discount_follower),
    ):
        gain = np.einsum("nsa,sa->ns", promises, reward[each, :, reply])
        found.append(np.linalg.solve(np.eye(len(reply)) - discount * step, gain[..., None])[..., 0])
    return found[0], found[1]


def worth_of_all(game: StackelbergGame, promises: Floats, tie: float = 1e-12) -> Floats:
    """What each promise is worth to the leader, by trial of every pure answer, ties in its favour. (promise,)"""
    replies = list(product(range(game.reward_leader.shape[2]), repeat=len(game.kernel)))
    both = [values(game, promises, reply) for reply in replies]
    best = np.max([other for _, other in both], axis=0)
    worth = [np.where((other >= best - tie).all(axis=1), own @ game.start_law, -np.inf) for own, other in both]
    return np.asarray(np.max(worth, axis=0))


def regret(game: StackelbergGame, found: StackelbergEquilibrium) -> float:
    """What the follower forgoes in the worst state, by trial of every pure answer."""
    replies = product(range(game.reward_leader.shape[2]), repeat=len(game.kernel))
    best = np.max([values(game, found.leader_policy[None], reply)[1][0] for reply in replies], axis=0)
    return float((best - evaluate(game, found.leader_policy, found.follower_policy)[1]).max())


def grid(game: StackelbergGame, rng: np.random.Generator) -> Floats:
    """All pairs of lotteries on a grid for two states and actions, else as many that are drawn; the pure ones too."""
    states, actions, _ = game.reward_leader.shape
    if (states, actions) == (2, 2):
        p = np.array(list(product(np.linspace(0, 1, GRID + 1), repeat=2)))
        return np.stack([p, 1 - p], axis=2)
    pure = np.array([np.eye(actions)[list(choice)] for choice in product(range(actions), repeat=states)])
    return np.concatenate([pure, rng.dirichlet(np.full(actions, 0.5), size=(GRID**2, states))])


# --- value and bound ---------------------------------------------------------------------------------------------


@settings(max_examples=8, deadline=None)
@given(seeds, st.sampled_from([(2, (2, 2)), (2, (2, 3)), (2, (3, 2)), (3, (2, 2))]))
def test_no_promise_on_a_grid_is_worth_more_than_the_bound_nor_than_the_value_where_it_is_exact(
    seed: int, size: tuple[int, tuple[int, int]]
) -> None:
    game = drawn(seed, *size)
    found = mixed_commitment(game, max_nodes=100)
    assert found.bound is not None
    tried = worth_of_all(game, grid(game, np.random.default_rng(seed)))
    assert tried.max() <= found.bound + 1e-9
    assert found.leader_objective <= found.bound
    if found.outcome is GameOutcome.EXACT:
        assert found.bound - found.leader_objective <= GAP * (1 + 1e-6)
        assert tried.max() <= found.leader_objective + GAP
    else:
        assert found.outcome is GameOutcome.BEST_FOUND
    # what is said to be answered is answered, to the last digits
    assert regret(game, found) <= VERIFIED
    near = worth_of_all(game, found.leader_policy[None], tie=VERIFIED)
    assert near[0] >= found.leader_objective - 1e-9


def test_the_value_is_where_ever_finer_grids_lead() -> None:
    """Round the best promise of each grid a finer one is laid; it never passes the value, and comes close to it."""
    for seed in (3, 8):
        game = drawn(seed)
        found = mixed_commitment(game)
        assert found.outcome is GameOutcome.EXACT
        promises, best = grid(game, np.random.default_rng(0)), 0.0
        for round_ in range(30):
            worth = worth_of_all(game, promises)
            best, at = float(worth.max()), promises[worth.argmax()]
            assert best <= found.leader_objective + GAP
            p = np.clip(at[:, 0] + 0.8**round_ * np.random.default_rng(round_).uniform(-1, 1, size=(2000, 2)), 0, 1)
            promises = np.concatenate([at[None], np.stack([p, 1 - p], axis=2)])
        assert best >= found.leader_objective - 0.02


@settings(max_examples=10, deadline=None)
@given(seeds, st.sampled_from([(2, 2), (4, 3), (3, 3)]))
def test_of_one_state_the_value_is_that_of_one_linear_programme_per_answer(seed: int, actions: tuple[int, int]) -> None:
    game = drawn(seed, 1, actions)
    found = mixed_commitment(game)
    mixture, reply = optimal_mixture(game.reward_leader[0], game.reward_follower[0])
    exact = float(mixture @ game.reward_leader[0, :, reply]) / (1 - game.discount_leader)
    assert found.outcome is GameOutcome.EXACT
    assert found.rounds == 1
    assert found.leader_objective == pytest.approx(exact, abs=1e-7)
    assert found.bound == pytest.approx(exact, abs=1e-7)


@settings(max_examples=8, deadline=None)
@given(seeds, st.booleans())
def test_where_the_follower_answers_for_today_one_programme_is_exact_and_value_iteration_agrees(
    seed: int, myopic: bool
) -> None:
    game = drawn(seed, 3)
    if myopic:
        game = altered(game, discount_follower=0.0)
    else:
        game = altered(game, kernel=np.broadcast_to(game.kernel[:, :, :1], game.kernel.shape))
    found = mixed_commitment(game)
    assert found.rounds == 1
    assert found.outcome is GameOutcome.EXACT
    assert found.leader_objective == pytest.approx(commitment_equilibrium(game).leader_objective, abs=1e-6)


@settings(max_examples=4, deadline=None)
@given(seeds)
def test_units_change_nothing_and_no_pure_promise_is_worth_more(seed: int) -> None:
    game = drawn(seed)
    found = mixed_commitment(game, max_nodes=100)
    other = mixed_commitment(
        altered(game, reward_leader=1e3 * game.reward_leader, reward_follower=1e-3 * game.reward_follower + 2.0),
        tolerance=1e3 * GAP,
        max_nodes=100,
    )
    if GameOutcome.EXACT is found.outcome is other.outcome:
        assert other.leader_objective == pytest.approx(1e3 * found.leader_objective, abs=4e3 * GAP)
    assert found.leader_objective >= commitment_equilibrium(game).leader_objective - 1e-9


# --- by hand -----------------------------------------------------------------------------------------------------


def test_of_leaving_the_grid_a_quarter_promised_for_ever_is_the_best_of_all() -> None:
    """Homes stay as long as (2 + 2p)·10 ≤ 25, so p = 1/4, and 25 is all that they would pay to be free."""
    found = mixed_commitment(load_game("defection").game)
    assert (found.concept, found.outcome) == (Concept.COMMITMENT, GameOutcome.EXACT)
    assert found.leader_policy[0] == pytest.approx([0.25, 0.75], abs=1e-9)
    assert found.leader_objective == pytest.approx(25.0, abs=1e-8)
    assert found.follower_policy[0].tolist() == [1.0, 0.0]
    assert found.message.startswith("Exact: no stationary promise is worth more than 25.0000")


def test_a_credit_is_promised_no_more_often_than_it_takes() -> None:
    """A home with a battery gets 2 with probability p a day: from tomorrow on 2p in all, for which it pays 1: p = 1/2.

    The utility gets 3 − p a day, from tomorrow on as much in all: 5/2, where a credit for certain leaves it 2.
    """
    found = mixed_commitment(load_game("battery").game)
    assert found.leader_policy[1] == pytest.approx([0.5, 0.5], abs=1e-9)
    assert found.leader_objective == pytest.approx(2.5, abs=1e-8)
    assert found.follower_policy[0].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("name", games())
def test_every_built_in_game_is_solved_to_the_end(name: str) -> None:
    game = load_game(name).game
    found = mixed_commitment(game)
    assert found.outcome is GameOutcome.EXACT
    assert regret(game, found) <= VERIFIED


def obey_or_go(obeying: float, gone: Floats) -> StackelbergGame:
    """The home obeys, worth 5 to the utility and ``obeying`` to itself, or goes to a state that it never leaves.

    There it gets ``gone`` (move of the utility, move of the home) a day.
    """
    leader, follower, kernel = np.zeros((2, 2, 2)), np.zeros((2, 2, 2)), np.zeros((2, 2, 2, 2))
    leader[0, :, 0], follower[0, :, 0] = 5.0, obeying
    follower[1] = gone
    kernel[0, :, 0, 0] = kernel[0, :, 1, 1] = kernel[1, ..., 1] = 1.0
    return StackelbergGame(
        reward_leader=leader,
        reward_follower=follower,
        kernel=kernel,
        discount_leader=0.5,
        discount_follower=0.5,
        start=np.array([1.0, 0.0]),
    )


def test_a_threat_in_a_state_that_is_never_seen_counts_and_cannot_be_worse_than_it_is() -> None:
    """The home obeys (5 for the utility, 0 for itself) or goes to a state that the utility rules, never to come back.

    There it gets p·x a day, p the utility's lottery between harsh and mild; obeying is best while that is at most 0.
    With mild 1, harsh −1 the threat works (5·2 = 10); with mild 1, harsh 1/2 it does not, whatever is promised: going
    is worth more, and the utility gets 0.
    """
    for harsh, worth in ((-1.0, 10.0), (0.5, 0.0)):
        found = mixed_commitment(obey_or_go(0.0, np.array([[1.0, 1.0], [harsh, harsh]])))
        assert found.outcome is GameOutcome.EXACT
        assert found.leader_objective == pytest.approx(worth, abs=1e-6)


def test_a_threat_that_takes_a_lottery_is_no_worse_than_the_lottery_makes_it() -> None:
    """The home that goes plays matching pennies with the utility for ever: no lottery holds it below 0.

    If the utility saw its penny it could be held to −1 a day, and would rather obey at −1/2. As it is, it obeys where
    that brings it 1/10, and the utility gets 5·2 = 10; where it costs 1/2 it goes, and the utility gets 0.
    """
    for obeying, worth in ((0.1, 10.0), (-0.5, 0.0)):
        found = mixed_commitment(obey_or_go(obeying, np.array([[1.0, -1.0], [-1.0, 1.0]])))
        assert found.outcome is GameOutcome.EXACT
        assert found.leader_objective == pytest.approx(worth, abs=1e-6)


def test_players_without_anything_at_stake_are_no_trouble() -> None:
    game = drawn(5)
    free = mixed_commitment(altered(game, reward_follower=np.zeros((2, 2, 2))))
    both = evaluate(game, free.leader_policy, free.follower_policy)[0] @ game.start_law
    assert free.outcome is GameOutcome.EXACT
    assert free.leader_objective == pytest.approx(float(both))
    assert (
        free.leader_objective
        >= worth_of_all(altered(game, reward_follower=np.zeros((2, 2, 2))), grid(game, np.random.default_rng(0))).max()
        - GAP
    )
    assert mixed_commitment(altered(game, reward_leader=np.zeros((2, 2, 2)))).leader_objective == 0.0


def test_a_promise_that_the_first_local_searches_miss_is_found_by_later_ones() -> None:
    """With this answer of the follower they all end at a worse optimum, far from where the boxes then lead."""
    game = random_game(np.random.default_rng(16), states=2, leader_actions=3, follower_actions=2, discount=0.8)
    found = mixed_commitment(game, max_nodes=400)
    assert found.outcome is GameOutcome.EXACT
    assert found.leader_objective > 5.2
    assert regret(game, found) <= VERIFIED


# --- Nash --------------------------------------------------------------------------------------------------------


@settings(max_examples=6, deadline=None)
@given(seeds)
def test_a_stationary_nash_equilibrium_in_lotteries_is_never_worth_more_than_the_bound(seed: int) -> None:
    """Rewards are shifted so that two drawn lotteries leave each other indifferent: every action is worth 0 and −1."""
    game = drawn(seed)
    rng = np.random.default_rng(seed + 1)
    x, y = rng.dirichlet(np.ones(2), size=2), rng.dirichlet(np.ones(2), size=2)
    leader = game.reward_leader - np.einsum("sab,sb->sa", game.reward_leader, y)[:, :, None]
    follower = game.reward_follower - 1.0 - np.einsum("sab,sa->sb", game.reward_follower, x)[:, None]
    game = altered(game, reward_leader=leader, reward_follower=follower)
    nash = evaluate(game, x, y)
    assert nash[0] == pytest.approx([0.0, 0.0], abs=1e-12)
    for pure in np.eye(2)[list(product(range(2), repeat=2))]:  # nobody gains by leaving it
        assert (evaluate(game, pure, y)[0] <= nash[0] + 1e-12).all()
        assert (evaluate(game, x, pure)[1] <= nash[1] + 1e-12).all()
    found = mixed_commitment(game, start=[x], max_nodes=20)
    assert found.leader_objective >= -GAP
    assert found.bound is not None
    assert found.bound >= 0.0
    unaided = mixed_commitment(game, max_nodes=1)  # not told of the lottery, it must not bound it away
    assert unaided.bound is not None
    assert unaided.bound >= -1e-9


def test_a_trigger_is_a_nash_equilibrium_that_no_stationary_promise_matches_unless_the_state_remembers() -> None:
    """The prisoners' dilemma for ever, discount 9/10: 3 each if both keep quiet, 1 each if both talk, 5 and 0 else.

    Whatever is promised for ever, a follower who talks loses nothing tomorrow and gains today: the leader gets at most
    1·10. To keep quiet until somebody talks is worth 3·10, and leaving it 5 + 9: an equilibrium, but no stationary one.
    Once a state remembers whether somebody talked it is one, and a promise is worth no less.
    """
    quiet_talk = np.array([[3.0, 0.0], [5.0, 1.0]])
    once = StackelbergGame(
        reward_leader=quiet_talk[None],
        reward_follower=quiet_talk.T[None],
        kernel=np.ones((1, 2, 2, 1)),
        discount_leader=0.9,
        discount_follower=0.9,
    )
    assert mixed_commitment(once).leader_objective == pytest.approx(10.0, abs=1e-8)
    kernel = np.zeros((2, 2, 2, 2))
    kernel[0, 0, 0, 0] = kernel[1, ..., 1] = 1.0
    kernel[0, 0, 1, 1] = kernel[0, 1, :, 1] = 1.0
    memory = StackelbergGame(
        reward_leader=np.stack([quiet_talk] * 2),
        reward_follower=np.stack([quiet_talk.T] * 2),
        kernel=kernel,
        discount_leader=0.9,
        discount_follower=0.9,
        start=np.array([1.0, 0.0]),
    )
    grim = np.eye(2)
    assert evaluate(memory, grim, grim)[0][0] == pytest.approx(30.0)
    for pure in np.eye(2)[list(product(range(2), repeat=2))]:
        assert evaluate(memory, pure, grim)[0][0] <= 30.0 + 1e-9
        assert evaluate(memory, grim, pure)[1][0] <= 30.0 + 1e-9
    assert mixed_commitment(memory).leader_objective >= 30.0 - GAP


# --- limits ------------------------------------------------------------------------------------------------------


def test_a_search_that_is_stopped_says_so_and_its_bound_holds() -> None:
    game = drawn(6, 3)
    whole = mixed_commitment(game)
    assert whole.outcome is GameOutcome.EXACT
    assert whole.rounds > 40
    before = np.inf
    for nodes in (1, 10, 40):
        part = mixed_commitment(game, max_nodes=nodes)
        assert part.bound is not None
        assert part.outcome is GameOutcome.BEST_FOUND
        assert part.bound >= whole.leader_objective
        assert part.bound <= before
        assert part.leader_objective <= whole.leader_objective + GAP
        assert part.rounds <= nodes + 1  # the last box divided has two parts
        assert part.message.startswith("Best found: worth ")
        before = part.bound
    asked = count()
    stopped = mixed_commitment(game, cancelled=lambda: next(asked) >= 5)
    assert stopped.outcome is GameOutcome.BEST_FOUND
    assert stopped.bound is not None
    assert stopped.bound >= whole.leader_objective


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_the_follower_is_never_held_below_or_above_its_range(seed: int) -> None:
    game = drawn(seed)
    low, high = follower_range(game)
    promises = grid(game, np.random.default_rng(seed))[::7]
    replies = product(range(2), repeat=2)
    best = np.max([values(game, promises, reply)[1] for reply in replies], axis=0)
    assert (best >= low).all()
    assert (best <= high).all()
