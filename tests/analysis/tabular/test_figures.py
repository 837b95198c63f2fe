"""Pictures of a game: jumps where a student would find them, curves that are the responses, and bytes that repeat."""

from functools import cache

import numpy as np
import pytest

from meanwatt.analysis.figures.saved import image
from meanwatt.analysis.tabular.drawn import drawn_runs
from meanwatt.analysis.tabular.iteration_figure import iteration_figure
from meanwatt.analysis.tabular.response_figure import pairs_that_answer, responses_figure
from meanwatt.analysis.tabular.response_slices import ExactLine, exact_best, exact_line, line_of_policies, soft_line
from meanwatt.analysis.tabular.solution import GameSolution, solve_game
from meanwatt.analysis.tabular.square_panel import answer_path, indifferent
from meanwatt.analysis.tabular.triangle_panel import CORNERS, triangle_cells
from meanwatt.model.tabular.game_file import load_game
from meanwatt.model.tabular.named_game import NamedGame
from meanwatt.model.tabular.softmax_games import follower_map, leader_map
from meanwatt.model.tabular.stackelberg_games import best_response
from meanwatt.model.tabular.tabular_game import random_game

TEMPERATURES = {"pennies": (0.71, 0.18), "defection": (1.1, 0.5, 0.27), "battery": (1.5, 0.2), "peak": (1.5, 0.2)}


@cache
def solved(name: str) -> GameSolution:
    return solve_game(load_game(name), temperatures=TEMPERATURES[name])


# --- the maps along a line ---------------------------------------------------------------------------------------


def test_a_line_moves_one_state_and_shares_the_rest_equally() -> None:
    policy = np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]])
    line = line_of_policies(policy, 1, np.array([0.0, 0.4]))
    np.testing.assert_allclose(line[:, 0], np.tile(policy[0], (2, 1)))
    np.testing.assert_allclose(line[:, 1], [[0, 0.5, 0.5], [0.4, 0.3, 0.3]])


@pytest.mark.parametrize(
    ("name", "leads", "state", "own_state", "jump"),
    [
        ("defection", False, 0, 0, 0.25),  # 2 + 2p + 0.9·25 = 25
        ("battery", False, 1, 0, 0.5),  # low with probability p: −1 + 2(1 − p)(1/2 + 1/4 + …) = 0
        ("rebate", False, 0, 0, 0.25),  # none with probability p: 4(1 − p) = 3
        ("lottery", False, 0, 0, 0.5),  # p from left, 1 − p from right
        ("pennies", False, 0, 0, 0.5),
        ("pennies", True, 0, 0, 0.5),
    ],
)
def test_the_exact_response_jumps_where_it_does_by_hand(
    name: str, leads: bool, state: int, own_state: int, jump: float
) -> None:
    game = load_game(name).game
    response = (leader_map if leads else follower_map)(game, 1.0)
    line = exact_line(response, np.full((len(game.kernel), 2), 0.5), state, own_state)
    assert (np.diff(line.probability) >= 0).all()
    unlike = line.probability[line.best.all(axis=1)]
    assert unlike.size
    assert unlike == pytest.approx(np.full(unlike.shape, jump), abs=1e-6)  # ties are 1e-9 of what can be earned
    alone = line.best.sum(axis=1) == 1
    below, above = line.best[alone & (line.probability < jump), 0], line.best[alone & (line.probability > jump), 0]
    assert set(below.tolist()) == {bool(below[0])}
    assert set(above.tolist()) == {not below[0]}


def test_the_exact_response_is_that_of_the_solver_and_the_soft_one_is_the_map_itself() -> None:
    game = random_game(np.random.default_rng(3), states=3, leader_actions=3, follower_actions=3, discount=0.8)
    x = np.random.default_rng(4).dirichlet(np.ones(3), size=3)
    np.testing.assert_array_equal(exact_best(follower_map(game, 1.0), x), best_response(game, x).best)
    p, soft = soft_line(follower_map(game, 0.4), x, 1, 2)
    middle = len(p) // 2
    moved = x.copy()
    moved[1] = [0.5, 0.25, 0.25]
    np.testing.assert_allclose(soft[middle], follower_map(game, 0.4)(moved)[2], rtol=1e-12)


