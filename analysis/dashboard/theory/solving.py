"""Games solved as ``meanwatt game`` solves them, once for all visitors of a server."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from meanwatt.analysis.dashboard.shared.memo import Memo
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.dashboard.theory.choice import CONCEPTS, TEMPERATURE, Choice
from meanwatt.analysis.tabular.solution import ConceptResult, GameSolution, Solved, solve_game

POINTS: Final = 19
"""Temperatures of the curves: six a decade."""
GRID: Final = tuple(
    float(f"{t:.3g}") for t in np.geomspace(TEMPERATURE.high or 0.0, TEMPERATURE.low or 0.0, POINTS).tolist()
)
"""Temperatures of the curves, falling, as the command has them; three digits."""
Key = tuple[str, float | None, float | None]
"""Game, discount, temperature; None for the whole grid."""

_solutions: Memo[Key, GameSolution] = Memo(96)
_concepts: Memo[tuple[str, float | None], Mapping[str, ConceptResult]] = Memo(48)


def at_temperature(
    choice: Choice, *, progress: Callable[[Work], None], cancelled: Callable[[], bool]
) -> GameSolution | None:
    """Solve every concept, and iterate at the temperature of a choice; None if cancelled."""
    return _solved(choice, (choice.temperature,), progress, cancelled)


def over_temperature(
    choice: Choice, *, progress: Callable[[Work], None], cancelled: Callable[[], bool]
) -> GameSolution | None:
    """Solve the same at all temperatures of the grid; None if cancelled."""
    return _solved(choice, GRID, progress, cancelled)


def _solved(
    choice: Choice,
    temperatures: tuple[float, ...],
    progress: Callable[[Work], None],
    cancelled: Callable[[], bool],
) -> GameSolution | None:
    at = (choice.game, choice.discount)
    key = (*at, choice.temperature if temperatures is not GRID else None)
    parts, done = len(temperatures) + len(CONCEPTS) + 1, 0

    def told(what: str) -> None:
        nonlocal done
        progress(Work(text=f"Solving: {what}", fraction=done / parts))
        done += 1

    with _solutions.turn(key, cancelled) as mine:
        found = _solutions.get(key)
        if found is None and mine:
            found = solve_game(
                choice.named, temperatures=temperatures, told=told, cancelled=cancelled, known=_concepts.get(at)
            )
            if found.outcome is Solved.CANCELLED or cancelled():
                return None
            _concepts.put(at, found.concepts)
            _solutions.put(key, found)
    return found
