"""The continuum's load given all that happened, in plain matrices: what an equilibrium averages over.

The policies are those of an equilibrium; the law starts as that of the first common state and is pushed along a path of
common states, or its second moments along all of them.
"""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.model.mean_field.equilibrium import Equilibrium


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """All household types in one vector x of (type, level, shock).

    Attributes
    ----------
    midnight : (c, x)
        The equilibrium's law at midnight.
    day : (c, x, x')
        From one midnight to the next.
    load_kw : (c, x, h)
        Load that mass at midnight brings in each slot, times its type's share.
    """

    midnight: Floats
    day: Floats
    load_kw: Floats


def days_of(found: Equilibrium) -> Days:
    """An equilibrium's days as matrices."""
    kernel, share = found.economy.shock_kernel, found.economy.type_share
    parts = [slot_matrices(policy, kernel) for policy in found.policies]
    sizes = [step.shape[-1] for step, _ in parts]
    states, slots = found.net_load_kw.shape
    day, load = np.zeros((states, sum(sizes), sum(sizes))), np.zeros((states, sum(sizes), slots))
    for k, (step, now) in enumerate(parts):
        here = slice(sum(sizes[:k]), sum(sizes[: k + 1]))
        for c in range(states):
            ahead = np.eye(sizes[k])
            for h in range(slots):
                load[c, here, h] = share[k] * ahead @ now[c, h]
                ahead = ahead @ step[c, h]
            day[c, here, here] = ahead
    midnight = np.hstack([law[:, 0].reshape(states, -1) for law in found.laws])
    return Days(midnight=midnight, day=day, load_kw=load)


def slot_matrices(policy: PolicyTable, shock_kernel: Floats) -> tuple[Floats, Floats]:
    """Chance (c, h, x, x') of the next slot's state and load (c, h, x) of a household in x = (e, z)."""
    states, slots, levels, shocks, _ = policy.probability.shape
    step = np.zeros((states, slots, levels, shocks, levels, shocks))
    for e in range(levels):
        for j, move in enumerate(policy.moves):
            if 0 <= e + move < levels:
                for z in range(shocks):
                    step[:, :, e, z, e + move] += policy.probability[:, :, e, z, j, None] * shock_kernel[z]
    load = (policy.probability * policy.net_load_kw[:, :, None]).sum(axis=-1)
    return step.reshape(states, slots, levels * shocks, -1), load.reshape(states, slots, -1)


def loads_along(days: Days, path: Ints) -> Floats:
    """Load (day, h) given a path of common states, from the law of its first. [kW]"""
    law, loads = days.midnight[path[0]], []
    for c in path:
        loads.append(law @ days.load_kw[c])
        law = law @ days.day[c]
    return np.array(loads)


def floor_by_day_kw(found: Equilibrium, count: int) -> Floats:
    """RMS over slots of the load given all of its past since day 0 less that of its common state. (day,) [kW]"""
    days, common = days_of(found), found.economy.common
    mean = np.einsum("cx,cy->cxy", days.midnight, days.midnight)
    second, floors = mean, []
    for _ in range(count):
        spread = np.einsum("cxh,cxy,cyh->ch", days.load_kw, second - mean, days.load_kw)
        floors.append(max(float(common.probability @ spread.mean(axis=1)), 0.0))
        end = np.einsum("cxu,cxy,cyv->cuv", days.day, second, days.day)
        second = np.einsum("dc,cuv->duv", common.backward, end)
    return np.sqrt(floors)


def random_path(kernel: Floats, probability: Floats, days: int, seed: int) -> Ints:
    """A path of common states, the first from their law."""
    rng = np.random.default_rng(seed)
    path = [int(rng.choice(len(probability), p=probability))]
    for _ in range(days - 1):
        path.append(int(rng.choice(len(probability), p=kernel[path[-1]])))
    return np.array(path)
