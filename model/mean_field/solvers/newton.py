"""Newton's method for the equilibrium prices, at one temperature and a given adder.

The unknown is the system load x[c, h], net load plus rest, and the price is λ = s(x), so that prices never leave the
supply curve:

    G(x) = x − rest − L(s(x)) = 0,      G' = I − ∂L/∂λ · diag(s'(x)).

Where Theorem U applies, G is the gradient of the convex

    F(λ) = Σ_{c,h} p_c Δ [x s(x) − S(x) − s(x)·rest] + Σ_θ (w_θ/κ_θ) V_θ(λ),     λ = s(x),

and a step is accepted when F falls; elsewhere, and close to the solution, when the residual does. The derivative is
exact, and its inverse is reused with Broyden's rank-one correction while steps keep shrinking the residual, so a
solution nearby costs a few evaluations of the population and no derivative at all.

Where a matrix would be large, `LoadEquation` gives the step without it, and the inverses of the common states' blocks,
corrected alike, stand for the inverse afterwards.

The derivative has a cheap part, what load answers to the price of its own slot, and a dear one, the *coupling* of slots
through batteries. The cheap part is the one that jumps (at the ends of flexibility, and where households part between
plans), so it is renewed first, and the coupling only where that does not help.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.linear_systems import inverse, solved
from meanwatt.model.mean_field.derivatives.population_sensitivity import dense_pays, net_load_slope, own_slot_slope
from meanwatt.model.mean_field.derivatives.price_product import (
    LoadEquation,
    PriceProduct,
    apply_blocks,
    inverted_blocks,
)
from meanwatt.model.mean_field.population.game import Game, kept_shares, pass_through_shares
from meanwatt.model.mean_field.population.population_response import Answer, PopulationOracle, outlook
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy

STEP_LIMIT = 25
"""Newton steps at one temperature."""
FEW_PRICES = 64
"""Up to this many prices a derivative costs about as much as an evaluation."""
DENSE_ALONG = 400
"""Prices up to which the derivative is a matrix where steps follow the supply curve."""
SHORTEST_STEP = 1e-3
REUSE = 0.1
"""A step that leaves this share of the residual or less keeps its derivative,"""
REUSE_LARGE = 0.5
"""and so does one that leaves this share, where there are many prices and derivatives cost many evaluations."""
RENEWED_IN_VAIN = 0.5
"""A step whose derivative was renewed in its cheap part only is not taken if it leaves more than this share."""
FALLEN = 0.3
"""Share to which the residual must fall within the steps that a search is patient for."""
ARMIJO = 1e-4
FORCING = 0.03
"""Residual of a step found without the matrix, as a share of what it is to remove."""
BENDS = 40
"""Newton steps along the supply curve, which ask nobody,"""
BEND_ACCURACY = 1e-3
"""to this share of the gap that they are to close,"""
SHORTEST_BEND = 1e-3
"""and the part of one below which they are given up."""
ROUNDING_USD = 1e-12
"""Rises of the potential this small are rounding. [USD per household-day]"""
ASTRAY_USD = 1e-8
"""Near ties a rise above this leads astray; it is what answers are accurate to. [USD per household-day]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NewtonSolution:
    """Where Newton's method ended.

    Attributes
    ----------
    answer
        The continuum's answer to the last accepted prices.
    residual_usd_per_kwh
        max |s(L + rest) − λ| there.
    slope
        The last derivative G' that was computed, (c·h, c·h), or the one given; None if none was needed as a matrix.
    coupling
        The part of the last ∂L/∂λ computed, or given, that is not of a slot's own price: (c·h, c·h), or its blocks
        (c, h, h') in large games.
    converged
        Whether the residual met the tolerance.
    """

    answer: Answer
    residual_usd_per_kwh: float
    slope: Floats | None
    coupling: Floats | None
    converged: bool


@dataclass(slots=True, eq=False)
class _Point:
    """A system load, the continuum's answer to its prices, and how good it is."""

    load_kw: Floats
    answer: Answer
    gap_kw: Floats
    residual: float
    potential: float


