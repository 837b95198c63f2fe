"""Policy iteration while households learn beliefs (theorem G9): they track, meters err within bounds; best wins."""

from functools import cache

import numpy as np
import pytest
from scenarios import preset_tariff, solved

from meanwatt.agents.leader.bandit_leader import MenuLearner
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.population.population_response import induced_wholesale, population_response

SHARES = (1.0, 0.985, 0.97)
"""Pass-through of the menu's tariffs: near each other, as the theorem is local."""
ROUND_DAYS = 30


@cache
def menu() -> tuple[Equilibrium, ...]:
    """Equilibria of the textbook under three shares of the wholesale price. Its supply is a line, its day the same."""
    found = []
    for share in SHARES:
        tariff = preset_tariff("textbook", "rtp", f"tariff.pass_through={share}", f"tariff.export.pass_through={share}")
        start = found[-1] if found else None
        found.append(
            solve_equilibrium(solved("textbook", "rtp").economy, tariff, tolerance_usd_per_kwh=1e-10, start=start)
        )
    return tuple(found)


@cache
def largest_radius() -> float:
    return max(one.contraction or 0.0 for one in menu())


def reach(step: float) -> float:
    """γ, by which an error shrinks a day."""
    return max(abs(1 - step), abs(1 - step * (1 + largest_radius())))


def evening_price(found: Equilibrium, belief: Floats) -> tuple[float, Floats]:
    """What a day meters under a belief, minus the mean price from 17 to 21 h, and the prices that it brings."""
    load = population_response(
        found.economy, found.tariff, belief, found.adder_usd_per_kwh, start=found.answer
    ).net_load_kw
    price = induced_wholesale(found.economy, load)
    return -float(price[0, 17:21].mean()), price


def days(found: Equilibrium, belief: Floats, step: float, count: int) -> tuple[list[float], Floats, list[float]]:
    """Values metered on each day, the belief after them, and the distance of the belief before each."""
    metered, distances = [], []
    for _ in range(count):
        distances.append(float(np.linalg.norm(belief - found.wholesale_usd_per_kwh)))
        value, price = evening_price(found, belief)
        metered.append(value)
        belief = belief + step * (price - belief)
    return metered, belief, distances


def test_beliefs_close_in_by_gamma_a_day_where_the_step_is_below_two_over_one_plus_rho() -> None:
    found = menu()[0]
    assert largest_radius() > 1, "plain iteration must herd here, or the step is no condition"
    nudge = 1e-5 * np.random.default_rng(3).uniform(-1, 1, found.wholesale_usd_per_kwh.shape)
    step = 1.8 / (1 + largest_radius())
    _, _, near = days(found, found.wholesale_usd_per_kwh + nudge, step, 10)
    paces = np.array(near[1:]) / near[:-1]
    assert (paces <= reach(step) * 1.01).all()
    assert reach(step) < 1


def test_beliefs_run_away_where_the_step_is_above_two_over_one_plus_rho() -> None:
    found = menu()[0]
    nudge = 1e-6 * np.random.default_rng(3).uniform(-1, 1, found.wholesale_usd_per_kwh.shape)
    step = 2.4 / (1 + largest_radius())
    _, _, away = days(found, found.wholesale_usd_per_kwh + nudge, step, 16)
    assert away[-1] > 4 * away[0]
    assert away[-1] < 0.01, "near the equilibrium still, where the pace is that of the derivative"
    assert away[-1] / away[-2] == pytest.approx(reach(step), rel=0.05)


def test_what_rounds_meter_is_off_by_no_more_than_the_bound_and_the_best_of_the_menu_is_held_for_ever() -> None:
    step, equilibria = 1.2 / (1 + largest_radius()), menu()
    truth = [evening_price(one, one.wholesale_usd_per_kwh)[0] for one in equilibria]
    slope = largest_radius() * 1.1 / np.sqrt(4)  # of a mean of four prices; a tenth for the curve of the price map
    learner, farthest = MenuLearner(1, len(equilibria), stream=5), 0.0
    belief = (equilibria[0].wholesale_usd_per_kwh + equilibria[-1].wholesale_usd_per_kwh) / 2
    for number in range(12):
        element = int(learner.choose(number)[0])
        metered, belief, distances = days(equilibria[element], belief, step, ROUND_DAYS)
        farthest = max(farthest, distances[0])
        learner.update(0, element, float(np.mean(metered)), ROUND_DAYS)
        bound = slope * farthest / (ROUND_DAYS * (1 - reach(step)))
        off = np.abs(learner.value_usd[0] - truth)
        assert (off[~np.isnan(off)] <= bound).all()
        gap = np.diff(np.sort(truth))[-1]
        if not np.isnan(learner.value_usd).any() and gap > 2 * bound:
            assert int(np.argmax(learner.value_usd)) == int(np.argmax(truth))
    assert gap > 2 * bound, "the case must be one of which the theorem speaks"
    assert off.max() > 0.01 * bound, "a bound far above everything tests nothing"
