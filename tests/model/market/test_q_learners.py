"""Households that learn from their own bills in the market: draws, sums, privacy, memory, what they have learnt."""

import numpy as np
import pytest
from scenarios import preset_economy, solved

from meanwatt.agents.behaviour.protocol import Situation
from meanwatt.agents.behaviour.q_learning import QSettings
from meanwatt.analysis.metrics.utility_meter import UtilityMeter
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.q_learners import QLearners
from meanwatt.model.market.stepwise_day import DayBySlot


def market_of(behaviour: object, tariff: str = "rtp", households: int = 120, **options: object) -> ProsumerMarket:
    found = solved("textbook", tariff)
    settings = {"rng": 2, "power_flow": False, **options}
    return ProsumerMarket(
        found.economy,
        policies=found,
        behaviour=behaviour,  # type: ignore[arg-type]
        households=households,
        **settings,  # type: ignore[arg-type]
    )


def owners(market: ProsumerMarket) -> list[int]:
    return [i for i in range(market.households) if market.prosumer(i).type.battery]


def test_tables_and_meters_do_not_depend_on_the_threads() -> None:
    markets = [market_of("qlearning=.6,equilibrium=.4", threads=threads) for threads in (1, 2, 3)]
    for market in markets:
        for _ in range(4):
            market.step()
    one = markets[0]
    for other in markets[1:]:
        assert other.day_digest == one.day_digest
        for mine, theirs in zip(one.learners[0]._classes, other.learners[0]._classes, strict=True):
            assert (mine.value == theirs.value).all()
            assert (mine.gain == theirs.gain).all()
    for market in markets:
        market.close()


def test_sums_are_those_of_the_meters_and_levels() -> None:
    market = market_of({"qlearning": 0.7, "belief": 0.3})
    before = market.population.level.astype(int).copy()
    for _ in range(3):
        market.step()
        record, people = market.history[-1], market.population
        metered = people.energy_kwh.astype(float)
        assert record.net_load_kw == pytest.approx(metered.mean(axis=0) / market.slot_hours, rel=1e-9)
        stored = sum(market.prosumer(i).stored_kwh for i in range(120)) / 120
        assert record.stored_kwh[-1] == pytest.approx(stored, rel=1e-12)
    for i in owners(market):
        assert 0 <= market.population.level[i] < market.prosumer(i).type.levels
    assert (market.population.level != before).any()
    market.close()


def test_learners_meet_the_same_shocks_as_in_any_other_market() -> None:
    class Watcher:
        def __init__(self) -> None:
            self.shocks: list[int] = []

        def move(self, situation: Situation) -> int:
            self.shocks.append(situation.shock)
            return situation.planned_move

    one, other = market_of("qlearning"), market_of("equilibrium")
    watchers = {household: Watcher() for household in owners(other)}
    other.strategies.update(watchers)
    for day in range(2):
        one.step()
        other.step()
        for own in one.learners[0]._classes:
            for row, household in enumerate(range(own.rows.start, own.rows.stop)):
                assert own.met[row].tolist() == watchers[household].shocks[24 * day :]
    assert (one.population.shock == other.population.shock).all()
    assert one.day_digest != other.day_digest
    one.close()
    other.close()


def test_at_posted_prices_nobody_learns_from_another() -> None:
    """One household's table is spoilt; the others' tables and meters stay as they would have been."""
    plain, spoilt = market_of("qlearning", "filed"), market_of("qlearning", "filed")
    odd = owners(spoilt)[3]
    spoilt.learners[0].values_of(odd)[:] = np.random.default_rng(0).normal(size=spoilt.learners[0].values_of(odd).shape)
    for market in (plain, spoilt):
        for _ in range(4):
            market.step()
    others = np.arange(120) != odd
    assert (plain.population.energy_kwh[others] == spoilt.population.energy_kwh[others]).all()
    assert (plain.population.energy_kwh[odd] != spoilt.population.energy_kwh[odd]).any()
    for household in owners(plain):
        same = (plain.learners[0].values_of(household) == spoilt.learners[0].values_of(household)).all()
        assert same == (household != odd)
    plain.close()
    spoilt.close()


def test_what_a_household_learns_from_is_on_its_bill() -> None:
    """Utility less wear less rewards, summed over owners, is what the settlement billed them, fixed charge aside."""
    market = market_of("qlearning", "filed")
    market.step()
    (learner,) = market.learners
    utility, wear = learner.utility_and_wear_usd()
    rewards = 0.0
    for own in learner._classes:
        assert own.reward is not None
        rewards += own.reward[np.arange(24), own.met, own.moved.astype(int)].sum()
    rows = owners(market)
    groups = [market.prosumer(i).type.group for i in rows]
    bills = market.population.bill_usd[rows].sum() - market.utility.fixed_charge_usd_per_day[groups].sum()
    assert utility - wear - rewards == pytest.approx(bills, rel=1e-5)  # float32 meters
    assert wear > 0
    market.close()


