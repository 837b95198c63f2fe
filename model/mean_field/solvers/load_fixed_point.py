"""The equilibrium prices as a fixed point in the system load, at one temperature and a given adder.

The unknown is the system load x[c, h], net load plus rest, and the price is λ = s(x), so that prices never leave the
supply curve:

    G(x) = x − rest − L(s(x)) = 0,      G' = I − ∂L/∂λ · diag(s'(x)).

Where Theorem U applies, G is the gradient of the convex

    F(λ) = Σ_{c,h} p_c Δ [x s(x) − S(x) − s(x)·rest] + Σ_θ (w_θ/κ_θ) V_θ(λ),     λ = s(x).

The derivative has a cheap part, what load answers to the price of its own slot, and a dear one, the *coupling* of slots
through batteries.
"""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.mean_field.derivatives.population_sensitivity import (
    dense_pays,
    matrix_pays,
    net_load_slope,
    own_slot_slope,
)
from meanwatt.model.mean_field.derivatives.price_product import LoadEquation, PriceProduct, inverted_blocks
from meanwatt.model.mean_field.population.game import Game, kept_shares, pass_through_shares
from meanwatt.model.mean_field.population.population_response import (
    PopulationOracle,
    PopulationResponse,
    decision_problem,
)
from meanwatt.model.mean_field.solvers.broyden_inverse import BlockInverse, DenseInverse, Inverse, step_along
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy

DENSE_ALONG, DENSE_COLD = 400, 1_300
"""Prices up to which the derivative is a matrix where steps follow the supply curve, and at temperature 0, where prices
rest at its bends and nothing else gets there."""


@dataclass(slots=True, eq=False)
class Point:
    """A system load, the continuum's answer to its prices, and how good it is."""

    load_kw: Floats
    answer: PopulationResponse
    gap_kw: Floats
    residual: float
    potential: float


def follows_curve(economy: Economy) -> bool:
    """Whether steps can follow the supply curve round its bends, which takes the derivative as a matrix."""
    return matrix_pays(economy, DENSE_COLD if economy.scenario.temperature_usd == 0 else DENSE_ALONG)


class LoadFixedPoint:
    """The fixed point in the system load: G(x) = 0 at one temperature and a given adder.

    Parameters
    ----------
    game
        Whose load answers the prices.
    adder_usd_per_kwh
        The adder held. [USD/kWh]
    temperature_usd
        Above 0. [USD]
    tolerance
        Residual at which to stop. [USD/kWh]
    watch
        Counts evaluations of the population.
    along_curve
        Whether a step follows the supply curve round its bends, in place of its tangent: for loads so steep that they
        rest at a bend.
    """

    def __init__(
        self,
        game: Game,
        adder_usd_per_kwh: float,
        *,
        temperature_usd: float,
        tolerance: float,
        watch: Watch,
        along_curve: bool = False,
    ) -> None:
        self.game, self.adder = game, adder_usd_per_kwh
        self.economy, self.tariff = game.economy, game.tariff
        self.watch, self.tolerance, self.along_curve = watch, tolerance, along_curve
        self.horizon = decision_problem(game.economy, temperature_usd=temperature_usd)
        self.has_potential = game.has_potential
        self._kept = kept_shares(game.economy, game.tariff)
        self._passed = pass_through_shares(game.economy, game.tariff)
        self._oracle = PopulationOracle(game=game, tolerance=tolerance, watch=watch, temperature_usd=temperature_usd)

    def at(self, load_kw: Floats, warm: PopulationResponse | None, before: float = np.inf) -> Point:
        """Evaluate the population at a system load (c, h); ``before`` is the residual that led there."""
        prices = self.game.marginal_cost(load_kw)
        found, residual = self._oracle.respond(prices, self.adder, start=warm, before=before)
        potential = self._potential(found, load_kw) if self.has_potential else np.nan
        return Point(load_kw, found, load_kw - self.economy.rest_load_kw - found.net_load_kw, residual, potential)

    def derivative(self, point: Point) -> tuple[Inverse, Floats]:
        """What solves for a step at a point, and the coupling in it."""
        steepness = self.game.marginal_cost_slope(point.load_kw)
        own = own_slot_slope(self.economy, self.tariff, point.answer, horizon=self.horizon)
        if not (follows_curve(self.economy) if self.along_curve else dense_pays(self.economy)):
            product = PriceProduct(self.economy, self.tariff, point.answer, self.watch, horizon=self.horizon)
            equation = LoadEquation(product, steepness)
            return BlockInverse(equation.inverse_blocks, equation), equation.blocks - _diagonal(own)
        by_price = net_load_slope(self.economy, self.tariff, point.answer, horizon=self.horizon, check=self.watch.check)
        return self._dense(point, by_price, steepness), by_price - np.diag(own.ravel())

    def renewed(self, point: Point, coupling: Floats) -> Inverse:
        """The same with a coupling known from elsewhere."""
        steepness = self.game.marginal_cost_slope(point.load_kw)
        own = own_slot_slope(self.economy, self.tariff, point.answer, horizon=self.horizon)
        if coupling.ndim == 3:
            return BlockInverse(inverted_blocks(coupling + _diagonal(own), steepness))
        return self._dense(point, coupling + np.diag(own.ravel()), steepness)

    def _dense(self, point: Point, by_price: Floats, steepness: Floats) -> DenseInverse:
        """The derivative as a matrix, from that of the load."""
        slope = np.eye(len(by_price)) - by_price * steepness.ravel()
        if not self.along_curve:
            return DenseInverse(slope)

        def curve(step: Floats) -> tuple[Floats, Floats]:
            load_kw = point.load_kw + step
            return self.game.marginal_cost(load_kw) - point.answer.wholesale_usd_per_kwh, self.game.marginal_cost_slope(
                load_kw
            )

        return DenseInverse(slope, lambda gap_kw, first: step_along(by_price, gap_kw, first, curve))

    def fall(self, point: Point, step: Floats) -> float:
        """Slope of the potential along a step; below zero downhill. [USD per household-day]"""
        bent = self.game.marginal_cost_slope(point.load_kw) * step
        by_state = (point.gap_kw * bent).sum(axis=1) * self.economy.slot_hours
        return float(self.economy.common.probability @ by_state)

    def _potential(self, found: PopulationResponse, load_kw: Floats) -> float:
        economy, price = self.economy, found.wholesale_usd_per_kwh
        energy = (load_kw - economy.rest_load_kw) * price - economy.supply.cost(load_kw)
        supply = float(economy.common.probability @ energy.sum(axis=1)) * economy.slot_hours
        worth = [
            float(t.share * r.gain_usd_per_day / kept)
            for t, r, kept in zip(economy.types, found.responses, self._kept, strict=True)
        ]
        for passed in np.unique(self._passed):
            gains = sum(own for own, share in zip(worth, self._passed, strict=True) if share == passed)
            supply += gains / passed
        return supply


def _diagonal(own: Floats) -> Floats:
    """Diagonal matrices (c, h, h') with these numbers (c, h)."""
    return own[:, :, None] * np.eye(own.shape[1])
