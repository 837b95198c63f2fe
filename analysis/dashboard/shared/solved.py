"""Solved tariffs and first bests that all visitors and all pages of a server share."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass

from meanwatt.agents.numerics.kernel_cache import is_first_start
from meanwatt.analysis.dashboard.shared.memo import Memo
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solution import Benchmark, Solution, benchmark, solve
from meanwatt.analysis.dashboard.shared.turns import Turns
from meanwatt.model.progress.watch import Cancelled, Progress

HALF_WAY = 12
"""Evaluations after which the progress bar stands at one half; nobody knows the number in advance."""
COMPILE_SECONDS = 20
"""What the first solve of a new installation takes, mostly compiling (benchmarks/cold_start.py)."""

SOLVES = Turns(max(1, (os.cpu_count() or 1) - 1))
"""Where visitors' solves wait for each other: a core is left for days that pass."""

_solutions: Memo[Settings, Solution] = Memo(12)
_first_bests: Memo[Settings, Benchmark] = Memo(32)
_one_first_best = threading.Lock()
"""One first best at a time in the whole server: it takes a core for many seconds, and others may want the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A computation under way: what, and the share done (an estimate that only rises)."""

    text: str
    fraction: float


def solved(
    settings: Settings,
    *,
    start: Solution | None = None,
    progress: Callable[[Work], None],
    cancelled: Callable[[], bool],
) -> Solution | None:
    """Solve settings, from a solution nearby if one is given, or find them solved already; None if cancelled.

    Raises
    ------
    ValueError
        In one line, if a setting is not allowed.
    """
    key = settings.market_only
    if is_first_start():
        progress(Work(text=f"First start: compiling, about {COMPILE_SECONDS} s", fraction=0.0))

    def told(report: Progress) -> None:
        share = report.evaluations / (report.evaluations + HALF_WAY)
        progress(Work(text=f"Solving: {report.stage}", fraction=report.fraction or share))

    with _solutions.turn(key, cancelled) as mine:
        known = _solutions.get(key)
        if known is None and mine:
            with SOLVES.turn(cancelled, lambda text: progress(Work(text=text, fraction=0.0))) as go:
                known = solve(key, start=start, progress=told, cancelled=cancelled) if go else None
            if known is not None:
                _solutions.put(key, known)
    return known.for_sample(settings) if known is not None else None


def known_solution(settings: Settings) -> Solution | None:
    """Solution of the settings' tariff, if it is solved already."""
    return _solutions.get(settings.market_only)


def first_best(town: Settings, cancelled: Callable[[], bool]) -> Benchmark | None:
    """Find the first best of a town, or find it known already; None if cancelled."""
    while (known := _first_bests.get(town)) is None:
        if cancelled():
            return None
        if not _one_first_best.acquire(timeout=0.2):
            continue
        try:
            if _first_bests.get(town) is None:
                _first_bests.put(town, benchmark(town, cancelled=cancelled))
        except Cancelled:
            return None
        finally:
            _one_first_best.release()
    return known


def known_first_best(town: Settings) -> Benchmark | None:
    """First best of a town, if it is known already."""
    return _first_bests.get(town)
