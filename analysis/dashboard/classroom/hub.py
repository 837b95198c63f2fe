"""Who is looking at which room, and what is new for them."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from meanwatt.analysis.classroom.room import News, RefusedError, Room, Tell
from meanwatt.analysis.classroom.rooms import Rooms
from meanwatt.analysis.classroom.views import Place, counts, own_plan, places_of, student_view, teacher_view

CALM_SECONDS: Final = 0.05
"""Least time between two pictures of one room: what forty students do at once becomes one."""
CLOCK_SECONDS: Final = 0.1
SOCKETS_A_SEAT: Final = 4
"""Windows in which one student, or a teacher, may have the room open."""
GONE: Final = '{"gone":true}'
"""What is said of a room that was closed, and to a student who was taken out of it."""
TEACHER: Final = -1
"""The teacher's place among the seats."""

logger = logging.getLogger(__name__)


class Socket(Protocol):
    """What the hub needs of a websocket."""

    async def send_text(self, data: str) -> None:
        """Send one message."""


class Window:
    """One socket that looks at a room. What it has not taken when there is something newer it is never sent.

    A window that takes nothing, as of a laptop that sleeps, holds up nobody but itself.
    """

    def __init__(self, seat: int, socket: Socket) -> None:
        self.seat, self.socket = seat, socket
        self._newest: dict[News, str] = {}
        self._there = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._send())

    def show(self, text: str, news: News = News.ALL) -> None:
        """Send this next, in place of what is not sent yet; counts alone do not replace a view."""
        if news is News.ALL:
            self._newest.clear()
        self._newest[news] = text
        self._there.set()

    def close(self) -> None:
        """Send nothing more."""
        self._task.cancel()

    async def _send(self) -> None:
        with contextlib.suppress(Exception):  # who has gone is noticed where the socket is read
            while True:
                await self._there.wait()
                self._there.clear()
                newest, self._newest = self._newest, {}
                for text in newest.values():
                    await self.socket.send_text(text)


class Hub:
    """Runs on the server's event loop; rooms are asked on threads, so that a slow one holds up nobody.

    Parameters
    ----------
    rooms
        Makes the rooms, given what is to be told of changes.
    """

    def __init__(self, rooms: Callable[[Tell], Rooms]) -> None:
        self._loop = asyncio.get_running_loop()
        self._looking: dict[int, list[Window]] = {}
        self._news: dict[int, News] = {}
        self._woken = asyncio.Event()
        self.rooms = rooms(self._changed)
        self._tasks = [self._loop.create_task(self._show()), self._loop.create_task(self._tick())]

    async def close(self) -> None:
        """End both loops, and let go of the rooms."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self.rooms.close)

    def enter(self, room: int, seat: int, socket: Socket) -> bool:
        """Show a room to a socket from now on; False if this seat has too many open."""
        looking = self._looking.setdefault(room, [])
        if sum(window.seat == seat for window in looking) >= SOCKETS_A_SEAT:
            return False
        looking.append(Window(seat, socket))
        self.tell(room)
        return True

    def leave(self, room: int, socket: Socket) -> None:
        """Show it no more."""
        left = []
        for window in self._looking.get(room, ()):
            if window.socket is socket:
                window.close()
            else:
                left.append(window)
        if left:
            self._looking[room] = left
        else:
            self._looking.pop(room, None)

    def tell(self, room: int, news: News = News.ALL) -> None:
        """Draw a room anew for all who look at it."""
        if self._news.get(room) is not News.ALL:
            self._news[room] = news
        self._woken.set()

    def _changed(self, room: int, news: News) -> None:
        """What rooms call, from any thread."""
        with contextlib.suppress(RuntimeError):  # the server has ended
            self._loop.call_soon_threadsafe(self.tell, room, news)

    async def _show(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            news, self._news = self._news, {}
            for number, what in news.items():
                try:
                    await self._show_room(number, what)
                except Exception:  # one room must not darken the others
                    logger.exception("room %s cannot be shown", number)
            await asyncio.sleep(CALM_SECONDS)

    async def _show_room(self, number: int, news: News) -> None:
        """Send everybody who looks at a room what is to be seen now; students the counts alone if a plan came in."""
        looking = list(self._looking.get(number, ()))
        room = next((room for room in self.rooms.awake() if room.number == number), None)
        if room is None:
            for window in looking:
                window.show(GONE)
        elif looking:
            texts = await asyncio.to_thread(_texts, room, {window.seat for window in looking}, news)
            for window in looking:
                window.show(texts[window.seat], news)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(CLOCK_SECONDS)
            for room in self.rooms.awake():
                if room.ends_at is not None:
                    try:
                        await asyncio.to_thread(room.advance_if_due, watched=room.number in self._looking)
                    except RefusedError:  # it was closed, or its last day is over
                        room.ends_at = None
                    except Exception:
                        logger.exception("room %s cannot live its day", room.number)


def _texts(room: Room, seats: set[int], news: News) -> dict[int, str]:
    """The message for each of the seats that look at a room."""
    if news is News.PLANS:
        short = counts(room)
        return {
            seat: _message(teacher_view(room))
            if seat == TEACHER
            else json.dumps({"counts": short, "own": own_plan(room, seat)})
            for seat in seats
        }
    places = places_of(room)
    return {seat: _text(room, seat, places) for seat in seats}


def _text(room: Room, seat: int, places: Mapping[str, Place]) -> str:
    if seat == TEACHER:
        return _message(teacher_view(room))
    return GONE if room.seats[seat].removed else _message(student_view(room, seat, places))


def _message(view: dict[str, Any]) -> str:
    return json.dumps({"view": view}, allow_nan=False, separators=(",", ":"))
