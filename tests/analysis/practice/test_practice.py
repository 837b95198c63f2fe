"""``meanwatt practice``: what is lost against the commitment, its JSON object, its files, how it ends."""

import json
import shlex
import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scenarios import preset_economy, preset_tariff

from meanwatt.agents.tariff.components.demand_charge import DemandCharge, DemandView
from meanwatt.analysis.cli import main
from meanwatt.analysis.practice.filing import file_tariff
from meanwatt.analysis.practice.practice import Practice, at_bounds, filed_family, practice, solved_as_billed, welfare
from meanwatt.analysis.practice.report import practice_json
from meanwatt.analysis.practice.windows import windows_in_force
from meanwatt.model.mean_field.components.solving import solve_composed
from meanwatt.model.mean_field.equilibrium import Outcome, solve_equilibrium
from meanwatt.model.mean_field.leader.window_family import WindowFamily
from meanwatt.model.mean_field.population import threads
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import build_tariff
from meanwatt.model.scenario.loading import load_scenario

SMALL = "battery_levels=5"
QUICK = shlex.split(f"practice textbook --tariff filed --set {SMALL}")
CONTRACT = {
    "scenario",
    "tariff",
    "outcome",
    "message",
    "messages",
    "filed",
    "equilibrium",
    "commitment",
    "error",
    "welfare_lost_usd_per_household_day",
}


@cache
def done(tariff: str) -> Practice:
    return practice(preset_economy("textbook", SMALL), preset_tariff("textbook", tariff))


def said(arguments: list[str], capsys: pytest.CaptureFixture[str], *, status: int = 0) -> dict:
    assert main([*arguments, "--json"]) == status
    heard = capsys.readouterr()
    assert heard.err == ""
    assert heard.out.count("\n") == 1
    return json.loads(heard.out)


@pytest.mark.parametrize("tariff", ["filed", "flat"])
def test_the_commitment_is_no_worse_than_the_filed_tariff_and_than_its_neighbours(tariff: str) -> None:
    found = done(tariff)
    assert found.outcome is Outcome.CONVERGED
    assert found.filing is not None
    assert found.equilibrium is not None
    assert found.commitment is not None
    assert found.committed_usd_per_kwh is not None
    lost = found.welfare_lost_usd_per_household_day
    assert lost is not None
    assert lost > 1e-5  # batteries, which practice freezes, do move
    assert lost == pytest.approx(found.commitment.objective - welfare(found.equilibrium), abs=1e-12)
    family = filed_family(found.in_force, found.filing, found.windows)
    rates = found.committed_usd_per_kwh
    assert ((rates > family.low) & (rates < family.high)).all()
    for change in 0.01 * np.vstack([np.eye(3), -np.eye(3)]):
        beside = solve_equilibrium(found.in_force.economy, family.tariff(rates + change), certify=False)
        assert welfare(beside) <= found.commitment.objective + 1e-7


def test_the_family_holds_the_filed_tariff() -> None:
    found = done("flat")
    assert found.filing is not None
    family = filed_family(found.in_force, found.filing, found.windows)
    member = family.tariff(found.filing.rates_usd_per_kwh)
    assert np.array_equal(member.energy_usd_per_kwh, found.filing.tariff.energy_usd_per_kwh)
    for name in ("pass_through", "export_pass_through", "export_rule", "capped_at_import", "standing_charges"):
        assert getattr(member, name) == getattr(found.filing.tariff, name)


def test_a_committed_rate_at_a_bound_of_the_family_is_told() -> None:
    family = WindowFamily(
        free=("off", "peak"),
        low=np.zeros(2),
        high=np.array([0.3, 0.4]),
        base=preset_tariff("textbook", "filed"),
        windows=(np.zeros((1, 24), dtype=int),),
    )
    assert at_bounds(family, np.array([0.1, 0.2])) == []
    assert at_bounds(family, np.array([0.1, 0.4])) == [
        "Commitment: the rate of peak is at the family's bound, 0.4 USD/kWh; a wider family may gain more."
    ]
    assert len(at_bounds(family, np.array([0.0, 0.4]))) == 2


