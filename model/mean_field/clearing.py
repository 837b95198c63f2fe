"""Temperature 0: the price at which given frequencies of moves meet supply, and what every move brings there.

Household types lie stacked in arrays (θ, …), padded to as many moves as the best equipped type has; a padded move leads
off every grid and is never taken. Given the frequencies, each slot is an equation of its own, λ = s(rest + L(λ)).
"""

from typing import NamedTuple

import numpy as np

from agents.arrays import Bools, Floats, Ints
from agents.compiled import compiled
from agents.demand import best_use, wanted_slope, wanted_use
from agents.household import HouseholdType
from agents.slot_outcome import SlotOutcome, battery_moves, fill_outcome
from agents.tariff import Tariff, export_credit, export_rate, import_rate
from model.economy import Economy
from model.supply import piecewise

CLEARING_LIMIT = 80
PRICE_TOLERANCE = 1e-14
BEYOND_USD_PER_KWH = 1e9
"""Beyond any price. [USD/kWh]"""
FEW_SPACINGS = 1e-15
"""A bracket this narrow, as a share of the price, holds no other number worth trying."""


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
    """(θ, j): grid-side power of each move"""
    wear_usd: Floats
    """(θ, j)"""
    shock_levels: Floats
    """(z,)"""
    chance: Floats
    """(c,): law of the common state"""
    slot_hours: float
    elastic: bool
    """Whether anybody's use answers the price."""


class Terms(NamedTuple):
    """A tariff at a given adder, and supply."""

    energy: Floats
    """(c, h): τ"""
    credit: Floats
    """(c, h): x, infinite under net metering"""
    pass_through: float
    export_pass_through: float
    adder: float
    rest_load_kw: Floats
    """(c, h)"""
    breaks_kw: Floats
    price_rows: Floats
    slope_rows: Floats
    cost_rows: Floats


class Cleared(NamedTuple):
    """Mean frequencies of moves and the price that clears them; overwritten by `clear`."""

    price: Floats
    """(c, h): λ"""
    load_kw: Floats
    """(c, h): rest + L"""
    bend: Floats
    """(c, h): rise of the clearing price with frequencies' load, s'/(1 − s' ∂L/∂λ)"""
    frequency: Floats
    """(θ, c, h, z, j): mean over a type's mixture, as all arrays that follow"""
    use_kw: Floats
    net_load_kw: Floats
    utility_usd: Floats
    payment_usd: Floats
    reward_usd: Floats
    worth_usd: Floats
    """(θ,): expected worth of what a single day leaves behind, mean over the mixture"""


def stack_types(economy: Economy) -> TypeStack:
    """The household types of an economy as arrays."""
    types = economy.types
    made = [battery_moves(household.battery, economy.slot_hours) for household in types]
    levels = np.array([household.levels for household in types])
    shape = (len(types), max(len(move) for move, _, _ in made))
    move, power, wear = np.full(shape, levels.max()), np.zeros(shape), np.zeros(shape)
    for k, (own_move, own_power, own_wear) in enumerate(made):
        count = len(own_move)
        move[k, :count], power[k, :count], wear[k, :count] = own_move, own_power, own_wear
    return TypeStack(
        share=economy.type_share,
        reference_kw=np.array([household.reference_kw for household in types]),
        pv_kw=np.array([household.pv_kw for household in types]),
        demand=np.array([(t.elasticity, t.flexibility, t.reference_price_usd_per_kwh) for t in types], dtype=float),
        levels=levels,
        moves=move,
        battery_kw=power,
        wear_usd=wear,
        shock_levels=np.array(economy.shock_levels),
        chance=np.array(economy.common.probability),
        slot_hours=float(economy.slot_hours),
        elastic=any(household.elasticity > 0 for household in types),
    )


def terms_of(economy: Economy, tariff: Tariff, adder_usd_per_kwh: float) -> Terms:
    """A tariff and the supply curve as arrays."""
    today, supply = economy.common.today, economy.supply
    credit, export_pass_through = export_credit(tariff, today)
    return Terms(
        energy=tariff.energy_usd_per_kwh[today],
        credit=credit,
        pass_through=float(tariff.pass_through),
        export_pass_through=export_pass_through,
        adder=float(adder_usd_per_kwh),
        rest_load_kw=np.array(economy.rest_load_kw),
        breaks_kw=np.array(supply.breaks_kw),
        price_rows=np.array(supply.coefficients),
        slope_rows=supply.slope_rows,
        cost_rows=supply.cost_rows,
    )


