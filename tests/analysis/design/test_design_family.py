"""``meanwatt design --family``: its JSON, what it writes, what solves again to the same, and what it refuses."""

import json
import shlex
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from family_files import BARE, PEAK, TWO, WELFARE, textbook_families
from scenarios import preset_economy, solved

from meanwatt.analysis.cli import main
from meanwatt.analysis.design.window_figure import window_figure, window_maps, window_pictures
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.analysis.leader.registry import find, those
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.mean_field.leader.leader_problem import UNIT, LeaderProblem
from meanwatt.model.mean_field.leader.window_search import WindowCommitment, commit_windows
from meanwatt.model.scenario.economy import build_tariff
from meanwatt.model.scenario.loading import load_scenario

SET = " ".join(f"--set {one}" for one in BARE)
DESIGN = f"design textbook --leader commission --weights equity=0 {SET} --no-cold"
ONE_PLACE = PEAK.replace("[15, 19], width = [3, 5]", "17, width = 4")
CAPPED = TWO.replace(
    'recovery = "fixed"', 'recovery = "volumetric"\nexport.capped_at_import = true\nexport.usd_per_kwh = 0.3'
).replace("[16, 18], width = [3, 4]", "17, width = 4")
ROW_KEYS = {"windows", "objective", "bound", "evaluations", "searched"}


@pytest.fixture
def family(tmp_path: Path) -> Path:
    path = tmp_path / "family.toml"
    path.write_text(PEAK, encoding="utf-8")
    return path


@cache
def found() -> WindowCommitment:
    """The peak's best place on the bare textbook."""
    economy = preset_economy("textbook", *BARE)
    return commit_windows(
        textbook_families(PEAK, *BARE),
        lambda family: LeaderProblem(economy, family, WELFARE.objective()),
        solved("textbook", "flat", *BARE),
    )


def said(command: str, capsys: pytest.CaptureFixture[str]) -> dict:
    assert main([*shlex.split(command), "--json"]) == 0
    heard = capsys.readouterr()
    assert heard.err == ""
    return json.loads(heard.out)


