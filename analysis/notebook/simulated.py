"""``meanwatt.simulate``: days of the finite market, and how far they are from the mean field."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from meanwatt.agents.leader.learning_leader import LearningLeader
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.randomness import Key, require_key
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.leader.leader_spec import leader_spec_of
from meanwatt.analysis.leader.registry import names
from meanwatt.analysis.learning.books import BooksKind, books_kind
from meanwatt.analysis.learning.market_leader import leader_json, learning_leader
from meanwatt.analysis.learning.menus import Menu, usual_menu
from meanwatt.analysis.notebook.arguments import figure, one_of, whole
from meanwatt.analysis.notebook.game import Overrides
from meanwatt.analysis.notebook.html import as_html
from meanwatt.analysis.notebook.solution import Solution, equilibrium_of
from meanwatt.analysis.progress_bar import shown_progress
from meanwatt.analysis.simulation.expectation import expect
from meanwatt.analysis.simulation.inverter_report import without_volt_watt_kw
from meanwatt.analysis.simulation.simulation import Simulation
from meanwatt.analysis.simulation.simulation import simulate as run
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.loading import Scenario
from meanwatt.model.scenario.ranges import DAYS, HOUSEHOLDS, SEED, WORKERS

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True, eq=False)
class SimulatedMarket:
    """Days of a market of N households.

    Attributes
    ----------
    equilibrium
        The mean field of the same households at the same tariff.
    simulation
        History, digests, metrics and feeder of the run.
    households
        N.
    leader
        What a leader who learns posted, metered and made of it, as ``leader`` of ``simulate --json``; None without one.
    """

    equilibrium: Equilibrium
    simulation: Simulation
    households: int
    leader: dict[str, Any] | None = None

    def to_frame(self) -> pd.DataFrame:
        """Price [USD/kWh] and mean net load [kW per household], a row per day and slot."""
        return self.simulation.history.slots

    def compare(self, reference: Solution | Equilibrium | None = None) -> "Comparison":
        """Compare the days with the mean field: by default of the same game, else that of another solution."""
        found = reference.equilibrium if isinstance(reference, Solution) else reference
        if not isinstance(found, Equilibrium | None):
            raise ValueError(f"a market is compared with a solution or an equilibrium, not with {type(found).__name__}")
        if found is not None and found.outcome is not Outcome.CONVERGED:
            raise ValueError(f"no equilibrium to compare with: {found.message}")
        return compare(self, self.equilibrium if found is None else found)

    def plot(self) -> "Figure":
        """Draw net load and price of all days over the hours."""
        from meanwatt.analysis.figures.results import market_figure

        return market_figure(self.simulation.history)

    def rows(self) -> list[tuple[str, str]]:
        """Key numbers for people."""
        metrics = self.simulation.metrics
        economy = self.equilibrium.economy
        rows = [
            ("scenario, tariff", f"{economy.scenario.name}, {self.equilibrium.tariff.name}"),
            ("households, days", f"{self.households:,}, {len(self.simulation.history)}"),
        ]
        if metrics is not None:
            rows += [
                ("welfare", figure(metrics.welfare_usd_per_household_day, 3, "USD per household-day")),
                ("mean wholesale price", figure(metrics.mean_wholesale_usd_per_kwh, 4, "USD/kWh")),
                ("peak to average", figure(metrics.peak_to_average, 2)),
            ]
        return rows

    def __repr__(self) -> str:
        name, tariff = self.equilibrium.economy.scenario.name, self.equilibrium.tariff.name
        size = f"{counted(self.households, 'household')}, {counted(len(self.simulation.history), 'day')}"
        return f"SimulatedMarket({name!r}, tariff {tariff!r}, {size})"

    def _repr_html_(self) -> str:
        return as_html(self.rows(), self.plot(), "Net load and price of every day over the hours")


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """A finite market beside its mean field, given the weather that the market had.

    Attributes
    ----------
    net_load_kw, wholesale_usd_per_kwh : (day, h)
        Of the market, mean per household.
    expected_net_load_kw, expected_wholesale_usd_per_kwh : (day, h)
        Of the mean field in each day's common state.
    spread_kw : (day, h)
        Standard deviation of the mean net load of N households that play the equilibrium. [kW]
    households
        N.
    volt_watt_kw : (day, h)
        What of the net load is solar output that volt-watt held back, mean per household; None where no curve is in
        force.
    """

    net_load_kw: Floats
    wholesale_usd_per_kwh: Floats
    expected_net_load_kw: Floats
    expected_wholesale_usd_per_kwh: Floats
    spread_kw: Floats
    households: int
    volt_watt_kw: Floats | None = None

    @property
    def net_load_error_kw(self) -> float:
        """Root mean square distance of the net load to the mean field's. [kW per household]"""
        return float(np.sqrt(((self.net_load_kw - self.expected_net_load_kw) ** 2).mean()))

    @property
    def net_load_error_without_volt_watt_kw(self) -> float:
        """The same distance if volt-watt had held nobody back. [kW per household]"""
        held = 0.0 if self.volt_watt_kw is None else self.volt_watt_kw
        without = self.net_load_kw - held - self.expected_net_load_kw
        return float(np.sqrt((without**2).mean()))

    @property
    def sampling_error_kw(self) -> float:
        """What the sample of N households alone makes of it. [kW per household]"""
        return float(np.sqrt((self.spread_kw**2).mean()))

    def to_frame(self) -> pd.DataFrame:
        """Both, a row per day and slot."""
        day, slot = (index.ravel() for index in np.indices(self.net_load_kw.shape))
        return pd.DataFrame(
            {
                "day": day,
                "slot": slot,
                "net_load_kw": self.net_load_kw.ravel(),
                "expected_net_load_kw": self.expected_net_load_kw.ravel(),
                "spread_kw": self.spread_kw.ravel(),
                "wholesale_usd_per_kwh": self.wholesale_usd_per_kwh.ravel(),
                "expected_wholesale_usd_per_kwh": self.expected_wholesale_usd_per_kwh.ravel(),
            }
        )

    def plot(self) -> "Figure":
        """Draw the mean day of both, and every day's distance."""
        from meanwatt.analysis.figures.results import comparison_figure

        return comparison_figure(self.net_load_kw, self.expected_net_load_kw, self.spread_kw, self.households)

    def rows(self) -> list[tuple[str, str]]:
        """Key numbers for people."""
        return [
            ("households, days", f"{self.households:,}, {len(self.net_load_kw)}"),
            ("net load's distance to the mean field", f"{self.net_load_error_kw:.4f} kW per household"),
            ("of which sampling explains", f"{self.sampling_error_kw:.4f} kW per household"),
            *self._volt_watt_row(),
        ]

    def _volt_watt_row(self) -> list[tuple[str, str]]:
        if self.volt_watt_kw is None:
            return []
        return [("if volt-watt held nobody back", f"{self.net_load_error_without_volt_watt_kw:.4f} kW per household")]

    def __repr__(self) -> str:
        return (
            f"Comparison({counted(self.households, 'household')}, {counted(len(self.net_load_kw), 'day')}:"
            f" {self.net_load_error_kw:.4f} kW from the mean field, {self.sampling_error_kw:.4f} by sampling)"
        )

    def _repr_html_(self) -> str:
        return as_html(
            self.rows(), self.plot(), "The market's mean day beside the mean field, and every day's distance"
        )


