"""Revenue recovery: the smallest volumetric adder, or the level of the fixed charges, that balances the books.

Revenue as a function of the adder α is a Laffer curve: it rises, peaks, and falls as sales vanish. Seen from α = 0 it
is concave on the way up, so Newton steps from the left never overshoot the first root; that is how the *smallest*
adder is found, with the exact slope of the books by implicit differentiation, or the secant's where that costs more.
Beside a first root already known prices and adder are tried together before (`joint`). Where the peak stays below zero
no adder balances the books (the utility death spiral), and the adder with the smallest shortfall is returned with
``adequate`` False.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.derivatives.population_sensitivity import RecoverySlope, surplus_slope_usd
from meanwatt.model.mean_field.population.game import couples
from meanwatt.model.mean_field.population.population_response import PopulationResponse, surplus_usd_per_day
from meanwatt.model.mean_field.solvers.joint_recovery import balance_nearby
from meanwatt.model.mean_field.solvers.methods import AUTO, SolverMethod
from meanwatt.model.mean_field.solvers.newton import FEW_PRICES
from meanwatt.model.mean_field.solvers.price_fixed_point import solve_prices
from meanwatt.model.mean_field.solvers.price_search import PriceSolution
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy

GRID = 40
"""Longest step of the march to the cap is cap / GRID."""
COARSE_USD_PER_KWH = 1e-6
"""Accuracy of prices far from the balance. [USD/kWh]"""
SHORTEST_STEP_USD_PER_KWH = 1e-3
"""Shortest step of the march, so that it also passes flat stretches. [USD/kWh]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recovered:
    """Prices at the adder found, and whether revenue covers cost there."""

    __repr__ = short_repr

    prices: PriceSolution
    surplus_usd_per_day: float
    adequate: bool


def smallest_adder(
    economy: Economy,
    tariff: Tariff,
    *,
    tolerance: float,
    watch: Watch,
    start: PriceSolution | None = None,
    first_root: bool = False,
    books: RecoverySlope | None = None,
    method: SolverMethod = AUTO,
) -> Recovered:
    """Smallest α ≥ 0 at which revenue − cost = 0, searched up to the tariff's cap.

    Parameters
    ----------
    tolerance
        Accuracy of the adder and of the prices. [USD/kWh]
    start
        A solution at a similar tariff, which the first solve starts from.
    first_root
        Whether the start is at the smallest adder above 0 that balances its own tariff; then prices and adder are
        first tried together.
    books
        Derivatives at the start.
    method
        How to look for the prices at an adder.
    """
    if start is not None and first_root and method is AUTO and economy.scenario.temperature_usd > 0:
        farthest = tariff.adder_cap_usd_per_kwh / GRID
        arguments = (economy, tariff, start.answer, books)
        beside = balance_nearby(*arguments, tolerance=tolerance, farthest=farthest, watch=watch)
        if beside is not None:
            gap = surplus_usd_per_day(economy, tariff, beside.answer)
            return Recovered(prices=beside, surplus_usd_per_day=gap, adequate=True)
    solved: dict[float, tuple[float, PriceSolution]] = {}
    last = start

    def surplus(adder: float, accuracy: float = 0.1 * tolerance) -> float:
        nonlocal last
        if adder not in solved or solved[adder][0] > accuracy:
            watch.stage = f"revenue balance, adder {adder:.4f} USD/kWh"
            prices = solve_prices(economy, tariff, adder, tolerance=accuracy, watch=watch, start=last, method=method)
            solved[adder], last = (accuracy, prices), prices
        return surplus_usd_per_day(economy, tariff, solved[adder][1].answer)

    def ended(adder: float, adequate: bool) -> Recovered:
        gap = surplus(adder)
        return Recovered(prices=solved[adder][1], surplus_usd_per_day=gap, adequate=adequate)

    def slope(adder: float) -> float | None:
        return _exact_slope(economy, tariff, solved[adder][1].answer)

    bracket = _march(surplus, slope, tariff.adder_cap_usd_per_kwh, tolerance, lambda adder: solved[adder][1])
    if isinstance(bracket, float):
        return ended(bracket, True)
    low, high = bracket
    if low == high:
        return ended(low, False)
    return ended(_root_between(surplus, low, high, 0.1 * tolerance), True)


def _root_between(surplus: Callable[[float], float], low: float, high: float, tolerance: float) -> float:
    """Adder between ``low``, which leaves a deficit, and ``high``, which does not, to within ``tolerance``.

    The Illinois variant of regula falsi (Dowell, Jarratt, BIT 11, 1971), never nearer to an end than half the
    tolerance, so that both ends close in. SciPy's brentq does the same; to import it takes longer than most solves.
    """
    below, above = surplus(low), surplus(high)
    known = {low: below, high: above}
    came_from = 0.0
    while high - low > tolerance:
        x = low + (high - low) * below / (below - above) if below != above else high
        x = float(np.clip(x, low + 0.5 * tolerance, high - 0.5 * tolerance))
        known[x] = gap = surplus(x)
        if gap >= 0:
            high, above = x, gap
            below *= 0.5 if came_from > 0 else 1.0
            came_from = 1.0
        else:
            low, below = x, gap
            above *= 0.5 if came_from < 0 else 1.0
            came_from = -1.0
    return min(low, high, key=lambda adder: abs(known[adder]))


