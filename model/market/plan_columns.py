"""Columns of a class's day tables: its moves, or each move with each plan where households part between plans."""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.numerics.arrays import Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanColumns:
    """What one class does in one common state, by move and plan; column = move · plans + plan.

    Attributes
    ----------
    plans
        Number of plans; 1 where nobody parts.
    share, use_kw, net_load_kw, curtailed_kw : (h, z, column)
        Share of those who make a move that follow a plan, their use, net load and curtailed sun. [kW]
    """

    plans: int
    share: Floats
    use_kw: Floats
    net_load_kw: Floats
    curtailed_kw: Floats

    def chances(self, probability: Floats) -> Floats:
        """Probability (h, e, z, column) of a column from that of its move (h, e, z, j)."""
        if self.plans == 1:
            return probability
        return np.repeat(probability, self.plans, axis=-1) * self.share[:, None]


def plan_columns(policy: PolicyTable, common_state: int) -> PlanColumns:
    """Columns of a policy in one common state: as many plans as are in use at most in any slot, shock and move."""
    net_load, use = policy.net_load_kw[common_state], policy.use_kw[common_state]
    split, spilt = policy.split, policy.curtailed_kw
    if split is None or not split.parts[common_state].any():
        none = np.zeros(net_load.shape)
        return PlanColumns(
            plans=1,
            share=np.ones(net_load.shape),
            use_kw=use,
            net_load_kw=net_load,
            curtailed_kw=none if spilt is None else spilt[common_state],
        )
    share = split.share[common_state]
    plans = int((share > 0).sum(axis=-1).max())
    order = np.argsort(-share, axis=-1, kind="stable")[..., :plans]

    def columns(of_plan: Floats) -> Floats:
        return np.ascontiguousarray(np.take_along_axis(of_plan, order, axis=-1).reshape(*net_load.shape[:2], -1))

    return PlanColumns(
        plans=plans,
        share=columns(share),
        use_kw=columns(split.use_kw[common_state]),
        net_load_kw=columns(split.net_load_kw[common_state]),
        curtailed_kw=columns(split.curtailed_kw[common_state]),
    )
