"""Studies: the file, the points, the rows, the directory."""

import json
import runpy
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from repository import ROOT

from meanwatt.analysis.cli import main
from meanwatt.analysis.study.directory import PARTS, RESULTS, StudyDirectory
from meanwatt.analysis.study.measure import measure
from meanwatt.analysis.study.plan import Plan, plan_study
from meanwatt.analysis.study.run import StudyOutcome, run_study
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.scenario.loading import load_scenario

SOLVE = """
scenario = "textbook"
measure = "solve"
[grid]
tariff = ["flat", "tou"]
temperature_usd = [0.03, 0.04, 0.05]
"""
SIMULATE = """
scenario = "textbook"
tariff = "tou"
measure = "simulate"
households = [40, 20]
replications = 2
days = 2
seed = 7
[set]
battery_levels = 11
[grid]
pv_scale = [1, 0.5]
"""


def written(tmp_path: Path, text: str, name: str = "study.toml") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, pd.DataFrame]:
    directory = tmp_path_factory.mktemp("simulated")
    plan = plan_study(written(directory, SIMULATE))
    done = run_study(plan, directory / "out")
    assert (done.outcome, done.done, done.refused) == (StudyOutcome.COMPLETE, 8, 0)
    return plan, pd.read_parquet(directory / "out" / RESULTS)


def test_every_point_size_and_replication_has_one_row(simulated: tuple[Plan, pd.DataFrame]) -> None:
    _, table = simulated
    keys = table[["pv_scale", "households", "replication"]].apply(tuple, axis=1).tolist()
    assert keys == [(pv, n, r) for pv in (1.0, 0.5) for n in (40, 20) for r in (0, 1)]
    assert table["task"].tolist() == list(range(8))
    assert table["identity"].is_unique
    assert (table["outcome"] == "converged").all()


def test_a_row_is_the_market_that_anybody_can_run(simulated: tuple[Plan, pd.DataFrame]) -> None:
    """Replication r of a study with seed s is a market with the key (s, r), whatever its size and point."""
    _, table = simulated
    row = table[(table["pv_scale"] == 0.5) & (table["households"] == 20) & (table["replication"] == 1)].iloc[0]
    market = ProsumerMarket(
        load_scenario("textbook", overrides={"battery_levels": 11, "pv_scale": 0.5}, tariff="tou"),
        households=20,
        behaviour="equilibrium",
        rng=(7, 1),
    )
    for _ in range(2):
        market.step()
    load = market.history.stacked("net_load_kw")
    assert row["peak_to_average"] == pytest.approx(load.max() / load.mean(), rel=1e-12)
    assert row["mean_wholesale_usd_per_kwh"] == pytest.approx(
        market.history.stacked("wholesale_usd_per_kwh").mean(), rel=1e-12
    )


def test_a_validating_study_measures_the_distance_to_the_mean_field(tmp_path: Path) -> None:
    text = (
        SIMULATE.replace('"simulate"', '"validate"')
        .replace("[40, 20]", "[20, 2000]")
        .replace("pv_scale = [1, 0.5]", "")
    )
    plan = plan_study(written(tmp_path, text))
    run_study(plan, tmp_path / "out")
    rms = pd.read_parquet(tmp_path / "out" / RESULTS).groupby("households")["rms_net_load_kw"].mean()
    assert rms[20] > 3 * rms[2000] > 0  # a factor of ten in the mean


