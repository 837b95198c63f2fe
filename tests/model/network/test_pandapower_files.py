"""What an import says: of every row, of what is left out, and in one line of what it cannot read."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from saved_net import Tables, line, load, save, saved, village

from meanwatt.model.network.pandapower_net.importer import ImportedFeeder, import_pandapower
from meanwatt.model.network.pandapower_net.transformers import TapRule


def imported(folder: Path, tables: Tables, rule: TapRule = TapRule.FILE, **entries: Any) -> ImportedFeeder:
    return import_pandapower(save(folder, tables, **entries), rule)


def test_every_row_is_in_the_report(tmp_path: Path) -> None:
    tables = village()
    tables["bus"] += [{"vn_kv": 0.4, "in_service": True}] * 2 + [{"vn_kv": 0.4, "in_service": False}]
    tables["line"] += [line(5, 6, 0.1), line(3, 4, 0.1, in_service=False)]
    tables["load"] += [load(6, 0.007), load(2, 0.01, in_service=False), load(7, 0.01), load(3, -0.01)]
    tables["storage"] = [{"bus": 2, "p_mw": 0.004, "q_mvar": 0.0, "scaling": 1.0, "in_service": True}]
    tables["gen"] = [{"bus": 3, "p_mw": 0.01, "vm_pu": 1.0, "in_service": True, "slack": False}]
    tables["xward"] = [{"bus": 3, "in_service": False}]
    tables["asymmetric_load"] = [{"bus": 3, "p_a_mw": 0.01, "scaling": 1.0, "in_service": True}]
    tables["measurement"] = [{"value": 1.0}]
    tables["res_bus"] = [{"vm_pu": 1.0}]
    found = imported(tmp_path, tables)
    report = found.report
    assert report.taken == {"bus": 5, "line": 3, "trafo": 1, "load": 4, "ext_grid": 1}
    assert report.approximated == {"asymmetric_load": 1}
    assert report.refused == {"storage": 1, "gen": 1}
    assert report.not_in_service == {"bus": 1, "line": 1, "load": 2}
    assert report.not_supplied == {"bus": 2, "line": 1, "load": 1}
    assert found.buses == 5
    assert found.feeder.customers.tolist() == [0, 0, 1, 2, 1]
    assert found.feeder.p_kw.tolist() == pytest.approx([0, 0, 30, 60, 20])
    assert found.feeder.fixed is not None
    assert found.feeder.fixed.p_kw.tolist() == pytest.approx([0, 0, 0, -10, 0])
    assert report.messages == (
        "asymmetric_load 0: summed over its phases; the voltages of the phases differ, and are told only with"
        " --phases.",
        "storage 0: left out: storage is set aside; households have batteries of their own.",
        "gen 0: left out: a feeder holds no such element.",
        "The storage set aside draws 4 kW, which a power flow of pandapower counts.",
        "2 buses (5, 6) are fed by no source and left out, with 7 kW of load.",
    )


def test_a_load_that_varies_is_said_to_draw_constant_power_in_a_market(tmp_path: Path) -> None:
    tables = village()
    tables["load"][1]["const_z_percent"] = 50.0
    report = imported(tmp_path, tables).report
    assert (report.taken["load"], report.approximated["load"]) == (2, 1)
    assert report.messages == (
        "load 1: varies with the voltage: as it does in the numbers here, but in a market customers draw"
        " constant power.",
    )


def test_a_tap_that_does_not_count_is_said_with_the_voltages_it_would_make(tmp_path: Path) -> None:
    tables = village()
    tables["trafo"][0] |= {"tap_pos": -2, "tap_changer_type": None}
    found, applied = imported(tmp_path, tables), imported(tmp_path, tables, TapRule.APPLY)
    assert applied.state.min_voltage_pu > found.state.min_voltage_pu + 0.04
    (said,) = found.report.messages
    assert said.startswith("trafo 0: tap_pos is off neutral but pandapower does not count it")
    assert said.endswith(
        f"with --tap apply voltages go from {applied.state.min_voltage_pu:.4f} to {applied.state.max_voltage_pu:.4f} pu"
        f" instead of {found.state.min_voltage_pu:.4f} to {found.state.max_voltage_pu:.4f} pu."
    )
    assert applied.report.messages == ()
    tables["trafo"][0]["tap_changer_type"] = "Ratio"
    assert imported(tmp_path, tables).state == applied.state
    assert imported(tmp_path, tables, TapRule.IGNORE).state == found.state


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tap_neutral": None}, "pandapower does not count it, for tap_changer_type or tap_neutral is empty"),
        ({"tap_at_star_point": True}, "pandapower 2 counts a tap at the star point the wrong way"),
    ],
)
def test_what_pandapower_2_makes_of_a_tap_is_said(change: dict[str, object], said: str, tmp_path: Path) -> None:
    tables = village()
    table = "trafo3w" if "tap_at_star_point" in change else "trafo"
    if table == "trafo3w":
        tables["bus"] += [{"vn_kv": 110.0, "in_service": True}, {"vn_kv": 10.0, "in_service": True}]
        tables["ext_grid"][0]["bus"] = 5
        row: dict[str, object] = {"tap_side": "mv", "tap_neutral": 0, "tap_step_percent": 2.5, "in_service": True}
        for side, (bus, kv) in {"hv": (5, 110.0), "mv": (0, 20.0), "lv": (6, 10.0)}.items():
            row |= {f"{side}_bus": bus, f"vn_{side}_kv": kv, f"sn_{side}_mva": 10.0}
            row |= {f"vk_{side}_percent": 8.0, f"vkr_{side}_percent": 0.5}
        tables["trafo3w"] = [row]
    del tables["trafo"][0]["tap_changer_type"]
    tables[table][0] |= {"tap_pos": 2} | change
    found, applied = imported(tmp_path, tables), imported(tmp_path, tables, TapRule.APPLY)
    (told,) = [message for message in found.report.messages if said in message]
    assert told.startswith(f"{table} 0: ")
    assert told.endswith(f"to {found.state.max_voltage_pu:.4f} pu.")
    assert abs(applied.state.min_voltage_pu - found.state.min_voltage_pu) > 0.03
    assert not any(said in message for message in applied.report.messages)


@pytest.mark.parametrize("names", [("z", "i"), ("z_p", "i_p"), ("z_q", "i_q")])
def test_shares_that_pandapower_would_mix_are_said(names: tuple[str, str], tmp_path: Path) -> None:
    tables = village()
    shares = {f"const_{name}_percent": percent for name, percent in zip(names, (50.0, 0.0), strict=True)}
    tables["load"] = [load(2, 0.03, **shares), *tables["load"][1:]]
    assert not any("pandapower lets" in message for message in imported(tmp_path, tables).report.messages)
    tables["sgen"] = [{"bus": 2, "p_mw": 0.01, "q_mvar": 0.0, "scaling": 1.0, "in_service": True}]
    assert imported(tmp_path, tables).report.messages[-1] == (
        "bus 2: pandapower lets all that such a bus draws vary by the plain mean of its loads' const_z and const_i"
        " percentages; here every load has its own."
    )


def with_tap_table(**values: object) -> Tables:
    """The village with a transformer at tap 1 of a table of two positions."""
    tables = village()
    tables["trafo"][0] |= {"tap_pos": 1, "tap_changer_type": "Tabular", "tap_dependency_table": True}
    tables["trafo"][0] |= {"id_characteristic_table": 3} | values
    rows = ((3, 0, 1.0, 6.0, 1.44), (3, 1, 1.05, 5.0, 1.2), (4, 1, 0.9, 4.0, 1.0))
    keys = ("id_characteristic", "step", "voltage_ratio", "vk_percent", "vkr_percent")
    tables["trafo_characteristic_table"] = [dict(zip(keys, row, strict=True)) | {"angle_deg": 7.0} for row in rows]
    return tables


def test_a_table_of_taps_gives_ratio_and_impedance(tmp_path: Path) -> None:
    found = imported(tmp_path, with_tap_table())
    plain = village()
    plain["trafo"][0] |= {"tap_pos": 2, "vk_percent": 5.0, "vkr_percent": 1.2}  # twice 2.5 %
    assert found.state == imported(tmp_path, plain).state
    assert (found.report.taken["trafo"], found.report.messages) == (1, ())
    assert imported(tmp_path, with_tap_table(), TapRule.IGNORE).state == imported(tmp_path, village()).state
    assert imported(tmp_path, with_tap_table(tap_dependency_table=False)).state == imported(tmp_path, village()).state


def test_transformers_that_share_a_table_of_taps_each_have_their_own_position(tmp_path: Path) -> None:
    tables = with_tap_table()
    tables["trafo"].append({**tables["trafo"][0], "tap_pos": 0})
    plain = village()
    plain["trafo"][0] |= {"tap_pos": 2, "vk_percent": 5.0, "vkr_percent": 1.2}
    plain["trafo"].append(village()["trafo"][0])
    found = imported(tmp_path, tables)
    assert found.state == imported(tmp_path, plain).state
    assert found.report.messages == (
        "trafo 0, trafo 1: share a table of taps, and each stands at its own position; pandapower 3.5.6 puts all of"
        " them at the last one's.",
    )


def test_a_table_of_taps_that_lacks_the_position_is_said(tmp_path: Path) -> None:
    found = imported(tmp_path, with_tap_table(tap_pos=2))
    assert (found.report.taken["trafo"], found.report.approximated["trafo"]) == (0, 1)
    assert found.report.messages == ("trafo 0: its table lacks its tap_pos, so the values of the row itself stand.",)
    assert found.state == imported(tmp_path, village()).state


def test_a_table_of_steps_gives_the_power_of_a_shunt(tmp_path: Path) -> None:
    tables = village()
    row = {"bus": 3, "p_mw": 0.0, "q_mvar": -9.0, "vn_kv": 0.42, "step": 2, "in_service": True}
    tables["shunt"] = [row | {"step_dependency_table": True, "id_characteristic_table": 0}]
    tables["shunt_characteristic_table"] = [
        {"id_characteristic": 0, "step": step, "p_mw": 0.001 * step, "q_mvar": -0.01 * step**2} for step in (1, 2)
    ]
    plain = village()
    plain["shunt"] = [row | {"p_mw": 0.001, "q_mvar": -0.02}]
    found = imported(tmp_path, tables)
    assert found.state == imported(tmp_path, plain).state
    assert found.report.taken["shunt"] == 1
    tables["shunt"][0]["step"] = 3
    said = imported(tmp_path, tables).report.messages[0]
    assert said == "shunt 0: its table lacks its step, so the values of the row itself stand."


def test_a_table_of_taps_in_a_file_of_pandapower_2_is_said_not_to_be_read_there(tmp_path: Path) -> None:
    """Pandapower 2.14.10 solves the row's own tap and impedances, 3.5.6 the same file by its table."""
    tables = with_tap_table()
    del tables["trafo"][0]["tap_changer_type"]
    found = imported(tmp_path, tables)
    assert found.state == imported(tmp_path, with_tap_table()).state
    assert found.report.messages == (
        "trafo 0: tap_dependency_table is true; pandapower 2, whose file this is, does not read the table, and"
        " pandapower 3 does, as the numbers here.",
    )


