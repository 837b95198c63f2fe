"""The engine behind one visitor's page: solves tariffs, runs the finite market, writes frames. It knows no browser."""

from collections.abc import Callable

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.analysis.dashboard.market import frames
from meanwatt.analysis.dashboard.market.baseline import Baseline
from meanwatt.analysis.dashboard.market.change import change
from meanwatt.analysis.dashboard.market.comparison import comparison
from meanwatt.analysis.dashboard.market.history import Day, History, to_csv
from meanwatt.analysis.dashboard.market.protocol import Rest
from meanwatt.analysis.dashboard.market.tried import Tried, tried
from meanwatt.analysis.dashboard.market.view import Frame
from meanwatt.analysis.dashboard.shared import homes
from meanwatt.analysis.dashboard.shared.notices import Notice, ending
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solution import Solution, mean_voltage_pu
from meanwatt.analysis.dashboard.shared.solved import Work, first_best, known_first_best, known_solution, solved
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.network.feeder import build_feeder
from meanwatt.model.network.library.layout import tidy_tree
from meanwatt.model.network.power_flow import VoltageLimits
from meanwatt.model.scenario.economy import Economy, build_economy

DAYS_LIMIT = 3 * 365
"""Days after which a run rests: a page left alone must not fill the memory."""


class Engine:
    """Mutable, for one thread at a time but for `solve` and `refine`, which change nothing that the others read."""

    def __init__(self) -> None:
        """Nothing is shown before `preview`."""
        self._solution: Solution | None = None
        self._before: Solution | None = None
        self._pinned: Solution | None = None
        self._market: ProsumerMarket | None = None
        self._history = History()
        self._frame: Frame | None = None

    def preview(self, settings: Settings) -> None:
        """Show a scenario before it is solved: feeder, reference demand, costs. ValueError if it is not allowed."""
        scenario = settings.load()
        economy = build_economy(scenario)
        feeder = build_feeder(scenario.feeder.name, peak_reference_kw=economy.peak_reference_kw)
        sun = np.asarray(sum(household.share * household.pv_kw for household in economy.types))
        use = economy.mean_reference_kw
        voltage = mean_voltage_pu(feeder, use, use - sun)
        self._frame = frames.preview(economy, feeder, tidy_tree(feeder), VoltageLimits(scenario.feeder.limits), voltage)

    def solve(
        self,
        settings: Settings,
        *,
        near: Solution | None = None,
        progress: Callable[[Work], None],
        cancelled: Callable[[], bool],
    ) -> Solution | None:
        """Solve settings, from a solution nearby if one is given, or find them solved already; None if cancelled."""
        start = self._solution if near is None else near
        return solved(settings, start=start, progress=progress, cancelled=cancelled)

    def adopt(self, solution: Solution, *, against: Solution | None = None) -> tuple[Notice, ...]:
        """Build the market of a solution, at day 0, and say how the solve ended and what it changed.

        What changed is told against the pinned solution; without one against that given, or the one in force before.
        Another scenario has nothing to be told against.
        """
        market = self._build(solution)
        self._drop_market()
        self._before = self._comparable(self._solution if against is None else against, solution)
        if self._pinned is not None and self._pinned.settings.scenario != solution.settings.scenario:
            self._pinned = None
        self._solution, self._market, self._history, self._frame = solution, market, History(), None
        said = list(ending(solution))
        baseline = self._baseline()
        told = None if baseline is None else baseline.apart_from(solution)
        if baseline is not None and told is not None and told.settings.town == solution.settings.town:
            said.append(change(told, solution, pinned=baseline.pinned))
        return tuple(said)

    def pin(self) -> None:
        """Tell every change from now on against what is in force, or no longer."""
        self._pinned = self._solution if self._pinned is None else None
        self._frame = None

    def tried(self, solution: Solution) -> Tried:
        """What is kept of a solution in the list of tariffs tried."""
        return tried(solution, known_first_best(solution.settings.town))

    def best_welfare(self, town: Settings) -> float | None:
        """Welfare of a town's first best, where it is known. [USD per household-day]"""
        known = known_first_best(town)
        return None if known is None else known.welfare_usd_per_household_day

    def _baseline(self) -> Baseline | None:
        """What the solution in force is told against."""
        if self._pinned is not None:
            return Baseline(solution=self._pinned, pinned=True)
        return None if self._before is None else Baseline(solution=self._before, pinned=False)

    @staticmethod
    def _comparable(before: Solution | None, after: Solution) -> Solution | None:
        """What was before, if it was another tariff of the same scenario: another sample has the same mean field."""
        if before is None or before.settings.scenario != after.settings.scenario:
            return None
        return None if before.settings.market_only == after.settings.market_only else before

    def refine(self, solution: Solution, *, cancelled: Callable[[], bool]) -> bool:
        """Find the first best of the town, which takes longer than the equilibrium; whether there is news.

        Before it, the reference of the highlighted comparison, so that its button has half the work left.
        """
        reference = comparison(solution.settings).reference
        if known_solution(reference) is None:
            self.solve(reference.market_only, near=solution, progress=lambda _: None, cancelled=cancelled)
        if first_best(solution.settings.town, cancelled) is None:
            return False
        self._frame = None
        return True

    def step(self) -> None:
        """Simulate one day."""
        market, solution = self._market, self._solution
        if market is None or solution is None:
            raise RuntimeError("no tariff is in force yet")
        if len(self._history) >= DAYS_LIMIT:
            raise Rest(f"{DAYS_LIMIT} days are simulated; press Reset to begin again")
        market.step()
        record = market.history[-1]
        if record.grid is None:
            raise RuntimeError("the market ran without a feeder")
        self._history.add(
            Day(
                common_state=record.common_state,
                net_load_kw=record.net_load_kw,
                wholesale_usd_per_kwh=record.wholesale_usd_per_kwh,
                curtailed_kw=record.curtailed_kw,
                bill_usd=_group_means(solution.equilibrium.economy, record.bill_usd, market.population.count),
                voltage_pu=record.grid.voltage_pu,
            )
        )
        self._frame = None

    def reset(self) -> None:
        """Go back to day 0: the same homes, the same draws."""
        if self._solution is None:
            return
        market = self._build(self._solution)
        self._drop_market()
        self._market, self._history, self._frame = market, History(), None

    def frame(self) -> Frame:
        """Day to show."""
        if self._frame is None:
            if self._solution is None or self._market is None:
                raise RuntimeError("nothing to show yet; preview first")
            self._frame = frames.frame(
                self._solution,
                self._history,
                self._market.common_state,
                before=self._baseline(),
                benchmark=known_first_best(self._solution.settings.town),
            )
        return self._frame

    def csv(self) -> str:
        """Days so far with their parameters, or nothing but a comment before the first solution."""
        if self._solution is None:
            return "# nothing is solved yet\n"
        return to_csv(self._solution, self._history)

    def close(self) -> None:
        """Free the market."""
        self._drop_market()
        homes.ALL.free(self)

    def _build(self, solution: Solution) -> ProsumerMarket:
        settings, equilibrium = solution.settings, solution.equilibrium
        homes.ALL.hold(self, settings.households)
        return ProsumerMarket(
            equilibrium.economy, households=settings.households, policies=equilibrium, rng=settings.seed
        )

    def _drop_market(self) -> None:
        """A dropped market must be closed, or Mesa keeps it for ever."""
        if self._market is not None:
            self._market.close()
            self._market = None


def _group_means(economy: Economy, bill_usd: Floats, count: Ints) -> Floats:
    """Mean over the homes of each group of sums by type; nan for a group without homes. (group,)"""
    group = np.array([household.group for household in economy.types])
    homes = np.bincount(group, weights=count, minlength=len(economy.groups))
    total = np.bincount(group, weights=bill_usd, minlength=len(economy.groups))
    return np.where(homes > 0, total / np.maximum(homes, 1), np.nan)
