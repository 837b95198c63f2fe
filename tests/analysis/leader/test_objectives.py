"""The objectives of a leader: what each states and values, with its gradient, and how one is added."""

import json
import re
import shlex
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from repository import ROOT
from scenarios import preset_economy, preset_tariff, small_economy, small_tariff, solved

import meanwatt
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.analysis.cli import main
from meanwatt.analysis.design.design import Design, concept_search, design
from meanwatt.analysis.environments.leader import LeaderEnv
from meanwatt.analysis.leader import objectives
from meanwatt.analysis.leader.leader_spec import LeaderSpec, leader_spec_of
from meanwatt.analysis.leader.registry import find, names
from meanwatt.analysis.leader.tariff_effects import MarketEffects
from meanwatt.analysis.learning.environment import expected_reading
from meanwatt.analysis.learning.meter import MeteredObjective
from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.leader.defined_start import defined_start
from meanwatt.model.mean_field.leader.equilibrium_tangent import equilibrium_tangent, predicted
from meanwatt.model.mean_field.leader.tariff_family import starting_points, tariff_family
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy

PAGE = next((ROOT / "docs").rglob("extend_objective.md")).read_text(encoding="utf-8")
ADVOCATE = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)[0]


@pytest.fixture(autouse=True)
def only_the_house_objectives(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test adds to the folder's path, the next test does not see."""
    monkeypatch.setattr(objectives, "__path__", list(objectives.__path__))


@pytest.fixture
def advocate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The objective of the page, in a folder of its own: no file of the house is touched."""
    (tmp_path / "advocate.py").write_text(ADVOCATE, encoding="utf-8")
    monkeypatch.setattr(objectives, "__path__", [*objectives.__path__, str(tmp_path)])


def left_by_loops(found: Equilibrium) -> list[float]:
    """Income per day and utility − wear − net bill of the mean household of every group, in plain loops."""
    left = []
    for g, income in enumerate(found.economy.group_income_usd_per_year):
        kinds = [k for k, household in enumerate(found.economy.types) if household.group == g]
        share = sum(found.economy.types[k].share for k in kinds)
        surplus = 0.0
        for k in kinds:
            bill = found.answer.payment_usd_per_day[k] + found.fixed_charge_usd_per_day[g]
            own = found.answer.utility_usd_per_day[k] - found.answer.wear_usd_per_day[k] - bill
            surplus += found.economy.types[k].share / share * float(own)
        left.append(float(income) / 365 + surplus)
    return left


def test_the_leaders_are_those_of_the_folder_the_two_of_practice_first() -> None:
    folder = Path(objectives.__file__).parent
    assert set(names()) == {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert names()[:2] == ("commission", "utility")
    assert {"nash", "rawls"} < set(names())


@pytest.mark.parametrize("name", names())
def test_an_objective_states_what_it_is_and_values_what_it_sees(name: str) -> None:
    objective, found = find(name), solved("textbook", "filed")
    assert all(isinstance(text, str) and text for text in (objective.called, objective.maximises, objective.unit))
    assert re.fullmatch(r"[a-z_]+", objective.key)
    assert objective.is_money == (objective.key == "usd_per_household_day")
    assert all(value >= 0 for value in objective.weights.values())
    aims = leader_spec_of(found.economy, name)
    assert np.isfinite(aims.objective()(found))
    assert aims.undefined(found) is None
    assert aims.recovery is (Recovery.FIXED if objective.recovers_cost else Recovery.POSTED)
    assert (aims.violation() is None) == (objective.cap_over_reference is None)


def test_nash_welfare_is_the_mean_log_of_what_groups_are_left_with() -> None:
    found = solved("textbook", "income_graduated")
    by_hand = sum(
        float(share) * np.log(left) for share, left in zip(found.economy.group_share, left_by_loops(found), strict=True)
    )
    assert LeaderSpec(leader="nash").objective()(found) == pytest.approx(by_hand, abs=1e-13)


def test_the_rawlsian_leader_sees_the_highest_burden_alone() -> None:
    found = solved("textbook", "income_graduated")
    burdens = equilibrium_metrics(found).burden
    assert LeaderSpec(leader="rawls").objective()(found) == -max(burdens.values())
    assert LeaderSpec(leader="rawls").in_market(found.economy, equilibrium_metrics(found)) == -max(burdens.values())


@pytest.mark.parametrize(("gap", "imv"), [(1.0, 1.0), (0.01, 1.0), (1.0, 0.002), (0.01, 0.002)])
def test_the_constrained_commission_pays_for_what_breaks_its_limits_and_for_nothing_else(
    gap: float, imv: float
) -> None:
    """In the mean field, in a market's metrics, and by meters: there beside the tariff in force."""
    old, new = solved("textbook", "filed"), solved("textbook", "income_graduated")
    aims = LeaderSpec(leader="constrained", weights={"burden_gap_limit": gap, "imv_limit": imv})
    metrics = equilibrium_metrics(new)
    assert metrics.imv is not None
    paid = (100 * (metrics.burden_gap - 0.01) if gap < 1 else 0.0) + (1000 * (metrics.imv - 0.002) if imv < 1 else 0.0)
    assert (paid > 0) == (min(gap, imv) < 1)
    worth = metrics.welfare_usd_per_household_day - paid
    assert aims.objective()(new) == pytest.approx(worth, abs=1e-12)
    assert aims.in_market(new.economy, metrics) == pytest.approx(worth, abs=1e-12)
    welfare = LeaderSpec(weights={"equity": 0.0, "stability": 0.0})
    metered, free = (
        MeteredObjective(old.economy, one, expected_reading(old)).estimate(expected_reading(new))
        for one in (aims, welfare)
    )
    assert metered.value == pytest.approx(free.value - paid, abs=1e-9)
    assert metered.half_width == free.half_width > 0


def test_a_constrained_design_keeps_the_limits_that_the_commission_would_break() -> None:
    economy = preset_economy("textbook", "battery_levels=5")
    filed = preset_tariff("textbook", "filed")
    free = design(economy, filed, LeaderSpec(weights={"equity": 0.0, "stability": 0.0})).commitment
    assert free is not None
    before = equilibrium_metrics(free.equilibrium)
    assert before.imv is not None
    limits = {"burden_gap_limit": 0.9 * before.burden_gap, "imv_limit": 0.95 * before.imv}
    kept = design(economy, filed, LeaderSpec(leader="constrained", weights=limits)).commitment
    assert kept is not None
    metrics = equilibrium_metrics(kept.equilibrium)
    assert metrics.imv is not None
    assert metrics.burden_gap <= limits["burden_gap_limit"] + 1e-6
    assert metrics.imv <= limits["imv_limit"] + 1e-6
    loss = before.welfare_usd_per_household_day - metrics.welfare_usd_per_household_day
    assert 0 < loss < 0.01


def test_a_design_that_breaks_a_limit_says_which_and_what_it_costs(capsys: pytest.CaptureFixture[str]) -> None:
    command = (
        "design textbook --leader constrained --weights imv_limit=0.0001,burden_gap_limit=0.5 --evaluations 6 --json"
    )
    main(shlex.split(f"{command} --no-cold --set battery_levels=5"))
    said = json.loads(capsys.readouterr().out)
    imv = said["metrics"]["imv"]
    (told,) = [text for text in said["messages"] if "limited" in text]
    assert told == (
        f"The tariff breaks what it was limited to: an IMV of {imv:.4g} USD/kWh exceeds imv_limit = 0.0001;"
        f" {1000 * (imv - 0.0001):.4g} USD per household-day of the objective is the penalty for it."
    )
    main(shlex.split(f"{command} --set battery_levels=5".replace("0.0001", "0.5")))
    assert not [text for text in json.loads(capsys.readouterr().out)["messages"] if "limited" in text]


def test_groups_without_households_have_no_voice() -> None:
    empty = "income_groups.low.share=0"
    others = {group.share for group in preset_economy("textbook").scenario.income_groups.values()}
    assert len(others) > 0
    scenario = preset_economy("textbook").scenario
    rest = [name for name in scenario.income_groups if name != "low"]
    total = sum(scenario.income_groups[name].share for name in rest)
    changes = [empty, *(f"income_groups.{name}.share={scenario.income_groups[name].share / total!r}" for name in rest)]
    found = solved("textbook", "tou", *changes)
    for name in ("nash", "rawls"):
        assert np.isfinite(LeaderSpec(leader=name).objective()(found))
        assert LeaderSpec(leader=name).undefined(found) is None


# --- gradients -------------------------------------------------------------------------------------------------------


def middle(economy: Economy) -> tuple[Equilibrium, Callable[[Floats], Tariff], Floats]:
    """An equilibrium within the family that recovers cost by the fixed charge; no credit is at its cap there."""
    family = tariff_family(economy, Recovery.FIXED)
    unit = np.array([0.6, 0.3, 0.1, 0.4, 0.5])

    def tariff_at(point: Floats) -> Tariff:
        return family.tariff(family.at(point))

    return solve_equilibrium(economy, tariff_at(unit), certify=False), tariff_at, unit


@pytest.mark.parametrize("name", ["commission", "nash", "rawls"])
def test_the_gradient_along_the_tangent_is_that_of_equilibria_solved_beside(name: str) -> None:
    """Central differences over h and h/2, extrapolated to a term in h⁴ (Richardson)."""
    economy = preset_economy("textbook", "battery_levels=5")
    found, tariff_at, unit = middle(economy)
    value, tangent = LeaderSpec(leader=name).objective(), equilibrium_tangent(found, tariff_at, unit)

    def solved_beside(change: Floats) -> float:
        return value(solve_equilibrium(economy, tariff_at(unit + change), start=found, certify=False))

    for change in np.eye(len(unit)):
        ahead, behind = (value(predicted(found, tangent, sign * 1e-5 * change)) for sign in (1.0, -1.0))
        coarse, fine = ((solved_beside(h * change) - solved_beside(-h * change)) / (2 * h) for h in (0.02, 0.01))
        assert (ahead - behind) / 2e-5 == pytest.approx((4 * fine - coarse) / 3, rel=1e-4, abs=1e-7)


def test_the_gradient_of_nash_welfare_is_the_mean_of_gains_over_what_is_left() -> None:
    """Its derivative is Σ_g share_g·dS_g/(income_g/365 + S_g), worked out from the rows of the tangent."""
    economy = preset_economy("textbook", "battery_levels=5")
    found, tariff_at, unit = middle(economy)
    tangent = equilibrium_tangent(found, tariff_at, unit)
    left, by_hand = left_by_loops(found), np.zeros(len(unit))
    for k, household in enumerate(economy.types):
        gain = tangent.utility_usd_per_day[:, k] - tangent.wear_usd_per_day[:, k] - tangent.payment_usd_per_day[:, k]
        gain = gain - tangent.fixed_charge_usd_per_day[:, household.group]
        by_hand += household.share * gain / left[household.group]
    value = LeaderSpec(leader="nash").objective()
    for k, change in enumerate(np.eye(len(unit))):
        ahead, behind = (predicted(found, tangent, sign * 1e-5 * change) for sign in (1.0, -1.0))
        assert (value(ahead) - value(behind)) / 2e-5 == pytest.approx(by_hand[k], rel=1e-6, abs=1e-9)


# --- design ----------------------------------------------------------------------------------------------------------


@cache
def design_of(name: str) -> Design:
    """The design of a leader by its own weights."""
    economy = preset_economy("textbook", "battery_levels=5")
    return design(economy, preset_tariff("textbook", "filed"), LeaderSpec(leader=name))


@pytest.fixture(scope="module", params=["nash", "rawls"])
def designed(request: pytest.FixtureRequest) -> tuple[LeaderSpec, Design]:
    return LeaderSpec(leader=request.param), design_of(request.param)


def test_the_tariff_found_recovers_cost_and_is_better_than_every_start(designed: tuple[LeaderSpec, Design]) -> None:
    aims, found = designed
    assert found.commitment is not None
    economy, value = found.baseline.economy, aims.objective()
    assert found.outcome is Outcome.CONVERGED
    assert found.commitment.equilibrium.surplus_usd_per_household_day == pytest.approx(0.0, abs=1e-9)
    family = aims.family(economy)
    for start in starting_points(family, economy):
        assert (
            found.commitment.objective >= value(solve_equilibrium(economy, family.tariff(start), certify=False)) - 1e-9
        )
    assert found.baseline_objective is not None
    assert found.commitment.objective > found.baseline_objective
    assert f"best objective {found.commitment.objective:.4f} {aims.definition.unit} after" in found.message


def test_each_leader_is_the_best_judge_of_its_own_tariff() -> None:
    """Of the tariffs found for several objectives, that of an objective is the best by it, to its precision."""
    found = {name: design_of(name).commitment for name in ("commission", "nash", "rawls")}
    for name in found:
        worth = {other: LeaderSpec(leader=name).objective()(one.equilibrium) for other, one in found.items() if one}
        assert worth[name] >= max(worth.values()) - 1e-4 * max(1.0, abs(worth[name]))


POOR = "income_groups.low.income_usd_per_year=400"
WORDS = r"income group low is left with -\d+\.\d\d USD per household-day, income and use less bill; Nash welfare needs"


def test_a_group_left_with_nothing_makes_the_tariff_infeasible_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    found = solved("textbook", "filed", POOR)
    aims = LeaderSpec(leader="nash")
    assert aims.objective()(found) == -np.inf
    assert re.fullmatch(WORDS + " more than 0 for every group", str(aims.undefined(found)))
    everybody = " --set 'tariff.access_charge.usd_per_household_day={none=3,pv=3,pv_battery=3}'"
    levels = "--set battery_levels=5"
    command = f"design textbook --leader nash --evaluations 6 --no-cold --set {POOR} {levels}{everybody}"
    assert main(shlex.split(command)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert re.fullmatch(
        r"meanwatt: no tariff of the family was feasible: under the one that came nearest"
        rf" {WORDS} more than 0 for every group\n",
        said.err,
    )


VERY_POOR = "income_groups.low.income_usd_per_year=100"


def test_the_nash_leader_finds_a_tariff_that_leaves_the_poorest_something_from_starts_that_do_not() -> None:
    """The poor of 100 USD a year are left with less than nothing at all three starts."""
    economy = preset_economy("textbook", VERY_POOR, "battery_levels=5")
    filed, aims = preset_tariff("textbook", "filed", VERY_POOR, "battery_levels=5"), LeaderSpec(leader="nash")
    found = design(economy, filed, aims).commitment
    assert found is not None
    assert found.outcome is Outcome.CONVERGED
    assert not np.isfinite(found.trials[0].objective)
    assert found.trials[0].violation > 0  # by what the poorest lacks
    assert min(left_by_loops(found.equilibrium)) > 0
    shared = aims.family(economy).describe(np.array(list(found.parameters.values())))
    assert shared["fixed_charge_income_slope"] == pytest.approx(1.0, abs=1e-3)  # fixed charges follow income


def test_a_search_begins_at_the_largest_smallest_bracket_where_its_start_is_undefined() -> None:
    economy = preset_economy("textbook", VERY_POOR, "battery_levels=5")
    problem = LeaderSpec(leader="nash").problem(economy)
    start = problem.family.unit(starting_points(problem.family, economy)[0])
    for gradients in (True, False):
        evaluator = problem.evaluator(Watch())
        inside = defined_start(problem, evaluator, start, 60, gradients=gradients)
        tried = [float(one.values[2:].max()) for one in evaluator.trials]
        least = float(evaluator.evaluate(problem.family.at(inside)).values[2:].max())
        assert tried[0] > 0
        assert least < 0
        assert least == pytest.approx(min(tried), abs=1e-12)
        again = problem.evaluator(Watch())
        assert np.array_equal(defined_start(problem, again, inside, 60, gradients=gradients), inside)
        assert len(again.trials) == 1


def test_an_undefined_tariff_in_force_is_said_and_the_search_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    """With a bill of some 2 USD a day, 730 USD a year is too little under one tariff, and enough under another."""
    poor = "income_groups.low.income_usd_per_year=INCOME"
    rows = {}
    for name in ("filed", "income_graduated"):
        found = solved("textbook", name, "battery_levels=5")
        rows[name] = found.economy.group_income_usd_per_year[0] / 365 - left_by_loops(found)[0]  # what it takes
    assert rows["income_graduated"] < rows["filed"]
    income = 365 * (0.3 * rows["income_graduated"] + 0.7 * rows["filed"])
    command = f"design textbook --leader nash --evaluations 12 --no-cold --json --set battery_levels=5 --set {poor}"
    main(shlex.split(command.replace("INCOME", f"{income:.3f}")))
    said = json.loads(capsys.readouterr().out)
    assert said["baseline"]["objective"] is None
    assert said["objective"] is not None
    assert any(re.match(rf"The objective is undefined under filed: {WORDS}", text) for text in said["messages"])


# --- meters ----------------------------------------------------------------------------------------------------------


def test_the_rawlsian_leader_meters_its_objective_exactly() -> None:
    old, new = solved("textbook", "filed"), solved("textbook", "income_graduated")
    aims = LeaderSpec(leader="rawls")
    seen = MeteredObjective(old.economy, aims, expected_reading(old)).estimate(expected_reading(new))
    assert seen.value == pytest.approx(aims.objective()(new), abs=1e-12)
    assert (seen.half_width, seen.feasible) == (0.0, True)


def test_where_use_is_fixed_and_nobody_stores_nash_welfare_gained_is_metered_exactly() -> None:
    economy = small_economy(elasticity=0.0, battery_share=0.0)
    old, new = (
        solve_equilibrium(economy, small_tariff(economy, energy_usd_per_kwh=np.full((3, 3), rate)), certify=False)
        for rate in (0.02, 0.2)
    )
    aims = LeaderSpec(leader="nash")
    seen = MeteredObjective(economy, aims, expected_reading(old)).estimate(expected_reading(new))
    assert seen.value == pytest.approx(aims.objective()(new) - aims.objective()(old), abs=1e-12)
    assert seen.half_width == pytest.approx(0.0, abs=1e-12)


def test_nash_welfare_gained_lies_near_the_middle_of_its_bracket() -> None:
    """At a small temperature little is hidden; a metering leader does not know the worth of the use in force."""
    cold = "temperature_usd=0.002"
    old, new = (solved("textbook", name, cold, "battery_levels=5") for name in ("filed", "income_graduated"))
    aims = LeaderSpec(leader="nash")
    seen = MeteredObjective(old.economy, aims, expected_reading(old)).estimate(expected_reading(new))
    gained = aims.objective()(new) - aims.objective()(old)
    assert seen.half_width > 0
    assert abs(seen.value - gained) < seen.half_width + 0.02 * abs(gained)


def test_a_bracket_that_ends_below_zero_is_told_below_all_that_is_defined_by_what_is_lacking() -> None:
    """At the tariff in force nothing is gained: a group is left with its income less its metered bill."""
    old = solved("textbook", "filed", POOR)
    reading = expected_reading(old)
    seen = MeteredObjective(old.economy, LeaderSpec(leader="nash"), reading).estimate(reading)
    bill = reading.weight @ reading.bill_usd_per_day / reading.group_share
    lacking = float((bill - old.economy.group_income_usd_per_year / 365).max())
    assert lacking > 0
    assert not seen.feasible
    assert seen.score == pytest.approx(np.log(1e-3) - 1.0 - lacking, abs=1e-12)


def test_where_the_tariff_in_force_leaves_a_group_with_nothing_nash_welfare_itself_is_metered() -> None:
    """Not the gain over minus infinity. Use that hardly responds makes the metered welfare the true one."""
    fixed = ("elasticity=1e-6", "battery_share_scale=0", POOR)
    old = solved("textbook", "filed", *fixed)
    economy, aims = old.economy, LeaderSpec(leader="nash")
    best = aims.family(economy).tariff(np.array([0.0, 0.0, 0.0, 0.0, 1.0]))
    new = solve_equilibrium(economy, best)
    seen = MeteredObjective(economy, aims, expected_reading(old)).estimate(expected_reading(new))
    assert seen.feasible
    assert seen.value == pytest.approx(aims.objective()(new), abs=1e-5)


def test_a_market_does_not_tell_nash_welfare() -> None:
    found = solved("textbook", "filed")
    with pytest.raises(ValueError, match="a simulated market does not tell the utility of use by income group"):
        LeaderSpec(leader="nash").in_market(found.economy, equilibrium_metrics(found))
    assert MarketEffects(found.economy, equilibrium_metrics(found)).economy is found.economy


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("design textbook --leader rawl", "unknown leader 'rawl'; did you mean 'rawls'?"),
        (
            "design textbook --leader nash --weights equity=1",
            "--weights belong to the commission or the constrained commission; give --leader commission or constrained,"
            " or leave them out",
        ),
        (
            "design textbook --leader rawls --price-cap 0.3",
            "--price-cap belongs to the utility; give --leader utility, or leave it out",
        ),
        (
            "design textbook --leader constrained --pareto",
            "--pareto belongs to the commission or the Nash leader or the Rawlsian leader;"
            " give --leader commission or nash or rawls, or leave it out",
        ),
        (
            "design textbook --leader rawls --method feedback",
            "--method feedback counts what a day leaves behind in USD, and the objective of the Rawlsian leader is in"
            " share of income; give --method commitment",
        ),
        (
            "simulate textbook --leader nash --weights equity=1",
            "--weights belong to the commission or the constrained commission; give --leader commission or constrained,"
            " or leave them out",
        ),
    ],
)
def test_what_does_not_go_with_a_leader_is_refused_in_one_line(
    command: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(shlex.split(command)) == 2
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"meanwatt: {sentence}\n")


