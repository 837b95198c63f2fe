"""The tour plays by itself on the real pages; a key or a click ends it and leaves its visitor where he is.

Its clock is the browser's, which the test puts forward.
"""

import pytest
from playwright.sync_api import Page
from watching import expect

from meanwatt.analysis.dashboard.tour.words import ADDRESS, STEPS

TOUR = ".mw-tour"


@pytest.fixture
def begin(visit):
    """Begin the tour, in a browser whose clock is the test's."""

    def begun(**options) -> Page:
        return visit(ADDRESS.removeprefix("/"), ready=False, clock=True, **options)

    return begun


def at(page: Page, step: int) -> None:
    """Wait until a caption can be read, and what it speaks of be seen."""
    page.wait_for_selector(f'{TOUR}[data-step="{step}"][data-seen="yes"]')
    expect(page.locator(TOUR).first).to_contain_text(STEPS[step].text, use_inner_text=True)
    assert page.evaluate("window.location.pathname") == STEPS[step].page
    expect(page.locator(".mw-tour-framed")).to_have_count(1)


def forward(page: Page, step: int) -> None:
    """Put the clock forward by as long as a caption stands."""
    page.clock.fast_forward(1000 * int(STEPS[step].seconds) + 1000)


def ended(page: Page) -> None:
    """Nothing is left of the tour."""
    page.wait_for_selector(TOUR, state="hidden")
    assert page.evaluate("window.location.hash") == ""
    expect(page.locator(".mw-tour-framed, .mw-touring")).to_have_count(0)


@pytest.mark.parametrize("calm", [True, False])
def test_the_tour_goes_through_all_its_places_and_ends_on_the_first_page(begin, calm: bool) -> None:
    page = begin(calm=calm)
    for number in range(len(STEPS)):
        at(page, number)
        if STEPS[number].press == ".mw-call":
            page.wait_for_selector(".mw-call:has-text('Back to the tariff before')")
        forward(page, number)
    ended(page)
    assert page.evaluate("window.location.pathname") == "/"


def test_a_key_ends_the_tour_where_it_is_and_does_nothing_else(begin) -> None:
    page = begin()
    at(page, 0)
    page.wait_for_selector('.mw-clock[data-day="1"]')  # the calm tour steps a day
    page.keyboard.press("r")
    ended(page)
    page.keyboard.press("s")
    page.wait_for_selector('.mw-clock[data-day="2"]')  # had the first key acted, this were day 1


def test_a_click_ends_the_tour_where_it_is_and_follows_no_link(begin) -> None:
    page = begin()
    at(page, 0)
    page.click(".mw-nav a:has-text('Lessons')")
    ended(page)
    assert page.evaluate("window.location.pathname") == "/"
    page.clock.fast_forward(300_000)
    page.click(".mw-nav a:has-text('Lessons')")
    page.wait_for_selector(".mw-lesson-list")
    ended(page)


def test_without_being_asked_for_there_is_no_tour(visit) -> None:
    page = visit()
    expect(page.locator(TOUR)).not_to_be_visible()
