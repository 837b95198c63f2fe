"""What each move brings in each slot: use, net load and reward at given rates."""

from dataclasses import dataclass
from functools import cache

from agents.arrays import Floats, Ints, read_only
from agents.battery import Battery, grid_power_kw, moves, wear_usd
from agents.demand import best_use_kw, utility_usd_per_hour, wanted_use_kw
from agents.household import HouseholdType
from agents.tariff import Rates, payment_usd


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
def _battery_moves(battery: Battery | None, slot_hours: float) -> tuple[Ints, Floats, Floats]:
    """Moves of a battery with their grid-side power and wear, worked out once."""
    move = moves(battery, slot_hours)
    move.setflags(write=False)
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
    move, battery_kw, wear = _battery_moves(household.battery, slot_hours)
    reference_kw = household.reference_kw[:, :, None, None] * shock_levels[:, None]
    free_kw = household.pv_kw[:, :, None, None] - battery_kw
    price = {"elasticity": household.elasticity, "reference_price": household.reference_price_usd_per_kwh}
    bought = rates.import_usd_per_kwh[:, :, None, None]
    sold = rates.export_usd_per_kwh[:, :, None, None]
    use_kw = best_use_kw(
        free_kw,
        wanted_use_kw(reference_kw, bought, flexibility=household.flexibility, **price),
        wanted_use_kw(reference_kw, sold, flexibility=household.flexibility, **price),
    )
    net_load_kw = use_kw - free_kw
    return SlotOutcome(
        moves=move,
        use_kw=use_kw,
        net_load_kw=net_load_kw,
        utility_usd=slot_hours * utility_usd_per_hour(use_kw, reference_kw, **price),
        payment_usd=payment_usd(net_load_kw, bought, sold, slot_hours),
        wear_usd=wear,
        level_kwh=household.battery.level_kwh if household.battery else 0.0,
    )
