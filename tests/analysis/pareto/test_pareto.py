"""Efficiency, equity and stability together: the front is a front, the knee a knee, and the verdict holds."""

import json
import shlex
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scenarios import preset_economy, small_economy

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.analysis.cli import main
from meanwatt.analysis.output.strict_json import dumps
from meanwatt.analysis.pareto.figures import pareto_figure, pareto_image
from meanwatt.analysis.pareto.front import knee, non_dominated, simplex_lattice
from meanwatt.analysis.pareto.report import pareto_columns, pareto_json
from meanwatt.analysis.pareto.surface import SLACK, TIE, Surface, pareto_surface
from meanwatt.analysis.pareto.survey import CRITERIA, STEP, EvaluatedTariff, Survey, criteria_of
from meanwatt.analysis.pareto.verdict import verdict
from meanwatt.model.mean_field.equilibrium import Outcome, solve_equilibrium
from meanwatt.model.mean_field.first_best import solve_first_best
from meanwatt.model.mean_field.leader.equilibrium_tangent import equilibrium_tangent, predicted
from meanwatt.model.mean_field.leader.tariff_family import TariffFamily
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy

RUN = shlex.split("design textbook --leader commission --evaluations 4 --pareto --points 2 --no-cold --json")
QUICK = ["--set", "battery_levels=5", "--set", "battery_share_scale=0"]
SETTLED = 1e-3
"""Share of a criterion's range within which a search ends: slack, ties and augmentation together cost less."""


@cache
def island() -> Economy:
    return small_economy(temperature_usd=0.03)


@cache
def family() -> TariffFamily:
    """Energy charge, pass-through and income slope on the small economy."""
    return TariffFamily(
        free=("energy_usd_per_kwh", "pass_through", "fixed_charge_income_slope"),
        low=np.zeros(3),
        high=np.array([0.4, 1.0, 1.0]),
        pattern=np.ones((3, island().slots)),
        income_ratio=np.array([0.4, 1.6]),
        recovery=Recovery.FIXED,
    )


@cache
def best_welfare() -> float:
    return solve_first_best(island()).welfare_usd_per_household_day


def criteria_at(*parameters: float) -> Floats:
    found = solve_equilibrium(island(), family().tariff(np.array(parameters)), certify=False)
    return criteria_of(found, best_welfare())


@cache
def grid() -> Floats:
    """Criteria of a 6 × 6 × 3 grid over the family."""
    axes = (np.linspace(0, 0.4, 6), np.linspace(0, 1, 6), np.linspace(0, 1, 3))
    return np.array([criteria_at(*point) for point in product(*axes)])


@cache
def surface() -> Surface:
    named = {"dear": criteria_at(0.35, 0.0, 0.0), "cheap": criteria_at(0.1, 0.5, 0.5)}
    return pareto_surface(
        island(), named, ("dear", "cheap"), first_best_welfare=best_welfare(), family=family(), points=3
    )


def some_survey() -> Survey:
    return Survey(island(), family(), best_welfare(), searches=1)


def judged(*rows: list[float]) -> list[EvaluatedTariff]:
    return [EvaluatedTariff(parameters=np.zeros(1), criteria=np.array(row)) for row in rows]


@given(arrays(float, st.tuples(st.integers(0, 40), st.integers(1, 4)), elements=st.integers(0, 5).map(float)))
def test_no_kept_point_dominates_another_and_every_point_meets_a_kept_one(points: Floats) -> None:
    front = points[non_dominated(points)]
    assert len(np.unique(front, axis=0)) == len(front)
    for point in points:
        rivals = front[(front <= point).all(axis=1)]
        assert len(rivals) > 0
        if (front == point).all(axis=1).any():
            assert len(rivals) == 1  # itself


def test_points_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match=r"points have shape \(1, 2\) or hold nan; give numbers with axes"):
        non_dominated(np.array([[0.0, np.nan]]))


@pytest.mark.parametrize(("criteria", "per_edge", "count"), [(2, 5, 5), (3, 2, 3), (3, 4, 10), (3, 6, 21)])
def test_weights_lie_evenly_on_the_simplex(criteria: int, per_edge: int, count: int) -> None:
    weights = simplex_lattice(criteria, per_edge)
    assert len(np.unique(weights, axis=0)) == len(weights) == count
    assert weights.sum(axis=1) == pytest.approx(np.ones(count))
    assert np.allclose(weights * (per_edge - 1), np.round(weights * (per_edge - 1)), atol=1e-12)
    assert weights.min() == 0
    assert (weights == 1).any(axis=1).sum() == criteria


