"""A user's family in the results of a search: its JSON object, its messages, its table of windows."""

from typing import Any, Final

import numpy as np

from meanwatt.model.mean_field.leader.commitment import Commitment
from meanwatt.model.mean_field.leader.own_family import OwnFamilies
from meanwatt.model.mean_field.leader.window_combinations import Combination, Window, window_periods
from meanwatt.model.mean_field.leader.window_search import WindowCommitment, WindowTrial
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.messages import Messages

AT_BOUND: Final = 1e-6
"""Distance to a bound that is none, as a share of the range."""
BOUND: Final = (
    "A combination is pruned where a proven bound on the welfare of all its tariffs, from prices that support the cost"
    " of supply, is no more than the best objective found."
)
NONE_PRUNED: Final = (
    "No combination was pruned: every bound was above the best objective found. The bound lets households with storage,"
    " and those whose rate follows the wholesale price, do what is best for all."
)


def family_json(families: OwnFamilies | None, found: Commitment | None) -> dict[str, Any] | None:
    """What was searched: keys, bounds, windows found, and what is known of every combination; None of no own family."""
    if families is None:
        return None
    file = families.file
    searched = found if isinstance(found, WindowCommitment) else None
    slots = families.scenario.slots_per_day
    chosen = families.first.windows if searched is None else searched.windows
    return {
        "file": file.label.removeprefix("family "),
        "tariff": families.scenario.selected_tariff,
        "free": {key: list(bounds) for key, bounds in file.free.items()},
        "fixed": file.fixed,
        "windows": None if not chosen or found is None else windows_json(chosen, slots),
        "rest": families.rest or None,
        "combinations": len(families.combinations.allowed),
        "skipped": families.combinations.skipped,
        "searched": None if searched is None else searched.searched,
        "pruned": None if searched is None else searched.pruned,
        "unbounded": None if searched is None else searched.unbounded or None,
        "by_windows": [] if searched is None else [_trial_json(one, slots) for one in searched.combinations],
    }


def windows_json(windows: Combination, slots: int) -> dict[str, dict[str, Any]]:
    """Where windows lie, in hours of the day and as spans of a tariff's periods."""
    return {name: _window_json(name, one, slots) for name, one in windows.items()}


def _window_json(name: str, one: Window, slots: int) -> dict[str, Any]:
    hours = 24 / slots
    return {
        "start": one.start * hours,
        "width": one.width * hours,
        "hours": window_periods({name: one}, "", slots)[name][0],
    }


def _trial_json(one: WindowTrial, slots: int) -> dict[str, Any]:
    return {
        "windows": windows_json(one.windows, slots),
        "objective": one.objective,
        "bound": one.bound if np.isfinite(one.bound) else None,
        "evaluations": one.evaluations,
        "searched": one.searched,
    }


def family_messages(families: OwnFamilies | None, found: Commitment | None) -> Messages:
    """What the family leaves as it is, what was skipped and pruned, and which values its bounds hold."""
    if families is None:
        return ()
    file, combinations = families.file, families.combinations
    kept = families.scenario.selected_tariff
    if families.scenario.has_rate_classes:
        kept = ", ".join(f"{families.base_of(name)} (class {name})" for name in families.by_class)
    said = [f"{file.label[0].upper()}{file.label[1:]}: what it does not name is as in {kept}."]
    if combinations.skipped:
        said.append(
            f"{counted(combinations.skipped, 'combination')} of windows skipped: two of them overlap, or nothing is"
            " left to the rest of the day."
        )
    if isinstance(found, WindowCommitment) and len(found.combinations) > 1:
        none = f"No combination was pruned: {found.unbounded}." if found.unbounded else NONE_PRUNED
        said.append(BOUND if found.pruned else none)
    if found is not None:
        said += at_bounds(families, found.parameters)
    return tuple(said)


def at_bounds(families: OwnFamilies, parameters: dict[str, float]) -> list[str]:
    """Keys whose value the family's bounds hold, a sentence each."""
    held = []
    for key, value in parameters.items():
        low, high = families.file.free[key]
        if min(value - low, high - value) < AT_BOUND * (high - low):
            held.append(f"{key} is at its bound, {value:.4g}; a wider range may gain more.")
    return held


def window_columns(found: WindowCommitment) -> dict[str, list[Any]]:
    """Table of the combinations: start and width of every window in hours, objective, bound, evaluations."""
    hours = 24 / found.families.scenario.slots_per_day
    columns: dict[str, list[Any]] = {}
    for name in found.windows:
        columns[f"{name}_start"] = [one.windows[name].start * hours for one in found.combinations]
        columns[f"{name}_width"] = [one.windows[name].width * hours for one in found.combinations]
    columns["objective"] = [np.nan if one.objective is None else one.objective for one in found.combinations]
    columns["bound"] = [one.bound for one in found.combinations]
    columns["evaluations"] = [one.evaluations for one in found.combinations]
    return columns
