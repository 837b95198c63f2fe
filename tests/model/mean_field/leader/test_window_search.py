"""The search over windows: closed forms, brute force, what it counts, and how it ends."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from family_files import (
    BARE,
    PEAK,
    TWO,
    UNEVEN,
    WELFARE,
    best_rates,
    textbook_families,
    welfare_at,
    windows_by_hour,
)
from scenarios import preset_economy, solved

from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome
from meanwatt.model.mean_field.leader.leader_problem import LeaderProblem
from meanwatt.model.mean_field.leader.user_family import UserFamily
from meanwatt.model.mean_field.leader.window_combinations import Window
from meanwatt.model.mean_field.leader.window_search import WindowCommitment, commit_windows
from meanwatt.model.progress.watch import Progress, Watch
from meanwatt.model.scenario.economy import Economy

SOLAR = ("battery_share_scale=0",)
FEW = "[16, 17], width = 4"
"""Two places of a window."""
GRID = (0.08, 0.13, 0.18)


def searched(text: str, overrides: tuple[str, ...], **how: object) -> WindowCommitment:
    economy = preset_economy("textbook", *overrides)
    return commit_windows(
        textbook_families(text, *overrides), welfare_problem(economy), solved("textbook", "flat", *overrides), **how
    )


def welfare_problem(economy: Economy) -> Callable[[UserFamily], LeaderProblem]:
    return lambda family: LeaderProblem(economy, family, WELFARE.objective())


def test_the_best_rates_of_given_windows_are_the_use_weighted_marginal_costs() -> None:
    """The closed form: no battery, no solar, no carbon, weights 0, recovery fixed, flexibility not binding."""
    text = PEAK.replace("[15, 19]", "17").replace("[3, 5]", "4")
    found = searched(text, BARE)
    economy = preset_economy("textbook", *BARE)
    reference, window = economy.mean_reference_kw[0], windows_by_hour({"peak": Window(17, 4)})
    rates = best_rates(reference, window, 0.05, 0.10)
    best = welfare_at(rates[window], reference, 0.05, 0.10, economy.fixed_cost_usd_per_day)
    assert found.outcome is Outcome.CONVERGED
    assert found.objective == pytest.approx(best, abs=1e-7)
    assert list(found.parameters.values()) == pytest.approx(rates.tolist(), abs=1e-5)
    assert found.equilibrium.contraction is not None  # certified


@pytest.mark.parametrize("text", [PEAK, TWO])
def test_windows_and_rates_are_those_of_the_closed_form_of_every_combination(text: str) -> None:
    """All combinations by hand, the best of them; 1e-7 USD of welfare, 1e-5 USD/kWh of rates."""
    own = (*BARE, UNEVEN)
    found = searched(text, own)
    economy = preset_economy("textbook", *own)
    reference = economy.mean_reference_kw[0]
    by_hand = []
    for one in found.combinations:
        window = windows_by_hour(one.windows)
        rates = best_rates(reference, window, 0.05, 0.10)
        best = welfare_at(rates[window], reference, 0.05, 0.10, economy.fixed_cost_usd_per_day)
        by_hand.append((best, rates, one.windows))
    best, rates, windows = max(by_hand, key=lambda one: one[0])
    assert found.windows == windows
    assert found.objective == pytest.approx(best, abs=1e-7)
    order = ["day", "peak"] if text is PEAK else ["base", "peak", "night"]
    named = [found.parameters[f"energy_usd_per_kwh.{name}"] for name in order]
    assert named == pytest.approx(rates.tolist(), abs=1e-5)
    for (value, _, _), one in zip(by_hand, found.combinations, strict=True):
        assert one.bound >= value - 1e-12 or one.searched
    assert found.pruned + found.searched == len(found.combinations)
    assert found.pruned >= len(found.combinations) / 2


@pytest.mark.parametrize(
    ("text", "overrides"),
    [
        (TWO, BARE),
        (PEAK.replace("[15, 19]", "[16, 18]"), SOLAR),
        (PEAK.replace("pass_through = 0.0", "pass_through = 0.5").replace("[15, 19], width = [3, 5]", FEW), SOLAR),
        (PEAK.replace("[15, 19], width = [3, 5]", FEW), ("battery_levels=5",)),
    ],
    ids=["bare", "solar", "a wholesale part", "batteries"],
)
def test_without_pruning_the_same_windows_win(text: str, overrides: tuple[str, ...]) -> None:
    pruned, every = (searched(text, overrides, bounded=bounded) for bounded in (True, False))
    assert every.searched == len(every.combinations)
    assert every.pruned == 0
    assert pruned.windows == every.windows
    assert pruned.objective == pytest.approx(every.objective, abs=1e-7)
    for bounded, known in zip(pruned.combinations, every.combinations, strict=True):
        assert known.objective is not None
        assert bounded.bound >= known.objective - 1e-9  # of those searched, too
        if not bounded.searched:
            assert bounded.bound <= pruned.objective


def test_a_window_over_midnight_wins_where_the_peak_is_there() -> None:
    shape = [2.5] * 3 + [1.0] * 18 + [1.4, 1.9, 2.4]
    found = searched(PEAK.replace("[15, 19]", "[20, 23]"), (f"load.shape={shape}", *BARE))
    assert found.windows == {"peak": Window(22, 5)}
    peak = found.tariff.energy_usd_per_kwh[0] == found.parameters["energy_usd_per_kwh.peak"]
    assert np.flatnonzero(peak).tolist() == [0, 1, 2, 22, 23]


def test_no_tariff_on_a_grid_in_any_windows_is_better() -> None:
    """With solar, where no closed form is known: five places, and nine pairs of rates in each."""
    text = PEAK.replace("[3, 5]", "4")
    found = searched(text, SOLAR)
    economy, value, best = preset_economy("textbook", *SOLAR), WELFARE.objective(), -np.inf
    families = textbook_families(text, *SOLAR)
    for windows in families.combinations.allowed:
        solve = welfare_problem(economy)(families.family(windows)).evaluator(Watch()).solve
        best = max(best, *(value(solve(np.array([day, peak]))) for day in GRID for peak in GRID))
    assert best <= found.objective + 1e-9
    assert best > found.objective - 0.01  # it comes near


def test_a_family_without_windows_has_one_combination() -> None:
    found = searched('[free]\nenergy_usd_per_kwh = [0.0, 1.0]\n[fixed]\nrecovery = "fixed"\n', BARE)
    economy = preset_economy("textbook", *BARE)
    reference = economy.mean_reference_kw[0]
    rate = best_rates(reference, np.zeros(24, int), 0.05, 0.10)
    assert found.windows == {}
    assert (len(found.combinations), found.searched, found.pruned) == (1, 1, 0)
    assert list(found.parameters.values()) == pytest.approx(rate.tolist(), abs=1e-5)
    assert "windows" not in found.message


def test_an_objective_that_may_exceed_welfare_prunes_nothing() -> None:
    text = PEAK.replace("[15, 19], width = [3, 5]", FEW)
    economy = preset_economy("textbook", *BARE)
    twice = lambda found: WELFARE.objective()(found) + 5  # noqa: E731
    found = commit_windows(
        textbook_families(text, *BARE),
        lambda family: LeaderProblem(economy, family, twice),
        solved("textbook", "flat", *BARE),
        bounded=False,
    )
    assert (found.searched, found.pruned) == (2, 0)
    assert found.unbounded == "the leader's objective may exceed welfare"


def test_progress_counts_combinations_and_never_runs_back() -> None:
    told: list[Progress] = []
    text = PEAK.replace("[15, 19], width = [3, 5]", "[15, 19], width = 4")
    searched(text, BARE, bounded=False, watch=Watch(progress=told.append))
    fractions = [one.fraction for one in told if one.fraction is not None]
    assert fractions == sorted(fractions)
    assert 0.0 < fractions[-1] <= 1.0
    assert any("windows 2 of at most" in one.stage and "best objective" in one.stage for one in told)
    counts = [one.evaluations for one in told]
    assert counts == sorted(counts)


def test_a_search_that_is_stopped_says_the_best_so_far() -> None:
    asked = 0

    def soon() -> bool:
        nonlocal asked
        asked += 1
        return asked > 60

    found = searched(TWO, BARE, bounded=False, watch=Watch(cancelled=soon))
    assert found.outcome is Outcome.CANCELLED
    assert found.message.startswith("Cancelled: best objective ")
    assert 0 < found.searched < len(found.combinations)
    assert found.pruned == 0
    assert found.objective == max(one.objective for one in found.combinations if one.objective is not None)


def test_windows_under_which_nothing_is_feasible_cannot_win() -> None:
    """A constraint that only a window from 17 h on meets."""
    economy = preset_economy("textbook", *BARE)

    def problem(family: UserFamily) -> LeaderProblem:
        late = family.windows["peak"].start >= 17

        def violation(found: Equilibrium) -> float:
            return -1.0 if late else 1.0

        return LeaderProblem(economy, family, WELFARE.objective(), violation)

    text = PEAK.replace("[15, 19], width = [3, 5]", FEW)
    families, in_force = textbook_families(text, *BARE), solved("textbook", "flat", *BARE)
    found = commit_windows(families, problem, in_force, bounded=False)
    assert found.windows == {"peak": Window(17, 4)}
    assert [one.objective is None for one in found.combinations] == [True, False]
    with pytest.raises(ValueError, match="no tariff of the family was feasible"):
        commit_windows(
            families, lambda family: replace(problem(family), violation=lambda _: 1.0), in_force, bounded=False
        )
