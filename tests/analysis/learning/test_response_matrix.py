"""The leader who fits a response matrix: what it learns of meters, what it forecasts, and that it resumes exactly."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from family_files import BARE
from hypothesis import given
from hypothesis import strategies as st
from scenarios import preset_economy, solved

from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.analysis.design.design import DesignProblem
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.analysis.learning.campaign import learning_search, recommended_objectives, try_tariffs
from meanwatt.analysis.learning.environment import MeanFieldEnvironment, expected_reading
from meanwatt.analysis.learning.meter_forecast import MeterForecast, metered_days, metered_days_of_json
from meanwatt.analysis.learning.response_learner import ResponseMatrixLearner
from meanwatt.analysis.learning.response_matrix import fit_response
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium

COMMISSION = LeaderSpec(leader="commission")


@cache
def in_force() -> Equilibrium:
    """Nobody stores or has solar: use answers to the rate of its own slot alone."""
    return solved("textbook", "filed", *BARE)


@cache
def problem() -> DesignProblem:
    return DesignProblem(economy=preset_economy("textbook", *BARE), aims=COMMISSION, baseline=in_force())


@cache
def shaken(count: int = 26) -> list[Equilibrium]:
    """The tariff in force with every slot's energy charge drawn anew."""
    rng, tariff = np.random.default_rng(0), in_force().tariff
    found = []
    for _ in range(count):
        energy = tariff.energy_usd_per_kwh + rng.uniform(-0.03, 0.03, tariff.energy_usd_per_kwh.shape)
        posted = replace(tariff, energy_usd_per_kwh=energy, recovery=Recovery.POSTED)
        found.append(solve_equilibrium(in_force().economy, posted, certify=False))
    return found


def forecast(others: list[Equilibrium]) -> MeterForecast:
    economy = in_force().economy
    states = len(economy.common.probability)
    around = expected_reading(in_force())
    days = [metered_days(expected_reading(one), states) for one in others]
    return MeterForecast(economy.common.today, around, metered_days(around, states), days, np.ones(len(days)))


@given(st.integers(0, 2**32 - 1))
def test_a_matrix_that_rates_have_moved_in_full_is_found(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true, rates = rng.normal(size=(5, 4)), rng.normal(size=(12, 4))
    found = fit_response(rates, rates @ true.T, np.ones(12))
    assert found.matrix == pytest.approx(true, abs=1e-4)
    assert found.change(rates) == pytest.approx(rates @ true.T, abs=1e-4)


def test_of_rates_that_never_moved_it_says_nothing() -> None:
    """The least matrix that explains what was metered: the mean of a prior around zero."""
    rng = np.random.default_rng(1)
    rates = np.column_stack([rng.normal(size=(9, 2)), np.zeros(9)])
    found = fit_response(rates, rates @ np.ones((3, 4)), np.ones(9)).matrix
    assert found[:, 2] == pytest.approx(0.0, abs=1e-12)
    assert found[:, :2] == pytest.approx(1.0, abs=1e-4)
    assert not fit_response(np.zeros((4, 3)), rng.normal(size=(4, 2)), np.ones(4)).matrix.any()


def test_under_noise_it_shrinks_and_errs_less_than_least_squares() -> None:
    """Seventeen rows of noise for sixteen columns: least squares fits the noise."""
    lost = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        true = 0.3 * rng.normal(size=(3, 16))
        rates = rng.normal(size=(17, 16))
        metered = rates @ true.T + rng.normal(size=(17, 3))
        plain = np.linalg.lstsq(rates, metered, rcond=None)[0].T
        found = fit_response(rates, metered, np.ones(17))
        lost.append((np.linalg.norm(found.matrix - true), np.linalg.norm(plain - true)))
    ours, plain = np.array(lost).mean(axis=0)
    assert ours < 0.5 * plain


def test_the_matrix_is_the_slope_of_use_where_nobody_stores() -> None:
    """dL/dr = −ε q0/p0 in the slot of the rate and nothing elsewhere: the closed form of MODEL's linear demand."""
    economy = in_force().economy
    expected = np.diag(-0.1 * economy.mean_reference_kw[0] / 0.185)
    found = forecast(shaken()).net_load_response
    assert found == pytest.approx(expected, abs=0.02 * np.abs(expected).max())


def test_a_forecast_is_what_meters_show_of_a_tariff_that_was_never_posted() -> None:
    economy = in_force().economy
    tariff = in_force().tariff
    energy = tariff.energy_usd_per_kwh * np.linspace(0.9, 1.1, 24)
    for change in ({"pass_through": 0.0}, {"pass_through": 0.2}):
        posted = replace(tariff, energy_usd_per_kwh=energy, recovery=Recovery.POSTED, **change)
        true = expected_reading(solve_equilibrium(economy, posted, certify=False))
        told = forecast(shaken()).reading(posted)
        assert told.net_load_kw == pytest.approx(true.net_load_kw, rel=5e-3)
        assert told.wholesale_usd_per_kwh == pytest.approx(true.wholesale_usd_per_kwh, rel=5e-3)
        assert told.import_usd_per_kwh == pytest.approx(true.import_usd_per_kwh, rel=5e-3)


def test_an_adder_is_forecast_that_covers_the_cost() -> None:
    posted = replace(in_force().tariff, recovery=Recovery.VOLUMETRIC)
    told = forecast(shaken()).reading(posted)
    assert float(told.weight @ told.margin_usd_per_day) == pytest.approx(0.0, abs=1e-3)
    assert (told.import_usd_per_kwh > expected_reading(in_force()).import_usd_per_kwh.min()).any()


def test_days_return_from_a_journal_to_the_last_bit() -> None:
    days = metered_days(expected_reading(in_force()), 1)
    again = metered_days_of_json(json.loads(json.dumps(days.to_json())))
    assert again.weight.tolist() == days.weight.tolist()
    for name, value in days.values.items():
        assert again.values[name].tolist() == value.tolist()


def test_a_run_goes_on_to_the_last_digit_and_keeps_the_meters_on_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ResponseMatrixLearner, "FIRST_SAMPLES", 6)  # as true of few forecasts as of many
    monkeypatch.setattr(ResponseMatrixLearner, "ROUNDS", 1)
    path = tmp_path / "j.jsonl"
    whole = learning_search("response_matrix", evaluations=8, journal=path)(problem())
    lines = path.read_bytes().splitlines(keepends=True)
    assert "imported_kw" in json.loads(lines[1])["days"]
    path.write_bytes(b"".join(lines[:7]))
    again = learning_search("response_matrix", evaluations=8, journal=path, resume=True)(problem())
    assert again.tried == whole.tried
    assert path.read_bytes().splitlines(keepends=True) == lines


def test_other_learners_keep_no_meters_on_record() -> None:
    tried = try_tariffs(problem(), MeanFieldEnvironment(in_force()), method="softmax", evaluations=2, seed=0)
    assert [one.days for one in tried] == [None, None]


def test_with_the_same_tariffs_posted_it_knows_more_than_a_search_by_values() -> None:
    """After 11 rounds, five of them by its matrix."""
    judge = COMMISSION.objective()(in_force())
    gained = []
    for method in ("response_matrix", "optuna"):
        tried = try_tariffs(problem(), MeanFieldEnvironment(in_force()), method=method, evaluations=11, seed=3)
        worth = recommended_objectives(tried)[-1]
        assert worth is not None
        gained.append(worth - judge)
    assert gained[0] > max(gained[1], 0.0)
