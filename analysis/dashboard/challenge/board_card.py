"""What the page says of the board: its code, who plays, and who stands where."""

from typing import Any

from meanwatt.analysis.challenge.board import Standing
from meanwatt.analysis.challenge.scale import Scale
from meanwatt.analysis.dashboard.challenge import words
from meanwatt.analysis.dashboard.challenge.choice import Choice
from meanwatt.analysis.dashboard.challenge.seat import Seat
from meanwatt.analysis.dashboard.shared.help_link import help_link


def board_card(choice: Choice, scale: Scale | None, seat: Seat) -> dict[str, Any]:
    """Data of the card; before the scale is known nobody has a score yet."""
    board = seat.board
    rows = [] if board is None or scale is None else [_row(one, seat.name) for one in board.standings(scale)]
    return {
        "title": words.BOARD,
        "help": help_link("challenge-board"),
        "axes": list(words.AXES),
        "code": "" if board is None else board.code,
        "scenario": choice.scenario,
        "lost": words.NO_BOARD + "." if seat.lost else "",
        "note": words.BOARD_ALONE if board is None else words.BOARD_LIVES,
        "name": seat.name,
        "token": seat.token if seat.name else "",
        "rows": rows,
    }


def _row(one: Standing, mine: str) -> dict[str, Any]:
    none = [words.score(float("nan"))] * len(words.AXES)
    return {
        "place": one.place if one.mean is not None else None,
        "name": one.name,
        "here": one.name == mine,
        "scores": [words.score(score) for score in one.scores] or none,
        "mean": words.score(float("nan") if one.mean is None else one.mean),
        "tries": one.tries,
    }
