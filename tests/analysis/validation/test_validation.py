"""The finite market against the continuum, and ``meanwatt validate``."""

import json
import shlex
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scenarios import real_time, small_economy, small_tariff, solved, toy
from scipy.stats import wasserstein_distance

from meanwatt.analysis.cli import main
from meanwatt.analysis.metrics.bus_loads import mean_use_kw
from meanwatt.analysis.validation import (
    Sample,
    Status,
    Validation,
    composition_error_kw,
    midnight_levels,
    replicate,
    validate,
)
from meanwatt.analysis.validation.expected import expected_scatter_kw2, expected_wasserstein_kwh
from meanwatt.analysis.validation.exploitability import CHOICE_LAW, USE_LAW, exploitability, pace
from meanwatt.analysis.validation.grid import MeanFieldGrid
from meanwatt.analysis.validation.messages import validation_messages
from meanwatt.analysis.validation.replication import midnight_levels_by_type
from meanwatt.analysis.validation.runs import Task, run_here, run_on_workers
from meanwatt.model.market.apportionment import largest_remainder
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.progress.watch import Cancelled, Watch

CONTRACT = {
    "messages",
    "households",
    "rms_net_load_kw",
    "rms_low",
    "rms_high",
    "slope",
    "slope_low",
    "slope_high",
    "floor_kw",
    "wasserstein_soc_kwh",
    "exploitability_usd_per_household_day",
    "exploitability_limit_usd_per_household_day",
    "exploitability_slope",
    "composition_error_kw",
    "seed",
    "replications",
}
QUICK_CHECKS = ("aggregate", "state", "exploitability", "grid")
QUICK = shlex.split(
    "validate textbook --tariff filed --households 100,30 --replications 3 --days 2 --seed 1"
    " --checks aggregate,state,exploitability,grid --json"
)


@pytest.fixture(scope="module")
def filed() -> Equilibrium:
    return solved("textbook", "filed")


@pytest.fixture(scope="module")
def checks(filed: Equilibrium) -> Validation:
    return validate(
        filed, Sample(households=[30, 100, 300, 1000], replications=10, seed=1, days=14), checks=QUICK_CHECKS
    )


def test_the_error_falls_with_the_square_root_of_the_households(checks: Validation) -> None:
    """Ten replications of 14 days: the slope over log(1000/30) = 3.5 is good to about 0.01; rounding adds as much."""
    assert checks.load.slope.value == pytest.approx(-0.5, abs=0.05)
    assert checks.load.slope.low is not None
    assert checks.load.slope.high is not None
    assert checks.load.slope.low < checks.load.slope.high
    assert checks.load.floor == 0.0
    assert checks.scatter.slope.value == pytest.approx(-0.5, abs=0.05)


def test_every_rms_lies_in_its_interval(checks: Validation) -> None:
    for interval in checks.load.rms:
        assert interval.value is not None
        assert interval.low is not None
        assert interval.high is not None
        assert interval.low < interval.value < interval.high


def test_the_states_of_charge_come_together_at_the_same_pace(checks: Validation) -> None:
    distance = np.array(checks.wasserstein_soc_kwh, dtype=float)
    slope = np.polyfit(np.log(checks.households), np.log(distance), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.1)


def test_square_errors_of_rounding_and_of_chance_add_up(checks: Validation) -> None:
    """E (L^N − L)² = E (L^N − L_rounded)² + (L_rounded − L)²; the cross term vanishes in expectation."""
    rms, scatter = (np.array([interval.value for interval in s.rms]) for s in (checks.load, checks.scatter))
    rounding = np.array(checks.composition_error_kw)
    assert np.allclose(rms**2, scatter**2 + rounding**2, rtol=0.05)


def test_the_exploitability_falls_to_its_limit_with_slope_minus_one(checks: Validation, filed: Equilibrium) -> None:
    values = np.array(checks.exploitability_usd_per_household_day, dtype=float)
    assert (np.diff(values) <= 1e-12).all()
    assert values[-1] >= filed.exploitability_usd_per_household_day - 1e-9


