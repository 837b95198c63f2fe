"""``meanwatt design --robust``: its JSON and tables, minimax, plain design of one variant, resuming, and refusals."""

import json
import shlex
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow.parquet as pq
import pytest
from family_files import BARE, WELFARE, families_of
from scenarios import preset_economy, preset_tariff

from meanwatt.analysis.cli import main
from meanwatt.analysis.cli.design_page import print_design
from meanwatt.analysis.design.design import Design, design, family_search
from meanwatt.analysis.design.robust import robust_design
from meanwatt.analysis.design.robust.regret_figure import regret_figure, regret_pictures
from meanwatt.analysis.design.robust.robust_design import RobustCommitment, robust_search
from meanwatt.analysis.design.robust.robust_result import robust_json, robust_messages
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.progress.watch import Progress, Watch
from meanwatt.model.scenario.files import parse_toml
from meanwatt.model.scenario.variants_file import variants_of_table

FAMILY = """
[free]
energy_usd_per_kwh.day = [0.0, 0.4]
energy_usd_per_kwh.peak = [0.0, 0.4]
[fixed]
recovery = "fixed"
[windows]
peak = { start = 17, width = 4 }
"""
VARIANTS = """
measure = "worst"
[[variants]]
name = "as it is"
weight = 3
[[variants]]
name = "low, then steep [/]"
weight = 1
set = { supply.coefficients = [0.0, 0.21] }
"""
"""The second is the worse one where rates are low. Its name would be markup in some terminals."""
SET = " ".join(f"--set {one}" for one in BARE)
DESIGN = f"design textbook --leader commission --weights equity=0 {SET} --no-cold"


def aims() -> LeaderSpec:
    economy = preset_economy("textbook", *BARE)
    return LeaderSpec(leader="commission", weights=WELFARE.weights, own_family=families_of(economy, FAMILY).first)


def run(text: str = VARIANTS, **how: object) -> Design:
    watch = how.pop("watch", None)
    search = robust_search(variants_of_table(parse_toml(text), "variants v.toml"), 40, **how)
    return design(
        preset_economy("textbook", *BARE), preset_tariff("textbook", "filed", *BARE), aims(), search=search, watch=watch
    )