def test_aims_are_checked_in_one_line() -> None:
    for call, sentence in (
        (lambda: LeaderSpec(leader="rawl"), "unknown leader 'rawl'; did you mean 'rawls'?"),
        (
            lambda: LeaderSpec(leader="commission", weights={"equty": 1.0}),
            "leader commission: unknown weight 'equty'; did",
        ),
        (
            lambda: LeaderSpec(leader="commission", weights={"equity": -1.0}),
            "weight equity is -1; give a number from 0 to",
        ),
        (
            lambda: LeaderSpec(leader="nash", weights={"equity": 1.0}),
            "leader nash takes no weights, but equity came; leave them out, or give the leader commission or"
            " constrained",
        ),
        (
            lambda: LeaderSpec(leader="nash", price_cap_usd_per_kwh=0.3),
            "price_cap_usd_per_kwh goes with an objective in USD; leave it out for the Nash leader",
        ),
        (
            lambda: meanwatt.design("textbook", leader="rawls", equity=1.0),
            "equity and stability go with leader='commission'; leave them out for the Rawlsian leader",
        ),
        (lambda: LeaderEnv("textbook", leader="rawl"), "unknown leader 'rawl'; did you mean 'rawls'?"),
        (
            lambda: LeaderEnv("textbook", leader="utility", equity=2.0),
            "leader utility takes no weights, but equity came; leave them out, or give the leader commission or"
            " constrained",
        ),
    ):
        with pytest.raises(ValueError, match=re.escape(sentence)) as told:
            call()
        assert "\n" not in str(told.value)


