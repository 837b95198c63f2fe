"""What the challenge computes, once for all visitors of a server."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from meanwatt.agents.numerics.kernel_cache import is_first_start
from meanwatt.analysis.challenge.attempt import Attempt, attempt
from meanwatt.analysis.challenge.computed import computed
from meanwatt.analysis.challenge.drawing import Drawing
from meanwatt.analysis.challenge.hint import Hint, find_hint
from meanwatt.analysis.challenge.scale import Scale, find_scale
from meanwatt.analysis.dashboard.challenge.choice import Choice
from meanwatt.analysis.dashboard.shared.memo import Memo
from meanwatt.analysis.dashboard.shared.solved import COMPILE_SECONDS, Work
from meanwatt.analysis.dashboard.shared.turns import Turns
from meanwatt.model.progress.watch import Cancelled, Progress, Watch
from meanwatt.model.scenario.economy import build_economy

K = TypeVar("K")
V = TypeVar("V")
Tell = Callable[[Work], None]
Asked = Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """A hint; None where no change of the rates of its size helps."""

    hint: Hint | None


_one_at_a_time = Turns()
_scales: Memo[str, Scale] = Memo(8)
_attempts: Memo[tuple[str, Drawing], Attempt] = Memo(200)
_advice: Memo[tuple[str, Drawing], Advice] = Memo(200)
_computed: Memo[str, Attempt] = Memo(8)


def scale_of(scenario: str, *, progress: Tell, cancelled: Asked) -> Scale | None:
    """Where the scores 0 and 100 lie in a scenario; None if cancelled."""
    if is_first_start():
        progress(Work(text=f"First start: compiling, about {COMPILE_SECONDS} s", fraction=0.0))
    watch = _watch("Computing where 0 and 100 lie", progress, cancelled)
    economy = build_economy(Choice(scenario=scenario).preset())
    return _once(_scales, scenario, lambda: find_scale(economy, watch), progress, cancelled)


def attempt_of(scenario: str, drawing: Drawing, scale: Scale, *, progress: Tell, cancelled: Asked) -> Attempt | None:
    """Solve a drawing; None if cancelled."""
    watch = _watch("Solving your tariff", progress, cancelled)
    return _once(_attempts, (scenario, drawing), lambda: attempt(drawing, scale, watch), progress, cancelled)


def advice_of(scenario: str, drawing: Drawing, scale: Scale, *, progress: Tell, cancelled: Asked) -> Advice | None:
    """Find a hint; None if cancelled."""
    watch = _watch("Looking for a hint", progress, cancelled)
    key = scenario, drawing
    return _once(_advice, key, lambda: Advice(hint=find_hint(drawing, scale, watch)), progress, cancelled)


def computed_of(scenario: str, scale: Scale, *, progress: Tell, cancelled: Asked) -> Attempt | None:
    """Find the program's own tariff; None if cancelled."""
    watch = _watch("Computing the program's own tariff", progress, cancelled)
    return _once(_computed, scenario, lambda: computed(scale, watch), progress, cancelled)


def _watch(text: str, progress: Tell, cancelled: Asked) -> Watch:
    def told(report: Progress) -> None:
        progress(Work(text=text, fraction=report.fraction or 0.0))

    return Watch(progress=told, cancelled=cancelled)


def _once(memo: Memo[K, V], key: K, compute: Callable[[], V], progress: Tell, cancelled: Asked) -> V | None:
    with memo.turn(key, cancelled) as mine:
        known = memo.get(key)
        if known is None and mine:
            with _one_at_a_time.turn(cancelled, lambda line: progress(Work(text=line, fraction=0.0))) as go:
                try:
                    known = compute() if go else None
                except Cancelled:
                    return None
            if known is not None:
                memo.put(key, known)
    return known