def test_impedances_by_tap_as_splines_are_said_not_to_be_read(tmp_path: Path) -> None:
    tables = village()
    tables["trafo"][0] |= {"tap_dependent_impedance": True, "vk_percent_characteristic": 0}
    report = imported(tmp_path, tables).report
    assert (report.taken["trafo"], report.approximated["trafo"]) == (0, 1)
    assert report.messages == ("trafo 0: has impedances by tap as splines, which are not read: its own stand.",)


def test_buses_have_the_names_of_the_file_where_these_tell_them_apart(tmp_path: Path) -> None:
    tables = village()
    for row, name in zip(tables["bus"], ("station", "house", None, "house", "bus 2"), strict=True):
        row["name"] = name
    names = imported(tmp_path, tables).feeder.buses
    assert len(set(names)) == 5
    assert names[0].startswith("station")
    assert {name.split(" [")[0] for name in names} == {"station", "house (1)", "bus 2", "house (3)"}


def test_no_module_that_a_file_names_is_imported(tmp_path: Path) -> None:
    """Tables of other kinds than DataFrame are not even read."""
    before = set(sys.modules)
    strange = {"_module": "antigravity", "_class": "system", "_object": "{}"}
    text = (
        saved(village(), controller=strange).replace("pandapower.auxiliary", "this").replace("pandas.core", "idlelib")
    )
    (tmp_path / "net.json").write_text(text, encoding="utf-8")
    assert import_pandapower(tmp_path / "net.json").buses == 5
    assert not {"antigravity", "this", "idlelib", "pandapower"} & (set(sys.modules) - before)