@pytest.mark.parametrize(
    ("probability", "first", "path"),
    [
        ([0, 0.3, 0.3, 0.3, 1], ["1", "1", "both", "0", "0"], [(0, 1), (0.3, 1), (0.3, 1), (0.3, 0), (0.3, 0), (1, 0)]),
        ([0, 0, 1], ["both", "1", "1"], [(0, 0), (0, 1), (0, 1), (1, 1)]),
        ([0, 1, 1], ["0", "0", "both"], [(0, 0), (1, 0), (1, 0), (1, 1)]),
    ],
)
def test_a_jump_is_drawn_through_all_lotteries(
    probability: list[float], first: list[str], path: list[tuple[float, float]]
) -> None:
    masks = {"1": [True, False], "0": [False, True], "both": [True, True]}
    line = ExactLine(probability=np.array(probability), best=np.array([masks[name] for name in first]))
    along, answer = answer_path(line)
    assert list(zip(along.tolist(), answer.tolist(), strict=True)) == path
    assert not indifferent(line).any()


def test_a_stretch_of_indifference_is_shaded_and_not_drawn() -> None:
    best = np.array([[True, False], [True, True], [True, True], [True, True], [False, True]])
    line = ExactLine(probability=np.array([0, 0.2, 0.4, 0.6, 1.0]), best=best)
    assert indifferent(line).tolist() == [False, True, True, True, False]
    assert np.isnan(answer_path(line)[1]).any()


def test_only_states_between_which_somebody_answers_get_a_panel() -> None:
    pairs = [(pair.leader_state, pair.follower_state) for pair in pairs_that_answer(solved("battery"))]
    assert pairs == [(1, 0)]  # the promise of a credit, and the home that may buy
    assert [(pair.leader_state, pair.follower_state) for pair in pairs_that_answer(solved("defection"))] == [(0, 0)]
    hot, mild = pairs_that_answer(solved("peak"))
    assert (hot.leader_state, hot.follower_state, mild.leader_state, mild.follower_state) == (1, 1, 0, 0)


# --- the figures -------------------------------------------------------------------------------------------------


def test_a_square_shows_both_maps_the_concepts_and_the_fixed_points() -> None:
    found = solved("defection")
    figure = responses_figure(found)
    (panel,) = figure.axes
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "home, exact",
        "utility, exact",
        "home, η = 1.1",
        "utility, η = 1.1",
        "home, η = 0.27",
        "utility, η = 0.27",
        "commitment",
        "feedback, lottery",
        "fixed point",
    ]
    drawn = {line.get_label(): np.array(line.get_data(), dtype=float) for line in panel.lines}
    assert drawn["commitment"].ravel().tolist() == [0.0, 1.0]
    assert drawn["feedback, lottery"].ravel() == pytest.approx([0.25, 1.0], abs=1e-7)
    last = drawn_runs(found.runs)[-1]
    p, soft = drawn["home, η = 0.27"]
    crossing = drawn["fixed point"][:, -1]
    assert crossing[0] == pytest.approx(last.run.leader_policy[0, 0])
    assert np.interp(crossing[0], p, soft) == pytest.approx(crossing[1], abs=1e-3)  # 200 chords of a smooth curve
    soft, p = drawn["utility, η = 0.27"]
    assert np.interp(crossing[1], p, soft) == pytest.approx(crossing[0], abs=1e-3)
    assert (panel.get_xlabel(), panel.get_title(loc="left")) == ("utility: probability of high", "in grid")
    assert "Play in other states is held" in figure.get_supxlabel()