def start_at(types: TypeStack, terms: Terms, wholesale_usd_per_kwh: Floats) -> Cleared:
    """What moves bring at a first price; nobody has answered it yet."""
    shape = (len(types.share), *wholesale_usd_per_kwh.shape, types.shock_levels.size, types.moves.shape[1])
    price, load_kw, bend = np.array(wholesale_usd_per_kwh, dtype=float), *np.zeros((2, *wholesale_usd_per_kwh.shape))
    frequency, use, net_load, utility, payment, reward = np.zeros((6, *shape))
    worth = np.zeros(len(types.share))
    here = Cleared(price, load_kw, bend, frequency, use, net_load, utility, payment, reward, worth)
    bring_outcomes(types, terms, here)
    return here


def outcome_of(household: HouseholdType, kind: int, here: Cleared, slot_hours: float) -> SlotOutcome:
    """What moves bring one type, its padding taken off."""
    moves, _, wear = battery_moves(household.battery, slot_hours)

    def own(stacked: Floats) -> Floats:
        return np.array(stacked[kind, ..., : moves.size])

    return SlotOutcome(
        moves=moves,
        use_kw=own(here.use_kw),
        net_load_kw=own(here.net_load_kw),
        utility_usd=own(here.utility_usd),
        payment_usd=own(here.payment_usd),
        wear_usd=wear,
        level_kwh=household.battery.level_kwh if household.battery else 0.0,
    )


@compiled
def bring_outcomes(types: TypeStack, terms: Terms, here: Cleared) -> None:
    """Fill in what every move brings every type at the present price."""
    states, slots = here.price.shape
    bought, sold = np.empty((states, slots)), np.empty((states, slots))
    for c in range(states):
        for h in range(slots):
            bought[c, h] = import_rate(terms.energy[c, h], here.price[c, h], terms.pass_through, terms.adder)
            sold[c, h] = export_rate(terms.credit[c, h], here.price[c, h], terms.export_pass_through, bought[c, h])
    shocks, count = types.shock_levels.size, types.moves.shape[1]
    for k in range(types.share.size):
        fill_outcome(
            types.reference_kw[k],
            types.pv_kw[k],
            types.shock_levels,
            types.battery_kw[k],
            bought,
            sold,
            (types.demand[k, 0], types.demand[k, 1], types.demand[k, 2]),
            types.slot_hours,
            here.use_kw[k],
            here.net_load_kw[k],
            here.utility_usd[k],
            here.payment_usd[k],
        )
        for c in range(states):
            for h in range(slots):
                for z in range(shocks):
                    for j in range(count):
                        here.reward_usd[k, c, h, z, j] = (
                            here.utility_usd[k, c, h, z, j] - here.payment_usd[k, c, h, z, j] - types.wear_usd[k, j]
                        )


