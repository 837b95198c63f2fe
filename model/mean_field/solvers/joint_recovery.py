"""Prices and adder together: quasi-Newton steps on y = (x, α) from a solution nearby.

With x[c, h] the system load and λ = s(x) its price, a tariff under volumetric recovery is solved by

    x − rest − L(s(x), α) = 0,      S(s(x), α) = revenue − cost = 0,

one system whose derivative is known at the solution nearby and corrected by Broyden's rank-one rule after every
evaluation. Where no rate depends on the price, λ follows from L and α is the only unknown.

The answer must be the *smallest* α ≥ 0 that balances the books. Seen from α = 0 the books S(α), prices following, are
taken to be concave on the way up, as in the search of `recovery`. A concave curve that rises at a root has no root
before it, so a root is accepted if S rises there steeply enough, S(0) < 0, and the adder is no farther from the first
root of the solution nearby than a step of that search. In all other cases the answer is None, and the search decides.
"""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.linear_systems import inverse
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.derivatives.population_sensitivity import RecoverySlope
from meanwatt.model.mean_field.population.game import Game, couples
from meanwatt.model.mean_field.population.population_response import (
    PopulationOracle,
    PopulationResponse,
    induced_wholesale,
    population_response,
    price_gap,
    surplus_usd_per_day,
)
from meanwatt.model.mean_field.solvers.price_fixed_point import with_wholesale
from meanwatt.model.mean_field.solvers.price_search import PriceSolution
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy

STEP_LIMIT = 12
SHRINK = 0.5
"""Every step must leave this share of the residual or less: nearby it leaves far less."""
SHARE = 0.3
"""Of the tolerance, what is aimed at."""
STEEP = 0.1
"""Least slope of the books at an accepted root, as a share of the energy billed, their slope if nobody responded."""
SIGN_ACCURACY = 0.1
"""Accuracy of the answer at α = 0, per USD/kWh of the root: only the sign of the books is looked at there."""


@dataclass(slots=True, eq=False)
class _Point:
    """Unknowns y, the answer to them, what is left of the equations, and the same as a price. [USD/kWh]"""

    unknowns: Floats
    answer: PopulationResponse
    left: Floats
    residual: float


def balance_nearby(
    economy: Economy,
    tariff: Tariff,
    start: PopulationResponse,
    slope: RecoverySlope | None,
    *,
    tolerance: float,
    farthest: float,
    watch: Watch,
) -> PriceSolution | None:
    """The first balance of the books beside one known; None if it is not found at once or may not be the first.

    Parameters
    ----------
    start
        The answer at the smallest adder that balances a similar tariff, an adder above 0.
    slope
        Derivatives there; needed where a rate depends on the price.
    tolerance
        Accuracy of adder and prices. [USD/kWh]
    farthest
        Distance between the two adders up to which they are taken for neighbours. [USD/kWh]
    """
    if start.net_load_kw.shape != economy.rest_load_kw.shape or (couples(economy, tariff) and slope is None):
        return None
    watch.stage = "prices and revenue balance together"
    system = _System(economy, tariff, SHARE * tolerance, watch)
    inverse = system.inverse(start, slope)
    here = system.at(system.unknowns(start), start)
    for _ in range(STEP_LIMIT):
        rise, sold = 1 / inverse[-1, -1], here.answer.billed_kwh_per_day
        if not rise >= STEEP * sold > 0:
            return None
        if here.residual <= SHARE * tolerance * min(1.0, rise / sold):
            return system.solution(here) if system.short_at_zero(here, inverse) else None
        step = -inverse @ here.left
        adder = here.unknowns[-1] + step[-1]
        if not (0 < adder <= tariff.adder_cap_usd_per_kwh and abs(adder - start.adder_usd_per_kwh) <= farthest):
            return None
        there = system.at(here.unknowns + step, here.answer, here.residual)
        if not there.residual <= SHRINK * here.residual:
            return None
        seen = inverse @ (there.left - here.left)
        inverse = inverse + np.outer(step - seen, step @ inverse) / (step @ seen)
        here = there
    return None


