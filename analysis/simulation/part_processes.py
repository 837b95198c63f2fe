"""The parts of a divided market on worker processes of this machine: their orders, their meters, their loss.

A worker that dies is started again. Its part follows from the seed, from the mean net loads of the days so far, which
make its prices, and from what inverters held back: it lives these days anew and takes up the orders of today where they
were. What was read of its meters today is not asked for twice, so the day's digest goes on as well.
"""

import pickle
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import reduce
from multiprocessing.connection import wait
from operator import add
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.analysis.metrics.utility_meter import UtilitySums
from meanwatt.analysis.simulation.meter_stream import MeterStream
from meanwatt.analysis.simulation.part_process import Order, PartProcess
from meanwatt.analysis.worker_start import ctrl_c_stays_here, end_if_just_started, main_guard
from meanwatt.analysis.workers import LOOK_SECONDS, WorkersLostError
from meanwatt.model.market.apportionment import rank_ranges
from meanwatt.model.market.billing import Settled
from meanwatt.model.market.day_kernel import DaySums
from meanwatt.model.market.divided_market import PartMorning, PastDay, added_sums
from meanwatt.model.market.statement import MonthStatement, join_parts
from meanwatt.model.market.voltage_answer import Held
from meanwatt.model.progress.watch import Cancelled
from meanwatt.model.scenario.economy import Economy

MOST_DEATHS: Final = 3
"""Deaths of one part's workers after which it is given up."""
GRACE_SECONDS: Final = 0.5
"""Time that a day under way has to end after a request to stop."""

Asked = Callable[[], bool]
"""Whether somebody asked to stop."""


