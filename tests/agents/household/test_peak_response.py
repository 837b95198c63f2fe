"""Best response with the day's largest import in the state, against plain loops, closed forms and plain responses."""

from dataclasses import replace

import numpy as np
import pytest
from scenarios import SHOCK, SHOCK_LEVELS, small_battery, small_decision_problem, small_household, small_rates

from meanwatt.agents.household.best_response import Response, best_response
from meanwatt.agents.household.day_peak import DayPeak, peak_levels_kw
from meanwatt.agents.household.decision_problem import DecisionProblem, ValueRule
from meanwatt.agents.household.electric_vehicle import ElectricVehicle
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.peak_response import peak_response
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.rates import Rates

WINDOW = np.array([False, True, True])
CHARGE = 0.9
ALWAYS = np.ones(3, dtype=bool)


def with_peak(household: HouseholdType, *, charge: float = CHARGE, counted: Floats = WINDOW, count: int = 4,
              hours: float = 8.0) -> HouseholdType:  # fmt: skip
    levels = peak_levels_kw(household, SHOCK_LEVELS, hours, counted, count)
    return replace(household, day_peak=DayPeak(usd_per_kw=charge, counted=counted, levels_kw=levels))


def utility(household: HouseholdType, use: Floats, reference: float) -> Floats:
    price, elasticity = household.reference_price_usd_per_kwh, household.elasticity
    return price * ((use - reference) - (use - reference) ** 2 / (2 * elasticity * reference))


def best_by_scan(
    household: HouseholdType, rates: tuple[float, float], slot: tuple[float, float, float], rank: int, after: Floats,
    counts: bool,
) -> float:  # fmt: skip
    """Best of all uses and all parts of the sun on a grid, the values after the slot being linear between levels."""
    reference, sun, battery = slot
    levels = household.day_peak.levels_kw
    low, high = (1 - household.flexibility) * reference, (1 + household.flexibility) * reference
    kinks = np.clip(np.concatenate([levels - battery, levels - battery + sun]), low, high)
    enough = min((1 + household.elasticity) * reference, high)
    use = np.concatenate([np.linspace(low, high, 301), kinks, [enough]])
    parts = np.concatenate([np.linspace(0.0, sun, 41), np.clip(enough + battery - levels, 0.0, sun)])
    net = (use[:, None] + battery - parts).ravel()
    enjoyed = np.repeat(utility(household, use, reference), parts.size)
    paid = rates[0] * np.maximum(net, 0) - rates[1] * np.maximum(-net, 0)
    top = np.maximum(net, levels[rank]) if counts else np.full(net.shape, levels[rank])
    charged = household.day_peak.usd_per_kw * (top - levels[rank])
    return float((8.0 * (enjoyed - paid) - charged + np.interp(top, levels, after)).max())


@pytest.fixture(scope="module", params=["plain", "credit above", "free power"])
def answered(request: pytest.FixtureRequest) -> tuple[HouseholdType, Rates, DecisionProblem, Response]:
    rates = small_rates(spread=-0.1 if request.param == "credit above" else 0.05)
    if request.param == "free power":
        rates = Rates(
            import_usd_per_kwh=rates.import_usd_per_kwh - 0.3, export_usd_per_kwh=rates.export_usd_per_kwh - 0.35
        )
    household, problem = with_peak(small_household(levels=3)), small_decision_problem()
    return household, rates, problem, peak_response(household, rates, problem)


