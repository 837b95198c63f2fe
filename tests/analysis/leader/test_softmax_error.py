"""The error of a softmax leader before softmax households, end to end, and its bound."""

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from rate_class_worlds import BUYERS, STORING, in_classes
from scenarios import preset_economy, preset_tariff, small_economy, small_tariff

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import ExportRule, Recovery, Tariff
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.analysis.leader.softmax_error import (
    Member,
    SoftmaxError,
    best_prices_apart,
    cold_shift,
    followers_bound,
    leader_bound,
    net_bound,
    price_error,
    softmax_error,
    softness_usd,
    volatility_shift,
)
from meanwatt.analysis.metrics.stability import expected_imv
from meanwatt.model.mean_field.certificates import softmax_bound_usd_per_day
from meanwatt.model.mean_field.cold import at_temperature, solve_cold
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.leader.epsilon_net import epsilon_net
from meanwatt.model.mean_field.leader.tariff_continuity import day_norm
from meanwatt.model.scenario.economy import Economy

STABILITY = 0.7
JUDGE = LeaderSpec(leader="commission", weights={"equity": 0.0, "stability": STABILITY}).objective()


def world(seed: int, temperature: float) -> Economy:
    """A random small economy with one kind of day, which temperature 0 solves in no time."""
    rng = np.random.default_rng(seed)
    return small_economy(
        weather=np.ones((1, 1)),
        temperature_usd=temperature,
        seed=seed,
        steepness=float(rng.uniform(0.05, 0.3)),
        elasticity=float(rng.uniform(0.1, 0.5)),
        battery_share=float(rng.uniform(0.1, 0.5)),
    )


def one_rate(economy: Economy, energy: float, passed: float) -> Tariff:
    """Exports earn what imports cost."""
    rates = np.full((len(economy.common.day_types), economy.slots), energy)
    return small_tariff(
        economy,
        energy_usd_per_kwh=rates,
        export_usd_per_kwh=rates,
        pass_through=passed,
        export_pass_through=passed,
        export_rule=ExportRule.NET_METERING,
        recovery=Recovery.FIXED,
    )


def cold(found: Equilibrium) -> Equilibrium:
    there = solve_cold(found.economy, found.tariff).equilibrium
    assert there is not None
    return there


