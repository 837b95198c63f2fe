"""``meanwatt solve``: its JSON object, its exit status, its files."""

import json
import math
import shlex
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scenarios import solved

from meanwatt.analysis.cli import main
from meanwatt.analysis.output.solution_json import find_first_best

CONTRACT = {
    "scenario",
    "tariff",
    "outcome",
    "message",
    "messages",
    "converged",
    "iterations",
    "seconds",
    "compile_seconds",
    "residual_usd_per_kwh",
    "exploitability_usd_per_household_day",
    "contraction",
    "wholesale_usd_per_kwh",
    "import_usd_per_kwh",
    "export_usd_per_kwh",
    "net_load_kw",
    "closure_error_kw",
    "adder_usd_per_kwh",
    "fixed_charge_usd_per_day",
    "groups",
    "bill_alignment_allotter",
    "lorenz",
    "metrics",
    "common_states",
}
METRICS = {
    "welfare_usd_per_household_day",
    "efficiency_gap_usd_per_household_day",
    "burden",
    "burden_gap",
    "suits",
    "gini",
    "imv",
    "imv_log",
    "peak_to_average",
}
DEATH_SPIRAL = shlex.split(
    "solve stress --tariff flat --set tariff.export.rule=net_metering --set tariff.recovery=volumetric"
    " --set pv_scale=1.5 --set battery_share_scale=0 --json"
)


def run(arguments: list[str], capsys: pytest.CaptureFixture[str], *, status: int = 0) -> dict:
    """The JSON object of a command; it must be strict, alone on standard output, and nothing on standard error."""
    assert main(arguments) == status
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.count("\n") == 1

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not strict JSON")

    return json.loads(said.out, parse_constant=refuse)


def test_the_object_says_what_the_equilibrium_is(capsys: pytest.CaptureFixture[str]) -> None:
    said = run(["solve", "textbook", "--tariff", "filed", "--json"], capsys)
    found = solved("textbook", "filed", certify=True)
    assert set(said) >= CONTRACT
    assert set(said["metrics"]) >= METRICS
    assert (said["scenario"], said["tariff"], said["outcome"], said["converged"]) == (
        "textbook",
        "filed",
        "converged",
        True,
    )
    assert np.array_equal(said["wholesale_usd_per_kwh"], found.wholesale_usd_per_kwh)
    assert np.array_equal(said["net_load_kw"], found.net_load_kw)
    assert np.shape(said["import_usd_per_kwh"]) == np.shape(said["export_usd_per_kwh"]) == (1, 24)
    assert said["common_states"] == [{"day_types": ["typical"], "probability": 1.0}]
    assert list(said["fixed_charge_usd_per_day"]) == ["low", "middle", "high"]
    assert said["exploitability_usd_per_household_day"] <= said["softmax_bound_usd_per_household_day"]


def test_shares_bills_and_burdens_of_the_types_add_up(capsys: pytest.CaptureFixture[str]) -> None:
    said = run(["solve", "textbook", "--tariff", "filed", "--json"], capsys)
    rows = said["groups"]
    assert sum(row["share"] for row in rows) == pytest.approx(1.0, abs=1e-12)
    income = {"low": 20_000, "middle": 60_000, "high": 120_000}
    for row in rows:
        assert row["burden"] == pytest.approx(row["bill_usd_per_year"] / income[row["income"]])
    for group, burden in said["metrics"]["burden"].items():
        own = [row for row in rows if row["income"] == group]
        paid = sum(row["share"] * row["bill_usd_per_year"] for row in own) / sum(row["share"] for row in own)
        assert burden == pytest.approx(paid / income[group])


def test_the_gap_to_the_first_best_is_that_of_the_two_welfares(capsys: pytest.CaptureFixture[str]) -> None:
    said = run(["solve", "textbook", "--tariff", "filed", "--json"], capsys)
    best, gap = said["first_best"], said["metrics"]["efficiency_gap_usd_per_household_day"]
    welfare = said["metrics"]["welfare_usd_per_household_day"]
    assert gap == pytest.approx(best["welfare_usd_per_household_day"] - welfare, abs=1e-12)
    assert gap > 0
    assert 0 <= best["duality_gap_usd_per_household_day"] < 1e-6
    assert said["metrics"]["price_of_anarchy"] == pytest.approx(welfare / best["welfare_usd_per_household_day"])


