"""Charges by month, day or year, and what minimum charges add."""

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.ratebook.carried import Carried
from meanwatt.agents.tariff.ratebook.compiled import CompiledRatebook
from meanwatt.agents.tariff.ratebook.convention import Convention
from meanwatt.agents.tariff.ratebook.ratebook import MONTHS, Per, PeriodicCharge


def charge_of_months_usd(charge: PeriodicCharge, compiled: CompiledRatebook, convention: Convention) -> Floats:
    """What a periodic charge comes to in each month that is billed. (month,) [USD]"""
    calendar = compiled.calendar
    return charge.of_months_usd(calendar.days, days_of_year=calendar.days_of_year, even=convention.even_months)


def minimum_usd(
    compiled: CompiledRatebook, counts: Floats, convention: Convention, carried: Carried | None
) -> tuple[Floats, Floats]:
    """What minimum charges add, (customer, month), and what counts towards the annual one. [USD]

    Parameters
    ----------
    counts : (customer, month)
        The charges that are held against the minimum. [USD]

    Notes
    -----
    An annual minimum is settled in December, where the months since January are known.
    """
    calendar = compiled.calendar
    monthly = [charge for charge in compiled.book.minimum if charge.per is not Per.YEAR]
    annual = sum(charge.usd for charge in compiled.book.minimum if charge.per is Per.YEAR)
    held = np.maximum(counts, 0.0) if convention.minimum_after_credits else counts
    added = np.zeros_like(counts)
    if monthly:
        least = sum(
            (charge_of_months_usd(charge, compiled, convention) for charge in monthly), np.zeros(calendar.months)
        )
        added = np.maximum(least - held, 0.0)
    charged = carried.charged_usd if carried else np.zeros(len(counts))
    since_january = carried is not None or calendar.number[0] == 0
    numbers = calendar.number.tolist()
    begin = 0
    if not annual and MONTHS - 1 in numbers:  # nothing is held against it, and the count begins anew in January
        begin, charged = len(numbers) - numbers[::-1].index(MONTHS - 1), np.zeros(len(counts))
    for month, number in enumerate(numbers[begin:], begin):
        charged = charged + held[:, month] + (0.0 if convention.minimum_after_credits else added[:, month])
        if number == MONTHS - 1:
            added[:, month] += np.maximum(annual - charged, 0.0) if annual and since_january else 0.0
            charged = np.zeros_like(charged)
    return added, charged
