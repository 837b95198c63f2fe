"""What prices leave open of bills and of the burden gap at temperature 0."""

from dataclasses import replace

import numpy as np
import pytest
from scenarios import small_economy, small_tariff
from scipy.optimize import linprog

from meanwatt.agents.household.slot_outcome import slot_outcome
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import ExportRule, Recovery
from meanwatt.analysis.leader.bill_range import burden_gap_range, wear_range
from meanwatt.analysis.leader.tariff_effects import EquilibriumEffects
from meanwatt.model.mean_field.cold import at_temperature
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.scenario.economy import Economy

SEEDS = (0, 2, 3)


def world(seed: int, battery_share: float = 0.9) -> Economy:
    """A random small economy with one kind of day, at temperature 0, in which batteries set prices and plans tie."""
    return small_economy(
        slots=6,
        battery_share=battery_share,
        steepness=0.3,
        weather=np.ones((1, 1)),
        temperature_usd=0.0,
        seed=seed,
    )


def solved(economy: Economy) -> Equilibrium:
    """Under one rate that follows the wholesale price."""
    rates = np.full((1, economy.slots), 0.02)
    tariff = small_tariff(
        economy,
        energy_usd_per_kwh=rates,
        export_usd_per_kwh=rates,
        pass_through=1.0,
        export_pass_through=1.0,
        export_rule=ExportRule.NET_METERING,
        recovery=Recovery.FIXED,
    )
    found = solve_equilibrium(economy, tariff, certify=False)
    assert found.converged
    return found


def wear_by_linear_programme(found: Equilibrium, kind: int) -> tuple[float, float]:
    """Least and most wear over all laws of state and move that earn the most, written out state by state."""
    economy, household = found.economy, found.economy.types[kind]
    brought = slot_outcome(household, found.rates, economy.shock_levels, economy.slot_hours)
    slots, levels, shocks, moves = economy.slots, household.levels, len(economy.shock_levels), brought.moves
    shape = (slots, levels, shocks, len(moves))
    reward = np.broadcast_to(brought.reward_usd[0][:, None], shape).ravel()
    wear = np.broadcast_to(brought.wear_usd, shape).ravel()
    rows: list[Floats] = []
    for h in range(slots):
        for e in range(levels):
            for z in range(shocks):
                row = np.zeros(shape)
                row[h, e, z] += 1.0
                for before in range(levels):
                    for j, move in enumerate(moves):
                        if before + move == e:
                            row[h - 1, before, :, j] -= economy.shock_kernel[:, z]
                rows.append(row.ravel())
    one = np.zeros(shape)
    one[0] = 1.0
    equal, right = np.array([*rows, one.ravel()]), np.append(np.zeros(len(rows)), 1.0)
    target = np.arange(levels)[:, None] + moves
    inside = (target >= 0) & (target < levels)
    bounds = [(0.0, 1.0 if open_to else 0.0) for open_to in np.broadcast_to(inside[None, :, None], shape).ravel()]
    best = -linprog(-reward, A_eq=equal, b_eq=right, bounds=bounds).fun
    limit = {"A_ub": -reward[None], "b_ub": [-(best - 1e-9)]}
    least = linprog(wear, A_eq=equal, b_eq=right, bounds=bounds, **limit).fun
    most = -linprog(-wear, A_eq=equal, b_eq=right, bounds=bounds, **limit).fun
    return float(least), float(most)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_range_of_wear_is_that_of_all_laws_that_earn_the_most(seed: int) -> None:
    found = solved(world(seed))
    own = wear_range(found)
    for kind, household in enumerate(found.economy.types):
        if household.battery is None:
            assert own.low[kind] == own.high[kind] == 0
            continue
        least, most = wear_by_linear_programme(found, kind)
        assert own.low[kind] == pytest.approx(least, abs=1e-4)
        assert own.high[kind] == pytest.approx(most, abs=1e-4)
        assert own.high[kind] - own.low[kind] > 1e-3  # plans tie, so that much is left open


