"""The class market over the wire: a server, plain questions, and sockets of a teacher and students."""

import asyncio
import contextlib
import gzip
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from class_rooms import DAY, SMALL, solve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from meanwatt.analysis.classroom.room import Tell
from meanwatt.analysis.classroom.rooms import Rooms
from meanwatt.analysis.classroom.store import RoomStore
from meanwatt.analysis.dashboard.classroom.application import FILES, MOST_A_SECOND, ClassMarket
from meanwatt.analysis.dashboard.classroom.hub import SOCKETS_A_SEAT, TEACHER, Hub
from meanwatt.analysis.dashboard.serving import addresses
from meanwatt.analysis.dashboard.serving.beside import Beside
from meanwatt.analysis.dashboard.serving.own_origin import OwnOrigin

PAGES = [("/", "Market"), ("/class", "Class market")]


async def _rest(scope, receive, send) -> None:
    """Stands for all other pages."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"the rest"})


class Served:
    """A server on a thread, and questions to it."""

    def __init__(self, path: object, links: tuple[str, ...] = ("http://192.168.7.7:8765",)) -> None:
        market = ClassMarket(lambda changed: Rooms(RoomStore(path), changed, solve=solve), links)
        app = OwnOrigin(Beside(_rest, market.application(PAGES), market.close), "localhost", [])
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=self.port, log_level="error"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)

    def close(self) -> None:
        """End it, as it would be ended."""
        self._server.should_exit = True
        self._thread.join(30)
        assert not self._thread.is_alive()

    def ask(self, method: str, path: str, given: object = None, headers: dict | None = None) -> tuple[int, str, dict]:
        """Status, text and headers of an answer; of a header that comes twice the values behind one another."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        body = given if isinstance(given, bytes) else None if given is None else json.dumps(given)
        line.request(method, path, body=body, headers=headers or {})
        answer = line.getresponse()
        names = {name.lower() for name, _ in answer.getheaders()}
        found = answer.status, answer.read().decode(), {name: answer.getheader(name) for name in names}
        line.close()
        return found

    def post(self, path: str, given: object) -> dict:
        """What is answered to a question."""
        return json.loads(self.ask("POST", path, given)[1])

    @contextlib.contextmanager
    def line(self, first: object, **options) -> Iterator["Line"]:
        """A socket that has said who it is."""
        with connect(f"ws://127.0.0.1:{self.port}/class/socket", **options) as opened:
            opened.send(json.dumps(first))
            yield Line(opened)


class Line:
    """One socket."""

    def __init__(self, opened: ClientConnection) -> None:
        self.opened, self.views = opened, []

    def take(self) -> dict:
        """The next message."""
        message = json.loads(self.opened.recv(timeout=60))
        if "view" in message:
            self.views.append(message["view"])
        return message

    def until(self, there) -> dict:
        """The first view that satisfies something."""
        while True:
            message = self.take()
            if "view" in message and there(message["view"]):
                return message["view"]

    def ask(self, **given) -> dict:
        """Ask for something; the answer."""
        self.opened.send(json.dumps({"id": 5, **given}))
        while True:
            message = self.take()
            if "id" in message:
                return message


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("class") / "rooms.db")
    yield made
    made.close()


def opened(served: Served, **given: object) -> dict:
    room = served.post("/class/rooms", SMALL | given)
    with served.line({"key": room["key"]}) as teacher:
        teacher.until(lambda view: view["ready"])
    return room


def test_a_class_plays_a_day_and_everybody_sees_it_at_once(served: Served) -> None:
    room = opened(served)
    tokens = [served.post("/class/join", {"code": room["code"], "name": name})["token"] for name in ("Ada", "Ben")]
    with (
        served.line({"key": room["key"]}) as teacher,
        served.line({"token": tokens[0]}) as ada,
        served.line({"token": tokens[1]}) as ben,
    ):
        assert teacher.take() in ({"links": ["http://192.168.7.7:8765/class"]},) or teacher.views
        ada.until(lambda view: "morning" in view)
        assert ada.ask(plan=DAY, round=0) == {"id": 5, "done": True}
        teacher.until(lambda view: view["planned"] == 1)
        assert teacher.ask(do="next", round=0) == {"id": 5, "done": True}
        assert ada.until(lambda view: view["round"] == 1)["last"]["autopilot"] is False
        assert ben.until(lambda view: view["round"] == 1)["last"]["autopilot"] is True
        assert teacher.ask(do="next", round=0) == {"id": 5, "done": True}  # pressed twice, played once
        assert teacher.ask(do="note", value="  Mind the\nevening ") == {"id": 5, "done": True}
        assert ben.until(lambda view: view["note"])["note"] == "Mind the evening"
        assert max(view["round"] for view in teacher.views) == 1
        status, text, headers = served.ask("POST", "/class/table", {"key": room["key"]})
        assert (status, headers["content-type"]) == (200, "text/csv; charset=utf-8")
        assert text.count("\n1,filed,1,") == 2
        assert ben.ask(plan="r" * 23, round=1)["refused"].startswith("plan is 'rrrr")
        assert teacher.ask(do="remove", value=1) == {"id": 5, "done": True}
        while ben.take() != {"gone": True}:
            pass
        assert "taken you out" in ben.ask(plan=DAY, round=1)["refused"]
        assert teacher.ask(do="close") == {"id": 5, "done": True}
        while ada.take() != {"gone": True}:
            pass


