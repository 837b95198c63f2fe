"""Single keys can be switched off, as WCAG 2.1.4 asks; the browser remembers, and every key has a button."""

import pytest
from looking import until_day
from watching import expect

SWITCH = 'input[name="single-keys"]'


@pytest.mark.parametrize("visitor", ["first", "second"])
def test_who_comes_after_another_visitor_finds_nothing_of_theirs(visit, profiles, visitor: str) -> None:
    """Of the tests themselves: the second has the profile of the first."""
    assert any(profiles.values()) == (visitor == "second")
    page = visit("help", ready=False)
    page.wait_for_selector(".mw-help-entry")
    assert page.evaluate("[localStorage.getItem('left'), document.cookie.includes('left')]") == [None, False]
    page.evaluate("localStorage.setItem('left', '1'); document.cookie = 'left=1'")
    assert page.evaluate("[localStorage.getItem('left'), document.cookie.includes('left')]") == ["1", True]


def test_keys_that_are_switched_off_do_nothing_on_any_page_until_they_are_switched_on(visit) -> None:
    page = visit("help#keys", ready=False)
    page.uncheck(SWITCH)
    page.locator("h1").click()
    page.keyboard.press("p")
    page.click(".mw-nav >> text=Market")
    page.wait_for_selector(".mw-play:not([disabled])")
    page.reload()  # not only as long as the page is open
    page.wait_for_selector(".mw-play:not([disabled])")
    for key in ("p", "s", "s", " "):
        page.keyboard.press(key)
    page.click("text=Step one day")
    until_day(page, 1)  # had a key worked, it would be a later day, or the projector
    expect(page.locator("html.mw-projector")).to_have_count(0)
    expect(page.locator("text=▶ Play")).to_have_count(1)
    page.click(".mw-nav >> text=Help")
    page.check(SWITCH)
    page.locator("h1").click()
    page.keyboard.press("p")
    page.wait_for_selector("html.mw-projector")
