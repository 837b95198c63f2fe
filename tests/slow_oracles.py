"""Answers found in another way, slowly and plainly, for several tests to compare with."""

import numpy as np
from scipy.optimize import linprog

from meanwatt.agents.household.decision_problem import DecisionProblem
from meanwatt.agents.household.slot_outcome import SlotOutcome


def occupation_optimum(game: SlotOutcome, problem: DecisionProblem, levels: int) -> float:
    """Largest average reward per day: a linear program over the joint frequencies of state and move.

    The variables are x[c, h, z, e, j]; what enters (c, h, z, e) must leave it, and every slot carries mass one.
    """
    reward = game.reward_usd
    states, slots, shocks, count = reward.shape
    places = [
        (c, h, z, e, j)
        for c in range(states)
        for h in range(slots)
        for z in range(shocks)
        for e in range(levels)
        for j in range(count)
        if 0 <= e + game.moves[j] < levels
    ]
    rows = {state: k for k, state in enumerate(np.ndindex(states, slots, shocks, levels))}
    balance = np.zeros((len(rows) + 1, len(places)))
    for k, (c, h, z, e, j) in enumerate(places):
        balance[rows[c, h, z, e], k] += 1
        for d in range(states):
            weather = problem.common_kernel[c, d] if h == slots - 1 else float(c == d)
            for y in range(shocks):
                target = rows[d, (h + 1) % slots, y, int(e + game.moves[j])]
                balance[target, k] -= weather * problem.shock_kernel[z, y]
        balance[-1, k] = float(h == 0)
    right = np.zeros(len(rows) + 1)
    right[-1] = 1
    solution = linprog([-reward[c, h, z, j] for c, h, z, e, j in places], A_eq=balance, b_eq=right, method="highs")
    assert solution.status == 0
    return -float(solution.fun)
