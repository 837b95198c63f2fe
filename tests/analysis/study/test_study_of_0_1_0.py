"""Studies and searches that version 0.1.0 began: what it left on disk is gone on with, by hand here in its format."""

import io
import json
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scenarios import solved

from meanwatt.analysis.design.design import DesignProblem
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.analysis.learning.books import BooksKind
from meanwatt.analysis.learning.campaign import Learned, learning_search
from meanwatt.analysis.output.result_files import versions
from meanwatt.analysis.study.directory import MANIFEST, PARTS, RESULTS
from meanwatt.analysis.study.plan import plan_study
from meanwatt.analysis.study.plan_file import StudyError
from meanwatt.analysis.study.run import StudyOutcome, run_study

STUDY = """
scenario = "textbook"
measure = "solve"
[grid]
tariff = ["flat", "tou"]
"""
FILE = {
    "title": "",
    "scenario": "textbook",
    "tariff": None,
    "measure": "solve",
    "households": [],
    "replications": None,
    "days": None,
    "behaviour": None,
    "seed": 0,
    "set": {},
    "grid": {"tariff": ["flat", "tou"]},
    "latin_hypercube": None,
}
HASHES = {
    "scenarios_sha256": "7970c0b1d63dc491a529e5d83e8ae112",
    "tasks_sha256": "8a53116539e0db4c90b4765448e0572f",
}
ROW = {
    "task": 0,
    "identity": "54d1002e85a7ff3c427b67db4de5a529",
    "point": 0,
    "tariff": "flat",
    "households": None,
    "replication": None,
    "outcome": "converged",
    "message": "Converged: as version 0.1.0 said.",
    "error": None,
    "welfare_usd_per_household_day": -1.9989136669334269,
    "burden_gap": 0.03198152673714684,
}
"""Part of what that version wrote for the first task. The message is ours: it tells whose row this is."""


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """Folder of a study with one of two tasks done, and its file beside it."""
    (tmp_path / "study.toml").write_text(STUDY)
    folder = tmp_path / "out"
    (folder / PARTS).mkdir(parents=True)
    record = {"study": 1, "file": FILE, "versions": versions(), "tasks": 2, **HASHES}
    (folder / MANIFEST).write_text(json.dumps(record))
    content = io.BytesIO()
    pq.write_table(pa.table({name: pa.array([value]) for name, value in ROW.items()}), content)
    (folder / PARTS / f"{sha256(content.getvalue()).hexdigest()[:32]}.parquet").write_bytes(content.getvalue())
    return folder


def test_a_study_goes_on_and_its_rows_are_what_this_version_would_find(left: Path) -> None:
    done = run_study(plan_study(left.parent / "study.toml"), left, resume=True)
    assert (done.outcome, done.found, done.done) == (StudyOutcome.COMPLETE, 1, 2)
    table = pd.read_parquet(left / RESULTS)
    assert table["message"].tolist()[0] == ROW["message"]
    assert table["tariff"].tolist() == ["flat", "tou"]
    anew = run_study(plan_study(left.parent / "study.toml"), left.parent / "anew")
    whole = pd.read_parquet(left.parent / "anew" / RESULTS)
    for name in ("identity", "welfare_usd_per_household_day", "burden_gap"):
        for old, new in zip(table[name], whole[name], strict=True):
            assert old == (new if isinstance(new, str) else pytest.approx(new, rel=1e-12))
    assert anew.messages == ()
    assert len(done.messages) == 1
    assert done.messages[0].startswith("Columns that results found there did not have are empty in their rows: resid")
    assert "access_charge_revenue_usd_per_household_day" in done.messages[0]
    assert done.messages[0].endswith("; for numbers begin the study anew.")


def test_another_version_and_another_study_are_refused_each_with_what_to_do(left: Path) -> None:
    plan = plan_study(left.parent / "study.toml")
    record = json.loads((left / MANIFEST).read_text())
    for change, line in (
        ({"versions": {**record["versions"], "meanwatt": "0.0.9"}}, 'its meanwatt is "0.0.9".*; install that version'),
        ({"scenarios_sha256": "0" * 32}, 'its scenarios_sha256 is "0+".*; give that study'),
    ):
        (left / MANIFEST).write_text(json.dumps({**record, **change}))
        with pytest.raises(StudyError, match=f"^--out {left}: belongs to another study: {line}, or give another dir"):
            run_study(plan, left, resume=True)
        assert len(list((left / PARTS).iterdir())) == 1


def test_a_search_goes_on_from_its_journal(tmp_path: Path) -> None:
    head = {
        "journal": 1,
        "scenario": "textbook",
        "scenario_sha256": "d806e5f1a7650a7dd2b26ca01bdb1f798b624b3776aeaa207cae5d9fbbda6029",
        "tariff_in_force": "filed",
        "tariff_sha256": "d6160efc885c6ab1212ba5d62cdd3f075f5c82e1266cfea92d0a79f14bcb4a3c",
        "leader": "commission",
        "equity": 0.0,
        "stability": 1.0,
        "price_cap_usd_per_kwh": None,
        "method": "softmax",
        "evaluations": 2,
        "learner_seed": 0,
        "environment": "mean_field",
    }
    trial = {"metered_violation": 0.0, "violation": 0.0}
    first = {"told": -0.557, "metered": -0.557, "half_width": 0.421, "objective": -2.469}
    second = {"told": -0.524, "metered": -0.524, "half_width": 0.395, "objective": -2.44}
    lines = [
        head,
        {"trial": 1, "unit": [1.0, 0.5, 0.5, 1.0, 1.0], **first, **trial},
        {"trial": 2, "unit": [1.0, 0.4375, 0.5625, 0.9375, 1.0], **second, **trial},
    ]
    path = tmp_path / "run.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    base = solved("textbook", "filed")
    aims = LeaderSpec(leader="commission", weights={"equity": 0.0, "stability": 1.0})
    problem = DesignProblem(economy=base.economy, baseline=base, aims=aims)
    found = learning_search("softmax", evaluations=2, journal=path, resume=True, books=BooksKind.MODEL)(problem)
    assert isinstance(found, Learned)
    assert found.recommended[-1] == 1
    assert found.objective == pytest.approx(-2.439574959098221, rel=1e-9)  # as that version found it
