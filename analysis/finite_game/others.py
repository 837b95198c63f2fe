"""The law of the mean load of everybody else in a market of N households.

Among few households it is enumerated on a lattice by convolution of one household's law, whose every atom is split
between its two neighbours so that the mean stays; that inflates the variance by at most 3e-4 of itself. Among many, it
is the inverse Fourier transform of the characteristic function φ(t)^(N−1), which has died out long before single atoms
could be told apart.
"""

from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.mean_field.equilibrium import Equilibrium

MANY: Final = 1_000
"""Households from which the law of their mean is taken from its characteristic function."""
FREQUENCIES: Final = 96
"""Frequencies of the characteristic function kept: on a window of 28 standard deviations it is below 1e-100 there."""
REACH: Final = 14.0
"""Half width of the lattice in standard deviations, if the whole support is wider: 1e-40 of a normal law is beyond."""
NEGLIGIBLE: Final = 1e-18
"""Probability of a lattice point that is left out."""


class Others:
    """The mean load of N − 1 households of a mean field, in every common state and slot.

    Parameters
    ----------
    equilibrium
        What they play.
    households
        N ≥ 1, or infinity.
    """

    def __init__(self, equilibrium: Equilibrium, households: float) -> None:
        self.equilibrium, self.households = equilibrium, households
        economy, found = equilibrium.economy, equilibrium.answer
        share = 0.0 if np.isinf(households) else 1.0 / households
        number = 0.0 if np.isinf(households) else households - 1.0
        second, third = np.zeros((2, *equilibrium.net_load_kw.shape))
        for household, response, flow in zip(economy.types, found.responses, found.flows, strict=True):
            plans = response.outcome.plans
            away = plans.net_load_kw - equilibrium.net_load_kw[:, :, None, None, None]
            second += household.share * (flow.frequency * plans.mean(away**2)).sum(axis=(2, 3))
            third += household.share * (flow.frequency * plans.mean(away**3)).sum(axis=(2, 3))
        self.share = share
        self.mean_kw = (1.0 - share) * equilibrium.net_load_kw + economy.rest_load_kw
        self.variance = number * share**2 * second
        self.third_moment = number * share**3 * third
        self._household_variance = second

    def law(self, c: int, h: int) -> tuple[Floats, Floats]:
        """Loads X + rest [kW] and their probabilities in one common state and slot."""
        number = self.households - 1
        if self.variance[c, h] <= 0.0 or not np.isfinite(number):
            return self.mean_kw[c, h : h + 1], np.ones(1)
        found = self.equilibrium.answer
        plans = [response.outcome.plans for response in found.responses]
        kinds = zip(self.equilibrium.economy.types, plans, found.flows, strict=True)
        values, weights = (
            np.concatenate(parts)
            for parts in zip(
                *(
                    (p.net_load_kw[c, h].ravel(), (t.share * f.frequency[c, h][..., None] * p.share[c, h]).ravel())
                    for t, p, f in kinds
                ),
                strict=True,
            )
        )
        values, weights = values[weights > 0], weights[weights > 0]
        center = float(weights @ values) / weights.sum()
        spread = float(np.sqrt(number * self._household_variance[c, h]))
        sums, chance = (_convolved if number < MANY else _inverted)(values - center, weights, number, spread)
        kept = chance > NEGLIGIBLE
        return self.mean_kw[c, h] + self.share * sums[kept], chance[kept] / chance[kept].sum()


def _convolved(values: Floats, weights: Floats, number: float, spread: float) -> tuple[Floats, Floats]:
    """Law of the sum of draws from a centred law, on a lattice: places and probabilities."""
    points = 1 << (13 if number < 100 else 15)
    width = float(np.ptp(values))
    spacing = 2.0 * min(number * width, REACH * spread + width) / (points - 4)
    place = values / spacing
    low = np.floor(place).astype(np.int64)
    upper = place - low
    one = np.zeros(points)
    np.add.at(one, low % points, weights * (1 - upper))
    np.add.at(one, (low + 1) % points, weights * upper)
    return spacing * _around_zero(points), np.asarray(np.fft.irfft(np.fft.rfft(one) ** int(number), points))


def _inverted(values: Floats, weights: Floats, number: float, spread: float) -> tuple[Floats, Floats]:
    """The same for many draws, by the characteristic function; φ − 1 is summed without cancellation."""
    points = 1 << 12
    spacing = 2.0 * REACH * spread / points
    angle = np.outer(2 * np.pi * np.arange(FREQUENCIES) / (points * spacing), values)
    less_one = -2.0 * np.sin(angle / 2) ** 2 @ weights + 1j * ((np.sin(angle) - angle) @ weights)
    spectrum = np.zeros(points // 2 + 1, dtype=complex)
    spectrum[:FREQUENCIES] = np.exp(number * np.log1p(less_one)).conj()
    return spacing * _around_zero(points), np.fft.irfft(spectrum, points)


def _around_zero(points: int) -> Floats:
    """Places of a lattice in the order of the Fourier transform: 0, 1, …, −2, −1."""
    place = np.arange(points, dtype=float)
    place[points // 2 :] -= points
    return place
