"""One tariff for several worlds: closed forms in two of them, a grid, minimax, and how a search ends."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from family_files import BARE, WELFARE, best_rates, families_of, welfare_at
from scenarios import preset_economy
from scipy.optimize import minimize_scalar

from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.mean_field.leader.commitment import Commitment, commit
from meanwatt.model.mean_field.leader.leader_problem import LeaderProblem
from meanwatt.model.mean_field.leader.robust.risk import Risk
from meanwatt.model.mean_field.leader.robust.robust_commitment import RobustSearch, commit_robustly
from meanwatt.model.progress.watch import Cancelled, Progress, Watch

ONE_RATE = '[free]\nenergy_usd_per_kwh = [0.0, 0.5]\n[fixed]\npass_through = 0.0\nrecovery = "fixed"\n'
TWO_RATES = """
[free]
energy_usd_per_kwh.day = [0.0, 0.4]
energy_usd_per_kwh.peak = [0.0, 0.4]
[fixed]
recovery = "fixed"
[windows]
peak = { start = 17, width = 4 }
"""
CURVES = ((0.05, 0.10), (0.0, 0.252))
"""Supply of two worlds: intercept and slope. Where rates are low the second is the dearer one, else the first."""
SUNNY = ("battery_share_scale=0", "pv_share_scale=1.5")
STEEP = ("battery_share_scale=0", "supply.coefficients=[0.02, 0.2]")
CAP = 0.2


def curve(intercept: float, slope: float) -> str:
    return f"supply.coefficients=[{intercept}, {slope}]"


@cache
def bare_problems() -> list[LeaderProblem]:
    """One rate for all hours in two worlds without storage, sun and carbon."""
    family = families_of(preset_economy("textbook", *BARE), ONE_RATE).first
    economies = [preset_economy("textbook", *BARE, curve(*one)) for one in CURVES]
    return [LeaderProblem(economy, family, WELFARE.objective()) for economy in economies]


@cache
def worlds(text: str = TWO_RATES, cap: float | None = None) -> list[LeaderProblem]:
    """Two worlds with solar, one sunny and one whose supply is steep; with a cap a utility's."""
    leader = WELFARE if cap is None else LeaderSpec(leader="utility", price_cap_usd_per_kwh=cap)
    family = families_of(preset_economy("textbook", *SUNNY), text).first
    return [replace(leader.problem(preset_economy("textbook", *own)), family=family) for own in (SUNNY, STEEP)]


@cache
def own() -> list[Commitment]:
    return [commit(one, evaluations_per_start=40, certify=False) for one in worlds()]


@cache
def robust(alpha: float) -> RobustSearch:
    starts = [np.array(list(one.parameters.values())) for one in own()]
    return commit_robustly(worlds(), Risk(weight=np.array([0.6, 0.4]), alpha=alpha), starts, evaluations_per_start=40)


def closed_form() -> Callable[[float], np.ndarray]:
    """Welfare in both worlds at one rate for all hours, in plain loops."""
    economy = preset_economy("textbook", *BARE)
    reference, fixed = economy.mean_reference_kw[0], economy.fixed_cost_usd_per_day
    return lambda rate: np.array([welfare_at(np.full(24, rate), reference, *one, fixed) for one in CURVES])


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_one_rate_for_two_worlds_is_that_of_the_closed_form(alpha: float) -> None:
    """Welfare is a parabola of the rate in either world; their weighted tail is one number to maximise by hand."""
    worth, weight = closed_form(), (0.6, 0.4)

    def tail(rate: float) -> float:
        both = worth(rate)
        if alpha == 1.0:
            return float(both.min())
        share = 1 - alpha
        first = min(weight[int(both[0] > both[1])], share)
        return float(first * both.min() + (share - first) * both.max()) / share

    by_hand = minimize_scalar(lambda rate: -tail(rate), bounds=(0.0, 0.5), method="bounded", options={"xatol": 1e-10})
    found = commit_robustly(
        bare_problems(),
        Risk(weight=np.array(weight), alpha=alpha),
        [np.array([0.3])],
        evaluations_per_start=60,
        precision_usd=1e-12,
    )
    assert found.outcome is Outcome.CONVERGED
    assert found.best.value == pytest.approx(-by_hand.fun, abs=1e-7)
    assert found.best.objective == pytest.approx(worth(by_hand.x), abs=1e-5)
    assert found.best.parameters[0] == pytest.approx(by_hand.x, abs=1e-4)


def test_the_worst_of_these_worlds_changes_between_their_own_best_rates() -> None:
    """Else the test above would ask nothing of the kink."""
    worth, economy = closed_form(), preset_economy("textbook", *BARE)
    first, second = (float(best_rates(economy.mean_reference_kw[0], np.zeros(24, int), *one)[0]) for one in CURVES)
    assert worth(first)[0] > worth(first)[1]
    assert worth(second)[0] < worth(second)[1]