def test_a_fixed_charge_that_balances_the_books_moves_neither_load_nor_welfare() -> None:
    found = done("filed")
    assert found.filing is not None
    assert found.equilibrium is not None
    posted = practice_json(found)["equilibrium"]
    family = filed_family(found.in_force, found.filing, found.windows)
    balanced = solve_equilibrium(found.in_force.economy, family.tariff(found.filing.rates_usd_per_kwh), certify=False)
    assert abs(posted["surplus_usd_per_household_day"]) > 1e-3
    assert balanced.surplus_usd_per_household_day == pytest.approx(0.0, abs=1e-9)
    assert list(posted["balanced_fixed_charge_usd_per_day"].values()) == pytest.approx(
        balanced.fixed_charge_usd_per_day.tolist(), abs=1e-9
    )
    assert balanced.net_load_kw == pytest.approx(found.equilibrium.net_load_kw, abs=1e-9)
    assert welfare(balanced) == pytest.approx(welfare(found.equilibrium), abs=1e-9)


def test_the_object_says_what_is_filed_what_happens_and_what_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    found = said(QUICK, capsys)
    assert set(found) >= CONTRACT
    predicted, happens, error = found["filed"]["predicted"], found["equilibrium"], found["error"]
    assert set(predicted) >= {"peak_kw", "net_load_kw", "revenue_usd_per_household_day", "groups"}
    assert np.shape(predicted["net_load_kw"]) == np.shape(happens["net_load_kw"]) == (1, 24)
    apart = np.array(predicted["net_load_kw"]) - np.array(happens["net_load_kw"])
    assert error["net_load_rms_kw"] == pytest.approx(np.sqrt((apart**2).mean()), abs=1e-12)
    assert error["net_load_rms_kw"] > 1e-3
    assert predicted["peak_kw"] == np.max(predicted["net_load_kw"])
    for key in ("peak_kw", "revenue_usd_per_household_day", "surplus_usd_per_household_day"):
        assert error[key] == pytest.approx(predicted[key] - happens[key], abs=1e-12)
    for part in (predicted, happens):
        paid = sum(row["share"] * row["bill_usd_per_year"] for row in part["groups"]) / 365
        assert paid == pytest.approx(part["revenue_usd_per_household_day"], abs=1e-12)
    for row, one, other in zip(error["groups"], predicted["groups"], happens["groups"], strict=True):
        assert (row["income"], row["technology"]) == (one["income"], one["technology"])
        assert row["bill_usd_per_year"] == pytest.approx(one["bill_usd_per_year"] - other["bill_usd_per_year"])
    best = found["commitment"]["welfare_usd_per_household_day"]
    lost = best - happens["welfare_usd_per_household_day"]
    assert found["welfare_lost_usd_per_household_day"] == pytest.approx(lost, abs=1e-12)
    assert "Windows: the periods of tariff filed, which is in force." in found["messages"]
    assert any("with carbon at 50 USD/t" in sentence for sentence in found["messages"])
    assert found["settings"] == {"scenario": "textbook", "tariff": "filed", "set": [SMALL]}


def test_a_tariff_without_periods_borrows_those_of_tou_and_what_passed_through_is_held(
    capsys: pytest.CaptureFixture[str],
) -> None:
    messages = said(shlex.split(f"practice textbook --tariff rtp --set {SMALL}"), capsys)["messages"]
    assert "Windows: the periods of tariff tou; rtp, which is in force, has none." in messages
    assert any(text.startswith("tariff.pass_through = 1 of rtp: filed rates hold") for text in messages)


def test_the_result_is_the_same_on_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for worth in (0, 10**9):  # every type on a thread of its own, and all on one
        monkeypatch.setattr(threads, "WORTH_A_THREAD", worth)
        found = practice_json(practice(preset_economy("textbook", SMALL), preset_tariff("textbook", "filed")))
        results.append({key: value for key, value in found.items() if "seconds" not in key})
    one, two = results
    assert np.array_equal(one["commitment"].pop("net_load_kw"), two["commitment"].pop("net_load_kw"))
    assert one["filed"]["windows"] == two["filed"]["windows"]
    assert one["commitment"]["windows"] == two["commitment"]["windows"]
    assert one["error"] == two["error"]
    assert one["welfare_lost_usd_per_household_day"] == two["welfare_lost_usd_per_household_day"]