class PartProcesses:
    """All parts of a market, each in a worker process from ``start`` to ``close``.

    Parameters
    ----------
    economy
        Where.
    settings
        All other arguments of ``meanwatt.model.market.divided_market.MarketPart`` but ``part``.
    workers
        How many parts there are.
    cancelled
        Asked every moment while answers are waited for.
    statements
        Whether every household's months are kept.

    Attributes
    ----------
    messages : list of str
        Workers that were lost, a sentence each.

    Raises
    ------
    Cancelled
        By every method, if asked to stop and the day does not end soon.
    WorkersLostError
        By every method, if one part's workers die again and again.
    ValueError
        By every method, as the same market raises it in one process.
    """

    def __init__(
        self,
        economy: Economy,
        settings: dict[str, Any],
        workers: int,
        *,
        cancelled: Asked | None = None,
        statements: bool = False,
    ) -> None:
        self.messages: list[str] = []
        self._cancelled = cancelled
        self._asked_at: float | None = None
        self._grace_seconds = 0.0  # until there is a day to end
        self._statements = statements
        self._settings = pickle.dumps({"economy": economy, **settings}, protocol=pickle.HIGHEST_PROTOCOL)
        count = [rank_ranges(economy.type_share, settings["households"], k, workers)[1] for k in range(workers)]
        self._stream = MeterStream(np.transpose(count) * economy.slots * np.dtype("<f4").itemsize)
        self._parts = [PartProcess((k, workers)) for k in range(workers)]
        self._past: list[PastDay] = []
        self._today: list[Order] = []
        self._customers_at: Ints | None = None

    def start(self) -> None:
        """Start the workers; each makes its part."""
        try:
            self._customers_at = reduce(add, self._begin(self._parts))
        except (EOFError, OSError) as error:
            raise WorkersLostError(_NOT_STARTED) from error
        self._grace_seconds = GRACE_SECONDS

    @property
    def customers_at(self) -> Ints:
        """Simulated households of each type at each bus, (type, bus)."""
        assert self._customers_at is not None
        return self._customers_at

    def morning(self, *, held: bool) -> PartMorning:
        """First half of a day, in all parts; whether meters wait for ``hold_back``."""
        told = dict(self._today)
        if "evening" in told:
            (held_kwh,) = told.get("hold_back", (None,))
            self._past.append(PastDay(net_load_kw=told["evening"][0], held_kwh=held_kwh))
        self._today = []
        self._stream.begin()
        self._order("morning", held)
        total: PartMorning = reduce(add, self._answers())
        return total

    def hold_back(self, held_kwh: Held) -> DaySums:
        """Take what inverters hold back off the meters of all parts, (type, bus, slot). [kWh]"""
        self._order("hold_back", held_kwh)
        total: DaySums = reduce(added_sums, self._answers())
        return total

    def settle(self, net_load_kw: Floats) -> None:
        """Let all parts begin the second half of the day."""
        self._order("evening", net_load_kw)

    def settled(self) -> Settled:
        """Wait for the day's bills."""
        total: Settled = reduce(add, self._answers())
        return total

    def hexdigest(self) -> str:
        """Wait for the digest of the day's meters."""
        while self._stream.turn is not None:
            self._look()
            part = self._parts[self._stream.turn]
            if wait([part.meters], LOOK_SECONDS):
                self._read_meters(part)
        return self._stream.hexdigest()

    def measured(self) -> UtilitySums:
        """Utility and wear of the day that is over."""
        self._order("measure")
        total: UtilitySums = reduce(add, self._answers())
        return total

    def bills_usd(self) -> Floats:
        """Bills since the beginning, in the order of ids, (household,). [USD]"""
        self._order("bills")
        of_parts = self._answers()
        return np.concatenate([bill for of_type in zip(*of_parts, strict=True) for bill in of_type])

    def statement(self) -> MonthStatement:
        """The month so far, of all households; another one begins."""
        self._order("statement")
        return join_parts(self._answers())

    def close(self) -> None:
        """End all workers at once; they have nothing to keep."""
        for part in self._parts:
            part.end()

    # --- asking and answering ---------------------------------------------------------------------------------------

    def _order(self, name: str, *arguments: Any) -> None:
        """Ask all parts for the same; one that is dead is noticed when its answer is waited for."""
        self._today.append((name, arguments))
        for part in self._parts:
            part.owes = True
            with suppress(OSError):
                part.send(self._told(part, self._today[-1]))

    def _told(self, part: PartProcess, order: Order) -> Order:
        """An order as one part gets it: of today's meters it does not send what is known."""
        name, arguments = order
        taken = self._stream.taken_bytes(part.number)
        if name == "morning":
            return name, (None if arguments[0] else taken,)
        return (name, (*arguments, taken)) if name == "hold_back" else order

    def _answers(self) -> list[Any]:
        """Wait until all parts have answered the last order, and read meters meanwhile."""
        found: dict[int, Any] = {}
        while owing := [part for part in self._parts if part.owes]:
            self._look()
            turn = [] if self._stream.turn is None else [self._parts[self._stream.turn]]
            ready = wait([*(part.orders for part in owing), *(part.meters for part in turn)], LOOK_SECONDS)
            for part in owing:
                if part.orders in ready:
                    found[part.number] = self._answer(part)
            for part in turn:
                if part.meters in ready:  # its own still: that of a worker started again is another one
                    self._read_meters(part)
        return [found[part.number] for part in self._parts]

    def _answer(self, part: PartProcess) -> Any:
        """The answer of a part to the last order, of a new worker if need be."""
        while True:
            try:
                answer = part.answer(self._look)
            except (EOFError, OSError):
                self._begin_again(part)
            else:
                part.owes = False
                return answer

    def _read_meters(self, part: PartProcess) -> None:
        """Take in the next piece of a part's meters."""
        try:
            raw = part.meters.recv_bytes()
        except (EOFError, OSError):
            self._begin_again(part)
        else:
            self._stream.add(raw)

    def _look(self) -> None:
        """Raise ``Cancelled`` a while after a request to stop."""
        if self._cancelled is None or not self._cancelled():
            return
        now = time.monotonic()
        self._asked_at = self._asked_at or now
        if now - self._asked_at >= self._grace_seconds:
            raise Cancelled

    # --- starting ---------------------------------------------------------------------------------------------------

    def _begin(self, parts: Sequence[PartProcess]) -> list[Ints]:
        """Start workers and let each make its part; all start at the same time."""
        end_if_just_started()
        with (
            tempfile.TemporaryDirectory(prefix="meanwatt-", ignore_cleanup_errors=True) as scratch,
            main_guard(scratch),
        ):
            with ctrl_c_stays_here():
                for part in parts:
                    part.start()
            for part in parts:
                part.answer(self._look)
        for part in parts:
            part.send(("open", (self._settings, (part.number, part.of), self._statements)))
        return [part.answer(self._look) for part in parts]

    def _begin_again(self, part: PartProcess) -> None:
        """Start a dead worker again, and bring it to where it was: the last answer is left to be read if it is owed."""
        while True:
            part.deaths += 1
            if part.deaths == MOST_DEATHS:
                raise WorkersLostError(_LOST.format(number=part.number + 1, of=len(self._parts), times=MOST_DEATHS))
            self.messages.append(
                f"Worker {part.number + 1} of {len(self._parts)} was lost on day {len(self._past)} and started again;"
                " its part was recomputed from the seed, results are the same."
            )
            part.end()
            try:
                self._begin([part])
                part.send(("replay", (self._past,)))
                part.answer(self._look)
                for number, order in enumerate(self._today, start=1):
                    part.send(self._told(part, order))
                    if number < len(self._today) or not part.owes:
                        part.answer(self._look)
            except (EOFError, OSError):
                continue
            return


_LOST: Final = (
    "worker {number} of {of} was lost {times} times, for want of memory or because it was killed; give fewer"
    " households, or another number of workers: the same seed gives the same days"
)
_NOT_STARTED: Final = (
    "a worker process ended while its part was made, for want of memory or because it was killed; give fewer"
    " households, or another number of workers"
)