def test_a_feeder_that_cannot_carry_its_load_is_said(tmp_path: Path) -> None:
    tables = village()
    tables["load"][1]["p_mw"] = 5.0
    found = imported(tmp_path, tables)
    assert found.state.min_voltage_pu != found.state.min_voltage_pu
    assert "No state found at the loads of the file" in found.report.messages[-1]


def test_parallel_rows_are_no_loop_and_three_windings_are_none_either(tmp_path: Path) -> None:
    tables = village()
    tables["line"] += [line(1, 2, 0.2), line(2, 1, 0.2)]
    assert len(imported(tmp_path, tables).feeder.line_from) == 5


def looped(tables: Tables) -> None:
    tables["line"].append(line(3, 4, 0.1))


def two_sources(tables: Tables) -> None:
    tables["ext_grid"].append({"bus": 3, "vm_pu": 1.0, "in_service": True})


def no_source(tables: Tables) -> None:
    tables["ext_grid"][0]["in_service"] = False


def no_customers(tables: Tables) -> None:
    tables["load"] = [load(3, -0.01)]


def no_length(tables: Tables) -> None:
    del tables["line"][0]["length_km"]
    tables["line"] = tables["line"][:1]


def text_for_a_number(tables: Tables) -> None:
    tables["load"][1]["p_mw"] = "much"