def test_feedback_refuses_an_objective_that_is_no_money() -> None:
    economy, filed = preset_economy("textbook", "battery_levels=5"), preset_tariff("textbook", "filed")
    with pytest.raises(
        ValueError, match=re.escape("to an objective in ln(USD per household-day); search by commitment")
    ):
        design(economy, filed, LeaderSpec(leader="nash"), search=concept_search("feedback"))


# --- adding one ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("advocate")
def test_an_objective_is_added_by_one_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert names() == ("commission", "utility", *sorted({*names()} - {"commission", "utility"}))
    assert "advocate" in names()
    arguments = "design textbook --leader advocate --evaluations 6 --no-cold --json --set battery_levels=5"
    main(shlex.split(f"{arguments} --weights poorest=2"))
    said = json.loads(capsys.readouterr().out)
    assert (said["leader"], said["weights"]) == ("advocate", {"poorest": 2.0})
    assert said["objective"] > said["baseline"]["objective"]
    main(shlex.split(f"{arguments} --method softmax"))
    learned = json.loads(capsys.readouterr().out)
    assert learned["learning"]["metered_objective"] is not None
    assert main(shlex.split(f"{arguments} --weights equity=2")) == 2
    assert capsys.readouterr().err == "meanwatt: --weights: unknown weight 'equity'; give one of poorest\n"
    assert main(shlex.split("design textbook --leader utility --weights poorest=2")) == 2
    assert (
        "--weights belong to the commission or the advocate or the constrained commission; give --leader"
        in capsys.readouterr().err
    )
    env = LeaderEnv("textbook", leader="advocate", weights={"poorest": 3.0}, overrides={"battery_levels": 5})
    env.reset(seed=0)
    assert np.isfinite(env.step(np.full(env.action_space.shape, 0.5, dtype=np.float32))[1])