def test_learned_policies_are_the_mean_of_the_households_own() -> None:
    market = market_of("qlearning=.5:start=zero:shock=yes,equilibrium=.5")
    for _ in range(6):
        market.step()
    (learner,) = market.learners
    assert learner is market.cohorts[0].behaviour
    learned = learner.learned_policies()
    for kind, policy in enumerate(learned):
        policy.check()
        rows = market.population.of_class(kind, 0)
        if policy.moves.size > 1 and rows.start < rows.stop:
            each = [learner.policy_of(i).probability for i in range(rows.start, rows.stop)]
            assert policy.probability == pytest.approx(np.mean(each, axis=0), abs=1e-12)
            assert np.ptp(each, axis=0).max() > 0.01
    plan = learner.policies[learner._classes[0].type_index]
    assert plan.probability[..., plan.moves == 0].min() == 1
    with pytest.raises(ValueError, match="household 0 has no table; give one of this cohort with a battery"):
        learner.values_of(0)
    market.close()


def test_a_learner_without_exploration_at_exact_beliefs_acts_as_the_best_response() -> None:
    """Posted prices: the start is exact, up to float32 values over a temperature of 0.02 USD."""
    market = market_of("qlearning:shock=yes:exploration=0", "filed")
    found = solved("textbook", "filed")
    for ours, theirs in zip(market.learners[0].learned_policies(), found.policies, strict=True):
        if ours.moves.size > 1:
            assert np.abs(ours.probability - theirs.probability).max() < 1e-4
    market.close()


def test_use_answers_the_mean_of_the_rates_billed() -> None:
    market = market_of("qlearning")
    learner = market.learners[0]
    mean = learner._expected[0].import_usd_per_kwh[0].copy()
    for bills in (2, 3):
        market.step()
        mean += (market.history[-1].import_usd_per_kwh - mean) / bills
        assert learner._expected[0].import_usd_per_kwh[0] == pytest.approx(mean, rel=1e-14)
    market.close()


def test_a_learner_may_be_played_by_hand_and_does_not_learn_from_that_day() -> None:
    class Hoarder:
        def move(self, situation: Situation) -> int:
            assert situation.planned_move == 0
            return int(situation.moves[-1])

    market = market_of("qlearning", "filed")
    played = owners(market)[0]
    market.step()
    market.step()
    before = market.learners[0].values_of(played).copy()
    market.strategies[played] = Hoarder()
    market.step()  # learns from the day before it was played
    taught = market.learners[0].values_of(played).copy()
    assert (taught != before).any()
    assert market.prosumer(played).stored_kwh == pytest.approx(10.0)
    stored = sum(market.prosumer(i).stored_kwh for i in range(120)) / 120
    assert market.history[-1].stored_kwh[-1] == pytest.approx(stored, rel=1e-12)
    del market.strategies[played]
    market.step()
    assert (market.learners[0].values_of(played) == taught).all()
    market.step()
    assert (market.learners[0].values_of(played) != taught).any()
    market.close()


def test_tables_that_take_too_much_memory_are_refused_with_what_is_allowed() -> None:
    """20 levels, 24 slots, 20 moves of four bytes: 38,400 a household; 1,000 of them and 38 MB allow 989."""
    economy = preset_economy("textbook")
    share = sum(household.share for household in economy.types if household.battery)
    market = market_of("qlearning", households=100)
    assert market.learners[0].nbytes == 38_400 * len(owners(market))
    market.close()
    households = round(1_000 / share)
    with pytest.raises(ValueError) as caught:
        market_of(QSettings(memory_gb=0.038), households=households)
    said = str(caught.value)
    assert said.startswith("qlearning: tables of 1000 households with batteries take 0.0384 GB, allowed are 0.038")
    assert "give at most 989 of them this behaviour, or raise memory_gb" in said
    assert "\n" not in said
    with pytest.raises(ValueError, match="set shock=no, or raise memory_gb"):
        market_of(QSettings(memory_gb=0.038, shock=True), households=households)


def test_several_kinds_of_learners_live_in_one_market() -> None:
    market = market_of("qlearning=.4,qlearning=.3:start=zero,belief=.3")
    market.step()
    assert [cohort.name for cohort in market.cohorts] == ["qlearning", "qlearning 2", "belief"]
    assert [type(cohort.behaviour) is QLearners for cohort in market.cohorts] == [True, True, False]
    assert len(market.learners) == 2
    assert not set(market.learners[0].classes) & set(market.learners[1].classes)
    market.close()


def test_the_meter_of_utility_counts_what_learners_did_and_not_what_the_kernel_did_for_them() -> None:
    """In the kernel their batteries stand still: all wear is the learners', and so is the owners' utility."""
    market, still = market_of("qlearning", "filed"), market_of("passive", "filed")
    meters = [UtilityMeter(market), UtilityMeter(still)]
    measured = []
    for world, meter in zip((market, still), meters, strict=True):
        meter.before()
        world.step()
        measured.append(meter.after())
        meter.close()
    utility, wear = market.learners[0].utility_and_wear_usd()
    assert measured[0].wear_usd == pytest.approx(wear, rel=1e-12)
    assert measured[1].wear_usd == 0
    shadow = meters[0]._shadow.energy_kwh.sum(axis=1, dtype=float)  # "readings" are utilities
    others = np.delete(shadow, owners(market)).sum()
    assert measured[0].utility_usd == pytest.approx(others + utility, rel=1e-5)
    market.close()
    still.close()


def test_a_day_by_slots_refuses_learners_it_cannot_run_beforehand() -> None:
    market = market_of("qlearning=.5,equilibrium=.5")
    with pytest.raises(ValueError, match=r"of qlearning choose by tables of their own.*another behaviour"):
        DayBySlot(market, [0], np.zeros(24))
    market.close()
