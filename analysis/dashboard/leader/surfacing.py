"""The Pareto surface of a leader's tariffs for a page: computed when somebody asks, and shared.

It depends on the scenario alone: weights only choose among what it shows. It takes seconds on the smallest preset and
minutes on the others, and its turn in the server is that of the searches.
"""

from collections.abc import Callable
from dataclasses import dataclass

from meanwatt.analysis.dashboard.leader.choice import Choice
from meanwatt.analysis.dashboard.leader.searching import alone
from meanwatt.analysis.dashboard.leader.sighted import Posted, Sighted
from meanwatt.analysis.dashboard.shared.memo import Memo
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.dashboard.shared.time_left import TimeLeft
from meanwatt.analysis.pareto.surface import Surface, pareto_surface
from meanwatt.analysis.pareto.survey import EvaluatedTariff, criteria_of
from meanwatt.model.mean_field.equilibrium import Outcome, solve_equilibrium
from meanwatt.model.progress.watch import Cancelled, Progress, Watch

POINTS = 3
"""Points sought along each edge of the surface."""
IN_FORCE = "the tariff in force"
"""What sentences about the surface call it."""
WAITING = "Waiting: the same surface is being computed for another visitor"

_surfaces: Memo[tuple[str, str], "Drawn"] = Memo(6)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """A surface, and the welfare of the first best that its efficiency gaps are measured from.

    Attributes
    ----------
    welfare_usd_per_household_day
        [USD per household-day]
    """

    surface: Surface
    welfare_usd_per_household_day: float


def drawn_surface(
    choice: Choice,
    seen: Sighted,
    welfare: float,
    *,
    progress: Callable[[Work], None],
    cancelled: Callable[[], bool],
) -> Drawn | None:
    """Compute the surface of a choice's scenario, or find it computed already.

    Parameters
    ----------
    seen
        The tariff in force, and the family searched.
    welfare
        Of the first best. [USD per household-day]
    cancelled
        Whether to stop; the tariffs tried by then make the surface.

    Returns
    -------
    Drawn or None
        None if it was cancelled before a tariff was tried.
    """
    key = (choice.scenario, choice.leader)
    progress(Work(text=WAITING, fraction=0.0))
    left = TimeLeft()

    def told(report: Progress) -> None:
        text = f"{report.stage}: {report.evaluations:,} tariffs tried{left.said('surface', report.fraction)}"
        progress(Work(text=text, fraction=report.fraction or 0.0))

    with _surfaces.turn(key, cancelled) as mine:
        known = _surfaces.get(key)
        if known is None and mine:
            try:
                with alone(progress, cancelled):
                    surface = pareto_surface(
                        seen.in_force.economy,
                        {IN_FORCE: criteria_of(seen.in_force, welfare)},
                        [IN_FORCE],
                        first_best_welfare=welfare,
                        family=seen.family,
                        points=POINTS,
                        watch=Watch(progress=told, cancelled=cancelled),
                    )
            except Cancelled:
                return None
            known = Drawn(surface=surface, welfare_usd_per_household_day=welfare)
            if surface.outcome is not Outcome.CANCELLED:
                _surfaces.put(key, known)
    return known if known is not None and known.surface.front else None


def posted(seen: Sighted, one: EvaluatedTariff) -> Posted:
    """A tariff of the surface with its equilibrium, and what the leader makes of it."""
    start = seen.in_force if seen.best is None else seen.best.equilibrium
    found = solve_equilibrium(seen.in_force.economy, seen.family.tariff(one.parameters), start=start, certify=False)
    return Posted(
        equilibrium=found,
        objective=seen.aims.objective()(found),
        parameters=seen.family.describe(one.parameters),
    )
