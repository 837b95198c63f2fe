"""Temperature 0 without a potential: the mixture of plans at which nobody's plan can be bettered.

The frequencies 𝓕_θ of a type's plans are convex and compact, so an equilibrium is a mixture of plans (C1). With m_θk
the weight of plan k and λ(m) the price that clears the market for the mixture, it solves the variational inequality

    m_θk ≥ 0,  Σ_k m_θk = 1,     g_θk(λ(m)) = max_l g_θl(λ(m)) wherever m_θk > 0,

g being a plan's gain (at δ < 1 as in `endless_plans`). The plans are finitely many but a huge number; as in the
double-oracle method (McMahan, Gordon, Blum, ICML 2003) every round

* lets every type answer λ(m) by its best plan, which joins the pool; what the mixture forgoes to it is the
  exploitability at the price found, which is the certificate;
* solves the inequality on the pool by Josephy's Newton steps: λ(m) is linearised, and the affine inequality that is
  left is solved by Lemke's method (`complementarity`), with backtracking on what the mixture forgoes in the pool.

Where the pool's best mixture forgoes nothing, new plans are better ones, so the rounds end with an equilibrium; there
is no promise how soon, and no potential to descend.
"""

from collections.abc import Callable

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.population.game import Game
from meanwatt.model.mean_field.population.population_response import PopulationResponse, decision_problem, summed
from meanwatt.model.mean_field.population.ties import tie_slots
from meanwatt.model.mean_field.population.type_stack import Terms, TypeStack, stack_types, terms_of
from meanwatt.model.mean_field.zero_temperature.column_pool import FREE, Columns, clear_mixture, free_to_choose, mix
from meanwatt.model.mean_field.zero_temperature.complementarity import solve_on_simplices
from meanwatt.model.mean_field.zero_temperature.frank_wolfe import GAP_USD_PER_DAY, ExactSolution
from meanwatt.model.mean_field.zero_temperature.market_clearing import Cleared, expected_gain, start_at
from meanwatt.model.mean_field.zero_temperature.stationary_plans import EndlessPlans
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy

ROUND_LIMIT = 400
PATIENCE = 60
"""Rounds without a smaller gap after which the search ends."""
NEWTON_LIMIT = 12
POOL_SHARE = 1e-2
"""The inequality on the pool is solved to this share of the present gap."""
HOLDS = (1e-10, 1e-8, 1e-6, 1e-4, 1e-2)
"""How strongly a step is held near the present mixture, as shares of the largest slope, until Lemke's path ends."""
SHORTEST_STEP = 0.05
NUDGE_USD_PER_KWH = 1e-6
"""Half of the difference of prices over which the slope of rewards is taken. [USD/kWh]"""
MOST_PER_TYPE, KEPT_PER_TYPE = 60, 25
"""Plans in the pool above which those without weight are forgotten, and how many stay."""


def solve_mixed(
    economy: Economy,
    tariff: Tariff,
    adder_usd_per_kwh: float,
    wholesale_usd_per_kwh: Floats,
    *,
    watch: Watch,
    gap_usd_per_day: float = GAP_USD_PER_DAY,
    start: PopulationResponse | None = None,
    slow: Callable[[list[float]], bool] = lambda gaps: False,
) -> ExactSolution:
    """Find an equilibrium in mixed plans at temperature 0, for days without end.

    Parameters
    ----------
    wholesale_usd_per_kwh : (c, h)
        Prices of the first round.
    gap_usd_per_day
        Exploitability at which to stop.
    start
        Policies to begin with; without it everybody's best plan at the first prices.
    slow
        Whether to stop, from the exploitability of every round.

    Returns
    -------
    ExactSolution
        The mixture with the smallest exploitability seen; the market is cleared for it.
    """
    horizon = decision_problem(economy, temperature_usd=0.0)
    jumps = tie_slots(economy, tariff, adder_usd_per_kwh) is not None
    types, terms = stack_types(economy, jumps=jumps), terms_of(economy, tariff, adder_usd_per_kwh)
    plans = EndlessPlans(economy, horizon, types, patient=True, check=watch.check)
    here = start_at(types, terms, wholesale_usd_per_kwh, jumps=jumps)
    if start is None:
        plans.answer(here)
        watch.tick()
    else:
        plans.adopt(start)
    clear_mixture(types, terms, plans.columns, here)
    rounds, moved, least, since, gaps = 1, None, np.inf, 0, list[float]()
    best = plans.columns.mixture.copy()
    while True:
        gap = plans.answer(here)
        rounds, since = rounds + 1, since + 1
        watch.tick(moved)
        gaps.append(gap)
        if gap < least:
            since = since if gap > 0.9 * least else 0
            least, best = gap, plans.columns.mixture.copy()
        if gap <= gap_usd_per_day or rounds >= ROUND_LIMIT or since >= PATIENCE or slow(gaps):
            break
        _forget(plans.columns, best, types, here)
        before = here.price.copy()
        improve(types, terms, plans.columns, here, POOL_SHARE * gap)
        moved = float(np.abs(here.price - before).max())
    if least < gap:
        plans.columns.mixture[:] = 0.0
        plans.columns.mixture[: best.size] = best
        clear_mixture(types, terms, plans.columns, here)
        gap = plans.answer(here)
    responses, flows = zip(*plans.policies(here), strict=True)
    posted = Game(economy, tariff).posted_rates(here.price, adder_usd_per_kwh)
    return ExactSolution(
        answer=summed(economy, tariff, here.price, adder_usd_per_kwh, posted, responses, flows),
        gap_usd_per_day=max(gap, 0.0),
        rounds=rounds,
        converged=gap <= gap_usd_per_day,
    )


