"""The projector: charts and key numbers alone, in large type, as a slide that fits; and paper, which shows the same."""

import re

import pytest
from looking import day, line
from watching import expect

SMALL = ".mw-form, .mw-tray, .mw-nav, .mw-play, .mw-notices, .mw-day-read, .mw a.mw-q, .mw-page details:not(.mw-why)"
"""Forms, notices and small print."""
ON = "html.mw-projector"
PARTS = (".mw-metrics", ".mw-day-box svg", ".mw-burden-box svg", ".mw-map-box svg", ".mw-legend svg", ".mw-clock")


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 720}, {"width": 1920, "height": 1080}])
@pytest.mark.parametrize("query", ["?projector&scenario=textbook", "?projector&tariff=tou&pv_share_scale=1.5"])
def test_the_market_fits_a_projector_without_scrolling_in_large_type(visit, viewport, query: str) -> None:
    page = visit(query, viewport=viewport, ready=False)
    page.wait_for_selector(ON)
    page.wait_for_selector(".mw-play:not([disabled])", state="attached")
    page.keyboard.press("s")
    page.wait_for_selector('.mw-clock[data-day="1"]')
    expect(page.locator(".mw-notices").first).not_to_contain_text("unknown parameter", use_inner_text=True)
    page.wait_for_function("document.querySelector('.mw-slide-text').textContent.split(' · ').length === 3")
    scale = viewport["width"] / 1280
    for part in PARTS:
        box = page.locator(part).first.bounding_box()
        assert box["x"] >= 0, part
        assert box["y"] >= 0, part
        assert box["x"] + box["width"] <= viewport["width"], part
        assert box["y"] + box["height"] <= viewport["height"], part
    scrolls = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    assert page.evaluate(scrolls) == [viewport["width"], viewport["height"]]
    assert [one for one in page.locator(SMALL).all() if one.is_visible()] == []
    height = page.locator(".mw-metric dd b").first.bounding_box()["height"]
    assert height >= 30 * scale
    plain = page.locator(".mw-day-box svg text").first.bounding_box()["height"]
    assert plain >= 16 * scale
    page.locator(".mw-day-box svg").hover(position={"x": 300 * scale, "y": 100 * scale})
    page.wait_for_selector(".mw-cursor", state="attached")
    cursor, chart = (page.locator(part).bounding_box() for part in (".mw-cursor", ".mw-day-box svg"))
    slot = chart["width"] / 24
    assert abs(cursor["x"] - chart["x"] - 300 * scale) < slot  # the hour under the mouse, however large


def test_the_key_p_shows_and_leaves_it_and_the_browser_keeps_it(visit) -> None:
    page = visit("?scenario=textbook")
    wide = line(page, "mean field")
    page.focus('input[name="households"]')
    page.keyboard.press("p")
    expect(page.locator(ON)).to_have_count(0)
    page.locator("h1").click()
    page.keyboard.press("p")
    page.wait_for_selector(ON)
    page.wait_for_function(
        "(was) => document.querySelector('.mw-panel-load path[data-series=\"mean field\"]').getAttribute('d') !== was",
        arg=wide,
    )
    assert line(page, "mean field").count("L") == wide.count("L")
    page.reload()
    page.wait_for_selector(ON)
    page.wait_for_selector(".mw-play:not([disabled])", state="attached")
    page.keyboard.press("s")
    page.wait_for_selector('.mw-clock[data-day="1"]')
    page.click("text=Leave the projector")
    page.wait_for_selector(".mw-play")
    assert day(page) == 1
    expect(page.locator(ON)).to_have_count(0)
    page.click(".mw-nav-slide")
    page.wait_for_selector(ON)
    page.goto(page.url.split("?")[0] + "?scenario=textbook&projector=off")
    page.wait_for_selector(".mw-play:not([disabled])")
    expect(page.locator(ON)).to_have_count(0)


def test_paper_is_one_white_page_without_a_button(visit) -> None:
    page = visit("?scenario=textbook&tariff=tou", color_scheme="dark")
    page.keyboard.press("s")
    page.wait_for_selector('.mw-clock[data-day="1"]')
    assert pages_of(page) == 1
    page.emulate_media(media="print", color_scheme="dark")
    grounds = "['.mw', '.mw-card'].map((part) => getComputedStyle(document.querySelector(part)).backgroundColor)"
    assert page.evaluate(grounds) == ["rgb(255, 255, 255)"] * 2
    ink = page.evaluate("getComputedStyle(document.querySelector('.mw-day-box svg text')).fill")
    assert ink == "rgb(21, 32, 43)"
    assert [one for one in page.locator(".mw button, .mw input").all() if one.is_visible()] == []
    expect(page.locator(".mw-metric dd b").first).to_be_visible()
    expect(page.locator(".mw-slide").first).to_contain_text("Textbook", use_inner_text=True)


def pages_of(page) -> int:
    """Sheets of paper that the page takes."""
    printed = page.pdf(prefer_css_page_size=True, print_background=True)
    return len(re.findall(rb"/Type\s*/Page[^s]", printed))