def test_a_cycle_is_drawn_as_it_goes_round() -> None:
    figure = responses_figure(solved("pennies"))
    (line,) = [line for line in figure.axes[0].lines if line.get_label() == "cycle, η = 0.18"]
    across, up = np.array(line.get_data(), dtype=float)
    assert (across[0], up[0]) == pytest.approx((across[-1], up[-1]), abs=1e-5)
    assert figure.get_supxlabel() == ""


def test_three_actions_are_a_triangle_and_other_numbers_lines() -> None:
    figure = responses_figure(solved("peak"))
    assert len(figure.axes) == 4
    assert all(panel.collections for panel in figure.axes)
    cells = triangle_cells()
    np.testing.assert_allclose(cells.sum(axis=2), 1)
    corners = cells @ CORNERS
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    areas = 0.5 * np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])
    assert areas.sum() == pytest.approx(np.sqrt(3) / 4)
    game = random_game(np.random.default_rng(2), states=1, leader_actions=4, follower_actions=2, discount=0.0)
    named = NamedGame(
        name="four",
        title="Four",
        leader="leader",
        follower="follower",
        unit="",
        states=("stage",),
        leader_actions=tuple("abcd"),
        follower_actions=tuple("xy"),
        game=game,
    )
    figure = responses_figure(solve_game(named, temperatures=(0.5,)))
    above, below = figure.axes
    assert [panel.get_xlabel() for panel in (above, below)] == ["probability of a", "probability of x"]
    shown = [line.get_ydata() for line in below.lines if len(line.get_ydata()) > 1]
    assert len(shown) == 4
    np.testing.assert_allclose(np.sum(shown, axis=0), 1)


def test_a_game_in_which_nobody_answers_says_so() -> None:
    game = random_game(
        np.random.default_rng(2), states=1, leader_actions=2, follower_actions=1, discount=0.0, coupling=0.0
    )
    named = NamedGame(
        name="alone",
        title="Alone",
        leader="leader",
        follower="follower",
        unit="",
        states=("stage",),
        leader_actions=("a", "b"),
        follower_actions=("x",),
        game=game,
    )
    found = solve_game(named, temperatures=(0.5,))
    figure = responses_figure(found)
    assert "nobody's choice depends on the other" in [text.get_text() for text in figure.axes[0].texts]
    said = [text.get_text() for panel in iteration_figure(found).axes for text in panel.texts]
    assert any(text.startswith("d = 0") for text in said)
    assert "it converges at once" in said


def test_errors_are_drawn_below_their_bounds_and_what_does_not_converge_has_none() -> None:
    found = solved("defection")
    product, distance, regrets = iteration_figure(found).axes
    lines = {line.get_label(): np.array(line.get_data(), dtype=float) for line in regrets.lines}
    t, regret = lines["home"]
    assert t.tolist() == [1.1, 0.5, 0.27]
    assert regret == pytest.approx([one.run.follower_regret for one in found.runs])
    span, bound = lines["home, at most"]
    assert (regret < np.interp(t, span, bound)).all()
    assert bound == pytest.approx(span * np.log(2) / 0.1)
    measured = {line.get_label(): line.get_ydata() for line in product.lines}["measured; it converges"]
    assert measured == pytest.approx([one.lipschitz.product_measured for one in found.runs])
    assert distance.get_yscale() == "log"
    labels = [text.get_text() for text in iteration_figure(solved("pennies")).axes[0].get_legend().get_texts()]
    assert labels == ["at most, proven", "measured; it converges", "measured; it does not"]


@pytest.mark.parametrize("draw", [responses_figure, iteration_figure])
def test_equal_solutions_are_equal_files(draw: object) -> None:
    assert callable(draw)
    found = solved("pennies")
    assert image(draw(found), "svg") == image(draw(found), "svg")
    assert image(draw(found), "png", dpi=20).startswith(b"\x89PNG")
