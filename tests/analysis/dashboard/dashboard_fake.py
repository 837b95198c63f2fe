"""An engine without a model, whose solves wait for the test: for the controller and the page, not for numbers."""
# ruff: noqa: D102

import threading
from collections.abc import Callable
from typing import Any

from meanwatt.analysis.dashboard.market.tried import Tried
from meanwatt.analysis.dashboard.market.view import Frame
from meanwatt.analysis.dashboard.shared.notices import Notice
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solved import Work


class FakeEngine:
    """Counts days; a solve ends at once, or when the test opens the gate."""

    def __init__(self, *, gated: bool = False) -> None:
        self.day = 0
        self.settings: Settings | None = None
        self.gate = threading.Event()
        if not gated:
            self.gate.set()
        self.deaf: dict[str, threading.Event] = {}
        """Tariffs whose solve hears no cancellation and answers when its event is set."""
        self.answered = 0
        self.fail: Exception | None = None
        self.fail_step: Exception | None = None
        self.against: Settings | None = None
        self.said: tuple[Notice, ...] = ()
        self.solved: list[Settings] = []
        self.closed = False
        self.refined = 0
        self.pinned: Settings | None = None
        self.on_the_way: list[Settings] = []
        """What was tried out for a moment."""
        self.pace: float | None = None
        self.pace_later: float | None = None
        """What measuring finds."""
        self.looked: tuple[int | None, int | None] = (None, None)
        self.best: dict[Settings, float] = {}
        """Welfare of the first bests that are known."""
        self.later: dict[Settings, float] = {}
        """Those that refining finds."""

    def preview(self, settings: Settings) -> None:
        self.settings = settings

    def solve(
        self,
        settings: Settings,
        *,
        near: Settings | None = None,
        progress: Callable[[Work], None],
        cancelled: Callable[[], bool],
    ) -> Settings | None:
        progress(Work(text="thinking", fraction=0.25))
        if settings.tariff in self.deaf:
            self.deaf[settings.tariff].wait()
            self.answered += 1
            return settings
        while not self.gate.wait(0.005):
            if cancelled():
                return None
        if self.fail:
            raise self.fail
        self.solved.append(settings)
        return None if cancelled() else settings

    def try_out(self, settings: Settings, *, near: Any, cancelled: Callable[[], bool]) -> Settings | None:
        found = self.solve(settings, progress=lambda _: None, cancelled=cancelled)
        self.on_the_way.append(settings)
        return found

    def measure(self, solution: Any, *, cancelled: Callable[[], bool]) -> None:
        self.pace = self.pace_later if self.pace is None else self.pace

    def seconds(self) -> float | None:
        return self.pace

    def adopt(self, solution: Any, *, against: Any | None = None) -> tuple[Notice, ...]:
        self.settings, self.day, self.against = solution, 0, against
        return self.said

    def pin(self) -> None:
        self.pinned = self.settings if self.pinned is None else None

    def tried(self, solution: Settings) -> Tried:
        return Tried(settings=solution.market_only, numbers=(None, 4.0, 0.01, 2.0, 0.0, 0.95), welfare=-1.0)

    def best_welfare(self, town: Settings) -> float | None:
        return self.best.get(town)

    def refine(self, solution: Any, *, cancelled: Callable[[], bool]) -> bool:
        self.refined += 1
        self.best |= self.later
        return bool(self.later)

    def step(self) -> None:
        if self.fail_step:
            raise self.fail_step
        self.day += 1

    def reset(self) -> None:
        self.day = 0

    def frame(self) -> Frame:
        empty = {"day": self.day, "items": [], "groups": [], "panels": [], "buses": [], "voltage_pu": [[]]}
        text = to_json(empty)
        board = to_json({"pinned": self.pinned is not None, "ready": True, "word": "", "text": "", "full": ""})
        return Frame(
            day=self.day,
            day_type="mild",
            chart=text,
            network=text,
            voltage=text,
            burden=text,
            metrics=text,
            baseline=board,
        )

    def look(self, bus: int | None, household: int | None) -> None:
        self.looked = (bus, household)

    def looking(self) -> tuple[int | None, int | None]:
        return self.looked

    def csv(self) -> str:
        return f"# days: {self.day}\n"

    def geojson(self) -> str:
        return ""

    def close(self) -> None:
        self.closed = True
