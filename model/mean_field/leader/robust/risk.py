"""What a leader makes of an objective that differs from variant to variant: the mean of its worst share.

CVaR at α is the mean over the worst 1 − α of the weight, a variant at the edge counting in part. It runs from the
mean (α = 0) to the worst case (α = 1) and is the smallest mean over all weights q that no variant is given more than
w/(1 − α) by (R. T. Rockafellar, S. Uryasev, *Optimization of conditional value-at-risk*, Journal of Risk 2, 2000; here
of an objective that is maximised, so that the bad tail is the low one).
"""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Risk:
    """CVaR of an objective over variants.

    Attributes
    ----------
    weight : (variant,)
        Of each variant, above 0; they sum to one.
    alpha
        Share of the weight that does not count, in [0, 1].
    """

    weight: Floats
    alpha: float

    @property
    def is_mean(self) -> bool:
        """Whether all variants count by their weights: at α = 0, and of a single variant."""
        return self.alpha == 0 or len(self.weight) == 1

    @property
    def is_worst(self) -> bool:
        """Whether one variant alone counts, since none weighs less than the share that counts."""
        return 1.0 - self.alpha <= float(self.weight.min())

    def tail(self, objective: Floats) -> Floats:
        """Weights (variant,) of the mean that CVaR is; they sum to one."""
        left = share = 1.0 - self.alpha
        found = np.zeros(len(self.weight))
        order = np.argsort(objective, kind="stable")
        if share == 0:
            found[order[0]] = 1.0
            return found
        for place in order:
            found[place] = min(float(self.weight[place]), left)
            left -= found[place]
        return np.asarray(found / found.sum())

    def value(self, objective: Floats) -> float:
        """CVaR (variant,) → number; −inf where a variant that counts has it."""
        tail = self.tail(objective)
        return float(tail[tail > 0] @ objective[tail > 0])

    def threshold(self, objective: Floats) -> float:
        """Value at risk: the highest objective of a variant that counts."""
        return float(objective[self.tail(objective) > 0].max())
