"""The map of a feeder that knows where its buses stand, moved and taken home, and the page of hosting capacity."""

import json
from dataclasses import replace

import numpy as np
import pytest
from page_server import PageServer
from watching import PATIENCE_MS, expect, watch

from meanwatt.model.network.feeder import build_feeder
from meanwatt.model.network.feeder_file import table_of_feeder
from meanwatt.model.scenario.feeder_file import write_feeder_file

VILLAGE = 'extends = "textbook"\nbattery_levels = 4\n[feeder]\nfile = "village.json"\n'
HOSTING = "hosting?scenario=village&feeder=scenario&placements=10&step=25"
FEEDER = build_feeder("textbook_line_5", peak_reference_kw=1.0)
PLACES = np.array([[8.0, 47.0], [8.01, 47.0], [8.02, 47.0], [8.02, 47.01], [8.02, 47.02]])


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory):
    """A server with a scenario on a feeder that lies in the land."""
    folder = tmp_path_factory.mktemp("village")
    write_feeder_file(folder / "village.json", table_of_feeder(replace(FEEDER, position=PLACES)))
    (folder / "village.toml").write_text(VILLAGE, encoding="utf-8")
    server = PageServer(folder, ["village.toml"])
    yield server
    server.close()


@pytest.fixture
def come(browser, village):
    """Open a page as a fresh visitor; at the end nothing may have gone wrong."""
    contexts, wrong = [], []

    def is_ours(url: str) -> bool:
        return url.startswith(("data:", "blob:", village.address, f"ws{village.address[4:]}"))

    def open_page(where: str = "", **options):
        context = browser.new_context(reduced_motion="reduce", accept_downloads=True, **options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        watch(page, wrong, is_ours)
        page.goto(f"{village.address}/{where}" if where else village.opening)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def place(page, bus: int) -> tuple[float, float]:
    dot = page.locator(f'.mw-bus[data-bus="{bus}"] .mw-dot').first
    return float(dot.get_attribute("cx")), float(dot.get_attribute("cy"))


def moved(page, bus: int, before: tuple[float, float]) -> tuple[float, float]:
    """Where a bus is once it is elsewhere."""
    x, y = before
    page.wait_for_function(
        "([bus, x, y]) => { const dot = document.querySelector(`.mw-bus[data-bus='${bus}'] .mw-dot`);"
        " return Math.hypot(dot.getAttribute('cx') - x, dot.getAttribute('cy') - y) > 1; }",
        arg=[bus, x, y],
    )
    return place(page, bus)


def test_the_map_lies_as_the_land_does_and_is_moved_by_buttons_keys_and_mouse(come) -> None:
    page = come(viewport={"width": 1280, "height": 900})
    page.wait_for_selector(".mw-play:not([disabled])")
    (x0, y0), (x2, y2), (x4, y4) = (place(page, bus) for bus in (0, 2, 4))
    assert y0 == pytest.approx(y2, abs=0.01)  # east
    assert x2 == pytest.approx(x4, abs=0.01)  # north
    assert y4 < y2
    assert (x2 - x0) / (y2 - y4) == pytest.approx(np.cos(np.radians(47.01)), rel=0.01)
    for tool in ("out", "left", "whole"):
        expect(page.locator(f'[data-tool="{tool}"]')).to_be_disabled()
    whole = place(page, 4)
    page.click('[data-tool="in"]')
    near = moved(page, 4, whole)
    expect(page.locator(".mw-map-tools [role=status]")).to_have_text("1.5 ×")
    page.click('[data-tool="right"]')
    right = moved(page, 4, near)
    assert right[0] < near[0]
    page.locator('.mw-bus[tabindex="0"]').focus()
    page.keyboard.press("Shift+ArrowLeft")
    assert moved(page, 4, right)[0] > right[0]
    page.keyboard.press("+")
    expect(page.locator(".mw-map-tools [role=status]")).to_have_text("2.3 ×")
    page.keyboard.press("0")
    expect(page.locator(".mw-map-tools [role=status]")).to_have_text("")
    assert place(page, 4) == pytest.approx(whole)
    page.keyboard.press("+")
    near = moved(page, 4, whole)
    page.locator(".mw-map-box").scroll_into_view_if_needed()
    box = page.locator(".mw-map-box").bounding_box()
    start = box["x"] + 12, box["y"] + box["height"] - 12
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] + 10, start[1] - 5)
    page.mouse.move(start[0] + 40, start[1] - 30)
    page.mouse.up()
    dragged = moved(page, 4, near)
    assert (dragged[0] - near[0], dragged[1] - near[1]) == pytest.approx((40, -30), abs=1)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    expect(page.locator(".mw-map-tools [role=status]")).to_have_text("2.9 ×")


