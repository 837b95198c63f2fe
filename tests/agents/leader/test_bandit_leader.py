"""A learner of a menu: tries all, averages plainly, and settles on the best by an annealed softmax."""

import numpy as np
import pytest

from meanwatt.agents.leader.bandit_leader import MenuLearner
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


def test_a_value_is_the_average_of_all_days_alike() -> None:
    learner = MenuLearner(1, 2, stream=0)
    for value, days in ((1.0, 30), (4.0, 10), (-2.0, 20)):
        learner.update(0, 1, value, days)
    assert learner.value_usd[0, 1] == pytest.approx((1.0 * 30 + 4.0 * 10 - 2.0 * 20) / 60, abs=1e-15)
    assert learner.days.tolist() == [[0, 60]]
    assert np.isnan(learner.value_usd[0, 0])


def test_the_temperature_is_the_spread_of_the_better_half_over_the_root_of_the_rounds() -> None:
    learner = MenuLearner(1, 3, stream=0)
    for a, value in enumerate((0.0, 2.0, 3.0)):
        learner.update(0, a, value, 1)
    assert learner.temperature_usd() == pytest.approx([3.0 - 2.0])  # first draw after all were tried
    for _ in range(8):
        learner.update(0, 0, 0.0, 1)
    assert learner.temperature_usd() == pytest.approx([1.0 / 3.0])  # the ninth
    np.testing.assert_allclose(learner.policy(), softmax([[0.0, 2.0, 3.0]], 1.0 / 3.0), rtol=1e-15)


def test_units_do_not_matter() -> None:
    worth = np.array([[0.3, 1.0, 0.9, -2.0]])
    one, cents = (play(MenuLearner(1, 4, stream=7), scale * worth, 60) for scale in (1.0, 128.0))
    assert (one == cents).all()


def test_a_worse_element_is_posted_ever_less_and_in_the_end_not_at_all() -> None:
    worth = np.array([[0.0, 1.0, 2.0]])  # temperature 1/√n: the next best has chance exp(−√n)/(1 + …)
    posted = np.array([play(MenuLearner(1, 3, stream=s), worth, 400)[:, 0] for s in range(20)])
    expected = np.array([softmax(worth[0], 1.0 / np.sqrt(n))[:2].sum() for n in range(1, 398)])
    worse = (posted[:, 3:] != 2).sum()
    spread = 4 * np.sqrt(20 * (expected * (1 - expected)).sum())
    assert abs(worse - 20 * expected.sum()) <= spread
    assert (posted[:, 300:] == 2).all()  # 20 · 100 draws of chance 3e-8 each


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
