"""A run of the finite market from the first day to the last, with its metrics."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from meanwatt.agents.leader.learning_leader import Leader
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.randomness import Key, require_key
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.metrics.bus_groups import BusGroup
from meanwatt.analysis.metrics.feeder_stress import FeederStress
from meanwatt.analysis.metrics.metrics import Metrics
from meanwatt.analysis.metrics.phase_stress import PhaseStress
from meanwatt.analysis.metrics.transformer_ageing import TransformerAgeing
from meanwatt.analysis.metrics.undefined import undefined_messages
from meanwatt.analysis.metrics.utility_meter import Enjoyed
from meanwatt.analysis.simulation.credit_report import credit_messages
from meanwatt.analysis.simulation.inverter_report import inverter_report
from meanwatt.analysis.simulation.measured_market import MeasuredMarket, WholeMarket
from meanwatt.analysis.simulation.run_summary import (
    ageing_of,
    behaviour_rows,
    curtailed_kwh,
    feeder_losses,
    groups_of_buses,
    market_phases,
    run_metrics,
    stress_of_feeder,
    unmet_trip_kwh,
)
from meanwatt.model.market.behaviour_spec import Given
from meanwatt.model.market.billing_months import ends_month
from meanwatt.model.market.component_bills import ComponentRow
from meanwatt.model.market.credit_sums import CreditRow
from meanwatt.model.market.history import History
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.market_centre import MarketCentre
from meanwatt.model.market.month_bills import MonthBills
from meanwatt.model.market.statement import MonthStatement
from meanwatt.model.mean_field.components.solving import Composed
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.progress.machine import require_room
from meanwatt.model.progress.watch import Cancelled
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.messages import joined

BROKEN_OFF: Final = "Metrics are left out: the day that was broken off may stand on some bills."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Simulation:
    """What a run left behind.

    Attributes
    ----------
    history
        Days, as many as were simulated.
    day_digest
        SHA-256 of each day's meters.
    messages
        What is not as asked, a sentence each; see ``ProsumerMarket.messages``.
    behaviours
        Name, share, households and mean bill [USD per household-day] of each behaviour over all days.
    curtailed_kwh_per_household_day
        Solar output that inverters held back, mean over all days and households; None if no day was simulated. [kWh]
    unmet_trip_kwh_per_household_day
        The same of the energy that trips of electric vehicles needed and did not get. [kWh]
    inverters
        What curves in force made solar inverters do; None without any, see
        `meanwatt.analysis.simulation.inverter_report.inverter_report`.
    losses
        Feeder losses over all days [kWh and USD per household-day] and whether the utility bought them; None without a
        power flow.
    ageing
        Of the most loaded transformer over the slots with a state; None without a transformer.
    metrics, feeder
        Over all days; None if none was simulated, the metrics also if one was broken off, and the feeder also in a run
        without power flow.
    seconds
        Time the market took for its days. [s]
    components
        What every component of the tariff came to; none where it has no components.
    credits
        What became of credits that wait for later months, by rate class; none where all count at once.
    phases
        Phase voltages and unbalance over all days; None where homes draw from all phases alike, or without power flow.
    bus_groups
        Who sits where on the feeder and what it costs them, by thirds of its customers; None without a power flow.
    """

    __repr__ = short_repr

    history: History
    day_digest: tuple[str, ...]
    messages: tuple[str, ...]
    behaviours: list[dict[str, Any]]
    curtailed_kwh_per_household_day: float | None
    unmet_trip_kwh_per_household_day: float | None
    inverters: dict[str, Any] | None
    losses: dict[str, Any] | None
    ageing: TransformerAgeing | None
    metrics: Metrics | None
    feeder: FeederStress | None
    seconds: float
    components: tuple[ComponentRow, ...] = ()
    credits: tuple[CreditRow, ...] = ()
    phases: PhaseStress | None = None
    bus_groups: list[BusGroup] | None = None


def simulate(
    economy: Economy,
    tariff: Tariff,
    *,
    equilibrium: Equilibrium | None,
    behaviour: Given,
    households: int,
    days: int,
    seed: Key,
    threads: int = 1,
    power_flow: bool = True,
    leader: Leader | None = None,
    known: Sequence[Equilibrium] = (),
    told: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    workers: int = 0,
    composed: Composed | None = None,
    statements: Callable[[MonthStatement, MarketCentre], None] | None = None,
    each_day: Callable[[MarketCentre], None] | None = None,
) -> Simulation:
    """Simulate days of the finite market.

    Parameters
    ----------
    equilibrium
        Gives the policies (behaviour ``equilibrium``), and in any case the adder and the fixed charges; None where the
        tariff posts both and households learn.
    behaviour
        As for ``ProsumerMarket``.
    households, days, seed, threads
        Size and key of the run; results do not depend on ``threads``.
    power_flow
        Whether to solve the feeder; without, ``feeder`` is None.
    leader
        Who posts a tariff each day.
    known
        Equilibria of tariffs that it may post, solved already.
    told
        Called with the number of days done after each.
    cancelled
        Asked before each day; answering True ends the run early. With workers it is also asked during a day: one that
        does not end within half a second is broken off, and then there are no metrics.
    workers
        Processes of this machine that hold the households, each a part of them; 0 for none but this one. Results do
        not depend on it. Each has ``threads`` threads.
    composed
        Where the tariff has components: the equilibrium under them. ``tariff`` and ``equilibrium`` are then those of
        `meanwatt.model.mean_field.components.settled.market_equilibrium`, and no workers.
    statements
        Given every household's statement of each month, and the market; of a month that is broken off the days lived.
    each_day
        Given the market after each day.

    Raises
    ------
    WorkersLostError
        If the workers of one part die again and again.
    ValueError
        In one line, if the arguments make no market, or one that cannot be divided so.
    """
    if workers and leader is not None:
        raise ValueError("leader and workers are both given; a leader learns in one process, leave workers out")
    if tariff.carries_credits and (workers or leader is not None):
        raise ValueError(
            f"tariff {tariff.name} has export.metering, by which credits wait for later months, and"
            f" {'workers are' if workers else 'a leader is'} given; such months are settled in one process under one"
            " tariff"
        )
    require_key("seed", seed)
    size: dict[str, Any] = {"households": households, "behaviour": behaviour, "threads": threads}
    run: MeasuredMarket
    if workers:
        from meanwatt.analysis.simulation.market_in_parts import MarketInParts

        run = MarketInParts(
            economy,
            tariff,
            equilibrium=equilibrium,
            seed=seed,
            power_flow=power_flow,
            workers=workers,
            cancelled=cancelled,
            statements=statements is not None,
            **size,
        )
    else:
        given = tariff if equilibrium is None else None
        run = WholeMarket(
            ProsumerMarket(
                economy, policies=equilibrium, rng=seed, tariff=given, power_flow=power_flow, leader=leader, **size
            ),
            statements=statements is not None,
        )
    market = run.market
    columns = (2 if market.phases is None else 9) * len(market.bus_names) + 2 * len(economy.types) + 10
    require_room(8.0 * days * economy.slots * columns, f"the records of {counted(days, 'day')}", "fewer of them")
    for solved in known:
        if market.terms:
            market.terms.add(solved)
    bills = None
    if isinstance(run.market, ProsumerMarket) and (composed is not None or tariff.carries_credits):
        bills = MonthBills(run.market, composed)
    with closing(run):
        months = None if statements is None else _Months(run, bills, statements)
        enjoyed, bill_usd, seconds = _days(run, days, told, cancelled, bills, months, each_day)
    history = market.history
    credits = bills.credit_rows() if bills and len(history) else ()
    metrics = None if bill_usd is None else run_metrics(market, enjoyed, bill_usd)
    ageing = ageing_of(market) if len(history) and power_flow else None
    return Simulation(
        history=history,
        day_digest=tuple(market.day_digest),
        messages=joined(
            market.messages,
            run.messages,
            credit_messages(credits),
            _without(metrics, bool(enjoyed)),
            () if ageing is None else ageing.messages,
        ),
        behaviours=behaviour_rows(history),
        curtailed_kwh_per_household_day=curtailed_kwh(market) if len(history) else None,
        unmet_trip_kwh_per_household_day=unmet_trip_kwh(market, enjoyed) if enjoyed else None,
        inverters=inverter_report(economy.scenario.feeder, history, market.census.customers_at, market.equilibrium)
        if len(history) and power_flow
        else None,
        losses=feeder_losses(market) if len(history) and power_flow else None,
        ageing=ageing,
        metrics=metrics,
        feeder=stress_of_feeder(market) if len(history) and power_flow else None,
        seconds=seconds,
        components=bills.component_rows() if bills and len(history) else (),
        credits=credits,
        phases=market_phases(market) if len(history) else None,
        bus_groups=groups_of_buses(market, bill_usd) if len(history) and power_flow else None,
    )


def _without(metrics: Metrics | None, lived: bool) -> Iterable[str]:
    """What is said of metrics that are missing, or undefined."""
    if metrics is not None:
        return undefined_messages(metrics)
    return (BROKEN_OFF,) if lived else ()


class _Months:
    """States the months of a run as they end."""

    def __init__(
        self,
        run: MeasuredMarket,
        bills: MonthBills | None,
        sink: Callable[[MonthStatement, MarketCentre], None],
    ) -> None:
        self._run, self._bills, self._sink = run, bills, sink
        calendar = run.market.economy.scenario.calendar
        self._year = calendar.year if calendar is not None else None
        self._open = False

    def after_day(self) -> None:
        """State the month if the day that is over was its last."""
        self._open = True
        if ends_month(self._run.market.day - 1, self._year):
            self.end()

    def end(self) -> None:
        """State the month, or the part of it that was lived; nothing where no day was."""
        if not self._open:
            return
        statement = self._run.statement()
        self._sink(statement if self._bills is None else self._bills.stated(statement), self._run.market)
        self._open = False


def _days(
    run: MeasuredMarket,
    days: int,
    told: Callable[[int], None] | None,
    cancelled: Callable[[], bool] | None,
    bills: MonthBills | None,
    months: "_Months | None",
    each_day: Callable[[MarketCentre], None] | None,
) -> tuple[list[Enjoyed], Floats | None, float]:
    """Simulate the days; return what was enjoyed on each, the bills (household,), and the time of the market. [s]

    There are no bills, and so no metrics, without a day, or where one was broken off.
    """
    enjoyed: list[Enjoyed] = []
    seconds = 0.0
    try:
        run.start()
        for day in range(days):
            if cancelled is not None and cancelled():
                break
            run.before()
            began = time.perf_counter()
            run.market.step()
            seconds += time.perf_counter() - began
            enjoyed.append(run.after())
            if bills is not None:
                bills.after_day()
            if months is not None:
                months.after_day()
            if each_day is not None:
                each_day(run.market)
            if told is not None:
                told(day + 1)
        if bills is not None:
            bills.bill()
        if months is not None:
            months.end()
        return enjoyed, run.bill_usd() if enjoyed else None, seconds
    except Cancelled:
        return enjoyed, None, seconds
