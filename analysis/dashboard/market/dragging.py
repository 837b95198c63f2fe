"""A slider that acts while it is dragged: solves follow one another, and the newest wish is always the next."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from meanwatt.analysis.dashboard.market.run import Run
from meanwatt.analysis.dashboard.market.wishes import Left, Wish, edited
from meanwatt.analysis.dashboard.shared.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True, eq=False)
class Drag:
    """A slider in a visitor's hand.

    Attributes
    ----------
    past
        What can be undone once it is let go: the whole drag is one step.
    since
        Solution in force when it was taken, which every change is told against.
    wanted
        The newest wish that no solve has taken up; None if there is none.
    """

    past: tuple[Left, ...]
    since: Any
    wanted: Settings | None = None


class Dragging(Run):
    """A run whose settings can be dragged. What is in force while a slider moves is kept in no list."""

    _applied: Settings | None
    _in_force: Any
    _past: tuple[Left, ...]
    _drag: Drag | None
    _busy: bool
    """Whether a thread follows the slider."""

    def drag(self, message: Mapping[str, Any]) -> None:
        """Take a slider's value on its way: put it in force where changes act at once, else into the draft."""
        with self._lock:
            before = self._stage
            taken = edited(before, str(message["key"]), str(message["value"]))
            self._stage = replace(taken, edits=before.edits + 1)
            if self._drag is None and before.live and self._applied is not None and before.work is None:
                past = Wish(settings=taken.draft).past_after(self._past, self._applied)
                self._drag = Drag(past=past, since=self._in_force)
            if self._drag is not None and taken.draft != before.draft:
                self._drag.wanted = taken.draft
                self._stage = replace(self._stage, dragging=True, behind=True)
                self._follow(self._drag)
        self._publish()

    def _follow(self, drag: Drag) -> None:
        if not self._busy:
            self._busy = True
            threading.Thread(target=self._follower, args=(drag,), name="meanwatt-drag", daemon=True).start()

    def _follower(self, drag: Drag) -> None:
        """Solve wish after wish until none is left or the slider is let go."""
        while True:
            with self._lock:
                wanted, drag.wanted = drag.wanted, None
                gone = self._closed or self._drag is not drag
                if wanted is None or gone:
                    self._busy = False
                    if not gone:
                        self._stage = replace(self._stage, behind=False)
                    break
                near = self._in_force
            solution = self._tried_out(wanted, near, drag)
            with self._lock:
                if solution is None or self._closed or self._drag is not drag:
                    continue
                self._put_on_the_way(wanted, solution, drag)
            self._publish()
        self._publish()
        with self._lock:
            waiting = self._drag  # another one, taken while this thread ended
            if waiting is not None and waiting.wanted is not None:
                self._follow(waiting)

    def _tried_out(self, settings: Settings, near: Any, drag: Drag) -> Any | None:
        """A solution for a moment; None if it cannot be, which is said once the slider is let go."""
        try:
            return self._engine.try_out(settings, near=near, cancelled=lambda: self._closed or self._drag is not drag)
        except Exception:  # the page must outlive any failure of a solve
            logger.info("not solved on the way", exc_info=True)
            return None

    def _put_on_the_way(self, settings: Settings, solution: Any, drag: Drag) -> None:
        """Show the homes and figures of a value on the slider's way."""
        if not self._guarded(lambda: self._show(solution, drag)):
            return
        self._applied, self._in_force, self._past = settings, solution, drag.past
        self._stage = replace(self._stage, base=settings, undoable=bool(drag.past), compared=None, behind=False)

    def _show(self, solution: Any, drag: Drag) -> None:
        self._engine.adopt(solution, against=drag.since)

    def _let_go(self) -> Drag | None:
        """The slider is let go, or the visitor does something else; what was in hand."""
        drag, self._drag = self._drag, None
        self._stage = replace(self._stage, dragging=False, behind=False)
        return drag
