"""Changes of bills of a simulated population, without its response and with it.

The same households live the same days twice: with the same weather and the same chances, once under the tariff in force
and once under the new one. Without a response, the meters of the first life are billed under the new tariff.
"""

import copy
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.tariff import Tariff, rates
from meanwatt.analysis.impacts.bill_changes import BillChanges, Customers
from meanwatt.analysis.impacts.frozen_terms import FrozenTerms, frozen_terms
from meanwatt.analysis.metrics.equity import DAYS_PER_YEAR
from meanwatt.model.market.apportionment import largest_remainder
from meanwatt.model.market.billing import settle
from meanwatt.model.market.day_settlement import own_rates
from meanwatt.model.market.digest import MeterDigest, NoDigest
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.metering import add_bought
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.messages import Messages, classes_set_aside, joined


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PopulationImpacts:
    """What a simulated population's bills become when tariff B takes the place of tariff A.

    Attributes
    ----------
    in_force
        Equilibrium at A.
    new
        Equilibrium at B; None where it was not reached.
    frozen
        Terms of B at the loads of A; None where A has no equilibrium.
    without_response
        Bills of the meters under A, by B; None where there are none.
    with_response
        Bills of the meters under B, by B; None where there are none.
    days
        Days that were lived under each tariff.
    seconds
        Time it took. [s]
    outcome, message
        How it ended.
    market_messages
        What the market had to say.
    tariff_b
        Name of B.
    """

    __repr__ = short_repr

    in_force: Equilibrium
    new: Equilibrium | None
    frozen: FrozenTerms | None
    without_response: BillChanges | None
    with_response: BillChanges | None
    days: int
    seconds: float
    outcome: Outcome
    message: str
    market_messages: Messages = field(default=())
    tariff_b: str

    @property
    def messages(self) -> Messages:
        """What is chosen, approximated or left as it is, a sentence each."""
        solved = [one.messages for one in (self.in_force, self.new) if one is not None]
        scenario = self.in_force.economy.scenario
        alone = classes_set_aside(scenario)  # what each says of its own tariff
        said = [one for one in joined(*solved, self.market_messages) if one not in alone]
        compared = (self.in_force.tariff.name, self.tariff_b)
        return joined(classes_set_aside(scenario, compared), said, _messages(self))


@dataclass(slots=True, kw_only=True, eq=False)
class _Lived:
    """Sums over the days of one life, (household,) each; under another tariff, too, where there is one. [USD], [kWh]

    What is bought is summed in the life under A alone, which has another tariff.
    """

    bill_usd: Floats
    other_bill_usd: Floats
    bought_kwh: Floats
    messages: Messages = ()


def population_impacts(
    economy: Economy,
    before: Tariff,
    after: Tariff,
    *,
    size: dict[str, Any],
    days: int,
    watch: Watch | None = None,
    new_stage: Callable[[str], None] = lambda _: None,
    told: Callable[[str, float], None] = lambda *_: None,
) -> PopulationImpacts:
    """Bill a simulated population under two tariffs.

    Parameters
    ----------
    before, after
        The tariff in force, A, and the new one, B. Where they are the same object nothing changes, exactly.
    size
        ``households``, ``rng`` and ``threads`` of `ProsumerMarket`.
    days
        Days to live under each; a year's bill is 365 times their mean.
    watch, new_stage, told
        Told how far it is, and asked whether to stop.

    Returns
    -------
    PopulationImpacts
        Always; parts that were not reached are None, and ``outcome`` says why.

    Raises
    ------
    ValueError
        If the tariffs have rate classes, or the arguments make no market.
    """
    began, watch = time.perf_counter(), watch or Watch()
    new_stage(f"tariff {before.name}")
    in_force = solve_equilibrium(economy, before, certify=False, watch=watch.fresh())
    found: dict[str, Any] = dict.fromkeys(("new", "frozen", "without_response", "with_response"))
    outcome, message = in_force.outcome, f"Tariff A, {before.name}: {in_force.message}"
    said: Messages = ()
    if outcome is Outcome.CONVERGED:
        found["frozen"] = frozen = frozen_terms(in_force, after)
        new_stage(f"tariff {after.name}")
        same = after is before
        new = (
            in_force if same else solve_equilibrium(economy, after, start=in_force, certify=False, watch=watch.fresh())
        )
        outcome, message = new.outcome, f"Tariff B, {after.name}: {new.message}"
        found["new"] = new
        try:
            new_stage("living under A")
            first = _live(in_force, frozen.offer, days, size, watch, told)
            said = first.messages
            year = DAYS_PER_YEAR / days
            customers = customers_of(economy, size["households"], first.bought_kwh * year)
            if frozen.adequate:
                found["without_response"] = _changes(customers, first.bill_usd, first.other_bill_usd, days)
            if outcome is Outcome.CONVERGED:
                new_stage("living under B")
                second = first if same else _live(new, None, days, size, watch, told)
                said = joined(said, second.messages)
                found["with_response"] = _changes(customers, first.bill_usd, second.bill_usd, days)
        except Cancelled:
            outcome, message = Outcome.CANCELLED, "Cancelled before all days were lived."
    return PopulationImpacts(
        in_force=in_force,
        **found,
        days=days,
        seconds=time.perf_counter() - began,
        outcome=_outcome(outcome, found),
        message=_message(message, outcome, found, size["households"], days),
        market_messages=said,
        tariff_b=after.name,
    )


