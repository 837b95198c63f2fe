"""Who comes when a server is full is told so in words; who is there, or comes back, is never turned away."""
# ruff: noqa: D102

import asyncio
from typing import Any

from meanwatt.analysis.dashboard.serving.kernels import Kernel
from meanwatt.analysis.dashboard.serving.visitors import GONE_SECONDS, GRACE, PAGES_OF_A_BROWSER, Visitors

NAVIGATION = (b"accept", b"text/html,*/*;q=0.8")


class House:
    """An application with kernels that the test opens and a clock that the test turns."""

    def __init__(self, most: int) -> None:
        self.kernels: dict[str, Kernel] = {}
        self.freed: list[str] = []
        self.time = 0.0
        self.visitors = Visitors(self.app, self, most, lambda: self.time)

    def open(self) -> list[Kernel]:
        return list(self.kernels.values())

    def close(self, name: str) -> None:
        self.freed.append(name)
        del self.kernels[name]

    def there(self, name: str, browser: str = "", *, connected: bool = True) -> None:
        self.kernels[name] = Kernel(name=name, browser=browser, connected=connected)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"page"})

    def asked(self, scope: dict[str, Any]) -> list[Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.visitors(scope, None, send))  # type: ignore[arg-type]
        return sent

    def page(self, browser: str = "", *, method: str = "GET", accept: tuple[bytes, bytes] = NAVIGATION) -> list[Any]:
        headers = [accept, (b"cookie", f"other=1; solara-session-id={browser}".encode())]
        return self.asked({"type": "http", "path": "/", "method": method, "headers": headers})

    def line(self, name: str) -> list[Any]:
        path = f"/jupyter/api/kernels/{name}/channels"
        return self.asked({"type": "websocket", "path": path, "headers": []})


def test_as_many_come_in_as_there_is_room_for_and_the_next_one_reads_why_not() -> None:
    house = House(2)
    house.there("a")
    assert house.page()[0]["status"] == 200
    house.there("b")
    start, body = house.page()
    headers = dict(start["headers"])
    assert start["status"] == 503
    assert headers[b"content-length"] == str(len(body["body"])).encode()
    text = body["body"].decode()
    assert "<h1>Meanwatt is full</h1>" in text
    assert (
        "2 pages can be open at a time, as many as this computer is to serve, and there is no place left. This page"
        " asks again every 15 seconds, and opens as soon as somebody has left." in text
    )
    assert '<meta http-equiv="refresh" content="15">' in text
    assert '<a href="/class">' in text
    assert "http:" not in text
    assert house.page(method="HEAD")[1]["body"] == b""
    house.close("a")
    assert house.page()[0]["status"] == 200


def test_what_a_page_loads_is_answered_in_a_full_house_too() -> None:
    house = House(1)
    house.there("a")
    assert house.page(accept=(b"accept", b"*/*"))[0]["status"] == 200


def test_who_comes_back_is_let_in_and_who_skips_the_page_is_not() -> None:
    house = House(1)
    for name in range(1 + GRACE):
        assert house.line(f"new {name}")[0]["type"] != "websocket.close"
        house.there(f"new {name}")
    assert house.line("another") == [{"type": "websocket.close", "code": 1008}]
    assert house.line("new 0")[0]["type"] != "websocket.close"


def test_who_went_without_a_word_gives_way_the_longest_gone_first_but_not_at_once() -> None:
    house = House(2)
    for name in ("first", "second"):
        house.line(name)  # its connection ends at this time
        house.there(name, connected=False)
        house.time += 1
    house.time = GONE_SECONDS - 0.5
    assert house.page()[0]["status"] == 503
    house.time = GONE_SECONDS
    assert house.page()[0]["status"] == 200
    assert house.freed == ["first"]


def test_a_page_that_came_back_does_not_give_way() -> None:
    house = House(1)
    house.line("a")
    house.there("a")
    house.time = 2 * GONE_SECONDS
    assert house.page()[0]["status"] == 503
    assert house.freed == []


def test_one_browser_may_not_take_all_the_room() -> None:
    house = House(100)
    for name in range(PAGES_OF_A_BROWSER):
        house.there(str(name), "greedy")
    start, body = house.page("greedy")
    assert start["status"] == 503
    assert f"This browser has {PAGES_OF_A_BROWSER} pages of Meanwatt open" in body["body"].decode()
    assert house.page("another")[0]["status"] == 200
    assert house.page("")[0]["status"] == 200


def test_who_is_there_may_load_the_page_anew_in_a_full_house() -> None:
    house = House(1)
    house.there("a", "own")
    assert house.page("own")[0]["status"] == 200
    assert house.page("another")[0]["status"] == 503
    for name in range(GRACE):
        house.there(str(name), "own")
    assert house.page("own")[0]["status"] == 503, "no more than a moment's worth"
