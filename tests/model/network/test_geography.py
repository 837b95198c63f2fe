"""Where buses stand: files keep it, importers read it, and a map lays a feeder out as it lies in the land."""

import json
from dataclasses import replace

import numpy as np
import pytest
from saved_net import save, village

from meanwatt.model.network.feeder import build_feeder, feeder_from_graph
from meanwatt.model.network.feeder_file import feeder_of_table, table_of_feeder
from meanwatt.model.network.library.geography import in_degrees, map_places, whole_positions
from meanwatt.model.network.pandapower_net.importer import import_pandapower
from meanwatt.model.scenario.feeder_file import BusTable

LINE = build_feeder("textbook_line_5", peak_reference_kw=1.0)
NOWHERE = [np.nan, np.nan]


def at(*places):
    return replace(LINE, position=np.array(places, dtype=float))


def test_a_feeder_that_says_nothing_has_no_map_of_its_land() -> None:
    assert LINE.position is None
    assert map_places(LINE) is None
    assert at(*[NOWHERE] * 5).position is None
    assert map_places(at([1, 2], [1, 2], [1, 2], [1, 2], [1, 2])) is None
    assert map_places(at([0, 0], [1, 0], NOWHERE, NOWHERE, NOWHERE)) is None  # most of it would be made up


def test_a_bus_without_a_place_lies_between_its_neighbours_or_where_the_one_before_it_is() -> None:
    found = whole_positions(at([0, 0], NOWHERE, [4, 2], [5, 2], NOWHERE))
    assert found is not None
    np.testing.assert_array_equal(found, [[0, 0], [4, 2], [4, 2], [5, 2], [5, 2]])


def test_a_map_keeps_shape_and_directions_of_the_land() -> None:
    """East is right and north is up; a degree of longitude at 60° north is half as long as one of latitude."""
    places, aspect = map_places(at([10, 60], [12, 60], [12, 61], [11, 60], [10, 61]))  # type: ignore[misc]
    np.testing.assert_allclose(places[0], [0, 1], atol=1e-14)
    np.testing.assert_allclose(places[2], [1, 0], atol=1e-14)
    assert aspect == pytest.approx(2 * np.cos(np.radians(60.4)))
    planar = at([0, 0], [3000, 0], [3000, 1000], [1500, 500], [0, 1000])
    assert not in_degrees(planar.position)
    assert map_places(planar)[1] == 3  # type: ignore[index]


def test_a_straight_street_is_drawn_in_the_middle_of_a_flat_map() -> None:
    places, aspect = map_places(at([0, 500], [100, 500], [200, 500], [300, 500], [400, 500]))  # type: ignore[misc]
    np.testing.assert_allclose(places[:, 0], [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(places[:, 1], 0.5)
    assert aspect == 20


def test_files_and_graphs_keep_where_buses_stand() -> None:
    feeder = at([8.1, 47.2], [8.2, 47.25], NOWHERE, [8.3, 47.3], [8.4, 47.3])
    table = table_of_feeder(feeder)
    assert (table.buses[0].x, table.buses[0].y, table.buses[2].x) == (8.1, 47.2, None)
    for back in (feeder_of_table(table), feeder_from_graph(feeder.graph)):
        np.testing.assert_array_equal(back.position, feeder.position)
    assert feeder_of_table(table_of_feeder(LINE)).position is None
    assert feeder_from_graph(LINE.graph).position is None


def test_half_a_place_is_refused() -> None:
    with pytest.raises(ValueError, match="position holds half a place or an infinite one; give x and y, or nan"):
        at([0, np.nan], *[[1, 1]] * 4)
    with pytest.raises(ValueError, match="bus 'a' has only one of x and y; give both, or neither"):
        BusTable(name="a", nominal_kv=0.4, x=1.0)


def points(*places):
    """As pandapower 3 keeps them, a text for every bus."""
    return [None if one is None else json.dumps({"type": "Point", "coordinates": one}) for one in places]


def placed(folder, geo, **tables):
    net = village()
    net["bus"] = [row | {"geo": text} for row, text in zip(net["bus"], geo, strict=True)]
    return import_pandapower(save(folder, net | tables))


def test_an_import_keeps_the_places_of_pandapower_3_and_of_pandapower_2(tmp_path) -> None:
    there = [[8.0, 47.0], [8.1, 47.1], [8.2, 47.2], [8.3, 47.3, 410.0], [8.4, 47.4]]
    expected = [place[:2] for place in there]
    np.testing.assert_array_equal(placed(tmp_path, points(*there)).feeder.position, expected)
    older = [{"x": x, "y": y, "coords": None} for x, y in expected]
    np.testing.assert_array_equal(placed(tmp_path, [None] * 5, bus_geodata=older).feeder.position, expected)
    assert placed(tmp_path, [None] * 5).feeder.position is None


def test_buses_that_a_switch_makes_one_stand_where_the_first_of_them_is_known(tmp_path) -> None:
    switch = [{"bus": 2, "element": 4, "et": "b", "closed": True, "z_ohm": 0.0}]
    geo = points([8, 47], [8, 47.1], None, [8, 47.3], [8, 47.4])
    rows = village()["line"][:2]
    position = placed(tmp_path, geo, switch=switch, line=rows).feeder.position
    np.testing.assert_array_equal(position, [[8, 47], [8, 47.1], [8, 47.4], [8, 47.3]])


@pytest.mark.parametrize(
    "bad", ['{"type": "Point"}', "here", "[[1, 2]]", '{"type": "Point", "coordinates": [1e99, 2]}', "9" * 500, 7.5]
)
def test_a_place_that_is_none_is_said_and_the_import_goes_on(tmp_path, bad) -> None:
    good = points([8, 47], [8, 47.1], [8, 47.2], [8, 47.3], None)
    found = placed(tmp_path, [*good[:4], bad])
    assert np.isnan(found.feeder.position[4]).all()  # type: ignore[index]
    assert [note for note in found.report.messages if "the place is no point" in note] == [
        "bus 4: the place is no point with two numbers; a map puts the bus between its neighbours."
    ]
