"""The class market as a web application: three pages, a few questions, one socket."""

import asyncio
import contextlib
import functools
import gzip
import hashlib
import io
import json
from collections.abc import Awaitable, Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

import segno
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from meanwatt.analysis.classroom.admission import read_code
from meanwatt.analysis.classroom.room import CLOSED, RefusedError, Room, Tell
from meanwatt.analysis.classroom.rooms import LONGEST_NOTE, Rooms
from meanwatt.analysis.classroom.views import COLUMNS, table, titles
from meanwatt.analysis.dashboard.classroom.hub import TEACHER, Hub
from meanwatt.analysis.dashboard.serving.addresses import is_this_machine
from meanwatt.analysis.dashboard.shared.csv_text import csv_text, release
from meanwatt.analysis.dashboard.take_away.files import SCRIPTS
from meanwatt.analysis.dashboard.take_away.files import STYLE as TAKE_AWAY_STYLE
from meanwatt.model.scenario.loading import presets

FOLDER: Final = Path(__file__).with_name("pages")
STYLE: Final = Path(__file__).parents[1] / "style.css"
KINDS: Final = {".js": "text/javascript", ".css": "text/css"}
FILES: Final = {
    path.name: path for path in [*FOLDER.glob("*.js"), *FOLDER.glob("*.css"), STYLE, *SCRIPTS, TAKE_AWAY_STYLE]
}
"""What a page may load; nothing else of the disk is served."""
MOST_BYTES: Final = 4096
"""Of one question, or one message on the socket."""
MOST_A_SECOND: Final = 30
"""Messages of one socket."""
POLICY: Final = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'"
GONE: Final = 4404
"""Code with which a socket ends whose room or seat is no more."""
TOO_MANY: Final = 4429
"""Code with which a socket ends that says too much, or is one too many."""
OK: Final = 200
NOT_MODIFIED: Final = 304
BAD_REQUEST: Final = 400
FORBIDDEN: Final = 403


