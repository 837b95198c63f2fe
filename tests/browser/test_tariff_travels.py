"""A tariff is carried from Compare to the market and back; its editor says what follows the wholesale price."""

from looking import in_force


def shown(page, side: str) -> str:
    """Title of the tariff of a side."""
    return page.inner_text(f'.mw-side-card[aria-label="Tariff {side}"] h2').removesuffix("?").strip()


def test_a_tariff_goes_from_compare_to_the_market_and_back_by_links_and_by_the_navigation(visit) -> None:
    page = visit("compare?scenario=textbook&a=filed&b=rtp&b.pass=50", ready=False)
    title = shown(page, "B").removeprefix("B").strip()
    assert title.endswith(", edited")
    page.click("text=Try B in the market")
    page.wait_for_selector(".mw-play:not([disabled])")
    page.wait_for_function("location.pathname === '/' && location.search.includes('file=')")
    chosen = "document.querySelector('.mw-form select[name=\"tariff\"]').selectedOptions[0].textContent.trim()"
    assert page.evaluate(chosen) == title
    page.select_option('select[name="tariff"]', "tou")
    page.wait_for_function("location.search === '?scenario=textbook&tariff=tou'")
    page.wait_for_selector('.mw-form-compare[href="/compare?scenario=textbook&a=filed&b=tou"]')
    page.click(".mw-form-compare")
    page.wait_for_function("location.pathname === '/compare' && location.search === '?scenario=textbook&a=filed&b=tou'")
    page.wait_for_selector(".mw-numbers")
    fresh = visit("?scenario=textbook&tariff=tou")
    fresh.wait_for_selector(".mw-form-compare")
    fresh.hover(".mw-nav a >> text=Compare")
    fresh.wait_for_selector('.mw-nav a[href="/compare?scenario=textbook&a=filed&b=tou"]')


def test_the_editor_says_what_follows_the_wholesale_price_and_reads_its_part_at_an_hour(visit) -> None:
    page = visit("compare?scenario=textbook&a=filed&b=rtp&b.credit=0*24", ready=False)
    page.click("text=Edit B")
    said = page.locator('[aria-label="Edit tariff B"] [data-follows="sell"]')
    said.wait_for()
    assert said.inner_text() == "An exported kWh earns 100 % of the wholesale price; no credit is posted."
    page.wait_for_selector('[aria-label="Edit tariff B"] .mw-draw-read:has-text(" ¢) exported")')  # the price is solved
    read = page.inner_text('[aria-label="Edit tariff B"] .mw-draw-read')
    assert ", 0 ¢ + 100 % of wholesale (" in read
    plain = page.locator('[aria-label="Edit tariff B"] .mw-draw-plot path.mw-line-sell').get_attribute("d")
    page.fill("input[name='b-credit_pass-0']", "50")
    page.wait_for_selector('[data-follows="sell"]:has-text("earns 50 %")')
    assert page.locator('[aria-label="Edit tariff B"] .mw-draw-plot path.mw-line-sell').get_attribute("d") != plain
    page.select_option("select[name='b-rule']", "none")
    page.wait_for_selector('[data-follows="sell"]', state="detached")


DEAR = b"""title = "Dear by the peak"
recovery = "fixed"
energy_usd_per_kwh = 0.1
demand_charge = { usd_per_kw_month = 4.0 }
"""


def test_tables_of_rate_classes_come_without_moving_what_is_used_and_are_a_slide_of_their_own(visit) -> None:
    page = visit("?scenario=textbook&tariff=filed", viewport={"width": 390, "height": 800})
    page.evaluate("document.querySelector('select[name=scenario] option').textContent = 'A long title '.repeat(9)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.select_option('select[name="scenario"]', "oahu")
    page.wait_for_function("!location.search.includes('textbook')")
    in_force(page)
    select, call = page.locator('.mw-form select[name="tariff"]'), page.locator(".mw-call")
    select.scroll_into_view_if_needed()
    place, size = select.bounding_box()["y"], call.bounding_box()["height"]
    select.select_option("filed_classes")
    page.wait_for_selector(".mw-classes:not(.mw-old)")
    in_force(page)
    assert page.locator(".mw-call .mw-small").inner_text().startswith("Shift and Save")  # twice as long as before
    assert call.bounding_box()["height"] == size
    assert abs(select.bounding_box()["y"] - place) < 60  # a line more or less in the charts above
    page.set_viewport_size({"width": 1280, "height": 720})
    page.keyboard.press("p")
    page.wait_for_selector("html.mw-projector")
    page.evaluate("scrollTo(0, 0)")
    tables, charts = page.locator(".mw-classes"), page.locator(".mw-body")
    assert tables.is_visible()
    assert tables.bounding_box()["y"] >= 720 - 8
    assert charts.bounding_box()["y"] + charts.bounding_box()["height"] > 700


def test_rate_classes_are_chosen_on_the_market_and_a_file_with_a_component_is_opened_there(visit) -> None:
    page = visit("?scenario=california&tariff=filed_classes")
    table = page.locator(".mw-statement-classes")
    table.wait_for()
    assert table.locator("thead th").all_inner_texts()[1:] == ["Others", "Solar", "All"]
    assert page.locator(".mw-statement-parts .mw-statement-all td").count() == 2
    assert "What if all were on one tariff?" in page.inner_text(".mw-top")
    assert page.locator("select[name='tariff.export.rule']").is_disabled()
    assert "nobody in this rate class has solar" in page.inner_text("[id='mw-under-tariff.export.rule']")
    page = visit("?scenario=textbook&battery_share_scale=0")
    page.set_input_files("input[name='tariff_file']", {"name": "x.toml", "mimeType": "text/plain", "buffer": DEAR})
    page.wait_for_function("location.search.includes('file=')")
    page.wait_for_selector(".mw-statement-parts th:has-text('Demand charge')")
    assert page.locator(".mw-statement-classes").count() == 0
    assert "do not see it when they decide" in page.inner_text(".mw-bill-says")
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
