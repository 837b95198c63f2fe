"""Certificates of an equilibrium: exploitability, its softmax bound, contraction, and what is known of uniqueness."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from meanwatt.agents.household.best_response import Response, respond
from meanwatt.agents.household.day_operator import JOINT_LIMIT, day_operators, joint_operator, move_kernel
from meanwatt.agents.household.decision_problem import DecisionProblem
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.peak_response import peak_response
from meanwatt.agents.household.slot_outcome import slot_outcome
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.tariff.rates import Rates, payment_usd
from meanwatt.agents.tariff.tariff import ExportRule, Recovery, Tariff
from meanwatt.model.mean_field.derivatives.price_product import PriceProduct
from meanwatt.model.mean_field.population.flow import Flow
from meanwatt.model.mean_field.population.game import (
    ROUNDING,
    Game,
    couples,
    follows_wholesale,
    potential_failures,
)
from meanwatt.model.mean_field.population.load_reach import system_reach_kw
from meanwatt.model.mean_field.population.population_response import (
    PopulationResponse,
    decision_problem,
    induced_wholesale,
    own_decision_problem,
    surplus_usd_per_day,
)
from meanwatt.model.mean_field.population.ties import forgone_by_plans_usd_per_day, parts_somewhere, tie_slots
from meanwatt.model.mean_field.population.worth_left import worth_left_usd
from meanwatt.model.mean_field.solvers.price_fixed_point import solve_prices
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy

OBSERVED = "observed only"
NOT_GIVEN = "the adder is not given but balances revenue"
START_TOLERANCE_USD_PER_KWH = 1e-9
EIGENVALUE_TOLERANCE = 1e-3
"""Relative error of a contraction factor found by products,"""
RESTARTS = 20
"""and how often Arnoldi's method may begin anew for it."""
PRODUCT_ACCURACY = 1e-5
"""and the accuracy of the products."""
DAYS_OF_VALUE = 4_000
"""Days over which the value of a policy is added up; where it takes more, a linear system is solved."""


def softmax_bound_usd_per_day(economy: Economy) -> float:
    """A-posteriori bound η·T·Σ_θ w_θ ln max_e |A_θ(e)| on the exploitability of any fixed point. [USD/day]"""
    total = 0.0
    for household in economy.types:
        day = household.storage_day(economy.slot_hours)
        choices = day.open_moves[day.choice.chosen].sum(axis=2).max()
        total += household.share * float(np.log(choices))
    return economy.scenario.temperature_usd * economy.slots * total


def exploitability_usd_per_day(
    economy: Economy, tariff: Tariff, found: PopulationResponse, check: Callable[[], None] = lambda: None
) -> float:
    """What the mean household forgoes by its policy, at the prices (λ and α) that the policies induce.

    At δ = 1 the gain of the hard best response less the gain of the policy; at δ < 1,
    (1 − δ)·Σ_θ w_θ E[V_best − V_π] under p_c times the law at slot 0. Both values are unregularised. In a game of one
    day both are that day's rewards with salvage. ``check`` is called every second or so and may raise to stop.
    [USD per household-day]
    """
    wholesale = induced_wholesale(economy, found.net_load_kw)
    adder = found.adder_usd_per_kwh
    if tariff.recovery is Recovery.VOLUMETRIC and found.billed_kwh_per_day > 0:
        adder = max(adder - surplus_usd_per_day(economy, tariff, found) / found.billed_kwh_per_day, 0.0)
    game = Game(economy, tariff)
    posted = game.posted_rates(wholesale, adder)
    hard = decision_problem(economy, temperature_usd=0.0)
    total = forgone_by_plans_usd_per_day(economy, tariff, found, posted)
    for type_index, (household, response, flow) in enumerate(
        zip(economy.types, found.responses, found.flows, strict=True)
    ):
        if household.battery is None:
            continue
        view = own_decision_problem(economy, hard, type_index)
        if household.day_peak is not None:
            own = game.own_rates(posted, type_index)
            total += household.share * _forgone_with_peak(economy, household, own, view, response, flow, check)
            continue
        brought = slot_outcome(household, game.own_rates(posted, type_index), economy.shock_levels, economy.slot_hours)
        best = respond(brought, household.levels, view, start=response, check=check)
        if hard.discount_per_day == 1.0:
            weight = flow.frequency * economy.common.probability[:, None, None, None]
            forgone = best.gain_usd_per_day - float((weight * brought.valued_usd).sum())
            forgone -= worth_left_usd(flow, response.policy, view, brought.level_kwh)
        else:
            start_law = economy.common.probability[:, None, None] * flow.law[:, 0]
            own_value = policy_value_usd(brought.valued_usd, response.policy.probability, brought.moves, hard, check)
            lead = best.value_usd[:, 0].transpose(0, 2, 1) - own_value
            forgone = (1 - hard.discount_per_day) * float((start_law * lead).sum())
        total += household.share * forgone
    return total


