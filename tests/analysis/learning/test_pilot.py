"""A randomised pilot: what it scores, what it recommends, and what that was worth."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scenarios import preset_economy, preset_tariff, solved

from meanwatt.analysis.cli import main
from meanwatt.analysis.leader.leader_spec import leader_spec_of
from meanwatt.analysis.learning.menus import Menu, solve_menu, usual_menu
from meanwatt.analysis.learning.pilot import PilotPlan, PilotResult, _Realised, _unrevealed, run_pilot
from meanwatt.analysis.learning.pilot_journal import PilotJournal
from meanwatt.analysis.simulation.simulation import simulate
from meanwatt.model.market.arms import MarketArms
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.progress.watch import Cancelled, Progress, Watch

LEVELS = "battery_levels=5"
SHORT = PilotPlan(households=240, days=40, pilot_days=20, round_days=10, before_days=20, seed=2)


def in_force() -> Equilibrium:
    return solved("textbook", "flat", LEVELS)


@cache
def menu() -> Menu:
    economy = preset_economy("textbook", LEVELS)
    aims = leader_spec_of(economy, "commission")
    return usual_menu(aims, in_force())


@cache
def short() -> PilotResult:
    return run_pilot(menu(), in_force(), SHORT)


def test_households_that_learn_from_their_bills_show_a_pilot_the_best_tariff() -> None:
    found = short()
    assert found.score.shape == found.half_width.shape == (2, len(menu().tariffs))
    assert menu().names[found.recommended] == menu().names[menu().best[0]] == "income_graduated"
    lead = np.sort(found.score.mean(axis=0))
    assert lead[-1] - lead[-2] > 0.004, "the mean field's lead is 0.009"


def test_a_pilot_loses_less_than_half_of_what_posting_at_random_loses() -> None:
    found = short()
    assert found.regret is not None
    assert found.random_regret is not None
    assert found.regret == found.realised_best - found.realised  # type: ignore[operator]
    assert found.regret <= 0.75 * found.random_regret, "half of the days are the pilot, whose arms post at random"


def test_what_is_realised_is_what_a_simulation_of_the_same_days_measures() -> None:
    base = in_force()
    arms = MarketArms(base, arms=4, households=120, behaviour="qlearning", rng=3)
    lived = _Realised(arms)
    for _ in range(5):
        lived.before()
        arms.step()
        lived.after()
    whole = simulate(base.economy, base.tariff, households=120, days=5, seed=3, behaviour="qlearning", equilibrium=base)
    assert whole.metrics is not None
    expected = menu().aims.in_market(base.economy, whole.metrics)
    assert lived.objective(menu()) == pytest.approx(expected, abs=1e-9)


def test_the_same_seed_gives_the_same_pilot() -> None:
    plan = PilotPlan(households=60, days=4, pilot_days=2, round_days=1, before_days=2, seed=2)
    one, again, other = (run_pilot(menu(), in_force(), replace(plan, seed=seed)) for seed in (2, 2, 3))
    assert np.array_equal(again.score, one.score)
    assert (again.realised, again.realised_random) == (one.realised, one.realised_random)
    assert not np.array_equal(other.score, one.score)


def test_arms_apart_are_scored_and_nothing_is_posted_to_all() -> None:
    plan = PilotPlan(households=60, days=4, pilot_days=4, round_days=2, before_days=4, apart=True)
    found = run_pilot(menu(), in_force(), plan)
    assert found.score.shape == (2, 4)
    assert (found.realised, found.regret, found.random_regret) == (None, None, None)


def test_a_pilot_can_be_cancelled_and_tells_how_far_it_is() -> None:
    seen: list[Progress] = []
    watch = Watch(progress=seen.append, cancelled=lambda: len(seen) >= 3)
    with pytest.raises(Cancelled):
        run_pilot(menu(), in_force(), SHORT, watch)
    assert len(seen) == 3
    assert seen[-1].fraction == pytest.approx(3 / (20 + 3 * 40))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"pilot_days": 50, "round_days": 30},
            r"^a pilot of 50 days is no whole number of rounds of 30; give days that rounds fill, e\.g\. 60$",
        ),
        ({"days": 30}, r"^the pilot takes 60 of 30 days; give at least as many days$"),
    ],
)
def test_a_plan_that_cannot_be_is_told_in_one_line(changes: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        PilotPlan(**changes)  # type: ignore[arg-type]


ARGUMENTS = (
    "pilot textbook --households 60 --days 6 --pilot-days 4 --round-days 2 --before-days 4 --seeds 2 --menu tou,rtp"
    f" --set {LEVELS}"
)


def test_the_command_tells_what_each_pilot_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ARGUMENTS.split(), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["menu"] == ["tou", "rtp"]
    assert said["best"] == "rtp"
    assert [one["seed"] for one in said["pilots"]] == [0, 1]
    for one in said["pilots"]:
        assert np.shape(one["score_usd_per_household_day"]) == (2, 2)
        better = np.mean(one["score_usd_per_household_day"], axis=0).argmax()
        assert one["recommended"] == said["menu"][better]
    assert said["best_recommended"] == sum(one["recommended"] == "rtp" for one in said["pilots"])
    assert said["message"] == "2 pilots of 4 days."
    assert said["metered_is"] == "the welfare gained over the tariff in force, less penalties"
    assert len(said["metered_usd_per_household_day"]) == len(said["worth_usd_per_household_day"]) == 2


def test_a_pilot_of_one_tariff_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ARGUMENTS.replace("tou,rtp", "tou").split()]) == 2
    assert capsys.readouterr().err == (
        "meanwatt: a pilot compares tariffs, and 1 arm came; give a menu of at least 2\n"
    )


def test_an_objective_that_no_market_shows_leaves_out_what_was_realised_and_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*ARGUMENTS.replace("--seeds 2", "--leader nash").split(), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {value for key, value in said["pilots"][0].items() if "realised" in key or "regret" in key} == {None}
    assert any(
        text.startswith("What was realised is left out: a simulated market does not tell the utility of use")
        for text in said["messages"]
    )


def test_a_bracket_that_brackets_nothing_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    told = (
        "In some arm households did not answer their rates at their best, as the rule of a half takes it: half_width is"
        " below zero there, and brackets nothing."
    )
    assert _unrevealed(np.array([[0.1, 0.0]])) == ()
    assert _unrevealed(np.array([[0.1, -1e-6]])) == (told,)
    assert main([*ARGUMENTS.split(), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    below = min(np.min(one["half_width_usd_per_household_day"]) for one in said["pilots"]) < 0
    assert (told in said["messages"]) == below


def commands(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """JSON of the short pilots without what depends on the clock."""
    assert main([*ARGUMENTS.split(), *arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return {name: value for name, value in found.items() if not name.endswith("seconds")}


def test_pilots_on_record_are_not_run_again_and_the_result_is_that_of_an_undisturbed_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, journal = tmp_path / "run", tmp_path / "run.journal.jsonl"
    whole = commands(capsys, "--out", str(out))
    assert not journal.exists(), "a result that is written needs no journal"
    ran: list[int] = []

    def stopped(menu: Menu, in_force: Equilibrium, plan: PilotPlan, watch: Watch) -> PilotResult:
        ran.append(plan.seed)
        if len(ran) == 2:
            raise Cancelled
        return run_pilot(menu, in_force, plan, watch)

    monkeypatch.setattr("meanwatt.analysis.learning.pilot.run_pilot", stopped)
    assert main([*ARGUMENTS.split(), "--json", "--out", str(out)]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["outcome"], said["message"]) == ("cancelled", "Cancelled after 1 of 2 pilots.")
    assert journal.read_bytes().count(b"\n") == 2, "a head, and the pilot that is done"
    with journal.open("ab") as file:
        file.write(b'{"seed": 1, "sco')  # the power fails while a line is written
    assert commands(capsys, "--out", str(out), "--resume") == whole
    assert ran == [0, 1, 1]
    assert not journal.exists()


def test_a_journal_of_other_pilots_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, journal = tmp_path / "run", tmp_path / "run.journal.jsonl"

    def refused(arguments: str) -> str:
        assert main([*arguments.split(), "--out", str(out)]) == 2
        return capsys.readouterr().err.removeprefix("meanwatt: ")

    assert refused(f"{ARGUMENTS} --resume") == (
        f"--resume: there is no journal {journal} to go on from; leave --resume out to begin\n"
    )
    plan = PilotPlan(households=60, days=6, pilot_days=4, round_days=2, before_days=4)
    aims = leader_spec_of(in_force().economy, "commission")
    pair = solve_menu(aims, [preset_tariff("textbook", name, LEVELS) for name in ("tou", "rtp")], in_force())
    with PilotJournal(journal, pair, in_force(), plan, resume=False) as kept:
        for seed in range(3):
            kept.append(replace(short(), plan=replace(plan, seed=seed)))
    before = journal.read_bytes()
    assert refused(ARGUMENTS) == (
        f"{journal} holds the pilots of an interrupted run; add --resume to go on, or delete the file\n"
    )
    assert refused(f"{ARGUMENTS} --resume") == (f"{journal} holds 3 pilots, and --seeds is 2; give --seeds 3 or more\n")
    for changed, what in (
        (ARGUMENTS.replace("--households 60", "--households 61"), "its households is 60, now it is 61"),
        (ARGUMENTS.replace("tou,rtp", "rtp,tou"), 'its menu is ["tou", "rtp"], now it is ["rtp", "tou"]'),
        (f"{ARGUMENTS} --set temperature_usd=0.03", "its scenario had other numbers than now"),
        (f"{ARGUMENTS} --seed 1", "its seed is 0, now it is 1"),
    ):
        assert refused(f"{changed} --resume") == (
            f"{journal} belongs to another run: {what}; give the settings of that run, or another --out\n"
        )
    assert journal.read_bytes() == before


def test_a_menu_may_hold_tariffs_of_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, twin = tmp_path / "own.toml", tmp_path / "tou.toml"
    for one in (file, twin):
        one.write_text(
            'recovery = "fixed"\nenergy_usd_per_kwh = 0.05\npass_through = 1.0\nexport.rule = "net_billing"\n'
        )
    arguments = ARGUMENTS.replace("--seeds 2", "--seeds 1").replace("tou,rtp", f"tou,{file}").split()
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["menu"] == ["tou", "own"]
    assert main(ARGUMENTS.replace("tou,rtp", f"tou,{twin}").split()) == 2
    assert capsys.readouterr().err == f"meanwatt: --menu: tou and {twin} are both named tou; give one another name\n"


def test_a_tariff_left_out_of_the_usual_menu_is_named() -> None:
    economy = preset_economy("oahu", "battery_levels=5")
    menu = usual_menu(leader_spec_of(economy, "commission"), solved("oahu", "filed", "battery_levels=5"))
    assert menu.left_out == {"two_part": "rtp"}
    assert menu.messages == ("two_part is left out of the usual menu: it is the same tariff as rtp.",)


def test_what_the_mean_fields_meters_show_is_the_worth_where_it_is_metered_exactly() -> None:
    margin = usual_menu(leader_spec_of(in_force().economy, "utility"), in_force())
    assert margin.metered(in_force()) == pytest.approx(margin.worth_usd, abs=1e-9)
    welfare = menu()
    error = welfare.metered(in_force()) - welfare.worth_usd
    assert np.ptp(error) > 0.001, "meters tell the entropy of choices from no benefit"
