"""What each move brings in each slot: use, net load and reward at given rates."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from agents.arrays import Floats, Ints, read_only
from agents.battery import Battery, grid_power_kw, moves, wear_usd
from agents.compiled import compiled
from agents.demand import best_use, utility_of_use, wanted_use
from agents.household import HouseholdType
from agents.short_repr import short_repr
from agents.tariff import Rates, slot_payment


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SlotOutcome:
    """Consequences of every move, use being the best answer to the rates. Arrays are (c, h, z, j) unless said.

    Attributes
    ----------
    moves : (j,) int
        Level changes.
    use_kw, net_load_kw
        Electricity use q and net load n = q − pv + b; positive n is bought. [kW]
    utility_usd, payment_usd
        Utility of use and payment to the leader per slot, fixed charge excluded. [USD]
    wear_usd : (j,)
        Battery wear. [USD]
    level_kwh
        Energy between two levels; 0 without a battery. [kWh]
    """

    __repr__ = short_repr

    moves: Ints
    use_kw: Floats
    net_load_kw: Floats
    utility_usd: Floats
    payment_usd: Floats
    wear_usd: Floats
    level_kwh: float = 0.0

    @property
    def reward_usd(self) -> Floats:
        """Slot reward Δ·U(q) − wear − payment. (c, h, z, j) [USD]"""
        return self.utility_usd - self.payment_usd - self.wear_usd


@cache
def battery_moves(battery: Battery | None, slot_hours: float) -> tuple[Ints, Floats, Floats]:
    """Moves of a battery with their grid-side power and wear, worked out once."""
    move = moves(battery, slot_hours)
    return move, read_only(grid_power_kw(battery, move, slot_hours)), read_only(wear_usd(battery, move))


def slot_outcome(household: HouseholdType, rates: Rates, shock_levels: Floats, slot_hours: float) -> SlotOutcome:
    """Work out every move's consequences for one household type.

    Parameters
    ----------
    rates
        Import and export rate (c, h) that this type plans with, its discount applied; export ≤ import.
    shock_levels : (z,)
        Factor on the reference load.
    slot_hours
        Length of a slot. [h]
    """
    move, battery_kw, wear = battery_moves(household.battery, slot_hours)
    shape = (*household.reference_kw.shape, shock_levels.size, move.size)
    use_kw, net_load_kw, utility, payment = np.empty((4, *shape))
    fill_outcome(
        household.reference_kw,
        household.pv_kw,
        shock_levels,
        battery_kw,
        np.broadcast_to(rates.import_usd_per_kwh, shape[:2]),
        np.broadcast_to(rates.export_usd_per_kwh, shape[:2]),
        (float(household.elasticity), float(household.flexibility), float(household.reference_price_usd_per_kwh)),
        float(slot_hours),
        use_kw,
        net_load_kw,
        utility,
        payment,
    )
    return SlotOutcome(
        moves=move,
        use_kw=use_kw,
        net_load_kw=net_load_kw,
        utility_usd=utility,
        payment_usd=payment,
        wear_usd=wear,
        level_kwh=household.battery.level_kwh if household.battery else 0.0,
    )


@compiled
def fill_outcome(
    reference_kw: Floats,
    pv_kw: Floats,
    shock_levels: Floats,
    battery_kw: Floats,
    bought: Floats,
    sold: Floats,
    demand: tuple[float, float, float],
    slot_hours: float,
    use_kw: Floats,
    net_load_kw: Floats,
    utility: Floats,
    payment: Floats,
) -> None:
    """Best use of every move and what it brings, into arrays (c, h, z, j); ``demand`` is (ε, f, p0)."""
    elasticity, flexibility, reference_price = demand
    states, slots, shocks, count = use_kw.shape
    for c in range(states):
        for h in range(slots):
            for z in range(shocks):
                reference = reference_kw[c, h] * shock_levels[z]
                if_buying = wanted_use(reference, bought[c, h], elasticity, flexibility, reference_price)
                if_selling = wanted_use(reference, sold[c, h], elasticity, flexibility, reference_price)
                for j in range(count):
                    free = pv_kw[c, h] - battery_kw[j]
                    use = best_use(free, if_buying, if_selling)
                    net = use - free
                    use_kw[c, h, z, j], net_load_kw[c, h, z, j] = use, net
                    utility[c, h, z, j] = slot_hours * utility_of_use(use, reference, elasticity, reference_price)
                    payment[c, h, z, j] = slot_payment(net, bought[c, h], sold[c, h], slot_hours)
