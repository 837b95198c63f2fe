"""The search for the adder of every type's and season's tier: secant steps of the month, shortened where they swing."""

from collections.abc import Sequence

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.components.tiers import Tiers

SAME = 1e-10
"""Adders this near to each other tell no slope. [USD/kWh]"""
NEARER = 0.7
"""Share of the last miss that a step which swings back may still miss by at full length."""


class TierSearch:
    """Adders that answer themselves, type by type and season by season.

    The expected month falls as its own adder rises, and with rising tiers the perceived adder rises with the month: one
    crossing. The months of others move along, so a step that swings back without coming nearer is followed by a shorter
    one.

    Parameters
    ----------
    tiers : (θ,)
        The tiers of each type; None where it has none.
    month_kwh : (θ, season)
        First guess of the expected months. [kWh]
    slope : (θ, season)
        First guess of how much they fall with the adder. [kWh per USD/kWh]
    """

    def __init__(self, tiers: Sequence[Tiers | None], month_kwh: Floats, slope: Floats) -> None:
        self._tiers = tiers
        self._slope = np.array(slope)
        self._before: tuple[Floats, Floats] | None = None
        self._length, self._missed = np.ones(month_kwh.shape), np.zeros(month_kwh.shape)
        self.first = self._answers(month_kwh, np.zeros(month_kwh.shape), 0.0 * self._slope)

    def step(self, month_kwh: Floats, adder: Floats) -> tuple[Floats, float]:
        """The next adders to try, and by how much the ones tried miss their answer.

        Parameters
        ----------
        month_kwh, adder : (θ, season)
            Expected months at the adders tried. [kWh], [USD/kWh]

        Returns
        -------
        next : (θ, season)
            [USD/kWh]
        residual
            Largest distance of an adder tried to what answers itself by the slope known. [USD/kWh]
        """
        if self._before is not None:
            moved, fallen = adder - self._before[1], self._before[0] - month_kwh
            known = np.abs(moved) > SAME
            measured = np.divide(fallen, moved, out=np.zeros_like(moved), where=known)
            self._slope = np.where(known & (measured > 0), measured, self._slope)
        self._before = np.array(month_kwh), np.array(adder)
        answer = self._answers(month_kwh, adder, self._slope)
        miss = answer - adder
        swings = (miss * self._missed < 0) & (np.abs(miss) > NEARER * np.abs(self._missed))
        self._length = np.where(swings, 0.5 * self._length, np.minimum(1.0, 1.5 * self._length))
        self._missed = miss
        return adder + self._length * miss, float(np.abs(miss).max(initial=0.0))

    def _answers(self, month_kwh: Floats, adder: Floats, slope: Floats) -> Floats:
        found = np.zeros(month_kwh.shape)
        for k, s in np.ndindex(*month_kwh.shape):
            tiers = self._tiers[k]
            if tiers is not None:
                found[k, s] = tiers.answering_adder(float(month_kwh[k, s]), float(adder[k, s]), float(slope[k, s]))
        return found
