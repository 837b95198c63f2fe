"""The attempts of one visitor, as the browser keeps them: what was drawn, and the criteria that came of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.challenge.scale import AXES
from meanwatt.analysis.dashboard.challenge.choice import Choice, from_query, query

MOST = 30
"""Attempts that are kept; the oldest goes."""
NAME_LENGTH = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One attempt.

    Attributes
    ----------
    name
        What its visitor calls it.
    choice
        Where it is found.
    criteria
        In the order of `meanwatt.analysis.challenge.scale.AXES`.
    """

    name: str
    choice: Choice
    criteria: tuple[float, ...]

    @property
    def point(self) -> Floats:
        """The criteria. (3,)"""
        return np.array(self.criteria)

    def to_json(self) -> dict[str, Any]:
        """What the browser keeps."""
        return {"name": self.name, "query": query(self.choice), "criteria": list(self.criteria)}


def key_of(choice: Choice) -> str:
    """What tells attempts apart."""
    return query(replace(choice, computed=False, board=""))


def with_try(tries: Sequence[Try], choice: Choice, criteria: Floats, name: str) -> tuple[Try, ...]:
    """The attempts with one more, unless it is there; without a name it gets the next number."""
    if any(key_of(one.choice) == key_of(choice) for one in tries):
        return tuple(tries)
    taken = {one.name for one in tries}
    number = next(count for count in range(len(tries) + 1, len(tries) + MOST + 2) if f"Try {count}" not in taken)
    called = name.strip()[:NAME_LENGTH] or f"Try {number}"
    one = Try(name=called, choice=replace(choice, computed=False, board=""), criteria=tuple(criteria.tolist()))
    return (*tries, one)[-MOST:]


def recalled(kept: object, scenario: str) -> tuple[Try, ...]:
    """Attempts from what a browser kept; whatever is not an attempt in this scenario is left out."""
    found: list[Try] = []
    for entry in kept if isinstance(kept, list) else []:
        one = _read(entry) if isinstance(entry, Mapping) else None
        if one is not None and one.choice.scenario == scenario:
            found.append(one)
    return tuple({key_of(one.choice): one for one in found}.values())[-MOST:]


def _read(entry: Mapping[str, Any]) -> Try | None:
    choice, problems = from_query(str(entry.get("query", "")))
    criteria = entry.get("criteria")
    if problems or choice.drawing is None or not isinstance(criteria, list) or len(criteria) != len(AXES):
        return None
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in criteria):
        return None
    name = str(entry.get("name", ""))[:NAME_LENGTH] or "Try"
    return Try(
        name=name, choice=replace(choice, computed=False, board=""), criteria=tuple(float(value) for value in criteria)
    )
