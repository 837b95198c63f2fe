"""Metrics of a market that follows an equilibrium, beside those of a whole simulation."""

from meanwatt.analysis.simulation.run_of_equilibrium import equilibrium_run_metrics
from meanwatt.analysis.simulation.simulation import simulate
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario


def test_metrics_without_the_rest_are_those_of_a_simulation_to_the_last_digit() -> None:
    economy = build_economy(load_scenario("textbook"))
    found = solve_equilibrium(economy, build_tariff(economy.scenario, "filed"), certify=False)
    size = {"households": 60, "days": 3}
    for key in ((0, 1), (0, 2)):  # the second market finds its tables made
        whole = simulate(
            economy, found.tariff, equilibrium=found, behaviour="equilibrium", seed=key, power_flow=False, **size
        )
        assert equilibrium_run_metrics(found, seed=key, **size) == whole.metrics
