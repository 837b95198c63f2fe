"""The tour takes about two minutes, begins and ends on the first page, and goes to pages that there are."""

from meanwatt.analysis.dashboard.pages import PAGES
from meanwatt.analysis.dashboard.tour.words import STEPS


def test_the_tour_takes_two_minutes_from_the_first_page_to_the_first_page() -> None:
    assert 90 <= sum(step.seconds for step in STEPS) <= 120, "what is waited for comes on top"
    assert STEPS[0].page == STEPS[-1].page == PAGES[0].route


def test_the_tour_goes_to_pages_that_it_can_change_to_without_loading_them_anew() -> None:
    assert {step.page for step in STEPS} <= {page.route for page in PAGES if page.component is not None}


def test_a_caption_can_be_read_in_the_time_it_stands() -> None:
    for step in STEPS:
        assert len(step.text.split()) / step.seconds <= 3, step.text
