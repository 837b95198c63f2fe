"""Revenue recovery: the smallest adder, the break-even prices known from outside, and the death spiral."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenarios import preset_economy, preset_tariff, small_economy, small_tariff, solved
from scipy.optimize import brentq

from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.model.mean_field.equilibrium import Outcome, solve_equilibrium
from meanwatt.model.mean_field.population.population_response import surplus_usd_per_day
from meanwatt.model.mean_field.solvers import revenue_recovery as recovery
from meanwatt.model.mean_field.solvers.price_fixed_point import solve_prices
from meanwatt.model.mean_field.solvers.revenue_recovery import Recovered, balancing_fixed_charge, smallest_adder
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy

NET_METERING = "tariff.export.rule=net_metering"
SPIRAL = ("stress", "flat", "memory=0", "temperature_usd=0.1", "flexibility=0.5", NET_METERING)
"""The pathological preset, warmer and without memory so that it is solved in a second."""
LEVELS = dict.fromkeys(("oahu", "california"), ("battery_levels=8",))
"""Few levels of charge where the price that breaks even hardly depends on them: it moves by 2 %."""


# The search itself, on revenue curves made up


@dataclass(frozen=True)
class MadeUp:
    """Stands for an answer of the population: only its adder, its sales and its accuracy are looked at."""

    adder_usd_per_kwh: float
    billed_kwh_per_day: float
    accuracy_usd_per_kwh: float


@dataclass(frozen=True)
class MadeUpSolution:
    """Stands for a price solution."""

    answer: MadeUp


@cache
def small_world() -> tuple[Economy, Tariff]:
    """What the search is told about; of it, it looks only at the adder's cap."""
    economy = small_economy()
    return economy, small_tariff(economy)


def search(
    surplus: Callable[[float], float], sold: Callable[[float], float], cap: float = 2.0, error: float = 0.0
) -> Recovered:
    """``smallest_adder`` on a surplus given as a function of the adder.

    Books are off by ``error`` times the accuracy to which the prices were asked for, on every unit sold without adder.
    """
    economy, small = small_world()
    tariff = replace(small, adder_cap_usd_per_kwh=cap)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            recovery,
            "solve_prices",
            lambda economy, tariff, adder, *, tolerance, **_: MadeUpSolution(MadeUp(adder, sold(adder), tolerance)),
        )
        patch.setattr(recovery, "_exact_slope", lambda *_: None)
        patch.setattr(
            recovery,
            "surplus_usd_per_day",
            lambda e, t, found: surplus(found.adder_usd_per_kwh) + error * sold(0.0) * found.accuracy_usd_per_kwh,
        )
        return smallest_adder(economy, tariff, tolerance=1e-9, watch=Watch())


def laffer(sales: float, scale: float, cost: float) -> tuple[Callable[[float], float], Callable[[float], float]]:
    """Sales that fall exponentially with the adder: surplus, and sales."""
    return lambda a: sales * a * np.exp(-a / scale) - cost, lambda a: sales * np.exp(-a / scale)


@settings(max_examples=60)
@given(st.floats(1, 30), st.floats(0.05, 3), st.floats(0.01, 0.99))
def test_the_first_of_the_two_roots_of_a_revenue_curve_is_found(sales: float, scale: float, share: float) -> None:
    cap = 2.0
    peak = sales * min(scale, cap) * np.exp(-min(scale, cap) / scale)
    surplus, sold = laffer(sales, scale, share * peak)
    found = search(surplus, sold, cap)
    adder = found.prices.answer.adder_usd_per_kwh
    assert found.adequate
    # the adder is asked for within 1e-9: the surplus may miss zero by that times the sales
    assert surplus(adder) == pytest.approx(0, abs=1e-9 * sales)
    assert found.surplus_usd_per_day == surplus(adder)
    below = np.linspace(0, adder - 1e-6, 2000)
    assert (np.array([surplus(a) for a in below]) < 0).all()


@pytest.mark.parametrize("error", [1.0, -1.0])
def test_prices_known_only_roughly_far_from_the_balance_do_not_mislead_the_search(error: float) -> None:
    for share in np.concatenate([np.geomspace(1e-9, 1e-2, 60), np.linspace(0.011, 0.989, 160)]):
        surplus, sold = laffer(10.0, 0.5, share * 10.0 * 0.5 / np.e)
        found = search(surplus, sold, error=error)
        adder = found.prices.answer.adder_usd_per_kwh
        assert found.adequate
        assert surplus(adder) == pytest.approx(0, abs=2e-8), f"cost is {share} of the peak of revenue"