def test_every_window_of_a_student_hears_of_the_own_plan_and_of_nobody_elses(served: Served) -> None:
    room = opened(served)
    tokens = [served.post("/class/join", {"code": room["code"], "name": name})["token"] for name in ("Ada", "Ben")]
    with (
        served.line({"token": tokens[0]}) as first,
        served.line({"token": tokens[0]}) as second,
        served.line({"token": tokens[1]}) as ben,
    ):
        for line in (first, second, ben):
            line.until(lambda view: "morning" in view and view["present"] == 2)
        assert first.ask(plan=DAY, round=0) == {"id": 5, "done": True}
        while (message := second.take()).get("own") != {"round": 0, "plan": DAY}:
            pass
        assert message["counts"] == {"present": 2, "planned": 1}
        while (message := ben.take()).get("counts", {}).get("planned") != 1:
            pass
        assert message["own"] == {"round": 0, "plan": None}


def test_a_teacher_reads_that_the_rooms_file_was_deleted(tmp_path) -> None:
    path = tmp_path / "rooms.db"
    served = Served(path)
    room = opened(served)
    with served.line({"key": room["key"]}) as teacher:
        path.unlink()
        served.post("/class/join", {"code": room["code"], "name": "Ada"})
        said = teacher.until(lambda view: view["warning"])["warning"]
        assert said.startswith("The rooms' file was deleted while the program ran.")
        assert str(path) in said
    served.close()
    assert path.exists()


def test_a_window_that_takes_nothing_holds_up_nobody() -> None:
    """As of a laptop that sleeps, once its line is full; and of what it missed it is sent the newest alone."""

    class Fake:
        def __init__(self) -> None:
            self.got: list[str] = []
            self.awake = asyncio.Event()

        async def send_text(self, data: str) -> None:
            await self.awake.wait()
            self.got.append(data)

    async def scene() -> None:
        made: list[Rooms] = []

        def rooms(changed: Tell) -> Rooms:
            made.append(Rooms(RoomStore(":memory:"), changed, solve=solve))
            return made[0]

        hub, asleep, teacher = Hub(rooms), Fake(), Fake()
        teacher.awake.set()
        room = await asyncio.to_thread(made[0].of_teacher, made[0].open(SMALL).key)
        assert room is not None
        assert hub.enter(room.number, TEACHER, asleep)
        assert hub.enter(room.number, TEACHER, teacher)
        for note in ("one", "two", "three"):
            await asyncio.to_thread(room.set_note, note)
            async with asyncio.timeout(60):
                while not any(f'"note":"{note}"' in text for text in teacher.got):
                    await asyncio.sleep(0.01)
        asleep.awake.set()
        async with asyncio.timeout(60):
            while not any('"note":"three"' in text for text in asleep.got):
                await asyncio.sleep(0.01)
        assert len(asleep.got) == 2  # what was on its way, and the newest
        await hub.close()

    asyncio.run(scene())


def test_a_window_of_a_closed_room_never_shows_another_one(served: Served) -> None:
    first = opened(served)
    token = served.post("/class/join", {"code": first["code"], "name": "Ada"})["token"]
    with served.line({"key": first["key"]}) as teacher, served.line({"token": token}) as ada:
        ada.until(lambda view: "morning" in view)
        assert teacher.ask(do="close") == {"id": 5, "done": True}
        while ada.take() != {"gone": True}:
            pass
        second = opened(served)
        served.post("/class/join", {"code": second["code"], "name": "Ben"})
        for line, asked in ((ada, {"plan": DAY, "round": 0}), (teacher, {"do": "note", "value": "x"})):
            seen = len(line.views)
            assert line.ask(**asked) == {"id": 5, "refused": "This room is closed."}
            assert len(line.views) == seen


