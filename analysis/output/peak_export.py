"""The game of households that carry the day's largest import in their state, as plain arrays.

Axes as in `meanwatt.analysis.output.export`; a level of the largest import so far is l, after the shock. What a move
brings depends on l and on the level e of the battery, too, since use answers to what a higher largest import is worth.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.model.mean_field.equilibrium import Equilibrium

Arrays = dict[str, npt.NDArray[Any]]

PEAK_STEPS: Final = ("peak_lower", "peak_upper")
BY_MOVE: Final = ("reward", "net_load_kw", *PEAK_STEPS)
BY_PLAN: Final = ("plan_share", "plan_net_load_kw", "plan_curtailed_kw")


def carries_peak(equilibrium: Equilibrium) -> bool:
    """Whether somebody's policy has the day's largest import in its state."""
    return any(policy.peak is not None for policy in equilibrium.policies)


def peak_tables(equilibrium: Equilibrium, moves: Ints) -> Arrays:
    """What households do, where some carry the day's largest import so far.

    Parameters
    ----------
    moves : (j,)
        Level changes, the union over types.

    Returns
    -------
    dict
        ``reward``, ``net_load_kw``, ``peak_lower`` (int) and ``peak_upper``, [θ,c,h,e,z,l,j]; plans likewise, with an
        axis more; ``policy[θ,c,h,e,z,l,j]``; ``law[θ,c,h,e,z,l]``. Zero where a type has no such level or move.
    """
    policies, answer = equilibrium.policies, equilibrium.answer
    states, slots = equilibrium.net_load_kw.shape
    levels, ranks = max(t.levels for t in equilibrium.economy.types), max(map(_ranks, policies))
    plans = max(policy.plans.share.shape[-1] for policy in policies)
    shape = (len(policies), states, slots, levels, len(equilibrium.economy.shock_levels), ranks)
    found: Arrays = {name: np.zeros((*shape, moves.size)) for name in (*BY_MOVE, "policy")}
    found |= {name: np.zeros((*shape, moves.size, plans)) for name in BY_PLAN}
    found["law"] = np.zeros(shape)
    for k, (response, flow) in enumerate(zip(answer.responses, answer.flows, strict=True)):
        policy, own = response.policy, response.policy.plans
        column, count, high = np.searchsorted(moves, policy.moves), _ranks(policy), policy.probability.shape[2]
        there = policy.open_moves[None, :, :, None, None]  # (c, h, e, z, l, j)
        law = flow.law.reshape(*flow.law.shape[:-1], -1, count)
        found["law"][k, :, :, :high, :, :count] = law
        chances = policy.probability.reshape(*law.shape, -1)
        found["policy"][k, :, :, :high, :, :count][..., column] = chances
        by_move: Arrays = {"reward": response.outcome.reward_usd, "net_load_kw": policy.net_load_kw}
        if policy.peak is not None:
            by_move |= {"peak_lower": policy.peak.lower, "peak_upper": policy.peak.upper}
        for name, table in by_move.items():
            found[name][k, :, :, :high, :, :count][..., column] = np.where(there, _by_state(policy, table), 0.0)
        for name, table in zip(BY_PLAN, (own.share, own.net_load_kw, own.curtailed_kw), strict=True):
            kept = np.where(there[..., None], _by_state(policy, table), 0.0)
            found[name][k, :, :, :high, :, :count][..., column, : table.shape[-1]] = kept
    return found | {"peak_lower": found["peak_lower"].astype(np.int64)}


def peak_arrays(equilibrium: Equilibrium, moves: Ints) -> Arrays:
    """The grid of the largest import, its charge, and what a household decides by, so that use can be found again.

    Returns
    -------
    dict
        ``peak_levels[θ]`` (int), 1 of types that carry none; ``peak_level_kw[θ,l]``; ``peak_counted[θ,h]`` (bool);
        ``peak_usd_per_kw_day[θ]``; ``peak_charge_usd[θ,l]``, paid by the end of a day that ends at l;
        ``peak_charge_usd_per_day[θ]``, its expectation. ``shock_levels[z]``; ``home_reference_kw[θ,c,h]`` and
        ``home_pv_kw[θ,c,h]``; ``home_power_kw[θ,h,j]`` of the battery's moves and ``home_cost_usd[θ,h,j]``, wear, and
        energy that trips lack; ``home_elasticity[θ]``, ``home_flexibility[θ]``,
        ``home_reference_price_usd_per_kwh[θ]`` and ``home_curtailable[θ]`` (bool).
    """
    economy, policies = equilibrium.economy, equilibrium.policies
    types, slots, count = economy.types, economy.slots, max(map(_ranks, policies))
    level_kw, counted = np.zeros((len(types), count)), np.zeros((len(types), slots), dtype=np.bool_)
    charge, expected = np.zeros((2, len(types)))
    power, cost = np.zeros((2, len(types), slots, moves.size))
    for k, (household, policy, flow) in enumerate(zip(types, policies, equilibrium.answer.flows, strict=True)):
        column, day = np.searchsorted(moves, policy.moves), household.storage_day(economy.slot_hours)
        power[k][:, column], cost[k][:, column] = day.power_kw, day.cost_by_slot_usd()
        if household.day_peak is None or policy.peak is None:
            continue
        level_kw[k, : policy.peak.count] = policy.peak.levels_kw
        counted[k], charge[k] = household.day_peak.counted, household.day_peak.usd_per_kw
        weight = flow.frequency * economy.common.probability[:, None, None, None]
        expected[k] = charge[k] * float((weight * policy.peak.raised_kw).sum())
    return {
        "peak_levels": np.array([_ranks(policy) for policy in policies], dtype=np.int64),
        "peak_level_kw": level_kw,
        "peak_counted": counted,
        "peak_usd_per_kw_day": charge,
        "peak_charge_usd": charge[:, None] * level_kw,
        "peak_charge_usd_per_day": expected,
        "shock_levels": economy.shock_levels,
        "home_reference_kw": np.array([t.reference_kw for t in types]),
        "home_pv_kw": np.array([t.pv_kw for t in types]),
        "home_power_kw": power,
        "home_cost_usd": cost,
        **{f"home_{name}": _numbers(types, name) for name in ("elasticity", "flexibility")},
        "home_reference_price_usd_per_kwh": _numbers(types, "reference_price_usd_per_kwh"),
        "home_curtailable": np.array([t.curtailable for t in types], dtype=np.bool_),
    }


def _numbers(types: tuple[HouseholdType, ...], name: str) -> Floats:
    """A number of each household type. (θ,)"""
    return np.array([float(getattr(household, name)) for household in types])


def _ranks(policy: PolicyTable) -> int:
    """Levels of the day's largest import in a policy's state; 1 where it carries none."""
    return 1 if policy.peak is None else policy.peak.count


def _by_state(policy: PolicyTable, table: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A table (c, h, z or row, j, …) by state (c, h, e, z, l, j, …); of a plain one e and l have length 1."""
    if policy.peak is None:
        return table[:, :, None, :, None]
    states, slots, levels, both, _ = policy.probability.shape
    ranks = policy.peak.count
    return table.reshape(states, slots, levels, both // ranks, ranks, *table.shape[3:])
