"""One visitor's hands on the engine: what each button does, on which thread, and what is published."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from analysis.dashboard.address import query
from analysis.dashboard.knobs import knobs
from analysis.dashboard.protocol import Engine, Rest
from analysis.dashboard.settings import Settings
from analysis.dashboard.view import (
    SPEEDS,
    Notice,
    Stage,
    View,
    Work,
    bar_json,
    call_settings,
    form_json,
    notices_json,
    sentence,
    with_notice,
)

FRAMES_PER_SECOND = 10
AUTOPLAY_DAYS = 6
"""Days that play by themselves when the page opens."""

logger = logging.getLogger(__name__)


class Controller:
    """Owns an engine; every public method may be called from any thread and returns at once.

    Parameters
    ----------
    engine
        Anything that keeps the `Engine` protocol.
    settings
        What to begin with.
    problems
        Sentences about an address that could not be read whole.
    """

    def __init__(self, engine: Engine, settings: Settings, problems: tuple[str, ...] = ()) -> None:
        """Show what is known at once; nothing is solved before `start`."""
        self._engine = engine
        self._lock = threading.RLock()
        self._listener: Callable[[View], None] | None = None
        self._number = 0
        self._closed = False
        self._applied: Settings | None = None
        self._stop_play = threading.Event()
        self._stop_work = threading.Event()
        self._days_left: int | None = None
        self._autoplay: bool | None = None
        notices: tuple[Notice, ...] = ()
        if problems:
            text = " ".join(sentence(problem) for problem in problems)
            notices = (Notice(about="address", kind="warn", title="Part of the link was left out.", text=text),)
        self._stage = Stage(base=settings, draft=settings, notices=notices)
        engine.preview(settings)

    def view(self) -> View:
        """What is to be seen now, with a number of its own."""
        with self._lock:
            self._number += 1
            frame = self._engine.frame()
            return View(
                number=self._number,
                bar=bar_json(self._stage, frame, query(self._stage.base)),
                form=form_json(self._stage),
                notices=notices_json(self._stage.notices),
                frame=frame,
            )

    def start(self, listener: Callable[[View], None]) -> Callable[[], None]:
        """Begin to solve and to publish; return what ends it all."""
        self._listener = listener
        with self._lock:
            settings = self._stage.base
        self._solve(settings)
        return self.close

    def close(self) -> None:
        """Stop threads at their next question and free the market."""
        with self._lock:
            self._closed = True
            self._listener = None
            self._stop_play.set()
            self._stop_work.set()
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

    def choose(self, message: Mapping[str, Any]) -> None:
        """Take a choice that acts at once: scenario, tariff or speed."""
        key, value = message["key"], message["value"]
        with self._lock:
            base = self._stage.base
            if key == "speed":
                speed = float(value)
                if speed in SPEEDS:
                    self._stage = replace(self._stage, speed=speed)
        if key == "speed":
            self._publish()
            return
        try:
            if key == "scenario":
                wanted = Settings(scenario=str(value), households=base.households, seed=base.seed)
            else:
                wanted = replace(base, tariff=str(value), changes=base.town.changes)
            wanted.preset()
        except ValueError as error:
            self._say(Notice(about="input", kind="warn", title="Not possible.", text=sentence(error)))
        else:
            self._solve(wanted)

    def edit(self, message: Mapping[str, Any]) -> None:
        """Take one edited field into the draft; a value that is not allowed leaves the draft and says so."""
        key, text = str(message["key"]), str(message["value"])
        with self._lock:
            draft = self._stage.draft
            try:
                if key in ("households", "seed"):
                    draft = replace(draft, **{key: _whole(key, text)})  # type: ignore[arg-type]
                else:
                    knob = {knob.key: knob for knob in knobs(draft.preset())}[key]
                    draft = draft.with_change(key, knob.read(text), knob.default)
            except ValueError as error:
                notice = Notice(about="input", kind="warn", title="Not possible.", text=sentence(error))
                self._stage = replace(self._stage, notices=with_notice(self._stage.notices, notice))
            else:
                kept = tuple(notice for notice in self._stage.notices if notice.about != "input")
                self._stage = replace(self._stage, draft=draft, notices=kept)
        self._publish()

    def apply(self, _message: object = None) -> None:
        """Solve the draft and put it in force."""
        with self._lock:
            draft = self._stage.draft
        self._solve(draft)

    def discard(self, _message: object = None) -> None:
        """Forget the draft."""
        with self._lock:
            self._stage = replace(self._stage, draft=self._stage.base)
        self._publish()

    def restore(self, _message: object = None) -> None:
        """Go back to the scenario as it comes, with this sample of homes."""
        with self._lock:
            base = self._stage.base
        self._solve(Settings(scenario=base.scenario, households=base.households, seed=base.seed))

    def variant(self, _message: object = None) -> None:
        """Put the highlighted variant in force, or take it back."""
        with self._lock:
            base = self._stage.base
        self._solve(call_settings(base))

    def cancel(self, _message: object = None) -> None:
        """Give up the solve under way; what was in force stays."""
        with self._lock:
            if self._stage.work is None or not self._stage.ready:
                return
            self._stop_work.set()
            notice = Notice(
                about="solve", kind="warn", title="Cancelled.", text="The page still shows the tariff before."
            )
            self._stage = replace(self._stage, work=None, notices=with_notice(self._stage.notices, notice))
            self._back_to_applied()
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

    def _solve(self, settings: Settings) -> None:
        """Solve on a thread of its own, in the place of any solve under way."""
        with self._lock:
            if self._closed:
                return
            self._stop_work.set()
            stop = self._stop_work = threading.Event()
            kept = tuple(notice for notice in self._stage.notices if notice.about not in ("solve", "input"))
            work = Work(text="Solving the tariff", fraction=0.0)
            self._stage = replace(self._stage, base=settings, draft=settings, work=work, notices=kept)
            if not self._stage.ready:
                self._guarded(lambda: self._engine.preview(settings))
        self._publish()
        threading.Thread(target=self._work, args=(settings, stop), name="meanwatt-solve", daemon=True).start()

    def _work(self, settings: Settings, stop: threading.Event) -> None:
        last = 0.0

        def progress(work: Work) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last < 1 / FRAMES_PER_SECOND:
                return
            last = now
            with self._lock:
                if stop.is_set():
                    return
                before = self._stage.work.fraction if self._stage.work else 0.0
                self._stage = replace(self._stage, work=replace(work, fraction=max(before, work.fraction)))
            self._publish()

        solution = failure = None
        try:
            solution = self._engine.solve(settings, progress=progress, cancelled=stop.is_set)
        except ValueError as error:
            failure = Notice(about="solve", kind="bad", title="This cannot be solved.", text=sentence(error))
        except Exception as error:  # the page must outlive any failure of a solve
            logger.exception("solve failed")
            failure = _failure("solve", "The solve failed.", error)
        with self._lock:
            if stop.is_set():
                return
            self._stage = replace(self._stage, work=None)
            if solution is not None:
                self._put_in_force(settings, solution)
            else:
                failure = failure or Notice(about="solve", kind="warn", title="Cancelled.", text="Nothing was changed.")
                self._stage = replace(self._stage, notices=with_notice(self._stage.notices, failure))
                self._back_to_applied()
        self._publish()
        self._begin_autoplay()
        if solution is not None:
            self._refine(settings, solution)

    def _put_in_force(self, settings: Settings, solution: Any) -> None:
        notices = self._stage.notices
        try:
            said = self._engine.adopt(solution)
        except Exception as error:  # as in a solve
            logger.exception("the market could not be built")
            failure = _failure("solve", "The market could not be built.", error)
            self._stage = replace(self._stage, notices=with_notice(notices, failure))
            return
        for notice in said:
            notices = with_notice(notices, notice)
        self._applied = settings
        self._stage = replace(self._stage, ready=True, notices=notices)

    def _back_to_applied(self) -> None:
        """After a solve that came to nothing: in force is what was, and the wish becomes the draft."""
        if self._applied is None:
            return
        wished = self._stage.draft
        same_form = (wished.scenario, wished.tariff) == (self._applied.scenario, self._applied.tariff)
        self._stage = replace(self._stage, base=self._applied, draft=wished if same_form else self._applied)

    def _refine(self, settings: Settings, solution: Any) -> None:
        """Let the engine compute what can come later; another tariff in the same town does not disturb it."""

        def elsewhere() -> bool:
            return self._closed or self._stage.base.town != settings.town

        try:
            changed = self._engine.refine(solution, cancelled=elsewhere)
        except Exception:  # a figure that stays empty, not a page that dies
            logger.exception("refining failed")
            return
        if changed and not elsewhere():
            self._publish()

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
            if stop.wait(max(0.0, began + 1 / min(speed, FRAMES_PER_SECOND) - time.monotonic())):
                return

    def _guarded(self, action: Callable[[], None]) -> bool:
        """Do something to the engine; a failure becomes a sentence on the page."""
        try:
            action()
        except Exception as error:  # as in a solve
            logger.exception("the engine failed")
            notice = _failure("step", "The run stopped.", error)
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


def _failure(about: str, title: str, error: Exception) -> Notice:
    """An unforeseen error as a sentence; one that speaks to people goes without its type."""
    spoken = isinstance(error, ValueError | Rest)
    text = str(error) if spoken else f"{type(error).__name__}: {error}"
    return Notice(about=about, kind="warn" if isinstance(error, Rest) else "bad", title=title, text=sentence(text))


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{name} is {text!r}; give a whole number") from None
