"""What the common state forgets: the error of the closure, measured at one more day of memory.

All that is common to the households (weather, and a leader's draws) moves their law at midnight, however long ago it
was. An equilibrium conditions that law on its common state c alone and so averages over what came before: L[c] is the
mean of the loads of all histories that end in c. Yesterday's state c₋₁ is the next thing to remember. Given both, the
law at midnight is known at once: it is how c₋₁'s day ends.
"""

import numpy as np

from meanwatt.agents.household.day_operator import move_kernel
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.mean_field.population.peak_flow import peak_links
from meanwatt.model.mean_field.population.population_response import PopulationResponse
from meanwatt.model.scenario.economy import Economy


def closure_error_kw(economy: Economy, found: PopulationResponse) -> float:
    """RMS over slots and days of the load given today's and yesterday's common state, less that given today's alone.

    The households' policies are held. It is what a market that starts from the law of its first common state strays on
    its second day (theory, F2), and a lower bound of what it strays in the end, when all of its past matters.

    Returns
    -------
    float
        √Σ p_c·P(c₋₁ | c)·(L(c₋₁, c) − L[c])², averaged over slots; 0 with one common state, and where days do not hang
        together. [kW]
    """
    common = economy.common
    if common.count == 1 or economy.one_day is not None or economy.held is not None:
        return 0.0
    moving = [
        (household.share, *_linked(response.policy, flow.law, economy.shock_kernel))
        for household, response, flow in zip(economy.types, found.responses, found.flows, strict=True)
        if response.policy.moves.size > 1
    ]
    square = 0.0
    for c, chance in enumerate(common.probability):
        before = np.flatnonzero(common.backward[c])
        off = np.zeros((len(before), economy.slots))
        for share, law, end, load_kw in moving:
            off += share * np.tensordot(end[before] - law[c, 0], load_kw[c], axes=2)
        square += float(chance * (common.backward[c, before] @ (off**2).mean(axis=1)))
    return float(np.sqrt(square))


def _linked(policy: PolicyTable, law: Floats, shock_kernel: Floats) -> tuple[Floats, Floats, Floats]:
    """Law by stored energy and shock (c, h, e, z), and what `_links` returns."""
    if policy.peak is None:
        return law, *_links(policy, law[:, -1], shock_kernel)
    return policy.peak.by_shock(law), *peak_links(policy, law[:, -1], shock_kernel)


def _links(policy: PolicyTable, last: Floats, shock_kernel: Floats) -> tuple[Floats, Floats]:
    """How days hang together: the law after the last slot, and what each household at midnight will load.

    Parameters
    ----------
    last : (c, e, z)
        Law before the move of the last slot.

    Returns
    -------
    end : (c, e, z)
        Law after that move and the shock's next draw.
    load_kw : (c, e, z, h)
        Mean net load in each slot of a household that begins the day at (e, z).
    """
    states, slots, levels, shocks, _ = policy.probability.shape
    end, load_kw = np.empty((states, levels, shocks)), np.empty((states, levels, shocks, slots))
    for c in range(states):
        now = np.einsum("hezj,hzj->hze", policy.probability[c], policy.net_load_kw[c])
        ahead = np.zeros((shocks, levels, slots))
        for h in reversed(range(slots)):
            moved = move_kernel(policy.probability[c : c + 1, h : h + 1], policy.moves)[0, 0]  # (z, e, e')
            ahead[..., h + 1 :] = moved @ np.tensordot(shock_kernel, ahead[..., h + 1 :], axes=1)
            ahead[..., h] = now[h]
            if h == slots - 1:
                end[c] = np.einsum("ez,zef->fz", last[c], moved) @ shock_kernel
        load_kw[c] = ahead.transpose(1, 0, 2)
    return end, load_kw