def test_a_student_cannot_do_what_a_teacher_does_nor_play_for_another(served: Served) -> None:
    room = opened(served)
    token = served.post("/class/join", {"code": room["code"], "name": "Ada"})["token"]
    with served.line({"token": token}) as ada:
        ada.until(lambda view: "morning" in view)
        for asked in ({"do": "next", "round": 0}, {"do": "close"}, {"seat": 7}, {}):
            assert "refused" in ada.ask(**asked)
        assert ada.ask(plan=DAY, round=0, seat=3, token="x", key=room["key"]) == {"id": 5, "done": True}
    with served.line({"key": room["key"]}) as teacher:
        view = teacher.until(lambda view: view["ready"])
        assert [(one["seat"], one["planned"]) for one in view["students"]] == [(0, True)]
        for asked in (
            {"do": "dance"},
            {"do": "remove", "value": 99},
            {"do": "remove", "value": False},
            {"do": "freeze", "value": 1},
            {"do": "next", "round": 0.0},
            {"do": "next"},
            {"do": "again", "value": {"tariff": "x"}},
            {"do": "seconds", "value": -1},
            {"do": "note", "value": 7},
        ):
            assert "refused" in teacher.ask(**asked)
        too_long = teacher.ask(do="note", value="x" * 201)["refused"]
        assert too_long == "The message has 201 letters; give at most 200."
        more = teacher.ask(do="again", value={"tariff": "tou", "households": 100})["refused"]
        assert more == "Another game differs in the tariff alone; give that."


def test_what_is_no_text_is_nothing(served: Served) -> None:
    room = opened(served)
    with served.line({"key": room["key"]}) as teacher:
        teacher.opened.send(b"\x00\x01")
        while "refused" not in teacher.take():
            pass
        assert "refused" in teacher.ask(do="note", value="\ud800")


@pytest.mark.parametrize(
    "first", [{}, {"key": "\ud800"}, {"key": "x"}, {"token": "x"}, {"token": 5}, {"key": None}, [], "x", 7]
)
def test_who_has_no_key_is_shown_nothing(served: Served, first: object) -> None:
    with served.line(first) as line, pytest.raises(ConnectionClosed) as closed:
        line.take()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4404


def test_a_socket_of_another_page_is_refused(served: Served) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        served.line({}, additional_headers={"Origin": "http://evil.example"}),
    ):
        pass
    assert refused.value.response.status_code == 403
    assert served.ask("POST", "/class/rooms", SMALL, {"Origin": "http://evil.example"})[0] == 403


def test_a_seat_has_few_windows_and_a_socket_says_little(served: Served) -> None:
    room = opened(served)
    token = served.post("/class/join", {"code": room["code"], "name": "Ada"})["token"]
    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(served.line({"token": token})) for _ in range(SOCKETS_A_SEAT)]
        for line in lines:
            line.until(lambda view: "morning" in view)
        one_more = stack.enter_context(served.line({"token": token}))
        with pytest.raises(ConnectionClosed) as closed:
            one_more.take()
        assert closed.value.rcvd.code == 4429
        talker = lines[0]
        for _ in range(MOST_A_SECOND + 1):
            talker.opened.send(json.dumps({"plan": DAY, "round": 0}))
        with pytest.raises(ConnectionClosed) as closed:
            talker.until(lambda _: False)
        assert closed.value.rcvd.code == 4429
        assert lines[1].ask(plan="x" * 100_000, round=0)["refused"]  # too long to be read, but no reason to end


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 3000, b"\xff\xfe", b"x" * 100_000, b'{"code": NaN}'])
@pytest.mark.parametrize(("path", "expected"), [("/class/join", 200), ("/class/table", 400)])
def test_what_is_no_question_is_refused_in_one_line(served: Served, path: str, expected: int, body: bytes) -> None:
    status, text, _ = served.ask("POST", path, body)
    assert status == expected
    assert "\n" not in json.loads(text)["refused"]


def test_what_a_page_loads_comes_packed_and_once(served: Served) -> None:
    for name, path in FILES.items():
        line = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
        line.request("GET", f"/class/static/{name}", headers={"accept-encoding": "gzip, br"})
        answer = line.getresponse()
        packed, tag = answer.read(), answer.getheader("etag")
        line.close()
        assert answer.getheader("content-encoding") == "gzip"
        assert gzip.decompress(packed) == path.read_bytes()
        assert len(packed) < 0.6 * path.stat().st_size
        assert tag
        status, text, headers = served.ask("GET", f"/class/static/{name}", headers={"if-none-match": tag})
        assert (status, text, headers["etag"]) == (304, "", tag)
        plain = served.ask("GET", f"/class/static/{name}")[1]
        assert plain == path.read_text(encoding="utf-8"), "for who unpacks nothing"


