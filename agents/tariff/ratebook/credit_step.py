"""A month of credits that wait: what they pay, what is paid out, what is lost, what is left. On arrays (customer,).

`meanwatt.agents.tariff.ratebook.settlement` bills a ratebook's months with these steps,
`meanwatt.model.market.credit_bills` those of a market's households.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.convention import TARIFF_BOOK, Convention
from meanwatt.agents.tariff.ratebook.ratebook import HOURS

CLOCK: tuple[int, ...] = (0, 5, 11, 17)
"""Hours at which SAM looks for the period that a surplus goes to."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CreditMonth:
    """What a month did to credits in dollars. (customer,) each [USD]

    Parameters
    ----------
    applied_usd
        What pays energy charges of the month.
    paid_out_usd
        What is paid at the true-up.
    forfeited_usd
        What is lost at the true-up.
    left_usd
        What waits.
    """

    __repr__ = short_repr

    applied_usd: Floats
    paid_out_usd: Floats
    forfeited_usd: Floats
    left_usd: Floats


def settle_usd(
    waiting_usd: Floats,
    earned_usd: Floats,
    charge_usd: Floats,
    *,
    at_once: bool,
    trues_up: bool,
    expires: bool,
    convention: Convention = TARIFF_BOOK,
) -> CreditMonth:
    """Settle a month whose credits wait in dollars: earned = applied + paid out + forfeited + growth of what waits.

    Parameters
    ----------
    waiting_usd, earned_usd, charge_usd : (customer,)
        Credits of the months before, those of this month, and its energy charges. [USD]
    at_once
        Whether this month's credits pay this month's charges; else from the next one on.
    trues_up
        Whether the month ends with the true-up.
    expires
        Whether credits that are left then are lost; a debt, which negative sell rates leave, is not, in tariff books.
    """
    if at_once:
        pool = waiting_usd + earned_usd
        applied = np.minimum(pool, charge_usd)
        if convention.negative_lost:  # what was brought forward pays first, and a negative credit waits
            applied = np.where(waiting_usd > charge_usd, charge_usd, applied)
        left = pool - applied
    else:
        applied = np.minimum(waiting_usd, charge_usd)
        left = waiting_usd - applied + earned_usd
    nothing = np.zeros_like(left)
    if not trues_up:
        return CreditMonth(applied_usd=applied, paid_out_usd=nothing, forfeited_usd=nothing, left_usd=left)
    paid = nothing if expires else np.maximum(left, 0.0)
    paid = paid if convention.negative_lost else paid + np.minimum(left, 0.0)
    return CreditMonth(applied_usd=applied, paid_out_usd=paid, forfeited_usd=left - paid, left_usd=nothing)


def settle_kwh(net_kwh: Floats, waiting_kwh: Floats, goes_to: Mapping[int, int]) -> tuple[Floats, Floats]:
    """Net kWh of a month against the surplus of the months before.

    Parameters
    ----------
    net_kwh, waiting_kwh : (customer, period)
        Drawn less fed in within each period, and the surplus that waits. [kWh]
    goes_to
        Period → the period of this month that its surplus goes to; one that is left out loses it.

    Returns
    -------
    billed, left : (customer, period)
        What is billed, and the surplus that waits now. [kWh]
    """
    brought = np.zeros_like(waiting_kwh)
    for source, target in goes_to.items():
        brought[:, target] += waiting_kwh[:, source]
    net = net_kwh - brought
    return np.maximum(net, 0.0), np.maximum(-net, 0.0)


def surplus_goes_to(
    before: tuple[Ints, Ints], now: tuple[Ints, Ints], *, by_clock_only: bool = False
) -> dict[int, int]:
    """Which period of a month the surplus of each period of the month before goes to.

    Parameters
    ----------
    before, now : two of (slot,) int
        Period in force on weekdays, and on weekends and holidays, of both months.
    by_clock_only
        Whether it goes by the hours that SAM looks at alone.

    Returns
    -------
    dict
        Period → period; one that is left out loses its surplus.
    """
    slots = len(before[0])
    by_clock: dict[int, int] = {}
    for hour in CLOCK:
        slot = hour * slots // HOURS
        by_clock.setdefault(int(before[0][slot]), int(now[0][slot]))
    if by_clock_only:
        return by_clock
    for earlier, later in zip(before, now, strict=True):
        for slot in range(slots):
            by_clock.setdefault(int(earlier[slot]), int(later[slot]))
    here = {*now[0].tolist(), *now[1].tolist()}
    return {source: source if source in here else target for source, target in by_clock.items()}
