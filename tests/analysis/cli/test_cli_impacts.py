"""``meanwatt impacts``: its JSON, its files, its page, and what it refuses."""

import json
import shlex
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from meanwatt.analysis.cli import main

QUICK = "--set battery_levels=5 --households 60 --days 4"


def as_json(arguments: str, capsys: pytest.CaptureFixture[str], *, status: int = 0) -> dict[str, Any]:
    assert main([*shlex.split(arguments), "--json"]) == status
    found = capsys.readouterr()
    assert found.err == ""
    assert found.out.count("\n") == 1
    result = json.loads(found.out, parse_constant=lambda name: pytest.fail(f"{name} is no strict JSON"))
    assert isinstance(result, dict)
    return result


def refused(arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(shlex.split(arguments)) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.count("\n") == 1
    return found.err.removeprefix("meanwatt: ").strip()


def test_the_json_holds_both_distributions_and_lifts_the_one_with_the_response(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = as_json(f"impacts flat rtp textbook {QUICK}", capsys)
    assert (found["a"], found["b"], found["outcome"], found["shown"]) == ("flat", "rtp", "converged", "with_response")
    assert found["customers"] == 60
    for key in ("change_usd_per_year", "winners_share", "groups", "revenue", "lorenz", "suits"):
        assert found[key] == found["with_response"][key]
    one, other = found["without_response"], found["with_response"]
    assert one["revenue"]["a"] == other["revenue"]["a"]
    gap = other["change_usd_per_year"]["mean"] - one["change_usd_per_year"]["mean"]
    assert found["response"]["mean_usd_per_year"] == pytest.approx(gap)
    assert {"mean", "p5", "p50", "p95"} <= found["change_usd_per_year"].keys()
    assert found["settings"]["households"] == 60


def test_the_same_seed_gives_the_same_numbers_and_another_one_others(capsys: pytest.CaptureFixture[str]) -> None:
    first, again, other = (
        as_json(f"impacts flat tou textbook {QUICK} --seed {seed}", capsys)["groups"] for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_a_directory_holds_the_page_the_customers_and_the_groups(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert main(shlex.split(f"impacts flat tou textbook {QUICK} --out {out}")) == 0
    shown = capsys.readouterr().out
    assert "What the response changes: with it less without it" in shown
    assert f"Report: {out / 'report.html'}" in shown
    result = json.loads((out / "impacts.json").read_text())
    customers = pq.read_table(out / "customers.parquet").to_pydict()
    assert len(customers["income"]) == 60
    total = sum(customers["with_response_bill_b_usd_per_year"])
    assert total == pytest.approx(result["revenue"]["b"])
    groups = pq.read_table(out / "groups.parquet").to_pydict()
    assert sum(groups["customers"]) == 60
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "change of the bill [USD a year]" in page
    assert "scenario textbook, from flat to tou" in page


def test_a_tariff_of_a_file_is_read_and_one_that_says_the_same_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('recovery = "volumetric"\nenergy_usd_per_kwh = 0.1\n[export]\nrule = "net_billing"\n')
    found = as_json(f"impacts {file} {file} textbook {QUICK}", capsys)
    assert set(found["change_usd_per_year"].values()) == {0.0}
    assert any(sentence.startswith("A and B are the same tariff, mine") for sentence in found["messages"])


def test_a_tariff_without_an_equilibrium_ends_with_status_one_and_says_why(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = as_json(f"impacts flat tou textbook {QUICK} --set tariff.adder_cap_usd_per_kwh=0.01", capsys, status=1)
    assert found["outcome"] == "no_revenue_adequate_tariff"
    assert found["message"].startswith("Tariff A, flat: ")
    assert found["change_usd_per_year"] is found["without_response"] is found["response"] is None


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("impacts flat tuo textbook", "tariff 'tuo'"),
        ("impacts flat tou textbok", "textbook"),
        ("impacts flat tou textbook --days 0", "--days is '0'; give"),
        ("impacts flat tou textbook --households x", "--households is 'x'; give"),
    ],
)
def test_what_cannot_be_used_is_one_line(arguments: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert line in refused(arguments, capsys)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("impacts flat tou", "whose bills? give a SCENARIO, such as oahu, or --meters FILE --format FILE.toml"),
        ("impacts flat tou textbook --meters m.csv", "SCENARIO textbook and --meters are both given; give one of them"),
        ("impacts heco_r heco_r --meters m.csv", "--meters needs --format FILE.toml, which says how"),
        (
            "impacts flat tou textbook --format f.toml",
            "--format is for --meters FILE, and for tariffs as filed; leave it out",
        ),
        (
            "impacts heco_r heco_r --meters m.csv --format f.toml --seed 1",
            "--seed is for a simulated population; leave it out with --meters",
        ),
        (
            "impacts heco_r flat oahu",
            "tariff heco_r is one as filed and the other is not; give two as filed, or two of",
        ),
        ("impacts heco_r heco_r --meters m.csv --format f.toml", "--format f.toml: file not found"),
        ("impacts heco_r heco_r oahu --days 3", "--days: tariffs as filed are billed over a whole year; leave it out"),
        ("impacts ofgem_cap heco_r oahu", "tariff ofgem_cap does not say how what is fed in is metered; give metering"),
    ],
)
def test_what_does_not_go_together_is_one_line(
    arguments: str, line: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert line in refused(arguments, capsys)


def test_households_answer_tariffs_as_filed_and_are_billed_by_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "tariff.toml"
    assert main(["tariffs", "pge_e_elec", "--to", str(file)]) == 0
    capsys.readouterr()
    found = as_json(
        f"impacts pge_e_elec {file} california --set battery_levels=5 --households 20 --out {tmp_path / 'run'}", capsys
    )
    assert set(found["change_usd_per_year"].values()) == {0.0}
    assert (found["shown"], found["customers"], found["tariff"]) == ("with_response", 20, "pge_e_elec")
    assert found["response"]["rms_usd_per_year"] == 0.0
    assert found["message"] == (
        "20 simulated households billed under both tariffs: the mean bill changes by +0.00 USD a year without a"
        " response and by +0.00 with it."
    )
    assert found["messages"][0] == (
        "A and B are tariffs as filed: bills are exact, and households decide by the rates that the scenario can say of"
        " them."
    )
    assert (tmp_path / "run" / "report.html").exists()
