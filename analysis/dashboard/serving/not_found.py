"""The page for an address at which there is none: what was asked for, and the pages that there are."""

import html
from collections.abc import Sequence
from typing import Final

from meanwatt.analysis.dashboard.serving.own_origin import App, Message, Receive, Send

NOT_FOUND: Final = 404
PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Meanwatt: no such page</title>
<style>
body {{ font: 18px/1.5 system-ui, sans-serif; max-width: 36em; margin: 15vh auto; padding: 0 1em; }}
code {{ overflow-wrap: anywhere; }}
</style>
</head>
<body>
<main>
<h1>There is no page here</h1>
<p><code>{path}</code> is none of Meanwatt's pages. Go to {links}.</p>
</main>
</body>
</html>
"""
LONGEST: Final = 200
"""Letters of an address that are shown."""


class OwnNotFound:
    """Passes everything on, and answers with a page of its own where there is none; the status stays 404.

    Parameters
    ----------
    app
        The web application behind it.
    pages
        Route and title of every page, the first of them home.
    """

    def __init__(self, app: App, pages: Sequence[tuple[str, str]]) -> None:
        """Keep the pages."""
        self._app, self._pages = app, tuple(pages)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass one connection on."""
        await self._app(scope, receive, self._sending(scope, send) if scope["type"] == "http" else send)

    def _sending(self, scope: Message, send: Send) -> Send:
        """Send what the application sends, but for a page that it does not find."""
        asks, missing = asks_for_a_page(scope), False

        async def sending(message: Message) -> None:
            nonlocal missing
            if message["type"] == "http.response.start" and asks and message["status"] == NOT_FOUND:
                missing = True
                text = self.page(scope["path"]).encode()
                length = str(len(text))
                kept = [(n, v) for n, v in message["headers"] if n.lower() not in (b"content-length", b"content-type")]
                own = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", length.encode())]
                await send({**message, "headers": [*kept, *own]})
                await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else text})
            elif not missing:
                await send(message)

        return sending

    def page(self, path: str) -> str:
        """The page about an address."""
        shown = path if len(path) <= LONGEST else f"{path[:LONGEST]}…"
        links = [f'<a href="{html.escape(route)}">{html.escape(title)}</a>' for route, title in self._pages]
        named = " or ".join([", ".join(links[:-1]), links[-1]] if len(links) > 1 else links)
        return PAGE.format(path=html.escape(shown), links=named)


def asks_for_a_page(scope: Message) -> bool:
    """Whether somebody opens an address; what a page loads is not asked for as HTML."""
    accepted = next((value for name, value in scope["headers"] if name.lower() == b"accept"), b"")
    return b"text/html" in accepted.lower()
