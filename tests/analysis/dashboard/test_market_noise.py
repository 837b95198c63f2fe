"""A move of a key number that the market's own days would hide is no clear change; one above it keeps its verdict."""

import json
from dataclasses import replace

import numpy as np
import pytest
from compared_tariffs import solution
from scipy import stats

from meanwatt.analysis.dashboard.market.baseline import Baseline
from meanwatt.analysis.dashboard.market.frames import frame
from meanwatt.analysis.dashboard.market.history import Day, History
from meanwatt.analysis.dashboard.market.key_figures import NO_CLEAR_CHANGE, SIX, move
from meanwatt.analysis.dashboard.market.noise import LEAST_FREEDOM, day_to_day_noise, pooled_deviation
from meanwatt.analysis.dashboard.shared.compared import Compared
from meanwatt.analysis.dashboard.shared.figures import usd
from meanwatt.analysis.metrics.equity import burden_gap
from meanwatt.analysis.metrics.stability import peak_to_average, realised_imv


def lived(days: int, spread: float, tariff: str = "rtp") -> History:
    """Days whose loads, prices, bills and voltages scatter about those of the mean field."""
    found, history = solution(tariff), History()
    draws = np.random.default_rng(7)
    states = len(found.equilibrium.economy.common.probability)
    for day in range(days):
        state = day % states
        scatter = 1 + spread * draws.standard_normal(found.equilibrium.economy.slots)
        history.add(
            Day(
                common_state=state,
                net_load_kw=found.expected.net_load_kw[state] * scatter,
                wholesale_usd_per_kwh=found.expected.price_usd_per_kwh[state] * scatter,
                curtailed_kw=found.expected.curtailed_kw[state] * scatter,
                charge=None,
                tenths=None,
                bill_usd=found.bill_usd_per_month * 12 / 365 * (1 + spread * draws.standard_normal(3)),
                voltage_pu=found.voltage_pu[state] * (1 + 0.01 * spread * draws.standard_normal()),
            )
        )
    return history


def test_the_pooled_deviation_is_the_root_of_the_within_group_mean_square_that_scipy_tests_with() -> None:
    draws = np.random.default_rng(3)
    groups = np.repeat([0, 1, 5], [4, 6, 3])
    values = draws.normal(size=13) + 10 * groups
    found = pooled_deviation(values, groups.tolist())
    parts = [values[groups == group] for group in (0, 1, 5)]
    grand = values.mean()
    between = sum(len(part) * (part.mean() - grand) ** 2 for part in parts) / 2
    assert found is not None
    assert between / found**2 == pytest.approx(stats.f_oneway(*parts).statistic, rel=1e-12)


def test_weather_alone_is_no_noise_and_too_few_days_or_a_missing_number_tell_none() -> None:
    assert pooled_deviation([1, 9, 1, 9, 1, 9], [0, 1, 0, 1, 0, 1]) == 0
    assert pooled_deviation(np.arange(LEAST_FREEDOM), [0] * LEAST_FREEDOM) is None
    assert pooled_deviation([1, 2, 3, 4, np.nan], [0] * 5) is None
    assert day_to_day_noise(solution("rtp"), History()) == {}


def test_the_noise_is_that_of_the_numbers_a_day_has_by_itself() -> None:
    found, history = solution("rtp"), lived(12, 0.1)
    noise, economy = day_to_day_noise(found, history), found.equilibrium.economy
    by_day: dict[str, list[float]] = {"gap": [], "imv": [], "peak": [], "surplus": []}
    for load, price, bill in zip(history.net_load_kw, history.wholesale_usd_per_kwh, history.bill_usd, strict=True):
        burdens = [365 * paid / income for paid, income in zip(bill, economy.group_income_usd_per_year, strict=True)]
        by_day["gap"].append(100 * burden_gap(burdens))
        by_day["imv"].append(realised_imv([price]) or 0.0)
        by_day["peak"].append(peak_to_average([load]) or 0.0)
        energy = sum(p * kw * economy.slot_hours for p, kw in zip(price, load, strict=True))
        by_day["surplus"].append(float(economy.group_share @ bill) - energy - economy.fixed_cost_usd_per_day)
    for key, values in by_day.items():
        assert noise[key] == pytest.approx(pooled_deviation(values, history.states), rel=1e-9), key
    assert "efficiency" not in noise


def test_a_move_below_the_noise_is_no_clear_change_and_one_above_it_is_judged() -> None:
    figure = next(one for one in SIX if one.key == "gap")
    entry = Compared(figure=figure, a=100, b=105, difference=5)  # 0.05 percent of income
    for noise, verdict, kind in ((0.06, NO_CLEAR_CHANGE, "same"), (0.04, "worse", "bad"), (None, "worse", "bad")):
        moved = move(entry, "before", noise)
        assert moved is not None
        assert (moved["verdict"], moved["kind"], moved["difference"]) == (verdict, kind, "+0.05")
    hidden = move(entry, "before", 0.06)
    assert hidden is not None
    assert hidden["heard"].endswith(
        ", no clear change, against the tariff before: a day of this market differs from the next by 0.06"
    )
    still = move(replace(entry, b=100, difference=0), "before", 0.06)
    assert still is not None
    assert still["verdict"] == "the same"


def test_the_page_hides_the_verdict_of_what_a_wild_market_would_hide_and_shows_it_in_a_quiet_one() -> None:
    def verdicts(spread: float) -> dict[str, str]:
        before = Baseline(solution=solution("flat"), pinned=False)
        drawn = frame(solution("rtp"), lived(12, spread), 0, before=before, benchmark=None)
        return {item["key"]: item["move"]["verdict"] for item in json.loads(drawn.metrics)["items"] if item["move"]}

    quiet, wild = verdicts(1e-6), verdicts(0.5)
    assert NO_CLEAR_CHANGE not in quiet.values()
    assert {key for key, verdict in wild.items() if verdict == NO_CLEAR_CHANGE} >= {"gap", "imv", "peak"}


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(-8.2, 0, "−$8"), (8.2, 0, "$8"), (-0.3, 0, "$0"), (-0.004, 2, "$0.00"), (-0.006, 2, "−$0.01"), (1.5, 2, "$1.50")],
)
def test_the_sign_of_an_amount_stands_before_the_currency_and_nothing_has_none(
    value: float, digits: int, text: str
) -> None:
    assert usd(value, digits) == text
