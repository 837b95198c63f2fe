"""What a series of power flows found: its JSON object, its tables, the sentences about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.year_flow.slots_solved import SolvedSlots
from meanwatt.model.network.library.branch import BranchKind
from meanwatt.model.scenario.counted import counted

UNSOLVED_LISTED: Final = 100
"""Slots without a state that the JSON object lists; all are in the table of slots."""
_NAMED: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What was asked, beside feeder and loads.

    Attributes
    ----------
    slot_hours
        Length of a slot. [h]
    from_stamps
        Whether it was read off the time stamps.
    reactive
        Whether reactive power came of a file.
    without
        Buses without a column.
    cancelled
        Whether it was broken off.
    """

    slot_hours: float
    from_stamps: bool
    reactive: bool
    without: int
    cancelled: bool


def slot_hours_of(times: tuple[str, ...]) -> float | None:
    """Hours between the first two of some time stamps; None where they do not say. [h]"""
    try:
        first, second = (datetime.fromisoformat(text.replace("Z", "+00:00")) for text in times[:2])
        hours = (second - first).total_seconds() / 3600
    except (ValueError, TypeError):
        return None
    return hours if 0 < hours <= 24 else None


def flow_json(done: SolvedSlots, given: Given) -> dict[str, Any]:
    """The command's JSON object, but for its settings and the time it took."""
    solved, slot, hours, feeder = done.solved, done.slot, given.slot_hours, done.feeder
    failed = np.flatnonzero(~solved)
    source = slot["source_kw"]
    outcome = "cancelled" if given.cancelled else "some_slots_failed" if failed.size else "converged"
    served = float(np.nansum(np.where(solved, slot["load_kw"], 0.0))) * hours
    loss = float(np.nansum(slot["loss_kw"])) * hours
    imported, exported = (float(np.nansum(np.maximum(sign * source, 0.0))) * hours for sign in (1, -1))
    return {
        "feeder": feeder.name,
        "buses": len(feeder.buses),
        "slots": len(solved),
        "slot_hours": hours,
        "outcome": outcome,
        "message": _message(done, outcome),
        "solved_slots": int(solved.sum()),
        "hours_unsolved": float(failed.size) * hours,
        "unsolved_slots": [_named_slot(done, place) for place in failed[:UNSOLVED_LISTED].tolist()],
        "limits": {"name": done.limits, "low_pu": done.limits.low_pu, "high_pu": done.limits.high_pu},
        "voltage": {
            "min_pu": _extreme(done, "min_voltage_pu", np.nanargmin),
            "max_pu": _extreme(done, "max_voltage_pu", np.nanargmax),
            "min_bus": _at(feeder.buses, np.where(np.isfinite(done.low_pu), done.low_pu, np.nan), np.nanargmin),
            "max_bus": _at(feeder.buses, np.where(np.isfinite(done.high_pu), done.high_pu, np.nan), np.nanargmax),
            "hours_outside": done.outside * hours,
            "bus_hours_below": float(done.below.sum()) * hours,
            "bus_hours_above": float(done.above.sum()) * hours,
            "buses_outside": int((done.below + done.above > 0).sum()),
        },
        "energy": {
            "net_load_kwh": served,
            "loss_kwh": loss,
            "loss_percent": 100 * loss / imported if imported > 0 else None,
            "imported_kwh": imported,
            "exported_kwh": exported,
            "max_source_kw": _extreme(done, "source_kw", np.nanargmax),
            "min_source_kw": _extreme(done, "source_kw", np.nanargmin),
        },
        "lines": {
            "max_loading_percent": _percent(done, "max_line_loading"),
            "line": _at(feeder.line_names, np.where(done.line_loading > 0, done.line_loading, np.nan), np.nanargmax),
            "hours_above_rating": float((slot["max_line_loading"] > 1).sum()) * hours,
            "lines_above_rating": int((done.line_over > 0).sum()),
        },
        "transformers": {
            "max_loading_percent": _percent(done, "max_transformer_loading"),
            "hours_above_rating": float((slot["max_transformer_loading"] > 1).sum()) * hours,
        },
        "messages": list(_messages(done, given)),
    }