def test_the_directory_holds_result_tables_tariffs_and_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    found = said([*QUICK, "--out", str(out)], capsys)
    assert {path.name for path in out.iterdir()} == {
        "practice.json",
        "slots.parquet",
        "types.parquet",
        "windows.parquet",
        "filed.toml",
        "commitment.toml",
        "report.html",
        "manifest.json",
    }
    assert json.loads((out / "practice.json").read_text(encoding="utf-8")) == found
    slots = pq.read_table(out / "slots.parquet").to_pydict()
    assert slots["predicted_net_load_kw"] == found["filed"]["predicted"]["net_load_kw"][0]
    assert slots["equilibrium_net_load_kw"] == found["equilibrium"]["net_load_kw"][0]
    rates = pq.read_table(out / "windows.parquet").to_pydict()
    assert rates["filed_usd_per_kwh"] == [row["usd_per_kwh"] for row in found["filed"]["windows"]]
    assert rates["commitment_usd_per_kwh"] == [row["usd_per_kwh"] for row in found["commitment"]["windows"]]
    assert tomllib.loads((out / "filed.toml").read_text(encoding="utf-8"))["recovery"] == "posted"
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 1
    for text in ("Usual practice loses", "overnight", "middle / pv_battery", "Predicted and found"):
        assert text in page


def test_the_filed_tariff_solved_from_its_file_is_the_equilibrium_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    found = said([*QUICK, "--out", str(out)], capsys)
    again = said(
        ["solve", "textbook", "--tariff", str(out / "filed.toml"), "--certify", "none", "--set", SMALL], capsys
    )
    assert again["net_load_kw"] == pytest.approx(np.array(found["equilibrium"]["net_load_kw"]), abs=1e-9)
    assert again["fixed_charge_usd_per_day"] == pytest.approx(found["equilibrium"]["fixed_charge_usd_per_day"])


def test_for_people_it_prints_three_tables_and_what_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(QUICK) == 0
    text = capsys.readouterr().out
    for part in (
        "Rates and fixed charges",
        "The day",
        "Bills, USD a year",
        "Usual practice loses 0.00",
        "Note: Windows",
    ):
        assert part in text


@pytest.mark.parametrize(("stops_at", "reached"), [("tariff in force", 0), ("commitment", 2)])
def test_what_is_cancelled_keeps_what_was_reached(stops_at: str, reached: int) -> None:
    stages: list[str] = []
    watch = Watch(cancelled=lambda: bool(stages) and stages[-1] == stops_at)
    found = practice(
        preset_economy("textbook", SMALL), preset_tariff("textbook", "flat"), watch=watch, new_stage=stages.append
    )
    assert found.outcome is Outcome.CANCELLED
    assert found.commitment is None
    assert sum(part is not None for part in (found.filing, found.equilibrium)) == reached
    told = practice_json(found)
    assert told["outcome"] == "cancelled"
    assert told["commitment"] is told["welfare_lost_usd_per_household_day"] is None


def test_a_search_that_ran_out_of_tariffs_knows_the_least_that_is_lost() -> None:
    found = practice(preset_economy("textbook", SMALL), preset_tariff("textbook", "filed"), evaluations_per_start=2)
    lost, whole = found.welfare_lost_usd_per_household_day, done("filed").welfare_lost_usd_per_household_day
    assert found.outcome is Outcome.ROUND_LIMIT
    assert lost is not None
    assert whole is not None
    assert 0 <= lost < whole
    assert found.message.startswith(f"Usual practice loses at least {lost:.5f} USD per household-day of welfare")


