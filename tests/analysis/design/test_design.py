"""What a leader wants of a tariff, and ``meanwatt design``."""

import json
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scenarios import preset_economy, preset_tariff, solved

from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.analysis.cli import main
from meanwatt.analysis.design.design import Design, DesignProblem, commitment_search, design, tariff_table
from meanwatt.analysis.leader.leader_spec import LeaderSpec, default_price_cap_usd_per_kwh
from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.model.mean_field.equilibrium import Outcome, solve_equilibrium
from meanwatt.model.mean_field.leader.commitment import Commitment
from meanwatt.model.mean_field.leader.tariff_family import starting_points, tariff_family
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import build_tariff
from meanwatt.model.scenario.loading import load_scenario
from meanwatt.model.scenario.toml_text import toml_text

CONTRACT = {
    "messages",
    "leader",
    "method",
    "concept",
    "tariff",
    "objective",
    "baseline",
    "evaluations",
    "seconds",
    "outcome",
    "metrics",
}
LEVELS = "battery_levels=5"
QUICK = shlex.split(f"design textbook --leader commission --evaluations 8 --no-cold --json --set {LEVELS}")
COMMISSION = LeaderSpec(leader="commission", weights={"equity": 2.0, "stability": 3.0})


@pytest.fixture(scope="module")
def commission() -> Design:
    """A search long enough to settle."""
    return design(preset_economy("textbook", LEVELS), preset_tariff("textbook", "filed"), COMMISSION)


@pytest.fixture(scope="module")
def utility() -> Design:
    economy = preset_economy("textbook", LEVELS)
    aims = LeaderSpec(leader="utility", price_cap_usd_per_kwh=default_price_cap_usd_per_kwh(economy))
    return design(economy, preset_tariff("textbook", "filed"), aims)


def test_the_commission_wants_welfare_without_burden_gap_and_volatility() -> None:
    found = solved("textbook", "tou", LEVELS)
    metrics = equilibrium_metrics(found)
    assert metrics.imv is not None
    assert COMMISSION.objective()(found) == pytest.approx(
        metrics.welfare_usd_per_household_day - 2 * metrics.burden_gap - 3 * metrics.imv
    )
    assert COMMISSION.violation() is None
    assert COMMISSION.recovery is Recovery.FIXED


def test_the_utility_wants_its_margin_under_the_cap() -> None:
    found = solved("textbook", "filed", LEVELS)
    aims = LeaderSpec(leader="utility", price_cap_usd_per_kwh=0.2)
    violation = aims.violation()
    assert violation is not None
    assert aims.objective()(found) == found.surplus_usd_per_household_day
    assert violation(found).max() == pytest.approx(0.24 - 0.2)  # the filed tariff's peak rate
    assert aims.recovery is Recovery.POSTED
    assert default_price_cap_usd_per_kwh(found.economy) == pytest.approx(1.5 * 0.185)


def test_the_designed_tariff_is_better_than_every_start_and_the_tariff_in_force(commission: Design) -> None:
    economy, judge = preset_economy("textbook", LEVELS), COMMISSION.objective()
    found = commission.commitment
    assert found is not None
    assert (commission.outcome, commission.evaluations) == (Outcome.CONVERGED, len(found.trials))
    family = tariff_family(economy, Recovery.FIXED)
    for start in starting_points(family, economy):
        assert found.objective >= judge(solve_equilibrium(economy, family.tariff(start), certify=False)) - 1e-9
    assert found.objective > commission.baseline_objective
    assert found.objective == pytest.approx(judge(found.equilibrium), abs=1e-9)


def test_the_commissions_tariff_recovers_its_cost(commission: Design) -> None:
    assert commission.commitment is not None
    assert commission.commitment.equilibrium.surplus_usd_per_household_day == pytest.approx(0.0, abs=1e-9)


def test_weighing_equity_narrows_the_burden_gap(commission: Design) -> None:
    economy, tariff = preset_economy("textbook", LEVELS), preset_tariff("textbook", "filed")
    blind = LeaderSpec(leader="commission", weights={"equity": 0.0, "stability": 3.0})
    careless = design(economy, tariff, blind, evaluations_per_start=25)
    assert commission.commitment is not None
    assert careless.commitment is not None
    caring, plain = (equilibrium_metrics(d.commitment.equilibrium) for d in (commission, careless))
    assert caring.burden_gap < plain.burden_gap - 0.005


