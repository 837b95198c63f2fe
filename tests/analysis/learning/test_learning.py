"""A leader who learns: what it recommends, how its journal survives, and ``meanwatt design --method softmax``."""

import json
import re
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from scenarios import preset_economy, preset_tariff, solved

from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.cli import main
from meanwatt.analysis.cli.design_methods import DAYS, EVALUATIONS, HOUSEHOLDS, LEARNING
from meanwatt.analysis.design.design import EVALUATIONS_PER_START, DesignProblem, commitment_search, design
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.analysis.learning import campaign
from meanwatt.analysis.learning.campaign import (
    Learned,
    finite_market,
    learn,
    learning_search,
    recommendations,
    try_tariffs,
)
from meanwatt.analysis.learning.curves import learning_curves, regret, regret_band
from meanwatt.analysis.learning.environment import Environment, MarketEnvironment, MeanFieldEnvironment, Posted
from meanwatt.analysis.learning.journal import Journal, Tried
from meanwatt.analysis.learning.learners import LEARNERS
from meanwatt.analysis.learning.response_learner import ResponseMatrixLearner
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome
from meanwatt.model.mean_field.leader.commitment import Commitment
from meanwatt.model.mean_field.leader.concepts import ROUNDS
from meanwatt.model.progress.watch import Progress, Watch

COMMISSION = LeaderSpec(leader="commission", weights={"equity": 1.0, "stability": 1.0})
LEVELS = "battery_levels=5"
UTILITY = LeaderSpec(leader="utility", price_cap_usd_per_kwh=1.5 * 0.185)


