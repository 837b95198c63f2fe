"""The leader's objective as far as the meters of its tariffs can tell it.

A meter shows energy and money, never what electricity is worth to a household. The utility's margin is all money. The
commission's welfare W is not: its change since the tariff in force is estimated by the rule of a half. A household's
best net benefit V is convex in its rates, being a maximum of functions linear in them, and its slope is what the meter
shows: ∂V/∂r⁺ = −imports, ∂V/∂r⁻ = exports (envelope theorem). Hence, between an old and a new tariff,

    −I₀·Δr⁺ + E₀·Δr⁻  ≤  ΔV  ≤  −I₁·Δr⁺ + E₁·Δr⁻,

and the middle of this metered bracket, −½(I₀ + I₁)·Δr⁺ + ½(E₀ + E₁)·Δr⁻, is exact where loads are linear in rates
(J. Dupuit; A. C. Harberger, *Three basic postulates for applied welfare economics*, 1971). The bracket holds for
households that choose exactly and weigh all days alike. At a temperature η > 0 it holds for V with the entropy η·H of
their choices added; the change of that entropy is what no meter shows. The supply side is the trapezoid along metered
prices and loads, exact where marginal cost and marginal emissions are linear in load.
"""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.leader.meter import MeterReading
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.design.design import Aims, Leader
from meanwatt.analysis.metrics.equity import burden, burden_gap
from meanwatt.model.scenario.economy import Economy

PENALTY_PER_SALES = 1.25
"""Price of a rate above the cap, in metered imports: at 1 raising all rates would earn what it costs, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The leader's objective of a tariff, from meters alone. [USD per household-day]

    Attributes
    ----------
    value_usd
        The utility: its margin. The commission: the welfare gained over the tariff in force, less penalties.
    half_width_usd
        Half the bracket of the households' benefit; 0 for the utility, whose margin is metered.
    violation_usd_per_kwh
        Highest import rate charged less the cap, ≤ 0 where it is met; 0 without a cap. [USD/kWh]
    score_usd
        What a learner is told: the value, less ``PENALTY_PER_SALES`` times the metered imports times the violation.
    """

    value_usd: float
    half_width_usd: float
    violation_usd_per_kwh: float
    score_usd: float


class MeteredObjective:
    """The objective of a leader who has metered the tariff in force, and meters another.

    Weather is set aside: a tariff is compared with the one in force day kind by day kind, over the kinds of day that
    both have seen, in the proportion of the climate.

    Parameters
    ----------
    economy
        Read for what is public alone: the climate, mean income by group (census), and the price of carbon.
    aims
        What the leader weighs.
    in_force
        The reading of the tariff in force.
    """

    def __init__(self, economy: Economy, aims: Aims, in_force: MeterReading) -> None:
        self._aims = aims
        self._climate = economy.common.probability
        self._income_usd_per_year = economy.group_income_usd_per_year
        self._carbon_usd_per_t = economy.carbon_usd_per_t
        self._in_force = in_force

    def estimate(self, reading: MeterReading) -> Estimate:
        """Estimate the objective of the tariff that a reading was taken under."""
        aims, cap = self._aims, self._aims.price_cap_usd_per_kwh
        weather = _SameWeather(self._climate, self._in_force, reading)
        half_width = 0.0
        if aims.leader is Leader.UTILITY:
            value = float(weather.level("margin_usd_per_day"))
        else:
            welfare, half_width = self._welfare_gain(weather)
            volatility = float(weather.level("volatility_usd_per_kwh"))
            value = welfare - aims.equity * self._burden_gap(weather) - aims.stability * volatility
        violation = 0.0 if cap is None else float(reading.import_usd_per_kwh.max()) - cap
        sales = reading.slot_hours * float(reading.weight @ reading.imported_kw.sum(axis=(1, 2)))
        return Estimate(
            value_usd=value,
            half_width_usd=half_width,
            violation_usd_per_kwh=violation,
            score_usd=value - PENALTY_PER_SALES * sales * max(violation, 0.0),
        )

    def _welfare_gain(self, weather: "_SameWeather") -> tuple[float, float]:
        """Welfare gained over the tariff in force, and half the bracket of the households' benefit in it."""
        old, new, hours = weather.old, weather.new, weather.new.slot_hours
        (bought_0, bought_1), (sold_0, sold_1) = weather.pair("import_usd_per_kwh"), weather.pair("export_usd_per_kwh")
        (imports_0, imports_1), (exports_0, exports_1) = weather.pair("imported_kw"), weather.pair("exported_kw")
        dearer, better_paid = bought_1 - bought_0, sold_1 - sold_0
        least = hours * float(weather.mean(exports_0 * better_paid - imports_0 * dearer).sum())
        most = hours * float(weather.mean(exports_1 * better_paid - imports_1 * dearer).sum())
        charges = float(new.group_share @ new.fixed_charge_usd_per_day - old.group_share @ old.fixed_charge_usd_per_day)
        bills_0, bills_1 = weather.pair("bill_usd_per_day")
        revenue = float(weather.mean(bills_1 - bills_0).sum())
        load_0, load_1 = weather.pair("net_load_kw")
        price = sum(weather.pair("wholesale_usd_per_kwh"))
        emissions = sum(weather.pair("marginal_emissions_t_per_kwh"))
        dearer_supply = 0.5 * (price + self._carbon_usd_per_t * emissions) * (load_1 - load_0)
        supply = hours * float(weather.mean(dearer_supply).sum())
        return 0.5 * (least + most) - charges + revenue - supply, 0.5 * (most - least)

    def _burden_gap(self, weather: "_SameWeather") -> float:
        share = weather.new.group_share
        there = share > 0
        bill = weather.level("bill_usd_per_day")[there] / share[there]
        return burden_gap(burden(bill, self._income_usd_per_year[there]).tolist())


class _SameWeather:
    """Two readings by kind of day, over the kinds that both have seen, in the proportion of the climate (c,)."""

    def __init__(self, climate: Floats, old: MeterReading, new: MeterReading) -> None:
        self.old, self.new = old, new
        by_state = [_averaging(reading, len(climate)) for reading in (old, new)]
        both = by_state[0].any(axis=1) & by_state[1].any(axis=1)
        if not both.any():
            raise ValueError(
                "the new tariff was metered in weather that the tariff in force never saw; meter more days"
            )
        self._average = tuple(matrix[both] for matrix in by_state)
        self._climate = climate[both] / climate[both].sum()

    def pair(self, name: str) -> tuple[Floats, Floats]:
        """A quantity (row, …) of both readings, averaged by kind of day: (kind, …) each."""
        old, new = (
            np.tensordot(average, getattr(reading, name), axes=1)
            for average, reading in zip(self._average, (self.old, self.new), strict=True)
        )
        return old, new

    def mean(self, by_kind: Floats) -> Floats:
        """Mean of (kind, …) in this climate."""
        return np.asarray(np.tensordot(self._climate, by_kind, axes=1))

    def level(self, name: str) -> Floats:
        """A quantity under the new tariff: its long mean under the old one and the change in the same weather."""
        old, new = self.pair(name)
        return np.asarray(np.tensordot(self.old.weight, getattr(self.old, name), axes=1) + self.mean(new - old))


def _averaging(reading: MeterReading, states: int) -> Floats:
    """Matrix (common state, row) that averages rows by common state; zeros where none was metered."""
    shares = np.zeros((states, len(reading.weight)))
    shares[reading.common_state, np.arange(len(reading.weight))] = reading.weight
    total = shares.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(shares, total, out=np.zeros_like(shares), where=total > 0))
