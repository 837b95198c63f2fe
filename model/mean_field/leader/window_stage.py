"""What the search over windows keeps of a combination that is done: all that later ones, and the end, depend on."""

from dataclasses import dataclass

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.mean_field.leader.commitment import Commitment
from meanwatt.model.mean_field.leader.leader_problem import Trial


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowStage:
    """One combination whose tariffs were searched.

    Attributes
    ----------
    place
        Of the combination, in the order of the file.
    outcome
        How its search ended.
    objective
        The best that was found; None if no tariff was feasible.
    parameters : (free,)
        Of the best tariff; None alike.
    net_load_kw : (c, h)
        At its equilibrium; None alike. [kW]
    trials
        Every tariff tried.
    error
        Why no tariff was feasible; empty otherwise.
    """

    __repr__ = short_repr

    place: int
    outcome: Outcome
    objective: float | None
    parameters: Floats | None
    net_load_kw: Floats | None
    trials: tuple[Trial, ...]
    error: str = ""


def stage_of(place: int, found: Commitment, parameters: Floats) -> WindowStage:
    """What is kept of a combination's best tariff, its parameters (free,) as an array."""
    return WindowStage(
        place=place,
        outcome=found.outcome,
        objective=found.objective,
        parameters=parameters,
        net_load_kw=found.equilibrium.net_load_kw,
        trials=found.trials,
    )


def infeasible(place: int, error: str) -> WindowStage:
    """What is kept where no tariff was feasible."""
    return WindowStage(
        place=place,
        outcome=Outcome.CONVERGED,
        objective=None,
        parameters=None,
        net_load_kw=None,
        trials=(),
        error=error,
    )
