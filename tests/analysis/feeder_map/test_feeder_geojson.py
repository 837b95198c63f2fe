"""A feeder as GeoJSON, the loading of a map's edges, and the map of a power flow."""

import json
from dataclasses import replace

import numpy as np
import pytest
from saved_net import line, save, village

from meanwatt.analysis.cli import main
from meanwatt.analysis.dashboard.market.map_layers import curtailed_layer, held_layer, loading_layer
from meanwatt.analysis.feeder_map.edges import edge_loading, map_edges
from meanwatt.analysis.feeder_map.geojson import DEGREES, NOWHERE, PLANE, feeder_geojson
from meanwatt.model.network.feeder import build_feeder
from meanwatt.model.network.feeder_file import table_of_feeder
from meanwatt.model.network.pandapower_net.importer import import_pandapower
from meanwatt.model.network.power_flow import solve_power_flow
from meanwatt.model.scenario.feeder_file import write_feeder_file

LINE = build_feeder("textbook_line_5", peak_reference_kw=1.0)
PLACES = np.array([[8.0, 47.0], [8.1, 47.0], [np.nan, np.nan], [8.3, 47.1], [8.4, 47.1]])


def written(feeder, **columns):
    return feeder_geojson(feeder, buses=columns, edges={}, about={"day": 1})


def test_every_bus_is_a_point_and_every_edge_a_line_between_its_buses() -> None:
    feeder = replace(LINE, position=PLACES)
    loading = np.array([0.5, np.nan, 0.25, 1.0])
    found = feeder_geojson(feeder, buses={"volts": np.arange(10.0).reshape(5, 2)}, edges={"load": loading}, about={})
    json.dumps(found, allow_nan=False)
    buses, edges = found["features"][:5], found["features"][5:]
    assert (found["type"], found["coordinates"]) == ("FeatureCollection", DEGREES)
    assert [bus["properties"]["bus"] for bus in buses] == list(LINE.buses)
    assert buses[3]["geometry"] == {"type": "Point", "coordinates": [8.3, 47.1]}
    assert buses[3]["properties"]["volts"] == [6.0, 7.0]
    assert buses[2]["properties"]["placed"] == "between its neighbours"
    assert [edge["properties"]["load"] for edge in edges] == [0.5, None, 0.25, 1.0]
    for edge, (a, b) in zip(edges, map_edges(feeder), strict=True):
        assert edge["geometry"]["coordinates"] == [buses[k]["geometry"]["coordinates"] for k in (a, b)]
    assert [bus["properties"].get("source", False) for bus in buses] == [True, False, False, False, False]


def test_a_feeder_that_lies_nowhere_or_in_a_plane_says_so() -> None:
    lost = written(LINE)
    assert lost["coordinates"] == NOWHERE
    assert {feature["geometry"] for feature in lost["features"]} == {None}
    assert written(replace(LINE, position=1e4 * PLACES))["coordinates"] == PLANE


def test_of_parallel_lines_the_most_loaded_counts_and_a_single_transformer_has_its_loading(tmp_path) -> None:
    net = village()
    net["line"] = [line(1, 2, 0.2), line(1, 2, 0.6), line(2, 3, 0.3), line(2, 4, 0.25, max_i_ka=None)]
    feeder = import_pandapower(save(tmp_path, net)).feeder
    found = solve_power_flow(feeder, feeder.p_kw[None], feeder.q_kvar[None])
    assert found.transformer_loading is not None
    loading = dict(zip(map_edges(feeder), edge_loading(feeder, found)[0], strict=True))
    own = dict(zip(zip(feeder.line_from, feeder.line_to, strict=True), found.line_loading[0], strict=False))
    both = [
        value for name, value in zip(feeder.line_names, found.line_loading[0], strict=True) if name == "bus 1-bus 2"
    ]
    assert len(both) == 2
    assert loading[1, 2] == max(both) > min(both)
    assert loading[2, 3] == own[2, 3]
    assert np.isnan(loading[2, 4])
    assert loading[0, 1] == found.transformer_loading[0]


def test_layers_of_the_map_name_the_worst_hour_and_have_their_limits() -> None:
    loading = np.full((24, 4), 0.5)
    loading[7, 2], loading[:, 3] = 1.3, np.nan
    found = loading_layer(loading)["loading"]
    assert (found["worst_slot"], found["domain"], found["limits"]) == (7, [0.0, 140.0], [0.0, 100.0])
    assert found["values"][7] == [50.0, 50.0, 130.0, None]
    assert loading_layer(None) == loading_layer(np.full((24, 4), np.nan)) == {}
    held = np.zeros((24, 5))
    held[12, 3] = 3.2
    layer = held_layer(held)["held"]
    assert (layer["worst_slot"], layer["domain"]) == (12, [0.0, 4.0])
    assert held_layer(None) == {}
    assert held_layer(np.zeros((24, 5)))["held"]["worst_slot"] == 0


