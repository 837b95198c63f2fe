"""What lessons find, computed once for all visitors of a server."""

from collections.abc import Callable

from meanwatt.agents.numerics.kernel_cache import is_first_start
from meanwatt.analysis.dashboard.shared.memo import Memo
from meanwatt.analysis.dashboard.shared.solved import COMPILE_SECONDS, Work
from meanwatt.analysis.lessons.catalogue import LESSONS
from meanwatt.analysis.lessons.lesson import Lesson, Revealed
from meanwatt.model.progress.watch import Cancelled, Progress, Watch

_found: Memo[str, Revealed] = Memo(len(LESSONS))


def revealed(lesson: Lesson, *, progress: Callable[[Work], None], cancelled: Callable[[], bool]) -> Revealed | None:
    """Compute a lesson, or find it computed already; None if cancelled."""
    if is_first_start():
        progress(Work(text=f"First start: compiling, about {COMPILE_SECONDS} s", fraction=0.0))

    def told(report: Progress) -> None:
        progress(Work(text=f"Computing: {report.stage}", fraction=report.fraction or 0.0))

    with _found.turn(lesson.key, cancelled) as mine:
        known = _found.get(lesson.key)
        if known is None and mine:
            try:
                known = lesson.reveal(Watch(progress=told, cancelled=cancelled))
            except Cancelled:
                return None
            _found.put(lesson.key, known)
    return known
