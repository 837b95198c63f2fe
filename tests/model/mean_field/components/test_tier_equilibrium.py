"""Equilibria under tiers: what households do is worth most to them, bills are exact, laws at the ends hold."""

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest
from rate_class_worlds import in_classes, posted
from scenarios import preset_economy, small_economy, small_tariff

from meanwatt.agents.tariff.components.component import DAYS_PER_MONTH
from meanwatt.agents.tariff.components.tiers import Perception, Tiers
from meanwatt.agents.tariff.tariff import ExportRule, Recovery
from meanwatt.model.mean_field.components.component_messages import component_messages
from meanwatt.model.mean_field.components.perceived import Perceived
from meanwatt.model.mean_field.components.solving import Composed, solve_composed
from meanwatt.model.mean_field.equilibrium import Outcome, solve_equilibrium
from meanwatt.model.mean_field.population.game import Game
from meanwatt.model.scenario.economy import Economy, build_rate_classes
from meanwatt.model.scenario.loading import load_scenario


def ladder(*limits: float, adders: tuple[float, ...] = (0.0, 0.06, 0.15), **changes: object) -> Tiers:
    return Tiers(limits_kwh_per_month=limits, adders_usd_per_kwh=adders, **changes)


def under(economy: Economy, tiers: Tiers, **changes: object) -> Composed:
    return solve_composed(economy, small_tariff(economy, components=(tiers,), **changes), certify=False)


def months_by_hand(economy: Economy, found: Composed, *, net: bool = False) -> np.ndarray:
    """Billed kWh of an expected month of each type, cell by cell of its policy table and law."""
    months = np.zeros(len(economy.types))
    for k, law in enumerate(found.equilibrium.laws):
        table = found.equilibrium.policies[k]
        for c, h, e, z in np.ndindex(*law.shape):
            for j in range(table.probability.shape[4]):
                load = table.net_load_kw[c, h, z, j]
                billed = load if net else max(load, 0.0)
                chance = economy.common.probability[c] * law[c, h, e, z] * table.probability[c, h, e, z, j]
                months[k] += chance * billed * economy.slot_hours * DAYS_PER_MONTH
    return months


@pytest.mark.parametrize("net", [False, True])
def test_every_type_acts_on_its_own_month_and_pays_its_tier_bill(net: bool) -> None:
    economy = small_economy()
    changes = {"export_rule": ExportRule.NET_METERING} if net else {}
    tiers = ladder(390.0, 510.0)
    found = under(economy, tiers, **changes)
    assert found.equilibrium.outcome is Outcome.CONVERGED
    months = months_by_hand(economy, found, net=net)
    np.testing.assert_allclose(found.amounts.month_kwh[:, 0], months, atol=1e-5)
    for month, adder in zip(months, found.seen.adder_usd_per_kwh[:, 0], strict=True):
        if min(abs(month - limit) for limit in tiers.limits_kwh_per_month) > 1e-3:
            assert adder == pytest.approx(tiers.adder_at(month), abs=1e-12)
        else:
            assert tiers.adder_at(month - 1) <= adder <= tiers.adder_at(month + 1)
    plain = replace(found.base_tariff, components=())
    posted_rates = Game(economy, plain).posted_rates(found.equilibrium.wholesale_usd_per_kwh, 0.0)
    paid = []
    for k, household in enumerate(economy.types):
        table, law = found.equilibrium.policies[k], found.equilibrium.laws[k]
        own = plain.own_rates(posted_rates, household)
        total = 0.3  # the posted fixed charge
        for c, h, e, z in np.ndindex(*law.shape):
            for j in range(table.probability.shape[4]):
                load = table.net_load_kw[c, h, z, j]
                rate = (own.import_usd_per_kwh if load > 0 else own.export_usd_per_kwh)[c, h]
                chance = economy.common.probability[c] * law[c, h, e, z] * table.probability[c, h, e, z, j]
                total += chance * rate * load * economy.slot_hours
        paid.append(total + float(tiers.cost_usd(months[k])) / DAYS_PER_MONTH)
    np.testing.assert_allclose(found.equilibrium.bill_usd_per_day, paid, atol=2e-6)


