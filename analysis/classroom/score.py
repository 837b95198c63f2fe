"""What a plan was worth at the prices that came, beside the battery at rest and the best that could be done.

A home is small: the prices that came do not move with its battery. Its day, with the wear of the battery, the comfort
of its use, and what the charge left at midnight is worth in the mean field, is then a sum over slots, and the best of
it a dynamic programme over charge.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from meanwatt.agents.household.backward_induction import hard_values
from meanwatt.agents.household.demand import utility_usd_per_hour
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.agents.tariff.rates import payment_usd
from meanwatt.model.mean_field.equilibrium import Equilibrium

NEGLIGIBLE_USD: Final = 0.005
"""Where less than half a cent can be gained there is nothing to score. [USD]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DayWorth:
    """What every move of one home brings on a day that is over.

    Attributes
    ----------
    moves : (j,) int
        Level changes, ascending.
    reward_usd : (slot, j)
        Comfort of use less payment and wear. [USD]
    left_usd : (level,)
        What the charge left at midnight is worth, that of an empty battery being 0. [USD]
    """

    moves: Ints
    reward_usd: Floats
    left_usd: Floats

    def of(self, level: int, moves: Ints) -> float:
        """The day's worth for a home that began it at a level and made these moves, (slot,). [USD]"""
        column = np.asarray(moves) - int(self.moves[0])
        slots = np.arange(len(self.reward_usd))
        return float(self.reward_usd[slots, column].sum() + self.left_usd[level + int(np.sum(moves))])

    def at_rest(self, level: int) -> float:
        """The same with the battery at rest. [USD]"""
        return self.of(level, np.zeros(len(self.reward_usd), dtype=np.int64))

    def best(self, level: int) -> tuple[float, Ints]:
        """The most that could be had from a level on, and the moves (slot,) that have it; of equal ones the first."""
        slots, levels = len(self.reward_usd), len(self.left_usd)
        ahead = np.empty((slots + 1, levels))
        ahead[slots] = self.left_usd
        for slot in reversed(range(slots)):
            hard_values(self.reward_usd[slot], self.moves, ahead[slot + 1], ahead[slot])
        chosen, at = np.zeros(slots, dtype=np.int64), level
        for slot in range(slots):
            open_moves = self._open(at, levels)
            worth = self.reward_usd[slot, open_moves] + ahead[slot + 1][at + self.moves[open_moves]]
            chosen[slot] = self.moves[open_moves][int(np.argmax(worth))]
            at += int(chosen[slot])
        return float(ahead[0, level]), chosen

    def _open(self, level: int, levels: int) -> Bools:
        target = level + self.moves
        return np.asarray((target >= 0) & (target < levels))


def day_worth(
    equilibrium: Equilibrium,
    type_index: int,
    *,
    common_state: int,
    shocks: Ints,
    import_usd_per_kwh: Floats,
    export_usd_per_kwh: Floats,
) -> DayWorth:
    """Reckon what every move of a home brought on a day that is over.

    Parameters
    ----------
    equilibrium
        By whose policy the home's use answers the time of day; a use that may be one of several counts by its mean.
    type_index
        Household type, one with a battery at home.
    common_state
        That of the day.
    shocks : (slot + 1,) int
        State of the home's load in each slot, and at the midnight after.
    import_usd_per_kwh, export_usd_per_kwh : (slot,)
        Rates on the home's bill. [USD/kWh]
    """
    economy = equilibrium.economy
    household: HouseholdType = economy.types[type_index]
    policy: PolicyTable = equilibrium.policies[type_index]
    slots = np.arange(economy.slots)
    hours, today = economy.slot_hours, np.asarray(shocks[:-1])
    load_kw, use_kw = (table[common_state, slots, today] for table in (policy.net_load_kw, policy.use_kw))
    paid = payment_usd(load_kw, import_usd_per_kwh[:, None], export_usd_per_kwh[:, None], hours)
    reference_kw = household.reference_kw[common_state] * economy.shock_levels[today]
    comfort = hours * utility_usd_per_hour(
        use_kw,
        reference_kw[:, None],
        elasticity=household.elasticity,
        reference_price=household.reference_price_usd_per_kwh,
    )
    day = household.storage_day(hours)
    wear = day.cost_by_slot_usd()[slots][:, policy.moves - int(day.moves[0])]
    value = equilibrium.answer.responses[type_index].value_usd[:, 0, int(shocks[-1])]
    scenario = economy.scenario
    left = scenario.discount_per_day * (economy.common.kernel[common_state] @ value)
    return DayWorth(moves=policy.moves, reward_usd=comfort - paid - wear, left_usd=np.asarray(left - left[0]))


def score(saved_usd: float, possible_usd: float) -> float | None:
    """What was saved of what could be, in per cent; None if nothing was to gain.

    0 is the battery at rest, 100 the best; below 0 the battery did harm.
    """
    return None if possible_usd < NEGLIGIBLE_USD else 100.0 * saved_usd / possible_usd