@settings(max_examples=40)
@given(st.floats(1, 30), st.floats(0.05, 1.5), st.floats(1.001, 5))
def test_where_the_peak_of_revenue_is_below_cost_the_smallest_shortfall_is_reported(
    sales: float, scale: float, excess: float
) -> None:
    peak = sales * scale / np.e
    surplus, sold = laffer(sales, scale, excess * peak)
    found = search(surplus, sold)
    assert not found.adequate
    shortfall = -found.surplus_usd_per_day
    # the peak lies at the scale; its place is asked for within 1e-4, where the curve is flat
    assert shortfall == pytest.approx((excess - 1) * peak, abs=1e-4 * sales)


@given(st.floats(0, 5))
def test_revenue_that_suffices_needs_no_adder(extra: float) -> None:
    found = search(lambda a: extra + a, lambda a: 1.0)
    assert found.adequate
    assert found.prices.answer.adder_usd_per_kwh == 0
    assert found.surplus_usd_per_day == extra


def test_revenue_that_never_suffices_below_the_cap_is_not_stretched_beyond_it() -> None:
    found = search(lambda a: a - 3.0, lambda a: 1.0, cap=2.0)
    assert not found.adequate
    assert found.prices.answer.adder_usd_per_kwh == pytest.approx(2.0)
    assert found.surplus_usd_per_day == pytest.approx(-1.0)


def test_revenue_that_falls_from_the_start_is_best_without_an_adder() -> None:
    found = search(lambda a: -1.0 - a, lambda a: -1.0)
    assert not found.adequate
    assert found.prices.answer.adder_usd_per_kwh == pytest.approx(0, abs=1e-3)
    assert found.surplus_usd_per_day == pytest.approx(-1.0, abs=1e-3)


def test_a_window_of_adequacy_narrower_than_a_step_is_found() -> None:
    # short of 1 but for a peak of .05 at .523, 2 cents wide; the march goes by steps of 5 cents
    found = search(lambda a: 1.05 * np.exp(-(((a - 0.523) / 0.03) ** 2)) - 1, lambda a: -1.0)
    assert found.adequate
    assert found.surplus_usd_per_day == pytest.approx(0, abs=1e-7)
    # 1.05 exp(−x²) = 1 at x = √ln 1.05 = .2209, times .03 below the peak
    assert found.prices.answer.adder_usd_per_kwh == pytest.approx(0.523 - 0.03 * 0.2209, abs=1e-5)


# The search on economies


def surplus_at(economy: Economy, name: str, adder: float, *overrides: str, preset: str = "textbook") -> float:
    tariff = preset_tariff(preset, name, *overrides)
    solved_there = solve_prices(economy, tariff, adder, tolerance=1e-9, watch=Watch())
    assert solved_there.converged
    return surplus_usd_per_day(economy, tariff, solved_there.answer)


@pytest.mark.parametrize("overrides", [(), ("pv_share_scale=1.5", NET_METERING)])
def test_every_smaller_adder_leaves_a_shortfall(overrides: tuple[str, ...]) -> None:
    found = solved("textbook", "flat", *overrides)
    below = np.linspace(0, found.adder_usd_per_kwh - 1e-4, 15)
    gaps = [surplus_at(found.economy, "flat", adder, *overrides) for adder in below]
    assert (np.array(gaps) < 0).all()
    assert surplus_at(found.economy, "flat", found.adder_usd_per_kwh + 1e-4, *overrides) > 0


def test_a_second_root_exists_and_is_not_taken() -> None:
    overrides = ("pv_share_scale=1.5", NET_METERING)
    found = solved("textbook", "flat", *overrides)
    gaps = [surplus_at(found.economy, "flat", adder, *overrides) for adder in (0.3, 1.2)]
    assert gaps[0] > 0 > gaps[1], "revenue covers cost beyond the first root, and no more far beyond it"
    assert found.adder_usd_per_kwh < 0.3


def test_a_rate_that_covers_all_cost_gets_no_adder_and_its_surplus_is_reported() -> None:
    economy = preset_economy("textbook")
    dear = replace(preset_tariff("textbook", "flat"), energy_usd_per_kwh=np.full((1, 24), 0.25))
    found = solve_equilibrium(economy, dear, certify=False)
    assert found.outcome is Outcome.CONVERGED
    assert found.adder_usd_per_kwh == 0
    assert found.surplus_usd_per_household_day > 0.1


def test_the_death_spiral_is_a_result_and_not_a_crash() -> None:
    found = solved(*SPIRAL)
    assert found.outcome is Outcome.NO_ADEQUATE_TARIFF
    assert found.converged, "prices did answer themselves"
    shortfall = -found.surplus_usd_per_household_day
    assert shortfall > 1
    assert 0 <= found.adder_usd_per_kwh <= 2
    assert found.message == (
        "No revenue-adequate tariff: up to an adder of 2 USD/kWh revenue never covers cost; the smallest shortfall"
        f" found is {shortfall:.3f} USD per household-day at an adder of {found.adder_usd_per_kwh:.3f} USD/kWh."
        " Raise the fixed charge, or credit exports below the retail rate."
    )


