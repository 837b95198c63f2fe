"""Every feature of a saved network counts: with it the state is that of a plain power flow, and without it is not."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from saved_net import PlainGrid, Tables, line, load, plain_village, save, village

from meanwatt.model.network.pandapower_net.feeder_build import FeederState
from meanwatt.model.network.pandapower_net.importer import import_pandapower

TOLERANCE = 1e-9
"""Relative. Both solve a few equations of condition below 1e4 to rounding."""
LEAST_EFFECT = 1e-6
"""What a feature must change, relatively, to be seen."""

Feature = Callable[[Tables, PlainGrid], None]
FEATURES: dict[str, Feature] = {}


def feature(change: Feature) -> Feature:
    FEATURES[change.__name__] = change
    return change


def numbers(state: FeederState) -> tuple[float, ...]:
    return (state.min_voltage_pu, state.max_voltage_pu, state.loss_kw, state.max_transformer_loading or 0.0)


@feature
def source_voltage(tables: Tables, grid: PlainGrid) -> None:
    tables["ext_grid"][0]["vm_pu"] = grid.source_pu = 1.04


@feature
def load_out_of_service(tables: Tables, grid: PlainGrid) -> None:
    tables["load"][1]["in_service"] = False
    del grid.power[3]


@feature
def bus_out_of_service_leaves_a_stub(tables: Tables, grid: PlainGrid) -> None:
    tables["bus"][3]["in_service"] = False
    del grid.power[3]
    grid.inner.add(3)


@feature
def open_line_switch_leaves_a_stub(tables: Tables, grid: PlainGrid) -> None:
    tables["switch"] = [{"bus": 3, "element": 1, "et": "l", "closed": False, "z_ohm": 0.0}]
    del grid.power[3]
    grid.inner.add(3)


@feature
def line_out_of_service(tables: Tables, grid: PlainGrid) -> None:
    tables["line"][1]["in_service"] = False
    grid.branches = [entry for entry in grid.branches if entry[1:3] != (2, 3)]
    del grid.power[3]


@feature
def open_transformer_switch_leaves_iron_losses(tables: Tables, grid: PlainGrid) -> None:
    tables["trafo"].append({**tables["trafo"][0], "sn_mva": 0.4})
    tables["switch"] = [{"bus": 1, "element": 1, "et": "t", "closed": False, "z_ohm": 0.0}]
    open_bus = grid.bus(0.4, inner=True)
    grid.transformer(0, open_bus, mva=0.4)


@feature
def closed_switch_between_buses(tables: Tables, grid: PlainGrid) -> None:
    tables["bus"].append(dict(tables["bus"][3]))
    tables["switch"] = [{"bus": 5, "element": 3, "et": "b", "closed": True, "z_ohm": 0.0}]
    tables["load"].append(load(5, 0.01))
    grid.draw(3, 0.01 + 0.003j)


@feature
def switch_with_impedance(tables: Tables, grid: PlainGrid) -> None:
    tables["bus"].append(dict(tables["bus"][3]))
    tables["switch"] = [{"bus": 3, "element": 5, "et": "b", "closed": True, "z_ohm": 0.05}]
    tables["load"].append(load(5, 0.01))
    bus = grid.bus(0.4)
    grid.branch("switch", 3, bus, 0.05 * (2 + 1j) / np.sqrt(5))
    grid.draw(bus, 0.01 + 0.003j)


@feature
def parallel_lines_in_one_row(tables: Tables, grid: PlainGrid) -> None:
    tables["line"][0]["parallel"] = 2
    grid.line(1, 2, 0.2)


@feature
def parallel_lines_in_two_rows(tables: Tables, grid: PlainGrid) -> None:
    tables["line"].append(line(2, 1, 0.35))
    grid.line(1, 2, 0.35)


@feature
def leaking_line(tables: Tables, grid: PlainGrid) -> None:
    tables["line"][0]["g_us_per_km"] = 900.0
    grid.branch("line", 1, 2, 1e9, 900e-6 * 0.2)


@feature
def frequency(tables: Tables, grid: PlainGrid) -> None:
    tables["entries"] = [{"f_hz": 60.0}]
    for a, b, km in ((1, 2, 0.2), (2, 3, 0.3), (2, 4, 0.25)):
        grid.branch("line", a, b, 1e12, 2j * np.pi * 10 * 40e-6 * km)


def retapped(grid: PlainGrid, hv: float = 20.0, lv: float = 0.4, **values: float) -> None:
    """Another transformer in the place of the village's."""
    grid.branches = [entry for entry in grid.branches if entry[0] == "line"]
    grid.rated.clear()
    grid.transformer(0, 1, hv, lv, **values)  # type: ignore[arg-type]