@pytest.fixture(autouse=True)
def _few_forecasts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of how many tariffs the response matrix takes its next one is nothing that is stated here."""
    monkeypatch.setattr(ResponseMatrixLearner, "FIRST_SAMPLES", 6)
    monkeypatch.setattr(ResponseMatrixLearner, "LATER_SAMPLES", 4)
    monkeypatch.setattr(ResponseMatrixLearner, "ROUNDS", 2)


def in_force() -> Equilibrium:
    return solved("textbook", "filed", LEVELS)


def problem(aims: LeaderSpec, **changes: Any) -> DesignProblem:
    base = in_force()
    return DesignProblem(economy=base.economy, aims=aims, baseline=base, **changes)


def run(aims: LeaderSpec, method: str = "softmax", evaluations: int = 20, **options: Any) -> Learned:
    found = learning_search(method, evaluations=evaluations, **options)(problem(aims))
    assert isinstance(found, Learned)
    return found


def tried(
    trial: int, told: float, violation: float = 0.0, metered: float | None = 0.0, unit: float | None = None
) -> Tried:
    return Tried(
        trial=trial,
        unit=(trial / 100 if unit is None else unit,),
        told=told,
        metered=metered,
        half_width=0.0,
        metered_violation=None if metered is None else violation,
        objective=told,
        violation=violation,
    )


# What is learned


@pytest.fixture(scope="module")
def commission() -> Learned:
    return run(COMMISSION, evaluations=60)


@pytest.fixture(scope="module")
def utility() -> Learned:
    return run(UTILITY, evaluations=100)


@pytest.fixture(scope="module")
def monopoly() -> Commitment:
    return commitment_search()(problem(UTILITY))


def test_the_utility_learns_the_commitment_from_its_own_books(utility: Learned, monopoly: Commitment) -> None:
    assert all(one.metered == pytest.approx(one.objective, abs=1e-9) for one in utility.tried)
    assert regret(utility, monopoly) == pytest.approx(0.0, abs=0.01 * monopoly.objective)
    assert utility.equilibrium.rates.import_usd_per_kwh.max() <= 1.5 * 0.185 + 1e-6


def test_the_commission_improves_on_the_tariff_in_force_without_seeing_welfare(commission: Learned) -> None:
    judge = COMMISSION.objective()
    before = judge(in_force())
    best = commitment_search(40)(problem(COMMISSION))
    assert commission.objective > before + 0.5 * (best.objective - before)
    assert regret(commission, best) >= -1e-3
    assert commission.objective == pytest.approx(judge(commission.equilibrium), abs=1e-12)
    assert commission.equilibrium.surplus_usd_per_household_day == pytest.approx(0.0, abs=1e-9)


def test_the_recommended_tariff_is_the_best_metered_one(commission: Learned) -> None:
    assert len(commission.tried) == len(commission.trials) == len(commission.recommended) == 60
    told = [one.told for one in commission.tried]
    assert commission.recommended[-1] == int(np.argmax(told))
    best_so_far = [told[place] for place in commission.recommended]
    assert best_so_far == np.maximum.accumulate(told).tolist()
    unit = commission.tried[commission.recommended[-1]].unit
    family = commission.trials[commission.recommended[-1]].parameters
    assert list(commission.parameters.values()) == family.tolist()
    assert len(unit) == 5
    assert commission.message.startswith("All 60 tariffs tried: the tariff recommended meters ")
    assert commission.outcome is Outcome.CONVERGED


def test_a_tariff_posted_again_counts_with_the_mean_of_what_it_was_told_and_stands_where_it_was_last() -> None:
    history = [tried(1, 1.0), tried(2, 3.0, unit=0.7), tried(3, -2.0, unit=0.7), tried(4, 2.5, unit=0.7)]
    assert recommendations(history) == (0, 1, 0, 3)


def test_a_tariff_above_the_cap_or_without_equilibrium_is_never_recommended() -> None:
    history = [tried(1, 9.0, violation=0.1), tried(2, 5.0, metered=None), tried(3, 1.0), tried(4, 2.0), tried(5, 1.5)]
    assert recommendations(history) == (-1, -1, 2, 3, 3)


def test_no_tariff_below_the_cap_is_told() -> None:
    with pytest.raises(ValueError, match="no tariff of the family was feasible"):
        run(replace(UTILITY, price_cap_usd_per_kwh=1e-6), evaluations=6)


class Unsettled(MeanFieldEnvironment):
    """An environment in which every third tariff brings no equilibrium."""

    def post(self, tariff: Tariff, trial: int) -> Posted:  # noqa: D102
        posted = super().post(tariff, trial)
        return posted if trial % 3 else replace(posted, reading=None)


def test_a_tariff_without_equilibrium_counts_as_worse_than_all_before() -> None:
    found = learn(problem(COMMISSION), Unsettled(in_force()), method="cma", evaluations=7, seed=0)
    told = [one.told for one in found.tried]
    for place in (2, 5):
        assert (found.tried[place].metered, found.tried[place].objective) == (None, None)
        assert told[place] == min(told[:place]) - campaign.NO_EQUILIBRIUM_USD
    assert found.recommended[-1] not in (2, 5)


class Masked(MeanFieldEnvironment):
    """True meters, and a false truth behind them."""

    def post(self, tariff: Tariff, trial: int) -> Posted:  # noqa: D102
        return Posted(reading=super().post(tariff, trial).reading, truth=in_force())


def test_a_learner_is_told_nothing_but_the_meters(commission: Learned) -> None:
    found = learn(problem(COMMISSION), Masked(in_force()), method="softmax", evaluations=60, seed=0)
    assert [(one.unit, one.told) for one in found.tried] == [(one.unit, one.told) for one in commission.tried]
    assert {one.objective for one in found.tried} == {COMMISSION.objective()(in_force())}


def test_a_finite_market_teaches_the_same_to_its_noise() -> None:
    base = in_force()

    def told_in(environment: Environment) -> list[float]:
        found = try_tariffs(problem(COMMISSION), environment, method="softmax", evaluations=6, seed=2)
        return [one.told for one in found]

    first, again, other = (told_in(MarketEnvironment(base, households=400, days=7, seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert not set(first) & set(other)
    exact = told_in(MeanFieldEnvironment(base))
    assert first == pytest.approx(exact, abs=0.01)
    assert first != exact


# Learning curves


def test_learning_curves_are_tidy_and_their_band_holds_the_median(monopoly: Commitment) -> None:
    best = monopoly
    done: list[float] = []
    given = problem(UTILITY, watch=Watch(progress=lambda report: done.append(report.fraction)))
    table = learning_curves(given, methods=("softmax", "cma"), seeds=(0, 1), evaluations=9, commitment=best)
    assert done == [0.25, 0.5, 0.75, 1.0]
    assert list(table) == ["method", "seed", "evaluation", "metered", "objective", "recommended_objective", "regret"]
    assert table.groupby(["method", "seed"])["evaluation"].apply(list).tolist() == [list(range(1, 10))] * 4
    known = table.dropna()
    assert np.allclose(known["regret"], best.objective - known["recommended_objective"])
    for _, rows in known.groupby(["method", "seed"]):
        assert (rows["regret"].diff().dropna() <= 1e-9).all()  # meters are exact here: regret never rises
    band = regret_band(table)
    assert len(band) == 18
    assert (band["low"] <= band["median"]).all()
    assert (band["median"] <= band["high"]).all()


# The journal


def short(aims: LeaderSpec, method: str, path: Path, **options: Any) -> Learned:
    return run(aims, method, 12, journal=path, **options)


def content(found: Learned) -> tuple[Any, ...]:
    return found.tried, found.recommended, found.objective, found.parameters, found.message


@pytest.mark.parametrize("method", LEARNING)
def test_a_run_goes_on_from_any_trial_as_if_nothing_had_happened(method: str, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    whole = short(COMMISSION, method, path)
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == 13
    for kept in (1, 6, 13):
        path.write_bytes(b"".join(lines[:kept]) + b'{"trial": 9, "un')  # a crash tore the line
        assert content(short(COMMISSION, method, path, resume=True)) == content(whole)
        assert path.read_bytes().splitlines(keepends=True) == lines


def test_what_is_on_record_is_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.jsonl"
    short(COMMISSION, "softmax", path)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:11]))
    posted: list[int] = []
    true_post = MeanFieldEnvironment.post

    def spy(self: MeanFieldEnvironment, tariff: Tariff, trial: int) -> Posted:
        posted.append(trial)
        return true_post(self, tariff, trial)

    monkeypatch.setattr(MeanFieldEnvironment, "post", spy)
    short(COMMISSION, "softmax", path, resume=True)
    assert posted == [11, 12]


def test_a_trial_is_on_disk_before_the_learner_hears_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, kind = tmp_path / "run.jsonl", LEARNERS["softmax"]
    lines: list[int] = []

    class Watched(kind):  # type: ignore[misc,valid-type]
        def tell(self, parameters: Any, value: float) -> None:
            lines.append(path.read_bytes().count(b"\n"))
            super().tell(parameters, value)

    monkeypatch.setitem(LEARNERS, "softmax", Watched)
    run(COMMISSION, evaluations=4, journal=path)
    assert lines == [2, 3, 4, 5]


def test_a_journal_of_another_run_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    short(COMMISSION, "softmax", path, seed=1)
    before = path.read_bytes()
    for options, what in (
        ({"seed": 2}, "its learner_seed is 1, now it is 2"),
        ({"seed": 1, "environment": finite_market()}, 'its environment is "mean_field", now it is "market"'),
    ):
        with pytest.raises(ValueError, match=rf"^{path} belongs to another run: {what}; give the settings"):
            short(COMMISSION, "softmax", path, resume=True, **options)
    with pytest.raises(ValueError, match=r"its stability is 1.0, now it is 0.5"):
        short(replace(COMMISSION, weights={"stability": 0.5}), "softmax", path, resume=True, seed=1)
    with pytest.raises(ValueError, match=r"its method is \"softmax\", now it is \"cma\""):
        short(COMMISSION, "cma", path, resume=True, seed=1)
    with pytest.raises(ValueError, match=rf"^{path} holds the trials of an interrupted run; add --resume to go on"):
        short(COMMISSION, "softmax", path, seed=1)
    assert path.read_bytes() == before


def test_a_damaged_journal_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    run(COMMISSION, evaluations=3, journal=path)
    head, first, second, third = path.read_bytes().splitlines(keepends=True)
    moved = json.loads(second)
    moved["unit"][0] = 0.123
    for lines, what in (
        ([head, first, b"nonsense\n", third], r", line 3: is not a JSON object; delete the file to start anew"),
        ([head, first, third], r", line 3: is not trial 2; delete"),
        ([head, first, json.dumps(moved).encode() + b"\n"], r", trial 2: softmax now proposes another tariff"),
        ([b"my diary"], r" is no journal of this run; delete"),
    ):
        path.write_bytes(b"".join(lines))
        with pytest.raises(ValueError, match=rf"^{path}{what}"):
            run(COMMISSION, evaluations=3, journal=path, resume=True)
        assert path.read_bytes() == b"".join(lines)


def test_a_journal_that_never_began_is_begun(tmp_path: Path) -> None:
    path = tmp_path / "new" / "run.jsonl"
    path.parent.mkdir()
    with Journal(path, {"seed": 1}, resume=True) as journal:
        journal.append(tried(1, 2.0))
    head = path.read_bytes().splitlines()[0]
    path.write_bytes(head[:9])
    with Journal(path, {"seed": 1}, resume=True) as journal:
        assert journal.parts == []
    assert path.read_bytes() == head + b"\n"


def test_a_request_to_stop_leaves_the_journal_and_the_best_so_far(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    economy, tariff = preset_economy("textbook", LEVELS), preset_tariff("textbook", "filed")
    reports: list[Progress] = []
    search = learning_search("optuna", evaluations=16, journal=path)
    stopped = design(
        economy,
        tariff,
        COMMISSION,
        search=search,
        watch=Watch(progress=reports.append, cancelled=lambda: told(reports) >= 7),
    )
    assert (stopped.outcome, stopped.evaluations) == (Outcome.CANCELLED, 7)
    assert stopped.message.startswith("Cancelled after 7 tariffs: the tariff recommended")
    assert reports[-1].fraction == 7 / 16
    rest = learning_search("optuna", evaluations=16, journal=path, resume=True)(problem(COMMISSION))
    whole = run(COMMISSION, "optuna", 16)
    assert isinstance(rest, Learned)
    assert [one.unit for one in rest.tried] == [one.unit for one in whole.tried]


def told(reports: list[Progress]) -> int:
    """Tariffs that a learner has reported."""
    return reports[-1].evaluations if reports and reports[-1].stage.startswith("optuna") else 0


# The command


QUICK = f"design textbook --leader commission --evaluations 10 --no-cold --json --set {LEVELS}"


def answer(arguments: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    status = main(shlex.split(arguments))
    said = capsys.readouterr()
    assert (status, said.err) == (0, "")
    return dict(json.loads(said.out))


def test_the_commands_defaults_are_the_functions_own() -> None:
    own = dict.fromkeys(("feedback", "alternating"), ROUNDS) | dict.fromkeys(LEARNING, campaign.EVALUATIONS)
    assert {"commitment": EVALUATIONS_PER_START, **own} == EVALUATIONS
    assert (HOUSEHOLDS, DAYS) == (campaign.HOUSEHOLDS, campaign.DAYS)
    assert set(LEARNING) == set(LEARNERS)


@pytest.mark.parametrize("method", LEARNING)
def test_the_command_learns_by_every_method(method: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    said = answer(f"{QUICK} --method {method} --seed 3 --out {out}", capsys)
    assert (said["method"], said["concept"], said["outcome"]) == (method, "commitment", "converged")
    assert said["evaluations"] == 10
    learning = said["learning"]
    assert (learning["environment"], learning["seed"], learning["households"]) == ("mean_field", 3, None)
    assert learning["regret_usd_per_household_day"] is None
    assert {len(column) for column in learning["curve"].values()} == {10}
    assert learning["curve"]["recommended_objective"][-1] == pytest.approx(said["objective"], abs=1e-9)
    assert learning["metered_objective"] == max(learning["curve"]["metered_objective"])
    assert learning["metered_objective_is"] == "the welfare gained over the tariff in force, less penalties"
    trials = pq.read_table(out / "trials.parquet").to_pydict()
    assert trials["metered_objective"] == learning["curve"]["metered_objective"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]  # the journal has done its duty
    assert json.loads((out / "design.json").read_text()) == said
    assert main(["solve", "textbook", "--tariff", str(out / "tariff.toml"), "--json", "--set", LEVELS]) == 0
    again = json.loads(capsys.readouterr().out)["metrics"]
    assert again["welfare_usd_per_household_day"] == pytest.approx(
        said["metrics"]["welfare_usd_per_household_day"], abs=1e-8
    )


def test_the_command_learns_in_a_market_and_tells_its_regret(
    monopoly: Commitment, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = f"design textbook --leader utility --evaluations 10 --method softmax --regret --json --set {LEVELS}"
    said = answer(f"{asked} --no-cold --against market --households 100 --days 3", capsys)
    learning = said["learning"]
    assert (learning["environment"], learning["households"], learning["days"]) == ("market", 100, 3)
    lost = monopoly.objective - said["objective"]
    assert learning["regret_usd_per_household_day"] == pytest.approx(lost, abs=1e-9)
    assert said["settings"] == {
        **said["settings"],
        "against": "market",
        "households": 100,
        "days": 3,
        "seed": 0,
        "evaluations": 10,
    }


def test_people_are_told_what_was_metered(capsys: pytest.CaptureFixture[str]) -> None:
    command = f"design textbook --leader commission --evaluations 6 --method cma --seed 4 --no-cold --set {LEVELS}"
    assert main(shlex.split(command)) == 0
    said = capsys.readouterr().out
    assert re.search(
        r"Learned from the meters of the mean field, seed 4: ([\d,]+) metered days \([\d.]+ years\)\.", said
    )
    assert "Against the tariff in force" in said


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("--seed 1", "--seed belongs to the methods that learn; give --method softmax, or leave it out"),
        ("--regret", "--regret belongs to the methods that learn"),
        ("--method softmax --days 3", "--days belongs to the finite market; give --against market, or leave it out"),
        ("--method softmax --against markt", "unknown environment 'markt'; did you mean 'market'?"),
        ("--method softmax --against market --days 0", "--days is '0'; give a whole number from 1 to 100000, e.g. 28"),
        ("--method softmax --seed -1", "--seed is '-1'; give a whole number from 0 to 9223372036854775807"),
        ("--method cma --resume", "--resume needs the --out DIR of the run to go on with"),
        ("--method cma --evaluations 0", "--evaluations is '0'; give a whole number from 1 to 10000000, e.g. 150"),
    ],
)
def test_options_that_do_not_fit_are_told_in_one_line(
    arguments: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(shlex.split(f"design textbook --leader commission {arguments}"))
    said = capsys.readouterr()
    assert (status, said.out) == (2, "")
    assert said.err.startswith(f"meanwatt: {line}")
    assert said.err.count("\n") == 1


def test_a_missing_package_ends_the_command_with_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cma", None)
    status = main(shlex.split(f"{QUICK} --method cma"))
    said = capsys.readouterr()
    assert (status, said.out) == (2, "")
    assert said.err.startswith("meanwatt: method cma needs the package cma")
    assert said.err.count("\n") == 1


def test_a_killed_command_is_resumed_without_losing_a_tariff(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SIGKILL in the middle, twice; then the same result as a run that nobody disturbed."""
    out, journal = tmp_path / "run", tmp_path / "run.journal.jsonl"
    command = "design textbook --leader commission --method softmax --evaluations 16 --no-cold --json"
    command = f"{command} --set {LEVELS} --out {out}"
    code = "import sys; from meanwatt.analysis.cli import main; sys.exit(main(sys.argv[1:]))"
    on_record: list[bytes] = []
    for trials in (3, 8):
        again = ["--resume"] if journal.exists() else []
        process = subprocess.Popen(
            [sys.executable, "-c", code, *shlex.split(command), *again], stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 120
        while not (journal.exists() and journal.read_bytes().count(b"\n") > trials):
            assert process.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert not out.exists()
        kept = journal.read_bytes()
        kept = kept[: kept.rfind(b"\n") + 1]
        assert kept.startswith(b"".join(on_record))
        on_record = kept.splitlines(keepends=True)
    status = main(shlex.split(command))
    assert (status, capsys.readouterr().err.startswith(f"meanwatt: {journal} holds the trials")) == (2, True)
    resumed = answer(f"{command} --resume", capsys)
    assert not journal.exists()
    table = pq.read_table(out / "trials.parquet")
    undisturbed = answer(command.replace(str(out), str(tmp_path / "other")), capsys)
    assert pq.read_table(tmp_path / "other" / "trials.parquet").equals(table)
    assert [json.loads(line)["told"] for line in on_record[1:]] == table["told"].to_pylist()[: len(on_record) - 1]
    for said in (resumed, undisturbed):
        del said["seconds"]
    assert resumed == undisturbed
