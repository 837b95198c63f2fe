"""Learners watched day by day live the days of the command, bit for bit, and measure them as a whole run does."""

import json
import shlex

import numpy as np
import pytest
from scenarios import solved

from meanwatt.analysis.cli import main
from meanwatt.analysis.dashboard.learners.choice import Choice
from meanwatt.analysis.dashboard.learners.simulating import Simulated, target_of
from meanwatt.analysis.emergence.day_by_day import LearnersDay, WatchedLearners, last_days
from meanwatt.analysis.emergence.emergence import emergence, ended
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium

MIXED = "equilibrium=0.4,belief=0.4:first_step=1:cohorts=2:stagger=2,qlearning=0.2"


def days_of(
    target: Equilibrium, behaviour: str, *, households: int = 120, key: int = 3, days: int = 6
) -> list[LearnersDay]:
    watched = WatchedLearners(target, behaviour, households=households, key=key)
    try:
        return [watched.step() for _ in range(days)]
    finally:
        watched.close()


@pytest.mark.parametrize(
    "choice",
    [
        Choice(households=130, days=4, seed=7, first_step=1.0, temperature_usd=0.002, battery_share_scale=2.0),
        Choice(
            households=130, days=4, mix=(("equilibrium", 30), ("belief", 30), ("qlearning", 60)), cohorts=3, stagger=2
        ),
        Choice(households=100, days=3, tariff="filed", mix=(("belief", 1), ("passive", 2))),  # needs no equilibrium
        Choice(households=100, days=3, tariff="tou", mix=(("self_consumption", 1), ("price_threshold", 1))),
    ],
    ids=["learners", "mixture", "posted", "rules"],
)
def test_the_command_that_the_page_shows_gives_the_same_days_bit_for_bit(
    choice: Choice, capsys: pytest.CaptureFixture[str]
) -> None:
    target = target_of(choice.settings, progress=lambda _: None, cancelled=lambda: False)
    assert target is not None
    market = Simulated(choice, target)
    run = market.live(show=lambda _: None, cancelled=lambda: False)
    market.close()
    assert main([*shlex.split(choice.command)[1:], "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [day.digest for day in run.days] == said["day_digest"]
    assert len(run.days) == choice.days
    assert [day.learners.wholesale_usd_per_kwh.tolist() for day in run.days] == said["wholesale_usd_per_kwh"]


def test_the_measures_of_the_days_are_those_of_a_whole_run() -> None:
    target = solved("textbook", "rtp")
    days = days_of(target, MIXED)
    whole = emergence(target, MIXED, households=120, days=6, seed=3, every=100)
    for name, values in (
        ("belief_error_usd_per_kwh", [day.belief_error_usd_per_kwh for day in days]),
        ("price_error_usd_per_kwh", [day.learners.price_error_usd_per_kwh for day in days]),
        ("price_move_usd_per_kwh", [day.learners.price_move_usd_per_kwh for day in days]),
        ("floor_error_usd_per_kwh", [day.floor.price_error_usd_per_kwh for day in days]),
        ("floor_move_usd_per_kwh", [day.floor.price_move_usd_per_kwh for day in days]),
    ):
        assert np.array_equal(values, getattr(whole, name), equal_nan=True)
    assert np.isnan(days[0].learners.price_move_usd_per_kwh)


def test_the_floor_is_the_market_of_those_who_play_the_equilibrium_and_with_them_alone_nothing_differs() -> None:
    target = solved("textbook", "rtp")
    days = days_of(target, "equilibrium", days=3)
    alone = ProsumerMarket(target.economy, policies=target, households=120, rng=3)
    for day in days:
        alone.step()
        assert day.floor.net_load_kw.tolist() == alone.history.records[-1].net_load_kw.tolist()
        assert day.learners.net_load_kw.tolist() == day.floor.net_load_kw.tolist()
        assert day.learners.summary == pytest.approx(alone.today)
        assert np.isnan(day.belief_error_usd_per_kwh)
    alone.close()


def test_bills_of_behaviours_add_up_to_the_mean_bill() -> None:
    target = solved("textbook", "rtp")
    watched = WatchedLearners(target, MIXED, households=120, key=3)
    day = watched.step()
    count = watched._learners.history.class_households.sum(axis=0)
    watched.close()
    homes = {"equilibrium": count[0], "belief": count[1] + count[2], "qlearning": count[3]}
    assert sum(homes.values()) == 120
    total = sum(homes[name] * bill for name, bill in day.bill_usd_per_household_day.items())
    assert total / 120 == pytest.approx(day.learners.figure("bill_usd_per_household_day"), rel=1e-12)


def test_without_an_equilibrium_there_is_nothing_to_watch_and_one_line_says_so() -> None:
    economy, tariff = solved("textbook", "rtp").economy, solved("textbook", "rtp").tariff
    unsolved = solve_equilibrium(economy, tariff, tolerance_usd_per_kwh=1e-300, certify=False)
    with pytest.raises(ValueError, match="tariff rtp has no equilibrium to compare with: "):
        WatchedLearners(unsolved, "belief", households=100, key=0)


def test_the_last_days_are_a_quarter_and_at_least_one() -> None:
    days = [object()] * 28
    assert len(last_days(days)) == 7
    assert len(last_days(days[:2])) == 1
    assert last_days(list(range(8))) == [6, 7]


@pytest.mark.parametrize(
    ("error", "floor", "belief", "word"),
    [
        (1.5, 1.0, 9.0, "reached"),
        (1.6, 1.0, 0.7, "herding"),
        (1.6, 1.0, 0.9, "not reached"),
        (1.6, 1.0, np.nan, "not reached"),
    ],
)
def test_a_herd_is_near_in_belief_and_far_in_prices(error: float, floor: float, belief: float, word: str) -> None:
    assert ended(error, floor, belief) == word