def test_sizes_are_those_of_independent_households(checks: Validation) -> None:
    """Nothing is fitted. Within the 95 % interval, widened by a half for one chance in 300 of missing it."""
    for ratio in (checks.load_ratio, checks.wasserstein_ratio):
        assert ratio.low is not None
        assert ratio.high is not None
        half = 0.75 * (ratio.high - ratio.low)
        assert abs(ratio.value - 1.0) <= half


def test_the_expected_scatter_by_hand(filed: Equilibrium) -> None:
    """Sixty households come out whole: Σ w_θ Var(n_θ)/60, the variance summed state by state."""
    variance = 0.0
    for share, response, flow in zip(filed.economy.type_share, filed.answer.responses, filed.answer.flows, strict=True):
        load, chance = response.outcome.net_load_kw[0], flow.frequency[0]
        for h in range(24):
            mean = float((chance[h] * load[h]).sum())
            variance += share * float((chance[h] * (load[h] - mean) ** 2).sum()) / 24
    assert expected_scatter_kw2(filed, 60) == pytest.approx(variance / 60)


def test_the_expected_distance_by_hand_for_one_owner(filed: Equilibrium) -> None:
    """Four households round to one with PV and battery: Σ_e over its level k of |1{k ≤ e} − F(e)| ΔE."""
    share = filed.economy.type_share
    count = largest_remainder(share, 4)
    owners = [k for k, household in enumerate(filed.economy.types) if household.battery and count[k]]
    assert len(owners) <= 1  # one at most among four
    if not owners:
        assert expected_wasserstein_kwh(filed, 4) is None
        return
    own, law = midnight_levels_by_type(filed)[owners[0]][0], midnight_levels(filed)[0]
    distance = sum(own[k] * abs(float(k <= e) - law[: e + 1].sum()) for k in range(len(own)) for e in range(len(own)))
    level_kwh = filed.economy.types[owners[0]].battery.level_kwh
    assert expected_wasserstein_kwh(filed, 4) == pytest.approx(distance * level_kwh)


def test_the_feeder_of_the_market_comes_to_that_of_the_mean_field(checks: Validation, filed: Equilibrium) -> None:
    grid = MeanFieldGrid(filed)
    assert grid.voltage_pu.shape == (1, 24, 5)
    assert np.allclose(mean_use_kw(filed).mean(), 14 / 24, rtol=0.05)  # 14 kWh a day, moved a little by prices
    assert checks.grid is not None
    for found in (checks.grid.voltage, checks.grid.loading, checks.grid.loss):
        rms = [one.value for one in found.rms]
        assert rms == sorted(rms, reverse=True)
        assert found.slope.value == pytest.approx(-0.5, abs=0.1)  # rounding on few households makes it steeper
    assert checks.grid.unsolved == 0.0


def test_worker_processes_find_what_this_process_finds(filed: Equilibrium) -> None:
    tasks = [Task(households=20, key=(3, r), days=1) for r in range(2)]
    here = dict(run_here([filed], tasks, None))
    assert dict(run_on_workers([filed], tasks, None, workers=1)) == here


def test_shares_that_come_out_whole_have_no_rounding_error(filed: Equilibrium) -> None:
    """The textbook's shares are multiples of 1/60."""
    assert composition_error_kw(filed, 60) == pytest.approx(0.0, abs=1e-12)
    assert composition_error_kw(filed, 600) == pytest.approx(0.0, abs=1e-12)
    share = filed.economy.type_share
    count = np.array([1 if k == 0 else 0 for k in range(len(share))])
    load = filed.type_net_load_kw[:, 0]
    assert composition_error_kw(filed, 1) == pytest.approx(np.sqrt(np.mean(((count - share) @ load) ** 2)))


def test_the_law_at_the_end_of_a_day_is_the_next_days_first(filed: Equilibrium) -> None:
    """With one kind of day, pooled over the types with a battery."""
    law = midnight_levels(filed)
    assert law is not None
    owners = [k for k, household in enumerate(filed.economy.types) if household.battery]
    share = filed.economy.type_share[owners]
    first = sum(w * filed.laws[k][:, 0].sum(axis=2) for w, k in zip(share, owners, strict=True)) / share.sum()
    assert np.allclose(law, first, atol=1e-10)


