"""A leader who meters rate classes: accounts, books over all classes, scores, and those who learn."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from rate_class_worlds import BUYERS, STORING, in_classes, posted
from scenarios import small_economy, small_tariff

from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.leader.meter import MeterReading
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.analysis.learning.books import MeteredBooks
from meanwatt.analysis.learning.environment import MeanFieldEnvironment, expected_reading
from meanwatt.analysis.learning.menus import solve_menu
from meanwatt.analysis.learning.meter import MeteredObjective
from meanwatt.analysis.learning.meter_forecast import MeterForecast, metered_days
from meanwatt.analysis.learning.pilot import PilotPlan, run_pilot
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.posted_terms import with_adder
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium

AIMS = LeaderSpec(leader="commission", weights={"equity": 5.0, "stability": 1.0})
ECONOMY = small_economy()


def classes(recovery: Recovery = Recovery.FIXED, *, buyers_keep: bool = False, **storing: object) -> Tariff:
    """Buyers with a flat price, who may keep posted rates, and those who store with all of the wholesale price."""
    own = {"recovery": recovery}
    if buyers_keep:
        own = {"recovery": Recovery.POSTED, "energy_usd_per_kwh": np.full((3, 3), 0.15)}
    flat = posted(ECONOMY, name="flat", pass_through=0.0, export_pass_through=0.0, **own)
    live = posted(ECONOMY, name="live", recovery=recovery, discount=np.array([0.2, 0.0]), **storing)
    return in_classes((flat, BUYERS), (live, STORING))


@cache
def at(tariff: Tariff) -> Equilibrium:
    found = solve_equilibrium(ECONOMY, tariff, certify=False)
    assert found.converged
    return found


PARTED = classes()
PLAIN = posted(ECONOMY, name="plain", pass_through=0.4, export_pass_through=0.4, recovery=Recovery.FIXED)


def score(old: Equilibrium, new: MeterReading) -> float:
    return MeteredObjective(ECONOMY, AIMS, expected_reading(old)).estimate(new).score


def test_meters_of_two_classes_with_one_tariff_score_as_those_of_one() -> None:
    alike = at(in_classes((PLAIN, BUYERS), (PLAIN, STORING)))
    old = small_tariff(ECONOMY, recovery=Recovery.FIXED)
    parted_old = in_classes((old, BUYERS), (old, STORING))
    for leader in ("commission", "nash", "rawls"):
        aims = LeaderSpec(leader=leader)
        one, other = (
            MeteredObjective(ECONOMY, aims, expected_reading(at(before))).estimate(expected_reading(after))
            for before, after in ((old, at(PLAIN)), (parted_old, alike))
        )
        assert one.score == pytest.approx(other.score, abs=1e-9)
        assert one.half_width == pytest.approx(other.half_width, abs=1e-9)


def test_meters_show_the_bill_of_every_class_and_the_margin_of_all() -> None:
    found = at(PARTED)
    reading = expected_reading(found)
    own = np.array([found.tariff.class_index(household) for household in ECONOMY.types])
    for place in range(2):
        there = own == place
        mean = found.bill_usd_per_day[there] @ ECONOMY.type_share[there] / ECONOMY.type_share[there].sum()
        assert reading.class_bill_usd_per_day[place] == pytest.approx(mean, abs=1e-12)
    assert reading.class_bill_usd_per_day[0] != pytest.approx(reading.class_bill_usd_per_day[1], abs=1e-3)
    assert reading.weight @ reading.margin_usd_per_day == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(reading.group_share, ECONOMY.group_share, atol=1e-15)


@pytest.mark.parametrize("buyers_keep", [False, True])
@pytest.mark.parametrize("recovery", [Recovery.FIXED, Recovery.VOLUMETRIC])
def test_a_leaders_own_level_settles_at_that_which_covers_the_cost_of_all_classes(
    recovery: Recovery, buyers_keep: bool
) -> None:
    tariff = classes(recovery, buyers_keep=buyers_keep)
    truth, base = at(tariff), at(PARTED)
    books, environment = MeteredBooks(ECONOMY, expected_reading(base)), MeanFieldEnvironment(base)
    for _ in range(8):
        offer = books.offer(tariff, 30)
        reading = environment.post(offer, 1).reading
        assert reading is not None
        scored = books.close(reading, 30)
    assert offer.fixed_charge_usd_per_day == pytest.approx(truth.fixed_charge_usd_per_day, abs=1e-4)
    assert offer.adder_usd_per_kwh == pytest.approx(truth.adder_usd_per_kwh, abs=1e-4)
    assert reading.weight @ reading.margin_usd_per_day == pytest.approx(0.0, abs=1e-4)
    assert abs(books.balance_usd) < 0.02
    assert score(base, scored) == pytest.approx(score(base, expected_reading(truth)), abs=1e-3)
    if buyers_keep:
        assert (offer.fixed_charge_usd_per_day[:2] == tariff.classes[0].tariff.fixed_charge_usd_per_day).all()


def test_one_tariff_for_all_is_metered_beside_classes_in_force_home_by_home() -> None:
    """The rule of a half where everybody moves to another rate, each kind of home from its own."""
    base, found = at(PARTED), at(PLAIN)
    reading = MeanFieldEnvironment(base).post(PLAIN, 1).reading
    assert reading is not None
    assert reading.imported_kw.shape[1] == len(ECONOMY.types)
    by_hand = 0.0
    for k, household in enumerate(ECONOMY.types):
        own = [one.tariff.own_rates(one.rates, household) for one in (base, found)]
        outcome = [one.answer.responses[k].outcome for one in (base, found)]
        law = [one.answer.flows[k].frequency for one in (base, found)]
        bought, sold = (
            [
                (frequency * getattr(lived, register)).sum(axis=(2, 3))
                for frequency, lived in zip(law, outcome, strict=True)
            ]
            for register in ("imported_kw", "exported_kw")
        )
        dearer = own[1].import_usd_per_kwh - own[0].import_usd_per_kwh
        better = own[1].export_usd_per_kwh - own[0].export_usd_per_kwh
        half = 0.5 * ((sold[0] + sold[1]) * better - (bought[0] + bought[1]) * dearer)
        by_hand += household.share * ECONOMY.slot_hours * float(ECONOMY.common.probability @ half.sum(axis=1))
    estimate = MeteredObjective(
        ECONOMY, LeaderSpec(leader="commission", weights={"equity": 0, "stability": 0}), expected_reading(base)
    ).estimate(reading)
    bills = [float(one.weight @ one.bill_usd_per_day.sum(axis=1)) for one in (expected_reading(base), reading)]
    charges = [float(one.standing_bill_usd_per_day.sum()) for one in (expected_reading(base), reading)]
    price = base.wholesale_usd_per_kwh + found.wholesale_usd_per_kwh
    load = found.net_load_kw - base.net_load_kw
    tonnes = sum(
        ECONOMY.supply.marginal_emissions_t_per_kwh(one.net_load_kw + ECONOMY.rest_load_kw) for one in (base, found)
    )
    supply = 0.5 * ((price + ECONOMY.carbon_usd_per_t * tonnes) * load).sum(axis=1)
    expected = by_hand - (charges[1] - charges[0]) + bills[1] - bills[0]
    expected -= ECONOMY.slot_hours * float(ECONOMY.common.probability @ supply)
    assert estimate.value == pytest.approx(expected, abs=1e-9)


def test_readings_by_other_accounts_are_not_compared() -> None:
    with pytest.raises(
        ValueError, match="small and flat and rate classes were metered by different accounts; read both"
    ):
        score(at(small_tariff(ECONOMY, recovery=Recovery.FIXED)), expected_reading(at(PARTED)))


def test_an_adder_posted_to_classes_leaves_those_that_keep_their_rates_alone() -> None:
    tariff = classes(Recovery.VOLUMETRIC, buyers_keep=True)
    raised = with_adder(
        Offer(tariff=tariff, adder_usd_per_kwh=0.07, fixed_charge_usd_per_day=np.zeros(4), policies=None)
    )
    kept, bearing = (
        after.energy_usd_per_kwh - before.energy_usd_per_kwh
        for before, after in zip(tariff.class_tariffs, raised.class_tariffs, strict=True)
    )
    assert not kept.any()
    np.testing.assert_allclose(bearing, 0.07, atol=1e-15)


def test_a_forecast_around_classes_in_force_tells_their_rates_apart() -> None:
    """Only the rates of those who store were moved: meters say nothing of what the buyers' would do."""
    base = at(PARTED)
    states = len(ECONOMY.common.probability)
    around = expected_reading(base)
    rng, days = np.random.default_rng(3), []
    for _ in range(8):
        energy = PARTED.classes[1].tariff.energy_usd_per_kwh + rng.uniform(-0.02, 0.02, (3, 3))
        days.append(metered_days(expected_reading(at(classes(energy_usd_per_kwh=energy))), states))
    forecast = MeterForecast(ECONOMY.common.today, around, metered_days(around, states), days, np.ones(len(days)))
    assert forecast.reading(PARTED).imported_kw == pytest.approx(around.imported_kw, abs=1e-9)
    matrix = forecast.response.matrix.reshape(2, 4, 3, 2, 2, 3)
    assert matrix[:, :, :, 0, 1].any()
    np.testing.assert_allclose(matrix[:, :, :, :, 0], 0.0, atol=1e-12)
    flat, live = PARTED.class_tariffs
    dearer = replace(flat, energy_usd_per_kwh=flat.energy_usd_per_kwh + 0.05)
    assert forecast.reading(in_classes((dearer, BUYERS), (live, STORING))).imported_kw == pytest.approx(
        around.imported_kw, abs=1e-9
    )


