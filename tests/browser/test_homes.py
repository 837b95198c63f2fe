"""The homes on the feeder in a real browser: a bus is chosen in every way, a home is followed, its bill adds up."""

import re
from pathlib import Path

import pytest
from looking import in_force, line, until_day
from watching import expect

READING = Path(__file__).with_name("reading.js").read_text(encoding="utf-8")


def chosen(page, bus: int) -> None:
    """Wait until the homes of a bus are shown."""
    page.wait_for_selector(f'.mw-homes-card[data-bus="{bus}"] .mw-homes-list li')
    page.wait_for_selector(f'.mw-bus[data-bus="{bus}"][aria-pressed="true"] .mw-bus-ring')


def followed(page, day: int) -> None:
    page.wait_for_selector(f'.mw-home[data-day="{day}"] .mw-home-bill')
    page.wait_for_selector(f'.mw-homes .mw-day[data-day="{day}"]')


def dollars(text: str) -> float:
    return float(text.replace("−", "-").replace("$", ""))


def stands_out(page) -> None:
    page.evaluate(READING)
    assert page.evaluate("meanwattReading.nameless()") == []
    read, faint = page.evaluate("meanwattReading.faint()")
    assert read > 100
    assert faint == []


def test_a_bus_is_clicked_its_homes_are_counted_and_one_is_followed_as_days_pass(visit) -> None:
    page = visit()
    page.locator('.mw-bus[data-bus="5"]').click()
    chosen(page, 5)
    said = page.inner_text(".mw-homes-said")
    homes = int(re.search(r": (\d+) homes", said).group(1))
    counts = [int(cell) for cell in page.locator(".mw-homes-card tbody td:last-child").all_inner_texts()]
    assert sum(counts) == homes == page.locator(".mw-homes-list button").count()
    with_battery = page.locator(".mw-homes-list button", has_text="battery").first
    name = with_battery.inner_text()
    with_battery.click()
    page.wait_for_selector("text=Its day is drawn as soon as one has passed")
    drawn = set()
    for day in (1, 2):
        page.keyboard.press("s")
        until_day(page, day)
        followed(page, day)
        assert page.inner_text(".mw-home h2").startswith(name)
        parts = [dollars(cell) for cell in page.locator(".mw-home-bill tbody td:last-child").all_inner_texts()]
        assert sum(parts) == pytest.approx(dollars(page.inner_text(".mw-home-bill tfoot b")), abs=1e-9)
        reasons = " ".join(page.locator(".mw-home-reason").all_inner_texts())
        assert "In its plan a kWh kept is worth" in reasons or "Its battery stands still" in reasons
        for series, panel in (("net load", "home-load"), ("charge", "home-charge"), ("kept is worth", "home-price")):
            assert line(page, series, panel)
        drawn.add(line(page, "charge", "home-charge"))
    assert len(drawn) == 2
    stands_out(page)
    page.select_option('select[name="tariff"]', "flat")  # the same home under another tariff
    page.wait_for_function("location.search.includes('tariff=flat')")
    until_day(page, 0)
    in_force(page)
    page.click("text=Step one day")
    followed(page, 1)
    assert page.inner_text(".mw-home h2").startswith(name)
    page.click("text=☾ Dark")
    page.wait_for_selector("#app.theme--dark")
    stands_out(page)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_bus_is_reached_by_arrow_keys_and_by_the_list_and_no_key_of_the_run_is_pressed_by_it(visit) -> None:
    page = visit("?scenario=textbook")
    expect(page.locator('.mw-bus[tabindex="0"]')).to_have_count(1)
    page.focus('.mw-bus[tabindex="0"]')
    start = page.evaluate("document.activeElement.dataset.bus")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"document.activeElement.dataset.bus !== '{start}'")
    bus = int(page.evaluate("document.activeElement.dataset.bus"))
    page.keyboard.press(" ")
    chosen(page, bus)
    expect(page.locator("text=▶ Play")).to_have_count(1)  # Space chose a bus, and did not play
    expect(page.locator('.mw-bus[tabindex="0"]')).to_have_attribute("data-bus", str(bus))
    other = next(
        option.get_attribute("value")
        for option in page.locator('select[name="bus"] option').all()
        if option.get_attribute("value") not in ("", str(bus))
    )
    page.select_option('select[name="bus"]', other)
    chosen(page, int(other))
    page.click("text=see its homes")
    page.wait_for_function("document.querySelector('#mw-homes').getBoundingClientRect().top < innerHeight / 2")
    page.select_option('select[name="bus"]', "")
    page.wait_for_selector(".mw-bus-ring", state="detached")
    expect(page.locator(".mw-homes-list")).to_have_count(0)


def test_a_finger_chooses_a_bus_and_a_home(visit) -> None:
    page = visit("?scenario=textbook", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.locator('.mw-bus[data-bus="2"]').tap()
    chosen(page, 2)
    page.locator(".mw-homes-list button").first.tap()
    page.wait_for_selector(".mw-home")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    tops = (
        "[...document.querySelectorAll('.mw-map, .mw-homes, .mw-form')].map((part) => part.getBoundingClientRect().top)"
    )
    where = page.evaluate(tops)  # in the order of the document
    assert where == sorted(where), "below the map, and not below the form"
    name = page.inner_text(".mw-home h2")
    number = re.match(r"Home (\d+):", name).group(1)
    page.wait_for_function(f"location.search === '?scenario=textbook&bus=2&home={number}'")
    again = visit(page.url.removeprefix(page.url.split("?")[0].rstrip("/") + "/"))
    chosen(again, 2)
    expect(again.locator(".mw-home h2").first, "a link repeats what is looked at").to_have_text(
        name, use_inner_text=True
    )
