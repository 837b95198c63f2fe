"""The electric vehicle: its trip, its best response against plain loops, and its derivative."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenarios import SHOCK, small_decision_problem, small_household, small_rates
from scipy.special import logsumexp

from meanwatt.agents.household.best_response import best_response
from meanwatt.agents.household.decision_problem import DecisionProblem, ValueRule
from meanwatt.agents.household.electric_vehicle import ElectricVehicle
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.slot_outcome import slot_outcome
from meanwatt.agents.tariff.rates import Rates
from meanwatt.model.mean_field.population.flow import stationary_flow

SLOTS = 6
CALM = np.ones((1, 1))


def vehicle(**changes: object) -> ElectricVehicle:
    """A vehicle of 1 kWh a level on a day of six slots, away from 8 to 16 o'clock; it charges two levels a slot."""
    given: dict[str, object] = {
        "capacity_kwh": 6.0,
        "levels": 7,
        "power_limit_kw": 0.6,
        "charge_efficiency": 0.9,
        "discharge_efficiency": 0.9,
        "wear_usd_per_kwh": 0.01,
        "departure_hour": 8.0,
        "return_hour": 16.0,
        "trip_kwh": 3.0,
        "unmet_usd_per_kwh": 2.0,
    }
    return ElectricVehicle(**{**given, **changes})


def owner(ev: ElectricVehicle, **changes: object) -> HouseholdType:
    """A household with solar panels and the vehicle."""
    return small_household(1, SLOTS, technology="pv_ev", battery=ev, **changes)


@settings(max_examples=40)
@given(
    trip=st.floats(0.0, 6.0),
    leaves=st.integers(0, 5),
    hours=st.integers(1, 5),
    back=st.booleans(),
)
def test_a_trip_takes_its_energy_or_all_there_is_and_what_is_missing_costs(
    trip: float, leaves: int, hours: int, back: bool
) -> None:
    """From every level: the mean taken, and the mean cost of the moves, are those of the trip by hand."""
    ev = vehicle(
        trip_kwh=trip, departure_hour=4.0 * leaves, return_hour=4.0 * ((leaves + hours) % 6), vehicle_to_grid=back
    )
    day = ev.day(SLOTS, 4.0)
    away = [(leaves + k) % 6 for k in range(hours)]
    assert np.flatnonzero(~day.choice.chosen).tolist() == sorted(away)
    drawn = day.choice.given
    assert drawn[away].sum(axis=2) == pytest.approx(np.ones((hours, 7)), abs=1e-12)
    assert (drawn[~day.choice.chosen] * ~day.open_moves[~day.choice.chosen] == 0).all()
    for e in range(7):
        taken_kwh = -float(drawn[leaves, e] @ day.moves) * ev.level_kwh
        assert taken_kwh == pytest.approx(min(trip, e * ev.level_kwh), abs=1e-8)
        cost = float(drawn[leaves, e] @ day.cost_by_slot_usd()[leaves])
        assert cost == pytest.approx(2.0 * max(trip - e * ev.level_kwh, 0.0), abs=1e-7)
        for h in away[1:]:
            assert drawn[h, e] @ day.moves == 0
            assert drawn[h, e] @ day.cost_by_slot_usd()[h] == 0
    assert (day.power_kw[away] == 0).all()
    home = day.moves[day.open_moves[day.choice.chosen].any(axis=(0, 1))]
    assert home.tolist() == ([-2, -1, 0, 1, 2] if back else [0, 1, 2])