def number_without_end(tables: Tables) -> None:
    tables["load"][1]["p_mw"] = 10**400


def unknown_bus(tables: Tables) -> None:
    tables["line"][2]["to_bus"] = 99


def no_voltage(tables: Tables) -> None:
    tables["bus"][2]["vn_kv"] = 0.0


def impossible_transformer(tables: Tables) -> None:
    tables["trafo"][0]["vkr_percent"] = 7.0


def strange_switch(tables: Tables) -> None:
    tables["switch"] = [{"bus": 1, "element": 1, "et": "x", "closed": True}]


def too_many_shares(tables: Tables) -> None:
    tables["load"][0] |= {"const_z_percent": 70.0, "const_i_percent": 40.0}


def bridged_transformer(tables: Tables) -> None:
    tables["switch"] = [{"bus": 0, "element": 1, "et": "b", "closed": True, "z_ohm": 0.0}]


REFUSED: dict[Callable[[Tables], None], str] = {
    looped: "the feeder has a loop: bus 3 - bus 2 - bus 4 - bus 3; open one edge of it, for a feeder is radial",
    two_sources: "has two sources, ext_grid 0 at bus 0 and ext_grid 1 at bus 3; set in_service of one to false",
    no_source: "has no ext_grid in service; a feeder needs one source",
    no_customers: "has no load in service with p_mw above 0 that a source feeds; a feeder needs customers",
    no_length: "line 0 has no length_km; give a number",
    text_for_a_number: "load 1 has p_mw 'much'; give a number",
    number_without_end: f"load 1 has p_mw 1{36 * '0'}...; give a number",
    unknown_bus: "line 2 has to_bus 99, and there is no such bus; mend the table line",
    no_voltage: "bus 2 has vn_kv 0; give a positive number",
    impossible_transformer: (
        "trafo 0 has vk_percent 6 and vkr_percent 7; give a vk_percent above 0 and at least vkr_percent"
    ),
    strange_switch: "switch 0 has et 'x'; give b, l, t or t3",
    too_many_shares: "load 0 has const_z and const_i of more than 100 % together; give at most 100 %",
    bridged_transformer: "trafo 0 joins two buses that closed switches make one; open a switch",
}


