"""Tariffs that differ in the energy charges of given windows of the day alone."""

from dataclasses import dataclass, replace

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.tariff.rate_classes import with_each_class
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.leader.parameter_family import ParameterFamily
from meanwatt.model.scenario.economy import Economy

ROOM = 2.0
"""Highest energy charge over the reference price, and over the rates that the family must hold."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowFamily(ParameterFamily):
    """Tariffs with one energy charge in each window; all else is that of one tariff.

    Attributes
    ----------
    free
        Names of the windows; a parameter is a window's energy charge. [USD/kWh]
    base
        The tariff whose energy charges are replaced. Its pass-through and its charges that do not depend on use stay.
    windows : tuple of (day type, slot) int
        Number of the window that each slot of every rate class lies in.
    """

    base: Tariff
    windows: tuple[Ints, ...]

    def tariff(self, parameters: Floats) -> Tariff:
        """The member with the given energy charges; values are clipped to the bounds."""
        rates = np.clip(parameters, self.low, self.high)
        return with_each_class(
            self.base,
            lambda place, own: replace(own, name="designed", energy_usd_per_kwh=rates[self.windows[place]]),
        )


def window_family(
    economy: Economy, base: Tariff, names: tuple[str, ...], windows: tuple[Ints, ...], held: Floats
) -> WindowFamily:
    """Make the family over given windows.

    Charges range up to twice the reference price, and from 0; as far as ``held`` needs it, beyond.

    Parameters
    ----------
    held : (…, window)
        Energy charges that the family must hold, with room around. [USD/kWh]
    """
    reference = economy.scenario.reference_price_usd_per_kwh
    held = np.atleast_2d(held)
    return WindowFamily(
        free=names,
        low=np.minimum(0.0, held.min(axis=0) - reference * (held.min(axis=0) < 0)),
        high=ROOM * np.maximum(reference, held.max(axis=0)),
        base=base,
        windows=windows,
    )
