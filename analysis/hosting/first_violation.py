"""From worst states to answers: which share of placements breaks a limit, and at what adoption each first does."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.hosting.stress import BY_PHASE, KINDS, MEASURES, WITH_CURVES, violated
from meanwatt.analysis.hosting.sweep import Cell, HostingPlan

ANY: Final = "any"
"""A violation of whatever kind."""
PERCENTILES: Final = (5, 50, 95)


def measured(plan: HostingPlan, cells: Sequence[Cell], tariff: str) -> dict[str, Floats]:
    """What was measured under a tariff by name of ``measures``, (level, placement) each; nan where nothing was."""
    table = {name: np.full((len(plan.levels), plan.placements), np.nan) for name in plan.measures}
    for cell in cells:
        if cell.tariff == tariff and cell.known:
            for name in plan.measures:
                table[name][cell.level] = cell.measured[name]
    return table


def with_curves(table: dict[str, Floats]) -> dict[str, Floats]:
    """Of a table of ``measured`` what inverters' curves leave, under the names of ``MEASURES``."""
    return {name: table[name + WITH_CURVES] for name in MEASURES}


def by_phase(table: dict[str, Floats]) -> dict[str, Floats]:
    """Of a table of ``measured`` what phases see, under the names of ``MEASURES``."""
    return {name: table[name + BY_PHASE] for name in MEASURES}


def violations(plan: HostingPlan, table: dict[str, Floats]) -> dict[str, Floats]:
    """Whether each limit is broken by kind, ``any`` last; (level, placement), nan where that is not known.

    A level with no state to look at breaks no limit of voltage or loading: it is a violation of its own kind.
    """
    known = ~np.isnan(table["unsolved_slots"])
    broken = {kind: violated(kind, table, plan.limits) for kind in KINDS}
    broken[ANY] = np.where(known, np.nanmax([np.nan_to_num(one) for one in broken.values()], axis=0), np.nan)
    return broken


def violation_share(broken: Floats) -> list[float | None]:
    """Share of placements that break a limit at each level, from (level, placement); None where nothing is known."""
    return [None if np.isnan(row).any() else float(row.mean()) for row in broken]


def first_violation(levels: Sequence[float], broken: Floats) -> Floats:
    """Lowest swept adoption at which each placement breaks a limit, (placement,); inf where it breaks it at none.

    Every level is looked at: what batteries do changes from level to level, so a violation may come and go. Levels
    without an equilibrium are passed over.
    """
    hit = np.nan_to_num(broken) > 0
    first = np.append(levels, math.inf)[np.where(hit.any(axis=0), hit.argmax(axis=0), len(levels))]
    return np.asarray(first)


def percentiles(values: Floats) -> dict[str, float | None]:
    """Order statistics of values that may be infinite: the smallest that p % of them do not exceed; None for inf."""
    ordered = np.sort(values)
    found = {p: float(ordered[math.ceil(p * len(ordered) / 100) - 1]) for p in PERCENTILES}
    return {f"p{p}": value if math.isfinite(value) else None for p, value in found.items()}


def compared(first: Floats, reference: Floats, levels: Sequence[float]) -> dict[str, float | int | None]:
    """A tariff's first violations beside those of another one, placement by placement.

    Returns
    -------
    dict
        ``later``, ``same`` and ``earlier``: placements whose first violation comes at a higher, the same or a lower
        adoption. ``gain``: median difference, the end of the sweep standing for placements without a violation;
        a lower bound, therefore, and null where that is so for most under both tariffs.
    """
    end = levels[-1]
    difference = np.minimum(first, end) - np.minimum(reference, end)
    never = bool(np.median(np.isinf(first) & np.isinf(reference)) > 0.5)
    return {
        "later": int((first > reference).sum()),
        "same": int((first == reference).sum()),
        "earlier": int((first < reference).sum()),
        "gain": None if never else float(np.median(difference)),
    }


def by_level(values: Floats) -> dict[str, list[float | None]]:
    """Percentiles over placements, one a level."""
    rows = [percentiles(np.where(np.isnan(row), np.inf, row)) for row in values]
    return {name: [row[name] for row in rows] for name in rows[0]}
