"""What would raise the mean score: every block of hours moved a little, the most promising move tried in earnest."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.challenge.attempt import solve_drawing
from meanwatt.analysis.challenge.drawing import HOURS, Drawing, limits
from meanwatt.analysis.challenge.scale import Scale
from meanwatt.model.progress.watch import Watch

BLOCK_HOURS: Final = 3
STEP_OVER_REFERENCE: Final = 0.05
"""Change of a rate, as a multiple of the scenario's reference price, rounded to a cent."""
TRIED: Final = 3
"""Moves tried in earnest at most, the most promising first."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hint:
    """A change of the rates that raises the mean score, and what it does: solved, not extrapolated.

    Attributes
    ----------
    first_hour, last_hour
        From the beginning of the one to the beginning of the other.
    change_usd_per_kwh
        Below 0 is cheaper. [USD/kWh]
    gain : (3,)
        Points on each axis.
    mean_gain
        Points of the mean.
    """

    first_hour: int
    last_hour: int
    change_usd_per_kwh: float
    gain: Floats
    mean_gain: float


def step_usd_per_kwh(reference_usd_per_kwh: float) -> float:
    """Change of a rate that is tried. [USD/kWh]"""
    return max(1, round(100 * STEP_OVER_REFERENCE * reference_usd_per_kwh)) / 100


def moved(drawing: Drawing, block: int, change_usd_per_kwh: float, high_usd_per_kwh: float) -> Drawing:
    """A drawing with the rates of one block changed, as far as the limits let them."""
    rates = np.array(drawing.rates_usd_per_kwh)
    hours = slice(block * BLOCK_HOURS, (block + 1) * BLOCK_HOURS)
    rates[hours] = np.clip(rates[hours] + change_usd_per_kwh, 0.0, high_usd_per_kwh)
    return replace(drawing, rates_usd_per_kwh=tuple(rates.round(6).tolist()))


def find_hint(drawing: Drawing, scale: Scale, watch: Watch | None = None) -> Hint | None:
    """Find the block of hours whose rates to change; None if no change of that size raises the mean score.

    Raises
    ------
    Cancelled
        If asked to stop.
    ValueError
        As `meanwatt.analysis.challenge.attempt.solve_drawing`.
    """
    watch = watch or Watch()
    economy = scale.filed.economy
    high = limits(economy.scenario).rate_usd_per_kwh
    step = step_usd_per_kwh(economy.scenario.reference_price_usd_per_kwh)
    here = solve_drawing(drawing, scale, watch=watch.silent())
    now = scale.criteria(here)
    before = scale.mean(now)
    known: dict[Drawing, Floats] = {}

    def criteria(change: Drawing) -> Floats:
        if change not in known:
            known[change] = scale.criteria(solve_drawing(change, scale, start=here, watch=watch.silent()))
        return known[change]

    moves: list[tuple[float, int, float]] = []
    blocks = HOURS // BLOCK_HOURS
    for block in range(blocks):
        watch.report("a hint", block / (blocks + TRIED))
        up = moved(drawing, block, step, high)
        probe, sign = (up, 1.0) if up != drawing else (moved(drawing, block, -step, high), -1.0)
        slope = sign * (scale.mean(criteria(probe)) - before)
        moves.append((abs(slope), block, step if slope > 0 else -step))
    for _, block, change in sorted(moves, reverse=True)[:TRIED]:
        better = moved(drawing, block, change, high)
        if better != drawing and scale.mean(criteria(better)) > before:
            return Hint(
                first_hour=block * BLOCK_HOURS,
                last_hour=(block + 1) * BLOCK_HOURS,
                change_usd_per_kwh=change,
                gain=scale.scores(criteria(better)) - scale.scores(now),
                mean_gain=scale.mean(criteria(better)) - before,
            )
    return None
