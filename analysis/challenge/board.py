"""A board of the challenge: several people try in one scenario, and everybody sees who stands where.

What a tariff is worth is computed by the program that keeps the board; a player sends nothing but a tariff and a name.
Boards are kept in memory, and are gone with the process.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.challenge.scale import Scale
from meanwatt.analysis.classroom.admission import new_code, new_key, read_code, read_name

BOARDS: Final = 50
"""Boards of a process; the one that nobody has looked at for longest goes."""
PLAYERS: Final = 100
TRIES: Final = 200
"""Tariffs of one player that are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one player stands.

    Attributes
    ----------
    place
        1 is the first; equal means share a place.
    name
        Of the player.
    mean
        Best mean of the three scores, None before the first try.
    scores
        The scores of that try, in the order of `meanwatt.analysis.challenge.scale.AXES`; empty before the first.
    tries
        Different tariffs submitted.
    """

    place: int
    name: str
    mean: float | None
    scores: tuple[float, ...]
    tries: int


@dataclass(slots=True, eq=False)
class _Player:
    name: str
    made: dict[str, Floats] = field(default_factory=dict)


class Board:
    """One board; every method may be called from any thread.

    Parameters
    ----------
    code
        What others type to find it.
    scenario
        Where all its tariffs are tried.
    """

    def __init__(self, code: str, scenario: str) -> None:
        self.code, self.scenario = code, scenario
        self._lock = threading.Lock()
        self._players: dict[str, _Player] = {}
        self._listeners: list[Callable[[], None]] = []

    def join(self, name: object) -> str:
        """Take a player in; return the token by which he is known.

        Raises
        ------
        ValueError
            In one line, if the name cannot be used or is taken, or the board is full.
        """
        called = read_name(name)
        with self._lock:
            if any(player.name.casefold() == called.casefold() for player in self._players.values()):
                raise ValueError(f"the name {called!r} is taken on this board; give another one")
            if len(self._players) >= PLAYERS:
                raise ValueError(f"the board has {PLAYERS} players, as many as it holds; open another one")
            token = new_key()
            self._players[token] = _Player(called)
        self._told()
        return token

    def name_of(self, token: str) -> str | None:
        """Name of a player; None if there is none of this token."""
        with self._lock:
            player = self._players.get(token)
            return player.name if player else None

    def post(self, token: str, tariff: str, criteria: Floats) -> None:
        """Count a player's tariff, once; without effect for those who have not joined, or have tried too many.

        Parameters
        ----------
        tariff
            What tells it from others.
        criteria : (3,)
            What came of it, see `meanwatt.analysis.challenge.scale.Scale.criteria`.
        """
        with self._lock:
            player = self._players.get(token)
            if player is None or tariff in player.made or len(player.made) >= TRIES:
                return
            player.made[tariff] = np.array(criteria)
        self._told()

    def standings(self, scale: Scale) -> tuple[Standing, ...]:
        """Who stands where: the highest mean first, of equal ones who joined first; without a try at the end."""
        with self._lock:
            players = [(player.name, tuple(player.made.values())) for player in self._players.values()]
        found = []
        for name, made in players:
            best = max(made, key=scale.mean, default=None)
            mean = None if best is None else scale.mean(best)
            scores = () if best is None else tuple(scale.scores(best).tolist())
            found.append((name, mean, scores, len(made)))
        found.sort(key=lambda one: np.inf if one[1] is None else -one[1])
        means = [mean for _, mean, _, _ in found]
        return tuple(
            Standing(place=means.index(mean) + 1, name=name, mean=mean, scores=scores, tries=tries)
            for name, mean, scores, tries in found
        )

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Tell a listener of every change, in the thread that makes it; return what ends that."""
        with self._lock:
            self._listeners.append(listener)

        def end() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return end

    def _told(self) -> None:
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()


class Boards:
    """All boards of a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._boards: OrderedDict[str, Board] = OrderedDict()

    def open(self, scenario: str) -> Board:
        """Make a board in a scenario."""
        with self._lock:
            code = new_code()
            while code in self._boards:
                code = new_code()
            board = self._boards[code] = Board(code, scenario)
            while len(self._boards) > BOARDS:
                self._boards.popitem(last=False)
            return board

    def find(self, code: object) -> Board | None:
        """The board of a code, whatever its case and spaces; None if there is none."""
        letters = read_code(code)
        with self._lock:
            board = self._boards.get(letters) if letters else None
            if board is not None:
                self._boards.move_to_end(board.code)
            return board
