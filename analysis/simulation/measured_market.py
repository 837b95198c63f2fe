"""A market whose days are measured, wherever its households are."""

from typing import Protocol

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.metrics.utility_meter import Enjoyed, UtilityMeter
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.market_centre import MarketCentre
from meanwatt.model.market.month_ledger import MonthLedger
from meanwatt.model.market.statement import MonthStatement
from meanwatt.model.scenario.messages import Messages


class MeasuredMarket(Protocol):
    """A market, and what no electricity meter shows; use it as ``start``, then ``before``, a day, ``after``."""

    @property
    def market(self) -> MarketCentre:
        """The market, or its centre."""

    @property
    def messages(self) -> Messages:
        """What happened on the way, a sentence each."""

    def start(self) -> None:
        """Make the households."""

    def before(self) -> None:
        """Remember where the households stand."""

    def after(self) -> Enjoyed:
        """Utility and wear of the day that is over."""

    def bill_usd(self) -> Floats:
        """Bills since the beginning, in the order of ids, (household,). [USD]"""

    def statement(self) -> MonthStatement:
        """State the month so far, and begin another; only where statements are kept."""

    def close(self) -> None:
        """Stop for good; the market's records stay readable."""


class WholeMarket:
    """Measures a market in this process."""

    messages: Messages = ()

    def __init__(self, market: ProsumerMarket, *, statements: bool = False) -> None:
        self.market = market
        self._meter = UtilityMeter(market)
        self._ledger = MonthLedger(market) if statements else None

    def start(self) -> None:
        """Nothing is left to make."""

    def before(self) -> None:
        """Remember where the households stand."""
        self._meter.before()

    def after(self) -> Enjoyed:
        """Utility and wear of the day that is over."""
        if self._ledger is not None:
            self._ledger.after_day()
        return self._meter.after()

    def bill_usd(self) -> Floats:
        """Bills since the beginning, in the order of ids, (household,). [USD]"""
        return self.market.population.bill_usd

    def statement(self) -> MonthStatement:
        """State the month so far, and begin another; only where statements are kept."""
        assert self._ledger is not None
        return self._ledger.close()

    def close(self) -> None:
        """Stop for good; the market's records stay readable."""
        self._meter.close()
        self.market.close()