def by_plain_loops(home: HouseholdType, rates: Rates, problem: DecisionProblem) -> tuple[np.ndarray, np.ndarray, float]:
    """Values (h, z, e) less level 0, the policy's mean energy put in (h, e, z) [kWh] and the gain, energy in kWh."""
    ev = home.battery
    assert isinstance(ev, ElectricVehicle)
    outcome = slot_outcome(home, rates, problem.shock_levels, problem.slot_hours)
    first, hours = int(outcome.moves[0]), problem.slot_hours
    shocks, levels, eta = problem.shock_levels.size, ev.levels, problem.temperature_usd
    reach = int(ev.power_limit_kw * hours * ev.charge_efficiency / ev.level_kwh + 1e-9)
    depth = int(ev.power_limit_kw * hours / ev.discharge_efficiency / ev.level_kwh + 1e-9) if ev.vehicle_to_grid else 0
    leaves, returns = round(ev.departure_hour / hours), round(ev.return_hour / hours)
    away = {(leaves + k) % SLOTS for k in range((returns - leaves) % SLOTS)}
    midnight = np.zeros((shocks, levels))
    value, put_in = np.zeros((SLOTS, shocks, levels)), np.zeros((SLOTS, levels, shocks))
    for _ in range(4000):
        after = midnight
        for h in reversed(range(SLOTS)):
            ahead = problem.shock_kernel @ after
            for z in range(shocks):
                idle = outcome.utility_usd[0, h, z, -first] - outcome.payment_usd[0, h, z, -first]
                for e in range(levels):
                    if h in away:
                        left, lacking = e * ev.level_kwh, 0.0
                        if h == leaves:
                            left, lacking = max(left - ev.trip_kwh, 0.0), max(ev.trip_kwh - left, 0.0)
                        low = min(int(left / ev.level_kwh + 1e-9), levels - 1)
                        part = left / ev.level_kwh - low
                        later = (1 - part) * ahead[z, low] + part * ahead[z, min(low + 1, levels - 1)]
                        value[h, z, e], put_in[h, e, z] = idle - ev.unmet_usd_per_kwh * lacking + later, 0.0
                        continue
                    steps = np.array([m for m in range(-depth, reach + 1) if 0 <= e + m < levels])
                    worth = outcome.utility_usd[0, h, z, steps - first] - outcome.payment_usd[0, h, z, steps - first]
                    worth = worth - ev.wear_usd_per_kwh * ev.level_kwh * np.abs(steps) + ahead[z, e + steps]
                    soft = np.exp((worth - worth.max()) / eta) if eta else (worth > worth.max() - 1e-11).astype(float)
                    put_in[h, e, z] = ev.level_kwh * (soft / soft.sum()) @ steps
                    entropy = eta > 0 and problem.value_rule is ValueRule.ENTROPY
                    value[h, z, e] = eta * logsumexp(worth / eta) if entropy else worth.max()
            after = value[h]
        change = value[0] - midnight
        if np.ptp(change) < 1e-13:
            break
        midnight = value[0] - value[0, 0, 0]
    return value - value[:, :, :1], put_in, float(change.mean())


@pytest.mark.parametrize(("rule", "temperature"), [("entropy", 0.05), ("boltzmann", 0.05), ("entropy", 0.0)])
@pytest.mark.parametrize("changes", [{}, {"trip_kwh": 3.4, "vehicle_to_grid": True}, {"unmet_usd_per_kwh": 0.05}])
def test_the_best_response_is_that_of_plain_loops_over_kilowatt_hours(
    rule: str, temperature: float, changes: dict[str, object]
) -> None:
    home, rates = owner(vehicle(**changes)), small_rates(1, SLOTS)
    problem = replace(
        small_decision_problem(temperature, rule=ValueRule(rule), slots=SLOTS, weather=CALM), shock_kernel=SHOCK
    )
    value, put_in, gain = by_plain_loops(home, rates, problem)
    found = best_response(home, rates, problem)
    assert found.converged
    assert found.value_usd[0] - found.value_usd[0, :, :, :1] == pytest.approx(value, abs=1e-9)
    assert found.gain_usd_per_day == pytest.approx(gain, abs=1e-9)
    chosen = found.outcome.choice.chosen
    moved_kwh = found.policy.probability[0] @ found.policy.moves * home.battery.level_kwh
    assert moved_kwh[chosen] == pytest.approx(put_in[chosen], abs=1e-7)
    found.policy.check()


