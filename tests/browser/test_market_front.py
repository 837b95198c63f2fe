"""The first page's own surroundings in a real browser: things to try, and two tabs that share one list."""

from looking import in_force

KEPT = "localStorage.getItem('meanwatt:tried:textbook')"


def test_the_first_page_offers_things_to_try_and_they_open(visit) -> None:
    page = visit()
    links = page.locator(".mw-try li a")
    assert links.count() == 7
    texts = links.all_inner_texts()
    assert len(set(texts)) == 7
    links.nth(texts.index("See the duck")).click()
    page.wait_for_function("location.search.includes('pv_share_scale=2')")
    page.wait_for_selector(".mw-play:not([disabled])")
    in_force(page)
    assert "battery_share_scale=0" in page.url
    page.locator(".mw-try li a", has_text="One price or three").click()
    page.wait_for_function("location.pathname === '/compare'")


def test_two_tabs_of_one_browser_keep_both_their_lists(visit) -> None:
    one = visit("?scenario=textbook")
    two = one.context.new_page()
    two.goto(one.url)
    two.wait_for_selector(".mw-play:not([disabled])")
    two.wait_for_selector('.mw-tray[data-rows="1"]')
    for page, tariff in ((one, "rtp"), (two, "tou")):
        page.select_option('select[name="tariff"]', tariff)
        page.wait_for_function(f"{KEPT}.includes('tariff={tariff}')")
    kept = one.evaluate(KEPT)
    assert "tariff=rtp" in kept
    assert "tariff=tou" in kept
    two.wait_for_selector('.mw-tray[data-rows="3"]')
    two.click("text=Clear the list")
    two.wait_for_function(f"!{KEPT}.includes('tariff=rtp')")