@pytest.mark.parametrize("seed", SEEDS)
def test_the_gap_lies_in_its_range_for_every_way_to_part_wear_among_types(seed: int) -> None:
    found = solved(world(seed))
    own, wear = burden_gap_range(found), wear_range(found)
    share, bills = found.economy.type_share, found.bill_usd_per_day
    owners = [kind for kind, household in enumerate(found.economy.types) if household.battery is not None]
    assert len(owners) == 2
    first, second = owners
    gaps = []
    for amount in np.linspace(wear.low[first], wear.high[first], 41):
        moved = found.answer.wear_usd_per_day.copy()
        moved[second] += share[first] * (moved[first] - amount) / share[second]
        moved[first] = amount
        if wear.low[second] - 1e-9 <= moved[second] <= wear.high[second] + 1e-9:
            answer = replace(
                found.answer,
                wear_usd_per_day=moved,
                payment_usd_per_day=found.answer.payment_usd_per_day + found.answer.wear_usd_per_day - moved,
            )
            other = replace(found, answer=answer)
            assert other.bill_usd_per_day @ share == pytest.approx(bills @ share)
            gaps.append(EquilibriumEffects(other).metrics.burden_gap)
    assert len(gaps) > 5
    assert own.low - 1e-6 <= min(gaps) <= max(gaps) <= own.high + 1e-6
    assert max(gaps) - min(gaps) > 0.5 * (own.high - own.low) > 0


def test_the_limit_of_softmax_lies_in_the_range() -> None:
    for seed in SEEDS:
        found = solved(world(seed))
        own = burden_gap_range(found)
        soft = None
        for temperature in (1e-2, 1e-3, 1e-4, 1e-5):
            cooler = at_temperature(found.economy, temperature)
            soft = solve_equilibrium(cooler, found.tariff, start=soft, certify=False)
        assert soft is not None
        assert soft.converged
        assert own.low - 2e-5 <= EquilibriumEffects(soft).metrics.burden_gap <= own.high + 2e-5
        assert own.high - own.low > 1e-4


def test_without_batteries_or_wear_prices_leave_nothing_open() -> None:
    free = world(0)
    idle = tuple(
        one if one.battery is None else replace(one, battery=replace(one.battery, wear_usd_per_kwh=0.0))
        for one in free.types
    )
    for economy in (world(0, battery_share=0.0), replace(free, types=idle)):
        found = solved(economy)
        own, wear = burden_gap_range(found), wear_range(found)
        assert wear.low == pytest.approx(0.0, abs=1e-9)
        assert wear.high == pytest.approx(0.0, abs=1e-9)
        assert own.high - own.low == pytest.approx(0.0, abs=1e-9)
        assert own.low == pytest.approx(EquilibriumEffects(found).metrics.burden_gap)


def test_above_temperature_0_and_for_discounted_days_it_is_refused_in_words() -> None:
    found = solved(world(0))
    warm = replace(found, economy=at_temperature(found.economy, 0.01))
    with pytest.raises(ValueError, match=r"temperature_usd is 0\.01; the bill is open at temperature 0 only"):
        burden_gap_range(warm)
    scenario = found.economy.scenario.model_copy(update={"discount_per_day": 0.9})
    with pytest.raises(ValueError, match="the range of wear is of days without end; give discount_per_day = 1"):
        wear_range(replace(found, economy=replace(found.economy, scenario=scenario)))


def test_under_two_rates_or_discounts_the_gap_is_refused_in_words() -> None:
    """Plans that tie may then differ in use, or in who pays, and not in wear alone."""
    found = solved(world(0))
    two = replace(found.tariff, export_rule=ExportRule.NET_BILLING, export_usd_per_kwh=np.zeros((1, 6)))
    with pytest.raises(ValueError, match=r"import and export rate differ by 0\.02 USD/kWh; the bound needs one rate"):
        burden_gap_range(solve_equilibrium(found.economy, two, certify=False))
    with pytest.raises(ValueError, match="the bound needs a given adder and no discounts"):
        burden_gap_range(replace(found, tariff=replace(found.tariff, discount=np.array([0.3, 0.0]))))