def _exact_slope(economy: Economy, tariff: Tariff, found: PopulationResponse) -> float | None:
    """Slope of the books in the adder, where it costs no more than a few evaluations; None elsewhere.

    None is known where somebody carries the day's largest import in the state.
    """
    if any(household.day_peak for household in economy.types):
        return None
    if economy.scenario.temperature_usd == 0 or (couples(economy, tariff) and found.net_load_kw.size > FEW_PRICES):
        return None
    return surplus_slope_usd(economy, tariff, found)


def _march(
    surplus: Callable[[float, float], float],
    exact_slope: Callable[[float], float | None],
    cap: float,
    tolerance: float,
    solution: Callable[[float], PriceSolution],
) -> float | tuple[float, float]:
    """Walk from α = 0 to the first root: return it, a bracket around it, or (a, a) with the smallest shortfall at a.

    The books need not be exact far from their balance: prices are solved to a small share of the last step.
    """
    finest = 0.1 * tolerance

    def checked(adder: float, accuracy: float) -> float:
        gap = surplus(adder, accuracy)
        return surplus(adder, finest) if gap >= 0 else gap  # roughly known books must not decide

    adder, gap = 0.0, checked(0.0, COARSE_USD_PER_KWH)
    if gap >= 0:
        return 0.0
    trail = [(adder, gap)]
    best = adder, gap
    while True:
        slope = exact_slope(adder)
        if slope is None:
            slope = _secant_slope(trail, solution(adder))
        step = -gap / slope if slope > 0 else np.inf
        if step <= finest:
            return adder
        floor = SHORTEST_STEP_USD_PER_KWH if slope <= 0 else 0.0
        step = float(np.clip(step, floor, cap / GRID))
        adder = min(adder + step, cap)
        gap = checked(adder, float(np.clip(1e-3 * step, finest, COARSE_USD_PER_KWH)))
        trail.append((adder, gap))
        best = max(best, trail[-1], key=lambda point: point[1])
        if gap >= 0:
            return _finely_bracketed(surplus, [point for point, _ in trail], finest)
        if len(trail) > 2 and trail[-2][1] >= max(trail[-3][1], gap):
            peak, height = _peak_between(surplus, trail[-3][0], adder)
            if surplus(peak, finest) >= 0:
                return _finely_bracketed(surplus, [*(point for point, _ in trail[:-2]), peak], finest)
            best = max(best, (peak, height), key=lambda point: point[1])
        if adder >= cap:
            return best[0], best[0]


def _secant_slope(trail: list[tuple[float, float]], here: PriceSolution) -> float:
    """Slope of the books over the last step of a march; before the first, the energy that the adder is charged on."""
    if len(trail) == 1:
        return here.answer.billed_kwh_per_day
    (low, before), (high, after) = trail[-2:]
    return (after - before) / (high - low)


def _peak_between(surplus: Callable[[float, float], float], low: float, high: float) -> tuple[float, float]:
    """Adder between two at which the books are best, and their surplus there, both roughly."""
    from scipy.optimize import minimize_scalar  # slow to import, seldom needed

    found = minimize_scalar(
        lambda adder: -surplus(adder, COARSE_USD_PER_KWH),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-4},
    )
    return float(found.x), -float(found.fun)


def _finely_bracketed(
    surplus: Callable[[float, float], float], passed: list[float], finest: float
) -> float | tuple[float, float]:
    """Last two adders passed between which the finely known surplus turns positive, the last one's being so."""
    high = passed[-1]
    for low in reversed(passed[:-1]):
        if surplus(low, finest) < 0:
            return low, high
        high = low
    return high


def balancing_fixed_charge(economy: Economy, tariff: Tariff, surplus_without: float) -> Floats:
    """Fixed charges (payer,) whose level closes the gap at the tariffs' shapes; negative is a dividend. [USD/day]

    Rate classes that keep posted charges keep them.
    """
    shape = tariff.payer_shape
    mean_shape = sum(t.share * float(shape[tariff.payer(t)]) for t in economy.types)
    if not mean_shape > 0:
        raise ValueError(
            f"tariff {tariff.name}: fixed_charge_shape is {shape.tolist()}, positive only for"
            " groups without households; give a positive number to another"
        )
    balancing = np.asarray(-surplus_without / mean_shape * shape)
    return balancing + tariff.held_charge_usd_per_day if tariff.classes else balancing
