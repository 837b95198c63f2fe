"""Softmax errors against the Stackelberg value: below their bounds, drawn, and printed by the page's example."""

import runpy

import numpy as np
import pytest
from repository import ROOT

from meanwatt.analysis.tabular.error_figure import error_figure
from meanwatt.analysis.tabular.softmax_error import SoftmaxErrors, softmax_errors
from meanwatt.model.tabular.stackelberg_games import GameOutcome
from meanwatt.model.tabular.tabular_game import chase_game, random_game

TEMPERATURES = (1.0, 0.1, 0.02)
VALUE = 1e-6


@pytest.fixture(scope="module")
def errors() -> list[SoftmaxErrors]:
    games = [
        random_game(np.random.default_rng(seed), states=2, leader_actions=2, follower_actions=2, discount=0.8)
        for seed in (0, 2)
    ]
    return [softmax_errors(game, TEMPERATURES) for game in (*games, chase_game(np.random.default_rng(1)))]


def test_every_error_is_below_its_bound_and_that_of_a_promise_vanishes(errors: list[SoftmaxErrors]) -> None:
    for one in errors:
        assert one.best.outcome is GameOutcome.EXACT
        assert (one.promise <= one.promise_bound + VALUE).all()
        settled = np.isfinite(one.turns)
        assert (one.turns[settled] <= one.turns_bound[settled] + VALUE).all()
        assert one.promise[-1] <= max(0.1, 0.5 * one.promise[0])
        assert one.promise_bound[-1] < one.span
    assert np.isnan(errors[2].turns[-1])  # a chase that goes round


def test_the_figure_has_an_error_and_a_bound_a_game_and_the_two_against_each_other(
    errors: list[SoftmaxErrors],
) -> None:
    left, middle, right = error_figure(errors).axes
    assert len(left.lines) == len(middle.lines) == 2 * len(errors) + 2
    assert [text.get_text() for text in right.get_legend().get_texts()][-1] == "error = bound"


def test_the_example_prints_a_row_a_temperature(capsys: pytest.CaptureFixture[str]) -> None:
    example = runpy.run_path(str(ROOT / "docs/examples/softmax_error.py"))
    example["main"](["--games", "1"])
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "1 games, 1 with the Stackelberg value known to 1e-6"
    assert len(printed) == 4 + len(example["TEMPERATURES"])
