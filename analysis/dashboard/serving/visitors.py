"""How many may look at the pages at a time: whoever comes when there is no room is told so, on a page that asks again.

A visitor who shuts the tab is gone at once. One whose laptop sleeps keeps the page for as long as Solara waits for it
(see ``SOLARA_KERNEL_CULL_TIMEOUT``), but gives way, after a moment, to somebody who is there.
"""

import asyncio
import html
import re
import time
from collections.abc import Callable
from typing import Final

from meanwatt.analysis.dashboard.serving.kernels import Kernels
from meanwatt.analysis.dashboard.serving.not_found import asks_for_a_page
from meanwatt.analysis.dashboard.serving.own_origin import POLICY_VIOLATION, App, Message, Receive, Send
from meanwatt.model.scenario.counted import counted

MOST_VISITORS: Final = 100
"""Pages open at a time, unless told otherwise: about a gigabyte at 9 MB each (benchmarks/visitors.py)."""
PAGES_OF_A_BROWSER: Final = 20
"""Of those, in one browser."""
GRACE: Final = 4
"""More whose page was answered in the same moment as the last one's, or is loaded anew while the old one closes."""
GONE_SECONDS: Final = 30.0
"""Time after which a page that lost its browser gives way to another visitor."""
ASKS_AGAIN_SECONDS: Final = 15
UNAVAILABLE: Final = 503
_LINE: Final = re.compile(r"/jupyter/api/kernels/([^/]+)/channels")

PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="{seconds}">
<title>Meanwatt: no room</title>
<style>
body {{ font: 18px/1.5 system-ui, sans-serif; max-width: 36em; margin: 15vh auto; padding: 0 1em; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{text}</p>
</main>
</body>
</html>
"""
FULL: Final = (
    "Meanwatt is full",
    "{pages} can be open at a time, as many as this computer is to serve, and there is no place left. This page asks"
    " again every {seconds} seconds, and opens as soon as somebody has left. {other}",
)
CLASS_OPEN: Final = 'A <a href="/class">class market</a> is open to its students all the same.'
MANY_PAGES: Final = (
    "Too many pages are open",
    "This browser has {most} pages of Meanwatt open, each with a market of its own. Close some of them: this page asks"
    " again every {seconds} seconds.",
)


class Visitors:
    """Passes on what there is room for.

    Parameters
    ----------
    app
        The web application behind it.
    kernels
        Those who are there.
    most
        Pages open at a time.
    now
        A clock. [s]
    """

    def __init__(
        self, app: App, kernels: Kernels, most: int = MOST_VISITORS, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._app, self._kernels, self._most, self._now = app, kernels, most, now
        self._gone: dict[str, float] = {}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass one connection on, or say why not."""
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and asks_for_a_page(scope):
            refusal = await self._refusal(_browser(scope))
            if refusal is not None:
                await _say(refusal, scope, send)
                return
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket" and (line := _LINE.fullmatch(scope["path"])):
            await self._line(line[1], scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _line(self, name: str, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a page's own connection on; one that comes back is always let in."""
        there = self._kernels.open()
        if all(kernel.name != name for kernel in there) and len(there) >= self._most + GRACE:
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return
        self._gone.pop(name, None)
        try:
            await self._app(scope, receive, send)
        finally:
            self._gone[name] = self._now()

    async def _refusal(self, browser: str) -> str | None:
        """Why one more page does not open; None if it does."""
        there = self._kernels.open()
        own = sum(kernel.browser == browser and kernel.connected for kernel in there) if browser else 0
        if own >= PAGES_OF_A_BROWSER:
            return _page(MANY_PAGES, most=PAGES_OF_A_BROWSER)
        if len(there) < self._most + (GRACE if own else 0):
            return None
        names = {kernel.name for kernel in there}
        self._gone = {name: since for name, since in self._gone.items() if name in names}
        left = {kernel.name for kernel in there if not kernel.connected}
        oldest = (
            min((since, name) for name, since in self._gone.items() if name in left) if left & {*self._gone} else None
        )
        if oldest is None or self._now() - oldest[0] < GONE_SECONDS:
            return _page(FULL, pages=counted(self._most, "page"), other=CLASS_OPEN)
        await asyncio.to_thread(self._kernels.close, oldest[1])
        return None


def _browser(scope: Message) -> str:
    """Cookie by which Solara knows a browser; empty if it has none."""
    for name, value in scope["headers"]:
        if name.lower() == b"cookie":
            for part in value.decode("latin-1").split(";"):
                key, _, text = part.strip().partition("=")
                if key in ("solara-session-id", "solara-session-id-lax"):
                    return str(text)
    return ""


def _page(words: tuple[str, str], **given: object) -> str:
    title, text = words
    said = text.format(seconds=ASKS_AGAIN_SECONDS, **given)
    return PAGE.format(title=html.escape(title), text=said, seconds=ASKS_AGAIN_SECONDS)


async def _say(page: str, scope: Message, send: Send) -> None:
    text = page.encode()
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(text)).encode()),
        (b"retry-after", str(ASKS_AGAIN_SECONDS).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": UNAVAILABLE, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else text})