def test_a_vehicle_that_must_take_its_energy_charges_in_the_cheapest_slots() -> None:
    """Three levels a day at two a slot: both of the cheapest slot at home, and one of the second cheapest."""
    bought = np.array([[0.30, 0.11, 0.05, 0.06, 0.25, 0.20]])  # slots 2 and 3, the cheapest of all, are on the road
    rates = Rates(import_usd_per_kwh=bought, export_usd_per_kwh=bought)
    home = owner(vehicle(wear_usd_per_kwh=0.0), pv_kw=np.zeros((1, SLOTS)))
    problem = small_decision_problem(0.0, slots=SLOTS, weather=CALM)
    found = best_response(home, rates, problem)
    flow = stationary_flow(found.policy, problem.shock_kernel, problem.shock_probability, CALM)
    charged = (flow.frequency[0].sum(axis=1) * np.maximum(found.policy.moves, 0)).sum(axis=1)
    assert charged == pytest.approx([0.0, 2.0, 0.0, 0.0, 0.0, 1.0], abs=1e-12)
    idle = best_response(replace(home, battery=None, technology="none"), rates, problem)
    paid = (2 * 0.11 + 1 * 0.20) * 1.0 / 0.9
    assert idle.gain_usd_per_day - found.gain_usd_per_day == pytest.approx(paid, abs=1e-9)


@pytest.mark.parametrize("rule", list(ValueRule))
def test_the_derivative_agrees_with_finite_differences_also_where_nature_draws(rule: ValueRule) -> None:
    from meanwatt.model.mean_field.derivatives.day_product import DayProduct
    from meanwatt.model.mean_field.derivatives.household_sensitivity import Directions, TypePlay, type_sensitivity
    from meanwatt.model.mean_field.derivatives.linear_day import LinearDay
    from meanwatt.model.mean_field.population.observables import observed

    home, rates = owner(vehicle(trip_kwh=3.4, vehicle_to_grid=True)), small_rates(1, SLOTS)
    problem = small_decision_problem(0.05, rule=rule, slots=SLOTS, weather=CALM)
    bought, sold = np.random.default_rng(3).normal(size=(2, 2, 1, SLOTS))

    def mean_load(step: float) -> tuple[np.ndarray, object, object]:
        at = Rates(
            import_usd_per_kwh=rates.import_usd_per_kwh + step * bought[0],
            export_usd_per_kwh=rates.export_usd_per_kwh + step * sold[0],
        )
        response = best_response(home, at, problem, tolerance_usd=1e-14)
        flow = stationary_flow(response.policy, problem.shock_kernel, problem.shock_probability, CALM)
        return (flow.frequency * response.outcome.net_load_kw).sum(axis=(2, 3)), response, flow

    _, response, flow = mean_load(0.0)
    directions = Directions(import_usd_per_kwh=bought, export_usd_per_kwh=sold)
    exact = type_sensitivity(TypePlay(home, rates, response, flow), problem, CALM, directions).net_load_kw[..., 0]
    measured = (mean_load(1e-5)[0] - mean_load(-1e-5)[0]) / 2e-5
    assert exact == pytest.approx(measured, abs=1e-6 * max(np.abs(exact).max(), 1.0))
    product = DayProduct(LinearDay(response, flow, problem, *observed(home, rates, response, problem, True)), CALM, int)
    assert product(np.stack([bought[0], sold[0]]))[0] == pytest.approx(exact, abs=1e-9 * np.abs(exact).max())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"departure_hour": 24.0}, "ev departure_hour is 24.0; give an hour in [0, 24)"),
        ({"return_hour": 8.0}, "ev return_hour is 8.0, its departure_hour; give two different hours"),
        ({"trip_kwh": 6.5}, "ev trip_kwh is 6.5; give a number from 0 to capacity_kwh"),
        ({"unmet_usd_per_kwh": -0.1}, "ev unmet_usd_per_kwh is -0.1; give a number >= 0"),
        ({"levels": 1}, "battery levels is 1; give at least 2 (empty and full)"),
    ],
)
def test_a_vehicle_outside_its_ranges_is_refused(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError) as refused:
        vehicle(**changes)
    assert str(refused.value) == sentence


def test_an_hour_within_a_slot_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^hour 9 lies within a slot of 4 h; give a multiple of it$"):
        vehicle(departure_hour=9.0).day(SLOTS, 4.0)