@cache
def journalled() -> tuple[RobustCommitment, bytes]:
    """A run that nobody disturbed, and its journal."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "j.jsonl"
        commitment = run(journal=path).commitment
        assert isinstance(commitment, RobustCommitment)
        return commitment, path.read_bytes()


def found() -> RobustCommitment:
    return journalled()[0]


@pytest.fixture
def files(tmp_path: Path) -> str:
    (tmp_path / "family.toml").write_text(FAMILY, encoding="utf-8")
    (tmp_path / "v.toml").write_text(VARIANTS, encoding="utf-8")
    return f"{DESIGN} --family {tmp_path / 'family.toml'} --robust {tmp_path / 'v.toml'}"


def refused(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(shlex.split(command)) == 2
    heard = capsys.readouterr()
    assert heard.out == ""
    assert heard.err.count("\n") == 1
    return heard.err


@pytest.mark.parametrize("measure", ['"worst"', '"cvar"\nalpha = 0.4'])
def test_one_variant_is_the_plain_design(measure: str) -> None:
    economy = preset_economy("textbook", *BARE)
    families = families_of(economy, FAMILY)
    in_force = preset_tariff("textbook", "filed", *BARE)
    plain = design(economy, in_force, aims(), search=family_search(families, 40)).commitment
    robust = run(f"measure = {measure}\n[[variants]]\nweight = 1\n").commitment
    assert plain is not None
    assert isinstance(robust, RobustCommitment)
    assert robust.value == pytest.approx(plain.objective, abs=1e-7)
    assert robust.objective == pytest.approx(plain.objective, abs=1e-7)
    assert robust.value == pytest.approx(robust.bound, abs=1e-7)
    assert list(robust.parameters.values()) == pytest.approx(list(plain.parameters.values()), abs=2e-4)  # it is flat


def test_the_worst_case_obeys_minimax_and_beats_every_tariff_of_the_family() -> None:
    """max_a min_v J_v(a) ≤ min_v max_a J_v(a), and no row of the table is better than the robust one."""
    one = found()
    assert one.table is not None
    assert one.outcome is Outcome.CONVERGED
    assert one.value <= one.bound + 1e-7
    assert one.bound == one.table.best.min()
    for row in one.table.rows:
        if row.found_for is not None:
            assert row.value <= one.value + 1e-7
            assert (row.regret >= -1e-7).all()


def test_at_its_ends_cvar_is_the_mean_and_the_worst_case() -> None:
    ends = [run(VARIANTS.replace('"worst"', f'"cvar"\nalpha = {alpha}')).commitment for alpha in (0.0, 1.0)]
    mean, worst = ends
    assert isinstance(mean, RobustCommitment)
    assert isinstance(worst, RobustCommitment)
    assert worst.value == found().value
    assert mean.table is not None
    assert found().table is not None
    assert mean.value == pytest.approx(mean.table.robust.mean, abs=1e-12)
    assert mean.value >= found().table.robust.mean - 1e-7
    assert mean.table.robust.worst <= found().value + 1e-7
    assert "mean" in mean.message
    assert "worst case" in worst.message


def test_the_regret_table_holds_named_tariffs_own_commitments_and_the_robust_one() -> None:
    one = found()
    table = one.table
    assert table is not None
    names = [row.name for row in table.rows]
    own = ["commitment: as it is", "commitment: low, then steep [/]"]
    assert names[-3:] == [*own, "robust"]
    assert "filed" in names
    assert set(table.skipped) == {"two_part"}  # rtp under another name
    diagonal = [float(table.rows[-3 + place].regret[place]) for place in range(2)]
    assert diagonal == [0.0, 0.0]
    judge = aims().objective()
    assert table.robust.objective[0] == pytest.approx(judge(one.equilibrium), abs=1e-9)
    assert one.objective == judge(one.equilibrium)  # of the scenario as it is given
    charges = table.robust.fixed_charge_usd_per_day
    assert charges[0, 0] == pytest.approx(one.equilibrium.fixed_charge_usd_per_day, abs=1e-8)
    assert (charges[1] != charges[0]).all()


def test_a_search_that_a_rival_beats_is_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Own commitments that end at the first tariff tried are beaten by the robust one, and searched again from it."""
    true_commit, asked = robust_design.commit, []

    def lazy(problem: object, **how: object) -> object:
        asked.append(how["starts"])
        return true_commit(problem, **how | ({"evaluations_per_start": 1} if how["starts"] is None else {}))

    monkeypatch.setattr(robust_design, "commit", lazy)
    again = run().commitment
    assert isinstance(again, RobustCommitment)
    assert again.table is not None
    assert sum(starts is not None for starts in asked) >= 1
    assert again.value <= again.bound + 1e-7
    assert again.bound == pytest.approx(found().bound, abs=1e-5)


