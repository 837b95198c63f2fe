"""One attempt: what comes of a drawn tariff, its cost recovered by the fixed charge."""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.analysis.challenge.drawing import Drawing, drawn_tariff
from meanwatt.analysis.challenge.scale import Scale
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.economy import DAYS_PER_MONTH


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attempt:
    """What came of a tariff; of its equilibrium, which is large, no more than is shown.

    Attributes
    ----------
    criteria : (3,)
        In the order of `meanwatt.analysis.challenge.scale.AXES`.
    charges_usd_per_month
        Fixed charge of each income group; below 0 is a refund. [USD/month]
    surplus_usd_per_household_day
        What bills leave over the cost: nothing. [USD per household-day]
    import_usd_per_kwh, export_usd_per_kwh, wholesale_usd_per_kwh : (h,)
        Rates and wholesale price of the mean day. [USD/kWh]
    """

    __repr__ = short_repr

    criteria: Floats
    charges_usd_per_month: tuple[float, ...]
    surplus_usd_per_household_day: float
    import_usd_per_kwh: Floats
    export_usd_per_kwh: Floats
    wholesale_usd_per_kwh: Floats


def outcome(found: Equilibrium, scale: Scale) -> Attempt:
    """What is kept of an equilibrium."""
    weight = found.economy.common.probability
    return Attempt(
        criteria=scale.criteria(found),
        charges_usd_per_month=tuple((found.fixed_charge_usd_per_day * DAYS_PER_MONTH).tolist()),
        surplus_usd_per_household_day=found.surplus_usd_per_household_day,
        import_usd_per_kwh=np.asarray(weight @ found.rates.import_usd_per_kwh),
        export_usd_per_kwh=np.asarray(weight @ found.rates.export_usd_per_kwh),
        wholesale_usd_per_kwh=np.asarray(weight @ found.wholesale_usd_per_kwh),
    )


def solve_drawing(
    drawing: Drawing, scale: Scale, *, start: Equilibrium | None = None, watch: Watch | None = None
) -> Equilibrium:
    """Solve a drawn tariff, from the filed tariff's equilibrium unless another is given.

    Raises
    ------
    Cancelled
        If asked to stop.
    ValueError
        In one sentence, if the drawing lies outside the limits, or households do not settle under it.
    """
    economy = scale.filed.economy
    tariff = drawn_tariff(drawing, economy, scale.filed.tariff.standing_charges)
    found = solve_equilibrium(economy, tariff, start=start or scale.filed, certify=False, watch=watch)
    if found.outcome is Outcome.CANCELLED:
        raise Cancelled
    if found.outcome is not Outcome.CONVERGED:
        raise ValueError(f"homes do not settle under this tariff: {found.message}")
    return found


def attempt(drawing: Drawing, scale: Scale, watch: Watch | None = None) -> Attempt:
    """Solve a drawn tariff and say what comes of it; raises as `solve_drawing`."""
    return outcome(solve_drawing(drawing, scale, watch=watch), scale)
