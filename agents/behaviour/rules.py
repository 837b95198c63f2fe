"""Rules of thumb for a battery: policies that nobody optimised, to stand beside those that somebody did.

* ``passive``: the battery stands still.
* ``self_consumption``: surplus sun goes into the battery, own use comes out of it; neither charges from the grid nor
  feeds in from the battery. What most inverters do as delivered.
* ``price_threshold``: charge at full power in the cheapest quarter of the day's import rates, discharge in the dearest,
  stand still on a flat rate.

An electric vehicle cannot stand still for ever. Under the first two rules it charges as soon as it is plugged in, at
full power until it is full (uncontrolled charging, the field's baseline); under the third in the cheapest quarter of
the hours in which it is plugged in, and on a flat rate at once.

A rule decides by what a household sees: weather, slot, its own charge and use, and the rates it expects.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from meanwatt.agents.household.decision_problem import DecisionProblem
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.household.slot_outcome import SlotOutcome, slot_outcome
from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.agents.tariff.rates import Rates

CHEAP, DEAR = 0.25, 0.75
"""Quantiles of the day's import rates at which ``price_threshold`` charges and discharges."""
FLAT_USD_PER_KWH = 1e-9
"""A spread of rates this small is none. [USD/kWh]"""

Wish = Callable[[SlotOutcome, Rates, Bools], tuple[Bools, Bools]]
"""Which moves a rule would make to charge, and which to discharge, (c, h, z, j) each; of the feasible ones it takes the
largest, and stands still where there is none. Its last argument says in which slots (h,) the household chooses."""


def _stand_still(brought: SlotOutcome, expected: Rates, plugged_in: Bools) -> tuple[Bools, Bools]:
    none = np.zeros(brought.net_load_kw.shape, dtype=np.bool_)
    return none | (not plugged_in.all()) & (brought.moves > 0), none


def _cover_own_use(brought: SlotOutcome, expected: Rates, plugged_in: Bools) -> tuple[Bools, Bools]:
    if not plugged_in.all():
        return _stand_still(brought, expected, plugged_in)
    net_kw = brought.net_load_kw
    return (brought.moves > 0) & (net_kw <= 0), (brought.moves < 0) & (net_kw >= 0)


def _follow_rates(brought: SlotOutcome, expected: Rates, plugged_in: Bools) -> tuple[Bools, Bools]:
    rate = expected.import_usd_per_kwh
    low, high = np.quantile(rate[:, plugged_in], [CHEAP, DEAR], axis=1, keepdims=True)
    spread = high - low > FLAT_USD_PER_KWH
    shape = brought.net_load_kw.shape
    cheap, dear = (rate <= low) & (spread | ~plugged_in.all()), (rate >= high) & spread
    charge = cheap[:, :, None, None] & (brought.moves > 0)
    discharge = dear[:, :, None, None] & (brought.moves < 0)
    return np.broadcast_to(charge, shape), np.broadcast_to(discharge, shape)


RULES: Final[dict[str, Wish]] = {
    "passive": _stand_still,
    "self_consumption": _cover_own_use,
    "price_threshold": _follow_rates,
}
"""Rules by name."""


def rule_policies(
    name: str, types: Sequence[HouseholdType], expected: Sequence[Rates], problem: DecisionProblem
) -> tuple[PolicyTable, ...]:
    """Policies of households that go by a rule of thumb; use of electricity still answers the rates.

    Parameters
    ----------
    name
        One of ``RULES``.
    types
        Household types.
    expected
        Import and export rate (c, h) that each type expects, its discount applied. [USD/kWh]
    problem
        Shocks and length of a slot.
    """
    wish = RULES[name]
    policies = []
    for household, rates in zip(types, expected, strict=True):
        brought = slot_outcome(household, rates, problem.shock_levels, problem.slot_hours)
        day = household.storage_day(problem.slot_hours)
        chosen = _largest(brought.moves, day.open_moves, *wish(brought, rates, day.choice.chosen))
        probability = np.equal(chosen[..., None], np.arange(brought.moves.size)).astype(float)
        day.choice.impose(probability)
        policies.append(brought.followed(probability))
    return tuple(policies)


def _largest(moves: Ints, open_moves: Bools, charge: Bools, discharge: Bools) -> Ints:
    """Index (c, h, e, z) of the largest feasible wished move; charging goes first, standing still is always there."""
    still = int(np.flatnonzero(moves == 0)[0])
    allowed: Bools = open_moves[:, :, None]
    size: Floats = np.abs(moves).astype(float)
    wished = np.where(charge.any(axis=-1, keepdims=True), charge, discharge)
    value = np.where(wished[:, :, None] & allowed, size, -1.0)
    return np.where(value.max(axis=-1) > 0, value.argmax(axis=-1), still)
