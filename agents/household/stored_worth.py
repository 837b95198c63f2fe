"""What energy kept in a storage is worth to a household's plan: the slope of its values along the levels."""

import numpy as np

from meanwatt.agents.household.best_response import Response
from meanwatt.agents.household.decision_problem import DecisionProblem
from meanwatt.agents.numerics.arrays import Floats


def value_ahead_usd(response: Response, problem: DecisionProblem) -> Floats:
    """Discounted expected value of the level with which a slot ends: what Q adds to the reward of the slot.

    The next slot's shock is drawn from the slot's own; after the last slot comes tomorrow's weather.

    Returns
    -------
    (c, h, z, e) float
        By the common state and shock of the slot that ends; at δ = 1 up to a function of (c, z). [USD]
    """
    value = response.value_usd
    following = np.concatenate([value[:, 1:], np.einsum("cd,dze->cze", problem.common_kernel, value[:, 0])[:, None]], 1)
    discount = problem.discount_per_day ** (1 / value.shape[1])
    return np.asarray(discount * np.einsum("zy,chye->chze", problem.shock_kernel, following))


def stored_worth_usd_per_kwh(response: Response, problem: DecisionProblem) -> Floats:
    """What a further kWh kept at the end of a slot is worth, by the level from which it leads to the next one.

    Returns
    -------
    (c, h, z, e - 1) float
        Energy counted in the cell; empty along e without a storage. [USD/kWh]
    """
    ahead = value_ahead_usd(response, problem)
    return np.asarray(np.diff(ahead, axis=-1) / (response.outcome.level_kwh or 1.0))
