"""The mean day of an equilibrium: net load and rates over 24 hours, expected over the weather."""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.mean_field.equilibrium import Equilibrium


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeanDay:
    """Expected day of a tariff.

    Attributes
    ----------
    net_load_kw, import_usd_per_kwh, export_usd_per_kwh : (h,) float
        Net load of the mean home, what it pays for a kWh before any discount, and what one earns that it exports.
        [kW, USD/kWh]
    """

    net_load_kw: Floats
    import_usd_per_kwh: Floats
    export_usd_per_kwh: Floats


def mean_day(equilibrium: Equilibrium) -> MeanDay:
    """Average net load and rates over the common states, by how often they come."""
    probability = equilibrium.economy.common.probability
    return MeanDay(
        net_load_kw=np.asarray(probability @ equilibrium.net_load_kw),
        import_usd_per_kwh=np.asarray(probability @ equilibrium.rates.import_usd_per_kwh),
        export_usd_per_kwh=np.asarray(probability @ equilibrium.rates.export_usd_per_kwh),
    )


def widest_slot(a: MeanDay, b: MeanDay) -> int | None:
    """Slot in which the net loads differ most, or else the rates; None if both days are the same."""
    for name in ("net_load_kw", "import_usd_per_kwh"):
        apart = np.abs(getattr(a, name) - getattr(b, name)).round(3)
        if apart.any():
            return int(apart.argmax())
    return None


def mean_wholesale_by_hour(equilibrium: Equilibrium) -> Floats:
    """Wholesale price of the mean day by the hour, expected over the weather. (24,) [USD/kWh]"""
    mean = equilibrium.economy.common.probability @ equilibrium.wholesale_usd_per_kwh
    return np.asarray(mean.reshape(24, -1).mean(axis=1))