def test_marginal_prices_lose_no_more_than_the_temperature_allows(capsys: pytest.CaptureFixture[str]) -> None:
    """At temperature 0, r⁺ = r⁻ = λ + carbon is the first best; above, the gap is in [0, η·T·Σ w ln|A|]."""
    said = run(["solve", "textbook", "--tariff", "rtp", "--json"], capsys)
    assert 0 <= said["metrics"]["efficiency_gap_usd_per_household_day"] <= said["softmax_bound_usd_per_household_day"]
    assert said["uniqueness"] == "unique by Theorem U"


def test_two_solves_differ_in_the_seconds_alone(capsys: pytest.CaptureFixture[str]) -> None:
    one, two = (run(["solve", "textbook", "--json"], capsys) for _ in range(2))
    for said in (one, two):
        assert said.pop("seconds") > 0
        assert said.pop("compile_seconds") >= 0
    assert one == two
    assert one["tariff"] == "flat"


def test_no_adequate_tariff_is_a_result_and_not_a_crash(capsys: pytest.CaptureFixture[str]) -> None:
    said = run(DEATH_SPIRAL, capsys, status=1)
    assert said["outcome"] == "no_revenue_adequate_tariff"
    assert said["converged"] is False
    assert said["metrics"]["surplus_usd_per_household_day"] < 0
    assert 0 <= said["adder_usd_per_kwh"] <= 2.0


def test_a_first_best_that_is_refused_leaves_the_gap_undefined(capsys: pytest.CaptureFixture[str]) -> None:
    """Oil before gas: dirtier segments below cleaner ones make marginal cost plus carbon fall."""
    falling = [
        "--set",
        'supply={kind="piecewise",net_load_kw=[0,1,3],usd_per_kwh=[0.1,0.11,0.3],emissions_t_per_mwh=[0.9,0.1]}',
        "--set",
        "carbon.usd_per_t=200",
    ]
    said = run(["solve", "textbook", "--tariff", "filed", *falling, "--json"], capsys)
    assert said["converged"] is True
    assert said["metrics"]["efficiency_gap_usd_per_household_day"] is None
    assert said["metrics"]["price_of_anarchy"] is None
    assert said["first_best"]["welfare_usd_per_household_day"] is None
    assert "falls with load" in said["first_best"]["message"]


def test_a_scenario_without_batteries_has_a_first_best(capsys: pytest.CaptureFixture[str]) -> None:
    found, message = find_first_best(solved("textbook", "filed", "battery_share_scale=0").economy)
    assert found is not None
    assert math.isfinite(found.welfare_usd_per_household_day)
    assert message.startswith("The first best is known to ")


def test_out_holds_the_object_and_its_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    changes = ["--tariff", "filed", "--set", "pv_scale=0.5"]
    said = run(["solve", "textbook", *changes, "--json", "--out", str(out)], capsys)
    assert json.loads((out / "solve.json").read_text()) == said
    manifest = json.loads((out / "manifest.json").read_text())
    how = {"certify": "full", "solver": "auto"}
    assert manifest["settings"] == {"scenario": "textbook", "tariff": "filed", "set": ["pv_scale=0.5"], **how}
    assert said["settings"] == manifest["settings"]
    assert manifest["scenario"]["pv_scale"] == 0.5
    slots = pq.read_table(out / "slots.parquet").to_pydict()
    assert slots["net_load_kw"] == said["net_load_kw"][0]
    types = pq.read_table(out / "types.parquet").to_pydict()
    assert types["bill_usd_per_year"] == [row["bill_usd_per_year"] for row in said["groups"]]
    by_type = np.array(pq.read_table(out / "type_slots.parquet").to_pydict()["net_load_kw"]).reshape(-1, 24)
    assert np.allclose(np.array(types["share"]) @ by_type, said["net_load_kw"][0], atol=1e-12)


