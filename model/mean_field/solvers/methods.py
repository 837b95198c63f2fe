"""Methods of solving for the equilibrium prices: siblings in one list, chosen by name.

A method is a function of a `PriceSearch`, the system load to begin with and a solution nearby; what it finds it leaves
in the search. A new one is one more entry of ``METHODS``; the test that compares all of them reads the list.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.mean_field.derivatives.population_sensitivity import dense_pays
from meanwatt.model.mean_field.population.game import potential_failures
from meanwatt.model.mean_field.solvers.load_fixed_point import follows_curve
from meanwatt.model.mean_field.solvers.newton import FEW_PRICES
from meanwatt.model.mean_field.solvers.price_search import ROUNDS, PriceSearch, PriceSolution
from meanwatt.model.scenario.nearest import unknown

Step = Callable[[PriceSearch, Floats, PriceSolution | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SolverMethod:
    """A method by name.

    Attributes
    ----------
    name, summary
        What to call it, and what it does in a few words.
    search
        Looks for the prices.
    needs
        What a search lacks for it, in words; empty where it applies.
    """

    name: str
    summary: str
    search: Step
    needs: Callable[[PriceSearch], str] = lambda search: ""

    def run(self, search: PriceSearch, load_kw: Floats, start: PriceSolution | None) -> PriceSolution:
        """What the method finds, from a system load (c, h) [kW] and a solution nearby.

        Raises
        ------
        ValueError
            If the method does not apply to the game.
        """
        lacking = self.needs(search)
        if lacking:
            raise ValueError(f"solver is {self.name!r}, which needs {lacking}; give 'auto'")
        self.search(search, load_kw, start)
        return search.best


def _automatic(search: PriceSearch, load_kw: Floats, start: PriceSolution | None) -> None:
    """The ways in the order in which they promise most, until one converges."""
    economy = search.economy
    few = load_kw.size <= FEW_PRICES or economy.ties is not None  # a load this steep defeats acceleration
    dense = dense_pays(economy) or economy.ties is not None
    if start is not None and search.target > 0 and (start.slope is not None or few or not dense):
        search.newton(load_kw, search.target, start.answer, slope=start.slope, coupling=start.coupling)
    if search.target == 0 and (search.has_potential or _days_without_end(search)):
        _mix(search, load_kw)
        return
    if not search.done and search.target > 0 and not dense:
        search.cool_down(load_kw)
    if not search.done and (not few or search.target == 0):
        search.accelerate(load_kw, start.answer if start else None)
    if not search.done and search.target > 0 and dense:
        search.cool_down(load_kw)


def _mix(search: PriceSearch, load_kw: Floats) -> None:
    """Temperature 0: rounds of best plans where these soon end; else a game that is cooled, mixed with them."""
    by_potential = search.has_potential
    cools = _days_without_end(search) and follows_curve(search.economy)
    search.mix_plans(load_kw, by_potential=by_potential, patience=ROUNDS if cools else None)
    if not search.done and cools:
        search.anchor_plans(load_kw, by_potential=by_potential)
        if not search.done:
            nearest = search.best.answer
            load_kw = nearest.net_load_kw + search.economy.rest_load_kw
            search.mix_plans(load_kw, by_potential=by_potential, start=nearest)


def _newton(search: PriceSearch, load_kw: Floats, start: PriceSolution | None) -> None:
    """From a solution nearby at once, else from a warm game cooled down."""
    if start is not None:
        search.newton(load_kw, search.target, start.answer, slope=start.slope, coupling=start.coupling)
    if not search.done:
        search.cool_down(load_kw)


def _anderson(search: PriceSearch, load_kw: Floats, start: PriceSolution | None) -> None:
    search.patient = False
    search.accelerate(load_kw, start.answer if start else None)


def _picard(search: PriceSearch, load_kw: Floats, start: PriceSolution | None) -> None:
    search.accelerate(load_kw, start.answer if start else None, plainly=True)


def _frank_wolfe(search: PriceSearch, load_kw: Floats, start: PriceSolution | None) -> None:
    search.mix_plans(load_kw, by_potential=True)


def _inequality(search: PriceSearch, load_kw: Floats, start: PriceSolution | None) -> None:
    search.mix_plans(load_kw, by_potential=False)


def _days_without_end(search: PriceSearch) -> bool:
    """Whether the equilibrium in mixed plans may be looked for without a potential: where days have no end."""
    return search.economy.one_day is None and search.economy.held is None


def _warm(search: PriceSearch) -> str:
    return "" if search.target > 0 else "temperature_usd above 0"


def _cold(search: PriceSearch) -> str:
    return "" if search.target == 0 else f"temperature_usd = 0, here {search.target:g}"


def _potential(search: PriceSearch) -> str:
    failed = potential_failures(search.economy, search.tariff)
    return _cold(search) or (f"a potential: {failed[0]}" if failed else "")


def _endless(search: PriceSearch) -> str:
    return _cold(search) or ("" if _days_without_end(search) else "days without end")


AUTO: Final = SolverMethod(name="auto", summary="the method that promises most, then the others", search=_automatic)
METHODS: Final = (
    AUTO,
    SolverMethod(name="newton", summary="Newton's method, cooling from a warm game", search=_newton, needs=_warm),
    SolverMethod(name="anderson", summary="Anderson acceleration of the price map", search=_anderson),
    SolverMethod(
        name="picard", summary="the price map itself, undamped: it herds where batteries abound", search=_picard
    ),
    SolverMethod(
        name="frank_wolfe",
        summary="temperature 0: the mixture of plans of least potential",
        search=_frank_wolfe,
        needs=_potential,
    ),
    SolverMethod(
        name="mixed_plans",
        summary="temperature 0: the mixture of plans that solves the variational inequality",
        search=_inequality,
        needs=_endless,
    ),
)
"""All methods."""
WITHOUT_DERIVATIVES: Final = ("auto", "anderson", "picard")
"""Names of those that know what to do where no derivative of the load is known."""


def method_named(name: str) -> SolverMethod:
    """The method of that name; ValueError with the nearest one, or all, if there is none."""
    by_name = {method.name: method for method in METHODS}
    if name not in by_name:
        raise ValueError(unknown("solver", name, by_name))
    return by_name[name]
