"""Temperature 0: household types side by side, and a tariff with supply, as compiled code takes them.

Household types lie stacked in arrays (θ, …), padded to as many moves as the best equipped type has; a padded move leads
off every grid and is never taken.
"""

from typing import NamedTuple

import numpy as np

from meanwatt.agents.household.plans import best_plan
from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.agents.tariff.rates import export_rate, import_rate
from meanwatt.agents.tariff.tariff import Tariff, export_credit
from meanwatt.model.mean_field.population.game import kept_shares, pass_through_shares
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.envelopes import limits_load


class TypeStack(NamedTuple):
    """Household types side by side, as compiled code takes them; units as in ``HouseholdType`` and ``SlotOutcome``."""

    share: Floats
    """(θ,)"""
    reference_kw: Floats
    """(θ, c, h)"""
    pv_kw: Floats
    """(θ, c, h)"""
    demand: Floats
    """(θ, 3): ε, f, p0"""
    levels: Ints
    """(θ,)"""
    moves: Ints
    """(θ, j)"""
    battery_kw: Floats
    """(θ, h, j): grid-side power of each move"""
    wear_usd: Floats
    """(θ, h, j)"""
    bounds: Ints
    """(θ, h, 2): first move to choose from, and the one after the last; equal where nature draws"""
    given: Floats
    """(θ, h, e, j): probabilities where nature draws; empty if nowhere"""
    shock_levels: Floats
    """(z,)"""
    chance: Floats
    """(c,): law of the common state"""
    curtailable: Bools
    """(θ,)"""
    slot_hours: float
    elastic: bool
    """Whether anybody's load at a given move answers the price."""


class Terms(NamedTuple):
    """A tariff at a given adder, and supply."""

    energy: Floats
    """(θ, c, h): τ"""
    credit: Floats
    """(θ, c, h): x, infinite under net metering"""
    pass_through: Floats
    """(θ,): κ"""
    export_pass_through: Floats
    """(θ,): κ_x"""
    adder: Floats
    """(θ,): α, 0 in a rate class that does not bear it"""
    pegged: Bools
    """(θ,): whether the import rate bounds the export rate"""
    kept: Floats
    """(θ,): 1 − discount, the part of the import rate that a type pays"""
    rest_load_kw: Floats
    """(c, h)"""
    breaks_kw: Floats
    price_rows: Floats
    slope_rows: Floats
    cost_rows: Floats


def stack_types(economy: Economy, *, jumps: bool = False) -> TypeStack:
    """The household types of an economy as arrays; ``jumps``: whether loads may jump in the price."""
    types = economy.types
    if limits_load(types):
        raise ValueError("feeder.envelopes are held at a temperature above 0; give temperature_usd, e.g. 0.01")
    days = [household.storage_day(economy.slot_hours) for household in types]
    levels = np.array([household.levels for household in types])
    most = max(day.moves.size for day in days)
    move = np.full((len(types), most), levels.max())
    power, wear = np.zeros((2, len(types), economy.slots, most))
    drawn = any(day.choice.given.size for day in days)
    given = np.zeros((len(types), economy.slots, levels.max(), most) if drawn else (len(types), 0, 0, 0))
    for k, day in enumerate(days):
        count = day.moves.size
        move[k, :count] = day.moves
        power[k, :, :count], wear[k, :, :count] = day.power_kw, day.cost_by_slot_usd()
        if day.choice.given.size:
            given[k, :, : day.levels, :count] = day.choice.given
    return TypeStack(
        share=economy.type_share,
        reference_kw=np.array([household.reference_kw for household in types]),
        pv_kw=np.array([household.pv_kw for household in types]),
        demand=np.array([(t.elasticity, t.flexibility, t.reference_price_usd_per_kwh) for t in types], dtype=float),
        levels=levels,
        moves=move,
        battery_kw=power,
        wear_usd=wear,
        bounds=np.array([day.choice.bounds for day in days]),
        given=given,
        shock_levels=np.array(economy.shock_levels),
        chance=np.array(economy.common.probability),
        curtailable=np.array([household.curtailable for household in types]),
        slot_hours=float(economy.slot_hours),
        elastic=jumps or any(household.elasticity > 0 for household in types),
    )


def terms_of(economy: Economy, tariff: Tariff, adder_usd_per_kwh: float) -> Terms:
    """The tariff of every type and the supply curve as arrays."""
    today, supply = economy.common.today, economy.supply
    own = [tariff.of(household) for household in economy.types]
    credits, export_pass_through = zip(*(export_credit(one, today) for one in own), strict=True)
    bearing = [tariff.bears_adder(tariff.class_index(household)) for household in economy.types]
    return Terms(
        energy=np.array([one.energy_usd_per_kwh[today] for one in own]),
        credit=np.array(credits),
        pass_through=pass_through_shares(economy, tariff),
        export_pass_through=np.array(export_pass_through),
        adder=float(adder_usd_per_kwh) * np.array(bearing, dtype=float),
        pegged=np.array([one.export_pegged for one in own], dtype=np.bool_),
        kept=kept_shares(economy, tariff),
        rest_load_kw=np.array(economy.rest_load_kw),
        breaks_kw=np.array(supply.breaks_kw),
        price_rows=np.array(supply.coefficients),
        slope_rows=supply.slope_rows,
        cost_rows=supply.cost_rows,
    )


@compiled
def rates_at(terms: Terms, k: int, c: int, h: int, price: float) -> tuple[float, float]:
    """What one type pays and earns in a slot at a price, as of ``Tariff.own_rates``."""
    bought = import_rate(terms.energy[k, c, h], price, terms.pass_through[k], terms.adder[k])
    own = terms.kept[k] * bought
    if terms.credit[k, c, h] == np.inf:  # net metering
        return own, own
    pegged = terms.pegged[k]
    sold = export_rate(terms.credit[k, c, h], price, terms.export_pass_through[k], bought, pegged)
    return own, min(sold, own) if pegged else sold


@compiled
def plan_at(
    types: TypeStack, k: int, c: int, h: int, z: int, j: int, bought: float, sold: float
) -> tuple[float, float]:
    """Use and net load of one type's best plan. [kW]"""
    return best_plan(
        types.reference_kw[k, c, h] * types.shock_levels[z],
        types.pv_kw[k, c, h],
        types.battery_kw[k, h, j],
        bought,
        sold,
        types.demand[k, 0],
        types.demand[k, 1],
        types.demand[k, 2],
        types.curtailable[k],
    )
