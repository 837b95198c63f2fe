"""A design beside the scenario's tariffs, at the scenario's temperature and among cold households."""

import json
import shlex
from itertools import pairwise

import pytest
from scenarios import preset_economy, preset_tariff

from meanwatt.analysis.cli import main
from meanwatt.analysis.design.anneal import Annealed, anneal_search
from meanwatt.analysis.design.cold import ColdComparison, cold_json, cold_messages, compare_cold, differences_at
from meanwatt.analysis.design.design import Design, design
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.model.mean_field.cold import ColdMethod, solve_cold
from meanwatt.model.mean_field.equilibrium import solve_equilibrium

AIMS = LeaderSpec(leader="commission")


@pytest.fixture(scope="module")
def found() -> Design:
    return design(preset_economy("textbook"), preset_tariff("textbook", "filed"), AIMS, evaluations_per_start=20)


@pytest.fixture(scope="module")
def compared(found: Design) -> ColdComparison:
    return compare_cold(preset_economy("textbook"), AIMS, found)


def test_each_objective_is_that_of_its_own_equilibrium(compared: ColdComparison) -> None:
    economy, judge = preset_economy("textbook"), AIMS.objective()
    assert [one.name for one in compared.named] == list(economy.scenario.tariffs)
    for one in compared.named:
        tariff = preset_tariff("textbook", one.name)
        warm = solve_equilibrium(economy, tariff, certify=False)
        assert one.objective == pytest.approx(judge(warm), abs=1e-7)
        cold = solve_cold(economy, tariff).equilibrium
        assert cold is not None
        assert one.cold_objective == pytest.approx(judge(cold), abs=1e-7)


def test_at_the_presets_temperature_softmax_moves_more_than_the_design_gains(compared: ColdComparison) -> None:
    """The measured fact that the comparison exists for; 0.033 against 0.027 USD per household-day."""
    assert compared.gain == pytest.approx(0.0269, abs=5e-4)
    assert compared.largest_difference == pytest.approx(0.0328, abs=5e-4)
    assert compared.approximates is False
    assert compared.order_changes
    assert compared.order.index("tou") < compared.order.index("filed")
    assert compared.cold_order.index("filed") < compared.cold_order.index("tou")
    said = " ".join(cold_messages(compared, "USD per household-day"))
    assert "The order of tariffs changes" in said
    assert "noise of behaviour" in said


def test_colder_households_bring_the_objective_nearer_until_it_is_an_approximation(compared: ColdComparison) -> None:
    judge = AIMS.objective()
    assert compared.gain is not None
    largest = []
    for temperature in (0.01, 0.0025, 0.000625):
        apart = [one for one in differences_at(compared.named, temperature, judge) if one is not None]
        assert len(apart) == 5
        largest.append(max(apart))
    assert largest[0] > largest[1] > largest[2]
    assert largest[0] > 0.1 * compared.gain >= largest[2]


def test_in_json_every_tariff_has_both_and_twins_are_called_so(compared: ColdComparison) -> None:
    plain = cold_json(compared)
    rows = {row["tariff"]: row for row in plain["tariffs"]}
    assert rows["two_part"]["same_as"] == "rtp"
    assert rows["filed"]["cold_way"] is ColdMethod.LIMIT
    assert rows["rtp"]["cold_temperature_usd"] == 0.0
    assert set(plain["order"]) == {"designed", "flat", "tou", "rtp", "income_graduated", "filed"}
    assert plain["cold_gain"] == pytest.approx(
        rows["designed"]["cold_objective"] - rows["filed"]["cold_objective"], abs=1e-12
    )


def test_a_tariff_in_force_that_the_scenario_does_not_name_is_compared_too() -> None:
    economy = preset_economy("textbook", "battery_levels=4")
    tariff = preset_tariff("textbook", "filed", "battery_levels=4", "tariff.pass_through=0.5")
    done = design(economy, tariff, AIMS, evaluations_per_start=2)
    compared = compare_cold(economy, AIMS, done)
    assert "in force" in compared.order
    assert [row["tariff"] for row in cold_json(compared)["tariffs"]].count("in force") == 1


def test_an_annealed_design_is_better_cold_than_every_tariff_it_may_post_and_than_the_warm_one(
    found: Design, compared: ColdComparison
) -> None:
    economy, judge = preset_economy("textbook"), AIMS.objective()
    done = design(economy, preset_tariff("textbook", "filed"), AIMS, search=anneal_search(20))
    annealed = done.commitment
    assert isinstance(annealed, Annealed)
    cold = solve_cold(economy, annealed.tariff)
    assert cold.way is ColdMethod.EXACT
    assert cold.equilibrium is not None
    worth = judge(cold.equilibrium)
    assert annealed.coolings[-1].temperature_usd == 0.0
    assert annealed.coolings[-1].objective == pytest.approx(worth, abs=1e-9)
    assert compared.designed is not None
    assert compared.designed.cold_objective is not None
    assert worth > compared.designed.cold_objective + 0.01
    by_name = {one.name: one.cold_objective for one in compared.named}
    assert by_name["income_graduated"] is not None
    assert worth > by_name["income_graduated"]
    falling = [one.temperature_usd for one in annealed.coolings[:-1]]
    assert all(after == before / 2 for before, after in pairwise(falling))
    assert annealed.holds_from_usd == falling[-1]
    assert found.commitment is not None
    assert annealed.objective < found.commitment.objective  # at the scenario's own temperature the warm one is better


def test_the_command_prints_both_and_anneals(capsys: pytest.CaptureFixture[str]) -> None:
    line = "design textbook --leader commission --anneal --evaluations 3 --json --set battery_levels=4"
    assert main(shlex.split(line)) in (0, 1)
    plain = json.loads(capsys.readouterr().out)
    assert {row["tariff"] for row in plain["cold"]["tariffs"]} >= {"designed", "flat", "filed"}
    assert plain["anneal"]["coolings"][0]["temperature_usd"] == 0.02
    assert plain["anneal"]["coolings"][-1]["temperature_usd"] == 0.0
    assert plain["settings"]["anneal"] is True


def test_the_comparison_is_left_out_on_request_and_not_missed(capsys: pytest.CaptureFixture[str]) -> None:
    line = "design textbook --leader commission --evaluations 1 --json --set battery_levels=4"
    found = []
    for asked in (line, f"{line} --no-cold"):
        assert main(shlex.split(asked)) in (0, 1)
        found.append(json.loads(capsys.readouterr().out))
    both, warm = found
    assert both["cold"]["tariffs"]
    assert (warm["cold"], warm["settings"]["no_cold"]) == (None, True)
    assert warm["objective"] == both["objective"]
    assert any("cold" in sentence for sentence in both["messages"])
    assert not any("cold" in sentence for sentence in warm["messages"])


def test_only_a_search_with_full_knowledge_anneals(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split("design textbook --leader commission --method softmax --anneal")) == 2
    caught = capsys.readouterr()
    assert caught.out == ""
    assert caught.err.strip().endswith(
        "--anneal searches with full knowledge of the households, and --method softmax does not;"
        " give --method commitment, or leave it out"
    )
