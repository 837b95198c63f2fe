"""One visitor's challenge: finds the scale, solves what is submitted on a thread, publishes views as it goes on."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from meanwatt.analysis.challenge.attempt import Attempt
from meanwatt.analysis.challenge.scale import Scale
from meanwatt.analysis.dashboard.challenge import words
from meanwatt.analysis.dashboard.challenge.choice import Choice, from_query
from meanwatt.analysis.dashboard.challenge.computing import Advice, advice_of, attempt_of, computed_of, scale_of
from meanwatt.analysis.dashboard.challenge.seat import BOARDS, Seat
from meanwatt.analysis.dashboard.challenge.tries import Try, recalled, with_try
from meanwatt.analysis.dashboard.challenge.view import Found, View, view_of
from meanwatt.analysis.dashboard.shared.background import Background
from meanwatt.analysis.dashboard.shared.notices import Notice, notices_json, sentence, with_notice
from meanwatt.analysis.dashboard.shared.solved import Work

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """What a thread is to do: a choice, the name of its attempt, and what stops it, or the scale that it waits for."""

    choice: Choice
    name: str
    stop: threading.Event
    no_scale: threading.Event


class Challenger(Background[View]):
    """Every public method may be called from any thread and returns at once.

    Parameters
    ----------
    search
        Query of the address to begin with.
    """

    def __init__(self, search: str) -> None:
        """Nothing is solved before `show`."""
        super().__init__()
        self._choice = Choice()
        self._found = Found()
        self._tries: dict[str, tuple[Try, ...]] = {}
        self._recalled: set[str] = set()
        self._name = ""
        self._no_scale = threading.Event()
        self._seat = Seat(self._publish)
        self._begin(search)

    @property
    def choice(self) -> Choice:
        """Where the visitor is."""
        return self._choice

    def show(self, search: str) -> None:
        """Go where an address says, and compute what is to be seen there."""
        with self._lock:
            stop = self._begin(search)
            task = _Task(choice=self._choice, name=self._name, stop=stop, no_scale=self._no_scale)
            self._name = ""
        self._publish()
        threading.Thread(target=self._run, args=(task,), name="meanwatt-challenge", daemon=True).start()

    def cancel(self, _: object = None) -> None:
        """Stop computing; what is there stays."""
        with self._lock:
            self._stop.set()
            self._no_scale.set()
            self._work = None
        self._publish()

    def close(self) -> None:
        """Stop what is under way at its next question, the scale too."""
        super().close()
        self._no_scale.set()
        with self._lock:
            self._seat.leave()

    def submitted(self, message: Mapping[str, Any]) -> Choice | None:
        """Where a tariff that was submitted is found; None, and a sentence on the page, if it is not allowed."""
        try:
            choice = replace(self._choice, rates_usd_per_kwh=(), export_share=0.0, net_metering=False, parts=())
            for key in ("parts", "export", "rates"):
                text = "_".join(str(value) for value in message[key]) if key != "export" else str(message[key])
                choice = choice.with_part(key, text)
        except (ValueError, KeyError, TypeError) as error:
            self._refuse("drawing", "Not submitted.", error)
            return None
        self._name = str(message.get("name", ""))
        return choice

    def recall(self, message: Mapping[str, Any]) -> None:
        """Take the attempts that the browser kept, before those made since."""
        scenario = str(message.get("scenario", ""))
        with self._lock:
            if scenario not in self._recalled:
                self._recalled.add(scenario)
                tries = recalled(message.get("tries"), scenario)
                for one in self._tries.get(scenario, ()):
                    tries = with_try(tries, one.choice, one.point, one.name)
                self._tries[scenario] = tries
        self._publish()

    def opened(self, _: object = None) -> Choice:
        """Where a new board in this scenario is found."""
        return replace(self._choice, board=BOARDS.open(self._choice.scenario).code)

    def found(self, message: Mapping[str, Any]) -> Choice | None:
        """Where the board of a code is found; None, and a sentence on the page, if there is none."""
        board = BOARDS.find(message.get("code"))
        if board is None:
            self._refuse("board", "Not found.", ValueError(words.NO_BOARD))
            return None
        if board.scenario != self._choice.scenario:
            return Choice(scenario=board.scenario, board=board.code)
        return replace(self._choice, board=board.code)

    def join(self, message: Mapping[str, Any]) -> None:
        """Play on the board under a name; what is tried from now on counts, and what is at hand."""
        try:
            self._seat.join(message.get("name"))  # without the lock: it tells the other players' pages
        except ValueError as error:
            self._refuse("board", "Not joined.", error)
            return
        self._post_what_is_at_hand()
        self._publish()

    def come_back(self, message: Mapping[str, Any]) -> None:
        """Play on as the one that the browser kept."""
        with self._lock:
            self._seat.come_back(message.get("board"), message.get("token"))
        self._publish()

    def clear(self, _: object = None) -> None:
        """Forget the attempts in this scenario."""
        with self._lock:
            self._tries[self._choice.scenario] = ()
        self._publish()

    def _view(self, number: int) -> View:
        scenario = self._choice.scenario
        return view_of(
            number,
            self._choice,
            self._found,
            (self._tries.get(scenario, ()), scenario in self._recalled),
            self._work,
            notices_json(self._notices),
            seat=self._seat,
            stopped=self._work is None and self._stop.is_set(),
        )

    def _forget(self) -> None:
        self._found = replace(self._found, made=None, advice=None, computed=None)

    def _begin(self, search: str) -> threading.Event:
        before = self._choice
        self._choice, problems = from_query(search)
        self._seat.go(self._choice)
        same = before.scenario == self._choice.scenario
        if not same or self._no_scale.is_set():  # else a scale under way goes on: every tariff here needs it
            self._no_scale.set()
            self._no_scale = threading.Event()
        drawn = self._choice.drawing is not None
        kept = replace(self._found, made=self._found.made if drawn else None, advice=None)
        self._found = kept if same else Found()
        return self._restart(Work(text="Computing", fraction=0.0), problems)

    def _run(self, task: _Task) -> None:
        try:
            self._compute(task)
        except Exception as error:  # whatever it was, the visitor gets a sentence and keeps the page
            if not isinstance(error, ValueError):
                logger.exception("the challenge failed")
            self._fail("No score.", error, task.stop)
            return
        with self._lock:
            if task.stop.is_set():
                return
            self._work = None
        self._publish()

    def _compute(self, task: _Task) -> None:
        """Find the scale, then what was submitted, the program's own tariff if asked for, a hint if it is time."""
        scenario, drawing, stop = task.choice.scenario, task.choice.drawing, task.stop

        def progress(work: Work) -> None:
            self._report(work, stop)

        def scaling(work: Work) -> None:
            self._report(work, self._stop)  # of whatever waits for it now

        scale = scale_of(scenario, progress=scaling, cancelled=task.no_scale.is_set)
        if scale is None or stop.is_set():
            return
        self._put(stop, scale=scale)
        if drawing is not None:
            made = attempt_of(scenario, drawing, scale, progress=progress, cancelled=stop.is_set)
            if made is None:
                return
            with self._lock:
                self._tries[scenario] = with_try(self._tries.get(scenario, ()), task.choice, made.criteria, task.name)
            self._put(stop, made=made)
            self._seat.post(task.choice, made.criteria)
        if task.choice.computed:
            found = computed_of(scenario, scale, progress=progress, cancelled=stop.is_set)
            self._put(stop, computed=found)
        if drawing is not None and len(self._tries[scenario]) >= words.TRIES_BEFORE_HINT:
            advice = advice_of(scenario, drawing, scale, progress=progress, cancelled=stop.is_set)
            self._put(stop, advice=advice)

    def _post_what_is_at_hand(self) -> None:
        with self._lock:
            choice, made = self._choice, self._found.made
        if made is not None and choice.drawing is not None:
            self._seat.post(choice, made.criteria)

    def _refuse(self, about: str, title: str, error: Exception) -> None:
        with self._lock:
            refusal = Notice(about=about, kind="warn", title=title, text=sentence(error))
            self._notices = with_notice(self._notices, refusal)
        self._publish()

    def _put(self, stop: threading.Event, **found: Scale | Attempt | Advice | None) -> None:
        with self._lock:
            if stop.is_set():
                return
            self._found = replace(self._found, **found)  # type: ignore[arg-type]
            self._work = self._work and replace(self._work, fraction=0.0)
        self._publish()