def compare(market: SimulatedMarket, equilibrium: Equilibrium) -> Comparison:
    """Set a market's days beside the mean field's of the same weather.

    Raises
    ------
    ValueError
        If no day was simulated, or the other has other slots or other weather.
    """
    history = market.simulation.history
    if not len(history):
        raise ValueError("no day was simulated; give days a number above 0")
    ours, theirs = market.equilibrium.economy, equilibrium.economy
    if ours.slots != theirs.slots or ours.common.labels() != theirs.common.labels():
        raise ValueError(
            f"scenario {theirs.scenario.name} has other slots or day types than {ours.scenario.name}, which was"
            " simulated; compare with a solution of the same days"
        )
    states = np.array([record.common_state for record in history])
    expected = expect(equilibrium)
    return Comparison(
        net_load_kw=history.stacked("net_load_kw"),
        wholesale_usd_per_kwh=history.stacked("wholesale_usd_per_kwh"),
        expected_net_load_kw=expected.net_load_kw[states],
        expected_wholesale_usd_per_kwh=expected.price_usd_per_kwh[states],
        spread_kw=expected.spread_kw[states] / np.sqrt(market.households),
        households=market.households,
        volt_watt_kw=None
        if market.simulation.inverters is None
        else history.stacked("net_load_kw") - without_volt_watt_kw(history),
    )