def test_the_object_has_every_number_and_the_messages_say_what_is_not_as_asked(
    files: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert main(shlex.split(f"{files} --json --out {out}")) == 0
    result = json.loads(capsys.readouterr().out)
    robust = result["robust"]
    assert robust["file"] == str(tmp_path / "v.toml")
    assert (robust["measure"], robust["alpha"]) == ("worst", 1.0)
    assert [one["weight"] for one in robust["variants"]] == [0.75, 0.25]
    assert robust["variants"][1]["set"] == {"supply.coefficients": [0.0, 0.21]}
    assert sum(robust["tail"]) == 1.0
    last = robust["tariffs"][-1]
    assert (last["tariff"], last["found_for"]) == ("robust", "")
    assert robust["objective"] == last["worst"] == last["measure"]
    for row in robust["tariffs"]:
        assert len(row["objective"]) == len(row["regret"]) == len(row["outcome"]) == 2
        assert row["largest_regret"] == max(row["regret"])
    assert result["objective"] == pytest.approx(last["objective"][0], abs=1e-9)
    said = " ".join(result["messages"])
    assert "add up to 4 and count as shares: as it is 0.75, low, then steep [/] 0.25" in said
    assert "two_part is not in the regret table: it is rtp under another name." in said
    assert "in each its fixed charges have the level that covers the cost there" in said
    written = pq.read_table(out / "regret.parquet").to_pydict()
    assert written["objective"][-2:] == last["objective"]
    assert written["tariff"][-1] == "robust"
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "What a tariff loses where it was not made for" in page
    assert "commitment: low, then steep [/]" in page
    assert not (tmp_path / "run.journal.jsonl").exists()
    print_design(result)
    assert "commitment: low, then steep [/]" in capsys.readouterr().out


def test_a_run_that_was_stopped_goes_on_to_the_same_last_digit(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    whole, journal = journalled()
    lines = journal.splitlines(keepends=True)
    assert len(lines) >= 4  # head, two own commitments, the robust one
    for kept in (1, len(lines) - 1):
        path.write_bytes(b"".join(lines[:kept]) + lines[kept][:40])  # the next line torn
        again = run(journal=path, resume=True).commitment
        assert robust_json(again) == robust_json(whole)
        assert path.read_bytes().splitlines(keepends=True) == lines


def test_a_journal_of_other_variants_or_of_another_family_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(journalled()[1])
    with pytest.raises(ValueError, match=r"holds the stages of an interrupted run; add --resume"):
        run(journal=path)
    with pytest.raises(ValueError, match=r"its variants had other numbers than now"):
        run(VARIANTS.replace("0.21", "0.22"), journal=path, resume=True)
    with pytest.raises(ValueError, match=r'its robust is "worst", now it is "cvar"'):
        run(VARIANTS.replace('"worst"', '"cvar"\nalpha = 0.5'), journal=path, resume=True)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b"parameters", b"parameter"))
    with pytest.raises(ValueError, match=r"line 2: is not stage 1; delete the file to start anew"):
        run(journal=path, resume=True)


def test_a_request_to_stop_is_told(tmp_path: Path) -> None:
    reports: list[Progress] = []
    stop_after = 2
    early = run(watch=Watch(progress=reports.append, cancelled=lambda: len(reports) > stop_after))
    assert (early.outcome, early.commitment) == (Outcome.CANCELLED, None)
    reports.clear()
    late = run(
        watch=Watch(progress=reports.append, cancelled=lambda: any("in all variants" in one.stage for one in reports))
    ).commitment
    assert isinstance(late, RobustCommitment)
    assert (late.outcome, late.table) == (Outcome.CANCELLED, None)
    assert robust_json(late)["tariffs"] == []
    assert "No regret table: stopped before." in robust_messages(late, aims().definition)
    assert regret_pictures(late, "USD per household-day") == []
    fractions = [one.fraction for one in reports if one.fraction is not None and "variant" in one.stage]
    assert fractions == sorted(fractions)


