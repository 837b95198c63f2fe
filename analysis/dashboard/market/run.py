"""The run that a visitor looks at: days that pass, by hand or by themselves, and what is published of them."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from meanwatt.analysis.dashboard.market.address import Look, query
from meanwatt.analysis.dashboard.market.protocol import Engine, told
from meanwatt.analysis.dashboard.market.view import SPEEDS, Stage, View, bar_json, form_json
from meanwatt.analysis.dashboard.shared.notices import Notice, notices_json, with_notice

FRAMES_PER_SECOND = 10
AUTOPLAY_DAYS = 6
"""Days that play by themselves when the page opens."""
FIRST_DAYS = 3
"""Days of a run that are drawn before a core is taken by what can come later,"""
FIRST_DAYS_SECONDS = 10.0
"""or how long that waits for them."""

logger = logging.getLogger(__name__)


class Run:
    """Owns an engine; every public method may be called from any thread and returns at once.

    Parameters
    ----------
    engine
        Anything that keeps the `Engine` protocol.
    stage
        What to begin with.
    """

    def __init__(self, engine: Engine, stage: Stage) -> None:
        """Nothing moves before it is told to."""
        self._engine = engine
        self._lock = threading.RLock()
        self._listener: Callable[[View], None] | None = None
        self._number = 0
        self._closed = False
        self._stop_play = threading.Event()
        self._days_left: int | None = None
        self._days_drawn = 0
        self._autoplay: bool | None = None
        self._stage = stage
        self._form: tuple[tuple[Stage, str], str] | None = None

    def view(self) -> View:
        """What is to be seen now, with a number of its own."""
        with self._lock:
            self._number += 1
            frame, address = self._engine.frame(), query(self._stage.base, look=self._looking())
            return View(
                number=self._number,
                bar=bar_json(self._stage, frame, address),
                form=self._form_of(address),
                notices=notices_json(self._stage.notices),
                tray=self._tray(),
                frame=frame,
                stale=self._stage.stale,
            )

    def _form_of(self, address: str) -> str:
        """JSON of the form, which days that pass do not change."""
        known = replace(self._stage, playing=False, speed=SPEEDS[0], notices=(), compared=None)
        if self._form is None or self._form[0] != (known, address):
            self._form = (known, address), form_json(self._stage, address)
        return self._form[1]

    def _looking(self) -> Look:
        """What the address says of the bus and the home that are looked at."""
        return self._engine.looking()

    def close(self) -> None:
        """Stop the run at its next question and free the market."""
        with self._lock:
            self._closed = True
            self._listener = None
            self._stop_play.set()
            self._engine.close()

    def arrived(self, message: Mapping[str, Any]) -> None:
        """Take note that the page is drawn: play a few days, unless its visitor prefers a calm page."""
        with self._lock:
            if self._autoplay is None:
                self._autoplay = not message.get("calm", False)
        self._begin_autoplay()

    def drive(self, action: str) -> None:
        """Do what a button or key of the run asks: play (or pause), step, reset."""
        with self._lock:
            self._autoplay = False
            if not self._stage.ready:
                return
            playing = self._stage.playing
            self._pause()
            if action == "play" and not playing:
                self._play(None)
            elif action == "step":
                self._guarded(self._engine.step)
            elif action == "reset":
                self._guarded(self._engine.reset)
        self._publish()

    def dismiss(self, message: Mapping[str, Any]) -> None:
        """Take a sentence off the page."""
        with self._lock:
            kept = tuple(notice for notice in self._stage.notices if notice.text != message.get("text"))
            self._stage = replace(self._stage, notices=kept)
        self._publish()

    def csv(self) -> str:
        """History of the run, with its parameters."""
        with self._lock:
            return self._engine.csv()

    def geojson(self) -> str:
        """The map of the latest day as GeoJSON."""
        with self._lock:
            return self._engine.geojson()

    def _tray(self) -> str:
        """JSON of the tariffs tried; none by itself."""
        return "{}"

    def _let_first_days_pass(self, elsewhere: Callable[[], bool]) -> None:
        """Wait while a run draws its first days: on a first start both compile, and one would wait for the other."""
        ends = time.monotonic() + FIRST_DAYS_SECONDS
        while self._stage.playing and self._days_drawn < FIRST_DAYS and not elsewhere() and time.monotonic() < ends:
            time.sleep(0.5 / FRAMES_PER_SECOND)

    def _begin_autoplay(self) -> None:
        with self._lock:
            if not (self._autoplay and self._stage.ready) or self._closed:
                return
            self._autoplay = False
            self._play(AUTOPLAY_DAYS)
        self._publish()

    def _play(self, days: int | None) -> None:
        self._days_left = days
        stop = self._stop_play = threading.Event()
        self._stage = replace(self._stage, playing=True)
        threading.Thread(target=self._run, args=(stop,), name="meanwatt-play", daemon=True).start()

    def _pause(self) -> None:
        self._stop_play.set()
        self._stage = replace(self._stage, playing=False)

    def _run(self, stop: threading.Event) -> None:
        """Let days pass until told to stop, at most `FRAMES_PER_SECOND` of them drawn."""
        while True:
            began = time.monotonic()
            with self._lock:
                if stop.is_set():
                    return
                speed = self._stage.speed
                for _ in range(max(1, round(speed / FRAMES_PER_SECOND))):
                    if self._days_left == 0 or not self._guarded(self._engine.step):
                        self._pause()
                        break
                    self._days_left = None if self._days_left is None else self._days_left - 1
                if self._days_left == 0:
                    self._pause()
            self._publish()
            self._days_drawn += 1
            if stop.wait(max(0.0, began + 1 / min(speed, FRAMES_PER_SECOND) - time.monotonic())):
                return

    def _guarded(self, action: Callable[[], None]) -> bool:
        """Do something to the engine; a failure becomes a sentence on the page."""
        try:
            action()
        except Exception as error:  # as in a solve
            logger.exception("the engine failed")
            notice = told("step", "The run stopped.", error)
            self._stage = replace(self._stage, notices=with_notice(self._stage.notices, notice))
            return False
        return True

    def _say(self, notice: Notice) -> None:
        with self._lock:
            self._stage = replace(self._stage, notices=with_notice(self._stage.notices, notice))
        self._publish()

    def _publish(self) -> None:
        """Hand a view to the page, outside the lock: drawing takes locks of its own."""
        with self._lock:
            listener = self._listener
            if listener is None:
                return
            view = self.view()
        listener(view)
