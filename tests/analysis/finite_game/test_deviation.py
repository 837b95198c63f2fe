"""What one of N households could gain: bounds, limits, and its best use against a search over a grid."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scenarios import real_time, small_economy, small_tariff, solved, toy
from slow_oracles import occupation_optimum

from meanwatt.agents.household.battery import grid_power_kw
from meanwatt.agents.household.demand import utility_usd_per_hour
from meanwatt.agents.tariff.tariff import ExportRule, rates
from meanwatt.analysis.finite_game.deviation import best_outcome, finite_exploitability_usd_per_day, own_rates
from meanwatt.analysis.validation.scaling import power_slope
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.population.population_response import decision_problem
from meanwatt.model.mean_field.population.ties import parts_somewhere
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.supply import SupplyCurve


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
def test_the_best_use_beats_every_other_use_and_curtailment_on_a_grid(found: Equilibrium, households: int) -> None:
    """What the household expects to pay with n: (price of the others' load and its own share) · n, written out anew."""
    economy, tariff = found.economy, found.tariff
    hours = economy.slot_hours
    for household in economy.types[:: max(1, len(economy.types) - 1)]:
        discount = float(tariff.discount[household.group])
        seen = own_rates(found, discount, households)
        best = best_outcome(economy, household, seen)
        reference = household.reference_kw[:, :, None, None] * economy.shock_levels[:, None]
        free = household.pv_kw[:, :, None, None] - grid_power_kw(household.battery, best.moves, hours)

        def reward(use_kw: np.ndarray, net: np.ndarray) -> np.ndarray:
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

        spilt = best.net_load_kw - (best.use_kw - free)
        assert spilt.min() >= -1e-12
        assert (spilt <= household.pv_kw[:, :, None, None] + 1e-12).all()
        top = reward(best.use_kw, best.net_load_kw)
        assert np.allclose(top, best.utility_usd - best.payment_usd, atol=1e-12)
        flexibility = household.flexibility if household.elasticity else 0.0
        for factor in np.linspace(1 - flexibility, 1 + flexibility, 41):
            for part in np.linspace(0.0, 1.0, 11):
                use = np.broadcast_to(factor * reference, top.shape)
                assert (reward(use, use - free + part * household.pv_kw[:, :, None, None]) <= top + 1e-12).all()


@pytest.mark.parametrize("households", [1, 3, 30, 1000])
@pytest.mark.parametrize("slots", [3, 24])
def test_without_batteries_it_is_the_square_of_the_own_load_over_the_crowd(households: int, slots: int) -> None:
    """In closed form, for s(x) = a + b x and use within its flexibility (docs/reference/theory.md, F3):

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


# Households that part, and those that curtail


STEPS = 120
"""Of use, and of curtailed sun, in the enumeration."""


def two_day_types(seed: int = 0, **scenario: object) -> Economy:
    """A small world with two slots and two kinds of weather, so that everything can be enumerated."""
    weather = np.array([[0.6, 0.4], [0.3, 0.7]])
    return small_economy(temperature_usd=0.02, slots=2, levels=3, weather=weather, seed=seed, **scenario)


def credit_above_import() -> Equilibrium:
    economy = replace(two_day_types(seed=3), supply=SupplyCurve.polynomial([-0.1, 0.2]))
    credit, discount = np.full((2, 2), 0.1), np.array([0.2, 0.0])
    return solve_equilibrium(economy, small_tariff(economy, export_usd_per_kwh=credit, discount=discount))


def much_sun(supply: SupplyCurve) -> Economy:
    economy = two_day_types(seed=3)
    return replace(economy, types=tuple(replace(home, pv_kw=3 * home.pv_kw) for home in economy.types), supply=supply)


def price_at_zero() -> Equilibrium:
    economy, zero = much_sun(SupplyCurve.polynomial([-0.05, 0.2])), np.zeros((2, 2))
    return solve_equilibrium(economy, small_tariff(economy, energy_usd_per_kwh=zero, export_usd_per_kwh=zero))


def floor_and_credit() -> Equilibrium:
    economy = much_sun(SupplyCurve.polynomial([-0.05, 0.2], floor_usd_per_kwh=-0.02))
    bought, sold = np.full((2, 2), 0.01), np.full((2, 2), 0.02)
    return solve_equilibrium(economy, small_tariff(economy, energy_usd_per_kwh=bought, export_usd_per_kwh=sold))


def by_enumeration(found: Equilibrium, kind: int, households: int) -> float:
    """What a household of one type gains by its best reply: every draw of the others, a grid of use and of sun.

    Its use, its sun and its rewards are worked out anew here, and its battery is moved by a linear program.
    """
    economy, tariff, hours = found.economy, found.tariff, found.economy.slot_hours
    home, response = economy.types[kind], found.answer.responses[kind]
    kept, plans = response.outcome, response.outcome.plans
    keeps = 1 - float(tariff.discount[home.group])
    battery_kw = grid_power_kw(home.battery, kept.moves, hours)
    best, own = np.zeros(kept.net_load_kw.shape), np.zeros(kept.net_load_kw.shape)
    for c, h in np.ndindex(economy.rest_load_kw.shape):
        load, chance = np.zeros(1), np.ones(1)
        values, weights = [], []
        for one, answer, flow in zip(economy.types, found.answer.responses, found.answer.flows, strict=True):
            theirs = answer.outcome.plans
            values.append(theirs.net_load_kw[c, h].ravel())
            weights.append((one.share * flow.frequency[c, h][..., None] * theirs.share[c, h]).ravel())
        value, weight = np.concatenate(values), np.concatenate(weights)
        value, weight = value[weight > 1e-12], weight[weight > 1e-12]
        for _ in range(households - 1):
            load, chance = (load[:, None] + value).ravel(), (chance[:, None] * weight).ravel()
        chance /= chance.sum()
        today = economy.common.today[c]

        def paid(net: np.ndarray) -> np.ndarray:
            flat = net.ravel()
            total = np.zeros(flat.size)
            for others, p in zip(load, chance, strict=True):  # noqa: B023 - used in this round alone
                price = economy.supply.price((others + flat) / households + economy.rest_load_kw[c, h])  # noqa: B023
                bought = keeps * (tariff.energy_usd_per_kwh[today, h] + tariff.pass_through * price)  # noqa: B023
                sold = tariff.export_usd_per_kwh[today, h] + tariff.export_pass_through * price  # noqa: B023
                total += p * flat * np.where(flat > 0, bought, sold)
            return total.reshape(net.shape)

        for z, level in enumerate(economy.shock_levels):
            reference = home.reference_kw[c, h] * level
            terms = {"elasticity": home.elasticity, "reference_price": home.reference_price_usd_per_kwh}
            for j, power in enumerate(battery_kw):
                sun = home.pv_kw[c, h]
                width = home.flexibility * reference
                at_zero = np.linspace(-width, width, STEPS + 1) + reference  # exactly nothing bought or sold
                use, spilt = np.meshgrid(at_zero, np.linspace(0, sun, STEPS + 1))
                spare = sun - (at_zero + power)
                use = np.concatenate([use.ravel(), at_zero[(spare >= 0) & (spare <= sun)]])
                spilt = np.concatenate([spilt.ravel(), spare[(spare >= 0) & (spare <= sun)]])
                corner = np.array([sun - power, -power])
                inside = np.abs(corner - reference) <= width
                use = np.concatenate([use, corner[inside]])
                spilt = np.concatenate([spilt, np.array([0.0, sun])[inside]])
                net = use + power - (sun - spilt)
                net[np.abs(net) < 1e-12] = 0.0
                worth = utility_usd_per_hour(use, np.full(use.shape, reference), **terms) - paid(net)
                best[c, h, z, j] = hours * worth.max()
                mean = plans.share[c, h, z, j] @ paid(plans.net_load_kw[c, h, z, j])
                own[c, h, z, j] = kept.utility_usd[c, h, z, j] - hours * mean
    zero = np.zeros_like(best)
    game = replace(kept, utility_usd=best, payment_usd=zero, split=None)
    most = occupation_optimum(game, decision_problem(economy, temperature_usd=0.0), home.levels)
    weight = found.answer.flows[kind].frequency * economy.common.probability[:, None, None, None]
    return most - float((weight * (own - kept.wear_usd)).sum())


@pytest.mark.parametrize("make", [credit_above_import, price_at_zero, floor_and_credit])
@pytest.mark.parametrize("households", [1, 2])
def test_where_households_part_or_curtail_it_is_what_enumeration_finds(
    make: Callable[[], Equilibrium], households: int
) -> None:
    """The grid holds every corner; between, it misses the best by half the curvature times half its steps squared."""
    found = make()
    assert found.converged
    assert parts_somewhere(found.answer)
    expected = sum(one.share * by_enumeration(found, kind, households) for kind, one in enumerate(found.economy.types))
    reached = finite_exploitability_usd_per_day(found, households)
    missed = 0.0
    for one in found.economy.types:
        use_kw, slope = one.reference_kw.max() * found.economy.shock_levels.max(), 0.2 / households
        by_use = one.reference_price_usd_per_kwh / (one.elasticity * use_kw) * (one.flexibility * use_kw / STEPS) ** 2
        missed += one.share * 24 * (by_use / 2 + slope * (one.pv_kw.max() / STEPS / 2) ** 2)
    assert missed < 1e-3
    assert expected - 1e-6 <= reached <= expected + missed


@pytest.mark.parametrize("make", [credit_above_import, price_at_zero, floor_and_credit])
def test_where_households_part_or_curtail_its_limit_is_that_of_the_continuum(make: Callable[[], Equilibrium]) -> None:
    found = make()
    limit = finite_exploitability_usd_per_day(found, np.inf)
    assert limit == pytest.approx(found.exploitability_usd_per_household_day, abs=1e-8)
    for households in (3, 100, 10**6):
        assert finite_exploitability_usd_per_day(found, households) >= -1e-9


def test_households_that_part_gain_as_one_over_the_crowd() -> None:
    """In the toy of ``docs/reference/theory.md`` C11 nothing but the choice between buying and selling is at stake.

    At λ = 0.15 use is 1 ± 0.125, and both plans are worth the same; one of N moves the price by (n − L) 0.3/N, which
    costs n (n − L) 0.3/N an hour: the seller 0.125 (0.125 + L) 0.3/N, the buyer 0.125 (0.125 − L) 0.3/N. The best
    reply is the cheaper of the two, up to the order of 1/N².
    """
    economy = toy(0.02, rest_kw=-0.11)
    found = solve_equilibrium(economy, real_time(economy, credit=0.1), certify=False)
    load, many = 0.11, 1e6
    buyer, seller = 0.125 * (0.125 - load), 0.125 * (0.125 + load)
    expected = 24 * 0.3 * (0.94 * buyer + 0.06 * seller - min(buyer, seller))
    assert many * finite_exploitability_usd_per_day(found, many) == pytest.approx(expected, rel=1e-3)