def test_use_under_rising_tiers_is_worth_most_less_the_convex_tier_bill() -> None:
    """Without a battery at a posted rate the plan is a convex program over use by state, slot and shock."""
    economy = small_economy(battery_share=0.0)
    for limit in (300.0, 395.0, 470.0):
        tiers = ladder(limit, adders=(0.0, 0.08))
        found = under(economy, tiers, pass_through=0.0, energy_usd_per_kwh=np.full((3, 3), 0.17))
        for k, household in enumerate(economy.types):
            reference = household.reference_kw[:, :, None] * economy.shock_levels
            weight = np.broadcast_to(
                economy.common.probability[:, None, None] * economy.shock_probability * economy.slot_hours,
                reference.shape,
            )
            p0, elasticity, flexibility = household.reference_price_usd_per_kwh, household.elasticity, 0.5
            use = cp.Variable(reference.size)
            flat, chance = reference.ravel(), weight.ravel()
            off = use - flat
            worth = cp.sum(cp.multiply(chance * p0, off)) - cp.sum(
                cp.multiply(chance * p0 / (2 * elasticity * flat), cp.square(off))
            )
            month = DAYS_PER_MONTH * cp.sum(cp.multiply(chance, use))
            cost = 0.17 * cp.sum(cp.multiply(chance, use)) + 0.08 * cp.pos(month - limit) / DAYS_PER_MONTH
            bounds = [use >= (1 - flexibility) * flat, use <= (1 + flexibility) * flat]
            cp.Problem(cp.Maximize(worth - cost), bounds).solve(solver=cp.CLARABEL)
            assert found.amounts.month_kwh[k, 0] == pytest.approx(month.value, rel=1e-5)
            np.testing.assert_allclose(
                found.equilibrium.policies[k].use_kw[..., 0].ravel(), use.value, rtol=0, atol=2e-4
            )


def test_tiers_with_equal_adders_are_a_rate() -> None:
    economy = small_economy()
    found = under(economy, ladder(300.0, adders=(0.03, 0.03)))
    plain = small_tariff(economy)
    plain = replace(plain, energy_usd_per_kwh=plain.energy_usd_per_kwh + 0.03)
    rate = solve_equilibrium(economy, plain, certify=False)
    np.testing.assert_allclose(found.equilibrium.wholesale_usd_per_kwh, rate.wholesale_usd_per_kwh, atol=2e-9)
    np.testing.assert_allclose(found.equilibrium.bill_usd_per_day, rate.bill_usd_per_day, atol=1e-7)


def test_a_limit_that_no_month_reaches_changes_nothing() -> None:
    economy = small_economy()
    found, plain = under(economy, ladder(1e5, 2e5)), solve_equilibrium(economy, small_tariff(economy), certify=False)
    np.testing.assert_allclose(found.equilibrium.wholesale_usd_per_kwh, plain.wholesale_usd_per_kwh, atol=2e-9)
    np.testing.assert_allclose(found.equilibrium.net_load_kw, plain.net_load_kw, atol=1e-7)
    np.testing.assert_allclose(found.equilibrium.bill_usd_per_day, plain.bill_usd_per_day, atol=1e-8)
    assert "tariff.tiers: no household pays anything for it." in component_messages(found)


def test_the_price_under_rising_tiers_does_not_depend_on_where_the_search_begins() -> None:
    economy = small_economy()
    tariff = small_tariff(economy, components=(ladder(390.0, 510.0),))
    ends = [
        solve_composed(economy, tariff, certify=False, first=Perceived(adder_usd_per_kwh=np.full((4, 1), adder)))
        for adder in (0.0, 0.15)
    ]
    np.testing.assert_allclose(*(end.equilibrium.wholesale_usd_per_kwh for end in ends), atol=1e-8)
    np.testing.assert_allclose(*(end.seen.adder_usd_per_kwh for end in ends), atol=2e-7)
    certified = solve_composed(economy, tariff)
    assert certified.equilibrium.uniqueness == "unique by Theorem U"


def test_a_first_tier_below_what_exports_earn_is_outside_the_theorem() -> None:
    economy = small_economy()
    tariff = small_tariff(economy, components=(ladder(390.0, adders=(-0.01, 0.1)),))
    assert (
        "a kWh of the first tier costs less than one fed in earns"
        in solve_composed(economy, tariff).equilibrium.uniqueness
    )
    poorer = replace(tariff, export_usd_per_kwh=tariff.export_usd_per_kwh - 0.02)
    assert solve_composed(economy, poorer).equilibrium.uniqueness == "unique by Theorem U"


