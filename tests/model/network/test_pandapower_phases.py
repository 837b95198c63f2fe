"""An import by phase keeps who is on which phase, and says what of the zero sequence is assumed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from saved_net import line, save, village

from meanwatt.model.network.feeder_file import feeder_of_table, table_of_feeder
from meanwatt.model.network.library.phase_data import VectorGroup
from meanwatt.model.network.pandapower_net.importer import import_pandapower
from meanwatt.model.network.phase_flow import PhaseFlow
from meanwatt.model.scenario.feeder_file import read_feeder_file, write_feeder_file

ZERO = {"r0_ohm_per_km": 0.832, "x0_ohm_per_km": 0.32, "c0_nf_per_km": 100.0}
GROUP = {
    "vector_group": "Dyn", "vk0_percent": 5.4, "vkr0_percent": 1.3, "mag0_percent": 100.0, "mag0_rx": 0.0,
    "si0_hv_partial": 0.9,
}  # fmt: skip


def asymmetric(bus: int, *p_mw: float, **values: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"bus": bus, "scaling": 1.0, "in_service": True, "type": "wye"}
    row |= {f"p_{phase}_mw": value for phase, value in zip("abc", p_mw, strict=True)}
    return {**row, **{f"q_{phase}_mvar": 0.0 for phase in "abc"}, **values}


def phased() -> dict[str, Any]:
    """A village whose homes are on one phase, but for one on all three and one of whom nothing is said."""
    tables = village()
    tables["line"] = [line(1, 2, 0.2, **ZERO), line(2, 3, 0.3, **ZERO), line(2, 4, 0.25, **ZERO)]
    tables["trafo"][0] |= GROUP
    tables["asymmetric_load"] = [
        asymmetric(3, 0.006, 0.0, 0.0),
        asymmetric(3, 0.0, 0.004, 0.0),
        asymmetric(4, 0.002, 0.002, 0.005),
    ]
    tables["asymmetric_sgen"] = [asymmetric(4, 0.0, 0.0, 0.008)]
    tables["load"] = [{"bus": 2, "p_mw": 0.003, "q_mvar": 0.0, "scaling": 1.0, "in_service": True}]
    return tables


def test_homes_keep_the_phase_that_the_file_gives(tmp_path: Path) -> None:
    found = import_pandapower(save(tmp_path, phased()), phases=True)
    feeder, report = found.feeder, found.report
    assert feeder.phases is not None
    assert feeder.customers.tolist() == [0, 0, 1, 2, 1]
    assert feeder.phases.customers.tolist() == [[0] * 3, [0] * 3, [0] * 3, [1, 1, 0], [0] * 3]
    assert feeder.phases.three_phase.tolist() == [0, 0, 0, 0, 1]
    assert feeder.phases.fixed_kw[4].tolist() == [0, 0, -8.0]
    assert feeder.fixed is not None
    assert feeder.fixed.p_kw[4] == -8.0
    assert (report.taken["asymmetric_load"], report.taken["asymmetric_sgen"]) == (3, 1)
    assert not +report.approximated
    assert report.messages == ()


def test_nothing_of_it_is_read_unless_it_is_asked_for(tmp_path: Path) -> None:
    tables = phased()
    tables["line"][0]["r0_ohm_per_km"] = "much"
    found = import_pandapower(save(tmp_path, tables))
    assert found.feeder.phases is None
    assert found.by_phase is None
    assert found.report.approximated == {"asymmetric_load": 3, "asymmetric_sgen": 1}
    with pytest.raises(ValueError, match="line 0 has r0_ohm_per_km 'much'; give a number"):
        import_pandapower(save(tmp_path, tables), phases=True)


def test_the_state_by_phase_adds_up_to_what_is_drawn(tmp_path: Path) -> None:
    found = import_pandapower(save(tmp_path, phased()), phases=True)
    state = found.by_phase
    assert state is not None
    assert state.min_phase_voltage_pu < found.state.min_voltage_pu
    assert state.max_phase_voltage_pu >= found.state.max_voltage_pu
    assert state.loss_kw > found.state.loss_kw
    assert state.max_unbalance_percent > 0


def test_what_the_file_does_not_say_is_assumed_and_counted(tmp_path: Path) -> None:
    tables = phased()
    for row in tables["line"][:2]:
        row["x0_ohm_per_km"] = None
    tables["trafo"][0]["vector_group"] = None
    found = import_pandapower(save(tmp_path, tables), phases=True)
    assert found.report.approximated == {"line": 2, "trafo": 1}
    assert (found.report.taken["line"], found.report.taken["trafo"]) == (1, 0)
    assert set(found.report.messages) == {
        "trafo 0: no vector group or no zero-sequence impedance; Dyn11 and that of the positive sequence stand in place"
        " of what is missing.",
        "line 0, 1: no zero-sequence impedance; r0 = 4 r1 and x0 = 4 x1 stand in its place, or what a scenario's"
        " feeder.r0_per_r1 and feeder.x0_per_x1 say.",
    }
    zero = PhaseFlow(found.feeder).zero
    assert zero.assumed == {"line": 2, "transformer": 1}
    assert zero.line_r0_ohm[0] == pytest.approx(4 * found.feeder.line_r_ohm[0])


@pytest.mark.parametrize("name", ["Dyn", "Dyn5", "YNyn", "Yzn5"])
def test_a_vector_group_has_the_clock_of_its_name_or_of_the_shift(name: str, tmp_path: Path) -> None:
    tables = phased()
    tables["trafo"][0] |= {"vector_group": name, "shift_degree": 0.0 if name == "YNyn" else 150.0}
    feeder = import_pandapower(save(tmp_path, tables), phases=True).feeder
    assert feeder.phases is not None
    (port,) = feeder.phases.branches
    assert port is not None
    assert port.group == VectorGroup.read({"Dyn": "Dyn5", "YNyn": "YNyn0"}.get(name, name))


def test_a_load_between_two_phases_is_divided_between_them(tmp_path: Path) -> None:
    """At balanced voltages S_ab gives S (1/2 − j/√12) to a and the conjugate share to b: half of the power each."""
    tables = phased()
    tables["asymmetric_load"] = [asymmetric(3, 0.006, 0.0, 0.0, type="delta")]
    tables["asymmetric_sgen"] = []
    found = import_pandapower(save(tmp_path, tables), phases=True)
    assert found.report.approximated == {"asymmetric_load": 1}
    assert found.report.messages == (
        "asymmetric_load 0: lies between phases; its share of each is that of balanced voltages.",
    )
    assert found.feeder.p_kw[3] == pytest.approx(6.0)
    assert found.feeder.phases is not None
    assert found.feeder.phases.three_phase[3] == 1


def test_three_windings_are_refused_by_phase(tmp_path: Path) -> None:
    tables = phased()
    tables["bus"] += [{"name": None, "vn_kv": kv, "in_service": True} for kv in (110.0, 10.0)]
    tables["ext_grid"][0]["bus"] = 5
    tables["trafo3w"] = [
        {
            "hv_bus": 5, "mv_bus": 0, "lv_bus": 6, "sn_hv_mva": 63.0, "sn_mv_mva": 25.0, "sn_lv_mva": 38.0,
            "vn_hv_kv": 110.0, "vn_mv_kv": 20.0, "vn_lv_kv": 10.0, "vk_hv_percent": 10.4, "vk_mv_percent": 10.4,
            "vk_lv_percent": 10.4, "vkr_hv_percent": 0.28, "vkr_mv_percent": 0.32, "vkr_lv_percent": 0.35,
            "pfe_kw": 35.0, "i0_percent": 0.89, "in_service": True, "tap_side": None,
        }
    ]  # fmt: skip
    with pytest.raises(ValueError, match=r"trafo3w 0 .* three windings, .*; import it without --phases"):
        import_pandapower(save(tmp_path, tables), phases=True)
    assert import_pandapower(save(tmp_path, tables)).buses == 7


@pytest.mark.parametrize("ending", ["toml", "json"])
def test_a_file_holds_what_is_known_by_phase_to_the_last_bit(ending: str, tmp_path: Path) -> None:
    for group in ("Dyn", "YNyn"):
        tables = phased()
        tables["trafo"][0] |= {"vector_group": group, "shift_degree": 0.0 if group == "YNyn" else 150.0}
        feeder = import_pandapower(save(tmp_path, tables), phases=True).feeder
        file = tmp_path / f"{group}.{ending}"
        write_feeder_file(file, table_of_feeder(feeder))
        again = feeder_of_table(read_feeder_file(file)[0])
        assert again.phases is not None
        assert feeder.phases is not None
        assert again.phases.branches == feeder.phases.branches
        drawn = np.repeat(feeder.p_kw[:, None] / 3, 3, axis=1)[None]
        one, two = (PhaseFlow(each).solve(drawn, drawn / 4) for each in (feeder, again))
        np.testing.assert_array_equal(one.voltage_pu, two.voltage_pu)


REFUSED = {
    "r0_ohm = 0.3": "edge 'a'-'b' has r0_ohm 0.3 and x0_ohm None; give both, not both 0, or neither",
    "r0_ohm = 0.0, x0_ohm = 0.0": "edge 'a'-'b' has r0_ohm 0.0 and x0_ohm 0.0; give both, not both 0, or neither",
    "r0_ohm = -1.0, x0_ohm = 0.0": "lines.0.r0_ohm is -1; give a number from 0 to 1000000000 ohm",
    "phase_customers": "bus 'b' has customers by phase but no customers; give customers=<number>",
    "phase_customers, too many": "bus 'b' has 1 customers but more of them by phase",
    "phase_customers, two": "buses.1.phase_customers: has 2 entries; give three, of phases a, b and c",
    "vector_group": "edge 'a'-'b': vector_group is 'Dyn'; give the windings and the clock, as Dyn11",
}


@pytest.mark.parametrize("wrong", REFUSED)
def test_a_file_that_is_wrong_about_phases_is_one_line(wrong: str, tmp_path: Path) -> None:
    keys = wrong if "=" in wrong else "x0_ohm = 0.3, r0_ohm = 0.2"
    home = {
        "phase_customers": "p_kw = 3.0, phase_customers = [1, 0, 0]",
        "phase_customers, too many": "customers = 1, p_kw = 3.0, phase_customers = [1, 1, 0]",
        "phase_customers, two": "customers = 1, p_kw = 3.0, phase_customers = [1, 0]",
    }.get(wrong, "customers = 1, p_kw = 3.0")
    edge = f'lines = [{{ from_bus = "a", to_bus = "b", r_ohm = 0.1, x_ohm = 0.1, {keys} }}]'
    if wrong == "vector_group":
        edge = (
            'transformers = [{ from_bus = "a", to_bus = "b", kva = 100.0, uk = 0.04, pk_kw = 1.0,'
            ' vector_group = "Dyn" }]'
        )
    file = tmp_path / "wrong.toml"
    file.write_text(
        'kind = "feeder"\nsource = "a"\nbuses = [{ name = "a", nominal_kv = 0.4 },'
        f' {{ name = "b", nominal_kv = 0.4, {home} }}]\n{edge}\n',
        encoding="utf-8",
    )
    with pytest.raises(ValueError, match=r"^[^\n]*$") as caught:
        feeder_of_table(read_feeder_file(file)[0], peak_reference_kw=1.0)
    assert REFUSED[wrong] in str(caught.value)
