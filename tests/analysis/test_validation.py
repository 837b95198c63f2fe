"""The finite market against the continuum, and ``meanwatt validate``."""

import json
import shlex
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scenarios import small_economy, small_tariff, solved
from scipy.stats import wasserstein_distance

from analysis.cli import main
from analysis.validation import (
    Validation,
    composition_error_kw,
    midnight_levels,
    replicate,
    validate,
)
from model.market.market import ProsumerMarket
from model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from model.mean_field.watch import Cancelled

CONTRACT = {
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
QUICK = shlex.split("validate textbook --tariff filed --households 100,30 --replications 3 --days 2 --seed 1 --json")


@pytest.fixture(scope="module")
def filed() -> Equilibrium:
    return solved("textbook", "filed")


@pytest.fixture(scope="module")
def checks(filed: Equilibrium) -> Validation:
    return validate(filed, households=[30, 100, 300, 1000], replications=10, seed=1, days=14)


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
        distances.append(wasserstein_distance(stored, level_kwh * np.arange(21), v_weights=law[0]))
    market.close()
    assert found.mean_square_kw2 == pytest.approx(np.mean(errors), rel=1e-6)
    assert found.wasserstein_soc_kwh == pytest.approx(np.mean(distances))


def test_without_batteries_there_is_no_state_to_compare() -> None:
    plain = solved("textbook", "filed", "battery_share_scale=0")
    assert midnight_levels(plain) is None
    found = validate(plain, households=[20], replications=2, seed=0, days=1)
    assert found.wasserstein_soc_kwh == (None,)
    assert found.load.slope.value is None


def test_a_curved_supply_has_no_exact_exploitability() -> None:
    found = validate(solved("oahu", "filed"), households=[10], replications=1, seed=0, days=1)
    assert found.exploitability_usd_per_household_day == (None,)
    assert found.exploitability_slope is None


def test_progress_comes_to_its_end_and_a_request_to_stop_is_heard(filed: Equilibrium) -> None:
    shares: list[float] = []
    validate(filed, households=[5, 7], replications=2, seed=0, days=1, told=lambda _, share: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    with pytest.raises(Cancelled):
        validate(filed, households=[5], replications=1, seed=0, days=1, cancelled=lambda: True)


def test_a_scheduler_that_is_not_there_is_told_in_one_line(filed: Equilibrium) -> None:
    with pytest.raises(ValueError, match=r"--scheduler nowhere: cannot be reached .*; start one with dask scheduler"):
        validate(filed, households=[5], replications=1, seed=0, days=1, scheduler="nowhere")


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
    assert again.pop("seconds") > 0
    assert said.pop("seconds") > 0
    assert again == said


def test_people_get_the_law_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(QUICK[:-1]) == 0
    assert "RMS falls as N to the power" in capsys.readouterr().out
