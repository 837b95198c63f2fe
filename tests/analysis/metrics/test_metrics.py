"""The gathered metrics of a continuum and of a finite market."""

import dataclasses
import json

import numpy as np
import pytest

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.analysis.metrics.metrics import MarketDays, Metrics, market_metrics, mean_field_metrics
from meanwatt.model.scenario.economy import Economy, build_economy
from meanwatt.model.scenario.loading import load_scenario
from meanwatt.model.scenario.supply import SupplyCurve
from meanwatt.model.scenario.weather import common_states

KEYS = {
    "welfare_usd_per_household_day",
    "efficiency_gap_usd_per_household_day",
    "utility_usd_per_household_day",
    "wear_usd_per_household_day",
    "supply_cost_usd_per_household_day",
    "carbon_usd_per_household_day",
    "fixed_cost_usd_per_household_day",
    "surplus_usd_per_household_day",
    "burden",
    "burden_gap",
    "burden_std",
    "suits",
    "gini",
    "share_above_6_percent",
    "share_above_10_percent",
    "imv",
    "imv_log",
    "mean_wholesale_usd_per_kwh",
    "peak_to_average",
    "load_factor",
    "maximal_ramp_kw_per_hour",
}


def household(group: str, index: int, technology: str, share: float, income: float) -> HouseholdType:
    return HouseholdType(
        income_group=group,
        group=index,
        technology=technology,
        share=share,
        income_usd_per_year=income,
        reference_kw=np.ones((2, 2)),
        pv_kw=np.zeros((2, 2)),
        battery=None,
        elasticity=0.1,
        flexibility=0.5,
        reference_price_usd_per_kwh=0.2,
    )


@pytest.fixture(scope="module")
def economy() -> Economy:
    """Two states, two half-day slots, three types of round numbers; the scenario itself is never read."""
    return Economy(
        scenario=load_scenario("textbook"),
        slots=2,
        slot_hours=12.0,
        common=common_states(("sunny", "cloudy"), [[0.5, 0.5], [1.0, 0.0]], 0),  # p = (2/3, 1/3)
        supply=SupplyCurve.polynomial([0.05, 0.10], emissions_t_per_kwh=0.0005),
        rest_load_kw=np.array([[0.0, 1.0], [0.0, 0.0]]),
        shock_levels=np.ones(1),
        shock_kernel=np.ones((1, 1)),
        shock_probability=np.ones(1),
        types=(
            household("low", 0, "none", 0.5, 36_500.0),
            household("high", 1, "none", 0.25, 73_000.0),
            household("high", 1, "pv", 0.25, 73_000.0),
        ),
        groups=("low", "high"),
        group_share=np.array([0.5, 0.5]),
        group_income_usd_per_year=np.array([36_500.0, 73_000.0]),
        fixed_cost_usd_per_day=1.0,
        carbon_usd_per_t=100.0,
    )


LOAD = np.array([[1.0, 2.0], [1.0, 3.0]])
BILL = np.array([8.0, 6.0, -2.0])
UTILITY = np.array([0.1, 0.2, 0.4])
WEAR = np.array([0.0, 0.0, 0.08])


def of_the_continuum(economy: Economy, **changes: object) -> Metrics:
    price = economy.supply.price(LOAD + economy.rest_load_kw)  # [[.15, .35], [.15, .35]]
    given = {
        "wholesale_usd_per_kwh": price,
        "net_load_kw": LOAD,
        "bill_usd_per_day": BILL,
        "utility_usd_per_day": UTILITY,
        "wear_usd_per_day": WEAR,
    }
    return mean_field_metrics(economy, **(given | changes))  # type: ignore[arg-type]


