"""A market of learners that somebody watches: its measures after each day, beside the market at the equilibrium.

Both have their feeder, and the learners live the days of ``meanwatt simulate`` with the same arguments, bit for bit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.analysis.emergence.emergence import LAST_SHARE, belief_error_usd_per_kwh, price_move_usd_per_kwh
from meanwatt.analysis.emergence.pairs import beliefs_held, price_square
from meanwatt.model.market.behaviour_spec import needs_equilibrium, read_behaviour
from meanwatt.model.market.history import DayRecord, day_summary
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome

PRICE_MEASURES: Final = ("price_error_usd_per_kwh", "price_move_usd_per_kwh")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MarketDay:
    """One day of one market.

    Attributes
    ----------
    price_error_usd_per_kwh, price_move_usd_per_kwh
        As in `meanwatt.analysis.emergence.emergence`; the move is nan on the first day of a common state. [USD/kWh]
    summary
        The figures of `meanwatt.model.market.history.day_summary`.
    wholesale_usd_per_kwh, net_load_kw : (slot,)
        Realised price [USD/kWh] and mean net load [kW].
    """

    __repr__ = short_repr

    price_error_usd_per_kwh: float
    price_move_usd_per_kwh: float
    summary: Mapping[str, float]
    wholesale_usd_per_kwh: Floats
    net_load_kw: Floats

    def figure(self, name: str) -> float:
        """A measure of the day, by its name in the code."""
        return float(getattr(self, name) if name in PRICE_MEASURES else self.summary[name])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LearnersDay:
    """One day of learners and of those who play the equilibrium.

    Attributes
    ----------
    day, common_state, day_type
        Which day: a number from 0, the index of its common state, the name of its day type.
    digest
        SHA-256 of the learners' meters.
    belief_error_usd_per_kwh
        Of the beliefs with which the day began; nan where nobody believes anything. [USD/kWh]
    learners, floor
        The two markets.
    bill_usd_per_household_day
        Mean bill of each of the learners' behaviours. [USD per household-day]
    """

    __repr__ = short_repr

    day: int
    common_state: int
    day_type: str
    digest: str
    belief_error_usd_per_kwh: float
    learners: MarketDay
    floor: MarketDay
    bill_usd_per_household_day: Mapping[str, float]


class WatchedLearners:
    """Two markets that live day after day; close it at the end.

    Parameters
    ----------
    target
        Converged; its tariff is posted.
    behaviour
        How the households decide, in the words of a command.
    households, key
        Size and key of both markets.

    Raises
    ------
    ValueError
        In one line, if the target has not converged, or the words make no market.
    """

    def __init__(self, target: Equilibrium, behaviour: str, *, households: int, key: int) -> None:
        if target.outcome is not Outcome.CONVERGED:
            raise ValueError(f"tariff {target.tariff.name} has no equilibrium to compare with: {target.message}")
        self.target = target
        ways = read_behaviour(behaviour)
        alone = not needs_equilibrium(ways) and target.tariff.recovery is Recovery.POSTED  # as the command has it
        size: dict[str, Any] = {"households": households, "rng": key}
        given: dict[str, Any] = {"tariff": target.tariff} if alone else {"policies": target}
        self._learners = ProsumerMarket(target.economy, behaviour=ways, **given, **size)
        self._floor = ProsumerMarket(target.economy, behaviour="equilibrium", policies=target, **size)

    @property
    def messages(self) -> tuple[str, ...]:
        """What is not as asked, a sentence each."""
        return tuple(self._learners.messages)

    def step(self) -> LearnersDay:
        """Live one day in both markets."""
        lam = self.target.wholesale_usd_per_kwh
        believed = belief_error_usd_per_kwh(beliefs_held(self._learners), lam, self.target.economy.common.probability)
        self._learners.step()
        self._floor.step()
        record = self._learners.history.records[-1]
        return LearnersDay(
            day=record.day,
            common_state=record.common_state,
            day_type=record.day_type,
            digest=self._learners.day_digest[-1],
            belief_error_usd_per_kwh=believed,
            learners=_lived(self._learners, lam),
            floor=_lived(self._floor, lam),
            bill_usd_per_household_day=MappingProxyType(_bills(self._learners, record)),
        )

    def close(self) -> None:
        """Free both markets."""
        self._learners.close()
        self._floor.close()


def _lived(market: ProsumerMarket, lam: Floats) -> MarketDay:
    """The last day of a market, beside the equilibrium's prices (c, h)."""
    records = market.history.records
    return MarketDay(
        price_error_usd_per_kwh=float(np.sqrt(price_square(records[-1], lam))),
        price_move_usd_per_kwh=price_move_usd_per_kwh(records),
        summary=MappingProxyType(day_summary(records[-1], market.households)),
        wholesale_usd_per_kwh=records[-1].wholesale_usd_per_kwh,
        net_load_kw=records[-1].net_load_kw,
    )


def _bills(market: ProsumerMarket, record: DayRecord) -> dict[str, float]:
    """Mean bill of each behaviour; cohorts of one behaviour together. Behaviours without any household are left out."""
    bill_usd, count = record.class_bill_usd.sum(axis=0), market.history.class_households.sum(axis=0)
    names = market.history.behaviours
    found = {}
    for name in dict.fromkeys(names):
        mine = np.array([other == name for other in names])
        if count[mine].sum():
            found[name] = float(bill_usd[mine].sum() / count[mine].sum())
    return found


def last_days(days: Sequence[LearnersDay]) -> Sequence[LearnersDay]:
    """The last quarter of the days, over which a run is summed up; at least one."""
    return days[-max(1, round(LAST_SHARE * len(days))) :]
