"""Who may talk to the page: requests for a name it is served under, from the page itself, and outside foreign frames.

A browser sends requests, and opens websockets, to this machine for any web page that asks. What it cannot do is lie
about the name that it asked for (``Host``) and the page that asked (``Origin``), so both are checked before the web
framework sees the request.
"""

import ipaddress
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
"""Names of this machine that nobody else can hold."""
EVERY_ADDRESS: Final = ("0.0.0.0", "::")
"""What a server listens at that is to be reached at any address of its machine."""
FORBIDDEN: Final = 403
POLICY_VIOLATION: Final = 1008
"""Code with which a websocket is refused (RFC 6455)."""
DEFAULT_PORT: Final = {"http": 80, "https": 443}
NO_FRAMES: Final = ((b"x-frame-options", b"DENY"), (b"content-security-policy", b"frame-ancestors 'none'"))
"""Headers that keep the page out of other pages, which could open it unseen."""
_PLACE: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?", flags=re.ASCII)


class OwnOrigin:
    """Passes on what the page's own visitors send; everything else is refused with status 403.

    Parameters
    ----------
    app
        The web application behind it.
    listens
        Address that the server listens at; it may be asked for by that name. Listening at every address, it may be
        asked for by any address, but by no other name: a name can be made to point here by whoever owns it.
    names
        Further names that it may be asked for by, and whose pages may ask, as behind a proxy.
    """

    def __init__(self, app: App, listens: str = "localhost", names: Iterable[str] = ()) -> None:
        """Keep the names in lower case."""
        self._app = app
        self._any_address = listens in EVERY_ADDRESS
        self._others = frozenset(name.lower().strip("[]") for name in names)
        self._names = self._others | {listens.lower(), *LOOPBACK} - set(EVERY_ADDRESS)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer, refuse, or pass on one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif not self.welcome(scope["headers"]):
            await _refuse(scope["type"], send)
        else:
            await self._app(scope, receive, _outside_frames(send))

    def welcome(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether a request is for a name served here and, if a page sent it, from a page served here."""
        given = [(name.lower(), value.decode("latin-1").lower()) for name, value in headers]
        hosts = [value for name, value in given if name == b"host"]
        origins = [value for name, value in given if name == b"origin"]
        if len(hosts) != 1 or len(origins) > 1:
            return False
        asked = _place(hosts[0])
        if asked is None or not self._served(asked[0]):
            return False
        return all(self._own(origin, hosts[0]) for origin in origins)

    def _served(self, name: str) -> bool:
        return name in self._names or (self._any_address and _is_address(name))

    def _own(self, origin: str, host: str) -> bool:
        """Whether an origin is the one that the host's own pages have, or of a further name."""
        scheme, _, rest = origin.partition("://")
        port = DEFAULT_PORT.get(scheme)
        asking = _place(rest, port)
        if port is None or asking is None:
            return False
        return asking == _place(host, port) or asking[0] in self._others


def _place(text: str, port: int | None = None) -> tuple[str, int | None] | None:
    """Name and port of ``name:port``, with a port for where none is given; None if it is nothing of the kind."""
    found = _PLACE.fullmatch(text)
    return (found[1].strip("[]"), int(found[2]) if found[2] else port) if found else None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def _refuse(kind: str, send: Send) -> None:
    if kind == "websocket":  # before it was accepted, this is a 403 too
        await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        return
    text = b"Forbidden: this page answers to the address that it is served under, and to its own pages.\n"
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": FORBIDDEN, "headers": headers})
    await send({"type": "http.response.body", "body": text})


def _outside_frames(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *NO_FRAMES]
        await send(message)

    return sending