def test_no_adder_on_a_grid_up_to_the_cap_has_a_smaller_shortfall() -> None:
    found = solved(*SPIRAL)
    gaps = [surplus_at(found.economy, "flat", adder, *SPIRAL[2:], preset="stress") for adder in np.linspace(0, 2, 21)]
    assert max(gaps) < 0
    assert max(gaps) <= found.surplus_usd_per_household_day + 1e-3


def test_a_fixed_charge_ends_the_spiral() -> None:
    found = solved(*SPIRAL)
    missing = -found.surplus_usd_per_household_day
    charged = replace(found.tariff, fixed_charge_usd_per_day=np.full(3, missing + 0.05))
    saved = solve_equilibrium(found.economy, charged, certify=False)
    assert saved.outcome is Outcome.CONVERGED
    assert saved.adder_usd_per_kwh <= found.adder_usd_per_kwh


@pytest.mark.parametrize(
    ("preset", "overrides", "usd_per_kwh"),
    [
        ("textbook", ("pv_share_scale=0",), 0.185),
        ("textbook", (NET_METERING,), 0.238),
        ("textbook", (), 0.187),
        ("oahu", ("pv_share_scale=0",), 0.427),
        ("oahu", (NET_METERING,), 0.527),
        ("oahu", (), 0.433),
        ("california", ("pv_share_scale=0",), 0.350),
        ("california", (NET_METERING,), 0.377),
        ("california", (), 0.343),
        ("stress", ("pv_share_scale=0",), 0.427),
        ("stress", ("memory=0", NET_METERING), 1.69),
        ("stress", (), 0.552),
    ],
)
def test_flat_prices_that_break_even_are_those_of_an_independent_linear_program(
    preset: str, overrides: tuple[str, ...], usd_per_kwh: float
) -> None:
    """The targets come from another model (a linear program over 24 hours, no demand response): 15 % is its error."""
    found = solved(preset, "flat", *LEVELS.get(preset, ()), *overrides)
    assert found.outcome is Outcome.CONVERGED
    price = found.rates.import_usd_per_kwh
    assert np.ptp(price) < 1e-12, "flat"
    assert price[0, 0] == pytest.approx(usd_per_kwh, rel=0.15)


@pytest.mark.parametrize("preset", ["textbook", "oahu", "california", "stress"])
def test_the_reference_price_breaks_even_without_solar(preset: str) -> None:
    """At that price everybody uses the reference: the price is the mean cost of the reference load."""
    economy = preset_economy(preset, "pv_share_scale=0")
    load_kw = economy.mean_reference_kw
    chance = economy.common.probability
    cost = chance @ (economy.supply.price(load_kw) * load_kw).sum(axis=1) + economy.fixed_cost_usd_per_day
    price = cost / (chance @ load_kw.sum(axis=1))
    assert price == pytest.approx(economy.scenario.reference_price_usd_per_kwh, rel=2e-3)
    found = solved(preset, "flat", "pv_share_scale=0")
    assert found.rates.import_usd_per_kwh[0, 0] == pytest.approx(price, rel=2e-3)


def test_balancing_charges_by_hand() -> None:
    # shares 1/2 and 1/2, shape 1 : 3, mean shape 2; a gap of 0.8 needs a level of .4: charges .4 and 1.2
    economy = small_economy()
    tariff = small_tariff(economy, recovery=Recovery.FIXED, fixed_charge_shape=np.array([1.0, 3.0]))
    assert balancing_fixed_charge(economy, tariff, -0.8) == pytest.approx(np.array([0.4, 1.2]))
    assert balancing_fixed_charge(economy, tariff, 0.8) == pytest.approx(np.array([-0.4, -1.2]))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("jump", [0.0, 5.0])
def test_the_last_bracket_closes_on_the_root_that_brentq_finds_also_across_a_jump(seed: int, jump: float) -> None:
    rng = np.random.default_rng(seed)
    root, bend, slope, tolerance = rng.uniform(0.02, 0.98), rng.uniform(1, 9), 10 ** rng.uniform(-3, 3), 1e-10

    def surplus(adder: float) -> float:
        away = adder - root
        return slope * (away + bend * away**3) + (jump if away >= 0 else -jump)

    calls: list[float] = []

    def counted(adder: float) -> float:
        calls.append(adder)
        return surplus(adder)

    found = recovery._root_between(counted, 0.0, 1.0, tolerance)
    assert abs(found - brentq(surplus, 0.0, 1.0, xtol=1e-12)) <= tolerance
    assert len(calls) <= 120  # bisection, which no bracket is worse than three times, takes 34
