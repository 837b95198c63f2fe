"""Belief learners that differ: cohorts with beliefs, steps and days of answering of their own."""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.randomness import Purpose, children, stream


@dataclass(frozen=True, slots=True, kw_only=True)
class BeliefSettings:
    """How households learn prices from what they see of them, see `meanwatt.agents.behaviour.protocol`.

    The defaults are homogeneous learners: one belief, answered every day.

    Parameters
    ----------
    first_step
        δ0 in (0, 1]: after day t a belief moves by δ0 (t + 1)^(−1/2) of its error.
    cohorts
        Number of cohorts, of equal shares, each with a belief of its own.
    stagger
        Days between two answers: cohort k changes its policies for day d only where d ≡ k modulo ``stagger``.
        1 answers every day.
    belief_spread
        First beliefs are the prices of reference demand times 1 + spread·u, u uniform in [−1, 1], drawn for each
        cohort, common state and slot; in [0, 1).
    step_spread
        First steps are δ0 (1 + spread·u), u drawn for each cohort; in [0, 1), and no step may pass 1.

    Raises
    ------
    ValueError
        In one line, if a setting lies outside its range.
    """

    first_step: float = 0.5
    cohorts: int = 1
    stagger: int = 1
    belief_spread: float = 0.0
    step_spread: float = 0.0

    def __post_init__(self) -> None:
        """Check every setting once."""
        if not 0 < self.first_step <= 1:
            raise ValueError(f"belief: first_step is {self.first_step}; give a number in (0, 1], e.g. 0.5")
        for name in ("cohorts", "stagger"):
            if not 1 <= getattr(self, name) <= 1000:
                raise ValueError(f"belief: {name} is {getattr(self, name)}; give a whole number from 1 to 1000")
        for name in ("belief_spread", "step_spread"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"belief: {name} is {getattr(self, name)}; give a number in [0, 1), e.g. 0.2")
        if self.first_step * (1 + self.step_spread) > 1:
            raise ValueError(
                f"belief: first_step {self.first_step} with step_spread {self.step_spread} gives steps above 1;"
                " make first_step · (1 + step_spread) at most 1"
            )

    def starts(self, first_guess_usd_per_kwh: Floats, key: int, behaviour: int = 0) -> list[tuple[Floats, float]]:
        """First belief (c, h) [USD/kWh] and first step of each cohort.

        Parameters
        ----------
        first_guess_usd_per_kwh : (c, h)
            What beliefs spread around. [USD/kWh]
        key
            The run's 64-bit key.
        behaviour
            Which of the market's behaviours this is, so that two of them draw differently.
        """
        found = []
        for cohort in range(self.cohorts):
            words = children(stream(key, Purpose.BELIEF, behaviour, cohort), 1 + first_guess_usd_per_kwh.size)
            drawn = 2.0 * (words >> np.uint64(11)) * 2.0**-53 - 1.0
            factor = 1.0 + self.belief_spread * drawn[1:].reshape(first_guess_usd_per_kwh.shape)
            step = self.first_step * (1.0 + self.step_spread * float(drawn[0]))
            found.append((first_guess_usd_per_kwh * factor, min(step, 1.0)))
        return found
