"""Two applications on one server: one, as the class market, has the addresses below its own, the other all else."""

from collections.abc import Awaitable, Callable
from typing import Final

from meanwatt.analysis.dashboard.serving.own_origin import App, Message, Receive, Send

ROOT: Final = "/class"


async def _no_end() -> None:
    """Of an application that begins nothing."""


class Beside:
    """Passes on by address.

    Parameters
    ----------
    rest, own
        Who answers everywhere, and who below ``root``.
    close
        Ends what the second one has begun; called when the server ends.
    root
        Where the second one answers.
    """

    def __init__(self, rest: App, own: App, close: Callable[[], Awaitable[None]] = _no_end, root: str = ROOT) -> None:
        self._rest, self._own, self._close, self._root = rest, own, close, root

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass one connection on."""
        if scope["type"] == "lifespan":
            await self._rest(scope, receive, self._closing(send))
        elif scope["path"] == self._root or scope["path"].startswith(f"{self._root}/"):
            await self._own(scope, receive, send)
        else:
            await self._rest(scope, receive, send)

    def _closing(self, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown"):
                await self._close()
            await send(message)

        return sending
