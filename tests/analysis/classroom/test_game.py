"""A class in one market: its days are those of the market, and what herds is told from what does not."""

from dataclasses import fields

import numpy as np
import pytest

from meanwatt.agents.household.battery import Battery
from meanwatt.analysis.classroom.game import NOBODY, ClassGame, Round, battery_homes
from meanwatt.analysis.classroom.home_plan import read_plan
from meanwatt.analysis.classroom.views import herd_sentence
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

NIGHT = read_plan("ccccrrrrrrrrrrrrrrdddrrr", 24)


def solved(scenario: str, tariff: str, **overrides: object) -> Equilibrium:
    read = load_scenario(scenario, tariff=tariff, overrides=overrides)
    return solve_equilibrium(build_economy(read), build_tariff(read), certify=False)


@pytest.fixture(scope="module")
def filed() -> Equilibrium:
    return solved("textbook", "filed")


def same(one: object, other: object) -> bool:
    """Whether two records hold the same numbers."""
    if isinstance(one, dict):
        assert isinstance(other, dict)
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if hasattr(one, "__dataclass_fields__"):
        return all(same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
    return np.array_equal(one, other)


def test_a_class_on_autopilot_changes_nothing_in_the_market(filed: Equilibrium) -> None:
    game = ClassGame(filed, households=500, key=9)
    plain = ProsumerMarket(filed.economy, households=500, policies=filed, tariff=filed.tariff, rng=9, power_flow=False)
    for _ in range(3):
        game.play(dict.fromkeys(range(12)))
        plain.step()
    assert game.market.day_digest == plain.day_digest
    game.close()
    plain.close()


def test_the_same_plans_give_the_same_days_bit_for_bit_and_others_give_others(filed: Equilibrium) -> None:
    def days(first: object) -> list[Round]:
        game = ClassGame(filed, households=300, key=4)
        lived = [game.play({0: first, 1: None}), game.play({0: None, 1: NIGHT, 2: NIGHT})]
        game.close()
        return lived

    one, again, other = days(NIGHT), days(NIGHT), days(None)
    assert all(same(a, b) for a, b in zip(one, again, strict=True))
    assert not same(one[0], other[0])


def test_the_morning_tells_the_rates_that_come_where_no_price_is_passed_on(filed: Equilibrium) -> None:
    game = ClassGame(filed, households=300, key=4)
    for _ in range(2):
        morning = game.morning(1)
        done = game.play({1: NIGHT}).homes[1]
        assert morning.import_usd_per_kwh == pytest.approx(done.import_usd_per_kwh)
        assert morning.export_usd_per_kwh == pytest.approx(done.export_usd_per_kwh)
        assert morning.charge == done.charge[0]
        assert not done.autopilot
        full = done.charge.size - 1
        assert done.charge.size == done.best_charge.size == full + 1 == 25
        assert np.diff(done.charge) == pytest.approx(done.moves / (filed.economy.types[6].levels - 1))
    game.close()


def test_seats_are_all_homes_with_a_battery_and_the_first_ones_are_of_every_type(filed: Equilibrium) -> None:
    game = ClassGame(filed, households=1000, key=1)
    kinds = [kind for kind, home in enumerate(filed.economy.types) if home.battery]
    assert game.seats == sum(int(game.market.population.count[kind]) for kind in kinds)
    seated = battery_homes(filed.economy, game.market.population)
    assert len(set(seated)) == game.seats
    assert {game.market.population.type_of(home) for home in seated[: len(kinds)]} == set(kinds)
    income, pv_kw, battery_kwh = game.home(0)
    battery = filed.economy.types[kinds[0]].battery
    assert isinstance(battery, Battery)
    assert (income, battery_kwh) == (filed.economy.types[kinds[0]].income_group, battery.capacity_kwh)
    assert pv_kw > 0
    game.close()


def test_a_class_that_does_one_thing_is_a_herd_and_one_on_autopilot_is_none(filed: Equilibrium) -> None:
    game = ClassGame(filed, households=1000, key=1)
    alone = game.play(dict.fromkeys(range(60)))
    together = game.play(dict.fromkeys(range(60), NIGHT))
    nobody = game.play({})
    game.close()
    outside = np.abs(alone.class_kw - alone.class_expected_kw) > 3 * alone.class_spread_kw
    assert outside.sum() <= 1  # of 24 hours, each with a chance of about 1 in 370 if independent
    slot = together.herd_slot
    assert slot in (0, 1, 2, 3, 18, 19, 20)
    assert "A herd: at" in herd_sentence(together, 1.0)
    more = together.class_kw[slot] > together.class_expected_kw[slot]
    assert ("more" if more else "less") in herd_sentence(together, 1.0)
    assert nobody.herd_slot is None
    assert herd_sentence(nobody, 1.0) == ""
    assert not nobody.class_kw.any()


def test_the_spread_of_a_class_is_that_of_as_many_independent_homes(filed: Equilibrium) -> None:
    """Twice the class, 1/√2 the spread; and the mean of many classes on autopilot scatters as it says."""
    game = ClassGame(filed, households=1600, key=2)
    few, many = game.play(dict.fromkeys(range(20))), game.play(dict.fromkeys(range(80)))
    assert few.class_spread_kw == pytest.approx(2 * many.class_spread_kw)
    squares, expected = [], []
    for _ in range(12):
        done = game.play(dict.fromkeys(range(80)))
        squares.append((done.class_kw - done.class_expected_kw) ** 2)
        expected.append(done.class_spread_kw**2)
    game.close()
    ratio = np.sum(squares) / np.sum(expected)
    assert 0.5 < ratio < 2.0  # 288 correlated squares; the mean of 24 independent ones has a deviation of 0.29


def test_a_market_without_a_battery_has_no_seat(filed: Equilibrium) -> None:
    with pytest.raises(ValueError, match=NOBODY):
        ClassGame(filed, households=1, key=0)