def test_a_module_without_an_objective_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hollow.py").write_text("", encoding="utf-8")
    monkeypatch.setattr(objectives, "__path__", [*objectives.__path__, str(tmp_path)])
    with pytest.raises(ValueError, match="leader hollow: its module defines no OBJECTIVE; give it an Objective"):
        LeaderSpec(leader="hollow")


def test_what_no_meter_shows_cannot_be_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = ADVOCATE[: ADVOCATE.index("    def metered")] + "\nOBJECTIVE = Advocate()\n"
    (tmp_path / "blind.py").write_text(text.replace("the advocate", "the blind leader"), encoding="utf-8")
    monkeypatch.setattr(objectives, "__path__", [*objectives.__path__, str(tmp_path)])
    for arguments, sentence in (
        (
            "design textbook --leader blind --method cma",
            "--method cma learns from meters, and no meter shows what the blind leader wants; give --method commitment",
        ),
        (
            "simulate textbook --leader blind",
            "--leader blind: no meter shows what the blind leader wants, so it cannot learn",
        ),
    ):
        assert main(shlex.split(arguments)) == 2
        assert capsys.readouterr().err == f"meanwatt: {sentence}\n"
    with pytest.raises(ValueError, match="no meter shows what the blind leader wants; search with full knowledge"):
        LeaderEnv("textbook", leader="blind")