def test_rooms_are_opened_on_the_machine_that_serves(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meanwatt.analysis.dashboard.classroom.application.is_this_machine", lambda _: False)
    status, text, _ = served.ask("POST", "/class/rooms", SMALL)
    assert status == 403
    assert json.loads(text)["refused"].startswith("Rooms are opened on the machine that serves them")
    assert json.loads(served.ask("GET", "/class/choices")[1])["may_open"] is False


def test_the_pages_load_only_from_here_and_nothing_else_of_the_disk_is_served(served: Served) -> None:
    for page in ("/class", "/class/play", "/class/teach"):
        status, text, headers = served.ask("GET", page)
        assert status == 200
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "http" not in text.replace('http-equiv="', "")
        for name in (part.split('"')[0] for part in text.split("/class/static/")[1:]):
            assert served.ask("GET", f"/class/static/{name}")[0] == 200
    assert '<a href="/class" aria-current=page>Class market</a>' in served.ask("GET", "/class")[1]
    assert served.ask("GET", "/class/static/style.css")[2]["content-type"].startswith("text/css")
    for name in ("application.py", "..%2Fapplication.py", "index.html", "%2e%2e/%2e%2e/server.py"):
        assert served.ask("GET", f"/class/static/{name}")[0] == 404
    assert set(FILES) >= {"shared.js", "student.js", "teacher.js", "index.js", "class.css", "style.css"}
    assert served.ask("GET", "/elsewhere")[1] == served.ask("GET", "/classic")[1] == "the rest"


def test_the_qr_code_is_a_picture_of_the_link_and_of_nothing_else(served: Served) -> None:
    status, text, headers = served.ask("GET", "/class/qr.svg?code=ABCDEF")
    assert (status, headers["content-type"]) == (200, "image/svg+xml")
    assert text.lstrip().startswith("<?xml") or "<svg" in text
    assert served.ask("GET", "/class/qr.svg?code=javascript:x")[0] == 400
    assert served.ask("GET", "/class/qr.svg")[0] == 400


def test_a_file_that_cannot_be_used_is_said_to_who_opens_a_room(tmp_path) -> None:
    (tmp_path / "notes").write_text("these are notes, and no database of rooms\n" * 50, encoding="utf-8")
    broken = Served(tmp_path / "notes")
    assert broken.post("/class/rooms", SMALL)["refused"].startswith("rooms: ")
    assert broken.ask("GET", "/class")[0] == 200
    broken.close()


def test_without_a_class_nothing_is_kept(tmp_path) -> None:
    quiet = Served(tmp_path / "rooms.db", links=())
    assert quiet.ask("GET", "/class")[0] == 200
    assert quiet.ask("GET", "/class/choices")[0] == 200
    assert quiet.ask("GET", "/class/qr.svg?code=ABCDEF")[0] == 400
    quiet.close()
    assert list(tmp_path.iterdir()) == []


def test_addresses_are_those_that_others_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        def __init__(self, family: int, address: str) -> None:
            self.family, self.address = family, address

    found = {
        "lo": [Entry(socket.AF_INET, "127.0.0.1"), Entry(socket.AF_INET6, "::1")],
        "en": [Entry(socket.AF_INET, "8.8.8.8"), Entry(socket.AF_INET6, "fe80::1%en")],
        "wl": [Entry(socket.AF_INET, "192.168.1.5"), Entry(socket.AF_INET, "169.254.3.3")],
    }
    monkeypatch.setattr("psutil.net_if_addrs", lambda: found)
    assert addresses.lan_addresses("0.0.0.0") == ["192.168.1.5", "8.8.8.8", "169.254.3.3"]
    assert addresses.lan_addresses("localhost") == addresses.lan_addresses("127.0.0.1") == []
    assert addresses.lan_addresses("192.168.1.5") == ["192.168.1.5"]
    assert addresses.links("localhost", 80, ["class.example"]) == ["http://class.example:80"]
    assert all(addresses.is_this_machine(own) for own in ("127.0.0.1", "::1", "192.168.1.5", "fe80::1"))
    assert not addresses.is_this_machine("192.168.1.6")