@pytest.mark.parametrize("change", REFUSED, ids=lambda change: change.__name__)
def test_a_network_that_is_no_feeder_is_refused_in_one_line(change: Callable[[Tables], None], tmp_path: Path) -> None:
    tables = village()
    change(tables)
    with pytest.raises(ValueError) as refused:
        imported(tmp_path, tables)
    assert str(refused.value) == REFUSED[change]


def test_what_another_source_feeds_is_left_out_and_said_to_be_its_own(tmp_path: Path) -> None:
    tables = village()
    tables["bus"] += [{"vn_kv": 0.4, "in_service": True}] * 4
    tables["line"] += [line(5, 6, 0.1)]
    tables["load"] += [load(6, 0.007), load(7, 0.002)]
    tables["ext_grid"].append({"bus": 5, "vm_pu": 1.0, "in_service": True})
    found = imported(tmp_path, tables)
    assert found.buses == imported(tmp_path, village()).buses
    assert found.report.not_supplied == {"bus": 4, "line": 1, "load": 2, "ext_grid": 1}
    assert found.report.messages == (
        "ext_grid 1 at bus 5 feeds 2 buses of its own, which are left out: a feeder has one source."
        " To take them instead, set in_service of ext_grid 0 to false.",
        "2 buses (7, 8) are fed by no source and left out.",
        "4 buses are left out in all, with 9 kW of load.",
    )


ADVICE = "save the network with pandapower.to_json(net, FILE)"
TEXTS = {
    "{": (
        "the file is not valid JSON: Expecting property name enclosed in double quotes in line 1, column 2; " + ADVICE
    ),
    "[]": "holds no tables bus and ext_grid; " + ADVICE,
    '{"kind": "feeder"}': "holds no tables bus and ext_grid; " + ADVICE,
    "[" * 100_000: "the file has lists or objects inside one another too deep; " + ADVICE,
    saved(village(), format_version="1.6.0"): (
        "was saved by pandapower 1.6.0; open it in pandapower 2 or 3 and save it again"
    ),
    saved(village(), f_hz="fifty"): "f_hz is 'fifty'; give a positive number",
    saved(village(), line={"_class": "DataFrame", "_object": "{}", "orient": "records"}): (
        "table line is not in the layout 'split'; " + ADVICE
    ),
    saved(village(), line={"_class": "DataFrame", "_object": {"columns": ["a"], "index": [0], "data": [[]]}}): (
        "table line has rows of differing length; " + ADVICE
    ),
    saved(village(), line={"_class": "DataFrame", "_object": {"columns": [], "index": [0, 0], "data": [[], []]}}): (
        "table line has an index twice; " + ADVICE
    ),
}


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_file_that_holds_no_network_is_refused_in_one_line(text: str, tmp_path: Path) -> None:
    file = tmp_path / "net.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError) as refused:
        import_pandapower(file)
    assert str(refused.value) == TEXTS[text]


def test_tables_may_be_objects_instead_of_texts(tmp_path: Path) -> None:
    content = json.loads(saved(village()))
    for entry in content["_object"].values():
        if isinstance(entry, dict):
            entry["_object"] = json.loads(entry["_object"])
    (tmp_path / "objects.json").write_text(json.dumps(content["_object"]), encoding="utf-8")
    assert import_pandapower(tmp_path / "objects.json").state == imported(tmp_path, village()).state
