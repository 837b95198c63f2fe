"""A visitor's place at a board of the challenge."""

from collections.abc import Callable

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.challenge.board import Board, Boards
from meanwatt.analysis.dashboard.challenge.choice import Choice
from meanwatt.analysis.dashboard.challenge.tries import key_of

BOARDS = Boards()
"""Of this server."""


class Seat:
    """Which board a visitor looks at, and as whom.

    Parameters
    ----------
    changed
        Called when somebody's standing changes, in any thread and without any lock.

    Attributes
    ----------
    board
        None away from boards.
    token
        By which the board knows him; empty before he joins.
    lost
        Code in the address of which there is no board here; empty if there is none such.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._end: Callable[[], None] | None = None
        self.board: Board | None = None
        self.token = ""
        self.lost = ""

    @property
    def name(self) -> str:
        """As which he plays; empty before he joins."""
        return "" if self.board is None else self.board.name_of(self.token) or ""

    def go(self, choice: Choice) -> None:
        """Look at the board of a choice, or at none."""
        board = BOARDS.find(choice.board) if choice.board else None
        if board is not None and board.scenario != choice.scenario:
            board = None
        self.lost = choice.board if board is None else ""
        if board is not self.board:
            self.leave()
            if board is not None:
                self.board, self._end = board, board.listen(self._changed)

    def leave(self) -> None:
        """Look at no board."""
        if self._end is not None:
            self._end()
        self.board, self.token, self._end = None, "", None

    def join(self, name: object) -> None:
        """Play under a name; ValueError in one line if that is not possible."""
        if self.board is not None and not self.name:
            self.token = self.board.join(name)

    def come_back(self, code: object, token: object) -> None:
        """Play as the one that a browser kept, if the board still knows him."""
        if self.board is not None and code == self.board.code and self.board.name_of(str(token)) is not None:
            self.token = str(token)

    def post(self, choice: Choice, criteria: Floats) -> None:
        """Count a tariff that was tried, if he plays."""
        if self.board is not None and self.name and choice.board == self.board.code:
            self.board.post(self.token, key_of(choice), criteria)