def test_with_weather_the_ends_of_the_days_flow_into_the_next_ones() -> None:
    """Law at slot 0 of c' = Σ_c P(c|c') · end of c."""
    economy = small_economy(memory=1)
    found = solve_equilibrium(economy, small_tariff(economy), certify=False)
    law = midnight_levels(found)
    assert law is not None
    owners = [k for k, household in enumerate(economy.types) if household.battery]
    share = economy.type_share[owners]
    first = sum(w * found.laws[k][:, 0].sum(axis=2) for w, k in zip(share, owners, strict=True)) / share.sum()
    assert np.allclose(economy.common.backward @ law, first, atol=1e-10)
    assert np.allclose(law.sum(axis=1), 1.0)


def test_a_replication_is_one_market_measured_by_hand(filed: Equilibrium) -> None:
    found = replicate(filed, 50, (1, 2), days=2)
    market = ProsumerMarket(policies=filed, households=50, rng=(1, 2), power_flow=False)
    owners = [i for i in range(50) if market.prosumer(i).type.battery]
    level_kwh = market.prosumer(owners[0]).type.battery.level_kwh
    law = midnight_levels(filed)
    assert law is not None
    errors, distances = [], []
    for _ in range(2):
        market.step()
        load = np.mean([market.prosumer(i).net_load_kw for i in range(50)], axis=0)
        errors.append((load - filed.net_load_kw[0]) ** 2)
        stored = [market.prosumer(i).stored_kwh for i in owners]
        distances.append(wasserstein_distance(stored, level_kwh * np.arange(law.shape[1]), v_weights=law[0]))
    market.close()
    assert found.mean_square_kw2 == pytest.approx(np.mean(errors), rel=1e-6)
    assert found.wasserstein_soc_kwh == pytest.approx(np.mean(distances))


def test_without_batteries_there_is_no_state_to_compare() -> None:
    plain = solved("textbook", "filed", "battery_share_scale=0")
    assert midnight_levels(plain) is None
    found = validate(plain, Sample(households=[20], replications=2, seed=0, days=1), checks=QUICK_CHECKS)
    assert found.wasserstein_soc_kwh == (None,)
    assert found.load.slope.value is None


def test_where_no_rate_follows_the_wholesale_price_a_household_gains_the_same_in_every_market(
    filed: Equilibrium,
) -> None:
    """The filed rates are posted; the pace towards the limit is then measured under the real-time price."""
    found = exploitability(filed, [10, 1000])
    assert found.values == (found.limit, found.limit)
    assert found.limit == pytest.approx(filed.exploitability_usd_per_household_day, abs=1e-9)
    assert (found.coupled, found.tariff, found.affine) == (False, "rtp", True)
    assert found.slope == pytest.approx(-1.0, abs=0.02)


def test_progress_comes_to_its_end_and_a_request_to_stop_is_heard(filed: Equilibrium) -> None:
    shares: list[float] = []
    watch = Watch(progress=lambda report: shares.append(report.fraction))
    validate(filed, Sample(households=[5, 7], replications=2, seed=0, days=1), checks=QUICK_CHECKS, watch=watch)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    with pytest.raises(Cancelled):
        validate(filed, Sample(households=[5], replications=1, seed=0, days=1), watch=Watch(cancelled=lambda: True))


def test_a_scheduler_that_is_not_there_is_told_in_one_line(filed: Equilibrium) -> None:
    with pytest.raises(ValueError, match=r"--scheduler nowhere: cannot be reached .*; start one with dask scheduler"):
        validate(filed, Sample(households=[5], replications=1, seed=0, days=1), scheduler="nowhere")