def flow_tables(done: SolvedSlots, slot_hours: float) -> dict[str, dict[str, Any]]:
    """Tables by slot, by bus and by line."""
    count = max(int(done.solved.sum()), 1)
    known = np.isfinite(done.low_pu)
    times: dict[str, Any] = {"time": done.times} if done.times else {}
    return {
        "slots": {"slot": np.arange(len(done.solved)), **times, "solved": done.solved, **done.slot},
        "buses": {
            "bus": list(done.feeder.buses),
            "min_voltage_pu": np.where(known, done.low_pu, np.nan),
            "mean_voltage_pu": np.where(known, done.sum_pu / count, np.nan),
            "max_voltage_pu": np.where(known, done.high_pu, np.nan),
            "hours_below": done.below * slot_hours,
            "hours_above": done.above * slot_hours,
        },
        "lines": {
            "line": list(done.feeder.line_names),
            "max_loading": done.line_loading,
            "hours_above_rating": done.line_over * slot_hours,
        },
    }


def _message(done: SolvedSlots, outcome: str) -> str:
    solved = done.solved
    total = counted(len(solved), "slot")
    if outcome == "converged":
        return f"all {total} solved" if len(solved) != 1 else "the only slot solved"
    failed = np.flatnonzero(~solved)
    said = []
    if outcome == "cancelled":
        said.append(f"stopped on request after {total}")
    if failed.size:
        named = ", ".join(_called(done, place) for place in failed[:_NAMED].tolist())
        more = f" and {failed.size - _NAMED} more" if failed.size > _NAMED else ""
        said.append(
            f"no state found in {failed.size} of {total} ({named}{more}): the feeder cannot carry such load or export"
            " (voltage collapse); they are in no sum, extreme or count of hours"
        )
    return "; ".join(said)


def _messages(done: SolvedSlots, given: Given) -> Iterator[str]:
    feeder = done.feeder
    if given.from_stamps:
        yield f"Slots are {given.slot_hours:g} h long, as the first two time stamps say."
    if given.without:
        buses = counted(given.without, "bus has", f"of the {len(feeder.buses)} buses have")
        yield f"{buses} no column, and no load but what the feeder fixes."
    if not given.reactive:
        yield (
            "Reactive power is that of the reference load of each bus, or power factor .95 without one, where it draws;"
            " none where it feeds in."
        )
    if feeder.fixed:
        yield "Fixed loads and generators of the feeder are added in every slot."
    unknown = int(np.isinf(feeder.line_rating_a).sum())
    if unknown:
        yield f"{counted(unknown, 'line has', 'lines have')} no rating, and loading 0."
    beside = sum(branch.kind is not BranchKind.TRANSFORMER for branch in feeder.branches)
    if beside:
        yield f"{counted(beside, 'line or impedance', 'lines and impedances')} of the file have no loading here."


def _named_slot(done: SolvedSlots, place: int) -> dict[str, Any]:
    return {"slot": place, "time": (done.times[place] or None) if done.times else None}


def _called(done: SolvedSlots, place: int) -> str:
    return f"{place} at {done.times[place]}" if done.times and done.times[place] else str(place)


def _extreme(done: SolvedSlots, column: str, pick: Any) -> dict[str, Any] | None:
    """The largest or smallest of a column, with the slot it comes in; None without a slot that is solved."""
    values: Floats = done.slot[column]
    if not done.solved.any():
        return None
    place = int(pick(values))
    return {"value": float(values[place]), **_named_slot(done, place)}


def _at(names: tuple[str, ...], values: Floats, pick: Any) -> str | None:
    """The name of the largest or smallest of some numbers; None where none is known."""
    return None if np.isnan(values).all() else names[int(pick(values))]


def _percent(done: SolvedSlots, column: str) -> float | None:
    values = done.slot[column]
    return None if np.isnan(values).all() else 100 * float(np.nanmax(values))
