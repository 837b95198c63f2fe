"""A visitor without a browser: speaks the pages' websocket protocol, draws nothing, and knows what it would draw.

Solara's pages are widgets: the server opens a comm for each, with its state, and sends what changes. A visitor opens a
kernel of his own, asks for a page, and sends what a browser sends when a button is pressed. Used by the tests and by
``benchmarks/visitors.py``.
"""

import asyncio
import json
import time
import urllib.request
import uuid
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect

MODEL_PREFIX = "IPY_MODEL_"
IDLE = '"execution_state": "idle"'
THEMES = {"light": {}, "dark": {}}
LONGEST = 2**26


class PageVisitor:
    """One open page.

    Attributes
    ----------
    widgets
        State of every widget, by its id, as far as it was told.
    messages, received_bytes
        What has come so far.
    """

    def __init__(self, address: str, line: ClientConnection, kernel: str, page: str) -> None:
        self._address, self._line, self._kernel, self._page = address, line, kernel, page
        self._answered: dict[str, asyncio.Future[float]] = {}
        self._changed = asyncio.Event()
        self._control = uuid.uuid4().hex
        self._finished: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.widgets: dict[str, dict[str, Any]] = {}
        self.messages = self.received_bytes = 0
        self.last_came = 0.0
        self._unread: list[str] = []
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, address: str, path: str = "/", *, compression: str | None = "deflate") -> Self:
        """Open a page, and wait until all its widgets are known."""
        kernel, page = str(uuid.uuid4()), str(uuid.uuid4())
        place = f"{address.replace('http', 'ws', 1)}/jupyter/api/kernels/{kernel}/channels?session_id={page}"
        cookie = {"Cookie": f"solara-session-id={uuid.uuid4()}"}
        line = await connect(place, additional_headers=cookie, max_size=LONGEST, compression=compression)
        visitor = cls(address, line, kernel, page)
        await visitor._send("comm_open", {"comm_id": visitor._control, "target_name": "solara.control", "data": {}})
        run = {"method": "run", "args": {"path": path, "appName": None, "dark": False, "themes": THEMES}}
        await visitor._send("comm_msg", {"comm_id": visitor._control, "data": run})
        await visitor._finished
        return visitor

    async def _send(self, kind: str, content: dict[str, Any]) -> str:
        number = uuid.uuid4().hex
        header = {
            "msg_id": number,
            "msg_type": kind,
            "session": self._page,
            "username": "",
            "version": "5.2",
            "date": "2026-01-01T00:00:00Z",
        }
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        await self._line.send(json.dumps({**message, "buffers": []}))
        return number

    async def _read(self) -> None:
        """Take every message; what a page would draw is looked at only when somebody asks."""
        async for text in self._line:
            came = self.last_came = time.perf_counter()
            self.messages += 1
            self.received_bytes += len(text)
            if isinstance(text, bytes):
                continue
            if IDLE in text:
                parent = json.loads(text)["parent_header"].get("msg_id")
                if parent in self._answered:
                    self._answered.pop(parent).set_result(came)
                continue
            self._unread.append(text)
            if self._control in text:
                data = json.loads(text)["content"].get("data", {})
                if data.get("method") == "finished":
                    self._finished.set_result(data["widget_id"])
            self._changed.set()
        if not self._finished.done():
            self._finished.set_exception(ConnectionError("the server closed the line"))

    def look(self) -> None:
        """Read what has come."""
        unread, self._unread = self._unread, []
        for text in unread:
            message = json.loads(text)
            kind, content = message["header"]["msg_type"], message["content"]
            if kind == "comm_open":
                self.widgets[content["comm_id"]] = dict(content["data"].get("state", {}))
            elif kind == "comm_close":
                self.widgets.pop(content["comm_id"], None)
            elif kind == "comm_msg" and content["data"].get("method") == "update":
                self.widgets.setdefault(content["comm_id"], {}).update(content["data"]["state"])

    def widget(self, event: str) -> tuple[str, dict[str, Any]]:
        """Id and state of the widget that reports an event."""
        self.look()
        return next((key, state) for key, state in self.widgets.items() if event in (state.get("events") or ()))

    def payload(self, event: str) -> dict[str, Any]:
        """What the widget that reports an event was given to show."""
        return json.loads(self.widget(event)[1]["payload"])

    def texts(self) -> str:
        """All payloads and children that are text."""
        self.look()
        return "\n".join(str(value) for state in self.widgets.values() for value in state.values())

    async def report(self, event: str, data: object, widget: str | None = None) -> float:
        """Report what a visitor did, and wait until the last message of its answer is here. [s]"""
        name = self.widget(event)[0] if widget is None else widget
        began = time.perf_counter()
        content = {"comm_id": name, "data": {"method": "custom", "content": {"event": event, "data": data}}}
        answer: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        number = await self._send("comm_msg", content)
        self._answered[number] = answer
        return await answer - began

    async def until(self, true: Any) -> None:
        """Wait until something is true of this visitor."""
        while not true(self):
            self._changed.clear()
            await self._changed.wait()

    async def close(self) -> None:
        """Leave, as a browser says it when its tab is closed."""
        place = f"{self._address}/_solara/api/close/{self._kernel}?session_id={self._page}"
        request = urllib.request.Request(place, data=b"", method="POST")
        await self.vanish()
        await asyncio.to_thread(lambda: urllib.request.urlopen(request).close())

    async def vanish(self) -> None:
        """Hang up without a word, as a laptop that leaves the network."""
        await self._line.close()
        await self._reader
