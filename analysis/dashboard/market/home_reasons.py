"""Why a home did what it did, in a sentence or two: what it planned with, and what its plan values a stored kWh at."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.household.battery import Battery
from meanwatt.agents.household.stored_worth import stored_worth_usd_per_kwh
from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.analysis.dashboard.shared.hours import hours
from meanwatt.analysis.dashboard.shared.words import listed
from meanwatt.model.market.home_day import HomeDay
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.mean_field.population.population_response import decision_problem

TOLD_SHARE = 0.2
"""A stretch of hours that moves less than this share of the day's energy is not told."""
TOLD_STRETCHES = 2
SAME_USD_PER_KWH = 5e-3
"""Prices closer than this are one in a sentence. [USD/kWh]"""
CHANCE_USD_PER_KWH = 0.02
"""A move that costs this much more than its plan gains by it is one that chance made. [USD/kWh]"""
CHANCE = "homes choose the better move more often, not always"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Planned:
    """What a home planned with on the day. (slot,) each [USD/kWh]

    Attributes
    ----------
    pay, earn
        What it expected a kWh to cost, and one sold to earn: its rates in the mean field.
    worth
        What the last kWh kept at the end of each slot is worth to it, or a first one where none is; nan without a
        battery.
    """

    pay: Floats
    earn: Floats
    worth: Floats


def planned(found: Equilibrium, type_index: int, day: HomeDay) -> Planned:
    """Read off the equilibrium what a home of type number ``type_index`` planned with on its day."""
    own = found.tariff.own_rates(found.rates, day.type)
    pay, earn = own.import_usd_per_kwh[day.common_state], own.export_usd_per_kwh[day.common_state]
    if day.type.battery is None:
        return Planned(pay=pay, earn=earn, worth=np.full(pay.shape, np.nan))
    worth = stored_worth_usd_per_kwh(found.answer.responses[type_index], decision_problem(found.economy))
    slots = np.arange(len(pay))
    return Planned(
        pay=pay, earn=earn, worth=worth[day.common_state, slots, day.shock, np.maximum(day.level[1:] - 1, 0)]
    )


def reasons(day: HomeDay, plan: Planned, slot_hours: float) -> list[str]:
    """Say in a sentence or two why the home did what it did.

    Parameters
    ----------
    plan
        What it planned with.
    slot_hours
        Length of a slot. [h]
    """
    battery = day.type.battery
    if battery is None:
        return [_without_battery(day, plan, slot_hours)]
    return _with_battery(day, battery, plan, slot_hours)


