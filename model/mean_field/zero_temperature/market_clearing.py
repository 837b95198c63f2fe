"""Temperature 0: the price at which given frequencies of moves meet supply, and what every move brings there.

Given the frequencies, each slot is an equation of its own, λ = s(rest + L(λ)). Where L jumps at the root, households
part between the two sides of the jump.
"""

from typing import NamedTuple

import numpy as np

from meanwatt.agents.household.demand import best_use, utility_of_use, wanted_slope, wanted_use
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.plans import is_simple
from meanwatt.agents.household.slot_outcome import SlotOutcome, fill_outcome
from meanwatt.agents.household.split import Split, curtailed_kw
from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.agents.tariff.rates import slot_payment
from meanwatt.model.mean_field.population.type_stack import Terms, TypeStack, plan_at, rates_at
from meanwatt.model.scenario.supply import piecewise

CLEARING_LIMIT = 300
NEWTON_ATTEMPTS = 12
"""Steps after which every other one halves the bracket."""
PRICE_TOLERANCE = 1e-14
BEYOND_USD_PER_KWH = 1e9
"""Beyond any price. [USD/kWh]"""
FEW_SPACINGS = 1e-15
"""A bracket this narrow, as a share of the price, holds no other number worth trying."""
NEAR_ZERO_USD_PER_KWH = 1e-3
"""Prices below this count as this large there. [USD/kWh]"""
JUMP_KW = 1e-12
"""Loads at both ends of such a bracket that differ by more have jumped. [kW]"""
HALVINGS = 60


class Cleared(NamedTuple):
    """Mean frequencies of moves and the price that clears them; overwritten by `clear`."""

    price: Floats
    """(c, h): λ"""
    load_kw: Floats
    """(c, h): rest + L"""
    bend: Floats
    """(c, h): rise of the clearing price with frequencies' load, s'/(1 − s' ∂L/∂λ); 0 where the load jumps there"""
    below: Floats
    """(c, h): the next price below, where the load jumps between the two"""
    part: Floats
    """(c, h): share of households that live as at the price below; 0 where the load does not jump"""
    frequency: Floats
    """(θ, c, h, z, j): mean over a type's mixture, as all arrays that follow"""
    use_kw: Floats
    net_load_kw: Floats
    utility_usd: Floats
    payment_usd: Floats
    reward_usd: Floats
    worth_usd: Floats
    """(θ,): expected worth of what a single day leaves behind, mean over the mixture"""
    use_parted_kw: Floats
    """(2, θ, c, h, z, j): use of those who live as at the price below, and of the others; empty where no load jumps"""
    net_parted_kw: Floats


def start_at(types: TypeStack, terms: Terms, wholesale_usd_per_kwh: Floats, *, jumps: bool = False) -> Cleared:
    """What moves bring at a first price; nobody has answered it yet."""
    shape = (len(types.share), *wholesale_usd_per_kwh.shape, types.shock_levels.size, types.moves.shape[1])
    price = np.array(wholesale_usd_per_kwh, dtype=float)
    load_kw, bend, below, part = np.zeros((4, *price.shape))
    frequency, use, net_load, utility, payment, reward = np.zeros((6, *shape))
    worth = np.zeros(len(types.share))
    parted = np.zeros((2, 2 if jumps else 0, *shape))
    here = Cleared(
        price, load_kw, bend, below, part, frequency, use, net_load, utility, payment, reward, worth, *parted
    )
    fill_outcomes(types, terms, here)
    return here


def outcome_of(household: HouseholdType, type_index: int, here: Cleared, slot_hours: float) -> SlotOutcome:
    """What moves bring one type, its padding taken off."""
    day = household.storage_day(slot_hours)

    def own(stacked: Floats) -> Floats:
        return np.array(stacked[type_index, ..., : day.moves.size])

    split = None
    if here.part.any():
        use, net_load = (
            np.stack([own(side) for side in parted], axis=-1) for parted in (here.use_parted_kw, here.net_parted_kw)
        )
        share = np.broadcast_to(np.stack([here.part, 1 - here.part], axis=-1)[:, :, None, None], use.shape)
        split = Split(
            share=share,
            use_kw=use,
            net_load_kw=net_load,
            curtailed_kw=curtailed_kw(household.pv_kw, day.power_kw[:, None, :, None], use, net_load),
            lead_usd=np.zeros(use.shape[:-1]),
            temperature_usd=0.0,
        )
    spilt = None
    if household.curtailable:
        spilt = curtailed_kw(household.pv_kw, day.power_kw[:, None], own(here.use_kw), own(here.net_load_kw))
    return SlotOutcome(
        moves=day.moves,
        use_kw=own(here.use_kw),
        net_load_kw=own(here.net_load_kw),
        utility_usd=own(here.utility_usd),
        payment_usd=own(here.payment_usd),
        wear_usd=day.cost_usd,
        level_kwh=day.level_kwh,
        choice=day.choice,
        curtailed_kw=spilt if spilt is not None and spilt.any() else None,
        split=split,
    )


