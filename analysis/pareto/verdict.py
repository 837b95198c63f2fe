"""Does a tariff family beat the tariff in force on all three criteria at once, and if not, what stops it?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.pareto.survey import CRITERIA, EvaluatedTariff

WORDS: Final = ("welfare gap", "burden gap", "price volatility")
"""The criteria for people, in the order of `CRITERIA`."""
MARGIN: Final = 1e-6
"""Difference, relative to the tariff in force, that is none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verdict:
    """What came of the contest with the tariff in force.

    Attributes
    ----------
    beaten
        Whether one tariff of those tried is better in all three.
    best
        The tariff that betters it most evenly: its worst relative change is the lowest. If ``beaten`` is False, the
        best compromise.
    change : (3,)
        Its criteria less those of the tariff in force.
    relative_change : (3,)
        The same over those of the tariff in force, or, where that is ≤ 0, over the front's range.
    stops
        Name of the criterion that stops a better tariff, one of `CRITERIA`: kept from it by the smallest excess. None
        if ``beaten``, or if no tariff holds even two criteria.
    least_excess : (3,)
        By how much each criterion exceeds the tariff in force at least while the other two do not; nan where no
        tariff tried holds those two.
    sentence
        All this in words.
    """

    beaten: bool
    best: EvaluatedTariff
    change: Floats
    relative_change: Floats
    stops: str | None
    least_excess: Floats
    sentence: str


def verdict(trials: Sequence[EvaluatedTariff], rival: Floats, scale: Floats, name: str) -> Verdict:
    """Judge all tariffs tried against a rival.

    Parameters
    ----------
    rival : (3,)
        Criteria of the tariff in force.
    scale : (3,)
        What counts as 100 % of each criterion.
    name
        The rival's name, for the sentence.

    Raises
    ------
    ValueError
        If nothing was tried.
    """
    if not trials:
        raise ValueError("no tariff was tried; there is nothing to hold against the tariff in force")
    change = np.array([one.criteria for one in trials]) - rival
    relative = change / scale
    chosen = int(np.argmin(relative.max(axis=1)))
    beaten = bool(relative[chosen].max() < -MARGIN)
    least = np.full(len(CRITERIA), np.nan)
    for k in range(len(CRITERIA)):
        holds = (np.delete(relative, k, axis=1) <= MARGIN).all(axis=1)
        if holds.any():
            least[k] = change[holds, k].min()
    stops = None if beaten or np.isnan(least).all() else int(np.nanargmin(least / scale))
    found = _changes(trials[chosen].criteria, rival, scale)
    if beaten:
        sentence = f"A tariff of the family beats {name} on all three at once: {found}."
    elif stops is None:
        worst = WORDS[int(np.argmax(relative[chosen]))]
        sentence = (
            f"No tariff found beats {name} on all three at once, and none holds even two of them; the best compromise"
            f" is stopped by the {worst}: {found}."
        )
    else:
        held = " and the ".join(word for k, word in enumerate(WORDS) if k != stops)
        excess = (
            "no lower than"
            if least[stops] <= MARGIN * scale[stops]
            else f"{_amount(stops, least[stops])} ({least[stops] / scale[stops]:+.1%}) above"
        )
        sentence = (
            f"No tariff found beats {name} on all three at once: with the {held} no worse, the lowest"
            f" {WORDS[stops]} found is {excess} {name}'s."
            f" Best compromise: {found}."
        )
    return Verdict(
        beaten=beaten,
        best=trials[chosen],
        change=change[chosen],
        relative_change=relative[chosen],
        stops=None if stops is None else CRITERIA[stops],
        least_excess=least,
        sentence=sentence,
    )


def _changes(criteria: Floats, rival: Floats, scale: Floats) -> str:
    """Each criterion beside the rival's, in words."""
    relative = (criteria - rival) / scale
    return ", ".join(
        f"{word} {_amount(k, criteria[k])} instead of {_amount(k, rival[k])} ({relative[k]:+.1%})"
        for k, word in enumerate(WORDS)
    )


def _amount(criterion: int, value: float) -> str:
    if criterion == 1:
        return f"{value:.2%} of income"
    return f"{value:.4f} USD per household-day" if criterion == 0 else f"{value:.5f} USD/kWh"