class _System:
    """The equations in y = (x, α), or in α alone where no rate depends on the price."""

    def __init__(self, economy: Economy, tariff: Tariff, tolerance: float, watch: Watch) -> None:
        self.economy, self.tariff, self.watch = economy, tariff, watch
        self.couples = couples(economy, tariff)
        self.shape = economy.rest_load_kw.shape
        self._oracle = PopulationOracle(
            game=Game(economy, tariff), tolerance=tolerance, watch=watch, residual_of=self._residual
        )

    def unknowns(self, known: PopulationResponse) -> Floats:
        """The unknowns at an answer's own net load and adder."""
        load_kw = (known.net_load_kw + self.economy.rest_load_kw).ravel() if self.couples else np.empty(0)
        return np.append(load_kw, known.adder_usd_per_kwh)

    def inverse(self, known: PopulationResponse, slope: RecoverySlope | None) -> Floats:
        """Inverse of the equations' derivative at an answer."""
        if slope is None or not self.couples:
            return np.array([[1 / known.billed_kwh_per_day if known.billed_kwh_per_day > 0 else np.inf]])
        steepness = self.economy.supply.slope(known.net_load_kw + self.economy.rest_load_kw).ravel()
        by_load = np.vstack([-slope.load_by_price * steepness, slope.surplus_by_price * steepness])
        by_adder = np.append(-slope.load_by_adder, slope.surplus_by_adder)
        derivative = np.column_stack([by_load, by_adder])
        derivative[np.diag_indices(steepness.size)] += 1.0
        return inverse(derivative)

    def at(self, unknowns: Floats, warm: PopulationResponse, before: float = np.inf) -> _Point:
        """Evaluate the population."""
        load_kw = unknowns[:-1].reshape(self.shape) if self.couples else warm.net_load_kw + self.economy.rest_load_kw
        prices = self.economy.supply.price(load_kw)
        found, residual = self._oracle.respond(prices, float(unknowns[-1]), start=warm, before=before)
        gap_kw = (load_kw - self.economy.rest_load_kw - found.net_load_kw).ravel() if self.couples else np.empty(0)
        return _Point(unknowns, found, np.append(gap_kw, self._surplus(found)), residual)

    def short_at_zero(self, root: _Point, inverse: Floats) -> bool:
        """Whether the books fall short without an adder, the prices there extrapolated from the root."""
        unknowns = root.unknowns - inverse[:, -1] / inverse[-1, -1] * root.unknowns[-1]
        load_kw = unknowns[:-1].reshape(self.shape) if self.couples else root.answer.net_load_kw
        prices = self.economy.supply.price(load_kw)
        accuracy = SIGN_ACCURACY * root.answer.adder_usd_per_kwh
        without = population_response(
            self.economy, self.tariff, prices, 0.0, start=root.answer, accuracy=accuracy, check=self.watch.check
        )
        self.watch.tick()
        return self._surplus(without) < 0

    def solution(self, point: _Point) -> PriceSolution:
        """A root as a price solution; where no rate depends on the price, beside the price it induces."""
        if self.couples:
            return PriceSolution(
                answer=point.answer, residual_usd_per_kwh=price_gap(self.economy, point.answer), converged=True
            )
        return PriceSolution(answer=self._at_induced(point.answer), residual_usd_per_kwh=0.0, converged=True)

    def _at_induced(self, found: PopulationResponse) -> PopulationResponse:
        """An answer beside the prices that it induces."""
        return with_wholesale(
            Game(self.economy, self.tariff), found, induced_wholesale(self.economy, found.net_load_kw)
        )

    def _surplus(self, found: PopulationResponse) -> float:
        """Revenue less cost, energy bought at the induced price where no rate depends on it."""
        if not self.couples:
            found = self._at_induced(found)
        return surplus_usd_per_day(self.economy, self.tariff, found)

    def _residual(self, found: PopulationResponse) -> float:
        sold = found.billed_kwh_per_day
        missed = abs(self._surplus(found)) / sold if sold > 0 else np.inf
        return max(missed, price_gap(self.economy, found)) if self.couples else missed