def test_of_one_world_it_is_the_commitment() -> None:
    problem, start = worlds()[0], np.array([0.3, 0.3])
    alone = commit(problem, evaluations_per_start=40, starts=[start], certify=False)
    assert alone.outcome is Outcome.CONVERGED
    for alpha in (0.0, 0.7, 1.0):
        found = commit_robustly([problem], Risk(weight=np.ones(1), alpha=alpha), [start], evaluations_per_start=40)
        assert found.best.value == pytest.approx(alone.objective, abs=1e-9)
        assert found.best.parameters == pytest.approx(list(alone.parameters.values()), abs=1e-7)


def test_the_best_worst_case_is_no_better_than_the_worst_own_best() -> None:
    """max_a min_v J_v(a) ≤ min_v max_a J_v(a)."""
    found = robust(1.0)
    assert found.best.value <= min(one.objective for one in own()) + 1e-7
    assert found.best.value == found.best.objective.min()


def test_each_measure_is_best_served_by_its_own_tariff() -> None:
    """Against the tariffs found for the other measures, and for one world alone."""
    alphas = (0.0, 0.5, 1.0)
    for alpha in alphas:
        found = robust(alpha)
        risk = Risk(weight=np.array([0.6, 0.4]), alpha=alpha)
        rivals = [risk.value(robust(other).best.objective) for other in alphas if other != alpha]
        assert found.best.value >= max(rivals) - 1e-6
        assert found.best.value >= max(one.value for one in found.trials) - 1e-12
    values = [robust(alpha).best.value for alpha in alphas]
    assert values == sorted(values, reverse=True)


def test_no_tariff_on_a_grid_is_better() -> None:
    """Two rates by hand in two worlds: no pair of a grid has a better worst case."""
    solve = [problem.evaluator(Watch()) for problem in worlds()]
    grid = [np.array([day, peak]) for day in (0.05, 0.1, 0.15) for peak in (0.1, 0.2, 0.3)]
    best = max(min(float(one.evaluate(rates).values[0]) for one in solve) for rates in grid)
    assert best <= robust(1.0).best.value + 1e-9
    assert best > robust(1.0).best.value - 0.05  # it comes near


def test_a_cap_holds_in_every_world() -> None:
    """The rate follows the price in part, so that the highest rate differs from world to world."""
    text = ONE_RATE.replace("pass_through = 0.0", "pass_through = 0.5").replace('"fixed"', '"posted"')
    problems = worlds(text, CAP)
    risk = Risk(weight=np.array([0.6, 0.4]), alpha=1.0)
    found = commit_robustly(problems, risk, [np.array([0.05])], evaluations_per_start=40)
    assert found.best.violation.size == 2 * 24
    assert found.best.violation.max() == pytest.approx(0.0, abs=1e-6)  # it binds in one of them
    assert found.best.violation.reshape(2, -1).max(axis=1).min() < -1e-3  # and not in the other


def test_without_temperature_it_searches_by_values() -> None:
    family = families_of(preset_economy("textbook", *BARE), ONE_RATE).first
    problems = [
        LeaderProblem(preset_economy("textbook", *BARE, curve(*one), "temperature_usd=0"), family, WELFARE.objective())
        for one in CURVES
    ]
    risk = Risk(weight=np.array([0.6, 0.4]), alpha=1.0)
    found = commit_robustly(problems, risk, [np.array([0.3])], evaluations_per_start=40)
    worth = closed_form()
    by_hand = minimize_scalar(lambda rate: -worth(rate).min(), bounds=(0.0, 0.5), method="bounded")
    assert found.best.value == pytest.approx(-by_hand.fun, abs=1e-4)


def test_a_request_to_stop_keeps_the_best_so_far_and_an_early_one_says_so() -> None:
    reports: list[Progress] = []
    watch = Watch(progress=reports.append, cancelled=lambda: len(reports) >= 3)
    risk = Risk(weight=np.array([0.6, 0.4]), alpha=1.0)
    stopped = commit_robustly(bare_problems(), risk, [np.array([0.3])], evaluations_per_start=40, watch=watch)
    assert stopped.outcome is Outcome.CANCELLED
    assert len(stopped.trials) == 3
    assert stopped.best.value == max(one.value for one in stopped.trials)
    assert [report.fraction for report in reports] == sorted(report.fraction or 0.0 for report in reports)
    with pytest.raises(Cancelled):
        commit_robustly(
            bare_problems(), risk, [np.array([0.3])], evaluations_per_start=40, watch=Watch(cancelled=lambda: True)
        )


def test_a_spent_budget_is_a_round_limit() -> None:
    risk = Risk(weight=np.array([0.6, 0.4]), alpha=0.3)
    found = commit_robustly(bare_problems(), risk, [np.array([0.3])], evaluations_per_start=1)
    assert found.outcome is Outcome.ROUND_LIMIT
    assert len(found.trials) == 2
