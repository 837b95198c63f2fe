"""Plentiful storage, steep supply and cold households: cells where plain and accelerated iteration herd for ever."""

import numpy as np
import pytest
from scenarios import preset_economy, preset_tariff, small_economy, small_tariff

from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.population.population_response import induced_wholesale
from meanwatt.model.mean_field.solvers.price_fixed_point import solve_prices
from meanwatt.model.progress.watch import Watch


def storage(share: float, slope: float, temperature: float, rule: str) -> Equilibrium:
    """The textbook with a battery in a share of households and a cubic supply curve, prices passed through."""
    economy = preset_economy(
        "textbook",
        *(f"income_groups.{g}.storage_share_of_pv={share}" for g in ("low", "middle", "high")),
        *(f"income_groups.{g}.battery_only_share={share}" for g in ("low", "middle", "high")),
        f"supply.coefficients=[0.05, {slope}, 0.0, 0.02]",
        f"temperature_usd={temperature}",
    )
    tariff = preset_tariff(
        "textbook",
        "flat",
        "tariff.recovery=posted",
        "tariff.pass_through=1.0",
        "tariff.energy_usd_per_kwh=0.05",
        f"tariff.export.rule={rule}",
        "tariff.export.pass_through=1.0",
        "tariff.export.usd_per_kwh=0.0",
    )
    return solve_equilibrium(economy, tariff, certify=False)


@pytest.mark.parametrize("rule", ["net_metering", "net_billing"])
@pytest.mark.parametrize(("share", "slope", "temperature"), [(0.3, 0.06, 0.005), (0.7, 0.3, 0.001), (1.0, 0.3, 0.001)])
def test_the_hard_cells_are_solved(share: float, slope: float, temperature: float, rule: str) -> None:
    found = storage(share, slope, temperature, rule)
    assert found.outcome is Outcome.CONVERGED
    assert found.residual_usd_per_kwh <= 1e-8
    induced = induced_wholesale(found.economy, found.net_load_kw)
    assert np.abs(induced - found.wholesale_usd_per_kwh).max() <= 1e-8
    assert found.exploitability_usd_per_household_day <= found.softmax_bound_usd_per_household_day


def test_storage_for_everybody_flattens_the_price_more_the_steeper_supply_is() -> None:
    steep, flat = (storage(1.0, slope, 0.001, "net_billing") for slope in (0.3, 0.06))
    spread = [float(np.ptp(found.wholesale_usd_per_kwh)) for found in (flat, steep)]
    assert spread[1] < 5 * spread[0], "without storage the ratio of the spreads is that of the slopes, five"


def test_a_solution_nearby_is_improved_without_a_new_derivative() -> None:
    economy = small_economy(temperature_usd=0.02, steepness=0.3)
    tariff = small_tariff(economy)
    cold = solve_prices(economy, tariff, 0.0, tolerance=1e-10, watch=Watch())
    assert cold.slope is not None
    watch = Watch()
    warm = solve_prices(economy, tariff, 0.001, tolerance=1e-10, watch=watch, start=cold)
    assert warm.converged
    again = solve_prices(economy, tariff, 0.001, tolerance=1e-10, watch=Watch())
    assert warm.answer.wholesale_usd_per_kwh == pytest.approx(again.answer.wholesale_usd_per_kwh, abs=1e-9)
    assert watch.evaluations <= 6


@pytest.mark.parametrize("scenario", [{"discount_per_day": 0.7}, {"value_rule": "boltzmann"}])
def test_games_without_a_potential_are_solved_too(scenario: dict[str, object]) -> None:
    economy = small_economy(temperature_usd=0.03, steepness=0.5, battery_share=0.9, **scenario)
    found = solve_equilibrium(economy, small_tariff(economy), certify=False)
    assert found.outcome is Outcome.CONVERGED
    assert found.uniqueness.startswith("observed only: ")