def test_an_edge_has_two_ends() -> None:
    with pytest.raises(ValueError, match="points along an edge are 1; give at least 2, its two ends"):
        simplex_lattice(3, 1)


@pytest.mark.parametrize("units", [np.ones(3), np.array([1000.0, 0.01, 7.0])])
def test_the_knee_of_a_sphere_is_where_its_sides_are_equal(units: Floats) -> None:
    """Front {x ≥ 0: Σ(1 − x_k)² = 1}: the plane is Σx = 2, the sphere bulges √3 − 1 over √3 beyond it."""
    angles = np.linspace(0, np.pi / 2, 61)
    theta, phi = (axis.ravel() for axis in np.meshgrid(angles, angles))
    across = np.column_stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)])
    diagonal = np.ones((1, 3)) / np.sqrt(3)
    front = 5.0 + units * (1 - np.vstack([across, diagonal]))
    found = knee(front, 5.0 + units * (1 - np.eye(3)))
    assert found.place == len(front) - 1
    assert found.distance == pytest.approx((np.sqrt(3) - 1) / np.sqrt(3))


def test_the_knee_of_a_curve_in_the_plane_is_where_it_falls_by_as_much_as_it_rises() -> None:
    x = np.linspace(0, 1, 401)
    front = np.column_stack([x, (1 - x) ** 3])
    found = knee(front, np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert x[found.place] == pytest.approx(1 - 1 / np.sqrt(3), abs=1 / 400)  # slope −1


def test_optima_that_coincide_leave_a_knee() -> None:
    """Criteria 0 and 1 never quarrel: the knee is that of the curve of one of them against the third."""
    x = np.linspace(0, 1, 401)
    front = np.column_stack([x, x, (1 - x) ** 3])
    optima = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    assert x[knee(front, optima).place] == pytest.approx(1 - 1 / np.sqrt(3), abs=1 / 400)
    assert knee(front[::-1], np.zeros((3, 3))) == (np.argmin(front[::-1].sum(axis=1)), 0.0)  # best in everything


def test_slopes_by_differences_are_those_of_implicit_differentiation() -> None:
    unit, reach = np.array([0.5, 0.4, 0.3]), 1e-5
    survey = some_survey()
    survey.sample([family().low + unit * family().high])
    found = solve_equilibrium(island(), family().tariff(unit * family().high))
    tangent = equilibrium_tangent(found, lambda u: family().tariff(u * family().high), unit)
    slopes = survey.slopes(unit)
    for k, change in enumerate(reach * np.eye(3)):
        ahead, behind = (criteria_of(predicted(found, tangent, side * change), best_welfare()) for side in (1, -1))
        exact = (ahead - behind) / (2 * reach)
        widest = 1 + int(np.argmax(survey.judge(unit)[0][1:-1]))
        assert slopes[[0, widest, -1], k] == pytest.approx(exact, rel=1e-3, abs=10 * STEP)


def test_a_search_gets_at_least_as_far_as_what_was_known_and_keeps_what_it_must() -> None:
    survey, scale = some_survey(), np.ptp(grid(), axis=0)
    survey.sample([np.array([0.35, 0.2, 0.2]), np.array([0.1, 0.5, 0.8])])
    reference = survey.trials[0].criteria
    survey.reach(reference, np.array([0.0, 0.0, 1.0]), scale)  # an ε-constraint: volatility alone
    holds = [one for one in survey.trials if (one.criteria[:2] <= reference[:2] + 1e-6 * scale[:2]).all()]
    best = min(one.criteria[2] for one in holds)
    assert best < reference[2]
    allowed = (grid()[:, :2] <= reference[:2]).all(axis=1)
    assert best <= grid()[allowed, 2].min() + SETTLED * scale[2]
    survey.reach(reference, np.ones(3), scale)
    gain = min(((one.criteria - reference) / scale).max() for one in survey.trials)
    assert gain <= ((grid() - reference) / scale).max(axis=1).min() + SETTLED


def test_the_front_holds_against_every_tariff_tried_and_the_optima_against_a_grid() -> None:
    found = surface()
    assert found.outcome is Outcome.CONVERGED
    front, tried = (np.array([one.criteria for one in some]) for some in (found.front, found.trials))
    assert non_dominated(front).all()
    assert all((front <= point).all(axis=1).any() for point in tried)
    assert found.optima is not None
    width = np.ptp(grid(), axis=0)
    for k in range(3):
        assert found.optima[k, k] <= grid()[:, k].min() + (SETTLED + SLACK + 3 * TIE) * width[k]
    assert found.knee is not None
    assert found.knee_distance == pytest.approx(knee(front, found.optima).distance)
    assert (front[found.knee] <= found.optima.max(axis=0) + 1e-9).all()


def test_the_verdict_on_a_wasteful_tariff_is_true_of_the_equilibrium_it_names() -> None:
    found = surface().verdicts["dear"]
    assert found.beaten
    assert found.stops is None
    again = criteria_at(*found.best.parameters)
    assert again == pytest.approx(found.best.criteria, abs=1e-7)
    assert (again < surface().tariffs["dear"]).all()
    assert found.sentence.startswith("A tariff of the family beats dear on all three at once: welfare gap ")
    possible = ((grid() - surface().tariffs["dear"]) / surface().tariffs["dear"]).max(axis=1).min()
    assert found.relative_change.max() <= possible + SETTLED


def test_a_tariff_on_the_front_is_beaten_by_none_and_what_stops_it_is_told() -> None:
    known = surface()
    own = min(known.front, key=lambda one: one.criteria[0])
    found = verdict(known.trials, own.criteria, own.criteria, "thrifty")
    assert not found.beaten
    assert found.stops in CRITERIA
    assert found.sentence.startswith("No tariff found beats thrifty on all three at once: with the ")
    assert f"found is no lower than thrifty's. Best compromise: welfare gap {own.criteria[0]:.4f}" in found.sentence


def test_the_verdict_names_the_criterion_and_by_how_much() -> None:
    rival = np.array([0.04, 0.03, 0.01])
    trials = judged([0.03, 0.03, 0.012], [0.05, 0.02, 0.01], [0.01, 0.09, 0.001], [0.05, 0.04, 0.009])
    found = verdict(trials, rival, rival, "filed")
    assert not found.beaten
    assert found.stops == "imv"  # by 20 %, the welfare gap by 25 %
    assert found.least_excess == pytest.approx([0.01, 0.06, 0.002])
    assert found.sentence == (
        "No tariff found beats filed on all three at once: with the welfare gap and the burden gap no worse, the lowest"
        " price volatility found is 0.00200 USD/kWh (+20.0%) above filed's. Best compromise: welfare gap 0.0300 USD per"
        " household-day instead of 0.0400 USD per household-day (-25.0%), burden gap 3.00% of income instead of 3.00%"
        " of income (+0.0%), price volatility 0.01200 USD/kWh instead of 0.01000 USD/kWh (+20.0%)."
    )
    alone = verdict(judged([0.05, 0.06, 0.009]), rival, rival, "filed")
    assert alone.stops is None
    assert np.isnan(alone.least_excess).all()
    assert "none holds even two of them; the best compromise is stopped by the burden gap" in alone.sentence


def test_equal_on_one_is_not_better_on_all() -> None:
    rival = np.array([0.04, 0.03, 0.01])
    assert not verdict(judged([0.02, 0.01, 0.01]), rival, rival, "filed").beaten
    assert verdict(judged([0.02, 0.01, 0.00999]), rival, rival, "filed").beaten
    with pytest.raises(ValueError, match="no tariff was tried"):
        verdict([], rival, rival, "filed")


def test_a_request_to_stop_leaves_the_front_so_far() -> None:
    asked = 0

    def after_a_while() -> bool:
        nonlocal asked
        asked += 1
        return asked > 10

    named = {"dear": surface().tariffs["dear"]}
    settings = {"first_best_welfare": best_welfare(), "family": family()}
    later = pareto_surface(island(), named, ["dear"], **settings, watch=Watch(cancelled=after_a_while))
    assert (later.outcome, len(later.trials), later.verdicts) == (Outcome.CANCELLED, 10, {})
    assert (later.optima, later.knee) == (None, None)
    assert 0 < len(later.front) <= 10
    assert json.loads(dumps(pareto_json(later)))["verdict"] is None
    assert pareto_image(later, "stopped", "svg").startswith(b"<?xml")


def test_what_cannot_be_searched_is_refused_in_one_line() -> None:
    named = {"dear": surface().tariffs["dear"]}
    with pytest.raises(ValueError, match="rivals are nice; give at least one of dear"):
        pareto_surface(island(), named, ["nice"], first_best_welfare=0.0, family=family())
    with pytest.raises(ValueError, match="temperature above 0; give --set temperature_usd"):
        Survey(preset_economy("textbook", "temperature_usd=0"), family(), 0.0, searches=1)


def test_progress_goes_from_nothing_to_all() -> None:
    seen: list[float] = []
    watch = Watch(progress=lambda report: seen.append(report.fraction or 0.0))
    survey = Survey(island(), family(), best_welfare(), searches=2, watch=watch)
    survey.sample([np.array([0.35, 0.2, 0.2])])
    survey.reach(survey.trials[0].criteria, np.ones(3), np.ptp(grid(), axis=0), evaluations=5)
    assert seen == sorted(seen)
    assert 0 <= seen[0] < 0.5 <= seen[-1] <= 1
    assert len(survey.trials) <= 6


def test_the_table_has_every_tariff_and_marks_the_front() -> None:
    columns, found = pareto_columns(surface()), surface()
    assert {len(values) for values in columns.values()} == {len(found.trials)}
    assert sum(columns["on_front"]) == len(found.front)
    assert sum(columns["knee"]) == 1
    assert columns["on_front"][columns["knee"].index(True)]


def test_the_figure_names_its_axes_with_units_and_its_points() -> None:
    figure = pareto_figure(surface(), "island")
    panels = figure.axes
    for panel in panels:
        assert all(label.endswith("]") for label in (panel.get_xlabel(), panel.get_ylabel()))
        assert min(panel.xaxis.label.get_fontsize(), panel.xaxis.get_ticklabels()[0].get_fontsize()) >= 12
        for criteria in surface().tariffs.values():  # nobody with a name is out of sight
            place = dict(zip("ewi", criteria * [1, 100, 1], strict=True))
            x, y = (place[{"w": "e", "b": "w", "I": "i"}[text[0]]] for text in (panel.get_xlabel(), panel.get_ylabel()))
            assert panel.get_xlim()[0] <= x <= panel.get_xlim()[1]
            assert panel.get_ylim()[0] <= y <= panel.get_ylim()[1]
    names = {text.get_text() for text in figure.legends[0].get_texts()}
    assert {"dear (in force)", "cheap", "knee", "beats dear on all three"} < names
    assert pareto_image(surface(), "island", "svg") == pareto_image(surface(), "island", "svg")
    assert pareto_image(surface(), "island", "png", dpi=20)[:4] == b"\x89PNG"


def test_the_command_adds_the_surface_to_the_contract(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meanwatt.analysis.pareto.surface.SAMPLE", 8)
    monkeypatch.setattr("meanwatt.analysis.pareto.survey.PRECISION", 1e-3)  # how well it searches is tested above
    out = tmp_path / "run"
    main([*RUN, *QUICK, "--out", str(out)])
    said = json.loads(capsys.readouterr().out)
    found = said["pareto"]
    assert found["outcome"] == "converged"
    assert set(found["points"][0]) == {"parameters", *CRITERIA}
    assert set(found["tariffs"]) == {"filed", "filed, balanced", "flat", "tou", "rtp", "designed"}
    before = said["baseline"]["metrics"]
    for name in CRITERIA:
        assert found["filed"][name] == pytest.approx(before[name], abs=1e-9)
        assert found["tariffs"]["designed"][name] == pytest.approx(said["metrics"][name], abs=1e-9)
    balanced = found["tariffs"]["filed, balanced"]
    assert before["surplus_usd_per_household_day"] > 0
    assert balanced["imv"] == found["filed"]["imv"]
    assert balanced["burden_gap"] < found["filed"]["burden_gap"]  # an equal refund weighs most where incomes are low
    contest = found["contests"]["filed"]
    assert contest["beaten"]
    assert all(contest["tariff"][name] < found["filed"][name] for name in CRITERIA)
    assert found["verdict"].startswith("A tariff of the family beats filed on all three at once")
    table = pq.read_table(out / "pareto.parquet")
    assert len(table) == found["evaluations"]
    assert sum(table["on_front"].to_pylist()) == len(found["points"])
    assert (out / "pareto.svg").read_text().startswith("<?xml")
    assert "pareto.svg" in json.loads((out / "manifest.json").read_text())["sha256"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            "--leader utility --pareto",
            "--pareto belongs to the commission or the Nash leader or the Rawlsian leader;"
            " give --leader commission or nash or rawls, or leave it out",
        ),
        ("--leader commission --points 3", "--points belongs to --pareto; give --pareto too, or leave it out"),
        ("--leader commission --pareto --points 1", "--points is '1'; give a whole number from 2 to 20, e.g. 4"),
        ("--leader commission --pareto --set temperature_usd=0", "--pareto needs a temperature above 0"),
    ],
)
def test_a_wrong_option_is_one_line(arguments: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["design", "textbook", *shlex.split(arguments)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert sentence in said.err
    assert said.err.count("\n") == 1
