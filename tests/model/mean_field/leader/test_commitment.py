"""The committing leader finds what a grid finds, keeps its constraint, and says how the search ended."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scenarios import preset_economy, small_economy, welfare

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.first_best import solve_first_best
from meanwatt.model.mean_field.leader import tariff_evaluator
from meanwatt.model.mean_field.leader.commitment import Commitment, commit
from meanwatt.model.mean_field.leader.leader_problem import FEASIBLE, LeaderProblem, Trial
from meanwatt.model.mean_field.leader.tariff_family import TariffFamily, starting_points, tariff_family
from meanwatt.model.progress.watch import Progress, Watch
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.economy import Economy

GRID = 15
"""Points a side of the brute-force grid."""


@cache
def island() -> Economy:
    return small_economy(temperature_usd=0.03)


def plane(recovery: Recovery) -> TariffFamily:
    """Energy charge up to 40 cents and pass-through up to one, on the small economy."""
    economy = island()
    return TariffFamily(
        free=("energy_usd_per_kwh", "pass_through"),
        low=np.array([0.0, 0.0]),
        high=np.array([0.4, 1.0]),
        pattern=np.ones((3, economy.slots)),
        income_ratio=economy.group_income_usd_per_year / economy.group_income_usd_per_year.mean(),
        recovery=recovery,
    )


def worth(found: Equilibrium) -> float:
    return welfare(found.economy, found.answer)


def fairness(found: Equilibrium) -> float:
    """Welfare less 20 USD a unit of the gap between the groups' burdens."""
    shares, bills = np.array([t.share for t in found.economy.types]), found.bill_usd_per_day
    groups = np.array([t.group for t in found.economy.types])
    burden = [
        365 * (shares[groups == g] @ bills[groups == g]) / (shares[groups == g].sum() * income)
        for g, income in enumerate(found.economy.group_income_usd_per_year)
    ]
    return worth(found) - 20 * abs(burden[0] - burden[1])


def margin(found: Equilibrium) -> float:
    return found.surplus_usd_per_household_day


def over_the_cap(found: Equilibrium) -> float:
    return float(found.rates.import_usd_per_kwh.max()) - 0.3


@cache
def on_the_grid(recovery: Recovery) -> list[tuple[np.ndarray, Equilibrium]]:
    """Every tariff of the brute-force grid with its equilibrium."""
    family, last, found = plane(recovery), None, []
    for energy in np.linspace(0.0, 0.4, GRID):
        for kappa in np.linspace(0.0, 1.0, GRID):
            parameters = np.array([energy, kappa])
            last = solve_equilibrium(island(), family.tariff(parameters), start=last, certify=False)
            assert last.outcome is Outcome.CONVERGED
            found.append((parameters, last))
    return found


@cache
def uncapped(objective: Callable[[Equilibrium], float]) -> Commitment:
    """The commitment of a leader who recovers cost and keeps no cap."""
    return commit(LeaderProblem(island(), plane(Recovery.FIXED), objective))


@pytest.mark.parametrize("objective", [worth, fairness])
def test_the_leader_finds_what_a_grid_finds_in_two_dimensions(objective: Callable[[Equilibrium], float]) -> None:
    found = uncapped(objective)
    assert found.outcome is Outcome.CONVERGED
    parameters, best = max(on_the_grid(Recovery.FIXED), key=lambda point: objective(point[1]))
    assert found.objective >= objective(best) - 1e-6
    step = np.array([0.4, 1.0]) / (GRID - 1)  # the optimum lies in a cell next to the best grid point
    assert (np.abs(np.array(list(found.parameters.values())) - parameters) <= step + 1e-3).all()


def test_without_an_equity_weight_the_best_tariff_is_marginal_cost_pricing() -> None:
    """Wholesale price plus carbon, 30 USD/t at .5 t/MWh, but for the sloppiness of the households."""
    found = uncapped(worth)
    marginal = plane(Recovery.FIXED).tariff(np.array([0.015, 1.0]))
    at_marginal = worth(solve_equilibrium(island(), marginal, certify=False))
    assert found.objective >= at_marginal - 1e-6
    assert found.objective <= solve_first_best(island()).welfare_usd_per_household_day
    assert found.parameters["pass_through"] > 0.7
    assert found.parameters["energy_usd_per_kwh"] < 0.08


