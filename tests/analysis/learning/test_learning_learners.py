"""Learners behind one interface: they stay in the box, repeat themselves by seed, and find what is to be found."""

import sys
from collections.abc import Callable

import numpy as np
import pytest

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.learning.learners import LEARNERS, Learner, MenuSoftmax, require_package
from meanwatt.analysis.learning.policy_iteration import PolicyIteration, compass

METHODS = tuple(LEARNERS)


def hill(top: Floats) -> Callable[[Floats], float]:
    """A concave function with its maximum 0 at ``top``, steeper along some axes."""
    steepness = 1 + np.arange(top.size)
    return lambda point: -float(steepness @ (point - top) ** 2)


def climb(learner: Learner, value: Callable[[Floats], float], evaluations: int) -> tuple[Floats, Floats]:
    """Points (evaluation, parameter) and values (evaluation,)."""
    points, values = [], []
    for _ in range(evaluations):
        point = learner.ask()
        points.append(point)
        values.append(value(point))
        learner.tell(point, values[-1])
    return np.array(points), np.array(values)


@pytest.mark.parametrize("method", METHODS)
def test_proposals_lie_in_the_box_and_follow_from_the_seed(method: str) -> None:
    value = hill(np.array([0.9, 0.1, 0.5]))
    one, again, other = (climb(LEARNERS[method](3, 40, seed), value, 40)[0] for seed in (1, 1, 2))
    assert one.shape == (40, 3)
    assert ((one >= 0) & (one <= 1)).all()
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("method", METHODS)
def test_learners_do_not_disturb_each_other_nor_numpy(method: str) -> None:
    value = hill(np.array([0.3, 0.6]))
    alone, _ = climb(LEARNERS[method](2, 30, 5), value, 30)
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - what must stay as it is
    first, second = LEARNERS[method](2, 30, 5), LEARNERS[method](2, 30, 6)
    together = []
    for _ in range(30):
        point = first.ask()
        together.append(point)
        first.tell(point, value(point))
        climb(second, value, 1)
    assert np.array_equal(np.array(together), alone)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize("method", METHODS)
def test_asking_twice_without_telling_proposes_for_the_same_trial(method: str) -> None:
    learner = LEARNERS[method](2, 10, 0)
    assert learner.ask().shape == (2,)
    learner.tell(learner.ask(), 0.0)


@pytest.mark.parametrize(
    ("method", "shortfall"), [("policy_iteration", 0.01), ("softmax", 0.01), ("cma", 0.05), ("optuna", 0.05)]
)
def test_every_learner_beats_blind_trials_by_far(method: str, shortfall: float) -> None:
    """Best of 150 blind trials in five dimensions: about 0.14 below the top (median over seeds)."""
    top, lost = np.array([0.3, 0.6, 0.45, 0.8, 0.2]), []
    for seed in range(3):
        _, values = climb(LEARNERS[method](5, 150, seed), hill(top), 150)
        lost.append(-values.max())
    blind = [-max(map(hill(top), np.random.default_rng(seed).random((150, 5)))) for seed in range(20)]
    assert np.median(blind) > 0.1
    assert np.median(lost) < shortfall


@pytest.mark.parametrize("parameters", [1, 2, 5, 7])
def test_the_menu_never_explodes_and_posts_nothing_twice(parameters: int) -> None:
    learner = MenuSoftmax(parameters, 60, 3)
    points, sizes = [], []
    for _ in range(60):
        point = learner.ask()
        sizes.append(len(learner.menu))
        points.append(tuple(point))
        learner.tell(point, hill(np.full(parameters, 0.7))(point))
    assert max(sizes) <= 3**parameters <= 2187
    assert len(set(points)) == 60


def test_the_net_is_halved_from_level_to_level_and_the_leader_goes_to_a_corner() -> None:
    corner = np.array([1.0, 0.0, 1.0, 0.0, 1.0])
    learner, radii = MenuSoftmax(5, 100, 0), []
    best = -np.inf
    for _ in range(100):
        point = learner.ask()
        radii.append(learner.epsilon)
        best = max(best, hill(corner)(point))
        learner.tell(point, hill(corner)(point))
    assert list(dict.fromkeys(radii)) == [1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64]
    assert best == 0.0