def test_what_is_not_solved_ends_with_status_1_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from meanwatt.analysis.cli import watching

    monkeypatch.setattr(watching.Work, "watch", property(lambda _: Watch(cancelled=lambda: True)))
    out = tmp_path / "run"
    found = said([*shlex.split(f"practice textbook --tariff flat --set {SMALL}"), "--out", str(out)], capsys, status=1)
    assert found["outcome"] == "cancelled"
    assert found["filed"] is found["equilibrium"] is found["error"] is None
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("practice textbok", "unknown preset 'textbok'; did you mean 'textbook'?"),
        ("practice textbook --tariff tuo", "did you mean 'tou'?"),
        ("practice textbook --set elasticty=1", "elasticity"),
        ("practice textbook --weights equity=1", "unknown option '--weights'"),
        ("practice", "missing argument"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split(arguments)) == 2
    heard = capsys.readouterr()
    assert heard.out == ""
    assert heard.err.count("\n") == 1
    assert line in heard.err.lower() or line in heard.err


def test_a_directory_that_is_not_free_is_refused_before_anything_is_solved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    assert main([*QUICK, "--out", str(tmp_path)]) == 2
    assert "holds mine.txt, which is not ours to replace" in capsys.readouterr().err


def test_a_charge_that_nobody_sees_leaves_the_filed_rates_and_takes_what_it_brings_off_the_fixed_charge() -> None:
    """With a fixed charge that recovers cost the loads in force are those without it, to the last digits."""
    keys = ("battery_share_scale=0", "tariff.recovery=fixed")
    economy, plain = preset_economy("textbook", *keys[:1]), preset_tariff("textbook", "tou", *keys)
    seen = np.ones(economy.slots, dtype=bool)
    charge = DemandCharge(usd_per_kw_month=4.0, counted=seen, decision=DemandView.IGNORED, window=("0-24",))
    charged = replace(plain, components=(charge,))
    (alone, _), (found, messages) = (solved_as_billed(economy, one, None, Watch()) for one in (plain, charged))
    assert any("households do not see it" in text for text in messages)
    windows = windows_in_force(economy, plain)
    without, filed = file_tariff(alone, windows), file_tariff(found, windows)
    assert filed.rates_usd_per_kwh == pytest.approx(without.rates_usd_per_kwh, abs=1e-7)
    paid = solve_composed(economy, charged, certify=False).amounts.usd_per_day["demand_charge"]
    brought = float(economy.type_share @ paid)
    assert brought > 0.1
    assert filed.tariff.fixed_charge_usd_per_day == pytest.approx(
        without.tariff.fixed_charge_usd_per_day - brought, abs=1e-6
    )
    assert filed.predicted.bill_usd_per_day == pytest.approx(
        without.predicted.bill_usd_per_day + paid - brought, abs=1e-6
    )
    assert filed.frozen.surplus_usd_per_household_day == pytest.approx(0.0, abs=1e-9)
    assert filed.tariff.components == (charge,)


def test_practice_holds_tiers_from_the_tariff_in_force_to_the_commitment() -> None:
    tiers = ("tariff.tiers.limits_kwh_per_month=[300]", "tariff.tiers.adders_usd_per_kwh=[0.0, 0.1]")
    economy = preset_economy("textbook", "battery_share_scale=0")
    scenario = load_scenario("textbook", overrides=list(tiers), tariff="tou")
    found = practice(economy, build_tariff(scenario, components=True), evaluations_per_start=12)
    assert found.filing is not None
    assert found.equilibrium is not None
    assert found.commitment is not None
    for one in (found.in_force.tariff, found.filing.tariff, found.equilibrium.tariff, found.commitment.tariff):
        assert [part.name for part in one.components] == ["tiers"]
    lost = found.welfare_lost_usd_per_household_day
    assert lost is not None
    assert lost >= 0
    assert any(text.startswith("Components stay as they are; usual practice expects") for text in found.messages)
    error = practice_json(found)["error"]
    assert error["revenue_usd_per_household_day"] == pytest.approx(
        found.filing.predicted.revenue_usd_per_household_day
        - float(economy.type_share @ found.equilibrium.bill_usd_per_day)
    )
