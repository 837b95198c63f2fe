"""Sensitivity of the continuum's answer to the rates: the exact derivative of the soft policy's net load and money.

With P the policy, μ the law before the move, r the reward and A the value ahead of a move, a change of the rates moves

    backward:  dV[e, z] = Σ_j P[j] dQ[j],   dQ[j] = dr[j] + dA[e + j, z],   dP[j] = P[j] (dQ[j] − dV)/η
    forward:   dμ' = (dμ P + μ dP) shock,   dL = Σ dμ P n + μ dP n + μ P dn

in each common state and slot, both periodic over the day: the midnight values and laws solve linear systems with the
same day operators. By the envelope theorem dr = −Δ n dr±, with the import rate where n > 0 and the export rate where
n < 0. Under ``boltzmann`` values the greedy move takes the place of P in the backward line. Many directions are
carried at once, so a slot costs one small matrix product per shock each way and no S × J × directions array exists.

At δ = 1 and ``entropy`` the result is the covariance of net loads along the households' paths over −η, hence symmetric
(Guo, Hu, Xu, Zhang 2019 use the same softmax policies; the formulas are the chain rule).
"""

from dataclasses import dataclass

import numpy as np

from agents.arrays import Bools, Floats, Ints
from agents.battery import feasible
from agents.best_response import Response
from agents.compiled import compiled
from agents.day_operator import (
    closed_groups,
    day_operators,
    group_weights,
    joint_operator,
    mix_shocks,
    move_kernel,
)
from agents.demand import wanted_slope_kw
from agents.household import HouseholdType
from agents.outlook import Outlook, ValueRule
from agents.slot_outcome import SlotOutcome
from agents.tariff import Rates
from model.mean_field.flow import Flow