def test_the_command_prints_the_contract(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    assert main([*QUICK, "--out", str(out)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert set(said) >= CONTRACT
    assert (said["households"], said["replications"], said["seed"], said["days"]) == ([30, 100], 3, 1, 2)
    for name in ("rms_net_load_kw", "rms_low", "rms_high", "wasserstein_soc_kwh", "composition_error_kw"):
        assert len(said[name]) == 2
    assert json.loads((out / "validate.json").read_text()) == said
    table = pq.read_table(out / "sizes.parquet").to_pydict()
    assert table["rms_net_load_kw"] == said["rms_net_load_kw"]
    assert main(QUICK) == 0
    again = json.loads(capsys.readouterr().out)
    for one in (again, said):
        assert one.pop("seconds") > 0
        assert one.pop("compile_seconds") >= 0
    assert again == said


def test_people_get_the_law_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*QUICK[:-1], "--set", "battery_levels=5"]) == 0
    said = capsys.readouterr().out
    assert "RMS falls as N to the power" in said
    assert "\nNote: battery_levels = 5: charging reaches " in said


def test_the_studys_own_memory_is_measured_once(filed: Equilibrium) -> None:
    """With one kind of day every memory gives the same market, and the same numbers."""
    seen: list[Task] = []

    def run(worlds: object, tasks: list[Task], cancelled: object) -> object:
        seen.extend(tasks)
        return run_here(worlds, tasks, cancelled)

    sample = Sample(households=[20, 40], replications=2, seed=0, days=1)
    found = validate(filed, sample, checks=("aggregate",), memory=(0, 1), run=run)
    assert len(seen) == 8
    assert [floor.memory for floor in found.memory] == [0, 1]
    assert found.memory[0].scatter == found.scatter
    assert [floor.closure_error_kw for floor in found.memory] == [0.0, 0.0], "one common state"
    assert found.memory[1].scatter.slope.value == pytest.approx(found.scatter.slope.value)


def test_without_batteries_the_exploitability_falls_with_the_square_of_the_crowd() -> None:
    """Use alone is decided, an interior optimum; at a kink of the curve the power is half as much."""
    alone = solved("textbook", "rtp", "battery_share_scale=0")
    found = exploitability(alone, [30, 100])
    assert found.law == -2.0
    assert found.slope == pytest.approx(-2.0, abs=0.005)
    assert found.kinked_slope == pytest.approx(-1.0, abs=0.03)  # −1.034 and −1.011 a decade: terms in N^(−2) fade
    assert found.limit == 0.0
    assert set(found.cooled) == {0.0}


def test_where_nobody_decides_anything_there_is_no_law_to_judge() -> None:
    found = exploitability(solved("textbook", "rtp", "battery_share_scale=0", "elasticity=0"), [30])
    assert found.law is None
    assert found.slope is None
    assert found.values == (0.0,)


@pytest.mark.parametrize(
    "changes",
    [
        ["battery_share_scale=0"],
        ["battery_share_scale=0", "elasticity=0"],
        ["battery_share_scale=0", "shock.levels=[1.0]", "shock.kernel=[[1.0]]"],
    ],
)
def test_a_market_without_batteries_fails_no_criterion_by_rounding(changes: list[str]) -> None:
    done = validate(
        solved("textbook", "rtp", *changes),
        Sample(households=[30, 100, 300], replications=4, seed=0, days=7),
        checks=("aggregate", "state", "exploitability"),
    )
    status = {one.key: one.status for one in done.findings}
    assert Status.FAIL not in status.values(), status
    assert status["exploitability_cold"] is Status.NOT_APPLICABLE


def test_plans_between_which_households_part_are_a_choice_as_moves_are() -> None:
    """Exports earn ten cents more than imports cost, or two cents less."""
    economy = toy(0.02, rest_kw=0.05)
    for credit, law in ((0.1, CHOICE_LAW), (-0.02, USE_LAW)):
        assert pace(solve_equilibrium(economy, real_time(economy, credit=credit), certify=False)) == law


def test_the_exploitability_is_worked_out_where_sun_is_curtailed() -> None:
    found = solved("textbook", "filed", "tariff.export.usd_per_kwh=-0.02")
    assert found.curtailed_kwh_per_household_day > 1.0
    checks = ("aggregate", "exploitability")
    done = validate(found, Sample(households=[30, 60], replications=2, seed=0, days=2), checks=checks)
    expected = found.exploitability_usd_per_household_day  # no rate of the tariff depends on the wholesale price
    assert done.exploitability_usd_per_household_day == pytest.approx((expected, expected), abs=1e-9)
    assert not any("exploitability" in one for one in validation_messages(done, checks))
