"""A leader who learns: rounds, states, readings, and what it is told of them."""

from dataclasses import replace

import numpy as np
import pytest

from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.leader.bandit_leader import MenuLearner
from meanwatt.agents.leader.learning_leader import Leader, LearningLeader
from meanwatt.agents.leader.meter import MeterReading, joined
from meanwatt.agents.tariff.tariff import ExportRule, Recovery, Tariff


def tariff(name: str, rate: float = 0.2) -> Tariff:
    return Tariff(
        name=name,
        energy_usd_per_kwh=np.full((2, 2), rate),
        export_usd_per_kwh=np.zeros((2, 2)),
        pass_through=0.0,
        export_pass_through=0.0,
        export_rule=ExportRule.NONE,
        recovery=Recovery.POSTED,
        fixed_charge_usd_per_day=np.array([0.5]),
        fixed_charge_shape=np.ones(1),
        discount=np.zeros(1),
    )


def reading(under: Tariff, common_state: int, load_kw: float) -> MeterReading:
    """A day of one group and two slots of 12 hours."""
    slots = np.ones((1, 1, 2))
    return MeterReading(
        tariff=under,
        common_state=np.array([common_state]),
        weight=np.ones(1),
        import_usd_per_kwh=under.energy_usd_per_kwh[None, :1],
        export_usd_per_kwh=0 * slots,
        imported_kw=load_kw * slots,
        exported_kw=0 * slots,
        wholesale_usd_per_kwh=np.full((1, 2), 0.1),
        marginal_emissions_t_per_kwh=np.zeros((1, 2)),
        volatility_usd_per_kwh=np.zeros(1),
        fixed_charge_usd_per_day=under.fixed_charge_usd_per_day,
        account_share=np.ones(1),
        network_cost_usd_per_day=0.0,
        slot_hours=12.0,
    )


MENU = (tariff("low", 0.1), tariff("high", 0.3))


def mean_load(days: MeterReading) -> float:
    return float(days.weight @ days.net_load_kw.mean(axis=1))


def live(leader: LearningLeader, weather: list[int], load_kw: list[float]) -> list[Tariff]:
    """Days of given weather and load; the tariffs posted."""
    posted = []
    for day, (c, load) in enumerate(zip(weather, load_kw, strict=True)):
        posted.append(leader.post(day, c))
        leader.learn(reading(posted[-1], c, load))
    return posted


def test_a_learning_leader_is_a_leader() -> None:
    assert isinstance(LearningLeader(MENU, mean_load), Leader)


def test_a_tariff_stays_for_its_round_and_is_told_the_mean_of_its_days() -> None:
    leader = LearningLeader(MENU, mean_load, round_days=3)
    posted = live(leader, [0] * 7, [1.0, 2.0, 6.0, 1.0, 1.0, 1.0, 9.0])
    assert [len({id(one) for one in posted[k : k + 3]}) for k in (0, 3)] == [1, 1]
    assert posted[0] is not posted[3]  # both are tried first
    first, second = (MENU.index(posted[k]) for k in (0, 3))
    assert leader.learner.value_usd[0, [first, second]] == pytest.approx([3.0, 1.0])
    assert [(one.number, one.first_day, one.days) for one in leader.rounds] == [(0, 0, 3), (1, 3, 3)]
    assert leader.rounds[0].metered_usd == pytest.approx([3.0])
    assert len(leader.posted) == 7  # the seventh day's round is not over, and told nobody anything


def test_a_daily_leader_learns_every_day() -> None:
    leader = LearningLeader(MENU, mean_load, round_days=1)
    live(leader, [0] * 10, list(np.arange(10.0)))
    assert len(leader.rounds) == 10
    assert leader.learner.days.sum() == 10
    replayed = MenuLearner(1, len(MENU), stream=0)
    for element, load in zip(leader.posted, np.arange(10.0), strict=True):
        replayed.update(0, element, load, 1)
    assert np.array_equal(leader.learner.value_usd, replayed.value_usd)


