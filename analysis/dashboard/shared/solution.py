"""One solved tariff, or rate classes, with all that the page shows of it before a single home is simulated."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.town import town_of
from meanwatt.analysis.metrics.bus_loads import bus_loads
from meanwatt.analysis.metrics.metrics import Metrics, mean_field_metrics
from meanwatt.analysis.simulation.charge import ExpectedCharge, expect_charge
from meanwatt.analysis.simulation.expectation import Expectation, expect
from meanwatt.model.mean_field.components.settled import billed_equilibrium, market_equilibrium
from meanwatt.model.mean_field.components.solving import Composed, solve_composed
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.first_best import solve_first_best
from meanwatt.model.network.feeder import Feeder
from meanwatt.model.network.feeder_file import scenario_feeder
from meanwatt.model.network.library.layout import tidy_tree
from meanwatt.model.network.power_flow import PowerFlow, VoltageLimits, bus_power
from meanwatt.model.progress.watch import Progress, Watch
from meanwatt.model.scenario.economy import DAYS_PER_MONTH, Economy, build_rate_classes

TOLERANCE_USD_PER_KWH = 1e-6
"""Prices are shown to a tenth of a cent; a thousandth of that is solved. [USD/kWh]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solution:
    """A tariff's equilibrium and what follows from it.

    Attributes
    ----------
    settings
        What was solved.
    equilibrium
        The continuum at rest; rates, charges and bills are those posted, components in the bills.
    expected
        Mean and spread of the homes' day.
    charge
        How full the batteries are; None where no home has one.
    metrics
        Metrics of the continuum, without the efficiency gap; see `benchmark`.
    feeder, places
        The network, and (bus, 2) where to draw each bus.
    voltage_pu : (c, h, bus) float
        Bus voltages when every customer draws the mean. [pu]
    limits
        The voltage band allowed.
    composed
        Where a tariff has components: the equilibrium by what households see of them.
    """

    settings: Settings
    equilibrium: Equilibrium
    expected: Expectation
    charge: ExpectedCharge | None
    metrics: Metrics
    feeder: Feeder
    places: Floats
    voltage_pu: Floats
    limits: VoltageLimits
    composed: Composed | None = None

    @property
    def lived(self) -> Equilibrium:
        """What a market of homes lives by; components are billed beside it."""
        return self.equilibrium if self.composed is None else market_equilibrium(self.composed)

    @property
    def decided(self) -> Equilibrium:
        """The same with the rates that households see when they decide."""
        return self.equilibrium if self.composed is None else self.composed.equilibrium

    def for_sample(self, settings: Settings) -> "Solution":
        """The same solution for another number of homes or another seed."""
        return replace(self, settings=settings)

    @property
    def bill_usd_per_month(self) -> Floats:
        """Mean net bill of each income group, fixed charge included. (group,) [USD/month]"""
        return bill_usd_per_month(self.equilibrium)