@pytest.mark.parametrize("behaviour", ["equilibrium", "belief=.5,qlearning=.5"])
def test_homes_move_between_classes_and_one_tariff_and_the_meter_is_their_bills(behaviour: str) -> None:
    base, day_tariffs = at(PARTED), (PARTED, PLAIN, PARTED, PLAIN)
    readings: list[MeterReading] = []

    class Turns:
        def post(self, day: int, common_state: int) -> Tariff:
            return day_tariffs[day]

        def learn(self, reading: MeterReading) -> None:
            readings.append(reading)

    market = ProsumerMarket(
        ECONOMY, households=40, policies=base, behaviour=behaviour, rng=(1, 2), power_flow=False, leader=Turns()
    )
    assert market.terms is not None
    market.terms.add(at(PLAIN))
    people, paid = market.population, np.zeros(40)
    for day in range(len(day_tariffs)):
        market.step()
        billed, paid = people.bill_usd - paid, people.bill_usd.copy()
        by_type = np.array([billed[people.of_type(k)].sum() / 40 for k in range(people.types)])
        np.testing.assert_allclose(readings[day].bill_usd_per_day[0], by_type, atol=1e-6)
        account = market.history[-1].account
        assert readings[day].margin_usd_per_day[0] == pytest.approx(account.surplus_usd / 40, abs=1e-9)
    market.close()


def test_learners_of_bills_expect_the_same_of_two_classes_with_one_tariff_as_of_one() -> None:
    plain, parted = at(PLAIN), at(in_classes((PLAIN, BUYERS), (PLAIN, STORING)))
    digests = []
    for found in (plain, parted):
        market = ProsumerMarket(ECONOMY, households=30, policies=found, behaviour="qlearning", rng=5, power_flow=False)
        for _ in range(3):
            market.step()
        digests.append(market.day_digest)
        market.close()
    assert digests[0] == digests[1]


def test_a_pilot_tries_classes_beside_one_tariff() -> None:
    base = at(PARTED)
    menu = solve_menu(AIMS, [PLAIN, PARTED], base, names=("plain", "in force"))
    assert menu.names == ["plain", "in force"]
    plan = PilotPlan(households=60, behaviour="equilibrium", days=4, pilot_days=2, round_days=2, before_days=6)
    found = run_pilot(menu, base, plan)
    assert np.isfinite(found.score).all()
    assert found.regret is not None
    metered = menu.metered(base)
    assert metered[1] == pytest.approx(score(base, expected_reading(base)), abs=1e-9)