def follows_curve(economy: Economy) -> bool:
    """Whether steps can follow the supply curve round its bends, which takes the derivative as a matrix."""
    return dense_pays(economy, DENSE_ALONG)


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
        self.horizon = outlook(game.economy, temperature_usd=temperature_usd)
        self.has_potential = game.has_potential
        self._kept = kept_shares(game.economy, game.tariff)
        self._passed = pass_through_shares(game.economy, game.tariff)
        self._oracle = PopulationOracle(game=game, tolerance=tolerance, watch=watch, temperature_usd=temperature_usd)

    def at(self, load_kw: Floats, warm: Answer | None, before: float = np.inf) -> _Point:
        """Evaluate the population at a system load (c, h); ``before`` is the residual that led there."""
        prices = self.game.marginal_cost(load_kw)
        found, residual = self._oracle.answer(prices, self.adder, start=warm, before=before)
        potential = self._potential(found, load_kw) if self.has_potential else np.nan
        return _Point(load_kw, found, load_kw - self.economy.rest_load_kw - found.net_load_kw, residual, potential)

    def derivative(self, point: _Point) -> tuple["_Inverse", Floats]:
        """What solves for a step at a point, and the coupling in it."""
        steepness = self.game.marginal_cost_slope(point.load_kw)
        own = own_slot_slope(self.economy, self.tariff, point.answer, horizon=self.horizon)
        if not (follows_curve(self.economy) if self.along_curve else dense_pays(self.economy)):
            product = PriceProduct(self.economy, self.tariff, point.answer, self.watch, horizon=self.horizon)
            equation = LoadEquation(product, steepness)
            return _BlockInverse(equation.inverse_blocks, equation), equation.blocks - _diagonal(own)
        by_price = net_load_slope(self.economy, self.tariff, point.answer, horizon=self.horizon, check=self.watch.check)
        return self._dense(point, by_price, steepness), by_price - np.diag(own.ravel())

    def renewed(self, point: _Point, coupling: Floats) -> "_Inverse":
        """The same with a coupling known from elsewhere."""
        steepness = self.game.marginal_cost_slope(point.load_kw)
        own = own_slot_slope(self.economy, self.tariff, point.answer, horizon=self.horizon)
        if coupling.ndim == 3:
            return _BlockInverse(inverted_blocks(coupling + _diagonal(own), steepness))
        return self._dense(point, coupling + np.diag(own.ravel()), steepness)

    def _dense(self, point: _Point, by_price: Floats, steepness: Floats) -> "_DenseInverse":
        """The derivative as a matrix, from that of the load."""
        slope = np.eye(len(by_price)) - by_price * steepness.ravel()
        if not self.along_curve:
            return _DenseInverse(slope)

        def curve(step: Floats) -> tuple[Floats, Floats]:
            load_kw = point.load_kw + step
            return self.game.marginal_cost(load_kw) - point.answer.wholesale_usd_per_kwh, self.game.marginal_cost_slope(
                load_kw
            )

        return _DenseInverse(slope, lambda gap_kw, first: _step_along(by_price, gap_kw, first, curve))

    def fall(self, point: _Point, step: Floats) -> float:
        """Slope of the potential along a step; below zero downhill. [USD per household-day]"""
        bent = self.game.marginal_cost_slope(point.load_kw) * step
        by_state = (point.gap_kw * bent).sum(axis=1) * self.economy.slot_hours
        return float(self.economy.common.probability @ by_state)

    def _potential(self, found: Answer, load_kw: Floats) -> float:
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


class _Inverse(Protocol):
    """The inverse of the derivative, corrected after every step."""

    def step(self, gap_kw: Floats) -> Floats:
        """The Newton step (c, h) that is to close a gap (c, h)."""

    def correct(self, moved: Floats, gap_change: Floats) -> None:
        """Take in how the gap changed over a step: Broyden's rank-one correction."""


class _DenseInverse:
    """The inverse as a matrix; ``slope`` is what it inverts, ``bent`` betters the first step."""

    def __init__(self, slope: Floats, bent: Callable[[Floats, Floats], Floats] | None = None) -> None:
        self.slope, self._inverse, self._bent = slope, inverse(slope), bent

    def step(self, gap_kw: Floats) -> Floats:
        step = np.asarray(-self._inverse @ gap_kw.ravel()).reshape(gap_kw.shape)
        if self._bent is None:
            return step
        step, self._bent = self._bent(gap_kw, step), None
        return step

    def correct(self, moved: Floats, gap_change: Floats) -> None:
        along, inverse = moved.ravel(), self._inverse
        seen = inverse @ gap_change.ravel()
        inverse += np.outer(along - seen, along @ inverse) / (along @ seen)


def _step_along(
    by_price: Floats, gap_kw: Floats, first: Floats, curve: Callable[[Floats], tuple[Floats, Floats]]
) -> Floats:
    """Step d with d + gap − ∂L/∂λ·(s(x + d) − s(x)) = 0, by damped Newton steps from ``first``, or that.

    ``curve`` is s(x + d) − s(x) and s'(x + d), both (c, h).
    """

    def left(step: Floats) -> Floats:
        return (step + gap_kw).ravel() - by_price @ curve(step)[0].ravel()

    step, missing = first, left(first)
    for _ in range(BENDS):
        size = np.abs(missing).max()
        if size <= BEND_ACCURACY * np.abs(gap_kw).max():
            return step
        newton = solved(np.eye(len(by_price)) - by_price * curve(step)[1].ravel(), -missing)
        length = 1.0
        while length >= SHORTEST_BEND:
            there = step + length * newton.reshape(step.shape)
            missing = left(there)
            if np.abs(missing).max() <= (1 - 0.1 * length) * size:
                break
            length *= 0.5
        else:
            return first
        step = there
    return first