class ClassMarket:
    """Starts with the first question asked of it; until then it keeps no file and no thread.

    Parameters
    ----------
    rooms
        Makes the rooms, given what is to be told of changes.
    links
        Addresses at which other machines reach this server.
    """

    def __init__(self, rooms: Callable[[Tell], Rooms], links: Sequence[str] = ()) -> None:
        self._make, self._links = rooms, tuple(links)
        self._hub: Hub | None = None

    def _started(self) -> Hub:
        """The hub, made on the event loop when it is first wanted.

        Raises
        ------
        ValueError
            In one line, if the rooms' file cannot be used.
        """
        if self._hub is None:
            self._hub = Hub(self._make)
        return self._hub

    async def close(self) -> None:
        """Let go of everything."""
        if self._hub is not None:
            await self._hub.close()

    def application(self, pages: Sequence[tuple[str, str]]) -> Starlette:
        """The application; ``pages`` are route and title of the pages that its own link to."""
        here = {"class": "index", "class/play": "student", "class/teach": "teacher"}
        return Starlette(
            routes=[
                *(Route(f"/{route}", _page(name, pages)) for route, name in here.items()),
                Route("/class/static/{name}", _static),
                Route("/class/choices", self._choices),
                Route("/class/rooms", self._open, methods=["POST"]),
                Route("/class/join", self._join, methods=["POST"]),
                Route("/class/table", self._table, methods=["POST"]),
                Route("/class/qr.svg", self._qr),
                WebSocketRoute("/class/socket", self._socket),
            ]
        )

    # --- questions --------------------------------------------------------------------------------------------------

    async def _choices(self, request: Request) -> Response:
        """What a room can be opened on, and whether it can be opened from here."""
        return JSONResponse({"scenarios": titles(list(presets())), "may_open": _is_local(request)})

    async def _open(self, request: Request) -> Response:
        if not _is_local(request):
            return _refused("Rooms are opened on the machine that serves them; join one with its code.", FORBIDDEN)
        given = await _given(request)
        return await self._answered(lambda rooms: _opened(rooms, given))

    async def _join(self, request: Request) -> Response:
        given, address = await _given(request), request.client.host if request.client else "?"
        return await self._answered(
            lambda rooms: {"token": rooms.join(given.get("code"), given.get("name"), address)[1]}
        )

    async def _table(self, request: Request) -> Response:
        """The class's table as CSV, for who has the teacher's key."""
        given = await _given(request)
        room = await asyncio.to_thread(self._started().rooms.of_teacher, given.get("key"))
        if room is None:
            return _refused("There is no such room.", BAD_REQUEST)
        if room.stage is not None:
            return _refused("The market is being prepared; try again in a moment.", BAD_REQUEST)
        rows = await asyncio.to_thread(table, room)
        terms = room.now.terms
        head = {"scenario": terms.scenario, "homes": terms.households, "key": terms.key}
        return Response(csv_text(head, COLUMNS, rows), media_type="text/csv; charset=utf-8")

    async def _qr(self, request: Request) -> Response:
        """QR code of the link by which students join."""
        code = read_code(request.query_params.get("code"))
        if code is None or not self._links:
            return _refused("No code, or no address that other machines reach.", BAD_REQUEST)
        drawn = io.BytesIO()
        segno.make(f"{self._links[0]}/class?code={code}", micro=False).save(
            drawn, kind="svg", border=2, dark="#000", light="#fff", svgclass=None, lineclass=None, omitsize=True
        )
        return Response(drawn.getvalue(), media_type="image/svg+xml")

    async def _answered(self, ask: Callable[[Rooms], dict[str, Any]]) -> Response:
        """The answer to a question that is worked out on a thread, or why there is none."""
        try:
            return JSONResponse(await asyncio.to_thread(ask, self._started().rooms))
        except ValueError as error:
            return _refused(str(error))

    # --- the socket -------------------------------------------------------------------------------------------------

    async def _socket(self, socket: WebSocket) -> None:
        await socket.accept()
        self._started()
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # RuntimeError: it went while it was sent to
            await self._serve(socket)

    async def _serve(self, socket: WebSocket) -> None:
        """Let a socket in by its key, and do what it asks until it goes."""
        found = await asyncio.to_thread(self._found, await _message(socket))
        if found is None:
            await socket.close(GONE)
            return
        room, seat = found
        if not self._started().enter(room.number, seat, socket):
            await socket.close(TOO_MANY)
            return
        if seat == TEACHER:
            await socket.send_text(json.dumps({"links": [f"{link}/class" for link in self._links]}))
        loop = asyncio.get_running_loop()
        second, said = loop.time(), 0
        try:
            while True:
                asked = await _message(socket)
                said = said + 1 if loop.time() - second < 1 else 1
                second = second if said > 1 else loop.time()
                if said > MOST_A_SECOND:
                    await socket.close(TOO_MANY)
                    return
                await socket.send_text(await asyncio.to_thread(self._answer, room, seat, asked))
        finally:
            self._started().leave(room.number, socket)

    def _found(self, asked: dict[str, Any]) -> tuple[Room, int] | None:
        if "key" in asked:
            room = self._started().rooms.of_teacher(asked["key"])
            return (room, TEACHER) if room else None
        return self._started().rooms.of_student(asked.get("token"))

    def _answer(self, room: Room, seat: int, asked: dict[str, Any]) -> str:
        """Do what is asked, and say that it is done, or why not."""
        number = asked.get("id")
        reply: dict[str, Any] = {"id": number if isinstance(number, int) else None}
        try:
            if room.closed:
                raise RefusedError(CLOSED)
            if seat != TEACHER:
                if room.seats[seat].removed:
                    raise RefusedError("The teacher has taken you out of this room.")
                room.submit(seat, asked.get("round"), asked.get("plan"))
            else:
                self._teach(room, asked)
        except ValueError as error:
            return json.dumps({**reply, "refused": str(error)})
        return json.dumps({**reply, "done": True})

    def _teach(self, room: Room, asked: dict[str, Any]) -> None:
        """What a teacher may do."""
        what, value = asked.get("do"), asked.get("value")
        if what == "next":
            if type(asked.get("round")) is not int:
                raise RefusedError("Say which day is meant.")
            room.advance(asked["round"])  # pressed twice, it is played once
        elif what == "freeze" and isinstance(value, bool):
            room.set_frozen(value)
        elif what == "note" and isinstance(value, str):
            note = " ".join(value.split())
            if len(note) > LONGEST_NOTE:
                raise RefusedError(f"The message has {len(note)} letters; give at most {LONGEST_NOTE}.")
            room.set_note(note)
        elif what == "seconds":
            room.set_seconds(self._started().rooms.read_seconds(value))
        elif what == "remove" and type(value) is int and 0 <= value < len(room.seats):
            room.remove(value)
        elif what == "end":
            room.end()
        elif what == "again" and isinstance(value, dict):
            if set(value) != {"tariff"}:
                raise RefusedError("Another game differs in the tariff alone; give that.")
            room.again(self._started().rooms.read_terms(value, room.now.terms))
            self._started().rooms.prepare(room)
        elif what == "close":
            self._started().rooms.drop(room.number)
        else:
            raise RefusedError("This is nothing that a teacher can ask for.")