def test_an_occupied_out_is_refused_before_anything_is_computed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.txt").write_text("")
    monkeypatch.setattr("meanwatt.model.mean_field.equilibrium.solve_equilibrium", None)
    assert main(["solve", "textbook", "--out", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "holds mine.txt, which is not ours to replace" in said.err


def test_people_get_tables_with_units(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "textbook", "--tariff", "filed"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "USD per household-day" in said.out
    assert "low / none" in said.out
    assert "nan" not in said.out.lower().replace("tenant", "")


# How much is certified

FIRST_BEST_KEYS = (
    ("first_best", "welfare_usd_per_household_day"),
    ("first_best", "duality_gap_usd_per_household_day"),
    ("first_best", "curtailed_kwh_per_household_day"),
    ("metrics", "efficiency_gap_usd_per_household_day"),
    ("metrics", "price_of_anarchy"),
)


@pytest.mark.parametrize("level", ["none", "quick"])
def test_what_is_not_certified_is_null_and_named(level: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = run(["solve", "textbook", "--tariff", "filed", "--certify", level, "--json"], capsys)
    assert set(said) >= CONTRACT
    assert set(said["metrics"]) >= METRICS
    assert (said["exploitability_usd_per_household_day"] is None) == (level == "none")
    assert (said["contraction"] is None) == (level == "none")
    assert said["softmax_bound_usd_per_household_day"] > 0
    for table, key in FIRST_BEST_KEYS:
        assert said[table][key] is None
        assert any(f"{table}.{key}" in sentence for sentence in said["messages"])
    assert said["first_best"]["message"] == f"No first best: skipped by --certify {level}."
    skipped = [sentence for sentence in said["messages"] if sentence.startswith(f"--certify {level}: ")]
    assert len(skipped) == 1
    assert skipped[0].endswith("give --certify full for all of them.")
    assert ("contraction" in skipped[0]) == (level == "none")


def test_every_certificate_is_there_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    plain, full = (
        run(["solve", "textbook", "--tariff", "filed", *more, "--json"], capsys) for more in ([], ["--certify", "full"])
    )
    assert plain["exploitability_usd_per_household_day"] is not None
    assert plain["contraction"] is not None
    for table, key in FIRST_BEST_KEYS:
        assert plain[table][key] is not None
    assert not any("--certify" in sentence for sentence in plain["messages"])
    answer_keys = CONTRACT - {"seconds"}
    assert {key: plain[key] for key in answer_keys} == {key: full[key] for key in answer_keys}


def test_the_answer_is_the_same_however_much_of_it_is_certified(capsys: pytest.CaptureFixture[str]) -> None:
    none, quick = (
        run(["solve", "textbook", "--tariff", "filed", "--certify", level, "--json"], capsys)
        for level in ("none", "quick")
    )
    for key in ("wholesale_usd_per_kwh", "net_load_kw", "groups", "adder_usd_per_kwh", "residual_usd_per_kwh"):
        assert none[key] == quick[key]


def test_an_unknown_way_of_certifying_gets_the_nearest_or_all_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    for text, line in (
        ("ful", "unknown --certify 'ful'; did you mean 'full'?"),
        ("everything", "unknown --certify 'everything'; give one of none, quick, full"),
    ):
        assert main(["solve", "textbook", "--certify", text, "--json"]) == 2
        assert capsys.readouterr() == ("", f"meanwatt: {line}\n")


def test_people_are_told_what_was_skipped(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "textbook", "--tariff", "filed", "--certify", "none"]) == 0
    assert "Note: --certify none: exploitability_usd_per_household_day" in capsys.readouterr().out


def test_without_memory_the_line_names_what_takes_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing_left(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("meanwatt.analysis.certificates.solve_equilibrium", nothing_left)
    assert main(["solve", "textbook"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("meanwatt: not enough memory")
    assert said.count("\n") == 1
    for key in ("slots_per_day", "memory", "battery_levels"):
        assert key in said


@pytest.mark.parametrize(("tariff", "surplus"), [("flat", 0.0), ("filed", None)])
def test_what_households_pay_beyond_their_own_cost_adds_up_to_the_utilitys_surplus(
    tariff: str, surplus: float | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """The mean alignment of bills is the surplus; each bill is its cost at wholesale prices, K, and the alignment."""
    assert main(["solve", "textbook", "--tariff", tariff, "--certify", "none", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    rows, network_usd = said["groups"], 365 * 12 * 30 / 365
    mean = sum(row["share"] * row["bill_alignment_usd_per_year"] for row in rows)
    assert mean == pytest.approx(365 * said["metrics"]["surplus_usd_per_household_day"], abs=1e-6)
    if surplus is not None:
        assert mean == pytest.approx(surplus, abs=1e-4)
    for row in rows:
        parts = row["own_marginal_cost_usd_per_year"] + network_usd + row["bill_alignment_usd_per_year"]
        assert row["bill_usd_per_year"] == pytest.approx(parts, abs=1e-9)
    assert said["bill_alignment_allotter"] == "per_customer"
    curve = said["lorenz"]
    x, y = np.array(curve["population_share"]), np.array(curve["bill_share"])
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert len(x) == len(rows) + 1
    assert (np.diff(np.diff(y) / np.diff(x)) > -1e-9).all(), "convex: from the smallest bill to the largest"
    assert 1 - 2 * np.trapezoid(y, x) == pytest.approx(said["metrics"]["gini"], abs=1e-12)
