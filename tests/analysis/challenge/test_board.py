"""Boards of the challenge: who stands where, and who may play."""

import threading
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.challenge.board import BOARDS, PLAYERS, TRIES, Board, Boards
from meanwatt.analysis.challenge.scale import Scale


def scores(criteria: Floats) -> Floats:
    return 100 * (1 - criteria)


SCALE = cast(Scale, SimpleNamespace(scores=scores, mean=lambda criteria: float(scores(criteria).mean())))
"""0 at a criterion of 1, 100 at 0."""


def standings(board: Board) -> list[tuple[int, str, float | None, int]]:
    return [
        (one.place, one.name, None if one.mean is None else round(one.mean, 9), one.tries)
        for one in board.standings(SCALE)
    ]


def test_players_stand_by_their_best_mean_and_equal_ones_share_a_place() -> None:
    board = Boards().open("textbook")
    ada, bo, cy, di = (board.join(name) for name in ("Ada", "Bo", "Cy", "Di"))
    board.post(bo, "a", np.array([0.5, 0.5, 0.5]))
    board.post(ada, "a", np.array([0.9, 0.9, 0.9]))
    board.post(ada, "b", np.array([0.25, 0.5, 0.75]))
    board.post(cy, "c", np.array([1.0, 0.0, 0.2]))
    assert standings(board) == [(1, "Cy", 60.0, 1), (2, "Ada", 50.0, 2), (2, "Bo", 50.0, 1), (4, "Di", None, 0)]
    assert board.standings(SCALE)[1].scores == (75.0, 50.0, 25.0), "of the best try, not the best of each"
    assert board.name_of(di) == "Di"


def test_a_tariff_counts_once_and_only_for_who_has_joined() -> None:
    board = Boards().open("textbook")
    token = board.join("Ada")
    board.post(token, "a", np.zeros(3))
    board.post(token, "a", np.ones(3))
    board.post("guessed", "b", np.zeros(3))
    assert standings(board) == [(1, "Ada", 100.0, 1)]
    assert board.name_of("guessed") is None
    for number in range(TRIES + 10):
        board.post(token, f"try {number}", np.ones(3))
    assert standings(board) == [(1, "Ada", 100.0, TRIES)]


@pytest.mark.parametrize("name", ["", " ", "=1+1", "<b>x</b>", "x" * 21, None, 5, "\u3164"])
def test_a_name_that_cannot_be_shown_is_refused_in_one_line(name: object) -> None:
    with pytest.raises(ValueError, match=r"^name is .*; give 1 to 20 letters") as refused:
        Boards().open("textbook").join(name)
    assert "\n" not in str(refused.value)


def test_a_name_is_taken_once_whatever_its_case_and_a_board_holds_so_many() -> None:
    board = Boards().open("textbook")
    board.join("Ada  Lovelace")
    with pytest.raises(ValueError, match=r"^the name 'ADA Lovelace' is taken on this board; give another one$"):
        board.join("ADA Lovelace")
    for number in range(PLAYERS - 1):
        board.join(f"p{number}")
    with pytest.raises(ValueError, match=rf"^the board has {PLAYERS} players, as many as it holds; open another one$"):
        board.join("one more")


def test_a_board_is_found_as_it_is_typed_and_the_one_unseen_for_longest_goes() -> None:
    boards = Boards()
    first, second = boards.open("textbook"), boards.open("oahu")
    assert boards.find(f" {first.code[:3].lower()}-{first.code[3:]} ") is first
    assert boards.find("") is boards.find(None) is boards.find("AAAAAAA") is None
    for _ in range(BOARDS - 1):
        boards.open("textbook")
    assert boards.find(second.code) is None
    assert boards.find(first.code) is first


def test_listeners_hear_every_change_without_a_lock_until_they_leave() -> None:
    board = Boards().open("textbook")
    heard: list[int] = []

    def look() -> None:
        found: list[int] = []
        thread = threading.Thread(target=lambda: found.append(len(board.standings(SCALE))))
        thread.start()
        thread.join(30)
        heard.extend(found or [-1])

    leave = board.listen(look)
    token = board.join("Ada")
    board.post(token, "a", np.zeros(3))
    board.post(token, "a", np.zeros(3))
    assert heard == [1, 1]
    leave()
    leave()
    board.join("Bo")
    assert heard == [1, 1]
