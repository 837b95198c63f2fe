"""The bills of a tariff's components, home by home and month by month, from the meters of a finite market.

Rates and standing charges are billed every day (`billing`); what depends on the month is billed at its end. A month is
that of the calendar year a market lives, else 30 or 31 days so that twelve make 365. Limits of tiers, demand charges
and minimum bills are those of a month of 365/12 days times the days billed over that, as utilities prorate.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.components.component import DAYS_PER_MONTH
from meanwatt.agents.tariff.components.demand_charge import DemandCharge
from meanwatt.agents.tariff.components.discount_funding import DiscountFunding, FundedBy
from meanwatt.agents.tariff.components.minimum_bill import MinimumBill
from meanwatt.agents.tariff.components.subscription import Subscription
from meanwatt.agents.tariff.components.tiers import Tiers
from meanwatt.agents.tariff.tariff import ExportRule
from meanwatt.model.market.billing_months import ends_month
from meanwatt.model.market.day_settlement import own_rates
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.statement import MonthStatement
from meanwatt.model.mean_field.components.amounts import component_of
from meanwatt.model.mean_field.components.solving import Composed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ComponentRow:
    """What a component came to in a market, beside what the mean field expects.

    Attributes
    ----------
    billed_usd, expected_usd : (type,)
        Mean of the homes billed, and of the expected month; NaN where a type has no home. [USD per household-day]
    """

    component: str
    billed_usd: Floats
    expected_usd: Floats

    def billed_mean_usd(self, share: Floats) -> float:
        """Mean of what was billed at population shares (type,). [USD per household-day]"""
        return float(share @ np.nan_to_num(self.billed_usd))


class ComponentBills:
    """Bills the components of a market's tariff.

    Parameters
    ----------
    composed
        The equilibrium whose market this is (`meanwatt.model.mean_field.components.settled.market_equilibrium`).
    market
        Before its first day.

    Attributes
    ----------
    charged_usd : dict of (household,)
        What each component came to since the beginning. [USD]
    month_usd : dict of (household,)
        The same of the last month billed. [USD]
    month_counters : dict of (household,)
        What that month was reckoned by: ``billed_kwh``, and ``demand_kw``, the largest import in the window of a demand
        charge, or of one by the day ``demand_kw_days``, the sum of the days' largest; NaN of households without such a
        component.
    """

    def __init__(self, composed: Composed, market: ProsumerMarket) -> None:
        self._composed, self._market = composed, market
        economy, people = composed.economy, market.population
        self._kinds = np.repeat(np.arange(len(economy.types)), people.count)
        self._own = [composed.posted.of(household) for household in economy.types]
        self._nets = np.array([own.export_rule is ExportRule.NET_METERING for own in self._own])[self._kinds]
        calendar = economy.scenario.calendar
        self._year = calendar.year if calendar is not None else None
        self.charged_usd: dict[str, Floats] = {
            part.name: np.zeros(people.households) for own in self._own for part in own.components
        }
        self.month_usd: dict[str, Floats] = {}
        self.month_counters: dict[str, Floats] = {}
        self.days = 0
        self._open_month()

    def _open_month(self) -> None:
        people, types = self._market.population, len(self._own)
        self._days = 0
        self._billed_kwh, self._peak_kw, self._peaks_kw = np.zeros((3, people.households))
        self._contract_usd = np.zeros(types)
        self._bill_before = people.bill_usd.copy()

    def after_day(self) -> None:
        """Read the meters of the day that is settled; bill the month if it ends."""
        self.read_day()
        if ends_month(self._market.day - 1, self._year):
            self.bill()

    def read_day(self) -> None:
        """Read the meters of the day that is settled."""
        market, economy = self._market, self._composed.economy
        energy = market.population.energy_kwh
        kwh = np.where(self._nets[:, None], energy, np.maximum(energy, 0.0))
        self._billed_kwh += kwh.sum(axis=1, dtype=np.float64)
        for k, own in enumerate(self._own):
            demand, contract = component_of(own, DemandCharge), component_of(own, Subscription)
            if demand is not None:
                here = market.population.of_type(k)
                peak = demand.day_peak_kw(energy[here].astype(np.float64), economy.slot_hours)
                self._peak_kw[here] = np.maximum(self._peak_kw[here], peak)
                self._peaks_kw[here] += peak
            if contract is not None:
                self._contract_usd[k] += self._contract_of_day(k, contract)
        self._days += 1
        self.days += 1

    def take_billed(self, type_index: int, kwh: Floats) -> None:
        """Take what a type's homes are billed for this month, where it is netted over the month. (household,) [kWh]"""
        self._billed_kwh[self._market.population.of_type(type_index)] = kwh

    def leave_out(self, paid_usd: Floats) -> None:
        """Leave what is paid out after the month was billed out of what a minimum bill counts. (household,) [USD]"""
        self._bill_before -= paid_usd

    def tiers_usd(self, type_index: int) -> Floats | float:
        """What the tiers of the month come to for the homes of a type; 0 without. (household,) [USD]"""
        tiers = component_of(self._own[type_index], Tiers)
        billed = self._billed_kwh[self._market.population.of_type(type_index)]
        return 0.0 if tiers is None else tiers.cost_usd(billed, self._days / DAYS_PER_MONTH)

    def _contract_of_day(self, type_index: int, contract: Subscription) -> float:
        """What a contract comes to at the prices of the day. [USD]"""
        market, household = self._market, self._composed.economy.types[type_index]
        today = np.array([int(market.economy.common.today[market.common_state])])
        posted = market.utility.rates(int(today[0]), market.prices_seen[market.common_state])
        rate = own_rates(posted, market.utility.tariff, [household])[0].import_usd_per_kwh
        contracted = contract.contracted_kw(household.reference_kw - household.pv_kw)[[market.common_state]]
        return float(contract.by_state_usd(contracted, rate, today, market.slot_hours)[0])

    @property
    def open_days(self) -> int:
        """Days lived that are not billed yet."""
        return self._days

    def bill(self) -> None:
        """Bill the month, or the part of it that was lived."""
        if self._days == 0:
            return
        people = self._market.population
        months = self._days / DAYS_PER_MONTH
        total = np.zeros(people.households)
        self.month_usd = {name: np.zeros(people.households) for name in self.charged_usd}
        for k, own in enumerate(self._own):
            here = people.of_type(k)
            parts: dict[str, Floats] = {}
            self._add_month(parts, own, k, months)
            charge = sum(parts.values(), np.zeros(int(people.count[k])))
            minimum = component_of(own, MinimumBill)
            if minimum is not None:
                bill = people.bill_usd[here] - self._bill_before[here] + charge
                parts["minimum_bill"] = minimum.added_usd(bill, months)
                charge = charge + parts["minimum_bill"]
            for name, usd in parts.items():
                self.charged_usd[name][here] += usd
                self.month_usd[name][here] = usd
            total[here] = charge
        self._market.charge(total)
        self.month_counters = self._counters()
        self._open_month()

    def _counters(self) -> dict[str, Floats]:
        """What the month's components are reckoned by. (household,) each"""
        demands = [component_of(own, DemandCharge) for own in self._own]
        energy = [bool(component_of(own, Tiers) or component_of(own, DiscountFunding)) for own in self._own]
        by = {
            "billed_kwh": (self._billed_kwh, energy),
            "demand_kw": (self._peak_kw, [one is not None and not one.by_day for one in demands]),
            "demand_kw_days": (self._peaks_kw, [one is not None and one.by_day for one in demands]),
        }
        found = {}
        for name, (column, counted) in by.items():
            counts = np.array(counted)
            if counts.any():
                found[name] = np.where(counts[self._kinds], column, np.nan)
        return found

    def stated(self, statement: MonthStatement) -> MonthStatement:
        """A statement of the month that was billed last, with its components."""
        people = self._market.population

        def of_type(columns: dict[str, Floats], k: int) -> dict[str, Floats]:
            return {name: column[people.of_type(k)] for name, column in columns.items()}

        types = tuple(
            replace(one, component_usd=of_type(self.month_usd, k), counters=of_type(self.month_counters, k))
            for k, one in enumerate(statement.types)
        )
        return replace(statement, types=types)

    def _add_month(self, parts: dict[str, Floats], own: Any, type_index: int, months: float) -> None:
        """What the components but the minimum bill come to for the homes of a type. (household of the type,) each"""
        here = self._market.population.of_type(type_index)
        billed = self._billed_kwh[here]
        demand = component_of(own, DemandCharge)
        funding, seen = component_of(own, DiscountFunding), self._composed.seen
        if component_of(own, Tiers) is not None:
            parts["tiers"] = np.asarray(self.tiers_usd(type_index))
        if demand is not None:
            by_month = demand.usd_per_kw_month * months * self._peak_kw[here]
            parts["demand_charge"] = demand.usd_per_kw_day * self._peaks_kw[here] if demand.by_day else by_month
        if component_of(own, Subscription) is not None:
            parts["subscription"] = np.full(billed.shape, self._contract_usd[type_index])
        if funding is not None and funding.by is FundedBy.PER_KWH:
            parts["discount_funding"] = seen.surcharge_usd_per_kwh * billed
        elif funding is not None:
            parts["discount_funding"] = np.full(
                billed.shape, self._days * float(seen.beyond_usd_per_day["discount_funding"][type_index])
            )

    def rows(self) -> list[ComponentRow]:
        """What every component came to so far, beside what was expected."""
        count = self._market.population.count
        found = []
        for name, usd in self.charged_usd.items():
            total = np.bincount(self._kinds, usd, minlength=len(count))
            days = count * self.days
            mean = np.divide(total, days, out=np.full(len(count), np.nan), where=days > 0)
            expected = self._composed.amounts.usd_per_day[name]
            found.append(ComponentRow(component=name, billed_usd=mean, expected_usd=expected))
        return found
