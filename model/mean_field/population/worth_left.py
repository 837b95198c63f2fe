"""What a single day leaves behind: charge that the outlook gives a worth to."""

import numpy as np

from meanwatt.agents.household.decision_problem import DecisionProblem
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.model.mean_field.population.flow import Flow


def worth_left_usd(flow: Flow, policy: PolicyTable, horizon: DecisionProblem, level_kwh: float) -> float:
    """Expected worth of what a single day leaves behind, by the value its outlook gives to tomorrow. [USD]"""
    if horizon.one_day is None:
        return 0.0
    states, _, levels, shocks = flow.law.shape
    end = np.zeros((states, levels, shocks))
    for j, move in enumerate(policy.moves):
        done = flow.law[:, -1] * policy.probability[:, -1, :, :, j]
        low, high = max(0, -move), min(levels, levels - move)
        end[:, low + move : high + move] += done[:, low:high]
    worth = np.broadcast_to(horizon.one_day.midnight_usd(levels, level_kwh), (states, shocks, levels))
    tomorrow = np.tensordot(horizon.common_kernel, worth, axes=1)
    return float(horizon.common_probability @ np.einsum("cez,zy,cye->c", end, horizon.shock_kernel, tomorrow))
