"""Electric vehicles in the continuum: valley filling by hand, the welfare theorem, and what is said of their trips."""

import numpy as np
import pytest
from scenarios import WITH_VEHICLES

from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.first_best import solve_first_best
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

GROUPS = ("low", "middle", "high")
HOME = np.r_[18:24, 0:8]
"""Hours in which the vehicles are plugged in."""


def solve(tariff: str = "rtp", **overrides: object) -> Equilibrium:
    """The textbook with vehicles."""
    economy = build_economy(load_scenario("textbook", overrides={**WITH_VEHICLES, **overrides}))
    return solve_equilibrium(economy, build_tariff(economy.scenario, tariff), certify=False)


@pytest.mark.parametrize(
    ("trip_kwh", "level_kw"), [(9.0, (8.5 + 9 / 0.88**0.5) / 14), (3.0, (5.5 + 3 / 0.88**0.5) / 11)]
)
def test_where_everybody_drives_the_night_valley_is_filled_to_its_water_level(trip_kwh: float, level_kw: float) -> None:
    """Temperature 0, κ = 1, use that answers no price: plugged in are eleven hours at .5 kW and three at 1 kW.

    The level W solves Σ (W − load)⁺ = trip / η_c over these hours, η_c = √.88: 14 W − 8.5 = 9 / η_c for nine kWh, all
    hours filled; 11 W − 5.5 = 3 / η_c for three, the evening's three left alone.
    """
    everybody = {f"income_groups.{group}.ev_share": 1.0 for group in GROUPS}
    found = solve(
        temperature_usd=0.0,
        elasticity=0.0,
        pv_share_scale=0.0,
        battery_share_scale=0.0,
        **{"shock.levels": [1.0], "shock.kernel": [[1.0]], "ev.trip_kwh": trip_kwh, **everybody},
    )
    base_kw = np.where((np.arange(24) >= 17) & (np.arange(24) < 21), 1.0, 0.5)
    expected = base_kw.copy()
    expected[HOME] = np.maximum(base_kw[HOME], level_kw)
    assert expected.sum() - base_kw.sum() == pytest.approx(trip_kwh / 0.88**0.5, abs=1e-12)
    assert found.converged
    assert found.net_load_kw[0] == pytest.approx(expected, abs=1e-8)
    assert found.wholesale_usd_per_kwh[0] == pytest.approx(0.05 + 0.1 * expected, abs=1e-9)
    assert found.unmet_trip_kwh_per_household_day == 0.0


def test_at_temperature_zero_marginal_cost_pricing_is_the_first_best_with_vehicles_too() -> None:
    found = solve(temperature_usd=0.0)
    best = solve_first_best(found.economy)
    assert best.converged
    gap = equilibrium_metrics(found, best).efficiency_gap_usd_per_household_day
    assert gap == pytest.approx(0.0, abs=best.duality_gap_usd + 1e-8)
    assert found.wholesale_usd_per_kwh == pytest.approx(best.wholesale_usd_per_kwh, abs=1e-3)


def test_what_leaves_the_batteries_is_what_trips_need_less_what_they_lack() -> None:
    """Energy over a day: charged = taken by trips; and the wear that types report is the price of what is lacking."""
    found = solve("flat", **{"ev.trip_kwh": 9.7, "ev.unmet_usd_per_kwh": 0.11, "ev.vehicle_to_grid": False})
    economy, lacking = found.economy, 0.0
    for household, flow, wear in zip(economy.types, found.answer.flows, found.answer.wear_usd_per_day, strict=True):
        if household.technology.endswith("ev"):
            levels = (flow.frequency[0] * found.policies[economy.types.index(household)].moves).sum(axis=(1, 2))
            level_kwh = household.battery.level_kwh
            assert levels.sum() == pytest.approx(0.0, abs=1e-9)
            own = 9.7 - levels[HOME].sum() * level_kwh
            assert wear == pytest.approx(0.11 * own, abs=1e-9)
            lacking += household.share * own
    assert found.unmet_trip_kwh_per_household_day == pytest.approx(lacking, abs=1e-9)
    assert lacking > 0.1
    assert found.messages[-1] == (
        f"ev.unmet_usd_per_kwh = 0.11: electric vehicles lack {lacking:.3g} kWh per household-day of their trips,"
        " bought on the way at that price."
    )


def test_vehicles_that_feed_in_bring_evening_and_night_to_the_ratio_of_their_losses() -> None:
    """One factor changes: discharge to house and grid, without wear. Who moves a kWh from night to evening gets .88.

    So where both happen the evening's rate is 1/.88 of the night's; and the planner's cost can only fall.
    """
    alone = {"temperature_usd": 0.0, "battery_share_scale": 0.0}
    plain, feeding = (solve(**alone, **{"ev.vehicle_to_grid": v2g}) for v2g in (False, True))
    evening, night = slice(18, 21), np.r_[21:24, 0:8]
    rate = feeding.rates.import_usd_per_kwh[0]
    assert rate[evening] / rate[night].mean() == pytest.approx(np.full(3, 1 / 0.88), abs=1e-6)
    assert (feeding.net_load_kw[0, evening] < plain.net_load_kw[0, evening] - 0.01).all()
    cost, less = (solve_first_best(found.economy).social_cost_usd_per_household_day for found in (plain, feeding))
    assert less < cost - 1e-4
