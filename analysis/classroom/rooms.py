"""All rooms of a server: opened, found by code or key, woken after a restart, and forgotten when nobody comes."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from meanwatt.agents.numerics.randomness import key_from
from meanwatt.analysis.classroom.admission import Doorkeeper, new_code, new_key, read_code, read_name
from meanwatt.analysis.classroom.room import News, RefusedError, Room, Solve, Tell, solve_terms
from meanwatt.analysis.classroom.store import RoomStore, Terms
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.progress.watch import Progress
from meanwatt.model.scenario.loading import load_scenario, presets
from meanwatt.model.scenario.nearest import unknown

MOST_ROOMS: Final = 50
HOUSEHOLDS: Final = (100, 20_000)
"""Fewest and most homes of a class market."""
SECONDS: Final = (0, 3600)
"""Shortest and longest round; 0 is ended by hand. [s]"""
LONGEST_NOTE: Final = 200
KEPT_DAYS: Final = 30
"""A room in which nothing has happened for so long is forgotten. [d]"""
SEED_LIMIT: Final = 2**31
SOLVED_KEPT: Final = 6
"""Equilibria that are kept for further rooms; the oldest goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A new room: its number, the teacher's key, the code for students, and a student's token if it is solo."""

    room: int
    key: str
    code: str
    token: str | None


class Rooms:
    """Every method may be called from any thread.

    Parameters
    ----------
    store
        Where rooms are kept.
    changed
        Told of a room whenever there is something new to show.
    solve
        Solves the equilibrium of a game; the answer to equal scenario and tariff is kept.
    doorkeeper
        Who counts wrong codes.
    """

    def __init__(
        self,
        store: RoomStore,
        changed: Tell = lambda *_: None,
        *,
        solve: Solve = solve_terms,
        doorkeeper: Doorkeeper | None = None,
    ) -> None:
        self._store, self._changed, self._solve = store, changed, solve
        self._doorkeeper = doorkeeper or Doorkeeper()
        self._lock = threading.RLock()
        self._solving = threading.Lock()
        self._solved: dict[tuple[str, str], Equilibrium] = {}
        self._awake: dict[int, Room] = {}

    def close(self) -> None:
        """Let go of every market, and of the file."""
        with self._lock:
            for room in self._awake.values():
                room.close()
            self._awake.clear()
        self._store.close()

    # --- opening and finding ----------------------------------------------------------------------------------------

    def open(self, given: dict[str, object]) -> Opened:
        """Open a room.

        Parameters
        ----------
        given
            ``scenario``, ``tariff``, ``households``, ``seconds``, and ``solo`` for one student alone; what is missing
            has a default.

        Raises
        ------
        ValueError
            In one line, if a setting is not allowed or there are too many rooms.
        """
        terms = self.read_terms(given)
        seconds, solo = self.read_seconds(given.get("seconds", 0)), given.get("solo") is True
        for room in self._store.untouched_since(time.time() - KEPT_DAYS * 86400):
            self.drop(room)
        if len(self._store.rooms()) >= MOST_ROOMS:
            raise RefusedError(f"{MOST_ROOMS} rooms are open already; close one first.")
        key = new_key()
        while True:
            code = new_code()
            try:
                room = self._store.add_room(code=code, key=key, seconds=seconds, solo=solo, terms=terms)
                break
            except FileExistsError:
                continue
        token = new_key() if solo else None
        if token is not None:
            self._store.add_seat(room, name="You", token=token)
        self.wake(room)
        return Opened(room=room, key=key, code=code, token=token)

    def read_terms(self, given: dict[str, object], before: Terms | None = None) -> Terms:
        """Read what a game is to be played on; what is missing is as before, or the default."""
        start = before or Terms(scenario="oahu", tariff="", households=2000, key=key_from(None) % SEED_LIMIT)
        name = str(given.get("scenario", start.scenario))
        if name not in presets():
            raise RefusedError(unknown("scenario", name, presets()))
        scenario = load_scenario(name)
        tariff = str(given.get("tariff", start.tariff if before and name == start.scenario else "")) or None
        tariff = tariff or scenario.default_tariff or next(iter(scenario.tariffs))
        if tariff not in scenario.tariffs:
            raise RefusedError(unknown("tariff", tariff, scenario.tariffs))
        households = _whole("households", given.get("households", start.households), HOUSEHOLDS)
        return Terms(scenario=name, tariff=tariff, households=households, key=start.key)

    @staticmethod
    def read_seconds(given: object) -> int:
        """Read the length of a round."""
        return _whole("seconds", given, SECONDS)

    def join(self, code: object, name: object, address: str) -> tuple[Room, str]:
        """Seat a student by code and name; return the room and the student's token.

        Raises
        ------
        ValueError
            In one line, if the code or the name is wrong, too many were tried, or there is no seat.
        """
        if not self._doorkeeper.may_try(address):
            raise RefusedError("Too many wrong codes from this address; wait a minute.")
        letters = read_code(code)
        number = self._store.room_of_code(letters) if letters else None
        if number is None or self._store.room(number).solo:
            self._doorkeeper.was_wrong(address)
            raise RefusedError("There is no room of this code; look at the teacher's screen again.")
        shown, token, room = read_name(name), new_key(), self.wake(number)
        room.join(shown, token)
        return room, token

    def of_teacher(self, key: object) -> Room | None:
        """The room of a teacher's key."""
        number = self._store.room_of_key(key) if isinstance(key, str) else None
        return self.wake(number) if number is not None else None

    def of_student(self, token: object) -> tuple[Room, int] | None:
        """Room and seat of a student's token."""
        found = self._store.seat_of_token(token) if isinstance(token, str) else None
        return (self.wake(found[0]), found[1]) if found else None

    def awake(self) -> list[Room]:
        """Rooms that somebody has looked at since the server started."""
        with self._lock:
            return list(self._awake.values())

    # --- waking, and letting go -------------------------------------------------------------------------------------

    def wake(self, number: int) -> Room:
        """The room at work; if it sleeps its market is made on a thread."""
        with self._lock:
            room = self._awake.get(number)
            if room is None:
                room = self._awake[number] = Room(self._store, number, self._equilibrium, self._changed)
                self.prepare(room)
        return room

    def prepare(self, room: Room) -> None:
        """Make a room's market on a thread."""
        threading.Thread(target=room.prepare, daemon=True, name=f"room {room.number}").start()

    def drop(self, number: int) -> None:
        """Forget a room."""
        with self._lock:
            room = self._awake.pop(number, None)
        if room:
            room.close()
        self._store.drop_room(number)
        self._changed(number, News.ALL)

    def _equilibrium(self, terms: Terms, progress: Callable[[Progress], None]) -> Equilibrium:
        """Solve once for all rooms: one at a time, from the same start, so that a restart finds the same bits."""
        place = terms.scenario, terms.tariff
        with self._solving:
            if place not in self._solved:
                self._solved[place] = self._solve(terms, progress)
                while len(self._solved) > SOLVED_KEPT:
                    del self._solved[next(iter(self._solved))]
            return self._solved[place]


def _whole(name: str, given: object, limits: tuple[int, int]) -> int:
    low, high = limits
    if isinstance(given, bool) or not isinstance(given, int) or not low <= given <= high:
        raise RefusedError(f"{name} is {str(given)[:40]}; give a whole number from {low} to {high}")
    return given