def _opened(rooms: Rooms, given: dict[str, Any]) -> dict[str, Any]:
    opened = rooms.open(given)
    return {"key": opened.key, "code": opened.code, "token": opened.token}


def _page(name: str, pages: Sequence[tuple[str, str]]) -> Callable[[Request], Awaitable[Response]]:
    """One of the pages, with links to all others of the server."""
    text = (FOLDER / f"{name}.html").read_text(encoding="utf-8")
    items = "".join(
        f'<li><a href="{route}"{" aria-current=page" if route == "/class" else ""}>{title}</a></li>'
        for route, title in pages
    )
    scripts = "\n".join(f'<script src="/class/static/{path.name}"></script>' for path in SCRIPTS)
    for place, filled in (("pages", items), ("take away", scripts), ("version", escape(release()))):
        text = text.replace(f"<!-- {place} -->", filled)

    async def answer(_: Request) -> Response:
        return HTMLResponse(text, headers={"content-security-policy": POLICY, "cache-control": "no-cache"})

    return answer


async def _static(request: Request) -> Response:
    path = FILES.get(request.path_params["name"])
    if path is None:
        return Response("There is no such file.", status_code=404, media_type="text/plain")
    content, packed, tag = _content(path, path.stat().st_mtime_ns)
    headers = {"cache-control": "no-cache", "x-content-type-options": "nosniff", "etag": tag, "vary": "accept-encoding"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=NOT_MODIFIED, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        content, headers["content-encoding"] = packed, "gzip"
    return Response(content, media_type=KINDS[path.suffix], headers=headers)


@functools.cache
def _content(path: Path, _written_ns: int) -> tuple[bytes, bytes, str]:
    """A file, the same packed, and the name of this version of it."""
    content = path.read_bytes()
    return content, gzip.compress(content, 9, mtime=0), f'"{hashlib.sha256(content).hexdigest()[:16]}"'


async def _given(request: Request) -> dict[str, Any]:
    """What a question brings; nothing if it is no object, or too long."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            return {}
    return _object(body)


async def _message(socket: WebSocket) -> dict[str, Any]:
    received = await socket.receive()
    if received["type"] != "websocket.receive":
        raise WebSocketDisconnect(received.get("code", 1000))
    text = received.get("text") or ""
    return _object(text) if len(text) <= MOST_BYTES else {}


def _object(text: str | bytes) -> dict[str, Any]:
    try:
        read = json.loads(text)
        json.dumps(read, ensure_ascii=False).encode()  # half a letter can be read, and never be sent
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _is_local(request: Request) -> bool:
    return request.client is not None and is_this_machine(request.client.host)


def _refused(sentence: str, status: int = OK) -> Response:
    """Why something is not done. To be told so is a good answer: a browser writes an error for any other status."""
    return JSONResponse({"refused": sentence}, status_code=status)
