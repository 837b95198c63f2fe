"""A leader's search where tariffs have components: equilibria as posted, and the best of them."""

from functools import cache

import numpy as np
import pytest
from family_files import WELFARE, families_of
from scenarios import small_economy, small_tariff

from meanwatt.agents.tariff.components.minimum_bill import MinimumBill
from meanwatt.agents.tariff.components.tiers import Tiers
from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.model.mean_field.components.posted import PostedSolver
from meanwatt.model.mean_field.components.settled import billed_equilibrium
from meanwatt.model.mean_field.components.solving import solve_composed
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.mean_field.leader.leader_problem import LeaderProblem
from meanwatt.model.mean_field.leader.window_search import commit_windows
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy, build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

TIERS = Tiers(limits_kwh_per_month=(390.0, 510.0), adders_usd_per_kwh=(0.0, 0.06, 0.15))
FAMILY = """
[free]
energy_usd_per_kwh = [0.0, 0.3]
[fixed]
recovery = "fixed"
"tiers.limits_kwh_per_month" = [300.0]
"tiers.adders_usd_per_kwh" = [0.0, 0.04]
"""


def test_the_billed_equilibrium_has_the_bills_and_metrics_of_what_households_see_and_rates_as_posted() -> None:
    economy = small_economy()
    posted = small_tariff(economy, components=(TIERS, MinimumBill(usd_per_month=40.0)))
    composed = solve_composed(economy, posted, certify=False)
    billed, seen = billed_equilibrium(composed), composed.equilibrium
    assert billed.tariff is posted
    assert billed.bill_usd_per_day == pytest.approx(seen.bill_usd_per_day, abs=1e-12)
    mine, theirs = (equilibrium_metrics(one).to_json() for one in (billed, seen))
    assert mine.pop("burden") == pytest.approx(theirs.pop("burden"), abs=1e-12)
    assert mine == pytest.approx(theirs, abs=1e-12)
    rates = billed.rates.import_usd_per_kwh
    shape = posted.energy_usd_per_kwh[economy.common.today] + posted.pass_through * billed.wholesale_usd_per_kwh
    assert rates == pytest.approx(shape, abs=1e-12)


def test_a_solver_that_goes_on_from_what_was_seen_comes_to_the_same_place() -> None:
    economy, solver = small_economy(), PostedSolver()
    first, second = (
        small_tariff(economy, components=(TIERS,), energy_usd_per_kwh=np.full((3, 3), rate)) for rate in (0.02, 0.04)
    )
    solver(economy, first, certify=False)
    onward, fresh = solver(economy, second, certify=False), PostedSolver()(economy, second, certify=False)
    assert onward.net_load_kw == pytest.approx(fresh.net_load_kw, abs=1e-6)
    assert onward.bill_usd_per_day == pytest.approx(fresh.bill_usd_per_day, abs=1e-6)


@cache
def textbook() -> Economy:
    return build_economy(load_scenario("textbook", overrides={"battery_share_scale": 0, "slots_per_day": 24}))


def test_no_rate_on_a_grid_is_better_than_the_one_found_and_nothing_is_pruned_by_a_bound_that_does_not_hold() -> None:
    economy = textbook()
    families = families_of(economy, FAMILY)
    assert families.first.has_components
    in_force = solve_equilibrium(economy, build_tariff(economy.scenario), certify=False)
    problem = LeaderProblem(economy, families.first, WELFARE.objective())
    found = commit_windows(families, lambda _: problem, in_force, evaluations_per_start=25)
    assert found.unbounded.startswith("under tiers, demand charges and the like")
    assert found.tariff.has_components
    evaluator = problem.evaluator(Watch())
    for rate in np.linspace(0.06, 0.18, 5):
        assert evaluator.evaluate(np.array([rate])).values[0] <= found.objective + 1e-6
    assert found.objective == pytest.approx(WELFARE.objective()(found.equilibrium), abs=1e-9)
