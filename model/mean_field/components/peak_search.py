"""The search for the adders of a demand charge: weights on cells that equalise the month's largest imports.

A household that pays D for each kW of its month's largest import minimises its other cost plus D·E[max], E[max] the
largest of <w, import> over the weights w that some order of the cells gives (`month_peak`). That is a saddle point: the
household's cost at weights w is concave in w, its slope the mean imports. Every step moves the weights to the best of a
quadratic model of that cost, found by conditional gradients (Frank, Wolfe, Naval Res. Logist. Q. 3, 1956): the laws of
the largest import, mixed. To put the law in the place of the weights would go round in circles where households are
cold: all flee the dearest slot together. D·(E[max] − <w, import>) bounds what is left to gain, and is reported.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.components.component import DAYS_PER_MONTH
from meanwatt.agents.tariff.components.demand_charge import DemandCharge, DemandView
from meanwatt.model.mean_field.components.month_peak import MonthPeak, month_peak
from meanwatt.model.scenario.economy import Economy

TOLERANCE: Final = 5e-3
"""Part of the demand charge that households may fail to see,"""
HELD: Final = 0.5
"""and part of that below which a type's weights stay as they are."""
WORSE: Final = 1.02
SLOW: Final = 0.6
"""A step that leaves more than these parts of what was missed assumed too small a slope, or too large a one."""
INNER_STEPS: Final = 60
INNER_GAIN: Final = 1e-4
"""Steps of a model, and the relative gain at which it is good enough."""
BATTERY_SLOPE: Final = 8.0
"""First guess of how much more a battery's imports answer adders than use."""


class PeakSearch:
    """Adders by common state, slot and own shock, type by type.

    Parameters
    ----------
    charges : (θ,)
        The demand charge that each type decides by; None where it has none, or does not see it.

    Attributes
    ----------
    weight : (θ,) of (c, h, z)
        Chance, as the household sees it, that a cell holds the month's largest import.
    """

    def __init__(self, economy: Economy, charges: Sequence[DemandCharge | None]) -> None:
        self._economy = economy
        self.charges = [
            charge if charge is not None and charge.decision is DemandView.EX_ANTE else None for charge in charges
        ]
        met = economy.common.probability[:, None, None] * economy.shock_probability
        self._hours = (
            DAYS_PER_MONTH
            * economy.slot_hours
            * np.broadcast_to(met, (*economy.rest_load_kw.shape, economy.shock_levels.size))
        )
        self._before = np.full(len(charges), np.inf)
        self._slope = np.array([max(t.elasticity, 0.1) * t.reference_kw.max() / t.reference_price_usd_per_kwh
                                * (BATTERY_SLOPE if t.battery else 1.0) for t in economy.types])  # fmt: skip
        self.weight = [self._first(k) for k in range(len(charges))]

    @property
    def seen(self) -> bool:
        """Whether anybody decides by a demand charge."""
        return any(charge is not None for charge in self.charges)

    def adders_usd_per_kwh(self) -> tuple[Floats, ...]:
        """Adder D·w/(days·p_c·P(z)·Δ) of each type; empty where nobody sees a charge. (θ,) of (c, h, z) [USD/kWh]"""
        if not self.seen:
            return ()
        return tuple(
            np.divide(charge.usd_per_kw_month * weight, self._hours, out=np.zeros_like(weight), where=self._hours > 0)
            if charge is not None
            else np.zeros_like(weight)
            for charge, weight in zip(self.charges, self.weight, strict=True)
        )

    def missed(self, peaks: Sequence[MonthPeak | None], imports_kw: Sequence[Floats]) -> Floats:
        """What each type's charge exceeds what its adders bring by, as a part of the charge; 0 at the saddle. (θ,)"""
        return np.array(
            [
                max(peak.expected_kw - float((weight * imported).sum()), 0.0) / peak.expected_kw
                if charge is not None and peak is not None and peak.expected_kw > 0
                else 0.0
                for charge, peak, weight, imported in zip(self.charges, peaks, self.weight, imports_kw, strict=True)
            ]
        )

    def step(self, peaks: Sequence[MonthPeak | None], imports_kw: Sequence[Floats]) -> None:
        """Move the weights to where they answer themselves if imports fall along a straight line with their adders."""
        missed = self.missed(peaks, imports_kw)
        moving = missed > HELD * TOLERANCE
        worse = moving & (missed > WORSE * self._before)
        slow = moving & ~worse & (missed > SLOW * self._before)
        self._slope *= np.where(worse, 2.0, np.where(slow, 0.7, 1.0))
        self._before = missed
        for k, charge in enumerate(self.charges):
            if charge is not None and moving[k]:
                self.weight[k] = self._answering(k, charge, imports_kw[k])

    def _answering(self, type_index: int, charge: DemandCharge, import_kw: Floats) -> Floats:
        """Weights w' in the law of the largest import at imports less slope·(adder at w' less adder at w)."""
        weight = here = self.weight[type_index]
        steep = np.divide(
            self._slope[type_index] * charge.usd_per_kw_month,
            self._hours,
            out=np.zeros_like(here),
            where=self._hours > 0,
        )
        for _ in range(INNER_STEPS):
            expected = import_kw - steep * (weight - here)
            toward = month_peak(self._economy, np.maximum(expected, 0.0), charge.counted).holds - weight
            gain, curve = float((expected * toward).sum()), float((steep * toward**2).sum())
            if gain <= INNER_GAIN * float((expected * weight).sum()):
                break
            weight = weight + toward * (min(1.0, gain / curve) if curve > 0 else 1.0)
        return weight

    def _first(self, type_index: int) -> Floats:
        """The law of the largest import at reference load, batteries at rest. (c, h, z)"""
        economy, charge = self._economy, self.charges[type_index]
        household = economy.types[type_index]
        shape = (*household.reference_kw.shape, economy.shock_levels.size)
        if charge is None:
            return np.zeros(shape)
        load = household.reference_kw[..., None] * economy.shock_levels - household.pv_kw[..., None]
        return month_peak(economy, np.maximum(load, 0.0), charge.counted).holds
