"""What a plan was worth: the best against all that there is, the numbers against an independent reckoning."""

import itertools

import numpy as np
import pytest

from meanwatt.analysis.classroom.game import ClassGame
from meanwatt.analysis.classroom.home_plan import read_plan
from meanwatt.analysis.classroom.score import DayWorth, score
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario


@pytest.mark.parametrize("seed", range(4))
def test_the_best_is_the_best_of_all_plans_that_stay_on_the_grid(seed: int) -> None:
    rng = np.random.default_rng(seed)
    moves, levels, slots = np.arange(-2, 2), 4, 5
    worth = DayWorth(
        moves=moves, reward_usd=rng.normal(size=(slots, moves.size)), left_usd=np.sort(rng.uniform(0, 2, levels))
    )
    for level in range(levels):
        found = []
        for plan in itertools.product(moves.tolist(), repeat=slots):
            path = level + np.cumsum(plan)
            if path.min() >= 0 and path.max() < levels:
                found.append(worth.of(level, np.array(plan)))
        most, best = worth.best(level)
        assert most == pytest.approx(max(found), abs=1e-12)
        assert worth.of(level, best) == pytest.approx(most, abs=1e-12)
        assert worth.at_rest(level) in found


def test_a_score_is_nothing_where_nothing_could_be_gained() -> None:
    assert score(0.0, 0.0) is None
    assert score(-0.3, 0.004) is None
    assert score(0.5, 2.0) == 25.0
    assert score(-1.0, 2.0) == -50.0
    assert score(2.0, 2.0) == 100.0


@pytest.fixture(scope="module")
def rigid() -> Equilibrium:
    """Homes whose use neither varies nor answers a price, at rates that no price moves: only the battery is left."""
    alone = {"elasticity": 0.0, "shock.levels": [1.0], "shock.kernel": [[1.0]]}
    scenario = load_scenario("textbook", tariff="filed", overrides=alone)
    return solve_equilibrium(build_economy(scenario), build_tariff(scenario), certify=False)


def test_what_is_saved_is_the_difference_of_bills_and_wear_and_the_worth_of_the_charge_left(rigid: Equilibrium) -> None:
    letters = "rrrrcccrrssssssrrdduuuur"
    days = {}
    for name, plan in (("rest", "r" * 24), ("plan", letters)):
        game = ClassGame(rigid, households=400, key=11)
        days[name] = game.play({seat: read_plan(plan, 24) for seat in range(6)}).homes
        kinds = [game.market.population.type_of(game._homes[seat]) for seat in range(6)]
        game.close()
    for seat, kind in enumerate(kinds):
        rest, done = days["rest"][seat], days["plan"][seat]
        battery = rigid.economy.types[kind].battery
        assert battery is not None
        moved_kwh = battery.level_kwh * np.abs(done.moves)
        wear = battery.wear_usd_per_kwh * moved_kwh.sum()
        value = rigid.answer.responses[kind].value_usd[0, 0, 0]
        ends = [round(day.charge[-1] * (battery.levels - 1)) for day in (rest, done)]
        left = value[ends[1]] - value[ends[0]]
        assert rest.saved_usd == 0
        assert done.saved_usd == pytest.approx(rest.bill_usd - done.bill_usd - wear + left, abs=1e-6)
        assert done.saved_usd <= done.possible_usd + 1e-12
        assert rest.possible_usd == pytest.approx(done.possible_usd, abs=1e-9)


def test_nobody_gets_more_than_a_hundred_and_the_equilibrium_does_well(rigid: Equilibrium) -> None:
    game = ClassGame(rigid, households=1000, key=5)
    done = game.play(dict.fromkeys(range(40)))
    scores = [home.score for home in done.homes.values()]
    game.close()
    assert all(value is None or value <= 100 for value in scores)
    assert np.mean([value for value in scores if value is not None]) > 50
