"""One room at work: its game, its rounds so far, and the plans for the next one."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from meanwatt.analysis.classroom.game import ClassGame, Round
from meanwatt.analysis.classroom.home_plan import Plan, read_plan, written
from meanwatt.analysis.classroom.score import score
from meanwatt.analysis.classroom.store import RoomStore, SeatRow, Terms
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.progress.watch import Progress, Watch
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

Solve = Callable[[Terms, Callable[[Progress], None]], Equilibrium]
"""Solves the equilibrium that a game is played beside."""


class News(Enum):
    """What is new in a room."""

    PLANS = "another plan is in"
    ALL = "anything else"


Tell = Callable[[int, News], None]
"""Told a room's number, and what is new there."""

MOST_ROUNDS: Final = 60
CLOSED: Final = "This room is closed."
FULL: Final = "This room is full: every home with a battery has a student."
FULL_OF_REMOVED: Final = (
    "This room is full: {removed} of its {seats} homes with a battery were those of students who were taken out, and"
    " are not given again. Ask the teacher to open another room."
)


class RefusedError(ValueError):
    """What somebody in a room asked for and does not get; the message is for their eyes."""


@dataclass(slots=True, kw_only=True, eq=False)
class GamePlayed:
    """A game and what came of it.

    Attributes
    ----------
    terms
        What it is played on.
    game
        The market; None until it is solved.
    rounds, plans
        Every round played, and the plans that counted in it, by seat.
    over
        Whether it has been ended.
    """

    terms: Terms
    game: ClassGame | None = None
    rounds: list[Round] = field(default_factory=list)
    plans: list[dict[int, str]] = field(default_factory=list)
    over: bool = False

    def totals(self, seat: int) -> tuple[float, float, float]:
        """Bill, saving and possible saving of a seat over the rounds that it was in. [USD]"""
        days = [done.homes[seat] for done in self.rounds if seat in done.homes]
        return (
            sum(day.bill_usd for day in days),
            sum(day.saved_usd for day in days),
            sum(day.possible_usd for day in days),
        )

    def score(self, seat: int) -> float | None:
        """Saving of what could be saved so far, in per cent; see `meanwatt.analysis.classroom.score.score`."""
        _, saved, possible = self.totals(seat)
        return score(saved, possible)


def solve_terms(terms: Terms, progress: Callable[[Progress], None]) -> Equilibrium:
    """Solve the equilibrium of a game's scenario and tariff."""
    scenario = load_scenario(terms.scenario, tariff=terms.tariff)
    return solve_equilibrium(
        build_economy(scenario), build_tariff(scenario), certify=False, watch=Watch(progress=progress)
    )


