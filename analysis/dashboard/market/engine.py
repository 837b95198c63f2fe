"""The engine behind one visitor's page: solves tariffs, runs the finite market, writes frames. It knows no browser."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.analysis.dashboard.market import frames
from meanwatt.analysis.dashboard.market.address import Look
from meanwatt.analysis.dashboard.market.baseline import Baseline
from meanwatt.analysis.dashboard.market.change import change
from meanwatt.analysis.dashboard.market.comparison import comparison
from meanwatt.analysis.dashboard.market.component_days import ComponentDays
from meanwatt.analysis.dashboard.market.history import Day, History, to_csv
from meanwatt.analysis.dashboard.market.home_figure import home_board, home_chart
from meanwatt.analysis.dashboard.market.homes import Watched, homes_board, household_of, watched
from meanwatt.analysis.dashboard.market.map_file import map_geojson
from meanwatt.analysis.dashboard.market.pace import LONG_SECONDS, Pace, neighbour
from meanwatt.analysis.dashboard.market.protocol import EngineStopped
from meanwatt.analysis.dashboard.market.tried import Tried, tried
from meanwatt.analysis.dashboard.market.view import Frame
from meanwatt.analysis.dashboard.shared import homes
from meanwatt.analysis.dashboard.shared.notices import Notice, ending
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solution import Solution, loaded_voltage_pu, mean_voltage_pu, solve
from meanwatt.analysis.dashboard.shared.solved import Work, first_best, known_first_best, known_solution, solved
from meanwatt.analysis.dashboard.shared.town import town_of
from meanwatt.analysis.feeder_map.edges import edge_loading
from meanwatt.analysis.simulation.charge import TENTHS
from meanwatt.model.market.home_day import Morning, home_day
from meanwatt.model.market.levels_lived import levels_lived
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.network.feeder_file import scenario_feeder
from meanwatt.model.network.library.layout import tidy_tree
from meanwatt.model.network.power_flow import VoltageLimits
from meanwatt.model.network.residents import place_residents
from meanwatt.model.scenario.economy import Economy

DAYS_LIMIT = 3 * 365
"""Days after which a run rests: a page left alone must not fill the memory."""


class Engine:
    """Mutable, for one thread at a time but for `solve`, `try_out`, `measure` and `refine`.

    Those change nothing that the others read, but for the times they took.
    """

    def __init__(self) -> None:
        """Nothing is shown before `preview`."""
        self._solution: Solution | None = None
        self._before: Solution | None = None
        self._pinned: Solution | None = None
        self._market: ProsumerMarket | None = None
        self._months: ComponentDays | None = None
        self._history = History()
        self._morning: Morning | None = None
        self._look = Watched()
        self._pace = Pace()
        self._frame: Frame | None = None

    def preview(self, settings: Settings) -> None:
        """Show a scenario before it is solved: feeder, reference demand, costs. ValueError if it is not allowed."""
        scenario = settings.load()
        economy = town_of(scenario)
        feeder = scenario_feeder(scenario.feeder, peak_reference_kw=economy.peak_reference_kw)
        residents, share = place_residents(scenario, economy.types, feeder), economy.type_share
        if residents.mixed:
            use = economy.mean_reference_kw
            sun = np.asarray(sum(household.share * household.pv_kw for household in economy.types))
            voltage = mean_voltage_pu(feeder, use, use - sun)
        else:
            uses, suns = (np.stack([getattr(t, name) for t in economy.types]) for name in ("reference_kw", "pv_kw"))
            bus_use = residents.loads(feeder, share, uses)
            voltage = loaded_voltage_pu(feeder, bus_use, bus_use - residents.loads(feeder, share, suns))
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
        was_known = start is None or known_solution(settings) is not None  # the first solve of all compiles
        began = time.perf_counter()
        found = solved(settings, start=start, progress=progress, cancelled=cancelled)
        if found is not None and not was_known:
            self._pace.add(time.perf_counter() - began)
        return found

    def try_out(self, settings: Settings, *, near: Solution, cancelled: Callable[[], bool]) -> Solution | None:
        """Solve for a moment, on a slider's way: what all visitors share is not filled with it."""
        known = known_solution(settings)
        if known is not None:
            return known.for_sample(settings)
        began = time.perf_counter()
        found = solve(settings.market_only, start=near, cancelled=cancelled)
        if found is None:
            return None
        self._pace.add(time.perf_counter() - began)
        return found.for_sample(settings)

    def measure(self, solution: Solution, *, cancelled: Callable[[], bool]) -> None:
        """Solve a neighbour of a solution, if no solve was timed yet; one that takes long is given up."""
        if self._pace.seconds is not None:
            return
        began = time.perf_counter()

        def enough() -> bool:
            return cancelled() or time.perf_counter() > began + LONG_SECONDS

        solve(neighbour(solution.settings.market_only), start=solution, cancelled=enough)
        if not cancelled():
            self._pace.add(time.perf_counter() - began)

    def seconds(self) -> float | None:
        """What a solve takes here, from the last ones."""
        return self._pace.seconds

    def adopt(self, solution: Solution, *, against: Solution | None = None) -> tuple[Notice, ...]:
        """Build the market of a solution, at day 0, and say how the solve ended and what it changed.

        What changed is told against the pinned solution; without one against that given, or the one in force before.
        Another scenario has nothing to be told against.
        """
        market = self._build(solution)
        self._drop_market()
        known = () if self._solution is None else ending(self._solution, whole=True)
        if self._solution is not None and self._solution.settings.scenario != solution.settings.scenario:
            self._look, self._pace = Watched(), Pace()  # another feeder, other homes
        seen = self._comparable(self._solution, solution)
        self._before = seen if against is None else self._comparable(against, solution)
        if self._pinned is not None and self._pinned.settings.scenario != solution.settings.scenario:
            self._pinned = None
        self._solution, self._market = solution, market
        self._begin()
        said = [one for one in ending(solution, whole=True) if one.about == "solve" or one not in known]
        baseline = self._baseline()
        told = None if baseline is None else baseline.apart_from(solution)
        if baseline is not None and told is not None and told.settings.town == solution.settings.town:
            said.append(change(told, solution, pinned=baseline.pinned, seen=None if baseline.pinned else seen))
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
            raise EngineStopped(f"{DAYS_LIMIT} days are simulated; press Reset to begin again")
        self._morning = Morning.of(market.population)
        market.step()
        record = market.history[-1]
        if record.grid is None:
            raise RuntimeError("the market ran without a feeder")
        more_usd = 0.0 if self._months is None else self._months.after_day()
        by_phase, grid = record.grid.phases, market.power_flow
        self._history.add(
            Day(
                common_state=record.common_state,
                net_load_kw=record.net_load_kw,
                wholesale_usd_per_kwh=record.wholesale_usd_per_kwh,
                curtailed_kw=record.curtailed_kw,
                charge=_charge(market, record.stored_kwh),
                tenths=_tenths(market, self._morning),
                bill_usd=_group_means(
                    solution.equilibrium.economy, record.bill_usd + more_usd, market.population.count
                ),
                voltage_pu=record.grid.voltage_pu,
                phase_voltage_pu=None if by_phase is None else by_phase.voltage_pu,
                unbalance_percent=None if by_phase is None else by_phase.unbalance_percent,
                loading=None if grid is None or grid.result is None else edge_loading(solution.feeder, grid.result),
                held_kw=None if grid is None else grid.held_by_bus_kw,
                curtailed_by_bus_kw=None if grid is None else grid.curtailed_by_bus_kw,
            )
        )
        self._frame = None

    def reset(self) -> None:
        """Go back to day 0: the same homes, the same draws."""
        if self._solution is None:
            return
        market = self._build(self._solution)
        self._drop_market()
        self._market = market
        self._begin()

    def look(self, bus: int | None, household: int | None) -> None:
        """Show the homes of a bus, and follow one of them; what is not there is not looked at."""
        if self._market is not None:
            self._look, self._frame = watched(self._market, bus, household), None

    def looking(self) -> Look:
        """Bus and household that are looked at, None for what is not."""
        look, market = self._look, self._market
        return look.bus, None if look.home is None or market is None else household_of(market, look.home)

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
            self._frame = replace(self._frame, **self._homes(self._market, self._solution))
        return self._frame

    def _homes(self, market: ProsumerMarket, solution: Solution) -> dict[str, Any]:
        """What the frame holds of single homes."""
        shown = {"homes": to_json(homes_board(market, self._look))}
        household = None if self._look.home is None else household_of(market, self._look.home)
        if household is None:
            return shown
        day = None if self._morning is None else home_day(market, self._morning, household)
        shown["home"] = to_json(home_board(market, household, solution, day))
        if day is not None:
            shown["home_chart"] = to_json(home_chart(market, solution.decided, day))
        return shown

    def csv(self) -> str:
        """Days so far with their parameters, or nothing but a comment before the first solution."""
        if self._solution is None:
            return "# nothing is solved yet\n"
        return to_csv(self._solution, self._history)

    def geojson(self) -> str:
        """The feeder on the latest day, or on the mean field's; nothing before the first solution."""
        return "" if self._solution is None else map_geojson(self._solution, self._history)

    def close(self) -> None:
        """Free the market."""
        self._drop_market()
        homes.ALL.free(self)

    def _build(self, solution: Solution) -> ProsumerMarket:
        settings, equilibrium = solution.settings, solution.lived
        homes.ALL.hold(self, settings.households)
        return ProsumerMarket(
            equilibrium.economy, households=settings.households, policies=equilibrium, rng=settings.seed
        )

    def _begin(self) -> None:
        """Stand at day 0 of the market at hand."""
        self._history, self._morning, self._frame = History(), None, None
        composed = None if self._solution is None else self._solution.composed
        self._months = None
        if composed is not None and self._market is not None:
            self._months = ComponentDays(composed, self._market)

    def _drop_market(self) -> None:
        """A dropped market must be closed, or Mesa keeps it for ever."""
        if self._market is not None:
            self._market.close()
            self._market = None