def test_no_use_no_sun_and_no_move_is_better_by_plain_loops(
    answered: tuple[HouseholdType, Rates, DecisionProblem, Response],
) -> None:
    """The Bellman equation of every state with values after the slot as they are: the day repeats itself."""
    household, rates, problem, found = answered
    levels, day = household.day_peak.levels_kw, household.storage_day(8.0)
    ranks, moves, power = levels.size, day.moves, day.power_kw
    value = found.value_usd.reshape(3, 3, 2, ranks, 3)
    cost, eta = day.cost_by_slot_usd(), problem.temperature_usd
    midnight = value[:, 0, :, 0] - value[:, 0, :, 0, :1]
    for c in range(2):
        tomorrow = np.broadcast_to(np.tensordot(problem.common_kernel[c], midnight, axes=1)[:, None], (2, ranks, 3))
        for h in (2, 1, 0):
            ahead = np.tensordot(SHOCK, tomorrow, axes=1)
            now = np.empty((2, ranks, 3))
            for z, rank, e in np.ndindex(2, ranks, 3):
                reference, sun = household.reference_kw[c, h] * SHOCK_LEVELS[z], household.pv_kw[c, h]
                pair = rates.import_usd_per_kwh[c, h], rates.export_usd_per_kwh[c, h]
                worth = [
                    best_by_scan(household, pair, (reference, sun, power[h, j]), rank, ahead[z, :, e + move],
                                 bool(WINDOW[h])) - cost[h, j]
                    for j, move in enumerate(moves) if 0 <= e + move < 3
                ]  # fmt: skip
                now[z, rank, e] = eta * np.log(np.exp(np.array(worth) / eta).sum())
            missed = value[c, h] - now  # a day's constant is a function of (c, z) alone, and grids miss a little
            assert np.abs(missed - missed[:, :1, :1]).max() < 2e-4
            tomorrow = now


def test_tables_are_possible_and_bring_the_value_that_is_claimed(
    answered: tuple[HouseholdType, Rates, DecisionProblem, Response],
) -> None:
    """Sun and use lie in their ranges, the largest import moves to its mean, and rewards add up to the gain."""
    household, _, _, found = answered
    policy, brought, day = found.policy, found.outcome, household.storage_day(8.0)
    levels = household.day_peak.levels_kw
    open_to = np.repeat(policy.open_moves, 2 * levels.size, axis=1)  # (h, row, j)
    shock = np.tile(np.repeat(SHOCK_LEVELS, levels.size), 3)[:, None]
    reference = household.reference_kw[:, :, None, None] * shock
    sun = brought.use_kw + day.power_kw[:, None] - brought.net_load_kw
    for low, middle, high in ((0.0, sun, household.pv_kw[:, :, None, None]), (0.5 * reference, brought.use_kw,
                                                                              1.5 * reference)):  # fmt: skip
        assert (np.where(open_to, middle - low, 0.0) >= -1e-12).all()
        assert (np.where(open_to, high - middle, 0.0) >= -1e-12).all()
    held = np.tile(levels, 6)[:, None]
    top = np.where(WINDOW[:, None, None], np.maximum(brought.net_load_kw, held), held)
    rise = np.where(open_to, policy.peak.raised_kw - (top - held), 0.0)
    np.testing.assert_allclose(rise, 0.0, atol=1e-12)
    policy.check()
    assert found.converged


@pytest.mark.parametrize(
    ("temperature", "rule", "discount"),
    [(0.05, ValueRule.ENTROPY, 1.0), (0.05, ValueRule.BOLTZMANN, 0.9), (0.0, ValueRule.ENTROPY, 0.8)],
)
@pytest.mark.parametrize("vehicle", [False, True])
def test_a_charge_of_nothing_changes_nothing(
    temperature: float, rule: ValueRule, discount: float, vehicle: bool
) -> None:
    """Whatever the largest import so far: the plain household's values, chances and loads; also with a car's trips."""
    car = ElectricVehicle(
        levels=4, capacity_kwh=3.0, power_limit_kw=0.3, charge_efficiency=0.95, discharge_efficiency=0.9,
        wear_usd_per_kwh=0.01, departure_hour=8.0, return_hour=16.0, trip_kwh=1.5, unmet_usd_per_kwh=0.4,
    )  # fmt: skip
    plain = small_household(battery=car) if vehicle else small_household()
    rates, problem = small_rates(), small_decision_problem(temperature, rule=rule, discount=discount)
    expected = best_response(plain, rates, problem)
    found = peak_response(with_peak(plain, charge=0.0), rates, problem)
    ranks = found.policy.peak.count
    chance = found.policy.probability.reshape(3, 3, 4, 2, ranks, -1)
    values = found.value_usd.reshape(3, 3, 2, ranks, 4)
    for rank in range(ranks):
        np.testing.assert_allclose(chance[:, :, :, :, rank], expected.policy.probability, atol=1e-7)
        lifted = values[:, :, :, rank] - values[:, :, :, rank, :1]
        np.testing.assert_allclose(lifted, expected.value_usd - expected.value_usd[..., :1], atol=1e-8)
    assert found.gain_usd_per_day == pytest.approx(expected.gain_usd_per_day, abs=1e-9)
    loads = found.policy.net_load_kw.reshape(3, 3, 4, 2, ranks, -1)
    open_to = expected.policy.open_moves[:, :, None, None]
    want = np.broadcast_to(expected.policy.net_load_kw[:, :, None, :, None], loads.shape)
    np.testing.assert_allclose(np.where(open_to, loads - want, 0.0), 0.0, atol=1e-12)