@compiled
def _load_where(types: TypeStack, terms: Terms, here: Cleared, unsettled: Bools, falls: Floats) -> None:
    """Load of the unsettled slots at the present price, and its derivative in the price (c, h) [kW per USD/kWh]."""
    states, slots = here.price.shape
    for c in range(states):
        for h in range(slots):
            if unsettled[c, h]:
                here.load_kw[c, h], falls[c, h] = terms.rest_load_kw[c, h], 0.0
    for k in range(types.share.size):
        elasticity, flexibility, reference_price = types.demand[k, 0], types.demand[k, 1], types.demand[k, 2]
        for c in range(states):
            for h in range(slots):
                if not unsettled[c, h]:
                    continue
                bought = import_rate(terms.energy[c, h], here.price[c, h], terms.pass_through, terms.adder)
                sold = export_rate(terms.credit[c, h], here.price[c, h], terms.export_pass_through, bought)
                sold_slope = terms.pass_through if sold >= bought else terms.export_pass_through
                load_kw, fall = 0.0, 0.0
                for z in range(types.shock_levels.size):
                    reference = types.reference_kw[k, c, h] * types.shock_levels[z]
                    if_buying = wanted_use(reference, bought, elasticity, flexibility, reference_price)
                    if_selling = wanted_use(reference, sold, elasticity, flexibility, reference_price)
                    buying = wanted_slope(reference, bought, elasticity, flexibility, reference_price)
                    selling = wanted_slope(reference, sold, elasticity, flexibility, reference_price)
                    for j in range(types.moves.shape[1]):
                        part = here.frequency[k, c, h, z, j]
                        if part != 0.0:
                            free = types.pv_kw[k, c, h] - types.battery_kw[k, j]
                            net = best_use(free, if_buying, if_selling) - free
                            load_kw += part * net
                            if net > 0.0:
                                fall += part * terms.pass_through * buying
                            elif net < 0.0:
                                fall += part * sold_slope * selling
                here.load_kw[c, h] += types.share[k] * load_kw
                falls[c, h] += types.share[k] * fall


@compiled
def _find_price(types: TypeStack, terms: Terms, here: Cleared) -> None:
    """Price of every slot, by Newton's method inside a bracket from the last one.

    λ − s(rest + L(λ)) rises with λ, for use falls with its price; at a jump of s the root is in the jump.
    """
    price = here.price
    low, high = np.full(price.shape, -BEYOND_USD_PER_KWH), np.full(price.shape, BEYOND_USD_PER_KWH)
    falls = np.zeros(price.shape)
    unsettled = np.ones(price.shape, dtype=np.bool_)
    left = price.size
    for _ in range(CLEARING_LIMIT):
        _load_where(types, terms, here, unsettled, falls)
        for c in range(price.shape[0]):
            for h in range(price.shape[1]):
                if not unsettled[c, h]:
                    continue
                load_kw, now = here.load_kw[c, h], price[c, h]
                steepness = piecewise(load_kw, terms.breaks_kw, terms.slope_rows)
                supplied = piecewise(load_kw, terms.breaks_kw, terms.price_rows)
                here.bend[c, h] = steepness / (1.0 - steepness * falls[c, h])
                excess = now - supplied
                if excess < 0.0:
                    low[c, h] = now
                else:
                    high[c, h] = now
                following = now - excess / (1.0 - steepness * falls[c, h])
                if not low[c, h] <= following <= high[c, h]:
                    following = 0.5 * (low[c, h] + high[c, h])
                if not types.elastic:
                    price[c, h] = supplied
                elif (
                    abs(excess) > PRICE_TOLERANCE
                    and following != now
                    and high[c, h] - low[c, h] > FEW_SPACINGS * abs(now)
                ):
                    price[c, h] = following
                    continue
                unsettled[c, h] = False
                left -= 1
        if left == 0:
            break


@compiled
def clear(types: TypeStack, terms: Terms, here: Cleared) -> float:
    """Clear every slot at the present frequencies, bring all up to date; return the dual value D. [USD/day]"""
    _find_price(types, terms, here)
    bring_outcomes(types, terms, here)
    value = 0.0
    for c in range(here.price.shape[0]):
        weight = types.chance[c] * types.slot_hours
        for h in range(here.price.shape[1]):
            load_kw = here.load_kw[c, h]
            energy = here.price[c, h] * (load_kw - terms.rest_load_kw[c, h])
            value += weight * (energy - piecewise(load_kw, terms.breaks_kw, terms.cost_rows))
    for k in range(types.share.size):
        gain = expected_gain(types, here.reward_usd[k], here.frequency[k]) + here.worth_usd[k]
        if terms.pass_through > 0.0:  # without it there is no potential, and nobody asks for it
            value += types.share[k] * gain / terms.pass_through
    return value


@compiled
def expected_gain(types: TypeStack, reward: Floats, frequency: Floats) -> float:
    """Reward per day of moves with these frequencies, both (c, h, z, j). [USD/day]"""
    total = 0.0
    for c in range(types.chance.size):
        total += types.chance[c] * np.dot(frequency[c].ravel(), reward[c].ravel())
    return total