@pytest.mark.parametrize("recovery", [Recovery.VOLUMETRIC, Recovery.FIXED])
def test_the_books_balance_with_the_tier_bills_in_them(recovery: Recovery) -> None:
    economy = small_economy()
    found = under(economy, ladder(390.0, 510.0), recovery=recovery, fixed_charge_usd_per_day=np.zeros(2))
    bills = found.equilibrium.bill_usd_per_day
    load, price = found.equilibrium.net_load_kw, found.equilibrium.wholesale_usd_per_kwh
    cost = float(economy.common.probability @ (load * price).sum(axis=1)) * economy.slot_hours
    assert float(economy.type_share @ bills) == pytest.approx(cost + economy.fixed_cost_usd_per_day, abs=1e-6)
    assert found.equilibrium.outcome is Outcome.CONVERGED


@pytest.mark.parametrize("adders", [(0.0, 0.06, 0.15), (0.15, 0.06, 0.0)])
def test_on_average_everybody_acts_on_its_tier_bill_over_its_month(adders: tuple[float, ...]) -> None:
    economy = small_economy()
    tiers = ladder(390.0, 510.0, adders=adders, perception=Perception.AVERAGE)
    found = under(economy, tiers)
    months = months_by_hand(economy, found)
    by_hand = [float(tiers.cost_usd(month)) / month for month in months]
    np.testing.assert_allclose(found.seen.adder_usd_per_kwh[:, 0], by_hand, atol=1e-6)
    certainty = found.equilibrium.uniqueness
    assert certainty.startswith("observed only: tiers are perceived on average")
    np.testing.assert_allclose(found.amounts.beyond_usd_per_day["tiers"], 0.0, atol=1e-5)  # adders bring it all


def test_each_season_has_a_month_of_its_own() -> None:
    scenario = load_scenario(
        "california",
        tariff="flat",
        overrides=[
            "battery_levels=4", "memory=0", "slots_per_day=24",
            "tariff.tiers.limits_kwh_per_month=[450]", "tariff.tiers.adders_usd_per_kwh=[0.0, 0.1]",
        ],
    )  # fmt: skip
    economy = preset_economy("california", "battery_levels=4", "memory=0", "slots_per_day=24")
    found = solve_composed(economy, build_rate_classes(scenario, components=True), certify=False)
    assert found.seasons.names == ("summer", "winter")
    month, adder = found.amounts.month_kwh, found.seen.adder_usd_per_kwh
    assert np.abs(month[:, 0] - month[:, 1]).max() > 10
    for place in np.ndindex(*month.shape):
        if abs(month[place] - 450) > 1e-2:
            assert adder[place] == pytest.approx(0.1 * (month[place] > 450), abs=1e-9)
    whole = (month @ found.seasons.share) / DAYS_PER_MONTH
    expected = [
        float(economy.common.probability @ (np.maximum(load, 0).sum(axis=1))) * economy.slot_hours
        for load in found.equilibrium.type_net_load_kw[[0]]
    ]
    assert whole[0] == pytest.approx(expected[0], rel=1e-9)  # the first type has no solar


def test_only_the_class_with_tiers_has_them() -> None:
    economy = small_economy()
    laddered = posted(economy, name="laddered", components=(ladder(20.0, adders=(0.0, 0.1)),))
    tariff = in_classes(
        (posted(economy, name="plain"), [("none", 0), ("none", 1)]),
        (laddered, [("pv_battery", 0), ("pv_battery", 1)]),
    )
    found = solve_composed(economy, tariff, certify=False)
    with_them = np.array([household.technology == "pv_battery" for household in economy.types])
    assert not found.seen.adder_usd_per_kwh[~with_them].any()
    assert (found.seen.adder_usd_per_kwh[with_them] > 0).all()
    assert not found.amounts.usd_per_day["tiers"][~with_them].any()


def test_a_credit_that_the_import_rate_caps_is_refused_in_one_line() -> None:
    economy = small_economy()
    with pytest.raises(ValueError, match=r"tariff small has tiers and export\.capped_at_import = true, .* give false"):
        under(economy, ladder(300.0, adders=(0.0, 0.1)), capped_at_import=True)


def test_a_plain_solver_refuses_components_in_one_line() -> None:
    economy = small_economy()
    tariff = small_tariff(economy, components=(ladder(300.0, adders=(0.0, 0.1)),))
    with pytest.raises(ValueError, match="tariff small has tiers, which this equilibrium cannot hold; give another"):
        solve_equilibrium(economy, tariff)
