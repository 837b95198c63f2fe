"""Minimum bill, subscription and funding of discounts: behaviour is that of the rates, bills are as by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rate_class_worlds import in_classes, posted
from scenarios import small_economy, small_tariff

from meanwatt.agents.tariff.components.component import DAYS_PER_MONTH, Component
from meanwatt.agents.tariff.components.discount_funding import DiscountFunding, FundedBy
from meanwatt.agents.tariff.components.minimum_bill import MinimumBill
from meanwatt.agents.tariff.components.subscription import Subscription
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.model.mean_field.components import solving
from meanwatt.model.mean_field.components.solving import Composed, solve_composed
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.scenario.economy import Economy

DISCOUNT = np.array([0.3, 0.0])


def both(economy: Economy, tariff: Tariff, *components: Component) -> tuple[Equilibrium, Composed]:
    """The same tariff without and with components."""
    composed = solve_composed(economy, replace(tariff, components=components), certify=False)
    return solve_equilibrium(economy, tariff, certify=False), composed


def contract(economy: Economy, share: float = 0.7) -> Subscription:
    shape = (len(economy.common.day_types), economy.slots)
    return Subscription(posted_usd_per_kwh=np.linspace(0.1, 0.4, shape[0] * shape[1]).reshape(shape),
                        contracted_share=share)  # fmt: skip


def imports_kw(economy: Economy, found: Equilibrium, kind: int) -> np.ndarray:
    """Mean import of a type, cell by cell. (c, h)"""
    table, law = found.policies[kind], found.laws[kind]
    total = np.zeros(law.shape[:2])
    for c, h, e, z in np.ndindex(*law.shape):
        for j in range(table.probability.shape[4]):
            chance = law[c, h, e, z] * table.probability[c, h, e, z, j]
            total[c, h] += chance * max(table.net_load_kw[c, h, z, j], 0.0)
    return total


@pytest.mark.parametrize("recovery", [Recovery.POSTED, Recovery.FIXED])
def test_neither_a_minimum_bill_nor_a_subscription_changes_what_households_do(recovery: Recovery) -> None:
    economy = small_economy()
    for component in (MinimumBill(usd_per_month=40.0), contract(economy)):
        plain, found = both(economy, small_tariff(economy, recovery=recovery), component)
        np.testing.assert_allclose(
            found.equilibrium.wholesale_usd_per_kwh, plain.wholesale_usd_per_kwh, rtol=0, atol=2e-9
        )
        np.testing.assert_allclose(found.equilibrium.net_load_kw, plain.net_load_kw, rtol=0, atol=1e-7)


def test_a_subscription_adds_the_contract_at_posted_less_real_time_rates() -> None:
    economy = small_economy()
    share = 0.7
    plain, found = both(economy, small_tariff(economy, discount=DISCOUNT), contract(economy, share))
    posted_rate = contract(economy).posted_usd_per_kwh
    by_hand = []
    for household in economy.types:
        added, kept = 0.0, 1 - DISCOUNT[household.group]
        for c, chance in enumerate(economy.common.probability):
            for h in range(economy.slots):
                rate = kept * (0.02 + plain.wholesale_usd_per_kwh[c, h])
                contracted = share * max(household.reference_kw[c, h] - household.pv_kw[c, h], 0.0)
                above = posted_rate[economy.common.today[c], h] - rate
                added += chance * economy.slot_hours * above * contracted
        by_hand.append(added)
    np.testing.assert_allclose(found.amounts.usd_per_day["subscription"], by_hand, atol=1e-7)
    np.testing.assert_allclose(found.equilibrium.bill_usd_per_day, plain.bill_usd_per_day + by_hand, atol=1e-6)


def test_a_contract_at_the_real_time_price_costs_nothing() -> None:
    economy = small_economy(weather=np.ones((1, 1)))
    plain = solve_equilibrium(economy, small_tariff(economy), certify=False)
    same = Subscription(posted_usd_per_kwh=plain.wholesale_usd_per_kwh + 0.02, contracted_share=1.0)
    _, found = both(economy, small_tariff(economy), same)
    np.testing.assert_allclose(found.amounts.usd_per_day["subscription"], 0.0, atol=1e-7)


def test_the_bill_of_the_expected_month_is_raised_to_the_minimum_and_no_further() -> None:
    economy = small_economy()
    tariff = small_tariff(economy)
    plain = solve_equilibrium(economy, tariff, certify=False)
    minimum = float(np.median(plain.bill_usd_per_day)) * DAYS_PER_MONTH
    _, found = both(economy, tariff, MinimumBill(usd_per_month=minimum))
    raised = np.maximum(plain.bill_usd_per_day, minimum / DAYS_PER_MONTH)
    np.testing.assert_allclose(found.equilibrium.bill_usd_per_day, raised, atol=1e-6)
    assert 0 < (found.amounts.usd_per_day["minimum_bill"] > 0).sum() < len(economy.types)


def test_with_balanced_books_the_minimum_holds_and_the_fixed_charge_is_lower() -> None:
    economy = small_economy()
    tariff = small_tariff(economy, recovery=Recovery.FIXED)
    plain = solve_equilibrium(economy, tariff, certify=False)
    minimum = 0.9 * float(economy.type_share @ plain.bill_usd_per_day) * DAYS_PER_MONTH
    assert plain.bill_usd_per_day.min() < minimum / DAYS_PER_MONTH
    _, found = both(economy, tariff, MinimumBill(usd_per_month=minimum))
    bills = found.equilibrium.bill_usd_per_day
    assert bills.min() >= minimum / DAYS_PER_MONTH - 1e-6
    assert float(economy.type_share @ (bills - plain.bill_usd_per_day)) == pytest.approx(0.0, abs=1e-6)
    assert (found.equilibrium.fixed_charge_usd_per_day < plain.fixed_charge_usd_per_day[0]).all()


def test_a_minimum_above_what_the_mean_household_must_pay_is_told_not_balanced() -> None:
    economy = small_economy()
    tariff = small_tariff(economy, recovery=Recovery.FIXED, components=(MinimumBill(usd_per_month=200.0),))
    found = solve_composed(economy, tariff, certify=False).equilibrium
    assert found.outcome is Outcome.ROUND_LIMIT
    assert "a minimum bill above what the mean household must pay leaves no balance" in found.message


@pytest.mark.parametrize("by", list(FundedBy))
def test_all_customers_together_pay_what_discounts_take_off(by: FundedBy) -> None:
    economy = small_economy()
    tariff = small_tariff(economy, discount=DISCOUNT, pass_through=0.5, export_pass_through=0.5)
    _, found = both(economy, tariff, DiscountFunding(by=by))
    given = sum(
        household.share
        * DISCOUNT[household.group]
        * float(
            economy.common.probability
            @ (imports_kw(economy, found.equilibrium, k) * (0.02 + 0.5 * found.equilibrium.wholesale_usd_per_kwh)).sum(
                axis=1
            )
        )
        * economy.slot_hours
        for k, household in enumerate(economy.types)
    )
    paid = found.amounts.usd_per_day["discount_funding"]
    assert given > 0.01
    assert float(economy.type_share @ paid) == pytest.approx(given, abs=2e-6)
    if by is FundedBy.PER_CUSTOMER:
        np.testing.assert_allclose(paid, given, atol=2e-6)
    else:
        kwh = [
            float(economy.common.probability @ imports_kw(economy, found.equilibrium, k).sum(axis=1)) * 8
            for k in range(len(economy.types))
        ]
        np.testing.assert_allclose(paid, found.seen.surcharge_usd_per_kwh * np.array(kwh), atol=2e-6)


def test_funding_by_the_customer_is_no_funding_where_equal_fixed_charges_balance_the_books() -> None:
    economy = small_economy()
    tariff = small_tariff(economy, discount=DISCOUNT, recovery=Recovery.FIXED)
    plain, found = both(economy, tariff, DiscountFunding(by=FundedBy.PER_CUSTOMER))
    np.testing.assert_allclose(found.equilibrium.bill_usd_per_day, plain.bill_usd_per_day, atol=1e-6)


def test_without_a_discount_there_is_nothing_to_fund() -> None:
    economy = small_economy()
    plain, found = both(economy, small_tariff(economy), DiscountFunding(by=FundedBy.PER_KWH))
    np.testing.assert_allclose(found.equilibrium.bill_usd_per_day, plain.bill_usd_per_day, atol=1e-9)
    assert found.seen.surcharge_usd_per_kwh == 0.0


def test_classes_that_fund_discounts_in_different_ways_are_refused_in_one_line() -> None:
    economy = small_economy()
    funded = posted(economy, name="funded", components=(DiscountFunding(by=FundedBy.PER_KWH),))
    tariff = in_classes(
        (posted(economy, name="plain"), [("none", 0), ("none", 1)]),
        (funded, [("pv_battery", 0), ("pv_battery", 1)]),
    )
    with pytest.raises(ValueError, match="discount_funding differs between rate classes"):
        solve_composed(economy, tariff)


def test_what_was_at_rest_and_moved_by_the_last_digits_when_certified_is_solved_once_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    economy = small_economy()
    tariff = replace(posted(economy, discount=DISCOUNT), components=(MinimumBill(usd_per_month=30.0),))
    plain, rounds, certified = solve_composed(economy, tariff), 0, []
    solve, look = solving.solve_equilibrium, solving._Rounds.look

    def counted(*args: Any, **options: Any) -> Equilibrium:
        certified.extend([1] if options["certify"] else [])
        return solve(*args, **options)

    def noisy(self: Any, found: Equilibrium) -> None:
        look(self, found)
        nonlocal rounds
        rounds = self.rounds
        if len(certified) == 1:  # the first certified solution is a hair off
            self.sum_residual = 1.01 * solving.SUM_TOLERANCE

    monkeypatch.setattr(solving, "solve_equilibrium", counted)
    monkeypatch.setattr(solving._Rounds, "look", noisy)
    found = solve_composed(economy, tariff)
    assert found.equilibrium.outcome is plain.equilibrium.outcome is Outcome.CONVERGED
    assert (len(certified), rounds) == (2, plain.rounds + 1)