@compiled
def fill_outcomes(types: TypeStack, terms: Terms, here: Cleared) -> None:
    """Fill in what every move brings every type at the present price."""
    states, slots = here.price.shape
    bought, sold = np.empty((states, slots)), np.empty((states, slots))
    shocks, count = types.shock_levels.size, types.moves.shape[1]
    for k in range(types.share.size):
        for c in range(states):
            for h in range(slots):
                bought[c, h], sold[c, h] = rates_at(terms, k, c, h, here.price[c, h])
        fill_outcome(
            types.reference_kw[k],
            types.pv_kw[k],
            types.shock_levels,
            types.battery_kw[k],
            bought,
            sold,
            (types.demand[k, 0], types.demand[k, 1], types.demand[k, 2]),
            types.slot_hours,
            types.curtailable[k],
            here.use_kw[k],
            here.net_load_kw[k],
            here.utility_usd[k],
            here.payment_usd[k],
        )
        if here.use_parted_kw.shape[0] > 0:
            _part(types, terms, here, bought, sold, k)
        for c in range(states):
            for h in range(slots):
                for z in range(shocks):
                    for j in range(count):
                        here.reward_usd[k, c, h, z, j] = (
                            here.utility_usd[k, c, h, z, j] - here.payment_usd[k, c, h, z, j] - types.wear_usd[k, h, j]
                        )


@compiled
def _part(types: TypeStack, terms: Terms, here: Cleared, bought: Floats, sold: Floats, k: int) -> None:
    """Replace one type's outcomes by means over both sides of every jump."""
    states, slots = here.price.shape
    for c in range(states):
        for h in range(slots):
            part = here.part[c, h]
            lower_bought, lower_sold = rates_at(terms, k, c, h, here.below[c, h])
            for z in range(types.shock_levels.size):
                reference = types.reference_kw[k, c, h] * types.shock_levels[z]
                for j in range(types.moves.shape[1]):
                    use, net = here.use_kw[k, c, h, z, j], here.net_load_kw[k, c, h, z, j]
                    other_use, other_net = use, net
                    if part > 0.0:
                        other_use, other_net = plan_at(types, k, c, h, z, j, lower_bought, lower_sold)
                        enjoyed = types.slot_hours * utility_of_use(
                            other_use, reference, types.demand[k, 0], types.demand[k, 2]
                        )
                        paid = slot_payment(other_net, bought[c, h], sold[c, h], types.slot_hours)
                        here.use_kw[k, c, h, z, j] = part * other_use + (1.0 - part) * use
                        here.net_load_kw[k, c, h, z, j] = part * other_net + (1.0 - part) * net
                        here.utility_usd[k, c, h, z, j] += part * (enjoyed - here.utility_usd[k, c, h, z, j])
                        here.payment_usd[k, c, h, z, j] += part * (paid - here.payment_usd[k, c, h, z, j])
                    here.use_parted_kw[0, k, c, h, z, j], here.use_parted_kw[1, k, c, h, z, j] = other_use, use
                    here.net_parted_kw[0, k, c, h, z, j], here.net_parted_kw[1, k, c, h, z, j] = other_net, net


@compiled
def _load_where(  # complexipy: ignore
    types: TypeStack, terms: Terms, here: Cleared, unsettled: Bools, falls: Floats
) -> None:
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
                bought, sold = rates_at(terms, k, c, h, here.price[c, h])
                bought_slope = terms.kept[k] * terms.pass_through[k]
                sold_slope = bought_slope if terms.pegged[k] and sold >= bought else terms.export_pass_through[k]
                simple = is_simple(types.pv_kw[k, c, h], bought, sold, types.curtailable[k])
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
                            if simple:
                                free = types.pv_kw[k, c, h] - types.battery_kw[k, h, j]
                                net = best_use(free, if_buying, if_selling) - free
                            else:
                                _, net = plan_at(types, k, c, h, z, j, bought, sold)
                            load_kw += part * net
                            if net > 0.0:
                                fall += part * bought_slope * buying
                            elif net < 0.0:
                                fall += part * sold_slope * selling
                here.load_kw[c, h] += types.share[k] * load_kw
                falls[c, h] += types.share[k] * fall


