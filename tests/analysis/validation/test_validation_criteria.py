"""Criteria and verdict: what passes, what fails, and that a planted fault is found."""

from dataclasses import replace

import numpy as np
import pytest
from scenarios import solved

from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.analysis.validation import CHECKS, Finding, Sample, Status, Validation, validate, verdict
from meanwatt.analysis.validation import replication as replication_module
from meanwatt.analysis.validation.criteria import CRITERIA, judge
from meanwatt.analysis.validation.exploitability import Exploitability
from meanwatt.analysis.validation.leader import LeaderLoss, leader_loss
from meanwatt.analysis.validation.learners import check_learners
from meanwatt.analysis.validation.messages import validation_messages
from meanwatt.analysis.validation.result import GridCheck
from meanwatt.analysis.validation.scaling import Interval, Scaling
from meanwatt.analysis.validation.verdict import within
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.progress.watch import Watch

SURE = Interval(value=-0.5, low=-0.51, high=-0.49)
RIGHT = Interval(value=1.0, low=0.98, high=1.02)


def scaled(slope: Interval = SURE, squared: Interval | None = None, floor: float = 0.0) -> Scaling:
    none = Interval(value=0.0, low=-1e-6, high=1e-6)
    return Scaling(rms=(SURE,), slope=slope, floor_squared=squared or none, floor=floor)


def study(**changes: object) -> Validation:
    """A study that passes the first two checks."""
    settings: dict[str, object] = {
        "households": (30,),
        "replications": 10,
        "days": 28,
        "day_types": 3,
        "mean_load_kw": 0.5,
        "load": scaled(),
        "scatter": scaled(),
        "expected_scatter_kw": (0.1,),
        "load_ratio": RIGHT,
        "wasserstein_soc_kwh": (None,),
        "wasserstein": None,
        "wasserstein_households": (),
        "expected_wasserstein_kwh": (None,),
        "wasserstein_ratio": Interval(value=None),
        "composition_error_kw": (0.0,),
    }
    return Validation(**{**settings, **changes})


def found(key: str, result: Validation) -> Finding:
    return next(one for one in judge(result, CHECKS) if one.key == key)


def gains(**changes: object) -> Exploitability:
    settings: dict[str, object] = {
        "values": (0.03,),
        "limit": 0.02,
        "coupled": True,
        "law": -1.0,
        "tariff": "flat",
        "affine": True,
        "tail": (1e5, 1e6),
        "tail_error": (1e-6, 1e-7),
        "slope": -1.0,
        "kinked": (1e8, 1e9),
        "kinked_error": (1e-6, 3e-7),
        "kinked_slope": -0.5,
        "temperature_usd": (0.02, 0.01),
        "cooled": (0.02, 0.01),
        "bound": (0.2, 0.1),
    }
    return Exploitability(**{**settings, **changes})


def test_an_interval_inside_passes_outside_fails_across_the_edge_is_undecided() -> None:
    cases = {(0.2, 0.8): "pass", (1.1, 1.3): "fail", (-2.0, -1.0): "fail", (0.5, 1.5): "undecided"}
    for (low, high), status in cases.items():
        assert within(Interval(value=0.5 * (low + high), low=low, high=high), 0.0, 1.0) == status
    assert within(Interval(value=0.5), 0.0, 1.0) is Status.NOT_APPLICABLE


def test_every_check_has_criteria_whose_keys_are_their_own() -> None:
    assert {one.check for one in CRITERIA} == set(CHECKS)
    assert len({one.key for one in CRITERIA}) == len(CRITERIA)
    for one in CRITERIA:
        assert one.criterion
        assert one.why.endswith(".")