def test_a_battery_without_losses_fills_the_day_to_its_water_level() -> None:
    """Loads of 1, 1, 3 and 1 kW, half a kW a level: the least largest import is their mean, 1.5 kW, in every slot."""
    load = np.array([[1.0, 1.0, 3.0, 1.0]])
    household = small_household(
        states=1, slots=4, elasticity=0.0, reference_kw=load, pv_kw=np.zeros((1, 4)),
        battery=small_battery(7, capacity_kwh=18.0, power_limit_kw=2.0, charge_efficiency=1.0,
                              discharge_efficiency=1.0, wear_usd_per_kwh=0.0),
    )  # fmt: skip
    problem = replace(
        small_decision_problem(0.0, slots=4, weather=np.ones((1, 1))),
        shock_levels=np.ones(1), shock_kernel=np.ones((1, 1)), shock_probability=np.ones(1),
    )  # fmt: skip
    counted = np.ones(4, dtype=bool)
    levels = peak_levels_kw(household, np.ones(1), 6.0, counted, 20)
    np.testing.assert_allclose(levels, np.arange(0.0, 5.1, 0.5))  # all loads that there can be: nothing is rounded
    charged = replace(household, day_peak=DayPeak(usd_per_kw=2.0, counted=counted, levels_kw=levels))
    rates = Rates(import_usd_per_kwh=np.full((1, 4), 0.1), export_usd_per_kwh=np.full((1, 4), 0.1))
    found = peak_response(charged, rates, problem)
    assert found.gain_usd_per_day == pytest.approx(-0.1 * 36 - 2.0 * 1.5, abs=1e-9)


def test_levels_hold_every_fixed_import_or_reach_the_largest() -> None:
    fixed = small_household(elasticity=0.0, battery=None, pv_kw=np.zeros((3, 3)))
    attainable = np.unique(fixed.reference_kw[:, WINDOW, None] * SHOCK_LEVELS)
    np.testing.assert_allclose(peak_levels_kw(fixed, SHOCK_LEVELS, 8.0, WINDOW, 16), [0.0, *attainable], atol=1e-9)
    coarse = peak_levels_kw(fixed, SHOCK_LEVELS, 8.0, WINDOW, 5)  # too few for them all
    np.testing.assert_allclose(coarse, np.linspace(0.0, attainable.max(), 5))
    flexible = small_household()
    levels = peak_levels_kw(flexible, SHOCK_LEVELS, 8.0, WINDOW, 12)
    most = 1.5 * 1.3 * flexible.reference_kw[:, WINDOW].max()
    assert levels.size == 12
    assert levels[7] == pytest.approx(most)
    assert levels[-1] == pytest.approx(most + flexible.storage_day(8.0).power_kw.max())
    with pytest.raises(ValueError, match="give at least two that rise from 0"):
        DayPeak(usd_per_kw=1.0, counted=ALWAYS, levels_kw=np.array([0.0, 0.5, 0.5]))
