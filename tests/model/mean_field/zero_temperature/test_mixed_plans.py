"""Temperature 0 without a potential: the mixture clears the market, nobody forgoes anything, cold games lead there."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from plain_game import exploitability, flow, price_gap_usd_per_kwh
from random_worlds import SMALL, random_world
from scenarios import small_economy, small_tariff

from meanwatt.agents.tariff.tariff import ExportRule, Tariff
from meanwatt.analysis.output.export import game_arrays
from meanwatt.model.mean_field.equilibrium import Outcome, solve_equilibrium
from meanwatt.model.mean_field.solvers.price_fixed_point import first_guess
from meanwatt.model.mean_field.zero_temperature.frank_wolfe import solve_exact
from meanwatt.model.mean_field.zero_temperature.mixed_plans import solve_mixed
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.supply import SupplyCurve

FORGONE_USD_PER_DAY = 1e-8


def cold(**changes: object) -> Economy:
    """Three kinds of days, six slots, most households with a battery of five levels, steep supply; temperature 0."""
    settings = {"temperature_usd": 0.0, "slots": 6, "levels": 5, "battery_share": 0.9, "steepness": 0.5}
    return small_economy(**{**settings, **changes})


def stepped(economy: Economy) -> Economy:
    """A piecewise linear supply with flat stretches."""
    curve = SupplyCurve.piecewise_linear([0.0, 0.3, 0.5, 0.7, 1.0], [0.05, 0.05, 0.15, 0.15, 0.4])
    return replace(economy, supply=curve)


WORLDS: dict[str, Callable[[], tuple[Economy, Tariff]]] = {
    "exports earn nothing": lambda: (cold(), small_tariff(cold(), export_rule=ExportRule.NONE)),
    "another share back": lambda: (cold(), small_tariff(cold(), export_pass_through=0.4)),
    "exports alone follow the price": lambda: (
        cold(),
        small_tariff(cold(), pass_through=0.0, energy_usd_per_kwh=np.full((3, 6), 0.6)),
    ),
    "impatient": lambda: (cold(discount_per_day=0.9), small_tariff(cold())),
    "very impatient": lambda: (cold(discount_per_day=0.7), small_tariff(cold(), export_rule=ExportRule.NET_METERING)),
    "impatient with a memory": lambda: (
        cold(discount_per_day=0.95, memory=1),
        small_tariff(cold(), export_pass_through=0.7),
    ),
    "a discount on the price": lambda: (cold(), small_tariff(cold(), discount=np.array([0.3, 0.0]))),
    "a discount on what the meter nets": lambda: (
        cold(),
        small_tariff(cold(), discount=np.array([0.3, 0.1]), export_rule=ExportRule.NET_METERING),
    ),
    "a discount below the credit, which is capped": lambda: (
        cold(),
        small_tariff(cold(), discount=np.array([0.3, 0.0]), capped_at_import=True),
    ),
    "stepped supply": lambda: (stepped(cold()), small_tariff(cold(), export_rule=ExportRule.NONE)),
}


@pytest.mark.parametrize("name", WORLDS)
def test_the_mixture_clears_the_market_and_nobody_forgoes_anything(name: str) -> None:
    """EvaluatedTariff from the exported arrays alone."""
    economy, tariff = WORLDS[name]()
    found = solve_equilibrium(economy, tariff, certify=False)
    assert found.outcome is Outcome.CONVERGED
    game = game_arrays(found)
    assert price_gap_usd_per_kwh(game) <= 1e-12
    assert -1e-12 <= exploitability(game) <= FORGONE_USD_PER_DAY
    assert found.exploitability_usd_per_household_day <= FORGONE_USD_PER_DAY
    for kind, levels in enumerate(game["levels"]):
        if levels > 1:
            law = game["law"][kind]
            assert flow(game, kind, game["policy"][kind], law[:, 0]) == pytest.approx(law, abs=1e-10)


@pytest.mark.parametrize("seed", range(6))
def test_where_there_is_a_potential_it_has_the_price_of_the_least(seed: int) -> None:
    """Both forgo at most ε, so each is within Σ p Δ (λ − λ₀)² ≤ 2σ ε/κ of the price (C6)."""
    economy = cold(seed=seed)
    tariff = small_tariff(economy)
    start = first_guess(economy)
    mixed = solve_mixed(economy, tariff, 0.0, start, watch=Watch())
    least = solve_exact(economy, tariff, 0.0, start, watch=Watch())
    assert mixed.converged
    apart = mixed.answer.wholesale_usd_per_kwh - least.answer.wholesale_usd_per_kwh
    distance = float(economy.common.probability @ (apart**2).sum(axis=1)) * economy.slot_hours
    steepest = float(economy.supply.slope(np.array(0.0)))
    assert distance**0.5 <= sum(
        (2 * steepest * gap) ** 0.5 for gap in (mixed.gap_usd_per_day, least.gap_usd_per_day, 1e-15)
    )


@pytest.mark.parametrize("name", ["exports earn nothing", "another share back", "impatient"])
def test_cooling_softmax_households_arrive_at_its_price(name: str) -> None:
    economy, tariff = WORLDS[name]()
    exact = solve_equilibrium(economy, tariff, certify=False).wholesale_usd_per_kwh
    apart = []
    for temperature in (4e-3, 1e-3, 2.5e-4):
        warm, _ = WORLDS[name]()
        scenario = warm.scenario.model_copy(update={"temperature_usd": temperature})
        soft = solve_equilibrium(replace(warm, scenario=scenario), tariff, certify=False)
        assert soft.outcome is Outcome.CONVERGED
        apart.append(float(np.abs(soft.wholesale_usd_per_kwh - exact).max()))
    assert apart[0] > apart[1] > apart[2]
    assert apart[2] < 0.3 * apart[0], "the distance falls with the temperature, in the limit in proportion"


def test_random_cold_worlds_are_solved_too() -> None:
    ranges = replace(SMALL, cold_share=1.0)
    solved = 0
    for seed in range(12):
        world = random_world(seed, ranges)
        if not world.couples or not world.outside:
            continue
        found = solve_equilibrium(world.economy, world.tariff, certify=False)
        assert found.converged, found.message
        game = game_arrays(found)
        assert price_gap_usd_per_kwh(game) <= found.residual_usd_per_kwh + 1e-12
        assert exploitability(game) <= FORGONE_USD_PER_DAY
        solved += 1
    assert solved >= 3


def test_what_was_tried_and_how_far_it_came_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meanwatt.model.mean_field.zero_temperature.mixed_plans.ROUND_LIMIT", 3)
    monkeypatch.setattr("meanwatt.model.mean_field.solvers.anchored_policies.STEP_LIMIT", 1)
    economy, tariff = WORLDS["exports earn nothing"]()
    found = solve_equilibrium(economy, tariff)
    assert found.outcome is Outcome.ROUND_LIMIT
    assert found.residual_usd_per_kwh > 1e-9
    assert "raise temperature_usd or lower the pass-through. Tried: mixtures of best plans (3 rounds)" in found.message
    assert "a household forgoes" in found.message
    assert "; mixtures of best plans and cooled policies (3 rounds) clear the market" in found.message
