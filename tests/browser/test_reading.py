"""Whether everybody can read and use the page: names, contrast, narrow screens, light and dark."""

from pathlib import Path

import pytest
from watching import expect

READING = Path(__file__).with_name("reading.js").read_text(encoding="utf-8")


def open_everything(page) -> None:
    for summary in page.locator(".mw summary").all():
        summary.click()
    page.locator('input[name="tariff.pass_through"]').fill("0.5")
    page.wait_for_selector("text=1 change not applied.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_background_and_every_control_and_picture_has_a_name(visit, scheme: str) -> None:
    page = visit("?nonsense=1", color_scheme=scheme)
    open_everything(page)
    page.wait_for_function(f"document.querySelector('#app').classList.contains('theme--{scheme}')")
    page.evaluate(READING)
    read, faint = page.evaluate("meanwattReading.faint()")
    assert read > 100
    assert faint == []
    assert page.evaluate("meanwattReading.nameless()") == []
    expect(page.locator(".mw [role=img]")).to_have_count(2)
    expect(page.locator(".mw-map-box svg[role=group][aria-label]")).to_have_count(
        1
    )  # a picture whose parts are controls
    expect(page.locator(".mw-bus[role=button]:not([aria-label])")).to_have_count(0)


def test_the_document_says_its_language_may_be_enlarged_and_shows_where_the_focus_is(visit) -> None:
    page = visit()
    expect(page.locator("html").first).to_have_attribute("lang", "en")
    assert page.title().startswith("Meanwatt")
    view = page.get_attribute('meta[name="viewport"]', "content")
    assert "user-scalable=no" not in view
    assert "maximum-scale" not in view
    for landmark, count in (("main", 1), ("header", 1), ("aside", 1), ("h1", 1)):
        expect(page.locator(f".mw {landmark}")).to_have_count(count)
    identifiers = page.evaluate("[...document.querySelectorAll('.mw [id]')].map((element) => element.id)")
    assert len(identifiers) == len(set(identifiers))
    expect(page.locator(".mw [tabindex]:not([tabindex='0']):not(.mw-bus)")).to_have_count(0)
    expect(page.locator(".mw-bus[tabindex='0']")).to_have_count(1)  # of a map; arrow keys go on
    seen = set()
    for _ in range(12):
        page.keyboard.press("Tab")
        width, place, name = page.evaluate(
            "[getComputedStyle(document.activeElement).outlineWidth,"
            " [...document.querySelectorAll('*')].indexOf(document.activeElement),"
            " document.activeElement.outerHTML.slice(0, 80)]"
        )
        assert float(width.removesuffix("px")) >= 2, name
        seen.add(place)
    assert len(seen) == 12


@pytest.mark.parametrize("query", ["", "?scenario=california&tariff=filed"])
def test_a_telephone_needs_no_sideways_scroll(visit, query: str) -> None:
    page = visit(query, viewport={"width": 390, "height": 844})
    page.keyboard.press("s")
    page.wait_for_selector('.mw-day[data-day="1"]')
    page.locator('input[name="tariff.pass_through"]').fill("0.5")
    page.wait_for_selector("text=1 change not applied.")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for part in (".mw-day-box svg", ".mw-map-box svg", ".mw-burden-box svg"):
        box = page.locator(part).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390


def test_the_page_follows_the_visitor_s_colours_and_can_be_switched_for_good(visit) -> None:
    page = visit(color_scheme="dark")
    page.wait_for_selector("#app.theme--dark")
    dark = page.evaluate("getComputedStyle(document.querySelector('.mw-card')).backgroundColor")
    page.click("text=☀ Light")
    page.wait_for_selector("#app.theme--light")
    light = page.evaluate("getComputedStyle(document.querySelector('.mw-card')).backgroundColor")
    assert dark != light
    page.reload()
    page.wait_for_selector(".mw-play:not([disabled])")
    page.wait_for_selector("#app.theme--light")