def test_every_metric_of_a_small_economy_by_hand(economy: Economy) -> None:
    m = of_the_continuum(economy, first_best_welfare=-5.0)
    assert m.utility_usd_per_household_day == pytest.approx(0.05 + 0.05 + 0.1)
    assert m.wear_usd_per_household_day == pytest.approx(0.02)
    # S(x) = .05 x + .05 x²; sunny: S(1) + S(3) - S(1) = .6; cloudy: S(1) + S(3) = .7 USD/h, 12 h each
    assert m.supply_cost_usd_per_household_day == pytest.approx(12 * (2 / 3 * 0.6 + 1 / 3 * 0.7))
    # .0005 t/kWh · 100 USD/t = .05 USD/kWh; loads sum to 3 and 4 kW
    assert m.carbon_usd_per_household_day == pytest.approx(0.05 * 12 * (2 / 3 * 3 + 1 / 3 * 4))
    assert m.fixed_cost_usd_per_household_day == 1.0
    assert m.welfare_usd_per_household_day == pytest.approx(0.2 - 0.02 - 7.6 - 1.0 - 2.0)
    assert m.efficiency_gap_usd_per_household_day == pytest.approx(-5.0 + 10.42)
    # bills .5·8 + .25·6 - .25·2 = 5; energy 12·(2/3·(.15 + .7) + 1/3·(.15 + 1.05)) = 11.6
    assert m.surplus_usd_per_household_day == pytest.approx(5 - 11.6 - 1)
    assert m.burden == pytest.approx({"low": 0.08, "high": 0.01})  # 8·365/36500; (6 - 2)/2·365/73000
    assert m.burden_gap == pytest.approx(0.07)
    assert m.burden_std == pytest.approx(0.035)
    # x = 1/3, y = 4/5 for the low group: S = x - y
    assert m.suits == pytest.approx(1 / 3 - 4 / 5)
    # pairs 8,6: 2·.125; 8,-2: 10·.125; 6,-2: 8·.0625; each twice, over 2 · mean 5
    assert m.gini == pytest.approx(2 * (0.25 + 1.25 + 0.5) / 10)
    assert m.share_above_6_percent == pytest.approx(0.5)  # 8 %, 3 %, -1 %
    assert m.share_above_10_percent == 0.0
    # every step, midnight too, is .2
    assert m.imv == pytest.approx(0.2)
    assert m.imv_log == pytest.approx(np.log(0.35 / 0.15))
    assert m.mean_wholesale_usd_per_kwh == pytest.approx(0.25)
    assert m.peak_to_average == pytest.approx(3 / (2 / 3 * 1.5 + 1 / 3 * 2))
    assert m.load_factor == pytest.approx((2 / 3 * 1.5 + 1 / 3 * 2) / 3)
    assert m.maximal_ramp_kw_per_hour == pytest.approx(2 / 12)


def test_suits_weighs_types_by_their_share(economy: Economy) -> None:
    # equal bills: the low group has half the households and a third of the income; unweighted it would be -2/15
    assert of_the_continuum(economy, bill_usd_per_day=np.full(3, 4.0)).suits == pytest.approx(1 / 3 - 1 / 2)


def test_the_json_has_exactly_the_agreed_keys_and_is_strict(economy: Economy) -> None:
    written = of_the_continuum(economy).to_json()
    assert set(written) == KEYS
    assert written["efficiency_gap_usd_per_household_day"] is None
    assert json.loads(json.dumps(written, allow_nan=False)) == written


def test_undefined_metrics_are_none_and_never_nan(economy: Economy) -> None:
    exporting = of_the_continuum(
        economy, net_load_kw=-LOAD, wholesale_usd_per_kwh=np.zeros((2, 2)), bill_usd_per_day=-np.abs(BILL)
    ).to_json()
    undefined = {key for key, value in exporting.items() if value is None}
    assert undefined == {
        "efficiency_gap_usd_per_household_day",
        "suits",
        "gini",
        "imv_log",
        "peak_to_average",
        "load_factor",
    }
    json.dumps(exporting, allow_nan=False)


