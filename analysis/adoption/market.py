"""The market at given shares of solar and storage, and what households would own who see its bills."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.analysis.adoption.choice import fitted_shares, logit_shares
from meanwatt.analysis.adoption.homes import Homes, Savings
from meanwatt.analysis.adoption.leader import YearlyLeader
from meanwatt.analysis.adoption.worth import Worth
from meanwatt.analysis.metrics.equity import DAYS_PER_YEAR, group_burden
from meanwatt.analysis.output.rate_classes import class_adder_usd_per_kwh, class_fixed_charge_usd_per_day
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.messages import Messages


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Constants:
    """What the logit's constants are fitted to: today's shares and net present values, (group, technology) each."""

    __repr__ = short_repr

    share: Floats
    npv_usd: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standing:
    """The market at given shares.

    Attributes
    ----------
    share : (group, technology)
        Who owns what.
    outcome, message
        How the solve of its equilibrium ended.
    worth
        Of every technology at its bills; None without a tariff that covers the cost.
    adder_usd_per_kwh
        Volumetric adder, of the default rate class; None without such a tariff.
    fixed_charge_usd_per_day
        By income group, of the default rate class; None alike.
    surplus_usd_per_household_day
        Revenue less cost; without an adequate tariff the smallest shortfall found, negative.
    bill_usd_per_year, burden : (group,)
        Mean net bill of each income group, and its share of income; None alike.
    peak_kw
        Largest mean net load; None alike. [kW]
    messages
        What is not as asked, a sentence each.
    recovery
        What balances the books.
    parameters
        Of the tariff that a leader posted; None without one.
    limit_curtailed_kwh
        Sun curtailed to keep the envelope's export limit, mean over all homes; None without an envelope, or without an
        adequate tariff. [kWh per household-day]
    """

    __repr__ = short_repr

    share: Floats
    outcome: Outcome
    message: str
    worth: Worth | None
    adder_usd_per_kwh: float | None
    fixed_charge_usd_per_day: dict[str, float] | None
    surplus_usd_per_household_day: float
    bill_usd_per_year: tuple[float | None, ...] | None
    burden: tuple[float | None, ...] | None
    peak_kw: float | None
    messages: Messages
    recovery: Recovery
    parameters: dict[str, float] | None = None
    limit_curtailed_kwh: float | None = None


@dataclass(slots=True)
class AdoptionMarket:
    """A tariff posted to homes that decide; every solve begins where the one before ended.

    Attributes
    ----------
    homes
        Who decides.
    tariff
        What is posted.
    subsidy_share : (group,)
        Share of capital costs that others pay.
    watch
        Asked whether to stop.
    leader
        Who posts another tariff at all shares, where there is one; else it is always the one given.
    """

    homes: Homes
    tariff: Tariff
    subsidy_share: Floats
    watch: Watch
    leader: YearlyLeader | None = None
    _savings: Savings = field(init=False)
    _before: Equilibrium | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Begin without a solution."""
        self._savings = Savings(self.homes)

    def at(self, share: Floats, cost_factor: float = 1.0) -> Standing:
        """Solve the market at given shares (group, technology), capital costs a factor times today's.

        Raises
        ------
        Cancelled
            If the watch's owner asked to stop.
        """
        economy = self.homes.economy_at(share)
        found = self._solved(economy)
        if found.outcome is Outcome.CANCELLED:
            raise Cancelled
        known = found.outcome is Outcome.CONVERGED
        if known:
            self._before = found
        saving = self._savings(found, found.tariff, self.watch.silent()) if known else None
        return Standing(
            share=share,
            outcome=found.outcome,
            message=found.message,
            worth=None if saving is None else self.homes.worth(saving, self.subsidy_share, cost_factor),
            surplus_usd_per_household_day=found.surplus_usd_per_household_day,
            messages=found.messages,
            recovery=found.tariff.recovery,
            parameters=None if self.leader is None else self.leader.parameters,
            limit_curtailed_kwh=_curtailed_kwh(found) if known and self.homes.envelope else None,
            **_figures(found, known=known),
        )

    def _solved(self, economy: Economy) -> Equilibrium:
        """The equilibrium under the tariff, or under the one that the leader posts."""
        if self.leader is not None:
            return self.leader.post(economy, self.watch.silent()).equilibrium
        return solve_equilibrium(economy, self.tariff, start=self._before, certify=False, watch=self.watch.silent())


def _curtailed_kwh(found: Equilibrium) -> float:
    """Sun curtailed to keep an export limit. [kWh per household-day]"""
    return sum(row.share * row.curtailed_kwh for row in found.envelopes)


def _figures(found: Equilibrium, *, known: bool) -> dict[str, Any]:
    """What a tariff comes to that covers the cost; None throughout where there is none."""
    names = ("adder_usd_per_kwh", "fixed_charge_usd_per_day", "bill_usd_per_year", "burden", "peak_kw")
    if not known:
        return dict.fromkeys(names)
    economy, bills = found.economy, found.bill_usd_per_day
    group = [household.group for household in economy.types]
    income = [household.income_usd_per_year for household in economy.types]
    paid, there = (
        np.bincount(group, by, len(economy.groups)) for by in (economy.type_share * bills, economy.type_share)
    )
    values = (
        class_adder_usd_per_kwh(found, 0),
        class_fixed_charge_usd_per_day(found, 0),
        tuple(DAYS_PER_YEAR * p / w if w > 0 else None for p, w in zip(paid.tolist(), there.tolist(), strict=True)),
        group_burden(bills, income, group, len(economy.groups), economy.type_share),
        float(found.net_load_kw[economy.common.probability > 0].max()),
    )
    return dict(zip(names, values, strict=True))


def fit(homes: Homes, today: Standing) -> Constants:
    """Fit the logit to today's shares at today's bills, costs and subsidies."""
    assert today.worth is not None
    floor = homes.economy.scenario.adoption.floor_share
    return Constants(share=fitted_shares(homes.today, homes.offered, floor, homes.pools), npv_usd=today.worth.npv_usd)


def aimed_shares(
    homes: Homes, constants: Constants, npv_usd: Floats, sensitivity_per_kusd: float | None = None
) -> Floats:
    """Shares that the logit gives at net present values (group, technology), by default at the scenario's own."""
    if sensitivity_per_kusd is None:
        sensitivity_per_kusd = homes.economy.scenario.adoption.sensitivity_per_kusd
    return logit_shares(constants.share, npv_usd - constants.npv_usd, sensitivity_per_kusd, homes.pools)
