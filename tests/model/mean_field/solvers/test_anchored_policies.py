"""Proximal steps of policies: what an anchored answer is, that best policies stay, and that cold games end there."""

from dataclasses import replace

import numpy as np
import pytest
from plain_game import exploitability, price_gap_usd_per_kwh
from scenarios import small_economy, small_tariff

from meanwatt.agents.household.best_response import best_response
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import ExportRule, Tariff
from meanwatt.analysis.output.export import game_arrays
from meanwatt.model.mean_field.equilibrium import Outcome, solve_equilibrium
from meanwatt.model.mean_field.population.game import Game
from meanwatt.model.mean_field.population.population_response import decision_problem
from meanwatt.model.mean_field.solvers import price_search
from meanwatt.model.mean_field.solvers.anchored_policies import LEAST_PROBABILITY, anchors_at
from meanwatt.model.mean_field.solvers.broyden_inverse import step_along
from meanwatt.model.mean_field.solvers.price_fixed_point import first_guess
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.supply import SupplyCurve

FORGONE_USD_PER_DAY = 1e-8
TEMPERATURE_USD = 0.01


def cold(**changes: object) -> Economy:
    """Three kinds of days, six slots, most households with a battery of five levels, steep supply; temperature 0."""
    settings = {"temperature_usd": 0.0, "slots": 6, "levels": 5, "battery_share": 0.9, "steepness": 0.5}
    return small_economy(**{**settings, **changes})


def stepped(economy: Economy) -> Economy:
    """A piecewise linear supply with flat stretches."""
    curve = SupplyCurve.piecewise_linear([0.0, 0.3, 0.5, 0.7, 1.0], [0.05, 0.05, 0.15, 0.15, 0.4])
    return replace(economy, supply=curve)


def with_battery(economy: Economy) -> int:
    return next(k for k, household in enumerate(economy.types) if household.battery is not None)


@pytest.mark.parametrize("discount", [1.0, 0.9])
def test_an_anchored_answer_satisfies_its_definition(discount: float) -> None:
    """V = η log Σ μ exp(Q/η) and π = μ exp((Q − V)/η), Q in plain numpy from the values ahead."""
    economy = cold(discount_per_day=discount)
    kind, game = with_battery(economy), Game(economy, small_tariff(economy))
    household, horizon = economy.types[kind], decision_problem(economy, temperature_usd=TEMPERATURE_USD)
    posted = game.own_rates(game.posted_rates(first_guess(economy), 0.0), kind)
    rough = best_response(household, posted, horizon)
    rng = np.random.default_rng(3)
    anchor = np.where(rough.policy.probability > 0, rng.uniform(0.0, 1.0, rough.policy.probability.shape), 0.0)
    anchor /= anchor.sum(axis=-1, keepdims=True)
    found = best_response(household, posted, horizon, anchor=anchor)
    assert found.converged
    value, moves, levels = found.value_usd, found.policy.moves, household.levels
    per_slot = discount ** (1 / economy.slots)
    midnight = np.einsum("cd,dze->cze", horizon.common_kernel, value[:, 0])
    for h in range(economy.slots):
        following = value[:, h + 1] if h + 1 < economy.slots else midnight
        ahead = per_slot * np.einsum("zy,cye->cze", horizon.shock_kernel, following)
        constant = np.empty((levels, *value[:, h, :, 0].shape))
        for e in range(levels):
            stays = (e + moves >= 0) & (e + moves < levels)
            worth = found.outcome.reward_usd[:, h][..., stays] + ahead[..., e + moves[stays]]
            weight = anchor[:, h, e][..., stays] * np.exp((worth - worth.max(-1, keepdims=True)) / TEMPERATURE_USD)
            soft = worth.max(-1) + TEMPERATURE_USD * np.log(weight.sum(-1))
            assert found.policy.probability[:, h, e][..., stays] == pytest.approx(
                weight / weight.sum(-1, keepdims=True), abs=1e-9
            )
            constant[e] = soft - value[:, h, :, e]
        # at δ = 1 values are known up to a function of (c, z)
        assert constant == pytest.approx(np.broadcast_to(constant[:1], constant.shape), abs=1e-10)
        if discount < 1.0:
            assert constant == pytest.approx(0.0, abs=1e-10)