def test_a_leader_with_states_is_told_of_each_by_its_own_days() -> None:
    made: list[tuple[int, ...]] = []

    def compose(choice: np.ndarray) -> Tariff:
        made.append(tuple(choice))
        return replace(MENU[0], name=str(choice))

    leader = LearningLeader(MENU, mean_load, round_days=2, state=np.array([0, 1, 1]), compose=compose)
    live(leader, [0, 2, 1, 1, 0, 0], [1.0, 5.0, 2.0, 4.0, 7.0, 8.0])
    choices = np.array([one.choice for one in leader.rounds])
    metered = np.array([one.metered_usd for one in leader.rounds])
    assert metered[0] == pytest.approx([1.0, 5.0])
    assert metered[1] == pytest.approx([np.nan, 3.0], nan_ok=True)  # no day of state 0 in the second round
    assert metered[2] == pytest.approx([7.5, np.nan], nan_ok=True)
    assert leader.learner.days.sum(axis=1).tolist() == [3, 3]
    assert leader.posted == [int(choices[d // 2][s]) for d, s in enumerate([0, 1, 1, 1, 0, 0])]
    assert len(made) == len(set(made)) == len({tuple(c) for c in choices})  # a combination is made once


def test_a_round_that_meters_say_nothing_of_teaches_nothing() -> None:
    leader = LearningLeader(MENU, lambda days: None, round_days=1)
    live(leader, [0, 0], [1.0, 1.0])
    assert np.isnan(leader.learner.value_usd).all()
    assert len(leader.rounds) == 2


def test_joined_readings_weigh_their_days_alike() -> None:
    days = [reading(MENU[0], c, load) for c, load in ((0, 1.0), (1, 4.0), (0, 1.0))]
    whole = joined(days)
    assert whole.weight == pytest.approx(np.full(3, 1 / 3))
    assert mean_load(whole) == pytest.approx(2.0)
    assert mean_load(whole.rows([0, 1])) == pytest.approx(2.5)
    assert whole.rows([1]).common_state.tolist() == [1]


def test_readings_of_two_tariffs_are_not_joined() -> None:
    with pytest.raises(ValueError, match=r"^readings were taken under low and under high; join those of one tariff"):
        joined([reading(one, 0, 1.0) for one in MENU])
    with pytest.raises(ValueError, match=r"^there is no reading to join"):
        joined([])


def test_bad_settings_are_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match=r"^the menu is empty; give at least one tariff$"):
        LearningLeader((), mean_load)
    for wrong in (0, -3, 1.5):
        with pytest.raises(ValueError, match=r"^round_days is .*; give a whole number of at least 1, e\.g\. 30$"):
            LearningLeader(MENU, mean_load, round_days=wrong)
    with pytest.raises(ValueError, match=r"^the leader has 2 states but no compose"):
        LearningLeader(MENU, mean_load, state=np.array([0, 1]))


class Ledger:
    """Books that post a level of a dollar more each round, and score a reading as twice the load."""

    def __init__(self) -> None:
        self.balance_usd, self.closed = 0.0, []

    def offer(self, tariff: Tariff, days: int) -> Offer:  # noqa: D102
        charge = np.array([float(len(self.closed))])
        return Offer(tariff=tariff, adder_usd_per_kwh=0.01, fixed_charge_usd_per_day=charge, policies=None)

    def close(self, reading: MeterReading, days: int) -> MeterReading:  # noqa: D102
        self.closed.append((reading.tariff, len(reading.weight), days))
        self.balance_usd += 1.0
        return replace(reading, imported_kw=2 * reading.imported_kw)


def test_books_set_the_level_once_a_round_and_are_closed_before_it_is_scored_by_state() -> None:
    """A level belongs to the round: it is balanced over all its days, whatever the weather."""
    books = Ledger()
    leader = LearningLeader(
        MENU, mean_load, round_days=2, state=np.array([0, 1]), compose=lambda choice: MENU[int(choice[0])], books=books
    )
    offers = []
    for day, c in enumerate([0, 1, 1, 1]):
        offers.append(leader.post(day, c))
        assert isinstance(offers[-1], Offer)
        leader.learn(reading(offers[-1].tariff, c, 1.0 + c))
    assert offers[0] is offers[1]
    assert offers[2] is offers[3]
    assert [float(one.fixed_charge_usd_per_day[0]) for one in (offers[0], offers[2])] == [0.0, 1.0]
    assert [(count, days) for _, count, days in books.closed] == [(2, 2), (2, 2)]
    assert leader.rounds[0].metered_usd.tolist() == [2.0, 4.0]
    assert [one.balance_usd for one in leader.rounds] == [1.0, 2.0]
    assert [one.offer for one in leader.rounds] == [offers[0], offers[2]]
