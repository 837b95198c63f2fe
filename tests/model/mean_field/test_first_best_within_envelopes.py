"""The planner's optimum where operating envelopes limit loads."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scenarios import toy

from meanwatt.agents.household.envelope import Envelope
from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.mean_field.first_best import FirstBest, _Planner, solve_first_best
from meanwatt.model.network.located_economy import build_located_economy
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy, build_tariff
from meanwatt.model.scenario.loading import Scenario, load_scenario
from meanwatt.model.scenario.supply import SupplyCurve

BOTH = {"feeder.envelopes.all.export_limit_kw": 0.4, "feeder.envelopes.all.import_limit_kw": 1.1}


def town(**changes: Any) -> Scenario:
    return load_scenario("textbook", overrides={"battery_levels": 16, "carbon.usd_per_t": 0, **changes}, tariff="rtp")


def best(**changes: Any) -> FirstBest:
    return solve_first_best(build_located_economy(town(**changes)))


def held(economy: Economy, *, imports: float, exports: float) -> Economy:
    shape = economy.rest_load_kw.shape
    envelope = Envelope(name="all", import_limit_kw=np.full(shape, imports), export_limit_kw=np.full(shape, exports))
    return replace(economy, types=tuple(replace(one, envelope=envelope) for one in economy.types))


def test_limits_that_never_bind_leave_the_optimum_as_it_is() -> None:
    free, loose = best(), best(**{"feeder.envelopes.all.export_limit_kw": 1e5})
    bound = free.duality_gap_usd + loose.duality_gap_usd
    assert abs(free.welfare_usd_per_household_day - loose.welfare_usd_per_household_day) <= bound + 1e-12
    assert loose.net_load_kw == pytest.approx(free.net_load_kw, abs=2e-3)
    assert loose.curtailed_kwh_per_household_day == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("coefficients", "imports", "exports", "sun"),
    [
        ([0.15, 0.3], 9.0, 0.4, 2.0),  # the export limit curtails
        ([0.15, 0.3], 9.0, 0.0, 2.5),  # nothing may be sold: use grows first
        ([0.01, 0.05], 0.7, 9.0, 0.5),  # the import limit holds use back
        ([-0.1, 0.4], 0.7, 0.5, 2.0),  # the price comes to rest at zero, between both
        ([-0.6, 0.1], 0.3, 0.5, 2.0),  # and stays below it
    ],
)
def test_no_use_and_no_sun_on_a_grid_within_the_limits_costs_less(
    coefficients: list[float], imports: float, exports: float, sun: float
) -> None:
    """Brute force over use and sun of one home without a battery, those that keep the limits alone."""
    supply = SupplyCurve.polynomial(coefficients)
    home = replace(toy(0.0, supply=supply, pv_kw=np.full((1, 3), sun)), carbon_usd_per_t=0.0)
    economy = held(home, imports=imports, exports=exports)
    found, one = solve_first_best(economy), economy.types[0]
    use_kw, sun_kw = np.linspace(0.1, 1.9, 1801)[:, None], np.linspace(0.0, sun, 2001)[None]
    net = use_kw - sun_kw
    away = use_kw - 1.0
    utility = one.reference_price_usd_per_kwh * (away - away**2 / (2 * one.elasticity))
    cost = np.where((net <= imports + 1e-9) & (net >= -exports - 1e-9), supply.cost(net) - utility, np.inf)
    social = (found.social_cost_usd_per_household_day - economy.fixed_cost_usd_per_day) / 24
    assert social <= cost.min() + 1e-9
    assert social == pytest.approx(float(cost.min()), abs=2e-4)
    assert found.net_load_kw.max() <= imports + 1e-9
    assert found.net_load_kw.min() >= -exports - 1e-9
    enough = np.broadcast_to(sun - sun_kw, cost.shape)[cost <= cost.min() + 1e-5]
    assert enough.min() - 2e-2 <= found.curtailed_kw.min() <= found.curtailed_kw.max() <= enough.max() + 2e-2


@pytest.mark.parametrize("limit", [{"export_limit_kw": 0.0}, {"import_limit_kw": 0.7}])
def test_the_slope_of_the_planners_cost_along_a_change_of_plans_is_what_its_gap_is_made_of(
    limit: dict[str, float],
) -> None:
    """The cost is convex in the plan, so a difference quotient lies between the slopes at its ends, worth of use in."""
    planner = _Planner(build_located_economy(town(**{f"feeder.envelopes.all.{key}": kw for key, kw in limit.items()})))
    flat, steep = planner.last_price, planner.last_price * np.linspace(0.2, 2.0, planner.weight.size)
    idle = np.zeros(planner.weight.size)
    one, other = (np.concatenate([idle, planner.limited.best_plan(price, Watch())[0]]) for price in (flat, steep))
    for part in (0.1, 0.8):
        ends = [one + there * (other - one) for there in (part, part + 0.01)]
        (low, low_price), (high, high_price) = (planner.cost(plan) for plan in ends)
        slopes = [float(planner.linear(other - one, price)[1]) for price in (low_price, high_price)]
        assert slopes[0] - 1e-9 <= (high - low) / 0.01 <= slopes[1] + 1e-9
        assert slopes[1] - slopes[0] < 0.02


def test_marginal_cost_pricing_comes_to_it_from_below_as_households_cool() -> None:
    """By D1 the limit is the planner's; by S2 what a temperature costs is at most in proportion to it."""
    lost = []
    for temperature in (0.02, 0.002):
        scenario = town(**BOTH, temperature_usd=temperature)
        economy = build_located_economy(scenario)
        found, top = solve_equilibrium(economy, build_tariff(scenario), certify=False), solve_first_best(economy)
        assert top.converged
        lost.append(top.welfare_usd_per_household_day - equilibrium_metrics(found).welfare_usd_per_household_day)
    assert 0 < lost[1] < lost[0] / 5
    assert lost[1] < 0.004


def test_a_tighter_limit_leaves_the_planner_no_more() -> None:
    welfare = [
        best(**{"feeder.envelopes.all.export_limit_kw": limit}).welfare_usd_per_household_day
        for limit in (2.0, 0.4, 0.0)
    ]
    assert welfare[0] > welfare[1] > welfare[2]


def test_what_cannot_be_cut_costs_the_planner_energy_and_no_fine() -> None:
    """With no use to cut and no battery the load passes the limit as without it, at the same cost."""
    plain = {"elasticity": 0, "battery_share_scale": 0}
    free, short = best(**plain), best(**plain, **{"feeder.envelopes.all.import_limit_kw": 0.3})
    assert short.welfare_usd_per_household_day == pytest.approx(free.welfare_usd_per_household_day, abs=1e-9)
