"""A search over windows goes on where it was interrupted, and ends as if it never had been, to the last bit."""

import json
import shlex
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from family_files import BARE, PEAK, textbook_families
from scenarios import preset_economy, solved

from meanwatt.analysis.cli import main
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.analysis.learning.window_journal import WindowJournal
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.mean_field.leader.leader_problem import LeaderProblem
from meanwatt.model.mean_field.leader.window_search import WindowCommitment, WindowRecord, commit_windows
from meanwatt.model.mean_field.leader.window_stage import WindowStage
from meanwatt.model.progress.watch import Watch

TEXT = PEAK.replace("[15, 19], width = [3, 5]", "[16, 18], width = 4")
WELFARE = LeaderSpec(leader="commission", weights={"equity": 0.0, "stability": 0.0})
SEARCH = "design textbook --leader commission --weights equity=0 --no-cold " + " ".join(f"--set {one}" for one in BARE)


def search(record: WindowRecord, *, bounded: bool, watch: Watch | None = None) -> WindowCommitment:
    economy = preset_economy("textbook", *BARE)
    return commit_windows(
        textbook_families(TEXT, *BARE),
        lambda family: LeaderProblem(economy, family, WELFARE.objective()),
        solved("textbook", "flat", *BARE),
        bounded=bounded,
        record=record,
        watch=watch,
    )


@cache
def whole(*, bounded: bool) -> tuple[WindowCommitment, tuple[WindowStage, ...]]:
    """A search that was never interrupted, and what it told of every combination."""
    stages: list[WindowStage] = []
    return search(WindowRecord(kept=stages.append), bounded=bounded), tuple(stages)


def journal(
    path: Path, stages: tuple[WindowStage, ...] = (), *, resume: bool = False, **settings: int
) -> WindowJournal:
    """A journal on disk with these combinations."""
    with WindowJournal(path, {"evaluations": 1} | settings, resume=resume) as kept:
        for one in stages:
            kept.append(one)
    return kept


def numbers(found: WindowCommitment) -> list:
    """Everything that a search finds, but its time."""
    trials = [(one.parameters.tolist(), one.objective, one.violation) for one in found.trials]
    return [
        found.parameters,
        found.objective,
        found.outcome,
        found.message,
        found.windows,
        found.trial_combination,
        found.pruned,
        trials,
        [(one.windows, one.objective, one.bound, one.evaluations, one.searched) for one in found.combinations],
        found.equilibrium.net_load_kw.tolist(),
        found.equilibrium.wholesale_usd_per_kwh.tolist(),
    ]


@pytest.mark.parametrize("bounded", [True, False])
def test_from_every_cut_it_ends_as_if_never_interrupted(bounded: bool, tmp_path: Path) -> None:
    found, stages = whole(bounded=bounded)
    assert len(stages) == (3 if not bounded else found.searched)
    for cut in range(1, len(stages) + 1):
        path = tmp_path / f"{cut}.jsonl"
        journal(path, stages[:cut])
        with path.open("ab") as file:
            file.write(b'{"combination": 99, "pla')  # torn by a crash
        read = journal(path, resume=True)
        further: list[WindowStage] = []
        again = search(WindowRecord(done=tuple(read.parts), kept=further.append), bounded=bounded)
        assert numbers(again) == numbers(found)
        assert [one.place for one in further] == [one.place for one in stages[cut:]]


def test_stopped_right_after_it_goes_on_the_best_on_record_is_what_there_is() -> None:
    _, stages = whole(bounded=False)
    asked = 0

    def soon() -> bool:
        nonlocal asked
        asked += 1
        return asked > 4

    found = search(WindowRecord(done=stages[:2]), bounded=False, watch=Watch(cancelled=soon))
    assert found.outcome is Outcome.CANCELLED
    best = max((one for one in stages[:2] if one.objective is not None), key=lambda one: one.objective or 0.0)
    assert found.objective == pytest.approx(best.objective, abs=1e-9)
    assert best.parameters is not None
    assert list(found.parameters.values()) == pytest.approx(best.parameters.tolist(), abs=1e-12)


def test_a_record_of_another_search_is_refused(tmp_path: Path) -> None:
    _, stages = whole(bounded=False)
    with pytest.raises(ValueError, match=r"^the record of combinations is of another search; begin anew$"):
        search(WindowRecord(done=stages[1:]), bounded=False)
    path = tmp_path / "j.jsonl"
    journal(path, stages)
    with pytest.raises(ValueError, match=r"holds the combinations of an interrupted run; add --resume to go on"):
        journal(path)
    with pytest.raises(ValueError, match=r"belongs to another run: its evaluations is 1, now it is 2"):
        journal(path, resume=True, evaluations=2)
    lines = path.read_text(encoding="utf-8").splitlines()
    broken = json.loads(lines[1]) | {"net_load_kw": None}
    path.write_text("\n".join([lines[0], json.dumps(broken), ""]), encoding="utf-8")
    with pytest.raises(ValueError, match=r"line 2: is not combination 1; delete the file to start anew"):
        journal(path, resume=True)


def test_a_combination_without_a_feasible_tariff_comes_back_as_such(tmp_path: Path) -> None:
    from meanwatt.model.mean_field.leader.window_stage import infeasible

    journal(tmp_path / "j.jsonl", (infeasible(2, "no tariff of the family was feasible"),))
    (read,) = journal(tmp_path / "j.jsonl", resume=True).parts
    assert (read.place, read.objective, read.parameters, read.net_load_kw) == (2, None, None, None)
    assert read.error == "no tariff of the family was feasible"


def test_the_command_goes_on_and_finds_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "family.toml").write_text(TEXT, encoding="utf-8")
    command = f"{SEARCH} --family {tmp_path / 'family.toml'}"
    out = tmp_path / "run"
    assert main(shlex.split(f"{command} --json")) == 0
    once = json.loads(capsys.readouterr().out)
    append = WindowJournal.append

    def killed(self: WindowJournal, part: WindowStage) -> None:
        append(self, part)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(WindowJournal, "append", killed)
        assert main(shlex.split(f"{command} --out {out}")) == 1
    record = tmp_path / "run.journal.jsonl"
    assert record.exists()
    assert not out.exists()
    capsys.readouterr()
    assert main(shlex.split(f"{command} --out {out}")) == 2
    assert "holds the combinations of an interrupted run; add --resume to go on" in capsys.readouterr().err
    assert main(shlex.split(f"{command} --evaluations 9 --out {out} --resume")) == 2
    assert "belongs to another run: its evaluations is 100, now it is 9" in capsys.readouterr().err
    assert main(shlex.split(f"{command} --out {out} --resume --json")) == 0
    again = json.loads(capsys.readouterr().out)
    assert not record.exists()
    for result in (once, again):
        for key in ("seconds", "compile_seconds", "settings"):
            result.pop(key)
    assert again == once
    assert np.isfinite(again["objective"])
    assert main(shlex.split(f"{command} --resume")) == 2
    assert "--resume needs the --out DIR of the run to go on with" in capsys.readouterr().err
    assert main(shlex.split(f"{command} --out {out} --resume")) == 2
    assert f"--resume: there is no journal {record} to go on from" in capsys.readouterr().err