def improve(types: TypeStack, terms: Terms, columns: Columns, here: Cleared, enough: float) -> float:
    """Mixture of the pool that forgoes at most ``enough`` in the pool, by damped Josephy–Newton steps.

    ``here`` is cleared before and after; returns what the mixture forgoes in the pool. [USD per household-day]
    """
    place, first = free_to_choose(columns, types.share.size)
    if not place.size:
        return 0.0
    gain = _gains(types, columns, here, place)
    forgone = _forgone(types, columns, place, first, gain)
    for _ in range(NEWTON_LIMIT):
        if forgone <= enough:
            break
        mixture = columns.mixture[place]
        share = types.share[columns.type_index[place]]
        matrix = _slopes(types, columns, here, place, _reward_slope(types, terms, here))
        constant = -share * gain
        for s in range(first.size - 1):
            constant[first[s] : first[s + 1]] -= constant[first[s] : first[s + 1]].min()
        wanted = _wanted(constant, matrix, mixture, first)
        if wanted is None:
            break
        length, tried = 1.0, []
        while length >= SHORTEST_STEP:
            mix(columns, place, first, mixture + length * (wanted - mixture))
            clear_mixture(types, terms, columns, here)
            gain = _gains(types, columns, here, place)
            there = _forgone(types, columns, place, first, gain)
            tried.append((there, length))
            if there <= (1.0 - 0.2 * length) * forgone:
                break
            length *= 0.4
        else:  # no part of the step is better in the pool: go the best one seen, new plans will tell
            there, length = min(tried)
            mix(columns, place, first, mixture + length * (wanted - mixture))
            clear_mixture(types, terms, columns, here)
            return there
        forgone = there
    return forgone


def _wanted(constant: Floats, matrix: Floats, mixture: Floats, first: Ints) -> Floats | None:
    """Solution of the linearised inequality; held near the present mixture as far as rounding asks for it.

    Plans alike make the matrix singular. The term that holds vanishes where the mixture already is the solution.
    """
    for hold in HOLDS:
        held = matrix + hold * np.abs(matrix).max() * np.eye(len(matrix))
        wanted = solve_on_simplices(constant - held @ mixture, held, first)
        if wanted is not None:
            return wanted
    return None


def _reward_slope(types: TypeStack, terms: Terms, here: Cleared) -> Floats:
    """Slope of every move's reward in the price of its slot. (θ, c, h, z, j) [USD per USD/kWh]"""
    above = start_at(types, terms, here.price + NUDGE_USD_PER_KWH)
    below = start_at(types, terms, here.price - NUDGE_USD_PER_KWH)
    return np.asarray((above.reward_usd - below.reward_usd) / (2 * NUDGE_USD_PER_KWH))


@compiled
def _gains(types: TypeStack, columns: Columns, here: Cleared, place: Ints) -> Floats:
    """Gain of every plan at the present price. (k,) [USD/day]"""
    gain = np.empty(place.size)
    for a in range(place.size):
        k = place[a]
        gain[a] = (
            expected_gain(types, here.reward_usd[columns.type_index[k]], columns.frequency[k]) + columns.worth_usd[k]
        )
    return gain


@compiled
def _forgone(types: TypeStack, columns: Columns, place: Ints, first: Ints, gain: Floats) -> float:
    """What the mixture forgoes to the best plans in the pool. [USD per household-day]"""
    total = 0.0
    for s in range(first.size - 1):
        best = -np.inf
        for a in range(first[s], first[s + 1]):
            best = max(best, gain[a])
        for a in range(first[s], first[s + 1]):
            total += types.share[columns.type_index[place[a]]] * columns.mixture[place[a]] * (best - gain[a])
    return total


@compiled
def _slopes(types: TypeStack, columns: Columns, here: Cleared, place: Ints, rises: Floats) -> Floats:
    """Slope (k, l) of −w·gain of plan k in the weight of plan l, through the clearing price. [USD/day]"""
    states, slots = here.price.shape
    valued, load = np.empty((place.size, states * slots)), np.empty((place.size, states * slots))
    for a in range(place.size):
        type_index, frequency = columns.type_index[place[a]], columns.frequency[place[a]]
        for c in range(states):
            for h in range(slots):
                net_kw, rise = 0.0, 0.0
                for z in range(frequency.shape[2]):
                    for j in range(frequency.shape[3]):
                        net_kw += frequency[c, h, z, j] * here.net_load_kw[type_index, c, h, z, j]
                        rise += frequency[c, h, z, j] * rises[type_index, c, h, z, j]
                load[a, c * slots + h] = types.share[type_index] * net_kw * here.bend[c, h]
                valued[a, c * slots + h] = -types.share[type_index] * types.chance[c] * rise
    slopes: Floats = np.dot(valued, load.T)
    return slopes


def _forget(columns: Columns, best: Floats, types: TypeStack, here: Cleared) -> None:
    """Free the places of the worst plans without weight, now and in the best mixture, once the pool is crowded."""
    for type_index in range(types.share.size):
        place = np.flatnonzero(columns.type_index == type_index)
        if place.size <= MOST_PER_TYPE:
            continue
        gain = _gains(types, columns, here, place)
        for k in place[np.argsort(-gain)][KEPT_PER_TYPE:]:
            if columns.mixture[k] == 0.0 and (k >= best.size or best[k] == 0.0):
                columns.type_index[k] = FREE
