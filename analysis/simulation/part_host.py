"""One part of a divided market in its worker process, and what is measured of it.

The day's meters go through a pipe of their own, while the day is settled: first those of the first household type,
ranks ascending, then those of the next. A pipe holds little, so a part that is ahead of its turn waits.
"""

import pickle
import threading
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Final

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.analysis.metrics.utility_meter import UtilityMeter, UtilitySums
from meanwatt.model.market.billing import Settled
from meanwatt.model.market.day_kernel import DaySums
from meanwatt.model.market.divided_market import MarketPart, PartMorning, PastDay
from meanwatt.model.market.month_ledger import MonthLedger
from meanwatt.model.market.statement import MonthStatement
from meanwatt.model.market.voltage_answer import Held

PIECE_BYTES: Final = 2**20
"""Most of the meters that are sent at a time. [bytes]"""


class PartHost:
    """One part of a market, and what is measured of it.

    Parameters
    ----------
    meters
        Where the meters go.
    """

    def __init__(self, meters: "Connection[Any, Any]") -> None:
        self._meters = meters
        self._sender: threading.Thread | None = None

    def open(self, settings: bytes, part: tuple[int, int], statements: bool = False) -> Ints:
        """Make part k of n by pickled arguments of `MarketPart`; return its households of each type at each bus."""
        self._market = MarketPart(part, **pickle.loads(settings))
        self._meter = UtilityMeter(self._market)
        self._ledger = MonthLedger(self._market) if statements else None
        return self._market.population.customers_at

    def replay(self, days: Sequence[PastDay]) -> None:
        """Live some days anew."""
        for day in days:
            self._market.replay([day])
            if self._ledger is not None:
                self._ledger.after_day()
                if self._ledger.ends_month:
                    self._ledger.close()

    def morning(self, sent_bytes: int | None) -> PartMorning:
        """First half of a day; the meters are sent but for the first ``sent_bytes``, which are known.

        Where that is None they wait for ``hold_back``.
        """
        if self._sender:
            self._sender.join()
        self._meter.before()
        answer = self._market.morning()
        if sent_bytes is not None:
            self._begin_sending(sent_bytes)
        return answer

    def hold_back(self, held_kwh: Held, sent_bytes: int) -> DaySums:
        """Take what inverters hold back off the meters, (type, bus, slot), and send these as ``morning`` does. [kWh]"""
        answer = self._market.hold_back(held_kwh)
        self._begin_sending(sent_bytes)
        return answer

    def evening(self, net_load_kw: Floats) -> Settled:
        """Second half of a day, at the market's mean net load (slot,). [kW]"""
        settled = self._market.evening(net_load_kw)
        if self._ledger is not None:
            self._ledger.after_day()
        return settled

    def statement(self) -> MonthStatement:
        """The month so far; another one begins."""
        assert self._ledger is not None
        return self._ledger.close()

    def measure(self) -> UtilitySums:
        """Measure the day that is over."""
        return self._meter.sums()

    def bills(self) -> list[Floats]:
        """Bills since the beginning of the households of each type. [USD]"""
        people = self._market.population
        return [people.bill_usd[people.of_type(type_index)] for type_index in range(people.types)]

    def _begin_sending(self, sent_bytes: int) -> None:
        self._sender = threading.Thread(target=self._send, args=(sent_bytes,), daemon=True)
        self._sender.start()

    def _send(self, sent_bytes: int) -> None:
        """Send the meters type by type, so that no piece holds households of two types."""
        people = self._market.population
        begin = 0
        with suppress(OSError):  # nobody reads them any more
            for type_index in range(people.types):
                raw = people.energy_kwh[people.of_type(type_index)].astype("<f4", copy=False).reshape(-1).view("u1")
                for start in range(max(sent_bytes - begin, 0), len(raw), PIECE_BYTES):
                    self._meters.send_bytes(raw[start : start + PIECE_BYTES].data)
                begin += len(raw)
