"""Bills of components in the finite market: household by household and month by month, as in plain loops."""

from functools import cache

import numpy as np
import pytest
from scenarios import preset_economy, solved

from meanwatt.agents.tariff.components.component import DAYS_PER_MONTH
from meanwatt.analysis.simulation.simulation import simulate
from meanwatt.model.market.billing_months import ends_month
from meanwatt.model.market.component_bills import ComponentBills
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.components.settled import market_equilibrium
from meanwatt.model.mean_field.components.solving import Composed, solve_composed
from meanwatt.model.scenario.economy import build_rate_classes
from meanwatt.model.scenario.loading import load_scenario

COARSE = "battery_levels=4"
MINIMUM = ("tariff.minimum_bill.usd_per_month=45",)
ALL = (
    "tariff.tiers.limits_kwh_per_month=[300, 420]",
    "tariff.tiers.adders_usd_per_kwh=[-0.01, 0.05, 0.1]",
    "tariff.demand_charge.usd_per_kw_month=4",
    "tariff.demand_charge.window=['16-22']",
    "tariff.subscription.usd_per_kwh=0.15",
    "tariff.subscription.contracted_share=0.5",
    "tariff.discount={low=0.2, middle=0, high=0}",
    "tariff.discount_funding.by=per_kwh",
    *MINIMUM,
)
DAYS, HOUSEHOLDS = 40, 60


@cache
def composed(tariff: str, *components: str) -> Composed:
    scenario = load_scenario("textbook", tariff=tariff, overrides=[COARSE, *components])
    return solve_composed(
        preset_economy("textbook", COARSE), build_rate_classes(scenario, components=True), certify=False
    )


def lived(
    found: Composed, behaviour: str = "equilibrium"
) -> tuple[ProsumerMarket, ComponentBills, list[np.ndarray], list[np.ndarray]]:
    """A market and its bills, with every day's meters and wholesale prices."""
    market = ProsumerMarket(policies=market_equilibrium(found), scenario=found.economy, households=HOUSEHOLDS,
                            rng=(5, 1), power_flow=False, behaviour=behaviour)  # fmt: skip
    bills, meters, prices = ComponentBills(found, market), [], []
    for _ in range(DAYS):
        market.step()
        bills.after_day()
        meters.append(market.population.energy_kwh.astype(float))
        prices.append(market.prices_seen[market.common_state].copy())
    bills.bill()
    return market, bills, meters, prices


UNAWARE = "belief=.4,qlearning=.3,passive=.3"


@pytest.mark.parametrize(
    ("tariff", "behaviour"), [("rtp", "equilibrium"), ("tou", "equilibrium"), ("rtp", UNAWARE), ("tou", "belief")]
)
def test_every_home_pays_its_own_months_as_in_plain_loops(tariff: str, behaviour: str) -> None:
    found = composed(tariff, *ALL)
    market, _, meters, prices = lived(found, behaviour)
    base, equilibrium = found.base_tariff, found.equilibrium
    adder, surcharge = equilibrium.adder_usd_per_kwh, found.seen.surcharge_usd_per_kwh
    fixed = equilibrium.fixed_charge_usd_per_day
    for home in range(0, HOUSEHOLDS, 7):
        kind = market.population.type_of(home)
        household = found.economy.types[kind]
        kept = 1 - float(base.discount[household.group])
        total = 0.0
        for first, last in ((0, 31), (31, DAYS)):
            bill, kwh, peak = 0.0, 0.0, 0.0
            for day in range(first, last):
                bill += float(fixed[equilibrium.tariff.payer(household)])
                for h in range(24):
                    energy = meters[day][home, h]
                    whole = base.energy_usd_per_kwh[0, h] + base.pass_through * prices[day][h] + adder
                    credit = base.export_usd_per_kwh[0, h] + base.export_pass_through * prices[day][h]
                    bill += energy * (kept * whole if energy > 0 else credit)
                    kwh += max(energy, 0.0)
                    peak = max(peak, energy) if 16 <= h < 22 else peak
                    contracted = 0.5 * max(household.reference_kw[0, h] - household.pv_kw[0, h], 0.0)
                    bill += (0.15 - kept * whole) * contracted
            months = (last - first) / DAYS_PER_MONTH
            bill += -0.01 * kwh + 0.06 * max(kwh - 300 * months, 0) + 0.05 * max(kwh - 420 * months, 0)
            bill += 4 * months * peak + surcharge * kwh
            total += max(bill, 45 * months)
        assert market.population.bill_usd[home] == pytest.approx(total, abs=1e-5)


def test_records_account_and_bills_agree_with_the_components_in_them() -> None:
    found = composed("rtp", *ALL)
    market, bills, *_ = lived(found)
    billed = float(market.population.bill_usd.sum())
    assert float(market.history.class_days["bill_usd"].sum()) == pytest.approx(billed, abs=1e-6)
    assert market.utility.account.revenue_usd == pytest.approx(billed, abs=1e-6)
    rows = {row.component: row for row in bills.rows()}
    assert set(rows) == {"tiers", "demand_charge", "subscription", "discount_funding", "minimum_bill"}
    for name, row in rows.items():
        for kind, count in enumerate(market.population.count.tolist()):
            own = bills.charged_usd[name][market.population.of_type(kind)]
            assert row.billed_usd[kind] == pytest.approx(own.sum() / (count * DAYS), abs=1e-12)


@pytest.mark.parametrize("behaviour", ["equilibrium", UNAWARE])
def test_a_component_that_nobody_sees_changes_no_bit_of_what_households_do(behaviour: str) -> None:
    plain = solved("textbook", "rtp", COARSE)
    market = ProsumerMarket(scenario=plain.economy, policies=plain, households=HOUSEHOLDS, rng=(5, 1), power_flow=False,
                            behaviour=behaviour)  # fmt: skip
    for _ in range(DAYS):
        market.step()
    assert lived(composed("rtp", *MINIMUM), behaviour)[0].day_digest == market.day_digest


def test_bills_of_types_without_a_choice_meet_their_expected_month() -> None:
    """Homes without a battery differ from one another by their shocks alone; over a year their months are alike."""
    found = composed("rtp", *ALL[:2])
    market = market_equilibrium(found)
    done = simulate(found.economy, market.tariff, equilibrium=market, composed=found, behaviour="equilibrium",
                    households=120, days=365, seed=3, power_flow=False)  # fmt: skip
    (row,) = done.components
    for kind, household in enumerate(found.economy.types):
        month = found.amounts.month_kwh[kind, 0]
        inside = min(abs(month - limit) for limit in (300.0, 420.0)) > 15
        if household.technology == "none" and inside:
            assert row.billed_usd[kind] == pytest.approx(row.expected_usd[kind], rel=0.02)


def test_twelve_months_make_a_year_and_a_calendar_year_has_its_own() -> None:
    ends = [day + 1 for day in range(365) if ends_month(day, None)]
    assert len(ends) == 12
    assert ends[-1] == 365
    assert set(np.diff([0, *ends])) == {30, 31}
    leap = [day + 1 for day in range(366) if ends_month(day, 2028)]
    assert leap[:3] == [31, 60, 91]
    assert leap[-1] == 366
