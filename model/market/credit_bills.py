"""Credits for exports that wait from month to month, home by home, from the meters of a finite market.

Every day's bill counts each slot's credit at once (`meanwatt.model.market.billing`). At a month's end the bills are put
right: what the tariff's `meanwatt.agents.tariff.credit_rule.CreditRule` lets wait is charged back, and is the utility's
liability; what waited pays energy charges; at the true-up what is left is paid out or lost. A month is settled by the
functions that `meanwatt bill` has (`meanwatt.agents.tariff.ratebook.credit_step`).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.credit_step import settle_kwh, settle_usd
from meanwatt.agents.tariff.ratebook.ratebook import MONTHS
from meanwatt.model.market.billing_months import ends_month
from meanwatt.model.market.component_bills import ComponentBills
from meanwatt.model.market.credit_class import CreditClass
from meanwatt.model.market.credit_sums import CreditRow
from meanwatt.model.market.day_settlement import own_rates
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.month_ledger import read_rows
from meanwatt.model.market.statement import MonthStatement
from meanwatt.model.scenario.calendar_days import WEEKEND


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _TypeMonth:
    """A settled month of the homes of a type, ranks ascending. (household,) each

    Attributes
    ----------
    parts_usd
        Energy charges of what is billed, and its part of the adder; None where those of the slots stand. [USD]
    used_usd, paid_out_usd
        Credits that pay energy charges, and that the true-up pays. [USD]
    counters
        Columns of the statement.
    liability_usd
        What is owed at the month's end for what waits, all homes together. [USD]
    """

    __repr__ = short_repr

    parts_usd: tuple[Floats, Floats] | None
    used_usd: Floats
    paid_out_usd: Floats
    counters: dict[str, Floats]
    liability_usd: float


class CreditBills:
    """Settles the months of a market whose tariff lets credits wait.

    Parameters
    ----------
    market
        Before its first day, in one process, its tariff posted for good.

    Attributes
    ----------
    usd : (household,)
        Credits that wait. [USD]
    surplus_kwh : (household, period)
        Surplus that waits in kWh; no column where nobody nets kWh. [kWh]
    rows : dict
        Place of a rate class → what became of its credits so far, of classes whose credits wait.
    """

    def __init__(self, market: ProsumerMarket) -> None:
        self._market = market
        people, tariff = market.population, market.utility.tariff
        calendar = market.economy.scenario.calendar
        self._year = calendar.year if calendar is not None else None
        self._classes = [CreditClass.of(own) for own in tariff.class_tariffs]
        self._class_of = [tariff.class_index(household) for household in market.household_types]
        nets = [one.periods for one in self._classes if one is not None and one.periods is not None]
        columns = max((len(periods.first_slot) for periods in nets), default=0)
        self.usd = np.zeros(people.households)
        self.surplus_kwh = np.zeros((people.households, columns))
        self._total_kwh = np.zeros(people.households if columns else 0)
        self._net_kwh = np.zeros_like(self.surplus_kwh)
        self._slotwise_usd = np.zeros((2, people.households))
        self._settled: dict[int, _TypeMonth] = {}
        self._days = self._months = 0
        names = [one.name for one in tariff.classes] or [tariff.name]
        self.rows = {
            place: CreditRow(
                name=names[place],
                rule=one.rule,
                households=int(people.count[np.array(self._class_of) == place].sum()),
            )
            for place, one in enumerate(self._classes)
            if one is not None
        }

    def read_day(self) -> None:
        """Read the meters of the day that is settled."""
        market = self._market
        utility, record = market.utility, market.last_record
        today = int(market.economy.common.today[record.common_state])
        rates = own_rates(utility.rates(today, record.wholesale_usd_per_kwh), utility.tariff, market.household_types)
        weekend = market.economy.scenario.day_classes[today] == WEEKEND
        seen = [None if one is None else one.see(today, weekend=weekend) for one in self._classes]
        nowhere = np.full(market.economy.slots, -1, dtype=np.int64)
        for k, place in enumerate(self._class_of):
            if self._classes[place] is None:
                continue
            both = np.array([rates[k].import_usd_per_kwh[0], rates[k].export_usd_per_kwh[0]])
            period = seen[place]
            into = (nowhere if period is None else period, self._slotwise_usd, self._net_kwh)
            read_rows(market, market.population.of_type(k), _read_day, both, *into)
        self._days += 1

    def settle(self, components: ComponentBills | None) -> None:
        """Settle the month, or the part of it that was lived, but for what is paid out.

        Parameters
        ----------
        components
            Of the same tariff, not yet billed for the month: tiers are energy charges, and count what is billed.
        """
        if self._days == 0:
            return
        market = self._market
        whole, number = ends_month(market.day - 1, self._year), self._months % MONTHS + 1
        correction = np.zeros(market.population.households)
        self._settled = {}
        for place, row in self.rows.items():
            own = self._classes[place]
            assert own is not None
            trues_up = whole and number == own.rule.true_up_month
            row.days += self._days
            row.true_ups += trues_up
            row.part_days = 0 if whole else self._days
            for k in np.flatnonzero(np.array(self._class_of) == place).tolist():
                settle = self._carry if own.periods is None else self._net
                self._settled[k] = done = settle(k, own, trues_up, components)
                rows = market.population.of_type(k)
                bought, sold = self._slotwise_usd[:, rows]
                charge = bought if done.parts_usd is None else sum(done.parts_usd)
                correction[rows] = charge - done.used_usd - (bought - sold)
        market.charge(correction)
        self._account(correction)

    def _account(self, correction: Floats) -> None:
        """Add the month to the rows. (household,) [USD]"""
        for row in self.rows.values():
            row.begin_month()
        for k, done in self._settled.items():
            row = self.rows[self._class_of[k]]
            for name, column in done.counters.items():
                row.add(name, float(column.sum()))
            row.liability_usd += done.liability_usd
            row.above_slotwise_usd += float(
                correction[self._market.population.of_type(k)].sum() - done.paid_out_usd.sum()
            )

    def pay_out(self) -> Floats:
        """Pay what the true-up pays, which no minimum bill takes, and begin another month. (household,) [USD]"""
        people = self._market.population
        paid = np.zeros(people.households)
        if self._days == 0:
            return paid
        for k, done in self._settled.items():
            paid[people.of_type(k)] = done.paid_out_usd
        if paid.any():
            self._market.charge(-paid)
        for one in self._classes:
            if one is not None:
                one.end_month()
        self._net_kwh[:] = 0.0
        self._slotwise_usd[:] = 0.0
        self._days, self._months = 0, self._months + 1
        return paid

    def _carry(self, k: int, own: CreditClass, trues_up: bool, components: ComponentBills | None) -> _TypeMonth:
        """Settle the month of a type whose slots' credits wait in dollars."""
        charge, earned = self._slotwise_usd[:, self._market.population.of_type(k)]
        charge = charge + (0.0 if components is None else components.tiers_usd(k))
        return self._in_usd(k, own, earned, charge, None, trues_up)

    def _net(self, k: int, own: CreditClass, trues_up: bool, components: ComponentBills | None) -> _TypeMonth:
        """Settle the month of a type whose kWh are netted within each period."""
        market, periods = self._market, own.periods
        assert periods is not None
        rows, columns = market.population.of_type(k), slice(len(periods.first_slot))
        net = self._net_kwh[rows, columns]
        in_kwh = not own.rule.metering.carries_usd
        billed, left = settle_kwh(net, self.surplus_kwh[rows, columns], own.goes_to() if in_kwh else {})
        if components is not None:
            components.take_billed(k, billed.sum(axis=1))
        kept, adder = own.tariff.kept_share(market.household_types[k]), self._adder_usd_per_kwh(k)
        parts = (kept * (billed @ periods.bought_usd_per_kwh), kept * adder * billed.sum(axis=1))
        if not in_kwh:
            charge = parts[0] + parts[1] + (0.0 if components is None else components.tiers_usd(k))
            return self._in_usd(k, own, left @ periods.sold_usd_per_kwh, charge, parts, trues_up)
        worth = left @ (kept * (periods.bought_usd_per_kwh + adder))
        waiting, nothing = left.sum(axis=1), np.zeros(len(net))
        total = np.maximum(self._total_kwh[rows] - net.sum(axis=1), 0.0)
        paid, ended, forfeited = nothing, nothing, nothing
        if trues_up:
            paid, ended = total * own.rule.year_end_usd_per_kwh, waiting
            forfeited, waiting, total, worth = worth - paid, nothing, nothing, nothing
            left = np.zeros_like(left)
        self._total_kwh[rows], self.surplus_kwh[rows, columns] = total, left
        return _TypeMonth(
            parts_usd=parts,
            used_usd=nothing,
            paid_out_usd=paid,
            counters={
                "credit_earned_kwh": np.maximum(-net, 0.0).sum(axis=1),
                "credit_used_kwh": (np.maximum(net, 0.0) - billed).sum(axis=1),
                "surplus_kwh": ended,
                "credit_carried_kwh": waiting,
                "credit_paid_out_usd": paid,
                "credit_forfeited_usd": forfeited,
            },
            liability_usd=float(worth.sum()),
        )

    def _in_usd(
        self,
        k: int,
        own: CreditClass,
        earned: Floats,
        charge: Floats,
        parts: tuple[Floats, Floats] | None,
        trues_up: bool,
    ) -> _TypeMonth:
        """Settle credits that wait in dollars against energy charges. (household,) each [USD]"""
        rows, rule = self._market.population.of_type(k), own.rule
        step = settle_usd(
            self.usd[rows],
            earned,
            charge,
            at_once=rule.metering.nets_by_month,
            trues_up=trues_up,
            expires=rule.credit_expires,
        )
        self.usd[rows] = step.left_usd
        return _TypeMonth(
            parts_usd=parts,
            used_usd=step.applied_usd,
            paid_out_usd=step.paid_out_usd,
            counters={
                "credit_earned_usd": earned.copy(),
                "credit_used_usd": step.applied_usd,
                "credit_paid_out_usd": step.paid_out_usd,
                "credit_forfeited_usd": step.forfeited_usd,
                "credit_carried_usd": step.left_usd,
            },
            liability_usd=float(step.left_usd.sum()),
        )

    def _adder_usd_per_kwh(self, k: int) -> float:
        """The adder that a type's class bears, before discount. [USD/kWh]"""
        utility = self._market.utility
        return utility.adder_usd_per_kwh if utility.tariff.bears_adder(self._class_of[k]) else 0.0

    def stated(self, statement: MonthStatement) -> MonthStatement:
        """A statement of the month that was settled last, with what waited in it."""
        types = list(statement.types)
        for k, done in self._settled.items():
            use = types[k].use_usd.copy()
            if done.parts_usd is not None:
                use[:, 1] = 0.0
                use[:, 0], use[:, 2] = done.parts_usd
            use[:, 3] = 0.0 - done.used_usd - done.paid_out_usd
            types[k] = replace(types[k], use_usd=use, counters={**types[k].counters, **done.counters})
        return replace(statement, types=tuple(types))


@compiled
def _read_day(
    first: int, last: int, energy_kwh: Any, rate: Floats, place: Ints, slotwise_usd: Floats, net_kwh: Floats
) -> None:
    """Add a day of households ``first`` to ``last − 1`` to their columns."""
    for household in range(first, last):
        paid, earned = 0.0, 0.0
        for h in range(energy_kwh.shape[1]):
            net = np.float64(energy_kwh[household, h])
            bought = max(net, 0.0)
            paid += bought * rate[0, h]
            earned += (bought - net) * rate[1, h]
            if place[h] >= 0:
                net_kwh[household, place[h]] += net
        slotwise_usd[0, household] += paid
        slotwise_usd[1, household] += earned