def _forgone_with_peak(
    economy: Economy,
    household: HouseholdType,
    rates: Rates,
    hard: DecisionProblem,
    response: Response,
    flow: Flow,
    check: Callable[[], None],
) -> float:
    """What a household that carries the day's largest import forgoes, on average over days, use as planned. [USD/day]

    At δ < 1 the average is taken alike, of the policy that is best at δ = 1.
    """
    assert household.day_peak is not None and response.policy.peak is not None  # noqa: PT018
    best = peak_response(household, rates, replace(hard, discount_per_day=1.0), check=check)
    weight = flow.frequency * economy.common.probability[:, None, None, None]
    brought = response.outcome
    bought, sold = (rate[:, :, None, None] for rate in (rates.import_usd_per_kwh, rates.export_usd_per_kwh))
    paid = payment_usd(brought.net_load_kw, bought, sold, economy.slot_hours)
    charged = household.day_peak.usd_per_kw * response.policy.peak.raised_kw
    return best.gain_usd_per_day - float((weight * (brought.utility_usd - paid - brought.wear_usd - charged)).sum())


def policy_value_usd(
    reward: Floats, probability: Floats, move: Ints, horizon: DecisionProblem, check: Callable[[], None] = lambda: None
) -> Floats:
    """Discounted unregularised value of following a policy for ever, at midnight. (c, e, z) [USD]

    Iterated from zero until the change, extrapolated to the fixed point, is below 1e-12 USD; by a linear system where
    a discount near 1 would take very many days for that.
    """
    states, slots, levels, shocks, _ = probability.shape
    delta = horizon.discount_per_day
    per_slot = delta ** (1 / slots)
    target = np.clip(np.arange(levels)[:, None] + move, 0, levels - 1)

    def day_before(midnight: Floats) -> Floats:
        value = np.einsum("cd,dez->cez", horizon.common_kernel, midnight)
        for h in range(slots - 1, -1, -1):
            ahead = per_slot * value @ horizon.shock_kernel.T
            following = ahead[:, target].transpose(0, 1, 3, 2)
            value = np.einsum("cezj,cezj->cez", probability[:, h], reward[:, None, h] + following)
        return np.asarray(value)

    midnight = np.zeros((states, levels, shocks))
    if np.log(1e-12 * (1 - delta)) / np.log(delta) > DAYS_OF_VALUE and midnight.size <= JOINT_LIMIT:
        operators = day_operators(move_kernel(probability, move), horizon.shock_kernel, per_slot)
        system = np.eye(midnight.size) - joint_operator(horizon.common_kernel, operators)
        earned = day_before(midnight).transpose(0, 2, 1)
        return np.asarray(np.linalg.solve(system, earned.ravel()).reshape(earned.shape).transpose(0, 2, 1))
    while True:
        check()
        value = day_before(midnight)
        change = np.abs(value - midnight).max()
        midnight = value
        if change * delta / (1 - delta) <= 1e-12 * max(1.0, np.abs(value).max()):
            return np.asarray(midnight)


def smooth(economy: Economy, found: PopulationResponse) -> bool:
    """Whether answers move smoothly with prices.

    Batteries are moved at a temperature above 0, or nobody has one; no households part between two plans; and nobody
    carries the day's largest import in his state, of which no derivative is known here.
    """
    if any(household.day_peak for household in economy.types):
        return False
    warm = economy.scenario.temperature_usd > 0 or not any(household.battery for household in economy.types)
    return warm and not parts_somewhere(found)


