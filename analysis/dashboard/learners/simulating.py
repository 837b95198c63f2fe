"""Simulating learners for a page: the days of ``meanwatt simulate``, told as they come; visitors share what is whole.

The equilibrium is solved here as the command solves it, from a cold start and to its tolerance: one found from another
tariff's, or to the coarser tolerance of other pages, would give other last digits and so other days.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Final

from meanwatt.agents.numerics.kernel_cache import is_first_start
from meanwatt.analysis.dashboard.learners.choice import Choice
from meanwatt.analysis.dashboard.learners.mixture import behaviour_text
from meanwatt.analysis.dashboard.learners.run import Run
from meanwatt.analysis.dashboard.shared import homes
from meanwatt.analysis.dashboard.shared.memo import QUESTION_SECONDS, Memo
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solved import COMPILE_SECONDS, HALF_WAY, SOLVES, Work
from meanwatt.analysis.dashboard.shared.town import town_of
from meanwatt.analysis.emergence.day_by_day import WatchedLearners
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.progress.watch import Progress, Watch
from meanwatt.model.scenario.economy import build_tariff

TABLES_GB: Final = 0.1
"""Room for the tables of one visitor's Q-learners; a class has many visitors. [10⁹ bytes]"""

_equilibria: Memo[Settings, Equilibrium] = Memo(12)
_runs: Memo[Choice, Run] = Memo(24)
_one_day_at_a_time = threading.Lock()
"""Visitors' markets take turns, a day each: a day takes a core, and nobody waits for another one's year."""

Told = Callable[[Work], None]
Asked = Callable[[], bool]


def target_of(settings: Settings, *, progress: Told, cancelled: Asked) -> Equilibrium | None:
    """Solve the equilibrium, or find it solved already; None if cancelled."""
    key = settings.market_only
    if is_first_start():
        progress(Work(text=f"First start: compiling, about {COMPILE_SECONDS} s", fraction=0.0))

    def told(report: Progress) -> None:
        share = report.evaluations / (report.evaluations + HALF_WAY)
        progress(Work(text=f"Solving: {report.stage}", fraction=report.fraction or share))

    with _equilibria.turn(key, cancelled) as mine:
        known = _equilibria.get(key)
        if known is None and mine:
            scenario = key.load()
            with SOLVES.turn(cancelled, lambda text: progress(Work(text=text, fraction=0.0))) as go:
                if not go:
                    return None
                found = solve_equilibrium(
                    town_of(scenario),
                    build_tariff(scenario),
                    certify=False,
                    watch=Watch(progress=told, cancelled=cancelled),
                )
            if found.outcome is Outcome.CANCELLED:
                return None
            known = found
            _equilibria.put(key, known)
    return known


def known_run(choice: Choice) -> Run | None:
    """A run that is whole, if somebody has seen it already."""
    return _runs.get(choice)


def sharing(choice: Choice, cancelled: Asked) -> AbstractContextManager[bool]:
    """Be the only one who simulates a choice; who asks for it meanwhile waits, and then looks it up. See `Memo`."""
    return _runs.turn(choice, cancelled)


class Simulated:
    """A market of learners that is simulated as far as somebody wants; close it at the end.

    Parameters
    ----------
    choice
        What to simulate. Its ``days`` may be raised later, see `lengthen`.
    target
        The equilibrium of its settings.
    """

    def __init__(self, choice: Choice, target: Equilibrium) -> None:
        behaviour = behaviour_text(choice.mix, choice.belief, choice.q, memory_gb=TABLES_GB)
        homes.ALL.hold(self, 2 * choice.households)  # theirs, and those beside them who play the equilibrium
        try:
            self._watched = WatchedLearners(target, behaviour, households=choice.households, key=choice.seed)
        except ValueError as error:
            said = str(error).replace("or raise memory_gb", "or simulate them on the command line, which has more room")
            raise ValueError(said) from None
        self._run = Run(choice=choice, target=target)

    @property
    def run(self) -> Run:
        """What has been lived so far."""
        return self._run

    def lengthen(self, choice: Choice) -> bool:
        """Take on a choice that differs in the number of days alone and does not fall behind; whether it is one."""
        fits = choice.days >= len(self._run.days) and choice == replace(self._run.choice, days=choice.days)
        if fits:
            self._run = replace(self._run, choice=choice)
        return fits

    def live(self, *, show: Callable[[Run], None], cancelled: Asked) -> Run:
        """Live the days that are missing and tell of each; stop early if cancelled. What is whole is shared."""
        while not self._run.whole:
            with _turn(cancelled) as mine:
                if not mine:
                    return self._run
                day = self._watched.step()
            self._run = replace(self._run, days=(*self._run.days, day), messages=self._watched.messages)
            show(self._run)
        _runs.put(self._run.choice, self._run)
        return self._run

    def close(self) -> None:
        """Free the markets."""
        self._watched.close()
        homes.ALL.free(self)


@contextmanager
def _turn(cancelled: Asked) -> Iterator[bool]:
    """Wait for one's turn; False if given up meanwhile."""
    while not cancelled():
        if _one_day_at_a_time.acquire(timeout=QUESTION_SECONDS):
            try:
                yield True
            finally:
                _one_day_at_a_time.release()
            return
    yield False
