"""What a market bills by the month: components of its tariff, and credits that wait."""

from meanwatt.model.market.billing_months import ends_month
from meanwatt.model.market.component_bills import ComponentBills, ComponentRow
from meanwatt.model.market.credit_bills import CreditBills
from meanwatt.model.market.credit_sums import CreditRow
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.statement import MonthStatement
from meanwatt.model.mean_field.components.solving import Composed


class MonthBills:
    """Bills what depends on the month: credits pay energy charges, a minimum bill may add, then a true-up pays out.

    Parameters
    ----------
    market
        Before its first day.
    composed
        The components of its tariff; None without.
    """

    def __init__(self, market: ProsumerMarket, composed: Composed | None) -> None:
        self._market = market
        calendar = market.economy.scenario.calendar
        self._year = calendar.year if calendar is not None else None
        self._components = ComponentBills(composed, market) if composed is not None else None
        self._credits = CreditBills(market) if market.utility.tariff.carries_credits else None

    def after_day(self) -> None:
        """Read the meters of the day that is settled; bill the month if it ends."""
        for one in (self._components, self._credits):
            if one is not None:
                one.read_day()
        if ends_month(self._market.day - 1, self._year):
            self.bill()

    def bill(self) -> None:
        """Bill the month, or the part of it that was lived."""
        if self._credits is not None:
            self._credits.settle(self._components)
        if self._components is not None:
            self._components.bill()
        if self._credits is not None:
            paid = self._credits.pay_out()
            if self._components is not None:
                self._components.leave_out(paid)

    def stated(self, statement: MonthStatement) -> MonthStatement:
        """A statement of the month that was billed last, with all that depends on the month."""
        for one in (self._components, self._credits):
            if one is not None:
                statement = one.stated(statement)
        return statement

    def component_rows(self) -> tuple[ComponentRow, ...]:
        """What every component came to so far."""
        return () if self._components is None else tuple(self._components.rows())

    def credit_rows(self) -> tuple[CreditRow, ...]:
        """What became of the credits of every class so far, where they wait."""
        return () if self._credits is None else tuple(self._credits.rows.values())
