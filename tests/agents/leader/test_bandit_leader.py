"""A learner of a menu: tries all, weighs recent rounds more, and settles on the best by small steps of its policy."""

import numpy as np
import pytest

from meanwatt.agents.leader.bandit_leader import POLICY_EXPONENT, VALUE_EXPONENT, MenuLearner
from meanwatt.agents.numerics.softmax import softmax


def play(learner: MenuLearner, worth: np.ndarray, rounds: int, noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """Elements posted in each round, (round, s), when element a of state s brings worth[s, a] and noise."""
    rng = np.random.default_rng(seed)
    posted = []
    for number in range(rounds):
        chosen = learner.choose(number)
        for s, a in enumerate(chosen):
            learner.update(s, int(a), float(worth[s, a] + noise * rng.standard_normal()), 1)
        posted.append(chosen)
    return np.array(posted)


def test_every_element_is_tried_once_before_any_is_tried_twice() -> None:
    orders = set()
    for stream in range(20):
        posted = play(MenuLearner(2, 5, stream=stream), np.zeros((2, 5)), 5)
        assert (np.sort(posted, axis=0) == np.arange(5)[:, None]).all()
        orders.add(tuple(posted[:, 0]))
    assert len(orders) > 10


def test_a_value_is_a_mean_in_which_recent_days_weigh_more_and_nothing_is_forgotten_at_once() -> None:
    told, learner = ((1.0, 30), (4.0, 10), (-2.0, 20)), MenuLearner(1, 2, stream=0)
    weights, days = np.zeros(3), 0
    for place, (value, length) in enumerate(told):
        learner.update(0, 1, value, length)
        days += length
        step = (length / days) ** VALUE_EXPONENT
        weights = (1 - step) * weights + step * np.eye(3)[place]
    assert weights.sum() == pytest.approx(1.0, abs=1e-15)
    assert (weights >= 0).all()
    assert learner.value_usd[0, 1] == pytest.approx(weights @ [1.0, 4.0, -2.0], abs=1e-15)
    assert learner.days.tolist() == [[0, 60]]
    assert np.isnan(learner.value_usd[0, 0])


def test_of_equal_rounds_the_last_weighs_most_and_a_value_that_drifts_is_followed() -> None:
    """The plain average of 0, 1, …, n − 1 lags by half of n; with a step n^(−0.6) the lag grows like n^0.6 alone."""
    learner, rounds = MenuLearner(1, 1, stream=0), 400
    for n in range(rounds):
        learner.update(0, 0, float(n), 1)
    lag = rounds - 1 - learner.value_usd[0, 0]
    assert lag == pytest.approx(rounds**VALUE_EXPONENT, rel=0.15)
    assert lag < 0.2 * (rounds - 1)


def test_the_temperature_is_the_spread_of_the_better_half_over_the_root_of_the_rounds() -> None:
    learner = MenuLearner(1, 3, stream=0)
    for a, value in enumerate((0.0, 2.0, 3.0)):
        learner.update(0, a, value, 1)
    assert learner.temperature_usd() == pytest.approx([3.0 - 2.0])  # first draw after all were tried
    for _ in range(8):
        learner.update(0, 0, 0.0, 1)
    assert learner.temperature_usd() == pytest.approx([1.0 / 3.0])  # the ninth


def test_the_policy_begins_at_the_softmax_of_the_values_and_moves_towards_later_ones_by_its_step() -> None:
    learner = MenuLearner(1, 3, stream=0)
    for a, value in enumerate((0.0, 2.0, 3.0)):
        learner.update(0, a, value, 1)
    first = softmax(np.array([0.0, 2.0, 3.0]), 1.0)
    np.testing.assert_allclose(learner.policy()[0], first, rtol=1e-15)
    learner.update(0, 0, 0.0, 1)
    second = softmax(np.array([0.0, 2.0, 3.0]), 1.0 / np.sqrt(2.0))
    step = 2.0**-POLICY_EXPONENT
    np.testing.assert_allclose(learner.policy()[0], (1 - step) * first + step * second, rtol=1e-14)


def test_values_move_by_longer_steps_than_the_policy_and_both_for_ever() -> None:
    """Robbins and Monro's conditions, and Borkar's for two time scales."""
    assert 0.5 < VALUE_EXPONENT < POLICY_EXPONENT <= 1.0


def test_units_do_not_matter() -> None:
    worth = np.array([[0.3, 1.0, 0.9, -2.0]])
    one, cents = (play(MenuLearner(1, 4, stream=7), scale * worth, 60) for scale in (1.0, 128.0))
    assert (one == cents).all()


def test_a_worse_element_is_posted_ever_less_and_in_the_end_not_at_all() -> None:
    worth = np.array([[0.0, 1.0, 2.0]])  # median 1: temperature 1/√n
    posted = np.array([play(MenuLearner(1, 3, stream=s), worth, 400)[:, 0] for s in range(20)])
    policy, expected = np.zeros(3), []
    for n in range(1, 398):
        policy += n**-POLICY_EXPONENT * (softmax(worth[0], 1.0 / np.sqrt(n)) - policy)
        expected.append(policy[:2].sum())
    chance = np.array(expected)
    worse = (posted[:, 3:] != 2).sum()
    spread = 4 * np.sqrt(20 * (chance * (1 - chance)).sum())
    assert abs(worse - 20 * chance.sum()) <= spread
    assert (posted[:, 300:] == 2).mean() > 1 - 2 * chance[297:].mean() - 1e-3


def test_noise_far_below_the_gaps_does_not_mislead() -> None:
    worth = np.array([[0.0, 1.0, 0.9]])
    for stream in range(20):
        learner = MenuLearner(1, 3, stream=stream)
        play(learner, worth, 60, noise=0.02, seed=stream)
        assert learner.value_usd[0].argmax() == 1


def test_states_learn_apart() -> None:
    worth = np.array([[1.0, 0.0], [0.0, 1.0]])
    posted = play(MenuLearner(2, 2, stream=3), worth, 200)
    assert (posted[150:] == [0, 1]).all()


def test_equal_elements_stay_equally_likely() -> None:
    learner = MenuLearner(1, 3, stream=0)
    for a in range(3):
        learner.update(0, a, 0.5, 1)
    assert learner.policy() == pytest.approx(np.full((1, 3), 1 / 3))


def test_one_stream_gives_one_run() -> None:
    worth = np.array([[0.0, 1.0, 0.9]])
    runs = [play(MenuLearner(1, 3, stream=s), worth, 50).tolist() for s in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.parametrize(("value", "days"), [(np.nan, 1), (np.inf, 1), (0.0, 0)])
def test_what_cannot_be_averaged_is_refused(value: float, days: int) -> None:
    with pytest.raises(ValueError, match=r"^told .* over \d days; give a finite value over at least one day"):
        MenuLearner(1, 1, stream=0).update(0, 0, value, days)