def contraction(
    economy: Economy, tariff: Tariff, found: PopulationResponse, watch: Watch, slope: Floats | None = None
) -> float | None:
    """Spectral radius of the undamped price map λ → s(L(λ) + rest) at the solution, the adder held.

    Above 1, plain iteration herds away from the equilibrium. 0 where no rate depends on the wholesale price, None where
    the map jumps (see `smooth`). From the derivative ``slope`` = ∂L/∂λ where it is known, else from its products with a
    vector by Arnoldi's method, a power iteration that forgets nothing (ARPACK); None if that does not converge.
    """
    if not couples(economy, tariff):
        return 0.0
    if not smooth(economy, found):
        return None
    if slope is not None:
        steepness = economy.supply.slope(found.net_load_kw + economy.rest_load_kw).ravel()
        return float(np.abs(np.linalg.eigvals(steepness[:, None] * slope)).max())
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs  # slow to import, seldom needed

    watch.check()
    product = PriceProduct(economy, tariff, found, watch)
    steepness = economy.supply.slope(found.net_load_kw + economy.rest_load_kw)

    def mapped(flat: Floats) -> Floats:
        change = steepness * product(flat.reshape(steepness.shape), PRODUCT_ACCURACY)
        watch.tick()
        return change.ravel()

    start = mapped(1.0 + 0.1 * np.cos(np.arange(steepness.size)))
    if not start.any():
        return 0.0
    price_map = LinearOperator((start.size, start.size), matvec=mapped, dtype=np.float64)
    how = {"k": 1, "which": "LM", "v0": start, "tol": EIGENVALUE_TOLERANCE, "maxiter": RESTARTS}
    try:
        largest = eigs(price_map, **how, return_eigenvectors=False)
    except ArpackNoConvergence as short:
        largest = short.eigenvalues
    return float(np.abs(largest).max()) if len(largest) else None


def agreement(economy: Economy, tariff: Tariff, found: PopulationResponse, watch: Watch, starts: int) -> str:
    """Solve again from random system loads, the adder held, and say how far the prices are from those found."""
    peak_kw = economy.peak_reference_kw
    converged, farthest = 0, 0.0
    for seed in range(starts):
        watch.stage = f"certificates: random start {seed + 1} of {starts}"
        away = np.random.default_rng(seed).uniform(-1.0, 1.5, economy.rest_load_kw.shape)
        again = solve_prices(
            economy,
            tariff,
            found.adder_usd_per_kwh,
            tolerance=START_TOLERANCE_USD_PER_KWH,
            watch=watch,
            load_start_kw=economy.rest_load_kw + peak_kw * away,
        )
        if again.converged:
            converged += 1
            apart = np.abs(again.answer.wholesale_usd_per_kwh - found.wholesale_usd_per_kwh).max()
            farthest = max(farthest, float(apart))
    if converged == starts:
        return f"{starts} random starts agree to {farthest:.0e} USD/kWh"
    if converged == 0:
        return f"none of {starts} random starts converged"
    return f"of {starts} random starts {converged} converged, agreeing to {farthest:.0e} USD/kWh"


def uniqueness(economy: Economy, tariff: Tariff) -> str:
    """Say what Theorem U makes unique, the price alone or the load, too; and if nothing, which condition fails."""
    failed = potential_failures(economy, tariff)
    balances = tariff.recovery is Recovery.VOLUMETRIC
    if failed:
        return f"{OBSERVED}: {'; '.join(failed + [NOT_GIVEN] * balances)}"
    if not couples(economy, tariff):
        certain = _unique_alone(economy, tariff)
    elif balances:
        certain = "the price is unique by Theorem U"
    else:
        doubt = _load_doubt(economy, tariff)
        certain = f"the price is unique by Theorem U, the load need not be: {doubt}" if doubt else "unique by Theorem U"
        if _ties_apart(economy, tariff):
            certain += " but for ties of households whose rates do not follow the wholesale price, split equally"
    return f"{OBSERVED}: {NOT_GIVEN}; at any given adder {certain}" if balances else certain


def _unique_alone(economy: Economy, tariff: Tariff) -> str:
    """Where the wholesale price decides nothing: what everybody does is unique unless plans tie."""
    why = "no rate depends on the wholesale price"
    if any(
        one.export_rule is ExportRule.NET_BILLING and one.export_pass_through > ROUNDING for one in tariff.class_tariffs
    ):
        why = "nobody exports, and no other rate depends on the wholesale price"
    cold = economy.scenario.temperature_usd == 0 and any(household.battery for household in economy.types)
    return f"unique but for ties, which are split equally: {why}" if cold else f"unique: {why}"


def _ties_apart(economy: Economy, tariff: Tariff) -> bool:
    """Whether plans may tie of households whose rates do not follow the price, so that no price could part them."""
    cold = economy.scenario.temperature_usd == 0
    return cold and any(h.battery and not follows_wholesale(economy, tariff, h) for h in economy.types)


def _load_doubt(economy: Economy, tariff: Tariff) -> str:
    """Why the price may not decide the load, in words; empty where it does: at ties, on a flat part of supply."""
    cold = economy.scenario.temperature_usd == 0 and any(household.battery for household in economy.types)
    cold = cold or any(household.day_peak for household in economy.types)  # pieces of a day's charge may tie
    if not cold and tie_slots(economy, tariff, 0.0) is None:
        return ""
    if economy.supply.rises_strictly_between(*system_reach_kw(economy)):
        return ""
    return "plans may tie where the supply curve is flat"
