"""Sensitivity of the continuum's answer to the rates: the exact derivative of the soft policy's net load and money.

With P the policy, μ the law before the move, r the reward and A the value ahead of a move, a change of the rates moves

    backward:  dV[e, z] = Σ_j P[j] dQ[j],   dQ[j] = dr[j] + dA[e + j, z],   dP[j] = P[j] (dQ[j] − dV)/η
    forward:   dμ' = (dμ P + μ dP) shock,   dL = Σ dμ P n + μ dP n + μ P dn

in each common state and slot, both periodic over the day: the midnight values and laws solve linear systems with the
same day operators. By the envelope theorem dr = −Δ n dr±, with the import rate where n > 0 and the export rate where
n < 0. Under ``boltzmann`` values the greedy move takes the place of P in the backward line. `day_system` carries many
directions at once; where its midnight systems are too large, `day_product` carries one.

At δ = 1 and ``entropy`` the result is the covariance of net loads along the households' paths over −η, hence symmetric
(Guo, Hu, Xu, Zhang 2019 use the same softmax policies; the formulas are the chain rule).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.household.best_response import Response
from meanwatt.agents.household.day_operator import JOINT_LIMIT
from meanwatt.agents.household.decision_problem import DecisionProblem
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.rates import Rates
from meanwatt.model.mean_field.derivatives.day_product import DayProduct
from meanwatt.model.mean_field.derivatives.day_system import DaySystem
from meanwatt.model.mean_field.derivatives.linear_day import LinearDay
from meanwatt.model.mean_field.derivatives.repeated_system import RepeatedSystem
from meanwatt.model.mean_field.population.flow import Flow
from meanwatt.model.mean_field.population.observables import observed

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


@dataclass(frozen=True, slots=True, eq=False)
class TypePlay:
    """What one household type does at given rates.

    Attributes
    ----------
    household, rates
        The type and what it pays, its discount applied.
    response, flow
        Its soft best response to these rates (temperature above 0) and its stationary day.
    """

    household: HouseholdType
    rates: Rates
    response: Response
    flow: Flow


def type_sensitivity(
    play: TypePlay,
    horizon: DecisionProblem,
    backward: Floats,
    directions: Directions,
    *,
    only_net_load: bool = False,
    check: Callable[[], None] = lambda: None,
) -> Sensitivity:
    """Differentiate one household type's stationary answer.

    Parameters
    ----------
    play
        The answer to differentiate.
    horizon
        The outlook that it was computed with.
    backward : (c', c)
        Chance P(c|c') that yesterday was c.
    only_net_load
        Whether to leave the other fields empty, which Newton's method does not need.
    check
        Called between steps of the work; may raise to stop.

    Raises
    ------
    ValueError
        Of a battery at temperature 0, where the answer jumps.
    """
    linear = LinearType(play, horizon, backward, only_net_load=only_net_load, check=check)
    return linear.along(directions, only_net_load=only_net_load)


class LinearType:
    """One household type's stationary answer, linearised once for directions to come in any number of calls.

    Parameters are those of `type_sensitivity`, and ``often``: whether there will be many calls, so that what they share
    is worth reckoning first.

    Raises
    ------
    ValueError
        Of a battery at temperature 0, where the answer jumps.
    """

    def __init__(
        self,
        play: TypePlay,
        horizon: DecisionProblem,
        backward: Floats,
        *,
        only_net_load: bool = False,
        often: bool = False,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        household, response, flow = play.household, play.response, play.flow
        if horizon.temperature_usd <= 0 and household.battery is not None:
            raise ValueError("sensitivity is undefined at temperature_usd = 0, where answers jump; give it above 0")
        self._check = check
        self._system: DaySystem | None = None
        self._product: DayProduct | None = None
        seen, slope_import, slope_export = observed(household, play.rates, response, horizon, only_net_load)
        self._slopes = np.empty((2, 0, 0, 0))
        if household.battery is None:
            weight = flow.frequency
            self._slopes = np.stack([(weight * s).sum(axis=(-2, -1)) for s in (slope_import, slope_export)])
            return
        day = LinearDay(response, flow, horizon, seen, slope_import, slope_export)
        if joint_size(response.policy.probability) <= JOINT_LIMIT:
            self._system = (RepeatedSystem if often else DaySystem)(day, backward)
        else:
            self._product = DayProduct(day, backward, check)

    def along(self, directions: Directions, *, only_net_load: bool = False) -> Sensitivity:
        """Derivatives along changes of the type's own rates; all fields only if they were linearised."""
        wanted = np.stack([directions.import_usd_per_kwh, directions.export_usd_per_kwh])
        by_slot = np.ascontiguousarray(np.moveaxis(wanted, 1, -1))
        found = self._observables(by_slot, 1 if only_net_load else 5)
        empty = np.empty((0, 0, 0))
        rest = [empty] * 4 if only_net_load else [found[k] for k in range(1, 5)]
        return Sensitivity(
            net_load_kw=found[0], payment_usd=rest[0], utility_usd=rest[1], wear_usd=rest[2], imported_kw=rest[3]
        )

    def _observables(self, by_slot: Floats, observables: int) -> Floats:
        """The first observables (o, c, h, direction) for directions (2, c, h, direction)."""
        count = by_slot.shape[-1]
        if self._system is None and self._product is None:
            found: Floats = np.einsum("boch,bchd->ochd", self._slopes[:, :observables], by_slot)
            return found
        found = np.empty((observables, *by_slot.shape[1:]))
        if self._system is not None:
            for start in range(0, count, BLOCK):
                self._check()
                part = slice(start, start + BLOCK)
                found[..., part] = self._system.solve(np.ascontiguousarray(by_slot[..., part]), observables)
        elif self._product is not None:
            for k in range(count):
                found[..., k] = self._product(np.ascontiguousarray(by_slot[..., k]))[:observables]
        return found


def joint_size(probability: Floats) -> int:
    """Size (common states × shocks × levels) of the midnight systems of a policy (c, h, e, z, j)."""
    states, _, levels, shocks, _ = probability.shape
    return int(states * shocks * levels)
