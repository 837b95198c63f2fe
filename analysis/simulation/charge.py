"""How full batteries are over the day: the mean field's expectation, and how far N homes may stray from it."""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.simulation.expectation import DEVIATIONS
from meanwatt.model.mean_field.equilibrium import Equilibrium

TENTHS = (0.1, 0.9)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExpectedCharge:
    """Energy in all batteries at the end of each slot over what they hold, given the weather. Axes (c, h).

    Attributes
    ----------
    capacity_kwh
        What the batteries of the mean home hold, a number. [kWh per home]
    share
        Mean of the continuum. [-]
    spread
        Standard deviation of one home's energy about the mean of its type, root mean square over the types, over the
        capacity of the mean home. [-]
    tenths
        How full the battery is that a tenth of all are emptier than, and that a tenth are fuller than. (2, c, h) [-]
    """

    capacity_kwh: float
    share: Floats
    spread: Floats
    tenths: Floats

    def band(self, households: int) -> tuple[Floats, Floats]:
        """Mean share of N homes less and plus `DEVIATIONS` standard deviations, within 0 and 1. (c, h) each"""
        half = DEVIATIONS * self.spread / np.sqrt(households)
        return np.clip(self.share - half, 0.0, 1.0), np.clip(self.share + half, 0.0, 1.0)


def expect_charge(equilibrium: Equilibrium) -> ExpectedCharge | None:
    """Mean and spread of the energy in batteries under the laws and policies; None where no home has a battery.

    Notes
    -----
    As with net load, the types' counts do not vary in the stratified market: only the spread within a type counts.
    """
    economy = equilibrium.economy
    capacity, mean, variance = 0.0, np.zeros_like(equilibrium.net_load_kw), np.zeros_like(equilibrium.net_load_kw)
    for household, law, policy in zip(economy.types, equilibrium.laws, equilibrium.policies, strict=True):
        if household.battery is None:
            continue
        step_kwh, level = household.battery.level_kwh, np.arange(household.levels)
        after = (level[:, None] + policy.moves)[None, None, :, None]  # (1, 1, e, 1, j)
        chance = law[..., None] * policy.probability
        first = step_kwh * (chance * after).sum(axis=(2, 3, 4))
        second = step_kwh**2 * (chance * after**2).sum(axis=(2, 3, 4))
        capacity += household.share * household.battery.capacity_kwh
        mean += household.share * first
        variance += household.share * np.maximum(second - first**2, 0.0)
    if not capacity:
        return None
    return ExpectedCharge(
        capacity_kwh=capacity,
        share=mean / capacity,
        spread=np.sqrt(variance) / capacity,
        tenths=_tenths(equilibrium),
    )


def _tenths(equilibrium: Equilibrium) -> Floats:
    """The tenths of the law of all batteries together, each by how full it is. (2, c, h)"""
    full, chances = [], []
    for household, law, policy in zip(equilibrium.economy.types, equilibrium.laws, equilibrium.policies, strict=True):
        if household.battery is None:
            continue
        after = np.zeros(law.shape[:3])
        for number, move in enumerate(policy.moves.tolist()):
            moved = (law * policy.probability[..., number]).sum(axis=-1)
            first, last = max(0, -move), household.levels - max(0, move)
            after[..., first + move : last + move] += moved[..., first:last]
        full.append(np.arange(household.levels) / (household.levels - 1))
        chances.append(household.share * after)
    order = np.argsort(np.concatenate(full), kind="stable")
    line = np.cumsum(np.concatenate(chances, axis=-1)[..., order], axis=-1)
    line /= line[..., -1:]
    places = [(line < tenth).sum(axis=-1) for tenth in TENTHS]
    return np.asarray(np.concatenate(full)[order][np.array(places)], dtype=np.float64)
