"""The map of a feeder whose homes are on one phase each is coloured by a phase, or by the unbalance."""

import re

from looking import until_day
from page_server import PageServer
from watching import PATIENCE_MS, expect, watch

STREET = 'extends = "textbook"\n[feeder]\nname = "lv_four_wire"\nphases = "one"\n'


def test_the_map_shows_a_phase_or_the_unbalance_from_the_first_day_on(browser, tmp_path) -> None:
    (tmp_path / "street.toml").write_text(STREET, encoding="utf-8")
    server, wrong = PageServer(tmp_path, ["street.toml"]), []
    context = browser.new_context(reduced_motion="reduce")
    try:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        watch(page, wrong, lambda url: url.startswith(("data:", "blob:", server.address, f"ws{server.address[4:]}")))
        page.goto(server.opening)
        page.wait_for_selector(".mw-play:not([disabled])")
        expect(page.locator(".mw-map-layers label")).to_have_text(["voltage"])
        page.click(".mw-step-day")
        until_day(page, 1)
        expect(page.locator(".mw-map-layers label")).to_have_text(
            ["balanced", "phase a", "phase b", "phase c", "unbalance", "loading"]
        )
        caption = page.locator(".mw-map-caption")
        expect(caption).to_contain_text("worst voltage of the day")
        before = page.locator(".mw-bus circle.mw-dot, .mw-bus path.mw-dot").first.get_attribute("fill")
        assert before is not None
        page.check('.mw-map-layers input[value="a"]')
        far = page.locator('.mw-bus[data-bus="25"] title')
        expect(far).to_have_text(re.compile(r"pu at "))
        by_phase = far.text_content()
        page.check('.mw-map-layers input[value="c"]')
        expect(far).not_to_have_text(by_phase or "")
        page.check('.mw-map-layers input[value="unbalance"]')
        expect(far).to_have_text(re.compile(r"% unbalance at "))
        expect(caption).to_contain_text("largest unbalance of the day: all 26 buses within the limits.")
        page.click(".mw-map summary")
        expect(page.locator(".mw-map thead th").nth(2)).to_have_text(re.compile(r"^Unbalance at .* \(%\)$"))
        page.check('.mw-map-layers input[value="balanced"]')
        expect(page.locator(".mw-map thead th").nth(2)).to_have_text(re.compile(r"^Voltage at .* \(pu\)$"))
    finally:
        context.close()
        server.close()
    assert wrong == []
