"""Prices and adder found together: the same as by the search over adders, and never another than the first balance."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scenarios import preset_economy, preset_tariff, small_economy, small_tariff, solved

from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.model.mean_field.derivatives.population_sensitivity import recovery_slope, surplus_slope_usd
from meanwatt.model.mean_field.equilibrium import TOLERANCE_USD_PER_KWH, Outcome, solve_equilibrium
from meanwatt.model.mean_field.population.population_response import population_response, surplus_usd_per_day
from meanwatt.model.mean_field.solvers import joint_recovery as joint
from meanwatt.model.mean_field.solvers import revenue_recovery as recovery
from meanwatt.model.mean_field.solvers.joint_recovery import STEEP, balance_nearby
from meanwatt.model.mean_field.solvers.price_fixed_point import solve_prices
from meanwatt.model.mean_field.solvers.price_search import PriceSolution
from meanwatt.model.progress.watch import Watch

VOLUMETRIC = "tariff.recovery=volumetric"


def changed(tariff: Tariff, share: float) -> Tariff:
    """The tariff with all its rates changed by a share."""
    return replace(
        tariff,
        energy_usd_per_kwh=share * tariff.energy_usd_per_kwh,
        pass_through=min(share * tariff.pass_through, 1.0),
        export_usd_per_kwh=share * tariff.export_usd_per_kwh,
        export_pass_through=min(share * tariff.export_pass_through, 1.0),
    )


@pytest.mark.parametrize("name", ["flat", "tou", "rtp", "filed"])
@pytest.mark.parametrize(
    ("preset", "overrides"),
    [
        ("textbook", ()),
        ("textbook", ("tariff.export.rule=net_metering",)),
        ("textbook", ("tariff.export.rule=none",)),
        ("textbook", ("pv_share_scale=1.5",)),
        ("textbook", ("elasticity=0.4",)),
        ("oahu", ("memory=0", "battery_levels=9")),
        ("california", ("memory=0", "battery_levels=9", "temperature_usd=0.05")),
        ("stress", ("memory=0", "battery_levels=9", "temperature_usd=0.05", "pv_share_scale=0.5")),
    ],
)
def test_found_together_or_by_the_search_the_balance_is_the_same(
    preset: str, overrides: tuple[str, ...], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = solved(preset, name, VOLUMETRIC, *overrides, certify=True)
    tried: list[bool] = []

    def watched(*arguments: object, **more: object) -> PriceSolution | None:
        found = balance_nearby(*arguments, **more)  # type: ignore[arg-type]
        tried.append(found is not None)
        return found

    monkeypatch.setattr(recovery, "balance_nearby", watched)
    tariff = changed(start.tariff, 0.95)
    beside = solve_equilibrium(start.economy, tariff, start=start, certify=False)
    afresh = solve_equilibrium(start.economy, tariff, certify=False)
    assert beside.outcome is afresh.outcome
    assert tried == ([True] if start.at_first_root else [])
    if afresh.outcome is Outcome.CONVERGED:
        assert beside.residual_usd_per_kwh <= TOLERANCE_USD_PER_KWH
        near = {"abs": 2 * TOLERANCE_USD_PER_KWH, "rel": 0}
        assert beside.adder_usd_per_kwh == pytest.approx(afresh.adder_usd_per_kwh, **near)
        assert beside.wholesale_usd_per_kwh == pytest.approx(afresh.wholesale_usd_per_kwh, **near)
        assert not start.at_first_root or beside.iterations <= 10


def test_only_a_balance_with_an_adder_is_a_start() -> None:
    assert solved("textbook", "flat").at_first_root
    assert not solved("textbook", "filed").at_first_root
    assert not solved("textbook", "flat", "tariff.recovery=posted").at_first_root
    rich = replace(preset_tariff("textbook", "flat"), energy_usd_per_kwh=np.full((1, 24), 0.5))
    found = solve_equilibrium(preset_economy("textbook"), rich, certify=False)
    assert found.adder_usd_per_kwh == 0
    assert not found.at_first_root


# Which balances are refused, on books made up


@dataclass(frozen=True)
class MadeUp:
    """Stands for an answer of the population: only its adder and its sales are looked at."""

    adder_usd_per_kwh: float
    net_load_kw: np.ndarray
    billed_kwh_per_day: float = 10.0


def balance(surplus: Callable[[float], float], start: float, farthest: float = 0.05) -> float | None:
    """The adder that ``balance_nearby`` accepts on a surplus given as a function of the adder."""
    economy = small_economy()
    tariff = replace(small_tariff(economy), recovery=Recovery.VOLUMETRIC, pass_through=0.0, export_pass_through=0.0)
    load_kw = np.zeros(economy.rest_load_kw.shape)

    class Oracle:
        def __init__(self, **_: object) -> None:
            """Nothing is asked of the population."""

        def respond(self, _prices: object, adder: float, **_: object) -> tuple[MadeUp, float]:
            return MadeUp(adder, load_kw), abs(surplus(adder)) / 10.0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joint, "PopulationOracle", Oracle)
        patch.setattr(
            joint, "population_response", lambda _economy, _tariff, _prices, adder, **_: MadeUp(adder, load_kw)
        )
        patch.setattr(joint, "with_wholesale", lambda _game, found, _prices: found)
        patch.setattr(joint, "surplus_usd_per_day", lambda _economy, _tariff, found: surplus(found.adder_usd_per_kwh))
        found = balance_nearby(
            economy,
            tariff,
            MadeUp(start, load_kw),  # type: ignore[arg-type]
            None,
            tolerance=1e-9,
            farthest=farthest,
            watch=Watch(),
        )
    return None if found is None else found.answer.adder_usd_per_kwh


def laffer(cost: float) -> Callable[[float], float]:
    """Revenue 10 α e^(−2α), at most 1.84 at α = 0.5, less a cost."""
    return lambda adder: 10.0 * adder * np.exp(-2 * adder) - cost


def test_the_first_root_of_a_revenue_curve_is_accepted_from_nearby() -> None:
    found = balance(laffer(1.0), 0.12)
    assert found == pytest.approx(0.1295, abs=1e-4)
    assert laffer(1.0)(found) == pytest.approx(0, abs=1e-8)


def test_the_second_root_is_refused() -> None:
    """At α = 1.3 the curve falls through zero."""
    assert laffer(1.0)(1.2) > 0 > laffer(1.0)(1.4)
    assert balance(laffer(1.0), 1.3, farthest=1.0) is None


def test_a_root_next_to_the_peak_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joint, "SHRINK", 1.0)  # sales are a poor slope to start with here
    cost = 10.0 * 0.47 * np.exp(-0.94)
    assert 10.0 * (1 - 0.94) * np.exp(-0.94) < STEEP * 10.0
    assert balance(laffer(cost), 0.469) is None


def test_where_no_root_is_left_nothing_is_accepted() -> None:
    assert balance(laffer(1.9), 0.45) is None


def test_a_root_farther_off_than_a_step_of_the_search_is_refused() -> None:
    assert balance(laffer(1.0), 0.06) is None
    assert balance(laffer(1.0), 0.06, farthest=0.1) == pytest.approx(0.1295, abs=1e-4)


def test_a_root_behind_books_that_balance_without_adder_is_refused() -> None:
    assert balance(lambda adder: 10.0 * (adder - 0.02) * (adder - 0.1) / 0.1, 0.105) is None


def test_a_root_below_zero_is_refused() -> None:
    assert balance(lambda adder: 10.0 * adder + 0.1, 0.01) is None


# Derivatives


@pytest.mark.parametrize("kappa", [0.0, 0.8])
def test_the_slopes_of_the_books_are_those_of_finite_differences(kappa: float) -> None:
    economy = small_economy(temperature_usd=0.05)
    tariff = small_tariff(economy, pass_through=kappa, recovery=Recovery.VOLUMETRIC, discount=np.array([0.2, 0.0]))
    prices = 0.1 + 0.05 * np.random.default_rng(3).random(economy.rest_load_kw.shape)
    step, adder = 1e-5, 0.03
    found = population_response(economy, tariff, prices, adder)
    slope = recovery_slope(economy, tariff, found)
    for k in range(prices.size + 1):
        nudge = np.zeros(prices.size + 1)
        nudge[k] = step
        ends = [
            population_response(
                economy, tariff, prices + sign * nudge[:-1].reshape(prices.shape), adder + sign * nudge[-1]
            )
            for sign in (1, -1)
        ]
        load = (ends[0].net_load_kw - ends[1].net_load_kw).ravel() / (2 * step)
        surplus = np.subtract(*(surplus_usd_per_day(economy, tariff, end) for end in ends)) / (2 * step)
        by_load = slope.load_by_adder if k == prices.size else slope.load_by_price[:, k]
        by_surplus = slope.surplus_by_adder if k == prices.size else slope.surplus_by_price[k]
        assert by_load == pytest.approx(load, abs=1e-5)
        assert by_surplus == pytest.approx(surplus, abs=1e-5)


def test_put_together_they_give_the_slope_of_the_books_with_prices_following() -> None:
    economy = small_economy(temperature_usd=0.05)
    tariff = small_tariff(economy, recovery=Recovery.VOLUMETRIC)
    found = solve_prices(economy, tariff, 0.02, tolerance=1e-11, watch=Watch()).answer
    slope = recovery_slope(economy, tariff, found)
    steepness = economy.supply.slope(found.net_load_kw + economy.rest_load_kw).ravel()
    system = np.eye(steepness.size) - steepness[:, None] * slope.load_by_price
    follows = np.linalg.solve(system, steepness * slope.load_by_adder)
    total = slope.surplus_by_adder + slope.surplus_by_price @ follows
    assert total == pytest.approx(surplus_slope_usd(economy, tariff, found), rel=1e-8)
