"""A response matrix fitted to meters: how load in each slot answers to the rate in each slot.

Around one metered day ȳ under the rates x̄ the change of what meters show is taken to be linear in that of the rates,

    y − ȳ = M (x − x̄) + noise,   every entry of M normal with mean 0 and one variance beforehand,

so that the posterior mean of M is ridge regression on deviations. With fewer tariffs posted than slots M is that part
of the matrix that the posted rates have moved; of the rest it says what it said before, nothing. How much noise there
is beside the prior's variance, the ridge, is chosen by generalised cross-validation (G. H. Golub, M. Heath, G. Wahba,
*Technometrics* 21, 1979).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats

RIDGES: Final = tuple(np.geomspace(1e-8, 1e1, 10))
"""Ridges that are tried, as shares of the largest squared singular value of the deviations."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResponseMatrix:
    """A fitted matrix M (output, input), and the ridge it was fitted with."""

    matrix: Floats
    ridge: float

    def change(self, rates: Floats) -> Floats:
        """Change (…, output) of what is metered for changes (…, input) of the rates."""
        return np.asarray(rates @ self.matrix.T)


def fit_response(rates: Floats, metered: Floats, weight: Floats) -> ResponseMatrix:
    """Fit the matrix to deviations from the day it is fitted around.

    Parameters
    ----------
    rates : (row, input)
        Deviations of the rates. [USD/kWh]
    metered : (row, output)
        Deviations of what meters show. [kW]
    weight : (row,)
        How much each row counts, at least 0.
    """
    root = np.sqrt(weight)[:, None]
    left, size, right = np.linalg.svd(root * rates, full_matrices=False)
    if not size.size or size[0] <= 0:
        return ResponseMatrix(matrix=np.zeros((metered.shape[1], rates.shape[1])), ridge=np.inf)
    told = left.T @ (root * metered)
    unexplained = float(((root * metered) ** 2).sum() - (told**2).sum())
    best = (np.inf, RIDGES[-1])
    for share in RIDGES:
        shrunk = size**2 / (size**2 + share * size[0] ** 2)
        lost = max(unexplained, 0.0) + float((((1 - shrunk)[:, None] * told) ** 2).sum())
        free = max(len(rates) - float(shrunk.sum()), 1e-9)
        best = min(best, (lost / free**2, float(share)))
    ridge = best[1] * size[0] ** 2
    inverse = size / (size**2 + ridge)
    return ResponseMatrix(matrix=np.asarray(((right.T * inverse) @ told).T), ridge=float(ridge))
