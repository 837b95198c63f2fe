"""Every household's month as columns: energy by period, the largest import, and the parts of its daily bills.

A household's columns are read from its own meter, slot after slot and day after day, whoever else there is: they are
the same for any number of threads or parts.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.agents.tariff.rates import Rates
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.market.billing_months import ends_month
from meanwatt.model.market.day_kernel import ONE_THREAD_BELOW
from meanwatt.model.market.day_settlement import own_rates
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.statement import USE_PARTS, MonthStatement, TypeMonth, periods_of

IMPORTED, EXPORTED = 0, 1
PARTS: Final = len(USE_PARTS)


class MonthLedger:
    """Reads the meters of a market day by day, and hands out statements month by month.

    Parameters
    ----------
    market
        Before its first day; it may be a part of a market.

    Attributes
    ----------
    periods : tuple of str
        Names of periods of the tariffs posted at the start; empty where they have none.
    """

    def __init__(self, market: ProsumerMarket) -> None:
        self._market = market
        households = market.population.households
        self.periods = periods_of(market.utility.tariff)
        columns = max(len(self.periods), 1)
        self._kwh = np.zeros((2, households, columns))
        self._usd = np.zeros((households, PARTS))
        self._peak_kwh = np.zeros(households)
        calendar = market.economy.scenario.calendar
        self._year = calendar.year if calendar is not None else None
        self._months = 0
        self._open()

    def _open(self) -> None:
        self._first_day, self._days = self._market.day, 0
        self._standing: list[dict[str, float]] = [{} for _ in self._market.household_types]

    @property
    def ends_month(self) -> bool:
        """Whether the last day read is the last of its month."""
        return self._days > 0 and ends_month(self._market.day - 1, self._year)

    @property
    def days(self) -> int:
        """Days read since the month began."""
        return self._days

    def after_day(self) -> None:
        """Read the meters of the day that is settled."""
        market = self._market
        record, utility, types = market.last_record, market.utility, market.household_types
        today = int(market.economy.common.today[record.common_state])
        posted = utility.rates(today, record.wholesale_usd_per_kwh)
        rates = own_rates(posted, utility.tariff, types)
        for k, household in enumerate(types):
            own = _DayRates.of(utility.tariff, household, rates[k], today, record.wholesale_usd_per_kwh,
                               utility.adder_usd_per_kwh, self.periods)  # fmt: skip
            self._read(market.population.of_type(k), own)
        parts = utility.tariff.standing_parts_usd_per_day(utility.fixed_charge_usd_per_day, types)
        for name, charges in parts.items():
            for paid, usd in zip(self._standing, charges.tolist(), strict=True):
                paid[name] = paid.get(name, 0.0) + usd
        self._days += 1

    def _read(self, rows: slice, own: "_DayRates") -> None:
        """Read the meters of a type."""
        shared = (own.usd_per_kwh, own.place, self._kwh, self._usd, self._peak_kwh)
        read_rows(self._market, rows, _read_day, *shared)

    def close(self) -> MonthStatement:
        """State the month, or the part of it that was lived, and begin the next one."""
        market = self._market
        people, hours = market.population, market.slot_hours
        self._months += 1
        found = []
        for k, standing in enumerate(self._standing):
            rows = people.of_type(k)
            found.append(
                TypeMonth(
                    first_rank=int(people.first_rank[k]),
                    imported_kwh=self._kwh[IMPORTED, rows].copy(),
                    exported_kwh=self._kwh[EXPORTED, rows].copy(),
                    peak_kw=self._peak_kwh[rows] / hours,
                    use_usd=self._usd[rows].copy(),
                    standing_usd=dict(standing),
                )
            )
        done = MonthStatement(
            month=self._months, first_day=self._first_day, days=self._days, periods=self.periods, types=tuple(found)
        )
        for column in (self._kwh, self._usd, self._peak_kwh):
            column[:] = 0.0
        self._open()
        return done


def read_rows(market: ProsumerMarket, rows: slice, read: Callable[..., None], *shared: Any) -> None:
    """Let a kernel read the meters of some households, by several threads where there are many.

    Parameters
    ----------
    read
        Called with the first household, the one after the last, their meters (household, slot), and what is shared.
    """
    meters = market.population.energy_kwh
    executor = market.executor
    if executor is None or market.threads == 1 or rows.stop - rows.start < ONE_THREAD_BELOW:
        read(rows.start, rows.stop, meters, *shared)
        return
    edges = np.linspace(rows.start, rows.stop, market.threads + 1).astype(int)
    jobs = [executor.submit(read, int(a), int(b), meters, *shared) for a, b in itertools.pairwise(edges)]
    for job in jobs:
        job.result()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _DayRates:
    """What a type pays on a day: (part, slot) rates after discount [USD/kWh], and the period's column of each slot."""

    usd_per_kwh: Floats
    place: Ints

    @classmethod
    def of(
        cls,
        tariff: Tariff,
        household: HouseholdType,
        rates: Rates,
        today: int,
        wholesale_usd_per_kwh: Floats,
        adder_usd_per_kwh: float,
        periods: Sequence[str],
    ) -> "_DayRates":
        own, kept = tariff.of(household), tariff.kept_share(household)
        adder = adder_usd_per_kwh if tariff.bears_adder(tariff.class_index(household)) else 0.0
        parts = np.empty((PARTS, len(wholesale_usd_per_kwh)))
        parts[0] = kept * own.energy_usd_per_kwh[today]
        parts[1] = kept * own.pass_through * wholesale_usd_per_kwh
        parts[2] = kept * adder
        parts[3] = rates.export_usd_per_kwh[0]
        place = [periods.index(name) if name in periods else 0 for name in own.periods or ("",) * parts.shape[1]]
        return cls(usd_per_kwh=parts, place=np.array(place, dtype=np.int64))


@compiled
def _read_day(
    first: int, last: int, energy_kwh: Any, rate: Floats, place: Ints, kwh: Floats, usd: Floats, peak_kwh: Floats
) -> None:
    """Add a day of households ``first`` to ``last − 1`` to their columns."""
    for household in range(first, last):
        energy, wholesale, adder, export, most = 0.0, 0.0, 0.0, 0.0, 0.0
        for h in range(energy_kwh.shape[1]):
            net = np.float64(energy_kwh[household, h])
            bought = max(net, 0.0)
            sold = bought - net
            energy += bought * rate[0, h]
            wholesale += bought * rate[1, h]
            adder += bought * rate[2, h]
            export -= sold * rate[3, h]
            most = max(most, bought)
            kwh[0, household, place[h]] += bought
            kwh[1, household, place[h]] += sold
        usd[household, 0] += energy
        usd[household, 1] += wholesale
        usd[household, 2] += adder
        usd[household, 3] += export
        peak_kwh[household] = max(peak_kwh[household], most)
