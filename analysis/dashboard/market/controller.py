"""One visitor's hands on the engine: what each button does, on which thread, and what is published."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from meanwatt.analysis.dashboard.market.address import NOWHERE, Look, query
from meanwatt.analysis.dashboard.market.comparison import comparison
from meanwatt.analysis.dashboard.market.dragging import Drag
from meanwatt.analysis.dashboard.market.listing import Listing
from meanwatt.analysis.dashboard.market.protocol import Engine, told
from meanwatt.analysis.dashboard.market.run import FRAMES_PER_SECOND
from meanwatt.analysis.dashboard.market.view import SPEEDS, Stage, View
from meanwatt.analysis.dashboard.market.wishes import FILE, Left, Wish, chosen, edited, put_away
from meanwatt.analysis.dashboard.shared.notices import Notice, sentence, with_notice
from meanwatt.analysis.dashboard.shared.settings import Settings, opening_tariff
from meanwatt.analysis.dashboard.shared.solved import Work

logger = logging.getLogger(__name__)
NOT_THERE = Notice(
    about="look",
    kind="warn",
    title="Part of the link was left out.",
    text="The bus or the home that it names is not in this market; choose one on the map.",
)


class Controller(Listing):
    """A run whose settings change; every public method may be called from any thread and returns at once.

    Parameters
    ----------
    engine
        Anything that keeps the `Engine` protocol.
    settings
        What to begin with.
    problems
        Sentences about an address that could not be read whole.
    look
        What the address looks at; it is found once the market stands.
    """

    def __init__(
        self, engine: Engine, settings: Settings, problems: tuple[str, ...] = (), look: Look = NOWHERE
    ) -> None:
        """Show what is known at once; nothing is solved before `start`."""
        notices: tuple[Notice, ...] = ()
        if problems:
            text = " ".join(sentence(problem) for problem in problems)
            notices = (Notice(about="address", kind="warn", title="Part of the link was left out.", text=text),)
        super().__init__(engine, Stage(base=settings, draft=settings, notices=notices))
        self._applied: Settings | None = None
        self._in_force: Any = None
        self._drag: Drag | None = None
        self._busy = False
        self._past: tuple[Left, ...] = ()
        self._stop_work = threading.Event()
        self._wanted_look = look
        engine.preview(settings)

    def start(self, listener: Callable[[View], None]) -> Callable[[], None]:
        """Begin to solve and to publish; return what ends it all."""
        self._listener = listener
        with self._lock:
            settings = self._stage.base
        self._solve(Wish(settings=settings))
        return self.close

    def close(self) -> None:
        """Stop threads at their next question and free the market."""
        with self._lock:
            self._stop_work.set()
            super().close()

    def choose(self, message: Mapping[str, Any]) -> None:
        """Take a choice that acts at once: scenario, tariff or speed."""
        key, value = message["key"], message["value"]
        if key == "speed":
            with self._lock:
                if float(value) in SPEEDS:
                    self._stage = replace(self._stage, speed=float(value))
            self._publish()
            return
        with self._lock:
            stage = self._stage
        try:
            wanted, kept = chosen(stage, key, str(value))
        except ValueError as error:
            title = "The file is not used." if key == FILE else "Not possible."
            self._say(Notice(about="input", kind="warn", title=title, text=sentence(error)))
            return
        self._solve(Wish(settings=wanted, draft=kept, left=stage.draft))
        lost = put_away(stage.draft, kept)
        if lost is not None:
            self._say(lost)

    def edit(self, message: Mapping[str, Any]) -> None:
        """Take one edited field into the draft, and put that in force where changes act at once.

        A value that is not allowed leaves the draft and is said beside it. A slider that was dragged is let go, unless
        the message says that it is still moving.
        """
        if message.get("moving"):
            self.drag(message)
            return
        with self._lock:
            live = self._stage.live or self._drag is not None
            taken = edited(self._stage, str(message["key"]), str(message["value"]))
            self._stage = replace(taken, edits=self._stage.edits + 1)
            drag = self._let_go()
            acts = self._stage.ready and live and (drag is not None or taken.draft != taken.base)
        if acts and drag is not None:
            self._solve(Wish(settings=taken.draft, past=drag.past, since=drag.since))
        elif acts:
            self._solve(Wish(settings=taken.draft))
        else:
            self._publish()

    def prefer(self, message: Mapping[str, Any]) -> None:
        """Let changes act at once or wait for Apply, whatever solves take."""
        wanted = message.get("at_once")
        with self._lock:
            self._stage = replace(self._stage, at_once=wanted if isinstance(wanted, bool) else None)
        self._publish()

    def apply(self, _message: object = None) -> None:
        """Solve the draft and put it in force."""
        with self._lock:
            draft = self._stage.draft
        self._solve(Wish(settings=draft))

    def undo(self, _message: object = None) -> None:
        """Forget the draft; where there is none, go back to what was in force before, and to the draft beside it."""
        with self._lock:
            self._let_go()
            stage, past = self._stage, self._past
            if stage.draft != stage.base or stage.refused:
                self._stage = replace(stage, draft=stage.base, refused=())
                past = ()
        if past:
            base, draft = past[-1]
            self._solve(Wish(settings=base, draft=draft, past=past[:-1]))
        else:
            self._publish()

    def restore(self, _message: object = None) -> None:
        """Go back to the scenario as it comes, with this sample of homes."""
        with self._lock:
            base = self._stage.base
        tariff = opening_tariff(base.scenario)
        plain = Settings(scenario=base.scenario, tariff=tariff, households=base.households, seed=base.seed)
        self._solve(Wish(settings=plain))

    def variant(self, _message: object = None) -> None:
        """Put the variant of the highlighted comparison in force, or go back to what was before it."""
        with self._lock:
            base, before = self._stage.base, self._stage.compared
        if before is not None:
            self._solve(Wish(settings=before))
            return
        compared = comparison(base)
        self._solve(Wish(settings=compared.variant, against=compared.reference))

    def look(self, message: Mapping[str, Any]) -> None:
        """Show the homes of a bus, and follow one of them."""
        bus, home = (message.get(name) for name in ("bus", "home"))
        with self._lock:
            self._wanted_look = NOWHERE
            self._guarded(lambda: self._engine.look(_number(bus), _number(home)))
        self._publish()

    def _looking(self) -> Look:
        """What is looked at, or will be as soon as the first market stands."""
        return super()._looking() if self._wanted_look == NOWHERE else self._wanted_look

    def _look_as_linked(self) -> tuple[Notice, ...]:
        """Look at what the address said, once; say so if it is not there."""
        wanted, self._wanted_look = self._wanted_look, NOWHERE
        if wanted == NOWHERE:
            return ()
        self._guarded(lambda: self._engine.look(*wanted))
        return () if self._engine.looking() == wanted else (NOT_THERE,)

    def pin(self, _message: object = None) -> None:
        """Tell every change from now on against what is in force, until pressed again."""
        with self._lock:
            if self._applied is None:
                return
            self._guarded(self._engine.pin)
        self._publish()

    def go_back(self, message: Mapping[str, Any]) -> None:
        """Put one of the tariffs tried in force again, with the sample at hand."""
        with self._lock:
            stage = self._stage
            entries = self._tried.get(stage.base.scenario, ())
        wanted = next((entry.settings for entry in entries if query(entry.settings) == message.get("query")), None)
        if wanted is not None and wanted != stage.base.market_only:
            base = stage.base
            self._solve(Wish(settings=replace(wanted, households=base.households, seed=base.seed), left=stage.draft))

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

    def _solve(self, wish: Wish) -> None:
        """Solve on a thread of its own, in the place of any solve under way."""
        with self._lock:
            if self._closed:
                return
            self._stop_work.set()
            self._let_go()
            stop = self._stop_work = threading.Event()
            past = wish.past_after(self._past, self._applied)
            gone = ("solve", "input", "left")
            self._stage = replace(
                self._stage,
                base=wish.settings,
                draft=wish.draft or wish.settings,
                work=Work(text="Solving the tariff", fraction=0.0),
                notices=tuple(notice for notice in self._stage.notices if notice.about not in gone),
                refused=(),
                compared=None if wish.against is None else self._stage.base,
            )
            if not self._stage.ready:
                self._guarded(lambda: self._engine.preview(wish.settings))
        self._publish()
        threading.Thread(target=self._work, args=(wish, past, stop), name="meanwatt-solve", daemon=True).start()

    def _work(self, wish: Wish, past: tuple[Left, ...], stop: threading.Event) -> None:
        settings = wish.settings
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

        solution = reference = failure = None
        try:
            if wish.against is not None:
                reference = self._engine.solve(wish.against, progress=progress, cancelled=stop.is_set)
            if wish.against is None or reference is not None:
                solution = self._engine.solve(settings, near=reference, progress=progress, cancelled=stop.is_set)
        except ValueError as error:
            failure = Notice(about="solve", kind="bad", title="This cannot be solved.", text=sentence(error))
        except Exception as error:  # the page must outlive any failure of a solve
            logger.exception("solve failed")
            failure = told("solve", "The solve failed.", error)
        with self._lock:
            if stop.is_set():
                return
            self._stage = replace(self._stage, work=None)
            if solution is not None:
                self._put_in_force(settings, solution, wish.since if reference is None else reference, past)
            else:
                failure = failure or Notice(about="solve", kind="warn", title="Cancelled.", text="Nothing was changed.")
                self._stage = replace(self._stage, notices=with_notice(self._stage.notices, failure))
                self._back_to_applied()
        self._publish()
        self._begin_autoplay()
        if solution is not None:
            self._refine(settings, solution)

    def _put_in_force(self, settings: Settings, solution: Any, reference: Any | None, past: tuple[Left, ...]) -> None:
        notices = tuple(notice for notice in self._stage.notices if notice.about != "change")
        try:
            said = self._engine.adopt(solution, against=reference)
            entry = self._engine.tried(solution)
        except Exception as error:  # as in a solve
            if not isinstance(error, ValueError):
                logger.exception("the market could not be built")
            failure = told("solve", "The market could not be built.", error)
            self._stage = replace(self._stage, notices=with_notice(notices, failure))
            self._back_to_applied()
            return
        for notice in said:
            notices = with_notice(notices, notice)
        self._applied, self._in_force, self._past, self._days_drawn = settings, solution, past, 0
        self._list(entry)
        for notice in self._look_as_linked():
            notices = with_notice(notices, notice)
        self._stage = replace(self._stage, ready=True, notices=notices, undoable=bool(past))
        self._stage = self._stage.at_pace(self._engine.seconds())

    def _measure(self, solution: Any, elsewhere: Callable[[], bool]) -> None:
        """Find out whether solves are quick enough to follow a slider, and say so."""
        try:
            self._engine.measure(solution, cancelled=elsewhere)
        except Exception:  # changes then wait for Apply
            logger.exception("measuring failed")
        with self._lock:
            pace = self._engine.seconds()
            news = pace != self._stage.pace and not elsewhere()
            if news:
                self._stage = self._stage.at_pace(pace)
        if news:
            self._publish()

    def _back_to_applied(self) -> None:
        """After a solve that came to nothing: in force is what was, and the wish becomes the draft."""
        if self._applied is None:
            return
        wished = self._stage.draft
        same_form = (wished.scenario, wished.tariff) == (self._applied.scenario, self._applied.tariff)
        draft = wished if same_form else self._applied
        self._stage = replace(self._stage, base=self._applied, draft=draft, compared=None)

    def _refine(self, settings: Settings, solution: Any) -> None:
        """Let the engine compute what can come later; another tariff in the same town does not disturb it."""

        def elsewhere() -> bool:
            return self._closed or self._stage.base.town != settings.town

        self._let_first_days_pass(elsewhere)
        self._measure(solution, elsewhere)
        try:
            changed = self._engine.refine(solution, cancelled=elsewhere)
        except Exception:  # a figure that stays empty, not a page that dies
            logger.exception("refining failed")
            return
        if changed and not elsewhere():
            with self._lock:
                self._complete(settings.scenario)
            self._publish()


def _number(sent: Any) -> int | None:
    """A whole number that a browser sent; None for anything else."""
    return sent if isinstance(sent, int) and not isinstance(sent, bool) else None