def test_what_homes_curtail_colours_buses_where_some_do_and_has_no_layer_elsewhere() -> None:
    assert curtailed_layer(None, before=True) == curtailed_layer(np.zeros((24, 5))) == {}
    calm = curtailed_layer(np.zeros((24, 5)), before=True)["curtailed"]
    assert (calm["domain"], calm["ticks"], np.max(calm["values"])) == ([0.0, 0.1], [0.0, 0.05, 0.1], 0.0)
    curtailed = np.zeros((24, 5))
    curtailed[13, 2:] = [2.5, 7.0, 3.2]
    layer = curtailed_layer(curtailed)["curtailed"]
    assert (layer["worst_slot"], layer["domain"], layer["values"][13]) == (13, [0.0, 7.0], [0.0, 0.0, 2.5, 7.0, 3.2])


def test_a_market_writes_the_map_of_its_last_day_with_what_homes_curtail(tmp_path, capsys) -> None:
    given = ["simulate", "textbook", "--tariff", "rtp", "--households", "60", "--days", "2", "--json"]
    given += ["--set", "feeder.name=textbook_line_5", "--set", "battery_share_scale=0"]
    given += ["--set", "feeder.envelopes.all.export_limit_kw=0.4", "--geojson", str(tmp_path / "day.geojson")]
    assert main(given) == 0
    told = json.loads(capsys.readouterr().out)
    found = json.loads((tmp_path / "day.geojson").read_text(encoding="utf-8"))
    assert (found["day"], found["day_type"], found["slot_hours"]) == (2, told["day_type"][-1], 1.0)
    buses = [one["properties"] for one in found["features"] if "bus" in one["properties"]]
    customers = sum(one["customers"] for one in buses)
    curtailed = np.sum([one["curtailed_kw"] for one in buses], axis=0)
    assert curtailed.max() > 0
    assert curtailed == pytest.approx(customers * np.array(told["curtailed_kw"][-1]), abs=1e-4)
    assert all(len(one["voltage_pu"]) == 24 for one in buses)
    assert all(len(one["properties"]["loading_percent"]) == 24 for one in found["features"][len(buses) :])
    assert main([*given[:-1], str(tmp_path)]) == 2
    assert capsys.readouterr().err.endswith("is a directory; give the name of a file\n")


def test_a_power_flow_writes_its_map(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    write_feeder_file(tmp_path / "street.json", table_of_feeder(replace(LINE, position=PLACES)))
    loads = tmp_path / "loads.csv"
    name = LINE.buses[-1]
    loads.write_text(f"{name}\n100\n900\n", encoding="utf-8")
    target = tmp_path / "street.geojson"
    given = ["flow", str(tmp_path / "street.json"), "--loads", str(loads), "--json", "--geojson"]
    assert main([*given, str(target)]) == 0
    told = json.loads(capsys.readouterr().out)
    found = json.loads(target.read_text(encoding="utf-8"))
    assert (found["slots"], found["solved"]) == (2, 2)
    last = found["features"][4]["properties"]
    assert last["bus"] == name
    assert last["min_voltage_pu"] == pytest.approx(told["voltage"]["min_pu"]["value"], abs=1e-6)
    assert last["min_voltage_pu"] < last["mean_voltage_pu"] < last["max_voltage_pu"]
    edges = [feature["properties"]["max_loading_percent"] for feature in found["features"][5:]]
    assert max(edges) == pytest.approx(told["lines"]["max_loading_percent"], abs=1e-4)
    assert main([*given, str(tmp_path / "no" / "map.geojson")]) == 2
    assert capsys.readouterr().err.strip().endswith("map.geojson: its directory does not exist")


def test_a_power_flow_counts_lines_that_only_a_general_two_port_holds(tmp_path) -> None:
    """A leaking line is a branch of the feeder, and its loading counts like any other's."""
    net = village()
    net["line"][2]["g_us_per_km"] = 30.0
    feeder = import_pandapower(save(tmp_path, net)).feeder
    assert len(feeder.line_names) == len(feeder.line_from) + 1
    write_feeder_file(tmp_path / "leaking.json", table_of_feeder(feeder))
    loads = tmp_path / "loads.csv"
    loads.write_text("bus 4\n20\n", encoding="utf-8")
    target = tmp_path / "leaking.geojson"
    assert main(["flow", str(tmp_path / "leaking.json"), "--loads", str(loads), "--geojson", str(target)]) == 0
    found = json.loads(target.read_text(encoding="utf-8"))
    by_end = {one["properties"].get("to_bus"): one["properties"] for one in found["features"]}
    assert by_end["bus 4"]["max_loading_percent"] > 10
