"""Who may talk to the page: its own visitors, under a name it is served under; nobody else."""

import asyncio

import pytest

from meanwatt.analysis.dashboard.serving.own_origin import OwnOrigin

HERE = "localhost:8765"


async def _page(scope, receive, send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": b"page"})


def answer(layer: OwnOrigin, kind: str = "http", **headers: str) -> list[dict]:
    """What a request with these headers gets."""
    sent: list[dict] = []

    async def receive() -> dict:
        return {"type": f"{kind}.disconnect"}

    async def send(message) -> None:
        sent.append(dict(message))

    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    asyncio.run(layer({"type": kind, "headers": lines}, receive, send))
    return sent


def let_in(layer: OwnOrigin, **headers: str) -> bool:
    """Whether pages and websockets are both given, after checking that they are treated alike."""
    page, socket = answer(layer, **headers), answer(layer, "websocket", **headers)
    assert (page[0]["status"] == 200) == (socket[0]["type"] == "websocket.accept")
    if page[0]["status"] != 200:
        assert page[0]["status"] == 403
        assert page[1]["body"].startswith(b"Forbidden: ")
        assert socket == [{"type": "websocket.close", "code": 1008}]
    return page[0]["status"] == 200


@pytest.mark.parametrize("host", ["localhost:8765", "LOCALHOST:8765", "127.0.0.1:8765", "[::1]:8765", "localhost"])
def test_the_page_s_own_visitors_are_let_in_under_every_name_of_this_machine(host: str) -> None:
    assert let_in(OwnOrigin(_page), host=host)
    assert let_in(OwnOrigin(_page), host=host, origin=f"http://{host}")


@pytest.mark.parametrize(
    "host",
    [
        "page.example:8765",  # a name that its owner made to point at this machine
        "localhost.page.example",
        "page.example.localhost@page.example",
        "192.0.2.7:8765",
        "localhost:8765/page.example",
        "localhost:port",
        "",
    ],
)
def test_a_name_that_the_page_is_not_served_under_is_refused(host: str) -> None:
    assert not let_in(OwnOrigin(_page), host=host)
    assert not let_in(OwnOrigin(_page), host=host, origin=f"http://{host}")


@pytest.mark.parametrize(
    "origin",
    [
        "http://page.example",
        "https://page.example:8765",
        "http://localhost.page.example:8765",
        "http://localhost:3000",  # another program on this machine
        "http://127.0.0.1:8765",  # another origin than the one asked for, whatever it points at
        "null",
        "file://",
        "",
        "http://localhost:8765, http://page.example",
    ],
)
def test_a_page_from_elsewhere_is_refused(origin: str) -> None:
    assert not let_in(OwnOrigin(_page), host=HERE, origin=origin)


def test_a_request_without_a_host_or_with_two_is_refused() -> None:
    layer = OwnOrigin(_page)
    assert not layer.welcome([])
    assert not layer.welcome([(b"host", b"localhost"), (b"host", b"page.example")])
    assert not layer.welcome([(b"host", b"localhost"), (b"origin", b"http://localhost"), (b"origin", b"null")])


def test_a_server_open_to_other_machines_answers_to_addresses_and_to_no_foreign_name() -> None:
    layer = OwnOrigin(_page, "0.0.0.0")
    assert let_in(layer, host="192.0.2.7:8765", origin="http://192.0.2.7:8765")
    assert let_in(layer, host=HERE, origin=f"http://{HERE}")
    assert not let_in(layer, host="page.example:8765", origin="http://page.example:8765")
    assert not let_in(layer, host="0.0.0.0.page.example")
    one = OwnOrigin(_page, "192.0.2.7")
    assert let_in(one, host="192.0.2.7:8765")
    assert not let_in(one, host="192.0.2.8:8765")


def test_a_name_that_is_allowed_is_answered_to_behind_a_proxy_too() -> None:
    layer = OwnOrigin(_page, names=["Tariffs.example"])
    assert let_in(layer, host="tariffs.example", origin="https://tariffs.example")
    assert let_in(layer, host=HERE, origin="https://tariffs.example")  # the proxy asks under its own name for it
    assert not let_in(layer, host="page.example", origin="https://tariffs.example")


def test_no_other_page_may_show_this_one_in_a_frame() -> None:
    (start, _) = answer(OwnOrigin(_page), host=HERE)
    assert (b"x-frame-options", b"DENY") in start["headers"]
    assert (b"content-security-policy", b"frame-ancestors 'none'") in start["headers"]


def test_what_is_no_request_is_passed_on() -> None:
    passed: list[str] = []

    async def application(scope, receive, send) -> None:
        passed.append(scope["type"])

    assert answer(OwnOrigin(application), "lifespan") == []
    assert passed == ["lifespan"]