@feature
def parallel_transformers_in_one_row(tables: Tables, grid: PlainGrid) -> None:
    tables["trafo"][0]["parallel"] = 2
    retapped(grid, times=2)


@feature
def parallel_transformers_in_two_rows(tables: Tables, grid: PlainGrid) -> None:
    tables["trafo"].append({**tables["trafo"][0], "tap_pos": 1})
    grid.transformer(0, 1, 20.5)


@feature
def derated_transformer(tables: Tables, grid: PlainGrid) -> None:
    tables["trafo"][0]["df"] = 0.8
    retapped(grid, df=0.8)


@feature
def tap_on_the_high_side(tables: Tables, grid: PlainGrid) -> None:
    tables["trafo"][0]["tap_pos"] = -2
    retapped(grid, hv=19.0)


@feature
def tap_on_the_low_side(tables: Tables, grid: PlainGrid) -> None:
    tables["trafo"][0] |= {"tap_pos": 1, "tap_side": "lv"}
    retapped(grid, lv=0.41)


@feature
def tap_of_version_2(tables: Tables, grid: PlainGrid) -> None:
    del tables["trafo"][0]["tap_changer_type"]
    tables["trafo"][0] |= {"tap_pos": 2, "tap_neutral": 1, "tap_phase_shifter": False}
    retapped(grid, hv=20.5)


@feature
def scaled_load(tables: Tables, grid: PlainGrid) -> None:
    tables["load"][1]["scaling"] = 0.5
    grid.power[3] /= 2


@feature
def generator(tables: Tables, grid: PlainGrid) -> None:
    tables["sgen"] = [{"bus": 4, "p_mw": 0.09, "q_mvar": -0.01, "scaling": 0.5, "in_service": True}]
    grid.draw(4, -0.045 + 0.005j)


@feature
def shunt(tables: Tables, grid: PlainGrid) -> None:
    tables["shunt"] = [{"bus": 3, "p_mw": 0.001, "q_mvar": -0.02, "vn_kv": 0.42, "step": 2, "in_service": True}]
    grid.draw(3, 2 * (0.001 - 0.02j) * (0.4 / 0.42) ** 2, z=1.0)


@feature
def load_that_varies_in_the_names_of_version_2(tables: Tables, grid: PlainGrid) -> None:
    tables["load"][1] |= {"const_z_percent": 50.0, "const_i_percent": 30.0}
    del grid.power[3]
    grid.draw(3, 0.05 + 0.015j, z=0.5, i=0.3)


@feature
def load_that_varies_in_the_names_of_version_3(tables: Tables, grid: PlainGrid) -> None:
    tables["load"][1] |= {"const_z_p_percent": 50.0, "const_i_p_percent": 30.0, "const_z_q_percent": 100.0}
    del grid.power[3]
    grid.draw(3, 0.05, z=0.5, i=0.3)
    grid.draw(3, 0.015j, z=1.0)


@feature
def asymmetric_load(tables: Tables, grid: PlainGrid) -> None:
    powers = {"p_a_mw": 0.01, "p_b_mw": 0.02, "p_c_mw": 0.0, "q_a_mvar": 0.003, "q_b_mvar": 0.0, "q_c_mvar": 0.0}
    tables["asymmetric_load"] = [{"bus": 3, **powers, "scaling": 0.5, "in_service": True}]
    grid.draw(3, 0.015 + 0.0015j)


@feature
def leading_load(tables: Tables, grid: PlainGrid) -> None:
    tables["load"][1]["q_mvar"] = -0.02
    grid.power[3] = (0.05 - 0.02j) * 1e6


@feature
def motor_and_ward(tables: Tables, grid: PlainGrid) -> None:
    motor = {"pn_mech_mw": 0.01, "efficiency_percent": 80.0, "loading_percent": 50.0, "cos_phi": 0.8}
    tables["motor"] = [{"bus": 3, **motor, "scaling": 1.0, "in_service": True}]
    tables["ward"] = [{"bus": 4, "ps_mw": 0.01, "qs_mvar": 0.0, "pz_mw": 0.0, "qz_mvar": 0.008, "in_service": True}]
    grid.draw(3, 0.00625 * (1 + 0.75j))
    grid.draw(4, 0.01)
    grid.draw(4, 0.008j, z=1.0)


