"""The page Leader in a real browser: a tariff searched for, stopped, found, taken home, and read on a telephone."""

import tomllib
from pathlib import Path

import pytest
from watching import expect

READING = Path(__file__).with_name("reading.js").read_text(encoding="utf-8")


def test_a_leaders_tariff_is_searched_for_stopped_found_taken_home_and_read_on_a_telephone(visit) -> None:
    page = visit("leader", ready=False)
    page.wait_for_selector(".mw-searched")
    expect(page.locator(".mw-terms"), "nothing is searched for unasked").to_have_count(0)
    page.focus('input[name="equity"]')
    page.keyboard.press("ArrowRight")
    page.wait_for_function("location.search === '?equity=1.1'")
    page.fill('input[name="equity-number"]', "5")
    page.press('input[name="equity-number"]', "Enter")
    page.wait_for_function("location.search === '?equity=5'")
    page.click(".mw-search")
    page.wait_for_function("location.search === '?equity=5&run=1'")
    page.wait_for_selector('p[role=status]:has-text("Converged: best objective −2.0")')
    page.wait_for_selector('.mw-numbers tr[data-key="efficiency"]:not(:has-text("…"))')
    tried = page.locator(".mw-searched svg[role=img] .mw-tried").count()
    expect(page.locator(".mw-searched .mw-caption").first).to_contain_text(
        f"After {tried} tariffs the best is worth −2.0", use_inner_text=True
    )
    for row in page.locator(".mw-numbers tbody tr").all():
        before, after, moved = (cell.inner_text().replace("−", "-") for cell in row.locator("td").all())
        arrow, difference = moved.split()[:2] if moved[:1] in "▲▼" else ("", moved.split()[0])
        assert float(after) - float(before) == pytest.approx(float(difference), abs=1e-9)
        assert arrow == ("▲" if float(difference) > 0 else "▼" if float(difference) < 0 else "")
    expect(page.locator(".mw-terms li >> nth=0").first).to_contain_text(
        "fixed charge rising with income", use_inner_text=True
    )
    with page.expect_download() as taken:
        page.click("text=Download the tariff (TOML)")
    assert tomllib.loads(Path(taken.value.path()).read_text(encoding="utf-8"))["recovery"] == "fixed"
    page.click("text=Compute the surface")
    page.wait_for_selector('.mw-surface:has-text("search 2 of"), .mw-surface .mw-choice[data-place]')
    if page.locator(".mw-surface progress").count():
        page.click(".mw-surface >> text=Stop")
    page.wait_for_selector(".mw-surface .mw-choice[data-place]")
    page.focus(".mw-surface .mw-choice[tabindex='0']")
    expect(page.locator(".mw-surface-read").first).to_contain_text("price swing", use_inner_text=True)
    page.keyboard.press("Enter")
    page.wait_for_selector('.mw-day:has-text("picked from the surface")')
    page.click("text=Back to the tariff found")
    page.wait_for_selector('.mw-day:has-text("best found")')
    said = page.inner_text(".mw-searched .mw-caption")
    for scheme in ("light", "dark"):
        phone = visit("leader?equity=5&run=1", ready=False, viewport={"width": 390, "height": 844}, color_scheme=scheme)
        phone.wait_for_selector(".mw-files")
        expect(phone.locator(".mw-searched .mw-caption").first).to_have_text(said, use_inner_text=True)
        phone.wait_for_function(f"document.querySelector('#app').classList.contains('theme--{scheme}')")
        phone.evaluate(READING)
        assert phone.evaluate("meanwattReading.nameless()") == []
        read, faint = phone.evaluate("meanwattReading.faint()")
        assert read > 60
        assert faint == []
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390
        assert all(part.bounding_box()["width"] <= 390 for part in phone.locator(".mw .mw-card").all())
    page.select_option('select[name="scenario"]', "oahu")
    page.click(".mw-search")
    page.wait_for_selector('p[role=status]:has-text("tried; best objective")')
    page.click("text=Stop")
    page.wait_for_selector('p[role=status]:has-text("what you see is the best so far")')
    for part in (".mw-files", ".mw-search"):
        page.wait_for_selector(part)


def test_what_is_asked_for_beside_the_search_comes_and_another_choice_gives_it_up_in_words(visit) -> None:
    page = visit("leader?equity=5&run=1", ready=False)
    page.wait_for_selector(".mw-files")
    page.click("text=Compute all three")
    page.wait_for_selector('.mw-concept-ends li[data-key="alternating"]')
    page.wait_for_selector('.mw-concepts tr[data-key="efficiency"]:not(:has-text("…"))')
    heads = page.locator(".mw-concepts thead th").all_inner_texts()
    assert heads[1:] == ["in force", "commitment", "feedback", "alternating"]
    objectives = page.locator('.mw-concepts tr[data-key="objective"] td').all_inner_texts()
    assert objectives[1] == page.locator('.mw-numbers tr[data-key="objective"] td >> nth=1').inner_text()
    for name in heads[1:]:
        assert page.locator(f'.mw-panel-import path[data-series="{name}"]').count() > 0
    page.click(".mw-rate-parts summary")
    page.wait_for_selector(".mw-rate-parts td")
    page.click("text=Ask cold households")
    page.wait_for_selector(".mw-side-cold tbody tr")
    page.select_option('select[name="learner"]', "softmax")
    page.click(".mw-metered button")
    page.wait_for_selector('.mw-metered path[data-series="recommended"]')
    page.wait_for_selector('.mw-metered .mw-caption:has-text("After 4,500 metered days")')
    page.evaluate(READING)
    assert page.evaluate("meanwattReading.nameless()") == []
    assert page.evaluate("meanwattReading.faint()")[1] == []
    phone = visit("leader", ready=False, viewport={"width": 390, "height": 844}, color_scheme="dark")
    phone.wait_for_selector(".mw-concepts")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    busy = visit("leader?scenario=oahu&run=1", ready=False)
    busy.wait_for_selector('p[role=status]:has-text("tried; best objective")')
    busy.fill('input[name="equity-number"]', "2")
    busy.press('input[name="equity-number"]', "Enter")
    busy.wait_for_selector('.mw-notice:has-text("was given up, because you chose something else.")')