def test_a_cap_on_the_import_rate_is_kept_and_met_by_a_leader_who_wants_its_margin() -> None:
    found = commit(LeaderProblem(island(), plane(Recovery.POSTED), margin, violation=over_the_cap))
    assert found.outcome is Outcome.CONVERGED
    assert over_the_cap(found.equilibrium) <= FEASIBLE
    assert over_the_cap(found.equilibrium) >= -2e-3, "a monopolist goes to the cap"
    allowed = [margin(eq) for _, eq in on_the_grid(Recovery.POSTED) if over_the_cap(eq) <= 0]
    assert found.objective >= max(allowed) - 1e-5
    free = commit(LeaderProblem(island(), plane(Recovery.POSTED), margin))
    assert free.objective > found.objective + 0.1
    assert over_the_cap(free.equilibrium) > 0.05


@pytest.mark.parametrize("objective", [worth, fairness])
@pytest.mark.parametrize("cap", [0.12, 0.15])
def test_a_binding_cap_on_every_rate_is_climbed_along_by_gradients_to_what_the_grid_finds(
    objective: Callable[[Equilibrium], float], cap: float
) -> None:
    """The optimum lies inside the box on the bend of nine constraints, where energy and pass-through trade off."""

    def excess(found: Equilibrium) -> np.ndarray:
        return found.rates.import_usd_per_kwh - cap

    found = commit(LeaderProblem(island(), plane(Recovery.FIXED), objective, violation=excess))
    assert found.outcome is Outcome.CONVERGED
    assert len(found.trials) < 40, "tens of solves, gradients of the constraints included"
    assert abs(excess(found.equilibrium).max()) <= FEASIBLE, "kept, and met"
    parameters = np.array(list(found.parameters.values()))
    assert (parameters > [0.005, 0.05]).all()
    assert (parameters < [0.395, 0.95]).all()
    allowed = [objective(eq) for _, eq in on_the_grid(Recovery.FIXED) if excess(eq).max() <= 0]
    assert 10 < len(allowed) < GRID**2
    assert found.objective >= max(allowed) - 1e-6
    assert uncapped(objective).objective > found.objective + 1e-3, "the cap costs"


def test_eleven_parameters_on_three_kinds_of_day_take_tens_of_solves_and_lose_nothing() -> None:
    pattern = np.tile([1.5, 0.5, 1.0], (3, 1))
    few, many = (
        replace(tariff_family(island(), Recovery.FIXED, by_day_type=apart), pattern=pattern) for apart in (False, True)
    )
    assert (len(few.free), len(many.free)) == (5, 11)
    alike, apart = (
        commit(LeaderProblem(island(), few, worth)),
        commit(LeaderProblem(island(), many, worth), evaluations_per_start=100),
    )
    assert apart.outcome is Outcome.CONVERGED
    assert len(apart.trials) < 100
    assert apart.objective >= alike.objective - 1e-6
    check_books(apart, worth)


def check_books(found: Commitment, objective: Callable[[Equilibrium], float]) -> None:
    """What a commitment reports belongs together."""
    best = max(trial.objective for trial in found.trials if trial.violation <= FEASIBLE)
    assert found.objective == best
    assert objective(found.equilibrium) == pytest.approx(best, abs=1e-6)
    assert (found.equilibrium.tariff.energy_usd_per_kwh == found.tariff.energy_usd_per_kwh).all()


def test_what_is_reported_belongs_together() -> None:
    heard: list[Progress] = []
    told: list[tuple[Trial, Equilibrium]] = []
    found = commit(
        LeaderProblem(island(), plane(Recovery.FIXED), worth),
        tried=lambda *one: told.append(one),
        watch=Watch(progress=heard.append),
    )
    check_books(found, worth)
    assert [trial.parameters.tolist() for trial, _ in told] == [trial.parameters.tolist() for trial in found.trials]
    assert all(worth(equilibrium) == trial.objective for trial, equilibrium in told)
    assert found.equilibrium.contraction is not None, "the tariff chosen is certified"
    assert [p.evaluations for p in heard] == list(range(1, len(found.trials) + 1))
    assert all(0 < p.fraction <= 1 for p in heard)
    assert f"{found.objective:.4f} USD per household-day after {len(found.trials)} tariffs" in found.message
    assert len({trial.parameters.tobytes() for trial in found.trials}) == len(found.trials), "no tariff twice"


