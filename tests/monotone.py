"""Whether loads fall with their prices: what Theorem U promises, and what fails outside of it."""

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.derivatives.population_sensitivity import recovery_slope
from meanwatt.model.mean_field.population.population_response import PopulationResponse
from meanwatt.model.scenario.economy import Economy


def rises(economy: Economy, by_price: Floats) -> float:
    """Largest eigenvalue of the symmetric part of p Δ ∂L/∂λ as a share of the largest absolute one.

    Above 0 there are prices that rise and loads that rise with them: Σ p Δ dλ·dL > 0. 0 where no load moves.
    """
    slope = by_price * (np.repeat(economy.common.probability, economy.slots) * economy.slot_hours)[:, None]
    eigenvalues = np.linalg.eigvalsh((slope + slope.T) / 2)
    largest = np.abs(eigenvalues).max()
    return float(eigenvalues.max() / largest) if largest > 0 else 0.0


def slope_with_adder(economy: Economy, tariff: Tariff, found: PopulationResponse) -> tuple[Floats, Floats]:
    """Derivative ∂L/∂λ at the adder of an answer, and with one that follows so that the books stay balanced."""
    slope = recovery_slope(economy, tariff, found)
    follows = -np.outer(slope.load_by_adder, slope.surplus_by_price) / slope.surplus_by_adder
    return slope.load_by_price, slope.load_by_price + follows