def test_points_of_a_hypercube_fill_every_range_evenly_and_are_the_seeds(tmp_path: Path) -> None:
    text = """
    scenario = "textbook"
    measure = "solve"
    seed = 3
    [grid]
    tariff = ["flat", "tou"]
    [latin_hypercube]
    points = 16
    [latin_hypercube.range]
    temperature_usd = [0.01, 0.16, "log"]
    elasticity = [0.0, 0.32]
    battery_levels = [11, 26]
    """
    plan = plan_study(written(tmp_path, text))
    assert len(plan.points) == len(plan.tasks) == 32
    cube = pd.DataFrame(plan.points[:16])
    assert plan.points[16:] == tuple({**point, "tariff": "tou"} for point in plan.points[:16])
    assert sorted((np.log2(cube["temperature_usd"] / 0.01) * 4).astype(int)) == list(range(16))
    assert sorted((cube["elasticity"] * 50).astype(int)) == list(range(16))
    assert cube["battery_levels"].dtype == int
    assert cube["battery_levels"].between(11, 26).all()
    assert plan_study(written(tmp_path, text)).points == plan.points
    assert plan_study(written(tmp_path, text.replace("seed = 3", "seed = 4"))).points != plan.points


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (('scenario = "textbook"', 'scenario = "textbok"'), "unknown preset 'textbok'; did you mean 'textbook'?"),
        (('measure = "simulate"', 'measure = "simulte"'), "measure is 'simulte'; give solve, simulate or validate"),
        (("seed = 7", "sede = 7"), "unknown key 'sede'; did you mean 'seed'?"),
        (("seed = 7", "seed = -1"), "seed is -1; give a whole number from 0 to 9223372036854775807"),
        (("[40, 20]", "[40, 0]"), "households is [40, 0]; give a whole number from 1 to 1000000000 each"),
        (("[40, 20]", "[40, 40]"), "households is [40, 40]; give every number once"),
        (("households = [40, 20]", ""), "households is missing; measure simulate wants a list, e.g. [100, 1000]"),
        (
            ('"simulate"', '"solve"'),
            "replications is given, but measure solve has no finite market; leave replications",
        ),
        (("days = 2", 'days = 2\nbehaviour = "blief"'), "unknown behaviour 'blief'; did you mean 'belief'?"),
        (("[1, 0.5]", "0.5"), "grid.pv_scale is 0.5; give a list of at least one value, e.g. [0.1, 0.2]"),
        (("[1, 0.5]", "[0.5, 0.5]"), "grid.pv_scale is [0.5, 0.5]; give every value once"),
        (("[1, 0.5]", "[1, 1.0]"), "points 0 and 1 are the same scenario"),
        (("pv_scale", "pv_scal"), "point 0: scenario textbook: unknown key 'pv_scal'; did you mean 'pv_scale'?"),
        (("[1, 0.5]", "[1, -1]"), "point 1: scenario textbook: pv_scale is -1; give 0, or a number from 1e-06"),
        (("pv_scale = [1, 0.5]", "battery_levels = [11]"), "set.battery_levels and grid.battery_levels are both given"),
        (("pv_scale = [1, 0.5]", 'tariff = ["flat"]'), "tariff and grid.tariff are both given; give one of them"),
        (
            ("[grid]", "[latin_hypercube]\npoints = 3\nrange.elasticity = [0.2, 0.1]\n[grid]"),
            "latin_hypercube.range.elasticity is [0.2, 0.1]; give a low bound below the high one",
        ),
        (
            ("[grid]", "[latin_hypercube]\npoints = 3\nrange.elasticity = [0.1]\n[grid]"),
            'latin_hypercube.range.elasticity is [0.1]; give [low, high] or [low, high, "log"]',
        ),
        (("replications = 2", "replications = 0"), "replications is 0; give a whole number from 1 to 100000"),
        (("seed = 7", "seed = "), "not valid TOML"),
    ],
)
def test_a_mistake_in_the_file_is_told_in_one_line(
    change: tuple[str, str], line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert change[0] in SIMULATE
    path = written(tmp_path, SIMULATE.replace(*change, 1))
    assert main(["study", str(path), "--out", str(tmp_path / "out"), "--workers", "0"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert f"study {path}: " in said.err
    assert line in said.err
    assert not (tmp_path / "out").exists()


def test_a_scenario_that_makes_no_market_is_a_row_that_says_so(tmp_path: Path) -> None:
    plan = plan_study(written(tmp_path, SIMULATE))
    broken = plan.tasks[0].scenario_json.replace('"textbook_line_5"', '"no_such_feeder"')
    task = type(plan.tasks[0])(
        **{name: getattr(plan.tasks[0], name) for name in plan.tasks[0].__slots__} | {"scenario_json": broken}
    )
    row = measure(task)
    assert row["outcome"] == "refused"
    assert "\n" not in row["message"]


def test_tariffs_that_a_study_cannot_hold_are_told_in_a_line_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        'scenario = "textbook"\nmeasure = "solve"\n[set]\nbattery_levels = 4\n'
        '[grid]\n"tariff.minimum_bill.usd_per_month" = [0.0, 10.0, 20.0]\n'
    )
    command = ["study", str(written(tmp_path, text)), "--out", str(tmp_path / "out"), "--workers", "0", "--json"]
    assert main(command) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["tasks"], said["refused"]) == (3, 2)
    (reason,) = [line for line in said["messages"] if line.startswith("Refused")]
    assert reason.startswith("Refused, 2 tasks: scenario textbook: tariff flat has minimum_bill, which only solve,")


@pytest.fixture(scope="module")
def solving(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A study's file, and the table of its undisturbed run."""
    directory = tmp_path_factory.mktemp("solving")
    path = written(directory, SOLVE)
    run_study(plan_study(path), directory / "whole")
    return path, (directory / "whole" / RESULTS).read_bytes()


def test_a_cancelled_study_keeps_what_is_done_and_goes_on(solving: tuple[Path, bytes], tmp_path: Path) -> None:
    path, whole = solving
    plan, told = plan_study(path), []

    def tell(text: str, share: float) -> None:
        told.append((text, share))

    done = run_study(plan, tmp_path, told=tell, cancelled=lambda: len(told) >= 2)
    assert (done.outcome, done.done) == (StudyOutcome.CANCELLED, 2)
    assert done.message == f"Cancelled with 2 of 6 tasks in {tmp_path}; add --resume to go on."
    assert told == [("1 of 6 tasks", pytest.approx(1 / 6)), ("2 of 6 tasks", pytest.approx(1 / 3))]
    assert len(pd.read_parquet(tmp_path / PARTS)) == 2  # readable while the study is under way
    told.clear()
    again = run_study(plan, tmp_path, resume=True, told=tell)
    assert (again.outcome, again.found, again.done) == (StudyOutcome.COMPLETE, 2, 6)
    assert [text for text, _ in told] == [f"{k} of 6 tasks" for k in (3, 4, 5, 6)]  # none is run twice
    assert (tmp_path / RESULTS).read_bytes() == whole
    assert not (tmp_path / PARTS).exists()


def test_the_order_in_which_rows_come_leaves_no_trace(solving: tuple[Path, bytes], tmp_path: Path) -> None:
    path, whole = solving
    plan = plan_study(path)
    rows = [measure(task) for task in plan.tasks]
    with StudyDirectory(tmp_path, plan, resume=False) as kept:
        for batch in ([5, 1], [0], [4, 3, 2], [3, 1]):  # the last ones came twice
            kept.append([rows[k] for k in batch])
        kept.finish()
    assert (tmp_path / RESULTS).read_bytes() == whole


@pytest.mark.parametrize("spoil", ["cut", "bit", "unfinished"])
def test_a_torn_file_counts_for_nothing_and_is_done_again(
    spoil: str, solving: tuple[Path, bytes], tmp_path: Path
) -> None:
    path, whole = solving
    plan, calls = plan_study(path), iter(range(100))
    run_study(plan, tmp_path, cancelled=lambda: next(calls) == 3)
    part = sorted((tmp_path / PARTS).glob("*.parquet"))[1]
    content = bytearray(part.read_bytes())
    if spoil == "cut":
        part.write_bytes(content[: len(content) // 2])
    elif spoil == "bit":
        content[len(content) // 3] ^= 1
        part.write_bytes(content)
    else:
        part.rename(part.with_name(f".unfinished-{part.name}"))
    again = run_study(plan, tmp_path, resume=True)
    assert (again.found, again.done) == (2, 6)
    assert (tmp_path / RESULTS).read_bytes() == whole


def test_a_directory_is_for_one_study(
    solving: tuple[Path, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, _ = solving
    out = tmp_path / "out"
    command = ["study", str(path), "--workers", "0", "--out", str(out)]
    assert main([*command, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["compile_seconds"] >= 0
    assert (said["outcome"], said["tasks"], said["found"], said["done"], said["points"]) == ("complete", 6, 0, 6, 6)
    assert main(command) == 2
    assert capsys.readouterr().err == (
        f"meanwatt: --out {out}: holds a study; add --resume to go on, or give another directory\n"
    )
    assert main([*command, "--resume"]) == 0  # nothing left to do
    assert f"6 tasks are in {out / RESULTS}" in capsys.readouterr().out
    other = written(tmp_path, SOLVE.replace("0.05", "0.06"))
    assert main(["study", str(other), "--workers", "0", "--out", str(out), "--resume"]) == 2
    assert "belongs to another study: its grid is " in capsys.readouterr().err
    record = json.loads((out / "study.json").read_text())
    record["versions"]["numpy"] = "1.0"
    (out / "study.json").write_text(json.dumps(record))
    assert main([*command, "--resume"]) == 2
    assert 'belongs to another study: its numpy is "1.0", now it is' in capsys.readouterr().err
    shutil.rmtree(out)
    out.mkdir()
    (out / "thesis.tex").touch()
    assert main(command) == 2
    assert f"--out {out}: holds thesis.tex, which is of no study; give a new directory" in capsys.readouterr().err


def test_the_example_of_the_guide_runs(tmp_path: Path) -> None:
    """On a small size: fewer households, days and replications."""
    example = ROOT / "docs" / "examples" / "study.toml"
    text = example.read_text()
    for long, short in (
        ("households = [100, 1000, 10000]", "households = [50]"),
        ("days = 28", "days = 1"),
        ("replications = 10", "replications = 1"),
    ):
        assert long in text
        text = text.replace(long, short)
    done = run_study(plan_study(written(tmp_path, text)), tmp_path / "out")
    assert done.outcome is StudyOutcome.COMPLETE
    assert done.refused == 0
    table = pd.read_parquet(tmp_path / "out" / RESULTS)
    assert table.groupby(["tariff", "battery_share_scale"])["peak_to_average"].mean().notna().all()
    drawn = runpy.run_path(str(example.with_name("study_figure.py")))
    drawn["draw"](tmp_path / "out" / RESULTS, tmp_path / "study.png")
    assert (tmp_path / "study.png").stat().st_size > 10_000


BY_GROUP = """
scenario = "textbook"
tariff = "flat"
measure = "solve"
[set]
"""


@pytest.mark.parametrize(
    "written_as",
    [
        '"tariff.discount" = {low = 0.3, middle = 0.1, high = 0.0}',
        "tariff.discount = {low = 0.3, middle = 0.1, high = 0.0}",
        "[set.tariff.discount]\nlow = 0.3\nmiddle = 0.1\nhigh = 0.0",
    ],
)
def test_a_study_sets_a_table_by_income_group_as_the_command_line_does(written_as: str, tmp_path: Path) -> None:
    plan = plan_study(written(tmp_path, BY_GROUP + written_as))
    override = "tariff.discount={low=0.3, middle=0.1, high=0.0}"
    assert json.loads(plan.tasks[0].scenario_json) == json.loads(
        load_scenario("textbook", overrides=[override], tariff="flat").model_dump_json()
    )


def test_a_table_of_values_changes_the_entries_it_names_as_where_a_file_extends_another(tmp_path: Path) -> None:
    plan = plan_study(written(tmp_path, BY_GROUP.replace('"flat"', '"filed"') + "tariff.energy_usd_per_kwh.peak = 0.5"))
    energy = json.loads(plan.tasks[0].scenario_json)["tariffs"]["filed"]["energy_usd_per_kwh"]
    before = load_scenario("textbook").tariffs["filed"].energy_usd_per_kwh
    assert energy == {**before, "peak": 0.5}


@pytest.mark.parametrize("other", ["discount.low = [0.1, 0.2]", "discount = [0.1, 0.2]"])
def test_a_table_that_is_set_is_not_varied_in_part(other: str, tmp_path: Path) -> None:
    text = f"{BY_GROUP}tariff.discount = {{low = 0.3, middle = 0.1, high = 0.0}}\n[grid]\ntariff.{other}"
    with pytest.raises(ValueError, match=r"set\.tariff\.discount and grid\.tariff\.discount(\.low)? are both given"):
        plan_study(written(tmp_path, text))


def test_columns_of_curtailed_and_unmet_energy_are_null_where_nobody_has_what_they_are_about(tmp_path: Path) -> None:
    """Nobody drives in the textbook; with [ev] the columns are those of solve and simulate."""
    car = "\n[set]\nbattery_levels = 5\nincome_groups.high.ev_share = 0.5\n"
    car += "ev.trip_kwh = 40\nev.levels = 41\nev.power_limit_kw = 2\n"
    names = ["curtailed_kwh_per_household_day", "unmet_trip_kwh_per_household_day"]
    for measured, size in (("solve", ""), ("simulate", "\nhouseholds = [20]\ndays = 1")):
        rows = []
        for name, more in (("plain", ""), ("cars", car)):
            text = f'scenario = "textbook"\nmeasure = "{measured}"{size}{more}'
            plan = plan_study(written(tmp_path, text, f"{measured}_{name}.toml"))
            rows.append(measure(plan.tasks[0]))
        assert all(set(names) <= row.keys() for row in rows)
        assert rows[0][names[1]] is None
        assert rows[0][names[0]] >= 0
        assert rows[1][names[1]] > 0, "2 kW in 14 hours at home are less than 40 kWh"