def test_the_figure_writes_every_regret_into_its_cell() -> None:
    one = found()
    assert one.table is not None
    figure = regret_figure(one, "USD per household-day")
    words = [text.get_text() for text in figure.axes[0].texts]
    assert len(words) == 2 * len(one.table.rows)
    assert words[-6] == "0"  # each variant's own commitment loses nothing there
    assert words[-3] == "0"
    assert words[0] == f"{100 * one.table.rows[0].regret[0]:.2f}"
    assert figure.axes[0].get_yticklabels()[-1].get_text() == "robust"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--method softmax", "--robust searches with full knowledge of every variant, and --method softmax does not"),
        ("--method feedback", "--robust searches with full knowledge of every variant, and --method feedback does"),
        ("--anneal", "--anneal cools the households of one scenario, and --robust has several; leave one of"),
        ("--resume", "--resume needs the --out DIR of the run to go on with"),
        ("--regret", "--regret belongs to the methods that learn"),
    ],
)
def test_what_does_not_go_together_is_one_line(
    option: str, message: str, files: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refused(f"{files} {option}", capsys)


def test_bad_variants_are_one_line_and_nothing_is_written(
    files: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "v.toml", tmp_path / "run"
    path.write_text(VARIANTS.replace("coefficients", "coeficients"), encoding="utf-8")
    told = refused(f"{files} --out {out}", capsys)
    assert told.startswith(f"meanwatt: variants {path}: variant low, then steep [/]: unknown key 'supply.coeficients'")
    path.unlink()
    assert f"variants {path}: file not found" in refused(f"{files} --out {out}", capsys)
    assert not out.exists()
    assert f"--resume: there is no journal {out}.journal.jsonl" in refused(
        f"{DESIGN} --robust {path} --out {out} --resume".replace(str(path), str(_written(path))), capsys
    )


def test_windows_of_several_places_are_refused(files: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "family.toml").write_text(FAMILY.replace("start = 17", "start = [16, 18]"), encoding="utf-8")
    assert "--robust takes windows that have one place" in refused(files, capsys)


def _written(path: Path) -> Path:
    path.write_text(VARIANTS, encoding="utf-8")
    return path


CLASSES = """
extends = "textbook"
battery_share_scale = 0
pv_share_scale = 0
default_tariff = "rtp"
[feeder]
name = "lv_rural"
[feeder.branches]
far = ["1-08", "2-08", "3-08", "4-08"]
[tariffs.local]
recovery = "fixed"
pass_through = 1.0
energy_usd_per_kwh = 0.02
branch_adder_usd_per_kwh = { far = 0.02 }
[rate_classes.poor]
tariff = "local"
income_groups = ["low"]
[tariffs.least]
recovery = "fixed"
pass_through = 1.0
energy_usd_per_kwh = 0.02
minimum_bill = { usd_per_month = 70.0 }
"""
"""A class on two branches of the feeder, and a tariff with a component that nobody is on."""
ONE = '[[variants]]\nname = "given"\n[[variants]]\nset = { supply.coefficients = [0.0, 0.2] }\n'


@pytest.mark.parametrize(
    ("options", "free", "names"),
    [
        ("", "rate_classes.poor.branch_adder_usd_per_kwh.far", ["default", "poor on rest", "poor on far"]),
        ("--tariff least", "minimum_bill.usd_per_month", ["default"]),
    ],
)
def test_classes_on_branches_and_components_have_their_own_row(
    options: str, free: str, names: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in (("s", CLASSES), ("f", f'[free]\n"{free}" = [0.0, 60.0]\n'), ("v", ONE)):
        (tmp_path / f"{name}.toml").write_text(text.replace("60.0]", "0.05]") if names[1:] else text, encoding="utf-8")
    given, out = f"{tmp_path / 's.toml'} {options}", tmp_path / "run"
    main(
        shlex.split(
            f"design {given} --leader commission --family {tmp_path / 'f.toml'} --robust {tmp_path / 'v.toml'}"
            f" --evaluations 1 --no-cold --json --out {out}"
        )
    )
    result = json.loads(capsys.readouterr().out)
    assert "least is not in the regret table" not in str(result["messages"])
    row = result["robust"]["tariffs"][-1]
    assert [one["name"] for one in row["rate_classes"]][: len(names)] == names
    assert row["fixed_charge_usd_per_day"] == row["rate_classes"][0]["fixed_charge_usd_per_day"]
    again = f"{out / 'scenario.toml'}" if names[1:] else f"{given[: given.index(' ')]} --tariff {out / 'tariff.toml'}"
    main(["solve", *shlex.split(again), "--json"])
    solved = json.loads(capsys.readouterr().out)
    assert row["fixed_charge_usd_per_day"][0] == pytest.approx(solved["fixed_charge_usd_per_day"], abs=1e-7)
    assert [one["fixed_charge_usd_per_day"][0] for one in row["rate_classes"]] == [
        pytest.approx(one["fixed_charge_usd_per_day"], abs=1e-7) for one in solved["rate_classes"]
    ]


def test_the_counts_of_the_tail_are_those_of_the_measure() -> None:
    one = found()
    assert one.table is not None
    tail = one.risk.tail(one.table.robust.objective)
    assert np.count_nonzero(tail) == 1