def test_the_utility_goes_to_its_cap_and_not_beyond(utility: Design) -> None:
    found = utility.commitment
    assert found is not None
    highest = found.equilibrium.rates.import_usd_per_kwh.max()
    assert highest <= 1.5 * 0.185 + 1e-6
    assert highest == pytest.approx(1.5 * 0.185, abs=1e-3)  # demand is inelastic: a monopolist stops at the cap alone
    assert found.objective > utility.baseline_objective
    assert utility.baseline_violation == pytest.approx(0.24 - 1.5 * 0.185)


def test_a_cap_that_no_tariff_meets_is_told() -> None:
    economy, tariff = preset_economy("textbook", LEVELS), preset_tariff("textbook", "filed")
    with pytest.raises(ValueError, match="no tariff of the family was feasible"):
        design(economy, tariff, LeaderSpec(leader="utility", price_cap_usd_per_kwh=-1.0), evaluations_per_start=8)


def test_a_search_of_ones_own_is_given_the_quest_and_its_find_is_reported() -> None:
    economy, tariff = preset_economy("textbook", LEVELS), preset_tariff("textbook", "filed")
    given: list[DesignProblem] = []

    def search(problem: DesignProblem) -> Commitment:
        given.append(problem)
        return commitment_search(5)(problem)

    found = design(economy, tariff, COMMISSION, search=search)
    assert len(given) == 1
    assert given[0].baseline is found.baseline
    assert (given[0].economy, given[0].aims) == (economy, COMMISSION)
    usual = design(economy, tariff, COMMISSION, evaluations_per_start=5)
    assert found.commitment is not None
    assert usual.commitment is not None
    assert found.commitment.parameters == usual.commitment.parameters
    assert 0 < found.evaluations == usual.evaluations <= 15


def test_a_request_to_stop_is_heard_at_any_time() -> None:
    economy, tariff = preset_economy("textbook"), preset_tariff("textbook", "filed")
    at_once = design(economy, tariff, COMMISSION, watch=Watch(cancelled=lambda: True))
    assert (at_once.outcome, at_once.commitment, at_once.baseline_objective) == (Outcome.CANCELLED, None, None)
    asked = 0

    def after_a_while() -> bool:
        nonlocal asked
        asked += 1
        return asked > 12

    later = design(economy, tariff, COMMISSION, watch=Watch(cancelled=after_a_while))
    assert later.outcome is Outcome.CANCELLED
    assert later.commitment is not None
    assert 0 < later.evaluations < 12


@pytest.mark.parametrize(
    ("preset", "name"), [("textbook", "tou"), ("textbook", "income_graduated"), ("california", "filed")]
)
@pytest.mark.parametrize("capped", [False, True])
def test_a_tariff_survives_being_written_to_a_file(preset: str, name: str, capped: bool, tmp_path: Path) -> None:
    economy, tariff = preset_economy(preset), preset_tariff(preset, name)
    third = tariff.energy_usd_per_kwh / 3  # all digits in use
    tariff = replace(tariff, energy_usd_per_kwh=third, capped_at_import=capped)
    file = tmp_path / "copy.toml"
    file.write_text(toml_text(tariff_table(tariff, economy)), encoding="utf-8")
    assert_same(build_tariff(load_scenario(preset, tariff=file)), tariff)


def assert_same(one: Tariff, other: Tariff) -> None:
    for field in Tariff.__slots__:
        if field not in ("name", "periods"):  # names of what is the same by slot
            assert np.array_equal(getattr(one, field), getattr(other, field)), field


def test_the_command_prints_the_contract_and_a_tariff_to_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    status = main([*QUICK, "--out", str(out)])
    said = json.loads(capsys.readouterr().out)
    assert set(said) >= CONTRACT
    assert status == (0 if said["outcome"] == "converged" else 1)
    assert (said["leader"], said["method"], said["concept"]) == ("commission", "commitment", "commitment")
    assert said["learning"] is None
    assert said["settings"]["evaluations"] == 8
    assert said["weights"] == {"equity": 1.0, "stability": 0.0}
    assert said["baseline"]["tariff"] == "filed"
    assert said["objective"] >= said["baseline"]["objective"]
    metrics = said["metrics"]
    assert said["objective"] == pytest.approx(
        metrics["welfare_usd_per_household_day"] - metrics["burden_gap"], abs=1e-9
    )
    assert metrics["efficiency_gap_usd_per_household_day"] >= 0
    assert len(pq.read_table(out / "trials.parquet")) == said["evaluations"]
    assert json.loads((out / "design.json").read_text()) == said
    assert main(["solve", "textbook", "--tariff", str(out / "tariff.toml"), "--json", "--set", LEVELS]) == 0
    again = json.loads(capsys.readouterr().out)["metrics"]
    for name in ("welfare_usd_per_household_day", "burden_gap", "imv"):
        assert again[name] == pytest.approx(metrics[name], abs=1e-8)


