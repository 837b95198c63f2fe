"""One running market under a leader who changes its tariff: households live on, terms and policies follow."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from scenarios import preset_economy, preset_tariff, solved

from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.behaviour.protocol import BeliefBehaviour, FixedBehaviour
from meanwatt.agents.household.best_response import best_response
from meanwatt.agents.leader.meter import MeterReading
from meanwatt.agents.tariff.tariff import Tariff, rates
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.posted_terms import Terms, make_offer, with_adder
from meanwatt.model.mean_field.equilibrium import Outcome, solve_equilibrium
from meanwatt.model.mean_field.population.population_response import decision_problem

FILED, RTP, FLAT = (preset_tariff("textbook", name) for name in ("filed", "rtp", "flat"))
HOUSEHOLDS = 120


class Plan:
    """A leader who posts tariffs by a plan and keeps the readings."""

    def __init__(self, plan: Sequence[Tariff | Offer]) -> None:
        self.plan, self.readings, self.asked = plan, [], []

    def post(self, day: int, common_state: int) -> Tariff | Offer:
        """Go by the plan."""
        self.asked.append((day, common_state))
        return self.plan[day]

    def learn(self, reading: MeterReading) -> None:
        """Keep the reading."""
        self.readings.append(reading)


def market(leader: Plan | None, behaviour: object = "equilibrium", **options: object) -> ProsumerMarket:
    settings: dict = {"rng": 4, "power_flow": False, "tariff": FILED, **options}
    made = ProsumerMarket(
        preset_economy("textbook"), households=HOUSEHOLDS, behaviour=behaviour, leader=leader, **settings
    )
    if made.terms:
        for name in ("filed", "rtp", "flat"):
            made.terms.add(solved("textbook", name))
    return made


def run(made: ProsumerMarket, days: int) -> list[str]:
    for _ in range(days):
        made.step()
    made.close()
    return made.day_digest


@pytest.mark.parametrize("behaviour", ["equilibrium", "belief", "qlearning", "self_consumption", "price_threshold"])
def test_a_leader_who_keeps_the_tariff_changes_nothing(behaviour: str) -> None:
    leader = Plan([FILED] * 4)
    one, other = market(leader, behaviour), market(None, behaviour)
    assert run(one, 4) == run(other, 4)
    assert (one.population.bill_usd == other.population.bill_usd).all()
    assert leader.asked == [(day, 0) for day in range(4)]
    assert len(leader.readings) == 4


@pytest.mark.parametrize("behaviour", ["equilibrium", "belief", "price_threshold"])
def test_households_live_on_when_the_tariff_changes(behaviour: str) -> None:
    changed, kept = market(Plan([FILED, FILED, RTP]), behaviour), market(None, behaviour)
    assert run(kept, 3)[:2] == run(changed, 2)[:2]
    changed = market(Plan([FILED, FILED, RTP]), behaviour)
    for _ in range(2):
        changed.step()
    level, bills = changed.population.level.copy(), changed.population.bill_usd.copy()
    assert level.any() or behaviour == "price_threshold"  # that rule empties its battery by midnight
    before = changed.population.level_sums()
    changed.step()
    assert (before == [level[changed.population.of_type(k)].sum() for k in range(len(before))]).all()
    assert (changed.population.bill_usd != bills).all()  # bills run on
    assert changed.day_digest[2] != kept.day_digest[2]
    changed.close()


def test_each_day_is_billed_at_the_terms_of_its_own_tariff() -> None:
    plan = [RTP, FLAT, FILED, RTP]
    made = market(Plan(plan))
    for tariff in plan:
        paid = made.population.bill_usd.copy()
        made.step()
        record, found = made.history[-1], solved("textbook", tariff.name)
        assert made.utility.tariff is tariff
        assert made.utility.adder_usd_per_kwh == found.adder_usd_per_kwh
        owed = rates(tariff, np.array([0]), record.wholesale_usd_per_kwh[None], found.adder_usd_per_kwh)
        np.testing.assert_allclose(record.import_usd_per_kwh, owed.import_usd_per_kwh[0], rtol=1e-14)
        for household in (0, HOUSEHOLDS // 2, HOUSEHOLDS - 1):
            agent = made.prosumer(household)
            energy = agent.net_load_kw * made.slot_hours
            bill = (
                np.maximum(energy, 0) @ record.import_usd_per_kwh - np.maximum(-energy, 0) @ record.export_usd_per_kwh
            )
            bill += found.fixed_charge_usd_per_day[agent.type.group]
            assert made.population.bill_usd[household] - paid[household] == pytest.approx(bill, abs=1e-6)
    made.close()


def test_equilibrium_households_play_the_equilibrium_of_the_tariff_posted() -> None:
    plan = [RTP, FLAT, RTP]
    made = market(Plan(plan))
    lived = []
    for tariff in plan:
        made.step()
        lived.append(made.policies_lived)
        for policy, expected in zip(made.policies_lived, solved("textbook", tariff.name).policies, strict=True):
            assert policy is expected
    assert lived[0] is lived[2]  # worked out once for each tariff
    made.close()


def test_believers_answer_the_tariff_posted_by_the_belief_they_had() -> None:
    economy = preset_economy("textbook")
    made = market(Plan([FILED, RTP]), "belief")
    made.step()
    behaviour = made.behaviour
    assert isinstance(behaviour, BeliefBehaviour)
    belief = behaviour.belief_usd_per_kwh.copy()
    made.step()
    posted = rates(RTP, economy.common.today, belief, solved("textbook", "rtp").adder_usd_per_kwh)
    for kind, household in enumerate(economy.types):
        expected = best_response(household, posted, decision_problem(economy)).policy
        np.testing.assert_allclose(made.policies_lived[kind].probability, expected.probability, atol=1e-7)
        np.testing.assert_allclose(made.policies_lived[kind].use_kw, expected.use_kw, atol=1e-12)
    made.close()


def test_a_changed_discount_is_answered_even_at_the_same_rates() -> None:
    groups = len(FILED.discount)
    cheap = replace(FILED, name="cheap", discount=np.full(groups, 0.5))
    made = market(Plan([FILED, cheap]), "belief")
    made.step()
    use = [policy.use_kw for policy in made.policies_lived]
    made.step()
    assert all((policy.use_kw >= before).all() for policy, before in zip(made.policies_lived, use, strict=True))
    assert any((policy.use_kw > before).any() for policy, before in zip(made.policies_lived, use, strict=True))
    made.close()


def test_the_leader_reads_what_was_billed() -> None:
    leader = Plan([RTP, FLAT, FILED])
    made = market(leader)
    run(made, 3)
    for seen, record, tariff in zip(leader.readings, made.history, leader.plan, strict=True):
        assert seen.tariff is tariff
        assert seen.bill_usd_per_day.sum() == pytest.approx(record.account.revenue_usd / HOUSEHOLDS, abs=1e-7)
        assert seen.margin_usd_per_day[0] == pytest.approx(record.account.surplus_usd / HOUSEHOLDS, abs=1e-7)
    surplus = sum(float(seen.margin_usd_per_day[0]) for seen in leader.readings) * HOUSEHOLDS
    assert made.utility.account.surplus_usd == pytest.approx(surplus, rel=1e-6)


def test_a_behaviour_of_ones_own_need_not_follow() -> None:
    own = FixedBehaviour(solved("textbook", "filed").policies, name="stubborn")
    assert run(market(Plan([FILED, RTP]), own), 2) == run(market(None, own), 2)


def test_learners_under_posted_tariffs_need_no_equilibrium(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "meanwatt.model.market.posted_terms.solve_equilibrium", lambda *args, **kwargs: pytest.fail("solved")
    )
    dear = replace(FILED, name="dear", energy_usd_per_kwh=2 * FILED.energy_usd_per_kwh)
    made = ProsumerMarket(
        preset_economy("textbook"),
        households=30,
        behaviour="belief",
        tariff=FILED,
        leader=Plan([dear]),
        power_flow=False,
    )
    made.step()
    assert made.utility.fixed_charge_usd_per_day is dear.fixed_charge_usd_per_day
    made.close()


def test_a_tariff_without_equilibrium_is_refused_in_one_line() -> None:
    lost = replace(solved("textbook", "rtp"), outcome=Outcome.ROUND_LIMIT, message="Still moving.")
    terms = Terms(preset_economy("textbook"), make_offer(FILED, None), None, policies=True)
    with pytest.raises(ValueError, match=r"^tariff rtp cannot be posted: Still moving\.$"):
        terms.add(lost)


def test_there_is_nothing_to_meter_before_the_first_day() -> None:
    made = market(None)
    with pytest.raises(ValueError, match=r"^no day has been metered yet; call step\(\) first$"):
        made.meter()
    made.close()


def levelled(tariff: Tariff, adder: float, charge: float) -> Offer:
    charges = np.full(3, charge)
    return Offer(tariff=tariff, adder_usd_per_kwh=adder, fixed_charge_usd_per_day=charges, policies=None)


def test_a_level_of_ones_own_is_billed_and_metered() -> None:
    leader = Plan([levelled(FLAT, 0.02, 0.4), levelled(RTP, 0.0, 1.5)])
    made = market(leader)
    run(made, 2)
    for reading, offer in zip(leader.readings, leader.plan, strict=True):
        assert reading.tariff is offer.tariff
        assert (reading.fixed_charge_usd_per_day == offer.fixed_charge_usd_per_day).all()
    energy = FLAT.energy_usd_per_kwh[0, 0] + 0.02
    assert leader.readings[0].import_usd_per_kwh == pytest.approx(np.full((1, 3, 24), energy))


def test_fixed_charges_move_nobody_and_equilibrium_households_answer_an_adder_as_if_it_were_to_last() -> None:
    terms = Terms(preset_economy("textbook"), make_offer(FILED, solved("textbook", "filed")), None, policies=True)
    terms.add(solved("textbook", "rtp"))
    assert terms.of(levelled(RTP, 0.0, 9.0)).policies is terms.of(RTP).policies
    low, high = (terms.of(levelled(FLAT, adder, 0.0)).policies for adder in (0.0, 0.2))
    found = solve_equilibrium(preset_economy("textbook"), with_adder(levelled(FLAT, 0.2, 0.0)), certify=False)
    assert low is not None
    assert high is not None
    apart = 0.0
    for one, other, alone in zip(low, high, found.policies, strict=True):
        np.testing.assert_allclose(other.probability, alone.probability, rtol=0, atol=1e-6, equal_nan=False)
        apart = max(apart, float(np.abs(one.probability - other.probability).max()))
    assert apart > 1e-2
    again = levelled(FLAT, 0.2, 0.0)
    assert terms.of(again) is terms.of(again)


@pytest.mark.parametrize("behaviour", ["belief", "price_threshold"])
def test_households_answer_another_adder_of_the_same_tariff(behaviour: str) -> None:
    plan = [levelled(FLAT, 0.0, 0.5), levelled(FLAT, 0.3, 0.5)]
    one, other = market(Plan(plan), behaviour), market(Plan([plan[0]] * 2), behaviour)
    digests = run(one, 2), run(other, 2)
    assert digests[0][0] == digests[1][0]
    assert digests[0][1] != digests[1][1]
