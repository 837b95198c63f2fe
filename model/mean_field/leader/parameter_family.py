"""What a search needs of a family of tariffs: named parameters between bounds, and the tariff at each."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.scenario.economy import Economy


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ParameterFamily(ABC):
    """Tariffs spanned by a few parameters between bounds.

    Attributes
    ----------
    free
        Names of the parameters that the leader chooses.
    low, high : (free,)
        Bounds.
    """

    free: tuple[str, ...]
    low: Floats
    high: Floats

    @abstractmethod
    def tariff(self, parameters: Floats) -> Tariff:
        """The member with the given free parameters; values are clipped to the bounds."""

    def starts(self, economy: Economy) -> list[Floats]:
        """Where a search may begin, as far as the family knows; by default nothing."""
        return []

    @property
    def has_components(self) -> bool:
        """Whether a member may have tiers, a demand charge or another component."""
        return self.tariff(self.low).has_components or self.tariff(self.high).has_components

    @property
    def has_tangent(self) -> bool:
        """Whether parameters act through rates before discounts and fixed charges alone, which are differentiated."""
        return True

    def at(self, unit: Floats) -> Floats:
        """Free parameters at a point of the unit cube; outside it, of the nearest face."""
        return np.asarray(self.low + np.clip(unit, 0.0, 1.0) * (self.high - self.low))

    def unit(self, parameters: Floats) -> Floats:
        """Point of the unit cube of free parameters; 0 along those without room."""
        return np.asarray((parameters - self.low) / np.where(self.high > self.low, self.high - self.low, 1.0))

    def describe(self, parameters: Floats) -> dict[str, float]:
        """Free parameters by name."""
        return dict(zip(self.free, np.clip(parameters, self.low, self.high).tolist(), strict=True))