def _with_battery(day: HomeDay, battery: Battery, plan: Planned, slot_hours: float) -> list[str]:
    """What the battery did at which prices, and what its plan says to that."""
    chosen = day.type.storage_day(slot_hours).choice.chosen
    road = _spans(_stretches(~chosen, np.ones(len(chosen))), slot_hours)
    away = "" if chosen.all() else f"Its car is on the road at {road}. "
    charged, given = (_moved(day, plan, levels * chosen) for levels in (day.move, -day.move))
    if charged is None and given is None:
        worth = cents(plan.worth[chosen])
        still = f"Its battery stands still: a kWh costs {cents(plan.pay)}"
        return [f"{away}{still}, and one kept is worth {worth} in its plan."]
    did = [
        f"{verb} at {_spans(moved.told, slot_hours)}, when {moved.what} {cents(moved.prices)}"
        for verb, moved in (("charges", charged), ("gives back", given))
        if moved is not None
    ]
    return [f"{away}It {', and '.join(did)}.", _why(battery, charged, given)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moved:
    """What a battery took or gave in the stretches that are told.

    Attributes
    ----------
    told
        The stretches.
    what, prices
        What a kWh more or less bought or sold there costs or earns; the prices of its slots. [USD/kWh]
    price, worth
        Means over the energy moved: that price, and what a kWh kept is worth in the plan. [USD/kWh]
    """

    told: list[Ints]
    what: str
    prices: Floats
    price: float
    worth: float


def _moved(day: HomeDay, plan: Planned, levels: Ints) -> Moved | None:
    """What the battery moved in one direction, counted positive; None if nothing."""
    levels = np.maximum(levels, 0)
    if not levels.any():
        return None
    told = _stretches(levels > 0, levels)
    inside = np.concatenate(told)
    weight, sells = levels[inside], day.net_load_kw[inside] <= 0
    margin = np.where(sells, plan.earn[inside], plan.pay[inside])
    selling = bool(weight[sells].sum() > weight[~sells].sum())
    return Moved(
        told=told,
        what="a kWh sold earns" if selling else "a kWh costs",
        prices=margin[sells == selling],
        price=float(np.average(margin, weights=weight)),
        worth=float(np.average(plan.worth[inside], weights=weight)),
    )


def _why(battery: Battery, charged: Moved | None, given: Moved | None) -> str:
    """What a kWh kept is worth in its plan meanwhile, and whether chance made the move.

    Of a kWh bought, part is lost on the way into the cell, of one given back on the way out; each wears the battery.
    """
    wear, chance, kept = battery.wear_usd_per_kwh, "", []
    if charged is not None:
        kept.append(f"{cents(charged.worth)} while it charges")
        cost = charged.price / battery.charge_efficiency + wear
        if charged.worth < cost - CHANCE_USD_PER_KWH:
            chance = f" That is less than the {cents(cost)} it costs with losses and wear: {CHANCE}."
    if given is not None:
        kept.append(f"{cents(given.worth)} while it gives back")
        gain = given.price * battery.discharge_efficiency - wear
        if not chance and given.worth > gain + CHANCE_USD_PER_KWH:
            chance = f" Given back it brings {cents(gain)} after losses and wear: {CHANCE}."
    return f"In its plan a kWh kept is worth {' and '.join(kept)}.{chance}"


def _without_battery(day: HomeDay, plan: Planned, slot_hours: float) -> str:
    """When it sells, when it buys dearest, and how its use answers."""
    household = day.type
    sold = day.net_load_kw < 0
    begins = ""
    if sold.any():
        told = _stretches(sold, -day.net_load_kw * sold)
        inside = np.concatenate(told)
        begins = f"It sells its sun at {_spans(told, slot_hours)}, when a kWh earns {cents(plan.earn[inside])}. "
    usual = f"than it would at its usual {cents(household.reference_price_usd_per_kwh)}"
    if household.elasticity == 0:
        return f"{begins}It stores nothing, and its use does not answer prices."
    buys = ~sold if not sold.all() else sold
    pay = plan.pay[buys]
    if np.ptp(pay) < SAME_USD_PER_KWH:
        return f"{begins}A kWh costs {cents(pay)} all day: it uses {_change(day, buys)} {usual}."
    dear = (plan.pay > pay.max() - SAME_USD_PER_KWH) & buys
    stretch = max(_runs(dear), key=len)
    when = hours(int(stretch[0]), int(stretch[-1]), slot_hours)
    return f"{begins}At {when}, when a kWh costs {cents(pay.max())}, it uses {_change(day, dear)} {usual}."


def _change(day: HomeDay, slots: Bools) -> str:
    """How far use is from what it would be at the reference price, by the home's own response to the rates."""
    factor = day.reference_kw[slots].sum()
    change = 100 * (day.use_kw[slots].sum() / factor - 1) if factor > 0 else 0.0
    size = f"{abs(change):.1f}" if abs(change) < 9.95 else f"{abs(change):.0f}"
    return "as much" if not float(size) else f"{size} % {'more' if change > 0 else 'less'}"


def _runs(there: Bools) -> list[Ints]:
    """Stretches of consecutive slots."""
    slots = np.flatnonzero(there)
    return np.split(slots, np.flatnonzero(np.diff(slots) > 1) + 1) if slots.size else []


def _stretches(there: Bools, weight: Floats | Ints) -> list[Ints]:
    """The stretches that are told: the weightiest ones, in order of time."""
    runs = sorted(_runs(there), key=lambda run: -weight[run].sum())[:TOLD_STRETCHES]
    kept = [run for run in runs if weight[run].sum() >= TOLD_SHARE * weight.sum()] or runs[:1]
    return sorted(kept, key=lambda run: int(run[0]))


def _spans(runs: Sequence[Ints], slot_hours: float) -> str:
    return listed([hours(int(run[0]), int(run[-1]), slot_hours) for run in runs])


def cents(price_usd_per_kwh: Floats | float) -> str:
    """A price, or the range of several, in cents: ``12 ¢``, ``12–17 ¢``."""
    prices = np.atleast_1d(price_usd_per_kwh)
    low, high = (100 * float(end) for end in (prices.min(), prices.max()))
    ends = dict.fromkeys(f"{end:.0f}".replace("-0", "0").replace("-", "−") for end in (low, high))
    apart = high - low >= 100 * SAME_USD_PER_KWH
    shown = list(ends) if apart else [f"{(low + high) / 2:.0f}".replace("-0", "0").replace("-", "−")]
    return f"{('–' if low >= 0 else ' to ').join(shown)} ¢"