def _charge(market: ProsumerMarket, stored_kwh: Floats) -> Floats | None:
    """Mean stored energy of the homes (h,) [kWh] over what their batteries hold; None where no home has one."""
    holds = [own.battery.capacity_kwh if own.battery else 0.0 for own in market.household_types]
    capacity = float(market.population.count @ np.array(holds)) / market.households
    return stored_kwh / capacity if capacity else None


def _tenths(market: ProsumerMarket, morning: Morning) -> Floats | None:
    """How full the batteries are that a tenth of the homes are below and above. (2, h); None where nobody has one."""
    full = [
        levels_lived(market, morning, type_index) / (own.levels - 1)
        for type_index, own in enumerate(market.household_types)
        if own.battery is not None and market.population.count[type_index]
    ]
    return np.quantile(np.concatenate(full, axis=1), TENTHS, axis=1, method="inverted_cdf") if full else None


def _group_means(economy: Economy, bill_usd: Floats, count: Ints) -> Floats:
    """Mean over the homes of each group of sums by type; nan for a group without homes. (group,)"""
    group = np.array([household.group for household in economy.types])
    homes = np.bincount(group, weights=count, minlength=len(economy.groups))
    total = np.bincount(group, weights=bill_usd, minlength=len(economy.groups))
    return np.where(homes > 0, total / np.maximum(homes, 1), np.nan)
