"""Two applications on one server: the class market has the addresses below its own, the other all else."""

from collections.abc import Awaitable, Callable
from typing import Final

from meanwatt.analysis.dashboard.serving.own_origin import App, Message, Receive, Send

ROOT: Final = "/class"


class Beside:
    """Passes on by address.

    Parameters
    ----------
    rest, own
        Who answers everywhere, and who below ``ROOT``.
    close
        Ends what the second one has begun; called when the server ends.
    """

    def __init__(self, rest: App, own: App, close: Callable[[], Awaitable[None]]) -> None:
        self._rest, self._own, self._close = rest, own, close

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass one connection on."""
        if scope["type"] == "lifespan":
            await self._rest(scope, receive, self._closing(send))
        elif scope["path"] == ROOT or scope["path"].startswith(f"{ROOT}/"):
            await self._own(scope, receive, send)
        else:
            await self._rest(scope, receive, send)

    def _closing(self, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown"):
                await self._close()
            await send(message)

        return sending
