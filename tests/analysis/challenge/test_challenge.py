"""The challenge: where scores are 0 and 100, that every attempt covers the same cost, and what is refused."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.analysis.challenge.attempt import attempt
from meanwatt.analysis.challenge.computed import computed, equal_weights
from meanwatt.analysis.challenge.drawing import HOURS, Drawing, drawn_tariff, limits, posted_drawing, require
from meanwatt.analysis.challenge.hint import BLOCK_HOURS, find_hint, moved, step_usd_per_kwh
from meanwatt.analysis.challenge.scale import AXES, Scale, find_scale, not_dominated
from meanwatt.analysis.design.balanced import balanced
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

ECONOMY = build_economy(load_scenario("textbook"))
ALLOWED = limits(ECONOMY.scenario)
FILED = posted_drawing(ECONOMY, build_tariff(ECONOMY.scenario, "filed"))
SOLVED = 1e-3
"""A score is this exact: prices are solved to 1e-7 of what the volatility has room for."""

rates = st.lists(st.floats(0.0, ALLOWED.rate_usd_per_kwh), min_size=HOURS, max_size=HOURS).map(tuple)
parts = st.lists(st.floats(0.5, 10.0), min_size=3, max_size=3).map(tuple)
drawings = st.builds(
    Drawing, rates_usd_per_kwh=rates, export_share=st.floats(0.0, 1.0), net_metering=st.booleans(), parts=parts
)
criteria = st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=3).map(np.array)


@pytest.fixture(scope="module")
def scale() -> Scale:
    return find_scale(ECONOMY)


def test_the_filed_tariff_with_balanced_books_scores_nothing(scale: Scale) -> None:
    posted = solve_equilibrium(ECONOMY, build_tariff(ECONOMY.scenario, "filed"), certify=False)
    anew = balanced(posted)
    returned = ECONOMY.type_share @ (posted.bill_usd_per_day - scale.filed.bill_usd_per_day)
    assert returned == pytest.approx(posted.surplus_usd_per_household_day, abs=1e-9)
    assert scale.scores(scale.criteria(anew)) == pytest.approx(np.zeros(3), abs=SOLVED)
    assert scale.mean(scale.criteria(anew)) == pytest.approx(0.0, abs=SOLVED)


def test_who_draws_a_posted_tariff_gets_what_it_does_when_its_books_are_balanced(scale: Scale) -> None:
    tariff = replace(build_tariff(ECONOMY.scenario, "filed"), export_usd_per_kwh=np.zeros((1, 24)))
    drawing = posted_drawing(ECONOMY, tariff)
    assert (drawing.export_share, drawing.parts) == (0.0, (1.0, 1.0, 1.0))
    posted = balanced(solve_equilibrium(ECONOMY, tariff, certify=False))
    made = attempt(drawing, scale)
    assert scale.scores(made.criteria) == pytest.approx(scale.scores(scale.criteria(posted)), abs=SOLVED)
    assert made.charges_usd_per_month == pytest.approx((posted.fixed_charge_usd_per_day * 365 / 12).tolist(), abs=1e-4)


@pytest.mark.parametrize("axis", range(len(AXES)), ids=AXES)
def test_each_anchor_solved_anew_scores_a_hundred_on_its_axis_and_nothing_tried_scores_more(
    scale: Scale, axis: int
) -> None:
    found = solve_equilibrium(ECONOMY, scale.family.tariff(scale.anchors[axis].parameters), certify=False)
    assert scale.scores(scale.criteria(found))[axis] == pytest.approx(100.0, abs=SOLVED)
    assert max(scale.scores(one.criteria)[axis] for one in scale.trials) == pytest.approx(100.0, abs=1e-9)
    assert scale.family.recovery is Recovery.FIXED


@given(one=criteria, axis=st.integers(0, 2), worse=st.floats(1e-6, 1.0))
def test_a_score_falls_as_its_criterion_rises_and_depends_on_no_other(
    scale: Scale, one: np.ndarray, axis: int, worse: float
) -> None:
    before, after = scale.scores(one), scale.scores(one + worse * np.eye(3)[axis])
    assert after[axis] < before[axis]
    assert np.array_equal(np.delete(after, axis), np.delete(before, axis))


def test_an_axis_on_which_nothing_beats_the_filed_tariff_has_no_score_and_counts_in_no_mean(scale: Scale) -> None:
    flat = replace(scale, best=np.array([scale.best[0], scale.zero[1], scale.best[2]]))
    scores = flat.scores(scale.best)
    assert math.isnan(scores[1])
    assert flat.mean(scale.best) == pytest.approx((scores[0] + scores[2]) / 2)
    assert equal_weights(flat)["equity"] == 0.0
    with pytest.raises(ValueError, match="nothing beats the filed tariff in efficiency"):
        equal_weights(replace(scale, best=scale.zero))


@settings(max_examples=10)
@given(drawing=drawings)
def test_every_attempt_covers_its_cost_and_splits_the_charge_as_drawn(scale: Scale, drawing: Drawing) -> None:
    made = attempt(drawing, scale)
    assert made.surplus_usd_per_household_day == pytest.approx(0.0, abs=1e-6)
    per_part = np.array(made.charges_usd_per_month) / np.array(drawing.parts)
    assert per_part == pytest.approx(np.full(3, per_part[0]), rel=1e-6, abs=1e-9)


def test_who_carries_the_charge_moves_equity_alone(scale: Scale) -> None:
    equal, graded = (
        attempt(replace(FILED, rates_usd_per_kwh=(0.08,) * HOURS, parts=split), scale)
        for split in ((1.0, 1.0, 1.0), (1.0, 3.0, 6.0))
    )
    assert graded.charges_usd_per_month[0] > 0
    assert graded.criteria[[0, 2]] == pytest.approx(equal.criteria[[0, 2]], abs=1e-9)
    assert graded.criteria[1] < equal.criteria[1] - 1e-3


def test_net_metering_is_the_whole_rate(scale: Scale) -> None:
    metered, whole = (
        attempt(replace(FILED, net_metering=metering, export_share=1.0), scale) for metering in (True, False)
    )
    assert metered.criteria == pytest.approx(whole.criteria, abs=1e-9)
    less = attempt(replace(FILED, net_metering=True, export_share=0.2), scale)
    assert less.criteria == pytest.approx(whole.criteria, abs=1e-9), "the share does not count"


@given(drawing=drawings)
def test_a_drawing_is_read_off_its_tariff(drawing: Drawing) -> None:
    found = posted_drawing(ECONOMY, drawn_tariff(drawing, ECONOMY))
    assert found.rates_usd_per_kwh == pytest.approx(drawing.rates_usd_per_kwh, abs=6e-4)
    if sum(drawing.rates_usd_per_kwh) > 0.01 and not drawing.net_metering:
        assert found.export_share == pytest.approx(drawing.export_share, abs=6e-3)
    most = min(10.0, max(drawing.parts) / min(drawing.parts))
    assert max(found.parts) == pytest.approx(most, abs=0.06)
    require(found, ALLOWED)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"rates_usd_per_kwh": (math.nan,) * 24}, "the rate is nan ¢/kWh; give 0 to 60"),
        ({"rates_usd_per_kwh": (0.2,) * 23 + (7.0,)}, "the rate is 700 ¢/kWh; give 0 to 60"),
        ({"rates_usd_per_kwh": (math.inf,) * 24}, "the rate is inf ¢/kWh; give 0 to 60"),
        ({"rates_usd_per_kwh": (-0.01,) * 24}, "the rate is -1 ¢/kWh; give 0 to 60"),
        ({"rates_usd_per_kwh": (0.2,) * 5}, "the rate is given for 5 hours; give it for 24"),
        ({"export_share": 1.2}, "the export credit is 120 % of the rate; give 0 to 100"),
        ({"parts": (1.0, 1.0)}, "the part of the fixed charge is given for 2 income groups; give it for 3"),
        ({"parts": (1.0, 1.0, 11.0)}, "the part of the fixed charge is 11; give 0 to 10"),
        ({"parts": (0.0, 0.0, 0.0)}, "no income group carries a part of the fixed charge; give at least one of them"),
    ],
)
def test_a_drawing_that_is_none_is_refused_in_one_sentence(scale: Scale, change: dict, problem: str) -> None:
    with pytest.raises(ValueError) as refused:
        attempt(replace(FILED, **change), scale)
    assert str(refused.value).startswith(problem)
    assert "\n" not in str(refused.value)


def test_a_hint_holds_what_it_says_and_no_other_block_was_more_promising(scale: Scale) -> None:
    made = attempt(FILED, scale)
    hint = find_hint(FILED, scale)
    assert hint is not None
    assert abs(hint.change_usd_per_kwh) == step_usd_per_kwh(0.185) == 0.01
    assert hint.last_hour - hint.first_hour == BLOCK_HOURS
    anew = attempt(
        moved(FILED, hint.first_hour // BLOCK_HOURS, hint.change_usd_per_kwh, ALLOWED.rate_usd_per_kwh), scale
    )
    assert scale.scores(anew.criteria) - scale.scores(made.criteria) == pytest.approx(hint.gain, abs=SOLVED)
    assert hint.mean_gain == pytest.approx(hint.gain.mean(), abs=1e-9)
    gains = [
        scale.mean(attempt(moved(FILED, block, change, ALLOWED.rate_usd_per_kwh), scale).criteria)
        for block in range(HOURS // BLOCK_HOURS)
        for change in (0.01, -0.01)
    ]
    # the order is by a slope to one side; where the response bends, another block may gain a little more
    assert hint.mean_gain >= 0.8 * (max(gains) - scale.mean(made.criteria)) > 0


def test_a_hint_stays_within_the_limits(scale: Scale) -> None:
    dear = replace(FILED, rates_usd_per_kwh=(ALLOWED.rate_usd_per_kwh,) * HOURS)
    hint = find_hint(dear, scale)
    assert hint is not None
    assert hint.change_usd_per_kwh < 0
    free = replace(FILED, rates_usd_per_kwh=(0.0,) * HOURS)
    hint = find_hint(free, scale)
    assert hint is None or hint.change_usd_per_kwh > 0


def test_the_computed_tariff_has_the_best_mean_of_all_tried_and_its_weights_make_the_objective_the_mean(
    scale: Scale,
) -> None:
    found = computed(scale)
    assert found.surplus_usd_per_household_day == pytest.approx(0.0, abs=1e-6)
    best = scale.mean(found.criteria)
    assert best >= max(scale.mean(one.criteria) for one in scale.trials) - SOLVED
    judge = LeaderSpec(leader="commission", weights=equal_weights(scale)).objective()
    one, other = (
        solve_equilibrium(ECONOMY, scale.family.tariff(scale.trials[place].parameters), certify=False)
        for place in (0, 20)
    )
    room = scale.zero[0] - scale.best[0]
    means = scale.mean(scale.criteria(one)) - scale.mean(scale.criteria(other))
    assert judge(one) - judge(other) == pytest.approx(3 * room / 100 * means, rel=1e-6)
    assert abs(means) > 1


def test_an_attempt_is_kept_unless_another_is_as_good_everywhere_and_better_somewhere() -> None:
    points = [np.array(point) for point in ((0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, 1.0), (0.0, 1.0, 0.5))]
    assert not_dominated(points).tolist() == [False, True, False, True]
    assert not_dominated([]).tolist() == []


def test_the_search_for_the_scale_says_how_far_it_is_and_stops_when_asked() -> None:
    told: list[float] = []
    with pytest.raises(Cancelled):
        find_scale(
            ECONOMY, Watch(progress=lambda report: told.append(report.fraction or 0.0), cancelled=lambda: len(told) > 5)
        )
    assert told == sorted(told)
    assert 0 <= told[0] <= told[-1] < 0.5
