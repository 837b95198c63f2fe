"""What a server keeps for those who have a page open: Solara's kernels, one for each page loaded."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """One page that somebody has open, or had until a moment ago.

    Attributes
    ----------
    name
        Its id, which the page's websocket has in its address.
    browser
        Cookie of the browser.
    connected
        Whether its page is there; a page that is not may come back.
    """

    name: str
    browser: str
    connected: bool


class Kernels(Protocol):
    """The kernels of a server."""

    def open(self) -> list[Kernel]:
        """All of them."""

    def close(self, name: str) -> None:
        """Free one and all it holds; from any thread but the event loop's."""


class SolaraKernels:
    """Those of the web framework in this process."""

    def open(self) -> list[Kernel]:
        """All of them."""
        from solara.server.kernel_context import PageStatus, contexts

        return [
            Kernel(
                name=name, browser=context.session_id, connected=PageStatus.CONNECTED in [*context.page_status.values()]
            )
            for name, context in list(contexts.items())
        ]

    def close(self, name: str) -> None:
        """Free one, unless its page has come back meanwhile or it is closed already."""
        from solara.server.kernel_context import PageStatus, contexts

        context = contexts.get(name)
        if context is not None and PageStatus.CONNECTED not in [*context.page_status.values()]:
            context.close(reason="cull")
