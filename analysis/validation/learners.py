"""Households that are told nothing but the prices that came: how far they end up from the equilibrium.

Belief error and realised-price error are two things. Learners who all hold the same belief may get it right on average
while the prices they make together chatter for ever.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.emergence.pairs import belief_square, beliefs_held, paired_markets, price_square
from meanwatt.analysis.validation.scaling import Interval, mean_interval, paired_ratio, root
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.progress.watch import Watch

PARTS: Final = 4
"""A run is judged by its last part of this many."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LearnersCheck:
    """Learners beside households that are given the equilibrium's policies, in markets of the same draws.

    Attributes
    ----------
    households, days
        Size and length of each run.
    behaviour
        How they learn.
    belief_error, price_error, given_error : (day,)
        Root mean squares over replications and slots: of the belief less the equilibrium price (over common states by
        their frequency), of the realised less the equilibrium price among learners, and among households that are
        given the equilibrium. [USD/kWh]
    first_belief_error, last_belief_error, noise : Interval
        The belief error over the first and last part of the run, and the realised-price error of the given ones over
        the last: what chance alone makes of a day's prices. [USD/kWh]
    ratio : Interval
        Realised-price error of the learners over that of the given ones, over the last part.
    """

    households: int
    days: int
    behaviour: str
    belief_error: Floats
    price_error: Floats
    given_error: Floats
    first_belief_error: Interval
    last_belief_error: Interval
    noise: Interval
    ratio: Interval


def check_learners(
    equilibrium: Equilibrium,
    *,
    households: int,
    replications: int,
    seed: int,
    days: int,
    watch: Watch | None = None,
) -> LearnersCheck:
    """Let belief learners and given households live through the same days.

    Raises
    ------
    Cancelled
        If asked to stop.
    """
    watch = watch or Watch()
    prices, probability = equilibrium.wholesale_usd_per_kwh, equilibrium.economy.common.probability
    squares = np.empty((3, replications, days))
    for r in range(replications):
        with paired_markets(equilibrium, "belief", households=households, key=(seed, r)) as markets:
            for day in range(days):
                watch.check()
                squares[0, r, day] = belief_square(beliefs_held(markets[0]), prices, probability)
                for place, market in enumerate(markets, start=1):
                    market.step()
                    squares[place, r, day] = price_square(market.history[-1], prices)
                watch.report("learners", (r * days + day + 1) / (replications * days))
    part = max(1, days // PARTS)
    last = squares[:, :, -part:].mean(axis=2)

    rms = np.sqrt(squares.mean(axis=1))
    return LearnersCheck(
        households=households,
        days=days,
        behaviour="belief",
        belief_error=rms[0],
        price_error=rms[1],
        given_error=rms[2],
        first_belief_error=root(mean_interval(squares[0, :, :part].mean(axis=1), seed=seed)),
        last_belief_error=root(mean_interval(last[0], seed=seed)),
        noise=root(mean_interval(last[2], seed=seed)),
        ratio=root(paired_ratio(last[1], last[2], seed=seed)),
    )
