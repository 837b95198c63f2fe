"""A schedule of falling temperatures and covering radii, and how each of its stages went."""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step of a schedule: a temperature, before which the net may be halved around the policy's mass."""

    temperature_usd: float
    halve: bool = False


def annealing(hot_usd: float, cold_usd: float, stages: int, *, halvings: int = 0) -> tuple[Stage, ...]:
    """Temperatures falling geometrically, the net halved before each of the first ``halvings`` stages after the first.

    Parameters
    ----------
    hot_usd, cold_usd
        First and last temperature, positive, in the unit of the objective. [USD per household-day]

    Raises
    ------
    ValueError
        If the temperatures do not fall, or there are not more stages than halvings.
    """
    if not hot_usd >= cold_usd > 0:
        raise ValueError(f"temperatures go from {hot_usd:g} to {cold_usd:g}; give positive ones that do not rise")
    if not 0 <= halvings < stages:
        raise ValueError(f"{stages} stages cannot halve the net {halvings} times; give 0 <= halvings < stages")
    falling = np.geomspace(hot_usd, cold_usd, stages) if stages > 1 else np.array([cold_usd])
    return tuple(Stage(temperature_usd=float(t), halve=1 <= k <= halvings) for k, t in enumerate(falling))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """A stage of a schedule as it went.

    Attributes
    ----------
    epsilon
        Covering radius of the net; None for a menu without one.
    temperature_usd
        Temperature of the stage.
    worth_usd, policy : (s, a)
        Q_L and the policy softmax(Q_L/η) over the menu of the stage.
    objective
        The leader's objective under the policy.
    closure_error_kw
        What the forgotten past leaves open under the policy, measured at one more day. [kW]
    sweeps, change
        Sweeps over the leader's states, and the largest move of a row of the policy in the last one (1-norm).
    evaluations
        Equilibria solved since the start.
    """

    epsilon: float | None
    temperature_usd: float
    worth_usd: Floats
    policy: Floats
    objective: float
    closure_error_kw: float
    sweeps: int
    change: float
    evaluations: int