def _outcome(outcome: Outcome, found: dict[str, Any]) -> Outcome:
    """How it ended: without an adequate frozen tariff the result asked for is not reached, either."""
    short = found["frozen"] is not None and not found["frozen"].adequate
    return Outcome.NO_ADEQUATE_TARIFF if short and outcome is Outcome.CONVERGED else outcome


def _message(message: str, outcome: Outcome, found: dict[str, Any], households: int, days: int) -> str:
    if outcome is not Outcome.CONVERGED:
        return message
    if not found["frozen"].adequate:
        return (
            "No adder up to the cap of tariff B balances the books at the loads of A: without a response it has none."
        )
    one, other = (found[name].change_usd_per_year for name in ("without_response", "with_response"))
    return (
        f"{counted(households, 'household')}, {counted(days, 'day')}: the mean bill changes by {one.mean():+.2f} USD a"
        f" year without a response and by {other.mean():+.2f} with it."
    )


class _Undigested(ProsumerMarket):
    """A market whose meters nobody compares with those of another run: their digest would take as long as their day."""

    def _new_digest(self) -> MeterDigest:
        return NoDigest()


def _live(
    found: Equilibrium,
    other: Offer | None,
    days: int,
    size: dict[str, Any],
    watch: Watch,
    told: Callable[[str, float], None],
) -> _Lived:
    """Live the days under an equilibrium's tariff, and bill the meters by another one's terms, too, where given."""
    economy = found.economy
    market = _Undigested(economy, policies=found, power_flow=False, **size)
    with closing(market):
        people = market.population
        ledger = copy.copy(people)  # the same meters, another column of bills
        ledger.bill_usd = np.zeros(people.households)
        bought = np.zeros(people.households)
        for day in range(days):
            watch.check()
            market.step()
            if other is not None:
                add_bought(people.energy_kwh, bought)
                record = market.history[-1]
                today = economy.common.today[[record.common_state]]
                posted = rates(other.tariff, today, record.wholesale_usd_per_kwh[None], other.adder_usd_per_kwh)
                own = own_rates(posted, other.tariff, economy.types)
                settle(
                    ledger,
                    import_usd_per_kwh=np.array([one.import_usd_per_kwh[0] for one in own]),
                    export_usd_per_kwh=np.array([one.export_usd_per_kwh[0] for one in own]),
                    standing_charge_usd=other.tariff.standing_usd_per_day(
                        other.fixed_charge_usd_per_day, economy.types
                    ),
                )
            told(f"day {day + 1} of {days} under {found.tariff.name}", (day + 1) / days)
        return _Lived(
            bill_usd=people.bill_usd.copy(),
            other_bill_usd=ledger.bill_usd,
            bought_kwh=bought,
            messages=market.messages,
        )


def customers_of(economy: Economy, households: int, bought_kwh_per_year: Floats) -> Customers:
    """The households of a market by what their meters bought, (household,). [kWh/yr]"""
    kind = np.repeat(np.arange(len(economy.types)), largest_remainder(economy.type_share, households))
    technologies = tuple(dict.fromkeys(one.technology for one in economy.types))
    return Customers(
        incomes=economy.groups,
        technologies=technologies,
        income_index=np.array([one.group for one in economy.types])[kind],
        technology_index=np.array([technologies.index(one.technology) for one in economy.types])[kind],
        income_usd_per_year=np.array([one.income_usd_per_year for one in economy.types])[kind],
        bought_kwh_per_year=bought_kwh_per_year,
    )


def _changes(customers: Customers, before: Floats, after: Floats, days: int) -> BillChanges:
    year = DAYS_PER_YEAR / days
    return BillChanges(customers=customers, before_usd_per_year=before * year, after_usd_per_year=after * year)


def _messages(found: PopulationImpacts) -> Sequence[str]:
    """What is held fixed, and what the numbers are not."""
    if found.frozen is None:
        return ()
    tariff, said = found.frozen.offer.tariff, []
    if tariff is found.in_force.tariff:
        said.append(f"A and B are the same tariff, {tariff.name}: nothing changes.")
    said.append(
        "Without response: the meters under A billed by B, whose books its own rule of recovery balances at those loads"
        " and wholesale prices, expected over the weather."
    )
    gap = found.frozen.surplus_usd_per_household_day
    if abs(gap) > 1e-6:
        said.append(
            f"Without response the utility of B is {'left with' if gap > 0 else 'short of'} {abs(gap):.4f} USD per"
            " household-day."
        )
    said.append(
        "With response: the same households, weather and chances under the equilibrium of B. A bill that falls because"
        " less is used is no gain of that size: comfort and battery wear are not in it."
    )
    said.append(
        f"A year's bill is 365 times the mean of {counted(found.days, 'drawn day')}; usage deciles are of what meters"
        " bought under A."
    )
    said.append(
        "Simulated households of one income and technology differ by the chances of their days alone, which mostly even"
        " out over a year; meters of real ones spread more within a group (--meters)."
    )
    return tuple(said)
