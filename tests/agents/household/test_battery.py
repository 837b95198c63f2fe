"""A battery loses energy on every round trip, keeps its power limit at the meter, and never leaves its levels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanwatt.agents.household.battery import Battery, grid_power_kw, moves, wear_usd
from meanwatt.agents.household.storage import feasible


def battery_of(**changes: float) -> Battery:
    """The textbook battery: 10 kWh, 5 kW, 90 % round trip, half a kWh a level."""
    settings = {
        "capacity_kwh": 10.0,
        "power_limit_kw": 5.0,
        "charge_efficiency": 0.9**0.5,
        "discharge_efficiency": 0.9**0.5,
        "wear_usd_per_kwh": 0.03,
        "levels": 21,
    }
    return Battery(**{**settings, **changes})


@st.composite
def batteries(draw: st.DrawFn) -> Battery:
    return Battery(
        capacity_kwh=draw(st.floats(0.5, 30)),
        power_limit_kw=draw(st.floats(0.1, 15)),
        charge_efficiency=draw(st.floats(0.5, 1)),
        discharge_efficiency=draw(st.floats(0.5, 1)),
        wear_usd_per_kwh=draw(st.floats(0, 0.2)),
        levels=draw(st.integers(2, 41)),
    )


slot_lengths = st.sampled_from([1.0, 0.5, 0.25])


@given(batteries(), slot_lengths, st.lists(st.integers(0, 10_000), min_size=1, max_size=30), st.integers(0, 40))
def test_no_sequence_of_moves_that_comes_back_yields_energy(
    battery: Battery, slot_hours: float, choices: list[int], first: int
) -> None:
    move = moves(battery, slot_hours)
    power_kw = grid_power_kw(battery, move, slot_hours)
    level = first = first % battery.levels
    taken_kwh = 0.0
    for choice in choices:
        possible = np.flatnonzero(feasible(battery.levels, move)[level])
        j = possible[choice % possible.size]
        taken_kwh += power_kw[j] * slot_hours
        level += move[j]
        assert 0 <= level < battery.levels
    while level != first:  # home by single steps, which every battery that moves at all can take one way or the other
        step = int(np.sign(first - level))
        j = np.flatnonzero(move == step)
        if j.size == 0:
            return
        taken_kwh += power_kw[j[0]] * slot_hours
        level += step
    assert taken_kwh >= -1e-12 * battery.capacity_kwh * len(choices)


@given(batteries(), slot_lengths)
def test_a_round_trip_gives_back_the_product_of_both_efficiencies(battery: Battery, slot_hours: float) -> None:
    move = moves(battery, slot_hours)
    power_kw = dict(zip(move.tolist(), grid_power_kw(battery, move, slot_hours), strict=True))
    for j, taken_kw in power_kw.items():
        if j > 0 and -j in power_kw:
            given_back = -power_kw[-j] / taken_kw
            assert given_back == pytest.approx(battery.charge_efficiency * battery.discharge_efficiency, rel=1e-12)


@given(batteries(), slot_lengths)
def test_power_at_the_meter_keeps_the_limit_and_one_level_more_would_not(battery: Battery, slot_hours: float) -> None:
    move = moves(battery, slot_hours)
    limit_kw = battery.power_limit_kw * (1 + 1e-8)
    assert np.abs(grid_power_kw(battery, move, slot_hours)).max() <= limit_kw
    for end, step in ((move[0], -1), (move[-1], 1)):
        beyond_kw = abs(grid_power_kw(battery, np.array([end + step]), slot_hours)[0])
        assert abs(end) == battery.levels - 1 or beyond_kw > battery.power_limit_kw


@given(batteries(), slot_lengths)
def test_moves_are_every_integer_from_the_deepest_discharge_to_the_strongest_charge(
    battery: Battery, slot_hours: float
) -> None:
    move = moves(battery, slot_hours)
    assert 0 in move
    assert (np.diff(move) == 1).all()
    assert np.abs(move).max() <= battery.levels - 1


@pytest.mark.parametrize(
    ("slots", "deepest", "strongest"),
    [
        (24, -10, 9),  # charging 5 · .9487 / .5 = 9.49 levels, discharging 5 / (.5 · .9487) = 10.54
        (48, -5, 4),  # half of that: 4.74 and 5.27
        (96, -2, 2),  # a quarter: 2.37 and 2.64
    ],
)
def test_shorter_slots_allow_fewer_levels_a_move(slots: int, deepest: int, strongest: int) -> None:
    move = moves(battery_of(), 24 / slots)
    assert (move[0], move[-1]) == (deepest, strongest)


def test_power_by_hand_at_half_hours() -> None:
    # one level is .5 kWh in the cell; at the meter .5 / (.95 · .5 h) = 1.0526 kW in and .5 · .9 / .5 h = .9 kW out
    battery = battery_of(charge_efficiency=0.95, discharge_efficiency=0.9)
    power_kw = grid_power_kw(battery, np.array([-2, -1, 0, 1]), 0.5)
    assert power_kw == pytest.approx([-1.8, -0.9, 0.0, 0.5 / 0.95 / 0.5])


def test_a_limit_hit_exactly_is_not_lost_to_rounding() -> None:
    # 0.3 kW for an hour is three levels of 0.1 kWh, though 0.3 / 0.1 is 2.9999999999999996 in binary
    battery = battery_of(
        capacity_kwh=0.5, power_limit_kw=0.3, charge_efficiency=1.0, discharge_efficiency=1.0, levels=6
    )
    assert moves(battery, 1.0).tolist() == [-3, -2, -1, 0, 1, 2, 3]


def test_a_strong_battery_crosses_all_its_levels_but_no_more() -> None:
    assert moves(battery_of(power_limit_kw=1000.0, levels=5), 1.0).tolist() == list(range(-4, 5))


@given(batteries(), slot_lengths)
def test_wear_is_paid_on_the_cell_energy_of_either_way(battery: Battery, slot_hours: float) -> None:
    move = moves(battery, slot_hours)
    for j, usd in zip(move, wear_usd(battery, move), strict=True):
        assert usd == pytest.approx(abs(j) * battery.capacity_kwh / (battery.levels - 1) * battery.wear_usd_per_kwh)


def test_without_a_battery_the_only_move_is_to_stand_still_at_no_power_and_no_wear() -> None:
    move = moves(None, 1.0)
    assert move.tolist() == [0]
    assert grid_power_kw(None, move, 1.0).tolist() == [0.0]
    assert wear_usd(None, move).tolist() == [0.0]


@given(st.integers(1, 12), st.integers(0, 6), st.integers(0, 6))
def test_feasible_moves_end_on_a_level(levels: int, down: int, up: int) -> None:
    move = np.arange(-down, up + 1)
    table = feasible(levels, move)
    assert table.shape == (levels, move.size)
    for e in range(levels):
        for j in range(move.size):
            assert table[e, j] == (0 <= e + move[j] <= levels - 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"capacity_kwh": 0.0}, "battery capacity_kwh is 0.0; give a positive number"),
        ({"capacity_kwh": float("nan")}, "battery capacity_kwh is nan; give a positive number"),
        ({"power_limit_kw": -5.0}, "battery power_limit_kw is -5.0; give a positive number"),
        ({"power_limit_kw": float("inf")}, "battery power_limit_kw is inf; give a positive number"),
        ({"charge_efficiency": 1.01}, "battery charge_efficiency is 1.01; give a number in (0, 1]"),
        ({"discharge_efficiency": 0.0}, "battery discharge_efficiency is 0.0; give a number in (0, 1]"),
        ({"charge_efficiency": float("nan")}, "battery charge_efficiency is nan; give a number in (0, 1]"),
        ({"wear_usd_per_kwh": -0.01}, "battery wear_usd_per_kwh is -0.01; give a number >= 0"),
        ({"levels": 1}, "battery levels is 1; give at least 2 (empty and full)"),
    ],
)
def test_what_is_no_battery_is_refused_in_words(changes: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError) as error:
        battery_of(**changes)
    assert str(error.value) == message
