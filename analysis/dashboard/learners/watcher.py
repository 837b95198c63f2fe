"""One visitor's learners: solves on a thread, lives the days, publishes views as they come, and goes on where asked."""

import logging
import threading
from collections.abc import Callable
from typing import Final, Protocol

from meanwatt.analysis.dashboard.learners import words
from meanwatt.analysis.dashboard.learners.choice import Choice, from_query
from meanwatt.analysis.dashboard.learners.presets import change_of, herd_of
from meanwatt.analysis.dashboard.learners.run import Run
from meanwatt.analysis.dashboard.learners.simulating import Asked, Simulated, Told, known_run, sharing, target_of
from meanwatt.analysis.dashboard.learners.view import Known, View, bar_json, figures_of, form_json, herd_json
from meanwatt.analysis.dashboard.shared.background import ChoiceBackground
from meanwatt.analysis.dashboard.shared.memo import QUESTION_SECONDS
from meanwatt.analysis.dashboard.shared.notices import notices_json
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.dashboard.shared.time_left import TimeLeft
from meanwatt.model.mean_field.equilibrium import Equilibrium

logger = logging.getLogger(__name__)
SOLVING: Final = 0.2
"""Share of the progress that a solve fills."""
HERD: Final = 0.5
"""Share up to which the herd is simulated, where a change is to be compared with it."""


class Solve(Protocol):
    """What solves the equilibrium; see `meanwatt.analysis.dashboard.learners.simulating.target_of`."""

    def __call__(self, settings: Settings, *, progress: Told, cancelled: Asked) -> Equilibrium | None:
        """Solve; None if cancelled."""


class Watcher(ChoiceBackground[View, Choice]):
    """Every public method may be called from any thread and returns at once.

    Parameters
    ----------
    search
        Query of the address to begin with.
    solve, simulate, known
        What solves, makes a market, and looks up a run that is whole; those that all visitors share by default.
    """

    THREAD = "meanwatt-learners"

    def __init__(
        self,
        search: str,
        *,
        solve: Solve = target_of,
        simulate: Callable[[Choice, Equilibrium], Simulated] = Simulated,
        known: Known = known_run,
    ) -> None:
        """Nothing is solved before `show`."""
        super().__init__()
        self._solve, self._simulate, self._known = solve, simulate, known
        self._choice = Choice()
        self._run: Run | None = None
        self._herd: Run | None = None
        self._live: Simulated | None = None
        self._closed = False
        self._turn = threading.Lock()  # one thread of this visitor has the market at a time
        self._begin(search)

    def close(self) -> None:
        """Stop, and free the market."""
        super().close()
        with self._lock:
            self._closed = True
            live, self._live = self._live, None
        if live is not None:
            live.close()

    def csv(self) -> str:
        """Every day lived, with its parameters; empty before the first."""
        from meanwatt.analysis.dashboard.learners.take_home import csv_of

        with self._lock:
            run = self._run
        return "" if run is None or not run.days else csv_of(run)

    def _view(self, number: int) -> View:
        run = self._run if self._run is not None and self._run.days else None
        old = run is not None and run.choice != self._choice
        herd = self._herd if run is not None and change_of(run.choice) is not None else None
        return View(
            number=number,
            bar=bar_json(self._choice, self._work, run),
            form=form_json(self._choice),
            herd=herd_json(self._choice, run, self._known),
            notices=notices_json(self._notices),
            figures=None if run is None else figures_of(run, herd),
            old=old,
            waiting=run is None and self._work is not None,
            done=run is not None and self._work is None,
        )

    def _forget(self) -> None:
        self._run = None

    def _begin(self, search: str) -> threading.Event:
        self._choice, problems = from_query(search)
        return self._restart(Work(text="Solving the equilibrium", fraction=0.0), problems)

    def _compute(self, choice: Choice, stop: threading.Event) -> None:
        while not self._turn.acquire(timeout=QUESTION_SECONDS):
            if stop.is_set():
                return
        try:
            if not stop.is_set():
                self._simulate_all(choice, stop)
        except Exception as error:  # whatever it was, the visitor gets a sentence and keeps the page
            logger.exception("simulating learners failed")
            self._fail("The learners could not be simulated.", error, stop)
        finally:
            self._turn.release()

    def _simulate_all(self, choice: Choice, stop: threading.Event) -> None:
        """Find the run, and the herd that it is a change of, or live them."""
        begun = 0.0
        if change_of(choice) is not None:
            herd = self._found(herd_of(choice), (0.0, HERD), "The herd, to compare with: ", None, stop)
            if herd is None:
                return
            with self._lock:
                self._herd = herd
            begun = HERD
        run = self._found(choice, (begun, 1.0), "", lambda now: self._put(now, stop), stop)
        if run is not None:
            self._put(run, stop, done=True)
            self._publish()

    def _found(
        self,
        choice: Choice,
        share: tuple[float, float],
        about: str,
        show: Callable[[Run], None] | None,
        stop: threading.Event,
    ) -> Run | None:
        """A run that is known, or lived now; None if given up.

        Parameters
        ----------
        share
            Part of the progress that it fills.
        about
            What stands before the words of the progress.
        show
            Told of every day. Only the market that is shown is kept to go on with.
        """
        self._report(Work(text=about + words.TURN, fraction=share[0]), stop)
        with sharing(choice, stop.is_set) as mine:
            known = self._known(choice)
            return self._lived(choice, share, about, show, stop) if known is None and mine else known

    def _lived(
        self,
        choice: Choice,
        share: tuple[float, float],
        about: str,
        show: Callable[[Run], None] | None,
        stop: threading.Event,
    ) -> Run | None:
        """The same, lived in any case."""
        (low, high), left = share, TimeLeft()

        def solving(work: Work) -> None:
            self._report(Work(text=about + work.text, fraction=low + SOLVING * (high - low) * work.fraction), stop)

        def lived(run: Run) -> None:
            if show is not None:
                show(run)
            done = len(run.days) / choice.days
            text = f"{about}Day {len(run.days)} of {choice.days}{left.said('days', done)}"
            self._report(Work(text=text, fraction=low + (high - low) * (SOLVING + (1 - SOLVING) * done)), stop)

        target = self._solve(choice.settings, progress=solving, cancelled=stop.is_set)
        if target is None:
            return None
        live = self._taken(choice, target) if show is not None else self._simulate(choice, target)
        try:
            run = live.live(show=lived, cancelled=stop.is_set)
        except Exception:
            live.close()
            raise
        if show is not None:
            self._keep(live)
        else:
            live.close()
        return run if run.whole else None

    def _taken(self, choice: Choice, target: Equilibrium) -> Simulated:
        """The market at hand if it only has to live longer, or a new one."""
        with self._lock:
            live, self._live = self._live, None
        if live is not None:
            if live.lengthen(choice):
                return live
            live.close()
        return self._simulate(choice, target)

    def _keep(self, live: Simulated) -> None:
        """Keep a market to go on with, unless the visitor has left."""
        with self._lock:
            if not self._closed:
                self._live = live
                return
        live.close()

    def _put(self, run: Run, stop: threading.Event, *, done: bool = False) -> None:
        """Keep what has been lived; the next view shows it."""
        with self._lock:
            if not stop.is_set():
                self._run = run
                self._work = None if done else self._work