@pytest.mark.parametrize("seed", range(5))
def test_the_followers_bound_is_never_below_what_softmax_does_to_the_objective(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for temperature in (0.03, 0.001):
        economy = world(seed, temperature)
        found = solve_equilibrium(
            economy, one_rate(economy, float(rng.uniform(0, 0.3)), float(rng.uniform(0.2, 1))), certify=False
        )
        exact, soft = cold(found), softness_usd(found)
        assert soft > 1e-4 or temperature < 0.01
        assert soft <= softmax_bound_usd_per_day(economy)
        shift = cold_shift(found, soft)
        price = day_norm(economy, found.wholesale_usd_per_kwh - exact.wholesale_usd_per_kwh)
        load = day_norm(economy, found.net_load_kw - exact.net_load_kw)
        assert price <= shift.wholesale_usd_per_kwh
        assert load <= shift.load_kw
        assert abs(JUDGE(found) - JUDGE(exact)) <= followers_bound(found, soft, stability=STABILITY)


def test_the_followers_term_is_of_the_order_of_the_root_of_temperature_over_pass_through() -> None:
    """Its part beside marginal-cost pricing is: there only the entropy is left, which is of first order."""
    economy = world(0, 0.02)
    found = solve_equilibrium(economy, one_rate(economy, 0.2, 0.5), certify=False)
    most = [softmax_bound_usd_per_day(at_temperature(economy, eta)) for eta in (0.02, 0.005, 0.00125)]
    shifts = [cold_shift(found, softness).wholesale_usd_per_kwh for softness in most]
    assert shifts[0] / shifts[1] == pytest.approx(2.0)
    assert shifts[1] / shifts[2] == pytest.approx(2.0)
    quarter = replace(found, tariff=one_rate(economy, 0.2, 0.125))
    assert cold_shift(quarter, most[0]).wholesale_usd_per_kwh / shifts[0] == pytest.approx(2.0)
    bounds = [followers_bound(found, 1e-6 * softness) for softness in most]
    assert bounds[0] / bounds[1] == pytest.approx(2.0, rel=0.02)
    none = replace(found, tariff=one_rate(economy, 0.2, 0.0))
    assert followers_bound(none, most[0]) == math.inf


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("temperature", [0.02, 0.0])
def test_the_net_bound_is_never_below_what_another_tariff_of_the_cell_gains(seed: int, temperature: float) -> None:
    economy = world(seed, temperature)
    rng = np.random.default_rng(seed)
    energy, passed = float(rng.uniform(0.05, 0.25)), float(rng.uniform(0.4, 0.9))
    found = solve_equilibrium(economy, one_rate(economy, energy, passed), certify=False)
    corners = [one_rate(economy, energy + a, passed + b) for a, b in product((-0.03, 0.03), (-0.1, 0.1))]
    bound = net_bound(found, corners, softness_usd(found), stability=STABILITY)
    here = JUDGE(cold(found))
    inside = [one_rate(economy, energy + 0.03 * a, passed + 0.1 * b) for a, b in rng.uniform(-1, 1, (6, 2))]
    gains = [JUDGE(cold(replace(found, tariff=other))) - here for other in [*corners, *inside]]
    assert max(gains) > 0
    assert max(gains) <= bound


@pytest.mark.parametrize("temperature", [0.0, 1e-4, 0.01, 1.0])
def test_the_leaders_bound_is_never_below_what_drawing_loses(temperature: float) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        values = rng.normal(size=rng.integers(2, 12)) * 10.0 ** rng.uniform(-4, 0)
        values[0] = values.max()  # a tie in many draws
        if temperature == 0:
            chance = (values == values.max()) / (values == values.max()).sum()
        else:
            chance = np.exp((values - values.max()) / temperature)
            chance /= chance.sum()
        bound = leader_bound(values, temperature)
        assert values.max() - chance @ values <= bound + 1e-12
        assert bound <= temperature * np.log(len(values)) + 1e-12


def end_to_end(economy: Economy, points: int, leader: float) -> SoftmaxError:
    """Over energy charge and pass-through, against exact equilibria of a grid twice as fine and of marginal costs."""
    low, high = np.array([0.0, 0.4]), np.array([0.3, 1.0])
    net = epsilon_net(low, high, points)

    def tariff(at: Floats) -> Tariff:
        energy, passed = np.clip(at, low, high).tolist()
        return one_rate(economy, energy, passed)

    def member(at: Floats) -> Member:
        warm = solve_equilibrium(economy, tariff(at), certify=False)
        corners = [tariff(at + np.array(sign) * net.spacing / 2) for sign in product((-1, 1), repeat=2)]
        return Member(
            warm=warm,
            warm_objective=JUDGE(warm),
            cold_objective=JUDGE(cold(warm)),
            followers=followers_bound(warm, softness_usd(warm), stability=STABILITY),
            net=net_bound(warm, corners, softness_usd(warm), stability=STABILITY),
        )

    members = [member(at) for at in net.parameters]
    finer = epsilon_net(low, high, 2 * (points - 1) + 1)
    candidates = [*finer.parameters, np.array([0.015, 1.0])]  # the last is the social marginal cost, off the net
    best = max(JUDGE(cold(replace(members[0].warm, tariff=tariff(at)))) for at in candidates)
    return softmax_error(members, leader, best)


@pytest.mark.parametrize("seed", range(2))
def test_end_to_end_the_error_never_exceeds_the_bound(seed: int) -> None:
    found = [end_to_end(world(seed, eta), 3, leader) for eta, leader in ((0.02, 0.01), (1e-4, 1e-4), (1e-6, 1e-6))]
    for one in found:
        assert 1e-5 < one.error <= one.bound  # the best tariff is no member, so that keeping to the net loses something
        assert one.vacuous == (one.bound > one.largest)
    assert found[0].followers > 100 * max(found[1].followers, found[2].followers)
    assert found[0].leader > found[1].leader


def test_prices_of_the_best_tariffs_are_within_the_certificate() -> None:
    economy, weight = world(1, 0.0), 0.02
    judge = LeaderSpec(leader="commission", weights={"equity": 0.0, "stability": weight}).objective()
    low, high = np.array([0.0]), np.array([0.3])
    net, finer = epsilon_net(low, high, 17), epsilon_net(low, high, 33)

    def tariff(at: Floats) -> Tariff:
        return one_rate(economy, float(np.clip(at, low, high)[0]), 0.9)

    found = [solve_equilibrium(economy, tariff(at), certify=False) for at in net.parameters]
    cells = [[tariff(at + np.array(s) * net.spacing / 2) for s in ([-1], [1])] for at in net.parameters]
    kept, apart = best_prices_apart(found, np.array([judge(one) for one in found]), cells, stability=weight)
    assert 0 < len(kept) < len(found)  # some cells are ruled out
    other = [solve_equilibrium(economy, tariff(at), certify=False) for at in finer.parameters]
    best = max(other, key=judge)
    where = finer.parameters[other.index(best)]
    assert (np.abs(net.parameters[kept] - where) <= net.spacing / 2 + 1e-12).all(axis=1).any()
    for k in kept:
        distance = float(day_norm(economy, found[k].wholesale_usd_per_kwh - best.wholesale_usd_per_kwh))
        assert distance <= apart


def test_volatility_moves_by_no_more_than_twice_the_mean_move_of_prices_and_may_by_so_much() -> None:
    economy = small_economy(slots=24, weather=np.ones((1, 1)))
    common, rng = economy.common, np.random.default_rng(0)
    flat, zigzag = np.full((1, 24), 0.2), 0.01 * np.where(np.arange(24) % 2, 1.0, -1.0)[None]
    moves = [zigzag, *(rng.normal(size=(1, 24)) for _ in range(20))]
    for before in (flat, rng.uniform(0, 1, (1, 24))):
        for move in moves:
            one, other = (expected_imv(price, common.probability, common.kernel) for price in (before, before + move))
            assert abs(other - one) <= volatility_shift(float(day_norm(economy, move))) + 1e-12
    reached = expected_imv(flat + zigzag, common.probability, common.kernel)
    assert reached == pytest.approx(volatility_shift(float(day_norm(economy, zigzag))))


def test_it_needs_one_rate() -> None:
    economy = world(0, 0.02)
    two = replace(one_rate(economy, 0.2, 0.5), export_rule=ExportRule.NET_BILLING, export_usd_per_kwh=np.zeros((1, 3)))
    found = solve_equilibrium(economy, two, certify=False)
    with pytest.raises(ValueError, match=r"import and export rate differ by 0\.2 USD/kWh; the bound needs one rate"):
        price_error(found)


def in_two_classes(economy: Economy, buyers: float, storing: float) -> Tariff:
    """One energy charge; those without a battery and the others pay two shares of the wholesale price."""
    own = ((one_rate(economy, 0.2, share), kinds) for share, kinds in ((buyers, BUYERS), (storing, STORING)))
    return in_classes(*own)


def test_the_shift_counts_the_least_share_of_the_price_that_anybody_pays() -> None:
    economy = world(0, 0.02)
    plain = one_rate(economy, 0.2, 0.8)
    found = solve_equilibrium(economy, plain, certify=False)
    whole = cold_shift(found, 1e-3).wholesale_usd_per_kwh
    for tariff in (
        replace(plain, discount=np.array([0.75, 0.0])),
        in_two_classes(economy, 0.8, 0.2),
        in_two_classes(economy, 0.2, 0.8),
    ):
        assert cold_shift(replace(found, tariff=tariff), 1e-3).wholesale_usd_per_kwh / whole == pytest.approx(2.0)
        own = solve_equilibrium(economy, tariff, certify=False)
        price = day_norm(economy, own.wholesale_usd_per_kwh - cold(own).wholesale_usd_per_kwh)
        assert 0 < price <= cold_shift(own, softness_usd(own)).wholesale_usd_per_kwh


@pytest.mark.parametrize(
    ("tariff", "scenario", "text"),
    [
        (
            lambda e: in_two_classes(e, 0.8, 0.2),
            {},
            "tariff small has rate classes; the bound needs one tariff for all",
        ),
        (
            lambda e: replace(one_rate(e, 0.2, 0.5), discount=np.array([0.5, 0.0])),
            {},
            "the bound needs a given adder and no discounts; give recovery fixed or posted",
        ),
        (
            lambda e: replace(one_rate(e, 0.2, 0.5), recovery=Recovery.VOLUMETRIC),
            {},
            "the bound needs a given adder and no discounts; give recovery fixed or posted",
        ),
        (
            lambda e: one_rate(e, 0.2, 0.5),
            {"value_rule": "boltzmann"},
            "tariff small: the value rule is not entropy; the bound needs Theorem U",
        ),
        (
            lambda e: one_rate(e, 0.2, 0.5),
            {"discount_per_day": 0.9},
            "tariff small: the discount is below 1; the bound needs Theorem U",
        ),
    ],
)
def test_where_a_theorem_fails_nothing_is_bounded(tariff: object, scenario: dict[str, object], text: str) -> None:
    economy = small_economy(weather=np.ones((1, 1)), temperature_usd=0.02, **scenario)
    found = solve_equilibrium(economy, tariff(economy), certify=False)
    with pytest.raises(ValueError) as error:
        price_error(found)
    assert str(error.value) == text
    if scenario or found.tariff.recovery is Recovery.VOLUMETRIC:
        assert followers_bound(found, 1e-3) == math.inf


def test_without_pass_through_followers_keep_a_choice_that_the_leader_does_not() -> None:
    """Where the followers' term does not vanish: two equilibria at temperature 0 that the leader values apart."""
    economy, tariff = preset_economy("oahu"), preset_tariff("oahu", "filed")
    worth = LeaderSpec(leader="commission", weights={"equity": 0.0}).objective()
    limit = solve_cold(economy, tariff).equilibrium
    assert limit is not None
    split = solve_equilibrium(at_temperature(economy, 0.0), tariff, certify=False)
    assert limit.exploitability_usd_per_household_day == pytest.approx(0.0, abs=1e-6)
    assert split.exploitability_usd_per_household_day == pytest.approx(0.0, abs=1e-6)
    assert abs(worth(limit) - worth(split)) > 5e-4
