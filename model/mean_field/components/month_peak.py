"""The month's largest import of a household whose load is known by common state, slot and own shock."""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.components.component import DAYS_PER_MONTH
from meanwatt.model.mean_field.population.population_response import PopulationResponse
from meanwatt.model.scenario.economy import Economy

TIE_KW = 1e-12
"""Imports this near to each other are the same. [kW]"""
AT_ONCE = 2_000_000
"""Numbers of one block of thresholds."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MonthPeak:
    """A month's largest import.

    Attributes
    ----------
    expected_kw
        Its expectation. [kW]
    holds : (c, h, z)
        Chance that the cell holds it; sums to the chance that anything is imported at all.
    """

    __repr__ = short_repr

    expected_kw: float
    holds: Floats


def mean_import_kw(found: PopulationResponse, type_index: int) -> Floats:
    """Mean import of a type given the common state, slot and own shock: the stored energy averaged. (c, h, z) [kW]"""
    frequency = found.flows[type_index].frequency
    imported = (frequency * found.responses[type_index].outcome.imported_kw).sum(axis=3)
    chance = frequency.sum(axis=3)
    return np.asarray(np.divide(imported, chance, out=np.zeros_like(imported), where=chance > 0))


def month_peak(economy: Economy, import_kw: Floats, counted: Bools, days: float = DAYS_PER_MONTH) -> MonthPeak:
    """Law of the largest import of a month, or of so many days, in the slots that count.

    Parameters
    ----------
    import_kw : (c, h, z)
        Import in each cell, ≥ 0. [kW]
    counted : (h,)
        Whether a slot counts.

    Notes
    -----
    Days follow one another by the weather's chain, shocks by theirs, from their stationary laws; a month has 365/12
    days, as a mixture of 30 and 31. The chance that no cell above a threshold is met is a product of matrices; cells
    that tie share.
    """
    cells = np.where(counted[None, :, None], import_kw, 0.0)
    values = _distinct(cells)
    below = _chance_below(economy, cells, values, days)
    held = np.diff(below, prepend=0.0)
    holds = np.zeros_like(cells)
    chance = np.broadcast_to(
        economy.common.probability[:, None, None] * economy.shock_probability[None, None, :], cells.shape
    )
    for value, part in zip(values, held, strict=True):
        if value > 0 and part > 0:
            tied = np.abs(cells - value) <= TIE_KW
            weight = chance * tied
            total = weight.sum()
            holds += part * (weight / total if total > 0 else tied / tied.sum())
    return MonthPeak(expected_kw=float(values @ held), holds=holds)


def _distinct(cells: Floats) -> Floats:
    """Values of the cells, rising, ties once, 0 first. (value,) [kW]"""
    rising = np.unique(np.concatenate([[0.0], cells.ravel()]))
    kept = np.concatenate([[True], np.diff(rising) > TIE_KW])
    return np.asarray(rising[kept])


def _chance_below(economy: Economy, cells: Floats, values: Floats, days: float) -> Floats:
    """Chance that so many days meet no cell above each value. (value,)"""
    states, _, shocks = cells.shape
    block = max(1, AT_ONCE // (states * shocks) ** 2)
    found = [_block_below(economy, cells, values[at : at + block], days) for at in range(0, len(values), block)]
    return np.concatenate(found)


def _block_below(economy: Economy, cells: Floats, values: Floats, days: float) -> Floats:
    kernel, common = economy.shock_kernel, economy.common
    states, slots, shocks = cells.shape
    allowed = cells[None] <= values[:, None, None, None] + TIE_KW
    day = np.broadcast_to(np.eye(shocks), (len(values), states, shocks, shocks))
    for h in range(slots):
        day = day * allowed[:, :, h, None, :] @ kernel
    survive = np.ones((len(values), states, shocks))
    start = common.probability[:, None] * economy.shock_probability
    whole = int(days)
    chance = np.zeros(len(values))
    for number in range(1, whole + 2):
        survive = (day @ (common.kernel @ survive)[..., None])[..., 0]
        if number >= whole:
            share = days - whole
            chance += (share if number > whole else 1 - share) * (survive * start).sum(axis=(1, 2))
    return chance