def bill_usd_per_month(equilibrium: Equilibrium) -> Floats:
    """Mean net bill of each income group, fixed charge included. (group,) [USD/month]"""
    economy = equilibrium.economy
    group = np.array([household.group for household in economy.types])
    total = np.bincount(group, weights=economy.type_share * equilibrium.bill_usd_per_day, minlength=len(economy.groups))
    return np.asarray(total / economy.group_share * DAYS_PER_MONTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """Welfare of the first best; None where the planner's problem is refused, as with emissions that fall with load.

    Attributes
    ----------
    welfare_usd_per_household_day
        [USD per household-day]
    """

    welfare_usd_per_household_day: float | None


def solve(
    settings: Settings,
    *,
    start: Solution | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Solution | None:
    """Solve a tariff's equilibrium and all that the page shows of it.

    Parameters
    ----------
    start
        A solution of the same town, to start from.
    progress, cancelled
        As in `meanwatt.model.mean_field.equilibrium.solve_equilibrium`.

    Returns
    -------
    Solution or None
        None if it was cancelled.

    Raises
    ------
    ValueError
        In one line, if a setting is not allowed.
    """
    scenario = settings.load()
    economy = town_of(scenario)
    tariff = build_rate_classes(scenario, components=True)
    watch, composed = Watch(progress=progress, cancelled=cancelled), None
    if tariff.has_components:
        composed = solve_composed(economy, tariff, certify=False, watch=watch)
        ended, equilibrium = composed.equilibrium.outcome, billed_equilibrium(composed)
    else:
        equilibrium = solve_equilibrium(
            economy,
            tariff,
            tolerance_usd_per_kwh=TOLERANCE_USD_PER_KWH,
            start=_beginning(start, settings, economy),
            certify=False,
            watch=watch,
        )
        ended = equilibrium.outcome
    if ended is Outcome.CANCELLED:
        return None
    feeder = scenario_feeder(scenario.feeder, peak_reference_kw=economy.peak_reference_kw)
    expected = expect(equilibrium)
    answer = equilibrium.answer
    return Solution(
        settings=settings,
        equilibrium=equilibrium,
        expected=expected,
        charge=expect_charge(equilibrium),
        metrics=mean_field_metrics(
            economy,
            wholesale_usd_per_kwh=equilibrium.wholesale_usd_per_kwh,
            net_load_kw=equilibrium.net_load_kw,
            bill_usd_per_day=equilibrium.bill_usd_per_day,
            utility_usd_per_day=answer.utility_usd_per_day,
            wear_usd_per_day=answer.wear_usd_per_day,
        ),
        feeder=feeder,
        places=tidy_tree(feeder),
        voltage_pu=_expected_voltage_pu(feeder, equilibrium, expected),
        limits=VoltageLimits(scenario.feeder.limits),
        composed=composed,
    )


def _beginning(start: Solution | None, settings: Settings, economy: Economy) -> Equilibrium | None:
    """Where a solve may begin: at an equilibrium of the same homes, who decide by rates as they are posted."""
    if start is None or start.composed is not None or start.settings.town != settings.town:
        return None
    same = [one.name for one in start.equilibrium.economy.types] == [one.name for one in economy.types]
    return start.equilibrium if same else None


def mean_voltage_pu(feeder: Feeder, use_kw: Floats, net_load_kw: Floats) -> Floats:
    """Bus voltages (c, h, bus) when every customer uses and draws the mean (c, h). [pu]"""
    return loaded_voltage_pu(feeder, use_kw[..., None] * feeder.customers, net_load_kw[..., None] * feeder.customers)


def loaded_voltage_pu(feeder: Feeder, use_kw: Floats, net_load_kw: Floats) -> Floats:
    """Bus voltages (c, h, bus) under the use and net load of all customers of each bus, (c, h, bus). [pu]"""
    flow = PowerFlow(feeder, slots=net_load_kw.shape[1])
    powers = [bus_power(feeder, use, net_load) for use, net_load in zip(use_kw, net_load_kw, strict=True)]
    return np.array([flow.solve(p_kw, q_kvar).voltage_pu for p_kw, q_kvar in powers])


def _expected_voltage_pu(feeder: Feeder, equilibrium: Equilibrium, expected: Expectation) -> Floats:
    """Bus voltages (c, h, bus) when every customer draws the mean, of its type where it matters who lives where."""
    if equilibrium.economy.scenario.feeder.residents.is_mixed:
        return mean_voltage_pu(feeder, expected.use_kw, expected.net_load_kw)
    return loaded_voltage_pu(feeder, *bus_loads(equilibrium, feeder))


def benchmark(town: Settings, *, cancelled: Callable[[], bool] | None = None) -> Benchmark:
    """Find the planner's optimum in a town, whatever its tariff.

    Raises
    ------
    Cancelled
        If ``cancelled`` says so on the way.
    """
    try:
        watch = Watch(cancelled=cancelled)
        found = solve_first_best(town_of(town.load()), watch=watch)
    except ValueError:
        return Benchmark(welfare_usd_per_household_day=None)
    return Benchmark(welfare_usd_per_household_day=found.welfare_usd_per_household_day)