def test_the_leader_explores_first_and_then_exploits() -> None:
    _, values = climb(MenuSoftmax(5, 150, 1), hill(np.full(5, 0.62)), 150)
    early, late = values[:30], values[-30:]
    assert early.std() > 10 * late.std()
    assert late.mean() > early.max()


def test_a_world_where_nothing_matters_is_no_trouble() -> None:
    for method in METHODS:
        points, _ = climb(LEARNERS[method](2, 120, 0), lambda _: 1.0, 120)
        assert np.unique(points, axis=0).shape[0] > 60


def test_cma_starts_again_where_it_came_to_rest() -> None:
    points, values = climb(LEARNERS["cma"](2, 600, 0), hill(np.array([0.4, 0.7])), 600)
    rest = int(np.argmax(values > -1e-12))
    assert 0 < rest < 590
    assert np.abs(points[rest:] - points[rest]).max() > 0.1


@pytest.mark.parametrize("method", ["cma", "optuna"])
def test_a_missing_package_is_told_in_one_line(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, method, None)
    line = f'method {method} needs the package {method}, which is not installed; pip install "meanwatt\\[learning\\]"'
    with pytest.raises(ValueError, match=line) as caught:
        require_package(method)
    assert "\n" not in str(caught.value)
    require_package("softmax")


# Policy iteration


@pytest.mark.parametrize("parameters", [1, 2, 5, 13, 20])
def test_a_menu_of_policy_iteration_is_its_centre_and_a_step_either_way_and_at_most_27(parameters: int) -> None:
    points = compass(parameters, np.random.default_rng(0))
    assert len(points) == min(2 * parameters + 1, 27) == len(np.unique(points, axis=0))
    assert (points[0] == 0).all()
    assert (np.abs(points[1:]).sum(axis=1) == 1).all()
    assert (points.sum(axis=0) == 0).all()


def test_policy_iteration_posts_every_member_before_it_moves_and_moves_to_the_best_of_them() -> None:
    learner, value = PolicyIteration(3, 200, 4), hill(np.array([0.9, 0.1, 0.5]))
    for _ in range(200):
        menu, step = learner.menu, learner.step
        point = learner.ask()
        if learner.menu is not menu:
            told = [value(place) for place in menu]
            assert np.array_equal(learner.menu[0], menu[int(np.argmax(told))])
            assert learner.step == (step / 2 if np.argmax(told) == 0 else step)
        assert any(np.array_equal(point, place) for place in learner.menu)
        learner.tell(point, value(point))


def test_policy_iteration_stays_on_a_menu_until_it_is_sure_or_a_third_more_was_posted() -> None:
    learner, value = PolicyIteration(5, 300, 1), hill(np.array([0.3, 0.6, 0.45, 0.8, 0.2]))
    spent: list[tuple[int, int]] = []
    menu, rounds = learner.menu, 0
    for _ in range(300):
        point = learner.ask()
        if learner.menu is not menu:
            spent.append((rounds, len(menu)))
            menu, rounds = learner.menu, 0
        learner.tell(point, value(point))
        rounds += 1
    assert len(spent) > 10
    assert spent[0] >= (11, 11)
    assert all(took <= members + np.ceil(members / 3) for took, members in spent)


def test_policy_iteration_closes_in_on_a_stationary_point_of_a_smooth_function_in_spite_of_slopes_across() -> None:
    """Compass search: the distance is of the order of the step, here over random concave quadratics."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        top, slant = 0.2 + 0.6 * rng.random(3), rng.standard_normal((3, 3))
        curve = slant @ slant.T / 3 + 0.3 * np.eye(3)
        learner = PolicyIteration(3, 300, seed)
        points, values = climb(learner, lambda x, top=top, curve=curve: -float((x - top) @ curve @ (x - top)), 300)
        assert np.abs(points[values.argmax()] - top).max() <= 0.01
        assert learner.step <= 1 / 64