def test_the_tariff_in_force_may_be_chosen_and_the_scenario_changed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = shlex.split("--tariff tou --set pv_scale=0.5 --weights stability=4")
    learners = "meanwatt.analysis.learning.campaign"
    monkeypatch.delitem(sys.modules, learners, raising=False)
    main([*QUICK, *arguments])
    assert learners not in sys.modules, "what learners need takes longer to import than many a search"
    said = json.loads(capsys.readouterr().out)
    assert said["baseline"]["tariff"] == "tou"
    assert said["weights"] == {"equity": 1.0, "stability": 4.0}
    assert said["settings"]["set"] == [LEVELS, "pv_scale=0.5"]
    own = equilibrium_metrics(solved("textbook", "tou", LEVELS, "pv_scale=0.5"))
    assert own.imv is not None
    assert said["baseline"]["objective"] == pytest.approx(
        own.welfare_usd_per_household_day - own.burden_gap - 4 * own.imv, abs=1e-9
    )


def test_two_designs_differ_in_the_seconds_alone(capsys: pytest.CaptureFixture[str]) -> None:
    objects = []
    for _ in range(2):
        main(QUICK)
        objects.append(json.loads(capsys.readouterr().out))
        assert objects[-1].pop("seconds") > 0
        assert objects[-1].pop("compile_seconds") >= 0
    assert objects[0] == objects[1]


def test_people_get_the_tariff_beside_the_one_in_force(capsys: pytest.CaptureFixture[str]) -> None:
    main(shlex.split("design textbook --leader utility --price-cap 0.25 --evaluations 8 --set battery_levels=5"))
    said = capsys.readouterr().out
    assert said.splitlines()[-1].startswith("Note: battery_levels = 5: charging reaches ")
    assert "energy_usd_per_kwh" in said
    assert "filed" in said
    assert "USD/household-day" in said


SMALL = shlex.split(f"design textbook --leader commission --json --set {LEVELS}")


def test_a_leader_who_decides_day_by_day_is_found_by_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    status = main([*SMALL, "--method", "feedback", "--evaluations", "1"])
    said = json.loads(capsys.readouterr().out)
    assert (said["method"], said["concept"], said["learning"]) == ("feedback", "feedback", None)
    assert set(said) >= CONTRACT
    assert (status, said["outcome"]) == (1, "round_limit")
    assert said["message"] == "Feedback still revises its tariff after 1 round."
    assert said["evaluations"] == 2, "the start and what follows from it"
    heads = [sentence.split(":")[0] for sentence in said["messages"]]
    assert heads[0] == "battery_levels = 5"
    assert [head.split(" ")[0] for head in heads[1:]] == ["The", "Softmax"], "what cold households change"
    assert said["settings"]["evaluations"] == 1


def test_alternation_at_rest_is_a_success_that_calls_itself_no_commitment(capsys: pytest.CaptureFixture[str]) -> None:
    status = main([*SMALL, "--no-cold", "--method", "alternating"])
    said = json.loads(capsys.readouterr().out)
    assert (said["method"], said["concept"]) == ("alternating", "alternating")
    assert (status, said["outcome"]) == (0, "converged")
    assert "this is no commitment: the leader never counts on demand to respond" in said["message"]
    assert said["message"].endswith(f" and got {said['objective']:.4f}.")
    assert said["objective"] < said["baseline"]["objective"], "worse than the tariff in force"


def test_alternation_in_circles_ends_with_status_one_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "circles"
    few_suns_many_batteries = shlex.split(
        "--set pv_share_scale=0.5 --set battery_share_scale=5 --set elasticity=0.1 --weights equity=20"
    )
    status = main([*SMALL, "--no-cold", "--method", "alternating", *few_suns_many_batteries, "--out", str(out)])
    said = json.loads(capsys.readouterr().out)
    assert (status, said["outcome"], said["concept"]) == (1, "round_limit", "alternating")
    posted = pq.read_table(out / "trials.parquet")["objective"].to_pylist()
    swing = f"swings between {min(posted[-2:]):.4f} and {max(posted[-2:]):.4f} USD per household-day"
    assert said["message"].startswith("Alternation goes round in a cycle of 2 tariffs for ever: ")
    assert swing in said["message"]
    assert said["objective"] == posted[-1]