@compiled
def _find_price(types: TypeStack, terms: Terms, here: Cleared) -> None:  # complexipy: ignore
    """Price of every slot, by Newton's method inside a bracket from the last one.

    λ − s(rest + L(λ)) rises with λ, for loads fall with their price; at a jump of s the root is in the jump. At a jump
    of L the bracket closes on it, and as many households live as at its lower end as supply needs there.
    """
    price = here.price
    low, high = np.full(price.shape, -BEYOND_USD_PER_KWH), np.full(price.shape, BEYOND_USD_PER_KWH)
    falls = np.zeros(price.shape)
    low_load, high_load = np.zeros(price.shape), np.zeros(price.shape)
    unsettled = np.ones(price.shape, dtype=np.bool_)
    left = price.size
    for attempt in range(CLEARING_LIMIT):
        halve = attempt >= NEWTON_ATTEMPTS and attempt % 2 == 0  # across a jump Newton's steps go to and fro
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
                    low[c, h], low_load[c, h] = now, load_kw
                else:
                    high[c, h], high_load[c, h] = now, load_kw
                width = high[c, h] - low[c, h]
                narrow = FEW_SPACINGS * max(abs(now), NEAR_ZERO_USD_PER_KWH)
                here.part[c, h] = 0.0
                following = now - excess / (1.0 - steepness * falls[c, h])
                if following != now and (halve or not low[c, h] < following < high[c, h]):
                    following = 0.5 * (low[c, h] + high[c, h])
                if not types.elastic:
                    price[c, h] = supplied
                elif abs(excess) > PRICE_TOLERANCE and following != now and width > narrow:
                    price[c, h] = following
                    continue
                elif width <= narrow and low_load[c, h] > high_load[c, h] + JUMP_KW:
                    _rest_in_jump(terms, here, c, h, low[c, h], high[c, h], low_load[c, h], high_load[c, h])
                unsettled[c, h] = False
                left -= 1
        if left == 0:
            break


@compiled
def _rest_in_jump(
    terms: Terms, here: Cleared, c: int, h: int, low: float, high: float, low_load: float, high_load: float
) -> None:
    """Let the price rest in a jump of the load: find the share that lives as at its lower end, by bisection."""
    least, most = 0.0, 1.0
    for _ in range(HALVINGS):
        part = 0.5 * (least + most)
        if piecewise(high_load + part * (low_load - high_load), terms.breaks_kw, terms.price_rows) < high:
            least = part
        else:
            most = part
    here.price[c, h], here.below[c, h], here.part[c, h] = high, low, most
    here.load_kw[c, h], here.bend[c, h] = high_load + most * (low_load - high_load), 0.0


@compiled
def clear(types: TypeStack, terms: Terms, here: Cleared) -> float:
    """Clear every slot at the present frequencies, bring all up to date; return the dual value D. [USD/day]"""
    _find_price(types, terms, here)
    fill_outcomes(types, terms, here)
    value = 0.0
    for c in range(here.price.shape[0]):
        weight = types.chance[c] * types.slot_hours
        for h in range(here.price.shape[1]):
            load_kw = here.load_kw[c, h]
            energy = here.price[c, h] * (load_kw - terms.rest_load_kw[c, h])
            value += weight * (energy - piecewise(load_kw, terms.breaks_kw, terms.cost_rows))
    for k in range(types.share.size):
        gain = expected_gain(types, here.reward_usd[k], here.frequency[k]) + here.worth_usd[k]
        if terms.pass_through[k] > 0.0:  # without it there is no potential, and nobody asks for it
            value += types.share[k] * gain / (terms.kept[k] * terms.pass_through[k])
    return value


@compiled
def expected_gain(types: TypeStack, reward: Floats, frequency: Floats) -> float:
    """Reward per day of moves with these frequencies, both (c, h, z, j). [USD/day]"""
    total = 0.0
    for c in range(types.chance.size):
        total += types.chance[c] * np.dot(frequency[c].ravel(), reward[c].ravel())
    return total
