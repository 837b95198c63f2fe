"""The challenge in a real browser: a tariff drawn by mouse, keyboard and numbers, on a projector and a telephone."""

import json
from pathlib import Path

from watching import expect

READING = Path(__file__).with_name("reading.js").read_text(encoding="utf-8")


def readable(page) -> None:
    """Check names, contrast, headings and that nothing is wider than the window."""
    page.evaluate(READING)
    assert page.evaluate("meanwattReading.nameless()") == []
    read, faint = page.evaluate("meanwattReading.faint()")
    assert read > 30
    assert faint == []
    assert page.locator(".mw h1").count() == page.locator(".mw header").count() == page.locator(".mw main").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert all(
        box["x"] + box["width"] <= page.viewport_size["width"]
        for box in (part.bounding_box() for part in page.locator(".mw .mw-card, .mw .mw-card input").all())
    )


def rates(page) -> list[float]:
    """Rates as a screen reader hears them."""
    return [float(bar.get_attribute("aria-valuenow")) for bar in page.locator(".mw-draw-hour").all()]


def scores(page) -> list[str]:
    return page.locator(".mw-score-number").all_inner_texts()


def submit(page, tries: int) -> list[str]:
    """Submit, and wait until so many attempts are listed and the newest is scored."""
    page.click("button:has-text('Submit')")
    page.wait_for_selector(f".mw-tries tbody tr >> nth={tries - 1}")
    page.wait_for_selector("header:not(:has(progress))")
    row = page.locator(".mw-tries-here td").all_inner_texts()
    assert row == scores(page)
    return row


def test_a_tariff_is_drawn_by_mouse_keyboard_and_numbers_scored_kept_hinted_at_and_held_against_the_computed(
    visit,
) -> None:
    page = visit("challenge", ready=False)
    page.wait_for_selector(".mw-draw-plot")
    filed = rates(page)
    assert filed == [16] * 9 + [8] * 8 + [24] * 4 + [16] * 3
    page.wait_for_selector("button:has-text('Show the computed tariff'):not([disabled])")
    assert scores(page) == ["–"] * 4
    readable(page)
    submit(page, 1)
    page.click("button:has-text('Submit')")
    page.wait_for_selector("[role=alert]:has-text('This tariff has its scores: change something first.')")

    # by mouse: a quick pull from 2 to 7 h skips no hour
    first, last = (page.locator(f".mw-draw-hour[data-hour='{hour}']").bounding_box() for hour in (2, 7))
    page.mouse.move(first["x"] + 3, first["y"] + first["height"] * 0.8)
    page.mouse.down()
    page.mouse.move(last["x"] + 3, last["y"] + last["height"] * 0.8)
    page.mouse.up()
    page.mouse.move(first["x"] + 3, first["y"])  # a mouse that is let go draws nothing
    assert rates(page) == [16, 16, *[12] * 6, *filed[8:]]
    # by keyboard: two hours on, five cents and one more up, from 60 no further
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("PageUp")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.getAttribute('data-hour')") == "9"
    assert rates(page)[9] == 14
    page.keyboard.press("ArrowDown")
    assert rates(page)[9] == 13
    expect(page.locator(".mw-draw-hour[tabindex='0']")).to_have_count(1)
    mine = submit(page, 2)
    drawn = rates(page)
    assert f"rates={'_'.join(f'{rate:g}' for rate in drawn)}&export=48&parts=1_1_1" in page.url

    # by numbers: past midnight, and what is wrong is told
    page.fill("input[name='from']", "22")
    page.fill("input[name='to']", "2")
    page.fill("input[name='rate']", "99")
    page.click("button:has-text('Set')")
    page.wait_for_selector("text=Give a rate from 0 to 60 ¢.")
    page.fill("input[name='rate']", "11.5")
    page.press("input[name='rate']", "Enter")
    assert rates(page) == [11.5, 11.5, *drawn[2:22], 11.5, 11.5]
    for place in range(3):
        page.fill(f"input[name='part-{place}']", "0")
    page.click("button:has-text('Submit')")
    page.wait_for_selector(".mw-notice:has-text('no income group carries a part of the fixed charge')")
    page.fill("input[name='part-2']", "2")
    page.fill("input[name='name']", "The rich pay")
    page.check("input[value='net_metering']")
    submit(page, 3)
    page.wait_for_selector(".mw-scores-given:has-text('Hint: ')")
    expect(page.locator(".mw-draw-part:has-text('Low income'):has-text('$0.00/month')")).to_have_count(1)

    page.click("button:has-text('Filed tariff')")
    assert rates(page) == filed

    # kept, and found again by one click
    page.reload()
    page.wait_for_selector(".mw-tries tbody tr >> nth=2")
    page.click(".mw-tries a:has-text('Try 2')")
    page.wait_for_selector(".mw-tries-here:has-text('Try 2')")
    page.wait_for_selector("header:not(:has(progress))")
    assert scores(page) == mine
    assert rates(page) == drawn
    kept = json.loads(page.evaluate("localStorage.getItem('meanwatt:challenge:textbook')"))
    assert [one["name"] for one in kept] == ["Try 1", "Try 2", "The rich pay"]
    page.click("button:has-text('Show the computed tariff')")
    page.wait_for_selector(".mw-day path[data-series='computed'] >> nth=1")
    expect(page.locator(".mw-day .mw-caption").first).to_contain_text("Your best, ", use_inner_text=True)
    page.wait_for_selector("header:not(:has(progress))")
    readable(page)

    phone = visit(
        f"challenge?{page.url.partition('?')[2]}",
        ready=False,
        viewport={"width": 390, "height": 844},
        color_scheme="dark",
        has_touch=True,
    )
    phone.wait_for_selector(".mw-tries-here")
    phone.wait_for_selector(".mw-day path[data-series='computed'] >> nth=1")
    assert scores(phone) == mine
    readable(phone)
    hour = phone.locator(".mw-draw-hour[data-hour='20']").bounding_box()
    phone.touchscreen.tap(hour["x"] + hour["width"] / 2, hour["y"] + hour["height"] / 2)
    assert rates(phone) == [*drawn[:20], 30, *drawn[21:]]
    phone.click("button:has-text('Undo')")
    assert rates(phone) == drawn
    phone.click("button:has-text('Clear the list')")
    phone.wait_for_selector("text=None yet.")