def test_wires_are_coloured_by_loading_and_the_map_goes_home_as_geojson(come) -> None:
    page = come(viewport={"width": 390, "height": 844})
    page.wait_for_selector(".mw-play:not([disabled])")
    page.click(".mw-step-day")
    page.wait_for_selector('.mw-map[data-day="1"]')
    expect(page.locator(".mw-map-layers label")).to_have_text(["voltage", "loading"])
    page.check('.mw-map-layers input[value="loading"]')
    expect(page.locator(".mw-map-caption")).to_contain_text("highest loading of the day: all 4 lines and transformers")
    expect(page.locator(".mw-wire-loaded")).to_have_count(4)
    page.click(".mw-map summary")
    expect(page.locator(".mw-map tbody tr")).to_have_count(4)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    with page.expect_download() as begun:
        page.click("text=Download the map as GeoJSON")
    found = json.loads(begun.value.path().read_text(encoding="utf-8"))
    assert (found["type"], found["day"], found["coordinates"]) == (
        "FeatureCollection",
        1,
        "longitude and latitude in degrees",
    )
    kinds = [one["geometry"]["type"] for one in found["features"]]
    assert kinds == ["Point"] * 5 + ["LineString"] * 4
    assert found["features"][0]["geometry"]["coordinates"] == PLACES[0].tolist()
    assert len(found["features"][4]["properties"]["voltage_pu"]) == 24
    worst = max(max(one["properties"]["loading_percent"]) for one in found["features"][5:])
    shown = [float(cell) for cell in page.locator(".mw-map tbody td:nth-child(4)").all_inner_texts()]
    assert max(shown) == pytest.approx(worst, abs=0.051)


def test_a_sweep_is_drawn_as_it_goes_and_repeated_by_its_link(come) -> None:
    page = come(HOSTING, viewport={"width": 1280, "height": 800})
    page.wait_for_selector(".mw-curves-overvoltage .mw-caption")
    page.wait_for_selector(".mw-files")
    expect(page.locator(".mw-compare-state [role=status]")).to_contain_text("alf of the placements")
    verdict = page.inner_text(".mw-compare-state [role=status]")
    dots = page.locator('.mw-curves-voltage path[data-series="flat"]').get_attribute("d")
    assert dots.count("L") == 4
    expect(page.locator(".mw-side-designed button")).to_have_text("Add the designed tariff")
    page.select_option('select[name="batteries"]', "none")
    page.wait_for_function("location.search.includes('batteries=none')")
    expect(page.locator(".mw-curves-voltage .mw-curves-key")).to_contain_text("flat, no batteries")
    page.go_back()
    page.wait_for_selector(".mw-files")
    expect(page.locator(".mw-compare-state [role=status]")).to_have_text(verdict)
    narrow = come(HOSTING, viewport={"width": 390, "height": 844})
    narrow.wait_for_selector(".mw-files")
    expect(narrow.locator(".mw-compare-state [role=status]")).to_have_text(verdict)
    assert narrow.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert narrow.locator(".mw-curves-overvoltage svg[role=img]").bounding_box()["y"] < 844
    with page.expect_download() as begun:
        page.click("text=Download first violations as CSV")
    assert "# feeder: scenario" in begun.value.path().read_text(encoding="utf-8")
