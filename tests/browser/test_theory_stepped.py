"""The theory lab in a real browser: a game stepped through, warmed, taken home, and read on a telephone."""

from pathlib import Path
from urllib.parse import urlsplit

from watching import expect

READING = Path(__file__).with_name("reading.js").read_text(encoding="utf-8")


def query(page) -> str:
    return urlsplit(page.url).query


def test_a_game_is_stepped_through_warmed_taken_home_repeated_by_its_link_and_read_on_a_telephone(visit) -> None:
    page = visit("theory?game=rebate&temperature=2", ready=False)
    done = ".mw-theory-done"
    page.wait_for_selector(done, state="attached")
    turns = page.locator('.mw-maps path[data-series="turns"]')
    whole = turns.get_attribute("d")
    page.click("text=From the start")
    page.click("text=One round")
    page.wait_for_selector(r"text=/^1 of (the first )?11 rounds drawn/")
    told = page.inner_text(".mw-maps-step [aria-live]").partition(", of ")[2].removesuffix(" in all")
    expect(page.locator(".mw-maps .mw-caption").first).to_contain_text(
        f"taking turns gets there in {told or 11} rounds", use_inner_text=True
    )
    assert whole.startswith(turns.get_attribute("d"))
    assert turns.get_attribute("d").count("L") == 2
    expect(page.locator(".mw-logs-contraction .mw-caption").first).to_contain_text(
        "condition holds", use_inner_text=True
    )
    page.focus('input[name="temperature"]')
    page.keyboard.press("Home")
    page.wait_for_function("location.search === '?game=rebate&temperature=0.01'")
    page.wait_for_selector('.mw-logs-contraction .mw-caption:has-text("condition does not hold")')
    page.fill('input[name="temperature-number"]', "2")
    page.press('input[name="temperature-number"]', "Enter")
    page.wait_for_function("location.search === '?game=rebate&temperature=2'")
    page.fill('input[name="discount-number"]', "0.5")
    page.press('input[name="discount-number"]', "Enter")
    page.wait_for_function("location.search === '?game=rebate&discount=0.5&temperature=2'")
    page.select_option('select[name="concept"]', "commitment")
    page.wait_for_function("location.search === '?game=rebate&concept=commitment&discount=0.5&temperature=2'")
    page.wait_for_selector('p[role=status]:has-text("Commitment is worth")')
    page.wait_for_selector(done, state="attached")
    expect(page.locator(".mw-compare-state").first).to_contain_text(
        "discount 0.5 (utility), 0 (home)", use_inner_text=True
    )
    for series in ("leader", "follower"):
        assert page.get_attribute(f'.mw-maps path[data-series="{series}"]', "d").count("L") == 100
    marked = page.locator(".mw-logs-errors .mw-logs-mark")
    assert float(marked.get_attribute("x1")) > page.locator(".mw-logs-errors svg[role=img]").bounding_box()["width"] / 2
    with page.expect_download() as taken:
        page.click("text=Download the solved game (CSV)")
    text = Path(taken.value.path()).read_text(encoding="utf-8")
    assert "# link: ?game=rebate&concept=commitment&discount=0.5&temperature=2" in text
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    said = sorted(page.locator(".mw-caption").all_inner_texts())
    size = {"width": 390, "height": 844}
    phone = visit(f"theory?{query(page)}", ready=False, viewport=size, color_scheme="dark")
    phone.wait_for_selector(done, state="attached")
    assert sorted(phone.locator(".mw-caption").all_inner_texts()) == said
    page.set_viewport_size(size)
    for small, scheme in ((page, "light"), (phone, "dark")):
        small.wait_for_function(f"document.querySelector('#app').classList.contains('theme--{scheme}')")
        small.evaluate(READING)
        assert small.evaluate("meanwattReading.nameless()") == []
        read, faint = small.evaluate("meanwattReading.faint()")
        assert read > 60
        assert faint == []
        small.wait_for_function("document.documentElement.scrollWidth <= 390")
        assert all(part.bounding_box()["width"] <= 390 for part in small.locator(".mw .mw-card").all())
    page.goto(page.url.split("?")[0] + "?game=penies")
    page.wait_for_selector(".mw-notice:has-text(\"unknown game 'penies'; did you mean 'pennies'?\")")