@dataclass(slots=True, eq=False)
class _BlockInverse:
    """The exact equation, where there is one, for the first step; else the blocks' inverses with their corrections."""

    blocks: Floats
    equation: LoadEquation | None = None
    corrections: list[tuple[Floats, Floats]] = field(default_factory=list)

    def step(self, gap_kw: Floats) -> Floats:
        if self.equation is None:
            return -self._times(gap_kw)
        found = self.equation.solve(-gap_kw, FORCING)
        self.equation = None  # and with it the policies it was made of
        return found

    def correct(self, moved: Floats, gap_change: Floats) -> None:
        seen = self._times(gap_change)
        across = apply_blocks(self.blocks.transpose(0, 2, 1), moved)
        for left, right in self.corrections:
            across = across + (moved * left).sum() * right
        self.corrections.append(((moved - seen) / (moved * seen).sum(), across))

    def _times(self, load_kw: Floats) -> Floats:
        product = apply_blocks(self.blocks, load_kw)
        for left, right in self.corrections:
            product = product + left * (right * load_kw).sum()
        return product


def solve_newton(
    problem: LoadFixedPoint,
    load_kw: Floats,
    *,
    warm: Answer | None = None,
    slope: Floats | None = None,
    coupling: Floats | None = None,
    patience: int | None = None,
    shortest: float = SHORTEST_STEP,
) -> NewtonSolution:
    """Find the system load whose prices answer themselves.

    Parameters
    ----------
    load_kw : (c, h)
        Where to start. [kW per household]
    warm
        An answer to similar prices.
    slope
        The derivative at a solution nearby, to be tried before computing one.
    coupling
        The coupling there, alike.
    patience
        Steps within which the residual must fall to ``FALLEN`` of what it was; without it only failure ends the search.
    shortest
        Part of a step below which there is nothing to be gained.
    """
    here = problem.at(load_kw, warm)
    best, bests, made = here, [here.residual], _Made.BEFORE
    inverse: _Inverse | None = None if slope is None else _DenseInverse(slope)
    reuse, renew = REUSE if load_kw.size <= FEW_PRICES else REUSE_LARGE, coupling is not None
    for _ in range(STEP_LIMIT):
        if best.residual <= problem.tolerance or _out_of_patience(bests, patience):
            break
        if inverse is None and renew and coupling is not None:
            inverse, made = problem.renewed(here, coupling), _Made.RENEWED
        elif inverse is None:
            (inverse, coupling), made, renew = problem.derivative(here), _Made.FRESH, True
        if made is not _Made.BEFORE and isinstance(inverse, _DenseInverse):
            slope = inverse.slope
        there = _search(problem, here, inverse.step(here.gap_kw), made is _Made.FRESH, shortest)
        if made is _Made.RENEWED and there is not None and there.residual > RENEWED_IN_VAIN * here.residual:
            there = None
        if there is None:
            if made is _Made.FRESH:
                break
            inverse, renew = None, made is _Made.BEFORE
            continue
        if there.residual <= reuse * here.residual:
            inverse.correct(there.load_kw - here.load_kw, there.gap_kw - here.gap_kw)
            made = _Made.BEFORE
        else:
            inverse, renew = None, made is not _Made.RENEWED
        here = there
        best = min(best, here, key=lambda point: point.residual)
        bests.append(best.residual)
    return NewtonSolution(
        answer=best.answer,
        residual_usd_per_kwh=best.residual,
        slope=slope,
        coupling=coupling,
        converged=best.residual <= problem.tolerance,
    )


def _out_of_patience(bests: list[float], patience: int | None) -> bool:
    """Whether the best residual has not fallen to ``FALLEN`` of what it was so many steps ago."""
    return patience is not None and len(bests) > patience and bests[-1] > FALLEN * bests[-1 - patience]


class _Made(Enum):
    """Where the derivative of a step was made."""

    FRESH = auto()
    """all of it where the step begins"""
    RENEWED = auto()
    """its cheap part only"""
    BEFORE = auto()
    """elsewhere, and corrected since"""


def _search(problem: LoadFixedPoint, here: _Point, step: Floats, exact: bool, shortest: float) -> _Point | None:
    """The longest acceptable part of a step; None if there is none, or if an inexact step is not good as it is."""
    promised, length, has_potential = problem.fall(here, step), 1.0, problem.has_potential
    while length >= shortest:
        there = problem.at(here.load_kw + length * step, here.answer, here.residual)
        # a steep load lets the residual fall across the minimum of the potential and back for ever
        astray = has_potential and problem.economy.ties is not None and there.potential > here.potential + ASTRAY_USD
        if there.residual <= (1 - 0.1 * length) * here.residual and not astray:
            return there
        if not exact:
            return None
        allowed = here.potential + ARMIJO * length * promised + ROUNDING_USD
        if has_potential and there.potential <= allowed:
            return there
        length *= 0.5 if length > 0.3 else 0.3
    return None