BLOCK = 256
"""Directions carried at once; bounds the memory."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Directions:
    """Changes of the rates that one household type pays. Axes (direction, c, h). [USD/kWh per unit]"""

    import_usd_per_kwh: Floats
    export_usd_per_kwh: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sensitivity:
    """Derivatives of one type's means, one column per direction. Axes (c, h, direction), per unit of the direction.

    Attributes
    ----------
    net_load_kw
        Mean net load. [kW]
    payment_usd, utility_usd, wear_usd
        Means per slot. [USD]
    imported_kw
        Mean of the positive part of the net load. [kW]
    """

    net_load_kw: Floats
    payment_usd: Floats
    utility_usd: Floats
    wear_usd: Floats
    imported_kw: Floats


def type_sensitivity(
    household: HouseholdType,
    rates: Rates,
    response: Response,
    flow: Flow,
    horizon: Outlook,
    backward: Floats,
    directions: Directions,
    *,
    only_net_load: bool = False,
) -> Sensitivity:
    """Differentiate one household type's stationary answer.

    Parameters
    ----------
    rates
        What the type pays, its discount applied; the response belongs to them.
    response, flow
        The type's soft best response (temperature above 0) and its stationary day.
    backward : (c', c)
        Chance P(c|c') that yesterday was c.
    only_net_load
        Whether to leave the other fields empty, which Newton's method does not need.

    Raises
    ------
    ValueError
        Of a battery at temperature 0, where the answer jumps.
    """
    if horizon.temperature_usd <= 0 and household.battery is not None:
        raise ValueError("sensitivity is undefined at temperature_usd = 0, where answers jump; give it above 0")
    seen, slope_import, slope_export = _observed(household, rates, response, horizon, only_net_load)
    wanted = np.stack([directions.import_usd_per_kwh, directions.export_usd_per_kwh])
    count = wanted.shape[1]
    found = np.empty((len(seen), *wanted.shape[2:], count))
    by_slot = np.ascontiguousarray(np.moveaxis(wanted, 1, -1))
    if household.battery is None:
        weight = flow.frequency
        slopes = np.stack([(weight * s).sum(axis=(-2, -1)) for s in (slope_import, slope_export)])
        found = np.einsum("boch,bchd->ochd", slopes, by_slot)
    else:
        system = _System(response, flow, horizon, backward, seen, slope_import, slope_export)
        for start in range(0, count, BLOCK):
            part = slice(start, start + BLOCK)
            found[..., part] = system.solve(np.ascontiguousarray(by_slot[..., part]))
    empty = np.empty((0, 0, 0))
    rest = [empty] * 4 if only_net_load else [found[k] for k in range(1, 5)]
    return Sensitivity(
        net_load_kw=found[0], payment_usd=rest[0], utility_usd=rest[1], wear_usd=rest[2], imported_kw=rest[3]
    )


def _observed(
    household: HouseholdType, rates: Rates, response: Response, horizon: Outlook, only_net_load: bool
) -> tuple[Floats, Floats, Floats]:
    """What is measured of each move, and its slopes in the import and the export rate. (observable, c, h, z, j)"""
    brought, hours = response.outcome, horizon.slot_hours
    net_kw = brought.net_load_kw
    buying, selling = net_kw > 0, net_kw < 0
    bought, sold = (r[:, :, None, None] for r in (rates.import_usd_per_kwh, rates.export_usd_per_kwh))
    dn_import, dn_export = use_slopes(household, rates, brought, horizon)
    if only_net_load:
        return net_kw[None], dn_import[None], dn_export[None]
    shape = net_kw.shape
    nothing = np.zeros(shape)
    seen = np.stack(
        [
            net_kw,
            brought.payment_usd,
            brought.utility_usd,
            np.broadcast_to(brought.wear_usd, shape),
            np.maximum(net_kw, 0.0),
        ]
    )
    money_import, money_export = hours * bought * dn_import, hours * sold * dn_export
    slope_import = np.stack([dn_import, hours * net_kw * buying + money_import, money_import, nothing, dn_import])
    slope_export = np.stack([dn_export, hours * net_kw * selling + money_export, money_export, nothing, nothing])
    return seen, slope_import, slope_export


def use_slopes(household: HouseholdType, rates: Rates, brought: SlotOutcome, horizon: Outlook) -> tuple[Floats, Floats]:
    """Slopes of a move's use in the import rate, where it buys, and in the export rate, where it sells. (c, h, z, j)

    0 beyond the flexibility and at exactly zero net load. [kW per USD/kWh]
    """
    reference_kw = household.reference_kw[:, :, None, None] * horizon.shock_levels[:, None]

    def slope(acts: Bools, rate: Floats) -> Floats:
        steepest = wanted_slope_kw(
            reference_kw,
            rate[:, :, None, None],
            elasticity=household.elasticity,
            flexibility=household.flexibility,
            reference_price=household.reference_price_usd_per_kwh,
        )
        return np.where(acts, steepest, 0.0)

    net_kw = brought.net_load_kw
    return slope(net_kw > 0, rates.import_usd_per_kwh), slope(net_kw < 0, rates.export_usd_per_kwh)


class _System:
    """The linearised day of one type with a battery, ready for any number of directions. Axes (c, h, z, e, …)."""

    def __init__(
        self,
        response: Response,
        flow: Flow,
        horizon: Outlook,
        backward: Floats,
        seen: Floats,
        slope_import: Floats,
        slope_export: Floats,
    ) -> None:
        self.horizon, self.backward = horizon, backward
        policy = response.policy
        net_kw = response.outcome.net_load_kw
        per_rate = -horizon.slot_hours * np.stack([np.maximum(net_kw, 0.0), np.minimum(net_kw, 0.0)])
        self.law = np.ascontiguousarray(flow.law.transpose(0, 1, 3, 2))
        self.kernel = move_kernel(policy.probability, policy.moves)
        self.reward = _expected(policy.probability, per_rate)
        self.seen = _expected(policy.probability, seen)
        self.landing, self.landed_reward = _landed(policy.probability, policy.moves, self.law, per_rate)
        _, self.landed_seen = _landed(policy.probability, policy.moves, self.law, seen)
        self.soft = horizon.value_rule is ValueRule.ENTROPY
        if self.soft:
            self.plan_kernel, self.plan_reward = self.kernel, self.reward
        else:
            greedy = greedy_moves(policy.probability, policy.moves)
            self.plan_kernel, self.plan_reward = move_kernel(greedy, policy.moves), _expected(greedy, per_rate)
        weight = flow.frequency
        self.own = np.stack(
            [
                np.einsum("chzj,ochzj->och", weight, slope) + self._together(policy.probability, seen, rewarded)
                for slope, rewarded in ((slope_import, per_rate[0]), (slope_export, per_rate[1]))
            ]
        )
        states, slots, shocks, levels = self.law.shape
        self.size = shocks * levels
        self.per_slot = horizon.discount_per_day ** (1 / slots)
        if horizon.one_day is not None:
            return  # a single day starts and ends where it is told to
        self.following = day_operators(self.kernel, horizon.shock_kernel, 1.0)
        planned = self.following
        if not self.soft or self.per_slot < 1:
            planned = day_operators(self.plan_kernel, horizon.shock_kernel, self.per_slot)
        midnight = (horizon.common_probability[:, None] * self.law[:, 0].reshape(states, -1)).ravel()
        total = states * self.size
        identity = np.eye(total)
        self.value_system = identity - joint_operator(horizon.common_kernel, planned)
        groups = closed_groups(horizon.common_kernel, horizon.shock_kernel, slots)
        constant = group_weights(groups, levels, midnight)
        if self.per_slot == 1.0:
            self.value_system += constant  # fixes the constants that no policy can change
        self.law_system = (identity - joint_operator(horizon.common_kernel, self.following) + constant).T

    def _together(self, probability: Floats, seen: Floats, rewarded: Floats) -> Floats:
        """Σ μ P φ R over −, z, e, j: how an observable moves with the reward of its own slot, over η. (o, c, h)"""
        weight = np.einsum("chze,chezj->chzj", self.law, probability)
        moved: Floats = np.einsum("chzj,ochzj,chzj->och", weight, seen, rewarded)
        return moved / self.horizon.temperature_usd

    def solve(self, directions: Floats) -> Floats:
        """Derivatives of the observables, (o, c, h, direction), for directions (2, c, h, direction)."""
        states, slots, shocks, levels = self.law.shape
        count, eta = directions.shape[-1], self.horizon.temperature_usd
        shape = (states, shocks, levels, count)
        value = np.empty((states, slots, shocks, levels, count))
        kernel, probability = self.horizon.common_kernel, self.horizon.common_probability
        back = (self.plan_kernel, self.plan_reward, self.horizon.shock_kernel, self.per_slot, directions)
        tomorrow = np.zeros(shape)
        backward_days(*back, tomorrow, value)
        if self.horizon.one_day is None:
            midnight = _settled(self.value_system, value[:, 0].reshape(states * self.size, count)).reshape(shape)
            tomorrow = np.tensordot(kernel, midnight, axes=1)
            backward_days(*back, tomorrow, value)
        found = np.empty((len(self.seen), states, slots, count))
        end = np.empty(shape)
        forward = (
            self.kernel,
            self.reward,
            self.law,
            self.landing,
            self.landed_reward,
            self.seen,
            self.landed_seen,
            self.own,
            self.horizon.shock_kernel,
            self.per_slot,
            eta,
            self.soft,
            directions,
            tomorrow,
            value,
        )
        forward_days(*forward, np.zeros(shape), end, found)
        if self.horizon.one_day is not None:
            return found
        chance = probability[:, None]
        pushed = chance * np.tensordot(self.backward, end, axes=1).reshape(states, -1)
        start = _settled(self.law_system, pushed.reshape(states * self.size, count)).reshape(states, -1) / chance
        forward_days(*forward, start.reshape(shape), end, found)
        return found


def _settled(system: Floats, right: Floats) -> Floats:
    """Solution of a linear system; the one of least squares where greedy plans in cycles apart make it singular."""
    try:
        return np.asarray(np.linalg.solve(system, right))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(system, right)[0])


def greedy_moves(probability: Floats, moves: Ints) -> Floats:
    """The policy (c, h, e, z, j) that takes the most probable feasible move, ties split equally."""
    allowed = feasible(probability.shape[2], moves)[:, None, :]
    best = np.where(allowed, probability, -1.0).max(axis=-1, keepdims=True)
    chosen = (probability >= best) & allowed
    return np.asarray(chosen / chosen.sum(axis=-1, keepdims=True))


def _expected(probability: Floats, seen: Floats) -> Floats:
    """Mean (o, c, h, z, e) of what is seen of the move, before the move."""
    return np.ascontiguousarray(np.einsum("chezj,ochzj->ochze", probability, seen))


@compiled
def _landed(probability: Floats, moves: Ints, law: Floats, seen: Floats) -> tuple[Floats, Floats]:
    """Mass (c, h, z, e') after the move, and what was seen on the way there (o, c, h, z, e')."""
    states, slots, levels, shocks, count = probability.shape
    mass = np.zeros((states, slots, shocks, levels))
    total = np.zeros((len(seen), states, slots, shocks, levels))
    for c in range(states):
        for h in range(slots):
            for e in range(levels):
                for z in range(shocks):
                    for j in range(count):
                        p = law[c, h, z, e] * probability[c, h, e, z, j]
                        if p > 0.0:
                            mass[c, h, z, e + moves[j]] += p
                            for o in range(len(seen)):
                                total[o, c, h, z, e + moves[j]] += p * seen[o, c, h, z, j]
    return mass, total


@compiled
def backward_days(
    kernel: Floats,
    reward: Floats,
    shock_kernel: Floats,
    per_slot: float,
    directions: Floats,
    tomorrow: Floats,
    value: Floats,
) -> None:
    """Fill value[c, h, z, e, d], the values' derivatives, backward from tomorrow[c, z, e, d]."""
    states, slots, shocks, levels, count = value.shape
    ahead = np.empty((shocks, levels * count))
    for c in range(states):
        for back in range(slots):
            h = slots - 1 - back
            after = tomorrow[c] if back == 0 else value[c, h + 1]
            mix_shocks(shock_kernel, after.reshape((shocks, levels * count)), per_slot, ahead)
            for z in range(shocks):
                here = value[c, h, z]
                np.dot(kernel[c, h, z], ahead[z].reshape((levels, count)), here)
                for e in range(levels):
                    for d in range(count):
                        here[e, d] += (
                            reward[0, c, h, z, e] * directions[0, c, h, d]
                            + reward[1, c, h, z, e] * directions[1, c, h, d]
                        )


@compiled
def forward_days(
    kernel: Floats,
    reward: Floats,
    law: Floats,
    landing: Floats,
    landed_reward: Floats,
    seen: Floats,
    landed_seen: Floats,
    own: Floats,
    shock_kernel: Floats,
    per_slot: float,
    eta: float,
    soft: bool,
    directions: Floats,
    tomorrow: Floats,
    value: Floats,
    start: Floats,
    end: Floats,
    found: Floats,
) -> None:
    """Push the law's derivative start[c, z, e, d] through the day to ``end``; fill found[o, c, h, d]."""
    states, slots, shocks, levels, count = value.shape
    ahead = np.empty((shocks, levels * count))
    mass = np.empty((shocks, levels, count))
    moved, out = np.empty((levels, count)), np.empty((levels, count))
    landed = np.empty((shocks, levels * count))
    forward_kernel = np.ascontiguousarray(shock_kernel.T)
    for c in range(states):
        for z in range(shocks):
            for e in range(levels):
                for d in range(count):
                    mass[z, e, d] = start[c, z, e, d]
        for h in range(slots):
            after = tomorrow[c] if h == slots - 1 else value[c, h + 1]
            mix_shocks(shock_kernel, after.reshape((shocks, levels * count)), per_slot, ahead)
            for o in range(len(seen)):
                for d in range(count):
                    found[o, c, h, d] = own[0, o, c, h] * directions[0, c, h, d]
                    found[o, c, h, d] += own[1, o, c, h] * directions[1, c, h, d]
            for z in range(shocks):
                future = ahead[z].reshape((levels, count))
                if soft:
                    for e in range(levels):
                        for d in range(count):
                            moved[e, d] = value[c, h, z, e, d]
                else:
                    np.dot(kernel[c, h, z], future, moved)
                    for e in range(levels):
                        for d in range(count):
                            moved[e, d] += (
                                reward[0, c, h, z, e] * directions[0, c, h, d]
                                + reward[1, c, h, z, e] * directions[1, c, h, d]
                            )
                for e in range(levels):
                    tilt = law[c, h, z, e] / eta
                    for d in range(count):
                        moved[e, d] = mass[z, e, d] - tilt * moved[e, d]
                for o in range(len(seen)):
                    for e in range(levels):
                        a, b = seen[o, c, h, z, e], landed_seen[o, c, h, z, e] / eta
                        for d in range(count):
                            found[o, c, h, d] += a * moved[e, d] + b * future[e, d]
                np.dot(kernel[c, h, z].T, moved, out)
                for e in range(levels):
                    share = landing[c, h, z, e] / eta
                    bought = landed_reward[0, c, h, z, e] / eta
                    sold = landed_reward[1, c, h, z, e] / eta
                    for d in range(count):
                        landed[z, e * count + d] = (
                            out[e, d]
                            + share * future[e, d]
                            + bought * directions[0, c, h, d]
                            + sold * directions[1, c, h, d]
                        )
            mix_shocks(forward_kernel, landed, 1.0, mass.reshape((shocks, levels * count)))
        for z in range(shocks):
            for e in range(levels):
                for d in range(count):
                    end[c, z, e, d] = mass[z, e, d]
