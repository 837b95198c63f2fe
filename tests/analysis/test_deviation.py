"""What one of N households could gain: bounds, limits, and its best use against a search over a grid."""

from dataclasses import replace

import numpy as np
import pytest
from scenarios import small_economy, small_tariff, solved

from agents.battery import grid_power_kw
from agents.demand import utility_usd_per_hour
from agents.tariff import ExportRule, rates
from analysis.deviation import best_outcome, finite_exploitability_usd_per_day, own_rates
from analysis.scaling import power_slope
from model.mean_field.equilibrium import Equilibrium, solve_equilibrium


def small(**changes: object) -> Equilibrium:
    """The small world at real-time prices that pass through alike for imports and exports."""
    scenario = {name: changes.pop(name) for name in list(changes) if name in SCENARIO}
    economy = small_economy(**scenario)
    return solve_equilibrium(economy, small_tariff(economy, **changes), certify=False)


SCENARIO = ("discount_per_day", "value_rule", "temperature_usd", "elasticity", "steepness")
WORLDS = {
    "real-time price": lambda: small(),
    "discounted": lambda: small(discount_per_day=0.7),
    "inelastic": lambda: small(elasticity=0.0),
    "net metering, a group discount": lambda: small(export_rule=ExportRule.NET_METERING, discount=np.array([0.3, 0.0])),
    "exports for nothing": lambda: small(export_rule=ExportRule.NONE),
    "textbook flat": lambda: solved("textbook", "flat"),
    "textbook rtp": lambda: solved("textbook", "rtp"),
}


@pytest.fixture(scope="module", params=WORLDS)
def found(request: pytest.FixtureRequest) -> Equilibrium:
    return WORLDS[request.param]()


def test_in_an_endless_crowd_it_is_the_exploitability_of_the_equilibrium(found: Equilibrium) -> None:
    limit = finite_exploitability_usd_per_day(found, np.inf)
    assert limit == pytest.approx(found.exploitability_usd_per_household_day, abs=1e-8)


def test_nobody_loses_by_a_best_reply(found: Equilibrium) -> None:
    for households in (1, 2, 10, 1000):
        assert finite_exploitability_usd_per_day(found, households) >= -1e-9


def test_the_distance_to_the_limit_falls_as_one_over_the_crowd(found: Equilibrium) -> None:
    """In the end: where prices are nearly flat the best reply keeps switching up to some ten thousand households."""
    sizes = np.array([1e5, 1e6, 1e7])
    limit = finite_exploitability_usd_per_day(found, np.inf)
    error = np.array([finite_exploitability_usd_per_day(found, n) for n in sizes]) - limit
    assert power_slope(sizes, error) == pytest.approx(-1.0, abs=0.03)


def test_own_rates_at_no_impact_are_the_rates_of_the_tariff(found: Equilibrium) -> None:
    posted = rates(found.tariff, found.economy.common.today, found.wholesale_usd_per_kwh, found.adder_usd_per_kwh)
    for group, discount in enumerate(found.tariff.discount):
        own, seen = found.tariff.for_group(posted, group), own_rates(found, float(discount), np.inf)
        assert np.allclose(seen.import_base, own.import_usd_per_kwh, atol=1e-9)
        assert np.allclose(seen.export_base, own.export_usd_per_kwh, atol=1e-9)
        assert not seen.import_slope.any()
        assert not seen.export_slope.any()


@pytest.mark.parametrize("households", [1, 3, 50])
def test_the_best_use_beats_every_other_use_on_a_grid(found: Equilibrium, households: int) -> None:
    """What the household expects to pay with n: (price of the others' load and its own share) · n, written out anew."""
    economy, tariff = found.economy, found.tariff
    hours = economy.slot_hours
    for household in economy.types[:: max(1, len(economy.types) - 1)]:
        discount = float(tariff.discount[household.group])
        seen = own_rates(found, discount, households)
        best = best_outcome(economy, household, seen)
        reference = household.reference_kw[:, :, None, None] * economy.shock_levels[:, None]
        free = household.pv_kw[:, :, None, None] - grid_power_kw(household.battery, best.moves, hours)

        def reward(use_kw: np.ndarray) -> np.ndarray:
            net = use_kw - free  # noqa: B023 - called at once
            others = found.net_load_kw * (1 - 1 / households) + economy.rest_load_kw
            price = economy.supply.price(others[:, :, None, None] + net / households)
            energy = tariff.energy_usd_per_kwh[economy.common.today][:, :, None, None]
            bought = (1 - discount) * (energy + tariff.pass_through * price + found.adder_usd_per_kwh)  # noqa: B023
            sold = {
                ExportRule.NET_METERING: bought,
                ExportRule.NET_BILLING: tariff.export_usd_per_kwh[economy.common.today][:, :, None, None]
                + tariff.export_pass_through * price,
                ExportRule.NONE: np.zeros_like(bought),
            }[tariff.export_rule]
            paid = np.where(net > 0, bought, sold) * net
            terms = {
                "elasticity": household.elasticity,  # noqa: B023
                "reference_price": household.reference_price_usd_per_kwh,  # noqa: B023
            }
            return hours * (utility_usd_per_hour(use_kw, reference, **terms) - paid)  # noqa: B023

        top = reward(best.use_kw)
        assert np.allclose(top, best.utility_usd - best.payment_usd, atol=1e-12)
        flexibility = household.flexibility if household.elasticity else 0.0
        for factor in np.linspace(1 - flexibility, 1 + flexibility, 101):
            assert (reward(np.broadcast_to(factor * reference, top.shape)) <= top + 1e-12).all()


@pytest.mark.parametrize("households", [1, 3, 30, 1000])
@pytest.mark.parametrize("slots", [3, 24])
def test_without_batteries_it_is_the_square_of_the_own_load_over_the_crowd(households: int, slots: int) -> None:
    """In closed form, for s(x) = a + b x and use within its flexibility (docs/theory.md, F3):

    ε_N = Σ_g w_g Σ_h Δ·(b(L_h − 2 q_gh)/N)² / (2(p0/(ε q0_gh) + 2b/N)).
    """
    economy = small_economy(battery_share=0.0, slots=slots, weather=np.ones((1, 1)))
    calm = {"shock_levels": np.ones(1), "shock_kernel": np.ones((1, 1)), "shock_probability": np.ones(1)}
    types = tuple(replace(one, flexibility=1.0, elasticity=0.2) for one in economy.types)
    economy = replace(economy, types=types, **calm)
    found = solve_equilibrium(economy, small_tariff(economy), certify=False)
    b = float(economy.supply.slope(0.0))
    expected = 0.0
    for k, one in enumerate(types):
        q = found.type_net_load_kw[k, 0]
        assert (np.abs(q / one.reference_kw[0] - 1) < 0.3).all()  # the range of use never binds
        curvature = one.reference_price_usd_per_kwh / (one.elasticity * one.reference_kw[0]) + 2 * b / households
        gain = (b * (found.net_load_kw[0] - 2 * q) / households) ** 2 / (2 * curvature)
        expected += one.share * economy.slot_hours * float(gain.sum())
    assert finite_exploitability_usd_per_day(found, households) == pytest.approx(expected, rel=1e-6, abs=1e-14)
