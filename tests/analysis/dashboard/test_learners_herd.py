"""The herd herds, and each of its changes does what its button says: measured in markets of 200 homes."""

import math
from dataclasses import replace

import pytest
from learner_runs import HOMES, lived
from scipy import stats

from meanwatt.analysis.dashboard.learners.choice import Choice
from meanwatt.analysis.dashboard.learners.presets import CHANGES, HERD, Change, herd_of
from meanwatt.analysis.dashboard.learners.sums import Sums, sums_of
from meanwatt.analysis.dashboard.learners.words import change_caption
from meanwatt.analysis.emergence.day_by_day import last_days

SMALL = herd_of(Choice(households=HOMES))
OF = {change.key: change for change in CHANGES}


def after(key: str) -> Sums:
    return sums_of(lived(OF[key].of(SMALL)))


def test_the_herd_believes_nearly_the_right_prices_and_makes_wrong_ones_that_jump() -> None:
    herd = sums_of(lived(SMALL))
    assert herd.ended == "herding"
    assert herd.error > 4 * herd.floor_error
    assert herd.move > 5 * herd.floor_move
    assert herd.belief < herd.error / 4
    assert HERD.households == 1000


@pytest.mark.parametrize("change", [change for change in CHANGES if change.cures], ids=lambda change: change.key)
def test_every_cure_takes_at_least_half_of_the_jumps_away(change: Change) -> None:
    before = sums_of(lived(SMALL))
    assert after(change.key).move < before.move / 2
    assert after(change.key).error < before.error


def test_small_steps_and_soft_choices_cure_altogether() -> None:
    for key in ("step", "soft"):
        assert after(key).ended == "reached"
        assert after(key).move < 1.5 * after(key).floor_move


def test_turns_calm_the_jumps_and_not_the_distance() -> None:
    before, turns = sums_of(lived(SMALL)), after("turns")
    assert turns.move < before.move / 3
    assert turns.error > before.error / 2
    assert "the jumps are calmed, the distance is not" in change_caption(OF["turns"], before, turns)


def test_half_who_are_told_bring_prices_nearer_without_bringing_rest() -> None:
    before, half = sums_of(lived(SMALL)), after("half")
    assert half.error < before.error / 2
    assert half.ended == "herding"


def test_greedy_choices_make_the_herd_louder_and_leave_the_voltage_limits_that_its_place_of_rest_keeps() -> None:
    before, run = sums_of(lived(SMALL)), lived(OF["greedy"].of(SMALL))
    assert sums_of(run).move > 1.5 * before.move
    assert sums_of(run).error > 1.5 * before.error
    assert sum(day.learners.figure("hours_outside_limits") for day in run.days) > 2
    assert sum(day.floor.figure("hours_outside_limits") for day in run.days) == 0
    assert min(day.learners.figure("min_voltage_pu") for day in run.days) < 0.95
    assert min(day.floor.figure("min_voltage_pu") for day in run.days) > 0.95
    assert "the herd is louder" in change_caption(OF["greedy"], before, sums_of(run))


def test_a_cure_that_cures_nothing_is_not_called_one() -> None:
    calm = sums_of(lived(OF["step"].of(SMALL)))
    loud = sums_of(lived(SMALL))
    assert "no cure here" in change_caption(OF["step"], calm, loud)
    assert "the herd is no louder" in change_caption(OF["greedy"], loud, calm)


def test_a_change_that_the_days_of_one_market_hide_is_no_clear_change() -> None:
    before = sums_of(lived(SMALL))
    moves = [100 * day.learners.figure("price_move_usd_per_kwh") for day in last_days(lived(SMALL).days)]
    assert before.move_noise == pytest.approx(stats.sem(moves), rel=1e-12)
    for factor, told in ((0.5, True), (2.0, False)):
        near = replace(before, move=before.move + factor * math.hypot(before.move_noise, before.move_noise))
        for name in ("step", "greedy"):
            assert ("no clear change" in change_caption(OF[name], before, near)) == told
    assert "no clear change" not in change_caption(OF["greedy"], before, replace(before, move_noise=math.nan))