def test_what_is_judged_and_how_it_reads() -> None:
    off = Interval(value=-0.4, low=-0.42, high=-0.38)
    cases: list[tuple[str, dict[str, object], Status, str]] = [
        ("load_slope", {}, Status.PASS, "power -0.500"),
        ("load_slope", {"scatter": scaled(off)}, Status.FAIL, "power -0.400"),
        ("load_size", {"load_ratio": Interval(value=1.2, low=1.1, high=1.3)}, Status.FAIL, "1.200"),
        ("load_floor", {}, Status.PASS, "No floor is seen."),
        ("state_slope", {}, Status.NOT_APPLICABLE, "battery"),
        ("exploitability_slope", {}, Status.NOT_APPLICABLE, "Not computed"),
        ("exploitability_slope", {"exploit": gains()}, Status.PASS, "power -1.0000"),
        ("exploitability_slope", {"exploit": gains(slope=-0.5)}, Status.FAIL, "power -0.5000"),
        ("exploitability_slope", {"exploit": gains(slope=-0.5, affine=False)}, Status.NOT_APPLICABLE, "kink"),
        ("exploitability_slope", {"exploit": gains(slope=-2.0)}, Status.FAIL, "power -2.0000"),
        ("exploitability_slope", {"exploit": gains(slope=-2.0, law=-2.0)}, Status.PASS, "the law is -2"),
        ("exploitability_slope", {"exploit": gains(slope=-1.0, law=-2.0)}, Status.FAIL, "the law is -2"),
        (
            "exploitability_slope",
            {"exploit": gains(slope=-1.0, law=-2.0, affine=False)},
            Status.NOT_APPLICABLE,
            "there it is -1.",
        ),
        ("exploitability_slope", {"exploit": gains(slope=None, law=None)}, Status.NOT_APPLICABLE, "nothing to gain"),
        ("exploitability_cold", {"exploit": gains(law=-2.0)}, Status.NOT_APPLICABLE, "no move is drawn"),
        ("load_slope", {"expected_scatter_kw": (1e-8,)}, Status.NOT_APPLICABLE, "Nothing is drawn"),
        ("load_size", {"expected_scatter_kw": (1e-8,)}, Status.NOT_APPLICABLE, "Nothing is drawn"),
        ("load_floor", {"expected_scatter_kw": (1e-8,)}, Status.NOT_APPLICABLE, "Nothing is drawn"),
        ("beliefs_arrive", {"expected_scatter_kw": (1e-8,)}, Status.NOT_APPLICABLE, "Nothing is drawn"),
        ("exploitability_bounds", {"exploit": gains(values=(-0.01,))}, Status.FAIL, "-0.010000"),
        ("exploitability_bounds", {"exploit": gains(cooled=(0.3, 0.01))}, Status.FAIL, "bound of 0.2000"),
        ("exploitability_cold", {"exploit": gains()}, Status.PASS, "falls from 0.02000 to 0.01000"),
        ("exploitability_cold", {"exploit": gains(cooled=(0.02, 0.03))}, Status.FAIL, "to 0.03000"),
        ("grid_voltage", {}, Status.NOT_APPLICABLE, "voltage collapse"),
        ("leader_loss", {"leader": loss(0.001)}, Status.PASS, "loses 0.001000"),
        ("leader_loss", {"leader": loss(0.1)}, Status.FAIL, "loses 0.100000"),
    ]
    for key, changes, status, words in cases:
        one = found(key, study(**changes))
        assert (one.status, words in one.sentence) == (status, True), one


def test_a_floor_fails_however_small_and_is_named() -> None:
    small = scaled(squared=Interval(value=4e-6, low=1e-6, high=9e-6), floor=0.002)
    large = scaled(squared=Interval(value=4e-4, low=1e-4, high=9e-4), floor=0.02)
    assert found("load_floor", study(scatter=small)).status is Status.FAIL
    assert "A floor of 0.0020 kW" in found("load_floor", study(scatter=small)).sentence
    assert found("load_floor", study(scatter=large)).status is Status.FAIL
    assert found("load_floor", study(scatter=small, day_types=1)).status is Status.FAIL


def test_what_a_study_leaves_out_is_said() -> None:
    tenth = replace(scaled(), rms=(Interval(value=0.1),))
    whole = {"load": tenth, "scatter": tenth}
    feeder = {"voltage": scaled(), "loading": scaled(), "loss": scaled()}
    rounded = "Rounding the types to whole households is a large part of the error of the smallest market"
    cases: list[tuple[dict[str, object], tuple[str, ...], list[str]]] = [
        ({"composition_error_kw": (0.02,)}, ("aggregate",), []),
        ({"composition_error_kw": (0.04,)}, ("aggregate",), [rounded]),
        ({}, ("leader",), ["The check leader is skipped"]),
        ({"leader": loss(0.1)}, ("leader",), []),
        ({}, ("grid",), ["The check grid is skipped"]),
        ({"grid": GridCheck(**feeder, unsolved=0.0)}, ("grid",), []),
        ({"grid": GridCheck(**feeder, unsolved=0.02)}, ("grid",), ["Power flow: no state found in 2 % of the hours"]),
    ]
    for changes, checks, begins in cases:
        said = validation_messages(study(**whole, **changes), checks)
        assert len(said) == len(begins), said
        assert all(one.startswith(begin) for one, begin in zip(said, begins, strict=True)), said