@feature
def series_impedance(tables: Tables, grid: PlainGrid) -> None:
    tables["bus"].append(dict(tables["bus"][3]))
    pu = {"rft_pu": 0.01, "xft_pu": 0.02, "rtf_pu": 0.01, "xtf_pu": 0.02, "sn_mva": 0.1}
    tables["impedance"] = [{"from_bus": 3, "to_bus": 5, **pu, "in_service": True}]
    tables["load"].append(load(5, 0.01))
    bus = grid.bus(0.4)
    grid.branch("switch", 3, bus, (0.01 + 0.02j) * 1.6)
    grid.draw(bus, 0.01 + 0.003j)


@feature
def three_windings(tables: Tables, grid: PlainGrid) -> None:
    """Equal rated powers, so that a leg has half the sum of its two pairs less the third."""
    tables["bus"] += [{"vn_kv": 110.0, "in_service": True}, {"vn_kv": 10.0, "in_service": True}]
    tables["ext_grid"][0]["bus"] = 5
    sides = {"hv": (5, 110.0, 8.0), "mv": (0, 20.0, 6.0), "lv": (6, 10.0, 10.0)}  # bus, kV, vk of hv-mv, mv-lv, hv-lv
    row: dict[str, object] = {"pfe_kw": 0.0, "i0_percent": 0.0, "tap_at_star_point": False, "in_service": True}
    for side, (bus, kv, vk) in sides.items():
        row |= {f"{side}_bus": bus, f"vn_{side}_kv": kv, f"sn_{side}_mva": 10.0}
        row |= {f"vk_{side}_percent": vk, f"vkr_{side}_percent": 0.0}
    tables["trafo3w"] = [row]
    tables["load"].append(load(6, 2.0))
    grid.kv[0], grid.kv[3] = 110.0, 0.4  # the plain grid's bus 0 is the source
    middle, star, low = grid.bus(20.0), grid.bus(110.0, inner=True), grid.bus(10.0)
    grid.branches = [
        (kind, middle if a == 0 else a, middle if b == 0 else b, z, y, ratio)
        for kind, a, b, z, y, ratio in grid.branches
    ]
    grid.branch("trafo", 0, star, 0.06j / 10 * 110**2)
    grid.branch("trafo", star, middle, 0.02j / 10 * 20**2, ratio=110 / 20)
    grid.branch("trafo", star, low, 0.04j / 10 * 10**2, ratio=11.0)
    grid.draw(low, 2.0 + 0.6j)


@feature
def tap_at_the_star_point_that_version_2_counts_the_wrong_way(tables: Tables, grid: PlainGrid) -> None:
    three_windings(tables, grid)
    tables["trafo3w"][0] |= {"tap_side": "hv", "tap_neutral": 0, "tap_pos": 2, "tap_step_percent": 2.5}
    tables["trafo3w"][0] |= {"tap_step_degree": None, "tap_at_star_point": True}
    place = next(place for place, entry in enumerate(grid.branches) if entry[3] == 0.06j / 10 * 110**2)
    kind, a, b, z, y, _ = grid.branches[place]
    grid.branches[place] = (kind, a, b, z * 1.05**2, y, 1 / 1.05)


def state_of(tables: Tables, folder: Path) -> FeederState:
    entries = tables.pop("entries", [{}])[0]
    return import_pandapower(save(folder, tables, **entries)).state


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_counts_as_in_a_plain_power_flow_and_is_missed_when_lost(name: str, tmp_path: Path) -> None:
    tables, grid = village(), plain_village()
    FEATURES[name](tables, grid)
    wanted = grid.solve()
    np.testing.assert_allclose(numbers(state_of(tables, tmp_path)), wanted, rtol=TOLERANCE)
    lost = np.array(numbers(state_of(village(), tmp_path)))
    assert (abs(lost / np.array(wanted) - 1) > LEAST_EFFECT).any()


def test_the_village_itself_is_that_of_a_plain_power_flow(tmp_path: Path) -> None:
    np.testing.assert_allclose(numbers(state_of(village(), tmp_path)), plain_village().solve(), rtol=TOLERANCE)


@pytest.mark.parametrize(
    "change",
    [
        {"shift_degree": 0.0},  # turns every voltage alike
        {"tap_pos": 2, "tap_changer_type": "Ideal", "tap_step_degree": 5.0},
        {"tap_pos": 2, "tap_changer_type": None},
        {"tap_pos": 2, "tap_neutral": None},
    ],
)
def test_what_changes_no_magnitude_changes_nothing(change: dict[str, object], tmp_path: Path) -> None:
    tables = village()
    tables["trafo"][0] |= change
    assert state_of(tables, tmp_path) == state_of(village(), tmp_path)