def test_a_best_policy_is_its_own_anchored_answer() -> None:
    """At any temperature: that is why the steps need no small one."""
    economy = cold()
    kind, game = with_battery(economy), Game(economy, small_tariff(economy))
    posted = game.own_rates(game.posted_rates(first_guess(economy), 0.0), kind)
    best = best_response(economy.types[kind], posted, decision_problem(economy))
    for temperature in (0.1, 1e-3):
        horizon = decision_problem(economy, temperature_usd=temperature)
        again = best_response(economy.types[kind], posted, horizon, anchor=best.policy.probability)
        assert again.policy.probability == pytest.approx(best.policy.probability, abs=1e-9)
        assert again.gain_usd_per_day == pytest.approx(best.gain_usd_per_day, abs=1e-9)


def test_an_anchor_gives_up_no_open_move_and_allows_no_other() -> None:
    economy = cold()
    kind, game = with_battery(economy), Game(economy, small_tariff(economy))
    posted = game.own_rates(game.posted_rates(first_guess(economy), 0.0), kind)
    best = best_response(economy.types[kind], posted, decision_problem(economy))
    (anchor,) = anchors_at((best,))
    open_moves = np.broadcast_to(best.policy.open_moves[:, :, None], anchor.shape)
    assert (anchor[open_moves] >= 0.5 * LEAST_PROBABILITY).all()
    assert not anchor[~open_moves].any()
    assert anchor.sum(axis=-1) == pytest.approx(1.0, abs=1e-12)


def exports_earn_nothing(economy: Economy) -> tuple[Economy, Tariff]:
    return economy, small_tariff(economy, export_rule=ExportRule.NONE)


WORLDS = {
    "with a potential": lambda: (cold(), small_tariff(cold())),
    "exports earn nothing": lambda: exports_earn_nothing(cold()),
    "impatient": lambda: (cold(discount_per_day=0.9), small_tariff(cold())),
    "boltzmann values": lambda: exports_earn_nothing(cold(value_rule="boltzmann")),
    "stepped supply": lambda: exports_earn_nothing(stepped(cold())),
}


@pytest.mark.parametrize("name", WORLDS)
def test_the_steps_end_at_an_equilibrium_without_rounds_of_plans(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds are given up at once, so that the steps have to do it alone. EvaluatedTariff from the exported arrays."""
    economy, tariff = WORLDS[name]()
    usual = solve_equilibrium(economy, tariff, certify=False)
    monkeypatch.setattr(price_search, "_takes_long", lambda gaps, enough, patience: True)
    found = solve_equilibrium(economy, tariff, certify=False)
    assert found.outcome is Outcome.CONVERGED
    game = game_arrays(found)
    assert price_gap_usd_per_kwh(game) <= 1e-12
    assert -1e-12 <= exploitability(game) <= 2 * FORGONE_USD_PER_DAY
    if name == "with a potential":
        # both forgo at most ε, so each is within Σ p Δ (λ − λ₀)² ≤ 2σ ε/κ of the price (C6)
        apart = found.wholesale_usd_per_kwh - usual.wholesale_usd_per_kwh
        distance = float(economy.common.probability @ (apart**2).sum(axis=1)) * economy.slot_hours
        forgone = exploitability(game) + exploitability(game_arrays(usual)) + 1e-14
        assert distance <= 2 * 2 * float(economy.supply.slope(np.array(0.0))) * forgone


def test_a_step_along_a_bent_curve_closes_the_gap_where_the_tangent_does_not() -> None:
    supply = SupplyCurve.piecewise_linear([0.0, 0.5, 1.0, 1.5], [0.1, 0.1, 0.6, 0.6])
    rng = np.random.default_rng(1)
    root = rng.standard_normal((4, 4))
    by_price = -20.0 * (root @ root.T + 0.1 * np.eye(4))
    load_kw = np.array([[0.2, 0.45, 0.7, 1.2]])
    gap_kw = np.array([[-0.4, 0.3, 0.5, -0.2]])

    def curve(step: Floats) -> tuple[Floats, Floats]:
        return supply.price(load_kw + step) - supply.price(load_kw), supply.slope(load_kw + step)

    def left(step: Floats) -> float:
        return float(np.abs(gap_kw.ravel() + step.ravel() - by_price @ curve(step)[0].ravel()).max())

    slope = np.eye(4) - by_price * supply.slope(load_kw).ravel()
    tangent = np.linalg.solve(slope, -gap_kw.ravel()).reshape(gap_kw.shape)
    assert left(tangent) > 0.1
    assert left(step_along(by_price, gap_kw, tangent, curve)) <= 1e-3
