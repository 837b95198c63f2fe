"""Towns: equilibria of cases, each solved once, and the numbers that the phenomena read off them."""

from dataclasses import dataclass, field

from meanwatt.analysis.lessons.case import Case
from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import DAYS_PER_MONTH

TOWNS = ("textbook", "oahu", "california", "stress")
"""The presets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """Key numbers of an equilibrium; bills and welfare are a household and month.

    Attributes
    ----------
    adequate
        Whether the tariff recovers the cost; without it no other number means anything.
    solar_percent
        Share of homes with panels. [%]
    price_cents
        Import rate, mean over the day. [cents/kWh]
    welfare_usd
        Of the mean household. [USD/month]
    burden_gap_percent
        Highest less lowest burden of an income group. [% of income]
    peak_to_average
        Peak over mean net load; None where the town sells on balance.
    imv_cents
        Incremental mean volatility of the wholesale price. [cents/kWh a slot]
    low_bill_usd
        Bill of a low-income home without panels, batteries and car. [USD/month]
    """

    adequate: bool
    solar_percent: float
    price_cents: float
    welfare_usd: float
    burden_gap_percent: float
    peak_to_average: float | None
    imv_cents: float
    low_bill_usd: float


def read_town(found: Equilibrium) -> Town:
    """Read an equilibrium."""
    metrics = equilibrium_metrics(found)
    economy = found.economy
    low = economy.groups[0]
    assert metrics.imv is not None  # presets have more than one slot
    bills = [
        float(bill)
        for home, bill in zip(economy.types, found.bill_usd_per_day, strict=True)
        if home.income_group == low and home.technology == "none"
    ]
    return Town(
        adequate=found.outcome is not Outcome.NO_ADEQUATE_TARIFF,
        solar_percent=100 * sum(home.share for home in economy.types if home.pv_kw.any()),
        price_cents=100 * float((economy.common.probability @ found.rates.import_usd_per_kwh).mean()),
        welfare_usd=DAYS_PER_MONTH * metrics.welfare_usd_per_household_day,
        burden_gap_percent=100 * metrics.burden_gap,
        peak_to_average=metrics.peak_to_average,
        imv_cents=100 * metrics.imv,
        low_bill_usd=DAYS_PER_MONTH * bills[0],
    )


@dataclass(slots=True, eq=False)
class Towns:
    """Cases that are solved at most once, however many phenomena look at them.

    Attributes
    ----------
    watch
        Is asked whether to stop.
    """

    watch: Watch
    _solved: dict[Case, Equilibrium] = field(default_factory=dict)

    def solve(self, case: Case) -> Equilibrium:
        """Equilibrium of a case; ``Cancelled`` when asked to stop, ``ValueError`` if there is none."""
        if case not in self._solved:
            self._solved[case] = case.solve(self.watch)
        return self._solved[case]

    def town(self, case: Case) -> Town:
        """Its key numbers."""
        return read_town(self.solve(case))


def percent_change(before: float | None, after: float | None) -> float | None:
    """After over before, less one. [%]"""
    return None if before is None or after is None else 100 * (after / before - 1)