def simulate(
    scenario: str | Path | Scenario | Economy | Solution | Equilibrium,
    *,
    tariff: str | Path | Tariff | None = None,
    overrides: Overrides = (),
    households: int = 1000,
    days: int = 28,
    seed: Key = 0,
    behaviour: Any = "equilibrium",
    threads: int = 1,
    power_flow: bool = True,
    workers: int = 0,
    leader: str | None = None,
    round_days: int = 30,
    books: str = "account",
    progress: bool | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> SimulatedMarket:
    """Simulate days of the finite market.

    Parameters
    ----------
    scenario
        A solution or equilibrium, or what `solve` takes; then it is solved first.
    tariff, overrides
        As for `solve`; not with a solution, which has its own.
    households, days, seed, threads
        Size and key of the run; results do not depend on ``threads``.
    behaviour
        As for `meanwatt.ProsumerMarket`.
    power_flow
        Whether to solve the feeder.
    workers
        Processes of this machine that hold the households; 0 for none but this one. Results do not depend on it.
    leader
        Who posts tariffs and learns from meters which is best: ``commission``, ``utility``, …, with the usual weights
        and menu. The tariff is then what was in force before.
    round_days
        Days for which the leader posts one.
    books
        Who balances its books: ``account``, itself by its meters, or ``model``, the solved model.
    progress, cancelled
        As for `solve`, the latter asked before each day.

    Raises
    ------
    ValueError
        In one line, if something is not allowed, or the equilibrium is not reached.
    """
    households, days = whole("households", households, HOUSEHOLDS), whole("days", days, DAYS)
    workers = whole("workers", workers, WORKERS)
    require_key("seed", seed)
    kind, rounds = books_kind(books), whole("round_days", round_days, DAYS)
    if leader is not None:
        whole("seed", seed, SEED)
        if workers:
            raise ValueError("leader and workers are both given; a leader learns in one process, leave workers out")
    with shown_progress("solving", shown=progress) as tell:
        found = equilibrium_of(scenario, tariff, overrides, tell, cancelled)
        posts = (
            None if leader is None else _leader(leader, found, kind, (households, whole("seed", seed, SEED), rounds))
        )
        done = run(
            found.economy,
            found.tariff,
            equilibrium=found,
            behaviour=behaviour,
            households=households,
            days=days,
            seed=seed,
            threads=threads,
            power_flow=power_flow,
            workers=workers,
            leader=None if posts is None else posts[0],
            known=() if posts is None else tuple(posts[1].equilibria.values()),
            told=lambda day: tell(f"day {day} of {days}", day / days),
            cancelled=cancelled,
        )
    told = None if posts is None else leader_json(*posts)
    return SimulatedMarket(equilibrium=found, simulation=done, households=households, leader=told)


def _leader(
    name: str, in_force: Equilibrium, books: BooksKind, size: tuple[int, int, int]
) -> tuple[LearningLeader, Menu]:
    """Solve the usual menu, and make the leader who learns it; size is households, seed and days of a round."""
    aims = leader_spec_of(in_force.economy, one_of("leader", name, names()))
    aims.require_metered()
    menu = usual_menu(aims, in_force)
    households, seed, days = size
    made = learning_leader(menu, in_force, households=households, seed=seed, round_days=days, books=books)
    return made, menu