def loss(value: float) -> LeaderLoss:
    interval = Interval(value=value, low=0.9 * value, high=1.1 * value)
    return LeaderLoss(
        households=(100,),
        parameters={},
        mean_field=-1.0,
        in_force=-1.5,
        at_mean_field=(interval,),
        at_in_force=(interval,),
        loss=(interval,),
        best_parameters=({},),
        evaluations=1,
    )


def test_the_verdict_in_words() -> None:
    passed = judge(study(), ("aggregate",))
    assert verdict(passed) == (Status.PASS, "Validated: all 3 criteria that apply passed.")
    failed = judge(study(load_ratio=Interval(value=2.0, low=1.9, high=2.1)), ("aggregate",))
    assert verdict(failed) == (
        Status.FAIL,
        "Not validated: 1 of 3 criteria failed (size of the net load error).",
    )
    open_yet = judge(study(load_ratio=Interval(value=1.0, low=0.9, high=1.1)), ("aggregate",))
    status, sentence = verdict(open_yet)
    assert status is Status.UNDECIDED
    assert sentence.startswith("Not decided: none of 3 criteria failed, but 1 needs more replications")
    assert verdict(())[0] is Status.UNDECIDED


@pytest.fixture(scope="module")
def filed() -> Equilibrium:
    return solved("textbook", "filed")


def test_households_that_follow_another_policy_are_found(monkeypatch: pytest.MonkeyPatch, filed: Equilibrium) -> None:
    """The market's batteries idle: the aggregate and the state check fail, the right market passes."""
    sample, checks = Sample(households=[300, 3000], replications=12, seed=0, days=14), ("aggregate", "state")
    assert verdict(validate(filed, sample, checks=checks).findings)[0] is not Status.FAIL

    def idle(policy: PolicyTable) -> PolicyTable:
        stay = np.zeros_like(policy.probability)
        stay[..., int(np.flatnonzero(policy.moves == 0)[0])] = 1.0
        return replace(policy, probability=stay)

    def faulty(economy: object, *, policies: Equilibrium, **others: object) -> ProsumerMarket:
        responses = tuple(replace(r, policy=idle(r.policy)) for r in policies.answer.responses)
        return ProsumerMarket(
            economy, policies=replace(policies, answer=replace(policies.answer, responses=responses)), **others
        )

    monkeypatch.setattr(replication_module, "UnregisteredMarket", faulty)
    status, sentence = verdict(validate(filed, sample, checks=checks).findings)
    assert status is Status.FAIL
    assert "size of the net load error" in sentence
    assert "floor of the net load error" in sentence


def test_learners_where_nothing_depends_on_the_price_act_as_told_from_the_first_day(filed: Equilibrium) -> None:
    found = check_learners(filed, households=100, replications=2, seed=0, days=8)
    assert np.array_equal(found.price_error, found.given_error)
    assert found.ratio == Interval(value=1.0, low=1.0, high=1.0)
    assert found.belief_error[-1] < found.belief_error[0]


def test_the_leader_finds_nothing_much_better_among_many(filed: Equilibrium) -> None:
    """The mean field's tariff is the best in the mean field; what a short search finds is within chance or less."""
    said: list[float] = []
    found = leader_loss(
        filed,
        Sample(households=[1000], replications=2, seed=0, days=2),
        evaluations=7,
        watch=Watch(progress=lambda report: said.append(report.fraction)),
    )
    assert found.gain > 0
    assert found.loss[0].value < 0.05 * found.gain
    assert found.at_mean_field[0].value > found.at_in_force[0].value
    assert said == sorted(said)
    assert said[-1] == 1.0
