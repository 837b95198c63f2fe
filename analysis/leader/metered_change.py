"""What meters tell of another tariff beside the one in force.

A meter shows energy and money, never what electricity is worth to a household. What another tariff is worth to
households beside the one in force is estimated by the rule of a half. A household's best net benefit V is convex in its
rates, being a maximum of functions linear in them, and its slope is what the meter shows: ∂V/∂r⁺ = −imports,
∂V/∂r⁻ = exports (envelope theorem). Hence, between an old and a new tariff,

    −I₀·Δr⁺ + E₀·Δr⁻  ≤  ΔV  ≤  −I₁·Δr⁺ + E₁·Δr⁻,

and the middle of this metered bracket, −½(I₀ + I₁)·Δr⁺ + ½(E₀ + E₁)·Δr⁻, is exact where loads are linear in rates
(J. Dupuit; A. C. Harberger, *Three basic postulates for applied welfare economics*, 1971). The bracket holds for
households that choose exactly and weigh all days alike. At a temperature η > 0 it holds for V with the entropy η·H of
their choices added; the change of that entropy is what no meter shows. The supply side is the trapezoid along metered
prices and loads, exact where marginal cost and marginal emissions are linear in load.
"""

import numpy as np

from meanwatt.agents.leader.meter import MeterReading
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.rate_classes import called
from meanwatt.analysis.metrics.equity import burden, burden_gap
from meanwatt.model.scenario.economy import Economy


class MeteredChange:
    """Two readings by kind of day: of the tariff in force, and of another.

    Weather is set aside: the tariffs are compared day kind by day kind, over the kinds of day that both have seen, in
    the proportion of the climate.

    Parameters
    ----------
    economy
        Read for what is public alone: the climate, mean income by group (census), and the price of carbon.
    old, new
        Readings of the tariff in force and of the other, by the same accounts.

    Raises
    ------
    ValueError
        If no kind of day was seen by both, or their accounts differ.
    """

    def __init__(self, economy: Economy, old: MeterReading, new: MeterReading) -> None:
        if len(old.customers) != len(new.customers):
            raise ValueError(
                f"{called(old.tariff)} and {called(new.tariff)} were metered by different accounts; read both by"
                " household type, as where rate classes are in force"
            )
        self.old, self.new = old, new
        self.income_usd_per_year = economy.group_income_usd_per_year
        self._carbon_usd_per_t = economy.carbon_usd_per_t
        climate = economy.common.probability
        by_state = [averaging(reading, len(climate)) for reading in (old, new)]
        both = by_state[0].any(axis=1) & by_state[1].any(axis=1)
        if not both.any():
            raise ValueError(
                "the new tariff was metered in weather that the tariff in force never saw; meter more days"
            )
        self._average = tuple(matrix[both] for matrix in by_state)
        self._climate = climate[both] / climate[both].sum()

    @property
    def group_share(self) -> Floats:
        """Share of customers in each income group. (group,)"""
        return self.new.group_share

    def margin_usd_per_day(self) -> float:
        """Revenue less the cost of energy and network. [USD per household-day]"""
        return float(self.level("margin_usd_per_day"))

    def volatility(self) -> float:
        """Mean |change| of the wholesale price from slot to slot. [USD/kWh]"""
        return float(self.level("volatility_usd_per_kwh"))

    def burden(self) -> Floats:
        """Net bills over income of every income group with households. (group with households,) [-]"""
        share = self.new.group_share
        there = share > 0
        bill = self.new.by_group(self.level("bill_usd_per_day"))[there] / share[there]
        return burden(bill, self.income_usd_per_year[there])

    def burden_gap(self) -> float:
        """Largest less smallest burden. [-]"""
        return burden_gap(self.burden().tolist())

    def bill_in_force_usd_per_day(self) -> Floats:
        """Mean bill of a household of each group under the tariff in force; nan of an empty one. (group,)"""
        bill = np.tensordot(self.old.weight, self.old.bill_usd_per_day, axes=1)
        return _per_household(self.old.by_group(bill), self.old.group_share)

    def welfare_gain(self) -> tuple[float, float]:
        """Welfare gained over the tariff in force, and half the bracket of the households' benefit in it."""
        old, new, hours = self.old, self.new, self.new.slot_hours
        least, most = (hours * float(part.sum()) for part in self._benefit())
        charges = float(
            new.account_share @ new.fixed_charge_usd_per_day - old.account_share @ old.fixed_charge_usd_per_day
        )
        charges += float(
            new.other_standing_usd_per_household_day.sum() - old.other_standing_usd_per_household_day.sum()
        )
        bills_0, bills_1 = self.pair("bill_usd_per_day")
        revenue = float(self.mean(bills_1 - bills_0).sum())
        load_0, load_1 = self.pair("net_load_kw")
        price = sum(self.pair("wholesale_usd_per_kwh"))
        emissions = sum(self.pair("marginal_emissions_t_per_kwh"))
        dearer_supply = 0.5 * (price + self._carbon_usd_per_t * emissions) * (load_1 - load_0)
        supply = hours * float(self.mean(dearer_supply).sum())
        return 0.5 * (least + most) - charges + revenue - supply, 0.5 * (most - least)

    def household_gain_usd_per_day(self) -> tuple[Floats, Floats]:
        """Least and most that a household of each group gains over the tariff in force; nan of an empty one. (group,)

        Its benefit within the bracket, less the change of what it pays whatever it uses.
        """
        charge = _standing_usd_per_day(self.new) - _standing_usd_per_day(self.old)
        least, most = (
            _per_household(self.new.slot_hours * self.new.by_group(part.sum(axis=1)), self.new.group_share) - charge
            for part in self._benefit()
        )
        return least, most

    def _benefit(self) -> tuple[Floats, Floats]:
        """Ends of the bracket of the households' benefit, per hour. (account, slot) each [USD/h]"""
        (bought_0, bought_1), (sold_0, sold_1) = self.pair("import_usd_per_kwh"), self.pair("export_usd_per_kwh")
        (imports_0, imports_1), (exports_0, exports_1) = self.pair("imported_kw"), self.pair("exported_kw")
        dearer, better_paid = bought_1 - bought_0, sold_1 - sold_0
        least = self.mean(exports_0 * better_paid - imports_0 * dearer)
        return least, self.mean(exports_1 * better_paid - imports_1 * dearer)

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


def _standing_usd_per_day(reading: MeterReading) -> Floats:
    """What the mean household of each group pays whatever it uses; nan of an empty group beside the fixed. (group,)"""
    if reading.customers:
        return _per_household(reading.by_group(reading.standing_bill_usd_per_day), reading.group_share)
    others = _per_household(reading.other_standing_usd_per_household_day, reading.group_share)
    return np.asarray(reading.fixed_charge_usd_per_day + others)


def _per_household(total: Floats, share: Floats) -> Floats:
    """Sums over groups, divided by all households, as means of each group's own; nan of an empty one. (group,)"""
    return np.asarray(np.divide(total, share, out=np.full(len(share), np.nan), where=share > 0))


def averaging(reading: MeterReading, states: int) -> Floats:
    """Matrix (common state, row) that averages rows by common state; zeros where none was metered."""
    shares = np.zeros((states, len(reading.weight)))
    shares[reading.common_state, np.arange(len(reading.weight))] = reading.weight
    total = shares.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(shares, total, out=np.zeros_like(shares), where=total > 0))