def refused(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(shlex.split(command)) == 2
    heard = capsys.readouterr()
    assert heard.out == ""
    assert heard.err.count("\n") == 1
    return heard.err


def test_the_object_tells_what_was_free_and_what_became_of_every_combination(
    family: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = said(f"{DESIGN} --family {family}", capsys)
    own = result["family"]
    assert own["free"] == {"energy_usd_per_kwh.day": [0.0, 1.0], "energy_usd_per_kwh.peak": [0.0, 1.0]}
    assert own["fixed"] == {"pass_through": 0.0, "recovery": "fixed"}
    assert own["windows"] == {"peak": {"start": 17, "width": 4, "hours": "17:00-21:00"}}
    assert (own["rest"], own["combinations"], own["skipped"]) == ("day", 15, 0)
    assert own["searched"] + own["pruned"] == 15
    assert own["pruned"] > 0
    assert len(own["by_windows"]) == 15
    for row in own["by_windows"]:
        assert set(row) == ROW_KEYS
        assert row["searched"] == (row["objective"] is not None)
        assert row["searched"] or row["bound"] <= result["objective"]
    best = max(row["objective"] for row in own["by_windows"] if row["searched"])
    assert best == result["objective"] == result["metrics"]["welfare_usd_per_household_day"]
    assert result["evaluations"] == sum(row["evaluations"] for row in own["by_windows"])
    assert set(result["parameters"]) == set(own["free"])
    assert any(one.endswith("is as in filed.") for one in result["messages"])
    assert any("proven bound" in one for one in result["messages"])
    assert result["settings"]["family"] == str(family)


def test_without_the_file_the_family_stays_what_it_is() -> None:
    usual = LeaderSpec(leader="commission").family(preset_economy("textbook"))
    assert usual.free == (
        "energy_usd_per_kwh",
        "tou_spread",
        "export_credit_usd_per_kwh",
        "pass_through",
        "fixed_charge_income_slope",
    )


@pytest.mark.parametrize("text", [PEAK.replace("[3, 5]", "4"), CAPPED], ids=["fixed", "volumetric, capped"])
def test_what_is_written_solves_again_to_the_same_values(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "family.toml").write_text(text, encoding="utf-8")
    solar = "--set battery_share_scale=0"
    out = tmp_path / "run"
    command = f"design textbook --leader commission {solar} --no-cold --family {tmp_path / 'family.toml'} --out {out}"
    result = said(command, capsys)
    scenario = load_scenario("textbook", overrides=["battery_share_scale=0"], tariff=out / "tariff.toml")
    again = solve_equilibrium(
        preset_economy("textbook", "battery_share_scale=0"), build_tariff(scenario), certify=False
    )
    value = LeaderSpec(leader="commission").objective()(again)
    assert value == pytest.approx(result["objective"], abs=1e-9)
    written = pq.read_table(out / "slots.parquet").to_pydict()
    assert again.net_load_kw.ravel().tolist() == pytest.approx(written["net_load_kw"], abs=1e-8)
    assert again.rates.import_usd_per_kwh.ravel().tolist() == pytest.approx(written["import_usd_per_kwh"], abs=1e-8)
    assert build_tariff(scenario).capped_at_import == (text is CAPPED)


def test_the_directory_holds_every_combination_and_the_report_its_map(
    family: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    result = said(f"{DESIGN} --family {family} --out {out}", capsys)
    windows = pq.read_table(out / "windows.parquet").to_pydict()
    assert set(windows) == {"peak_start", "peak_width", "objective", "bound", "evaluations"}
    rows = result["family"]["by_windows"]
    assert windows["peak_start"] == [row["windows"]["peak"]["start"] for row in rows]
    assert windows["evaluations"] == [row["evaluations"] for row in rows]
    trials = pq.read_table(out / "trials.parquet").to_pydict()
    assert np.bincount(trials["combination"], minlength=15).tolist() == windows["evaluations"]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Where the windows lie" in page
    assert 'id="windows-' in page
    assert "17:00-21:00" in page


def test_the_map_shows_what_each_place_loses_or_loses_at_least() -> None:
    commitment = found()
    best, bound, widths, starts = window_maps(commitment, "peak")
    assert (widths, starts) == ([3.0, 4.0, 5.0], [15.0, 16.0, 17.0, 18.0, 19.0])
    for one in commitment.combinations:
        cell = widths.index(one.windows["peak"].width), starts.index(one.windows["peak"].start)
        assert np.isnan(best[cell]) if one.objective is None else best[cell] == one.objective
        assert np.isnan(bound[cell]) if one.searched else bound[cell] == one.bound
    figure = window_figure(commitment, UNIT)
    words = [text.get_text() for text in figure.axes[0].texts]
    assert words.count("0") == 1  # the chosen one
    assert sum(word.startswith("≥") for word in words) == commitment.pruned
    assert window_pictures(None, UNIT) == []


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--method softmax", "--method softmax takes windows that have one place, and family {path} has 15"),
        ("--anneal", "--anneal takes windows that have one place, and family {path} has 15"),
        ("--pareto", "--pareto takes windows that have one place, and family {path} has 15"),
    ],
)
def test_methods_that_search_no_windows_say_so(
    option: str, message: str, family: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = refused(f"{DESIGN} --family {family} {option}", capsys)
    assert message.format(path=family) in told
    assert f"give each window one start and one width, or leave {option} out" in told


@pytest.mark.parametrize("method", ["feedback", "alternating", "softmax", "policy_iteration"])
def test_every_method_takes_a_family_whose_windows_have_one_place(
    method: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "one.toml"
    path.write_text(ONE_PLACE.replace("1.0", "0.3"), encoding="utf-8")
    tried = "" if method in ("feedback", "alternating") else "--evaluations 3"
    main(shlex.split(f"{DESIGN} --family {path} --method {method} {tried} --json"))
    result = json.loads(capsys.readouterr().out)
    assert set(result["parameters"]) == {"energy_usd_per_kwh.day", "energy_usd_per_kwh.peak"}
    rate = np.broadcast_to(result["tariff"]["energy_usd_per_kwh"], 24)
    assert set(np.flatnonzero(rate != rate[0])) <= {17, 18, 19, 20}
    assert result["family"]["windows"]["peak"]["hours"] == "17:00-21:00"
    assert result["family"]["searched"] is None


@pytest.mark.parametrize(
    ("leader", "recovery", "message"),
    [
        ("utility", "fixed", "the family's recovery is fixed, which leaves the utility no margin to choose; give"),
        ("commission", "posted", "the family's recovery is posted, and the commission has to recover cost; give"),
    ],
)
def test_a_recovery_that_does_not_suit_the_leader_is_one_line(
    leader: str, recovery: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "family.toml"
    path.write_text(PEAK.replace('"fixed"', f'"{recovery}"'), encoding="utf-8")
    assert message in refused(f"design textbook --leader {leader} --family {path}", capsys)


def test_a_bad_file_is_one_line_and_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    path = tmp_path / "family.toml"
    assert f"family {path}: file not found" in refused(f"{DESIGN} --family {path} --out {out}", capsys)
    path.write_text(PEAK.replace("recovery", "recovry"), encoding="utf-8")
    told = refused(f"{DESIGN} --family {path} --out {out}", capsys)
    assert told == f"meanwatt: family {path}: unknown key 'recovry'; did you mean 'recovery'?\n"
    assert not out.exists()


@pytest.mark.parametrize("leader", those(lambda one: one.never_above_welfare))
def test_objectives_that_let_bounds_prune_never_exceed_welfare(leader: str) -> None:
    here = solved("textbook", "flat", *BARE)
    rng = np.random.default_rng(2)
    for _ in range(5):
        weights = {name: float(rng.exponential()) for name in find(leader).weights}
        assert LeaderSpec(leader=leader, weights=weights).objective()(here) <= WELFARE.objective()(here)
    assert {"commission", "constrained"} <= set(those(lambda one: one.never_above_welfare))
    assert not find("utility").never_above_welfare


def test_a_rate_at_its_bound_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "family.toml"
    path.write_text(ONE_PLACE.replace('peak" = [0.0, 1.0]', 'peak" = [0.0, 0.1]'), encoding="utf-8")
    result = said(f"{DESIGN} --family {path}", capsys)
    assert "energy_usd_per_kwh.peak is at its bound, 0.1; a wider range may gain more." in result["messages"]
