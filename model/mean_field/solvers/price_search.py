"""The ways to the equilibrium prices of one tariff at a given adder: the steps that solver methods are made of."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from meanwatt.agents.numerics.anderson import accelerate
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.population.game import Game
from meanwatt.model.mean_field.population.population_response import (
    PopulationOracle,
    PopulationResponse,
    induced_wholesale,
    price_gap,
)
from meanwatt.model.mean_field.solvers.anchored_policies import cool_by_steps
from meanwatt.model.mean_field.solvers.load_fixed_point import LoadFixedPoint
from meanwatt.model.mean_field.solvers.newton import SHORTEST_STEP, solve_newton
from meanwatt.model.mean_field.zero_temperature.frank_wolfe import GAP_USD_PER_DAY, solve_exact
from meanwatt.model.mean_field.zero_temperature.mixed_plans import solve_mixed
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.economy import Economy

EVALUATION_LIMIT = 150
"""Evaluations of the population by Anderson acceleration."""
PATIENCE = 8
"""Evaluations after which slow acceleration hands over to Newton's method."""
BRIEF_STEPS = 3
"""Steps for which Newton's method is patient where prices may rest at ties, so that a smooth game may not be enough."""
BRIEF_SHORTEST = 0.1
"""Part of a step below which they are not looked at."""
WARM_USD = 0.05
"""Temperature at which a continuation begins: warm enough for Newton's method from afar."""
WARMEST_USD = 2.0
WARMER = 4.0
"""Factor between temperatures on the way up."""
COOLER = 0.4
"""Factor between temperatures on the way down, nearer to one after a failure,"""
WIDER = 1.5
"""and less near after a success, as a power."""
SMALLEST_COOLING = 0.95
LOOSE = 1e-2
"""Accuracy of prices on the way, as a share of the temperature per kWh."""
ROUNDS, BRIEF_ROUNDS = 60, 30
"""Rounds of plans that are always waited for, and those between two steps of cooling;"""
LOOK_EVERY, LOOK_AHEAD = 15, 150
"""then it is looked between so many how many more they need, and this many after those are worth it."""
NEARLY_COLD_USD = 2e-5
"""Temperature from which policies are worth mixing with best plans."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PriceSolution:
    """An answer whose prices it induces itself.

    Attributes
    ----------
    residual_usd_per_kwh
        max |s(L + rest) − λ|. [USD/kWh]
    slope, coupling
        Derivative of Newton's system at the solution, which a solve nearby may start from, and the dear part of it (see
        `NewtonSolution`); None if none was needed.
    tried
        Where nothing converged, what was tried and how far it came, in words.
    """

    __repr__ = short_repr

    answer: PopulationResponse
    residual_usd_per_kwh: float
    converged: bool
    slope: Floats | None = None
    coupling: Floats | None = None
    tried: str = ""


class PriceSearch:
    """A search for the equilibrium prices of one tariff, and what it has found so far."""

    def __init__(
        self,
        economy: Economy,
        tariff: Tariff,
        adder: float,
        tolerance: float,
        watch: Watch,
        *,
        brief: bool = False,
    ) -> None:
        self.game = Game(economy, tariff)
        self.economy, self.tariff, self.adder, self.brief = economy, tariff, adder, brief
        self.tolerance, self.watch = tolerance, watch
        self.target = economy.scenario.temperature_usd
        self.has_potential = self.game.has_potential
        self.patient = True
        self.found: list[PriceSolution] = []

    @property
    def best(self) -> PriceSolution:
        """The best of what was found; where it has not converged, with what was tried."""
        best = min(self.found, key=lambda solution: solution.residual_usd_per_kwh)
        return best if best.converged else replace(best, tried="; ".join(s.tried for s in self.found if s.tried))

    def nearby(self, start: PriceSolution) -> PriceSolution:
        """Newton's method from a solution of nearly the same game, or where it ended."""
        load_kw = start.answer.net_load_kw + self.economy.rest_load_kw
        if self.target > 0:
            self.newton(load_kw, self.target, start.answer, slope=start.slope, coupling=start.coupling)
        else:
            self.accelerate(load_kw, start.answer)
        return self.found[-1]

    @property
    def done(self) -> bool:
        """Whether the last find converged."""
        return bool(self.found) and self.found[-1].converged

    def newton(
        self,
        load_kw: Floats,
        temperature: float,
        warm: PopulationResponse | None,
        slope: Floats | None = None,
        coupling: Floats | None = None,
    ) -> PriceSolution:
        """Newton's method at one temperature; kept as a find at the target temperature."""
        there = temperature == self.target
        problem = LoadFixedPoint(
            self.game,
            self.adder,
            temperature_usd=temperature,
            tolerance=self.tolerance if there else max(LOOSE * temperature, self.tolerance),
            watch=self.watch,
            along_curve=self.economy.ties is not None,
        )
        ended = solve_newton(
            problem,
            load_kw,
            warm=warm,
            slope=slope,
            coupling=coupling,
            patience=BRIEF_STEPS if self.brief else None,
            shortest=BRIEF_SHORTEST if self.brief else SHORTEST_STEP,
        )
        solution = PriceSolution(
            answer=ended.answer,
            residual_usd_per_kwh=ended.residual_usd_per_kwh,
            converged=ended.converged,
            slope=ended.slope,
            coupling=ended.coupling,
        )
        if there:
            self.found.append(solution)
        return solution

    def cool_down(self, load_kw: Floats) -> None:
        """Solve warm, then cool down to the target; a step that fails is halved."""
        temperature = max(WARM_USD, self.target)
        here = self.newton(load_kw, temperature, None)
        while not here.converged and temperature < WARMEST_USD and not self.brief:
            temperature *= WARMER
            here = self.newton(load_kw, temperature, None)
        if self.brief and not here.converged and self.found:
            return
        cooling = COOLER
        while temperature > self.target and cooling < SMALLEST_COOLING:
            cooler = max(temperature * cooling, self.target)
            there = self.newton(
                here.answer.net_load_kw + self.economy.rest_load_kw, cooler, here.answer, slope=here.slope
            )
            if there.converged:
                here, temperature, cooling = there, cooler, max(COOLER, cooling**WIDER)
            elif self.brief:
                break
            else:
                cooling = cooling**0.5
        stuck = temperature > self.target
        if stuck and not (self.brief and self.found):  # say how far the target is from there
            self.newton(here.answer.net_load_kw + self.economy.rest_load_kw, self.target, here.answer)

    def mix_plans(
        self,
        load_kw: Floats,
        *,
        by_potential: bool,
        start: PopulationResponse | None = None,
        patience: int | None = None,
    ) -> None:
        """The mixture of plans that clears the market at temperature 0: of least potential, or by its inequality.

        Begins with the policies of ``start``, or with best plans. After ``patience`` rounds it ends where it would take
        many more.
        """
        enough = self.forgivable
        wholesale = self.game.marginal_cost(load_kw)
        solve = solve_exact if by_potential else solve_mixed
        ended = solve(
            *(self.economy, self.tariff, self.adder, wholesale),
            watch=self.watch,
            start=start,
            slow=lambda gaps: patience is not None and _takes_long(gaps, enough, patience),
        )
        # what a household forgoes by its plan, per kWh that it uses, is as good a residual as a price that moves
        forgone = ended.gap_usd_per_day / self.economy.mean_use_kwh_per_day
        residual = max(price_gap(self.economy, ended.answer), 0.0 if ended.converged else forgone)
        self.found.append(
            PriceSolution(
                answer=ended.answer,
                residual_usd_per_kwh=residual,
                converged=residual <= self.tolerance,
                tried=(
                    f"mixtures of best plans{'' if start is None else ' and cooled policies'}"
                    f" ({counted(ended.rounds, 'round')}) clear the market, but a"
                    f" household forgoes {ended.gap_usd_per_day:.1e} USD/day at their prices"
                ),
            )
        )

    @property
    def forgivable(self) -> float:
        """What a household may forgo for the residual to be within tolerance. [USD/day]"""
        return self.tolerance * self.economy.mean_use_kwh_per_day

    def anchor_plans(self, load_kw: Floats, *, by_potential: bool) -> None:
        """Proximal steps of policies towards temperature 0, each one's end mixed with best plans until it is exact."""

        def settled(found: PopulationResponse, temperature: float) -> bool:
            if temperature > NEARLY_COLD_USD:
                return False
            load_kw = found.net_load_kw + self.economy.rest_load_kw
            self.mix_plans(load_kw, by_potential=by_potential, start=found, patience=BRIEF_ROUNDS)
            return self.done

        cool_by_steps(self.game, self.adder, load_kw, tolerance=self.tolerance, settled=settled, watch=self.watch)

    def accelerate(self, load_kw: Floats, warm: PopulationResponse | None, *, plainly: bool = False) -> None:
        """Anderson acceleration at the target temperature, each evaluation starting from the last one's values.

        ``plainly`` takes every price as it comes, which is Picard's iteration: it herds where storage is plentiful.
        """
        oracle = PopulationOracle(game=self.game, tolerance=self.tolerance, watch=self.watch)
        last, gap = warm, np.inf
        best: tuple[float, PopulationResponse] | None = None

        def price_map(vector: Floats) -> Floats:
            nonlocal last, gap, best
            prices = vector.reshape(load_kw.shape)
            last, gap = oracle.respond(prices, self.adder, start=last, before=gap)
            if best is None or gap < best[0]:
                best = gap, last
            return induced_wholesale(self.economy, last.net_load_kw).ravel()

        first = self.game.marginal_cost(load_kw).ravel()
        if plainly:
            _iterate(price_map, first, self.tolerance)
        else:
            accelerate(
                price_map,
                first,
                tolerance=self.tolerance,
                limit=EVALUATION_LIMIT,
                patience=PATIENCE if self.target > 0 and self.patient else None,
            )
        assert best is not None
        self.found.append(
            PriceSolution(
                answer=best[1],
                residual_usd_per_kwh=best[0],
                converged=best[0] <= self.tolerance,
                tried=f"{'plain' if plainly else 'accelerated'} iteration comes within {best[0]:.1e} USD/kWh",
            )
        )


def _takes_long(gaps: list[float], enough: float, patience: int) -> bool:
    """Whether rounds of plans with these gaps will end late, if ever, with one that is small enough.

    What was promised must be kept: the rounds that are worth it are counted from ``patience`` on, so that gaps which
    always seem about to close do not last for ever. Where the gap is small enough, this is asked of an exact end.
    """
    count = len(gaps)
    if count < patience:
        return False
    now, before = min(gaps), min(gaps[:-LOOK_EVERY])
    worth = (LOOK_AHEAD + patience - count) * np.log(before / now) / LOOK_EVERY
    if now > enough:
        return count % LOOK_EVERY == 0 and bool(np.log(now / enough) > worth)
    return (gaps[-1] <= enough or count >= LOOK_AHEAD + patience) and bool(np.log(now / GAP_USD_PER_DAY) > worth)


def _iterate(price_map: Callable[[Floats], Floats], first: Floats, tolerance: float) -> None:
    """Take every price as it comes, until it answers itself or the limit is met."""
    prices = first
    for _ in range(EVALUATION_LIMIT):
        following = price_map(prices)
        if np.abs(following - prices).max() <= tolerance:
            return
        prices = following