def test_a_market_with_the_same_shares_and_days_agrees_with_the_continuum(economy: Economy) -> None:
    # 2 : 1 : 1 households; days sunny, sunny, cloudy over and over have the frequencies p and never two cloudy
    mean_field = of_the_continuum(economy, first_best_welfare=-5.0).to_json()
    day = np.tile([0, 0, 1], 200)
    kind = np.array([0, 1, 0, 2])
    price = economy.supply.price(LOAD + economy.rest_load_kw)
    market = market_metrics(
        economy,
        MarketDays(wholesale_usd_per_kwh=price[day], net_load_kw=LOAD[day], rest_load_kw=economy.rest_load_kw[day]),
        household_type=kind,
        bill_usd_per_day=BILL[kind],
        utility_usd_per_household_day=0.2,
        wear_usd_per_household_day=0.02,
        first_best_welfare=-5.0,
    ).to_json()
    assert market.pop("burden") == pytest.approx(mean_field.pop("burden"))
    # every price step is .2 whatever the weather, so the volatility agrees too
    assert market == pytest.approx(mean_field)


def test_a_market_without_a_group_leaves_its_burden_undefined(economy: Economy) -> None:
    market = market_metrics(
        economy,
        MarketDays(wholesale_usd_per_kwh=[[0.1, 0.2]], net_load_kw=[[1.0, 1.0]], rest_load_kw=[[0.0, 0.0]]),
        household_type=[1, 2],
        bill_usd_per_day=[3.0, 1.0],
        utility_usd_per_household_day=0.0,
        wear_usd_per_household_day=0.0,
    )
    assert market.burden["low"] is None
    assert market.burden["high"] == pytest.approx(2 * 365 / 73_000)
    assert (market.burden_gap, market.burden_std) == (0, 0)


def test_every_preset_type_has_its_place() -> None:
    real = build_economy(load_scenario("textbook"))
    shape = real.rest_load_kw.shape
    types = len(real.types)
    income = np.array([each.income_usd_per_year for each in real.types])
    m = mean_field_metrics(
        real,
        wholesale_usd_per_kwh=np.full(shape, 0.15),
        net_load_kw=np.ones(shape),
        bill_usd_per_day=0.04 * income / 365,
        utility_usd_per_day=np.zeros(types),
        wear_usd_per_day=np.zeros(types),
    )
    assert m.burden == pytest.approx(dict.fromkeys(real.groups, 0.04))
    assert m.suits == pytest.approx(0, abs=1e-12)
    assert m.burden_gap == pytest.approx(0, abs=1e-12)
    # 24 kWh at .15, and K from the bills
    assert m.surplus_usd_per_household_day == pytest.approx(
        real.type_share @ (0.04 * income / 365) - 24 * 0.15 - real.fixed_cost_usd_per_day
    )


def test_metrics_refuse_a_number_that_json_cannot_hold(economy: Economy) -> None:
    with pytest.raises(ValueError, match="metric gini is nan; give a finite number, or None"):
        dataclasses.replace(of_the_continuum(economy), gini=float("nan"))
    with pytest.raises(ValueError, match=r"metric burden\.low is inf"):
        dataclasses.replace(of_the_continuum(economy), burden={"low": float("inf")})


def test_arrays_that_do_not_fit_the_economy_are_refused(economy: Economy) -> None:
    with pytest.raises(ValueError, match=r"net_load_kw has shape \(1, 2\); give \(2, 2\)"):
        of_the_continuum(economy, net_load_kw=LOAD[:1])
    with pytest.raises(ValueError, match=r"bill_usd_per_day has shape \(2,\); give \(3,\), axes \(household type,\)"):
        of_the_continuum(economy, bill_usd_per_day=BILL[:2])
    with pytest.raises(ValueError, match=r"wear_usd_per_day is nan at index \[0\]"):
        of_the_continuum(economy, wear_usd_per_day=[np.nan, 0, 0])
    days = MarketDays(wholesale_usd_per_kwh=[[0.1]], net_load_kw=[[1.0]], rest_load_kw=[[0.0]])
    market = {
        "bill_usd_per_day": [1.0],
        "utility_usd_per_household_day": 0.0,
        "wear_usd_per_household_day": 0.0,
    }
    with pytest.raises(ValueError, match="household_type is 3 at index 0; give indices from 0 to 2"):
        market_metrics(economy, days, household_type=[3], **market)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"household_type has shape \(0,\); give one index a household"):
        market_metrics(economy, days, household_type=[], **market)  # type: ignore[arg-type]