@pytest.mark.parametrize("recovery", [Recovery.FIXED, Recovery.POSTED])
def test_the_best_of_the_whole_family_is_no_worse_than_its_flat_and_real_time_members(recovery: Recovery) -> None:
    economy = preset_economy("textbook", "battery_levels=6")
    family = tariff_family(economy, recovery)
    found = commit(LeaderProblem(economy, family, worth), evaluations_per_start=25)
    check_books(found, worth)
    for start in starting_points(family, economy):
        member = solve_equilibrium(economy, family.tariff(start), certify=False)
        assert member.outcome is Outcome.CONVERGED
        tried = (np.array([t.parameters for t in found.trials]) - start) / (family.high - family.low)
        # a search begins within its first trust radius of its start, a quarter of the range, per parameter
        assert np.abs(tried[:, family.free.index("pass_through")]).min() <= 0.25
        assert found.objective >= worth(member) - 1e-9
    assert len(found.trials) > 2 * 25, "all three searches took place"
    if recovery is Recovery.FIXED:
        assert found.equilibrium.surplus_usd_per_household_day == pytest.approx(0, abs=1e-9)


def test_a_search_cut_short_says_so() -> None:
    found = commit(LeaderProblem(island(), plane(Recovery.FIXED), worth), evaluations_per_start=2)
    assert found.outcome is Outcome.ROUND_LIMIT
    assert found.message.startswith("Evaluation limit reached: best objective ")
    assert found.message.endswith("raise the number of evaluations for a finer optimum.")
    assert len(found.trials) <= 3 * 2
    check_books(found, worth)


@pytest.mark.parametrize("allowed", [1, 5])
def test_a_cancelled_search_gives_the_best_so_far(allowed: int) -> None:
    calls = []

    def cancelled() -> bool:
        calls.append(1)
        return len(calls) > allowed

    found = commit(LeaderProblem(island(), plane(Recovery.FIXED), worth), watch=Watch(cancelled=cancelled))
    assert found.outcome is Outcome.CANCELLED
    assert len(found.trials) == allowed
    best = f"best objective {found.objective:.4f} USD per household-day"
    assert found.message == f"Cancelled: {best} after {counted(allowed, 'tariff')}."
    check_books(found, worth)


def test_a_constraint_that_no_tariff_keeps_is_an_error_in_words() -> None:
    with pytest.raises(ValueError) as error:
        commit(
            LeaderProblem(island(), plane(Recovery.POSTED), margin, violation=lambda _: 1.0), evaluations_per_start=8
        )
    assert str(error.value) == "no tariff of the family was feasible; widen the bounds or raise the price cap"


def test_an_objective_that_is_nowhere_defined_is_an_error_too() -> None:
    with pytest.raises(ValueError, match="no tariff of the family"):
        commit(LeaderProblem(island(), plane(Recovery.FIXED), lambda _: -np.inf), evaluations_per_start=8)


def test_a_parameter_without_room_is_held() -> None:
    economy = preset_economy("textbook", "battery_levels=4", "fixed_cost_usd_per_month=0")
    family = tariff_family(economy, Recovery.POSTED)
    assert family.high[family.free.index("fixed_charge_usd_per_day")] == 0
    found = commit(LeaderProblem(economy, family, worth), evaluations_per_start=8)
    assert found.parameters["fixed_charge_usd_per_day"] == 0
    assert np.isfinite(found.objective)


def test_the_same_search_twice_tries_the_same_tariffs() -> None:
    one, other = (
        commit(LeaderProblem(island(), plane(Recovery.FIXED), fairness), evaluations_per_start=15) for _ in range(2)
    )
    assert [t.parameters.tolist() for t in one.trials] == [t.parameters.tolist() for t in other.trials]
    assert one.objective == other.objective


def test_bounds_are_never_left() -> None:
    narrow = replace(plane(Recovery.FIXED), low=np.array([0.1, 0.2]), high=np.array([0.2, 0.6]))
    found = commit(LeaderProblem(island(), narrow, worth))
    tried = np.array([trial.parameters for trial in found.trials])
    assert (tried >= narrow.low - 1e-12).all()
    assert (tried <= narrow.high + 1e-12).all()
    assert found.parameters["energy_usd_per_kwh"] == pytest.approx(0.1, abs=1e-3), "it would like to go lower"


def test_gradients_of_neighbours_solved_and_predicted_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    def slope(unit: Floats) -> Floats:
        return LeaderProblem(island(), plane(Recovery.FIXED), fairness).evaluator(Watch()).jacobian(unit)[0]

    unit, away = np.array([0.3, 0.6]), 0.02
    predicted = slope(unit)
    bend = max(np.abs(slope(unit + away * change) - predicted).max() / away for change in np.eye(2))
    monkeypatch.setattr(tariff_evaluator, "DENSE", 0)
    # one-sided differences are off by half their step times the second derivative
    assert slope(unit) == pytest.approx(predicted, abs=tariff_evaluator.STEP_ASIDE * bend)
