"""One attempt: the equilibrium under a drawn tariff, its cost recovered by the fixed charge."""

from dataclasses import dataclass

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.analysis.challenge.drawing import Drawing, drawn_tariff
from meanwatt.analysis.challenge.scale import Scale
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.economy import DAYS_PER_MONTH


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attempt:
    """A tariff that was tried.

    Attributes
    ----------
    equilibrium
        With the fixed charges that cover the cost.
    criteria : (3,)
        In the order of `meanwatt.analysis.challenge.scale.AXES`.
    """

    __repr__ = short_repr

    equilibrium: Equilibrium
    criteria: Floats

    @property
    def charges_usd_per_month(self) -> tuple[float, ...]:
        """Fixed charge of each income group; below 0 is a refund. [USD/month]"""
        return tuple((self.equilibrium.fixed_charge_usd_per_day * DAYS_PER_MONTH).tolist())


def attempt(drawing: Drawing, scale: Scale, *, start: Equilibrium | None = None, watch: Watch | None = None) -> Attempt:
    """Solve a drawn tariff.

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
    return Attempt(equilibrium=found, criteria=scale.criteria(found))
