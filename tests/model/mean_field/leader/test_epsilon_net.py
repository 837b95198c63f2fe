"""The ε-net of a box: what it covers, how it is refined, what a Lipschitz leader loses on it, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanwatt.model.mean_field.leader.epsilon_net import LARGEST, EpsilonNet, epsilon_net, lipschitz

LOW, HIGH = np.array([0.1, -1.0]), np.array([0.5, 3.0])


def nearest(net: EpsilonNet, share: np.ndarray) -> np.ndarray:
    """Distance of points, as shares of the ranges, to the nearest member. (point,)"""
    return np.abs(share[:, None] - net.share).max(axis=2).min(axis=1)


@given(st.integers(2, 6), st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_every_point_of_the_box_has_a_member_within_epsilon_and_one_has_none_closer(m: int, n: int, seed: int) -> None:
    net = epsilon_net(LOW, HIGH, [m, n])
    assert len(net) == m * n
    points = np.random.default_rng(seed).uniform(size=(200, 2))
    assert nearest(net, points).max() <= net.epsilon + 1e-12
    between = np.array([[0.5 / (m - 1), 0.5 / (n - 1)]])
    assert nearest(net, between)[0] == pytest.approx(net.epsilon)


@given(st.integers(1, 5), st.integers(1, 5))
def test_halving_around_all_members_gives_the_whole_grid_of_half_the_spacing(m: int, n: int) -> None:
    net = epsilon_net(LOW, HIGH, [m, n])
    finer, whole = net.halved(range(len(net))), epsilon_net(LOW, HIGH, [2 * m - 1, 2 * n - 1])
    assert finer.parameters == pytest.approx(whole.parameters)
    assert finer.epsilon == pytest.approx(net.epsilon / (2 if min(m, n) > 1 else 1)), "a single point stays alone"
    known = {tuple(p) for p in finer.parameters.round(12)}
    assert {tuple(p) for p in net.parameters.round(12)} <= known, "nested"


def test_halving_around_one_member_covers_the_cells_that_touch_it() -> None:
    net = epsilon_net([0.0, 0.0], [1.0, 1.0], 5)
    inner = int(np.flatnonzero((net.parameters == [0.5, 0.25]).all(axis=1))[0])
    finer = net.halved([inner])
    assert len(finer) == 9
    around = np.array([0.5, 0.25]) + np.random.default_rng(0).uniform(-0.125, 0.125, (100, 2))
    assert nearest(finer, around).max() <= finer.epsilon == net.epsilon / 2
    assert len(net.halved([0])) == 4, "in a corner only what lies inside the box"
    assert len(net.halved([0, 1])) == 8, "4 and 6 of their own, 2 of them shared"


def test_members_keep_to_the_bounds_and_include_them() -> None:
    net = epsilon_net(LOW, HIGH, [3, 5])
    assert net.parameters.min(axis=0).tolist() == LOW.tolist()
    assert net.parameters.max(axis=0).tolist() == HIGH.tolist()
    assert net.spacing == pytest.approx([0.2, 1.0])
    assert net.epsilon == 0.25


def test_a_spacing_is_an_upper_limit_met_with_the_fewest_points() -> None:
    net = epsilon_net(LOW, HIGH, spacing=[0.1, 0.9])
    assert net.steps.tolist() == [4, 5]
    assert (net.spacing <= np.array([0.1, 0.9]) + 1e-12).all()


def test_a_parameter_without_room_is_held_and_costs_nothing() -> None:
    net = epsilon_net([0.2, 1.0], [0.4, 1.0], 3)
    assert net.parameters == pytest.approx(np.array([[0.2, 1.0], [0.3, 1.0], [0.4, 1.0]]))
    assert net.epsilon == 0.25
    assert epsilon_net(1.0, 1.0, 4).epsilon == 0.0


def test_a_single_point_is_the_middle_and_covers_half_the_range() -> None:
    net = epsilon_net(LOW, HIGH, 1)
    assert net.parameters == pytest.approx(np.array([[0.3, 1.0]]))
    assert net.epsilon == 0.5


@given(st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_an_objective_of_known_slope_loses_at_most_slope_times_epsilon_on_the_net(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    peaks, slope = rng.uniform(size=(3, 2)), 2.0  # cones of slope 2, the highest at height 1

    def objective(share: np.ndarray) -> np.ndarray:
        height = np.array([1.0, 0.9, 0.8]) - slope * np.abs(share[:, None] - peaks).max(axis=2)
        return height.max(axis=1)

    net = epsilon_net([0, 0], [1, 1], n)
    on_the_net = objective(net.share)
    assert 1.0 - on_the_net.max() <= slope * net.epsilon + 1e-12
    assert lipschitz(net, on_the_net) <= slope + 1e-9, "an estimate from below"


def test_the_measured_slope_of_a_linear_objective_is_exact_over_one_state_and_over_two() -> None:
    net = epsilon_net([0.0, 0.0], [4.0, 4.0], 3)
    one = net.parameters @ np.array([1.0, -0.5])  # 6 from corner to corner of the box
    assert lipschitz(net, one) == pytest.approx(6.0)
    assert lipschitz(net, one[:, None] + 2 * one) == pytest.approx(18.0), "both states may move at once"
    assert lipschitz(epsilon_net(0, 1, 1), [3.0]) == 0.0


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: epsilon_net([0, 0], [1, 1], [3, 0]),
            "points is 0 at parameter 1, which leaves the net empty; give whole numbers of at least 1",
        ),
        (
            lambda: epsilon_net(0, 1, spacing=0.0),
            "spacing is 0 at parameter 0, which leaves the net empty; give positive numbers",
        ),
        (
            lambda: epsilon_net([0] * 5, [1] * 5, 21),
            "a net of 21 x 21 x 21 x 21 x 21 has 4,084,101 members, allowed are 4,096;"
            " give fewer points, a wider spacing or fewer free parameters",
        ),
        (lambda: epsilon_net([0, 2], [1, 1], 3), "low is 2 and high is 1 at parameter 1; give low <= high"),
        (lambda: epsilon_net([], [], 3), "low has shape (0,); give one bound for each parameter, at least one"),
        (lambda: epsilon_net(0, np.inf, 3), "high is inf at index [0]; give finite numbers"),
        (lambda: epsilon_net(0, 1), "give either points or spacing of the net, and not both"),
        (lambda: epsilon_net(0, 1, 3, spacing=0.1), "give either points or spacing of the net, and not both"),
        (lambda: epsilon_net(0, 1, 3).halved([]), "keep is []; give indices of members, from 0 to 2"),
        (lambda: epsilon_net(0, 1, 3).halved([3]), "keep is [3]; give indices of members, from 0 to 2"),
        (
            lambda: epsilon_net([0, 0], [1, 1], 64).halved(range(4096)),
            "a net of 4096 members and their neighbours has 16,129 members, allowed are 4,096;"
            " give fewer points, a wider spacing or fewer free parameters",
        ),
        (
            lambda: lipschitz(epsilon_net(0, 1, 3), [1.0, 2.0]),
            "table has shape (2,); give (3,), axes one axis for each state",
        ),
    ],
)
def test_what_cannot_be_a_net_is_refused_in_one_line(call: object, text: str) -> None:
    assert LARGEST == 4096
    with pytest.raises(ValueError) as error:
        call()
    assert str(error.value) == text
