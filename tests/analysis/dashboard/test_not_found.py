"""An address without a page is answered by a page of ours, status 404; all else passes unchanged."""

import asyncio
from html.parser import HTMLParser
from typing import Any

import pytest

from meanwatt.analysis.dashboard.pages import PAGES
from meanwatt.analysis.dashboard.serving.not_found import OwnNotFound

LISTED = [(page.route, page.title) for page in PAGES]
PLAIN = (b"content-type", b"text/plain; charset=utf-8")
NAVIGATION = b"text/html,application/xhtml+xml,*/*;q=0.8"


def answered(path: str, *, status: int = 404, accept: bytes = NAVIGATION, method: str = "GET") -> list[Any]:
    """What is sent where the application behind answers with a status and a body in two pieces."""
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": [PLAIN, (b"content-length", b"8")]})
        await send({"type": "http.response.body", "body": b"bare", "more_body": True})
        await send({"type": "http.response.body", "body": b"page"})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "method": method, "headers": [(b"accept", accept)]}
    asyncio.run(OwnNotFound(app, LISTED)(scope, None, send))  # type: ignore[arg-type]
    return sent


def test_an_address_without_a_page_is_answered_by_a_page_that_leads_home() -> None:
    start, body = answered("/nowhere")
    assert start["status"] == 404
    headers = dict(start["headers"])
    assert headers[b"content-type"] == b"text/html; charset=utf-8"
    assert headers[b"content-length"] == str(len(body["body"])).encode()
    assert not body.get("more_body")
    text = body["body"].decode()
    assert "<code>/nowhere</code> is none of Meanwatt's pages" in text
    for route, title in LISTED:
        assert f'<a href="{route}">{title}</a>' in text
    assert "http" not in text, "nothing comes from elsewhere"


def test_what_was_asked_for_is_text_and_of_bounded_length() -> None:
    tags: list[str] = []
    reader = HTMLParser()
    reader.handle_starttag = lambda tag, attrs: tags.append(tag)  # type: ignore[method-assign]
    text = answered("/<script>alert(1)</script>" + 1000 * "x")[1]["body"].decode()
    reader.feed(text)
    assert "script" not in tags
    assert len(text) < 2000


def test_asking_for_the_headers_alone_gets_no_body() -> None:
    start, body = answered("/nowhere", method="HEAD")
    assert int(dict(start["headers"])[b"content-length"]) > 0
    assert body["body"] == b""


@pytest.mark.parametrize(
    "given", [{"status": 200}, {"status": 500}, {"accept": b"*/*"}, {"accept": b"application/json"}], ids=str
)
def test_pages_that_are_there_and_what_pages_load_pass_unchanged(given: Any) -> None:
    sent = answered("/anything", **given)
    assert [message.get("body") for message in sent] == [None, b"bare", b"page"]
    assert dict(sent[0]["headers"])[b"content-length"] == b"8"
