"""The derivative ∂L/∂λ of the population's net load as a linear map of the prices, and equations solved with it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.household.decision_problem import DecisionProblem
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.linear_systems import inverse
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.derivatives.day_product import ACCURACY, DayProduct
from meanwatt.model.mean_field.derivatives.linear_day import LinearDay
from meanwatt.model.mean_field.derivatives.population_sensitivity import own_rate_slopes
from meanwatt.model.mean_field.population.observables import observed
from meanwatt.model.mean_field.population.population_response import (
    PopulationResponse,
    decision_problem,
    own_decision_problem,
)
from meanwatt.model.mean_field.population.threads import for_each_type
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy

LOOSER = 0.1
"""Accuracy of a product within an equation, as a share of the accuracy that is asked of its solution."""
KRYLOV = 60
"""Products between restarts of GMRES,"""
RESTARTS = 3
"""and restarts that are worth it."""


class PriceProduct:
    """The derivative ∂L/∂λ of the mean net load in the wholesale prices, the adder held, as a linear map.

    Parameters
    ----------
    found
        The answer to differentiate, at a temperature above 0.
    watch
        Asked before every sweep whether to stop.
    horizon
        The outlook that the answer was computed with; the scenario's without it.
    """

    def __init__(
        self,
        economy: Economy,
        tariff: Tariff,
        found: PopulationResponse,
        watch: Watch,
        *,
        horizon: DecisionProblem | None = None,
    ) -> None:
        self._economy = economy
        horizon = decision_problem(economy) if horizon is None else horizon

        def linearise(type_index: int) -> "Floats | _OfType":
            watch.check()
            household, response, flow = economy.types[type_index], found.responses[type_index], found.flows[type_index]
            own, slopes = own_rate_slopes(tariff, found.rates, household)
            view = own_decision_problem(economy, horizon, type_index)
            seen = observed(household, own, response, view, True)
            if household.battery is None:
                both = zip(slopes, seen[1:], strict=True)
                return np.asarray(sum(slope * (flow.frequency * use[0]).sum(axis=(-2, -1)) for slope, use in both))
            day = LinearDay(response, flow, view, *seen)
            return _OfType(DayProduct(day, economy.common.backward, watch.check), np.stack(slopes))

        self._types = for_each_type(economy, linearise)

    def __call__(self, price: Floats, accuracy: float = ACCURACY) -> Floats:
        """Change of the mean net load (c, h) with a change of the prices (c, h). [kW per unit of the USD/kWh]"""

        def change(type_index: int) -> Floats:
            own = self._types[type_index]
            return own.product(own.slopes * price, accuracy)[0] if isinstance(own, _OfType) else own * price

        return self._mean(change)

    def blocks(self) -> Floats:
        """Derivative (c, h, h') within each common state, what midnight hands on held: a picture of the whole one."""

        def block(type_index: int) -> Floats:
            own = self._types[type_index]
            if isinstance(own, _OfType):
                return own.product.blocks(own.slopes)
            return own[:, :, None] * np.eye(self._economy.slots)

        return self._mean(block)

    def _mean(self, of_type: Callable[[int], Floats]) -> Floats:
        every = for_each_type(self._economy, of_type)
        return np.asarray(sum(t.share * part for t, part in zip(self._economy.types, every, strict=True)))


@dataclass(frozen=True, slots=True, eq=False)
class _OfType:
    """The product of a type with a battery, and the slopes (2, c, h) of its own rates in the prices."""

    product: DayProduct
    slopes: Floats


class LoadEquation:
    """The equation (I − ∂L/∂λ · diag(s')) x = g in the system load, which Newton's method solves for its step.

    Solved by GMRES with the blocks of the common states as its preconditioner, which are most of the matrix: prices
    of one day trade with each other far more than with those of the next.
    """

    def __init__(self, product: PriceProduct, steepness: Floats) -> None:
        self._product, self._steepness = product, steepness
        self.blocks = product.blocks()
        self.inverse_blocks = inverted_blocks(self.blocks, steepness)

    def solve(self, right: Floats, accuracy: float) -> Floats:
        """Solve for x (c, h) to an error of the residual of ``accuracy`` as a share of the right side's."""
        from scipy.sparse.linalg import LinearOperator, gmres  # slow to import, seldom needed

        shape = right.shape

        def left(flat: Floats) -> Floats:
            load = flat.reshape(shape)
            return np.asarray(load - self._product(self._steepness * load, LOOSER * accuracy)).ravel()

        def nearly(flat: Floats) -> Floats:
            return apply_blocks(self.inverse_blocks, flat.reshape(shape)).ravel()

        square = (right.size, right.size)
        flat, _ = gmres(
            LinearOperator(square, matvec=left, dtype=np.float64),
            right.ravel(),
            rtol=accuracy,
            atol=0.0,
            restart=KRYLOV,
            maxiter=RESTARTS,
            M=LinearOperator(square, matvec=nearly, dtype=np.float64),
        )
        return np.asarray(flat.reshape(shape))


def inverted_blocks(blocks: Floats, steepness: Floats) -> Floats:
    """Inverses (c, h, h') of the equation's blocks, from those of ∂L/∂λ (c, h, h')."""
    return inverse(np.eye(steepness.shape[1]) - blocks * steepness[:, None, :])


def apply_blocks(blocks: Floats, load: Floats) -> Floats:
    """Product of a block-diagonal matrix (c, h, h') with a vector (c, h)."""
    return np.asarray(np.matmul(blocks, load[:, :, None])[:, :, 0])
