"""A point where shares answer themselves, followed as the logit's sensitivity rises.

The unknowns are the logit's utilities, u = σ·gain/1000: as σ rises those of technologies that only some households own
hardly move, as what they gain goes to 0, while those of technologies that nobody owns grow with σ. Each rise begins so,
and Powell's hybrid method [1]_ finds the root of u − σ·gain(shares(u))/1000.

References
----------
.. [1] M. J. D. Powell, "A Hybrid Method for Nonlinear Equations", in: P. Rabinowitz (ed.), Numerical Methods for
   Nonlinear Algebraic Equations, 87-114, 1970; MINPACK's hybrd, by `scipy.optimize.root`.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from scipy.optimize import root

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.analysis.adoption.choice import USD_PER_UNIT, logit_shares
from meanwatt.analysis.adoption.homes import Homes
from meanwatt.analysis.adoption.market import Constants

STEEP: Final = 2.0
"""Sensitivity up to which the search follows answers. [per 1000 USD]"""
RISE: Final = 2.5
LEAST_RISE: Final = 1.1
"""By which it rises at most in one step, and at least: one that fails is halved, in logarithms."""
ANSWERED: Final = 1e-3
"""Distance of a utility to its answer that is none: a thousandth of a share."""
RARE: Final = 1e-4
"""Share below which a technology is one that nobody owns."""
PRECISION: Final = 1e-8
EVALUATIONS: Final = 50
"""Relative precision of the utilities, and equilibria solved for it at most, at each sensitivity."""


class NoAnswer(Exception):  # noqa: N818 - an end, not an error
    """No tariff covers the cost at some shares."""


class SteepPath:
    """The point at a sensitivity, and the way to it at a higher one.

    Parameters
    ----------
    gain_usd
        What net present values (group, technology) gain since today at shares (group, technology). [USD]
    sensitivity, share
        Where the path begins, at a point that answers itself.
    """

    def __init__(
        self,
        homes: Homes,
        constants: Constants,
        gain_usd: Callable[[Floats], Floats],
        sensitivity: float,
        share: Floats,
    ) -> None:
        self.homes, self.constants, self.gain_usd = homes, constants, gain_usd
        self.sensitivity = sensitivity
        self._free = _choices(homes, constants)
        with np.errstate(divide="ignore", invalid="ignore"):
            utility = np.log(share / constants.share)
        bases = np.array([utility[:, homes.base(int(pool))] for pool in homes.pools]).T
        self._utility = np.asarray((utility - bases)[self._free])

    @property
    def share(self) -> Floats:
        """Shares at the point. (group, technology)"""
        return self._shares(self._utility)

    def rise(self, sensitivity: float) -> bool:
        """Go to a higher sensitivity; False, and where it was, if the point there is not found.

        Raises
        ------
        NoAnswer
            If no tariff covers the cost at some shares on the way.
        """
        before, utility = self.sensitivity, self._utility
        rare = self.share[self._free] < RARE
        begin = np.where(rare, utility * sensitivity / before, utility)
        self.sensitivity = sensitivity
        found = root(self._missed, begin, method="hybr", options={"xtol": PRECISION, "maxfev": EVALUATIONS})
        if np.abs(found.fun).max(initial=0.0) > ANSWERED:
            self.sensitivity = before
            return False
        self._utility = np.asarray(found.x)
        return True

    def missed_usd(self, npv_usd: Floats) -> float:
        """Largest distance of the gains that the utilities stand for to those at net present values. [USD]"""
        gain = (npv_usd - self.constants.npv_usd)[self._free]
        return float(np.abs(USD_PER_UNIT * self._utility / self.sensitivity - gain).max(initial=0.0))

    def _missed(self, utility: Floats) -> Floats:
        gain = self.gain_usd(self._shares(utility))[self._free]
        return np.asarray(utility - self.sensitivity * gain / USD_PER_UNIT)

    def _shares(self, utility: Floats) -> Floats:
        lifted = np.zeros_like(self.constants.share)
        lifted[self._free] = USD_PER_UNIT * utility
        return logit_shares(self.constants.share, lifted, 1.0, self.homes.pools)


def _choices(homes: Homes, constants: Constants) -> Bools:
    """What somebody may adopt or leave: all but the bare alternative of every pool. (group, technology)"""
    free = (constants.share > 0) & ~np.isnan(constants.npv_usd)
    for pool in np.unique(homes.pools):
        free[:, homes.base(int(pool))] = False
    return np.asarray(free)