class Room:
    """Every method may be called from any thread; a move is on disk when its method returns.

    Parameters
    ----------
    store, room
        Where the room is kept, and its number there.
    solve
        Solves the equilibrium of a game.
    changed
        Told whenever there is something new to show.
    """

    def __init__(self, store: RoomStore, room: int, solve: Solve, changed: Tell) -> None:
        self.row = store.room(room)
        self.number = room
        self._store, self._solve, self._changed = store, solve, changed
        self._lock = threading.RLock()
        self.games = [GamePlayed(terms=terms, over=over) for terms, over in store.games(room)]
        self.seats: list[SeatRow] = store.seats(room)
        self.coming: dict[int, str] = {}
        self.stage: str | None = "Solving"
        self.failure: str | None = None
        self.ends_at: float | None = None
        self._closed = False
        self._preparing = threading.Lock()

    # --- what is there ----------------------------------------------------------------------------------------------

    @property
    def now(self) -> GamePlayed:
        """The game that is played."""
        return self.games[-1]

    @property
    def ready(self) -> bool:
        """Whether the market is there."""
        return self.stage is None and self.failure is None

    @property
    def closed(self) -> bool:
        """Whether its market is gone for good."""
        return self._closed

    @property
    def warning(self) -> str:
        """What has happened to the rooms' file, for the teacher; empty if nothing has."""
        return self._store.warning

    @property
    def lock(self) -> threading.RLock:
        """Held while something changes; who shows the room holds it as well."""
        return self._lock

    def present(self) -> list[int]:
        """Seats of the students who are in the room."""
        return [row.seat for row in self.seats if not row.removed]

    # --- getting ready ----------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Solve what is played, and live again the rounds that have been; on a thread of its own."""
        with self._preparing:
            for number, played in enumerate(self.games):
                failure = None
                try:
                    if played.game is None and not self._closed:
                        self._begin(number, played)
                except ValueError as error:
                    failure = f"{error}"
                except Exception as error:  # whoever waits for the room must hear of it
                    failure = f"The market could not be made: {type(error).__name__}: {error}"
                if played is self.now:  # an earlier game that came to nothing is in nobody's way
                    self.failure = failure
            self.stage = None
        self._changed(self.number, News.ALL)

    def _begin(self, number: int, played: GamePlayed) -> None:
        def told(progress: Progress) -> None:
            self.stage = progress.text
            self._changed(self.number, News.ALL)

        equilibrium = self._solve(played.terms, told)
        if equilibrium.outcome is not Outcome.CONVERGED:
            raise ValueError(f"{equilibrium.message} Choose another tariff.")
        game = ClassGame(equilibrium, households=played.terms.households, key=played.terms.key)
        done = self._store.played(self.number, number)
        for place, seats in enumerate(done):
            self.stage = f"Living day {place + 1} of {len(done)} again"
            self._changed(self.number, News.ALL)
            self._live(game, played, seats, self._store.plans(self.number, number, place))
        with self._lock:
            played.game = game
            if played is self.now:
                self.coming = self._store.plans(self.number, number, len(played.rounds))
                self._restart_clock()

    @staticmethod
    def _live(game: ClassGame, played: GamePlayed, seats: list[int], letters: Mapping[int, str]) -> None:
        slots = game.market.economy.slots
        plans: dict[int, Plan | None] = {
            seat: read_plan(letters[seat], slots) if seat in letters else None for seat in seats
        }
        played.rounds.append(game.play(plans))
        played.plans.append({seat: letters[seat] for seat in seats if seat in letters})

    def close(self) -> None:
        """Let go of the markets."""
        self._closed = True
        with self._lock:
            for played in self.games:
                if played.game is not None:
                    played.game.close()
                    played.game = None

    # --- what students do -------------------------------------------------------------------------------------------

    def join(self, name: str, token: str) -> int:
        """Seat a student.

        Raises
        ------
        RefusedError
            If there is no seat, or the market is not there yet.
        """
        with self._lock:
            game = self._game()
            if len(self.seats) >= game.seats:
                removed = len(self.seats) - len(self.present())
                raise RefusedError(FULL_OF_REMOVED.format(removed=removed, seats=game.seats) if removed else FULL)
            taken = {row.name.casefold() for row in self.seats if not row.removed}
            if name.casefold() in taken:
                raise RefusedError(f"Somebody here is called {name} already; choose another name.")
            if not self.present():
                self._restart_clock()  # the first day has its whole time
            seat = self._store.add_seat(self.number, name=name, token=token)
            self.seats = self._store.seats(self.number)
        self._changed(self.number, News.ALL)
        return seat

    def submit(self, seat: int, number: object, letters: object) -> None:
        """Take a student's plan for a round; it is on disk when this returns.

        Raises
        ------
        RefusedError
            If the round is another one, the room is frozen, or this is no plan.
        """
        with self._lock:
            game = self._game()
            if self.row.frozen:
                raise RefusedError("The teacher has stopped the clock: no plan is taken at the moment.")
            if self.now.over:
                raise RefusedError("This game is over.")
            if type(number) is not int or number != len(self.now.rounds):
                raise RefusedError("This day is over; plan the next one.")
            try:
                plan = read_plan(letters, game.market.economy.slots)
            except ValueError as error:
                raise RefusedError(str(error)) from None
            if not self._store.put_plan(self.number, len(self.games) - 1, len(self.now.rounds), seat, written(plan)):
                raise RefusedError("This day is over; plan the next one.")
            self.coming[seat] = written(plan)
            if self.row.solo:
                self.advance()
        self._changed(self.number, News.PLANS)

    # --- what the teacher does --------------------------------------------------------------------------------------

    def advance(self, asked: int | None = None) -> None:
        """Play the day: everybody by the plan, who has none by the equilibrium's policy.

        Parameters
        ----------
        asked
            The day that is meant, from 0; if it is over already, nothing happens. By default the next one.

        Raises
        ------
        RefusedError
            If the game is over, or no student is there.
        """
        with self._lock:
            game, number = self._game(), len(self.now.rounds)
            if asked is not None and asked != number:
                return
            if self.now.over or number >= MOST_ROUNDS:
                raise RefusedError("This game is over; begin another one.")
            seats = self.present()
            if not seats:
                raise RefusedError("Nobody has joined yet.")
            letters = self._store.close_round(self.number, len(self.games) - 1, number, seats)
            self._live(game, self.now, seats, letters)
            self.coming = {}
            self._restart_clock()
            if len(self.now.rounds) >= MOST_ROUNDS:
                self.end()
        self._changed(self.number, News.ALL)

    def advance_if_due(self, *, watched: bool = True) -> bool:
        """Play the day if its time is over; whether it did. While nobody watches, time begins again instead."""
        with self._lock:
            if self.ends_at is None or time.monotonic() < self.ends_at:
                return False
            if not watched or not self.present():
                self._restart_clock()
                return False
            self.advance()
        return True

    def end(self) -> None:
        """End the game: its scores are final."""
        with self._lock:
            self._store.end_game(self.number, len(self.games) - 1)
            self.now.over, self.ends_at = True, None
        self._changed(self.number, News.ALL)

    def again(self, terms: Terms) -> None:
        """Begin another game with the same students; `prepare` makes its market."""
        with self._lock:
            if terms == self.now.terms and not self.now.rounds:
                raise RefusedError("This game has just begun.")
            if not self.now.over:
                self.end()
            self._store.add_game(self.number, terms)
            self.games.append(GamePlayed(terms=terms))
            self.coming, self.stage, self.failure = {}, "Solving", None
        self._changed(self.number, News.ALL)

    def set_frozen(self, frozen: bool) -> None:
        """Take no plans, or take them again with the whole time of a round."""
        self._update(frozen=int(frozen))

    def set_note(self, note: str) -> None:
        """Say something to everybody."""
        self._update(note=note)

    def set_seconds(self, seconds: int) -> None:
        """Set the length of a round; 0 leaves its end to the teacher."""
        self._update(seconds=seconds)

    def remove(self, seat: int) -> None:
        """Let a student go."""
        with self._lock:
            self._store.remove_seat(self.number, seat)
            self.seats = self._store.seats(self.number)
            self.coming.pop(seat, None)
        self._changed(self.number, News.ALL)

    def _update(self, **values: str | int) -> None:
        with self._lock:
            self._store.update_room(self.number, **values)
            self.row = self._store.room(self.number)
            if "note" not in values:
                self._restart_clock()
        self._changed(self.number, News.ALL)

    def _restart_clock(self) -> None:
        running = self.row.seconds > 0 and not self.row.frozen and not self.now.over
        self.ends_at = time.monotonic() + self.row.seconds if running else None

    def _game(self) -> ClassGame:
        if self._closed:
            raise RefusedError(CLOSED)
        if self.failure is not None:
            raise RefusedError(self.failure)
        if self.now.game is None:
            raise RefusedError("The market is being prepared; try again in a moment.")
        return self.now.game
