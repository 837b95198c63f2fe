"""Learners beside households that are given the equilibrium: two markets on the same draws, and their errors.

What the given ones make of the day's chance is the noise that no learner can be below for long.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager

import numpy as np

from meanwatt.agents.behaviour.protocol import BeliefBehaviour
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.market.behaviour_spec import Given
from meanwatt.model.market.history import DayRecord
from meanwatt.model.market.market import ProsumerMarket, UnregisteredMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium

Beliefs = Sequence[tuple[float, Floats]]
"""Share and belief (c, h) of each cohort that believes something. [USD/kWh]"""


@contextmanager
def paired_markets(
    target: Equilibrium,
    behaviour: Given,
    *,
    households: int,
    key: int | tuple[int, int],
    threads: int = 1,
    power_flow: bool = False,
) -> Iterator[tuple[ProsumerMarket, ProsumerMarket]]:
    """Make a market of learners and one that plays the equilibrium, on the same draws; close both at the end.

    Parameters
    ----------
    target
        Its tariff is posted, its adder and fixed charges are held.
    behaviour
        Of the learners, as for `ProsumerMarket`.
    households, key, threads
        Size and key of both markets.
    power_flow
        Whether to solve the feeder every day, where the scenario has one.
    """
    with ExitStack() as stack:
        learners, given = (
            stack.enter_context(
                closing(
                    UnregisteredMarket(
                        target.economy,
                        households=households,
                        policies=target,
                        behaviour=played,
                        rng=key,
                        threads=threads,
                        power_flow=power_flow,
                    )
                )
            )
            for played in (behaviour, "equilibrium")
        )
        yield learners, given


def beliefs_held(market: ProsumerMarket) -> Beliefs:
    """Copy what each cohort of a market believes about prices now."""
    return [
        (cohort.share, cohort.behaviour.belief_usd_per_kwh.copy())
        for cohort in market.cohorts
        if isinstance(cohort.behaviour, BeliefBehaviour)
    ]


def belief_square(beliefs: Beliefs, wholesale_usd_per_kwh: Floats, probability: Floats) -> float:
    """Mean square of believed less equilibrium prices over slots, common states and cohorts. [(USD/kWh)²]

    Parameters
    ----------
    beliefs
        As from `beliefs_held`; nan without any.
    wholesale_usd_per_kwh : (c, h)
        The equilibrium's prices λ*. [USD/kWh]
    probability : (c,)
        p_c.
    """
    if not beliefs:
        return np.nan
    squares = [(share, (belief - wholesale_usd_per_kwh) ** 2) for share, belief in beliefs]
    return float(probability @ mean_by_share(squares).mean(axis=1))


def price_square(record: DayRecord, wholesale_usd_per_kwh: Floats) -> float:
    """Mean square over slots of a day's price less the equilibrium's (c, h) in its common state. [(USD/kWh)²]"""
    return float(np.mean((record.wholesale_usd_per_kwh - wholesale_usd_per_kwh[record.common_state]) ** 2))


def mean_by_share(parts: Sequence[tuple[float, Floats]]) -> Floats:
    """Mean of arrays by their shares."""
    return np.asarray(sum(share * array for share, array in parts) / sum(share for share, _ in parts))
